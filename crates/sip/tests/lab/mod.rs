//! Two endpoints on a virtual wire in virtual time.
#![allow(dead_code, reason = "each test uses its part")]
use hotline_core::{Outbox, Rng, Time};
use hotline_sip::*;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

pub fn config() -> EndpointConfig {
    EndpointConfig {
        realm: "hotline.test".into(),
        product: "hotline/test".into(),
        advertised: Vec::new(),
        limits: Limits {
            message_bytes: 65_535,
            headers: 128,
            transactions: 10_000,
            dialogs: 2_000,
            contacts_per_user: 3,
        },
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        registrar: RegistrarConfig {
            expires_min: Duration::from_secs(60),
            expires_default: Duration::from_secs(3600),
            expires_max: Duration::from_secs(7200),
            nonce_lifetime: Duration::from_secs(300),
        },
    }
}

pub fn address(side: usize) -> SocketAddr {
    format!("192.0.2.{}:5060", side + 1).parse().expect("an address")
}

/// From `side` to the other.
pub fn hop(transport: Transport, side: usize) -> Hop {
    Hop { transport, local: address(side), remote: address(1 - side) }
}

/// What the wire does to datagrams (never to streams).
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub loss: f64,
    pub duplicate: f64,
    /// Each copy takes between 1 ms and this.
    pub delay_ms_max: u64,
}

/// To which side, by which hop, what.
type Flying = (usize, Hop, Arc<[u8]>);

pub struct Lab {
    pub now: Time,
    pub transport: Transport,
    pub sides: [Endpoint; 2],
    pub faults: Faults,
    pub rng: Rng,
    wire: BTreeMap<(Time, u64), Flying>,
    serial: u64,
    /// All that happened: when, at which side, what.
    pub events: Vec<(Time, usize, Event)>,
    /// First lines of all messages as they were sent: when, by which side.
    pub sent: Vec<(Time, usize, String, Arc<[u8]>)>,
    taken: usize,
}

impl Lab {
    pub fn new(transport: Transport, seed: u64) -> Lab {
        let mut rng = Rng::from_u64(seed);
        let sides = [Endpoint::new(config(), rng.fork()), Endpoint::new(config(), rng.fork())];
        let faults = Faults { delay_ms_max: 1, ..Faults::default() };
        Lab {
            now: Time::from_secs(1),
            transport,
            sides,
            faults,
            rng,
            wire: BTreeMap::new(),
            serial: 0,
            events: Vec::new(),
            sent: Vec::new(),
            taken: 0,
        }
    }

    /// Lets one side do something, and puts what comes out on the wire.
    pub fn act<R>(
        &mut self,
        side: usize,
        act: impl FnOnce(&mut Endpoint, Time, &mut Outbox<Output>) -> R,
    ) -> R {
        let mut out = Outbox::new();
        let result = act(&mut self.sides[side], self.now, &mut out);
        for output in out.take() {
            match output {
                Output::Event(event) => self.events.push((self.now, side, event)),
                Output::Send { hop, bytes } => self.send(side, hop, bytes),
            }
        }
        result
    }

    fn send(&mut self, side: usize, hop: Hop, bytes: Arc<[u8]>) {
        let line = bytes.split(|&b| b == b'\r').next().unwrap_or_default();
        self.sent.push((self.now, side, String::from_utf8_lossy(line).into_owned(), bytes.clone()));
        assert_eq!(hop.local, address(side), "a message leaves through our listener");
        if hop.remote != address(1 - side) {
            return;
        }
        let udp = hop.transport == Transport::Udp;
        let copies = if udp && self.rng.chance(self.faults.duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            if udp && self.rng.chance(self.faults.loss) {
                continue;
            }
            let delay = if udp { 1 + self.rng.below(self.faults.delay_ms_max) } else { 1 };
            self.serial += 1;
            let arrives = Hop { transport: hop.transport, local: hop.remote, remote: hop.local };
            let at = self.now + Duration::from_millis(delay);
            self.wire.insert((at, self.serial), (1 - side, arrives, bytes.clone()));
        }
    }

    /// The next thing that happens by itself (arrival or timer), if it is not later than `until`.
    pub fn step(&mut self, until: Time) -> bool {
        let timer = |side: usize| self.sides[side].deadline().map(|d| (d.at, side));
        let timer = [timer(0), timer(1)].into_iter().flatten().min();
        let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
        match (arrival, timer) {
            (Some(at), timer) if at <= until && timer.is_none_or(|(t, _)| at <= t) => {
                self.now = at;
                let Some((_, (side, hop, bytes))) = self.wire.pop_first() else { return false };
                self.act(side, |e, now, out| e.receive(now, hop, &bytes, out));
                true
            }
            (_, Some((at, side))) if at <= until => {
                self.now = self.now.max(at);
                self.act(side, |e, now, out| e.wake(now, out));
                assert!(self.sides[side].deadline().is_none_or(|d| d.at > self.now), "a due timer stays due");
                true
            }
            _ => false,
        }
    }

