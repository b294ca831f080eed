//! One caller in a flow, as a state machine.
//!
//! ```text
//!            Started
//! Fresh ──────────────┐      Answer / EarlyMedia       Ready
//!                     ▼  ┌──────────────────▶ Opening ───────────┐
//!                 enter a step ◀─────────────────────────────────┤
//!                     │                                          │
//!    ┌────────┬───────┴──┬──────────┬─────────┬─────────┐        │
//!    ▼        ▼          ▼          ▼         ▼         ▼        │
//! Playing   Asking    Answering   Queued   Ringing   Passing     │
//!    │     Surveying     │          │         │         │        │
//!    │        │ key,     │ answer,  │ Queue-  │ Ring-   │ time   │
//!    │        │ silence  │ too late │ Ended,  │ Ended   │        │
//!    │        │          │          │ key     │         │        │
//!    ├────────┴──────────┴──────────┴─────────┴─────────┴────────┘
//!    └─▶ Recording (voicemail: the message after the tone) ─▶ MessageEnded, too late
//!      reject, hangup, HungUp, a fault ──▶ Over
//! ```
//! `set`, `branch`, `hours`, `language`, `identify`, `notify`, `record`, `back` and `answer` are left as soon as they
//! are entered. `Answering` is whatever waits for the engine or for another system: announcements, http, an estimate
//! before a queue, a callback, a bot. Every wait but that for a prompt's end, for a queue and for a phone that rings
//! has a deadline here; those three the engine ends.
//!
//! *Invariant:* only [`crate::Step::exits`] says where an exit leads; what happens here names the exit.

mod ask;
mod http;
mod json;
mod known;
mod mask;
mod message;
mod outside;
mod sound;
mod survey;
mod values;
mod waiting;

use crate::facts::{Facts, StepFacts};
use crate::flow::{Act, AnswerMode, Echo, Flow, Play, Ring, StepId};
use crate::{Input, Output, Start, Ticket, Value, VarId};
use ask::Asking;
use hotline_core::{Deadline, Outbox, PlayId, Severity, Time};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use survey::Surveying;
use values::Values;
use waiting::Waiting;

/// Most digits of one entry.
pub const DIGITS_MAX: usize = 64;
/// Most keys kept before a step asks; more are dropped.
pub const TYPE_AHEAD_MAX: usize = 32;
/// Most steps entered without waiting; more is an endless loop and ends the visit.
pub const STEPS_MAX: usize = 1000;
/// Most steps of a path that are remembered, from its beginning.
pub const PATH_MAX: usize = 1000;
/// How long the engine has to open the media after an answer: longer than the 64*T1 in which a caller without an
/// offer of his own may send his ACK (RFC 3261 section 13.3.1.4), so that the record tells which of both failed.
pub const OPENING_MAX: Duration = Duration::from_secs(45);
/// How long the engine has for an answer of its own, or to tell that something is over after its longest time.
pub const ANSWER_MAX: Duration = Duration::from_secs(5);
/// How much longer than its own time an http step waits for what the fetcher says.
const FETCH_GRACE: Duration = Duration::from_secs(1);
/// The shortest wait: what is due lies later than now.
const WAIT_MIN: Duration = Duration::from_millis(1);
/// Most interrupted steps that are remembered.
const INTERRUPTED_MAX: usize = 8;

/// One caller in a flow. Pure: `(state, time, input) -> outputs`.
pub struct Visit {
    flow: Arc<Flow>,
    state: State,
    line: Line,
    /// The step the caller is in; the start before `Started`.
    step: StepId,
    path: Vec<StepId>,
    values: Values,
    /// Unix seconds of `Time::ZERO`.
    epoch_unix: i64,
    plays: u32,
    tickets: u32,
    /// Keys pressed before a step asked for them.
    ahead: VecDeque<char>,
    /// An entry was full before its end key came: that key, until then, belongs to nobody.
    late_end: Option<(char, Time)>,
    /// The steps that `anytime` keys left, for `back`; the latest last.
    interrupted: Vec<StepId>,
    /// `Output::Private(true)` was the last word.
    private: bool,
}

