use proptest::prelude::*;

use super::*;
use crate::mib::interfaces::InterfaceLabel;

type Rows = Vec<(Vec<u32>, Vec<Option<u64>>)>;

fn table(rows: &Rows) -> ReadTable {
    let values = |values: &[Option<u64>]| values.iter().map(|value| value.map(Value::Gauge32)).collect();
    ReadTable::of_rows(rows.iter().map(|(index, row)| (index.as_slice(), values(row))))
}

fn label(if_index: u32) -> InterfaceLabel {
    InterfaceLabel {
        if_index,
        name: Some(format!("ge-{if_index}")),
        name_source: Some("ifName"),
        description: Reading::Missing,
        alias: Reading::Missing,
        kind: Reading::Missing,
        type_number: Reading::Missing,
        mac: Reading::Missing,
        mtu_bytes: Reading::Missing,
        speed_bps: Reading::Missing,
        duplex: Reading::Missing,
        last_change_s: Reading::Missing,
    }
}

/// Bridge ports 1 to 3 lead to interfaces 101 to 103, port 9 to 109, which is not an interface.
fn ports() -> ReadTable {
    table(&(1..=3).chain([9]).map(|port| (vec![port], vec![Some(u64::from(port) + 100)])).collect())
}

fn read(q_fdb: &Rows, fdb: &Rows, base_ports: ReadTable) -> ForwardingTables {
    ForwardingTables { q_fdb: table(q_fdb), fdb: table(fdb), base_ports, vlans: ReadTable::default() }
}

fn forward(q_fdb: &Rows, fdb: &Rows, base_ports: ReadTable) -> Polled<ForwardingRow> {
    read(q_fdb, fdb, base_ports).resolve(&InterfaceIndex::new((101..=103).map(label)))
}

fn index(database: Option<u32>, last: u32) -> Vec<u32> {
    database.into_iter().chain([0, 27, 33, 60, 77, last]).collect()
}

#[test]
fn a_row_leads_from_its_bridge_port_to_an_interface() {
    let polled = forward(&vec![(index(Some(10), 1), vec![Some(2), Some(3)])], &Rows::new(), ports());
    let row = &polled.rows[0];
    assert_eq!((row.mac.to_string().as_str(), row.vlan, row.bridge_port), ("00:1b:21:3c:4d:01", Some(10), 2));
    assert_eq!((row.if_index, row.interface.as_deref(), row.status), (102, Some("ge-102"), Some(FdbStatus::Learned)));
    assert!(polled.errors.iter().any(|error| error.error == TableProblem::VlansAreDatabases));
}

#[test]
fn a_port_that_came_later_resolves_what_was_read_before() {
    let read = read(&Rows::new(), &vec![(index(None, 3), vec![Some(9), Some(3)])], ports());
    assert_eq!(read.resolve(&InterfaceIndex::new((101..=103).map(label))).rows, []);
    let rows = read.resolve(&InterfaceIndex::new((101..=109).map(label))).rows;
    assert_eq!(rows.iter().map(|row| row.interface.as_deref()).collect::<Vec<_>>(), [Some("ge-109")]);
}

#[test]
fn every_row_that_cannot_be_used_has_its_reason() {
    let mut group = index(None, 8);
    group[0] = 1;
    let cases = [
        (index(None, 1), vec![Some(0), Some(3)], DropReason::PortZero),
        (index(None, 2), vec![Some(7), Some(3)], DropReason::BridgePortUnknown),
        (index(None, 3), vec![Some(9), Some(3)], DropReason::InterfaceUnknown),
        (index(None, 4), vec![None, Some(3)], DropReason::PortMissing),
        (index(None, 5), vec![Some(1), Some(2)], DropReason::StatusInvalid),
        (group, vec![Some(1), Some(3)], DropReason::MulticastMac),
        (vec![0; 6], vec![Some(1), Some(3)], DropReason::ZeroMac),
        (vec![1, 2, 3], vec![Some(1), Some(3)], DropReason::InvalidIndexLength),
        (vec![1, 2, 3, 4, 5, 256], vec![Some(1), Some(3)], DropReason::InvalidIndexOctet),
    ];
    for (index, values, reason) in cases {
        let polled = forward(&Rows::new(), &vec![(index.clone(), values)], ports());
        assert_eq!(polled.rows, [], "{reason}");
        assert_eq!(polled.dropped, [DroppedRow::new(FDB_TABLE, &index, reason)]);
    }
}

