//! Test packets of STAMP (RFC 8762, section 4.2 and 4.3; session numbers and padding of RFC 8972), written and read.
//!
//! Format, big endian; `u` without authentication, `a` with it. What is not named is zero.
//!
//! | field | question u | question a | answer u | answer a |
//! |---|---|---|---|---|
//! | sequence number, 4 | 0 | 0 | 0 | 0 |
//! | time of sending, 8 | 4 | 16 | 4 | 16 |
//! | error estimate, 2 | 12 | 24 | 12 | 24 |
//! | session number, 2 | 14 | 26 | 14 | 26 |
//! | time of receiving, 8 | | | 16 | 32 |
//! | the question's sequence number, 4 | | | 24 | 48 |
//! | its time of sending, 8 | | | 28 | 64 |
//! | its error estimate, 2 | | | 36 | 72 |
//! | hops that it had left, 1 | | | 40 | 80 |
//! | code of the first 96 bytes, 16 | | 96 | | 96 |
//! | all of it | 44 | 112 | 44 | 112 |
//!
//! Padding (a TLV of type 1, outside the code) makes packets longer; an answer is as long as its question.
//!
//! Invariant: with a key, nothing is read of a packet whose code is not right.

use crate::key::{CODE_BYTES, Key};

/// Bytes of a packet without authentication, question and answer alike.
pub const PLAIN_BYTES: usize = 44;
/// Bytes of a packet with it.
pub const SIGNED_BYTES: usize = 112;
/// The longest packet that is read: what an Ethernet frame carries.
pub const PACKET_BYTES_MAX: usize = 1_472;

/// Bytes that the code is made of.
const SIGNED: usize = SIGNED_BYTES - CODE_BYTES;

/// Nothing is claimed about the clock: not synchronised, multiplier 1 (RFC 4656, section 4.1.2).
const ERROR_ESTIMATE: u16 = 1;

/// Bytes of the head of a TLV: flags, type, length (RFC 8972, section 4).
const TLV_BYTES: usize = 4;
/// The type of Extra Padding (RFC 8972, section 4.1).
const EXTRA_PADDING: u8 = 1;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Its number, from 0.
    pub sequence: u32,
    /// When it was sent, on the asker's clock, as of NTP.
    pub sent: u64,
    /// The asker's session, so that one socket carries many.
    pub session: u16,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Its own number: how many of the session were answered before it.
    pub sequence: u32,
    /// When it was sent, on the reflector's clock.
    pub sent: u64,
    /// When the question came, on the reflector's clock.
    pub received: u64,
    /// The question.
    pub question: Question,
    /// How many hops the question had left.
    pub hops_left: u8,
}

/// Where the fields stand.
struct Places {
    sent: usize,
    error: usize,
    session: usize,
    received: usize,
    asked_sequence: usize,
    asked_sent: usize,
    asked_error: usize,
    hops_left: usize,
}

const PLAIN: Places = Places {
    sent: 4,
    error: 12,
    session: 14,
    received: 16,
    asked_sequence: 24,
    asked_sent: 28,
    asked_error: 36,
    hops_left: 40,
};
const WITH_CODE: Places = Places {
    sent: 16,
    error: 24,
    session: 26,
    received: 32,
    asked_sequence: 48,
    asked_sent: 64,
    asked_error: 72,
    hops_left: 80,
};

const fn places(key: Option<&Key>) -> (&'static Places, usize) {
    if key.is_some() { (&WITH_CODE, SIGNED_BYTES) } else { (&PLAIN, PLAIN_BYTES) }
}

impl Question {
    /// Returns the packet, at least `bytes` long.
    pub fn packet(&self, key: Option<&Key>, bytes: usize) -> Vec<u8> {
        let (places, least) = places(key);
        let mut packet = vec![0; least];
        put(&mut packet, 0, &self.sequence.to_be_bytes());
        put(&mut packet, places.sent, &self.sent.to_be_bytes());
        put(&mut packet, places.error, &ERROR_ESTIMATE.to_be_bytes());
        put(&mut packet, places.session, &self.session.to_be_bytes());
        sign(&mut packet, key);
        let padding = bytes.min(PACKET_BYTES_MAX).saturating_sub(least);
        if padding >= TLV_BYTES {
            let length = u16::try_from(padding - TLV_BYTES).unwrap_or(0);
            packet.extend([0x80, EXTRA_PADDING]);
            packet.extend(length.to_be_bytes());
            packet.resize(least + padding, 0);
        }
        packet
    }

    /// Reads a packet; `None` where it is none, or its code is not right.
    pub fn read(packet: &[u8], key: Option<&Key>) -> Option<Self> {
        let (places, least) = places(key);
        if packet.len() < least || packet.len() > PACKET_BYTES_MAX || !is_signed(packet, key) {
            return None;
        }
        Some(Self {
            sequence: u32::from_be_bytes(take(packet, 0)?),
            sent: u64::from_be_bytes(take(packet, places.sent)?),
            session: u16::from_be_bytes(take(packet, places.session)?),
        })
    }
}

