//! Files as they are now: when they were written, and what is in them.
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// SHA-256 of what is in a file; None: it cannot be read.
pub type Print = Option<[u8; 32]>;

/// When a file was written, since 1970, and its length.
type Stamp = Option<(Duration, u64)>;

fn stamp(meta: &Metadata) -> Stamp {
    Some((meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?, meta.len()))
}

/// When files were written.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Stamps(Vec<Stamp>);

impl Stamps {
    pub fn of(files: &[PathBuf]) -> Stamps {
        Stamps(files.iter().map(|f| std::fs::metadata(f).ok().as_ref().and_then(stamp)).collect())
    }

    /// Whether one was written between these two moments.
    pub fn any_since(&self, from: Duration, to: Duration) -> bool {
        self.0.iter().flatten().any(|(at, _)| (from..=to).contains(at))
    }

    pub fn all_there(files: &[PathBuf]) -> bool {
        files.iter().all(|f| f.exists())
    }
}

/// What is in files, read again only when they were written.
#[derive(Debug)]
pub struct Prints {
    /// Names in a version are relative to it.
    root: PathBuf,
    known: HashMap<PathBuf, (Stamp, Print)>,
}

/// Files remembered; beyond it is forgotten what was.
const KNOWN_MAX: usize = 100_000;

impl Prints {
    pub fn new(root: &Path) -> Prints {
        Prints { root: plain(root), known: HashMap::new() }
    }

    pub fn of(&mut self, files: &[PathBuf]) -> Vec<Print> {
        files.iter().map(|f| self.print(f)).collect()
    }

    fn print(&mut self, file: &Path) -> Print {
        let now = std::fs::metadata(file).ok().as_ref().and_then(stamp);
        if let Some((then, print)) = self.known.get(file)
            && now.is_some()
            && *then == now
        {
            return *print;
        }
        let print = std::fs::read(file).ok().map(|bytes| Sha256::digest(bytes).into());
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(file.to_owned(), (now, print));
        print
    }

    /// The hash of a version of these files: twelve digits that change with any name or content.
    ///
    /// TOML files are read anew each time, for two saves within one tick of the clock look alike.
    pub fn version(&mut self, toml: &[PathBuf], sounds: &[PathBuf]) -> Arc<str> {
        for file in toml {
            self.known.remove(file);
        }
        let mut parts: Vec<(String, Print)> =
            toml.iter().chain(sounds).map(|file| (name(file, &self.root), self.print(file))).collect();
        parts.sort();
        parts.dedup();
        let mut all = Sha256::new();
        for (name, print) in parts {
            all.update((name.len() as u64).to_be_bytes());
            all.update(name);
            all.update(print.unwrap_or_default());
        }
        hex(&all.finalize()[..6]).into()
    }
}

/// As it is called within the installation; what lies outside has its whole path.
pub fn name(file: &Path, root: &Path) -> String {
    let file = plain(file);
    file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned()
}

/// Absolute and without `..`, by the words alone.
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    // The folder of `hotline.toml` is the empty path: that is here.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether it could be the beginning of a version's hash.
pub fn is_hash(text: &str) -> bool {
    (4..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_without_a_name_is_here() {
        let here = std::env::current_dir().expect("tests run somewhere");
        assert_eq!(plain(Path::new("")), here);
        assert_eq!(name(Path::new("config/hotline.toml"), &plain(Path::new(""))), "config/hotline.toml");
    }

    #[test]
    fn a_version_changes_with_every_file_and_name_and_not_with_the_place() {
        let version_in = |change: &dyn Fn(&Path)| {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            std::fs::create_dir_all(at("config")).unwrap();
            for (name, text) in [("config/hotline.toml", "a"), ("config/agents.toml", "b"), ("one.wav", "c")]
            {
                std::fs::write(at(name), text).unwrap();
            }
            change(folder.path());
            let toml = [at("config/../config/hotline.toml"), at("config/agents.toml")];
            let sounds = [if at("two.wav").exists() { at("two.wav") } else { at("one.wav") }];
            Prints::new(&at("config/..")).version(&toml, &sounds)
        };
        let first = version_in(&|_| {});
        assert_eq!(first.len(), 12);
        assert_eq!(first, version_in(&|_| {}), "the same files elsewhere");
        let changes: [&dyn Fn(&Path); 4] = [
            &|f| std::fs::write(f.join("config/agents.toml"), "B").unwrap(),
            &|f| std::fs::write(f.join("one.wav"), "C").unwrap(),
            &|f| std::fs::rename(f.join("one.wav"), f.join("two.wav")).unwrap(),
            &|f| std::fs::remove_file(f.join("config/agents.toml")).unwrap(),
        ];
        for (i, change) in changes.iter().enumerate() {
            assert_ne!(first, version_in(change), "change {i}");
        }
    }

    #[test]
    fn saves_within_one_tick_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        let mut prints = Prints::new(folder.path());
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..100u8 {
            std::fs::write(&file, [b'a' + i % 26, i]).unwrap();
            seen.insert(prints.version(std::slice::from_ref(&file), &[]));
        }
        assert_eq!(seen.len(), 100);
    }
}
