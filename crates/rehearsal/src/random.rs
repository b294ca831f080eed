//! Random callers: press keys, hang up, wait; whatever they meet answers by chance. They look for runtime errors,
//! dead ends and loops, and say which steps nobody ever reaches.

use crate::coverage::{Counter, Coverage};
use crate::others::Chance;
use crate::run::House;
use crate::stage::{Stage, What};
use hotline_core::{Rng, Time};
use ivr::{Act, Flow, Start};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What one caller does at most.
const ACTIONS_MAX: u32 = 300;
/// Steps after which a caller is in a loop.
const STEPS_MAX: u64 = 3000;
/// Virtual time after which a caller gives up.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);
/// Different problems kept.
const PROBLEMS_MAX: usize = 100;

/// Something wrong that a caller ran into.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// `runtime-error`, `dead-end` or `loop`.
    pub kind: &'static str,
    pub step: Arc<str>,
    pub what: String,
    /// How many callers met it.
    pub callers: u64,
    /// The first of them: `hotline test --seed N` brings him again.
    pub seed: u64,
    /// The keys he pressed, with `.` for each time he waited.
    pub keys: String,
}

#[derive(Clone, Debug)]
pub struct RandomReport {
    pub callers: u64,
    pub problems: Vec<Problem>,
    pub coverage: Coverage,
}

/// Sends `callers` into a flow, each with its own seed from `seed` on, on `threads` threads.
pub fn random(house: &House, flow: &Arc<Flow>, callers: u64, seed: u64, threads: usize) -> RandomReport {
    let threads = threads.clamp(1, 64) as u64;
    let parts: Vec<(Counter, Vec<Problem>)> = std::thread::scope(|scope| {
        let part = |from: u64| {
            let mut counter = Counter::new(flow);
            let mut problems: Vec<Problem> = Vec::new();
            for seed in (seed..seed.saturating_add(callers)).skip(from as usize).step_by(threads as usize) {
                if let Some(problem) = one(house, flow, seed, &mut counter) {
                    meet(&mut problems, problem);
                }
            }
            (counter, problems)
        };
        let handles: Vec<_> = (0..threads).map(|from| scope.spawn(move || part(from))).collect();
        handles.into_iter().map(|h| h.join().expect("a caller's own panic is a bug to be seen")).collect()
    });
    let mut all = Counter::new(flow);
    let mut problems = Vec::new();
    for (counter, met) in parts {
        all.add(&counter);
        met.into_iter().for_each(|problem| meet(&mut problems, problem));
    }
    problems.sort_by(|a, b| (a.kind, &a.step, &a.what).cmp(&(b.kind, &b.step, &b.what)));
    let mut coverage = Coverage::default();
    all.tell(&mut coverage);
    RandomReport { callers, problems, coverage }
}

fn meet(problems: &mut Vec<Problem>, problem: Problem) {
    let same = |p: &Problem| (p.kind, &p.step, &p.what) == (problem.kind, &problem.step, &problem.what);
    match problems.iter().position(same) {
        Some(i) => {
            let known = &mut problems[i];
            known.callers += problem.callers;
            if problem.seed < known.seed {
                (known.seed, known.keys) = (problem.seed, problem.keys);
            }
        }
        None if problems.len() < PROBLEMS_MAX => problems.push(problem),
        None => {}
    }
}

