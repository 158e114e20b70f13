//! A question of the centre for a capture file.

use onenet_topology::Timestamp;
use onenet_wire::CaptureQuery;
use serde::{Deserialize, Serialize};

/// A question of the centre for a capture file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedCapture {
    /// Who asked, by the name that the centre knows.
    pub principal: String,
    /// Why, in his own words.
    pub reason: String,
    /// When, on the agent's clock.
    pub time: Timestamp,
    /// Which file.
    pub file: String,
    /// How much of it went out.
    pub bytes: u64,
    /// Why it was not answered, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl AskedCapture {
    pub(super) fn new(asked: &CaptureQuery, now: Timestamp) -> Self {
        Self {
            principal: asked.asker.principal.clone(),
            reason: asked.asker.reason.clone(),
            time: now,
            file: asked.file.clone(),
            bytes: 0,
            error: None,
        }
    }

    /// Returns whether this is the question, whatever part of the file it is for.
    pub(super) fn is(&self, asked: &CaptureQuery) -> bool {
        self.principal == asked.asker.principal && self.reason == asked.asker.reason && self.file == asked.file
    }

    pub(super) fn answered(&mut self, outcome: &Result<Vec<u8>, String>) {
        match outcome {
            Ok(part) => {
                self.bytes = self.bytes.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
                self.error = None;
            }
            Err(error) => self.error = Some(error.clone()),
        }
    }
}
