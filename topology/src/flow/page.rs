//! What a flow log answers: a page of flows, where to read on, and what is missing from it.
//!
//! Invariant: reading on from page to page shows each flow that was in the log at the first question once, however much the log
//! grows or expires meanwhile; what expired or was never kept is said, so that an empty page is not taken for silence on the
//! network. It does not know how flows are kept.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

use super::Flow;
use crate::Timestamp;

/// A place in a flow log from which to read on, towards the past. Opaque to all but the log that gave it; written as 48
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlowCursor {
    /// Which log: random, chosen when the log was begun.
    pub log: u64,
    /// What comes next ended at this time, at the latest …
    pub end: Timestamp,
    /// … and of those that ended just then, has a smaller number.
    pub number: u64,
}

/// The text is not a place in a flow log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a place in a flow log: take it as it was given with the page before")]
pub struct InvalidFlowCursor(pub String);

/// Flows that were asked for, latest first: by their end, and of the same end, as they were logged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowPage {
    /// The flows. Times are on the centre's timeline as far as the agent knows it.
    pub flows: Vec<Flow>,
    /// Where to read on; `None`: this is all there is.
    pub next: Option<FlowCursor>,
    /// Why the page ends where it does.
    pub ended: FlowPageEnd,
    /// The end of the oldest flow in the log; `None`: the log is empty.
    pub kept_from: Option<Timestamp>,
    /// The whole days between the oldest and the latest flow in the log.
    pub days: u32,
    /// What happened in the time asked for and is not in the log, as far as the log knows.
    pub missing: Vec<FlowsMissing>,
}

/// Why a page ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum FlowPageEnd {
    /// Everything asked for was looked through.
    #[default]
    All = 1,
    /// It has as many flows as were wanted.
    Limit = 2,
    /// It is as large as an answer may be.
    Size = 3,
    /// Looking took as long as it may.
    Time = 4,
}

/// A reason why flows that were asked for are not in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum FlowsMissingReason {
    /// The log reaches less far back: `until` is its beginning.
    BeforeTheLog = 1,
    /// The writer could not keep up.
    WriterBusy = 2,
    /// The disk was full or failed.
    Disk = 3,
    /// What was written cannot be read back.
    Damaged = 4,
}

/// Flows that were asked for and are not in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowsMissing {
    /// Why.
    pub reason: FlowsMissingReason,
    /// When they ended, about: from this time …
    pub from: Timestamp,
    /// … to this.
    pub until: Timestamp,
    /// How many, of all and not only of those asked for; `None` where nobody counted.
    pub flows: Option<u64>,
}

impl fmt::Display for FlowCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}{:016x}", self.log, self.end.unix_ms(), self.number)
    }
}

impl fmt::Debug for FlowCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FlowCursor {
    type Err = InvalidFlowCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidFlowCursor(text.chars().take(64).collect());
        if text.len() != 48 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let number =
            |range| text.get(range).and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or_else(invalid);
        let (log, end, number) = (number(0..16)?, number(16..32)?, number(32..48)?);
        Ok(Self { log, end: Timestamp::from_unix_ms(end.cast_signed()), number })
    }
}

impl Serialize for FlowCursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FlowCursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl FlowPageEnd {
    /// Every end, by number.
    pub const ALL: [Self; 4] = [Self::All, Self::Limit, Self::Size, Self::Time];

    /// Returns the number used on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the end of this number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.number() == number)
    }
}

impl FlowsMissingReason {
    /// Every reason, by number.
    pub const ALL: [Self; 4] = [Self::BeforeTheLog, Self::WriterBusy, Self::Disk, Self::Damaged];

    /// Returns the number used on the wire and in the flow log.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the reason of this number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_it_was_written() {
        let cursor = FlowCursor { log: u64::MAX - 1, end: Timestamp::from_unix_ms(-5), number: 7 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        let json = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<FlowCursor>(&json).unwrap(), cursor);
        for wrong in ["", "12", &"g".repeat(48), &"é".repeat(24), &"+".repeat(48)] {
            assert_eq!(wrong.parse::<FlowCursor>(), Err(InvalidFlowCursor(wrong.to_owned())));
        }
    }

    #[test]
    fn ends_and_reasons_are_found_by_their_numbers() {
        assert!(FlowPageEnd::ALL.iter().all(|end| FlowPageEnd::numbered(end.number()) == Some(*end)));
        assert!(FlowsMissingReason::ALL.iter().all(|it| FlowsMissingReason::numbered(it.number()) == Some(*it)));
        assert_eq!((FlowPageEnd::numbered(0), FlowsMissingReason::numbered(0)), (None, None));
    }
}
