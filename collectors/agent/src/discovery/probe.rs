//! How a sweep asks: ARP where the address is on a segment of ours, ICMP echo where a router is between (RFC 826, RFC 792).
//!
//! Invariant: an answer counts only with what the question carried: an echo with our identifier and token, an ARP reply to
//! our own address. Neither fills the kernel's table of neighbours: ARP is spoken here, and echo goes to the gateway. Both
//! need CAP_NET_RAW.

use std::{
    io::{self, Read as _},
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    os::fd::IntoRawFd as _,
    sync::Arc,
    time::Duration,
};

use ipnetwork::{IpNetwork, Ipv4Network};
use pnet::{
    datalink::{self, Channel, ChannelType, DataLinkReceiver, DataLinkSender, MacAddr, NetworkInterface},
    packet::{
        MutablePacket as _, Packet as _,
        arp::{ArpHardwareTypes, ArpOperations, ArpPacket, MutableArpPacket},
        ethernet::{EtherTypes, EthernetPacket, MutableEthernetPacket},
        icmp::{self, IcmpPacket, IcmpTypes, echo_reply::EchoReplyPacket, echo_request::MutableEchoRequestPacket},
        ipv4::Ipv4Packet,
    },
};
use socket2::{Domain, Protocol, SockAddr, SockFilter, Socket, Type};

/// ETH_P_ARP.
const ARP: u16 = 0x0806;

/// An Ethernet frame with an ARP packet for IPv4.
const ARP_FRAME_BYTES: usize = 14 + 28;

/// An echo: its header, our token, and the time of sending.
const ECHO_BYTES: usize = 8 + 8 + 8;

/// Answers of thousands of hosts may come at once, in bytes.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// How long one look for an ARP reply takes.
const LOOK: Duration = Duration::from_millis(1);

/// Asks addresses, and hears answers.
pub(crate) trait Probe {
    /// Asks an address.
    fn ask(&mut self, address: Ipv4Addr, now_us: u64) -> io::Result<()>;
    /// Returns who answered, and how long that took where it is known; `None` when nobody has by now.
    fn heard(&mut self, now_us: u64) -> Option<(Ipv4Addr, Option<u64>)>;
}

/// The instruction of a socket filter that returns how many bytes are kept.
const KEEP: u16 = 0x06;

/// The sockets of sweeps, opened before the process gives up the right to. Cheap to clone. One that was not opened has sweeps open
/// their own. A socket is used by one sweep at a time; between sweeps it takes nothing in.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProbeSockets(Option<Arc<Opened>>);

#[derive(Debug)]
struct Opened {
    echo: Socket,
    arp: Socket,
    /// For what is announced while a sweep uses the other one. Nothing ever comes in by it.
    announcing: Socket,
}

/// A socket in use, which rests afterwards if it is kept.
struct Lease {
    socket: Socket,
    kept: bool,
}

/// Asks by ICMP echo.
pub(crate) struct Echo {
    lease: Lease,
    token: [u8; 8],
    sequence: u16,
}

/// Asks by ARP on one segment.
pub(crate) struct Arp {
    _lease: Lease,
    sender: Box<dyn DataLinkSender>,
    receiver: Box<dyn DataLinkReceiver>,
    mac: MacAddr,
    address: Ipv4Addr,
}

/// A segment that this machine is on.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    interface: NetworkInterface,
    address: Ipv4Addr,
    pub(crate) prefix: Ipv4Network,
}

/// Returns the segments of this machine: its Ethernet interfaces that are up, with their IPv4 prefixes.
pub(crate) fn segments() -> Vec<Segment> {
    let mut segments = Vec::new();
    for interface in datalink::interfaces() {
        let speaks =
            interface.is_up() && !interface.is_loopback() && interface.is_broadcast() && interface.mac.is_some();
        if !speaks {
            continue;
        }
        for network in &interface.ips {
            let IpNetwork::V4(prefix) = as_ours(network) else { continue };
            if prefix.prefix() < 31 {
                segments.push(Segment { interface: interface.clone(), address: prefix.ip(), prefix });
            }
        }
    }
    segments
}

/// Returns the prefix in the type of our own version of its crate.
fn as_ours(network: &pnet::ipnetwork::IpNetwork) -> IpNetwork {
    let made = match network.ip() {
        IpAddr::V4(address) => Ipv4Network::new(address, network.prefix()).map(IpNetwork::V4),
        IpAddr::V6(address) => ipnetwork::Ipv6Network::new(address, network.prefix()).map(IpNetwork::V6),
    };
    made.unwrap_or_else(|_| IpNetwork::from(network.ip()))
}

impl ProbeSockets {
    /// Opens both sockets.
    pub(crate) fn open_now() -> io::Result<Self> {
        let opened = Opened { echo: open_echo()?, arp: open_arp()?, announcing: open_arp()? };
        filter(&opened.echo, 0)?;
        filter(&opened.arp, 0)?;
        filter(&opened.announcing, 0)?;
        Ok(Self(Some(Arc::new(opened))))
    }

