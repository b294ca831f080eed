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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn five_requests_pay_for_a_retry() {
        let mut budget = RetryBudget::new();
        assert_eq!((0..20).filter(|_| budget.retry()).count(), 10);
        for _ in 0..4 {
            budget.request();
            assert!(!budget.retry());
        }
        budget.request();
        assert!(budget.retry());
        assert!(!budget.retry());
    }

    proptest! {
        #[test]
        fn never_more_than_a_fifth_beside_the_reserve(asked in prop::collection::vec(any::<bool>(), 0..2000)) {
            let mut budget = RetryBudget::new();
            // The balance after each step; every stretch between two of them keeps to the limit.
            let (mut requests, mut retries, mut lowest) = (0i64, 0i64, 0i64);
            for retry in asked {
                if retry {
                    retries += i64::from(budget.retry());
                } else {
                    requests += 1;
                    budget.request();
                }
                let balance = 5 * retries - requests;
                lowest = lowest.min(balance);
                prop_assert!(balance - lowest <= 5 * i64::from(RetryBudget::RESERVE));
            }
        }
    }
}
