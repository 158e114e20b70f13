//! Tunnels and proxies: IKE (RFC 7296), OpenVPN, WireGuard, L2TP (RFC 2661, 3931), PPTP (RFC 2637), SOCKS (RFC 1928), VXLAN (RFC
//! 7348).

use onenet_topology::application::Application;

use super::{
    Detail, Look, Notes, Progress, Verdict, mark,
    reader::{Reader, split_once},
};

/// Returns the version of an IKE message, behind the mark that keeps it apart from ESP (RFC 3948, section 2.2).
fn ike(look: &Look<'_>) -> Option<u8> {
    let marked = look.ports.contains(&4500) || look.payload.starts_with(&[0; 4]);
    let payload = if marked { look.payload.strip_prefix(&[0; 4])? } else { look.payload };
    let mut reader = Reader::new(payload);
    let initiator = reader.array::<8>()?;
    let _responder = reader.take(8)?;
    let [next, version, exchange, _flags] = reader.array()?;
    let (_number, length) = (reader.be32()?, reader.be32()?);
    let plausible = match version {
        0x10 => matches!((next, exchange), (0..=21 | 128..=137, 1..=6 | 32..=34)),
        0x20 => matches!((next, exchange), (0 | 33..=54 | 132, 34..=45)),
        _ => false,
    };
    (plausible && initiator != [0; 8] && usize::try_from(length).is_ok_and(|length| length == payload.len()))
        .then_some(version >> 4)
}

/// Returns whether the payload is a message of IKE.
pub(super) fn test_ike(look: &Look<'_>) -> Verdict {
    match ike(look) {
        Some(_) => Verdict::Yes,
        // Encrypted packets, and single bytes that keep the way open.
        None if look.ports.contains(&4500) => Verdict::Short,
        None => Verdict::No,
    }
}

/// Notes the version.
pub(super) fn read_ike(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some(version) = ike(look) else { return Progress::More };
    notes.note(Detail::Version, format!("IKEv{version}").as_bytes());
    Progress::Done
}

/// Returns whether the payload opens an OpenVPN session: the client's session id comes back in the answer.
///
/// Lengths tell what lies between: nothing, or a digest of 20 or 32 bytes with a number and a time (`--tls-auth`).
pub(super) fn test_openvpn(look: &Look<'_>) -> Verdict {
    let mut reader = Reader::new(look.payload);
    if look.tcp && reader.be16().is_none_or(|length| usize::from(length) != reader.len()) {
        return Verdict::No;
    }
    let length = reader.len();
    let (Some(code), Some(_), Some(session)) = (reader.u8(), reader.be32(), reader.be32()) else { return Verdict::No };
    let guarded = |plain: usize| match length.checked_sub(plain) {
        Some(0) => Some(0),
        Some(more @ (28 | 40 | 72)) => Some(more),
        _ => None,
    };
    match code {
        // The client resets: nothing to acknowledge, its first number.
        0x38 => match guarded(14) {
            Some(more) if reader.take(more).is_some() && reader.0 == [0; 5] => Verdict::Weak(session),
            _ => Verdict::No,
        },
        // The server resets, acknowledging one packet of the session that it names.
        0x40 => {
            let Some(more) = guarded(26) else { return Verdict::No };
            let _digest = reader.take(more);
            let (Some(1), Some(0), Some(_)) = (reader.u8(), reader.be32(), reader.be32()) else { return Verdict::No };
            reader.be32().map_or(Verdict::No, Verdict::Weak)
        }
        _ => Verdict::No,
    }
}

/// Returns whether the payload is a message of WireGuard (its paper, section 5.4): kind, three zeros, a length that fits.
pub(super) fn test_wireguard(look: &Look<'_>) -> Verdict {
    match (look.payload, look.payload.len()) {
        ([1, 0, 0, 0, ..], 148) | ([2, 0, 0, 0, ..], 92) => Verdict::Yes,
        ([3, 0, 0, 0, ..], 64) => Verdict::Weak(mark(Application::Wireguard, 3)),
        ([4, 0, 0, 0, ..], length) if length >= 32 && length.is_multiple_of(16) => {
            Verdict::Weak(mark(Application::Wireguard, 4))
        }
        _ => Verdict::No,
    }
}

/// Returns the attributes of a control message of L2TP.
fn l2tp(payload: &[u8]) -> Option<Reader<'_>> {
    let mut reader = Reader::new(payload);
    reader.be16().filter(|flags| flags & 0xcf0f == 0xc802 || flags & 0xcf0f == 0xc803)?;
    let length = reader.be16()?;
    let _ids = reader.take(8)?;
    (usize::from(length) == payload.len()).then_some(reader)
}

/// Returns whether the payload is L2TP: a control message whose length fits, or data.
pub(super) fn test_l2tp(look: &Look<'_>) -> Verdict {
    match l2tp(look.payload) {
        // The first attribute is the kind of the message, and mandatory.
        Some(attributes) if attributes.0.starts_with(&[0x80, 8, 0, 0, 0, 0]) => Verdict::Yes,
        Some(attributes) if attributes.is_empty() => Verdict::Weak(mark(Application::L2tp, 0)),
        _ => match look.payload {
            [flags, 2, ..] if flags & 0x8d == 0 => Verdict::Weak(mark(Application::L2tp, 2)),
            _ => Verdict::No,
        },
    }
}

