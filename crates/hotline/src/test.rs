use crate::failure::{DONE, FOUND_WRONG, Failure};
use crate::installation;
use rehearsal::{CaseFile, Counter, House, Report, Summary};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often the files are looked at with --watch.
const LOOK: Duration = Duration::from_millis(100);

#[derive(clap::Args, Debug)]
pub struct Options {
    /// Only these flows
    pub flows: Vec<String>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Send so many random callers into each flow, besides what its test file says
    #[arg(long, value_name = "CALLERS")]
    pub fuzz: Option<u64>,
    /// The first random caller's seed
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// One JSON object for programs, coverage by step and exit included
    #[arg(long)]
    pub json: bool,
    /// Write the results for build servers as well
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Run again whenever a file of the installation is saved
    #[arg(long, short)]
    pub watch: bool,
    /// Take what is heard now as the snapshots
    #[arg(long)]
    pub update: bool,
    /// Show the way each test took
    #[arg(long, short)]
    pub verbose: bool,
}

/// Runs the tests beside the flows.
pub fn test(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    loop {
        let (seen, result) = once(config, options)?;
        if !options.watch {
            return Ok(result);
        }
        let before = stamps(&seen);
        writeln!(std::io::stdout(), "-- watching {} files; end with Ctrl-C", seen.len())?;
        #[expect(
            clippy::disallowed_methods,
            reason = "files are looked at again and again: they tell nobody"
        )]
        while stamps(&seen) == before {
            std::thread::sleep(LOOK);
        }
    }
}

/// When each file was written last; folders tell of files that came and went.
fn stamps(files: &[PathBuf]) -> Vec<Option<(SystemTime, u64)>> {
    files
        .iter()
        .map(|f| std::fs::metadata(f).ok().and_then(|m| Some((m.modified().ok()?, m.len()))))
        .collect()
}

fn once(config: Option<&Path>, options: &Options) -> Result<(Vec<PathBuf>, u8), Failure> {
    let epoch_unix = server::Clock::start().epoch_unix();
    let (main, loaded) = installation::load(config, epoch_unix)?;
    let mut seen = loaded.files.clone();
    seen.extend(loaded.tests.values().cloned());
    seen.push(loaded.flows_folder.clone());
    let mut out = std::io::stdout().lock();
    let Some(settings) = loaded.settings.clone() else {
        let report = loaded.report();
        writeln!(out, "{report}\nthe flows are not tested before these errors are gone")?;
        return Ok((seen, FOUND_WRONG));
    };
    let started = server::Clock::start();
    let summary = rehearse(&main, &loaded, Arc::new(settings), options)?;
    let took = started.now().since(hotline_core::Time::ZERO);
    if options.json {
        writeln!(out, "{}", rehearsal::json(&summary))?;
    } else {
        if options.verbose {
            for report in &summary.reports {
                for outcome in &report.outcomes {
                    writeln!(out, "{}:{}: {}", report.file, outcome.line, outcome.name)?;
                    for line in rehearsal::way(&outcome.story) {
                        writeln!(out, "    {line}")?;
                    }
                }
            }
        }
        writeln!(out, "{summary} ({:.0} ms)", took.as_secs_f64() * 1000.0)?;
    }
    if let Some(path) = &options.junit {
        std::fs::write(path, rehearsal::junit(&summary))
            .map_err(|e| Failure::not_started(format!("{}: {e}", path.display())))?;
    }
    Ok((seen, if summary.passed() { DONE } else { FOUND_WRONG }))
}

