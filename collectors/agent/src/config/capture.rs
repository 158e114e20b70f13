//! `[capture]`: what is listened to.

use std::{collections::BTreeSet, num::NonZeroUsize, time::Duration};

use ipnetwork::IpNetwork;

use onenet_config::{Found, Section};
use onenet_topology::division::Tier;

/// The longest name of a network interface (`IFNAMSIZ` less its terminator).
const INTERFACE_NAME_MAX: usize = 15;

/// The most interfaces that one agent listens on.
const INTERFACES_MAX: usize = 16;

/// The most threads that share the frames of an interface.
const THREADS_MAX: u64 = 16;

/// The most prefixes that may be called local.
const PREFIXES_MAX: usize = 256;

/// The most ports that are mirrored to one interface.
const PORTS_MAX: usize = 64;

/// What is listened to, and with what memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureConfig {
    /// On which interfaces.
    pub interfaces: Interfaces,
    /// Size of the kernel's ring an interface, in bytes.
    pub ring_bytes: u64,
    /// How many threads share the frames of an interface.
    pub threads: NonZeroUsize,
    /// Prefixes whose addresses belong to hosts on the segment, so that an IP packet's source tells of its sender.
    pub local_prefixes: Vec<IpNetwork>,
    /// The most endpoints that are remembered an interface.
    pub endpoints_max: u64,
    /// The most flows that are followed at a time, an interface.
    pub flows_max: u64,
    /// Memory for recent packets an interface, in bytes; 0: none are kept.
    pub evidence_bytes: u64,
    /// How often each endpoint's traffic is sampled.
    pub traffic_interval: Duration,
    /// What is mirrored where.
    pub mirrors: Vec<MirrorConfig>,
}

/// What is mirrored to an interface: the bytes captured there are held against what these ports count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorConfig {
    /// The interface of the agent.
    pub interface: String,
    /// The switch, by the agent's name of it.
    pub device: String,
    /// Its mirrored ports, by ifName.
    pub ports: Vec<String>,
}

/// Which interfaces are listened on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interfaces {
    /// None: the agent only polls.
    None,
    /// Every Ethernet interface that is up.
    Auto,
    /// These.
    Named(Vec<String>),
}

/// What a site of a tier may need: what is not configured otherwise.
struct Sizes {
    ring_bytes: u64,
    endpoints_max: u64,
    flows_max: u64,
    evidence_bytes: u64,
}

/// A site of some twenty terminals; the whole agent takes 40 MB.
const COUNTY: Sizes = Sizes { ring_bytes: 4 << 20, endpoints_max: 4_096, flows_max: 4_096, evidence_bytes: 1 << 20 };
/// A site of some hundred.
const CITY: Sizes = Sizes { ring_bytes: 16 << 20, endpoints_max: 16_384, flows_max: 32_768, evidence_bytes: 4 << 20 };
/// A site of hundreds or thousands, or a tap of 10 Gbit/s.
const PROVINCE: Sizes =
    Sizes { ring_bytes: 64 << 20, endpoints_max: 65_536, flows_max: 131_072, evidence_bytes: 16 << 20 };

impl Default for CaptureConfig {
    fn default() -> Self {
        Self {
            interfaces: Interfaces::None,
            ring_bytes: COUNTY.ring_bytes,
            threads: NonZeroUsize::MIN,
            local_prefixes: Vec::new(),
            endpoints_max: COUNTY.endpoints_max,
            flows_max: COUNTY.flows_max,
            evidence_bytes: COUNTY.evidence_bytes,
            traffic_interval: Duration::from_secs(60),
            mirrors: Vec::new(),
        }
    }
}

/// Reads the section; `devices` are the names of what is polled, where nothing else can be.
pub(super) fn checked(mut section: Section<'_>, devices: Option<&BTreeSet<&str>>) -> CaptureConfig {
    let defaults = CaptureConfig::default();
    let interfaces = interfaces(&mut section);
    let sizes = sizes(&mut section);
    let ring = section.number("ring_mib", 1..=1024, "MiB");
    let threads = section.number("threads", 1..=THREADS_MAX, "threads");
    let local_prefixes = prefixes(&mut section);
    let endpoints = section.number("endpoints_max", 64..=1 << 20, "endpoints");
    let flows = section.number("flows_max", 64..=1 << 22, "flows");
    let evidence = section.number("evidence_mib", 0..=4096, "MiB");
    let interval = section.number("traffic_interval_s", 10..=3600, "seconds");
    let mirrors = mirrors(&mut section, &interfaces, devices);
    section.finish();
    CaptureConfig {
        mirrors,
        interfaces,
        ring_bytes: ring.map_or(sizes.ring_bytes, |found| found.value << 20),
        threads: threads
            .and_then(|found| usize::try_from(found.value).ok())
            .and_then(NonZeroUsize::new)
            .unwrap_or(defaults.threads),
        local_prefixes,
        endpoints_max: endpoints.map_or(sizes.endpoints_max, |found| found.value),
        flows_max: flows.map_or(sizes.flows_max, |found| found.value),
        evidence_bytes: evidence.map_or(sizes.evidence_bytes, |found| found.value << 20),
        traffic_interval: interval.map_or(defaults.traffic_interval, |found| Duration::from_secs(found.value)),
    }
}

