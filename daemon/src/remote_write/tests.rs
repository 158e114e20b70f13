//! Remote write against a receiver that a test has in its hand: what arrives, and what becomes of what is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use prost::Message as _;

use super::*;
use crate::{
    access::Role,
    config::RemoteWriteConfig,
    testing::{NOW, World},
};

/// A value as it arrived: its series as the pages write it, milliseconds, and the value.
type Arrived = (String, i64, f64);

/// What a receiver does with a request's values: `None` takes them.
type Judge = Box<dyn Fn(&[Arrived]) -> Option<StatusCode> + Send + Sync>;

#[derive(Default)]
struct Received {
    taken: Mutex<Vec<Arrived>>,
    requests: AtomicU64,
    tokens: Mutex<BTreeSet<String>>,
}

async fn receiver(judge: Judge) -> (Arc<Received>, RemoteWriteConfig) {
    let received = Arc::new(Received::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/write?x=1", listener.local_addr().unwrap()).parse().unwrap();
    let (held, judge) = (Arc::clone(&received), Arc::new(judge));
    let take = move |headers: HeaderMap, body: Bytes| {
        let (held, judge) = (Arc::clone(&held), Arc::clone(&judge));
        async move {
            held.requests.fetch_add(1, Ordering::Relaxed);
            assert_eq!(headers[header::CONTENT_ENCODING], "snappy");
            assert_eq!(headers[header::CONTENT_TYPE], "application/x-protobuf");
            assert_eq!(headers["x-prometheus-remote-write-version"], "0.1.0");
            let token = headers.get(header::AUTHORIZATION).map(|it| it.to_str().unwrap().to_owned());
            held.tokens.lock().unwrap().extend(token);
            let arrived = arrived(&body);
            let verdict = judge(&arrived);
            if verdict.is_none() {
                held.taken.lock().unwrap().extend(arrived);
            }
            verdict.unwrap_or(StatusCode::NO_CONTENT)
        }
    };
    let router = Router::new().route("/api/v1/write", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (received, RemoteWriteConfig { url, token_file: None, authority: None, queue_batches: 1_000 })
}

fn arrived(body: &[u8]) -> Vec<Arrived> {
    let plain = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    let request = message::WriteRequest::decode(&*plain).unwrap();
    let mut arrived = Vec::new();
    for series in request.timeseries {
        assert!(series.labels.is_sorted_by(|one, next| one.name < next.name), "{:?}", series.labels);
        assert!(series.samples.is_sorted_by(|one, next| one.timestamp < next.timestamp), "{:?}", series.samples);
        let name = &series.labels[0];
        assert_eq!(name.name, "__name__");
        let labels: BTreeMap<_, _> = series.labels[1..].iter().map(|it| (&it.name, &it.value)).collect();
        let labels: Vec<_> = labels.into_iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let text = format!("{}{{{}}}", name.value, labels.join(","));
        arrived.extend(series.samples.iter().map(|it| (text.clone(), it.timestamp, it.value)));
    }
    arrived
}

fn writer(world: &World, config: &RemoteWriteConfig) -> Writer {
    let told = Told { queue: world.app.centre.queue().unwrap(), counters: Arc::default() };
    let (centre, client) = (world.app.centre.clone(), Client::new(config).unwrap());
    Writer { centre, told, client, queue_batches: config.queue_batches }
}

fn counted(writer: &Writer) -> [u64; 5] {
    let it = &writer.told.counters;
    [&it.sent, &it.rejected, &it.taken, &it.refused, &it.failed].map(|counter| counter.load(Ordering::Relaxed))
}

/// Every value of the world that has a series: three readings of each of two trunks, and of each site a window of the gateway's probe and how capture goes.
async fn everything(world: &World) -> Vec<Arrived> {
    let (received, config) = receiver(Box::new(|_| None)).await;
    let mut writer = writer(world, &config);
    assert!(!writer.turn().await.unwrap());
    assert_eq!(writer.told.queue.waiting(), 0);
    let taken = received.taken.lock().unwrap().clone();
    assert_eq!(counted(&writer), [taken.len() as u64, 0, 1, 0, 0]);
    taken
}

/// The series of a page's lines that begin so, with their labels sorted.
fn series(page: &str, begins: &[&str]) -> BTreeSet<String> {
    let lines = page.lines().filter(|line| begins.iter().any(|it| line.starts_with(it)));
    let sorted = |line: &str| {
        let (name, rest) = line.split_once('{').unwrap();
        let labels: BTreeSet<&str> = rest.split_once('}').unwrap().0.split(',').collect();
        format!("{name}{{{}}}", labels.into_iter().collect::<Vec<_>>().join(","))
    };
    lines.map(sorted).collect()
}

/// Waits until something holds, for 20 s at most.
async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it never holds");
}

#[tokio::test]
async fn what_was_measured_arrives_under_the_pages_names_at_its_time_and_leaves_the_pages() {
    const MEASURED: [&str; 6] = [
        "onenet_capture",
        "onenet_interface_receive",
        "onenet_interface_transmit",
        "onenet_interface_errors",
        "onenet_probe_loss",
        "onenet_probe_round_trip",
    ];
    let mut world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let mut pages = String::new();
    for code in ["130102", "320102"] {
        pages += &world.get(&token, &format!("/metrics/site/{code}")).await.text;
    }
    let taken = everything(&world).await;
    let told: BTreeSet<String> = taken.iter().map(|(series, ..)| series.clone()).collect();
    let of_pages = series(&pages, &MEASURED);
    assert!(of_pages.len() > 12, "{of_pages:?}");
    assert_eq!(told, of_pages);
    let minutes_ago = |ago: i64| NOW.plus_ms(-60_000 * ago).unix_ms();
    let received = taken.iter().filter(|(name, ..)| name.starts_with("onenet_interface_receive"));
    let read: BTreeSet<_> = received.map(|(_, ms, value)| (*ms, value.to_string())).collect();
    assert_eq!(read, [(3, "997"), (2, "998"), (1, "999")].map(|(ago, it)| (minutes_ago(ago), it.to_owned())).into());
    let told = Told { queue: world.app.centre.queue().unwrap(), counters: Arc::default() };
    world.tells_remote_write(told);
    for path in ["/metrics/site/130102", "/metrics"] {
        let page = world.get(&token, path).await.text;
        assert_eq!(series(&page, &MEASURED), BTreeSet::new(), "{path}");
        assert!(page.contains("onenet_probe_up") && page.contains("onenet_site_info"), "{page}");
    }
    let own = world.get(&token, "/metrics?sites=false").await.text;
    assert!(own.contains("onenet_remote_write_waiting_batches 0") && own.contains("onenet_remote_write_lag_seconds 0"));
}

#[tokio::test]
async fn of_a_request_that_is_refused_only_what_is_wrong_is_given_up() {
    let world = World::new().await;
    let all = everything(&World::new().await).await;
    let too_old = NOW.plus_ms(-150_000).unix_ms();
    // As Prometheus does: one value that is too old, and nothing of the request is taken.
    let judge =
        move |arrived: &[Arrived]| arrived.iter().any(|(_, ms, _)| *ms < too_old).then_some(StatusCode::BAD_REQUEST);
    let (received, config) = receiver(Box::new(judge)).await;
    let mut writer = writer(&world, &config);
    writer.turn().await.unwrap();
    let right = all.iter().filter(|(_, ms, _)| *ms >= too_old).count();
    assert!(right > 0 && right < all.len());
    assert_eq!(received.taken.lock().unwrap().len(), right);
    let [sent, rejected, ..] = counted(&writer);
    assert_eq!((sent, rejected), (right as u64, (all.len() - right) as u64));
    assert_eq!(writer.told.queue.waiting(), 0, "what is refused for good does not hold up the rest");
}

#[tokio::test]
async fn a_receiver_that_is_busy_gets_the_same_again_and_nothing_is_taken_out_before() {
    let world = World::new().await;
    let judge = |asked: &AtomicU64| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Some(StatusCode::SERVICE_UNAVAILABLE),
        1 => Some(StatusCode::UNAUTHORIZED),
        _ => None,
    };
    let asked = AtomicU64::new(0);
    let (received, mut config) = receiver(Box::new(move |_| judge(&asked))).await;
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "secret-word\n").unwrap();
    config.token_file = Some(token.path().to_owned());
    let mut writer = writer(&world, &config);
    let waiting = writer.told.queue.waiting();
    assert!(waiting > 0);
    let told = writer.told.clone();
    let turn = tokio::spawn(async move {
        writer.turn().await.unwrap();
        counted(&writer)
    });
    until(|| received.requests.load(Ordering::Relaxed) > 0).await;
    assert_eq!(told.queue.waiting(), waiting, "nobody took it yet");
    let [sent, rejected, taken, refused, failed] = turn.await.unwrap();
    assert_eq!((rejected, taken, refused, failed), (0, 1, 0, 2));
    assert_eq!(sent, received.taken.lock().unwrap().len() as u64);
    assert_eq!(told.queue.waiting(), 0);
    assert_eq!(*received.tokens.lock().unwrap(), ["Bearer secret-word".to_owned()].into());
}

