//! Several notices of one case: each is kept with all its answers, and the case goes on once all units have answered.

use super::*;

const SERIAL: u32 = 7;

/// Acts at a site, with the number that the next notice would have.
fn act_at(case: &Case, now: i64, (site, serial): (SiteId, u32), action: &CaseAction) -> Result<Case, ActError> {
    let number = NoticeNumber { year: 2026, serial, drill: false };
    case.act(action, Acting { site, number, ..acting(now, "li.wei") })
}

fn notify_at(to: SiteId) -> CaseAction {
    CaseAction::Notify { to, text: "mend it".into(), due: None, issuer: None }
}

fn back() -> CaseAction {
    CaseAction::Return { text: "not enough".into(), due: None }
}

/// A case of which the county and the city above it were notified.
fn of_two() -> Case {
    act_at(&notified(), 200, (COUNTY, SERIAL + 1), &notify_at(CITY)).unwrap()
}

#[test]
fn a_second_notice_and_every_answer_stand_beside_the_first() {
    let mut case = notified();
    for (now, rectified) in [(300, true), (500, false)] {
        case = act(&case, now, answer(rectified)).unwrap();
        case = act(&case, now + 100, back()).unwrap();
    }
    case = act(&case, 700, answer(true)).unwrap();
    case = act(&case, 800, close(CaseVerdict::True)).unwrap();
    case = act(&case, 900, CaseAction::Reopen { text: "again".into() }).unwrap();
    case = act_at(&case, 1_000, (COUNTY, SERIAL + 1), &notify_at(COUNTY)).unwrap();
    let [first, second] = &case.notices[..] else { panic!("{:?}", case.notices) };
    let returned: Vec<bool> = first.answers.iter().map(|it| it.returned.is_some()).collect();
    assert_eq!((returned, first.ended), (vec![true, true, false], Some(at(800))));
    assert_eq!((second.number.serial, second.awaits()), (SERIAL + 1, true));
    let about: Vec<Option<u32>> = case.steps.iter().map(|step| step.notice.map(|it| it.serial)).collect();
    assert_eq!(about[4..], [Some(7), Some(7), Some(7), Some(7), Some(7), Some(7), None, None, Some(8)]);
}

#[test]
fn a_case_of_several_units_is_rectified_once_all_of_them_say_so() {
    let case = of_two();
    assert_eq!(
        act_at(&case, 250, (COUNTY, 9), &notify_at(CITY)),
        Err(ActError::NoticeOpen(NoticeNumber { year: 2026, serial: SERIAL + 1, drill: false }))
    );
    let case = act_at(&case, 300, (COUNTY, 9), &answer(true)).unwrap();
    assert_eq!(case.state, CaseState::Notified, "the city has not answered");
    assert!(act_at(&case, 310, (COUNTY, 9), &answer(true)).is_err(), "the county has");
    assert!(case.is_for(CITY) && !case.is_for(COUNTY));
    let case = act_at(&case, 400, (CITY, 9), &CaseAction::Receive).unwrap();
    let case = act_at(&case, 410, (CITY, 9), &answer(true)).unwrap();
    assert_eq!(case.state, CaseState::Rectified);
    let number = case.notices[0].number;
    let case = case.act(&back(), Acting { notice: Some(number), ..acting(500, "wang") }).unwrap();
    assert_eq!((case.state, case.is_for(COUNTY), case.is_for(CITY)), (CaseState::Notified, true, false));
    assert!(act_at(&case, 510, (PROVINCE, 9), &answer(true)).is_err(), "nobody told the province");
}

#[test]
fn the_unit_that_is_late_first_is_who_is_late() {
    let late = CaseAction::Notify { to: CITY, text: "x".into(), due: Some(at(HOUR)), issuer: None };
    let case = act_at(&notified(), 200, (COUNTY, SERIAL + 1), &late).unwrap();
    assert_eq!(case.due, Some(at(HOUR)), "what is due first");
    let up = case.escalated(at(2 * HOUR), &Deadlines::default(), above).unwrap();
    let last = up.steps.last().unwrap();
    assert_eq!((last.notice.map(|it| it.serial), up.escalations[0].to), (Some(SERIAL + 1), PROVINCE));
    let answered = act_at(&case, 300, (CITY, 9), &answer(true)).unwrap();
    assert_eq!(answered.due, Some(case.notices[0].due), "the other unit is still to answer");
}

#[test]
fn a_case_of_an_older_version_is_read_with_the_answers_of_its_story() {
    let case = act(&notified(), 300, answer(true)).unwrap();
    let case = act(&act(&case, 400, back()).unwrap(), 500, answer(false)).unwrap();
    let mut row = serde_json::to_value(&case).unwrap();
    let row_of = row.as_object_mut().unwrap();
    let mut notice = row_of.remove("notices").unwrap()[0].clone();
    notice.as_object_mut().unwrap().remove("answers");
    notice["answered"] = serde_json::json!([at(500), "li.wei", "unplugged"]);
    row_of.insert("notice".into(), notice);
    for step in row["steps"].as_array_mut().unwrap() {
        step.as_object_mut().unwrap().remove("notice");
    }
    let old: Case = serde_json::from_value(row.clone()).unwrap();
    assert_eq!(old.notices[0].answers.len(), 1, "what the row has of it");
    let whole = old.with_answers_of_its_story();
    let told: Vec<(&str, bool, Option<&str>)> = whole.notices[0]
        .answers
        .iter()
        .map(|it| (it.text.as_str(), it.rectified, it.returned.as_ref().map(|back| back.text.as_str())))
        .collect();
    assert_eq!(told, [("unplugged", true, Some("not enough")), ("unplugged", false, None)]);
    assert_eq!(whole.clone().with_answers_of_its_story(), whole, "once");
    row["notice"] = serde_json::Value::Null;
    assert!(serde_json::from_value::<Case>(row).unwrap().notices.is_empty());
    assert_eq!(case.clone().with_answers_of_its_story(), case, "what this version wrote stays as it is");
}

#[test]
fn a_notice_is_answered_in_time_or_late_or_not_at_all_and_drills_count_nowhere() {
    let late = at(103).plus_ms(Deadlines::default().answer_ms(Severity::Major) + 1).ms_since(at(0));
    let cases = [
        act(&notified(), 300, answer(true)).unwrap(),
        act(&notified(), late, answer(true)).unwrap(),
        act(&act(&notified(), 300, answer(true)).unwrap(), 400, back()).unwrap(),
        act(&notified(), late, close(CaseVerdict::True)).unwrap(),
    ];
    let month = |cases: &[Case], from: i64, to: i64| {
        CaseMonth::of(cases.iter(), (at(from), at(to), at(late + 1)), |site| site == COUNTY)
    };
    let all = month(&cases, 0, late + 1);
    let notices = NoticeFigures { sent: 4, in_time: 1, late: 1, unanswered: 2, overdue: 1 };
    assert_eq!(all, CaseMonth { opened: 4, closed: [1, 0, 0], overdue: 0, notices });
    let later = month(&cases, 200, late + 1);
    assert_eq!((later.opened, later.closed, later.notices.sent), (0, [1, 0, 0], 0), "sent before, closed then");
    let up = notified().escalated(at(late), &Deadlines::default(), above).unwrap();
    assert_eq!(month(&[up], 200, late + 1).overdue, 1);
    let elsewhere = CaseMonth::of(cases.iter(), (at(0), at(late), at(late)), |site| site == CITY);
    assert_eq!(elsewhere, CaseMonth::default());
    let drilled = hear(None, &drill(), None, 10).unwrap();
    assert_eq!(month(&[drilled], 0, late), CaseMonth::default());
}
