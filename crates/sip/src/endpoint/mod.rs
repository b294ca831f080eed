//! The user agent: transactions, dialogs, registrar and digest behind one machine.
//!
//! A message comes in through `receive`, is told apart here, and goes to the file of its role:
//! `uas` (requests of others), `uac` (our requests and their responses), `offers` (changes of a session's
//! media), `registration` (both sides of REGISTER). Each session is a row (`session`), each transaction too
//! (`crate::transaction`), and all wait in one timer queue.
mod challenged;
mod content;
mod offers;
mod registration;
mod session;
mod types;
mod uac;
mod uas;

pub use types::*;

use crate::message::{Builder, Malformed, Message, Method, NameAddr, ParseLimits};
use crate::registrar::Registrar;
use crate::transaction::{Letter, Owner, Purpose, Table, Times, TransactionId, Up};
use hotline_core::{Deadline, Outbox, Rng, Time};
use registration::Registration;
use session::{Session, State};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// All methods that are answered with something else than 405 or 501.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE";

/// Whose timer it is, in the one queue.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Timer {
    Transaction(TransactionId, Letter),
    Session(DialogId, Wait),
    User(Arc<str>),
    Registration(u64),
}

/// What a session waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Wait {
    /// The 2xx goes again.
    Repeat,
    /// The ACK is given up (64*T1).
    NoAck,
    /// A cancelled INVITE is given up (64*T1).
    NoFinal,
    /// Our re-INVITE may go again after a 491.
    Glare,
    /// The provisional response goes again (each minute, RFC 3261 13.3.1.1).
    Ringing,
    /// The INVITE's Expires (RFC 3261 13.3.1).
    Expires,
}

impl Wait {
    const ALL: [Wait; 6] =
        [Wait::Repeat, Wait::NoAck, Wait::NoFinal, Wait::Glare, Wait::Ringing, Wait::Expires];

    const fn why(self) -> &'static str {
        match self {
            Wait::Repeat => "2xx again",
            Wait::NoAck => "2xx not acknowledged",
            Wait::NoFinal => "cancelled INVITE unanswered",
            Wait::Glare => "re-INVITE again after 491",
            Wait::Ringing => "provisional response again",
            Wait::Expires => "INVITE expires",
        }
    }
}

#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    rng: Rng,
    table: Table,
    sessions: BTreeMap<DialogId, Session>,
    /// By our tag, which is random and unique.
    by_tag: HashMap<Box<str>, DialogId>,
    last_dialog: u64,
    registrar: Registrar,
    registrations: BTreeMap<u64, Registration>,
    last_registration: u64,
    draining: bool,
    /// Tags of responses without a transaction: keyed, and the same for the same request (RFC 3261 8.2.7).
    tag_key: u64,
}

impl Endpoint {
    pub fn new(config: EndpointConfig, mut rng: Rng) -> Endpoint {
        let times = Times { t1: config.t1, t2: config.t2, t4: config.t4 };
        let (registrar, realm) = (config.registrar.clone(), config.realm.clone());
        let registrar = Registrar::new(registrar, realm, config.limits.contacts_per_user, rng.fork());
        Endpoint {
            tag_key: rng.next_u64(),
            config,
            rng,
            table: Table::new(times),
            sessions: BTreeMap::new(),
            by_tag: HashMap::new(),
            last_dialog: 0,
            registrar,
            registrations: BTreeMap::new(),
            last_registration: 0,
            draining: false,
        }
    }

    /// Replaces all accounts. Bindings that exist stay until they expire.
    pub fn set_accounts(&mut self, accounts: Vec<Account>) {
        self.registrar.set_accounts(accounts);
    }

    /// One datagram, or one message that `Framer` cut out of a stream.
    pub fn receive(&mut self, now: Time, hop: Hop, bytes: &[u8], out: &mut Outbox<Output>) {
        let limits = ParseLimits {
            message_bytes: self.config.limits.message_bytes,
            headers: self.config.limits.headers,
        };
        match Message::parse(bytes, &limits) {
            Ok(message) if message.is_request() => self.request(now, hop, &message, bytes, out),
            Ok(message) => self.response(now, hop, &message, out),
            Err(Malformed { code, why, message: Some(message), .. }) => {
                let add = |b: Builder| match code {
                    501 => b.header("Allow", ALLOW),
                    _ => b,
                };
                let reason = if code == 400 { why } else { "" };
                self.answer_stateless(hop, &message, code, reason, add, out);
            }
            Err(Malformed { message: None, .. }) => {}
        }
    }

    /// A send failed or a connection closed: what waits for that hop ends as RFC 3261 says.
    pub fn transport_failed(&mut self, now: Time, hop: Hop, out: &mut Outbox<Output>) {
        for up in self.table.transport_failed(now, hop, out) {
            self.up(now, up, None, out);
        }
        if hop.transport == Transport::Tcp {
            for user in self.registrar.connection_lost(hop, &mut self.table.timers) {
                self.tell_registered(now, &user, true, out);
            }
        }
    }

