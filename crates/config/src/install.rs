//! `hotline.toml`: the installation as a whole, without its agents, flows and prompts.
mod media;
mod queues;

use crate::ServerSettings;
use crate::allow::Policy;
use crate::calendar::Calendars;
use crate::finding::{At, Findings, all_of, did_you_mean};
use crate::hours;
use crate::read::{Table, Value};
use crate::systems::{Outside, Systems};
use acd::{AgentOrder, Pool};
use engine::{CallLimits, FeatureCodes, Listener, MediaSettings};
use sip::Transport;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// No wait is longer than this: a week.
pub(crate) const LONGEST: Duration = secs(7 * 24 * 3600);
/// What `hotline.toml` says, with places where other files must agree.
#[derive(Debug)]
pub(crate) struct Install<'a> {
    pub product: String,
    pub realm: String,
    pub listeners: Vec<Listener>,
    pub server: ServerSettings,
    pub agents: PathBuf,
    pub flows: PathBuf,
    pub prompts: PathBuf,
    /// Language -> where to look when it lacks a prompt.
    pub languages: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    pub languages_at: At<'a>,
    pub music: Option<Value<'a>>,
    pub limits: CallLimits,
    pub agent_calls_max: Option<u32>,
    pub media: MediaSettings,
    pub numbers: Vec<NumberDraft<'a>>,
    pub pools: Vec<Pool>,
    pub skills: BTreeSet<String>,
    pub queues: Vec<QueueDraft<'a>>,
    /// None: it is there, but cannot be read.
    pub hours: BTreeMap<Arc<str>, Option<Arc<ivr::Schedule>>>,
    /// The files of the hours' calendars.
    pub calendar_files: Vec<PathBuf>,
    pub feature_codes: FeatureCodes,
    /// Tables, directories, services and what else flows name.
    pub systems: Systems,
    pub outside: Outside<'a>,
    /// Warn when a caller hears more than this before a person can be reached.
    pub audio_max: Duration,
    /// Warnings that are errors here.
    pub policy: Policy,
}

/// A number, before its flow is looked up.
#[derive(Debug)]
pub(crate) struct NumberDraft<'a> {
    pub digits: Arc<str>,
    pub title: String,
    pub flow: Option<Value<'a>>,
    pub limit: Option<u32>,
    pub vars: Vec<Value<'a>>,
}

/// A queue, before its requirement is understood (which takes the roster).
#[derive(Debug)]
pub(crate) struct QueueDraft<'a> {
    pub name: Arc<str>,
    pub at: At<'a>,
    /// Indices into `Install::pools`.
    pub pools: Vec<usize>,
    pub require: Option<Value<'a>>,
    pub order: AgentOrder,
    pub limit: Option<u32>,
    pub length_max: u32,
    pub ring: Duration,
    pub wrap_up: Duration,
    pub promise: [Duration; 4],
}

