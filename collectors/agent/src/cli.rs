//! The command line of `onenet-agent`.
//!
//! Exit statuses: 0 done, 1 failed, 2 used wrongly. An error is one message on standard error that names the remedy.

mod check;
mod discovered;
mod enrol;
mod flows;
mod folder;
mod inspect;
mod output;
mod replay;
mod run;
mod secret;
mod status;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::CONFIG_FILE_DEFAULT;

pub use output::chain;

/// The collector of onenet: watches one site and reports to the centre.
#[derive(Debug, Parser)]
#[command(name = "onenet-agent", version, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch the site until stopped.
    Run {
        /// The configuration.
        #[arg(long, value_name = "FILE", default_value = CONFIG_FILE_DEFAULT)]
        config: PathBuf,
    },
    /// Make this box an agent of a site: turns a one-time token into a key and certificate.
    Enrol(enrol::Arguments),
    /// Tell how the agent is doing, in plain words.
    Status(folder::Arguments),
    /// List the addresses that were found, and why each was added or not.
    Discovered(folder::Arguments),
    /// Check a configuration: list everything that is wrong with it, or say what the agent would do.
    CheckConfig {
        /// The configuration.
        #[arg(value_name = "FILE", default_value = CONFIG_FILE_DEFAULT)]
        file: PathBuf,
        /// The same, as `run` takes it.
        #[arg(long, value_name = "FILE", conflicts_with = "file")]
        config: Option<PathBuf>,
    },
    /// Show what one device tells over SNMP, and what of it was dropped and why.
    Inspect(inspect::Arguments),
    /// Show what was said on the network: finished flows, the latest first.
    Flows(flows::Arguments),
    /// Put capture files through the pipeline of live capture, and show endpoints and flows.
    Replay(replay::Arguments),
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// Whatever stops the command, to be shown to the user.
    pub fn execute(self) -> anyhow::Result<()> {
        match self.command {
            Command::Run { config } => run::execute(&config),
            Command::Enrol(arguments) => enrol::execute(&arguments),
            Command::Status(arguments) => status::execute(&arguments),
            Command::Discovered(arguments) => discovered::execute(&arguments),
            Command::CheckConfig { file, config } => check::execute(&config.unwrap_or(file)),
            Command::Inspect(arguments) => inspect::execute(arguments),
            Command::Flows(arguments) => flows::execute(&arguments),
            Command::Replay(arguments) => replay::execute(&arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
