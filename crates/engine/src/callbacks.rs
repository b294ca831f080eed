//! Callers who want to be called back: kept durably and counted, one for each number in a queue.
//!
//! Calling back is the router's, which will take what waits here in the order of arrival.

use crate::engine::{Engine, Work};
use crate::interface::{CallbackRequest, CallbackView, Kept, Output};
use hotline_core::{CallId, Outbox, Pii, Severity, Time};
use ivr::CallbackEnd;
use std::sync::Arc;

/// Callbacks that may wait in one queue.
const WAITING_MAX: usize = 1000;

impl Engine {
    #[expect(clippy::too_many_arguments, reason = "the fields of ivr::Output::Callback")]
    pub(crate) fn callback(
        &mut self,
        now: Time,
        id: CallId,
        queue: Arc<str>,
        number: &str,
        require: Option<String>,
        severity: Severity,
        out: &mut Outbox<Output>,
    ) {
        let end = self.take_callback(now, id, queue, number, require, severity, out);
        self.work.push_back(Work::Visit(id, ivr::Input::CallbackEnded(end)));
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of ivr::Output::Callback")]
    fn take_callback(
        &mut self,
        now: Time,
        id: CallId,
        queue: Arc<str>,
        number: &str,
        require: Option<String>,
        severity: Severity,
        out: &mut Outbox<Output>,
    ) -> CallbackEnd {
        let known = self.settings.roster.queues.iter().any(|q| q.name == queue);
        let possible = require.as_deref().is_none_or(|text| self.requirement(text).is_some());
        let (Some(call), true, true) = (self.calls.get(&id), known, possible) else {
            let what = if known { "a requirement nobody can meet" } else { "no such queue" };
            self.log(now, Some(id), None, "queue-unknown", format!("queue={queue} why={what}"), out);
            return CallbackEnd::Full;
        };
        let Some(number) = dialable(number) else {
            self.log(now, Some(id), None, "callback-refused", format!("queue={queue} why=number"), out);
            return CallbackEnd::Invalid;
        };
        let key = (queue.clone(), number.clone());
        if self.callbacks.contains_key(&key) {
            let detail = format!("queue={queue} severity={severity} again=true");
            self.log(now, Some(id), None, "callback-asked", detail, out);
            return CallbackEnd::Taken;
        }
        if self.callbacks_of(&queue) >= WAITING_MAX {
            self.log(now, Some(id), None, "callback-refused", format!("queue={queue} why=full"), out);
            return CallbackEnd::Full;
        }
        let unix_ms = |at: Time| self.settings.epoch_unix.saturating_mul(1000).saturating_add(ms(at));
        let request = CallbackRequest {
            call: id,
            queue: queue.clone(),
            number: Pii::new(number),
            language: call.language().to_owned(),
            severity,
            require,
            arrived_unix_ms: unix_ms(call.started),
            asked_unix_ms: unix_ms(now),
        };
        out.push(Output::Keep(Kept::Callback(request.clone())));
        self.callbacks.insert(key, request);
        let detail = format!("queue={queue} severity={severity}");
        self.log(now, Some(id), None, "callback-asked", detail, out);
        CallbackEnd::Taken
    }

    pub(crate) fn callbacks_of(&self, queue: &Arc<str>) -> usize {
        self.callbacks.keys().filter(|(of, _)| of == queue).count()
    }

    pub(crate) fn restore_callbacks(&mut self, kept: Vec<CallbackRequest>) {
        for request in kept {
            self.callbacks.insert((request.queue.clone(), request.number.expose().clone()), request);
        }
    }

    /// Who has waited longest comes first.
    pub(crate) fn callback_views(&self, now: Time) -> Vec<CallbackView> {
        let now_ms = self.settings.epoch_unix.saturating_mul(1000).saturating_add(ms(now));
        let mut requests: Vec<&CallbackRequest> = self.callbacks.values().collect();
        requests.sort_by_key(|r| (r.arrived_unix_ms, r.call));
        let view = |request: &CallbackRequest| CallbackView {
            call: request.call,
            queue: request.queue.clone(),
            number: request.number.clone(),
            severity: request.severity,
            require: request.require.clone(),
            language: request.language.clone(),
            waits: std::time::Duration::from_millis(
                u64::try_from(now_ms.saturating_sub(request.arrived_unix_ms)).unwrap_or(0),
            ),
        };
        requests.into_iter().map(view).collect()
    }
}

/// A number that may be called, without spaces and dashes: 3 to 20 digits, `+` before them or not.
pub(crate) fn dialable(number: &str) -> Option<String> {
    let plain: String = number.trim().chars().filter(|c| !" -.()/".contains(*c)).collect();
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    let good = (3..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    good.then_some(plain)
}

fn ms(at: Time) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::dialable;

    #[test]
    fn numbers_that_may_be_called() {
        for (number, plain) in [
            ("13800138000", Some("13800138000")),
            ("+86 138-0013-8000", Some("+8613800138000")),
            ("(010) 6552.9988", Some("01065529988")),
            ("110", Some("110")),
            ("", None),
            ("11", None),
            ("anonymous", None),
            ("138*001", None),
            ("+", None),
            ("1+38001", None),
            ("123456789012345678901", None),
            ("１３８００１３８０００", None),
        ] {
            assert_eq!(dialable(number).as_deref(), plain, "{number}");
        }
    }
}