impl<'a> Install<'a> {
    /// Reads `hotline.toml` at `path`; what it lacks or has wrong takes its default and is a finding.
    pub fn read(file: Table<'a>, path: &Path, epoch_unix: i64) -> Install<'a> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let root = normal(&folder.join(".."));
        let findings = file.findings;
        let mut install = Install {
            product: "hotline".into(),
            realm: "hotline".into(),
            listeners: default_listeners(),
            server: ServerSettings {
                control: normal(&root.join("var/hotline.sock")),
                store: normal(&root.join("var/hotline.db")),
                log: "info".into(),
                log_json: false,
                watch: false,
                root,
            },
            agents: folder.join("agents.toml"),
            flows: folder.join("flows"),
            prompts: normal(&folder.join("../prompts")),
            languages: BTreeMap::new(),
            languages_at: file.at(),
            music: None,
            limits: CallLimits {
                calls: 2000,
                retry_after: secs(10),
                call_max: secs(4 * 3600),
                drain_max: secs(60),
            },
            agent_calls_max: None,
            media: MediaSettings {
                address: None,
                ports: (10000, 29999),
                port_rest: secs(5),
                no_media_after: Some(secs(60)),
                threads: 0,
                codecs: vec![sdp::Codec::Pcma, sdp::Codec::Pcmu],
            },
            numbers: vec![],
            pools: vec![],
            skills: BTreeSet::new(),
            queues: vec![],
            hours: BTreeMap::new(),
            calendar_files: vec![],
            feature_codes: FeatureCodes {
                ready: "*50".into(),
                pause: "*51".into(),
                logout: "*52".into(),
                pause_reasons: BTreeMap::new(),
            },
            systems: Systems::default(),
            outside: Outside::default(),
            audio_max: secs(60),
            policy: Policy::default(),
        };
        match file.table("engine").map(|t| formed(t, "engine")) {
            Some(engine) => install.engine(engine, folder),
            None => file.missing("engine", "add a table [engine] with at least `languages`"),
        }
        if let Some(media) = file.table("media").map(|t| formed(t, "media")) {
            install.media(media);
        }
        install.check_ports(&file);
        install.check_addresses(&file);
        if let Some(log) = file.table("log").map(|t| formed(t, "log")) {
            if let Some(level) = log.get("level").and_then(|v| v.word()) {
                install.server.log = level.into();
            }
            if let Some(json) = log.get("json").and_then(|v| v.flag()) {
                install.server.log_json = json;
            }
            log.done();
        }
        if let Some(check) = file.table("check").map(|t| formed(t, "check")) {
            if let Some(max) = check.get("audio_before_person").and_then(|v| v.duration(secs(1)..=LONGEST)) {
                install.audio_max = max;
            }
            install.policy = Policy::read(&check);
            check.done();
        }
        if let Some(skills) = file.table("skill") {
            flatten(&skills, "", &mut |name, value| {
                check_name(findings, value.key_at(), "skill", &name);
                value.text();
                install.skills.insert(name);
            });
        }
        for pool in tables(&file, "pool") {
            install.pool(pool);
        }
        for queue in tables(&file, "queue") {
            install.queue(queue);
        }
        let mut calendars = Calendars::new(folder, epoch_unix);
        for (name, at, hours) in tables(&file, "hours") {
            check_name(findings, at, "opening hours", name);
            let schedule = hours::read(hours, name, &mut calendars, epoch_unix);
            install.hours.insert(name.into(), schedule.map(Arc::new));
        }
        install.calendar_files = calendars.files;
        install.systems(&file, folder);
        if let Some(codes) = file.table("feature_codes").map(|t| formed(t, "feature_codes")) {
            install.feature_codes(codes);
        }
        for number in tables(&file, "number") {
            install.number(number);
        }
        if install.numbers.is_empty() {
            findings.warning(
                file.at(),
                "no-number",
                "no number is served: every call will be answered 404",
                "add [number.4009508888] with `flow = \"...\"`".to_owned(),
            );
        }
        file.done();
        install
    }