    fn echo(&self) -> io::Result<Lease> {
        self.lease(|opened| &opened.echo, open_echo)
    }

    fn arp(&self) -> io::Result<Lease> {
        self.lease(|opened| &opened.arp, open_arp)
    }

    fn announcing(&self) -> io::Result<Socket> {
        if let Some(opened) = &self.0 {
            return opened.announcing.try_clone();
        }
        let socket = open_arp()?;
        filter(&socket, 0)?;
        Ok(socket)
    }

    fn lease(&self, kept: fn(&Opened) -> &Socket, open: fn() -> io::Result<Socket>) -> io::Result<Lease> {
        match &self.0 {
            Some(opened) => {
                let socket = kept(opened).try_clone()?;
                filter(&socket, u32::MAX)?;
                Ok(Lease { socket, kept: true })
            }
            None => Ok(Lease { socket: open()?, kept: false }),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.kept {
            // If that fails, it fills its buffer and no more.
            let _ = filter(&self.socket, 0);
        }
    }
}

fn open_echo() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    socket.set_nonblocking(true)?;
    // Less room than asked for is no reason not to work.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    Ok(socket)
}

fn open_arp() -> io::Result<Socket> {
    // Protocol 0: nothing comes in before it is bound.
    let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    Ok(socket)
}

/// Has the kernel keep so many bytes of what comes in, 0 for nothing of it.
fn filter(socket: &Socket, bytes: u32) -> io::Result<()> {
    socket.attach_filter(&[SockFilter::new(KEEP, 0, 0, bytes)])
}

impl Echo {
    pub(crate) fn open(sockets: &ProbeSockets, token: [u8; 8]) -> io::Result<Self> {
        Ok(Self { lease: sockets.echo()?, token, sequence: 0 })
    }

    fn identifier(&self) -> u16 {
        let [a, b, ..] = self.token;
        u16::from_be_bytes([a, b])
    }
}

impl Probe for Echo {
    fn ask(&mut self, address: Ipv4Addr, now_us: u64) -> io::Result<()> {
        let mut bytes = [0; ECHO_BYTES];
        self.sequence = self.sequence.wrapping_add(1);
        let Some(mut echo) = MutableEchoRequestPacket::new(&mut bytes) else { return Ok(()) };
        echo.set_icmp_type(IcmpTypes::EchoRequest);
        echo.set_identifier(self.identifier());
        echo.set_sequence_number(self.sequence);
        let payload: Vec<u8> = self.token.into_iter().chain(now_us.to_be_bytes()).collect();
        echo.set_payload(&payload);
        let checksum = IcmpPacket::new(echo.packet()).map_or(0, |packet| icmp::checksum(&packet));
        echo.set_checksum(checksum);
        self.lease.socket.send_to(&bytes, &SockAddr::from(SocketAddrV4::new(address, 0))).map(|_| ())
    }

    fn heard(&mut self, now_us: u64) -> Option<(Ipv4Addr, Option<u64>)> {
        let mut buffer = [0; 256];
        loop {
            let length = (&self.lease.socket).read(&mut buffer).ok()?;
            if let Some((from, sent_us)) = echo_reply(buffer.get(..length)?, self.token) {
                return Some((from, Some(now_us.saturating_sub(sent_us))));
            }
        }
    }
}

/// Returns who answers our echo, and when that was sent.
fn echo_reply(datagram: &[u8], token: [u8; 8]) -> Option<(Ipv4Addr, u64)> {
    let ip = Ipv4Packet::new(datagram)?;
    let head = usize::from(ip.get_header_length()) * 4;
    let reply = EchoReplyPacket::new(datagram.get(head..)?)?;
    if reply.get_icmp_type() != IcmpTypes::EchoReply {
        return None;
    }
    let (carried, sent) = reply.payload().split_at_checked(token.len())?;
    let sent_us = u64::from_be_bytes(sent.get(..8)?.try_into().ok()?);
    (carried == token).then(|| (ip.get_source(), sent_us))
}

