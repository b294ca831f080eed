//! The whole engine among phones, a media thread, operators and strangers, none of whom can be trusted.
//!
//! The script: a byte for the installation, then acts, each a byte whose lower four bits say what (see
//! [`World::act`]). The first bit of the installation's byte has datagrams delivered and the media thread answer
//! at once; the acts then disturb what would go well by itself.

use super::script::Script;
use super::tamper;
use engine::{Command, Engine, Input, Output};
use hotline_core::{CallId, LegId, Outbox, PlayId, Rng, Time};
use sim::Plan;
use sip::{
    Credentials, DialogId, Endpoint, EndpointConfig, Event, Hop, Limits, Outgoing, RegistrarConfig, Transport,
};
use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const PLANS: usize = 8;
const CALLERS: usize = 2;
const AGENTS: usize = 2;
/// Datagrams on their way; more are lost.
const WAITING_MAX: usize = 64;
/// Acts of one script: what comes after is more of the same.
const ACTS_MAX: usize = 256;
/// What one input may make the engine say.
const OUTPUTS_MAX: usize = 512;
const NUMBERS: [&str; 8] = ["100", "200", "999", "*50", "*51", "*511", "*52", ""];
const KEYS: [char; 8] = ['1', '2', '5', '9', '0', '#', '*', 'A'];

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let mut world = World::new(script.byte());
    for _ in 0..ACTS_MAX {
        if script.is_over() {
            break;
        }
        world.act(&mut script);
        if world.prompt {
            world.settle();
        }
    }
    world.end();
}

fn plan(which: usize) -> &'static Plan {
    static ALL: [OnceLock<Plan>; PLANS] = [const { OnceLock::new() }; PLANS];
    ALL[which].get_or_init(|| Plan::draw(which as u64))
}

struct Phone {
    address: SocketAddr,
    endpoint: Endpoint,
    dialogs: BTreeSet<DialogId>,
    credentials: Option<Credentials>,
    local: sdp::Local,
}

struct World {
    plan: &'static Plan,
    now: Time,
    engine: Engine,
    here: SocketAddr,
    phones: Vec<Phone>,
    /// To whom: a phone, or the engine.
    waiting: VecDeque<(Option<usize>, Hop, Arc<[u8]>)>,
    /// What the media thread has not done yet.
    orders: VecDeque<media::Command>,
    legs: Vec<LegId>,
    plays: Vec<(LegId, PlayId)>,
    /// The engine's last words.
    said: Arc<[u8]>,
    prompt: bool,
    arrived: u64,
    records: BTreeSet<CallId>,
    drained: bool,
}

impl World {
    fn new(config: u8) -> World {
        let plan = plan(usize::from(config >> 1) % PLANS);
        let here = plan.settings.sip.listeners[0].address;
        let mut rng = Rng::from_u64(1);
        let engine = Engine::new(plan.settings.clone(), rng.fork(), CallId(1));
        let agents = plan.passwords.iter().take(AGENTS).enumerate().map(|(i, password)| {
            let user = plan.settings.accounts[i].user.clone();
            ([10, 2, 0, i as u8 + 1], Some(Credentials { user, password: password.clone() }))
        });
        let callers = (0..CALLERS).map(|i| ([10, 1, 0, i as u8 + 1], None));
        let phones = callers
            .chain(agents)
            .map(|(host, credentials)| Phone {
                address: SocketAddr::from((host, 5060)),
                endpoint: Endpoint::new(phone_config(), rng.fork()),
                dialogs: BTreeSet::new(),
                credentials,
                local: sdp::Local {
                    address: SocketAddr::from((host, 40_000)),
                    codecs: vec![sdp::Codec::Pcma, sdp::Codec::Pcmu],
                    telephone_event: true,
                    ptime_ms: 20,
                    session: 1,
                    version: 1,
                    direction: sdp::Direction::SendRecv,
                },
            })
            .collect();
        World {
            plan,
            now: Time::from_secs(1),
            engine,
            here,
            phones,
            waiting: VecDeque::new(),
            orders: VecDeque::new(),
            legs: Vec::new(),
            plays: Vec::new(),
            said: Arc::from(*b""),
            prompt: config & 1 == 0,
            arrived: 0,
            records: BTreeSet::new(),
            drained: false,
        }
    }

