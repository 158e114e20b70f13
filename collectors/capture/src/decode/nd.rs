//! IPv6 neighbour discovery (RFC 4861, section 4).

use std::net::Ipv6Addr;

use onenet_topology::MacAddr;

use super::{Reason, Undecoded, head, icmp::Icmp, mac};

/// Type numbers of the messages.
pub mod kind {
    /// Router solicitation.
    pub const ROUTER_SOLICITATION: u8 = 133;
    /// Router advertisement.
    pub const ROUTER_ADVERTISEMENT: u8 = 134;
    /// Neighbour solicitation.
    pub const NEIGHBOUR_SOLICITATION: u8 = 135;
    /// Neighbour advertisement.
    pub const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
    /// Redirect.
    pub const REDIRECT: u8 = 137;
}

/// What a neighbour discovery message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A host asks for routers.
    RouterSolicitation,
    /// A router offers itself for `lifetime_s` seconds as a default router; 0 when it is none.
    RouterAdvertisement {
        /// Seconds for which it serves as a default router.
        lifetime_s: u16,
    },
    /// A host asks for `target`'s link-layer address.
    NeighbourSolicitation {
        /// The address asked for.
        target: Ipv6Addr,
    },
    /// `target` is here.
    NeighbourAdvertisement {
        /// The address that is answered for.
        target: Ipv6Addr,
        /// Whether the sender is a router.
        router: bool,
    },
    /// `destination` is better reached through `target`.
    Redirect {
        /// The better first hop.
        target: Ipv6Addr,
        /// What is reached through it.
        destination: Ipv6Addr,
    },
}

/// A neighbour discovery message with those of its options that the product uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nd {
    /// What it says.
    pub message: Message,
    /// Source link-layer address (option 1).
    pub source_link: Option<MacAddr>,
    /// Target link-layer address (option 2).
    pub target_link: Option<MacAddr>,
    /// The first on-link prefix advertised (option 3).
    pub prefix: Option<(Ipv6Addr, u8)>,
    /// The link's MTU in bytes (option 5).
    pub mtu: Option<u32>,
}

impl Nd {
    /// Returns the neighbour discovery message that `icmp` is, `None` when it is another kind of message.
    ///
    /// # Errors
    /// When the message or an option of it does not fit.
    pub fn parse(icmp: &Icmp<'_>) -> Result<Option<Self>, Undecoded> {
        let body = icmp.body;
        let short = Reason::NdShort;
        let (message, options) = match icmp.kind {
            kind::ROUTER_SOLICITATION => (Message::RouterSolicitation, head::<4>(body, short)?.1),
            kind::ROUTER_ADVERTISEMENT => {
                let (&[_, _, l0, l1, ..], options) = head::<12>(body, short)?;
                (Message::RouterAdvertisement { lifetime_s: u16::from_be_bytes([l0, l1]) }, options)
            }
            kind::NEIGHBOUR_SOLICITATION => {
                let (_, target, options) = flags_and_address(body)?;
                (Message::NeighbourSolicitation { target }, options)
            }
            kind::NEIGHBOUR_ADVERTISEMENT => {
                let (flags, target, options) = flags_and_address(body)?;
                (Message::NeighbourAdvertisement { target, router: flags & 0x80 != 0 }, options)
            }
            kind::REDIRECT => {
                let (_, target, rest) = flags_and_address(body)?;
                let (destination, options) = head::<16>(rest, short).map_err(|f| f.seen_from(body, rest))?;
                (Message::Redirect { target, destination: Ipv6Addr::from(*destination) }, options)
            }
            _ => return Ok(None),
        };
        let mut nd = Self { message, source_link: None, target_link: None, prefix: None, mtu: None };
        nd.read_options(options).map_err(|fault| fault.seen_from(body, options))?;
        Ok(Some(nd))
    }

    /// Options are type, length in units of eight bytes, and value; none may have length zero (section 4.6).
    fn read_options(&mut self, options: &[u8]) -> Result<(), Undecoded> {
        let mut rest = options;
        while let Some((&[kind, units], _)) = rest.split_first_chunk::<2>() {
            let length = usize::from(units).saturating_mul(8);
            let Some((option, next)) = rest.split_at_checked(length).filter(|_| length != 0) else {
                let fault = Undecoded::new(Reason::NdOption, 1, rest.len(), length);
                return Err(fault.seen_from(options, rest));
            };
            let value = option.get(2..).unwrap_or_default();
            match kind {
                1 if length == 8 => self.source_link = self.source_link.or(mac(value)),
                2 if length == 8 => self.target_link = self.target_link.or(mac(value)),
                3 => self.prefix = self.prefix.or_else(|| on_link_prefix(value)),
                5 => self.mtu = value.get(2..).and_then(|v| v.first_chunk()).map(|v| u32::from_be_bytes(*v)),
                _ => {}
            }
            rest = next;
        }
        Ok(())
    }
}

fn flags_and_address(body: &[u8]) -> Result<(u8, Ipv6Addr, &[u8]), Undecoded> {
    let (&[flags, ..], rest) = head::<4>(body, Reason::NdShort)?;
    let (address, rest) = head::<16>(rest, Reason::NdShort).map_err(|fault| fault.seen_from(body, rest))?;
    Ok((flags, Ipv6Addr::from(*address), rest))
}

/// Prefix information: length, flags (on-link is the highest), two lifetimes, reserved, prefix (section 4.6.2).
fn on_link_prefix(value: &[u8]) -> Option<(Ipv6Addr, u8)> {
    let (&[length, flags], _) = value.split_first_chunk::<2>()?;
    let prefix: [u8; 16] = *value.get(14..)?.first_chunk()?;
    (flags & 0x80 != 0 && length <= 128).then(|| (Ipv6Addr::from(prefix), length))
}