#[derive(Debug)]
enum State {
    Fresh,
    /// The engine opens media; then the step goes on, or is entered first.
    Opening {
        until: Time,
        to: Line,
        enter: bool,
    },
    /// A play, announce or voicemail step speaks; `left` more times after this one.
    Playing {
        play: PlayId,
        left: u32,
        barge_in: bool,
    },
    /// A menu, a collect or a consent step.
    Asking(Asking),
    Surveying(Surveying),
    /// The caller's message is taken; `ended`: he pressed its end key.
    Recording {
        until: Time,
        ended: bool,
    },
    /// The engine or another system is asked.
    Answering {
        asked: Asked,
        until: Time,
    },
    /// With the ACD, or with the agent it found.
    Queued(Waiting),
    /// One phone is rung, or talked to.
    Ringing,
    /// Time passes: 180, or the echo.
    Passing {
        until: Option<Time>,
        echo: bool,
    },
    Over,
}

/// What an answer is awaited to.
#[derive(Debug)]
enum Asked {
    Announcements(Ticket),
    Http(Ticket),
    /// How long the line is that the caller would join like this.
    Estimate {
        require: Option<String>,
        severity: Severity,
    },
    Callback,
    Bot,
}

/// What the caller's line has come to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Line {
    Unanswered,
    Early,
    Answered,
}

/// What a handler decided.
enum Then {
    /// The first step.
    Enter(StepId),
    Leave(Exit),
    /// By a way that the step itself does not have: `anytime` keys and `back`.
    Jump(StepId, Arc<str>),
    /// An input, or time, must come first.
    Wait,
}

/// A way out of the current step.
#[derive(Clone, Copy, Debug)]
enum Exit {
    /// By its label.
    Named(&'static str),
    Key(char),
    /// By its place in [`crate::Step::exits`].
    At(usize),
}

/// The straight way on.
const NEXT: Then = Then::Leave(Exit::Named("next"));

impl Visit {
    pub fn new(flow: Arc<Flow>) -> Visit {
        debug_assert!(flow.is_whole(), "every exit of `{}` leads to a step", flow.name);
        Visit {
            state: State::Fresh,
            line: Line::Unanswered,
            step: flow.start,
            path: Vec::new(),
            values: Values::new(&flow),
            epoch_unix: 0,
            plays: 0,
            tickets: 0,
            ahead: VecDeque::new(),
            late_end: None,
            interrupted: Vec::new(),
            private: false,
            flow,
        }
    }

    pub fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        if matches!(self.state, State::Over) {
            return;
        }
        self.look_at_the_clock(now);
        match input {
            Input::Started(start) => self.started(now, *start, out),
            Input::Ready => self.ready(now, out),
            Input::Digit(key) => self.pressed(now, key, out),
            Input::Played(play) => self.played(now, play, out),
            Input::QueueEnded(end) => self.queue_ended(now, end, out),
            Input::RingEnded(end) => self.ring_ended(now, end, out),
            Input::Connected { agent } => self.connected(&agent, out),
            Input::Estimated { position, wait } => self.estimated(now, position, wait, out),
            Input::Announced { ticket, active } => self.announced(now, ticket, &active, out),
            Input::Fetched { ticket, result } => self.fetched(now, ticket, result, out),
            Input::MessageEnded(end) => self.message_ended(now, end, out),
            Input::CallbackEnded(end) => self.callback_ended(now, end, out),
            Input::BotEnded(end) => self.bot_ended(now, end, out),
            Input::HungUp => {
                self.survey_breaks_off(out);
                self.state = State::Over;
            }
        }
    }

    /// When [`Self::wake`] is due, and what for.
    pub fn deadline(&self) -> Option<Deadline> {
        let due = |at: Option<Time>, why| at.map(|at| Deadline { at, why });
        match &self.state {
            State::Opening { until, .. } => due(Some(*until), "media must open"),
            State::Asking(asking) => due(asking.until, asking.waits_for()),
            State::Surveying(surveying) => due(surveying.until(), "mark"),
            State::Recording { until, .. } => due(Some(*until), "message must end"),
            State::Answering { asked, until } => due(Some(*until), asked.waits_for()),
            State::Queued(waiting) => waiting.deadline(),
            State::Passing { until, echo: true } => due(*until, "echo ends"),
            State::Passing { until, echo: false } => due(*until, "rung long enough"),
            State::Fresh | State::Playing { .. } | State::Ringing | State::Over => None,
        }
    }

