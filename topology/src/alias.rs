//! Aliases: what speaks for two things being one, as scored evidence and never as identity (invariant 7).
//!
//! Invariant: a match is a number with its reasons, symmetric, and independent of the order of the aliases. What every
//! second device has (a blank serial, an engine id of zeros, the name it left the factory with) scores nothing.
//!
//! It does not merge anything: it proposes, and an operator can overrule it.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{AgentId, MacAddr, SpaceId, Timestamp, fact::Group};

/// The most that aliases can score when serial numbers are known on both sides and none agrees.
const CONTRADICTED_MAX: u8 = 20;

/// What sort of name an alias is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasKind {
    /// The name under which one agent polls it: agent and name, see [`Alias::local_name`].
    LocalName,
    /// The serial number of the chassis (ENTITY-MIB).
    Serial,
    /// The LLDP chassis id.
    ChassisId,
    /// The MAC address of the bridge.
    BridgeMac,
    /// A MAC address of a port.
    Mac,
    /// snmpEngineID: cloned with configurations, so it proves less than it should.
    EngineId,
    /// An address at which it is managed: space and address, see [`Alias::management_address`].
    ManagementAddress,
    /// sysName.
    SysName,
    /// ifName: tells ports of one device apart, and nothing between devices.
    IfName,
}

/// Who says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasSource {
    /// An agent observed it.
    Observed {
        /// The agent.
        agent: AgentId,
        /// How, and on what.
        group: Group,
    },
    /// A person said so.
    Operator(String),
}

/// One name of something, as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// What sort of name.
    pub kind: AliasKind,
    /// The name.
    pub value: String,
    /// How far it can be trusted, 0 to 100; more counts as 100.
    pub score: u8,
    /// When it was first seen.
    pub first: Timestamp,
    /// When it was last seen.
    pub last: Timestamp,
    /// Who says so.
    pub source: AliasSource,
}

/// Why a match scores as it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchReason {
    /// Both have this alias; alone it would score that much.
    Agrees {
        /// The kind.
        kind: AliasKind,
        /// The shared value.
        value: String,
        /// What it scores, 1 to 100.
        score: u8,
    },
    /// Both have serial numbers, and none agrees.
    SerialsDiffer,
    /// Both have this alias, but so has every second device: it scores nothing.
    Meaningless {
        /// The kind.
        kind: AliasKind,
        /// The value.
        value: String,
    },
}

impl AliasKind {
    /// Returns how much two things that share such an alias are one thing, 0 to 100.
    const fn weight(self) -> u8 {
        match self {
            Self::LocalName => 95,
            Self::Serial => 90,
            Self::ChassisId | Self::BridgeMac => 80,
            Self::Mac => 70,
            Self::EngineId => 50,
            Self::ManagementAddress => 40,
            Self::SysName => 20,
            Self::IfName => 0,
        }
    }
}

impl Alias {
    /// Returns the value of a [`AliasKind::LocalName`].
    pub fn local_name(agent: AgentId, name: &str) -> String {
        format!("{agent}/{name}")
    }

    /// Returns the value of a [`AliasKind::ManagementAddress`]: an IP address means nothing without its space.
    pub fn management_address(space: SpaceId, ip: IpAddr) -> String {
        format!("{space}/{ip}")
    }

    /// Returns whether the value is one that devices have when nobody gave them one.
    pub fn is_meaningless(&self) -> bool {
        let value = canonical(self.kind, &self.value);
        match self.kind {
            AliasKind::Serial | AliasKind::ChassisId => is_placeholder(&value),
            AliasKind::EngineId => is_empty_engine(&value),
            AliasKind::Mac | AliasKind::BridgeMac => {
                value.parse::<MacAddr>().map_or(true, |mac| !mac.is_unicast() || mac.is_virtual_router())
            }
            AliasKind::ManagementAddress => value.rsplit('/').next().is_none_or(|ip| {
                ip.parse::<IpAddr>().map_or(true, |ip| ip.is_unspecified() || ip.is_loopback() || ip.is_multicast())
            }),
            AliasKind::SysName => is_placeholder(&value) || FACTORY_NAMES.contains(&value.as_str()),
            AliasKind::LocalName | AliasKind::IfName => value.is_empty(),
        }
    }
}

/// What devices call themselves before anybody names them.
const FACTORY_NAMES: [&str; 14] = [
    "huawei",
    "quidway",
    "h3c",
    "hp",
    "ruijie",
    "zxr10",
    "mypower",
    "maipu",
    "dcn",
    "switch",
    "router",
    "localhost",
    "firewall",
    "(none)",
];

