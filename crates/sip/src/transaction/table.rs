//! The rows: every transaction with the bytes it repeats, found by its key of RFC 3261 17.1.3 / 17.2.3.
use super::{Client, ClientInput, InviteClient, InviteServer, Letter, Server, ServerInput};
use super::{Step, Steps, Times, TransactionId, Wire};
use crate::endpoint::{DialogId, Hop, Output, Timer, Transport};
use crate::message::Method;
use hotline_core::{Outbox, Time, TimerQueue};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Whom a client transaction tells about its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    Nobody,
    Session(DialogId),
    Registration(u64),
}

/// What a client transaction was started for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Invite,
    Reinvite,
    Cancel,
    Bye,
    Info,
    Register,
    Notify,
}

/// News of a client transaction for its user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Up {
    pub id: TransactionId,
    pub owner: Owner,
    pub purpose: Purpose,
    /// What happened: a response, 408 for silence, 503 for a broken transport (RFC 3261 8.1.3.1).
    pub code: u16,
}

#[derive(Debug)]
enum Machine {
    InviteClient(InviteClient),
    Client(Client),
    InviteServer(InviteServer),
    Server(Server),
}

#[derive(Debug)]
struct Row {
    machine: Machine,
    hop: Hop,
    /// The request (client) or the last response (server).
    bytes: Arc<[u8]>,
    key: Box<[u8]>,
    owner: Owner,
    purpose: Purpose,
    /// Server: the key of RFC 3261 8.2.2.2. Client: empty.
    merge: Box<[u8]>,
    /// INVITE client: the ACK of each dialog by its remote tag (the empty tag: for a refusal).
    acks: Vec<Ack>,
}

/// The remote tag, and what goes where for it.
type Ack = (Box<[u8]>, Hop, Arc<[u8]>);

/// As many forks of one INVITE are acknowledged again and again; more are ignored.
const FORKS_MAX: usize = 16;

#[derive(Debug)]
pub(crate) struct Table {
    pub times: Times,
    pub timers: TimerQueue<Timer>,
    last: u64,
    rows: BTreeMap<TransactionId, Row>,
    clients: HashMap<Box<[u8]>, TransactionId>,
    servers: HashMap<Box<[u8]>, TransactionId>,
    merges: HashMap<Box<[u8]>, TransactionId>,
}

/// What a request is to the server transactions that exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arrived {
    New,
    /// It came again, and that was dealt with.
    Absorbed,
}

