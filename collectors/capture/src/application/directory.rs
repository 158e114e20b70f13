//! Who may do what: LDAP (RFC 4511), Kerberos (RFC 4120), RADIUS (RFC 2865), TACACS+ (RFC 8907).
//!
//! What proves an identity (passwords, tickets, hashes) is not read.

use onenet_topology::application::Application;

use super::{Detail, Look, Notes, Progress, Verdict, mark, reader::Reader};

/// A tag, and what it holds.
pub(super) type Element<'a> = (u8, Reader<'a>);

/// Reads an element of BER (X.690) with a short tag: its tag and what is here of its contents, and whether that is all.
pub(super) fn element<'a>(reader: &mut Reader<'a>) -> Option<(Element<'a>, bool)> {
    let tag = reader.u8()?;
    let length = match reader.u8()? {
        short @ 0..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let digits = reader.take(usize::from(long & 0x7f))?;
            digits.iter().fold(0_usize, |length, digit| length.wrapping_shl(8) | usize::from(*digit))
        }
        _ => return None,
    };
    let whole = reader.len() >= length;
    Some(((tag, Reader::new(reader.take_most(length))), whole))
}

/// Reads an element that must be whole and of this tag.
pub(super) fn tagged<'a>(reader: &mut Reader<'a>, tag: u8) -> Option<Reader<'a>> {
    match element(reader)? {
        ((found, inside), true) if found == tag => Some(inside),
        _ => None,
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;

/// Returns the tag of an LDAP operation, and what is here of it.
fn operation(payload: &[u8]) -> Option<Element<'_>> {
    let mut reader = Reader::new(payload);
    let ((SEQUENCE, mut message), _) = element(&mut reader)? else { return None };
    let number = tagged(&mut message, INTEGER)?;
    if !matches!(number.len(), 1..=4) {
        return None;
    }
    let ((tag, inside), whole) = element(&mut message)?;
    // The operation, whole or not, lies in the message.
    let known = matches!(tag, 0x60 | 0x61 | 0x42 | 0x63 | 0x64 | 0x65 | 0x66..=0x6f | 0x73 | 0x77..=0x79 | 0x4a | 0x50);
    (known && (whole || message.is_empty())).then_some((tag, inside))
}

/// Returns whether the payload is a message of LDAP.
pub(super) fn test_ldap(look: &Look<'_>) -> Verdict {
    match operation(look.payload) {
        Some((0x60, mut inside)) => {
            let version = tagged(&mut inside, INTEGER);
            if version.is_some_and(|version| matches!(version.0, [2 | 3])) { Verdict::Yes } else { Verdict::No }
        }
        Some((0x61 | 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x78, mut inside)) => {
            if tagged(&mut inside, ENUMERATED).is_some() { Verdict::Yes } else { Verdict::No }
        }
        Some((0x63 | 0x64 | 0x66 | 0x68 | 0x6c | 0x6e | 0x73, mut inside)) => match element(&mut inside) {
            Some(((OCTETS | SEQUENCE, _), _)) => Verdict::Yes,
            _ => Verdict::No,
        },
        Some((0x77, mut inside)) => match element(&mut inside) {
            Some(((0x80, name), true)) if name.0.iter().all(|b| b.is_ascii_digit() || *b == b'.') => Verdict::Yes,
            _ => Verdict::No,
        },
        Some((0x42, inside)) if inside.is_empty() => Verdict::Weak(mark(Application::Ldap, 0)),
        Some(_) => Verdict::Weak(mark(Application::Ldap, 0)),
        None => Verdict::No,
    }
}

/// Notes the operation, who binds and where a search begins.
pub(super) fn read_ldap(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((tag, mut inside)) = operation(look.payload) else { return Progress::More };
    match tag {
        0x60 => {
            notes.note(Detail::Method, b"bind");
            if let Some(name) = tagged(&mut inside, INTEGER).and_then(|_| tagged(&mut inside, OCTETS)) {
                notes.note(Detail::User, name.0);
            }
            Progress::More
        }
        0x63 => {
            notes.note(Detail::Method, b"search");
            if let Some(base) = tagged(&mut inside, OCTETS) {
                notes.note(Detail::Query, base.0);
            }
            Progress::Done
        }
        _ => Progress::More,
    }
}

/// Messages of Kerberos by their application tags.
const KERBEROS: [(u8, &str); 7] = [
    (0x6a, "AS-REQ"),
    (0x6b, "AS-REP"),
    (0x6c, "TGS-REQ"),
    (0x6d, "TGS-REP"),
    (0x6e, "AP-REQ"),
    (0x6f, "AP-REP"),
    (0x7e, "KRB-ERROR"),
];

/// Returns the name of the message, and what is in it, behind its length over TCP.
fn kerberos<'a>(look: &Look<'a>) -> Option<(&'static str, Reader<'a>)> {
    let mut reader = Reader::new(look.payload);
    if look.tcp {
        reader.be32().filter(|length| matches!(length, 1..=0x0010_0000))?;
    }
    let ((tag, mut inside), _) = element(&mut reader)?;
    let (_, name) = KERBEROS.iter().find(|(number, _)| *number == tag)?;
    let ((SEQUENCE, fields), _) = element(&mut inside)? else { return None };
    // The first field is the version, which is 5: [1] in requests for tickets, [0] in all others.
    let expected: [u8; 4] = [3, INTEGER, 1, 5];
    let version = fields.0.get(1..5)?;
    (matches!(fields.0.first(), Some(0xa0 | 0xa1)) && version == expected).then_some((name, fields))
}

