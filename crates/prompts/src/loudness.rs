//! How loud a sound is to a person: ITU-R BS.1770-4 and EBU R128, by the `ebur128` crate.

use ebur128::{EbuR128, Mode};

/// The length of the gate's blocks (BS.1770-4): less has no gated loudness.
const BLOCK_MS: usize = 400;

/// The loudness of one channel in LUFS; minus infinity of silence.
///
/// Integrated over gated blocks of 400 ms. A shorter sound has none of them: it is measured as a whole, with
/// the same weighting and without a gate.
pub fn loudness(rate: u32, samples: &[f32]) -> f64 {
    let gated = samples.len() * 1000 >= BLOCK_MS * rate as usize;
    let mode = if gated { Mode::I } else { Mode::M };
    let Some(meter) = meter(rate, samples, mode) else { return f64::NEG_INFINITY };
    let measured = match gated {
        true => meter.loudness_global(),
        false => meter.loudness_window((samples.len() * 1000 / rate as usize) as u32),
    };
    // A NaN would be neither louder nor softer than anything.
    measured.ok().filter(|l| !l.is_nan()).unwrap_or(f64::NEG_INFINITY)
}

/// The highest peak in dBTP, between the samples too (BS.1770-4, annex 2); minus infinity of silence.
pub fn true_peak(rate: u32, samples: &[f32]) -> f64 {
    let peak = meter(rate, samples, Mode::TRUE_PEAK).and_then(|m| m.true_peak(0).ok()).unwrap_or(0.0);
    20.0 * peak.log10()
}

fn meter(rate: u32, samples: &[f32], mode: Mode) -> Option<EbuR128> {
    let mut meter = EbuR128::new(1, rate, mode).ok()?;
    meter.add_frames_f32(samples).ok()?;
    Some(meter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    const RATES: [u32; 3] = [8000, 16_000, 48_000];

    /// A sine of 1 kHz at each of these levels (dBFS of the peak) for so many seconds.
    fn levels(rate: u32, parts: &[(f64, f64)]) -> Vec<f32> {
        let mut samples = vec![];
        for &(dbfs, seconds) in parts {
            let amplitude = 10f64.powf(dbfs / 20.0);
            let turn = 2.0 * PI * 1000.0 / f64::from(rate);
            let count = (seconds * f64::from(rate)).round() as usize;
            samples.extend((0..count).map(|i| (amplitude * (turn * i as f64).sin()) as f32));
        }
        samples
    }

    /// EBU Tech 3341, table 1, cases 1 to 5. Its signals are stereo; one channel of two carries 3.01 LU less.
    #[test]
    fn loudness_is_that_of_ebu_tech_3341() {
        type Case<'a> = (&'a [(f64, f64)], f64);
        let cases: [Case<'_>; 5] = [
            (&[(-23.0, 20.0)], -23.0),
            (&[(-33.0, 20.0)], -33.0),
            (&[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
            (&[(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0),
            (&[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
        ];
        for rate in RATES {
            for (n, (parts, stereo)) in cases.iter().enumerate() {
                let measured = loudness(rate, &levels(rate, parts)) + 10.0 * 2f64.log10();
                assert!((measured - stereo).abs() <= 0.1, "case {} at {rate} Hz: {measured:.2}", n + 1);
            }
        }
    }

    /// EBU Tech 3341, cases 15 to 18: a quarter, a sixth and an eighth of the rate between the samples.
    #[test]
    fn true_peak_is_that_of_ebu_tech_3341() {
        for (divisor, degrees) in [(4.0, 0.0), (4.0, 45.0), (6.0, 60.0), (8.0, 67.5)] {
            let samples: Vec<f32> = (0..8000)
                .map(|i| {
                    // A sudden beginning would ring above the tone.
                    let fade = (f64::from(i.min(7999 - i)) / 800.0).min(1.0);
                    (fade * 0.5 * (2.0 * PI * f64::from(i) / divisor + PI * degrees / 180.0).sin()) as f32
                })
                .collect();
            let measured = true_peak(8000, &samples);
            assert!((-6.4..=-5.8).contains(&measured), "rate/{divisor}, {degrees} degrees: {measured:.2}");
        }
    }

    #[test]
    fn a_sound_shorter_than_a_block_is_measured_as_a_whole() {
        for rate in RATES {
            for ms in [60.0, 150.0, 250.0, 399.0] {
                let measured = loudness(rate, &levels(rate, &[(-20.0, ms / 1000.0)]));
                assert!((measured + 23.0).abs() < 0.4, "{ms} ms at {rate} Hz: {measured:.2}");
            }
        }
    }

    #[test]
    fn silence_and_nothing_have_no_loudness() {
        for samples in [vec![], vec![0.0; 10], vec![0.0; 80_000]] {
            assert_eq!(loudness(8000, &samples), f64::NEG_INFINITY);
            assert_eq!(true_peak(8000, &samples), f64::NEG_INFINITY);
        }
        let broken = loudness(8000, &vec![f32::NAN; 8000]);
        assert!(!broken.is_nan(), "{broken}");
    }
}
