//! An agent that does what no agent does: it gets a clear answer, costs little, and nobody else notices.

use std::sync::{Condvar, Mutex};

use onenet_topology::fact::{HistoryBody, HistoryItem, InterfaceSample};
use onenet_wire::{Heartbeat, limits};

use super::*;
use crate::{
    clock::Clock,
    findings::FindingKind,
    store::{SampleKind, SampleQuery},
};

/// Holds up the thread that plans and commits: its clock does not answer while the gate is shut.
#[derive(Default)]
struct Gate {
    shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn clock(self: &Arc<Self>) -> Clock {
        let (gate, clock) = (Arc::clone(self), Clock::system());
        Clock::from_fn(move || {
            if std::thread::current().name() == Some("ingest") {
                let shut = gate.shut.lock().unwrap();
                drop(gate.opened.wait_while(shut, |shut| *shut).unwrap());
            }
            clock.now()
        })
    }

    fn set(&self, shut: bool) {
        *self.shut.lock().unwrap() = shut;
        self.opened.notify_all();
    }
}

fn history(epoch: u64, sequence: u64, number: u64) -> Batch {
    let body = HistoryBody::Interface(InterfaceSample {
        name: "ge0".into(),
        in_octets: Some(number),
        ..InterfaceSample::default()
    });
    let time = Timestamp::from_unix_ms(now_ms() - 1_000_000 + i64::try_from(number).unwrap() * 1_000);
    let items = vec![HistoryItem { time, scope: Scope::new("core"), body }];
    let position = Position { lane: Lane::History, epoch, sequence };
    Batch { position, clocks: clocks(), content: Content::History(items) }
}

fn octets(centre: &Centre, site: SiteId) -> Vec<u64> {
    let query = SampleQuery {
        agent: None,
        site,
        scope: Scope::new("core"),
        kind: SampleKind::Interface,
        item: None,
        from: Timestamp::EPOCH,
        until: Timestamp::from_unix_ms(now_ms() + 3_600_000),
        limit: 10_000,
    };
    let octets = |body: &HistoryBody| match body {
        HistoryBody::Interface(sample) => sample.in_octets.unwrap(),
        other => panic!("{other:?}"),
    };
    let mut all: Vec<_> = centre.samples(&query).unwrap().iter().map(|it| octets(&it.item.body)).collect();
    all.sort_unstable();
    all
}

/// The centre is held up while an older stream has far more under way than the centre takes at a time; the agent opens a newer
/// stream, is told how far it got, and says the rest again under a new epoch, as it does when a cap tore a hole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_of_an_older_stream_is_neither_lost_nor_doubled() {
    const LAST: u64 = 60;
    let gate = Arc::new(Gate::default());
    let served = Served::start_with(Options { clock: gate.clock(), ..Options::default() }).await;
    let site = served.site("000000").await;
    let papers = served.enrol(site).await;
    for round in 0..5_u64 {
        let (old, _) = served.connect(&papers).await;
        gate.set(true);
        for n in 1..=LAST {
            old.say(AgentMessage::Batch(history(round * 2 + 1, n, round * 100 + n))).await;
        }
        let opened = async {
            // The hello waits behind what the older stream put into the queue.
            let (connecting, ()) = tokio::join!(served.connect(&papers), async {
                tokio::task::yield_now().await;
                gate.set(false);
            });
            connecting
        };
        let (mut new, welcome) = opened.await;
        let first = round * 2 + 1;
        let committed = welcome.committed.iter().find(|it| it.lane == Lane::History && it.epoch == first);
        let mut sequence = 0;
        for n in committed.map_or(0, |it| it.sequence) + 1..=LAST {
            sequence += 1;
            new.say(AgentMessage::Batch(history(first + 1, sequence, round * 100 + n))).await;
            assert!(matches!(new.hear().await, CentreMessage::Acknowledgement(_)), "round {round}, {n}");
        }
        let expected: Vec<u64> = (0..=round).flat_map(|round| (1..=LAST).map(move |n| round * 100 + n)).collect();
        assert_eq!(octets(&served.centre, site), expected, "each once, none lost, in round {round}");
        drop(old);
    }
    served.stop().await;
}

