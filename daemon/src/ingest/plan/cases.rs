//! Cases: what opens them, what people do with them, and what time does to them.
//!
//! Invariant: a case changes in the same batch as the command or the incident that changed it, so that a kill in between loses and
//! repeats nothing. Due dates are counted from the record's time (invariant 11). Only a person closes a case.

use std::sync::Arc;

use onenet_topology::{
    CaseId, Id, SiteId, Timestamp,
    case::{
        Acting, Case, CaseAction, CaseCause, CaseEvidence, CaseKey, NoticeNumber, SUBJECT_CHARS_MAX, Suppression,
        TEXT_CHARS_MAX, told,
    },
    coverage::Day,
    incident::{Incident, IncidentKind, Severity, Subject},
};

use super::{
    Draft, Outcome, Refusal,
    caps::{CASES_MAX, FILE_BYTES_MAX, KEPT_MS},
    command::{check_site, known_area},
};
use crate::{estate::Change, outbox::Message, record::Command};

/// Open cases of one site; beyond that one case tells that there are more, and anomalies stay in their own list.
const OPEN_PER_SITE_MAX: usize = 1_000;
/// Closed ones that one tick lets go.
const FORGOTTEN_PER_TICK: usize = 100;
/// Rules that can hold at a time.
const SUPPRESSIONS_MAX: usize = 2_000;
/// The least grade of an incident that opens a case by itself. About the others a person may open one.
const INCIDENT_GRADE_MIN: Severity = Severity::Considerable;

/// Takes in that there is something that deserves a person's time. Returns its case, `None` where that is over.
pub(super) fn tell(draft: &mut Draft<'_>, cause: CaseCause) -> Result<Option<CaseId>, Refusal> {
    let (mut cause, now) = (cause.bounded(), draft.record.time);
    let cases = &draft.next.cases;
    let is_new = !cause.key.drill && cases.of_key(&cause.key).is_none();
    if is_new && cases.open_at(cause.key.site).nth(OPEN_PER_SITE_MAX - 1).is_some() {
        cause = too_many(cause);
    }
    let rule = draft.next.silencing(&cause, now);
    let known = cases.of_key(&cause.key).cloned();
    let mut full = false;
    let deadlines = draft.policy.deadlines;
    let identity = || draft.id().map_err(|_| full = true).ok();
    let case = told(known.as_deref(), &cause, rule, now, &deadlines, identity);
    if full {
        return Err(Refusal::LogFull);
    }
    let Some(case) = case else { return Ok(known.map(|it| it.id)) };
    let id = case.id;
    put(draft, case);
    Ok(Some(id))
}

/// Opens the case of a drill; an earlier one of the same is another drill's.
pub(super) fn drilled(draft: &mut Draft<'_>, cause: CaseCause) -> Result<Option<CaseId>, Refusal> {
    let (cause, now) = (cause.bounded(), draft.record.time);
    let rule = draft.next.silencing(&cause, now);
    let id = draft.id()?;
    let case = told(None, &cause, rule, now, &draft.policy.deadlines, || Some(id));
    Ok(case.map(|case| {
        put(draft, case);
        id
    }))
}

/// Takes in what is told of a drill by now, as far as its case is not closed.
pub(super) fn drilled_again(draft: &mut Draft<'_>, case: CaseId, cause: &CaseCause) {
    let known = draft.next.cases.all.get(&case).filter(|case| case.state.verdict().is_none()).cloned();
    let deadlines = draft.policy.deadlines;
    let next = known.and_then(|it| told(Some(&it), cause, it.silenced_by, draft.record.time, &deadlines, || None));
    if let Some(next) = next {
        put(draft, next);
    }
}

/// Returns what is told in place of one case more than a site can have open.
fn too_many(left_out: CaseCause) -> CaseCause {
    let CaseKey { site, kind, subject, drill } = left_out.key;
    let key = CaseKey { site, kind: "too_many_cases".into(), subject: site.to_string(), drill };
    let evidence = vec![CaseEvidence::new("left_out", format!("{kind} {subject}"))];
    CaseCause {
        key,
        confidence: None,
        incident: None,
        source: None,
        destination: None,
        port: None,
        evidence,
        ..left_out
    }
}

/// Puts a case as it is now, and tells whoever outside is to know.
fn put(draft: &mut Draft<'_>, case: Case) {
    let told = draft.next.cases.all.get(&case.id).map_or(0, |known| known.steps.len());
    let contacts = Arc::clone(&draft.next.contacts);
    let messages = Message::of_case(&case, told, draft.message_id(), &contacts);
    draft.put(Change::Case(Arc::new(case)));
    draft.tell(messages);
}

