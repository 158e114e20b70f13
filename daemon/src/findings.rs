//! Findings: what the centre itself finds wrong in what it is told, as long as it is wrong.
//!
//! Invariant: one subject has at most one finding of a kind; a finding comes and goes with the evidence and keeps the
//! time since when it holds. Nothing here notifies anybody.

use onenet_topology::{AgentId, Timestamp};
use serde::{Deserialize, Serialize};

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// An agent's wall clock is wrong.
    ClockWrong,
    /// An agent reports more than the centre keeps of one: what is over is not taken in.
    CapacityReached,
}

impl FindingKind {
    /// Every kind, in order.
    pub const ALL: [Self; 2] = [Self::ClockWrong, Self::CapacityReached];

    /// Returns the name used in the API, in metrics and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClockWrong => "clock_wrong",
            Self::CapacityReached => "capacity_reached",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An agent.
    Agent(AgentId),
}

/// Names a finding within its site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingKey {
    /// What is wrong.
    pub kind: FindingKind,
    /// With what.
    pub subject: Subject,
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong, and with what.
    #[serde(flatten)]
    pub key: FindingKey,
    /// Since when.
    pub since: Timestamp,
    /// When it was last confirmed.
    pub confirmed: Timestamp,
    /// The evidence.
    pub evidence: Evidence,
}

/// Why a finding holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The agent's wall clock is ahead of the centre's by this many milliseconds (behind when negative).
    ClockOffset {
        /// By how much.
        offset_ms: i64,
    },
    /// There is no room for what an agent reports.
    Capacity {
        /// For what.
        what: Capacity,
        /// How many are held.
        held: u64,
        /// How many can be.
        limit: u64,
    },
}

/// What there can be too many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// Facts of one agent.
    Facts,
    /// Devices that one agent polls.
    Devices,
    /// Endpoints of the site.
    Endpoints,
}

impl Finding {
    /// Returns what happened and what to do about it.
    pub fn remedy(&self) -> String {
        match &self.evidence {
            Evidence::ClockOffset { offset_ms } => format!(
                "the agent's clock is {} s {}: check its time synchronisation (NTP) and its battery; times of its \
                 reports are corrected meanwhile",
                offset_ms.unsigned_abs() / 1000,
                if *offset_ms < 0 { "behind" } else { "ahead" },
            ),
            Evidence::Capacity { what, held, limit } => match what {
                Capacity::Endpoints => format!(
                    "the site holds {held} of at most {limit} endpoints, so new ones are not taken in: look for forged \
                     addresses, or raise inventory.endpoints_per_site in the centre's configuration"
                ),
                Capacity::Facts => format!(
                    "the agent holds {held} of at most {limit} facts, so new ones are not taken in: let another agent \
                     watch some of its devices, or find out what floods it"
                ),
                Capacity::Devices => {
                    format!("the agent polls {held} of at most {limit} devices: let another agent poll the others")
                }
            },
        }
    }
}
