//! What every core shares: time as a value, the contract of a state machine, timers,
//! seeded randomness, typed ids, personal data that does not print, and the causes of a call's end.
//!
//! *Invariant:* nothing here or above reads a clock, opens a socket, starts a thread or asks the
//! operating system for randomness; time and seeds come in as arguments. This crate depends on `std` only.

mod cause;
mod ids;
mod machine;
mod pii;
mod rng;
mod time;
mod timers;

pub use cause::{Cause, Fault};
pub use ids::{AgentId, CallId, LegId, OfferId, PlayId, PoolId, QueueId, Severity, SoundId};
pub use machine::{Machine, Outbox};
pub use pii::Pii;
pub use rng::Rng;
pub use time::{Deadline, Time, earliest};
pub use timers::TimerQueue;
