//! SIP messages (RFC 3261 section 7 and 20): one pass over the bytes, nothing copied.
//!
//! What every message needs (start line, topmost Via, From, To, Call-ID, CSeq, Content-Length) is
//! checked once, here. Everything else stays as written: unknown methods, schemes and headers, folds,
//! bytes >= 0x80, so that it can be forwarded or logged as it came.
mod address;
mod build;
mod lex;
mod name;
mod reason;
mod uri;
mod via;

pub use address::{ContactValue, NameAddr, Param, Params};
pub use build::Builder;
pub use lex::unquote;
pub(crate) use lex::{Lines, digits};
pub use name::{Method, Name};
pub use reason::default_reason;
pub use uri::{Uri, UriError};
pub use via::Via;

/// How much of a message is read.
#[derive(Clone, Copy, Debug)]
pub struct ParseLimits {
    pub message_bytes: usize,
    /// Header lines.
    pub headers: usize,
}

impl Default for ParseLimits {
    fn default() -> ParseLimits {
        ParseLimits { message_bytes: 65_535, headers: 256 }
    }
}

/// A request or response over the bytes it came in.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    start: Start<'a>,
    headers: Vec<Header<'a>>,
    via: Via<'a>,
    from: NameAddr<'a>,
    to: NameAddr<'a>,
    call_id: &'a [u8],
    cseq: CSeq<'a>,
    body: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
enum Start<'a> {
    Request { method: Method, method_text: &'a [u8], uri_text: &'a [u8] },
    Response { code: u16, reason: &'a [u8] },
}

#[derive(Clone, Copy, Debug)]
struct Header<'a> {
    name: Name,
    raw_name: &'a [u8],
    value: &'a [u8],
}

/// CSeq (RFC 3261 20.16).
#[derive(Clone, Copy, Debug)]
pub struct CSeq<'a> {
    pub number: u32,
    pub method: Method,
    pub method_text: &'a [u8],
}

/// What could not be accepted.
#[derive(Clone, Debug)]
pub struct Malformed<'a> {
    /// The answer it deserves: 400, 501, 505 or 513.
    pub code: u16,
    pub why: &'static str,
    /// Enough was readable to answer it with `code` (`Builder::answer`): a request other than ACK
    /// with a Via. Nothing else about it has been checked.
    pub message: Option<Message<'a>>,
    /// A response: to be dropped.
    pub is_response: bool,
}

impl<'a> Message<'a> {
    /// One datagram, or one message cut out of a stream. Blank lines before it are skipped; bytes
    /// behind its Content-Length are ignored; without Content-Length the body is all the rest.
    #[expect(clippy::result_large_err, reason = "the error carries the message to be answered")]
    pub fn parse(bytes: &'a [u8], limits: &ParseLimits) -> Result<Message<'a>, Malformed<'a>> {
        Reader { lines: Lines { rest: bytes }, fault: None }.message(limits)
    }

    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// Of a request; of a response, its CSeq's.
    pub fn method(&self) -> Method {
        match self.start {
            Start::Request { method, .. } => method,
            Start::Response { .. } => self.cseq.method,
        }
    }

    pub fn method_text(&self) -> &'a [u8] {
        match self.start {
            Start::Request { method_text, .. } => method_text,
            Start::Response { .. } => self.cseq.method_text,
        }
    }

    /// The Request-URI; empty in a response.
    pub fn uri_text(&self) -> &'a [u8] {
        match self.start {
            Start::Request { uri_text, .. } => uri_text,
            Start::Response { .. } => &[],
        }
    }

    pub fn uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.uri_text())
    }

    /// 100-699; 0 in a request.
    pub fn code(&self) -> u16 {
        match self.start {
            Start::Request { .. } => 0,
            Start::Response { code, .. } => code,
        }
    }

    /// The reason phrase as written; empty in a request.
    pub fn reason(&self) -> &'a [u8] {
        match self.start {
            Start::Request { .. } => &[],
            Start::Response { reason, .. } => reason,
        }
    }

    /// The topmost.
    pub fn via(&self) -> &Via<'a> {
        &self.via
    }

    /// All, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'a>, &'static str>> + '_ {
        self.values(Name::Via).map(Via::parse)
    }

    pub fn from(&self) -> &NameAddr<'a> {
        &self.from
    }

    pub fn to(&self) -> &NameAddr<'a> {
        &self.to
    }

    pub fn call_id(&self) -> &'a [u8] {
        self.call_id
    }

    pub fn cseq(&self) -> CSeq<'a> {
        self.cseq
    }

    /// The first value of that name as written, without the blanks around it; folds are left in
    /// (`unfold`), a list is not split (`values`).
    pub fn header(&self, name: Name) -> Option<&'a [u8]> {
        self.headers.iter().find(|h| h.name == name).map(|h| h.value)
    }

    /// Every header line in order: known name, name as written, value as written.
    pub fn headers(&self) -> impl Iterator<Item = (Name, &'a [u8], &'a [u8])> + '_ {
        self.headers.iter().map(|h| (h.name, h.raw_name, h.value))
    }

    /// Every value of that name, lists split at commas outside quotes and `<>`. For headers that are
    /// lists; the commas of a Date or a challenge are no separators, ask `lines` there.
    pub fn values(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.lines(name).flat_map(split_list)
    }

    /// Every value of that name, one per header line.
    pub fn lines(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.headers.iter().filter(move |h| h.name == name).map(|h| h.value)
    }

    /// The first value of a header by its text without case; a known header in its long form also
    /// finds its compact form.
    pub fn by_text(&self, name: &str) -> Option<&'a [u8]> {
        match Name::from_text(name.as_bytes()) {
            Name::Other => self
                .headers
                .iter()
                .find(|h| h.raw_name.eq_ignore_ascii_case(name.as_bytes()))
                .map(|h| h.value),
            known => self.header(known),
        }
    }

    pub fn contacts(&self) -> impl Iterator<Item = Result<ContactValue<'a>, &'static str>> + '_ {
        self.values(Name::Contact).map(|v| match v {
            b"*" => Ok(ContactValue::Star),
            _ => NameAddr::parse(v).map(ContactValue::Address),
        })
    }

    /// `None` when it is missing. A number past 32 bits saturates.
    pub fn max_forwards(&self) -> Option<u32> {
        self.header(Name::MaxForwards).and_then(seconds)
    }

    /// In seconds; `None` when it is missing or no number. A number past 32 bits saturates.
    pub fn expires(&self) -> Option<u32> {
        self.header(Name::Expires).and_then(seconds)
    }

    /// `type/subtype` as written, without parameters.
    pub fn content_type(&self) -> Option<&'a [u8]> {
        self.header(Name::ContentType)
            .map(|v| lex::split_once(v, b';').map_or(v, |(kind, _)| lex::trim_end(kind)))
    }

    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

