//! SIP (RFC 3261) without sockets and clocks.
mod dialog;
pub mod digest;
pub mod endpoint;
pub mod framer;
pub mod invariants;
pub mod message;
mod registrar;
pub mod transaction;
pub use endpoint::*;
pub use framer::{Framer, FramingError};
pub use message::*;
