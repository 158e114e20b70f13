//! What the detectors of a site's agents do: the last sample of each agent.
//!
//! Invariant: it follows from samples and adds nothing to what the estate says; after a start it is empty until agents sample again.
//! A site has [`AGENTS_MAX`] agents here at most, the one that was silent longest gives way.

use std::collections::BTreeMap;

use onenet_topology::{AgentId, Timestamp, anomaly::DetectionSample, fact::HistoryBody};

use super::{SampleBlock, captures::CAPTURE_FRESH_MS};

const AGENTS_MAX: usize = 64;

/// The last samples of a site's agents.
#[derive(Debug, Clone, Default)]
pub struct Detectors(BTreeMap<AgentId, Running>);

/// What the detectors of one agent do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// When that was told.
    pub time: Timestamp,
    /// What they did since they run.
    pub sample: DetectionSample,
}

impl Detectors {
    /// Returns what the detectors of each agent do, as far as that is the present.
    pub fn running(&self, now: Timestamp) -> impl Iterator<Item = (AgentId, &Running)> {
        self.0.iter().filter(move |(_, it)| now.ms_since(it.time) <= CAPTURE_FRESH_MS).map(|(agent, it)| (*agent, it))
    }

    /// Takes in the samples of a batch.
    pub(super) fn take(&mut self, block: &SampleBlock) {
        for item in &block.items {
            let HistoryBody::Detection(sample) = &item.body else { continue };
            if self.0.get(&block.agent).is_some_and(|held| held.time > item.time) {
                continue;
            }
            self.0.insert(block.agent, Running { time: item.time, sample: sample.clone() });
            if self.0.len() > AGENTS_MAX {
                let silent = self.0.iter().min_by_key(|(_, it)| it.time).map(|(agent, _)| *agent);
                silent.and_then(|agent| self.0.remove(&agent));
            }
        }
    }
}
