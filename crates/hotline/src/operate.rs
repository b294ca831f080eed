use crate::cli::AgentState;
use crate::failure::{DONE, Failure};
use crate::installation;
use server::control::ask;
use server::control::protocol::{AgentChange, Answer, Request};
use std::io::Write;
use std::path::{Path, PathBuf};

pub fn agent(config: Option<&Path>, name: String, state: &AgentState) -> Result<u8, Failure> {
    let state = match state {
        AgentState::Ready => AgentChange::Ready,
        AgentState::Pause { reason } => AgentChange::Pause { reason: reason.clone() },
        AgentState::Logout => AgentChange::Logout,
    };
    command(config, &Request::Agent { name, state, by: operator() })
}

pub fn hang_up(config: Option<&Path>, call: u64) -> Result<u8, Failure> {
    command(config, &Request::HangUp { call, by: operator() })
}

pub fn command(config: Option<&Path>, request: &Request) -> Result<u8, Failure> {
    match ask(&control_socket(config)?, request).map_err(Failure::wrong)? {
        Answer::Done(what) => {
            writeln!(std::io::stdout(), "{what}")?;
            Ok(DONE)
        }
        Answer::Error(what) => Err(Failure::wrong(what)),
        answer => Err(Failure::wrong(format!("the engine answered something else: {answer:?}"))),
    }
}

/// Where the engine of this installation answers.
pub fn control_socket(config: Option<&Path>) -> Result<PathBuf, Failure> {
    let (_, loaded) = installation::load(config, 0)?;
    Ok(loaded.server.control)
}

/// Who asks, for the event log.
pub fn operator() -> String {
    std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "operator".into())
}
