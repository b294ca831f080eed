//! A leg's session descriptions: the caller's answer, early media, delayed offers; hold and moved media on any leg.

use crate::call::{Call, Driver, Leg, MediaState, Party, Signalling, Want, call_of};
use crate::engine::{Engine, Timer, Work};
use crate::interface::{Output, StoryLine};
use hotline_core::{CallId, Cause, LegId, Outbox, PlayId, Time};
use media::Command;
use sdp::{Description, Direction, Negotiated};
use std::net::SocketAddr;
use std::sync::Arc;

/// Music on hold and the like: played by the engine itself, so no visit waits for its end.
pub(crate) const MUSIC: PlayId = PlayId(u32::MAX);

impl Engine {
    /// The flow asks for early media or an answer.
    pub(crate) fn want(&mut self, now: Time, id: CallId, want: Want, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let leg = call.caller();
        leg.want = leg.want.max(want);
        match leg.media {
            MediaState::None => {
                let leg = leg.id;
                self.open_media(now, leg, out);
            }
            MediaState::Open(_) => self.proceed(now, id, out),
            MediaState::Opening | MediaState::Closing | MediaState::Closed => {}
        }
    }

    pub(crate) fn media_opened(
        &mut self,
        now: Time,
        leg: LegId,
        address: SocketAddr,
        out: &mut Outbox<Output>,
    ) {
        let Some(call) = self.call(leg) else { return };
        let id = call.id;
        let Some(row) = call.leg(leg).filter(|l| l.media == MediaState::Opening) else { return };
        row.media = MediaState::Open(address);
        let party = row.party;
        self.timers.cancel(&Timer::MediaOpens(leg));
        match party {
            Party::Caller => self.proceed(now, id, out),
            Party::Agent(_) => self.ring_phone(now, leg, address, out),
            Party::Outside => self.ring_outside(now, id, leg, address, out),
        }
    }

    /// Sends the caller what the flow wants, now that there is a port.
    fn proceed(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let settings = self.settings.clone();
        let session = self.rng.next_u64() >> 2;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let leg = call.caller();
        let (MediaState::Open(address), Some(dialog)) = (leg.media, leg.dialog) else { return };
        if leg.signalling != Signalling::Trying {
            return;
        }
        let local = leg.local.get_or_insert_with(|| {
            let mut local = settings.describe(leg.hop.local, address.port(), None);
            (local.session, local.version) = (session, session);
            local
        });
        // What is said first is said again in the 200: a 183 is no reliable answer (RFC 6337 section 2.1).
        let answer = match &leg.offered {
            Some(offer) => match sdp::answer(offer, local) {
                Ok(answer) => Some(answer),
                Err(_) => return self.end(now, id, Cause::NotAcceptable, out),
            },
            None => None,
        };
        let want = leg.want;
        match (want, answer) {
            (Want::Nothing, _) => return,
            (Want::EarlyMedia, Some((sdp, format))) => {
                leg.described = Some(sdp.clone());
                self.sip.ring(now, dialog, 183, Some(&sdp), &mut self.sip_out);
                connect(leg, format, out);
            }
            // Without an offer there is no early media (RFC 3261 section 13.2.1 asks for a reliable 1xx).
            (Want::EarlyMedia, None) => self.sip.ring(now, dialog, 180, None, &mut self.sip_out),
            (Want::Answer, answer) => {
                leg.signalling = Signalling::Answered;
                leg.answered = Some(now);
                match answer {
                    Some((sdp, format)) => {
                        leg.offered = None;
                        self.sip.accept(now, dialog, &sdp, &[], &mut self.sip_out);
                        leg.described = Some(sdp);
                        if leg.format.as_ref() != Some(&format) {
                            connect(leg, format, out);
                        }
                    }
                    None => {
                        leg.awaiting_answer = true;
                        let sdp = sdp::offer(local);
                        self.sip.accept(now, dialog, &sdp, &[], &mut self.sip_out);
                        leg.described = Some(sdp);
                    }
                }
                call.answered = Some(now);
                self.story(id, StoryLine::Answered, out);
                self.log(now, Some(id), None, "call-answered", String::new(), out);
            }
        }
        self.show_on_board(now, id, out);
        if want == Want::EarlyMedia || self.calls.get(&id).is_some_and(|c| c.legs[0].is_connected()) {
            self.caller_connected(now, id, out);
        }
    }

    /// The caller hears us from here on: bridge him if somebody waits, otherwise the flow goes on.
    fn caller_connected(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        self.begin_recording(now, id, out);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.talking.is_some() {
            return self.join(now, id, out);
        }
        match &call.driver {
            Driver::Visit(_) => self.work.push_back(Work::Visit(id, ivr::Input::Ready)),
            Driver::Confirm { .. } => self.confirm(now, id, out),
        }
    }

