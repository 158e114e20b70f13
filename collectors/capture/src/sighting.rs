//! What detectors look at beside flows: claims of addresses, servers of addresses and routes, roots of spanning trees, equipment,
//! names, what connections give away, and counts of frames.
//!
//! Invariants: at most [`SIGHTINGS_MAX`] wait to be taken, what finds no room is counted; nothing is concluded here. It does not know
//! what is usual, nor who is trusted.

use std::{collections::VecDeque, net::IpAddr};

use onenet_topology::{MacAddr, application::Application};

use crate::{
    FrameTime,
    application::Detail,
    decode::{
        Content, Ip, Packet, Transport,
        dhcp::{Dhcp, MessageKind},
        dhcpv6::Dhcpv6,
        icmp::Icmp,
        lldp::{Lldp, Name},
        nd::{Message, Nd},
        stp,
        udp::Udp,
    },
    flow::Introduction,
    passive::printable,
};

/// The most that wait to be taken.
pub const SIGHTINGS_MAX: usize = 16_384;

/// How long frames are counted together.
const STRETCH_NS: i64 = 10_000_000_000;

/// Bits by which senders are told apart: their number is estimated from those that were not met.
const SENDERS: usize = 1 << 16;

/// The hop limit that proves that a message was not forwarded (RFC 4861, section 11.2).
const UNFORWARDED: u8 = 255;

const ADVERTISE: u8 = 2;
const REPLY: u8 = 7;

/// As what a station serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Served {
    /// Addresses by DHCP.
    Dhcp,
    /// Addresses by DHCPv6.
    Dhcpv6,
    /// A way out: it advertises itself as a default router, or prefixes.
    Router,
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// A station claims an address.
    Claim {
        /// When.
        time: FrameTime,
        /// The address; unspecified where it only asks.
        ip: IpAddr,
        /// The station.
        mac: MacAddr,
        /// Whether it is an answer by its form.
        reply: bool,
        /// Whose address is asked for.
        asks: Option<IpAddr>,
    },
    /// A station serves its segment.
    Serving {
        /// When.
        time: FrameTime,
        /// As what.
        served: Served,
        /// Its address.
        ip: IpAddr,
        /// Its link address, or a relay's.
        mac: Option<MacAddr>,
    },
    /// A bridge names the root of a spanning tree.
    Tree {
        /// When.
        time: FrameTime,
        /// What it says.
        said: stp::Configuration,
    },
    /// Equipment announces itself by LLDP.
    Equipment {
        /// When.
        time: FrameTime,
        /// Its port.
        mac: MacAddr,
        /// Its chassis, where that is named by an address.
        chassis: Option<MacAddr>,
        /// What of its capabilities is switched on (IEEE 802.1AB-2016, clause 8.5.8).
        capabilities: u16,
        /// What it is called.
        name: Option<String>,
    },
    /// A name is asked for by DNS, or does not exist.
    Name {
        /// When.
        time: FrameTime,
        /// Who asks.
        client: IpAddr,
        /// Who is asked.
        server: IpAddr,
        /// The name.
        name: String,
        /// Whether it is said not to exist; otherwise it is asked for.
        missing: bool,
    },
    /// A connection told something of itself.
    Told {
        /// When.
        time: FrameTime,
        /// Who connected.
        client: IpAddr,
        /// To whom.
        server: IpAddr,
        /// To which port.
        port: u16,
        /// What it carries.
        application: Option<Application>,
        /// Of which kind it is: a login, a version, the end of a certificate.
        detail: Detail,
        /// What was told.
        text: Box<str>,
    },
    /// Frames of some ten seconds.
    Air {
        /// When they began.
        start: FrameTime,
        /// When they ended.
        end: FrameTime,
        /// How many.
        frames: u64,
        /// Of them, to everybody.
        broadcasts: u64,
        /// About how many stations sent them.
        senders: u64,
    },
}

/// What was seen and not taken yet.
#[derive(Debug)]
pub struct Sightings {
    waiting: VecDeque<Sighting>,
    dropped: u64,
    air: Air,
}

#[derive(Debug)]
struct Air {
    start: Option<FrameTime>,
    last: FrameTime,
    frames: u64,
    broadcasts: u64,
    senders: Box<[u64]>,
}

impl Default for Sightings {
    fn default() -> Self {
        let senders = vec![0; SENDERS / 64].into_boxed_slice();
        let air = Air { start: None, last: FrameTime::default(), frames: 0, broadcasts: 0, senders };
        Self { waiting: VecDeque::new(), dropped: 0, air }
    }
}

