//! Messages out of a byte stream (RFC 3261 18.3), keep-alives of RFC 5626 4.4.1.

/// Cuts a stream into messages by their Content-Length. Holds one message of at most
/// `message_bytes`, plus what was pushed behind it.
#[derive(Clone, Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes before it have no end of headers in them.
    searched: usize,
    message_bytes: usize,
    pings: usize,
    broken: Option<FramingError>,
}

/// The stream cannot be followed any more: close it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FramingError {
    /// Head or Content-Length past the limit.
    TooLarge,
    /// Content-Length missing its number, or given twice.
    ContentLength,
}

impl std::fmt::Display for FramingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FramingError::TooLarge => "message larger than the limit",
            FramingError::ContentLength => "Content-Length unusable",
        })
    }
}
impl std::error::Error for FramingError {}

impl Framer {
    /// `message_bytes`: the longest message, head and body.
    pub fn new(message_bytes: usize) -> Framer {
        Framer { buffer: Vec::new(), searched: 0, message_bytes, pings: 0, broken: None }
    }

    /// Bytes as they were read. Drain `next` before the next push.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Keep-alives (CRLF CRLF) since the last call; each wants one CRLF back.
    pub fn take_pings(&mut self) -> usize {
        std::mem::take(&mut self.pings)
    }

    /// Bytes that wait for the rest of their message.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }
}

/// Whole messages, as long as there are any. When the length of a message cannot be known, its head
/// still comes out (`Message::parse` says what to answer), then the error, for ever.
impl Iterator for Framer {
    type Item = Result<Vec<u8>, FramingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.broken {
            return Some(Err(error));
        }
        self.skip_blank_lines();
        let Some(head) = self.head_end() else {
            return if self.buffer.len() > self.message_bytes {
                self.fail(FramingError::TooLarge)
            } else {
                None
            };
        };
        let length = match content_length(&self.buffer[..head]) {
            Ok(length) => length,
            Err(error) => {
                self.broken = Some(error);
                self.buffer.truncate(head);
                return Some(Ok(std::mem::take(&mut self.buffer)));
            }
        };
        match head.checked_add(length) {
            Some(end) if end <= self.message_bytes => {
                if self.buffer.len() < end {
                    return None;
                }
                let rest = self.buffer.split_off(end);
                self.searched = 0;
                Some(Ok(std::mem::replace(&mut self.buffer, rest)))
            }
            _ => {
                self.broken = Some(FramingError::TooLarge);
                self.buffer.truncate(head);
                Some(Ok(std::mem::take(&mut self.buffer)))
            }
        }
    }
}

impl Framer {
    fn fail<T>(&mut self, error: FramingError) -> Option<Result<T, FramingError>> {
        self.buffer = Vec::new();
        self.broken = Some(error);
        Some(Err(error))
    }

    fn skip_blank_lines(&mut self) {
        let mut at = 0;
        loop {
            match &self.buffer[at..] {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.pings += 1;
                    at += 4;
                }
                // A CRLF alone may be half a ping: it waits for what follows.
                [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] | [b'\r'] | [] => break,
                [b'\r', b'\n', ..] => at += 2,
                [b'\n', ..] => at += 1,
                _ => break,
            }
        }
        if at > 0 {
            self.buffer.drain(..at);
            self.searched = 0;
        }
    }

    /// Past the empty line that ends the headers.
    fn head_end(&mut self) -> Option<usize> {
        let mut at = self.searched;
        while let Some(i) = self.buffer[at..].iter().position(|&b| b == b'\n') {
            match &self.buffer[at + i + 1..] {
                [b'\n', ..] => return Some(at + i + 2),
                [b'\r', b'\n', ..] => return Some(at + i + 3),
                [] | [b'\r'] => {
                    self.searched = at + i;
                    return None;
                }
                _ => at += i + 1,
            }
        }
        self.searched = self.buffer.len();
        None
    }
}

/// No Content-Length means no body: RFC 3261 18.3 wants it on streams.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut found = None;
    for line in head.split(|&b| b == b'\n') {
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        let name = line[..colon].trim_ascii_end();
        if name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"l") {
            let digits = line[colon + 1..].trim_ascii();
            let length = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
            let length = length.and_then(|d| d.parse().ok()).ok_or(FramingError::ContentLength)?;
            if found.replace(length).is_some() {
                return Err(FramingError::ContentLength);
            }
        }
    }
    Ok(found.unwrap_or(0))
}
