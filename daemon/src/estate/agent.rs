//! What the centre knows of an agent: who it is, how far its lanes are, what its clocks show, when it was last heard.
//!
//! Invariant: a lane's mark only moves forward within an epoch, and an epoch that was replaced never comes back, so that
//! no batch is applied twice (invariant 2). Times of batches are corrected by the centre's clock and never by the
//! agent's alone (invariant 4).

use onenet_topology::{AgentId, SiteId, Timestamp};
use onenet_wire::{Lane, Position, tls::Fingerprint};
use serde::{Deserialize, Serialize};

/// Retired epochs that a lane remembers; an agent retires one when it loses its spool.
pub const RETIRED_EPOCHS_MAX: usize = 32;
/// Boots whose tie to the centre's clock is remembered: enough for a spool of 7 days on a machine that restarts daily.
pub const BOOTS_MAX: usize = 16;

/// An enrolled agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its identity.
    pub id: AgentId,
    /// The site it reports for.
    pub site: SiteId,
    /// When it was enrolled.
    pub enrolled: Timestamp,
    /// Set when its certificate is no longer accepted.
    pub revoked: Option<Revocation>,
    /// Version of its program, as it said last.
    pub version: String,
    /// When it was heard.
    pub contact: Contact,
    /// What its clocks show.
    pub clock: AgentClock,
    /// Mark of the state lane.
    pub state: LaneMark,
    /// Mark of the history lane.
    pub history: LaneMark,
    /// Revision of the configuration in force there; 0 is the agent's own file.
    pub configuration_revision: u64,
    /// History batches it has not had acknowledged, as it said last.
    pub history_waiting: u64,
    /// The certificate that it showed last.
    #[serde(default)]
    pub certificate: Option<Certificate>,
    /// The last configuration of the centre that it refused.
    #[serde(default)]
    pub refused: Option<Refused>,
}

/// A certificate, as an agent showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its SHA-256.
    #[serde(with = "fingerprint")]
    pub fingerprint: Fingerprint,
    /// When it ends to be valid.
    pub expires: Timestamp,
}

/// A configuration that an agent did not take, or took back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its revision.
    pub revision: u64,
    /// When it said so.
    pub time: Timestamp,
    /// Why, in its own words.
    pub reason: String,
}

/// Why and when an agent was shut out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// When an agent was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contact {
    /// Since when its stream is open; `None` when it is not.
    pub connected_since: Option<Timestamp>,
    /// Its newest stream: position of the record of its last hello.
    #[serde(default)]
    pub stream: Option<u64>,
    /// Since when its stream is broken, where the centre saw it break.
    #[serde(default)]
    pub disconnected_since: Option<Timestamp>,
    /// When it last said anything.
    pub last_heard: Option<Timestamp>,
    /// Since when it is taken for silent: what only it watches is unknown since then (invariant 5).
    pub silent_since: Option<Timestamp>,
}

/// How far a lane is committed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LaneMark {
    /// The present epoch; `None` before the first batch.
    pub epoch: Option<u64>,
    /// The last committed sequence of the epoch.
    pub sequence: u64,
    /// When the last committed batch was closed, corrected.
    pub closed: Option<Timestamp>,
    /// Epochs that were replaced, oldest first.
    pub retired: Vec<u64>,
}

/// How an agent's clocks relate to the centre's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AgentClock {
    /// The boots it reported from, oldest first.
    pub boots: Vec<Boot>,
    /// By how many milliseconds its wall clock was ahead of the centre's when last compared.
    pub offset_ms: Option<i64>,
}

/// A boot of an agent's machine, tied to the centre's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// The kernel's boot id.
    pub id: [u8; 16],
    /// What the centre's clock showed when the boot clock stood at zero.
    pub zero: Timestamp,
    /// Whether that was measured on a stream of this boot; else it was guessed from the wall clock.
    pub measured: bool,
}

impl Agent {
    /// Returns an agent that was just enrolled and never heard.
    pub fn new(id: AgentId, site: SiteId, enrolled: Timestamp) -> Self {
        Self {
            id,
            site,
            enrolled,
            revoked: None,
            version: String::new(),
            contact: Contact::default(),
            clock: AgentClock::default(),
            state: LaneMark::default(),
            history: LaneMark::default(),
            configuration_revision: 0,
            history_waiting: 0,
            certificate: None,
            refused: None,
        }
    }

    /// Returns whether what it says counts as the present: it was heard, and is not silent.
    pub const fn is_heard(&self) -> bool {
        self.contact.last_heard.is_some() && self.contact.silent_since.is_none() && self.revoked.is_none()
    }

    /// Returns the mark of a lane.
    pub const fn lane(&self, lane: Lane) -> &LaneMark {
        match lane {
            Lane::State => &self.state,
            Lane::History => &self.history,
        }
    }

    /// Returns the mark of a lane, to be moved.
    pub const fn lane_mut(&mut self, lane: Lane) -> &mut LaneMark {
        match lane {
            Lane::State => &mut self.state,
            Lane::History => &mut self.history,
        }
    }

    /// Returns what is committed of each lane that has begun.
    pub fn committed(&self) -> Vec<Position> {
        let position = |lane: Lane| {
            let mark = self.lane(lane);
            mark.epoch.map(|epoch| Position { lane, epoch, sequence: mark.sequence })
        };
        Lane::ALL.into_iter().filter_map(position).collect()
    }
}

/// Fingerprints as they are written.
mod fingerprint {
    use onenet_wire::tls::Fingerprint;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(it: &Fingerprint, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(it)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fingerprint, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
