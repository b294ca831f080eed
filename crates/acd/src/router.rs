use crate::agents::{AgentRow, Presence, WrapUp};
use crate::estimate::Handling;
use crate::line::{ClassId, Line, Place};
use crate::serve::Changed;
use crate::staff::{Eligible, Staff};
use crate::{AgentState, Input, NotQueued, Output, Requirement, Roster, Withdrawn};
use hotline_core::{
    AgentId, CallId, Deadline, Machine, OfferId, Outbox, PoolId, QueueId, Severity, Time, TimerQueue,
};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A timer of less would fire in the step that arms it, and two machines would chase each other.
const TIMER_MIN: Duration = Duration::from_secs(1);

/// The matcher: waiting calls, agents, offers. See the crate's invariant.
///
/// ```text
///                 CallQueued                 serve               OfferAnswered
///   (elsewhere) -------------> waiting --------------> ringing ----------------> talking
///                                 ^                       |
///                                 +--- missed, withdrawn -+        CallEnded from everywhere
/// ```
/// A call that rings keeps its place in the line; when the offer fails it waits there again.
#[derive(Debug)]
pub struct Router {
    pub(crate) roster: Arc<Roster>,
    pub(crate) agents: Vec<AgentRow>,
    pub(crate) staff: Staff,
    pub(crate) line: Line,
    pub(crate) calls: FxHashMap<CallId, Call>,
    /// Ringing and answered ones; by id, so that they can be walked in order.
    pub(crate) offers: BTreeMap<OfferId, Offer>,
    pub(crate) offers_made: u64,
    pub(crate) timers: TimerQueue<Timer>,
    pub(crate) queues: Vec<QueueRow>,
    /// Offers, ringing and answered, that count against each pool's and the node's limit.
    pub(crate) pool_calls: Vec<u32>,
    pub(crate) node_calls: u32,
    /// As they were when the limits changed last.
    pub(crate) pools_at_reload: Vec<u32>,
    pub(crate) node_at_reload: u32,
    /// What could make a waiting call's candidate since the last matching.
    pub(crate) changed: Changed,
}

/// In the line (`ticket`), at an agent (`offer` answered), or both (`offer` ringing).
#[derive(Debug)]
pub(crate) struct Call {
    pub ticket: Option<Ticket>,
    pub offer: Option<OfferId>,
    /// Kept by a first answer, or missed and told.
    pub promise_settled: bool,
}

#[derive(Debug)]
pub(crate) struct Ticket {
    pub queue: QueueId,
    pub require: Option<Requirement>,
    pub class: ClassId,
    pub place: Place,
    pub severity: Severity,
    pub arrived: Time,
    pub promise: Time,
}

#[derive(Debug)]
pub(crate) struct Offer {
    pub call: CallId,
    pub agent: AgentId,
    /// None: a direct call.
    pub queue: Option<QueueId>,
    pub made: Time,
    pub answered: Option<Time>,
}

#[derive(Debug)]
pub(crate) struct QueueRow {
    /// Who may serve it, whatever the call requires.
    pub eligible: Eligible,
    /// Offers, ringing and answered.
    pub calls: u32,
    /// Of these, ringing.
    pub ringing: u32,
    /// `calls` when the limit changed last.
    pub at_reload: u32,
    /// Calls in the line, those that ring included.
    pub in_line: u32,
    /// Whom it rang last.
    pub last: Option<AgentId>,
    pub count: Counts,
    pub handling: Handling,
}

impl QueueRow {
    pub fn new(eligible: Eligible) -> QueueRow {
        QueueRow {
            eligible,
            calls: 0,
            ringing: 0,
            at_reload: 0,
            in_line: 0,
            last: None,
            count: Counts::default(),
            handling: Handling::default(),
        }
    }
}

/// Since the start.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Counts {
    pub queued: u64,
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub promises_missed: u64,
    pub missed: u64,
    pub refused_full: u64,
    pub refused_no_agents: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Timer {
    Ring(OfferId),
    Rest(AgentId),
    WrapUp(AgentId, OfferId),
    Promise(CallId),
}

#[derive(Clone, Copy)]
enum Miss {
    RangOut,
    Refused,
    Unreachable,
}

impl Miss {
    fn as_str(self) -> &'static str {
        match self {
            Miss::RangOut => "did not answer",
            Miss::Refused => "refused",
            Miss::Unreachable => "phone cannot be reached",
        }
    }
}

