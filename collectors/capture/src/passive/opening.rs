//! What TCP segments that open connections say, of either end, without a look at any other.

use onenet_topology::{
    MacAddr,
    classify::{SignKind, TCP_OPTIONS_MAX, TcpTraits},
};

use super::brief::Brief;
use crate::{
    decode::{ip::IpHeader, tcp::Tcp},
    facts::{Fact, Opening, Said, Speaker, Value},
};

/// Hands on what an opening segment, or the answer to one, says of its sender.
pub(super) fn facts(header: &IpHeader<'_>, tcp: &Tcp<'_>, mac: MacAddr, mut each: impl FnMut(Fact<'_>)) {
    if tcp.opens() {
        let (initial_ttl, hops) = TcpTraits::initial_ttl(header.hop_limit);
        let (traits, clock) = read(initial_ttl, tcp);
        let (ip, peer) = (header.source, header.destination);
        each(Fact::Opening(Opening { mac, ip, peer, hops, traits, clock }));
    } else if tcp.answers() && is_telling(tcp.source_port) {
        let port = Brief::written(format_args!("{}", tcp.source_port));
        let by = Speaker::Address(header.source);
        each(Fact::Said(Said { mac, by, kind: SignKind::TcpService, value: Value::Text(port.as_bytes()) }));
    }
}

/// Reads the traits, and the value of the sender's timestamp clock where it has one.
fn read(initial_ttl: u8, tcp: &Tcp<'_>) -> (TcpTraits, Option<u32>) {
    let mut traits =
        TcpTraits { initial_ttl, window: tcp.window, segment_max: None, scale: None, options: [0; TCP_OPTIONS_MAX] };
    let mut clock = None;
    let mut rest = tcp.options;
    for letter in &mut traits.options {
        let Some((&kind, after)) = rest.split_first() else { break };
        if kind <= 1 {
            *letter = if kind == 0 { b'e' } else { b'n' };
            rest = if kind == 0 { &[] } else { after };
            continue;
        }
        // The length counts kind and length.
        let value =
            after.split_first().and_then(|(&length, body)| body.split_at_checked(usize::from(length).checked_sub(2)?));
        let Some((value, next)) = value else { break };
        *letter = match (kind, value) {
            (2, &[high, low]) => {
                traits.segment_max = Some(u16::from_be_bytes([high, low]));
                b'm'
            }
            (3, &[scale]) => {
                traits.scale = Some(scale);
                b'w'
            }
            (4, []) => b's',
            (8, &[t0, t1, t2, t3, _, _, _, _]) => {
                clock = Some(u32::from_be_bytes([t0, t1, t2, t3])).filter(|clock| *clock != 0);
                b't'
            }
            _ => b'?',
        };
        rest = next;
    }
    (traits, clock)
}

/// Returns whether a port on which something answers says anything of what that is; see the classifier's rules.
const fn is_telling(port: u16) -> bool {
    matches!(
        port,
        22 | 23
            | 25
            | 53
            | 80
            | 88
            | 102
            | 110
            | 135
            | 139
            | 143
            | 179
            | 389
            | 443
            | 445
            | 464
            | 465
            | 502
            | 515
            | 548
            | 554
            | 587
            | 631
            | 636
            | 902
            | 903
            | 993
            | 995
            | 1433
            | 1521
            | 1720
            | 2049
            | 2404
            | 3260
            | 3268
            | 3306
            | 3389
            | 5000
            | 5001
            | 5003
            | 5060
            | 5061
            | 5236
            | 5432
            | 5985
            | 5986
            | 6379
            | 7000
            | 8000
            | 8008
            | 8009
            | 8080
            | 8443
            | 9003
            | 9100
            | 9101
            | 20_000
            | 27_017
            | 37_776
            | 37_777
            | 44_818
            | 47_001
            | 50_000
            | 54_321
            | 62_078
    )
}
