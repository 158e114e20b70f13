//! Inspection campaigns as the API tells of them.
//!
//! Invariant: of the units of a campaign only those whose sheets the caller may read are shown, and counted.

use onenet_topology::{
    SiteId,
    campaign::{
        Campaign, CampaignEnd, CheckItem, Observation, Requirement, Sheet, SheetAnswer, SheetFinding, SheetStep,
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::{access::View, observed::observed};

/// An inspection campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InspectionBody {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// The site that inspects; `null` where that may not be seen.
    pub site: Option<String>,
    /// When it was opened.
    pub opened: String,
    /// Who opened it.
    pub by: String,
    /// By when units are to answer.
    pub due: String,
    /// Items of its checklist.
    pub items: usize,
    /// Units that are asked, as far as the caller may see them, as in what follows.
    pub units: usize,
    /// Units that answered every item.
    pub answered: usize,
    /// Findings that are to be mended or checked again.
    pub findings_open: usize,
    /// Units of which an answer, or the mending of a finding, is overdue.
    pub overdue: usize,
    /// How it ended; `null` while it is open.
    pub closed: Option<InspectionEndBody>,
}

/// How an inspection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InspectionEndBody {
    /// When.
    pub time: String,
    /// Who closed it.
    pub by: String,
    /// What there was to say of it.
    pub text: String,
}

/// An inspection campaign with its checklist and its units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InspectionDetailBody {
    /// The campaign.
    #[serde(flatten)]
    pub inspection: InspectionBody,
    /// What is asked, in order.
    pub checklist: Vec<CheckItemBody>,
    /// Who is asked, and how far each is.
    pub asked: Vec<UnitBody>,
}

/// One thing that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckItemBody {
    /// Its number, from 1.
    pub number: u16,
    /// In words; may be empty where it is a requirement.
    pub text: String,
    /// The monitoring requirement of the third grade that it is about: `links`, `equipment`, `devices`, `outward`, `attacks` or
    /// `records`.
    pub requirement: Option<&'static str>,
}

/// How far a unit is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnitBody {
    /// The unit.
    pub site: String,
    /// Its division code.
    pub code: Option<String>,
    /// Items that it answered.
    pub answered: usize,
    /// Findings that are to be mended or checked again.
    pub findings_open: usize,
    /// Whether something of it is overdue.
    pub overdue: bool,
}

/// What one unit answered, and what was found there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SheetBody {
    /// The inspection.
    pub inspection: String,
    /// The unit.
    pub site: String,
    /// The checklist with what is known now, and the answers.
    pub items: Vec<SheetItemBody>,
    /// What inspectors found.
    pub findings: Vec<SheetFindingBody>,
    /// What happened, oldest first.
    pub steps: Vec<SheetStepBody>,
}

/// An item of a unit's sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SheetItemBody {
    /// What is asked.
    #[serde(flatten)]
    pub item: CheckItemBody,
    /// What is known of the requirement at the unit now: it goes with an answer without anybody writing it.
    pub observed: Vec<ObservationBody>,
    /// The unit's newest answer.
    pub answer: Option<SheetAnswerBody>,
}

/// One thing that is known of a requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ObservationBody {
    /// What, such as `devices_up` (`count` of `of`), `off` (detector `kind` at `count` sites) or `since` (`time`).
    pub is: &'static str,
    /// Whether it is something that is not seen.
    pub blind: bool,
    /// The kind of anomaly.
    pub kind: Option<String>,
    /// How many.
    pub count: Option<u64>,
    /// Of how many; of `cases`: how many of them are open.
    pub of: Option<u64>,
    /// When.
    pub time: Option<String>,
}

/// An answer of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SheetAnswerBody {
    /// `fulfilled`, `partly`, `not_fulfilled` or `not_applicable`, by the unit's own word.
    pub verdict: &'static str,
    /// In words.
    pub text: String,
    /// What it shows for it.
    pub evidence: Vec<String>,
    /// What was known when it answered.
    pub observed: Vec<ObservationBody>,
    /// When.
    pub time: String,
    /// Who answered.
    pub by: String,
}

/// Something that an inspector found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SheetFindingBody {
    /// Its number, from 1.
    pub number: u16,
    /// Under which item.
    pub item: u16,
    /// What.
    pub text: String,
    /// By when it is to be mended.
    pub due: String,
    /// `open`, `mended` (by the unit's word: to be checked again) or `closed`.
    pub state: &'static str,
}

/// Something that happened to a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SheetStepBody {
    /// When.
    pub time: String,
    /// Who did it.
    pub by: String,
    /// `answer`, `find`, `mend` or `recheck`.
    pub did: String,
    /// The item that it was about.
    pub item: u16,
    /// In words.
    pub text: String,
}

