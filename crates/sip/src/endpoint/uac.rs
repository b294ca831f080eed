//! Our requests and the responses to them: RFC 3261 8.1, 9.1, 12.2.1, 13.2, 15.1.1.
use super::challenged::Challenge;
use super::session::{Session, State};
use super::*;
use crate::dialog::Dialog;
use crate::message::{Name, NameAddr};

/// Early dialogs of one INVITE that are told apart; more count as the last.
const EARLY_MAX: usize = 16;
/// Challenges that one request of ours meets.
const CHALLENGES_MAX: u8 = 2;

impl Endpoint {
    /// Calls: INVITE to `call.hop`. `Progress`, then `Answered` or `Refused` follow.
    pub fn invite(&mut self, now: Time, call: Outgoing, out: &mut Outbox<Output>) -> DialogId {
        let tag = self.tag();
        let user = NameAddr::parse(call.from.as_bytes()).ok().and_then(|a| a.uri().ok()).and_then(|u| u.user);
        let contact = self.contact(user.unwrap_or_default(), call.hop);
        let dialog = Dialog {
            call_id: self.rng.token(24).into_bytes().into(),
            local: call.from.as_bytes().into(),
            remote: call.to.as_bytes().into(),
            local_tag: tag,
            remote_tag: Box::default(),
            local_seq: 0,
            remote_seq: None,
            target: call.uri.as_bytes().into(),
            routes: Vec::new(),
            hop: call.hop,
            contact,
        };
        let mut session = Session::new(dialog, true, State::Calling { provisional: false, cancelled: false });
        session.credentials = call.credentials.clone();
        session.outgoing = Some(Box::new(call));
        let full = self.sessions.len() >= self.config.limits.dialogs;
        let id = self.open(session);
        if full {
            let reason = "Service Unavailable".to_owned();
            out.push(Output::Event(Event::Refused { dialog: id, code: 503, reason, retry_after: None }));
            self.end(now, id, out);
        } else {
            self.send_invite(now, id, out);
        }
        self.check();
        id
    }

