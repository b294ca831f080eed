//! A request filled in and checked: after this nothing can be wrong with it any more.
use super::contract::{HttpFailure, HttpMethod, HttpPart, HttpRequest, HttpText};
use super::gate::Origin;
use super::{FetchLimits, SecretValue};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::warn;

/// What can be sent, as often as need be. No `Debug`: secrets are filled in.
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
        secrets: &BTreeMap<Arc<str>, SecretValue>,
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
    secrets: &BTreeMap<Arc<str>, SecretValue>,
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
