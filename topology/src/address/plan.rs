//! The address plan: spaces, prefixes and their owners, changed by dated values that a log can keep.
//!
//! Invariant: [`AddressPlan::apply`] changes the plan only when [`AddressPlan::check`] allows it. A clone costs one
//! reference count; the next change copies the tables (not the entries) if a snapshot is still held.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use super::{AddressSpace, Assignment, NATIONAL, PlanEntry, SpaceExtent, table::PrefixTable};
use crate::{SiteId, SpaceId, Timestamp, dated::History};

/// One change of the plan. `from` is the first moment at which it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanChange {
    /// A site gets a space of its own.
    AddSpace(AddressSpace),
    /// A prefix is assigned, or its assignment to the same site described anew.
    Assign {
        /// The space.
        space: SpaceId,
        /// The prefix, without host bits.
        prefix: IpNetwork,
        /// What for.
        assignment: Assignment,
        /// Since when.
        from: Timestamp,
    },
    /// A prefix belongs to nobody any more.
    Withdraw {
        /// The space.
        space: SpaceId,
        /// The prefix.
        prefix: IpNetwork,
        /// Since when.
        from: Timestamp,
    },
}

/// A change of the address plan that cannot be made. The plan is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No space has this id.
    #[error("there is no address space {0}: add it first")]
    UnknownSpace(SpaceId),
    /// The id is taken.
    #[error("the address space {0} exists already: use it")]
    SpaceExists(SpaceId),
    /// There is one national space, and it is there.
    #[error("there is one national address space, {NATIONAL}, from the beginning: use it")]
    SecondNational,
    /// A site has one space at most.
    #[error("{site} has the address space {space} already: use it")]
    SiteHasSpace {
        /// The site.
        site: SiteId,
        /// Its space.
        space: SpaceId,
    },
    /// The prefix has bits behind its length.
    #[error("{prefix} has host bits: write {network}, or the length that was meant")]
    HostBits {
        /// The prefix as written.
        prefix: IpNetwork,
        /// Without the bits.
        network: IpNetwork,
    },
    /// Everything at once.
    #[error("{0} is every address: a plan of it would hide what lies outside the plan; name the prefixes in use")]
    Everything(IpNetwork),
    /// No VLAN has this number.
    #[error("VLAN {0} does not exist: write 1 to 4094, or nothing")]
    InvalidVlan(u16),
    /// The words are too many.
    #[error("the purpose is longer than 100 characters or has control characters: shorten it")]
    InvalidPurpose,
    /// The prefix belongs to another site in that time.
    #[error("{prefix} belongs to {holder} in that time: withdraw it there from that date first, or correct the prefix")]
    OtherOwner {
        /// The prefix.
        prefix: IpNetwork,
        /// Whose it is.
        holder: SiteId,
    },
    /// A site's space holds what belongs to that site.
    #[error("{space} is the address space of {site}: assign the prefix to that site, or in the national space")]
    ForeignSpace {
        /// The space.
        space: SpaceId,
        /// Whose it is.
        site: SiteId,
    },
    /// The prefix belongs to nobody then.
    #[error("{prefix} belongs to nobody at {at}: there is nothing to withdraw; check the date and the address space")]
    NotAssigned {
        /// The prefix.
        prefix: IpNetwork,
        /// When.
        at: Timestamp,
    },
}

/// The plan. Stored and exported as its spaces and entries.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Stored", from = "Stored")]
pub struct AddressPlan {
    inner: Arc<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    spaces: BTreeMap<SpaceId, AddressSpace>,
    of_site: BTreeMap<SiteId, SpaceId>,
    tables: BTreeMap<SpaceId, PrefixTable>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    spaces: Vec<AddressSpace>,
    entries: Vec<Arc<PlanEntry>>,
}

