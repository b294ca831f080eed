//! Digest authentication: RFC 2617 and 7616 with MD5 and SHA-256 (RFC 8760), qop=auth and the old
//! form without qop. No nonces are made or remembered here; the registrar does.
use crate::message::{split_list, unquote};
use crate::{Algorithm, Ha1};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::borrow::Cow;

impl Algorithm {
    /// Its name in a header.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// Without case. The `-sess` forms are not known here.
    pub fn from_text(text: &[u8]) -> Option<Algorithm> {
        [Algorithm::Md5, Algorithm::Sha256]
            .into_iter()
            .find(|a| a.as_str().as_bytes().eq_ignore_ascii_case(text))
    }
}

impl Ha1 {
    pub fn new(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> Ha1 {
        Ha1 { algorithm, hex: hash(algorithm, &[user.as_bytes(), realm.as_bytes(), password.as_bytes()]) }
    }
}

/// The value of `WWW-Authenticate` or `Proxy-Authenticate`, one per header line.
pub fn challenge(realm: &str, nonce: &str, algorithm: Algorithm, stale: bool) -> String {
    let stale = if stale { ", stale=true" } else { "" };
    format!(
        "Digest realm={}, nonce={}, algorithm={}, qop=\"auth\"{stale}",
        quote(realm.as_bytes()),
        quote(nonce.as_bytes()),
        algorithm.as_str()
    )
}

/// The request digest of RFC 7616 3.4.1. `counted` is (nc, cnonce) of qop=auth; without it the
/// legacy form of RFC 2069. `uri` is the `uri` parameter, unquoted.
pub fn response(
    ha1: &Ha1,
    method: &[u8],
    uri: &[u8],
    nonce: &[u8],
    counted: Option<(&[u8], &[u8])>,
) -> String {
    let ha2 = hash(ha1.algorithm, &[method, uri]);
    match counted {
        Some((nc, cnonce)) => {
            hash(ha1.algorithm, &[ha1.hex.as_bytes(), nonce, nc, cnonce, b"auth", ha2.as_bytes()])
        }
        None => hash(ha1.algorithm, &[ha1.hex.as_bytes(), nonce, ha2.as_bytes()]),
    }
}

/// The parameters of `Authorization` or `Proxy-Authorization`, unquoted.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization<'a> {
    pub username: Cow<'a, [u8]>,
    pub realm: Cow<'a, [u8]>,
    pub nonce: Cow<'a, [u8]>,
    pub uri: Cow<'a, [u8]>,
    /// MD5 when it is missing.
    pub algorithm: Algorithm,
    pub opaque: Option<Cow<'a, [u8]>>,
    /// qop=auth; `None` is the legacy form.
    pub counted: Option<Counted<'a>>,
    response: Cow<'a, [u8]>,
}

/// What qop=auth adds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted<'a> {
    pub nc: u32,
    nc_text: Cow<'a, [u8]>,
    pub cnonce: Cow<'a, [u8]>,
}

/// Why credentials or a challenge cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DigestError {
    /// Not `Digest`: to be ignored.
    Scheme,
    /// A parameter is missing, doubled or not of its form.
    Malformed(&'static str),
    /// An algorithm or qop that is not known here.
    Unsupported,
}

impl std::fmt::Display for DigestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DigestError::Scheme => f.write_str("not a Digest"),
            DigestError::Malformed(what) => write!(f, "digest parameter {what}"),
            DigestError::Unsupported => f.write_str("unknown digest algorithm or qop"),
        }
    }
}
impl std::error::Error for DigestError {}

impl std::fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authorization({:?}, ***)", self.algorithm)
    }
}

