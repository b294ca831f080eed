//! What is asked and what comes back.
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One request of an `http` step, filled in for one call.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The name of `[service.NAME]`, or the host.
    pub service: Arc<str>,
    pub method: HttpMethod,
    pub url: HttpText,
    pub headers: Vec<(Arc<str>, HttpText)>,
    pub body: Option<HttpText>,
    /// For everything: connecting, all tries, the pauses between them, the last byte of the body.
    pub timeout: Duration,
    /// Tries after the first one.
    pub retries: u8,
    /// Bytes of a response's body.
    pub body_max: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Text whose secrets are filled in by the one who sends it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HttpText(pub Vec<HttpPart>);

#[derive(Clone, PartialEq, Eq)]
pub enum HttpPart {
    Text(Arc<str>),
    /// The secret's name.
    Secret(Arc<str>),
}

impl From<&str> for HttpText {
    fn from(text: &str) -> HttpText {
        HttpText(vec![HttpPart::Text(text.into())])
    }
}

impl fmt::Debug for HttpText {
    /// What is filled in may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for HttpPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HttpResult {
    /// JSON text; empty when there was no body, or none to be read beside a status that is not 2xx.
    Answered {
        status: u16,
        body: Arc<str>,
    },
    Failed(HttpFailure),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HttpFailure {
    Timeout,
    /// No connection: name, connect, TLS, or it broke.
    Refused,
    /// The host failed so often that it is left alone for a while.
    CircuitOpen,
    TooLarge,
    /// The content type is not the one asked for, or JSON is not UTF-8.
    WrongType,
    /// Too many requests in flight.
    Overloaded,
    /// What was filled in makes no request.
    BadRequest,
}
