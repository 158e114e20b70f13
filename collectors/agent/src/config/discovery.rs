//! `[discovery]`: where devices may be looked for, and with what they may be asked.

use std::{net::IpAddr, time::Duration};

use ipnetwork::{IpNetwork, Ipv4Network};
use onenet_config::Section;
use onenet_snmp::Credentials;

use super::{Intervals, NamedCredentials, group};

/// The most prefixes in one list.
const PREFIXES_MAX: usize = 256;

/// The most addresses that are swept: sixteen /16. A bit of memory each.
const SWEPT_MAX: u64 = 1 << 20;

/// The most credentials that are tried at one address: each is a knock at somebody's door.
const CREDENTIALS_MAX: usize = 8;

/// Where devices are looked for.
#[derive(Debug, Clone)]
pub struct DiscoveryConfig {
    /// Only addresses in these are asked for anything.
    pub allow: Vec<IpNetwork>,
    /// What is swept; within `allow`.
    pub sweep: Vec<Ipv4Network>,
    /// Prefixes of managed equipment alone: here credentials are tried even where no SNMPv3 engine answers.
    pub management: Vec<IpNetwork>,
    /// What is tried, in this order.
    pub credentials: Vec<(String, Credentials)>,
    /// How often it is looked.
    pub every: Duration,
    /// How fast a sweep asks.
    pub packets_per_s: u32,
    /// The most devices that are added.
    pub devices_max: usize,
    /// How often each table of a device is read that was found.
    pub intervals: Intervals,
    /// How many questions such a device is asked at most in one cycle.
    pub requests_max: u32,
}

/// Reads the section; without `allow` nothing is looked for.
pub(super) fn checked(
    mut section: Section<'_>,
    intervals: Intervals,
    named: &NamedCredentials,
) -> Option<DiscoveryConfig> {
    let allow = prefixes(&mut section, "allow");
    let sweep = prefixes(&mut section, "sweep");
    let management = prefixes(&mut section, "management");
    let credentials = tried(&mut section, named);
    let every = section.number("every_s", 60..=604_800, "seconds");
    let packets = section.number("packets_per_s", 1..=50_000, "packets a second");
    let devices_max = section.number("devices_max", 1..=20_000, "devices");
    let requests_max = group::requests_max(&mut section);
    for (key, inner) in [("sweep", &sweep), ("management", &management)] {
        for prefix in inner.iter().filter(|prefix| !is_within(&allow, **prefix)) {
            section.note(key, format_args!("{prefix} is not within allow"), "put it into allow too, or remove it");
        }
    }
    let sweep = swept(&section, &sweep);
    if !allow.is_empty() && credentials.is_empty() {
        section.note(
            "credentials",
            "names nothing to ask with",
            "write credentials = [\"a name\"], in the order to try",
        );
    }
    section.finish();
    (!allow.is_empty()).then(|| DiscoveryConfig {
        allow,
        sweep,
        management,
        credentials,
        every: every.map_or(Duration::from_secs(3_600), |found| Duration::from_secs(found.value)),
        packets_per_s: packets.and_then(|found| u32::try_from(found.value).ok()).unwrap_or(500),
        devices_max: devices_max.and_then(|found| usize::try_from(found.value).ok()).unwrap_or(200),
        intervals,
        requests_max: requests_max.unwrap_or(group::REQUESTS_MAX),
    })
}

/// Returns whether an address is in one of the prefixes.
pub(crate) fn covers(prefixes: &[IpNetwork], address: IpAddr) -> bool {
    prefixes.iter().any(|prefix| prefix.contains(address))
}

fn is_within(outer: &[IpNetwork], inner: IpNetwork) -> bool {
    outer.iter().any(|prefix| prefix.prefix() <= inner.prefix() && prefix.contains(inner.network()))
}

fn prefixes(section: &mut Section<'_>, key: &'static str) -> Vec<IpNetwork> {
    let mut found = section.texts(key).unwrap_or_default();
    if found.len() > PREFIXES_MAX {
        section.note(
            key,
            format_args!("lists {} prefixes", found.len()),
            format_args!("at most {PREFIXES_MAX} are allowed"),
        );
        found.truncate(PREFIXES_MAX);
    }
    let read = |found: onenet_config::Found<&str>| {
        let prefix = found.value.parse::<IpNetwork>().ok();
        if prefix.is_none() {
            let what = format!("{:?} is not a prefix", found.value);
            section.log.note(&found.place, what, "write prefixes such as \"10.20.30.0/24\"");
        }
        prefix
    };
    found.into_iter().filter_map(read).collect()
}

fn swept(section: &Section<'_>, prefixes: &[IpNetwork]) -> Vec<Ipv4Network> {
    let mut swept = Vec::new();
    for prefix in prefixes {
        match prefix {
            IpNetwork::V4(prefix) => swept.push(*prefix),
            IpNetwork::V6(_) => {
                let remedy = "leave it out: devices are found there by what their neighbours tell";
                section.note("sweep", format_args!("{prefix} has too many addresses to sweep"), remedy);
            }
        }
    }
    let addresses: u64 = swept.iter().map(|prefix| u64::from(prefix.size())).sum();
    if addresses > SWEPT_MAX {
        let remedy = format!("sweep at most {SWEPT_MAX}: the prefixes that are in use");
        section.note("sweep", format_args!("has {addresses} addresses"), remedy);
        swept.clear();
    }
    swept
}

fn tried(section: &mut Section<'_>, named: &NamedCredentials) -> Vec<(String, Credentials)> {
    let mut names = section.texts("credentials").unwrap_or_default();
    if names.len() > CREDENTIALS_MAX {
        let remedy = format!("at most {CREDENTIALS_MAX} are tried: each is a failed login where it does not fit");
        section.note("credentials", format_args!("names {}", names.len()), remedy);
        names.truncate(CREDENTIALS_MAX);
    }
    let found =
        |name: onenet_config::Found<&str>| Some((name.value.to_owned(), named.credentials(section.log, &name)?));
    names.into_iter().filter_map(found).collect()
}
