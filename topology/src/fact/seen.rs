//! What an agent sees on the wire, and what it says of itself.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{MacAddr, classify::Conclusion};

/// The source address of a frame on the local segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sighting {
    /// The address.
    pub mac: MacAddr,
    /// The VLAN, `None` for untagged frames.
    pub vlan: Option<u16>,
}

/// A MAC-to-IP fact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Binding {
    /// The MAC address.
    pub mac: MacAddr,
    /// The IP address.
    pub ip: IpAddr,
}

/// What a host says of itself (RFC 2132 options 12, 60, 55, 61).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Host {
    /// The MAC address.
    pub mac: MacAddr,
    /// Host name.
    pub hostname: String,
    /// Vendor class identifier.
    pub vendor_class: String,
    /// Parameter request list, in the order asked: it tells operating systems apart.
    pub parameter_list: Vec<u8>,
    /// Client identifier.
    pub client_id: Vec<u8>,
}

/// What an endpoint was concluded to be, from what it was heard saying. Its fact was observed when that became so.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Classification {
    /// The MAC address.
    pub mac: MacAddr,
    /// What follows, with the signs for and against.
    pub conclusion: Arc<Conclusion>,
}

/// A card of an agent that broadcasts in its VLAN more often than tables forget, so that every switch there has learned it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Anchor {
    /// The agent's name of the interface.
    pub interface: String,
    /// The address.
    pub mac: MacAddr,
    /// The VLAN of a tagged interface.
    pub vlan: Option<u16>,
}

/// Something that keeps the agent from its work, as long as it holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Condition {
    /// What is wrong.
    pub kind: ConditionKind,
    /// With what: an interface, a device, a lane.
    pub subject: String,
    /// What happened and what to do about it.
    pub detail: String,
}

/// What can keep an agent from its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// An interface cannot be captured.
    CaptureFailed,
    /// The kernel dropped frames.
    CaptureLoss,
    /// A cap of the spool cost history.
    SpoolLoss,
    /// The spool cannot be written.
    DiskFull,
    /// A configuration from the centre was not applied.
    ConfigurationRefused,
    /// A poll cycle ended after its interval.
    CycleLate,
    /// A table is at its capacity and evicts.
    TableFull,
    /// A device's table could not be read whole.
    TableUnreadable,
    /// The centre refused a batch, which was set aside.
    BatchRejected,
    /// A device answers several times slower than it used to, and is asked less often.
    DeviceSlow,
    /// Traps cannot be received.
    TrapsFailed,
    /// Discovery or a sweep cannot do its work.
    DiscoveryFailed,
    /// The process has rights that it was to give up.
    RightsKept,
    /// What is captured is not what the mirrored ports counted.
    CaptureDiffers,
    /// Sequence numbers of TCP show that packets were not captured.
    CaptureGaps,
    /// Flows that ended were not kept.
    FlowsLost,
}
