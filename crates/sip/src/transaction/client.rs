//! Non-INVITE client transaction: RFC 3261 17.1.2.
//!
//! ```text
//!       request sent
//!            |    E: send again    F: timed out
//!         Trying ----------------------------------> Terminated
//!       1xx |  | 200-699                                 ^
//!      Proceeding (E: send again, every T2; F) ----------+
//!           | 200-699                                    |
//!       Completed (absorbs) --- K -----------------------+
//! ```
use super::{Letter, Step, Steps, Times, Wire};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// The request is repeated after `e`, which doubles up to T2.
    Trying {
        e: Duration,
    },
    Proceeding,
    Completed,
    Terminated,
}

pub use super::invite_client::Input;

#[derive(Debug)]
pub struct Client {
    state: State,
    wire: Wire,
}

impl Client {
    pub fn start(times: &Times, wire: Wire, steps: &mut Steps) -> Client {
        steps.push(Step::Arm(Letter::F, times.t1 * 64));
        if wire == Wire::Unreliable {
            steps.push(Step::Arm(Letter::E, times.t1));
        }
        steps.push(Step::Send);
        Client { state: State::Trying { e: times.t1 }, wire }
    }

    pub fn name(&self) -> &'static str {
        match self.state {
            State::Trying { .. } => "trying",
            State::Proceeding => "proceeding",
            State::Completed => "completed",
            State::Terminated => "terminated",
        }
    }

    pub fn handle(&mut self, times: &Times, input: Input, steps: &mut Steps) {
        use {Input::*, State::*};
        self.state = match (self.state, input) {
            (Trying { .. } | Proceeding, Response(100..=199)) => {
                steps.push(Step::Up);
                Proceeding
            }
            (Trying { .. } | Proceeding, Response(_)) => {
                steps.extend([Step::Disarm(Letter::E), Step::Disarm(Letter::F)]);
                match self.wire {
                    Wire::Unreliable => {
                        steps.extend([Step::Arm(Letter::K, times.t4), Step::Up]);
                        Completed
                    }
                    Wire::Reliable => {
                        steps.extend([Step::Up, Step::End]);
                        Terminated
                    }
                }
            }
            (Trying { e }, Timer(Letter::E)) => {
                let e = (e * 2).min(times.t2);
                steps.extend([Step::Arm(Letter::E, e), Step::Send]);
                Trying { e }
            }
            (Proceeding, Timer(Letter::E)) => {
                steps.extend([Step::Arm(Letter::E, times.t2), Step::Send]);
                Proceeding
            }
            (Trying { .. } | Proceeding, Timer(Letter::F)) => {
                steps.extend([Step::Disarm(Letter::E), Step::TimedOut, Step::End]);
                Terminated
            }
            (Completed, Timer(Letter::K)) => {
                steps.push(Step::End);
                Terminated
            }
            (Trying { .. } | Proceeding, TransportFailed) => {
                steps.extend([Step::Failed, Step::End]);
                Terminated
            }
            (Completed, Response(_) | TransportFailed)
            | (Terminated, Response(_) | TransportFailed)
            | (Trying { .. } | Proceeding | Completed | Terminated, Timer(_)) => self.state,
        };
    }
}
