//! Sound, and what makes it fit for a telephone: its band, its edges, its loudness.

use crate::loudness::{loudness, true_peak};
use std::collections::VecDeque;
use std::f64::consts::{PI, SQRT_2};
use std::ops::Range;
use std::time::Duration;

/// One channel of samples from -1 to 1.
#[derive(Clone, PartialEq, Debug)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    pub samples: Vec<f32>,
}

/// What a finished prompt should sound like.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Target {
    /// LUFS.
    pub loudness: f64,
    /// The highest true peak, dBTP.
    pub peak: f64,
    /// Silence before the first sound, and after the last.
    pub before: Duration,
    pub after: Duration,
}

/// Softer than the loudest stretch by more than this is silence around a word, in dB.
const EDGE_DB: f64 = 38.0;
/// Noise counts as silence when it is softer than the loudest stretch by at least this, in dB.
const NOISE_DB: f64 = 30.0;
/// The loudest stretch of a sound with something in it, in dBFS.
const AUDIBLE_DBFS: f64 = -60.0;
/// Around the edges that were found: soft beginnings and ends of words.
const SOFT_BEFORE: usize = 1;
const SOFT_AFTER: usize = 2;
/// A cut through a sound fades over so long.
const FADE: Duration = Duration::from_millis(4);

impl Sound {
    pub fn new(rate: u32, samples: Vec<f32>) -> Sound {
        debug_assert!(rate >= media::wav::RATE_MIN);
        Sound { rate, samples }
    }

    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.samples.len() as f64 / f64::from(self.rate))
    }

    /// The levels of stretches of 10 ms, in dBFS of their mean power.
    pub fn levels(&self) -> Vec<f64> {
        self.samples.chunks(self.stretch()).map(|part| dbfs(mean_square(part))).collect()
    }

    fn stretch(&self) -> usize {
        (self.rate / 100).max(1) as usize
    }

    fn count(&self, d: Duration) -> usize {
        (d.as_secs_f64() * f64::from(self.rate)).round() as usize
    }

    /// Where it sounds, with the soft ends of words, in samples. None: nothing is heard.
    pub fn sounding(&self) -> Option<Range<usize>> {
        let levels = self.levels();
        let loudest = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if loudest < AUDIBLE_DBFS {
            return None;
        }
        let mut threshold = loudest - EDGE_DB;
        // Behind a voice there may be a room.
        let floor = percentile(&levels, 10);
        if floor < loudest - NOISE_DB {
            threshold = threshold.max(floor + 6.0);
        }
        let first = levels.iter().position(|l| *l > threshold)?;
        let last = levels.iter().rposition(|l| *l > threshold)?;
        let stretch = self.stretch();
        let start = first.saturating_sub(SOFT_BEFORE) * stretch;
        Some(start..((last + 1 + SOFT_AFTER) * stretch).min(self.samples.len()))
    }

    /// LUFS of the part that sounds, so that silence around it does not count.
    pub fn loudness(&self) -> f64 {
        self.sounding().map_or(f64::NEG_INFINITY, |part| loudness(self.rate, &self.samples[part]))
    }

    /// dBTP.
    pub fn true_peak(&self) -> f64 {
        true_peak(self.rate, &self.samples)
    }

    /// With so much of the original silence around the part that sounds, and zeros where there was less.
    /// Unchanged if nothing sounds.
    pub fn trimmed(&self, before: Duration, after: Duration) -> Sound {
        let Some(part) = self.sounding() else { return self.clone() };
        let (before, after) = (self.count(before), self.count(after));
        let start = part.start.saturating_sub(before);
        let end = (part.end + after).min(self.samples.len());
        let mut kept = self.samples[start..end].to_vec();
        let fade = self.count(FADE).min(kept.len() / 2);
        for i in 0..fade {
            let share = (i + 1) as f32 / (fade + 1) as f32;
            // What begins or ends the file does so as it was recorded.
            if start > 0 {
                kept[i] *= share;
            }
            if end < self.samples.len() {
                let last = kept.len() - 1 - i;
                kept[last] *= share;
            }
        }
        let mut samples = vec![0.0; before - (part.start - start)];
        samples.append(&mut kept);
        samples.resize(samples.len() + after - (end - part.end), 0.0);
        Sound::new(self.rate, samples)
    }

    /// The band of a telephone: without hum below 180 Hz and, at the telephone's rate, soft above 3400 Hz.
    pub fn banded(mut self) -> Sound {
        let rate = f64::from(self.rate);
        Biquad::high_pass(180.0 / rate).run(&mut self.samples);
        if self.rate == 8000 {
            Biquad::low_pass(3400.0 / rate).run(&mut self.samples);
        }
        self
    }

    /// Without an offset.
    pub fn centred(mut self) -> Sound {
        let offset = self.offset() as f32;
        self.samples.iter_mut().for_each(|s| *s -= offset);
        self
    }

    /// The mean of all samples.
    pub fn offset(&self) -> f64 {
        let sum: f64 = self.samples.iter().map(|s| f64::from(*s)).sum();
        sum / self.samples.len().max(1) as f64
    }

    /// As loud as wanted; what would exceed the peak is turned down around it. Silence stays silence.
    pub fn levelled(&self, target: &Target) -> Sound {
        let measured = self.loudness();
        if !measured.is_finite() {
            return self.clone();
        }
        let mut gain = target.loudness - measured;
        let mut ceiling = target.peak - HEADROOM_DB;
        let mut best = self.clone();
        // The limiter takes away loudness, and a true peak may stand between limited samples.
        for _ in 0..ROUNDS {
            best = self.limited(gain, ceiling);
            let missing = target.loudness - best.loudness();
            let above = best.true_peak() - target.peak;
            if missing.abs() < 0.05 && above <= 0.0 {
                return best;
            }
            ceiling -= above.max(0.0);
            // Nobody gains by pressing a sound flat.
            gain = (gain + missing).min(target.loudness - measured + PRESSED_DB);
        }
        let above = best.true_peak() - target.peak;
        if above > 0.0 {
            let down = 10f64.powf(-above / 20.0) as f32;
            best.samples.iter_mut().for_each(|s| *s *= down);
        }
        best
    }

    /// With a gain in dB and no sample above the ceiling in dBFS: a limiter that sees what comes 4 ms ahead
    /// and lets go over 60 ms.
    fn limited(&self, gain: f64, ceiling: f64) -> Sound {
        let (gain, ceiling) = (10f64.powf(gain / 20.0), 10f64.powf(ceiling / 20.0));
        let ahead = (self.rate / 250) as usize;
        let own: Vec<f64> =
            self.samples.iter().map(|s| gain.min(ceiling / f64::from(s.abs()).max(1e-9))).collect();
        let held = least_ahead(&own, 2 * ahead + 1);
        let release = 1.0 - (-1.0 / (0.06 * f64::from(self.rate))).exp();
        let attack = 1.0 - (-5.2 / ahead as f64).exp();
        let mut current = gain;
        let samples = (self.samples.iter().zip(own.iter().zip(held)))
            .map(|(sample, (own, held))| {
                current += (held - current) * if held < current { attack } else { release };
                current = current.min(*own);
                (f64::from(*sample) * current) as f32
            })
            .collect();
        Sound::new(self.rate, samples)
    }

    /// All of it: centred, trimmed, as loud as wanted.
    pub fn fitted(self, target: &Target) -> Sound {
        self.centred().trimmed(target.before, target.after).levelled(target)
    }

    /// A mono WAV file with 16 bits.
    pub fn to_wav(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(44 + self.samples.len() * 2);
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: self.rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::new(std::io::Cursor::new(&mut bytes), spec)
            .expect("a memory takes every header");
        for sample in &self.samples {
            let value = (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
            writer.write_sample(value).expect("a memory takes every sample");
        }
        writer.finalize().expect("a memory takes the sizes");
        bytes
    }
}

