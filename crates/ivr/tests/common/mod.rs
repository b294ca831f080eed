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
    /// An agent, or the number outside, is connected.
    Connect,
    /// Place and seconds of the wait.
    Estimate(u32, Option<u64>),
    /// These announcements are on.
    Announced(&'static [&'static str]),
    /// Another system answers the last question.
    Fetched(u16, &'static str),
    Failed(HttpFailure),
    /// It answers a question that was given up.
    LateAnswer(&'static str),
    Message(MessageEnd),
    Callback(CallbackEnd),
    Bot(BotEnd),
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
    /// By which exits steps were left, `step:exit` each.
    pub exits: Vec<String>,
    /// The last that another system was asked.
    pub request: Option<Box<HttpRequest>>,
    /// What must never be shown.
    pub secret: Option<&'static str>,
    pub private: bool,
    /// An answer of the engine is outstanding.
    asked: bool,
    ticket: Ticket,
    connected: bool,
    step: Option<Arc<str>>,
    /// Where the exit leads that was taken.
    expects: Option<StepId>,
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
            exits: Vec::new(),
            request: None,
            secret: None,
            private: false,
            asked: false,
            ticket: Ticket(0),
            connected: false,
            step: None,
            expects: None,
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
                    self.connected = false;
                    self.input(Input::QueueEnded(end.clone()));
                }
            }
            Do::Ring(end) => {
                if std::mem::take(&mut self.ringing) {
                    self.connected = false;
                    self.answered |= *end == RingEnd::Served;
                    self.input(Input::RingEnded(end.clone()));
                }
            }
            Do::Connect => {
                if (self.queued || self.ringing) && !self.connected && !self.hung_up {
                    self.connected = true;
                    self.input(Input::Connected { agent: "alice".into() });
                    assert_eq!(self.playing, None, "an agent is talked over");
                }
            }
            Do::Estimate(position, wait) => {
                self.input(Input::Estimated { position: *position, wait: wait.map(secs) });
            }
            Do::Announced(active) => {
                let active = active.iter().map(|a| Arc::from(*a)).collect();
                self.input(Input::Announced { ticket: self.ticket, active });
            }
            Do::Fetched(status, body) => {
                let result = HttpResult::Answered { status: *status, body: Arc::from(*body) };
                self.input(Input::Fetched { ticket: self.ticket, result });
            }
            Do::Failed(failure) => {
                self.input(Input::Fetched { ticket: self.ticket, result: HttpResult::Failed(*failure) });
            }
            Do::LateAnswer(body) => {
                let before = self.story.len();
                for ticket in [Ticket(self.ticket.0.wrapping_sub(1)), Ticket(u32::MAX)] {
                    let result = HttpResult::Answered { status: 200, body: Arc::from(*body) };
                    self.input(Input::Fetched { ticket, result });
                    self.input(Input::Announced { ticket, active: vec!["outage".into()] });
                }
                assert_eq!(self.story.len(), before, "late answers are ignored");
            }
            Do::Message(end) => self.input(Input::MessageEnded(*end)),
            Do::Callback(end) => self.input(Input::CallbackEnded(*end)),
            Do::Bot(end) => self.input(Input::BotEnded(end.clone())),
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
        // Whatever was asked is answered, or still has its deadline.
        self.asked &= matches!(input, Input::Digit(_) | Input::Played(_));
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
            let farewell = self.hung_up && matches!(output, Output::Survey { .. });
            assert!(farewell || !self.ended && !self.hung_up, "{output:?} after the end: {:?}", self.story);
            self.check(&output);
            if !matches!(output, Output::Left { .. }) {
                self.story.push(line(&output));
            }
        }
        assert_eq!(self.visit.is_over(), self.ended || self.hung_up);
        if self.visit.is_over() {
            assert_eq!(self.visit.deadline(), None);
            return;
        }
        let waits = self.visit.deadline().is_some()
            || self.playing.is_some()
            || self.queued
            || self.ringing
            || self.opening
            || self.echo;
        assert!(waits, "waits for nothing in `{}`: {:?}", self.visit.step(), self.story);
        assert!(!self.asked || self.visit.deadline().is_some(), "an answer is awaited for ever");
        assert!(!self.connected || self.playing.is_none(), "an agent is talked over");
    }

    /// What must hold for each output, wherever it comes.
    fn check(&mut self, output: &Output) {
        let silent = self.playing.is_none();
        match output {
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
                assert!(!pieces.is_empty() && !self.connected);
                self.playing = Some(*play);
            }
            Output::Stop => assert!(self.playing.take().is_some(), "nothing to stop: {:?}", self.story),
            Output::Queue { .. } => {
                assert!(silent && self.answered);
                (self.queued, self.asked) = (true, false);
            }
            Output::LeaveQueue => assert!(std::mem::take(&mut self.queued) && !self.connected),
            Output::Ring { .. } | Output::Dial { .. } => {
                assert!(silent);
                self.ringing = true;
            }
            Output::Music(_) => assert!(self.queued && !self.connected && silent),
            Output::Estimate { .. } => {
                assert!(silent && !self.connected);
                self.asked = true;
            }
            Output::Fetch { ticket, request } => {
                assert!(silent && *ticket != self.ticket);
                self.ticket = *ticket;
                self.request = Some(request.clone());
                self.asked = true;
            }
            Output::Announcements { ticket, .. } => {
                assert!(silent && *ticket != self.ticket);
                self.ticket = *ticket;
                self.asked = true;
            }
            Output::Notify(request) => self.request = Some(request.clone()),
            Output::TakeMessage { .. } | Output::Callback { .. } | Output::Bot { .. } => {
                assert!(silent);
                self.asked = true;
            }
            Output::Private(on) => assert_ne!(std::mem::replace(&mut self.private, *on), *on),
            Output::Echo(on) => assert_ne!(std::mem::replace(&mut self.echo, *on), *on),
            Output::Reject { .. } => {
                assert!(!self.answered, "rejected after an answer");
                self.ended = true;
            }
            Output::Hangup => {
                assert!(silent && !self.echo && !self.queued);
                self.ended = true;
            }
            Output::Entered { step } => {
                assert!(silent, "a step entered while one plays");
                let flow = self.visit.flow();
                if let Some(expected) = self.expects.take() {
                    assert_eq!(flow.step(expected).name, *step, "the exit leads elsewhere");
                } else {
                    assert_eq!(self.step, None, "a step left by no exit: {:?}", self.story);
                }
                self.step = Some(step.clone());
                self.asked = false;
            }
            Output::Left { step, exit } => {
                assert_eq!(Some(step), self.step.as_ref());
                let flow = self.visit.flow();
                let left = flow.step(flow.find(step).expect("a step"));
                let own = left.exits().into_iter().find(|(label, _)| **label == **exit).map(|(_, to)| to);
                let anytime =
                    || flow.anytime.iter().find(|(k, _)| k.to_string() == **exit).map(|(_, to)| *to);
                self.expects = own.or_else(anytime);
                if self.expects.is_none() {
                    assert_eq!((left.kind(), &**exit), ("back", "back"), "no such exit");
                    self.step = None;
                }
                self.exits.push(format!("{step}:{exit}"));
            }
            Output::Set { value, masked, .. } => {
                assert!(!masked || value.bytes().all(|b| b == b'*'), "a masked value is shown");
            }
            _ => {}
        }
        if let (
            Some(secret),
            Output::Set { .. } | Output::Fault { .. } | Output::Trouble { .. } | Output::Left { .. },
        ) = (self.secret, output)
        {
            assert!(!format!("{output:?}").contains(secret), "{output:?} shows a secret");
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
        Output::Trouble { step, what } => format!("trouble in {step}: {what}"),
        Output::Left { step, exit } => format!("{step}:{exit}"),
        Output::Estimate { queue, require, severity } => {
            format!("estimate {queue} {severity} ({})", require.as_deref().unwrap_or("anyone"))
        }
        Output::Music(music) => {
            music.as_deref().map_or("music".into(), |m| format!("music {}", self::pieces(m)))
        }
        Output::Announcements { of, .. } => format!("announcements {}", of.join(" ")),
        Output::Fetch { request, .. } => format!("fetch {}", asked(request)),
        Output::Notify(request) => format!("notify {}", asked(request)),
        Output::Record(action) => format!("record {action:?}"),
        Output::Private(on) => format!("private {on}"),
        Output::TakeMessage { mailbox, min, max, silence } => {
            format!("message {mailbox} {min:?} {max:?} {silence:?}")
        }
        Output::EndMessage => "end message".into(),
        Output::Callback { queue, number, require, severity } => {
            format!("callback {queue} {severity} ({}) {number}", require.as_deref().unwrap_or("anyone"))
        }
        Output::Consent { what, granted } => format!("consent {what} {granted}"),
        Output::Survey { survey, answers, score, low } => {
            let mark = |(name, mark): &(Arc<str>, Option<u8>)| match mark {
                Some(mark) => format!("{name}={mark}"),
                None => format!("{name}=-"),
            };
            let answers: Vec<String> = answers.iter().map(mark).collect();
            format!("survey {survey} {} score {score:?} low {low}", answers.join(" "))
        }
        Output::Bot { bot, context, timeout } => format!("bot {bot} {context:?} {timeout:?}"),
        Output::LeaveBot => "leave bot".into(),
        Output::Dial { number, trunk, timeout, music } => {
            let music = music.as_deref().map_or("music".into(), self::pieces);
            format!("dial {number} over {trunk} {timeout:?} {music}")
        }
    }
}

/// A request in one line; secrets as `<name>`.
pub fn asked(request: &HttpRequest) -> String {
    let text = |text: &HttpText| -> String {
        let part = |part: &HttpPart| match part {
            HttpPart::Text(text) => text.to_string(),
            HttpPart::Secret(name) => format!("<{name}>"),
        };
        text.0.iter().map(part).collect()
    };
    let mut line = format!("{} {}", request.method.as_str(), text(&request.url));
    for (name, value) in &request.headers {
        line += &format!(" {name}: {};", text(value));
    }
    if let Some(body) = &request.body {
        line += &format!(" {}", text(body));
    }
    line
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
