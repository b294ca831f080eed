//! One caller in a flow, with everything around him played: prompts take their time, queues and other systems
//! answer as the test says, and the clock jumps from one event to the next.

use crate::others::{Asked, LinePlan, Others};
use hotline_core::{Outbox, PlayId, Severity, Time};
use ivr::{
    BotEnd, CallbackEnd, Flow, HttpResult, Input, MessageEnd, Output, Piece, QueueEnd, RingEnd, Start,
    Ticket, Visit,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a prompt without a recording takes.
const UNKNOWN_LENGTH: Duration = Duration::from_secs(2);
/// Lines of a story kept; a flow that turns in circles must not fill the memory.
const STORY_MAX: usize = 20_000;

/// How long each prompt is: language -> prompt -> length.
pub type Lengths = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Duration>>;

/// Something that happened, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    pub at: Time,
    pub what: What,
}

#[derive(Clone, PartialEq, Debug)]
pub enum What {
    Answered,
    Entered(Arc<str>),
    Left {
        step: Arc<str>,
        exit: Arc<str>,
    },
    /// A prompt begins to be heard.
    Heard {
        prompt: Arc<str>,
        language: Arc<str>,
    },
    Pressed {
        key: char,
        masked: bool,
    },
    Set {
        name: Arc<str>,
        value: String,
    },
    Queued {
        queue: Arc<str>,
        severity: Severity,
        require: Option<String>,
    },
    Rung {
        who: String,
    },
    Connected {
        agent: Arc<str>,
    },
    /// A question to another system, `GET https://crm/x`.
    Fetched {
        request: String,
        answered: bool,
    },
    Notified {
        request: String,
    },
    Consent {
        what: Arc<str>,
        granted: bool,
    },
    Recording(&'static str),
    Message {
        mailbox: Arc<str>,
    },
    Callback {
        queue: Arc<str>,
        number: String,
    },
    Survey {
        survey: Arc<str>,
        score: Option<i64>,
        low: bool,
    },
    Bot {
        bot: Arc<str>,
    },
    /// Something outside went wrong, and the flow took care of it.
    Trouble {
        step: Arc<str>,
        what: String,
    },
    Fault {
        step: Arc<str>,
        what: String,
    },
    Ended(End),
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The flow hung up.
    Flow,
    /// The flow refused the call.
    Rejected(u16),
    Caller,
}

/// What comes next without the caller doing anything.
#[derive(Clone, Debug)]
enum Event {
    Ready,
    Played(PlayId),
    Queue(QueueEnd),
    Ring(RingEnd),
    Connected(Arc<str>),
    Announced(Ticket, Vec<Arc<str>>),
    Estimated(u32, Option<Duration>),
    Fetched(Ticket, HttpResult),
    Message(MessageEnd),
    Callback(CallbackEnd),
    Bot(BotEnd),
}

#[derive(Debug)]
struct Playing {
    play: Option<PlayId>,
    /// When each piece begins; those before `told` have been told.
    pieces: Vec<(Time, Arc<str>, Arc<str>)>,
    told: usize,
}

/// A call on a virtual clock.
#[derive(Debug)]
pub struct Stage<O> {
    visit: Visit,
    now: Time,
    others: O,
    lengths: Arc<Lengths>,
    pending: Vec<(Time, u64, Event)>,
    serial: u64,
    out: Outbox<Output>,
    playing: Option<Playing>,
    talking: bool,
    story: Vec<Told>,
    end: Option<End>,
    entered: u64,
}

impl<O: Others> Stage<O> {
    /// The caller has dialled; nothing has happened yet. `start.epoch_unix` is the moment of it.
    pub fn new(flow: Arc<Flow>, start: Start, lengths: Arc<Lengths>, others: O) -> Stage<O> {
        let mut stage = Stage {
            visit: Visit::new(flow),
            now: Time::ZERO,
            others,
            lengths,
            pending: Vec::new(),
            serial: 0,
            out: Outbox::new(),
            playing: None,
            talking: false,
            story: Vec::new(),
            end: None,
            entered: 0,
        };
        stage.handle(Input::Started(Box::new(start)));
        stage
    }

