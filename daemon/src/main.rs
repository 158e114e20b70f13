//! The `onenetd` command: only wires.

use std::process::ExitCode;

use clap::Parser as _;
use onenetd::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    onenet_wire::tls::install();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints the error and its causes on one line each.
#[expect(clippy::print_stderr, reason = "the one message that a failed command gives")]
fn report(error: &dyn std::error::Error) {
    eprintln!("onenetd: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because {error}");
        cause = error.source();
    }
}
