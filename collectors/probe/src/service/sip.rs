//! SIP (RFC 3261): OPTIONS over UDP. Any final answer shows that somebody is there, a refusal too; only a server's own failure
//! (5xx) is a problem.

use super::{
    datagram::Line,
    talk::{Stage, line, shown},
};
use crate::{Plan, service::Found};

/// A status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The number.
    pub code: u16,
    /// The words behind it.
    pub reason: String,
}

/// Asks what a video or telephone server can do.
pub(super) async fn ask(plan: &Plan, stage: &Stage, (host, port): (&str, u16)) -> Result<Found, String> {
    let random = onenet_wire::tls::random::<8>().map_err(|error| error.to_string())?;
    let call = random.map(|byte| format!("{byte:02x}")).concat();
    let line = Line::open(stage, host, port).await?;
    let local = line.local().map_or_else(|| "127.0.0.1".to_owned(), |local| local.to_string());
    let name = Some(plan.service.server_name.as_str()).filter(|name| !name.is_empty()).unwrap_or(host);
    let question = question(&plan.service.path, name, &local, &call);
    let Status { code, reason } = line.ask("answer", question.as_bytes(), |bytes| read(bytes, &call)).await?;
    let failed = (500..600).contains(&code);
    let problem = failed.then(|| format!("it answers {code} {reason}").trim_end().to_owned());
    Ok(Found { problem, ..Found::default() })
}

fn question(user: &str, name: &str, local: &str, call: &str) -> String {
    let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    let to = if user.is_empty() { format!("sip:{name}") } else { format!("sip:{user}@{name}") };
    format!(
        "OPTIONS {to} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{call};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:onenet-agent@{local}>;tag={call}\r\nTo: <{to}>\r\nCall-ID: {call}\r\nCSeq: 1 OPTIONS\r\n\
         Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Returns the final status of this call; `None` for what is none, or one that says that it comes later.
pub fn read(bytes: &[u8], call: &str) -> Option<Status> {
    let (first, mut used) = line(bytes)?;
    let (code, reason) = first.strip_prefix(b"SIP/2.0 ")?.split_at_checked(3)?;
    let code = std::str::from_utf8(code).ok()?.parse().ok().filter(|code| (200..700).contains(code))?;
    loop {
        let (header, length) = line(bytes.get(used..)?)?;
        used = used.saturating_add(length);
        if header.is_empty() {
            return None;
        }
        let mut parts = header.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next()?.trim_ascii(), parts.next().unwrap_or_default().trim_ascii());
        if (name.eq_ignore_ascii_case(b"Call-ID") || name.eq_ignore_ascii_case(b"i")) && value == call.as_bytes() {
            return Some(Status { code, reason: shown(reason) });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn the_final_answer_of_our_own_call_counts_and_no_other() {
        let answer = |code: &str, id: &str| format!("SIP/2.0 {code}\r\nVia: x\r\n{id}: abc\r\nCSeq: 1 OPTIONS\r\n\r\n");
        let status = Status { code: 503, reason: "Service Unavailable".into() };
        assert_eq!(read(answer("503 Service Unavailable", "Call-ID").as_bytes(), "abc"), Some(status));
        assert_eq!(read(answer("404 Not Found", "i").as_bytes(), "abc").unwrap().code, 404);
        assert_eq!(read(answer("100 Trying", "Call-ID").as_bytes(), "abc"), None);
        assert_eq!(read(answer("200 OK", "Call-ID").as_bytes(), "abd"), None);
        assert_eq!(read(question("", "pbx", "10.0.0.1:5", "abc").as_bytes(), "abc"), None);
        assert!(question("a", "fd00::1", "10.0.0.1:5", "abc").starts_with("OPTIONS sip:a@[fd00::1] SIP/2.0\r\n"));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes in vec(any::<u8>(), 0..300)) {
            let told = [&b"SIP/2.0 200 OK\r\n"[..], &bytes].concat();
            for bytes in [&bytes, &told] {
                if let Some(status) = read(bytes, "a") {
                    prop_assert!((200..700).contains(&status.code));
                }
            }
        }
    }
}
