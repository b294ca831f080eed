//! Changes of a session's media: re-INVITE (RFC 3261 14) and UPDATE (RFC 3311), from both sides.
use super::session::{Asked, Offer, State};
use super::uas::reply_hop;
use super::*;
use crate::dialog::Dialog;
use crate::message::Message;

impl Endpoint {
    /// Offers a session description in a re-INVITE, at once or as soon as the dialog is free for it.
    /// A newer offer replaces one that still waits.
    pub fn reoffer(&mut self, now: Time, dialog: DialogId, sdp: &[u8], out: &mut Outbox<Output>) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        if session.state != State::Confirmed || session.leaving.is_some() {
            return;
        }
        session.offer = Some(Offer { sdp: sdp.into(), sent: false });
        self.try_offer(now, dialog, out);
        self.check();
    }

    /// 200 to their re-INVITE or UPDATE: our answer, or our offer when theirs had none.
    pub fn accept_offer(&mut self, now: Time, dialog: DialogId, sdp: &[u8], out: &mut Outbox<Output>) {
        if self.sessions.get(&dialog).is_some_and(|s| s.state == State::Confirmed) {
            self.accept_asked(now, dialog, sdp, &[], out);
        }
        self.check();
    }

    /// 300-699 to their re-INVITE or UPDATE; the session goes on as it was.
    pub fn refuse_offer(&mut self, now: Time, dialog: DialogId, code: u16, out: &mut Outbox<Output>) {
        if self.sessions.get(&dialog).is_some_and(|s| s.state == State::Confirmed) {
            let code = if (300..700).contains(&code) { code } else { 488 };
            self.answer_asked(now, dialog, code, |b| b, out);
            self.try_offer(now, dialog, out);
        }
        self.check();
    }

    /// Sends the offer that waits, if neither side is in the middle of another.
    pub(super) fn try_offer(&mut self, now: Time, id: DialogId, out: &mut Outbox<Output>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let waits = self.table.timers.at(&Timer::Session(id, Wait::Glare)).is_some();
        if !session.is_quiet() || waits {
            return;
        }
        let Some(offer) = session.offer.as_mut().filter(|o| !o.sent) else { return };
        offer.sent = true;
        let sdp = offer.sdp.clone();
        session.challenged = 0;
        self.send_reinvite(now, id, &sdp, out);
    }

    fn send_reinvite(&mut self, now: Time, id: DialogId, sdp: &[u8], out: &mut Outbox<Output>) {
        let body = |b: Builder| b.header("Allow", ALLOW).body("application/sdp", sdp);
        let transaction = self.request_in(now, id, Method::Invite, Purpose::Reinvite, body, out);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.calling = transaction;
            session.invite_seq = session.dialog.local_seq;
        }
    }

    pub(super) fn reinvite_news(
        &mut self,
        now: Time,
        id: DialogId,
        up: Up,
        response: Option<(&Message<'_>, Hop)>,
        out: &mut Outbox<Output>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            // The session ended while its re-INVITE was under way: the 2xx still wants its ACK.
            if let (200..=299, Some((m, hop))) = (up.code, response) {
                let contact = self.contact(b"", hop);
                let dialog = Dialog::from_response(m, contact, hop);
                self.ack_2xx(up.id, &dialog, m.cseq().number, None, None, out);
            }
            return;
        };
        if up.code < 200 {
            return;
        }
        if let (200..=299, Some((m, hop))) = (up.code, response) {
            session.dialog.refresh(m, hop);
            let (dialog, seq) = (session.dialog.clone(), m.cseq().number);
            self.ack_2xx(up.id, &dialog, seq, None, None, out);
        }
        let Some(session) = self.sessions.get_mut(&id).filter(|s| s.calling == Some(up.id)) else { return };
        session.calling = None;
        if session.state != State::Confirmed || session.leaving.is_some() {
            return;
        }
        let caller = session.caller;
        let message = response.map(|(m, _)| m);
        let challenged = matches!(up.code, 401 | 407) && self.meet_challenge(id, message);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match up.code {
            200..=299 => {
                session.offer.take_if(|o| o.sent);
                let sdp = message.and_then(|m| content::sdp(m).ok().flatten());
                out.push(Output::Event(Event::OfferAnswered { dialog: id, sdp }));
                self.try_offer(now, id, out);
            }
            491 => {
                session.offer.iter_mut().for_each(|o| o.sent = false);
                // RFC 3261 14.1: who made the Call-ID waits 2.1-4 s, the other 0-2 s, in steps of 10 ms.
                let steps = if caller { 210 + self.rng.below(191) } else { self.rng.below(201) };
                self.arm(now, id, Wait::Glare, Duration::from_millis(steps * 10));
            }
            401 | 407 if challenged => {
                let sdp = self.sessions.get(&id).and_then(|s| s.offer.as_ref().map(|o| o.sdp.clone()));
                if let Some(sdp) = sdp {
                    self.send_reinvite(now, id, &sdp, out);
                }
            }
            code => {
                session.offer.take_if(|o| o.sent);
                out.push(Output::Event(Event::OfferRefused { dialog: id, code }));
                // RFC 3261 12.2.1.2: the far end does not know the dialog, or is not there.
                if matches!(code, 408 | 481) {
                    self.lost(now, id, code, out);
                } else {
                    self.try_offer(now, id, out);
                }
            }
        }
        self.check();
    }

    /// Their re-INVITE.
    #[expect(clippy::too_many_arguments, reason = "one request with all that belongs to it")]
    pub(super) fn reinvited(
        &mut self,
        now: Time,
        id: DialogId,
        hop: Hop,
        m: &Message<'_>,
        bytes: &[u8],
        key: &[u8],
        out: &mut Outbox<Output>,
    ) {
        let transaction =
            self.table.serve_new(Method::Invite, key, &[], reply_hop(m.via(), hop), Owner::Session(id));
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.asked.is_some() || session.state != State::Confirmed {
            let after = self.rng.below(11).to_string();
            return self.answer(now, transaction, m, hop, 500, |b| b.header("Retry-After", after), out);
        }
        // 14.2: ours is under way; or an offer of ours still has no answer.
        let offered = session.unacked.as_ref().is_some_and(|u| u.offered) || session.owes_ack.is_some();
        if session.calling.is_some() || offered {
            return self.answer(now, transaction, m, hop, 491, |b| b, out);
        }
        if session.leaving.is_some() {
            return self.answer(now, transaction, m, hop, 487, |b| b, out);
        }
        let asked =
            Asked { transaction, request: bytes.into(), source: hop, is_update: false, provisional: None };
        session.asked = Some(asked);
        // A new INVITE says that our last 2xx arrived, though its ACK has not.
        let implied = session.unacked.take().is_some();
        let trying = shared(Builder::answer(m, 100, "", None, hop.remote));
        self.table.respond(now, transaction, 100, trying, out);
        if implied {
            self.disarm(id, Wait::Repeat);
            self.disarm(id, Wait::NoAck);
            out.push(Output::Event(Event::Acked { dialog: id, sdp: None }));
        }
        let sdp = content::sdp(m).ok().flatten();
        out.push(Output::Event(Event::Offer { dialog: id, sdp }));
        self.check();
    }

    /// Their UPDATE: without an offer it only moves the target (RFC 3311 5.2).
    #[expect(clippy::too_many_arguments, reason = "one request with all that belongs to it")]
    pub(super) fn updated(
        &mut self,
        now: Time,
        id: DialogId,
        transaction: TransactionId,
        hop: Hop,
        m: &Message<'_>,
        bytes: &[u8],
        out: &mut Outbox<Output>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(sdp) = content::sdp(m).ok().flatten() else {
            session.dialog.refresh(m, hop);
            let contact = session.dialog.contact.clone();
            return self.answer(now, transaction, m, hop, 200, |b| b.header("Contact", &*contact), out);
        };
        let offered = session.calling.is_some() || session.unacked.as_ref().is_some_and(|u| u.offered);
        if offered || session.owes_ack.is_some() {
            return self.answer(now, transaction, m, hop, 491, |b| b, out);
        }
        if session.asked.is_some() || session.state != State::Confirmed || session.leaving.is_some() {
            let after = self.rng.below(11).to_string();
            return self.answer(now, transaction, m, hop, 500, |b| b.header("Retry-After", after), out);
        }
        let asked =
            Asked { transaction, request: bytes.into(), source: hop, is_update: true, provisional: None };
        session.asked = Some(asked);
        out.push(Output::Event(Event::Offer { dialog: id, sdp: Some(sdp) }));
    }
}
