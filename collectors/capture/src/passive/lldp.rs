//! What LLDP says: which system and port is at the other end of a cable.

use std::fmt::Write as _;

use super::text;
use crate::{
    decode::{
        Packet, Undecoded,
        lldp::{Lldp, Name},
    },
    facts::Neighbour,
};

pub(super) fn neighbour(packet: &Packet<'_>, payload: &[u8]) -> Result<Option<Box<Neighbour>>, Undecoded> {
    let unit = Lldp::parse(payload)?;
    let Some(mac) = packet.source.filter(|mac| mac.is_unicast()) else { return Ok(None) };
    Ok(Some(Box::new(Neighbour {
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
    })))
}

fn name(name: Name<'_>) -> String {
    match name {
        Name::Mac(mac) => mac.to_string(),
        Name::Ip(ip) => ip.to_string(),
        Name::Text(value) => text::printable(value).unwrap_or_else(|| hexadecimal(value)),
        Name::Octets(value) => hexadecimal(value),
    }
}

fn hexadecimal(value: &[u8]) -> String {
    let mut text = String::new();
    for (at, octet) in value.iter().enumerate() {
        let separator = if at == 0 { "" } else { ":" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{octet:02x}");
    }
    text
}
