//! The daemon's configuration: one TOML file, checked as a whole.
//!
//! Invariant: a [`Config`] is complete and consistent; whatever is wrong with a text is reported at once, each with line,
//! key and remedy, and then nothing of the text is used. Every key has a default that is safe: without a file the
//! daemon listens for agents on all addresses, since that takes a certificate, and for people on loopback alone.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

pub use onenet_config::ConfigError;
use onenet_config::{Found, NoEnvironment, Origin, Section};

use onenet_topology::{acceptance::Thresholds, case::Deadlines};

use hyper::Uri;

use crate::{
    access::audit::MIN_RETENTION_DAYS, ingest::Concluding, replication::ReplicationConfig, store::CACHE_BYTES,
};

mod cases;
mod notify;
mod replication;

#[cfg(test)]
mod tests;

pub use notify::{ChannelConfig, HttpWay, MailWay, Route, Secret, Way};

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
/// Batches that may wait for remote write: a small network's for months, the nation's for some five hours.
const QUEUE_BATCHES_DEFAULT: u64 = 1_000_000;
/// The longest that anything is kept.
const DAYS_MAX: u64 = 3650;

/// A checked configuration.
#[derive(Debug, Clone, PartialEq)]
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
    /// What acceptance tests hold their values against.
    pub acceptance: Thresholds,
    /// By when things that are to be done about cases are due.
    pub cases: Deadlines,
    /// From what on the centre concludes something itself.
    pub detection: Concluding,
    /// Where measured series go with their times; `None` leaves them on the pages of the metrics.
    pub remote_write: Option<RemoteWriteConfig>,
    /// Who outside is told what happened, and how.
    pub notify: Vec<ChannelConfig>,
    /// The log that is shared with replicas; `None` where this centre is the only one.
    pub replication: Option<ReplicationConfig>,
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

/// Where measured series go (Prometheus' remote write).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteWriteConfig {
    /// The receiver.
    pub url: Uri,
    /// A file with the token that it wants.
    pub token_file: Option<PathBuf>,
    /// The authorities that its certificate may be of, PEM; the system's where none is given.
    pub authority: Option<PathBuf>,
    /// Batches of samples that may wait for it.
    pub queue_batches: u64,
}

/// What is logged, how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Filter directives, such as `info,onenetd::api=debug`.
    pub filter: String,
    /// As JSON lines instead of text.
    pub json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from(DATA_DIR_DEFAULT),
            collectors: CollectorsConfig::default(),
            api: ApiConfig::default(),
            store: StoreConfig::default(),
            inventory: InventoryConfig::default(),
            acceptance: Thresholds::default(),
            cases: Deadlines::default(),
            detection: Concluding::default(),
            remote_write: None,
            notify: Vec::new(),
            replication: None,
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
        Self { cache_bytes: CACHE_BYTES, samples: 30 * DAY, audit: MIN_RETENTION_DAYS * DAY }
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
        onenet_config::read(text, origin, &NoEnvironment, Origin::File, |root| Self {
            data_dir: data_dir(root),
            collectors: collectors(root.section("collectors")),
            api: api(root.section("api")),
            store: store(root.section("store")),
            inventory: inventory(root.section("inventory")),
            acceptance: acceptance(root.section("acceptance")),
            cases: cases::deadlines(root.section("cases")),
            detection: cases::concluding(root.section("detection")),
            remote_write: remote_write(root.section("remote_write")),
            notify: notify::channels(root.sections("notify")),
            replication: replication::section(root),
            log: log_config(root.section("log")),
        })
    }
}

/// Returns a text converted by `convert`; one that it has no use for is a problem.
fn converted<T>(
    section: &mut Section<'_>,
    key: &'static str,
    remedy: &str,
    convert: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let found = section.text(key)?;
    let value = convert(found.value);
    if value.is_none() {
        section.log.note(&found.place, format_args!("{:?} cannot be used", found.value), remedy);
    }
    value
}

fn data_dir(root: &mut Section<'_>) -> PathBuf {
    let remedy = "write the whole path, beginning with /";
    let found = converted(root, "data_dir", remedy, |text| text.starts_with('/').then(|| PathBuf::from(text)));
    found.unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT))
}

fn listen(section: &mut Section<'_>, default: SocketAddr) -> SocketAddr {
    let remedy = "write an IP address and a port, such as \"0.0.0.0:7443\" or \"[::1]:8443\"";
    converted(section, "listen", remedy, |text| text.parse().ok()).unwrap_or(default)
}

