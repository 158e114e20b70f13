//! A centre that is killed -9 while people work on cases: in whatever state a case is, nothing that was acknowledged is lost, no step
//! is there twice, and no number of a notice was given twice.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

#[path = "support/kill.rs"]
mod kill;

use std::{collections::BTreeSet, env, path::Path, time::Duration};

use onenet_topology::{
    SiteId, Timestamp,
    case::{Case, CaseAction, CaseVerdict, Category},
    division::Tier,
    incident::Severity,
    site::{SiteKind, SiteName},
};
use onenetd::{
    centre::{Centre, Options},
    ingest::Outcome,
    record::{Command, NewSite},
};

const CHILD: &str = "ONENET_TEST_CASES_KILL_NINE_DATA";
/// Kills at least, and at most until every state was hit.
const ROUNDS_MIN: usize = 20;
const ROUNDS_MAX: usize = 80;
/// The story of each case, in order; the site that is notified is the case's own.
const STORY: [&str; 8] = ["opened", "acknowledge", "review", "grade", "notify", "receive", "answer", "close"];

#[test]
fn a_case_survives_kill_nine_in_every_state_with_each_step_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(data) = env::var(CHILD) {
        runtime.block_on(work_for_ever(Path::new(&data)));
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut states) = (0_usize, BTreeSet::new());
    for round in 0..ROUNDS_MAX {
        // Each state has its turn, those first in which no kill has found a case yet, and a little later each time.
        let length = STORY.len();
        let wanted = (1..=length).find(|steps| !states.contains(steps)).unwrap_or(round % length + 1);
        let ahead = (wanted + length - acknowledged % length) % length;
        let moment =
            (ahead + if ahead < 2 { length } else { 0 }, Duration::from_micros(u64::try_from(round).unwrap() * 170));
        let test = "a_case_survives_kill_nine_in_every_state_with_each_step_once";
        kill::after(test, (CHILD, data.path()), moment, |said| acknowledged = said.parse().unwrap());
        let cases = runtime.block_on(found_in(data.path()));
        let steps: usize = cases.iter().map(|case| case.steps.len()).sum();
        assert!(steps == acknowledged || steps == acknowledged + 1, "{steps} of {acknowledged} acknowledged are there");
        for case in &cases {
            let story: Vec<&str> = case.steps.iter().map(|step| step.did.as_str()).collect();
            assert_eq!(story, STORY[..story.len()], "{}", case.id);
        }
        let numbers: Vec<u32> = cases.iter().flat_map(|case| &case.notices).map(|it| it.number.serial).collect();
        let all: BTreeSet<u32> = numbers.iter().copied().collect();
        assert_eq!(all, (1..).take(numbers.len()).collect(), "each number once, and none left out");
        states.extend(cases.last().map(|case| case.steps.len()));
        if round >= ROUNDS_MIN && states.len() == STORY.len() {
            break;
        }
    }
    assert_eq!(states.len(), STORY.len(), "{states:?}: a state was never hit");
}

async fn found_in(data: &Path) -> Vec<Case> {
    let centre = Centre::open(data, Options::default()).await.unwrap();
    let cases = centre.estate().cases.all.values().map(|case| Case::clone(case)).collect();
    centre.stop().await;
    cases
}

/// The child: goes on from wherever the last case is.
async fn work_for_ever(data: &Path) {
    let centre = Centre::open(data, Options::default()).await.unwrap();
    let site = site_of(&centre).await;
    loop {
        let estate = centre.estate();
        let last = estate.cases.all.values().next_back().filter(|case| case.is_open());
        let command = last.map_or_else(|| drill(site, estate.cases.all.len()), |case| next(site, case));
        centre.submit(command, "wang").await.unwrap();
        let steps: usize = centre.estate().cases.all.values().map(|case| case.steps.len()).sum();
        kill::acknowledge(format_args!("{steps}"));
    }
}

fn drill(site: SiteId, number: usize) -> Command {
    let (kind, subject, text) = ("port_scan".to_owned(), format!("host {number}"), "drill".to_owned());
    Command::Drill {
        site,
        kind,
        subject,
        grade: Severity::General,
        began: Timestamp::EPOCH,
        text,
        source: None,
        destination: None,
        port: None,
    }
}

fn next(site: SiteId, case: &Case) -> Command {
    let text = || "x".to_owned();
    let action = match STORY[case.steps.len()] {
        "acknowledge" => CaseAction::Acknowledge,
        "review" => CaseAction::Review,
        "grade" => CaseAction::Grade { grade: Severity::Major, category: Category::NetworkAttack },
        "notify" => CaseAction::Notify { to: site, text: text(), due: None, issuer: None },
        "receive" => CaseAction::Receive,
        "answer" => CaseAction::Answer { text: text(), rectified: true },
        _ => CaseAction::Close { verdict: CaseVerdict::Drill, text: text() },
    };
    Command::ActOnCase { site, case: case.id, action, notice: None }
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
