//! Why a message was refused: the field, and what is wrong with it.
//!
//! Invariant: an error knows the whole path of its field, from the message's root; it never carries the value itself,
//! which may be large or secret.

use std::fmt::Display;

/// A message was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field {field}: {problem}")]
pub struct Invalid {
    /// Where, such as `groups[3].changes[17].forwarding.mac`.
    pub field: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The field must be set.
    #[error("is missing")]
    Missing,
    /// The field must not be set here.
    #[error("does not belong here")]
    Misplaced,
    /// A text or byte string is too long.
    #[error("is {length} bytes long, at most {limit} are allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A byte string has a length that its meaning does not allow.
    #[error("is {length} bytes long, expected {expected}")]
    Length {
        /// Its length in bytes.
        length: usize,
        /// The allowed lengths in words.
        expected: &'static str,
    },
    /// A list has too many elements.
    #[error("has {count} elements, at most {limit} are allowed")]
    TooMany {
        /// How many it has.
        count: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A number is outside its range.
    #[error("is {value}, outside {least} to {most}")]
    OutOfRange {
        /// The number.
        value: i128,
        /// The least allowed.
        least: i128,
        /// The greatest allowed.
        most: i128,
    },
    /// An enumeration has a value that version 1 does not know.
    #[error("is {value}, which this version does not know: bring the older side up to date")]
    Unknown {
        /// The number.
        value: i32,
    },
    /// One thing is named twice.
    #[error("names the same thing as another element")]
    Duplicate,
    /// The bytes are not a message at all.
    #[error("is not a message of this version")]
    Undecodable,
    /// The text does not have its form.
    #[error("is malformed: {0}")]
    Malformed(String),
}

impl Invalid {
    /// Returns the refusal of `field` for `problem`.
    pub(crate) fn new(field: impl Into<String>, problem: Problem) -> Self {
        Self { field: field.into(), problem }
    }

    /// Returns this refusal seen from the message that holds the field's message as `outer`.
    #[must_use]
    pub(crate) fn within(self, outer: impl Display) -> Self {
        Self { field: format!("{outer}.{}", self.field), problem: self.problem }
    }

    /// Returns this refusal seen from the message that holds the field's message as element `index` of `outer`.
    #[must_use]
    pub(crate) fn within_element(self, outer: &str, index: usize) -> Self {
        self.within(format_args!("{outer}[{index}]"))
    }
}
