//! `onenet-agent run`.

use std::{io::IsTerminal as _, path::Path};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::{Opened, config::Config};

/// Threads that run tasks: a county's box has two cores or one, and a province's agent spends its time waiting.
const WORKERS: usize = 1;

/// Threads that wait for the disk: the spool takes one at a time, the status and interfaces a moment now and then.
const BLOCKING_MAX: usize = 8;

/// The environment variable that says what is logged, such as `info,onenet_agent=debug`.
const LOG_VARIABLE: &str = "ONENET_LOG";

pub(super) fn execute(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    log();
    // Before there is a second thread.
    let opened = Opened::then_give_up(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING_MAX)
        .enable_all()
        .build()
        .context("the threads of the agent cannot be started")?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        stop_on_signals(&shutdown).context("the agent cannot listen for signals")?;
        crate::run_with(config, opened, shutdown).await.map_err(anyhow::Error::from)
    })
}

/// Stops on SIGTERM and SIGINT.
fn stop_on_signals(shutdown: &CancellationToken) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        shutdown.cancel();
    });
    Ok(())
}

/// Logs to standard error.
fn log() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // It fails when the embedding process logs already, which is right.
    let _ = format.with_ansi(std::io::stderr().is_terminal()).try_init();
}
