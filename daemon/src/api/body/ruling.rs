//! Rulings: what operators say of two things that may be one.

use onenet_topology::EndpointId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time;
use crate::{api::Problem, estate::Ruling, record::RulingVerdict};

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 200;

/// A ruling of two things that may be one: accounts of devices, or endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleBody {
    /// The other one: its id. A device stands for its oldest account.
    pub other: String,
    /// `same`, `different`, or `by_evidence`, which takes a ruling back.
    pub verdict: String,
    /// Why: 1 to 200 characters on one line.
    pub reason: String,
}

/// What an operator ruled of two endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RulingBody {
    /// The one: its id.
    pub one: String,
    /// The other: its id.
    pub other: String,
    /// `same` or `different`.
    pub verdict: &'static str,
    /// Who ruled.
    pub by: String,
    /// When.
    pub time: String,
    /// Why.
    pub reason: String,
}

impl RuleBody {
    /// Returns what is ruled, and why.
    ///
    /// # Errors
    /// The verdict is none, or the reason cannot be used.
    pub fn read(&self) -> Result<(RulingVerdict, String), Problem> {
        let reason = self.reason.trim().to_owned();
        if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX || reason.chars().any(char::is_control) {
            return Err(Problem::parameter("reason", "cannot be used: write 1 to 200 characters on one line"));
        }
        let verdict = RulingVerdict::ALL.into_iter().find(|it| it.name() == self.verdict);
        let verdict =
            verdict.ok_or_else(|| Problem::parameter("verdict", "is none: write same, different or by_evidence"))?;
        Ok((verdict, reason))
    }
}

impl RulingBody {
    /// Returns what is shown of a ruling of these two.
    pub fn of(one: EndpointId, other: EndpointId, ruling: &Ruling) -> Self {
        Self {
            one: one.to_string(),
            other: other.to_string(),
            verdict: if ruling.same { "same" } else { "different" },
            by: ruling.by.to_string(),
            time: time(ruling.time),
            reason: ruling.reason.clone(),
        }
    }
}