#[test]
fn a_row_without_status_is_kept_without_one() {
    let polled = forward(&Rows::new(), &vec![(index(None, 1), vec![Some(1), None])], ports());
    assert_eq!(polled.rows[0].status, None);
    assert_eq!(polled.rows[0].vlan, None);
}

#[test]
fn a_row_of_both_tables_is_told_once_with_its_vlan() {
    let q_fdb = vec![(index(Some(10), 1), vec![Some(1), Some(3)])];
    let fdb = vec![(index(None, 1), vec![Some(1), Some(3)]), (index(None, 2), vec![Some(3), Some(4)])];
    let polled = forward(&q_fdb, &fdb, ports());
    let told: Vec<_> = polled.rows.iter().map(|row| (row.mac.0[5], row.vlan, row.status)).collect();
    assert_eq!(told, [(1, Some(10), Some(FdbStatus::Learned)), (2, None, Some(FdbStatus::Own))]);
    assert_eq!(polled.dropped, [DroppedRow::new(FDB_TABLE, &index(None, 1), DropReason::AlsoInQBridge)]);
}

#[test]
fn without_bridge_ports_a_port_is_taken_for_its_interface_and_that_is_said() {
    let fdb = vec![(index(None, 1), vec![Some(102), Some(3)]), (index(None, 2), vec![Some(7), Some(3)])];
    let polled = forward(&Rows::new(), &fdb, ReadTable::default());
    assert_eq!(polled.rows.len(), 1);
    assert_eq!(polled.rows[0].if_index, 102);
    assert_eq!(polled.dropped, [DroppedRow::new(FDB_TABLE, &index(None, 2), DropReason::BridgePortUnknown)]);
    assert!(polled.errors.iter().any(|error| error.error == TableProblem::PortsAreInterfaces));
}

#[test]
fn a_base_port_table_that_could_not_be_read_is_not_taken_for_absent() {
    let error =
        TableError { table: BASE_PORT_TABLE, column: None, error: TableProblem::NoAnswer, rows: None, detail: None };
    let unread = ReadTable { errors: vec![error], ..ReadTable::default() };
    let fdb = vec![(index(None, 1), vec![Some(102), Some(3)])];
    let polled = forward(&Rows::new(), &fdb, unread);
    assert_eq!(polled.rows, []);
    assert!(polled.is_partial());
}

#[test]
fn the_spanning_tree_names_bridges_by_priority_and_address() {
    let id = |last: u8| Value::Octets([0x80, 0x00, 0, 27, 33, 60, 77, last].into());
    let row = vec![Some(Value::Integer(5)), None, Some(id(1)), Some(id(2)), Some(Value::Octets([0x80, 0x11].into()))];
    let stp = ReadTable::of_rows([(&[2][..], row)]);
    let interfaces = InterfaceIndex::new([label(102)]);
    let bridge = bridge(&[], &stp, &BridgePorts::of(&ports()), &interfaces);
    let port = &bridge.stp_ports[0];
    assert_eq!((port.bridge_port, port.if_index, port.interface.as_deref()), (2, Some(102), Some("ge-102")));
    assert_eq!((&port.state, &port.path_cost), (&Reading::Value("forwarding"), &Reading::Missing));
    assert_eq!(port.designated_port, Reading::Value(0x8011));
    assert_eq!(port.designated_bridge.get().map(|id| (id.priority, id.mac.0[5])), Some((0x8000, 2)));
}

proptest! {
    #[test]
    fn every_row_is_told_or_dropped(
        q_fdb in rows_strategy(), fdb in rows_strategy(), with_ports in any::<bool>(),
    ) {
        let base_ports = if with_ports { ports() } else { ReadTable::default() };
        let count = table(&q_fdb).len() + table(&fdb).len();
        let polled = forward(&q_fdb, &fdb, base_ports);
        prop_assert_eq!(polled.rows.len() + polled.dropped.len(), count);
        prop_assert!(polled.rows.iter().all(|row| row.mac.is_unicast() && row.interface.is_some()));
    }
}

fn rows_strategy() -> impl Strategy<Value = Rows> {
    let index = prop::collection::vec(0u32..258, 4..9);
    let cell = || prop::option::of(0u64..12);
    prop::collection::vec((index, (cell(), cell()).prop_map(|(port, status)| vec![port, status])), 0..20)
}
