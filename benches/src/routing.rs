use crate::meter::Meter;
use acd::{Agent, AgentOrder, Input, Output, Pool, Queue, Requirement, Roster, Router};
use hotline_core::{AgentId, CallId, OfferId, Outbox, PoolId, QueueId, Rng, Severity, Time};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// A hotline at work: 400 agents in four tiers and four languages, nine in ten talking, some callers waiting.
const AGENTS: u32 = 400;
const TALKING: usize = 380;
const LANGUAGES: [&str; 4] = ["cmn", "yue", "wuu", "en"];
/// One look at the clock for so many calls.
const BATCH: u64 = 20;

pub fn calls(meter: &mut Meter, times: u64) {
    let mut hotline = Hotline::new();
    for _ in 0..TALKING + 40 {
        hotline.arrive();
    }
    for _ in 0..times.div_ceil(BATCH) {
        meter.measured(|| {
            for _ in 0..BATCH {
                hotline.arrive();
                hotline.leave();
            }
        });
        meter.done(BATCH);
    }
}

struct Hotline {
    router: Router,
    requirements: Vec<Requirement>,
    rng: Rng,
    now: Time,
    last_call: u64,
    talking: VecDeque<CallId>,
    out: Outbox<Output>,
    offers: Vec<(OfferId, CallId)>,
}

impl Hotline {
    fn new() -> Hotline {
        let roster = Arc::new(roster());
        let requirement = |language| {
            let text = format!("lang.{language} >= 2 and (product or tier >= \"L2\")");
            Requirement::parse(&text, &roster).expect("a good requirement")
        };
        let mut hotline = Hotline {
            requirements: LANGUAGES.map(requirement).into(),
            router: Router::new(roster),
            rng: Rng::from_u64(1),
            now: Time::ZERO,
            last_call: 0,
            talking: VecDeque::new(),
            out: Outbox::new(),
            offers: Vec::new(),
        };
        for agent in (0..AGENTS).map(AgentId) {
            hotline.put(Input::AgentReady { agent });
        }
        hotline
    }

    fn arrive(&mut self) {
        self.last_call += 1;
        let require = self.requirements[self.rng.below(LANGUAGES.len() as u64) as usize].clone();
        let severity = Severity::ALL[self.rng.below(4) as usize];
        self.put(Input::CallQueued {
            call: CallId(self.last_call),
            queue: QueueId(0),
            require: Some(require),
            severity,
            arrived: self.now,
            number: "4009508888".into(),
        });
    }

    fn leave(&mut self) {
        if let Some(call) = self.talking.pop_front() {
            self.put(Input::CallEnded { call });
        }
    }

    /// Whoever is offered a call answers it.
    fn put(&mut self, input: Input) {
        self.now += Duration::from_millis(100);
        self.router.handle(self.now, input, &mut self.out);
        loop {
            for output in self.out.drain() {
                match output {
                    Output::Offer { offer, call, .. } => self.offers.push((offer, call)),
                    Output::Connect { call, .. } => self.talking.push_back(call),
                    _ => {}
                }
            }
            let Some((offer, _)) = self.offers.pop() else { return };
            self.router.handle(self.now, Input::OfferAnswered { offer }, &mut self.out);
        }
    }
}

fn roster() -> Roster {
    let agent = |i: u32| Agent {
        name: format!("agent{i}").into(),
        pool: PoolId(i % 4),
        skills: (0..LANGUAGES.len() as u32)
            .filter(|language| (i / 4 + language) % 4 < 2)
            .map(|language| (format!("lang.{}", LANGUAGES[language as usize]).into(), 2 + (i % 4) as u8))
            .chain(i.is_multiple_of(3).then(|| ("product".into(), 1)))
            .collect(),
        capacity: 1,
        rest: Duration::from_secs(10),
        misses_max: 3,
    };
    let queue = Queue {
        name: "technical".into(),
        pools: vec![],
        require: None,
        order: AgentOrder::LongestIdle,
        limit: None,
        length_max: 1000,
        ring: Duration::from_secs(20),
        wrap_up: Duration::ZERO,
        promise: [300, 900, 1800, 3600].map(Duration::from_secs),
    };
    Roster {
        pools: (1..=4u8).map(|i| Pool { name: format!("L{i}").into(), rank: i, limit: None }).collect(),
        queues: vec![queue],
        agents: (0..AGENTS).map(agent).collect(),
        node_limit: None,
    }
}
