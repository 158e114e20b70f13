//! What is to leave the centre because something happened: messages, each with an id of its own.
//!
//! Invariant: a message is planned with what caused it, is on disk in the same atomic batch, and says what was so then. Its id goes
//! with it wherever it is sent and however often, so that whoever has it twice can tell.
//!
//! It does not know who wants which message, in which form it is sent, nor whether it was.

use std::fmt;

use onenet_topology::{
    SiteId, Timestamp,
    campaign::{Campaign, SheetFinding},
    case::{Case, CaseStep, EscalationReason, Issuer},
    contact::ContactBook,
    incident::{Incident, Severity},
};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A case was opened, or opened again since it came back.
    CaseOpened,
    /// The responsible unit was notified.
    CaseNotified,
    /// The responsible unit answered.
    CaseAnswered,
    /// The responsible unit was given its answer back.
    CaseReturned,
    /// What is due was not done.
    CaseOverdue,
    /// A case went up since nobody did what was due.
    CaseEscalated,
    /// A case was closed.
    CaseClosed,
    /// An incident began.
    IncidentOpened,
    /// An incident is over.
    IncidentClosed,
    /// An inspection was opened: units are asked.
    InspectionOpened,
    /// Units did not answer an inspection in time, or did not mend what was found.
    InspectionOverdue,
}

/// The kind of thing that a message about an inspection is about.
pub const INSPECTION: &str = "inspection";
/// Units that the text of a message counts up.
const NAMED_MAX: usize = 20;

/// The identity of a message: the record that caused it, and which of the record's messages it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId {
    /// The position of the record.
    pub position: u64,
    /// From 0.
    pub ordinal: u32,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its identity.
    pub id: MessageId,
    /// What happened.
    pub what: What,
    /// When.
    pub time: Timestamp,
    /// To what: the id of the case or the incident.
    pub about: String,
    /// The site that it is filed under.
    pub site: SiteId,
    /// What kind of thing.
    pub kind: String,
    /// About whom or what.
    pub subject: String,
    /// How grave it is.
    pub grade: Severity,
    /// How far it is, by its name in the API.
    pub state: String,
    /// Whether it is a drill.
    pub drill: bool,
    /// The site that was notified, or that it went up to.
    pub to: Option<SiteId>,
    /// The number of the notice.
    pub notice: Option<String>,
    /// By when the next step is due.
    pub due: Option<Timestamp>,
    /// Who did it; `None` where the centre did.
    pub by: Option<String>,
    /// In words, as somebody wrote them.
    pub text: String,
    /// Who issued the notice, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Issuer>,
    /// The addresses of mail of the contacts of the site that was notified or that it went up to, once each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Which sites it concerns beside these: the units of an inspection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<SiteId>,
}

impl What {
    /// Everything that can happen.
    pub const ALL: [Self; 11] = [
        Self::CaseOpened,
        Self::CaseNotified,
        Self::CaseAnswered,
        Self::CaseReturned,
        Self::CaseOverdue,
        Self::CaseEscalated,
        Self::CaseClosed,
        Self::IncidentOpened,
        Self::IncidentClosed,
        Self::InspectionOpened,
        Self::InspectionOverdue,
    ];

    /// Returns the name used in the configuration and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CaseOpened => "case_opened",
            Self::CaseNotified => "case_notified",
            Self::CaseAnswered => "case_answered",
            Self::CaseReturned => "case_returned",
            Self::CaseOverdue => "case_overdue",
            Self::CaseEscalated => "case_escalated",
            Self::CaseClosed => "case_closed",
            Self::IncidentOpened => "incident_opened",
            Self::IncidentClosed => "incident_closed",
            Self::InspectionOpened => "inspection_opened",
            Self::InspectionOverdue => "inspection_overdue",
        }
    }

    /// Returns whether it is told where nobody says what is: what people have to do something about. Of incidents alerts tell.
    pub const fn is_usual(self) -> bool {
        !matches!(self, Self::IncidentOpened | Self::IncidentClosed)
    }

    /// Returns whether the contacts of the site that it goes to are told: what that site is to do.
    const fn is_for_contacts(self) -> bool {
        matches!(self, Self::CaseNotified | Self::CaseReturned | Self::CaseOverdue | Self::CaseEscalated)
    }

    /// Returns what a step of a case is to others, `None` where it concerns nobody else.
    fn of_step(did: &str) -> Option<Self> {
        match did {
            "opened" | "recurred" => Some(Self::CaseOpened),
            "notify" => Some(Self::CaseNotified),
            "answer" => Some(Self::CaseAnswered),
            "return" => Some(Self::CaseReturned),
            "overdue" => Some(Self::CaseOverdue),
            "escalated" => Some(Self::CaseEscalated),
            "close" => Some(Self::CaseClosed),
            _ => None,
        }
    }
}

/// Returns the addresses of mail of a site's contacts, once each.
fn addresses(contacts: &ContactBook, site: SiteId) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for contact in contacts.of(site).iter().filter(|it| !it.email.is_empty()) {
        if !found.contains(&contact.email) {
            found.push(contact.email.clone());
        }
    }
    found
}

