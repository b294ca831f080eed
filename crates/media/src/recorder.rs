use crate::{Codec, Sink};
use hotline_core::LegId;
use std::sync::Arc;

/// Received audio on its way to a sink: decoded, in frames of 20 ms, missing time filled with silence.
#[derive(Debug)]
pub(crate) struct Recorder {
    sink: Arc<dyn Sink>,
    frame: [i16; FRAME],
    filled: usize,
    next_timestamp: Option<u32>,
}

const FRAME: usize = 160;
/// A longer hole (a second) is a clock set anew, or silence not sent: nothing is filled in.
const HOLE_MAX: i32 = 8000;

impl Recorder {
    pub fn new(sink: Arc<dyn Sink>) -> Recorder {
        Recorder { sink, frame: [0; FRAME], filled: 0, next_timestamp: None }
    }

    /// A packet's audio; one older than what was recorded is left out.
    pub fn hear(&mut self, leg: LegId, codec: Codec, timestamp: u32, payload: &[u8]) {
        if let Some(next) = self.next_timestamp {
            let hole = timestamp.wrapping_sub(next) as i32;
            if (-HOLE_MAX..0).contains(&hole) {
                return;
            }
            if hole <= HOLE_MAX {
                (0..hole).for_each(|_| self.sample(leg, 0));
            }
        }
        self.next_timestamp = Some(timestamp.wrapping_add(payload.len() as u32));
        payload.iter().for_each(|&code| self.sample(leg, codec.decode(code)));
    }

    fn sample(&mut self, leg: LegId, sample: i16) {
        self.frame[self.filled] = sample;
        self.filled += 1;
        if self.filled == FRAME {
            self.filled = 0;
            self.sink.frame(leg, &self.frame);
        }
    }
}
