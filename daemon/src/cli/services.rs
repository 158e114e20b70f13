//! `onenetd services`: the register of approved services, from a table to a site's configuration.

use std::path::PathBuf;

use clap::Args;
use onenet_topology::service::{parse_services_csv, services_toml};

use super::commands::{CommandError, read, say};

/// Which table.
#[derive(Debug, Clone, Args)]
pub struct ServicesArgs {
    /// The table (CSV, UTF-8): service,application,approval,owner,scope,expires. What is printed belongs into `[detection]` of the site's
    /// configuration, beside `published` = [prefixes whose services have to be registered].
    #[arg(value_name = "FILE.csv")]
    pub file: PathBuf,
}

/// Prints the sections.
pub(super) fn run(args: &ServicesArgs) -> Result<(), CommandError> {
    let bytes = read(&args.file)?;
    let text = String::from_utf8_lossy(&bytes);
    let rows = parse_services_csv(&text).map_err(|errors| {
        let said = |it: &onenet_topology::csv::ImportError<_>| {
            let column = if it.column.is_empty() { String::new() } else { format!(", column {}", it.column) };
            format!("line {}{column}: {}", it.line, it.problem)
        };
        CommandError::Services {
            path: args.file.clone(),
            problems: errors.iter().map(said).collect::<Vec<_>>().join("\n"),
        }
    })?;
    say(services_toml(&rows).trim_end())
}
