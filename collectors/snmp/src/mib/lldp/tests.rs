use proptest::prelude::*;

use super::*;
use crate::mib::interfaces::InterfaceLabel;

fn table(rows: &[(&[u32], Vec<Option<Value>>)]) -> ReadTable {
    ReadTable::of_rows(rows.iter().cloned())
}

#[expect(clippy::unnecessary_wraps, reason = "a cell of a row is an option")]
fn text(text: &str) -> Option<Value> {
    Some(Value::Octets(text.as_bytes().into()))
}

#[expect(clippy::unnecessary_wraps, reason = "a cell of a row is an option")]
fn number(number: i64) -> Option<Value> {
    Some(Value::Integer(number))
}

#[expect(clippy::unnecessary_wraps, reason = "a cell of a row is an option")]
fn octets(octets: &[u8]) -> Option<Value> {
    Some(Value::Octets(octets.into()))
}

fn interfaces() -> InterfaceIndex {
    InterfaceIndex::new((1..=3u8).map(|place| InterfaceLabel {
        if_index: 100 + u32::from(place),
        name: Some(format!("ge-{place}")),
        name_source: Some("ifName"),
        description: Reading::Value(format!("GigabitEthernet0/0/{place}")),
        alias: Reading::Value(if place == 3 { "uplink".to_owned() } else { String::new() }),
        kind: Reading::Missing,
        type_number: Reading::Missing,
        mac: Reading::Value(onenet_topology::MacAddr([0, 27, 33, 60, 77, place])),
        mtu_bytes: Reading::Missing,
        speed_bps: Reading::Missing,
        duplex: Reading::Missing,
        last_change_s: Reading::Missing,
    }))
}

/// A neighbour on local port 5: a chassis with a MAC address, and nothing else.
fn remote_row() -> Vec<Option<Value>> {
    let mut row = vec![None; REMOTE.len()];
    row[CHASSIS_SUBTYPE] = number(4);
    row[CHASSIS_ID] = octets(&[0, 27, 33, 60, 77, 0xff]);
    row
}

fn read(local: &ReadTable, row: Vec<Option<Value>>, addresses: &ReadTable) -> Polled<Neighbour> {
    let remote = table(&[(&[0, 5, 1], row)]);
    neighbours(&LldpTables { local, remote: &remote, addresses }, &BridgePorts::default(), &interfaces())
}

fn resolved(local: Vec<Option<Value>>) -> (Option<String>, Option<u32>) {
    let polled = read(&table(&[(&[5], local)]), remote_row(), &ReadTable::default());
    (polled.rows[0].local_port.clone(), polled.rows[0].if_index)
}

#[test]
fn a_local_port_is_found_by_every_kind_of_identifier() {
    let found = |name: &str, if_index| (Some(name.to_owned()), Some(if_index));
    assert_eq!(resolved(vec![number(5), text("ge-1"), None]), found("ge-1", 101));
    assert_eq!(resolved(vec![number(5), text("GigabitEthernet0/0/2"), None]), found("ge-2", 102));
    assert_eq!(resolved(vec![number(1), text("uplink"), None]), found("ge-3", 103));
    assert_eq!(resolved(vec![number(3), octets(&[0, 27, 33, 60, 77, 2]), None]), found("ge-2", 102));
    assert_eq!(resolved(vec![number(3), text("00:1b:21:3c:4d:02"), None]), found("ge-2", 102));
    assert_eq!(resolved(vec![number(7), text("102"), None]), found("ge-2", 102));
    assert_eq!(resolved(vec![number(7), text("slot 1"), text("GigabitEthernet0/0/3")]), found("ge-3", 103));
    assert_eq!(resolved(vec![number(2), text("backplane 7"), None]), (Some("backplane 7".to_owned()), None));
    assert_eq!(resolved(vec![None, None, None]), (None, None));
}

#[test]
fn a_local_port_without_an_entry_is_found_by_its_number() {
    let remote = table(&[(&[0, 102, 1], remote_row())]);
    let none = ReadTable::default();
    let tables = LldpTables { local: &none, remote: &remote, addresses: &none };
    let polled = neighbours(&tables, &BridgePorts::default(), &interfaces());
    assert_eq!(polled.rows[0].local_port.as_deref(), Some("ge-2"));
}

#[test]
fn identifiers_are_shown_as_what_they_are() {
    let shown = |kind, value| {
        let mut row = remote_row();
        row[CHASSIS_SUBTYPE] = number(kind);
        row[CHASSIS_ID] = value;
        read(&ReadTable::default(), row, &ReadTable::default()).rows[0].chassis_id.clone()
    };
    assert_eq!(shown(4, octets(&[0xe8, 0x39, 0x35, 0x1a, 0xca, 0x99])), "e8:39:35:1a:ca:99");
    assert_eq!(shown(5, octets(&[1, 10, 0, 0, 1])), "10.0.0.1");
    assert_eq!(shown(7, text("core-1 (serial 42)")), "core-1 (serial 42)");
    assert_eq!(shown(7, octets(&[1, 2, 0xfe])), "01:02:fe");
    assert_eq!(shown(99, text("odd")), "odd");
}

#[test]
fn capabilities_and_management_addresses_are_told() {
    let mut row = remote_row();
    row[CAPABILITIES] = octets(&[0x28, 0x00]);
    let addresses = table(&[
        (&[0, 5, 1, 1, 4, 10, 40, 1, 19], vec![number(2)]),
        (&[0, 5, 1, 6, 6, 0, 27, 33, 60, 77, 1], vec![number(2)]),
        (&[0, 5, 9, 1, 4, 10, 40, 1, 20], vec![number(2)]),
    ]);
    let polled = read(&ReadTable::default(), row, &addresses);
    assert_eq!(polled.rows[0].capabilities, Reading::Value(vec!["bridge", "router"]));
    assert_eq!(polled.rows[0].management_addresses, ["10.40.1.19".parse::<IpAddr>().unwrap()]);
    let reasons: Vec<_> = polled.dropped.iter().map(|row| row.reason).collect();
    assert_eq!(reasons, [DropReason::UnknownAddressType, DropReason::NeighbourUnknown]);
}

#[test]
fn a_neighbour_without_chassis_is_dropped_with_its_reason() {
    let polled = read(&ReadTable::default(), vec![None; REMOTE.len()], &ReadTable::default());
    assert_eq!(polled.rows, []);
    assert_eq!(polled.dropped, [DroppedRow::new(REMOTE_TABLE, &[0, 5, 1], DropReason::ChassisIdMissing)]);
}

proptest! {
    #[test]
    fn no_identifier_makes_a_decoder_panic(
        index in prop::collection::vec(any::<u32>(), 0..24),
        bytes in prop::collection::vec(any::<u8>(), 0..24),
        kind in 0i64..10,
    ) {
        let _ = management_address(&index);
        let mut row = remote_row();
        row[CHASSIS_SUBTYPE] = number(kind);
        row[CHASSIS_ID] = octets(&bytes);
        row[PORT_SUBTYPE] = number(kind);
        row[PORT_ID] = octets(&bytes);
        let local = table(&[(&[5], vec![number(kind), octets(&bytes), octets(&bytes)])]);
        let polled = read(&local, row, &ReadTable::default());
        prop_assert_eq!(polled.rows.len() + polled.dropped.len(), 1);
    }
}