impl Arp {
    pub(crate) fn open(sockets: &ProbeSockets, segment: &Segment) -> io::Result<Self> {
        let lease = sockets.arp()?;
        let config = datalink::Config {
            // It takes the descriptor over and binds the socket to the interface, for ARP alone.
            socket_fd: Some(lease.socket.try_clone()?.into_raw_fd()),
            channel_type: ChannelType::Layer3(ARP),
            promiscuous: false,
            read_timeout: Some(LOOK),
            ..datalink::Config::default()
        };
        match datalink::channel(&segment.interface, config)? {
            Channel::Ethernet(sender, receiver) => {
                let mac = segment.interface.mac.unwrap_or_default();
                Ok(Self { _lease: lease, sender, receiver, mac, address: segment.address })
            }
            _ => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }

    fn question(&self, address: Ipv4Addr) -> Option<[u8; ARP_FRAME_BYTES]> {
        question(self.mac, self.address, address)
    }
}

/// Returns the question of `mac`, which has `own`, for `address`.
fn question(mac: MacAddr, own: Ipv4Addr, address: Ipv4Addr) -> Option<[u8; ARP_FRAME_BYTES]> {
    let mut bytes = [0; ARP_FRAME_BYTES];
    let mut frame = MutableEthernetPacket::new(&mut bytes)?;
    frame.set_destination(MacAddr::broadcast());
    frame.set_source(mac);
    frame.set_ethertype(EtherTypes::Arp);
    let mut arp = MutableArpPacket::new(frame.payload_mut())?;
    arp.set_hardware_type(ArpHardwareTypes::Ethernet);
    arp.set_protocol_type(EtherTypes::Ipv4);
    arp.set_hw_addr_len(6);
    arp.set_proto_addr_len(4);
    arp.set_operation(ArpOperations::Request);
    arp.set_sender_hw_addr(mac);
    arp.set_sender_proto_addr(own);
    arp.set_target_proto_addr(address);
    Some(bytes)
}

impl Segment {
    /// Returns the name of the interface.
    pub(crate) fn interface(&self) -> &str {
        &self.interface.name
    }

    /// Returns the address of the card.
    pub(crate) fn mac(&self) -> Option<onenet_topology::MacAddr> {
        self.interface.mac.map(|mac| onenet_topology::MacAddr(mac.octets()))
    }
}

/// Announces this machine's own address on a segment: an ARP request for it from itself (RFC 5227, section 2.3), which nobody
/// answers and every switch passes on.
pub(crate) fn announce(sockets: &ProbeSockets, segment: &Segment) -> io::Result<()> {
    let mac = segment.interface.mac.unwrap_or_default();
    let Some(frame) = question(mac, segment.address, segment.address) else { return Ok(()) };
    let config = datalink::Config {
        socket_fd: Some(sockets.announcing()?.into_raw_fd()),
        channel_type: ChannelType::Layer3(ARP),
        promiscuous: false,
        read_timeout: Some(LOOK),
        ..datalink::Config::default()
    };
    match datalink::channel(&segment.interface, config)? {
        Channel::Ethernet(mut sender, _receiver) => {
            sender.send_to(&frame, None).unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::Unsupported)))
        }
        _ => Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
}

impl Probe for Arp {
    fn ask(&mut self, address: Ipv4Addr, _: u64) -> io::Result<()> {
        let Some(frame) = self.question(address) else { return Ok(()) };
        self.sender.send_to(&frame, None).unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::Unsupported)))
    }

    fn heard(&mut self, _: u64) -> Option<(Ipv4Addr, Option<u64>)> {
        loop {
            // It waits a moment, and then says that it timed out.
            let frame = self.receiver.next().ok()?;
            if let Some(from) = arp_reply(frame, self.address) {
                return Some((from, None));
            }
        }
    }
}

/// Returns who answers a question of ours.
fn arp_reply(frame: &[u8], ours: Ipv4Addr) -> Option<Ipv4Addr> {
    let frame = EthernetPacket::new(frame)?;
    let arp = ArpPacket::new(frame.payload())?;
    let answers = frame.get_ethertype() == EtherTypes::Arp
        && arp.get_operation() == ArpOperations::Reply
        && arp.get_target_proto_addr() == ours;
    answers.then(|| arp.get_sender_proto_addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_counts_only_with_our_token() {
        let mut datagram = vec![0x45, 0, 0, 44, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1];
        datagram.extend([0, 0, 0, 0, 0, 1, 0, 1]);
        datagram.extend(b"ourtoken");
        datagram.extend(77_u64.to_be_bytes());
        assert_eq!(echo_reply(&datagram, *b"ourtoken"), Some((Ipv4Addr::new(10, 0, 0, 9), 77)));
        assert_eq!(echo_reply(&datagram, *b"another!"), None);
        datagram[20] = 8;
        assert_eq!(echo_reply(&datagram, *b"ourtoken"), None, "a question, not an answer");
        for length in 0..datagram.len() {
            assert_eq!(echo_reply(&datagram[..length], *b"ourtoken"), None);
        }
    }

    #[test]
    fn an_arp_reply_counts_only_when_it_is_for_us() {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2];
        frame.extend([2, 0, 0, 0, 0, 2, 10, 0, 0, 9, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1]);
        let ours = Ipv4Addr::new(10, 0, 0, 1);
        assert_eq!(arp_reply(&frame, ours), Some(Ipv4Addr::new(10, 0, 0, 9)));
        assert_eq!(arp_reply(&frame, Ipv4Addr::new(10, 0, 0, 7)), None);
        frame[21] = 1;
        assert_eq!(arp_reply(&frame, ours), None, "a question, not an answer");
        assert_eq!(arp_reply(&frame[..30], ours), None);
    }
}
