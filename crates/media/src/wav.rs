//! WAV files: what is in them, and their sound as a telephone takes it.

use rtp::g711;
use rubato::audioadapter_buffers::owned::InterleavedOwned;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, WindowFunction};
use std::fmt;
use std::io::{Cursor, Read};
use std::path::Path;
use std::time::Duration;

/// A decoded file: channels mixed down to one, samples from -1 to 1.
#[derive(Clone, PartialEq, Debug)]
pub struct Wave {
    /// Samples a second, 8000 to 48000.
    pub rate: u32,
    /// As in the file: 1 or 2.
    pub channels: u16,
    pub samples: Vec<f32>,
}

/// What is worth knowing of a prompt before callers hear it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Inspection {
    pub rate: u32,
    pub channels: u16,
    pub length: Duration,
    /// The loudest sample against full scale; 0 is clipped or nearly so, minus infinity is silence.
    pub peak_dbfs: f32,
    /// Mean power against that of a full-scale square wave.
    pub rms_dbfs: f32,
    /// The longest stretch below [`SILENCE_DBFS`].
    pub longest_silence: Duration,
}

/// Below this a stretch counts as silent.
pub const SILENCE_DBFS: f32 = -50.0;
pub const RATE_MIN: u32 = 8000;
pub const RATE_MAX: u32 = 48_000;
pub const CHANNELS_MAX: u16 = 2;
/// Larger files are refused; this is more than 20 minutes of 48 kHz stereo.
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// The rate of the telephone network.
const TELEPHONE_RATE: u32 = 8000;

/// Why a file is no sound for callers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The operating system's reason.
    Unreadable(String),
    NotWav,
    TooLarge,
    /// No samples.
    Empty,
    /// Broken off or contradictory; where.
    Broken(&'static str),
    Rate(u32),
    Channels(u16),
    /// Format tag and bits of each sample.
    Encoding {
        tag: u16,
        bits: u16,
    },
}

/// Reads a file: PCM of 8 to 32 bits, float of 32, A-law, mu-law.
pub fn read(path: &Path) -> Result<Wave, Error> {
    let unreadable = |e: std::io::Error| Error::Unreadable(e.to_string());
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Error::TooLarge);
    }
    decode(&bytes)
}

/// Reads a file and says what is in it.
pub fn inspect(path: &Path) -> Result<Inspection, Error> {
    Ok(read(path)?.inspection())
}

/// Decodes a whole WAV file.
///
/// `hound` reads most; what it refuses (A-law, mu-law, odd lists of chunks, a size left open by a program that
/// streamed) is walked here.
pub fn decode(bytes: &[u8]) -> Result<Wave, Error> {
    if bytes.len() < 12 || &bytes[..4] != b"RIFF" || &bytes[8..12] != b"WAVE" {
        return Err(Error::NotWav);
    }
    let (rate, channels, interleaved) = match decode_with_hound(bytes) {
        Some(decoded) => decoded,
        None => decode_by_chunks(bytes)?,
    };
    if !(RATE_MIN..=RATE_MAX).contains(&rate) {
        return Err(Error::Rate(rate));
    }
    if !(1..=CHANNELS_MAX).contains(&channels) {
        return Err(Error::Channels(channels));
    }
    let width = usize::from(channels);
    let mix = |frame: &[f32]| {
        frame.iter().map(|s| if s.is_finite() { *s } else { 0.0 }).sum::<f32>() / width as f32
    };
    let samples: Vec<f32> = interleaved.chunks_exact(width).map(mix).collect();
    if samples.is_empty() {
        return Err(Error::Empty);
    }
    Ok(Wave { rate, channels, samples })
}

impl Wave {
    /// As 16-bit samples at 8 kHz.
    pub fn telephone_samples(&self) -> Result<Vec<i16>, Error> {
        let to_16_bits = |s: &f32| (s * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
        if self.rate == TELEPHONE_RATE {
            return Ok(self.samples.iter().map(to_16_bits).collect());
        }
        Ok(self.at_rate(TELEPHONE_RATE)?.iter().map(to_16_bits).collect())
    }

    /// Its samples at another rate, 8000 to 48000. They may exceed 1 a little where the sound is near full scale.
    pub fn at_rate(&self, rate: u32) -> Result<Vec<f32>, Error> {
        if self.rate == rate {
            return Ok(self.samples.clone());
        }
        if !(RATE_MIN..=RATE_MAX).contains(&rate) {
            return Err(Error::Rate(rate));
        }
        let ratio = f64::from(rate) / f64::from(self.rate);
        // The filter's edge is as steep at the new rate whatever the file's.
        let taps = 128 * self.rate.div_ceil(rate) as usize;
        let filter = SincInterpolationParameters::new(taps, WindowFunction::BlackmanHarris2);
        let length = self.samples.len();
        let resample = || -> Option<Vec<f32>> {
            let mut resampler =
                Async::<f32>::new_sinc(ratio, 1.0, &filter, 1024, 1, FixedAsync::Input).ok()?;
            let input = InterleavedOwned::new_from(self.samples.clone(), 1, length).ok()?;
            Some(resampler.process_all(&input, length, None).ok()?.take_data())
        };
        resample().ok_or(Error::Rate(self.rate))
    }

    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.samples.len() as f64 / f64::from(self.rate))
    }

    pub fn inspection(&self) -> Inspection {
        let peak = self.samples.iter().fold(0.0f32, |max, s| max.max(s.abs()));
        let power = self.samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
        let rms = (power / self.samples.len().max(1) as f64).sqrt() as f32;
        // By stretches of 10 ms, so that a wave's crossing of zero is no silence and a click no sound.
        let stretch = (self.rate / 100) as usize;
        let (mut longest, mut silent) = (0, 0);
        for part in self.samples.chunks(stretch) {
            let power = part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32;
            silent = if dbfs(power.sqrt()) < SILENCE_DBFS { silent + part.len() } else { 0 };
            longest = longest.max(silent);
        }
        Inspection {
            rate: self.rate,
            channels: self.channels,
            length: self.length(),
            peak_dbfs: dbfs(peak),
            rms_dbfs: dbfs(rms),
            longest_silence: Duration::from_secs_f64(longest as f64 / f64::from(self.rate)),
        }
    }
}

