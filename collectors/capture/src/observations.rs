//! What the pipeline knows, as the facts that an agent reports.
//!
//! Invariant: each fact carries the time at which its own evidence was last seen, not that of the endpoint.

use std::sync::Arc;

use onenet_topology::fact::{self, Fact, FactBody};

use crate::{FrameTime, facts::Method, inventory::EndpointState, neighbours::NeighbourState};

impl EndpointState {
    /// Returns all that is known of the endpoint as facts, each with the method it belongs to.
    pub fn facts(&self) -> Vec<(fact::Method, Fact)> {
        let mac = self.mac;
        let mut facts: Vec<_> = self
            .vlans
            .iter()
            .map(|seen| {
                let body = FactBody::Sighting(fact::Sighting { mac, vlan: seen.vlan });
                (fact::Method::PassiveFrames, observed(seen.last_seen, body))
            })
            .collect();
        for binding in &self.bindings {
            for known in group(&binding.evidence) {
                let body = FactBody::Binding(fact::Binding { mac, ip: binding.ip });
                facts.push((known.0, observed(known.1, body)));
            }
        }
        if let Some(last) = self.described() {
            let body = FactBody::Host(Box::new(fact::Host {
                mac,
                hostname: self.host.hostname.clone().unwrap_or_default(),
                vendor_class: self.host.vendor_class.clone().unwrap_or_default(),
                parameter_list: self.host.parameter_list.clone().unwrap_or_default(),
                client_id: self.host.client_id.clone().unwrap_or_default(),
            }));
            facts.push((fact::Method::PassiveDhcp, observed(last, body)));
        }
        // What follows from the address alone, the centre knows too.
        if !self.signs.is_empty() && !self.conclusion.is_empty() {
            let conclusion = Arc::clone(&self.conclusion);
            let body = FactBody::Classification(fact::Classification { mac, conclusion });
            facts.push((fact::Method::PassiveClassification, observed(self.concluded, body)));
        }
        facts
    }

    /// Returns when the endpoint last described itself.
    fn described(&self) -> Option<FrameTime> {
        self.evidence.iter().find(|known| known.method == Method::DhcpClient).map(|known| known.last)
    }
}

impl NeighbourState {
    /// Returns the neighbour as a fact; `interface` is where it was heard.
    pub fn fact(&self, interface: &str) -> Fact {
        let heard = &self.neighbour;
        let body = FactBody::Neighbour(Box::new(fact::Neighbour {
            protocol: heard.protocol,
            local_interface: interface.to_owned(),
            chassis_id: heard.chassis_id.clone(),
            port_id: heard.port_id.clone(),
            port_description: heard.port_description.clone().unwrap_or_default(),
            system_name: heard.system_name.clone().unwrap_or_default(),
            system_description: heard.system_description.clone().unwrap_or_default(),
            management_addresses: heard.management.clone(),
            capabilities: 0,
        }));
        observed(self.last_seen, body)
    }
}

impl Method {
    /// Returns the method under which an agent reports facts learned this way.
    pub const fn reported(self) -> fact::Method {
        match self {
            Self::Arp => fact::Method::PassiveArp,
            Self::NeighbourDiscovery => fact::Method::PassiveNd,
            Self::DhcpAck | Self::DhcpRequest | Self::DhcpClient | Self::Dhcpv6Client => fact::Method::PassiveDhcp,
            Self::Lldp | Self::Cdp | Self::SpanningTree => fact::Method::PassiveLldp,
            // None of these binds an address: what they tell is concluded from.
            Self::Frame
            | Self::IpSource
            | Self::Mdns
            | Self::Llmnr
            | Self::Netbios
            | Self::Ssdp
            | Self::WsDiscovery
            | Self::MakerDiscovery
            | Self::TcpOpening
            | Self::Application
            | Self::Hearsay => fact::Method::PassiveFrames,
        }
    }
}

/// Returns the last time of each reported method in a list of evidence.
fn group(evidence: &[crate::facts::Evidence]) -> Vec<(fact::Method, FrameTime)> {
    let mut groups: Vec<(fact::Method, FrameTime)> = Vec::new();
    for known in evidence {
        let method = known.method.reported();
        match groups.iter_mut().find(|(found, _)| *found == method) {
            Some((_, last)) => *last = known.last.max(*last),
            None => groups.push((method, known.last)),
        }
    }
    groups
}

fn observed(time: FrameTime, body: FactBody) -> Fact {
    Fact { observed: time.into(), body }
}