#[tokio::test]
async fn a_time_that_is_yet_to_come_is_not_sent() {
    let world = World::new().await;
    // The centre's clock was set back by a day: all that was measured is of the future.
    world.pass(-86_400_000);
    let (received, config) = receiver(Box::new(|_| None)).await;
    let mut writer = writer(&world, &config);
    writer.turn().await.unwrap();
    assert_eq!(received.requests.load(Ordering::Relaxed), 0);
    assert!(writer.told.counters.future.load(Ordering::Relaxed) > 0);
    assert_eq!(writer.told.queue.waiting(), 0);
}

#[tokio::test]
async fn what_waited_when_the_task_was_stopped_is_sent_by_the_next() {
    let world = World::new().await;
    let (_, mut config) = receiver(Box::new(|_| Some(StatusCode::SERVICE_UNAVAILABLE))).await;
    let shutdown = CancellationToken::new();
    let stopped = writer(&world, &config);
    let counters = Arc::clone(&stopped.told.counters);
    let task = tokio::spawn(run(stopped, shutdown.clone()));
    until(|| counters.failed.load(Ordering::Relaxed) > 0).await;
    shutdown.cancel();
    task.await.unwrap();
    let (received, other) = receiver(Box::new(|_| None)).await;
    config.url = other.url;
    let mut next = writer(&world, &config);
    next.turn().await.unwrap();
    let all = everything(&World::new().await).await.len();
    assert_eq!(received.taken.lock().unwrap().len(), all);
}
