//! The command line.
//!
//! Invariant: a command that changes or reads the centre is one request to the API, in front of the same gate as
//! everybody's: over the local socket when the daemon runs, else to a router in this very process over the opened store.
//! There is one code path and one audit trail.

mod acceptance;
mod addresses;
mod agents;
mod anomalies;
mod areas;
mod assets;
mod availability;
mod baseline;
mod cases;
mod changes;
mod commands;
mod configuration;
mod devices;
mod flows;
mod given;
mod incidents;
mod inspections;
mod local;
mod measure;
mod path;
mod serve;
mod services;
mod sites;
mod terminals;
mod topology;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::config::{CONFIG_FILE_DEFAULT, DATA_DIR_DEFAULT};

pub use commands::{CommandError, run};
pub use serve::{RunError, Running, StopSignal, start, start_with};

/// What can be done with a centre.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the centre.
    Serve(ConfigArg),
    /// Check a configuration; everything that is wrong is listed at once.
    CheckConfig {
        /// The configuration.
        #[arg(value_name = "FILE", default_value = CONFIG_FILE_DEFAULT)]
        file: PathBuf,
        /// The same, as `serve` takes it.
        #[arg(long, value_name = "FILE", conflicts_with = "file")]
        config: Option<PathBuf>,
    },
    /// Issue a one-time token with which an agent of a site enrols.
    Enrol(EnrolArgs),
    /// Sites: import, list and change them.
    #[command(subcommand)]
    Sites(sites::SitesCommand),
    /// Areas: named sets of sites, such as a river basin.
    #[command(subcommand)]
    Areas(areas::AreasCommand),
    /// The address plan: import, list, look an address up.
    #[command(subcommand)]
    Addresses(addresses::AddressesCommand),
    /// The asset register: import it, list what is on the books and what is seen of it.
    #[command(subcommand)]
    Assets(assets::AssetsCommand),
    /// Coverage: which sites are connected, and which of their terminals are seen.
    Coverage(assets::CoverageArgs),
    /// Availability: how much of the time sites and ways were there, and how good the ways were.
    Availability(availability::AvailabilityArgs),
    /// Acceptance test: whether a new or transferred unit is connected as it should be, and who accepts it.
    Acceptance(Box<acceptance::AcceptanceArgs>),
    /// Changes: what appeared, moved, was replaced or is gone.
    Changes(changes::ChangesArgs),
    /// Path: over which devices the way leads from one place to another.
    Path(path::PathArgs),
    /// Measure: have an agent test its line, as speech and video use it or for how much comes through.
    Measure(measure::MeasureArgs),
    /// Picture: what is at a site, or was at a time.
    Picture(changes::PictureArgs),
    /// Agents: list them, or revoke the certificate of one.
    #[command(subcommand)]
    Agents(agents::AgentsCommand),
    /// Devices: list them; rule that two entries are one box, or that they are not.
    #[command(subcommand)]
    Devices(devices::DevicesCommand),
    /// Terminals: which endpoints are cards of one machine, and rule which are.
    #[command(subcommand)]
    Terminals(terminals::TerminalsCommand),
    /// The configuration of a site's agents: push it, or show what came of it.
    #[command(subcommand)]
    Config(configuration::ConfigCommand),
    /// The topology of a site: write its evidence as a file, or infer attachments and links from such a file.
    #[command(subcommand)]
    Topology(topology::TopologyCommand),
    /// Baseline: what is usual in a series of numbers, a score and a verdict for each row of a file; no centre is needed.
    Baseline(baseline::BaselineArgs),
    /// Services: the register of approved services, a table (CSV), as sections of a site's configuration; no centre is needed.
    Services(services::ServicesArgs),
    /// Flows: ask a site's agents who talked to whom.
    Flows(flows::FlowsArgs),
    /// Incidents: what is broken, what follows from it, and what happened at a site.
    #[command(subcommand)]
    Incidents(incidents::IncidentsCommand),
    /// Anomalies: what detectors found at sites, and what the detectors do.
    #[command(subcommand)]
    Anomalies(anomalies::AnomaliesCommand),
    /// Planned maintenances: plan, list and end them.
    #[command(subcommand)]
    Maintenance(incidents::MaintenanceCommand),
    /// Cases: what deserves a person's time, what people do with it, and what is silenced.
    #[command(subcommand, visible_alias = "case")]
    Cases(cases::CasesCommand),
    /// Inspections: campaigns with a checklist that units answer, what was found, and whether it was mended.
    #[command(subcommand)]
    Inspections(inspections::InspectionsCommand),
    /// Access tokens: create, list or revoke them.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Write a consistent backup, private keys included, while the centre runs on.
    Backup(FileArgs),
    /// Make a data directory from a backup.
    Restore(FileArgs),
    /// Write the store as text, without private keys.
    Export(FileArgs),
    /// Make a data directory from an export; agents have to enrol again.
    Import(FileArgs),
    /// Print the metrics' contract as Markdown.
    #[command(hide = true)]
    MetricsDocument,
    /// Print the API's OpenAPI document.
    #[command(hide = true)]
    ApiDocument,
}

