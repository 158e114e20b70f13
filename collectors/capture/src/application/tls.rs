//! TLS (RFC 8446 and its elders) and DTLS (RFC 9147, 6347): what both sides say before they encrypt.

use std::borrow::Cow;

use onenet_topology::{Timestamp, application::Application};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{
    Detail, Look, Notes, Progress, Verdict,
    assembly::OCTETS_MAX,
    ja4::{Carrier, Parts, is_grease},
    mark,
    reader::Reader,
};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const HELLO_VERIFY_REQUEST: u8 = 3;
const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;
/// The longest record (RFC 5246, section 6.2.3).
const RECORD_MAX: u16 = (1 << 14) + 2_048;

const SERVER_NAME: u16 = 0;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

/// A client's hello, in the order of the message (RFC 8446, section 4.1.2).
struct ClientHello<'a> {
    version: u16,
    ciphers: Reader<'a>,
    extensions: Reader<'a>,
}

/// The messages of a handshake in the records of a payload.
struct Handshake<'a> {
    messages: Cow<'a, [u8]>,
    /// Whether it goes on in a record that is not whole.
    cut: bool,
    /// Whether records of another kind follow: whatever comes then is encrypted.
    over: bool,
}

/// Returns whether the payload begins with a record.
pub(super) fn test(look: &Look<'_>) -> Verdict {
    if !look.tcp {
        return if DatagramRecord::parse(&mut Reader::new(look.payload)).is_some() {
            Verdict::Yes
        } else {
            Verdict::No
        };
    }
    let mut reader = Reader::new(look.payload);
    let (Some(kind), Some(version)) = (reader.u8(), reader.be16()) else { return Verdict::Short };
    if kind & 0x80 != 0 {
        return version_2(look.payload);
    }
    if !matches!(version, 0x0300..=0x0304) || !matches!(kind, 20..=24) {
        return Verdict::No;
    }
    let Some(length) = reader.be16() else { return Verdict::Short };
    match (kind, length) {
        (_, 0 | RECORD_MAX..) => Verdict::No,
        (HANDSHAKE, _) => match (reader.u8(), reader.be24()) {
            (Some(CLIENT_HELLO | SERVER_HELLO), Some(32..=0xffff)) => Verdict::Yes,
            (Some(CLIENT_HELLO | SERVER_HELLO) | None, None) => Verdict::Short,
            _ => Verdict::Weak(mark(Application::Tls, 0)),
        },
        (ALERT, 2) if !matches!(reader.0, [1 | 2, ..]) => Verdict::No,
        _ => Verdict::Weak(mark(Application::Tls, 0)),
    }
}

/// A client's hello in the clothes of SSL 2.0 (RFC 5246, appendix E.2).
fn version_2(payload: &[u8]) -> Verdict {
    let mut reader = Reader::new(payload);
    let (Some(length), Some(1), Some(0x0002 | 0x0300..=0x0303)) = (reader.be16(), reader.u8(), reader.be16()) else {
        return Verdict::No;
    };
    let (Some(ciphers), Some(session), Some(challenge)) = (reader.be16(), reader.be16(), reader.be16()) else {
        return Verdict::Short;
    };
    let stated = [9, ciphers, session, challenge].into_iter().fold(0_u16, u16::saturating_add);
    let plausible = ciphers.is_multiple_of(3) && ciphers != 0 && matches!(challenge, 16..=32);
    if plausible && stated == length & 0x7fff { Verdict::Yes } else { Verdict::No }
}

/// Returns whether a client's hello begins here.
pub(super) fn is_client_hello(payload: &[u8]) -> bool {
    matches!(payload, [HANDSHAKE, 3, 0..=4, _, _, CLIENT_HELLO, 0, ..])
}

