//! What the parts cost by themselves, in memory: a message parsed, a decision made, a packet sent, a call set up.
//!
//! `cargo run --release -p hotline-benches` prints times; `-- --counts` also instructions, counted by valgrind.
mod calls;
mod counts;
mod flows;
mod invite;
mod meter;
mod packets;
mod routing;
mod steps;

use meter::Meter;
use std::process::ExitCode;

/// One thing to measure. `run` does it `times` times, each (or a batch) inside `Meter::measured`.
struct Case {
    name: &'static str,
    what: &'static str,
    /// For the times, and for the much slower count of instructions.
    times: [u64; 2],
    run: fn(&mut Meter, u64),
}

const CASES: [Case; 12] = [
    Case {
        name: "flow-step",
        what: "interpret a step of a flow",
        times: [2_000_000, 40_000],
        run: steps::interpreted,
    },
    Case {
        name: "flow-test",
        what: "run a test of the sample's main flow",
        times: [10_000, 50],
        run: steps::tested,
    },
    Case { name: "invite", what: "parse an INVITE of 968 bytes", times: [300_000, 3_000], run: invite::ours },
    Case { name: "invite-rsip", what: "the same with rsip", times: [100_000, 1_000], run: invite::rsip },
    Case {
        name: "decision",
        what: "route a call: queued, offered, answered, ended",
        times: [200_000, 2_000],
        run: routing::calls,
    },
    Case {
        name: "prompt",
        what: "send a packet of a prompt, 1,000 calls",
        times: [4_000_000, 40_000],
        run: packets::sent,
    },
    Case {
        name: "heard",
        what: "take a packet from a caller, 1,000 calls",
        times: [4_000_000, 40_000],
        run: packets::heard,
    },
    Case {
        name: "bridged",
        what: "pass a packet on over a bridge, 1,000 calls",
        times: [4_000_000, 40_000],
        run: packets::bridged,
    },
    Case {
        name: "transcoded",
        what: "the same from mu-law to A-law",
        times: [4_000_000, 40_000],
        run: packets::transcoded,
    },
    Case {
        name: "set-up",
        what: "a call in the engine: INVITE, answer, BYE",
        times: [20_000, 500],
        run: calls::set_ups,
    },
    Case {
        name: "queue-call",
        what: "the same through a queue to an agent's phone",
        times: [10_000, 300],
        run: calls::through_the_queue,
    },
    Case {
        name: "check",
        what: "check a flow of 50 steps, 1,000 flows at once",
        times: [5_000, 1_000],
        run: flows::checked,
    },
];

const HELP: &str = "micro [--counts] [NAME ...]

  --counts   count instructions, too (needs valgrind)
  NAME       measure these only";

fn main() -> ExitCode {
    let mut counting = false;
    let mut names = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--counts" => counting = true,
            "--once" => {
                let name = arguments.next().unwrap_or_default();
                return counts::once(&name);
            }
            name if CASES.iter().any(|case| case.name == name) => names.push(argument),
            _ => {
                eprintln!("{HELP}\n\nNames:");
                CASES.iter().for_each(|case| eprintln!("  {:12} {}", case.name, case.what));
                return ExitCode::from(2);
            }
        }
    }
    println!("{:46} {:>12} {:>14}", "", "ns", "instructions");
    let mut baseline: Option<(f64, Option<f64>)> = None;
    for case in CASES.iter().filter(|case| names.is_empty() || names.iter().any(|n| n == case.name)) {
        let ns = time(case);
        let count = if counting { counts::instructions(case) } else { None };
        let shown = count.map_or_else(|| "-".to_owned(), |n| format!("{n:.0}"));
        println!("{:46} {ns:>12.0} {shown:>14}", case.what);
        match (case.name, baseline) {
            ("invite", _) => baseline = Some((ns, count)),
            ("invite-rsip", Some((ours, our_count))) => {
                let counts = count
                    .zip(our_count)
                    .map_or(String::new(), |(theirs, ours)| format!("{:.1}", theirs / ours));
                println!("{:46} {:>12.1} {counts:>14}", "  rsip takes times as much", ns / ours);
            }
            _ => {}
        }
    }
    ExitCode::SUCCESS
}

/// The best of five: what disturbs a measurement only ever adds to it.
fn time(case: &Case) -> f64 {
    let round = || {
        let mut meter = Meter::default();
        (case.run)(&mut meter, case.times[0] / 5);
        meter.ns_each()
    };
    (0..5).map(|_| round()).fold(f64::INFINITY, f64::min)
}
