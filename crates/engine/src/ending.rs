//! From the first goodbye to the call record: every leg is ended, every port closed, and then it is told once.

use crate::call::{Call, Driver, MediaState, Party, Signalling, Wait, call_of};
use crate::engine::{Engine, Timer};
use crate::interface::{BoardUpdate, Output, StoryLine};
use crate::outside::outside_name;
use crate::record::{CallRecord, LegRecord};
use hotline_core::{CallId, Cause, LegId, Outbox, Time};
use media::Stats;
use sip::DialogId;
use std::time::Duration;

impl Engine {
    /// A far end is gone (BYE, CANCEL, no ACK, no media, no answer to our offer).
    pub(crate) fn far_end_left(&mut self, now: Time, leg: LegId, cause: Cause, out: &mut Outbox<Output>) {
        let Some(row) = self.call(leg).and_then(|c| c.leg(leg)) else { return };
        match row.party {
            Party::Caller => {
                let id = call_of(leg);
                self.end(now, id, cause, out);
            }
            Party::Agent(_) | Party::Outside => {
                let cause = if cause == Cause::CallerHungUp { Cause::AgentHungUp } else { cause };
                let gone_by_himself = cause == Cause::AgentHungUp;
                if !gone_by_himself {
                    self.hang_up_leg(now, leg, cause, cause.name(), out);
                }
                self.agent_left(now, leg, cause, out);
            }
        }
    }

    /// No packet came for the configured time. Who holds or is held need not send.
    pub(crate) fn silent(&mut self, now: Time, leg: LegId, out: &mut Outbox<Output>) {
        let Some(row) = self.call(leg).and_then(|c| c.leg(leg)) else { return };
        let sends = row.format.as_ref().is_some_and(|f| f.direction == sdp::Direction::SendRecv);
        if sends && row.ended.is_none() {
            self.log(now, Some(call_of(leg)), None, "no-media", format!("leg={leg}"), out);
            self.far_end_left(now, leg, Cause::NoMedia, out);
        }
    }

