//! The tests beside the flows, before a caller hears them.
use config::Loaded;
use engine::Settings;
use rehearsal::{Counter, House, Report, Summary};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Runs every test of every flow, and holds the coverage that is demanded. Random callers are left to `hotline test`:
/// a reload is not the time to look for what nobody has thought of.
///
/// # Errors
/// The report, when a test fails.
pub fn run(
    main: &Path,
    loaded: &Loaded,
    settings: Arc<Settings>,
    stops: &dyn Fn() -> bool,
) -> Result<String, String> {
    let house = House::new(settings);
    let mut summary = Summary::default();
    for (name, path) in &loaded.tests {
        if stops() {
            return Err("the engine is stopping".into());
        }
        let file = path.display().to_string();
        let Some(flow) = loaded.flows.get(name) else {
            summary.unreadable.push(format!("{file}: there is no flow `{name}` to test"));
            continue;
        };
        let cases = match std::fs::read_to_string(path).map_err(|e| e.to_string()) {
            Ok(source) => rehearsal::read(&source).map_err(|e| e.to_string()),
            Err(why) => Err(why),
        };
        let cases = match cases {
            Ok(cases) => cases,
            Err(why) => {
                summary.unreadable.push(format!("{file}: {why}"));
                continue;
            }
        };
        let snapshots = snapshots(path);
        let mut counter = Counter::new(flow);
        let outcomes = cases
            .cases
            .iter()
            .map(|case| {
                let before = snapshots.get(&case.name).map(Vec::as_slice);
                rehearsal::run(&house, flow, case, before, &mut counter)
            })
            .collect();
        counter.tell(&mut summary.coverage);
        let flow = flow.name.clone();
        summary.reports.push(Report { flow, file, outcomes, random: None, minimum: cases.minimum });
    }
    match summary.passed() {
        true if summary.tests() == 0 => Ok("no tests beside the flows".into()),
        true => Ok(format!("{} tests passed", summary.tests())),
        false => Err(format!("the tests of {} fail\n{summary}", main.display())),
    }
}

/// What was heard when they were taken; a file that is missing or broken holds none.
fn snapshots(tests: &Path) -> BTreeMap<String, Vec<String>> {
    let path = tests.with_extension("").with_extension("snapshot.json");
    std::fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}
