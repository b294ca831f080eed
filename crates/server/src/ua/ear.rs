use hotline_core::LegId;
use media::Sink;
use std::f64::consts::TAU;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Samples a second.
const RATE: usize = 8000;
/// The longest recording kept: ten minutes.
const SAMPLES_MAX: usize = RATE * 600;
/// Mean square above which a frame is sound and not silence: about -50 dBm0.
const LOUD: i64 = 100 * 100;

/// Hears one leg and remembers it.
#[derive(Default, Debug)]
pub struct Ear(Mutex<Heard>);

#[derive(Default, Debug)]
struct Heard {
    samples: Vec<i16>,
    loud_samples: usize,
}

impl Sink for Ear {
    fn frame(&self, _leg: LegId, samples: &[i16]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let energy: i64 = samples.iter().map(|&s| i64::from(s) * i64::from(s)).sum();
        if !samples.is_empty() && energy / samples.len() as i64 > LOUD {
            heard.loud_samples += samples.len();
        }
        let room = SAMPLES_MAX.saturating_sub(heard.samples.len()).min(samples.len());
        heard.samples.extend_from_slice(&samples[..room]);
    }
}

impl Ear {
    /// How long there was sound, not silence.
    pub fn loud(&self) -> Duration {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_micros(heard.loud_samples as u64 * 1_000_000 / RATE as u64)
    }

    /// Everything heard, 8 kHz mono; at most ten minutes.
    pub fn samples(&self) -> Vec<i16> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).samples.clone()
    }

    /// How long a tone of `hz` was there, by frames of 20 ms in which it holds most of the energy.
    pub fn tone(&self, hz: u16) -> Duration {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let frames = heard.samples.chunks_exact(RATE / 50).filter(|frame| is_tone(frame, hz)).count();
        Duration::from_millis(20 * frames as u64)
    }
}

/// Goertzel: whether `hz` makes up more than half of a frame that is not silent.
fn is_tone(frame: &[i16], hz: u16) -> bool {
    let k = 2.0 * (TAU * f64::from(hz) / RATE as f64).cos();
    let (mut s1, mut s2, mut energy) = (0.0, 0.0, 0.0);
    for &sample in frame {
        let x = f64::from(sample);
        (s1, s2) = (x + k * s1 - s2, s1);
        energy += x * x;
    }
    let n = frame.len() as f64;
    let power = 2.0 * (s1 * s1 + s2 * s2 - k * s1 * s2) / n;
    energy / n > LOUD as f64 && power > energy / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(ear: &Ear, hz: f64, amplitude: f64) {
        let samples: Vec<i16> =
            (0..RATE).map(|i| (amplitude * (TAU * hz * i as f64 / RATE as f64).sin()) as i16).collect();
        samples.chunks(160).for_each(|frame| ear.frame(LegId(1), frame));
    }

    #[test]
    fn tells_a_tone_from_another_and_from_silence() {
        let ear = Ear::default();
        play(&ear, 440.0, 0.0);
        play(&ear, 440.0, 4000.0);
        play(&ear, 1000.0, 4000.0);
        assert_eq!(ear.loud(), Duration::from_secs(2));
        assert_eq!(ear.tone(440), Duration::from_secs(1));
        assert_eq!(ear.tone(1000), Duration::from_secs(1));
        assert_eq!(ear.tone(700), Duration::ZERO);
        assert_eq!(ear.samples().len(), 3 * RATE);
    }
}
