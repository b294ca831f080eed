//! One day, step by step.

use crate::media::Media;
use crate::network::{Datagram, Network};
use crate::observer::{Limits, Observer};
use crate::parties::{Act, CALLERS, Hands, Person, Who};
use crate::plan::{ENGINE, Faults, Plan};
use engine::{Command, Engine, Input, Output, Reply};
use hotline_core::{CallId, Outbox, Rng, Time, TimerQueue};
use sip::{Hop, Transport};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// No day takes more steps; one that does turns in a circle.
const STEPS_MAX: u64 = 20_000_000;

/// A rule broken on a simulated day; `Display` says with which seed to see it again.
#[derive(Debug)]
pub struct Violation {
    pub what: String,
    pub seed: u64,
    pub at: Time,
}

impl Violation {
    pub(crate) fn new(what: String) -> Violation {
        Violation { what, seed: 0, at: Time::ZERO }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} at {}: {}", self.seed, self.at, self.what)
    }
}

impl std::error::Error for Violation {}

/// What a day came to.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// A hash over every output of the engine with its time: the same seed gives the same trace.
    pub trace: u64,
    pub steps: u64,
    pub arrived: u64,
    pub refused: u64,
    pub connected: u64,
    pub keys: u64,
    pub records: u64,
    pub events_dropped: u64,
    pub promises_missed: u64,
}

/// Runs a day.
///
/// # Errors
/// The first rule that was broken.
pub fn run(plan: &Plan) -> Result<Outcome, Violation> {
    let mut day = Day::new(plan);
    let at_now =
        |day: &Day<'_>, violation: Violation| Violation { seed: plan.seed, at: day.now, ..violation };
    match day.live() {
        Ok(()) => Ok(day.outcome()),
        Err(violation) => Err(at_now(&day, violation)),
    }
}

struct Day<'a> {
    plan: &'a Plan,
    rng: Rng,
    now: Time,
    engine: Engine,
    engine_out: Outbox<Output>,
    /// When the engine's thread will look at the clock: its deadline, or somewhat later.
    engine_wakes: Option<(Time, Time)>,
    network: Network,
    media: Media,
    people: BTreeMap<Who, Person>,
    by_address: BTreeMap<SocketAddr, Who>,
    habits: TimerQueue<(Who, Act)>,
    observer: Observer,
    limits: Limits,
    store: Store,
    replies: Vec<Reply>,
    trace: u64,
    steps: u64,
    drained: bool,
}

/// The store's bounded queue: events beyond its room are dropped and counted, records never.
#[derive(Default)]
struct Store {
    waiting: usize,
    emptied: Time,
    /// The disk is full: nothing leaves the queue.
    full: Option<(Time, Time)>,
    dropped: u64,
}

