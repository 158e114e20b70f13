//! Address spaces and the address plan: what an IP address means, and whose it is.
//!
//! Invariant: an address means one thing only within a space. The national space is one; a site whose network was
//! numbered without a common plan has a space of its own, and its private prefixes are looked for there first. Within a
//! space a prefix belongs to one site at a time; prefixes may be nested, and the longest one that covers an address
//! decides. What is withdrawn stays in the plan's history.
//!
//! It does not know which addresses are in use.

mod import;
mod plan;
mod table;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

pub use import::{PLAN_COLUMNS, PlanImport, PlanImportProblem, PlanRow, parse_plan_csv, plan_import};
pub use plan::{AddressPlan, PlanChange, PlanError};

use crate::{SiteId, SpaceId, Timestamp, dated::History};

/// The identity of the national space, which is always there. No record creates it.
pub const NATIONAL: SpaceId = SpaceId::from_raw(0);

/// How far a space reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpaceExtent {
    /// The whole network.
    National,
    /// One site.
    Site(SiteId),
}

/// A space in which an IP address means one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressSpace {
    /// Its permanent identity.
    pub id: SpaceId,
    /// The name that people see.
    pub name: String,
    /// How far it reaches.
    pub kind: SpaceExtent,
}

/// What a prefix is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The site that it belongs to.
    pub site: SiteId,
    /// The VLAN that carries it, 1 to 4094.
    pub vlan: Option<u16>,
    /// What for, in words; may be empty.
    pub purpose: String,
    /// Whether nothing may live here, so that any traffic to it is suspicious.
    pub dark: bool,
}

/// A prefix of a space, and what it was for over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanEntry {
    /// The space.
    pub space: SpaceId,
    /// The prefix, without host bits.
    pub prefix: IpNetwork,
    /// The assignments; `None` while it belongs to nobody.
    pub assignments: History<Option<Assignment>>,
}

impl PlanEntry {
    /// Returns what the prefix is for at `at`, `None` while it belongs to nobody.
    pub fn assignment(&self, at: Timestamp) -> Option<&Assignment> {
        self.assignments.at(at)?.as_ref()
    }
}

#[cfg(test)]
mod tests;
