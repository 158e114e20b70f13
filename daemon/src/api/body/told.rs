//! What a device tells of itself beside its interfaces: its own addresses, next hops, spanning tree, VLANs, and what is peculiar
//! about its answers.
//!
//! Invariant: what several agents tell of one device is told once, as the newest of them has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use onenet_topology::{
    DeviceId, Timestamp, VlanSet,
    device::{Device, Handle},
    fact::{
        FactBody, ItemKey, Method, NextHop, OwnAddress, PortVlans, Quirk, SpanningTreePort, SpanningTreeState, Vlan,
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DeviceBody, given, time};
use crate::{
    access::View,
    estate::{Ruling, SiteState},
};

/// A device, with what it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceDetailBody {
    /// What lists of devices have too.
    #[serde(flatten)]
    pub device: DeviceBody,
    /// What agents tell of it, each under a name of its own. The first is the oldest, whose id is the device's.
    pub accounts: Vec<DeviceAccountBody>,
    /// What operators ruled of its accounts, and of others that are not its own.
    pub rulings: Vec<DeviceRulingBody>,
    /// Its own addresses.
    pub own_addresses: Vec<OwnAddressBody>,
    /// Whereto its routes lead, those of default routes first; routes themselves are not kept.
    pub next_hops: Vec<NextHopBody>,
    /// What it believes of the spanning tree; `null` where it does not tell.
    pub spanning_tree: Option<SpanningTreeBody>,
    /// Its VLANs; which port carries which is told by its interfaces.
    pub vlans: Vec<VlanBody>,
    /// Where its answers do not keep to the standards.
    pub quirks: Vec<QuirkBody>,
}

/// What one agent tells of a device under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceAccountBody {
    /// Its id.
    pub id: String,
    /// The agent.
    pub agent: String,
    /// The agent's name of the device.
    pub name: String,
}

/// What an operator ruled of two accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceRulingBody {
    /// The account of this device.
    pub account: String,
    /// The other account.
    pub other: String,
    /// `same` or `different`.
    pub verdict: &'static str,
    /// Who ruled.
    pub by: String,
    /// When.
    pub time: String,
    /// Why.
    pub reason: String,
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

/// A next hop of a device's routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextHopBody {
    /// The address.
    #[schema(example = "10.255.0.2")]
    pub ip: String,
    /// ifName of the way there; `null` where the device does not tell.
    pub interface: Option<String>,
    /// Whether a default route leads there.
    pub default_route: bool,
    /// The device of the site that has the address; `null` where none is known.
    pub device: Option<String>,
}

/// What a device believes of the spanning tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpanningTreeBody {
    /// The root's address.
    pub root: String,
    /// The root's priority.
    pub root_priority: u16,
    /// The cost of the way there; 0 on the root itself.
    pub root_cost: Option<u64>,
    /// ifName of the port that leads there; `null` on the root itself, or where it is not known.
    pub root_port: Option<String>,
    /// The ports at which another bridge is the designated one, or that pass nothing on.
    pub ports: Vec<SpanningTreePortBody>,
}

/// A port in the spanning tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpanningTreePortBody {
    /// ifName.
    pub interface: String,
    /// `blocking`, `listening`, `learning`, `forwarding` or `broken`; `null` where the device does not say.
    pub state: Option<&'static str>,
    /// The address of the segment's designated bridge.
    pub designated_bridge: Option<String>,
    /// The identifier of that bridge's port: a priority and a number.
    pub designated_port: Option<u16>,
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
        let own =
            |it: OwnAddress| OwnAddressBody { ip: it.ip.to_string(), prefix: prefix(&it), interface: it.interface };
        let quirk = |it: Quirk| QuirkBody { quirk: it.word, table: it.table, count: it.count };
        Self {
            device: DeviceBody::of(view, state, device),
            accounts: accounts(state, device),
            rulings: rulings(state, device),
            own_addresses: own_addresses(state, device).into_iter().map(own).collect(),
            next_hops: next_hops(state, device).into_iter().map(|it| hop(state, &it)).collect(),
            spanning_tree: spanning_tree(state, device),
            vlans: vlans(state, device)
                .into_iter()
                .map(|it| VlanBody { vlan: it.vlan, name: given(&it.name) })
                .collect(),
            quirks: quirks(state, device).into_iter().map(quirk).collect(),
        }
    }
}

fn accounts(state: &SiteState, device: &Device) -> Vec<DeviceAccountBody> {
    let account = |handle: &Handle| {
        Some(DeviceAccountBody {
            id: state.handles.get(handle)?.to_string(),
            agent: handle.agent.to_string(),
            name: handle.scope.to_string(),
        })
    };
    let mut accounts: Vec<DeviceAccountBody> = device.handles.iter().filter_map(account).collect();
    accounts.sort_by(|one, other| one.id.cmp(&other.id));
    accounts
}

