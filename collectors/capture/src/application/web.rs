//! HTTP/1 (RFC 9112) and the beginning of HTTP/2 (RFC 9113) in the clear; SSDP, which is HTTP in datagrams.

use super::{
    Detail, Look, Notes, Progress, Verdict,
    assembly::OCTETS_MAX,
    headers::{Start, headers, is_version, may_begin, start},
    reader::begins,
};

/// Returns whether the payload begins with a request or a status line.
pub(super) fn test(look: &Look<'_>) -> Verdict {
    match start(look.payload) {
        Some(Start::Status(version)) if is_version(version, b"HTTP") => Verdict::Yes,
        Some(Start::Request { version, .. }) if is_version(version, b"HTTP") => Verdict::Yes,
        Some(Start::Request { method, target, whole, .. }) if look.tcp => request(method, target, whole, look),
        None if look.tcp && (may_begin(look.payload) || b"HTTP/1.".starts_with(look.payload)) => Verdict::Short,
        _ => Verdict::No,
    }
}

/// Judges a request whose line has no version: it is not whole, or as old as HTTP/0.9.
fn request(method: &[u8], target: &[u8], whole: bool, look: &Look<'_>) -> Verdict {
    let known = matches!(method, b"GET" | b"POST" | b"HEAD" | b"PUT" | b"DELETE" | b"CONNECT" | b"OPTIONS" | b"PATCH");
    let rooted = matches!(target.first(), Some(b'/')) || begins(target, b"http://");
    match (known && rooted, whole) {
        (true, true) if method == b"GET" => Verdict::Yes,
        (true, false) if look.payload.len() < OCTETS_MAX => Verdict::Short,
        (true, false) => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// Returns whether the payload is one of SSDP's messages.
pub(super) fn test_ssdp(look: &Look<'_>) -> Verdict {
    match start(look.payload) {
        Some(Start::Request { method: b"M-SEARCH" | b"NOTIFY", target: b"*", version, .. })
            if is_version(version, b"HTTP") =>
        {
            Verdict::Yes
        }
        Some(Start::Status(version)) if is_version(version, b"HTTP") => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// Notes method, host, user agent and server.
pub(super) fn read(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    let answer = match start(look.payload) {
        Some(Start::Request { method, target, version, .. }) => {
            notes.note(Detail::Method, method);
            if method == b"CONNECT" {
                notes.note(Detail::ServerName, without_port(target));
            }
            // An old request ends with its line.
            if version.is_empty() {
                return Progress::More;
            }
            notes.note(Detail::Version, version);
            false
        }
        Some(Start::Status(_)) => true,
        None => return Progress::More,
    };
    let read = headers(look, |field, value| note(answer, field, value, notes));
    match read {
        // What a proxy connects to comes behind its answer.
        Ok(_) if answer && notes.is(Detail::Method, "CONNECT") => Progress::More,
        Ok(_) if answer => Progress::Done,
        Ok(_) => Progress::More,
        Err(progress) => progress,
    }
}

/// Notes what an SSDP message says.
pub(super) fn read_ssdp(look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    if let Some(Start::Request { method, .. }) = start(look.payload) {
        notes.note(Detail::Method, method);
    }
    let ended = headers(look, |field, value| match field.to_ascii_lowercase().as_slice() {
        b"st" | b"nt" => notes.note(Detail::Query, value),
        b"server" => notes.note(Detail::Server, value),
        b"user-agent" => notes.note(Detail::Client, value),
        _ => {}
    });
    ended.err().unwrap_or(Progress::Done)
}

fn note(answer: bool, field: &[u8], value: &[u8], notes: &mut Notes<'_>) {
    let is = |name: &[u8]| field.eq_ignore_ascii_case(name);
    match answer {
        true if is(b"server") => notes.note(Detail::Server, value),
        false if is(b"host") => notes.note(Detail::ServerName, without_port(value)),
        false if is(b"user-agent") => notes.note(Detail::Client, value),
        false if is(b"authorization") && value.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"basic ")) => {
            notes.note(Detail::Login, b"basic");
        }
        _ => {}
    }
}

fn without_port(host: &[u8]) -> &[u8] {
    let at = host.iter().rposition(|byte| *byte == b':').filter(|at| {
        let port = host.get(at.saturating_add(1)..).unwrap_or_default();
        !host.ends_with(b"]") && port.iter().all(u8::is_ascii_digit)
    });
    at.and_then(|at| host.get(..at)).unwrap_or(host)
}
