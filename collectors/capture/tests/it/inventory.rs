//! Who is kept, who has to leave, and what is reported of it.

use std::time::Duration;

use onenet_capture::{
    FrameTime, Pipeline, PipelineOptions,
    facts::{Binding, Method},
    inventory::{Inventory, InventoryOptions},
};
use onenet_topology::{MacAddr, Timestamp, fact};
use proptest::prelude::*;

use crate::frames::*;

const CAPACITY: usize = 64;

fn small() -> Inventory {
    Inventory::new(InventoryOptions {
        capacity: CAPACITY,
        probation: Duration::from_secs(60),
        retention: Duration::from_secs(3_600),
    })
}

fn forged(number: u64) -> MacAddr {
    MacAddr::from_u64(0x0200_0000_0000 + number).unwrap()
}

/// Lets `macs` be heard for two minutes, so that they are established.
fn establish(inventory: &mut Inventory, macs: &[MacAddr]) {
    for second in 0..120 {
        for mac in macs {
            inventory.sent(at(second), *mac, None, 60, false);
        }
    }
}

fn has(inventory: &Inventory, mac: MacAddr) -> bool {
    inventory.endpoints().any(|endpoint| endpoint.mac == mac)
}

#[test]
fn a_flood_of_forged_addresses_evicts_itself_and_not_the_established() {
    let mut inventory = small();
    let residents: Vec<_> = (0..40).map(|n| MacAddr([0, 0x1b, 0x21, 0, 1, n])).collect();
    establish(&mut inventory, &residents);
    assert_eq!(inventory.len(), (40, 40));
    for number in 0..100_000 {
        inventory.sent(at(120), forged(number), None, 60, false);
    }
    assert!(residents.iter().all(|mac| has(&inventory, *mac)));
    assert_eq!(inventory.len(), (CAPACITY, 40));
    assert_eq!(inventory.counters().endpoints_evicted, 100_000 - (CAPACITY as u64 - 40));
}

#[test]
fn a_patient_flood_does_not_expel_established_endpoints_that_are_silent_for_a_while() {
    let mut inventory = small();
    let residents: Vec<_> = (0..30).map(|n| MacAddr([0, 0x1b, 0x21, 0, 1, n])).collect();
    establish(&mut inventory, &residents);
    // Two hundred forged addresses in turns, for half an hour: those that stay get established where there is room.
    for second in 120..1_920 {
        for number in 0..200 {
            inventory.sent(at(second), forged(number), None, 60, false);
        }
    }
    assert!(residents.iter().all(|mac| has(&inventory, *mac)));
    let (all, established) = inventory.len();
    assert!(all <= CAPACITY && established <= CAPACITY / 4 * 3);
}

#[test]
fn an_established_endpoint_makes_room_only_after_long_silence() {
    let mut inventory = small();
    let full: Vec<_> = (0..48).map(|n| MacAddr([0, 0x1b, 0x21, 0, 1, n])).collect();
    establish(&mut inventory, &full);
    assert_eq!(inventory.len().1, 48);
    for second in [200, 230, 260, 290] {
        inventory.sent(at(second), ANNA, None, 60, false);
    }
    assert_eq!(inventory.len().1, 48, "everyone was heard within the hour");
    inventory.sent(at(4_000), ANNA, None, 60, false);
    assert_eq!(inventory.len().1, 48, "Anna takes the place of one that was silent for an hour");
    assert!(full.iter().all(|mac| has(&inventory, *mac)), "which is on probation again, not gone");
}

#[test]
fn addresses_that_no_card_has_make_no_endpoints() {
    let mut inventory = small();
    for mac in [MacAddr::BROADCAST, MacAddr::ZERO, MacAddr([1, 0, 0x5e, 0, 0, 1])] {
        inventory.sent(at(0), mac, None, 60, false);
    }
    assert_eq!(inventory.len(), (0, 0));
}

