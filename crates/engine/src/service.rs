//! From the router's offer to the bridge: agents' phones rung, answers that count, and both sides joined.

use crate::call::{Call, Offer, Party, Signalling, Talking, Wait, Want, call_of};
use crate::caller::connect;
use crate::engine::{Engine, Timer, Work};
use crate::interface::{Output, StoryLine};
use hotline_core::{AgentId, CallId, Cause, LegId, OfferId, Outbox, QueueId, Time};
use media::Command;
use sip::{Contact, Outgoing};
use std::net::SocketAddr;

/// Legs kept for the record beside the living ones.
const LEGS_KEPT: usize = 64;

impl Engine {
    pub(crate) fn router_output(&mut self, now: Time, output: acd::Output, out: &mut Outbox<Output>) {
        use acd::Output as Acd;
        match output {
            Acd::Offer { offer, call, agent, queue, .. } => self.ring(now, call, offer, agent, queue, out),
            Acd::Direct { call, agent, offer: Some(offer), .. } => {
                self.ring(now, call, offer, agent, None, out)
            }
            Acd::Direct { call, agent, offer: None, .. } => {
                let rings = self.calls.get(&call).is_some_and(|c| c.wait == Wait::Ring { agent });
                if rings {
                    let end = match self.router.agent_state(agent) {
                        acd::AgentState::Offline => ivr::RingEnd::Unreachable,
                        _ => ivr::RingEnd::Busy,
                    };
                    self.direct_ended(call, end, out);
                }
            }
            Acd::Withdraw { offer, call, agent, why } => self.withdrawn(now, call, offer, agent, why, out),
            Acd::Connect { offer, call, waited, .. } => self.connected(now, call, offer, waited, out),
            // The phones of an offer that is over have been told to stop when it ended.
            Acd::TooLate { .. } => {}
            Acd::AgentState { agent, state, why } => self.agent_state(now, agent, state, why, out),
            Acd::NotQueued { call, why } => {
                let (outcome, end) = match why {
                    acd::NotQueued::Full => ("full", ivr::QueueEnd::Full),
                    acd::NotQueued::NoAgents => ("no-agents", ivr::QueueEnd::NoAgents),
                };
                self.leave_queue(now, call, outcome, out);
                self.work.push_back(Work::Visit(call, ivr::Input::QueueEnded(end)));
            }
            Acd::PromiseMissed { call, queue, severity } => {
                let queue = &self.settings.roster.queues[queue.0 as usize].name;
                let detail = format!("queue={queue} severity={severity}");
                self.log(now, Some(call), None, "promise-missed", detail, out);
                let line = StoryLine::Note(format!("the promise for {severity} in `{queue}` is missed"));
                self.story(call, line, out);
            }
        }
    }

