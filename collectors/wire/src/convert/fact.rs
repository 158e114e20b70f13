//! Facts and their keys.

use onenet_topology::{
    Timestamp,
    fact::{
        Address, Binding, Condition, Entity, Fact, FactBody, FactChange, Forwarding, Group, Host, Identification,
        Interface, ItemKey, Neighbour, Reach, Scope, Sensor, Sighting, Station, System,
    },
};
use v1::fact_change::Body;

use super::{
    check::{self, bytes, enumerated, ip, ip_bytes, mac, name, optional_enumerated, optional_mac, text, vlan},
    classification, joining, network, probe,
};
use crate::{
    Invalid, Problem,
    limits::{MANAGEMENT_ADDRESSES, OPAQUE_BYTES, SCOPE_BYTES, TEXT_BYTES},
    v1,
};

/// Returns the group of a method and scope.
pub(super) fn group(method: i32, scope: String) -> Result<Group, Invalid> {
    let method = enumerated::<v1::Method, _>("method", method)?;
    Ok(Group { method, scope: Scope::new(&text("scope", scope, SCOPE_BYTES)?) })
}

/// Returns the change as the wire has it, its age taken at `closed`.
pub(super) fn change_to_wire(change: &FactChange, closed: Timestamp) -> v1::FactChange {
    let age_ms = age_at(change.observed(), closed);
    match change {
        FactChange::Present(fact) => v1::FactChange { age_ms, gone: false, body: Some((&fact.body).into()) },
        FactChange::Gone { key, .. } => v1::FactChange { age_ms, gone: true, body: Some(key.into()) },
    }
}

/// Returns the age of `time` at `closed` in milliseconds; what is later has no age.
pub(super) fn age_at(time: Timestamp, closed: Timestamp) -> u64 {
    u64::try_from(closed.ms_since(time)).unwrap_or(0).min(crate::limits::AGE_MS)
}

/// Returns the change, its time counted back from `closed`.
pub(super) fn change(change: v1::FactChange, closed: Timestamp) -> Result<FactChange, Invalid> {
    let observed = closed.plus_ms(-check::age("age_ms", change.age_ms)?);
    if change.gone {
        return Ok(FactChange::Gone { key: item_key(change.body)?, observed });
    }
    Ok(FactChange::Present(Fact { observed, body: fact_body(change.body)? }))
}

/// Returns a fact's body.
pub(crate) fn fact_body(body: Option<Body>) -> Result<FactBody, Invalid> {
    match check::required("body", body)? {
        Body::Reach(it) => reach(it).map(FactBody::Reach).map_err(|e| e.within("reach")),
        Body::System(it) => system(it).map(Box::new).map(FactBody::System).map_err(|e| e.within("system")),
        Body::Interface(it) => interface(it).map(FactBody::Interface).map_err(|e| e.within("interface")),
        Body::Forwarding(it) => forwarding(it).map(FactBody::Forwarding).map_err(|e| e.within("forwarding")),
        Body::Address(it) => address(it).map(FactBody::Address).map_err(|e| e.within("address")),
        Body::Neighbour(it) => neighbour(it).map(Box::new).map(FactBody::Neighbour).map_err(|e| e.within("neighbour")),
        Body::Entity(it) => entity(it).map(Box::new).map(FactBody::Entity).map_err(|e| e.within("entity")),
        Body::Sighting(it) => sighting(&it).map(FactBody::Sighting).map_err(|e| e.within("sighting")),
        Body::Binding(it) => binding(&it).map(FactBody::Binding).map_err(|e| e.within("binding")),
        Body::Host(it) => host(it).map(Box::new).map(FactBody::Host).map_err(|e| e.within("host")),
        Body::Condition(it) => condition(it).map(FactBody::Condition).map_err(|e| e.within("condition")),
        Body::Identification(it) => {
            identification(it).map(Box::new).map(FactBody::Identification).map_err(|e| e.within("identification"))
        }
        Body::Sensor(it) => sensor(it).map(FactBody::Sensor).map_err(|e| e.within("sensor")),
        Body::Station(it) => wireless_station(it).map(FactBody::Station).map_err(|e| e.within("station")),
        Body::Aggregation(it) => {
            joining::aggregation(it).map(FactBody::Aggregation).map_err(|e| e.within("aggregation"))
        }
        Body::Vlan(it) => network::vlan(it).map(FactBody::Vlan).map_err(|e| e.within("vlan")),
        Body::PortVlans(it) => network::port_vlans(it).map(FactBody::PortVlans).map_err(|e| e.within("port_vlans")),
        Body::OwnAddress(it) => network::own_address(it).map(FactBody::OwnAddress).map_err(|e| e.within("own_address")),
        Body::Quirk(it) => network::quirk(it).map(FactBody::Quirk).map_err(|e| e.within("quirk")),
        Body::Classification(it) => {
            classification::read(it).map(FactBody::Classification).map_err(|e| e.within("classification"))
        }
        Body::Probe(it) => probe::probe(it).map(Box::new).map(FactBody::Probe).map_err(|e| e.within("probe")),
        Body::SpanningTree(it) => {
            joining::spanning_tree(it).map(FactBody::SpanningTree).map_err(|e| e.within("spanning_tree"))
        }
        Body::SpanningTreePort(it) => {
            joining::spanning_tree_port(it).map(FactBody::SpanningTreePort).map_err(|e| e.within("spanning_tree_port"))
        }
        Body::NextHop(it) => joining::next_hop(it).map(FactBody::NextHop).map_err(|e| e.within("next_hop")),
        Body::Anchor(it) => joining::anchor(it).map(FactBody::Anchor).map_err(|e| e.within("anchor")),
    }
}