impl Table {
    pub fn new(times: Times) -> Table {
        Table {
            times,
            timers: TimerQueue::new(),
            last: 0,
            rows: BTreeMap::new(),
            clients: HashMap::new(),
            servers: HashMap::new(),
            merges: HashMap::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Sends a request and sees to its repetition. `branch` is unique but for CANCEL, which shares its INVITE's.
    pub fn request(
        &mut self,
        now: Time,
        (method, branch): (Method, &[u8]),
        hop: Hop,
        bytes: Arc<[u8]>,
        (owner, purpose): (Owner, Purpose),
        out: &mut Outbox<Output>,
    ) -> TransactionId {
        let id = self.next();
        let wire = wire(hop);
        let mut steps = Steps::new();
        let machine = match method {
            Method::Invite => Machine::InviteClient(InviteClient::start(&self.times, wire, &mut steps)),
            _ => Machine::Client(Client::start(&self.times, wire, &mut steps)),
        };
        let key = client_key(method, branch);
        self.clients.insert(key.clone(), id);
        let row = Row { machine, hop, bytes, key, owner, purpose, merge: Box::default(), acks: Vec::new() };
        self.rows.insert(id, row);
        self.perform(now, id, steps, 0, out);
        id
    }

    /// The client transaction that a response belongs to, with its request.
    pub fn find(&self, method: Method, branch: &[u8]) -> Option<(TransactionId, Arc<[u8]>, Hop)> {
        let id = *self.clients.get(&client_key(method, branch))?;
        self.rows.get(&id).map(|row| (id, row.bytes.clone(), row.hop))
    }

    pub fn request_of(&self, id: TransactionId) -> Option<(Arc<[u8]>, Hop)> {
        self.rows.get(&id).map(|row| (row.bytes.clone(), row.hop))
    }

    /// A response for the client transaction `id`; `ack` makes the ACK of a refusal.
    pub fn response(
        &mut self,
        now: Time,
        id: TransactionId,
        code: u16,
        ack: impl FnOnce() -> Arc<[u8]>,
        out: &mut Outbox<Output>,
    ) -> Option<Up> {
        let row = self.rows.get_mut(&id)?;
        let mut steps = Steps::new();
        match &mut row.machine {
            Machine::InviteClient(m) => m.handle(&self.times, ClientInput::Response(code), &mut steps),
            Machine::Client(m) => m.handle(&self.times, ClientInput::Response(code), &mut steps),
            Machine::InviteServer(_) | Machine::Server(_) => return None,
        }
        if steps.contains(&Step::Ack) && row.acks.is_empty() {
            row.acks.push((Box::default(), row.hop, ack()));
        }
        self.perform(now, id, steps, code, out)
    }

    /// The ACK that was sent for the 2xx of this fork goes again, or false.
    pub fn ack_again(&self, id: TransactionId, remote_tag: &[u8], out: &mut Outbox<Output>) -> bool {
        let Some(row) = self.rows.get(&id) else { return false };
        let Some((_, hop, ack)) = row.acks.iter().find(|(tag, ..)| **tag == *remote_tag) else {
            return false;
        };
        out.push(Output::Send { hop: *hop, bytes: ack.clone() });
        true
    }

    /// Sends an ACK for a 2xx and keeps it for repetitions of the 2xx. False: too many forks, not sent.
    pub fn ack(
        &mut self,
        id: TransactionId,
        tag: &[u8],
        hop: Hop,
        ack: Arc<[u8]>,
        out: &mut Outbox<Output>,
    ) -> bool {
        if let Some(row) = self.rows.get_mut(&id) {
            if row.acks.len() >= FORKS_MAX {
                return false;
            }
            row.acks.push((tag.into(), hop, ack.clone()));
        }
        out.push(Output::Send { hop, bytes: ack });
        true
    }

    /// A request arrived: absorbed by its transaction when it came before.
    pub fn arrived(&mut self, now: Time, method: Method, key: &[u8], out: &mut Outbox<Output>) -> Arrived {
        let Some(&id) = self.servers.get(key) else { return Arrived::New };
        let input = if method == Method::Ack { ServerInput::Ack } else { ServerInput::Again };
        let accepted = matches!(self.rows.get(&id), Some(Row { machine: Machine::InviteServer(m), .. }) if m.name() == "accepted");
        self.serve(now, id, input, 0, out);
        // RFC 6026 7.1: the ACK for a 2xx concerns the dialog, even when it carries the INVITE's branch.
        if method == Method::Ack && accepted { Arrived::New } else { Arrived::Absorbed }
    }

    /// The server transaction under this key, and whose it is.
    pub fn server_of(&self, key: &[u8]) -> Option<(TransactionId, Owner)> {
        let id = *self.servers.get(key)?;
        self.rows.get(&id).map(|row| (id, row.owner))
    }

    /// RFC 3261 8.2.2.2: a request with this From tag, Call-ID and CSeq is being served under another key.
    pub fn is_merged(&self, merge: &[u8]) -> bool {
        self.merges.contains_key(merge)
    }

    /// Opens a server transaction. Responses go to `hop`.
    pub fn serve_new(
        &mut self,
        method: Method,
        key: &[u8],
        merge: &[u8],
        hop: Hop,
        owner: Owner,
    ) -> TransactionId {
        let id = self.next();
        let machine = match method {
            Method::Invite => Machine::InviteServer(InviteServer::start(wire(hop))),
            _ => Machine::Server(Server::start(wire(hop))),
        };
        self.servers.insert(key.into(), id);
        if !merge.is_empty() {
            self.merges.insert(merge.into(), id);
        }
        let (bytes, purpose) = (Arc::new([]), Purpose::Invite);
        let row = Row {
            machine,
            hop,
            bytes,
            key: key.into(),
            owner,
            purpose,
            merge: merge.into(),
            acks: Vec::new(),
        };
        self.rows.insert(id, row);
        id
    }

    /// Sends a response through its transaction; nothing when a final one has been sent.
    pub fn respond(
        &mut self,
        now: Time,
        id: TransactionId,
        code: u16,
        bytes: Arc<[u8]>,
        out: &mut Outbox<Output>,
    ) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let open = match &row.machine {
            Machine::InviteServer(m) => m.is_open(),
            Machine::Server(m) => m.is_open(),
            Machine::InviteClient(_) | Machine::Client(_) => false,
        };
        if open {
            row.bytes = bytes;
            self.serve(now, id, ServerInput::Respond(code), code, out);
        }
    }

    pub fn timer(
        &mut self,
        now: Time,
        id: TransactionId,
        letter: Letter,
        out: &mut Outbox<Output>,
    ) -> Option<Up> {
        let row = self.rows.get_mut(&id)?;
        let mut steps = Steps::new();
        match &mut row.machine {
            Machine::InviteClient(m) => m.handle(&self.times, ClientInput::Timer(letter), &mut steps),
            Machine::Client(m) => m.handle(&self.times, ClientInput::Timer(letter), &mut steps),
            Machine::InviteServer(m) => m.handle(&self.times, ServerInput::Timer(letter), &mut steps),
            Machine::Server(m) => m.handle(&self.times, ServerInput::Timer(letter), &mut steps),
        }
        self.perform(now, id, steps, 0, out)
    }

    /// What waits for this hop fails.
    pub fn transport_failed(&mut self, now: Time, hop: Hop, out: &mut Outbox<Output>) -> Vec<Up> {
        let hit: Vec<_> = self.rows.iter().filter(|(_, row)| row.hop == hop).map(|(id, _)| *id).collect();
        let mut ups = Vec::new();
        for id in hit {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            let mut steps = Steps::new();
            match &mut row.machine {
                Machine::InviteClient(m) => m.handle(&self.times, ClientInput::TransportFailed, &mut steps),
                Machine::Client(m) => m.handle(&self.times, ClientInput::TransportFailed, &mut steps),
                Machine::InviteServer(m) => m.handle(&self.times, ServerInput::TransportFailed, &mut steps),
                Machine::Server(m) => m.handle(&self.times, ServerInput::TransportFailed, &mut steps),
            }
            ups.extend(self.perform(now, id, steps, 0, out));
        }
        ups
    }

    /// Nobody waits for the final response of this INVITE any more: timer B ends it, though it is proceeding.
    pub fn abandon(&mut self, now: Time, id: TransactionId) {
        if let Some(Row { machine: Machine::InviteClient(m), .. }) = self.rows.get(&id)
            && m.is_proceeding()
        {
            let at = now + self.times.t1 * 64;
            self.timers.set(Timer::Transaction(id, Letter::B), at, "B: INVITE abandoned");
        }
    }

    /// Destroys a transaction: RFC 3261 9.1, an INVITE without a final response 64*T1 after its CANCEL.
    pub fn forget(&mut self, id: TransactionId) {
        let Some(row) = self.rows.remove(&id) else { return };
        let letters: &[Letter] = match row.machine {
            Machine::InviteClient(_) => &[Letter::A, Letter::B, Letter::D, Letter::M],
            Machine::Client(_) => &[Letter::E, Letter::F, Letter::K],
            Machine::InviteServer(_) => &[Letter::G, Letter::H, Letter::I, Letter::L],
            Machine::Server(_) => &[Letter::J],
        };
        for letter in letters {
            self.timers.cancel(&Timer::Transaction(id, *letter));
        }
        let keys = match row.machine {
            Machine::InviteClient(_) | Machine::Client(_) => &mut self.clients,
            Machine::InviteServer(_) | Machine::Server(_) => &mut self.servers,
        };
        if keys.get(&row.key) == Some(&id) {
            keys.remove(&row.key);
        }
        if self.merges.get(&row.merge) == Some(&id) {
            self.merges.remove(&row.merge);
        }
    }

    /// Rows for people: id, kind, state.
    pub fn states(&self) -> impl Iterator<Item = (TransactionId, &'static str, &'static str)> {
        self.rows.iter().map(|(id, row)| match &row.machine {
            Machine::InviteClient(m) => (*id, "INVITE client", m.name()),
            Machine::Client(m) => (*id, "client", m.name()),
            Machine::InviteServer(m) => (*id, "INVITE server", m.name()),
            Machine::Server(m) => (*id, "server", m.name()),
        })
    }

    fn next(&mut self) -> TransactionId {
        self.last += 1;
        TransactionId(self.last)
    }

    fn serve(
        &mut self,
        now: Time,
        id: TransactionId,
        input: ServerInput,
        code: u16,
        out: &mut Outbox<Output>,
    ) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let mut steps = Steps::new();
        match &mut row.machine {
            Machine::InviteServer(m) => m.handle(&self.times, input, &mut steps),
            Machine::Server(m) => m.handle(&self.times, input, &mut steps),
            Machine::InviteClient(_) | Machine::Client(_) => {}
        }
        self.perform(now, id, steps, code, out);
    }

