//! Cases: what deserves a person's time, and how people close it.
//!
//! Invariant: one kind of thing about one subject at one site has at most one open case; a drill has its own beside it and is
//! never mixed with what is real. A case keeps its whole story, and only a person closes it. Nothing here looks at a clock.
//!
//! It does not know how anomalies are detected, who may act, how a case is kept, nor how anybody is told.

mod act;
mod due;
mod figures;
mod file;
mod notice;
mod state;
mod suppress;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, net::IpAddr};

use serde::{Deserialize, Serialize};

pub use act::{ActError, Acting, CaseAction};
pub use due::{DEADLINE_MS, Deadlines, Escalation, EscalationReason};
pub use figures::{CaseFigures, CaseGrouping, CaseMonth, NoticeFigures};
pub use file::{
    CASE_CAPTURES_MAX, CASE_FILES_BYTES_MAX, CASE_FILES_MAX, CaseFile, FILE_BYTES_MAX, FILE_NAME_CHARS_MAX, FileHash,
    InvalidFileHash, LostCapture, NOTICE_FILES_BYTES_MAX, NOTICE_FILES_MAX, NewFile, UNKNOWN_MEDIA, file_name,
    media_of,
};
pub use notice::{InvalidNoticeNumber, Issuer, Notice, NoticeAnswer, NoticeNumber, NoticeReturn};
pub use state::{CaseState, CaseVerdict, Category};
pub use suppress::{Hours, Suppression, SuppressionError, SuppressionScope};

use crate::{CaseId, IncidentId, SiteId, SuppressionId, Timestamp, incident::Severity};

/// Characters that the word for a kind may have.
pub const KIND_CHARS_MAX: usize = 64;
/// Characters that a subject may have.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// Characters that a comment, an answer or a reason may have.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Characters that a person's name may have.
pub const NAME_CHARS_MAX: usize = 100;
/// Pieces of evidence that a case keeps.
pub const EVIDENCE_MAX: usize = 40;
/// Steps of its story that a case keeps; one that has as many can still be closed.
pub const STEPS_MAX: usize = 400;
/// Notices that a case can have.
pub const NOTICES_MAX: usize = 50;
/// Related cases that a case names.
pub const RELATED_MAX: usize = 50;
/// How long, in milliseconds, after it was closed what comes back opens the same case: a month. Later it is another one.
const REOPEN_MS: i64 = 30 * 86_400_000;
/// How long, in milliseconds, what was closed as true may go on before that reopens it: what was under way when it was rectified.
const GOES_ON_MS: i64 = 3_600_000;

/// Why there is to be a case: what an anomaly or an incident tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseCause {
    /// Which case it is one of.
    pub key: CaseKey,
    /// How grave it is: a proposal.
    pub grade: Severity,
    /// How sure that is, in hundredths, where somebody says.
    pub confidence: Option<u8>,
    /// Since when, by the evidence.
    pub first: Timestamp,
    /// When it was seen last.
    pub last: Timestamp,
    /// How many observations bear it out.
    pub count: u64,
    /// The incident that it is, if it is one.
    pub incident: Option<IncidentId>,
    /// Whose traffic it is, where it is somebody's.
    pub source: Option<IpAddr>,
    /// Where to.
    pub destination: Option<IpAddr>,
    /// To which port.
    pub port: Option<u16>,
    /// What speaks for it.
    pub evidence: Vec<CaseEvidence>,
}

/// What makes two causes one case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseKey {
    /// The site where it is.
    pub site: SiteId,
    /// What kind of thing, such as `port_scan` or `link_down`.
    pub kind: String,
    /// About whom or what.
    pub subject: String,
    /// Whether it is a drill.
    pub drill: bool,
}

