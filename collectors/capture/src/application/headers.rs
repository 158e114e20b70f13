//! Messages that begin with a line and have headers under it, as HTTP, SIP and RTSP have (RFC 9112, section 2.1).
//!
//! Invariant: at most [`LINES_MAX`] headers are looked at.

use super::{
    Look, Progress,
    assembly::OCTETS_MAX,
    reader::{begins, line, split_once},
};

/// The longest method that is believed.
const METHOD_MAX: usize = 24;
/// How many header lines are looked at.
const LINES_MAX: usize = 64;

/// The first line of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start<'a> {
    /// Something is asked for.
    Request {
        /// What is to be done.
        method: &'a [u8],
        /// What it is to be done to; all that follows the method where the line is not whole.
        target: &'a [u8],
        /// Name and version of the protocol; empty where the line has none, or is not whole.
        version: &'a [u8],
        /// Whether the line is whole.
        whole: bool,
    },
    /// An answer, by name and version of the protocol.
    Status(&'a [u8]),
}

/// Returns the first line of the message.
pub(super) fn start(payload: &[u8]) -> Option<Start<'_>> {
    let head = payload.get(..METHOD_MAX).unwrap_or(payload);
    let at = head.iter().position(|byte| *byte == b' ')?;
    let (first, rest) = payload.split_at_checked(at)?;
    if first.contains(&b'/') {
        let status = rest.get(1..4)?;
        return status.iter().all(u8::is_ascii_digit).then_some(Start::Status(first));
    }
    if !is_method(first) {
        return None;
    }
    let rest = rest.get(1..).unwrap_or_default();
    let (text, after) = line(rest);
    let whole = text.len() < rest.len() && (!after.is_empty() || rest.ends_with(b"\n"));
    let space = text.iter().rposition(|byte| *byte == b' ').filter(|_| whole);
    let (target, version) = space.and_then(|at| text.split_at_checked(at)).unwrap_or((text, b""));
    Some(Start::Request { method: first, target, version: version.trim_ascii(), whole })
}

/// Returns whether a payload may be the beginning of a method that is not whole.
pub(super) fn may_begin(payload: &[u8]) -> bool {
    payload.len() < METHOD_MAX && is_method(payload)
}

fn is_method(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|&b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_' | b'.'))
}

/// Hands the headers under the first line to `each`, and returns what of the message follows them; or, where the head is
/// not whole, what is to be done about it.
pub(super) fn headers<'a>(look: &Look<'a>, mut each: impl FnMut(&'a [u8], &'a [u8])) -> Result<&'a [u8], Progress> {
    let (_, mut rest) = line(look.payload);
    for _ in 0..LINES_MAX {
        let whole = rest.contains(&b'\n');
        let (header, after) = line(rest);
        if !whole {
            let room = look.tcp && look.payload.len() < OCTETS_MAX;
            return Err(if room { Progress::Partial } else { Progress::Done });
        }
        if header.is_empty() {
            return Ok(after);
        }
        if let Some((field, value)) = split_once(header, b':') {
            each(field, value.trim_ascii());
        }
        rest = after;
    }
    Ok(&[])
}

/// Returns the host in a reference such as `sip:user@host:5060;transport=tcp` or `rtsp://host/path`, and the user.
pub(super) fn host_and_user(reference: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = split_once(reference, b':')?;
    let rest = rest.strip_prefix(b"//").unwrap_or(rest);
    let end = rest.iter().position(|byte| matches!(byte, b';' | b'?' | b'/' | b'>' | b' ' | b'"'));
    let authority = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
    let (user, host) = split_once(authority, b'@').unwrap_or((b"", authority));
    let (user, _password) = split_once(user, b':').unwrap_or((user, b""));
    let port = host.iter().rposition(|byte| *byte == b':').filter(|_| !host.ends_with(b"]"));
    Some((port.and_then(|at| host.get(..at)).unwrap_or(host), user))
}

/// Returns the reference in the value of a header such as `"Name" <sip:user@host>;tag=1`.
pub(super) fn reference(value: &[u8]) -> &[u8] {
    match split_once(value, b'<') {
        Some((_, inside)) => split_once(inside, b'>').map_or(inside, |(reference, _)| reference),
        None => value,
    }
}

/// Returns whether the version is the protocol's.
pub(super) fn is_version(version: &[u8], protocol: &[u8]) -> bool {
    begins(version, protocol) && matches!(version.get(protocol.len()..), Some([b'/', b'0'..=b'9', ..]))
}
