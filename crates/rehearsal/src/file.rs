//! `NAME.test.toml`: tests beside their flow.
//!
//! ```toml
//! [defaults]                     # for every test of the file; each may say otherwise
//! number = "4009508888"
//! time   = "2026-11-23 10:00"    # local time of the flow
//!
//! [minimum]                      # percent of the flow that the tests must cover
//! steps = 100
//! exits = 90
//!
//! [[test]]
//! name   = "a P0 in Cantonese reaches the experts"
//! do     = ["hear choose-language", "press 2", "reach severity", "press 1"]
//! hears  = ["welcome", "connecting-p0"]
//! queue  = { name = "critical", severity = "P0" }
//! ends   = "flow"
//! ```

use crate::others::{HttpMock, LinePlan};
use crate::script::{Action, duration};
use ivr::{BotEnd, CallbackEnd, HttpFailure, HttpMethod, HttpResult, MessageEnd, QueueEnd, RingEnd};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// Tests of one file at most.
const TESTS_MAX: usize = 20_000;

/// What is wrong with a file of tests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadFile {
    /// From 1; 0: the file as a whole.
    pub line: u32,
    pub column: u32,
    pub what: String,
}

impl fmt::Display for BadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

impl std::error::Error for BadFile {}

/// A file of tests, read.
#[derive(Clone, Debug)]
pub struct CaseFile {
    pub minimum: Minimum,
    /// Random callers to send in as well.
    pub fuzz: u64,
    pub cases: Vec<Case>,
}

/// Coverage that is demanded, in percent.
#[derive(Clone, Copy, Default, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    #[serde(default)]
    pub steps: f64,
    #[serde(default)]
    pub exits: f64,
}

/// One test: what is given, what the caller does, what is expected.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub line: u32,
    pub given: Given,
    pub actions: Vec<Action>,
    pub expect: Expect,
}

impl Case {
    /// A caller of whom nothing is said.
    pub fn empty() -> Case {
        Case {
            name: String::new(),
            line: 0,
            given: Given::default(),
            actions: Vec::new(),
            expect: Expect::default(),
        }
    }
}

#[derive(Clone, Default, Debug)]
pub struct Given {
    /// Local time, as jiff reads a civil date and time.
    pub time: Option<jiff::civil::DateTime>,
    pub caller: Option<String>,
    pub number: Option<String>,
    pub vars: Vec<(Arc<str>, String)>,
    pub staff: Option<BTreeSet<Arc<str>>>,
    pub announcements: BTreeSet<Arc<str>>,
    pub queues: BTreeMap<Arc<str>, LinePlan>,
    pub estimates: BTreeMap<Arc<str>, (u32, Option<Duration>)>,
    pub rings: BTreeMap<Arc<str>, LinePlan>,
    pub http: Vec<HttpMock>,
    pub message: Option<MessageEnd>,
    pub callback: Option<CallbackEnd>,
    pub bots: BTreeMap<Arc<str>, (Duration, BotEnd)>,
}

#[derive(Clone, Default, Debug)]
pub struct Expect {
    /// These prompts, in this order, perhaps others between.
    pub hears: Option<Vec<String>>,
    pub hears_exactly: Option<Vec<String>>,
    pub never_hears: Vec<String>,
    /// These steps, in this order, perhaps others between.
    pub path: Option<Vec<String>>,
    pub path_exactly: Option<Vec<String>>,
    pub vars: BTreeMap<String, String>,
    pub queue: Option<ExpectQueue>,
    pub requests: Option<Vec<String>>,
    pub survey: Option<ExpectSurvey>,
    /// `flow`, `caller`, `reject 486`, or `waits`.
    pub ends: Option<String>,
    pub language: Option<String>,
    /// The prompts heard must be those of the snapshot file.
    pub snapshot: bool,
}

#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectQueue {
    pub name: Option<String>,
    pub severity: Option<String>,
    pub require: Option<String>,
}

#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectSurvey {
    pub name: Option<String>,
    /// Marks: 4.3.
    pub score: Option<f64>,
    pub low: Option<bool>,
}

