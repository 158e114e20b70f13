//! Frames built by hand, for tests: each layer takes its payload as bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use onenet_capture::{FrameMeta, FrameTime, LinkType, Pipeline, decode::Packet};
use onenet_topology::MacAddr;

pub(crate) const ANNA: MacAddr = MacAddr([0x00, 0x1b, 0x21, 0, 0, 0x0a]);
pub(crate) const BERT: MacAddr = MacAddr([0x00, 0x1b, 0x21, 0, 0, 0x0b]);
pub(crate) const ROUTER: MacAddr = MacAddr([0x00, 0x25, 0x9e, 0, 0, 0x01]);
pub(crate) const ANNA_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
pub(crate) const BERT_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 11);

pub(crate) const ARP: u16 = 0x0806;
pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;
pub(crate) const LLDP: u16 = 0x88cc;

pub(crate) const SYN: u8 = 0x02;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const FIN: u8 = 0x01;
pub(crate) const RST: u8 = 0x04;

pub(crate) fn at(seconds: i64) -> FrameTime {
    FrameTime::from_parts(1_700_000_000 + seconds, 0)
}

pub(crate) fn whole(bytes: &[u8]) -> FrameMeta {
    FrameMeta::whole(u32::try_from(bytes.len()).unwrap())
}

pub(crate) fn ethernet(from: MacAddr, to: MacAddr, kind: u16, payload: &[u8]) -> Vec<u8> {
    [&to.0[..], &from.0, &kind.to_be_bytes(), payload].concat()
}

pub(crate) fn tagged(vlan: u16, kind: u16, payload: &[u8]) -> Vec<u8> {
    [&vlan.to_be_bytes()[..], &kind.to_be_bytes(), payload].concat()
}

pub(crate) fn arp(operation: u16, mac: MacAddr, ip: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, operation.to_be_bytes()[1]];
    [&head[..], &mac.0, &ip.octets(), &[0; 6], &target.octets()].concat()
}

pub(crate) fn ipv4(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_part(from, to, protocol, (0, 0), payload)
}

/// `part` is the identification and the field of flags and offset.
pub(crate) fn ipv4_part(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, part: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let (id, position) = (part.0.to_be_bytes(), part.1.to_be_bytes());
    let head = [0x45, 0, length[0], length[1], id[0], id[1], position[0], position[1], 64, protocol, 0, 0];
    [&head[..], &from.octets(), &to.octets(), payload].concat()
}

pub(crate) fn ipv6(from: Ipv6Addr, to: Ipv6Addr, next: u8, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [0x60, 0, 0, 0, length[0], length[1], next, hop_limit];
    [&head[..], &from.octets(), &to.octets(), payload].concat()
}

pub(crate) fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

pub(crate) fn tcp(from: u16, to: u16, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let ports = [from.to_be_bytes(), to.to_be_bytes()].concat();
    [&ports[..], &sequence.to_be_bytes(), &[0; 4], &[0x50, flags, 0x20, 0, 0, 0, 0, 0], payload].concat()
}

/// A DHCP message; `options` without the end mark.
pub(crate) fn dhcp(op: u8, mac: MacAddr, ciaddr: Ipv4Addr, yiaddr: Ipv4Addr, options: &[u8]) -> Vec<u8> {
    let mut message = vec![0; 236];
    message[..4].copy_from_slice(&[op, 1, 6, 0]);
    message[4..8].copy_from_slice(&[0xde, 0xad, 0xbe, 0xef]);
    message[12..16].copy_from_slice(&ciaddr.octets());
    message[16..20].copy_from_slice(&yiaddr.octets());
    message[28..34].copy_from_slice(&mac.0);
    message.extend([99, 130, 83, 99]);
    message.extend(options);
    message.push(255);
    message
}

pub(crate) fn lldp_element(kind: u8, value: &[u8]) -> Vec<u8> {
    let head = u16::from(kind) << 9 | u16::try_from(value.len()).unwrap();
    [&head.to_be_bytes()[..], value].concat()
}

pub(crate) fn packet(bytes: &[u8]) -> Packet<'_> {
    Packet::parse(LinkType::Ethernet, whole(bytes), bytes).unwrap()
}

pub(crate) fn send(pipeline: &mut Pipeline, seconds: i64, frame: &[u8]) {
    pipeline.frame(at(seconds), LinkType::Ethernet, whole(frame), frame);
}

/// A TCP segment from Anna's port 40000 to Bert's 80, or back.
pub(crate) fn segment(from_anna: bool, sequence: u32, flags: u8, length: usize) -> Vec<u8> {
    let payload = vec![b'x'; length];
    if from_anna {
        ethernet(ANNA, BERT, IPV4, &ipv4(ANNA_IP, BERT_IP, 6, &tcp(40_000, 80, sequence, flags, &payload)))
    } else {
        ethernet(BERT, ANNA, IPV4, &ipv4(BERT_IP, ANNA_IP, 6, &tcp(80, 40_000, sequence, flags, &payload)))
    }
}
