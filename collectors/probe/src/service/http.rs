//! HTTP/1.1 (RFC 9112): a page is asked for, and the status of the answer is read. What it holds is not, and nobody is followed
//! to where a redirect points.

use super::{
    talk::{Read, Talk, line, shown},
    tls,
};
use crate::{
    Plan,
    service::{Found, Problems, talk::Stage},
};

/// What a server is asked by, where its logs want to know.
const USER_AGENT: &str = "onenet-agent";

/// The status of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The number.
    pub code: u16,
    /// The words behind it.
    pub reason: String,
}

/// Asks for a page, over TLS where `secure`.
pub(super) async fn ask(plan: &Plan, stage: &Stage, (host, port): (&str, u16), secure: bool) -> Result<Found, String> {
    let (mut talk, _) = Talk::open(stage, host, port).await?;
    let mut problems = Problems::default();
    let mut certificate_ends_ms = None;
    if secure {
        (talk, certificate_ends_ms) = tls::begin(talk, plan, host, &mut problems).await?;
    }
    let usual = if secure { 443 } else { 80 };
    talk.say(&request(&authority(plan, host, port, usual), &plan.service.path)).await?;
    let status = talk.hear("answer", read).await?;
    problems.note(problem(&status, plan.service.status));
    Ok(Found { problem: problems.told(), certificate_ends_ms })
}

/// Returns what is wrong with a status.
fn problem(status: &Status, wanted: Option<u16>) -> Option<String> {
    let Status { code, reason } = status;
    let answers = format!("it answers {code} {reason}").trim_end().to_owned();
    match wanted {
        Some(wanted) if wanted == *code => None,
        Some(wanted) => Some(format!("{answers} instead of {wanted}")),
        None => (*code >= 400).then_some(answers),
    }
}

/// Returns the name by which the page is asked for.
fn authority(plan: &Plan, host: &str, port: u16, usual: u16) -> String {
    let name = Some(plan.service.server_name.as_str()).filter(|name| !name.is_empty()).unwrap_or(host);
    let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    if port == usual { name } else { format!("{name}:{port}") }
}

fn request(authority: &str, path: &str) -> Vec<u8> {
    let path = if path.is_empty() { "/" } else { path };
    let text = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    text.into_bytes()
}

/// Reads the status of a final answer; those that say that it comes later are passed over.
///
/// # Errors
/// It is no HTTP.
pub fn read(bytes: &[u8]) -> Read<Status> {
    let mut begins = 0;
    loop {
        let rest = bytes.get(begins..).unwrap_or_default();
        let Some((first, mut used)) = line(rest) else {
            let odd = !rest.is_empty() && !rest.starts_with(b"HTTP/") && !b"HTTP/".starts_with(rest);
            return if odd { Err(not_http(rest)) } else { Ok(None) };
        };
        let status = status(first)?;
        loop {
            let Some((header, length)) = line(rest.get(used..).unwrap_or_default()) else { return Ok(None) };
            used = used.saturating_add(length);
            if header.is_empty() {
                break;
            }
        }
        begins = begins.saturating_add(used);
        if status.code >= 200 {
            return Ok(Some((status, begins)));
        }
    }
}

/// Reads a line such as `HTTP/1.1 200 OK`.
fn status(line: &[u8]) -> Result<Status, String> {
    let found = || {
        let rest = line.strip_prefix(b"HTTP/1.")?;
        let (code, reason) = rest.get(2..)?.split_at_checked(3)?;
        let code = std::str::from_utf8(code).ok()?.parse().ok().filter(|code| (100..=599).contains(code))?;
        let ends = reason.first().is_none_or(|next| *next == b' ');
        (rest.get(1) == Some(&b' ') && ends).then(|| Status { code, reason: shown(reason) })
    };
    found().ok_or_else(|| not_http(line))
}

fn not_http(bytes: &[u8]) -> String {
    let first = line(bytes).map_or(bytes, |(first, _)| first);
    format!("the answer is no HTTP: {:?}", shown(first))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn the_status_of_the_final_answer_is_read_and_what_is_no_http_is_said() {
        let answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\nbody";
        let status = Status { code: 503, reason: "Service Unavailable".into() };
        assert_eq!(read(answer), Ok(Some((status.clone(), answer.len() - 4))));
        for length in 0..answer.len() - 4 {
            assert_eq!(read(&answer[..length]), Ok(None), "{length} bytes are no answer yet");
        }
        assert_eq!(read(b"HTTP/1.0 200\r\n\r\n").unwrap().unwrap().0.reason, "");
        for odd in [
            &b"220 mail.example ESMTP\r\n"[..],
            b"HTTP/1.1 20 \r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"\x15\x03\x01\x00",
        ] {
            assert!(read(odd).unwrap_err().starts_with("the answer is no HTTP"), "{odd:?}");
        }
        assert_eq!(problem(&status, None).as_deref(), Some("it answers 503 Service Unavailable"));
        assert_eq!(problem(&status, Some(200)).as_deref(), Some("it answers 503 Service Unavailable instead of 200"));
        let moved = Status { code: 302, reason: "Found".into() };
        assert_eq!((problem(&moved, None), problem(&moved, Some(302))), (None, None));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much_and_an_answer_is_never_longer_than_what_came(bytes in vec(any::<u8>(), 0..300)) {
            let told = [&b"HTTP/1.1 200 OK\r\n"[..], &bytes].concat();
            for bytes in [&bytes, &told] {
                if let Ok(Some((status, used))) = read(bytes) {
                    prop_assert!(used <= bytes.len() && (200..600).contains(&status.code));
                }
            }
        }
    }
}
