//! INVITE client transaction: RFC 3261 17.1.1 with the Accepted state of RFC 6026 7.2.
//!
//! ```text
//!            INVITE sent
//!                |   A: send again     B: timed out
//!             Calling ---------------------------------> Terminated
//!        1xx |   | 2xx     | 300-699: ACK                    ^
//!       Proceeding         v                                 |
//!            | 2xx     Completed --- D ----------------------+
//!            v           (300-699: ACK again)                |
//!        Accepted (2xx go up) --- M -------------------------+
//! ```
use super::{Letter, Step, Steps, Times, Wire};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// The INVITE is repeated after `a`, which doubles.
    Calling {
        a: Duration,
    },
    Proceeding,
    Accepted,
    Completed,
    Terminated,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    Response(u16),
    Timer(Letter),
    TransportFailed,
}

#[derive(Debug)]
pub struct InviteClient {
    state: State,
    wire: Wire,
}

impl InviteClient {
    pub fn start(times: &Times, wire: Wire, steps: &mut Steps) -> InviteClient {
        steps.push(Step::Arm(Letter::B, times.t1 * 64));
        if wire == Wire::Unreliable {
            steps.push(Step::Arm(Letter::A, times.t1));
        }
        steps.push(Step::Send);
        InviteClient { state: State::Calling { a: times.t1 }, wire }
    }

    pub fn is_proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    pub fn name(&self) -> &'static str {
        match self.state {
            State::Calling { .. } => "calling",
            State::Proceeding => "proceeding",
            State::Accepted => "accepted",
            State::Completed => "completed",
            State::Terminated => "terminated",
        }
    }

    pub fn handle(&mut self, times: &Times, input: Input, steps: &mut Steps) {
        use {Input::*, State::*};
        self.state = match (self.state, input) {
            (Calling { .. }, Response(100..=199)) => {
                steps.extend([Step::Disarm(Letter::A), Step::Disarm(Letter::B), Step::Up]);
                Proceeding
            }
            (Proceeding, Response(100..=199)) => {
                steps.push(Step::Up);
                Proceeding
            }
            (Calling { .. } | Proceeding, Response(200..=299)) => {
                steps.extend([Step::Disarm(Letter::A), Step::Disarm(Letter::B)]);
                steps.extend([Step::Arm(Letter::M, times.t1 * 64), Step::Up]);
                Accepted
            }
            (Calling { .. } | Proceeding, Response(_)) => {
                steps.extend([Step::Disarm(Letter::A), Step::Disarm(Letter::B)]);
                match self.wire {
                    Wire::Unreliable => {
                        steps.extend([Step::Arm(Letter::D, times.t1 * 64), Step::Ack, Step::Up]);
                        Completed
                    }
                    Wire::Reliable => {
                        steps.extend([Step::Ack, Step::Up, Step::End]);
                        Terminated
                    }
                }
            }
            (Accepted, Response(200..=299)) => {
                steps.push(Step::Up);
                Accepted
            }
            (Completed, Response(300..)) => {
                steps.push(Step::Ack);
                Completed
            }
            (Calling { a }, Timer(Letter::A)) => {
                steps.extend([Step::Arm(Letter::A, a * 2), Step::Send]);
                Calling { a: a * 2 }
            }
            // In Proceeding only when its user armed it again: RFC 3261 9.1.
            (Calling { .. } | Proceeding, Timer(Letter::B)) => {
                steps.extend([Step::Disarm(Letter::A), Step::TimedOut, Step::End]);
                Terminated
            }
            (Completed, Timer(Letter::D)) | (Accepted, Timer(Letter::M)) => {
                steps.push(Step::End);
                Terminated
            }
            (Calling { .. } | Proceeding, TransportFailed) => {
                steps.extend([Step::Failed, Step::End]);
                Terminated
            }
            // An ACK that could not be sent: nothing is left to wait for.
            (Completed, TransportFailed) => {
                steps.push(Step::End);
                Terminated
            }
            (Accepted, Response(_) | TransportFailed)
            | (Completed, Response(_))
            | (Terminated, Response(_) | TransportFailed)
            | (Calling { .. } | Proceeding | Accepted | Completed | Terminated, Timer(_)) => self.state,
        };
    }
}
