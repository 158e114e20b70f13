//! Planned maintenance: what is known to be out of order from when until when, and why.
//!
//! Invariant: a maintenance hides nothing. What breaks within it is an incident like any other, marked as planned.

use serde::{Deserialize, Serialize};

use super::{Cause, Subject};
use crate::{DeviceId, MaintenanceId, SiteId, Timestamp};

/// Characters that a reason may have.
const REASON_CHARS_MAX: usize = 500;
/// How long a maintenance may last, in milliseconds: a month. What lasts longer is no maintenance.
const DURATION_MAX_MS: i64 = 31 * 86_400_000;

/// What is maintained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaintenanceScope {
    /// A site and everything below it.
    Subtree(SiteId),
    /// A site.
    Site(SiteId),
    /// The way between a site and one above it.
    Link {
        /// The lower site.
        child: SiteId,
        /// The upper site.
        parent: SiteId,
    },
    /// A device.
    Device {
        /// Its site.
        site: SiteId,
        /// The device.
        device: DeviceId,
    },
}

/// A planned maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Its identity.
    pub id: MaintenanceId,
    /// What is maintained.
    pub scope: MaintenanceScope,
    /// From when.
    pub begin: Timestamp,
    /// Until when; earlier than planned where it was ended early.
    pub end: Timestamp,
    /// Why.
    pub reason: String,
    /// Who planned it.
    pub by: String,
    /// Who ended it early, or called it off before it began.
    pub ended_by: Option<String>,
}

/// Why a maintenance cannot be like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MaintenanceError {
    /// It ends before it begins.
    #[error("the maintenance ends before it begins: give an end that is later")]
    EndsFirst,
    /// It lasts too long.
    #[error("a maintenance lasts 31 days at most: plan another one behind it")]
    TooLong,
    /// Nothing says why.
    #[error("say why, in at most {REASON_CHARS_MAX} characters: whoever reads of it later has nothing else")]
    Reason,
}

impl MaintenanceScope {
    /// Returns the site under which it is filed: whoever may plan it may do so there.
    pub const fn site(&self) -> SiteId {
        match self {
            Self::Subtree(site) | Self::Site(site) | Self::Device { site, .. } => *site,
            Self::Link { child, .. } => *child,
        }
    }

    /// Returns the name of its sort in the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Subtree(_) => "subtree",
            Self::Site(_) => "site",
            Self::Link { .. } => "link",
            Self::Device { .. } => "device",
        }
    }

    /// Returns whether what a cause is about lies within. `is_below` says whether a site is another or below it.
    pub fn covers(&self, cause: &Cause, is_below: impl Fn(SiteId, SiteId) -> bool) -> bool {
        match self {
            Self::Subtree(root) => cause.subject != Subject::Centre && is_below(cause.site, *root),
            Self::Site(site) => cause.subject != Subject::Centre && cause.site == *site,
            Self::Link { child, parent } => cause.subject == Subject::Link { child: *child, parent: *parent },
            Self::Device { device, .. } => cause.subject == Subject::Device(*device),
        }
    }
}

impl Maintenance {
    /// Checks times and reason.
    ///
    /// # Errors
    /// They cannot be like this.
    pub fn check(begin: Timestamp, end: Timestamp, reason: &str) -> Result<(), MaintenanceError> {
        if end <= begin {
            return Err(MaintenanceError::EndsFirst);
        }
        if end.ms_since(begin) > DURATION_MAX_MS {
            return Err(MaintenanceError::TooLong);
        }
        let chars = reason.trim().chars().count();
        if chars == 0 || chars > REASON_CHARS_MAX { Err(MaintenanceError::Reason) } else { Ok(()) }
    }

    /// Returns whether it is on at `at`.
    pub fn is_on(&self, at: Timestamp) -> bool {
        self.begin <= at && at < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maintenance_has_an_end_behind_its_beginning_and_a_reason() {
        let at = Timestamp::from_unix_ms;
        assert_eq!(Maintenance::check(at(1), at(2), "new router"), Ok(()));
        assert_eq!(Maintenance::check(at(2), at(2), "new router"), Err(MaintenanceError::EndsFirst));
        assert_eq!(Maintenance::check(at(1), at(2 + DURATION_MAX_MS), "x"), Err(MaintenanceError::TooLong));
        for reason in ["", "  ", &"x".repeat(501)] {
            assert_eq!(Maintenance::check(at(1), at(2), reason), Err(MaintenanceError::Reason));
        }
    }
}
