//! Whole days through the whole engine, in virtual time, with faults. A seed that fails prints itself;
//! `HOTLINE_SEED=n cargo test -p hotline-tests --test days one_seed` runs it alone.

use sim::{Outcome, Plan, run};
use std::sync::atomic::{AtomicU64, Ordering};

const SEEDS: u64 = 64;

fn live(seed: u64) -> Outcome {
    let plan = Plan::draw(seed);
    match run(&plan) {
        Ok(outcome) => outcome,
        Err(violation) => panic!("{violation}\n{:?}", plan.faults),
    }
}

#[test]
fn sixty_four_days() {
    let next = AtomicU64::new(0);
    let total = std::sync::Mutex::new(Outcome::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SEEDS {
                        return;
                    }
                    let day = live(seed);
                    let mut total = total.lock().expect("no day panics while it adds");
                    total.arrived += day.arrived;
                    total.refused += day.refused;
                    total.connected += day.connected;
                    total.records += day.records;
                    total.events_dropped += day.events_dropped;
                    total.promises_missed += day.promises_missed;
                    total.keys += day.keys;
                    total.steps += day.steps;
                }
            });
        }
    });
    let total = total.into_inner().expect("all days are over");
    println!("{total:?}");
    // The days are worth something: people were served, limits were met, the store was full.
    assert_eq!(total.arrived, total.records);
    assert!(total.arrived > SEEDS * 50, "{total:?}");
    assert!(total.connected > SEEDS * 10, "{total:?}");
    assert!(total.refused > SEEDS && total.keys > SEEDS, "{total:?}");
    assert!(total.events_dropped > 0 && total.promises_missed > 0, "{total:?}");
}

#[test]
fn the_same_seed_gives_the_same_day() {
    for seed in [3, 17] {
        assert_eq!(live(seed), live(seed));
    }
    assert_ne!(live(3).trace, live(17).trace);
}

#[test]
fn one_seed() {
    let seed = std::env::var("HOTLINE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1000);
    println!("{:?}", live(seed));
}
