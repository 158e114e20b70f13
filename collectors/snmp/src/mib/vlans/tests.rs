use proptest::prelude::*;

use super::*;
use crate::mib::interfaces::InterfaceLabel;

fn interfaces() -> InterfaceIndex {
    let label =
        |if_index: u32| InterfaceLabel { if_index, name: Some(format!("ge-{if_index}")), ..InterfaceLabel::default() };
    InterfaceIndex::new((101..=103).map(label))
}

/// Bridge ports 1 to 3 lead to interfaces 101 to 103.
fn ports() -> BridgePorts {
    let row = |port: u32| vec![Some(Value::Integer(i64::from(port) + 100))];
    BridgePorts::of(&ReadTable::of_rows([1u32, 2, 3].iter().map(|port| (std::slice::from_ref(port), row(*port)))))
}

#[expect(clippy::unnecessary_wraps, reason = "a cell of a row is an option")]
fn octets(octets: &[u8]) -> Option<Value> {
    Some(Value::Octets(octets.into()))
}

fn read(current: &ReadTable, fixed: &ReadTable) -> Polled<Vlan> {
    vlans(&VlanTables { current, fixed, ports: &ports(), interfaces: &interfaces() })
}

#[test]
fn what_is_in_force_goes_before_what_is_configured_which_has_the_name() {
    let current = ReadTable::of_rows([(&[7, 10][..], vec![Some(Value::Gauge32(3)), octets(&[0xa0]), octets(&[0x20])])]);
    let fixed = ReadTable::of_rows([
        (&[10][..], vec![octets(b"office"), octets(&[0xe0]), octets(&[0xe0])]),
        (&[20][..], vec![octets(b"guests"), octets(&[0x40]), octets(&[])]),
    ]);
    let polled = read(&current, &fixed);
    let [office, guests] = polled.rows.as_slice() else { panic!("{polled:?}") };
    assert_eq!((office.vlan, office.name.filled(), office.fdb_id.get()), (10, Some("office"), Some(&3)));
    assert_eq!(
        (office.egress_if_indexes.as_slice(), office.untagged_if_indexes.as_slice()),
        (&[101, 103][..], &[103][..])
    );
    assert_eq!(office.source, VLAN_TABLE);
    assert_eq!((guests.vlan, guests.egress_if_indexes.as_slice(), guests.source), (20, &[102][..], STATIC_TABLE));
    assert_eq!(polled.errors, []);
}

#[test]
fn a_bit_that_is_no_interface_is_counted_and_a_number_that_is_no_vlan_drops_the_row() {
    let current = ReadTable::of_rows([
        (&[0, 10][..], vec![None, octets(&[0x80, 0x01]), octets(&[])]),
        (&[0, 4095][..], vec![None, octets(&[0x80]), None]),
        (&[1, 2, 3][..], vec![None, octets(&[0x80]), None]),
    ]);
    let polled = read(&current, &ReadTable::default());
    assert_eq!(polled.rows.len(), 1);
    let unknown = polled.errors.iter().find(|error| error.error == TableProblem::VlanPortsUnknown);
    assert_eq!(unknown.and_then(|error| error.rows), Some(1));
    assert!(!polled.is_partial(), "the rest of the table is there");
    let reasons: Vec<_> = polled.dropped.iter().map(|row| row.reason).collect();
    assert_eq!(reasons, [DropReason::InvalidVlan, DropReason::InvalidIndexLength]);
}

#[test]
fn an_untagged_vlan_is_that_of_the_ports_interface() {
    let read = ReadTable::of_rows([
        (&[2][..], vec![Some(Value::Gauge32(30))]),
        (&[3][..], vec![Some(Value::Gauge32(0))]),
        (&[9][..], vec![Some(Value::Gauge32(30))]),
    ]);
    let polled = port_vlans(&read, &ports(), &interfaces());
    let [port] = polled.rows.as_slice() else { panic!("{polled:?}") };
    assert_eq!((port.if_index, port.interface.as_deref(), port.pvid), (102, Some("ge-102"), 30));
    let reasons: Vec<_> = polled.dropped.iter().map(|row| row.reason).collect();
    assert_eq!(reasons, [DropReason::InvalidVlan, DropReason::BridgePortUnknown]);
}

proptest! {
    #[test]
    fn a_port_list_reads_back(set in prop::collection::btree_set(0u32..600, 0..40)) {
        let mut octets = vec![0u8; 75];
        for bit in &set {
            octets[*bit as usize / 8] |= 0x80 >> (bit % 8);
        }
        prop_assert_eq!(bits(&octets).collect::<Vec<_>>(), set.into_iter().collect::<Vec<_>>());
    }
}
