//! The `onenetd` command: only wires. What it has beyond the library is `quickstart`, the one place where an agent runs in
//! the daemon's process; the library knows no agent.

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};
use onenetd::cli;

mod papers;
mod quickstart;

/// A great many small values come and go on several threads: `./tests/bench country` says what this one is worth.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The centre of onenet: takes in what agents report, knows every terminal and where it is, and shows it.
#[derive(Debug, Parser)]
#[command(name = "onenetd", version, arg_required_else_help = true)]
#[command(max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch this machine's own network at once: centre and agent in one process, with generated keys.
    Quickstart(quickstart::Arguments),
    /// Write manuals and completions for shells of both programs, for packages.
    #[command(hide = true)]
    Papers(papers::Arguments),
    #[command(flatten)]
    Centre(cli::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    onenet_wire::tls::install();
    let done: anyhow::Result<()> = match cli.command {
        Command::Quickstart(arguments) => quickstart::run(arguments).await.map_err(Into::into),
        Command::Papers(arguments) => papers::run(&arguments).map_err(Into::into),
        Command::Centre(command) => cli::run(command).await.map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// Returns whether nobody reads the output any more. A line to the centre that broke is something else.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let output = error.downcast_ref::<cli::CommandError>();
    matches!(output, Some(cli::CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe)
}

/// Prints the error and its causes on one line each; a cause that the line before told already is not said again.
#[expect(clippy::print_stderr, reason = "the one message that a failed command gives")]
fn report(error: &dyn std::error::Error) {
    eprintln!("onenetd: {error}");
    let (mut said, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        let message = error.to_string();
        if !said.contains(&message) {
            eprintln!("  because {message}");
        }
        (said, cause) = (message, error.source());
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn only_a_reader_that_left_ends_a_command_without_a_word() {
        let output = |kind: io::ErrorKind| cli::CommandError::from(io::Error::from(kind)).into();
        assert!(is_broken_pipe(&output(io::ErrorKind::BrokenPipe)));
        assert!(!is_broken_pipe(&output(io::ErrorKind::StorageFull)));
        assert!(!is_broken_pipe(&io::Error::from(io::ErrorKind::BrokenPipe).into()));
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
