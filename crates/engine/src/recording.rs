//! Recording of a call as its flow says: caller left, whoever he talks to right, silence while it is private.

use crate::call::Call;
use crate::engine::Engine;
use crate::interface::Output;
use crate::message::TapeRow;
use crate::record::RecordingRecord;
use crate::tape::{Tape, TapeId, TapeKind, TapeNews};
use hotline_core::{CallId, LegId, Outbox, Time};
use ivr::RecordAction;
use std::sync::Arc;
use std::time::Duration;

/// Files of one call; a flow that switches more often records no more.
const RECORDINGS_MAX: usize = 16;

/// How a call is recorded now.
#[derive(Default, Debug)]
pub(crate) struct Recording {
    /// The flow wants it; without a tape it begins when the caller can be heard.
    wanted: bool,
    paused: bool,
    /// What the caller does now may not be heard.
    private: bool,
    pub tape: Option<TapeId>,
    /// Of the open file, which is the last of `done`.
    muted_since: Option<Time>,
    pub done: Vec<RecordingRecord>,
}

impl Engine {
    pub(crate) fn record_call(
        &mut self,
        now: Time,
        id: CallId,
        action: RecordAction,
        out: &mut Outbox<Output>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let recording = &mut call.recording;
        match action {
            RecordAction::On => {
                (recording.wanted, recording.paused) = (true, false);
                self.begin_recording(now, id, out);
            }
            RecordAction::Pause => recording.paused = true,
            RecordAction::Resume => recording.paused = false,
            RecordAction::Off => self.end_recording(now, id, out),
        }
        self.mute_recording(now, id, out);
    }

    /// From here on (true) nothing of what the caller does may be heard.
    pub(crate) fn keep_private(&mut self, now: Time, id: CallId, on: bool, out: &mut Outbox<Output>) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.recording.private = on;
            self.mute_recording(now, id, out);
        }
    }

    /// When it is wanted, there is none yet, and the caller can be heard.
    pub(crate) fn begin_recording(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get(&id).filter(|call| call.ending.is_none()) else { return };
        let recording = &call.recording;
        if !recording.wanted
            || recording.tape.is_some()
            || recording.done.len() == RECORDINGS_MAX
            || !call.legs[0].is_connected()
        {
            return;
        }
        let leg = call.legs[0].id;
        let right = call.other(leg);
        let nth = match recording.done.len() {
            0 => String::new(),
            n => format!("-{}", n + 1),
        };
        let file: Arc<str> = format!("recordings/{}{nth}.wav", id.0).into();
        let tape = self.new_tape(TapeRow { call: id, ended: false, file: file.clone(), message: None });
        out.push(Output::Tape(Tape::Start { tape, leg, file: file.to_string(), kind: TapeKind::Call }));
        if right.is_some() {
            out.push(Output::Tape(Tape::Right { tape, leg: right }));
        }
        if let Some(call) = self.calls.get_mut(&id) {
            let record =
                RecordingRecord { file, started: now, length: Duration::ZERO, muted: Duration::ZERO };
            call.recording.done.push(record);
            call.recording.tape = Some(tape);
            call.recording.muted_since = None;
        }
        self.log(now, Some(id), None, "recording-began", String::new(), out);
        self.mute_recording(now, id, out);
    }

    /// Of the file that is open now.
    pub(crate) fn end_recording(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let recording = &mut call.recording;
        recording.wanted = false;
        let Some(tape) = recording.tape.take() else { return };
        let muted = recording.muted_since.take().map_or(Duration::ZERO, |since| now.since(since));
        let Some(record) = recording.done.last_mut() else { return };
        record.length = now.since(record.started);
        record.muted += muted;
        let detail = format!("length_ms={} muted_ms={}", record.length.as_millis(), record.muted.as_millis());
        self.log(now, Some(id), None, "recording-ended", detail, out);
        self.end_tape(now, tape, Duration::ZERO, out);
    }

    fn mute_recording(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let Some(Call { recording, .. }) = self.calls.get_mut(&id) else { return };
        let Some(tape) = recording.tape else { return };
        let on = recording.private || recording.paused;
        let (kind, muted) = match (on, recording.muted_since) {
            (true, None) => {
                recording.muted_since = Some(now);
                ("recording-paused", Duration::ZERO)
            }
            (false, Some(since)) => {
                recording.muted_since = None;
                ("recording-resumed", now.since(since))
            }
            (true, Some(_)) | (false, None) => return,
        };
        if let Some(record) = recording.done.last_mut() {
            record.muted += muted;
        }
        out.push(Output::Tape(Tape::Mute { tape, on }));
        self.log(now, Some(id), None, kind, String::new(), out);
    }

    /// Who is on the right side from here on.
    pub(crate) fn record_other(&mut self, id: CallId, leg: Option<LegId>, out: &mut Outbox<Output>) {
        if let Some(tape) = self.calls.get(&id).and_then(|call| call.recording.tape) {
            out.push(Output::Tape(Tape::Right { tape, leg }));
        }
    }

    /// What became of the file.
    pub(crate) fn recorded(
        &mut self,
        now: Time,
        id: CallId,
        tape: TapeId,
        file: &str,
        news: TapeNews,
        out: &mut Outbox<Output>,
    ) {
        match news {
            TapeNews::Kept { length, lost } => {
                let (length, lost) = (length.as_millis(), lost.as_millis());
                let detail = format!("file={file} length_ms={length} lost_ms={lost}");
                self.log(now, Some(id), None, "recording-kept", detail, out);
            }
            TapeNews::Failed { why } => {
                self.log(now, Some(id), None, "recording-failed", format!("file={file} why={why}"), out);
            }
            TapeNews::Empty | TapeNews::Silent => {}
        }
        // It broke while the call goes on: there is nothing to be found under its name.
        if let Some(call) = self.calls.get_mut(&id).filter(|call| call.recording.tape == Some(tape)) {
            let recording = &mut call.recording;
            (recording.wanted, recording.tape, recording.muted_since) = (false, None, None);
            recording.done.retain(|record| *record.file != *file);
        }
    }
}
