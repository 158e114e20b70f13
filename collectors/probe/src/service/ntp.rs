//! NTP (RFC 5905): the time is asked for as any client asks, and whether the server believes its own.

use super::{
    datagram::Line,
    talk::{Stage, shown},
};
use crate::{clock, service::Found};

/// Bytes of a packet without extensions.
const PACKET_BYTES: usize = 48;

/// Version 4, client.
const ASKS: u8 = (4 << 3) | 3;
/// Mode of a server.
const SERVER: u8 = 4;
/// The mark of a clock that is not synchronised, and the stratum of one.
const UNSYNCHRONISED: u8 = 3;
const STRATUM_NONE: u8 = 16;

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The leap indicator: 3 where the clock is not synchronised.
    pub leap: u8,
    /// How far from a reference clock; 0 in an answer that refuses.
    pub stratum: u8,
    /// The reference, or why the server refuses.
    pub reference: [u8; 4],
}

/// Asks for the time.
pub(super) async fn ask(stage: &Stage, (host, port): (&str, u16)) -> Result<Found, String> {
    let line = Line::open(stage, host, port).await?;
    let sent = clock::now().ntp();
    let answer = line.ask("answer", &question(sent), |bytes| read(bytes, sent)).await?;
    Ok(Found { problem: problem(answer), ..Found::default() })
}

/// Returns a question that is sent at this time.
fn question(sent: u64) -> [u8; PACKET_BYTES] {
    let mut packet = [0; PACKET_BYTES];
    packet[0] = ASKS;
    for (to, from) in packet.iter_mut().skip(40).zip(sent.to_be_bytes()) {
        *to = from;
    }
    packet
}

/// Returns what an answer to the question that was sent at this time says; `None` for what is none.
pub fn read(bytes: &[u8], sent: u64) -> Option<Answer> {
    let packet = bytes.first_chunk::<PACKET_BYTES>()?;
    let [flags, stratum, ..] = *packet;
    let origin = packet.get(24..32)?.first_chunk::<8>()?;
    let reference = *packet.get(12..16)?.first_chunk::<4>()?;
    if flags & 7 != SERVER || u64::from_be_bytes(*origin) != sent {
        return None;
    }
    Some(Answer { leap: flags >> 6, stratum, reference })
}

/// Returns what is wrong with an answer.
fn problem(answer: Answer) -> Option<String> {
    // A server whose clock is not set has no stratum either, and no letters where a refusal has them.
    if answer.stratum == 0 && answer.reference.iter().all(u8::is_ascii_alphanumeric) {
        let code = shown(&answer.reference);
        let means = match code.as_str() {
            "RATE" => "it is asked too often",
            "DENY" | "RSTR" => "it does not serve this address",
            "INIT" | "STEP" => "its own clock is not set yet",
            _ => "it refuses",
        };
        return Some(format!("it sends the kiss-o'-death {code}: {means}"));
    }
    let unsynchronised = answer.leap == UNSYNCHRONISED || answer.stratum == 0 || answer.stratum >= STRATUM_NONE;
    unsynchronised.then(|| "its clock is not synchronised".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn answer(first: u8, stratum: u8, reference: [u8; 4], sent: u64) -> Vec<u8> {
        let mut packet = question(0).to_vec();
        (packet[0], packet[1]) = (first, stratum);
        packet[12..16].copy_from_slice(&reference);
        packet[24..32].copy_from_slice(&sent.to_be_bytes());
        packet
    }

    #[test]
    fn an_answer_counts_by_the_time_that_was_sent_and_says_what_is_wrong_with_the_clock() {
        let told = |first, stratum, reference| problem(read(&answer(first, stratum, reference, 7), 7).unwrap());
        assert_eq!(told(0x24, 2, [10, 0, 0, 1]), None);
        assert_eq!(told(0xe4, 2, [0; 4]).as_deref(), Some("its clock is not synchronised"));
        assert_eq!(told(0xe4, 0, [0; 4]).as_deref(), Some("its clock is not synchronised"), "as chronyd says it");
        assert_eq!(told(0x24, 16, [0; 4]).as_deref(), Some("its clock is not synchronised"));
        assert_eq!(told(0xe4, 0, *b"RATE").as_deref(), Some("it sends the kiss-o'-death RATE: it is asked too often"));
        assert_eq!(read(&answer(0x24, 2, [0; 4], 7), 8), None, "the answer to another question");
        assert_eq!(read(&answer(0x23, 2, [0; 4], 7), 7), None, "a question");
        assert_eq!(read(&answer(0x24, 2, [0; 4], 7)[..47], 7), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes in vec(any::<u8>(), 0..100), sent in any::<u64>()) {
            if let Some(answer) = read(&bytes, sent) {
                prop_assert!(answer.leap <= 3 && problem(answer).is_none_or(|told| told.len() < 200));
            }
        }
    }
}
