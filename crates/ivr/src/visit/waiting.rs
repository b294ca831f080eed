//! Steps that hand the caller to somebody: queue and ring.
//!
//! A caller in the line hears music, and now and then a treatment: when one is due, place and wait are asked for,
//! then it is said with both of them fresh, then the music goes on. Once an agent is connected nothing is said.

use super::{ANSWER_MAX, Asked, Exit, Line, NEXT, State, Then, Visit};
use crate::expr::{Demand, Template};
use crate::flow::{Act, Queue, Ring, Target};
use crate::{Output, QueueEnd, RingEnd, Value, VarId};
use hotline_core::{Deadline, Outbox, PlayId, Severity, Time};
use std::time::Duration;

/// The shortest time between two sayings of one treatment.
const EVERY_MIN: Duration = Duration::from_secs(1);

/// A caller in the line.
#[derive(Debug)]
pub struct Waiting {
    /// When each treatment of the step is due; None: not again.
    due: Vec<Option<Time>>,
    saying: Saying,
    /// The music plays, or nothing yet has taken its place.
    music: bool,
    pub connected: bool,
    require: Option<String>,
    severity: Severity,
}

#[derive(Debug)]
enum Saying {
    Nothing,
    /// Place and wait are asked for, for this treatment.
    Asked(usize, Time),
    Playing(usize, PlayId),
}

impl Waiting {
    pub fn deadline(&self) -> Option<Deadline> {
        match self.saying {
            _ if self.connected => None,
            Saying::Playing(..) => None,
            Saying::Asked(_, until) => Some(Deadline { at: until, why: "estimate of the wait" }),
            Saying::Nothing => {
                self.due.iter().flatten().min().map(|at| Deadline { at: *at, why: "treatment is due" })
            }
        }
    }

    /// Puts off a treatment to the first of its times that lies later than now.
    fn put_off(&mut self, treatment: usize, every: Option<Duration>, now: Time) {
        let Some(due) = self.due.get_mut(treatment) else { return };
        *due = match (*due, every) {
            (Some(at), Some(every)) if at <= now => {
                let every = every.max(EVERY_MIN).as_nanos().min(u64::MAX.into()) as u64;
                let rounds = now.since(at).as_nanos() as u64 / every + 1;
                Some(Time::from_nanos(at.as_nanos().saturating_add(every.saturating_mul(rounds))))
            }
            (Some(at), Some(_)) => Some(at),
            _ => None,
        };
    }
}

impl Visit {
    pub(super) fn queue(&mut self, now: Time, queue: &Queue, out: &mut Outbox<Output>) -> Then {
        self.ahead.clear();
        let Some((require, severity)) = self.demands(queue.require.as_ref(), &queue.severity, out) else {
            return Then::Leave(Exit::Named("no-agents"));
        };
        if queue.too_long.is_none() {
            return self.join(now, require, severity, out);
        }
        out.push(Output::Estimate { queue: queue.queue.clone(), require: require.clone(), severity });
        self.state =
            State::Answering { asked: Asked::Estimate { require, severity }, until: now + ANSWER_MAX };
        Then::Wait
    }

    /// What an agent must be able to do, and how urgent it is. None: nobody can do it.
    pub(super) fn demands(
        &mut self,
        require: Option<&Demand>,
        severity: &Template,
        out: &mut Outbox<Output>,
    ) -> Option<(Option<String>, Severity)> {
        let require = match require.map(|r| r.fill(self.values.all())).transpose() {
            Ok(require) => require,
            Err(missing) => {
                self.trouble(out, format!("`{}` names no skill, so nobody has it", missing.variable));
                return None;
            }
        };
        let severity = Severity::parse(&severity.fill(self.values.all())).unwrap_or_else(|| {
            self.trouble(out, "the severity is none of P0 to P3: P3 taken");
            Severity::P3
        });
        Some((require, severity))
    }

