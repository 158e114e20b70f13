//! Any sequence of what can happen to a spool, against a model that is a map and a list.

use std::collections::BTreeMap;

use onenet_wire::{GroupDigest, key_hash};
use proptest::{collection::vec, prelude::*};

use super::*;

/// Something that happens.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Present {
        scope: u8,
        number: u32,
        name: u8,
    },
    Gone {
        scope: u8,
        number: u32,
    },
    Replace {
        scope: u8,
        names: BTreeMap<u32, u8>,
    },
    /// Everything of a scope is seen again.
    Renew {
        scope: u8,
    },
    Record(u8),
    Seal,
    /// A state batch is sent, and reaches the centre or not.
    Send {
        arrives: bool,
        acknowledged: bool,
    },
    AcknowledgeHistory(u8),
    Resync {
        scope: u8,
    },
    RenewState,
    RenewHistory,
    Reopen,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let scope = 0..3_u8;
    // So many that a group takes several pages.
    let number = 0..60_u32;
    prop_oneof![
        6 => (scope.clone(), number.clone(), any::<u8>())
            .prop_map(|(scope, number, name)| Step::Present { scope, number, name }),
        5 => (scope.clone(), number.clone()).prop_map(|(scope, number)| Step::Gone { scope, number }),
        2 => (scope.clone(), proptest::collection::btree_map(number, any::<u8>(), 0..60))
            .prop_map(|(scope, names)| Step::Replace { scope, names }),
        3 => scope.clone().prop_map(|scope| Step::Renew { scope }),
        4 => (1..5_u8).prop_map(Step::Record),
        3 => Just(Step::Seal),
        5 => any::<(bool, bool)>().prop_map(|(arrives, acknowledged)| Step::Send { arrives, acknowledged }),
        2 => any::<u8>().prop_map(Step::AcknowledgeHistory),
        1 => scope.prop_map(|scope| Step::Resync { scope }),
        1 => Just(Step::RenewState),
        1 => Just(Step::RenewHistory),
        2 => Just(Step::Reopen),
    ]
}

/// What must be true.
#[derive(Debug, Default, Clone)]
pub(super) struct Model {
    /// What the agent holds, by scope and key.
    pub(super) agent: BTreeMap<(u8, u32), String>,
    /// What the centre holds, built from the batches that arrived alone.
    pub(super) centre: BTreeMap<(Group, ItemKey), FactBody>,
    pub(super) centre_at: Option<Position>,
    /// The counters recorded and not acknowledged.
    pub(super) recorded: Vec<u64>,
    next: u64,
}

impl Model {
    /// The centre takes a batch, each once.
    fn arrive(&mut self, position: Position, groups: &[GroupChanges]) {
        if self.centre_at == Some(position) {
            return;
        }
        self.centre_at = Some(position);
        for part in groups {
            if let Some(range) = part.complete {
                self.centre.retain(|(group, key), _| *group != part.group || !range.contains(key_hash(key)));
            }
            for change in &part.changes {
                let at = (part.group.clone(), change.key());
                match change {
                    FactChange::Present(fact) => _ = self.centre.insert(at, fact.body.clone()),
                    FactChange::Gone { .. } => _ = self.centre.remove(&at),
                }
            }
        }
    }

    pub(super) fn digests(&self) -> Vec<GroupDigest> {
        let mut digests: BTreeMap<Group, GroupDigest> = BTreeMap::new();
        for ((group, _), body) in &self.centre {
            digests.entry(group.clone()).or_insert_with(|| GroupDigest::empty(group.clone())).add(body);
        }
        digests.into_values().collect()
    }
}

fn scope_name(scope: u8) -> String {
    format!("scope-{scope}")
}

fn run(steps: Vec<Step>) {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let mut spool = open(&folder, &hands.0);
    let mut model = Model::default();
    for step in steps {
        // What is renewed is renewed much later than anything before, so that some of it is sent again.
        let now = hands.pass(if matches!(step, Step::Renew { .. }) { 700_000 } else { 1_500 });
        let time = hands.time();
        apply(&step, &mut model, &spool, &now, time);
        if matches!(step, Step::Reopen) {
            spool.flush(&now).unwrap();
            drop(spool);
            spool = open(&folder, &now);
        }
        check(&model, &spool, &now);
    }
    settle(&mut model, &spool, &hands.pass(1_500));
}

