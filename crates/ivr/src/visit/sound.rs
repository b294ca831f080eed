//! What is heard: prompts and values filled in, in the caller's language.

use super::Visit;
use crate::flow::Sound;
use crate::{Output, Piece, SayKind, Spoken, Value, VarId, say};
use hotline_core::{Outbox, PlayId};
use jiff::Timestamp;
use std::sync::Arc;

/// Unix seconds of the first and the last day that has a date to be read, wherever it is.
const YEAR_1: i64 = -62_135_510_400;
const YEAR_9999: i64 = 253_402_207_200;

impl Visit {
    /// None: there is nothing to hear.
    pub(super) fn play<'s>(
        &mut self,
        sounds: impl IntoIterator<Item = &'s Sound>,
        out: &mut Outbox<Output>,
    ) -> Option<PlayId> {
        let pieces = self.pieces(sounds, out);
        if pieces.is_empty() {
            return None;
        }
        self.plays = self.plays.wrapping_add(1);
        let play = PlayId(self.plays);
        out.push(Output::Play { play, pieces, repeat: false });
        Some(play)
    }

    /// None: the installation's.
    pub(super) fn music(&self, sounds: &[Sound], out: &mut Outbox<Output>) -> Option<Vec<Piece>> {
        Some(self.pieces(sounds, out)).filter(|pieces| !pieces.is_empty())
    }

    fn pieces<'s>(
        &self,
        sounds: impl IntoIterator<Item = &'s Sound>,
        out: &mut Outbox<Output>,
    ) -> Vec<Piece> {
        let language = self.values.at(VarId::LANGUAGE).text();
        let spoken = |prompt: Arc<str>| Piece::Spoken(Spoken { prompt, language: language.clone() });
        let mut pieces = Vec::new();
        for sound in sounds {
            match sound {
                Sound::Prompt(name) => pieces.push(spoken(name.fill(self.values.all()))),
                Sound::Say { kind, value } => {
                    let Some(value) = self.readable(*kind, &value.eval(self.values.all())) else { continue };
                    match say::reading(*kind, &value, &language) {
                        Some(names) => pieces.extend(names.into_iter().map(|n| spoken(n.into()))),
                        // The value may be personal, so it is not named.
                        None => self.fault(out, format!("a value cannot be read as {kind} in {language}")),
                    }
                }
                Sound::Silence(length) => pieces.push(Piece::Silence(*length)),
                Sound::Tone { hz, length, dbm0 } => {
                    pieces.push(Piece::Tone { hz: *hz, length: *length, dbm0: *dbm0 });
                }
            }
        }
        pieces
    }

    /// A value in the form in which its kind is read: moments in the flow's zone, lengths in whole seconds, numbers
    /// within what can be read. None: there is nothing to say (no key in a number, no place in a line, no estimate).
    fn readable(&self, kind: SayKind, value: &Value) -> Option<Arc<str>> {
        let local = |unix: i64, form: &str| {
            let time = Timestamp::from_second(unix.clamp(YEAR_1, YEAR_9999)).ok()?;
            Some(self.flow.zone.to_datetime(time).strftime(form).to_string().into())
        };
        let numbers = say::NUMBER_MAX;
        match (kind, value) {
            (SayKind::Date, Value::Time(unix)) => local(*unix, "%Y-%m-%d"),
            (SayKind::Time, Value::Time(unix)) => local(*unix, "%H:%M"),
            (SayKind::Wait, Value::Duration(..=0)) => None,
            // A wait that is told is never shorter than it is.
            (SayKind::Duration | SayKind::Wait, Value::Duration(ms)) => {
                Some(ms.max(&0).unsigned_abs().div_ceil(1000).min(numbers.unsigned_abs()).to_string().into())
            }
            (SayKind::Position, Value::Number(..=0)) => None,
            (SayKind::Position, Value::Number(n)) => {
                Some(n.unsigned_abs().min(say::POSITION_MAX).to_string().into())
            }
            (SayKind::Number | SayKind::Money(_), Value::Number(n)) => {
                Some(n.clamp(&-numbers, &numbers).to_string().into())
            }
            (SayKind::Digits | SayKind::Telephone, _) => {
                let keys: String = value.text().chars().filter(|c| "0123456789*#".contains(*c)).collect();
                (!keys.is_empty()).then(|| keys.into())
            }
            _ => Some(value.text()),
        }
    }
}
