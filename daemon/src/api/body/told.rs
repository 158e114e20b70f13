//! What a device tells of itself beside its interfaces: its own addresses, its VLANs, and what is peculiar about its answers.
//!
//! Invariant: what several agents tell of one device is told once, as the newest of them has it.

use std::collections::BTreeMap;

use onenet_topology::{
    Timestamp, VlanSet,
    device::Device,
    fact::{FactBody, ItemKey, Method, OwnAddress, PortVlans, Quirk, Vlan},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DeviceBody, given};
use crate::{access::View, estate::SiteState};

/// A device, with what it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceDetailBody {
    /// What lists of devices have too.
    #[serde(flatten)]
    pub device: DeviceBody,
    /// Its own addresses.
    pub own_addresses: Vec<OwnAddressBody>,
    /// Its VLANs; which port carries which is told by its interfaces.
    pub vlans: Vec<VlanBody>,
    /// Where its answers do not keep to the standards.
    pub quirks: Vec<QuirkBody>,
}

/// An address of a device itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnAddressBody {
    /// The address.
    #[schema(example = "10.13.1.1")]
    pub ip: String,
    /// The prefix that it is connected to by it; `null` where it does not tell.
    #[schema(example = "10.13.1.0/24")]
    pub prefix: Option<String>,
    /// ifName of the interface that has it.
    pub interface: String,
}

/// A VLAN of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VlanBody {
    /// Its number.
    pub vlan: u16,
    /// Its name there.
    pub name: Option<String>,
}

/// Something peculiar about a device's answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuirkBody {
    /// The stable word for it.
    #[schema(example = "bridge_port_unknown")]
    pub quirk: String,
    /// The table where it shows, by the name in its MIB; `device` where it is not a table's.
    #[schema(example = "dot1dTpFdbTable")]
    pub table: String,
    /// In how many rows, names or values, about; `null` where it is not counted.
    pub count: Option<u64>,
}

impl DeviceDetailBody {
    /// Returns a device as the view shows it.
    pub fn of(view: &View, state: &SiteState, device: &Device) -> Self {
        let prefix = |it: &OwnAddress| {
            let network = ipnetwork::IpNetwork::new(it.ip, it.prefix_bits?).ok()?;
            Some(format!("{}/{}", network.network(), network.prefix()))
        };
        let own = |it: &OwnAddress| OwnAddressBody {
            ip: it.ip.to_string(),
            prefix: prefix(it),
            interface: it.interface.clone(),
        };
        let quirk = |it: &Quirk| QuirkBody { quirk: it.word.clone(), table: it.table.clone(), count: it.count };
        Self {
            device: DeviceBody::of(view, state, device),
            own_addresses: own_addresses(state, device).into_iter().map(own).collect(),
            vlans: vlans(state, device)
                .into_iter()
                .map(|it| VlanBody { vlan: it.vlan, name: given(&it.name) })
                .collect(),
            quirks: quirks(state, device).into_iter().map(quirk).collect(),
        }
    }
}

/// Returns a device's own addresses, in their order.
pub(crate) fn own_addresses<'s>(state: &'s SiteState, device: &Device) -> Vec<&'s OwnAddress> {
    newest(state, device, Method::SnmpOwnAddresses, |body| match body {
        FactBody::OwnAddress(it) => Some(it),
        _ => None,
    })
}

/// Returns a device's VLANs, by number.
pub(crate) fn vlans<'s>(state: &'s SiteState, device: &Device) -> Vec<&'s Vlan> {
    newest(state, device, Method::SnmpVlans, |body| match body {
        FactBody::Vlan(it) => Some(it),
        _ => None,
    })
}

/// Returns what is peculiar about a device, by word and table.
pub(crate) fn quirks<'s>(state: &'s SiteState, device: &Device) -> Vec<&'s Quirk> {
    newest(state, device, Method::SnmpQuirks, |body| match body {
        FactBody::Quirk(it) => Some(it),
        _ => None,
    })
}

/// Returns the VLANs of a device's ports, by ifName.
pub(crate) fn port_vlans<'s>(state: &'s SiteState, device: &Device) -> BTreeMap<&'s str, &'s PortVlans> {
    let ports = newest(state, device, Method::SnmpVlans, |body| match body {
        FactBody::PortVlans(it) => Some(it),
        _ => None,
    });
    ports.into_iter().map(|it| (it.interface.as_str(), it)).collect()
}

/// Returns a set of VLANs as engineers write it; `None` for an empty one.
pub(crate) fn written(set: &VlanSet) -> Option<String> {
    (!set.is_empty()).then(|| set.to_string())
}

/// Returns what is told of a device by a method, each thing once, as it was observed last.
fn newest<'s, T>(
    state: &'s SiteState,
    device: &Device,
    method: Method,
    of: impl Fn(&'s FactBody) -> Option<&'s T>,
) -> Vec<&'s T> {
    let mut newest: BTreeMap<ItemKey, (Timestamp, &'s T)> = BTreeMap::new();
    for held in state.told(device, method) {
        let Some(it) = of(&held.fact.body) else { continue };
        let known = newest.entry(held.fact.body.key()).or_insert((held.fact.observed, it));
        if held.fact.observed > known.0 {
            *known = (held.fact.observed, it);
        }
    }
    newest.into_values().map(|(_, it)| it).collect()
}
