//! Another configuration while calls go on: read, checked, tested, kept and swapped in, on a thread of its own.
//!
//! Whoever asks (an operator, SIGHUP, a file that was saved) puts an order in; one thread carries out one after the
//! other. Calls in progress keep what they began with. What fails anywhere changes nothing: it is told to whoever
//! asked, on the console, in the log, and as an event.
//!
//! *Invariant:* nothing here runs on the engine's thread or a media thread; what they get is ready for use.
//! The thread has the priority of any other: at a lower one a full machine kept whoever asked waiting for most of a
//! minute.

mod files;
mod fixed;
mod git;
mod kept;
mod sounds;
mod trial;

use crate::clock::Clock;
use crate::control::protocol::{Answer, Canary};
use crate::fetch::{self, Fetcher, SecretValue};
use crate::machine::{Line, Told};
use crate::media::Shelf;
use config::{Level, Loaded, Report, Secrets, ServerSettings, SystemSecrets};
use engine::{Change, LogEvent, Settings, Share, StoryLine, Version};
use files::{Prints, Stamps};
use fixed::Fixed;
use hotline_core::Time;
use kept::Versions;
use sounds::Sounds;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use store::{Store, VersionNews};
use tokio::sync::oneshot;

/// Orders that wait for the one being carried out.
const ORDERS_MAX: usize = 32;
/// How often watched files are looked at, and how long they must rest before they are read.
const LOOK: Duration = Duration::from_secs(1);
const REST: Duration = Duration::from_millis(500);
/// Lines of a refusal that the console shows; whoever asked gets more.
const CONSOLE_LINES: usize = 6;
const ANSWER_LINES: usize = 200;

/// The main file of a version that is kept beside a store: what `hotline versions` lists.
///
/// # Errors
/// None, or several, are called so: in words.
pub fn kept_version(store: &Path, wanted: &str) -> Result<PathBuf, String> {
    Versions::beside(store).find(wanted).map(|kept| kept.main)
}

/// Which installation is served, so that it can be read again.
#[derive(Clone, Debug)]
pub struct Source {
    pub main: PathBuf,
    pub server: ServerSettings,
    /// The files that were read: TOML and calendars.
    pub files: Vec<PathBuf>,
    /// The tests beside the flows.
    pub tests: Vec<PathBuf>,
    /// Where to listen was said on the command line; what the file says of it does not matter.
    pub listen_given: bool,
    /// Read again whenever a file is saved.
    pub watch: bool,
}

impl Source {
    pub fn new(main: PathBuf, loaded: &Loaded) -> Source {
        Source {
            main,
            server: loaded.server.clone(),
            files: loaded.files.clone(),
            tests: loaded.tests.values().cloned().collect(),
            listen_given: false,
            watch: loaded.server.watch,
        }
    }
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    Reload { canary: Option<Canary>, tests: bool },
    Rollback { version: String, tests: bool },
    Promote,
    Abort,
}

struct Order {
    what: What,
    by: String,
    answer: Option<oneshot::Sender<Answer>>,
}

/// Which versions new calls get.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Serving {
    pub current: Version,
    pub canary: Option<Version>,
    pub previous: Option<Version>,
}

/// How others speak with the thread that reloads. Clones speak with the same one.
#[derive(Clone, Debug)]
pub struct Reloads {
    orders: SyncSender<Order>,
    serving: Arc<Mutex<Serving>>,
}

impl Reloads {
    /// Asks, and waits for the answer without blocking.
    pub async fn ask(&self, what: What, by: String) -> Answer {
        let (sender, answer) = oneshot::channel();
        match self.orders.try_send(Order { what, by, answer: Some(sender) }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Answer::Error("too many reloads wait already; try again".into());
            }
            Err(TrySendError::Disconnected(_)) => return Answer::Error("the engine is stopping".into()),
        }
        answer.await.unwrap_or_else(|_| Answer::Error("the engine is stopping".into()))
    }

    /// Asks, and leaves the answer to the log.
    pub fn tell(&self, what: What, by: &str) {
        // When so many wait, one of them will read what is there now.
        let _ = self.orders.try_send(Order { what, by: by.to_owned(), answer: None });
    }

    pub fn serving(&self) -> Serving {
        lock(&self.serving).clone()
    }
}

fn lock(serving: &Mutex<Serving>) -> MutexGuard<'_, Serving> {
    serving.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread speaks with.
