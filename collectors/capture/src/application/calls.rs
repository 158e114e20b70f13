//! Calls: SIP (RFC 3261), GB/T 28181, which is SIP between video platforms and cameras, H.323 (H.225.0, H.245).

use onenet_topology::application::Application;

use super::{
    Detail, Look, Notes, Progress, Verdict,
    assembly::OCTETS_MAX,
    headers::{Start, headers, host_and_user, is_version, may_begin, reference, start},
    reader::{Reader, between, contains, decimal},
};

/// Length of a device's number in GB/T 28181 (annex D of the 2022 edition).
const DEVICE_DIGITS: usize = 20;

/// Returns whether the payload begins with a request or an answer of SIP.
pub(super) fn test_sip(look: &Look<'_>) -> Verdict {
    match start(look.payload) {
        Some(Start::Status(version)) if is_version(version, b"SIP") => Verdict::Yes,
        Some(Start::Request { version, .. }) if is_version(version, b"SIP") => Verdict::Yes,
        Some(Start::Request { target, whole: false, .. }) if target.starts_with(b"sip") && look.tcp => Verdict::Short,
        // Empty lines keep connections and address translations open (RFC 5626).
        None if matches!(look.payload, [b'\r', b'\n'] | [b'\r', b'\n', b'\r', b'\n']) => Verdict::Short,
        None if look.tcp && may_begin(look.payload) => Verdict::Short,
        _ => Verdict::No,
    }
}

/// Notes method, programs, domain; and of GB/T 28181 device and command.
pub(super) fn read_sip(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if notes.has(Detail::Command) {
        return Progress::Done;
    }
    let (mut numbers, mut length, mut is_manscdp) = (Vec::new(), 0, false);
    let answer = match start(look.payload) {
        Some(Start::Request { method, target, .. }) => {
            notes.note(Detail::Method, method);
            if let Some((host, user)) = host_and_user(target) {
                notes.note(Detail::ServerName, host);
                numbers.extend(device(user));
            }
            false
        }
        Some(Start::Status(_)) => true,
        None => return Progress::More,
    };
    let read = headers(look, |field, value| match field.to_ascii_lowercase().as_slice() {
        b"user-agent" => notes.note(if look.from_originator { Detail::Client } else { Detail::Server }, value),
        b"server" => notes.note(Detail::Server, value),
        b"from" | b"f" | b"to" | b"t" => {
            numbers.extend(host_and_user(reference(value)).and_then(|(_, user)| device(user)));
        }
        b"content-type" | b"c" => is_manscdp = contains(&value.to_ascii_lowercase(), b"manscdp"),
        b"content-length" | b"l" => length = decimal(value).unwrap_or_default(),
        _ => {}
    });
    let body = match read {
        Ok(body) => body,
        Err(progress) => return progress,
    };
    if is_manscdp && look.tcp && body.len() < length && look.payload.len() < OCTETS_MAX {
        return Progress::Partial;
    }
    if is_manscdp || numbers.len() >= 2 {
        note_device(&numbers, body, notes);
        return Progress::Is(Application::Gb28181);
    }
    if answer && notes.has(Detail::Client) { Progress::Done } else { Progress::More }
}

/// Returns a user that is a device's number.
fn device(user: &[u8]) -> Option<&[u8]> {
    (user.len() == DEVICE_DIGITS && user.iter().all(u8::is_ascii_digit)).then_some(user)
}

/// Notes the device: of the numbers that take part, the first whose digits 11 to 13, its kind, are not a platform's (200).
fn note_device(numbers: &[&[u8]], body: &[u8], notes: &mut Notes<'_>) {
    let platform = |number: &&&[u8]| number.get(10..13) != Some(b"200");
    if let Some(number) = numbers.iter().find(platform).or(numbers.first()) {
        notes.note(Detail::Device, number);
    }
    if let Some(number) = between(body, b"<DeviceID>", b"</DeviceID>") {
        notes.note(Detail::Device, number);
    }
    if let Some(command) = between(body, b"<CmdType>", b"</CmdType>") {
        notes.note(Detail::Command, command);
    }
}

/// Object identifiers that H.225.0 and H.245 begin with, without their last arc (the version).
const H225: [u8; 5] = [0x00, 0x08, 0x91, 0x4a, 0x00];
const H245: [u8; 4] = [0x00, 0x08, 0x81, 0x75];

/// Returns whether the payload is call signalling, control of a call, or a registration.
pub(super) fn test_h323(look: &Look<'_>) -> Verdict {
    if !look.tcp {
        let head = look.payload.get(..24).unwrap_or(look.payload);
        return match look.payload.first() {
            Some(0..=0x7f) if contains(head, &H225) => Verdict::Yes,
            // Later messages have nothing that tells them.
            Some(0..=0x7f) => Verdict::Short,
            _ => Verdict::No,
        };
    }
    let mut reader = Reader::new(look.payload);
    match (reader.be16(), reader.be16(), reader.0) {
        (Some(0x0300), Some(5..), [0x08, 0x02, _, _, 0x01..=0x7d, ..]) => Verdict::Yes,
        (Some(0x0300), Some(5..), control) if contains(control.get(..16).unwrap_or(control), &H245) => Verdict::Yes,
        (Some(0x0300), Some(_), []) | (Some(0x0300), None, _) => Verdict::Short,
        _ => Verdict::No,
    }
}

/// Notes who calls, by the text that is meant for a display, and whom by number (Q.931, section 4.5).
pub(super) fn read_h323(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let mut reader = Reader::new(look.payload);
    let (Some(0x0300), Some(_), Some([0x08, 0x02])) = (reader.be16(), reader.be16(), reader.array()) else {
        return Progress::More;
    };
    let (Some(_reference), Some(kind)) = (reader.be16(), reader.u8()) else { return Progress::More };
    notes.note(Detail::Method, if kind == 5 { b"SETUP" } else { b"" });
    while let Some(id) = reader.u8() {
        // Elements of one byte have the top bit; the users' element is last and long.
        if id & 0x80 != 0 {
            continue;
        }
        let Some(value) = (if id == 0x7e { None } else { reader.counted8() }) else { break };
        match (id, look.from_originator) {
            (0x28, true) => notes.note(Detail::Client, value.0),
            (0x28, false) => notes.note(Detail::Server, value.0),
            (0x70, true) => notes.note(Detail::Query, value.0.get(1..).unwrap_or_default()),
            _ => {}
        }
    }
    if look.from_originator { Progress::More } else { Progress::Done }
}
