//! What comes before the network layer: Ethernet II, IEEE 802.3 with LLC and SNAP, 802.1Q and 802.1ad tags, provider
//! backbone bridges (802.1ah), MPLS, PPPoE, Linux cooked captures, BSD loopback.
//!
//! Invariant: a [`Link`] keeps the addresses even where the protocol inside is not one the product reads; they are those of
//! this link, not of what a provider carries inside.

use onenet_topology::MacAddr;

use super::{Reason, Undecoded, be16, head};
use crate::link::{LinkType, VlanTag};

/// Tag protocol identifiers: 802.1Q, 802.1ad, and two that vendors used before 802.1ad.
const TAGS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
/// The deepest stack of tags that is read.
const TAGS_MAX: usize = 4;
/// MPLS, unicast and multicast (RFC 5332).
const MPLS: [u16; 2] = [0x8847, 0x8848];
/// The deepest stack of labels that is read.
const LABELS_MAX: usize = 8;
/// A PPPoE session (RFC 2516); its discovery, 0x8863, carries no packets.
const PPPOE_SESSION: u16 = 0x8864;
/// IPv4, ARP, IPv6.
const PLAIN: [u16; 3] = [0x0800, 0x0806, 0x86dd];
/// A frame inside a provider's backbone (802.1ah).
const BACKBONE: u16 = 0x88e7;
/// EtherTypes start here; below, the field is the length of an 802.3 frame.
const ETHERTYPE_MIN: u16 = 0x0600;
/// `ARPHRD_ETHER`: the cooked header's address is a MAC address.
const HARDWARE_ETHERNET: u16 = 1;
/// Packet type in a cooked header: sent by the capturing host.
const COOKED_OUTGOING: u16 = 4;

/// The protocol that a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// An EtherType.
    EtherType(u16),
    /// IPv4 or IPv6, told apart by the packet's own version.
    Ip,
    /// An LLC service access point other than SNAP, with no EtherType.
    Llc(u8),
    /// A SNAP organisation other than those whose protocols are EtherTypes.
    Snap([u8; 3], u16),
}

/// A frame up to its network layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// The sender's address, where the link type has one.
    pub source: Option<MacAddr>,
    /// The receiver's address, where the link type has one.
    pub destination: Option<MacAddr>,
    /// Id of the outermost VLAN.
    pub vlan: Option<u16>,
    /// Id of the VLAN inside that one (802.1ad).
    pub inner_vlan: Option<u16>,
    /// Whether the header says that the capturing host sent the frame.
    pub outgoing: bool,
    /// Whether a provider carries a customer's frame in this one: what that says of link addresses is not of this link.
    pub carries_frame: bool,
    /// What the payload is, or why that cannot be said.
    pub protocol: Result<Protocol, Undecoded>,
    /// What follows the header.
    pub payload: &'a [u8],
}

impl<'a> Link<'a> {
    /// Returns the frame's link layer. `tag` is the one that the kernel took off.
    ///
    /// # Errors
    /// When the header does not fit, or the link type is not one the product reads.
    #[inline]
    pub fn parse(link_type: LinkType, tag: Option<VlanTag>, bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let link = match link_type {
            LinkType::Ethernet => return Self::ethernet(bytes, tag),
            LinkType::LinuxCooked => Self::cooked(bytes),
            LinkType::LinuxCooked2 => Self::cooked2(bytes),
            LinkType::RawIp => Ok(Self::bare(Protocol::Ip, bytes)),
            LinkType::Loopback => Self::loopback(bytes),
            LinkType::Other(code) => {
                Err(Undecoded::new(Reason::LinkType, 0, 1, usize::try_from(code).unwrap_or(usize::MAX)))
            }
        }?;
        Ok(link.placed(bytes))
    }

    /// Returns an IP packet of either version that nothing stands in front of.
    pub(crate) const fn ip(bytes: &'a [u8]) -> Self {
        Self::bare(Protocol::Ip, bytes)
    }

    /// Returns what `number`, an EtherType, says that the bytes are.
    pub(crate) fn of_type(number: u16, bytes: &'a [u8]) -> Self {
        let mut link = Self::bare(Protocol::Ip, bytes);
        link.carry(number);
        link.placed(bytes)
    }

    /// Returns an Ethernet frame; `tag` is the one that is told beside it, unless it has one itself.
    pub(crate) fn frame(bytes: &'a [u8], tag: Option<VlanTag>) -> Result<Self, Undecoded> {
        let mut link = Self::ethernet(bytes, None)?;
        link.vlan = link.vlan.or(tag.and_then(VlanTag::id));
        Ok(link)
    }

    #[inline]
    fn placed(mut self, bytes: &[u8]) -> Self {
        if let Err(fault) = &mut self.protocol {
            *fault = fault.seen_from(bytes, self.payload);
        }
        self
    }