impl Sightings {
    /// Returns how many found no room.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn take(&mut self) -> impl Iterator<Item = Sighting> {
        self.waiting.drain(..)
    }

    /// Tells of the frames that were counted and not told yet.
    pub(crate) fn finish(&mut self) {
        let told = self.air.take();
        self.note(told);
    }

    fn note(&mut self, sighting: Option<Sighting>) {
        let Some(sighting) = sighting else { return };
        if self.waiting.len() < SIGHTINGS_MAX {
            self.waiting.push_back(sighting);
        } else {
            self.dropped += 1;
        }
    }

    /// Takes what a frame, or a packet inside of one, says.
    #[inline]
    pub(crate) fn packet(&mut self, time: FrameTime, packet: &Packet<'_>) {
        if let (Some(source), Some(destination)) = (packet.source, packet.destination) {
            if self.air.is_over(time) {
                let told = self.air.take();
                self.note(told);
            }
            self.air.count(time, source, destination);
        }
        let seen = match &packet.content {
            Content::Ip(ip) => match &ip.transport {
                Transport::Udp(udp) => datagram(time, packet, ip, udp),
                Transport::Icmpv6(icmp) if !packet.foreign => discovery(time, packet, ip, icmp),
                _ => return,
            },
            // What one says in the name of another counts for nobody: an access point's, or the apology of who lied.
            Content::Arp(arp) if packet.foreign || packet.source != Some(arp.sender_mac) => return,
            Content::Arp(arp) => Some(Sighting::Claim {
                time,
                ip: arp.sender_ip.into(),
                mac: arp.sender_mac,
                reply: arp.operation == 2,
                asks: (arp.operation == 1).then_some(arp.target_ip.into()),
            }),
            Content::SpanningTree(bytes) if !packet.foreign => {
                stp::parse(bytes).ok().flatten().map(|said| Sighting::Tree { time, said })
            }
            Content::Lldp(bytes) if !packet.foreign => equipment(time, packet, bytes),
            _ => return,
        };
        self.note(seen);
    }

    /// Takes what payload told of a flow.
    pub(crate) fn introduced(&mut self, introduction: &Introduction) {
        let Introduction { time, originator, responder, application, details, .. } = introduction;
        let tells = |detail: Detail| {
            let secure = matches!(application, Some(Application::Tls));
            // What a server says by Telnet is that it asks for a login, or that it needs none.
            let telnet = matches!(application, Some(Application::Telnet));
            match detail {
                Detail::Login | Detail::CertificateEnd => true,
                Detail::Version => secure,
                Detail::Server => telnet,
                _ => false,
            }
        };
        for (detail, text) in details.iter().filter(|(detail, _)| tells(*detail)) {
            let sighting = Sighting::Told {
                time: *time,
                client: originator.ip,
                server: responder.ip,
                port: responder.port,
                application: *application,
                detail,
                text: text.into(),
            };
            self.note(Some(sighting));
        }
    }
}

impl Air {
    fn is_over(&self, time: FrameTime) -> bool {
        self.start.is_some_and(|start| time.ns_since(start) >= STRETCH_NS)
    }

