//! What an operator wrote, checked: every reference resolves, every step has its exits.

use crate::contract::HttpMethod;
use crate::expr::{Demand, Expr, RecordId, RecordType, Table, Template, Type, Types, Value, VarId};
use crate::facts::Facts;
use crate::hours::Schedule;
use crate::pattern::Pattern;
use crate::say::SayKind;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Keys a telephone can send.
pub const KEYS: &str = "0123456789*#ABCD";

/// A checked flow. `config` lowers TOML into it; [`Flow::builder`] makes one in code.
#[derive(Clone, Debug)]
pub struct Flow {
    pub name: Arc<str>,
    /// Hash of the sources, short hex.
    pub version: Arc<str>,
    pub start: StepId,
    /// The language spoken until the caller chooses one.
    pub language: Arc<str>,
    /// Languages the variable `language` may take; empty: any.
    pub languages: Vec<Arc<str>>,
    pub answer: AnswerMode,
    /// Keys pressed before a step asks are kept for it.
    pub type_ahead: bool,
    /// Local time for `say` and for expressions.
    pub zone: TimeZone,
    /// Keys that lead to a step from wherever the caller is asked or told something ([`Act::Back`] returns).
    pub anytime: Vec<(char, StepId)>,
    /// The flow's own variables; `VarId`s count the built-in ones first (see [`Types`]). Those of a sub-flow
    /// are called `SITE.NAME` after the step that leads into it.
    pub vars: Vec<VarDecl>,
    /// Shapes of records, by [`RecordId`].
    pub records: Arc<[RecordType]>,
    /// Lookup tables and opening hours that expressions name.
    pub tables: BTreeMap<Arc<str>, Arc<Table>>,
    pub hours: BTreeMap<Arc<str>, Arc<Schedule>>,
    /// `StepId` is the index.
    pub steps: Vec<Step>,
    /// `Facts::default()`: what follows from the rest is worked out when a call first needs it.
    pub facts: Facts,
}

/// When the call is answered.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum AnswerMode {
    /// 200 before the first step.
    #[default]
    AtOnce,
    /// Nothing is sent until a step asks for it: early media, ringing, an answer or a refusal.
    /// A step that needs the caller's ear or keys and is not `early` answers first.
    ByStep,
}

/// A variable and its value at the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VarDecl {
    pub name: Arc<str>,
    pub kind: Type,
    pub default: Value,
    /// Reaches no record, log, event or recording, whatever sets it.
    pub mask: bool,
}

impl VarDecl {
    /// A variable whose type follows from its value.
    pub fn new(name: &str, default: Value) -> VarDecl {
        VarDecl { name: name.into(), kind: default.kind(), default, mask: false }
    }
}

/// A step's place in [`Flow::steps`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StepId(pub u32);

#[derive(Clone, Debug)]
pub struct Step {
    pub name: Arc<str>,
    /// Line of its header in the flow's file, from 1; 0: made in code.
    pub line: u32,
    /// For a step of a sub-flow, which stands here as `SITE/STEP`: whose it is.
    pub origin: Option<Origin>,
    pub act: Act,
}

/// A sub-flow's step, as its own file calls it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Origin {
    pub flow: Arc<str>,
    pub step: Arc<str>,
}

/// One thing to be heard, before variables are filled in.
#[derive(Clone, PartialEq, Debug)]
pub enum Sound {
    /// A prompt's name, such as `welcome` or `greeting-{class}`.
    Prompt(Template),
    /// A value read out by the grammar of the current language.
    Say {
        kind: SayKind,
        value: Template,
    },
    Silence(Duration),
    /// One or two frequencies (the second 0: one). `dbm0`: its level.
    Tone {
        hz: [u16; 2],
        length: Duration,
        dbm0: i8,
    },
}

/// Sounds that a caller may or may not interrupt with a key.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Prompt {
    pub sounds: Vec<Sound>,
    pub barge_in: bool,
}

/// What happens when the caller says nothing, or something that does not fit.
#[derive(Clone, PartialEq, Debug)]
pub struct Retry {
    /// How often the prompt is heard in all, at least 1.
    pub tries: u32,
    /// Said before the prompt is repeated.
    pub prompt: Vec<Sound>,
    /// Where it goes after the last try.
    pub then: StepId,
}

