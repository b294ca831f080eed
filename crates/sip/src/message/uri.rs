//! URIs (RFC 3261 section 19.1, RFC 3966): raw slices of the message, escapes left in.
use super::address::Params;
use super::lex;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

/// A parsed URI. A `sip:` or `sips:` URI has a host; a `tel:` URI has its number in `user` and no
/// host; of any other scheme only `scheme` and `text` say something.
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    /// The whole URI as written.
    pub text: &'a [u8],
    /// As written: compare without case, or ask `is_sip`.
    pub scheme: &'a [u8],
    /// Escapes left in; `user_unescaped` replaces them.
    pub user: Option<&'a [u8]>,
    pub password: Option<&'a [u8]>,
    /// IPv6 with its brackets; `ip` parses it.
    pub host: &'a [u8],
    pub port: Option<u16>,
    pub params: Params<'a>,
    /// What follows `?`, without it.
    pub headers: &'a [u8],
}

/// Why a URI cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UriError(pub &'static str);

impl std::fmt::Display for UriError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for UriError {}

impl<'a> Uri<'a> {
    pub fn parse(text: &'a [u8]) -> Result<Uri<'a>, UriError> {
        let (scheme, rest) = lex::split_once(text, b':').ok_or(UriError("URI without a scheme"))?;
        let mut letters = scheme.iter();
        if !letters.next().is_some_and(u8::is_ascii_alphabetic)
            || !letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        {
            return Err(UriError("URI scheme is not a word"));
        }
        if lex::any(text, |b| b <= b' ' || matches!(b, b'<' | b'>' | b'"' | 0x7f)) {
            return Err(UriError("URI with a blank, quote or bracket"));
        }
        let empty = Params::default();
        let mut uri = Uri {
            text,
            scheme,
            user: None,
            password: None,
            host: &[],
            port: None,
            params: empty,
            headers: &[],
        };
        if uri.is_sip() {
            uri.parse_sip(rest)?;
        } else if uri.is_tel() {
            let (number, params) = lex::split_once(rest, b';').unwrap_or((rest, &[]));
            if number.is_empty() {
                return Err(UriError("tel URI without a number"));
            }
            uri.user = Some(number);
            uri.params = Params::new(params);
        } else if rest.is_empty() {
            return Err(UriError("URI with nothing behind its scheme"));
        }
        Ok(uri)
    }

    fn parse_sip(&mut self, rest: &'a [u8]) -> Result<(), UriError> {
        let mut rest = rest;
        // '@' appears unescaped in no other place, ';' and '?' do appear in the user part.
        if let Some((userinfo, after)) = lex::split_once(rest, b'@') {
            let (user, password) = match lex::split_once(userinfo, b':') {
                Some((user, password)) => (user, Some(password)),
                None => (userinfo, None),
            };
            if user.is_empty() {
                return Err(UriError("URI with an empty user"));
            }
            (self.user, self.password, rest) = (Some(user), password, after);
        }
        if let Some((before, headers)) = lex::split_once(rest, b'?') {
            (rest, self.headers) = (before, headers);
        }
        if let Some((before, params)) = lex::split_once(rest, b';') {
            (rest, self.params) = (before, Params::new(params));
            if params.is_empty() || self.params.iter().any(|p| p.name.is_empty()) {
                return Err(UriError("URI with an empty parameter"));
            }
        }
        (self.host, self.port) = host_port(rest).map_err(UriError)?;
        Ok(())
    }

    /// `sip:` or `sips:`.
    pub fn is_sip(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"sip") || self.is_sips()
    }