/// Returns whether the payload is a message of Kerberos 5.
pub(super) fn test_kerberos(look: &Look<'_>) -> Verdict {
    match kerberos(look) {
        Some(_) => Verdict::Yes,
        // Over TCP the length may come by itself.
        None if look.tcp && matches!(look.payload, [0, 0, _, _]) => Verdict::Short,
        None => Verdict::No,
    }
}

/// Notes the message, realm, client and service.
pub(super) fn read_kerberos(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((name, mut fields)) = kerberos(look) else { return Progress::More };
    notes.note(Detail::Method, name.as_bytes());
    while let Some(((tag, mut inside), _)) = element(&mut fields) {
        match (name, tag) {
            ("AS-REQ" | "TGS-REQ", 0xa4) => {
                let _ = request_body(&mut inside, notes);
            }
            ("AS-REP" | "TGS-REP", 0xa3) | ("KRB-ERROR", 0xa9) => realm(&mut inside, notes).unwrap_or_default(),
            ("AS-REP" | "TGS-REP", 0xa4) => principal(&mut inside, Detail::User, notes).unwrap_or_default(),
            _ => {}
        }
    }
    if look.from_originator { Progress::More } else { Progress::Done }
}

fn request_body(inside: &mut Reader<'_>, notes: &mut Notes<'_>) -> Option<()> {
    let ((SEQUENCE, mut body), _) = element(inside)? else { return None };
    while let Some(((tag, mut inside), _)) = element(&mut body) {
        match tag {
            0xa1 => principal(&mut inside, Detail::User, notes)?,
            0xa2 => realm(&mut inside, notes)?,
            0xa3 => principal(&mut inside, Detail::Query, notes)?,
            _ => {}
        }
    }
    Some(())
}

const GENERAL_STRING: u8 = 0x1b;

fn realm(inside: &mut Reader<'_>, notes: &mut Notes<'_>) -> Option<()> {
    notes.note(Detail::ServerName, tagged(inside, GENERAL_STRING)?.0);
    Some(())
}

/// Notes the parts of a principal's name with slashes between them.
fn principal(inside: &mut Reader<'_>, kind: Detail, notes: &mut Notes<'_>) -> Option<()> {
    let mut name = tagged(inside, SEQUENCE)?;
    let _type = tagged(&mut name, 0xa0)?;
    let mut parts = tagged(&mut tagged(&mut name, 0xa1)?, SEQUENCE)?;
    let mut text = Vec::new();
    while let Some(part) = tagged(&mut parts, GENERAL_STRING) {
        if !text.is_empty() {
            text.push(b'/');
        }
        text.extend_from_slice(part.0.get(..255).unwrap_or(part.0));
        if text.len() > 255 {
            break;
        }
    }
    notes.note(kind, &text);
    Some(())
}

/// Returns code, identifier and attributes of a RADIUS packet whose length fits.
fn radius(payload: &[u8]) -> Option<(u8, u8, Reader<'_>)> {
    let mut reader = Reader::new(payload);
    let [code, identifier] = reader.array()?;
    let length = usize::from(reader.be16()?);
    let known = matches!(code, 1..=5 | 11..=13 | 40..=45);
    let _authenticator = reader.take(16)?;
    let attributes = reader.take(length.checked_sub(20)?)?;
    (known && length <= 4_096).then_some((code, identifier, Reader::new(attributes)))
}

/// Returns whether the payload is a packet of RADIUS whose attributes fit exactly.
pub(super) fn test_radius(look: &Look<'_>) -> Verdict {
    let Some((_, identifier, mut attributes)) = radius(look.payload) else { return Verdict::No };
    let mut count = 0_u32;
    while !attributes.is_empty() {
        let Some([kind, length]) = attributes.array() else { return Verdict::No };
        let value = usize::from(length).checked_sub(2).and_then(|length| attributes.take(length));
        if value.is_none() || kind == 0 {
            return Verdict::No;
        }
        count = count.saturating_add(1);
    }
    if count >= 2 { Verdict::Yes } else { Verdict::Weak(mark(Application::Radius, identifier.into())) }
}

/// Notes who asks, and for whom.
pub(super) fn read_radius(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let Some((code, _, mut attributes)) = radius(look.payload) else { return Progress::More };
    while let Some([kind, length]) = attributes.array() {
        let value = usize::from(length).checked_sub(2).and_then(|length| attributes.take(length));
        let Some(value) = value else { break };
        match kind {
            1 => notes.note(Detail::User, value),
            32 => notes.note(Detail::Client, value),
            _ => {}
        }
    }
    if matches!(code, 1 | 4 | 40 | 43) { Progress::More } else { Progress::Done }
}

/// Returns whether the payload begins with a header of TACACS+ (RFC 8907, section 4.1).
pub(super) fn test_tacacs(look: &Look<'_>) -> Verdict {
    let mut reader = Reader::new(look.payload);
    let Some([version, kind, sequence, flags]) = reader.array() else { return Verdict::No };
    let (Some(_session), Some(length)) = (reader.be32(), reader.be32()) else { return Verdict::No };
    let plausible = matches!((version, kind, sequence), (0xc0 | 0xc1, 1..=3, 1..=16)) && flags & 0xfa == 0;
    match usize::try_from(length) {
        Ok(length) if plausible && length <= 65_535 && length >= reader.len() => Verdict::Yes,
        _ => Verdict::No,
    }
}
