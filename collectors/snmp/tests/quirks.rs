//! What is peculiar about a device is named in the result, and costs no more than what it spoils.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use onenet_snmp::{Budget, Credentials, Inspection, Profiles, Quirk, Sockets, Target, inspect};
use tables::{Agent, Objects};

#[path = "../examples/simulated/mod.rs"]
#[expect(dead_code, reason = "the simulator of the benchmark uses all of it")]
mod simulated;
#[expect(dead_code, reason = "the tests of the agent use the rest")]
mod tables;

const IF_ENTRY: [u32; 9] = [1, 3, 6, 1, 2, 1, 2, 2, 1];
const IF_X_ENTRY: [u32; 10] = [1, 3, 6, 1, 2, 1, 31, 1, 1, 1];
const BASE_PORT: [u32; 11] = [1, 3, 6, 1, 2, 1, 17, 1, 4, 1, 2];
const FDB: [u32; 10] = [1, 3, 6, 1, 2, 1, 17, 4, 3, 1];

/// "上联" in GBK.
const UPLINK: [u8; 4] = [0xc9, 0xcf, 0xc1, 0xaa];

async fn inspected(address: SocketAddr) -> Inspection {
    let sockets = Sockets::open(1).await.unwrap();
    let credentials = Credentials::community("public").unwrap();
    inspect(&sockets, Target(address), &credentials, Budget::default(), &Profiles::built_in()).await.unwrap()
}

fn at(prefix: &[u32], index: &[u32]) -> Vec<u32> {
    [prefix, index].concat()
}

/// A switch with two interfaces and a bridge port at each.
fn switch() -> Objects {
    let mut objects =
        Objects::default().text(&[1, 3, 6, 1, 2, 1, 1, 1, 0], b"a switch").number(&[1, 3, 6, 1, 2, 1, 1, 3, 0], 1);
    for port in [1_u8, 2] {
        let index = u32::from(port);
        objects = objects
            .number(&at(&IF_ENTRY, &[8, index]), 1)
            .number(&at(&IF_ENTRY, &[10, index]), 7)
            .number(&at(&IF_X_ENTRY, &[6, index]), 7)
            .text(&at(&IF_X_ENTRY, &[1, index]), format!("Gi0/{port}").as_bytes())
            .text(&at(&IF_X_ENTRY, &[18, index]), b"")
            .number(&at(&BASE_PORT, &[index]), port);
    }
    objects
}

fn learned(objects: Objects, last: u32, port: Option<u8>) -> Objects {
    let mac = [0, 27, 33, 60, 77, last];
    let objects = objects.number(&[&FDB[..], &[3], &mac].concat(), 3);
    match port {
        Some(port) => objects.number(&[&FDB[..], &[2], &mac].concat(), port),
        None => objects,
    }
}

/// Returns the quirks of a device with these objects, and what was read.
async fn quirks_of(objects: Objects) -> (Vec<Quirk>, Inspection) {
    let agent = Agent::start([("public", objects)]).await;
    let inspection = inspected(agent.address).await;
    (inspection.quirks.clone(), inspection)
}

fn quirk(quirk: &'static str, table: &'static str, count: usize) -> Quirk {
    Quirk { quirk, table, count: Some(count) }
}

#[tokio::test]
async fn a_device_like_others_has_no_quirk() {
    let (quirks, inspection) = quirks_of(learned(switch(), 1, Some(1))).await;
    assert_eq!(quirks, []);
    assert_eq!(inspection.forwarding.len(), 1);
}

#[tokio::test]
async fn names_given_twice_are_counted_and_both_interfaces_are_kept() {
    let (quirks, inspection) = quirks_of(switch().text(&at(&IF_X_ENTRY, &[1, 2]), b"Gi0/1")).await;
    assert_eq!(quirks, [quirk("duplicate_names", "ifXTable", 2)]);
    assert_eq!(inspection.interfaces.len(), 2);
}

#[tokio::test]
async fn counters_of_32_bits_are_named() {
    let narrow = switch().number(&at(&IF_ENTRY, &[10, 3]), 9).number(&at(&IF_ENTRY, &[8, 3]), 1);
    let (quirks, inspection) = quirks_of(narrow).await;
    assert_eq!(quirks, [quirk("narrow_counters", "ifXTable", 1)]);
    assert_eq!(inspection.interfaces[2].counters.in_octets.get(), Some(&9));
    assert_eq!(inspection.interfaces[2].counters.octets_bits, Some(32));
}

