//! What keeps a network running: NTP (RFC 5905), SNMP (RFC 3411), syslog (RFC 5424, 3164), DHCP (RFC 2131, 8415), export of flows
//! (RFC 3954, 7011, sFlow), BGP (RFC 4271).
//!
//! Communities of SNMP and keys of NTP are passed over.

use onenet_topology::application::Application;

use super::{
    Detail, Look, Notes, Progress, Verdict,
    directory::{element, tagged},
    mark,
    reader::{Reader, decimal, is_printable, line, split_once},
};
use crate::decode::dhcp::{Dhcp, MessageKind};

/// Returns whether the payload looks like NTP's. Client and server are connected by the client's time stamp.
pub(super) fn test_ntp(look: &Look<'_>) -> Verdict {
    let Some(head) = look.payload.first_chunk::<48>() else { return test_ntp_control(look.payload) };
    let [flags, stratum, poll, ..] = *head;
    let (version, mode) = (flags >> 3 & 7, flags & 7);
    let poll_plausible = matches!(poll.cast_signed(), -8..=24);
    // Behind the header: nothing, a key with a digest, or extensions.
    let length_plausible = look.payload.len().is_multiple_of(4) && look.payload.len() <= 1_024;
    if !matches!((version, mode), (1..=4, 1..=5)) || stratum > 16 || !poll_plausible || !length_plausible {
        return test_ntp_control(look.payload);
    }
    // Low halves of the transmit stamp, and of the originate stamp of the answer.
    let at = if matches!(mode, 3 | 1) { 44 } else { 28 };
    let mark = head.get(at..).and_then(|tail| Reader::new(tail).be32()).unwrap_or_default();
    Verdict::Weak(mark)
}

/// Control messages (RFC 9327) and those of ntpdc.
fn test_ntp_control(payload: &[u8]) -> Verdict {
    match *payload {
        [flags, _, s0, s1, _, _, _, _, _, _, c0, c1, ..] if flags & 7 == 6 && matches!(flags >> 3 & 7, 1..=4) => {
            let count = usize::from(u16::from_be_bytes([c0, c1]));
            let fits = payload.len() >= count.saturating_add(12);
            if fits { Verdict::Weak(mark(Application::Ntp, u16::from_be_bytes([s0, s1]))) } else { Verdict::No }
        }
        [flags, _, 0..=3, _, _, _, _, _, ..] if flags & 7 == 7 && matches!(flags >> 3 & 7, 1..=4) => {
            Verdict::Weak(mark(Application::Ntp, 7))
        }
        _ => Verdict::No,
    }
}

/// Notes the version.
pub(super) fn read_ntp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if let Some(flags) = look.payload.first() {
        notes.note(Detail::Version, format!("NTPv{}", flags >> 3 & 7).as_bytes());
    }
    Progress::Done
}

/// Returns version and name of the operation of a message.
fn snmp(payload: &[u8]) -> Option<(&'static str, Option<&'static str>)> {
    let mut reader = Reader::new(payload);
    let ((0x30, mut message), _) = element(&mut reader)? else { return None };
    let version = match tagged(&mut message, 0x02)?.0 {
        [0] => "SNMPv1",
        [1] => "SNMPv2c",
        [3] => {
            // Global data: message number, size, flags, security model.
            let mut global = tagged(&mut message, 0x30)?;
            let (_number, _size) = (tagged(&mut global, 0x02)?, tagged(&mut global, 0x02)?);
            tagged(&mut global, 0x04).filter(|flags| flags.len() == 1)?;
            return Some(("SNMPv3", None));
        }
        _ => return None,
    };
    let _community = tagged(&mut message, 0x04)?;
    let operation = match message.0.first()? {
        0xa0 => "get",
        0xa1 => "get-next",
        0xa2 => "response",
        0xa3 => "set",
        0xa4 | 0xa7 => "trap",
        0xa5 => "get-bulk",
        0xa6 => "inform",
        0xa8 => "report",
        _ => return None,
    };
    Some((version, Some(operation)))
}

/// Returns whether the payload is a message of SNMP.
pub(super) fn test_snmp(look: &Look<'_>) -> Verdict {
    if snmp(look.payload).is_some() { Verdict::Yes } else { Verdict::No }
}

