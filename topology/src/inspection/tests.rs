#![allow(clippy::needless_pass_by_value, reason = "tests make what they hand over")]

use serde_json::{Value, json};

use super::*;
use crate::inference::{LinkReason, Reason, RejectReason, SiteInference, Where};

fn file(value: Value) -> EvidenceFile {
    serde_json::from_value(value).unwrap()
}

fn host(number: u8) -> String {
    format!("00:1b:21:00:00:{number:02x}")
}

fn own(number: u8) -> String {
    format!("00:e0:fc:00:00:{number:02x}")
}

fn row(mac: &str, interface: &str) -> Value {
    json!({"mac": mac, "vlan": 10, "interface": interface, "status": "learned"})
}

/// A switch with ports ge1 to ge9.
fn switch(number: u8, forwarding: Vec<Value>) -> Value {
    let interfaces: Vec<Value> =
        (1..=9).map(|port| json!({"if_index": port, "name": format!("ge{port}"), "oper": "up"})).collect();
    json!({"id": format!("sw{number}"), "bridge": {"address": own(number)}, "interfaces": interfaces, "forwarding": forwarding})
}

fn site(devices: Vec<Value>) -> Value {
    json!({"site": "130102", "walks": [{"time": 1, "devices": devices}]})
}

/// The place of an address, as device and interface of the file.
fn place(found: &SiteInference, names: &Names, mac: &str) -> (String, String) {
    match found.attachments[&mac.parse().unwrap()].at {
        Where::Port(at) => (names.device(at.device).to_owned(), names.interface(at.device, at.interface).to_owned()),
        Where::Behind { device, .. } => (names.device(device).to_owned(), "?".to_owned()),
        Where::Nowhere => ("-".to_owned(), "-".to_owned()),
    }
}

fn at(device: &str, interface: &str) -> (String, String) {
    (device.to_owned(), interface.to_owned())
}

/// Two switches, ge9 to ge9, that have an address of each other; a host at ge3 of the second.
fn pair() -> Vec<Value> {
    vec![
        switch(1, vec![row(&own(2), "ge9"), row(&host(1), "ge9"), row(&host(2), "ge1")]),
        switch(2, vec![row(&own(1), "ge9"), row(&host(1), "ge3"), row(&host(2), "ge9")]),
    ]
}

#[test]
fn ports_and_devices_have_the_names_of_the_file() {
    let (found, names) = file(site(pair())).infer().unwrap();
    assert_eq!(place(&found, &names, &host(1)), at("sw2", "ge3"));
    assert_eq!(place(&found, &names, &host(2)), at("sw1", "ge1"));
    assert_eq!(found.links.len(), 1);
}

#[test]
fn a_port_may_be_told_by_name_by_number_or_by_bridge_port() {
    let rows = vec![
        json!({"mac": host(1), "if_index": 3}),
        json!({"mac": host(2), "if_index": 77, "interface": null}),
        json!({"mac": host(3), "bridge_port": 5, "vlan": null}),
        json!({"mac": host(4), "bridge_port": 6}),
    ];
    let mut it = switch(1, rows);
    it["bridge"]["stp_ports"] = json!([{"bridge_port": 5, "if_index": 7}]);
    let (found, names) = file(site(vec![it])).infer().unwrap();
    assert_eq!(place(&found, &names, &host(1)), at("sw1", "ge3"));
    assert_eq!(place(&found, &names, &host(2)), at("sw1", "ifIndex 77"), "the table of interfaces lacks it");
    assert_eq!(place(&found, &names, &host(3)), at("sw1", "ge7"));
    assert_eq!(place(&found, &names, &host(4)), at("sw1", "?"), "nothing resolves the bridge port");
}

#[test]
fn only_learned_rows_tell_and_a_row_without_status_was_learned() {
    let rows = vec![
        json!({"mac": host(1), "interface": "ge1", "status": "mgmt"}),
        json!({"mac": host(2), "interface": "ge2", "status": null}),
        json!({"mac": host(3), "interface": "ge3"}),
    ];
    let (found, names) = file(site(vec![switch(1, rows)])).infer().unwrap();
    assert_eq!(place(&found, &names, &host(1)), at("-", "-"));
    assert_eq!(place(&found, &names, &host(2)), at("-", "-"));
    assert_eq!(place(&found, &names, &host(3)), at("sw1", "ge3"));
}

