//! What the inference concludes about a site.
//!
//! Invariant: a conclusion carries its reason and its confidence, and each row that was not believed carries its own. The
//! reasons are kinds with numbers, so that they can be counted, and told in any language.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{DeviceId, InterfaceId, MacAddr};

/// A port in a VLAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The device.
    pub device: DeviceId,
    /// Its port: the aggregate, where the port is a member of one.
    pub interface: InterfaceId,
    /// The VLAN, where a table tells.
    pub vlan: Option<u16>,
}

/// Where an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// At this port.
    Port(Place),
    /// At or behind this device; at which of its ports cannot be told.
    Behind {
        /// The device.
        device: DeviceId,
        /// The VLAN, where a table tells.
        vlan: Option<u16>,
    },
    /// At the site; every row about it was rejected.
    Nowhere,
}

/// Why an endpoint is believed to be where it is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The only port left without a managed device behind it.
    EdgePort {
        /// How many endpoints are learned on the port; many mean something unmanaged behind it.
        macs: usize,
    },
    /// The only port left without a managed device behind it; a telephone is heard there, and it is plugged into that.
    BehindPhone {
        /// The telephone.
        phone: MacAddr,
    },
    /// A wireless controller has it among its stations.
    Wireless,
    /// Of several ports without a managed device behind, the one with the fewest addresses.
    FewestAddresses {
        /// Endpoints learned on the port.
        macs: usize,
        /// Endpoints learned on the next best one.
        next: usize,
    },
    /// Managed devices face each other over something unmanaged, and each has it at its port there.
    UnmanagedBehind {
        /// The device at the end of the way.
        towards: DeviceId,
    },
    /// It is plugged into two switches that share their ports, and both have it at theirs.
    SharedPorts {
        /// How many ports.
        ports: usize,
    },
    /// Of several ports without a managed device behind, the one that the tables of most devices agree with.
    MostAgree {
        /// Devices whose rows lead there.
        agree: usize,
        /// Devices whose rows lead elsewhere.
        differ: usize,
    },
    /// The deepest port leads to a device whose table does not have it: its row is missing, or something unmanaged is on
    /// the way.
    RowMissing {
        /// The device at the end of the way.
        towards: DeviceId,
    },
    /// The deepest port leads to a device that shows no table.
    NoTableBehind,
    /// The device has it at a bridge port that does not resolve to an interface.
    PortUnresolved,
    /// The only rows are on ports that are said to be down.
    PortDown,
    /// No row tells where it is.
    NothingUsable,
}

/// Why a row was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// The port leads to a device that has the address itself.
    LeadsTo {
        /// That device.
        device: DeviceId,
    },
    /// A device whose table lacks the address may be behind the port: nothing tells for sure where that device is.
    MayLeadTo {
        /// That device.
        device: DeviceId,
    },
    /// A managed device is behind the port, and another port has the address without one.
    BetweenSwitches {
        /// A device behind the port.
        device: DeviceId,
    },
    /// Another port has fewer addresses.
    MoreAddresses {
        /// Endpoints learned on this port.
        macs: usize,
    },
    /// The tables of more devices agree with another port.
    FewerAgree {
        /// Devices whose rows lead elsewhere.
        differ: usize,
    },
    /// The row was not learned from traffic.
    NotLearned,
    /// The bridge port did not resolve to an interface.
    PortUnresolved,
    /// The port is said to be down.
    PortDown,
    /// The endpoint is better known in another VLAN.
    OtherVlan,
    /// A wireless controller has it: the port leads to an access point, or to the controller.
    Wireless,
    /// It may have moved there: believed when the next walk says so too.
    MovePending,
}

/// A row that was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rejected {
    /// The device.
    pub device: DeviceId,
    /// The port, where it resolved.
    pub interface: Option<InterfaceId>,
    /// The VLAN, where the table tells.
    pub vlan: Option<u16>,
    /// Why.
    pub reason: RejectReason,
}