/// Which configuration.
#[derive(Debug, Clone, Args)]
pub struct ConfigArg {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = CONFIG_FILE_DEFAULT)]
    pub config: PathBuf,
}

/// Where the data directory is.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Who you are, for the story of a case and the audit trail; by default who called sudo, or the user (`SUDO_USER`, `USER`).
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// Where the centre is, where `--by` says something else.
#[derive(Debug, Clone, Args)]
pub struct PlaceArgs {
    /// The centre's data directory; by default what the configuration says.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration that names the data directory.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub config: Option<PathBuf>,
}

/// For which site to enrol an agent.
#[derive(Debug, Clone, Args)]
pub struct EnrolArgs {
    /// The site: its id or its division code, such as 130102.
    pub site: String,
    /// How long the token is valid.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=720))]
    pub hours: u16,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// What to do with tokens.
#[derive(Debug, Clone, Subcommand)]
pub enum TokenCommand {
    /// Create a token and print its secret, this once.
    Create(TokenCreateArgs),
    /// List tokens, without their secrets.
    List {
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Revoke a token.
    Revoke {
        /// Its id, or the name of its principal.
        token: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Which token to create.
#[derive(Debug, Clone, Args)]
pub struct TokenCreateArgs {
    /// The name of the principal, as the audit trail will show it.
    pub name: String,
    /// viewer, operator, security-reviewer, system-administrator, security-administrator or audit-administrator; can be
    /// given several times, but the three administrators exclude each other.
    #[arg(long, required = true, value_name = "ROLE")]
    pub role: Vec<String>,
    /// The site that the roles reach, with everything below: an id or a division code. Can be given several times; without
    /// it, everywhere.
    #[arg(long, value_name = "SITE")]
    pub site: Vec<String>,
    /// After how many days the token ends; without it, never.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub expires_days: Option<u16>,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Which file, for which centre.
#[derive(Debug, Clone, Args)]
pub struct FileArgs {
    /// The file.
    pub file: PathBuf,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

impl From<PlaceArgs> for DataArgs {
    fn from(place: PlaceArgs) -> Self {
        Self { place, by: None }
    }
}

impl DataArgs {
    /// Returns the data directory: as given, else as the configuration says, else where it is by default.
    ///
    /// # Errors
    /// The named configuration, or the default one where it exists, cannot be used.
    pub fn directory(&self) -> Result<PathBuf, crate::config::ConfigError> {
        let PlaceArgs { data, config } = &self.place;
        if let Some(data) = data {
            return Ok(data.clone());
        }
        let default = PathBuf::from(CONFIG_FILE_DEFAULT);
        match config {
            Some(config) => Ok(crate::config::Config::load(config)?.data_dir),
            None if default.exists() => Ok(crate::config::Config::load(&default)?.data_dir),
            None => Ok(PathBuf::from(DATA_DIR_DEFAULT)),
        }
    }

    /// Returns whether somebody said where the data directory is, on the command line or in the default configuration.
    fn is_named(&self) -> bool {
        self.place.data.is_some() || self.place.config.is_some() || Path::new(CONFIG_FILE_DEFAULT).exists()
    }

    /// Returns who asks, as far as anybody says.
    fn person(&self) -> Option<String> {
        let said = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let variable = |name| std::env::var(name).ok().and_then(said);
        self.by.clone().and_then(said).or_else(|| variable("SUDO_USER")).or_else(|| variable("USER"))
    }
}
