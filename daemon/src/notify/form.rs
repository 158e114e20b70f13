//! The forms in which a message is sent: JSON for programs, the text of chat robots, a line of syslog, a mail.
//!
//! Invariant: each form has the message's id, and is bounded: a robot of WeCom takes 2,048 bytes, a datagram of syslog as many as every
//! receiver takes (RFC 5425, 4.3.1). What somebody wrote can end neither a line nor a field.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use onenet_topology::incident::Severity;
use serde_json::{Value, json};

use super::words::Words;
use crate::{http_client::Answer, outbox::Message};

/// Bytes of the text of a chat robot.
const ROBOT_BYTES_MAX: usize = 2_000;
/// Bytes of the words in a line of syslog, so that with its data it stays within 2,048.
const SYSLOG_WORDS_MAX: usize = 1_000;
/// The facility "log audit" of syslog.
const FACILITY: u8 = 13;
/// How long a robot that had too many messages is left alone: both count by the minute.
const ROBOT_REST: Duration = Duration::from_secs(60);

/// Returns what programs are told.
pub(super) fn webhook(message: &Message, words: &Words) -> String {
    let body = json!({
        "id": message.id.to_string(),
        "what": message.what.name(),
        "time": message.time.to_string(),
        "about": message.about,
        "site": message.site.to_string(),
        "site_code": words.code,
        "site_name": words.site,
        "kind": message.kind,
        "subject": message.subject,
        "grade": message.grade.name(),
        "state": message.state,
        "drill": message.drill,
        "to": message.to.map(|it| it.to_string()),
        "notice": message.notice,
        "due": message.due.map(|it| it.to_string()),
        "by": message.by,
        "text": message.text,
        "title": words.title,
        "words": words.text(),
    });
    body.to_string()
}

/// Returns what a chat robot is told; those of DingTalk and WeCom take the same.
pub(super) fn robot(words: &Words) -> String {
    let text = cut(&words.text(), ROBOT_BYTES_MAX).to_owned();
    json!({ "msgtype": "text", "text": { "content": text } }).to_string()
}

/// Returns what the answer of a chat robot means.
pub(super) fn robot_answer(said: &str) -> Answer {
    let answer: Value = serde_json::from_str(said).unwrap_or_default();
    let why = || format!("the robot says {}", said.trim());
    match answer.get("errcode").and_then(Value::as_i64) {
        Some(0) => Answer::Taken,
        // Too many in this minute: DingTalk, WeCom.
        Some(130_101 | 45_009) => Answer::Later { why: why(), after: Some(ROBOT_REST) },
        // It cannot read this message, whenever it is sent: wrong or empty or too long.
        Some(40_035 | 44_004 | 45_002) => Answer::Refused(why()),
        // All else is for somebody to mend: its token, its secret, its list of words.
        _ => Answer::Later { why: why(), after: None },
    }
}

/// Returns a line of syslog (RFC 5424).
pub(super) fn syslog(message: &Message, words: &Words, host: &str) -> String {
    let (id, drill) = (message.id.to_string(), message.drill.to_string());
    let fields = [
        ("id", id.as_str()),
        ("about", &message.about),
        ("kind", &message.kind),
        ("subject", &message.subject),
        ("site", &words.code),
        ("grade", message.grade.name()),
        ("state", &message.state),
        ("drill", &drill),
    ];
    let data =
        fields.iter().fold(String::new(), |data, (name, value)| data + " " + name + "=\"" + &escaped(value) + "\"");
    let text: String = words.text().chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    let text = cut(&text, SYSLOG_WORDS_MAX);
    // The number is the one for documentation (RFC 5612): we have none.
    format!("{} [onenet@32473{data}] \u{feff}{text}", syslog_head(message, host))
}

/// Returns the head of a line of syslog (RFC 5424, 6.2), without structured data.
pub(super) fn syslog_head(message: &Message, host: &str) -> String {
    let severity = match message.grade {
        Severity::General => 4,
        Severity::Considerable => 3,
        Severity::Major => 2,
        Severity::Extraordinary => 1,
    };
    format!("<{}>1 {} {host} onenetd - {}", FACILITY * 8 + severity, message.time, message.what.name())
}