    /// May come early, and twice; afterwards the next deadline lies later than `now`.
    pub fn wake(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.deadline().is_none_or(|d| d.at > now) {
            return;
        }
        self.look_at_the_clock(now);
        let then = match &self.state {
            State::Opening { .. } => return self.fail(out, "media did not open in time"),
            State::Asking(_) => self.silence(now, out),
            State::Surveying(_) => self.no_mark(now, out),
            State::Recording { .. } => self.message_overdue(out),
            State::Answering { .. } => self.no_answer(now, out),
            State::Queued(_) => self.treatment_due(now, out),
            State::Passing { echo, .. } => {
                if *echo {
                    out.push(Output::Echo(false));
                }
                NEXT
            }
            State::Fresh | State::Playing { .. } | State::Ringing | State::Over => Then::Wait,
        };
        self.follow(now, then, out);
    }

    /// The step's name; the start's before `Started`.
    pub fn step(&self) -> &str {
        &self.flow.step(self.step).name
    }

    /// What is spoken from now on.
    pub fn language(&self) -> &str {
        match self.values.at(VarId::LANGUAGE) {
            Value::Text(language) => language,
            _ => "",
        }
    }

    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// Nothing more comes out: the visit said `Hangup` or `Reject`, or the caller is gone.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// What it waits for, in a word.
    pub fn state(&self) -> &'static str {
        match &self.state {
            State::Fresh => "fresh",
            State::Opening { .. } => "opening",
            State::Playing { .. } => "playing",
            State::Asking(asking) if asking.playing.is_some() => "prompting",
            State::Asking(_) => "listening",
            State::Surveying(surveying) if surveying.until().is_none() => "prompting",
            State::Surveying(_) => "listening",
            State::Recording { .. } => "recording a message",
            State::Answering { asked: Asked::Bot, .. } => "with a bot",
            State::Answering { .. } => "awaiting an answer",
            State::Queued(waiting) if waiting.connected => "connected",
            State::Queued(_) => "queued",
            State::Ringing => "ringing an agent",
            State::Passing { echo: true, .. } => "echoing",
            State::Passing { echo: false, .. } => "ringing",
            State::Over => "over",
        }
    }

    /// The steps entered, in order; the first [`PATH_MAX`] of them.
    pub fn path(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(|id| &*self.flow.step(*id).name)
    }

    /// A variable's value; masked ones too, so mind where it goes.
    pub fn value(&self, name: &str) -> Option<&Value> {
        Facts::of(&self.flow).types.find(name).map(|v| self.values.at(v.id))
    }

    /// Every variable by name, with stars where it is masked.
    pub fn values(&self) -> Vec<(Arc<str>, String)> {
        let types = &Facts::of(&self.flow).types;
        types.iter().map(|v| (v.name.clone(), self.values.shown(v.id))).collect()
    }

    // Inputs, in the order in which a call meets them.

    fn look_at_the_clock(&mut self, now: Time) {
        let unix = self.unix(now);
        self.values.know(VarId::NOW, Value::Time(unix));
    }

    fn started(&mut self, now: Time, start: Start, out: &mut Outbox<Output>) {
        if !matches!(self.state, State::Fresh) {
            return;
        }
        self.epoch_unix = start.epoch_unix;
        self.look_at_the_clock(now);
        for what in self.values.start(&self.flow, &start) {
            self.fault(out, what);
        }
        match self.flow.answer {
            AnswerMode::AtOnce => self.open(now, Line::Answered, true, out),
            AnswerMode::ByStep => self.follow(now, Then::Enter(self.flow.start), out),
        }
    }

    fn ready(&mut self, now: Time, out: &mut Outbox<Output>) {
        let State::Opening { to, enter, .. } = self.state else { return };
        self.line = to;
        let then = if enter { Then::Enter(self.step) } else { self.run(now, out) };
        self.follow(now, then, out);
    }

    fn pressed(&mut self, now: Time, key: char, out: &mut Outbox<Output>) {
        if !crate::KEYS.contains(key) {
            return;
        }
        if let Some((end, until)) = self.late_end.take()
            && key == end
            && now <= until
        {
            return;
        }
        let then = match &self.state {
            State::Asking(_) => self.asked_key(now, key, out),
            State::Surveying(_) => self.mark(now, key, out),
            State::Playing { barge_in, .. } => {
                if !barge_in {
                    return;
                }
                self.interrupt_play(key, out)
            }
            State::Recording { .. } => self.end_message(now, key, out),
            State::Queued(_) => self.queue_key(key, out),
            State::Answering { asked: Asked::Bot, .. } => Then::Wait,
            State::Opening { .. } | State::Answering { .. } => {
                self.keep(key);
                Then::Wait
            }
            State::Fresh | State::Ringing | State::Passing { .. } | State::Over => Then::Wait,
        };
        self.follow(now, then, out);
    }

    fn played(&mut self, now: Time, play: PlayId, out: &mut Outbox<Output>) {
        let then = match &mut self.state {
            State::Playing { play: current, left, .. } if *current == play => {
                let left = *left;
                self.play_went_on(now, left, out)
            }
            State::Asking(asking) if asking.playing == Some(play) => {
                self.prompted(now);
                Then::Wait
            }
            State::Surveying(_) => {
                self.survey_prompted(now, play);
                Then::Wait
            }
            State::Queued(_) => self.treated(now, play, out),
            _ => return,
        };
        self.follow(now, then, out);
    }

    // Steps.

    /// Enters steps until one of them waits.
    fn follow(&mut self, now: Time, then: Then, out: &mut Outbox<Output>) {
        let (mut then, mut entered) = (then, 0);
        let flow = self.flow.clone();
        loop {
            let left = flow.step(self.step);
            let (exit, step) = match then {
                Then::Wait => return,
                Then::Enter(step) => (None, step),
                Then::Jump(step, exit) => (Some(exit), step),
                Then::Leave(exit) => match self.facts().exit(exit) {
                    Some((label, step)) => (Some(label.clone()), *step),
                    None => return self.fail(out, "the step has no such exit"),
                },
            };
            if let Some(exit) = exit {
                out.push(Output::Left { step: left.name.clone(), exit });
            }
            if entered == STEPS_MAX {
                return self.fail(out, format!("{STEPS_MAX} steps without a wait: an endless loop"));
            }
            // Keys typed ahead skip prompts on the way to the step that asks. If a whole round of the flow
            // has none, they were meant for nobody.
            if entered > flow.steps.len() {
                self.ahead.clear();
            }
            entered += 1;
            self.step = step;
            if self.path.len() < PATH_MAX {
                self.path.push(step);
            }
            self.keep_private(self.facts().is_private(&self.values), out);
            out.push(Output::Entered { step: flow.step(step).name.clone() });
            then = self.run(now, out);
        }
    }

    /// Does what the current step says, once its line is as it needs it.
    fn run(&mut self, now: Time, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let act = &flow.step(self.step).act;
        let needs = needs(act);
        if self.line < needs {
            self.open(now, needs, false, out);
            return Then::Wait;
        }
        match act {
            Act::Play(play) => {
                if !play.prompt.barge_in {
                    self.ahead.clear();
                }
                self.play_step(play, play.repeat.max(1), out)
            }
            Act::Menu(_) | Act::Collect(_) | Act::Consent(_) => self.ask(now, out),
            Act::Set(set) => self.set(set, out),
            Act::Branch(branch) => {
                let arm = branch.arms.iter().position(|(when, _)| when.holds(self.values.all()));
                Then::Leave(arm.map_or(Exit::Named("otherwise"), Exit::At))
            }
            Act::Hours(hours) => {
                let open = hours.schedule.is_open(self.unix(now));
                Then::Leave(Exit::Named(if open { "open" } else { "closed" }))
            }
            Act::Announce(announce) => self.announce(now, announce, out),
            Act::Language(language) => self.speak(language, out),
            Act::Identify(identify) => self.identify(identify, out),
            Act::Http(http) => self.http(now, http, out),
            Act::Notify(notify) => self.notify(notify, out),
            Act::Record(record) => {
                out.push(Output::Record(record.action));
                NEXT
            }
            Act::Voicemail(voicemail) => self.voicemail(now, voicemail, out),
            Act::Callback(callback) => self.callback(now, callback, out),
            Act::Survey(survey) => self.survey(now, survey, out),
            Act::Bot(bot) => self.bot(now, bot, out),
            Act::Queue(queue) => self.queue(now, queue, out),
            Act::Ring(ring) => self.ring(ring, out),
            Act::Back { .. } => match self.interrupted.pop() {
                Some(step) => Then::Jump(step, "back".into()),
                None => Then::Leave(Exit::Named("otherwise")),
            },
            Act::Answer { .. } => NEXT,
            Act::Ringing { length, .. } => {
                if self.line != Line::Answered {
                    out.push(Output::Ringing);
                }
                self.pass(now, Some(*length), false)
            }
            Act::Echo(echo) => {
                out.push(Output::Echo(true));
                match echo {
                    Echo::For { length, .. } => self.pass(now, Some(*length), true),
                    Echo::UntilHangup => self.pass(now, None, true),
                }
            }
            Act::Reject { .. } if self.line == Line::Answered => {
                self.fail(out, "an answered call cannot be rejected");
                Then::Wait
            }
            Act::Reject { code, reason } => {
                out.push(Output::Reject { code: *code, reason: reason.clone() });
                self.state = State::Over;
                Then::Wait
            }
            Act::Hangup => {
                out.push(Output::Hangup);
                self.state = State::Over;
                Then::Wait
            }
        }
    }

    /// Asks the engine for media towards the caller.
    fn open(&mut self, now: Time, to: Line, enter: bool, out: &mut Outbox<Output>) {
        out.push(if to == Line::Answered { Output::Answer } else { Output::EarlyMedia });
        self.state = State::Opening { until: now + OPENING_MAX, to, enter };
    }

    /// Plays the step's sounds, `left` times in all; a key typed ahead skips them.
    fn play_step(&mut self, play: &Play, left: u32, out: &mut Outbox<Output>) -> Then {
        if let Some(then) = self.anytime_ahead() {
            return then;
        }
        if left == 0 || !self.ahead.is_empty() {
            return NEXT;
        }
        match self.play(&play.prompt.sounds, out) {
            Some(id) => {
                self.state = State::Playing { play: id, left: left - 1, barge_in: play.prompt.barge_in };
                Then::Wait
            }
            None => NEXT,
        }
    }

    /// What played has been heard.
    fn play_went_on(&mut self, now: Time, left: u32, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        match &flow.step(self.step).act {
            Act::Play(play) => self.play_step(play, left, out),
            Act::Voicemail(voicemail) => self.take_message(now, voicemail, out),
            _ => NEXT,
        }
    }

    /// A key stops what plays.
    fn interrupt_play(&mut self, key: char, out: &mut Outbox<Output>) -> Then {
        out.push(Output::Stop);
        let flow = self.flow.clone();
        if let Act::Voicemail(_) = &flow.step(self.step).act {
            return self.tone(out);
        }
        match self.anytime(key) {
            Some(then) => then,
            None => {
                self.keep(key);
                NEXT
            }
        }
    }

    /// Lets time pass; keys pressed meanwhile are nobody's.
    fn pass(&mut self, now: Time, length: Option<Duration>, echo: bool) -> Then {
        self.ahead.clear();
        self.state = State::Passing { until: length.map(|l| now + l.max(WAIT_MIN)), echo };
        Then::Wait
    }

    /// The answer did not come in time.
    fn no_answer(&mut self, now: Time, out: &mut Outbox<Output>) -> Then {
        let State::Answering { asked, .. } = &mut self.state else { return Then::Wait };
        match asked {
            Asked::Announcements(_) => {
                self.fault(out, "nobody said which announcements are on");
                Then::Leave(Exit::Named("none"))
            }
            Asked::Http(_) => {
                self.trouble(out, "no http answer came, not even a failure");
                Then::Leave(Exit::Named("error"))
            }
            Asked::Estimate { require, severity } => {
                let (require, severity) = (require.take(), *severity);
                self.fault(out, "nobody said how long the wait is");
                self.join(now, require, severity, out)
            }
            Asked::Callback => {
                self.fault(out, "nobody said whether the callback is taken");
                Then::Leave(Exit::Named("full"))
            }
            Asked::Bot => {
                self.trouble(out, "the bot did not end in time");
                out.push(Output::LeaveBot);
                Then::Leave(Exit::Named("error"))
            }
        }
    }

    // What steps have in common.

    fn facts(&self) -> &StepFacts {
        &Facts::of(&self.flow).steps[self.step.0 as usize]
    }

    fn unix(&self, now: Time) -> i64 {
        self.epoch_unix.saturating_add_unsigned(now.as_secs())
    }

    /// A number for a question whose answer may come late.
    fn ticket(&mut self) -> Ticket {
        self.tickets = self.tickets.wrapping_add(1);
        Ticket(self.tickets)
    }

    fn keep(&mut self, key: char) {
        if self.flow.type_ahead && self.ahead.len() < TYPE_AHEAD_MAX {
            self.ahead.push_back(key);
        }
    }

    /// Where a key leads from wherever the caller is; `back` returns to this step.
    fn anytime(&mut self, key: char) -> Option<Then> {
        let (_, to) = *self.flow.anytime.iter().find(|(k, _)| *k == key)?;
        if to != self.step {
            if self.interrupted.len() == INTERRUPTED_MAX {
                self.interrupted.remove(0);
            }
            self.interrupted.push(self.step);
        }
        Some(Then::Jump(to, key.to_string().into()))
    }

    /// The same for the first key typed ahead.
    fn anytime_ahead(&mut self) -> Option<Then> {
        let then = self.anytime(*self.ahead.front()?)?;
        self.ahead.pop_front();
        Some(then)
    }

    fn keep_private(&mut self, private: bool, out: &mut Outbox<Output>) {
        if std::mem::replace(&mut self.private, private) != private {
            out.push(Output::Private(private));
        }
    }

    /// Something outside went wrong, or does not fit; an exit of the step, or the value there was, takes care of it.
    fn trouble(&self, out: &mut Outbox<Output>, what: impl Into<String>) {
        out.push(Output::Trouble { step: self.flow.step(self.step).name.clone(), what: what.into() });
    }

    fn fault(&self, out: &mut Outbox<Output>, what: impl Into<String>) {
        out.push(Output::Fault { step: self.flow.step(self.step).name.clone(), what: what.into() });
    }

    /// The flow cannot go on.
    fn fail(&mut self, out: &mut Outbox<Output>, what: impl Into<String>) {
        self.fault(out, what);
        out.push(Output::Hangup);
        self.state = State::Over;
    }
}

