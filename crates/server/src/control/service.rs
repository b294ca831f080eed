use super::protocol::{AgentChange, Answer, REQUEST_BYTES_MAX, Request, Show, Status};
use crate::board::Board;
use crate::machine::Line;
use crate::reload::{Reloads, Serving, What};
use crate::wire::Wire;
use engine::{Command, Input};
use hotline_core::CallId;
use serde::Serialize;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::{Query, Reader, Store};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Operators connected at once.
const CONNECTIONS_MAX: usize = 64;
/// A connection that asks nothing, or takes no answer, for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// What the control socket answers from.
#[derive(Clone, Debug)]
pub struct Service {
    pub line: Line,
    pub board: Arc<Board>,
    pub wire: Wire<Input>,
    pub store: Option<Kept>,
    /// None: this engine keeps what it was started with.
    pub reloads: Option<Reloads>,
}

/// The store as its writer has it, and where it lies for readers.
#[derive(Clone, Debug)]
pub struct Kept {
    pub store: Arc<Store>,
    pub path: PathBuf,
}

/// Binds the socket for its owner alone. A file left by an engine that is gone is replaced; an engine
/// that answers there is an error.
pub fn bind(path: &Path) -> Result<UnixListener, ControlError> {
    let failed = |error| ControlError { path: path.to_owned(), error: Some(error) };
    match fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => {
            return Err(failed(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "a file that is no socket is in its place",
            )));
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
            return Err(ControlError { path: path.to_owned(), error: None });
        }
        _ => {}
    }
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // Never open to others, not even for the moment between binding and changing its mode: it gets its
    // name when it is ready, and takes the place of an old one in the same step.
    let unready = path.with_extension(format!("{}.new", std::process::id()));
    let _ = fs::remove_file(&unready);
    let listener = UnixListener::bind(&unready).map_err(failed)?;
    fs::set_permissions(&unready, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    fs::rename(&unready, path).map_err(failed)?;
    Ok(listener)
}

/// Serves operators until the runtime ends.
pub async fn serve(listener: UnixListener, service: Service) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = free.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let service = service.clone();
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, &service).await {
                        tracing::debug!(%error, "control connection");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a control connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, service: &Service) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = REQUEST_BYTES_MAX as u64;
        timeout(IDLE_MAX, (&mut reader).take(limit).read_until(b'\n', &mut line)).await??;
        if line.is_empty() {
            return Ok(());
        }
        let (answer, more) = match serde_json::from_slice(&line) {
            _ if line.last() != Some(&b'\n') && line.len() >= REQUEST_BYTES_MAX => {
                (Answer::Error(format!("a request has at most {REQUEST_BYTES_MAX} bytes")), false)
            }
            Ok(request) => (service.answer(request).await, true),
            Err(error) => (Answer::Error(format!("not a request: {error}")), true),
        };
        let mut bytes = serde_json::to_vec(&answer)?;
        bytes.push(b'\n');
        timeout(IDLE_MAX, writer.write_all(&bytes)).await??;
        if !more {
            return Ok(());
        }
    }
}

impl Service {
    pub async fn answer(&self, request: Request) -> Answer {
        match request {
            Request::Show(show) => self.show(show).await,
            Request::Agent { name: agent, state, by } => {
                let command = match state {
                    AgentChange::Ready => Command::AgentReady { agent, by },
                    AgentChange::Pause { reason } => Command::AgentPause { agent, reason, by },
                    AgentChange::Logout => Command::AgentLogout { agent, by },
                };
                self.line.ask(command).await.into()
            }
            Request::Announce { name, length_ms, reason, by } => {
                let length = length_ms.map(Duration::from_millis);
                self.line.ask(Command::Announce { name, length, reason, by }).await.into()
            }
            Request::Retract { name, by } => self.line.ask(Command::Retract { name, by }).await.into(),
            Request::Reload { canary, tests, by } => self.reload(What::Reload { canary, tests }, by).await,
            Request::Rollback { version, tests, by } => {
                self.reload(What::Rollback { version, tests }, by).await
            }
            Request::Promote { by } => self.reload(What::Promote, by).await,
            Request::Abort { by } => self.reload(What::Abort, by).await,
            Request::MarkMessage { mailbox, id, heard, by } => {
                self.line.ask(Command::MarkMessage { mailbox, id, heard, by }).await.into()
            }
            Request::DeleteMessage { mailbox, id, by } => {
                self.line.ask(Command::DeleteMessage { mailbox, id, by }).await.into()
            }
            Request::HangUp { call, by } => {
                self.line.ask(Command::HangUp { call: CallId(call), by }).await.into()
            }
        }
    }

    async fn reload(&self, what: What, by: String) -> Answer {
        match &self.reloads {
            Some(reloads) => reloads.ask(what, by).await,
            None => Answer::Error("this engine keeps what it was started with".into()),
        }
    }

