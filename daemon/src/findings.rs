//! Findings: what the centre itself finds wrong in what it is told, as long as it is wrong.
//!
//! Invariant: one subject has at most one finding of a kind; a finding comes and goes with the evidence and keeps the
//! time since when it holds. Nothing here notifies anybody.

use std::net::IpAddr;

use onenet_topology::{AgentId, DeviceId, EndpointId, MacAddr, Timestamp};
use serde::{Deserialize, Serialize};

use crate::estate::PortChange;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// An agent's wall clock is wrong.
    ClockWrong,
    /// An agent reports more than the centre keeps of one: what is over is not taken in.
    CapacityReached,
    /// The same MAC address is on the networks of several sites.
    MacAtTwoSites,
    /// Several MAC addresses have one IP address in one space.
    IpWithTwoMacs,
    /// A terminal uses an address that is a device's own.
    DeviceAddressUsed,
    /// A MAC address goes back and forth between ports in the table of a device.
    MacFlaps,
}

impl FindingKind {
    /// Every kind, in order.
    pub const ALL: [Self; 6] = [
        Self::ClockWrong,
        Self::CapacityReached,
        Self::MacAtTwoSites,
        Self::IpWithTwoMacs,
        Self::DeviceAddressUsed,
        Self::MacFlaps,
    ];

    /// Those that tell of addresses which several have, or seem to have.
    pub const DUPLICATES: [Self; 4] =
        [Self::MacAtTwoSites, Self::IpWithTwoMacs, Self::DeviceAddressUsed, Self::MacFlaps];

    /// Returns the name used in the API, in metrics and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClockWrong => "clock_wrong",
            Self::CapacityReached => "capacity_reached",
            Self::MacAtTwoSites => "mac_at_two_sites",
            Self::IpWithTwoMacs => "ip_with_two_macs",
            Self::DeviceAddressUsed => "device_address_used",
            Self::MacFlaps => "mac_flaps",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An agent.
    Agent(AgentId),
    /// An endpoint.
    Endpoint(EndpointId),
}

/// Names a finding within its site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingKey {
    /// What is wrong.
    pub kind: FindingKind,
    /// With what.
    pub subject: Subject,
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong, and with what.
    #[serde(flatten)]
    pub key: FindingKey,
    /// Since when.
    pub since: Timestamp,
    /// When it was last confirmed.
    pub confirmed: Timestamp,
    /// The evidence.
    pub evidence: Evidence,
}

/// Why a finding holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The agent's wall clock is ahead of the centre's by this many milliseconds (behind when negative).
    ClockOffset {
        /// By how much.
        offset_ms: i64,
    },
    /// There is no room for what an agent reports.
    Capacity {
        /// For what.
        what: Capacity,
        /// How many are held.
        held: u64,
        /// How many can be.
        limit: u64,
        /// How many were not kept since the finding holds; counted of anomalies alone.
        #[serde(default, skip_serializing_if = "is_none")]
        left_out: u64,
    },
    /// A MAC address is seen at other sites too. Which they are is told by a search, as far as the reader may know.
    MacElsewhere {
        /// The address.
        mac: MacAddr,
        /// At how many others.
        sites: u64,
    },
    /// Several MAC addresses are bound to one IP address at a time.
    TwoMacs {
        /// The address.
        ip: IpAddr,
        /// Who has it, in order.
        macs: Vec<MacAddr>,
    },
    /// A terminal is bound to a device's own address.
    DeviceAddress {
        /// The address.
        ip: IpAddr,
        /// The device.
        device: DeviceId,
        /// The terminal.
        mac: MacAddr,
    },
    /// A device's table has a MAC address at one port and another by turns.
    Flapping {
        /// The address.
        mac: MacAddr,
        /// The device.
        device: DeviceId,
        /// How often it changed since it rested.
        count: u64,
        /// The last changes, oldest first.
        changes: Vec<PortChange>,
    },
}

impl Evidence {
    /// Returns how many things were not kept.
    pub const fn left_out(&self) -> u64 {
        match self {
            Self::Capacity { left_out, .. } => *left_out,
            _ => 0,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What there can be too many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// Facts of one agent.
    Facts,
    /// Devices that one agent polls.
    Devices,
    /// Endpoints of the site.
    Endpoints,
    /// What detectors found at the site.
    Anomalies,
}

/// Returns the last changes of ports with their times.
pub fn told(changes: &[PortChange]) -> String {
    let each: Vec<String> = changes.iter().map(|it| format!("{} {} > {}", it.at, it.from, it.to)).collect();
    each.join(", ")
}

impl Finding {
    /// Returns what happened and what to do about it.
    pub fn remedy(&self) -> String {
        match &self.evidence {
            Evidence::ClockOffset { offset_ms } => format!(
                "the agent's clock is {} s {}: check its time synchronisation (NTP) and its battery; times of its \
                 reports are corrected meanwhile",
                offset_ms.unsigned_abs() / 1000,
                if *offset_ms < 0 { "behind" } else { "ahead" },
            ),
            Evidence::MacElsewhere { mac, sites } => format!(
                "{mac} is seen here and at {sites} other sites at a time: search for it; look for cloned machines, and for a \
                 bridge or tunnel between the sites"
            ),
            Evidence::TwoMacs { ip, macs } => {
                let macs: Vec<String> = macs.iter().map(ToString::to_string).collect();
                format!(
                    "{ip} is used by {} at a time: give one of them another address; if neither is known, look for address \
                     spoofing",
                    macs.join(" and ")
                )
            }
            Evidence::DeviceAddress { ip, device, mac } => format!(
                "{mac} uses {ip}, which is an address of {device} itself: take it off the network, or find out whether it is \
                 a part of the device that its tables do not name"
            ),
            Evidence::Flapping { mac, device, count, changes } => format!(
                "{mac} changed ports {count} times in the table of {device}, {}: look for a loop between these ports, and for two \
                 machines with one address",
                told(changes)
            ),
            Evidence::Capacity { what, held, limit, left_out } => match what {
                Capacity::Endpoints => format!(
                    "the site holds {held} of at most {limit} endpoints, so new ones are not taken in: look for forged \
                     addresses, or raise inventory.endpoints_per_site in the centre's configuration"
                ),
                Capacity::Facts => format!(
                    "the agent holds {held} of at most {limit} facts, so new ones are not taken in: let another agent \
                     watch some of its devices, or find out what floods it"
                ),
                Capacity::Anomalies => format!(
                    "the site holds {held} of at most {limit} anomalies of the last 190 days, and {left_out} were not kept: close \
                     cases that are done, which makes room, look for a flood of forged addresses, and raise the thresholds of \
                     what is found again and again"
                ),
                Capacity::Devices => {
                    format!("the agent polls {held} of at most {limit} devices: let another agent poll the others")
                }
            },
        }
    }
}
