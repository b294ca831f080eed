//! Other systems, asked and told over http: what is under way, and what becomes of it.
//!
//! The request itself is carried out outside; here every one has a deadline of its own, so that nothing is awaited for
//! ever when its answer is lost. A flow that waits has its own deadline too, and takes its exit by itself.

use crate::engine::{Engine, Timer};
use crate::interface::Output;
use hotline_core::{CallId, Outbox, Time};
use ivr::{HttpFailure, HttpMethod, HttpRequest, HttpResult, HttpText};
use std::sync::Arc;
use std::time::Duration;

/// Requests under way at once; more fail as overloaded.
const ASKED_MAX: usize = 4096;
/// How long after a request's own timeout its answer may still come.
const GRACE: Duration = Duration::from_secs(2);

/// A request that has left.
#[derive(Debug)]
pub(crate) struct Asked {
    call: Option<CallId>,
    /// The flow waits for the answer; None: nobody does.
    ticket: Option<ivr::Ticket>,
    service: Arc<str>,
    since: Time,
}

impl Engine {
    /// For a flow that waits.
    pub(crate) fn fetch(
        &mut self,
        now: Time,
        call: CallId,
        ticket: ivr::Ticket,
        request: Box<HttpRequest>,
        out: &mut Outbox<Output>,
    ) {
        self.ask(now, Some(call), Some(ticket), request, out);
    }

    /// Tells a service of an event; nobody waits. `request` carries the body, the installation the rest.
    pub(crate) fn notify(
        &mut self,
        now: Time,
        call: Option<CallId>,
        mut request: Box<HttpRequest>,
        out: &mut Outbox<Output>,
    ) {
        let Some(service) = self.settings_of(call).services.get(&request.service) else {
            let detail = format!("service={} failure=unknown", request.service);
            return self.log(now, call, None, "notify-failed", detail, out);
        };
        request.url = service.url.clone();
        request.headers.extend(service.headers.iter().cloned());
        (request.timeout, request.retries) = (service.timeout, service.retries);
        request.body_max = service.answer_max;
        self.ask(now, call, None, request, out);
    }

    /// `notify` for an event of the engine's own: `fields` is the inside of a JSON object.
    pub(crate) fn notify_event(
        &mut self,
        now: Time,
        call: CallId,
        service: &Arc<str>,
        event: &str,
        fields: &str,
        out: &mut Outbox<Output>,
    ) {
        let at = jiff::Timestamp::from_second(self.unix(now)).unwrap_or(jiff::Timestamp::MAX);
        let body =
            format!("{{\"event\":\"{event}\",\"call\":\"{call}\",\"at\":\"{at}\",\"fields\":{{{fields}}}}}");
        let request = HttpRequest {
            service: service.clone(),
            method: HttpMethod::Post,
            url: HttpText::default(),
            headers: Vec::new(),
            body: Some(HttpText::plain(&body)),
            timeout: Duration::ZERO,
            retries: 0,
            body_max: 0,
        };
        self.notify(now, Some(call), Box::new(request), out);
    }

    fn ask(
        &mut self,
        now: Time,
        call: Option<CallId>,
        ticket: Option<ivr::Ticket>,
        request: Box<HttpRequest>,
        out: &mut Outbox<Output>,
    ) {
        let service = request.service.clone();
        let asked = Asked { call, ticket, service: service.clone(), since: now };
        if self.asked.len() >= ASKED_MAX {
            return self.told(now, asked, HttpResult::Failed(HttpFailure::Overloaded), out);
        }
        self.asked_total += 1;
        let ticket = self.asked_total;
        self.timers.set(Timer::Asked(ticket), now + request.timeout + GRACE, "another system answers");
        self.asked.insert(ticket, asked);
        self.log(now, call, None, "http-asked", format!("service={service}"), out);
        out.push(Output::Fetch { ticket, request });
    }

    /// The answer came, or none will.
    pub(crate) fn fetched(&mut self, now: Time, ticket: u64, result: HttpResult, out: &mut Outbox<Output>) {
        let Some(asked) = self.asked.remove(&ticket) else { return };
        self.timers.cancel(&Timer::Asked(ticket));
        self.told(now, asked, result, out);
    }

    fn told(&mut self, now: Time, asked: Asked, result: HttpResult, out: &mut Outbox<Output>) {
        let Asked { call, ticket, service, since } = asked;
        let what = match &result {
            HttpResult::Answered { status, .. } => format!("status={status}"),
            HttpResult::Failed(failure) => format!("failure={}", name(*failure)),
        };
        // Who is only told may answer whatever he likes.
        let heard = match &result {
            HttpResult::Answered { status, .. } => (200..300).contains(status),
            HttpResult::Failed(failure) => {
                matches!(failure, HttpFailure::WrongType | HttpFailure::TooLarge)
            }
        };
        if ticket.is_none() && !heard {
            let detail = format!("service={service} {what}");
            return self.log(now, call, None, "notify-failed", detail, out);
        }
        let detail = format!("service={service} {what} ms={}", now.since(since).as_millis());
        self.log(now, call, None, "http-answered", detail, out);
        if let (Some(call), Some(ticket)) = (call, ticket) {
            self.drive(now, call, ivr::Input::Fetched { ticket, result }, out);
        }
    }

    /// Nobody is asked any more.
    pub(crate) fn forget_asked(&mut self) {
        for ticket in std::mem::take(&mut self.asked).into_keys() {
            self.timers.cancel(&Timer::Asked(ticket));
        }
    }
}

fn name(failure: HttpFailure) -> &'static str {
    match failure {
        HttpFailure::Timeout => "timeout",
        HttpFailure::Refused => "refused",
        HttpFailure::CircuitOpen => "circuit-open",
        HttpFailure::TooLarge => "too-large",
        HttpFailure::WrongType => "wrong-type",
        HttpFailure::Overloaded => "overloaded",
        HttpFailure::BadRequest => "bad-request",
    }
}
