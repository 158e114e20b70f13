//! What names tell: data carried in them, and names that a program made up.
//!
//! Invariant: a name counts once in its stretch, however often it is asked for. A list of public suffixes is not kept: the
//! registered domain is the last two labels, three below a country's usual second level.

use std::net::IpAddr;

use onenet_topology::Timestamp;

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Subject},
    observation::NameSeen,
    settings::Settings,
    table::{Distinct, Table, Worth, hash},
    threshold::Threshold,
};

const TUNNEL_MS: i64 = 600_000;
const DGA_MS: i64 = 3_600_000;
/// How long who was asked is believed to answer others.
const SERVER_MS: i64 = 24 * 3_600_000;
/// Names below which addresses stand, not words.
const REVERSE: [&str; 2] = ["in-addr.arpa", "ip6.arpa"];
const SECOND_LEVELS: [&str; 9] = ["com", "net", "org", "gov", "edu", "ac", "co", "mil", "or"];
/// The most domains that evidence lists.
const LISTED_MAX: usize = 8;

#[derive(Debug)]
struct Below {
    since: Timestamp,
    names: Distinct,
    characters: u64,
    counted: u64,
}

#[derive(Debug)]
struct Missing {
    since: Timestamp,
    domains: Distinct,
    listed: Vec<String>,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Names {
    below: Table<(IpAddr, u64), Below>,
    missing: Table<IpAddr, Missing>,
    /// Who is asked: what he asks for is others' wish.
    servers: Table<IpAddr, Asked>,
}

#[derive(Debug)]
struct Asked;

impl Worth for Asked {
    fn worth(&self) -> u64 {
        1
    }
}

impl Worth for Below {
    fn worth(&self) -> u64 {
        self.names.count()
    }
}

impl Worth for Missing {
    fn worth(&self) -> u64 {
        self.domains.count()
    }
}

impl Names {
    pub(crate) fn new() -> Self {
        Self {
            below: Table::new(4_096, TUNNEL_MS),
            missing: Table::new(1_024, DGA_MS),
            servers: Table::new(256, SERVER_MS),
        }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.below.evicted() + self.missing.evicted()
    }

    pub(crate) fn name(&mut self, seen: &NameSeen<'_>, settings: &Settings, book: &mut Book) {
        self.servers.touch(seen.server, seen.time, || Asked);
        if self.servers.get(&seen.client, seen.time).is_some() {
            return;
        }
        let name = seen.name.trim_end_matches('.');
        let is_below =
            |domain: &str| name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if REVERSE.into_iter().any(is_below) || settings.name_exceptions.iter().any(|domain| is_below(domain)) {
            return;
        }
        let Some((sub, domain)) = divided(name) else { return };
        if seen.missing == Some(true) {
            self.missing(seen, domain, settings, book);
        } else if seen.missing.is_none() && !sub.is_empty() {
            self.below(seen, sub, domain, settings, book);
        }
    }

    fn below(&mut self, seen: &NameSeen<'_>, sub: &str, domain: &str, settings: &Settings, book: &mut Book) {
        let fresh = || Below { since: seen.time, names: Distinct::default(), characters: 0, counted: 0 };
        let Some(below) = self.below.touch((seen.client, hash(domain)), seen.time, fresh) else { return };
        if seen.time.ms_since(below.since) > TUNNEL_MS {
            *below = fresh();
        }
        if below.names.add(hash(sub)) {
            below.characters += u64::try_from(sub.len()).unwrap_or(0);
            below.counted += 1;
        }
        let (names, mean) = (below.names.count(), below.characters / below.counted.max(1));
        if names < settings.at(Threshold::TunnelNames, seen.client)
            || mean < settings.at(Threshold::TunnelCharacters, seen.client)
        {
            return;
        }
        let report = Report::new(Kind::DnsTunnel, Subject::Host(seen.client), 85, seen.time).since(below.since);
        let known = book.last(Kind::DnsTunnel, Subject::Host(seen.client)).is_some();
        book.report(&report.counting(if known { 1 } else { names }), || {
            vec![
                Evidence::new("domain", domain),
                Evidence::new("names", format_args!("≈ {names}")),
                Evidence::new("characters", mean),
                Evidence::new("server", seen.server),
            ]
        });
    }

