//! Steps that ask other systems: http and notify.
//!
//! What is filled into a URL is percent-encoded, what is filled into a body is a JSON value of its type, and what is
//! filled into a header has no line end. Secrets are named and filled in by the fetcher.

use super::{Asked, Exit, FETCH_GRACE, NEXT, State, Then, Visit, json};
use crate::flow::{Act, Http, HttpPiece, JsonTemplate, Notify};
use crate::{
    Flow, HttpFailure, HttpMethod, HttpPart, HttpRequest, HttpResult, HttpText, Output, Ticket, Value,
};
use hotline_core::{Outbox, Time};
use std::fmt::Write;
use std::time::Duration;

/// How long an event may take to be told; the service's own time is the fetcher's to keep.
const NOTIFY_MAX: Duration = Duration::from_secs(10);

impl Visit {
    pub(super) fn http(&mut self, now: Time, http: &Http, out: &mut Outbox<Output>) -> Then {
        let values = self.values.all();
        let Some(url) = url(http, values) else {
            self.trouble(out, format!("what is filled in makes no URL of {}", http.service));
            return Then::Leave(Exit::Named("error"));
        };
        let body = http.body.as_ref().map(|template| {
            let mut text = String::new();
            body(template, &self.flow, values, &mut text);
            HttpText::plain(&text)
        });
        let request = HttpRequest {
            service: http.service.clone(),
            method: http.method,
            url,
            headers: http.headers.iter().map(|(name, p)| (name.clone(), header(p, values))).collect(),
            body,
            timeout: http.timeout,
            retries: http.retries,
            body_max: http.body_max,
        };
        let ticket = self.ticket();
        out.push(Output::Fetch { ticket, request: Box::new(request) });
        self.await_answer(now, Asked::Http(ticket), http.timeout + FETCH_GRACE)
    }

    pub(super) fn fetched(
        &mut self,
        now: Time,
        ticket: Ticket,
        result: HttpResult,
        out: &mut Outbox<Output>,
    ) {
        let flow = self.flow.clone();
        let Act::Http(http) = &flow.step(self.step).act else { return };
        if !matches!(self.state, State::Answering { asked: Asked::Http(t), .. } if t == ticket) {
            return;
        }
        let then = match result {
            HttpResult::Answered { status, body } => self.answered(http, status, &body, out),
            HttpResult::Failed(failure) => {
                self.trouble(out, format!("{}: {}", http.service, why(failure)));
                Then::Leave(Exit::Named("error"))
            }
        };
        self.follow(now, then, out);
    }

    fn answered(&mut self, http: &Http, status: u16, body: &str, out: &mut Outbox<Output>) -> Then {
        if let Some(into) = http.status {
            self.assign(into, Value::Number(status.into()), false, out);
        }
        let own = http.on_status.iter().position(|(first, last, ..)| (*first..=*last).contains(&status));
        if let Some(place) = own {
            // Behind `next`.
            return Then::Leave(Exit::At(1 + place));
        }
        if !(200..300).contains(&status) {
            self.trouble(out, format!("{} answered {status}", http.service));
            return Then::Leave(Exit::Named("error"));
        }
        match json::take(&self.flow, self.values.all(), http, body) {
            Ok(taken) => {
                for (id, value) in taken {
                    self.assign(id, value, false, out);
                }
                NEXT
            }
            Err(what) => {
                self.trouble(out, format!("{}: {what}", http.service));
                Then::Leave(Exit::Named("error"))
            }
        }
    }

    /// `{"event": .., "call": .., "at": .., "fields": {..}}` to the service's own URL, which the engine knows.
    pub(super) fn notify(&mut self, notify: &Notify, out: &mut Outbox<Output>) -> Then {
        let values = self.values.all();
        let mut text = String::from("{\"event\":");
        quote(&notify.event, &mut text);
        text.push_str(",\"call\":");
        quote(&self.values.at(crate::VarId::CALL).text(), &mut text);
        text.push_str(",\"at\":");
        write_value(self.values.at(crate::VarId::NOW), &self.flow, &mut text);
        text.push_str(",\"fields\":{");
        for (i, (name, value)) in notify.fields.iter().enumerate() {
            if i > 0 {
                text.push(',');
            }
            quote(name, &mut text);
            text.push(':');
            write_value(&value.eval(values), &self.flow, &mut text);
        }
        text.push_str("}}");
        out.push(Output::Notify(Box::new(HttpRequest {
            service: notify.service.clone(),
            method: HttpMethod::Post,
            url: HttpText::default(),
            headers: Vec::new(),
            body: Some(HttpText::plain(&text)),
            timeout: NOTIFY_MAX,
            retries: 0,
            body_max: 0,
        })));
        NEXT
    }
}

fn why(failure: HttpFailure) -> &'static str {
    match failure {
        HttpFailure::Timeout => "no answer in time",
        HttpFailure::Refused => "no connection",
        HttpFailure::CircuitOpen => "it failed too often lately to be asked",
        HttpFailure::TooLarge => "the answer is too large",
        HttpFailure::WrongType => "the answer is no JSON",
        HttpFailure::Overloaded => "too many questions wait already",
        HttpFailure::BadRequest => "what is filled in makes no request",
    }
}

