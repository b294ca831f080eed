//! Call records and the event log, in one SQLite file written by its own thread.
//!
//! The engine thread hands over records and events and never waits: between it and the writer lies a queue
//! with a limit. When it is full, events are dropped and counted; call records have room kept for them. The
//! writer puts what waits into one transaction at a time (WAL, synced). A disk that is full or slow is a
//! counted, visible error: the batch is kept and tried again, nothing is written twice.
//!
//! *Invariant:* exactly one row per call id; the event log is never changed (triggers refuse it); one
//! `Store` per file (a lock beside it); readers have their own read-only connection and block nobody.
mod queue;
mod reader;
mod schema;
mod writer;

use engine::{CallRecord, Kept, LogEvent, Version};
use hotline_core::Time;
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use queue::Counts;
pub use reader::{
    PathStep, Query, Reader, StoredCall, StoredConsent, StoredEvent, StoredLeg, StoredMark, StoredMedia,
    StoredRecording, StoredSurvey, StoredVersion, StoredVisit,
};

use queue::{Item, Queue};

/// How a [`Store`] behaves; the default serves a node of 2,000 calls.
#[derive(Clone, Debug)]
pub struct Options {
    /// Records and events that may wait to be written.
    pub waiting_max: usize,
    /// The part of `waiting_max` that events never take.
    pub kept_for_calls: usize,
    /// Most records and events in one transaction.
    pub batch_max: usize,
    /// How long a first item waits for company before it is written: each transaction waits for the disk.
    pub linger: Duration,
    /// How long a statement waits while another program holds the file.
    pub busy_timeout: Duration,
    /// First wait after a failed write; it doubles up to `retry_max`.
    pub retry: Duration,
    pub retry_max: Duration,
    /// Attempts that `close` makes with a file that refuses writes, before it gives up.
    pub close_attempts: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            waiting_max: 16_384,
            kept_for_calls: 4_096,
            batch_max: 512,
            linger: Duration::from_millis(50),
            busy_timeout: Duration::from_secs(2),
            retry: Duration::from_millis(100),
            retry_max: Duration::from_secs(5),
            close_attempts: 3,
        }
    }
}

/// A configuration that came into use, or went out of it.
#[derive(Clone, Debug)]
pub struct VersionNews {
    pub at: Time,
    pub version: Version,
    /// "started", "reloaded", "canary-started", "canary-promoted", "canary-aborted", "rolled-back".
    pub what: &'static str,
    pub by: String,
}

/// The writing side; clones are one store. The last one dropped closes it.
#[derive(Clone, Debug)]
pub struct Store {
    open: Arc<Open>,
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    queue: Arc<Queue>,
    last_call: AtomicU64,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Held for as long as the store is open; the system frees it when the process dies.
    lock: File,
}

impl Store {
    /// Opens or creates the file at `path`, with its folders, readable by this user alone. `epoch_unix`:
    /// the second since 1970 at which the engine's time was zero.
    ///
    /// # Errors
    /// [`Error`] says which file and what is wrong with it: not ours, of a newer version, in use, or the
    /// system's reason.
    pub fn open(path: &Path, epoch_unix: i64) -> Result<Store, Error> {
        Store::open_with(path, epoch_unix, Options::default())
    }