/// Returns the key that a body's key fields name; the other fields are not looked at.
pub(crate) fn item_key(body: Option<Body>) -> Result<ItemKey, Invalid> {
    match check::required("body", body)? {
        Body::Reach(_) => Ok(ItemKey::Reach),
        Body::System(_) => Ok(ItemKey::System),
        Body::Interface(it) => {
            name("name", it.name).map(|name| ItemKey::Interface { name }).map_err(|e| e.within("interface"))
        }
        Body::Forwarding(it) => station(&it.mac, it.vlan)
            .map(|(mac, vlan)| ItemKey::Forwarding { mac, vlan })
            .map_err(|e| e.within("forwarding")),
        Body::Address(it) => address_key(it).map_err(|e| e.within("address")),
        Body::Neighbour(it) => neighbour_key(it).map_err(|e| e.within("neighbour")),
        Body::Entity(it) => Ok(ItemKey::Entity { index: it.index }),
        Body::Sighting(it) => {
            sighting(&it).map(|it| ItemKey::Sighting { mac: it.mac, vlan: it.vlan }).map_err(|e| e.within("sighting"))
        }
        Body::Binding(it) => {
            binding(&it).map(|it| ItemKey::Binding { mac: it.mac, ip: it.ip }).map_err(|e| e.within("binding"))
        }
        Body::Host(it) => mac("mac", &it.mac).map(|mac| ItemKey::Host { mac }).map_err(|e| e.within("host")),
        Body::Condition(it) => condition_key(it).map_err(|e| e.within("condition")),
        Body::Identification(_) => Ok(ItemKey::Identification),
        Body::Sensor(it) => sensor_key(it).map_err(|e| e.within("sensor")),
        Body::Station(it) => mac("mac", &it.mac).map(|mac| ItemKey::Station { mac }).map_err(|e| e.within("station")),
        Body::Aggregation(it) => {
            name("member", it.member).map(|member| ItemKey::Aggregation { member }).map_err(|e| e.within("aggregation"))
        }
        Body::Vlan(it) => {
            network::vlan_number(it.vlan).map(|vlan| ItemKey::Vlan { vlan }).map_err(|e| e.within("vlan"))
        }
        Body::PortVlans(it) => name("interface", it.interface)
            .map(|interface| ItemKey::PortVlans { interface })
            .map_err(|e| e.within("port_vlans")),
        Body::OwnAddress(it) => own_address_key(it).map_err(|e| e.within("own_address")),
        Body::Quirk(it) => quirk_key(it).map_err(|e| e.within("quirk")),
        Body::Classification(it) => {
            mac("mac", &it.mac).map(|mac| ItemKey::Classification { mac }).map_err(|e| e.within("classification"))
        }
        Body::Probe(it) => probe::key(it).map_err(|e| e.within("probe")),
        Body::SpanningTree(_) => Ok(ItemKey::SpanningTree),
        Body::SpanningTreePort(it) => name("interface", it.interface)
            .map(|interface| ItemKey::SpanningTreePort { interface })
            .map_err(|e| e.within("spanning_tree_port")),
        Body::NextHop(it) => joining::next_hop(it)
            .map(|it| ItemKey::NextHop { ip: it.ip, interface: it.interface })
            .map_err(|e| e.within("next_hop")),
        Body::Anchor(it) => name("interface", it.interface)
            .map(|interface| ItemKey::Anchor { interface })
            .map_err(|e| e.within("anchor")),
    }
}