    fn engine(&mut self, engine: Table<'a>, folder: &Path) {
        let path = |key, base: &Path| Some(normal(&base.join(engine.get(key)?.word()?)));
        if let Some(name) = engine.get("name").and_then(header_token) {
            self.product = name;
        }
        if let Some(realm) = engine.get("realm").and_then(header_token) {
            self.realm = realm;
        }
        if let Some(listen) = engine.get("listen") {
            self.listen(listen);
        }
        if let Some(advertise) = engine.get("advertise").and_then(advertised) {
            for listener in &mut self.listeners {
                listener.advertised = Some(advertise.clone());
            }
        }
        let root = self.server.root.clone();
        self.server.control = path("control", &root).unwrap_or_else(|| self.server.control.clone());
        self.server.store = path("store", &root).unwrap_or_else(|| self.server.store.clone());
        self.agents = path("agents", folder).unwrap_or_else(|| self.agents.clone());
        self.flows = path("flows", folder).unwrap_or_else(|| self.flows.clone());
        self.prompts = path("prompts", folder).unwrap_or_else(|| self.prompts.clone());
        const LANGUAGES: &str = "write `languages = { cmn = [], yue = [\"cmn\"] }`";
        if let Some(languages) = engine.need("languages", LANGUAGES) {
            self.languages(languages);
        }
        self.music = engine.get("music");
        self.systems.zone =
            engine.get("zone").and_then(|v| hours::checked(&v, "unknown-zone", ivr::hours::zone(v.word()?)));
        let limits = &mut self.limits;
        set(&mut limits.calls, engine.get("calls_max").and_then(|v| v.count(1..=1_000_000)));
        set(&mut limits.call_max, engine.get("call_max").and_then(|v| v.duration(secs(1)..=LONGEST)));
        set(
            &mut limits.retry_after,
            engine.get("retry_after").and_then(|v| v.duration(secs(1)..=secs(3600))),
        );
        set(&mut limits.drain_max, engine.get("drain_max").and_then(|v| v.duration(secs(0)..=secs(86400))));
        self.agent_calls_max = engine.get("agent_calls_max").and_then(|v| v.count(1..=1_000_000));
        if let Some(reload) = engine.get("reload").and_then(|v| v.table()) {
            let reload = reload.form(&crate::forms::RELOAD);
            self.server.watch = reload.get("watch").and_then(|v| v.flag()).unwrap_or(false);
            reload.done();
        }
        engine.done();
    }

    fn listen(&mut self, value: Value<'a>) {
        const FORM: &str = "write transport:address:port, as \"udp:127.0.0.1:5060\" or \"tcp:[::1]:5060\"";
        let mut listeners: Vec<Listener> = vec![];
        for entry in value.list().unwrap_or_default() {
            let Some(text) = entry.text() else { continue };
            let parsed = text.split_once(':').and_then(|(transport, address)| {
                let transport = match transport {
                    "udp" => Transport::Udp,
                    "tcp" => Transport::Tcp,
                    _ => return None,
                };
                Some(Listener { transport, address: address.parse().ok()?, advertised: None })
            });
            match parsed {
                None => entry.error_help(
                    "bad-address",
                    format!("cannot listen on \"{}\"", crate::shorten(text)),
                    FORM.to_owned(),
                ),
                Some(l) if listeners.contains(&l) => {
                    entry.error("duplicate", format!("`listen` has \"{text}\" twice"));
                }
                Some(l) => listeners.push(l),
            }
        }
        if value.list().is_some_and(|l| l.is_empty()) {
            value.error_help("empty", "`listen` is empty: no phone could reach the engine", FORM.to_owned());
        }
        if !listeners.is_empty() {
            self.listeners = listeners;
        }
    }

    fn languages(&mut self, value: Value<'a>) {
        self.languages_at = value.key_at();
        let Some(table) = value.table() else { return };
        let entries = table.entries();
        if entries.is_empty() {
            value.error("empty", "`languages` is empty: no prompt could be played");
        }
        for entry in &entries {
            check_name(entry.findings, entry.key_at(), "language", entry.key);
            let mut chain: Vec<Arc<str>> = vec![];
            for fallback in entry.list().unwrap_or_default() {
                let Some(name) = fallback.text() else { continue };
                if name == entry.key {
                    fallback.error("bad-fallback", format!("language `{name}` falls back to itself"));
                } else if !entries.iter().any(|e| e.key == name) {
                    let help = did_you_mean(name, entries.iter().map(|e| e.key));
                    fallback.error_help("unknown-language", format!("no language is called `{name}`"), help);
                } else {
                    chain.push(name.into());
                }
            }
            self.languages.insert(entry.key.into(), chain);
        }
    }

