//! WAV files of every kind become the same sound; those that cannot say what to do.
mod rig;
use hotline_core::SoundId;
use hotline_media::{Codec, Library, wav};
use rig::{decode, share_of};
use std::path::PathBuf;
use std::time::Duration;

/// One second of 1 kHz at half of full scale.
fn sine(rate: u32) -> Vec<f32> {
    let wave = |i| (std::f32::consts::TAU * 1000.0 * i as f32 / rate as f32).sin() * 0.5;
    (0..rate).map(wave).collect()
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = [&name[..], &(body.len() as u32).to_le_bytes(), body].concat();
    if body.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes
}

fn format(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut body = Vec::new();
    body.extend(tag.to_le_bytes());
    body.extend(channels.to_le_bytes());
    body.extend(rate.to_le_bytes());
    body.extend((rate * u32::from(block)).to_le_bytes());
    body.extend(block.to_le_bytes());
    body.extend(bits.to_le_bytes());
    chunk(b"fmt ", &body)
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [&b"RIFF"[..], &(body.len() as u32 + 4).to_le_bytes(), b"WAVE", &body].concat()
}

fn by_hound(rate: u32, channels: u16, bits: u16, float: bool) -> Vec<u8> {
    let sample_format = if float { hound::SampleFormat::Float } else { hound::SampleFormat::Int };
    let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).expect("in memory");
    for sample in sine(rate) {
        for _ in 0..channels {
            if float {
                writer.write_sample(sample).expect("in memory");
            } else {
                writer.write_sample((sample * ((1i64 << (bits - 1)) as f32)) as i32).expect("in memory");
            }
        }
    }
    writer.finalize().expect("in memory");
    bytes.into_inner()
}

fn companded(tag: u16) -> Vec<u8> {
    let code = |s: f32| {
        let s = (s * 32_768.0) as i16;
        if tag == 6 { rtp::g711::alaw_encode(s) } else { rtp::g711::ulaw_encode(s) }
    };
    sine(8000).into_iter().map(code).collect()
}

fn pcm(rate: u32) -> Vec<u8> {
    sine(rate).into_iter().flat_map(|s| ((s * 32_768.0) as i16).to_le_bytes()).collect()
}

