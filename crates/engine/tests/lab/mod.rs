//! A laboratory: the engine, real phones on a wire without delay, and media that do as they are told; in virtual time.
#![allow(dead_code, reason = "each file of stories uses its part")]

use acd::{Agent, AgentOrder, Pool, Queue, Roster};
use hotline_core::{CallId, LegId, Outbox, PlayId, PoolId, Rng, SoundId, Time};
use hotline_engine::*;
use media::{Command as Media, Event as MediaEvent, Piece, Stats};
use sip::{
    Account, Algorithm, Credentials, DialogId, Endpoint, EndpointConfig, Event, Ha1, Hop, Limits, Message,
    Outgoing, ParseLimits, RegistrarConfig, Transport,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub const REALM: &str = "hotline.test";
pub const S: Duration = Duration::from_secs(1);

pub fn engine_address() -> SocketAddr {
    ([10, 0, 0, 1], 5060).into()
}

/// One pool, two agents, one queue: rings 20 s, wrap-up 30 s, rest 10 s.
pub fn settings() -> Settings {
    let names = ["alice", "bob"];
    let agent = |name: &str| Agent {
        name: name.into(),
        pool: PoolId(0),
        skills: BTreeMap::from([("lang.en".into(), 3)]),
        capacity: 1,
        rest: 10 * S,
        misses_max: 0,
    };
    let queue = Queue {
        name: "support".into(),
        pools: Vec::new(),
        require: None,
        order: AgentOrder::LongestIdle,
        limit: None,
        length_max: 10,
        ring: 20 * S,
        wrap_up: 30 * S,
        promise: [300, 900, 1800, 3600].map(Duration::from_secs),
    };
    let roster = Roster {
        pools: vec![Pool { name: "L1".into(), rank: 1, limit: None }],
        queues: vec![queue],
        agents: names.map(agent).to_vec(),
        node_limit: None,
    };
    let ha1 = |name: &str| Ha1::new(Algorithm::Sha256, name, REALM, "secret");
    let mut prompts = Prompts { music: Some(SoundId(0)), ..Prompts::default() };
    let mut sounds = BTreeMap::new();
    for (i, name) in ["music", "welcome", "menu", "thanks", "agent-ready", "agent-paused"].iter().enumerate()
    {
        sounds.insert(Arc::from(*name), SoundId(i as u32));
        prompts.lengths.push(2 * S);
        prompts.files.push(format!("{name}.wav").into());
    }
    prompts.sounds.insert("en".into(), sounds);
    let listener = Listener { transport: Transport::Udp, address: engine_address(), advertised: None };
    Settings {
        version: Version::default(),
        sip: SipSettings { realm: REALM.into(), product: "hotline".into(), listeners: vec![listener] },
        media: MediaSettings {
            address: None,
            ports: (10_000, 19_999),
            port_rest: 5 * S,
            no_media_after: Some(60 * S),
            threads: 1,
            codecs: vec![sdp::Codec::Pcma, sdp::Codec::Pcmu],
        },
        limits: CallLimits { calls: 10, retry_after: 7 * S, call_max: 3600 * S, drain_max: 60 * S },
        numbers: BTreeMap::new(),
        prompts: Arc::new(prompts),
        roster: Arc::new(roster),
        accounts: names.map(|n| Account { user: n.into(), ha1: vec![ha1(n)] }).to_vec(),
        feature_codes: FeatureCodes {
            ready: "*50".into(),
            pause: "*51".into(),
            logout: "*52".into(),
            pause_reasons: BTreeMap::from([('1', "break".to_owned())]),
        },
        epoch_unix: 1_790_000_000,
        services: BTreeMap::new(),
        secrets: BTreeMap::new(),
        mailboxes: BTreeMap::new(),
        surveys: BTreeMap::new(),
        trunks: BTreeMap::new(),
        announcements: BTreeMap::new(),
    }
}

pub fn number(digits: &str, flow: ivr::Flow) -> (Arc<str>, Number) {
    let number = Number {
        digits: digits.into(),
        title: digits.into(),
        flow: Arc::new(flow),
        limit: None,
        vars: Vec::new(),
    };
    (digits.into(), number)
}

pub struct Phone {
    pub endpoint: Endpoint,
    pub address: SocketAddr,
    pub events: Vec<Event>,
    pub local: sdp::Local,
    /// The latest session, and what was offered in it.
    pub dialog: Option<DialogId>,
    pub offer: Option<Vec<u8>>,
    pub expects_offer: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Port {
    Opening,
    Open,
}

pub struct Lab {
    pub now: Time,
    pub engine: Engine,
    pub phones: BTreeMap<&'static str, Phone>,
    to_engine: VecDeque<Input>,
    to_phones: VecDeque<(SocketAddr, Arc<[u8]>)>,
    /// While held, nothing of what the engine sends arrives.
    pub held: bool,
    /// Media open only when told to.
    pub slow_media: bool,
    ports: BTreeMap<LegId, Port>,
    next_port: u16,
    /// What the engine did: datagrams, media commands, events of the log.
    pub trace: Vec<String>,
    /// Everything printable that is not a record, as it would reach a log.
    pub printed: String,
    pub stories: Vec<StoryLine>,
    pub records: Vec<CallRecord>,
    pub replies: Vec<Reply>,
    pub datagrams: Vec<Arc<[u8]>>,
    /// What other systems were asked, and what is to outlast the engine.
    pub fetches: Vec<(u64, ivr::HttpRequest)>,
    pub kept: Vec<Kept>,
    pub drained: bool,
    pub tapes: Vec<Tape>,
    /// What becomes of a tape that ends; None: nobody says.
    pub tape_news: Option<TapeNews>,
    recorded: BTreeSet<CallId>,
}

impl Lab {
    pub fn new(settings: Settings) -> Lab {
        Lab {
            now: Time::from_secs(1),
            engine: Engine::new(Arc::new(settings), Rng::from_u64(7), CallId(1)),
            phones: BTreeMap::new(),
            to_engine: VecDeque::new(),
            to_phones: VecDeque::new(),
            held: false,
            slow_media: false,
            ports: BTreeMap::new(),
            next_port: 10_000,
            trace: Vec::new(),
            printed: String::new(),
            stories: Vec::new(),
            records: Vec::new(),
            replies: Vec::new(),
            datagrams: Vec::new(),
            fetches: Vec::new(),
            kept: Vec::new(),
            drained: false,
            tapes: Vec::new(),
            tape_news: Some(TapeNews::Kept { length: 4 * S, lost: Duration::ZERO }),
            recorded: BTreeSet::new(),
        }
    }

    pub fn phone(&mut self, name: &'static str) -> &mut Phone {
        let i = self.phones.len() as u8 + 1;
        self.phones.entry(name).or_insert_with(|| Phone {
            endpoint: Endpoint::new(config(), Rng::from_u64(100 + u64::from(i))),
            address: ([10, 1, 0, i], 5060).into(),
            events: Vec::new(),
            local: sdp::Local {
                address: ([10, 1, 0, i], 40_000).into(),
                codecs: vec![sdp::Codec::Pcma],
                telephone_event: true,
                ptime_ms: 20,
                session: 1,
                version: 1,
                direction: sdp::Direction::SendRecv,
            },
            dialog: None,
            offer: None,
            expects_offer: false,
        })
    }

    pub fn act<R>(
        &mut self,
        name: &'static str,
        act: impl FnOnce(&mut Endpoint, Time, &mut Outbox<sip::Output>) -> R,
    ) -> R {
        let now = self.now;
        let mut out = Outbox::new();
        let result = act(&mut self.phone(name).endpoint, now, &mut out);
        self.sent_by_phone(name, out);
        self.settle();
        result
    }

    fn sent_by_phone(&mut self, name: &'static str, mut out: Outbox<sip::Output>) {
        let now = self.now;
        let from = self.phone(name).address;
        let mut more = Outbox::new();
        for output in out.drain() {
            match output {
                sip::Output::Send { bytes, .. } => {
                    let hop = Hop { transport: Transport::Udp, local: engine_address(), remote: from };
                    self.to_engine.push_back(Input::Received { hop, bytes });
                }
                sip::Output::Event(event) => {
                    let phone = self.phone(name);
                    match &event {
                        Event::Invite { dialog, invitation } => {
                            (phone.dialog, phone.offer) = (Some(*dialog), invitation.sdp.clone());
                        }
                        Event::Answered { dialog, sdp, .. } if phone.expects_offer => {
                            phone.expects_offer = false;
                            let answer = sdp.as_deref().and_then(|sdp| {
                                let offer = sdp::Description::parse(sdp).ok()?;
                                Some(sdp::answer(&offer, &phone.local).ok()?.0)
                            });
                            if let Some(answer) = answer {
                                phone.endpoint.ack(now, *dialog, &answer, &mut more);
                            }
                        }
                        _ => {}
                    }
                    phone.events.push(event);
                }
            }
        }
        if !more.is_empty() {
            self.sent_by_phone(name, more);
        }
    }

    pub fn input(&mut self, input: Input) {
        self.to_engine.push_back(input);
        self.settle();
    }

    pub fn restore(&mut self, kept: KeptAtStart) {
        let mut out = Outbox::new();
        self.engine.restore(self.now, kept, &mut out);
        self.done_by_engine(out);
        self.settle();
    }

    pub fn media(&mut self, event: MediaEvent) {
        self.input(Input::Media(event));
    }

    pub fn operate(&mut self, command: Command) -> Reply {
        self.input(Input::Operator { ticket: 1, command });
        self.replies.pop().expect("each command has its reply")
    }

    /// Carries everything that is under way, at this instant.
    pub fn settle(&mut self) {
        loop {
            if let Some(input) = self.to_engine.pop_front() {
                let mut out = Outbox::new();
                self.engine.handle(self.now, input, &mut out);
                self.done_by_engine(out);
            } else if let (false, Some((to, bytes))) = (self.held, self.to_phones.pop_front()) {
                let Some(name) = self.phones.iter().find(|(_, p)| p.address == to).map(|(n, _)| *n) else {
                    continue;
                };
                let hop = Hop { transport: Transport::Udp, local: to, remote: engine_address() };
                let (now, mut out) = (self.now, Outbox::new());
                self.phone(name).endpoint.receive(now, hop, &bytes, &mut out);
                self.sent_by_phone(name, out);
            } else {
                return;
            }
        }
    }

    fn done_by_engine(&mut self, mut out: Outbox<Output>) {
        self.engine.check();
        for output in out.drain() {
            match output {
                Output::Send { hop, bytes } => {
                    let line = format!("{} {}", self.name_of(hop.remote), kind(&bytes));
                    self.trace.push(line);
                    self.datagrams.push(bytes.clone());
                    self.to_phones.push_back((hop.remote, bytes));
                }
                Output::Media(command) => self.command(command),
                Output::Record(record) => {
                    assert!(self.recorded.insert(record.call), "{} has two records", record.call);
                    self.trace.push(format!("record {}", record.cause));
                    self.records.push(*record);
                }
                Output::Log(event) => {
                    self.printed += &format!("{event:?}\n");
                    let who = event.agent.map(|a| format!(" {a}")).unwrap_or_default();
                    self.trace.push(format!("{}{who} {}", event.kind, event.detail).trim_end().to_owned());
                }
                Output::Story { line, .. } => {
                    self.printed += &format!("{line:?}\n");
                    self.stories.push(line);
                }
                Output::Board(update) => self.printed += &format!("{update:?}\n"),
                Output::Reply { reply, .. } => self.replies.push(reply),
                Output::Fetch { ticket, request } => {
                    self.trace.push(format!("fetch {ticket} {request:?}"));
                    self.printed += &format!("{request:?}\n");
                    self.fetches.push((ticket, *request));
                }
                Output::Keep(kept) => {
                    self.printed += &format!("{kept:?}\n");
                    self.kept.push(kept);
                }
                Output::Tape(tape) => {
                    self.trace.push(format!("{tape:?}"));
                    if let (Tape::End { tape, .. }, Some(news)) = (&tape, self.tape_news.clone()) {
                        self.to_engine.push_back(Input::Taped { tape: *tape, news });
                    }
                    self.tapes.push(tape);
                }
                Output::Drained => self.drained = true,
            }
        }
    }

    fn command(&mut self, command: Media) {
        let line = match &command {
            Media::Open { leg, .. } => {
                assert!(!self.ports.contains_key(leg), "{leg} is opened twice");
                self.ports.insert(*leg, Port::Opening);
                if !self.slow_media {
                    let event = self.opened(*leg);
                    self.to_engine.push_back(Input::Media(event));
                }
                format!("open {}", party(*leg))
            }
            Media::Connect { leg, format } => format!("connect {} {:?}", party(*leg), format.direction),
            Media::Play { leg, play, pieces, repeat } => {
                let what: Vec<String> = pieces
                    .iter()
                    .map(|p| match p {
                        Piece::Sound(sound) => sound.to_string(),
                        Piece::Silence(_) => "silence".into(),
                        Piece::Tone { .. } => "tone".into(),
                    })
                    .collect();
                let how = if *repeat { "loop".into() } else { play.to_string() };
                format!("play {} {how} {}", party(*leg), what.join("+"))
            }
            Media::Stop { leg } => format!("stop {}", party(*leg)),
            Media::Bridge { a, b } => format!("bridge {} {}", party(*a), party(*b)),
            Media::Unbridge { a, b } => format!("unbridge {} {}", party(*a), party(*b)),
            Media::Close { leg } => {
                // A thread that is late opens first, then closes.
                if self.ports.remove(leg).is_some() {
                    let stats = Box::<Stats>::default();
                    self.to_engine.push_back(Input::Media(MediaEvent::Closed { leg: *leg, stats }));
                }
                format!("close {}", party(*leg))
            }
            other => format!("{other:?}"),
        };
        self.trace.push(line);
    }

    pub fn opened(&mut self, leg: LegId) -> MediaEvent {
        self.next_port += 2;
        if let Some(port) = self.ports.get_mut(&leg) {
            *port = Port::Open;
        }
        MediaEvent::Opened { leg, address: ([10, 0, 0, 1], self.next_port).into() }
    }

    pub fn opening(&self) -> Vec<LegId> {
        self.ports.iter().filter(|(_, port)| **port == Port::Opening).map(|(leg, _)| *leg).collect()
    }

    /// The media thread could not open this leg.
    pub fn fails(&mut self, leg: LegId) {
        self.ports.remove(&leg);
        self.media(MediaEvent::Failed { leg, why: "no port".into() });
    }

    /// Lets time pass until `second` after the start.
    pub fn until(&mut self, second: u64) {
        self.until_time(Time::from_secs(second));
    }

    pub fn pass(&mut self, length: Duration) {
        self.until_time(self.now + length);
    }

    fn until_time(&mut self, end: Time) {
        for _ in 0..200_000 {
            let phones = self.phones.values().filter_map(|p| p.endpoint.deadline()).map(|d| d.at);
            let next = phones.chain(self.engine.deadline().map(|d| d.at)).min();
            let Some(next) = next.filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            for name in self.phones.keys().copied().collect::<Vec<_>>() {
                let (now, mut out) = (self.now, Outbox::new());
                self.phone(name).endpoint.wake(now, &mut out);
                self.sent_by_phone(name, out);
            }
            self.settle();
            if self.engine.deadline().is_some_and(|d| d.at <= self.now) {
                self.wake();
            }
        }
        panic!("time does not pass");
    }

    pub fn wake(&mut self) {
        let mut out = Outbox::new();
        self.engine.wake(self.now, &mut out);
        assert!(self.engine.deadline().is_none_or(|d| d.at > self.now), "{:?}", self.engine.deadline());
        self.done_by_engine(out);
        self.settle();
    }

    // What people do.

    pub fn register(&mut self, name: &'static str) {
        let hop =
            Hop { transport: Transport::Udp, local: self.phone(name).address, remote: engine_address() };
        let user = name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let uri = format!("sip:{user}@{REALM}");
        let credentials = Credentials { user, password: "secret".into() };
        self.act(name, |e, now, out| e.register(now, hop, &uri, credentials, 3600 * S, out));
    }

    pub fn unregister(&mut self, name: &'static str) {
        let user = name.trim_end_matches(|c: char| c.is_ascii_digit());
        self.act(name, |e, now, out| e.unregister(now, user, out));
    }

    pub fn dial(&mut self, name: &'static str, number: &str) -> DialogId {
        let offer = sdp::offer(&self.phone(name).local);
        self.dial_with(name, number, Some(offer))
    }

    pub fn dial_with(&mut self, name: &'static str, number: &str, sdp: Option<Vec<u8>>) -> DialogId {
        let hop =
            Hop { transport: Transport::Udp, local: self.phone(name).address, remote: engine_address() };
        let user = if name.starts_with("caller") { "13800138000" } else { name };
        let credentials = Credentials { user: name.into(), password: "secret".into() };
        self.phone(name).expects_offer = sdp.is_none();
        let call = Outgoing {
            uri: format!("sip:{number}@10.0.0.1"),
            hop,
            from: format!("<sip:{user}@{REALM}>"),
            to: format!("<sip:{number}@{REALM}>"),
            sdp,
            headers: Vec::new(),
            credentials: Some(credentials).filter(|_| !name.starts_with("caller")),
        };
        let now = self.now;
        let mut out = Outbox::new();
        let phone = self.phone(name);
        let dialog = phone.endpoint.invite(now, call, &mut out);
        phone.dialog = Some(dialog);
        self.sent_by_phone(name, out);
        self.settle();
        dialog
    }

    fn dialog(&mut self, name: &'static str) -> DialogId {
        self.phone(name).dialog.unwrap_or_else(|| panic!("{name} has no call"))
    }

    pub fn ring(&mut self, name: &'static str) {
        let dialog = self.dialog(name);
        self.act(name, |e, now, out| e.ring(now, dialog, 180, None, out));
    }

    pub fn answer(&mut self, name: &'static str) {
        let dialog = self.dialog(name);
        let phone = self.phone(name);
        let offer =
            sdp::Description::parse(phone.offer.as_deref().expect("an offer")).expect("a description");
        let (answer, _) = sdp::answer(&offer, &phone.local).expect("a codec in common");
        self.act(name, |e, now, out| e.accept(now, dialog, &answer, &[], out));
    }

    pub fn refuse(&mut self, name: &'static str, code: u16) {
        let dialog = self.dialog(name);
        self.act(name, |e, now, out| e.refuse(now, dialog, code, &[], out));
    }

    pub fn hang_up(&mut self, name: &'static str) {
        let dialog = self.dialog(name);
        self.act(name, |e, now, out| e.hang_up(now, dialog, 200, "bye", out));
    }

    pub fn reoffer(&mut self, name: &'static str, direction: sdp::Direction) {
        let dialog = self.dialog(name);
        let phone = self.phone(name);
        phone.local.version += u64::from(phone.local.direction != direction);
        phone.local.direction = direction;
        let offer = sdp::offer(&phone.local);
        self.act(name, |e, now, out| e.reoffer(now, dialog, &offer, out));
    }

    pub fn info(&mut self, name: &'static str, digit: char) {
        let dialog = self.dialog(name);
        let body = format!("Signal={digit}\r\nDuration=160\r\n");
        self.act(name, |e, now, out| e.info(now, dialog, "application/dtmf-relay", body.as_bytes(), out));
    }

    pub fn press(&mut self, leg: LegId, digits: &str) {
        for digit in digits.chars() {
            self.media(MediaEvent::Digit { leg, digit });
        }
    }

    pub fn played(&mut self, leg: LegId, play: u32) {
        self.media(MediaEvent::Played { leg, play: PlayId(play) });
    }

    // What is seen.

    pub fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.trace)
    }

    /// Of what happened since, what is neither the log nor about agents' states.
    pub fn take_wire(&mut self) -> Vec<String> {
        let known = ["call-", "offer-", "agent-", "connected", "queue-left", "held", "resumed", "record"];
        self.take().into_iter().filter(|line| !known.iter().any(|k| line.starts_with(k))).collect()
    }

    fn name_of(&self, address: SocketAddr) -> String {
        let known = self.phones.iter().find(|(_, p)| p.address == address).map(|(n, _)| (*n).to_owned());
        known.unwrap_or_else(|| address.to_string())
    }

    pub fn last_code(&self, name: &str) -> Option<u16> {
        self.phones[name].events.iter().rev().find_map(|event| match event {
            Event::Refused { code, .. } => Some(*code),
            Event::Answered { .. } => Some(200),
            _ => None,
        })
    }

    /// The last message sent that contains `text`.
    pub fn sent(&self, text: &str) -> String {
        let all = self.datagrams.iter().rev().map(|b| String::from_utf8_lossy(b).into_owned());
        all.into_iter().find(|m| m.contains(text)).unwrap_or_else(|| panic!("nothing with {text} was sent"))
    }

    /// Everybody waits until the longest timer is over; nothing may be left.
    pub fn nothing_left(&mut self, calls: usize) {
        self.held = false;
        self.settle();
        self.pass(120 * S);
        assert!(self.engine.is_idle(), "{}", self.engine.left());
        assert!(self.ports.is_empty(), "media left open: {:?}", self.ports);
        assert_eq!(self.records.len(), calls, "one record a call");
        for (name, phone) in &self.phones {
            assert_eq!(phone.endpoint.counts().dialogs, 0, "{name} talks to nobody");
        }
    }

    pub fn agent_state(&mut self, name: &str) -> String {
        let Reply::Agents(agents) = self.operate(Command::ShowAgents) else {
            panic!("agents were asked for")
        };
        agents.into_iter().find(|a| &*a.name == name).map(|a| a.state).expect("an agent of the roster")
    }
}

