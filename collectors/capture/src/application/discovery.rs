//! How hosts find each other without a server: NetBIOS names and datagrams (RFC 1002), WS-Discovery (which cameras and printers
//! speak). mDNS and LLMNR are made like DNS and are read there, SSDP like HTTP.

use super::{
    Detail, Look, Notes, Progress, Verdict,
    reader::{Reader, between, contains},
};

/// Length of a NetBIOS name with two letters a byte.
const ENCODED: u8 = 32;

/// A NetBIOS name: fifteen characters, and what it is the name of.
struct NetbiosName {
    text: [u8; 15],
    kind: u8,
}

/// Reads an encoded name, which is left behind with its scope (RFC 1001, section 14.1).
fn name(reader: &mut Reader<'_>) -> Option<NetbiosName> {
    reader.u8().filter(|length| *length == ENCODED)?;
    let letters = reader.array::<32>()?;
    let mut decoded = [0; 16];
    for (byte, pair) in decoded.iter_mut().zip(letters.chunks_exact(2)) {
        let [high @ b'A'..=b'P', low @ b'A'..=b'P'] = pair else { return None };
        *byte = high.wrapping_sub(b'A') << 4 | low.wrapping_sub(b'A');
    }
    while let Some(scope) = reader.counted8().filter(|scope| !scope.is_empty()) {
        let _ = scope;
    }
    let [text @ .., kind] = decoded;
    Some(NetbiosName { text, kind })
}

impl NetbiosName {
    fn text(&self) -> &[u8] {
        self.text.trim_ascii_end()
    }
}

/// Returns the name that a message of the name service asks for or tells, its flags and its kind of record.
fn name_service(payload: &[u8]) -> Option<(u16, NetbiosName)> {
    let mut reader = Reader::new(payload);
    let (_id, flags) = (reader.be16()?, reader.be16()?);
    let counts = [reader.be16()?, reader.be16()?, reader.be16()?, reader.be16()?];
    if !matches!(counts, [1, 0, 0, 0 | 1] | [0, 0 | 1, 0 | 1, 0 | 1]) {
        return None;
    }
    let name = name(&mut reader)?;
    let (kind, class) = (reader.be16()?, reader.be16()?);
    (matches!(kind, 0x0a | 0x20 | 0x21) && class == 1).then_some((flags, name))
}

/// Returns what a datagram carries behind its head.
fn datagram(payload: &[u8]) -> Option<Reader<'_>> {
    let mut reader = Reader::new(payload);
    let [0x10..=0x16, flags] = reader.array()? else { return None };
    let (_id, _address, _port) = (reader.be16()?, reader.be32()?, reader.be16()?);
    let (_length, offset) = (reader.be16()?, reader.be16()?);
    (flags & 0xf0 == 0 && offset == 0).then_some(reader)
}

/// Returns whether the payload is a message about a name, or a datagram from one to another.
pub(super) fn test_netbios(look: &Look<'_>) -> Verdict {
    let message = name_service(look.payload).is_some();
    let datagram = datagram(look.payload).is_some_and(|mut reader| name(&mut reader).is_some());
    if message || datagram { Verdict::Yes } else { Verdict::No }
}

/// Notes the name that is asked for or claimed, and the host that speaks.
pub(super) fn read_netbios(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if let Some((flags, asked)) = name_service(look.payload) {
        notes.note(Detail::Query, asked.text());
        // A host that registers a name of a workstation is called that.
        if flags & 0x7800 == 0x2800 && asked.kind == 0 {
            notes.note(Detail::Hostname, asked.text());
        }
    } else if let Some(mut rest) = datagram(look.payload) {
        if let Some(source) = name(&mut rest) {
            notes.note(Detail::Hostname, source.text());
        }
        if let Some(destination) = name(&mut rest) {
            notes.note(Detail::Query, destination.text());
        }
    }
    Progress::Done
}

/// How far into an envelope its namespaces lie.
const ENVELOPE: usize = 1_024;

/// Returns whether the payload is an envelope of WS-Discovery.
pub(super) fn test_ws_discovery(look: &Look<'_>) -> Verdict {
    let head = look.payload.get(..ENVELOPE).unwrap_or(look.payload).trim_ascii_start();
    let envelope = head.starts_with(b"<") && contains(head, b"nvelope");
    let namespace = contains(head, b"/ws/2005/04/discovery") || contains(head, b"/ws-dd/ns/discovery");
    if envelope && namespace { Verdict::Yes } else { Verdict::No }
}

/// Notes what is looked for, or what the host says it is.
pub(super) fn read_ws_discovery(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let action = between(look.payload, b"discovery/", b"<").unwrap_or_default();
    if action.len() <= 24 {
        notes.note(Detail::Method, action);
    }
    // `<d:Types>dn:NetworkVideoTransmitter</d:Types>`, with a prefix of any name.
    if let Some(types) = between(look.payload, b":Types", b"</") {
        let types = types.iter().position(|byte| *byte == b'>').and_then(|at| types.get(at.saturating_add(1)..));
        notes.note(Detail::Query, types.unwrap_or_default());
    }
    Progress::Done
}
