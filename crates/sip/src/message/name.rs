//! Methods and header names.

/// What a request asks for. An unknown method is `Other`; its text stays in the message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Method {
    Invite,
    Ack,
    Bye,
    Cancel,
    Options,
    Register,
    Info,
    Update,
    Prack,
    Subscribe,
    Notify,
    Refer,
    Message,
    Publish,
    Other,
}

impl Method {
    /// Methods are case-sensitive (RFC 3261 7.1).
    pub fn from_text(text: &[u8]) -> Method {
        match text {
            b"INVITE" => Method::Invite,
            b"ACK" => Method::Ack,
            b"BYE" => Method::Bye,
            b"CANCEL" => Method::Cancel,
            b"OPTIONS" => Method::Options,
            b"REGISTER" => Method::Register,
            b"INFO" => Method::Info,
            b"UPDATE" => Method::Update,
            b"PRACK" => Method::Prack,
            b"SUBSCRIBE" => Method::Subscribe,
            b"NOTIFY" => Method::Notify,
            b"REFER" => Method::Refer,
            b"MESSAGE" => Method::Message,
            b"PUBLISH" => Method::Publish,
            _ => Method::Other,
        }
    }

    /// The method as written; `Other` has no text of its own.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Options => "OPTIONS",
            Method::Register => "REGISTER",
            Method::Info => "INFO",
            Method::Update => "UPDATE",
            Method::Prack => "PRACK",
            Method::Subscribe => "SUBSCRIBE",
            Method::Notify => "NOTIFY",
            Method::Refer => "REFER",
            Method::Message => "MESSAGE",
            Method::Publish => "PUBLISH",
            Method::Other => "",
        }
    }
}

macro_rules! names {
    ($($name:ident $text:literal $($compact:literal)?),+ $(,)?) => {
        /// The headers that are known here, by their long or compact form. An unknown header is
        /// `Other`; its text stays in the message.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Name { $($name,)+ Other }

        impl Name {
            const ALL: &[(&'static str, Name)] = &[$(($text, Name::$name)),+];

            /// The long form; `Other` has none.
            pub fn as_str(self) -> &'static str {
                match self { $(Name::$name => $text,)+ Name::Other => "" }
            }

            fn from_compact(letter: u8) -> Name {
                match letter.to_ascii_lowercase() {
                    $($($compact => Name::$name,)?)+
                    _ => Name::Other,
                }
            }
        }
    };
}

names! {
    Via "Via" b'v',
    From "From" b'f',
    To "To" b't',
    CallId "Call-ID" b'i',
    CSeq "CSeq",
    Contact "Contact" b'm',
    MaxForwards "Max-Forwards",
    Route "Route",
    RecordRoute "Record-Route",
    Path "Path",
    ServiceRoute "Service-Route",
    ContentType "Content-Type" b'c',
    ContentLength "Content-Length" b'l',
    ContentEncoding "Content-Encoding" b'e',
    ContentDisposition "Content-Disposition",
    Expires "Expires",
    MinExpires "Min-Expires",
    Require "Require",
    ProxyRequire "Proxy-Require",
    Supported "Supported" b'k',
    Unsupported "Unsupported",
    Allow "Allow",
    AllowEvents "Allow-Events" b'u',
    Accept "Accept",
    Authorization "Authorization",
    ProxyAuthorization "Proxy-Authorization",
    WwwAuthenticate "WWW-Authenticate",
    ProxyAuthenticate "Proxy-Authenticate",
    RetryAfter "Retry-After",
    Reason "Reason",
    Warning "Warning",
    UserAgent "User-Agent",
    Server "Server",
    Subject "Subject" b's',
    Event "Event" b'o',
    ReferTo "Refer-To" b'r',
    ReferredBy "Referred-By" b'b',
    Replaces "Replaces",
    SessionExpires "Session-Expires" b'x',
    MinSe "Min-SE",
    Diversion "Diversion",
    HistoryInfo "History-Info",
    PAssertedIdentity "P-Asserted-Identity",
    Privacy "Privacy",
    RSeq "RSeq",
    RAck "RAck",
    Date "Date",
    Timestamp "Timestamp",
}

impl Name {
    /// Header names are not case-sensitive; compact forms (RFC 3261 7.3.3) count as their long form.
    pub fn from_text(text: &[u8]) -> Name {
        if let [letter] = text {
            return Name::from_compact(*letter);
        }
        let mut slot = slot(text);
        while let Some(candidate) = SLOTS[slot] {
            if candidate.as_str().as_bytes().eq_ignore_ascii_case(text) {
                return candidate;
            }
            slot = (slot + 1) % SLOTS.len();
        }
        Name::Other
    }
}

/// Known names by `slot`, made while compiling; a taken slot sends a name to the next.
static SLOTS: [Option<Name>; 256] = {
    let mut slots = [None; 256];
    let mut i = 0;
    while i < Name::ALL.len() {
        let (text, name) = Name::ALL[i];
        let mut at = slot(text.as_bytes());
        while slots[at].is_some() {
            at = (at + 1) % slots.len();
        }
        slots[at] = Some(name);
        i += 1;
    }
    slots
};

/// From the length and three letters, without case.
const fn slot(text: &[u8]) -> usize {
    let [first, .., last] = text else { return 0 };
    let middle = text[text.len() / 2] | 0x20;
    let (first, last) = (*first | 0x20, *last | 0x20);
    (text.len() * 59 + first as usize * 7 + middle as usize * 31 + last as usize * 3) % 256
}
