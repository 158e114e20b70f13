//! `onenet-agent replay`.

use std::path::PathBuf;

use ipnetwork::IpNetwork;
use onenet_capture::replay::{ReplayOptions, replay};

use super::output;
use crate::render;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Capture files, pcap or pcapng, one after the other through one pipeline.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A prefix on the captured segment: sources of IP packets from it are bound to their MAC. May be repeated.
    #[arg(long, value_name = "PREFIX")]
    local: Vec<IpNetwork>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    let mut options = ReplayOptions::default();
    options.pipeline.local.clone_from(&arguments.local);
    let result = replay(&arguments.files, &options);
    // What was read is shown also when a file breaks off; the exit status tells.
    let nothing_read = result.frames.seen == 0 && result.errors.len() == arguments.files.len();
    if !nothing_read && arguments.json {
        output::json(&result)?;
    } else if !nothing_read {
        output::text(&render::replay(&result))?;
    }
    anyhow::ensure!(result.errors.is_empty(), "{}", result.errors.join("\n"));
    Ok(())
}