/// One caller; what he ran into.
fn one(house: &House, flow: &Arc<Flow>, seed: u64, counter: &mut Counter) -> Option<Problem> {
    let mut rng = Rng::from_u64(seed);
    let callers = ["13800138000", "02112345678", "+8613912345678", "anonymous", "", "1001"];
    let number = house.settings.numbers.values().find(|n| n.flow.name == flow.name);
    let start = Start {
        caller: callers[rng.below(callers.len() as u64) as usize].into(),
        dialled: number.map_or_else(String::new, |n| n.digits.to_string()),
        // Any minute of four years.
        epoch_unix: house.settings.epoch_unix + rng.below(4 * 365 * 24 * 60) as i64 * 60,
        vars: number.map(|n| n.vars.clone()).unwrap_or_default(),
        call: "random".into(),
    };
    let others = Chance { rng: rng.fork() };
    let mut stage = Stage::new(flow.clone(), start, house.lengths.clone(), others);
    let mut keys = String::new();
    let mut stuck = false;
    for _ in 0..ACTIONS_MAX {
        if stage.end().is_some() || stage.entered() > STEPS_MAX || stage.now().since(Time::ZERO) > PATIENCE {
            break;
        }
        match rng.below(100) {
            0 => {
                stage.hang_up();
                keys.push('!');
            }
            1..=55 => {
                for key in wanted(&stage, &mut rng).chars() {
                    stage.press(key);
                    keys.push(key);
                }
            }
            _ => {
                keys.push('.');
                if !stage.advance() {
                    stuck = stage.end().is_none();
                    break;
                }
            }
        }
    }
    counter.count(stage.story());
    let fault = stage.story().iter().find_map(|t| match &t.what {
        What::Fault { step, what } => Some(("runtime-error", step.clone(), what.clone())),
        _ => None,
    });
    let step: Arc<str> = stage.visit().step().into();
    let endless = || flow.find(&step).is_some_and(|id| crate::coverage::may_end_in(flow.step(id)));
    let found = if fault.is_some() {
        fault
    } else if stage.end().is_none() && stage.entered() > STEPS_MAX {
        Some(("loop", step, circle(&stage)))
    } else if stuck && !endless() {
        Some(("dead-end", step, "nothing will ever happen here".to_owned()))
    } else {
        None
    };
    found.map(|(kind, step, what)| Problem { kind, step, what, callers: 1, seed, keys })
}

/// Keys that mean something where the caller is, most of the time.
fn wanted(stage: &Stage<Chance>, rng: &mut Rng) -> String {
    let flow = stage.visit().flow();
    let any = |rng: &mut Rng| ivr::KEYS.as_bytes()[rng.below(12) as usize] as char;
    let act = flow.find(stage.visit().step()).map(|id| &flow.step(id).act);
    if rng.chance(0.1) {
        return any(rng).to_string();
    }
    match act {
        Some(Act::Menu(menu)) if !menu.keys.is_empty() => {
            menu.keys[rng.below(menu.keys.len() as u64) as usize].key.to_string()
        }
        Some(Act::Queue(queue)) if !queue.keys.is_empty() && rng.chance(0.3) => {
            queue.keys[rng.below(queue.keys.len() as u64) as usize].0.to_string()
        }
        Some(Act::Collect(collect)) => {
            let length =
                collect.min as u64 + rng.below((collect.max - collect.min.min(collect.max)) as u64 + 1);
            let mut keys: String = (0..length).map(|_| char::from(b'0' + rng.below(10) as u8)).collect();
            if let Some(end) = collect.end.filter(|_| rng.chance(0.8)) {
                keys.push(end);
            }
            keys
        }
        Some(Act::Consent(consent)) => (if rng.chance(0.5) { consent.yes } else { consent.no }).to_string(),
        Some(Act::Survey(survey)) => {
            let range = u64::from(survey.plan.highest.saturating_sub(survey.plan.lowest)) + 1;
            char::from(b'0' + survey.plan.lowest + rng.below(range) as u8).to_string()
        }
        _ => any(rng).to_string(),
    }
}

/// The steps that come again and again.
fn circle(stage: &Stage<Chance>) -> String {
    let mut often: BTreeMap<&str, u64> = BTreeMap::new();
    for told in stage.story() {
        if let What::Entered(step) = &told.what {
            *often.entry(step).or_default() += 1;
        }
    }
    let mut steps: Vec<_> = often.into_iter().filter(|(_, n)| *n > 50).map(|(step, _)| step).collect();
    steps.truncate(8);
    format!("round and round: {}", steps.join(", "))
}