impl From<media::wav::Wave> for Sound {
    fn from(wave: media::wav::Wave) -> Sound {
        Sound::new(wave.rate, wave.samples)
    }
}

/// Left below the wanted peak for rounding to 16 bits, in dB.
const HEADROOM_DB: f64 = 0.05;
const ROUNDS: u32 = 8;
/// More gain than this beyond what a plain gain would take only flattens, in dB.
const PRESSED_DB: f64 = 6.0;

/// The least of each value and those after it, `width` in all.
fn least_ahead(values: &[f64], width: usize) -> Vec<f64> {
    let mut least = vec![0.0; values.len()];
    // Indices of values that rise from front to back; the front is the least of the window.
    let mut window: VecDeque<usize> = VecDeque::new();
    for at in (0..values.len()).rev() {
        while window.back().is_some_and(|&later| values[later] >= values[at]) {
            window.pop_back();
        }
        window.push_back(at);
        if window[0] >= at + width {
            window.pop_front();
        }
        least[at] = values[window[0]];
    }
    least
}

/// A second-order filter without resonance (Butterworth).
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
}

impl Biquad {
    /// `cutoff`: as a share of the rate.
    fn high_pass(cutoff: f64) -> Biquad {
        let (cos, alpha) = Biquad::angles(cutoff);
        Biquad::scaled([(1.0 + cos) / 2.0, -(1.0 + cos), (1.0 + cos) / 2.0], cos, alpha)
    }

