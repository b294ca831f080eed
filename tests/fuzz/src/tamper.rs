//! What somebody on the way does to a message.

use sip::digest::Challenge;
use sip::{Message, Name, ParseLimits};

const UNLIMITED: ParseLimits = ParseLimits { message_bytes: usize::MAX, headers: usize::MAX };
/// What is filled in: as often as a message may need, not as often as bytes fit.
const FILLED_MAX: usize = 32;

/// One byte is another.
pub fn byte(message: &[u8], at: u16, byte: u8) -> Vec<u8> {
    let mut changed = message.to_vec();
    let at = usize::from(at) % changed.len().max(1);
    changed[at] = byte;
    changed
}

/// One line is another, or there is one more.
pub fn line(message: &[u8], which: u8, text: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = message.split_inclusive(|b| *b == b'\n').collect();
    let at = usize::from(which >> 1) % lines.len().max(1);
    let text = [text, b"\r\n"].concat();
    if which & 1 == 0 {
        lines[at] = &text;
    } else {
        lines.insert(at, &text);
    }
    lines.concat()
}

/// `text`, in which `$c`, `$t`, `$f`, `$b`, `$s` and `$n` are the Call-ID, the tags of To and From, the branch,
/// the CSeq number and the nonce of `said`.
pub fn fill_in(text: &[u8], said: &[u8]) -> Vec<u8> {
    let Ok(said) = Message::parse(said, &UNLIMITED) else { return text.to_vec() };
    let number = said.cseq().number.to_string();
    let nonce = said.header(Name::WwwAuthenticate).and_then(|v| Challenge::parse(v).ok());
    let nonce = nonce.map(|c| c.nonce.to_vec()).unwrap_or_default();
    let mut filled = Vec::with_capacity(text.len());
    let mut rest = text;
    for _ in 0..FILLED_MAX {
        let Some(at) = rest.iter().position(|b| *b == b'$') else { break };
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(match rest.get(at + 1) {
            Some(b'c') => said.call_id(),
            Some(b't') => said.to().tag.unwrap_or_default(),
            Some(b'f') => said.from().tag.unwrap_or_default(),
            Some(b'b') => said.via().branch.unwrap_or_default(),
            Some(b's') => number.as_bytes(),
            Some(b'n') => &nonce,
            _ => b"$",
        });
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    filled.extend_from_slice(rest);
    filled
}

/// # Panics
/// When something that we sent cannot be read. The refusal of a message that cannot be read is excepted: it
/// shows those headers as they were written (RFC 3261 8.2.6.2).
pub fn assert_well_formed(sent: &[u8]) {
    let refuses_malformed = [&b"SIP/2.0 400 "[..], b"SIP/2.0 501 ", b"SIP/2.0 505 ", b"SIP/2.0 513 "];
    if !refuses_malformed.iter().any(|line| sent.starts_with(line))
        && let Err(malformed) = Message::parse(sent, &UNLIMITED)
    {
        panic!("we send {}: {}", malformed.why, sent.escape_ascii());
    }
}
