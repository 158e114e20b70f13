//! HTTP/1 (RFC 9112) in the clear, and SSDP, which is HTTP in datagrams.

use super::{
    Detail, Look, Notes, Progress, Verdict,
    assembly::OCTETS_MAX,
    reader::{begins, line, split_once},
};

/// The longest method that is believed.
const METHOD_MAX: usize = 24;
/// How many header lines are looked at.
const LINES_MAX: usize = 64;

/// Returns whether the payload begins with a request or a status line.
pub(super) fn test(look: &Look<'_>) -> Verdict {
    let payload = look.payload;
    if begins(payload, b"HTTP/1.") {
        return Verdict::Yes;
    }
    if payload.len() < 7 && b"HTTP/1.".starts_with(payload) {
        return Verdict::Short;
    }
    match split_once(payload, b' ') {
        Some((method, rest)) if is_method(method) => request_line(method, line(rest).0, rest),
        None if payload.len() < METHOD_MAX && is_method(payload) => Verdict::Short,
        _ => Verdict::No,
    }
}

fn request_line(method: &[u8], target: &[u8], rest: &[u8]) -> Verdict {
    let version = target.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    let whole = target.len() < rest.len();
    if begins(version, b"HTTP/") && whole {
        return Verdict::Yes;
    }
    let known = matches!(method, b"GET" | b"POST" | b"HEAD" | b"PUT" | b"DELETE" | b"CONNECT" | b"OPTIONS" | b"PATCH");
    let rooted = matches!(target.first(), Some(b'/')) || begins(target, b"http://");
    match (known && rooted, whole) {
        // HTTP/0.9 has no version.
        (true, true) if method == b"GET" => Verdict::Yes,
        (true, false) if rest.len() < OCTETS_MAX => Verdict::Short,
        (true, false) => Verdict::Yes,
        _ => Verdict::No,
    }
}

fn is_method(word: &[u8]) -> bool {
    !word.is_empty()
        && word.len() <= METHOD_MAX
        && word.iter().all(|&b| b.is_ascii_alphabetic() || b == b'-' || b == b'_')
}

/// Notes method, host, user agent and server.
pub(super) fn read(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let (first, mut rest) = line(look.payload);
    let answer = begins(first, b"HTTP/");
    if !answer {
        let Some((method, _)) = split_once(first, b' ').filter(|(method, _)| is_method(method)) else {
            return Progress::More;
        };
        notes.note(Detail::Method, method);
    }
    for _ in 0..LINES_MAX {
        let (header, after) = line(rest);
        if header.is_empty() && after.len() < rest.len() {
            return if answer || !look.tcp { Progress::Done } else { Progress::More };
        }
        let complete = after.len() < rest.len()
            && rest.get(rest.len().saturating_sub(after.len()).saturating_sub(1)) == Some(&b'\n');
        if !complete {
            return if look.tcp && look.payload.len() < OCTETS_MAX { Progress::Partial } else { Progress::Done };
        }
        if let Some((field, value)) = split_once(header, b':') {
            note(answer, field, value, notes);
        }
        rest = after;
    }
    Progress::Done
}

fn note(answer: bool, field: &[u8], value: &[u8], notes: &mut Notes<'_>) {
    let is = |name: &[u8]| field.eq_ignore_ascii_case(name);
    match answer {
        true if is(b"server") => notes.note(Detail::Server, value),
        false if is(b"host") => notes.note(Detail::ServerName, value),
        false if is(b"user-agent") => notes.note(Detail::Client, value),
        // SSDP.
        false if is(b"st") || is(b"nt") => notes.note(Detail::Query, value),
        false if is(b"server") => notes.note(Detail::Client, value),
        _ => {}
    }
}
