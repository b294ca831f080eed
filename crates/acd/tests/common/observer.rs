//! An onlooker who knows only what goes in and comes out, and keeps the books himself.
use super::*;
use std::collections::{BTreeMap, BTreeSet};

pub struct Observer {
    roster: Arc<Roster>,
    /// Offers that ring or talk.
    pub held: BTreeMap<OfferId, Held>,
    /// Calls in the line, ringing or not.
    pub line: BTreeMap<CallId, QueueId>,
    pub states: BTreeMap<AgentId, AgentState>,
    pub offers_seen: u64,
    missed: BTreeSet<CallId>,
    /// What was held when the limits changed last; more may never be held than that or the limit.
    at_reload: BTreeMap<OfferId, Held>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    pub call: CallId,
    pub agent: AgentId,
    pub queue: Option<QueueId>,
    pub ringing: bool,
}

impl Observer {
    pub fn new(roster: Arc<Roster>) -> Observer {
        Observer {
            roster,
            held: BTreeMap::new(),
            line: BTreeMap::new(),
            states: BTreeMap::new(),
            offers_seen: 0,
            missed: BTreeSet::new(),
            at_reload: BTreeMap::new(),
        }
    }

    /// Other limits hold from now on; what is held may be above them until it ends.
    pub fn reloaded(&mut self, roster: Arc<Roster>) {
        self.roster = roster;
        self.at_reload = self.held.clone();
    }

    /// `input` None: woken.
    pub fn see(&mut self, router: &Router, input: Option<&Input>, out: &[Output]) {
        self.input(input);
        for output in out {
            self.output(input, output);
        }
        self.limits();
        let line: BTreeMap<_, _> = router.waiting().into_iter().map(|w| (w.call, w.queue)).collect();
        assert_eq!(line, self.line, "the line is who entered and has not left");
        for (&agent, state) in &self.states {
            assert_eq!(router.agent_state(agent), *state, "{agent}: told and shown differ");
        }
        for w in router.waiting() {
            let rung = self.held.values().find(|h| h.call == w.call).map(|h| h.agent);
            assert_eq!(rung, w.offered_to, "{} rings elsewhere", w.call);
        }
        if self.held.is_empty() && self.line.is_empty() {
            let of_calls = |why| why == "ring time" || why == "promise";
            assert!(!router.timers().any(|(_, _, why)| of_calls(why)), "a timer without an owner");
        }
    }

    fn input(&mut self, input: Option<&Input>) {
        match input {
            Some(Input::OfferRefused { offer } | Input::OfferUnreachable { offer }) => {
                self.held.retain(|o, h| o != offer || !h.ringing);
            }
            Some(Input::CallEnded { call } | Input::Direct { call, .. }) => {
                self.line.remove(call);
                self.held.retain(|_, h| h.call != *call || h.ringing);
            }
            Some(Input::CallQueued { call, queue, .. }) => {
                self.held.retain(|_, h| h.call != *call || h.ringing);
                self.line.insert(*call, *queue);
            }
            _ => {}
        }
    }

