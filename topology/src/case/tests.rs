//! What cases promise: one open case, a story that says everything, rules that end, and dates that are kept.

mod files;
mod notices;

use proptest::prelude::*;

use super::*;
use crate::AreaId;

const COUNTY: SiteId = SiteId::from_raw(3);
const CITY: SiteId = SiteId::from_raw(2);
const PROVINCE: SiteId = SiteId::from_raw(1);
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_790_000_000_000 + ms)
}

fn above(site: SiteId) -> Option<SiteId> {
    (site.raw() > 1).then(|| SiteId::from_raw(site.raw() - 1))
}

fn key(drill: bool) -> CaseKey {
    CaseKey { site: COUNTY, kind: "port_scan".into(), subject: "10.1.2.3".into(), drill }
}

fn cause(first: i64, last: i64) -> CaseCause {
    CaseCause {
        key: key(false),
        grade: Severity::Considerable,
        confidence: Some(80),
        first: at(first),
        last: at(last),
        count: 10,
        incident: None,
        source: "10.1.2.3".parse().ok(),
        destination: None,
        port: Some(445),
        evidence: vec![CaseEvidence::new("ports", "445")],
    }
}

fn drill() -> CaseCause {
    CaseCause { key: key(true), ..cause(0, 0) }
}

fn hear(known: Option<&Case>, cause: &CaseCause, rule: Option<SuppressionId>, now: i64) -> Option<Case> {
    told(known, cause, rule, at(now), &Deadlines::default(), || Some(CaseId::from_raw(now.unsigned_abs() + 1)))
}

fn opened() -> Case {
    hear(None, &cause(0, 5), None, 10).unwrap()
}

fn acting(now: i64, by: &str) -> Acting<'_> {
    static DEADLINES: std::sync::LazyLock<Deadlines> = std::sync::LazyLock::new(Deadlines::default);
    let number = NoticeNumber { year: 2026, serial: 7, drill: false };
    Acting { time: at(now), by, site: COUNTY, notice: None, number, contacts: &[], deadlines: &DEADLINES }
}

#[expect(clippy::needless_pass_by_value, reason = "each test makes its actions where it does them")]
fn act(case: &Case, now: i64, action: CaseAction) -> Result<Case, ActError> {
    case.act(&action, acting(now, "li.wei"))
}

/// A file of four bytes whose hash is this byte.
fn file(hash: u8) -> NewFile {
    let (name, media) = ("photo.jpg".to_owned(), "image/jpeg".to_owned());
    NewFile { hash: FileHash::new([hash; 32]), name, bytes: 4, media, fetched: false }
}

fn grade() -> CaseAction {
    CaseAction::Grade { grade: Severity::Major, category: Category::NetworkAttack }
}

fn notify() -> CaseAction {
    CaseAction::Notify { to: COUNTY, text: "mend it".into(), due: None, issuer: None }
}

fn close(verdict: CaseVerdict) -> CaseAction {
    CaseAction::Close { verdict, text: "done".into() }
}

fn answer(rectified: bool) -> CaseAction {
    CaseAction::Answer { text: "unplugged".into(), rectified }
}

fn notified() -> Case {
    let steps = [CaseAction::Acknowledge, CaseAction::Review, grade(), notify()];
    steps
        .into_iter()
        .enumerate()
        .fold(opened(), |case, (n, action)| act(&case, 100 + i64::try_from(n).unwrap(), action).unwrap())
}

#[test]
fn a_case_goes_from_the_finding_to_its_end_and_tells_its_story() {
    let case = act(&notified(), 200, CaseAction::Receive).unwrap();
    let case = act(&case, 300, answer(true)).unwrap();
    assert_eq!(case.state, CaseState::Rectified);
    let case = act(&case, 400, close(CaseVerdict::True)).unwrap();
    let story: Vec<&str> = case.steps.iter().map(|it| it.did.as_str()).collect();
    assert_eq!(story, ["opened", "acknowledge", "review", "grade", "notify", "receive", "answer", "close"]);
    assert_eq!(case.acknowledged_after_ms(), Some(90));
    assert_eq!(case.age_ms(at(9_999)), 390, "a closed case grows no older");
    assert_eq!((case.due, case.grade, case.state.verdict()), (None, Severity::Major, Some(CaseVerdict::True)));
    let notice = case.notice().unwrap();
    assert_eq!(notice.number.to_string(), "2026-0007");
    assert_eq!("2026-0007".parse(), Ok(notice.number));
    assert_eq!((notice.answered().unwrap().by.as_str(), notice.is_open()), ("li.wei", false));
}

