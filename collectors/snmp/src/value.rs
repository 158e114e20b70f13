//! Values of managed objects (RFC 3416, section 3), as this crate passes them.
//!
//! Invariant: a number is held as it was sent, never cut to the width of its type.

use std::net::Ipv4Addr;

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
    Octets(Box<[u8]>),
    /// OBJECT IDENTIFIER.
    ObjectId(Oid),
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

    /// Returns the object identifier.
    pub fn object_id(&self) -> Option<&Oid> {
        match self {
            Self::ObjectId(oid) => Some(oid),
            _ => None,
        }
    }

    /// Returns about how many bytes the value takes in a message.
    pub fn wire_bytes(&self) -> usize {
        match self {
            Self::Octets(octets) => octets.len() + 2,
            Self::ObjectId(oid) => oid.arcs().len() + 2,
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
        let arcs: usize = self.oid.arcs().iter().map(|arc| if *arc < 128 { 1 } else { 2 }).sum();
        arcs + 4 + self.value.wire_bytes()
    }
}
