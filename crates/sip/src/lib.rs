//! SIP (RFC 3261) without sockets and clocks.
pub mod digest;
pub mod endpoint;
pub mod framer;
pub mod message;
pub use endpoint::*;
pub use framer::{Framer, FramingError};
pub use message::*;