/// One key of a menu.
#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    pub key: char,
    /// Stored in the menu's `into`; ignored without it.
    pub value: Value,
    pub to: StepId,
}

#[derive(Clone, Debug)]
pub enum Act {
    Play(Play),
    Menu(Menu),
    Collect(Collect),
    Set(Set),
    Branch(Branch),
    Hours(Hours),
    /// Emergency announcements that an operator has switched on.
    Announce(Announce),
    Language(Language),
    /// Who calls, by a directory.
    Identify(Identify),
    Http(Box<Http>),
    /// An event to another system; nobody waits for its answer.
    Notify(Notify),
    Consent(Consent),
    /// Recording of the call.
    Record(Record),
    Voicemail(Voicemail),
    Callback(Callback),
    Survey(Survey),
    Bot(Bot),
    Queue(Queue),
    Ring(Ring),
    /// To the step that an `anytime` key interrupted; to `otherwise` when there is none.
    Back {
        otherwise: StepId,
    },
    /// 200, unless the call is answered already.
    Answer {
        next: StepId,
    },
    /// 180, then wait (before an answer only).
    Ringing {
        length: Duration,
        next: StepId,
    },
    /// The caller hears himself.
    Echo(Echo),
    /// A final refusal, 300 to 699 (before an answer only).
    Reject {
        code: u16,
        reason: Option<String>,
    },
    Hangup,
}

/// `play` and `say`.
#[derive(Clone, Debug)]
pub struct Play {
    pub prompt: Prompt,
    /// 183 with early media instead of an answer, when the call is not answered yet.
    pub early: bool,
    /// How often it is heard, at least 1.
    pub repeat: u32,
    pub next: StepId,
}

/// One key decides.
#[derive(Clone, Debug)]
pub struct Menu {
    pub prompt: Prompt,
    /// The key's value is stored here.
    pub into: Option<VarId>,
    pub keys: Vec<Key>,
    /// How long after the end of the prompt the first key may come.
    pub after: Duration,
    pub no_input: Retry,
    pub invalid: Retry,
}

/// Several keys make a value.
#[derive(Clone, Debug)]
pub struct Collect {
    pub prompt: Prompt,
    pub into: VarId,
    pub min: usize,
    /// At most [`crate::DIGITS_MAX`].
    pub max: usize,
    /// The key that ends the entry; not part of it.
    pub end: Option<char>,
    /// How long after the end of the prompt the first key may come.
    pub first: Duration,
    /// How long after one key the next may come; then the entry is over.
    pub between: Duration,
    /// The entry reaches no record and no log.
    pub mask: bool,
    /// Without a pattern an entry is digits 0-9.
    pub matches: Option<Pattern>,
    /// Holds for entries that fit; sees them as `entry`.
    pub check: Option<Expr>,
    pub no_input: Retry,
    pub invalid: Retry,
    pub next: StepId,
}

#[derive(Clone, Debug)]
pub struct Set {
    pub role: SetRole,
    /// In the order in which they are set; later ones see earlier ones.
    pub values: Vec<(VarId, Template)>,
    pub next: StepId,
}

/// What a [`Set`] is in the operator's file.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum SetRole {
    #[default]
    Set,
    /// `subflow`: its parameters and fresh variables; `next` is its first step.
    Enter,
    /// `return`: its results; `next` is the exit of the step that led in.
    Return,
}

#[derive(Clone, Debug)]
pub struct Branch {
    /// The first that holds is taken. All are of type Bool.
    pub arms: Vec<(Expr, StepId)>,
    pub otherwise: StepId,
}

#[derive(Clone, Debug)]
pub struct Hours {
    pub schedule: Arc<Schedule>,
    pub open: StepId,
    pub closed: StepId,
}

