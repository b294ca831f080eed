//! Two user agents and somebody between them, who delivers, loses, repeats, changes and forges messages,
//! lets time go by, and has either of them do what an application may ask for.
//!
//! The script: acts, each a byte whose lower four bits say what (see [`Between::act`]). A forged message is
//! text up to a record separator, in which the victim's last words may stand ([`tamper::fill_in`]).

use super::script::Script;
use super::tamper;
use hotline_core::{Outbox, Rng, Time};
use sip::{
    Account, Algorithm, Credentials, DialogId, Endpoint, EndpointConfig, Event, Framer, Ha1, Hop, Limits,
    Outgoing, Output, RegistrarConfig, Transport,
};
use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const REALM: &str = "hotline.test";
const USER: &str = "li";
const PASSWORD: &str = "secret";
const DIALOGS_MAX: usize = 8;
const TRANSACTIONS_MAX: usize = 32;
const CONTACTS_MAX: usize = 3;
/// Messages that wait between the two; more are lost.
const WAITING_MAX: usize = 64;
/// Acts of one script: what comes after is more of the same.
const ACTS_MAX: usize = 512;
const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

pub fn run(data: &[u8]) {
    let mut between = Between::new();
    let mut script = Script(data);
    for _ in 0..ACTS_MAX {
        if script.is_over() {
            break;
        }
        between.act(&mut script);
        between.check();
    }
    between.end();
}

fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, side as u8 + 1], 5060))
}

fn hop(transport: Transport, side: usize) -> Hop {
    Hop { transport, local: address(side), remote: address(1 - side) }
}

