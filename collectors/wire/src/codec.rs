//! Compact bytes for stores: one fact, one fact that is gone, or one history item, with its absolute time.
//!
//! Format, all kinds: one byte of version (1), the time as 8 bytes big endian two's complement Unix milliseconds, then a
//! protobuf message: a `FactChange` with its body (and `gone`), or a `HistoryGroup` with its scope and one element.
//!
//! Invariant: what was encoded by any released version decodes.

use onenet_topology::{
    Timestamp,
    fact::{Fact, FactBody, HistoryBody, HistoryItem, ItemKey},
};
use prost::Message;

use crate::{Invalid, Problem, convert, direct, v1};

/// Version of both formats.
const VERSION: u8 = 1;

/// What facts that come by the thousand take at most, as a rule.
const USUAL_BYTES: usize = 64;

/// Returns the bytes of a fact.
pub fn encode_fact(fact: &Fact) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(VERSION);
    bytes.extend_from_slice(&fact.observed.unix_ms().to_be_bytes());
    write_fact_message(&fact.body, &mut bytes);
    bytes
}

/// Reads a fact back.
///
/// # Errors
/// The bytes are not those of a fact, or break a limit.
pub fn decode_fact(bytes: &[u8]) -> Result<Fact, Invalid> {
    let (observed, change) = decode::<v1::FactChange>(bytes)?;
    Ok(Fact { observed, body: convert::fact_body(change.body)? })
}

/// Returns the bytes of a fact that was found gone at this time.
pub fn encode_gone(key: &ItemKey, observed: Timestamp) -> Vec<u8> {
    encode(observed, &v1::FactChange { age_ms: 0, gone: true, body: Some(key.into()) })
}

/// Reads back which fact is gone, and since when.
///
/// # Errors
/// The bytes are not those of a fact that is gone, or break a limit.
pub fn decode_gone(bytes: &[u8]) -> Result<(ItemKey, Timestamp), Invalid> {
    let (observed, change) = decode::<v1::FactChange>(bytes)?;
    Ok((convert::item_key(change.body)?, observed))
}

/// Returns the bytes of a fact without its time: the `FactChange` alone. [`message_hash`](crate::message_hash) is made of them.
pub fn fact_message(body: &FactBody) -> Vec<u8> {
    let mut message = Vec::with_capacity(USUAL_BYTES);
    write_fact_message(body, &mut message);
    message
}

/// Writes what [`fact_message`] returns behind what is in `message`.
pub fn write_fact_message(body: &FactBody, message: &mut Vec<u8>) {
    if !direct::write_fact(body, message) {
        let change = v1::FactChange { age_ms: 0, gone: false, body: Some(body.into()) };
        message.reserve(change.encoded_len());
        change.encode_raw(message);
    }
}

/// Reads back what [`fact_message`] made.
///
/// # Errors
/// The bytes are not those of a fact, or break a limit.
pub fn read_fact_message(message: &[u8]) -> Result<FactBody, Invalid> {
    convert::fact_body(v1::FactChange::decode(message).map_err(|_| undecodable())?.body)
}

/// Returns the bytes that say which fact is gone, without since when.
pub fn gone_message(key: &ItemKey) -> Vec<u8> {
    v1::FactChange { age_ms: 0, gone: true, body: Some(key.into()) }.encode_to_vec()
}

/// Writes what [`gone_message`] returns of the key of a body behind what is in `message`.
pub fn write_gone_message_of(body: &FactBody, message: &mut Vec<u8>) {
    if !direct::write_gone(body, message) {
        let change = v1::FactChange { age_ms: 0, gone: true, body: Some((&body.key()).into()) };
        message.reserve(change.encoded_len());
        change.encode_raw(message);
    }
}

/// Reads back what [`gone_message`] made.
///
/// # Errors
/// The bytes are not those of a fact that is gone, or break a limit.
pub fn read_gone_message(message: &[u8]) -> Result<ItemKey, Invalid> {
    convert::item_key(v1::FactChange::decode(message).map_err(|_| undecodable())?.body)
}

