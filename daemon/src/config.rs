//! The daemon's configuration: one TOML file, checked as a whole.
//!
//! Invariant: a [`Config`] is complete and consistent; whatever is wrong with a text is reported at once, each with line,
//! key and remedy, and then nothing of the text is used. Every key has a default that is safe: without a file the
//! daemon listens for agents on all addresses, since that takes a certificate, and for people on loopback alone.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

mod reader;

#[cfg(test)]
mod tests;

use reader::{Log, Section};

use crate::access::audit::MIN_RETENTION_DAYS;

/// Where the configuration is looked for when nobody says otherwise.
pub const CONFIG_FILE_DEFAULT: &str = "/etc/onenet/onenetd.toml";
/// Where the data is kept when nobody says otherwise.
pub const DATA_DIR_DEFAULT: &str = "/var/lib/onenetd";
/// The port for agents.
pub const COLLECTORS_PORT: u16 = 7443;
/// The port for people and programs.
pub const API_PORT: u16 = 8443;

const MIB: u64 = 1 << 20;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The most problems that are listed; a file with more has one cause.
const LISTED_MAX: usize = 50;

/// A checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// The port for agents.
    pub collectors: CollectorsConfig,
    /// The port for people and programs.
    pub api: ApiConfig,
    /// How much is kept, how long.
    pub store: StoreConfig,
    /// How long endpoints live on when nobody sees them.
    pub inventory: InventoryConfig,
    /// What is logged, how.
    pub log: LogConfig,
}

/// The port for agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectorsConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The host names and addresses under which agents know the centre; they go into its certificate.
    pub names: Vec<String>,
}

/// The port for people and programs: API, console, metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// How it is protected on the way.
    pub transport: Transport,
    /// The most bytes of a request's body.
    pub body_max_bytes: usize,
    /// How long a request may take.
    pub timeout: Duration,
}

/// How the API is protected on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// TLS with a certificate of the daemon's own authority, made for `collectors.names`.
    OwnAuthority,
    /// TLS with this certificate chain and key, both PEM files.
    Files {
        /// The certificate chain, leaf first.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// No protection: on loopback, or where `plain_http_anywhere` says that something in front protects it.
    Plain,
}

/// How much is kept, how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreConfig {
    /// Memory for the store's cache, in bytes.
    pub cache_bytes: u64,
    /// How long samples and events are kept.
    pub samples: Duration,
    /// How long the audit trail is kept; at least 190 days.
    pub audit: Duration,
}

/// How long endpoints live on when nobody sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InventoryConfig {
    /// Endpoints that one site can hold, and as many retired ones.
    pub endpoints_per_site: usize,
    /// Without a sight, until an endpoint is silent.
    pub silent_after: Duration,
    /// Silent, until it is retired.
    pub retire_after: Duration,
    /// Silent, until one that was passing through (seen for less than a day, or with a random address) is retired.
    pub retire_passing_after: Duration,
    /// Retired, until it is forgotten.
    pub forget_after: Duration,
    /// Silence of an agent, until what only it saw counts as seen by nobody.
    pub agent_lapses_after: Duration,
}

/// What is logged, how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Filter directives, such as `info,onenetd::api=debug`.
    pub filter: String,
    /// As JSON lines instead of text.
    pub json: bool,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the text, from 1.
    pub line: usize,
    /// Which key, such as `api.listen`. Empty for the text as a whole.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// A configuration that cannot be used. Nothing of it was applied.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {}: give its path with --config", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The text is wrong.
    #[error("{}", listed(origin, problems))]
    Wrong {
        /// Where the text came from.
        origin: String,
        /// Everything that is wrong, in the order of the lines.
        problems: Vec<Problem>,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from(DATA_DIR_DEFAULT),
            collectors: CollectorsConfig::default(),
            api: ApiConfig::default(),
            store: StoreConfig::default(),
            inventory: InventoryConfig::default(),
            log: LogConfig::default(),
        }
    }
}

