//! A centre that is killed -9 while people work on cases: in whatever state a case is, silenced, given back, overdue and gone up among
//! them, nothing that was acknowledged is lost, no step is there twice, and no number of a notice was given twice.
//!
//! The clock is the test's own: it goes on where a unit is to be late.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

#[path = "support/kill.rs"]
mod kill;

use std::{
    collections::BTreeSet,
    env,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use onenet_topology::{
    SiteId, Timestamp,
    case::{Case, CaseAction, CaseVerdict, Category, SuppressionScope},
    division::Tier,
    incident::Severity,
    site::{SiteKind, SiteName},
};
use onenetd::{
    centre::{Centre, Options},
    clock::Clock,
    estate::Estate,
    ingest::Outcome,
    record::{Body, Command, NewSite},
};

const CHILD: &str = "ONENET_TEST_CASES_KILL_NINE_DATA";
/// Kills at least, and at most until every state was hit.
const ROUNDS_MIN: usize = 28;
const ROUNDS_MAX: usize = 120;
const KIND: &str = "port_scan";
const DAY_MS: i64 = 86_400_000;
/// What is done about each case, in order, and the steps that its story gains by it; the site that is notified is the case's own.
const STORY: [(&str, &[&str]); 14] = [
    ("suppress", &[]),
    ("drill", &["silenced"]),
    ("end", &[]),
    ("drill", &["opened"]),
    ("acknowledge", &["acknowledge"]),
    ("review", &["review"]),
    ("grade", &["grade"]),
    ("notify", &["notify"]),
    // The unit is late: both in one record.
    ("tick", &["overdue", "escalated"]),
    ("receive", &["receive"]),
    ("answer", &["answer"]),
    ("return", &["return"]),
    ("answer", &["answer"]),
    ("close", &["close"]),
];

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
        // Each state has its turn, those first in which no kill has found a case yet, and a little later each time; at once again
        // after some rounds, since most steps take less than the longest pause.
        let length = STORY.len();
        let wanted = (1..=length).find(|done| !states.contains(&(done % length))).unwrap_or(round % length + 1);
        let ahead = (wanted + length - acknowledged % length) % length;
        let moment = (
            ahead + if ahead < 2 { length } else { 0 },
            Duration::from_micros(u64::try_from(round % ROUNDS_MIN).unwrap() * 170),
        );
        let test = "a_case_survives_kill_nine_in_every_state_with_each_step_once";
        kill::after(test, (CHILD, data.path()), moment, |said| acknowledged = said.parse().unwrap());
        let estate = runtime.block_on(found_in(data.path()));
        let done = done(&estate);
        assert!(done == acknowledged || done == acknowledged + 1, "{done} of {acknowledged} acknowledged are there");
        check(&estate, done);
        // What is there stays there: the next turn is counted from it.
        acknowledged = done;
        states.insert(done % length);
        if round >= ROUNDS_MIN && states.len() == length {
            break;
        }
    }
    assert_eq!(states.len(), STORY.len(), "{states:?}: a state was never hit");
}

/// Checks that each case has the story that it is to have by now, and that nothing of it is there twice.
fn check(estate: &Estate, done: usize) {
    let whole: Vec<&str> = STORY.iter().flat_map(|(_, steps)| steps.iter().copied()).collect();
    let cases: Vec<&Arc<Case>> = estate.cases.all.values().collect();
    for (at, case) in cases.iter().enumerate() {
        let is_last = at + 1 == cases.len() && !done.is_multiple_of(STORY.len());
        let by_now = STORY.iter().take(if is_last { done % STORY.len() } else { STORY.len() });
        let steps: usize = by_now.map(|(_, steps)| steps.len()).sum();
        let story: Vec<&str> = case.steps.iter().map(|step| step.did.as_str()).collect();
        // A rule may have been made for the next case: the last one is whole then.
        assert!(story == whole[..steps] || is_last && story == whole, "{}: {story:?}", case.id);
        let is = |did: &str| story.iter().filter(|it| **it == did).count();
        assert_eq!(case.escalations.len(), is("escalated"), "{}: it went up once", case.id);
        assert_eq!(is("overdue"), is("escalated"), "{}: both or neither", case.id);
        let answers: Vec<bool> =
            case.notices.iter().flat_map(|it| &it.answers).map(|it| it.returned.is_some()).collect();
        assert_eq!((answers.len(), answers.iter().filter(|it| **it).count()), (is("answer"), is("return")));
        assert_eq!(case.silenced_by.is_some(), story == ["silenced"], "{}", case.id);
    }
    let numbers: Vec<u32> = cases.iter().flat_map(|case| &case.notices).map(|it| it.number.serial).collect();
    let years = cases.iter().flat_map(|case| &case.notices).map(|it| (it.number.year, it.number.serial));
    assert_eq!(years.collect::<BTreeSet<_>>().len(), numbers.len(), "each number once");
}

