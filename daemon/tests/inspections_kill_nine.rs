//! A centre that is killed -9 while units answer an inspection: nothing that was acknowledged is lost, and nothing is there twice.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

#[path = "support/kill.rs"]
mod kill;

use std::{collections::BTreeSet, env, path::Path, time::Duration};

use onenet_topology::{
    SiteId, Timestamp,
    campaign::{Campaign, CampaignError, CampaignPlan, CheckItem, Compliance, SheetAction},
    division::Tier,
    site::{SiteKind, SiteName},
};
use onenetd::{
    centre::{Centre, Options},
    ingest::{IntakeError, Outcome, Refusal},
    outbox::What,
    record::{Body, Command, NewSite},
};

const CHILD: &str = "ONENET_TEST_INSPECTIONS_KILL_NINE_DATA";
const TEST: &str = "an_inspection_survives_kill_nine_at_each_step_with_each_step_once";
/// Kills at least, and at most until every step was hit.
const ROUNDS_MIN: usize = 10;
const ROUNDS_MAX: usize = 60;
/// Different pauses before a kill: most steps take less than a few of them.
const PAUSES: usize = 4;
/// What happens in each inspection, in order: it is opened, its unit is late, these are done with the sheet of its unit, it is closed.
const STORY: [&str; 5] = ["overdue", "answer", "find", "mend", "recheck"];
/// Steps of an inspection with its opening and its end.
const LENGTH: usize = STORY.len() + 2;

#[test]
fn an_inspection_survives_kill_nine_at_each_step_with_each_step_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(data) = env::var(CHILD) {
        runtime.block_on(work_for_ever(Path::new(&data)));
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut hit) = (0_usize, BTreeSet::new());
    for round in 0..ROUNDS_MAX {
        // Each step has its turn, those first that no kill has hit yet, and a little later each time; at once again after some rounds,
        // since most steps take less than the longest pause.
        let wanted = (1..=LENGTH).find(|steps| !hit.contains(steps)).unwrap_or(round % LENGTH + 1);
        let ahead = (wanted + LENGTH - acknowledged % LENGTH) % LENGTH;
        let moment = (
            ahead + if ahead < 2 { LENGTH } else { 0 },
            Duration::from_micros(u64::try_from(round % PAUSES).unwrap() * 170),
        );
        kill::after(TEST, (CHILD, data.path()), moment, |said| acknowledged = said.parse().unwrap());
        let (steps, last) = runtime.block_on(found_in(data.path()));
        assert!(steps == acknowledged || steps == acknowledged + 1, "{steps} of {acknowledged} acknowledged are there");
        // What is there stays there: the next turn is counted from it.
        acknowledged = steps;
        hit.insert(last);
        if round >= ROUNDS_MIN && hit.len() == LENGTH {
            break;
        }
    }
    assert_eq!(hit.len(), LENGTH, "{hit:?}: a step was never hit");
}

/// Returns how many steps are in the store, and how many of the newest inspection; each story is told in order and once.
async fn found_in(data: &Path) -> (usize, usize) {
    let centre = Centre::open(data, options()).await.unwrap();
    let each: Vec<usize> = centre.estate().campaigns.all.values().map(|it| steps(&centre, it)).collect();
    // Ticks go on beside this: what is told is held against what is known when neither changes any more.
    centre.stop().await;
    told(&centre);
    let (last, before) = each.split_last().unwrap();
    assert!(before.iter().all(|steps| *steps == LENGTH), "{each:?}");
    (each.iter().sum(), *last)
}

/// A centre that keeps messages.
fn options() -> Options {
    Options { outbox: true, ..Options::default() }
}