#[derive(Clone, Debug)]
pub struct Queue {
    pub queue: Arc<str>,
    pub require: Option<Demand>,
    /// "P0" to "P3" when filled in; usually `{severity}`.
    pub severity: Template,
    /// Repeated while waiting; empty: the installation's music.
    pub music: Vec<Sound>,
    /// What is said in between, in the order of the file.
    pub treatments: Vec<Treatment>,
    /// Keys that leave the line while it waits.
    pub keys: Vec<(char, StepId)>,
    /// An estimated wait above this, at entry, leads to the step at once (no estimate: it does not).
    pub too_long: Option<(Duration, StepId)>,
    /// Kept by the engine, which knows when an agent is connected; None: as long as it takes.
    pub timeout: Option<Duration>,
    pub on_timeout: StepId,
    pub on_full: StepId,
    pub on_no_agents: StepId,
    /// When the agent hangs up first.
    pub next: StepId,
}

/// Something said to a caller who waits: once after a time, or again and again. `{position}` and `{wait}` are fresh.
#[derive(Clone, Debug)]
pub struct Treatment {
    /// Since the line was entered.
    pub after: Duration,
    /// Then again and again; None: once.
    pub every: Option<Duration>,
    /// Said only when this holds (`wait > minutes(0)`: only with an estimate).
    pub when: Option<Expr>,
    pub sounds: Vec<Sound>,
}

/// `ring` and `transfer`.
#[derive(Clone, Debug)]
pub struct Ring {
    pub to: Target,
    /// true: the caller is answered first and hears music; false: ring-back until the agent answers.
    pub answer: bool,
    /// Empty: the installation's music.
    pub music: Vec<Sound>,
    pub timeout: Duration,
    /// When the agent hangs up first.
    pub next: StepId,
    pub on_no_answer: StepId,
    /// Also when the agent refuses.
    pub on_busy: StepId,
    pub on_unreachable: StepId,
}

/// Who is rung.
#[derive(Clone, Debug)]
pub enum Target {
    /// An agent's name.
    Agent(Template),
    /// A number outside, over a trunk of `hotline.toml`.
    Number { number: Template, trunk: Arc<str> },
}

#[derive(Clone, Debug)]
pub struct Announce {
    /// Which of the installation's announcements, with the prompt of each, in the order in which they are said.
    pub of: Vec<(Arc<str>, Prompt)>,
    /// After those that are on.
    pub next: StepId,
    /// None of them is on.
    pub none: StepId,
}

#[derive(Clone, Debug)]
pub struct Language {
    pub language: Template,
    pub next: StepId,
    /// Not a language of the installation.
    pub unknown: StepId,
}

#[derive(Clone, Debug)]
pub struct Identify {
    pub directory: Arc<Directory>,
    pub by: Template,
    /// A variable of the directory's record type.
    pub into: VarId,
    pub found: StepId,
    pub unknown: StepId,
}

/// Customers by number: what `[directory.NAME]` read from a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Directory {
    pub name: Arc<str>,
    /// `"86"`: the country code that [`crate::plain_number`] leaves out of its keys; empty: none.
    pub country: Arc<str>,
    pub fields: Vec<crate::expr::Field>,
    /// By key (several keys may name one row), numbers as [`crate::plain_number`] writes them.
    pub rows: BTreeMap<Arc<str>, Arc<[Value]>>,
}

#[derive(Clone, Debug)]
pub struct Http {
    /// `[service.NAME]`, or the host.
    pub service: Arc<str>,
    pub method: HttpMethod,
    /// Scheme, host and path with templates; what is filled in is percent-encoded.
    pub url: Vec<HttpPiece>,
    pub query: Vec<(Arc<str>, Vec<HttpPiece>)>,
    pub headers: Vec<(Arc<str>, Vec<HttpPiece>)>,
    /// JSON, in which templates stand for strings, numbers and truths.
    pub body: Option<JsonTemplate>,
    pub timeout: Duration,
    pub retries: u8,
    pub body_max: usize,
    /// Where the answer's parts go.
    pub into: Vec<Taken>,
    /// The status goes here.
    pub status: Option<VarId>,
    /// Statuses with an exit of their own: first and last, label.
    pub on_status: Vec<(u16, u16, Arc<str>, StepId)>,
    /// 2xx, and everything that was asked for is of its type.
    pub next: StepId,
    /// Any other status, no answer, or an answer of another shape.
    pub on_error: StepId,
}

