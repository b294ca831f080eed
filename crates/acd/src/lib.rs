//! The router (ROUTING): which waiting call goes to which agent, under limits and promises.
//!
//! A pure function of `(state, time, input)`: [`Router::handle`] and [`Router::wake`] push what is to
//! be done into the caller's outbox. The same code runs live, in tests, in replay and in simulations.
//!
//! *Invariant:* between two inputs no waiting call has a candidate: whoever could be served has an
//! offer. Every offer has one agent, one call and, when the router rings, one timer.
mod agents;
mod bits;
mod estimate;
mod line;
mod messages;
mod parse;
mod reload;
mod requirement;
mod roster;
mod router;
mod serve;
mod staff;
mod view;

pub use estimate::Estimate;
pub use messages::{AgentState, Input, NotQueued, Output, QueueStats, WaitingView, Withdrawn};
pub use requirement::{Requirement, RequirementError};
pub use roster::{Agent, AgentOrder, Pool, Queue, Roster};
pub use router::Router;
