//! The status document: how the agent is doing, as a file for whoever stands beside the box.
//!
//! Invariant: the file is replaced as a whole, so that a reader never sees half of it; the agent opens no port for this.
//! Format: JSON, a contract described in README.md. Fields are added, never renamed or removed.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use onenet_topology::{
    Timestamp,
    fact::{ConditionKind, ReachState},
};
use serde::{Deserialize, Serialize};

pub use crate::{
    asked::{AskedCapture, AskedFlows},
    durable::DocumentError,
    flow_log::FlowLogStatus,
    probing::ProbeStatus,
    reflecting::ReflectorStatus,
    traps::TrapCounts,
};

use crate::durable;

/// The file within the data folder.
const FILE: &str = "status.json";

/// Version of the format.
pub const FORMAT: u32 = 1;

/// How often the file may be missed before it counts as stale, and the slack on top of it, in milliseconds.
const MISSED_MAX: i64 = 3;
const SLACK_MS: i64 = 10_000;

/// How the agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the format.
    pub format: u32,
    /// Version of the agent.
    pub version: String,
    /// When this was written, on the agent's clock.
    pub written: Timestamp,
    /// How often it is written, in seconds.
    pub every_s: u64,
    /// When the agent started.
    pub started: Timestamp,
    /// When the agent was stopped; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Timestamp>,
    /// The agent's process.
    pub pid: u32,
    /// The agent's identity.
    pub agent: String,
    /// The site's identity.
    pub site: String,
    /// The site's name as the centre has it.
    pub site_name: Option<String>,
    /// The line to the centre.
    pub centre: CentreStatus,
    /// The configuration in force.
    pub configuration: ConfigurationStatus,
    /// What waits on disk.
    pub spool: SpoolSummary,
    /// How many devices are polled.
    pub devices_total: u64,
    /// The devices, those with trouble first; at most [`DEVICES_LISTED_MAX`].
    pub devices: Vec<DeviceStatus>,
    /// The interfaces listened on.
    pub interfaces: Vec<InterfaceStatus>,
    /// Whether it is to listen on every interface that is up.
    #[serde(default)]
    pub interfaces_auto: bool,
    /// What the centre asked this site's flows for: by whom, when and why, the newest question first.
    #[serde(default)]
    pub flows_asked: Vec<AskedFlows>,
    /// Which capture files the centre asked for: by whom, when and why, the newest question first.
    #[serde(default)]
    pub captures_asked: Vec<AskedCapture>,
    /// What is probed.
    #[serde(default)]
    pub probes: Vec<ProbeStatus>,
    /// The reflector; absent where others' test packets are not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reflector: Option<ReflectorStatus>,
    /// What came of traps and informs; absent where none are listened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traps: Option<TrapStatus>,
    /// The flow log; absent where flows are not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_log: Option<FlowLogStatus>,
    /// What keeps the agent from its work.
    pub conditions: Vec<ConditionStatus>,
}

/// The most devices that the document lists.
pub const DEVICES_LISTED_MAX: usize = 500;

/// The line to the centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CentreStatus {
    /// Host and port.
    pub address: String,
    /// Whether the line is up.
    pub connected: bool,
    /// Since when it is so.
    pub since: Timestamp,
    /// Why the line is down.
    pub error: Option<String>,
    /// How far the agent's clock is ahead of the centre's, in milliseconds.
    pub clock_ahead_ms: Option<i64>,
    /// Bytes of messages sent since the agent started, by kind.
    #[serde(default)]
    pub sent_bytes: BTreeMap<String, u64>,
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationStatus {
    /// The centre's revision of the site's part; 0 is the agent's own file.
    pub revision: u64,
    /// Whether it is on trial: taken back when the centre is lost by it.
    pub on_trial: bool,
}

/// What waits on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolSummary {
    /// Facts that hold now.
    pub facts: u64,
    /// Facts that wait to be sent.
    pub state_waiting: u64,
    /// Batches of history that wait to be acknowledged.
    pub history_batches: u64,
    /// Their size.
    pub history_bytes: u64,
    /// Samples and events that caps cost since the agent started.
    pub lost_items: u64,
    /// Batches that the centre refused since the agent started.
    #[serde(default)]
    pub refused_batches: u64,
    /// Size on disk.
    pub disk_bytes: u64,
    /// Whether the disk takes no more.
    pub disk_full: bool,
}

/// What came of traps and informs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapStatus {
    /// Where they are heard.
    pub listen: std::net::SocketAddr,
    /// What became of them since the agent started.
    #[serde(flatten)]
    pub counts: TrapCounts,
}

/// A device that is polled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// The agent's name of it.
    pub name: String,
    /// Address and port.
    pub target: String,
    /// Whether it answers; absent before the first poll.
    pub reach: Option<ReachState>,
    /// What was tried and what came of it.
    pub detail: String,
    /// Since when it is so.
    pub since: Option<Timestamp>,
    /// When the last cycle began.
    pub last_cycle: Option<Timestamp>,
    /// How long it took.
    pub last_cycle_ms: Option<u64>,
    /// Cycles skipped since those before took too long.
    pub late_cycles: u64,
    /// How many times as long the intervals of dear tables are, since the device answers more slowly than it used to; 1: as
    /// configured.
    #[serde(default = "as_configured")]
    pub slowed: u32,
    /// What was read last.
    pub tables: Vec<TableStatus>,
}

