//! Campaigns: what is refused, what is kept of what was said, and when one can be closed.

use super::*;

const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
const DAY_MS: i64 = 86_400_000;

fn campaign() -> Campaign {
    let item = |text: &str, requirement| CheckItem { text: text.into(), requirement };
    let plan = CampaignPlan {
        site: SiteId::from_raw(1),
        title: "autumn".into(),
        checklist: vec![item("", Some(Requirement::Equipment)), item("Is there a duty roster?", None)],
        units: [SiteId::from_raw(2), SiteId::from_raw(3)].into(),
        due: NOW.plus_ms(10 * DAY_MS),
    };
    Campaign { id: CampaignId::from_raw(9), plan, opened: NOW, by: "li".into(), closed: None, late_told: None }
}

fn answer(item: u16, text: &str, observed: Vec<Observation>) -> SheetAction {
    let (text, evidence) = (text.to_owned(), vec!["roster of October".to_owned()]);
    SheetAction::Answer { item, verdict: Compliance::Partly, text, evidence, observed }
}

fn find(days: i64) -> SheetAction {
    SheetAction::Find { item: 2, text: "no roster for nights".into(), due: NOW.plus_ms(days * DAY_MS) }
}

fn recheck(passed: bool) -> SheetAction {
    SheetAction::Recheck { finding: 1, passed, text: "looked".into(), due: None }
}

/// Does one thing after the other at unit 2, each a day later.
fn done(campaign: &Campaign, actions: &[SheetAction]) -> Result<Option<Sheet>, SheetError> {
    let mut sheet = None;
    for (day, action) in (1..).zip(actions) {
        let acted = Acted { time: NOW.plus_ms(day * DAY_MS / 10), by: "wang" };
        sheet = Some(campaign.act(SiteId::from_raw(2), sheet.as_ref(), action, acted)?);
    }
    Ok(sheet)
}

#[test]
fn a_plan_says_what_is_wrong_with_it() {
    let well = campaign().plan;
    assert_eq!(well.check(NOW), Ok(()));
    let of = |change: &dyn Fn(&mut CampaignPlan)| {
        let mut plan = well.clone();
        change(&mut plan);
        plan.check(NOW)
    };
    assert_eq!(of(&|it| it.title = " ".into()), Err(CampaignError::Title));
    assert_eq!(of(&|it| it.checklist.clear()), Err(CampaignError::Checklist));
    assert_eq!(of(&|it| it.checklist[1].text = String::new()), Err(CampaignError::Checklist));
    assert_eq!(of(&|it| it.units.clear()), Err(CampaignError::Units(0)));
    assert_eq!(of(&|it| it.due = NOW), Err(CampaignError::Past(NOW)));
}

#[test]
fn an_answer_is_replaced_and_the_story_keeps_both() {
    let campaign = campaign();
    let seen = vec![Observation::part(Observed::DevicesUp, 3, 4)];
    let sheet = done(&campaign, &[answer(1, "", seen.clone()), answer(1, "all four by now", seen)]).unwrap().unwrap();
    assert_eq!((sheet.answers.len(), sheet.answers[&1].text.as_str()), (1, "all four by now"));
    let said: Vec<&str> = sheet.steps.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(said, ["partly · roster of October", "partly · all four by now · roster of October"]);
    assert_eq!(campaign.progress(Some(&sheet), NOW).answered, 1);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let campaign = campaign();
    let refused = |actions: &[SheetAction]| done(&campaign, actions).unwrap_err();
    assert_eq!(refused(&[answer(2, "", Vec::new())]), SheetError::Text, "nothing said, and nothing known");
    assert_eq!(refused(&[answer(3, "x", Vec::new())]), SheetError::Item(3));
    assert_eq!(refused(&[answer(0, "x", Vec::new())]), SheetError::Item(0));
    assert_eq!(refused(&[find(-1)]), SheetError::Past(NOW.plus_ms(-DAY_MS)));
    assert_eq!(refused(&[recheck(true)]), SheetError::Finding(1));
    let mend = SheetAction::Mend { finding: 1, text: "made".into() };
    assert!(matches!(refused(&[find(5), mend.clone(), mend.clone()]), SheetError::State { state: "mended", .. }));
    assert!(matches!(refused(&[find(5), recheck(true), mend]), SheetError::State { state: "closed", .. }));
    let acted = Acted { time: NOW, by: "wang" };
    let stranger = SiteId::from_raw(7);
    assert_eq!(campaign.act(stranger, None, &answer(1, "x", Vec::new()), acted), Err(SheetError::NotAsked(stranger)));
}

