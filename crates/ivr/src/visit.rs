//! One caller in a flow, as a state machine.
//!
//! ```text
//!            Started
//! Fresh ──────────────┐       Answer / EarlyMedia        Ready
//!                     ▼   ┌──────────────────▶ Opening ────────┐
//!                 enter a step ◀───────────────────────────────┤
//!                     │                                        │
//!   play  ┌───────────┼──────────┬──────────┬─────────┐        │
//!         ▼           ▼          ▼          ▼         ▼        │
//!      Playing      Asking    Queued     Ringing    Waiting    │
//!         │ Played,   │ key,     │ Queue-   │ Ring-   │ time   │
//!         │ key       │ silence  │ Ended    │ Ended   │        │
//!         └───────────┴──────────┴──────────┴─────────┴────────┘
//!      reject, hangup, HungUp, a fault ──▶ Over
//! ```
//! `set`, `branch` and `hours` are left as soon as they are entered.

mod ask;
mod mask;
mod values;

use crate::flow::{Act, AnswerMode, Echo, Flow, Play, Queue, Ring, Sound, StepId, Target};
use crate::{Input, Output, Piece, QueueEnd, RingEnd, Spoken, Start, Value, VarId, say};
use ask::Asking;
use hotline_core::{Deadline, Outbox, PlayId, Severity, Time};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use values::Values;

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
/// The shortest wait: what is due lies later than now.
const WAIT_MIN: Duration = Duration::from_millis(1);

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
    /// Keys pressed before a step asked for them.
    ahead: VecDeque<char>,
    /// An entry was full before its end key came: that key, until then, belongs to nobody.
    late_end: Option<(char, Time)>,
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
    /// A play step; `left` more times after this one.
    Playing {
        play: PlayId,
        left: u32,
    },
    /// A menu or a collect step.
    Asking(Asking),
    /// With the ACD, or with the agent it found.
    Queued,
    /// One agent is rung, or talked to.
    Ringing,
    /// Time passes: 180, or the echo.
    Waiting {
        until: Option<Time>,
        echo: bool,
        next: Option<StepId>,
    },
    Over,
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
    Go(StepId),
    /// An input, or time, must come first.
    Wait,
}

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
            ahead: VecDeque::new(),
            late_end: None,
            flow,
        }
    }

    pub fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        if matches!(self.state, State::Over) {
            return;
        }
        match input {
            Input::Started(start) => self.started(now, *start, out),
            Input::Ready => self.ready(now, out),
            Input::Digit(key) => self.pressed(now, key, out),
            Input::Played(play) => self.played(now, play, out),
            Input::QueueEnded(end) => self.queue_ended(now, end, out),
            Input::RingEnded(end) => self.ring_ended(now, end, out),
            Input::HungUp => self.state = State::Over,
            Input::Connected { .. }
            | Input::Estimated { .. }
            | Input::Announced { .. }
            | Input::Fetched { .. }
            | Input::MessageEnded(_)
            | Input::CallbackEnded(_)
            | Input::BotEnded(_) => {}
        }
    }

    /// When [`Self::wake`] is due, and what for.
    pub fn deadline(&self) -> Option<Deadline> {
        let due = |at: Option<Time>, why| at.map(|at| Deadline { at, why });
        match &self.state {
            State::Opening { until, .. } => due(Some(*until), "media must open"),
            State::Asking(asking) => due(asking.until, asking.waits_for()),
            State::Waiting { until, echo: true, .. } => due(*until, "echo ends"),
            State::Waiting { until, echo: false, .. } => due(*until, "rung long enough"),
            State::Fresh | State::Playing { .. } | State::Queued | State::Ringing | State::Over => None,
        }
    }

    /// May come early, and twice; afterwards the next deadline lies later than `now`.
    pub fn wake(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.deadline().is_none_or(|d| d.at > now) {
            return;
        }
        let then = match &mut self.state {
            State::Opening { .. } => return self.fail(out, "media did not open in time"),
            State::Asking(_) => self.silence(now, out),
            State::Waiting { echo, next, .. } => {
                if *echo {
                    out.push(Output::Echo(false));
                }
                match *next {
                    Some(next) => Then::Go(next),
                    None => Then::Wait,
                }
            }
            State::Fresh | State::Playing { .. } | State::Queued | State::Ringing | State::Over => Then::Wait,
        };
        self.follow(now, then, out);
    }

    /// The step's name; the start's before `Started`.
    pub fn step(&self) -> &str {
        &self.flow.step(self.step).name
    }

    /// What is spoken from now on.
    pub fn language(&self) -> &str {
        self.values.language()
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
            State::Queued => "queued",
            State::Ringing => "ringing an agent",
            State::Waiting { echo: true, .. } => "echoing",
            State::Waiting { echo: false, .. } => "ringing",
            State::Over => "over",
        }
    }

    /// The steps entered, in order; the first [`PATH_MAX`] of them.
    pub fn path(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(|id| &*self.flow.step(*id).name)
    }

    /// A variable's value; masked ones too, so mind where it goes.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.flow.types().find(name).map(|v| self.values.at(v.id))
    }

    /// Every variable by name, with stars where it is masked.
    pub fn values(&self) -> Vec<(Arc<str>, String)> {
        let shown = |id: VarId| self.values.shown(id);
        self.flow.types().iter().map(|v| (v.name.clone(), shown(v.id))).collect()
    }

    // Inputs, in the order in which a call meets them.

    fn started(&mut self, now: Time, start: Start, out: &mut Outbox<Output>) {
        if !matches!(self.state, State::Fresh) {
            return;
        }
        self.epoch_unix = start.epoch_unix;
        for what in self.values.start(&self.flow, &start) {
            self.fault(out, what);
        }
        match self.flow.answer {
            AnswerMode::AtOnce => self.open(now, Line::Answered, true, out),
            AnswerMode::ByStep => self.follow(now, Then::Go(self.flow.start), out),
        }
    }

    fn ready(&mut self, now: Time, out: &mut Outbox<Output>) {
        let State::Opening { to, enter, .. } = self.state else { return };
        self.line = to;
        let then = if enter { Then::Go(self.step) } else { self.run(now, out) };
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
            State::Opening { .. } => {
                self.keep(key);
                Then::Wait
            }
            State::Playing { .. } => {
                let Act::Play(play) = &self.flow.step(self.step).act else { return };
                if !play.prompt.barge_in {
                    return;
                }
                let next = play.next;
                out.push(Output::Stop);
                self.keep(key);
                Then::Go(next)
            }
            State::Fresh | State::Queued | State::Ringing | State::Waiting { .. } | State::Over => Then::Wait,
        };
        self.follow(now, then, out);
    }

    fn played(&mut self, now: Time, play: PlayId, out: &mut Outbox<Output>) {
        let then = match &mut self.state {
            State::Playing { play: current, .. } if *current != play => return,
            State::Playing { left, .. } => {
                let left = *left;
                self.play_step(left, out)
            }
            State::Asking(asking) if asking.playing == Some(play) => {
                self.prompted(now);
                Then::Wait
            }
            State::Asking(_)
            | State::Fresh
            | State::Opening { .. }
            | State::Queued
            | State::Ringing
            | State::Waiting { .. }
            | State::Over => return,
        };
        self.follow(now, then, out);
    }

    fn queue_ended(&mut self, now: Time, end: QueueEnd, out: &mut Outbox<Output>) {
        let (State::Queued, Act::Queue(queue)) = (&self.state, &self.flow.step(self.step).act) else {
            return;
        };
        let to = match end {
            QueueEnd::Timeout => queue.on_timeout,
            QueueEnd::Full => queue.on_full,
            QueueEnd::NoAgents => queue.on_no_agents,
            QueueEnd::Served => queue.next,
        };
        self.follow(now, Then::Go(to), out);
    }

    fn ring_ended(&mut self, now: Time, end: RingEnd, out: &mut Outbox<Output>) {
        let (State::Ringing, Act::Ring(ring)) = (&self.state, &self.flow.step(self.step).act) else { return };
        let to = match end {
            RingEnd::Served => ring.next,
            RingEnd::NoAnswer => ring.on_no_answer,
            RingEnd::Busy | RingEnd::Refused => ring.on_busy,
            RingEnd::Unreachable => ring.on_unreachable,
        };
        if end == RingEnd::Served {
            self.line = Line::Answered;
        }
        self.follow(now, Then::Go(to), out);
    }

    // Steps.

    /// Enters steps until one of them waits.
    fn follow(&mut self, now: Time, then: Then, out: &mut Outbox<Output>) {
        let (mut then, mut entered) = (then, 0);
        while let Then::Go(step) = then {
            if entered == STEPS_MAX {
                return self.fail(out, format!("{STEPS_MAX} steps without a wait: an endless loop"));
            }
            // Keys typed ahead skip prompts on the way to the step that asks. If a whole round of the flow
            // has none, they were meant for nobody.
            if entered > self.flow.steps.len() {
                self.ahead.clear();
            }
            entered += 1;
            self.step = step;
            if self.path.len() < PATH_MAX {
                self.path.push(step);
            }
            out.push(Output::Entered { step: self.flow.step(step).name.clone() });
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
                self.play_step(play.repeat.max(1), out)
            }
            Act::Menu(_) | Act::Collect(_) => self.ask(now, out),
            Act::Set(set) => {
                for (id, value) in &set.values {
                    let masked = self.values.any_masked(value.reads());
                    let value = value.eval(self.values.all());
                    self.assign(*id, value, masked, out);
                }
                Then::Go(set.next)
            }
            Act::Branch(branch) => {
                let arm = branch.arms.iter().find(|(when, _)| when.holds(self.values.all()));
                Then::Go(arm.map_or(branch.otherwise, |(_, to)| *to))
            }
            Act::Hours(hours) => {
                let unix = self.epoch_unix.saturating_add_unsigned(now.as_secs());
                Then::Go(if hours.schedule.is_open(unix) { hours.open } else { hours.closed })
            }
            Act::Queue(queue) => self.queue(queue, out),
            Act::Ring(ring) => self.ring(ring, out),
            Act::Announce(_)
            | Act::Language(_)
            | Act::Identify(_)
            | Act::Http(_)
            | Act::Notify(_)
            | Act::Consent(_)
            | Act::Record(_)
            | Act::Voicemail(_)
            | Act::Callback(_)
            | Act::Survey(_)
            | Act::Bot(_)
            | Act::Back { .. } => {
                self.fail(out, "this step is not carried out yet");
                Then::Wait
            }
            Act::Answer { next } => Then::Go(*next),
            Act::Ringing { length, next } => {
                if self.line != Line::Answered {
                    out.push(Output::Ringing);
                }
                self.pass(now, Some(*length), false, Some(*next))
            }
            Act::Echo(echo) => {
                out.push(Output::Echo(true));
                match echo {
                    Echo::For { length, next } => self.pass(now, Some(*length), true, Some(*next)),
                    Echo::UntilHangup => self.pass(now, None, true, None),
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
    fn play_step(&mut self, left: u32, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let Act::Play(Play { prompt, next, .. }) = &flow.step(self.step).act else { return Then::Wait };
        if left == 0 || !self.ahead.is_empty() {
            return Then::Go(*next);
        }
        match self.play(&prompt.sounds, out) {
            Some(play) => {
                self.state = State::Playing { play, left: left - 1 };
                Then::Wait
            }
            None => Then::Go(*next),
        }
    }

    fn queue(&mut self, queue: &Queue, out: &mut Outbox<Output>) -> Then {
        self.ahead.clear();
        let require = match queue.require.as_ref().map(|r| r.fill(self.values.all())).transpose() {
            Ok(require) => require,
            Err(missing) => {
                self.fault(out, format!("`{}` names no skill, so nobody has it", missing.variable));
                return Then::Go(queue.on_no_agents);
            }
        };
        let severity = Severity::parse(&queue.severity.fill(self.values.all())).unwrap_or_else(|| {
            self.fault(out, "the severity is none of P0 to P3: P3 taken");
            Severity::P3
        });
        let music = self.music(&queue.music, out);
        let (queue, timeout) = (queue.queue.clone(), queue.timeout);
        out.push(Output::Queue { queue, require, prefer: None, severity, timeout, music });
        self.state = State::Queued;
        Then::Wait
    }

    fn ring(&mut self, ring: &Ring, out: &mut Outbox<Output>) -> Then {
        self.ahead.clear();
        let music = self.music(&ring.music, out);
        let timeout = ring.timeout;
        out.push(match &ring.to {
            Target::Agent(agent) => {
                let agent = agent.fill(self.values.all()).to_string();
                Output::Ring { agent, timeout, music }
            }
            Target::Number { number, trunk } => {
                let number = number.fill(self.values.all()).to_string();
                Output::Dial { number, trunk: trunk.clone(), timeout, music }
            }
        });
        self.state = State::Ringing;
        Then::Wait
    }

    /// Lets time pass; keys pressed meanwhile are nobody's.
    fn pass(&mut self, now: Time, length: Option<Duration>, echo: bool, next: Option<StepId>) -> Then {
        self.ahead.clear();
        self.state = State::Waiting { until: length.map(|l| now + l.max(WAIT_MIN)), echo, next };
        Then::Wait
    }

    // What steps have in common.

    fn keep(&mut self, key: char) {
        if self.flow.type_ahead && self.ahead.len() < TYPE_AHEAD_MAX {
            self.ahead.push_back(key);
        }
    }

    /// None: there is nothing to hear.
    fn play(&mut self, sounds: &[Sound], out: &mut Outbox<Output>) -> Option<PlayId> {
        let pieces = self.pieces(sounds, out);
        if pieces.is_empty() {
            return None;
        }
        self.plays = self.plays.wrapping_add(1);
        let play = PlayId(self.plays);
        out.push(Output::Play { play, pieces, repeat: false });
        Some(play)
    }

    fn music(&self, sounds: &[Sound], out: &mut Outbox<Output>) -> Option<Vec<Piece>> {
        Some(self.pieces(sounds, out)).filter(|pieces| !pieces.is_empty())
    }

    fn pieces(&self, sounds: &[Sound], out: &mut Outbox<Output>) -> Vec<Piece> {
        let language: Arc<str> = self.language().into();
        let spoken = |prompt: Arc<str>| Piece::Spoken(Spoken { prompt, language: language.clone() });
        let mut pieces = Vec::new();
        for sound in sounds {
            match sound {
                Sound::Prompt(name) => pieces.push(spoken(name.fill(self.values.all()))),
                Sound::Say { kind, value } => {
                    let value = value.fill(self.values.all());
                    match say::reading(*kind, &value, &language) {
                        Some(names) => pieces.extend(names.into_iter().map(|n| spoken(n.into()))),
                        // The value may be personal, so it is not named.
                        None => self.fault(out, format!("a value cannot be read as {kind} in {language}")),
                    }
                }
                Sound::Silence(length) => pieces.push(Piece::Silence(*length)),
                Sound::Tone { hz, length, dbm0 } => {
                    pieces.push(Piece::Tone { hz: *hz, length: *length, dbm0: *dbm0 });
                }
            }
        }
        pieces
    }

    fn assign(&mut self, id: VarId, value: Value, masked: bool, out: &mut Outbox<Output>) {
        match self.values.assign(&self.flow, id, value, masked) {
            Ok(name) => out.push(Output::Set { name, value: self.values.shown(id), masked }),
            Err(what) => self.fault(out, what),
        }
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

/// What the caller's line must have come to before a step can do its work.
fn needs(act: &Act) -> Line {
    match act {
        Act::Play(Play { early: true, .. }) => Line::Early,
        Act::Ring(Ring { answer: false, .. }) => Line::Unanswered,
        Act::Play(_) | Act::Menu(_) | Act::Collect(_) | Act::Queue(_) | Act::Ring(_) | Act::Answer { .. } => {
            Line::Answered
        }
        Act::Echo(_) => Line::Answered,
        Act::Announce(_)
        | Act::Consent(_)
        | Act::Record(_)
        | Act::Voicemail(_)
        | Act::Survey(_)
        | Act::Bot(_) => Line::Answered,
        Act::Language(_)
        | Act::Identify(_)
        | Act::Http(_)
        | Act::Notify(_)
        | Act::Callback(_)
        | Act::Back { .. } => Line::Unanswered,
        Act::Set(_) | Act::Branch(_) | Act::Hours(_) => Line::Unanswered,
        Act::Ringing { .. } | Act::Reject { .. } | Act::Hangup => Line::Unanswered,
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
