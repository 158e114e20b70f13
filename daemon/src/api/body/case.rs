//! Cases and the rules that silence some, as the API tells of them.
//!
//! Invariant: a case is shown whole to whoever may read it; of other sites and cases that it names, only what the view shows.

use onenet_topology::{
    SiteId, SuppressionId,
    case::{
        Case, CaseFile, CaseStep, CaseVerdict, Category, Escalation, Issuer, LostCapture, Notice, NoticeAnswer,
        Suppression,
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DrillBody, NoticeContactBody, time};
use crate::access::View;

/// Something that deserves a person's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseBody {
    /// Its id.
    pub id: String,
    /// What kind of thing, such as `port_scan` or `link_down`.
    pub kind: String,
    /// About whom or what.
    pub subject: String,
    /// The site where it is; `null` where that may not be seen.
    pub site: Option<String>,
    /// `silenced`, `new`, `acknowledged`, `under_review`, `notified`, `rectified` or `closed`.
    pub state: &'static str,
    /// Since when it is that far.
    pub since: String,
    /// What it was found to be, once it is closed: `true`, `benign`, `false` or `drill`.
    pub verdict: Option<&'static str>,
    /// `general`, `considerable`, `major` or `extraordinary`: a proposal until somebody confirmed it.
    pub grade: &'static str,
    /// Who confirmed the grade.
    pub graded_by: Option<String>,
    /// What sort of event it is after GB/T 20986-2023, once a person says so: `malicious_program`, `network_attack`, `data_security`,
    /// `content_security`, `equipment_failure`, `violation_of_rules`, `hidden_danger`, `abnormal_behaviour`, `force_majeure`, `other`.
    pub category: Option<&'static str>,
    /// How sure it is, in hundredths.
    pub confidence: Option<u8>,
    /// Whether it is a drill: those are in no statistics.
    pub drill: bool,
    /// Since when, by the evidence.
    pub first: String,
    /// When it was seen last.
    pub last: String,
    /// How many observations bear it out.
    pub count: u64,
    /// When the case was opened.
    pub opened: String,
    /// When somebody first took it up.
    pub acknowledged: Option<String>,
    /// When it was closed.
    pub closed: Option<String>,
    /// How often it was opened again.
    pub reopened: u32,
    /// How long what it is about had been going on when it was opened.
    pub detected_after_s: i64,
    /// How long after it was opened somebody took it up.
    pub acknowledged_after_s: Option<i64>,
    /// How long after it was opened it was closed.
    pub closed_after_s: Option<i64>,
    /// How long it has been there, or was until it was closed.
    pub age_s: i64,
    /// Who sees to it.
    pub assignee: Option<String>,
    /// By when the next step is due.
    pub due: Option<String>,
    /// Whether what is due was not done.
    pub overdue: bool,
    /// The rule that silences it.
    pub silenced_by: Option<String>,
    /// The same, with who answers for it and until when it holds, where the rule may be read.
    pub silenced_rule: Option<SilencingBody>,
    /// The incident that it is about.
    pub incident: Option<String>,
    /// How often it went up since nobody did what was due.
    pub escalations: usize,
}

/// A case with its whole story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseDetailBody {
    /// The case.
    #[serde(flatten)]
    pub case: CaseBody,
    /// What speaks for it.
    pub evidence: Vec<CaseEvidenceBody>,
    /// Cases that have to do with it, as far as they may be seen.
    pub related: Vec<String>,
    /// What a responsible unit was told last: the last of `notices`.
    pub notice: Option<NoticeBody>,
    /// What responsible units were told, the first notice first.
    pub notices: Vec<NoticeBody>,
    /// Its files, as far as they may be read, in the order in which they came.
    pub files: Vec<CaseFileBody>,
    /// Packets that it was to have, and that the site has no more.
    pub lost_captures: Vec<LostCaptureBody>,
    /// To whom it went up.
    pub escalated: Vec<EscalationBody>,
    /// What happened, oldest first.
    pub steps: Vec<CaseStepBody>,
    /// The drill that it is, with its times; `null` where it is none, or one of an older version.
    pub drilled: Option<DrillBody>,
}

/// One thing that speaks for a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseEvidenceBody {
    /// What is told, such as `ports`, `flow` or `attached`.
    pub is: String,
    /// What it is.
    pub value: String,
}

