//! A caller in virtual time who checks what every visit must keep to.
#![allow(dead_code, reason = "each test file uses its part")]

use hotline_core::{Outbox, PlayId, Time};
use hotline_ivr::*;
use std::sync::Arc;
use std::time::Duration;

pub const fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// What happens to the visit.
#[derive(Clone, Debug)]
pub enum Do {
    Press(&'static str),
    Dial(char),
    /// The prompt that plays has been heard; nothing when none plays.
    Heard,
    /// Milliseconds pass; the visit is woken whenever it wants to be.
    Wait(u64),
    Queue(QueueEnd),
    Ring(RingEnd),
    /// News of a play that is over or never was.
    LateNews,
    HangUp,
}

pub struct Caller {
    pub visit: Visit,
    pub now: Time,
    /// Outputs as text, one each.
    pub story: Vec<String>,
    pub playing: Option<PlayId>,
    pub queued: bool,
    pub ringing: bool,
    opening: bool,
    answered: bool,
    echo: bool,
    ended: bool,
    hung_up: bool,
    out: Outbox<Output>,
}

impl Caller {
    /// Calls, and is connected at once when the flow says so.
    pub fn call(flow: &Arc<Flow>) -> Caller {
        Caller::call_with(flow, &[])
    }

    pub fn call_with(flow: &Arc<Flow>, vars: &[(&str, &str)]) -> Caller {
        let mut caller = Caller {
            visit: Visit::new(flow.clone()),
            now: Time::from_secs(100),
            story: Vec::new(),
            playing: None,
            queued: false,
            ringing: false,
            opening: false,
            answered: false,
            echo: false,
            ended: false,
            hung_up: false,
            out: Outbox::new(),
        };
        let start = Start {
            caller: "13800138000".into(),
            dialled: "4009508888".into(),
            // 2026-11-23 00:00 UTC, a Monday, 08:00 in Shanghai.
            epoch_unix: 1_795_392_000,
            vars: vars.iter().map(|(n, v)| (Arc::from(*n), v.to_string())).collect(),
            call: "call-7".into(),
        };
        caller.input(Input::Started(Box::new(start)));
        caller
    }

    pub fn does(&mut self, script: &[Do]) -> &mut Self {
        for one in script {
            self.do_one(one);
        }
        self
    }

    pub fn do_one(&mut self, one: &Do) {
        match one {
            Do::Press(keys) => keys.chars().for_each(|k| self.input(Input::Digit(k))),
            Do::Dial(key) => self.input(Input::Digit(*key)),
            Do::Heard => {
                if let Some(play) = self.playing.take() {
                    self.input(Input::Played(play));
                }
            }
            Do::Wait(ms) => self.wait(*ms),
            Do::Queue(end) => {
                if std::mem::take(&mut self.queued) {
                    self.input(Input::QueueEnded(end.clone()));
                }
            }
            Do::Ring(end) => {
                if std::mem::take(&mut self.ringing) {
                    self.answered |= *end == RingEnd::Served;
                    self.input(Input::RingEnded(end.clone()));
                }
            }
            Do::LateNews => {
                for play in [PlayId(0), PlayId(self.playing.map_or(0, |p| p.0 - 1)), PlayId(u32::MAX)] {
                    let before = self.story.len();
                    self.input(Input::Played(play));
                    assert_eq!(self.story.len(), before, "late news of {play} is ignored");
                }
            }
            Do::HangUp => {
                self.hung_up = true;
                self.input(Input::HungUp);
            }
        }
    }

    fn wait(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(due) = self.visit.deadline().filter(|d| d.at <= end) {
            assert!(!due.why.is_empty());
            self.now = self.now.max(due.at);
            self.visit.wake(self.now, &mut self.out);
            self.take();
            self.open();
            let later = self.visit.deadline().is_none_or(|d| d.at > self.now);
            assert!(later, "woken at {} for {:?}, still due", self.now, self.visit.deadline());
            // Twice does nothing.
            self.visit.wake(self.now, &mut self.out);
            assert!(self.out.is_empty(), "{:?}", self.out);
        }
        self.now = end;
    }

    pub fn input(&mut self, input: Input) {
        self.visit.handle(self.now, input, &mut self.out);
        self.take();
        self.open();
    }

    /// The engine opens media as soon as it is asked to.
    fn open(&mut self) {
        while std::mem::take(&mut self.opening) {
            self.visit.handle(self.now, Input::Ready, &mut self.out);
            self.take();
        }
    }