#[test]
fn a_move_is_believed_after_two_walks_in_the_order_of_their_times() {
    let walk = |time: Value, port: &str| json!({"time": time, "devices": [switch(1, vec![row(&host(1), port), row(&host(2), "ge2")])]});
    let here = |time: i64| walk(json!(time), "ge1");
    let moved = walk(json!("2026-11-23T08:02:00Z"), "ge5");
    let again = walk(json!(1_795_420_980_000_i64), "ge5");
    let told = |walks: Vec<Value>| {
        let (found, names) = file(json!({"walks": walks})).infer().unwrap();
        (place(&found, &names, &host(1)), found.attachments[&host(1).parse().unwrap()].clone())
    };
    let (once, found) = told(vec![here(1_795_420_800), here(1_795_420_860), moved.clone()]);
    assert_eq!(once, at("sw1", "ge1"));
    assert!(found.rejected.iter().any(|row| row.reason == RejectReason::MovePending), "{found:?}");
    let repeated = told(vec![here(1_795_420_800), moved.clone(), here(1_795_420_860), moved.clone()]);
    assert_eq!(repeated.0, at("sw1", "ge1"), "the same walk twice is one walk");
    let twice = told(vec![again, here(1_795_420_860), moved, here(1_795_420_800)]);
    assert_eq!(twice.0, at("sw1", "ge5"), "in whatever order they stand");
}

#[test]
fn members_of_an_aggregate_are_the_aggregate() {
    let mut it = switch(1, vec![row(&host(1), "ge1"), row(&host(2), "ge2")]);
    it["lag_members"] = json!([
        {"if_index": 1, "aggregate_if_index": 100, "aggregate": "Eth-Trunk1"},
        {"interface": "ge2", "aggregate": "Eth-Trunk1", "attached": true},
        {"interface": "ge3", "aggregate": "Eth-Trunk1", "attached": false},
    ]);
    let (found, names) = file(site(vec![it])).infer().unwrap();
    assert_eq!(place(&found, &names, &host(1)), at("sw1", "Eth-Trunk1"));
    assert_eq!(place(&found, &names, &host(2)), at("sw1", "Eth-Trunk1"));
}

#[test]
fn ports_with_one_partner_are_one_place() {
    let mut devices = pair();
    for device in &mut devices {
        device["forwarding"].as_array_mut().unwrap().push(row(&host(7), "po1"));
        device["lag_members"] = json!([{
            "interface": "ge5", "aggregate": "po1", "attached": true,
            "partner_system": "00:1b:21:00:00:07", "partner_key": 3,
        }]);
    }
    let (found, names) = file(site(devices)).infer().unwrap();
    let found_at = &found.attachments[&host(7).parse().unwrap()];
    assert_eq!(place(&found, &names, &host(7)), at("sw1", "po1"));
    assert_eq!(found_at.also.iter().map(|at| names.device(at.device)).collect::<Vec<_>>(), ["sw2"]);
    assert_eq!(found_at.reason, Reason::SharedPorts { ports: 2 });
}

#[test]
fn a_device_that_shows_no_table_has_its_hosts_behind_it() {
    let mut devices = pair();
    devices[1]["forwarding"] = Value::Null;
    let (found, names) = file(site(devices)).infer().unwrap();
    assert_eq!(place(&found, &names, &host(1)), at("sw2", "?"));
    let found = &found.attachments[&host(1).parse().unwrap()];
    assert_eq!(found.reason, Reason::NoTableBehind);
    assert!(found.confidence < 50);
}

#[test]
fn hosts_behind_a_hub_are_all_at_its_port() {
    let rows = (1..=6).map(|number| row(&host(number), "ge4")).collect();
    let (found, names) = file(site(vec![switch(1, rows)])).infer().unwrap();
    assert!((1..=6).all(|number| place(&found, &names, &host(number)) == at("sw1", "ge4")));
}

fn hears(port: &str, chassis: &str, far: &str) -> Value {
    json!([{"protocol": "lldp", "local_port": port, "chassis_id": chassis, "port_id": far}])
}

#[test]
fn a_neighbour_that_only_one_end_hears_is_a_link_that_says_so() {
    let mut devices = vec![switch(1, vec![row(&host(1), "ge1")]), switch(2, vec![row(&host(2), "ge2")])];
    devices[0]["neighbours"] = hears("ge9", &own(2), "ge8");
    let (found, names) = file(site(devices)).infer().unwrap();
    let [link] = found.links[..] else { panic!("{:?}", found.links) };
    assert_eq!(link.reason, LinkReason::OneSided);
    assert_eq!(names.interface(link.b.device, link.b.interface.unwrap()), "ge8");
}

