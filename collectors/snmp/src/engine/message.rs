//! SNMPv2c messages (RFC 1901, section 3; RFC 3416, section 3): questions written, answers read. Pure.
//!
//! Invariant: a value that cannot be read costs that value, never the answer: each pair of name and value is bounded by
//! its own length, so that the next one is found whatever stands inside. Reading never panics, takes memory in proportion
//! to the datagram at most, and for each value only what the value itself needs. It knows no socket and no question:
//! whether an answer is the one that is waited for, `pending.rs` tells.

use std::net::Ipv4Addr;

use super::ber::{self, Backwards, Length, Reader};
use crate::{
    exchange::Request,
    oid::Oid,
    value::{Value, VarBinds},
};

/// The number that stands for SNMPv2c in a message.
const VERSION: i32 = 1;
const GET: u8 = 0xa0;
const GET_BULK: u8 = 0xa5;
const RESPONSE: u8 = 0xa2;

/// The longest message that UDP carries (RFC 768), in bytes.
pub(super) const MESSAGE_BYTES_MAX: usize = 65_507;

/// How many arcs a name usually has at most.
const ARCS_USUAL: usize = 18;

/// The fewest bytes that a name and its value take.
const VARBIND_BYTES_MIN: usize = 6;

/// A question cannot be written as one message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// An identifier does not begin as X.660 demands.
    #[error("{0} is not an object identifier that can be asked for: it must begin with 0, 1 or 2")]
    Oid(Oid),
    /// It would be longer than a datagram.
    #[error("the question would take {0} bytes and a datagram holds {MESSAGE_BYTES_MAX}: ask for fewer names at once")]
    TooLong(usize),
}

/// A datagram is not an answer: it is not SNMPv2c, not a response, or damaged before its values begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset} of the datagram is not {expected}")]
pub struct NotAnAnswer {
    /// Where reading stopped.
    pub offset: usize,
    /// What should have been there.
    pub expected: &'static str,
}

/// An answer whose head was read, and whose values were not yet.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'a> {
    /// The number of the question.
    pub request_id: i32,
    /// The community.
    pub community: &'a [u8],
    error_status: i32,
    error_index: usize,
    varbinds: Reader<'a>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The error status (RFC 3416, section 3); 0 when there is none.
    pub error_status: i32,
    /// The place of the name that the error is about, counted from 1; 0 for none.
    pub error_index: usize,
    /// Names and values in the order sent. A name that cannot be read is empty; its value is [`Value::Malformed`], as is
    /// any value that cannot be read.
    pub varbinds: VarBinds,
    /// Whether the message ends before it should. When its last pair was hit, that is [`Value::Malformed`].
    pub cut: bool,
}

/// The head of a message, which is read part by part.
pub(super) struct Head<'a> {
    pub(super) reader: Reader<'a>,
    /// How long the datagram is.
    pub(super) bytes: usize,
}

/// Returns the message that asks `request`.
///
/// # Errors
///
/// It cannot be written as one message.
pub fn question(request: &Request, community: &[u8], request_id: i32) -> Result<Vec<u8>, Unwritable> {
    question_in(Vec::new(), request, community, request_id)
}

/// Returns what [`question`] does, in room that was used before.
pub(super) fn question_in(
    room: Vec<u8>,
    request: &Request,
    community: &[u8],
    request_id: i32,
) -> Result<Vec<u8>, Unwritable> {
    let (tag, names, rows) = match request {
        Request::Get(names) => (GET, names, 0),
        Request::GetBulk { after, rows } => (GET_BULK, after, i32::try_from(*rows).unwrap_or(i32::MAX)),
    };
    let arcs: usize = names.iter().map(|name| name.arcs().len() + 8).sum();
    let mut message = Backwards::in_room(room, arcs * 2 + community.len() + 32);
    for name in names.iter().rev() {
        let end = message.end();
        message.null();
        if !message.object_id(name) {
            return Err(Unwritable::Oid(name.clone()));
        }
        message.close(ber::SEQUENCE, end);
    }
    message.close(ber::SEQUENCE, 0);
    message.integer(rows);
    // The error status of a GET, the number of non-repeaters of a GETBULK.
    message.integer(0);
    message.integer(request_id);
    message.close(tag, 0);
    message.octets(community);
    message.integer(VERSION);
    message.close(ber::SEQUENCE, 0);
    let message = message.finish();
    if message.len() > MESSAGE_BYTES_MAX { Err(Unwritable::TooLong(message.len())) } else { Ok(message) }
}

impl<'a> Head<'a> {
    /// Reads one part, or says where it should have been.
    pub(super) fn part<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&mut Reader<'a>) -> Option<T>,
    ) -> Result<T, NotAnAnswer> {
        let offset = self.bytes - self.reader.0.len();
        read(&mut self.reader).ok_or(NotAnAnswer { offset, expected })
    }
}

impl<'a> Opened<'a> {
    /// Reads the head of an answer. What the message and its PDU say of their own lengths is not believed: their content
    /// ends where the list of values ends.
    ///
    /// # Errors
    ///
    /// The datagram is not an answer.
    pub fn read(datagram: &'a [u8]) -> Result<Self, NotAnAnswer> {
        let mut head = Head { reader: Reader(datagram), bytes: datagram.len() };
        head.part("the beginning of a message", |reader| reader.expect(ber::SEQUENCE))?;
        let is_v2c = |version: &i64| *version == i64::from(VERSION);
        head.part("the version number of SNMPv2c", |reader| reader.integer().filter(is_v2c))?;
        let community = head.part("a community", |reader| reader.content(ber::OCTET_STRING))?;
        head.part("the beginning of a response", |reader| reader.expect(RESPONSE))?;
        let request_id = head.part("a request id of 32 bits", |reader| i32::try_from(reader.integer()?).ok())?;
        let error_status = clamped(head.part("an error status", Reader::integer)?);
        let error_index = usize::try_from(head.part("an error index", Reader::integer)?).unwrap_or(0);
        let length = head.part("a list of values", |reader| reader.expect(ber::SEQUENCE))?;
        Ok(Self { request_id, community, error_status, error_index, varbinds: bounded(head.reader, length) })
    }