fn collectors(mut section: Section<'_>) -> CollectorsConfig {
    let listen = listen(&mut section, CollectorsConfig::default().listen);
    let names = section.texts("names").unwrap_or_default();
    for name in names.iter().filter(|name| !is_name(name.value)) {
        let what = format!("{:?} is neither a host name nor an IP address", name.value);
        let remedy = "write host names or IP addresses, such as [\"centre.example\", \"192.0.2.1\"]";
        section.log.note(&name.place, what, remedy);
    }
    section.finish();
    CollectorsConfig { listen, names: names.into_iter().map(|name| name.value.to_owned()).collect() }
}

fn api(mut section: Section<'_>) -> ApiConfig {
    let defaults = ApiConfig::default();
    let listen = listen(&mut section, defaults.listen);
    let transport = transport(&mut section, listen);
    let body = number(&mut section, "body_max_kib", 64..=65_536, "KiB");
    let timeout = number(&mut section, "timeout_s", 1..=600, "seconds");
    section.finish();
    ApiConfig {
        listen,
        transport,
        body_max_bytes: body.map_or(defaults.body_max_bytes, |kib| usize::try_from(kib << 10).unwrap_or(usize::MAX)),
        timeout: timeout.map_or(defaults.timeout, Duration::from_secs),
    }
}

fn transport(section: &mut Section<'_>, listen: SocketAddr) -> Transport {
    let file = |found: Found<&str>| PathBuf::from(found.value);
    let (certificate, key) = (section.text("certificate").map(file), section.text("key").map(file));
    let plain = flag(section, "plain_http");
    let anywhere = flag(section, "plain_http_anywhere");
    if plain && !listen.ip().is_loopback() && !anywhere {
        let remedy = "listen on 127.0.0.1, or remove plain_http, or, where a proxy in front speaks TLS, set \
                      plain_http_anywhere = true";
        section.note("plain_http", format_args!("would send tokens in clear text from {listen}"), remedy);
    }
    match (certificate, key) {
        (Some(_), Some(_)) if plain => {
            section.note("plain_http", "contradicts certificate and key", "remove either");
            Transport::Plain
        }
        (Some(certificate), Some(key)) => Transport::Files { certificate, key },
        (Some(_), None) => {
            section.note("certificate", "has no key beside it", "give key too");
            Transport::OwnAuthority
        }
        (None, Some(_)) => {
            section.note("key", "has no certificate beside it", "give certificate too");
            Transport::OwnAuthority
        }
        (None, None) if plain => Transport::Plain,
        (None, None) => Transport::OwnAuthority,
    }
}

fn store(mut section: Section<'_>) -> StoreConfig {
    let defaults = StoreConfig::default();
    let cache = number(&mut section, "cache_mib", 4..=65_536, "MiB");
    let samples = days(&mut section, "samples_days", 1, defaults.samples);
    let audit = days(&mut section, "audit_days", MIN_RETENTION_DAYS.into(), defaults.audit);
    section.finish();
    StoreConfig { cache_bytes: cache.map_or(defaults.cache_bytes, |mib| mib * MIB), samples, audit }
}

fn inventory(mut section: Section<'_>) -> InventoryConfig {
    let defaults = InventoryConfig::default();
    let endpoints = number(&mut section, "endpoints_per_site", 100..=1_000_000, "endpoints");
    // An agent says again every ten minutes what stays.
    let silent = number(&mut section, "silent_after_min", 30..=10_080, "minutes");
    let config = InventoryConfig {
        endpoints_per_site: endpoints
            .map_or(defaults.endpoints_per_site, |count| usize::try_from(count).unwrap_or(usize::MAX)),
        silent_after: silent.map_or(defaults.silent_after, |minutes| Duration::from_secs(minutes * 60)),
        retire_after: days(&mut section, "retire_after_days", 1, defaults.retire_after),
        retire_passing_after: days(&mut section, "retire_passing_after_days", 1, defaults.retire_passing_after),
        forget_after: days(&mut section, "forget_after_days", 1, defaults.forget_after),
        agent_lapses_after: days(&mut section, "agent_lapses_after_days", 1, defaults.agent_lapses_after),
    };
    section.finish();
    config
}

