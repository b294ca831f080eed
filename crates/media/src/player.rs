use crate::{Codec, Library, Piece};
use hotline_core::PlayId;
use rtp::TICKS_PER_MS;
use std::sync::Arc;
use std::time::Duration;

/// A list of pieces being played, as encoded bytes (one is a sample).
#[derive(Debug)]
pub(crate) struct Player {
    pub play: PlayId,
    pieces: Arc<[Piece]>,
    repeat: bool,
    piece: usize,
    offset: usize,
}

impl Player {
    pub fn new(play: PlayId, pieces: Arc<[Piece]>, repeat: bool) -> Player {
        Player { play, pieces, repeat, piece: 0, offset: 0 }
    }

    /// Fills one packet's payload, silence after the end; whether that was the end.
    pub fn fill(&mut self, out: &mut [u8], codec: Codec, library: &Library, tones: &mut Tones) -> bool {
        let mut filled = 0;
        let mut restarts = 0;
        loop {
            let Some(piece) = self.pieces.get(self.piece) else {
                // A second restart without a sample in between: nothing in the list sounds.
                let stuck = filled == 0 && restarts > 0;
                if !self.repeat || stuck || self.pieces.is_empty() {
                    out[filled..].fill(codec.silence());
                    return true;
                }
                restarts += 1;
                (self.piece, self.offset) = (0, 0);
                if filled == out.len() {
                    return false;
                }
                continue;
            };
            let room = &mut out[filled..];
            let (wrote, over) = match piece {
                Piece::Sound(sound) => copy(room, library.encoded(*sound, codec), self.offset),
                Piece::Silence(length) => {
                    let wrote = room.len().min(samples(*length).saturating_sub(self.offset));
                    room[..wrote].fill(codec.silence());
                    (wrote, self.offset + wrote >= samples(*length))
                }
                Piece::Tone { hz, length, dbm0 } => {
                    let second = tones.second(*hz, *dbm0, codec);
                    let wrote = room.len().min(samples(*length).saturating_sub(self.offset));
                    fill_looped(&mut room[..wrote], second, self.offset);
                    (wrote, self.offset + wrote >= samples(*length))
                }
            };
            filled += wrote;
            self.offset += wrote;
            if over {
                (self.piece, self.offset) = (self.piece + 1, 0);
            } else if filled == out.len() {
                return false;
            }
        }
    }
}

fn copy(room: &mut [u8], sound: &[u8], offset: usize) -> (usize, bool) {
    let rest = &sound[offset.min(sound.len())..];
    let wrote = room.len().min(rest.len());
    room[..wrote].copy_from_slice(&rest[..wrote]);
    (wrote, wrote == rest.len())
}

/// Continues a loop from `offset`.
pub(crate) fn fill_looped(room: &mut [u8], looped: &[u8], offset: usize) {
    let mut at = offset % looped.len();
    for chunk in room.chunks_mut(160) {
        for byte in chunk {
            *byte = looped[at];
            at = if at + 1 == looped.len() { 0 } else { at + 1 };
        }
    }
}

fn samples(length: Duration) -> usize {
    usize::try_from(length.as_millis()).unwrap_or(usize::MAX / 16).saturating_mul(TICKS_PER_MS as usize)
}

/// One second of each tone in use, encoded: whole frequencies repeat after it exactly.
#[derive(Debug, Default)]
pub(crate) struct Tones(Vec<Tone>);

#[derive(Debug)]
struct Tone {
    hz: [u16; 2],
    dbm0: i8,
    ulaw: Box<[u8]>,
    alaw: Box<[u8]>,
}

const TONES_MAX: usize = 64;

impl Tones {
    pub fn second(&mut self, hz: [u16; 2], dbm0: i8, codec: Codec) -> &[u8] {
        let at = match self.0.iter().position(|t| t.hz == hz && t.dbm0 == dbm0) {
            Some(at) => at,
            None => {
                if self.0.len() == TONES_MAX {
                    self.0.remove(0);
                }
                let mut second = vec![0; 8000];
                rtp::tone::fill(&mut second, 0, hz, dbm0);
                let encode = |codec: Codec| second.iter().map(|&s| codec.encode(s)).collect();
                self.0.push(Tone { hz, dbm0, ulaw: encode(Codec::Pcmu), alaw: encode(Codec::Pcma) });
                self.0.len() - 1
            }
        };
        match codec {
            Codec::Pcmu => &self.0[at].ulaw,
            Codec::Pcma => &self.0[at].alaw,
        }
    }
}

