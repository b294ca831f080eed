//! The whole engine as one machine: SIP in, media events in, operators' commands in;
//! datagrams, media commands, records, events and stories out.
//!
//! *Invariant:* one writer. All call state lives in [`Engine`]; every limit it states is exact, because every
//! decision is taken here, one input after the other. Nothing here waits: what takes time is a timer or an input.
//!
//! Rooms: `admission` (an INVITE becomes a call, or a refusal), `caller` (the caller's leg: answer, early media,
//! re-offers), `visit` (what the flow asks for), `service` (queue, offers, agents' legs, bridging), `outside` (numbers over
//! a trunk), `agents` (their states, registrations, feature codes), `asking` (other systems, over http), `announcements`,
//! `callbacks`, `message` (messages and lamps), `recording`, `flows` (how callers go through them), `ending` (from the first goodbye to the call record), `operator`
//! (commands and what they show), `reload` (another installation while calls go on).
mod admission;
mod agents;
mod announcements;
mod asking;
mod call;
mod callbacks;
mod caller;
mod ending;
mod engine;
mod flows;
mod interface;
mod message;
mod operator;
mod outside;
mod record;
mod recording;
mod reload;
mod service;
mod settings;
mod tape;
mod visit;

pub use engine::Engine;
pub use interface::{
    AgentView, AnnouncementOn, AnnouncementView, BoardUpdate, CallView, CallbackRequest, CallbackView,
    Command, FlowView, Input, Kept, KeptAtStart, LogEvent, Message, MessageView, Output, QueueView,
    RegistrationView, Reply, StatusView, StepView, StoryLine, TimerView,
};
pub use record::{CallRecord, ConsentRecord, LegRecord, QueueVisit, RecordingRecord, SurveyRecord};
pub use reload::{Change, Share};
pub use settings::{
    Announcement, CallLimits, FeatureCodes, Listener, Mailbox, MediaSettings, Number, Prompts, Secret,
    Service, Settings, SipSettings, Survey, Trunk, Version,
};
pub use tape::{Tape, TapeId, TapeKind, TapeNews};
