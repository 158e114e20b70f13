use std::time::Duration;

use onenet_topology::{
    SensorKind, SensorState,
    fact::{FactChange, ItemKey},
};

use super::*;
use crate::poll::holding::{Holding, changes};

const NOW: Timestamp = Timestamp::from_unix_ms(1_000_000);

/// Returns the facts that are handed on.
fn handed_on<H: Holding + Clone>(holding: H) -> Vec<fact::Fact> {
    let whole = holding.clone().observed(NOW).len();
    let facts = changes(holding, NOW).filter_map(|change| match change {
        FactChange::Present(fact) => Some(fact),
        FactChange::Gone { .. } => None,
    });
    let facts: Vec<_> = facts.collect();
    assert_eq!(facts.len(), whole, "a table that is whole and one that is not are told alike");
    facts
}

fn mac(last: u8) -> MacAddr {
    MacAddr([0x00, 0x1b, 0x21, 0, 0, last])
}

fn row(
    mac: MacAddr,
    interface: Option<&'static str>,
    status: Option<FdbStatus>,
    bridge_port: u32,
) -> ForwardingRow<&'static str> {
    ForwardingRow { mac, vlan: None, fdb_id: None, bridge_port, if_index: bridge_port, interface, status }
}

#[test]
fn what_a_device_did_not_count_is_absent_and_a_port_without_counters_has_no_sample() {
    let counters = Counters { in_octets: Reading::Value(0), out_errors: Reading::Malformed, ..Counters::default() };
    let sample = interface_sample("Gi0/1", &counters).unwrap();
    assert_eq!((sample.in_octets, sample.out_octets, sample.out_errors), (Some(0), None, None));
    assert_eq!(interface_sample("Gi0/1", &Counters::default()), None);
}

#[test]
fn what_names_a_device_is_part_of_what_it_says_it_is() {
    let identity = Identity {
        engine_id: Reading::Value("800007db0300e0fc123456".into()),
        chassis_id_type: None,
        chassis_id: Reading::Value("00:e0:fc:12:34:56".into()),
    };
    let said = system(&System::default(), Some(mac(1)), &identity);
    assert_eq!(said.engine_id, [0x80, 0, 7, 0xdb, 3, 0, 0xe0, 0xfc, 0x12, 0x34, 0x56]);
    assert_eq!((said.bridge_mac, said.chassis_id.as_str()), (Some(mac(1)), "00:e0:fc:12:34:56"));
    let nothing = system(&System::default(), None, &Identity::default());
    assert_eq!(nothing, fact::System::default());
}

#[test]
fn a_mac_given_twice_is_one_fact_and_the_learned_row_with_a_port_is_kept() {
    let rows = vec![
        row(mac(1), Some("Gi0/9"), Some(FdbStatus::Other), 9),
        row(mac(1), Some("Gi0/1"), Some(FdbStatus::Learned), 1),
        row(mac(1), None, Some(FdbStatus::Learned), 7),
        row(mac(2), Some("Gi0/2"), None, 2),
    ];
    let facts = handed_on(forwarding(rows));
    let mut found: Vec<_> = facts
        .iter()
        .map(|fact| match &fact.body {
            FactBody::Forwarding(row) => (row.mac, row.interface.clone(), row.status),
            other => panic!("{other:?}"),
        })
        .collect();
    found.sort_by_key(|(mac, ..)| *mac);
    // A status that the device does not tell is no claim that the row was learned.
    let expected = [
        (mac(1), Some("Gi0/1".to_owned()), ForwardingStatus::Learned),
        (mac(2), Some("Gi0/2".to_owned()), ForwardingStatus::Other),
    ];
    assert_eq!(found, expected);
    assert!(facts.iter().all(|fact| fact.observed == NOW));
}

#[test]
fn the_same_silence_gives_the_same_words_however_long_it_was_waited() {
    let error = |waited| RequestError::NoAnswer {
        target: "192.0.2.1:161".parse().unwrap(),
        tries: 2,
        waited: Duration::from_millis(waited),
        reason: Silence::Community,
    };
    let reach = not_answering("192.0.2.1:161", &error(3_000));
    assert_eq!(reach.state, ReachState::Silent);
    assert_eq!(reach, not_answering("192.0.2.1:161", &error(16_000)));
}

#[test]
fn a_device_that_answers_but_not_to_these_credentials_is_refusing() {
    let target = "192.0.2.1:161".parse().unwrap();
    let rejected =
        RequestError::NoAnswer { target, tries: 2, waited: Duration::ZERO, reason: Silence::CommunityRejected };
    let wrong = RequestError::WrongAuthKey { target, user: "reader".to_owned() };
    for error in [rejected, wrong] {
        assert_eq!(not_answering("192.0.2.1:161", &error).state, ReachState::Refusing);
    }
}