/// Digits as `u32`, saturating.
pub(crate) fn seconds(text: &[u8]) -> Option<u32> {
    lex::digits(text).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
}

/// The values of a list header: split at commas outside quotes and `<>`, trimmed.
pub fn split_list(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match lex::find_outside(text, b',', true) {
            Some(i) => {
                rest = Some(&text[i + 1..]);
                Some(lex::trim(&text[..i]))
            }
            None => {
                rest = None;
                Some(lex::trim(text))
            }
        }
    })
}

/// A value with each of its line folds as one blank (RFC 3261 7.3.1).
pub fn unfold(text: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if lex::find(text, b'\n').is_none() {
        return text.into();
    }
    let mut out = Vec::with_capacity(text.len());
    for line in text.split(|&b| b == b'\n') {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(lex::trim(line));
    }
    out.into()
}

/// Reads on after a fault, so that the fault can be answered; the first fault counts.
struct Reader<'a> {
    lines: Lines<'a>,
    fault: Option<(u16, &'static str)>,
}

impl<'a> Reader<'a> {
    #[expect(clippy::result_large_err, reason = "the error carries the message to be answered")]
    fn message(mut self, limits: &ParseLimits) -> Result<Message<'a>, Malformed<'a>> {
        let dropped = |why, is_response| Err(Malformed { code: 400, why, message: None, is_response });
        if self.lines.rest.len() > limits.message_bytes {
            self.fault(513, "message too large");
        }
        while let [b'\r' | b'\n', rest @ ..] = self.lines.rest {
            self.lines.rest = rest;
        }
        if self.lines.rest.is_empty() {
            return dropped("keep-alive", false);
        }
        let line = self.lines.line().unwrap_or_else(|| std::mem::take(&mut self.lines.rest));
        let is_response = line.starts_with(b"SIP/");
        let start = if is_response { status_line(line) } else { self.request_line(line) };
        let Some(start) = start else { return dropped("start line is not SIP", is_response) };

        let headers = self.headers(limits);
        let mut message = Message {
            start,
            headers,
            via: Via::default(),
            from: NameAddr::default(),
            to: NameAddr::default(),
            call_id: &[],
            cseq: CSeq { number: 0, method: Method::Other, method_text: &[] },
            body: self.lines.rest,
        };
        self.check(&mut message);
        let Some((code, why)) = self.fault else { return Ok(message) };
        let answerable =
            message.is_request() && message.method() != Method::Ack && message.header(Name::Via).is_some();
        Err(Malformed { code, why, message: answerable.then_some(message), is_response })
    }

    fn fault(&mut self, code: u16, why: &'static str) {
        self.fault.get_or_insert((code, why));
    }