/// Takes in an incident that is grave enough to be a case by itself, or that is one.
pub(super) fn of_incident(draft: &mut Draft<'_>, incident: &Incident) {
    let cause = incident_cause(incident);
    let is_grave = incident.severity >= INCIDENT_GRADE_MIN && incident.planned.is_none() && incident.is_open();
    let is_case = draft.next.cases.of_key(&cause.key).is_some_and(|case| case.incident == Some(incident.id));
    if is_grave || is_case {
        // Without a position left there is no record either.
        let _ = tell(draft, cause);
    }
}

/// Returns what an incident is of, in one text.
pub(super) fn subject_of(subject: &Subject) -> String {
    match subject {
        Subject::Link { child, parent } => format!("{child} {parent}"),
        Subject::Site(site) => site.to_string(),
        Subject::Agent(agent) => agent.to_string(),
        Subject::Device(device) => device.to_string(),
        Subject::Interface(interface) => interface.to_string(),
        Subject::Service(name) => name.to_string(),
        Subject::Centre => "centre".to_owned(),
    }
}

pub(super) fn incident_cause(incident: &Incident) -> CaseCause {
    let subject = subject_of(&incident.subject);
    let possible: Vec<&str> = incident.possible.iter().map(|it| it.name()).collect();
    let mut evidence = vec![
        CaseEvidence::new("incident", incident.id.to_string()),
        CaseEvidence::new("possible", possible.join(", ")),
        CaseEvidence::new("sites_affected", incident.affected.sites.len().to_string()),
    ];
    evidence.extend(incident.closed.map(|(at, _)| CaseEvidence::new("over", at.to_string())));
    let last = incident.closed.map_or(incident.updated, |(at, _)| at).max(incident.since);
    CaseCause {
        key: CaseKey { site: incident.site, kind: incident.kind.name().to_owned(), subject, drill: false },
        grade: incident.severity,
        confidence: None,
        first: incident.since,
        last,
        count: 1,
        incident: Some(incident.id),
        source: None,
        destination: None,
        port: None,
        evidence,
    }
}

/// Returns every kind of thing that a case can be about: what detectors find, what the centre concludes, what breaks.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    let at_sites = onenet_detection::Kind::ALL.iter().map(|it| it.name());
    let at_centre = onenet_detection::centre::ALL.iter().map(|it| it.name);
    at_sites.chain(at_centre).chain(IncidentKind::ALL.iter().map(|it| it.name()))
}

/// Checks a command about cases.
pub(super) fn check(draft: &Draft<'_>, command: &Command) -> Result<Outcome, Refusal> {
    let now = draft.record.time;
    match command {
        Command::OpenCase { site, incident } => {
            let known = draft.next.incidents.get(incident).filter(|it| it.site == *site);
            known.map(|_| Outcome::Accepted).ok_or(Refusal::UnknownIncident(*incident))
        }
        Command::Drill { site, kind, subject, text, began, .. } => {
            check_site(draft, *site)?;
            if !kinds().any(|known| known == kind) {
                return Err(Refusal::DrillKind(kind.clone()));
            }
            let is_text = |text: &str, max: usize| (1..=max).contains(&text.trim().chars().count());
            let said = is_text(subject, SUBJECT_CHARS_MAX) && is_text(text, TEXT_CHARS_MAX);
            if said && *began <= now { Ok(Outcome::Accepted) } else { Err(Refusal::Drill) }
        }
        Command::ActOnCase { site, case, action, notice } => {
            acted(draft, "", (*site, *notice), *case, action)?;
            let room = FILE_BYTES_MAX.saturating_sub(draft.next.cases.file_bytes);
            match action {
                CaseAction::AttachFile { file, .. } if file.bytes > room => Err(Refusal::FilesFull),
                _ => Ok(Outcome::Accepted),
            }
        }
        Command::Suppress { scope, owner, reason, until } => {
            Suppression::check(scope, (owner, reason), (now, *until)).map_err(Refusal::Suppression)?;
            if let Some(site) = scope.site {
                check_site(draft, site)?;
            }
            if let Some(area) = scope.area {
                known_area(draft, area)?;
            }
            if draft.next.cases.suppressions.values().filter(|rule| rule.is_on(now)).count() >= SUPPRESSIONS_MAX {
                return Err(Refusal::TooManySuppressions);
            }
            Ok(Outcome::Suppressed(Id::from_record(draft.record.position, 0).ok_or(Refusal::LogFull)?))
        }
        Command::EndSuppression { suppression } => {
            let known = draft.next.cases.suppressions.get(suppression);
            let known = known.ok_or(Refusal::UnknownSuppression(*suppression))?;
            if known.is_on(now) { Ok(Outcome::Accepted) } else { Err(Refusal::SuppressionOver(*suppression)) }
        }
        _ => Ok(Outcome::Accepted),
    }
}

