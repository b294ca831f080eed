//! The whole engine as one machine: SIP in, media events in, operators' commands in;
//! datagrams, media commands, records, events and stories out.
//!
//! *Invariant:* one writer. All call state lives in [`Engine`]; every limit it states is exact, because every
//! decision is taken here, one input after the other. Nothing here waits: what takes time is a timer or an input.
//!
//! Rooms: `admission` (an INVITE becomes a call, or a refusal), `caller` (the caller's leg: answer, early media,
//! re-offers), `visit` (what the flow asks for), `service` (queue, offers, agents' legs, bridging), `agents`
//! (their states, registrations, feature codes), `ending` (from the first goodbye to the call record),
//! `operator` (commands and what they show).
#[cfg(feature = "real")]
mod admission;
#[cfg(feature = "real")]
mod agents;
#[cfg(feature = "real")]
mod call;
#[cfg(feature = "real")]
mod caller;
#[cfg(feature = "real")]
mod ending;
#[cfg(feature = "real")]
mod engine;
mod interface;
#[cfg(feature = "real")]
mod operator;
mod record;
#[cfg(feature = "real")]
mod service;
mod settings;
#[cfg(feature = "real")]
mod visit;

pub use interface::{
    AgentView, BoardUpdate, CallView, Command, Input, LogEvent, Output, QueueView, RegistrationView, Reply,
    StatusView, StoryLine, TimerView,
};
pub use record::{CallRecord, LegRecord, QueueVisit};
pub use settings::{CallLimits, FeatureCodes, Listener, MediaSettings, Number, Prompts, Settings, SipSettings};

#[cfg(feature = "real")]
pub use engine::Engine;
#[cfg(not(feature = "real"))]
mod stub {
    use crate::*;
    use hotline_core::{CallId, Deadline, Outbox, Rng, Time};
    use std::sync::Arc;
    #[derive(Debug)]
    pub struct Engine { _p: () }
    #[allow(unused_variables)]
    impl Engine {
        /// `first_call`: the first id to hand out (the store knows the last one used).
        pub fn new(settings: Arc<Settings>, rng: Rng, first_call: CallId) -> Engine { todo!() }
        pub fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) { todo!() }
        pub fn deadline(&self) -> Option<Deadline> { todo!() }
        pub fn wake(&mut self, now: Time, out: &mut Outbox<Output>) { todo!() }
        /// Every rule that must hold between inputs; for debug builds, simulation and fuzzing.
        pub fn check(&self) { todo!() }
        /// Nothing left: no call, leg, dialog, transaction, timer of a call.
        pub fn is_idle(&self) -> bool { todo!() }
    }
}
#[cfg(not(feature = "real"))]
pub use stub::Engine;