impl AddressPlan {
    /// Returns the plan of no prefix: the national space alone.
    pub fn new() -> Self {
        let national = AddressSpace { id: NATIONAL, name: "national".to_owned(), kind: SpaceExtent::National };
        let spaces = BTreeMap::from([(NATIONAL, national)]);
        Self { inner: Arc::new(Inner { spaces, of_site: BTreeMap::new(), tables: BTreeMap::new() }) }
    }

    /// Returns every space, the national one first.
    pub fn spaces(&self) -> impl Iterator<Item = &AddressSpace> {
        self.inner.spaces.values()
    }

    /// Returns the space with this id.
    pub fn space(&self, id: SpaceId) -> Option<&AddressSpace> {
        self.inner.spaces.get(&id)
    }

    /// Returns the space of its own that `site` has.
    pub fn site_space(&self, site: SiteId) -> Option<SpaceId> {
        self.inner.of_site.get(&site).copied()
    }

    /// Returns every prefix ever planned: by space, then by address.
    pub fn entries(&self) -> impl Iterator<Item = &PlanEntry> {
        self.inner.tables.values().flat_map(|table| table.sorted()).map(Arc::as_ref)
    }

    /// Returns the entry of exactly this prefix.
    pub fn entry(&self, space: SpaceId, prefix: IpNetwork) -> Option<&PlanEntry> {
        self.inner.tables.get(&space)?.get(prefix)
    }

    /// Returns the longest prefix assigned at `at` that covers `ip` in `space`; [`PlanEntry::assignment`] says for what.
    pub fn longest_match(&self, space: SpaceId, ip: IpAddr, at: Timestamp) -> Option<&PlanEntry> {
        self.matches(space, ip, at).next()
    }

    /// Returns every prefix assigned at `at` that covers `ip` in `space`, the longest first.
    pub fn matches(&self, space: SpaceId, ip: IpAddr, at: Timestamp) -> impl Iterator<Item = &PlanEntry> {
        let table = self.inner.tables.get(&space).into_iter();
        table.flat_map(move |table| table.covering(ip)).filter(move |entry| entry.assignment(at).is_some())
    }

    /// Returns the space in which `ip`, seen at `site` at `at`, has its meaning: the site's own when a prefix assigned
    /// there covers it, the national one otherwise.
    pub fn space_of(&self, site: SiteId, ip: IpAddr, at: Timestamp) -> SpaceId {
        let own = self.site_space(site).filter(|space| self.longest_match(*space, ip, at).is_some());
        own.unwrap_or(NATIONAL)
    }

    /// Returns the prefix that covers `ip` as seen at `site` at `at`, in the space in which it has its meaning; `None`
    /// when it is outside the plan.
    pub fn match_at_site(&self, site: SiteId, ip: IpAddr, at: Timestamp) -> Option<&PlanEntry> {
        self.longest_match(self.space_of(site, ip, at), ip, at)
    }

    /// Checks that `change` can be made.
    ///
    /// # Errors
    /// The reason why not, with the remedy.
    pub fn check(&self, change: &PlanChange) -> Result<(), PlanError> {
        match change {
            PlanChange::AddSpace(space) => self.check_space(space),
            PlanChange::Assign { space, prefix, assignment, from } => {
                self.check_assign(*space, *prefix, assignment, *from)
            }
            PlanChange::Withdraw { space, prefix, from } => match self.entry(*space, *prefix) {
                Some(entry) if entry.assignment(*from).is_some() => Ok(()),
                _ => Err(PlanError::NotAssigned { prefix: *prefix, at: *from }),
            },
        }
    }

    /// Makes `change`.
    ///
    /// # Errors
    /// Those of [`AddressPlan::check`]; the plan is then as before.
    pub fn apply(&mut self, change: &PlanChange) -> Result<(), PlanError> {
        self.check(change)?;
        match change {
            PlanChange::AddSpace(space) => Arc::make_mut(&mut self.inner).add(space.clone()),
            PlanChange::Assign { space, prefix, assignment, from } => {
                self.set(*space, *prefix, Some(assignment.clone()), *from);
            }
            PlanChange::Withdraw { space, prefix, from } => self.set(*space, *prefix, None, *from),
        }
        Ok(())
    }

