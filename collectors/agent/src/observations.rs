//! Where observations go: to the spool, in order, without making whoever observes wait for a disk.
//!
//! Tasks: one [`keep`] task takes what waits and hands it to a blocking thread. It ends when every [`Observations`] is gone,
//! after a last flush; cancelling it loses what waits in the channel, which the next observation of the same thing repeats.

use std::{sync::Arc, time::Duration};

use onenet_topology::{
    Timestamp,
    fact::{FactChange, Group, HistoryItem},
};
use onenet_wire::Clocks;
use tokio::sync::mpsc;

use crate::{
    clock::Clock,
    limited::Limited,
    meter::Meter,
    mirror::Mirrors,
    spool::{Lineage, SortedFacts, Spool, SpoolError},
};

/// How many observations wait at most: one of each table of a few devices. When it is full, whoever observes waits: a slow
/// disk slows polling, and a full ring of frames is counted as such.
const WAITING_MAX: usize = 128;

/// How often it is looked whether so many observations gathered that a thread is to take them.
const GATHER: Duration = Duration::from_millis(50);

/// How often at most: each batch that is cut of what was taken is written and flushed.
const GATHERS_MAX: usize = 8;

/// How many samples and events the spool is given at once: it writes what fills several batches together.
const ITEMS_AT_ONCE: usize = 2_048;

/// Something observed.
#[derive(Debug)]
enum Observation {
    Complete(Group, SortedFacts),
    Renewed { groups: Vec<Group>, observed: Timestamp, since: u64 },
    Changes(Vec<(Group, FactChange)>),
    History(Vec<HistoryItem>),
}

/// Takes observations. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Observations {
    sender: mpsc::Sender<(Observation, Clocks)>,
    clock: Clock,
    lineage: Lineage,
    mirrors: Mirrors,
    meter: Meter,
}

/// The receiving side, for [`keep`].
pub(crate) struct Waiting(mpsc::Receiver<(Observation, Clocks)>);

/// Returns both sides; `lineage` is that of the spool which keeps them.
pub(crate) fn observations(clock: Clock, lineage: Lineage) -> (Observations, Waiting) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Observations { sender, clock, lineage, mirrors: Mirrors::default(), meter: Meter::default() }, Waiting(receiver))
}

impl Observations {
    /// Takes everything that holds now in a group; what else was known of it is gone.
    pub(crate) async fn complete(&self, group: Group, facts: SortedFacts) {
        self.send(Observation::Complete(group, facts)).await;
    }

    /// Takes note that everything given of these groups holds at `observed` as well. `since` is the number of
    /// [`lineage`](Self::lineage) from before it was given.
    pub(crate) async fn renewed(&self, groups: Vec<Group>, observed: Timestamp, since: u64) {
        if !groups.is_empty() {
            self.send(Observation::Renewed { groups, observed, since }).await;
        }
    }

    /// Returns a number that stays as long as what was given is kept.
    pub(crate) fn lineage(&self) -> u64 {
        self.lineage.number()
    }

    /// Returns what holds capture against what is polled.
    pub(crate) const fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }

    /// Returns what has numbers for the detectors.
    pub(crate) const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Takes differences.
    pub(crate) async fn changes(&self, changes: Vec<(Group, FactChange)>) {
        if !changes.is_empty() {
            self.send(Observation::Changes(changes)).await;
        }
    }

    /// Takes samples and events.
    pub(crate) async fn history(&self, items: Vec<HistoryItem>) {
        if !items.is_empty() {
            self.mirrors.polled(&items);
            self.meter.take(&items);
            self.send(Observation::History(items)).await;
        }
    }

    /// Takes differences from a thread that may wait.
    pub(crate) fn changes_blocking(&self, changes: Vec<(Group, FactChange)>) {
        if !changes.is_empty() {
            // It fails when the agent is stopping: nobody keeps anything then.
            let _ = self.sender.blocking_send((Observation::Changes(changes), self.clock.now()));
        }
    }

    /// Takes samples and events from a thread that may wait.
    pub(crate) fn history_blocking(&self, items: Vec<HistoryItem>) {
        if !items.is_empty() {
            let _ = self.sender.blocking_send((Observation::History(items), self.clock.now()));
        }
    }

    async fn send(&self, observation: Observation) {
        let _ = self.sender.send((observation, self.clock.now())).await;
    }
}

#[cfg(test)]
impl Waiting {
    /// Returns the history that was told by now.
    pub(crate) fn history(&mut self) -> Vec<HistoryItem> {
        let told = std::iter::from_fn(|| self.0.try_recv().ok());
        let of = |(observation, _)| if let Observation::History(items) = observation { items } else { Vec::new() };
        told.flat_map(of).collect()
    }
}

/// Keeps what is observed until nobody observes any more.
pub(crate) async fn keep(waiting: Waiting, spool: Arc<Spool>, clock: Clock) {
    let Waiting(mut receiver) = waiting;
    let mut trouble = Limited::default();
    let mut taken = Vec::with_capacity(WAITING_MAX);
    loop {
        let open = receiver.recv_many(&mut taken, WAITING_MAX).await > 0;
        for _ in 0..GATHERS_MAX {
            if !open || taken.len() >= WAITING_MAX / 2 {
                break;
            }
            // More comes while many devices are polled: a thread that is woken for each costs more than it does.
            tokio::time::sleep(GATHER).await;
            let before = taken.len();
            let room = WAITING_MAX.saturating_sub(before);
            taken.extend(std::iter::from_fn(|| receiver.try_recv().ok()).take(room));
            if taken.len() == before {
                // Nothing follows: what one device told waits for no other.
                break;
            }
        }
        let (batch, keeper) = (std::mem::take(&mut taken), Arc::clone(&spool));
        let work = tokio::task::spawn_blocking(move || {
            let errors = store_all(&keeper, batch);
            let flushed = if open { Ok(()) } else { keeper.flush(&clock.now()) };
            errors.or(flushed.err())
        });
        match work.await {
            Ok(None) => {}
            // The spool raises a condition of its own; this is for whoever reads the log.
            Ok(Some(error)) => trouble.warn(clock.timestamp(), "observations could not be kept", &error),
            Err(error) => tracing::error!(%error, "the spool's writer failed"),
        }
        if !open {
            return;
        }
    }
}

/// Stores observations. Each is tried, whatever became of the others; returns the first error.
fn store_all(spool: &Spool, observations: Vec<(Observation, Clocks)>) -> Option<SpoolError> {
    let (mut error, mut items) = (None, Vec::new());
    let mut note = |result: Result<(), SpoolError>| error = error.take().or(result.err());
    let mut last = None;
    for (observation, now) in observations {
        match observation {
            Observation::Complete(group, facts) => note(spool.replace_group(&group, facts, &now)),
            Observation::Renewed { groups, observed, since } => note(spool.renew(&groups, observed, since, &now)),
            Observation::Changes(changes) => note(spool.observe(&changes, &now)),
            Observation::History(more) => items.extend(more),
        }
        if items.len() >= ITEMS_AT_ONCE {
            note(spool.record(std::mem::take(&mut items), &now));
        }
        last = Some(now);
    }
    if let Some(now) = last.filter(|_| !items.is_empty()) {
        note(spool.record(items, &now));
    }
    error
}