/// A part of a URL or header.
#[derive(Clone, PartialEq, Debug)]
pub enum HttpPiece {
    Template(Template),
    /// `{secret.NAME}`: filled in outside, never seen here.
    Secret(Arc<str>),
}

/// A JSON value with templates in it.
#[derive(Clone, PartialEq, Debug)]
pub enum JsonTemplate {
    Value(Template),
    List(Vec<JsonTemplate>),
    Object(Vec<(Arc<str>, JsonTemplate)>),
}

/// One value taken out of a JSON answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Taken {
    pub into: VarId,
    /// The field of a record variable.
    pub field: Option<u16>,
    /// `data.tickets[0].id`; empty: the whole answer.
    pub path: JsonPath,
    pub kind: Type,
    /// Taken when the answer has no such value; None: that is an error.
    pub default: Option<Value>,
}

/// Where a value stands in a JSON answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonPath(pub Vec<JsonStep>);

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JsonStep {
    Key(Arc<str>),
    Index(u32),
}

#[derive(Clone, Debug)]
pub struct Notify {
    /// `[service.NAME]`.
    pub service: Arc<str>,
    /// What kind of event it says it is.
    pub event: Arc<str>,
    pub fields: Vec<(Arc<str>, Template)>,
    pub next: StepId,
}

/// A question whose answer is kept as evidence.
#[derive(Clone, Debug)]
pub struct Consent {
    /// What is agreed to, for the record: `recording`.
    pub what: Arc<str>,
    pub prompt: Prompt,
    pub yes: char,
    pub no: char,
    pub after: Duration,
    /// Silence is no consent: `then` after the last try.
    pub no_input: Retry,
    pub invalid: Retry,
    pub granted: StepId,
    pub refused: StepId,
}

#[derive(Clone, Debug)]
pub struct Record {
    pub action: crate::RecordAction,
    pub next: StepId,
}

#[derive(Clone, Debug)]
pub struct Voicemail {
    /// `[mailbox.NAME]`.
    pub mailbox: Arc<str>,
    /// Said before the tone; empty: the mailbox's own greeting, put here by `config`.
    pub prompt: Prompt,
    /// A shorter one is thrown away.
    pub min: Duration,
    pub max: Duration,
    /// So much silence ends the message.
    pub silence: Duration,
    /// The key that ends it.
    pub end: Option<char>,
    /// The message is kept.
    pub next: StepId,
    /// Nothing was said.
    pub on_empty: StepId,
    /// The mailbox is full, or cannot be written to.
    pub on_full: StepId,
}

/// The caller keeps his place and is called back; the rest is the ACD's.
#[derive(Clone, Debug)]
pub struct Callback {
    pub queue: Arc<str>,
    pub number: Template,
    pub require: Option<Demand>,
    pub severity: Template,
    pub next: StepId,
    /// Withheld, or none that may be called.
    pub on_invalid: StepId,
    /// The line takes no more.
    pub on_full: StepId,
}

/// Questions with weights: `[survey.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct SurveyPlan {
    pub name: Arc<str>,
    pub questions: Vec<SurveyQuestion>,
    /// Marks that may be given, 0 to 9.
    pub lowest: u8,
    pub highest: u8,
    /// A weighted score below this (in hundredths of a mark) is low.
    pub low: i64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct SurveyQuestion {
    pub name: Arc<str>,
    pub sounds: Vec<Sound>,
    /// Its share; all shares of a survey make 100.
    pub weight: u8,
}

#[derive(Clone, Debug)]
pub struct Survey {
    pub plan: Arc<SurveyPlan>,
    pub barge_in: bool,
    /// How long each answer may take, and how often each question is asked.
    pub after: Duration,
    pub tries: u32,
    /// Said before a question is asked again.
    pub again: Vec<Sound>,
    /// A number variable for the score, in hundredths of a mark.
    pub into: Option<VarId>,
    pub next: StepId,
    /// The score is low.
    pub low: StepId,
    /// Not one answer.
    pub none: StepId,
}

