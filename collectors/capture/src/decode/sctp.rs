//! SCTP common headers (RFC 9260, section 3.1). Chunks are not read.

use super::{Reason, Undecoded, be16, head};

/// An SCTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sctp {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
}

impl Sctp {
    /// Returns the packet that the bytes are.
    ///
    /// # Errors
    /// When the common header does not fit.
    pub fn parse(bytes: &[u8]) -> Result<Self, Undecoded> {
        let ([s0, s1, d0, d1, ..], _) = head::<12>(bytes, Reason::SctpShort)?;
        Ok(Self { source_port: be16([*s0, *s1]), destination_port: be16([*d0, *d1]) })
    }
}