#[test]
fn what_is_not_confirmed_is_neither_told_to_a_unit_nor_true() {
    let case = act(&opened(), 20, CaseAction::Acknowledge).unwrap();
    assert_eq!(act(&case, 30, notify()), Err(ActError::NotGraded));
    assert_eq!(act(&case, 30, close(CaseVerdict::True)), Err(ActError::NotGraded));
    assert!(act(&case, 30, close(CaseVerdict::Benign)).is_ok());
}

#[test]
fn only_a_drill_is_closed_as_a_drill() {
    assert_eq!(act(&opened(), 20, close(CaseVerdict::Drill)), Err(ActError::Drill));
    let drilled = hear(None, &drill(), None, 10).unwrap();
    assert_eq!(act(&drilled, 20, close(CaseVerdict::Benign)), Err(ActError::Drill));
    assert!(act(&drilled, 20, close(CaseVerdict::Drill)).is_ok());
}

#[test]
fn an_answer_that_is_not_enough_is_given_back_with_a_new_date() {
    let case = act(&notified(), 300, answer(true)).unwrap();
    assert!(case.notice().unwrap().received.is_some(), "who answers has received");
    let back = CaseAction::Return { text: "which machine?".into(), due: Some(at(DAY)) };
    let case = act(&case, 400, back).unwrap();
    assert_eq!((case.state, case.due), (CaseState::Notified, Some(at(DAY))));
    let notice = case.notice().unwrap();
    assert_eq!((notice.answered(), notice.awaits(), notice.due), (None, true, at(DAY)));
    assert_eq!(notice.answers[0].returned.as_ref().unwrap().text, "which machine?");
}

#[test]
fn words_and_times_that_say_nothing_are_refused_and_change_nothing() {
    let case = opened();
    for text in ["", "  ", &"x".repeat(TEXT_CHARS_MAX + 1)] {
        assert_eq!(act(&case, 20, CaseAction::Comment { text: text.into() }), Err(ActError::Text));
    }
    assert_eq!(act(&case, 20, CaseAction::Assign { to: " ".into() }), Err(ActError::Name));
    assert_eq!(act(&case, 20, CaseAction::SetDue { due: at(20) }), Err(ActError::Past(at(20))));
    assert_eq!(act(&case, 20, CaseAction::Relate { other: case.id }), Err(ActError::Itself));
}

#[test]
fn what_goes_on_stays_one_case_and_what_people_said_of_it_stays() {
    let case = act(&opened(), 20, grade()).unwrap();
    let case = act(&case, 21, CaseAction::Attach { text: "photograph 12".into() }).unwrap();
    let more = CaseCause { count: 500, grade: Severity::Extraordinary, ..cause(-5, 400) };
    let next = hear(Some(&case), &more, None, 500).unwrap();
    assert_eq!((next.id, next.count, next.first, next.last), (case.id, 500, at(-5), at(400)));
    assert_eq!(next.grade, Severity::Major, "a confirmed grade stays");
    assert_eq!(next.evidence.first().map(|it| it.value.as_str()), Some("photograph 12"));
    assert_eq!(hear(Some(&next), &more, None, 600), None, "what says nothing new changes nothing");
}

#[test]
fn what_comes_back_within_a_month_opens_the_case_again_and_later_another_one() {
    let closed = act(&opened(), 100, close(CaseVerdict::Benign)).unwrap();
    assert_eq!(hear(Some(&closed), &cause(0, 50 * HOUR), None, 50 * HOUR), None, "the same thing, called benign");
    let lasting = hear(Some(&closed), &cause(0, 40 * DAY), None, 40 * DAY).unwrap();
    assert_ne!(lasting.id, closed.id, "nobody is called benign for good: there are rules for that");
    let again = hear(Some(&closed), &cause(HOUR, HOUR), None, HOUR).unwrap();
    assert_eq!((again.id, again.state, again.reopened), (closed.id, CaseState::New, 1));
    assert_eq!(again.steps.last().unwrap().did, "recurred");
    let later = hear(Some(&closed), &cause(40 * DAY, 40 * DAY), None, 40 * DAY).unwrap();
    assert_ne!(later.id, closed.id);
    assert!(later.related.contains(&closed.id));
}

