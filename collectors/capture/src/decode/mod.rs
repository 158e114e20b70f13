//! Decoders over borrowed bytes.
//!
//! Invariant: whatever the bytes, a decoder returns; it never panics, allocates, or reads outside what it was given.
//! What it cannot read is an [`Undecoded`] that says where, what was expected and what was there.
//! They know no state: what frames mean together is the business of `passive` and `flow`.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions)]

pub mod arp;
pub mod cdp;
pub mod dhcp;
pub mod dhcpv6;
pub mod elements;
pub mod icmp;
pub mod ip;
pub mod link;
pub mod lldp;
pub mod names;
pub mod nd;
pub mod netbios;
pub mod packet;
pub mod sctp;
pub mod ssdp;
pub mod stp;
pub mod tcp;
pub mod tunnel;
pub mod udp;

mod reason;

pub use packet::{Content, Ip, Packet, Transport};
pub use reason::Reason;

use onenet_topology::MacAddr;

/// Why bytes could not be decoded, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}: expected {expected}, found {actual}")]
pub struct Undecoded {
    /// What is wrong.
    pub reason: Reason,
    /// Where, in bytes from the start of what was decoded.
    pub offset: usize,
    /// What was expected there: a length in bytes, or a number from the protocol.
    pub expected: usize,
    /// What was there instead.
    pub actual: usize,
}

impl Undecoded {
    pub(crate) const fn new(reason: Reason, offset: usize, expected: usize, actual: usize) -> Self {
        Self { reason, offset, expected, actual }
    }

    /// Returns the same fault, but for which not the sender is to blame where the capture `cut` off what is missing.
    pub(crate) const fn blamed(self, cut: bool) -> Self {
        if cut && self.reason.is_short() { Self { reason: Reason::CutByCapture, ..self } } else { self }
    }

    /// Returns the same fault seen from `outer`, in which `inner`, the bytes it was found in, lie.
    pub(crate) fn seen_from(self, outer: &[u8], inner: &[u8]) -> Self {
        let base = inner.as_ptr().addr().saturating_sub(outer.as_ptr().addr());
        Self { offset: self.offset.saturating_add(base), ..self }
    }
}

/// Returns the first `N` bytes and the rest.
pub(crate) fn head<const N: usize>(bytes: &[u8], reason: Reason) -> Result<(&[u8; N], &[u8]), Undecoded> {
    bytes.split_first_chunk().ok_or(Undecoded::new(reason, bytes.len(), N, bytes.len()))
}

/// Returns the address that the first six bytes are.
pub(crate) fn mac(bytes: &[u8]) -> Option<MacAddr> {
    bytes.first_chunk().map(|octets| MacAddr(*octets))
}

pub(crate) const fn be16(bytes: [u8; 2]) -> u16 {
    u16::from_be_bytes(bytes)
}