/// What stands where a serial number should.
const PLACEHOLDERS: [&str; 16] = [
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "unknown",
    "unspecified",
    "not specified",
    "not available",
    "not applicable",
    "not defined",
    "invalid",
    "default string",
    "to be filled by o.e.m.",
    "system serial number",
    "serial number",
];

/// Returns how likely the things that have these aliases are one, 0 to 100, and why: the reasons in order of kind.
///
/// Kinds add up as independent evidence: what is left of the doubt after one is reduced by the next. Within a kind the
/// best shared value counts.
pub fn match_score(one: &[Alias], two: &[Alias]) -> (u8, Vec<MatchReason>) {
    let (one, two) = (by_value(one), by_value(two));
    let mut reasons = Vec::new();
    let mut best: BTreeMap<AliasKind, (u8, &str)> = BTreeMap::new();
    for ((kind, value), alias) in &one {
        let Some(other) = two.get(&(*kind, value.clone())) else { continue };
        if alias.is_meaningless() {
            reasons.push(MatchReason::Meaningless { kind: *kind, value: value.clone() });
            continue;
        }
        let trust = u16::from(alias.score.min(other.score).min(100));
        let score = u8::try_from(u16::from(kind.weight()) * trust / 100).unwrap_or(100);
        if score > best.get(kind).map_or(0, |(best, _)| *best) {
            best.insert(*kind, (score, value));
        }
    }
    // Doubt in millionths: integers, so that every replica gets the same number.
    let mut doubt: u64 = 1_000_000;
    for (kind, (score, value)) in &best {
        doubt = doubt * u64::from(100 - score) / 100;
        reasons.push(MatchReason::Agrees { kind: *kind, value: (*value).to_owned(), score: *score });
    }
    let mut score = u8::try_from((1_000_000 - doubt) / 10_000).unwrap_or(100);
    let has_serial = |aliases: &BTreeMap<(AliasKind, String), &Alias>| {
        aliases.values().any(|alias| alias.kind == AliasKind::Serial && alias.score > 0 && !alias.is_meaningless())
    };
    if has_serial(&one) && has_serial(&two) && !best.contains_key(&AliasKind::Serial) {
        reasons.push(MatchReason::SerialsDiffer);
        score = score.min(CONTRADICTED_MAX);
    }
    reasons.sort();
    (score, reasons)
}

/// Returns the aliases by kind and canonical value, the most trusted of each.
fn by_value(aliases: &[Alias]) -> BTreeMap<(AliasKind, String), &Alias> {
    let mut by_value: BTreeMap<(AliasKind, String), &Alias> = BTreeMap::new();
    for alias in aliases {
        let known = by_value.entry((alias.kind, canonical(alias.kind, &alias.value))).or_insert(alias);
        if alias.score > known.score {
            *known = alias;
        }
    }
    by_value
}

/// Returns the value as it compares: case and surrounding blanks do not matter, nor how a MAC address is written.
fn canonical(kind: AliasKind, value: &str) -> String {
    let trimmed = value.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    match kind {
        AliasKind::LocalName | AliasKind::IfName => trimmed.to_owned(),
        AliasKind::Mac | AliasKind::BridgeMac | AliasKind::ChassisId => {
            trimmed.parse::<MacAddr>().map_or_else(|_| trimmed.to_lowercase(), |mac| mac.to_string())
        }
        AliasKind::EngineId => {
            let digits = trimmed.strip_prefix("0x").unwrap_or(trimmed).chars().filter(char::is_ascii_hexdigit);
            digits.map(|digit| digit.to_ascii_lowercase()).collect()
        }
        AliasKind::Serial | AliasKind::ManagementAddress | AliasKind::SysName => trimmed.to_lowercase(),
    }
}

/// Returns whether the text says nothing: a word for "none", or one character again and again ("0000", "----").
fn is_placeholder(value: &str) -> bool {
    let mut characters = value.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' ' | '_' | '/'));
    let first = characters.next();
    value.len() < 2 || PLACEHOLDERS.contains(&value) || first.is_none() || characters.all(|c| Some(c) == first)
}