    pub fn is_sips(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"sips")
    }

    pub fn is_tel(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"tel")
    }

    /// The user part with its `%HH` replaced; NUL and `@` may come out of it. Empty when there is none.
    pub fn user_unescaped(&self) -> Cow<'a, [u8]> {
        self.user.map_or(Cow::Borrowed(&[]), lex::unescape)
    }

    /// A parameter by its name: `Some(None)` when it stands there without a value.
    pub fn param(&self, name: &str) -> Option<Option<&'a [u8]>> {
        self.params.get(name)
    }

    /// The host, when it is an address. RFC 5118 4.10: `:::` is read as `::`.
    pub fn ip(&self) -> Option<IpAddr> {
        host_ip(self.host)
    }

    /// Equality of RFC 3261 19.1.4. It is not transitive, so it is no `PartialEq`.
    pub fn equals(&self, other: &Uri<'_>) -> bool {
        if !self.scheme.eq_ignore_ascii_case(other.scheme) {
            return false;
        }
        if !self.is_sip() && !self.is_tel() {
            return self.text == other.text;
        }
        self.user.map(lex::unescape) == other.user.map(lex::unescape)
            && self.password.map(lex::unescape) == other.password.map(lex::unescape)
            && same_host(self.host, other.host)
            && self.port == other.port
            && same_params(self.params, other.params)
            && same_headers(self.headers, other.headers)
    }
}

/// `host [":" port]`.
pub(super) fn host_port(text: &[u8]) -> Result<(&[u8], Option<u16>), &'static str> {
    let (host, rest) = if text.first() == Some(&b'[') {
        let end = lex::find(text, b']').ok_or("host without its closing bracket")? + 1;
        let inside = &text[1..end - 1];
        if inside.is_empty() || !inside.iter().all(|&b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')) {
            return Err("host in brackets is not an IPv6 address");
        }
        text.split_at(end)
    } else {
        let end = lex::find(text, b':').unwrap_or(text.len());
        let host = lex::trim_end(&text[..end]);
        if host.is_empty()
            || !host.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        {
            return Err("host is neither a name nor an address");
        }
        (host, &text[end..])
    };
    match lex::trim_start(rest) {
        [] => Ok((host, None)),
        [b':', port @ ..] => match lex::port(lex::trim(port)) {
            Some(port) => Ok((host, Some(port))),
            None => Err("port is not a number of 0-65535"),
        },
        _ => Err("text between host and port"),
    }
}

/// The address that a host names, with or without brackets.
pub(super) fn host_ip(host: &[u8]) -> Option<IpAddr> {
    let host = std::str::from_utf8(host).ok()?;
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok().or_else(|| bare.replacen(":::", "::", 1).parse::<Ipv6Addr>().ok().map(IpAddr::V6))
}

fn same_host(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b) || host_ip(a).is_some_and(|ip| host_ip(b) == Some(ip))
}

/// A parameter in both must agree; `user`, `ttl`, `method`, `maddr` (and `transport`, which the
/// examples of 19.1.4 need) must not stand in one only; any other in one only is ignored.
fn same_params(a: Params<'_>, b: Params<'_>) -> bool {
    let agrees = |a: Params<'_>, b: Params<'_>| {
        a.iter().all(|p| {
            let name = lex::unescape(p.name);
            let twin = b.iter().find(|q| lex::unescape(q.name).eq_ignore_ascii_case(&name));
            match (twin, p.value) {
                (Some(twin), Some(value)) => {
                    twin.value.is_some_and(|v| lex::unescape(v).eq_ignore_ascii_case(&lex::unescape(value)))
                }
                (Some(twin), None) => twin.value.is_none(),
                (None, _) => !["user", "ttl", "method", "maddr", "transport"]
                    .iter()
                    .any(|n| n.as_bytes().eq_ignore_ascii_case(&name)),
            }
        })
    };
    agrees(a, b) && agrees(b, a)
}

/// Headers never get ignored; their order means nothing.
fn same_headers(a: &[u8], b: &[u8]) -> bool {
    fn sorted(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all: Vec<_> = text
            .split(|&b| b == b'&')
            .filter(|h| !h.is_empty())
            .map(|h| {
                let (name, value) = lex::split_once(h, b'=').unwrap_or((h, &[]));
                (lex::unescape(name).to_ascii_lowercase(), lex::unescape(value).into_owned())
            })
            .collect();
        all.sort();
        all
    }
    a == b || sorted(a) == sorted(b)
}