pub(crate) struct Around {
    pub clock: Clock,
    pub line: Line,
    pub shelf: Arc<Shelf>,
    pub store: Option<Arc<Store>>,
    pub stories: Option<SyncSender<Told>>,
    pub fetcher: Fetcher,
}

impl Around {
    /// Tells the store what became of a version.
    fn note(&self, version: Version, what: &'static str, by: &str) {
        if let Some(store) = &self.store {
            store.version(VersionNews { at: self.clock.now(), version, what, by: by.to_owned() });
        }
    }
}

/// The installation as it is when the engine starts, under its version.
pub(crate) struct Start {
    source: Source,
    prints: Prints,
    versions: Versions,
    pub settings: Settings,
}

impl Start {
    /// Says in the settings which version they are.
    pub fn new(source: Source, mut settings: Settings) -> Start {
        let mut prints = Prints::new(&source.server.root);
        let hash = prints.version(&source.files, &settings.prompts.files);
        settings.version = Version { hash, commit: git::commit(&source.main) };
        let versions = Versions::beside(&source.server.store);
        Start { source, prints, versions, settings }
    }
}

/// The thread, and how to end it.
#[derive(Debug)]
pub(crate) struct Thread {
    pub reloads: Reloads,
    stopping: Arc<AtomicBool>,
    handle: JoinHandle<()>,
}

impl Thread {
    /// `served`: what the engine was given at its start.
    pub fn start(start: Start, served: &Settings, around: Around) -> std::io::Result<Thread> {
        let Start { source, mut prints, versions, settings } = start;
        let (orders, taken) = sync_channel(ORDERS_MAX);
        let serving = Serving { current: settings.version.clone(), ..Serving::default() };
        let serving = Arc::new(Mutex::new(serving));
        // Before anybody can ask which versions there are.
        around.note(settings.version.clone(), "started", "start");
        let stopping = Arc::new(AtomicBool::new(false));
        let reloads = Reloads { orders, serving: serving.clone() };
        let handle = {
            let stopping = stopping.clone();
            let sounds = Sounds::new(&served.prompts, &prints.of(&served.prompts.files));
            let outside = Outside::of(&settings);
            let fixed = Fixed::of(&settings, &source.server);
            let files = Files {
                toml: source.files.clone(),
                tests: source.tests.clone(),
                sounds: settings.prompts.files.clone(),
            };
            thread::Builder::new().name("reload".into()).spawn(move || {
                let mut reloader = Reloader {
                    source,
                    prints,
                    versions,
                    fixed,
                    sounds,
                    around,
                    serving,
                    stopping,
                    outside,
                    files,
                };
                reloader.began(&settings.version);
                reloader.run(&taken);
            })?
        };
        Ok(Thread { reloads, stopping, handle })
    }

    /// Waits for it; no other `Reloads` may be left.
    pub fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.reloads);
        let _ = self.handle.join();
    }
}

/// What an installation was read from.
#[derive(Clone, Default, Debug)]
struct Files {
    toml: Vec<PathBuf>,
    tests: Vec<PathBuf>,
    sounds: Vec<PathBuf>,
}

impl Files {
    fn of(loaded: &Loaded) -> Files {
        let sounds = loaded.settings.as_ref().map(|s| s.prompts.files.clone()).unwrap_or_default();
        Files { toml: loaded.files.clone(), tests: loaded.tests.values().cloned().collect(), sounds }
    }

    /// With the folders, which tell of files that come and go.
    fn watched(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> =
            [&self.toml, &self.tests, &self.sounds].into_iter().flatten().cloned().collect();
        let mut folders: Vec<PathBuf> = all.iter().filter_map(|f| f.parent().map(Path::to_owned)).collect();
        folders.sort();
        folders.dedup();
        all.append(&mut folders);
        all
    }
}

/// An installation that may be served.
struct Good {
    settings: Settings,
    loaded: Loaded,
    /// What passed, in words.
    passed: String,
}

/// What requests to other systems take: of every version since the start, for calls in progress may ask yet.
#[derive(Clone, Default)]
struct Outside {
    secrets: fetch::Secrets,
    authorities: BTreeMap<Arc<str>, PathBuf>,
}