impl<'a> Authorization<'a> {
    /// One header value.
    pub fn parse(value: &'a [u8]) -> Result<Authorization<'a>, DigestError> {
        let params = Params::parse(value)?;
        let counted = match params.get("qop")? {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case(b"auth") => {
                let nc_text = params.need("nc")?;
                let nc = std::str::from_utf8(&nc_text).ok().filter(|t| t.len() == 8);
                let nc = nc.filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()));
                let nc =
                    nc.and_then(|t| u32::from_str_radix(t, 16).ok()).ok_or(DigestError::Malformed("nc"))?;
                Some(Counted { nc, nc_text, cnonce: params.need("cnonce")? })
            }
            Some(_) => return Err(DigestError::Unsupported),
        };
        Ok(Authorization {
            username: params.need("username")?,
            realm: params.need("realm")?,
            nonce: params.need("nonce")?,
            uri: params.need("uri")?,
            algorithm: params.algorithm()?,
            opaque: params.get("opaque")?,
            counted,
            response: params.need("response")?,
        })
    }

    /// Whether the response was made with the secret behind `ha1`. Takes the same time wherever the
    /// response differs. Whether the nonce is ours, fresh and not replayed is asked elsewhere.
    pub fn holds(&self, ha1: &Ha1, method: &[u8]) -> bool {
        if self.algorithm != ha1.algorithm {
            return false;
        }
        let counted = self.counted.as_ref().map(|c| (&*c.nc_text, &*c.cnonce));
        let wanted = response(ha1, method, &self.uri, &self.nonce, counted);
        same(wanted.as_bytes(), &self.response)
    }
}

/// A challenge that we got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge<'a> {
    pub realm: Cow<'a, [u8]>,
    pub nonce: Cow<'a, [u8]>,
    pub algorithm: Algorithm,
    pub opaque: Option<Cow<'a, [u8]>>,
    pub stale: bool,
    /// qop=auth is offered; otherwise the answer takes the legacy form.
    pub counted: bool,
}

impl<'a> Challenge<'a> {
    /// One header value. The better of several is the one with the greater `algorithm`.
    pub fn parse(value: &'a [u8]) -> Result<Challenge<'a>, DigestError> {
        let params = Params::parse(value)?;
        let counted = match params.get("qop")? {
            None => false,
            Some(qop) if split_list(&qop).any(|q| q.eq_ignore_ascii_case(b"auth")) => true,
            Some(_) => return Err(DigestError::Unsupported),
        };
        Ok(Challenge {
            realm: params.need("realm")?,
            nonce: params.need("nonce")?,
            algorithm: params.algorithm()?,
            opaque: params.get("opaque")?,
            stale: params.get("stale")?.is_some_and(|s| s.eq_ignore_ascii_case(b"true")),
            counted,
        })
    }

    /// The value of `Authorization` for this challenge. `nc` counts the uses of its nonce from 1.
    pub fn answer(
        &self,
        user: &str,
        password: &str,
        method: &str,
        uri: &str,
        nc: u32,
        cnonce: &str,
    ) -> String {
        let secret = [user.as_bytes(), &*self.realm, password.as_bytes()];
        let ha1 = Ha1 { algorithm: self.algorithm, hex: hash(self.algorithm, &secret) };
        let nc = format!("{nc:08x}");
        let counted = self.counted.then_some((nc.as_bytes(), cnonce.as_bytes()));
        let response = response(&ha1, method.as_bytes(), uri.as_bytes(), &self.nonce, counted);
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\", algorithm={}",
            quote(user.as_bytes()),
            quote(&self.realm),
            quote(&self.nonce),
            quote(uri.as_bytes()),
            self.algorithm.as_str(),
        );
        if self.counted {
            value += &format!(", qop=auth, nc={nc}, cnonce={}", quote(cnonce.as_bytes()));
        }
        if let Some(opaque) = &self.opaque {
            value += &format!(", opaque={}", quote(opaque));
        }
        value
    }
}

