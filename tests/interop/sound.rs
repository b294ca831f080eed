//! Tones made and found: who hears whom is asked of the sound itself.
use std::f64::consts::TAU;
use std::path::Path;

pub const RATE: u32 = 8000;
/// Samples in the stretch of sound that is judged: 200 ms.
const STRETCH: usize = 1600;

/// A tone of `hz` at about -13 dBFS.
pub fn tone(hz: u32, ms: u32) -> Vec<i16> {
    (0..RATE * ms / 1000).map(|n| sample(hz, n)).collect()
}

/// Sample `n` of a tone that has always been there.
pub fn sample(hz: u32, n: u32) -> i16 {
    let turns = f64::from(hz) * f64::from(n % RATE) / f64::from(RATE);
    ((TAU * turns).sin() * 7000.0) as i16
}

/// Milliseconds in which `hz` alone is heard.
pub fn heard_ms(sound: &[i16], hz: u32) -> u32 {
    let stretches = sound.chunks_exact(STRETCH).filter(|stretch| is(stretch, hz)).count();
    stretches as u32 * STRETCH as u32 * 1000 / RATE
}

/// Whether the last 200 ms are this tone.
pub fn ends_with(sound: &[i16], hz: u32) -> bool {
    sound.len() >= STRETCH && is(&sound[sound.len() - STRETCH..], hz)
}

/// Most of the power lies at `hz`, give or take 10 Hz (Goertzel), and there is some.
fn is(sound: &[i16], hz: u32) -> bool {
    let total: f64 = sound.iter().map(|s| f64::from(*s).powi(2)).sum();
    if total / (sound.len() as f64) < 200.0 * 200.0 {
        return false;
    }
    let (mut re, mut im) = (0.0, 0.0);
    for (n, s) in sound.iter().enumerate() {
        let angle = TAU * f64::from(hz) * n as f64 / f64::from(RATE);
        re += f64::from(*s) * angle.cos();
        im += f64::from(*s) * angle.sin();
    }
    2.0 * (re * re + im * im) / sound.len() as f64 > 0.6 * total
}

pub fn write_wav(path: &Path, sound: &[i16]) {
    let bytes = (sound.len() * 2) as u32;
    let mut file = Vec::with_capacity(44 + bytes as usize);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + bytes).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(RATE * 2).to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&bytes.to_le_bytes());
    sound.iter().for_each(|s| file.extend_from_slice(&s.to_le_bytes()));
    std::fs::write(path, file).expect("a WAV file is written");
}

/// 16-bit WAV at a multiple of 8 kHz, one channel, thinned to 8 kHz (tones below 3 kHz need no filter).
/// A recording that is still written may have no length yet, or no head at all (linphone, at 8 kHz).
pub fn read_wav(path: &Path) -> Vec<i16> {
    let file = std::fs::read(path).unwrap_or_default();
    if file.len() < 44 {
        return vec![];
    }
    let data = file.windows(4).take(200).position(|w| w == b"data").map_or(44, |at| at + 8);
    let step = u32::from_le_bytes(file[24..28].try_into().expect("four bytes")) / RATE;
    let samples = file[data..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]]));
    samples.step_by(step.max(1) as usize).collect()
}
