//! Sites: places with a network, in a tree whose every attribute has dates.
//!
//! Invariant: a site's identity never changes and is never used again; its code, name and parents are histories, and
//! its end is recorded, never its deletion. At no moment is the tree cyclic, has a site a parent that does not exist then,
//! or do two sites share a code. [`SiteTree`] keeps this by checking each [`SiteChange`] before it applies it.
//!
//! It does not know who may change it, nor where the changes are logged.

mod change;
mod check;
mod error;
mod import;
mod tree;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use change::SiteChange;
pub(crate) use check::check_name;
pub use error::{SiteError, SiteLabel};
pub use import::{ImportPlan, OtherParents, SiteImportProblem, SiteRow, parse_sites_csv, plan_import};
pub use tree::SiteTree;

use crate::{
    SiteId, Timestamp,
    dated::{History, Period},
    division::Tier,
};

/// How many parents a site can have at a time. Two is the rule for important sites; more is an error of import.
pub const MAX_PARENTS: usize = 4;

/// What sort of unit a site belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteKind {
    /// The environment authority of an administrative division. Its parents are of a higher tier.
    Division,
    /// A unit affiliated with an authority (部属单位 and the like): monitoring centre, regional or river-basin bureau.
    /// Its parents are of the same tier or a higher one.
    Affiliated,
}

/// The name of a site in both languages of the console.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SiteName {
    /// The name in Chinese.
    pub zh: String,
    /// The name in Latin letters: pinyin or English; may be empty.
    pub latin: String,
}

/// One way up: a line to a parent. The first of a site's uplinks is the one by which its path is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Uplink {
    /// The site above.
    pub parent: SiteId,
}

/// How a site ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It became part of another site.
    Merged {
        /// The site that took it in.
        into: SiteId,
    },
    /// It was divided into several sites.
    Split {
        /// The sites that came of it.
        into: Vec<SiteId>,
    },
    /// It ceased to be, with nothing in its place.
    Closed,
}

/// The end of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The first moment at which the site was no more.
    pub at: Timestamp,
    /// What became of it.
    pub how: Ending,
}

/// A place with a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its permanent identity.
    pub id: SiteId,
    /// Its level.
    pub tier: Tier,
    /// What sort of unit it belongs to.
    pub kind: SiteKind,
    /// The division code (GB/T 2260), or the code that the ministry gave an affiliated unit.
    pub codes: History<String>,
    /// The name.
    pub names: History<SiteName>,
    /// The ways up, the first one first; empty for a root.
    pub parents: History<Vec<Uplink>>,
    /// How and when it ended.
    pub ended: Option<Ended>,
    /// Ends that were recorded and taken back.
    pub revoked: Vec<Ended>,
}

impl SiteKind {
    /// Returns the word for the kind in files and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Division => "division",
            Self::Affiliated => "affiliated",
        }
    }
}

impl fmt::Display for SiteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl SiteName {
    /// Returns the name of both spellings.
    pub fn new(zh: impl Into<String>, latin: impl Into<String>) -> Self {
        Self { zh: zh.into(), latin: latin.into() }
    }

    /// Returns the name in Latin letters, or the Chinese one where there is none.
    pub fn latin_or_zh(&self) -> &str {
        if self.latin.is_empty() { &self.zh } else { &self.latin }
    }
}

impl Uplink {
    /// Returns the way up to `parent`.
    pub const fn to(parent: SiteId) -> Self {
        Self { parent }
    }
}

impl Ending {
    /// Returns the sites that took this one's place.
    pub fn successors(&self) -> &[SiteId] {
        match self {
            Self::Merged { into } => std::slice::from_ref(into),
            Self::Split { into } => into,
            Self::Closed => &[],
        }
    }
}

impl Site {
    /// Returns when the site came to be.
    pub const fn founded(&self) -> Timestamp {
        self.codes.start()
    }

    /// Returns the period from its founding to its end.
    pub fn period(&self) -> Period {
        Period { from: self.founded(), until: self.ended.as_ref().map(|ended| ended.at) }
    }

    /// Returns whether the site exists at `at`: founded and not ended.
    pub fn exists(&self, at: Timestamp) -> bool {
        self.period().contains(at)
    }

    /// Returns the code at `at`; before the founding the first one, after the end the last one.
    pub fn code(&self, at: Timestamp) -> &str {
        self.codes.at(at.max(self.founded())).unwrap_or(self.codes.current())
    }

    /// Returns the name at `at`; before the founding the first one, after the end the last one.
    pub fn name(&self, at: Timestamp) -> &SiteName {
        self.names.at(at.max(self.founded())).unwrap_or(self.names.current())
    }

    /// Returns the ways up at `at`, the first one first; none before the founding, after the end the last ones.
    pub fn uplinks(&self, at: Timestamp) -> &[Uplink] {
        self.parents.at(at).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
