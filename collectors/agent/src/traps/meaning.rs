//! What a trap or inform means: which tables it says have changed, and its own words for people.
//!
//! Invariants: only what a notification names is read; one that is not known here is told and starts nothing; communities
//! that proxies put into traps (snmpTrapCommunity of RFC 3584) are not repeated; the words have a bounded length. Pure.

use onenet_snmp::{Concern, Notification, Oid, Profiles, Value, text_of};
use onenet_topology::fact::EventKind;

use crate::schedule::{Table, Tables};

/// The longest words, in bytes: a trap's values, not a document.
const WORDS_MAX: usize = 400;

/// The longest text of one value, in bytes.
const VALUE_MAX: usize = 80;

/// ifEntry (RFC 2863): what is below has the ifIndex as its last arc.
const IF_ENTRY: [u32; 9] = [1, 3, 6, 1, 2, 1, 2, 2, 1];
/// ifXEntry (RFC 2863).
const IF_X_ENTRY: [u32; 10] = [1, 3, 6, 1, 2, 1, 31, 1, 1, 1];
/// snmpTrapCommunity.0 (RFC 3584).
const TRAP_COMMUNITY: [u32; 9] = [1, 3, 6, 1, 6, 3, 18, 1, 4];

/// What a notification means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// What kind of event it is.
    pub(crate) kind: EventKind,
    /// What has to be read.
    pub(crate) tables: Tables,
    /// The port that it is about.
    pub(crate) if_index: Option<u32>,
    /// What it says.
    pub(crate) words: String,
}

/// The values that are known by name: the columns that the notifications above carry.
const VALUES: [(&[u32], &str); 8] = [
    (&[1, 3, 6, 1, 2, 1, 2, 2, 1, 1], "ifIndex"),
    (&[1, 3, 6, 1, 2, 1, 2, 2, 1, 2], "ifDescr"),
    (&[1, 3, 6, 1, 2, 1, 2, 2, 1, 3], "ifType"),
    (&[1, 3, 6, 1, 2, 1, 2, 2, 1, 7], "ifAdminStatus"),
    (&[1, 3, 6, 1, 2, 1, 2, 2, 1, 8], "ifOperStatus"),
    (&[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1], "ifName"),
    (&[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18], "ifAlias"),
    (&[1, 3, 6, 1, 6, 3, 1, 1, 4, 3], "snmpTrapEnterprise"),
];

/// Returns what a notification means, after what profiles know.
pub(crate) fn meaning(notification: &Notification, profiles: &Profiles) -> Meaning {
    let known = profiles.notification(&notification.name);
    let (name, concern) = known.unwrap_or_else(|| (notification.name.to_string().into(), Concern::Nothing));
    let words = words(&name, notification);
    Meaning { kind: kind(concern), tables: tables(concern), if_index: if_index(notification), words }
}

/// Returns the kind of event. That a port went up or down is an event of its own once it was read.
const fn kind(concern: Concern) -> EventKind {
    match concern {
        Concern::Stranger => EventKind::AuthenticationFailed,
        Concern::Neighbours | Concern::Tree => EventKind::NeighboursChanged,
        _ => EventKind::TrapReceived,
    }
}

fn tables(concern: Concern) -> Tables {
    let only = |tables: &[Table]| tables.iter().copied().collect();
    match concern {
        Concern::Nothing | Concern::Stranger => Tables::default(),
        Concern::Everything => Tables::ALL,
        Concern::Ports => only(&[Table::Interfaces]),
        Concern::Neighbours => only(&[Table::Neighbours]),
        Concern::Parts => only(&[Table::Entities]),
        Concern::Tree => only(&[Table::System, Table::Forwarding]),
        Concern::Addresses => only(&[Table::Forwarding]),
    }
}

/// Returns the port: ifIndex itself, or the last arc of another column of its row.
fn if_index(notification: &Notification) -> Option<u32> {
    let index = [IF_ENTRY.as_slice(), &[1]].concat();
    if let Some((_, value)) = notification.value(&index) {
        return value.unsigned().and_then(|number| u32::try_from(number).ok());
    }
    let row = notification.value(&IF_ENTRY).or_else(|| notification.value(&IF_X_ENTRY));
    row.and_then(|(instance, _)| instance.last().copied())
}

fn words(name: &str, notification: &Notification) -> String {
    let kind = if notification.confirmed { "inform" } else { "trap" };
    let mut words = format!("{name} (SNMP{} {kind})", notification.version.name());
    let mut joint = ": ";
    for varbind in &notification.varbinds {
        if varbind.oid.below(&TRAP_COMMUNITY).is_some() {
            continue;
        }
        let said = format!("{joint}{} = {}", name_of(&varbind.oid), said(&varbind.value));
        if words.len() + said.len() > WORDS_MAX {
            words.push_str(", …");
            break;
        }
        words.push_str(&said);
        joint = ", ";
    }
    words
}

fn name_of(oid: &Oid) -> String {
    let known = VALUES.iter().find_map(|(prefix, name)| Some((name, oid.below(prefix)?)));
    known.map_or_else(|| oid.to_string(), |(name, instance)| format!("{name}.{}", Oid::from_arcs(instance)))
}