fn address_key(it: v1::Address) -> Result<ItemKey, Invalid> {
    Ok(ItemKey::Address { ip: ip("ip", &it.ip)?, interface: name("interface", it.interface)? })
}

fn neighbour_key(it: v1::Neighbour) -> Result<ItemKey, Invalid> {
    Ok(ItemKey::Neighbour {
        protocol: enumerated::<v1::NeighbourProtocol, _>("protocol", it.protocol)?,
        local_interface: name("local_interface", it.local_interface)?,
        chassis_id: name("chassis_id", it.chassis_id)?,
        port_id: name("port_id", it.port_id)?,
    })
}

fn condition_key(it: v1::Condition) -> Result<ItemKey, Invalid> {
    Ok(ItemKey::Condition {
        kind: enumerated::<v1::ConditionKind, _>("kind", it.kind)?,
        subject: name("subject", it.subject)?,
    })
}

fn sensor_key(it: v1::Sensor) -> Result<ItemKey, Invalid> {
    Ok(ItemKey::Sensor { kind: enumerated::<v1::SensorKind, _>("kind", it.kind)?, name: name("name", it.name)? })
}

fn own_address_key(it: v1::OwnAddress) -> Result<ItemKey, Invalid> {
    Ok(ItemKey::OwnAddress { ip: ip("ip", &it.ip)?, interface: name("interface", it.interface)? })
}

fn quirk_key(it: v1::Quirk) -> Result<ItemKey, Invalid> {
    Ok(ItemKey::Quirk { word: name("word", it.word)?, table: name("table", it.table)? })
}

fn station(address: &[u8], number: u32) -> Result<(onenet_topology::MacAddr, Option<u16>), Invalid> {
    Ok((mac("mac", address)?, vlan(number)?))
}

fn reach(it: v1::Reach) -> Result<Reach, Invalid> {
    Ok(Reach {
        state: enumerated::<v1::ReachState, _>("state", it.state)?,
        detail: text("detail", it.detail, TEXT_BYTES)?,
        target: name("target", it.target)?,
    })
}

fn system(it: v1::System) -> Result<System, Invalid> {
    Ok(System {
        name: name("name", it.name)?,
        description: text("description", it.description, TEXT_BYTES)?,
        object_id: name("object_id", it.object_id)?,
        contact: name("contact", it.contact)?,
        location: name("location", it.location)?,
        bridge_mac: optional_mac("bridge_mac", &it.bridge_mac)?,
        engine_id: bytes("engine_id", it.engine_id, OPAQUE_BYTES)?,
        chassis_id: name("chassis_id", it.chassis_id)?,
    })
}

fn interface(it: v1::Interface) -> Result<Interface, Invalid> {
    Ok(Interface {
        name: name("name", it.name)?,
        if_index: it.if_index,
        alias: name("alias", it.alias)?,
        if_type: it.if_type,
        mac: optional_mac("mac", &it.mac)?,
        speed_bps: it.speed_bps,
        admin: enumerated::<v1::InterfaceStatus, _>("admin", it.admin)?,
        oper: enumerated::<v1::InterfaceStatus, _>("oper", it.oper)?,
        full_duplex: it.full_duplex,
        last_change_s: it.last_change_s,
    })
}

fn forwarding(it: v1::Forwarding) -> Result<Forwarding, Invalid> {
    let (mac, vlan) = station(&it.mac, it.vlan)?;
    Ok(Forwarding {
        mac,
        vlan,
        interface: Some(name("interface", it.interface)?).filter(|name| !name.is_empty()),
        bridge_port: it.bridge_port,
        status: enumerated::<v1::ForwardingStatus, _>("status", it.status)?,
    })
}

fn address(it: v1::Address) -> Result<Address, Invalid> {
    Ok(Address { ip: ip("ip", &it.ip)?, interface: name("interface", it.interface)?, mac: mac("mac", &it.mac)? })
}

