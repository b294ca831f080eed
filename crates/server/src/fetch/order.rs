//! A request filled in and checked: after this nothing can be wrong with it any more.
use super::gate::Origin;
use super::{FetchLimits, SecretValue, Secrets};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use ivr::{HttpFailure, HttpMethod, HttpPart, HttpRequest, HttpText};
use std::fmt;
use tracing::warn;

/// What can be sent, as often as need be.
pub(crate) struct Order {
    pub(crate) origin: Origin,
    /// Whether doing it twice is doing it once (RFC 9110, 9.2.2).
    pub(crate) repeatable: bool,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Order {
    /// `accept` is the value of the header of that name, when the request brings none. `key` makes an
    /// `Idempotency-Key`, which a POST that may be retried gets.
    pub(crate) fn fill_in(
        request: &HttpRequest,
        secrets: &Secrets,
        own_trust: bool,
        limits: &FetchLimits,
        accept: &str,
        key: impl FnOnce() -> String,
    ) -> Result<Order, HttpFailure> {
        let mut room = limits.request_bytes_max;
        let mut fill_in = |text: &HttpText| filled_in(text, secrets, &request.service, &mut room);

        let (uri, mut origin) = address(&fill_in(&request.url)?, limits).ok_or(HttpFailure::BadRequest)?;
        origin.trust = own_trust.then(|| request.service.clone());
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HttpFailure::BadRequest)?;
            if OURS.contains(&name) || headers.len() == HEADERS_MAX {
                return Err(HttpFailure::BadRequest);
            }
            let secret = value.0.iter().any(|part| matches!(part, HttpPart::Secret(_)));
            let mut value =
                HeaderValue::try_from(fill_in(value)?.into_bytes()).map_err(|_| HttpFailure::BadRequest)?;
            value.set_sensitive(secret);
            headers.append(name, value);
        }
        let body = request.body.as_ref().map(&mut fill_in).transpose()?;

        let mut unless_there = |name: HeaderName, value: &str| {
            let value = HeaderValue::from_str(value).map_err(|_| HttpFailure::BadRequest)?;
            headers.entry(name).or_insert(value);
            Ok::<(), HttpFailure>(())
        };
        unless_there(header::ACCEPT, accept)?;
        unless_there(header::USER_AGENT, concat!("hotline/", env!("CARGO_PKG_VERSION")))?;
        if body.is_some() {
            unless_there(header::CONTENT_TYPE, "application/json")?;
        }
        if request.method == HttpMethod::Post && request.retries > 0 {
            unless_there(HeaderName::from_static("idempotency-key"), &key())?;
        }
        let repeatable = match request.method {
            HttpMethod::Get | HttpMethod::Put | HttpMethod::Delete => true,
            HttpMethod::Post => headers.contains_key("idempotency-key"),
            HttpMethod::Patch => false,
        };
        Ok(Order {
            origin,
            repeatable,
            method: method(request.method),
            uri,
            headers,
            body: body.unwrap_or_default().into(),
        })
    }

    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

impl fmt::Debug for Order {
    /// Secrets are filled in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.method, self.origin)
    }
}

/// How a message is framed and who it is for is not for a flow to say.
const OURS: [HeaderName; 9] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

const HEADERS_MAX: usize = 64;

fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}

fn filled_in(
    text: &HttpText,
    secrets: &Secrets,
    service: &str,
    room: &mut usize,
) -> Result<String, HttpFailure> {
    let mut all = String::new();
    for part in &text.0 {
        let part: &str = match part {
            HttpPart::Text(text) => text,
            HttpPart::Secret(name) => match secrets.get(name) {
                Some(SecretValue(value)) => value,
                None => {
                    warn!(service, secret = %name, "a request asks for a secret that nobody gave");
                    return Err(HttpFailure::BadRequest);
                }
            },
        };
        *room = room.checked_sub(part.len()).ok_or(HttpFailure::BadRequest)?;
        all.push_str(part);
    }
    Ok(all)
}

