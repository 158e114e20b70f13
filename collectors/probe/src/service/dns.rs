//! DNS (RFC 1035): a name's addresses are asked for over UDP, and over TCP (RFC 7766) where the answer does not fit.
//!
//! A server that answers is there; that it has no such name, or fails, is what is wrong with it.

use super::{
    datagram::Line,
    talk::{Read, Stage, Talk},
};
use crate::{Plan, service::Found};

/// Bytes of the head of a message.
const HEAD_BYTES: usize = 12;
/// Pointers that are followed in one name: each goes back, and this many are more than any server writes.
const LABELS_MAX: usize = 128;
/// Types of records.
const A: u16 = 1;
const AAAA: u16 = 28;
/// The class of the internet.
const IN: u16 = 1;
/// Bits of the flags: an answer, cut short, recursion desired.
const ANSWER: u16 = 0x8000;
const TRUNCATED: u16 = 0x0200;
const RECURSION: u16 = 0x0100;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    id: u16,
    /// The name as it is written in a message.
    name: Vec<u8>,
    is_v6: bool,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// How it went: 0 where it went well.
    pub code: u8,
    /// Whether it is cut short.
    pub truncated: bool,
    /// How many addresses it has; `None` where its records cannot be read.
    pub addresses: Option<u16>,
}

/// Asks for a name: for its IPv4 addresses, and where it has none for those of IPv6.
pub(super) async fn ask(plan: &Plan, stage: &Stage, (host, port): (&str, u16)) -> Result<Found, String> {
    let name = plan.service.path.as_str();
    let mut problem = None;
    for is_v6 in [false, true] {
        let id = onenet_wire::tls::random().map(u16::from_be_bytes).map_err(|error| error.to_string())?;
        let question = Question::new(id, name, is_v6).ok_or_else(|| format!("{name:?} is no name"))?;
        let line = Line::open(stage, host, port).await?;
        let packet = question.packet();
        let mut answer = line.ask("answer", &packet, |bytes| question.read(bytes)).await?;
        if answer.truncated {
            answer = over_tcp(stage, (host, port), &question).await?;
        }
        problem = match (answer.code, answer.addresses) {
            (0, None) => Some(format!("its answer for {name} cannot be read")),
            (0, Some(0)) => Some(format!("{name} has no address")),
            (0, Some(_)) => None,
            (code, _) => Some(format!("it answers {} for {name}", code_name(code))),
        };
        if answer.code != 0 || answer.addresses != Some(0) {
            break;
        }
    }
    Ok(Found { problem, ..Found::default() })
}

async fn over_tcp(stage: &Stage, (host, port): (&str, u16), question: &Question) -> Result<Answer, String> {
    let cut = |why: String| format!("the answer over UDP is cut short, and over TCP: {why}");
    let (mut talk, _) = Talk::open(stage, host, port).await.map_err(cut)?;
    let packet = question.packet();
    let length = u16::try_from(packet.len()).unwrap_or(0).to_be_bytes();
    talk.say(&[&length[..], &packet].concat()).await.map_err(cut)?;
    let read = |bytes: &[u8]| question.read_stream(bytes);
    talk.hear("answer over TCP", read).await.map_err(cut)
}

impl Question {
    /// Returns the question for a name's addresses; `None` where it is no name.
    pub fn new(id: u16, name: &str, is_v6: bool) -> Option<Self> {
        let mut written = Vec::new();
        for label in name.trim_end_matches('.').split('.') {
            let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
            if !label.is_ascii() {
                return None;
            }
            written.push(length);
            written.extend(label.bytes());
        }
        written.push(0);
        (written.len() <= 255).then_some(Self { id, name: written, is_v6 })
    }

    /// Returns the message.
    pub fn packet(&self) -> Vec<u8> {
        let head = [self.id, RECURSION, 1, 0, 0, 0].map(u16::to_be_bytes).concat();
        let tail = [self.kind(), IN].map(u16::to_be_bytes).concat();
        [head, self.name.clone(), tail].concat()
    }

    const fn kind(&self) -> u16 {
        if self.is_v6 { AAAA } else { A }
    }

    /// Returns what the answer to it says; `None` for what is none.
    pub fn read(&self, bytes: &[u8]) -> Option<Answer> {
        let head = bytes.first_chunk::<HEAD_BYTES>()?;
        let [id, flags, questions, records, ..] = halves(head);
        if id != self.id || flags & ANSWER == 0 {
            return None;
        }
        let code = u8::try_from(flags & 0x0f).unwrap_or(0x0f);
        let truncated = flags & TRUNCATED != 0;
        // A server that cannot read questions need not repeat ours.
        if questions == 0 && code != 0 {
            return Some(Answer { code, truncated, addresses: Some(0) });
        }
        let asked = bytes.get(HEAD_BYTES..)?.get(..self.name.len().checked_add(4)?)?;
        let (name, tail) = asked.split_at_checked(self.name.len())?;
        if questions != 1 || !name.eq_ignore_ascii_case(&self.name) || tail.first_chunk()? != &self.kind().to_be_bytes()
        {
            return None;
        }
        let begins = HEAD_BYTES.checked_add(asked.len())?;
        Some(Answer { code, truncated, addresses: addresses(bytes, begins, records, self.kind()) })
    }

