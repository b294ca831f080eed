//! An INVITE becomes a call, or a refusal with the right code.

use crate::call::{Call, DIGITS_MAX, Driver, Signalling, Want};
use crate::engine::{Engine, Timer, Work};
use crate::interface::{Output, StoryLine};
use crate::settings::Settings;
use hotline_core::{Cause, Outbox, Pii, Time};
use sip::{Auth, DialogId, Invitation};
use std::sync::Arc;

impl Engine {
    pub(crate) fn invited(
        &mut self,
        now: Time,
        dialog: DialogId,
        invitation: Invitation,
        out: &mut Outbox<Output>,
    ) {
        if self.settings.feature_codes.is_one(&invitation.dialled) {
            return self.feature_code(now, dialog, invitation, out);
        }
        let settings = self.settings_for(&invitation.from_user, &invitation.call_id);
        let Some(number) = settings.numbers.get(invitation.dialled.as_str()) else {
            return self.turn_away(now, dialog, Cause::NumberUnknown, "no such number here", out);
        };
        if self.active >= settings.limits.calls {
            return self.turn_away(now, dialog, Cause::Full, "the node is full", out);
        }
        let on_number = self.active_by_number.get(&number.digits).copied().unwrap_or(0);
        if number.limit.is_some_and(|limit| on_number >= limit) {
            // 486, not 503: that one takes all of this node's numbers out of a trunk's rotation (RFC 3261
            // section 21.5.4), and the others have room.
            let after = ("Retry-After".to_owned(), settings.limits.retry_after.as_secs().to_string());
            self.sip.refuse(now, dialog, 486, &[after], &mut self.sip_out);
            return self.note_refusal(now, 486, "the number is full", out);
        }
        let visit = Box::new(ivr::Visit::new(number.flow.clone()));
        let mut start = ivr::Start {
            caller: invitation.from_user.clone(),
            dialled: invitation.dialled.clone(),
            epoch_unix: settings.epoch_unix,
            vars: number.vars.clone(),
            call: "".into(),
        };
        let driver = Driver::Visit(visit);
        let Some(call) = self.admit(now, dialog, invitation, settings.clone(), driver, out) else {
            return;
        };
        start.call = call.to_string().into();
        self.count_call(&number.flow);
        self.work.push_back(Work::Visit(call, ivr::Input::Started(Box::new(start))));
    }

    /// Makes the call and its first leg, when what the caller offers can be answered.
    pub(crate) fn admit(
        &mut self,
        now: Time,
        dialog: DialogId,
        invitation: Invitation,
        settings: Arc<Settings>,
        driver: Driver,
        out: &mut Outbox<Output>,
    ) -> Option<hotline_core::CallId> {
        let offered = match invitation.sdp.as_deref().map(sdp::Description::parse).transpose() {
            Ok(offered) => offered,
            Err(error) => {
                self.turn_away_offer(now, dialog, &error, out);
                return None;
            }
        };
        // Whether an answer exists does not depend on the port, so the caller is told before one is opened.
        if let Some(offer) = &offered {
            let trial = self.settings.describe(invitation.hop.local, 0, None);
            if let Err(error) = sdp::answer(offer, &trial) {
                self.turn_away_offer(now, dialog, &error, out);
                return None;
            }
        }
        let id = self.new_call_id();
        let mut call = Call::new(id, settings.clone(), driver, invitation.hop, now);
        call.dialled = match settings.numbers.get(invitation.dialled.as_str()) {
            Some(number) => number.digits.clone(),
            None => invitation.dialled.as_str().into(),
        };
        call.caller_number = Pii::new(bounded(&invitation.from_user, 128));
        call.sip_call_id = bounded(&invitation.call_id, 256);
        let leg = call.caller();
        leg.dialog = Some(dialog);
        leg.signalling = Signalling::Trying;
        leg.want = Want::Nothing;
        leg.offered = offered;
        self.dialogs.insert(dialog, leg.id);
        self.active += 1;
        *self.active_by_number.entry(call.dialled.clone()).or_default() += 1;
        self.calls_total += 1;
        self.timers.set(
            Timer::CallMax(id),
            now + self.settings.limits.call_max,
            "the longest a call may last",
        );
        self.log(now, Some(id), None, "call-arrived", format!("number={}", call.dialled), out);
        let arrived = StoryLine::Arrived { caller: call.caller_number.clone(), dialled: invitation.dialled };
        self.calls.insert(id, call);
        self.story(id, arrived, out);
        self.show_on_board(now, id, out);
        Some(id)
    }

    /// Asks for digest credentials, or says who the agent is.
    pub(crate) fn authenticate(
        &mut self,
        now: Time,
        dialog: DialogId,
        invitation: &Invitation,
    ) -> Option<hotline_core::AgentId> {
        match &invitation.auth {
            Auth::None => self.sip.challenge(now, dialog, false, &mut self.sip_out),
            Auth::Bad { stale } => self.sip.challenge(now, dialog, *stale, &mut self.sip_out),
            Auth::Ok { user } if *user == invitation.from_user => return self.agent_of_account(user),
            // Somebody proves to be one agent and calls in the name of another.
            Auth::Ok { .. } => self.sip.refuse(now, dialog, 403, &[], &mut self.sip_out),
        }
        None
    }

    pub(crate) fn turn_away(
        &mut self,
        now: Time,
        dialog: DialogId,
        cause: Cause,
        why: &str,
        out: &mut Outbox<Output>,
    ) {
        let mut headers = Vec::new();
        if cause == Cause::Full {
            headers.push(("Retry-After".to_owned(), self.settings.limits.retry_after.as_secs().to_string()));
        }
        self.sip.refuse(now, dialog, cause.code(), &headers, &mut self.sip_out);
        self.note_refusal(now, cause.code(), why, out);
    }

    fn turn_away_offer(&mut self, now: Time, dialog: DialogId, error: &sdp::Error, out: &mut Outbox<Output>) {
        let (code, why) = match error {
            sdp::Error::Malformed(why) => (400, why.as_str()),
            sdp::Error::NotAcceptable(why) => (488, *why),
        };
        // RFC 3261 section 20.43: 399 is for a text of one's own.
        let text: String = why
            .chars()
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .filter(|c| !matches!(c, '"' | '\\'))
            .collect();
        let warning = ("Warning".to_owned(), format!("399 {} \"{text}\"", self.settings.sip.realm));
        self.sip.refuse(now, dialog, code, &[warning], &mut self.sip_out);
        self.note_refusal(now, code, why, out);
    }

    fn note_refusal(&mut self, now: Time, code: u16, why: &str, out: &mut Outbox<Output>) {
        self.refused_total += 1;
        self.log(now, None, None, "call-refused", format!("code={code} why={why}"), out);
        out.push(Output::Story { call: None, line: StoryLine::Refused { code, why: why.to_owned() } });
    }
}

/// What a peer sent, cut to a length worth keeping.
fn bounded(text: &str, chars: usize) -> String {
    debug_assert!(chars <= DIGITS_MAX);
    text.chars().take(chars).collect()
}