#[test]
fn a_finding_is_open_until_it_was_checked_again_and_with_it_the_campaign() {
    let campaign = campaign();
    let mend = SheetAction::Mend { finding: 1, text: "made".into() };
    let open = |actions: &[SheetAction]| {
        let sheet = done(&campaign, actions).unwrap();
        campaign.progress(sheet.as_ref(), NOW).findings_open
    };
    assert_eq!(open(&[find(5)]), 1);
    assert_eq!(open(&[find(5), mend.clone()]), 1, "the unit's word is not the end of it");
    assert_eq!(open(&[find(5), mend.clone(), recheck(false)]), 1);
    assert_eq!(open(&[find(5), mend.clone(), recheck(false), mend, recheck(true)]), 0);
    assert_eq!(campaign.close(NOW, "li", "done", 1), Err(CampaignError::FindingsOpen(1)));
    let closed = campaign.close(NOW, "li", "done", 0).unwrap();
    assert!(matches!(closed.close(NOW, "li", "again", 0), Err(CampaignError::Closed { .. })));
    let acted = Acted { time: NOW, by: "wang" };
    assert_eq!(closed.act(SiteId::from_raw(2), None, &find(5), acted), Err(SheetError::Closed));
}

#[test]
fn who_has_not_answered_or_mended_in_time_is_overdue_and_nobody_once_it_is_closed() {
    let campaign = campaign();
    let late = NOW.plus_ms(11 * DAY_MS);
    let overdue = |sheet: Option<&Sheet>, at| campaign.progress(sheet, at).is_overdue;
    assert!(!overdue(None, NOW) && overdue(None, late));
    let all = [answer(1, "a", Vec::new()), answer(2, "b", Vec::new())];
    let sheet = done(&campaign, &all).unwrap();
    assert!(!overdue(sheet.as_ref(), late));
    let sheet = done(&campaign, &[all[0].clone(), all[1].clone(), find(5)]).unwrap();
    assert!(overdue(sheet.as_ref(), NOW.plus_ms(6 * DAY_MS)));
    let closed = campaign.close(late, "li", "over", 0).unwrap();
    assert!(!closed.progress(None, late).is_overdue);
}

#[test]
fn what_is_stored_is_read_back() {
    let seen = vec![Observation::of_kind(Observed::Off, "dga", 1), Observation::at(Observed::Since, NOW)];
    let sheet = done(&campaign(), &[answer(1, "", seen), find(5)]).unwrap().unwrap();
    let text = serde_json::to_string(&sheet).unwrap();
    assert_eq!(serde_json::from_str::<Sheet>(&text).unwrap(), sheet);
    let campaign = campaign();
    assert_eq!(serde_json::from_str::<Campaign>(&serde_json::to_string(&campaign).unwrap()).unwrap(), campaign);
}

#[test]
fn who_is_late_is_told_once_and_a_finding_anew_once_its_new_date_is_over() {
    let campaign = campaign();
    let (two, three) = (SiteId::from_raw(2), SiteId::from_raw(3));
    let sheet = done(&campaign, &[answer(1, "x", Vec::new()), answer(2, "x", Vec::new()), find(11)]).unwrap().unwrap();
    let of = |site: SiteId| (site == two).then_some(&sheet);
    let (due, later) = (NOW.plus_ms(10 * DAY_MS), NOW.plus_ms(11 * DAY_MS + 1));
    assert_eq!(campaign.late(due, of), None);
    assert_eq!(campaign.late(later, of), Some(BTreeSet::from([three])));
    assert_eq!(campaign.told_late(later).late(later, of), None);
    assert_eq!((sheet.late(due), sheet.late(later)), (BTreeSet::new(), BTreeSet::from([1])));
    let told = sheet.told_late(later, &BTreeSet::from([1]));
    assert_eq!(told.late(later), BTreeSet::new());
    assert_eq!(told.steps.last().map(|it| (it.did.as_str(), it.item)), Some((OVERDUE, 2)));
    let again = SheetAction::Recheck { finding: 1, passed: false, text: "no".into(), due: Some(later.plus_ms(DAY_MS)) };
    let told = campaign.act(two, Some(&told), &again, Acted { time: later, by: "li" }).unwrap();
    assert_eq!((told.late(later), told.late(later.plus_ms(2 * DAY_MS))), (BTreeSet::new(), BTreeSet::from([1])));
}