/// Notes what the hellos and the server's certificate say.
pub(super) fn read(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if !look.tcp {
        return read_datagram(look, notes);
    }
    let handshake = Handshake::in_records(look.payload);
    let mut messages = Reader::new(&handshake.messages);
    let mut chosen = None;
    while let (Some(kind), Some(length)) = (messages.u8(), messages.be24()) {
        match (kind, messages.take(length)) {
            (CLIENT_HELLO, Some(body)) => {
                client_hello(body, Carrier::Tcp, notes);
                return Progress::More;
            }
            (SERVER_HELLO, Some(body)) => {
                chosen = server_hello(body, notes);
                if chosen == Some(0x0304) {
                    return Progress::Done;
                }
            }
            (CERTIFICATE, body) => {
                // The chain may be long; the server's own certificate comes first.
                let known = certificate(body.unwrap_or(messages.0), notes);
                return if known || body.is_some() { Progress::Done } else { partial(look) };
            }
            (SERVER_HELLO_DONE, _) => return Progress::Done,
            (_, Some(_)) => {}
            (_, None) => break,
        }
    }
    match handshake {
        Handshake { over: true, .. } => Progress::Done,
        Handshake { cut: true, .. } => partial(look),
        // The server's hello is here, its certificate will be in a record that follows.
        _ if chosen.is_some() || !messages.is_empty() => partial(look),
        _ => Progress::More,
    }
}

fn partial(look: &Look<'_>) -> Progress {
    if look.payload.len() < OCTETS_MAX { Progress::Partial } else { Progress::Done }
}

impl<'a> Handshake<'a> {
    fn in_records(payload: &'a [u8]) -> Self {
        let mut handshake = Self { messages: Cow::Borrowed(&[]), cut: false, over: false };
        let mut reader = Reader::new(payload);
        while let (Some(kind), Some(_version), Some(length)) = (reader.u8(), reader.be16(), reader.be16()) {
            if kind != HANDSHAKE {
                handshake.over = true;
                break;
            }
            handshake.cut = reader.len() < usize::from(length);
            let part = reader.take_most(length.into());
            if handshake.messages.is_empty() {
                handshake.messages = Cow::Borrowed(part);
            } else {
                handshake.messages.to_mut().extend_from_slice(part);
            }
        }
        handshake
    }
}

/// Notes what a client's hello says that is a message by itself, as in QUIC. Returns whether it is whole.
pub(super) fn client_hello_message(message: &[u8], carrier: Carrier, notes: &mut Notes<'_>) -> bool {
    let mut reader = Reader::new(message);
    let (Some(CLIENT_HELLO), Some(length)) = (reader.u8(), reader.be24()) else { return true };
    let body = reader.take(length);
    body.is_some_and(|body| {
        client_hello(body, carrier, notes);
        true
    })
}

fn client_hello(body: &[u8], carrier: Carrier, notes: &mut Notes<'_>) {
    let Some(hello) = ClientHello::parse(body) else { return };
    let mut parts = Parts {
        carrier,
        version: hello.version,
        ciphers: hello.ciphers,
        extensions: Vec::new(),
        signature_algorithms: Reader::new(&[]),
        alpn: &[],
    };
    let mut extensions = hello.extensions;
    while let (Some(kind), Some(value)) = (extensions.be16(), extensions.counted16()) {
        // What is wrong inside of an extension takes away only what it would have said.
        let _ = extension(kind, value, &mut parts, notes);
        if parts.extensions.len() < 256 {
            parts.extensions.push(kind);
        }
    }
    notes.note(Detail::Alpn, parts.alpn);
    notes.note(Detail::Ja4, parts.fingerprint().as_bytes());
}

fn extension<'a>(kind: u16, mut value: Reader<'a>, parts: &mut Parts<'a>, notes: &mut Notes<'_>) -> Option<()> {
    match kind {
        SERVER_NAME => {
            let mut names = value.counted16()?;
            if names.u8()? == 0 {
                notes.note(Detail::ServerName, names.counted16()?.0);
            }
        }
        ALPN => parts.alpn = value.counted16()?.counted8()?.0,
        SIGNATURE_ALGORITHMS => parts.signature_algorithms = value.counted16()?,
        SUPPORTED_VERSIONS => {
            let mut versions = value.counted8()?;
            let offered = std::iter::from_fn(|| versions.be16()).filter(|version| !is_grease(*version));
            // DTLS counts downwards.
            let best = if parts.carrier == Carrier::Datagrams { offered.min() } else { offered.max() };
            parts.version = best.unwrap_or(parts.version);
        }
        _ => {}
    }
    Some(())
}

impl<'a> ClientHello<'a> {
    fn parse(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let version = reader.be16()?;
        let _random = reader.take(32)?;
        let _session = reader.counted8()?;
        if matches!(version, 0xfe00..=0xfeff) {
            let _cookie = reader.counted8()?;
        }
        let ciphers = reader.counted16()?;
        let _compression = reader.counted8()?;
        // Old clients have none.
        let extensions = reader.counted16().unwrap_or(Reader::new(&[]));
        Some(Self { version, ciphers, extensions })
    }
}