    fn take(&mut self) {
        for output in self.out.take() {
            assert!(!self.ended && !self.hung_up, "{output:?} after the end: {:?}", self.story);
            match &output {
                Output::Answer => {
                    assert!(!std::mem::replace(&mut self.answered, true), "answered once: {:?}", self.story);
                    self.opening = true;
                }
                Output::EarlyMedia => {
                    assert!(!self.answered);
                    self.opening = true;
                }
                Output::Ringing => assert!(!self.answered),
                Output::Play { play, pieces, .. } => {
                    assert_eq!(self.playing, None, "two plays at once: {:?}", self.story);
                    assert!(!pieces.is_empty());
                    self.playing = Some(*play);
                }
                Output::Stop => assert!(self.playing.take().is_some(), "nothing to stop: {:?}", self.story),
                Output::Queue { .. } => {
                    assert!(self.playing.is_none() && self.answered);
                    self.queued = true;
                }
                Output::LeaveQueue => self.queued = false,
                Output::Ring { .. } => {
                    assert!(self.playing.is_none());
                    self.ringing = true;
                }
                Output::Echo(on) => assert_ne!(std::mem::replace(&mut self.echo, *on), *on),
                Output::Reject { .. } => {
                    assert!(!self.answered, "rejected after an answer");
                    self.ended = true;
                }
                Output::Hangup => {
                    assert!(self.playing.is_none() && !self.echo);
                    self.ended = true;
                }
                Output::Entered { .. } => assert!(self.playing.is_none(), "a step entered while one plays"),
                Output::Set { value, masked, .. } => {
                    assert!(!masked || value.bytes().all(|b| b == b'*'), "a masked value is shown");
                }
                _ => {}
            }
            self.story.push(line(&output));
        }
        assert_eq!(self.visit.is_over(), self.ended || self.hung_up);
        if !self.visit.is_over() {
            let waits = self.visit.deadline().is_some()
                || self.playing.is_some()
                || self.queued
                || self.ringing
                || self.opening
                || self.echo;
            assert!(waits, "waits for nothing in `{}`: {:?}", self.visit.step(), self.story);
        } else {
            assert_eq!(self.visit.deadline(), None);
        }
    }

    /// What came out since the last look.
    pub fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.story)
    }
}

fn line(output: &Output) -> String {
    match output {
        Output::Answer => "answer".into(),
        Output::EarlyMedia => "early media".into(),
        Output::Ringing => "ringing".into(),
        Output::Play { pieces, repeat, .. } => {
            assert!(!repeat);
            format!("play {}", self::pieces(pieces))
        }
        Output::Stop => "stop".into(),
        Output::Queue { queue, require, severity, timeout, music, .. } => {
            let require = require.as_deref().unwrap_or("anyone");
            let music = music.as_deref().map(self::pieces).unwrap_or("music".into());
            format!("queue {queue} {severity} ({require}) {timeout:?} {music}")
        }
        Output::LeaveQueue => "leave".into(),
        Output::Ring { agent, timeout, music } => {
            format!(
                "ring {agent} {timeout:?} {}",
                music.as_deref().map(self::pieces).unwrap_or("music".into())
            )
        }
        Output::Echo(on) => format!("echo {on}"),
        Output::Reject { code, reason } => format!("reject {code} {}", reason.as_deref().unwrap_or("")),
        Output::Hangup => "hangup".into(),
        Output::Entered { step } => format!("> {step}"),
        Output::Set { name, value, .. } => format!("{name} = {value}"),
        Output::Fault { step, what } => format!("fault in {step}: {what}"),
        other => format!("{other:?}"),
    }
}

fn pieces(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Spoken(spoken) => format!("{}/{}", spoken.language, spoken.prompt),
        Piece::Silence(length) => format!("{length:?}"),
        Piece::Tone { hz, length, dbm0 } => format!("{}+{}Hz {length:?} {dbm0}dBm0", hz[0], hz[1]),
    };
    pieces.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A call of which nothing is known.
pub fn nobody() -> Start {
    Start {
        caller: String::new(),
        dialled: String::new(),
        epoch_unix: 0,
        vars: Vec::new(),
        call: "call-0".into(),
    }
}

/// A play step of named prompts.
pub fn play(b: &mut FlowBuilder, name: &str, prompts: &[&str], next: &str) {
    let next = b.id(next);
    b.step(name, Act::Play(Play { prompt: Prompt::named(prompts), early: false, repeat: 1, next }));
}

pub fn retry(b: &mut FlowBuilder, tries: u32, prompt: &str, then: &str) -> Retry {
    Retry { tries, prompt: vec![Sound::prompt(prompt)], then: b.id(then) }
}

/// 1 goes to `one`, 2 to `two`; 5 s; two tries each, then `silent` and `wrong`.
pub fn menu(b: &mut FlowBuilder, barge_in: bool) -> Menu {
    let key = |key, to| Key { key, value: Value::from(""), to };
    let keys = vec![key('1', b.id("one")), key('2', b.id("two"))];
    Menu {
        prompt: Prompt { barge_in, ..Prompt::named(&["choose"]) },
        into: None,
        keys,
        after: secs(5),
        no_input: retry(b, 2, "no-input", "silent"),
        invalid: retry(b, 2, "wrong-key", "wrong"),
    }
}

/// 3 to 5 digits into `typed`, `#` ends, 5 s and 3 s; two tries each, then `silent` and `wrong`; `done`.
pub fn collect(b: &mut FlowBuilder, barge_in: bool) -> Collect {
    b.var("typed", "");
    Collect {
        prompt: Prompt { barge_in, ..Prompt::named(&["enter"]) },
        into: b.var_id("typed"),
        min: 3,
        max: 5,
        end: Some('#'),
        first: secs(5),
        between: secs(3),
        mask: false,
        matches: None,
        check: None,
        no_input: retry(b, 2, "no-input", "silent"),
        invalid: retry(b, 2, "wrong-entry", "wrong"),
        next: b.id("done"),
    }
}

/// The steps that `menu` and `collect` lead to, all of which hang up.
pub fn ends(mut b: FlowBuilder, names: &[&str]) -> Arc<Flow> {
    for name in names {
        b.step(name, Act::Hangup);
    }
    Arc::new(b.build().expect("every step is made"))
}
