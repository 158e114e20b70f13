//! UDP headers (RFC 768).

use super::{Reason, Undecoded, be16, head};

/// A UDP datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Udp<'a> {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// Length that the header states, with the header; 0 in a jumbogram (RFC 2675).
    pub length: u16,
    /// What follows the header, as far as it was captured and the length says.
    pub payload: &'a [u8],
}

impl<'a> Udp<'a> {
    /// Returns the datagram that the bytes are.
    ///
    /// # Errors
    /// When the header does not fit, or the stated length is below the header's.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (header, rest) = head::<8>(bytes, Reason::UdpShort)?;
        let [s0, s1, d0, d1, l0, l1, _, _] = *header;
        let length = be16([l0, l1]);
        let payload = match usize::from(length).checked_sub(8) {
            Some(stated) => rest.get(..stated).unwrap_or(rest),
            None if length == 0 => rest,
            None => return Err(Undecoded::new(Reason::UdpLength, 4, 8, length.into())),
        };
        Ok(Self { source_port: be16([s0, s1]), destination_port: be16([d0, d1]), length, payload })
    }
}
