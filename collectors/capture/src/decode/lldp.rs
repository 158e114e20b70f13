//! Link layer discovery (IEEE 802.1AB-2016, clause 8).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use onenet_topology::MacAddr;

use super::{Reason, Undecoded, be16, mac};

/// The most management addresses that are kept; a unit may carry more.
pub const MANAGEMENT_MAX: usize = 4;

/// How a chassis or port is named: a subtype and its value (clauses 8.5.2 and 8.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// A MAC address.
    Mac(MacAddr),
    /// A network address.
    Ip(IpAddr),
    /// Text: an interface's name or alias, a component, or what the vendor chose.
    Text(&'a [u8]),
    /// Anything else.
    Octets(&'a [u8]),
}

/// A discovery unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lldp<'a> {
    /// Who sends.
    pub chassis: Name<'a>,
    /// From which port.
    pub port: Name<'a>,
    /// For how many seconds this holds; 0 takes it back.
    pub ttl_s: u16,
    /// Description of the port.
    pub port_description: Option<&'a [u8]>,
    /// Name of the system.
    pub system_name: Option<&'a [u8]>,
    /// Description of the system.
    pub system_description: Option<&'a [u8]>,
    /// What the system can be (clause 8.5.8): bit 1 other, 2 repeater, 3 bridge, 4 access point, 5 router, 6 telephone …
    pub capabilities: Option<u16>,
    /// What of that is switched on.
    pub capabilities_enabled: Option<u16>,
    /// Addresses to manage it by, the first few.
    pub management: [Option<IpAddr>; MANAGEMENT_MAX],
    /// Id of the VLAN that untagged frames belong to (802.1, subtype 1).
    pub port_vlan: Option<u16>,
    /// Class of the endpoint (LLDP-MED, ANSI/TIA-1057, subtype 1): 1 generic, 2 media, 3 telephone, 4 network.
    pub med_class: Option<u8>,
    /// Who made it (LLDP-MED, subtype 9).
    pub manufacturer: Option<&'a [u8]>,
    /// Its model (LLDP-MED, subtype 10).
    pub model: Option<&'a [u8]>,
}

impl<'a> Lldp<'a> {
    /// Returns the unit that the bytes, an Ethernet frame's payload, are.
    ///
    /// # Errors
    /// When an element does not fit, has a length that its kind cannot have, or a mandatory one is not where it must be.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let placed = |rest: &[u8], fault: Undecoded| fault.seen_from(bytes, rest);
        let (chassis, after_chassis) = mandatory(bytes, 1)?;
        let (port, after_port) = mandatory(after_chassis, 2).map_err(|fault| placed(after_chassis, fault))?;
        let (ttl, mut rest) = mandatory(after_port, 3).map_err(|fault| placed(after_port, fault))?;
        let ttl_s = ttl.first_chunk().map(|ttl| be16(*ttl));
        let mut unit = Self {
            chassis: name(chassis, 4, 5).ok_or_else(|| element(1, chassis))?,
            port: name(port, 3, 4).ok_or_else(|| placed(after_chassis, element(2, port)))?,
            ttl_s: ttl_s.ok_or_else(|| placed(after_port, element(3, ttl)))?,
            port_description: None,
            system_name: None,
            system_description: None,
            capabilities: None,
            capabilities_enabled: None,
            management: [None; MANAGEMENT_MAX],
            port_vlan: None,
            med_class: None,
            manufacturer: None,
            model: None,
        };
        // The end mark (kind 0) may be missing; bytes behind it are padding.
        while !rest.is_empty() {
            let (kind, value, next) = split(rest).map_err(|fault| placed(rest, fault))?;
            if kind == 0 {
                break;
            }
            unit.read(kind, value).map_err(|fault| placed(rest, fault))?;
            rest = next;
        }
        Ok(unit)
    }

    fn read(&mut self, kind: u8, value: &'a [u8]) -> Result<(), Undecoded> {
        match kind {
            1..=3 => return Err(Undecoded::new(Reason::LldpOrder, 0, 0, kind.into())),
            4 => self.port_description = self.port_description.or(Some(value)),
            5 => self.system_name = self.system_name.or(Some(value)),
            6 => self.system_description = self.system_description.or(Some(value)),
            7 => {
                let &[c0, c1, e0, e1] = value.first_chunk().ok_or_else(|| element(4, value))?;
                self.capabilities = Some(be16([c0, c1]));
                self.capabilities_enabled = Some(be16([e0, e1]));
            }
            8 => {
                // Length of what follows, family, octets, and behind them the interface (clause 8.5.9).
                let stated = value.split_first().and_then(|(&length, rest)| rest.get(..length.into()));
                let address = address(stated.ok_or_else(|| element(9, value))?);
                if let (Some(address), Some(slot)) = (address, self.management.iter_mut().find(|slot| slot.is_none())) {
                    *slot = Some(address);
                }
            }
            127 => match *value {
                [0x00, 0x80, 0xc2, 1, v0, v1] => self.port_vlan = Some(be16([v0, v1])).filter(|id| *id != 0),
                [0x00, 0x12, 0xbb, 1, _, _, class] => self.med_class = self.med_class.or(Some(class)),
                [0x00, 0x12, 0xbb, 9, ..] => self.manufacturer = self.manufacturer.or(value.get(4..)),
                [0x00, 0x12, 0xbb, 10, ..] => self.model = self.model.or(value.get(4..)),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// Splits the first element off: 7 bits of kind, 9 of length, value.
fn split(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Undecoded> {
    let Some((header, rest)) = bytes.split_first_chunk() else {
        return Err(Undecoded::new(Reason::LldpShort, 0, 2, bytes.len()));
    };
    let [kind, _] = *header;
    let length = usize::from(be16(*header) & 0x01ff);
    let (value, next) =
        rest.split_at_checked(length).ok_or(Undecoded::new(Reason::LldpShort, 2, length, rest.len()))?;
    Ok((kind >> 1, value, next))
}

fn mandatory(bytes: &[u8], expected: u8) -> Result<(&[u8], &[u8]), Undecoded> {
    let (kind, value, next) = split(bytes)?;
    if kind != expected {
        return Err(Undecoded::new(Reason::LldpOrder, 0, expected.into(), kind.into()));
    }
    Ok((value, next))
}

/// Returns the fault of an element whose value has a length that its kind cannot have.
fn element(expected: usize, value: &[u8]) -> Undecoded {
    Undecoded::new(Reason::LldpElement, 2, expected, value.len())
}

/// Reads a chassis or port id; the subtypes for a MAC and a network address differ between the two.
fn name(value: &[u8], mac_subtype: u8, ip_subtype: u8) -> Option<Name<'_>> {
    let (&subtype, id) = value.split_first().filter(|(_, id)| !id.is_empty())?;
    Some(if subtype == mac_subtype && id.len() == 6 {
        Name::Mac(mac(id)?)
    } else if subtype == ip_subtype {
        address(id).map_or(Name::Octets(id), Name::Ip)
    } else if matches!(subtype, 1..=7) {
        Name::Text(id)
    } else {
        Name::Octets(id)
    })
}

/// Reads a network address: family (1 IPv4, 2 IPv6) and octets.
fn address(value: &[u8]) -> Option<IpAddr> {
    let (&family, octets) = value.split_first()?;
    match family {
        1 => <[u8; 4]>::try_from(octets).ok().map(|octets| Ipv4Addr::from(octets).into()),
        2 => <[u8; 16]>::try_from(octets).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}
