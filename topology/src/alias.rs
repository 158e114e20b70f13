//! Aliases: what speaks for two things being one, as scored evidence and never as identity (invariant 7).
//!
//! Invariant: a match is a number with its reasons, symmetric, and independent of the order of the aliases. What every
//! second device has (a blank serial, an engine id of zeros, the name it left the factory with) scores nothing. Strong
//! evidence against, two serial numbers say, is stronger than any evidence for.
//!
//! It does not merge anything: [`crate::merge`] does, and who asked and when is known to the facts that aliases come from.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{MacAddr, SpaceId};

/// The most that aliases can score when strong evidence is known on both sides and none of it agrees.
const CONTRADICTED_MAX: u8 = 20;

/// What sort of name an alias is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasKind {
    /// The serial number of the chassis (ENTITY-MIB).
    Serial,
    /// The LLDP chassis id.
    ChassisId,
    /// The MAC address of the bridge.
    BridgeMac,
    /// A MAC address of a port: pairs of firewalls share some.
    Mac,
    /// snmpEngineID: cloned with configurations, so it proves less than it should.
    EngineId,
    /// An address at which it is managed: space and address, see [`Alias::management_address`].
    ManagementAddress,
    /// sysName.
    SysName,
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
    /// Both have such aliases, none agrees, and things that are one have the same.
    Differs {
        /// The kind.
        kind: AliasKind,
    },
}

/// The aliases of one thing, ready to be compared: one spelling each, what is meaningless left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<(AliasKind, String), u8>);

impl AliasKind {
    /// Kinds in which things that are one agree, where both have them at all.
    const STRONG: [Self; 4] = [Self::Serial, Self::ChassisId, Self::BridgeMac, Self::Mac];

    /// Returns how much two things that share such an alias are one thing, 0 to 100.
    const fn weight(self) -> u8 {
        match self {
            Self::Serial => 90,
            Self::ChassisId | Self::BridgeMac => 80,
            Self::EngineId => 50,
            Self::Mac => 45,
            Self::ManagementAddress => 30,
            Self::SysName => 20,
        }
    }
}

impl Alias {
    /// Returns an alias that can be trusted.
    pub fn new(kind: AliasKind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into(), score: 100 }
    }

    /// Returns the value of a [`AliasKind::ManagementAddress`]: an IP address means nothing without its space.
    pub fn management_address(space: SpaceId, ip: IpAddr) -> String {
        format!("{space}/{ip}")
    }

    /// Returns whether the value is one that devices have when nobody gave them one.
    pub fn is_meaningless(&self) -> bool {
        is_meaningless(self.kind, &canonical(self.kind, &self.value))
    }
}

impl Names {
    /// Returns the names of a thing; of several of one spelling the most trusted counts.
    pub fn of(aliases: impl IntoIterator<Item = Alias>) -> Self {
        let mut names = BTreeMap::new();
        for Alias { kind, value, score } in aliases {
            let value = canonical(kind, &value);
            if score > 0 && !is_meaningless(kind, &value) {
                let known = names.entry((kind, value)).or_insert(score);
                *known = score.max(*known);
            }
        }
        Self(names)
    }

    /// Returns each kind and value.
    pub fn iter(&self) -> impl Iterator<Item = (AliasKind, &str)> {
        self.0.keys().map(|(kind, value)| (*kind, value.as_str()))
    }

    /// Leaves a name out of every comparison from now on.
    pub fn disregard(&mut self, kind: AliasKind, value: &str) {
        self.0.remove(&(kind, value.to_owned()));
    }

