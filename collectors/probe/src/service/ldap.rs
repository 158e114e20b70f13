//! LDAP (RFC 4511): a search for the root of the directory (RFC 4512, section 5.1) without a bind, and an unbind.
//!
//! A directory that wants to know who asks is there, and is right; that is no problem. Whatever else it answers but success is one.

use super::{
    talk::{Read, Stage, Talk, shown},
    tls,
};
use crate::{
    Plan,
    service::{Found, Problems},
};

/// The port on which TLS comes first.
const TLS_FIRST: u16 = 636;

/// Tags of BER (X.690) and of LDAP's messages.
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;
const SEARCH: u8 = 0x63;
const SEARCH_DONE: u8 = 0x65;
const PRESENT: u8 = 0x87;
const EXTENDED: u8 = 0x78;

/// The number of our question.
const ASKED: u8 = 1;
/// How long the server may search, in seconds.
const SEARCH_S: u8 = 5;
/// An unbind: message 2, nothing in it.
const UNBIND: [u8; 7] = [SEQUENCE, 5, INTEGER, 1, 2, 0x42, 0];

/// A message of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The search is over, or the server ends the conversation.
    Done {
        /// How: a result code.
        code: u32,
        /// The server's words.
        text: String,
    },
    /// Something else, such as an entry.
    Other,
}

/// Asks a directory.
pub(super) async fn ask(plan: &Plan, stage: &Stage, (host, port): (&str, u16)) -> Result<Found, String> {
    let (mut talk, _) = Talk::open(stage, host, port).await?;
    let mut problems = Problems::default();
    let mut certificate_ends_ms = None;
    if port == TLS_FIRST {
        (talk, certificate_ends_ms) = tls::begin(talk, plan, host, &mut problems).await?;
    }
    talk.say(&search()).await?;
    loop {
        if let Message::Done { code, text } = talk.hear("answer to the search", read).await? {
            problems.note(problem(code, &text));
            break;
        }
    }
    let _ = talk.say(&UNBIND).await;
    Ok(Found { problem: problems.told(), certificate_ends_ms })
}

/// Returns what is wrong with a result.
fn problem(code: u32, text: &str) -> Option<String> {
    // Success, and the ways to say that strangers may not search.
    if matches!(code, 0 | 8 | 13 | 48 | 50) {
        return None;
    }
    let told = format!("it answers the search for its root with {} ({code}) {text}", name(code));
    Some(told.trim_end().to_owned())
}

/// Returns the name of a result code (RFC 4511, appendix A).
const fn name(code: u32) -> &'static str {
    match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        32 => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        80 => "other",
        _ => "a code without a name here",
    }
}

/// Returns the search: of the root alone, one attribute, one entry.
fn search() -> Vec<u8> {
    let parts = [
        element(OCTETS, b""),
        element(ENUMERATED, &[0]),
        element(ENUMERATED, &[0]),
        element(INTEGER, &[1]),
        element(INTEGER, &[SEARCH_S]),
        element(BOOLEAN, &[0]),
        element(PRESENT, b"objectClass"),
        element(SEQUENCE, &element(OCTETS, b"supportedLDAPVersion")),
    ];
    let message = [element(INTEGER, &[ASKED]), element(SEARCH, &parts.concat())].concat();
    element(SEQUENCE, &message)
}

/// Writes an element that is shorter than 128 bytes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(0x7f) & 0x7f;
    [&[tag, length][..], content].concat()
}

/// Reads a message.
///
/// # Errors
/// It is no LDAP.
pub fn read(bytes: &[u8]) -> Read<Message> {
    let odd = || format!("the answer is no LDAP: {:?}", shown(bytes.get(..16).unwrap_or(bytes)));
    if bytes.first().is_some_and(|first| *first != SEQUENCE) {
        return Err(odd());
    }
    let Some((head, length)) = head(bytes).map_err(|()| odd())? else { return Ok(None) };
    let Some(whole) = head.checked_add(length).and_then(|end| bytes.get(head..end)) else {
        return if length > super::talk::ANSWER_BYTES_MAX { Err(odd()) } else { Ok(None) };
    };
    let message = message(whole).ok_or_else(odd)?;
    Ok(Some((message, head.saturating_add(length))))
}