    fn perform(
        &mut self,
        now: Time,
        id: TransactionId,
        steps: Steps,
        code: u16,
        out: &mut Outbox<Output>,
    ) -> Option<Up> {
        let mut up = None;
        for step in steps {
            let row = self.rows.get(&id)?;
            let mut tell = |code| up = Some(Up { id, owner: row.owner, purpose: row.purpose, code });
            match step {
                Step::Arm(letter, after) => {
                    self.timers.set(Timer::Transaction(id, letter), now + after, letter.why());
                }
                Step::Disarm(letter) => {
                    self.timers.cancel(&Timer::Transaction(id, letter));
                }
                // A server row has nothing to repeat before its first response.
                Step::Send if row.bytes.is_empty() => {}
                Step::Send => out.push(Output::Send { hop: row.hop, bytes: row.bytes.clone() }),
                Step::Ack => {
                    for (_, hop, ack) in row.acks.iter().filter(|(tag, ..)| tag.is_empty()) {
                        out.push(Output::Send { hop: *hop, bytes: ack.clone() });
                    }
                }
                Step::Up => tell(code),
                Step::TimedOut if matches!(row.machine, Machine::InviteServer(_)) => {}
                Step::TimedOut => tell(408),
                Step::Failed => tell(503),
                Step::End => self.forget(id),
            }
        }
        up
    }
}

fn wire(hop: Hop) -> Wire {
    match hop.transport {
        Transport::Udp => Wire::Unreliable,
        Transport::Tcp => Wire::Reliable,
    }
}

/// INVITE and its CANCEL share a branch but not a transaction.
fn client_key(method: Method, branch: &[u8]) -> Box<[u8]> {
    let mut key = Vec::with_capacity(branch.len() + 8);
    key.extend_from_slice(branch);
    key.extend_from_slice(method.as_str().as_bytes());
    key.into_boxed_slice()
}