/// Reads thresholds in whole numbers: of loss in thousandths, of scores in hundredths.
fn acceptance(mut section: Section<'_>) -> Thresholds {
    let defaults = Thresholds::default();
    let minutes = number(&mut section, "minutes", 1..=60, "minutes");
    let mut whole = |key, range, unit, default: f64| {
        let found = number(&mut section, key, range, unit).and_then(|found| u32::try_from(found).ok());
        found.map_or(default, f64::from)
    };
    let thresholds = Thresholds {
        minutes: minutes.and_then(|minutes| u16::try_from(minutes).ok()).unwrap_or(defaults.minutes),
        loss_percent: whole("loss_thousandths", 0..=1_000, "thousandths", defaults.loss_percent * 10.0) / 10.0,
        round_trip_ms: whole("round_trip_ms", 1..=10_000, "milliseconds", defaults.round_trip_ms),
        jitter_ms: whole("jitter_ms", 1..=10_000, "milliseconds", defaults.jitter_ms),
        media_score: whole("media_score_hundredths", 100..=450, "hundredths", defaults.media_score * 100.0) / 100.0,
        terminals_in_plan_percent: whole(
            "terminals_in_plan_percent",
            0..=100,
            "percent",
            defaults.terminals_in_plan_percent,
        ),
        ..defaults
    };
    section.finish();
    thresholds
}

fn remote_write(mut section: Section<'_>) -> Option<RemoteWriteConfig> {
    let remedy =
        "write where Prometheus or VictoriaMetrics takes remote write, such as \"http://127.0.0.1:9090/api/v1/write\"";
    let has_url = section.has("url");
    let url = converted(&mut section, "url", remedy, receiver);
    let file = |found: Found<&str>| PathBuf::from(found.value);
    let (token_file, authority) = (section.text("token_file").map(file), section.text("authority").map(file));
    let batches = number(&mut section, "queue_batches", 1_000..=1_000_000_000, "batches");
    let queue_batches = batches.unwrap_or(QUEUE_BATCHES_DEFAULT);
    if !has_url && (token_file.is_some() || authority.is_some()) {
        section.note("url", "is missing", remedy);
    }
    let in_clear = |url: &Uri| url.scheme_str() == Some("http") && !is_here(url);
    if token_file.is_some() && url.as_ref().is_some_and(in_clear) {
        section.note("token_file", "would be sent in clear text", "write https:// in url, or leave the token out");
    }
    section.finish();
    Some(RemoteWriteConfig { url: url?, token_file, authority, queue_batches })
}

/// Returns an address of HTTP with a host and without a user in it.
fn receiver(text: &str) -> Option<Uri> {
    let url: Uri = text.parse().ok()?;
    let is_http = matches!(url.scheme_str(), Some("http" | "https"));
    let has_host = url.host().is_some_and(|host| !host.is_empty());
    (is_http && has_host && !url.authority()?.as_str().contains('@')).then_some(url)
}

/// Returns whether an address is this machine's own.
fn is_here(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn log_config(mut section: Section<'_>) -> LogConfig {
    let defaults = LogConfig::default();
    let remedy = "write error, warn, info, debug or trace, or directives such as \"info,onenetd::api=debug\"";
    let filter = converted(&mut section, "filter", remedy, |text| is_filter(text).then(|| text.to_owned()));
    let json = flag(&mut section, "json");
    section.finish();
    LogConfig { filter: filter.unwrap_or(defaults.filter), json }
}

/// Returns whether a text is a filter that somebody can have meant: a word that is no level would be taken for the name of a
/// module, and silence all others.
fn is_filter(text: &str) -> bool {
    let is_meant =
        |part: &str| part.contains('=') || part.trim().parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
    text.split(',').all(is_meant) && text.parse::<tracing_subscriber::filter::Targets>().is_ok()
}

fn number(section: &mut Section<'_>, key: &'static str, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
    section.number(key, range, unit).map(|found| found.value)
}

fn days(section: &mut Section<'_>, key: &'static str, least: u64, default: Duration) -> Duration {
    let found = number(section, key, least..=DAYS_MAX, "days");
    found.map_or(default, |days| DAY * u32::try_from(days).unwrap_or(u32::MAX))
}

/// Returns a truth value, false where it is not given.
fn flag(section: &mut Section<'_>, key: &'static str) -> bool {
    section.boolean(key).is_some_and(|found| found.value)
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
