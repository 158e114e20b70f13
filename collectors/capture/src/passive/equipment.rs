//! What LLDP, CDP and spanning tree say: which system and port is at the other end of a cable, and who is a bridge.

use std::fmt::Write as _;

use onenet_topology::{classify::SignKind, fact::NeighbourProtocol};

use super::{brief::Brief, text};
use crate::{
    decode::{
        Packet, Undecoded,
        cdp::Cdp,
        lldp::{Lldp, Name},
        stp,
    },
    facts::{Fact, Neighbour, Said, Speaker, Value},
};

/// Bits of LLDP's capabilities (IEEE 802.1AB, clause 8.5.8) and their names.
const LLDP_CAPABILITIES: [(u16, &str); 8] = [
    (0x0002, "repeater"),
    (0x0004, "bridge"),
    (0x0008, "access_point"),
    (0x0010, "router"),
    (0x0020, "telephone"),
    (0x0040, "cable_modem"),
    (0x0080, "station"),
    (0x0001, "other"),
];
/// Bits of CDP's capabilities and their names.
const CDP_CAPABILITIES: [(u32, &str); 5] =
    [(0x01, "router"), (0x02, "bridge"), (0x08, "switch"), (0x10, "host"), (0x80, "phone")];

pub(super) fn lldp(packet: &Packet<'_>, payload: &[u8], mut each: impl FnMut(Fact<'_>)) -> Result<(), Undecoded> {
    let unit = Lldp::parse(payload)?;
    let Some(mac) = packet.source.filter(|mac| mac.is_unicast()) else { return Ok(()) };
    each(Fact::Neighbour(Box::new(Neighbour {
        protocol: NeighbourProtocol::Lldp,
        mac,
        vlan: packet.vlan,
        chassis_id: name(unit.chassis),
        port_id: name(unit.port),
        ttl_s: unit.ttl_s,
        port_description: unit.port_description.and_then(text::printable),
        system_name: unit.system_name.and_then(text::printable),
        system_description: unit.system_description.and_then(text::printable),
        capabilities_enabled: unit.capabilities_enabled,
        management: unit.management.into_iter().flatten().collect(),
        port_vlan: unit.port_vlan,
    })));
    let mut say =
        |kind, value: &[u8]| each(Fact::Said(Said { mac, by: Speaker::Link, kind, value: Value::Text(value) }));
    unit.system_name.into_iter().for_each(|name| say(SignKind::LldpName, name));
    unit.system_description.into_iter().for_each(|text| say(SignKind::LldpSystem, text));
    let enabled = unit.capabilities_enabled.unwrap_or_default();
    for (_, name) in LLDP_CAPABILITIES.iter().filter(|(bit, _)| enabled & bit != 0) {
        say(SignKind::LldpCapability, name.as_bytes());
    }
    if let Some(class) = unit.med_class {
        say(SignKind::LldpMedClass, Brief::written(format_args!("{class}")).as_bytes());
    }
    let parts = unit.manufacturer.into_iter().chain(unit.model);
    let model = Brief::joined(parts, b" ");
    if !model.as_bytes().is_empty() {
        say(SignKind::LldpModel, model.as_bytes());
    }
    Ok(())
}

pub(super) fn cdp(packet: &Packet<'_>, payload: &[u8], mut each: impl FnMut(Fact<'_>)) -> Result<(), Undecoded> {
    let unit = Cdp::parse(payload)?;
    let Some(mac) = packet.source.filter(|mac| mac.is_unicast()) else { return Ok(()) };
    let device = text::printable(unit.device_id);
    if let (Some(device), Some(port)) = (&device, text::printable(unit.port_id)) {
        each(Fact::Neighbour(Box::new(Neighbour {
            protocol: NeighbourProtocol::Cdp,
            mac,
            vlan: packet.vlan,
            chassis_id: device.clone(),
            port_id: port,
            ttl_s: unit.ttl_s.into(),
            port_description: None,
            system_name: Some(device.clone()),
            system_description: unit.version.and_then(text::printable),
            capabilities_enabled: None,
            management: unit.addresses.into_iter().flatten().collect(),
            port_vlan: unit.native_vlan,
        })));
    }
    let mut say =
        |kind, value: &[u8]| each(Fact::Said(Said { mac, by: Speaker::Link, kind, value: Value::Text(value) }));
    say(SignKind::CdpName, unit.device_id);
    unit.platform.into_iter().for_each(|platform| say(SignKind::CdpPlatform, platform));
    unit.version.into_iter().for_each(|version| say(SignKind::CdpSystem, version));
    for (_, name) in CDP_CAPABILITIES.iter().filter(|(bit, _)| unit.capabilities & bit != 0) {
        say(SignKind::CdpCapability, name.as_bytes());
    }
    Ok(())
}

pub(super) fn spanning_tree(packet: &Packet<'_>, payload: &[u8], each: impl FnOnce(Said<'_>)) -> Result<(), Undecoded> {
    let heard = stp::parse(payload)?;
    if let (Some(tree), Some(mac)) = (heard, packet.source.filter(|mac| mac.is_unicast())) {
        let text = Brief::written(format_args!(
            "bridge {} {}, root {} {}",
            tree.bridge.priority, tree.bridge.mac, tree.root.priority, tree.root.mac
        ));
        each(Said { mac, by: Speaker::Link, kind: SignKind::SpanningTree, value: Value::Text(text.as_bytes()) });
    }
    Ok(())
}

fn name(name: Name<'_>) -> String {
    match name {
        Name::Mac(mac) => mac.to_string(),
        Name::Ip(ip) => ip.to_string(),
        Name::Text(value) => text::printable(value).unwrap_or_else(|| octets(value)),
        Name::Octets(value) => octets(value),
    }
}

fn octets(value: &[u8]) -> String {
    let mut text = String::new();
    for (at, octet) in value.iter().enumerate() {
        let separator = if at == 0 { "" } else { ":" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{octet:02x}");
    }
    text
}
