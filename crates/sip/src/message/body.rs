//! Bodies and the parts of multipart bodies (RFC 2046 5.1.1).
use super::address::Params;
use super::{Name, lex};

/// `type/subtype` of a Content-Type value.
pub(super) fn media_type(content_type: &[u8]) -> &[u8] {
    lex::trim(lex::split_once(content_type, b';').map_or(content_type, |(before, _)| before))
}

/// The body of `wanted`, whole or the first such part.
pub(super) fn find<'a>(content_type: &'a [u8], body: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    if media_type(content_type).eq_ignore_ascii_case(wanted.as_bytes()) {
        return Some(body);
    }
    if !media_type(content_type).get(..10)?.eq_ignore_ascii_case(b"multipart/") {
        return None;
    }
    let (_, params) = lex::split_once(content_type, b';')?;
    let boundary = lex::unquote(Params::new(params).value("boundary")?);
    let mut parts = Parts { rest: Some(body), boundary: &boundary };
    parts.next()?;
    parts.find_map(|part| {
        let (headers, content) = split_part(part)?;
        media_type(headers?).eq_ignore_ascii_case(wanted.as_bytes()).then_some(content)
    })
}

/// What stands between the delimiter lines, the preamble first.
struct Parts<'a, 'b> {
    rest: Option<&'a [u8]>,
    boundary: &'b [u8],
}

impl<'a> Iterator for Parts<'a, '_> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest?;
        let mut line_start = 0;
        loop {
            let line = &text[line_start..];
            let end = lex::find(line, b'\n').map(|i| i + 1);
            if let Some(tail) = line.strip_prefix(b"--").and_then(|l| l.strip_prefix(self.boundary)) {
                let closing = tail.starts_with(b"--");
                let tail = &tail[..lex::find(tail, b'\n').unwrap_or(tail.len())];
                if closing || lex::trim(tail).is_empty() {
                    self.rest = end.filter(|_| !closing).map(|end| &line[end..]);
                    let part = &text[..line_start];
                    // The line end before a delimiter belongs to the delimiter.
                    let part = part.strip_suffix(b"\n").unwrap_or(part);
                    return Some(part.strip_suffix(b"\r").unwrap_or(part));
                }
            }
            let Some(end) = end else {
                // Never closed: the last part is not whole.
                self.rest = None;
                return None;
            };
            line_start += end;
        }
    }
}

/// Content-Type and content of one part.
fn split_part(part: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let mut rest = part;
    let mut content_type = None;
    loop {
        let end = lex::find(rest, b'\n')?;
        let line = lex::trim_end(&rest[..end]);
        rest = &rest[end + 1..];
        if line.is_empty() {
            return Some((content_type, rest));
        }
        if let Some((name, value)) = lex::split_once(line, b':')
            && Name::from_text(lex::trim(name)) == Name::ContentType
        {
            content_type = Some(lex::trim(value));
        }
    }
}
