//! `[replication]`: the log that several centres share, so that they are one.
//!
//! Invariant: without the section there is no log and no connection to any server.

use std::{net::IpAddr, path::PathBuf};

use onenet_config::Section;

use super::{DAY, converted, number};
use crate::replication::{NatsConfig, ReplicationConfig};

const MIB: i64 = 1 << 20;
/// How long the log is kept when nobody says otherwise: a replica that was away for a weekend still catches up.
const KEEP_DAYS: u64 = 7;
/// Bytes that are kept when nobody says otherwise.
const KEEP_MIB: u64 = 65_536;
const SERVERS: &str = "write at least one server, such as [\"nats://192.0.2.1:4222\", \"nats://192.0.2.2:4222\", \"nats://192.0.2.3:4222\"]";
const NAME: &str = "write up to 32 letters, digits and -, another name for each replica, such as \"centre-1\"";
const STREAM: &str =
    "write up to 64 letters, digits, - and _, such as \"onenet-2027\"; never a name that was used before";

const DOMAIN: &str = "write up to 64 letters, digits, - and _, as the servers have it in jetstream { domain: … }";

/// Reads the section, where there is one.
pub(super) fn section(root: &mut Section<'_>) -> Option<ReplicationConfig> {
    let mut section = root.section("replication");
    if !section.is_present() {
        section.finish();
        return None;
    }
    let mut wanted = |key: &'static str, remedy: &str, len: usize, more: &[u8]| {
        if !section.has(key) {
            section.note(key, "is missing", remedy);
        }
        converted(&mut section, key, remedy, |text| is_word(text, len, more).then(|| text.to_owned()))
    };
    let (name, stream) = (wanted("name", NAME, 32, b"-"), wanted("stream", STREAM, 64, b"-_"));
    let domain = converted(&mut section, "domain", DOMAIN, |text| is_word(text, 64, b"-_").then(|| text.to_owned()));
    let servers = servers(&mut section);
    let copies = number(&mut section, "copies", 1..=5, "copies");
    let keep = number(&mut section, "keep_days", 1..=365, "days").unwrap_or(KEEP_DAYS);
    let keep_mib = number(&mut section, "keep_mib", 64..=16_777_216, "MiB").unwrap_or(KEEP_MIB);
    let authority = section.text("authority").map(|found| PathBuf::from(found.value));
    let certificate = both(&mut section, "certificate", "key").map(|(chain, key)| (chain.into(), key.into()));
    let password = both(&mut section, "user", "password_file").map(|(user, file)| (user, file.into()));
    if password.is_some() && servers.iter().flatten().any(|server| in_clear(server)) {
        section.note(
            "password_file",
            "would be sent in clear text",
            "write tls:// in servers, or leave user and password out",
        );
    }
    section.finish();
    let nats = NatsConfig {
        servers: servers?,
        stream: stream?,
        domain,
        copies: copies.and_then(|copies| usize::try_from(copies).ok()).unwrap_or(3),
        keep: DAY * u32::try_from(keep).unwrap_or(u32::MAX),
        keep_bytes: i64::try_from(keep_mib).unwrap_or(i64::MAX).saturating_mul(MIB),
        authority,
        certificate,
        password,
    };
    Some(ReplicationConfig { name: name?, nats })
}

fn is_word(text: &str, len: usize, more: &[u8]) -> bool {
    (1..=len).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_alphanumeric() || more.contains(&it))
}

/// Reads two keys that are of no use without each other.
fn both(section: &mut Section<'_>, one: &'static str, other: &'static str) -> Option<(String, String)> {
    let mut text = |key| section.text(key).map(|found| found.value.to_owned());
    match (text(one), text(other)) {
        (Some(it), Some(its)) => return Some((it, its)),
        (None, None) => {}
        (Some(_), None) => section.note(other, "is missing", format_args!("{one} is of no use without it")),
        (None, Some(_)) => section.note(one, "is missing", format_args!("{other} is of no use without it")),
    }
    None
}

/// Returns whether what is sent to a server leaves this machine as it is.
fn in_clear(server: &str) -> bool {
    let address = server.strip_prefix("nats://").and_then(|rest| rest.rsplit_once(':'));
    let is_here = |host: &str| {
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    };
    address.is_some_and(|(host, _)| !is_here(host))
}

fn servers(section: &mut Section<'_>) -> Option<Vec<String>> {
    let found = section.texts("servers").unwrap_or_default();
    if found.is_empty() {
        section.note("servers", "is missing", SERVERS);
    }
    let mut servers = Vec::new();
    for found in found {
        let rest = found.value.strip_prefix("nats://").or_else(|| found.value.strip_prefix("tls://"));
        let port = rest.filter(|rest| !rest.contains('@')).and_then(|rest| rest.rsplit_once(':'));
        if port.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)) {
            servers.push(found.value.to_owned());
        } else {
            section.log.note(&found.place, format_args!("{:?} is no server", found.value), SERVERS);
        }
    }
    (!servers.is_empty()).then_some(servers)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const WHOLE: &str =
        "[replication]\nname = \"centre-1\"\nstream = \"onenet-1\"\nservers = [\"nats://127.0.0.1:4222\"]\n";

    #[test]
    fn without_the_section_there_is_no_log_and_with_it_three_copies_for_a_week() {
        assert_eq!(Config::parse("", "onenetd.toml").unwrap().replication, None);
        let it = Config::parse(WHOLE, "onenetd.toml").unwrap().replication.unwrap();
        assert_eq!((it.name.as_str(), it.nats.copies, it.nats.keep.as_secs()), ("centre-1", 3, 7 * 86_400));
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_line_and_remedy() {
        let text = "[replication]\nname = \"zentrale 1\"\nservers = [\"127.0.0.1\", \"nats://me:secret@a:1\"]\ncopies = 9\n\
                    certificate = \"/c\"\n";
        let said = Config::parse(text, "onenetd.toml").unwrap_err().to_string();
        for part in
            ["zentrale 1", "stream", "never a name that was used before", "127.0.0.1", "secret@a", "copies", "key"]
        {
            assert!(said.contains(part), "{part} in {said}");
        }
        let more =
            WHOLE.replace("127.0.0.1", "192.0.2.1") + "user = \"centre\"\npassword_file = \"/etc/onenet/nats\"\n";
        let said = Config::parse(&more, "onenetd.toml").unwrap_err().to_string();
        assert!(said.contains("clear text"), "{said}");
        Config::parse(&more.replace("nats://", "tls://"), "onenetd.toml").unwrap();
        let empty = Config::parse("[replication]\n", "onenetd.toml").unwrap_err().to_string();
        assert!(empty.contains("servers") && empty.contains("name"), "{empty}");
    }
}
