//! Why a change of the site tree is refused.
//!
//! Invariant: each message names the sites as people know them, and the remedy. After an error the tree is as before.

use std::fmt;

use super::{MAX_PARENTS, Site};
use crate::{SiteId, Timestamp, division::Tier};

/// A site as an error names it: name, code and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteLabel {
    /// Its identity.
    pub id: SiteId,
    /// Its code now.
    pub code: Box<str>,
    /// Its Chinese name now.
    pub name: Box<str>,
}

/// A change of the site tree that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// No site has this id.
    #[error("there is no site {0}: look its id up by its code")]
    Unknown(SiteId),
    /// The id of a new site is taken.
    #[error("{0} exists already: change it instead of adding it")]
    Exists(SiteLabel),
    /// The code cannot be a code.
    #[error("{0:?} cannot be a code: write 1 to 32 letters, digits, '-', '_' or '.', such as 130102")]
    InvalidCode(String),
    /// The name cannot be a name.
    #[error("{0:?} cannot be a name: write 1 to 100 characters without control characters")]
    InvalidName(String),
    /// Two sites would have one code at one time.
    #[error("{holder} has the code {code} in that time: give the other code, or recode or end that site first")]
    DuplicateCode {
        /// The code.
        code: String,
        /// Who has it.
        holder: SiteLabel,
    },
    /// The change is dated before the site came to be.
    #[error("{site} came to be at {founded}: date the change then or later")]
    BeforeFounding {
        /// The site.
        site: SiteLabel,
        /// When it came to be.
        founded: Timestamp,
    },
    /// The site has ended by then.
    #[error("{site} ended at {ended}: date the change earlier, reopen the site, or change what took its place")]
    Ended {
        /// The site.
        site: SiteLabel,
        /// When it ended.
        ended: Timestamp,
    },
    /// The site has not ended.
    #[error("{0} has not ended: there is nothing to reopen")]
    NotEnded(SiteLabel),
    /// A site that is not a ministry's own needs a parent.
    #[error("{0} has no parent: only the division of a ministry stands alone; name the site above")]
    NoParent(SiteLabel),
    /// The root cannot have a parent.
    #[error("{0} is a ministry and has no parent: leave the parent out, or make it an affiliated unit")]
    ParentOfRoot(SiteLabel),
    /// More parents than a site can have.
    #[error("{0} has more than {MAX_PARENTS} parents: keep those that it has lines to")]
    TooManyParents(SiteLabel),
    /// A parent named twice.
    #[error("{site} names the parent {parent} twice: name it once")]
    RepeatedParent {
        /// The site.
        site: SiteLabel,
        /// The parent.
        parent: SiteLabel,
    },
    /// The way up that is to be removed is not there.
    #[error("{site} has no way up to {parent} then: look at its parents at that date")]
    NotAParent {
        /// The site.
        site: SiteLabel,
        /// The parent.
        parent: SiteLabel,
    },
    /// The parent does not exist through the whole time.
    #[error(
        "{parent} does not exist from {from} on, as long as {site} would be under it: choose another parent or date"
    )]
    ParentNotThere {
        /// The site.
        site: SiteLabel,
        /// The parent.
        parent: SiteLabel,
        /// Since when it would be the parent.
        from: Timestamp,
    },
    /// The parent's tier is not above the site's.
    #[error("{site} ({tier}) cannot be under {parent} ({parent_tier}): choose a parent of a higher tier")]
    TierNotAbove {
        /// The site.
        site: SiteLabel,
        /// Its tier.
        tier: Tier,
        /// The parent.
        parent: SiteLabel,
        /// The parent's tier.
        parent_tier: Tier,
    },
    /// The site would be above itself.
    #[error("{site} would be above itself through {parent}: move {parent} elsewhere first")]
    Cycle {
        /// The site.
        site: SiteLabel,
        /// The parent.
        parent: SiteLabel,
    },
    /// A site that is to end has sites under it.
    #[error("{site} has {count} sites under it, such as {example}: move them first, or merge it into another site")]
    HasChildren {
        /// The site.
        site: SiteLabel,
        /// How many are under it at that date or later.
        count: usize,
        /// One of them.
        example: SiteLabel,
    },
    /// The site that is to take another in is below it, or is that site.
    #[error("{site} cannot become part of {into}, which is within it: move {into} elsewhere first")]
    MergeIntoOwnSubtree {
        /// The site that is to end.
        site: SiteLabel,
        /// The site that is to take it in.
        into: SiteLabel,
    },
    /// A split into fewer than two sites.
    #[error("{0} is split into fewer than two sites: add the parts first and name them, or close or merge it")]
    TooFewParts(SiteLabel),
    /// A site that takes another's place does not exist then.
    #[error("{successor} does not exist at {at}, when it takes the place of {site}: add it from that date or earlier")]
    SuccessorNotThere {
        /// The site that is to end.
        site: SiteLabel,
        /// The site that takes its place.
        successor: SiteLabel,
        /// When.
        at: Timestamp,
    },
}

impl SiteLabel {
    pub(super) fn of(site: &Site) -> Self {
        Self { id: site.id, code: site.codes.current().as_str().into(), name: site.names.current().zh.as_str().into() }
    }
}

impl fmt::Display for SiteLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.name, self.code, self.id)
    }
}
