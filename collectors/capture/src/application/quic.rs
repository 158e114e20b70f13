//! QUIC (RFC 9000, 9369): long headers, and the client's hello inside of its first packets.
//!
//! The first packets are encrypted with keys that follow from what they say in the clear (RFC 9001, section 5.2), so that
//! whoever sees them can read them. What follows is sealed. Versions of which the keys are not known here, and Google's own
//! that came before, are recognised and not read.

use std::borrow::Cow;

use ring::{
    aead::{self, AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey, quic::HeaderProtectionKey},
    hkdf,
};

use super::{Detail, Look, Notes, Progress, Verdict, ja4::Carrier, reader::Reader, tls};

/// The longest connection id (RFC 9000, section 17.2).
const ID_MAX: usize = 20;
/// The most of a hello that is put together.
const HELLO_MAX: usize = 8 << 10;
/// How many packets of one flow's beginning are opened.
const PACKETS_MAX: usize = 16;
const SAMPLE: usize = 16;

const VERSION_1: u32 = 1;
const VERSION_2: u32 = 0x6b33_43cf;

/// Versions of Google's that have long headers; those of Meta's are numbers.
const GOOGLE: [[u8; 4]; 4] = [*b"Q046", *b"Q050", *b"T050", *b"T051"];

/// The salts of RFC 9001 section 5.2, RFC 9369 section 3.3.1, and of drafts 29 to 32 and 23 to 28.
const SALT_1: [u8; 20] = *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
const SALT_2: [u8; 20] = *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";
const SALT_DRAFT_29: [u8; 20] = *b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99";
const SALT_DRAFT_23: [u8; 20] = *b"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02";

/// A long header, up to what differs between types of packets (RFC 9000, section 17.2).
#[derive(Debug, Clone, Copy)]
struct LongHeader<'a> {
    first: u8,
    version: u32,
    destination: &'a [u8],
    source: &'a [u8],
}