/// Two-way audio with a bot: `[bot.NAME]`.
#[derive(Clone, Debug)]
pub struct Bot {
    pub bot: Arc<str>,
    /// What it is told.
    pub context: Vec<(Arc<str>, Template)>,
    pub timeout: Duration,
    /// Where what it found out goes: its name for it, the variable.
    pub into: Vec<(Arc<str>, VarId)>,
    /// The bot says that the caller is done.
    pub next: StepId,
    /// The bot wants a person for the caller.
    pub hand_over: StepId,
    /// It cannot be reached, or went away, or took too long.
    pub on_error: StepId,
}

#[derive(Clone, Debug)]
pub enum Echo {
    For { length: Duration, next: StepId },
    UntilHangup,
}

/// What a step can make audible, for checks: does it exist, how long is it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Heard<'a> {
    /// A prompt's name; [`Template::literal`] or [`Template::could_be`] tell which.
    Prompt(&'a Template),
    /// Fragments of a grammar: [`crate::say::fragments`].
    Say(SayKind),
    /// Silence or a tone of this length.
    Timed(Duration),
}

impl Flow {
    /// A flow in code: steps by name, forward references allowed.
    pub fn builder(name: &str) -> FlowBuilder {
        FlowBuilder::new(name)
    }

    pub fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0 as usize]
    }

    pub fn find(&self, name: &str) -> Option<StepId> {
        self.steps.iter().position(|s| &*s.name == name).map(|i| StepId(i as u32))
    }

    /// What its expressions may name.
    pub fn types(&self) -> Types {
        Types {
            records: self.records.clone(),
            tables: self.tables.clone(),
            hours: self.hours.clone(),
            zone: Some(self.zone.clone()),
            ..Types::new(&self.vars)
        }
    }

    pub fn record(&self, id: RecordId) -> Option<&RecordType> {
        self.records.get(id.0 as usize)
    }

    /// Whether there is a step behind the start and behind every exit. What makes flows sees to it.
    pub fn is_whole(&self) -> bool {
        let exists = |id: StepId| (id.0 as usize) < self.steps.len();
        exists(self.start) && self.steps.iter().all(|s| s.exits().iter().all(|(_, to)| exists(*to)))
    }
}

impl Step {
    /// Every way out, labelled for people and for coverage: `next`, a menu's key, `no-input`, an arm's expression.
    /// Empty for `reject`, `hangup` and an unlimited `echo`.
    pub fn exits(&self) -> Vec<(String, StepId)> {
        fn retries(no_input: &Retry, invalid: &Retry) -> [(String, StepId); 2] {
            [("no-input".into(), no_input.then), ("invalid".into(), invalid.then)]
        }
        let named = |list: &[(&str, StepId)]| -> Vec<(String, StepId)> {
            list.iter().map(|(l, to)| (l.to_string(), *to)).collect()
        };
        match &self.act {
            Act::Play(Play { next, .. })
            | Act::Set(Set { next, .. })
            | Act::Answer { next }
            | Act::Ringing { next, .. }
            | Act::Echo(Echo::For { next, .. }) => named(&[("next", *next)]),
            Act::Menu(menu) => {
                let keys = menu.keys.iter().map(|k| (k.key.to_string(), k.to));
                keys.chain(retries(&menu.no_input, &menu.invalid)).collect()
            }
            Act::Collect(collect) => [("next".to_owned(), collect.next)]
                .into_iter()
                .chain(retries(&collect.no_input, &collect.invalid))
                .collect(),
            Act::Branch(branch) => branch
                .arms
                .iter()
                .map(|(when, to)| (when.to_string(), *to))
                .chain([("otherwise".to_owned(), branch.otherwise)])
                .collect(),
            Act::Hours(hours) => named(&[("open", hours.open), ("closed", hours.closed)]),
            Act::Announce(a) => named(&[("next", a.next), ("none", a.none)]),
            Act::Language(l) => named(&[("next", l.next), ("unknown", l.unknown)]),
            Act::Identify(i) => named(&[("found", i.found), ("unknown", i.unknown)]),
            Act::Http(http) => [("next".to_owned(), http.next)]
                .into_iter()
                .chain(http.on_status.iter().map(|(.., label, to)| (label.to_string(), *to)))
                .chain([("error".to_owned(), http.on_error)])
                .collect(),
            Act::Notify(Notify { next, .. }) | Act::Record(Record { next, .. }) => named(&[("next", *next)]),
            Act::Consent(c) => named(&[("granted", c.granted), ("refused", c.refused)])
                .into_iter()
                .chain(retries(&c.no_input, &c.invalid))
                .collect::<Vec<_>>(),
            Act::Voicemail(v) => named(&[("next", v.next), ("empty", v.on_empty), ("full", v.on_full)]),
            Act::Callback(c) => named(&[("next", c.next), ("invalid", c.on_invalid), ("full", c.on_full)]),
            Act::Survey(s) => named(&[("next", s.next), ("low", s.low), ("none", s.none)]),
            Act::Bot(b) => named(&[("next", b.next), ("hand-over", b.hand_over), ("error", b.on_error)]),
            Act::Back { otherwise } => named(&[("otherwise", *otherwise)]),
            Act::Queue(q) => named(&[("next", q.next)])
                .into_iter()
                .chain(q.keys.iter().map(|(key, to)| (key.to_string(), *to)))
                .chain(q.too_long.map(|(_, to)| ("too-long".to_owned(), to)))
                .chain(named(&[
                    ("timeout", q.on_timeout),
                    ("full", q.on_full),
                    ("no-agents", q.on_no_agents),
                ]))
                .collect(),
            Act::Ring(r) => named(&[
                ("next", r.next),
                ("no-answer", r.on_no_answer),
                ("busy", r.on_busy),
                ("unreachable", r.on_unreachable),
            ]),
            Act::Reject { .. } | Act::Hangup | Act::Echo(Echo::UntilHangup) => Vec::new(),
        }
    }