    pub(super) fn join(
        &mut self,
        now: Time,
        require: Option<String>,
        severity: Severity,
        out: &mut Outbox<Output>,
    ) -> Then {
        let flow = self.flow.clone();
        let Act::Queue(step) = &flow.step(self.step).act else { return Then::Wait };
        self.ahead.clear();
        let music = self.music(&step.music, out);
        let (queue, timeout) = (step.queue.clone(), step.timeout);
        out.push(Output::Queue { queue, require: require.clone(), prefer: None, severity, timeout, music });
        let due = step.treatments.iter().map(|t| Some(now + t.after.max(super::WAIT_MIN))).collect();
        self.state = State::Queued(Waiting {
            due,
            saying: Saying::Nothing,
            music: true,
            connected: false,
            require,
            severity,
        });
        Then::Wait
    }

    /// Place and wait have come.
    pub(super) fn estimated(
        &mut self,
        now: Time,
        position: u32,
        wait: Option<Duration>,
        out: &mut Outbox<Output>,
    ) {
        let flow = self.flow.clone();
        let Act::Queue(queue) = &flow.step(self.step).act else { return };
        let then = match &mut self.state {
            State::Answering { asked: Asked::Estimate { require, severity }, .. } => {
                let (require, severity) = (require.take(), *severity);
                self.know_wait(0, wait);
                if queue.too_long.zip(wait).is_some_and(|((limit, _), wait)| wait > limit) {
                    Then::Leave(Exit::Named("too-long"))
                } else {
                    self.join(now, require, severity, out)
                }
            }
            State::Queued(Waiting { saying: Saying::Asked(treatment, _), connected: false, .. }) => {
                let treatment = *treatment;
                self.know_wait(position, wait);
                self.treat(now, queue, treatment, out)
            }
            _ => return,
        };
        self.follow(now, then, out);
    }

    fn know_wait(&mut self, position: u32, wait: Option<Duration>) {
        let wait = wait.map_or(0, |w| i64::try_from(w.as_millis()).unwrap_or(i64::MAX));
        self.values.know(VarId::POSITION, Value::Number(position.into()));
        self.values.know(VarId::WAIT, Value::Duration(wait));
    }

    /// Says a treatment, if it is to be said.
    fn treat(&mut self, now: Time, queue: &Queue, treatment: usize, out: &mut Outbox<Output>) -> Then {
        let Some(said) = queue.treatments.get(treatment) else { return Then::Wait };
        let wanted = said.when.as_ref().is_none_or(|when| when.holds(self.values.all()));
        let play = if wanted { self.play(&said.sounds, out) } else { None };
        let State::Queued(waiting) = &mut self.state else { return Then::Wait };
        waiting.put_off(treatment, said.every, now);
        match play {
            Some(play) => {
                waiting.saying = Saying::Playing(treatment, play);
                waiting.music = false;
            }
            None => self.wait_on(now, queue, out),
        }
        Then::Wait
    }

    /// The next treatment that is due, or the music.
    fn wait_on(&mut self, now: Time, queue: &Queue, out: &mut Outbox<Output>) {
        let State::Queued(waiting) = &mut self.state else { return };
        let due = waiting.due.iter().enumerate().filter_map(|(i, at)| at.map(|at| (at, i)));
        match due.min().filter(|(at, _)| *at <= now) {
            Some((_, treatment)) => {
                waiting.saying = Saying::Asked(treatment, now + ANSWER_MAX);
                let (require, severity) = (waiting.require.clone(), waiting.severity);
                out.push(Output::Estimate { queue: queue.queue.clone(), require, severity });
            }
            None => {
                waiting.saying = Saying::Nothing;
                if !std::mem::replace(&mut waiting.music, true) {
                    let music = self.music(&queue.music, out);
                    out.push(Output::Music(music));
                }
            }
        }
    }

