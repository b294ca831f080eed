//! Callers and agents with phones of their own: real user agents, with people's habits.

use crate::network::Datagram;
use crate::plan::{ENGINE, Plan, REALM};
use hotline_core::{Outbox, Rng, Time, TimerQueue};
use sip::{
    Credentials, DialogId, Endpoint, EndpointConfig, Event, Hop, Limits, Outgoing, RegistrarConfig, Transport,
};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// What every caller's number begins with.
pub(crate) const CALLERS: &str = "1380013";

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Who {
    Caller(u32),
    Agent(u32),
    /// The second phone of this agent.
    Second(u32),
    /// Whoever sits at the command line.
    Operator,
}

impl Who {
    pub fn agent(self) -> Option<u32> {
        match self {
            Who::Agent(i) | Who::Second(i) => Some(i),
            Who::Caller(_) | Who::Operator => None,
        }
    }
}

/// What a person does next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Act {
    Dial,
    Answer(DialogId),
    HangUp(DialogId),
    /// Stops ringing when nobody has answered.
    GiveUp(DialogId),
    Key(char),
    Hold(DialogId),
    Resume(DialogId),
    SignIn,
    SignOut,
    /// Signs out and does not come back.
    GoHome,
    FeatureCode(&'static str),
    Vanish,
    ComeBack,
    Operate,
    /// The engine's media thread notices that nothing comes from here any more.
    FallSilent,
}

#[derive(Debug)]
pub(crate) struct Person {
    pub who: Who,
    pub address: SocketAddr,
    pub media: SocketAddr,
    pub phone: Endpoint,
    pub alive: bool,
    /// Sessions that ring or talk here, as this phone sees it.
    pub engaged: BTreeSet<DialogId>,
    pub talking: Option<DialogId>,
    /// Calls placed by this phone itself (feature codes).
    own: BTreeSet<DialogId>,
    /// What the engine offered and this phone has not forgotten.
    offers: Vec<(DialogId, sdp::Description)>,
    local: sdp::Local,
    delayed_offer: bool,
    pub answered: bool,
    pub registered: bool,
    pub final_code: Option<u16>,
}

/// What a person wants from the world around.
pub(crate) struct Hands<'a> {
    pub now: Time,
    pub plan: &'a Plan,
    pub faulty: bool,
    pub rng: &'a mut Rng,
    pub habits: &'a mut TimerQueue<(Who, Act)>,
    pub sends: &'a mut Vec<Datagram>,
    /// Keys and silence, which travel as media.
    pub media: &'a mut Vec<(SocketAddr, Option<char>)>,
}

impl Hands<'_> {
    fn later(&mut self, who: Who, seconds: f64, act: Act) {
        let at = self.now + Duration::from_secs_f64(seconds.max(0.001));
        self.habits.set((who, act), at, "a person");
    }
    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + self.rng.unit() * (to - from)
    }
}

impl Person {
    pub fn new(who: Who, rng: &mut Rng) -> Person {
        let (host, port) = match who {
            Who::Caller(i) => ([10, 1, (i / 250) as u8, (i % 250) as u8 + 1], 5060),
            Who::Agent(i) => ([10, 2, 0, i as u8 + 1], 5060),
            Who::Second(i) => ([10, 3, 0, i as u8 + 1], 5060),
            Who::Operator => ([10, 4, 0, 1], 5060),
        };
        let (address, media) = (SocketAddr::from((host, port)), SocketAddr::from((host, 40_000)));
        let local = sdp::Local {
            address: media,
            codecs: vec![if rng.chance(0.5) { sdp::Codec::Pcma } else { sdp::Codec::Pcmu }],
            telephone_event: true,
            ptime_ms: 20,
            session: 1,
            version: 1,
            direction: sdp::Direction::SendRecv,
        };
        Person {
            who,
            address,
            media,
            phone: Endpoint::new(config(), rng.fork()),
            alive: true,
            engaged: BTreeSet::new(),
            talking: None,
            own: BTreeSet::new(),
            offers: Vec::new(),
            local,
            delayed_offer: rng.chance(0.1),
            answered: false,
            registered: false,
            final_code: None,
        }
    }