    fn output(&mut self, input: Option<&Input>, output: &Output) {
        match *output {
            Output::Offer { offer, call, agent, queue, .. } => {
                assert_eq!(self.line.get(&call).copied(), queue, "{call} is not in that line");
                assert_eq!(self.states.get(&agent).map(busy), Some(false), "{agent} is away");
                self.ring(offer, Held { call, agent, queue, ringing: true });
            }
            Output::Direct { offer: Some(offer), call, agent, .. } => {
                let held = Held { call, agent, queue: None, ringing: true };
                match self.held.get(&offer) {
                    Some(known) => assert_eq!(*known, held, "one offer, two meanings"),
                    None => self.ring(offer, held),
                }
            }
            Output::Direct { offer: None, busy, .. } => assert!(busy),
            Output::Withdraw { offer, call, agent, .. } => {
                let held = self.held.remove(&offer).expect("withdrawn: it rang");
                assert!(held.ringing && (held.call, held.agent) == (call, agent));
            }
            Output::Connect { offer, call, agent, .. } => {
                assert_eq!(input, Some(&Input::OfferAnswered { offer }));
                let held = self.held.get_mut(&offer).expect("connected: it rang");
                assert!(held.ringing && (held.call, held.agent) == (call, agent));
                held.ringing = false;
                self.line.remove(&call);
            }
            Output::TooLate { offer } => {
                assert_eq!(input, Some(&Input::OfferAnswered { offer }));
                assert!(!self.held.contains_key(&offer) && offer.0 <= self.offers_seen, "not late at all");
            }
            Output::AgentState { agent, ref state, .. } => {
                let old = self.states.insert(agent, state.clone());
                assert_ne!(old.as_ref(), Some(state), "{agent}: no news");
            }
            Output::NotQueued { call, .. } => {
                self.line.remove(&call);
            }
            Output::PromiseMissed { call, queue, .. } => {
                assert_eq!(self.line.get(&call), Some(&queue), "{call} does not wait");
                self.missed.insert(call);
            }
        }
    }

    fn ring(&mut self, offer: OfferId, held: Held) {
        assert!(offer.0 > self.offers_seen, "{offer} again");
        self.offers_seen = offer.0;
        assert!(self.held.values().all(|h| h.call != held.call), "two agents for {}", held.call);
        let news = held.clone();
        self.held.insert(offer, held);
        // Whatever a reload found, nothing is added above a limit.
        let over = self.over(&BTreeMap::new());
        let own = |what: &Limited| match *what {
            Limited::Agent(a) => a == news.agent,
            Limited::Pool(p) => self.roster.agents[news.agent.0 as usize].pool == p,
            Limited::Queue(q) => news.queue == Some(q),
            Limited::Node => true,
        };
        assert!(!over.iter().any(own), "{offer} is above a limit: {over:?}");
    }

    fn limits(&self) {
        let over = self.over(&self.at_reload);
        assert!(over.is_empty(), "over their limits: {over:?}");
    }

    /// Where more is held than the limit, and more than there was.
    fn over(&self, was: &BTreeMap<OfferId, Held>) -> Vec<Limited> {
        let count = |of: &dyn Fn(&Held) -> bool| {
            let in_all = |all: &BTreeMap<OfferId, Held>| all.values().filter(|h| of(h)).count() as u32;
            (in_all(&self.held), in_all(was))
        };
        let over = |(now, was): (u32, u32), limit: Option<u32>| limit.is_some_and(|l| now > l.max(was));
        let pool_of = |h: &Held| self.roster.agents[h.agent.0 as usize].pool;
        let agents = (0u32..).map(AgentId).zip(&self.roster.agents);
        let pools = (0u32..).map(PoolId).zip(&self.roster.pools);
        let queues = (0u32..).map(QueueId).zip(&self.roster.queues);
        let agents = agents.filter(|(a, agent)| over(count(&|h| h.agent == *a), Some(agent.capacity)));
        let pools = pools.filter(|(p, pool)| over(count(&|h| pool_of(h) == *p), pool.limit));
        let queues = queues.filter(|(q, queue)| over(count(&|h| h.queue == Some(*q)), queue.limit));
        let node = over(count(&|_| true), self.roster.node_limit).then_some(Limited::Node);
        agents
            .map(|(a, _)| Limited::Agent(a))
            .chain(pools.map(|(p, _)| Limited::Pool(p)))
            .chain(queues.map(|(q, _)| Limited::Queue(q)))
            .chain(node)
            .collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Limited {
    Agent(AgentId),
    Pool(PoolId),
    Queue(QueueId),
    Node,
}

/// Away: nothing may be offered, whatever his slots.
fn busy(state: &AgentState) -> bool {
    matches!(state, AgentState::Offline | AgentState::Paused { .. } | AgentState::Resting { .. })
}
