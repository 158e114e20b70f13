//! Traps and informs (RFC 1157, section 4.1.6; RFC 3416, sections 4.2.6 and 4.2.7): datagrams in, what they say and what
//! is to be answered out. Pure.
//!
//! Invariants: only who knows a secret that is accepted of the sender is believed; what is refused says why; an answer goes
//! out only for an inform that was believed, or as the report by which an SNMPv3 sender finds out engine id and time, and it
//! is never sent for SNMPv1 and SNMPv2c without the right community. Reading never panics and takes memory in proportion to
//! the datagram. It knows no socket, and of a sender's address only the credentials that the caller accepts from there.

use std::net::Ipv4Addr;

use super::{
    ber::{self, Backwards, Reader},
    message::{self, Head, NotAnAnswer},
    usm::{LocalEngine, Usm},
};
use crate::{
    credentials::{Credentials, Kind},
    oid::Oid,
    value::{Value, VarBind},
};

/// The trap of SNMPv1 (RFC 1157, section 4.1.6).
const TRAP_V1: u8 = 0xa4;
/// InformRequest.
const INFORM: u8 = 0xa6;
/// SNMPv2-Trap.
const TRAP_V2: u8 = 0xa7;
/// Response.
const RESPONSE: u8 = 0xa2;

/// sysUpTime.0.
const SYS_UPTIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];
/// snmpTrapOID.0 (RFC 3418).
const TRAP_OID: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];
/// snmpTraps, below which the generic traps of SNMPv1 are (RFC 3418).
const GENERIC_TRAPS: [u32; 9] = [1, 3, 6, 1, 6, 3, 1, 1, 5];
/// The number of `enterpriseSpecific`, which is no generic trap.
const ENTERPRISE_SPECIFIC: i64 = 6;

/// The version of SNMP that a notification came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// SNMPv1.
    V1,
    /// SNMPv2c.
    V2c,
    /// SNMPv3.
    V3,
}

/// What a device told of its own accord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The version that it came in.
    pub version: Version,
    /// Whether it is an inform, which is answered.
    pub confirmed: bool,
    /// What kind it is: the value of snmpTrapOID.0, made after RFC 3584, section 3.1, where SNMPv1 says it otherwise.
    pub name: Oid,
    /// Time since the start of the device's agent, in hundredths of a second.
    pub uptime_ticks: Option<u64>,
    /// What else it says.
    pub varbinds: Vec<VarBind>,
    /// The address that an SNMPv1 sender gives as its own.
    pub agent_address: Option<Ipv4Addr>,
}

/// Why a datagram is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Undecodable(NotAnAnswer),
    /// It is a message of SNMP, and neither a trap nor an inform.
    #[error("it is neither a trap nor an inform")]
    NotANotification,
    /// The community is none that is accepted of the sender.
    #[error(
        "its community is not one that is accepted of this device: set the device's trap community, or name the credentials in [traps] credentials"
    )]
    WrongCommunity,
    /// The SNMPv3 user is none that is accepted of the sender.
    #[error(
        "its SNMPv3 user is not one that is accepted of this device: set the device's user, or name the credentials in [traps] credentials"
    )]
    UnknownUser,
    /// The message is not signed although the user has a key, or is signed although he has none.
    #[error("it does not have the security level of its user: set the device to sign (authPriv or authNoPriv)")]
    SecurityLevel,
    /// The signature is wrong.
    #[error("its signature is wrong: compare the user's authentication protocol and key on the device")]
    WrongDigest,
    /// It is older than 150 s, or repeated, or the engine's clock went back (RFC 3414, section 3.2, item 7).
    #[error("it is out of time: it is old or repeated, or the device's engine boots and time went back")]
    OutOfTime,
    /// It cannot be decrypted.
    #[error("it cannot be decrypted: compare the user's privacy protocol and key on the device")]
    Undecryptable,
    /// The sender asks for our engine id, or uses another: it is told.
    #[error("its sender does not know our engine id yet")]
    EngineUnknown,
}

/// What came of a datagram.
#[derive(Debug)]
pub struct Taken {
    /// What it says, or why it is not believed.
    pub said: Result<Notification, Refused>,
    /// What is to be sent back.
    pub answer: Option<Vec<u8>>,
}

