//! Inspection campaigns (安全检查): what a checklist asks of many units, what each answers and shows for it, what inspectors found, and whether
//! that was mended.
//!
//! Invariant: a campaign and the sheet of each of its units are rows of their own, so that an answer of one unit writes that unit's alone; a
//! unit without a sheet has not answered. A campaign is closed once no finding is open, and nothing changes afterwards. Nothing here looks at
//! a clock, knows who may do what, or judges whether a unit complies: people say so.

mod act;
mod late;
mod observed;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use act::{Acted, SheetAction, SheetError};
pub use late::OVERDUE;
pub use observed::{Observation, Observed, Requirement};

use crate::{CampaignId, SiteId, Timestamp};

/// Characters that a title may have.
pub const TITLE_CHARS_MAX: usize = 200;
/// Characters that an item, an answer, a piece of evidence or a finding may have.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Items of a checklist.
pub const ITEMS_MAX: usize = 100;
/// Units of a campaign: the whole country and half as much again.
pub const UNITS_MAX: usize = 5_000;
/// Pieces of evidence of an answer.
pub const EVIDENCE_MAX: usize = 20;
/// Findings of a sheet.
pub const FINDINGS_MAX: usize = 100;
/// Steps of a sheet's story.
pub const STEPS_MAX: usize = 500;

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its identity.
    pub id: CampaignId,
    /// What is asked, and when.
    pub plan: CampaignPlan,
    /// When it was opened.
    pub opened: Timestamp,
    /// Who opened it.
    pub by: String,
    /// How it ended, once it has.
    pub closed: Option<CampaignEnd>,
    /// When it was looked, and told, who had not answered in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_told: Option<Timestamp>,
}

/// What a campaign is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignPlan {
    /// The site that inspects.
    pub site: SiteId,
    /// What it is called.
    pub title: String,
    /// What is asked, in order; items are counted from 1.
    pub checklist: Vec<CheckItem>,
    /// Who is asked.
    pub units: BTreeSet<SiteId>,
    /// By when units are to answer.
    pub due: Timestamp,
}

/// One thing that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckItem {
    /// In words; may be empty where it is a requirement.
    pub text: String,
    /// The requirement that it is about: what is known of that goes with each answer.
    pub requirement: Option<Requirement>,
}

/// The end of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignEnd {
    /// When.
    pub time: Timestamp,
    /// Who closed it.
    pub by: String,
    /// What he says of it.
    pub text: String,
}

/// What a unit answered, and what was found there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Of which unit.
    pub site: SiteId,
    /// The newest answer to each item, by its number.
    pub answers: BTreeMap<u16, SheetAnswer>,
    /// What inspectors found, in order; findings are counted from 1.
    pub findings: Vec<SheetFinding>,
    /// What happened, oldest first.
    pub steps: Vec<SheetStep>,
    /// The findings that were told of as late, by number.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub late: BTreeSet<u16>,
}

/// An answer of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetAnswer {
    /// How far the unit complies, by its own word.
    pub verdict: Compliance,
    /// In words.
    pub text: String,
    /// What it shows for it: documents, records, photographs by name.
    pub evidence: Vec<String>,
    /// What was known of the requirement when it answered.
    pub observed: Vec<Observation>,
    /// When.
    pub time: Timestamp,
    /// Who answered.
    pub by: String,
}

/// Something that an inspector found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetFinding {
    /// Under which item.
    pub item: u16,
    /// What.
    pub text: String,
    /// By when it is to be mended.
    pub due: Timestamp,
    /// How far it is.
    pub state: FindingState,
}

/// How far something that was found is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// The unit is to mend it.
    Open,
    /// The unit says that it is mended: to be checked again.
    Mended,
    /// Checked again, and in order.
    Closed,
}

/// How far a unit complies with what an item asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compliance {
    /// 符合.
    Fulfilled,
    /// 部分符合.
    Partly,
    /// 不符合.
    NotFulfilled,
    /// 不适用.
    NotApplicable,
}

/// Something that happened to a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetStep {
    /// When.
    pub time: Timestamp,
    /// Who did it; empty where time did.
    pub by: String,
    /// The name of the action, or [`OVERDUE`].
    pub did: String,
    /// The item that it was about; 0 where it is about all.
    pub item: u16,
    /// In words.
    pub text: String,
}

/// How far a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SheetProgress {
    /// Items that it answered.
    pub answered: usize,
    /// Findings that are to be mended or checked again.
    pub findings_open: usize,
    /// Whether an answer, or the mending of a finding, was due before now.
    pub is_overdue: bool,
}

