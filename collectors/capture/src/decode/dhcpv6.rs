//! DHCPv6 (RFC 8415) as clients speak it, with the options that tell what a client is.
//!
//! Where an option is given twice, its first instance counts.

use super::{Reason, Undecoded, be16, head};

/// A message of a client or server. Messages between relays and servers are none: their client is on another segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dhcpv6<'a> {
    /// Kind of message: 1 solicit, 3 request, 4 confirm, 5 renew, 6 rebind, 8 release, 9 decline, 11 information request.
    pub kind: u8,
    /// Client identifier (option 1).
    pub client_id: Option<&'a [u8]>,
    /// Numbers of the options asked for (option 6), two bytes each.
    pub requested: Option<&'a [u8]>,
    /// Vendor class (option 16): the enterprise's number and its first text.
    pub vendor_class: Option<(u32, &'a [u8])>,
    /// Qualified name (option 39): labels behind their lengths.
    pub name: Option<&'a [u8]>,
}

impl<'a> Dhcpv6<'a> {
    /// Returns the message that the bytes, a datagram's payload, are; `None` for what relays say.
    ///
    /// # Errors
    /// When the message or an option of it does not fit.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<Self>, Undecoded> {
        let (&[kind, _, _, _], options) = head::<4>(bytes, Reason::Dhcpv6Short)?;
        if matches!(kind, 12 | 13) {
            return Ok(None);
        }
        let mut message = Self { kind, client_id: None, requested: None, vendor_class: None, name: None };
        let mut rest = options;
        while !rest.is_empty() {
            let placed = |fault: Undecoded| fault.seen_from(bytes, rest);
            let (&[c0, c1, l0, l1], after) = head::<4>(rest, Reason::Dhcpv6Option).map_err(placed)?;
            let length = usize::from(be16([l0, l1]));
            let short = || placed(Undecoded::new(Reason::Dhcpv6Option, 4, length, after.len()));
            let (value, next) = after.split_at_checked(length).ok_or_else(short)?;
            message.read(be16([c0, c1]), value);
            rest = next;
        }
        Ok(Some(message))
    }

    /// Returns whether a client sent it.
    pub const fn is_from_client(&self) -> bool {
        matches!(self.kind, 1 | 3..=6 | 8 | 9 | 11)
    }

    fn read(&mut self, code: u16, value: &'a [u8]) {
        let given = Some(value).filter(|value| !value.is_empty());
        match code {
            1 => self.client_id = self.client_id.or(given),
            6 => self.requested = self.requested.or(given),
            16 => self.vendor_class = self.vendor_class.or_else(|| vendor_class(value)),
            // One byte of flags comes first.
            39 => self.name = self.name.or(value.get(1..).filter(|name| !name.is_empty())),
            _ => {}
        }
    }
}

/// Reads the number of an enterprise and the first text behind it.
fn vendor_class(value: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = value.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest.get(..usize::from(be16(*length)))?))
}
