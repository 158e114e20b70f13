//! `[detection]`: the site's address plan, whom it trusts, and from what on something is a finding.

use std::net::{IpAddr, SocketAddr};

use ipnetwork::IpNetwork;
use onenet_config::{Found, Section};
use onenet_detection::{
    Kind, Service, Settings,
    threshold::{Area, Threshold, Thresholds},
};
use onenet_topology::{MacAddr, Timestamp};

/// The most entries of one list.
const LISTED_MAX: usize = 1_024;

/// Characters that the register may say of an application, an approval or an owner.
const SAID_MAX: usize = 100;

/// The most areas.
const AREAS_MAX: usize = 64;

/// Reads the section; what it does not say has a default.
pub(super) fn checked(mut section: Section<'_>) -> Settings {
    let mut settings = Settings {
        plan: prefixes(&mut section, "plan"),
        dark: prefixes(&mut section, "dark"),
        allowed: prefixes(&mut section, "allowed"),
        scanners: prefixes(&mut section, "scanners"),
        dhcp_servers: list::<IpAddr>(&mut section, "dhcp_servers", ADDRESS),
        routers: list::<IpAddr>(&mut section, "routers", ADDRESS),
        roots: list::<MacAddr>(&mut section, "roots", STATION),
        equipment: list::<MacAddr>(&mut section, "equipment", STATION),
        feeds: list::<SocketAddr>(
            &mut section,
            "feeds",
            ("an address with a port", "write services such as \"10.1.0.5:9001\" or \"[fd00::5]:9001\""),
        ),
        uplinks: uplinks(&mut section),
        name_exceptions: texts(&mut section, "name_exceptions")
            .into_iter()
            .map(|found| found.value.to_lowercase())
            .collect(),
        ..Settings::new()
    };
    settings.forbidden_vlans = numbers(&mut section, "forbidden_vlans", 4_094).unwrap_or_default();
    settings.peer_ports = numbers(&mut section, "peer_ports", u16::MAX).unwrap_or(settings.peer_ports);
    settings.off = kinds(&mut section);
    settings.thresholds = thresholds(&mut section, &Thresholds::default());
    for dark in settings.dark.iter().filter(|dark| !settings.plan.is_empty() && !is_within(&settings.plan, **dark)) {
        let what = format_args!("{dark} is not within plan").to_string();
        section.note(
            "dark",
            what,
            "dark prefixes are those of the plan in which nobody is: put it into plan too, or remove it",
        );
    }
    settings.published = prefixes(&mut section, "published");
    settings.services = services(&mut section);
    settings.areas = areas(&mut section, &settings.thresholds);
    section.finish();
    settings
}

/// Reads which ports lead out of the site.
fn uplinks(section: &mut Section<'_>) -> Vec<(String, String)> {
    let mut read = Vec::new();
    for found in texts(section, "uplinks") {
        match found.value.split_once(' ').map(|(device, port)| (device.trim(), port.trim())) {
            Some((device, port)) if !device.is_empty() && !port.is_empty() => read.push((device.into(), port.into())),
            _ => section.log.note(
                &found.place,
                format_args!("{:?} is no port of a device", found.value),
                "write the name of a device of [[devices]] and the port as the device calls it, such as \"r1 GE0/0/1\"",
            ),
        }
    }
    read
}

/// What an address has to be, and how it is written.
const ADDRESS: (&str, &str) = ("an IP address", "write addresses such as \"10.20.30.1\" or \"fe80::1\"");

const STATION: (&str, &str) = ("a MAC address", "write the device's address, as \"00:1b:21:00:00:0a\"");

fn areas(section: &mut Section<'_>, site: &Thresholds) -> Vec<Area> {
    let mut sections = section.sections("areas");
    if sections.len() > AREAS_MAX {
        let what = format!("lists {} areas", sections.len());
        section.note("areas", what, format_args!("at most {AREAS_MAX} are possible"));
        sections.truncate(AREAS_MAX);
    }
    let area = |mut section: Section<'_>| {
        let prefixes = prefixes(&mut section, "prefixes");
        if prefixes.is_empty() && !section.has("prefixes") {
            section.note("prefixes", "is missing", "write prefixes = [\"10.20.30.0/24\"]: where these thresholds hold");
        }
        let thresholds = thresholds(&mut section, site);
        section.finish();
        Area { prefixes, thresholds }
    };
    sections.into_iter().map(area).collect()
}

/// Reads the register of services.
fn services(section: &mut Section<'_>) -> Vec<Service> {
    let mut sections = section.sections("services");
    if sections.len() > LISTED_MAX {
        let what = format!("lists {} services", sections.len());
        section.note("services", what, format_args!("at most {LISTED_MAX} are possible"));
        sections.truncate(LISTED_MAX);
    }
    sections.into_iter().filter_map(service).collect()
}

