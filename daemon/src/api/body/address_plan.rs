//! Address spaces and the address plan.

use std::net::IpAddr;

use onenet_topology::{
    SpaceId, Timestamp,
    address::{AddressSpace, Assignment, PlanEntry, SpaceExtent},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::time;

/// A space in which an address means one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpaceBody {
    /// Its identity.
    #[schema(example = "space-0")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `national`, or `site`: a site's own range, which other sites may use too.
    pub kind: &'static str,
    /// The site whose range it is.
    pub site: Option<String>,
}

/// A prefix of the address plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlannedBody {
    /// The address space.
    pub space: String,
    /// The prefix.
    #[schema(example = "10.13.1.0/24")]
    pub prefix: String,
    /// The site that it belongs to.
    pub site: String,
    /// The VLAN that carries it.
    pub vlan: Option<u16>,
    /// What for.
    pub purpose: Option<String>,
    /// Whether nothing may live there.
    pub dark: bool,
    /// Since when it is assigned like this.
    pub from: String,
    /// Until when; `null` where no end is known.
    pub until: Option<String>,
}

/// Where an address belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LookupBody {
    /// The address.
    #[schema(value_type = String, example = "10.13.1.7")]
    pub ip: IpAddr,
    /// The address space in which it was looked for.
    pub space: String,
    /// The longest prefix that covers it, among those that the caller may see; `null` where it is outside the plan.
    pub planned: Option<PlannedBody>,
}

impl SpaceBody {
    /// Returns a space.
    pub fn of(space: &AddressSpace) -> Self {
        let (kind, site) = match space.kind {
            SpaceExtent::National => ("national", None),
            SpaceExtent::Site(site) => ("site", Some(site.to_string())),
        };
        Self { id: space.id.to_string(), name: space.name.clone(), kind, site }
    }
}

impl PlannedBody {
    /// Returns a prefix as it is assigned at `at`.
    pub fn of((entry, assignment): (&PlanEntry, &Assignment), at: Timestamp) -> Self {
        let held = entry.assignments.iter().filter(|dated| dated.period().contains(at)).last();
        Self {
            space: entry.space.to_string(),
            prefix: entry.prefix.to_string(),
            site: assignment.site.to_string(),
            vlan: assignment.vlan,
            purpose: super::given(&assignment.purpose),
            dark: assignment.dark,
            from: time(held.as_ref().map_or(entry.assignments.start(), |held| held.from)),
            until: held.and_then(|held| held.until).map(time),
        }
    }
}

impl LookupBody {
    /// Returns what was found for an address.
    pub fn of(ip: IpAddr, space: SpaceId, found: Option<(&PlanEntry, &Assignment)>, at: Timestamp) -> Self {
        Self { ip, space: space.to_string(), planned: found.map(|found| PlannedBody::of(found, at)) }
    }
}
