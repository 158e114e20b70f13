//! Decoders of row indexes (RFC 2578, section 7.7) and of the addresses in them.
//!
//! Invariant: total; any arcs or bytes give a value or a [`DropReason`]. Fuzzed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use onenet_topology::MacAddr;

use crate::dropped::DropReason;

/// A reader of the arcs of an index, from the left.
#[derive(Debug, Clone, Copy)]
pub struct IndexReader<'a> {
    arcs: &'a [u32],
}

impl<'a> IndexReader<'a> {
    /// Returns a reader at the first arc.
    pub const fn new(arcs: &'a [u32]) -> Self {
        Self { arcs }
    }

    /// Returns how many arcs are left.
    pub const fn remaining(&self) -> usize {
        self.arcs.len()
    }

    /// Reads one arc.
    ///
    /// # Errors
    ///
    /// Nothing is left.
    pub fn number(&mut self) -> Result<u32, DropReason> {
        let (first, rest) = self.arcs.split_first().ok_or(DropReason::InvalidIndexLength)?;
        self.arcs = rest;
        Ok(*first)
    }

    /// Reads `count` arcs as bytes.
    ///
    /// # Errors
    ///
    /// Fewer are left, or one is above 255.
    pub fn octets(&mut self, count: usize) -> Result<Vec<u8>, DropReason> {
        let (head, rest) = self.arcs.split_at_checked(count).ok_or(DropReason::InvalidIndexLength)?;
        let octets = head.iter().map(|arc| u8::try_from(*arc)).collect::<Result<_, _>>();
        self.arcs = rest;
        octets.map_err(|_| DropReason::InvalidIndexOctet)
    }

    /// Reads arcs as bytes, without an allocation.
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DropReason> {
        let (head, rest) = self.arcs.split_first_chunk::<N>().ok_or(DropReason::InvalidIndexLength)?;
        let mut octets = [0; N];
        for (octet, arc) in octets.iter_mut().zip(head) {
            *octet = u8::try_from(*arc).map_err(|_| DropReason::InvalidIndexOctet)?;
        }
        self.arcs = rest;
        Ok(octets)
    }

    /// Reads a MacAddress of fixed length.
    ///
    /// # Errors
    ///
    /// Fewer than six arcs are left, or one is above 255.
    pub fn mac(&mut self) -> Result<MacAddr, DropReason> {
        self.array().map(MacAddr)
    }

    /// Reads a fixed-length IpAddress.
    ///
    /// # Errors
    ///
    /// Fewer than four arcs are left, or one is above 255.
    pub fn ipv4(&mut self) -> Result<Ipv4Addr, DropReason> {
        self.array::<4>().map(Ipv4Addr::from)
    }

    /// Reads an InetAddressType and the InetAddress of that type with its length (RFC 4001).
    ///
    /// # Errors
    ///
    /// The type is not an IP address, the length is not the type's, or an arc is above 255.
    pub fn inet_address(&mut self) -> Result<ZonedAddress, DropReason> {
        let kind = self.number()?;
        let length = usize::try_from(self.number()?).map_err(|_| DropReason::InvalidIndexLength)?;
        let octets = self.octets(length)?;
        inet_address(kind, &octets)
    }

    /// Checks that everything was read.
    ///
    /// # Errors
    ///
    /// Arcs are left.
    pub fn end(self) -> Result<(), DropReason> {
        if self.arcs.is_empty() { Ok(()) } else { Err(DropReason::InvalidIndexLength) }
    }
}

/// An IP address and, for a zoned one, its zone (RFC 4007).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZonedAddress {
    /// The address.
    pub ip: IpAddr,
    /// The zone, usually an ifIndex.
    pub zone: Option<u32>,
}

/// Returns the address of an InetAddressType and its octets (RFC 4001, section 4): ipv4(1), ipv6(2), ipv4z(3), ipv6z(4).
///
/// # Errors
///
/// The type is not one of these, or the octets have another length.
pub fn inet_address(kind: u32, octets: &[u8]) -> Result<ZonedAddress, DropReason> {
    let wrong = DropReason::InvalidAddressLength;
    let (address, zone) = match kind {
        1 | 2 => (octets, None),
        3 | 4 => {
            let (address, zone) = octets.split_at_checked(octets.len().saturating_sub(4)).ok_or(wrong)?;
            (address, Some(u32::from_be_bytes(zone.try_into().map_err(|_| wrong)?)))
        }
        _ => return Err(DropReason::UnknownAddressType),
    };
    let ip = match kind {
        1 | 3 => IpAddr::from(<[u8; 4]>::try_from(address).map_err(|_| wrong)?),
        _ => IpAddr::from(<[u8; 16]>::try_from(address).map_err(|_| wrong)?),
    };
    Ok(ZonedAddress { ip, zone })
}