    /// Time for a treatment, or too late for the estimate that one waits for.
    pub(super) fn treatment_due(&mut self, now: Time, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let (State::Queued(waiting), Act::Queue(queue)) = (&mut self.state, &flow.step(self.step).act) else {
            return Then::Wait;
        };
        if let Saying::Asked(treatment, _) = waiting.saying {
            let every = queue.treatments.get(treatment).and_then(|t| t.every);
            waiting.put_off(treatment, every, now);
            self.fault(out, "nobody said how long the wait is");
        }
        self.wait_on(now, queue, out);
        Then::Wait
    }

    /// A treatment has been heard.
    pub(super) fn treated(&mut self, now: Time, play: PlayId, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let (State::Queued(waiting), Act::Queue(queue)) = (&mut self.state, &flow.step(self.step).act) else {
            return Then::Wait;
        };
        if let Saying::Playing(treatment, current) = waiting.saying
            && current == play
        {
            // It does not follow itself, however long it is.
            let every = queue.treatments.get(treatment).and_then(|t| t.every);
            if every.is_some() {
                waiting.put_off(treatment, every, now);
            }
            self.wait_on(now, queue, out);
        }
        Then::Wait
    }

    /// A key leaves the line, if the step says so and nobody talks yet.
    pub(super) fn queue_key(&mut self, key: char, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let (State::Queued(waiting), Act::Queue(queue)) = (&self.state, &flow.step(self.step).act) else {
            return Then::Wait;
        };
        if waiting.connected || !queue.keys.iter().any(|(k, _)| *k == key) {
            return Then::Wait;
        }
        self.hush(out);
        out.push(Output::LeaveQueue);
        self.values.know(VarId::POSITION, Value::Number(0));
        Then::Leave(Exit::Key(key))
    }

    /// Stops a treatment.
    fn hush(&mut self, out: &mut Outbox<Output>) {
        if let State::Queued(waiting) = &mut self.state
            && let Saying::Playing(..) = std::mem::replace(&mut waiting.saying, Saying::Nothing)
        {
            out.push(Output::Stop);
        }
    }

    /// Somebody talks with the caller.
    pub(super) fn connected(&mut self, agent: &str, out: &mut Outbox<Output>) {
        if !matches!(self.state, State::Queued(_) | State::Ringing) {
            return;
        }
        self.hush(out);
        // What the step said aloud is over.
        self.keep_private(false, out);
        self.values.know(VarId::AGENT, Value::from(super::values::cut(agent)));
        self.values.know(VarId::POSITION, Value::Number(0));
        if let State::Queued(waiting) = &mut self.state {
            waiting.connected = true;
        }
    }

    pub(super) fn queue_ended(&mut self, now: Time, end: QueueEnd, out: &mut Outbox<Output>) {
        if !matches!(self.state, State::Queued(_)) {
            return;
        }
        self.hush(out);
        self.values.know(VarId::POSITION, Value::Number(0));
        let exit = match end {
            QueueEnd::Timeout => "timeout",
            QueueEnd::Full => "full",
            QueueEnd::NoAgents => "no-agents",
            QueueEnd::Served => "next",
        };
        self.follow(now, Then::Leave(Exit::Named(exit)), out);
    }

    pub(super) fn ring(&mut self, ring: &Ring, out: &mut Outbox<Output>) -> Then {
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

    pub(super) fn ring_ended(&mut self, now: Time, end: RingEnd, out: &mut Outbox<Output>) {
        if !matches!(self.state, State::Ringing) {
            return;
        }
        let then = match end {
            RingEnd::Served => {
                self.line = Line::Answered;
                NEXT
            }
            RingEnd::NoAnswer => Then::Leave(Exit::Named("no-answer")),
            RingEnd::Busy | RingEnd::Refused => Then::Leave(Exit::Named("busy")),
            RingEnd::Unreachable => Then::Leave(Exit::Named("unreachable")),
        };
        self.follow(now, then, out);
    }
}
