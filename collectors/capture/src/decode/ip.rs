//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers, with IPv6's extension headers.
//!
//! Invariant: the payload never reaches beyond what the header states, so that padding is never read as data.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Reason, Undecoded, be16, head};

/// Protocol numbers of transport protocols.
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// IPv4, inside.
    pub const IPV4: u8 = 4;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6, inside.
    pub const IPV6: u8 = 41;
    /// Generic routing encapsulation.
    pub const GRE: u8 = 47;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
    /// SCTP.
    pub const SCTP: u8 = 132;
}

/// The most extension headers that are followed; RFC 8200 section 4.1 names seven, each at most once or twice.
const EXTENSIONS_MAX: usize = 10;

/// Which part of a packet this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// Identification that all parts of the packet share.
    pub id: u32,
    /// Where in the packet's payload this part starts, in bytes.
    pub offset: u32,
    /// Whether more parts follow.
    pub more: bool,
}

/// An IP header of either version, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpHeader<'a> {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Protocol number of the payload.
    pub protocol: u8,
    /// Time to live, or hop limit.
    pub hop_limit: u8,
    /// Length of the whole packet, header included, as the header states it; what was captured where it states 0.
    pub length: u32,
    /// Set when the packet is one part of a larger one.
    pub fragment: Option<Fragment>,
    /// What follows the headers, as far as it was captured.
    pub payload: &'a [u8],
    /// Bytes that the header promises and that are not there.
    pub missing: usize,
}

impl<'a> IpHeader<'a> {
    /// Returns the packet that the bytes are, of the version that its first four bits say.
    ///
    /// # Errors
    /// When a header does not fit, or its lengths contradict each other.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        match bytes.first().map(|first| first >> 4) {
            Some(4) => Self::parse_v4(bytes),
            Some(6) => Self::parse_v6(bytes),
            Some(version) => Err(Undecoded::new(Reason::IpVersion, 0, 4, version.into())),
            None => Err(Undecoded::new(Reason::Ipv4Short, 0, 20, 0)),
        }
    }

    /// Returns the IPv4 packet that the bytes are.
    ///
    /// # Errors
    /// When the header does not fit, or its lengths contradict each other.
    #[inline]
    pub fn parse_v4(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (header, _) = head::<20>(bytes, Reason::Ipv4Short)?;
        let [first, _, t0, t1, i0, i1, f0, f1, hop_limit, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = *header;
        if first >> 4 != 4 {
            return Err(Undecoded::new(Reason::IpVersion, 0, 4, usize::from(first >> 4)));
        }
        let header_length = usize::from(first & 0x0f).saturating_mul(4);
        let stated = usize::from(be16([t0, t1]));
        // A total length of 0 is what a capture on the sending host shows of a segment that the card will cut.
        let total = if stated == 0 { bytes.len() } else { stated };
        if header_length < 20 || header_length > bytes.len() {
            return Err(Undecoded::new(Reason::Ipv4HeaderLength, 0, 20, header_length));
        }
        if total < header_length {
            return Err(Undecoded::new(Reason::Ipv4TotalLength, 2, header_length, total));
        }
        let payload = bytes.get(header_length..total.min(bytes.len())).unwrap_or_default();
        let position = be16([f0, f1]);
        let (offset, more) = (u32::from(position & 0x1fff).saturating_mul(8), position & 0x2000 != 0);
        Ok(Self {
            source: Ipv4Addr::new(s0, s1, s2, s3).into(),
            destination: Ipv4Addr::new(d0, d1, d2, d3).into(),
            protocol,
            hop_limit,
            length: u32::try_from(total).unwrap_or(u32::MAX),
            fragment: (offset != 0 || more).then(|| Fragment { id: be16([i0, i1]).into(), offset, more }),
            payload,
            missing: total.saturating_sub(bytes.len()),
        })
    }

    /// Returns the IPv6 packet that the bytes are, with its extension headers read.
    ///
    /// # Errors
    /// When a header does not fit, or there are too many.
    pub fn parse_v6(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (header, rest) = head::<40>(bytes, Reason::Ipv6Short)?;
        let (&[first, _, _, _, l0, l1, next, hop_limit], addresses) = head::<8>(header, Reason::Ipv6Short)?;
        if first >> 4 != 6 {
            return Err(Undecoded::new(Reason::IpVersion, 0, 6, usize::from(first >> 4)));
        }
        let (source, destination) = head::<16>(addresses, Reason::Ipv6Short)?;
        let destination: [u8; 16] = destination.first_chunk().copied().unwrap_or_default();
        let stated = usize::from(be16([l0, l1]));
        // 0 is a jumbogram (RFC 2675), or a segment that the card will cut.
        let length = if stated == 0 { rest.len() } else { stated };
        let body = rest.get(..length).unwrap_or(rest);
        let extended = extensions(next, body).map_err(|fault| fault.seen_from(bytes, body))?;
        Ok(Self {
            source: Ipv6Addr::from(*source).into(),
            destination: Ipv6Addr::from(destination).into(),
            protocol: extended.protocol,
            hop_limit,
            length: u32::try_from(length.saturating_add(40)).unwrap_or(u32::MAX),
            fragment: extended.fragment,
            payload: extended.payload,
            missing: length.saturating_sub(rest.len()),
        })
    }

    /// Returns whether this is a part of a packet other than its first, so that no transport header is in it.
    pub fn is_later_fragment(&self) -> bool {
        self.fragment.is_some_and(|fragment| fragment.offset != 0)
    }
}

