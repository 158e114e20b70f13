//! Packets and frames inside other packets: IP in IP (RFC 2003, RFC 2473, RFC 4213), GRE (RFC 2784, RFC 2890, and the version of PPTP,
//! RFC 2637), NVGRE (RFC 7637), VXLAN (RFC 7348), Geneve (RFC 8926), ERSPAN of three types, GTP-U (3GPP TS 29.281).
//!
//! Invariants: what is inside is a part of the bytes it was found in. A tunnel over UDP is known by its port alone, so that
//! a datagram that does not look like one is no fault. What ERSPAN carries was on a segment that a switch watches for us;
//! what others carry was on a segment elsewhere.

use super::{Content, Packet, Reason, Transport, Undecoded, be16, head, ip::protocol, link::Link, udp::Udp};
use crate::link::VlanTag;

/// The deepest nesting that is read.
pub const TUNNELS_MAX: usize = 4;

/// UDP ports: VXLAN's own, and the one that Linux took before; Geneve; GTP-U.
const VXLAN: [u16; 2] = [4789, 8472];
const GENEVE: u16 = 6081;
const GTP_U: u16 = 2152;

/// Types of what GRE carries, where they are not those of a packet.
const BRIDGED: u16 = 0x6558;
const ERSPAN: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;
const PPP: u16 = 0x880b;
/// A router's own question whether the tunnel lives.
const KEEP_ALIVE: u16 = 0;

/// The most extension headers of GTP-U that are passed over.
const GTP_EXTENSIONS_MAX: usize = 8;

/// What stands at the beginning of what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// An IP packet of either version.
    Ip,
    /// What an EtherType says.
    Type(u16),
    /// A frame, with the tag that the carrier tells beside it.
    Frame(Option<VlanTag>),
}

/// A packet or frame inside a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tunnelled<'a> {
    /// What was captured of it.
    pub bytes: &'a [u8],
    /// Its length, captured or not.
    pub length: u32,
    /// Whether a switch mirrored it to here: it was on a segment that is watched, not on one at the tunnel's other end.
    pub mirrored: bool,
    /// The virtual network that it belongs to, where the tunnel carries several.
    pub network: Option<u32>,
    layer: Layer,
    /// Whether its end is missing through no fault of its sender.
    cut: bool,
}

