//! The agent's configuration: one TOML file, checked as a whole.
//!
//! Invariant: a [`Config`] is complete and consistent; whatever is wrong with a text is reported at once, each with line,
//! key and remedy, and then nothing of the text is used. Raw values exist only inside `onenet-config`; each section has one
//! `checked()` that turns them into its type. Secrets cannot be printed.
//!
//! The *site's part* (`anchor`, `capture`, `intervals`, `groups`, `devices`, `discovery`, `probing`, `probes`, `detection`, `scans`) may be replaced by the centre. The agent's own part
//! (`centre`, `data`, `spool`, `flow_log`, `status`, `snmp`, `credentials`, `traps`, `reflector`) never is: a mistake there could cut the agent off for
//! good or open a port at the site, and named credentials let the centre use secrets that it does not know.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

mod agent;
mod capture;
mod credentials;
mod detection;
mod device;
mod discovery;
mod group;
mod intervals;
mod probes;
mod scans;
mod services;
mod traps;

pub(crate) use agent::is_host_and_port;
pub use agent::{CentreConfig, FlowLogCaps, SpoolCaps, StatusConfig};
pub use capture::{CaptureConfig, Interfaces, MirrorConfig};
pub use credentials::NamedCredentials;
pub use device::DeviceConfig;
pub use discovery::DiscoveryConfig;
pub(crate) use discovery::covers;
pub use intervals::Intervals;
pub use onenet_config::{ConfigError, Environment, Problem, Problems, ProcessEnvironment};
pub use probes::{ProbeConfig, ReflectorSettings};
pub use scans::ScanConfig;
pub use traps::TrapsConfig;

use onenet_config::{Origin, Section, read};
use onenet_snmp::Profiles;

/// Where the configuration is looked for when nobody says otherwise.
pub const CONFIG_FILE_DEFAULT: &str = "/etc/onenet/agent.toml";

/// Where the agent keeps its data when nobody says otherwise.
pub const DATA_DIR_DEFAULT: &str = "/var/lib/onenet-agent";

/// How often the machine announces itself where nobody says, in seconds: switches forget after 300.
const ANCHOR_S: u64 = 120;

/// The most devices that one agent may be given: a province's agent polls thousands.
const DEVICES_MAX: usize = 20_000;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where reports go.
    pub centre: CentreConfig,
    /// Where identity, spool and status file are kept.
    pub data_dir: PathBuf,
    /// What the spool may take.
    pub spool: SpoolCaps,
    /// What the flow log may take.
    pub flow_log: FlowLogCaps,
    /// The status file.
    pub status: StatusConfig,
    /// Credentials that devices refer to by name.
    pub credentials: NamedCredentials,
    /// Where traps and informs are heard; `None`: nowhere.
    pub traps: Option<TrapsConfig>,
    /// Whether others' test packets are answered, and the key of those that are sent.
    pub reflector: ReflectorSettings,
    /// What is known of vendors' devices.
    pub profiles: Arc<Profiles>,
    /// What is watched: the part that the centre may replace.
    pub site: SiteConfig,
}

