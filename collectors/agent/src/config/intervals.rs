//! `[intervals]`, and a device's own `intervals`: how often each table is read.
//!
//! Cheap columns often, dear tables seldom: counters every minute, serial numbers every hour.

use std::time::Duration;

use onenet_config::Section;

/// The shortest and the longest interval, in seconds.
const RANGE_S: std::ops::RangeInclusive<u64> = 5..=86_400;

/// How often each table of a device is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// Ports: states and counters.
    pub interfaces: Duration,
    /// The system group.
    pub system: Duration,
    /// Forwarding tables.
    pub forwarding: Duration,
    /// Forwarding tables that a switch keeps in a context of each VLAN: as many walks as it has VLANs.
    pub vlan_forwarding: Duration,
    /// ARP and neighbour-discovery tables.
    pub addresses: Duration,
    /// The device's own addresses.
    pub own_addresses: Duration,
    /// VLANs and the ports that carry them.
    pub vlans: Duration,
    /// LLDP and CDP neighbours.
    pub neighbours: Duration,
    /// The stations of a wireless controller.
    pub stations: Duration,
    /// What the device measures of itself.
    pub sensors: Duration,
    /// What the device measures that changes slowly and is dear to read: optical modules.
    pub seldom_sensors: Duration,
    /// Physical parts.
    pub entities: Duration,
    /// The least time between two walks of forwarding that something new triggered.
    pub triggered_spacing: Duration,
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            interfaces: Duration::from_secs(60),
            system: Duration::from_secs(300),
            forwarding: Duration::from_secs(300),
            vlan_forwarding: Duration::from_secs(900),
            addresses: Duration::from_secs(300),
            own_addresses: Duration::from_secs(3600),
            vlans: Duration::from_secs(3600),
            neighbours: Duration::from_secs(600),
            stations: Duration::from_secs(300),
            sensors: Duration::from_secs(300),
            seldom_sensors: Duration::from_secs(1800),
            entities: Duration::from_secs(3600),
            triggered_spacing: Duration::from_secs(5),
        }
    }
}

/// Reads the section; what it does not say stays as in `defaults`.
pub(super) fn checked(mut section: Section<'_>, defaults: Intervals) -> Intervals {
    let mut seconds = |key, default| {
        section.number(key, RANGE_S, "seconds").map_or(default, |found| Duration::from_secs(found.value))
    };
    let intervals = Intervals {
        interfaces: seconds("interfaces_s", defaults.interfaces),
        system: seconds("system_s", defaults.system),
        forwarding: seconds("forwarding_s", defaults.forwarding),
        vlan_forwarding: seconds("vlan_forwarding_s", defaults.vlan_forwarding),
        addresses: seconds("addresses_s", defaults.addresses),
        own_addresses: seconds("own_addresses_s", defaults.own_addresses),
        vlans: seconds("vlans_s", defaults.vlans),
        neighbours: seconds("neighbours_s", defaults.neighbours),
        stations: seconds("stations_s", defaults.stations),
        sensors: seconds("sensors_s", defaults.sensors),
        seldom_sensors: seconds("seldom_sensors_s", defaults.seldom_sensors),
        entities: seconds("entities_s", defaults.entities),
        triggered_spacing: seconds("triggered_spacing_s", defaults.triggered_spacing),
    };
    section.finish();
    intervals
}
