//! The pause before a retry.
use hotline_core::Rng;
use std::time::Duration;

/// How long to wait between two tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PauseLimits {
    /// The longest pause before the first retry; it doubles with each one ...
    pub first: Duration,
    /// ... up to this.
    pub longest: Duration,
}

impl Default for PauseLimits {
    fn default() -> PauseLimits {
        PauseLimits { first: Duration::from_millis(100), longest: Duration::from_secs(2) }
    }
}

/// Exponential with full jitter (anything from nothing to the longest), after what the host asked for: those who
/// were told the same `Retry-After` do not come back at the same moment.
pub(crate) fn pause(limits: &PauseLimits, retry: u32, asked: Option<Duration>, rng: &mut Rng) -> Duration {
    let longest = limits.first.saturating_mul(1 << retry.min(16)).min(limits.longest);
    let longest_ns = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
    let jitter = Duration::from_nanos(rng.below(longest_ns.saturating_add(1)));
    asked.unwrap_or_default().saturating_add(jitter)
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date, which is read against the response's own `Date` because
/// the two clocks need not agree. `None` when it is neither.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let [at, now] = [value, date?].map(|text| jiff::fmt::rfc2822::parse(text.trim()));
    let seconds = at.ok()?.timestamp().as_second() - now.ok()?.timestamp().as_second();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}
