//! What follows from a flow's steps, worked out once so that no call has to.

use crate::expr::{BUILT_IN, Type, Types, Value, VarId};
use crate::flow::{Act, Flow, Sound, Step, StepId};
use hotline_core::Severity;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Made when it is first asked for; a flow that is cloned (and perhaps changed) makes its own.
#[derive(Default)]
pub struct Facts(OnceLock<Box<Known>>);

pub(crate) struct Known {
    pub types: Types,
    /// What every variable is at first, by `VarId`, and which are masked.
    pub start: Box<[Value]>,
    pub masked: Box<[bool]>,
    /// By `StepId`.
    pub steps: Box<[StepFacts]>,
    /// Some question's keys are shown nowhere.
    pub masks: bool,
}

pub(crate) struct StepFacts {
    /// As [`Step::exits`] lists them.
    pub exits: Box<[(Arc<str>, StepId)]>,
    /// A question whose keys are shown nowhere.
    pub masked: bool,
    /// Variables that its sounds read aloud or choose by.
    pub heard: Box<[VarId]>,
    /// For each value that a `set` step sets: what it is made of.
    pub reads: Box<[Box<[VarId]>]>,
}

impl Facts {
    pub(crate) fn of(flow: &Flow) -> &Known {
        flow.facts.0.get_or_init(|| Box::new(Known::new(flow)))
    }
}

impl Known {
    fn new(flow: &Flow) -> Known {
        let steps: Box<[StepFacts]> = flow.steps.iter().map(|step| StepFacts::new(flow, step)).collect();
        let built_in = BUILT_IN.map(|(_, kind, _)| match kind {
            Type::Number => Value::Number(0),
            Type::Time => Value::Time(0),
            Type::Duration => Value::Duration(0),
            Type::Digits => Value::Digits("".into()),
            _ => Value::from(""),
        });
        let mut start: Vec<Value> =
            built_in.into_iter().chain(flow.vars.iter().map(|v| v.default.clone())).collect();
        start[VarId::LANGUAGE.0 as usize] = Value::Text(flow.language.clone());
        start[VarId::SEVERITY.0 as usize] = Value::from(Severity::P3.as_str());
        let masked = BUILT_IN.map(|_| false).into_iter().chain(flow.vars.iter().map(|v| v.mask)).collect();
        let masks = steps.iter().any(|s| s.masked);
        Known { types: flow.types(), start: start.into(), masked, steps, masks }
    }
}

impl StepFacts {
    fn new(flow: &Flow, step: &Step) -> StepFacts {
        let declared = |id: VarId| flow.var(id).is_some_and(|v| v.mask);
        let reads = match &step.act {
            Act::Set(set) => {
                set.values.iter().map(|(_, value)| value.reads().into_iter().collect()).collect()
            }
            _ => Box::default(),
        };
        StepFacts {
            exits: step.exits().into_iter().map(|(label, to)| (label.into(), to)).collect(),
            masked: matches!(&step.act, Act::Collect(c) if c.mask || declared(c.into)),
            heard: heard(step),
            reads,
        }
    }
}

fn heard(step: &Step) -> Box<[VarId]> {
    let reads = |sound: &Sound| match sound {
        Sound::Prompt(name) => name.reads(),
        Sound::Say { value, .. } => value.reads(),
        Sound::Silence(_) | Sound::Tone { .. } => Default::default(),
    };
    let all: std::collections::BTreeSet<VarId> = step.sounds().into_iter().flat_map(reads).collect();
    all.into_iter().collect()
}

impl Flow {
    /// One of its own variables; None for a built-in one.
    pub fn var(&self, id: VarId) -> Option<&crate::VarDecl> {
        (id.0 as usize).checked_sub(BUILT_IN.len()).and_then(|i| self.vars.get(i))
    }

    /// A variable's type, built-in ones included.
    pub fn kind_of(&self, id: VarId) -> Option<Type> {
        match self.var(id) {
            Some(own) => Some(own.kind),
            None => BUILT_IN.get(id.0 as usize).map(|(_, kind, _)| *kind),
        }
    }
}

impl Clone for Facts {
    fn clone(&self) -> Facts {
        Facts::default()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts")
    }
}