fn config() -> EndpointConfig {
    EndpointConfig {
        realm: REALM.into(),
        product: "hotline/fuzz".into(),
        advertised: Vec::new(),
        limits: Limits {
            message_bytes: 8192,
            headers: 64,
            transactions: TRANSACTIONS_MAX,
            dialogs: DIALOGS_MAX,
            contacts_per_user: CONTACTS_MAX,
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

struct Side {
    endpoint: Endpoint,
    /// Sessions that its application knows and has not heard the end of.
    dialogs: BTreeSet<DialogId>,
    /// The newest that was over once.
    last: Option<DialogId>,
    /// What it sent last.
    said: Arc<[u8]>,
    /// Requests that its application asked for, which no limit refuses.
    asked: usize,
}

struct Between {
    now: Time,
    sides: [Side; 2],
    waiting: VecDeque<(usize, Hop, Arc<[u8]>)>,
    out: Outbox<Output>,
}

impl Between {
    fn new() -> Between {
        let side = |seed| Side {
            endpoint: Endpoint::new(config(), Rng::from_u64(seed)),
            dialogs: BTreeSet::new(),
            last: None,
            said: Arc::from(*b""),
            asked: 0,
        };
        let mut sides = [side(1), side(2)];
        let ha1 = [Algorithm::Md5, Algorithm::Sha256].map(|a| Ha1::new(a, USER, REALM, PASSWORD));
        sides[0].endpoint.set_accounts(vec![Account { user: USER.into(), ha1: ha1.into() }]);
        Between { now: Time::from_secs(1), sides, waiting: VecDeque::new(), out: Outbox::new() }
    }

    fn act(&mut self, script: &mut Script<'_>) {
        let act = script.byte();
        let high = act >> 4;
        let side = usize::from(high & 1);
        let transport = if high & 2 == 0 { Transport::Udp } else { Transport::Tcp };
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
                // The later one first.
                if self.waiting.len() > 1 {
                    self.waiting.swap(0, 1);
                }
            }
            4 => {
                let (at, byte) = (script.u16(), script.byte());
                let Some((to, hop, bytes)) = self.waiting.pop_front() else { return };
                self.deliver(to, hop, &tamper::byte(&bytes, at, byte));
            }
            5 => {
                // One line of it is another.
                let (line, text) = (script.byte(), script.text());
                let Some((to, hop, bytes)) = self.waiting.pop_front() else { return };
                let text = tamper::fill_in(text, &self.sides[to].said);
                self.deliver(to, hop, &tamper::line(&bytes, line, &text));
            }
            6 | 7 => {
                let text = tamper::fill_in(script.text(), &self.sides[side].said);
                let stranger = SocketAddr::from(([203, 0, 113, 9], 6000));
                let hop = hop(transport, side);
                let hop = if high & 4 == 0 { hop } else { Hop { remote: stranger, ..hop } };
                if high & 8 == 0 {
                    return self.deliver(side, hop, &text);
                }
                let mut framer = Framer::new(8192);
                for piece in text.chunks(100) {
                    framer.push(piece);
                    while let Some(Ok(message)) = framer.next() {
                        self.deliver(side, hop, &message);
                    }
                    assert!(framer.buffered() <= 8192);
                }
            }
            8 => self.pass(Duration::from_millis(u64::from(script.byte()) * 100)),
            9 => {
                // To where something is due, which may be far.
                let next = self.sides.iter().filter_map(|s| s.endpoint.deadline()).map(|d| d.at).min();
                self.pass(next.map_or(Duration::ZERO, |at| self.now.until(at)));
            }
            10 => {
                let outgoing = Outgoing {
                    uri: "sip:100@192.0.2.1".into(),
                    hop: hop(transport, side),
                    from: format!("<sip:{USER}@{REALM}>"),
                    to: "<sip:100@192.0.2.1>".into(),
                    sdp: (high & 4 == 0).then(|| SDP.to_vec()),
                    headers: Vec::new(),
                    credentials: (high & 8 == 0).then(credentials),
                };
                let Side { endpoint, dialogs, .. } = &mut self.sides[side];
                dialogs.insert(endpoint.invite(self.now, outgoing, &mut self.out));
                self.carry_out(side, true);
            }
            11 | 12 => self.ask(side, act, script.byte()),
            13 => {
                let Side { endpoint, .. } = &mut self.sides[1];
                if high & 1 == 0 {
                    let (uri, expires) = (format!("sip:{REALM}"), Duration::from_secs(300));
                    endpoint.register(
                        self.now,
                        hop(transport, 1),
                        &uri,
                        credentials(),
                        expires,
                        &mut self.out,
                    );
                } else {
                    endpoint.unregister(self.now, USER, &mut self.out);
                }
                self.carry_out(1, true);
            }
            14 => {
                self.sides[side].endpoint.transport_failed(self.now, hop(transport, side), &mut self.out);
                self.carry_out(side, false);
            }
            _ if high & 8 == 0 => self.pass(Duration::from_secs(u64::from(script.byte()))),
            _ => self.sides[0].endpoint.drain(),
        }
    }

    /// What an application may ask of a session.
    fn ask(&mut self, side: usize, act: u8, which: u8) {
        let Side { endpoint, dialogs, .. } = &mut self.sides[side];
        let (now, out) = (self.now, &mut self.out);
        let Some(&dialog) = dialogs.iter().nth(usize::from(which) % dialogs.len().max(1)) else { return };
        let code = 300 + u16::from(which) * 2;
        match (act & 15, act >> 5) {
            (11, 0) => endpoint.ring(now, dialog, 180, None, out),
            (11, 1) => endpoint.ring(now, dialog, 183, Some(SDP), out),
            (11, 2) => endpoint.accept(now, dialog, SDP, &[], out),
            (11, 3) => endpoint.refuse(now, dialog, code, &[], out),
            (11, 4) => endpoint.challenge(now, dialog, which & 1 == 1, out),
            (11, 5) => endpoint.accept_offer(now, dialog, SDP, out),
            (11, 6) => endpoint.refuse_offer(now, dialog, code, out),
            (11, _) => endpoint.ack(now, dialog, SDP, out),
            (_, 0 | 1) => endpoint.hang_up(now, dialog, code, "enough", out),
            (_, 2 | 3) => endpoint.reoffer(now, dialog, SDP, out),
            (_, 4 | 5) => endpoint.info(now, dialog, "application/dtmf", b"5", out),
            _ => endpoint.hang_up(now, dialog, 0, "", out),
        }
        self.carry_out(side, true);
    }

    fn deliver(&mut self, side: usize, hop: Hop, bytes: &[u8]) {
        self.sides[side].endpoint.receive(self.now, hop, bytes, &mut self.out);
        // A request may be answered and wake a session that sends its own; nothing makes many out of one.
        assert!(self.out.len() <= 16, "{:?} out of one message", self.out);
        self.carry_out(side, false);
    }

    fn pass(&mut self, length: Duration) {
        let until = self.now + length;
        for round in 0.. {
            assert!(round < 100_000, "timers for ever");
            let due = |s: &Side| s.endpoint.deadline().map(|d| d.at).filter(|at| *at <= until);
            let Some(at) = self.sides.iter().filter_map(due).min() else { break };
            self.now = self.now.max(at);
            for side in 0..2 {
                let endpoint = &mut self.sides[side].endpoint;
                endpoint.wake(self.now, &mut self.out);
                assert!(endpoint.deadline().is_none_or(|d| d.at > self.now), "{:?}", endpoint.deadline());
                self.carry_out(side, false);
            }
        }
        self.now = until;
    }

    fn carry_out(&mut self, side: usize, asked: bool) {
        let Between { sides, waiting, out, .. } = self;
        let this = &mut sides[side];
        this.asked += usize::from(asked);
        for output in out.drain() {
            match output {
                Output::Send { hop, bytes } => {
                    tamper::assert_well_formed(&bytes);
                    this.said = bytes.clone();
                    let back = Hop { transport: hop.transport, local: hop.remote, remote: hop.local };
                    if hop.remote == address(1 - side) && waiting.len() < WAITING_MAX {
                        waiting.push_back((1 - side, back, bytes));
                    }
                }
                Output::Event(event) => this.hear(&event),
            }
        }
    }

    fn check(&self) {
        for side in &self.sides {
            let counts = side.endpoint.counts();
            // One INVITE of ours has one transaction, its CANCEL, and its BYE; each session one of each at most.
            let own = side.asked + 4 * DIALOGS_MAX;
            assert!(counts.transactions <= TRANSACTIONS_MAX + own, "{counts:?}, {own} own");
            assert!(counts.dialogs <= DIALOGS_MAX, "{counts:?}");
            assert!(counts.contacts <= CONTACTS_MAX, "{counts:?}");
            assert!(counts.nonces <= 64, "{counts:?}");
            assert!(counts.timers <= 4 * counts.transactions + 6 * counts.dialogs + 4, "{counts:?}");
            assert_eq!(counts.dialogs, side.dialogs.len(), "sessions that the application knows");
        }
    }

    /// Everybody hangs up, nothing is delivered any more: in the end nothing is left.
    fn end(mut self) {
        self.waiting.clear();
        for side in 0..2 {
            for dialog in self.sides[side].dialogs.clone() {
                self.sides[side].endpoint.hang_up(self.now, dialog, 480, "over", &mut self.out);
                self.carry_out(side, false);
            }
        }
        self.sides[1].endpoint.unregister(self.now, USER, &mut self.out);
        self.carry_out(1, false);
        self.pass(Duration::from_secs(3 * 3600));
        for side in &self.sides {
            assert!(side.dialogs.is_empty(), "{:?} never ended", side.dialogs);
            let timers: Vec<_> = side.endpoint.timers().collect();
            assert_eq!(side.endpoint.counts(), sip::Counts::default(), "{timers:?}");
        }
    }
}

impl Side {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Invite { dialog, .. } => {
                assert!(self.last < Some(*dialog) && self.dialogs.insert(*dialog), "{dialog:?} comes twice");
            }
            Event::Ended { dialog } => {
                assert!(self.dialogs.remove(dialog), "{dialog:?} ends twice");
                self.last = self.last.max(Some(*dialog));
            }
            Event::Cancelled { dialog }
            | Event::Acked { dialog, .. }
            | Event::NoAck { dialog }
            | Event::Progress { dialog, .. }
            | Event::Answered { dialog, .. }
            | Event::Refused { dialog, .. }
            | Event::Offer { dialog, .. }
            | Event::OfferAnswered { dialog, .. }
            | Event::OfferRefused { dialog, .. }
            | Event::Info { dialog, .. }
            | Event::Bye { dialog, .. } => {
                assert!(self.dialogs.contains(dialog), "news of {dialog:?}, which is over: {event:?}");
            }
            Event::Registered { contacts, .. } => assert!(contacts.len() <= CONTACTS_MAX),
            Event::RegisteredAgain { .. } | Event::AuthFailed { .. } | Event::Registration { .. } => {}
        }
    }
}

fn credentials() -> Credentials {
    Credentials { user: USER.into(), password: PASSWORD.into() }
}
