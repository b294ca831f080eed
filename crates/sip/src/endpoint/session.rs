//! One INVITE session: the row behind a `DialogId`.
use super::challenged::Challenge;
use super::{Credentials, Hop, Outgoing};
use crate::dialog::Dialog;
use crate::transaction::TransactionId;
use std::sync::Arc;
use std::time::Duration;

/// ```text
///  called:  Incoming --accept--> Confirmed --hang_up--> Ending --BYE answered--> gone
///              | refuse, CANCEL      | BYE
///              v                     v
///             gone                  gone
///  calling: Calling --2xx--> Confirmed ...
///              | 300-699, silence, CANCEL answered or not
///              v
///             gone
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Their INVITE waits for our answer (`asked`).
    Incoming,
    /// Our INVITE waits for a final response. CANCEL must wait for a provisional one (RFC 3261 9.1).
    Calling { provisional: bool, cancelled: bool },
    /// A 2xx was sent or received.
    Confirmed,
    /// Our BYE waits for its response.
    Ending,
}

#[derive(Debug)]
pub(super) struct Session {
    pub dialog: Dialog,
    /// We called: the Call-ID is ours.
    pub caller: bool,
    pub state: State,
    /// Remote tags of early dialogs in the order they came; the place is `Event::Progress::early`.
    pub early: Vec<Box<[u8]>>,
    /// Their INVITE or UPDATE that has no final response yet.
    pub asked: Option<Asked>,
    /// Our 2xx to their INVITE that has no ACK yet.
    pub unacked: Option<Unacked>,
    /// Our INVITE or re-INVITE without a final response.
    pub calling: Option<TransactionId>,
    /// CSeq of our last INVITE, for its ACK.
    pub invite_seq: u32,
    /// Their 2xx carried the offer: the ACK waits for our answer.
    pub owes_ack: Option<TransactionId>,
    /// What the re-INVITE in flight, or the one that waits for its turn, offers.
    pub offer: Option<Offer>,
    /// `hang_up` was called: code and reason.
    pub leaving: Option<(u16, Box<str>)>,
    /// What our INVITE was made of, as long as it may have to be sent again with credentials.
    pub outgoing: Option<Box<Outgoing>>,
    pub credentials: Option<Credentials>,
    pub challenge: Option<Challenge>,
    /// Challenges met by the request in flight.
    pub challenged: u8,
}

#[derive(Debug)]
pub(super) struct Asked {
    pub transaction: TransactionId,
    pub request: Arc<[u8]>,
    pub source: Hop,
    pub is_update: bool,
    /// The last provisional response, for its repetition each minute.
    pub provisional: Option<(u16, Arc<[u8]>)>,
}

#[derive(Debug)]
pub(super) struct Unacked {
    pub seq: u32,
    pub response: Arc<[u8]>,
    pub hop: Hop,
    /// To the next repetition; doubles up to T2.
    pub next: Duration,
    /// It answers the INVITE that opened the session.
    pub first: bool,
    /// It carries an offer: the ACK brings the answer.
    pub offered: bool,
}

#[derive(Debug)]
pub(super) struct Offer {
    pub sdp: Box<[u8]>,
    pub sent: bool,
}

impl Session {
    pub fn new(dialog: Dialog, caller: bool, state: State) -> Session {
        Session {
            dialog,
            caller,
            state,
            early: Vec::new(),
            asked: None,
            unacked: None,
            calling: None,
            invite_seq: 0,
            owes_ack: None,
            offer: None,
            leaving: None,
            outgoing: None,
            credentials: None,
            challenge: None,
            challenged: 0,
        }
    }

    /// Neither side has an INVITE or an unanswered offer under way (RFC 3261 14.1).
    pub fn is_quiet(&self) -> bool {
        self.state == State::Confirmed
            && self.asked.is_none()
            && self.unacked.is_none()
            && self.calling.is_none()
            && self.owes_ack.is_none()
            && self.leaving.is_none()
    }
}