/// None: what is filled in would lead to another place than the one that was written.
fn url(http: &Http, values: &[Value]) -> Option<HttpText> {
    let mut url = Text::default();
    for piece in &http.url {
        match piece {
            HttpPiece::Template(template) => {
                url.plain.push_str(&template.fill_encoded(values, encoded));
            }
            HttpPiece::Secret(name) => url.secret(name),
        }
    }
    if url.shape().split(['?', '#']).next()?.split('/').any(|segment| segment == "." || segment == "..") {
        return None;
    }
    let mut first = !url.shape().contains('?');
    for (name, value) in &http.query {
        url.plain.push(if std::mem::take(&mut first) { '?' } else { '&' });
        url.plain.push_str(&encoded(name));
        url.plain.push('=');
        for piece in value {
            match piece {
                HttpPiece::Template(template) => url.plain.push_str(&encoded(&template.fill(values))),
                HttpPiece::Secret(name) => url.secret(name),
            }
        }
    }
    Some(url.done())
}

/// Line ends and other controls would begin a header of their own; they are left out.
fn header(pieces: &[HttpPiece], values: &[Value]) -> HttpText {
    let mut text = Text::default();
    for piece in pieces {
        match piece {
            HttpPiece::Template(template) => {
                text.plain.extend(template.fill(values).chars().filter(|c| !c.is_control()));
            }
            HttpPiece::Secret(name) => text.secret(name),
        }
    }
    text.done()
}

/// A text with secrets, in the making.
#[derive(Default)]
struct Text {
    parts: Vec<HttpPart>,
    plain: String,
}

impl Text {
    fn secret(&mut self, name: &std::sync::Arc<str>) {
        self.flush();
        self.parts.push(HttpPart::Secret(name.clone()));
    }

    fn flush(&mut self) {
        if !self.plain.is_empty() {
            self.parts.push(HttpPart::Text(std::mem::take(&mut self.plain).into()));
        }
    }

    /// Without the secrets.
    fn shape(&self) -> String {
        let text = |part: &HttpPart| match part {
            HttpPart::Text(text) => text.to_string(),
            HttpPart::Secret(_) => "x".into(),
        };
        self.parts.iter().map(text).chain([self.plain.clone()]).collect()
    }

    fn done(mut self) -> HttpText {
        self.flush();
        HttpText(self.parts)
    }
}

/// RFC 3986 section 2.3: all but the unreserved characters, byte by byte.
fn encoded(text: &str) -> String {
    let mut into = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => into.push(byte.into()),
            _ => {
                let _ = write!(into, "%{byte:02X}");
            }
        }
    }
    into
}

fn body(template: &JsonTemplate, flow: &Flow, values: &[Value], into: &mut String) {
    match template {
        JsonTemplate::Value(value) => write_value(&value.eval(values), flow, into),
        JsonTemplate::List(items) => {
            into.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    into.push(',');
                }
                body(item, flow, values, into);
            }
            into.push(']');
        }
        JsonTemplate::Object(fields) => {
            into.push('{');
            for (i, (name, value)) in fields.iter().enumerate() {
                if i > 0 {
                    into.push(',');
                }
                quote(name, into);
                into.push(':');
                body(value, flow, values, into);
            }
            into.push('}');
        }
    }
}

/// Moments are RFC 3339, lengths are seconds.
fn write_value(value: &Value, flow: &Flow, into: &mut String) {
    match value {
        Value::Number(n) => {
            let _ = write!(into, "{n}");
        }
        Value::Bool(b) => {
            let _ = write!(into, "{b}");
        }
        Value::Text(text) | Value::Digits(text) => quote(text, into),
        Value::Time(unix) => match jiff::Timestamp::from_second(*unix) {
            Ok(time) => quote(&time.to_string(), into),
            Err(_) => into.push_str("null"),
        },
        Value::Duration(ms) if ms % 1000 == 0 => {
            let _ = write!(into, "{}", ms / 1000);
        }
        Value::Duration(ms) => {
            let _ = write!(into, "{}.{:03}", ms / 1000, ms % 1000);
        }
        Value::List(items) => {
            into.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    into.push(',');
                }
                write_value(item, flow, into);
            }
            into.push(']');
        }
        Value::Record(id, items) => {
            let fields = flow.record(*id).map_or(&[][..], |record| &record.fields);
            into.push('{');
            for (i, (field, item)) in fields.iter().zip(items.iter()).enumerate() {
                if i > 0 {
                    into.push(',');
                }
                quote(&field.name, into);
                into.push(':');
                write_value(item, flow, into);
            }
            into.push('}');
        }
    }
}

/// RFC 8259 section 7.
fn quote(text: &str, into: &mut String) {
    into.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                into.push('\\');
                into.push(c);
            }
            c if c < ' ' => {
                let _ = write!(into, "\\u{:04x}", u32::from(c));
            }
            c => into.push(c),
        }
    }
    into.push('"');
}
