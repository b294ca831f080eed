//! How long a caller will wait, as far as that can be told.
//!
//! Callers ahead who compete for the same agents, and he himself, each take one agent for as long as a call of the
//! queue has taken lately, wrap-up included; as many agents serve them as are signed in and not paused.
use crate::agents::Presence;
use crate::line::Place;
use crate::staff::Eligible;
use crate::{Requirement, Router};
use hotline_core::{AgentId, CallId, QueueId, Severity, Time};
use std::time::Duration;

/// Calls of a queue that must have been handled before anything is said: fewer make a guess.
const HANDLED_MIN: u32 = 10;
/// Of how many calls the latest one is the average's share, once there were as many.
const LATEST: u32 = 16;
/// Estimates are whole minutes, rounded up: more would be more than is known.
const STEP: Duration = Duration::from_secs(60);

/// What may be told to a caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// Within the queue, from 1.
    pub position: u32,
    /// Whole minutes, rounded up; zero: an agent is rung, or would be. None: it would be a guess.
    pub wait: Option<Duration>,
}

/// How long a queue's calls keep an agent, talk and wrap-up.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Handling {
    mean: Duration,
    calls: u32,
}

impl Handling {
    pub fn book(&mut self, took: Duration) {
        self.calls = self.calls.saturating_add(1);
        let share = self.calls.min(LATEST);
        self.mean = match took.checked_sub(self.mean) {
            Some(more) => self.mean + more / share,
            None => self.mean - (self.mean - took) / share,
        };
    }

    fn mean(&self) -> Option<Duration> {
        (self.calls >= HANDLED_MIN).then_some(self.mean)
    }
}

impl Router {
    /// Of a call in the line; None: it is not.
    pub fn estimate(&self, call: CallId) -> Option<Estimate> {
        let row = self.calls.get(&call)?;
        let ticket = row.ticket.as_ref()?;
        let wait = match row.offer {
            Some(_) => Some(Duration::ZERO),
            None => self.wait(ticket.queue, &self.line.class(ticket.class).eligible, ticket.place),
        };
        Some(Estimate { position: self.position(call)?, wait })
    }

    /// Of a call that would join now; None: there is no such queue.
    pub fn estimate_to_join(
        &self,
        queue: QueueId,
        require: Option<&Requirement>,
        severity: Severity,
        arrived: Time,
    ) -> Option<Estimate> {
        let rules = self.roster.queues.get(queue.0 as usize)?;
        let place = Place::new(rules, severity, arrived, CallId(u64::MAX));
        let eligible = self.staff.eligible(&self.roster, queue, require);
        let position = 1 + self.ringing_before(queue, place) + self.line.before(queue, place);
        let wait = match self.could_ring_for(queue, &eligible) {
            true => Some(Duration::ZERO),
            false => self.wait(queue, &eligible, place),
        };
        Some(Estimate { position, wait })
    }

    fn wait(&self, queue: QueueId, eligible: &Eligible, place: Place) -> Option<Duration> {
        let mean = self.queues[queue.0 as usize].handling.mean()?;
        let serving = (0u32..)
            .zip(&self.agents)
            .filter(|(_, row)| row.presence == Presence::SignedIn)
            .filter(|(i, row)| eligible.has(AgentId(*i), row.group))
            .map(|(_, row)| row.capacity)
            .fold(0, u32::saturating_add);
        if serving == 0 {
            return None;
        }
        let ahead = self.line.ahead(place, |other| self.staff.compete(&self.agents, eligible, other));
        let wait = mean.saturating_mul(ahead + 1) / serving;
        let steps = wait.as_nanos().div_ceil(STEP.as_nanos());
        Some(STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX)))
    }
}
