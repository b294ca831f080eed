use std::fmt;

/// Whose doing it was that a call ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    Caller,
    Agent,
    Flow,
    Operator,
    Network,
    Engine,
}

/// Why a call or a leg ended: matched in one place into the call record, the metric and the SIP
/// `Reason` header (RFC 3326).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// The caller sent BYE.
    CallerHungUp,
    /// The caller sent CANCEL before the call was answered.
    CallerCancelled,
    /// The agent sent BYE.
    AgentHungUp,
    /// The flow reached its `hangup`.
    FlowEnded,
    /// The flow answered with this SIP code instead of taking the call.
    FlowRejected(u16),
    /// The number dialled is not served here.
    NumberUnknown,
    /// The caller may not dial this number, or did not prove who he is.
    NotAllowed,
    /// No codec or address in common (488).
    NotAcceptable,
    /// A concurrency limit was reached (503 with Retry-After, or 486).
    Full,
    /// The engine is draining: no new calls.
    Draining,
    /// The 200 was never acknowledged (RFC 3261 13.3.1.4).
    NoAck,
    /// No packet of media for the configured time.
    NoMedia,
    /// No media port or socket could be had.
    MediaFailed,
    /// The peer does not answer, or its connection is lost.
    Unreachable,
    /// The far phone refused with this SIP code.
    Refused(u16),
    /// The far phone rang and nobody answered.
    RangOut,
    /// Another phone of the same offer was quicker.
    AnsweredElsewhere,
    /// An operator or supervisor ended it.
    OperatorEnded,
    /// The longest allowed time for a call has passed.
    TooLong,
    /// The engine stopped before the call ended.
    Stopped,
    /// A rule of our own was broken; the event log has the details.
    Internal,
}

impl Cause {
    pub const fn fault(self) -> Fault {
        match self {
            Cause::CallerHungUp | Cause::CallerCancelled | Cause::NumberUnknown | Cause::NotAllowed => {
                Fault::Caller
            }
            Cause::AgentHungUp | Cause::Refused(_) | Cause::RangOut | Cause::AnsweredElsewhere => {
                Fault::Agent
            }
            Cause::FlowEnded | Cause::FlowRejected(_) => Fault::Flow,
            Cause::OperatorEnded | Cause::Draining | Cause::Stopped | Cause::Full | Cause::TooLong => {
                Fault::Operator
            }
            Cause::NotAcceptable | Cause::NoAck | Cause::NoMedia | Cause::Unreachable => Fault::Network,
            Cause::MediaFailed | Cause::Internal => Fault::Engine,
        }
    }

    /// The code for `Reason: SIP;cause=...` and for refusing with this cause.
    pub const fn code(self) -> u16 {
        match self {
            Cause::CallerHungUp
            | Cause::AgentHungUp
            | Cause::FlowEnded
            | Cause::OperatorEnded
            | Cause::AnsweredElsewhere => 200,
            Cause::CallerCancelled => 487,
            Cause::FlowRejected(code) | Cause::Refused(code) => code,
            Cause::NumberUnknown => 404,
            Cause::NotAllowed => 403,
            Cause::NotAcceptable => 488,
            Cause::Full | Cause::Draining | Cause::Stopped => 503,
            Cause::NoAck | Cause::Unreachable | Cause::RangOut => 408,
            Cause::NoMedia | Cause::MediaFailed | Cause::TooLong | Cause::Internal => 500,
        }
    }

    /// A stable word for records, metrics and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::CallerHungUp => "caller-hung-up",
            Cause::CallerCancelled => "caller-cancelled",
            Cause::AgentHungUp => "agent-hung-up",
            Cause::FlowEnded => "flow-ended",
            Cause::FlowRejected(_) => "flow-rejected",
            Cause::NumberUnknown => "number-unknown",
            Cause::NotAllowed => "not-allowed",
            Cause::NotAcceptable => "not-acceptable",
            Cause::Full => "full",
            Cause::Draining => "draining",
            Cause::NoAck => "no-ack",
            Cause::NoMedia => "no-media",
            Cause::MediaFailed => "media-failed",
            Cause::Unreachable => "unreachable",
            Cause::Refused(_) => "refused",
            Cause::RangOut => "rang-out",
            Cause::AnsweredElsewhere => "answered-elsewhere",
            Cause::OperatorEnded => "operator-ended",
            Cause::TooLong => "too-long",
            Cause::Stopped => "stopped",
            Cause::Internal => "internal",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::FlowRejected(code) | Cause::Refused(code) => write!(f, "{} {code}", self.name()),
            cause => f.write_str(cause.name()),
        }
    }
}
