//! Copies of the versions that were served, so that one can be served again.
//!
//! `versions/HASH/` beside the store holds TOML, calendars, tests and the sounds, which versions share by hard links,
//! as they lie to each other: from the folder on below which all of them are.
use super::files::{Prints, hex, is_hash, name, plain};
use super::{Files, Serving};
use engine::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// Versions kept; of more, those that were served longest ago go.
const KEPT_MAX: usize = 50;
const MANIFEST: &str = "version.json";

/// A version that can be read again.
#[derive(Clone, Debug)]
pub struct Kept {
    pub version: Version,
    pub root: PathBuf,
    pub main: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    hash: String,
    commit: Option<String>,
    /// Below the root.
    main: String,
    /// Of each sound below the root, what is in it.
    sounds: BTreeMap<String, String>,
}

#[derive(Debug)]
pub struct Versions {
    folder: PathBuf,
    /// Sounds that are kept, by what is in them.
    sounds: BTreeMap<String, PathBuf>,
}

impl Versions {
    /// In the folder of the store.
    pub fn beside(store: &Path) -> Versions {
        let folder = plain(store.parent().unwrap_or(Path::new(""))).join("versions");
        Versions { folder, sounds: BTreeMap::new() }
    }

    /// Copies a version, unless it is here, and forgets the oldest ones.
    ///
    /// # Errors
    /// The file that cannot be copied, in words.
    pub fn keep(
        &mut self,
        version: &Version,
        main: &Path,
        root: &Path,
        files: &Files,
        prints: &mut Prints,
    ) -> Result<(), String> {
        let place = self.folder.join(&*version.hash);
        if let Some(manifest) = manifest(&place) {
            self.remember(&place, &manifest);
            self.touch(&version.hash);
            return Ok(());
        }
        let unready = self.folder.join(format!("{}.new", version.hash));
        let copied = self.copy(&unready, version, main, root, files, prints).and_then(|manifest| {
            // What a broken run has left has no manifest: it is in the way.
            let _ = fs::remove_dir_all(&place);
            fs::rename(&unready, &place)?;
            Ok(manifest)
        });
        match copied {
            Ok(manifest) => self.remember(&place, &manifest),
            Err(error) => {
                let _ = fs::remove_dir_all(&unready);
                return Err(format!(
                    "version {version} cannot be kept in {}: {error}",
                    self.folder.display()
                ));
            }
        }
        self.prune();
        Ok(())
    }

    fn copy(
        &self,
        to: &Path,
        version: &Version,
        main: &Path,
        root: &Path,
        files: &Files,
        prints: &mut Prints,
    ) -> io::Result<Manifest> {
        // Prompts and calendars may lie above the installation: what is kept begins where all of it lies below.
        let mut root = plain(root);
        for file in files.toml.iter().chain(&files.tests).chain(&files.sounds).map(|f| plain(f)) {
            while !file.starts_with(&root) && root.pop() {}
        }
        let _ = fs::remove_dir_all(to);
        // Files of agents may hold passwords.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(to)?;
        // A copy lies below the version's folder or is not made: onto itself, it would empty the original.
        let inside = |file: &Path| {
            let below = plain(file).strip_prefix(&root).ok().map(|_| name(file, &root))?;
            Path::new(&below).components().all(|c| matches!(c, Component::Normal(_))).then_some(below)
        };
        let snapshots = files.tests.iter().map(|t| t.with_extension("").with_extension("snapshot.json"));
        for file in files.toml.iter().chain(&files.tests).cloned().chain(snapshots).filter(|f| f.is_file()) {
            if let Some(below) = inside(&file) {
                write(&to.join(below), &fs::read(&file)?)?;
            }
        }
        let mut sounds = BTreeMap::new();
        for (file, print) in files.sounds.iter().zip(prints.of(&files.sounds)) {
            let (Some(below), Some(print)) = (inside(file), print.map(|p| hex(&p))) else { continue };
            let copy = to.join(&below);
            if let Some(folder) = copy.parent() {
                fs::create_dir_all(folder)?;
            }
            let linked = self.sounds.get(&print).is_some_and(|kept| fs::hard_link(kept, &copy).is_ok());
            if !linked {
                fs::copy(file, &copy)?;
            }
            sounds.insert(below, print);
        }
        let manifest = Manifest {
            hash: version.hash.to_string(),
            commit: version.commit.as_deref().map(str::to_owned),
            main: inside(main).ok_or_else(|| io::Error::other("its main file lies outside its root"))?,
            sounds,
        };
        write(&to.join(MANIFEST), &serde_json::to_vec_pretty(&manifest)?)?;
        Ok(manifest)
    }