/// `caller`, or the number of an agent's leg within its call.
fn party(leg: LegId) -> String {
    match leg.0 % 256 {
        0 => "caller".into(),
        n => format!("leg{n}"),
    }
}

pub fn leg(call: u64, n: u64) -> LegId {
    LegId(call * 256 + n)
}

fn kind(bytes: &[u8]) -> String {
    let limits = ParseLimits { message_bytes: usize::MAX, headers: usize::MAX };
    let message = Message::parse(bytes, &limits).expect("we send what can be read");
    match message.is_request() {
        true => message.method().as_str().to_owned(),
        false => format!("{} {}", message.code(), message.cseq().method.as_str()),
    }
}

fn config() -> EndpointConfig {
    EndpointConfig {
        realm: REALM.into(),
        product: "phone".into(),
        advertised: Vec::new(),
        limits: Limits {
            message_bytes: 65_535,
            headers: 256,
            transactions: 1000,
            dialogs: 100,
            contacts_per_user: 5,
        },
        t1: Duration::from_millis(500),
        t2: 4 * S,
        t4: 5 * S,
        registrar: RegistrarConfig {
            expires_min: 30 * S,
            expires_default: 300 * S,
            expires_max: 3600 * S,
            nonce_lifetime: 300 * S,
        },
    }
}