    fn feature_codes(&mut self, codes: Table<'a>) {
        let code = |key: &'static str, default: &Arc<str>| -> Arc<str> {
            let Some(value) = codes.get(key) else { return default.clone() };
            let Some(text) = value.word() else { return default.clone() };
            if text.chars().all(|c| matches!(c, '0'..='9' | '*' | '#')) {
                return text.into();
            }
            value.error(
                "bad-key",
                format!("`{key}` must be dialled with 0-9, * and #, and is \"{}\"", crate::shorten(text)),
            );
            default.clone()
        };
        let default = &self.feature_codes;
        let mut read = FeatureCodes {
            ready: code("ready", &default.ready),
            pause: code("pause", &default.pause),
            logout: code("logout", &default.logout),
            pause_reasons: BTreeMap::new(),
        };
        let all = [&read.ready, &read.pause, &read.logout];
        if all.iter().collect::<BTreeSet<_>>().len() < all.len() {
            codes.findings.error(codes.at(), "duplicate", "two feature codes are the same");
        }
        if let Some(reasons) = codes.get("pause_reasons").and_then(|v| v.table()) {
            for entry in reasons.entries() {
                let Some(reason) = entry.word() else { continue };
                match entry.key.chars().next() {
                    Some(key @ '0'..='9') if entry.key.len() == 1 => {
                        read.pause_reasons.insert(key, reason.to_owned());
                    }
                    _ => entry.findings.error(
                        entry.key_at(),
                        "bad-key",
                        format!(
                            "a pause reason is one digit after the code, not `{}`",
                            crate::shorten(entry.key)
                        ),
                    ),
                }
            }
        }
        codes.done();
        self.feature_codes = read;
    }

    fn number(&mut self, (digits, at, number): Named<'a>) {
        let number = number.titled(format!("number {digits}"));
        let dialable = |c: char| c.is_ascii_alphanumeric() || "*#+-._".contains(c);
        if digits.is_empty() || digits.len() > 64 || !digits.chars().all(dialable) {
            number.findings.error(
                at,
                "bad-number",
                format!("`{}` cannot be dialled", crate::shorten(digits)),
            );
        }
        let codes = &self.feature_codes;
        if [&codes.ready, &codes.pause, &codes.logout].iter().any(|c| &***c == digits) {
            number.findings.error(
                at,
                "duplicate",
                format!("{digits} is a feature code of the agents' phones"),
            );
        }
        let draft = NumberDraft {
            digits: digits.into(),
            title: number.get("title").and_then(|v| v.text()).unwrap_or(digits).to_owned(),
            flow: number.need("flow", "name the flow that answers this number: `flow = \"support\"`"),
            limit: number.get("limit").and_then(|v| v.count(1..=1_000_000)),
            vars: number.get("vars").and_then(|v| v.table()).map(|t| t.entries()).unwrap_or_default(),
        };
        if draft.limit.is_some_and(|l| l > self.limits.calls) {
            let (limit, calls) = (draft.limit.unwrap_or_default(), self.limits.calls);
            number.findings.warning(
                at,
                "limit-never-met",
                format!("number {digits} allows {limit} calls, and the engine only {calls} (calls_max)"),
                None,
            );
        }
        number.done();
        self.numbers.push(draft);
    }
}

fn default_listeners() -> Vec<Listener> {
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5060);
    [Transport::Udp, Transport::Tcp].map(|transport| Listener { transport, address, advertised: None }).into()
}

/// What stands in SIP headers unquoted or between quotes: printable ASCII without quotes.
fn header_token(value: Value<'_>) -> Option<String> {
    let text = value.word()?;
    if text.len() <= 64
        && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '<' | '>' | ':'))
    {
        return Some(text.to_owned());
    }
    value.error_help(
        "bad-name",
        format!("`{}` goes into SIP headers and cannot be \"{}\"", value.key, crate::shorten(text)),
        "use letters, digits, dots and dashes".to_owned(),
    );
    None
}

fn advertised(value: Value<'_>) -> Option<String> {
    let text = value.word()?;
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let host_ok = match bare {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)),
    };
    if host_ok && port.is_none_or(|p| p.parse::<u16>().is_ok_and(|p| p > 0)) {
        return Some(text.to_owned());
    }
    value.error_help(
        "bad-address",
        format!("`advertise` is no host: \"{}\"", crate::shorten(text)),
        "write a name or address, with a port if it is not the listener's: \"sip.example.com:5060\""
            .to_owned(),
    );
    None
}

