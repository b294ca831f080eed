//! The shell around the engine: sockets, threads, files and the clock. Everything that is decided is decided
//! in `engine`; everything here carries inputs to it and its outputs away.
//!
//! *Invariant:* no rule of telephony lives here.
mod board;
mod clock;
pub mod control;
pub mod fetch;
mod inbox;
mod io;
mod log;
mod machine;
pub mod media;
pub mod recording;
pub mod reload;
mod shell;
pub mod ua;
pub mod wire;

pub use board::Board;
pub use clock::Clock;
pub use inbox::Inbox;
pub use io::Io;
pub use machine::{Exit, Line, Told};
pub use shell::{Options, Shell, Signal, StartError};