#[test]
fn changes_are_reported_once_and_only_when_something_is_new() {
    let mut inventory = small();
    inventory.sent(at(0), ANNA, None, 60, false);
    assert_eq!(inventory.take_changed(Timestamp::EPOCH).len(), 1);
    inventory.sent(at(1), ANNA, None, 60, false);
    assert!(inventory.take_changed(Timestamp::EPOCH).is_empty());
    let binding = Binding { mac: ANNA, ip: ANNA_IP.into(), method: Method::Arp };
    inventory.bind(at(2), &binding);
    inventory.bind(at(3), &binding);
    let changed = inventory.take_changed(Timestamp::EPOCH);
    assert_eq!(changed.len(), 1);
    assert_eq!((changed[0].bindings[0].first(), changed[0].bindings[0].last()), (at(2), at(3)));
    inventory.bind(at(4), &binding);
    assert!(inventory.take_changed(Timestamp::EPOCH).is_empty());
    inventory.sent(at(5), ANNA, Some(7), 60, false);
    assert_eq!(inventory.take_changed(Timestamp::EPOCH)[0].vlans.len(), 2);
}

#[test]
fn the_capturing_host_is_told_from_others_even_when_others_spoke_of_it_first() {
    let mut inventory = small();
    inventory.bind(at(0), &Binding { mac: ANNA, ip: ANNA_IP.into(), method: Method::DhcpAck });
    assert!(!inventory.take_changed(Timestamp::EPOCH)[0].own);
    inventory.sent(at(1), ANNA, None, 60, true);
    assert!(inventory.take_changed(Timestamp::EPOCH)[0].own);
    inventory.sent(at(2), ANNA, None, 60, false); // mirrored back
    assert!(inventory.endpoints().all(|endpoint| endpoint.own));
}

#[test]
fn each_vlan_keeps_the_time_it_was_last_heard_in() {
    let mut inventory = small();
    for (second, vlan) in [(0, Some(5)), (1, Some(6)), (2, Some(5)), (3, None), (4, Some(6)), (9, None)] {
        inventory.sent(at(second), ROUTER, vlan, 60, false);
    }
    let router = inventory.take_changed(Timestamp::EPOCH).remove(0);
    let seen: Vec<_> = router.vlans.iter().map(|seen| (seen.vlan, seen.last_seen)).collect();
    assert_eq!(seen, [(None, at(9)), (Some(5), at(2)), (Some(6), at(4))]);
}

#[test]
fn evicted_endpoints_are_named_only_when_they_had_been_reported() {
    let mut inventory = small();
    inventory.sent(at(0), ANNA, None, 60, false);
    inventory.take_changed(Timestamp::EPOCH);
    for number in 0..1_000 {
        inventory.sent(at(1), forged(number), None, 60, false);
    }
    assert_eq!(inventory.take_forgotten(), [ANNA]);
    assert!(inventory.take_forgotten().is_empty());
}

#[test]
fn newcomers_that_push_each_other_out_are_not_told_of_before_they_are_established() {
    let mut inventory = small();
    for number in 0..1_000 {
        inventory.sent(at(1), forged(number), None, 60, false);
    }
    establish(&mut inventory, &[ANNA]);
    let told: Vec<_> = inventory.take_changed(Timestamp::EPOCH).iter().map(|state| state.mac).collect();
    assert_eq!(told, [ANNA]);
    assert!(inventory.take_changed(Timestamp::EPOCH.plus_ms(299_000)).is_empty());
    assert_eq!(inventory.take_changed(Timestamp::EPOCH.plus_ms(300_000)).len(), CAPACITY - 1, "the flood is over");
    assert!(inventory.take_forgotten().is_empty());
}