/// What was read of a device's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStatus {
    /// Which.
    pub table: String,
    /// Facts in it.
    pub rows: u64,
    /// Rows left out; `inspect` tells why.
    pub dropped: u64,
    /// When it was read.
    pub read: Timestamp,
}

/// An interface that is listened on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceStatus {
    /// Its name.
    pub name: String,
    /// Whether it is listened on.
    pub listening: bool,
    /// Since when it is so.
    pub since: Timestamp,
    /// Why it is not listened on.
    pub error: Option<String>,
    /// Frames taken since the agent started.
    pub frames: u64,
    /// Frames that the kernel dropped.
    pub frames_dropped: u64,
    /// Frames of which the last bytes are missing.
    #[serde(default)]
    pub frames_cut: u64,
    /// Frames that could not be decoded, by reason; reasons without any are left out.
    #[serde(default)]
    pub undecoded: BTreeMap<String, u64>,
    /// Bytes of the frames taken.
    #[serde(default)]
    pub octets: u64,
    /// Bytes of payload that TCP connections carried.
    #[serde(default)]
    pub tcp_octets: u64,
    /// Bytes of payload that were acknowledged and never captured.
    #[serde(default)]
    pub tcp_octets_missed: u64,
    /// Finished flows that were dropped before they could be kept.
    #[serde(default)]
    pub flows_lost: u64,
    /// Endpoints that had to leave the table for others.
    #[serde(default)]
    pub endpoints_evicted: u64,
    /// Established flows that were closed to make room.
    #[serde(default)]
    pub flows_evicted: u64,
    /// Flows that were closed to make room because their source held more than its share of the table, established or not.
    #[serde(default)]
    pub flows_evicted_over_share: u64,
    /// Endpoints known.
    pub endpoints: u64,
}

/// Something that keeps the agent from its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionStatus {
    /// What is wrong.
    pub kind: ConditionKind,
    /// With what.
    pub subject: String,
    /// What happened and what to do about it.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
}

/// What the file tells whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Liveness {
    /// The agent runs.
    Running,
    /// It was stopped.
    Stopped,
    /// The file is older than it may be: the agent died, hangs, or cannot write.
    Stale {
        /// How old the file is, in seconds.
        age_s: u64,
    },
}

/// The status cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// There is no file.
    #[error(
        "there is no status in {}: no agent has run there yet; start it (systemctl start onenet-agent), or give its data folder \
         with --data",
        data.display()
    )]
    Missing {
        /// The data folder.
        data: PathBuf,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The file cannot be written.
    #[error("the status cannot be written to {}: check the folder's owner and the disk's space", data.display())]
    Write {
        /// The data folder.
        data: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

const fn as_configured() -> u32 {
    1
}

impl Status {
    /// Writes the document into the data folder.
    ///
    /// # Errors
    ///
    /// The file cannot be written; the old one is still there.
    pub fn write(&self, data: &Path) -> Result<(), StatusError> {
        let failed = |source| StatusError::Write { data: data.to_owned(), source };
        let text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        durable::replace(&data.join(FILE), &text, durable::Sync::No).map_err(failed)
    }

    /// Reads the document in the data folder, and tells whether the agent that wrote it runs at `now` of the wall clock.
    ///
    /// # Errors
    ///
    /// There is no document, or it cannot be read.
    pub fn read(data: &Path, now: Timestamp) -> Result<(Self, Liveness), StatusError> {
        let file = data.join(FILE);
        let missing = || StatusError::Missing { data: data.to_owned() };
        let status: Self = durable::document(&file)?.ok_or_else(missing)?;
        // The file's own time and `now` are of one clock; the agent's may have been set since it started.
        let modified = fs::metadata(&file).and_then(|found| found.modified());
        let modified = modified.map_err(|source| DocumentError::Read { file, source })?;
        let modified_ms = modified.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let age_ms = now.unix_ms().saturating_sub(i64::try_from(modified_ms).unwrap_or(i64::MAX));
        let liveness = status.liveness(age_ms);
        Ok((status, liveness))
    }

    /// Returns whether the agent runs, when the document is `age_ms` old.
    pub fn liveness(&self, age_ms: i64) -> Liveness {
        let allowed_ms = i64::try_from(self.every_s).unwrap_or(i64::MAX).saturating_mul(1_000 * MISSED_MAX);
        match self.stopped {
            Some(_) => Liveness::Stopped,
            None if age_ms > allowed_ms.saturating_add(SLACK_MS) => {
                Liveness::Stale { age_s: u64::try_from(age_ms / 1_000).unwrap_or(0) }
            }
            None => Liveness::Running,
        }
    }
}
