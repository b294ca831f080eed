//! An installation, its engine and its media, and parties with phones of their own, on a network that is a table.

use config::SystemSecrets;
use engine::{CallRecord, Engine, Input, Output};
use hotline_core::{CallId, LegId, Outbox, PlayId, Rng, Time};
use media::{
    Channel, Codec, Command, Deck, DeckConfig, Direction, Event, Format, Library, Piece, Sink, Slot, Wire,
};
use sip::{
    Credentials, DialogId, Endpoint, EndpointConfig, Hop, Limits, Outgoing, RegistrarConfig, Transport,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

const ENGINE: ([u8; 4], u16) = ([127, 0, 0, 1], 5060);
/// The one leg of a party's own media.
const LEG: LegId = LegId(1);

const MAIN: &str = r#"
[engine]
realm = "hotline"
listen = ["udp:127.0.0.1:5060"]
agents = "agents.toml"
flows = "flows"
prompts = "../prompts"
languages = { en = [] }
music = "music"
calls_max = 20
call_max = "1h"
[media]
ports = "10000-10999"
codecs = ["pcma", "pcmu"]
no_media_after = "60s"
[pool.L1]
rank = 1
[skill]
"lang.en" = "English"
[queue.desk]
pools = ["L1"]
ring = "20s"
wrap_up = "5s"
length_max = 10
promise = { P0 = "5m", P1 = "15m", P2 = "30m", P3 = "60m" }
[number.100]
title = "desk"
flow = "desk"
[number.200]
title = "echo"
flow = "echo"
[number.300]
title = "busy"
flow = "busy"
"#;

const FLOWS: [(&str, &str); 3] = [
    (
        "desk",
        r#"
[flow]
name = "desk"
start = "menu"
language = "en"
[step.menu]
menu = { 1 = "line" }
prompt = "welcome"
no_input = { after = "5s", tries = 1, then = "bye" }
invalid = { tries = 1, then = "bye" }
[step.line]
queue = "desk"
severity = "P3"
on_timeout = "bye"
on_full = "bye"
on_no_agents = "bye"
next = "bye"
[step.bye]
play = "bye"
next = "end"
[step.end]
hangup = true
"#,
    ),
    (
        "echo",
        r#"
[flow]
name = "echo"
start = "echo"
language = "en"
[step.echo]
echo = true
"#,
    ),
    (
        "busy",
        r#"
[flow]
name = "busy"
start = "sorry"
language = "en"
answer = "by-step"
[step.sorry]
play = "welcome"
early = true
next = "busy"
[step.busy]
reject = 486
"#,
    ),
];

type Datagrams = VecDeque<(Vec<u8>, SocketAddr)>;

/// Media datagrams on their way, by the address they go to.
#[derive(Debug, Default)]
struct Air {
    waiting: BTreeMap<SocketAddr, Datagrams>,
    next_port: u16,
}

/// One deck's sockets.
#[derive(Debug)]
struct Sockets {
    air: Rc<RefCell<Air>>,
    at: BTreeMap<Slot, SocketAddr>,
}

impl Sockets {
    fn new(air: &Rc<RefCell<Air>>) -> Sockets {
        Sockets { air: air.clone(), at: BTreeMap::new() }
    }
    fn address(&self, slot: Slot, channel: Channel) -> SocketAddr {
        let rtp = self.at[&slot];
        match channel {
            Channel::Rtp => rtp,
            Channel::Rtcp => SocketAddr::new(rtp.ip(), rtp.port() + 1),
        }
    }
}

impl Wire for Sockets {
    fn open(&mut self, slot: Slot, ip: IpAddr) -> Result<SocketAddr, String> {
        let mut air = self.air.borrow_mut();
        air.next_port += 2;
        let rtp = SocketAddr::new(ip, 10_000 + air.next_port);
        for address in [rtp, SocketAddr::new(ip, rtp.port() + 1)] {
            air.waiting.insert(address, Datagrams::new());
        }
        self.at.insert(slot, rtp);
        Ok(rtp)
    }
    fn receive(&mut self, slot: Slot, channel: Channel, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let address = self.address(slot, channel);
        let (bytes, from) = self.air.borrow_mut().waiting.get_mut(&address)?.pop_front()?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Some((bytes.len(), from))
    }
    fn send(&mut self, slot: Slot, channel: Channel, to: SocketAddr, datagram: &[u8]) {
        let from = self.address(slot, channel);
        if let Some(waiting) = self.air.borrow_mut().waiting.get_mut(&to) {
            waiting.push_back((datagram.to_vec(), from));
        }
    }
    fn close(&mut self, slot: Slot) {
        for channel in [Channel::Rtp, Channel::Rtcp] {
            let address = self.address(slot, channel);
            self.air.borrow_mut().waiting.remove(&address);
        }
        self.at.remove(&slot);
    }
}

#[derive(Debug, Default)]
struct Ear(Mutex<Vec<i16>>);

impl Sink for Ear {
    fn frame(&self, _leg: LegId, samples: &[i16]) {
        self.0.lock().expect("one thread").extend_from_slice(samples);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Party(usize);

struct Phone {
    address: SocketAddr,
    endpoint: Endpoint,
    deck: Deck,
    sockets: Sockets,
    local: sdp::Local,
    ear: Arc<Ear>,
    keys: String,
    dialog: Option<DialogId>,
    /// An offer that waits for this phone to be picked up.
    ringing: Option<(DialogId, sdp::Description)>,
    answers: bool,
    answered: bool,
    final_code: Option<u16>,
    sip_out: Outbox<sip::Output>,
    media_out: Outbox<Event>,
}

pub struct House {
    now: Time,
    engine: Engine,
    engine_out: Outbox<Output>,
    deck: Deck,
    sockets: Sockets,
    deck_out: Outbox<Event>,
    air: Rc<RefCell<Air>>,
    phones: Vec<Phone>,
    /// Signalling on its way: from, to, bytes.
    wire: VecDeque<(SocketAddr, SocketAddr, Arc<[u8]>)>,
    records: Vec<CallRecord>,
    _folder: TempDir,
}

impl House {
    pub fn new() -> House {
        let folder = TempDir::new().expect("a temporary folder");
        let (config, prompts) = (folder.path().join("config"), folder.path().join("prompts/en"));
        std::fs::create_dir_all(config.join("flows")).expect("a folder");
        std::fs::create_dir_all(&prompts).expect("a folder");
        std::fs::write(config.join("hotline.toml"), MAIN).expect("a file");
        let agent = |name: &str| {
            let [sha256, md5] = [sip::Algorithm::Sha256, sip::Algorithm::Md5]
                .map(|algorithm| sip::Ha1::new(algorithm, name, "hotline", "secret").hex);
            format!(
                "[agent.{name}]\npool = \"L1\"\nskills = {{ \"lang.en\" = 3 }}\n\
                 secret = {{ ha1_md5 = \"{md5}\", ha1_sha256 = \"{sha256}\" }}\n"
            )
        };
        std::fs::write(config.join("agents.toml"), agent("alice") + &agent("bob")).expect("a file");
        for (name, flow) in FLOWS {
            std::fs::write(config.join(format!("flows/{name}.toml")), flow).expect("a file");
        }
        for (name, hz, seconds) in
            [("welcome", super::WELCOME, 3), ("music", super::MUSIC, 2), ("bye", super::BYE, 3)]
        {
            tone_file(&prompts.join(format!("{name}.wav")), hz, seconds);
        }
        let loaded = config::load(&config.join("hotline.toml"), &SystemSecrets, 1_790_000_000);
        let settings = Arc::new(loaded.settings.unwrap_or_else(|| panic!("{:#?}", loaded.findings)));
        let library = Arc::new(Library::load(&settings.prompts.files).expect("sounds of our own"));
        let air = Rc::new(RefCell::new(Air::default()));
        House {
            now: Time::ZERO,
            engine: Engine::new(settings, Rng::from_u64(1), CallId(1)),
            engine_out: Outbox::new(),
            deck: Deck::new(DeckConfig::default(), library),
            sockets: Sockets::new(&air),
            deck_out: Outbox::new(),
            air,
            phones: Vec::new(),
            wire: VecDeque::new(),
            records: Vec::new(),
            _folder: folder,
        }
    }

    fn phone(&mut self, codec: sdp::Codec, hz: u16) -> Party {
        let party = Party(self.phones.len());
        let ip = [127, 0, 1, party.0 as u8 + 1];
        let address = SocketAddr::from((ip, 5060));
        let mut phone = Phone {
            address,
            endpoint: Endpoint::new(endpoint_config(), Rng::from_u64(100 + party.0 as u64)),
            deck: Deck::new(DeckConfig::default(), Arc::new(Library::from_samples(Vec::new()))),
            sockets: Sockets::new(&self.air),
            local: sdp::Local {
                address,
                codecs: vec![codec],
                telephone_event: true,
                ptime_ms: 20,
                session: 1,
                version: 1,
                direction: sdp::Direction::SendRecv,
            },
            ear: Arc::default(),
            keys: String::new(),
            dialog: None,
            ringing: None,
            answers: true,
            answered: false,
            final_code: None,
            sip_out: Outbox::new(),
            media_out: Outbox::new(),
        };
        let ear: Arc<dyn Sink> = phone.ear.clone();
        let voice = [Piece::Tone { hz: [hz, 0], length: Duration::from_secs(3600), dbm0: -13 }];
        for command in [
            Command::Open { leg: LEG, ip: ip.into(), ssrc: 7 + party.0 as u32, no_media_after: None },
            Command::Record { leg: LEG, to: Some(ear) },
            Command::Play { leg: LEG, play: PlayId(1), pieces: Arc::from(voice), repeat: true },
        ] {
            phone.deck.handle(self.now, command, &mut phone.sockets, &mut phone.media_out);
        }
        for event in phone.media_out.drain() {
            if let Event::Opened { address, .. } = event {
                phone.local.address = address;
            }
        }
        self.phones.push(phone);
        party
    }

    pub fn agent(&mut self, name: &str, codec: sdp::Codec, hz: u16) -> Party {
        let party = self.phone(codec, hz);
        let phone = &mut self.phones[party.0];
        let hop = hop(phone.address);
        let credentials = Credentials { user: name.into(), password: "secret".into() };
        let uri = format!("sip:{name}@127.0.0.1");
        phone.endpoint.register(
            self.now,
            hop,
            &uri,
            credentials,
            Duration::from_secs(3600),
            &mut phone.sip_out,
        );
        party
    }

    pub fn call(&mut self, number: &str, codec: sdp::Codec, hz: u16) -> Party {
        let party = self.phone(codec, hz);
        let phone = &mut self.phones[party.0];
        let outgoing = Outgoing {
            uri: format!("sip:{number}@127.0.0.1"),
            hop: hop(phone.address),
            from: "<sip:13800138000@127.0.1.1>".into(),
            to: format!("<sip:{number}@127.0.0.1>"),
            sdp: Some(sdp::offer(&phone.local)),
            headers: Vec::new(),
            credentials: None,
        };
        phone.dialog = Some(phone.endpoint.invite(self.now, outgoing, &mut phone.sip_out));
        party
    }

    pub fn press(&mut self, party: Party, digits: &str) {
        let phone = &mut self.phones[party.0];
        let (each, pause) = (Duration::from_millis(100), Duration::from_millis(80));
        let command = Command::SendDigits { leg: LEG, digits: digits.into(), each, pause };
        phone.deck.handle(self.now, command, &mut phone.sockets, &mut phone.media_out);
    }

    /// Whether this phone is picked up when it rings (half a second later), also one that rings already.
    pub fn answers(&mut self, party: Party, answers: bool) {
        self.phones[party.0].answers = answers;
    }

    pub fn hold(&mut self, party: Party, on: bool) {
        let now = self.now;
        let phone = &mut self.phones[party.0];
        phone.local.version += 1;
        phone.local.direction = if on { sdp::Direction::SendOnly } else { sdp::Direction::SendRecv };
        let offer = sdp::offer(&phone.local);
        let dialog = phone.dialog.expect("a call to hold");
        phone.endpoint.reoffer(now, dialog, &offer, &mut phone.sip_out);
    }

    pub fn hang_up(&mut self, party: Party) {
        let phone = &mut self.phones[party.0];
        let dialog = phone.dialog.expect("a call to end");
        phone.endpoint.hang_up(self.now, dialog, 200, "enough", &mut phone.sip_out);
    }

    pub fn heard(&self, party: Party) -> Vec<i16> {
        self.phones[party.0].ear.0.lock().expect("one thread").clone()
    }

    pub fn keys(&self, party: Party) -> &str {
        &self.phones[party.0].keys
    }

    pub fn is_answered(&self, party: Party) -> bool {
        self.phones[party.0].answered
    }

    pub fn final_code(&self, party: Party) -> Option<u16> {
        self.phones[party.0].final_code
    }

    pub fn one_record(&self) -> &CallRecord {
        assert_eq!(self.records.len(), 1, "one call, one record");
        &self.records[0]
    }

    /// Nothing of any call is left in the engine or its media.
    pub fn is_quiet(&mut self) {
        self.run_ms(40_000);
        assert!(self.engine.is_idle(), "{}", self.engine.left());
        assert!(self.deck.is_empty());
    }

    pub fn run_ms(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now += Duration::from_millis(1);
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now;
        self.deck.tick(now, &mut self.sockets, &mut self.deck_out);
        for phone in &mut self.phones {
            phone.deck.tick(now, &mut phone.sockets, &mut phone.media_out);
            if phone.endpoint.deadline().is_some_and(|d| d.at <= now) {
                phone.endpoint.wake(now, &mut phone.sip_out);
            }
            phone.pick_up(now);
        }
        if self.engine.deadline().is_some_and(|d| d.at <= now) {
            self.engine.wake(now, &mut self.engine_out);
        }
        // Until nobody has anything to say within this millisecond.
        loop {
            let mut quiet = true;
            for event in self.deck_out.take() {
                quiet = false;
                self.engine.handle(now, Input::Media(event), &mut self.engine_out);
            }
            for output in self.engine_out.take() {
                quiet = false;
                match output {
                    Output::Send { hop, bytes } => self.wire.push_back((hop.local, hop.remote, bytes)),
                    Output::Media(command) => {
                        self.deck.handle(now, command, &mut self.sockets, &mut self.deck_out);
                    }
                    Output::Record(record) => self.records.push(*record),
                    _ => {}
                }
            }
            for phone in &mut self.phones {
                quiet &= !phone.carry_out(now, &mut self.wire);
            }
            while let Some((from, to, bytes)) = self.wire.pop_front() {
                quiet = false;
                if to == SocketAddr::from(ENGINE) {
                    let hop = Hop { transport: Transport::Udp, local: to, remote: from };
                    self.engine.handle(now, Input::Received { hop, bytes }, &mut self.engine_out);
                } else if let Some(phone) = self.phones.iter_mut().find(|p| p.address == to) {
                    let hop = hop(phone.address);
                    phone.endpoint.receive(now, hop, &bytes, &mut phone.sip_out);
                }
            }
            self.engine.check();
            if quiet {
                return;
            }
        }
    }
}

impl Phone {
    fn connect(&mut self, now: Time, format: sdp::Negotiated) {
        let format = Format {
            remote: format.remote,
            remote_rtcp: format.remote_rtcp,
            codec: match format.codec {
                sdp::Codec::Pcmu => Codec::Pcmu,
                sdp::Codec::Pcma => Codec::Pcma,
            },
            payload_type_out: format.payload_type_out,
            payload_type_in: format.payload_type_in,
            dtmf_out: format.dtmf_out,
            dtmf_in: format.dtmf_in,
            ptime_ms: format.ptime_ms,
            direction: match format.direction {
                sdp::Direction::SendRecv => Direction::SendRecv,
                sdp::Direction::SendOnly => Direction::SendOnly,
                sdp::Direction::RecvOnly => Direction::RecvOnly,
                sdp::Direction::Inactive => Direction::Inactive,
            },
            rtcp_mux: format.rtcp_mux,
        };
        let command = Command::Connect { leg: LEG, format: Arc::new(format) };
        self.deck.handle(now, command, &mut self.sockets, &mut self.media_out);
    }

    fn pick_up(&mut self, now: Time) {
        if !self.answers {
            return;
        }
        if let Some((dialog, offer)) = self.ringing.take() {
            let (answer, format) = sdp::answer(&offer, &self.local).expect("the engine offers what we speak");
            self.dialog = Some(dialog);
            self.connect(now, format);
            self.endpoint.accept(now, dialog, &answer, &[], &mut self.sip_out);
        }
    }

    /// True when there was something.
    fn carry_out(&mut self, now: Time, wire: &mut VecDeque<(SocketAddr, SocketAddr, Arc<[u8]>)>) -> bool {
        let mut some = false;
        for event in self.media_out.take() {
            some = true;
            if let Event::Digit { digit, .. } = event {
                self.keys.push(digit);
            }
        }
        for output in self.sip_out.take() {
            some = true;
            match output {
                sip::Output::Send { hop, bytes } => wire.push_back((self.address, hop.remote, bytes)),
                sip::Output::Event(event) => self.event(now, event),
            }
        }
        some
    }

    fn event(&mut self, now: Time, event: sip::Event) {
        use sip::Event as Sip;
        let negotiated = |local: &sdp::Local, sdp: Option<Vec<u8>>| {
            let answer = sdp::Description::parse(&sdp?).ok()?;
            sdp::accept(local, &answer).ok()
        };
        match event {
            Sip::Invite { dialog, invitation } => {
                let offer = invitation.sdp.expect("the engine's INVITE carries an offer");
                self.endpoint.ring(now, dialog, 180, None, &mut self.sip_out);
                self.ringing = Some((dialog, sdp::Description::parse(&offer).expect("our own SDP")));
            }
            Sip::Progress { sdp, .. } => {
                if let Some(format) = negotiated(&self.local, sdp) {
                    self.connect(now, format);
                }
            }
            Sip::Answered { sdp, .. } => {
                self.answered = true;
                let format = negotiated(&self.local, sdp).expect("an answer within the offer");
                self.connect(now, format);
            }
            Sip::OfferAnswered { sdp, .. } => {
                let format = negotiated(&self.local, sdp).expect("an answer within the offer");
                self.connect(now, format);
            }
            Sip::Refused { code, .. } => self.final_code = Some(code),
            Sip::Ended { .. } => {
                self.dialog = None;
                self.ringing = None;
                self.deck.handle(now, Command::Close { leg: LEG }, &mut self.sockets, &mut self.media_out);
            }
            _ => {}
        }
    }
}

fn hop(local: SocketAddr) -> Hop {
    Hop { transport: Transport::Udp, local, remote: ENGINE.into() }
}

fn tone_file(path: &std::path::Path, hz: u16, seconds: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a file");
    for i in 0..seconds * 8000 {
        let phase = std::f64::consts::TAU * f64::from(hz) * f64::from(i) / 8000.0;
        writer.write_sample((phase.sin() * 8000.0) as i16).expect("a sample");
    }
    writer.finalize().expect("a whole file");
}

fn endpoint_config() -> EndpointConfig {
    EndpointConfig {
        realm: "phone".into(),
        product: "phone".into(),
        advertised: Vec::new(),
        limits: Limits {
            message_bytes: 65_535,
            headers: 256,
            transactions: 100,
            dialogs: 10,
            contacts_per_user: 1,
        },
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        registrar: RegistrarConfig {
            expires_min: Duration::from_secs(60),
            expires_default: Duration::from_secs(300),
            expires_max: Duration::from_secs(3600),
            nonce_lifetime: Duration::from_secs(300),
        },
    }
}
