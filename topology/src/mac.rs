//! MAC addresses (EUI-48, IEEE 802).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// A 48-bit MAC address. Written lower case with colons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr(pub [u8; 6]);

/// The text is not a MAC address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a MAC address: write six pairs of hexadecimal digits, such as 00:1b:21:3c:4d:5e")]
pub struct InvalidMac(pub String);

impl MacAddr {
    /// `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// `00:00:00:00:00:00`, which no card may have.
    pub const ZERO: Self = Self([0; 6]);

    /// Returns whether the group bit is set: multicast, and broadcast with it.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 0x01 != 0
    }

    /// Returns whether the local bit is set: not assigned by a vendor (virtual machines, privacy addresses).
    pub const fn is_local(self) -> bool {
        self.0[0] & 0x02 != 0
    }

    /// Returns whether one card can own this address: neither a group nor zero.
    pub const fn is_unicast(self) -> bool {
        !self.is_multicast() && !matches!(self.0, [0, 0, 0, 0, 0, 0])
    }

    /// Returns whether the address belongs to a first-hop redundancy group and not to a card: VRRP (RFC 9568,
    /// `00:00:5e:00:01:xx` and `:02:xx`), HSRP version 1 and 2, GLBP.
    pub const fn is_virtual_router(self) -> bool {
        matches!(
            self.0,
            [0x00, 0x00, 0x5e, 0x00, 0x01 | 0x02, _]
                | [0x00, 0x00, 0x0c, 0x07, 0xac, _]
                | [0x00, 0x00, 0x0c, 0x9f, 0xf0..=0xff, _]
                | [0x00, 0x05, 0x73, 0xa0, 0x00..=0x0f, _]
                | [0x00, 0x07, 0xb4, 0x00, _, _]
        )
    }

    /// Returns the address as a number, whose order is the order of the text.
    pub const fn to_u64(self) -> u64 {
        let mut number = [0; 8];
        number.split_at_mut(2).1.copy_from_slice(&self.0);
        u64::from_be_bytes(number)
    }

    /// Returns the address of a number below 2^48, `None` above.
    pub const fn from_u64(number: u64) -> Option<Self> {
        match number.to_be_bytes() {
            [0, 0, octets @ ..] => Some(Self(octets)),
            _ => None,
        }
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|octet| write!(f, ":{octet:02x}"))
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MacAddr {
    type Err = InvalidMac;

    /// Reads the usual forms: `00:1b:21:3c:4d:5e`, `00-1B-21-3C-4D-5E`, `001b-213c-4d5e`, `001b.213c.4d5e`, `001b213c4d5e`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || InvalidMac(text.to_owned());
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
        let well_formed = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u64::from_str_radix(&digits, 16).ok().filter(|_| well_formed);
        number.and_then(Self::from_u64).ok_or_else(refused)
    }
}

impl Serialize for MacAddr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MacAddr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_form_reads_as_the_same_address() {
        let mac = MacAddr([0x00, 0x1b, 0x21, 0x3c, 0x4d, 0x5e]);
        for form in ["00:1b:21:3c:4d:5e", "00-1B-21-3C-4D-5E", "001b-213c-4d5e", "001b.213c.4d5e", "001b213c4d5e"] {
            assert_eq!(form.parse(), Ok(mac), "{form}");
        }
        assert_eq!(mac.to_string(), "00:1b:21:3c:4d:5e");
        assert_eq!(MacAddr::from_u64(mac.to_u64()), Some(mac));
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for text in ["", "00:1b:21:3c:4d", "00:1b:21:3c:4d:5e:6f", "00:1b:21:3c:4d:5g", "+01b213c4d5e"] {
            assert!(text.parse::<MacAddr>().is_err(), "{text}");
        }
    }

    #[test]
    fn groups_and_redundancy_addresses_are_told_from_cards() {
        assert!("01:80:c2:00:00:0e".parse::<MacAddr>().unwrap().is_multicast());
        assert!("00:00:5e:00:01:0a".parse::<MacAddr>().unwrap().is_virtual_router());
        assert!("00:00:0c:07:ac:01".parse::<MacAddr>().unwrap().is_virtual_router());
        assert!(!MacAddr::ZERO.is_unicast());
        assert!("02:00:00:00:00:01".parse::<MacAddr>().unwrap().is_local());
    }
}