/// Returns the MAC address that octets hold: six bytes, or, from sloppy agents, its text: the usual one, or one whose bytes
/// have no leading zeros (`0-e-1e-a4-d6-f0`, as NX-OS has the partners of its aggregates).
pub fn mac_of(octets: &[u8]) -> Option<MacAddr> {
    match <[u8; 6]>::try_from(octets) {
        Ok(octets) => Some(MacAddr(octets)),
        Err(_) if octets.len() >= 11 => {
            let text = std::str::from_utf8(octets).ok()?;
            text.parse().ok().or_else(|| unpadded_mac(text))
        }
        Err(_) => None,
    }
}

fn unpadded_mac(text: &str) -> Option<MacAddr> {
    let byte = |part: &str| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        u8::from_str_radix(part, 16).ok().filter(|_| digits)
    };
    let bytes: Option<Vec<u8>> = text.split(['-', ':']).map(byte).collect();
    bytes?.try_into().ok().map(MacAddr)
}

/// Returns the address that octets hold after an address family number (the AddressFamilyNumbers of IANA, as in
/// LLDP): 1 for IPv4, 2 for IPv6.
pub fn family_address(family: u32, octets: &[u8]) -> Option<IpAddr> {
    match family {
        1 => <[u8; 4]>::try_from(octets).ok().map(|octets| IpAddr::V4(Ipv4Addr::from(octets))),
        2 => <[u8; 16]>::try_from(octets).ok().map(|octets| IpAddr::V6(Ipv6Addr::from(octets))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ipv6_address_with_its_zone_is_read() {
        let arcs = [4, 20, 254, 128, 0, 0, 0, 0, 0, 0, 2, 12, 134, 255, 254, 36, 228, 0, 0, 0, 35, 13];
        let mut reader = IndexReader::new(&arcs);
        let address = reader.inet_address().unwrap();
        assert_eq!(address.ip.to_string(), "fe80::20c:86ff:fe24:e400");
        assert_eq!(address.zone, Some(8973));
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn what_does_not_fit_names_its_reason() {
        assert_eq!(IndexReader::new(&[1, 2, 3]).mac(), Err(DropReason::InvalidIndexLength));
        assert_eq!(IndexReader::new(&[1, 2, 3, 4, 5, 256]).mac(), Err(DropReason::InvalidIndexOctet));
        assert_eq!(IndexReader::new(&[16, 4, 1, 2, 3, 4]).inet_address(), Err(DropReason::UnknownAddressType));
        assert_eq!(IndexReader::new(&[1, 5, 1, 2, 3, 4, 5]).inet_address(), Err(DropReason::InvalidAddressLength));
        assert_eq!(IndexReader::new(&[7]).end(), Err(DropReason::InvalidIndexLength));
    }

    #[test]
    fn a_mac_address_sent_as_text_is_understood() {
        assert_eq!(mac_of(b"8c:60:4f:19:16:2a"), Some(MacAddr([0x8c, 0x60, 0x4f, 0x19, 0x16, 0x2a])));
        assert_eq!(mac_of(&[1, 2, 3, 4, 5, 6]), Some(MacAddr([1, 2, 3, 4, 5, 6])));
        assert_eq!(mac_of(b"0-e-1e-a4-d6-f0"), Some(MacAddr([0, 0x0e, 0x1e, 0xa4, 0xd6, 0xf0])));
        assert_eq!(mac_of(b"0-e-1e-a4-d6"), None);
        assert_eq!(mac_of(b"0-e-1e-a4-d6-+1"), None);
        assert_eq!(mac_of(b""), None);
        assert_eq!(mac_of(b"Ethernet1/23"), None);
    }

    proptest! {
        #[test]
        fn no_index_makes_a_decoder_panic(arcs in prop::collection::vec(any::<u32>(), 0..40), kind in 0u32..6) {
            let _ = IndexReader::new(&arcs).inet_address();
            let _ = IndexReader::new(&arcs).mac();
            let octets: Vec<u8> = arcs.iter().map(|arc| arc.to_le_bytes()[0]).collect();
            let _ = (inet_address(kind, &octets), mac_of(&octets), family_address(kind, &octets));
        }

        #[test]
        fn an_address_reads_back_from_its_index(octets in any::<[u8; 16]>(), zone in prop::option::of(any::<u32>())) {
            let mut bytes = octets.to_vec();
            bytes.extend(zone.map(u32::to_be_bytes).into_iter().flatten());
            let mut arcs = vec![if zone.is_some() { 4 } else { 2 }, u32::try_from(bytes.len()).unwrap()];
            arcs.extend(bytes.iter().map(|byte| u32::from(*byte)));
            let read = IndexReader::new(&arcs).inet_address();
            prop_assert_eq!(read, Ok(ZonedAddress { ip: IpAddr::from(octets), zone }));
        }
    }
}