    fn missing(&mut self, seen: &NameSeen<'_>, domain: &str, settings: &Settings, book: &mut Book) {
        let first = domain.split('.').next().unwrap_or_default();
        if !looks_like_chance(first) {
            return;
        }
        let fresh = || Missing { since: seen.time, domains: Distinct::default(), listed: Vec::new() };
        let Some(missing) = self.missing.touch(seen.client, seen.time, fresh) else { return };
        if seen.time.ms_since(missing.since) > DGA_MS {
            *missing = fresh();
        }
        if missing.domains.add(hash(domain)) && missing.listed.len() < LISTED_MAX {
            missing.listed.push(domain.chars().take(64).collect());
        }
        let count = missing.domains.count();
        if count < settings.at(Threshold::DgaDomains, seen.client) {
            return;
        }
        let report = Report::new(Kind::Dga, Subject::Host(seen.client), 80, seen.time).since(missing.since);
        book.report(&report, || {
            let listed = missing.listed.join(", ");
            vec![Evidence::new("domains", format_args!("≈ {count}: {listed}"))]
        });
    }
}

/// Divides a name into what was registered and what stands before it. `None` for names of one label.
fn divided(name: &str) -> Option<(&str, &str)> {
    let dots: Vec<usize> = name.rmatch_indices('.').map(|(at, _)| at).take(3).collect();
    let last = *dots.first()?;
    let country = name.len().saturating_sub(last) == 3;
    let second = dots.get(1).map_or(0, |at| at + 1);
    let usual = country && name.get(second..last).is_some_and(|label| SECOND_LEVELS.contains(&label));
    let cut = dots.get(if usual { 2 } else { 1 });
    Some(cut.map_or(("", name), |at| (name.get(..*at).unwrap_or(""), name.get(at + 1..).unwrap_or(name))))
}

/// Returns whether a label looks as if nobody had chosen it: long, and with few vowels, rows of consonants, or digits within.
fn looks_like_chance(label: &str) -> bool {
    let octets = label.as_bytes();
    if octets.len() < 9 || label.contains("--") {
        return false;
    }
    let is_vowel = |octet: u8| matches!(octet.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u');
    let letters = octets.iter().filter(|octet| octet.is_ascii_alphabetic()).count();
    let vowels = octets.iter().filter(|octet| is_vowel(**octet)).count();
    let rows = octets.split(|octet| !octet.is_ascii_alphabetic() || is_vowel(*octet)).map(<[u8]>::len).max();
    let digit_changes = octets
        .windows(2)
        .filter(|pair| pair.first().is_some_and(u8::is_ascii_digit) != pair.last().is_some_and(u8::is_ascii_digit));
    vowels * 4 < letters || rows.unwrap_or(0) >= 4 || digit_changes.count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_divided_before_what_was_registered() {
        for (name, expected) in [
            ("www.mee.gov.cn", Some(("www", "mee.gov.cn"))),
            ("a.b.example.com", Some(("a.b", "example.com"))),
            ("example.com", Some(("", "example.com"))),
            ("gov.cn", Some(("", "gov.cn"))),
            ("x.io", Some(("", "x.io"))),
            ("printer", None),
        ] {
            assert_eq!(divided(name), expected, "{name}");
        }
    }

    #[test]
    fn what_nobody_chose_looks_like_chance_and_what_people_choose_does_not() {
        for label in ["xkqjwvzrtb", "a8f3k2m9q1x7", "qwrtplkjhgf", "vbnmtrqwpz"] {
            assert!(looks_like_chance(label), "{label}");
        }
        for label in
            ["huanjingbaohu", "microsoft", "zhengwufuwu", "officeupdates", "gjzwfw", "baidu", "environment2026"]
        {
            assert!(!looks_like_chance(label), "{label}");
        }
    }
}