    /// ACK for our 2xx: done, or the answer to an offer of ours.
    pub(crate) fn acked(&mut self, now: Time, leg: LegId, sdp: Option<Vec<u8>>, out: &mut Outbox<Output>) {
        let Some(call) = self.call(leg) else { return };
        let id = call.id;
        let Some(row) = call.leg(leg).filter(|l| l.awaiting_answer) else { return };
        row.awaiting_answer = false;
        let first = row.format.is_none();
        let Some(local) = &row.local else { return };
        let answer = sdp.as_deref().and_then(|sdp| Description::parse(sdp).ok());
        match answer.and_then(|answer| sdp::accept(local, &answer).ok()) {
            Some(format) => {
                connect(row, format, out);
                let is_caller = row.party == Party::Caller;
                self.hold_changed(now, leg, out);
                if first && is_caller {
                    self.caller_connected(now, id, out);
                }
            }
            // A re-offer that got no answer leaves things as they were.
            None if !first => {}
            None => self.far_end_left(now, leg, Cause::NotAcceptable, out),
        }
    }

    /// A re-INVITE or UPDATE of the far end: hold, resume, media moved, or a request for an offer of ours.
    pub(crate) fn reoffered(
        &mut self,
        now: Time,
        leg: LegId,
        sdp: Option<Vec<u8>>,
        out: &mut Outbox<Output>,
    ) {
        let sip_out = &mut self.sip_out;
        let Some(row) = self.calls.get_mut(&call_of(leg)).and_then(|c| c.leg(leg)) else { return };
        let Some(dialog) = row.dialog else { return };
        let (MediaState::Open(_), Some(local)) = (row.media, row.local.as_mut()) else {
            return self.sip.refuse_offer(now, dialog, 488, sip_out);
        };
        let Some(sdp) = sdp else {
            row.awaiting_answer = true;
            let offer = sdp::offer(local);
            let offer = local.versioned(row.described.as_deref(), offer);
            self.sip.accept_offer(now, dialog, &offer, sip_out);
            row.described = Some(offer);
            return;
        };
        match Description::parse(&sdp).and_then(|offer| sdp::answer(&offer, local)) {
            Ok((answer, format)) => {
                let answer = local.versioned(row.described.as_deref(), answer);
                self.sip.accept_offer(now, dialog, &answer, sip_out);
                row.described = Some(answer);
                connect(row, format, out);
                self.hold_changed(now, leg, out);
            }
            Err(_) => self.sip.refuse_offer(now, dialog, 488, sip_out),
        }
    }

    /// Plays music to the one who waits while the other holds, and stops it.
    fn hold_changed(&mut self, now: Time, leg: LegId, out: &mut Outbox<Output>) {
        let agent_name = |engine: &Engine, party| match party {
            Party::Caller => Arc::from("caller"),
            Party::Agent(agent) => engine.agent_name(agent),
            Party::Outside => Arc::from("outside"),
        };
        let Some(call) = self.calls.get_mut(&call_of(leg)) else { return };
        let id = call.id;
        let Some(row) = call.leg(leg) else { return };
        let on = row.format.as_ref().is_some_and(is_hold);
        if on == row.held {
            return;
        }
        row.held = on;
        let party = row.party;
        let other = call.other(leg);
        if let Some(other) = other {
            match on {
                true => self.play_music(other, out),
                false => out.push(Output::Media(Command::Stop { leg: other })),
            }
        }
        let party = agent_name(self, party);
        self.log(now, Some(id), None, if on { "held" } else { "resumed" }, format!("by={party}"), out);
        self.story(id, StoryLine::Held { party, on }, out);
        self.show_on_board(now, id, out);
    }

    pub(crate) fn play_music(&self, leg: LegId, out: &mut Outbox<Output>) {
        if let Some(music) = self.prompts_of(call_of(leg)).music {
            let pieces = Arc::from([media::Piece::Sound(music)]);
            out.push(Output::Media(Command::Play { leg, play: MUSIC, pieces, repeat: true }));
        }
    }
}

impl Call {
    /// The codec the caller's leg speaks, for the offer to an agent's phone.
    pub(crate) fn codec(&self) -> Option<sdp::Codec> {
        self.legs[0].format.as_ref().map(|f| f.codec)
    }
}

/// The far end wants to hear nothing.
fn is_hold(format: &Negotiated) -> bool {
    matches!(format.direction, Direction::RecvOnly | Direction::Inactive)
}

/// Tells the media thread where the far end is and what it speaks.
pub(crate) fn connect(leg: &mut Leg, format: Negotiated, out: &mut Outbox<Output>) {
    let for_media = media::Format {
        remote: format.remote,
        remote_rtcp: format.remote_rtcp,
        codec: match format.codec {
            sdp::Codec::Pcmu => media::Codec::Pcmu,
            sdp::Codec::Pcma => media::Codec::Pcma,
        },
        payload_type_out: format.payload_type_out,
        payload_type_in: format.payload_type_in,
        dtmf_out: format.dtmf_out,
        dtmf_in: format.dtmf_in,
        ptime_ms: format.ptime_ms,
        direction: match format.direction {
            Direction::SendRecv => media::Direction::SendRecv,
            Direction::SendOnly => media::Direction::SendOnly,
            Direction::RecvOnly => media::Direction::RecvOnly,
            Direction::Inactive => media::Direction::Inactive,
        },
        rtcp_mux: format.rtcp_mux,
    };
    leg.format = Some(format);
    out.push(Output::Media(Command::Connect { leg: leg.id, format: Arc::new(for_media) }));
}
