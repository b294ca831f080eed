//! Requests of others: RFC 3261 8.2, 9.2, 12.2.2, 13.3, 15.1.2.
use super::session::{Asked, Session, State, Unacked};
use super::*;
use crate::dialog::{Dialog, Order};
use crate::message::{Name, Uri, Via};
use crate::transaction::Arrived;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

/// Seconds of Retry-After when a limit is reached, and while draining.
const RETRY_FULL: &str = "5";
const RETRY_DRAINING: &str = "60";

impl Endpoint {
    /// Responds with 101-199, with an early session description if there is one.
    pub fn ring(
        &mut self,
        now: Time,
        dialog: DialogId,
        code: u16,
        sdp: Option<&[u8]>,
        out: &mut Outbox<Output>,
    ) {
        let Some(session) = self.sessions.get(&dialog) else { return };
        if session.state != State::Incoming || !(101..200).contains(&code) {
            return;
        }
        let contact = session.dialog.contact.clone();
        let add = |b: Builder| {
            let b = b.header("Contact", &*contact).header("Allow", ALLOW);
            match sdp {
                Some(sdp) => b.body("application/sdp", sdp),
                None => b,
            }
        };
        self.answer_asked(now, dialog, code, add, out);
    }

    /// Responds with 200 and a session description: the answer, or our offer when their INVITE had none.
    pub fn accept(
        &mut self,
        now: Time,
        dialog: DialogId,
        sdp: &[u8],
        headers: &[ExtraHeader],
        out: &mut Outbox<Output>,
    ) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        if session.state != State::Incoming {
            return;
        }
        session.state = State::Confirmed;
        self.accept_asked(now, dialog, sdp, headers, out);
        self.check();
    }

    /// Responds with 300-699; `Ended` follows.
    pub fn refuse(
        &mut self,
        now: Time,
        dialog: DialogId,
        code: u16,
        headers: &[ExtraHeader],
        out: &mut Outbox<Output>,
    ) {
        let Some(session) = self.sessions.get(&dialog) else { return };
        if session.state != State::Incoming {
            return;
        }
        let code = if (300..700).contains(&code) { code } else { 500 };
        self.answer_asked(now, dialog, code, |b| extra(b, headers), out);
        self.end(now, dialog, out);
        self.check();
    }

    /// 401 with a fresh nonce for each algorithm; `Ended` follows.
    pub fn challenge(&mut self, now: Time, dialog: DialogId, stale: bool, out: &mut Outbox<Output>) {
        let Some(session) = self.sessions.get(&dialog).filter(|s| s.state == State::Incoming) else { return };
        let from = session.asked.as_ref().and_then(|asked| reread(&asked.request)).map(|m| user_of(m.from()));
        let challenges = self.challenges(now, &from.unwrap_or_default(), stale);
        self.answer_asked(now, dialog, 401, |b| extra(b, &challenges), out);
        self.end(now, dialog, out);
        self.check();
    }

    /// One challenge for each algorithm that who says to be `user` may answer with.
    pub(super) fn challenges(&mut self, now: Time, user: &str, stale: bool) -> Vec<ExtraHeader> {
        let nonce = self.registrar.nonce(now);
        let realm = &self.config.realm;
        let one = |algorithm| {
            ("WWW-Authenticate".to_owned(), crate::digest::challenge(realm, &nonce, algorithm, stale))
        };
        self.registrar.algorithms(user).map(one).collect()
    }

    pub(super) fn request(
        &mut self,
        now: Time,
        hop: Hop,
        m: &Message<'_>,
        bytes: &[u8],
        out: &mut Outbox<Output>,
    ) {
        let key = server_key(m, m.method());
        if self.table.arrived(now, m.method(), &key, out) == Arrived::Absorbed {
            return;
        }
        match m.method() {
            Method::Ack => return self.acked(now, m, out),
            Method::Cancel => return self.cancelled(now, hop, m, &key, out),
            Method::Invite
            | Method::Bye
            | Method::Options
            | Method::Register
            | Method::Info
            | Method::Update => {}
            Method::Prack
            | Method::Subscribe
            | Method::Notify
            | Method::Refer
            | Method::Message
            | Method::Publish => {
                return self.answer_stateless(hop, m, 405, "", |b| b.header("Allow", ALLOW), out);
            }
            Method::Other => {
                return self.answer_stateless(hop, m, 501, "", |b| b.header("Allow", ALLOW), out);
            }
        }
        if let Some((code, add)) = self.objection(m) {
            return self.answer_stateless(hop, m, code, "", |b| extra(b, &add), out);
        }
        let limit = self.config.limits.transactions;
        // Dialogs that exist may finish: they have half as many transactions on top.
        let limit = if m.to().tag.is_some() { limit + limit / 2 } else { limit };
        if self.table.len() >= limit && m.method() != Method::Options {
            return self.answer_stateless(hop, m, 503, "", |b| b.header("Retry-After", RETRY_FULL), out);
        }
        if m.to().tag.is_some() && m.method() != Method::Register {
            return match self.dialog_of(m) {
                Some(id) => self.request_within(now, id, hop, m, bytes, &key, out),
                None => self.answer_stateless(hop, m, 481, "", |b| b, out),
            };
        }
        if self.table.is_merged(&merge_key(m)) {
            return self.answer_stateless(hop, m, 482, "", |b| b, out);
        }
        match m.method() {
            Method::Invite => self.invited(now, hop, m, bytes, &key, out),
            Method::Options => self.options(hop, m, out),
            Method::Register => self.register_asked(now, hop, m, &key, out),
            _ => self.answer_stateless(hop, m, 481, "", |b| b, out),
        }
    }

    /// RFC 3261 8.2.2: what is wrong with a request before it is looked into, and the headers that say so.
    fn objection(&self, m: &Message<'_>) -> Option<(u16, Vec<ExtraHeader>)> {
        let known = |uri: &Uri<'_>| uri.is_sip() || uri.is_tel();
        if !m.uri().is_ok_and(|uri| known(&uri)) {
            return Some((416, Vec::new()));
        }
        let required: Vec<String> = m.values(Name::Require).filter(|o| !o.is_empty()).map(text).collect();
        if !required.is_empty() {
            return Some((420, vec![("Unsupported".to_owned(), required.join(", "))]));
        }
        if !matches!(m.method(), Method::Invite | Method::Update) {
            return None;
        }
        let accept = || ("Accept".to_owned(), "application/sdp, multipart/mixed".to_owned());
        match content::sdp(m) {
            Err(content::Refused::Type) => Some((415, vec![accept()])),
            Err(content::Refused::Encoding) => {
                Some((415, vec![accept(), ("Accept-Encoding".to_owned(), "identity".to_owned())]))
            }
            // Our answer would be one they do not take (RFC 3261 13.3.1).
            Ok(_) if !accepts_sdp(m) => Some((406, vec![accept()])),
            Ok(_) => None,
        }
    }

    /// An INVITE that opens a session.
    fn invited(
        &mut self,
        now: Time,
        hop: Hop,
        m: &Message<'_>,
        bytes: &[u8],
        key: &[u8],
        out: &mut Outbox<Output>,
    ) {
        if self.draining || self.sessions.len() >= self.config.limits.dialogs {
            let after = if self.draining { RETRY_DRAINING } else { RETRY_FULL };
            return self.answer_stateless(hop, m, 503, "", |b| b.header("Retry-After", after), out);
        }
        let back = reply_hop(m.via(), hop);
        let owner = Owner::Session(DialogId(self.last_dialog + 1));
        let transaction = self.table.serve_new(m.method(), key, &merge_key(m), back, owner);
        let uri = m.uri().ok();
        let user = uri.as_ref().and_then(|u| u.user).unwrap_or_default();
        let dialled = uri.as_ref().map(|u| text(&u.user_unescaped())).unwrap_or_default();
        let (tag, contact) = (self.tag(), self.contact(user, hop));
        let dialog = Dialog::called(m, tag, contact, hop);
        let mut session = Session::new(dialog, false, State::Incoming);
        let asked =
            Asked { transaction, request: bytes.into(), source: hop, is_update: false, provisional: None };
        session.asked = Some(asked);
        let id = self.open(session);
        if let Some(expires) = m.expires().filter(|e| *e > 0) {
            self.arm(now, id, Wait::Expires, Duration::from_secs(expires.into()));
        }
        let trying = shared(Builder::answer(m, 100, "", None, hop.remote));
        self.table.respond(now, transaction, 100, trying, out);
        let (auth, tried) = self.registrar.authenticate(now, m, &mut self.table.timers);
        if let (Auth::Bad { stale: false }, Some(user)) = (&auth, tried) {
            out.push(Output::Event(Event::AuthFailed { user, hop }));
        }
        let invitation = Invitation {
            uri: text(m.uri_text()),
            dialled,
            from_user: user_of(m.from()),
            from_display: text(&m.from().display_name()),
            call_id: text(m.call_id()),
            user_agent: m.header(Name::UserAgent).map(text).unwrap_or_default(),
            hop,
            auth,
            sdp: content::sdp(m).ok().flatten(),
            headers: m
                .headers()
                .map(|(_, name, value)| (text(name), text(&crate::message::unfold(value))))
                .collect(),
        };
        out.push(Output::Event(Event::Invite { dialog: id, invitation: Box::new(invitation) }));
        self.check();
    }

    fn options(&mut self, hop: Hop, m: &Message<'_>, out: &mut Outbox<Output>) {
        if self.draining {
            return self.answer_stateless(hop, m, 503, "", |b| b.header("Retry-After", RETRY_DRAINING), out);
        }
        let contact = self.contact(b"", hop);
        self.answer_stateless(hop, m, 200, "", |b| abilities(b).header("Contact", &*contact), out);
    }

    /// RFC 3261 9.2.
    fn cancelled(&mut self, now: Time, hop: Hop, m: &Message<'_>, key: &[u8], out: &mut Outbox<Output>) {
        let Some((target, owner)) = self.table.server_of(&server_key(m, Method::Invite)) else {
            return self.answer_stateless(hop, m, 481, "", |b| b, out);
        };
        let hit = match owner {
            Owner::Session(id) => self.sessions.get(&id).map(|s| (id, s)),
            Owner::Nobody | Owner::Registration(_) => None,
        };
        let open = hit.filter(|(_, s)| s.asked.as_ref().is_some_and(|a| a.transaction == target));
        let open = open.map(|(id, s)| (id, s.state));
        let tag = hit.map_or_else(|| self.stateless_tag(m).into(), |(_, s)| s.dialog.local_tag.clone());
        let back = reply_hop(m.via(), hop);
        let transaction = self.table.serve_new(Method::Cancel, key, &[], back, Owner::Nobody);
        let ok = shared(self.served(m, 200, "", Some(&tag), hop));
        self.table.respond(now, transaction, 200, ok, out);
        let Some((id, state)) = open else { return };
        self.answer_asked(now, id, 487, |b| b, out);
        if state == State::Incoming {
            out.push(Output::Event(Event::Cancelled { dialog: id }));
            self.end(now, id, out);
        }
        self.check();
    }

    /// ACK for a 2xx of ours. Others were absorbed by their transactions, or are nobody's.
    fn acked(&mut self, now: Time, m: &Message<'_>, out: &mut Outbox<Output>) {
        let Some(id) = self.dialog_of(m) else { return };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.unacked.take_if(|u| u.seq == m.cseq().number).is_none() {
            return;
        }
        self.disarm(id, Wait::Repeat);
        self.disarm(id, Wait::NoAck);
        let sdp = content::sdp(m).ok().flatten();
        self.acknowledged(now, id, sdp, out);
    }

    /// Our 2xx has arrived: what waited for that goes on.
    pub(super) fn acknowledged(
        &mut self,
        now: Time,
        id: DialogId,
        sdp: Option<Vec<u8>>,
        out: &mut Outbox<Output>,
    ) {
        let Some(session) = self.sessions.get(&id) else { return };
        if session.leaving.is_some() {
            return self.bye(now, id, out);
        }
        out.push(Output::Event(Event::Acked { dialog: id, sdp }));
        self.try_offer(now, id, out);
    }

    #[expect(clippy::too_many_arguments, reason = "one request with all that belongs to it")]
    fn request_within(
        &mut self,
        now: Time,
        id: DialogId,
        hop: Hop,
        m: &Message<'_>,
        bytes: &[u8],
        key: &[u8],
        out: &mut Outbox<Output>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        // A BYE ends the call in whatever order it comes.
        let late = session.dialog.order(m.cseq().number) == Order::Late && m.method() != Method::Bye;
        let state = session.state;
        if m.method() == Method::Invite && !late && state != State::Ending {
            return self.reinvited(now, id, hop, m, bytes, key, out);
        }
        let transaction =
            self.table.serve_new(m.method(), key, &[], reply_hop(m.via(), hop), Owner::Session(id));
        if late {
            let after = self.rng.below(11).to_string();
            return self.answer(now, transaction, m, hop, 500, |b| b.header("Retry-After", after), out);
        }
        match m.method() {
            Method::Bye => {
                self.answer(now, transaction, m, hop, 200, |b| b, out);
                self.answer_asked(now, id, 487, |b| b, out);
                match state {
                    State::Incoming => out.push(Output::Event(Event::Cancelled { dialog: id })),
                    State::Confirmed if self.sessions.get(&id).is_some_and(|s| s.leaving.is_none()) => {
                        let reason = m.header(Name::Reason).map(text);
                        out.push(Output::Event(Event::Bye { dialog: id, reason }));
                    }
                    State::Confirmed | State::Calling { .. } | State::Ending => {}
                }
                self.end(now, id, out);
            }
            Method::Info => {
                let kind = m.content_type().map(text).unwrap_or_default().to_ascii_lowercase();
                let known = matches!(kind.as_str(), "application/dtmf-relay" | "application/dtmf");
                if !known && !m.body().is_empty() {
                    let accept = "application/dtmf-relay, application/dtmf";
                    return self.answer(now, transaction, m, hop, 415, |b| b.header("Accept", accept), out);
                }
                self.answer(now, transaction, m, hop, 200, |b| b, out);
                if known {
                    let body = m.body().to_vec();
                    out.push(Output::Event(Event::Info { dialog: id, content_type: kind, body }));
                }
            }
            Method::Update => self.updated(now, id, transaction, hop, m, bytes, out),
            Method::Options => self.answer(now, transaction, m, hop, 200, abilities, out),
            // An INVITE that crosses our BYE.
            _ => self.answer(now, transaction, m, hop, 481, |b| b, out),
        }
        self.check();
    }

    fn dialog_of(&self, m: &Message<'_>) -> Option<DialogId> {
        let tag = std::str::from_utf8(m.to().tag?).ok()?;
        let id = *self.by_tag.get(tag)?;
        self.sessions.get(&id).filter(|s| s.dialog.matches(m)).map(|_| id)
    }

    /// Gives the request that waits for our answer a response. A final one closes it.
    pub(super) fn answer_asked(
        &mut self,
        now: Time,
        id: DialogId,
        code: u16,
        add: impl FnOnce(Builder) -> Builder,
        out: &mut Outbox<Output>,
    ) {
        let Some(session) = self.sessions.get(&id) else { return };
        let Some(asked) = &session.asked else { return };
        let Some(request) = reread(&asked.request) else { return };
        let builder = self.served(&request, code, "", Some(&session.dialog.local_tag), asked.source);
        let (transaction, bytes) = (asked.transaction, shared(add(builder)));
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if code < 200 {
            if let Some(asked) = &mut session.asked {
                asked.provisional = Some((code, bytes.clone()));
            }
            self.arm(now, id, Wait::Ringing, Duration::from_secs(60));
        } else {
            session.asked = None;
            self.disarm(id, Wait::Ringing);
            self.disarm(id, Wait::Expires);
        }
        self.table.respond(now, transaction, code, bytes, out);
    }

    /// 200 with a session description to what was asked; an INVITE's is repeated until its ACK.
    pub(super) fn accept_asked(
        &mut self,
        now: Time,
        id: DialogId,
        sdp: &[u8],
        headers: &[ExtraHeader],
        out: &mut Outbox<Output>,
    ) {
        let t1 = self.config.t1;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(asked) = session.asked.take() else { return };
        let Some(request) = reread(&asked.request) else { return };
        if request.to().tag.is_some() {
            session.dialog.refresh(&request, asked.source);
        }
        let (tag, contact) = (session.dialog.local_tag.clone(), session.dialog.contact.clone());
        let builder = self.served(&request, 200, "", Some(&tag), asked.source);
        let builder =
            extra(abilities(builder.header("Contact", &*contact)), headers).body("application/sdp", sdp);
        let response = shared(builder);
        self.disarm(id, Wait::Ringing);
        self.disarm(id, Wait::Expires);
        if !asked.is_update {
            let unacked = Unacked {
                seq: request.cseq().number,
                response: response.clone(),
                hop: reply_hop(request.via(), asked.source),
                next: t1,
                first: request.to().tag.is_none(),
                offered: content::sdp(&request).ok().flatten().is_none(),
            };
            if let Some(session) = self.sessions.get_mut(&id) {
                session.unacked = Some(unacked);
            }
            self.arm(now, id, Wait::NoAck, t1 * 64);
            self.arm(now, id, Wait::Repeat, t1);
        }
        self.table.respond(now, asked.transaction, 200, response, out);
        if asked.is_update {
            self.try_offer(now, id, out);
        }
    }

    /// A final response through its transaction, for a request with a To tag.
    #[expect(clippy::too_many_arguments, reason = "one response with all that belongs to it")]
    pub(super) fn answer(
        &mut self,
        now: Time,
        transaction: TransactionId,
        m: &Message<'_>,
        hop: Hop,
        code: u16,
        add: impl FnOnce(Builder) -> Builder,
        out: &mut Outbox<Output>,
    ) {
        let tag = self.stateless_tag(m);
        let response = shared(add(self.served(m, code, "", Some(&tag), hop)));
        self.table.respond(now, transaction, code, response, out);
    }

    /// RFC 3261 8.2.7: a response that leaves nothing behind. The request is answered alike each time it comes.
    pub(super) fn answer_stateless(
        &mut self,
        hop: Hop,
        m: &Message<'_>,
        code: u16,
        reason: &str,
        add: impl FnOnce(Builder) -> Builder,
        out: &mut Outbox<Output>,
    ) {
        if m.method() == Method::Ack {
            return;
        }
        let tag = self.stateless_tag(m);
        let bytes = shared(add(self.served(m, code, reason, Some(&tag), hop)));
        out.push(Output::Send { hop: reply_hop(m.via(), hop), bytes });
    }

    fn served(&self, m: &Message<'_>, code: u16, reason: &str, tag: Option<&str>, hop: Hop) -> Builder {
        Builder::answer(m, code, reason, tag, hop.remote).header("Server", &self.config.product)
    }

    fn stateless_tag(&self, m: &Message<'_>) -> String {
        let mut hash = DefaultHasher::new();
        (self.tag_key, m.call_id(), m.via().branch, m.from().tag, m.cseq().number).hash(&mut hash);
        format!("{:016x}", hash.finish())
    }
}