    const fn bare(protocol: Protocol, payload: &'a [u8]) -> Self {
        Self {
            source: None,
            destination: None,
            vlan: None,
            inner_vlan: None,
            outgoing: false,
            carries_frame: false,
            protocol: Ok(protocol),
            payload,
        }
    }

    /// An Ethernet frame, faults seen from its beginning.
    #[inline]
    fn ethernet(bytes: &'a [u8], tag: Option<VlanTag>) -> Result<Self, Undecoded> {
        let (header, payload) = head::<14>(bytes, Reason::EthernetShort)?;
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
        let field = be16([t0, t1]);
        let link = Self {
            source: Some(MacAddr([s0, s1, s2, s3, s4, s5])),
            destination: Some(MacAddr([d0, d1, d2, d3, d4, d5])),
            vlan: tag.and_then(VlanTag::id),
            ..Self::bare(Protocol::EtherType(field), payload)
        };
        // Most frames have nothing around their packet.
        if PLAIN.contains(&field) { Ok(link) } else { Ok(link.unwrapped_from(field, bytes)) }
    }

    #[inline(never)]
    fn unwrapped_from(mut self, field: u16, bytes: &[u8]) -> Self {
        self.carry(field);
        self.placed(bytes)
    }

    /// Linux cooked capture, version 1: packet type, hardware type, address length, 8 bytes of address, protocol.
    fn cooked(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (header, payload) = head::<16>(bytes, Reason::CookedShort)?;
        let [k0, k1, h0, h1, _, length, address @ .., _, _, p0, p1] = *header;
        let mut link = Self {
            source: cooked_address(be16([h0, h1]), length.into(), address),
            outgoing: be16([k0, k1]) == COOKED_OUTGOING,
            ..Self::bare(Protocol::Ip, payload)
        };
        link.carry_cooked(be16([p0, p1]));
        Ok(link)
    }

    /// Linux cooked capture, version 2: protocol, reserved, interface, hardware type, packet type, address.
    fn cooked2(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (header, payload) = head::<20>(bytes, Reason::CookedShort)?;
        let [p0, p1, _, _, _, _, _, _, h0, h1, kind, length, address @ .., _, _] = *header;
        let mut link = Self {
            source: cooked_address(be16([h0, h1]), length.into(), address),
            outgoing: u16::from(kind) == COOKED_OUTGOING,
            ..Self::bare(Protocol::Ip, payload)
        };
        link.carry_cooked(be16([p0, p1]));
        Ok(link)
    }

    /// BSD loopback: four bytes of address family, in the byte order of whichever host captured.
    fn loopback(bytes: &'a [u8]) -> Result<Self, Undecoded> {
        let (family, payload) = head::<4>(bytes, Reason::LoopbackShort)?;
        let (little, big) = (u32::from_le_bytes(*family), u32::from_be_bytes(*family));
        // 2 is IPv4 everywhere; IPv6 has a number of its own in each BSD and in Linux.
        let known = |family: u32| matches!(family, 2 | 10 | 24 | 28 | 30);
        if known(little) || known(big) {
            return Ok(Self::bare(Protocol::Ip, payload));
        }
        let actual = usize::try_from(little.min(big)).unwrap_or(usize::MAX);
        Err(Undecoded::new(Reason::LoopbackFamily, 0, 2, actual))
    }

    /// Reads what is wrapped around a packet from `field`, the frame's type field, on, and sets the protocol and payload
    /// within.
    fn carry(&mut self, mut field: u16) {
        for _ in 0..=TAGS_MAX {
            match self.unwrapped(field) {
                Ok(Some(next)) => field = next,
                Ok(None) => return,
                Err(fault) => {
                    self.protocol = Err(fault);
                    return;
                }
            }
        }
        self.protocol = Err(Undecoded::new(Reason::VlanDepth, 0, TAGS_MAX, TAGS_MAX.saturating_add(1)));
    }

    /// Takes off one header. Returns the type field behind it, `None` when the protocol is known.
    fn unwrapped(&mut self, field: u16) -> Result<Option<u16>, Undecoded> {
        if TAGS.contains(&field) {
            return self.carry_tag(field).map(Some);
        }
        match field {
            BACKBONE => self.carry_frame(Reason::BackboneShort),
            PPPOE_SESSION => self.carry_pppoe().map(|()| None),
            _ if MPLS.contains(&field) => self.carry_mpls(),
            ETHERTYPE_MIN.. => {
                self.protocol = Ok(Protocol::EtherType(field));
                Ok(None)
            }
            _ => {
                // A length that says less than there is tells padding from payload.
                self.payload = self.payload.get(..field.into()).unwrap_or(self.payload);
                self.carry_llc();
                Ok(None)
            }
        }
    }

    fn carry_tag(&mut self, protocol: u16) -> Result<u16, Undecoded> {
        let (&[c0, c1, t0, t1], rest) = head::<4>(self.payload, Reason::VlanShort)?;
        let id = VlanTag { protocol, control: be16([c0, c1]) }.id();
        if self.vlan.is_none() {
            self.vlan = id;
        } else if self.inner_vlan.is_none() {
            self.inner_vlan = id;
        }
        self.payload = rest;
        Ok(be16([t0, t1]))
    }