    fn hop(&self) -> Hop {
        Hop { transport: Transport::Udp, local: self.address, remote: ENGINE }
    }

    pub fn receive(&mut self, datagram: &Datagram, hands: &mut Hands<'_>) {
        if self.alive {
            let mut out = Outbox::new();
            let hop = Hop { remote: datagram.from, ..self.hop() };
            self.phone.receive(hands.now, hop, &datagram.bytes, &mut out);
            self.carry_out(out, hands);
        }
    }

    pub fn wake(&mut self, hands: &mut Hands<'_>) {
        let mut out = Outbox::new();
        self.phone.wake(hands.now, &mut out);
        if self.alive {
            self.carry_out(out, hands);
        }
    }

    pub fn act(&mut self, act: Act, hands: &mut Hands<'_>) {
        let mut out = Outbox::new();
        let now = hands.now;
        match act {
            Act::ComeBack => {
                // The phone was switched off and on: it knows nothing of what was before.
                self.phone = Endpoint::new(config(), hands.rng.fork());
                self.engaged.clear();
                self.own.clear();
                self.offers.clear();
                self.talking = None;
                self.registered = false;
                self.alive = true;
                self.sign_in(hands, &mut out);
            }
            _ if !self.alive => {}
            Act::Vanish => {
                self.alive = false;
                if self.who.agent().is_some() {
                    let back = hands.between(600.0, 7200.0);
                    hands.later(self.who, back, Act::ComeBack);
                }
                hands.later(self.who, 60.0, Act::FallSilent);
            }
            Act::FallSilent | Act::Operate => {}
            Act::Dial => self.dial(hands, &mut out),
            Act::SignIn => self.sign_in(hands, &mut out),
            Act::SignOut | Act::GoHome => {
                if let Some(i) = self.who.agent() {
                    self.phone.unregister(now, &format!("agent{i}"), &mut out);
                    if act == Act::SignOut {
                        let back = hands.between(60.0, 3600.0);
                        hands.later(self.who, back, Act::SignIn);
                    }
                }
            }
            Act::FeatureCode(code) => self.dial_code(code, hands, &mut out),
            Act::Answer(dialog) => {
                if self.engaged.contains(&dialog) && self.talking.is_none() {
                    self.talking = Some(dialog);
                    if let Some(answer) = self.answer_for(dialog) {
                        self.phone.accept(now, dialog, &answer, &[], &mut out);
                        let talk = hands.between(5.0, 300.0);
                        hands.later(self.who, talk, Act::HangUp(dialog));
                        if hands.rng.chance(0.2) {
                            hands.later(self.who, talk / 3.0, Act::Hold(dialog));
                            hands.later(self.who, talk / 2.0, Act::Resume(dialog));
                        }
                    }
                }
            }
            Act::HangUp(dialog) => {
                if self.engaged.contains(&dialog) {
                    self.phone.hang_up(now, dialog, 603, "enough", &mut out);
                }
            }
            Act::GiveUp(dialog) => {
                if self.engaged.contains(&dialog) && self.talking != Some(dialog) {
                    self.phone.refuse(now, dialog, 480, &[], &mut out);
                }
            }
            Act::Key(digit) => match self.talking {
                Some(dialog) if hands.rng.chance(0.3) => {
                    let body = format!("Signal={digit}\r\nDuration=160\r\n");
                    self.phone.info(now, dialog, "application/dtmf-relay", body.as_bytes(), &mut out);
                }
                _ => hands.media.push((self.media, Some(digit))),
            },
            Act::Hold(dialog) | Act::Resume(dialog) => {
                if self.talking == Some(dialog) {
                    self.local.version += 1;
                    self.local.direction = match act {
                        Act::Hold(_) => sdp::Direction::SendOnly,
                        _ => sdp::Direction::SendRecv,
                    };
                    let offer = sdp::offer(&self.local);
                    self.phone.reoffer(now, dialog, &offer, &mut out);
                }
            }
        }
        if act == Act::FallSilent {
            hands.media.push((self.media, None));
        }
        self.carry_out(out, hands);
    }