/// Notes the host and its maker.
pub(super) fn read_l2tp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some(mut attributes) = l2tp(look.payload) else { return Progress::More };
    while let (Some(length), Some(_vendor), Some(kind)) = (attributes.be16(), attributes.be16(), attributes.be16()) {
        let length = usize::from(length & 0x03ff).checked_sub(6);
        let Some(value) = length.and_then(|length| attributes.take(length)) else { break };
        match (kind, look.from_originator) {
            (7, true) => notes.note(Detail::Hostname, value),
            (7, false) => notes.note(Detail::ServerName, value),
            (8, true) => notes.note(Detail::Client, value),
            (8, false) => notes.note(Detail::Server, value),
            _ => {}
        }
    }
    if look.from_originator { Progress::More } else { Progress::Done }
}

const PPTP_COOKIE: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];

/// Returns whether the payload is a control message of PPTP.
pub(super) fn test_pptp(look: &Look<'_>) -> Verdict {
    match look.payload.get(2..8) {
        Some([0, 1 | 2, cookie @ ..]) if *cookie == PPTP_COOKIE => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// Notes host and maker of both sides.
pub(super) fn read_pptp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let text = |at: usize| {
        let field = look.payload.get(at..at.saturating_add(64)).unwrap_or_default();
        field.split(|byte| *byte == 0).next().unwrap_or_default()
    };
    match look.payload.get(8..10) {
        Some([0, 1]) => {
            notes.note(Detail::Hostname, text(28));
            notes.note(Detail::Client, text(92));
            Progress::More
        }
        Some([0, 2]) => {
            notes.note(Detail::ServerName, text(28));
            notes.note(Detail::Server, text(92));
            Progress::Done
        }
        _ => Progress::More,
    }
}

/// Where a proxy is told to connect to.
struct Target {
    host: String,
}

/// Reads a request for a connection of SOCKS 4, 4a or 5. A user's name of SOCKS 4 is passed over.
fn socks_target(payload: &[u8]) -> Option<Target> {
    let mut reader = Reader::new(payload);
    match (reader.u8()?, reader.u8()?) {
        (4, 1 | 2) => {
            let _port = reader.be16()?;
            let address = reader.array::<4>()?;
            let (user, rest) = split_once(reader.0, 0)?;
            if user.len() > 64 {
                return None;
            }
            // An address that cannot be says that a name follows.
            let host = match address {
                [0, 0, 0, 1..=255] => {
                    String::from_utf8_lossy(split_once(rest, 0).filter(|(_, rest)| rest.is_empty())?.0).into()
                }
                address if rest.is_empty() => std::net::Ipv4Addr::from(address).to_string(),
                _ => return None,
            };
            Some(Target { host })
        }
        (5, 1..=3) => {
            reader.u8().filter(|reserved| *reserved == 0)?;
            let host = match reader.u8()? {
                1 => std::net::Ipv4Addr::from(reader.array::<4>()?).to_string(),
                3 => String::from_utf8_lossy(reader.counted8()?.0).into(),
                4 => std::net::Ipv6Addr::from(reader.array::<16>()?).to_string(),
                _ => return None,
            };
            (reader.len() == 2).then_some(Target { host })
        }
        _ => None,
    }
}

/// Returns whether the payload is a greeting of SOCKS 5, a request of SOCKS 4, or an answer to one of them.
pub(super) fn test_socks(look: &Look<'_>) -> Verdict {
    match (look.payload, look.from_originator) {
        ([5, count @ 1..=16, methods @ ..], true) if methods.len() == usize::from(*count) => {
            Verdict::Weak(mark(Application::Socks, 5))
        }
        ([5, 0..=2 | 0xff], false) => Verdict::Weak(mark(Application::Socks, 5)),
        ([4, ..], true) if socks_target(look.payload).is_some() => Verdict::Weak(mark(Application::Socks, 4)),
        ([0, 0x5a..=0x5d, _, _, _, _, _, _], false) => Verdict::Weak(mark(Application::Socks, 4)),
        _ => Verdict::No,
    }
}

/// Notes where the proxy is told to connect to. What it carries afterwards is read when it is TLS.
pub(super) fn read_socks(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if look.from_originator
        && let Some(target) = socks_target(look.payload)
    {
        notes.note(Detail::ServerName, target.host.as_bytes());
        notes.note(Detail::Version, if look.payload.first() == Some(&4) { b"SOCKS4" } else { b"SOCKS5" });
    }
    Progress::More
}

/// Returns whether the payload is a header of VXLAN, with a frame behind it.
pub(super) fn test_vxlan(look: &Look<'_>) -> Verdict {
    match look.payload {
        [8, 0, 0, 0, _, _, _, 0, frame @ ..] if frame.len() >= 14 => Verdict::Weak(mark(Application::Vxlan, 0)),
        _ => Verdict::No,
    }
}
