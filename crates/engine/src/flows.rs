//! How callers go through flows: each version's steps and exits, counted since the start.

use crate::call::Driver;
use crate::engine::Engine;
use crate::interface::{FlowView, StepView};
use hotline_core::CallId;
use ivr::Flow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Versions counted; of more, those seen first go when no call is in them.
const VERSIONS_MAX: usize = 32;

/// One version of a flow.
#[derive(Debug)]
pub(crate) struct Counted {
    flow: Arc<Flow>,
    calls: u64,
    steps: BTreeMap<Arc<str>, Step>,
}

#[derive(Default, Debug)]
struct Step {
    entered: u64,
    exits: BTreeMap<Arc<str>, u64>,
}

impl Engine {
    /// A call begins in this flow.
    pub(crate) fn count_call(&mut self, flow: &Arc<Flow>) {
        match self.flows.iter_mut().find(|counted| is(&counted.flow, flow)) {
            Some(counted) => counted.calls += 1,
            None => {
                if self.flows.len() >= VERSIONS_MAX
                    && let Some(idle) =
                        self.flows.iter().position(|counted| self.calls_in(&counted.flow) == 0)
                {
                    self.flows.remove(idle);
                }
                if self.flows.len() < VERSIONS_MAX {
                    self.flows.push(Counted { flow: flow.clone(), calls: 1, steps: BTreeMap::new() });
                }
            }
        }
    }

    pub(crate) fn count_entry(&mut self, id: CallId, step: &Arc<str>) {
        if let Some(step) = self.counted(id, step) {
            step.entered += 1;
        }
    }

    pub(crate) fn count_exit(&mut self, id: CallId, step: &Arc<str>, exit: Arc<str>) {
        if let Some(step) = self.counted(id, step) {
            *step.exits.entry(exit).or_default() += 1;
        }
    }

    fn counted(&mut self, id: CallId, step: &Arc<str>) -> Option<&mut Step> {
        let Driver::Visit(visit) = &self.calls.get(&id)?.driver else { return None };
        let counted = self.flows.iter_mut().find(|counted| is(&counted.flow, visit.flow()))?;
        Some(counted.steps.entry(step.clone()).or_default())
    }

    fn calls_in(&self, flow: &Arc<Flow>) -> usize {
        let here = |driver: &Driver| matches!(driver, Driver::Visit(visit) if is(visit.flow(), flow));
        self.calls.values().filter(|call| call.ending.is_none() && here(&call.driver)).count()
    }

    /// Of every version, or of this flow's; the newest last. Steps and exits in the order of the file.
    pub(crate) fn flow_views(&self, name: Option<&str>) -> Vec<FlowView> {
        let view = |counted: &Counted| {
            let mut now: BTreeMap<&str, usize> = BTreeMap::new();
            for call in self.calls.values().filter(|call| call.ending.is_none()) {
                if let Driver::Visit(visit) = &call.driver
                    && is(visit.flow(), &counted.flow)
                {
                    *now.entry(visit.step()).or_default() += 1;
                }
            }
            let step = |step: &ivr::Step| {
                let count = counted.steps.get(&step.name);
                let mut exits: Vec<(Arc<str>, u64)> =
                    step.exits().into_iter().map(|(label, _)| (label.into(), 0)).collect();
                for (label, times) in count.into_iter().flat_map(|c| &c.exits) {
                    match exits.iter_mut().find(|(known, _)| known == label) {
                        Some((_, n)) => *n += times,
                        None => exits.push((label.clone(), *times)),
                    }
                }
                let entered = count.map_or(0, |c| c.entered);
                let calls = now.get(&*step.name).copied().unwrap_or(0);
                StepView { step: step.name.clone(), entered, calls, exits }
            };
            FlowView {
                flow: counted.flow.name.clone(),
                version: counted.flow.version.clone(),
                calls: now.values().sum(),
                calls_total: counted.calls,
                steps: counted.flow.steps.iter().map(step).collect(),
            }
        };
        let wanted = |counted: &&Counted| name.is_none_or(|name| &*counted.flow.name == name);
        self.flows.iter().filter(wanted).map(view).collect()
    }
}

/// The same flow in the same version.
fn is(a: &Arc<Flow>, b: &Arc<Flow>) -> bool {
    Arc::ptr_eq(a, b) || (a.name == b.name && a.version == b.version)
}