    pub fn now(&self) -> Time {
        self.now
    }

    pub fn visit(&self) -> &Visit {
        &self.visit
    }

    pub fn others(&self) -> &O {
        &self.others
    }

    pub fn others_mut(&mut self) -> &mut O {
        &mut self.others
    }

    /// Everything so far, in order.
    pub fn story(&self) -> &[Told] {
        &self.story
    }

    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// An agent, or a number outside, talks with the caller.
    pub fn is_talking(&self) -> bool {
        self.talking
    }

    /// Steps entered so far.
    pub fn entered(&self) -> u64 {
        self.entered
    }

    /// When something happens next if the caller does nothing. None: never, or it is over.
    pub fn next(&self) -> Option<Time> {
        if self.end.is_some() {
            return None;
        }
        let pending = self.pending.iter().map(|(at, ..)| *at).min();
        let heard = self.playing.as_ref().and_then(|p| p.pieces.get(p.told)).map(|(at, ..)| *at);
        let due = self.visit.deadline().map(|d| d.at);
        [pending, heard, due].into_iter().flatten().min()
    }

    /// Lets the next thing happen. False: nothing will.
    pub fn advance(&mut self) -> bool {
        match self.next() {
            Some(at) => {
                self.advance_to(at);
                true
            }
            None => false,
        }
    }

    /// Lets everything happen that is due until `at`, which becomes now.
    pub fn advance_to(&mut self, at: Time) {
        while let Some(next) = self.next().filter(|next| *next <= at) {
            self.now = self.now.max(next);
            self.tell_heard();
            let due = self.pending.iter().enumerate().filter(|(_, (at, ..))| *at <= self.now);
            if let Some((i, _)) = due.min_by_key(|(_, (at, serial, _))| (*at, *serial)) {
                let (.., event) = self.pending.swap_remove(i);
                self.happen(event);
            } else if self.visit.deadline().is_some_and(|d| d.at <= self.now) {
                let mut out = std::mem::take(&mut self.out);
                self.visit.wake(self.now, &mut out);
                self.out = out;
                self.carry_out();
            }
        }
        self.now = self.now.max(at);
    }

    pub fn press(&mut self, key: char) {
        if self.end.is_some() {
            return;
        }
        let masked = self.visit.masks_digits();
        self.tell(What::Pressed { key: if masked { '*' } else { key }, masked });
        if !self.talking {
            self.handle(Input::Digit(key));
        }
    }

