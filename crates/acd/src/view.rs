//! What people and tests may see of the router.
use crate::line::{ClassId, Place};
use crate::router::Timer;
use crate::{AgentState, QueueStats, Router, WaitingView};
use hotline_core::{AgentId, CallId, PoolId, QueueId, Time};

impl Router {
    /// In the order in which they would be served; those that ring included.
    pub fn waiting(&self) -> Vec<WaitingView> {
        let ringing = self.offers.values().filter(|o| o.answered.is_none()).map(|o| o.call);
        let mut tickets: Vec<_> = self
            .line
            .waiting()
            .map(|(_, place)| place.call)
            .chain(ringing)
            .filter_map(|call| {
                let row = self.calls.get(&call)?;
                Some((row.ticket.as_ref()?, row.offer))
            })
            .collect();
        tickets.sort_unstable_by_key(|(ticket, _)| ticket.place);
        let mut positions = vec![0; self.queues.len()];
        tickets
            .into_iter()
            .map(|(ticket, offer)| {
                let position = &mut positions[ticket.queue.0 as usize];
                *position += 1;
                WaitingView {
                    call: ticket.place.call,
                    queue: ticket.queue,
                    severity: ticket.severity,
                    arrived: ticket.arrived,
                    promise: ticket.promise,
                    position: *position,
                    offered_to: offer.and_then(|o| self.offers.get(&o)).map(|o| o.agent),
                }
            })
            .collect()
    }

    /// From 1, as in `waiting`, without listing the others; None: not in the line.
    pub fn position(&self, call: CallId) -> Option<u32> {
        let ticket = self.calls.get(&call)?.ticket.as_ref()?;
        Some(
            1 + self.ringing_before(ticket.queue, ticket.place)
                + self.line.before(ticket.queue, ticket.place),
        )
    }

    /// How many of a queue's ringing calls come before this place.
    pub(crate) fn ringing_before(&self, queue: QueueId, place: Place) -> u32 {
        self.offers
            .values()
            .filter(|o| o.answered.is_none() && o.queue == Some(queue))
            .filter_map(|o| self.calls.get(&o.call)?.ticket.as_ref())
            .filter(|t| t.place < place)
            .count() as u32
    }

    /// When the agent came into the state that `agent_state` tells.
    pub fn agent_since(&self, agent: AgentId) -> Time {
        self.agents.get(agent.0 as usize).map_or(Time::ZERO, |row| row.since)
    }

    /// All zero for a queue that does not exist.
    pub fn queue_stats(&self, queue: QueueId) -> QueueStats {
        let Some(row) = self.queues.get(queue.0 as usize) else { return QueueStats::default() };
        QueueStats {
            queued: row.count.queued,
            offered: row.count.offered,
            answered: row.count.answered,
            abandoned: row.count.abandoned,
            promises_missed: row.count.promises_missed,
            missed: row.count.missed,
            refused_full: row.count.refused_full,
            refused_no_agents: row.count.refused_no_agents,
            waiting: row.in_line,
            ringing: row.ringing,
            talking: row.calls - row.ringing,
            ready: self.staff.ready(&self.agents, &row.eligible),
            signed_in: self.staff.signed_in(&self.agents, &row.eligible),
        }
    }

    /// Armed timers in the order in which they will fire: when, whose, why.
    pub fn timers(&self) -> impl Iterator<Item = (Time, String, &'static str)> {
        self.timers.iter().map(|(at, timer, why)| {
            let owner = match timer {
                Timer::Ring(offer) => offer.to_string(),
                Timer::Rest(agent) | Timer::WrapUp(agent, _) => agent.to_string(),
                Timer::Promise(call) => call.to_string(),
            };
            (at, owner, why)
        })
    }

    /// Panics if an invariant is broken (debug builds; nothing in release builds). Costs as much as
    /// there are agents, waiting calls and offers: enough for every step of a simulated day.
    pub fn check(&self) {
        if cfg!(debug_assertions) {
            self.check_agents();
            self.check_calls();
            self.check_timers();
            self.line.check();
        }
    }