    pub fn deadline(&self) -> Option<Deadline> {
        self.table.timers.deadline()
    }

    pub fn wake(&mut self, now: Time, out: &mut Outbox<Output>) {
        while let Some(timer) = self.table.timers.pop_due(now) {
            match timer {
                Timer::Transaction(id, letter) => {
                    if let Some(up) = self.table.timer(now, id, letter, out) {
                        self.up(now, up, None, out);
                    }
                }
                Timer::Session(id, wait) => self.waited(now, id, wait, out),
                Timer::User(user) => {
                    if self.registrar.expire(now, &user, &mut self.table.timers) {
                        self.tell_registered(now, &user, true, out);
                    }
                }
                Timer::Registration(id) => self.refresh_registration(now, id, out),
            }
        }
    }

    /// Accept nothing new: INVITE outside a dialog gets 503 with Retry-After. OPTIONS too, so that balancers see it.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Bindings of a user that hold now, the preferred first.
    pub fn contacts(&self, now: Time, user: &str) -> Vec<Contact> {
        self.registrar.contacts(now, user)
    }

    pub fn counts(&self) -> Counts {
        let (contacts, nonces) = self.registrar.counts();
        let (transactions, timers) = (self.table.len(), self.table.timers.len());
        Counts { transactions, dialogs: self.sessions.len(), contacts, timers, nonces }
    }

    /// Armed timers in the order they will fire: when, whose, why.
    pub fn timers(&self) -> impl Iterator<Item = (Time, String, &'static str)> {
        self.table.timers.iter().map(|(at, timer, why)| {
            let owner = match timer {
                Timer::Transaction(id, _) => format!("transaction-{}", id.0),
                Timer::Session(id, _) => format!("dialog-{}", id.0),
                Timer::User(_) => "registrar".to_owned(),
                Timer::Registration(id) => format!("registration-{id}"),
            };
            (at, owner, why)
        })
    }

    /// Transactions as rows for people: id, kind, state.
    pub fn transactions(&self) -> impl Iterator<Item = (u64, &'static str, &'static str)> {
        self.table.states().map(|(id, kind, state)| (id.0, kind, state))
    }

