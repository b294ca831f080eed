//! How long a decision takes at full size: 10,000 agents, 50,000 waiting calls, 500 skills.
//!
//! `cargo run --release -p hotline-acd --example decisions`
use hotline_acd::{Agent, AgentOrder, Input, Output, Pool, Queue, Requirement, Roster, Router};
use hotline_core::{AgentId, CallId, OfferId, Outbox, PoolId, QueueId, Rng, Severity, Time};
use std::sync::Arc;
use std::time::{Duration, Instant};

const AGENTS: u64 = 10_000;
const CALLS: u64 = 50_000;
const SKILLS: u64 = 500;
/// Distinct skill sets: of ten skills each.
const SETS: u64 = 1_000;
const REQUIREMENTS: u64 = 500;
const QUEUES: u64 = 8;
const ROUNDS: usize = 20_000;

fn main() {
    for order in
        [AgentOrder::LongestIdle, AgentOrder::LeastOccupied, AgentOrder::BestFit, AgentOrder::RoundRobin]
    {
        run(order);
    }
}

fn run(order: AgentOrder) {
    let mut rng = Rng::from_u64(1);
    let roster = Arc::new(roster(&mut rng, order));
    let requirements: Vec<Requirement> = (0..REQUIREMENTS)
        .map(|i| {
            let text = format!(
                "s{} >= 1 and (tier >= \"L2\" or s{} or not s{})",
                i % SKILLS,
                rng.below(SKILLS),
                rng.below(SKILLS)
            );
            Requirement::parse(&text, &roster).expect("a good requirement")
        })
        .collect();
    let mut bench = Bench {
        router: Router::new(roster),
        now: Time::ZERO,
        call: 0,
        out: Outbox::new(),
        rng,
        requirements,
    };
    println!(
        "{order:?}: {AGENTS} agents in {SETS} sets of {SKILLS} skills, {CALLS} waiting in {REQUIREMENTS} requirements, {QUEUES} queues"
    );

    // Nobody free: the line fills up. The first calls of each kind look through the staff.
    for a in 0..AGENTS as u32 {
        bench.put(Input::AgentReady { agent: AgentId(a) });
        bench.put(Input::AgentPaused { agent: AgentId(a), reason: "not yet".into() });
    }
    bench.measure("a call arrives, all busy", CALLS as usize, |b, _| b.queue());

    // One agent after the other becomes free, finds his call, takes it, and ends it.
    let mut ringing = Vec::new();
    bench.measure("an agent becomes free and is offered the first call he can take", ROUNDS, |b, i| {
        let agent = AgentId((i as u64 * 7919 % AGENTS) as u32);
        b.put(Input::AgentReady { agent });
        ringing.extend(b.offers());
    });
    bench.measure("he answers", ringing.len(), |b, i| b.put(Input::OfferAnswered { offer: ringing[i].0 }));
    let mut again = Vec::new();
    bench.measure("the call ends, and he is offered the next", ringing.len(), |b, i| {
        b.put(Input::CallEnded { call: ringing[i].1 });
        again.extend(b.offers());
    });
    bench.measure("he refuses, and rests", again.len(), |b, i| {
        b.put(Input::OfferRefused { offer: again[i].0 })
    });

    // The other way round: agents idle, calls come one by one.
    let mut bench = bench.anew();
    for a in 0..AGENTS as u32 {
        bench.put(Input::AgentReady { agent: AgentId(a) });
    }
    bench.measure("a call arrives, thousands idle", AGENTS as usize / 4, |b, _| b.queue());
}

struct Bench {
    router: Router,
    now: Time,
    call: u64,
    out: Outbox<Output>,
    rng: Rng,
    requirements: Vec<Requirement>,
}

impl Bench {
    fn anew(self) -> Bench {
        Bench { router: Router::new(self.router.roster().clone()), ..self }
    }

    fn put(&mut self, input: Input) {
        self.now += Duration::from_millis(1);
        self.out.drain();
        self.router.handle(self.now, input, &mut self.out);
    }

    fn offers(&self) -> Option<(OfferId, CallId)> {
        self.out.as_slice().iter().find_map(|o| match o {
            Output::Offer { offer, call, .. } => Some((*offer, *call)),
            _ => None,
        })
    }

    fn queue(&mut self) {
        self.call += 1;
        let require = self.requirements[self.rng.below(REQUIREMENTS) as usize].clone();
        let queue = QueueId(self.rng.below(QUEUES) as u32);
        let severity = Severity::ALL[self.rng.below(4) as usize];
        let (call, arrived) = (CallId(self.call), self.now);
        self.put(Input::CallQueued {
            call,
            queue,
            require: Some(require),
            severity,
            arrived,
            number: "100".into(),
        });
    }

    #[expect(clippy::disallowed_methods, reason = "the clock of the measurement")]
    fn measure(&mut self, what: &str, rounds: usize, mut round: impl FnMut(&mut Bench, usize)) {
        let mut each: Vec<u64> = (0..rounds)
            .map(|i| {
                let start = Instant::now();
                round(self, i);
                start.elapsed().as_nanos() as u64
            })
            .collect();
        each.sort_unstable();
        let at = |part: usize| each.get(each.len().saturating_sub(1) * part / 1000).copied().unwrap_or(0);
        println!(
            "  {:>7} ns median {:>7} p99 {:>8} most  {:>6} x {what}",
            at(500),
            at(990),
            at(1000),
            each.len()
        );
    }
}

fn roster(rng: &mut Rng, order: AgentOrder) -> Roster {
    let sets: Vec<Vec<u64>> = (0..SETS).map(|_| (0..10).map(|_| rng.below(SKILLS)).collect()).collect();
    let agents = (0..AGENTS).map(|i| Agent {
        name: format!("a{i}").into(),
        pool: PoolId((i % SETS % 4) as u32),
        skills: sets[(i % SETS) as usize]
            .iter()
            .map(|s| (format!("s{s}").into(), 1 + (i % SETS % 5) as u8))
            .collect(),
        capacity: 1,
        rest: Duration::from_secs(10),
        misses_max: 0,
    });
    let queues = (0..QUEUES).map(|i| Queue {
        name: format!("q{i}").into(),
        pools: vec![],
        require: None,
        order,
        limit: None,
        length_max: CALLS as u32,
        ring: Duration::from_secs(20),
        wrap_up: Duration::ZERO,
        promise: [300, 900, 1800, 3600].map(Duration::from_secs),
    });
    Roster {
        pools: (1..=4u8).map(|i| Pool { name: format!("L{i}").into(), rank: i, limit: None }).collect(),
        queues: queues.collect(),
        agents: agents.collect(),
        node_limit: None,
    }
}