#[test]
fn what_was_closed_as_mended_and_goes_on_all_the_same_is_opened_again() {
    let case = act(&opened(), 50, grade()).unwrap();
    let closed = act(&case, 100, close(CaseVerdict::True)).unwrap();
    assert_eq!(hear(Some(&closed), &cause(0, HOUR / 2), None, HOUR / 2), None, "it was under way");
    let again = hear(Some(&closed), &cause(0, 2 * HOUR), None, 2 * HOUR).unwrap();
    assert_eq!((again.id, again.state), (closed.id, CaseState::New));
}

#[test]
fn what_a_rule_silences_names_the_rule_and_becomes_a_case_when_the_rule_is_over() {
    let rule = SuppressionId::from_raw(77);
    let silenced = hear(None, &cause(0, 5), Some(rule), 10).unwrap();
    assert_eq!((silenced.state, silenced.silenced_by, silenced.due), (CaseState::Silenced, Some(rule), None));
    assert!(!silenced.is_open());
    let case = hear(Some(&silenced), &cause(0, 99), None, 100).unwrap();
    assert_eq!((case.id, case.state, case.silenced_by), (silenced.id, CaseState::New, None));
    assert!(case.due.is_some());
}

fn rule(scope: SuppressionScope) -> Suppression {
    Suppression {
        id: SuppressionId::from_raw(1),
        scope,
        owner: "Wang".into(),
        reason: "approved scanner".into(),
        from: at(0),
        until: at(DAY),
        by: "li.wei".into(),
        ended_by: None,
    }
}

#[test]
fn a_rule_silences_only_what_all_of_it_is_true_of() {
    let is_within = |site: SiteId, root: SiteId| site.raw() >= root.raw();
    let (basin, sea) = (AreaId::from_raw(7), AreaId::from_raw(8));
    let is_in = |site: SiteId, area: AreaId| site == COUNTY && area == basin;
    let base = SuppressionScope { kind: Some("port_scan".into()), ..SuppressionScope::default() };
    assert!(base.covers(&cause(0, 0), is_within, is_in));
    for (scope, covers) in [
        (SuppressionScope { source: "10.1.0.0/16".parse().ok(), ..base.clone() }, true),
        (SuppressionScope { source: "10.2.0.0/16".parse().ok(), ..base.clone() }, false),
        (SuppressionScope { destination: "10.0.0.0/8".parse().ok(), ..base.clone() }, false),
        (SuppressionScope { port: Some(445), site: Some(CITY), ..base.clone() }, true),
        (SuppressionScope { port: Some(22), ..base.clone() }, false),
        (SuppressionScope { site: Some(SiteId::from_raw(4)), ..base.clone() }, false),
        (SuppressionScope { area: Some(basin), ..base.clone() }, true),
        (SuppressionScope { area: Some(sea), ..base.clone() }, false),
        (SuppressionScope { kind: Some("beacon".into()), ..base.clone() }, false),
    ] {
        assert_eq!(scope.covers(&cause(0, 0), is_within, is_in), covers, "{scope:?}");
    }
}

#[test]
fn a_rule_needs_an_owner_a_reason_and_an_end_and_says_something() {
    let scope = SuppressionScope { kind: Some("port_scan".into()), ..SuppressionScope::default() };
    let check =
        |scope: &SuppressionScope, owner, reason, until| Suppression::check(scope, (owner, reason), (at(0), at(until)));
    assert_eq!(check(&scope, "Wang", "approved", DAY), Ok(()));
    assert_eq!(check(&scope, "", "approved", DAY), Err(SuppressionError::Owner));
    assert_eq!(check(&scope, "Wang", " ", DAY), Err(SuppressionError::Reason));
    assert_eq!(check(&scope, "Wang", "approved", 0), Err(SuppressionError::End));
    assert_eq!(check(&scope, "Wang", "approved", 400 * DAY), Err(SuppressionError::End));
    let everything = SuppressionScope { site: Some(COUNTY), ..SuppressionScope::default() };
    assert_eq!(check(&everything, "Wang", "approved", DAY), Err(SuppressionError::Everything));
    assert!(rule(scope.clone()).is_on(at(0)) && !rule(scope).is_on(at(DAY)));
}