/// Returns the bytes of a history item.
pub fn encode_history(item: &HistoryItem) -> Vec<u8> {
    encode(item.time, &convert::history_group(item))
}

/// Returns about how many bytes [`encode_history`] makes of an item, never fewer: what a store needs to know of each item
/// long before it writes any.
pub fn history_size(item: &HistoryItem) -> usize {
    /// Version, time, and the heads of the group and its element.
    const OVERHEAD: usize = 9 + 16;
    /// The widest number with its tag.
    const NUMBER: usize = 12;
    let body = match &item.body {
        HistoryBody::Interface(it) => {
            let numbers = [it.in_octets, it.out_octets, it.in_errors, it.out_errors];
            let more = [it.in_discards, it.out_discards, it.in_packets, it.out_packets];
            let numbers: usize = numbers.into_iter().chain(more).flatten().map(number_size).sum();
            it.name.len() + numbers
        }
        HistoryBody::Event(it) => it.subject.len() + it.detail.len() + 2 * NUMBER,
        HistoryBody::Sensor(it) => it.name.len() + 3 * NUMBER,
        HistoryBody::Device(_) | HistoryBody::Traffic(_) => 8 * NUMBER,
        HistoryBody::Capture(it) => {
            // Each reason with its length, the heads of both, and its number.
            let reasons: usize = it.undecoded.keys().map(|reason| reason.len() + 2 * NUMBER).sum();
            11 * NUMBER + reasons
        }
        HistoryBody::Application(_) => 10 * NUMBER,
        HistoryBody::Probe(it) => it.name.len() + 21 * NUMBER,
        HistoryBody::Anomaly(it) => {
            let evidence: usize = it.evidence.iter().map(|it| it.is.len() + it.value.len() + 2 * NUMBER).sum();
            it.key.kind.len() + it.key.subject.len() + 7 * NUMBER + evidence
        }
        HistoryBody::Detection(it) => {
            let detectors = it.detectors.iter().map(|it| it.kind.len() + it.off.len() + 7 * NUMBER);
            NUMBER + detectors.sum::<usize>()
        }
    };
    OVERHEAD + item.scope.as_str().len() + body
}

/// Returns how many bytes a number takes with its tag.
fn number_size(number: u64) -> usize {
    let bits = usize::try_from(u64::BITS - number.leading_zeros()).unwrap_or(64);
    1 + bits.max(1).div_ceil(7)
}

/// Reads a history item back.
///
/// # Errors
/// The bytes are not those of one history item, or break a limit.
pub fn decode_history(bytes: &[u8]) -> Result<HistoryItem, Invalid> {
    let (time, group) = decode::<v1::HistoryGroup>(bytes)?;
    let mut items = Vec::with_capacity(1);
    convert::history_items(group, time, &mut items)?;
    match items.pop() {
        Some(item) if items.is_empty() => Ok(item),
        _ => Err(undecodable()),
    }
}

fn encode(time: Timestamp, message: &impl Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(9 + message.encoded_len());
    bytes.push(VERSION);
    bytes.extend_from_slice(&time.unix_ms().to_be_bytes());
    bytes.extend_from_slice(&message.encode_to_vec());
    bytes
}

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<(Timestamp, M), Invalid> {
    let (&version, rest) = bytes.split_first().ok_or_else(undecodable)?;
    let (time, message) = rest.split_first_chunk::<8>().ok_or_else(undecodable)?;
    if version != VERSION {
        return Err(Invalid::new("version", Problem::Unknown { value: i32::from(version) }));
    }
    let message = M::decode(message).map_err(|_| undecodable())?;
    Ok((Timestamp::from_unix_ms(i64::from_be_bytes(*time)), message))
}

fn undecodable() -> Invalid {
    Invalid::new("record", Problem::Undecodable)
}
