//! Acceptance tests.

use onenet_topology::{
    SiteId,
    acceptance::{Acceptance, Check, Thresholds, Verdict},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{given, time};
use crate::access::View;

/// What a test is held against; what is left out is as the centre's configuration has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ThresholdsBody {
    /// Minutes before the test whose measurements count, 1 to 60; 15 by default.
    pub minutes: Option<u16>,
    /// Windows of a way that there must be in that time; 5 by default.
    pub windows_min: Option<u32>,
    /// The most that may be lost over a way; 1 by default.
    pub loss_percent: Option<f64>,
    /// The longest mean round trip; 100 by default.
    pub round_trip_ms: Option<f64>,
    /// The greatest mean jitter; 30 by default.
    pub jitter_ms: Option<f64>,
    /// The least score of a call, 1 to 4.5; 3.6 by default (ITU-T G.107).
    pub media_score: Option<f64>,
    /// Terminals whose addresses are of the plan; 95 by default.
    pub terminals_in_plan_percent: Option<f64>,
    /// How far the agent's clock may be off; 5000 by default.
    pub clock_offset_ms: Option<f64>,
    /// History batches that may wait at the agent; 20 by default.
    pub history_waiting: Option<f64>,
    /// How long ago the agent may have been heard; 60000 by default.
    pub last_heard_ms: Option<f64>,
    /// Frames that capture may lose; 1 by default.
    pub capture_loss_percent: Option<f64>,
    /// Devices that are to answer; 100 by default.
    pub devices_answer_percent: Option<f64>,
}

/// A check of a test.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckBody {
    /// What it is about: `connectivity`, `quality`, `media`, `name_service`, `address_plan` or `agent`.
    #[schema(value_type = String)]
    pub group: onenet_topology::acceptance::CheckGroup,
    /// What was checked, such as `round_trip`.
    #[schema(value_type = String)]
    pub check: onenet_topology::acceptance::CheckKind,
    /// Of what: the upper site of a way, an agent, a probe; `null` of the site as a whole.
    pub subject: Option<String>,
    /// `passed`, `failed` or `not_measured`.
    pub verdict: &'static str,
    /// What was found.
    pub value: Option<f64>,
    /// What it was held against.
    pub threshold: Option<f64>,
    /// Whether the value is to be at least the threshold, and not at most.
    pub at_least: bool,
    /// What both count: `percent`, `milliseconds`, `count`, `score` or `none`.
    #[schema(value_type = String)]
    pub unit: onenet_topology::acceptance::Unit,
    /// Why, where the value does not say, such as `no_probe`.
    #[schema(value_type = Option<String>)]
    pub reason: Option<onenet_topology::acceptance::Reason>,
    /// What the one that tells says, in its words.
    pub detail: Option<String>,
}

/// Who signed a test off.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SignatureBody {
    /// When.
    pub time: String,
    /// Under whose access.
    pub by: String,
    /// The person.
    pub person: String,
    /// What the person adds.
    pub note: String,
}

/// A test that was run.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AcceptanceBody {
    /// Its id.
    pub id: String,
    /// The site.
    pub site: String,
    /// When it was run.
    pub time: String,
    /// Who ran it.
    pub by: String,
    /// `passed`, `failed`, or `not_measured` where nothing failed and something could not be told.
    pub verdict: &'static str,
    /// Checks that passed.
    pub passed: usize,
    /// Checks that failed.
    pub failed: usize,
    /// Checks that could not be told.
    pub not_measured: usize,
    /// Who signed it off; `null` where nobody did.
    pub signed: Option<SignatureBody>,
}

/// A test with all of its checks.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AcceptanceDetailBody {
    /// In short.
    #[serde(flatten)]
    pub acceptance: AcceptanceBody,
    /// What it was held against.
    pub thresholds: ThresholdsBody,
    /// Each check.
    pub checks: Vec<CheckBody>,
}