/// Runs every test that was asked for.
fn rehearse(
    main: &Path,
    loaded: &config::Loaded,
    settings: Arc<engine::Settings>,
    options: &Options,
) -> Result<Summary, Failure> {
    let house = House::new(settings);
    let mut summary = Summary { partial: !options.flows.is_empty(), ..Summary::default() };
    for name in &options.flows {
        if !loaded.flows.contains_key(name.as_str()) {
            let near = ivr::suggest(name, loaded.flows.keys().map(|n| &**n));
            let help = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            return Err(Failure::not_started(format!("no flow is called `{name}`{help}")));
        }
    }
    let wanted = |name: &str| options.flows.is_empty() || options.flows.iter().any(|f| f == name);
    for (name, path) in loaded.tests.iter().filter(|(name, _)| wanted(name)) {
        let file = path.display().to_string();
        let Some(flow) = loaded.flows.get(name) else {
            summary.unreadable.push(format!("{file}: there is no flow `{name}` to test"));
            continue;
        };
        let source = match std::fs::read_to_string(path) {
            Ok(source) => source,
            Err(error) => {
                summary.unreadable.push(format!("{file}: {error}"));
                continue;
            }
        };
        match rehearsal::read(&source) {
            Ok(cases) => summary.reports.push(one_file(
                &house,
                flow,
                &file,
                path,
                cases,
                options,
                &mut summary.coverage,
            )?),
            Err(error) => summary.unreadable.push(format!("{file}:{error}")),
        }
    }
    // Flows without tests: random callers, and their coverage as it is.
    for (name, flow) in
        loaded.flows.iter().filter(|(name, _)| wanted(name) && !loaded.tests.contains_key(*name))
    {
        let none = CaseFile { minimum: Default::default(), fuzz: 0, cases: Vec::new() };
        let file = main.with_file_name(format!("flows/{name}.test.toml")).display().to_string();
        let path = PathBuf::from(&file);
        summary.reports.push(one_file(&house, flow, &file, &path, none, options, &mut summary.coverage)?);
    }
    Ok(summary)
}

fn one_file(
    house: &House,
    flow: &Arc<ivr::Flow>,
    file: &str,
    path: &Path,
    cases: CaseFile,
    options: &Options,
    coverage: &mut rehearsal::Coverage,
) -> Result<Report, Failure> {
    let snapshot_path = path.with_extension("").with_extension("snapshot.json");
    let snapshots = read_snapshots(&snapshot_path)?;
    let mut counter = Counter::new(flow);
    let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(cases.cases.len());
    let whole = options.name.is_none();
    for case in
        cases.cases.iter().filter(|c| options.name.as_ref().is_none_or(|n| c.name.contains(n.as_str())))
    {
        let before = if options.update { None } else { snapshots.get(&case.name).map(Vec::as_slice) };
        let outcome = rehearsal::run(house, flow, case, before, &mut counter);
        if case.expect.snapshot {
            heard.insert(case.name.clone(), outcome.heard.clone());
        }
        outcomes.push(outcome);
    }
    // New snapshots are taken as they are; those that differ only when told to.
    let new = heard.keys().any(|name| !snapshots.contains_key(name));
    if (options.update || new) && !heard.is_empty() {
        let mut all = if whole && options.update { BTreeMap::new() } else { snapshots };
        for (name, prompts) in heard {
            if options.update || !all.contains_key(&name) {
                all.insert(name, prompts);
            }
        }
        let text = serde_json::to_string_pretty(&all).expect("texts always serialize") + "\n";
        std::fs::write(&snapshot_path, text)
            .map_err(|e| Failure::not_started(format!("{}: {e}", snapshot_path.display())))?;
    }
    counter.tell(coverage);
    let callers = options.fuzz.unwrap_or(cases.fuzz);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let random = (callers > 0).then(|| rehearsal::random(house, flow, callers, options.seed, threads));
    // What only some tests could cover is not demanded of them.
    let minimum = if whole { cases.minimum } else { Default::default() };
    Ok(Report { flow: flow.name.clone(), file: file.to_owned(), outcomes, random, minimum })
}

fn read_snapshots(path: &Path) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text)
            .map_err(|e| Failure::not_started(format!("{}: {e}; --update writes it anew", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(Failure::not_started(format!("{}: {error}", path.display()))),
    }
}
