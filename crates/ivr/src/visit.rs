//! One caller in a flow.

use crate::{Flow, Input, Output};
use hotline_core::{Deadline, Outbox, Time};
use std::sync::Arc;

/// Most digits of one entry.
pub const DIGITS_MAX: usize = 64;
/// Most keys kept before a step asks.
pub const TYPE_AHEAD_MAX: usize = 32;
/// Most steps entered without waiting; more is an endless loop.
pub const STEPS_MAX: usize = 1000;
/// Most steps of a path that are remembered.
pub const PATH_MAX: usize = 1000;

/// One caller in a flow. Pure: `(state, time, input) -> outputs`.
#[derive(Debug)]
pub struct Visit {
    flow: Arc<Flow>,
}

impl Visit {
    pub fn new(flow: Arc<Flow>) -> Visit {
        Visit { flow }
    }
    pub fn handle(&mut self, _now: Time, _input: Input, _out: &mut Outbox<Output>) {}
    pub fn deadline(&self) -> Option<Deadline> {
        None
    }
    pub fn wake(&mut self, _now: Time, _out: &mut Outbox<Output>) {}
    pub fn step(&self) -> &str {
        ""
    }
    pub fn language(&self) -> &str {
        &self.flow.language
    }
    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }
    pub fn is_over(&self) -> bool {
        false
    }
}