/// Takes notifications.
#[derive(Debug)]
pub struct Receiver {
    usm: Usm,
}

/// A PDU that notifies.
pub(super) struct Pdu<'a> {
    pub(super) request_id: i32,
    /// The list of names and values, as it was sent.
    pub(super) list: &'a [u8],
    pub(super) notification: Notification,
}

impl Version {
    /// Returns `v1`, `v2c` or `v3`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2c => "v2c",
            Self::V3 => "v3",
        }
    }
}

impl Notification {
    /// Returns the first value whose name is below `prefix`, with the rest of that name.
    pub fn value(&self, prefix: &[u32]) -> Option<(&[u32], &Value)> {
        self.varbinds.iter().find_map(|varbind| Some((varbind.oid.below(prefix)?, &varbind.value)))
    }
}

impl Refused {
    /// Returns one word for counting.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Undecodable(_) => "undecodable",
            Self::NotANotification => "not_a_notification",
            Self::WrongCommunity => "wrong_community",
            Self::UnknownUser => "unknown_user",
            Self::SecurityLevel => "security_level",
            Self::WrongDigest => "wrong_digest",
            Self::OutOfTime => "out_of_time",
            Self::Undecryptable => "undecryptable",
            Self::EngineUnknown => "engine_unknown",
        }
    }
}

impl From<NotAnAnswer> for Refused {
    fn from(error: NotAnAnswer) -> Self {
        Self::Undecodable(error)
    }
}

impl Receiver {
    /// Returns a receiver that is the authoritative engine of the informs sent to it.
    ///
    /// # Errors
    ///
    /// The system gives no random numbers for encrypting answers.
    pub fn new(engine: LocalEngine) -> Result<Self, String> {
        Ok(Self { usm: Usm::new(engine)? })
    }

    /// Takes a datagram at `now_s`, seconds of a clock that never steps, of a sender from whom `accepted` is believed.
    pub fn take(&mut self, datagram: &[u8], accepted: &[Credentials], now_s: u64) -> Taken {
        match version_of(datagram) {
            Ok(3) => self.usm.take(datagram, accepted, now_s),
            Ok(_) => {
                let mut answer = None;
                let said = community_message(datagram, accepted, &mut answer);
                Taken { said, answer }
            }
            Err(error) => Taken { said: Err(error.into()), answer: None },
        }
    }
}

fn version_of(datagram: &[u8]) -> Result<i64, NotAnAnswer> {
    let mut head = Head { reader: Reader(datagram), bytes: datagram.len() };
    head.part("the beginning of a message", |reader| reader.expect(ber::SEQUENCE))?;
    head.part("a version of SNMP", |reader| reader.integer().filter(|version| [0, 1, 3].contains(version)))
}

/// Reads a message of SNMPv1 or SNMPv2c.
fn community_message(
    datagram: &[u8],
    accepted: &[Credentials],
    answer: &mut Option<Vec<u8>>,
) -> Result<Notification, Refused> {
    let mut head = Head { reader: Reader(datagram), bytes: datagram.len() };
    head.part("the beginning of a message", |reader| reader.expect(ber::SEQUENCE))?;
    let version = match head.part("a version of SNMP", Reader::integer)? {
        0 => Version::V1,
        _ => Version::V2c,
    };
    let community = head.part("a community", |reader| reader.content(ber::OCTET_STRING))?;
    if !accepted.iter().any(|credentials| is_community(credentials, community)) {
        return Err(Refused::WrongCommunity);
    }
    if version == Version::V1 {
        return trap_v1(&mut head);
    }
    let pdu = pdu(&mut head, Version::V2c)?;
    *answer = pdu.notification.confirmed.then(|| {
        let mut message = Backwards::with_capacity(datagram.len());
        response(&mut message, &pdu);
        message.octets(community);
        message.integer(1);
        message.close(ber::SEQUENCE, 0);
        message.finish()
    });
    Ok(pdu.notification)
}

/// Compares without telling by its time how much was right.
fn is_community(credentials: &Credentials, community: &[u8]) -> bool {
    let Kind::Community(secret) = &credentials.kind else { return false };
    let secret = secret.reveal();
    secret.len() == community.len() && secret.iter().zip(community).fold(0, |other, (a, b)| other | (a ^ b)) == 0
}

