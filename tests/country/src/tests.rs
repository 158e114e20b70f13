//! The networks and what is told of them, over days.

use std::collections::BTreeMap;

use onenet_topology::{
    Timestamp,
    division::Tier,
    fact::{FactBody, FactChange, Group, ItemKey},
};
use onenet_wire::{GroupChanges, limits};

use super::{facts, network::Network, sites};

const MORNING: u64 = 7 * 60;

type Held = BTreeMap<(Group, ItemKey), FactBody>;

fn apply(held: &mut Held, groups: Vec<GroupChanges>) {
    for part in groups {
        for change in part.changes {
            let key = (part.group.clone(), change.key());
            match change {
                FactChange::Present(fact) => held.insert(key, fact.body),
                FactChange::Gone { .. } => held.remove(&key),
            };
        }
    }
}

fn whole(network: &Network) -> Held {
    let mut held = Held::new();
    apply(&mut held, facts::complete(facts::everything(network), Timestamp::EPOCH));
    held
}

#[test]
fn the_country_has_the_sites_of_the_table_and_more_than_110_000_terminals() {
    let sites = sites::all(7, 100);
    assert_eq!(sites.len(), 3_340 + 15);
    let terminals: usize = sites.iter().map(|site| site.terminals).sum();
    assert!((110_000..120_000).contains(&terminals), "{terminals}");
    assert_eq!(onenet_topology::site::parse_sites_csv(&sites::csv(&sites)).unwrap().len(), sites.len());
    let below = sites::below(&sites, "640000");
    let count = below.iter().filter(|it| **it).count();
    assert!((20..40).contains(&count), "{count}");
    assert!(sites::below(&sites, "000000").iter().all(|it| *it));
}

#[test]
fn no_two_machines_of_the_nation_have_one_address_also_at_ten_times_the_size() {
    let mut macs = std::collections::BTreeSet::new();
    let mut count = 0;
    for site in sites::all(7, 1_000) {
        let network = Network::new(site, MORNING);
        for at in 0..network.slots().len() {
            macs.insert(network.mac(at, 0));
            count += 1;
        }
        for device in 0..network.site().devices() {
            macs.insert(network.device_mac(device));
            count += 1;
        }
    }
    assert_eq!(macs.len(), count);
}

#[test]
fn what_changed_makes_of_what_was_told_what_would_be_told_in_whole() {
    let sites = sites::all(7, 100);
    let of = |tier| sites.iter().find(|site| site.tier == tier).cloned().unwrap();
    for site in [of(Tier::County), of(Tier::City), of(Tier::Province)] {
        let mut network = Network::new(site, MORNING);
        let mut told = network.slots().to_vec();
        let mut held = whole(&network);
        let mut changed = 0;
        // Two days, in steps of many lengths: exchanges, replacements and silence come together.
        for step in [1_u64, 7, 60, 200, 400, 700, 1_400] {
            network.advance(network.minute() + step);
            let groups = facts::differences(&network, &mut told, Timestamp::EPOCH);
            changed += groups.iter().map(|it| it.changes.len()).sum::<usize>();
            apply(&mut held, groups);
            assert_eq!(held, whole(&network), "{} after {step}", network.site().code);
        }
        assert!(changed > 100, "{changed}");
        let moved = network.slots().iter().enumerate().any(|(at, slot)| usize::from(slot.port) != at);
        let replaced = network.slots().iter().any(|slot| slot.generation > 0);
        assert!(network.slots().len() < 500 || (moved && replaced));
    }
}

#[test]
fn a_site_at_a_minute_is_the_same_in_every_run_and_differs_by_seed() {
    let at = |seed| {
        let mut network = Network::new(sites::all(seed, 100).swap_remove(1), MORNING);
        network.advance(MORNING + 600);
        network.slots().to_vec()
    };
    assert_eq!(at(7), at(7));
    assert_ne!(at(7), at(8));
}

#[test]
fn in_one_step_a_site_comes_to_where_it_comes_in_many_and_one_terminal_of_a_hundred_changes_a_day() {
    const DAYS: u64 = 20;
    let site = sites::all(7, 100).swap_remove(0);
    let (mut once, mut often) = (Network::new(site.clone(), MORNING), Network::new(site, MORNING));
    let until = MORNING + DAYS * 1_440;
    let (mut seen, mut told, mut changes) = (Vec::new(), once.slots().to_vec(), 0);
    once.live_through(until, |network, minute| {
        seen.push(minute);
        let place = |it: &super::network::Slot| (it.port, it.generation);
        changes += told.iter().zip(network.slots()).filter(|(then, now)| place(then) != place(now)).count();
        told.copy_from_slice(network.slots());
    });
    for minute in (MORNING..=until).step_by(7).chain([until]) {
        often.advance(minute);
    }
    assert_eq!(once.slots(), often.slots());
    assert!(seen.is_sorted() && seen.first() > Some(&MORNING) && seen.last() == Some(&until));
    let a_day = changes as u64 * 1_000 / DAYS / once.slots().len() as u64;
    assert!((9..=11).contains(&a_day), "{a_day} in a thousand");
}

#[test]
fn batches_keep_the_limits_of_the_wire_and_parts_of_a_group_leave_no_hole() {
    let network = Network::new(sites::all(7, 100).swap_remove(0), 12 * 60);
    let batches = facts::batches(facts::complete(facts::everything(&network), Timestamp::EPOCH));
    assert!(batches.len() > 20);
    let mut next: BTreeMap<Group, u64> = BTreeMap::new();
    for batch in &batches {
        assert!(batch.len() <= limits::BATCH_GROUPS);
        assert!(batch.iter().map(|part| part.changes.len()).sum::<usize>() <= limits::BATCH_CHANGES);
        for part in batch {
            let range = part.complete.unwrap();
            assert_eq!(range.first, next.get(&part.group).copied().unwrap_or(0));
            next.insert(part.group.clone(), range.last.wrapping_add(1));
        }
    }
    assert!(next.values().all(|next| *next == 0), "a group does not end at the last key");
}

#[test]
fn what_is_told_in_full_follows_from_site_and_minute_and_what_is_told_of_the_past_is_a_part_of_it() {
    let sites = sites::all(7, 100);
    for tier in [Tier::Ministry, Tier::City, Tier::County] {
        let site = sites.iter().find(|site| site.tier == tier).cloned().unwrap();
        let plain = Network::new(site.clone(), MORNING);
        let full = Network::new(site, MORNING).told_in_full(true);
        let (devices, ways) = (full.site().devices(), if tier == Tier::Ministry { 2 } else { 3 });
        assert_eq!(whole(&full).len(), whole(&plain).len() + 3 * devices + ways);
        // Sensors and detectors are told of each ten minutes, as many as can be.
        for minutes in [MORNING, MORNING + 1] {
            let all = facts::samples(&full, Timestamp::EPOCH, minutes);
            assert_eq!(all, facts::samples(&full, Timestamp::EPOCH, minutes));
            assert!(all.len() <= facts::sample_count(&full), "{}", all.len());
            let few = facts::few_samples(&full, Timestamp::EPOCH, minutes);
            assert_eq!(all.len(), few.len() + full.site().terminals);
            assert!(few.len() <= limits::BATCH_ITEMS, "{}", few.len());
        }
    }
}
