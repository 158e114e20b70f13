//! SMTP (RFC 5321): greeting, EHLO, the certificate behind STARTTLS (RFC 3207) where it is offered, QUIT. No mail is begun.

use super::{
    talk::{Read, Stage, Talk, line, shown},
    tls,
};
use crate::{
    Plan,
    service::{Found, Problems},
};

/// The port on which TLS comes first (RFC 8314).
const TLS_FIRST: u16 = 465;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The number.
    pub code: u16,
    /// The words of its first line.
    pub text: String,
    /// Whether one of its further lines is the word STARTTLS.
    pub offers_tls: bool,
}

/// Asks a mail server.
pub(super) async fn ask(plan: &Plan, stage: &Stage, (host, port): (&str, u16)) -> Result<Found, String> {
    let (mut talk, ends) = Talk::open(stage, host, port).await?;
    let mut problems = Problems::default();
    let mut certificate_ends_ms = None;
    if port == TLS_FIRST {
        (talk, certificate_ends_ms) = tls::begin(talk, plan, host, &mut problems).await?;
    }
    let greeting = talk.hear("greeting", read).await?;
    if !problems.note(refused("greets with", &greeting, 220)) {
        talk.say(&hello(ends.local)).await?;
        let reply = talk.hear("answer to EHLO", read).await?;
        let refused = problems.note(refused("answers EHLO with", &reply, 250));
        if !refused && reply.offers_tls && certificate_ends_ms.is_none() {
            talk.say(b"STARTTLS\r\n").await?;
            let reply = talk.hear("answer to STARTTLS", read).await?;
            if !problems.note(self::refused("offers STARTTLS, and answers it with", &reply, 220)) {
                (talk, certificate_ends_ms) = tls::begin(talk, plan, host, &mut problems).await?;
            }
        }
    }
    // A server that does not take leave was there all the same.
    let _ = talk.say(b"QUIT\r\n").await;
    Ok(Found { problem: problems.told(), certificate_ends_ms })
}

/// Who we are: an address, as hosts without a name say it (RFC 5321, section 4.1.3).
fn hello(local: Option<std::net::SocketAddr>) -> Vec<u8> {
    let name = match local.map(|local| local.ip().to_canonical()) {
        Some(std::net::IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Some(std::net::IpAddr::V4(address)) => format!("[{address}]"),
        None => "[127.0.0.1]".to_owned(),
    };
    format!("EHLO {name}\r\n").into_bytes()
}

fn refused(how: &str, reply: &Reply, wanted: u16) -> Option<String> {
    (reply.code != wanted).then(|| format!("it {how} {} {}", reply.code, reply.text).trim_end().to_owned())
}

/// Reads a reply of one or several lines.
///
/// # Errors
/// It is no SMTP.
pub fn read(bytes: &[u8]) -> Read<Reply> {
    let mut used = 0_usize;
    let mut reply: Option<Reply> = None;
    loop {
        let rest = bytes.get(used..).unwrap_or_default();
        let Some((text, length)) = line(rest) else { return Ok(None) };
        used = used.saturating_add(length);
        let (code, last, words) = parts(text).ok_or_else(|| format!("the answer is no SMTP: {:?}", shown(text)))?;
        let begun = match reply {
            Some(begun) if begun.code == code => {
                let offers_tls = begun.offers_tls || words.trim_ascii().eq_ignore_ascii_case(b"STARTTLS");
                Reply { offers_tls, ..begun }
            }
            Some(begun) => return Err(format!("a reply begins with {} and goes on with {code}", begun.code)),
            None => Reply { code, text: shown(words), offers_tls: false },
        };
        if last {
            return Ok(Some((begun, used)));
        }
        reply = Some(begun);
    }
}

/// Returns a line's number, whether it is the last, and its words.
fn parts(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (code, rest) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(code).ok()?.parse().ok().filter(|code| (200..=599).contains(code))?;
    match rest.split_first() {
        None => Some((code, true, rest)),
        Some((b' ', words)) => Some((code, true, words)),
        Some((b'-', words)) => Some((code, false, words)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn a_reply_of_several_lines_is_one_and_says_whether_tls_is_offered() {
        let bytes = b"250-mail.example\r\n250-SIZE 100\r\n250-StartTLS\r\n250 HELP\r\nmore";
        let reply = Reply { code: 250, text: "mail.example".into(), offers_tls: true };
        assert_eq!(read(bytes), Ok(Some((reply, bytes.len() - 4))));
        for length in 0..bytes.len() - 4 {
            assert_eq!(read(&bytes[..length]), Ok(None));
        }
        let (busy, _) = read(b"421 4.3.2 try later\r\n").unwrap().unwrap();
        assert_eq!(refused("greets with", &busy, 220).as_deref(), Some("it greets with 421 4.3.2 try later"));
        for odd in [&b"HTTP/1.1 400 Bad\r\n"[..], b"220_x\r\n", b"999 x\r\n", b"250-a\r\n251 b\r\n", b"\r\n"] {
            assert!(read(odd).is_err(), "{odd:?}");
        }
        assert_eq!(hello("[2001:db8::1]:9".parse().ok()), b"EHLO [IPv6:2001:db8::1]\r\n");
    }

    proptest! {
        #[test]
        fn a_reply_never_takes_more_than_came(bytes in vec(any::<u8>(), 0..300), lines in vec("[ -~]{0,20}", 0..5)) {
            let told: String = lines.iter().map(|line| format!("250-{line}\r\n")).chain(["250 x\r\n".into()]).collect();
            prop_assert_eq!(read(told.as_bytes()).unwrap().unwrap().1, told.len());
            if let Ok(Some((_, used))) = read(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }
    }
}
