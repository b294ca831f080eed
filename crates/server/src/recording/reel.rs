use super::UNFINISHED;
use super::tap::{FRAME, Frame, Side, Tap};
use engine::{TapeKind, TapeNews};
use hotline_core::Time;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Samples a second.
const RATE: u64 = 8000;
/// A frame later than this against the ones before it (100 ms) shows a gap, which stays silent.
const LATE: u64 = 800;
/// A side that runs ahead of the clock by more (200 ms) leaves frames out.
const AHEAD: u64 = 1600;
/// How long a place in the file waits for its sound: half a second.
const WAIT: u64 = 4000;
/// Bytes written at once.
const BLOCK: usize = 32 << 10;
const HEADER: u64 = 44;
/// A frame louder than this on average (root of the mean square), about -40 dBm0, is no silence.
const LOUD: i64 = 160;
/// A message has at least so many loud frames (100 ms); less is a click.
const LOUD_MIN: usize = 5;
/// What is left of the silence after the last word: 200 ms.
const REST: u64 = 1600;

/// One file while it is written. Sound lies at its moment since the start; where there was none lies silence.
pub(super) struct Reel {
    path: PathBuf,
    part: PathBuf,
    file: File,
    tap: Arc<Tap>,
    started: Time,
    kind: TapeKind,
    channels: u64,
    /// Where the next frame of each side lies, in samples since the start.
    next: [u64; 2],
    /// Samples of each channel that went into `bytes` already.
    settled: u64,
    /// From `settled` on; channels side by side.
    open: Vec<i16>,
    bytes: Vec<u8>,
    /// Places of loud frames, by frames since the start.
    loud: Vec<u32>,
    told: bool,
    frames: Vec<Frame>,
}

impl Reel {
    pub fn start(path: PathBuf, tap: Arc<Tap>, kind: TapeKind, at: Time) -> io::Result<Reel> {
        if path.exists() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let part = path.with_extension(UNFINISHED);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        let channels = match kind {
            TapeKind::Message { .. } => 1,
            TapeKind::Call => 2,
        };
        file.write_all(&header(channels, 0))?;
        Ok(Reel {
            path,
            part,
            file,
            tap,
            started: at,
            kind,
            channels,
            next: [0; 2],
            settled: 0,
            open: Vec::new(),
            bytes: Vec::with_capacity(BLOCK),
            loud: Vec::new(),
            told: false,
            frames: Vec::new(),
        })
    }

    /// Writes what has come. True, once: a message has been silent for as long as it may.
    pub fn hear(&mut self, now: Time) -> io::Result<bool> {
        self.collect();
        let now = self.samples_at(now);
        self.settle(now.saturating_sub(WAIT));
        if self.bytes.len() >= BLOCK {
            self.file.write_all(&self.bytes)?;
            self.bytes.clear();
        }
        let TapeKind::Message { silence, .. } = self.kind else { return Ok(false) };
        let since = self.loud.last().map_or(0, |&frame| (u64::from(frame) + 1) * FRAME as u64);
        let silent = now.saturating_sub(since) >= samples(silence);
        Ok(silent && !std::mem::replace(&mut self.told, true))
    }

    /// The whole file gets its name; a message that is none goes.
    pub fn finish(mut self, at: Time, cut: Duration) -> TapeNews {
        match self.close(at, cut) {
            Ok(Some(length)) => TapeNews::Kept { length, lost: self.tap.lost() },
            Ok(None) => {
                self.discard();
                TapeNews::Empty
            }
            Err(error) => {
                self.discard();
                super::failed(&error)
            }
        }
    }

    pub fn discard(self) {
        let _ = fs::remove_file(&self.part);
    }

    /// The length; None when there is nothing to keep.
    fn close(&mut self, at: Time, cut: Duration) -> io::Result<Option<Duration>> {
        self.collect();
        let mut end = self.samples_at(at).saturating_sub(samples(cut));
        if let TapeKind::Message { min, .. } = self.kind {
            self.loud.retain(|&frame| (u64::from(frame) + 1) * FRAME as u64 <= end);
            let last = self.loud.last().map_or(0, |&frame| (u64::from(frame) + 1) * FRAME as u64);
            end = end.min(last + REST);
            if self.loud.len() < LOUD_MIN || end < samples(min) {
                return Ok(None);
            }
        }
        self.settle(end);
        self.file.write_all(&self.bytes)?;
        self.bytes.clear();
        let data = end * self.channels * 2;
        self.file.set_len(HEADER + data)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header(self.channels, data))?;
        self.file.sync_all()?;
        fs::rename(&self.part, &self.path)?;
        Ok(Some(Duration::from_millis(end * 1000 / RATE)))
    }

    fn samples_at(&self, at: Time) -> u64 {
        samples(at.since(self.started))
    }

    /// Lays what has come at its place.
    fn collect(&mut self) {
        let mut frames = std::mem::take(&mut self.frames);
        self.tap.take(&mut frames);
        for Frame { at, side, samples } in frames.drain(..) {
            // It was heard until `at`.
            let Some(due) = self.samples_at(at).checked_sub(FRAME as u64) else { continue };
            let side = usize::from(side == Side::Right);
            let place = if due > self.next[side] + LATE { due } else { self.next[side] };
            if place > due + AHEAD {
                continue;
            }
            self.next[side] = place + FRAME as u64;
            if side == 0 && is_loud(&samples) {
                self.loud.push((place / FRAME as u64) as u32);
            }
            self.lay(place, side.min(self.channels as usize - 1), &samples);
        }
        self.frames = frames;
    }

    fn lay(&mut self, place: u64, channel: usize, samples: &[i16]) {
        let channels = self.channels as usize;
        for (place, sample) in (place..).zip(samples) {
            // Too late: that place has been written.
            let Some(at) = place.checked_sub(self.settled) else { continue };
            let at = at as usize * channels + channel;
            if at >= self.open.len() {
                self.open.resize((at / channels + 1) * channels, 0);
            }
            self.open[at] = *sample;
        }
    }

    /// What lies before `end` is as it is.
    fn settle(&mut self, end: u64) {
        let Some(count) = end.checked_sub(self.settled).filter(|count| *count > 0) else { return };
        let count = (count * self.channels) as usize;
        if self.open.len() < count {
            self.open.resize(count, 0);
        }
        self.bytes.extend(self.open.drain(..count).flat_map(i16::to_le_bytes));
        self.settled = end;
    }
}

fn is_loud(samples: &[i16]) -> bool {
    let energy: i64 = samples.iter().map(|&s| i64::from(s) * i64::from(s)).sum();
    energy > LOUD * LOUD * samples.len() as i64
}

fn samples(length: Duration) -> u64 {
    u64::try_from(length.as_nanos() * u128::from(RATE) / 1_000_000_000).unwrap_or(u64::MAX)
}

/// Of a WAV file with `data` bytes of 16-bit samples.
fn header(channels: u64, data: u64) -> [u8; HEADER as usize] {
    let mut header = [0; HEADER as usize];
    let data = u32::try_from(data).unwrap_or(u32::MAX - 36);
    let (channels, rate) = (channels as u16, RATE as u32);
    let parts: [&[u8]; 13] = [
        b"RIFF",
        &(data + 36).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16u32.to_le_bytes(),
        &1u16.to_le_bytes(),
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * u32::from(channels) * 2).to_le_bytes(),
        &(channels * 2).to_le_bytes(),
        &16u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    let mut at = 0;
    for part in parts {
        header[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    header
}