    /// Ends the session whatever its state: CANCEL, refusal (`code`), or BYE, with a Reason header; a 2xx
    /// that crosses our CANCEL is acknowledged and ended with BYE. Idempotent.
    pub fn hang_up(
        &mut self,
        now: Time,
        dialog: DialogId,
        code: u16,
        reason: &str,
        out: &mut Outbox<Output>,
    ) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        if session.leaving.is_some() {
            return;
        }
        match session.state {
            State::Incoming => {
                let refusal = if (300..700).contains(&code) { code } else { 480 };
                self.answer_asked(now, dialog, refusal, |b| with_reason(b, code, reason), out);
                self.end(now, dialog, out);
            }
            State::Calling { .. } => {
                session.leaving = Some((code, reason.into()));
                self.cancel(now, dialog, out);
            }
            State::Confirmed => {
                session.leaving = Some((code, reason.into()));
                // RFC 3261 15: no BYE before the ACK; its timer stands behind this.
                if !session.unacked.as_ref().is_some_and(|u| u.first) {
                    self.bye(now, dialog, out);
                }
            }
            State::Ending => {}
        }
        self.check();
    }

    /// What a session waited for has come.
    fn waited(&mut self, now: Time, id: DialogId, wait: Wait, out: &mut Outbox<Output>) {
        let t2 = self.config.t2;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match wait {
            Wait::Repeat => {
                let Some(unacked) = &mut session.unacked else { return };
                unacked.next = (unacked.next * 2).min(t2);
                let next = unacked.next;
                let send = Output::Send { hop: unacked.hop, bytes: unacked.response.clone() };
                self.arm(now, id, Wait::Repeat, next);
                out.push(send);
            }
            Wait::NoAck => {
                session.unacked = None;
                self.disarm(id, Wait::Repeat);
                let told = self.sessions.get(&id).is_some_and(|s| s.leaving.is_some());
                if !told {
                    out.push(Output::Event(Event::NoAck { dialog: id }));
                }
                self.leave(id, 408, "no ACK");
                self.bye(now, id, out);
            }
            Wait::NoFinal => {
                if let Some(transaction) = session.calling.take() {
                    self.table.forget(transaction);
                }
                self.end(now, id, out);
            }
            Wait::Glare => self.try_offer(now, id, out),
            Wait::Ringing => {
                let Some((code, response)) = session.asked.as_ref().and_then(|a| a.provisional.clone())
                else {
                    return;
                };
                let Some(asked) = &session.asked else { return };
                let transaction = asked.transaction;
                self.arm(now, id, Wait::Ringing, Duration::from_secs(60));
                self.table.respond(now, transaction, code, response, out);
            }
            Wait::Expires => {
                if session.state == State::Incoming {
                    self.answer_asked(now, id, 487, |b| b, out);
                    out.push(Output::Event(Event::Cancelled { dialog: id }));
                    self.end(now, id, out);
                }
            }
        }
    }

    /// News of one of our transactions; `response` is there when a response made it.
    fn up(&mut self, now: Time, up: Up, response: Option<(&Message<'_>, Hop)>, out: &mut Outbox<Output>) {
        match up.owner {
            Owner::Nobody => {}
            Owner::Registration(id) => self.registration_news(now, id, up, response.map(|(m, _)| m), out),
            Owner::Session(id) => match up.purpose {
                Purpose::Invite => self.invite_news(now, id, up, response, out),
                Purpose::Reinvite => self.reinvite_news(now, id, up, response, out),
                Purpose::Bye => self.bye_news(now, id, up, response.map(|(m, _)| m), out),
                Purpose::Info => self.info_news(now, id, up, response.map(|(m, _)| m), out),
                Purpose::Cancel | Purpose::Register | Purpose::Notify => {}
            },
        }
    }

    /// Puts a session into its table and makes its tag known.
    fn open(&mut self, session: Session) -> DialogId {
        self.last_dialog += 1;
        let id = DialogId(self.last_dialog);
        self.by_tag.insert(session.dialog.local_tag.clone(), id);
        self.sessions.insert(id, session);
        id
    }

    /// The one place where a session goes: its timers, what it left unanswered, its row, `Ended`.
    fn end(&mut self, now: Time, id: DialogId, out: &mut Outbox<Output>) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.by_tag.remove(&session.dialog.local_tag);
        for wait in Wait::ALL {
            self.table.timers.cancel(&Timer::Session(id, wait));
        }
        if let Some(transaction) = session.calling {
            self.table.abandon(now, transaction);
        }
        debug_assert!(session.asked.is_none(), "a request of the peer stays unanswered");
        out.push(Output::Event(Event::Ended { dialog: id }));
    }

    fn leave(&mut self, id: DialogId, code: u16, reason: &str) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.leaving.get_or_insert_with(|| (code, reason.into()));
        }
    }

    fn arm(&mut self, now: Time, id: DialogId, wait: Wait, after: Duration) {
        self.table.timers.set(Timer::Session(id, wait), now + after, wait.why());
    }

    fn disarm(&mut self, id: DialogId, wait: Wait) {
        self.table.timers.cancel(&Timer::Session(id, wait));
    }

    fn tag(&mut self) -> Box<str> {
        self.rng.token(12).into()
    }

    /// What Via and Contact show for a listener.
    fn shown(&self, hop: Hop) -> String {
        let advertised = self.config.advertised.iter().find(|(listener, _)| *listener == hop.local);
        advertised.map_or_else(|| hop.local.to_string(), |(_, shown)| shown.clone())
    }

    fn via(&self, hop: Hop, branch: &str) -> String {
        let transport = match hop.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        };
        format!("SIP/2.0/{transport} {};branch={branch};rport", self.shown(hop))
    }

    fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.rng.token(16))
    }

    /// Our Contact for a user part as it stands in a URI.
    fn contact(&self, user: &[u8], hop: Hop) -> Box<str> {
        let user = std::str::from_utf8(user).unwrap_or_default();
        let at = if user.is_empty() { "" } else { "@" };
        let transport = match hop.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
        };
        format!("<sip:{user}{at}{}{transport}>", self.shown(hop)).into()
    }

    /// What must hold between inputs.
    fn check(&self) {
        debug_assert_eq!(self.sessions.len(), self.by_tag.len());
    }
}

fn with_reason(builder: Builder, code: u16, reason: &str) -> Builder {
    if code == 0 {
        return builder;
    }
    let text: String = reason.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
    builder.header("Reason", format!("SIP;cause={code};text=\"{text}\""))
}

fn extra(builder: Builder, headers: &[ExtraHeader]) -> Builder {
    headers.iter().fold(builder, |b, (name, value)| b.header(name, value))
}

fn shared(builder: Builder) -> Arc<[u8]> {
    builder.finish().into()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The user of an address, unescaped; empty when it has none.
fn user_of(address: &NameAddr<'_>) -> String {
    address.uri().map(|uri| text(&uri.user_unescaped())).unwrap_or_default()
}

fn branch_of(message: &Message<'_>) -> Vec<u8> {
    message.via().branch.unwrap_or_default().to_vec()
}

/// The request that a transaction or a session keeps is one that was read before.
fn reread(bytes: &[u8]) -> Option<Message<'_>> {
    Message::parse(bytes, &ParseLimits { message_bytes: usize::MAX, headers: usize::MAX }).ok()
}