    fn low_pass(cutoff: f64) -> Biquad {
        let (cos, alpha) = Biquad::angles(cutoff);
        Biquad::scaled([(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0], cos, alpha)
    }

    fn angles(cutoff: f64) -> (f64, f64) {
        let omega = 2.0 * PI * cutoff;
        (omega.cos(), omega.sin() / SQRT_2)
    }

    fn scaled(b: [f64; 3], cos: f64, alpha: f64) -> Biquad {
        let a0 = 1.0 + alpha;
        Biquad { b: b.map(|b| b / a0), a: [-2.0 * cos / a0, (1.0 - alpha) / a0] }
    }

    fn run(&self, samples: &mut [f32]) {
        let (mut z1, mut z2) = (0.0, 0.0);
        for sample in samples {
            let x = f64::from(*sample);
            let y = self.b[0] * x + z1;
            z1 = self.b[1] * x - self.a[0] * y + z2;
            z2 = self.b[2] * x - self.a[1] * y;
            *sample = y as f32;
        }
    }
}

pub fn mean_square(samples: &[f32]) -> f64 {
    samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len().max(1) as f64
}

/// Of a mean power; not below -100.
pub fn dbfs(power: f64) -> f64 {
    10.0 * power.max(1e-10).log10()
}

/// The value that `percent` of a hundred do not exceed.
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) * percent / 100).copied().unwrap_or(f64::NEG_INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TARGET: Target = Target {
        loudness: -19.0,
        peak: -3.0,
        before: Duration::from_millis(50),
        after: Duration::from_millis(100),
    };

    fn tone(rate: u32, hz: f64, amplitude: f64, seconds: f64) -> Vec<f32> {
        let turn = 2.0 * PI * hz / f64::from(rate);
        let count = (seconds * f64::from(rate)) as usize;
        (0..count).map(|i| (amplitude * (turn * i as f64).sin()) as f32).collect()
    }

    fn silence(rate: u32, seconds: f64) -> Vec<f32> {
        vec![0.0; (seconds * f64::from(rate)) as usize]
    }

    /// Reproducible noise, evenly spread.
    fn noise(amplitude: f32, count: usize) -> Vec<f32> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next() * amplitude).collect()
    }

    /// Bursts with pauses, and a peak far above the rest, as speech has.
    fn speech(rate: u32) -> Vec<f32> {
        let mut samples = vec![];
        for (i, amplitude) in [0.05, 0.3, 0.1, 0.02, 0.2, 0.9, 0.1].into_iter().enumerate() {
            samples.extend(tone(rate, 300.0 + 170.0 * i as f64, amplitude, 0.15));
            samples.extend(silence(rate, 0.05));
        }
        samples
    }

    #[test]
    fn silence_around_a_sound_is_cut_to_what_is_wanted() {
        for rate in [8000, 16_000, 48_000] {
            for (before, after) in [(1.0, 2.0), (0.0, 0.0), (0.02, 0.4)] {
                let sounding = tone(rate, 440.0, 0.3, 0.5);
                let all = [silence(rate, before), sounding, silence(rate, after)].concat();
                let trimmed = Sound::new(rate, all).trimmed(TARGET.before, TARGET.after);
                let length = trimmed.length().as_secs_f64();
                // The soft ends of a word are kept: up to 10 ms before it and 20 ms after.
                assert!((0.649..=0.691).contains(&length), "{rate} Hz, {before} s, {after} s: {length}");
                let sounding = trimmed.sounding().expect("a tone");
                let start = sounding.start as f64 / f64::from(rate);
                assert!(
                    (0.035..=0.061).contains(&start),
                    "{rate} Hz, {before} s, {after} s: begins at {start}"
                );
            }
        }
    }

    #[test]
    fn the_noise_of_a_room_is_no_sound() {
        let mut samples = noise(0.004, 16_000);
        for (sample, tone) in samples[6000..10_000].iter_mut().zip(tone(8000, 500.0, 0.3, 0.5)) {
            *sample += tone;
        }
        let found = Sound::new(8000, samples).sounding().expect("a tone");
        assert!((5840..=6000).contains(&found.start) && (10_000..=10_320).contains(&found.end), "{found:?}");
    }

    #[test]
    fn a_cut_through_sound_has_no_click() {
        let steady = noise(0.01, 8000);
        let louder = tone(8000, 500.0, 0.5, 0.3);
        let all = [steady.clone(), louder, steady].concat();
        let trimmed = Sound::new(8000, all).trimmed(TARGET.before, TARGET.after);
        assert!(trimmed.samples[0].abs() < 0.001, "{}", trimmed.samples[0]);
        assert!(trimmed.samples[trimmed.samples.len() - 1].abs() < 0.001);
    }

    #[test]
    fn every_sound_becomes_as_loud_as_wanted_and_none_exceeds_the_peak() {
        for rate in [8000, 16_000, 48_000] {
            for gain in [0.01, 0.1, 1.0, 1.1] {
                let samples = speech(rate).iter().map(|s| s * gain).collect();
                let levelled = Sound::new(rate, samples).levelled(&TARGET);
                let (loudness, peak) = (levelled.loudness(), levelled.true_peak());
                assert!((loudness + 19.0).abs() < 0.3, "{rate} Hz, times {gain}: {loudness:.2} LUFS");
                assert!(peak <= -3.0, "{rate} Hz, times {gain}: {peak:.2} dBTP");
            }
        }
    }

    #[test]
    fn a_click_is_turned_down_and_the_rest_stays() {
        let mut samples = tone(8000, 400.0, 0.15, 2.0);
        let rms = |s: &[f32]| dbfs(mean_square(s));
        samples[8000] = 1.0;
        let levelled = Sound::new(8000, samples.clone()).levelled(&TARGET);
        assert!(levelled.true_peak() <= -3.0);
        let (before, after) = (rms(&samples[..7000]), rms(&levelled.samples[..7000]));
        let (before_end, after_end) = (rms(&samples[12_000..]), rms(&levelled.samples[12_000..]));
        assert!(((after - before) - (after_end - before_end)).abs() < 0.1, "the same gain at both sides");
    }

    #[test]
    fn levelling_twice_changes_nothing_that_can_be_heard() {
        let once = Sound::new(8000, speech(8000)).fitted(&TARGET);
        let twice = once.clone().fitted(&TARGET);
        // An edge is found to 10 ms.
        assert!(once.samples.len().abs_diff(twice.samples.len()) <= 160);
        assert!((once.loudness() - twice.loudness()).abs() < 0.1);
        assert!((once.true_peak() - twice.true_peak()).abs() < 0.3);
    }

    #[test]
    fn silence_stays_silence() {
        let silent = Sound::new(8000, silence(8000, 1.0));
        assert_eq!(silent.sounding(), None);
        assert_eq!(silent.clone().fitted(&TARGET), silent);
        assert_eq!(Sound::new(8000, vec![]).fitted(&TARGET).samples, Vec::<f32>::new());
    }

    #[test]
    fn the_band_is_a_telephones() {
        // Hertz, and the least and the most that passes, in dB.
        for (hz, least, most) in [
            (50.0, -60.0, -20.0),
            (180.0, -3.5, -2.5),
            (1000.0, -0.5, 0.5),
            (3000.0, -3.0, 0.5),
            (3400.0, -3.5, -2.5),
        ] {
            let banded = Sound::new(8000, tone(8000, hz, 0.5, 1.0)).banded();
            let passes = dbfs(mean_square(&banded.samples[2000..])) - dbfs(0.125);
            assert!((least..=most).contains(&passes), "{hz} Hz: {passes:.2} dB");
        }
    }

    #[test]
    fn a_limiter_looks_at_the_least_that_comes() {
        let values: Vec<f64> = noise(1.0, 500).into_iter().map(f64::from).collect();
        for width in [1, 2, 7, 64, 1000] {
            let slow: Vec<f64> = (0..values.len())
                .map(|i| values[i..(i + width).min(values.len())].iter().copied().fold(f64::MAX, f64::min))
                .collect();
            assert_eq!(least_ahead(&values, width), slow, "{width}");
        }
    }

    #[test]
    fn a_wav_file_says_what_was_put_in() {
        let sound = Sound::new(16_000, speech(16_000));
        let read = media::wav::decode(&sound.to_wav()).expect("our own file");
        assert_eq!((read.rate, read.channels, read.samples.len()), (16_000, 1, sound.samples.len()));
        let off = read.samples.iter().zip(&sound.samples).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
        assert!(off <= 1.0 / 65_536.0 + 1e-6, "{off}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn nothing_clips_and_nothing_panics(
            samples in prop::collection::vec(-1.2f32..1.2, 0..4000),
            loudness in -30.0..-10.0f64,
            peak in -12.0..-0.5f64,
        ) {
            let target = Target { loudness, peak, ..TARGET };
            let fitted = Sound::new(8000, samples).fitted(&target);
            prop_assert!(fitted.true_peak() <= peak + 0.01, "{} above {peak}", fitted.true_peak());
            prop_assert!(fitted.samples.iter().all(|s| s.is_finite()));
        }
    }
}
