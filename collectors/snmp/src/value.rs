//! Values of managed objects (RFC 3416, section 3), as this crate passes them.
//!
//! Invariant: a number is held as it was sent, never cut to the width of its type.
//!
//! Values come by the thousand with each poll, so that addresses and names of ports are held in place.

use std::{fmt, net::Ipv4Addr, ops::Deref};

use crate::oid::Oid;

/// A value of a managed object, or the exception that stands in for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// INTEGER. Wider than 32 bits when a sloppy agent sent it so.
    Integer(i64),
    /// Counter32, a number that wraps at 2^32.
    Counter32(u64),
    /// Gauge32 or Unsigned32.
    Gauge32(u64),
    /// TimeTicks, hundredths of a second.
    TimeTicks(u64),
    /// Counter64.
    Counter64(u64),
    /// OCTET STRING, and the historic types that carry bytes.
    Octets(Octets),
    /// OBJECT IDENTIFIER.
    ObjectId(Box<Oid>),
    /// IpAddress.
    IpAddress(Ipv4Addr),
    /// NULL, which no readable object has.
    Null,
    /// The agent does not know the object.
    NoSuchObject,
    /// The agent knows the object and has no such instance.
    NoSuchInstance,
    /// There is nothing after the asked name.
    EndOfMibView,
    /// A value that could not be decoded, or that was cut on the way and cannot be told from a good one.
    Malformed,
}

/// The most octets held in place: what fits without making a [`Value`] larger.
const INLINE_OCTETS: usize = 22;

/// The bytes of an octet string.
#[derive(Clone)]
pub struct Octets(Bytes);

#[derive(Clone)]
enum Bytes {
    Inline { count: u8, bytes: [u8; INLINE_OCTETS] },
    Boxed(Box<[u8]>),
}

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline { count, bytes } => bytes.get(..usize::from(*count)).unwrap_or(bytes),
            Bytes::Boxed(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for Octets {
    fn from(octets: &[u8]) -> Self {
        let mut inline = [0; INLINE_OCTETS];
        match (inline.get_mut(..octets.len()), u8::try_from(octets.len())) {
            (Some(places), Ok(count)) => {
                places.copy_from_slice(octets);
                Self(Bytes::Inline { count, bytes: inline })
            }
            _ => Self(Bytes::Boxed(octets.into())),
        }
    }
}

impl From<Vec<u8>> for Octets {
    fn from(octets: Vec<u8>) -> Self {
        Self::from(&octets[..])
    }
}

impl<const N: usize> From<[u8; N]> for Octets {
    fn from(octets: [u8; N]) -> Self {
        Self::from(&octets[..])
    }
}

impl PartialEq for Octets {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Octets {}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Value {
    /// Returns whether the agent sent an exception in place of a value.
    pub const fn is_exception(&self) -> bool {
        matches!(self, Self::NoSuchObject | Self::NoSuchInstance | Self::EndOfMibView)
    }

    /// Returns a number of any integer type that is not negative.
    pub fn unsigned(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            Self::Counter32(number) | Self::Gauge32(number) | Self::TimeTicks(number) | Self::Counter64(number) => {
                Some(*number)
            }
            _ => None,
        }
    }

    /// Returns the bytes of an octet string.
    pub fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::Octets(octets) => Some(octets),
            _ => None,
        }
    }

    /// Returns the IPv4 address; some agents send its four bytes as a string.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        match self {
            Self::IpAddress(address) => Some(*address),
            Self::Octets(octets) => <[u8; 4]>::try_from(&**octets).ok().map(Ipv4Addr::from),
            _ => None,
        }
    }

    /// Returns the object identifier.
    pub fn object_id(&self) -> Option<&Oid> {
        match self {
            Self::ObjectId(oid) => Some(oid),
            _ => None,
        }
    }

    /// Returns about how many bytes the value takes in a message.
    pub fn wire_bytes(&self) -> usize {
        let number =
            |number: u64| 3 + number.checked_ilog2().map_or(0, |bit| usize::try_from(bit + 1).unwrap_or(64) / 8);
        match self {
            Self::Octets(octets) => octets.len() + 2,
            Self::ObjectId(oid) => oid.arcs().len() + 2,
            Self::Integer(signed) => number(signed.unsigned_abs()),
            Self::Counter32(it) | Self::Gauge32(it) | Self::TimeTicks(it) | Self::Counter64(it) => number(*it),
            _ => 6,
        }
    }
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VarBind {
    /// The instance.
    pub oid: Oid,
    /// Its value.
    pub value: Value,
}

impl VarBind {
    /// Returns about how many bytes the pair takes in a message: an upper estimate for arcs below 2^14.
    pub fn wire_bytes(&self) -> usize {
        // Two heads, and the first two arcs as one.
        let arcs: usize = self.oid.arcs().iter().map(|arc| if *arc < 128 { 1 } else { 2 }).sum();
        arcs + 3 + self.value.wire_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_strings_read_back() {
        for count in [0, 1, INLINE_OCTETS - 1, INLINE_OCTETS, INLINE_OCTETS + 1, 300] {
            let octets: Vec<u8> = (0..count).map(|place| u8::try_from(place % 251).unwrap()).collect();
            assert_eq!(*Octets::from(&octets[..]), octets);
            assert_eq!(Octets::from(octets.clone()), Octets::from(&octets[..]));
        }
    }

    #[test]
    fn a_cell_takes_three_words() {
        assert_eq!(size_of::<Option<Value>>(), 24);
    }
}
