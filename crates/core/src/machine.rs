use crate::{Deadline, Time};

/// The contract of a core: it takes time and inputs, and pushes outputs into the caller's outbox.
///
/// After `wake(now, ..)` the next `deadline()` lies later than `now`, so a loop that wakes a machine
/// at its deadline always moves on. `wake` may come early, or twice; it then does nothing.
pub trait Machine {
    type Input;
    type Output;
    fn handle(&mut self, now: Time, input: Self::Input, out: &mut Outbox<Self::Output>);
    fn deadline(&self) -> Option<Deadline>;
    fn wake(&mut self, now: Time, out: &mut Outbox<Self::Output>);
}

/// What a core wants done, in order. The caller owns it, so no core holds undelivered outputs.
#[derive(Debug)]
pub struct Outbox<T>(Vec<T>);

impl<T> Outbox<T> {
    pub const fn new() -> Self {
        Outbox(Vec::new())
    }
    pub fn push(&mut self, output: T) {
        self.0.push(output);
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn drain(&mut self) -> std::vec::Drain<'_, T> {
        self.0.drain(..)
    }
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
    /// Takes all outputs, leaving the outbox empty but with its room kept in the returned vector.
    pub fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.0)
    }
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Extend<T> for Outbox<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, iter: I) {
        self.0.extend(iter);
    }
}