    fn dial(&mut self, hands: &mut Hands<'_>, out: &mut Outbox<sip::Output>) {
        let Who::Caller(i) = self.who else { return };
        let number = match hands.rng.below(20) {
            0 => "999",
            1..=5 => "200",
            _ => "100",
        };
        let outgoing = Outgoing {
            uri: format!("sip:{number}@10.0.0.1:5060"),
            hop: self.hop(),
            from: format!("<sip:{CALLERS}{i:04}@10.1.0.1>"),
            to: format!("<sip:{number}@10.0.0.1>"),
            sdp: (!self.delayed_offer).then(|| sdp::offer(&self.local)),
            headers: Vec::new(),
            credentials: None,
        };
        let dialog = self.phone.invite(hands.now, outgoing, out);
        self.engaged.insert(dialog);
        if hands.rng.chance(0.2) {
            let early = hands.between(0.0, 8.0);
            hands.later(self.who, early, Act::HangUp(dialog));
        }
        // Nobody waits for ever, not even for ring-back.
        let patience = hands.between(20.0, 900.0);
        hands.later(self.who, patience + 60.0, Act::HangUp(dialog));
        for _ in 0..hands.rng.below(5) {
            let digit = ['1', '2', '5', '9', '#'][hands.rng.below(5) as usize];
            let at = hands.between(0.5, 20.0);
            hands.later(self.who, at, Act::Key(digit));
        }
        if hands.faulty && hands.rng.chance(hands.plan.faults.caller_vanishes) {
            let at = hands.between(0.0, 120.0);
            hands.later(self.who, at, Act::Vanish);
        }
    }

    fn credentials(&self, plan: &Plan) -> Option<Credentials> {
        let i = self.who.agent()?;
        Some(Credentials { user: format!("agent{i}"), password: plan.passwords[i as usize].clone() })
    }

    fn sign_in(&mut self, hands: &mut Hands<'_>, out: &mut Outbox<sip::Output>) {
        let Some(credentials) = self.credentials(hands.plan) else { return };
        let expires = Duration::from_secs(60 + hands.rng.below(600));
        let uri = format!("sip:{}@{REALM}", credentials.user);
        self.phone.register(hands.now, self.hop(), &uri, credentials, expires, out);
    }

    fn dial_code(&mut self, code: &str, hands: &mut Hands<'_>, out: &mut Outbox<sip::Output>) {
        let Some(i) = self.who.agent() else { return };
        if self.talking.is_some() || !self.engaged.is_empty() {
            return;
        }
        let outgoing = Outgoing {
            uri: format!("sip:{code}@10.0.0.1:5060"),
            hop: self.hop(),
            from: format!("<sip:agent{i}@{REALM}>"),
            to: format!("<sip:{code}@{REALM}>"),
            sdp: Some(sdp::offer(&self.local)),
            headers: Vec::new(),
            credentials: self.credentials(hands.plan),
        };
        let dialog = self.phone.invite(hands.now, outgoing, out);
        self.own.insert(dialog);
    }

    fn answer_for(&self, dialog: DialogId) -> Option<Vec<u8>> {
        let offer = self.offers.iter().find(|(d, _)| *d == dialog)?;
        sdp::answer(&offer.1, &self.local).ok().map(|(answer, _)| answer)
    }

    fn carry_out(&mut self, mut out: Outbox<sip::Output>, hands: &mut Hands<'_>) {
        let mut events = Vec::new();
        loop {
            for output in out.drain() {
                match output {
                    sip::Output::Send { hop, bytes } => {
                        hands.sends.push(Datagram { from: self.address, to: hop.remote, bytes });
                    }
                    sip::Output::Event(event) => events.push(event),
                }
            }
            if events.is_empty() {
                return;
            }
            for event in events.drain(..) {
                self.event(event, hands, &mut out);
            }
        }
    }