pub(super) fn apply(step: &Step, model: &mut Model, spool: &Spool, now: &Clocks, time: Timestamp) {
    match step {
        Step::Present { scope, number, name } => {
            let name = name.to_string();
            spool.observe(&[present(&scope_name(*scope), host(*number, &name, time))], now).unwrap();
            model.agent.insert((*scope, *number), name);
        }
        Step::Gone { scope, number } => {
            let key = host(*number, "", time).body.key();
            spool.observe(&[gone(&scope_name(*scope), key, time)], now).unwrap();
            model.agent.remove(&(*scope, *number));
        }
        Step::Replace { scope, names } => {
            let facts: Vec<_> = names.iter().map(|(number, name)| host(*number, &name.to_string(), time)).collect();
            spool.replace_group(&group(&scope_name(*scope)), facts, now).unwrap();
            model.agent.retain(|(other, _), _| other != scope);
            model.agent.extend(names.iter().map(|(number, name)| ((*scope, *number), name.to_string())));
        }
        Step::Renew { scope } => {
            let groups = [group(&scope_name(*scope))];
            spool.renew(&groups, time, spool.lineage().number(), now).unwrap();
        }
        Step::Record(count) => {
            for _ in 0..*count {
                spool.record([sample(model.next, time)], now).unwrap();
                model.recorded.push(model.next);
                model.next += 1;
            }
        }
        Step::Seal | Step::Reopen => spool.flush(now).unwrap(),
        Step::Send { arrives, acknowledged } => {
            if let Some((position, groups)) = take_state(spool, now) {
                if *arrives {
                    model.arrive(position, &groups);
                }
                if *arrives && *acknowledged {
                    spool.acknowledge(position, now).unwrap();
                }
            }
        }
        Step::AcknowledgeHistory(some) => acknowledge_history(*some, model, spool, now),
        Step::Resync { scope } => spool.resync(&[group(&scope_name(*scope))], now).unwrap(),
        Step::RenewState => {
            spool.renew_epoch(Lane::State, now).unwrap();
            model.centre_at = None;
        }
        Step::RenewHistory => spool.renew_epoch(Lane::History, now).unwrap(),
    }
}

fn acknowledge_history(some: u8, model: &mut Model, spool: &Spool, now: &Clocks) {
    spool.flush(now).unwrap();
    let view = spool.view();
    let waiting = view.history.sequence - view.history_before_first;
    let sequence = view.history_before_first + u64::from(some).min(waiting);
    if sequence > view.history_before_first {
        spool.acknowledge(Position { sequence, ..view.history }, now).unwrap();
        model.recorded = counters(spool, now);
    }
}

fn check(model: &Model, spool: &Spool, now: &Clocks) {
    assert_eq!(spool.status().facts, model.agent.len());
    let kept = counters(spool, now);
    // What was recorded and is not yet in a batch is in memory.
    assert_eq!(kept[..], model.recorded[..kept.len()]);
}

/// In the end everything is sent, and both sides hold the same.
fn settle(model: &mut Model, spool: &Spool, now: &Clocks) {
    spool.flush(now).unwrap();
    assert_eq!(counters(spool, now), model.recorded);
    send_all(model, spool, now);
    assert_eq!(model.centre, facts(model));
    assert_eq!(spool.digest().unwrap().groups, model.digests());
}

/// Everything is sent, and arrives.
pub(super) fn send_all(model: &mut Model, spool: &Spool, now: &Clocks) {
    // A batch that was outstanding arrives at last.
    while let Some((position, groups)) = take_state(spool, now) {
        model.arrive(position, &groups);
        spool.acknowledge(position, now).unwrap();
    }
}

/// Returns what the centre should hold.
pub(super) fn facts(model: &Model) -> BTreeMap<(Group, ItemKey), FactBody> {
    (model.agent.iter())
        .map(|((scope, number), name)| {
            let body = host(*number, name, Timestamp::EPOCH).body;
            ((group(&scope_name(*scope)), body.key()), body)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_happens_both_sides_end_up_with_the_same_facts_and_no_item_is_lost(steps in vec(step(), 1..60)) {
        run(steps);
    }
}