/// What is watched at the site.
#[derive(Debug, Clone, Default)]
pub struct SiteConfig {
    /// What is listened to.
    pub capture: CaptureConfig,
    /// What is polled.
    pub devices: Vec<Arc<DeviceConfig>>,
    /// Where more devices are looked for; `None`: nowhere.
    pub discovery: Option<DiscoveryConfig>,
    /// What is probed.
    pub probes: Vec<Arc<ProbeConfig>>,
    /// How often the machine announces itself, so that switches learn it; `None`: never.
    pub anchor: Option<Duration>,
    /// What a test of throughput may send, in kbit/s at the IP layer; 0: there are none.
    pub throughput_max_kbit: u32,
    /// What is a finding.
    pub detection: onenet_detection::Settings,
    /// What is scanned, by whose leave.
    pub scans: Vec<ScanConfig>,
}

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string(), &ProcessEnvironment)
    }

    /// Checks the text that came from `origin`.
    ///
    /// # Errors
    ///
    /// The text is wrong; the error lists everything.
    pub fn parse(text: &str, origin: &str, environment: &dyn Environment) -> Result<Self, ConfigError> {
        read(text, origin, environment, Origin::File, |root| {
            let credentials = credentials::named(root);
            let centre = agent::centre(root.section("centre"));
            let data_dir = agent::data(root.section("data"));
            let spool = agent::spool(root.section("spool"));
            let flow_log = agent::flow_log(root.section("flow_log"));
            let status = agent::status(root.section("status"));
            let traps = traps::checked(root.section("traps"), &credentials);
            let profiles = agent::profiles(root.section("snmp"));
            let reflector = probes::reflector(root.section("reflector"));
            let site = site(root, &credentials);
            probes::check_keys(root, &site.probes, &reflector);
            Self { centre, data_dir, spool, flow_log, status, credentials, traps, reflector, profiles, site }
        })
    }

    /// Returns the configuration of an agent that watches nothing yet and reports to `address`.
    pub fn new(address: &str, data_dir: PathBuf) -> Self {
        Self {
            centre: CentreConfig::new(address),
            data_dir,
            spool: SpoolCaps::default(),
            flow_log: FlowLogCaps::default(),
            status: StatusConfig::default(),
            credentials: NamedCredentials::default(),
            traps: None,
            reflector: ReflectorSettings::default(),
            profiles: Arc::default(),
            site: SiteConfig::default(),
        }
    }
}

impl SiteConfig {
    /// Checks the text of a site's part that the centre sent; `credentials` are the agent's own, by name.
    ///
    /// # Errors
    ///
    /// The text is wrong, or has a section that is not the centre's to set; the error lists everything.
    pub fn parse(text: &str, origin: &str, credentials: &NamedCredentials) -> Result<Self, ConfigError> {
        read(text, origin, &ProcessEnvironment, Origin::Centre, |root| {
            for key in ["centre", "data", "spool", "flow_log", "status", "snmp", "credentials", "traps", "reflector"] {
                if root.section(key).is_present() {
                    root.note(key, "is not the centre's to set", "change it in the agent's own file, at the site");
                }
            }
            site(root, credentials)
        })
    }
}

impl fmt::Display for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Auto => f.write_str("auto"),
            Self::Named(names) => f.write_str(&names.join(", ")),
        }
    }
}

/// Reads the site's part.
fn site(root: &mut Section<'_>, credentials: &NamedCredentials) -> SiteConfig {
    let capture = root.section("capture");
    let intervals = intervals::checked(root.section("intervals"), Intervals::default());
    let groups = group::all(root, intervals, credentials);
    let mut sections = root.sections("devices");
    if sections.len() > DEVICES_MAX {
        let what = format!("lists {} devices", sections.len());
        root.note("devices", what, format_args!("at most {DEVICES_MAX} fit one agent: divide them among several"));
        sections.truncate(DEVICES_MAX);
    }
    let discovery = discovery::checked(root.section("discovery"), intervals, credentials);
    let named = sections.len();
    let devices = device::all(sections, intervals, &groups, credentials);
    let names = devices.iter().map(|device| device.name.as_str()).collect();
    // Whatever discovery finds has a name that nobody knows yet, and a device that is wrong itself may be the one that is meant.
    let all_known = discovery.is_none() && devices.len() == named;
    let capture = capture::checked(capture, all_known.then_some(&names));
    let (probes, throughput_max_kbit) = probes::all(root);
    let anchor = anchor(root.section("anchor"));
    let detection = detection::checked(root.section("detection"));
    let scans = scans::all(root, &detection.published);
    SiteConfig { capture, devices, discovery, probes, anchor, throughput_max_kbit, detection, scans }
}

/// Reads `[anchor]`: 0 is off.
fn anchor(mut section: Section<'_>) -> Option<Duration> {
    let found = section.number("interval_s", 0..=3_600, "seconds");
    section.finish();
    let seconds = found.map_or(ANCHOR_S, |found| found.value);
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// Credentials by name; `None` for a name whose own definition is wrong, which is reported where it stands.
type ByName = BTreeMap<String, Option<onenet_snmp::Credentials>>;

#[cfg(test)]
mod tests;