/// What a 2xx to INVITE and OPTIONS tells about us (RFC 3261 11.2, 13.3.1.4).
fn abilities(builder: Builder) -> Builder {
    builder
        .header("Allow", ALLOW)
        .header("Accept", "application/sdp, multipart/mixed, application/dtmf-relay")
        .header("Accept-Encoding", "identity")
        .header("Supported", "")
}

/// Whether Accept, when it is there, lets a session description through.
fn accepts_sdp(m: &Message<'_>) -> bool {
    m.header(Name::Accept).is_none_or(|_| {
        m.values(Name::Accept).any(|range| {
            let range = range.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
            [&b"application/sdp"[..], b"application/*", b"*/*"].iter().any(|r| range.eq_ignore_ascii_case(r))
        })
    })
}

/// RFC 3261 17.2.3: branch, sent-by and method; without a branch of RFC 3261 what RFC 2543 compared.
fn server_key(m: &Message<'_>, method: Method) -> Vec<u8> {
    let method = if method == Method::Ack { Method::Invite } else { method };
    let via = m.via();
    let mut key = Vec::with_capacity(128);
    let mut add = |part: &[u8]| {
        key.extend_from_slice(part);
        key.push(0);
    };
    add(method.as_str().as_bytes());
    match via.rfc3261_branch() {
        Some(branch) => {
            add(branch);
            add(&via.host.to_ascii_lowercase());
            add(&via.port.unwrap_or(5060).to_be_bytes());
        }
        None => {
            add(m.uri_text());
            add(m.from().tag.unwrap_or_default());
            add(m.call_id());
            add(&m.cseq().number.to_be_bytes());
            add(via.text);
        }
    }
    key
}

pub(super) fn merge_key(m: &Message<'_>) -> Vec<u8> {
    [
        m.method().as_str().as_bytes(),
        b"\0",
        m.from().tag.unwrap_or_default(),
        b"\0",
        m.call_id(),
        b"\0",
        &m.cseq().number.to_be_bytes(),
    ]
    .concat()
}

/// RFC 3261 18.2.2, RFC 3581: back to where the request came from. Only a peer that neither asks for `rport` nor
/// sits behind NAT (its Via shows the address we see) is answered at the port it names.
pub(super) fn reply_hop(via: &Via<'_>, hop: Hop) -> Hop {
    let named = via.port.unwrap_or(5060);
    if hop.transport == Transport::Udp
        && !via.rport_asked
        && named != 0
        && via.ip().is_some_and(|ip| ip.to_canonical() == hop.remote.ip().to_canonical())
    {
        return Hop { remote: SocketAddr::new(hop.remote.ip(), named), ..hop };
    }
    hop
}
