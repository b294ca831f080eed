//! Addresses of From, To, Contact, Route and their parameters (RFC 3261 20.10, 20.20, 25.1).
use super::lex;
use super::uri::{Uri, UriError};
use std::borrow::Cow;

/// `;name=value` lists, as written.
#[derive(Clone, Copy, Default, Debug)]
pub struct Params<'a> {
    text: &'a [u8],
}

/// One parameter; `value` keeps its quotes (`unquote` takes them off).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Param<'a> {
    pub name: &'a [u8],
    pub value: Option<&'a [u8]>,
}

impl<'a> Params<'a> {
    /// `text` starts behind the first `;`.
    pub(super) fn new(text: &'a [u8]) -> Params<'a> {
        Params { text }
    }

    /// Each parameter must have a name that is a token; `each` sees them in order.
    pub(super) fn checked(
        text: &'a [u8],
        mut each: impl FnMut(Param<'a>) -> Result<(), &'static str>,
    ) -> Result<Params<'a>, &'static str> {
        let params = Params { text };
        if text.is_empty() {
            return Err("parameter without a name");
        }
        for param in params.iter() {
            if !lex::token(param.name) {
                return Err("parameter without a name");
            }
            if param.value.is_some_and(|v| v.first() != Some(&b'"') && lex::any(v, lex::is_lws)) {
                return Err("parameter value of two words");
            }
            // What we append to the header would stand within it.
            if !param.value.is_none_or(lex::quotes_close) {
                return Err("parameter value without its closing quote");
            }
            each(param)?;
        }
        Ok(params)
    }

    /// As written, without the first `;`.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = (!self.text.is_empty()).then_some(self.text);
        std::iter::from_fn(move || {
            let text = rest?;
            let one = match lex::find_outside(text, b';', false) {
                Some(i) => {
                    rest = Some(&text[i + 1..]);
                    &text[..i]
                }
                None => {
                    rest = None;
                    text
                }
            };
            Some(match lex::split_once(one, b'=') {
                Some((name, value)) => Param { name: lex::trim(name), value: Some(lex::trim(value)) },
                None => Param { name: lex::trim(one), value: None },
            })
        })
    }

    /// A parameter by its name without case: `Some(None)` when it stands there without a value.
    pub fn get(&self, name: &str) -> Option<Option<&'a [u8]>> {
        self.iter().find(|p| p.name.eq_ignore_ascii_case(name.as_bytes())).map(|p| p.value)
    }

    /// The value of a parameter that has one.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.get(name).flatten()
    }
}

/// A `name-addr` or `addr-spec` with the header's parameters.
#[derive(Clone, Copy, Default, Debug)]
pub struct NameAddr<'a> {
    /// The whole value as written.
    pub text: &'a [u8],
    /// As written, quotes included; empty when there is none. `display_name` unquotes it.
    pub display: &'a [u8],
    /// Between `<` and `>`, or the bare URI.
    pub uri_text: &'a [u8],
    pub tag: Option<&'a [u8]>,
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// One value, already split out of its list.
    pub fn parse(text: &'a [u8]) -> Result<NameAddr<'a>, &'static str> {
        let text = lex::trim(text);
        let (display, rest) = match text.first() {
            None => return Err("address is empty"),
            Some(b'"') => {
                let end = display_end(text).ok_or("display name without its closing quote and <URI>")?;
                (&text[..end], lex::trim_start(&text[end..]))
            }
            Some(_) => match lex::find(text, b'<') {
                Some(i) if lex::find(&text[..i], b';').is_none() => (lex::trim_end(&text[..i]), &text[i..]),
                _ => (&text[..0], text),
            },
        };
        if display.first() != Some(&b'"')
            && display.iter().any(|&b| matches!(b, b'"' | b',' | b';' | b'>' | 0..32 if !lex::is_lws(b)))
        {
            return Err("display name needs quotes");
        }
        let (uri_text, params) = if rest.first() == Some(&b'<') {
            let (uri, after) = lex::split_once(&rest[1..], b'>').ok_or("<URI without its closing bracket")?;
            match lex::trim_start(after) {
                [] => (uri, None),
                [b';', params @ ..] => (uri, Some(params)),
                _ => return Err("text behind <URI>"),
            }
        } else {
            let (uri, params) = match lex::split_once(rest, b';') {
                Some((uri, params)) => (uri, Some(params)),
                None => (rest, None),
            };
            // RFC 3261 20.10: such a URI belongs in brackets.
            if uri.iter().any(|b| matches!(b, b'?' | b',')) {
                return Err("URI with ? or , needs brackets");
            }
            (lex::trim_end(uri), params)
        };
        if uri_text.is_empty() {
            return Err("address without a URI");
        }
        if lex::any(uri_text, |b| b <= b' ' || b == b'<') {
            return Err("blank within a URI");
        }
        let mut address = NameAddr { text, display, uri_text, ..NameAddr::default() };
        let Some(params) = params else { return Ok(address) };
        address.params = Params::checked(params, |param| {
            if param.name.eq_ignore_ascii_case(b"tag") {
                if param.value.is_none_or(<[u8]>::is_empty) || address.tag.is_some() {
                    return Err("tag is empty or there twice");
                }
                address.tag = param.value;
            }
            Ok(())
        })?;
        Ok(address)
    }

    pub fn uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.uri_text)
    }

    /// Unquoted; bytes >= 0x80 as they came (UTF-8, GBK, whatever the peer speaks).
    pub fn display_name(&self) -> Cow<'a, [u8]> {
        let escapes =
            self.display.first() != Some(&b'"') || lex::quoted_end(self.display) == Some(self.display.len());
        if escapes { lex::unquote(self.display) } else { gbk_unquote(self.display).into() }
    }

    /// The value of a parameter that has one.
    pub fn param(&self, name: &str) -> Option<&'a [u8]> {
        self.params.value(name)
    }
}

/// The end of the quoted string before `<`. The second byte of a GBK character may be a backslash;
/// when reading it as an escape leads nowhere, pairs are read.
fn display_end(text: &[u8]) -> Option<usize> {
    let before_uri = |end: &usize| lex::trim_start(&text[*end..]).first() == Some(&b'<');
    lex::quoted_end(text).filter(before_uri).or_else(|| gbk_quoted_end(text).filter(before_uri))
}

fn gbk_quoted_end(text: &[u8]) -> Option<usize> {
    let mut i = 1;
    while i < text.len() {
        match text[i..] {
            [b'"', ..] => return Some(i + 1),
            [b'\\', ..] | [0x81..=0xfe, 0x40..=0xfe, ..] => i += 2,
            _ => i += 1,
        }
    }
    None
}

fn gbk_unquote(text: &[u8]) -> Vec<u8> {
    let mut inner = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(text);
    let mut out = Vec::with_capacity(inner.len());
    while let [first, rest @ ..] = inner {
        (inner, _) = match (first, rest) {
            (b'\\', [escaped, rest @ ..]) => (rest, out.push(*escaped)),
            (0x81..=0xfe, [second @ 0x40..=0xfe, rest @ ..]) => (rest, out.extend([*first, *second])),
            _ => (rest, out.push(*first)),
        };
    }
    out
}

/// One value of Contact (RFC 3261 20.10).
#[derive(Clone, Copy, Debug)]
pub enum ContactValue<'a> {
    /// `*`: every binding.
    Star,
    Address(NameAddr<'a>),
}
