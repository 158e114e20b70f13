//! TCP headers (RFC 9293, section 3.1).

use super::{Reason, Undecoded, be16, head};

/// Flag bits of a TCP header.
pub mod flags {
    /// The sender has no more data.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 0x10;
}

/// A TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tcp<'a> {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// Sequence number of the first octet.
    pub sequence: u32,
    /// Sequence number that the sender expects next.
    pub acknowledgement: u32,
    /// The low eight flag bits, see [`flags`].
    pub flags: u8,
    /// Receive window, unscaled.
    pub window: u16,
    /// Options, not checked.
    pub options: &'a [u8],
    /// What follows the header.
    pub payload: &'a [u8],
}

impl<'a> Tcp<'a> {
    /// Returns the segment that the bytes are.
    ///
    /// # Errors
    /// When the header does not fit or its length cannot be.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (header, rest) = head::<20>(bytes, Reason::TcpShort)?;
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, w0, w1, ..] = *header;
        let length = usize::from(offset >> 4).saturating_mul(4);
        let options = length.checked_sub(20).and_then(|n| rest.split_at_checked(n));
        let Some((options, payload)) = options else {
            return Err(Undecoded::new(Reason::TcpHeaderLength, 12, bytes.len().min(60), length));
        };
        Ok(Self {
            source_port: be16([s0, s1]),
            destination_port: be16([d0, d1]),
            sequence: u32::from_be_bytes([q0, q1, q2, q3]),
            acknowledgement: u32::from_be_bytes([a0, a1, a2, a3]),
            flags,
            window: be16([w0, w1]),
            options,
            payload,
        })
    }

    /// Returns whether the segment opens a connection: SYN without ACK.
    pub const fn opens(&self) -> bool {
        self.flags & (flags::SYN | flags::ACK) == flags::SYN
    }

    /// Returns whether the segment answers an opening: SYN with ACK.
    pub const fn answers(&self) -> bool {
        self.flags & (flags::SYN | flags::ACK) == flags::SYN | flags::ACK
    }
}
