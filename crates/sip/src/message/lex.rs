//! Bytes of the grammar (RFC 3261 section 25) that every header shares.
use std::borrow::Cow;

/// Linear white space, line folds included.
pub(crate) fn is_lws(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

/// One character of a `token`.
pub(crate) fn is_token(b: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut b = 0;
        while b < 256 {
            let c = b as u8;
            table[b] = c.is_ascii_alphanumeric()
                || matches!(c, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
            b += 1;
        }
        table
    };
    TABLE[b as usize]
}

/// A non-empty `token`.
pub(crate) fn token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&b| is_token(b))
}

pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_lws(*first)
    {
        text = rest;
    }
    text
}

pub(crate) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text
        && is_lws(*last)
    {
        text = rest;
    }
    text
}

/// Without linear white space at either end.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

/// The first `wanted`, eight bytes at a time: finding line ends and separators is most of parsing.
pub(crate) fn find(text: &[u8], wanted: u8) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, rest) = text.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        // A zero byte where `wanted` stands; the lowest marked byte is a true one.
        let x = u64::from_le_bytes(*word) ^ (ONES * u64::from(wanted));
        let marked = x.wrapping_sub(ONES) & !x & HIGHS;
        if marked != 0 {
            return Some(i * 8 + marked.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&b| b == wanted).map(|i| words.len() * 8 + i)
}

/// Whether any byte is one of these. Looks at all of them, which the compiler does many at a time.
pub(crate) fn any(text: &[u8], is: impl Fn(u8) -> bool) -> bool {
    text.iter().fold(false, |found, &b| found | is(b))
}

/// `text` before and after the first `at`.
pub(crate) fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    find(text, at).map(|i| (&text[..i], &text[i + 1..]))
}

/// The end (past the closing quote) of the quoted string that `text` starts with.
pub(crate) fn quoted_end(text: &[u8]) -> Option<usize> {
    debug_assert_eq!(text.first(), Some(&b'"'));
    let mut i = 1;
    while i < text.len() {
        match text[i] {
            b'\\' => i += 2,
            b'"' => return Some(i + 1),
            _ => i += 1,
        }
    }
    None
}

/// Whether each quoted string in `text` has its end.
pub(crate) fn quotes_close(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(start) = find(rest, b'"') {
        let Some(end) = quoted_end(&rest[start..]) else { return false };
        rest = &rest[start + end..];
    }
    true
}

/// The first `wanted` outside quoted strings and, with `angles`, outside `<...>`.
/// Text after an unterminated quote or bracket counts as inside.
pub(crate) fn find_outside(text: &[u8], wanted: u8, angles: bool) -> Option<usize> {
    let first = find(text, wanted)?;
    if !any(&text[..first], |b| b == b'"' || b == b'<') {
        return Some(first);
    }
    let mut i = 0;
    while i < text.len() {
        match text[i] {
            b if b == wanted => return Some(i),
            b'"' => i += quoted_end(&text[i..])?,
            b'<' if angles => i += find(&text[i..], b'>')? + 1,
            _ => i += 1,
        }
    }
    None
}

/// Decimal digits and nothing else; a number past `u64` saturates.
pub(crate) fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |n, b| {
        b.is_ascii_digit().then(|| n.saturating_mul(10).saturating_add(u64::from(b - b'0')))
    })
}

/// Decimal digits as a number of 0-65535.
pub(crate) fn port(text: &[u8]) -> Option<u16> {
    digits(text).and_then(|n| u16::try_from(n).ok())
}

/// `%HH` escapes replaced; a `%` that starts none stays as it is.
pub(crate) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if find(text, b'%').is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let hex = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
        if let (b'%', [high, low, after @ ..]) = (*first, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high << 4 | low);
            rest = after;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    Cow::Owned(out)
}

/// A quoted string without its quotes and backslashes; other text unchanged.
pub fn unquote(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")) else {
        return Cow::Borrowed(text);
    };
    if find(inner, b'\\').is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for &b in inner {
        if b == b'\\' && !escaped {
            escaped = true;
        } else {
            out.push(b);
            escaped = false;
        }
    }
    Cow::Owned(out)
}

/// Line after line of a message's head. A line ends with CRLF or a bare LF.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Lines<'a> {
    /// The next line without its end; `None` when no line ends any more.
    pub(crate) fn line(&mut self) -> Option<&'a [u8]> {
        let (line, rest) = split_once(self.rest, b'\n')?;
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The next line with its folds (lines behind it that begin with a blank).
    pub(crate) fn header(&mut self) -> Option<&'a [u8]> {
        let start = self.rest;
        let line = self.line()?;
        if line.is_empty() || !self.at_fold() {
            return Some(line);
        }
        while self.at_fold() {
            self.line()?;
        }
        Some(trim_end(&start[..start.len() - self.rest.len()]))
    }

    fn at_fold(&self) -> bool {
        matches!(self.rest.first(), Some(b' ' | b'\t'))
    }
}
