//! ARP for IPv4 over Ethernet (RFC 826).

use std::net::Ipv4Addr;

use onenet_topology::MacAddr;

use super::{Reason, Undecoded, be16, head};

/// Hardware types that use 48-bit addresses: Ethernet, and IEEE 802 networks.
const HARDWARE: [u16; 2] = [1, 6];
const PROTOCOL_IPV4: u16 = 0x0800;

/// An ARP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arp {
    /// 1 for a request, 2 for a reply.
    pub operation: u16,
    /// Hardware address of the sender.
    pub sender_mac: MacAddr,
    /// Protocol address of the sender; unspecified in a probe (RFC 5227).
    pub sender_ip: Ipv4Addr,
    /// Hardware address of the target; means nothing in a request.
    pub target_mac: MacAddr,
    /// Protocol address of the target.
    pub target_ip: Ipv4Addr,
}

impl Arp {
    /// Returns the ARP packet that the bytes start with; what follows it is padding.
    ///
    /// # Errors
    /// When it does not fit, or is not about IPv4 over Ethernet.
    pub fn parse(bytes: &[u8]) -> Result<Self, Undecoded> {
        let (fixed, rest) = head::<8>(bytes, Reason::ArpShort)?;
        let [h0, h1, p0, p1, hardware_length, protocol_length, o0, o1] = *fixed;
        let (hardware, protocol) = (be16([h0, h1]), be16([p0, p1]));
        if !HARDWARE.contains(&hardware) {
            return Err(Undecoded::new(Reason::ArpFormat, 0, 1, hardware.into()));
        }
        if protocol != PROTOCOL_IPV4 {
            return Err(Undecoded::new(Reason::ArpFormat, 2, PROTOCOL_IPV4.into(), protocol.into()));
        }
        if (hardware_length, protocol_length) != (6, 4) {
            return Err(Undecoded::new(Reason::ArpFormat, 4, 6, hardware_length.into()));
        }
        let (body, _) = head::<20>(rest, Reason::ArpShort).map_err(|fault| fault.seen_from(bytes, rest))?;
        let [s0, s1, s2, s3, s4, s5, i0, i1, i2, i3, t0, t1, t2, t3, t4, t5, j0, j1, j2, j3] = *body;
        Ok(Self {
            operation: be16([o0, o1]),
            sender_mac: MacAddr([s0, s1, s2, s3, s4, s5]),
            sender_ip: Ipv4Addr::new(i0, i1, i2, i3),
            target_mac: MacAddr([t0, t1, t2, t3, t4, t5]),
            target_ip: Ipv4Addr::new(j0, j1, j2, j3),
        })
    }
}
