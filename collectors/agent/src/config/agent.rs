//! The agent's own part: where it reports to, where it keeps things, how much it may keep.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use onenet_config::Section;
use onenet_snmp::Profiles;

use super::DATA_DIR_DEFAULT;
use crate::{cli::chain, spool::FACTS_MAX_DEFAULT};

const DAY_S: u64 = 24 * 3600;
const MIB: u64 = 1 << 20;

/// Where reports go, and when a configuration from there is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentreConfig {
    /// `host:port` of the daemon's collector port. `None`: the one that the agent enrolled with.
    pub address: Option<String>,
    /// How long the centre may stay unreachable after a configuration of its own before that is rolled back.
    pub rollback_after: Duration,
}

/// What the spool may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolCaps {
    /// How old history may get while the centre cannot be reached.
    pub history_age_max: Duration,
    /// How large the spool's directory may get, in bytes.
    pub size_max_bytes: u64,
    /// How many facts of what holds now are kept.
    pub facts_max: usize,
}

/// What the flow log may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowLogCaps {
    /// Whether finished flows are kept.
    pub enabled: bool,
    /// How old they may get.
    pub age_max: Duration,
    /// How large the log's directory may get, in bytes.
    pub size_max_bytes: u64,
    /// How often it is told what flows add up to.
    pub roll_up: Duration,
}

/// The status file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusConfig {
    /// How often it is written.
    pub every: Duration,
}

impl CentreConfig {
    /// Returns the defaults with this address.
    pub fn new(address: &str) -> Self {
        Self { address: Some(address.to_owned()), ..Self::default() }
    }
}

impl Default for CentreConfig {
    fn default() -> Self {
        Self { address: None, rollback_after: Duration::from_secs(300) }
    }
}

impl Default for SpoolCaps {
    fn default() -> Self {
        Self {
            history_age_max: Duration::from_secs(7 * DAY_S),
            size_max_bytes: 512 * MIB,
            facts_max: FACTS_MAX_DEFAULT,
        }
    }
}

impl Default for FlowLogCaps {
    fn default() -> Self {
        // Audit records are kept for six months (Cyber-security Law, article 21), and a few days more.
        let (age_max, roll_up) = (Duration::from_secs(190 * DAY_S), Duration::from_secs(900));
        Self { enabled: true, age_max, size_max_bytes: 4_096 * MIB, roll_up }
    }
}

impl Default for StatusConfig {
    fn default() -> Self {
        Self { every: Duration::from_secs(5) }
    }
}

/// Reads `[centre]`.
pub(super) fn centre(mut section: Section<'_>) -> CentreConfig {
    let defaults = CentreConfig::default();
    let address = match section.text("address") {
        None => None,
        Some(found) if is_host_and_port(found.value) => Some(found.value.to_owned()),
        Some(found) => {
            let what = format!("{:?} is not an address of a centre", found.value);
            let remedy = "write host and port, such as \"centre.example:7443\" or \"[2001:db8::1]:7443\"";
            section.log.note(&found.place, what, remedy);
            None
        }
    };
    let rollback = section.number("rollback_after_s", 10..=DAY_S, "seconds");
    let rollback_after = rollback.map_or(defaults.rollback_after, |found| Duration::from_secs(found.value));
    section.finish();
    CentreConfig { address, rollback_after }
}

/// Reads `[data]`.
pub(super) fn data(mut section: Section<'_>) -> PathBuf {
    let dir = section.text("dir");
    if let Some(found) = dir.as_ref().filter(|found| !found.value.starts_with('/')) {
        let what = format!("{:?} depends on where the agent is started", found.value);
        section.log.note(&found.place, what, "write the whole path, beginning with /");
    }
    section.finish();
    dir.map_or_else(|| PathBuf::from(DATA_DIR_DEFAULT), |found| PathBuf::from(found.value))
}

/// Reads `[spool]`.
pub(super) fn spool(mut section: Section<'_>) -> SpoolCaps {
    let defaults = SpoolCaps::default();
    let age = section.number("history_age_max_days", 1..=190, "days");
    let size = section.number("size_max_mib", 16..=1 << 20, "MiB");
    let facts = section.number("facts_max", 1_000..=100_000_000, "facts");
    section.finish();
    SpoolCaps {
        history_age_max: age.map_or(defaults.history_age_max, |found| Duration::from_secs(found.value * DAY_S)),
        size_max_bytes: size.map_or(defaults.size_max_bytes, |found| found.value * MIB),
        facts_max: facts.and_then(|found| usize::try_from(found.value).ok()).unwrap_or(defaults.facts_max),
    }
}

/// Reads `[flow_log]`.
pub(super) fn flow_log(mut section: Section<'_>) -> FlowLogCaps {
    let defaults = FlowLogCaps::default();
    let enabled = section.boolean("enabled");
    let age = section.number("age_max_days", 1..=3_660, "days");
    let size = section.number("size_max_mib", 16..=1 << 20, "MiB");
    let roll_up = section.number("roll_up_s", 10..=3_600, "seconds");
    section.finish();
    FlowLogCaps {
        enabled: enabled.map_or(defaults.enabled, |found| found.value),
        age_max: age.map_or(defaults.age_max, |found| Duration::from_secs(found.value * DAY_S)),
        size_max_bytes: size.map_or(defaults.size_max_bytes, |found| found.value * MIB),
        roll_up: roll_up.map_or(defaults.roll_up, |found| Duration::from_secs(found.value)),
    }
}

/// Reads `[status]`.
pub(super) fn status(mut section: Section<'_>) -> StatusConfig {
    let every = section.number("every_s", 1..=300, "seconds");
    section.finish();
    StatusConfig { every: every.map_or(StatusConfig::default().every, |found| Duration::from_secs(found.value)) }
}

/// Reads `[snmp]`: the vendors' profiles.
pub(super) fn profiles(mut section: Section<'_>) -> Arc<Profiles> {
    let dir = section.text("profiles_dir");
    let loaded = match &dir {
        None => Ok(Profiles::built_in()),
        Some(found) => Profiles::load(Path::new(found.value)),
    };
    let profiles = loaded.unwrap_or_else(|error| {
        let place = dir.as_ref().map_or_else(|| section.place(), |found| found.place.clone());
        section.log.note(&place, chain(&error), "");
        Profiles::built_in()
    });
    section.finish();
    Arc::new(profiles)
}

/// Returns whether the text names a host and a port from 1.
pub(crate) fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_is_good = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
    };
    host_is_good && port.parse::<u16>().is_ok_and(|port| port > 0)
}
