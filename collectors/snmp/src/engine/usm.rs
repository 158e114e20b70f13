//! The user-based security model as the receiver of notifications has it (RFC 3414, section 3.2). Pure.
//!
//! Invariants: of a trap its sender is the authoritative engine, whose boots and time may only go on; of an inform we are,
//! and it is believed within 150 s of our own clock. A message whose user has a key must be signed with it. The table of
//! senders holds at most [`ENGINES_MAX`], of which the one unheard for longest gives way. A trap that was recorded before we
//! first heard its sender cannot be told from a new one: a trap needs no answer, so there is nobody to ask. It knows no
//! socket and no clock; what encrypts and signs is behind [`library`].

use std::collections::HashMap;

use super::{
    ber::{self, Backwards, Length, Reader},
    library::{self, LocalKeys},
    message::{Head, NotAnAnswer},
    notification::{self, Pdu, Refused, Taken, Version},
};
use crate::{
    credentials::{Credentials, Kind, V3Security},
    oid::Oid,
};

/// How far a message may be from the authoritative clock, in seconds (RFC 3414, section 2.2.3).
const WINDOW_S: i64 = 150;
/// A count of boots that says that an engine's clock is no more (RFC 3414, section 2.2.3).
const BOOTS_MAX: u32 = 0x7fff_ffff;
/// How many senders' clocks are remembered: as many as an agent may poll.
const ENGINES_MAX: usize = 20_000;
/// The longest engine id (RFC 3411, SnmpEngineID).
const ENGINE_ID_MAX: usize = 32;
/// The security model's number.
const USM: i64 = 3;
/// What we can take, in bytes.
const MESSAGE_MAX: i32 = 65_507;
/// A report (RFC 3416, section 3).
const REPORT: u8 = 0xa8;
/// Counter32.
const COUNTER: u8 = 0x41;
/// usmStats (RFC 3414, section 5).
const USM_STATS: [u32; 9] = [1, 3, 6, 1, 6, 3, 15, 1, 1];

const SIGNED: u8 = 1;
const ENCRYPTED: u8 = 2;
const REPORTABLE: u8 = 4;

/// Ourselves, as SNMPv3 knows us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalEngine {
    /// Our engine id, 5 to 32 bytes, the same for ever (RFC 3411, SnmpEngineID).
    pub id: Vec<u8>,
    /// How often we started, from 1.
    pub boots: u32,
    /// When we started, in seconds of the clock that is passed to the receiver.
    pub started_s: u64,
}

/// What is remembered of senders.
#[derive(Debug)]
pub(super) struct Usm {
    engine: LocalEngine,
    senders: HashMap<Vec<u8>, Sender>,
    salts: library::Salts,
    reports: u32,
}

/// The clock of a sender, as its last trap told it.
#[derive(Debug, Clone, Copy)]
struct Sender {
    boots: u32,
    time: u32,
    heard_s: u64,
}

/// A message whose envelope was read.
struct Envelope<'a> {
    /// The message, without what follows it in the datagram.
    whole: &'a [u8],
    message_id: i32,
    flags: u8,
    engine_id: &'a [u8],
    boots: u32,
    time: u32,
    user: &'a [u8],
    digest: &'a [u8],
    salt: &'a [u8],
    /// The scoped PDU with its header, or its ciphertext.
    data: &'a [u8],
}

/// A report: which count it tells, and with what it is signed.
struct Report<'k> {
    count: u32,
    keys: Option<&'k LocalKeys>,
}

/// What a message of ours consists of.
struct Outgoing<'a> {
    message_id: i32,
    user: &'a [u8],
    scoped: &'a [u8],
    keys: Option<&'a LocalKeys>,
    encrypted: bool,
}

impl Usm {
    pub(super) fn new(engine: LocalEngine) -> Result<Self, String> {
        let salts = library::Salts::new(engine.boots)?;
        Ok(Self { engine, senders: HashMap::new(), salts, reports: 0 })
    }

    /// Takes a message of SNMPv3.
    pub(super) fn take(&mut self, datagram: &[u8], accepted: &[Credentials], now_s: u64) -> Taken {
        let envelope = match Envelope::read(datagram) {
            Ok(envelope) => envelope,
            Err(error) => return Taken { said: Err(error.into()), answer: None },
        };
        let mut answer = None;
        let said = self.believed(&envelope, accepted, now_s, &mut answer);
        if let Err(refused) = &said
            && envelope.has(REPORTABLE)
            && answer.is_none()
        {
            answer = count_of(refused).and_then(|count| self.report(&envelope, &Report { count, keys: None }, now_s));
        }
        Taken { said, answer }
    }