    fn set(&mut self, space: SpaceId, prefix: IpNetwork, assignment: Option<Assignment>, from: Timestamp) {
        let entry = match self.entry(space, prefix) {
            Some(entry) => {
                let mut entry = entry.clone();
                entry.assignments.set(from, assignment);
                entry
            }
            None => PlanEntry { space, prefix, assignments: History::new(from, assignment) },
        };
        Arc::make_mut(&mut self.inner).tables.entry(space).or_default().put(entry);
    }

    fn check_space(&self, space: &AddressSpace) -> Result<(), PlanError> {
        let SpaceExtent::Site(site) = space.kind else { return Err(PlanError::SecondNational) };
        match self.site_space(site) {
            Some(space) => Err(PlanError::SiteHasSpace { site, space }),
            None if self.space(space.id).is_some() => Err(PlanError::SpaceExists(space.id)),
            None => Ok(()),
        }
    }

    fn check_assign(
        &self,
        space: SpaceId,
        prefix: IpNetwork,
        assignment: &Assignment,
        from: Timestamp,
    ) -> Result<(), PlanError> {
        let known = self.space(space).ok_or(PlanError::UnknownSpace(space))?;
        check_prefix(prefix)?;
        if let SpaceExtent::Site(site) = known.kind
            && site != assignment.site
        {
            return Err(PlanError::ForeignSpace { space, site });
        }
        if let Some(vlan) = assignment.vlan.filter(|vlan| !(1..=4094).contains(vlan)) {
            return Err(PlanError::InvalidVlan(vlan));
        }
        if assignment.purpose.chars().count() > 100 || assignment.purpose.chars().any(char::is_control) {
            return Err(PlanError::InvalidPurpose);
        }
        let held = self.entry(space, prefix).and_then(|entry| entry.assignment(from));
        match held.filter(|held| held.site != assignment.site) {
            Some(held) => Err(PlanError::OtherOwner { prefix, holder: held.site }),
            None => Ok(()),
        }
    }
}

impl Default for AddressPlan {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for AddressPlan {
    fn eq(&self, other: &Self) -> bool {
        let same = || self.spaces().eq(other.spaces()) && self.entries().eq(other.entries());
        Arc::ptr_eq(&self.inner, &other.inner) || same()
    }
}

impl Eq for AddressPlan {}

impl Inner {
    fn add(&mut self, space: AddressSpace) {
        if let SpaceExtent::Site(site) = space.kind {
            self.of_site.insert(site, space.id);
        }
        self.spaces.insert(space.id, space);
    }
}

impl From<AddressPlan> for Stored {
    fn from(plan: AddressPlan) -> Self {
        let entries = plan.inner.tables.values().flat_map(PrefixTable::sorted).cloned().collect();
        Self { spaces: plan.spaces().cloned().collect(), entries }
    }
}

impl From<Stored> for AddressPlan {
    fn from(stored: Stored) -> Self {
        let mut plan = Self::new();
        let inner = Arc::make_mut(&mut plan.inner);
        for space in stored.spaces {
            inner.add(space);
        }
        for entry in stored.entries {
            inner.tables.entry(entry.space).or_default().put(Arc::unwrap_or_clone(entry));
        }
        plan
    }
}

/// Checks that `prefix` is one that a plan can have.
pub(super) fn check_prefix(prefix: IpNetwork) -> Result<(), PlanError> {
    if prefix.prefix() == 0 {
        return Err(PlanError::Everything(prefix));
    }
    match IpNetwork::new(prefix.network(), prefix.prefix()) {
        Ok(network) if network.ip() != prefix.ip() => Err(PlanError::HostBits { prefix, network }),
        _ => Ok(()),
    }
}
