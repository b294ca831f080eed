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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use tempfile::TempDir;

    const MS: Duration = Duration::from_millis(1);
    const MESSAGE: TapeKind =
        TapeKind::Message { min: Duration::from_secs(1), silence: Duration::from_secs(2) };

    /// A reel whose frames lie where a test puts them.
    struct Bench {
        folder: TempDir,
        reel: Reel,
        began: Time,
    }

    fn bench(kind: TapeKind) -> Bench {
        let folder = TempDir::new().expect("a folder");
        let began = Time::from_secs(100);
        let tap = Arc::new(Tap::new(Clock::start()));
        let reel = Reel::start(folder.path().join("1.wav"), tap, kind, began).expect("a file");
        Bench { folder, reel, began }
    }

    impl Bench {
        /// A frame that was heard until `ms`.
        fn frame(&mut self, side: Side, ms: u64, level: i16) {
            let at = self.began + MS * u32::try_from(ms).expect("small");
            self.reel.frames.push(Frame { at, side, samples: [level; FRAME] });
        }

        fn speak(&mut self, side: Side, ms: std::ops::Range<u64>, level: i16) {
            ms.step_by(20).for_each(|ms| self.frame(side, ms + 20, level));
        }

        fn hear(&mut self, ms: u32) -> bool {
            self.reel.hear(self.began + MS * ms).expect("room on the disk")
        }

        /// What became of it, and the samples of each channel.
        fn finish(self, ms: u32, cut: u32) -> (TapeNews, Vec<Vec<i16>>) {
            let channels = self.reel.channels as usize;
            let news = self.reel.finish(self.began + MS * ms, MS * cut);
            assert!(!self.folder.path().join("1.part").exists());
            let Ok(bytes) = fs::read(self.folder.path().join("1.wav")) else { return (news, vec![]) };
            assert_eq!(bytes[40..44], u32::to_le_bytes(bytes.len() as u32 - 44));
            assert_eq!(bytes[4..8], u32::to_le_bytes(bytes.len() as u32 - 8));
            let all: Vec<i16> =
                bytes[44..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
            let one = |channel| all.iter().skip(channel).step_by(channels).copied().collect();
            (news, (0..channels).map(one).collect())
        }
    }

    fn kept(ms: u32) -> TapeNews {
        TapeNews::Kept { length: MS * ms, lost: Duration::ZERO }
    }

    #[test]
    fn a_message_ends_with_its_last_word() {
        let mut b = bench(MESSAGE);
        b.speak(Side::Left, 500..2000, 3000);
        b.speak(Side::Left, 2000..6000, 20);
        assert!(!b.hear(3900));
        assert!(b.hear(4000), "two seconds after the last word");
        assert!(!b.hear(4100), "told once");
        let (news, channels) = b.finish(6000, 0);
        assert_eq!(news, kept(2200));
        assert_eq!(channels[0].len(), 17_600);
        assert!(channels[0][..4000].iter().all(|&s| s == 0) && channels[0][4000] == 3000);
        assert_eq!((channels[0][15_999], channels[0][16_000]), (3000, 20));
    }

    #[test]
    fn the_key_that_ends_it_is_cut_off() {
        let mut b = bench(MESSAGE);
        b.speak(Side::Left, 0..1500, 3000);
        b.speak(Side::Left, 2900..3000, 9000);
        let (news, channels) = b.finish(3000, 150);
        assert_eq!(news, kept(1700));
        assert!(!channels[0].contains(&9000));
    }

    #[test]
    fn what_is_short_or_silent_is_no_message() {
        for (spoken, level) in [(0..0, 3000), (0..700, 3000), (0..3000, 20), (2900..2980, 3000)] {
            let mut b = bench(MESSAGE);
            b.speak(Side::Left, spoken.clone(), level);
            b.hear(2000);
            let (news, channels) = b.finish(3000, 0);
            assert_eq!((news, channels.len()), (TapeNews::Empty, 0), "{spoken:?} {level}");
        }
    }

    #[test]
    fn two_sides_lie_where_they_were_heard() {
        let mut b = bench(TapeKind::Call);
        b.speak(Side::Left, 0..1000, 100);
        b.speak(Side::Right, 400..600, 200);
        b.speak(Side::Left, 3000..3500, 100);
        // In the middle of it all, as the writer does.
        b.reel.frames.sort_by_key(|frame| frame.at);
        b.hear(2000);
        let (news, channels) = b.finish(4000, 0);
        assert_eq!(news, kept(4000));
        let spans = |samples: &[i16]| -> Vec<(usize, usize)> {
            let loud: Vec<usize> = (0..samples.len()).filter(|&i| samples[i] != 0).collect();
            loud.chunk_by(|a, b| a + 1 == *b).map(|c| (c[0] / 8, (c[c.len() - 1] + 1) / 8)).collect()
        };
        assert_eq!(spans(&channels[0]), [(0, 1000), (3000, 3500)]);
        assert_eq!(spans(&channels[1]), [(400, 600)]);
    }

    /// The network holds frames up and lets them go at once: their order and length stay.
    #[test]
    fn frames_that_come_in_heaps_stay_together() {
        let mut b = bench(TapeKind::Call);
        for ms in (20..=1000u64).step_by(20) {
            b.frame(Side::Left, ms.div_ceil(80) * 80, 100);
        }
        let (_, channels) = b.finish(1200, 0);
        let loud = channels[0].iter().filter(|&&s| s != 0).count();
        assert_eq!(loud, 8000, "not one is lost");
        let first = channels[0].iter().position(|&s| s != 0).expect("sound");
        assert!(channels[0][first..first + 8000].iter().all(|&s| s != 0), "and no hole between");
    }

    /// A far end whose clock runs wild cannot make a file of any length.
    #[test]
    fn a_flood_of_frames_is_left_out() {
        let mut b = bench(TapeKind::Call);
        for _ in 0..10_000 {
            b.frame(Side::Left, 500, 100);
        }
        b.hear(600);
        let (news, channels) = b.finish(1000, 0);
        assert_eq!(news, kept(1000));
        assert!(channels[0].len() == 8000);
    }

    #[test]
    fn a_file_that_is_there_is_never_written_over() {
        let b = bench(TapeKind::Call);
        let (folder, path) = (b.folder.path().to_owned(), b.folder.path().join("1.wav"));
        fs::write(&path, b"another").expect("a file");
        let tap = Arc::new(Tap::new(Clock::start()));
        assert!(Reel::start(folder.join("1.wav"), tap, TapeKind::Call, Time::ZERO).is_err());
        assert_eq!(fs::read(path).expect("a file"), b"another");
    }

    #[test]
    fn a_full_disk_costs_the_file() {
        let tap = Arc::new(Tap::new(Clock::start()));
        let folder = TempDir::new().expect("a folder");
        let mut reel =
            Reel::start(folder.path().join("1.wav"), tap, TapeKind::Call, Time::ZERO).expect("a file");
        // The kernel's own full disk.
        reel.file = OpenOptions::new().write(true).open("/dev/full").expect("Linux has one");
        let heard = (1..100).find_map(|s| reel.hear(Time::from_secs(s)).err());
        assert_eq!(heard.map(|e| e.kind()), Some(io::ErrorKind::StorageFull));
        assert!(matches!(reel.finish(Time::from_secs(100), Duration::ZERO), TapeNews::Failed { .. }));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
