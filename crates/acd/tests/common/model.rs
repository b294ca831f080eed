//! The router told slowly and obviously: lists, and every question asked of everybody.
use hotline_acd::*;
use hotline_core::*;
use std::time::Duration;

pub struct Model {
    roster: Roster,
    agents: Vec<Worker>,
    calls: Vec<Caller>,
    /// Ringing and answered.
    pub offers: Vec<Ring>,
    pub offers_made: u64,
    last: Vec<Option<u32>>,
}

struct Worker {
    presence: Presence,
    rest: Option<Time>,
    wrap_ups: Vec<(Time, Time)>,
    misses: u32,
    idle_since: Time,
    /// When and how long.
    handled: Vec<(Time, Duration)>,
}

#[derive(Clone, PartialEq)]
enum Presence {
    Offline,
    Paused(String),
    SignedIn,
}

struct Caller {
    call: CallId,
    /// None: has an agent.
    ticket: Option<Ticket>,
    settled: bool,
}

#[derive(Clone, PartialEq)]
struct Ticket {
    queue: QueueId,
    require: Option<Requirement>,
    severity: Severity,
    arrived: Time,
}

pub struct Ring {
    pub id: OfferId,
    pub call: CallId,
    pub agent: AgentId,
    queue: Option<QueueId>,
    made: Time,
    until: Option<Time>,
    answered: Option<Time>,
}

impl Model {
    pub fn new(roster: Roster) -> Model {
        let worker = || Worker {
            presence: Presence::Offline,
            rest: None,
            wrap_ups: vec![],
            misses: 0,
            idle_since: Time::ZERO,
            handled: vec![],
        };
        Model {
            agents: roster.agents.iter().map(|_| worker()).collect(),
            last: vec![None; roster.queues.len()],
            calls: vec![],
            offers: vec![],
            offers_made: 0,
            roster,
        }
    }

