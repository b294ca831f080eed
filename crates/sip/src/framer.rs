//! Messages out of a byte stream (RFC 3261 18.3), with the keep-alives of RFC 5626 4.4.1.
use crate::message::{Lines, Name, digits};

/// Cuts a stream into messages by their Content-Length. Once drained it holds no more than one
/// unfinished message of at most `message_bytes`.
#[derive(Clone, Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes before it have been given out.
    start: usize,
    /// Bytes between `start` and here hold no end of headers.
    searched: usize,
    /// With fewer bytes than this no message can come out.
    needed: usize,
    message_bytes: usize,
    pings: usize,
    broken: Option<FramingError>,
}

/// The stream cannot be followed any more: close it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FramingError {
    /// Not SIP at all.
    NotSip,
    /// Longer than the limit.
    TooLarge,
    /// Content-Length is not a number or stands there twice.
    ContentLength,
}

impl std::fmt::Display for FramingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FramingError::NotSip => "not SIP",
            FramingError::TooLarge => "message larger than the limit",
            FramingError::ContentLength => "unusable Content-Length",
        })
    }
}
impl std::error::Error for FramingError {}

impl Framer {
    /// `message_bytes`: the longest message, head and body.
    pub fn new(message_bytes: usize) -> Framer {
        Framer { buffer: Vec::new(), start: 0, searched: 0, needed: 0, message_bytes, pings: 0, broken: None }
    }

    /// Bytes as they were read. Drain `next` before the next push.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Keep-alives (CRLF CRLF) that `next` has passed since the last call; each wants one CRLF back.
    pub fn take_pings(&mut self) -> usize {
        std::mem::take(&mut self.pings)
    }

    /// Bytes that wait for the rest of their message.
    pub fn buffered(&self) -> usize {
        self.buffer.len() - self.start
    }
}

/// Whole messages, as long as there are any. When it cannot be known where a message ends, its head
/// still comes out (`Message::parse` says what to answer), then the error, for ever.
impl Iterator for Framer {
    type Item = Result<Vec<u8>, FramingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.broken {
            return Some(Err(error));
        }
        if self.buffered() < self.needed {
            return None;
        }
        self.skip_blank_lines();
        if !self.may_be_sip() {
            return Some(Err(self.give_up(FramingError::NotSip)));
        }
        let Some(head) = self.head_end() else {
            if self.buffered() > self.message_bytes {
                return Some(Err(self.give_up(FramingError::TooLarge)));
            }
            self.compact();
            return None;
        };
        if head > self.message_bytes {
            return Some(Err(self.give_up(FramingError::TooLarge)));
        }
        let message = &self.buffer[self.start..];
        let end = content_length(&message[..head]).and_then(|length| {
            head.checked_add(length).filter(|end| *end <= self.message_bytes).ok_or(FramingError::TooLarge)
        });
        match end {
            Ok(end) if end <= message.len() => {
                let message = message[..end].to_vec();
                self.start += end;
                self.searched = self.start;
                self.needed = 0;
                Some(Ok(message))
            }
            Ok(end) => {
                self.needed = end;
                self.compact();
                None
            }
            Err(error) => {
                let message = message[..head].to_vec();
                self.give_up(error);
                Some(Ok(message))
            }
        }
    }
}

impl Framer {
    fn give_up(&mut self, error: FramingError) -> FramingError {
        self.broken = Some(error);
        self.buffer = Vec::new();
        self.start = 0;
        error
    }

    fn compact(&mut self) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
    }

    fn skip_blank_lines(&mut self) {
        loop {
            self.start += match &self.buffer[self.start..] {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.pings += 1;
                    4
                }
                // A CRLF alone may be half a ping: it waits for what follows.
                [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => break,
                [b'\r', b'\n', ..] => 2,
                [b'\n', ..] => 1,
                _ => break,
            };
        }
        self.searched = self.searched.max(self.start);
    }

    /// A first line that has ended has `SIP/` in it.
    fn may_be_sip(&self) -> bool {
        let text = &self.buffer[self.start..];
        match text.iter().position(|&b| b == b'\n') {
            Some(end) if end > 1 => text[..end].windows(4).any(|w| w.eq_ignore_ascii_case(b"SIP/")),
            _ => true,
        }
    }

    /// The length of the headers with the empty line that ends them.
    fn head_end(&mut self) -> Option<usize> {
        while let Some(i) = self.buffer[self.searched..].iter().position(|&b| b == b'\n') {
            let line_end = self.searched + i + 1;
            let blank = match &self.buffer[line_end..] {
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                [] | [b'\r'] => {
                    self.searched += i;
                    return None;
                }
                _ => {
                    self.searched = line_end;
                    continue;
                }
            };
            // Found again at once when the body is not there yet.
            self.searched = line_end - 1;
            return Some(line_end + blank - self.start);
        }
        self.searched = self.buffer.len();
        None
    }
}

/// No Content-Length means no body: RFC 3261 18.3 wants it on streams.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut lines = Lines { rest: head };
    lines.line();
    let mut found = None;
    while let Some(line) = lines.header() {
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        if Name::from_text(line[..colon].trim_ascii_end()) == Name::ContentLength {
            let length = digits(line[colon + 1..].trim_ascii()).ok_or(FramingError::ContentLength)?;
            if found.replace(usize::try_from(length).unwrap_or(usize::MAX)).is_some() {
                return Err(FramingError::ContentLength);
            }
        }
    }
    Ok(found.unwrap_or(0))
}