/// What the responsible unit was told (通报), and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeBody {
    /// Its number, such as `2026-0007`; those of drills have a D.
    pub number: String,
    /// The site that is responsible.
    pub to: Option<String>,
    /// What it was told.
    pub text: String,
    /// When.
    pub sent: String,
    /// Who issued it; `null` of notices of older versions.
    pub issuer: Option<IssuerBody>,
    /// Whom it went to: the contacts of the site when it left. Where there are none, nobody was told but in the console.
    pub contacts: Vec<NoticeContactBody>,
    /// By when it is to answer next, or was.
    pub due: String,
    /// When the site said that it has it.
    pub received: Option<String>,
    /// Who did.
    pub received_by: Option<String>,
    /// When it gave the answer that stands: the last one, unless that was given back.
    pub answered: Option<String>,
    /// Who did.
    pub answered_by: Option<String>,
    /// What it answered.
    pub answer: Option<String>,
    /// All its answers, the first one first, with those that were given back.
    pub answers: Vec<NoticeAnswerBody>,
    /// Whether the site has still to answer it, or to mend what it says that it has not.
    pub open: bool,
    /// Whether it was to answer before now, and did not.
    pub overdue: bool,
    /// Since when nobody waits for an answer any more: the case was closed.
    pub ended: Option<String>,
}

/// An answer to a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeAnswerBody {
    /// When.
    pub time: String,
    /// Who.
    pub by: String,
    /// What.
    pub text: String,
    /// Whether the unit says that what was wrong is mended.
    pub rectified: bool,
    /// By when it was due.
    pub due: String,
    /// Whether it came later than that.
    pub late: bool,
    /// When it was given back, if it was.
    pub returned: Option<String>,
    /// Who gave it back.
    pub returned_by: Option<String>,
    /// Why.
    pub return_reason: Option<String>,
}

/// A notice as a document: everything that its unit is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeDocumentBody {
    /// The notice.
    pub notice: NoticeBody,
    /// The case.
    pub case: CaseBody,
    /// What speaks for it.
    pub evidence: Vec<CaseEvidenceBody>,
    /// Files of the case, as far as they may be read: those that came with this notice, and those of the reviewers.
    pub files: Vec<CaseFileBody>,
}

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseFileBody {
    /// What whoever brought it calls it.
    pub name: String,
    /// SHA-256 of its bytes, in hexadecimal digits: by this it is fetched.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its content type.
    pub content_type: String,
    /// When it was attached.
    pub time: String,
    /// Who did.
    pub by: String,
    /// The number of the notice with which a unit attached it; `null` where reviewers or the centre did.
    pub notice: Option<String>,
    /// Whether it is packets that the centre fetched from the site by itself.
    pub fetched: bool,
}

/// Packets that a case was to have and has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LostCaptureBody {
    /// The name of the file at the site.
    pub name: String,
    /// Why it could not be fetched.
    pub why: String,
}

/// Who issued a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IssuerBody {
    /// The site of his unit; `null` where that may not be seen.
    pub unit: Option<String>,
    /// What his unit is called, in Chinese.
    pub unit_name: Option<String>,
    /// The person.
    pub person: String,
    /// The number to ask at; empty where none was given.
    pub telephone: String,
}

/// A case went up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EscalationBody {
    /// When.
    pub time: String,
    /// To whom; `null` where that may not be seen.
    pub to: Option<String>,
    /// `not_acknowledged`, `not_answered` or `not_closed`.
    pub reason: &'static str,
}

/// Something that happened to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseStepBody {
    /// When.
    pub time: String,
    /// Who did it; `null` where the centre did.
    pub by: Option<String>,
    /// `opened`, `recurred`, `silenced`, `escalated` or the name of an action.
    pub did: String,
    /// The state after it.
    pub state: &'static str,
    /// In words.
    pub text: String,
    /// The number of the notice that it is about.
    pub notice: Option<String>,
}

/// The rule that silences a finding: enough to ask who answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SilencingBody {
    /// Its id.
    pub rule: String,
    /// The person who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when it holds.
    pub until: String,
}