/// Returns a mail (RFC 5322) in UTF-8, to be handed to a mail program: so lines end as they do on this machine. Its Message-ID is that of the
/// message, so that whoever gets it twice sees one.
pub(super) fn mail(message: &Message, words: &Words, (from, to): (&str, &[&str]), host: &str) -> String {
    let domain = if host == "-" { "onenet.invalid" } else { host };
    let body = BASE64.encode(words.text().replace('\n', "\r\n") + "\r\n");
    let lines = body.as_bytes().chunks(76).map(String::from_utf8_lossy);
    let head = [
        format!("Date: {}", message.time.rfc5322()),
        format!("From: {from}"),
        format!("To: {}", to.join(",\n ")),
        format!("Subject: {}", encoded_words(&words.title)),
        format!("Message-ID: <{}@{domain}>", message.id),
        "Auto-Submitted: auto-generated".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
        "Content-Transfer-Encoding: base64".to_owned(),
        String::new(),
    ];
    head.into_iter()
        .chain(lines.map(std::borrow::Cow::into_owned))
        .fold(String::new(), |mail, line| mail + &line + "\n")
}

/// Returns a text as the words of a head (RFC 2047): each of at most 75 characters, none in the middle of a letter.
fn encoded_words(text: &str) -> String {
    /// Bytes that make 60 characters.
    const BYTES: usize = 45;
    let mut words = vec![String::new()];
    for it in text.chars().map(|it| if it.is_control() { ' ' } else { it }) {
        match words.last_mut().filter(|word| word.len() + it.len_utf8() <= BYTES) {
            Some(word) => word.push(it),
            None => words.push(it.to_string()),
        }
    }
    words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word))).collect::<Vec<_>>().join("\n ")
}

/// Returns a name that can stand in the head of a line of syslog.
pub(super) fn syslog_name(name: &str) -> String {
    let name: String = name.chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// Escapes a value of structured data (RFC 5424, 6.3.3).
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for it in cut(value, 200).chars() {
        if matches!(it, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(if it.is_control() { ' ' } else { it });
    }
    text
}

/// Returns as much of a text as has so many bytes.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let ends = text.char_indices().map(|(at, it)| at + it.len_utf8());
    let end = ends.take_while(|end| *end <= bytes).last().unwrap_or_default();
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_robot_can_never_read_is_given_up() {
        let answer = |code: i64| robot_answer(&format!("{{\"errcode\":{code},\"errmsg\":\"x\"}}"));
        assert_eq!(answer(0), Answer::Taken);
        assert!(matches!(answer(40_035), Answer::Refused(_)));
        assert!(matches!(answer(130_101), Answer::Later { after: Some(ROBOT_REST), .. }));
        for later in [310_000, 93_000, -1] {
            assert!(matches!(answer(later), Answer::Later { after: None, .. }), "{later}");
        }
        assert!(matches!(robot_answer("<html>"), Answer::Later { .. }), "no robot answered");
    }

    #[test]
    fn a_title_is_words_of_a_head_that_no_line_end_leaves() {
        let title = "[重大] 事件逾期: 端口扫描 10.20.0.7 · 石家庄市\r\nBcc: x@y.example".repeat(2);
        let words = encoded_words(&title);
        let read: Vec<u8> = words
            .lines()
            .map(|line| line.trim_start().strip_prefix("=?UTF-8?B?").unwrap().strip_suffix("?=").unwrap())
            .flat_map(|word| {
                assert!(word.len() <= 60);
                let bytes = BASE64.decode(word).unwrap();
                assert!(std::str::from_utf8(&bytes).is_ok(), "a letter is whole");
                bytes
            })
            .collect();
        assert_eq!(String::from_utf8(read).unwrap(), title.replace(['\r', '\n'], " "));
    }

    #[test]
    fn what_somebody_wrote_ends_no_field_and_no_line() {
        assert_eq!(escaped("a\"b]c\\d\ne"), "a\\\"b\\]c\\\\d e");
        assert_eq!(syslog_name("a b\n"), "ab");
        assert_eq!(syslog_name(""), "-");
        assert_eq!(cut("网络", 4), "网");
    }
}