#[test]
fn every_format_is_the_same_sound() {
    let mut files = Vec::new();
    for rate in [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] {
        for channels in [1, 2] {
            files.push((format!("{rate}/{channels}/16"), by_hound(rate, channels, 16, false)));
        }
    }
    files.push(("8 bits".into(), by_hound(8000, 1, 8, false)));
    files.push(("24 bits".into(), by_hound(48_000, 2, 24, false)));
    files.push(("32 bits".into(), by_hound(16_000, 1, 32, false)));
    files.push(("float".into(), by_hound(44_100, 2, 32, true)));
    files.push(("A-law".into(), riff(&[format(6, 1, 8000, 8), chunk(b"data", &companded(6))])));
    files.push(("mu-law".into(), riff(&[format(7, 1, 8000, 8), chunk(b"data", &companded(7))])));
    let mut odd = chunk(b"LIST", b"odd");
    files.push(("odd list".into(), riff(&[format(1, 1, 8000, 16), odd.clone(), chunk(b"data", &pcm(8000))])));
    odd.pop();
    let unpadded = riff(&[format(1, 1, 8000, 16), odd, chunk(b"data", &pcm(8000))]);
    files.push(("odd list without its pad".into(), unpadded));
    for size in [0xffff_ffffu32, 0x7fff_ffff, 0] {
        let mut streamed = riff(&[format(1, 1, 16_000, 16), chunk(b"data", &pcm(16_000))]);
        streamed[4..8].copy_from_slice(&size.to_le_bytes());
        streamed[40..44].copy_from_slice(&size.to_le_bytes());
        files.push((format!("size {size:x}"), streamed));
    }
    for (what, bytes) in files {
        let wave = wav::decode(&bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
        let samples = wave.telephone_samples().expect("resampled");
        assert!(samples.len().abs_diff(8000) <= 1, "{what}: {}", samples.len());
        let middle = &samples[400..7600];
        assert!(share_of(middle, 1000) > 0.998, "{what}: {}", share_of(middle, 1000));
        let power = middle.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / middle.len() as f64;
        assert!((power.sqrt() - 11_585.0).abs() < 250.0, "{what}: {}", power.sqrt());
        let told = wave.inspection();
        assert!(
            (told.peak_dbfs + 6.02).abs() < 0.3 && (told.rms_dbfs + 9.03).abs() < 0.3,
            "{what}: {told:?}"
        );
        assert!(told.length.abs_diff(Duration::from_secs(1)) < Duration::from_millis(1), "{what}");
    }
}

/// What lies above the telephone's band must not come back mirrored: 6 kHz would be heard at 2 kHz.
#[test]
fn resampling_leaves_no_mirror() {
    for rate in [16_000u32, 48_000] {
        let wave = |hz: f32| {
            let sample = |i: u32| (std::f32::consts::TAU * hz * i as f32 / rate as f32).sin() * 0.5;
            wav::Wave { rate, channels: 1, samples: (0..rate).map(sample).collect() }
        };
        let loudest = |hz: f32| {
            let samples = wave(hz).telephone_samples().expect("resampled");
            samples[400..7600].iter().map(|s| s.unsigned_abs()).max().expect("samples")
        };
        assert!(loudest(6000.0) < 40, "{rate}: {}", loudest(6000.0));
        assert!(loudest(3400.0).abs_diff(16_384) < 800, "{rate}: {}", loudest(3400.0));
    }
}

#[test]
fn an_inspection_finds_the_longest_silence() {
    let mut samples = vec![0.0; 4000];
    samples.extend(sine(8000));
    samples.extend(vec![0.001; 12_000]);
    samples.extend(sine(8000));
    let told = wav::Wave { rate: 8000, channels: 1, samples }.inspection();
    assert_eq!(told.longest_silence, Duration::from_millis(1500));
}

#[test]
fn a_library_holds_each_sound_in_both_codecs_or_names_every_file_that_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let good = file("good.wav", &by_hound(16_000, 1, 16, false));
    let companded = file("alaw.wav", &riff(&[format(6, 1, 8000, 8), chunk(b"data", &companded(6))]));
    let library = Library::load(&[good.clone(), companded]).expect("both are good");
    assert_eq!(library.length(SoundId(0)), Some(Duration::from_secs(1)));
    for sound in [SoundId(0), SoundId(1)] {
        for codec in [Codec::Pcmu, Codec::Pcma] {
            let samples: Vec<i16> = library.encoded(sound, codec).iter().map(|&c| decode(codec, c)).collect();
            assert!(share_of(&samples, 1000) > 0.99);
        }
    }
    assert_eq!((library.length(SoundId(2)), library.encoded(SoundId(2), Codec::Pcma)), (None, &[][..]));

    let broken = [
        (folder.path().join("absent.wav"), "cannot be read: No such file"),
        (file("text.wav", b"hello, this is no wave at all"), "is no WAV file; convert it: sox"),
        (file("cut.wav", &riff(&[format(1, 1, 8000, 16)])), "is broken: it has no sound"),
        (file("empty.wav", &riff(&[format(1, 1, 8000, 16), chunk(b"data", &[])])), "has no sound in it"),
        (
            file("slow.wav", &riff(&[format(1, 1, 4000, 16), chunk(b"data", &pcm(8000))])),
            "4000 samples a second",
        ),
        (file("six.wav", &riff(&[format(1, 6, 8000, 16), chunk(b"data", &pcm(8000))])), "has 6 channels"),
        (file("gsm.wav", &riff(&[format(49, 1, 8000, 0), chunk(b"data", &[1; 65])])), "format 49, 0 bits"),
    ];
    let files: Vec<PathBuf> = [good].into_iter().chain(broken.iter().map(|(f, _)| f.clone())).collect();
    let errors = Library::load(&files).expect_err("all but the first");
    assert_eq!(errors.len(), broken.len());
    for (error, (file, words)) in errors.iter().zip(&broken) {
        let text = error.to_string();
        assert!(text.starts_with(&file.display().to_string()) && text.contains(words), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn random_files_never_panic(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), cut in 0..300usize) {
        let _ = wav::decode(&bytes);
        // Half a truth: a good file with a random stretch in its heads.
        let mut file = riff(&[format(1, 2, 16_000, 24), chunk(b"LIST", b"x"), chunk(b"data", &[7; 120])]);
        bytes.truncate(12);
        for (i, byte) in bytes.iter().enumerate() {
            let at = (cut + i * 5) % file.len();
            file[at] = *byte;
        }
        file[..4].copy_from_slice(b"RIFF");
        file[8..12].copy_from_slice(b"WAVE");
        let _ = wav::decode(&file);
    }
}