    /// Rings every phone of the agent; the first to answer has the call.
    fn ring(
        &mut self,
        now: Time,
        id: CallId,
        offer: OfferId,
        agent: AgentId,
        queue: Option<QueueId>,
        out: &mut Outbox<Output>,
    ) {
        let name = self.agent_name(agent);
        let contacts = self.sip.contacts(now, &self.account_user(agent));
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.ending.is_none()) else { return };
        if let Some(stay) = call.queues.last_mut().filter(|stay| stay.outcome == "waiting") {
            stay.offers += 1;
        }
        call.forget_old_legs();
        let mut ringing = Vec::with_capacity(contacts.len());
        for Contact { uri, hop, .. } in contacts {
            let leg = call.add_leg(Party::Agent(agent), hop, now);
            if let Some(row) = call.leg(leg) {
                row.contact = uri;
            }
            ringing.push(leg);
        }
        let legs = ringing.clone();
        call.offer = Some(Offer { id: offer, agent, queue, ringing, refused: false, answered: None });
        let mut detail = format!("phones={}", legs.len());
        if let Some(queue) = queue {
            detail += &format!(" queue={}", self.settings.roster.queues[queue.0 as usize].name);
        }
        self.log(now, Some(id), Some(name.clone()), "offer-made", detail, out);
        self.story(id, StoryLine::Offered { agent: name }, out);
        self.show_on_board(now, id, out);
        if legs.is_empty() {
            return self.offer_failed(now, id, out);
        }
        for leg in legs {
            self.open_media(now, leg, out);
        }
    }

    /// The phone's media is open: its INVITE leaves.
    pub(crate) fn ring_phone(
        &mut self,
        now: Time,
        leg: LegId,
        address: SocketAddr,
        out: &mut Outbox<Output>,
    ) {
        let settings = self.settings.clone();
        let session = self.rng.next_u64() >> 2;
        let Some(call) = self.calls.get_mut(&call_of(leg)) else { return };
        let (id, codec) = (call.id, call.codec());
        let Some(offer) = call.offer.as_ref().filter(|o| o.ringing.contains(&leg)) else {
            return self.hang_up_leg(now, leg, Cause::RangOut, "the offer is over", out);
        };
        let queue = offer.queue.map(|q| settings.roster.queues[q.0 as usize].name.clone());
        let severity = call.queues.last().map(|stay| stay.severity);
        let shown: String = call
            .caller_number
            .expose()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "+*.-_".contains(*c))
            .collect();
        let caller = if shown.is_empty() { "anonymous".to_owned() } else { shown };
        let name = settings.roster.agents[offer.agent.0 as usize].name.clone();
        let language = call.language().to_owned();
        let Some(row) = call.leg(leg) else { return };
        let mut local = settings.describe(row.hop.local, address.port(), codec);
        (local.session, local.version) = (session, session);
        // What the agent sees on the phone before answering: how grave, which queue, which language, who.
        let why: Vec<String> =
            [severity.map(|s| s.to_string()), queue.map(|q| q.to_string()), Some(language)]
                .into_iter()
                .flatten()
                .filter(|word| !word.is_empty())
                .collect();
        let display = format!("{} {caller}", why.join(" "));
        let realm = &settings.sip.realm;
        let outgoing = Outgoing {
            uri: row.contact.clone(),
            hop: row.hop,
            from: format!("\"{}\" <sip:{caller}@{realm}>", display.trim()),
            to: format!("<sip:{name}@{realm}>"),
            sdp: Some(sdp::offer(&local)),
            headers: vec![("X-Hotline-Call".to_owned(), id.to_string())],
            credentials: None,
        };
        row.described = outgoing.sdp.clone();
        row.local = Some(local);
        row.signalling = Signalling::Trying;
        let dialog = self.sip.invite(now, outgoing, &mut self.sip_out);
        row.dialog = Some(dialog);
        self.dialogs.insert(dialog, leg);
    }

    /// 2xx from an agent's phone: the router says whether it counts.
    pub(crate) fn agent_answered(
        &mut self,
        now: Time,
        leg: LegId,
        sdp: Option<Vec<u8>>,
        out: &mut Outbox<Output>,
    ) {
        let Some(call) = self.call(leg) else { return };
        let id = call.id;
        let awaited = call.offer.as_ref().is_some_and(|o| o.ringing.contains(&leg) && o.answered.is_none());
        let Some(row) = call.leg(leg).filter(|l| l.signalling == Signalling::Trying) else { return };
        row.signalling = Signalling::Answered;
        if !awaited {
            return self.hang_up_leg(now, leg, Cause::AnsweredElsewhere, "too late", out);
        }
        let format = match (&row.local, sdp.as_deref().map(sdp::Description::parse)) {
            (Some(local), Some(Ok(answer))) => sdp::accept(local, &answer).ok(),
            _ => None,
        };
        let Some(format) = format else {
            self.hang_up_leg(now, leg, Cause::NotAcceptable, "no codec in common", out);
            return self.phone_failed(now, leg, false, out);
        };
        row.answered = Some(now);
        connect(row, format, out);
        if let Some(offer) = &mut call.offer {
            offer.answered = Some(leg);
            let offer = offer.id;
            self.router.handle(now, acd::Input::OfferAnswered { offer }, &mut self.router_out);
        } else {
            debug_assert!(false, "{id} lost its offer between two lines");
        }
    }

    /// 300-699, a timeout or a lost connection from an agent's phone.
    pub(crate) fn agent_refused(&mut self, now: Time, leg: LegId, code: u16, out: &mut Outbox<Output>) {
        let Some(row) = self.call(leg).and_then(|c| c.leg(leg)) else { return };
        row.ended.get_or_insert((now, Cause::Refused(code)));
        if row.party == Party::Outside {
            return self.outside_refused(now, call_of(leg), leg, code, out);
        }
        self.close_media(now, leg, out);
        // 480 is what phones say in "do not disturb"; 408 and 5xx come from the way to the phone.
        let refused = !matches!(code, 404 | 408 | 410 | 500..=599);
        // 6xx speaks for the person, not for one phone (RFC 3261 section 21.6).
        if code >= 600 {
            self.silence_other_phones(now, leg, out);
        }
        self.phone_failed(now, leg, refused, out);
    }

    /// One phone of an offer is out; with the last one the offer is.
    fn phone_failed(&mut self, now: Time, leg: LegId, refused: bool, out: &mut Outbox<Output>) {
        let Some(call) = self.call(leg) else { return };
        let id = call.id;
        let Some(offer) = call.offer.as_mut().filter(|o| o.ringing.contains(&leg)) else { return };
        offer.ringing.retain(|l| *l != leg);
        offer.refused |= refused;
        if offer.ringing.is_empty() {
            self.offer_failed(now, id, out);
        }
    }

    fn silence_other_phones(&mut self, now: Time, leg: LegId, out: &mut Outbox<Output>) {
        let Some(offer) = self.call(leg).and_then(|c| c.offer.as_mut()) else { return };
        if !offer.ringing.contains(&leg) || offer.answered.is_some() {
            return;
        }
        let ringing = std::mem::replace(&mut offer.ringing, vec![leg]);
        for other in ringing.into_iter().filter(|other| *other != leg) {
            self.hang_up_leg(now, other, Cause::Refused(603), "declined elsewhere", out);
        }
    }

    fn offer_failed(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(offer) = call.offer.take() else { return };
        let direct = matches!(call.wait, Wait::Ring { .. });
        let why = if offer.refused { "refused" } else { "unreachable" };
        let input = match offer.refused {
            true => acd::Input::OfferRefused { offer: offer.id },
            false => acd::Input::OfferUnreachable { offer: offer.id },
        };
        self.router.handle(now, input, &mut self.router_out);
        self.tell_offer_ended(now, id, offer.agent, why, out);
        if direct {
            let end = if offer.refused { ivr::RingEnd::Refused } else { ivr::RingEnd::Unreachable };
            self.direct_ended(id, end, out);
        }
    }

    fn withdrawn(
        &mut self,
        now: Time,
        id: CallId,
        offer: OfferId,
        agent: AgentId,
        why: acd::Withdrawn,
        out: &mut Outbox<Output>,
    ) {
        let (text, end) = match why {
            acd::Withdrawn::CallerGone => ("the caller is gone", ivr::RingEnd::NoAnswer),
            acd::Withdrawn::RangOut => ("rang out", ivr::RingEnd::NoAnswer),
            acd::Withdrawn::AgentGone => ("the agent signed out", ivr::RingEnd::Unreachable),
            acd::Withdrawn::AgentPaused => ("the agent paused", ivr::RingEnd::Unreachable),
        };
        let Some(call) = self.calls.get(&id) else { return };
        if call.offer.as_ref().is_none_or(|o| o.id != offer) {
            return;
        }
        let direct = call.wait == Wait::Ring { agent };
        self.stop_ringing(now, id, text, out);
        if direct {
            self.direct_ended(id, end, out);
        }
    }

    /// Cancels every phone that rings for this call.
    pub(crate) fn stop_ringing(
        &mut self,
        now: Time,
        id: CallId,
        why: &'static str,
        out: &mut Outbox<Output>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(offer) = call.offer.take() else { return };
        let cause = call.ending.map_or(Cause::RangOut, |(_, cause)| cause);
        for leg in offer.ringing {
            self.hang_up_leg(now, leg, cause, why, out);
        }
        self.tell_offer_ended(now, id, offer.agent, why, out);
    }

    fn tell_offer_ended(
        &self,
        now: Time,
        id: CallId,
        agent: AgentId,
        why: &'static str,
        out: &mut Outbox<Output>,
    ) {
        let agent = self.agent_name(agent);
        self.log(now, Some(id), Some(agent.clone()), "offer-ended", format!("why={why}"), out);
        self.story(id, StoryLine::OfferEnded { agent, why }, out);
        self.show_on_board(now, id, out);
    }

    /// An agent rung directly did not come to the phone: the flow takes its exit.
    pub(crate) fn direct_ended(&mut self, id: CallId, end: ivr::RingEnd, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.ending.is_none()) else { return };
        if !matches!(call.wait, Wait::Ring { .. }) {
            return;
        }
        call.wait = Wait::Nothing;
        let caller = call.legs[0].id;
        self.timers.cancel(&Timer::Wait(id));
        out.push(Output::Media(Command::Stop { leg: caller }));
        self.work.push_back(Work::Visit(id, ivr::Input::RingEnded(end)));
    }

    /// The answer counts.
    fn connected(
        &mut self,
        now: Time,
        id: CallId,
        offer: OfferId,
        waited: std::time::Duration,
        out: &mut Outbox<Output>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(Offer { agent, ringing, answered: Some(leg), .. }) = call.offer.take_if(|o| o.id == offer)
        else {
            // The caller left in the same breath; his end has told the router already.
            return;
        };
        call.talking = Some(Talking { agent: Some(agent), leg, since: now, bridged: false });
        // People ask how long he stood in line; the router counts from his arrival, as the promise does.
        let mut waited = waited;
        if let Some(stay) = call.queues.last_mut().filter(|stay| stay.outcome == "waiting") {
            stay.agent = Some(agent);
            waited = now.since(stay.entered);
        }
        call.left_queue(now, "connected");
        self.timers.cancel(&Timer::Wait(id));
        for other in ringing.into_iter().filter(|l| *l != leg) {
            self.hang_up_leg(now, other, Cause::AnsweredElsewhere, "answered elsewhere", out);
        }
        let name = self.agent_name(agent);
        self.agent_talks(agent, Some(id));
        let detail = format!("waited_ms={}", waited.as_millis());
        self.log(now, Some(id), Some(name.clone()), "connected", detail, out);
        self.work.push_back(Work::Visit(id, ivr::Input::Connected { agent: name.clone() }));
        self.story(id, StoryLine::Connected { agent: name, waited }, out);
        self.show_on_board(now, id, out);
        self.join(now, id, out);
    }

    /// Bridges caller and agent; a caller who is not answered yet (rung directly) is answered now.
    pub(crate) fn join(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let caller = &call.legs[0];
        let ready = caller.is_connected() && caller.signalling == Signalling::Answered;
        let (a, held) = (caller.id, caller.held);
        let Some(talking) = call.talking.as_mut().filter(|t| !t.bridged) else { return };
        if !ready {
            return self.want(now, id, Want::Answer, out);
        }
        talking.bridged = true;
        let b = talking.leg;
        out.push(Output::Media(Command::Stop { leg: a }));
        out.push(Output::Media(Command::Bridge { a, b }));
        self.record_other(id, Some(b), out);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let agent_holds = call.leg(b).is_some_and(|leg| leg.held);
        if held {
            self.play_music(b, out);
        }
        if agent_holds {
            self.play_music(a, out);
        }
    }

    /// The agent's side of a conversation is over; the caller's flow goes on.
    pub(crate) fn agent_left(&mut self, now: Time, leg: LegId, cause: Cause, out: &mut Outbox<Output>) {
        let Some(call) = self.call(leg) else { return };
        let id = call.id;
        if let Some(row) = call.leg(leg) {
            row.ended.get_or_insert((now, cause));
        }
        match call.talking.take_if(|t| t.leg == leg) {
            Some(talking) => {
                let unanswered = call.legs[0].signalling == Signalling::Trying;
                let end = match std::mem::replace(&mut call.wait, Wait::Nothing) {
                    Wait::Queue { .. } => ivr::Input::QueueEnded(ivr::QueueEnd::Served),
                    // He hung up while the caller's own answer was still being made.
                    Wait::Ring { .. } | Wait::Outside { .. } if unanswered => {
                        call.caller().want = Want::Nothing;
                        ivr::Input::RingEnded(ivr::RingEnd::NoAnswer)
                    }
                    Wait::Ring { .. } | Wait::Outside { .. } | Wait::Nothing => {
                        ivr::Input::RingEnded(ivr::RingEnd::Served)
                    }
                };
                let caller = call.legs[0].id;
                if talking.bridged {
                    out.push(Output::Media(Command::Unbridge { a: caller, b: leg }));
                    self.record_other(id, None, out);
                    out.push(Output::Media(Command::Stop { leg: caller }));
                }
                let detail = format!("cause={cause} talked_ms={}", now.since(talking.since).as_millis());
                match talking.agent {
                    Some(agent) => {
                        self.agent_talks(agent, None);
                        self.router.handle(now, acd::Input::CallEnded { call: id }, &mut self.router_out);
                        let name = self.agent_name(agent);
                        self.log(now, Some(id), Some(name), "agent-left", detail, out);
                    }
                    None => self.log(now, Some(id), None, "outside-left", detail, out),
                }
                self.work.push_back(Work::Visit(id, end));
            }
            None if call.wait == (Wait::Outside { leg }) => {
                self.outside_ended(now, id, leg, ivr::RingEnd::Unreachable, out);
            }
            None => self.phone_failed(now, leg, false, out),
        }
        self.close_media(now, leg, out);
        self.show_on_board(now, id, out);
    }

    /// Ends one leg from our side, whatever its state.
    pub(crate) fn hang_up_leg(
        &mut self,
        now: Time,
        leg: LegId,
        cause: Cause,
        reason: &str,
        out: &mut Outbox<Output>,
    ) {
        let Some(row) = self.calls.get_mut(&call_of(leg)).and_then(|c| c.leg(leg)) else { return };
        row.ended.get_or_insert((now, cause));
        // An INVITE of ours is cancelled and one of theirs refused, so success is no code for either; 200 in a
        // CANCEL's Reason tells the phone that it has missed nothing.
        let code = match (row.party, row.signalling, cause.code()) {
            (Party::Agent(_), Signalling::Trying, 200) if cause == Cause::AnsweredElsewhere => 200,
            (Party::Agent(_) | Party::Outside, Signalling::Trying, _) => 487,
            (Party::Caller, Signalling::Trying, 200) => 480,
            (Party::Caller, Signalling::Trying, _) if cause == Cause::TooLong => 480,
            (_, _, code) => code,
        };
        match row.dialog {
            Some(dialog) if row.signalling != Signalling::Ended => {
                self.sip.hang_up(now, dialog, code, reason, &mut self.sip_out);
            }
            _ => row.signalling = Signalling::Ended,
        }
        self.close_media(now, leg, out);
    }
}

impl Call {
    /// Drops the oldest legs that are over: a call offered for hours keeps its latest ones.
    pub(crate) fn forget_old_legs(&mut self) {
        while self.legs.len() > LEGS_KEPT {
            let Some(old) = self.legs.iter().skip(1).position(super::call::Leg::is_over) else { return };
            self.legs.remove(old + 1);
        }
    }
}