impl Message {
    /// Returns what is to be told of a case that is now like this: of its steps behind the first `told` ones.
    pub fn of_case(case: &Case, told: usize, id: MessageId, contacts: &ContactBook) -> Vec<Self> {
        let steps = case.steps.iter().skip(told);
        let news = steps.filter_map(|step| What::of_step(&step.did).map(|what| (what, step)));
        let ids = (id.ordinal..).map(|ordinal| MessageId { ordinal, ..id });
        ids.zip(news).map(|(id, (what, step))| Self::of_step(case, (what, step), id, contacts)).collect()
    }

    fn of_step(case: &Case, (what, step): (What, &CaseStep), id: MessageId, contacts: &ContactBook) -> Self {
        let notice = step.notice.and_then(|number| case.numbered(number)).or_else(|| case.notice());
        let to = match what {
            What::CaseEscalated => case.escalations.last().map(|it| it.to),
            // Who is late: the unit, where it was to answer.
            What::CaseOverdue if step.text != EscalationReason::NotAnswered.name() => None,
            What::CaseNotified | What::CaseAnswered | What::CaseReturned | What::CaseOverdue => notice.map(|it| it.to),
            _ => None,
        };
        let issued = notice.filter(|_| matches!(what, What::CaseNotified | What::CaseReturned));
        Self {
            id,
            what,
            time: step.time,
            about: case.id.to_string(),
            site: case.key.site,
            kind: case.key.kind.clone(),
            subject: case.key.subject.clone(),
            grade: case.grade,
            state: step.state.name().to_owned(),
            drill: case.key.drill,
            to,
            notice: notice.map(|it| it.number.to_string()),
            // What a site is told of a notice is due when that is, whatever of other sites is due before.
            due: issued.map(|it| it.due).or(case.due),
            by: step.by.clone(),
            text: step.text.clone(),
            issuer: issued.and_then(|it| it.issuer.clone()),
            contacts: to.filter(|_| what.is_for_contacts()).map(|to| addresses(contacts, to)).unwrap_or_default(),
            concerns: Vec::new(),
        }
    }

    /// Returns what is to be told of an incident that was not known, or was open, and is now like this. What falls into a planned
    /// maintenance is no news.
    pub fn of_incident(
        known: Option<&Incident>,
        (incident, drill): (&Incident, bool),
        subject: String,
        id: MessageId,
    ) -> Option<Self> {
        let (was_open, is_open) = (known.is_some_and(Incident::is_open), incident.is_open());
        let what = match (known, was_open, is_open) {
            (None, _, true) => What::IncidentOpened,
            (Some(_), true, false) => What::IncidentClosed,
            _ => return None,
        };
        incident.planned.is_none().then(|| Self {
            id,
            what,
            time: incident.closed.map_or(incident.since, |(at, _)| at),
            about: incident.id.to_string(),
            site: incident.site,
            kind: incident.kind.name().to_owned(),
            subject,
            grade: incident.severity,
            state: if is_open { "open" } else { "closed" }.to_owned(),
            drill,
            to: None,
            notice: None,
            due: None,
            by: None,
            text: String::new(),
            issuer: None,
            contacts: Vec::new(),
            concerns: Vec::new(),
        })
    }

    /// Returns what is to be told of an inspection that was opened: once, to whoever looks after any of its units.
    pub fn of_inspection(campaign: &Campaign, id: MessageId) -> Self {
        Self {
            id,
            what: What::InspectionOpened,
            time: campaign.opened,
            about: campaign.id.to_string(),
            site: campaign.plan.site,
            kind: INSPECTION.to_owned(),
            subject: campaign.plan.title.clone(),
            grade: Severity::General,
            state: "open".to_owned(),
            drill: false,
            to: None,
            notice: None,
            due: Some(campaign.plan.due),
            by: Some(campaign.by.clone()),
            text: String::new(),
            issuer: None,
            contacts: Vec::new(),
            concerns: campaign.plan.units.iter().copied().collect(),
        }
    }

    /// Returns what is to be told of units that did not answer in time: it goes up to the site above them, `site`. They are told of by names.
    pub fn of_late_units(
        campaign: &Campaign,
        (site, now): (SiteId, Timestamp),
        units: Vec<(SiteId, String)>,
        id: MessageId,
    ) -> Self {
        let (units, names): (Vec<SiteId>, Vec<String>) = units.into_iter().unzip();
        let named = names.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join("、");
        Self {
            what: What::InspectionOverdue,
            time: now,
            site,
            state: "overdue".to_owned(),
            by: None,
            text: format!("{}: {named}", units.len()),
            concerns: units,
            ..Self::of_inspection(campaign, id)
        }
    }

    /// Returns what is to be told of something that was found at a unit and not mended in time: it goes up to the site above, `to`.
    pub fn of_late_finding(
        campaign: &Campaign,
        (site, to, now): (SiteId, Option<SiteId>, Timestamp),
        finding: &SheetFinding,
        id: MessageId,
    ) -> Self {
        Self {
            what: What::InspectionOverdue,
            time: now,
            site,
            to,
            state: "overdue".to_owned(),
            due: Some(finding.due),
            by: None,
            text: finding.text.clone(),
            concerns: Vec::new(),
            ..Self::of_inspection(campaign, id)
        }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message-{:x}-{}", self.position, self.ordinal)
    }
}