#[test]
fn an_address_on_a_port_without_a_name_names_the_port_by_its_index() {
    let row = AddressRow {
        ip: "10.0.0.1".parse().unwrap(),
        zone: None,
        mac: mac(1),
        if_index: 12,
        interface: None,
        kind: None,
    };
    let change = FactChange::Present(handed_on(addresses(vec![row])).remove(0));
    assert_eq!(change.key(), ItemKey::Address { ip: "10.0.0.1".parse().unwrap(), interface: "#12".to_owned() });
}

#[test]
fn parts_that_identify_equipment_are_kept_and_fans_without_a_serial_are_not() {
    let part = |index, class, serial: &str| Entity {
        index,
        contained_in: Reading::Missing,
        class: Reading::Value(class),
        name: Reading::Missing,
        description: Reading::Missing,
        serial: Reading::Value(serial.to_owned()),
        model: Reading::Missing,
        manufacturer: Reading::Missing,
        hardware_revision: Reading::Missing,
        firmware_revision: Reading::Missing,
        software_revision: Reading::Missing,
    };
    let parts = entities(vec![part(1, "chassis", ""), part(2, "fan", ""), part(3, "fan", "F123"), part(4, "port", "")]);
    let kept: Vec<(u32, u32)> = parts
        .iter()
        .filter_map(|body| match body {
            FactBody::Entity(entity) => Some((entity.index, entity.class)),
            _ => None,
        })
        .collect();
    assert_eq!(kept, [(1, 3), (3, 7)]);
}

#[test]
fn a_sensor_is_state_and_what_it_measured_is_history() {
    let reading = |kind, value_milli, state| SensorReading {
        kind,
        name: "MPU".to_owned(),
        value_milli,
        state,
        limits: onenet_snmp::Limits::default(),
        source: "entSensorValue",
        index: "1".to_owned(),
    };
    let warm = reading(SensorKind::Temperature, Some(42_500), None);
    let fan = reading(SensorKind::Fan, None, Some(SensorState::Critical));
    let sample = SensorSample { kind: SensorKind::Temperature, name: "MPU".to_owned(), value_milli: 42_500 };
    assert_eq!(sensor_sample(&warm), Some(sample));
    assert_eq!(sensor_sample(&fan), None);
    let told = |kind, state| FactBody::Sensor(Sensor { kind, name: "MPU".to_owned(), state });
    let wanted = [told(SensorKind::Temperature, None), told(SensorKind::Fan, Some(SensorState::Critical))];
    assert_eq!(sensors(vec![warm, fan]), wanted);
}

#[test]
fn a_station_brings_the_address_that_its_controller_knows() {
    let station = Station {
        mac: mac(7),
        ip: Some("10.0.0.7".parse().unwrap()),
        user: None,
        access_point: None,
        access_point_mac: Some(mac(8)),
        ssid: Some("office".to_owned()),
        vlan: Some(30),
        radio: None,
        signal_dbm: None,
        receive_kbps: None,
        transmit_kbps: None,
        source: "hwWlanStationTable",
        index: "1".to_owned(),
    };
    let access_point = mac(8).to_string();
    let told = fact::Station { mac: mac(7), access_point, ssid: "office".to_owned(), vlan: Some(30) };
    let bound = Binding { mac: mac(7), ip: "10.0.0.7".parse().unwrap() };
    assert_eq!(stations(vec![station]), [FactBody::Station(told), FactBody::Binding(bound)]);
}

#[test]
fn a_device_that_was_not_recognised_is_told_as_nothing() {
    assert_eq!(identification(&Identification::default()), None);
    let found = Identification { model: Some("S5720".to_owned()), ..Identification::default() };
    assert_eq!(identification(&found).map(|it| (it.model, it.vendor)), Some(("S5720".to_owned(), String::new())));
}

#[test]
fn a_port_that_is_only_selected_for_an_aggregate_is_no_part_of_it() {
    let member = |interface: &str, attached| LagMember {
        if_index: 1,
        interface: Some(interface.to_owned()),
        aggregate_if_index: 9,
        aggregate: Some("Eth-Trunk1".to_owned()),
        attached,
        partner_system: Reading::Missing,
        partner_key: Reading::Missing,
        partner_port: Reading::Missing,
        source: "dot3adAggPortTable",
    };
    let rows = vec![member("ge1", Some(true)), member("ge2", Some(false)), member("ge3", None)];
    let told = |member: &str| {
        let (member, aggregate) = (member.to_owned(), "Eth-Trunk1".to_owned());
        FactBody::Aggregation(Aggregation { member, aggregate, partner_system: None, partner_key: None })
    };
    assert_eq!(aggregation(rows), [told("ge1"), told("ge3")]);
}
