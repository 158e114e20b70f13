//! Remote control: SSH (RFC 4253, section 4.2), Telnet (RFC 854), RDP (MS-RDPBCGR), VNC (RFC 6143).

use onenet_topology::application::Application;

use super::{
    Detail, Look, Notes, Progress, Verdict, mark,
    reader::{Reader, begins, between, find, line, utf16},
};

/// Returns whether the payload has an SSH identification, after other lines perhaps.
pub(super) fn test_ssh(look: &Look<'_>) -> Verdict {
    match identification(look.payload) {
        Some(_) => Verdict::Yes,
        None if look.payload.len() < 4 && b"SSH-".starts_with(look.payload) => Verdict::Short,
        None => Verdict::No,
    }
}

/// Notes what both sides say they are.
pub(super) fn read_ssh(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if let Some(said) = identification(look.payload) {
        notes.note(if look.from_originator { Detail::Client } else { Detail::Server }, said);
    }
    if notes.has(Detail::Client) && notes.has(Detail::Server) { Progress::Done } else { Progress::More }
}

/// Returns the identification. A server may send other lines before.
fn identification(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = payload;
    for _ in 0..8 {
        let (said, after) = line(rest);
        if begins(said, b"SSH-1.") || begins(said, b"SSH-2.") {
            return Some(said);
        }
        rest = after;
    }
    None
}

/// Returns whether the payload begins with negotiation of options. One alone may be chance.
pub(super) fn test_telnet(look: &Look<'_>) -> Verdict {
    const IAC: u8 = 255;
    match look.payload {
        [IAC, 251..=254, first, rest @ ..] if is_option(*first) => match rest {
            [IAC, 250..=254, second, ..] if is_option(*second) => Verdict::Yes,
            _ => Verdict::Weak(mark(Application::Telnet, 0)),
        },
        [IAC, 250, option, ..] if is_option(*option) => Verdict::Weak(mark(Application::Telnet, 0)),
        _ => Verdict::No,
    }
}

const fn is_option(option: u8) -> bool {
    matches!(option, 0..=50 | 200)
}

/// Notes what a server says in clear text after its negotiation.
pub(super) fn read_telnet(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if look.from_originator {
        return Progress::More;
    }
    let mut rest = look.payload;
    loop {
        rest = match rest {
            [255, 250, ..] => match find(rest, &[255, 240]) {
                Some(end) => rest.get(end.saturating_add(2)..).unwrap_or_default(),
                None => return Progress::More,
            },
            [255, 251..=254, _, after @ ..] | [255, _, after @ ..] => after,
            _ => break,
        };
    }
    let said =
        rest.split(|byte| matches!(byte, b'\r' | b'\n' | 0)).map(<[u8]>::trim_ascii).find(|said| said.len() >= 4);
    let Some(said) = said else { return Progress::More };
    notes.note(Detail::Server, said);
    Progress::Done
}

/// Returns the X.224 unit in the frame that the payload begins with (RFC 1006), its kind and what follows its fixed part.
pub(super) fn x224(payload: &[u8]) -> Option<(u8, &[u8])> {
    let mut reader = Reader::new(payload);
    let [3, 0, high, low] = reader.array()? else { return None };
    let frame = usize::from(u16::from_be_bytes([high, low]));
    let length = usize::from(reader.u8()?);
    // The frame's header has 4 bytes, the unit's length is not in itself.
    if frame < length.checked_add(5)? {
        return None;
    }
    let unit = reader.take_most(length);
    let (&kind, rest) = unit.split_first()?;
    Some((kind & 0xf0, rest.get(5..).unwrap_or_default()))
}

/// Parameters of X.224 that industrial protocols (S7, MMS) have and RDP has not: sizes and transport addresses.
const INDUSTRIAL: std::ops::RangeInclusive<u8> = 0xc0..=0xc2;

/// Returns whether the payload is RDP's request for a connection, or its confirmation.
pub(super) fn test_rdp(look: &Look<'_>) -> Verdict {
    match x224(look.payload) {
        Some((0xe0, asked)) => match asked {
            [first, ..] if INDUSTRIAL.contains(first) => Verdict::No,
            [] => Verdict::Weak(mark(Application::Rdp, 0)),
            _ if begins(asked, b"Cookie: ") || matches!(asked, [1, _, 8, 0, ..]) => Verdict::Yes,
            _ => Verdict::No,
        },
        Some((0xd0, answered)) => match answered {
            [2 | 3, _, 8, 0, ..] => Verdict::Yes,
            [] => Verdict::Weak(mark(Application::Rdp, 0)),
            _ => Verdict::No,
        },
        _ if look.payload.len() < 7 && [3, 0, 0].starts_with(look.payload.get(..3).unwrap_or(look.payload)) => {
            Verdict::Short
        }
        _ => Verdict::No,
    }
}

/// Notes the user of the cookie, and the client's name where it is in the clear.
pub(super) fn read_rdp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if !look.from_originator {
        return Progress::More;
    }
    if let Some(user) = between(look.payload, b"Cookie: mstshash=", b"\r\n") {
        notes.note(Detail::User, user);
        return Progress::More;
    }
    // Core data of the client (MS-RDPBCGR, section 2.2.1.3.2): kind 0xc001, length, version 0x0008…, 16 bytes, the name in 32.
    let core = look.payload.windows(56).find(|core| matches!(core, [0x01, 0xc0, _, 0 | 1, _, 0, 8, 0, ..]));
    if let Some(name) = core.and_then(|core| core.get(24..56)) {
        notes.note(Detail::Hostname, utf16(name).split('\0').next().unwrap_or_default().as_bytes());
        return Progress::Done;
    }
    Progress::More
}

/// Returns whether the payload is a version of the protocol, or the beginning of it.
pub(super) fn test_vnc(look: &Look<'_>) -> Verdict {
    match look.payload {
        [b'R', b'F', b'B', b' ', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'.', b'0'..=b'9', ..] => Verdict::Yes,
        short if short.len() < 9 && b"RFB 00".starts_with(short.get(..6).unwrap_or(short)) => Verdict::Short,
        _ => Verdict::No,
    }
}

/// Notes the version that the client settles on.
pub(super) fn read_vnc(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let (said, _) = line(look.payload);
    if look.from_originator && test_vnc(look) == Verdict::Yes {
        notes.note(Detail::Version, said);
        return Progress::Done;
    }
    Progress::More
}