#[test]
fn a_neighbour_that_tables_contradict_is_shown_and_not_believed() {
    let mut devices = pair();
    for number in 10..20 {
        devices[0]["forwarding"].as_array_mut().unwrap().push(row(&host(number), "ge9"));
        devices[1]["forwarding"].as_array_mut().unwrap().push(row(&host(number), "ge3"));
        devices[0]["forwarding"].as_array_mut().unwrap().push(row(&host(number + 10), "ge2"));
        devices[1]["forwarding"].as_array_mut().unwrap().push(row(&host(number + 10), "ge9"));
    }
    devices[0]["neighbours"] = hears("ge1", &own(2), "ge9");
    let (found, names) = file(site(devices)).infer().unwrap();
    assert_eq!(place(&found, &names, &host(2)), at("sw1", "ge1"), "ge1 leads to no switch");
    let reasons: Vec<LinkReason> = found.links.iter().map(|link| link.reason).collect();
    assert!(reasons.contains(&LinkReason::Contradicted), "{:?}", found.links);
    assert!(found.links.iter().all(|link| (link.reason == LinkReason::Contradicted) == (link.confidence < 50)));
}

#[test]
fn a_neighbour_at_one_port_and_an_address_of_it_at_another_are_both_shown_and_none_is_sure() {
    let mut devices = pair();
    devices[0]["neighbours"] = hears("ge1", &own(2), "ge9");
    let (found, _) = file(site(devices)).infer().unwrap();
    let reasons: Vec<LinkReason> = found.links.iter().map(|link| link.reason).collect();
    assert_eq!(reasons, [LinkReason::OneSided, LinkReason::Contradicted], "{:?}", found.links);
    assert!(found.links.iter().all(|link| link.confidence < 50), "{:?}", found.links);
}

#[test]
fn the_spanning_tree_and_lacp_tell_who_is_at_the_other_end() {
    let mut devices = vec![switch(1, vec![row(&host(1), "ge9")]), switch(2, vec![row(&host(1), "ge3")])];
    devices[1]["bridge"]["stp_ports"] = json!([{
        "bridge_port": 9, "interface": "ge8", "state": "forwarding",
        "designated_bridge": {"priority": 32768, "mac": own(1)}, "designated_port": 0x8009,
    }]);
    devices[0]["bridge"]["stp_ports"] = json!([{"bridge_port": 9, "if_index": 9, "state": "forwarding"}]);
    let (found, names) = file(site(devices.clone())).infer().unwrap();
    assert_eq!(place(&found, &names, &host(1)), at("sw2", "ge3"));
    assert_eq!(found.links[0].reason, LinkReason::SpanningTree);
    let ends =
        [found.links[0].a, found.links[0].b].map(|end| names.interface(end.device, end.interface.unwrap()).to_owned());
    assert_eq!(ends, ["ge9", "ge8"]);

    devices[1]["bridge"].as_object_mut().unwrap().remove("stp_ports");
    devices[0]["lag_members"] =
        json!([{"interface": "ge9", "aggregate": "po9", "partner_system": own(2), "partner_key": 1}]);
    let (found, names) = file(site(devices)).infer().unwrap();
    assert_eq!(place(&found, &names, &host(1)), at("sw2", "ge3"));
    assert_eq!(found.links[0].reason, LinkReason::Lacp);
}

#[test]
fn cdp_names_devices_and_ports_in_long() {
    let mut devices = vec![switch(1, vec![row(&host(1), "ge9")]), switch(2, vec![row(&host(1), "ge3")])];
    devices[1]["system"] = json!({"name": "Access-2"});
    devices[1]["interfaces"][7]["description"] = json!("GigabitEthernet0/8");
    devices[0]["neighbours"] =
        json!([{"protocol": "cdp", "if_index": 9, "chassis_id": "access-2", "port_id": "GigabitEthernet0/8"}]);
    let (found, names) = file(site(devices)).infer().unwrap();
    assert_eq!(place(&found, &names, &host(1)), at("sw2", "ge3"));
    assert_eq!(names.interface(found.links[0].b.device, found.links[0].b.interface.unwrap()), "ge8");
}

#[test]
fn a_neighbour_that_must_be_borne_out_is_not_believed_alone() {
    let mut devices = vec![switch(1, vec![row(&host(1), "ge9")]), switch(2, vec![row(&host(2), "ge3")])];
    devices[0]["neighbours"] = hears("ge9", &own(2), "ge9");
    let mut told = site(devices);
    assert_eq!(file(told.clone()).infer().unwrap().0.links.len(), 1);
    told["neighbours"] = json!("borne_out");
    assert!(file(told.clone()).infer().unwrap().0.links.is_empty());
    told["walks"][0]["devices"][1]["neighbours"] = hears("ge9", &own(1), "ge9");
    assert_eq!(file(told).infer().unwrap().0.links[0].reason, LinkReason::TwoSided);
}