/// Each inspection has one message that it was opened, and one that its unit is late as soon as it was: neither is lost or there twice.
fn told(centre: &Centre) {
    let outbox = centre.outbox().unwrap();
    outbox.enter("hook", 0).unwrap();
    let messages = outbox.waiting("hook", 100_000).unwrap();
    let estate = centre.estate();
    for campaign in estate.campaigns.all.values() {
        let count = |what| messages.iter().filter(|it| it.what == what && it.about == campaign.id.to_string()).count();
        let late = usize::from(campaign.late_told.is_some());
        assert_eq!((count(What::InspectionOpened), count(What::InspectionOverdue)), (1, late), "{}", campaign.id);
    }
}

fn steps(centre: &Centre, campaign: &Campaign) -> usize {
    let estate = centre.estate();
    let mut steps = 1 + usize::from(campaign.closed.is_some());
    for sheet in estate.campaigns.sheets_of(campaign.id) {
        let story: Vec<&str> = sheet.steps.iter().map(|step| step.did.as_str()).collect();
        assert_eq!(story, STORY[..story.len()], "{}", campaign.id);
        steps += story.len();
    }
    steps
}

/// The child: goes on from wherever the last inspection is.
async fn work_for_ever(data: &Path) {
    let centre = Centre::open(data, options()).await.unwrap();
    let site = site_of(&centre).await;
    let all = || centre.estate().campaigns.all.values().map(|it| steps(&centre, it)).sum::<usize>();
    let mut told = all();
    loop {
        match next(&centre, site) {
            Some(command) => match centre.submit(command, "wang").await {
                // The machine paused for longer than its unit was given: the next turn gives it as long again.
                Err(IntakeError::Refused(Refusal::Campaign(CampaignError::Past(_)))) => continue,
                outcome => drop(outcome.unwrap()),
            },
            // A tick finds that the unit is late, once that is so.
            None => drop(centre.intake().submit(Body::Tick).await.unwrap()),
        }
        // A tick at which nothing became late is no step: the parent counts steps.
        if all() != told {
            told = all();
            kill::acknowledge(format_args!("{told}"));
        }
    }
}

/// Returns what is to be done next; `None` where that is to let time pass.
fn next(centre: &Centre, site: SiteId) -> Option<Command> {
    let (estate, later) = (centre.estate(), Timestamp::from_unix_ms(9_000_000_000_000));
    let Some(last) = estate.campaigns.all.values().next_back().filter(|it| it.is_open()) else {
        let (title, checklist) = ("autumn".to_owned(), CheckItem::standard());
        // As soon as can be: the next ticks are behind it.
        let due = centre.clock().now().max(estate.time).plus_ms(2);
        let plan = CampaignPlan { site, title, checklist, units: BTreeSet::from([site]), due };
        return Some(Command::OpenCampaign { plan: Box::new(plan) });
    };
    let (campaign, text) = (last.id, "x".to_owned());
    let done = estate.campaigns.sheet(campaign, site).map_or(0, |it| it.steps.len());
    let action = match STORY.get(done) {
        Some(&"overdue") => return None,
        Some(&"answer") => {
            let (evidence, observed) = (vec!["y".to_owned()], Vec::new());
            SheetAction::Answer { item: 1, verdict: Compliance::Partly, text, evidence, observed }
        }
        Some(&"find") => SheetAction::Find { item: 1, text, due: later },
        Some(&"mend") => SheetAction::Mend { finding: 1, text },
        Some(_) => SheetAction::Recheck { finding: 1, passed: true, text, due: None },
        None => return Some(Command::CloseCampaign { site, campaign, text }),
    };
    Some(Command::ActOnCampaign { site, campaign, action })
}

async fn site_of(centre: &Centre) -> SiteId {
    if let Some(site) = centre.estate().tree.iter().next() {
        return site.id;
    }
    let (kind, name, from) = (SiteKind::Division, SiteName::new("部", ""), Timestamp::EPOCH);
    let site = NewSite { tier: Tier::Ministry, kind, code: "000000".into(), name, parents: Vec::new(), from };
    match centre.submit(Command::AddSite(site), "wang").await.unwrap() {
        Outcome::SiteAdded(site) => site,
        other => panic!("{other:?}"),
    }
}
