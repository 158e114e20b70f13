//! Links: two joined ends, and why they are believed to be joined.
//!
//! Invariant: a link names its ends in a fixed order, so that one cable is one link whoever reports it; evidence from
//! either end is kept, and a link that only one end tells of says so.
//!
//! It does not know how neighbours are heard.

use serde::{Deserialize, Serialize};

use crate::{AgentId, DeviceId, InterfaceId, Timestamp, fact::Method};

/// One end of a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum LinkEnd {
    /// A port of a managed device.
    Interface {
        /// The device.
        device: DeviceId,
        /// The port; `None` when only the device could be told.
        interface: Option<InterfaceId>,
        /// Its ifName, or what the neighbour calls the port.
        name: String,
    },
    /// A port of an agent's own machine.
    Agent {
        /// The agent.
        agent: AgentId,
        /// The port's name there.
        interface: String,
    },
    /// Something that is not polled, as it names itself.
    Unmanaged {
        /// Its chassis id.
        chassis_id: String,
        /// Its port id.
        port_id: String,
        /// Its system name.
        system_name: String,
    },
}

/// Why a link is believed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkEvidence {
    /// Who says so.
    pub agent: AgentId,
    /// By which method.
    pub method: Method,
    /// The device that heard its neighbour.
    pub heard_by: Option<DeviceId>,
    /// When it was last verified.
    pub observed: Timestamp,
}

/// Two joined ends within a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The end that comes first in order.
    pub a: LinkEnd,
    /// The other end.
    pub b: LinkEnd,
    /// Why it is believed, in order.
    pub evidence: Vec<LinkEvidence>,
}

impl Link {
    /// Returns the link between two ends given in any order.
    pub fn new(one: LinkEnd, other: LinkEnd, evidence: LinkEvidence) -> Self {
        let (a, b) = if one <= other { (one, other) } else { (other, one) };
        Self { a, b, evidence: vec![evidence] }
    }

    /// Returns whether both ends tell of the link.
    pub fn is_two_sided(&self) -> bool {
        let mut heard_by: Vec<_> = self.evidence.iter().filter_map(|it| it.heard_by).collect();
        heard_by.sort_unstable();
        heard_by.dedup();
        heard_by.len() > 1
    }

    /// Returns how sure it is, between 0 and 1: two-sided evidence is stronger than one-sided.
    pub fn confidence(&self) -> f64 {
        if self.is_two_sided() { 0.98 } else { 0.85 }
    }
}