    fn believed(
        &mut self,
        envelope: &Envelope<'_>,
        accepted: &[Credentials],
        now_s: u64,
        answer: &mut Option<Vec<u8>>,
    ) -> Result<notification::Notification, Refused> {
        let ours = envelope.engine_id == self.engine.id;
        if (!ours && envelope.has(REPORTABLE)) || !(5..=ENGINE_ID_MAX).contains(&envelope.engine_id.len()) {
            return Err(Refused::EngineUnknown);
        }
        let named = accepted.iter().filter(|credentials| is_user(credentials, envelope.user));
        let mut refused = Refused::UnknownUser;
        // A name may stand for different keys in several credentials.
        for credentials in named {
            match unlocked(envelope, credentials) {
                Ok(keys) => return self.opened(envelope, &keys, now_s, answer),
                Err(why) => refused = why,
            }
        }
        Err(refused)
    }

    /// Opens a message whose signature is right.
    fn opened(
        &mut self,
        envelope: &Envelope<'_>,
        keys: &LocalKeys,
        now_s: u64,
        answer: &mut Option<Vec<u8>>,
    ) -> Result<notification::Notification, Refused> {
        let ours = envelope.engine_id == self.engine.id;
        if envelope.has(SIGNED) {
            let timely = if ours { self.is_timely(envelope, now_s) } else { self.goes_on(envelope, now_s) };
            if !timely {
                let report = Report { count: 2, keys: Some(keys) };
                *answer = if envelope.has(REPORTABLE) { self.report(envelope, &report, now_s) } else { None };
                return Err(Refused::OutOfTime);
            }
        }
        let decrypted;
        let scoped = if envelope.has(ENCRYPTED) {
            let opened = keys.decrypt(envelope.data, envelope.boots, envelope.time, envelope.salt);
            decrypted = opened.ok_or(Refused::Undecryptable)?;
            decrypted.as_slice()
        } else {
            envelope.data
        };
        let mut head = Head { reader: Reader(scoped), bytes: scoped.len() };
        let context = context(&mut head).map_err(|error| {
            // A wrong key gives bytes that mean nothing.
            if envelope.has(ENCRYPTED) { Refused::Undecryptable } else { error.into() }
        })?;
        let pdu = notification::pdu(&mut head, Version::V3)?;
        if pdu.notification.confirmed {
            if !ours {
                return Err(Refused::EngineUnknown);
            }
            *answer = self.response(envelope, context, &pdu, keys, now_s);
        }
        Ok(pdu.notification)
    }

    /// Returns whether a message to us is of now (RFC 3414, section 3.2, item 7a).
    fn is_timely(&self, envelope: &Envelope<'_>, now_s: u64) -> bool {
        let apart_s = i64::from(envelope.time) - i64::from(self.time(now_s));
        envelope.boots == self.engine.boots && envelope.boots != BOOTS_MAX && apart_s.abs() <= WINDOW_S
    }

    /// Returns whether a sender's clock goes on, and remembers it (RFC 3414, section 3.2, item 7b).
    fn goes_on(&mut self, envelope: &Envelope<'_>, now_s: u64) -> bool {
        let heard = Sender { boots: envelope.boots, time: envelope.time, heard_s: now_s };
        let Some(known) = self.senders.get_mut(envelope.engine_id) else {
            if self.senders.len() >= ENGINES_MAX {
                let oldest = self.senders.iter().min_by_key(|(_, sender)| sender.heard_s).map(|(id, _)| id.clone());
                oldest.and_then(|id| self.senders.remove(&id));
            }
            self.senders.insert(envelope.engine_id.to_vec(), heard);
            return envelope.boots != BOOTS_MAX;
        };
        let by_now = i64::from(known.time) + i64::try_from(now_s.saturating_sub(known.heard_s)).unwrap_or(i64::MAX / 2);
        let late = (envelope.boots, i64::from(envelope.time)) < (known.boots, by_now - WINDOW_S);
        if late || envelope.boots == BOOTS_MAX {
            return false;
        }
        if (envelope.boots, envelope.time) > (known.boots, known.time) {
            *known = heard;
        }
        true
    }

    fn time(&self, now_s: u64) -> u32 {
        u32::try_from(now_s.saturating_sub(self.engine.started_s)).unwrap_or(BOOTS_MAX).min(BOOTS_MAX)
    }