impl<'a> Packet<'a> {
    /// Returns what is inside this packet if it is a tunnel's.
    ///
    /// # Errors
    /// When the tunnel's header does not fit, or says what the product does not read.
    #[inline]
    pub fn inside(&self) -> Result<Option<Tunnelled<'a>>, Undecoded> {
        let Content::Ip(ip) = &self.content else { return Ok(None) };
        match (&ip.transport, ip.header.protocol) {
            (Transport::Udp(udp), _) if is_tunnel(udp) => Ok(self.inside_udp(udp)),
            (Transport::Other, protocol::IPV4 | protocol::IPV6) => Ok(Some(self.carried(Layer::Ip, ip.header.payload))),
            (Transport::Other, protocol::GRE) => {
                let cut = self.cut || ip.header.fragment.is_some();
                self.inside_gre(ip.header.payload).map_err(|fault| fault.blamed(cut))
            }
            _ => Ok(None),
        }
    }

    fn carried(&self, layer: Layer, bytes: &'a [u8]) -> Tunnelled<'a> {
        let (missing, part) = match &self.content {
            Content::Ip(ip) => (ip.header.missing, ip.header.fragment.is_some()),
            _ => (0, false),
        };
        let length = u32::try_from(bytes.len().saturating_add(missing)).unwrap_or(u32::MAX);
        Tunnelled { bytes, length, mirrored: false, network: None, layer, cut: part || self.cut }
    }

    #[cold]
    fn inside_udp(&self, udp: &Udp<'a>) -> Option<Tunnelled<'a>> {
        match udp.destination_port {
            GTP_U => gtp(udp.payload).map(|bytes| self.carried(Layer::Ip, bytes)),
            GENEVE => geneve(udp.payload).map(|(network, kind, bytes)| {
                let layer = if kind == BRIDGED { Layer::Frame(None) } else { Layer::Type(kind) };
                Tunnelled { network: Some(network), ..self.carried(layer, bytes) }
            }),
            _ => vxlan(udp.payload).map(|(network, frame)| Tunnelled {
                network: Some(network),
                ..self.carried(Layer::Frame(None), frame)
            }),
        }
    }

    #[cold]
    fn inside_gre(&self, bytes: &'a [u8]) -> Result<Option<Tunnelled<'a>>, Undecoded> {
        let (&[f0, f1, t0, t1], rest) = head::<4>(bytes, Reason::GreShort)?;
        let (flags, kind) = (be16([f0, f1]), be16([t0, t1]));
        let placed = |fault: Undecoded, inner: &[u8]| fault.seen_from(bytes, inner);
        let fields = Fields::read(flags, rest).map_err(|fault| placed(fault, rest))?;
        let payload = fields.payload;
        if flags & 7 == 1 {
            // An acknowledgement alone carries nothing.
            let carries = kind == PPP && fields.sequenced;
            return if carries { ppp(payload).map(|ip| ip.map(|ip| self.carried(Layer::Ip, ip))) } else { Ok(None) };
        }
        match kind {
            KEEP_ALIVE => Ok(None),
            BRIDGED => {
                let network = fields.key.map(|key| key >> 8);
                Ok(Some(Tunnelled { network, ..self.carried(Layer::Frame(None), payload) }))
            }
            ERSPAN if !fields.sequenced => Ok(Some(self.mirrored(0, false, payload))),
            ERSPAN => {
                let (&[v0, v1, s0, _, _, _, _, _], frame) =
                    head::<8>(payload, Reason::ErspanShort).map_err(|fault| placed(fault, payload))?;
                Ok(Some(self.mirrored(be16([v0, v1]), s0 & 0x04 != 0, frame)))
            }
            ERSPAN_3 => self.inside_erspan_3(payload).map_err(|fault| placed(fault, payload)),
            0x0600.. => Ok(Some(self.carried(Layer::Type(kind), payload))),
            _ => Err(Undecoded::new(Reason::GreProtocol, 2, 0x0800, kind.into())),
        }
    }

    /// Reads a header of type III; what it carries need not be a frame.
    fn inside_erspan_3(&self, bytes: &'a [u8]) -> Result<Option<Tunnelled<'a>>, Undecoded> {
        let (&[v0, v1, s0, _, _, _, _, _, _, _, kind, options], rest) = head::<12>(bytes, Reason::ErspanShort)?;
        let frame = if options & 1 == 0 {
            rest
        } else {
            // A part that depends on the platform.
            head::<8>(rest, Reason::ErspanShort).map_err(|fault| fault.seen_from(bytes, rest))?.1
        };
        let is_frame = kind & 0x7c == 0;
        Ok(is_frame.then(|| self.mirrored(be16([v0, v1]), s0 & 0x04 != 0, frame)))
    }

    /// Returns a mirrored frame, of the VLAN that the low 12 bits say.
    fn mirrored(&self, vlan: u16, cut: bool, frame: &'a [u8]) -> Tunnelled<'a> {
        let tag = Some(VlanTag { protocol: 0x8100, control: vlan & 0x0fff });
        let carried = self.carried(Layer::Frame(tag), frame);
        Tunnelled { mirrored: true, cut: cut || carried.cut, ..carried }
    }
}

impl<'a> Tunnelled<'a> {
    /// Returns what the packet or frame says, as far as it can be read. Link addresses are told of mirrored frames alone.
    ///
    /// # Errors
    /// When not even the link layer can be read.
    pub fn parse(&self) -> Result<Packet<'a>, Undecoded> {
        let cut = self.cut || usize::try_from(self.length).is_ok_and(|length| length > self.bytes.len());
        let link = match self.layer {
            Layer::Ip => Link::ip(self.bytes),
            Layer::Type(number) => Link::of_type(number, self.bytes),
            Layer::Frame(tag) => Link::frame(self.bytes, tag).map_err(|fault| fault.blamed(cut))?,
        };
        let link =
            if self.mirrored { link } else { Link { source: None, destination: None, carries_frame: true, ..link } };
        Ok(Packet { network: self.network, ..Packet::from_link(&link, self.bytes, cut) })
    }
}

/// Returns whether a datagram may be a tunnel's.
#[inline]
fn is_tunnel(udp: &Udp<'_>) -> bool {
    VXLAN.contains(&udp.destination_port) || matches!(udp.destination_port, GENEVE | GTP_U)
}

/// What GRE says between its first four bytes and what it carries.
struct Fields<'a> {
    key: Option<u32>,
    sequenced: bool,
    payload: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Reads what the flags say is there: checksum, key, sequence number, and in version 1 what was received.
    fn read(flags: u16, bytes: &'a [u8]) -> Result<Self, Undecoded> {
        const CHECKSUM: u16 = 0x8000;
        const ROUTING: u16 = 0x4000;
        const KEY: u16 = 0x2000;
        const SEQUENCE: u16 = 0x1000;
        const RECEIVED: u16 = 0x0080;
        let version = flags & 7;
        if version > 1 || flags & ROUTING != 0 {
            return Err(Undecoded::new(Reason::GreFormat, 0, 0, flags.into()));
        }
        let mut rest = bytes;
        let mut word = |present: bool| -> Result<Option<u32>, Undecoded> {
            if !present {
                return Ok(None);
            }
            let (octets, after) = head::<4>(rest, Reason::GreShort).map_err(|fault| fault.seen_from(bytes, rest))?;
            rest = after;
            Ok(Some(u32::from_be_bytes(*octets)))
        };
        word(flags & CHECKSUM != 0)?;
        let key = word(flags & KEY != 0)?;
        let sequenced = word(flags & SEQUENCE != 0)?.is_some();
        word(version == 1 && flags & RECEIVED != 0)?;
        Ok(Self { key, sequenced, payload: rest })
    }
}

/// Returns the IP packet in a frame of PPP, whose address and the zero of whose protocol may have been left out; `None` of
/// PPP's own control and of what is compressed or encrypted.
fn ppp(bytes: &[u8]) -> Result<Option<&[u8]>, Undecoded> {
    let frame = bytes.strip_prefix(&[0xff, 0x03]).unwrap_or(bytes);
    match frame {
        [0x00, 0x21 | 0x57, packet @ ..] | [0x21 | 0x57, packet @ ..] => Ok(Some(packet)),
        [_, _, ..] => Ok(None),
        _ => Err(Undecoded::new(Reason::GreShort, bytes.len(), 2, bytes.len()).seen_from(bytes, frame)),
    }
}

/// Returns network and frame. The flags have to say that there is a network's number; one more is a group policy's.
fn vxlan(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (&[flags, _, _, _, n0, n1, n2, last], frame) = bytes.split_first_chunk()?;
    (flags & !0x80 == 0x08 && last == 0).then(|| (u32::from_be_bytes([0, n0, n1, n2]), frame))
}

/// Returns network, what is inside as an EtherType, and that, behind the options. Version 0 carries no control messages here.
fn geneve(bytes: &[u8]) -> Option<(u32, u16, &[u8])> {
    let (&[length, flags, t0, t1, n0, n1, n2, _], rest) = bytes.split_first_chunk()?;
    let options = usize::from(length & 0x3f).saturating_mul(4);
    let inner = rest.get(options..)?;
    let kind = be16([t0, t1]);
    let carries = length >> 6 == 0 && flags & 0x80 == 0 && kind >= 0x0600;
    carries.then(|| (u32::from_be_bytes([0, n0, n1, n2]), kind, inner))
}

/// Returns the packet that GTP-U carries: version 1, not charging, a message of type 255.
fn gtp(bytes: &[u8]) -> Option<&[u8]> {
    let (&[flags, 0xff, _, _, _, _, _, _], mut rest) = bytes.split_first_chunk()? else { return None };
    if flags >> 4 != 0x3 {
        return None;
    }
    if flags & 0x07 != 0 {
        let (&[_, _, _, mut next], mut after) = rest.split_first_chunk::<4>()?;
        for _ in 0..GTP_EXTENSIONS_MAX {
            if flags & 0x04 == 0 || next == 0 {
                break;
            }
            let length = usize::from(*after.first()?).saturating_mul(4);
            let (extension, behind) = after.split_at_checked(length)?;
            next = *extension.last()?;
            after = behind;
        }
        rest = after;
    }
    matches!(rest.first()? >> 4, 4 | 6).then_some(rest)
}