    fn event(&mut self, event: Event, hands: &mut Hands<'_>, out: &mut Outbox<sip::Output>) {
        let now = hands.now;
        match event {
            Event::Invite { dialog, invitation } => {
                self.engaged.insert(dialog);
                let offer = invitation.sdp.as_deref().and_then(|sdp| sdp::Description::parse(sdp).ok());
                let Some(offer) = offer else { return self.phone.refuse(now, dialog, 488, &[], out) };
                self.offers.push((dialog, offer));
                if hands.faulty && hands.rng.chance(hands.plan.faults.phone_vanishes) {
                    return hands.later(self.who, 0.01, Act::Vanish);
                }
                // A phone gives up by itself: the CANCEL of one whose answers were all lost never comes.
                hands.later(self.who, 180.0, Act::GiveUp(dialog));
                match hands.rng.below(10) {
                    0 => self.phone.refuse(now, dialog, 486, &[], out),
                    1 => self.phone.ring(now, dialog, 180, None, out),
                    _ => {
                        self.phone.ring(now, dialog, 180, None, out);
                        let takes = hands.between(0.3, 12.0);
                        hands.later(self.who, takes, Act::Answer(dialog));
                    }
                }
            }
            Event::Answered { dialog, sdp, .. } => {
                if self.own.contains(&dialog) {
                    return;
                }
                self.answered = true;
                self.talking = Some(dialog);
                if self.delayed_offer {
                    let offer = sdp.as_deref().and_then(|sdp| sdp::Description::parse(sdp).ok());
                    match offer.and_then(|offer| sdp::answer(&offer, &self.local).ok()) {
                        Some((answer, _)) => self.phone.ack(now, dialog, &answer, out),
                        None => self.phone.hang_up(now, dialog, 488, "no answer", out),
                    }
                }
                let patience = hands.between(5.0, 600.0);
                hands.later(self.who, patience, Act::HangUp(dialog));
                if hands.rng.chance(0.1) {
                    hands.later(self.who, patience / 3.0, Act::Hold(dialog));
                    hands.later(self.who, patience / 2.0, Act::Resume(dialog));
                }
            }
            Event::Refused { code, dialog, .. } if self.engaged.contains(&dialog) => {
                self.final_code = Some(code)
            }
            Event::Offer { dialog, sdp } => {
                let offer = sdp.as_deref().and_then(|sdp| sdp::Description::parse(sdp).ok());
                match offer.and_then(|offer| sdp::answer(&offer, &self.local).ok()) {
                    Some((answer, _)) => self.phone.accept_offer(now, dialog, &answer, out),
                    None => self.phone.refuse_offer(now, dialog, 488, out),
                }
            }
            Event::Registration { result, .. } => {
                self.registered = result.is_ok_and(|granted| !granted.is_zero());
            }
            Event::Ended { dialog } => {
                self.engaged.remove(&dialog);
                self.own.remove(&dialog);
                self.offers.retain(|(d, _)| *d != dialog);
                if self.talking == Some(dialog) {
                    self.talking = None;
                    self.local.direction = sdp::Direction::SendRecv;
                }
            }
            _ => {}
        }
    }
}

fn config() -> EndpointConfig {
    EndpointConfig {
        realm: REALM.to_owned(),
        product: "phone".to_owned(),
        advertised: Vec::new(),
        limits: Limits {
            message_bytes: 65_535,
            headers: 256,
            transactions: 1000,
            dialogs: 100,
            contacts_per_user: 5,
        },
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        registrar: RegistrarConfig {
            expires_min: Duration::from_secs(30),
            expires_default: Duration::from_secs(300),
            expires_max: Duration::from_secs(3600),
            nonce_lifetime: Duration::from_secs(300),
        },
    }
}
