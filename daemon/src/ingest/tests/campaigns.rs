//! Inspection campaigns and time: who is told that one was opened or is late, once each, and how long they are kept.

use onenet_topology::{
    CampaignId,
    campaign::{CampaignPlan, CheckItem, Compliance, OVERDUE, SheetAction},
    site::Uplink,
};

use super::*;
use crate::{
    ingest::caps,
    outbox::{Message, What},
    record::NewSite,
};

const DAY_MS: i64 = 86_400_000;

/// A province with two counties.
fn province() -> (World, SiteId, [SiteId; 2]) {
    let mut world = World::new();
    let top = world.add_site("130000");
    let below = ["130102", "130104"].map(|code| {
        let site = NewSite {
            tier: Tier::County,
            kind: SiteKind::Division,
            code: code.into(),
            name: SiteName::new(code, code),
            parents: vec![Uplink { parent: top }],
            from: Timestamp::EPOCH,
        };
        let Outcome::SiteAdded(site) = world.command(Command::AddSite(site)).unwrap() else { panic!("no site") };
        site
    });
    (world, top, below)
}

fn open(world: &mut World, site: SiteId, units: &[SiteId]) -> CampaignId {
    let plan = CampaignPlan {
        site,
        title: "autumn".into(),
        checklist: vec![CheckItem { text: "Is there a duty roster?".into(), requirement: None }],
        units: units.iter().copied().collect(),
        due: world.now.plus_ms(10 * DAY_MS),
    };
    match world.command(Command::OpenCampaign { plan: Box::new(plan) }).unwrap() {
        Outcome::CampaignOpened(id) => id,
        other => panic!("{other:?}"),
    }
}

fn act(world: &mut World, campaign: CampaignId, site: SiteId, action: SheetAction) {
    world.command(Command::ActOnCampaign { site, campaign, action }).unwrap();
}

fn answer() -> SheetAction {
    let (verdict, text) = (Compliance::Fulfilled, "yes".to_owned());
    SheetAction::Answer { item: 1, verdict, text, evidence: Vec::new(), observed: Vec::new() }
}

/// Lets time pass until `at`, and then a round of ticks.
fn tick_from(world: &mut World, at: Timestamp) {
    world.now = at;
    for _ in 0..600 {
        world.now = world.now.plus_ms(1_000);
        world.submit(Body::Tick).unwrap();
    }
}

/// What was told of inspections.
fn told(world: &World) -> Vec<Message> {
    let messages = world.changes.iter().filter_map(|change| match change {
        Change::Told(message) => Some(Message::clone(message)),
        _ => None,
    });
    messages.filter(|it| matches!(it.what, What::InspectionOpened | What::InspectionOverdue)).collect()
}

#[test]
fn an_inspection_is_told_of_when_it_is_opened_and_when_units_and_findings_are_late_once_each() {
    let (mut world, top, [one, other]) = province();
    let begin = world.now;
    let campaign = open(&mut world, top, &[one, other]);
    let [opened] = &told(&world)[..] else { panic!("{:?}", told(&world)) };
    assert_eq!((opened.what, opened.site, &*opened.concerns), (What::InspectionOpened, top, &[one, other][..]));
    assert_eq!(opened.due, Some(begin.plus_ms(10 * DAY_MS)));
    act(&mut world, campaign, one, answer());
    let due = world.now.plus_ms(DAY_MS * 12);
    act(&mut world, campaign, one, SheetAction::Find { item: 1, text: "nobody at night".into(), due });
    tick_from(&mut world, begin.plus_ms(9 * DAY_MS));
    assert_eq!(told(&world).len(), 1, "not yet");
    tick_from(&mut world, begin.plus_ms(10 * DAY_MS));
    tick_from(&mut world, begin.plus_ms(11 * DAY_MS));
    let [_, late] = &told(&world)[..] else { panic!("{:?}", told(&world)) };
    assert_eq!((late.what, late.site, &*late.concerns), (What::InspectionOverdue, top, &[other][..]));
    assert_eq!(late.text, "1: 130104");
    let sheet = world.estate.campaigns.sheet(campaign, other).unwrap();
    assert_eq!(sheet.steps.iter().map(|it| it.did.as_str()).collect::<Vec<_>>(), [OVERDUE]);
    tick_from(&mut world, begin.plus_ms(12 * DAY_MS));
    tick_from(&mut world, begin.plus_ms(13 * DAY_MS));
    let [_, _, found] = &told(&world)[..] else { panic!("{:?}", told(&world)) };
    assert_eq!((found.what, found.site, found.to), (What::InspectionOverdue, one, Some(top)));
    assert_eq!(found.text, "nobody at night");
    // A start in between repeats nothing.
    let directory = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(directory.path()).unwrap();
    store.commit(&world.changes).unwrap();
    world.estate = store.load().unwrap();
    tick_from(&mut world, begin.plus_ms(14 * DAY_MS));
    assert_eq!(told(&world).len(), 3);
}

#[test]
fn closed_inspections_are_kept_beyond_the_cap_for_190_days_and_give_way_afterwards() {
    let (mut world, top, [one, _]) = province();
    for _ in 0..1_001 {
        let campaign = open(&mut world, top, &[one]);
        world.command(Command::CloseCampaign { site: top, campaign, text: "done".into() }).unwrap();
    }
    let near = |world: &World| caps(&world.estate).map(|cap| (cap.what, cap.held, cap.is_near()));
    let begin = world.now;
    tick_from(&mut world, begin.plus_ms(189 * DAY_MS));
    assert_eq!(near(&world), [("cases", 0, false), ("inspections", 1_001, true), ("files", 0, false)]);
    tick_from(&mut world, begin.plus_ms(191 * DAY_MS));
    assert_eq!(near(&world), [("cases", 0, false), ("inspections", 1_000, true), ("files", 0, false)]);
}