/// Returns whether the digits are no engine id: RFC 3411 wants 5 to 32 octets, not all zero and not all 255.
fn is_empty_engine(digits: &str) -> bool {
    // After the enterprise number and the format octet something must tell devices apart.
    let rest = digits.get(10..).unwrap_or_default();
    !(10..=64).contains(&digits.len()) || rest.bytes().all(|b| b == b'0') || digits.bytes().all(|b| b == b'f')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alias(kind: AliasKind, value: &str) -> Alias {
        Alias {
            kind,
            value: value.to_owned(),
            score: 100,
            first: Timestamp::EPOCH,
            last: Timestamp::EPOCH,
            source: AliasSource::Operator("test".to_owned()),
        }
    }

    fn score(one: &[(AliasKind, &str)], two: &[(AliasKind, &str)]) -> u8 {
        let aliases = |list: &[(AliasKind, &str)]| list.iter().map(|(kind, value)| alias(*kind, value)).collect();
        let (one, two): (Vec<Alias>, Vec<Alias>) = (aliases(one), aliases(two));
        match_score(&one, &two).0
    }

    #[test]
    fn a_serial_number_identifies_and_blanks_do_not() {
        let serial = |value| vec![(AliasKind::Serial, value)];
        assert_eq!(score(&serial("210235A1AX"), &serial(" 210235a1ax\0")), 90);
        for blank in ["", "0", "N/A", "Not Specified", "0000000000", "XXXXXXXX", "----", "To be filled by O.E.M."] {
            assert_eq!(score(&serial(blank), &serial(blank)), 0, "{blank:?}");
        }
    }

    #[test]
    fn an_engine_id_counts_less_and_one_of_zeros_not_at_all() {
        let engine = |value| vec![(AliasKind::EngineId, value)];
        let other_form = "0x80:00:07:DB:03:00:E0:FC:12:34:56";
        assert_eq!(score(&engine("800007db0300e0fc123456"), &engine(other_form)), 50);
        for zero in ["", "0000000000", "800007db03000000000000", "ffffffffffffffffffffff", "8000"] {
            assert_eq!(score(&engine(zero), &engine(zero)), 0, "{zero:?}");
        }
    }

    #[test]
    fn kinds_add_up_and_different_serial_numbers_speak_against() {
        let mac = (AliasKind::BridgeMac, "00:e0:fc:12:34:56");
        let both = [mac, (AliasKind::SysName, "core-130102")];
        assert_eq!(score(&both, &both), 84, "1 - 0.2 * 0.8");
        let cloned = |serial| vec![mac, (AliasKind::SysName, "core-130102"), (AliasKind::Serial, serial)];
        assert_eq!(score(&cloned("A100"), &cloned("B200")), CONTRADICTED_MAX);
        assert_eq!(score(&cloned("A100"), &cloned("N/A")), 84);
        assert_eq!(score(&[(AliasKind::SysName, "H3C")], &[(AliasKind::SysName, "h3c")]), 0, "the factory's name");
    }

    #[test]
    fn an_address_is_the_same_in_one_space_only() {
        let at = |space| Alias::management_address(SpaceId::from_raw(space), "192.168.1.1".parse().unwrap());
        let (one, two) = (at(1), at(2));
        let (one, two) = [one.as_str(), two.as_str()].map(|value| [(AliasKind::ManagementAddress, value)]).into();
        assert_eq!(score(&one, &one), 40);
        assert_eq!(score(&one, &two), 0);
    }

    #[test]
    fn a_match_says_why() {
        let one = [alias(AliasKind::Serial, "N/A"), Alias { score: 50, ..alias(AliasKind::Mac, "00e0-fc12-3456") }];
        let two = [alias(AliasKind::Serial, "n/a"), alias(AliasKind::Mac, "00:e0:fc:12:34:56")];
        let agrees = MatchReason::Agrees { kind: AliasKind::Mac, value: "00:e0:fc:12:34:56".to_owned(), score: 35 };
        let blank = MatchReason::Meaningless { kind: AliasKind::Serial, value: "n/a".to_owned() };
        assert_eq!(match_score(&one, &two), (35, vec![agrees, blank]));
    }

    fn any_alias() -> impl Strategy<Value = Alias> {
        let kind =
            prop::sample::select(vec![AliasKind::Serial, AliasKind::Mac, AliasKind::SysName, AliasKind::EngineId]);
        let value = prop::sample::select(vec!["", "0", "A100", "B200", "00:e0:fc:12:34:56", "00:e0:fc:12:34:57"]);
        (kind, value, 0_u8..=120).prop_map(|(kind, value, score)| Alias { score, ..alias(kind, value) })
    }

    proptest! {
        #[test]
        fn a_match_does_not_depend_on_order_or_side(
            mut one in prop::collection::vec(any_alias(), 0..8),
            two in prop::collection::vec(any_alias(), 0..8),
        ) {
            let scored = match_score(&one, &two);
            prop_assert!(scored.0 <= 100);
            prop_assert_eq!(&match_score(&two, &one), &scored);
            one.reverse();
            one.extend(one.clone());
            prop_assert_eq!(match_score(&one, &two), scored);
        }
    }
}
