use super::*;
use crate::mib::interfaces::InterfaceLabel;

fn interfaces() -> InterfaceIndex {
    let label =
        |if_index| InterfaceLabel { if_index, name: Some(format!("Gi{if_index}")), ..InterfaceLabel::default() };
    InterfaceIndex::new((1..=3).map(label))
}

#[expect(clippy::unnecessary_wraps, reason = "a cell of a row is an option")]
fn number(number: u64) -> Option<Value> {
    Some(Value::Gauge32(number))
}

fn vtp() -> ReadTable {
    let row = |state, kind| vec![number(state), number(kind), Some(Value::Octets(b"named".as_slice().into()))];
    ReadTable::of_rows([
        (&[1, 1][..], row(1, 1)),
        (&[1, 10][..], row(1, 1)),
        (&[1, 1030][..], row(2, 1)),
        (&[1, 1002][..], row(1, 2)),
    ])
}

#[test]
fn an_access_port_has_its_vlan_untagged_and_a_trunk_its_native_one_beside_those_it_is_enabled_for() {
    let members = ReadTable::of_rows([(&[1][..], vec![number(10)]), (&[9][..], vec![number(10)])]);
    // VLAN 1030 is the seventh of the second thousand.
    let (mut low, mut high) = (vec![0u8; 128], vec![0u8; 128]);
    low[1] = 0x20;
    high[0] = 0x02;
    let octets = |octets: Vec<u8>| Some(Value::Octets(octets.into()));
    let trunks = ReadTable::of_rows([
        (&[2][..], vec![octets(low), number(1), number(1), octets(high), None, None]),
        (&[3][..], vec![octets(vec![0xff; 128]), number(1), number(2), None, None, None]),
    ]);
    let (vtp, interfaces) = (vtp(), interfaces());
    let (vlans, ports) = vlans(&CiscoTables { vtp: &vtp, members: &members, trunks: &trunks, interfaces: &interfaces });
    let told: Vec<_> = vlans
        .rows
        .iter()
        .map(|row| (row.vlan, row.egress_if_indexes.as_slice(), row.untagged_if_indexes.as_slice()))
        .collect();
    assert_eq!(told, [(1, &[2][..], &[2][..]), (10, &[1, 2][..], &[1][..]), (1030, &[2][..], &[][..])]);
    assert_eq!(vlans.dropped, [DroppedRow::new(VTP_TABLE, &[1, 1002], DropReason::NotEthernet)]);
    let natives: Vec<_> = ports.rows.iter().map(|row| (row.if_index, row.pvid, row.source)).collect();
    assert_eq!(natives, [(1, 10, MEMBER_TABLE), (2, 1, TRUNK_TABLE)]);
    assert_eq!(ports.dropped, [DroppedRow::new(MEMBER_TABLE, &[9], DropReason::InterfaceUnknown)]);
}

#[test]
fn only_vlans_in_use_have_a_context() {
    assert_eq!(operational(&vtp()), [1, 10]);
}
