//! Whole days in virtual time: callers with patience, agents with moods, phones that vanish, timers
//! that come late. The observer watches every step; in the end nothing may be left.
mod common;
use common::observer::Observer;
use common::*;
use hotline_acd::*;
use hotline_core::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What people do on their own, when its time comes.
#[derive(Clone, Debug)]
enum Act {
    Call,
    Input(Input),
    /// The agent does something about an offer that rings at his phone.
    React(OfferId),
    Mood(AgentId),
}

struct Day {
    desk: Desk,
    observer: Observer,
    rng: Rng,
    acts: BTreeMap<(Time, u64), Act>,
    planned: u64,
    calls: u64,
    call_max: u64,
    fates: BTreeMap<CallId, &'static str>,
    trace: Vec<(Time, Output)>,
    requirements: Vec<Option<Requirement>>,
}

fn installation(rng: &mut Rng) -> Roster {
    let skills = ["lang.yue", "lang.cmn", "product.db", "team.trial"];
    let limit = |rng: &mut Rng, n: u64| rng.chance(0.5).then(|| 1 + rng.below(n) as u32);
    let mut roster = Roster { node_limit: limit(rng, 12), ..Roster::default() };
    for i in 1..=4u8 {
        roster.pools.push(Pool { limit: limit(rng, 6), ..pool(&format!("L{i}"), i) });
    }
    for i in 0..3 + rng.below(14) {
        let levels: Vec<_> = skills.map(|s| (s, rng.below(4) as u8)).into();
        let plain = agent(&format!("a{i}"), rng.below(4) as u32, &levels);
        let (capacity, misses_max) = (1 + rng.below(2) as u32, rng.below(4) as u32);
        roster.agents.push(Agent { capacity, misses_max, rest: S * rng.below(60) as u32, ..plain });
    }
    let orders =
        [AgentOrder::LongestIdle, AgentOrder::LeastOccupied, AgentOrder::BestFit, AgentOrder::RoundRobin];
    for i in 0..4u32 {
        roster.queues.push(Queue {
            pools: (0..4).filter(|_| rng.chance(0.3)).map(PoolId).collect(),
            order: orders[rng.below(4) as usize],
            limit: limit(rng, 6),
            length_max: rng.below(40) as u32,
            ring: S * (5 + rng.below(25) as u32),
            wrap_up: S * rng.below(40) as u32,
            ..queue(&format!("q{i}"))
        });
    }
    roster
}

impl Day {
    fn new(seed: u64) -> Day {
        let mut rng = Rng::from_u64(seed);
        let roster = Arc::new(installation(&mut rng));
        let texts = [
            "lang.yue >= 2",
            "not team.trial",
            "tier >= \"L2\"",
            "product.db or lang.cmn == 3",
            "agent == \"a0\"",
        ];
        let parse = |text: &&str| Some(Requirement::parse(text, &roster).expect(text));
        let mut day = Day {
            requirements: std::iter::once(None).chain(texts.iter().map(parse)).collect(),
            observer: Observer::new(roster.clone()),
            desk: Desk { router: Router::new(roster.clone()), now: Time::ZERO },
            call_max: 150 + rng.below(150),
            rng,
            acts: BTreeMap::new(),
            planned: 0,
            calls: 0,
            fates: BTreeMap::new(),
            trace: vec![],
        };
        for a in (0..roster.agents.len() as u32).map(AgentId) {
            day.plan(a.0.into(), Act::Mood(a));
        }
        day.plan(1, Act::Call);
        day
    }

    fn plan(&mut self, in_secs: u64, act: Act) {
        self.planned += 1;
        self.acts.insert((self.desk.now + S * in_secs as u32, self.planned), act);
    }

