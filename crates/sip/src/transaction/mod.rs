//! The four transactions of RFC 3261 17 with RFC 6026, as pure machines, and the table they live in.
//!
//! A machine takes an input and says in `Step`s what is to be done; the table does it: it keeps the bytes to
//! repeat, arms the letters in the one timer queue, and hands up what concerns the transaction's user.
//! Timers are always armed before bytes leave.
mod client;
mod invite_client;
mod invite_server;
mod server;
mod table;

pub use client::Client;
pub use invite_client::{Input as ClientInput, InviteClient};
pub use invite_server::{Input as ServerInput, InviteServer};
pub use server::Server;
pub(crate) use table::{Arrived, Owner, Purpose, Table, Up};

use smallvec::SmallVec;
use std::time::Duration;

/// A row of the table; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TransactionId(pub u64);

/// RFC 3261 17.1.1.1: T1 round trip estimate, T2 longest interval, T4 longest life of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    pub t1: Duration,
    pub t2: Duration,
    pub t4: Duration,
}

/// Whether the transport delivers or loses: it decides which timers run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire {
    Reliable,
    Unreliable,
}

/// The timers by the letters of RFC 3261 table 4 and RFC 6026.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Letter {
    A,
    B,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
}

impl Letter {
    pub const fn why(self) -> &'static str {
        match self {
            Letter::A => "A: INVITE again",
            Letter::B => "B: INVITE unanswered",
            Letter::D => "D: responses may repeat",
            Letter::E => "E: request again",
            Letter::F => "F: request unanswered",
            Letter::G => "G: response again",
            Letter::H => "H: no ACK",
            Letter::I => "I: ACKs may repeat",
            Letter::J => "J: requests may repeat",
            Letter::K => "K: responses may repeat",
            Letter::L => "L: INVITEs may repeat",
            Letter::M => "M: 2xx may repeat or fork",
        }
    }
}

/// What a machine wants done, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Arm(Letter, Duration),
    Disarm(Letter),
    /// The request (client) or the last response (server), again or for the first time.
    Send,
    /// ACK for a final response of 300-699.
    Ack,
    /// The response concerns the user.
    Up,
    /// Nobody answered in time (408 to the user), or nobody acknowledged.
    TimedOut,
    /// The transport gave up (503 to the user).
    Failed,
    /// Forget the row.
    End,
}

pub type Steps = SmallVec<[Step; 5]>;
