//! The inference on networks whose truth is known: fewer and smaller ones than `./tests/bench topology` judges.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail")]

#[allow(dead_code, reason = "the benchmark uses what is left")]
pub mod generated;

use generated::{Dice, Network, plans};
use onenet_topology::inference::{SiteEvidence, SiteInference, Walks, Where, infer};

fn networks() -> Vec<(u64, Network)> {
    plans(24, 16, 160, 0).iter().map(|plan| (plan.seed, Network::new(plan))).collect()
}

/// Returns how many endpoints there are, how many are at the right port, and how many at a wrong one with no doubt.
fn judged(network: &Network, found: &SiteInference) -> (usize, usize, usize) {
    let (mut right, mut bold) = (0, 0);
    for (mac, places) in &network.truth {
        let Some(found) = found.attachments.get(mac) else { continue };
        if let Where::Port(at) = found.at {
            let is_right = places.contains(&(at.device, at.interface));
            right += usize::from(is_right);
            bold += usize::from(!is_right && found.confidence >= 50);
        }
    }
    (network.truth.len(), right, bold)
}

#[test]
fn with_complete_tables_every_endpoint_is_at_its_port() {
    for (seed, network) in networks() {
        let (all, right, bold) = judged(&network, &infer(&network.complete));
        assert!(right * 100 >= all * 99 && bold == 0, "seed {seed}: {right} of {all}, {bold} wrong without doubt");
    }
}

#[test]
fn five_walks_that_each_lose_a_third_are_nearly_as_good_as_a_complete_one() {
    let (mut all, mut right) = (0, 0);
    for (seed, network) in networks() {
        let (mut dice, mut believed) = (Dice::new(seed), Walks::default());
        let found = (0..5).map(|_| believed.take(network.walk(&mut dice, 30))).last().expect("five walks");
        let (of, is, bold) = judged(&network, &found);
        assert_eq!(bold, 0, "seed {seed}: wrong without doubt");
        (all, right) = (all + of, right + is);
    }
    assert!(right * 100 >= all * 97, "{right} of {all}");
}

#[test]
fn without_the_row_of_its_port_an_endpoint_is_said_to_be_unresolved() {
    let mut absent = 0;
    for (seed, network) in networks() {
        let walk = network.walk(&mut Dice::new(seed), 30);
        let found = infer(&walk);
        for mac in network.truth.keys().filter(|mac| !network.has_access_row(&walk, **mac)) {
            absent += 1;
            let found = found.attachments.get(mac);
            assert!(!found.is_some_and(|it| matches!(it.at, Where::Port(_))), "seed {seed}: {mac} {found:?}");
        }
    }
    assert!(absent > 300, "only {absent} rows were lost");
}

#[test]
fn neither_order_nor_repetition_of_the_evidence_shows() {
    for (seed, network) in networks() {
        let mut dice = Dice::new(seed);
        let walk = network.walk(&mut dice, 10);
        assert_eq!(infer(&shuffled(&walk, &mut dice)), infer(&walk), "seed {seed}");
    }
}

#[test]
fn neither_order_nor_repetition_within_walks_shows() {
    for (seed, network) in networks().into_iter().take(8) {
        let mut dice = Dice::new(seed);
        let (mut one, mut other) = (Walks::default(), Walks::default());
        for _ in 0..4 {
            let walk = network.walk(&mut dice, 30);
            let again = shuffled(&walk, &mut dice);
            assert_eq!(one.take(walk), other.take(again), "seed {seed}");
        }
    }
}

/// The same evidence in any order, with some of it said twice.
fn shuffled(evidence: &SiteEvidence, dice: &mut Dice) -> SiteEvidence {
    let mut devices = evidence.devices.clone();
    devices.extend(evidence.devices.iter().filter(|_| dice.happens(50)).cloned());
    for device in &mut devices {
        let again: Vec<_> = device.forwarding.iter().filter(|_| dice.happens(30)).copied().collect();
        device.forwarding.extend(again);
        dice.shuffle(&mut device.forwarding);
        dice.shuffle(&mut device.interfaces);
        dice.shuffle(&mut device.neighbours);
    }
    dice.shuffle(&mut devices);
    SiteEvidence { devices, anchors: evidence.anchors.iter().rev().copied().collect() }
}