// Flows.

use ivr::{Act, AnswerMode, Flow, Key, Menu, Play, Prompt, Retry, Ring, Sound, Template, Value};

fn play(name: &str, early: bool, next: ivr::StepId) -> Act {
    Act::Play(Play { prompt: Prompt::named(&[name]), early, repeat: 1, next })
}

/// Welcome, a menu with key 1, the queue, thanks.
pub fn support() -> Flow {
    support_asking(None)
}

pub fn support_asking(timeout: Option<Duration>) -> Flow {
    let mut flow = Flow::builder("support");
    flow.language("en").languages(["en"]);
    let (menu, queue, bye, end) = (flow.id("menu"), flow.id("queue"), flow.id("bye"), flow.id("end"));
    let retry = || Retry { tries: 1, prompt: vec![Sound::prompt("menu")], then: end };
    flow.step("welcome", play("welcome", false, menu)).start("welcome");
    flow.step(
        "menu",
        Act::Menu(Menu {
            prompt: Prompt::named(&["menu"]),
            into: None,
            keys: vec![Key { key: '1', value: Value::Text("1".into()), to: queue }],
            after: 5 * S,
            no_input: retry(),
            invalid: retry(),
        }),
    );
    flow.step("queue", queue_act(timeout, bye, end));
    flow.step("bye", play("thanks", false, end));
    flow.step("end", Act::Hangup);
    flow.build().expect("whole")
}

