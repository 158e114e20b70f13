//! What units and inspectors do with a sheet.
//!
//! Invariant: whatever is not allowed is refused and changes nothing; whatever is done is a step of the story, with all that was said, so that
//! an answer that was replaced can still be read.

use serde::{Deserialize, Serialize};

use super::{
    Campaign, Compliance, EVIDENCE_MAX, FINDINGS_MAX, FindingState, Observation, STEPS_MAX, Sheet, SheetAnswer,
    SheetFinding, SheetStep, TEXT_CHARS_MAX, is_text,
};
use crate::{SiteId, Timestamp};

/// What can be done with a sheet. Stored in the log, so variants and fields are added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SheetAction {
    /// The unit answers an item, for the first time or anew.
    Answer {
        /// Which.
        item: u16,
        /// How far it complies.
        verdict: Compliance,
        /// In words; may be empty where what is known speaks for itself.
        text: String,
        /// What it shows for it.
        evidence: Vec<String>,
        /// What is known of the requirement.
        observed: Vec<Observation>,
    },
    /// The inspector finds something.
    Find {
        /// Under which item.
        item: u16,
        /// What.
        text: String,
        /// By when it is to be mended.
        due: Timestamp,
    },
    /// The unit says that a finding is mended.
    Mend {
        /// Which.
        finding: u16,
        /// How.
        text: String,
    },
    /// The inspector checks a finding again.
    Recheck {
        /// Which.
        finding: u16,
        /// Whether it is in order.
        passed: bool,
        /// What was seen.
        text: String,
        /// Where it is not in order: by when it is to be mended, if that changes.
        due: Option<Timestamp>,
    },
}

/// Who acts, and when.
#[derive(Debug, Clone, Copy)]
pub struct Acted<'a> {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub by: &'a str,
}

/// Why it cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// The campaign is over.
    #[error("the inspection is closed: nothing more is answered or found in it")]
    Closed,
    /// The site is none of the campaign's units.
    #[error("{0} is not asked in this inspection: see onenetd inspections show")]
    NotAsked(SiteId),
    /// There is no such item.
    #[error("there is no item {0}: the checklist is numbered from 1")]
    Item(u16),
    /// There is no such finding.
    #[error("there is no finding {0}: findings of a unit are numbered from 1")]
    Finding(u16),
    /// It is not in the state for it.
    #[error("finding {number} is {state}: {remedy}")]
    State {
        /// Which.
        number: u16,
        /// Its state.
        state: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
    /// The text cannot be used.
    #[error("say what there is to say, in at most {TEXT_CHARS_MAX} characters")]
    Text,
    /// The evidence cannot be used.
    #[error("give at most {EVIDENCE_MAX} pieces of evidence of at most {TEXT_CHARS_MAX} characters each")]
    Evidence,
    /// The time is past.
    #[error("{0} is over: give a time that is still to come")]
    Past(Timestamp),
    /// There is no room for more.
    #[error("the sheet of this unit is full: close the inspection, and open another where there is more to say")]
    Full,
}

impl SheetAction {
    /// The names of the actions.
    pub const NAMES: [&str; 4] = ["answer", "find", "mend", "recheck"];

    /// Returns its name in the API and in the story.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "answer",
            Self::Find { .. } => "find",
            Self::Mend { .. } => "mend",
            Self::Recheck { .. } => "recheck",
        }
    }

    /// Returns whether the unit does it, and not the inspector.
    pub const fn is_of_unit(&self) -> bool {
        matches!(self, Self::Answer { .. } | Self::Mend { .. })
    }

    /// Returns what it says, in one text.
    pub fn said(&self) -> String {
        match self {
            Self::Answer { verdict, text, evidence, .. } => {
                let said = [verdict.name(), text.trim()].into_iter().chain(evidence.iter().map(String::as_str));
                said.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ")
            }
            Self::Find { text, .. } | Self::Mend { text, .. } => text.trim().to_owned(),
            Self::Recheck { passed, text, .. } => {
                format!("{} · {}", if *passed { "passed" } else { "not_passed" }, text.trim())
            }
        }
    }

    fn check(&self, now: Timestamp) -> Result<(), SheetError> {
        let (text, due) = match self {
            Self::Answer { text, evidence, observed, .. } => {
                if evidence.len() > EVIDENCE_MAX || !evidence.iter().all(|it| is_text(it, TEXT_CHARS_MAX)) {
                    return Err(SheetError::Evidence);
                }
                (if text.trim().is_empty() && !observed.is_empty() { "-" } else { text.as_str() }, None)
            }
            Self::Find { text, due, .. } => (text.as_str(), Some(*due)),
            Self::Mend { text, .. } => (text.as_str(), None),
            Self::Recheck { text, due, .. } => (text.as_str(), *due),
        };
        if !is_text(text, TEXT_CHARS_MAX) {
            return Err(SheetError::Text);
        }
        due.filter(|due| *due <= now).map_or(Ok(()), |past| Err(SheetError::Past(past)))
    }
}