    /// To the end: all calls made, and nobody left in the line or on the phone.
    fn run(mut self) -> Vec<(Time, Output)> {
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 200_000, "the day does not end");
            let due = self.desk.router.deadline().map(|d| d.at);
            let next = self.acts.first_key_value().map(|(&(at, _), _)| at);
            match (due, next) {
                (None, None) => break,
                // Timers may come late, so that things happen before them.
                (Some(due), next)
                    if next.is_none_or(|n| due <= n) && (next.is_none() || self.rng.chance(0.8)) =>
                {
                    self.desk.now = self.desk.now.max(due);
                    let out = self.desk.wake();
                    self.heard(None, out);
                }
                _ => {
                    let ((at, _), act) = self.acts.pop_first().expect("no timer was due before the next act");
                    self.desk.now = self.desk.now.max(at);
                    self.act(act);
                }
            }
        }
        assert!(self.observer.held.is_empty() && self.observer.line.is_empty(), "somebody was left behind");
        assert!(self.desk.router.waiting().is_empty());
        assert_eq!(self.fates.len() as u64, self.calls, "every call had an end");
        let counts: Vec<_> = (0..4).map(|q| self.desk.router.queue_stats(QueueId(q))).collect();
        for c in &counts {
            assert_eq!((c.waiting, c.ringing, c.talking), (0, 0, 0));
            assert_eq!(c.queued, c.answered + c.abandoned);
        }
        self.trace
    }

    fn put(&mut self, input: Input) {
        let out = self.desk.put(input.clone());
        self.heard(Some(&input), out);
    }

    fn heard(&mut self, input: Option<&Input>, out: Vec<Output>) {
        self.observer.see(&self.desk.router, input, &out);
        for output in &out {
            match *output {
                Output::Offer { offer, .. } | Output::Direct { offer: Some(offer), .. } => {
                    let after = self.rng.below(30);
                    self.plan(after, Act::React(offer));
                }
                Output::Connect { call, .. } => {
                    self.fates.insert(call, "served");
                    let talk = 10 + self.rng.below(400);
                    self.plan(talk, Act::Input(Input::CallEnded { call }));
                }
                Output::NotQueued { call, .. } | Output::Direct { call, offer: None, .. } => {
                    self.fates.insert(call, "turned away");
                }
                _ => {}
            }
        }
        self.trace.extend(out.into_iter().map(|o| (self.desk.now, o)));
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Input(input) => {
                if let Input::CallEnded { call } = input {
                    self.fates.entry(call).or_insert("hung up");
                }
                self.put(input);
            }
            Act::Call if self.calls < self.call_max => {
                self.calls += 1;
                let call = CallId(self.calls);
                let agents = self.desk.router.roster().agents.len() as u64;
                if self.rng.chance(0.05) {
                    let agent = AgentId(self.rng.below(agents) as u32);
                    self.put(Input::Direct { call, agent });
                } else {
                    let pick = self.rng.below(self.requirements.len() as u64) as usize;
                    let queue = QueueId(self.rng.below(4) as u32);
                    let severity = Severity::ALL[self.rng.below(4) as usize];
                    let (require, arrived) = (self.requirements[pick].clone(), self.desk.now);
                    self.put(Input::CallQueued {
                        call,
                        queue,
                        require,
                        severity,
                        arrived,
                        number: "100".into(),
                    });
                }
                let (patience, next) = (self.rng.below(1200), self.rng.below(20));
                self.plan(patience, Act::Input(Input::CallEnded { call }));
                self.plan(next, Act::Call);
            }
            Act::Call => {}
            Act::React(offer) => match self.rng.below(10) {
                0 => self.put(Input::OfferRefused { offer }),
                1 => self.put(Input::OfferUnreachable { offer }),
                2 => {}
                _ => self.put(Input::OfferAnswered { offer }),
            },
            Act::Mood(agent) => {
                match self.rng.below(6) {
                    0 => self.put(Input::AgentPaused { agent, reason: "tea".into() }),
                    1 => self.put(Input::AgentOffline { agent }),
                    _ => self.put(Input::AgentReady { agent }),
                }
                if self.calls < self.call_max {
                    let later = 30 + self.rng.below(900);
                    self.plan(later, Act::Mood(agent));
                }
            }
        }
    }
}

#[test]
fn days_are_sound_end_clean_and_repeat_exactly() {
    let mut offers = 0;
    for seed in 0..64 {
        let day = || std::panic::catch_unwind(|| Day::new(seed).run());
        let first = day().unwrap_or_else(|_| panic!("seed {seed}"));
        assert!(first == day().expect("it ran before"), "seed {seed}: two runs differ");
        offers += first.iter().filter(|(_, o)| matches!(o, Output::Connect { .. })).count();
    }
    assert!(offers > 2_000, "{offers} calls answered: too quiet to show anything");
}