pub fn queue_act(timeout: Option<Duration>, next: ivr::StepId, otherwise: ivr::StepId) -> Act {
    Act::Queue(ivr::Queue {
        queue: "support".into(),
        require: None,
        severity: Template::text("P1"),
        music: Vec::new(),
        treatments: Vec::new(),
        keys: Vec::new(),
        too_long: None,
        timeout,
        on_timeout: otherwise,
        on_full: otherwise,
        on_no_agents: otherwise,
        next,
    })
}

/// Straight into this queue.
pub fn into_queue(name: &str) -> Flow {
    let mut flow = Flow::builder("queue");
    flow.language("en").languages(["en"]);
    let end = flow.id("end");
    let Act::Queue(queue) = queue_act(None, end, end) else { unreachable!("it is a queue") };
    flow.step("queue", Act::Queue(ivr::Queue { queue: name.into(), ..queue })).start("queue");
    flow.step("end", Act::Hangup);
    flow.build().expect("whole")
}

/// Straight into the queue.
pub fn queue_only(timeout: Option<Duration>) -> Flow {
    let mut flow = Flow::builder("queue");
    flow.language("en").languages(["en"]);
    let end = flow.id("end");
    flow.step("queue", queue_act(timeout, end, end)).start("queue");
    flow.step("end", Act::Hangup);
    flow.build().expect("whole")
}