/// `name=value` after the scheme.
struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    fn parse(value: &'a [u8]) -> Result<Params<'a>, DigestError> {
        let value = value.trim_ascii();
        let end = value.iter().position(u8::is_ascii_whitespace).ok_or(DigestError::Scheme)?;
        if !value[..end].eq_ignore_ascii_case(b"Digest") {
            return Err(DigestError::Scheme);
        }
        Ok(Params(&value[end..]))
    }

    fn get(&self, name: &'static str) -> Result<Option<Cow<'a, [u8]>>, DigestError> {
        let mut found = None;
        for param in split_list(self.0) {
            let Some(equals) = param.iter().position(|&b| b == b'=') else { continue };
            if param[..equals].trim_ascii().eq_ignore_ascii_case(name.as_bytes()) {
                let value = unquote(param[equals + 1..].trim_ascii());
                if found.replace(value).is_some() {
                    return Err(DigestError::Malformed(name));
                }
            }
        }
        Ok(found)
    }

    fn need(&self, name: &'static str) -> Result<Cow<'a, [u8]>, DigestError> {
        self.get(name)?.ok_or(DigestError::Malformed(name))
    }

    fn algorithm(&self) -> Result<Algorithm, DigestError> {
        match self.get("algorithm")? {
            None => Ok(Algorithm::Md5),
            Some(text) => Algorithm::from_text(&text).ok_or(DigestError::Unsupported),
        }
    }
}

/// H(parts joined with colons) in lower-case hexadecimal.
fn hash(algorithm: Algorithm, parts: &[&[u8]]) -> String {
    fn joined<D: Digest>(parts: &[&[u8]]) -> String {
        let mut digest = D::new();
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                digest.update(b":");
            }
            digest.update(part);
        }
        let mut hex = String::with_capacity(64);
        for byte in digest.finalize().iter() {
            hex.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
            hex.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        }
        hex
    }
    match algorithm {
        Algorithm::Md5 => joined::<Md5>(parts),
        Algorithm::Sha256 => joined::<Sha256>(parts),
    }
}

/// Hexadecimal without case, in a time that depends on the length only.
fn same(wanted: &[u8], given: &[u8]) -> bool {
    let mut differs = u8::from(wanted.len() != given.len());
    for (w, g) in wanted.iter().zip(given) {
        differs |= w ^ g.to_ascii_lowercase();
    }
    std::hint::black_box(differs) == 0
}

