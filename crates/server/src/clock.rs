use hotline_core::Time;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The one clock of the shell: turns the machine's monotonic time into the `Time` that cores take.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    epoch_unix: i64,
}

impl Clock {
    /// `Time::ZERO` is the whole second of Unix time that began last, so that dates are exact.
    #[expect(clippy::disallowed_methods, reason = "the clock")]
    pub fn start() -> Clock {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Instant::now();
        let begun = Duration::from_nanos(since_1970.subsec_nanos().into());
        let started = now.checked_sub(begun).unwrap_or(now);
        Clock { started, epoch_unix: since_1970.as_secs().cast_signed() }
    }

    /// Unix seconds of `Time::ZERO`.
    pub fn epoch_unix(&self) -> i64 {
        self.epoch_unix
    }

    #[expect(clippy::disallowed_methods, reason = "the clock")]
    pub fn now(&self) -> Time {
        let ns = Instant::now().saturating_duration_since(self.started).as_nanos();
        Time::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    /// How long until `at`; zero when it has passed.
    pub fn until(&self, at: Time) -> Duration {
        self.now().until(at)
    }

    /// The machine's own time of `at`, for the threads that pace themselves.
    pub fn instant(&self, at: Time) -> Instant {
        self.started + Duration::from_nanos(at.as_nanos())
    }
}