#[tokio::test]
async fn chinese_text_in_gbk_is_read_and_named() {
    let described = switch().text(&[1, 3, 6, 1, 2, 1, 1, 1, 0], &UPLINK).text(&at(&IF_X_ENTRY, &[18, 2]), &UPLINK);
    let (quirks, inspection) = quirks_of(described).await;
    assert_eq!(quirks, [Quirk { count: None, ..quirk("gbk_text", "device", 0) }, quirk("gbk_text", "ifXTable", 1)]);
    assert_eq!(inspection.system.description.get().map(String::as_str), Some("上联"));
    assert_eq!(inspection.interfaces[1].label.alias.get().map(String::as_str), Some("上联"));
}

#[tokio::test]
async fn a_value_of_the_wrong_type_costs_that_value_alone() {
    let wrong = switch().text(&at(&IF_ENTRY, &[10, 2]), b"7").text(&at(&IF_X_ENTRY, &[6, 2]), b"7");
    let (quirks, inspection) = quirks_of(wrong).await;
    assert_eq!(quirks, [quirk("malformed", "ifTable", 1), quirk("malformed", "ifXTable", 1)]);
    let octets: Vec<_> = inspection.interfaces.iter().map(|row| row.counters.in_octets.get().copied()).collect();
    assert_eq!(octets, [Some(7), None]);
    assert_eq!(inspection.interfaces[1].counters.oper.get(), Some(&"up"));
}

#[tokio::test]
async fn a_port_that_is_no_bridge_port_costs_its_row_alone() {
    let (quirks, inspection) = quirks_of(learned(learned(switch(), 1, Some(1)), 2, Some(9))).await;
    assert_eq!(quirks, [quirk("bridge_port_unknown", "dot1dTpFdbTable", 1)]);
    assert_eq!(inspection.forwarding.len(), 1);
}

#[tokio::test]
async fn a_table_whose_last_rows_lack_a_column_is_named() {
    let (quirks, inspection) = quirks_of(learned(learned(switch(), 1, Some(1)), 2, None)).await;
    assert_eq!(quirks, [quirk("port_missing", "dot1dTpFdbTable", 1), quirk("truncated", "dot1dTpFdbTable", 1)]);
    assert_eq!(inspection.forwarding.len(), 1);
}

#[tokio::test]
async fn rows_out_of_order_are_all_read_and_named() {
    let row = |last: u32| [&FDB[..], &[2, 0, 27, 33, 60, 77, last]].concat();
    let objects = (1..=5).fold(switch(), |objects, last| learned(objects, last, Some(1)));
    // 1, 3, 2, 4, 5: the third comes before the second.
    let objects = objects.followed_by(&row(1), &row(3)).followed_by(&row(3), &row(2)).followed_by(&row(2), &row(4));
    let (quirks, inspection) = quirks_of(objects).await;
    assert_eq!(quirks, [quirk("disordered", "dot1dTpFdbTable", 1)]);
    assert_eq!(inspection.forwarding.len(), 5);
}

#[tokio::test]
async fn answers_from_another_address_are_taken_and_named() {
    let agent = Agent::start_elsewhere([("public", switch())]).await;
    let inspection = inspected(agent.address).await;
    let [quirk] = inspection.quirks.as_slice() else { panic!("{:?}", inspection.quirks) };
    assert_eq!((quirk.quirk, quirk.table), ("answers_from_elsewhere", "device"));
    assert!(quirk.count.is_some_and(|answers| answers > 10), "{quirk:?}");
    assert_eq!(inspection.interfaces.len(), 2);
}

#[tokio::test]
async fn a_device_that_copes_only_with_small_answers_is_read_and_named() {
    let agent = Agent::start_small([("public", learned(switch(), 1, Some(1)))], 6).await;
    let inspection = inspected(agent.address).await;
    assert_eq!(inspection.quirks, [Quirk { count: None, ..quirk("small_answers", "device", 0) }]);
    assert_eq!((inspection.interfaces.len(), inspection.forwarding.len()), (2, 1));
}
