use super::protocol::{ANSWER_BYTES_MAX, Answer, Request};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
const RELOAD_PATIENCE: Duration = Duration::from_secs(600);

/// Asks the engine behind `socket` one thing and waits for its answer.
pub fn ask(socket: &Path, request: &Request) -> Result<Answer, AskError> {
    let patience = match request {
        // The tests run before it is answered, and perhaps those of reloads that wait already.
        Request::Reload { .. }
        | Request::Rollback { .. }
        | Request::Promote { .. }
        | Request::Abort { .. } => RELOAD_PATIENCE,
        _ => PATIENCE,
    };
    ask_within(patience, socket, request)
}

fn ask_within(patience: Duration, socket: &Path, request: &Request) -> Result<Answer, AskError> {
    let failed = |error| AskError::Broken { socket: socket.to_owned(), error };
    let mut stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            AskError::NotRunning { socket: socket.to_owned() }
        }
        io::ErrorKind::PermissionDenied => AskError::NotAllowed { socket: socket.to_owned() },
        _ => failed(error),
    })?;
    stream.set_read_timeout(Some(patience)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut line = serde_json::to_vec(request).map_err(|e| failed(e.into()))?;
    line.push(b'\n');
    stream.write_all(&line).map_err(failed)?;
    let mut answer = String::new();
    BufReader::new(stream.take(ANSWER_BYTES_MAX as u64)).read_line(&mut answer).map_err(failed)?;
    if answer.is_empty() {
        return Err(failed(io::ErrorKind::UnexpectedEof.into()));
    }
    serde_json::from_str(&answer).map_err(|e| failed(e.into()))
}

/// Why no answer came.
#[derive(Debug)]
pub enum AskError {
    NotRunning { socket: PathBuf },
    NotAllowed { socket: PathBuf },
    Broken { socket: PathBuf, error: io::Error },
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::NotRunning { socket } => {
                write!(f, "no engine answers at {}; start it with `hotline`", socket.display())
            }
            AskError::NotAllowed { socket } => {
                write!(
                    f,
                    "{} belongs to another user; run this as the user who runs the engine",
                    socket.display()
                )
            }
            AskError::Broken { socket, error } => write!(f, "the engine at {}: {error}", socket.display()),
        }
    }
}

impl std::error::Error for AskError {}