    /// `METHOD SP Request-URI SP SIP/2.0`; anything with `SIP/x` at its end is read as one.
    fn request_line(&mut self, line: &'a [u8]) -> Option<Start<'a>> {
        let trimmed = lex::trim_end(line);
        if trimmed.len() != line.len() {
            self.fault(400, "blanks behind the version");
        }
        let first = lex::find(trimmed, b' ')?;
        let last = trimmed.iter().rposition(|&b| b == b' ')?;
        let (method_text, version) = (&trimmed[..first], &trimmed[last + 1..]);
        if !version.get(..4).is_some_and(|v| v.eq_ignore_ascii_case(b"SIP/")) || !lex::token(method_text) {
            return None;
        }
        if &version[4..] != b"2.0" {
            self.fault(505, "SIP version is not 2.0");
        }
        let uri_text = if first < last { &trimmed[first + 1..last] } else { &[] };
        if let Err(UriError(why)) = Uri::parse(uri_text) {
            self.fault(400, why);
        }
        Some(Start::Request { method: Method::from_text(method_text), method_text, uri_text })
    }

    /// Up to the empty line.
    fn headers(&mut self, limits: &ParseLimits) -> Vec<Header<'a>> {
        let mut headers: Vec<Header<'a>> = Vec::with_capacity(limits.headers.min(24));
        loop {
            let Some(line) = self.lines.header() else {
                self.fault(400, "headers without their end");
                self.lines.rest = &[];
                return headers;
            };
            if line.is_empty() {
                return headers;
            }
            if headers.len() == limits.headers {
                self.fault(513, "too many headers");
                self.lines.rest = &[];
                return headers;
            }
            let Some((raw_name, value)) = lex::split_once(line, b':') else {
                self.fault(400, "header without a colon");
                continue;
            };
            let raw_name = lex::trim_end(raw_name);
            if !lex::token(raw_name) {
                self.fault(400, "header name is not a token");
                continue;
            }
            headers.push(Header { name: Name::from_text(raw_name), raw_name, value: lex::trim(value) });
        }
    }

    /// What every message needs.
    fn check(&mut self, message: &mut Message<'a>) {
        let mut content_length = None;
        let mut seen = 0u64;
        for i in 0..message.headers.len() {
            let Header { name, value, .. } = message.headers[i];
            let first = seen & 1 << name as u64 == 0;
            seen |= 1 << name as u64;
            let single = match name {
                Name::Via => {
                    let mut values = split_list(value);
                    let topmost = values.next().unwrap_or_default();
                    if first {
                        match Via::parse(topmost) {
                            Ok(via) => message.via = via,
                            Err(why) => self.fault(400, why),
                        }
                    }
                    if topmost.is_empty() || values.any(<[u8]>::is_empty) {
                        self.fault(400, "empty Via");
                    }
                    false
                }
                Name::From | Name::To => {
                    match NameAddr::parse(value) {
                        Ok(address) if name == Name::From => message.from = address,
                        Ok(address) => message.to = address,
                        Err(why) => self.fault(400, why),
                    }
                    true
                }
                Name::CallId => {
                    message.call_id = value;
                    if value.is_empty() || value.iter().any(|&b| lex::is_lws(b)) {
                        self.fault(400, "Call-ID is not a word");
                    }
                    true
                }
                Name::CSeq => {
                    match cseq(value) {
                        Ok(cseq) => message.cseq = cseq,
                        Err(why) => self.fault(400, why),
                    }
                    true
                }
                Name::ContentLength => {
                    content_length = lex::digits(value);
                    if content_length.is_none() {
                        self.fault(400, "Content-Length is not a number");
                    }
                    true
                }
                Name::MaxForwards => {
                    if lex::digits(value).is_none() {
                        self.fault(400, "Max-Forwards is not a number");
                    }
                    true
                }
                Name::ContentType | Name::Expires | Name::ContentDisposition => true,
                _ => false,
            };
            if single && !first {
                self.fault(400, "a header that may stand there once stands there twice");
            }
        }
        for (name, why) in [
            (Name::Via, "no Via"),
            (Name::From, "no From"),
            (Name::To, "no To"),
            (Name::CallId, "no Call-ID"),
            (Name::CSeq, "no CSeq"),
        ] {
            if seen & 1 << name as u64 == 0 {
                self.fault(400, why);
            }
        }
        if let Start::Request { method, method_text, .. } = message.start
            && self.fault.is_none()
            && method_text != message.cseq.method_text
        {
            // RFC 4475 3.1.2.18: what is wrong first about an unknown method is the method.
            self.fault(if method == Method::Other { 501 } else { 400 }, "CSeq of another method");
        }
        match content_length {
            Some(length) if length > message.body.len() as u64 => {
                self.fault(400, "body shorter than its Content-Length")
            }
            Some(length) => message.body = &message.body[..length as usize],
            None => {}
        }
    }
}

fn status_line(line: &[u8]) -> Option<Start<'_>> {
    let rest = line.strip_prefix(b"SIP/2.0 ")?;
    let (code, reason) = lex::split_once(rest, b' ').unwrap_or((rest, &[]));
    let code = lex::port(code).filter(|c| code.len() == 3 && (100..700).contains(c))?;
    Some(Start::Response { code, reason })
}

fn cseq(value: &[u8]) -> Result<CSeq<'_>, &'static str> {
    let end = value.iter().position(|&b| lex::is_lws(b)).ok_or("CSeq without a method")?;
    let number = lex::digits(&value[..end]).ok_or("CSeq is not a number")?;
    let number = u32::try_from(number).map_err(|_| "CSeq past 32 bits")?;
    let method_text = lex::trim(&value[end..]);
    if !lex::token(method_text) {
        return Err("CSeq's method is not a token");
    }
    Ok(CSeq { number, method: Method::from_text(method_text), method_text })
}