impl ThresholdsBody {
    /// Returns these where they are given, and the others where not; what makes no sense is named.
    ///
    /// # Errors
    /// Returns the name of a threshold that makes no sense.
    pub fn over(self, others: &Thresholds) -> Result<Thresholds, &'static str> {
        let minutes = self.minutes.unwrap_or(others.minutes);
        if !(1..=60).contains(&minutes) {
            return Err("minutes");
        }
        let number = |name, given: Option<f64>, other: f64| match given {
            Some(given) if !given.is_finite() || given < 0.0 => Err(name),
            given => Ok(given.unwrap_or(other)),
        };
        Ok(Thresholds {
            minutes,
            windows_min: self.windows_min.unwrap_or(others.windows_min).max(1),
            loss_percent: number("loss_percent", self.loss_percent, others.loss_percent)?,
            round_trip_ms: number("round_trip_ms", self.round_trip_ms, others.round_trip_ms)?,
            jitter_ms: number("jitter_ms", self.jitter_ms, others.jitter_ms)?,
            media_score: number("media_score", self.media_score, others.media_score)?,
            terminals_in_plan_percent: number(
                "terminals_in_plan_percent",
                self.terminals_in_plan_percent,
                others.terminals_in_plan_percent,
            )?,
            clock_offset_ms: number("clock_offset_ms", self.clock_offset_ms, others.clock_offset_ms)?,
            history_waiting: number("history_waiting", self.history_waiting, others.history_waiting)?,
            last_heard_ms: number("last_heard_ms", self.last_heard_ms, others.last_heard_ms)?,
            capture_loss_percent: number(
                "capture_loss_percent",
                self.capture_loss_percent,
                others.capture_loss_percent,
            )?,
            devices_answer_percent: number(
                "devices_answer_percent",
                self.devices_answer_percent,
                others.devices_answer_percent,
            )?,
        })
    }
}

impl From<&Thresholds> for ThresholdsBody {
    fn from(it: &Thresholds) -> Self {
        Self {
            minutes: Some(it.minutes),
            windows_min: Some(it.windows_min),
            loss_percent: Some(it.loss_percent),
            round_trip_ms: Some(it.round_trip_ms),
            jitter_ms: Some(it.jitter_ms),
            media_score: Some(it.media_score),
            terminals_in_plan_percent: Some(it.terminals_in_plan_percent),
            clock_offset_ms: Some(it.clock_offset_ms),
            history_waiting: Some(it.history_waiting),
            last_heard_ms: Some(it.last_heard_ms),
            capture_loss_percent: Some(it.capture_loss_percent),
            devices_answer_percent: Some(it.devices_answer_percent),
        }
    }
}

impl CheckBody {
    fn of(view: &View, check: &Check) -> Self {
        Self {
            group: check.kind.group(),
            check: check.kind,
            subject: subject(view, check),
            verdict: check.verdict.name(),
            value: check.value,
            threshold: check.threshold,
            at_least: check.kind.is_at_least(),
            unit: check.kind.unit(),
            reason: check.reason,
            detail: given(&check.detail),
        }
    }
}

/// Returns what a check is of, where the view shows it: the upper site of a way may be hidden.
pub(crate) fn subject(view: &View, check: &Check) -> Option<String> {
    match check.subject.parse::<SiteId>() {
        Ok(site) => view.site(site).map(|site| site.id.to_string()),
        Err(_) => given(&check.subject),
    }
}

impl AcceptanceBody {
    /// Returns a test in short.
    pub fn of(it: &Acceptance) -> Self {
        let signed = it.signed.as_ref().map(|signed| SignatureBody {
            time: time(signed.time),
            by: signed.by.clone(),
            person: signed.person.clone(),
            note: signed.note.clone(),
        });
        Self {
            id: it.id.to_string(),
            site: it.tested.site.to_string(),
            time: time(it.time),
            by: it.by.clone(),
            verdict: it.tested.verdict().name(),
            passed: it.tested.count(Verdict::Passed),
            failed: it.tested.count(Verdict::Failed),
            not_measured: it.tested.count(Verdict::NotMeasured),
            signed,
        }
    }
}

impl AcceptanceDetailBody {
    /// Returns a test with all of its checks, as the view shows them.
    pub fn of(view: &View, it: &Acceptance) -> Self {
        Self {
            acceptance: AcceptanceBody::of(it),
            thresholds: (&it.tested.thresholds).into(),
            checks: it.tested.checks.iter().map(|check| CheckBody::of(view, check)).collect(),
        }
    }
}