    /// What a caller hears on the straight way through the step, then what only a retry or a wait plays.
    pub fn heard(&self) -> (Vec<Heard<'_>>, Vec<Heard<'_>>) {
        fn list(sounds: &[Sound]) -> Vec<Heard<'_>> {
            sounds.iter().map(Sound::heard).collect()
        }
        match &self.act {
            Act::Play(play) => (list(&play.prompt.sounds).repeat(play.repeat.max(1) as usize), Vec::new()),
            Act::Menu(Menu { prompt, no_input, invalid, .. })
            | Act::Collect(Collect { prompt, no_input, invalid, .. }) => {
                (list(&prompt.sounds), [list(&no_input.prompt), list(&invalid.prompt)].concat())
            }
            Act::Queue(Queue { music, treatments, .. }) => {
                let said = treatments.iter().flat_map(|t| list(&t.sounds));
                (Vec::new(), list(music).into_iter().chain(said).collect())
            }
            Act::Ring(Ring { music, .. }) => (Vec::new(), list(music)),
            // Announcements are the exception, not the straight way.
            Act::Announce(a) => (Vec::new(), a.of.iter().flat_map(|(_, p)| list(&p.sounds)).collect()),
            Act::Consent(c) => {
                (list(&c.prompt.sounds), [list(&c.no_input.prompt), list(&c.invalid.prompt)].concat())
            }
            Act::Voicemail(v) => (list(&v.prompt.sounds), Vec::new()),
            Act::Survey(s) => {
                (s.plan.questions.iter().flat_map(|q| list(&q.sounds)).collect(), list(&s.again))
            }
            Act::Set(_)
            | Act::Branch(_)
            | Act::Hours(_)
            | Act::Language(_)
            | Act::Identify(_)
            | Act::Http(_)
            | Act::Notify(_)
            | Act::Record(_)
            | Act::Callback(_)
            | Act::Bot(_)
            | Act::Back { .. }
            | Act::Answer { .. }
            | Act::Ringing { .. }
            | Act::Echo(_)
            | Act::Reject { .. }
            | Act::Hangup => (Vec::new(), Vec::new()),
        }
    }

    /// Every sound in it, wherever it is played.
    pub(crate) fn sounds(&self) -> Vec<&Sound> {
        fn asked<'a>(prompt: &'a Prompt, no_input: &'a Retry, invalid: &'a Retry) -> Vec<&'a Sound> {
            prompt.sounds.iter().chain(&no_input.prompt).chain(&invalid.prompt).collect()
        }
        match &self.act {
            Act::Play(play) => play.prompt.sounds.iter().collect(),
            Act::Menu(Menu { prompt, no_input, invalid, .. })
            | Act::Collect(Collect { prompt, no_input, invalid, .. })
            | Act::Consent(Consent { prompt, no_input, invalid, .. }) => asked(prompt, no_input, invalid),
            Act::Announce(a) => a.of.iter().flat_map(|(_, p)| &p.sounds).collect(),
            Act::Voicemail(v) => v.prompt.sounds.iter().collect(),
            Act::Survey(s) => s.plan.questions.iter().flat_map(|q| &q.sounds).chain(&s.again).collect(),
            Act::Queue(q) => q.music.iter().chain(q.treatments.iter().flat_map(|t| &t.sounds)).collect(),
            Act::Ring(ring) => ring.music.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Everything it can play: prompt names (templates included) and grammars.
    pub fn prompts(&self) -> Vec<Heard<'_>> {
        let (straight, aside) = self.heard();
        [straight, aside].concat()
    }

    /// Whether the caller must do something, or time must pass, before the step is left. A circle of steps
    /// that never wait is an endless loop.
    pub fn waits(&self) -> bool {
        !matches!(
            self.act,
            Act::Set(_)
                | Act::Branch(_)
                | Act::Hours(_)
                | Act::Answer { .. }
                | Act::Announce(_)
                | Act::Language(_)
                | Act::Identify(_)
                | Act::Http(_)
                | Act::Notify(_)
                | Act::Record(_)
                | Act::Callback(_)
                | Act::Back { .. }
        )
    }

    /// The keyword that names the kind of step in a file.
    pub fn kind(&self) -> &'static str {
        match &self.act {
            Act::Play(_) => "play",
            Act::Menu(_) => "menu",
            Act::Collect(_) => "collect",
            Act::Set(Set { role: SetRole::Set, .. }) => "set",
            Act::Set(Set { role: SetRole::Enter, .. }) => "subflow",
            Act::Set(Set { role: SetRole::Return, .. }) => "return",
            Act::Branch(_) => "branch",
            Act::Hours(_) => "hours",
            Act::Announce(_) => "announce",
            Act::Language(_) => "language",
            Act::Identify(_) => "identify",
            Act::Http(_) => "http",
            Act::Notify(_) => "notify",
            Act::Consent(_) => "consent",
            Act::Record(_) => "record",
            Act::Voicemail(_) => "voicemail",
            Act::Callback(_) => "callback",
            Act::Survey(_) => "survey",
            Act::Bot(_) => "bot",
            Act::Back { .. } => "back",
            Act::Queue(_) => "queue",
            Act::Ring(_) => "ring",
            Act::Answer { .. } => "answer",
            Act::Ringing { .. } => "ringing",
            Act::Echo(_) => "echo",
            Act::Reject { .. } => "reject",
            Act::Hangup => "hangup",
        }
    }
}