    /// ACK with our answer, when the 2xx carried the offer.
    pub fn ack(&mut self, now: Time, dialog: DialogId, sdp: &[u8], out: &mut Outbox<Output>) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        let Some(transaction) = session.owes_ack.take() else { return };
        let (known, seq) = (session.dialog.clone(), session.invite_seq);
        self.ack_2xx(transaction, &known, seq, Some(dialog), Some(sdp), out);
        self.try_offer(now, dialog, out);
        self.check();
    }

    /// INFO within the dialog.
    pub fn info(
        &mut self,
        now: Time,
        dialog: DialogId,
        content_type: &str,
        body: &[u8],
        out: &mut Outbox<Output>,
    ) {
        if self.sessions.get(&dialog).is_some_and(|s| s.state == State::Confirmed && s.leaving.is_none()) {
            let add = |b: Builder| b.body(content_type, body);
            self.request_in(now, dialog, Method::Info, Purpose::Info, add, out);
        }
    }

    /// Tells a contact something unasked (RFC 3842 for lamps of phones whose makers expect it so). What becomes of it
    /// is forgotten.
    pub fn notify(&mut self, now: Time, notice: &Notice<'_>, out: &mut Outbox<Output>) {
        if self.table.len() >= self.config.limits.transactions {
            return;
        }
        let (branch, tag, call_id) = (self.branch(), self.tag(), self.rng.token(24));
        let via = self.via(notice.hop, &branch);
        let builder = Builder::request("NOTIFY", notice.uri)
            .header("Via", via)
            .header("Max-Forwards", "70")
            .header("From", format!("<{}>;tag={tag}", notice.address))
            .header("To", format!("<{}>", notice.address))
            .header("Call-ID", call_id)
            .header("CSeq", "1 NOTIFY")
            .header("Contact", &*self.contact(b"", notice.hop))
            .header("Event", notice.event)
            .header("Subscription-State", "active")
            .header("User-Agent", &self.config.product)
            .body(notice.content_type, notice.body);
        let owner = (Owner::Nobody, Purpose::Notify);
        let key = (Method::Notify, branch.as_bytes());
        self.table.request(now, key, notice.hop, shared(builder), owner, out);
    }

    fn send_invite(&mut self, now: Time, id: DialogId, out: &mut Outbox<Output>) {
        let Some(call) = self.sessions.get_mut(&id).and_then(|s| s.outgoing.take()) else { return };
        let add = |b: Builder| {
            let b = extra(b.header("Allow", ALLOW).header("Supported", ""), &call.headers);
            match &call.sdp {
                Some(sdp) => b.body("application/sdp", &**sdp),
                None => b,
            }
        };
        let transaction = self.request_in(now, id, Method::Invite, Purpose::Invite, add, out);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.calling = transaction;
            session.invite_seq = session.dialog.local_seq;
            session.outgoing = Some(call);
        }
    }

    /// Sends a request within the dialog (or the one that opens it) through a transaction of its own.
    pub(super) fn request_in(
        &mut self,
        now: Time,
        id: DialogId,
        method: Method,
        purpose: Purpose,
        add: impl FnOnce(Builder) -> Builder,
        out: &mut Outbox<Output>,
    ) -> Option<TransactionId> {
        let (branch, cnonce) = (self.branch(), self.rng.token(16));
        let hop = self.sessions.get(&id)?.dialog.hop;
        let via = self.via(hop, &branch);
        let session = self.sessions.get_mut(&id)?;
        session.dialog.local_seq += 1;
        let mut builder = session.dialog.request(method, session.dialog.local_seq, &via);
        builder = builder.header("User-Agent", &self.config.product);
        if let (Some(challenge), Some(who)) = (&mut session.challenge, &session.credentials) {
            let uri = String::from_utf8_lossy(&session.dialog.target);
            if let Some((name, value)) = challenge.answer(who, method.as_str(), &uri, &cnonce) {
                builder = builder.header(name, value);
            }
        }
        let bytes = shared(add(builder));
        let owner = (Owner::Session(id), purpose);
        Some(self.table.request(now, (method, branch.as_bytes()), hop, bytes, owner, out))
    }

    /// ACK for a 2xx: a request of its own, kept for repetitions of the 2xx (13.2.2.4).
    pub(super) fn ack_2xx(
        &mut self,
        transaction: TransactionId,
        dialog: &Dialog,
        seq: u32,
        id: Option<DialogId>,
        sdp: Option<&[u8]>,
        out: &mut Outbox<Output>,
    ) -> bool {
        let branch = self.branch();
        let via = self.via(dialog.hop, &branch);
        let mut builder = dialog.request(Method::Ack, seq, &via).header("User-Agent", &self.config.product);
        // 22.1: the credentials of the INVITE go into its ACK.
        let cnonce = self.rng.token(16);
        if let Some(session) = id.and_then(|id| self.sessions.get_mut(&id))
            && let (Some(challenge), Some(who)) = (&mut session.challenge, &session.credentials)
            && let Some((name, value)) =
                challenge.answer(who, "ACK", &String::from_utf8_lossy(&dialog.target), &cnonce)
        {
            builder = builder.header(name, value);
        }
        if let Some(sdp) = sdp {
            builder = builder.body("application/sdp", sdp);
        }
        self.table.ack(transaction, &dialog.remote_tag, dialog.hop, shared(builder), out)
    }

    /// CANCEL for our INVITE, as soon as a provisional response allows it; then 64*T1 for its final response.
    pub(super) fn cancel(&mut self, now: Time, id: DialogId, out: &mut Outbox<Output>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let (State::Calling { provisional: true, cancelled: false }, Some(invite)) =
            (session.state, session.calling)
        else {
            return;
        };
        session.state = State::Calling { provisional: true, cancelled: true };
        let (code, reason) = session.leaving.clone().unwrap_or_default();
        let Some((bytes, hop)) = self.table.request_of(invite) else { return };
        let Some(request) = reread(&bytes) else { return };
        let cancel = same_hop_request(&request, Method::Cancel, request.to().text);
        let cancel = shared(with_reason(cancel.header("User-Agent", &self.config.product), code, &reason));
        let t1 = self.config.t1;
        self.arm(now, id, Wait::NoFinal, t1 * 64);
        let branch = branch_of(&request);
        let owner = (Owner::Session(id), Purpose::Cancel);
        self.table.request(now, (Method::Cancel, &branch), hop, cancel, owner, out);
    }

    /// BYE; what else is open is closed first. The session ends with its transaction.
    pub(super) fn bye(&mut self, now: Time, id: DialogId, out: &mut Outbox<Output>) {
        self.answer_asked(now, id, 487, |b| b, out);
        for wait in Wait::ALL {
            self.disarm(id, wait);
        }
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.state = State::Ending;
        session.unacked = None;
        session.offer = None;
        session.challenged = 0;
        let (known, seq, owed) = (session.dialog.clone(), session.invite_seq, session.owes_ack.take());
        if let Some(transaction) = owed {
            self.ack_2xx(transaction, &known, seq, Some(id), None, out);
        }
        self.send_bye(now, id, out);
    }

    fn send_bye(&mut self, now: Time, id: DialogId, out: &mut Outbox<Output>) {
        let leaving = self.sessions.get(&id).and_then(|s| s.leaving.clone()).unwrap_or_default();
        self.request_in(now, id, Method::Bye, Purpose::Bye, |b| with_reason(b, leaving.0, &leaving.1), out);
    }

    pub(super) fn response(&mut self, now: Time, hop: Hop, m: &Message<'_>, out: &mut Outbox<Output>) {
        // 8.1.3.3: a response with more Vias than ours went astray.
        if m.vias().nth(1).is_some() {
            return;
        }
        let branch = m.via().branch.unwrap_or_default();
        let Some((id, request, _)) = self.table.find(m.cseq().method, branch) else { return };
        let Some(request) = reread(&request) else { return };
        if m.call_id() != request.call_id() || m.cseq().number != request.cseq().number {
            return;
        }
        if m.cseq().method == Method::Invite
            && (200..300).contains(&m.code())
            && self.table.ack_again(id, m.to().tag.unwrap_or_default(), out)
        {
            return;
        }
        let product = &self.config.product;
        let ack =
            || shared(same_hop_request(&request, Method::Ack, m.to().text).header("User-Agent", product));
        if let Some(up) = self.table.response(now, id, m.code(), ack, out) {
            self.up(now, up, Some((m, hop)), out);
        }
    }

    pub(super) fn invite_news(
        &mut self,
        now: Time,
        id: DialogId,
        up: Up,
        response: Option<(&Message<'_>, Hop)>,
        out: &mut Outbox<Output>,
    ) {
        let message = response.map(|(m, _)| m);
        let current = self
            .sessions
            .get(&id)
            .is_some_and(|s| matches!(s.state, State::Calling { .. }) && s.calling == Some(up.id));
        match (up.code, response) {
            (200..=299, Some((m, hop))) if !current => self.fork(now, id, up, m, hop, out),
            _ if !current => {}
            (100..=199, Some((m, _))) => self.progress(now, id, m, out),
            (200..=299, Some((m, hop))) => self.answered(now, id, up, m, hop, out),
            (401 | 407, Some(_)) if self.meet_challenge(id, message) => self.send_invite(now, id, out),
            (code, _) => {
                let reason = match message {
                    Some(m) => text(m.reason()),
                    None => crate::message::default_reason(code).to_owned(),
                };
                let retry_after = message.and_then(|m| m.header(Name::RetryAfter)).and_then(leading_seconds);
                out.push(Output::Event(Event::Refused { dialog: id, code, reason, retry_after }));
                self.end(now, id, out);
            }
        }
        self.check();
    }

    fn progress(&mut self, now: Time, id: DialogId, m: &Message<'_>, out: &mut Outbox<Output>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if let State::Calling { provisional, .. } = &mut session.state {
            *provisional = true;
        }
        if session.leaving.is_some() {
            return self.cancel(now, id, out);
        }
        if m.code() == 100 {
            return;
        }
        let tag = m.to().tag.unwrap_or_default();
        let early = session.early.iter().position(|t| **t == *tag).unwrap_or_else(|| {
            if session.early.len() < EARLY_MAX {
                session.early.push(tag.into());
            }
            session.early.len() - 1
        });
        let sdp = content::sdp(m).ok().flatten();
        out.push(Output::Event(Event::Progress { dialog: id, early: early as u32, code: m.code(), sdp }));
    }

    fn answered(
        &mut self,
        now: Time,
        id: DialogId,
        up: Up,
        m: &Message<'_>,
        hop: Hop,
        out: &mut Outbox<Output>,
    ) {
        self.disarm(id, Wait::NoFinal);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.dialog.learn(m, hop);
        session.state = State::Confirmed;
        session.calling = None;
        let offered = session.outgoing.take().is_some_and(|call| call.sdp.is_some());
        session.owes_ack = (!offered).then_some(up.id);
        let (known, seq) = (session.dialog.clone(), session.invite_seq);
        let leaving = session.leaving.is_some();
        if offered {
            self.ack_2xx(up.id, &known, seq, Some(id), None, out);
        }
        if leaving {
            return self.bye(now, id, out);
        }
        let sdp = content::sdp(m).ok().flatten();
        out.push(Output::Event(Event::Answered { dialog: id, sdp, hop: known.hop }));
    }

    /// A 2xx that is not the first of its INVITE (13.2.2.4), or one that nobody waits for any more:
    /// ACK, and BYE for the dialog it opened.
    fn fork(&mut self, now: Time, id: DialogId, up: Up, m: &Message<'_>, hop: Hop, out: &mut Outbox<Output>) {
        // Our own answer to its offer is still to come: the ACK too.
        if self.sessions.get(&id).is_some_and(|s| {
            s.owes_ack == Some(up.id) && *s.dialog.remote_tag == *m.to().tag.unwrap_or_default()
        }) {
            return;
        }
        let user = m.from().uri().ok().and_then(|u| u.user).unwrap_or_default();
        let mut dialog = Dialog::from_response(m, self.contact(user, hop), hop);
        if !self.ack_2xx(up.id, &dialog, m.cseq().number, None, None, out) {
            return;
        }
        dialog.local_seq += 1;
        let branch = self.branch();
        let via = self.via(dialog.hop, &branch);
        let bye =
            dialog.request(Method::Bye, dialog.local_seq, &via).header("User-Agent", &self.config.product);
        let owner = (Owner::Nobody, Purpose::Bye);
        self.table.request(now, (Method::Bye, branch.as_bytes()), dialog.hop, shared(bye), owner, out);
    }

    pub(super) fn bye_news(
        &mut self,
        now: Time,
        id: DialogId,
        up: Up,
        message: Option<&Message<'_>>,
        out: &mut Outbox<Output>,
    ) {
        match up.code {
            0..200 => {}
            401 | 407 if self.meet_challenge(id, message) => self.send_bye(now, id, out),
            _ => self.end(now, id, out),
        }
        self.check();
    }

    pub(super) fn info_news(
        &mut self,
        now: Time,
        id: DialogId,
        up: Up,
        _message: Option<&Message<'_>>,
        out: &mut Outbox<Output>,
    ) {
        // RFC 5057 5.1: 481 ends the dialog; other refusals concern the INFO only.
        if up.code == 481 && self.sessions.get(&id).is_some_and(|s| s.state == State::Confirmed) {
            self.lost(now, id, 481, out);
        }
        self.check();
    }

    /// The far end does not know the dialog any more: over, with a BYE in case it does.
    pub(super) fn lost(&mut self, now: Time, id: DialogId, code: u16, out: &mut Outbox<Output>) {
        if self.sessions.get(&id).is_some_and(|s| s.leaving.is_none()) {
            let reason = format!("SIP;cause={code}");
            out.push(Output::Event(Event::Bye { dialog: id, reason: Some(reason) }));
        }
        self.leave(id, code, crate::message::default_reason(code));
        self.bye(now, id, out);
    }

    /// Keeps the challenge when we can meet it: with credentials, and not more than twice a request.
    pub(super) fn meet_challenge(&mut self, id: DialogId, response: Option<&Message<'_>>) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        let Some(challenge) = response.and_then(Challenge::of) else { return false };
        let again = session.challenged > 0 && !challenge.stale;
        let leaving = session.leaving.is_some() && session.state != State::Ending;
        if session.credentials.is_none() || again || leaving || session.challenged >= CHALLENGES_MAX {
            return false;
        }
        session.challenged += 1;
        session.challenge = Some(challenge);
        true
    }
}

/// CANCEL, and ACK for a refusal: they travel as their INVITE did (9.1, 17.1.1.3).
fn same_hop_request(invite: &Message<'_>, method: Method, to: &[u8]) -> Builder {
    let mut builder = Builder::request(method.as_str(), invite.uri_text())
        .header("Via", invite.via().text)
        .header("Max-Forwards", "70");
    for route in invite.lines(Name::Route) {
        builder = builder.header("Route", route);
    }
    builder
        .header("From", invite.from().text)
        .header("To", to)
        .header("Call-ID", invite.call_id())
        .header("CSeq", format!("{} {}", invite.cseq().number, method.as_str()))
}

/// `18000;duration=3600`, `120 (in a meeting)`.
fn leading_seconds(text: &[u8]) -> Option<u32> {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    crate::message::seconds(&text[..end])
}
