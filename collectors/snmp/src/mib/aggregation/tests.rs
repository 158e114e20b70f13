use super::*;
use crate::mib::interfaces::InterfaceLabel;

/// Interfaces 1 to 4 are Ethernet, 50 an aggregate by LACP, 60 one that only ifStackTable tells of, 70 a VLAN's.
fn interfaces() -> InterfaceIndex {
    let label = |(if_index, kind): (u32, u64)| InterfaceLabel {
        if_index,
        name: Some(format!("port-{if_index}")),
        type_number: Reading::Value(kind),
        ..InterfaceLabel::default()
    };
    InterfaceIndex::new([(1, 6), (2, 6), (3, 117), (4, 6), (50, 161), (60, 54), (70, 136)].map(label))
}

fn port(attached: i64, selected: i64, partner: &[u8]) -> Vec<Option<Value>> {
    let mut row = vec![None; AGGREGATION.len()];
    row[ATTACHED] = Some(Value::Integer(attached));
    row[SELECTED] = Some(Value::Integer(selected));
    row[PARTNER_SYSTEM] = Some(Value::Octets(partner.into()));
    row[PARTNER_KEY] = Some(Value::Integer(33));
    row[PARTNER_PORT] = Some(Value::Integer(12));
    row
}

#[test]
fn a_member_names_its_aggregate_and_its_partner() {
    let ports = ReadTable::of_rows([
        (&[1][..], port(50, 50, &[0, 27, 33, 60, 77, 1])),
        (&[2][..], port(0, 50, &[0; 6])),
        (&[3][..], port(0, 0, &[0; 6])),
        (&[4][..], port(4, 4, &[0; 6])),
        (&[9][..], port(50, 50, &[0; 6])),
    ]);
    let polled = members(&ports, &ReadTable::default(), &interfaces());
    let [first, second] = polled.rows.as_slice() else { panic!("{polled:?}") };
    assert_eq!((first.aggregate.as_deref(), first.attached), (Some("port-50"), Some(true)));
    assert_eq!(first.partner_system, Reading::Value(MacAddr([0, 27, 33, 60, 77, 1])));
    assert_eq!((&first.partner_key, &first.partner_port), (&Reading::Value(33), &Reading::Value(12)));
    assert_eq!((second.attached, &second.partner_key), (Some(false), &Reading::Missing), "nobody is at the other end");
    let reasons: Vec<_> = polled.dropped.iter().map(|row| row.reason).collect();
    assert_eq!(reasons, [DropReason::NotAggregated, DropReason::NotAggregated, DropReason::InterfaceUnknown]);
}

#[test]
fn a_stack_tells_of_aggregates_alone_and_only_where_lacp_does_not() {
    let active = || vec![Some(Value::Integer(1))];
    let stack = ReadTable::of_rows([
        (&[0, 50][..], active()),
        (&[60, 1][..], active()),
        (&[60, 2][..], active()),
        (&[60, 3][..], vec![Some(Value::Integer(2))]),
        (&[70, 4][..], active()),
        (&[60, 70][..], active()),
    ]);
    let ports = ReadTable::of_rows([(&[1][..], port(50, 50, &[0; 6]))]);
    let polled = members(&ports, &stack, &interfaces());
    let told: Vec<_> = polled.rows.iter().map(|row| (row.if_index, row.aggregate_if_index, row.source)).collect();
    assert_eq!(told, [(1, 50, AGGREGATION_TABLE), (2, 60, STACK_TABLE)]);
}