/// One thing that speaks for a case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CaseEvidence {
    /// What is told, such as `ports`, `flow` or `attached`.
    pub is: String,
    /// What it is.
    pub value: String,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its identity.
    pub id: CaseId,
    /// What it is about.
    pub key: CaseKey,
    /// How far it is.
    pub state: CaseState,
    /// Since when it is that far.
    pub since: Timestamp,
    /// How grave it is: proposed, until a person confirms it.
    pub grade: Severity,
    /// Who confirmed the grade.
    pub graded_by: Option<String>,
    /// What sort of event it is after GB/T 20986-2023, once a person says so.
    pub category: Option<Category>,
    /// How sure it is, in hundredths.
    pub confidence: Option<u8>,
    /// When what it is about began, by the evidence.
    pub first: Timestamp,
    /// When that was seen last.
    pub last: Timestamp,
    /// How many observations bear it out.
    pub count: u64,
    /// When the case was opened.
    pub opened: Timestamp,
    /// When somebody first took it up.
    pub acknowledged: Option<Timestamp>,
    /// When it was closed last.
    pub closed: Option<Timestamp>,
    /// How often it was opened again.
    pub reopened: u32,
    /// Who sees to it.
    pub assignee: Option<String>,
    /// By when the next step is due.
    pub due: Option<Timestamp>,
    /// The rule that silences it.
    pub silenced_by: Option<SuppressionId>,
    /// The incident that it is about.
    pub incident: Option<IncidentId>,
    /// What speaks for it.
    pub evidence: Vec<CaseEvidence>,
    /// Cases that have to do with it.
    pub related: BTreeSet<CaseId>,
    /// What responsible units were told, the first notice first.
    #[serde(default, alias = "notice", deserialize_with = "notice::read")]
    pub notices: Vec<Notice>,
    /// To whom it went up since nobody did what was due.
    pub escalations: Vec<Escalation>,
    /// Its files, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<CaseFile>,
    /// Packets that it was to have, and that the site has no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostCapture>,
    /// What happened, oldest first.
    pub steps: Vec<CaseStep>,
}

/// Something that happened to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseStep {
    /// When.
    pub time: Timestamp,
    /// Who did it; `None` where the centre did.
    pub by: Option<String>,
    /// What: `opened`, `recurred`, `silenced`, `overdue`, `escalated` or the name of an action.
    pub did: String,
    /// The state after it.
    pub state: CaseState,
    /// In words.
    pub text: String,
    /// Which notice it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeNumber>,
}

impl CaseCause {
    /// Cuts words and evidence to what a case keeps.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        cut(&mut self.key.kind, KIND_CHARS_MAX);
        cut(&mut self.key.subject, SUBJECT_CHARS_MAX);
        self.evidence.truncate(EVIDENCE_MAX);
        for evidence in &mut self.evidence {
            cut(&mut evidence.is, KIND_CHARS_MAX);
            cut(&mut evidence.value, TEXT_CHARS_MAX);
        }
        self
    }
}

fn cut(text: &mut String, chars: usize) {
    if let Some((at, _)) = text.char_indices().nth(chars) {
        text.truncate(at);
    }
}

/// Returns the case as it is to be now that a cause is told of, `None` where that changes nothing.
///
/// `known` is the newest case of the cause's key, `rule` what silences the cause, `identity` gives an id that nothing else has.
pub fn told(
    known: Option<&Case>,
    cause: &CaseCause,
    rule: Option<SuppressionId>,
    now: Timestamp,
    deadlines: &Deadlines,
    identity: impl FnOnce() -> Option<CaseId>,
) -> Option<Case> {
    let open = |related: Option<CaseId>| {
        let mut case = Case::open(identity()?, cause, rule, now, deadlines);
        case.related.extend(related);
        Some(case)
    };
    let Some(known) = known else { return open(None) };
    let mut next = known.clone();
    match known.state {
        CaseState::Closed(verdict) => {
            let closed = known.closed.unwrap_or(known.since);
            // What somebody called benign stays so for a month; what was mended is to be over at once.
            let over_ms = if verdict == CaseVerdict::True { GOES_ON_MS } else { REOPEN_MS };
            let goes_on = cause.last.ms_since(closed) > over_ms;
            if cause.first <= closed && !goes_on {
                return None;
            }
            if rule.is_some() || cause.key.drill || now.ms_since(closed) > REOPEN_MS {
                return open(Some(known.id));
            }
            next.take(cause);
            next.reopened = next.reopened.saturating_add(1);
            next.due = Some(now.plus_ms(deadlines.acknowledge_ms(next.grade)));
            next.closed = None;
            next.end_notices(now);
            next.step(now, None, "recurred", CaseState::New, "");
        }
        CaseState::Silenced if rule.is_none() => {
            next.take(cause);
            next.silenced_by = None;
            next.due = Some(now.plus_ms(deadlines.acknowledge_ms(next.grade)));
            next.step(now, None, "opened", CaseState::New, "");
        }
        CaseState::Silenced => {
            next.take(cause);
            next.silenced_by = rule;
        }
        _ => next.take(cause),
    }
    (next != *known).then_some(next)
}