fn neighbour(it: v1::Neighbour) -> Result<Neighbour, Invalid> {
    check::count("management_addresses", it.management_addresses.len(), MANAGEMENT_ADDRESSES)?;
    let addresses = it.management_addresses.iter().enumerate();
    Ok(Neighbour {
        protocol: enumerated::<v1::NeighbourProtocol, _>("protocol", it.protocol)?,
        local_interface: name("local_interface", it.local_interface)?,
        chassis_id: name("chassis_id", it.chassis_id)?,
        port_id: name("port_id", it.port_id)?,
        port_description: name("port_description", it.port_description)?,
        system_name: name("system_name", it.system_name)?,
        system_description: text("system_description", it.system_description, TEXT_BYTES)?,
        management_addresses: addresses
            .map(|(index, address)| ip(&format!("management_addresses[{index}]"), address))
            .collect::<Result<_, _>>()?,
        capabilities: joining::short("capabilities", it.capabilities)?,
    })
}

fn entity(it: v1::Entity) -> Result<Entity, Invalid> {
    Ok(Entity {
        index: it.index,
        class: it.class,
        name: name("name", it.name)?,
        description: text("description", it.description, TEXT_BYTES)?,
        serial: name("serial", it.serial)?,
        model: name("model", it.model)?,
        software_revision: name("software_revision", it.software_revision)?,
    })
}

fn sighting(it: &v1::Sighting) -> Result<Sighting, Invalid> {
    station(&it.mac, it.vlan).map(|(mac, vlan)| Sighting { mac, vlan })
}

fn binding(it: &v1::Binding) -> Result<Binding, Invalid> {
    Ok(Binding { mac: mac("mac", &it.mac)?, ip: ip("ip", &it.ip)? })
}

fn host(it: v1::Host) -> Result<Host, Invalid> {
    Ok(Host {
        mac: mac("mac", &it.mac)?,
        hostname: name("hostname", it.hostname)?,
        vendor_class: name("vendor_class", it.vendor_class)?,
        parameter_list: bytes("parameter_list", it.parameter_list, OPAQUE_BYTES)?,
        client_id: bytes("client_id", it.client_id, OPAQUE_BYTES)?,
    })
}

fn condition(it: v1::Condition) -> Result<Condition, Invalid> {
    Ok(Condition {
        kind: enumerated::<v1::ConditionKind, _>("kind", it.kind)?,
        subject: name("subject", it.subject)?,
        detail: text("detail", it.detail, TEXT_BYTES)?,
    })
}

fn identification(it: v1::Identification) -> Result<Identification, Invalid> {
    Ok(Identification {
        vendor: name("vendor", it.vendor)?,
        model: name("model", it.model)?,
        os: name("os", it.os)?,
        version: name("version", it.version)?,
        serial: name("serial", it.serial)?,
        role: optional_enumerated::<v1::Role, _>("role", it.role)?,
    })
}

fn sensor(it: v1::Sensor) -> Result<Sensor, Invalid> {
    Ok(Sensor {
        kind: enumerated::<v1::SensorKind, _>("kind", it.kind)?,
        name: name("name", it.name)?,
        state: optional_enumerated::<v1::SensorState, _>("state", it.state)?,
    })
}

fn wireless_station(it: v1::Station) -> Result<Station, Invalid> {
    let (mac, vlan) = station(&it.mac, it.vlan)?;
    Ok(Station { mac, access_point: name("access_point", it.access_point)?, ssid: name("ssid", it.ssid)?, vlan })
}