/// Why a campaign cannot be opened or closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    /// The title cannot be used.
    #[error("give the inspection a title of 1 to {TITLE_CHARS_MAX} characters")]
    Title,
    /// The checklist cannot be used.
    #[error(
        "give a checklist of 1 to {ITEMS_MAX} items, each with a requirement or a text of at most {TEXT_CHARS_MAX} characters"
    )]
    Checklist,
    /// The units cannot be used.
    #[error("name 1 to {UNITS_MAX} units, and not {0}")]
    Units(usize),
    /// The time is past.
    #[error("{0} is over: give a time that is still to come")]
    Past(Timestamp),
    /// It was closed before.
    #[error("the inspection was closed by {by} at {time}: open another")]
    Closed {
        /// By whom.
        by: String,
        /// When.
        time: Timestamp,
    },
    /// There is something left to check again.
    #[error(
        "findings that are open: {0}; check each again (onenetd inspections recheck) before the inspection is closed"
    )]
    FindingsOpen(usize),
    /// The text cannot be used.
    #[error("say what there is to say, in at most {TEXT_CHARS_MAX} characters")]
    Text,
}

impl CampaignPlan {
    /// Checks what a campaign is to be.
    ///
    /// # Errors
    /// It cannot be like this.
    pub fn check(&self, now: Timestamp) -> Result<(), CampaignError> {
        if !is_text(&self.title, TITLE_CHARS_MAX) {
            return Err(CampaignError::Title);
        }
        let is_item =
            |it: &CheckItem| is_text(&it.text, TEXT_CHARS_MAX) || it.text.trim().is_empty() && it.requirement.is_some();
        if !(1..=ITEMS_MAX).contains(&self.checklist.len()) || !self.checklist.iter().all(is_item) {
            return Err(CampaignError::Checklist);
        }
        if !(1..=UNITS_MAX).contains(&self.units.len()) {
            return Err(CampaignError::Units(self.units.len()));
        }
        if self.due <= now { Err(CampaignError::Past(self.due)) } else { Ok(()) }
    }

    /// Returns an item by its number, from 1.
    pub fn item(&self, number: u16) -> Option<&CheckItem> {
        self.checklist.get(usize::from(number).checked_sub(1)?)
    }

    /// Returns the items with their numbers.
    pub fn items(&self) -> impl Iterator<Item = (u16, &CheckItem)> {
        (1..).zip(&self.checklist)
    }
}

impl Campaign {
    /// Returns whether units can still answer.
    pub const fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Returns the campaign once somebody closed it. `open` are the findings of all its sheets that are open.
    ///
    /// # Errors
    /// It was closed before, something is open, or there is nothing said.
    pub fn close(&self, time: Timestamp, by: &str, text: &str, open: usize) -> Result<Self, CampaignError> {
        if let Some(end) = &self.closed {
            return Err(CampaignError::Closed { by: end.by.clone(), time: end.time });
        }
        if !is_text(text, TEXT_CHARS_MAX) {
            return Err(CampaignError::Text);
        }
        if open > 0 {
            return Err(CampaignError::FindingsOpen(open));
        }
        let closed = Some(CampaignEnd { time, by: by.to_owned(), text: text.trim().to_owned() });
        Ok(Self { closed, ..self.clone() })
    }

    /// Returns how far a unit is, by its sheet where it has one.
    pub fn progress(&self, sheet: Option<&Sheet>, now: Timestamp) -> SheetProgress {
        let answered = sheet.map_or(0, |it| it.answers.len());
        let findings = || sheet.into_iter().flat_map(|it| &it.findings);
        let late = |it: &SheetFinding| it.state == FindingState::Open && it.due < now;
        let is_late = answered < self.plan.checklist.len() && self.plan.due < now || findings().any(late);
        SheetProgress {
            answered,
            findings_open: findings().filter(|it| it.is_open()).count(),
            is_overdue: self.is_open() && is_late,
        }
    }
}

impl Sheet {
    /// Returns the sheet of a unit that has not answered.
    pub const fn blank(campaign: CampaignId, site: SiteId) -> Self {
        Self {
            campaign,
            site,
            answers: BTreeMap::new(),
            findings: Vec::new(),
            steps: Vec::new(),
            late: BTreeSet::new(),
        }
    }
}

impl CheckItem {
    /// Returns the monitoring requirements of the third grade, as a checklist.
    pub fn standard() -> Vec<Self> {
        Requirement::ALL.map(|it| Self { text: String::new(), requirement: Some(it) }).into()
    }
}

impl SheetFinding {
    /// Returns whether it is to be mended, or to be checked again.
    pub fn is_open(&self) -> bool {
        self.state != FindingState::Closed
    }
}

impl FindingState {
    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Mended => "mended",
            Self::Closed => "closed",
        }
    }
}

impl Compliance {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Fulfilled, Self::Partly, Self::NotFulfilled, Self::NotApplicable];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fulfilled => "fulfilled",
            Self::Partly => "partly",
            Self::NotFulfilled => "not_fulfilled",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// Returns whether something is said, in at most so many characters.
fn is_text(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.trim().chars().count())
}