/// Reads what is in a message: its number, and an operation.
fn message(bytes: &[u8]) -> Option<Message> {
    let (tag, _number, rest) = take(bytes)?;
    let (operation, content, _) = take(rest)?;
    if tag != INTEGER {
        return None;
    }
    if operation != SEARCH_DONE && operation != EXTENDED {
        return Some(Message::Other);
    }
    let (tag, code, rest) = take(content)?;
    let (_, _matched, rest) = take(rest)?;
    let (_, text, _) = take(rest)?;
    let code = code.iter().try_fold(0_u32, |code, byte| code.checked_mul(256)?.checked_add(u32::from(*byte)))?;
    (tag == ENUMERATED).then(|| Message::Done { code, text: shown(text) })
}

/// Takes an element off the bytes: its tag, what it holds, and the rest.
fn take(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, length) = head(bytes).ok()??;
    let end = head.checked_add(length)?;
    Some((*bytes.first()?, bytes.get(head..end)?, bytes.get(end..)?))
}

/// Reads tag and length. Returns how many bytes they take, and how long what follows is; `None` where more is needed.
fn head(bytes: &[u8]) -> Result<Option<(usize, usize)>, ()> {
    let Some(first) = bytes.get(1) else { return Ok(None) };
    if first & 0x80 == 0 {
        return Ok(Some((2, usize::from(*first))));
    }
    let more = usize::from(first & 0x7f);
    if more == 0 || more > 4 {
        return Err(());
    }
    let Some(length) = bytes.get(2..2_usize.saturating_add(more)) else { return Ok(None) };
    let length = length.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
    Ok(Some((2_usize.saturating_add(more), length)))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// A result as servers send it, with lengths of one byte and of four.
    fn done(code: u8) -> [Vec<u8>; 2] {
        let result = [element(ENUMERATED, &[code]), element(OCTETS, b""), element(OCTETS, b"too busy")].concat();
        let short = element(SEQUENCE, &[element(INTEGER, &[1]), element(SEARCH_DONE, &result)].concat());
        let long = |tag: u8, content: &[u8]| {
            [&[tag, 0x84, 0, 0, 0, u8::try_from(content.len()).unwrap()][..], content].concat()
        };
        let long = long(SEQUENCE, &[element(INTEGER, &[1]), long(SEARCH_DONE, &result)].concat());
        [short, long]
    }

    #[test]
    fn a_result_is_read_in_either_length_and_named() {
        for bytes in done(51) {
            let message = Message::Done { code: 51, text: "too busy".into() };
            assert_eq!(read(&bytes), Ok(Some((message, bytes.len()))));
            for length in 0..bytes.len() {
                assert_eq!(read(&bytes[..length]), Ok(None));
            }
        }
        let told = problem(51, "too busy").unwrap();
        assert_eq!(told, "it answers the search for its root with busy (51) too busy");
        assert_eq!((problem(0, ""), problem(50, "strangers may not")), (None, None));
        let entry = element(SEQUENCE, &[element(INTEGER, &[1]), element(0x64, b"")].concat());
        assert_eq!(read(&entry), Ok(Some((Message::Other, entry.len()))));
        assert!(read(b"HTTP/1.1 400").is_err() && read(&[SEQUENCE, 0x80]).is_err() && read(&[SEQUENCE, 0]).is_err());
    }

    #[test]
    fn the_search_is_one_message() {
        let bytes = search();
        let (tag, content, rest) = take(&bytes).unwrap();
        assert_eq!((tag, rest.len(), content.len()), (SEQUENCE, 0, bytes.len() - 2));
        let (_, _, operation) = take(content).unwrap();
        assert!(matches!(take(operation), Some((SEARCH, _, []))));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes in vec(any::<u8>(), 0..200), code in any::<u8>(), at in 0_usize..60) {
            let [mut told, _] = done(code);
            let place = at % told.len();
            told.splice(place..=place, bytes.iter().copied());
            for bytes in [&bytes, &told] {
                if let Ok(Some((_, used))) = read(bytes) {
                    prop_assert!(used <= bytes.len());
                }
            }
        }
    }
}