/// An absolute http or https URL without user information; what follows a `#` is left out.
fn address(url: &str, limits: &FetchLimits) -> Option<(Uri, Origin)> {
    if url.len() > limits.url_bytes_max || !url.is_ascii() {
        return None;
    }
    let uri: Uri = url.parse().ok()?;
    let tls = match uri.scheme_str()? {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    // `host` or `host:port`: nothing before an `@`, no port that is none.
    let authority = uri.authority()?;
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host)?.strip_prefix(':') {
        None if authority.as_str() == host => {
            if tls {
                443
            } else {
                80
            }
        }
        None => return None,
        Some(_) => authority.port_u16().filter(|port| *port != 0)?,
    };
    if host.is_empty() {
        return None;
    }
    let host = host.to_ascii_lowercase().into();
    Some((uri, Origin { trust: None, tls, host, port }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn text(text: &str) -> HttpText {
        HttpText(vec![HttpPart::Text(text.into())])
    }

    fn request(url: &str) -> HttpRequest {
        HttpRequest {
            service: "crm".into(),
            method: HttpMethod::Get,
            url: text(url),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(1),
            retries: 2,
            body_max: 1000,
        }
    }

    fn fill_in(request: &HttpRequest) -> Result<Order, HttpFailure> {
        let secrets = Secrets::from([("token".into(), SecretValue::new("s3cret"))]);
        let limits = FetchLimits { request_bytes_max: 100, url_bytes_max: 80, ..FetchLimits::default() };
        Order::fill_in(request, &secrets, false, &limits, "application/json", || "once".to_owned())
    }

    #[test]
    fn addresses() {
        for (url, there) in [
            ("http://crm.example", Some("http://crm.example:80")),
            ("https://CRM.example/a?b=c#d", Some("https://crm.example:443")),
            ("HTTPS://crm.example:8443/", Some("https://crm.example:8443")),
            ("http://[::1]:81/", Some("http://[::1]:81")),
            ("http://192.0.2.1/", Some("http://192.0.2.1:80")),
            ("http://user:pass@crm.example/", None),
            ("http://user@crm.example/", None),
            ("http://@crm.example/", None),
            ("http://crm.example:/", None),
            ("http://crm.example:0/", None),
            ("http://crm.example:65536/", None),
            ("http://crm.example:80x/", None),
            ("http://:80/", None),
            ("http:///path", None),
            ("ftp://crm.example/", None),
            ("file:///etc/passwd", None),
            ("crm.example", None),
            ("/path", None),
            ("*", None),
            ("", None),
            ("http://crm.example/a b", None),
            ("http://crm.example/\r\nHost: other", None),
            ("http://crm.example/\u{4e0a}\u{6d77}", None),
            (
                "http://crm.example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                None,
            ),
        ] {
            let order = fill_in(&request(url));
            let origin = order.map(|order| order.origin.to_string());
            assert_eq!(origin.as_deref(), there.ok_or(&HttpFailure::BadRequest), "{url}");
        }
    }

    #[test]
    fn what_a_flow_may_not_say() {
        for (name, value) in [
            ("Host", "other.example"),
            ("content-length", "3"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
            ("", "x"),
            ("a b", "x"),
            ("x", "a\r\nb: c"),
            ("x", "\0"),
        ] {
            let mut request = request("http://crm.example");
            request.headers.push((name.into(), text(value)));
            assert_eq!(fill_in(&request).err(), Some(HttpFailure::BadRequest), "{name}: {value:?}");
        }
    }

    #[test]
    fn secrets_are_filled_in_and_marked() {
        let mut request = request("http://crm.example");
        let token =
            |name: &str| HttpText(vec![HttpPart::Text("Bearer ".into()), HttpPart::Secret(name.into())]);
        request.headers.push(("Authorization".into(), token("token")));
        let order = fill_in(&request).expect("a request");
        assert_eq!(order.headers["authorization"], "Bearer s3cret");
        assert!(order.headers["authorization"].is_sensitive());
        assert!(!format!("{:?} {request:?}", order.request()).contains("s3cret"));
        request.headers[0].1 = token("other");
        assert_eq!(fill_in(&request).err(), Some(HttpFailure::BadRequest));
    }

    #[test]
    fn what_is_sent_has_a_limit() {
        let mut request = request("http://crm.example");
        request.method = HttpMethod::Post;
        for (bytes, fits) in [(82, true), (83, false)] {
            request.body = Some(text(&"x".repeat(bytes)));
            assert_eq!(fill_in(&request).is_ok(), fits, "18 bytes of URL and {bytes} of body");
        }
        request.body = None;
        request.headers = vec![("x".into(), text("")); HEADERS_MAX + 1];
        assert_eq!(fill_in(&request).err(), Some(HttpFailure::BadRequest));
    }

    #[test]
    fn which_methods_may_be_repeated() {
        use HttpMethod::*;
        for (method, repeatable) in [(Get, true), (Put, true), (Delete, true), (Patch, false), (Post, true)] {
            let order = fill_in(&HttpRequest { method, ..request("http://crm.example") }).expect("a request");
            assert_eq!(order.repeatable, repeatable, "{method:?}");
            assert_eq!(order.headers.contains_key("idempotency-key"), method == Post, "{method:?}");
        }
        let once = HttpRequest { method: Post, retries: 0, ..request("http://crm.example") };
        assert!(!fill_in(&once).expect("a request").headers.contains_key("idempotency-key"));
        let own = HttpRequest {
            method: Post,
            headers: vec![("Idempotency-Key".into(), text("call-7"))],
            ..request("http://crm.example")
        };
        assert_eq!(fill_in(&own).expect("a request").headers["idempotency-key"], "call-7");
    }

    proptest! {
        /// Whatever is filled in: it goes to the host that the flow names, or nowhere.
        #[test]
        fn what_is_filled_in_never_changes_the_host(path in ".{0,20}", name in ".{0,10}", value in ".{0,20}") {
            let mut request = request("");
            request.url = HttpText(vec![HttpPart::Text("http://crm.example/".into()), HttpPart::Text(path.as_str().into())]);
            request.headers.push((name.as_str().into(), text(&value)));
            if let Ok(order) = fill_in(&request) {
                prop_assert_eq!(order.origin.to_string(), "http://crm.example:80");
            }
        }
    }
}
