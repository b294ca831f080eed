use crate::Requirement;
use hotline_core::{AgentId, CallId, OfferId, QueueId, Severity, Time};
use std::sync::Arc;
use std::time::Duration;

/// What happened. Unknown ids and repeated news are ignored.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A signed-in agent is ready (also ends wrap-up early and lifts a pause or rest).
    AgentReady {
        agent: AgentId,
    },
    /// Takes effect at once: a ringing offer is withdrawn. Whoever talks is paused after the call and
    /// its wrap-up. An agent who is not signed in is so from here on, and paused.
    AgentPaused {
        agent: AgentId,
        reason: String,
    },
    /// Unregistered or logged out; calls he is talking on go on. Calls that only he could serve stay
    /// in the line: their own timeout decides.
    AgentOffline {
        agent: AgentId,
    },
    /// Enters the line, or moves within it; a call that is with an agent leaves him first.
    CallQueued {
        call: CallId,
        queue: QueueId,
        /// In addition to the queue's own.
        require: Option<Requirement>,
        severity: Severity,
        /// When the caller arrived (keeps its place over transfers).
        arrived: Time,
        number: Arc<str>,
    },
    /// The caller hung up or left the queue, or (connected) the call with the agent is over.
    CallEnded {
        call: CallId,
    },
    OfferAnswered {
        offer: OfferId,
    },
    /// 486, 603 ...: the agent does not want it.
    OfferRefused {
        offer: OfferId,
    },
    /// 408, 503, no contact: his phone cannot be reached.
    OfferUnreachable {
        offer: OfferId,
    },
    /// The engine's ring time is over (direct calls; the router keeps that of its queues itself): a miss, and
    /// the phone is told to stop by `Withdraw`.
    OfferRangOut {
        offer: OfferId,
    },
    /// A call placed to an agent outside the queues (direct ring): holds a slot. Answered by
    /// `Output::Direct`. The engine keeps the ring time and says `OfferRangOut`; `CallEnded` is no
    /// miss.
    Direct {
        call: CallId,
        agent: AgentId,
    },
}

/// What is to be done, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Ring this agent; the router keeps the ring timer (`Queue::ring`) and withdraws.
    Offer {
        offer: OfferId,
        call: CallId,
        agent: AgentId,
        queue: Option<QueueId>,
        ring: Duration,
    },
    /// Stop ringing (CANCEL).
    Withdraw {
        offer: OfferId,
        call: CallId,
        agent: AgentId,
        why: Withdrawn,
    },
    /// The answer counts: bridge. `waited`: since the caller arrived; direct: since the ring began.
    Connect {
        offer: OfferId,
        call: CallId,
        agent: AgentId,
        waited: Duration,
    },
    /// The answer came too late: hang that phone up.
    TooLate {
        offer: OfferId,
    },
    /// Ring him under this offer, or (`busy`, no offer) he is not ready or a limit is reached.
    Direct {
        call: CallId,
        agent: AgentId,
        offer: Option<OfferId>,
        busy: bool,
    },
    AgentState {
        agent: AgentId,
        state: AgentState,
        why: Option<String>,
    },
    /// The queue is full, or nobody signed in could ever serve it: the flow takes its exit.
    NotQueued {
        call: CallId,
        why: NotQueued,
    },
    /// At most once a call, while it waits for its first agent.
    PromiseMissed {
        call: CallId,
        queue: QueueId,
        severity: Severity,
    },
}

/// Why an agent's phone stops ringing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withdrawn {
    /// The caller hung up, left the queue, or was queued or sent elsewhere.
    CallerGone,
    RangOut,
    AgentGone,
    AgentPaused,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotQueued {
    /// `Queue::length_max` is reached and nobody is free.
    Full,
    /// No agent who is signed in (ready or paused) could ever serve it, or there is no such queue.
    NoAgents,
}

/// What an agent does. With several calls at once the first that fits of: ringing, talking, (signed
/// out), wrap-up, paused, resting, ready.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AgentState {
    Offline,
    Ready,
    Offered,
    /// Shown to the end of the call also when he has signed out or asked for a pause meanwhile.
    Talking,
    WrapUp {
        until: Time,
    },
    Resting {
        until: Time,
    },
    Paused {
        reason: String,
    },
}

/// One call in the line.
#[derive(Clone, PartialEq, Debug)]
pub struct WaitingView {
    pub call: CallId,
    pub queue: QueueId,
    pub severity: Severity,
    pub arrived: Time,
    /// When the promise passes.
    pub promise: Time,
    /// Within its queue, from 1.
    pub position: u32,
    pub offered_to: Option<AgentId>,
}

/// A queue in numbers: since the start, and now.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct QueueStats {
    /// Calls that entered the line.
    pub queued: u64,
    /// Offers made to agents; several for a call that was missed.
    pub offered: u64,
    pub answered: u64,
    /// Left the line without an agent: hung up, timed out, or sent elsewhere.
    pub abandoned: u64,
    pub promises_missed: u64,
    /// Offers that rang out, were refused, or found no phone.
    pub missed: u64,
    /// Turned away by `NotQueued::Full`.
    pub refused_full: u64,
    /// Turned away by `NotQueued::NoAgents`.
    pub refused_no_agents: u64,
    /// In the line now, those that ring included.
    pub waiting: u32,
    /// Of these, ringing at an agent now.
    pub ringing: u32,
    /// With an agent now.
    pub talking: u32,
    /// Agents of this queue who can be offered a call now.
    pub ready: u32,
    /// Agents of this queue who are signed in.
    pub signed_in: u32,
}
