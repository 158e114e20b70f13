//! Switches that keep a forwarding table a VLAN, asked as `community@VLAN`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use onenet_snmp::{Budget, Credentials, DropReason, Inspection, Profiles, Sockets, TableProblem, Target, inspect};
use tables::{Agent, Objects};

#[path = "../examples/simulated/mod.rs"]
#[expect(dead_code, reason = "the simulator of the benchmark uses all of it")]
mod simulated;
#[expect(dead_code, reason = "the quirks need all of it")]
mod tables;

const SYSTEM: [u32; 7] = [1, 3, 6, 1, 2, 1, 1];
const VTP_VLAN: [u32; 13] = [1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1];
const BASE_PORT: [u32; 11] = [1, 3, 6, 1, 2, 1, 17, 1, 4, 1, 2];
const FDB: [u32; 10] = [1, 3, 6, 1, 2, 1, 17, 4, 3, 1];
const IF_DESCR: [u32; 10] = [1, 3, 6, 1, 2, 1, 2, 2, 1, 2];

fn at(prefix: &[u32], index: &[u32]) -> Vec<u32> {
    [prefix, index].concat()
}

/// The bridge of one VLAN: its port 1 is the interface `if_index`, at which it has learned one address.
fn bridge(if_index: u8, mac: [u32; 6]) -> Objects {
    Objects::default()
        .text(&at(&SYSTEM, &[5, 0]), b"switch")
        .with(&at(&SYSTEM, &[3, 0]), simulated::tlv(0x43, &[1, 2]))
        .number(&at(&BASE_PORT, &[1]), if_index)
        .number(&[&FDB[..], &[2], &mac].concat(), 1)
        .number(&[&FDB[..], &[3], &mac].concat(), 3)
}

fn mac(last: u32) -> [u32; 6] {
    [0, 27, 33, 60, 77, last]
}

/// A switch with interfaces 1 and 2 and VLANs 1, 10 and 20.
fn switch() -> Objects {
    let mut objects = bridge(1, mac(1));
    for if_index in [1, 2] {
        objects = objects.text(&at(&IF_DESCR, &[if_index]), format!("Gi0/{if_index}").as_bytes());
    }
    for vlan in [1, 10, 20] {
        objects = objects.number(&at(&VTP_VLAN, &[2, 1, vlan]), 1).number(&at(&VTP_VLAN, &[3, 1, vlan]), 1);
    }
    objects
}

async fn inspected(agent: &Agent) -> Inspection {
    let sockets = Sockets::open(1).await.unwrap();
    let credentials = Credentials::community("public").unwrap();
    inspect(&sockets, Target(agent.address), &credentials, Budget::default(), &Profiles::built_in()).await.unwrap()
}

fn forwarding(inspection: &Inspection) -> Vec<(String, Option<u16>, Option<String>)> {
    inspection.forwarding.iter().map(|row| (row.mac.to_string(), row.vlan, row.interface.clone())).collect()
}

#[tokio::test]
async fn each_vlan_is_read_in_its_context_and_its_ports_by_its_own_numbers() {
    let agent = Agent::start([
        ("public", switch()),
        ("public@1", bridge(1, mac(1))),
        ("public@10", bridge(2, mac(2))),
        ("public@20", bridge(1, mac(3))),
    ])
    .await;
    let inspection = inspected(&agent).await;
    let row = |last, vlan, name| (format!("00:1b:21:3c:4d:0{last}"), Some(vlan), Some(String::from(name)));
    assert_eq!(forwarding(&inspection), [row(1, 1, "Gi0/1"), row(2, 10, "Gi0/2"), row(3, 20, "Gi0/1")]);
    let repeated: Vec<_> = inspection.dropped.iter().map(|row| (row.table, row.reason)).collect();
    assert_eq!(repeated, [("dot1dTpFdbTable", DropReason::AlsoInVlanContext)]);
    assert!(inspection.cost.timeouts == 0, "{:?}", inspection.cost);
}

#[tokio::test]
async fn a_vlan_that_is_silent_is_named_and_the_next_is_still_read() {
    let agent =
        Agent::start([("public", switch()), ("public@1", bridge(1, mac(1))), ("public@20", bridge(1, mac(3)))]).await;
    let inspection = inspected(&agent).await;
    assert_eq!(forwarding(&inspection).iter().map(|row| row.1).collect::<Vec<_>>(), [Some(1), Some(20)]);
    let silent: Vec<_> = inspection.errors.iter().filter(|error| error.error == TableProblem::NoAnswer).collect();
    let [silent] = silent.as_slice() else { panic!("{silent:?}") };
    assert_eq!(silent.table, "dot1dTpFdbTable@vlan");
    assert!(silent.detail.as_deref().is_some_and(|detail| detail.starts_with("VLAN 10: ")), "{silent:?}");
}

#[tokio::test]
async fn a_device_without_contexts_is_asked_for_two_of_them_and_keeps_its_rows() {
    let agent = Agent::start([("public", switch())]).await;
    let inspection = inspected(&agent).await;
    assert_eq!(forwarding(&inspection), [("00:1b:21:3c:4d:01".to_owned(), None, Some("Gi0/1".to_owned()))]);
    assert_eq!(inspection.cost.timeouts, 4, "two VLANs, asked twice each");
    let noted: Vec<_> = inspection.errors.iter().filter(|error| error.table == "dot1dTpFdbTable@vlan").collect();
    let [noted] = noted.as_slice() else { panic!("{noted:?}") };
    assert_eq!(noted.error, TableProblem::NoContexts, "which does not mean that the table was read in part");
}
