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
    /// The installation it was served by.
    pub config: crate::Version,
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
    /// What the caller agreed to, or not, in the order in which he was asked.
    pub consents: Vec<ConsentRecord>,
    pub surveys: Vec<SurveyRecord>,
    /// In the order they were made.
    pub recordings: Vec<RecordingRecord>,
}

/// The caller's word, kept as evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentRecord {
    pub at: Time,
    /// `recording`.
    pub what: Arc<str>,
    pub granted: bool,
}

/// What the caller thought of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SurveyRecord {
    pub survey: Arc<str>,
    /// In the order of the questions; None: not answered.
    pub answers: Vec<(Arc<str>, Option<u8>)>,
    /// In hundredths of a mark; None: not one answer.
    pub score: Option<i64>,
    pub low: bool,
}

/// Sound of the call: caller left, the other side right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordingRecord {
    /// Relative to the installation's folder for what it keeps: `recordings/17.wav`.
    pub file: Arc<str>,
    pub started: Time,
    pub length: Duration,
    /// Of that, silence because the flow paused it, or what was done was private.
    pub muted: Duration,
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
    /// "caller", the agent's name, or "trunk" and the trunk's name for a number outside.
    pub party: String,
    pub started: Time,
    pub answered: Option<Time>,
    pub ended: Time,
    pub cause: Cause,
    pub codec: Option<&'static str>,
    pub media: Option<media::Stats>,
}