impl Default for CollectorsConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, COLLECTORS_PORT)), names: Vec::new() }
    }
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, API_PORT)),
            transport: Transport::OwnAuthority,
            body_max_bytes: 4 << 20,
            timeout: Duration::from_secs(30),
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { cache_bytes: 128 * MIB, samples: 30 * DAY, audit: MIN_RETENTION_DAYS * DAY }
    }
}

impl Default for InventoryConfig {
    fn default() -> Self {
        Self {
            endpoints_per_site: 20_000,
            silent_after: Duration::from_secs(3_600),
            retire_after: 90 * DAY,
            retire_passing_after: 7 * DAY,
            forget_after: 400 * DAY,
            agent_lapses_after: 30 * DAY,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, or is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Checks the text that came from `origin`.
    ///
    /// # Errors
    /// The text is wrong; the error lists everything.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let wrong = |problems| ConfigError::Wrong { origin: origin.to_owned(), problems };
        let (document, syntax) = toml::de::DeTable::parse_recoverable(text);
        let log = Log::new(text);
        if !syntax.is_empty() {
            for error in &syntax {
                let remedy = "write text values in double quotes, one key = value a line";
                let what = format!("is not TOML: {}", error.message());
                log.note(error.span().unwrap_or_default().start, String::new(), what, remedy);
            }
            // What a broken line was meant to say is not known: what follows from that is not worth reading.
            return Err(wrong(log.into_problems()));
        }
        let mut root = Section::root(&log, document.get_ref());
        let config = Self {
            data_dir: data_dir(&mut root),
            collectors: collectors(root.section("collectors")),
            api: api(root.section("api")),
            store: store(root.section("store")),
            inventory: inventory(root.section("inventory")),
            log: log_config(root.section("log")),
        };
        root.finish();
        let problems = log.into_problems();
        if problems.is_empty() { Ok(config) } else { Err(wrong(problems)) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

fn listed(origin: &str, problems: &[Problem]) -> String {
    use fmt::Write as _;
    if let [one] = problems {
        return format!("{origin}, {one}");
    }
    let mut text = format!("{origin} has {} problems:", problems.len());
    for problem in problems.iter().take(LISTED_MAX) {
        let _ = write!(text, "\n  {problem}");
    }
    if problems.len() > LISTED_MAX {
        let _ = write!(text, "\n  and {} more", problems.len() - LISTED_MAX);
    }
    text
}

fn data_dir(root: &mut Section<'_>) -> PathBuf {
    let remedy = "write the whole path, beginning with /";
    let found = root.text("data_dir", remedy, |text| text.starts_with('/').then(|| PathBuf::from(text)));
    found.unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT))
}

fn listen(section: &mut Section<'_>, default: SocketAddr) -> SocketAddr {
    let remedy = "write an IP address and a port, such as \"0.0.0.0:7443\" or \"[::1]:8443\"";
    section.text("listen", remedy, |text| text.parse().ok()).unwrap_or(default)
}

fn collectors(mut section: Section<'_>) -> CollectorsConfig {
    let listen = listen(&mut section, CollectorsConfig::default().listen);
    let remedy = "write host names or IP addresses, such as [\"centre.example\", \"192.0.2.1\"]";
    let names = section.texts("names", remedy).unwrap_or_default();
    for name in names.iter().filter(|name| !is_name(name)) {
        section.note("names", format_args!("{name:?} is neither a host name nor an IP address"), remedy);
    }
    section.finish();
    CollectorsConfig { listen, names }
}

fn api(mut section: Section<'_>) -> ApiConfig {
    let defaults = ApiConfig::default();
    let listen = listen(&mut section, defaults.listen);
    let file = |text: &str| Some(PathBuf::from(text));
    let certificate = section.text("certificate", "write the path of a PEM file", file);
    let key = section.text("key", "write the path of a PEM file", file);
    let plain = section.flag("plain_http").unwrap_or(false);
    let anywhere = section.flag("plain_http_anywhere").unwrap_or(false);
    let transport = match (certificate, key) {
        (Some(_), Some(_)) if plain => {
            section.note("plain_http", "contradicts certificate and key", "remove either");
            Transport::Plain
        }
        (Some(certificate), Some(key)) => Transport::Files { certificate, key },
        (Some(_), None) => {
            section.note("certificate", "has no key beside it", "give key too");
            defaults.transport
        }
        (None, Some(_)) => {
            section.note("key", "has no certificate beside it", "give certificate too");
            defaults.transport
        }
        (None, None) if plain => Transport::Plain,
        (None, None) => defaults.transport,
    };
    if plain && !listen.ip().is_loopback() && !anywhere {
        let remedy = "listen on 127.0.0.1, or remove plain_http, or, where a proxy in front speaks TLS, set \
                      plain_http_anywhere = true";
        section.note("plain_http", format_args!("would send tokens in clear text from {listen}"), remedy);
    }
    let body = section.number("body_max_kib", 64..=65_536, "KiB");
    let timeout = section.number("timeout_s", 1..=600, "seconds");
    section.finish();
    ApiConfig {
        listen,
        transport,
        body_max_bytes: body.map_or(defaults.body_max_bytes, |kib| usize::try_from(kib << 10).unwrap_or(usize::MAX)),
        timeout: timeout.map_or(defaults.timeout, Duration::from_secs),
    }
}

fn store(mut section: Section<'_>) -> StoreConfig {
    let defaults = StoreConfig::default();
    let cache = section.number("cache_mib", 16..=65_536, "MiB");
    let samples = section.number("samples_days", 1..=3650, "days");
    let audit = section.number("audit_days", MIN_RETENTION_DAYS.into()..=3650, "days");
    section.finish();
    let days = |days: u64| DAY * u32::try_from(days).unwrap_or(u32::MAX);
    StoreConfig {
        cache_bytes: cache.map_or(defaults.cache_bytes, |mib| mib * MIB),
        samples: samples.map_or(defaults.samples, days),
        audit: audit.map_or(defaults.audit, days),
    }
}

fn inventory(mut section: Section<'_>) -> InventoryConfig {
    let defaults = InventoryConfig::default();
    let endpoints = section.number("endpoints_per_site", 100..=1_000_000, "endpoints");
    // An agent says again every ten minutes what stays.
    let silent = section.number("silent_after_min", 30..=10_080, "minutes");
    let retire = section.number("retire_after_days", 1..=3650, "days");
    let passing = section.number("retire_passing_after_days", 1..=3650, "days");
    let forget = section.number("forget_after_days", 1..=3650, "days");
    let lapse = section.number("agent_lapses_after_days", 1..=3650, "days");
    section.finish();
    let days = |found: Option<u64>, default: Duration| {
        found.map_or(default, |days| DAY * u32::try_from(days).unwrap_or(u32::MAX))
    };
    InventoryConfig {
        endpoints_per_site: endpoints
            .map_or(defaults.endpoints_per_site, |count| usize::try_from(count).unwrap_or(usize::MAX)),
        silent_after: silent.map_or(defaults.silent_after, |minutes| Duration::from_secs(minutes * 60)),
        retire_after: days(retire, defaults.retire_after),
        retire_passing_after: days(passing, defaults.retire_passing_after),
        forget_after: days(forget, defaults.forget_after),
        agent_lapses_after: days(lapse, defaults.agent_lapses_after),
    }
}

fn log_config(mut section: Section<'_>) -> LogConfig {
    let defaults = LogConfig::default();
    let remedy = "write error, warn, info, debug or trace, or directives such as \"info,onenetd::api=debug\"";
    let filter = section.text("filter", remedy, |text| {
        text.parse::<tracing_subscriber::filter::Targets>().is_ok().then(|| text.to_owned())
    });
    let json = section.flag("json");
    section.finish();
    LogConfig { filter: filter.unwrap_or(defaults.filter), json: json.unwrap_or(defaults.json) }
}

/// Returns whether the text can stand in a certificate as a name of the centre.
pub fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        let ends = !label.starts_with('-') && !label.ends_with('-');
        ends && (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.parse::<IpAddr>().is_ok() || (text.len() <= 253 && text.split('.').all(label))
}