    /// Begins the end of a call; only the first cause counts.
    pub(crate) fn end(&mut self, now: Time, id: CallId, cause: Cause, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.ending.is_none()) else { return };
        // What the flow still has to say is its trace; it has no more influence on the call.
        if let Driver::Visit(visit) = &mut call.driver {
            visit.handle(now, ivr::Input::HungUp, &mut self.visit_out);
        }
        for output in self.visit_out.take() {
            use ivr::Output as Visit;
            if let Visit::Entered { .. }
            | Visit::Left { .. }
            | Visit::Set { .. }
            | Visit::Consent { .. }
            | Visit::Survey { .. }
            | Visit::Notify(_) = output
            {
                self.visit_output(now, id, output, out);
            }
        }
        // What he has said so far is his message.
        if let Some(tape) = self.calls.get(&id).and_then(|call| call.message) {
            self.end_tape(now, tape, Duration::ZERO, out);
        }
        self.end_recording(now, id, out);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.ending = Some((now, cause));
        let waited = call.wait != Wait::Nothing || call.offer.is_some() || call.talking.is_some();
        call.wait = Wait::Nothing;
        call.left_queue(now, "abandoned");
        let talking = call.talking.take();
        let legs: Vec<LegId> = call.legs.iter().filter(|l| !l.is_over()).map(|l| l.id).collect();
        let (dialled, length) = (call.dialled.clone(), now.since(call.started));
        self.active -= 1;
        if let Some(on_number) = self.active_by_number.get_mut(&dialled) {
            *on_number -= 1;
        }
        for timer in [Timer::Visit(id), Timer::CallMax(id), Timer::Wait(id), Timer::Unheard(id)] {
            self.timers.cancel(&timer);
        }
        self.stop_ringing(now, id, "the caller is gone", out);
        if let Some(agent) = talking.and_then(|talking| talking.agent) {
            self.agent_talks(agent, None);
        }
        if waited {
            self.router.handle(now, acd::Input::CallEnded { call: id }, &mut self.router_out);
        }
        for leg in legs {
            self.hang_up_leg(now, leg, cause, cause.name(), out);
        }
        self.log(now, Some(id), None, "call-ended", format!("cause={cause} fault={:?}", cause.fault()), out);
        self.story(id, StoryLine::Ended { cause, length }, out);
        out.push(Output::Board(BoardUpdate::CallGone(id)));
        self.finish(now, id, out);
    }

    /// The dialog is over and forgotten by the endpoint.
    pub(crate) fn signalling_ended(
        &mut self,
        now: Time,
        leg: LegId,
        dialog: DialogId,
        out: &mut Outbox<Output>,
    ) {
        let id = call_of(leg);
        let Some(row) = self.calls.get_mut(&id).and_then(|c| c.leg(leg)).filter(|l| l.dialog == Some(dialog))
        else {
            return;
        };
        row.signalling = Signalling::Ended;
        row.dialog = None;
        // A dialog that ends without a word before it (a lost connection) ends the leg as well.
        if row.ended.is_none() {
            self.far_end_left(now, leg, Cause::Unreachable, out);
        }
        self.close_media(now, leg, out);
        self.finish(now, id, out);
    }

    pub(crate) fn media_failed(&mut self, now: Time, leg: LegId, why: &str, out: &mut Outbox<Output>) {
        let id = call_of(leg);
        let Some(row) = self.calls.get_mut(&id).and_then(|c| c.leg(leg)) else { return };
        let opening = match row.media {
            MediaState::Opening => true,
            MediaState::Closing => false,
            MediaState::None | MediaState::Open(_) | MediaState::Closed => return,
        };
        row.media = MediaState::Closed;
        let party = row.party;
        self.timers.cancel(&Timer::MediaOpens(leg));
        self.timers.cancel(&Timer::MediaCloses(leg));
        if opening {
            self.log(now, Some(id), None, "media-failed", format!("leg={leg} why={why}"), out);
            self.story(id, StoryLine::Note(format!("no media for {leg}: {why}")), out);
            // A thread that is late may still open it: let it close again.
            out.push(Output::Media(media::Command::Close { leg }));
            match party {
                Party::Caller => self.end(now, id, Cause::MediaFailed, out),
                Party::Agent(_) | Party::Outside => {
                    self.hang_up_leg(now, leg, Cause::MediaFailed, why, out);
                    self.agent_left(now, leg, Cause::MediaFailed, out);
                }
            }
        }
        self.finish(now, id, out);
    }

    pub(crate) fn media_closed(
        &mut self,
        now: Time,
        leg: LegId,
        stats: Option<Box<Stats>>,
        out: &mut Outbox<Output>,
    ) {
        let id = call_of(leg);
        let Some(row) = self.calls.get_mut(&id).and_then(|c| c.leg(leg)) else { return };
        if row.media != MediaState::Closing {
            return;
        }
        row.media = MediaState::Closed;
        row.stats = stats;
        self.timers.cancel(&Timer::MediaCloses(leg));
        self.finish(now, id, out);
    }

    /// Writes the record when nothing of the call is left.
    fn finish(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let over = |call: &Call| call.ending.is_some() && call.legs.iter().all(|leg| leg.is_over());
        if !self.calls.get(&id).is_some_and(over) {
            return;
        }
        let Some(call) = self.calls.remove(&id) else { return };
        out.push(Output::Record(Box::new(self.record(now, call))));
    }

    /// Writes the records of calls whose far ends have not said goodbye yet.
    pub(crate) fn record_the_rest(&mut self, now: Time, out: &mut Outbox<Output>) {
        for (_, call) in std::mem::take(&mut self.calls) {
            for leg in &call.legs {
                self.timers.cancel(&Timer::MediaOpens(leg.id));
                self.timers.cancel(&Timer::MediaCloses(leg.id));
                if let Some(dialog) = leg.dialog {
                    self.dialogs.remove(&dialog);
                }
            }
            out.push(Output::Record(Box::new(self.record(now, call))));
        }
    }

    fn record(&self, now: Time, call: Call) -> CallRecord {
        let (ended, cause) = call.ending.unwrap_or((now, Cause::Internal));
        let language = call.language().to_owned();
        let (flow, flow_version) = match &call.driver {
            Driver::Visit(visit) => (visit.flow().name.clone(), visit.flow().version.clone()),
            Driver::Confirm { .. } => ("feature-code".into(), "".into()),
        };
        let legs = call.legs.into_iter().map(|leg| {
            let (leg_ended, leg_cause) = leg.ended.unwrap_or((ended, cause));
            LegRecord {
                leg: leg.id,
                party: match leg.party {
                    Party::Caller => "caller".to_owned(),
                    Party::Agent(agent) => self.agent_name(agent).to_string(),
                    Party::Outside => outside_name(leg.trunk.as_deref()),
                },
                started: leg.started,
                answered: leg.answered,
                ended: leg_ended,
                cause: leg_cause,
                codec: leg.format.map(|f| match f.codec {
                    sdp::Codec::Pcmu => "PCMU",
                    sdp::Codec::Pcma => "PCMA",
                }),
                media: leg.stats.map(|stats| *stats),
            }
        });
        CallRecord {
            call: call.id,
            sip_call_id: call.sip_call_id,
            caller: call.caller_number.into_inner(),
            dialled: call.dialled.to_string(),
            flow,
            flow_version,
            config: call.settings.version.clone(),
            started: call.started,
            answered: call.answered,
            ended,
            cause,
            language,
            path: call.path,
            vars: call.vars,
            digits: call.digits.into_inner(),
            queues: call.queues,
            legs: legs.collect(),
            consents: call.consents,
            surveys: call.surveys,
            recordings: call.recording.done,
        }
    }
}
