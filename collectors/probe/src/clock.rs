//! The one place of this crate that reads clocks.
//!
//! Invariant: round trips are differences of the monotonic clock; the wall clock is only put into packets, and used to tell how
//! long ago the kernel stamped what came.

use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

/// What seems to have waited longer was stamped before the wall clock was set.
const WAITED_MAX: Duration = Duration::from_secs(1);

/// Seconds between 1900, when NTP begins to count, and 1970.
const NTP_OFFSET_S: u64 = 2_208_988_800;

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Microseconds of the monotonic clock since the process began to measure.
    pub us: u64,
    /// The wall clock since 1970.
    pub wall: Duration,
}

/// Returns both clocks, read at one moment.
#[expect(clippy::disallowed_methods, reason = "the clocks are read here and nowhere else in this crate")]
pub fn now() -> Now {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let instant = Instant::now();
    let since = instant.saturating_duration_since(*BEGAN.get_or_init(|| instant));
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { us: u64::try_from(since.as_micros()).unwrap_or(u64::MAX), wall }
}

impl Now {
    /// Returns the moment at which the kernel stamped something, given as the time since 1970; of one that cannot be, or of
    /// none, this moment.
    #[must_use]
    pub fn stamped(self, stamp: Option<Duration>) -> Self {
        let waited = stamp.and_then(|stamp| self.wall.checked_sub(stamp)).filter(|waited| *waited <= WAITED_MAX);
        let waited = waited.unwrap_or_default();
        let waited_us = u64::try_from(waited.as_micros()).unwrap_or(0);
        Self { us: self.us.saturating_sub(waited_us), wall: self.wall.saturating_sub(waited) }
    }

    /// Returns the wall clock in the 64 bits of NTP: seconds since 1900 and their binary fraction (RFC 5905, section 6).
    pub fn ntp(self) -> u64 {
        let seconds = self.wall.as_secs().wrapping_add(NTP_OFFSET_S) & 0xffff_ffff;
        let fraction = (u64::from(self.wall.subsec_nanos()) << 32) / 1_000_000_000;
        (seconds << 32) | fraction
    }
}

/// Returns the microseconds from one NTP time to another, negative when the second is earlier.
pub fn ntp_difference_us(from: u64, to: u64) -> i64 {
    // Both wrap every 136 years; their difference does not while it is shorter than half of that.
    let difference = i128::from(to.wrapping_sub(from).cast_signed());
    i64::try_from((difference * 1_000_000) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_told_and_one_that_cannot_be_is_now() {
        let now = Now { us: 5_000_000, wall: Duration::from_secs(1_000) };
        assert_eq!(now.stamped(Some(Duration::from_millis(999_996))).us, 4_996_000);
        assert_eq!(now.stamped(Some(Duration::from_secs(1_001))).us, now.us, "the clock was set back");
        assert_eq!(now.stamped(Some(Duration::from_secs(5))).us, now.us, "the clock was set forward");
        assert_eq!(now.stamped(None).us, now.us);
    }

    #[test]
    fn times_of_ntp_count_from_1900_and_subtract_to_the_microsecond() {
        let at = |ms| Now { us: 0, wall: Duration::from_millis(ms) }.ntp();
        assert_eq!(at(0) >> 32, NTP_OFFSET_S);
        assert_eq!(at(500) & 0xffff_ffff, 1 << 31);
        assert!((ntp_difference_us(at(1_000), at(1_250)) - 250_000).abs() <= 1);
        assert!((ntp_difference_us(at(1_250), at(1_000)) + 250_000).abs() <= 1);
    }
}