    /// Returns the report to a message (RFC 3412, section 7.1.2).
    fn report(&mut self, envelope: &Envelope<'_>, report: &Report<'_>, now_s: u64) -> Option<Vec<u8>> {
        self.reports = self.reports.wrapping_add(1);
        let mut scoped = Backwards::with_capacity(96);
        let name = Oid::joined(&USM_STATS, &[report.count, 0]);
        let [a, b, c, d] = (self.reports & BOOTS_MAX).to_be_bytes();
        scoped.tagged(COUNTER, &[a, b, c, d]);
        scoped.object_id(&name);
        scoped.close(ber::SEQUENCE, 0);
        scoped.close(ber::SEQUENCE, 0);
        scoped.integer(0);
        scoped.integer(0);
        scoped.integer(0);
        scoped.close(REPORT, 0);
        scoped.octets(&[]);
        scoped.octets(&self.engine.id);
        scoped.close(ber::SEQUENCE, 0);
        let scoped = scoped.finish();
        let user = if report.keys.is_some() { envelope.user } else { &[] };
        let out =
            Outgoing { message_id: envelope.message_id, user, scoped: &scoped, keys: report.keys, encrypted: false };
        self.message(&out, now_s)
    }

    /// Returns the response to an inform, secured as the inform was.
    fn response(
        &self,
        envelope: &Envelope<'_>,
        (engine, name): (&[u8], &[u8]),
        inform: &Pdu<'_>,
        keys: &LocalKeys,
        now_s: u64,
    ) -> Option<Vec<u8>> {
        let mut scoped = Backwards::with_capacity(inform.list.len() + 96);
        notification::response(&mut scoped, inform);
        scoped.octets(name);
        scoped.octets(engine);
        scoped.close(ber::SEQUENCE, 0);
        let scoped = scoped.finish();
        let keys = envelope.has(SIGNED).then_some(keys);
        let (message_id, encrypted) = (envelope.message_id, envelope.has(ENCRYPTED));
        self.message(&Outgoing { message_id, user: envelope.user, scoped: &scoped, keys, encrypted }, now_s)
    }

    /// Writes a message of ours.
    fn message(&self, out: &Outgoing<'_>, now_s: u64) -> Option<Vec<u8>> {
        let time = self.time(now_s);
        let signed = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let (mut message, mut salt) = (Backwards::with_capacity(out.scoped.len() + 160), Vec::new());
        if out.encrypted {
            let (ciphertext, used) = out.keys?.encrypt(out.scoped, self.engine.boots, time, &self.salts)?;
            message.octets(&ciphertext);
            salt = used;
        } else {
            message.raw(out.scoped);
        }
        let end = message.end();
        message.octets(&salt);
        let digest_bytes = out.keys.map_or(0, LocalKeys::digest_bytes);
        let digest_to = message.end();
        message.octets(&vec![0; digest_bytes]);
        message.octets(out.user);
        message.integer(signed(time));
        message.integer(signed(self.engine.boots));
        message.octets(&self.engine.id);
        message.close(ber::SEQUENCE, end);
        message.close(ber::OCTET_STRING, end);
        let end = message.end();
        let flags = if out.keys.is_some() { SIGNED } else { 0 } | if out.encrypted { ENCRYPTED } else { 0 };
        message.integer(3);
        message.octets(&[flags]);
        message.integer(MESSAGE_MAX);
        message.integer(out.message_id);
        message.close(ber::SEQUENCE, end);
        message.integer(3);
        message.close(ber::SEQUENCE, 0);
        let mut message = message.finish();
        if let Some(keys) = out.keys {
            let at = message.len().checked_sub(digest_to + digest_bytes)?;
            keys.sign(&mut message, at)?;
        }
        Some(message)
    }
}