impl Sound {
    /// A prompt without variables.
    pub fn prompt(name: &str) -> Sound {
        Sound::Prompt(Template::text(name))
    }

    fn heard(&self) -> Heard<'_> {
        match self {
            Sound::Prompt(name) => Heard::Prompt(name),
            Sound::Say { kind, .. } => Heard::Say(*kind),
            Sound::Silence(length) | Sound::Tone { length, .. } => Heard::Timed(*length),
        }
    }
}

impl Prompt {
    /// Prompts by name that a key interrupts.
    pub fn named(names: &[&str]) -> Prompt {
        Prompt { sounds: names.iter().map(|n| Sound::prompt(n)).collect(), barge_in: true }
    }

    pub fn without_barge_in(self) -> Prompt {
        Prompt { barge_in: false, ..self }
    }
}

/// Makes a [`Flow`] from code: `id` gives a step's place before the step exists.
#[derive(Debug)]
pub struct FlowBuilder {
    flow: Flow,
    ids: BTreeMap<Arc<str>, StepId>,
    acts: BTreeMap<StepId, (u32, Act)>,
    start: Option<StepId>,
}

/// A step was named but not made, or there is none at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepMissing(pub Arc<str>);

impl fmt::Display for StepMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no step is called `{}`", self.0)
    }
}

