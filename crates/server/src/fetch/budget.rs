//! How often a host may be asked again, so that retries never multiply the load on one that is in trouble.

/// A bucket of tokens: each request adds a fifth of one, each retry takes a whole one.
///
/// *Invariant:* over any stretch of time retries are at most `RESERVE` plus a fifth of the requests.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    /// In fifths of a token.
    fifths: u32,
}

impl RetryBudget {
    /// Retries that may come before the requests that pay for them; also the most that can be saved.
    pub(crate) const RESERVE: u32 = 10;
    const RETRY: u32 = 5;

    pub(crate) fn new() -> RetryBudget {
        RetryBudget { fifths: RetryBudget::RESERVE * RetryBudget::RETRY }
    }

    pub(crate) fn request(&mut self) {
        self.fifths = (self.fifths + 1).min(RetryBudget::RESERVE * RetryBudget::RETRY);
    }

    /// Whether one more try is paid for; it is taken then.
    pub(crate) fn retry(&mut self) -> bool {
        let left = self.fifths.checked_sub(RetryBudget::RETRY);
        self.fifths = left.unwrap_or(self.fifths);
        left.is_some()
    }
}
