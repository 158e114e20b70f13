//! Prober and reflector, over the loopback interface: who answers is up, who stops is down, and what was measured is what happened.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use onenet_probe::{
    EchoSockets, Key, Plan, Prober, Reflector, ReflectorConfig, Said, Target, Thresholds, open_reflector,
};
use onenet_topology::{ProbeKind, ProbeRole, ProbeSample, ProbeState};
use tokio::{
    net::UdpSocket,
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

fn key() -> Key {
    Key::new(b"a key for the tests").unwrap()
}

fn plan(kind: ProbeKind, address: SocketAddr) -> Arc<Plan> {
    let port = (address.port() != 0).then_some(address.port());
    Arc::new(Plan {
        name: "up".into(),
        target: Target::Host { host: address.ip().to_string(), port },
        kind,
        role: ProbeRole::Parent,
        site: "510100".into(),
        interval: Duration::from_millis(50),
        timeout: Duration::from_millis(400),
        window: Duration::from_secs(6),
        thresholds: Thresholds::default(),
        key: Some(key()),
        service: onenet_probe::Service::default(),
    })
}

fn reflector() -> (SocketAddr, JoinHandle<()>) {
    let socket = open_reflector("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let config = ReflectorConfig { key: Some(key()), ..ReflectorConfig::default() };
    let running = Reflector::new(socket, config).unwrap().run();
    (address, tokio::spawn(async move { running.await.unwrap() }))
}

fn probe(plans: Vec<Arc<Plan>>) -> (mpsc::Receiver<Said>, CancellationToken, JoinHandle<()>) {
    let (said, saying) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let running = Prober::new(plans, EchoSockets::default(), *b"a token!").run(said, stop.clone());
    (saying, stop, tokio::spawn(running))
}

/// Waits until a probe is judged so.
async fn judged(saying: &mut mpsc::Receiver<Said>, wanted: ProbeState) -> String {
    let waiting = async {
        loop {
            if let Said::State { state, detail, .. } = saying.recv().await.unwrap()
                && state == wanted
            {
                return detail;
            }
        }
    };
    timeout(Duration::from_secs(20), waiting).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reflector_that_answers_is_up_and_one_that_went_away_is_down_until_it_is_back() {
    let (address, running) = reflector();
    let (mut saying, stop, prober) = probe(vec![plan(ProbeKind::Stamp, address)]);
    judged(&mut saying, ProbeState::Up).await;
    running.abort();
    assert!(!judged(&mut saying, ProbeState::Down).await.is_empty());
    let socket = open_reflector(address).unwrap();
    let config = ReflectorConfig { key: Some(key()), ..ReflectorConfig::default() };
    let again = tokio::spawn(Reflector::new(socket, config).unwrap().run());
    judged(&mut saying, ProbeState::Up).await;
    stop.cancel();
    prober.await.unwrap();
    again.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reflector_with_another_key_answers_nothing_and_is_down() {
    let socket = open_reflector("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let config = ReflectorConfig { key: Some(Key::new(b"quite another key").unwrap()), ..ReflectorConfig::default() };
    let reflector = Reflector::new(socket, config).unwrap();
    let counts = reflector.counts();
    let running = tokio::spawn(reflector.run());
    let (mut saying, _stop, _) = probe(vec![plan(ProbeKind::Stamp, address)]);
    judged(&mut saying, ProbeState::Down).await;
    let [answered, _, refused] = counts.get();
    assert!(answered == 0 && refused >= 5, "{answered} {refused}");
    running.abort();
}

/// Carries packets between a prober and a reflector: holds each back for 30 ms, drops one in ten each way, and knows which.
async fn relay(reflector: SocketAddr, drop_out: fn(u64) -> bool, drop_back: fn(u64) -> bool) -> SocketAddr {
    let (near, far) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    far.connect(reflector).await.unwrap();
    let address = near.local_addr().unwrap();
    let (near, far) = (Arc::new(near), Arc::new(far));
    tokio::spawn(async move {
        let (mut asked, mut answered, mut prober) = (0, 0, None);
        let (mut one, mut other) = ([0; 2_048], [0; 2_048]);
        loop {
            tokio::select! {
                Ok((length, from)) = near.recv_from(&mut one) => {
                    prober = Some(from);
                    asked += 1;
                    if !drop_out(asked) {
                        let (far, packet) = (Arc::clone(&far), one[..length].to_vec());
                        tokio::spawn(async move { sleep(Duration::from_millis(30)).await; far.send(&packet).await });
                    }
                }
                Ok(length) = far.recv(&mut other) => {
                    answered += 1;
                    if let Some(prober) = prober.filter(|_| !drop_back(answered)) {
                        let _ = near.send_to(&other[..length], prober).await;
                    }
                }
            }
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn loss_on_each_way_and_the_round_trip_of_a_window_are_those_of_the_line() {
    let (address, running) = reflector();
    let line = relay(address, |asked| asked % 10 == 5, |answered| answered % 20 == 7).await;
    let (mut saying, stop, _) = probe(vec![plan(ProbeKind::Stamp, line)]);
    let waiting = async {
        loop {
            if let Said::Sample { sample, .. } = saying.recv().await.unwrap() {
                return sample;
            }
        }
    };
    let sample: Box<ProbeSample> = timeout(Duration::from_secs(90), waiting).await.unwrap();
    let (sent, lost) = (sample.sent, sample.lost);
    assert!((80..=121).contains(&sent), "50 ms apart over six seconds: {sent}");
    // One in ten of all, and one in twenty of what is left; the window cuts the pattern at both ends.
    let expected = sent / 10 + (sent - sent / 10) / 20;
    assert!(lost.abs_diff(expected) <= 3, "{lost} of {sent}, expected {expected}");
    if let (Some(out), Some(back)) = (sample.lost_out, sample.lost_back) {
        assert!(out.abs_diff(sent / 10) <= 2 && out + back == lost, "{out} {back}");
    }
    let median = sample.round_trip_median_us.unwrap();
    assert!((30_000..60_000).contains(&median), "{median}");
    stop.cancel();
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_open_is_up_and_one_that_is_closed_is_down_with_the_reason() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut saying, _stop, _) = probe(vec![plan(ProbeKind::Tcp, listener.local_addr().unwrap())]);
    judged(&mut saying, ProbeState::Up).await;
    drop(listener);
    assert_eq!(judged(&mut saying, ProbeState::Down).await, "the connection is refused");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs CAP_NET_RAW"]
async fn a_host_that_answers_echo_is_up_over_both_families_and_a_name_that_nobody_knows_is_down() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (mut saying, _stop, _) = probe(vec![plan(ProbeKind::Icmp, address.parse().unwrap())]);
        judged(&mut saying, ProbeState::Up).await;
    }
    let mut unknown = Plan::clone(&plan(ProbeKind::Icmp, "127.0.0.1:0".parse().unwrap()));
    unknown.target = Target::Host { host: "nobody.invalid".into(), port: None };
    let (mut saying, _stop, _) = probe(vec![Arc::new(unknown)]);
    assert!(judged(&mut saying, ProbeState::Down).await.contains("cannot be looked up"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs CAP_NET_RAW"]
async fn the_largest_packet_that_is_asked_for_passes_over_loopback_in_both_families() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (mut saying, _stop, _) = probe(vec![plan(ProbeKind::Icmp, address.parse().unwrap())]);
        let waiting = async {
            loop {
                if let Said::Sample { sample, .. } = saying.recv().await.unwrap() {
                    return sample.path_mtu;
                }
            }
        };
        let path_mtu = timeout(Duration::from_secs(60), waiting).await.unwrap();
        assert_eq!(path_mtu, Some(onenet_probe::path::LARGEST), "{address}");
    }
}