    pub fn run(&mut self, for_ms: u64) {
        let until = self.now + Duration::from_millis(for_ms);
        while self.step(until) {}
        self.now = until;
    }

    /// Until nothing is left to happen; what is left then is a leak.
    pub fn settle(&mut self) {
        let mut steps = 0;
        while self.step(Time::NEVER) {
            steps += 1;
            assert!(steps < 200_000, "it never ends");
        }
    }

    /// Events since the last call, by side.
    pub fn news(&mut self) -> Vec<(usize, Event)> {
        let new = self.events[self.taken..].iter().map(|(_, side, event)| (*side, event.clone())).collect();
        self.taken = self.events.len();
        new
    }

    pub fn call(&mut self, side: usize, change: impl FnOnce(&mut Outgoing)) -> DialogId {
        let mut call = Outgoing {
            uri: format!("sip:4009508888@{}", address(1 - side)),
            hop: hop(self.transport, side),
            from: "\"Li Lei\" <sip:1001@hotline.test>".into(),
            to: "<sip:4009508888@hotline.test>".into(),
            sdp: Some(SDP.to_vec()),
            headers: Vec::new(),
            credentials: None,
        };
        change(&mut call);
        self.act(side, |e, now, out| e.invite(now, call, out))
    }

    /// The dialog of the last `Invite` event.
    pub fn invited(&self, side: usize) -> DialogId {
        self.events
            .iter()
            .rev()
            .find_map(|(_, s, e)| match e {
                Event::Invite { dialog, .. } if *s == side => Some(*dialog),
                _ => None,
            })
            .expect("an INVITE arrived")
    }

    /// First words of what was sent: method or code, in order.
    pub fn messages(&self) -> Vec<String> {
        self.sent.iter().map(|(_, side, line, _)| format!("{side} {}", short(line))).collect()
    }

    /// Each session ended exactly once, and nothing remains.
    pub fn check_over(&self, seed: u64) {
        for side in 0..2 {
            let mut ends: BTreeMap<DialogId, (u32, u32)> = BTreeMap::new();
            for (_, s, event) in &self.events {
                let Some(dialog) = dialog_of(event) else { continue };
                if *s != side {
                    continue;
                }
                let (seen, ended) = ends.entry(dialog).or_default();
                assert_eq!(*ended, 0, "seed {seed}: side {side}: {event:?} after Ended");
                *seen += 1;
                if matches!(event, Event::Ended { .. }) {
                    *ended += 1;
                }
            }
            for (dialog, (_, ended)) in ends {
                assert_eq!(ended, 1, "seed {seed}: side {side}: {dialog:?} never ended");
            }
            assert_eq!(self.sides[side].counts(), Counts::default(), "seed {seed}: side {side}");
        }
    }
}

pub fn short(line: &str) -> &str {
    let mut words = line.split(' ');
    match words.next() {
        Some("SIP/2.0") => words.next().unwrap_or_default(),
        word => word.unwrap_or_default(),
    }
}

pub fn dialog_of(event: &Event) -> Option<DialogId> {
    match event {
        Event::Invite { dialog, .. }
        | Event::Cancelled { dialog }
        | Event::Acked { dialog, .. }
        | Event::NoAck { dialog }
        | Event::Progress { dialog, .. }
        | Event::Answered { dialog, .. }
        | Event::Refused { dialog, .. }
        | Event::Offer { dialog, .. }
        | Event::OfferAnswered { dialog, .. }
        | Event::OfferRefused { dialog, .. }
        | Event::Info { dialog, .. }
        | Event::Bye { dialog, .. }
        | Event::Ended { dialog } => Some(*dialog),
        Event::Registered { .. }
        | Event::RegisteredAgain { .. }
        | Event::AuthFailed { .. }
        | Event::Registration { .. } => None,
    }
}

/// A short name of an event, for comparing stories.
pub fn name(event: &Event) -> String {
    match event {
        Event::Refused { code, .. } => format!("Refused {code}"),
        Event::Progress { code, early, .. } => format!("Progress {code} {early}"),
        Event::OfferRefused { code, .. } => format!("OfferRefused {code}"),
        Event::Registered { contacts, expired, .. } => format!("Registered {} {expired}", contacts.len()),
        Event::Registration { result, .. } => format!("Registration {result:?}"),
        other => format!("{other:?}").split([' ', '{']).next().unwrap_or_default().to_owned(),
    }
}
