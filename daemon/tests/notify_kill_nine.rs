//! A centre that is killed -9 while it tells a receiver what happens: nothing is lost, whatever is told again has the same id, and no
//! more is told again than the one message a kill whose end could not be written down.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

#[path = "support/kill.rs"]
mod kill;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use onenet_topology::{
    SiteId, Timestamp,
    division::Tier,
    incident::Severity,
    site::{SiteKind, SiteName},
};
use onenetd::{
    centre::{Centre, Options},
    config::{ChannelConfig, HttpWay, Route, Secret, Way},
    console::Language,
    ingest::Outcome,
    notify::{self, Channel, Notifier},
    record::{Command, NewSite},
};
use tokio_util::sync::CancellationToken;

const CHILD: &str = "ONENET_TEST_NOTIFY_KILL_NINE_DATA";
const ROUNDS: usize = 20;

/// What the receiver took: of which case, and how often, by id.
#[derive(Default)]
struct Taken {
    by_id: Mutex<BTreeMap<String, (String, usize)>>,
    more: Condvar,
}

#[test]
fn what_is_to_leave_leaves_over_any_number_of_kills_and_each_id_tells_one_thing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(data) = env::var(CHILD) {
        runtime.block_on(work_for_ever(Path::new(&data)));
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let taken = receiver(data.path());
    let (mut cases, mut waited) = (BTreeSet::new(), 0);
    for round in 0..ROUNDS {
        let moment = (4 + round % 5, Duration::from_micros(u64::try_from(round).unwrap() * 370));
        let test = "what_is_to_leave_leaves_over_any_number_of_kills_and_each_id_tells_one_thing";
        kill::after(test, (CHILD, data.path()), moment, |case| {
            cases.insert(case.to_owned());
        });
        waited += usize::from(taken.by_id.lock().unwrap().len() < cases.len());
    }
    assert!(waited > 0, "no kill came while something waited");
    // What is left, and what was committed and not acknowledged, is told by a centre that lives on.
    let all: BTreeSet<String> = runtime.block_on(async {
        let centre = Centre::open(data.path(), options()).await.unwrap();
        let all = centre.estate().cases.all.keys().map(ToString::to_string).collect();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(notify::run(notifier(&centre, data.path()), shutdown.clone()));
        let (held, all) = (Arc::clone(&taken), Arc::new(all));
        let wanted = Arc::clone(&all);
        tokio::task::spawn_blocking(move || held.wait_for(&wanted)).await.unwrap();
        shutdown.cancel();
        task.await.unwrap();
        centre.stop().await;
        Arc::into_inner(all).unwrap_or_default()
    });
    assert!(cases.is_subset(&all) && all.len() <= cases.len() + ROUNDS, "{} of {}", cases.len(), all.len());
    let by_id = taken.by_id.lock().unwrap();
    assert_eq!(by_id.len(), all.len(), "one id a case");
    let again: usize = by_id.values().map(|(_, times)| times - 1).sum();
    assert!(again <= ROUNDS, "{again} were told again in {ROUNDS} kills");
}

impl Taken {
    fn wait_for(&self, all: &BTreeSet<String>) {
        let held = self.by_id.lock().unwrap();
        let lacks = |held: &mut BTreeMap<String, (String, usize)>| {
            let told: BTreeSet<&String> = held.values().map(|(case, _)| case).collect();
            !all.iter().all(|case| told.contains(case))
        };
        let (held, timeout) = self.more.wait_timeout_while(held, Duration::from_secs(60), lacks).unwrap();
        assert!(!timeout.timed_out(), "{} of {} were told", held.len(), all.len());
    }
}

/// A receiver that is away for every third request. Its address is in a file of the data directory.
fn receiver(data: &Path) -> Arc<Taken> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    fs::write(data.join("url"), format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let taken = Arc::new(Taken::default());
    let held = Arc::clone(&taken);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            // Whoever is killed in the middle of a request has said nothing.
            let _ = answer(stream.unwrap(), number % 3 == 2, &held);
        }
    });
    taken
}

fn answer(mut stream: TcpStream, is_away: bool, taken: &Taken) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut len = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            len = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body)?;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    if is_away {
        return stream.write_all(b"HTTP/1.1 503 x\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n");
    }
    let text = |field: &str| body[field].as_str().unwrap().to_owned();
    let mut by_id = taken.by_id.lock().unwrap();
    let (case, times) = by_id.entry(text("id")).or_insert_with(|| (text("about"), 0));
    assert_eq!(*case, text("about"), "one id, one thing");
    *times += 1;
    drop(by_id);
    taken.more.notify_all();
    stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 0\r\n\r\n")
}

fn options() -> Options {
    Options { outbox: true, ..Options::default() }
}

fn notifier(centre: &Centre, data: &Path) -> Notifier {
    let way = Way::Webhook(HttpWay { secret_url: Some(Secret::File(data.join("url"))), ..HttpWay::default() });
    let config = ChannelConfig { name: "hook".into(), language: Language::En, route: Route::default(), way };
    Notifier::new(centre.clone(), vec![Channel::new(&config).unwrap()]).unwrap()
}

/// The child: opens cases, and tells the receiver of them.
async fn work_for_ever(data: &Path) {
    let centre = Centre::open(data, options()).await.unwrap();
    centre.outbox().unwrap().enter("hook", 0).unwrap();
    tokio::spawn(notify::run(notifier(&centre, data), CancellationToken::new()));
    let site = site_of(&centre).await;
    loop {
        let subject = format!("host {}", centre.estate().cases.all.len());
        let (kind, text) = ("port_scan".to_owned(), "drill".to_owned());
        let drill = Command::Drill {
            site,
            kind,
            subject,
            grade: Severity::General,
            began: Timestamp::EPOCH,
            text,
            source: None,
            destination: None,
            port: None,
        };
        match centre.submit(drill, "wang").await.unwrap() {
            Outcome::CaseOpened(case) => kill::acknowledge(format_args!("{case}")),
            other => panic!("{other:?}"),
        }
    }
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
