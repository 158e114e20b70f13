//! Cisco's discovery protocol, versions 1 and 2, which others' telephones and switches speak as well.

use std::net::{IpAddr, Ipv4Addr};

use super::{Reason, Undecoded, be16, head};

/// The most addresses that are kept.
pub const ADDRESSES_MAX: usize = 4;

/// An announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cdp<'a> {
    /// For how many seconds it holds; 0 takes it back.
    pub ttl_s: u8,
    /// Who sends (kind 1): a name, or a serial number.
    pub device_id: &'a [u8],
    /// Addresses to reach it at (kind 2).
    pub addresses: [Option<IpAddr>; ADDRESSES_MAX],
    /// From which port (kind 3).
    pub port_id: &'a [u8],
    /// What the device is (kind 4): bit 0 router, 1 bridge, 2 source-route bridge, 3 switch, 4 host, 7 telephone.
    pub capabilities: u32,
    /// The system's own description (kind 5).
    pub version: Option<&'a [u8]>,
    /// Product (kind 6).
    pub platform: Option<&'a [u8]>,
    /// Id of the VLAN that untagged frames belong to (kind 10).
    pub native_vlan: Option<u16>,
}

impl<'a> Cdp<'a> {
    /// Returns the announcement that the bytes, what follows the SNAP header, are.
    ///
    /// # Errors
    /// When an element does not fit, or its length is below that of its own header.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (&[_version, ttl_s, _, _], elements) = head::<4>(bytes, Reason::CdpShort)?;
        let mut unit = Self {
            ttl_s,
            device_id: &[],
            addresses: [None; ADDRESSES_MAX],
            port_id: &[],
            capabilities: 0,
            version: None,
            platform: None,
            native_vlan: None,
        };
        let mut rest = elements;
        while !rest.is_empty() {
            let placed = |fault: Undecoded| fault.seen_from(bytes, rest);
            let (&[k0, k1, l0, l1], after) = head::<4>(rest, Reason::CdpShort).map_err(placed)?;
            // The length counts the element's own header.
            let length = usize::from(be16([l0, l1]));
            let inner =
                length.checked_sub(4).ok_or_else(|| placed(Undecoded::new(Reason::CdpElement, 2, 4, length)))?;
            let short = || placed(Undecoded::new(Reason::CdpShort, 4, inner, after.len()));
            let (value, next) = after.split_at_checked(inner).ok_or_else(short)?;
            unit.read(be16([k0, k1]), value);
            rest = next;
        }
        Ok(unit)
    }

    fn read(&mut self, kind: u16, value: &'a [u8]) {
        match kind {
            1 => self.device_id = value,
            2 => self.read_addresses(value),
            3 => self.port_id = value,
            4 => self.capabilities = value.first_chunk().map_or(0, |bits| u32::from_be_bytes(*bits)),
            5 => self.version = Some(value),
            6 => self.platform = Some(value),
            10 => self.native_vlan = value.first_chunk().map(|id| be16(*id)).filter(|id| *id != 0),
            _ => {}
        }
    }

    /// Reads a list of addresses: each a kind and length of its protocol, the protocol, a length and the octets.
    fn read_addresses(&mut self, value: &[u8]) {
        /// IP's number as a protocol of one byte.
        const IP: &[u8] = &[0xcc];
        let mut rest = value.get(4..).unwrap_or_default();
        for slot in &mut self.addresses {
            let Some((&[_, length], after)) = rest.split_first_chunk() else { return };
            let Some((protocol, after)) = after.split_at_checked(length.into()) else { return };
            let Some((length, after)) = after.split_first_chunk() else { return };
            let Some((octets, next)) = after.split_at_checked(be16(*length).into()) else { return };
            if let (IP, Ok(octets)) = (protocol, <[u8; 4]>::try_from(octets)) {
                *slot = Some(Ipv4Addr::from(octets).into());
            }
            rest = next;
        }
    }
}
