//! A switch whose counters are a known function of time, so that each sample says when it was truly taken.
//!
//! `tests/lab/sawtooth.py` is the agent: an SNMP v2c responder of its own, sharing no code with the product.
//! Invariant: port 1's `ifHCInOctets` is the wall clock in milliseconds since [`Sawtooth::start`] was called, modulo
//! `period_ms` (it falls back to 0 as after a reset); every other port's is the same without the modulo. Port 2 is marked as watched.

use std::path::Path;

use anyhow::{Context, Result};
use onenet_topology::MacAddr;

use super::{
    netns::Node,
    process::{Process, START_WITHIN},
};
use crate::clock;

/// The community it answers to.
pub const COMMUNITY: &str = "sawtooth";

/// What the switch looks like.
#[derive(Debug, Clone)]
pub struct Sawtooth {
    /// Address it answers at, port 161.
    pub address: String,
    /// Its sysName.
    pub name: String,
    /// Its own MAC address; port MACs follow from it.
    pub mac: MacAddr,
    /// Number of ports; port n has ifIndex 100 + n and ifName `GigabitEthernet0/0/n`, bridge port n.
    pub ports: u16,
    /// Forwarding rows: MAC and port.
    pub forwarding: Vec<(MacAddr, u16)>,
    /// After how many milliseconds port 1's counter falls back to 0.
    pub period_ms: u64,
}

/// A running sawtooth switch.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub process: Process,
    epoch_ms: i64,
    period_ms: i64,
}

impl Sawtooth {
    /// Starts the agent.
    ///
    /// # Errors
    ///
    /// python3 is not installed, or the address is not on the node.
    pub fn start(&self, node: &Node) -> Result<Running> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/sawtooth.py");
        let epoch_ms = clock::unix_ms();
        let forwarding: Vec<_> = self.forwarding.iter().map(|(mac, port)| format!("{mac}={port}")).collect();
        let mut command = node.command("python3");
        command.arg("-u").arg(script).args(["--address", &self.address, "--community", COMMUNITY]);
        command.args(["--name", &self.name, "--mac", &self.mac.to_string(), "--ports", &self.ports.to_string()]);
        command.args(["--epoch-ms", &epoch_ms.to_string(), "--period-ms", &self.period_ms.to_string()]);
        command.args(["--forwarding", &forwarding.join(",")]);
        let mut process = Process::start(node, &self.name, command)?;
        process.says("listening", START_WITHIN)?;
        let period_ms = i64::try_from(self.period_ms).context("period")?;
        Ok(Running { process, epoch_ms, period_ms })
    }
}

impl Running {
    /// Returns when the sample `octets` of a port other than 1 was truly taken, in Unix milliseconds.
    ///
    /// # Errors
    ///
    /// The value is beyond what a clock can show.
    pub fn taken_at_ms(&self, octets: u64) -> Result<i64> {
        Ok(self.epoch_ms + i64::try_from(octets).context("not a value of this counter")?)
    }

    /// Returns what port 1's counter showed at a Unix time in milliseconds.
    pub fn port_1_at(&self, unix_ms: i64) -> i64 {
        (unix_ms - self.epoch_ms).rem_euclid(self.period_ms)
    }
}
