//! Writing messages.
use super::{Message, Name, Via, default_reason, lex, split_list};
use std::net::{IpAddr, SocketAddr};

/// Writes a message header by header. A line break within a value becomes blanks, so no value can
/// bring in a header of its own.
#[derive(Clone, Debug)]
pub struct Builder {
    bytes: Vec<u8>,
    body: Vec<u8>,
}

impl Builder {
    pub fn request(method: impl AsRef<[u8]>, uri: impl AsRef<[u8]>) -> Builder {
        Builder::start_line(&[method.as_ref(), b" ", uri.as_ref(), b" SIP/2.0"].concat())
    }

    /// An empty `reason` becomes the code's own phrase.
    pub fn response(code: u16, reason: &str) -> Builder {
        let reason = if reason.is_empty() { default_reason(code) } else { reason };
        Builder::start_line(format!("SIP/2.0 {code:03} {reason}").as_bytes())
    }

    pub(crate) fn start_line(line: &[u8]) -> Builder {
        let mut new = Builder { bytes: Vec::with_capacity(1024), body: Vec::new() };
        new.text(line);
        new.end_line();
        new
    }

    /// A response to `request` (RFC 3261 8.2.6): its Vias in order, From, To, Call-ID and CSeq as
    /// written; Record-Route for 101-299 (12.1.1), Timestamp for 100. To gets `to_tag` when it has no
    /// tag. The topmost Via gets `received` and `rport` from the `source` (18.2.1, RFC 3581).
    pub fn answer(
        request: &Message<'_>,
        code: u16,
        reason: &str,
        to_tag: Option<&str>,
        source: SocketAddr,
    ) -> Builder {
        let mut new = Builder::response(code, reason);
        let mut topmost = true;
        for (name, raw_name, value) in request.headers() {
            match name {
                Name::Via if topmost => {
                    topmost = false;
                    let mut values = split_list(value);
                    new.topmost_via(values.next().unwrap_or_default(), source);
                    for value in values {
                        new.put(b"Via", value);
                    }
                }
                Name::To => {
                    let tag = to_tag.filter(|_| request.to().tag.is_none());
                    new.text(b"To: ");
                    new.text(value);
                    if let Some(tag) = tag {
                        new.text(b";tag=");
                        new.text(tag.as_bytes());
                    }
                    new.end_line();
                }
                Name::Via | Name::From | Name::CallId | Name::CSeq => {
                    new.put(name.as_str().as_bytes(), value)
                }
                Name::RecordRoute if (101..300).contains(&code) => new.put(raw_name, value),
                Name::Timestamp if code == 100 => new.put(raw_name, value),
                _ => {}
            }
        }
        new
    }

    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Builder {
        self.put(name.as_ref(), value.as_ref());
        self
    }

    /// A whole header line, without its line end.
    pub fn raw(mut self, line: impl AsRef<[u8]>) -> Builder {
        self.text(line.as_ref());
        self.end_line();
        self
    }

    pub fn body(mut self, content_type: impl AsRef<[u8]>, bytes: impl Into<Vec<u8>>) -> Builder {
        self.put(b"Content-Type", content_type.as_ref());
        self.body = bytes.into();
        self
    }

    pub fn finish(mut self) -> Vec<u8> {
        let length = self.body.len().to_string();
        self.put(b"Content-Length", length.as_bytes());
        self.end_line();
        self.bytes.extend_from_slice(&self.body);
        self.bytes
    }

    fn put(&mut self, name: &[u8], value: &[u8]) {
        self.text(name);
        self.bytes.extend_from_slice(b": ");
        self.text(value);
        self.end_line();
    }

    fn text(&mut self, text: &[u8]) {
        self.bytes.extend(text.iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }));
    }

    fn end_line(&mut self) {
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn topmost_via(&mut self, value: &[u8], source: SocketAddr) {
        let Ok(via) = Via::parse(value) else { return self.put(b"Via", value) };
        let ip = source.ip().to_canonical();
        if !via.rport_asked && via.received.is_none() && via.ip().map(|i| i.to_canonical()) == Some(ip) {
            return self.put(b"Via", value);
        }
        self.text(b"Via: ");
        self.text(lex::trim_end(&value[..lex::find(value, b';').unwrap_or(value.len())]));
        for param in via.params.iter() {
            if param.name.eq_ignore_ascii_case(b"received") || param.name.eq_ignore_ascii_case(b"rport") {
                continue;
            }
            self.text(b";");
            self.text(param.name);
            if let Some(value) = param.value {
                self.text(b"=");
                self.text(value);
            }
        }
        match ip {
            IpAddr::V4(ip) => self.text(format!(";received={ip}").as_bytes()),
            IpAddr::V6(ip) => self.text(format!(";received={ip}").as_bytes()),
        }
        if via.rport_asked {
            self.text(format!(";rport={}", source.port()).as_bytes());
        }
        self.end_line();
    }
}
