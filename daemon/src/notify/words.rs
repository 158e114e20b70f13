//! What a message says to people, in one language.
//!
//! Invariant: a drill says so first. Sites are named as they are called now.

use onenet_topology::{
    SiteId,
    case::{EscalationReason, Issuer},
};

use crate::{
    console::{
        Language, latin, moment,
        text::{self, Text},
        words,
    },
    estate::Estate,
    outbox::{Message, What},
};

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// In one line.
    pub(super) title: String,
    /// What there is to know beside it, by line.
    pub(super) lines: Vec<String>,
    /// The site by name.
    pub(super) site: String,
    /// The site by its code.
    pub(super) code: String,
}

impl Words {
    /// Puts a message into words.
    pub(super) fn of(language: Language, message: &Message, estate: &Estate) -> Self {
        let say = |text: Text| language.of(text);
        let name = |id| name(language, estate, id);
        let (site, code) = name(message.site);
        let drill = if message.drill { format!("[{}] ", say(text::CASE_DRILL)) } else { String::new() };
        let kind = words::case_kind(language, &message.kind);
        let (grade, what) = (say(words::severity(message.grade)), say(what(message.what)));
        let title = format!("{drill}[{grade}] {what}: {kind} {} · {site}", message.subject);
        let mut lines = vec![format!("{}: {} · {}", say(text::NOTIFY_ABOUT), message.about, message.id)];
        let mut add = |label: Text, value: Option<String>| {
            lines.extend(value.filter(|it| !it.is_empty()).map(|value| format!("{}: {value}", say(label))));
        };
        add(text::CASE_NOTICE_NUMBER, message.notice.clone());
        let to = message.to.map(|id| name(id).0);
        let escalated = matches!(message.what, What::CaseEscalated | What::InspectionOverdue);
        let late = escalated || message.what == What::CaseOverdue;
        add(if escalated { text::CASE_ESCALATED_TO } else { text::CASE_NOTICE_TO }, to);
        add(text::CASE_DUE, message.due.map(moment));
        add(text::CASE_NOTICE_ISSUER, message.issuer.as_ref().map(|it| issuer(it, &|id| name(id).0)));
        add(text::CASE_BY, message.by.clone());
        let said = EscalationReason::ALL.into_iter().find(|it| late && it.name() == message.text);
        add(
            text::CASE_SAID,
            Some(said.map_or_else(|| message.text.clone(), |it| say(words::escalation(it)).to_owned())),
        );
        if matches!(message.what, What::CaseNotified | What::CaseReturned) {
            lines.push(say(text::CASE_NOTICE_ASK).to_owned());
        }
        Self { title, lines, site, code }
    }

    /// Returns all of it.
    pub(super) fn text(&self) -> String {
        self.lines.iter().fold(self.title.clone(), |text, line| text + "\n" + line)
    }
}

/// Returns an issuer in one line: unit, person, telephone.
fn issuer(it: &Issuer, name: &dyn Fn(SiteId) -> String) -> String {
    let parts = [it.unit.map(name).unwrap_or_default(), it.person.clone(), it.telephone.clone()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// Returns the name and the code of a site.
fn name(language: Language, estate: &Estate, id: SiteId) -> (String, String) {
    let Some(site) = estate.tree.get(id) else { return (id.to_string(), id.to_string()) };
    let name = site.name(estate.time);
    let name = if language == Language::Zh { name.zh.clone() } else { latin(name).into_owned() };
    (name, site.code(estate.time).to_owned())
}

const fn what(what: What) -> Text {
    match what {
        What::CaseOpened => text::NOTIFY_CASE_OPENED,
        What::CaseNotified => text::NOTIFY_CASE_NOTIFIED,
        What::CaseAnswered => text::NOTIFY_CASE_ANSWERED,
        What::CaseReturned => text::NOTIFY_CASE_RETURNED,
        What::CaseOverdue => text::NOTIFY_CASE_OVERDUE,
        What::CaseEscalated => text::NOTIFY_CASE_ESCALATED,
        What::CaseClosed => text::NOTIFY_CASE_CLOSED,
        What::IncidentOpened => text::NOTIFY_INCIDENT_OPENED,
        What::IncidentClosed => text::NOTIFY_INCIDENT_CLOSED,
        What::InspectionOpened => text::NOTIFY_INSPECTION_OPENED,
        What::InspectionOverdue => text::NOTIFY_INSPECTION_OVERDUE,
    }
}
