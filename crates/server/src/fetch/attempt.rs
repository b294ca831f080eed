//! One try: a request goes out, its answer is read, and both are judged.
use super::accept::Accept;
use super::dial::Client;
use super::order::Order;
use super::pause::retry_after;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper_util::client::legacy;
use ivr::HttpFailure;
use std::error::Error;
use std::time::Duration;

/// What came back, the body as it was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Without parameters, in lower case; empty when the answer names none.
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
    /// What the host asked for before the next try.
    pub(crate) retry_after: Option<Duration>,
}

impl Answer {
    fn success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

pub(crate) async fn attempt(
    client: &Client,
    order: &Order,
    accept: &Accept<'_>,
    body_max: usize,
) -> Result<Answer, HttpFailure> {
    let response = client.request(order.request()).await.map_err(|error| failure(&error))?;
    let (head, body) = response.into_parts();
    let mut answer = Answer {
        status: head.status.as_u16(),
        media_type: media_type(&head.headers),
        body: Vec::new(),
        retry_after: text(&head.headers, header::RETRY_AFTER)
            .and_then(|value| retry_after(value, text(&head.headers, header::DATE))),
    };
    let empty = body.is_end_stream() || body.size_hint().exact() == Some(0);
    let read = match accept.takes(&head.headers, &answer.media_type) {
        _ if empty => Ok(Vec::new()),
        true => read(body, body_max).await,
        false => Err(HttpFailure::WrongType),
    };
    match read {
        Ok(body) => answer.body = body,
        // An error page says less than its status does.
        Err(HttpFailure::WrongType | HttpFailure::TooLarge) if !answer.success() => {}
        Err(failure) => return Err(failure),
    }
    Ok(answer)
}

/// Whether the host is well, whatever it thinks of the request.
pub(crate) fn well(tried: &Result<Answer, HttpFailure>) -> bool {
    match tried {
        Ok(answer) => answer.status < 500,
        Err(failure) => !matches!(failure, HttpFailure::Timeout | HttpFailure::Refused),
    }
}

/// Whether another try may help, and what the host asked for before it.
pub(crate) fn passing(tried: &Result<Answer, HttpFailure>) -> Option<Option<Duration>> {
    match tried {
        Ok(answer) => matches!(answer.status, 502..=504).then_some(answer.retry_after),
        Err(failure) => (*failure == HttpFailure::Refused).then_some(None),
    }
}

async fn read(mut body: Incoming, max: usize) -> Result<Vec<u8>, HttpFailure> {
    if body.size_hint().lower() > max as u64 {
        return Err(HttpFailure::TooLarge);
    }
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| HttpFailure::Refused)?.into_data() else { continue };
        if data.len() > max - all.len() {
            return Err(HttpFailure::TooLarge);
        }
        all.extend_from_slice(&data);
    }
    Ok(all)
}

fn failure(error: &legacy::Error) -> HttpFailure {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>());
    match cause {
        // Not HTTP, or a head of more bytes or headers than we read.
        Some(cause) if cause.is_parse() => HttpFailure::WrongType,
        _ => HttpFailure::Refused,
    }
}

pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
