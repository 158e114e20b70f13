//! `[[scans]]`: connect scans that somebody approved: which ports of which hosts are looked at, by whose leave, how fast and when.
//!
//! Invariant: a scan names its approval, is over before the next is due at the rate that it may ask with, and looks at hosts alone whose services
//! are held against the register (`published` of `[detection]`): nobody would be told of what is open elsewhere.

use std::{net::IpAddr, ops::RangeInclusive};

use ipnetwork::IpNetwork;
use onenet_config::{Found, Section};

use super::detection::is_within;

/// Scans of one agent.
const SCANS_MAX: usize = 16;
/// Prefixes of a scan, and lists of ports.
const LISTED_MAX: usize = 256;
/// Characters of the approval.
const APPROVAL_MAX: usize = 100;
/// Connections begun in a second where nobody says.
const PER_S: u32 = 20;
const DAY_S: u64 = 86_400;

/// A scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanConfig {
    /// Whose ports.
    pub targets: Vec<IpNetwork>,
    /// Which ports, of TCP.
    pub ports: Vec<RangeInclusive<u16>>,
    /// The number of the approval, or who gave it.
    pub approval: String,
    /// How many connections are begun in a second.
    pub per_s: u32,
    /// When it begins, in minutes from midnight in China.
    pub begins_min: u16,
    /// Each so many days.
    pub every_days: u32,
}

impl ScanConfig {
    /// Returns what is looked at: port by port, so that no host is asked much at once.
    pub fn places(&self) -> impl Iterator<Item = (IpAddr, u16)> {
        let hosts = || self.targets.iter().flat_map(IpNetwork::iter);
        self.ports.iter().cloned().flatten().flat_map(move |port| hosts().map(move |host| (host, port)))
    }

    /// Returns how many places those are.
    fn count(&self) -> u64 {
        let size = |prefix: &IpNetwork| match prefix {
            IpNetwork::V4(prefix) => u64::from(prefix.size()),
            IpNetwork::V6(prefix) => u64::try_from(prefix.size()).unwrap_or(u64::MAX),
        };
        let hosts = self.targets.iter().map(size).fold(0, u64::saturating_add);
        let ports = self.ports.iter().map(|range| u64::try_from(range.len()).unwrap_or(u64::MAX));
        hosts.saturating_mul(ports.fold(0, u64::saturating_add))
    }
}

/// Reads all scans; `published` are the prefixes whose services are held against the register.
pub(super) fn all(root: &mut Section<'_>, published: &[IpNetwork]) -> Vec<ScanConfig> {
    let mut sections = root.sections("scans");
    if sections.len() > SCANS_MAX {
        root.note(
            "scans",
            format_args!("lists {} scans", sections.len()),
            format_args!("at most {SCANS_MAX} are possible"),
        );
        sections.truncate(SCANS_MAX);
    }
    sections.into_iter().filter_map(|section| scan(section, published)).collect()
}

fn scan(mut section: Section<'_>, published: &[IpNetwork]) -> Option<ScanConfig> {
    const TARGETS: &str = "write prefixes such as \"10.20.0.8/29\"";
    const PORTS: &str = "write ports such as \"443\" or \"8000-8099\"";
    const APPROVAL: &str = "write who approved it, such as \"2026-17\": a scan that nobody approved is an attack";
    let targets = list(&mut section, "targets", TARGETS, |text| text.parse().ok());
    let ports = list(&mut section, "ports", PORTS, ports);
    let approval = section.required_text("approval", APPROVAL);
    let is_approval = |text: &str| (1..=APPROVAL_MAX).contains(&text.trim().chars().count());
    let approval = approval.and_then(|found| {
        checked(&section, &found, APPROVAL, |text| is_approval(text).then(|| text.trim().to_owned()))
    });
    let per_s = section.number("per_s", 1..=200, "connections a second").and_then(|it| u32::try_from(it.value).ok());
    let every_days = section.number("every_days", 1..=366, "days").and_then(|it| u32::try_from(it.value).ok());
    let at = section.text("at");
    let begins_min =
        at.map(|found| checked(&section, &found, "write a time of the day in China, such as \"02:30\"", minutes));
    let scan = targets.zip(ports).zip(approval).map(|((targets, ports), approval)| ScanConfig {
        targets,
        ports,
        approval,
        per_s: per_s.unwrap_or(PER_S),
        begins_min: begins_min.flatten().unwrap_or_default(),
        every_days: every_days.unwrap_or(7),
    });
    if let Some(scan) = &scan {
        for target in scan.targets.iter().filter(|it| !is_within(published, **it)) {
            let what = format!("{target} is not within published of [detection]");
            section.note(
                "targets",
                what,
                "list it there, or leave it out: only there what is open is held against the register",
            );
        }
        let takes_s = scan.count() / u64::from(scan.per_s);
        if takes_s > u64::from(scan.every_days) * DAY_S / 2 {
            let what = format!("has {} ports to look at, which takes {} hours", scan.count(), takes_s / 3_600);
            let remedy = "list fewer hosts or ports, or let more days pass: a scan takes half of them at most";
            section.note("targets", what, remedy);
        }
    }
    section.finish();
    scan
}

/// Reads a list that has to be there.
fn list<T>(
    section: &mut Section<'_>,
    key: &'static str,
    remedy: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    if !section.has(key) {
        section.note(key, "is missing", remedy);
    }
    let mut found = section.texts(key)?;
    if found.is_empty() || found.len() > LISTED_MAX {
        section.note(key, format_args!("lists {}", found.len()), format_args!("list 1 to {LISTED_MAX}"));
        found.truncate(LISTED_MAX);
    }
    Some(found.into_iter().filter_map(|it| checked(section, &it, remedy, &read)).collect())
}

fn checked<T>(section: &Section<'_>, found: &Found<&str>, remedy: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let value = read(found.value);
    if value.is_none() {
        section.log.note(&found.place, format_args!("{:?} cannot be used", found.value), remedy);
    }
    value
}

fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first > 0 && first <= last).then_some(first..=last)
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}