// As it stands in the file.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    defaults: RawCase,
    #[serde(default)]
    minimum: Minimum,
    #[serde(default)]
    fuzz: u64,
    #[serde(default)]
    test: Vec<Spanned<RawCase>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: Option<String>,
    // Given.
    time: Option<String>,
    caller: Option<String>,
    number: Option<String>,
    #[serde(default)]
    vars: BTreeMap<String, toml::Value>,
    staff: Option<Vec<String>>,
    #[serde(default)]
    announcements: Vec<String>,
    #[serde(default)]
    queues: BTreeMap<String, RawLine>,
    #[serde(default)]
    rings: BTreeMap<String, RawLine>,
    #[serde(default)]
    http: Vec<RawHttp>,
    voicemail: Option<String>,
    callback: Option<String>,
    #[serde(default)]
    bots: BTreeMap<String, RawBot>,
    // Done.
    #[serde(default, rename = "do")]
    actions: Vec<Spanned<String>>,
    // Expected.
    hears: Option<Vec<String>>,
    hears_exactly: Option<Vec<String>>,
    #[serde(default)]
    never_hears: Vec<String>,
    path: Option<Vec<String>>,
    path_exactly: Option<Vec<String>>,
    #[serde(default)]
    expect: BTreeMap<String, toml::Value>,
    queue: Option<ExpectQueue>,
    requests: Option<Vec<String>>,
    survey: Option<ExpectSurvey>,
    ends: Option<String>,
    language: Option<String>,
    #[serde(default)]
    snapshot: bool,
}

