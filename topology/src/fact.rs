//! What an agent observes: facts that hold now, and history that happened.
//!
//! Invariant: a fact belongs to one (agent, [`Method`], [`Scope`]); within that group its [`ItemKey`] names it, so what
//! one agent or method says never overwrites or deletes what another says (invariant 8). A fact carries the time at which
//! it was last observed; two observations of one key merge by that time, never by arrival (invariant 3).
//!
//! This module does not know how facts travel or are stored, nor what is concluded from them.

mod body;
mod history;
mod seen;
mod told;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

pub use body::{FactBody, ItemKey};
pub use history::{
    ApplicationSample, CaptureSample, DeviceSample, Event, EventKind, FlowTotals, HistoryBody, HistoryItem,
    InterfaceSample, SensorSample, TrafficSample,
};
pub use seen::{Anchor, Binding, Classification, Condition, ConditionKind, Host, Sighting};
pub use told::{
    Address, Aggregation, Entity, Forwarding, ForwardingStatus, Identification, Interface, InterfaceStatus, Neighbour,
    NeighbourProtocol, NextHop, OwnAddress, PortVlans, Quirk, Reach, ReachState, Sensor, SpanningTree,
    SpanningTreePort, SpanningTreeState, Station, System, Vlan,
};

use crate::Timestamp;

/// How a fact was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Whether a device answers SNMP.
    SnmpReach,
    /// The system group (RFC 3418).
    SnmpSystem,
    /// ifTable and ifXTable (RFC 2863).
    SnmpInterfaces,
    /// The forwarding tables of BRIDGE-MIB (RFC 4188) and Q-BRIDGE-MIB (RFC 4363).
    SnmpForwarding,
    /// ipNetToMediaTable and ipNetToPhysicalTable (RFC 4293).
    SnmpAddresses,
    /// LLDP-MIB and CDP.
    SnmpNeighbours,
    /// ENTITY-MIB (RFC 6933).
    SnmpEntities,
    /// The source address of a local frame.
    PassiveFrames,
    /// ARP heard (RFC 826).
    PassiveArp,
    /// IPv6 neighbour discovery heard (RFC 4861).
    PassiveNd,
    /// DHCP heard (RFC 2131).
    PassiveDhcp,
    /// LLDP heard (IEEE 802.1AB), and CDP.
    PassiveLldp,
    /// What the agent says of itself.
    Agent,
    /// What the device measures of itself: ENTITY-SENSOR-MIB (RFC 3433), the vendors' own, UPS-MIB (RFC 1628).
    SnmpSensors,
    /// The stations of a wireless controller.
    SnmpStations,
    /// Which ports are parts of which aggregate: IEEE8023-LAG-MIB.
    SnmpAggregation,
    /// Forwarding tables that a switch keeps in a context of each VLAN: Cisco's.
    SnmpVlanForwarding,
    /// The VLANs of Q-BRIDGE-MIB and of Cisco's MIBs, and the ports that carry them.
    SnmpVlans,
    /// The addresses of the device itself: ipAddressTable and ipAddrTable (RFC 4293).
    SnmpOwnAddresses,
    /// What is peculiar about the device's answers.
    SnmpQuirks,
    /// What the device measures that is read seldom: optical modules.
    SnmpSeldomSensors,
    /// What was concluded from all that an endpoint was heard saying.
    PassiveClassification,
    /// What the agent sends to see whether and how it is answered.
    Probe,
    /// The spanning tree of BRIDGE-MIB (RFC 4188).
    SnmpSpanningTree,
    /// Next hops of IP-FORWARD-MIB (RFC 4292).
    SnmpRoutes,
    /// What the agent broadcasts of itself.
    Anchor,
}

impl Method {
    /// Every method, in the order in which they were added: stored keys count on it.
    pub const ALL: [Self; 26] = [
        Self::SnmpReach,
        Self::SnmpSystem,
        Self::SnmpInterfaces,
        Self::SnmpForwarding,
        Self::SnmpAddresses,
        Self::SnmpNeighbours,
        Self::SnmpEntities,
        Self::PassiveFrames,
        Self::PassiveArp,
        Self::PassiveNd,
        Self::PassiveDhcp,
        Self::PassiveLldp,
        Self::Agent,
        Self::SnmpSensors,
        Self::SnmpStations,
        Self::SnmpAggregation,
        Self::SnmpVlanForwarding,
        Self::SnmpVlans,
        Self::SnmpOwnAddresses,
        Self::SnmpQuirks,
        Self::SnmpSeldomSensors,
        Self::PassiveClassification,
        Self::Probe,
        Self::SnmpSpanningTree,
        Self::SnmpRoutes,
        Self::Anchor,
    ];

    /// The methods by which sensors are read.
    pub const SENSORS: [Self; 2] = [Self::SnmpSensors, Self::SnmpSeldomSensors];

    /// The methods by which forwarding rows are read.
    pub const FORWARDING: [Self; 2] = [Self::SnmpForwarding, Self::SnmpVlanForwarding];

    /// Returns the name used in the API, in metrics and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SnmpReach => "snmp_reach",
            Self::SnmpSystem => "snmp_system",
            Self::SnmpInterfaces => "snmp_interfaces",
            Self::SnmpForwarding => "snmp_forwarding",
            Self::SnmpAddresses => "snmp_addresses",
            Self::SnmpNeighbours => "snmp_neighbours",
            Self::SnmpEntities => "snmp_entities",
            Self::SnmpSensors => "snmp_sensors",
            Self::SnmpStations => "snmp_stations",
            Self::SnmpAggregation => "snmp_aggregation",
            Self::SnmpVlanForwarding => "snmp_vlan_forwarding",
            Self::SnmpVlans => "snmp_vlans",
            Self::SnmpOwnAddresses => "snmp_own_addresses",
            Self::SnmpQuirks => "snmp_quirks",
            Self::SnmpSeldomSensors => "snmp_seldom_sensors",
            Self::PassiveFrames => "passive_frames",
            Self::PassiveArp => "passive_arp",
            Self::PassiveNd => "passive_nd",
            Self::PassiveDhcp => "passive_dhcp",
            Self::PassiveLldp => "passive_lldp",
            Self::PassiveClassification => "passive_classification",
            Self::Probe => "probe",
            Self::Agent => "agent",
            Self::SnmpSpanningTree => "snmp_spanning_tree",
            Self::SnmpRoutes => "snmp_routes",
            Self::Anchor => "anchor",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a group of facts is about: the agent's name of the device asked, the interface listened on, or, for what the
/// agent says of itself, the empty text. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(Arc<str>);

impl Scope {
    /// Returns the scope of this name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The facts of one method about one scope, as one agent sees them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Group {
    /// How they were observed.
    pub method: Method,
    /// What they are about.
    pub scope: Scope,
}

/// One thing that holds now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// When it was last observed.
    pub observed: Timestamp,
    /// What was observed.
    pub body: FactBody,
}

/// A difference in a group of facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactChange {
    /// The fact holds.
    Present(Fact),
    /// The fact of this key was found not to hold any more.
    Gone {
        /// Which fact.
        key: ItemKey,
        /// When it was found gone.
        observed: Timestamp,
    },
}

impl FactChange {
    /// Returns which fact of the group changes.
    pub fn key(&self) -> ItemKey {
        match self {
            Self::Present(fact) => fact.body.key(),
            Self::Gone { key, .. } => key.clone(),
        }
    }

    /// Returns when the change was observed.
    pub const fn observed(&self) -> Timestamp {
        match self {
            Self::Present(fact) => fact.observed,
            Self::Gone { observed, .. } => *observed,
        }
    }
}
