//! What `hotline check` passes never reaches a runtime error: random installations in the whole language, random
//! callers in each. And the samples' own tests, as `hotline test` runs them.

mod draw;

use config::{Finding, SystemSecrets};
use rehearsal::House;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// 2026-11-23T02:00:00Z.
const NOW: i64 = 1_795_399_200;
/// Random calls in all, and the installations they are spread over.
const CALLS: u64 = 100_000;
const INSTALLATIONS: u64 = 250;

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[test]
fn what_check_passes_never_reaches_a_runtime_error() {
    let house = draw::House::new();
    let mut rejected: BTreeMap<&'static str, (u64, Finding)> = BTreeMap::new();
    let (mut passed, mut calls, mut steps) = (0, 0, 0);
    let mut kinds: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut seed = 0;
    while passed < INSTALLATIONS {
        assert!(seed < 4 * INSTALLATIONS, "too few installations pass: {passed} of {seed}; {rejected:#?}");
        seed += 1;
        house.write(seed);
        let loaded = config::load(&house.main(), &SystemSecrets, NOW);
        let Some(settings) = loaded.settings else {
            for finding in loaded.findings.into_iter().filter(|f| f.severity == config::Level::Error) {
                let known = rejected.entry(finding.rule).or_insert((0, finding));
                known.0 += 1;
            }
            continue;
        };
        passed += 1;
        let flow = loaded.flows.get("main").expect("every installation has this flow").clone();
        steps += flow.steps.len();
        for step in &flow.steps {
            *kinds.entry(step.kind()).or_default() += 1;
        }
        let each = CALLS / INSTALLATIONS;
        let report = rehearsal::random(&House::new(Arc::new(settings)), &flow, each, seed * CALLS, threads());
        calls += report.callers;
        assert!(
            report.problems.is_empty(),
            "installation {seed} passes `check`, and yet:\n{:#?}\n{}",
            report.problems,
            std::fs::read_to_string(house.flow()).expect("it was written")
        );
    }
    assert!(calls >= CALLS, "{calls} calls");
    println!(
        "{passed} of {seed} installations passed `check`: {calls} calls, {} steps a flow",
        steps / passed as usize
    );
    println!("kinds of steps: {kinds:?}");
    for (rule, (times, finding)) in &rejected {
        println!("rejected {times} times for {rule}: {finding}");
    }
    for kind in draw::KINDS {
        assert!(kinds.get(kind).is_some_and(|n| *n > 10), "hardly any `{kind}` step was drawn: {kinds:?}");
    }
}

/// Every installation that comes with the source passes its own tests, all steps and exits covered.
#[test]
fn the_samples_pass_their_own_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let mut mains = vec![root.join("hotline.toml")];
    let samples = std::fs::read_dir(root.join("samples")).into_iter().flatten();
    mains.extend(
        samples.filter_map(|e| Some(e.ok()?.path().join("config/hotline.toml"))).filter(|p| p.exists()),
    );
    let mut tests = 0;
    for main in mains {
        let loaded = config::load(&main, &SystemSecrets, NOW);
        let report = loaded.report();
        let settings = loaded.settings.clone().unwrap_or_else(|| panic!("{}\n{report}", main.display()));
        let house = House::new(Arc::new(settings));
        let mut summary = rehearsal::Summary::default();
        for (name, path) in &loaded.tests {
            let flow = loaded.flows.get(name).unwrap_or_else(|| panic!("{}: no such flow", path.display()));
            let source = std::fs::read_to_string(path).expect("it was listed");
            let cases = rehearsal::read(&source).unwrap_or_else(|e| panic!("{}:{e}", path.display()));
            let mut counter = rehearsal::Counter::new(flow);
            let outcomes =
                cases.cases.iter().map(|c| rehearsal::run(&house, flow, c, None, &mut counter)).collect();
            counter.tell(&mut summary.coverage);
            let random = (cases.fuzz > 0).then(|| rehearsal::random(&house, flow, cases.fuzz, 1, threads()));
            let file = path.display().to_string();
            summary.reports.push(rehearsal::Report {
                flow: name.clone(),
                file,
                outcomes,
                random,
                minimum: cases.minimum,
            });
        }
        tests += summary.tests();
        assert!(summary.passed(), "{}\n{summary}", main.display());
    }
    assert!(tests > 0, "there are tests beside the samples' flows");
}
