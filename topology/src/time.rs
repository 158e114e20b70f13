//! Points in time as the product stores and sends them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The text is not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time: write it after RFC 3339, such as 2026-11-23T08:00:00Z")]
pub struct InvalidTimestamp(pub String);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Returns the point `ms` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Returns the point `ms` milliseconds later (earlier when negative), held at the ends of the range.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Returns the milliseconds from `earlier` to this point, negative when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            // Outside the years that RFC 3339 can write: the number is the honest answer.
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What `Display` writes where RFC 3339 cannot: a stored value must always read back.
        if let Some(ms) = text.strip_suffix(" ms").and_then(|ms| ms.parse().ok()) {
            return Ok(Self(ms));
        }
        let time: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp(text.to_owned()))?;
        Ok(Self(time.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_after_rfc_3339_with_milliseconds() {
        let time = Timestamp::from_unix_ms(1_795_420_800_007);
        assert_eq!(time.to_string(), "2026-11-23T08:00:00.007Z");
        assert_eq!(time.to_string().parse(), Ok(time));
        assert_eq!("2026-11-23T16:00:00.007+08:00".parse(), Ok(time));
    }

    #[test]
    fn a_time_beyond_rfc_3339_is_still_printed_and_read_back() {
        let time = Timestamp::from_unix_ms(i64::MAX);
        assert_eq!(time.to_string(), format!("{} ms", i64::MAX));
        assert_eq!(time.to_string().parse(), Ok(time));
    }
}
