//! Which steps and exits callers have taken. Steps of a sub-flow count for the sub-flow, wherever it is used.

use crate::stage::{Told, What};
use ivr::{Act, Flow, Step};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// By flow.
#[derive(Clone, Default, PartialEq, Debug, Serialize)]
pub struct Coverage(pub BTreeMap<Arc<str>, FlowCoverage>);

#[derive(Clone, Default, PartialEq, Debug, Serialize)]
pub struct FlowCoverage {
    /// How often each step was entered.
    pub steps: BTreeMap<Arc<str>, u64>,
    /// How often each exit was taken, by `STEP/EXIT`.
    pub exits: BTreeMap<Arc<str>, u64>,
}

/// Counts for one flow, by place, until they are told by name.
#[derive(Clone, Debug)]
pub struct Counter {
    flow: Arc<Flow>,
    ids: BTreeMap<Arc<str>, usize>,
    labels: Vec<Vec<Arc<str>>>,
    entered: Vec<u64>,
    left: Vec<Vec<u64>>,
}

impl Counter {
    pub fn new(flow: &Arc<Flow>) -> Counter {
        let labels: Vec<Vec<Arc<str>>> = flow
            .steps
            .iter()
            .map(|s| s.exits().into_iter().map(|(label, _)| label.into()).collect())
            .collect();
        Counter {
            flow: flow.clone(),
            ids: flow.steps.iter().enumerate().map(|(i, s)| (s.name.clone(), i)).collect(),
            entered: vec![0; flow.steps.len()],
            left: labels.iter().map(|l| vec![0; l.len()]).collect(),
            labels,
        }
    }

    pub fn count(&mut self, story: &[Told]) {
        for told in story {
            match &told.what {
                What::Entered(step) => {
                    if let Some(i) = self.ids.get(step) {
                        self.entered[*i] += 1;
                    }
                }
                What::Left { step, exit } => {
                    if let Some(i) = self.ids.get(step)
                        && let Some(e) = self.labels[*i].iter().position(|l| l == exit)
                    {
                        self.left[*i][e] += 1;
                    }
                }
                _ => {}
            }
        }
    }

    pub fn add(&mut self, other: &Counter) {
        self.entered.iter_mut().zip(&other.entered).for_each(|(a, b)| *a += b);
        for (a, b) in self.left.iter_mut().zip(&other.left) {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
    }

    pub fn tell(&self, into: &mut Coverage) {
        for (i, step) in self.flow.steps.iter().enumerate() {
            let (flow, name) = whose(&self.flow, step);
            let of = into.0.entry(flow).or_default();
            *of.steps.entry(name.clone()).or_default() += self.entered[i];
            for (label, count) in self.labels[i].iter().zip(&self.left[i]) {
                // A `return` leads somewhere else at each place where its sub-flow is used; to its file it is an end.
                *of.exits.entry(format!("{name}/{label}").into()).or_default() += count;
            }
        }
    }
}

/// The file and the name under which an operator knows a step.
fn whose(flow: &Flow, step: &Step) -> (Arc<str>, Arc<str>) {
    match &step.origin {
        Some(origin) => (origin.flow.clone(), origin.step.clone()),
        None => (flow.name.clone(), step.name.clone()),
    }
}

impl FlowCoverage {
    pub fn steps_taken(&self) -> (usize, usize) {
        (self.steps.values().filter(|n| **n > 0).count(), self.steps.len())
    }

    pub fn exits_taken(&self) -> (usize, usize) {
        (self.exits.values().filter(|n| **n > 0).count(), self.exits.len())
    }

    pub fn steps_missing(&self) -> impl Iterator<Item = &Arc<str>> {
        self.steps.iter().filter(|(_, n)| **n == 0).map(|(name, _)| name)
    }

    pub fn exits_missing(&self) -> impl Iterator<Item = &Arc<str>> {
        self.exits.iter().filter(|(_, n)| **n == 0).map(|(name, _)| name)
    }
}

impl Coverage {
    pub fn add(&mut self, other: &Coverage) {
        for (flow, theirs) in &other.0 {
            let ours = self.0.entry(flow.clone()).or_default();
            for (name, n) in &theirs.steps {
                *ours.steps.entry(name.clone()).or_default() += n;
            }
            for (name, n) in &theirs.exits {
                *ours.exits.entry(name.clone()).or_default() += n;
            }
        }
    }
}

/// Percent; nothing to cover is covered.
pub fn percent((taken, all): (usize, usize)) -> f64 {
    if all == 0 { 100.0 } else { 100.0 * taken as f64 / all as f64 }
}

/// Whether a step waits for the world, so that a story may end in it.
pub(crate) fn may_end_in(step: &Step) -> bool {
    matches!(step.act, Act::Hangup | Act::Reject { .. } | Act::Echo(_))
}
