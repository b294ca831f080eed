//! INVITE server transaction: RFC 3261 17.2.1 with the Accepted state of RFC 6026 7.1.
//!
//! ```text
//!        INVITE (100 is the first response)
//!            |
//!       Proceeding (INVITE: last response again)
//!    2xx |        | 300-699
//!        |    Completed (G, INVITE: response again; H: gave up) --> Terminated
//!        |        | ACK                                                 ^
//!        |    Confirmed (absorbs) --- I --------------------------------+
//!        v                                                              |
//!    Accepted (INVITE: absorbed; the user repeats the 2xx) --- L -------+
//! ```
use super::{Letter, Step, Steps, Times, Wire};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Proceeding,
    /// The response is repeated after `g`, which doubles up to T2.
    Completed {
        g: Duration,
    },
    Confirmed,
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// The same request again.
    Again,
    /// ACK for a response of 300-699 (it shares the branch).
    Ack,
    /// The user responds with this code.
    Respond(u16),
    Timer(Letter),
    TransportFailed,
}

#[derive(Debug)]
pub struct InviteServer {
    state: State,
    wire: Wire,
}

impl InviteServer {
    pub fn start(wire: Wire) -> InviteServer {
        InviteServer { state: State::Proceeding, wire }
    }

    /// No final response has been given yet.
    pub fn is_open(&self) -> bool {
        self.state == State::Proceeding
    }

    pub fn name(&self) -> &'static str {
        match self.state {
            State::Proceeding => "proceeding",
            State::Completed { .. } => "completed",
            State::Confirmed => "confirmed",
            State::Accepted => "accepted",
            State::Terminated => "terminated",
        }
    }

    pub fn handle(&mut self, times: &Times, input: Input, steps: &mut Steps) {
        use {Input::*, State::*};
        self.state = match (self.state, input) {
            (Proceeding, Again | Respond(100..=199)) => {
                steps.push(Step::Send);
                Proceeding
            }
            (Proceeding, Respond(200..=299)) => {
                steps.extend([Step::Arm(Letter::L, times.t1 * 64), Step::Send]);
                Accepted
            }
            (Proceeding, Respond(_)) => {
                steps.push(Step::Arm(Letter::H, times.t1 * 64));
                if self.wire == Wire::Unreliable {
                    steps.push(Step::Arm(Letter::G, times.t1));
                }
                steps.push(Step::Send);
                Completed { g: times.t1 }
            }
            (Accepted, Respond(200..=299)) => {
                steps.push(Step::Send);
                Accepted
            }
            (Completed { g }, Again) => {
                steps.push(Step::Send);
                Completed { g }
            }
            (Completed { g }, Timer(Letter::G)) => {
                let g = (g * 2).min(times.t2);
                steps.extend([Step::Arm(Letter::G, g), Step::Send]);
                Completed { g }
            }
            (Completed { .. }, Timer(Letter::H)) => {
                steps.extend([Step::Disarm(Letter::G), Step::TimedOut, Step::End]);
                Terminated
            }
            (Completed { .. }, Ack) => {
                steps.extend([Step::Disarm(Letter::G), Step::Disarm(Letter::H)]);
                match self.wire {
                    Wire::Unreliable => {
                        steps.push(Step::Arm(Letter::I, times.t4));
                        Confirmed
                    }
                    Wire::Reliable => {
                        steps.push(Step::End);
                        Terminated
                    }
                }
            }
            (Completed { .. }, TransportFailed)
            | (Confirmed, Timer(Letter::I))
            | (Accepted, Timer(Letter::L)) => {
                steps.push(Step::End);
                Terminated
            }
            // The response may still find a way later: a broken connection does not end an open request.
            (Proceeding | Confirmed | Accepted | Terminated, TransportFailed)
            | (Completed { .. }, Respond(_))
            | (Confirmed | Accepted | Terminated, Again | Respond(_))
            | (Proceeding | Confirmed | Accepted | Terminated, Ack)
            | (Proceeding | Completed { .. } | Confirmed | Accepted | Terminated, Timer(_)) => self.state,
        };
    }
}
