//! The network interfaces of this host.
//!
//! The only file that names pnet's data link layer.

use ipnetwork::IpNetwork;
use onenet_topology::MacAddr;
use pnet::datalink::{self, NetworkInterface};
use serde::Serialize;

/// An interface of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "four flags that the system keeps independently")]
pub struct HostInterface {
    /// Its name.
    pub name: String,
    /// The system's number for it; another one after it was removed and added.
    pub index: u32,
    /// Its address, where it has one.
    pub mac: Option<MacAddr>,
    /// Its IP addresses with their prefix lengths.
    pub addresses: Vec<IpNetwork>,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether something is at the other end.
    pub running: bool,
    /// Whether it leads back to this host only.
    pub loopback: bool,
    /// Whether it has one peer and no broadcast.
    pub point_to_point: bool,
}

impl HostInterface {
    /// Returns the prefixes on this interface's segment: what [`crate::PipelineOptions::local`] asks for.
    pub fn local_prefixes(&self) -> Vec<IpNetwork> {
        let on_segment = |address: &&IpNetwork| !self.loopback && !self.point_to_point && address.prefix() > 0;
        let prefix = |address: &IpNetwork| IpNetwork::new(address.network(), address.prefix()).ok();
        self.addresses.iter().filter(on_segment).filter_map(prefix).collect()
    }

    /// Returns whether it is worth watching without being told: up, with a MAC address, and no loopback.
    pub fn is_watchable(&self) -> bool {
        self.up && !self.loopback && !self.point_to_point && self.mac.is_some()
    }
}

/// Returns this host's interfaces as they are now, in the system's order.
pub fn list() -> Vec<HostInterface> {
    datalink::interfaces().into_iter().map(from_system).collect()
}

/// Returns the interface of that name as it is now.
pub fn find(name: &str) -> Option<HostInterface> {
    list().into_iter().find(|interface| interface.name == name)
}

fn from_system(interface: NetworkInterface) -> HostInterface {
    HostInterface {
        up: interface.is_up(),
        running: interface.is_running(),
        loopback: interface.is_loopback(),
        point_to_point: interface.is_point_to_point(),
        mac: interface.mac.map(|mac| MacAddr(mac.octets())).filter(|mac| *mac != MacAddr::ZERO),
        addresses: interface
            .ips
            .iter()
            .filter_map(|address| IpNetwork::new(address.ip(), address.prefix()).ok())
            .collect(),
        name: interface.name,
        index: interface.index,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_listed_and_not_watched() {
        let loopback = list().into_iter().find(|interface| interface.loopback).expect("every host has one");
        assert!(!loopback.is_watchable());
        assert!(loopback.local_prefixes().is_empty());
        assert_eq!(find(&loopback.name).map(|found| found.index), Some(loopback.index));
    }
}
