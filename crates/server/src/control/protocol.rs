//! One line of JSON each way: `{"show":"calls"}` is answered by `{"calls":[..]}` or `{"error":".."}`.
//! Durations are milliseconds; what is not known is null.
use engine::{
    AgentView, AnnouncementView, CallView, CallbackView, FlowView, MessageView, QueueView, RegistrationView,
    Reply, StatusView, TimerView,
};
use hotline_core::CallId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest request or answer, with its end of line.
pub const REQUEST_BYTES_MAX: usize = 64 << 10;
pub const ANSWER_BYTES_MAX: usize = 64 << 20;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    Show(Show),
    Agent {
        name: String,
        state: AgentChange,
        by: String,
    },
    HangUp {
        call: u64,
        by: String,
    },
    /// Switches an announcement on; with `length_ms`, for so long.
    Announce {
        name: String,
        length_ms: Option<u64>,
        reason: Option<String>,
        by: String,
    },
    /// A message in a mailbox: heard or not.
    MarkMessage {
        mailbox: String,
        id: u64,
        heard: bool,
        by: String,
    },
    DeleteMessage {
        mailbox: String,
        id: u64,
        by: String,
    },
    /// Switches it off.
    Retract {
        name: String,
        by: String,
    },
    /// Reads the installation anew. The answer comes when it is served, or refused.
    Reload {
        /// Only for these calls; null: for all.
        #[serde(default)]
        canary: Option<Canary>,
        /// Whether the tests beside the flows must pass.
        #[serde(default = "yes")]
        tests: bool,
        by: String,
    },
    /// Serves an earlier version: its hash's first digits, or "previous".
    Rollback {
        version: String,
        #[serde(default = "yes")]
        tests: bool,
        by: String,
    },
    /// Every new call takes the version on trial.
    Promote {
        by: String,
    },
    /// No new call takes the version on trial.
    Abort {
        by: String,
    },
}

fn yes() -> bool {
    true
}

/// The calls that a version on trial gets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Canary {
    /// In ten thousand: 500 is 5 %.
    Share(u16),
    /// Callers' numbers.
    Callers(Vec<String>),
}

