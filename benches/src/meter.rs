use std::time::{Duration, Instant};

/// Counts what is done, and the time that it takes; what happens outside `measured` costs nothing.
#[derive(Default, Debug)]
pub struct Meter {
    done: u64,
    spent: Duration,
}

impl Meter {
    /// Valgrind counts the instructions below a function of this name, too (see `counts`).
    #[inline(never)]
    #[expect(clippy::disallowed_methods, reason = "the clock of the measurement")]
    pub fn measured<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = std::hint::black_box(work());
        self.spent += start.elapsed();
        result
    }

    /// So many of the things to be measured have been done.
    pub fn done(&mut self, count: u64) {
        self.done += count;
    }

    pub fn count(&self) -> u64 {
        self.done
    }

    pub fn ns_each(&self) -> f64 {
        self.spent.as_nanos() as f64 / self.done as f64
    }
}