    fn act(&mut self, script: &mut Script<'_>) {
        let act = script.byte();
        let high = act >> 4;
        let who = usize::from(high) % self.phones.len();
        match act & 15 {
            0 => {
                for _ in 0..=high {
                    let Some((to, hop, bytes)) = self.waiting.pop_front() else { break };
                    self.deliver(to, hop, &bytes);
                }
            }
            1 => drop(self.waiting.pop_front()),
            2 => {
                if let Some((to, hop, bytes)) = self.waiting.front().cloned() {
                    self.deliver(to, hop, &bytes);
                }
            }
            3 => {
                let (at, byte) = (script.u16(), script.byte());
                let Some((to, hop, bytes)) = self.waiting.pop_front() else { return };
                self.deliver(to, hop, &tamper::byte(&bytes, at, byte));
            }
            4 => {
                let (line, text) = (script.byte(), script.text());
                let Some((to, hop, bytes)) = self.waiting.pop_front() else { return };
                let text = tamper::fill_in(text, &self.said);
                self.deliver(to, hop, &tamper::line(&bytes, line, &text));
            }
            5 => {
                let text = tamper::fill_in(script.text(), &self.said);
                let remote = match high & 3 {
                    0 => SocketAddr::from(([203, 0, 113, 9], 6000)),
                    n => self.phones[usize::from(n) % self.phones.len()].address,
                };
                let transport = if high & 4 == 0 { Transport::Udp } else { Transport::Tcp };
                self.deliver(None, Hop { transport, local: self.here, remote }, &text);
            }
            6 => self.pass(Duration::from_millis(u64::from(script.byte()) * 100)),
            7 => {
                let phones = self.phones.iter().filter_map(|p| p.endpoint.deadline());
                let next = phones.chain(self.engine.deadline()).map(|d| d.at).min();
                self.pass(next.map_or(Duration::ZERO, |at| self.now.until(at)));
            }
            8 => {
                let number = NUMBERS[usize::from(script.byte()) % NUMBERS.len()];
                self.use_phone(who, |phone, now, here, out| {
                    phone.dial(now, here, number, high & 8 == 0, out)
                });
            }
            9 => {
                let what = script.byte();
                self.use_phone(who, |phone, now, _, out| phone.act(now, what, out));
            }
            10 => {
                let agents = self.phones.len() - CALLERS;
                let who = CALLERS + usize::from(high) % agents;
                self.use_phone(who, |phone, now, here, out| phone.sign(now, here, high & 8 == 0, out));
            }
            11 => {
                let key = script.byte();
                if let Some(event) = self.media_event(high, key) {
                    self.input(Input::Media(event));
                }
            }
            12 => {
                for _ in 0..=high {
                    self.obey();
                }
            }
            13 => {
                let command = self.command(high, script.byte());
                self.input(Input::Operator { ticket: 1, command });
            }
            14 if high < 12 => {
                let hop =
                    Hop { transport: Transport::Udp, local: self.here, remote: self.phones[who].address };
                self.input(Input::TransportFailed { hop });
            }
            14 => self.input(Input::Drain),
            _ => self.pass(Duration::from_secs(u64::from(script.byte()))),
        }
    }

    /// What the media thread may say, true or not.
    fn media_event(&self, what: u8, which: u8) -> Option<media::Event> {
        use media::Event;
        let leg = *self.legs.get(usize::from(which >> 3) % self.legs.len().max(1))?;
        let play = self.plays.iter().rev().find(|(l, _)| *l == leg).map_or(PlayId(0), |(_, play)| *play);
        Some(match what {
            0 => Event::Opened { leg, address: SocketAddr::new(self.here.ip(), 10_000) },
            1 => Event::Failed { leg, why: "no port is free".into() },
            2 => Event::Played { leg, play },
            3 => Event::Heard { leg },
            4 => Event::Silent { leg, since: Duration::from_secs(60) },
            5 => Event::Closed { leg, stats: Box::default() },
            6 => Event::Played { leg: LegId(u64::from(which)), play: PlayId(u32::from(which)) },
            _ => Event::Digit { leg, digit: KEYS[usize::from(which) % KEYS.len()] },
        })
    }

    fn command(&self, what: u8, which: u8) -> Command {
        let by = "operator".to_owned();
        let agent = format!("agent{}", which & 3);
        match what {
            0 => Command::ShowCalls,
            1 => Command::ShowAgents,
            2 => Command::ShowQueues,
            3 => Command::ShowTimers,
            4 => Command::ShowRegistrations,
            5 => Command::Status,
            6..8 => Command::AgentReady { agent, by },
            8..10 => Command::AgentPause { agent, reason: "break".into(), by },
            10 => Command::AgentLogout { agent, by },
            _ => Command::HangUp { call: CallId(u64::from(which) & 7), by },
        }
    }

    /// The media thread does the next thing that it was told to.
    fn obey(&mut self) {
        use media::{Command, Event};
        let Some(order) = self.orders.pop_front() else { return };
        let event = match order {
            Command::Open { leg, ip, .. } => {
                Event::Opened { leg, address: SocketAddr::new(ip, 10_000 + (leg.0 as u16 & 511) * 2) }
            }
            Command::Close { leg } => Event::Closed { leg, stats: Box::default() },
            Command::Play { leg, play, repeat: false, .. } => Event::Played { leg, play },
            _ => return,
        };
        self.input(Input::Media(event));
    }

