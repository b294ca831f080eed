//! What goes into the user agent and what comes out.
use hotline_core::Time;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transport {
    Udp,
    Tcp,
}

/// Between which addresses a message travels. `local` is the address of our listener (also for
/// connections we opened ourselves, so it names the listener, not the ephemeral port); for TCP the shell keeps
/// one connection per (`local`, `remote`) and opens it when there is none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Hop {
    pub transport: Transport,
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

/// One INVITE session, from its first request through its dialog to the last transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DialogId(pub u64);

#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Realm of digest challenges.
    pub realm: String,
    /// `Server` and `User-Agent`.
    pub product: String,
    /// What `Via` and `Contact` show for a listener: (listener address, advertised host:port).
    pub advertised: Vec<(SocketAddr, String)>,
    pub limits: Limits,
    /// RFC 3261 T1, T2, T4.
    pub t1: Duration,
    pub t2: Duration,
    pub t4: Duration,
    pub registrar: RegistrarConfig,
}
#[derive(Clone, Debug)]
pub struct Limits {
    pub message_bytes: usize,
    pub headers: usize,
    pub transactions: usize,
    pub dialogs: usize,
    pub contacts_per_user: usize,
}
#[derive(Clone, Debug)]
pub struct RegistrarConfig {
    pub expires_min: Duration,
    pub expires_default: Duration,
    pub expires_max: Duration,
    pub nonce_lifetime: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    Md5,
    Sha256,
}

/// HA1 = H(user:realm:password) in lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    pub algorithm: Algorithm,
    pub hex: String,
}
impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ha1({:?}, ***)", self.algorithm)
    }
}

/// Who may register and authenticate here.
#[derive(Clone, Debug)]
pub struct Account {
    pub user: String,
    pub ha1: Vec<Ha1>,
}

/// Credentials of our own as a client (`hotline call`, `hotline phone`).
#[derive(Clone)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// A header to add, name and value.
pub type ExtraHeader = (String, String);

/// An address-of-record's binding, and the way back to it (the source its REGISTER came from).
#[derive(Clone, Debug)]
pub struct Contact {
    pub uri: String,
    pub hop: Hop,
    pub expires: Time,
    pub q: u16,
    pub user_agent: String,
}

#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Request-URI.
    pub uri: String,
    pub hop: Hop,
    pub from: String, // name-addr without tag: "\"hotline\" <sip:hotline@127.0.0.1>"
    pub to: String,   // name-addr without tag
    pub sdp: Option<Vec<u8>>,
    pub headers: Vec<ExtraHeader>,
    pub credentials: Option<Credentials>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Auth {
    /// No credentials, or none for this realm.
    None,
    /// Credentials that do not hold (wrong, unknown user, replayed, stale nonce).
    Bad {
        stale: bool,
    },
    Ok {
        user: String,
    },
}

/// An INVITE that opens a session. 100 has been sent already.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub uri: String,
    /// User part of the Request-URI, unescaped; empty when there is none.
    pub dialled: String,
    pub from_user: String,
    pub from_display: String,
    pub call_id: String,
    pub user_agent: String,
    pub hop: Hop,
    pub auth: Auth,
    /// The session description, when it came along (also out of multipart/mixed).
    pub sdp: Option<Vec<u8>>,
    /// Every header as written, for call records and later forwarding.
    pub headers: Vec<ExtraHeader>,
}

/// A NOTIFY outside a dialog, to a contact that has not asked for it.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// The contact.
    pub uri: &'a str,
    pub hop: Hop,
    /// Whose contact it is (`sip:alice@example.com`): From and To.
    pub address: &'a str,
    /// The event package.
    pub event: &'a str,
    pub content_type: &'a str,
    pub body: &'a [u8],
}

#[derive(Clone, Debug)]
pub enum Event {
    /// Answer with `ring`, `accept`, `refuse` or `challenge`.
    Invite { dialog: DialogId, invitation: Box<Invitation> },
    /// The caller sent CANCEL (200 and 487 are sent already), or gave up otherwise. `Ended` follows.
    Cancelled { dialog: DialogId },
    /// ACK for our 2xx; `sdp` is the answer when our 2xx carried the offer.
    Acked { dialog: DialogId, sdp: Option<Vec<u8>> },
    /// Our 2xx was never acknowledged: the endpoint has sent BYE; `Ended` follows.
    NoAck { dialog: DialogId },
    /// 101-199 to our INVITE. `early` numbers the early dialog (forking: each To tag is one).
    Progress { dialog: DialogId, early: u32, code: u16, sdp: Option<Vec<u8>> },
    /// 2xx to our INVITE; ACK has been sent when our INVITE carried the offer, otherwise call `ack`.
    Answered { dialog: DialogId, sdp: Option<Vec<u8>>, hop: Hop },
    /// 300-699, timeout (408) or transport failure (503) of our INVITE. `Ended` follows.
    /// `retry_after` in seconds. A CANCEL of ours ends in Refused 487, or in silence after 64*T1.
    Refused { dialog: DialogId, code: u16, reason: String, retry_after: Option<u32> },
    /// re-INVITE or UPDATE with an offer (or without: then `accept_offer` carries ours). Answer with `accept_offer` / `refuse_offer`.
    Offer { dialog: DialogId, sdp: Option<Vec<u8>> },
    /// Our re-INVITE was answered.
    OfferAnswered { dialog: DialogId, sdp: Option<Vec<u8>> },
    /// Our re-INVITE was refused (491 is retried by the endpoint itself, after the right back-off).
    OfferRefused { dialog: DialogId, code: u16 },
    /// INFO within the dialog; 200 is sent already when the content type is known here (dtmf-relay, dtmf), 415 otherwise.
    Info { dialog: DialogId, content_type: String, body: Vec<u8> },
    /// The far end sent BYE (200 sent already), with the text of its Reason header. `Ended` follows.
    Bye { dialog: DialogId, reason: Option<String> },
    /// The session is over and forgotten, exactly once for each DialogId.
    Ended { dialog: DialogId },
    /// The bindings of a user changed; empty: he is gone. `expired`: by time, not by a request.
    Registered { user: String, contacts: Vec<Contact>, expired: bool },
    /// A registration was refreshed: nothing changed, but its phone may be a new one at the same address.
    RegisteredAgain { user: String },
    /// Somebody tried to register or authenticate and failed; for the log and (later) the defence.
    AuthFailed { user: String, hop: Hop },
    /// Our own registration (client side): Ok(expires) or the final code.
    Registration { user: String, result: Result<Duration, u16> },
}

#[derive(Clone, Debug)]
pub enum Output {
    Send { hop: Hop, bytes: Arc<[u8]> },
    Event(Event),
}

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Counts {
    pub transactions: usize,
    pub dialogs: usize,
    pub contacts: usize,
    pub timers: usize,
    pub nonces: usize,
}
