//! The command `onenet-agent`.

use std::process::ExitCode;

use clap::Parser;
use onenet_agent::cli::{Cli, chain};

/// A poll makes and drops a thousand small vectors and some large ones, which glibc's allocator takes a fifth of the
/// agent's time for, and musl's more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
