//! National indexes: ways to find an endpoint without knowing its site, and the agents of a site without looking at all.
//!
//! Invariant: the indexes hold exactly the addresses of the endpoints in the estate, and its agents. They hold keys and ids, no
//! endpoint, so that they stay small; who is found by a part of a name or an address is a matter of [`super::Words`].

use std::{collections::BTreeSet, net::IpAddr};

use imbl::OrdMap;
use onenet_topology::{
    AgentId, DeviceId, EndpointId, InterfaceId, MacAddr, SiteId, SpaceId, device::Device, endpoint::Endpoint,
};

use super::Agent;

/// Ways to find an endpoint without knowing its site.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Indexes {
    /// The agents of each site.
    pub site_agents: OrdMap<(SiteId, AgentId), ()>,
    /// The site of each endpoint.
    pub endpoint_sites: OrdMap<EndpointId, SiteId>,
    /// The site of each device.
    pub device_sites: OrdMap<DeviceId, SiteId>,
    /// The device of each interface.
    pub interface_devices: OrdMap<InterfaceId, DeviceId>,
    /// By MAC address; one address can be at several sites.
    pub macs: OrdMap<(MacAddr, EndpointId), ()>,
    /// By IP address within its space: those that some agent still holds.
    pub addresses: OrdMap<(SpaceId, IpAddr, EndpointId), ()>,
}

impl Indexes {
    /// Returns the agents of a site, in order.
    pub fn agents_of(&self, site: SiteId) -> impl Iterator<Item = AgentId> {
        let first = (site, AgentId::from_raw(0));
        self.site_agents.range(first..).map(|(key, ())| *key).take_while(move |(of, _)| *of == site).map(|(_, id)| id)
    }

    /// Puts an agent to its site, and takes it from the one that it was at.
    pub(super) fn replace_agent(&mut self, old: Option<SiteId>, agent: &Agent) {
        if old == Some(agent.site) {
            return;
        }
        if let Some(old) = old {
            self.site_agents.remove(&(old, agent.id));
        }
        self.site_agents.insert((agent.site, agent.id), ());
    }

    /// Returns the endpoints of this MAC address.
    pub fn by_mac(&self, mac: MacAddr) -> impl Iterator<Item = EndpointId> {
        let first = (mac, EndpointId::from_raw(0));
        self.macs.range(first..).map(|(key, ())| *key).take_while(move |(it, _)| *it == mac).map(|(_, id)| id)
    }

    /// Returns the endpoints that have this address.
    pub fn by_address(&self, space: SpaceId, ip: IpAddr) -> impl Iterator<Item = EndpointId> {
        let first = (space, ip, EndpointId::from_raw(0));
        let found = self.addresses.range(first..).map(|(key, ())| *key);
        found.take_while(move |(in_space, it, _)| *in_space == space && *it == ip).map(|(_, _, id)| id)
    }

    /// Replaces what is indexed of a device. Interfaces never leave a device: what is gone stays as past.
    pub(super) fn replace_device(&mut self, site: SiteId, old: Option<&Device>, new: &Device) {
        self.device_sites.insert(new.id, site);
        let known: BTreeSet<InterfaceId> = old.iter().flat_map(|it| it.interfaces.iter().map(|it| it.id)).collect();
        for interface in new.interfaces.iter().filter(|it| !known.contains(&it.id)) {
            self.interface_devices.insert(interface.id, new.id);
        }
    }

    /// Replaces what is indexed of an endpoint.
    pub(super) fn replace(&mut self, site: SiteId, old: Option<&Endpoint>, new: Option<&Endpoint>) {
        let Some(id) = new.or(old).map(|endpoint| endpoint.id) else { return };
        match new {
            Some(_) => self.endpoint_sites.insert(id, site),
            None => self.endpoint_sites.remove(&id),
        };
        let mac = |it: Option<&Endpoint>| it.map(|endpoint| (endpoint.mac, id)).into_iter().collect();
        differ(&mut self.macs, &mac(old), mac(new));
        let bound = |it: Option<&Endpoint>| it.into_iter().flat_map(addresses).collect();
        differ(&mut self.addresses, &bound(old), bound(new));
    }
}

/// Returns whether an endpoint is indexed under other addresses than before.
pub(super) fn is_indexed_otherwise(old: &Endpoint, new: &Endpoint) -> bool {
    old.mac != new.mac || !addresses(old).eq(addresses(new))
}

fn addresses(endpoint: &Endpoint) -> impl Iterator<Item = (SpaceId, IpAddr, EndpointId)> {
    endpoint.current_addresses().map(|bound| (bound.space, bound.ip, endpoint.id))
}

fn differ<K: Ord + Clone>(index: &mut OrdMap<K, ()>, old: &BTreeSet<K>, new: BTreeSet<K>) {
    for key in old.difference(&new) {
        index.remove(key);
    }
    for key in new {
        if !old.contains(&key) {
            index.insert(key, ());
        }
    }
}