impl<'a> Day<'a> {
    fn new(plan: &'a Plan) -> Day<'a> {
        let mut rng = Rng::from_u64(plan.seed ^ 0x5eed);
        let engine = Engine::new(plan.settings.clone(), rng.fork(), CallId(1));
        let mut habits = TimerQueue::new();
        let mut people = BTreeMap::new();
        // Every other agent has a phone at home as well.
        let first = (0..plan.passwords.len() as u32).map(Who::Agent);
        let second = (0..plan.passwords.len() as u32).step_by(2).map(Who::Second);
        for who in first.chain(second) {
            people.insert(who, Person::new(who, &mut rng));
            let mut at =
                |from: f64, to: f64| Time::ZERO + Duration::from_secs_f64(from + rng.unit() * (to - from));
            habits.set((who, Act::SignIn), at(0.0, 3600.0), "a person");
            let length = plan.length.as_secs_f64();
            habits.set((who, Act::SignOut), at(0.2 * length, 0.9 * length), "a person");
            habits.set((who, Act::FeatureCode("*511")), at(0.2 * length, 0.8 * length), "a person");
            habits.set((who, Act::FeatureCode("*50")), at(0.3 * length, 0.9 * length), "a person");
        }
        for _ in 0..40 {
            let at = Time::ZERO + plan.length.mul_f64(rng.unit() * 0.95);
            habits.set((Who::Operator, Act::Operate), at, "an operator");
        }
        let full = Time::ZERO + plan.length.mul_f64(plan.faults.disk_full);
        // Calls come in waves: most of them in a tenth of the day, so that the limits are met.
        let rush = rng.unit() * 0.8;
        for i in 0..plan.callers {
            let who = Who::Caller(i);
            let share = if rng.chance(0.6) { rush + rng.unit() * 0.02 } else { 0.02 + rng.unit() * 0.93 };
            let at = Time::ZERO + plan.length.mul_f64(share);
            habits.set((who, Act::Dial), at, "a person");
        }
        let by_number =
            plan.settings.numbers.iter().map(|(digits, n)| (digits.to_string(), n.limit)).collect();
        let by_address = people.iter().map(|(who, person)| (person.address, *who)).collect();
        Day {
            plan,
            rng,
            now: Time::ZERO,
            media: Media::new(plan.settings.prompts.clone()),
            engine_out: Outbox::new(),
            engine,
            engine_wakes: None,
            network: Network::default(),
            people,
            by_address,
            habits,
            observer: Observer::default(),
            limits: Limits { calls: plan.settings.limits.calls, by_number },
            store: Store { full: Some((full, full + Duration::from_secs(3600))), ..Store::default() },
            replies: Vec::new(),
            trace: 0xcbf2_9ce4_8422_2325,
            steps: 0,
            drained: false,
        }
    }

    fn faults(&self) -> Option<&'a Faults> {
        let on = self.now < Time::ZERO + self.plan.length.mul_f64(0.9) && self.plan.faults.loss > 0.0;
        on.then_some(&self.plan.faults)
    }

    fn live(&mut self) -> Result<(), Violation> {
        let evening = Time::ZERO + self.plan.length;
        while let Some(next) = self.next().filter(|next| *next <= evening) {
            self.step(next)?;
        }
        self.now = evening;
        self.agents_are_as_their_phones_say()?;
        self.input(Input::Drain)?;
        // Everybody goes home: phones are put down, and after the longest timers nothing may be left.
        let agents: Vec<Who> = self.people.keys().filter(|who| who.agent().is_some()).copied().collect();
        for who in agents {
            for act in [Act::SignIn, Act::SignOut, Act::ComeBack] {
                self.habits.cancel(&(who, act));
            }
            self.person(who, |person, hands| person.act(Act::GoHome, hands))?;
        }
        let night = evening + self.plan.settings.limits.drain_max + Duration::from_secs(600);
        while let Some(next) = self.next().filter(|next| *next <= night) {
            self.step(next)?;
        }
        self.now = night;
        self.nothing_left()
    }

    fn nothing_left(&self) -> Result<(), Violation> {
        self.observer.nothing_left()?;
        if !self.drained {
            return Err(Violation::new("the engine never said that it is drained".to_owned()));
        }
        if !self.engine.is_idle() {
            let left = self.engine.left();
            return Err(Violation::new(format!("the engine still holds something: {left}")));
        }
        if !self.media.is_idle() {
            return Err(Violation::new(format!("a media leg was never closed: {:?}", self.media)));
        }
        for person in self.people.values().filter(|p| p.alive) {
            let counts = person.phone.counts();
            if counts.dialogs > 0 || !person.engaged.is_empty() {
                return Err(Violation::new(format!("{:?} still talks to nobody: {counts:?}", person.who)));
            }
        }
        Ok(())
    }

    /// When something happens next.
    fn next(&mut self) -> Option<Time> {
        let deadline = self.engine.deadline().map(|d| d.at);
        self.engine_wakes = match (deadline, self.engine_wakes) {
            (Some(at), Some((of, wakes))) if of == at => Some((of, wakes)),
            (Some(at), _) => {
                let late = self.faults().map_or(0, |f| f.late_max.as_nanos() as u64);
                let late = Duration::from_nanos(self.rng.below(late.max(1)));
                Some((at, at + late))
            }
            (None, _) => None,
        };
        let phones = self.people.values().filter_map(|p| p.phone.deadline()).map(|d| d.at).min();
        let others = [
            self.engine_wakes.map(|(_, wakes)| wakes),
            self.network.next(),
            self.media.next(),
            self.habits.deadline().map(|d| d.at),
            phones,
        ];
        others.into_iter().flatten().min().map(|next| next.max(self.now))
    }

