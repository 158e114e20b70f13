//! The acceptance test: whether a new or transferred unit is connected as it should be, check by check.
//!
//! Invariant: [`evaluate()`] is pure. What was not measured is never a pass: it is `not_measured` with the reason, and a test
//! with such a check is incomplete. Every check has its threshold beside its value, and a report keeps both, so that it reads
//! the same whatever is configured later.
//!
//! It does not know how anything is measured, who ran the test, nor who signs it off.

mod check;
mod evaluate;
mod found;
mod thresholds;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use check::{Check, CheckGroup, CheckKind, Reason, Unit, Verdict};
pub use evaluate::evaluate;
pub use found::{AgentFound, Configured, Found, MediaFound, ServiceFound, WayFound};
pub use thresholds::Thresholds;

use crate::{AcceptanceId, SiteId, Timestamp};

/// Characters that a person's name may have, and those of a note.
pub const PERSON_CHARS_MAX: usize = 100;
/// Characters that a note may have.
pub const NOTE_CHARS_MAX: usize = 1_000;

/// What a test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// The site.
    pub site: SiteId,
    /// What it was held against.
    pub thresholds: Thresholds,
    /// Each check, in the order of a report.
    pub checks: Vec<Check>,
}

/// A test that was run, and whether it was signed off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Its identity.
    pub id: AcceptanceId,
    /// When it was run.
    pub time: Timestamp,
    /// Who ran it.
    pub by: String,
    /// What it found.
    pub tested: Tested,
    /// Who signed it off.
    pub signed: Option<Signature>,
}

/// A person accepts what a test found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// When.
    pub time: Timestamp,
    /// Under whose access.
    pub by: String,
    /// The person's name.
    pub person: String,
    /// What the person adds: of an incomplete test, why it is accepted all the same.
    pub note: String,
}

/// Why a test cannot be signed off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// It failed.
    #[error("a test that failed is not signed off: mend what failed, and run it again")]
    Failed,
    /// It was signed off before.
    #[error("the test was signed off before: run another one where something changed since")]
    Twice,
    /// Nothing says who, or why.
    #[error(
        "name the person who signs, in at most {PERSON_CHARS_MAX} characters, and add a note of at most {NOTE_CHARS_MAX}"
    )]
    Words,
}

impl Tested {
    /// Returns how the test ended: failed if any check did, incomplete if any was not measured, else passed.
    pub fn verdict(&self) -> Verdict {
        self.checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::NotMeasured)
    }

    /// Returns how many checks ended like this.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }
}

impl Acceptance {
    /// Checks whether it can be signed off by this person with this note.
    ///
    /// # Errors
    /// It cannot.
    pub fn check_signature(&self, person: &str, note: &str) -> Result<(), SignError> {
        let is_text = |text: &str, max| (1..=max).contains(&text.trim().chars().count());
        match (self.tested.verdict(), &self.signed) {
            (_, Some(_)) => Err(SignError::Twice),
            (Verdict::Failed, None) => Err(SignError::Failed),
            _ if is_text(person, PERSON_CHARS_MAX) && is_text(note, NOTE_CHARS_MAX) => Ok(()),
            _ => Err(SignError::Words),
        }
    }
}