impl From<&FactBody> for Body {
    fn from(body: &FactBody) -> Self {
        match body {
            FactBody::Reach(it) => Self::Reach(v1::Reach {
                state: v1::ReachState::from(it.state).into(),
                detail: it.detail.clone(),
                target: it.target.clone(),
            }),
            FactBody::System(it) => Self::System(it.as_ref().into()),
            FactBody::Interface(it) => Self::Interface(it.into()),
            FactBody::Forwarding(it) => Self::Forwarding(v1::Forwarding {
                mac: it.mac.0.to_vec(),
                vlan: it.vlan.unwrap_or(0).into(),
                interface: it.interface.clone().unwrap_or_default(),
                bridge_port: it.bridge_port,
                status: v1::ForwardingStatus::from(it.status).into(),
            }),
            FactBody::Address(it) => Self::Address(v1::Address {
                ip: ip_bytes(it.ip),
                interface: it.interface.clone(),
                mac: it.mac.0.to_vec(),
            }),
            FactBody::Neighbour(it) => Self::Neighbour(it.as_ref().into()),
            FactBody::Entity(it) => Self::Entity(it.as_ref().into()),
            FactBody::Sighting(it) => {
                Self::Sighting(v1::Sighting { mac: it.mac.0.to_vec(), vlan: it.vlan.unwrap_or(0).into() })
            }
            FactBody::Binding(it) => Self::Binding(v1::Binding { mac: it.mac.0.to_vec(), ip: ip_bytes(it.ip) }),
            FactBody::Host(it) => Self::Host(v1::Host {
                mac: it.mac.0.to_vec(),
                hostname: it.hostname.clone(),
                vendor_class: it.vendor_class.clone(),
                parameter_list: it.parameter_list.clone(),
                client_id: it.client_id.clone(),
            }),
            FactBody::Condition(it) => Self::Condition(v1::Condition {
                kind: v1::ConditionKind::from(it.kind).into(),
                subject: it.subject.clone(),
                detail: it.detail.clone(),
            }),
            FactBody::Identification(it) => Self::Identification(it.as_ref().into()),
            FactBody::Sensor(it) => Self::Sensor(v1::Sensor {
                kind: v1::SensorKind::from(it.kind).into(),
                name: it.name.clone(),
                state: it.state.map_or(0, |state| v1::SensorState::from(state).into()),
            }),
            FactBody::Station(it) => Self::Station(v1::Station {
                mac: it.mac.0.to_vec(),
                access_point: it.access_point.clone(),
                ssid: it.ssid.clone(),
                vlan: it.vlan.unwrap_or(0).into(),
            }),
            FactBody::Aggregation(it) => Self::Aggregation(it.into()),
            FactBody::Vlan(it) => Self::Vlan(it.into()),
            FactBody::PortVlans(it) => Self::PortVlans(it.into()),
            FactBody::OwnAddress(it) => Self::OwnAddress(it.into()),
            FactBody::Quirk(it) => Self::Quirk(it.into()),
            FactBody::Classification(it) => Self::Classification(it.into()),
            FactBody::Probe(it) => Self::Probe(it.as_ref().into()),
            FactBody::SpanningTree(it) => Self::SpanningTree(it.into()),
            FactBody::SpanningTreePort(it) => Self::SpanningTreePort(it.into()),
            FactBody::NextHop(it) => Self::NextHop(it.into()),
            FactBody::Anchor(it) => Self::Anchor(it.into()),
        }
    }
}

impl From<&System> for v1::System {
    fn from(it: &System) -> Self {
        Self {
            name: it.name.clone(),
            description: it.description.clone(),
            object_id: it.object_id.clone(),
            contact: it.contact.clone(),
            location: it.location.clone(),
            bridge_mac: it.bridge_mac.map_or_else(Vec::new, |mac| mac.0.to_vec()),
            engine_id: it.engine_id.clone(),
            chassis_id: it.chassis_id.clone(),
        }
    }
}

impl From<&Interface> for v1::Interface {
    fn from(it: &Interface) -> Self {
        Self {
            name: it.name.clone(),
            if_index: it.if_index,
            alias: it.alias.clone(),
            if_type: it.if_type,
            mac: it.mac.map_or_else(Vec::new, |mac| mac.0.to_vec()),
            speed_bps: it.speed_bps,
            admin: v1::InterfaceStatus::from(it.admin).into(),
            oper: v1::InterfaceStatus::from(it.oper).into(),
            full_duplex: it.full_duplex,
            last_change_s: it.last_change_s,
        }
    }
}

impl From<&Neighbour> for v1::Neighbour {
    fn from(it: &Neighbour) -> Self {
        Self {
            protocol: v1::NeighbourProtocol::from(it.protocol).into(),
            local_interface: it.local_interface.clone(),
            chassis_id: it.chassis_id.clone(),
            port_id: it.port_id.clone(),
            port_description: it.port_description.clone(),
            system_name: it.system_name.clone(),
            system_description: it.system_description.clone(),
            management_addresses: it.management_addresses.iter().copied().map(ip_bytes).collect(),
            capabilities: it.capabilities.into(),
        }
    }
}

impl From<&Entity> for v1::Entity {
    fn from(it: &Entity) -> Self {
        Self {
            index: it.index,
            class: it.class,
            name: it.name.clone(),
            description: it.description.clone(),
            serial: it.serial.clone(),
            model: it.model.clone(),
            software_revision: it.software_revision.clone(),
        }
    }
}

