//! The command `onenet-agent`.

use std::process::ExitCode;

use clap::Parser;
use onenet_agent::cli::{Cli, chain};

fn main() -> ExitCode {
    onenet_wire::tls::install();
    match Cli::parse().execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let message = format!("onenet-agent: {}\n", chain(error.as_ref()));
            // Nowhere else to say it when standard error is gone.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes());
            ExitCode::FAILURE
        }
    }
}