/// Rings alice for 15 s; 486 when she is busy, 480 when she does not come, 404 when she is not there.
pub fn desk(answer_first: bool, early: bool) -> Flow {
    let mut flow = Flow::builder("desk");
    flow.language("en").languages(["en"]).answer(AnswerMode::ByStep);
    let (ring, busy, none, gone) = (flow.id("ring"), flow.id("busy"), flow.id("none"), flow.id("gone"));
    let (end, thanks) = (flow.id("end"), flow.id("thanks"));
    flow.step("greet", play("welcome", early, ring));
    flow.start(if early { "greet" } else { "ring" });
    flow.step(
        "ring",
        Act::Ring(Ring {
            to: ivr::Target::Agent(Template::text("alice")),
            answer: answer_first,
            music: Vec::new(),
            timeout: 15 * S,
            next: thanks,
            on_no_answer: if answer_first { thanks } else { none },
            on_busy: if answer_first { thanks } else { busy },
            on_unreachable: if answer_first { thanks } else { gone },
        }),
    );
    flow.step("busy", Act::Reject { code: 486, reason: None });
    flow.step("none", Act::Reject { code: 480, reason: None });
    flow.step("gone", Act::Reject { code: 404, reason: None });
    flow.step("thanks", play("thanks", false, end));
    flow.step("end", Act::Hangup);
    flow.build().expect("whole")
}

