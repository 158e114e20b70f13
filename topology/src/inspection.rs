//! What a device tells of itself, as `onenet-agent inspect --json` prints it, and files of it: the evidence of a site.
//!
//! Format, JSON: `{"site": …, "anchor": MAC, "walks": [{"time": …, "devices": [{"id": …, …}]}]}`. A device is the object that
//! `inspect --json` prints, with an `id` of the writer's choice. Of it this is read: `system.name`, `identity.chassis_id`,
//! `bridge` (`address`, `stp_ports`), `interfaces`, `forwarding`, `addresses`, `neighbours`, `stations`, `vlans`, `port_vlans`,
//! `lag_members` and `own_addresses`. Tables and values may be absent or null; what is not known is passed over. A time is written after
//! RFC 3339, or as a number of seconds or milliseconds since 1970. An interface is known by its name, or by its ifIndex.
//!
//! Invariant: reading is total and bounded, and a name means the same port in all walks. Neither the order of walks, devices and
//! rows nor their repetition shows: walks go by their times, and two of one time are one walk.
//!
//! It does not know how the text of a file becomes these types, nor how devices are asked.

mod device;
mod lenient;
mod resolve;
mod site;

pub use device::{
    ArpRow, BridgeId, BridgeTold, DeviceTold, ForwardingRow, IdentityTold, InterfaceRow, LagRow, NeighbourRow,
    OwnAddressRow, PortVlanRow, RowStatus, StationRow, StpRow, SystemTold, VlanRow,
};
pub use resolve::{Claims, resolve};
pub use site::{EvidenceFile, EvidenceTooLarge, InvalidEvidence, Names, Walk};

#[cfg(test)]
mod tests;