#[tokio::test]
async fn counts_over_their_limit_are_named_and_the_lane_goes_on() {
    let served = Served::start().await;
    let site = served.site("000000").await;
    let papers = served.enrol(site).await;
    let (mut wire, _) = served.connect(&papers).await;
    let mut many = batch(1, 1);
    if let Content::State(groups) = &mut many.content {
        groups[0].changes = vec![groups[0].changes[0].clone(); limits::BATCH_CHANGES + 1];
    }
    wire.say(AgentMessage::Batch(many)).await;
    let CentreMessage::Rejection(it) = wire.hear().await else { panic!() };
    assert_eq!((it.reason, it.position), (RejectionReason::Invalid, at(1)));
    assert!(it.detail.contains("changes: has 4097 elements, at most 4096"), "{}", it.detail);
    let mut long = v1::AgentMessage::from(&AgentMessage::Batch(batch(2, 1)));
    if let Some(v1::agent_message::Body::Batch(batch)) = &mut long.body {
        batch.groups[0].scope = "x".repeat(200);
    }
    wire.outgoing.send(long).await.unwrap();
    let CentreMessage::Rejection(it) = wire.hear().await else { panic!() };
    assert!(it.detail.contains("groups[0].scope: is 200 bytes long, at most 128"), "{}", it.detail);
    wire.say(AgentMessage::Batch(batch(3, 1))).await;
    assert!(matches!(wire.hear().await, CentreMessage::Acknowledgement(it) if it.position == at(3)));
    served.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_large_or_none_at_all_ends_the_stream_with_the_remedy() {
    let served = Served::start().await;
    let site = served.site("000000").await;
    let papers = served.enrol(site).await;
    let (mut wire, _) = served.connect(&papers).await;
    let mut huge = v1::AgentMessage::from(&AgentMessage::Batch(batch(1, 1)));
    if let Some(v1::agent_message::Body::Batch(batch)) = &mut huge.body {
        batch.groups[0].scope = "x".repeat(limits::MESSAGE_BYTES);
    }
    wire.outgoing.send(huge).await.unwrap();
    let status = wire.end().await;
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert!(status.message().contains("1048576 bytes") && status.message().contains("same version"), "{status}");
    let (mut wire, _) = served.connect(&papers).await;
    wire.outgoing.send(v1::AgentMessage { body: None }).await.unwrap();
    let status = wire.end().await;
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert!(status.message().contains("body"), "{status}");
    served.stop().await;
}

#[tokio::test]
async fn clocks_of_1970_and_2200_lead_to_the_right_times_and_a_finding() {
    for (code, wall_ms) in [("000000", 60_000), ("000001", 7_258_118_400_000_i64)] {
        let served = Served::start().await;
        let site = served.site(code).await;
        let papers = served.enrol(site).await;
        let mut wire = served.stream(&papers).await.unwrap();
        let clocks = Clocks { wall_ms, ..clocks() };
        wire.say(AgentMessage::Hello(Hello { clocks, ..hello(&papers) })).await;
        assert!(matches!(wire.hear().await, CentreMessage::Welcome(_)));
        let observed = Timestamp::from_unix_ms(wall_ms - 1_000);
        let changes = vec![FactChange::Present(Fact { observed, body: body(1) })];
        let content = Content::State(vec![GroupChanges { group: group(), changes, complete: None }]);
        wire.say(AgentMessage::Batch(Batch { position: at(1), clocks, content })).await;
        assert!(matches!(wire.hear().await, CentreMessage::Acknowledgement(_)));
        let estate = served.centre.estate();
        let state = estate.site(site).unwrap();
        let seen = state.endpoints.values().next().unwrap().first_seen().unwrap();
        let off_ms = Timestamp::from_unix_ms(now_ms()).ms_since(seen);
        assert!((0..60_000).contains(&off_ms), "{off_ms} ms ago by a clock at {wall_ms}");
        assert!(state.findings.keys().any(|key| key.kind == FindingKind::ClockWrong));
        served.stop().await;
    }
    let served = Served::start().await;
    let site = served.site("000000").await;
    let papers = served.enrol(site).await;
    let mut wire = served.stream(&papers).await.unwrap();
    let clocks = Clocks { wall_ms: i64::MAX, ..clocks() };
    wire.say(AgentMessage::Hello(Hello { clocks, ..hello(&papers) })).await;
    let status = wire.end().await;
    assert!(status.message().contains("hello.clocks.wall_ms"), "{status}");
    served.stop().await;
}

#[tokio::test]
async fn storms_of_heartbeats_digests_and_answers_reach_nobody_else() {
    let served = Served::start().await;
    let site = served.site("000000").await;
    let (storm, calm) = (served.enrol(site).await, served.enrol(site).await);
    let (storming, _) = served.connect(&storm).await;
    let (mut calm, _) = served.connect(&calm).await;
    let before = served.centre.estate().position;
    for n in 0..2_000_u64 {
        let clocks = Clocks { boot_ms: 1_000_000 + n * 5_000, ..clocks() };
        storming.say(AgentMessage::Heartbeat(Heartbeat { clocks, history_waiting: n })).await;
        storming.say(AgentMessage::Digest(Digest { state: at(n), groups: Vec::new() })).await;
        let answer = InstructionResult { id: n, outcome: Ok(Done::default()) };
        storming.say(AgentMessage::Result(answer)).await;
    }
    calm.say(AgentMessage::Batch(batch(1, 1))).await;
    assert!(matches!(calm.hear().await, CentreMessage::Acknowledgement(_)));
    let records = served.centre.estate().position - before;
    assert!(records < 100, "{records} records");
    served.stop().await;
}

#[tokio::test]
async fn an_agent_that_never_reads_its_acknowledgements_holds_up_nobody_and_can_be_replaced() {
    let served = Served::start().await;
    let site = served.site("000000").await;
    let (deaf, other) = (served.enrol(site).await, served.enrol(site).await);
    let (wire, _) = served.connect(&deaf).await;
    wire.say(AgentMessage::Batch(batch(1, 1))).await;
    // The same batch again and again, each of which is acknowledged, until nothing more is taken.
    let again = v1::AgentMessage::from(&AgentMessage::Batch(batch(1, 1)));
    let flood = async {
        loop {
            wire.outgoing.send(again.clone()).await.unwrap();
        }
    };
    let served_meanwhile = async {
        let (mut calm, _) = served.connect(&other).await;
        for sequence in 1..=20 {
            calm.say(AgentMessage::Batch(batch(sequence, 2))).await;
            assert!(matches!(calm.hear().await, CentreMessage::Acknowledgement(it) if it.position == at(sequence)));
        }
    };
    tokio::select! {
        () = flood => unreachable!(),
        () = served_meanwhile => {}
    }
    let (mut newer, welcome) = served.connect(&deaf).await;
    assert_eq!(welcome.committed, [at(1)]);
    newer.say(AgentMessage::Batch(batch(2, 3))).await;
    assert!(matches!(newer.hear().await, CentreMessage::Acknowledgement(it) if it.position == at(2)));
    served.stop().await;
}

#[tokio::test]
async fn batches_out_of_order_are_asked_for_again_from_where_the_lane_is() {
    let served = Served::start().await;
    let site = served.site("000000").await;
    let papers = served.enrol(site).await;
    let (mut wire, _) = served.connect(&papers).await;
    for sequence in [3, 2, u64::MAX, 1, 3, 2, 3] {
        wire.say(AgentMessage::Batch(batch(sequence, 1))).await;
    }
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(match wire.hear().await {
            CentreMessage::Acknowledgement(it) => (true, it.position.sequence),
            CentreMessage::Rejection(it) => {
                assert_eq!(it.reason, RejectionReason::Gap);
                assert!(it.detail.contains("send again from behind sequence"), "{}", it.detail);
                (false, it.position.sequence)
            }
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(answers, [(false, 0), (false, 0), (false, 0), (true, 1), (false, 1), (true, 2), (true, 3)]);
    served.stop().await;
}