    fn step(&mut self, now: Time) -> Result<(), Violation> {
        self.now = now;
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(Violation::new("the day turns in a circle".to_owned()));
        }
        while let Some(datagram) = self.network.arrive(now) {
            if datagram.to == ENGINE {
                let hop = Hop { transport: Transport::Udp, local: ENGINE, remote: datagram.from };
                self.input(Input::Received { hop, bytes: datagram.bytes })?;
            } else if let Some(who) = self.by_address.get(&datagram.to).copied() {
                self.person(who, |person, hands| person.receive(&datagram, hands))?;
            }
        }
        while let Some(event) = self.media.due(now) {
            self.input(Input::Media(event))?;
        }
        while let Some((who, act)) = self.habits.pop_due(now) {
            if act == Act::Operate {
                self.operate()?;
                continue;
            }
            if act == Act::Dial {
                let person = Person::new(who, &mut self.rng);
                self.by_address.insert(person.address, who);
                self.people.insert(who, person);
            }
            self.person(who, |person, hands| person.act(act, hands))?;
        }
        let due = |p: &Person| p.phone.deadline().is_some_and(|d| d.at <= now);
        let ringing: Vec<Who> = self.people.values().filter(|p| due(p)).map(|p| p.who).collect();
        for who in ringing {
            self.person(who, |person, hands| person.wake(hands))?;
        }
        if self.engine_wakes.is_some_and(|(_, wakes)| wakes <= now) {
            self.engine_wakes = None;
            self.engine.wake(now, &mut self.engine_out);
            if self.engine.deadline().is_some_and(|d| d.at <= now) {
                return Err(Violation::new(format!("a due timer stays due: {:?}", self.engine.deadline())));
            }
            self.carry_out()?;
        }
        Ok(())
    }

    fn input(&mut self, input: Input) -> Result<(), Violation> {
        self.engine.handle(self.now, input, &mut self.engine_out);
        self.carry_out()
    }

    fn command(&mut self, command: Command) -> Result<Reply, Violation> {
        self.input(Input::Operator { ticket: 1, command: command.clone() })?;
        match self.replies.len() {
            1 => Ok(self.replies.remove(0)),
            n => Err(Violation::new(format!("{n} replies to {command:?}"))),
        }
    }

    /// Somebody at the command line pauses an agent, has him go on, or ends a call.
    fn operate(&mut self) -> Result<(), Violation> {
        let again = Duration::from_secs(600 + self.rng.below(3600));
        self.habits.set((Who::Operator, Act::Operate), self.now + again, "an operator");
        let agent = format!("agent{}", self.rng.below(self.plan.passwords.len() as u64 + 1));
        let by = "operator".to_owned();
        let command = match self.rng.below(3) {
            0 => Command::AgentPause { agent, reason: "training".to_owned(), by },
            1 => Command::AgentReady { agent, by },
            _ => {
                let Reply::Calls(calls) = self.command(Command::ShowCalls)? else { return Ok(()) };
                let Some(call) = calls.first().map(|view| view.call) else { return Ok(()) };
                Command::HangUp { call, by }
            }
        };
        self.command(command).map(|_| ())
    }

    /// On a day without faults the engine knows who is signed in, and nobody else is.
    fn agents_are_as_their_phones_say(&mut self) -> Result<(), Violation> {
        if self.plan.faults.loss > 0.0 {
            return Ok(());
        }
        let Reply::Agents(agents) = self.command(Command::ShowAgents)? else { return Ok(()) };
        for (i, agent) in (0u32..).zip(agents) {
            let phones = self.people.values().filter(|p| p.who.agent() == Some(i) && p.registered).count();
            let away = matches!(agent.state.as_str(), "offline" | "talking");
            if phones != agent.contacts || (phones == 0) && !away || (phones > 0) && agent.state == "offline"
            {
                return Err(Violation::new(format!("{phones} phones of {agent:?} are registered")));
            }
        }
        Ok(())
    }

    fn carry_out(&mut self) -> Result<(), Violation> {
        self.engine.check();
        let faults = self.faults();
        for output in self.engine_out.take() {
            self.note(&output)?;
            match output {
                Output::Send { hop, bytes } => {
                    let datagram = Datagram { from: ENGINE, to: hop.remote, bytes };
                    self.network.send(self.now, datagram, faults, &mut self.rng);
                }
                Output::Media(command) => self.media.command(self.now, command, faults, &mut self.rng),
                Output::Record(record) => {
                    self.observer.record(&record, self.media.bridges(record.call))?;
                }
                Output::Log(event) => {
                    self.store.event(self.now, self.plan.faults.store_room);
                    self.observer.log(&event, &self.plan.settings.roster, &self.limits)?;
                }
                Output::Drained => self.drained = true,
                Output::Reply { reply, .. } => self.replies.push(reply),
                Output::Story { .. }
                | Output::Board(_)
                | Output::Fetch { .. }
                | Output::Keep(_)
                | Output::Tape(_) => {}
            }
        }
        self.media.check()
    }

    fn person(&mut self, who: Who, what: impl FnOnce(&mut Person, &mut Hands<'_>)) -> Result<(), Violation> {
        let faulty = self.faults().is_some();
        let (mut sends, mut media) = (Vec::new(), Vec::new());
        let Some(person) = self.people.get_mut(&who) else { return Ok(()) };
        let mut hands = Hands {
            now: self.now,
            plan: self.plan,
            faulty,
            rng: &mut self.rng,
            habits: &mut self.habits,
            sends: &mut sends,
            media: &mut media,
        };
        what(person, &mut hands);
        let strict = self.plan.faults.loss == 0.0 && who.agent().is_some();
        if strict && person.engaged.len() > 1 {
            return Err(Violation::new(format!("{who:?} is rung twice at once: {:?}", person.engaged)));
        }
        // A caller who is done leaves the world, and his address with him.
        let gone = !person.alive || (person.engaged.is_empty() && person.phone.counts().transactions == 0);
        if let (Who::Caller(_), true) = (who, gone) {
            let address = person.address;
            self.people.remove(&who);
            self.by_address.remove(&address);
        }
        let faults = self.faults();
        for datagram in sends {
            self.network.send(self.now, datagram, faults, &mut self.rng);
        }
        for (from, key) in media {
            let event = match key {
                Some(digit) => self.media.key(from, digit),
                None => self.media.silence(from),
            };
            // Two who talk hear each other.
            if let Some(peer) = self.media.hears(from)
                && self.media.hears(peer) != Some(from)
            {
                return Err(Violation::new(format!("{from} hears {peer}, who hears somebody else")));
            }
            if let Some(event) = event {
                self.input(Input::Media(event))?;
            }
        }
        Ok(())
    }

    /// FNV-1a over what the engine says, with the time; and nothing that may be printed names a caller.
    fn note(&mut self, output: &Output) -> Result<(), Violation> {
        let text = match output {
            Output::Send { hop, bytes } => {
                self.hash(bytes);
                format!("{} {}", self.now.as_nanos(), hop.remote)
            }
            output => format!("{} {output:?}", self.now.as_nanos()),
        };
        let may_be_printed =
            matches!(output, Output::Log(_) | Output::Story { .. } | Output::Board(_) | Output::Reply { .. });
        if may_be_printed && text.contains(CALLERS) {
            return Err(Violation::new(format!("a caller's number would be printed: {text}")));
        }
        self.hash(text.as_bytes());
        Ok(())
    }

    fn hash(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn outcome(&self) -> Outcome {
        Outcome {
            trace: self.trace,
            steps: self.steps,
            arrived: self.observer.arrived,
            refused: self.observer.refused,
            connected: self.observer.connected,
            keys: self.observer.keys,
            records: self.observer.records(),
            events_dropped: self.store.dropped,
            promises_missed: self.observer.promises_missed,
        }
    }
}

impl Store {
    /// The disk takes all that waits each ten seconds, but for the hour in which it is full.
    fn event(&mut self, now: Time, room: usize) {
        let full = self.full.is_some_and(|(from, to)| (from..to).contains(&now));
        if !full && now.since(self.emptied) >= Duration::from_secs(10) {
            (self.waiting, self.emptied) = (0, now);
        }
        if self.waiting < room {
            self.waiting += 1;
        } else {
            self.dropped += 1;
        }
    }
}
