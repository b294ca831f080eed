//! What an operator wrote, parsed and checked: TOML files and WAV files into `engine::Settings`, with
//! every mistake of every file at once.
//!
//! *Invariant:* an installation with an error yields no settings; what the engine gets is never checked again.

mod agents;
mod allow;
mod calendar;
mod cross;
mod declare;
mod finding;
mod flow;
mod forms;
mod graph;
mod help;
mod hours;
mod install;
mod prompts;
mod reach;
mod read;
mod reference;
mod rules;
mod sarif;
mod schema;
mod secrets;
mod steps;
mod systems;
mod tables;
mod values;
mod version;

pub use agents::ha1;
pub use finding::{Allowed, Finding, Level, Report, did_you_mean};
pub use help::{step_about, step_help, step_names};
pub use reach::{Longest, NumberWays, Way, WayStep, ways};
pub use reference::reference;
pub use rules::{Rule, rule, rules};
pub use schema::{Which, schema};
pub use secrets::{Secrets, SystemSecrets};

use allow::Policy;
use engine::{Number, Settings, SipSettings};
use finding::{Findings, Source, UNREADABLE};
use flow::FlowDraft;
use install::Install;
use read::Document;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// No file of an installation is larger: a mebibyte of TOML is a mistake.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// More flows than this are a mistake in `flows`.
const FLOWS_MAX: usize = 1000;

/// An installation as it was found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// None: some finding is an error.
    pub settings: Option<Settings>,
    /// Errors and warnings by file and place.
    pub findings: Vec<Finding>,
    /// Warnings that comments in the files allow.
    pub allowed: Vec<Allowed>,
    /// What the engine does not need but its process does.
    pub server: ServerSettings,
    /// Every TOML and calendar file that was read, the main one first: what a reload watches.
    pub files: Vec<PathBuf>,
    /// Every flow that callers can be sent into, by name; empty when some finding is an error.
    pub flows: BTreeMap<Arc<str>, Arc<ivr::Flow>>,
    /// Where flows and their tests are.
    pub flows_folder: PathBuf,
    /// Files of tests (`NAME.test.toml`) by the name of their flow.
    pub tests: BTreeMap<Arc<str>, PathBuf>,
}

impl Loaded {
    /// The findings with their counts and exit status.
    pub fn report(&self) -> Report<'_> {
        Report { findings: &self.findings }
    }

    /// Every warning is an error.
    pub fn strict(mut self) -> Loaded {
        self.findings.iter_mut().for_each(|f| f.severity = Level::Error);
        if !self.findings.is_empty() {
            (self.settings, self.flows) = (None, BTreeMap::new());
        }
        self
    }
}

/// Settings of the process around the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerSettings {
    /// The installation's root: the folder above the main file's.
    pub root: PathBuf,
    /// Path of the control socket.
    pub control: PathBuf,
    /// Path of the database.
    pub store: PathBuf,
    /// `tracing` filter: "info", "warn,sip=debug".
    pub log: String,
    /// One JSON object a line instead of text.
    pub log_json: bool,
    /// `[engine] reload = { watch = true }`: a saved file is served.
    pub watch: bool,
}

