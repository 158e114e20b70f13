use std::sync::{Arc, Mutex};

use onenet_topology::{
    AgentId,
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport},
    case::CaseFile,
    fact::{HistoryBody, HistoryItem, Scope},
    incident::Severity,
};
use onenet_wire::{Done, limits};

use super::*;
use crate::testing::{NOW, World};

const SETTLED_MS: u64 = 11 * 60_000;
const PAUSE_MS: u64 = 45_000;

/// What an agent was asked, and what it has.
#[derive(Default)]
struct Site {
    asked: Mutex<Vec<CaptureQuery>>,
}

fn file(number: usize) -> String {
    format!("20270115T08000000{number}Z-beacon-10.20.0.9.pcapng")
}

fn content() -> Vec<u8> {
    (0..50_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// A world in which an agent found something, and names such a file.
async fn world() -> World {
    let world = World::new().await;
    tell(&world, 0).await;
    world
}

async fn tell(world: &World, number: usize) {
    let report = AnomalyReport {
        key: AnomalyKey { kind: "beacon".into(), subject: "10.20.0.9".into() },
        grade: Severity::General,
        confidence: 80,
        lasted_ms: 1_000,
        count: 3 + u64::try_from(number).unwrap(),
        run: 1,
        evidence: vec![AnomalyEvidence { is: CAPTURE.into(), value: file(number) }],
        drill: None,
    };
    let time = NOW.plus_ms(i64::try_from(number).unwrap() - 60_000);
    let item = HistoryItem { time, scope: Scope::new(""), body: HistoryBody::Anomaly(report) };
    world.tell_more(1 + u64::try_from(number).unwrap(), vec![item]).await;
}

fn agent(world: &World) -> AgentId {
    world.agent_of("130102")
}

/// Has the agent answer, with parts of at most so many bytes as an older one does.
fn answers(world: &World, older: bool) -> Arc<Site> {
    let site = Arc::new(Site::default());
    let heard = Arc::clone(&site);
    world.carrying_out(agent(world), move |query| {
        let Query::Capture(asked) = query else { panic!("{query:?}") };
        let most = if older || asked.bytes_max == 0 { limits::CAPTURE_PART_BYTES } else { asked.bytes_max as usize };
        let content = content();
        let rest = &content[usize::try_from(asked.offset).unwrap()..];
        let body = rest[..rest.len().min(most)].to_vec();
        heard.asked.lock().unwrap().push(asked);
        Ok(Done { body, ..Done::default() })
    });
    site
}

impl Site {
    fn offsets(&self) -> Vec<(u64, u32)> {
        self.asked.lock().unwrap().iter().map(|it| (it.offset, it.bytes_max)).collect()
    }
}

fn opened(world: &World) -> Packets {
    Packets::open(world.app.centre.clone(), world.data().to_owned()).unwrap()
}

fn case(world: &World) -> Arc<Case> {
    let estate = world.app.centre.estate();
    Arc::clone(estate.cases.all.values().find(|it| it.key.kind == "beacon").unwrap())
}

fn fetched(world: &World) -> Vec<CaseFile> {
    case(world).files.clone()
}

fn waiting(world: &World) -> usize {
    fs::read_dir(world.data().join(FOLDER)).unwrap().count()
}

#[tokio::test]
async fn packets_of_an_open_case_are_marked_at_once_and_attached_when_they_settled() {
    let world = world().await;
    let site = answers(&world, false);
    let mut packets = opened(&world);
    packets.round(0).await;
    assert_eq!(site.offsets(), [(0, 1)], "from now on the agent lets it go last");
    packets.round(SETTLED_MS - 1).await;
    assert_eq!(site.offsets().len(), 1, "the agent may still write it anew");
    for step in 0..8 {
        packets.round(SETTLED_MS + step * PAUSE_MS).await;
    }
    let part = u32::try_from(PART_BYTES).unwrap();
    let offsets = [0, 0, u64::from(part), 2 * u64::from(part), 3 * u64::from(part)];
    assert_eq!(site.offsets().iter().map(|it| it.0).collect::<Vec<_>>(), offsets, "once, and no byte twice");
    let [it] = &fetched(&world)[..] else { panic!("{:?}", fetched(&world)) };
    assert_eq!((it.file.name.as_str(), it.by.as_str(), it.file.fetched), (file(0).as_str(), NAME, true));
    assert_eq!(world.app.centre.files().content(it.file.hash).unwrap(), content());
    let asked = site.asked.lock().unwrap()[1].clone();
    assert_eq!((asked.asker.principal.as_str(), asked.asker.reason), (NAME, reason(case(&world).id)));
    assert_eq!(waiting(&world), 0);
    // It goes on, and the file was told of before.
    packets.round(100 * SETTLED_MS).await;
    assert_eq!(site.offsets().len(), 5);
}

#[tokio::test]
async fn a_kill_in_the_middle_goes_on_where_it_was_and_one_after_attaching_attaches_nothing_twice() {
    let world = world().await;
    let site = answers(&world, false);
    let mut packets = opened(&world);
    for now in [0, SETTLED_MS, SETTLED_MS + PAUSE_MS] {
        packets.round(now).await;
    }
    drop(packets);
    let mut packets = opened(&world);
    packets.round(0).await;
    let part = u64::try_from(PART_BYTES).unwrap();
    assert_eq!(site.offsets().last().unwrap().0, 2 * part, "{:?}", site.offsets());
    packets.round(PAUSE_MS).await;
    assert_eq!(fetched(&world).len(), 1);
    // Killed before what was here was removed.
    let left = Wanted { case: case(&world).id, agent: agent(&world), name: file(0) };
    fs::write(packets.path(&left), content()).unwrap();
    let mut packets = opened(&world);
    packets.round(0).await;
    assert_eq!((fetched(&world).len(), waiting(&world), case(&world).lost.len()), (1, 0, 0));
}

#[tokio::test]
async fn a_silent_agent_is_asked_when_it_is_back_and_an_older_one_with_longer_pauses() {
    let world = world().await;
    let mut packets = opened(&world);
    for hour in 0..48 {
        packets.round(hour * 3_600_000).await;
    }
    assert_eq!(waiting(&world), 1, "nobody answered, and nothing is given up");
    let site = answers(&world, true);
    let back = 48 * 3_600_000;
    packets.round(back).await;
    assert_eq!(site.offsets().len(), 1);
    packets.round(back + 3 * PAUSE_MS).await;
    assert_eq!(site.offsets().len(), 1, "it sent 50 kB for one byte: its line is left alone as long");
    for step in 4..20 {
        packets.round(back + step * PAUSE_MS).await;
    }
    let [it] = &fetched(&world)[..] else { panic!("{:?}", site.offsets()) };
    assert_eq!(world.app.centre.files().content(it.file.hash).unwrap(), content());
}

#[tokio::test]
async fn what_the_site_has_no_more_is_told_in_the_case_once() {
    let world = world().await;
    world.carrying_out(agent(&world), |_| Err("there is no capture any more".to_owned()));
    let mut packets = opened(&world);
    for step in 0..20 {
        packets.round(step * PAUSE_MS).await;
    }
    let [lost] = &case(&world).lost[..] else { panic!("{:?}", case(&world).lost) };
    assert!(lost.name == file(0) && lost.why.contains("no capture any more"), "{lost:?}");
    assert_eq!(case(&world).steps.iter().filter(|it| it.did == "miss_capture").count(), 1);
    assert_eq!(waiting(&world), 0);
}

#[tokio::test]
async fn of_a_case_that_goes_on_the_first_files_are_fetched_and_that_more_were_left_out_is_told_once() {
    let world = world().await;
    answers(&world, false);
    let mut packets = opened(&world);
    packets.round(0).await;
    for number in 1..CASE_CAPTURES_MAX + 3 {
        tell(&world, number).await;
        packets.round(u64::try_from(number).unwrap() * 5_000).await;
    }
    assert_eq!(waiting(&world), CASE_CAPTURES_MAX);
    assert_eq!(case(&world).lost.iter().map(|it| it.why.as_str()).collect::<Vec<_>>(), [ENOUGH]);
    // A centre that begins anew still knows the older ones, which the anomaly names no more.
    let packets = opened(&world);
    assert_eq!(packets.jobs.of_case(case(&world).id), CASE_CAPTURES_MAX);
}
