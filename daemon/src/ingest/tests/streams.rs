//! What is under way on an older stream when the agent opens a newer one.

use super::*;
use crate::store::{SampleKind, SampleQuery, Store};

fn history(epoch: u64, sequence: u64, items: Vec<HistoryItem>) -> Batch {
    let it = batch(Lane::History, sequence, 990_000, Content::History(items));
    Batch { position: Position { lane: Lane::History, epoch, sequence }, ..it }
}

fn greeted(world: &mut World, agent: AgentId) -> u64 {
    let clocks = clocks(1, 1_000_000, NOW.unix_ms() + WRONG_MS);
    let received = world.now;
    let greeting =
        Greeting { agent, version: "1".into(), clocks, received, configuration_revision: 0, certificate: None };
    match world.submit(Body::Hello(greeting)).unwrap() {
        Outcome::Greeted { stream } => stream,
        other => panic!("{other:?}"),
    }
}

fn said(world: &mut World, agent: AgentId, site: SiteId, stream: u64, batch: Batch) -> Result<Outcome, Refusal> {
    let body = Box::new(Body::Report(Report { agent, site, batch: Arc::new(batch) }));
    world.submit(Body::OfStream { stream, agent, body })
}

/// The agent sends batches 1 to 4; the centre has taken in 2 when the agent connects again and is told so. A cap then makes
/// it number the other two anew. Were the old 3 and 4, still in the centre's queue, taken in as well, they would be there twice.
#[test]
fn what_an_older_stream_left_in_the_queue_is_not_doubled_by_a_new_epoch() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let old = greeted(&mut world, agent);
    let items = |n: u64| vec![sample(900_000 + n * 1_000, n)];
    for n in 1..=2 {
        said(&mut world, agent, site, old, history(7, n, items(n))).unwrap();
    }
    let new = greeted(&mut world, agent);
    let committed = world.estate.agent(agent).unwrap().committed();
    assert_eq!(committed, [Position { lane: Lane::History, epoch: 7, sequence: 2 }], "what the welcome says");
    // The queue of the old stream, between and behind what the new one says.
    assert_eq!(said(&mut world, agent, site, old, history(7, 3, items(3))), Err(Refusal::StreamReplaced(agent)));
    said(&mut world, agent, site, new, history(8, 1, items(3))).unwrap();
    assert_eq!(said(&mut world, agent, site, old, history(7, 4, items(4))), Err(Refusal::StreamReplaced(agent)));
    said(&mut world, agent, site, new, history(8, 2, items(4))).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&world.changes).unwrap();
    let query = SampleQuery {
        agent: None,
        site,
        scope: Scope::new("core"),
        kind: SampleKind::Interface,
        item: None,
        from: Timestamp::EPOCH,
        until: NOW.plus_ms(1),
        limit: 100,
    };
    assert_eq!(store.samples(&query).unwrap().len(), 4, "each once");
    assert_eq!(store.load().unwrap(), world.estate);
}

#[test]
fn nothing_that_an_older_stream_says_late_counts() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let old = greeted(&mut world, agent);
    let new = greeted(&mut world, agent);
    let before = world.estate.clone();
    let unacceptable = Body::Unacceptable { agent, position: state(1, 990_000, vec![]).position };
    let heard = Body::Heard { agent, clocks: clocks(1, 2_000_000, 0), received: NOW, history_waiting: 9 };
    for body in [unacceptable, heard, Body::Disconnected { agent }] {
        let late = Body::OfStream { stream: old, agent, body: Box::new(body) };
        assert_eq!(world.submit(late), Err(Refusal::StreamReplaced(agent)));
    }
    assert_eq!(world.estate, before, "the end of an old stream is not the agent's");
    let it = state(1, 990_000, vec![present(980_000, binding(1, 1))]);
    assert!(said(&mut world, agent, site, new, it).is_ok());
}