    /// [`Store::open`] with other limits.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn open_with(path: &Path, epoch_unix: i64, options: Options) -> Result<Store, Error> {
        let lock = prepare(path)?;
        let connection = schema::open(path, options.busy_timeout)?;
        let last_call = schema::last_call_id(&connection).map_err(|e| Error::sqlite(path, &e))?;
        let queue = Arc::new(Queue::new(options.waiting_max, options.kept_for_calls, options.batch_max));
        let writer = writer::spawn(connection, epoch_unix, options, Arc::clone(&queue))
            .map_err(|e| Error::io(path, e))?;
        Ok(Store {
            open: Arc::new(Open {
                path: path.to_owned(),
                queue,
                last_call: AtomicU64::new(last_call),
                writer: Mutex::new(Some(writer)),
                lock,
            }),
        })
    }

    /// Takes a call's record for writing; never waits. False when there was no room: it is lost and counted.
    pub fn record(&self, record: CallRecord) -> bool {
        self.open.last_call.fetch_max(record.call.0, Ordering::Relaxed);
        self.open.queue.push(Item::Call(Box::new(record)))
    }

    /// Takes an event for writing; never waits. False when there was no room: it is lost and counted.
    pub fn event(&self, event: LogEvent) -> bool {
        if let Some(call) = event.call {
            self.open.last_call.fetch_max(call.0, Ordering::Relaxed);
        }
        self.open.queue.push(Item::Event(event))
    }

    /// Takes what must outlast the engine; never waits. False when there was no room: it is lost and counted.
    pub fn keep(&self, kept: Kept) -> bool {
        let call = match &kept {
            Kept::Callback(request) => Some(request.call),
            Kept::Message(message) => Some(message.call),
            Kept::AnnouncementOn(_)
            | Kept::AnnouncementOff(_)
            | Kept::MessageHeard { .. }
            | Kept::MessageGone(_) => None,
        };
        if let Some(call) = call {
            self.open.last_call.fetch_max(call.0, Ordering::Relaxed);
        }
        self.open.queue.push(Item::Kept(kept))
    }

    /// Takes what became of a configuration for writing; never waits. False: no room, lost and counted.
    pub fn version(&self, news: VersionNews) -> bool {
        self.open.queue.push(Item::Version(news))
    }

    /// The highest call id ever seen here, in records or events; 0 in a new file.
    pub fn last_call_id(&self) -> u64 {
        self.open.last_call.load(Ordering::Relaxed)
    }

    /// Waits until all that was taken so far is on the disk.
    ///
    /// # Errors
    /// [`Error::Unwritten`] as soon as an attempt to write it fails; the writer goes on trying.
    pub fn flush(&self) -> Result<(), Error> {
        self.open.queue.flush().map_err(Error::Unwritten)
    }

    pub fn counts(&self) -> Counts {
        self.open.queue.counts()
    }

    /// Records and events that came here and will never be in the file, for whatever reason.
    pub fn dropped(&self) -> u64 {
        let c = self.counts();
        c.calls_dropped + c.events_dropped + c.calls_twice + c.refused + c.lost
    }

    /// Why the last attempt to write failed, until one succeeds.
    pub fn trouble(&self) -> Option<String> {
        self.open.queue.trouble()
    }

    /// The file may not grow beyond `bytes` (in whole pages, never below its size now); what finds no room
    /// waits and is tried again. It holds from the next transaction on.
    pub fn limit_bytes(&self, bytes: u64) {
        self.open.queue.limit_bytes(bytes);
    }

    /// A reader of this store.
    ///
    /// # Errors
    /// As for [`Reader::open`].
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&self.open.path)
    }

    /// Writes what waits and closes the file, for all clones; what comes later is dropped and counted. What
    /// cannot be written in `Options::close_attempts` is given up and counted in [`Counts::lost`].
    pub fn close(self) -> Counts {
        self.open.close();
        self.counts()
    }
}

impl Open {
    fn close(&self) {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = writer.join();
            let _ = self.lock.unlock();
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}

/// Folders, the lock, and the file itself, private to this user: records hold personal data.
fn prepare(path: &Path) -> Result<File, Error> {
    let mut folder = DirBuilder::new();
    let mut file = OpenOptions::new();
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        folder.mode(0o700);
        file.mode(0o600);
    }
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        folder.recursive(true).create(parent).map_err(|e| Error::io(parent, e))?;
    }
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let lock = file.open(&lock_path).map_err(|e| Error::io(&lock_path, e))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Err(Error::InUse(path.to_owned())),
        Err(std::fs::TryLockError::Error(e)) => return Err(Error::io(&lock_path, e)),
    }
    file.open(path).map_err(|e| Error::io(path, e))?;
    Ok(lock)
}

/// What is wrong, with which file, and what to do.
#[derive(Debug)]
pub enum Error {
    /// A database of another program, or no database.
    NotOurs(PathBuf),
    /// Written by a later version of this program.
    Newer {
        path: PathBuf,
        version: u32,
        known: u32,
    },
    /// Another process has it open for writing.
    InUse(PathBuf),
    /// Readers only: there is no store yet.
    Missing(PathBuf),
    Io(PathBuf, io::Error),
    Sqlite(PathBuf, String),
    /// `flush`: the writer cannot write now; what waits is kept and tried again.
    Unwritten(String),
}

impl Error {
    fn io(path: &Path, e: io::Error) -> Error {
        Error::Io(path.to_owned(), e)
    }

    fn sqlite(path: &Path, e: &rusqlite::Error) -> Error {
        use rusqlite::ErrorCode;
        match e.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Error::NotOurs(path.to_owned()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::InUse(path.to_owned()),
            _ => Error::Sqlite(path.to_owned(), e.to_string()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotOurs(path) => {
                let path = path.display();
                write!(f, "{path}: not a store of this program; name another file, or move this one away")
            }
            Error::Newer { path, version, known } => write!(
                f,
                "{}: written by a newer version of this program (schema {version}, this one knows {known}); \
                 run the newer version",
                path.display()
            ),
            Error::InUse(path) => {
                write!(f, "{}: in use by another process; end it, or name another file", path.display())
            }
            Error::Missing(path) => write!(f, "{}: no store here; the engine makes it", path.display()),
            Error::Io(path, e) => write!(f, "{}: {e}", path.display()),
            Error::Sqlite(path, e) => write!(f, "{}: {e}", path.display()),
            Error::Unwritten(e) => write!(f, "cannot write now, will be tried again: {e}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(_, e) => Some(e),
            _ => None,
        }
    }
}