impl Outside {
    fn of(settings: &Settings) -> Outside {
        let secret =
            |(name, secret): (&Arc<str>, &engine::Secret)| (name.clone(), SecretValue::new(secret.reveal()));
        let authority =
            |(name, service): (&Arc<str>, &engine::Service)| Some((name.clone(), service.ca.clone()?));
        Outside {
            secrets: settings.secrets.iter().map(secret).collect(),
            authorities: settings.services.iter().filter_map(authority).collect(),
        }
    }

    fn add(&mut self, settings: &Settings, fetcher: &Fetcher) -> Result<(), String> {
        let Outside { secrets, authorities } = Outside::of(settings);
        let mut all = self.clone();
        all.secrets.extend(secrets);
        all.authorities.extend(authorities);
        fetcher.install(all.secrets.clone(), &all.authorities).map_err(|e| e.to_string())?;
        *self = all;
        Ok(())
    }
}

struct Reloader {
    source: Source,
    prints: Prints,
    versions: Versions,
    fixed: Fixed,
    sounds: Sounds,
    around: Around,
    serving: Arc<Mutex<Serving>>,
    stopping: Arc<AtomicBool>,
    outside: Outside,
    /// What the installation was read from last: what is watched.
    files: Files,
}

impl Reloader {
    fn run(&mut self, orders: &Receiver<Order>) {
        let mut seen = self.look();
        loop {
            let order = match self.source.watch {
                true => orders.recv_timeout(LOOK),
                false => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match order {
                Ok(order) => {
                    let answer = self.carry_out(&order);
                    if let Some(asker) = order.answer {
                        // He may have left.
                        let _ = asker.send(answer);
                    }
                    seen = self.look();
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.look() != seen {
                        self.rest();
                        self.saved();
                        seen = self.look();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look(&self) -> Stamps {
        if self.source.watch { Stamps::of(&self.files.watched()) } else { Stamps::default() }
    }

    /// Until nobody has written for a moment.
    #[expect(
        clippy::disallowed_methods,
        reason = "files tell nobody when they are written: they are looked at again"
    )]
    fn rest(&self) {
        let mut before = self.look();
        while !self.stops() {
            thread::sleep(REST);
            let now = self.look();
            if now == before {
                return;
            }
            before = now;
        }
    }

    /// A watched file was saved, or a folder changed; what is served already is no news.
    fn saved(&mut self) {
        let hash = self.prints.version(&self.files.toml, &self.files.sounds);
        let same_files = Stamps::all_there(&self.files.watched());
        if same_files && hash == lock(&self.serving).current.hash && !self.other_files() {
            return;
        }
        let order =
            Order { what: What::Reload { canary: None, tests: true }, by: "watch".into(), answer: None };
        self.carry_out(&order);
    }

    /// New files of flows or prompts change the version only once they are read.
    fn other_files(&self) -> bool {
        let loaded = config::load(&self.source.main, &SystemSecrets, self.wall_secs());
        let files = Files::of(&loaded);
        files.toml != self.files.toml || files.sounds != self.files.sounds
    }

    fn carry_out(&mut self, order: &Order) -> Answer {
        let by = &order.by;
        let done = match &order.what {
            What::Reload { canary, tests } => self.reload(canary.as_ref(), *tests, by),
            What::Rollback { version, tests } => self.rollback(version, *tests, by),
            What::Promote => self.conclude(Change::Promote, "canary-promoted", by),
            What::Abort => self.conclude(Change::Abort, "canary-aborted", by),
        };
        match done {
            Ok(said) => {
                tracing::info!(by, "{}", said.lines().next().unwrap_or_default());
                Answer::Done(said)
            }
            Err(why) => {
                self.refused(&why, by);
                Answer::Error(shown(&why, ANSWER_LINES))
            }
        }
    }

    fn reload(&mut self, canary: Option<&Canary>, tests: bool, by: &str) -> Result<String, String> {
        let main = self.source.main.clone();
        let loaded = self.read_at_rest(&main);
        // Also of an installation with mistakes: the next save may mend them.
        if loaded.settings.is_some() {
            self.files = Files::of(&loaded);
        } else {
            self.files.toml.clone_from(&loaded.files);
        }
        let mut good = self.proved(&main, loaded, tests)?;
        let root = self.source.server.root.clone();
        let hash = self.prints.version(&good.loaded.files, &good.settings.prompts.files);
        good.settings.version = Version { hash, commit: git::commit(&main) };
        // A full disk is no reason to go on with what may be worse.
        let files = Files::of(&good.loaded);
        if let Err(why) = self.versions.keep(&good.settings.version, &main, &root, &files, &mut self.prints) {
            tracing::warn!(why, "this version is not kept: no rollback will bring it back");
            good.passed.push_str(&format!("\n  warning: {why}; no rollback will bring it back"));
        }
        let (current, version) = (lock(&self.serving).current.clone(), good.settings.version.clone());
        let passed = good.passed.clone();
        match canary {
            None => {
                self.serve(good, Change::Serve, "reloaded", by)?;
                Ok(match current.hash == version.hash {
                    true => format!("version {version} is served already; it was read anew; {passed}"),
                    false => format!("version {version} serves new calls, after {current}; {passed}"),
                })
            }
            Some(canary) => {
                let share = share(canary)?;
                let of = canary.to_string();
                self.serve(good, |settings| Change::Try(settings, share), "canary-started", by)?;
                Ok(format!(
                    "version {version} serves {of}, {current} the others; {passed}\n  \
                     help: `hotline reload --promote` gives it to everybody, `--abort` to nobody"
                ))
            }
        }
    }

    fn rollback(&mut self, wanted: &str, tests: bool, by: &str) -> Result<String, String> {
        let serving = lock(&self.serving).clone();
        let kept = match wanted {
            "previous" => self.versions.before(&serving)?,
            hash => self.versions.find(hash)?,
        };
        let loaded = config::load(
            &kept.main,
            &MovedSecrets { from: kept.root.clone(), to: self.source.server.root.clone() },
            self.wall_secs(),
        );
        let mut good = self.proved(&kept.main, loaded, tests)?;
        let mut prints = Prints::new(&kept.root);
        let hash = prints.version(&good.loaded.files, &good.settings.prompts.files);
        if hash != kept.version.hash {
            return Err(format!(
                "version {} cannot be brought back as it was: a file outside the installation has changed since\n  \
                 help: bring the files back yourself and `hotline reload`",
                kept.version
            ));
        }
        good.settings.version = kept.version.clone();
        let passed = good.passed.clone();
        self.serve(good, Change::Serve, "rolled-back", by)?;
        self.versions.touch(&kept.version.hash);
        Ok(format!(
            "version {} serves new calls again, after {}; {passed}\n  note: the files in {} are as they were; the next \
             reload reads them",
            kept.version,
            serving.current,
            self.source.server.root.display()
        ))
    }

    /// Ends a trial, either way.
    fn conclude(&mut self, change: Change, what: &'static str, by: &str) -> Result<String, String> {
        let said = self.around.line.configure(change, by)?;
        let version = {
            let mut serving = lock(&self.serving);
            let canary = serving.canary.take().unwrap_or_default();
            if what == "canary-promoted" {
                let before = std::mem::replace(&mut serving.current, canary.clone());
                serving.previous = Some(before);
            }
            canary
        };
        self.around.note(version, what, by);
        Ok(format!("{what}: {said}"))
    }

    /// Everything but the swap: nothing wrong in it, nothing that takes a restart, and its tests pass.
    fn proved(&mut self, main: &Path, loaded: Loaded, tests: bool) -> Result<Good, String> {
        let Some(settings) = loaded.settings.clone() else {
            // Warnings would hide why.
            let mut errors = loaded.findings;
            errors.retain(|finding| finding.severity == Level::Error);
            return Err(Report { findings: &errors }.to_string());
        };
        self.fixed.holds(&settings, &loaded.server, self.source.listen_given)?;
        let passed = match tests {
            true => trial::run(main, &loaded, Arc::new(settings.clone()), &|| self.stops())?,
            false => "not tested".to_owned(),
        };
        let passed = match loaded.findings.len() {
            0 => passed,
            n => format!("{passed}; {n} warnings, `hotline check` lists them"),
        };
        Ok(Good { settings, loaded, passed })
    }

    /// The one moment at which new calls get something else.
    fn serve(
        &mut self,
        good: Good,
        change: impl FnOnce(Settings) -> Change,
        what: &'static str,
        by: &str,
    ) -> Result<(), String> {
        if self.stops() {
            return Err("the engine is stopping".into());
        }
        let mut settings = good.settings;
        let version = settings.version.clone();
        let hashes = self.prints.of(&settings.prompts.files);
        self.outside.add(&settings, &self.around.fetcher)?;
        settings.prompts = self.sounds.place(&settings.prompts, &hashes, &self.around.shelf)?;
        self.around.line.configure(change(settings), by)?;
        let news = {
            let mut serving = lock(&self.serving);
            if what == "canary-started" {
                serving.canary = Some(version.clone());
                true
            } else {
                serving.canary = None;
                let before = std::mem::replace(&mut serving.current, version.clone());
                let news = before.hash != version.hash;
                if news {
                    serving.previous = Some(before);
                }
                news
            }
        };
        if news {
            self.around.note(version, what, by);
        }
        Ok(())
    }

    fn began(&mut self, version: &Version) {
        let (main, root) = (self.source.main.clone(), self.source.server.root.clone());
        if let Err(why) = self.versions.keep(version, &main, &root, &self.files.clone(), &mut self.prints) {
            tracing::warn!(%version, why, "this version is not kept: no rollback will bring it back");
        }
    }

    fn refused(&self, why: &str, by: &str) {
        let first = why.lines().next().unwrap_or_default();
        tracing::warn!(by, why = shown(why, ANSWER_LINES), "reload refused; nothing has changed");
        let at: Time = self.around.clock.now();
        if let Some(store) = &self.around.store {
            let version = lock(&self.serving).current.clone();
            let detail = format!("version={version} by={by} why={first}");
            store.event(LogEvent { at, call: None, agent: None, kind: "reload-refused", detail });
        }
        let Some(stories) = &self.around.stories else { return };
        let lines = shown(why, CONSOLE_LINES);
        let lines = std::iter::once(format!("reload refused, by {by}; nothing has changed"))
            .chain(lines.lines().map(|line| format!("  {line}")));
        for line in lines {
            let _ = stories.try_send(Told { at, call: None, line: StoryLine::Note(line) });
        }
    }

    /// Reads the installation; when somebody was writing just then, once more.
    #[expect(
        clippy::disallowed_methods,
        reason = "files tell nobody when they are written: they are looked at again"
    )]
    fn read_at_rest(&self, main: &Path) -> Loaded {
        const TRIES: u32 = 20;
        const FRESH: Duration = Duration::from_millis(20);
        let mut tries = 0;
        loop {
            let began = self.wall();
            let loaded = config::load(main, &SystemSecrets, self.wall_secs());
            let files = Files::of(&loaded);
            let fresh = Stamps::of(&files.watched()).any_since(began.saturating_sub(FRESH), self.wall());
            tries += 1;
            if !fresh || tries == TRIES || self.stops() {
                return loaded;
            }
            thread::sleep(FRESH);
        }
    }

    /// Since 1970.
    fn wall(&self) -> Duration {
        let epoch = Duration::from_secs(self.around.clock.epoch_unix().max(0).cast_unsigned());
        epoch + self.around.clock.now().since(Time::ZERO)
    }

    fn wall_secs(&self) -> i64 {
        i64::try_from(self.wall().as_secs()).unwrap_or(i64::MAX)
    }

    fn stops(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

fn share(canary: &Canary) -> Result<Share, String> {
    match canary {
        Canary::Share(share @ 0..=10_000) => Ok(Share::Calls(*share)),
        Canary::Share(_) => Err("a share is between 0% and 100%".into()),
        Canary::Callers(callers) if callers.is_empty() => Err("the list of callers is empty".into()),
        Canary::Callers(callers) => {
            Ok(Share::Callers(callers.iter().map(|n| ivr::plain_number(n, "")).collect()))
        }
    }
}

/// The beginning of a long report.
fn shown(text: &str, lines: usize) -> String {
    let mut shown: Vec<&str> = text.lines().take(lines).collect();
    let left = text.lines().count() - shown.len();
    let more = format!("... and {left} lines more");
    if left > 0 {
        shown.push(&more);
    }
    shown.join("\n")
}

/// Secrets of a copy are where they always were.
struct MovedSecrets {
    from: PathBuf,
    to: PathBuf,
}

impl Secrets for MovedSecrets {
    fn env(&self, name: &str) -> Option<String> {
        SystemSecrets.env(name)
    }

    fn file(&self, path: &Path) -> std::io::Result<String> {
        match path.strip_prefix(&self.from) {
            Ok(rest) => SystemSecrets.file(&self.to.join(rest)),
            Err(_) => SystemSecrets.file(path),
        }
    }
}