    fn remember(&mut self, place: &Path, manifest: &Manifest) {
        self.sounds =
            manifest.sounds.iter().map(|(below, print)| (print.clone(), place.join(below))).collect();
    }

    /// It was served just now.
    pub fn touch(&self, hash: &str) {
        let path = self.folder.join(hash).join(MANIFEST);
        if let Ok(bytes) = fs::read(&path) {
            let _ = write(&path, &bytes);
        }
    }

    /// The one whose hash begins so.
    ///
    /// # Errors
    /// None, or several: in words.
    pub fn find(&self, wanted: &str) -> Result<Kept, String> {
        let wanted = wanted.split('@').next().unwrap_or_default().to_lowercase();
        const HELP: &str = "  help: `hotline versions` lists them; name one by its first digits, four at least, or `previous`";
        if !is_hash(&wanted) {
            return Err(format!("`{wanted}` is no version\n{HELP}"));
        }
        let all = self.by_age();
        let mut found = all.iter().rev().filter(|(hash, _)| hash.starts_with(&wanted));
        match (found.next(), found.next()) {
            (Some((hash, _)), None) => self.kept(hash),
            (Some((one, _)), Some((other, _))) => Err(format!("`{wanted}` may be {one} or {other}\n{HELP}")),
            (None, _) => Err(format!("version {wanted} is not kept here (the last {KEPT_MAX} are)\n{HELP}")),
        }
    }

    /// The one that was served before.
    ///
    /// # Errors
    /// There is none.
    pub fn before(&self, serving: &Serving) -> Result<Kept, String> {
        if let Some(previous) = &serving.previous {
            return self.find(&previous.hash);
        }
        let all = self.by_age();
        match all.iter().rfind(|(hash, _)| **hash != *serving.current.hash) {
            Some((hash, _)) => self.kept(hash),
            None => Err("no version was served before this one".into()),
        }
    }

    fn kept(&self, hash: &str) -> Result<Kept, String> {
        let root = self.folder.join(hash);
        let manifest = manifest(&root).ok_or_else(|| format!("{} holds no version", root.display()))?;
        let version = Version { hash: manifest.hash.into(), commit: manifest.commit.map(Into::into) };
        Ok(Kept { version, main: root.join(manifest.main), root })
    }

    /// Oldest first: hash, and when it was served last.
    fn by_age(&self) -> Vec<(String, SystemTime)> {
        let served = |folder: fs::DirEntry| {
            let hash = folder.file_name().into_string().ok().filter(|h| is_hash(h))?;
            Some((hash, fs::metadata(folder.path().join(MANIFEST)).ok()?.modified().ok()?))
        };
        let mut all: Vec<_> =
            fs::read_dir(&self.folder).into_iter().flatten().filter_map(|f| served(f.ok()?)).collect();
        all.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        all
    }

    fn prune(&self) {
        let all = self.by_age();
        for (hash, _) in all.iter().take(all.len().saturating_sub(KEPT_MAX)) {
            let _ = fs::remove_dir_all(self.folder.join(hash));
        }
    }
}

fn manifest(place: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(place.join(MANIFEST)).ok()?).ok()
}

/// For this user alone.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, bytes)
}