fn rulings(state: &SiteState, device: &Device) -> Vec<DeviceRulingBody> {
    let own: BTreeSet<DeviceId> =
        device.handles.iter().filter_map(|handle| state.handles.get(handle).copied()).collect();
    let body = |((one, two), ruling): (&(DeviceId, DeviceId), &Arc<Ruling>)| {
        let (account, other) = if own.contains(one) { (one, two) } else { (two, one) };
        own.contains(account).then(|| DeviceRulingBody {
            account: account.to_string(),
            other: other.to_string(),
            verdict: if ruling.same { "same" } else { "different" },
            by: ruling.by.to_string(),
            time: time(ruling.time),
            reason: ruling.reason.clone(),
        })
    };
    state.rulings.iter().filter_map(body).collect()
}

/// Returns a device's own addresses, in their order.
pub(crate) fn own_addresses(state: &SiteState, device: &Device) -> Vec<OwnAddress> {
    newest(state, device, Method::SnmpOwnAddresses, |body| match body {
        FactBody::OwnAddress(it) => Some(it),
        _ => None,
    })
}

/// Returns whereto a device's routes lead, those of default routes first.
pub(crate) fn next_hops(state: &SiteState, device: &Device) -> Vec<NextHop> {
    let mut hops = newest(state, device, Method::SnmpRoutes, |body| match body {
        FactBody::NextHop(it) => Some(it),
        _ => None,
    });
    hops.sort_by_key(|it| (!it.default_route, it.ip));
    hops
}

/// Returns a next hop with the device that has the address, where the site has just one.
fn hop(state: &SiteState, it: &NextHop) -> NextHopBody {
    let has = |device: &Device| own_addresses(state, device).iter().any(|own| own.ip == it.ip);
    let mut owners = state.devices.values().filter(|device| has(device));
    let device = owners.next().filter(|_| owners.next().is_none()).map(|device| device.id.to_string());
    NextHopBody { ip: it.ip.to_string(), interface: given(&it.interface), default_route: it.default_route, device }
}

fn spanning_tree(state: &SiteState, device: &Device) -> Option<SpanningTreeBody> {
    let root = newest(state, device, Method::SnmpSpanningTree, |body| match body {
        FactBody::SpanningTree(it) => Some(it),
        _ => None,
    });
    let ports = newest(state, device, Method::SnmpSpanningTree, |body| match body {
        FactBody::SpanningTreePort(it) => Some(it),
        _ => None,
    });
    let port = |it: SpanningTreePort| SpanningTreePortBody {
        interface: it.interface,
        state: it.state.map(SpanningTreeState::name),
        designated_bridge: it.designated_bridge.map(|mac| mac.to_string()),
        designated_port: it.designated_port,
    };
    let root = root.first()?;
    Some(SpanningTreeBody {
        root: root.root.to_string(),
        root_priority: root.root_priority,
        root_cost: root.root_cost,
        root_port: given(&root.root_port),
        ports: ports.into_iter().map(port).collect(),
    })
}

/// Returns a device's VLANs, by number.
pub(crate) fn vlans(state: &SiteState, device: &Device) -> Vec<Vlan> {
    newest(state, device, Method::SnmpVlans, |body| match body {
        FactBody::Vlan(it) => Some(it),
        _ => None,
    })
}

/// Returns what is peculiar about a device, by word and table.
pub(crate) fn quirks(state: &SiteState, device: &Device) -> Vec<Quirk> {
    newest(state, device, Method::SnmpQuirks, |body| match body {
        FactBody::Quirk(it) => Some(it),
        _ => None,
    })
}

/// Returns the VLANs of a device's ports, by ifName.
pub(crate) fn port_vlans(state: &SiteState, device: &Device) -> BTreeMap<String, PortVlans> {
    let ports = newest(state, device, Method::SnmpVlans, |body| match body {
        FactBody::PortVlans(it) => Some(it),
        _ => None,
    });
    ports.into_iter().map(|it| (it.interface.clone(), it)).collect()
}

/// Returns a set of VLANs as engineers write it; `None` for an empty one.
pub(crate) fn written(set: &VlanSet) -> Option<String> {
    (!set.is_empty()).then(|| set.to_string())
}

/// Returns what is told of a device by a method, each thing once, as it was observed last.
fn newest<T>(state: &SiteState, device: &Device, method: Method, of: impl Fn(FactBody) -> Option<T>) -> Vec<T> {
    let mut newest: BTreeMap<ItemKey, (Timestamp, T)> = BTreeMap::new();
    for held in state.told(device, method) {
        let (key, observed) = (held.fact.body.key(), held.fact.observed);
        let Some(it) = of(held.fact.body) else { continue };
        if newest.get(&key).is_none_or(|(known, _)| observed > *known) {
            newest.insert(key, (observed, it));
        }
    }
    newest.into_values().map(|(_, it)| it).collect()
}
