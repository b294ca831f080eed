//! Tones of one or two frequencies, and the keys of a telephone as such.

/// The level of a full-scale sine in dBm0 for G.711 (the overload point of mu-law; A-law's lies 0.03 dB lower).
const FULL_SCALE_DBM0: f64 = 3.17;

/// Fills `samples` at 8 kHz with one or two (the second above 0 Hz) sines of `dbm0` each, starting at sample `start`.
///
/// Whole frequencies repeat after 8000 samples exactly, so one second may be looped.
pub fn fill(samples: &mut [i16], start: u64, hz: [u16; 2], dbm0: i8) {
    let loudness = f64::from(i16::MAX) * 10f64.powf((f64::from(dbm0) - FULL_SCALE_DBM0) / 20.0);
    for (i, sample) in samples.iter_mut().enumerate() {
        let t = ((start + i as u64) % 8000) as f64 / 8000.0;
        let sum: f64 = hz
            .into_iter()
            .filter(|&f| f > 0)
            .map(|f| loudness * (std::f64::consts::TAU * f64::from(f) * t).sin())
            .sum();
        *sample = sum.round().clamp(-32768.0, 32767.0) as i16;
    }
}

/// The two frequencies of a key (ITU-T Q.23); None for what is on no telephone.
pub fn of_key(key: char) -> Option<[u16; 2]> {
    const KEYS: [&str; 4] = ["123A", "456B", "789C", "*0#D"];
    const LOW: [u16; 4] = [697, 770, 852, 941];
    const HIGH: [u16; 4] = [1209, 1336, 1477, 1633];
    let key = key.to_ascii_uppercase();
    KEYS.iter().enumerate().find_map(|(row, keys)| Some([LOW[row], HIGH[keys.find(key)?]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_milliwatt_is_as_loud_as_it_says() {
        let mut samples = [0; 8000];
        fill(&mut samples, 0, [1004, 0], 0);
        let power = samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / 8000.0;
        let dbm0 = 10.0 * (power / (32767f64.powi(2) / 2.0)).log10() + FULL_SCALE_DBM0;
        assert!(dbm0.abs() < 0.01, "{dbm0}");
    }

    #[test]
    fn goes_on_where_it_was() {
        let (mut whole, mut rest) = ([0; 320], [0; 160]);
        fill(&mut whole, 0, [697, 1209], -9);
        fill(&mut rest, 8160, [697, 1209], -9);
        assert_eq!(whole[160..], rest);
    }

    #[test]
    fn keys() {
        assert_eq!(of_key('1'), Some([697, 1209]));
        assert_eq!(of_key('#'), Some([941, 1477]));
        assert_eq!(of_key('d'), Some([941, 1633]));
        assert_eq!(of_key('x'), None);
    }
}
