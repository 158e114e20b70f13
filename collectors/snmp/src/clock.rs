//! The one place of this crate that reads a clock: round trips are measured with it.

use std::time::{Duration, Instant, SystemTime};

/// A datagram that seems to have waited longer was stamped before the wall clock was set.
const WAITED_MAX: Duration = Duration::from_secs(1);

/// Tells the monotonic time of what the kernel stamped with the wall clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamps {
    monotonic: Instant,
    wall: Duration,
}

impl Stamps {
    /// Returns what tells the times of stamps that are not newer than now.
    #[expect(clippy::disallowed_methods, reason = "the clocks are read here and nowhere else in this crate")]
    pub(crate) fn now() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { monotonic: monotonic_now(), wall }
    }

    /// Returns the time of a stamp, given as the time since 1970; of one that cannot be, or of none, this moment.
    pub(crate) fn time(&self, stamp: Option<Duration>) -> Instant {
        let waited = stamp.and_then(|stamp| self.wall.checked_sub(stamp)).filter(|waited| *waited <= WAITED_MAX);
        waited.and_then(|waited| self.monotonic.checked_sub(waited)).unwrap_or(self.monotonic)
    }
}

/// Returns the monotonic time.
#[expect(clippy::disallowed_methods, reason = "the clock is read here and nowhere else in this crate")]
pub(crate) fn monotonic_now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_told_and_one_that_cannot_be_is_now() {
        let stamps = Stamps { monotonic: monotonic_now(), wall: Duration::from_secs(1_000) };
        let waited = |stamp| stamps.monotonic.duration_since(stamps.time(stamp));
        assert_eq!(waited(Some(Duration::from_millis(999_996))), Duration::from_millis(4));
        assert_eq!(waited(Some(Duration::from_secs(1_001))), Duration::ZERO, "the clock was set back");
        assert_eq!(waited(Some(Duration::from_secs(5))), Duration::ZERO, "the clock was set forward");
        assert_eq!(waited(None), Duration::ZERO);
    }
}
