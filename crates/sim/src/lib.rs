//! Whole days of callers, agents, phones and a bad network around the real engine, in virtual time.
//!
//! A day is drawn from its seed: the installation, the callers, what the phones do, and the faults. While
//! it runs, every step is checked (`Engine::check`, and an observer who believes nothing it has not seen on the
//! wire); when it is over, nothing may be left. The same seed gives the same trace, bit for bit.
//!
//! *Invariant:* the engine is the real one and is fed through its inputs only: datagrams and media events.

mod day;
mod media;
mod network;
mod observer;
mod parties;
mod plan;

pub use day::{Outcome, Violation, run};
pub use plan::{Faults, Plan};