    /// Returns how likely the things of these names are one, 0 to 100, and why: the reasons in order of kind.
    ///
    /// Kinds add up as independent evidence: what is left of the doubt after one is reduced by the next. Within a kind
    /// the best shared value counts.
    pub fn match_score(&self, other: &Self) -> (u8, Vec<MatchReason>) {
        let mut best: BTreeMap<AliasKind, (u8, &str)> = BTreeMap::new();
        for ((kind, value), score) in &self.0 {
            let Some(theirs) = other.0.get(&(*kind, value.clone())) else { continue };
            let trust = u16::from(*score.min(theirs).min(&100));
            let score = u8::try_from(u16::from(kind.weight()) * trust / 100).unwrap_or(100);
            if score > best.get(kind).map_or(0, |(best, _)| *best) {
                best.insert(*kind, (score, value));
            }
        }
        // Doubt in millionths: integers, so that every replica gets the same number.
        let mut doubt: u64 = 1_000_000;
        let mut reasons = Vec::with_capacity(best.len());
        for (kind, (score, value)) in &best {
            doubt = doubt * u64::from(100 - score) / 100;
            reasons.push(MatchReason::Agrees { kind: *kind, value: (*value).to_owned(), score: *score });
        }
        let mut score = u8::try_from((1_000_000 - doubt) / 10_000).unwrap_or(100);
        for kind in self.contradictions(other) {
            reasons.push(MatchReason::Differs { kind });
            score = score.min(CONTRADICTED_MAX);
        }
        reasons.sort();
        (score, reasons)
    }

    /// Returns whether strong evidence says that these are two things.
    pub fn contradicts(&self, other: &Self) -> bool {
        self.contradictions(other).next().is_some()
    }

    fn contradictions(&self, other: &Self) -> impl Iterator<Item = AliasKind> {
        AliasKind::STRONG.into_iter().filter(|kind| {
            let (mut ours, mut theirs) = (self.of_kind(*kind).peekable(), other.of_kind(*kind).peekable());
            loop {
                match (ours.peek(), theirs.peek()) {
                    // One side is at its end and nothing agreed: that tells nothing where a side had nothing at all.
                    (None, _) | (_, None) => {
                        break self.of_kind(*kind).next().is_some() && other.of_kind(*kind).next().is_some();
                    }
                    (Some(one), Some(two)) if one == two => break false,
                    (Some(one), Some(two)) if one < two => drop(ours.next()),
                    _ => drop(theirs.next()),
                }
            }
        })
    }

    /// Returns the values of a kind, in order.
    fn of_kind(&self, kind: AliasKind) -> impl Iterator<Item = &str> {
        let all = self.0.range((kind, String::new())..).map(|((it, value), _)| (*it, value.as_str()));
        all.take_while(move |(it, _)| *it == kind).map(|(_, value)| value)
    }
}