/// Reads and checks the installation whose main file is `main`. Reads files, writes nothing.
/// `epoch_unix`: Unix seconds of `Time::ZERO`, which is about now.
pub fn load(main: &Path, secrets: &dyn Secrets, epoch_unix: i64) -> Loaded {
    let findings = Findings::default();
    let mut files = vec![main.to_owned()];
    let main_source = read_file(main, &findings);
    let silent = Findings::default();
    let main_file = Document::parse(&main_source, &findings);
    let mut install = Install::read(main_file.table(&findings, &silent), main, epoch_unix);
    files.append(&mut install.calendar_files);
    // Against a main file that cannot be read everything else looks wrong.
    let heard = if main_file.broken() { &silent } else { &findings };

    files.extend(install.directories(&findings, heard));
    let resolved = install.secrets(secrets);

    let agents_source = read_file(&install.agents, &findings);
    let agents_file = Document::parse(&agents_source, &findings);
    files.push(install.agents.clone());
    let agents = agents::read(agents_file.table(heard, &silent), &install, secrets);
    let roster = cross::roster(&install, agents.iter().map(|a| a.agent.clone()).collect(), heard);

    let list_path = install.prompts.join("prompts.toml");
    let list_source = if list_path.exists() {
        files.push(list_path.clone());
        read_file(&list_path, &findings)
    } else {
        Source::new(&list_path, String::new())
    };
    let list_file = Document::parse(&list_source, &findings);
    let listed = prompts::read_list(list_file.table(heard, &silent), &install);
    let mut sounds = prompts::read_sounds(&install, listed, heard);
    cross::music(&install, &mut sounds);
    install.check_prompts(&sounds, heard);
    let mailboxes = install.mailboxes(&roster.roster);

    let flow_sources: Vec<(String, Source)> = flow_files(&install, &main_source, &findings)
        .into_iter()
        .map(|(stem, path)| {
            let source = read_file(&path, &findings);
            files.push(path);
            (stem, source)
        })
        .collect();
    let documents: Vec<_> = flow_sources
        .iter()
        .map(|(stem, source)| (stem, source, Document::parse(source, &findings)))
        .collect();
    let flow_files = flow::Files {
        documents: documents.iter().map(|(stem, _, document)| (stem.as_str(), document)).collect(),
        silent: &silent,
    };
    let texts = documents.iter().map(|(stem, source, _)| (stem.as_str(), source.text.as_str())).collect();
    let versions = version::Versions::new(&install, texts);
    let mut flows: BTreeMap<&str, Option<FlowDraft<'_>>> = BTreeMap::new();
    for (stem, _, document) in &documents {
        let mut draft = flow::read(&flow_files, stem, &install, heard);
        if let Some(draft) = &mut draft {
            draft.flow.version = versions.of(stem, &draft.subflows);
        }
        // Of a broken file too little is known to say more.
        flows.insert(stem, draft.filter(|_| !document.broken()));
    }
    if findings.errors() == 0 {
        // What is wrong with a sub-flow is said of its own file; this must not be left unsaid.
        for draft in flows.values().flatten().filter(|draft| !draft.whole) {
            let what = format!("flow `{}` cannot take in its sub-flows", draft.flow.name);
            findings.error(draft.at, "bad-subflow", what);
        }
    }
    let numbers = std::mem::take(&mut install.numbers);
    let numbers = cross::numbers(&install, numbers, &flows, heard);
    let mut by_flow: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    numbers.iter().for_each(|n| by_flow.entry(n.flow).or_default().push(n));
    let subflows: BTreeSet<&str> =
        flows.values().flatten().flat_map(|f| f.subflows.iter().copied()).collect();
    for (name, draft) in &flows {
        if let Some(draft) = draft {
            let vars = by_flow.get(name).map_or(&[][..], Vec::as_slice);
            let used = subflows.contains(name);
            graph::check(draft, heard);
            cross::flow(draft, vars, used, &install, &roster, &sounds, heard);
        }
    }

    let (list, allowed) = findings.settled(&install.policy);
    let good = findings.errors() == 0 && list.iter().all(|f| f.severity == Level::Warning);
    let flows: BTreeMap<Arc<str>, Arc<ivr::Flow>> = flows
        .into_iter()
        .filter_map(|(name, draft)| Some((name.into(), Arc::new(draft.filter(|d| !d.sub)?.flow))))
        .filter(|_| good)
        .collect();
    let (flows_folder, tests) = (install.flows.clone(), test_files(&install.flows));
    let settings = good.then(|| {
        let number = |draft: cross::NumberSettings<'_>| {
            let flow = flows.get(draft.flow)?.clone();
            let cross::NumberSettings { digits, title, limit, vars, .. } = draft;
            Some((digits.clone(), Number { digits, title, flow, limit, vars }))
        };
        let titles = install.systems.announcements.into_iter().filter_map(|(name, announcement)| {
            Some((name, engine::Announcement { title: announcement?.title }))
        });
        Settings {
            version: engine::Version::default(),
            sip: SipSettings { realm: install.realm, product: install.product, listeners: install.listeners },
            media: install.media,
            limits: install.limits,
            numbers: numbers.into_iter().filter_map(number).collect(),
            prompts: Arc::new(sounds.prompts),
            roster: Arc::new(roster.roster),
            accounts: agents.into_iter().map(|a| a.account).collect(),
            feature_codes: install.feature_codes,
            epoch_unix,
            services: install.outside.services,
            secrets: resolved,
            mailboxes,
            surveys: install.outside.surveys,
            trunks: install.outside.trunks,
            announcements: titles.collect(),
        }
    });
    Loaded { settings, findings: list, allowed, server: install.server, files, flows, flows_folder, tests }
}