/// Returns the case once `by` has done this with it.
fn acted(
    draft: &Draft<'_>,
    by: &str,
    (site, notice): (SiteId, Option<NoticeNumber>),
    case: CaseId,
    action: &CaseAction,
) -> Result<Case, Refusal> {
    let known = draft.next.cases.all.get(&case).ok_or(Refusal::UnknownCase(case))?;
    // The rights were those of this site: the unit's own where it answers, else that of the case.
    let is_of_site = if action.is_of_unit() {
        known.notices.is_empty() || known.notices.iter().any(|it| it.to == site)
    } else {
        known.key.site == site
    };
    if !is_of_site {
        return Err(Refusal::UnknownCase(case));
    }
    match action {
        CaseAction::Notify { to, .. } => check_site(draft, *to)?,
        CaseAction::Relate { other } if !draft.next.cases.all.contains_key(other) => {
            return Err(Refusal::UnknownCase(*other));
        }
        _ => {}
    }
    let number = next_number(draft, known.key.drill);
    let contacts = match action {
        CaseAction::Notify { to, .. } => draft.next.contacts.of(*to),
        _ => &[],
    };
    let (time, deadlines) = (draft.record.time, &draft.policy.deadlines);
    let acting = Acting { time, by, site, notice, number, contacts, deadlines };
    known.act(action, acting).map_err(Refusal::Case)
}

/// Returns the number of the next notice: they are counted by year in China, drills apart.
fn next_number(draft: &Draft<'_>, drill: bool) -> NoticeNumber {
    let year = Day::of(draft.record.time).month().year();
    let numbers = draft.next.cases.all.values().flat_map(|case| case.notices.iter().map(|it| it.number));
    let last = numbers.filter(|it| it.year == year && it.drill == drill).map(|it| it.serial).max();
    NoticeNumber { year, serial: last.unwrap_or_default().saturating_add(1), drill }
}

/// Carries a command about cases out, which was checked and is in the log. Returns what to answer, where it is about cases.
pub(super) fn carry_out(draft: &mut Draft<'_>, by: &str, command: &Command) -> Result<Option<Outcome>, Refusal> {
    let opened = match command {
        Command::OpenCase { incident, .. } => {
            let Some(incident) = draft.next.incidents.get(incident).cloned() else { return Ok(None) };
            tell(draft, incident_cause(&incident))?
        }
        Command::Drill { .. } => {
            drill_cause(command, draft.record.time).map(|cause| tell(draft, cause)).transpose()?.flatten()
        }
        Command::ActOnCase { site, case, action, notice } => {
            let next = acted(draft, by, (*site, *notice), *case, action)?;
            let related = match action {
                CaseAction::Relate { other } => draft.next.cases.all.get(other).cloned(),
                _ => None,
            };
            put(draft, next);
            if let Some(mut other) = related {
                Arc::make_mut(&mut other).related.insert(*case);
                draft.put(Change::Case(other));
            }
            None
        }
        _ => None,
    };
    Ok(opened.map(Outcome::CaseOpened))
}

/// Returns what a drill tells: it says first that it is one.
fn drill_cause(command: &Command, now: Timestamp) -> Option<CaseCause> {
    let Command::Drill { site, kind, subject, grade, began, text, source, destination, port } = command else {
        return None;
    };
    let key = CaseKey { site: *site, kind: kind.clone(), subject: subject.trim().to_owned(), drill: true };
    let mut evidence = vec![CaseEvidence::new("drill", text.trim())];
    let told = [
        ("source", source.map(|it| it.to_string())),
        ("destination", destination.map(|it| it.to_string())),
        ("port", port.map(|it| it.to_string())),
    ];
    evidence.extend(told.into_iter().filter_map(|(is, value)| Some(CaseEvidence::new(is, value?))));
    Some(CaseCause {
        key,
        grade: *grade,
        confidence: None,
        first: *began,
        last: now,
        count: 1,
        incident: None,
        source: *source,
        destination: *destination,
        port: *port,
        evidence,
    })
}

/// Lets overdue cases go up, and old ones go.
pub(super) fn follow(draft: &mut Draft<'_>) {
    let now = draft.record.time;
    let tree = Arc::clone(&draft.next.tree);
    let above = |site| tree.parents(site, now).next().map(|it| it.id);
    let overdue = draft.next.cases.open().filter(|case| case.is_overdue(now));
    let up: Vec<Case> = overdue.filter_map(|case| case.escalated(now, &draft.policy.deadlines, above)).collect();
    for case in up {
        put(draft, case);
    }
    let over = draft.next.cases.all.len().saturating_sub(CASES_MAX);
    if over == 0 {
        return;
    }
    let is_old = |case: &Case| !case.is_open() && now.ms_since(case.closed.unwrap_or(case.last)) > KEPT_MS;
    let old = draft.next.cases.all.values().filter(|case| is_old(case)).map(|case| case.id);
    let gone: Vec<CaseId> = old.take(over.min(FORGOTTEN_PER_TICK)).collect();
    for id in gone {
        draft.put(Change::CaseForgotten(id));
    }
}
