//! The national simulator: every site of the table of divisions, the affiliated units and the Corps, each with an agent of its own
//! certificate that speaks the real protocol over a connection of its own.
//!
//! Invariant: what is at a site follows from the seed, the site and the minute alone; what is kept of a terminal is eight bytes. What
//! the centre has acknowledged is never said again, unless the centre asks for it.
//!
//! `sites` says which sites there are, `chance` makes numbers of a seed, `network` holds what is plugged in where, `facts` tells it as an
//! agent would, `more` what is beside tables and ports, `book` keeps the two lanes of an agent, `agent` puts these together, `line` carries them, `papers` gets the
//! certificates, `world` holds what all share, `pages` writes a past of the centre's metrics, `truth` says what a centre should hold.
//!
//! It does not know the daemon, nor `onenet-agent`: it enrols and reports as agents do. `./tests/bench country` runs it beside a daemon
//! and judges that.

#![forbid(unsafe_code)]

mod agent;
mod book;
mod chance;
mod clock;
mod facts;
mod line;
mod more;
mod network;
mod pages;
mod papers;
mod run;
mod sites;
#[cfg(test)]
mod tests;
mod truth;
mod world;

use std::{
    fs::File,
    io::{BufReader, Write as _, stdout},
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

/// The whole country on one machine.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the sites as a file for `onenetd sites import`.
    Sites(Country),
    /// Print the books as a file for `onenetd assets import`.
    Assets(Country),
    /// Run the agents; what they do is told on standard input, a command a line: see the README.
    Run(RunArgs),
    /// Write a past of the centre's pages of metrics into a Prometheus: a load for dashboards.
    Pages(PagesArgs),
    /// Print what an export of the daemon holds, to be compared with what `truth` printed.
    Digest {
        /// The export.
        export: PathBuf,
    },
}

/// Which country.
#[derive(Debug, Clone, Args)]
struct Country {
    /// What chance follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Terminals in a hundred of the real number.
    #[arg(long, default_value_t = 100, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    terminals: u64,
    /// Only the sites at and below these, and those above them: for a quick look.
    #[arg(long, value_name = "CODE,…")]
    within: Option<String>,
}

impl Country {
    fn sites(&self) -> Vec<sites::Site> {
        let all = sites::all(self.seed, self.terminals);
        match &self.within {
            Some(code) => sites::within(all, code),
            None => all,
        }
    }
}

/// How the agents are run.
#[derive(Debug, Clone, Args)]
struct RunArgs {
    #[command(flatten)]
    country: Country,
    /// Where the centre listens for agents.
    #[arg(long, value_name = "HOST:PORT")]
    collectors: String,
    /// Where the centre serves its API, without TLS.
    #[arg(long, value_name = "HOST:PORT")]
    api: String,
    /// A file with an API token that may issue enrolment tokens.
    #[arg(long, value_name = "FILE")]
    token: PathBuf,
    /// The minute of the day at which the run begins.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..1_440))]
    minute: u64,
    /// Also tell what probes, sensors, capture, applications and detectors tell.
    #[arg(long)]
    full: bool,
    /// Minutes of a past that the agents could not tell of when it was, to be filled in once they are connected.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1_440))]
    past: u64,
    /// Minutes between two samples of that past.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    past_each: u64,
}

/// Which pages, and where their past goes.
#[derive(Debug, Clone, Args)]
struct PagesArgs {
    /// Where the centre serves its API, without TLS.
    #[arg(long, value_name = "HOST:PORT")]
    api: String,
    /// A file with an API token that may read metrics.
    #[arg(long, value_name = "FILE")]
    token: PathBuf,
    /// A Prometheus that takes remote write.
    #[arg(long, value_name = "HOST:PORT")]
    write: String,
    /// Minutes of past.
    #[arg(long, default_value_t = 1_440, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    minutes: u64,
    /// Minutes between two values of it.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    each: u64,
    /// The minute of the day that it is in the simulated country.
    #[arg(long, default_value_t = 600)]
    minute: u64,
    /// Minutes in which what the centre counts came to be as much as it is.
    #[arg(long, default_value_t = 1_440, value_parser = clap::value_parser!(u64).range(1..))]
    grew: u64,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Sites(it) => {
            let csv = sites::csv(&it.sites());
            stdout().write_all(csv.as_bytes()).context("the sites cannot be printed")
        }
        Command::Assets(it) => {
            stdout().write_all(sites::assets(&it.sites()).as_bytes()).context("the books cannot be printed")
        }
        Command::Run(it) => run::run(&it),
        Command::Pages(it) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (series, samples) = runtime.block_on(pages::write(&it))?;
            truth::say(&serde_json::json!({"series": series, "samples": samples}));
            Ok(())
        }
        Command::Digest { export } => {
            let file = File::open(&export).with_context(|| export.display().to_string())?;
            truth::say(&truth::Held::read(BufReader::with_capacity(1 << 20, file))?.told());
            Ok(())
        }
    }
}
