//! The router (ROUTING): which waiting call goes to which agent, under limits and promises.
use hotline_core::{AgentId, CallId, Deadline, OfferId, Outbox, PoolId, QueueId, Severity, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// `lang.yue >= 3 and (product.database >= 2 or tier >= "L3") and not team.trial`, typed and checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requirement { _p: () }
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequirementError { /// Byte offset in the text.
    pub at: usize, pub what: String, pub help: Option<String> }
#[allow(unused_variables)]
impl Requirement {
    /// Unknown skills are an error with a suggestion. `tier` compares with pool names, `agent == "alice"` is a skill like any other.
    pub fn parse(text: &str, roster: &Roster) -> Result<Requirement, RequirementError> { todo!() }
    pub fn anyone() -> Requirement { todo!() }
    pub fn holds(&self, agent: &Agent) -> bool { todo!() }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pool { pub name: Arc<str>, /// L1 = 1 ... for `tier >= "L2"`.
    pub rank: u8, /// Most calls at once handled by its agents; None: no limit.
    pub limit: Option<u32> }
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AgentOrder { LongestIdle, LeastOccupied, BestFit, RoundRobin }
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue { pub name: Arc<str>, /// Pools whose agents serve it; empty: all.
    pub pools: Vec<PoolId>, pub require: Option<Requirement>, pub order: AgentOrder, /// Calls with agents at once.
    pub limit: Option<u32>, /// Waiting calls at once.
    pub length_max: u32, pub ring: Duration, pub wrap_up: Duration, /// Time to answer by severity P0..P3.
    pub promise: [Duration; 4] }
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agent { pub name: Arc<str>, pub pool: PoolId, pub skills: BTreeMap<Arc<str>, u8>, pub capacity: u32,
    /// Rest after a missed or refused offer; paused after this many misses in a row.
    pub rest: Duration, pub misses_max: u32 }
/// Who and what there is. Ids are indices into these lists.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Roster { pub pools: Vec<Pool>, pub queues: Vec<Queue>, pub agents: Vec<Agent>, /// Calls with agents at once on this node.
    pub node_limit: Option<u32> }

#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A signed-in agent is ready (also ends wrap-up early and lifts a pause or rest).
    AgentReady { agent: AgentId },
    AgentPaused { agent: AgentId, reason: String },
    /// Unregistered or logged out; calls he is talking on go on.
    AgentOffline { agent: AgentId },
    CallQueued { call: CallId, queue: QueueId, require: Option<Requirement>, severity: Severity, /// When the caller arrived (keeps its place over transfers).
        arrived: Time, number: Arc<str> },
    /// The caller hung up or left the queue, or (connected) the call with the agent is over.
    CallEnded { call: CallId },
    OfferAnswered { offer: OfferId },
    /// 486, 603 ...: the agent does not want it.
    OfferRefused { offer: OfferId },
    /// 408, 503, no contact: his phone cannot be reached.
    OfferUnreachable { offer: OfferId },
    /// A call placed to an agent outside the queues (direct ring): holds a slot. Answered by `Direct`.
    Direct { call: CallId, agent: AgentId },
}
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Ring this agent; the router keeps the ring timer (`Queue::ring`) and withdraws.
    Offer { offer: OfferId, call: CallId, agent: AgentId, queue: Option<QueueId>, ring: Duration },
    /// Stop ringing (CANCEL).
    Withdraw { offer: OfferId, call: CallId, agent: AgentId, why: Withdrawn },
    /// The answer counts: bridge.
    Connect { offer: OfferId, call: CallId, agent: AgentId, waited: Duration },
    /// The answer came too late: hang that phone up.
    TooLate { offer: OfferId },
    Direct { call: CallId, agent: AgentId, offer: Option<OfferId> , busy: bool },
    AgentState { agent: AgentId, state: AgentState, why: Option<String> },
    /// The queue is full, or nobody on the roster could ever serve it: the flow takes its exit.
    NotQueued { call: CallId, why: NotQueued },
    PromiseMissed { call: CallId, queue: QueueId, severity: Severity },
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withdrawn { CallerGone, RangOut, AgentGone, AgentPaused }
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotQueued { Full, NoAgents }
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AgentState { Offline, Ready, Offered, Talking, WrapUp { until: Time }, Resting { until: Time }, Paused { reason: String } }

#[derive(Clone, PartialEq, Debug)]
pub struct WaitingView { pub call: CallId, pub queue: QueueId, pub severity: Severity, pub arrived: Time, pub promise: Time, pub position: u32, pub offered_to: Option<AgentId> }

#[derive(Debug)]
pub struct Router { _p: () }
#[allow(unused_variables)]
impl Router {
    pub fn new(roster: Arc<Roster>) -> Router { todo!() }
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) { todo!() }
    pub fn deadline(&self) -> Option<Deadline> { todo!() }
    pub fn wake(&mut self, now: Time, out: &mut Outbox<Output>) { todo!() }
    pub fn agent_state(&self, agent: AgentId) -> AgentState { todo!() }
    /// In the order in which they would be served.
    pub fn waiting(&self) -> Vec<WaitingView> { todo!() }
    pub fn roster(&self) -> &Arc<Roster> { todo!() }
    /// Panics (debug builds) if an invariant is broken; cheap enough for every step of a simulated day.
    pub fn check(&self) { todo!() }
}