    pub fn hang_up(&mut self) {
        if self.end.is_none() {
            self.handle(Input::HungUp);
            self.finish(End::Caller);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Ready => self.handle(Input::Ready),
            Event::Played(play) => {
                self.playing = None;
                self.handle(Input::Played(play));
            }
            Event::Queue(end) => {
                self.leave_line();
                self.handle(Input::QueueEnded(end));
            }
            Event::Ring(end) => {
                self.leave_line();
                self.handle(Input::RingEnded(end));
            }
            Event::Connected(agent) => {
                self.talking = true;
                self.stop();
                self.tell(What::Connected { agent: agent.clone() });
                self.handle(Input::Connected { agent });
            }
            Event::Announced(ticket, active) => self.handle(Input::Announced { ticket, active }),
            Event::Estimated(position, wait) => self.handle(Input::Estimated { position, wait }),
            Event::Fetched(ticket, result) => self.handle(Input::Fetched { ticket, result }),
            Event::Message(end) => self.handle(Input::MessageEnded(end)),
            Event::Callback(end) => self.handle(Input::CallbackEnded(end)),
            Event::Bot(end) => {
                self.talking = false;
                self.handle(Input::BotEnded(end));
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let mut out = std::mem::take(&mut self.out);
        self.visit.handle(self.now, input, &mut out);
        self.out = out;
        self.carry_out();
    }

    fn carry_out(&mut self) {
        for output in self.out.take() {
            if self.end.is_none() {
                self.output(output);
            }
        }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Answer => {
                self.tell(What::Answered);
                self.later(Duration::ZERO, Event::Ready);
            }
            Output::EarlyMedia => self.later(Duration::ZERO, Event::Ready),
            Output::Ringing | Output::Echo(_) | Output::Private(_) | Output::LeaveBot => {}
            Output::Play { play, pieces, repeat } => self.play(play, &pieces, repeat),
            Output::Stop => self.stop(),
            Output::Queue { queue, require, severity, timeout, music, .. } => {
                self.play_round(None, &music.unwrap_or_default());
                let told = What::Queued { queue: queue.clone(), severity, require: require.clone() };
                self.tell(told);
                let asked = Asked { queue: &queue, require: require.as_deref(), severity };
                let plan = self.others.queue(asked);
                self.line(plan, timeout, Event::Queue);
            }
            Output::LeaveQueue => self.leave_line(),
            Output::Estimate { queue, require, severity } => {
                let asked = Asked { queue: &queue, require: require.as_deref(), severity };
                let (position, wait) = self.others.estimate(asked, self.now);
                self.later(Duration::ZERO, Event::Estimated(position, wait));
            }
            Output::Music(pieces) => {
                self.play_round(None, &pieces.unwrap_or_default());
            }
            Output::Ring { agent, timeout, music } => {
                self.play_round(None, &music.unwrap_or_default());
                self.rung(agent, timeout);
            }
            Output::Dial { number, timeout, music, .. } => {
                self.play_round(None, &music.unwrap_or_default());
                self.rung(number, timeout);
            }
            Output::Announcements { ticket, of } => {
                let active = self.others.announcements(&of);
                self.later(Duration::ZERO, Event::Announced(ticket, active));
            }
            Output::Fetch { ticket, request } => {
                let answer = self.others.http(&request);
                let told =
                    What::Fetched { request: crate::others::shown(&request), answered: answer.is_some() };
                self.tell(told);
                if let Some((after, result)) = answer {
                    self.later(after, Event::Fetched(ticket, result));
                }
            }
            Output::Notify(request) => self.tell(What::Notified { request: crate::others::shown(&request) }),
            Output::Record(action) => {
                let said = match action {
                    ivr::RecordAction::On => "on",
                    ivr::RecordAction::Pause => "pause",
                    ivr::RecordAction::Resume => "resume",
                    ivr::RecordAction::Off => "off",
                };
                self.tell(What::Recording(said));
            }
            Output::TakeMessage { mailbox, max, .. } => {
                let (after, end) = self.others.message(&mailbox, max);
                self.tell(What::Message { mailbox });
                self.later(after, Event::Message(end));
            }
            Output::EndMessage => {
                // The message ends now instead of later, as it would have.
                if let Some(i) = self.pending.iter().position(|(.., e)| matches!(e, Event::Message(_))) {
                    let (.., event) = self.pending.swap_remove(i);
                    self.later(Duration::ZERO, event);
                }
            }
            Output::Callback { queue, number, .. } => {
                let end = self.others.callback(&queue, &number);
                self.tell(What::Callback { queue, number });
                self.later(Duration::ZERO, Event::Callback(end));
            }
            Output::Consent { what, granted } => self.tell(What::Consent { what, granted }),
            Output::Survey { survey, score, low, .. } => self.tell(What::Survey { survey, score, low }),
            Output::Bot { bot, timeout, .. } => {
                let (after, end) = self.others.bot(&bot, timeout);
                self.talking = true;
                self.tell(What::Bot { bot });
                self.later(after, Event::Bot(end));
            }
            Output::Reject { code, .. } => self.finish(End::Rejected(code)),
            Output::Hangup => self.finish(End::Flow),
            Output::Entered { step } => {
                self.entered += 1;
                self.tell(What::Entered(step));
            }
            Output::Left { step, exit } => self.tell(What::Left { step, exit }),
            Output::Set { name, value, .. } => self.tell(What::Set { name, value }),
            Output::Trouble { step, what } => self.tell(What::Trouble { step, what }),
            Output::Fault { step, what } => self.tell(What::Fault { step, what }),
        }
    }

    fn rung(&mut self, who: String, timeout: Duration) {
        let plan = self.others.ring(&who);
        self.tell(What::Rung { who });
        match plan {
            LinePlan::Served { after, .. } if after > timeout => {
                self.later(timeout, Event::Ring(RingEnd::NoAnswer));
            }
            LinePlan::Served { after, agent, talk } => {
                self.later(after, Event::Connected(agent));
                self.later(after + talk, Event::Ring(RingEnd::Served));
            }
            LinePlan::Ended { after, .. } if after > timeout => {
                self.later(timeout, Event::Ring(RingEnd::NoAnswer));
            }
            LinePlan::Ended { after, ring, .. } => self.later(after, Event::Ring(ring)),
            LinePlan::Never => self.later(timeout, Event::Ring(RingEnd::NoAnswer)),
        }
    }

    fn line(&mut self, plan: LinePlan, timeout: Option<Duration>, event: fn(QueueEnd) -> Event) {
        let late = |after: Duration| timeout.is_some_and(|timeout| after > timeout);
        match plan {
            LinePlan::Served { after, agent, talk } if !late(after) => {
                self.later(after, Event::Connected(agent));
                self.later(after + talk, event(QueueEnd::Served));
            }
            LinePlan::Ended { after, queue, .. } if !late(after) => self.later(after, event(queue)),
            LinePlan::Served { .. } | LinePlan::Ended { .. } | LinePlan::Never => {
                if let Some(timeout) = timeout {
                    self.later(timeout, event(QueueEnd::Timeout));
                }
            }
        }
    }

    fn leave_line(&mut self) {
        self.talking = false;
        self.stop();
        self.pending.retain(|(.., e)| !matches!(e, Event::Queue(_) | Event::Ring(_) | Event::Connected(_)));
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.serial += 1;
        self.pending.push((self.now + after, self.serial, event));
    }

    fn play(&mut self, play: PlayId, pieces: &[Piece], repeat: bool) {
        let length = self.play_round(Some(play), pieces);
        if !repeat {
            self.later(length, Event::Played(play));
        }
    }

    /// One round of some pieces from now on; how long it takes.
    fn play_round(&mut self, play: Option<PlayId>, pieces: &[Piece]) -> Duration {
        self.stop();
        let mut length = Duration::ZERO;
        let mut timed = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Spoken(spoken) => {
                    timed.push((self.now + length, spoken.prompt.clone(), spoken.language.clone()));
                    let known = self.lengths.get(&spoken.language).and_then(|l| l.get(&spoken.prompt));
                    length += known.copied().unwrap_or(UNKNOWN_LENGTH);
                }
                Piece::Silence(silence) => length += *silence,
                Piece::Tone { length: tone, .. } => length += *tone,
            }
        }
        self.playing = Some(Playing { play, pieces: timed, told: 0 });
        self.tell_heard();
        length
    }

    /// Tells what has begun to be heard by now.
    fn tell_heard(&mut self) {
        let Some(playing) = &mut self.playing else { return };
        let begun = playing.pieces.iter().skip(playing.told).take_while(|(at, ..)| *at <= self.now).count();
        let from = playing.told;
        playing.told += begun;
        let heard = playing.pieces[from..from + begun].to_vec();
        for (at, prompt, language) in heard {
            self.tell_at(at, What::Heard { prompt, language });
        }
    }

    fn stop(&mut self) {
        if let Some(playing) = self.playing.take()
            && let Some(play) = playing.play
        {
            self.pending.retain(|(.., e)| !matches!(e, Event::Played(p) if *p == play));
        }
    }

    fn finish(&mut self, end: End) {
        self.stop();
        self.pending.clear();
        self.talking = false;
        self.end = Some(end);
        self.tell(What::Ended(end));
    }

    fn tell(&mut self, what: What) {
        self.tell_at(self.now, what);
    }

    fn tell_at(&mut self, at: Time, what: What) {
        if self.story.len() < STORY_MAX {
            self.story.push(Told { at, what });
        }
    }
}
