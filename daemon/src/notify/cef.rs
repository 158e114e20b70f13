//! Messages in the Common Event Format, version 0, which collections of security events read: one record in the words of a line of syslog.
//!
//! Invariant: what somebody wrote ends neither a field nor a line, nor does it begin another field. Names of keys are those of the format's
//! dictionary; what that has no name for is in custom strings with labels. A record is bounded.

use onenet_topology::incident::Severity;

use super::{
    form::{cut, syslog_head},
    words::Words,
};
use crate::outbox::Message;

/// Bytes of one value.
const VALUE_BYTES_MAX: usize = 300;

/// Returns a line of syslog (RFC 5424) whose words are a record of CEF.
pub(super) fn syslog(message: &Message, words: &Words, host: &str) -> String {
    format!("{} - {}", syslog_head(message, host), record(message, words))
}

fn record(message: &Message, words: &Words) -> String {
    // From 0 to 10, of which 7 and 8 are high, 9 and 10 very high.
    let severity = match message.grade {
        Severity::General => 3,
        Severity::Considerable => 6,
        Severity::Major => 8,
        Severity::Extraordinary => 10,
    };
    let (id, time, drill) = (message.id.to_string(), message.time.unix_ms().to_string(), message.drill.to_string());
    let drill = drill.as_str();
    let mut fields: Vec<(&str, &str)> =
        vec![("rt", &time), ("externalId", &id), ("cat", &message.kind), ("outcome", &message.state)];
    // Addresses have keys of their own, by which collections join records.
    let source = message.subject.parse::<std::net::IpAddr>().ok();
    match source {
        Some(std::net::IpAddr::V4(_)) => fields.push(("src", &message.subject)),
        Some(std::net::IpAddr::V6(_)) => {
            fields.extend([("c6a2Label", "Source IPv6 Address"), ("c6a2", message.subject.as_str())]);
        }
        None => {}
    }
    fields.extend(message.by.as_deref().map(|by| ("suser", by)));
    let strings = [
        ("site", words.code.as_str()),
        ("grade", message.grade.name()),
        ("about", &message.about),
        ("subject", &message.subject),
        ("drill", drill),
    ];
    let labels =
        [("cs1Label", "cs1"), ("cs2Label", "cs2"), ("cs3Label", "cs3"), ("cs4Label", "cs4"), ("cs5Label", "cs5")];
    fields.extend(
        labels.into_iter().zip(strings).flat_map(|((label, key), (name, value))| [(label, name), (key, value)]),
    );
    fields.push(("msg", &words.title));
    let fields = fields.into_iter().map(|(key, value)| format!("{key}={}", escaped(value, '=')));
    let head = ["CEF:0", "onenet", "onenetd", env!("CARGO_PKG_VERSION"), message.what.name()];
    let head = head.map(|it| escaped(it, '|')).join("|");
    format!("{head}|{}|{severity}|{}", escaped(&words.title, '|'), fields.collect::<Vec<_>>().join(" "))
}

/// Escapes a value in which `end` would end the field.
fn escaped(value: &str, end: char) -> String {
    let mut text = String::new();
    for it in cut(value, VALUE_BYTES_MAX).chars() {
        if it == '\\' || it == end {
            text.push('\\');
        }
        text.push(if it.is_control() { ' ' } else { it });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_ends_no_field() {
        assert_eq!(escaped("a|b=c\\d\r\ne", '|'), "a\\|b=c\\\\d  e");
        assert_eq!(escaped("a|b=c", '='), "a|b\\=c");
        assert_eq!(escaped(&"网".repeat(200), '='), "网".repeat(100));
    }
}
