//! `[groups.NAME]`: what many devices have in common.

use std::collections::BTreeMap;

use onenet_config::Section;
use onenet_snmp::Credentials;

use super::{Intervals, NamedCredentials, credentials, intervals};

/// How many questions a device is asked at most in one cycle, when nobody says otherwise.
pub(super) const REQUESTS_MAX: u32 = 20_000;

/// What the devices of a group have in common.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) credentials: Option<Credentials>,
    pub(super) intervals: Intervals,
    pub(super) requests_max: u32,
}

/// Reads the groups.
pub(super) fn all(root: &mut Section<'_>, defaults: Intervals, named: &NamedCredentials) -> BTreeMap<String, Group> {
    let mut groups = BTreeMap::new();
    for (name, mut section) in root.named_sections("groups") {
        let group = Group {
            credentials: credentials::of_group(&mut section, named),
            intervals: intervals::checked(section.section("intervals"), defaults),
            requests_max: requests_max(&mut section).unwrap_or(REQUESTS_MAX),
        };
        section.finish();
        groups.insert(name.to_owned(), group);
    }
    groups
}

/// Reads how many questions one cycle may take.
pub(super) fn requests_max(section: &mut Section<'_>) -> Option<u32> {
    let found = section.number("requests_max", 100..=1_000_000, "questions")?;
    u32::try_from(found.value).ok()
}