/// Notes version and operation.
pub(super) fn read_snmp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if let Some((version, operation)) = snmp(look.payload) {
        notes.note(Detail::Version, version.as_bytes());
        notes.note(Detail::Method, operation.unwrap_or_default().as_bytes());
    }
    Progress::Done
}

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Returns what follows the priority, behind the count of octets that may come first over TCP (RFC 6587).
fn syslog(payload: &[u8]) -> Option<&[u8]> {
    let counted = split_once(payload, b' ').filter(|(count, _)| count.len() <= 5 && decimal(count).is_some());
    let message = counted.map_or(payload, |(_, message)| message);
    let inside = message.strip_prefix(b"<")?;
    let end = inside.iter().take(4).position(|byte| *byte == b'>')?;
    let (priority, rest) = inside.split_at_checked(end)?;
    (end != 0 && decimal(priority)? <= 191).then_some(rest.get(1..)?)
}

/// Returns whether the payload is a message of syslog.
pub(super) fn test_syslog(look: &Look<'_>) -> Verdict {
    let Some(rest) = syslog(look.payload) else { return Verdict::No };
    let dated = MONTHS.iter().any(|month| rest.starts_with(month) && rest.get(3) == Some(&b' '));
    match rest {
        _ if dated => Verdict::Yes,
        // The newer form, and dates of some devices.
        [b'1', b' ', b'0'..=b'9' | b'-', ..] | [b'2', b'0', _, _, b'-', ..] => Verdict::Yes,
        _ if is_printable(line(rest).0) && rest.len() >= 8 => Verdict::Weak(mark(Application::Syslog, 0)),
        _ => Verdict::No,
    }
}

/// Notes the host that the message names.
pub(super) fn read_syslog(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some(rest) = syslog(look.payload) else { return Progress::More };
    let mut words = line(rest).0.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let host = match first {
        b"1" => words.nth(1),
        month if MONTHS.contains(&month) => {
            let _day = words.next();
            // Some devices give the year before the time, some behind it.
            let host = words.find(|word| !(word.contains(&b':') || decimal(word).is_some()));
            // Programs that log to their own host leave it out: what follows a host is a tag.
            let tag = words.next().unwrap_or_default();
            host.filter(|_| tag.ends_with(b":") || tag.contains(&b'[') || tag.starts_with(b"%"))
        }
        _ => None,
    };
    let plausible =
        |host: &&[u8]| host.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(b)) && *host != b"-";
    notes.note(Detail::Hostname, host.filter(plausible).unwrap_or_default());
    Progress::Done
}

/// Returns whether the payload is a message of DHCP or BOOTP.
pub(super) fn test_dhcp(look: &Look<'_>) -> Verdict {
    let cookie = look.payload.get(236..240) == Some(&[99, 130, 83, 99]);
    match look.payload {
        [1 | 2, _, 0..=16, ..] if cookie => Verdict::Yes,
        [1 | 2, 1, 6, 0..=16, ..] if look.payload.len() >= 236 => {
            Verdict::Weak(Reader::new(look.payload.get(4..).unwrap_or_default()).be32().unwrap_or_default())
        }
        _ => Verdict::No,
    }
}

/// Notes the message, and what the client says it is.
pub(super) fn read_dhcp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Ok(message) = Dhcp::parse(look.payload) else { return Progress::Done };
    let method = match message.kind {
        MessageKind::Discover => "discover",
        MessageKind::Offer => "offer",
        MessageKind::Request => "request",
        MessageKind::Decline => "decline",
        MessageKind::Ack => "ack",
        MessageKind::Nak => "nak",
        MessageKind::Release => "release",
        MessageKind::Inform => "inform",
        MessageKind::Other(_) => "",
    };
    notes.note(Detail::Method, method.as_bytes());
    if message.from_client {
        notes.note(Detail::Hostname, message.hostname.unwrap_or_default());
        notes.note(Detail::Client, message.vendor_class.unwrap_or_default());
    }
    Progress::Done
}

/// Messages of DHCPv6 (RFC 8415, section 7.3).
const DHCPV6: [&str; 13] = [
    "solicit",
    "advertise",
    "request",
    "confirm",
    "renew",
    "rebind",
    "reply",
    "release",
    "decline",
    "reconfigure",
    "information-request",
    "relay-forw",
    "relay-repl",
];

/// Returns the options of a message, behind what comes first in it.
fn dhcpv6(payload: &[u8]) -> Option<(&'static str, Reader<'_>)> {
    let mut reader = Reader::new(payload);
    let kind = reader.u8()?;
    let name = DHCPV6.get(usize::from(kind.checked_sub(1)?))?;
    // A relay tells hops and two addresses; others have a transaction.
    reader.take(if kind >= 12 { 33 } else { 3 })?;
    Some((name, reader))
}

