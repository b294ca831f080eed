//! Music on hold, an original piece: eight chords in a circle, played as a soft electric piano.

use crate::sound::Sound;
use std::f64::consts::PI;

/// Bass, broken chord, one note of melody, as MIDI writes pitches.
const BARS: [(u8, [u8; 4], u8); 8] = [
    (48, [60, 64, 67, 71], 76),
    (45, [57, 60, 64, 67], 72),
    (41, [57, 60, 64, 65], 69),
    (43, [55, 59, 62, 64], 71),
    (40, [55, 59, 62, 64], 67),
    (45, [57, 60, 64, 67], 72),
    (38, [53, 57, 60, 64], 69),
    (43, [53, 57, 60, 62], 74),
];
const BAR_SECONDS: usize = 3;
/// Multiple of the pitch, share of the loudness, decay a second.
const PARTIALS: [(f64, f64, f64); 4] =
    [(1.0, 1.0, 1.3), (2.0, 0.28, 2.4), (3.0, 0.10, 3.6), (4.0, 0.03, 5.0)];
/// Above this a telephone carries nothing, Hz.
const BAND: f64 = 3200.0;

/// 24 seconds whose end runs into their beginning.
pub fn chords(rate: u32) -> Sound {
    let bar = BAR_SECONDS * rate as usize;
    let mut circle = Circle { rate: f64::from(rate), samples: vec![0.0; bar * BARS.len()] };
    for (i, (bass, chord, melody)) in BARS.into_iter().enumerate() {
        let at = i * bar;
        circle.note(bass, at, 4.0, 0.8);
        for (k, pitch) in chord.into_iter().enumerate() {
            circle.note(pitch, at + k * bar / 8, 3.5, 0.45);
            circle.note(pitch, at + bar / 2 + (3 - k) * bar / 8, 2.5, 0.25);
        }
        circle.note(melody, at + bar / 2, 3.0, 0.5);
    }
    let loudest = circle.samples.iter().fold(0.0, |most: f64, s| most.max(s.abs()));
    Sound::new(rate, circle.samples.iter().map(|s| (s / loudest * 0.5) as f32).collect())
}

struct Circle {
    rate: f64,
    samples: Vec<f64>,
}

impl Circle {
    /// What sounds past the end goes on at the beginning, so that the loop has no seam.
    fn note(&mut self, pitch: u8, start: usize, seconds: f64, loudness: f64) {
        let hz = 440.0 * 2f64.powf((f64::from(pitch) - 69.0) / 12.0);
        let length = self.samples.len();
        for (multiple, share, decay) in PARTIALS.into_iter().take_while(|(m, ..)| hz * m <= BAND) {
            let turn = 2.0 * PI * hz * multiple / self.rate;
            for i in 0..(seconds * self.rate) as usize {
                let t = i as f64 / self.rate;
                let (attack, end) = ((t / 0.03).min(1.0), ((seconds - t) / 0.4).min(1.0));
                self.samples[(start + i) % length] +=
                    loudness * share * attack * end * (-decay * t).exp() * (turn * i as f64).sin();
            }
        }
    }
}
