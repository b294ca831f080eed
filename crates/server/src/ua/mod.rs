//! A SIP user agent of our own, for people without a phone and for tests: it places one call or answers
//! as an agent, over the same endpoint, sockets and media threads as the engine.
mod ear;
mod plan;
mod user_agent;

pub use ear::Ear;
pub use plan::{Answering, CallPlan, Do, Key, PhonePlan, Plan, Seen, Voice, keys};
pub use user_agent::{Account, Ua, UaOptions};
