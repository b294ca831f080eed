//! Bodies: which we take, and the session description within (RFC 3261 8.2.3, RFC 2046 5.1).
use crate::message::{Message, Name};

/// Why a body is not taken: 415.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    Type,
    Encoding,
}

/// Multipart bodies are looked into to this depth, and for as many parts.
const DEPTH_MAX: usize = 3;
const PARTS_MAX: usize = 16;

/// The session description of a message, if it has one.
pub(super) fn sdp(message: &Message<'_>) -> Result<Option<Vec<u8>>, Refused> {
    if message.body().is_empty() {
        return Ok(None);
    }
    let optional = message.header(Name::ContentDisposition).is_some_and(is_optional);
    let encoded = message.values(Name::ContentEncoding).any(|e| !e.eq_ignore_ascii_case(b"identity"));
    let found = match message.header(Name::ContentType) {
        _ if encoded => return if optional { Ok(None) } else { Err(Refused::Encoding) },
        // A body without a type: nothing to go by but its looks.
        None => message.body().starts_with(b"v=").then(|| message.body()),
        Some(kind) => part(kind, message.body(), DEPTH_MAX),
    };
    match found {
        Some(sdp) => Ok(Some(sdp.to_vec())),
        None if optional => Ok(None),
        None => Err(Refused::Type),
    }
}

fn is_optional(disposition: &[u8]) -> bool {
    disposition
        .split(|&b| b == b';')
        .skip(1)
        .any(|p| p.trim_ascii().eq_ignore_ascii_case(b"handling=optional"))
}

fn part<'a>(kind: &'a [u8], body: &'a [u8], depth: usize) -> Option<&'a [u8]> {
    let plain = kind.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
    if plain.eq_ignore_ascii_case(b"application/sdp") {
        return Some(body);
    }
    if depth == 0 || !plain.get(..10).is_some_and(|m| m.eq_ignore_ascii_case(b"multipart/")) {
        return None;
    }
    let boundary = boundary(kind)?;
    parts(body, boundary).take(PARTS_MAX).find_map(|text| {
        let (head, content) = split_head(text);
        let kind = head
            .split(|&b| b == b'\n')
            .find_map(|line| {
                let colon = line.iter().position(|&b| b == b':')?;
                line[..colon]
                    .trim_ascii()
                    .eq_ignore_ascii_case(b"content-type")
                    .then(|| line[colon + 1..].trim_ascii())
            })
            .unwrap_or(b"text/plain");
        part(kind, content, depth - 1)
    })
}

fn boundary(kind: &[u8]) -> Option<&[u8]> {
    kind.split(|&b| b == b';').skip(1).find_map(|param| {
        let param = param.trim_ascii();
        let equals = param.iter().position(|&b| b == b'=')?;
        let (name, value) = (param[..equals].trim_ascii(), param[equals + 1..].trim_ascii());
        let value = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
        (name.eq_ignore_ascii_case(b"boundary") && (1..=70).contains(&value.len())).then_some(value)
    })
}

/// What stands between the lines `--boundary`, up to `--boundary--`.
fn parts<'a>(body: &'a [u8], boundary: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = delimiter(body, boundary).map(|(_, after)| after);
    std::iter::from_fn(move || {
        let text = rest?;
        if text.starts_with(b"--") {
            return None;
        }
        let text = &text[text.iter().position(|&b| b == b'\n')? + 1..];
        let (end, after) = delimiter(text, boundary).unwrap_or((text.len(), &[]));
        rest = (end < text.len()).then_some(after);
        let content = &text[..end];
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        Some(content.strip_suffix(b"\r").unwrap_or(content))
    })
}

/// Where a line begins with `--boundary`, and what follows it.
fn delimiter<'a>(text: &'a [u8], boundary: &[u8]) -> Option<(usize, &'a [u8])> {
    let mut at = 0;
    loop {
        if let Some(after) = text[at..].strip_prefix(b"--").and_then(|t| t.strip_prefix(boundary)) {
            return Some((at, after));
        }
        at += text[at..].iter().position(|&b| b == b'\n')? + 1;
    }
}

fn split_head(text: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some(end) = text[at..].iter().position(|&b| b == b'\n') {
        if text[at..at + end].trim_ascii().is_empty() {
            return (&text[..at], &text[at + end + 1..]);
        }
        at += end + 1;
    }
    (text, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_description_is_found_among_parts() {
        let kind = b"multipart/mixed; boundary=\"b1\"";
        let body = b"preamble\r\n--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b1\r\ncontent-type: application/sdp\r\n\r\nv=0\r\ns=-\r\n\r\n--b1--\r\n";
        assert_eq!(part(kind, body, 3), Some(&b"v=0\r\ns=-\r\n"[..]));
        assert_eq!(part(b"text/plain", b"v=0", 3), None);
        assert_eq!(part(b"multipart/mixed", body, 3), None, "no boundary");
        assert_eq!(part(kind, b"--b1", 3), None);
        assert_eq!(part(kind, b"--b1\r\nContent-Type: application/sdp\r\n\r\nv=0", 3), Some(&b"v=0"[..]));
    }
}
