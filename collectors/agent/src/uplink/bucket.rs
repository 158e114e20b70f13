//! How fast back-fill may go: a token bucket in bytes.
//!
//! Invariant: over any time span no more goes out than the rate allows, plus one second's worth, plus one batch.

/// A token bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    bytes_per_s: u64,
    /// Thousandths of a byte; negative after a batch larger than what there was.
    level: i64,
    filled_ms: u64,
}

impl Bucket {
    /// Returns a full bucket.
    pub(super) fn new(bytes_per_s: u64, now_ms: u64) -> Self {
        let mut bucket = Self { bytes_per_s, level: 0, filled_ms: now_ms };
        bucket.level = bucket.capacity();
        bucket
    }

    /// Returns whether something may go out now.
    pub(super) fn allows(&mut self, now_ms: u64) -> bool {
        let passed = now_ms.saturating_sub(self.filled_ms);
        self.filled_ms = now_ms;
        let gained = i64::try_from(passed.saturating_mul(self.bytes_per_s)).unwrap_or(i64::MAX);
        self.level = self.level.saturating_add(gained).min(self.capacity());
        self.level > 0
    }

    /// Takes out what went.
    pub(super) fn take(&mut self, bytes: usize) {
        let cost = i64::try_from(bytes).unwrap_or(i64::MAX).saturating_mul(1_000);
        self.level = self.level.saturating_sub(cost);
    }

    fn capacity(&self) -> i64 {
        i64::try_from(self.bytes_per_s.saturating_mul(1_000)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_a_minute_no_more_goes_out_than_the_rate_allows() {
        let mut bucket = Bucket::new(1_000, 5);
        let mut sent = 0;
        for now_ms in (5..60_005).step_by(10) {
            while bucket.allows(now_ms) {
                bucket.take(700);
                sent += 700;
            }
        }
        assert!((60_000..=61_000 + 700).contains(&sent), "{sent}");
    }

    #[test]
    fn a_clock_that_stands_still_gives_nothing() {
        let mut bucket = Bucket::new(1_000, 0);
        bucket.take(1_000);
        assert!(!bucket.allows(0));
        assert!(bucket.allows(1));
    }
}
