//! What an operator wrote, checked: every reference resolves, every step has its exits.

use crate::expr::{Demand, Expr, Template, Types, Value, VarId};
use crate::hours::Schedule;
use crate::pattern::Pattern;
use crate::say::SayKind;
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
    /// The flow's own variables; `VarId`s count the built-in ones first (see [`Types`]).
    pub vars: Vec<VarDecl>,
    /// `StepId` is the index.
    pub steps: Vec<Step>,
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

/// A variable and its value at the start; its type follows from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VarDecl {
    pub name: Arc<str>,
    pub default: Value,
}

/// A step's place in [`Flow::steps`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StepId(pub u32);

#[derive(Clone, Debug)]
pub struct Step {
    pub name: Arc<str>,
    /// Line of its header in the flow's file, from 1; 0: made in code.
    pub line: u32,
    pub act: Act,
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
    Queue(Queue),
    Ring(Ring),
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
    pub no_input: Retry,
    pub invalid: Retry,
    pub next: StepId,
}

#[derive(Clone, Debug)]
pub struct Set {
    /// In the order in which they are set; later ones see earlier ones.
    pub values: Vec<(VarId, Template)>,
    pub next: StepId,
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
    /// Kept by the engine, which knows when an agent is connected; None: as long as it takes.
    pub timeout: Option<Duration>,
    pub on_timeout: StepId,
    pub on_full: StepId,
    pub on_no_agents: StepId,
    /// When the agent hangs up first.
    pub next: StepId,
}

/// `ring` and `transfer`.
#[derive(Clone, Debug)]
pub struct Ring {
    /// An agent's name.
    pub agent: Template,
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

    pub fn types(&self) -> Types {
        Types::new(&self.vars)
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
        let named = |list: &[(&str, StepId)]| list.iter().map(|(l, to)| (l.to_string(), *to)).collect();
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
            Act::Queue(q) => named(&[
                ("next", q.next),
                ("timeout", q.on_timeout),
                ("full", q.on_full),
                ("no-agents", q.on_no_agents),
            ]),
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
            Act::Queue(Queue { music, .. }) | Act::Ring(Ring { music, .. }) => (Vec::new(), list(music)),
            Act::Set(_)
            | Act::Branch(_)
            | Act::Hours(_)
            | Act::Answer { .. }
            | Act::Ringing { .. }
            | Act::Echo(_)
            | Act::Reject { .. }
            | Act::Hangup => (Vec::new(), Vec::new()),
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
        !matches!(self.act, Act::Set(_) | Act::Branch(_) | Act::Hours(_) | Act::Answer { .. })
    }

    /// The keyword that names the kind of step in a file.
    pub fn kind(&self) -> &'static str {
        match &self.act {
            Act::Play(_) => "play",
            Act::Menu(_) => "menu",
            Act::Collect(_) => "collect",
            Act::Set(_) => "set",
            Act::Branch(_) => "branch",
            Act::Hours(_) => "hours",
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
            vars: Vec::new(),
            steps: Vec::new(),
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
        self.flow.vars.push(VarDecl { name: name.into(), default: default.into() });
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
            self.flow.steps.push(Step { name, line, act });
        }
        Ok(self.flow)
    }
}