impl SilencingBody {
    /// Returns a rule, where it may be read.
    pub fn of(view: &View, id: SuppressionId) -> Option<Self> {
        let rule = view.rule(id)?;
        let (owner, reason, until) = (rule.owner.clone(), rule.reason.clone(), time(rule.until));
        Some(Self { rule: id.to_string(), owner, reason, until })
    }
}

/// A rule that silences cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SuppressionBody {
    /// Its id.
    pub id: String,
    /// The kind that it silences.
    pub kind: Option<String>,
    /// The subject, word for word.
    pub subject: Option<String>,
    /// The site, with everything below it.
    pub site: Option<String>,
    /// The area, with all who belong to it.
    pub area: Option<String>,
    /// Whose traffic: a prefix.
    pub source: Option<String>,
    /// Where to: a prefix.
    pub destination: Option<String>,
    /// To which port.
    pub port: Option<u16>,
    /// Between which hours of the day in China, such as `22:00-06:00`.
    pub hours: Option<String>,
    /// The person who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Whether it holds.
    pub on: bool,
    /// Who made it.
    pub by: String,
    /// Who ended it early.
    pub ended_by: Option<String>,
    /// How many cases it silences, at all sites.
    pub silenced: usize,
}

fn shown(view: &View, site: SiteId) -> Option<String> {
    view.site(site).map(|site| site.id.to_string())
}

impl CaseBody {
    /// Returns a case as the view shows it.
    pub fn of(view: &View, case: &Case) -> Self {
        let now = view.now();
        Self {
            id: case.id.to_string(),
            kind: case.key.kind.clone(),
            subject: case.key.subject.clone(),
            site: shown(view, case.key.site),
            state: case.state.name(),
            since: time(case.since),
            verdict: case.state.verdict().map(CaseVerdict::name),
            grade: case.grade.name(),
            graded_by: case.graded_by.clone(),
            category: case.category.map(Category::name),
            confidence: case.confidence,
            drill: case.key.drill,
            first: time(case.first),
            last: time(case.last),
            count: case.count,
            opened: time(case.opened),
            acknowledged: case.acknowledged.map(time),
            closed: case.closed.map(time),
            reopened: case.reopened,
            detected_after_s: case.detected_after_ms() / 1_000,
            acknowledged_after_s: case.acknowledged_after_ms().map(|ms| ms / 1_000),
            closed_after_s: case.closed_after_ms().map(|ms| ms / 1_000),
            age_s: case.age_ms(now) / 1_000,
            assignee: case.assignee.clone(),
            due: case.due.map(time),
            overdue: case.is_overdue(now),
            silenced_by: case.silenced_by.map(|it| it.to_string()),
            silenced_rule: case.silenced_by.and_then(|it| SilencingBody::of(view, it)),
            incident: case.incident.map(|it| it.to_string()),
            escalations: case.escalations.len(),
        }
    }
}

impl CaseDetailBody {
    /// Returns a case with its story, as the view shows it.
    pub fn of(view: &View, case: &Case) -> Self {
        Self {
            case: CaseBody::of(view, case),
            evidence: evidence(case),
            related: case.related.iter().filter(|id| view.case(**id).is_some()).map(ToString::to_string).collect(),
            notice: case.notice().map(|notice| NoticeBody::of(view, notice)),
            notices: case.notices.iter().map(|notice| NoticeBody::of(view, notice)).collect(),
            files: view.files(case).map(CaseFileBody::of).collect(),
            lost_captures: case.lost.iter().map(LostCaptureBody::of).collect(),
            escalated: case.escalations.iter().map(|it| EscalationBody::of(view, it)).collect(),
            steps: case.steps.iter().map(|step| CaseStepBody::of(view, case, step)).collect(),
            drilled: view.drill_of_case(case.id).map(|it| DrillBody::of(view, it)),
        }
    }
}

fn evidence(case: &Case) -> Vec<CaseEvidenceBody> {
    case.evidence.iter().map(|it| CaseEvidenceBody { is: it.is.clone(), value: it.value.clone() }).collect()
}

impl NoticeDocumentBody {
    /// Returns a notice of a case, as the view shows it.
    pub fn of(view: &View, case: &Case, notice: &Notice) -> Self {
        let files = view.files(case).filter(|it| it.notice.is_none_or(|number| number == notice.number));
        Self {
            notice: NoticeBody::of(view, notice),
            case: CaseBody::of(view, case),
            evidence: evidence(case),
            files: files.map(CaseFileBody::of).collect(),
        }
    }
}

