//! Which keys may be shown.

use super::{State, Visit};
use crate::flow::Act;

impl Visit {
    /// Whether a key pressed now must not be shown or kept: it belongs to an entry that the flow masks, or it is
    /// typed ahead in a flow that masks one somewhere, so that nobody knows yet where it belongs.
    pub fn masks_digits(&self) -> bool {
        let masks = |act: &Act| matches!(act, Act::Collect(collect) if collect.mask);
        match &self.state {
            State::Asking(_) => masks(&self.flow.step(self.step).act),
            _ => self.flow.steps.iter().any(|step| masks(&step.act)),
        }
    }
}
