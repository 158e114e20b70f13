//! Community id, version 1: a name for a flow that other tools (Zeek, Suricata, Arkime, Wireshark) give it too.
//!
//! Invariant: both directions of a flow have one id. The number is a digest of addresses, protocol and ports, with seed 0 as
//! the other tools have it by default; it identifies, and protects nothing.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

use super::FlowRecord;
use crate::decode::ip::protocol;

/// What other tools take by default.
const SEED: u16 = 0;

/// Returns the id of a flow.
pub(super) fn community_id(flow: &FlowRecord) -> String {
    let ports = match flow.protocol {
        protocol::TCP | protocol::UDP | protocol::SCTP => Some((flow.originator.port, flow.responder.port)),
        protocol::ICMP | protocol::ICMPV6 => {
            let [kind, code] = flow.responder.port.to_be_bytes();
            let answer = if flow.protocol == protocol::ICMP { counterpart_v4(kind) } else { counterpart_v6(kind) };
            let one_way = answer.is_none();
            let ports = (u16::from(kind), u16::from(answer.unwrap_or(code)));
            return id(flow.protocol, flow.originator.ip, flow.responder.ip, Some(ports), one_way);
        }
        _ => None,
    };
    id(flow.protocol, flow.originator.ip, flow.responder.ip, ports, false)
}

/// Returns the type that goes with an ICMP type in the other direction, where one does.
const fn counterpart_v4(kind: u8) -> Option<u8> {
    Some(match kind {
        0 => 8,
        8 => 0,
        9 => 10,
        10 => 9,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        17 => 18,
        18 => 17,
        _ => return None,
    })
}

/// The same of ICMPv6: echo, multicast listeners, routers, neighbours, node information, home agents.
const fn counterpart_v6(kind: u8) -> Option<u8> {
    Some(match kind {
        128 => 129,
        129 => 128,
        130 => 131,
        131 => 130,
        133 => 134,
        134 => 133,
        135 => 136,
        136 => 135,
        139 => 140,
        140 => 139,
        144 => 145,
        145 => 144,
        _ => return None,
    })
}

/// Digests seed, the lower end's address, the higher end's, protocol, a zero, and the ports in the same order. What goes one
/// way only is not put in order.
fn id(protocol: u8, source: IpAddr, target: IpAddr, ports: Option<(u16, u16)>, one_way: bool) -> String {
    let (from, to) = ports.unwrap_or_default();
    let ordered = one_way || (octets(source), from) <= (octets(target), to);
    let ((low, low_port), (high, high_port)) =
        if ordered { ((source, from), (target, to)) } else { ((target, to), (source, from)) };
    let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    digest.update(&SEED.to_be_bytes());
    digest.update(&octets(low));
    digest.update(&octets(high));
    digest.update(&[protocol, 0]);
    if ports.is_some() {
        digest.update(&low_port.to_be_bytes());
        digest.update(&high_port.to_be_bytes());
    }
    format!("1:{}", STANDARD.encode(digest.finish()))
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().into(),
        IpAddr::V6(ip) => ip.octets().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: u8, (source, from): (&str, u16), (target, to): (&str, u16)) -> String {
        id(number, source.parse().unwrap(), target.parse().unwrap(), Some((from, to)), false)
    }

    /// The vectors that the specification publishes, as other tools test them too.
    #[test]
    fn ids_are_those_of_the_published_vectors_in_both_directions() {
        let vectors = [
            (6, ("128.232.110.120", 34855), ("66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
            (17, ("192.168.1.52", 54585), ("8.8.8.8", 53), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
            (132, ("192.168.170.8", 7), ("192.168.170.56", 7), "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
            (
                6,
                ("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943),
                ("2607:f8b0:400c:c03::1a", 25),
                "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
            ),
            // Echo and router advertisement, whose counterparts are 0 and 133.
            (1, ("192.168.0.89", 8), ("192.168.0.1", 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
            (58, ("fe80::260:97ff:fe07:69ea", 134), ("ff02::1", 133), "1:pkvHqCL88/tg1k4cPigmZXUtL00="),
        ];
        for (number, one, other, expected) in vectors {
            assert_eq!(of(number, one, other), expected);
            assert_eq!(of(number, other, one), expected);
        }
    }
}