    /// Reads the answer behind its length, as it comes over TCP.
    ///
    /// # Errors
    /// It is an answer to something else.
    pub fn read_stream(&self, bytes: &[u8]) -> Read<Answer> {
        let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*length));
        let Some(message) = rest.get(..length) else { return Ok(None) };
        let answer = self.read(message).ok_or("it is an answer to something else")?;
        Ok(Some((answer, length.saturating_add(2))))
    }
}

/// Returns the halves of a head.
fn halves(head: &[u8; HEAD_BYTES]) -> [u16; 6] {
    let mut halves = [0; 6];
    for (half, pair) in halves.iter_mut().zip(head.chunks_exact(2)) {
        *half = pair.first_chunk().copied().map_or(0, u16::from_be_bytes);
    }
    halves
}

/// Counts the records of a type among so many that begin there.
fn addresses(bytes: &[u8], begins: usize, records: u16, wanted: u16) -> Option<u16> {
    let (mut at, mut count) = (begins, 0_u16);
    for _ in 0..records {
        at = behind_name(bytes, at)?;
        let [k0, k1, _, _, _, _, _, _, l0, l1] = *bytes.get(at..)?.first_chunk::<10>()?;
        let (kind, length) = (u16::from_be_bytes([k0, k1]), u16::from_be_bytes([l0, l1]));
        at = at.checked_add(10)?.checked_add(usize::from(length))?;
        if at > bytes.len() {
            return None;
        }
        count = count.saturating_add(u16::from(kind == wanted));
    }
    Some(count)
}

/// Returns where a name ends. Where its pointers lead is not looked at.
fn behind_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..LABELS_MAX {
        let length = *bytes.get(at)?;
        match length {
            0 => return at.checked_add(1),
            1..=63 => at = at.checked_add(usize::from(length))?.checked_add(1)?,
            192.. => return at.checked_add(2),
            _ => return None,
        }
    }
    None
}

/// Returns the name of a code (RFC 6895, section 2.3).
fn code_name(code: u8) -> String {
    let name = match code {
        1 => "FORMERR (it cannot read the question)",
        2 => "SERVFAIL (it failed)",
        3 => "NXDOMAIN (there is no such name)",
        4 => "NOTIMP (it does not do that)",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        code => return format!("code {code}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn answer(question: &Question, flags: u16, kinds: &[u16]) -> Vec<u8> {
        let mut bytes = question.packet();
        bytes[2..4].copy_from_slice(&(ANSWER | flags).to_be_bytes());
        bytes[6..8].copy_from_slice(&u16::try_from(kinds.len()).unwrap().to_be_bytes());
        for kind in kinds {
            bytes.extend([0xc0, 12]);
            bytes.extend([kind.to_be_bytes(), [0, 1], [0, 0], [0, 60], [0, 4]].concat());
            bytes.extend([10, 0, 0, 1]);
        }
        bytes
    }

    #[test]
    fn addresses_of_the_wanted_kind_are_counted_behind_aliases_and_failures_are_named() {
        let question = Question::new(7, "Portal.Example.", false).unwrap();
        let read = |bytes: &[u8]| question.read(bytes);
        let good = Answer { code: 0, truncated: false, addresses: Some(2) };
        let bytes = answer(&question, 0, &[5, A, A]);
        assert_eq!(read(&bytes), Some(good));
        for length in HEAD_BYTES..bytes.len() {
            let told = read(&bytes[..length]);
            assert!(told.is_none_or(|told| told.addresses.is_none()), "{length}: {told:?}");
        }
        assert_eq!(read(&answer(&question, 3, &[])).unwrap().code, 3);
        assert!(read(&answer(&question, TRUNCATED, &[])).unwrap().truncated);
        assert_eq!(read(&question.packet()), None, "the question itself");
        let other = Question::new(7, "other.example", false).unwrap();
        assert_eq!(read(&answer(&other, 0, &[A])), None);
        let mut stream = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        stream.extend(&bytes);
        assert_eq!(question.read_stream(&stream), Ok(Some((good, stream.len()))));
        assert_eq!(question.read_stream(&stream[..stream.len() - 1]), Ok(None));
        assert_eq!(code_name(3), "NXDOMAIN (there is no such name)");
    }

    #[test]
    fn what_is_no_name_is_not_asked_for() {
        let long = "a".repeat(64);
        for name in ["", ".", "a..b", &long, &format!("{}.b", "a.".repeat(130))] {
            assert_eq!(Question::new(1, name, true), None, "{name}");
        }
        assert_eq!(Question::new(1, "a.b", true).unwrap().name, b"\x01a\x01b\0");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(junk in vec(any::<u8>(), 0..200), at in 0_usize..60) {
            let question = Question::new(7, "a.example", true).unwrap();
            let mut bytes = answer(&question, 0, &[AAAA, AAAA]);
            let place = at.min(bytes.len());
            bytes.splice(place..place, junk.iter().copied());
            for bytes in [&junk, &bytes] {
                let _ = question.read(bytes);
                let _ = question.read_stream(bytes);
            }
        }
    }
}