/// Plays early media for ever.
pub fn early_for_ever() -> Flow {
    let mut flow = Flow::builder("early");
    flow.language("en").languages(["en"]).answer(AnswerMode::ByStep);
    let again = flow.id("again");
    flow.step("again", play("welcome", true, again)).start("again");
    flow.build().expect("whole")
}

/// Asks the queue again for ever, without a breath.
pub fn queue_for_ever() -> Flow {
    let mut flow = Flow::builder("again");
    flow.language("en").languages(["en"]);
    let queue = flow.id("queue");
    flow.step("queue", queue_act(None, queue, queue)).start("queue");
    flow.build().expect("whole")
}

/// Asks for four masked digits and reads them back with prompts that do not exist, then queues.
pub fn secret() -> Flow {
    let mut flow = Flow::builder("secret");
    flow.language("en").languages(["en"]).var("pin", "");
    let (pin, types) = (flow.var_id("pin"), flow.types());
    let (read, queue, end) = (flow.id("read"), flow.id("queue"), flow.id("end"));
    let retry = || Retry { tries: 2, prompt: Vec::new(), then: end };
    flow.step(
        "ask",
        Act::Collect(ivr::Collect {
            prompt: Prompt::named(&["menu"]),
            into: pin,
            min: 4,
            max: 4,
            end: Some('#'),
            first: 5 * S,
            between: 3 * S,
            mask: true,
            matches: None,
            check: None,
            no_input: retry(),
            invalid: retry(),
            next: read,
        }),
    )
    .start("ask");
    let digits = Template::parse("{pin}", &types).expect("a template");
    let say = Sound::Say { kind: ivr::SayKind::Digits, value: digits };
    let prompt = Prompt { sounds: vec![say], ..Prompt::named(&[]) };
    flow.step("read", Act::Play(Play { prompt, early: false, repeat: 1, next: queue }));
    flow.step("queue", queue_act(None, end, end));
    flow.step("end", Act::Hangup);
    flow.build().expect("whole")
}