impl std::error::Error for StepMissing {}

impl FlowBuilder {
    fn new(name: &str) -> FlowBuilder {
        let flow = Flow {
            name: name.into(),
            version: "0".into(),
            start: StepId(0),
            language: "en".into(),
            languages: Vec::new(),
            answer: AnswerMode::AtOnce,
            type_ahead: true,
            zone: TimeZone::UTC,
            anytime: Vec::new(),
            vars: Vec::new(),
            records: Arc::new([]),
            tables: BTreeMap::new(),
            hours: BTreeMap::new(),
            steps: Vec::new(),
            facts: Facts::default(),
        };
        FlowBuilder { flow, ids: BTreeMap::new(), acts: BTreeMap::new(), start: None }
    }

    pub fn version(&mut self, version: &str) -> &mut Self {
        self.flow.version = version.into();
        self
    }
    pub fn language(&mut self, language: &str) -> &mut Self {
        self.flow.language = language.into();
        self
    }
    pub fn languages<'a>(&mut self, languages: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.flow.languages = languages.into_iter().map(Arc::from).collect();
        self
    }
    pub fn answer(&mut self, mode: AnswerMode) -> &mut Self {
        self.flow.answer = mode;
        self
    }
    pub fn type_ahead(&mut self, on: bool) -> &mut Self {
        self.flow.type_ahead = on;
        self
    }
    /// All variables must be declared before an expression names them.
    pub fn var(&mut self, name: &str, default: impl Into<Value>) -> &mut Self {
        self.flow.vars.push(VarDecl::new(name, default.into()));
        self
    }
    /// The same with a type or a mask of its own.
    pub fn declare(&mut self, var: VarDecl) -> &mut Self {
        self.flow.vars.push(var);
        self
    }
    pub fn record(&mut self, record: RecordType) -> RecordId {
        let id = RecordId(self.flow.records.len() as u16);
        self.flow.records = self.flow.records.iter().cloned().chain([record]).collect();
        id
    }
    pub fn zone(&mut self, zone: TimeZone) -> &mut Self {
        self.flow.zone = zone;
        self
    }
    /// A key that leads to a step from wherever the caller is asked or told something.
    pub fn anytime(&mut self, key: char, step: &str) -> &mut Self {
        let to = self.id(step);
        self.flow.anytime.push((key, to));
        self
    }
    pub fn types(&self) -> Types {
        self.flow.types()
    }
    /// The variable's place. Panics when there is none: for flows in code, whose author sees it at once.
    pub fn var_id(&self, name: &str) -> VarId {
        self.types().find(name).expect("the variable was declared before").id
    }

    /// The step's place, whether it is made already or not.
    pub fn id(&mut self, step: &str) -> StepId {
        let next = StepId(self.ids.len() as u32);
        *self.ids.entry(step.into()).or_insert(next)
    }
    /// Where a call begins; without it, at the first step made.
    pub fn start(&mut self, step: &str) -> &mut Self {
        self.start = Some(self.id(step));
        self
    }
    pub fn step(&mut self, name: &str, act: Act) -> &mut Self {
        self.step_at(name, 0, act)
    }
    pub fn step_at(&mut self, name: &str, line: u32, act: Act) -> &mut Self {
        let id = self.id(name);
        self.start.get_or_insert(id);
        self.acts.insert(id, (line, act));
        self
    }

    pub fn build(mut self) -> Result<Flow, StepMissing> {
        let mut names: Vec<(StepId, Arc<str>)> = self.ids.into_iter().map(|(n, id)| (id, n)).collect();
        names.sort();
        self.flow.start = self.start.ok_or(StepMissing("start".into()))?;
        for (id, name) in names {
            let Some((line, act)) = self.acts.remove(&id) else { return Err(StepMissing(name)) };
            self.flow.steps.push(Step { name, line, origin: None, act });
        }
        Ok(self.flow)
    }
}