fn is_meaningless(kind: AliasKind, value: &str) -> bool {
    match kind {
        AliasKind::Serial => is_placeholder(value),
        AliasKind::ChassisId | AliasKind::SysName => is_placeholder(value) || FACTORY_NAMES.contains(&value),
        AliasKind::EngineId => is_empty_engine(value),
        AliasKind::Mac | AliasKind::BridgeMac => {
            value.parse::<MacAddr>().map_or(true, |mac| !mac.is_unicast() || mac.is_virtual_router())
        }
        AliasKind::ManagementAddress => value.rsplit('/').next().is_none_or(|ip| {
            ip.parse::<IpAddr>().map_or(true, |ip| ip.is_unspecified() || ip.is_loopback() || ip.is_multicast())
        }),
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

/// Returns the value as it compares: case and surrounding blanks do not matter, nor how a MAC address is written.
fn canonical(kind: AliasKind, value: &str) -> String {
    let trimmed = value.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    match kind {
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

    fn names(list: &[(AliasKind, &str)]) -> Names {
        Names::of(list.iter().map(|(kind, value)| Alias::new(*kind, *value)))
    }

    fn score(one: &[(AliasKind, &str)], two: &[(AliasKind, &str)]) -> u8 {
        names(one).match_score(&names(two)).0
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
    fn kinds_add_up_and_strong_evidence_speaks_against() {
        let mac = (AliasKind::BridgeMac, "00:e0:fc:12:34:56");
        let both = [mac, (AliasKind::SysName, "core-130102")];
        assert_eq!(score(&both, &both), 84, "1 - 0.2 * 0.8");
        let cloned = |serial| vec![mac, (AliasKind::SysName, "core-130102"), (AliasKind::Serial, serial)];
        assert_eq!(score(&cloned("A100"), &cloned("B200")), CONTRADICTED_MAX);
        assert_eq!(score(&cloned("A100"), &cloned("N/A")), 84);
        assert_eq!(score(&[(AliasKind::SysName, "H3C")], &[(AliasKind::SysName, "h3c")]), 0, "the factory's name");
        let cloned = |port| vec![(AliasKind::EngineId, "800007db0300e0fc123456"), (AliasKind::Mac, port)];
        assert_eq!(score(&cloned("00:e0:fc:00:00:01"), &cloned("00:e0:fc:00:00:01")), 72);
        assert_eq!(score(&cloned("00:e0:fc:00:00:01"), &cloned("00:e0:fc:00:00:02")), CONTRADICTED_MAX);
    }

    #[test]
    fn one_value_in_common_is_no_contradiction() {
        let ports = |list: [&str; 2]| names(&list.map(|value| (AliasKind::Mac, value)));
        let one = ports(["00:e0:fc:00:00:01", "00:e0:fc:00:00:02"]);
        assert!(!one.contradicts(&ports(["00:e0:fc:00:00:02", "00:e0:fc:00:00:03"])));
        assert!(one.contradicts(&ports(["00:e0:fc:00:00:03", "00:e0:fc:00:00:04"])));
        assert!(!one.contradicts(&Names::default()), "nothing known is no evidence");
    }

    #[test]
    fn an_address_is_the_same_in_one_space_only() {
        let at = |space| Alias::management_address(SpaceId::from_raw(space), "192.168.1.1".parse().unwrap());
        let (one, two) = (at(1), at(2));
        let (one, two) = [one.as_str(), two.as_str()].map(|value| [(AliasKind::ManagementAddress, value)]).into();
        assert_eq!(score(&one, &one), 30);
        assert_eq!(score(&one, &two), 0);
    }

    #[test]
    fn a_match_says_why() {
        let mac = Alias { score: 50, ..Alias::new(AliasKind::Mac, "00e0-fc12-3456") };
        let one = Names::of([Alias::new(AliasKind::Serial, "N/A"), mac]);
        let two = names(&[(AliasKind::Serial, "n/a"), (AliasKind::Mac, "00:e0:fc:12:34:56")]);
        let agrees = MatchReason::Agrees { kind: AliasKind::Mac, value: "00:e0:fc:12:34:56".to_owned(), score: 22 };
        assert_eq!(one.match_score(&two), (22, vec![agrees]));
    }

    fn any_alias() -> impl Strategy<Value = Alias> {
        let kind =
            prop::sample::select(vec![AliasKind::Serial, AliasKind::Mac, AliasKind::SysName, AliasKind::EngineId]);
        let value = prop::sample::select(vec!["", "0", "A100", "B200", "00:e0:fc:12:34:56", "00:e0:fc:12:34:57"]);
        (kind, value, 0_u8..=120).prop_map(|(kind, value, score)| Alias { score, ..Alias::new(kind, value) })
    }

    proptest! {
        #[test]
        fn a_match_does_not_depend_on_order_or_side(
            mut one in prop::collection::vec(any_alias(), 0..8),
            two in prop::collection::vec(any_alias(), 0..8),
        ) {
            let two = Names::of(two);
            let scored = Names::of(one.clone()).match_score(&two);
            prop_assert!(scored.0 <= 100);
            prop_assert_eq!(&two.match_score(&Names::of(one.clone())), &scored);
            one.reverse();
            one.extend(one.clone());
            prop_assert_eq!(Names::of(one).match_score(&two), scored);
        }
    }
}