#[test]
fn hours_go_over_midnight_in_china() {
    let night = Hours { from_min: 22 * 60, to_min: 6 * 60 };
    assert_eq!("22:00-06:00".parse(), Ok(night));
    assert_eq!(night.to_string(), "22:00-06:00");
    for wrong in ["22-06", "24:00-06:00", "06:00-06:00", ""] {
        assert_eq!(wrong.parse::<Hours>(), Err(SuppressionError::Hours), "{wrong}");
    }
    let moment = |text: &str| text.parse::<Timestamp>().unwrap();
    assert!(night.contain(moment("2026-11-29T14:30:00Z")), "22:30");
    assert!(night.contain(moment("2026-11-29T21:59:00Z")), "05:59");
    assert!(!night.contain(moment("2026-11-29T22:00:00Z")), "06:00");
}

#[test]
fn what_nobody_takes_up_goes_up_level_by_level() {
    let deadlines = Deadlines::default();
    let up = |case: &Case, now: i64| case.escalated(at(now), &deadlines, above);
    let case = opened();
    assert_eq!(up(&case, 8 * HOUR), None, "not yet due");
    let once = up(&case, 8 * HOUR + 11).unwrap();
    assert_eq!(once.escalations.last().unwrap().to, CITY);
    assert_eq!(up(&once, 8 * HOUR + 12), None, "told once");
    let last = |case: &Case| case.steps.iter().rev().take(2).map(|it| it.did.clone()).collect::<Vec<_>>();
    assert_eq!(last(&once), ["escalated", "overdue"], "that it is late is told apart from whom it goes up to");
    let twice = up(&once, 8 * HOUR + 11 + DAY).unwrap();
    assert_eq!(twice.escalations.last().unwrap().to, PROVINCE);
    assert_eq!(last(&twice), ["escalated", "escalated"], "it is late only once");
    assert_eq!(up(&twice, 30 * DAY), None, "nobody is above");
    let taken = act(&twice, 30 * DAY, CaseAction::Acknowledge).unwrap();
    let later = up(&taken, 36 * DAY).unwrap();
    assert_eq!(later.escalations.last().unwrap().reason, EscalationReason::NotClosed);
    assert_eq!(later.escalations.last().unwrap().to, CITY, "for another reason it begins below");
    assert_eq!(last(&later), ["escalated", "overdue"]);
}

#[test]
fn figures_tell_what_cases_were_and_how_long_they_took_and_leave_drills_out() {
    let mut figures = CaseFigures::default();
    let taken = act(&opened(), HOUR, CaseAction::Acknowledge).unwrap();
    let mut drill = opened();
    drill.key.drill = true;
    for case in [&opened(), &taken, &drill] {
        figures.add(case, at(9 * HOUR));
    }
    assert_eq!((figures.opened, figures.open, figures.overdue, figures.closed), (2, 2, 1, [0, 0, 0]));
    assert_eq!(figures.acknowledged_after_ms(50), taken.acknowledged_after_ms());
    assert_eq!(figures.closed_after_ms(50), None);
}

#[test]
fn at_the_top_what_is_overdue_is_said_once() {
    let case = opened();
    let nobody = |_| None;
    let once = case.escalated(at(9 * HOUR), &Deadlines::default(), nobody).unwrap();
    assert_eq!(once.escalations.last().unwrap().to, case.key.site);
    assert_eq!(once.escalated(at(90 * DAY), &Deadlines::default(), nobody), None);
}