/// With the form of such tables, when it has one.
fn formed<'a>(table: Table<'a>, kind: &str) -> Table<'a> {
    match crate::forms::table_form(kind) {
        Some(form) => table.form(form),
        None => table,
    }
}

/// A table's name, its place, and the table: `[queue.technical]`.
pub(crate) type Named<'a> = (&'a str, At<'a>, Table<'a>);

/// The tables under `[kind.NAME]`, in the order of the file.
pub(crate) fn tables<'a>(file: &Table<'a>, kind: &'static str) -> Vec<Named<'a>> {
    let Some(group) = file.table(kind) else { return vec![] };
    let named = |entry: Value<'a>| {
        let table = entry.table()?.titled(format!("{kind} `{}`", crate::shorten(entry.key)));
        Some((entry.key, entry.key_at(), formed(table, kind)))
    };
    group.entries().into_iter().filter_map(named).collect()
}

/// `"lang.cmn" = 5` and `lang.cmn = 5` mean the same.
pub(crate) fn flatten<'a>(table: &Table<'a>, prefix: &str, each: &mut dyn FnMut(String, Value<'a>)) {
    for entry in table.entries() {
        let name = format!("{prefix}{}", entry.key);
        match entry.is_table().then(|| entry.table()).flatten() {
            Some(inner) => flatten(&inner, &format!("{name}."), each),
            None => each(name, entry),
        }
    }
}

/// Names are used in texts, expressions and file names: letters, digits, `-`, `_` and `.`.
pub(crate) fn check_name(findings: &Findings, at: At<'_>, kind: &str, name: &str) {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fine) {
        findings.error_help(
            at,
            "bad-name",
            format!("a {kind} cannot be called `{}`", crate::shorten(name)),
            "use up to 64 letters, digits, `-`, `_` and `.`".to_owned(),
        );
    }
}

/// `wanted` is not among the names of its kind.
pub(crate) fn unknown<'n>(value: &Value<'_>, kind: &str, wanted: &str, names: impl Iterator<Item = &'n str>) {
    let names: Vec<&str> = names.collect();
    let help = did_you_mean(wanted, names.iter().copied()).or_else(|| match names.len() {
        0 if kind == "secret" => {
            Some(format!("add it: [secret] {} = {{ env = \"VARIABLE\" }}", crate::shorten(wanted)))
        }
        0 if kind == "sub-flow" => Some(format!(
            "there is none: add flows/{}.toml with `sub = true` in [flow]",
            crate::shorten(wanted)
        )),
        0 => Some(format!("none is defined: add [{kind}.{}]", crate::shorten(wanted))),
        1..=12 => Some(format!("known: {}", all_of(names.iter().copied()))),
        _ => None,
    });
    let rule = match kind {
        "pool" => "unknown-pool",
        "queue" => "unknown-queue",
        "flow" => "unknown-flow",
        "hours" => "unknown-hours",
        "agent" => "unknown-agent",
        "directory" => "unknown-directory",
        "secret" => "unknown-secret",
        "service" => "unknown-service",
        "announcement" => "unknown-announcement",
        "mailbox" => "unknown-mailbox",
        "survey" => "unknown-survey",
        "trunk" => "unknown-trunk",
        "bot" => "unknown-bot",
        "sub-flow" => "unknown-subflow",
        _ => "unknown-name",
    };
    let is = if kind == "hours" { "are" } else { "is" };
    value.error_help(rule, format!("no {kind} {is} called `{}`", crate::shorten(wanted)), help);
}

/// Takes a value that was read without complaint.
pub(crate) fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

/// Without `.` and, as far as names go, without `..`.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir) => {}
                _ => out.push(".."),
            },
            part => out.push(part),
        }
    }
    out
}
