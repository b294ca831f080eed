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

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_core::Rng;
    use proptest::prelude::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn doubles_and_stops_doubling() {
        let limits = PauseLimits { first: ms(100), longest: ms(1000) };
        let mut rng = Rng::from_u64(1);
        for (retry, longest) in
            [(0, 100), (1, 200), (2, 400), (3, 800), (4, 1000), (5, 1000), (u32::MAX, 1000)]
        {
            let pauses: Vec<_> = (0..500).map(|_| pause(&limits, retry, None, &mut rng)).collect();
            let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
            assert!(*most <= ms(longest) && *most > ms(longest * 9 / 10), "{retry}: {most:?}");
            assert!(*least < ms(longest / 10), "full jitter begins at nothing: {least:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:30 GMT");
        for (value, date, wait) in [
            ("0", None, Some(0)),
            (" 120 ", None, Some(120)),
            ("99999999999999999999999", None, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", date, Some(7)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", date, Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None, None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("yesterday"), None),
            ("soon", date, None),
            ("-1", date, None),
            ("1.5", date, None),
            ("", date, None),
        ] {
            assert_eq!(retry_after(value, date), wait.map(Duration::from_secs), "{value:?} at {date:?}");
        }
    }

    proptest! {
        #[test]
        fn not_before_what_the_host_asked_for(
            first in 0u64..10_000,
            longest in 0u64..100_000,
            retry in any::<u32>(),
            asked in prop::option::of(0u64..1_000_000),
            seed in any::<u64>(),
        ) {
            let limits = PauseLimits { first: ms(first), longest: ms(longest) };
            let asked = asked.map(ms);
            let pause = pause(&limits, retry, asked, &mut Rng::from_u64(seed));
            prop_assert!(pause >= asked.unwrap_or_default());
            prop_assert!(pause <= asked.unwrap_or_default() + ms(longest));
        }

        #[test]
        fn any_header_is_read_or_not(value in ".{0,40}", date in prop::option::of(".{0,40}")) {
            let _ = retry_after(&value, date.as_deref());
        }
    }
}
