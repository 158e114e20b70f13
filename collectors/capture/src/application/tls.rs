//! TLS (RFC 8446 and its elders): what both sides say before they encrypt.

use std::borrow::Cow;

use super::{Detail, Look, Notes, Progress, Verdict, assembly::OCTETS_MAX, reader::Reader};

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
/// The longest record (RFC 5246, section 6.2.3).
const RECORD_MAX: u16 = (1 << 14) + 2_048;

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

/// A client's hello, in the order of the message (RFC 8446, section 4.1.2).
struct ClientHello<'a> {
    version: u16,
    extensions: Reader<'a>,
}

/// Returns whether the payload begins with a record.
pub(super) fn test(look: &Look<'_>) -> Verdict {
    let mut reader = Reader::new(look.payload);
    let (Some(kind), Some(version)) = (reader.u8(), reader.be16()) else { return Verdict::Short };
    if !matches!(version, 0x0300..=0x0304) || !matches!(kind, 20..=23) {
        return Verdict::No;
    }
    let Some(length) = reader.be16() else { return Verdict::Short };
    match (kind, length) {
        (_, 0 | RECORD_MAX..) => Verdict::No,
        (HANDSHAKE, _) => match (reader.u8(), reader.be24()) {
            (Some(CLIENT_HELLO | SERVER_HELLO), Some(40..=0xffff)) => Verdict::Yes,
            (Some(CLIENT_HELLO | SERVER_HELLO) | None, None) => Verdict::Short,
            _ => Verdict::Weak(0),
        },
        _ => Verdict::Weak(0),
    }
}

/// Returns whether a client's hello begins here.
pub(super) fn is_client_hello(payload: &[u8]) -> bool {
    matches!(payload, [HANDSHAKE, 3, 0..=4, _, _, CLIENT_HELLO, 0, ..])
}

/// Notes what the hellos say.
pub(super) fn read(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let (handshake, cut) = handshake(look.payload);
    let mut messages = Reader::new(&handshake);
    while let (Some(kind), Some(length)) = (messages.u8(), messages.be24()) {
        let Some(body) = messages.take(length) else { break };
        match kind {
            CLIENT_HELLO => client_hello(body, notes).unwrap_or_default(),
            _ => return Progress::Done,
        }
    }
    if cut && look.payload.len() < OCTETS_MAX { Progress::Partial } else { Progress::More }
}

/// Returns the handshake in the records at the beginning, joined, and whether it goes on in a record that is not whole.
fn handshake(payload: &[u8]) -> (Cow<'_, [u8]>, bool) {
    let mut joined = Cow::Borrowed(&[][..]);
    let mut reader = Reader::new(payload);
    while let (Some(HANDSHAKE), Some(_version), Some(length)) = (reader.u8(), reader.be16(), reader.be16()) {
        let cut = reader.len() < usize::from(length);
        let part = reader.take_most(length.into());
        if joined.is_empty() {
            joined = Cow::Borrowed(part);
        } else {
            joined.to_mut().extend_from_slice(part);
        }
        if cut {
            return (joined, true);
        }
    }
    (joined, false)
}

fn client_hello(body: &[u8], notes: &mut Notes<'_>) -> Option<()> {
    let hello = ClientHello::parse(body)?;
    let mut version = hello.version;
    let mut extensions = hello.extensions;
    while let (Some(kind), Some(mut value)) = (extensions.be16(), extensions.counted16()) {
        match kind {
            SERVER_NAME => {
                let mut names = value.counted16()?;
                if names.u8()? == 0 {
                    notes.note(Detail::ServerName, names.counted16()?.0);
                }
            }
            ALPN => notes.note(Detail::Alpn, value.counted16()?.counted8()?.0),
            SUPPORTED_VERSIONS => {
                let mut versions = value.counted8()?;
                while let Some(offered) = versions.be16() {
                    if offered & 0x0f0f != 0x0a0a {
                        version = version.max(offered);
                    }
                }
            }
            _ => {}
        }
    }
    notes.note(Detail::Version, version_name(version).as_bytes());
    Some(())
}

impl<'a> ClientHello<'a> {
    fn parse(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let version = reader.be16()?;
        let _random = reader.take(32)?;
        let _session = reader.counted8()?;
        let _ciphers = reader.counted16()?;
        let _compression = reader.counted8()?;
        let extensions = reader.counted16().unwrap_or(Reader::new(&[]));
        Some(Self { version, extensions })
    }
}

fn version_name(version: u16) -> Cow<'static, str> {
    match version {
        0x0300 => "SSLv3".into(),
        0x0301 => "TLSv1.0".into(),
        0x0302 => "TLSv1.1".into(),
        0x0303 => "TLSv1.2".into(),
        0x0304 => "TLSv1.3".into(),
        other => format!("{other:#06x}").into(),
    }
}