impl StepFacts {
    fn exit(&self, exit: Exit) -> Option<&(Arc<str>, StepId)> {
        match exit {
            Exit::Named(name) => self.exits.iter().find(|(label, _)| **label == *name),
            Exit::Key(key) => {
                let mut bytes = [0; 4];
                let name = &*key.encode_utf8(&mut bytes);
                self.exits.iter().find(|(label, _)| **label == *name)
            }
            Exit::At(place) => self.exits.get(place),
        }
    }
}

impl Asked {
    fn waits_for(&self) -> &'static str {
        match self {
            Asked::Announcements(_) => "announcements",
            Asked::Http(_) => "http answer",
            Asked::Estimate { .. } => "estimate of the wait",
            Asked::Callback => "callback is taken",
            Asked::Bot => "bot ends",
        }
    }
}

/// What the caller's line must have come to before a step can do its work.
fn needs(act: &Act) -> Line {
    match act {
        Act::Play(Play { early: true, .. }) => Line::Early,
        Act::Ring(Ring { answer: false, .. }) => Line::Unanswered,
        Act::Play(_)
        | Act::Menu(_)
        | Act::Collect(_)
        | Act::Consent(_)
        | Act::Survey(_)
        | Act::Announce(_)
        | Act::Record(_)
        | Act::Voicemail(_)
        | Act::Bot(_)
        | Act::Queue(_)
        | Act::Ring(_)
        | Act::Answer { .. }
        | Act::Echo(_) => Line::Answered,
        Act::Set(_)
        | Act::Branch(_)
        | Act::Hours(_)
        | Act::Language(_)
        | Act::Identify(_)
        | Act::Http(_)
        | Act::Notify(_)
        | Act::Callback(_)
        | Act::Back { .. }
        | Act::Ringing { .. }
        | Act::Reject { .. }
        | Act::Hangup => Line::Unanswered,
    }
}

impl fmt::Debug for Visit {
    /// Without keys and values: they are the caller's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("flow", &self.flow.name)
            .field("step", &self.step())
            .field("state", &self.state())
            .field("language", &self.language())
            .finish_non_exhaustive()
    }
}