/// Reads `[[capture.mirrors]]`.
fn mirrors(section: &mut Section<'_>, interfaces: &Interfaces, devices: Option<&BTreeSet<&str>>) -> Vec<MirrorConfig> {
    let sections = section.sections("mirrors");
    if sections.len() > INTERFACES_MAX {
        section.note("mirrors", "lists too many", format_args!("at most {INTERFACES_MAX} are possible"));
    }
    let mut mirrors: Vec<MirrorConfig> = Vec::new();
    for mut section in sections {
        let interface = section.required_text("interface", "name the interface that frames are mirrored to");
        let device = section.required_text("device", "give the name of the switch as in [[devices]]");
        let ports = ports(&mut section);
        if let Some(found) = &interface {
            is_mirrored_to(found, interfaces, &mirrors, &section);
        }
        if let Some(found) = device.as_ref().filter(|it| devices.is_some_and(|names| !names.contains(it.value))) {
            let what = format!("there is no device named {:?}", found.value);
            section.log.note(&found.place, what, "write the name of one of [[devices]], whose ports are polled");
        }
        section.finish();
        if let (Some(interface), Some(device)) = (interface, device) {
            let (interface, device) = (interface.value.to_owned(), device.value.to_owned());
            mirrors.push(MirrorConfig { interface, device, ports });
        }
    }
    mirrors
}

/// Notes an interface that nobody listens on, or that another mirror has.
fn is_mirrored_to(found: &Found<&str>, interfaces: &Interfaces, others: &[MirrorConfig], section: &Section<'_>) {
    let listened = match interfaces {
        Interfaces::Named(names) => names.iter().any(|name| name == found.value),
        Interfaces::Auto => true,
        Interfaces::None => false,
    };
    if !listened {
        section.log.note(
            &found.place,
            format_args!("{:?} is not listened on", found.value),
            "add it to interfaces of [capture]",
        );
    }
    if others.iter().any(|other| other.interface == found.value) {
        let what = format!("{:?} is the interface of two mirrors", found.value);
        section.log.note(&found.place, what, "list all ports in one of them");
    }
}

fn ports(section: &mut Section<'_>) -> Vec<String> {
    let texts = section.texts("ports").unwrap_or_default();
    if texts.is_empty() || texts.len() > PORTS_MAX {
        let remedy = format!("list the ports that are mirrored, 1 to {PORTS_MAX}, by ifName");
        section.note("ports", "does not say what is mirrored", remedy);
    }
    let mut ports: Vec<String> = Vec::new();
    for found in texts {
        if ports.iter().any(|known| known == found.value) {
            section.log.note(&found.place, format_args!("{:?} is listed twice", found.value), "remove one");
        } else {
            ports.push(found.value.to_owned());
        }
    }
    ports
}

fn sizes(section: &mut Section<'_>) -> Sizes {
    let Some(found) = section.text("tier") else { return COUNTY };
    match found.value.parse() {
        Ok(Tier::County) => COUNTY,
        Ok(Tier::City) => CITY,
        Ok(Tier::Province | Tier::Ministry) => PROVINCE,
        Err(_) => {
            let remedy = "write \"county\", \"city\", \"province\" or \"ministry\"";
            section.log.note(&found.place, format_args!("{:?} is not a tier", found.value), remedy);
            COUNTY
        }
    }
}

fn interfaces(section: &mut Section<'_>) -> Interfaces {
    let Some(names) = section.texts("interfaces") else { return Interfaces::None };
    if names.len() > INTERFACES_MAX {
        section.note("interfaces", "lists too many", format_args!("at most {INTERFACES_MAX} are possible"));
    }
    let auto = names.iter().any(|found| found.value == "auto");
    if auto && names.len() > 1 {
        section.note("interfaces", "lists auto beside names", "write either \"auto\" or the names");
    }
    let mut known: Vec<String> = Vec::new();
    for found in names {
        let name = found.value;
        let well_formed = name.len() <= INTERFACE_NAME_MAX && !name.contains(|c: char| c == '/' || c.is_whitespace());
        if !well_formed {
            let remedy = "write it as `ip link` lists it, or \"auto\"";
            section.log.note(&found.place, format_args!("{name:?} is not the name of an interface"), remedy);
        } else if known.iter().any(|other| other == name) {
            section.log.note(&found.place, format_args!("{name:?} is listed twice"), "remove one");
        } else {
            known.push(name.to_owned());
        }
    }
    match known.as_slice() {
        [] => Interfaces::None,
        _ if auto => Interfaces::Auto,
        _ => Interfaces::Named(known),
    }
}

fn prefixes(section: &mut Section<'_>) -> Vec<IpNetwork> {
    let texts = section.texts("local_prefixes").unwrap_or_default();
    if texts.len() > PREFIXES_MAX {
        section.note("local_prefixes", "lists too many", format_args!("at most {PREFIXES_MAX} are possible"));
    }
    let mut prefixes = Vec::new();
    for found in texts {
        let remedy = "write a prefix such as \"10.20.30.0/24\" or \"fd00:1::/64\"";
        match found.value.parse::<IpNetwork>() {
            Ok(prefix) if !found.value.contains('/') => {
                let what = format!("{:?} has no prefix length", found.value);
                section.log.note(&found.place, what, format_args!("write \"{prefix}\" if you mean that one address"));
            }
            Ok(prefix) if prefix.ip() != prefix.network() => {
                let what = format!("{:?} has host bits set", found.value);
                let right = format!("write \"{}/{}\"", prefix.network(), prefix.prefix());
                section.log.note(&found.place, what, right);
            }
            Ok(prefix) => prefixes.push(prefix),
            Err(_) => section.log.note(&found.place, format_args!("{:?} is not a prefix", found.value), remedy),
        }
    }
    prefixes
}