#[test]
fn a_notice_that_is_not_answered_goes_to_the_units_parent() {
    let case = notified();
    let due = case.due.unwrap();
    let up = case.escalated(due.plus_ms(1), &Deadlines::default(), above).unwrap();
    let last = up.escalations.last().unwrap();
    assert_eq!((last.reason, last.to), (EscalationReason::NotAnswered, CITY));
    let answered = act(&case, 300, answer(true)).unwrap();
    assert_eq!(answered.escalated(at(400), &Deadlines::default(), above), None);
}

fn any_action() -> impl Strategy<Value = CaseAction> {
    let text = || "x".to_owned();
    prop_oneof![
        Just(CaseAction::Acknowledge),
        Just(CaseAction::Review),
        Just(CaseAction::Assign { to: text() }),
        Just(grade()),
        Just(CaseAction::Comment { text: text() }),
        Just(CaseAction::Attach { text: text() }),
        any::<bool>().prop_map(|of_unit| CaseAction::AttachFile { file: file(7), of_unit }),
        Just(notify()),
        Just(CaseAction::Receive),
        any::<bool>().prop_map(answer),
        Just(CaseAction::Return { text: text(), due: None }),
        prop::sample::select(CaseVerdict::ALL.to_vec()).prop_map(close),
        Just(CaseAction::Reopen { text: text() }),
    ]
}

#[derive(Debug, Clone)]
enum Happens {
    Told { first: i64, last: i64, silenced: bool },
    Acts(CaseAction),
    Ticks,
}

fn anything() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (-50 * HOUR..1, -50 * HOUR..1, any::<bool>()).prop_map(|(a, b, silenced)| Happens::Told {
            first: a.min(b),
            last: a.max(b),
            silenced
        }),
        any_action().prop_map(Happens::Acts),
        Just(Happens::Ticks),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_a_case_keeps_its_promises(drilled: bool, script in prop::collection::vec((anything(), 1..9 * HOUR), 1..60)) {
        let deadlines = Deadlines::default();
        let mut known: Option<Case> = None;
        let mut now = 0;
        for (happens, pause) in script {
            now += pause;
            match happens {
                Happens::Told { first, last, silenced } => {
                    let cause = CaseCause { key: key(drilled), ..cause(now + first, now + last) };
                    let rule = silenced.then_some(SuppressionId::from_raw(9));
                    if let Some(next) = hear(known.as_ref(), &cause, rule, now) {
                        let other = known.as_ref().is_some_and(|it| it.id != next.id);
                        prop_assert!(!other || !known.as_ref().unwrap().is_open(), "one open case a key");
                        known = Some(next);
                    }
                }
                Happens::Acts(action) => {
                    let Some(case) = &known else { continue };
                    if let Ok(next) = act(case, now, action) {
                        prop_assert_eq!(next.steps.len(), case.steps.len() + 1);
                        prop_assert_eq!(&next.steps[..case.steps.len()], &case.steps[..], "a story is never rewritten");
                        known = Some(next);
                    }
                }
                Happens::Ticks => {
                    let next = known.as_ref().and_then(|case| case.escalated(at(now), &deadlines, above));
                    known = next.or(known);
                }
            }
            let Some(case) = &known else { continue };
            prop_assert_eq!(case.is_open(), case.due.is_some(), "what is open is due at some time");
            prop_assert_eq!(matches!(case.state, CaseState::Closed(_)), case.closed.is_some());
            prop_assert_eq!(case.state == CaseState::Silenced, case.silenced_by.is_some());
            let is_told = matches!(case.state, CaseState::Notified | CaseState::Rectified);
            prop_assert!(!is_told || !case.notices.is_empty() && case.graded_by.is_some());
            prop_assert_eq!(case.notices.iter().any(Notice::is_open), case.state == CaseState::Notified);
            if let CaseState::Closed(verdict) = case.state {
                prop_assert_eq!(verdict == CaseVerdict::Drill, drilled);
                prop_assert!(verdict != CaseVerdict::True || case.graded_by.is_some());
                let by = case.steps.iter().rev().find(|it| it.did == "close").and_then(|it| it.by.clone());
                prop_assert!(by.is_some(), "only a person closes a case");
            }
            prop_assert!(case.evidence.len() <= EVIDENCE_MAX);
        }
    }
}
