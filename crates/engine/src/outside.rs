//! Numbers outside, over a trunk: rung for a caller as an agent's phone is, but by nobody's leave but the trunk's.
//!
//! *Invariant:* the number dialled stands on the wire and nowhere else: not in events, stories or records.

use crate::call::{Leg, Party, Signalling, Talking, Wait};
use crate::caller::connect;
use crate::engine::{Engine, Timer, Work};
use crate::interface::{Output, StoryLine};
use crate::settings::Trunk;
use hotline_core::{CallId, Cause, LegId, Outbox, Time};
use ivr::RingEnd;
use media::Command;
use sip::{Hop, Outgoing};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Rings a number over a trunk, if the trunk allows it.
pub(crate) struct Dial {
    pub number: String,
    pub trunk: Arc<str>,
    pub timeout: Duration,
    pub music: Option<Vec<ivr::Piece>>,
}

impl Engine {
    pub(crate) fn dial(&mut self, now: Time, id: CallId, dial: Dial, out: &mut Outbox<Output>) {
        let (number, hop) = match self.way_out(id, &dial) {
            Ok(way) => way,
            Err((why, end)) => {
                let detail = format!("trunk={} why={why}", dial.trunk);
                self.log(now, Some(id), None, "dial-refused", detail, out);
                return self.work.push_back(Work::Visit(id, ivr::Input::RingEnded(end)));
            }
        };
        let music = dial.music.map(|pieces| self.sounds(now, id, &pieces, out));
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.forget_old_legs();
        let leg = call.add_leg(Party::Outside, hop, now);
        if let Some(row) = call.leg(leg) {
            row.contact = format!("sip:{number}@{}", hop.remote);
            row.trunk = Some(dial.trunk.clone());
        }
        call.wait = Wait::Outside { leg };
        self.hold_the_line(now, id, music, out);
        self.timers.set(Timer::Wait(id), now + dial.timeout, "a number outside answers");
        self.log(now, Some(id), None, "dialled-out", format!("trunk={}", dial.trunk), out);
        self.story(id, StoryLine::Note(format!("a number outside is rung over `{}`", dial.trunk)), out);
        self.show_on_board(now, id, out);
        self.open_media(now, leg, out);
    }

    /// The number as it is dialled, and the way to it; or why there is none.
    fn way_out(&self, id: CallId, dial: &Dial) -> Result<(String, Hop), (&'static str, RingEnd)> {
        let Some(trunk) = self.settings_of(Some(id)).trunks.get(&dial.trunk) else {
            return Err(("no such trunk", RingEnd::Unreachable));
        };
        let Some(number) = crate::callbacks::dialable(&dial.number) else {
            return Err(("no number", RingEnd::Unreachable));
        };
        if trunk.numbers.as_ref().is_some_and(|allowed| !allowed.matches(&number)) {
            return Err(("the number is not allowed", RingEnd::Unreachable));
        }
        if trunk.limit.is_some_and(|limit| self.calls_over(&dial.trunk) >= limit as usize) {
            return Err(("the trunk is full", RingEnd::Busy));
        }
        let local = self.listener_for(trunk).ok_or(("nothing listens for it", RingEnd::Unreachable))?;
        Ok((number, Hop { transport: trunk.transport, local, remote: trunk.address }))
    }

    /// Where we are reached by whom this trunk leads to.
    fn listener_for(&self, trunk: &Trunk) -> Option<SocketAddr> {
        let fits = |address: SocketAddr| address.is_ipv4() == trunk.address.is_ipv4();
        let mut listeners = self.settings.sip.listeners.iter();
        listeners.find(|l| l.transport == trunk.transport && fits(l.address)).map(|l| l.address)
    }

    pub(crate) fn is_outside(&mut self, leg: LegId) -> bool {
        self.call(leg).and_then(|call| call.leg(leg)).is_some_and(|row| row.party == Party::Outside)
    }

    fn calls_over(&self, trunk: &str) -> usize {
        let over = |leg: &&Leg| leg.trunk.as_deref() == Some(trunk) && leg.ended.is_none();
        self.calls.values().flat_map(|call| &call.legs).filter(over).count()
    }

