//! Domain names and what is made like them: DNS (RFC 1035) over UDP and TCP, mDNS (RFC 6762), LLMNR (RFC 4795).
//!
//! Invariant: a compressed name is followed backwards only, and at most [`POINTERS_MAX`] times.

use std::net::{Ipv4Addr, Ipv6Addr};

use onenet_topology::application::Application;

use super::{Detail, Look, Notes, Progress, Verdict, mark, reader::Reader};

/// How many compression pointers one name may take.
const POINTERS_MAX: usize = 16;
/// How many records of a message are looked at.
const RECORDS_MAX: u16 = 32;

/// Length of a header.
const HEADER: usize = 12;
const POINTER: u8 = 0xc0;
const RESPONSE: u16 = 0x8000;

/// The head of a message.
struct Header {
    id: u16,
    flags: u16,
    questions: u16,
    answers: u16,
    others: [u16; 2],
}

/// A question, or the beginning of a record.
struct Entry {
    name: Name,
    kind: u16,
    class: u16,
}

/// A name with dots between its labels.
struct Name {
    octets: [u8; 255],
    length: usize,
}

/// Returns whether the payload is a message of this kind.
pub(super) fn test(application: Application, look: &Look<'_>) -> Verdict {
    let message = match framed(look) {
        Framed::Message(message) => message,
        Framed::Cut => return Verdict::Short,
        Framed::No => return Verdict::No,
    };
    let Some((header, entries)) = Header::parse(message) else { return Verdict::No };
    let multicast = application != Application::Dns;
    let opcode = header.flags >> 11 & 15;
    let counts = [header.answers, header.others[0], header.others[1]];
    let empty = counts == [0, 0, 0];
    let plausible = matches!(opcode, 0 | 2 | 4 | 5) && counts.iter().all(|count| *count <= 512);
    if !plausible || header.flags & 0x0040 != 0 && !multicast {
        return Verdict::No;
    }
    match (header.questions, multicast) {
        (1, _) | (1..=64, true) => {
            let mut entries = entries;
            match Entry::parse(message, &mut entries) {
                Some(entry) if entry.is_plausible() && (!empty || entries.is_empty() || header.questions > 1) => {
                    Verdict::Yes
                }
                _ => Verdict::No,
            }
        }
        // Answers without the question: multicast, and the second and later messages of a transfer.
        (0, _) if header.flags & RESPONSE != 0 && header.answers != 0 => {
            let mut entries = entries;
            let entry = Entry::parse(message, &mut entries).filter(Entry::is_plausible);
            if entry.is_some() { Verdict::Weak(mark(application, header.id)) } else { Verdict::No }
        }
        _ => Verdict::No,
    }
}

/// Notes the first question, and the first answer that is an address or a name.
pub(super) fn read(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let message = match framed(look) {
        Framed::Message(message) => message,
        Framed::Cut => return Progress::Partial,
        Framed::No => return Progress::More,
    };
    let Some((header, mut entries)) = Header::parse(message) else { return Progress::More };
    for _ in 0..header.questions.min(RECORDS_MAX) {
        let Some(entry) = Entry::parse(message, &mut entries) else { return Progress::More };
        if !notes.has(Detail::Query) {
            notes.note(Detail::Query, entry.name.text());
            notes.note(Detail::QueryType, kind_name(entry.kind).as_bytes());
        }
    }
    for _ in 0..header.answers.min(RECORDS_MAX) {
        let Some(()) = answer(message, &mut entries, notes) else { break };
    }
    if header.flags & RESPONSE != 0 { Progress::Done } else { Progress::More }
}

enum Framed<'a> {
    Message(&'a [u8]),
    /// What is here may be the beginning of one.
    Cut,
    No,
}

/// Returns the message without the length that comes first over TCP. The length may come in a segment of its own.
fn framed<'a>(look: &Look<'a>) -> Framed<'a> {
    if !look.tcp {
        return Framed::Message(look.payload);
    }
    let Some((length, message)) = look.payload.split_first_chunk() else { return Framed::No };
    let length = usize::from(u16::from_be_bytes(*length));
    let asks = |message| Header::parse(message).is_some_and(|(header, _)| header.questions == 1);
    match message.get(..length) {
        Some(message) if length >= HEADER => Framed::Message(message),
        None if message.len() < HEADER && look.ports.contains(&53) || asks(message) => Framed::Cut,
        // What was captured may lack the length.
        _ if asks(look.payload) => Framed::Message(look.payload),
        _ => Framed::No,
    }
}

