use crate::meter::Meter;
use config::SystemSecrets;
use engine::{Engine, Input, Output};
use hotline_core::{CallId, Outbox, Rng, Time};
use media::{Command, Stats};
use sip::{
    Credentials, DialogId, Endpoint, EndpointConfig, Event, Hop, Limits, Outgoing, RegistrarConfig, Transport,
};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const ENGINE: ([u8; 4], u16) = ([127, 0, 0, 1], 5060);
const PHONES: ([u8; 4], u16) = ([127, 0, 0, 2], 5060);
const AGENTS: u32 = 100;

/// The caller hangs up as soon as he is answered.
pub fn set_ups(meter: &mut Meter, times: u64) {
    let mut world = World::new();
    for _ in 0..times {
        world.call("3000", meter);
        meter.done(1);
    }
    assert_eq!(world.records, times, "one record a call");
}

/// The caller hangs up as soon as the agent has answered and both are bridged.
pub fn through_the_queue(meter: &mut Meter, times: u64) {
    let mut world = World::new();
    world.register();
    for _ in 0..times {
        world.call("2000", meter);
        meter.done(1);
    }
    assert_eq!((world.records, world.bridges), (times, times), "a record and a bridge a call");
}

/// The engine, and all phones as one user agent. The engine's work is measured, theirs is not.
struct World {
    engine: Engine,
    phones: Endpoint,
    now: Time,
    to_engine: VecDeque<Input>,
    out: Outbox<Output>,
    phones_out: Outbox<sip::Output>,
    caller: Option<DialogId>,
    answered: bool,
    bridged: bool,
    bridges: u64,
    records: u64,
    local: sdp::Local,
    next_port: u16,
}

impl World {
    fn new() -> World {
        let mut rng = Rng::from_u64(7);
        let settings = Arc::new(installation());
        let limits = Limits {
            message_bytes: 65_535,
            headers: 256,
            transactions: 1_000_000,
            dialogs: 1_000_000,
            contacts_per_user: 4,
        };
        let phones = EndpointConfig {
            realm: "phones".into(),
            product: "phones".into(),
            advertised: vec![],
            limits,
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            registrar: RegistrarConfig {
                expires_min: Duration::from_secs(60),
                expires_default: Duration::from_secs(3600),
                expires_max: Duration::from_secs(7200),
                nonce_lifetime: Duration::from_secs(300),
            },
        };
        World {
            engine: Engine::new(settings, rng.fork(), CallId(1)),
            phones: Endpoint::new(phones, rng.fork()),
            now: Time::from_secs(1),
            to_engine: VecDeque::new(),
            out: Outbox::new(),
            phones_out: Outbox::new(),
            caller: None,
            answered: false,
            bridged: false,
            bridges: 0,
            records: 0,
            local: sdp::Local {
                address: SocketAddr::from((PHONES.0, 40_000)),
                codecs: vec![sdp::Codec::Pcma],
                telephone_event: true,
                ptime_ms: 20,
                session: 1,
                version: 1,
                direction: sdp::Direction::SendRecv,
            },
            next_port: 10_000,
        }
    }

    fn register(&mut self) {
        for n in 1..=AGENTS {
            let credentials = Credentials { user: format!("agent{n}"), password: "bench".into() };
            let hour = Duration::from_secs(3600 * 24);
            self.phones.register(self.now, hop(), "sip:127.0.0.1", credentials, hour, &mut self.phones_out);
            self.settle(&mut Meter::default());
        }
    }

    fn call(&mut self, number: &str, meter: &mut Meter) {
        let offer = sdp::offer(&self.local);
        let call = Outgoing {
            uri: format!("sip:{number}@127.0.0.1:5060"),
            hop: hop(),
            from: "<sip:13800138000@127.0.0.2>".into(),
            to: format!("<sip:{number}@127.0.0.1>"),
            sdp: Some(offer),
            headers: vec![],
            credentials: None,
        };
        (self.answered, self.bridged) = (false, false);
        let dialog = self.phones.invite(self.now, call, &mut self.phones_out);
        self.caller = Some(dialog);
        self.settle(meter);
        assert!(self.answered, "{number} answers");
        self.phones.hang_up(self.now, dialog, 603, "", &mut self.phones_out);
        self.settle(meter);
        // Time for what remains: transactions, timers.
        self.now += Duration::from_millis(100);
        self.wake(meter);
        self.settle(meter);
    }

    fn wake(&mut self, meter: &mut Meter) {
        if self.engine.deadline().is_some_and(|d| d.at <= self.now) {
            let World { engine, now, out, .. } = self;
            meter.measured(|| engine.wake(*now, out));
        }
        if self.phones.deadline().is_some_and(|d| d.at <= self.now) {
            self.phones.wake(self.now, &mut self.phones_out);
        }
    }

    /// Until nobody has anything more to say.
    fn settle(&mut self, meter: &mut Meter) {
        loop {
            for output in self.phones_out.take() {
                self.phone_did(output);
            }
            let outputs = self.out.take();
            if outputs.is_empty() && self.phones_out.is_empty() && self.to_engine.is_empty() {
                return;
            }
            for output in outputs {
                self.engine_did(output);
            }
            while let Some(input) = self.to_engine.pop_front() {
                let World { engine, now, out, .. } = self;
                meter.measured(|| engine.handle(*now, input, out));
            }
        }
    }

