//! What may be shown, and what may be heard in a recording.

use super::values::Values;
use super::{State, Visit};
use crate::facts::{Facts, StepFacts};

impl Visit {
    /// Whether a key pressed now must not be shown or kept: it belongs to an entry that the flow masks, or it is
    /// typed ahead in a flow that masks one somewhere, so that nobody knows yet where it belongs.
    pub fn masks_digits(&self) -> bool {
        match &self.state {
            State::Asking(_) | State::Surveying(_) => self.facts().masked,
            _ => Facts::of(&self.flow).masks,
        }
    }
}

impl StepFacts {
    /// Whether nothing of the step may be heard or shown: it asks for something masked, or reads it aloud.
    pub(super) fn is_private(&self, values: &Values) -> bool {
        self.masked || values.any_masked(&self.heard)
    }
}
