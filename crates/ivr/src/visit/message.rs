//! Voicemail: greeting, tone, message.

use super::{ANSWER_MAX, Exit, NEXT, State, Then, Visit};
use crate::flow::{Act, Sound, Voicemail};
use crate::{MessageEnd, Output};
use hotline_core::{Outbox, Time};
use std::time::Duration;

/// After it the message begins.
const TONE: Sound = Sound::Tone { hz: [1004, 0], length: Duration::from_millis(500), dbm0: -16 };

impl Visit {
    pub(super) fn voicemail(&mut self, _now: Time, voicemail: &Voicemail, out: &mut Outbox<Output>) -> Then {
        self.ahead.clear();
        let sounds = voicemail.prompt.sounds.iter().chain([&TONE]);
        if let Some(play) = self.play(sounds, out) {
            self.state = State::Playing { play, left: 0, barge_in: voicemail.prompt.barge_in };
        }
        Then::Wait
    }

    /// The greeting was cut short: the tone alone.
    pub(super) fn tone(&mut self, out: &mut Outbox<Output>) -> Then {
        if let Some(play) = self.play([&TONE], out) {
            self.state = State::Playing { play, left: 0, barge_in: false };
        }
        Then::Wait
    }

    /// The tone has been heard.
    pub(super) fn take_message(
        &mut self,
        now: Time,
        voicemail: &Voicemail,
        out: &mut Outbox<Output>,
    ) -> Then {
        // What the greeting read aloud is over.
        self.keep_private(false, out);
        let Voicemail { mailbox, min, max, silence, .. } = voicemail;
        let mailbox = mailbox.clone();
        out.push(Output::TakeMessage { mailbox, min: *min, max: *max, silence: *silence });
        self.state = State::Recording { until: now + *max + ANSWER_MAX, ended: false };
        Then::Wait
    }

    pub(super) fn end_message(&mut self, now: Time, key: char, out: &mut Outbox<Output>) -> Then {
        let (State::Recording { until, ended: ended @ false }, Act::Voicemail(voicemail)) =
            (&mut self.state, &self.flow.step(self.step).act)
        else {
            return Then::Wait;
        };
        if voicemail.end == Some(key) {
            *ended = true;
            *until = now + ANSWER_MAX;
            out.push(Output::EndMessage);
        }
        Then::Wait
    }

    pub(super) fn message_ended(&mut self, now: Time, end: MessageEnd, out: &mut Outbox<Output>) {
        if !matches!(self.state, State::Recording { .. }) {
            return;
        }
        let then = match end {
            MessageEnd::Kept => NEXT,
            MessageEnd::Empty => Then::Leave(Exit::Named("empty")),
            MessageEnd::Full => Then::Leave(Exit::Named("full")),
        };
        self.follow(now, then, out);
    }

    /// Nobody said how the message ended.
    pub(super) fn message_overdue(&mut self, out: &mut Outbox<Output>) -> Then {
        if let State::Recording { ended: false, .. } = self.state {
            out.push(Output::EndMessage);
        }
        self.trouble(out, "the message did not end in time");
        Then::Leave(Exit::Named("full"))
    }
}