    async fn show(&self, show: Show) -> Answer {
        match show {
            Show::Calls => Answer::Calls(self.board.calls().into_iter().map(Into::into).collect()),
            Show::Agents => Answer::Agents(self.board.agents().into_iter().map(Into::into).collect()),
            Show::Queues => self.line.ask(Command::ShowQueues).await.into(),
            Show::Timers => self.line.ask(Command::ShowTimers).await.into(),
            Show::Registrations => self.line.ask(Command::ShowRegistrations).await.into(),
            Show::Status => match Answer::from(self.line.ask(Command::Status).await) {
                Answer::Status(status) => Answer::Status(self.with_traffic(status)),
                answer => answer,
            },
            Show::Announcements => self.line.ask(Command::ShowAnnouncements).await.into(),
            Show::Callbacks => self.line.ask(Command::ShowCallbacks).await.into(),
            Show::Messages { mailbox } => self.line.ask(Command::ShowMessages { mailbox }).await.into(),
            Show::Flows { flow } => self.line.ask(Command::ShowFlows { flow }).await.into(),
            Show::Records { limit, call } => {
                self.stored(move |kept| kept.read(|reader| reader.calls(query(limit, call)), Answer::Records))
                    .await
            }
            Show::Versions { limit } => {
                let serving = self.reloads.as_ref().map(Reloads::serving).unwrap_or_default();
                match self.stored(move |kept| kept.read(|r| r.versions(limit), Answer::Versions)).await {
                    Answer::Versions(rows) => Answer::Versions(with_state(rows, &serving)),
                    answer => answer,
                }
            }
            Show::Events { limit, call } => {
                self.stored(move |kept| kept.read(|reader| reader.events(query(limit, call)), Answer::Events))
                    .await
            }
        }
    }

    fn with_traffic(&self, status: Status) -> Status {
        let traffic = self.wire.traffic();
        let counts = self.store.as_ref().map(|kept| kept.store.counts()).unwrap_or_default();
        Status {
            sip_received: traffic.received.load(Ordering::Relaxed),
            sip_sent: traffic.sent.load(Ordering::Relaxed),
            sip_unsent: traffic.unsent.load(Ordering::Relaxed),
            sip_refused: traffic.refused.load(Ordering::Relaxed),
            sip_dropped: self.line.inbox.dropped(),
            store_lost: counts.calls_dropped + counts.events_dropped + counts.refused + counts.lost,
            store_trouble: self.store.as_ref().and_then(|kept| kept.store.trouble()),
            ..status
        }
    }

    /// Reads the store beside the runtime, which must not wait for a disk.
    async fn stored(&self, read: impl FnOnce(&Kept) -> Answer + Send + 'static) -> Answer {
        let Some(kept) = self.store.clone() else {
            return Answer::Error("this engine keeps no records".into());
        };
        match tokio::task::spawn_blocking(move || read(&kept)).await {
            Ok(answer) => answer,
            Err(_) => Answer::Error("the store could not be read; the log says why".into()),
        }
    }
}

impl Kept {
    fn read<R: Serialize>(
        &self,
        ask: impl FnOnce(&Reader) -> Result<Vec<R>, store::Error>,
        answer: impl FnOnce(Vec<serde_json::Value>) -> Answer,
    ) -> Answer {
        // What has just happened is to be seen; where it cannot be written, what was written before is.
        let _ = self.store.flush();
        read_store(&self.path, ask, answer)
    }
}

/// Says of each version which it is now: current, canary, previous.
fn with_state(mut rows: Vec<serde_json::Value>, serving: &Serving) -> Vec<serde_json::Value> {
    let known = [
        ("previous", serving.previous.as_ref()),
        ("canary", serving.canary.as_ref()),
        ("current", Some(&serving.current)),
    ];
    for row in &mut rows {
        for (state, version) in known {
            if let Some(version) = version
                && row.get("hash").and_then(|h| h.as_str()) == Some(&*version.hash)
            {
                row["state"] = state.into();
            }
        }
    }
    rows
}

fn query(limit: u32, call: Option<u64>) -> Query {
    Query { limit, call: call.map(CallId), ..Query::default() }
}

/// What the store at `path` holds, without its engine.
pub fn read_file(path: &Path, show: &Show) -> Option<Answer> {
    match *show {
        Show::Records { limit, call } => {
            Some(read_store(path, |r| r.calls(query(limit, call)), Answer::Records))
        }
        Show::Versions { limit } => Some(read_store(path, |r| r.versions(limit), Answer::Versions)),
        Show::Events { limit, call } => {
            Some(read_store(path, |r| r.events(query(limit, call)), Answer::Events))
        }
        _ => None,
    }
}

fn read_store<R: Serialize>(
    path: &Path,
    ask: impl FnOnce(&Reader) -> Result<Vec<R>, store::Error>,
    answer: impl FnOnce(Vec<serde_json::Value>) -> Answer,
) -> Answer {
    let rows = match Reader::open(path).and_then(|reader| ask(&reader)) {
        Ok(rows) => rows,
        Err(error) => return Answer::Error(error.to_string()),
    };
    match rows.into_iter().map(serde_json::to_value).collect() {
        Ok(values) => answer(values),
        Err(error) => Answer::Error(error.to_string()),
    }
}

/// A control socket that could not be bound. No error: another engine answers there.
#[derive(Debug)]
pub struct ControlError {
    pub path: PathBuf,
    pub error: Option<io::Error>,
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.error {
            None => write!(
                f,
                "an engine is running already: it answers at {path}\n  help: `hotline show status` asks it how it is; \
                 another installation needs its own `control` under [engine] in hotline.toml"
            ),
            Some(error) => write!(
                f,
                "cannot make the control socket {path}: {error}\n  help: see `control` under [engine] in hotline.toml"
            ),
        }
    }
}

impl std::error::Error for ControlError {}