/// Writes the response to an inform: the same values, no error (RFC 3416, section 4.2.7).
pub(super) fn response(message: &mut Backwards, inform: &Pdu<'_>) {
    let end = message.end();
    message.tagged(ber::SEQUENCE, inform.list);
    message.integer(0);
    message.integer(0);
    message.integer(inform.request_id);
    message.close(RESPONSE, end);
}

/// Reads a trap or inform in the form of SNMPv2.
pub(super) fn pdu<'a>(head: &mut Head<'a>, version: Version) -> Result<Pdu<'a>, Refused> {
    let (tag, _) = head.part("the beginning of a PDU", Reader::header)?;
    if tag != TRAP_V2 && tag != INFORM {
        return Err(Refused::NotANotification);
    }
    let request_id = head.part("a request id of 32 bits", |reader| i32::try_from(reader.integer()?).ok())?;
    head.part("an error status", Reader::integer)?;
    head.part("an error index", Reader::integer)?;
    let list = values(head)?;
    let mut varbinds = message::varbinds(list, usize::MAX).0.into_vec();
    let uptime = taken(&mut varbinds, &SYS_UPTIME);
    let name = taken(&mut varbinds, &TRAP_OID);
    let offset = head.bytes - head.reader.0.len();
    let name = name.as_ref().and_then(Value::object_id).cloned();
    let name = name.ok_or(NotAnAnswer { offset, expected: "a list with snmpTrapOID.0" })?;
    let uptime_ticks = uptime.as_ref().and_then(Value::unsigned);
    let confirmed = tag == INFORM;
    let notification = Notification { version, confirmed, name, uptime_ticks, varbinds, agent_address: None };
    Ok(Pdu { request_id, list: list.0, notification })
}

/// Takes the value of a name out of the list. Where the rule has them first (RFC 3416, section 4.2.6), some agents have
/// them elsewhere.
fn taken(varbinds: &mut Vec<VarBind>, name: &[u32]) -> Option<Value> {
    let place = varbinds.iter().position(|varbind| varbind.oid.arcs() == name)?;
    Some(varbinds.remove(place).value)
}

/// Reads the trap of SNMPv1.
fn trap_v1(head: &mut Head<'_>) -> Result<Notification, Refused> {
    let (tag, _) = head.part("the beginning of a PDU", Reader::header)?;
    if tag != TRAP_V1 {
        return Err(Refused::NotANotification);
    }
    let enterprise = head.part("an enterprise", |reader| reader.content(ber::OBJECT_ID).and_then(ber::object_id))?;
    let address = head.part("the sender's address", |reader| reader.content(0x40))?;
    let generic = head.part("a number of a generic trap", Reader::integer)?;
    let specific = head.part("a number of a specific trap", Reader::integer)?;
    let ticks = head.part("a time stamp", |reader| ber::unsigned(reader.content(0x43)?))?;
    let list = values(head)?;
    let varbinds = message::varbinds(list, usize::MAX).0.into_vec();
    Ok(Notification {
        version: Version::V1,
        confirmed: false,
        name: name_v1(&enterprise, generic, specific),
        uptime_ticks: Some(ticks),
        varbinds,
        agent_address: <[u8; 4]>::try_from(address)
            .ok()
            .map(Ipv4Addr::from)
            .filter(|address| !address.is_unspecified()),
    })
}

/// Returns the name that a trap of SNMPv1 has in SNMPv2 (RFC 3584, section 3.1, items 2 and 3).
fn name_v1(enterprise: &Oid, generic: i64, specific: i64) -> Oid {
    let arc = |number: i64| u32::try_from(number).unwrap_or_default();
    if (0..ENTERPRISE_SPECIFIC).contains(&generic) {
        return Oid::joined(&GENERIC_TRAPS, &[arc(generic) + 1]);
    }
    Oid::joined(enterprise.arcs(), &[0, arc(specific)])
}

/// Reads the list of names and values.
fn values<'a>(head: &mut Head<'a>) -> Result<Reader<'a>, NotAnAnswer> {
    let length = head.part("a list of values", |reader| reader.expect(ber::SEQUENCE))?;
    Ok(message::bounded(head.reader, length))
}

#[cfg(test)]
mod tests;