    fn phone_did(&mut self, output: sip::Output) {
        match output {
            sip::Output::Send { bytes, .. } => {
                let hop = Hop {
                    transport: Transport::Udp,
                    local: SocketAddr::from(ENGINE),
                    remote: SocketAddr::from(PHONES),
                };
                self.to_engine.push_back(Input::Received { hop, bytes });
            }
            sip::Output::Event(Event::Invite { dialog, invitation }) => {
                let offer =
                    sdp::Description::parse(&invitation.sdp.expect("an offer")).expect("a good offer");
                let (answer, _) = sdp::answer(&offer, &self.local).expect("one codec in common");
                self.phones.accept(self.now, dialog, &answer, &[], &mut self.phones_out);
            }
            sip::Output::Event(Event::Answered { dialog, .. }) if self.caller == Some(dialog) => {
                self.answered = true;
            }
            sip::Output::Event(_) => {}
        }
    }

    fn engine_did(&mut self, output: Output) {
        match output {
            Output::Send { bytes, .. } => self.phones.receive(self.now, hop(), &bytes, &mut self.phones_out),
            Output::Media(command) => self.media(command),
            Output::Record(_) => self.records += 1,
            Output::Log(_)
            | Output::Story { .. }
            | Output::Reply { .. }
            | Output::Board(_)
            | Output::Fetch { .. }
            | Output::Keep(_)
            | Output::Tape(_)
            | Output::Drained => {}
        }
    }

    fn media(&mut self, command: Command) {
        let event = match command {
            Command::Open { leg, ip, .. } => {
                self.next_port = if self.next_port > 60_000 { 10_000 } else { self.next_port + 2 };
                media::Event::Opened { leg, address: SocketAddr::new(ip, self.next_port) }
            }
            Command::Close { leg } => media::Event::Closed { leg, stats: Box::new(Stats::default()) },
            Command::Bridge { .. } => {
                self.bridged = true;
                self.bridges += 1;
                return;
            }
            _ => return,
        };
        self.to_engine.push_back(Input::Media(event));
    }
}

fn hop() -> Hop {
    Hop { transport: Transport::Udp, local: SocketAddr::from(PHONES), remote: SocketAddr::from(ENGINE) }
}

/// Two numbers: one answers and waits, the other leads to an agent.
fn installation() -> engine::Settings {
    let agents: String = (1..=AGENTS)
        .map(|n| format!("[agent.agent{n}]\npool = \"all\"\nsecret = {{ file = \"secrets/bench\" }}\n"))
        .collect();
    let flow = |name: &str, step: &str| {
        format!(
            "[flow]\nname = \"{name}\"\nstart = \"first\"\nlanguage = \"en\"\n[step.first]\n{step}\n[step.bye]\nhangup = true\n"
        )
    };
    let files = [
        ("config/hotline.toml", MAIN.to_owned()),
        ("config/agents.toml", agents),
        ("config/flows/wait.toml", flow("wait", "play = [{ silence = \"60s\" }]\nnext = \"bye\"")),
        (
            "config/flows/agent.toml",
            flow(
                "agent",
                "queue = \"bench\"\non_timeout = \"bye\"\non_full = \"bye\"\non_no_agents = \"bye\"\nnext = \"bye\"",
            ),
        ),
        ("prompts/prompts.toml", "[prompt.bench]\nen = \"A signal.\"\n".to_owned()),
        ("secrets/bench", "bench".to_owned()),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in &files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    // Nobody plays it, but a language must have a recording.
    std::fs::create_dir_all(folder.path().join("prompts/en")).expect("a folder");
    std::fs::write(folder.path().join("prompts/en/bench.wav"), wav()).expect("a file");
    let loaded = config::load(&folder.path().join("config/hotline.toml"), &SystemSecrets, 1_760_000_000);
    let report = loaded.report().to_string();
    loaded.settings.unwrap_or_else(|| panic!("{report}"))
}

/// A second of a triangle wave, 8 kHz, 16 bits.
fn wav() -> Vec<u8> {
    const SAMPLES: u32 = 8000;
    let mut bytes = b"RIFF".to_vec();
    let word = |bytes: &mut Vec<u8>, n: u32| bytes.extend(n.to_le_bytes());
    word(&mut bytes, 36 + 2 * SAMPLES);
    bytes.extend(b"WAVEfmt ");
    word(&mut bytes, 16);
    bytes.extend([1, 0, 1, 0]);
    word(&mut bytes, SAMPLES);
    word(&mut bytes, 2 * SAMPLES);
    bytes.extend([2, 0, 16, 0]);
    bytes.extend(b"data");
    word(&mut bytes, 2 * SAMPLES);
    bytes.extend((0..SAMPLES).flat_map(|n| ((n % 40) as i16 * 200 - 4000).to_le_bytes()));
    bytes
}

const MAIN: &str = "
[engine]
languages = { en = [] }

[number.2000]
flow = \"agent\"
[number.3000]
flow = \"wait\"

[pool.all]
rank = 1

[queue.bench]
promise = { P0 = \"1m\", P1 = \"1m\", P2 = \"1m\", P3 = \"1m\" }
";