/// How the keys of a version are made.
struct Recipe {
    salt: &'static [u8; 20],
    labels: [&'static [u8]; 3],
    /// The number that marks a first packet.
    initial: u8,
}

/// What opens a client's first packets.
struct Keys {
    packet: LessSafeKey,
    iv: [u8; 12],
    header: HeaderProtectionKey,
}

/// Returns whether the payload begins with a long header.
pub(super) fn test(look: &Look<'_>) -> Verdict {
    if google(look.payload).is_some() {
        return Verdict::Yes;
    }
    match LongHeader::parse(&mut Reader::new(look.payload)) {
        Some(header) if header.is_known() => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// Notes the version and what the client's hello says.
pub(super) fn read(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if let Some(version) = google(look.payload) {
        notes.note(Detail::Version, version);
        return Progress::Done;
    }
    let Some(header) = LongHeader::parse(&mut Reader::new(look.payload)).filter(LongHeader::is_known) else {
        return Progress::More;
    };
    notes.note(Detail::Version, version_name(header.version).as_bytes());
    if notes.has(Detail::Ja4) || header.recipe().is_none() {
        return Progress::Done;
    }
    if !look.from_originator {
        return Progress::More;
    }
    match hello(look.payload) {
        Some(hello) => {
            let whole = tls::client_hello_message(&hello, Carrier::Quic, notes);
            if whole { Progress::Done } else { Progress::Partial }
        }
        None => Progress::More,
    }
}

impl<'a> LongHeader<'a> {
    fn parse(reader: &mut Reader<'a>) -> Option<Self> {
        let first = reader.u8().filter(|first| first & 0x80 != 0)?;
        let version = reader.be32()?;
        let destination = reader.counted8().filter(|id| id.len() <= ID_MAX)?.0;
        let source = reader.counted8().filter(|id| id.len() <= ID_MAX)?.0;
        Some(Self { first, version, destination, source })
    }

    /// Returns whether the version is one that is or was in use, or one that is sent to exercise negotiation.
    fn is_known(&self) -> bool {
        let fixed = self.first & 0x40 != 0;
        let plausible = !self.destination.is_empty() || !self.source.is_empty();
        let known = match self.version {
            VERSION_1 | VERSION_2 | 0xff00_0001..=0xff00_0040 | 0xface_b000..=0xface_b00f => true,
            version if GOOGLE.contains(&version.to_be_bytes()) => true,
            version => version & 0x0f0f_0f0f == 0x0a0a_0a0a,
        };
        fixed && plausible && known
    }

    fn recipe(&self) -> Option<Recipe> {
        let labels: [&[u8]; 3] = [b"quic key", b"quic iv", b"quic hp"];
        Some(match self.version {
            VERSION_1 | 0xff00_0021..=0xff00_0022 => Recipe { salt: &SALT_1, labels, initial: 0 },
            VERSION_2 => Recipe { salt: &SALT_2, labels: [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"], initial: 1 },
            0xff00_001d..=0xff00_0020 => Recipe { salt: &SALT_DRAFT_29, labels, initial: 0 },
            0xff00_0017..=0xff00_001c => Recipe { salt: &SALT_DRAFT_23, labels, initial: 0 },
            _ => return None,
        })
    }
}

impl Keys {
    fn new(recipe: &Recipe, destination: &[u8]) -> Option<Self> {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, recipe.salt).extract(destination);
        let client: [u8; 32] = expand(&secret, b"client in")?;
        let client = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &client);
        let [key, iv, header] = recipe.labels;
        let key: [u8; 16] = expand(&client, key)?;
        let header: [u8; 16] = expand(&client, header)?;
        Some(Self {
            packet: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?),
            iv: expand(&client, iv)?,
            header: HeaderProtectionKey::new(&aead::quic::AES_128, &header).ok()?,
        })
    }

    /// Opens a packet, of which `header` bytes come before its number, and returns what is inside.
    fn open(&self, packet: &[u8], header: usize) -> Option<Vec<u8>> {
        let at = header.checked_add(4)?;
        let mask = self.header.new_mask(packet.get(at..at.checked_add(SAMPLE)?)?).ok()?;
        let mut packet = packet.to_vec();
        let [first_mask, number_mask @ ..] = mask;
        let first = packet.first_mut()?;
        *first ^= first_mask & 0x0f;
        let length = usize::from(*first & 3).checked_add(1)?;
        let mut number: u64 = 0;
        for (byte, mask) in packet.get_mut(header..)?.iter_mut().zip(number_mask).take(length) {
            *byte ^= mask;
            number = number << 8 | u64::from(*byte);
        }
        let mut nonce = self.iv;
        for (byte, part) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *byte ^= part;
        }
        let (clear, sealed) = packet.split_at_mut_checked(header.checked_add(length)?)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        Some(self.packet.open_in_place(nonce, Aad::from(&*clear), sealed).ok()?.to_vec())
    }
}

/// Returns what of the client's hello is in the datagrams at hand, from its beginning without a hole.
fn hello(datagrams: &[u8]) -> Option<Vec<u8>> {
    let mut frames: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut keys: Option<(Vec<u8>, Keys)> = None;
    let mut rest = datagrams;
    for _ in 0..PACKETS_MAX {
        // A datagram may be filled up with zeros behind its packets.
        let padding = rest.iter().take_while(|byte| **byte == 0).count();
        rest = rest.get(padding..).unwrap_or_default();
        let mut reader = Reader::new(rest);
        let Some(header) = LongHeader::parse(&mut reader) else { break };
        let Some(recipe) = header.recipe() else { break };
        let initial = header.first >> 4 & 3 == recipe.initial;
        if initial && token(&mut reader).is_none() {
            break;
        }
        let Some(length) = varint(&mut reader) else { break };
        let before = rest.len().saturating_sub(reader.len());
        let packet = rest.get(..before.saturating_add(length)).unwrap_or(rest);
        if initial {
            if keys.as_ref().is_none_or(|(id, _)| id != header.destination) {
                keys = Keys::new(&recipe, header.destination).map(|keys| (header.destination.to_vec(), keys));
            }
            if let Some(inside) = keys.as_ref().and_then(|(_, keys)| keys.open(packet, before)) {
                crypto(&inside, &mut frames);
            }
        }
        rest = rest.get(packet.len()..).unwrap_or_default();
    }
    join(frames)
}

/// Collects the pieces of the handshake in a packet, each with its offset (RFC 9000, section 19.6).
fn crypto(inside: &[u8], frames: &mut Vec<(usize, Vec<u8>)>) {
    let mut reader = Reader::new(inside);
    while let Some(kind) = reader.u8() {
        match kind {
            // Padding and ping.
            0 | 1 => {}
            2 | 3 => {
                if acknowledgement(&mut reader, kind == 3).is_none() {
                    return;
                }
            }
            6 => {
                let (Some(offset), Some(length)) = (varint(&mut reader), varint(&mut reader)) else { return };
                let Some(piece) = reader.take(length) else { return };
                if offset.saturating_add(length) <= HELLO_MAX {
                    frames.push((offset, piece.to_vec()));
                }
            }
            _ => return,
        }
    }
}

fn acknowledgement(reader: &mut Reader<'_>, counts: bool) -> Option<()> {
    let (_largest, _delay, ranges) = (varint(reader)?, varint(reader)?, varint(reader)?);
    let _first = varint(reader)?;
    for _ in 0..ranges.min(256) {
        let (_gap, _length) = (varint(reader)?, varint(reader)?);
    }
    if counts {
        let (_ect0, _ect1, _ce) = (varint(reader)?, varint(reader)?, varint(reader)?);
    }
    Some(())
}

/// Joins pieces from the first on, up to the first hole.
fn join(mut frames: Vec<(usize, Vec<u8>)>) -> Option<Vec<u8>> {
    frames.sort_by_key(|(offset, _)| *offset);
    let mut joined = Vec::new();
    for (offset, piece) in frames {
        let Some(known) = joined.len().checked_sub(offset) else { break };
        joined.extend_from_slice(piece.get(known..).unwrap_or_default());
    }
    (!joined.is_empty()).then_some(joined)
}

fn token(reader: &mut Reader<'_>) -> Option<()> {
    let length = varint(reader)?;
    reader.take(length).map(|_| ())
}

/// Reads a number of variable length (RFC 9000, section 16).
fn varint(reader: &mut Reader<'_>) -> Option<usize> {
    let first = reader.u8()?;
    let more = (1_usize << (first >> 6)).checked_sub(1)?;
    let rest = reader.take(more)?.iter();
    let value = rest.fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte));
    usize::try_from(value).ok()
}