    /// Reads the values; `expected` is how many there may be, to set room aside.
    pub fn response(&self, expected: usize) -> Response {
        let (varbinds, cut) = varbinds(self.varbinds, expected);
        Response { error_status: self.error_status, error_index: self.error_index, varbinds, cut }
    }
}

impl Response {
    /// Returns whether there is nothing in it that could be used: not an error, not one whole value, and not the plain
    /// statement that there is none.
    pub fn is_useless(&self) -> bool {
        self.error_status == 0 && self.cut && self.varbinds.iter().all(|varbind| *varbind.value == Value::Malformed)
    }
}

/// Reads a list of names and values, and whether it ends before it should; `expected` is how many there may be, to set room
/// aside.
pub(super) fn varbinds(mut list: Reader<'_>, expected: usize) -> (VarBinds, bool) {
    let room = expected.min(list.0.len() / VARBIND_BYTES_MIN);
    let mut varbinds = VarBinds::with_capacity(room, room.saturating_mul(ARCS_USUAL).min(list.0.len()));
    let cut = loop {
        match next(&mut list, &mut varbinds) {
            Next::Pair => {}
            Next::Cut => break true,
            Next::End => break false,
        }
    };
    (varbinds, cut)
}

/// What came next in a list of names and values.
enum Next {
    Pair,
    /// The message ends, or stops making sense, in the middle of a pair, which was taken if its name is known.
    Cut,
    End,
}

/// Reads one name with its value.
fn next(list: &mut Reader<'_>, varbinds: &mut VarBinds) -> Next {
    if list.0.is_empty() || list.end_of_contents() {
        return Next::End;
    }
    let left = list.0.len();
    let Some(length) = list.expect(ber::SEQUENCE) else { return Next::Cut };
    let Length::Definite(length) = length else { return next_indefinite(list, varbinds) };
    let (content, whole) = list.take(length);
    let mut pair = Reader(content);
    let name = pair.content(ber::OBJECT_ID);
    let named = varbinds.name(|arcs| name.is_some_and(|name| ber::push_object_id(name, arcs)));
    let bytes = left - list.0.len();
    match (named, whole) {
        (true, true) => varbinds.push(value(&mut pair, true), bytes),
        (true, false) | (false, true) => varbinds.push(Value::Malformed, bytes),
        (false, false) => {}
    }
    if whole { Next::Pair } else { Next::Cut }
}

/// Reads a pair that says of itself only where it ends. When anything in it is wrong its end is not known.
fn next_indefinite(list: &mut Reader<'_>, varbinds: &mut VarBinds) -> Next {
    let left = list.0.len();
    let name = list.content(ber::OBJECT_ID);
    if !varbinds.name(|arcs| name.is_some_and(|name| ber::push_object_id(name, arcs))) {
        return Next::Cut;
    }
    let value = value(list, false);
    let whole = list.end_of_contents();
    varbinds.push(if whole { value } else { Value::Malformed }, left - list.0.len());
    if whole { Next::Pair } else { Next::Cut }
}

/// Reads a value. `bounded` says that the reader holds nothing but this value, so that a string which claims to be longer
/// is the rest.
fn value(reader: &mut Reader<'_>, bounded: bool) -> Value {
    let Some((tag, Length::Definite(length))) = reader.header() else { return Value::Malformed };
    let (content, whole) = reader.take(length);
    let string = matches!(tag, ber::OCTET_STRING | 0x44 | 0x45);
    if whole || (string && bounded) { typed(tag, content).unwrap_or(Value::Malformed) } else { Value::Malformed }
}

/// Returns the value of a tag and its content (RFC 2578, section 7.1; RFC 3416, section 3).
fn typed(tag: u8, content: &[u8]) -> Option<Value> {
    Some(match tag {
        ber::INTEGER => Value::Integer(ber::signed(content)?),
        ber::OCTET_STRING | 0x44 | 0x45 => Value::Octets(content.into()),
        ber::NULL => Value::Null,
        ber::OBJECT_ID => Value::ObjectId(Box::new(ber::object_id(content)?)),
        0x40 => Value::IpAddress(Ipv4Addr::from(<[u8; 4]>::try_from(content).ok()?)),
        0x41 => Value::Counter32(ber::unsigned(content)?),
        // Unsigned32 has the tag of Gauge32; 0x47 is the UInteger32 of RFC 1442.
        0x42 | 0x47 => Value::Gauge32(ber::unsigned(content)?),
        0x43 => Value::TimeTicks(ber::unsigned(content)?),
        // Some agents send a counter of zero as nothing at all.
        0x46 => Value::Counter64(if content.is_empty() { 0 } else { ber::unsigned(content)? }),
        0x80 => Value::NoSuchObject,
        0x81 => Value::NoSuchInstance,
        0x82 => Value::EndOfMibView,
        _ => return None,
    })
}

/// Returns a reader of this many bytes at most.
pub(super) fn bounded(reader: Reader<'_>, length: Length) -> Reader<'_> {
    match length {
        Length::Definite(length) => Reader(reader.0.get(..length).unwrap_or(reader.0)),
        Length::Indefinite => reader,
    }
}

fn clamped(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