    /// Until nothing is on its way. Prompts take no time, so a flow that plays for ever is cut off.
    fn settle(&mut self) {
        for _ in 0..200 {
            match self.waiting.pop_front() {
                Some((to, hop, bytes)) => self.deliver(to, hop, &bytes),
                None if self.orders.is_empty() => return,
                None => self.obey(),
            }
        }
    }

    fn deliver(&mut self, to: Option<usize>, hop: Hop, bytes: &[u8]) {
        match to {
            None => self.input(Input::Received { hop, bytes: bytes.into() }),
            Some(who) => {
                self.use_phone(who, |phone, now, _, out| phone.endpoint.receive(now, hop, bytes, out))
            }
        }
    }

    fn use_phone(
        &mut self,
        who: usize,
        what: impl FnOnce(&mut Phone, Time, SocketAddr, &mut Outbox<sip::Output>),
    ) {
        let World { phones, waiting, now, here, .. } = self;
        let phone = &mut phones[who];
        let mut out = Outbox::new();
        what(phone, *now, *here, &mut out);
        while !out.is_empty() {
            for output in out.take() {
                match output {
                    sip::Output::Event(event) => phone.hear(*now, event, &mut out),
                    sip::Output::Send { hop, bytes }
                        if hop.remote == *here && waiting.len() < WAITING_MAX =>
                    {
                        let hop = Hop { transport: hop.transport, local: *here, remote: phone.address };
                        waiting.push_back((None, hop, bytes));
                    }
                    sip::Output::Send { .. } => {}
                }
            }
        }
    }

    fn input(&mut self, input: Input) {
        let mut out = Outbox::new();
        self.engine.handle(self.now, input, &mut out);
        self.carry_out(out);
    }

    fn pass(&mut self, length: Duration) {
        let until = self.now + length;
        for round in 0.. {
            assert!(round < 100_000, "timers for ever");
            let phones = self.phones.iter().filter_map(|p| p.endpoint.deadline());
            let due = phones.chain(self.engine.deadline()).map(|d| d.at).filter(|at| *at <= until).min();
            let Some(at) = due else { break };
            self.now = self.now.max(at);
            let mut out = Outbox::new();
            self.engine.wake(self.now, &mut out);
            assert!(self.engine.deadline().is_none_or(|d| d.at > self.now), "{:?}", self.engine.deadline());
            self.carry_out(out);
            for who in 0..self.phones.len() {
                self.use_phone(who, |phone, now, _, out| phone.endpoint.wake(now, out));
            }
            if self.prompt {
                self.settle();
            }
        }
        self.now = until;
    }

    fn carry_out(&mut self, mut out: Outbox<Output>) {
        assert!(out.len() <= OUTPUTS_MAX, "{} outputs of one input", out.len());
        self.engine.check();
        for output in out.drain() {
            match output {
                Output::Send { hop, bytes } => {
                    tamper::assert_well_formed(&bytes);
                    self.said = bytes.clone();
                    let to = self.phones.iter().position(|p| p.address == hop.remote);
                    if let (Some(who), true) = (to, self.waiting.len() < WAITING_MAX) {
                        let hop = Hop { transport: hop.transport, local: hop.remote, remote: self.here };
                        self.waiting.push_back((Some(who), hop, bytes));
                    }
                }
                Output::Media(order) => {
                    match &order {
                        media::Command::Open { leg, .. } => self.legs.push(*leg),
                        media::Command::Play { leg, play, .. } => self.plays.push((*leg, *play)),
                        _ => {}
                    }
                    // The media thread may be stalled; what its channel cannot take is lost.
                    if self.orders.len() < WAITING_MAX {
                        self.orders.push_back(order);
                    }
                    self.plays.drain(..self.plays.len().saturating_sub(WAITING_MAX));
                    self.legs.drain(..self.legs.len().saturating_sub(WAITING_MAX));
                }
                Output::Record(record) => {
                    assert!(self.records.insert(record.call), "{} has two records", record.call);
                }
                Output::Log(event) => self.arrived += u64::from(event.kind == "call-arrived"),
                Output::Drained => {
                    assert!(!self.drained, "drained twice");
                    self.drained = true;
                }
                Output::Story { .. }
                | Output::Reply { .. }
                | Output::Board(_)
                | Output::Fetch { .. }
                | Output::Keep(_)
                | Output::Tape(_) => {}
            }
        }
    }