struct Extended<'a> {
    protocol: u8,
    fragment: Option<Fragment>,
    payload: &'a [u8],
}

/// Follows the chain of extension headers (RFC 8200, section 4) to the transport protocol.
fn extensions(first: u8, body: &[u8]) -> Result<Extended<'_>, Undecoded> {
    let mut at = Extended { protocol: first, fragment: None, payload: body };
    for _ in 0..EXTENSIONS_MAX {
        let units = match at.protocol {
            // Hop-by-hop, routing, destination options, mobility, HIP, shim6: length in units of 8, the first not counted.
            0 | 43 | 60 | 135 | 139 | 140 => 8,
            // Authentication (RFC 4302, section 2.2): in units of 4, the first two not counted.
            51 => 4,
            44 => {
                let (&[next, _, p0, p1, i0, i1, i2, i3], rest) =
                    head::<8>(at.payload, Reason::Ipv6Extension).map_err(|fault| fault.seen_from(body, at.payload))?;
                let position = be16([p0, p1]);
                let (offset, more) = (u32::from(position & 0xfff8), position & 1 != 0);
                let id = u32::from_be_bytes([i0, i1, i2, i3]);
                at.protocol = next;
                at.payload = rest;
                // A whole packet may carry a fragment header (an atomic fragment, RFC 6946).
                if offset != 0 || more {
                    at.fragment = Some(Fragment { id, offset, more });
                }
                if offset != 0 {
                    return Ok(at);
                }
                continue;
            }
            _ => return Ok(at),
        };
        let header = at.payload.first_chunk::<2>().copied();
        let length = header.map(|[_, n]| usize::from(n).saturating_mul(units).saturating_add(8));
        let Some(([next, _], (_, rest))) = header.zip(length.and_then(|length| at.payload.split_at_checked(length)))
        else {
            let fault = Undecoded::new(Reason::Ipv6Extension, 0, length.unwrap_or(8), at.payload.len());
            return Err(fault.seen_from(body, at.payload));
        };
        at.protocol = next;
        at.payload = rest;
    }
    Err(Undecoded::new(Reason::Ipv6ExtensionDepth, 0, EXTENSIONS_MAX, EXTENSIONS_MAX.saturating_add(1)))
}
