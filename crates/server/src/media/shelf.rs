use ::media::Library;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where media threads find their sounds, and others put new ones while calls go on.
#[derive(Debug)]
pub struct Shelf {
    /// How many libraries lay here: what a media thread compares before it takes the lock.
    edition: AtomicU64,
    libraries: Mutex<Libraries>,
}

#[derive(Debug)]
struct Libraries {
    now: Arc<Library>,
    /// Kept until the next change, so that its memory is given back by whoever changes, not by a media thread.
    before: Option<Arc<Library>>,
}

impl Shelf {
    pub fn new(library: Library) -> Shelf {
        let libraries = Libraries { now: Arc::new(library), before: None };
        Shelf { edition: AtomicU64::new(1), libraries: Mutex::new(libraries) }
    }

    /// The library of now.
    pub fn library(&self) -> Arc<Library> {
        self.lock().now.clone()
    }

    /// Commands given from now on find the sounds of this library.
    pub fn put(&self, library: Library) {
        let mut libraries = self.lock();
        let before = std::mem::replace(&mut libraries.now, Arc::new(library));
        let oldest = libraries.before.replace(before);
        drop(libraries);
        self.edition.fetch_add(1, Ordering::Release);
        drop(oldest);
    }

    /// The library, when it is another than that of the edition `seen`, which is brought up to date.
    pub(super) fn news(&self, seen: &mut u64) -> Option<Arc<Library>> {
        let edition = self.edition.load(Ordering::Acquire);
        (edition != std::mem::replace(seen, edition)).then(|| self.library())
    }

    fn lock(&self) -> MutexGuard<'_, Libraries> {
        self.libraries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
