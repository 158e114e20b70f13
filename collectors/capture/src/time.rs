//! The time of a frame, finer than the product's [`Timestamp`]: round trips and gaps are measured in it.
//!
//! Invariant: it comes from the data (the kernel's stamp or the capture file), never from a clock.

use std::{fmt, time::Duration};

use onenet_topology::Timestamp;
use serde::{Serialize, Serializer};

const NS_PER_S: i64 = 1_000_000_000;
const NS_PER_MS: i64 = 1_000_000;

/// When a frame passed, in nanoseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC with microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FrameTime(i64);

impl FrameTime {
    /// Returns the point `ns` nanoseconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// Returns the point `s` seconds and `ns` nanoseconds after 1970-01-01T00:00:00Z, held at the ends of the range.
    pub const fn from_parts(s: i64, ns: u32) -> Self {
        Self(s.saturating_mul(NS_PER_S).saturating_add(ns as i64))
    }

    /// Returns the nanoseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_ns(self) -> i64 {
        self.0
    }

    /// Returns the nanoseconds from `earlier` to this point, negative when `earlier` is later.
    pub const fn ns_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns whether more than `span` passed since `earlier`.
    pub fn is_past(self, earlier: Self, span: Duration) -> bool {
        let whole = i64::try_from(span.as_secs()).unwrap_or(i64::MAX).saturating_mul(NS_PER_S);
        self.ns_since(earlier) > whole.saturating_add(span.subsec_nanos().into())
    }
}

impl From<FrameTime> for Timestamp {
    fn from(time: FrameTime) -> Self {
        Self::from_unix_ms(time.0.div_euclid(NS_PER_MS))
    }
}

impl From<Timestamp> for FrameTime {
    fn from(time: Timestamp) -> Self {
        Self(time.unix_ms().saturating_mul(NS_PER_MS))
    }
}

impl fmt::Display for FrameTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every i64 of nanoseconds lies between the years 1677 and 2262, which RFC 3339 can write.
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

impl fmt::Debug for FrameTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for FrameTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_after_rfc_3339_with_microseconds() {
        assert_eq!(FrameTime::from_parts(1_795_420_800, 7_001_999).to_string(), "2026-11-23T08:00:00.007001Z");
        assert_eq!(FrameTime::from_unix_ns(-1).to_string(), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn the_ends_of_the_range_hold() {
        assert_eq!(FrameTime::from_parts(i64::MAX, u32::MAX), FrameTime::from_unix_ns(i64::MAX));
        assert!(!FrameTime::from_unix_ns(i64::MAX).to_string().is_empty());
        assert!(!FrameTime::from_unix_ns(i64::MIN).to_string().is_empty());
        assert!(FrameTime::from_unix_ns(i64::MAX).is_past(FrameTime::from_unix_ns(i64::MIN), Duration::from_secs(1)));
    }
}