/// A quoted-string. What is no UTF-8 does not survive; realms and nonces of this world are ASCII.
fn quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for c in String::from_utf8_lossy(text).chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2617 3.5, RFC 7616 3.9.1, and one computed without qop by an independent program:
    /// user, realm, password, method, uri, nonce, nc, cnonce, response.
    const EXAMPLES: [(Algorithm, [&str; 9]); 4] = [
        (
            Algorithm::Md5,
            [
                "Mufasa",
                "testrealm@host.com",
                "Circle Of Life",
                "GET",
                "/dir/index.html",
                "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                "00000001",
                "0a4f113b",
                "6629fae49393a05397450978507c4ef1",
            ],
        ),
        (
            Algorithm::Md5,
            [
                "Mufasa",
                "http-auth@example.org",
                "Circle of Life",
                "GET",
                "/dir/index.html",
                "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                "00000001",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                "8ca523f5e9506fed4657c9700eebdbec",
            ],
        ),
        (
            Algorithm::Sha256,
            [
                "Mufasa",
                "http-auth@example.org",
                "Circle of Life",
                "GET",
                "/dir/index.html",
                "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                "00000001",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ],
        ),
        (
            Algorithm::Md5,
            [
                "bob",
                "biloxi.com",
                "zanzibar",
                "INVITE",
                "sip:bob@biloxi.com",
                "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                "",
                "",
                "bf57e4e0d0bffc0fbaedce64d59add5e",
            ],
        ),
    ];

    #[test]
    fn published_examples() {
        for (algorithm, [user, realm, password, method, uri, nonce, nc, cnonce, wanted]) in EXAMPLES {
            let ha1 = Ha1::new(algorithm, user, realm, password);
            let counted = (!nc.is_empty()).then_some((nc.as_bytes(), cnonce.as_bytes()));
            let got = response(&ha1, method.as_bytes(), uri.as_bytes(), nonce.as_bytes(), counted);
            assert_eq!(got, wanted, "{algorithm:?} {realm}");
        }
    }

    #[test]
    fn an_answer_holds_for_its_secret_and_method_only() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            for qop in [true, false] {
                let text = challenge("hot\"line", "abc,def", algorithm, true);
                let mut asked = Challenge::parse(text.as_bytes()).unwrap();
                assert!(asked.stale && asked.counted);
                assert_eq!(&*asked.realm, b"hot\"line");
                asked.counted = qop;
                let value = asked.answer("zhang", "secret", "REGISTER", "sip:h", 7, "c0");
                let given = Authorization::parse(value.as_bytes()).unwrap();
                assert_eq!(given.counted.as_ref().map(|c| c.nc), qop.then_some(7));
                assert_eq!((&*given.username, &*given.nonce), (&b"zhang"[..], &b"abc,def"[..]));
                let ha1 = Ha1::new(algorithm, "zhang", "hot\"line", "secret");
                assert!(given.holds(&ha1, b"REGISTER"));
                assert!(!given.holds(&ha1, b"INVITE"));
                assert!(!given.holds(&Ha1::new(algorithm, "zhang", "hot\"line", "Secret"), b"REGISTER"));
                let other = if algorithm == Algorithm::Md5 { Algorithm::Sha256 } else { Algorithm::Md5 };
                assert!(!given.holds(&Ha1::new(other, "zhang", "hot\"line", "secret"), b"REGISTER"));
                let shouted = value.replace(
                    &String::from_utf8(given.response.to_vec()).unwrap(),
                    &String::from_utf8(given.response.to_ascii_uppercase()).unwrap(),
                );
                assert!(Authorization::parse(shouted.as_bytes()).unwrap().holds(&ha1, b"REGISTER"));
            }
        }
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        use DigestError::*;
        let base = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"00\"";
        let with = |more: &str| format!("{base}{more}");
        for (value, why) in [
            ("Basic dTpw".to_string(), Scheme),
            ("NoOneKnowsThisScheme opaque-data=here".to_string(), Scheme),
            ("Digest".to_string(), Scheme),
            ("Digest realm=\"r\"".to_string(), Malformed("username")),
            (with(", realm=\"other\""), Malformed("realm")),
            (with(", qop=auth, cnonce=\"c\""), Malformed("nc")),
            (with(", qop=auth, nc=1, cnonce=\"c\""), Malformed("nc")),
            (with(", qop=auth, nc=+0000001, cnonce=\"c\""), Malformed("nc")),
            (with(", qop=auth, nc=00000001"), Malformed("cnonce")),
            (with(", qop=auth-int, nc=00000001, cnonce=\"c\""), Unsupported),
            (with(", algorithm=MD5-sess"), Unsupported),
        ] {
            assert_eq!(Authorization::parse(value.as_bytes()), Err(why), "{value}");
        }
        let plain = Authorization::parse(base.as_bytes()).unwrap();
        assert_eq!(plain.algorithm, Algorithm::Md5);
        assert!(!plain.holds(&Ha1::new(Algorithm::Md5, "u", "r", "p"), b"REGISTER"));
        let unquoted =
            Authorization::parse(b"digest username=u,realm=r,nonce=n,uri=x,response=\"00\"").unwrap();
        assert_eq!(&*unquoted.realm, b"r");
        assert_eq!(Challenge::parse(b"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\""), Err(Unsupported));
        assert!(Challenge::parse(b"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int,auth\"").unwrap().counted);
    }

    #[test]
    fn secrets_do_not_print() {
        let value = "Digest username=\"zhang\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"00ff\"";
        let given = format!("{:?}", Authorization::parse(value.as_bytes()).unwrap());
        assert!(!given.contains("zhang") && !given.contains("00ff"), "{given}");
    }
}
