//! The control socket: how `hotline show`, `agent` and `hangup` speak with a running engine.
mod client;
pub mod protocol;
mod service;

pub use client::{AskError, ask};
pub use service::{ControlError, Kept, Service, bind, read_file, serve};
