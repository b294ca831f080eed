//! Non-INVITE server transaction: RFC 3261 17.2.2.
//!
//! ```text
//!     request
//!        |            1xx
//!     Trying (absorbs) ----> Proceeding (request: last response again)
//!        | 200-699               | 200-699
//!        +-----------------------+
//!                    v
//!               Completed (request: response again) --- J ---> Terminated
//! ```
use super::{Letter, Step, Steps, Times, Wire};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

pub use super::invite_server::Input;

#[derive(Debug)]
pub struct Server {
    state: State,
    wire: Wire,
}

impl Server {
    pub fn start(wire: Wire) -> Server {
        Server { state: State::Trying, wire }
    }

    /// No final response has been given yet.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    pub fn name(&self) -> &'static str {
        match self.state {
            State::Trying => "trying",
            State::Proceeding => "proceeding",
            State::Completed => "completed",
            State::Terminated => "terminated",
        }
    }

    pub fn handle(&mut self, times: &Times, input: Input, steps: &mut Steps) {
        use {Input::*, State::*};
        self.state = match (self.state, input) {
            (Trying | Proceeding, Respond(100..=199)) => {
                steps.push(Step::Send);
                Proceeding
            }
            (Trying | Proceeding, Respond(_)) => match self.wire {
                Wire::Unreliable => {
                    steps.extend([Step::Arm(Letter::J, times.t1 * 64), Step::Send]);
                    Completed
                }
                Wire::Reliable => {
                    steps.extend([Step::Send, Step::End]);
                    Terminated
                }
            },
            (Proceeding, Again) => {
                steps.push(Step::Send);
                Proceeding
            }
            (Completed, Again) => {
                steps.push(Step::Send);
                Completed
            }
            (Completed, Timer(Letter::J) | TransportFailed) => {
                steps.push(Step::End);
                Terminated
            }
            (Trying, Again)
            | (Completed | Terminated, Respond(_))
            | (Terminated, Again)
            | (Trying | Proceeding | Terminated, TransportFailed)
            | (Trying | Proceeding | Completed | Terminated, Ack | Timer(_)) => self.state,
        };
    }
}
