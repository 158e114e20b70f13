//! Where log lines go.

use std::io::IsTerminal as _;

use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::LogConfig;

/// Starts logging to standard error. A second call has no effect: whoever embeds the daemon logs himself.
pub fn start(config: &LogConfig) {
    let filter: Targets = config.filter.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    // Colours are for people: a file or a journal would keep their codes.
    let colours = std::io::stderr().is_terminal();
    let registry = tracing_subscriber::registry().with(filter);
    let started = if config.json {
        registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init()
    } else {
        registry.with(fmt::layer().with_writer(std::io::stderr).with_ansi(colours)).try_init()
    };
    // Only fails when somebody started logging before.
    let _ = started;
}