/// Returns whether the payload is a message of DHCPv6 whose options fit exactly.
pub(super) fn test_dhcpv6(look: &Look<'_>) -> Verdict {
    let Some((_, mut options)) = dhcpv6(look.payload) else { return Verdict::No };
    let mut count = 0_u32;
    while !options.is_empty() {
        let (Some(1..=255), Some(_)) = (options.be16(), options.counted16()) else { return Verdict::No };
        count = count.saturating_add(1);
    }
    match count {
        0 => Verdict::No,
        1 => Verdict::Weak(mark(Application::Dhcpv6, 0)),
        _ => Verdict::Yes,
    }
}

/// Notes the message, and the client's name (RFC 4704).
pub(super) fn read_dhcpv6(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((name, mut options)) = dhcpv6(look.payload) else { return Progress::Done };
    notes.note(Detail::Method, name.as_bytes());
    while let (Some(kind), Some(mut value)) = (options.be16(), options.counted16()) {
        if kind == 39 {
            let mut labels = Vec::new();
            let _flags = value.u8();
            while let Some(label) = value.counted8().filter(|label| !label.is_empty()) {
                if !labels.is_empty() {
                    labels.push(b'.');
                }
                labels.extend_from_slice(label.0);
            }
            notes.note(Detail::Hostname, &labels);
        }
    }
    Progress::Done
}

/// Returns the protocol by which the payload exports flows.
fn flow_export(payload: &[u8]) -> Option<&'static str> {
    let mut reader = Reader::new(payload);
    let (version, count) = (reader.be16()?, reader.be16()?);
    let rest = payload.len();
    match (version, count) {
        (5, 1..=30) => (usize::from(count).checked_mul(48)?.checked_add(24)? == rest).then_some("NetFlow v5"),
        (9, 1..) => {
            let _times = reader.take(16)?;
            sets(reader, 0..=1).then_some("NetFlow v9")
        }
        (10, _) => {
            let _times = reader.take(12)?;
            (usize::from(count) == rest && sets(reader, 2..=3)).then_some("IPFIX")
        }
        (0, 5) => {
            let address = match reader.be32()? {
                1 => 4,
                2 => 16,
                _ => return None,
            };
            let (_agent, _process, _number, _uptime) =
                (reader.take(address)?, reader.be32()?, reader.be32()?, reader.be32()?);
            let samples = reader.be32()?;
            // Samples of flows and counters, compact or expanded; vendors have their own above.
            let plausible = matches!(samples, 1..=256) && matches!(reader.be32()?, 1..=4 | 0x1000..);
            plausible.then_some("sFlow v5")
        }
        _ => None,
    }
}

/// Returns whether sets fill the rest: templates of these numbers, or data.
fn sets(mut reader: Reader<'_>, templates: std::ops::RangeInclusive<u16>) -> bool {
    let mut count = 0_u32;
    while reader.len() >= 4 {
        let (Some(id), Some(length)) = (reader.be16(), reader.be16()) else { return false };
        let body = usize::from(length).checked_sub(4).and_then(|length| reader.take(length));
        if body.is_none() || !(templates.contains(&id) || id >= 256) {
            return false;
        }
        count = count.saturating_add(1);
    }
    count != 0
}

/// Returns whether the payload exports flows.
pub(super) fn test_flow_export(look: &Look<'_>) -> Verdict {
    if flow_export(look.payload).is_some() { Verdict::Yes } else { Verdict::No }
}

/// Notes the protocol.
pub(super) fn read_flow_export(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    notes.note(Detail::Version, flow_export(look.payload).unwrap_or_default().as_bytes());
    Progress::Done
}

/// Returns kind and body of a BGP message.
fn bgp(payload: &[u8]) -> Option<(u8, Reader<'_>)> {
    let mut reader = Reader::new(payload);
    reader.take(16).filter(|marker| marker.iter().all(|byte| *byte == 0xff))?;
    let length = reader.be16()?;
    let kind = reader.u8()?;
    matches!((length, kind), (19..=4_096, 1..=5)).then_some((kind, reader))
}

/// Returns whether the payload begins with a message of BGP.
pub(super) fn test_bgp(look: &Look<'_>) -> Verdict {
    match bgp(look.payload) {
        Some(_) => Verdict::Yes,
        None if look.payload.len() < 19 && look.payload.iter().all(|byte| *byte == 0xff) => Verdict::Short,
        None => Verdict::No,
    }
}

/// Notes the autonomous systems.
pub(super) fn read_bgp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    match bgp(look.payload) {
        Some((1, mut open)) => {
            let _version = open.u8();
            let system = open.be16().unwrap_or_default();
            let kind = if look.from_originator { Detail::Client } else { Detail::Server };
            notes.note(kind, format!("AS{system}").as_bytes());
            if notes.has(Detail::Client) && notes.has(Detail::Server) { Progress::Done } else { Progress::More }
        }
        Some(_) => Progress::Done,
        None => Progress::More,
    }
}