    fn check_agents(&self) {
        for (id, row) in (0u32..).map(AgentId).zip(&self.agents) {
            assert!(row.load() <= row.capacity.max(row.at_reload), "{id} over his capacity");
            let own = |o| self.offers.get(o).is_some_and(|o| o.agent == id);
            assert!(row.offers.iter().all(own), "{id} holds an offer that is not his");
            let talking = row.offers.iter().filter(|o| self.offers[o].answered.is_some()).count();
            assert_eq!(talking as u32, row.talking, "{id} miscounts his calls");
            assert_eq!(row.state(), row.shown, "{id}: a change of state was not told");
            assert!(self.staff.is_placed(id, row), "{id} stands in the wrong place");
            let rings = row.offers.len() > talking;
            assert!(!rings || row.presence == crate::agents::Presence::SignedIn, "{id} rings while away");
            assert!(
                row.shown != AgentState::Ready || row.capacity == 0 || row.is_open(),
                "{id} is ready but not open"
            );
        }
    }

    fn check_calls(&self) {
        let mut queues = vec![(0, 0); self.queues.len()];
        let mut pools = vec![0; self.pool_calls.len()];
        for (id, offer) in &self.offers {
            let call = self.calls.get(&offer.call);
            assert!(
                call.is_some_and(|c| c.offer == Some(*id)),
                "{id} is for a call that knows nothing of it"
            );
            assert!(self.agents[offer.agent.0 as usize].offers.contains(id), "{id} is unknown to its agent");
            let in_line = call.is_some_and(|c| c.ticket.is_some());
            assert_eq!(
                in_line,
                offer.queue.is_some() && offer.answered.is_none(),
                "{id}: in the line or not"
            );
            let timed = self.timers.at(&Timer::Ring(*id)).is_some();
            assert_eq!(timed, in_line, "{id}: a ringing offer of a queue has a timer, no other has");
            if let Some(queue) = offer.queue {
                queues[queue.0 as usize].0 += 1;
                queues[queue.0 as usize].1 += u32::from(offer.answered.is_none());
            }
            let pool = self.roster.agents[offer.agent.0 as usize].pool;
            if let Some(calls) = pools.get_mut(pool.0 as usize) {
                *calls += 1;
            }
        }
        assert_eq!(pools, self.pool_calls, "calls by pool");
        for (i, &calls) in (0u32..).zip(&pools) {
            let limit = self.roster.pools[i as usize].limit;
            assert!(
                limit.is_none_or(|l| calls <= l.max(self.pools_at_reload[i as usize])),
                "{} over its limit",
                PoolId(i)
            );
        }
        assert_eq!(self.offers.len(), self.node_calls as usize, "calls on the node");
        assert!(
            self.roster.node_limit.is_none_or(|l| self.node_calls <= l.max(self.node_at_reload)),
            "node over its limit"
        );
        let mut in_line: Vec<u32> = queues.iter().map(|&(_, ringing)| ringing).collect();
        let mut known = self.offers.len();
        let mut unserved: Option<ClassId> = None;
        for (class, place) in self.line.waiting() {
            let call = self.calls.get(&place.call);
            let ticket = call.and_then(|c| c.ticket.as_ref());
            assert!(
                ticket.is_some_and(|t| t.class == class && t.place == place)
                    && call.is_some_and(|c| c.offer.is_none()),
                "{} waits in the wrong place",
                place.call
            );
            in_line[self.line.class(class).queue.0 as usize] += 1;
            known += 1;
            if unserved.replace(class) != Some(class) {
                assert!(!self.could_ring(class), "{} waits though it could ring", place.call);
            }
        }
        assert_eq!(self.calls.len(), known, "calls that neither wait nor have an agent");
        for (i, (row, &(calls, ringing))) in (0u32..).map(QueueId).zip(self.queues.iter().zip(&queues)) {
            assert_eq!((row.calls, row.ringing, row.in_line), (calls, ringing, in_line[i.0 as usize]), "{i}");
            let limit = self.roster.queues[i.0 as usize].limit;
            assert!(limit.is_none_or(|l| calls <= l.max(row.at_reload)), "{i} over its limit");
        }
    }

    fn check_timers(&self) {
        for (_, timer, _) in self.timers.iter() {
            let owned = match *timer {
                Timer::Ring(offer) => self.offers.get(&offer).is_some_and(|o| o.answered.is_none()),
                Timer::Rest(agent) => self.agents[agent.0 as usize].rest.is_some(),
                Timer::WrapUp(agent, offer) => {
                    self.agents[agent.0 as usize].wrap_ups.iter().any(|w| w.offer == offer)
                }
                Timer::Promise(call) => {
                    self.calls.get(&call).is_some_and(|c| c.ticket.is_some() && !c.promise_settled)
                }
            };
            assert!(owned, "{timer:?} without an owner");
        }
    }
}
