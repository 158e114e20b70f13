//! What a device tells of its VLANs, its own addresses and itself.

use onenet_topology::{
    VlanSet,
    fact::{OwnAddress, PortVlans, Quirk, Vlan},
};

use super::check::{self, ip, ip_bytes, name};
use crate::{Invalid, Problem, limits::VLAN_RANGES, v1};

/// What is wrong with ranges that are no set.
const RISE: &str = "ranges of VLANs rise, do not touch, and are within 1 to 4094";

/// The longest prefix, IPv6's, in bits.
const PREFIX_BITS_MAX: u32 = 128;

pub(super) fn vlan(it: v1::Vlan) -> Result<Vlan, Invalid> {
    Ok(Vlan { vlan: vlan_number(it.vlan)?, name: name("name", it.name)? })
}

/// Returns the number of a VLAN that must be one.
pub(super) fn vlan_number(number: u32) -> Result<u16, Invalid> {
    check::vlan(number)?.ok_or_else(|| Invalid::new("vlan", Problem::Missing))
}

pub(super) fn port_vlans(it: v1::PortVlans) -> Result<PortVlans, Invalid> {
    Ok(PortVlans {
        interface: name("interface", it.interface)?,
        native: check::vlan(it.native).map_err(|error| error.within("native"))?,
        tagged: vlan_set("tagged", &it.tagged)?,
        untagged: vlan_set("untagged", &it.untagged)?,
    })
}

fn vlan_set(field: &str, ranges: &[v1::VlanRange]) -> Result<VlanSet, Invalid> {
    check::count(field, ranges.len(), VLAN_RANGES)?;
    let range = |range: &v1::VlanRange| {
        let both = (u16::try_from(range.first).ok()?, u16::try_from(range.last).ok()?);
        Some(both)
    };
    let set = ranges.iter().map(range).collect::<Option<_>>().and_then(VlanSet::of_ranges);
    set.ok_or_else(|| Invalid::new(field, Problem::Malformed(RISE.to_owned())))
}

pub(super) fn own_address(it: v1::OwnAddress) -> Result<OwnAddress, Invalid> {
    let prefix_bits = it.prefix_bits.map(|bits| check::range("prefix_bits", bits, 0, PREFIX_BITS_MAX)).transpose()?;
    Ok(OwnAddress {
        ip: ip("ip", &it.ip)?,
        prefix_bits: prefix_bits.and_then(|bits| u8::try_from(bits).ok()),
        interface: name("interface", it.interface)?,
    })
}

pub(super) fn quirk(it: v1::Quirk) -> Result<Quirk, Invalid> {
    Ok(Quirk { word: name("word", it.word)?, table: name("table", it.table)?, count: it.count })
}

impl From<&Vlan> for v1::Vlan {
    fn from(it: &Vlan) -> Self {
        Self { vlan: it.vlan.into(), name: it.name.clone() }
    }
}

impl From<&PortVlans> for v1::PortVlans {
    fn from(it: &PortVlans) -> Self {
        Self {
            interface: it.interface.clone(),
            native: it.native.unwrap_or(0).into(),
            tagged: ranges(&it.tagged),
            untagged: ranges(&it.untagged),
        }
    }
}

impl From<&OwnAddress> for v1::OwnAddress {
    fn from(it: &OwnAddress) -> Self {
        Self { ip: ip_bytes(it.ip), interface: it.interface.clone(), prefix_bits: it.prefix_bits.map(u32::from) }
    }
}

impl From<&Quirk> for v1::Quirk {
    fn from(it: &Quirk) -> Self {
        Self { word: it.word.clone(), table: it.table.clone(), count: it.count }
    }
}

fn ranges(set: &VlanSet) -> Vec<v1::VlanRange> {
    set.ranges().iter().map(|(first, last)| v1::VlanRange { first: (*first).into(), last: (*last).into() }).collect()
}