/// Notes the version that the server chose, and the application protocol, and returns the former.
fn server_hello(body: &[u8], notes: &mut Notes<'_>) -> Option<u16> {
    let mut reader = Reader::new(body);
    let mut version = reader.be16()?;
    let _random = reader.take(32)?;
    // Drafts of TLS 1.3 up to 21 have no session here; what is read then does not fit, and says nothing.
    let _session = reader.counted8()?;
    let (_cipher, _compression) = (reader.be16()?, reader.u8()?);
    let mut extensions = reader.counted16().unwrap_or(Reader::new(&[]));
    while let (Some(kind), Some(mut value)) = (extensions.be16(), extensions.counted16()) {
        if kind == SUPPORTED_VERSIONS {
            version = value.be16()?;
        }
    }
    notes.note(Detail::Version, version_name(version).as_bytes());
    // Drafts and experiments of 1.3 encrypt from here too.
    Some(if version > 0x0304 && version < 0xfe00 { 0x0304 } else { version })
}

/// Notes subject and issuer of the first certificate. Returns whether it was all there.
fn certificate(body: &[u8], notes: &mut Notes<'_>) -> bool {
    let mut reader = Reader::new(body);
    let _total = reader.be24();
    let Some(certificate) = reader.be24().and_then(|length| reader.take(length)) else { return false };
    if let Ok((_, certificate)) = X509Certificate::from_der(certificate) {
        notes.note(Detail::CertificateSubject, certificate.subject().to_string().as_bytes());
        notes.note(Detail::CertificateIssuer, certificate.issuer().to_string().as_bytes());
        let end = Timestamp::from_unix_ms(certificate.validity().not_after.timestamp().saturating_mul(1_000));
        notes.note(Detail::CertificateEnd, end.to_string().as_bytes());
    }
    true
}

/// A record of DTLS in the clear (RFC 6347, section 4.1).
struct DatagramRecord<'a> {
    kind: u8,
    epoch: u16,
    body: &'a [u8],
}

impl<'a> DatagramRecord<'a> {
    fn parse(reader: &mut Reader<'a>) -> Option<Self> {
        let kind = reader.u8().filter(|kind| matches!(kind, 20..=25))?;
        reader.be16().filter(|version| matches!(version, 0xfeff | 0xfefd | 0xfefc | 0x0100))?;
        let epoch = reader.be16()?;
        let _sequence = reader.take(6)?;
        Some(Self { kind, epoch, body: reader.counted16()?.0 })
    }
}

fn read_datagram(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let mut reader = Reader::new(look.payload);
    while let Some(record) = DatagramRecord::parse(&mut reader) {
        if record.kind != HANDSHAKE || record.epoch != 0 {
            return if look.from_originator { Progress::More } else { Progress::Done };
        }
        let mut message = Reader::new(record.body);
        let (Some(kind), Some(length)) = (message.u8(), message.be24()) else { break };
        let (Some(_sequence), Some(offset), Some(here)) = (message.be16(), message.be24(), message.be24()) else {
            break;
        };
        let Some(body) = message.take(here) else { break };
        // A message in fragments is not put together.
        if offset != 0 || here != length && kind != CERTIFICATE {
            continue;
        }
        match kind {
            CLIENT_HELLO => client_hello(body, Carrier::Datagrams, notes),
            SERVER_HELLO => {
                server_hello(body, notes);
            }
            CERTIFICATE => {
                certificate(body, notes);
                return Progress::Done;
            }
            HELLO_VERIFY_REQUEST => return Progress::More,
            _ => return Progress::Done,
        }
    }
    Progress::More
}

fn version_name(version: u16) -> Cow<'static, str> {
    match version {
        0x0300 => "SSLv3".into(),
        0x0301 => "TLSv1.0".into(),
        0x0302 => "TLSv1.1".into(),
        0x0303 => "TLSv1.2".into(),
        0x0304 => "TLSv1.3".into(),
        0xfeff | 0x0100 => "DTLSv1.0".into(),
        0xfefd => "DTLSv1.2".into(),
        0xfefc => "DTLSv1.3".into(),
        draft @ 0x7f00..=0x7fff => format!("TLSv1.3 draft-{}", draft & 0xff).into(),
        other => format!("{other:#06x}").into(),
    }
}