    /// A customer's frame behind four bytes: flags and service of 802.1ah, or the control word of a pseudowire.
    fn carry_frame(&mut self, short: Reason) -> Result<Option<u16>, Undecoded> {
        let (inner, rest) = head::<18>(self.payload, short)?;
        self.payload = rest;
        self.carries_frame = true;
        Ok(inner.last_chunk().copied().map(be16))
    }

    /// A stack of labels (RFC 3032) does not say what it carries: an IP packet tells by its version, a frame by the control
    /// word of a pseudowire in front of it, whose first four bits are 0 (RFC 4385, section 3).
    fn carry_mpls(&mut self) -> Result<Option<u16>, Undecoded> {
        for _ in 0..LABELS_MAX {
            let (&[_, _, last, _], rest) = head::<4>(self.payload, Reason::MplsShort)?;
            self.payload = rest;
            if last & 1 == 0 {
                continue;
            }
            match self.payload.first().map(|first| first >> 4) {
                Some(4 | 6) => {
                    self.protocol = Ok(Protocol::Ip);
                    return Ok(None);
                }
                Some(0) => return self.carry_frame(Reason::MplsShort),
                Some(other) => return Err(Undecoded::new(Reason::MplsPayload, 0, 4, other.into())),
                None => return Err(Undecoded::new(Reason::MplsShort, 0, 1, 0)),
            }
        }
        Err(Undecoded::new(Reason::MplsDepth, 0, LABELS_MAX, LABELS_MAX.saturating_add(1)))
    }

    /// Version and type, code, session, length, and the number of a protocol of PPP.
    fn carry_pppoe(&mut self) -> Result<(), Undecoded> {
        let (&[_, _, _, _, l0, l1, p0, p1], rest) = head::<8>(self.payload, Reason::PppoeShort)?;
        // The length counts the number of the protocol.
        self.payload = rest.get(..usize::from(be16([l0, l1])).saturating_sub(2)).unwrap_or(rest);
        self.protocol = match be16([p0, p1]) {
            0x0021 | 0x0057 => Ok(Protocol::Ip),
            other => Err(Undecoded::new(Reason::PppProtocol, 6, 0x0021, other.into())),
        };
        Ok(())
    }

    fn carry_cooked(&mut self, field: u16) {
        // 1: an 802.3 frame without LLC; 4: LLC follows.
        match field {
            4 => self.carry_llc(),
            0x0600.. => self.carry(field),
            other => {
                self.protocol = Err(Undecoded::new(Reason::EtherType, 0, ETHERTYPE_MIN.into(), other.into()));
            }
        }
    }

    /// IEEE 802.2 LLC, and SNAP inside it, whose organisations 0 and 0x0000f8 number protocols as EtherTypes (RFC 1042).
    fn carry_llc(&mut self) {
        let (llc, rest) = match head::<3>(self.payload, Reason::LlcShort) {
            Ok(parts) => parts,
            Err(fault) => {
                self.protocol = Err(fault);
                return;
            }
        };
        let [destination, source, _control] = *llc;
        if (destination, source) != (0xaa, 0xaa) {
            self.protocol = Ok(Protocol::Llc(destination));
            return;
        }
        match head::<5>(rest, Reason::LlcShort) {
            Ok((&[o0, o1, o2, t0, t1], rest)) => {
                self.payload = rest;
                let number = be16([t0, t1]);
                match [o0, o1, o2] {
                    [0, 0, 0 | 0xf8] if number >= ETHERTYPE_MIN => self.carry_snap(number),
                    organisation => self.protocol = Ok(Protocol::Snap(organisation, number)),
                }
            }
            Err(fault) => self.protocol = Err(fault.seen_from(self.payload, rest)),
        }
    }

    /// A tag inside SNAP is read as one on Ethernet; a length cannot follow, so this nests once.
    fn carry_snap(&mut self, number: u16) {
        if TAGS.contains(&number) {
            if let Some((&[c0, c1, t0, t1], rest)) = self.payload.split_first_chunk::<4>() {
                self.vlan = self.vlan.or(VlanTag { protocol: number, control: be16([c0, c1]) }.id());
                self.payload = rest;
                self.protocol = Ok(Protocol::EtherType(be16([t0, t1])));
            } else {
                self.protocol = Err(Undecoded::new(Reason::VlanShort, 0, 4, self.payload.len()));
            }
        } else {
            self.protocol = Ok(Protocol::EtherType(number));
        }
    }
}

fn cooked_address(hardware: u16, length: u16, address: [u8; 6]) -> Option<MacAddr> {
    (hardware == HARDWARE_ETHERNET && length == 6).then_some(MacAddr(address))
}