    fn count(&mut self, time: FrameTime, source: MacAddr, destination: MacAddr) {
        self.start.get_or_insert(time);
        self.last = self.last.max(time);
        self.frames += 1;
        self.broadcasts += u64::from(destination == MacAddr([0xff; 6]));
        let mixed = source.to_u64().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        let place = usize::try_from(mixed).unwrap_or(0) % SENDERS;
        if let Some(word) = self.senders.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// Returns what was counted, and begins anew.
    fn take(&mut self) -> Option<Sighting> {
        let start = self.start.take()?;
        let met: u32 = self.senders.iter().map(|word| word.count_ones()).sum();
        self.senders.fill(0);
        let (frames, broadcasts) = (std::mem::take(&mut self.frames), std::mem::take(&mut self.broadcasts));
        Some(Sighting::Air { start, end: self.last, frames, broadcasts, senders: met.into() })
    }
}

fn datagram(time: FrameTime, packet: &Packet<'_>, ip: &Ip<'_>, udp: &Udp<'_>) -> Option<Sighting> {
    if ip.header.fragment.is_some() {
        return None;
    }
    match (udp.source_port, udp.destination_port) {
        (_, 53) => question(udp.payload, false).map(|name| {
            let (client, server) = (ip.header.source, ip.header.destination);
            Sighting::Name { time, client, server, name, missing: false }
        }),
        (53, _) => question(udp.payload, true).map(|name| {
            let (server, client) = (ip.header.source, ip.header.destination);
            Sighting::Name { time, client, server, name, missing: true }
        }),
        (67, 67 | 68) if !packet.foreign => dhcp(time, packet, ip, udp.payload),
        (547, 546) if !packet.foreign => {
            let message = Dhcpv6::parse(udp.payload).ok().flatten()?;
            let (ip, mac) = (ip.header.source, packet.source);
            matches!(message.kind, ADVERTISE | REPLY).then_some(Sighting::Serving {
                time,
                served: Served::Dhcpv6,
                ip,
                mac,
            })
        }
        _ => None,
    }
}

fn dhcp(time: FrameTime, packet: &Packet<'_>, ip: &Ip<'_>, payload: &[u8]) -> Option<Sighting> {
    let message = Dhcp::parse(payload).ok()?;
    let serves = !message.from_client && matches!(message.kind, MessageKind::Offer | MessageKind::Ack);
    let ip = message.server.map_or(ip.header.source, IpAddr::V4);
    serves.then_some(Sighting::Serving { time, served: Served::Dhcp, ip, mac: packet.source })
}

fn discovery(time: FrameTime, packet: &Packet<'_>, ip: &Ip<'_>, icmp: &Icmp<'_>) -> Option<Sighting> {
    if ip.header.hop_limit != UNFORWARDED || ip.header.fragment.is_some() {
        return None;
    }
    let nd = Nd::parse(icmp).ok().flatten()?;
    match nd.message {
        Message::RouterAdvertisement { lifetime_s } if lifetime_s != 0 || nd.prefix.is_some() => {
            Some(Sighting::Serving { time, served: Served::Router, ip: ip.header.source, mac: packet.source })
        }
        Message::NeighbourAdvertisement { target, .. } => {
            let mac = nd.target_link.or(packet.source)?;
            Some(Sighting::Claim { time, ip: target.into(), mac, reply: true, asks: None })
        }
        Message::NeighbourSolicitation { target } => {
            let (ip, mac) = (ip.header.source, nd.source_link.or(packet.source)?);
            Some(Sighting::Claim { time, ip, mac, reply: false, asks: Some(target.into()) })
        }
        _ => None,
    }
}

/// Returns what equipment says of itself; `None` where it takes that back.
fn equipment(time: FrameTime, packet: &Packet<'_>, bytes: &[u8]) -> Option<Sighting> {
    let unit = Lldp::parse(bytes).ok().filter(|unit| unit.ttl_s != 0)?;
    let chassis = match unit.chassis {
        Name::Mac(mac) => Some(mac),
        _ => None,
    };
    let name = unit.system_name.and_then(printable);
    let capabilities = unit.capabilities_enabled.unwrap_or_default();
    Some(Sighting::Equipment { time, mac: packet.source?, chassis, capabilities, name })
}

/// Returns the name that a DNS message asks for; of an answer only where there is no such name (RFC 1035, section 4.1.1).
fn question(message: &[u8], answer: bool) -> Option<String> {
    const NO_SUCH_NAME: u8 = 3;
    let ([_, _, f0, f1, q0, q1, ..], mut rest) = message.split_first_chunk::<12>()?;
    let (is_answer, opcode, code) = (f0 & 0x80 != 0, f0 >> 3 & 15, f1 & 15);
    if is_answer != answer || opcode != 0 || (q0, q1) != (&0, &1) || answer && code != NO_SUCH_NAME {
        return None;
    }
    let mut name = String::with_capacity(rest.len().min(255));
    loop {
        let (&length, after) = rest.split_first()?;
        if length == 0 {
            break;
        }
        let label = after.get(..usize::from(length)).filter(|_| length < 64)?;
        if name.len() + label.len() > 255 {
            return None;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.extend(label.iter().map(|octet| if octet.is_ascii_graphic() { char::from(*octet) } else { '?' }));
        rest = after.get(usize::from(length)..)?;
    }
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_from_a_question_and_from_an_answer_only_where_there_is_none() {
        let message = |flags: [u8; 2]| {
            let [f0, f1] = flags;
            [&[0, 1, f0, f1, 0, 1, 0, 0, 0, 0, 0, 0, 3][..], b"www", &[3], b"mee", &[2], b"cn", &[0, 0, 1, 0, 1]]
                .concat()
        };
        let name = Some("www.mee.cn".to_owned());
        assert_eq!(question(&message([1, 0]), false), name);
        assert_eq!(question(&message([0x81, 0x83]), true), name);
        assert_eq!(question(&message([0x81, 0x80]), true), None);
        assert_eq!(question(&message([0x81, 0x83]), false), None);
        for length in 0..message([1, 0]).len() - 4 {
            assert_eq!(question(&message([1, 0])[..length], false), None, "{length}");
        }
    }

    #[test]
    fn frames_are_told_each_ten_seconds_with_about_how_many_stations_sent_them() {
        let mut sightings = Sightings::default();
        for number in 0..3_000_u64 {
            let time = FrameTime::from_unix_ns(i64::try_from(number).unwrap() * 5_000_000);
            let source = MacAddr::from_u64(0x02_0000_0000 + number % 1_000 * 77).unwrap();
            if sightings.air.is_over(time) {
                let told = sightings.air.take();
                sightings.note(told);
            }
            sightings.air.count(time, source, MacAddr([0xff; 6]));
        }
        sightings.finish();
        let told: Vec<_> = sightings.take().collect();
        let [Sighting::Air { frames: 2_000, broadcasts: 2_000, senders, .. }, Sighting::Air { frames: 1_000, .. }] =
            told.as_slice()
        else {
            panic!("{told:?}")
        };
        assert!((900..=1_000).contains(senders), "{senders}");
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let mut sightings = Sightings::default();
        for _ in 0..SIGHTINGS_MAX + 7 {
            let (ip, mac) = (IpAddr::from([10, 0, 0, 1]), None);
            sightings.note(Some(Sighting::Serving { time: FrameTime::default(), served: Served::Dhcp, ip, mac }));
        }
        assert_eq!((sightings.dropped(), sightings.take().count()), (7, SIGHTINGS_MAX));
    }
}
