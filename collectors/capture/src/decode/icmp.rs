//! ICMP (RFC 792) and ICMPv6 (RFC 4443) headers; neighbour discovery is read by `nd`.

use super::{Reason, Undecoded, be16};

/// An ICMP or ICMPv6 message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icmp<'a> {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// The two bytes behind the checksum: the identifier of an echo, timestamp or mask message; 0 where cut off.
    pub identifier: u16,
    /// What follows the first four bytes.
    pub body: &'a [u8],
}

impl<'a> Icmp<'a> {
    /// Returns the ICMP message that the bytes are.
    ///
    /// # Errors
    /// When the header does not fit.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        Self::read(bytes, Reason::IcmpShort)
    }

    /// Returns the ICMPv6 message that the bytes are.
    ///
    /// # Errors
    /// When the header does not fit.
    pub fn parse_v6(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        Self::read(bytes, Reason::Icmpv6Short)
    }

    fn read(bytes: &'a [u8], short: Reason) -> Result<Self, Undecoded> {
        let (&[kind, code, _, _], body) = super::head::<4>(bytes, short)?;
        let identifier = body.first_chunk().map_or(0, |id| be16(*id));
        Ok(Self { kind, code, identifier, body })
    }
}
