//! IMAP (RFC 9051): greeting, CAPABILITY, the certificate behind STARTTLS where it is offered, LOGOUT. Nobody logs in.

use super::{
    talk::{Read, Stage, Talk, line, shown},
    tls,
};
use crate::{
    Plan,
    service::{Found, Problems},
};

/// The port on which TLS comes first (RFC 8314).
const TLS_FIRST: u16 = 993;

/// How a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It does what it was asked.
    Ok,
    /// It refuses, or takes leave.
    Other,
}

/// An answer: the line that ends it, and what came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How.
    pub word: Word,
    /// Its words.
    pub text: String,
    /// Whether TLS is among what the server can do.
    pub offers_tls: bool,
}

/// Asks a mailbox server.
pub(super) async fn ask(plan: &Plan, stage: &Stage, (host, port): (&str, u16)) -> Result<Found, String> {
    let (mut talk, _) = Talk::open(stage, host, port).await?;
    let mut problems = Problems::default();
    let mut certificate_ends_ms = None;
    if port == TLS_FIRST {
        (talk, certificate_ends_ms) = tls::begin(talk, plan, host, &mut problems).await?;
    }
    let greeting = talk.hear("greeting", |bytes| read(bytes, b"*")).await?;
    if !problems.note(refused("greets with", &greeting)) {
        talk.say(b"a1 CAPABILITY\r\n").await?;
        let can = talk.hear("answer to CAPABILITY", |bytes| read(bytes, b"a1")).await?;
        let refused = problems.note(refused("answers CAPABILITY with", &can));
        if !refused && can.offers_tls && certificate_ends_ms.is_none() {
            talk.say(b"a2 STARTTLS\r\n").await?;
            let reply = talk.hear("answer to STARTTLS", |bytes| read(bytes, b"a2")).await?;
            if !problems.note(self::refused("offers STARTTLS, and answers it with", &reply)) {
                (talk, certificate_ends_ms) = tls::begin(talk, plan, host, &mut problems).await?;
            }
        }
    }
    // A server that does not take leave was there all the same.
    let _ = talk.say(b"a3 LOGOUT\r\n").await;
    Ok(Found { problem: problems.told(), certificate_ends_ms })
}

fn refused(how: &str, answer: &Answer) -> Option<String> {
    (answer.word != Word::Ok).then(|| format!("it {how} {}", answer.text))
}

/// Reads an answer up to the line with this tag; `*` for the greeting.
///
/// # Errors
/// It is no IMAP.
pub fn read(bytes: &[u8], tag: &[u8]) -> Read<Answer> {
    let mut used = 0_usize;
    let mut offers_tls = false;
    loop {
        let rest = bytes.get(used..).unwrap_or_default();
        let Some((text, length)) = line(rest) else { return Ok(None) };
        used = used.saturating_add(length);
        let mut words = text.splitn(2, |byte| *byte == b' ');
        let (first, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        offers_tls |= lists_tls(rest);
        if first == tag {
            let mut words = rest.split(|byte| *byte == b' ');
            let word = match words.next() {
                Some(word) if word.eq_ignore_ascii_case(b"OK") || word.eq_ignore_ascii_case(b"PREAUTH") => Word::Ok,
                _ => Word::Other,
            };
            return Ok(Some((Answer { word, text: shown(rest), offers_tls }, used)));
        }
        if first != b"*" && first != b"+" {
            return Err(format!("the answer is no IMAP: {:?}", shown(text)));
        }
    }
}

/// Returns whether a line lists STARTTLS among capabilities, `CAPABILITY …` or `OK [CAPABILITY …]`.
fn lists_tls(line: &[u8]) -> bool {
    let mut words = line.split(|byte| b" []".contains(byte));
    words.any(|word| word.eq_ignore_ascii_case(b"CAPABILITY"))
        && line.split(|byte| b" []".contains(byte)).any(|word| word.eq_ignore_ascii_case(b"STARTTLS"))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn an_answer_ends_with_its_tag_and_says_whether_tls_is_offered() {
        let greeting = b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] Dovecot ready.\r\n";
        let (answer, used) = read(greeting, b"*").unwrap().unwrap();
        assert_eq!((answer.word, answer.offers_tls, used), (Word::Ok, true, greeting.len()));
        let bytes = b"* CAPABILITY IMAP4rev2\r\na1 OK done\r\n";
        let (answer, used) = read(bytes, b"a1").unwrap().unwrap();
        assert_eq!((answer.word, answer.offers_tls, used), (Word::Ok, false, bytes.len()));
        let (bye, _) = read(b"* BYE Too many connections\r\n", b"*").unwrap().unwrap();
        assert_eq!(refused("greets with", &bye).as_deref(), Some("it greets with BYE Too many connections"));
        assert!(read(b"220 smtp\r\n", b"*").is_err());
        assert_eq!(read(b"* CAPABILITY IMAP4rev2\r\n", b"a1"), Ok(None));
    }

    proptest! {
        #[test]
        fn an_answer_never_takes_more_than_came(bytes in vec(any::<u8>(), 0..300)) {
            let told = [&b"* OK hi\r\n* x\r\na1 NO "[..], &bytes].concat();
            for (bytes, tag) in [(&bytes, &b"*"[..]), (&told, b"a1")] {
                if let Ok(Some((_, used))) = read(bytes, tag) {
                    prop_assert!(used <= bytes.len());
                }
            }
        }
    }
}
