//! How many of each thing the whole country has, and so how many series metrics may have.
//!
//! Invariant: the numbers follow from the table of divisions and the sizes of `DOMAIN.md`, in the one rule for equipment that is
//! written there: a router, an access switch for every 24 terminals, aggregation above four switches. Where a county may have
//! 15 to 25 terminals, counties are counted as if all these sizes were as frequent. What no document says is an assumption, and
//! stands in [`Per::why`].

use std::ops::RangeInclusive;

/// What a metric has series of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Per {
    /// The centre, tiers, grades, classes: few, and as many in a small network.
    Centre,
    /// Sites.
    Site,
    /// A province, a city or the ministry with all that is below it.
    Subtree,
    /// Areas.
    Area,
    /// Open incidents that are told of one by one.
    Incident,
    /// Agents.
    Agent,
    /// Managed devices.
    Device,
    /// Devices of sites above the counties.
    LargeDevice,
    /// Rooms with a power supply and sensors of their own.
    Room,
    /// Ports that are told of one by one.
    Port,
    /// Ways up from one site to another.
    Way,
    /// Ways up, and the ways of agents to their gateways.
    WayOrGateway,
    /// Probes of any kind.
    Probe,
    /// Probes of services, which somebody named.
    Service,
    /// Channels by which others are notified.
    Channel,
    /// Pages that Prometheus reads.
    Page,
}

/// Terminals of an access switch.
const PORTS: u32 = 24;
/// Access switches above which there is aggregation.
const FLAT_MAX: u32 = 4;

/// How many sites of a kind there are, and of how many terminals each.
type Sites = (u32, RangeInclusive<u32>);
const MINISTRY: Sites = (1, 3_000..=3_000);
const AFFILIATED: Sites = (14, 80..=150);
/// 31, and the Corps.
const PROVINCES: Sites = (32, 500..=800);
const CITIES: Sites = (333, 60..=100);
const COUNTIES: Sites = (2_975, 15..=25);

impl Per {
    /// Everything that metrics have series of.
    pub const ALL: [Self; 16] = [
        Self::Centre,
        Self::Site,
        Self::Subtree,
        Self::Area,
        Self::Incident,
        Self::Agent,
        Self::Device,
        Self::LargeDevice,
        Self::Room,
        Self::Port,
        Self::Way,
        Self::WayOrGateway,
        Self::Probe,
        Self::Service,
        Self::Channel,
        Self::Page,
    ];

    /// Returns how many of them the whole country has.
    pub fn count(self) -> u32 {
        let (sites, large) = (all_sites(), all_sites() - COUNTIES.0);
        match self {
            Self::Centre => 1,
            Self::Site | Self::Agent => sites,
            Self::Subtree => MINISTRY.0 + AFFILIATED.0 + PROVINCES.0 + CITIES.0,
            Self::Area => 20,
            Self::Incident => 1_000,
            Self::Device => sites + switches(&[MINISTRY, AFFILIATED, PROVINCES, CITIES, COUNTIES]) + large,
            Self::LargeDevice => 2 * large + switches(&[MINISTRY, AFFILIATED, PROVINCES, CITIES]),
            Self::Room => large,
            Self::Port => {
                let links = switches(&[MINISTRY, AFFILIATED, PROVINCES, CITIES, COUNTIES]) + large;
                2 * links + Self::Way.count() + sites / 4
            }
            Self::Way => (sites - 1) * 11 / 10,
            Self::WayOrGateway => Self::Way.count() + sites,
            Self::Probe => Self::WayOrGateway.count() + Self::Service.count(),
            Self::Service => 3 * sites,
            Self::Channel => 4,
            Self::Page => sites + 1,
        }
    }

    /// Returns what one of them is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Centre => "centre",
            Self::Site => "site",
            Self::Subtree => "subtree",
            Self::Area => "area",
            Self::Incident => "incident",
            Self::Agent => "agent",
            Self::Device => "device",
            Self::LargeDevice => "large device",
            Self::Room => "room",
            Self::Port => "port",
            Self::Way => "way",
            Self::WayOrGateway => "way or gateway",
            Self::Probe => "probe",
            Self::Service => "service probe",
            Self::Channel => "channel",
            Self::Page => "page",
        }
    }

    /// Returns what they are, and why they are so many.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Centre => "the centre itself, levels, grades, kinds",
            Self::Site => {
                "sites: 1 ministry, 14 affiliated units, 31 provinces and the Corps, 333 cities, 2,975 counties"
            }
            Self::Subtree => "sites above the counties, each with all that is below it",
            Self::Area => "areas (assumed; 200 at most are told of)",
            Self::Incident => "open incidents that are told of one by one, the gravest first",
            Self::Agent => "agents, one a site",
            Self::Device => {
                "devices: a router a site, a switch for every 24 terminals, one above every 24 of these where there are more than four, a firewall at sites above the counties (assumed)"
            }
            Self::LargeDevice => "those of sites above the counties",
            Self::Room => "rooms with power supply and climate of their own, one at sites above the counties (assumed)",
            Self::Port => {
                "ports told of one by one: both ends of each link between devices, ways up, and a marked one at each fourth site (assumed)"
            }
            Self::Way => "ways up; one site of ten has two (assumed)",
            Self::WayOrGateway => "ways up, and those of agents to their gateways",
            Self::Probe => "probes: of ways up, of the gateway of each agent, of services",
            Self::Service => "probes of services, three a site (assumed)",
            Self::Channel => "channels by which others are notified (assumed)",
            Self::Page => "pages that Prometheus reads: sites, and the centre's own",
        }
    }
}

const fn all_sites() -> u32 {
    MINISTRY.0 + AFFILIATED.0 + PROVINCES.0 + CITIES.0 + COUNTIES.0
}

/// Returns how many switches these sites have, rounded up.
fn switches(kinds: &[Sites]) -> u32 {
    kinds.iter().map(of_kind).sum()
}

fn of_kind((sites, terminals): &Sites) -> u32 {
    let sizes = u32::try_from(terminals.clone().count()).unwrap_or(u32::MAX);
    (sites * terminals.clone().map(switches_for).sum::<u32>()).div_ceil(sizes)
}

const fn switches_for(terminals: u32) -> u32 {
    let access = terminals.div_ceil(PORTS);
    access + if access > FLAT_MAX { access.div_ceil(PORTS) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_country_has_as_much_equipment_as_its_table_gives() {
        assert_eq!(Per::Site.count(), 3_355);
        assert_eq!(switches_for(20), 1);
        assert_eq!(switches_for(25), 2);
        assert_eq!(switches_for(97), 5 + 1);
        assert_eq!(of_kind(&MINISTRY), 125 + 6);
        // Eleven sizes of counties, of which one needs a second switch.
        assert_eq!(of_kind(&COUNTIES), (2_975_u32 * 12).div_ceil(11));
        assert!((9_000..10_000).contains(&Per::Device.count()), "{}", Per::Device.count());
        assert!((14_000..20_000).contains(&Per::Port.count()), "{}", Per::Port.count());
    }
}
