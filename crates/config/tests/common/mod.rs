//! A good installation in a folder of its own, to be changed and loaded.
#![allow(dead_code, reason = "each test file uses its part")]
use hotline_config::{Loaded, Secrets, load};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// 2026-11-23T00:00:00Z.
pub const NOW: i64 = 1_795_392_000;

pub struct Installation {
    folder: tempfile::TempDir,
}

/// Passwords that are not in the process's environment.
pub struct Passwords;

impl Secrets for Passwords {
    fn env(&self, name: &str) -> Option<String> {
        match name {
            "HOTLINE_ALICE" => Some("wonderland".into()),
            "CRM_TOKEN" => Some("s3same".into()),
            "TWO_LINES" => Some("s3same\r\nX-Admin: 1".into()),
            _ => None,
        }
    }
    fn file(&self, path: &Path) -> io::Result<String> {
        if path.ends_with("secrets/bob") {
            Ok("builder\n".into())
        } else if path.ends_with("secrets/two-lines") {
            Ok("one\ntwo\n".into())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

pub const PROMPTS: [&str; 10] = [
    "welcome-standard",
    "welcome-enterprise",
    "choose-language",
    "choose-topic",
    "enter-customer-number",
    "no-input",
    "invalid-key",
    "closed",
    "sorry",
    "music",
];

impl Installation {
    pub fn good() -> Installation {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let installation = Installation { folder };
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/good"), &installation.root());
        for language in ["cmn", "en"] {
            let digits =
                ivr::say::fragments_of(ivr::SayKind::Digits, language).into_iter().map(|(name, _)| name);
            for prompt in PROMPTS.into_iter().chain(digits) {
                installation.wav(&format!("prompts/{language}/{prompt}.wav"), 8000, 16, |i| {
                    if i % 20 < 10 { 0.3 } else { -0.3 }
                });
            }
        }
        // Cantonese has one recording of its own; the rest is Mandarin.
        installation.wav("prompts/yue/sorry.wav", 16000, 24, |i| if i % 40 < 20 { 0.3 } else { -0.3 });
        installation
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub fn load(&self) -> Loaded {
        load(&self.root().join("config/hotline.toml"), &Passwords, NOW)
    }

    /// The report, with paths as seen from the root.
    pub fn report(&self) -> String {
        let prefix = format!("{}/", self.root().display());
        self.load().report().to_string().replace(&prefix, "")
    }

    pub fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.root().join(file), bytes).expect("the folder is writable");
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.root().join(file)).expect("the file is there")
    }

    pub fn remove(&self, file: &str) {
        fs::remove_file(self.root().join(file)).expect("the file is there");
    }

    /// Replaces the one place where `from` stands.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(from).count(), 1, "{from:?} stands once in {file}");
        self.write(file, text.replace(from, to));
    }

    /// A second of sound.
    pub fn wav(&self, file: &str, rate: u32, bits: u16, sample: impl Fn(u32) -> f32) {
        let path = self.root().join(file);
        fs::create_dir_all(path.parent().expect("files lie in folders")).expect("the folder is writable");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).expect("the folder is writable");
        let full = ((1i64 << (bits - 1)) - 1) as f32;
        for i in 0..rate {
            writer.write_sample((sample(i) * full) as i32).expect("the folder is writable");
        }
        writer.finalize().expect("the folder is writable");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is writable");
    for entry in fs::read_dir(from).expect("the sample is there") {
        let entry = entry.expect("the sample is there");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the folder is writable");
        }
    }
}