impl Codec {
    pub(crate) fn silence(self) -> u8 {
        match self {
            Codec::Pcmu => rtp::g711::ULAW_SILENCE,
            Codec::Pcma => rtp::g711::ALAW_SILENCE,
        }
    }

    pub(crate) fn encode(self, sample: i16) -> u8 {
        match self {
            Codec::Pcmu => rtp::g711::ulaw_encode(sample),
            Codec::Pcma => rtp::g711::alaw_encode(sample),
        }
    }

    pub(crate) fn decode(self, code: u8) -> i16 {
        match self {
            Codec::Pcmu => rtp::g711::ulaw_decode(code),
            Codec::Pcma => rtp::g711::alaw_decode(code),
        }
    }

    /// Copies `from` of this codec into `to` as `other`.
    pub(crate) fn convert(self, other: Codec, from: &[u8], to: &mut [u8]) {
        let table = match (self, other) {
            (Codec::Pcmu, Codec::Pcma) => rtp::g711::ulaw_to_alaw,
            (Codec::Pcma, Codec::Pcmu) => rtp::g711::alaw_to_ulaw,
            (Codec::Pcmu, Codec::Pcmu) | (Codec::Pcma, Codec::Pcma) => return to.copy_from_slice(from),
        };
        for (to, &from) in to.iter_mut().zip(from) {
            *to = table(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_core::SoundId;

    fn play(pieces: &[Piece], repeat: bool, frames: usize) -> (Vec<u8>, Option<usize>) {
        let library = Library::from_samples(vec![vec![1000; 100], vec![-2000; 300], vec![]]);
        let mut player = Player::new(PlayId(1), pieces.into(), repeat);
        let (mut heard, mut tones) = (Vec::new(), Tones::default());
        for n in 0..frames {
            let mut frame = [0; 160];
            let over = player.fill(&mut frame, Codec::Pcma, &library, &mut tones);
            heard.extend(frame);
            if over {
                return (heard, Some(n + 1));
            }
        }
        (heard, None)
    }

    #[test]
    fn pieces_follow_without_a_gap_and_end_with_their_last_frame() {
        let (a, b, quiet) = (Codec::Pcma.encode(1000), Codec::Pcma.encode(-2000), Codec::Pcma.silence());
        let pieces = [Piece::Sound(SoundId(0)), Piece::Sound(SoundId(2)), Piece::Sound(SoundId(1))];
        let (heard, ended) = play(&pieces, false, 9);
        assert_eq!(ended, Some(3));
        assert_eq!(heard[..100], [a; 100]);
        assert_eq!(heard[100..400], [b; 300]);
        assert_eq!(heard[400..], [quiet; 80]);
        let exactly_two_frames = [Piece::Silence(Duration::from_millis(40))];
        assert_eq!(play(&exactly_two_frames, false, 9).1, Some(2));
    }

    #[test]
    fn repeats_without_a_seam() {
        let (heard, ended) = play(&[Piece::Sound(SoundId(0))], true, 50);
        assert_eq!(ended, None);
        assert!(heard.iter().all(|&c| c == Codec::Pcma.encode(1000)));
    }

    #[test]
    fn a_list_that_never_sounds_ends_at_once() {
        for pieces in [
            &[][..],
            &[Piece::Sound(SoundId(2))],
            &[Piece::Sound(SoundId(77)), Piece::Silence(Duration::ZERO)],
        ] {
            for repeat in [false, true] {
                assert_eq!(play(pieces, repeat, 9).1, Some(1), "{pieces:?}");
            }
        }
    }

    #[test]
    fn a_tone_goes_on_over_frames_and_seconds() {
        let tone = Piece::Tone { hz: [1004, 0], length: Duration::from_millis(2500), dbm0: -10 };
        let (heard, ended) = play(&[tone], false, 200);
        assert_eq!(ended, Some(125));
        let mut want = vec![0; 20_000];
        rtp::tone::fill(&mut want, 0, [1004, 0], -10);
        assert!(want.iter().zip(heard).all(|(&w, h)| Codec::Pcma.encode(w) == h));
    }
}
