//! A small installation and a router in virtual time.
#![allow(dead_code)]
pub mod model;
pub mod observer;
pub mod random;

use hotline_acd::*;
use hotline_core::*;
use std::sync::Arc;
use std::time::Duration;

pub const S: Duration = Duration::from_secs(1);

pub fn at(s: u64) -> Time {
    Time::from_secs(s)
}

pub fn pool(name: &str, rank: u8) -> Pool {
    Pool { name: name.into(), rank, limit: None }
}

/// Rings 20 s, no wrap-up, longest idle, promises of 5, 15, 30 and 60 minutes.
pub fn queue(name: &str) -> Queue {
    Queue {
        name: name.into(),
        pools: vec![],
        require: None,
        order: AgentOrder::LongestIdle,
        limit: None,
        length_max: 100,
        ring: S * 20,
        wrap_up: Duration::ZERO,
        promise: [S * 300, S * 900, S * 1800, S * 3600],
    }
}

/// One call at a time, rests 10 s, paused after 3 misses.
pub fn agent(name: &str, pool: u32, skills: &[(&str, u8)]) -> Agent {
    Agent {
        name: name.into(),
        pool: PoolId(pool),
        skills: skills.iter().map(|&(s, level)| (Arc::from(s), level)).collect(),
        capacity: 1,
        rest: S * 10,
        misses_max: 3,
    }
}

/// alice (L1, Cantonese), bob (L1, Mandarin), carol (L3, both, databases); queues `support` and `sales`.
pub fn roster() -> Roster {
    Roster {
        pools: vec![pool("L1", 1), pool("L2", 2), pool("L3", 3)],
        queues: vec![queue("support"), queue("sales")],
        agents: vec![
            agent("alice", 0, &[("lang.yue", 4), ("team.trial", 1)]),
            agent("bob", 0, &[("lang.cmn", 3)]),
            agent("carol", 2, &[("lang.cmn", 5), ("lang.yue", 2), ("product.database", 3)]),
        ],
        node_limit: None,
    }
}

pub const ALICE: AgentId = AgentId(0);
pub const BOB: AgentId = AgentId(1);
pub const CAROL: AgentId = AgentId(2);
pub const SUPPORT: QueueId = QueueId(0);
pub const SALES: QueueId = QueueId(1);

/// A router that is checked after every step.
pub struct Desk {
    pub router: Router,
    pub now: Time,
}

impl Desk {
    pub fn new(roster: Roster) -> Desk {
        Desk { router: Router::new(Arc::new(roster)), now: Time::ZERO }
    }

    /// With these agents ready at 0, 1, 2 ... seconds.
    pub fn staffed(roster: Roster, ready: &[AgentId]) -> Desk {
        let mut desk = Desk::new(roster);
        for &agent in ready {
            desk.ready(agent);
            desk.now += S;
        }
        desk
    }

    pub fn put(&mut self, input: Input) -> Vec<Output> {
        let mut out = Outbox::new();
        self.router.handle(self.now, input, &mut out);
        self.router.check();
        out.take()
    }

    pub fn ready(&mut self, agent: AgentId) -> Vec<Output> {
        self.put(Input::AgentReady { agent })
    }

    pub fn pause(&mut self, agent: AgentId, reason: &str) -> Vec<Output> {
        self.put(Input::AgentPaused { agent, reason: reason.into() })
    }

    pub fn end(&mut self, call: u64) -> Vec<Output> {
        self.put(Input::CallEnded { call: CallId(call) })
    }

    pub fn answer(&mut self, offer: u64) -> Vec<Output> {
        self.put(Input::OfferAnswered { offer: OfferId(offer) })
    }

    pub fn refuse(&mut self, offer: u64) -> Vec<Output> {
        self.put(Input::OfferRefused { offer: OfferId(offer) })
    }

    /// A P3 call that arrives now at `support`.
    pub fn queue(&mut self, call: u64, require: &str) -> Vec<Output> {
        self.queue_at(call, SUPPORT, require, Severity::P3, self.now)
    }

    pub fn queue_at(
        &mut self,
        call: u64,
        queue: QueueId,
        require: &str,
        severity: Severity,
        arrived: Time,
    ) -> Vec<Output> {
        let require = (!require.is_empty())
            .then(|| Requirement::parse(require, self.router.roster()).expect("a good requirement"));
        self.put(Input::CallQueued {
            call: CallId(call),
            queue,
            require,
            severity,
            arrived,
            number: "100".into(),
        })
    }

    pub fn wake(&mut self) -> Vec<Output> {
        let mut out = Outbox::new();
        self.router.wake(self.now, &mut out);
        self.router.check();
        assert!(self.router.deadline().is_none_or(|d| d.at > self.now), "woken, and due again at once");
        out.take()
    }

    /// Wakes the router at each of its deadlines until `s` seconds.
    pub fn until(&mut self, s: u64) -> Vec<Output> {
        let mut all = Vec::new();
        while let Some(deadline) = self.router.deadline().filter(|d| d.at <= at(s)) {
            self.now = self.now.max(deadline.at);
            all.extend(self.wake());
        }
        self.now = at(s);
        all
    }

    pub fn line(&self) -> Vec<u64> {
        self.router.waiting().iter().map(|w| w.call.0).collect()
    }
}

/// What matters of the outputs, in words.
pub fn told(outputs: &[Output]) -> Vec<String> {
    let words = |o: &Output| match o {
        Output::Offer { offer, call, agent, .. } => format!("{offer} {call} {agent}"),
        Output::Withdraw { offer, why, .. } => format!("withdraw {offer} {why:?}"),
        Output::Connect { offer, waited, .. } => format!("connect {offer} after {}s", waited.as_secs()),
        Output::TooLate { offer } => format!("too late {offer}"),
        Output::Direct { offer, busy, .. } => format!("direct {offer:?} {busy}"),
        Output::AgentState { agent, state, why: None } => format!("{agent} {state:?}"),
        Output::AgentState { agent, state, why: Some(why) } => format!("{agent} {state:?}: {why}"),
        Output::NotQueued { call, why } => format!("not queued {call} {why:?}"),
        Output::PromiseMissed { call, severity, .. } => format!("missed {call} {severity}"),
    };
    outputs.iter().map(words).collect()
}

impl Desk {
    /// Goes on with this installation.
    pub fn reload(&mut self, next: &Roster) -> Vec<Output> {
        let mut out = Outbox::new();
        let renewed = Arc::new(self.router.roster().renewed(&[next]));
        self.router.reload(self.now, renewed, &mut out);
        self.router.check();
        out.take()
    }
}