fn answer<'a>(message: &'a [u8], entries: &mut Reader<'a>, notes: &mut Notes<'_>) -> Option<()> {
    let entry = Entry::parse(message, entries)?;
    let _ttl = entries.be32()?;
    let start = message.len().checked_sub(entries.len())?.checked_add(2)?;
    let data = entries.counted16()?;
    if notes.has(Detail::Answer) {
        return Some(());
    }
    match (entry.kind, data.0) {
        (1, &[a, b, c, d]) => notes.note(Detail::Answer, Ipv4Addr::new(a, b, c, d).to_string().as_bytes()),
        (28, bytes) => {
            let address = <[u8; 16]>::try_from(bytes).ok()?;
            notes.note(Detail::Answer, Ipv6Addr::from(address).to_string().as_bytes());
        }
        (12, _) => notes.note(Detail::Answer, name(message, &mut Reader::new(message.get(start..)?))?.text()),
        _ => {}
    }
    Some(())
}

impl Header {
    fn parse(message: &[u8]) -> Option<(Self, Reader<'_>)> {
        let mut reader = Reader::new(message);
        let (id, flags) = (reader.be16()?, reader.be16()?);
        let (questions, answers) = (reader.be16()?, reader.be16()?);
        let others = [reader.be16()?, reader.be16()?];
        Some((Self { id, flags, questions, answers, others }, reader))
    }
}

impl Entry {
    fn parse<'a>(message: &'a [u8], reader: &mut Reader<'a>) -> Option<Self> {
        let name = name(message, reader)?;
        Some(Self { name, kind: reader.be16()?, class: reader.be16()? })
    }

    /// Returns whether the class is one that exists; the top bit is mDNS's.
    fn is_plausible(&self) -> bool {
        matches!(self.class & 0x7fff, 1 | 3 | 4 | 254 | 255) && self.kind != 0
    }
}

impl Name {
    fn text(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, label: &[u8]) -> Option<()> {
        let dot = usize::from(self.length != 0);
        let end = self.length.checked_add(dot)?.checked_add(label.len())?;
        let (dots, place) = self.octets.get_mut(self.length..end)?.split_at_mut_checked(dot)?;
        dots.fill(b'.');
        place.copy_from_slice(label);
        self.length = end;
        Some(())
    }
}

/// Reads the name at the reader, which is left behind it.
fn name<'a>(message: &'a [u8], reader: &mut Reader<'a>) -> Option<Name> {
    let mut name = Name { octets: [0; 255], length: 0 };
    let mut left = POINTERS_MAX;
    // Where the bytes being read begin, in the message: a pointer must lead to before that.
    let mut limit = message.len().checked_sub(reader.len())?;
    let mut inside = None;
    loop {
        let from: &mut Reader<'a> = inside.as_mut().unwrap_or(reader);
        match from.u8()? {
            0 => return Some(name),
            length @ 1..=63 => name.push(from.take(length.into())?)?,
            length if length & POINTER == POINTER => {
                let target = usize::from(u16::from_be_bytes([length & !POINTER, from.u8()?]));
                left = left.checked_sub(1)?;
                if target >= limit {
                    return None;
                }
                limit = target;
                inside = Some(Reader::new(message.get(target..)?));
            }
            _ => return None,
        }
    }
}

/// Returns the usual name of a kind of record, or its number as RFC 3597 writes it.
fn kind_name(kind: u16) -> std::borrow::Cow<'static, str> {
    let name = match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        13 => "HINFO",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        35 => "NAPTR",
        43 => "DS",
        44 => "SSHFP",
        46 => "RRSIG",
        48 => "DNSKEY",
        52 => "TLSA",
        64 => "SVCB",
        65 => "HTTPS",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        255 => "ANY",
        257 => "CAA",
        other => return format!("TYPE{other}").into(),
    };
    name.into()
}
