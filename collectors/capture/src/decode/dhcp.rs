//! DHCP (RFC 2131) with the options (RFC 2132) that tell what a client is.
//!
//! Where an option is given twice, its first instance counts; long options split after RFC 3396 are not joined, since
//! none of those read here comes near 255 bytes.

use std::net::Ipv4Addr;

use onenet_topology::MacAddr;

use super::{Reason, Undecoded, head, mac};

/// What follows the fixed fields of a DHCP message (RFC 2131, section 3).
const COOKIE: [u8; 4] = [99, 130, 83, 99];

/// Kinds of message (option 53).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// The client looks for servers.
    Discover,
    /// A server offers an address.
    Offer,
    /// The client asks for an address, or to keep the one it has.
    Request,
    /// The client found its address taken.
    Decline,
    /// The server grants the address.
    Ack,
    /// The server refuses the address.
    Nak,
    /// The client gives its address back.
    Release,
    /// The client has an address and asks for the rest.
    Inform,
    /// Any other number, or none (BOOTP).
    Other(u8),
}

/// A DHCP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dhcp<'a> {
    /// Whether a client sent it (`op` 1) and not a server.
    pub from_client: bool,
    /// The client's Ethernet address (`chaddr`), where it has one.
    pub client_mac: Option<MacAddr>,
    /// Transaction id.
    pub transaction: u32,
    /// The address that the client uses (`ciaddr`).
    pub client_ip: Ipv4Addr,
    /// The address that the server gives (`yiaddr`).
    pub your_ip: Ipv4Addr,
    /// The relay that passed the message on (`giaddr`); unspecified when none did.
    pub relay_ip: Ipv4Addr,
    /// Kind of message (option 53).
    pub kind: MessageKind,
    /// Host name (option 12).
    pub hostname: Option<&'a [u8]>,
    /// Address asked for (option 50).
    pub requested_ip: Option<Ipv4Addr>,
    /// The server meant or speaking (option 54).
    pub server: Option<Ipv4Addr>,
    /// Parameter request list (option 55): its order tells operating systems apart.
    pub parameter_list: Option<&'a [u8]>,
    /// Vendor class (option 60).
    pub vendor_class: Option<&'a [u8]>,
    /// Client identifier (option 61).
    pub client_id: Option<&'a [u8]>,
}

impl<'a> Dhcp<'a> {
    /// Returns the message that the bytes, a datagram's payload, are.
    ///
    /// # Errors
    /// When the message does not fit, has no DHCP cookie, or an option of it does not fit.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (fixed, rest) = head::<44>(bytes, Reason::DhcpShort)?;
        let (names, rest) = head::<192>(rest, Reason::DhcpShort).map_err(|fault| fault.seen_from(bytes, rest))?;
        let (cookie, options) = head::<4>(rest, Reason::DhcpShort).map_err(|fault| fault.seen_from(bytes, rest))?;
        if *cookie != COOKIE {
            let found = usize::try_from(u32::from_be_bytes(*cookie)).unwrap_or(usize::MAX);
            return Err(Undecoded::new(Reason::DhcpCookie, 236, 0x6382_5363, found));
        }
        let mut message = Self::from_fixed(fixed);
        let overload = message.read_options(options).map_err(|fault| fault.seen_from(bytes, options))?;
        // Option 52 says that the fields for names hold options too: bit 0 the file's, bit 1 the server's, in this order.
        let (server_name, file) = names.split_at_checked(64).unwrap_or_default();
        for (bit, field) in [(1, file), (2, server_name)] {
            if overload & bit != 0 {
                message.read_options(field).map_err(|fault| fault.seen_from(bytes, field))?;
            }
        }
        Ok(message)
    }

    fn from_fixed(fixed: &[u8; 44]) -> Self {
        let [op, hardware, length, _, x0, x1, x2, x3, _, _, _, _, rest @ ..] = *fixed;
        let [c0, c1, c2, c3, y0, y1, y2, y3, _, _, _, _, g0, g1, g2, g3, chaddr @ ..] = rest;
        Self {
            from_client: op == 1,
            client_mac: mac(&chaddr).filter(|_| (hardware, length) == (1, 6)),
            transaction: u32::from_be_bytes([x0, x1, x2, x3]),
            client_ip: Ipv4Addr::new(c0, c1, c2, c3),
            your_ip: Ipv4Addr::new(y0, y1, y2, y3),
            relay_ip: Ipv4Addr::new(g0, g1, g2, g3),
            kind: MessageKind::Other(0),
            hostname: None,
            requested_ip: None,
            server: None,
            parameter_list: None,
            vendor_class: None,
            client_id: None,
        }
    }

    /// Reads options up to the end mark, and returns the value of option 52.
    fn read_options(&mut self, options: &'a [u8]) -> Result<u8, Undecoded> {
        let mut overload = 0;
        let mut rest = options;
        while let Some((&code, after)) = rest.split_first() {
            match code {
                0 => {
                    rest = after;
                    continue;
                }
                255 => break,
                _ => {}
            }
            let Some((value, next)) = after.split_first().and_then(|(&n, body)| body.split_at_checked(n.into())) else {
                let stated = after.first().copied().map_or(1, usize::from);
                let fault = Undecoded::new(Reason::DhcpOption, 0, stated, after.len().saturating_sub(1));
                return Err(fault.seen_from(options, rest));
            };
            match (code, value) {
                (52, &[value]) => overload = value,
                _ => self.read_option(code, value),
            }
            rest = next;
        }
        Ok(overload)
    }

    fn read_option(&mut self, code: u8, value: &'a [u8]) {
        let text = Some(value).filter(|value| !value.is_empty());
        match code {
            12 => self.hostname = self.hostname.or(text),
            50 => self.requested_ip = self.requested_ip.or(address(value)),
            53 => {
                if let (MessageKind::Other(0), &[number]) = (self.kind, value) {
                    self.kind = MessageKind::from_number(number);
                }
            }
            54 => self.server = self.server.or(address(value)),
            55 => self.parameter_list = self.parameter_list.or(text),
            60 => self.vendor_class = self.vendor_class.or(text),
            61 => self.client_id = self.client_id.or(text),
            _ => {}
        }
    }
}

impl MessageKind {
    const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Discover,
            2 => Self::Offer,
            3 => Self::Request,
            4 => Self::Decline,
            5 => Self::Ack,
            6 => Self::Nak,
            7 => Self::Release,
            8 => Self::Inform,
            other => Self::Other(other),
        }
    }
}

fn address(value: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from)
}