impl Router {
    /// All agents signed out, no calls.
    pub fn new(roster: Arc<Roster>) -> Router {
        let (mut staff, group_of) = Staff::new(&roster);
        let agents =
            roster.agents.iter().zip(group_of).map(|(a, group)| AgentRow::new(group, a.capacity)).collect();
        let queues = (0u32..)
            .zip(&roster.queues)
            .map(|(i, _)| QueueRow::new(staff.eligible(&roster, QueueId(i), None)))
            .collect();
        for (i, pool) in (0u32..).zip(&roster.pools) {
            staff.close_pool(PoolId(i), pool.limit == Some(0));
        }
        Router {
            agents,
            staff,
            line: Line::default(),
            calls: FxHashMap::default(),
            offers: BTreeMap::new(),
            offers_made: 0,
            timers: TimerQueue::new(),
            queues,
            pool_calls: vec![0; roster.pools.len()],
            node_calls: 0,
            pools_at_reload: vec![0; roster.pools.len()],
            node_at_reload: 0,
            changed: Changed::Nothing,
            roster,
        }
    }

    pub fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        match input {
            Input::AgentReady { agent } => self.agent_ready(now, agent, out),
            Input::AgentPaused { agent, reason } => self.agent_paused(now, agent, reason, out),
            Input::AgentOffline { agent } => self.agent_offline(now, agent, out),
            Input::CallQueued { call, queue, require, severity, arrived, number: _ } => {
                self.call_queued(now, call, queue, require, severity, arrived, out);
            }
            Input::CallEnded { call } => self.call_ended(now, call, out),
            Input::OfferAnswered { offer } => self.offer_answered(now, offer, out),
            Input::OfferRefused { offer } => self.offer_missed(now, offer, Miss::Refused, out),
            Input::OfferUnreachable { offer } => self.offer_missed(now, offer, Miss::Unreachable, out),
            Input::OfferRangOut { offer } => self.offer_missed(now, offer, Miss::RangOut, out),
            Input::Direct { call, agent } => self.direct(now, call, agent, out),
        }
        self.serve(now, out);
    }

    pub fn deadline(&self) -> Option<Deadline> {
        self.timers.deadline()
    }

    /// All that is due happens first; then the line is served once.
    pub fn wake(&mut self, now: Time, out: &mut Outbox<Output>) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Ring(offer) => self.offer_missed(now, offer, Miss::RangOut, out),
                Timer::Rest(agent) => self.rest_over(now, agent, out),
                Timer::WrapUp(agent, offer) => self.wrap_up_over(now, agent, offer, out),
                Timer::Promise(call) => self.promise_passed(call, out),
            }
        }
        self.serve(now, out);
    }

    pub fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    // Agents.

    fn agent_ready(&mut self, now: Time, agent: AgentId, out: &mut Outbox<Output>) {
        let Some(row) = self.agents.get_mut(agent.0 as usize) else { return };
        if !row.signed_in() {
            row.idle_since = now;
        }
        row.presence = Presence::SignedIn;
        row.misses = 0;
        self.end_rest_and_wrap_up(now, agent);
        self.settle(now, agent, None, out);
    }

    fn agent_paused(&mut self, now: Time, agent: AgentId, reason: String, out: &mut Outbox<Output>) {
        let Some(row) = self.agents.get_mut(agent.0 as usize) else { return };
        if !row.signed_in() {
            row.idle_since = now;
        }
        row.presence = Presence::Paused { reason: reason.clone() };
        row.rest = None;
        self.timers.cancel(&Timer::Rest(agent));
        self.withdraw_all(now, agent, Withdrawn::AgentPaused, out);
        self.settle(now, agent, Some(reason), out);
    }

    fn agent_offline(&mut self, now: Time, agent: AgentId, out: &mut Outbox<Output>) {
        let Some(row) = self.agents.get_mut(agent.0 as usize) else { return };
        row.presence = Presence::Offline;
        row.misses = 0;
        self.end_rest_and_wrap_up(now, agent);
        self.withdraw_all(now, agent, Withdrawn::AgentGone, out);
        self.settle(now, agent, None, out);
    }

    fn end_rest_and_wrap_up(&mut self, now: Time, agent: AgentId) {
        let row = &mut self.agents[agent.0 as usize];
        if row.rest.take().is_some() {
            self.timers.cancel(&Timer::Rest(agent));
        }
        for wrap_up in std::mem::take(&mut row.wrap_ups) {
            row.occupied.book(now, now.since(wrap_up.since));
            self.queues[wrap_up.queue.0 as usize].handling.book(wrap_up.talked + now.since(wrap_up.since));
            self.timers.cancel(&Timer::WrapUp(agent, wrap_up.offer));
        }
    }

    fn rest_over(&mut self, now: Time, agent: AgentId, out: &mut Outbox<Output>) {
        self.agents[agent.0 as usize].rest = None;
        self.settle(now, agent, None, out);
    }

    fn wrap_up_over(&mut self, now: Time, agent: AgentId, offer: OfferId, out: &mut Outbox<Output>) {
        let row = &mut self.agents[agent.0 as usize];
        if let Some(i) = row.wrap_ups.iter().position(|w| w.offer == offer) {
            let wrap_up = row.wrap_ups.remove(i);
            row.occupied.book(now, now.since(wrap_up.since));
            self.queues[wrap_up.queue.0 as usize].handling.book(wrap_up.talked + now.since(wrap_up.since));
        }
        self.settle(now, agent, None, out);
    }

    /// Ends every change of an agent: his place among the candidates, and the news of his state.
    pub(crate) fn settle(
        &mut self,
        now: Time,
        agent: AgentId,
        why: Option<String>,
        out: &mut Outbox<Output>,
    ) {
        let row = &mut self.agents[agent.0 as usize];
        self.staff.place(agent, row);
        if row.is_open() {
            self.changed = Changed::Capacity;
        }
        let state = row.state();
        if state != row.shown {
            row.shown = state.clone();
            row.since = now;
            out.push(Output::AgentState { agent, state, why });
        }
    }

    // Calls.

    #[expect(clippy::too_many_arguments, reason = "the fields of Input::CallQueued")]
    fn call_queued(
        &mut self,
        now: Time,
        call: CallId,
        queue: QueueId,
        require: Option<Requirement>,
        severity: Severity,
        arrived: Time,
        out: &mut Outbox<Output>,
    ) {
        let Some(rules) = self.roster.queues.get(queue.0 as usize) else {
            self.leave(now, call, out);
            return out.push(Output::NotQueued { call, why: NotQueued::NoAgents });
        };
        let place = Place::new(rules, severity, arrived, call);
        let promise = arrived + rules.promise[severity as usize];
        let length_max = rules.length_max;
        if let Some(old) = self.calls.get(&call).and_then(|c| c.ticket.as_ref())
            && (old.queue, &old.require, old.place) == (queue, &require, place)
        {
            return;
        }
        let promise_settled = self.calls.get(&call).is_some_and(|c| c.promise_settled);
        self.leave(now, call, out);
        let (staff, roster) = (&self.staff, &self.roster);
        let class = self.line.classify(queue, require.clone(), |r| staff.eligible(roster, queue, r));
        let staffed = self.staff.is_staffed(&self.agents, &self.line.class(class).eligible);
        let could_ring = self.could_ring(class);
        let row = &mut self.queues[queue.0 as usize];
        if !staffed {
            row.count.refused_no_agents += 1;
            return out.push(Output::NotQueued { call, why: NotQueued::NoAgents });
        }
        if row.in_line - row.ringing >= length_max && !could_ring {
            row.count.refused_full += 1;
            return out.push(Output::NotQueued { call, why: NotQueued::Full });
        }
        row.in_line += 1;
        row.count.queued += 1;
        self.line.enter(class, place);
        let ticket = Ticket { queue, require, class, place, severity, arrived, promise };
        self.calls.insert(call, Call { ticket: Some(ticket), offer: None, promise_settled });
        if !promise_settled {
            if promise > now {
                self.timers.set(Timer::Promise(call), promise, "promise");
            } else {
                self.promise_passed(call, out);
            }
        }
        self.changed.arrival(class, place);
    }

    fn call_ended(&mut self, now: Time, call: CallId, out: &mut Outbox<Output>) {
        self.leave(now, call, out);
    }

    /// Out of the line and away from its agent: the call is not known any more.
    fn leave(&mut self, now: Time, call: CallId, out: &mut Outbox<Output>) {
        let Some(row) = self.calls.remove(&call) else { return };
        self.timers.cancel(&Timer::Promise(call));
        if let Some(ticket) = row.ticket {
            self.line.leave(ticket.class, ticket.place);
            let queue = &mut self.queues[ticket.queue.0 as usize];
            queue.in_line -= 1;
            queue.count.abandoned += 1;
        }
        let Some((id, offer)) = row.offer.and_then(|id| Some((id, self.release(now, id)?))) else { return };
        if offer.answered.is_none() {
            out.push(Output::Withdraw { offer: id, call, agent: offer.agent, why: Withdrawn::CallerGone });
        }
        self.settle(now, offer.agent, None, out);
    }

    pub(crate) fn promise_passed(&mut self, call: CallId, out: &mut Outbox<Output>) {
        let Some(row) = self.calls.get_mut(&call) else { return };
        let Some(ticket) = &row.ticket else { return };
        row.promise_settled = true;
        self.queues[ticket.queue.0 as usize].count.promises_missed += 1;
        out.push(Output::PromiseMissed { call, queue: ticket.queue, severity: ticket.severity });
    }

    // Offers.

    fn direct(&mut self, now: Time, call: CallId, agent: AgentId, out: &mut Outbox<Output>) {
        if let Some(id) = self.calls.get(&call).and_then(|c| c.offer)
            && let Some(offer) = self.offers.get(&id)
            && (offer.agent, offer.queue, offer.answered) == (agent, None, None)
        {
            return out.push(Output::Direct { call, agent, offer: Some(id), busy: false });
        }
        self.leave(now, call, out);
        let open = self.agents.get(agent.0 as usize).is_some_and(AgentRow::is_open);
        if !open || !self.node_has_room() || !self.pool_has_room(self.roster.agents[agent.0 as usize].pool) {
            return out.push(Output::Direct { call, agent, offer: None, busy: true });
        }
        let offer = self.reserve(now, call, agent, None);
        self.calls.insert(call, Call { ticket: None, offer: Some(offer), promise_settled: false });
        out.push(Output::Direct { call, agent, offer: Some(offer), busy: false });
        self.settle(now, agent, None, out);
    }

    /// Offers this call of the line to this agent, who is a candidate.
    pub(crate) fn offer(&mut self, now: Time, call: CallId, agent: AgentId, out: &mut Outbox<Output>) {
        let Some(ticket) = self.calls.get(&call).and_then(|c| c.ticket.as_ref()) else { return };
        let queue = ticket.queue;
        self.line.ring(ticket.class, ticket.place);
        let offer = self.reserve(now, call, agent, Some(queue));
        if let Some(row) = self.calls.get_mut(&call) {
            row.offer = Some(offer);
        }
        let ring = self.roster.queues[queue.0 as usize].ring.max(TIMER_MIN);
        self.timers.set(Timer::Ring(offer), now + ring, "ring time");
        let row = &mut self.queues[queue.0 as usize];
        row.last = Some(agent);
        row.count.offered += 1;
        out.push(Output::Offer { offer, call, agent, queue: Some(queue), ring });
        self.settle(now, agent, None, out);
    }

    /// Takes a slot of the agent, his pool, the queue and the node.
    fn reserve(&mut self, now: Time, call: CallId, agent: AgentId, queue: Option<QueueId>) -> OfferId {
        self.offers_made += 1;
        let id = OfferId(self.offers_made);
        self.offers.insert(id, Offer { call, agent, queue, made: now, answered: None });
        self.agents[agent.0 as usize].offers.push(id);
        if let Some(queue) = queue {
            let row = &mut self.queues[queue.0 as usize];
            row.calls += 1;
            row.ringing += 1;
        }
        self.node_calls += 1;
        self.pool_count(agent, |n| *n += 1);
        id
    }

    /// Gives the slots back; an answered offer leads to wrap-up, which keeps the agent's. The caller
    /// settles the agent, and sees to the call.
    fn release(&mut self, now: Time, id: OfferId) -> Option<Offer> {
        let offer = self.offers.remove(&id)?;
        self.timers.cancel(&Timer::Ring(id));
        self.node_calls -= 1;
        self.pool_count(offer.agent, |n| *n -= 1);
        if let Some(queue) = offer.queue {
            let row = &mut self.queues[queue.0 as usize];
            row.calls -= 1;
            row.ringing -= u32::from(offer.answered.is_none());
        }
        let row = &mut self.agents[offer.agent.0 as usize];
        row.offers.retain(|&o| o != id);
        if let Some(answered) = offer.answered {
            row.talking -= 1;
            row.idle_since = now;
            let talked = now.since(answered);
            row.occupied.book(now, talked);
            if let Some(queue) = offer.queue {
                let wrap_up = self.roster.queues[queue.0 as usize].wrap_up;
                if !wrap_up.is_zero() && row.signed_in() {
                    let until = now + wrap_up;
                    row.wrap_ups.push(WrapUp { offer: id, queue, talked, since: now, until });
                    self.timers.set(Timer::WrapUp(offer.agent, id), until, "wrap-up");
                } else {
                    self.queues[queue.0 as usize].handling.book(talked);
                }
            }
        }
        self.changed = Changed::Capacity;
        Some(offer)
    }

    fn pool_count(&mut self, agent: AgentId, change: impl FnOnce(&mut u32)) {
        let pool = self.roster.agents[agent.0 as usize].pool;
        let Some(count) = self.pool_calls.get_mut(pool.0 as usize) else { return };
        let had_room = self.roster.pools[pool.0 as usize].limit.is_none_or(|limit| *count < limit);
        change(count);
        let has_room = self.pool_has_room(pool);
        if had_room != has_room {
            self.staff.close_pool(pool, !has_room);
        }
    }

    /// The offer is over; its call waits again in its old place. False: a direct call, gone.
    fn take_back(&mut self, now: Time, id: OfferId) -> Option<Offer> {
        let offer = self.release(now, id)?;
        if let Some(call) = self.calls.get_mut(&offer.call) {
            call.offer = None;
            match &call.ticket {
                Some(ticket) => self.line.wait(ticket.class, ticket.place),
                None => {
                    self.calls.remove(&offer.call);
                }
            }
        }
        Some(offer)
    }

    fn withdraw_all(&mut self, now: Time, agent: AgentId, why: Withdrawn, out: &mut Outbox<Output>) {
        for id in self.agents[agent.0 as usize].offers.clone() {
            if self.is_ringing(id)
                && let Some(offer) = self.take_back(now, id)
            {
                out.push(Output::Withdraw { offer: id, call: offer.call, agent, why });
            }
        }
    }

    fn is_ringing(&self, id: OfferId) -> bool {
        self.offers.get(&id).is_some_and(|o| o.answered.is_none())
    }

    fn offer_answered(&mut self, now: Time, id: OfferId, out: &mut Outbox<Output>) {
        let Some(offer) = self.offers.get_mut(&id) else {
            if (1..=self.offers_made).contains(&id.0) {
                out.push(Output::TooLate { offer: id });
            }
            return;
        };
        if offer.answered.is_some() {
            return;
        }
        offer.answered = Some(now);
        let (call, agent, made) = (offer.call, offer.agent, offer.made);
        self.timers.cancel(&Timer::Ring(id));
        let mut waited = now.since(made);
        if let Some(row) = self.calls.get_mut(&call)
            && let Some(ticket) = row.ticket.take()
        {
            row.promise_settled = true;
            waited = now.since(ticket.arrived);
            self.timers.cancel(&Timer::Promise(call));
            self.line.leave(ticket.class, ticket.place);
            let queue = &mut self.queues[ticket.queue.0 as usize];
            queue.in_line -= 1;
            queue.ringing -= 1;
            queue.count.answered += 1;
        }
        let row = &mut self.agents[agent.0 as usize];
        row.talking += 1;
        row.misses = 0;
        out.push(Output::Connect { offer: id, call, agent, waited });
        self.settle(now, agent, None, out);
    }

    /// Only while it rings: the call goes back to its place; the agent rests, or is paused and whatever
    /// else rings at his phone is withdrawn.
    fn offer_missed(&mut self, now: Time, id: OfferId, miss: Miss, out: &mut Outbox<Output>) {
        if !self.is_ringing(id) {
            return;
        }
        let Some(offer) = self.take_back(now, id) else { return };
        let agent = offer.agent;
        if let Some(queue) = offer.queue {
            self.queues[queue.0 as usize].count.missed += 1;
        }
        if let Miss::RangOut = miss {
            out.push(Output::Withdraw { offer: id, call: offer.call, agent, why: Withdrawn::RangOut });
        }
        let rules = &self.roster.agents[agent.0 as usize];
        let row = &mut self.agents[agent.0 as usize];
        row.misses = row.misses.saturating_add(1);
        if rules.misses_max > 0 && row.misses >= rules.misses_max {
            let reason = match std::mem::take(&mut row.misses) {
                1 => miss.as_str().to_owned(),
                n => format!("missed {n} calls in a row, at last: {}", miss.as_str()),
            };
            return self.agent_paused(now, agent, reason, out);
        }
        let until = now + rules.rest.max(TIMER_MIN);
        row.rest = Some(until);
        self.timers.set(Timer::Rest(agent), until, "rest after a missed call");
        self.settle(now, agent, Some(miss.as_str().to_owned()), out);
    }

    /// The state last told by `Output::AgentState`; an agent nobody knows is offline.
    pub fn agent_state(&self, agent: AgentId) -> AgentState {
        self.agents.get(agent.0 as usize).map_or(AgentState::Offline, |row| row.shown.clone())
    }
}

impl Machine for Router {
    type Input = Input;
    type Output = Output;
    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        Router::handle(self, now, input, out);
    }
    fn deadline(&self) -> Option<Deadline> {
        Router::deadline(self)
    }
    fn wake(&mut self, now: Time, out: &mut Outbox<Output>) {
        Router::wake(self, now, out);
    }
}