/// HKDF-Expand-Label (RFC 8446, section 7.1) without a context.
fn expand<const N: usize>(secret: &hkdf::Prk, label: &[u8]) -> Option<[u8; N]> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let length = u16::try_from(N).ok()?.to_be_bytes();
    let label_length = [u8::try_from(label.len().checked_add(6)?).ok()?];
    let info = [&length[..], &label_length, b"tls13 ", label, &[0]];
    let mut key = [0; N];
    secret.expand(&info, Length(N)).ok()?.fill(&mut key).ok()?;
    Some(key)
}

/// Returns the version of a header of Google's QUIC up to Q043: flags, connection id, version.
fn google(payload: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(payload);
    let flags = reader.u8()?;
    // Bit 0: a version follows; bit 3: an id of eight bytes does; bits 6 and 7 are unused.
    if flags & 0xc9 != 0x09 {
        return None;
    }
    reader.take(8)?;
    let version = reader.take(4)?;
    matches!(version, [b'Q', b'0', b'2'..=b'4', b'0'..=b'9']).then_some(version)
}

fn version_name(version: u32) -> Cow<'static, str> {
    match version {
        VERSION_1 => "QUICv1".into(),
        VERSION_2 => "QUICv2".into(),
        draft @ 0xff00_0001..=0xff00_0040 => format!("QUIC draft-{}", draft & 0xff).into(),
        other => match other.to_be_bytes() {
            letters if letters.iter().all(u8::is_ascii_alphanumeric) => {
                String::from_utf8_lossy(&letters).into_owned().into()
            }
            _ => format!("{other:#010x}").into(),
        },
    }
}