#[test]
fn a_neighbour_whom_two_hear_between_them_is_borne_out() {
    let rows = |own: [u8; 3], other: [u8; 3]| {
        let here = own.map(|number| row(&host(number), &format!("ge{}", number % 8)));
        here.into_iter().chain(other.map(|number| row(&host(number), "ge9"))).collect()
    };
    let mut devices =
        vec![switch(1, rows([1, 2, 3], [4, 5, 6])), switch(2, rows([4, 5, 6], [1, 2, 3])), switch(3, Vec::new())];
    devices[0]["neighbours"] = hears("ge9", &own(3), "ge1");
    devices[1]["neighbours"] = hears("ge9", &own(3), "ge2");
    for way in ["told", "borne_out"] {
        let mut told = site(devices.clone());
        told["neighbours"] = json!(way);
        let (found, names) = file(told).infer().unwrap();
        let ends = found.links.iter().map(|it| [it.a, it.b].map(|end| names.device(end.device)));
        assert_eq!(ends.collect::<Vec<_>>(), [["sw1", "sw3"], ["sw2", "sw3"]], "{way}");
    }
}

#[test]
fn a_port_that_carries_one_vlan_gives_it_where_the_table_does_not() {
    let mut it =
        switch(1, vec![json!({"mac": host(1), "interface": "ge3"}), json!({"mac": host(2), "interface": "ge4"})]);
    it["vlans"] = json!([{"vlan": 30, "egress_if_indexes": [3, 4]}, {"vlan": 40, "egress_if_indexes": [4]}]);
    let (found, names) = file(site(vec![it])).infer().unwrap();
    let vlan = |mac: &str| match found.attachments[&mac.parse().unwrap()].at {
        Where::Port(at) => names.vlan(at),
        other => panic!("{other:?}"),
    };
    assert_eq!((vlan(&host(1)), vlan(&host(2))), (Some(30), None));
}

#[test]
fn neither_order_nor_repetition_shows() {
    let mut devices = pair();
    devices[0]["neighbours"] = hears("ge9", &own(2), "ge9");
    let told = |devices: Vec<Value>| {
        let (found, names) = file(site(devices)).infer().unwrap();
        format!("{found:?}{names:?}")
    };
    let expected = told(devices.clone());
    let mut other: Vec<Value> = devices.iter().rev().chain(&devices).cloned().collect();
    for device in &mut other {
        device["forwarding"].as_array_mut().unwrap().reverse();
        device["interfaces"].as_array_mut().unwrap().reverse();
    }
    assert_eq!(told(other), expected);
}

#[test]
fn what_is_written_reads_back_as_the_same() {
    let mut told = file(site(pair()));
    told.anchor = Some(host(9).parse().unwrap());
    told.neighbours = Claims::BorneOut;
    assert_eq!(file(serde_json::to_value(&told).unwrap()), told);
}

#[test]
fn what_contradicts_the_format_is_refused_with_its_place() {
    let refused = |value: Value| file(value).infer().unwrap_err().to_string();
    assert!(refused(json!({"walks": []})).starts_with("walks: there is none"));
    let said = refused(json!({"walks": [{"time": 1}, {"devices": []}]}));
    assert!(said.starts_with("walk 2: time: it is missing"), "{said}");
    let said = refused(json!({"walks": [{"devices": [{"id": "a"}, {"id": " "}]}]}));
    assert!(said.starts_with("walk 1, device 2: id: it is empty"), "{said}");
    let many: Vec<Value> = (0..1_025).map(|number| json!({"id": number})).collect();
    assert!(refused(site(many)).contains("1025 devices are too many: 1024 at most"));
}

#[test]
fn nothing_that_has_the_form_makes_it_fail() {
    let twisted = json!([
        {"id": 7, "bridge": null, "interfaces": null, "system": null, "identity": null, "own_addresses": null},
        {"id": "a", "interfaces": [{}, {"if_index": 0}, {"name": " "}], "forwarding": [{"mac": "ff:ff:ff:ff:ff:ff"}, {"mac": own(1), "vlan": 0}],
         "neighbours": [{}, {"local_port": "x", "chassis_id": "a"}], "lag_members": [{}, {"interface": "a", "aggregate": "a"}],
         "vlans": [{"vlan": 1}], "port_vlans": [{}], "bridge": {"stp_ports": [{}, {"designated_bridge": {"mac": own(1)}, "designated_port": 65535}]}},
        {"id": "a", "lag_members": [{"interface": "b", "aggregate": "a"}, {"interface": "a", "aggregate": "b"}]},
    ]);
    let told = json!({"walks": [{"devices": twisted}], "something": {"else": [1]}});
    file(told).infer().unwrap();
    file(json!({"site": 130_102, "anchor": null, "walks": [{"time": null, "devices": null}]})).infer().unwrap();
}