fn dbfs(amplitude: f32) -> f32 {
    20.0 * amplitude.log10()
}

type Decoded = (u32, u16, Vec<f32>);

fn decode_with_hound(bytes: &[u8]) -> Option<Decoded> {
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).ok()?;
    let spec = reader.spec();
    let samples: Result<Vec<f32>, _> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect(),
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample - 1)) as f32;
            reader.samples::<i32>().map(|s| s.map(|s| s as f32 * scale)).collect()
        }
    };
    // No samples: the size was left at 0 by a program that streamed.
    samples.ok().filter(|s| !s.is_empty()).map(|s| (spec.sample_rate, spec.channels, s))
}

fn decode_by_chunks(bytes: &[u8]) -> Result<Decoded, Error> {
    let mut format = None;
    for (name, body) in chunks(bytes) {
        match &name {
            b"fmt " => format = Some(Format::parse(body).ok_or(Error::Broken("its format"))?),
            b"data" => {
                let format: Format = format.ok_or(Error::Broken("the format is missing before the sound"))?;
                return Ok((format.rate, format.channels, format.samples(body)?));
            }
            _ => {}
        }
    }
    Err(Error::Broken("it has no sound"))
}

/// Chunks by name. A size that runs past the end (a program that streamed writes 0xffffffff or 0) means: to the end.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = &bytes[12..];
    std::iter::from_fn(move || {
        let (head, body) = rest.split_at_checked(8)?;
        let name = [head[0], head[1], head[2], head[3]];
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let open = size == 0 && &name == b"data";
        let size = if open { body.len() } else { size.min(body.len()) };
        // Odd chunks are padded; some writers forget, and then a name begins where the pad should be.
        let pad = size & 1 & usize::from(body.get(size).is_some_and(|&b| b == 0));
        rest = &body[size + pad..];
        Some((name, &body[..size]))
    })
}

#[derive(Clone, Copy)]
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

impl Format {
    fn parse(body: &[u8]) -> Option<Format> {
        let u16_at = |at: usize| Some(u16::from_le_bytes([*body.get(at)?, *body.get(at + 1)?]));
        let mut tag = u16_at(0)?;
        if tag == EXTENSIBLE {
            tag = u16_at(24)?;
        }
        let rate = u32::from(u16_at(4)?) | u32::from(u16_at(6)?) << 16;
        Some(Format { tag, channels: u16_at(2)?, rate, bits: u16_at(14)? })
    }

    fn samples(self, data: &[u8]) -> Result<Vec<f32>, Error> {
        let from_16_bits = |s: i16| f32::from(s) / 32_768.0;
        Ok(match (self.tag, self.bits) {
            (PCM, 8) => data.iter().map(|&b| (f32::from(b) - 128.0) / 128.0).collect(),
            (PCM, 16) => {
                data.chunks_exact(2).map(|b| from_16_bits(i16::from_le_bytes([b[0], b[1]]))).collect()
            }
            (PCM, 24) => {
                let wide = |b: &[u8]| i32::from_le_bytes([0, b[0], b[1], b[2]]) as f32 / 2_147_483_648.0;
                data.chunks_exact(3).map(wide).collect()
            }
            (PCM, 32) => {
                let wide = |b: &[u8]| i32::from_le_bytes([b[0], b[1], b[2], b[3]]) as f32 / 2_147_483_648.0;
                data.chunks_exact(4).map(wide).collect()
            }
            (FLOAT, 32) => {
                data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            (ALAW, 8) => data.iter().map(|&c| from_16_bits(g711::alaw_decode(c))).collect(),
            (ULAW, 8) => data.iter().map(|&c| from_16_bits(g711::ulaw_decode(c))).collect(),
            (tag, bits) => return Err(Error::Encoding { tag, bits }),
        })
    }
}

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const ALAW: u16 = 6;
const ULAW: u16 = 7;
const EXTENSIBLE: u16 = 0xfffe;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CONVERT: &str = "convert it: sox IN.wav -r 16000 -c 1 -b 16 OUT.wav";
        match self {
            Error::Unreadable(why) => write!(f, "cannot be read: {why}"),
            Error::NotWav => write!(f, "is no WAV file; {CONVERT}"),
            Error::TooLarge => write!(f, "is larger than {} MiB; split or shorten it", FILE_BYTES_MAX >> 20),
            Error::Empty => write!(f, "has no sound in it; record it again"),
            Error::Broken(what) => write!(f, "is broken: {what}; write it again"),
            Error::Rate(rate) => {
                write!(f, "has {rate} samples a second; {RATE_MIN} to {RATE_MAX} can be played; {CONVERT}")
            }
            Error::Channels(n) => write!(f, "has {n} channels; one or two can be played; {CONVERT}"),
            Error::Encoding { tag, bits } => {
                write!(f, "is encoded in a way (format {tag}, {bits} bits) that cannot be played; {CONVERT}")
            }
        }
    }
}

impl std::error::Error for Error {}