impl Case {
    /// Opens a case, or notes what a rule silences.
    fn open(id: CaseId, cause: &CaseCause, rule: Option<SuppressionId>, now: Timestamp, deadlines: &Deadlines) -> Self {
        let mut case = Self {
            id,
            key: cause.key.clone(),
            state: CaseState::New,
            since: now,
            grade: cause.grade,
            graded_by: None,
            category: None,
            confidence: None,
            first: cause.first,
            last: cause.last,
            count: 0,
            opened: now,
            acknowledged: None,
            closed: None,
            reopened: 0,
            assignee: None,
            due: None,
            silenced_by: rule,
            incident: None,
            evidence: Vec::new(),
            related: BTreeSet::new(),
            notices: Vec::new(),
            escalations: Vec::new(),
            files: Vec::new(),
            lost: Vec::new(),
            steps: Vec::new(),
        };
        case.take(cause);
        if let Some(rule) = rule {
            case.step(now, None, "silenced", CaseState::Silenced, &rule.to_string());
        } else {
            case.due = Some(now.plus_ms(deadlines.acknowledge_ms(case.grade)));
            case.step(now, None, "opened", CaseState::New, "");
        }
        case
    }

    /// Takes in what its cause tells by now. A confirmed grade stays, and what people attached stays.
    fn take(&mut self, cause: &CaseCause) {
        self.first = self.first.min(cause.first);
        self.last = self.last.max(cause.last);
        self.count = self.count.max(cause.count);
        self.confidence = self.confidence.max(cause.confidence);
        self.incident = cause.incident.or(self.incident);
        if self.graded_by.is_none() {
            self.grade = self.grade.max(cause.grade);
        }
        let attached = self.evidence.iter().filter(|it| it.is == CaseEvidence::ATTACHED).cloned();
        let mut evidence: Vec<_> = attached.collect();
        let room = EVIDENCE_MAX.saturating_sub(evidence.len());
        evidence.extend(cause.evidence.iter().take(room).cloned());
        self.evidence = evidence;
    }

    /// Returns whether somebody still has to do something about it.
    pub const fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// Returns whether a responsible unit can be notified now: it was taken up, and its grade confirmed.
    pub const fn can_be_notified(&self) -> bool {
        use CaseState::{Acknowledged, Notified, Rectified, UnderReview};
        matches!(self.state, Acknowledged | UnderReview | Notified | Rectified) && self.graded_by.is_some()
    }

    /// Ends what it has of notices: nobody waits for their answers any more.
    fn end_notices(&mut self, at: Timestamp) {
        self.notices.iter_mut().for_each(|it| it.end(at));
    }

    /// Returns whether what is due was not done by `now`.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.is_open() && self.due.is_some_and(|due| due < now)
    }

    /// Returns how long, in milliseconds, it took until somebody took it up.
    pub fn acknowledged_after_ms(&self) -> Option<i64> {
        self.acknowledged.map(|at| at.ms_since(self.opened).max(0))
    }

    /// Returns how long, in milliseconds, what it is about had been going on when it was opened.
    pub fn detected_after_ms(&self) -> i64 {
        self.opened.ms_since(self.first).max(0)
    }

    /// Returns how long, in milliseconds, it took until it was closed.
    pub fn closed_after_ms(&self) -> Option<i64> {
        self.closed.map(|at| at.ms_since(self.opened).max(0))
    }

    /// Returns how long, in milliseconds, it has been there, or was until it was closed.
    pub fn age_ms(&self, now: Timestamp) -> i64 {
        self.closed.unwrap_or(now).ms_since(self.opened).max(0)
    }

    /// Says which notice the last step is about.
    fn about(&mut self, notice: Option<NoticeNumber>) {
        if let Some(step) = self.steps.last_mut() {
            step.notice = notice;
        }
    }

    /// Notes what happened; a state that changes begins now.
    fn step(&mut self, time: Timestamp, by: Option<&str>, did: &str, state: CaseState, text: &str) {
        if state != self.state {
            self.since = time;
        }
        self.state = state;
        if self.steps.len() < STEPS_MAX.saturating_add(50) {
            self.steps.push(CaseStep {
                time,
                by: by.map(str::to_owned),
                did: did.to_owned(),
                state,
                text: text.to_owned(),
                notice: None,
            });
        }
    }
}

impl CaseEvidence {
    /// What a person attached is called.
    pub const ATTACHED: &str = "attached";

    /// Returns evidence that says `value` of what `is`.
    pub fn new(is: &str, value: impl Into<String>) -> Self {
        Self { is: is.to_owned(), value: value.into() }
    }
}
