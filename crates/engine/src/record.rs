use hotline_core::{AgentId, CallId, Cause, LegId, QueueId, Severity, Time};
use std::sync::Arc;
use std::time::Duration;

/// One call, told once, at its end. Times are engine time; `Settings::epoch_unix` turns them into dates.
#[derive(Clone, Debug)]
pub struct CallRecord {
    pub call: CallId,
    pub sip_call_id: String,
    pub caller: String,
    pub dialled: String,
    pub flow: Arc<str>,
    pub flow_version: Arc<str>,
    pub started: Time,
    pub answered: Option<Time>,
    pub ended: Time,
    pub cause: Cause,
    pub language: String,
    /// Steps in the order they were entered, with the time since `started`.
    pub path: Vec<(Duration, Arc<str>)>,
    /// Variables set by the flow; a masked one holds asterisks.
    pub vars: Vec<(Arc<str>, String)>,
    /// Digits as typed, masked where a step said so.
    pub digits: String,
    pub queues: Vec<QueueVisit>,
    pub legs: Vec<LegRecord>,
}

/// One stay in a queue.
#[derive(Clone, Debug)]
pub struct QueueVisit {
    pub queue: QueueId,
    pub name: Arc<str>,
    pub severity: Severity,
    pub entered: Time,
    pub left: Time,
    /// "connected", "timeout", "full", "no-agents", "abandoned", "left".
    pub outcome: &'static str,
    pub agent: Option<AgentId>,
    pub offers: u32,
}

#[derive(Clone, Debug)]
pub struct LegRecord {
    pub leg: LegId,
    /// "caller" or the agent's name.
    pub party: String,
    pub started: Time,
    pub answered: Option<Time>,
    pub ended: Time,
    pub cause: Cause,
    pub codec: Option<&'static str>,
    pub media: Option<media::Stats>,
}