impl std::fmt::Display for Canary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Canary::Share(share) => write!(f, "{}% of the callers", f64::from(*share) / 100.0),
            Canary::Callers(callers) => write!(f, "{} callers", callers.len()),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Show {
    Calls,
    Agents,
    Queues,
    Timers,
    Registrations,
    Status,
    Announcements,
    Callbacks,
    /// In every mailbox, or in this one.
    Messages {
        mailbox: Option<String>,
    },
    /// Every flow that served a call, or this one.
    Flows {
        flow: Option<String>,
    },
    /// The `limit` configurations that were changed last.
    Versions {
        limit: u32,
    },
    /// The newest `limit` records, or the one of `call`.
    Records {
        limit: u32,
        call: Option<u64>,
    },
    /// The newest `limit` events, or those of `call`.
    Events {
        limit: u32,
        call: Option<u64>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentChange {
    Ready,
    Pause { reason: String },
    Logout,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Calls(Vec<Call>),
    Agents(Vec<Agent>),
    Queues(Vec<Queue>),
    Timers(Vec<Timer>),
    Registrations(Vec<Registration>),
    Status(Status),
    Announcements(Vec<Announcement>),
    Callbacks(Vec<Callback>),
    Messages(Vec<Message>),
    Flows(Vec<Flow>),
    /// Rows of the store, as it writes them.
    Records(Vec<serde_json::Value>),
    Events(Vec<serde_json::Value>),
    /// As the store has them, with `state`: current, canary, previous.
    Versions(Vec<serde_json::Value>),
    Done(String),
    /// What is wrong and what to do.
    Error(String),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Call {
    pub call: u64,
    pub caller: String,
    pub dialled: String,
    pub state: String,
    pub step: String,
    pub language: String,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub age_ms: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agent {
    pub name: String,
    pub pool: String,
    pub state: String,
    pub why: Option<String>,
    pub since_ms: u64,
    pub call: Option<u64>,
    pub contacts: usize,
    pub skills: BTreeMap<String, u8>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Queue {
    pub name: String,
    pub waiting: usize,
    pub longest_wait_ms: u64,
    pub talking: usize,
    pub agents_ready: usize,
    pub agents_signed_in: usize,
    pub promises_missed: u64,
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Callers who wait to be called back.
    #[serde(default)]
    pub callbacks: usize,
}

/// One that an operator may switch on. What is null: it is off, or has no end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Announcement {
    pub name: String,
    pub title: String,
    pub on: bool,
    pub by: Option<String>,
    pub reason: Option<String>,
    pub since_ms: Option<u64>,
    pub left_ms: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Callback {
    pub call: u64,
    pub queue: String,
    pub number: String,
    pub severity: String,
    pub require: Option<String>,
    pub language: String,
    /// Since the caller arrived.
    pub waits_ms: u64,
}

/// What a caller has left. `file` lies beside the store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    pub mailbox: String,
    pub id: u64,
    pub call: u64,
    pub caller: String,
    pub at_unix_ms: i64,
    pub length_ms: u64,
    pub heard: bool,
    pub file: String,
}

/// One version of a flow, counted since the engine started; steps in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Flow {
    pub flow: String,
    pub version: String,
    /// In it now, and in all.
    pub calls: usize,
    pub calls_total: u64,
    pub steps: Vec<Step>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    pub step: String,
    pub entered: u64,
    /// In it now.
    pub calls: usize,
    /// How often each exit was taken, by its label.
    pub exits: BTreeMap<String, u64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Timer {
    pub in_ms: u64,
    pub owner: String,
    pub why: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    pub user: String,
    pub uri: String,
    pub from: String,
    pub expires_in_ms: u64,
    pub user_agent: String,
}

#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Status {
    pub uptime_ms: u64,
    pub calls: usize,
    pub calls_max: u32,
    pub calls_total: u64,
    pub refused_total: u64,
    pub waiting: usize,
    pub agents_signed_in: usize,
    pub draining: bool,
    /// Announcements that are on.
    #[serde(default)]
    pub announcements: Vec<String>,
    /// Callers who wait to be called back.
    #[serde(default)]
    pub callbacks: usize,
    /// Answers of other systems that are awaited.
    #[serde(default)]
    pub asked: usize,
    pub sip_transactions: usize,
    pub sip_dialogs: usize,
    pub timers: usize,
    pub sip_received: u64,
    pub sip_sent: u64,
    /// Messages lost at our own door: the inbox was full.
    pub sip_dropped: u64,
    /// Messages the system would not take, or a stuck connection.
    pub sip_unsent: u64,
    /// TCP connections refused because there were too many.
    pub sip_refused: u64,
    /// Records and events that the store could not keep.
    pub store_lost: u64,
    /// Why the store cannot write at present.
    pub store_trouble: Option<String>,
}

impl From<CallView> for Call {
    fn from(view: CallView) -> Call {
        Call {
            call: view.call.0,
            caller: view.caller.into_inner(),
            dialled: view.dialled,
            state: view.state,
            step: view.step,
            language: view.language,
            queue: view.queue.map(|q| q.to_string()),
            agent: view.agent.map(|a| a.to_string()),
            age_ms: ms(view.age),
        }
    }
}

impl From<AgentView> for Agent {
    fn from(view: AgentView) -> Agent {
        Agent {
            name: view.name.to_string(),
            pool: view.pool.to_string(),
            state: view.state,
            why: view.why,
            since_ms: ms(view.since),
            call: view.call.map(|CallId(call)| call),
            contacts: view.contacts,
            skills: view.skills.into_iter().map(|(skill, level)| (skill.to_string(), level)).collect(),
        }
    }
}

impl From<QueueView> for Queue {
    fn from(view: QueueView) -> Queue {
        Queue {
            name: view.name.to_string(),
            waiting: view.waiting,
            longest_wait_ms: ms(view.longest_wait),
            talking: view.talking,
            agents_ready: view.agents_ready,
            agents_signed_in: view.agents_signed_in,
            promises_missed: view.promises_missed,
            offered: view.offered,
            answered: view.answered,
            abandoned: view.abandoned,
            callbacks: view.callbacks,
        }
    }
}

impl From<TimerView> for Timer {
    fn from(view: TimerView) -> Timer {
        Timer { in_ms: ms(view.at), owner: view.owner, why: view.why.to_owned() }
    }
}

impl From<RegistrationView> for Registration {
    fn from(view: RegistrationView) -> Registration {
        Registration {
            user: view.user,
            uri: view.uri,
            from: view.from,
            expires_in_ms: ms(view.expires_in),
            user_agent: view.user_agent,
        }
    }
}

impl From<StatusView> for Status {
    fn from(view: StatusView) -> Status {
        Status {
            uptime_ms: ms(view.uptime),
            calls: view.calls,
            calls_max: view.calls_max,
            calls_total: view.calls_total,
            refused_total: view.refused_total,
            waiting: view.waiting,
            agents_signed_in: view.agents_signed_in,
            draining: view.draining,
            announcements: view.announcements.iter().map(ToString::to_string).collect(),
            callbacks: view.callbacks,
            asked: view.asked,
            sip_transactions: view.sip_transactions,
            sip_dialogs: view.sip_dialogs,
            timers: view.timers,
            ..Status::default()
        }
    }
}

impl From<MessageView> for Message {
    fn from(view: MessageView) -> Message {
        Message {
            mailbox: view.mailbox.to_string(),
            id: view.id,
            call: view.call.0,
            caller: view.caller.into_inner(),
            at_unix_ms: view.at_unix_ms,
            length_ms: ms(view.length),
            heard: view.heard,
            file: view.file,
        }
    }
}

impl From<AnnouncementView> for Announcement {
    fn from(view: AnnouncementView) -> Announcement {
        Announcement {
            name: view.name.to_string(),
            title: view.title,
            on: view.on,
            by: view.by,
            reason: view.reason,
            since_ms: view.since.map(ms),
            left_ms: view.left.map(ms),
        }
    }
}

impl From<CallbackView> for Callback {
    fn from(view: CallbackView) -> Callback {
        Callback {
            call: view.call.0,
            queue: view.queue.to_string(),
            number: view.number.into_inner(),
            severity: view.severity.to_string(),
            require: view.require,
            language: view.language,
            waits_ms: ms(view.waits),
        }
    }
}

impl From<FlowView> for Flow {
    fn from(view: FlowView) -> Flow {
        let step = |step: engine::StepView| Step {
            step: step.step.to_string(),
            entered: step.entered,
            calls: step.calls,
            exits: step.exits.into_iter().map(|(exit, times)| (exit.to_string(), times)).collect(),
        };
        Flow {
            flow: view.flow.to_string(),
            version: view.version.to_string(),
            calls: view.calls,
            calls_total: view.calls_total,
            steps: view.steps.into_iter().map(step).collect(),
        }
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Answer {
        fn rows<V, R: From<V>>(views: Vec<V>) -> Vec<R> {
            views.into_iter().map(R::from).collect()
        }
        match reply {
            Reply::Calls(views) => Answer::Calls(rows(views)),
            Reply::Agents(views) => Answer::Agents(rows(views)),
            Reply::Queues(views) => Answer::Queues(rows(views)),
            Reply::Timers(views) => Answer::Timers(rows(views)),
            Reply::Registrations(views) => Answer::Registrations(rows(views)),
            Reply::Status(view) => Answer::Status(view.into()),
            Reply::Announcements(views) => Answer::Announcements(rows(views)),
            Reply::Callbacks(views) => Answer::Callbacks(rows(views)),
            Reply::Messages(views) => Answer::Messages(rows(views)),
            Reply::Flows(views) => Answer::Flows(rows(views)),
            Reply::Done(what) => Answer::Done(what),
            Reply::Error(what) => Answer::Error(what),
        }
    }
}

fn ms(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_as_they_are_documented() {
        for (text, request) in [
            (r#"{"show":"calls"}"#, Request::Show(Show::Calls)),
            (
                r#"{"show":{"records":{"limit":5,"call":null}}}"#,
                Request::Show(Show::Records { limit: 5, call: None }),
            ),
            (
                r#"{"agent":{"name":"alice","state":{"pause":{"reason":"meal"}},"by":"root"}}"#,
                Request::Agent {
                    name: "alice".into(),
                    state: AgentChange::Pause { reason: "meal".into() },
                    by: "root".into(),
                },
            ),
            (r#"{"show":{"flows":{"flow":null}}}"#, Request::Show(Show::Flows { flow: None })),
            (
                r#"{"announce":{"name":"outage","length_ms":60000,"reason":null,"by":"root"}}"#,
                Request::Announce {
                    name: "outage".into(),
                    length_ms: Some(60_000),
                    reason: None,
                    by: "root".into(),
                },
            ),
            (
                r#"{"reload":{"canary":{"share":500},"by":"root"}}"#,
                Request::Reload { canary: Some(Canary::Share(500)), tests: true, by: "root".into() },
            ),
            (
                r#"{"rollback":{"version":"previous","tests":false,"by":"root"}}"#,
                Request::Rollback { version: "previous".into(), tests: false, by: "root".into() },
            ),
            (r#"{"hang-up":{"call":7,"by":"root"}}"#, Request::HangUp { call: 7, by: "root".into() }),
        ] {
            assert_eq!(serde_json::from_str::<Request>(text).unwrap(), request, "{text}");
            assert_eq!(
                serde_json::from_str::<Request>(&serde_json::to_string(&request).unwrap()).unwrap(),
                request
            );
        }
    }
}
