//! SIP (RFC 3261) without sockets and clocks.
pub mod endpoint;
pub mod message;
pub use endpoint::*;