/// `"full"`, or `{ after = "30s", agent = "alice", talk = "2m", position = 3, wait = "4m" }`.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum RawLine {
    Word(String),
    Table(RawPlan),
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    ends: Option<String>,
    after: Option<String>,
    agent: Option<String>,
    talk: Option<String>,
    position: Option<u32>,
    wait: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHttp {
    service: Option<String>,
    method: Option<String>,
    url: Option<String>,
    after: Option<String>,
    status: Option<u16>,
    json: Option<toml::Value>,
    body: Option<String>,
    fail: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBot {
    ends: String,
    after: Option<String>,
    #[serde(default)]
    learns: BTreeMap<String, String>,
}

/// Reads a file of tests. The first mistake is told, with its place.
pub fn read(source: &str) -> Result<CaseFile, BadFile> {
    let place = |offset: usize| {
        let before = &source[..source.floor_char_boundary(offset)];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        (line as u32, column as u32)
    };
    let bad = |offset: Option<usize>, what: String| {
        let (line, column) = offset.map_or((0, 0), place);
        BadFile { line, column, what }
    };
    let raw: RawFile = toml::from_str(source)
        .map_err(|e| bad(e.span().map(|s| s.start), e.message().lines().collect::<Vec<_>>().join("; ")))?;
    if raw.test.len() > TESTS_MAX {
        return Err(bad(None, format!("{} tests are more than {TESTS_MAX}", raw.test.len())));
    }
    let mut cases = Vec::with_capacity(raw.test.len());
    let mut names = BTreeSet::new();
    for test in raw.test {
        let at = test.span().start;
        let mut test = test.into_inner();
        let Some(name) = test.name.take() else {
            return Err(bad(Some(at), "this test has no `name`".into()));
        };
        if !names.insert(name.clone()) {
            return Err(bad(Some(at), format!("two tests are called `{name}`")));
        }
        let mut actions = Vec::new();
        for line in raw.defaults.actions.iter().chain(&test.actions) {
            let action = Action::parse(line.get_ref());
            actions.push(action.map_err(|e| bad(Some(line.span().start), e.what))?);
        }
        let case = case(name.clone(), place(at).0, test, &raw.defaults, actions);
        cases.push(case.map_err(|what| bad(Some(at), format!("test `{name}`: {what}")))?);
    }
    Ok(CaseFile { minimum: raw.minimum, fuzz: raw.fuzz, cases })
}

fn case(
    name: String,
    line: u32,
    raw: RawCase,
    defaults: &RawCase,
    actions: Vec<Action>,
) -> Result<Case, String> {
    let both = |a: &BTreeMap<String, RawLine>, b: &BTreeMap<String, RawLine>| {
        let mut all = a.clone();
        all.extend(b.clone());
        all
    };
    let mut given = Given::default();
    if let Some(time) = raw.time.as_ref().or(defaults.time.as_ref()) {
        let read = time.replacen(' ', "T", 1).parse();
        given.time =
            Some(read.map_err(|_| format!("`{time}` is no time; write \"2026-11-23 10:00\" (local time)"))?);
    }
    given.caller = raw.caller.or_else(|| defaults.caller.clone());
    given.number = raw.number.or_else(|| defaults.number.clone());
    let mut vars = defaults.vars.clone();
    vars.extend(raw.vars);
    given.vars = vars.into_iter().map(|(name, value)| (name.into(), plain(&value))).collect();
    let staff = raw.staff.or_else(|| defaults.staff.clone());
    given.staff = staff.map(|names| names.into_iter().map(Arc::from).collect());
    given.announcements =
        defaults.announcements.iter().chain(&raw.announcements).map(|n| n.as_str().into()).collect();
    for (queue, raw) in both(&defaults.queues, &raw.queues) {
        let (plan, estimate) = line_plan(&raw).map_err(|what| format!("queue `{queue}`: {what}"))?;
        if let Some(estimate) = estimate {
            given.estimates.insert(queue.as_str().into(), estimate);
        }
        if let Some(plan) = plan {
            given.queues.insert(queue.into(), plan);
        }
    }
    for (who, raw) in both(&defaults.rings, &raw.rings) {
        let (plan, _) = line_plan(&raw).map_err(|what| format!("ring `{who}`: {what}"))?;
        given.rings.extend(plan.map(|plan| (Arc::from(who), plan)));
    }
    for raw in raw.http.iter().chain(&defaults.http) {
        given.http.push(http_mock(raw)?);
    }
    given.message = match raw.voicemail.as_ref().or(defaults.voicemail.as_ref()).map(String::as_str) {
        None => None,
        Some("kept") => Some(MessageEnd::Kept),
        Some("empty") => Some(MessageEnd::Empty),
        Some("full") => Some(MessageEnd::Full),
        Some(other) => return Err(format!("voicemail is \"kept\", \"empty\" or \"full\", not \"{other}\"")),
    };
    given.callback = match raw.callback.as_ref().or(defaults.callback.as_ref()).map(String::as_str) {
        None => None,
        Some("taken") => Some(CallbackEnd::Taken),
        Some("full") => Some(CallbackEnd::Full),
        Some("invalid") => Some(CallbackEnd::Invalid),
        Some(other) => {
            return Err(format!("callback is \"taken\", \"full\" or \"invalid\", not \"{other}\""));
        }
    };
    let mut bots = defaults.bots.clone();
    bots.extend(raw.bots);
    for (bot, raw) in bots {
        let learnt = raw.learns.iter().map(|(k, v)| (Arc::from(k.as_str()), v.clone())).collect();
        let end = match raw.ends.as_str() {
            "finished" => BotEnd::Finished(learnt),
            "hand-over" => BotEnd::HandOver(learnt),
            "failed" => BotEnd::Failed,
            other => {
                return Err(format!("a bot ends \"finished\", \"hand-over\" or \"failed\", not \"{other}\""));
            }
        };
        given.bots.insert(bot.into(), (time(raw.after.as_ref(), Duration::from_secs(30))?, end));
    }
    let mut expected = defaults.expect.clone();
    expected.extend(raw.expect);
    let ends = raw.ends.or_else(|| defaults.ends.clone());
    if let Some(ends) = &ends
        && !matches!(ends.as_str(), "flow" | "caller" | "waits")
        && ends.strip_prefix("reject ").and_then(|code| code.parse::<u16>().ok()).is_none()
    {
        return Err(format!("`ends` is \"flow\", \"caller\", \"reject CODE\" or \"waits\", not \"{ends}\""));
    }
    let expect = Expect {
        hears: raw.hears.or_else(|| defaults.hears.clone()),
        hears_exactly: raw.hears_exactly,
        never_hears: [defaults.never_hears.clone(), raw.never_hears].concat(),
        path: raw.path.or_else(|| defaults.path.clone()),
        path_exactly: raw.path_exactly,
        vars: expected.into_iter().map(|(name, value)| (name, plain(&value))).collect(),
        queue: raw.queue.or_else(|| defaults.queue.clone()),
        requests: raw.requests,
        survey: raw.survey,
        ends,
        language: raw.language.or_else(|| defaults.language.clone()),
        snapshot: raw.snapshot || defaults.snapshot,
    };
    Ok(Case { name, line, given, actions, expect })
}

/// What becomes of a caller, and what he is told of it.
type Plan = (Option<LinePlan>, Option<(u32, Option<Duration>)>);

fn line_plan(raw: &RawLine) -> Result<Plan, String> {
    let raw = match raw {
        RawLine::Word(word) => RawPlan { ends: Some(word.clone()), ..RawPlan::default() },
        RawLine::Table(plan) => plan.clone(),
    };
    let after = |otherwise| time(raw.after.as_ref(), otherwise);
    let ended = |queue, ring| Ok::<_, String>(LinePlan::Ended { after: after(Duration::ZERO)?, queue, ring });
    let served = raw.agent.is_some() || raw.after.is_some() || raw.talk.is_some();
    let plan = match raw.ends.as_deref() {
        None if !served => None,
        None | Some("served") => Some(LinePlan::Served {
            after: after(Duration::from_secs(10))?,
            agent: raw.agent.as_deref().unwrap_or("").into(),
            talk: time(raw.talk.as_ref(), Duration::from_secs(60))?,
        }),
        Some("full") => Some(ended(QueueEnd::Full, RingEnd::Busy)?),
        Some("no-agents") => Some(ended(QueueEnd::NoAgents, RingEnd::Unreachable)?),
        Some("busy") => Some(ended(QueueEnd::Full, RingEnd::Busy)?),
        Some("refused") => Some(ended(QueueEnd::Full, RingEnd::Refused)?),
        Some("unreachable") => Some(ended(QueueEnd::NoAgents, RingEnd::Unreachable)?),
        Some("no-answer" | "timeout" | "never") => Some(LinePlan::Never),
        Some(other) => {
            return Err(format!(
                "\"{other}\" is none of served, timeout, full, no-agents, busy, refused, no-answer and unreachable"
            ));
        }
    };
    let wait = raw.wait.as_ref().map(|text| time(Some(text), Duration::ZERO)).transpose()?;
    let estimate = (raw.position.is_some() || wait.is_some()).then(|| (raw.position.unwrap_or(1), wait));
    Ok((plan, estimate))
}

fn http_mock(raw: &RawHttp) -> Result<HttpMock, String> {
    let method = match raw.method.as_deref().map(str::to_ascii_uppercase).as_deref() {
        None => None,
        Some("GET") => Some(HttpMethod::Get),
        Some("POST") => Some(HttpMethod::Post),
        Some("PUT") => Some(HttpMethod::Put),
        Some("PATCH") => Some(HttpMethod::Patch),
        Some("DELETE") => Some(HttpMethod::Delete),
        Some(other) => return Err(format!("http: no method is called `{other}`")),
    };
    let result = match raw.fail.as_deref() {
        Some("timeout") => HttpResult::Failed(HttpFailure::Timeout),
        Some("refused") => HttpResult::Failed(HttpFailure::Refused),
        Some("circuit-open") => HttpResult::Failed(HttpFailure::CircuitOpen),
        Some("too-large") => HttpResult::Failed(HttpFailure::TooLarge),
        Some("wrong-type") => HttpResult::Failed(HttpFailure::WrongType),
        Some(other) => {
            return Err(format!(
                "http: `fail` is timeout, refused, circuit-open, too-large or wrong-type, not `{other}`"
            ));
        }
        None => {
            let json = raw.json.as_ref().map(|v| serde_json::to_string(v).unwrap_or_default());
            let body = raw.body.clone().or(json).unwrap_or_default();
            HttpResult::Answered { status: raw.status.unwrap_or(200), body: body.into() }
        }
    };
    Ok(HttpMock {
        service: raw.service.as_deref().map(Arc::from),
        method,
        url: raw.url.as_deref().map(Arc::from),
        after: time(raw.after.as_ref(), Duration::from_millis(100))?,
        result,
    })
}

fn time(text: Option<&String>, otherwise: Duration) -> Result<Duration, String> {
    let Some(text) = text else { return Ok(otherwise) };
    duration(text).ok_or_else(|| format!("`{text}` is no length of time: write 500ms, 5s, 2m or 1h"))
}

/// A value as a variable shows it.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