fn said(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Counter32(number) | Value::Gauge32(number) | Value::Counter64(number) => number.to_string(),
        Value::TimeTicks(ticks) => format!("{} s", ticks / 100),
        Value::ObjectId(oid) => oid.to_string(),
        Value::IpAddress(address) => address.to_string(),
        Value::Octets(octets) => shortened(octets),
        _ => "?".to_owned(),
    }
}

/// Returns a text in quotes, and what is none in hexadecimal digits.
fn shortened(octets: &[u8]) -> String {
    let printable = octets.iter().all(|byte| !byte.is_ascii_control() || matches!(byte, b'\n' | b'\r' | b'\t' | 0));
    if !printable {
        let digits = octets.iter().take(VALUE_MAX / 3).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
        return digits;
    }
    let text = text_of(octets);
    let end = (0..=VALUE_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("\"{}\"", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use onenet_snmp::{NotificationVersion, VarBind};

    use super::*;

    fn notification(name: &str, varbinds: &[(&str, Value)]) -> Notification {
        let varbinds =
            varbinds.iter().map(|(oid, value)| VarBind { oid: oid.parse().unwrap(), value: value.clone() }).collect();
        Notification {
            version: NotificationVersion::V2c,
            confirmed: false,
            name: name.parse().unwrap(),
            uptime_ticks: Some(100),
            varbinds,
            agent_address: None,
        }
    }

    fn means(notification: &Notification) -> Meaning {
        meaning(notification, &Profiles::built_in())
    }

    #[test]
    fn a_link_that_went_down_names_its_port_and_has_the_ports_read() {
        let columns = [
            ("1.3.6.1.2.1.2.2.1.1.3", Value::Integer(3)),
            ("1.3.6.1.2.1.2.2.1.2.3", Value::Octets(b"ge3".as_slice().into())),
        ];
        let meant = means(&notification("1.3.6.1.6.3.1.1.5.3", &columns));
        assert_eq!(meant.tables, Tables::default().with(Table::Interfaces));
        assert_eq!((meant.kind, meant.if_index), (EventKind::TrapReceived, Some(3)));
        assert_eq!(meant.words, "linkDown (SNMPv2c trap): ifIndex.3 = 3, ifDescr.3 = \"ge3\"");
        let other = means(&notification("1.3.6.1.6.3.1.1.5.4", &[("1.3.6.1.2.1.31.1.1.1.1.77", Value::Null)]));
        assert_eq!(other.if_index, Some(77));
    }

    #[test]
    fn each_kind_has_read_what_it_names_and_an_unknown_one_nothing() {
        for (name, tables) in [
            ("1.3.6.1.6.3.1.1.5.1", Tables::ALL),
            ("1.3.6.1.6.3.1.1.5.5", Tables::default()),
            ("1.0.8802.1.1.2.0.0.1", Tables::default().with(Table::Neighbours)),
            ("1.3.6.1.2.1.47.2.0.1", Tables::default().with(Table::Entities)),
            ("1.3.6.1.2.1.17.0.2", Tables::default().with(Table::System).with(Table::Forwarding)),
            // Huawei's boards and flapping addresses, H3C's spanning tree and stations of the MAC table, Ruijie's fans.
            ("1.3.6.1.4.1.2011.5.25.219.2.2.1", Tables::default().with(Table::Entities)),
            ("1.3.6.1.4.1.2011.5.25.160.3.7", Tables::default().with(Table::Forwarding)),
            ("1.3.6.1.4.1.25506.8.35.14.0.1", Tables::default().with(Table::System).with(Table::Forwarding)),
            ("1.3.6.1.4.1.25506.2.87.1.3.0.1", Tables::default().with(Table::Forwarding)),
            ("1.3.6.1.4.1.4881.1.1.10.2.21.2.4", Tables::default().with(Table::Entities)),
            ("1.3.6.1.4.1.99999.1.2", Tables::default()),
        ] {
            assert_eq!(means(&notification(name, &[])).tables, tables, "{name}");
        }
        assert!(means(&notification("1.3.6.1.4.1.99999.1.2", &[])).words.starts_with("1.3.6.1.4.1.99999.1.2 "));
        let board = means(&notification("1.3.6.1.4.1.2011.5.25.219.2.2.1", &[])).words;
        assert!(board.starts_with("hwEntityTrap.2.1 (SNMPv2c trap)"), "{board}");
    }

    #[test]
    fn a_community_in_a_trap_is_not_repeated_and_words_are_bounded() {
        let secret = [("1.3.6.1.6.3.18.1.4.0", Value::Octets(b"s3cret".as_slice().into()))];
        assert!(!means(&notification("1.3.6.1.6.3.1.1.5.1", &secret)).words.contains("s3cret"));
        let long = vec![("1.3.6.1.4.1.1.1", Value::Octets(vec![b'x'; 4_000].into())); 40];
        let words = means(&notification("1.3.6.1.6.3.1.1.5.1", &long)).words;
        assert!(words.len() <= WORDS_MAX + 8 && words.ends_with('…'), "{}", words.len());
        let bytes = means(&notification("1.3.6.1.6.3.1.1.5.1", &[("1.3", Value::Octets([0, 1, 255].into()))])).words;
        assert!(bytes.ends_with("= 00:01:ff"), "{bytes}");
    }
}