impl Campaign {
    /// Returns the sheet of a unit once somebody has done this with it; `sheet` is the one that it has, if it has one.
    ///
    /// # Errors
    /// It cannot be done; the sheet stays as it is.
    pub fn act(
        &self,
        site: SiteId,
        sheet: Option<&Sheet>,
        action: &SheetAction,
        acted: Acted<'_>,
    ) -> Result<Sheet, SheetError> {
        if !self.is_open() {
            return Err(SheetError::Closed);
        }
        if !self.plan.units.contains(&site) {
            return Err(SheetError::NotAsked(site));
        }
        action.check(acted.time)?;
        let mut next = sheet.cloned().unwrap_or_else(|| Sheet::blank(self.id, site));
        if next.steps.len() >= STEPS_MAX {
            return Err(SheetError::Full);
        }
        let item = self.acted(&mut next, action, acted)?;
        let (time, by, did) = (acted.time, acted.by.to_owned(), action.name().to_owned());
        next.steps.push(SheetStep { time, by, did, item, text: action.said() });
        Ok(next)
    }

    /// Changes a sheet, and returns the item that it was about.
    fn acted(&self, next: &mut Sheet, action: &SheetAction, acted: Acted<'_>) -> Result<u16, SheetError> {
        let known = |item: u16| self.plan.item(item).map(|_| item).ok_or(SheetError::Item(item));
        match action {
            SheetAction::Answer { item, verdict, text, evidence, observed } => {
                let (verdict, text, by) = (*verdict, text.trim().to_owned(), acted.by.to_owned());
                let (evidence, observed, time) = (evidence.clone(), observed.clone(), acted.time);
                next.answers.insert(known(*item)?, SheetAnswer { verdict, text, evidence, observed, time, by });
                Ok(*item)
            }
            SheetAction::Find { item, text, due } => {
                if next.findings.len() >= FINDINGS_MAX {
                    return Err(SheetError::Full);
                }
                let (item, text, due) = (known(*item)?, text.trim().to_owned(), *due);
                next.findings.push(SheetFinding { item, text, due, state: FindingState::Open });
                Ok(item)
            }
            SheetAction::Mend { finding, .. } => {
                let it = found(next, *finding)?;
                if it.state != FindingState::Open {
                    return Err(state(*finding, it, "what is open is mended"));
                }
                it.state = FindingState::Mended;
                Ok(it.item)
            }
            SheetAction::Recheck { finding, passed, due, .. } => {
                let it = found(next, *finding)?;
                if it.state == FindingState::Closed {
                    return Err(state(*finding, it, "note a new finding where there is one"));
                }
                it.state = if *passed { FindingState::Closed } else { FindingState::Open };
                it.due = due.unwrap_or(it.due);
                let item = it.item;
                if due.is_some() {
                    next.late.remove(finding);
                }
                Ok(item)
            }
        }
    }
}

fn found(sheet: &mut Sheet, number: u16) -> Result<&mut SheetFinding, SheetError> {
    let at = usize::from(number).checked_sub(1);
    at.and_then(|at| sheet.findings.get_mut(at)).ok_or(SheetError::Finding(number))
}

const fn state(number: u16, finding: &SheetFinding, remedy: &'static str) -> SheetError {
    SheetError::State { number, state: finding.state.name(), remedy }
}