impl CaseFileBody {
    fn of(it: &CaseFile) -> Self {
        Self {
            name: it.file.name.clone(),
            sha256: it.file.hash.to_string(),
            bytes: it.file.bytes,
            content_type: it.file.media.clone(),
            time: time(it.time),
            by: it.by.clone(),
            notice: it.notice.map(|number| number.to_string()),
            fetched: it.file.fetched,
        }
    }
}

impl LostCaptureBody {
    fn of(it: &LostCapture) -> Self {
        Self { name: it.name.clone(), why: it.why.clone() }
    }
}

impl NoticeAnswerBody {
    fn of(answer: &NoticeAnswer) -> Self {
        let returned = answer.returned.as_ref();
        Self {
            time: time(answer.time),
            by: answer.by.clone(),
            text: answer.text.clone(),
            rectified: answer.rectified,
            due: time(answer.due),
            late: answer.is_late(),
            returned: returned.map(|it| time(it.time)),
            returned_by: returned.map(|it| it.by.clone()),
            return_reason: returned.map(|it| it.text.clone()),
        }
    }
}

impl NoticeBody {
    /// Returns a notice as the view shows it.
    pub fn of(view: &View, notice: &Notice) -> Self {
        let (received, answered) = (notice.received.as_ref(), notice.answered());
        Self {
            number: notice.number.to_string(),
            to: shown(view, notice.to),
            text: notice.text.clone(),
            sent: time(notice.sent),
            issuer: notice.issuer.as_ref().map(|it| IssuerBody::of(view, it)),
            contacts: notice.contacts.iter().map(NoticeContactBody::of).collect(),
            due: time(notice.due),
            received: received.map(|(at, _)| time(*at)),
            received_by: received.map(|(_, by)| by.clone()),
            answered: answered.map(|it| time(it.time)),
            answered_by: answered.map(|it| it.by.clone()),
            answer: answered.map(|it| it.text.clone()),
            answers: notice.answers.iter().map(NoticeAnswerBody::of).collect(),
            open: notice.is_open(),
            overdue: notice.awaits() && notice.due < view.now(),
            ended: notice.ended.map(time),
        }
    }
}

impl IssuerBody {
    fn of(view: &View, issuer: &Issuer) -> Self {
        let unit = issuer.unit;
        Self {
            unit: unit.and_then(|it| shown(view, it)),
            unit_name: unit.and_then(|it| view.issuer_name(it)).map(|it| it.zh.clone()),
            person: issuer.person.clone(),
            telephone: issuer.telephone.clone(),
        }
    }
}

impl EscalationBody {
    fn of(view: &View, it: &Escalation) -> Self {
        Self { time: time(it.time), to: shown(view, it.to), reason: it.reason.name() }
    }
}

impl CaseStepBody {
    fn of(view: &View, case: &Case, step: &CaseStep) -> Self {
        // What a file is called is for whoever may read it.
        let is_shown = step.did != "attach_file" || view.shows_files(case, step.notice, false);
        Self {
            time: time(step.time),
            by: step.by.clone(),
            did: step.did.clone(),
            state: step.state.name(),
            text: if is_shown { step.text.clone() } else { String::new() },
            notice: step.notice.map(|it| it.to_string()),
        }
    }
}

impl SuppressionBody {
    /// Returns a rule, and how many cases it silences.
    pub fn of(view: &View, (rule, silenced): (&Suppression, usize)) -> Self {
        let scope = &rule.scope;
        Self {
            id: rule.id.to_string(),
            kind: scope.kind.clone(),
            subject: scope.subject.clone(),
            site: scope.site.and_then(|site| shown(view, site)),
            area: scope.area.map(|area| area.to_string()),
            source: scope.source.map(|net| net.to_string()),
            destination: scope.destination.map(|net| net.to_string()),
            port: scope.port,
            hours: scope.hours.map(|hours| hours.to_string()),
            owner: rule.owner.clone(),
            reason: rule.reason.clone(),
            from: time(rule.from),
            until: time(rule.until),
            on: rule.is_on(view.now()),
            by: rule.by.clone(),
            ended_by: rule.ended_by.clone(),
            silenced,
        }
    }
}