/// Returns how much was done in all.
fn done(estate: &Estate) -> usize {
    let length = STORY.len();
    let over = estate.cases.all.values().filter(|case| case.closed.is_some()).count();
    let Some(case) = estate.cases.all.values().next_back().filter(|case| case.closed.is_none()) else {
        // The first thing that is done about a case is its rule.
        return over * length + usize::from(rule_of(estate, over).is_some());
    };
    let mut steps = 0;
    let at = STORY.iter().position(|(_, more)| {
        steps += more.len();
        steps >= case.steps.len()
    });
    let done = at.unwrap() + 1;
    let ended = case.steps.len() == 1 && rule_of(estate, over).is_some_and(|on| !on);
    over * length + done + usize::from(ended)
}

fn subject(number: usize) -> String {
    format!("host {number}")
}

/// Returns whether the rule about a case holds, where there is one.
fn rule_of(estate: &Estate, number: usize) -> Option<bool> {
    let subject = subject(number);
    let mut rules = estate.cases.suppressions.values();
    rules.find(|it| it.scope.subject.as_ref() == Some(&subject)).map(|it| it.ended_by.is_none())
}

async fn found_in(data: &Path) -> Arc<Estate> {
    let (centre, _) = opened(data).await;
    let estate = centre.estate();
    centre.stop().await;
    estate
}

/// Opens the centre with a clock that stands where the last record was, until it is moved.
async fn opened(data: &Path) -> (Centre, Arc<AtomicI64>) {
    let ms = Arc::new(AtomicI64::new(1_800_000_000_000));
    let read = Arc::clone(&ms);
    let clock = Clock::from_fn(move || Timestamp::from_unix_ms(read.load(Ordering::Relaxed)));
    let centre = Centre::open(data, Options { clock, ..Options::default() }).await.unwrap();
    ms.fetch_max(centre.estate().time.unix_ms(), Ordering::Relaxed);
    (centre, ms)
}

/// The child: goes on from wherever the last case is.
async fn work_for_ever(data: &Path) {
    let (centre, ms) = opened(data).await;
    let site = site_of(&centre).await;
    loop {
        let estate = centre.estate();
        let done = done(&estate);
        let (what, _) = STORY[done % STORY.len()];
        if what == "tick" {
            // Eleven days: one more than a unit has to answer what is general.
            ms.store(estate.time.plus_ms(11 * DAY_MS).unix_ms(), Ordering::Relaxed);
            centre.intake().submit(Body::Tick).await.unwrap();
        } else {
            centre.submit(next(site, &estate, (done / STORY.len(), what)), "wang").await.unwrap();
        }
        kill::acknowledge(format_args!("{}", self::done(&centre.estate())));
    }
}

fn next(site: SiteId, estate: &Estate, (number, what): (usize, &str)) -> Command {
    let (text, subject) = (|| "x".to_owned(), subject(number));
    let action = match what {
        "suppress" => {
            let scope = SuppressionScope { kind: Some(KIND.into()), subject: Some(subject), ..Default::default() };
            let until = estate.time.plus_ms(DAY_MS);
            return Command::Suppress { scope, owner: "wang".into(), reason: text(), until };
        }
        "end" => {
            let mut rules = estate.cases.suppressions.values();
            let rule = rules.find(|it| it.scope.subject.as_ref() == Some(&subject)).unwrap();
            return Command::EndSuppression { suppression: rule.id };
        }
        "drill" => {
            let (kind, grade, began) = (KIND.to_owned(), Severity::General, Timestamp::EPOCH);
            let (source, destination, port) = (None, None, None);
            return Command::Drill { site, kind, subject, grade, began, text: text(), source, destination, port };
        }
        "acknowledge" => CaseAction::Acknowledge,
        "review" => CaseAction::Review,
        "grade" => CaseAction::Grade { grade: Severity::General, category: Category::NetworkAttack },
        "notify" => CaseAction::Notify { to: site, text: text(), due: None, issuer: None },
        "receive" => CaseAction::Receive,
        "answer" => CaseAction::Answer { text: text(), rectified: true },
        "return" => CaseAction::Return { text: text(), due: None },
        _ => CaseAction::Close { verdict: CaseVerdict::Drill, text: text() },
    };
    let case = estate.cases.all.values().next_back().unwrap().id;
    Command::ActOnCase { site, case, action, notice: None }
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
