//! `[[devices]]`: what is polled.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use onenet_config::{Found, Section};
use onenet_snmp::Credentials;

use super::{
    Intervals, NamedCredentials, credentials,
    group::{self, Group},
    intervals,
};

/// The port of SNMP agents (RFC 3417).
pub(super) const SNMP_PORT: u16 = 161;

/// The longest name of a device, in bytes.
const NAME_MAX: usize = 64;

/// A device to poll.
#[derive(Debug, Clone)]
pub struct DeviceConfig {
    /// The agent's name of it: the scope of its facts.
    pub name: String,
    /// Where it is asked.
    pub target: SocketAddr,
    /// What it is asked with.
    pub credentials: Credentials,
    /// How often.
    pub intervals: Intervals,
    /// How many questions it is asked at most in one cycle.
    pub requests_max: u32,
}

/// Reads every device; a name or an address given twice is a problem.
pub(super) fn all(
    sections: Vec<Section<'_>>,
    defaults: Intervals,
    groups: &BTreeMap<String, Group>,
    named: &NamedCredentials,
) -> Vec<Arc<DeviceConfig>> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut targets: BTreeMap<SocketAddr, String> = BTreeMap::new();
    let mut devices = Vec::new();
    for mut section in sections {
        let name = name(&mut section);
        let target = target(&mut section);
        let label = name.as_ref().map_or_else(|| "another device".to_owned(), |found| format!("{:?}", found.value));
        if let Some(found) = &name
            && names.insert(found.value.to_owned(), label.clone()).is_some()
        {
            section.log.note(&found.place, format_args!("{label} is the name of two devices"), "rename one");
        }
        if let Some(found) = &target
            && let Some(other) = targets.insert(found.value, label)
        {
            let what = format!("{} is also the address of {other}", found.value);
            section.log.note(&found.place, what, "remove one of them");
        }
        let group = group_of(&mut section, groups);
        let shared = group.and_then(|group| group.credentials.as_ref());
        let credentials = credentials::of_device(&mut section, named, shared);
        let defaults = group.map_or(defaults, |group| group.intervals);
        let intervals = intervals::checked(section.section("intervals"), defaults);
        let requests_max = group::requests_max(&mut section);
        let requests_max = requests_max.unwrap_or(group.map_or(group::REQUESTS_MAX, |group| group.requests_max));
        section.finish();
        if let (Some(name), Some(target), Some(credentials)) = (name, target, credentials) {
            let (name, target) = (name.value.to_owned(), target.value);
            devices.push(Arc::new(DeviceConfig { name, target, credentials, intervals, requests_max }));
        }
    }
    devices
}

/// Returns the group that a device names.
fn group_of<'g>(section: &mut Section<'_>, groups: &'g BTreeMap<String, Group>) -> Option<&'g Group> {
    let found = section.text("group")?;
    let group = groups.get(found.value);
    if group.is_none() {
        let what = format!("there is no group named {:?}", found.value);
        section.log.note(&found.place, what, format_args!("write [groups.{}], or another name", found.value));
    }
    group
}

fn name<'t>(section: &mut Section<'t>) -> Option<Found<&'t str>> {
    let found = section.required_text("name", "give the name that reports call it by")?;
    let length = found.value.len();
    if length > NAME_MAX || found.value.contains(char::is_control) {
        let what = format!("{:?} cannot be a name", found.value);
        section.log.note(&found.place, what, format_args!("write at most {NAME_MAX} bytes without control characters"));
    }
    Some(found)
}

fn target(section: &mut Section<'_>) -> Option<Found<SocketAddr>> {
    let address = section.required_text("address", "give the device's IP address");
    let port = section.number("port", 1..=u64::from(u16::MAX), "");
    let port = port.and_then(|found| u16::try_from(found.value).ok()).unwrap_or(SNMP_PORT);
    let found = address?;
    let Ok(ip) = found.value.parse::<IpAddr>() else {
        let what = format!("{:?} is not an IP address", found.value);
        let remedy = "write an address such as \"192.0.2.1\" or \"2001:db8::1\", and another port than 161 as port = …";
        section.log.note(&found.place, what, remedy);
        return None;
    };
    if ip.is_unspecified() || ip.is_multicast() {
        section.log.note(&found.place, format_args!("{ip} is no device's address"), "give the device's own address");
        return None;
    }
    Some(found.map(|_| SocketAddr::new(ip, port)))
}