fn service(mut section: Section<'_>) -> Option<Service> {
    const REMEDY: &str = "write where it is, such as \"10.20.0.9:443\" or \"udp 10.20.0.9:53\"";
    let said = section.text("service");
    if said.is_none() && !section.has("service") {
        section.note("service", "is missing", REMEDY);
    }
    let place = said.and_then(|found| {
        let read = at(found.value);
        if read.is_none() {
            section.log.note(&found.place, format_args!("{:?} is no service", found.value), REMEDY);
        }
        read
    });
    let [application, approval, owner] = ["application", "approval", "owner"].map(|key| said_of(&mut section, key));
    let expires = section.text("expires").and_then(|found| {
        let read = Timestamp::from_day_or_time(found.value);
        if read.is_err() {
            let remedy = "write the first day on which it may not be used any more, such as \"2027-01-31\"";
            section.log.note(&found.place, format_args!("{:?} is no day", found.value), remedy);
        }
        read.ok()
    });
    let scope = prefixes(&mut section, "scope");
    section.finish();
    let (protocol, at) = place?;
    Some(Service { host: at.ip(), protocol, port: at.port(), application, approval, owner, scope, expires })
}

/// Returns a text of at most [`SAID_MAX`] characters; empty where there is none.
fn said_of(section: &mut Section<'_>, key: &'static str) -> String {
    let Some(found) = section.text(key) else { return String::new() };
    if found.value.chars().count() > SAID_MAX {
        section.log.note(&found.place, "is too long", format_args!("write at most {SAID_MAX} characters"));
    }
    found.value.chars().take(SAID_MAX).collect()
}

/// Reads where a service is: protocol, address and port; TCP where no protocol is said.
fn at(text: &str) -> Option<(u8, SocketAddr)> {
    let (protocol, at) = match text.split_once(' ') {
        Some(("tcp", at)) => (6, at),
        Some(("udp", at)) => (17, at),
        Some(_) => return None,
        None => (6, text),
    };
    at.trim().parse().ok().filter(|at: &SocketAddr| at.port() > 0).map(|at| (protocol, at))
}

fn thresholds(section: &mut Section<'_>, otherwise: &Thresholds) -> Thresholds {
    let mut thresholds = otherwise.clone();
    for threshold in Threshold::ALL {
        let (least, most) = threshold.range();
        if let Some(found) = section.number(threshold.key(), least..=most, "") {
            thresholds.set(*threshold, found.value);
        }
    }
    thresholds
}

fn kinds(section: &mut Section<'_>) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for found in texts(section, "off") {
        let kind = Kind::ALL.iter().find(|kind| kind.name() == found.value);
        if kind.is_none() {
            let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            let remedy = format!("write any of {}", names.join(", "));
            section.log.note(&found.place, format_args!("{:?} is no detector", found.value), remedy);
        }
        kinds.extend(kind);
    }
    kinds
}

fn prefixes(section: &mut Section<'_>, key: &'static str) -> Vec<IpNetwork> {
    list(section, key, ("a prefix", "write prefixes such as \"10.20.30.0/24\""))
}

fn list<T: std::str::FromStr>(section: &mut Section<'_>, key: &'static str, (a, remedy): (&str, &str)) -> Vec<T> {
    let mut read = Vec::new();
    for found in texts(section, key) {
        match found.value.parse() {
            Ok(value) => read.push(value),
            Err(_) => section.log.note(&found.place, format_args!("{:?} is not {a}", found.value), remedy),
        }
    }
    read
}

fn texts<'t>(section: &mut Section<'t>, key: &'static str) -> Vec<Found<&'t str>> {
    let mut found = section.texts(key).unwrap_or_default();
    if found.len() > LISTED_MAX {
        section.note(key, format_args!("lists {}", found.len()), format_args!("at most {LISTED_MAX} are possible"));
        found.truncate(LISTED_MAX);
    }
    found
}

/// Returns the whole numbers of a list, each from 1 to `most`; `None` where the text does not have it.
fn numbers(section: &mut Section<'_>, key: &'static str, most: u16) -> Option<Vec<u16>> {
    let mut read = Vec::new();
    for found in section.scalars(key)? {
        let number = match found.value {
            onenet_config::Scalar::Integer(number) => {
                u16::try_from(number).ok().filter(|number| (1..=most).contains(number))
            }
            onenet_config::Scalar::Text(_) => None,
        };
        match number {
            Some(number) => read.push(number),
            None => section.log.note(
                &found.place,
                "is out of range",
                format_args!("write whole numbers from 1 to {most}, without quotes"),
            ),
        }
    }
    Some(read)
}

pub(super) fn is_within(outer: &[IpNetwork], inner: IpNetwork) -> bool {
    outer.iter().any(|prefix| prefix.prefix() <= inner.prefix() && prefix.contains(inner.network()))
}
