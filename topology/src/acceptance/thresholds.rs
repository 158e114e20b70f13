//! What a test holds its values against.

use serde::{Deserialize, Serialize};

/// What values are held against, and over how long they are measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Minutes before the test whose windows count.
    pub minutes: u16,
    /// Windows of a way that there must be in that time.
    pub windows_min: u32,
    /// The most that may be lost over a way.
    pub loss_percent: f64,
    /// The longest mean round trip over a way.
    pub round_trip_ms: f64,
    /// The greatest mean jitter over a way.
    pub jitter_ms: f64,
    /// The least score of speech and video: 3.6 is where some users are dissatisfied (ITU-T G.107, annex B).
    pub media_score: f64,
    /// Terminals whose addresses are to be of the plan.
    pub terminals_in_plan_percent: f64,
    /// How far the agent's clock may be off.
    pub clock_offset_ms: f64,
    /// The most history batches that may wait at the agent.
    pub history_waiting: f64,
    /// How long ago the agent may have been heard last.
    pub last_heard_ms: f64,
    /// The most frames that capture may lose.
    pub capture_loss_percent: f64,
    /// Devices of the site that are to answer.
    pub devices_answer_percent: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            minutes: 15,
            windows_min: 5,
            loss_percent: 1.0,
            round_trip_ms: 100.0,
            jitter_ms: 30.0,
            media_score: 3.6,
            terminals_in_plan_percent: 95.0,
            clock_offset_ms: 5_000.0,
            history_waiting: 20.0,
            last_heard_ms: 60_000.0,
            capture_loss_percent: 1.0,
            devices_answer_percent: 100.0,
        }
    }
}
