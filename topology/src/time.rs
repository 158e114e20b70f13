//! Points in time as the product stores and sends them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// How far China's clocks are ahead of UTC, in hours: one time zone, no summer time.
pub(crate) const CHINA_AHEAD_H: i8 = 8;
/// The same in minutes.
pub const CHINA_AHEAD_MIN: i16 = 8 * 60;
/// The same in milliseconds.
pub const CHINA_AHEAD_MS: i64 = 8 * 3_600_000;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The text is not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time: write it after RFC 3339, such as 2026-11-23T08:00:00Z")]
pub struct InvalidTimestamp(pub String);

/// The text is neither a day nor a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date: write it as 2026-01-31, or a time as 2026-01-31T08:00:00+08:00")]
pub struct InvalidDay(pub String);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Returns the point `ms` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Reads the moment from which something holds: a time after RFC 3339, or a day, which begins at its midnight in China.
    ///
    /// # Errors
    /// The text is neither.
    pub fn from_day_or_time(text: &str) -> Result<Self, InvalidDay> {
        if let Ok(time) = text.parse() {
            return Ok(time);
        }
        let day = text.parse::<jiff::civil::Date>().ok();
        let midnight =
            day.and_then(|day| jiff::tz::Offset::constant(CHINA_AHEAD_H).to_timestamp(day.at(0, 0, 0, 0)).ok());
        let midnight = midnight.ok_or_else(|| InvalidDay(text.to_owned()))?;
        Ok(Self(midnight.as_millisecond()))
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Returns what China's clocks show, in milliseconds since they showed 1970-01-01T00:00:00: for hours, days and nothing else.
    pub const fn china_ms(self) -> i64 {
        self.0.saturating_add(CHINA_AHEAD_MS)
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

impl Timestamp {
    /// Returns the time as it stands in the head of a mail (RFC 5322, section 3.3), in UTC.
    pub fn rfc5322(self) -> String {
        let time = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
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

    #[test]
    fn a_day_begins_at_its_midnight_in_china() {
        let midnight = "2026-01-30T16:00:00Z".parse().unwrap();
        assert_eq!(Timestamp::from_day_or_time("2026-01-31"), Ok(midnight));
        assert_eq!(Timestamp::from_day_or_time("2026-01-31T00:00:00+08:00"), Ok(midnight));
        for wrong in ["", "tomorrow", "2026-02-30", "31.1.2026"] {
            let said = Timestamp::from_day_or_time(wrong).unwrap_err().to_string();
            assert!(said.contains("2026-01-31"), "{said}");
        }
    }
}