impl From<&Identification> for v1::Identification {
    fn from(it: &Identification) -> Self {
        Self {
            vendor: it.vendor.clone(),
            model: it.model.clone(),
            os: it.os.clone(),
            version: it.version.clone(),
            serial: it.serial.clone(),
            role: it.role.map_or(0, |role| v1::Role::from(role).into()),
        }
    }
}

impl From<&ItemKey> for Body {
    fn from(key: &ItemKey) -> Self {
        match key.clone() {
            ItemKey::Reach => Self::Reach(v1::Reach::default()),
            ItemKey::System => Self::System(v1::System::default()),
            ItemKey::Interface { name } => Self::Interface(v1::Interface { name, ..Default::default() }),
            ItemKey::Forwarding { mac, vlan } => Self::Forwarding(v1::Forwarding {
                mac: mac.0.to_vec(),
                vlan: vlan.unwrap_or(0).into(),
                ..Default::default()
            }),
            ItemKey::Address { ip, interface } => {
                Self::Address(v1::Address { ip: ip_bytes(ip), interface, mac: Vec::new() })
            }
            ItemKey::Neighbour { protocol, local_interface, chassis_id, port_id } => Self::Neighbour(v1::Neighbour {
                protocol: v1::NeighbourProtocol::from(protocol).into(),
                local_interface,
                chassis_id,
                port_id,
                ..Default::default()
            }),
            ItemKey::Entity { index } => Self::Entity(v1::Entity { index, ..Default::default() }),
            ItemKey::Sighting { mac, vlan } => {
                Self::Sighting(v1::Sighting { mac: mac.0.to_vec(), vlan: vlan.unwrap_or(0).into() })
            }
            ItemKey::Binding { mac, ip } => Self::Binding(v1::Binding { mac: mac.0.to_vec(), ip: ip_bytes(ip) }),
            ItemKey::Host { mac } => Self::Host(v1::Host { mac: mac.0.to_vec(), ..Default::default() }),
            ItemKey::Condition { kind, subject } => Self::Condition(v1::Condition {
                kind: v1::ConditionKind::from(kind).into(),
                subject,
                detail: String::new(),
            }),
            ItemKey::Identification => Self::Identification(v1::Identification::default()),
            ItemKey::Sensor { kind, name } => {
                Self::Sensor(v1::Sensor { kind: v1::SensorKind::from(kind).into(), name, state: 0 })
            }
            ItemKey::Station { mac } => Self::Station(v1::Station { mac: mac.0.to_vec(), ..Default::default() }),
            ItemKey::Aggregation { member } => Self::Aggregation(v1::Aggregation { member, ..Default::default() }),
            ItemKey::Vlan { vlan } => Self::Vlan(v1::Vlan { vlan: vlan.into(), name: String::new() }),
            ItemKey::PortVlans { interface } => Self::PortVlans(v1::PortVlans { interface, ..Default::default() }),
            ItemKey::OwnAddress { ip, interface } => {
                Self::OwnAddress(v1::OwnAddress { ip: ip_bytes(ip), interface, prefix_bits: None })
            }
            ItemKey::Quirk { word, table } => Self::Quirk(v1::Quirk { word, table, count: None }),
            ItemKey::Classification { mac } => {
                Self::Classification(v1::Classification { mac: mac.0.to_vec(), ..Default::default() })
            }
            ItemKey::Probe { name } => Self::Probe(v1::Probe { name, ..Default::default() }),
            ItemKey::SpanningTree => Self::SpanningTree(v1::SpanningTree::default()),
            ItemKey::SpanningTreePort { interface } => {
                Self::SpanningTreePort(v1::SpanningTreePort { interface, ..Default::default() })
            }
            ItemKey::NextHop { ip, interface } => {
                Self::NextHop(v1::NextHop { ip: ip_bytes(ip), interface, default_route: false })
            }
            ItemKey::Anchor { interface } => Self::Anchor(v1::Anchor { interface, ..Default::default() }),
        }
    }
}

/// Returns the key range of a complete group.
pub(super) fn key_range(range: v1::KeyRange) -> Result<crate::KeyRange, Invalid> {
    if range.first > range.last {
        let problem =
            Problem::OutOfRange { value: range.last.into(), least: range.first.into(), most: u64::MAX.into() };
        return Err(Invalid::new("complete.last", problem));
    }
    Ok(crate::KeyRange { first: range.first, last: range.last })
}
