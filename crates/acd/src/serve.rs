//! The matching: who of the line has a candidate now.
use crate::line::{ClassId, Place};
use crate::staff::Eligible;
use crate::{Output, Router};
use hotline_core::{AgentId, Outbox, PoolId, QueueId, Time};

/// What happened since the line was last served. Before it no waiting call had a candidate, so only
/// what changed can make one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Changed {
    Nothing,
    /// This call took its place; no agent or limit became free.
    Arrival(ClassId, Place),
    /// An agent or a limit became free, or more than one thing happened.
    Capacity,
}

impl Changed {
    pub fn arrival(&mut self, class: ClassId, place: Place) {
        *self = match self {
            Changed::Nothing => Changed::Arrival(class, place),
            Changed::Arrival(..) | Changed::Capacity => Changed::Capacity,
        };
    }
}

impl Router {
    /// Offers, in the order of the line, each waiting call that has a candidate.
    ///
    /// One pass over the heads of the classes: what is given away on the way only takes candidates
    /// from those that were passed over, so nobody need be asked twice.
    pub(crate) fn serve(&mut self, now: Time, out: &mut Outbox<Output>) {
        match std::mem::replace(&mut self.changed, Changed::Nothing) {
            Changed::Nothing => {}
            Changed::Arrival(class, place) => {
                if self.line.is_head(class, place) {
                    self.serve_head(now, class, place, out);
                }
            }
            Changed::Capacity => {
                let mut after = None;
                while self.node_has_room()
                    && self.staff.any_open()
                    && let Some((place, class)) = self.line.next_head(after)
                {
                    self.serve_head(now, class, place, out);
                    after = Some(place);
                }
            }
        }
        self.changed = Changed::Nothing;
    }

    fn serve_head(&mut self, now: Time, class: ClassId, place: Place, out: &mut Outbox<Output>) {
        if self.could_ring(class)
            && let Some(agent) = self.candidate(class)
        {
            self.offer(now, place.call, agent, out);
        }
    }

    /// Whether limits and agents allow one more call of this class to ring.
    pub(crate) fn could_ring(&self, class: ClassId) -> bool {
        let class = self.line.class(class);
        self.could_ring_for(class.queue, &class.eligible)
    }

    pub(crate) fn could_ring_for(&self, queue: QueueId, eligible: &Eligible) -> bool {
        let limit = self.roster.queues[queue.0 as usize].limit;
        self.node_has_room()
            && limit.is_none_or(|limit| self.queues[queue.0 as usize].calls < limit)
            && self.staff.has_candidate(&self.agents, eligible)
    }

    fn candidate(&self, class: ClassId) -> Option<AgentId> {
        let class = self.line.class(class);
        let queue = class.queue.0 as usize;
        let order = self.roster.queues[queue].order;
        self.staff.choose(&self.agents, &class.eligible, order, self.queues[queue].last)
    }

    pub(crate) fn node_has_room(&self) -> bool {
        self.roster.node_limit.is_none_or(|limit| self.node_calls < limit)
    }

    pub(crate) fn pool_has_room(&self, pool: PoolId) -> bool {
        let limit = self.roster.pools.get(pool.0 as usize).and_then(|p| p.limit);
        limit.is_none_or(|limit| self.pool_calls.get(pool.0 as usize).is_none_or(|&calls| calls < limit))
    }
}