/// Where an endpoint is, how sure that is, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Where.
    pub at: Where,
    /// Other ports at which it is as well: the ends of an unmanaged segment between switches, the ports of two switches
    /// that are one.
    pub also: Vec<Place>,
    /// 0 to 100; under 50 means that it is a guess.
    pub confidence: u8,
    /// Why.
    pub reason: Reason,
    /// The rows that were not believed, in order.
    pub rejected: Vec<Rejected>,
}

/// The least confidence of what is no guess.
const SURE: u8 = 50;

impl Attachment {
    /// Returns whether it is a port, and no guess.
    pub const fn is_sure(&self) -> bool {
        matches!(self.at, Where::Port(_)) && self.confidence >= SURE
    }

    /// Returns whether an endpoint that was believed to be at a port is elsewhere without a move: the port is down, or turned
    /// out to lead to where the endpoint is.
    pub fn overturns(&self, old: Place) -> bool {
        self.rejected.iter().any(|row| {
            (row.device, row.interface) == (old.device, Some(old.interface))
                && matches!(
                    row.reason,
                    RejectReason::PortDown | RejectReason::LeadsTo { .. } | RejectReason::BetweenSwitches { .. }
                )
        })
    }

    /// Returns whether it only lacks what would speak for a port: it is a guess, and nothing of that device's table is in it.
    /// Rows that a walk missed, or that aged out, move nobody.
    pub fn lacks(&self, old: Place) -> bool {
        let is_elsewhere = |row: &Rejected| {
            row.device == old.device
                && !(row.interface == Some(old.interface) && matches!(row.reason, RejectReason::MayLeadTo { .. }))
        };
        let is_of_device = match self.at {
            Where::Port(place) => place.device == old.device,
            Where::Behind { device, .. } => device == old.device && self.reason == Reason::PortUnresolved,
            Where::Nowhere => false,
        };
        !self.is_sure() && !is_of_device && !self.rejected.iter().any(is_elsewhere)
    }
}

/// Why an address in a table is no endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// `00:00:00:00:00:00`.
    Zero,
    /// A group address.
    Multicast,
    /// The address of a first-hop redundancy group, which moves between routers.
    VirtualRouter,
    /// A managed device's own.
    DeviceOwn {
        /// The device; `None` when several claim it.
        device: Option<DeviceId>,
    },
}

/// One end of a link between devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct End {
    /// The device.
    pub device: DeviceId,
    /// Its port: the aggregate, where the port is a member of one; `None` where it cannot be told.
    pub interface: Option<InterfaceId>,
}

/// Why two devices are believed to be joined, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkReason {
    /// Each hears the other as its neighbour.
    TwoSided,
    /// One hears the other, and nothing speaks against it.
    OneSided,
    /// The spanning tree of one names the other as the designated bridge.
    SpanningTree,
    /// LACP of one names the other as its partner.
    Lacp,
    /// An address of the one is in the other's table, and no device is known to be between them.
    OwnAddress {
        /// Whether each has the other's.
        both: bool,
    },
    /// Only these ports explain where both have learned so many hosts.
    SharedHosts {
        /// How many.
        hosts: usize,
    },
    /// It follows from other links.
    Derived,
    /// One hears the other at this port, or its spanning tree or LACP names it, and what both have learned says that the way is another.
    Contradicted,
}

/// Two devices that are joined, with something unmanaged between them or not, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceLink {
    /// The end that comes first in order.
    pub a: End,
    /// The other end.
    pub b: End,
    /// 0 to 100; under 50 means that it is a guess, or that other evidence speaks against it.
    pub confidence: u8,
    /// Why.
    pub reason: LinkReason,
}

/// What is concluded about a site.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SiteInference {
    /// Where each endpoint is.
    pub attachments: BTreeMap<MacAddr, Attachment>,
    /// The addresses that are no endpoints.
    pub dropped: BTreeMap<MacAddr, DropReason>,
    /// The managed devices behind each port that has some, by device and port.
    pub between_switches: Vec<(DeviceId, InterfaceId, BTreeSet<DeviceId>)>,
    /// Which devices are joined, in order; what neighbours say and others contradict is among them.
    pub links: Vec<DeviceLink>,
}