impl Answer {
    /// Returns the packet: as long as the question's, whose padding it gives back.
    pub fn packet(&self, question: &[u8], key: Option<&Key>) -> Vec<u8> {
        let (places, least) = places(key);
        let mut packet = vec![0; least];
        let asked_error: [u8; 2] = take(question, places.error).unwrap_or_default();
        put(&mut packet, 0, &self.sequence.to_be_bytes());
        put(&mut packet, places.sent, &self.sent.to_be_bytes());
        put(&mut packet, places.error, &ERROR_ESTIMATE.to_be_bytes());
        put(&mut packet, places.session, &self.question.session.to_be_bytes());
        put(&mut packet, places.received, &self.received.to_be_bytes());
        put(&mut packet, places.asked_sequence, &self.question.sequence.to_be_bytes());
        put(&mut packet, places.asked_sent, &self.question.sent.to_be_bytes());
        put(&mut packet, places.asked_error, &asked_error);
        put(&mut packet, places.hops_left, &[self.hops_left]);
        sign(&mut packet, key);
        packet.extend_from_slice(question.get(least..).unwrap_or_default());
        packet.truncate(question.len());
        packet
    }

    /// Reads a packet; `None` where it is none, or its code is not right.
    pub fn read(packet: &[u8], key: Option<&Key>) -> Option<Self> {
        let (places, least) = places(key);
        if packet.len() < least || !is_signed(packet, key) {
            return None;
        }
        let [hops_left] = take(packet, places.hops_left)?;
        Some(Self {
            sequence: u32::from_be_bytes(take(packet, 0)?),
            sent: u64::from_be_bytes(take(packet, places.sent)?),
            received: u64::from_be_bytes(take(packet, places.received)?),
            question: Question {
                sequence: u32::from_be_bytes(take(packet, places.asked_sequence)?),
                sent: u64::from_be_bytes(take(packet, places.asked_sent)?),
                session: u16::from_be_bytes(take(packet, places.session)?),
            },
            hops_left,
        })
    }
}

/// Writes the code behind the first 96 bytes.
fn sign(packet: &mut [u8], key: Option<&Key>) {
    let Some(key) = key else { return };
    let code = packet.get(..SIGNED).map(|said| key.code(said));
    if let Some(code) = code {
        put(packet, SIGNED, &code);
    }
}

fn is_signed(packet: &[u8], key: Option<&Key>) -> bool {
    let Some(key) = key else { return true };
    match (packet.get(..SIGNED), packet.get(SIGNED..SIGNED_BYTES)) {
        (Some(said), Some(code)) => key.verifies(said, code),
        _ => false,
    }
}

fn put(packet: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = packet.get_mut(at..at.saturating_add(bytes.len())) {
        place.copy_from_slice(bytes);
    }
}

fn take<const N: usize>(packet: &[u8], at: usize) -> Option<[u8; N]> {
    packet.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn key() -> Key {
        Key::new(b"a key for the tests").unwrap()
    }

    fn exchange(key: Option<&Key>, bytes: usize) {
        let question = Question { sequence: 7, sent: 0x1122_3344_5566_7788, session: 3 };
        let asked = question.packet(key, bytes);
        assert_eq!(asked.len(), bytes.max(places(key).1));
        assert_eq!(Question::read(&asked, key), Some(question));
        let answer = Answer { sequence: 5, sent: 11, received: 10, question, hops_left: 63 };
        let packet = answer.packet(&asked, key);
        assert_eq!(packet.len(), asked.len(), "an answer is as long as its question");
        assert_eq!(Answer::read(&packet, key), Some(answer));
    }

    #[test]
    fn what_is_asked_and_answered_is_read_back_at_every_length() {
        for bytes in [0, 60, 172, 1_400] {
            exchange(None, bytes);
            exchange(Some(&key()), bytes);
        }
    }

    #[test]
    fn the_fields_stand_where_rfc_8762_has_them() {
        let question = Question { sequence: 0x0102_0304, sent: 0x1112_1314_1516_1718, session: 0x2122 };
        let plain = question.packet(None, 0);
        assert_eq!(plain[..16], [1, 2, 3, 4, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0, 1, 0x21, 0x22]);
        let signed = question.packet(Some(&key()), 0);
        assert_eq!(signed[..4], [1, 2, 3, 4]);
        assert_eq!(signed[16..28], [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0, 1, 0x21, 0x22]);
        assert_eq!(signed[96..], key().code(&signed[..96]));
        let answer = Answer { sequence: 9, sent: 3, received: 2, question, hops_left: 61 };
        let packet = answer.packet(&plain, None);
        assert_eq!((packet[23], packet[24..28].to_vec(), packet[40]), (2, vec![1, 2, 3, 4], 61));
        let packet = answer.packet(&signed, Some(&key()));
        assert_eq!((packet[39], packet[48..52].to_vec(), packet[80]), (2, vec![1, 2, 3, 4], 61));
    }

    #[test]
    fn a_packet_of_another_key_or_of_none_is_not_read() {
        let question = Question { sequence: 1, sent: 2, session: 3 };
        let other = Key::new(b"another key, also long").unwrap();
        assert_eq!(Question::read(&question.packet(Some(&other), 0), Some(&key())), None);
        assert_eq!(Question::read(&question.packet(None, 200), Some(&key())), None);
        let mut signed = question.packet(Some(&key()), 0);
        signed[3] ^= 1;
        assert_eq!(Question::read(&signed, Some(&key())), None, "what was changed on the way is not believed");
    }

    proptest! {
        #[test]
        fn no_bytes_crash_it_and_no_answer_is_longer_than_what_was_asked(bytes in vec(any::<u8>(), 0..300)) {
            let key = key();
            for key in [None, Some(&key)] {
                let _ = Answer::read(&bytes, key);
                if let Some(question) = Question::read(&bytes, key) {
                    let answer = Answer { sequence: 1, sent: 2, received: 3, question, hops_left: 0 };
                    prop_assert!(answer.packet(&bytes, key).len() <= bytes.len());
                }
            }
        }
    }
}
