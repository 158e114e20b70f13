//! Recordings of real devices, served by snmpsim as the devices would.
//!
//! Invariant: the recording is PyPI's, untouched; the community chooses the file, as snmpsim does it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{netns::Node, process::Process};

/// snmpsim indexes a recording when it starts.
const INDEXED_WITHIN: Duration = Duration::from_secs(90);

/// Returns the Python environment that `./tests/run` makes.
pub fn venv() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/venv")
}

/// Starts a responder on `address:161` of a node that serves every recording of `data_dir` under its file name
/// without `.snmprec` as the community.
///
/// # Errors
///
/// snmpsim is not installed, or a recording cannot be indexed.
pub fn start(node: &Node, address: &str, data_dir: &Path) -> Result<Process> {
    let responder = venv().join("bin/snmpsim-command-responder");
    ensure!(responder.is_file(), "{} is missing: ./tests/run installs it", responder.display());
    let cache = node.dir().join("snmpsim-cache");
    let mut command = node.command(responder);
    command.arg("--data-dir").arg(data_dir).arg("--cache-dir").arg(cache);
    command.arg(format!("--agent-udpv4-endpoint={address}:161"));
    // Otherwise it changes to a user who cannot read the environment that root installed.
    command.args(["--process-user=root", "--process-group=root"]);
    let mut process = Process::start(node, "snmpsim", command)?;
    process.says("Listening at UDP/IPv4 endpoint", INDEXED_WITHIN).context("snmpsim")?;
    Ok(process)
}