#[test]
fn no_byte_of_traffic_is_lost_between_reports_whoever_has_to_leave() {
    let mut inventory = small();
    let mut sum = 0;
    for number in 0..10_000_u64 {
        inventory.sent(at(0), forged(number % 300), None, 100, false);
        inventory.received(forged(number % 7), 1);
        if number % 97 == 0 {
            let (rows, left) = inventory.take_traffic();
            sum += left.bytes_out + rows.iter().map(|row| row.traffic.bytes_out).sum::<u64>();
        }
    }
    let (rows, left) = inventory.take_traffic();
    sum += left.bytes_out + rows.iter().map(|row| row.traffic.bytes_out).sum::<u64>();
    assert_eq!(sum, 1_000_000);
    assert!(inventory.take_traffic().0.is_empty());
}

#[test]
fn a_router_that_answers_for_all_the_world_keeps_its_latest_addresses() {
    let mut inventory = small();
    for number in 0..200_u8 {
        let ip = [10, 1, 0, number].into();
        inventory.bind(at(number.into()), &Binding { mac: ROUTER, ip, method: Method::Arp });
    }
    let router = inventory.take_changed(Timestamp::EPOCH).remove(0);
    let ips: Vec<_> = router.bindings.iter().map(|binding| binding.ip.to_string()).collect();
    assert_eq!((ips.len(), ips[0].as_str(), ips[15].as_str()), (16, "10.1.0.184", "10.1.0.199"));
    assert_eq!(inventory.counters().bindings_evicted, 184);
}

#[test]
fn an_endpoint_becomes_the_facts_that_an_agent_reports() {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let request =
        dhcp(1, ANNA, [0; 4].into(), [0; 4].into(), &[&[53, 1, 3, 50, 4, 10, 0, 0, 10, 12, 2][..], b"pc"].concat());
    let discover = ipv4([0; 4].into(), [255; 4].into(), 17, &udp(68, 67, &request));
    send(&mut pipeline, 1, &ethernet(ANNA, MacAddr::BROADCAST, 0x8100, &tagged(9, IPV4, &discover)));
    send(&mut pipeline, 5, &ethernet(ANNA, BERT, 0x8100, &tagged(9, ARP, &arp(1, ANNA, ANNA_IP, BERT_IP))));
    let changes = pipeline.take_changes(Timestamp::from(at(6)));
    let facts = changes.endpoints[0].facts();
    let shown: Vec<_> = facts.iter().map(|(method, fact)| (*method, fact.observed)).collect();
    let (one, five) = (Timestamp::from(at(1)), Timestamp::from(at(5)));
    assert_eq!(
        shown,
        [
            (fact::Method::PassiveFrames, five),
            (fact::Method::PassiveDhcp, one),
            (fact::Method::PassiveArp, five),
            (fact::Method::PassiveDhcp, one),
            (fact::Method::PassiveClassification, one),
        ]
    );
    assert!(matches!(&facts[3].1.body, fact::FactBody::Host(host) if host.hostname == "pc" && host.mac == ANNA));
}

proptest! {
    #[test]
    fn the_table_holds_its_capacity_and_reports_each_endpoint_at_most_once(
        steps in proptest::collection::vec((0..200_u64, 0..4_i64, 0..3_u8), 0..2_000),
    ) {
        let mut inventory = small();
        let mut now = 0;
        for (who, seconds, what) in steps {
            now += seconds;
            let time = FrameTime::from_parts(now, 0);
            match what {
                0 => inventory.sent(time, forged(who), None, 60, false),
                1 => inventory.bind(time, &Binding { mac: forged(who), ip: ANNA_IP.into(), method: Method::Arp }),
                _ => {
                    let mut macs: Vec<_> = inventory.take_changed(Timestamp::EPOCH).iter().map(|state| state.mac).collect();
                    let all = macs.len();
                    macs.sort();
                    macs.dedup();
                    prop_assert_eq!(macs.len(), all);
                }
            }
            let (all, established) = inventory.len();
            prop_assert!(all <= CAPACITY && established <= CAPACITY / 4 * 3);
            prop_assert_eq!(inventory.endpoints().count(), all);
        }
    }
}