impl InspectionBody {
    /// Returns a campaign as the view shows it.
    pub fn of(view: &View, campaign: &Campaign) -> Self {
        let plan = &campaign.plan;
        let units: Vec<_> = view.units_of(campaign).map(|(_, sheet)| campaign.progress(sheet, view.now())).collect();
        let end =
            |it: &CampaignEnd| InspectionEndBody { time: time(it.time), by: it.by.clone(), text: it.text.clone() };
        Self {
            id: campaign.id.to_string(),
            title: plan.title.clone(),
            site: view.site(plan.site).map(|it| it.id.to_string()),
            opened: time(campaign.opened),
            by: campaign.by.clone(),
            due: time(plan.due),
            items: plan.checklist.len(),
            units: units.len(),
            answered: units.iter().filter(|it| it.answered == plan.checklist.len()).count(),
            findings_open: units.iter().map(|it| it.findings_open).sum(),
            overdue: units.iter().filter(|it| it.is_overdue).count(),
            closed: campaign.closed.as_ref().map(end),
        }
    }
}

impl InspectionDetailBody {
    /// Returns a campaign with its units as the view shows it.
    pub fn of(view: &View, campaign: &Campaign) -> Self {
        let unit = |(site, sheet): (SiteId, Option<&Sheet>)| {
            let progress = campaign.progress(sheet, view.now());
            UnitBody {
                site: site.to_string(),
                code: view.site(site).map(|it| it.code(view.now()).to_owned()),
                answered: progress.answered,
                findings_open: progress.findings_open,
                overdue: progress.is_overdue,
            }
        };
        Self {
            inspection: InspectionBody::of(view, campaign),
            checklist: campaign.plan.items().map(|(number, it)| CheckItemBody::of(number, it)).collect(),
            asked: view.units_of(campaign).map(unit).collect(),
        }
    }
}

impl CheckItemBody {
    fn of(number: u16, item: &CheckItem) -> Self {
        Self { number, text: item.text.clone(), requirement: item.requirement.map(Requirement::name) }
    }
}

impl SheetBody {
    /// Returns the sheet of a unit as the view shows it, `None` where it may not be read.
    pub fn of(view: &View, campaign: &Campaign, site: SiteId) -> Option<Self> {
        let (_, sheet) = view.units_of(campaign).find(|(unit, _)| *unit == site)?;
        let answer = |number| sheet.and_then(|it| it.answers.get(&number)).map(SheetAnswerBody::of);
        let items = campaign.plan.items().map(|(number, item)| SheetItemBody {
            item: CheckItemBody::of(number, item),
            observed: known(view, item, site).iter().map(ObservationBody::of).collect(),
            answer: answer(number),
        });
        let findings = sheet.into_iter().flat_map(|it| &it.findings);
        Some(Self {
            inspection: campaign.id.to_string(),
            site: site.to_string(),
            items: items.collect(),
            findings: (1..).zip(findings).map(|(number, it)| SheetFindingBody::of(number, it)).collect(),
            steps: sheet.into_iter().flat_map(|it| &it.steps).map(SheetStepBody::of).collect(),
        })
    }
}

/// Returns what is known now of what an item asks of a unit.
pub(crate) fn known(view: &View, item: &CheckItem, site: SiteId) -> Vec<Observation> {
    let Some((requirement, site)) = item.requirement.zip(view.site(site)) else { return Vec::new() };
    observed(view, requirement, &[site]).into_iter().map(|it| it.observation).collect()
}

impl ObservationBody {
    fn of(it: &Observation) -> Self {
        let Observation { is, kind, count, of, time: at } = it.clone();
        Self { is: is.name(), blind: is.is_blind(), kind, count, of, time: at.map(time) }
    }
}

impl SheetAnswerBody {
    fn of(it: &SheetAnswer) -> Self {
        Self {
            verdict: it.verdict.name(),
            text: it.text.clone(),
            evidence: it.evidence.clone(),
            observed: it.observed.iter().map(ObservationBody::of).collect(),
            time: time(it.time),
            by: it.by.clone(),
        }
    }
}

impl SheetFindingBody {
    fn of(number: u16, it: &SheetFinding) -> Self {
        Self { number, item: it.item, text: it.text.clone(), due: time(it.due), state: it.state.name() }
    }
}

impl SheetStepBody {
    fn of(it: &SheetStep) -> Self {
        let SheetStep { time: at, by, did, item, text } = it.clone();
        Self { time: time(at), by, did, item, text }
    }
}