    /// All outputs but `AgentState`.
    pub fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        let mut out = vec![];
        match input {
            Input::AgentReady { agent } => {
                self.end_wrap_ups(now, agent);
                let w = &mut self.agents[agent.0 as usize];
                if w.presence == Presence::Offline {
                    w.idle_since = now;
                }
                (w.presence, w.rest, w.misses) = (Presence::SignedIn, None, 0);
            }
            Input::AgentPaused { agent, reason } => {
                let w = &mut self.agents[agent.0 as usize];
                if w.presence == Presence::Offline {
                    w.idle_since = now;
                }
                (w.presence, w.rest) = (Presence::Paused(reason), None);
                self.withdraw(agent, Withdrawn::AgentPaused, &mut out);
            }
            Input::AgentOffline { agent } => {
                self.end_wrap_ups(now, agent);
                let w = &mut self.agents[agent.0 as usize];
                (w.presence, w.rest, w.misses) = (Presence::Offline, None, 0);
                self.withdraw(agent, Withdrawn::AgentGone, &mut out);
            }
            Input::CallQueued { call, queue, require, severity, arrived, .. } => {
                self.queued(now, call, Ticket { queue, require, severity, arrived }, &mut out);
            }
            Input::CallEnded { call } => self.ended(now, call, &mut out),
            Input::OfferAnswered { offer } => self.answered(now, offer, &mut out),
            Input::OfferRefused { offer } | Input::OfferUnreachable { offer } => {
                self.missed(now, offer, &mut out)
            }
            Input::OfferRangOut { offer } => self.rang_out(now, offer, &mut out),
            Input::Direct { call, agent } => self.direct(now, call, agent, &mut out),
        }
        self.serve(now, &mut out);
        out
    }

    pub fn wake(&mut self, now: Time) -> Vec<Output> {
        let mut out = vec![];
        let rings = self.offers.iter().filter(|o| o.answered.is_none());
        let mut due: Vec<_> =
            rings.filter(|o| o.until.is_some_and(|t| t <= now)).map(|o| (o.until, o.id)).collect();
        due.sort();
        for (_, id) in due {
            self.rang_out(now, id, &mut out);
        }
        for w in &mut self.agents {
            w.rest = w.rest.filter(|&t| t > now);
            let (over, on): (Vec<_>, Vec<_>) = w.wrap_ups.iter().partition(|(_, until)| *until <= now);
            w.wrap_ups = on;
            w.handled.extend(over.into_iter().map(|(since, _)| (now, now.since(since))));
        }
        for i in 0..self.calls.len() {
            self.tell_promise(now, i, &mut out);
        }
        self.serve(now, &mut out);
        out
    }

    pub fn state(&self, agent: AgentId) -> AgentState {
        let w = &self.agents[agent.0 as usize];
        let mine = || self.offers.iter().filter(|o| o.agent == agent);
        if mine().any(|o| o.answered.is_none()) {
            return AgentState::Offered;
        }
        if mine().next().is_some() {
            return AgentState::Talking;
        }
        if w.presence == Presence::Offline {
            return AgentState::Offline;
        }
        if let Some(until) = w.wrap_ups.iter().map(|w| w.1).max() {
            return AgentState::WrapUp { until };
        }
        match (&w.presence, w.rest) {
            (Presence::Paused(reason), _) => AgentState::Paused { reason: reason.clone() },
            (_, Some(until)) => AgentState::Resting { until },
            _ => AgentState::Ready,
        }
    }

    /// Everybody in the line as they would be served, and who rings.
    pub fn waiting(&self, now: Time) -> Vec<(CallId, Option<AgentId>)> {
        let mut all: Vec<_> = self.calls.iter().filter_map(|c| Some((c.call, c.ticket.as_ref()?))).collect();
        all.sort_by_key(|(call, t)| (self.slack(now, t), t.severity, t.arrived, *call));
        all.into_iter().map(|(call, _)| (call, self.ring_of(call).map(|o| o.agent))).collect()
    }

    /// Promise minus waited minus time to ring.
    fn slack(&self, now: Time, t: &Ticket) -> i128 {
        let q = &self.roster.queues[t.queue.0 as usize];
        let waited = now.as_nanos() as i128 - t.arrived.as_nanos() as i128;
        q.promise[t.severity as usize].as_nanos() as i128 - waited - q.ring.as_nanos() as i128
    }

    fn ring_of(&self, call: CallId) -> Option<&Ring> {
        self.offers.iter().find(|o| o.call == call)
    }

    fn serve(&mut self, now: Time, out: &mut Vec<Output>) {
        for (call, rung) in self.waiting(now) {
            let caller = self.calls.iter().find(|c| c.call == call).expect("listed");
            let ticket = caller.ticket.clone().expect("waits");
            if rung.is_some() || !self.queue_has_room(ticket.queue) {
                continue;
            }
            if let Some(agent) = self.candidate(&ticket) {
                let q = &self.roster.queues[ticket.queue.0 as usize];
                let (queue, ring) = (Some(ticket.queue), q.ring.max(Duration::from_secs(1)));
                self.last[ticket.queue.0 as usize] = Some(agent.0);
                let offer = self.ring(now, call, agent, queue, Some(now + ring));
                out.push(Output::Offer { offer, call, agent, queue, ring });
            }
        }
    }

    fn candidate(&self, ticket: &Ticket) -> Option<AgentId> {
        let order = self.roster.queues[ticket.queue.0 as usize].order;
        let last = self.last[ticket.queue.0 as usize];
        let all = self.roster.candidates(ticket.queue, ticket.require.as_ref());
        all.into_iter().filter(|&a| self.is_free(a)).min_by_key(|&a| {
            let (w, who) = (&self.agents[a.0 as usize], &self.roster.agents[a.0 as usize]);
            let busy = u128::from(self.load(a) > 0);
            let idle = u128::from(w.idle_since.as_nanos());
            let skills: Vec<u128> = who.skills.values().filter(|l| **l > 0).map(|l| u128::from(*l)).collect();
            let handled = w.handled.iter().map(|(at, d)| d.as_nanos() << (at.as_secs() / 3600)).sum();
            match order {
                AgentOrder::LongestIdle => [busy, idle, 0, 0, u128::from(a.0)],
                AgentOrder::LeastOccupied => {
                    let part = u128::from(self.load(a)) * 1000 / u128::from(who.capacity);
                    [part, handled, 0, 0, u128::from(a.0)]
                }
                AgentOrder::BestFit => {
                    [busy, skills.len() as u128, skills.iter().sum(), idle, u128::from(a.0)]
                }
                AgentOrder::RoundRobin => {
                    [u128::from(last.is_some_and(|l| a.0 <= l)), 0, 0, 0, u128::from(a.0)]
                }
            }
        })
    }

    fn load(&self, a: AgentId) -> u32 {
        (self.offers.iter().filter(|o| o.agent == a).count() + self.agents[a.0 as usize].wrap_ups.len())
            as u32
    }

    fn is_free(&self, a: AgentId) -> bool {
        let (w, who) = (&self.agents[a.0 as usize], &self.roster.agents[a.0 as usize]);
        let with_pool =
            self.offers.iter().filter(|o| self.roster.agents[o.agent.0 as usize].pool == who.pool).count();
        w.presence == Presence::SignedIn
            && w.rest.is_none()
            && self.load(a) < who.capacity
            && self.roster.pools[who.pool.0 as usize].limit.is_none_or(|l| (with_pool as u32) < l)
            && self.roster.node_limit.is_none_or(|l| (self.offers.len() as u32) < l)
    }

    fn queue_has_room(&self, queue: QueueId) -> bool {
        let calls = self.offers.iter().filter(|o| o.queue == Some(queue)).count();
        self.roster.queues[queue.0 as usize].limit.is_none_or(|l| (calls as u32) < l)
    }

    fn ring(
        &mut self,
        now: Time,
        call: CallId,
        agent: AgentId,
        queue: Option<QueueId>,
        until: Option<Time>,
    ) -> OfferId {
        self.offers_made += 1;
        let id = OfferId(self.offers_made);
        self.offers.push(Ring { id, call, agent, queue, made: now, until, answered: None });
        id
    }

    fn queued(&mut self, now: Time, call: CallId, ticket: Ticket, out: &mut Vec<Output>) {
        if self.calls.iter().any(|c| c.call == call && c.ticket.as_ref() == Some(&ticket)) {
            return;
        }
        let settled = self.calls.iter().any(|c| c.call == call && c.settled);
        self.ended(now, call, out);
        let able = self.roster.candidates(ticket.queue, ticket.require.as_ref());
        let here = |a: &AgentId| {
            self.agents[a.0 as usize].presence != Presence::Offline
                && self.roster.agents[a.0 as usize].capacity > 0
        };
        if !able.iter().any(here) {
            return out.push(Output::NotQueued { call, why: NotQueued::NoAgents });
        }
        let in_line = |c: &&Caller| c.ticket.as_ref().is_some_and(|t| t.queue == ticket.queue);
        let quiet = self.calls.iter().filter(in_line).filter(|c| self.ring_of(c.call).is_none()).count();
        let length_max = self.roster.queues[ticket.queue.0 as usize].length_max;
        let served_now = self.queue_has_room(ticket.queue) && self.candidate(&ticket).is_some();
        if quiet as u32 >= length_max && !served_now {
            return out.push(Output::NotQueued { call, why: NotQueued::Full });
        }
        self.calls.push(Caller { call, ticket: Some(ticket), settled });
        self.tell_promise(now, self.calls.len() - 1, out);
    }

    fn tell_promise(&mut self, now: Time, i: usize, out: &mut Vec<Output>) {
        let caller = &mut self.calls[i];
        let Some(t) = &caller.ticket else { return };
        let promise = self.roster.queues[t.queue.0 as usize].promise[t.severity as usize];
        if !caller.settled && t.arrived + promise <= now {
            caller.settled = true;
            out.push(Output::PromiseMissed { call: caller.call, queue: t.queue, severity: t.severity });
        }
    }

    fn ended(&mut self, now: Time, call: CallId, out: &mut Vec<Output>) {
        self.calls.retain(|c| c.call != call);
        if let Some(i) = self.offers.iter().position(|o| o.call == call) {
            let ring = self.offers.remove(i);
            match ring.answered {
                None => out.push(Output::Withdraw {
                    offer: ring.id,
                    call,
                    agent: ring.agent,
                    why: Withdrawn::CallerGone,
                }),
                Some(since) => {
                    let w = &mut self.agents[ring.agent.0 as usize];
                    w.idle_since = now;
                    w.handled.push((now, now.since(since)));
                    let wrap_up =
                        ring.queue.map_or(Duration::ZERO, |q| self.roster.queues[q.0 as usize].wrap_up);
                    if !wrap_up.is_zero() && w.presence != Presence::Offline {
                        w.wrap_ups.push((now, now + wrap_up));
                    }
                }
            }
        }
    }

    fn answered(&mut self, now: Time, id: OfferId, out: &mut Vec<Output>) {
        let Some(ring) = self.offers.iter_mut().find(|o| o.id == id) else {
            if id.0 >= 1 && id.0 <= self.offers_made {
                out.push(Output::TooLate { offer: id });
            }
            return;
        };
        if ring.answered.is_none() {
            ring.answered = Some(now);
            self.agents[ring.agent.0 as usize].misses = 0;
            let caller = self.calls.iter_mut().find(|c| c.call == ring.call).expect("an offer has its call");
            let waited = now.since(match caller.ticket.take() {
                Some(ticket) => {
                    caller.settled = true;
                    ticket.arrived
                }
                None => ring.made,
            });
            out.push(Output::Connect { offer: id, call: ring.call, agent: ring.agent, waited });
        }
    }

    fn rang_out(&mut self, now: Time, id: OfferId, out: &mut Vec<Output>) {
        let Some(ring) = self.offers.iter().find(|o| o.id == id && o.answered.is_none()) else { return };
        let (call, agent) = (ring.call, ring.agent);
        out.push(Output::Withdraw { offer: id, call, agent, why: Withdrawn::RangOut });
        self.missed(now, id, out);
    }

    fn missed(&mut self, now: Time, id: OfferId, out: &mut Vec<Output>) {
        let Some(i) = self.offers.iter().position(|o| o.id == id && o.answered.is_none()) else { return };
        let ring = self.offers.remove(i);
        self.calls.retain(|c| c.call != ring.call || c.ticket.is_some());
        let (w, who) = (&mut self.agents[ring.agent.0 as usize], &self.roster.agents[ring.agent.0 as usize]);
        w.misses += 1;
        if who.misses_max > 0 && w.misses >= who.misses_max {
            (w.presence, w.rest, w.misses) = (Presence::Paused("misses".into()), None, 0);
            self.withdraw(ring.agent, Withdrawn::AgentPaused, out);
        } else {
            w.rest = Some(now + who.rest.max(Duration::from_secs(1)));
        }
    }

    fn withdraw(&mut self, agent: AgentId, why: Withdrawn, out: &mut Vec<Output>) {
        let (over, on): (Vec<_>, Vec<_>) =
            self.offers.drain(..).partition(|o| o.agent == agent && o.answered.is_none());
        self.offers = on;
        for ring in over {
            self.calls.retain(|c| c.call != ring.call || c.ticket.is_some());
            out.push(Output::Withdraw { offer: ring.id, call: ring.call, agent, why });
        }
    }

    fn direct(&mut self, now: Time, call: CallId, agent: AgentId, out: &mut Vec<Output>) {
        if let Some(ring) = self.ring_of(call)
            && ring.agent == agent
            && ring.queue.is_none()
            && ring.answered.is_none()
        {
            return out.push(Output::Direct { call, agent, offer: Some(ring.id), busy: false });
        }
        self.ended(now, call, out);
        let offer = self.is_free(agent).then(|| self.ring(now, call, agent, None, None));
        if offer.is_some() {
            self.calls.push(Caller { call, ticket: None, settled: false });
        }
        out.push(Output::Direct { call, agent, offer, busy: offer.is_none() });
    }

    fn end_wrap_ups(&mut self, now: Time, agent: AgentId) {
        let w = &mut self.agents[agent.0 as usize];
        w.handled.extend(w.wrap_ups.drain(..).map(|(since, _)| (now, now.since(since))));
    }
}