/// What is wrong with the text of a flow file that stands alone, without an installation around it: a
/// queue, an agent or opening hours that it names are unknown. Any text is welcome; nothing is read.
pub fn check_flow(text: &str) -> Vec<Finding> {
    let (findings, silent) = (Findings::default(), Findings::default());
    let source = Source::new(Path::new("flow.toml"), text.to_owned());
    let main = Source::new(Path::new("hotline.toml"), "[engine]\nlanguages = { en = [] }\n".to_owned());
    let main_file = Document::parse(&main, &silent);
    let install = Install::read(main_file.table(&silent, &silent), Path::new("hotline.toml"), 0);
    let document = Document::parse(&source, &findings);
    let files = flow::Files { documents: BTreeMap::from([("flow", &document)]), silent: &silent };
    if let Some(draft) = flow::read(&files, "flow", &install, &findings)
        && !document.broken()
    {
        graph::check(&draft, &findings);
        let roster = cross::roster(&install, vec![], &silent);
        cross::flow(&draft, &[], false, &install, &roster, &prompts::PromptSet::default(), &findings);
    }
    findings.settled(&Policy::default()).0
}

/// The text of a file; when there is none, a finding and the empty text.
fn read_file(path: &Path, findings: &Findings) -> Source {
    read_file_up_to(path, FILE_BYTES_MAX, findings)
}

/// As [`read_file`], for files of up to `bytes_max`.
pub(crate) fn read_file_up_to(path: &Path, bytes_max: u64, findings: &Findings) -> Source {
    let empty = Source::unreadable(path);
    let unreadable = |what: String, help: Option<&str>| {
        findings.error_help(empty.whole(), UNREADABLE, what, help.map(str::to_owned));
    };
    match std::fs::metadata(path) {
        Ok(meta) if meta.len() > bytes_max => {
            unreadable(format!("the file has {} bytes, more than {bytes_max}", meta.len()), None);
            return empty;
        }
        Ok(_) => {}
        Err(error) => {
            unreadable(format!("the file cannot be read: {error}"), None);
            return empty;
        }
    }
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Source::new(path, text),
        Ok(Err(error)) => {
            let good = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
            let source = Source::new(path, text);
            let help = "save the file as UTF-8".to_owned();
            findings.error_help(source.at(good), "not-utf8", "from here on this is not UTF-8", help);
            empty
        }
        Err(error) => {
            unreadable(format!("the file cannot be read: {error}"), None);
            empty
        }
    }
}

/// The flow files by name, without their tests.
fn flow_files(install: &Install<'_>, main: &Source, findings: &Findings) -> BTreeMap<String, PathBuf> {
    let entries = match std::fs::read_dir(&install.flows) {
        Ok(entries) => entries,
        Err(error) => {
            let what = format!("the flows' folder {} cannot be read: {error}", install.flows.display());
            findings.error(main.whole(), UNREADABLE, what);
            return BTreeMap::new();
        }
    };
    let mut files = BTreeMap::new();
    for path in entries.filter_map(|e| Some(e.ok()?.path())) {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let Some(stem) = name.strip_suffix(".toml").filter(|s| !s.ends_with(".test") && !s.starts_with('.'))
        else {
            continue;
        };
        if files.len() == FLOWS_MAX {
            findings.error(main.whole(), "too-many", format!("there are more than {FLOWS_MAX} flows"));
            break;
        }
        files.insert(stem.to_owned(), path.clone());
    }
    files
}

/// The files of tests by the name of their flow; a folder that cannot be read has been complained of.
fn test_files(folder: &Path) -> BTreeMap<Arc<str>, PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let named = entries.filter_map(|e| {
        let path = e.ok()?.path();
        let stem = path.file_name()?.to_str()?.strip_suffix(".test.toml")?.to_owned();
        (!stem.starts_with('.')).then(|| (stem.into(), path))
    });
    named.collect()
}

/// What somebody wrote, short enough to be shown and on one line.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    let line: String = text.chars().take(SHOWN).map(|c| if c.is_control() { '·' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { format!("{line}…") } else { line }
}