impl<'a> Envelope<'a> {
    fn read(datagram: &'a [u8]) -> Result<Self, NotAnAnswer> {
        let mut head = Head { reader: Reader(datagram), bytes: datagram.len() };
        let length = head.part("the beginning of a message", |reader| reader.expect(ber::SEQUENCE))?;
        let head_bytes = datagram.len() - head.reader.0.len();
        let whole = match length {
            // A message may say that it is longer than anything is.
            Length::Definite(length) => datagram.get(..head_bytes.saturating_add(length)).unwrap_or(datagram),
            Length::Indefinite => datagram,
        };
        head.part("the version number of SNMPv3", |reader| reader.integer().filter(|version| *version == 3))?;
        let global = head.part("the message's header", |reader| reader.content(ber::SEQUENCE))?;
        let (message_id, flags) = global_of(&mut Head { reader: Reader(global), bytes: global.len() })?;
        let security = head.part("security parameters", |reader| reader.content(ber::OCTET_STRING))?;
        let encrypted = flags & ENCRYPTED != 0;
        let data = if encrypted {
            head.part("an encrypted PDU", |reader| reader.content(ber::OCTET_STRING))?
        } else {
            head.reader.0
        };
        let mut inner = Head { reader: Reader(security), bytes: security.len() };
        inner.part("the beginning of security parameters", |reader| reader.expect(ber::SEQUENCE))?;
        let octets = |inner: &mut Head<'a>, what| inner.part(what, |reader| reader.content(ber::OCTET_STRING));
        let number = |inner: &mut Head<'a>, what| inner.part(what, |reader| u32::try_from(reader.integer()?).ok());
        Ok(Self {
            whole,
            message_id,
            flags,
            engine_id: octets(&mut inner, "an engine id")?,
            boots: number(&mut inner, "a count of boots")?,
            time: number(&mut inner, "an engine time")?,
            user: octets(&mut inner, "a user name")?,
            digest: octets(&mut inner, "a signature")?,
            salt: octets(&mut inner, "a salt")?,
            data,
        })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Returns where the signature stands in the message.
    fn digest_at(&self) -> usize {
        self.digest.as_ptr().addr().saturating_sub(self.whole.as_ptr().addr())
    }
}

/// Reads message id and flags (RFC 3412, section 6).
fn global_of(head: &mut Head<'_>) -> Result<(i32, u8), NotAnAnswer> {
    let message_id = head.part("a message id of 32 bits", |reader| i32::try_from(reader.integer()?).ok())?;
    head.part("a message size", Reader::integer)?;
    let single = |content: &[u8]| content.first().copied().filter(|flags| flags & (SIGNED | ENCRYPTED) != ENCRYPTED);
    let flags = head.part("flags that RFC 3412 allows", |reader| single(reader.content(ber::OCTET_STRING)?))?;
    head.part("the number of the user-based security model", |reader| reader.integer().filter(|model| *model == USM))?;
    Ok((message_id, flags))
}

/// Reads the head of a scoped PDU: the context's engine and name.
fn context<'a>(head: &mut Head<'a>) -> Result<(&'a [u8], &'a [u8]), NotAnAnswer> {
    head.part("the beginning of a scoped PDU", |reader| reader.expect(ber::SEQUENCE))?;
    let engine = head.part("a context engine id", |reader| reader.content(ber::OCTET_STRING))?;
    let name = head.part("a context name", |reader| reader.content(ber::OCTET_STRING))?;
    Ok((engine, name))
}

/// Returns the engine id that a message names.
pub(super) fn engine_of(datagram: &[u8]) -> Option<Vec<u8>> {
    let id = Envelope::read(datagram).ok()?.engine_id;
    (5..=ENGINE_ID_MAX).contains(&id.len()).then(|| id.to_vec())
}

fn is_user(credentials: &Credentials, name: &[u8]) -> bool {
    matches!(&credentials.kind, Kind::User(user) if user.name.as_bytes() == name)
}

/// Returns the keys of a user if the message is signed as he signs.
fn unlocked(envelope: &Envelope<'_>, credentials: &Credentials) -> Result<LocalKeys, Refused> {
    let Kind::User(user) = &credentials.kind else { return Err(Refused::UnknownUser) };
    let has_key = !matches!(user.security, V3Security::None);
    let has_privacy = matches!(user.security, V3Security::Encrypted { .. });
    // A trap's content is no secret of ours, so that a signature without encryption is good enough.
    if envelope.has(SIGNED) != has_key || (envelope.has(ENCRYPTED) && !has_privacy) {
        return Err(Refused::SecurityLevel);
    }
    let keys = LocalKeys::of(credentials, envelope.engine_id).ok_or(Refused::SecurityLevel)?;
    if has_key && !keys.is_signed(envelope.whole, envelope.digest_at(), envelope.digest.len()) {
        return Err(Refused::WrongDigest);
    }
    Ok(keys)
}

/// Returns the number of the count that a report tells, below usmStats.
fn count_of(refused: &Refused) -> Option<u32> {
    match refused {
        Refused::SecurityLevel => Some(1),
        Refused::OutOfTime => Some(2),
        Refused::UnknownUser => Some(3),
        Refused::EngineUnknown => Some(4),
        Refused::WrongDigest => Some(5),
        Refused::Undecryptable => Some(6),
        Refused::Undecodable(_) | Refused::NotANotification | Refused::WrongCommunity => None,
    }
}