    /// The leg's media is open: its INVITE leaves.
    pub(crate) fn ring_outside(
        &mut self,
        now: Time,
        id: CallId,
        leg: LegId,
        address: SocketAddr,
        out: &mut Outbox<Output>,
    ) {
        let settings = self.settings_of(Some(id)).clone();
        let session = self.rng.next_u64() >> 2;
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.wait != (Wait::Outside { leg }) {
            return self.hang_up_leg(now, leg, Cause::RangOut, "the caller is gone", out);
        }
        let codec = call.codec();
        let caller = crate::callbacks::dialable(call.caller_number.expose());
        let Some(row) = call.leg(leg) else { return };
        let Some(trunk) = row.trunk.as_ref().and_then(|trunk| settings.trunks.get(trunk)) else { return };
        let mut local = settings.describe(row.hop.local, address.port(), codec);
        (local.session, local.version) = (session, session);
        let realm = &settings.sip.realm;
        // RFC 3325 section 9.1: the carrier learns who calls, and decides who is shown.
        let asserted = caller.map(|n| ("P-Asserted-Identity".to_owned(), format!("<sip:{n}@{realm}>")));
        let outgoing = Outgoing {
            uri: row.contact.clone(),
            hop: row.hop,
            from: format!("<sip:{}@{realm}>", trunk.from),
            to: format!("<{}>", row.contact),
            sdp: Some(sdp::offer(&local)),
            headers: asserted.into_iter().collect(),
            credentials: None,
        };
        row.described = outgoing.sdp.clone();
        row.local = Some(local);
        row.signalling = Signalling::Trying;
        let dialog = self.sip.invite(now, outgoing, &mut self.sip_out);
        row.dialog = Some(dialog);
        self.dialogs.insert(dialog, leg);
    }

    /// 2xx from outside.
    pub(crate) fn outside_answered(
        &mut self,
        now: Time,
        id: CallId,
        leg: LegId,
        sdp: Option<Vec<u8>>,
        out: &mut Outbox<Output>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let awaited = call.wait == (Wait::Outside { leg }) && call.talking.is_none();
        let Some(row) = call.leg(leg).filter(|l| l.signalling == Signalling::Trying) else { return };
        row.signalling = Signalling::Answered;
        if !awaited {
            return self.hang_up_leg(now, leg, Cause::RangOut, "too late", out);
        }
        let format = match (&row.local, sdp.as_deref().map(sdp::Description::parse)) {
            (Some(local), Some(Ok(answer))) => sdp::accept(local, &answer).ok(),
            _ => None,
        };
        let Some(format) = format else {
            self.hang_up_leg(now, leg, Cause::NotAcceptable, "no codec in common", out);
            return self.outside_ended(now, id, leg, RingEnd::Unreachable, out);
        };
        row.answered = Some(now);
        let (waited, name) = (now.since(row.started), outside_name(row.trunk.as_deref()));
        connect(row, format, out);
        call.talking = Some(Talking { agent: None, leg, since: now, bridged: false });
        self.timers.cancel(&Timer::Wait(id));
        let detail = format!("party={name} waited_ms={}", waited.as_millis());
        self.log(now, Some(id), None, "connected", detail, out);
        let agent: Arc<str> = name.into();
        self.work.push_back(Work::Visit(id, ivr::Input::Connected { agent: agent.clone() }));
        self.story(id, StoryLine::Connected { agent, waited }, out);
        self.show_on_board(now, id, out);
        self.join(now, id, out);
    }

    /// 300-699, or no answer at all.
    pub(crate) fn outside_refused(
        &mut self,
        now: Time,
        id: CallId,
        leg: LegId,
        code: u16,
        out: &mut Outbox<Output>,
    ) {
        self.close_media(now, leg, out);
        let end = match code {
            486 | 600 => RingEnd::Busy,
            480 | 487 => RingEnd::NoAnswer,
            403 | 603 | 607 | 608 => RingEnd::Refused,
            _ => RingEnd::Unreachable,
        };
        self.outside_ended(now, id, leg, end, out);
    }

    /// Nobody outside came to the phone: the flow takes its exit.
    pub(crate) fn outside_ended(
        &mut self,
        now: Time,
        id: CallId,
        leg: LegId,
        end: RingEnd,
        out: &mut Outbox<Output>,
    ) {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.ending.is_none()) else { return };
        if call.wait != (Wait::Outside { leg }) {
            return;
        }
        call.wait = Wait::Nothing;
        let caller = call.legs[0].id;
        let trunk = call.leg(leg).and_then(|row| row.trunk.clone()).unwrap_or_default();
        let why = match end {
            RingEnd::Served => "served",
            RingEnd::NoAnswer => "no answer",
            RingEnd::Busy => "busy",
            RingEnd::Refused => "refused",
            RingEnd::Unreachable => "unreachable",
        };
        self.timers.cancel(&Timer::Wait(id));
        out.push(Output::Media(Command::Stop { leg: caller }));
        self.log(now, Some(id), None, "dial-ended", format!("trunk={trunk} why={why}"), out);
        self.story(id, StoryLine::Note(format!("the number outside is not reached: {why}")), out);
        self.show_on_board(now, id, out);
        self.work.push_back(Work::Visit(id, ivr::Input::RingEnded(end)));
    }
}

/// How records and events call whoever is behind a trunk.
pub(crate) fn outside_name(trunk: Option<&str>) -> String {
    format!("trunk {}", trunk.unwrap_or("unknown"))
}