    /// Nobody says anything any more: in the end nothing is left, and each call has its record.
    fn end(mut self) {
        self.phones.clear();
        self.waiting.clear();
        self.orders.clear();
        self.prompt = false;
        self.input(Input::Drain);
        self.pass(self.plan.settings.limits.drain_max + Duration::from_secs(600));
        assert!(self.drained, "never drained: {}", self.engine.left());
        assert!(self.engine.is_idle(), "still there: {}", self.engine.left());
        assert_eq!(self.arrived, self.records.len() as u64, "calls and their records");
    }
}

impl Phone {
    fn hop(&self, here: SocketAddr) -> Hop {
        Hop { transport: Transport::Udp, local: self.address, remote: here }
    }

    fn dial(
        &mut self,
        now: Time,
        here: SocketAddr,
        number: &str,
        offers: bool,
        out: &mut Outbox<sip::Output>,
    ) {
        let user = self.credentials.as_ref().map_or("13800138000", |c| &c.user);
        let outgoing = Outgoing {
            uri: format!("sip:{number}@{here}"),
            hop: self.hop(here),
            from: format!("<sip:{user}@{}>", self.address.ip()),
            to: format!("<sip:{number}@{here}>"),
            sdp: offers.then(|| sdp::offer(&self.local)),
            headers: Vec::new(),
            credentials: self.credentials.clone(),
        };
        let dialog = self.endpoint.invite(now, outgoing, out);
        self.dialogs.insert(dialog);
    }

    fn sign(&mut self, now: Time, here: SocketAddr, on: bool, out: &mut Outbox<sip::Output>) {
        let Some(credentials) = self.credentials.clone() else { return };
        if on {
            let (hop, uri) = (self.hop(here), format!("sip:{}", here.ip()));
            self.endpoint.register(now, hop, &uri, credentials, Duration::from_secs(300), out);
        } else {
            self.endpoint.unregister(now, &credentials.user, out);
        }
    }

    fn act(&mut self, now: Time, what: u8, out: &mut Outbox<sip::Output>) {
        let which = usize::from(what >> 4) % self.dialogs.len().max(1);
        let Some(&dialog) = self.dialogs.iter().nth(which) else { return };
        let sdp = sdp::offer(&self.local);
        match what & 15 {
            0 | 1 => self.endpoint.accept(now, dialog, &sdp, &[], out),
            2 => self.endpoint.ring(now, dialog, 180, None, out),
            3 => self.endpoint.ring(now, dialog, 183, Some(&sdp), out),
            4 => self.endpoint.refuse(now, dialog, 486, &[], out),
            5 => self.endpoint.refuse(now, dialog, 302, &[], out),
            6..9 => self.endpoint.hang_up(now, dialog, 0, "", out),
            9..12 => {
                let directions =
                    [sdp::Direction::SendOnly, sdp::Direction::SendRecv, sdp::Direction::Inactive];
                self.local.direction = directions[usize::from(what & 15) - 9];
                self.local.version += 1;
                let sdp = sdp::offer(&self.local);
                self.endpoint.reoffer(now, dialog, &sdp, out);
            }
            12 => self.endpoint.info(now, dialog, "application/dtmf-relay", b"Signal=1\r\n", out),
            13 => self.endpoint.info(now, dialog, "application/dtmf", b"2", out),
            14 => self.endpoint.accept(now, dialog, b"v=0\r\n", &[], out),
            _ => self.endpoint.reoffer(now, dialog, b"m=audio 0\r\n", out),
        }
    }

    fn hear(&mut self, now: Time, event: Event, out: &mut Outbox<sip::Output>) {
        match event {
            Event::Invite { dialog, .. } => {
                self.dialogs.insert(dialog);
            }
            Event::Answered { dialog, .. } => {
                let answer = sdp::offer(&self.local);
                self.endpoint.ack(now, dialog, &answer, out);
            }
            Event::Offer { dialog, .. } => {
                let answer = sdp::offer(&self.local);
                self.endpoint.accept_offer(now, dialog, &answer, out);
            }
            Event::Ended { dialog } => {
                self.dialogs.remove(&dialog);
            }
            _ => {}
        }
    }
}

fn phone_config() -> EndpointConfig {
    EndpointConfig {
        realm: "phone".into(),
        product: "phone".into(),
        advertised: Vec::new(),
        limits: Limits {
            message_bytes: 65_535,
            headers: 128,
            transactions: 64,
            dialogs: 8,
            contacts_per_user: 1,
        },
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        registrar: RegistrarConfig {
            expires_min: Duration::from_secs(60),
            expires_default: Duration::from_secs(300),
            expires_max: Duration::from_secs(600),
            nonce_lifetime: Duration::from_secs(300),
        },
    }
}
