use proptest::prelude::*;

use super::*;

fn table(rows: &[(&[u32], Vec<Option<Value>>)]) -> ReadTable {
    ReadTable::of_rows(rows.iter().cloned())
}

fn resolved(physical: ReadTable, media: ReadTable) -> Polled<AddressRow> {
    AddressTables { physical, media }.resolve(&InterfaceIndex::default())
}

#[expect(clippy::unnecessary_wraps, reason = "a cell of a row is an option")]
fn mac(last: u8) -> Option<Value> {
    Some(Value::Octets([0, 27, 33, 60, 77, last].into()))
}

#[expect(clippy::unnecessary_wraps, reason = "a cell of a row is an option")]
fn number(number: i64) -> Option<Value> {
    Some(Value::Integer(number))
}

const V4: &[u32] = &[7, 1, 4, 10, 1, 2, 3];
const LINK_LOCAL: &[u32] = &[7, 4, 20, 254, 128, 0, 0, 0, 0, 0, 0, 2, 12, 134, 255, 254, 36, 228, 0, 0, 0, 0, 7];

#[test]
fn mappings_of_both_families_are_read() {
    let physical = table(&[(V4, vec![mac(1), number(3), number(1)]), (LINK_LOCAL, vec![mac(2), number(3), number(2)])]);
    let media = table(&[(&[7, 10, 1, 2, 3], vec![mac(1), number(3)]), (&[7, 10, 1, 2, 4], vec![mac(3), number(4)])]);
    let polled = resolved(physical, media);
    let told: Vec<_> = polled.rows.iter().map(|row| (row.ip.to_string(), row.zone, row.mac.0[5], row.kind)).collect();
    let expected = [
        ("10.1.2.3".to_owned(), None, 1, Some(MappingType::Dynamic)),
        ("fe80::20c:86ff:fe24:e400".to_owned(), Some(7), 2, Some(MappingType::Dynamic)),
        ("10.1.2.4".to_owned(), None, 3, Some(MappingType::Static)),
    ];
    assert_eq!(told, expected);
    let again = DroppedRow::new(MEDIA_TABLE, &[7, 10, 1, 2, 3], DropReason::AlsoInIpNetToPhysical);
    assert_eq!(polled.dropped, [again]);
}

#[test]
fn every_mapping_that_cannot_be_used_has_its_reason() {
    let cases = [
        (V4, vec![mac(1), number(2), number(1)], DropReason::MappingInvalid),
        (V4, vec![mac(1), number(3), number(5)], DropReason::MappingInvalid),
        (V4, vec![None, number(3), number(7)], DropReason::MappingIncomplete),
        (V4, vec![None, number(3), number(1)], DropReason::MacMissing),
        (V4, vec![Some(Value::Octets([].into())), number(3), number(1)], DropReason::MacMissing),
        (V4, vec![Some(Value::Octets([1, 2, 3].into())), number(3), number(1)], DropReason::InvalidMacLength),
        (V4, vec![Some(Value::Octets([0; 6].into())), number(3), number(1)], DropReason::ZeroMac),
        (V4, vec![Some(Value::Octets([1, 0, 94, 0, 0, 1].into())), number(3), number(1)], DropReason::MulticastMac),
        (&[7, 16, 1, 5], vec![mac(1), number(3), number(1)], DropReason::UnknownAddressType),
        (&[7, 1, 5, 10, 1, 2, 3, 4], vec![mac(1), number(3), number(1)], DropReason::InvalidAddressLength),
        (&[7, 1, 4, 10, 1, 2], vec![mac(1), number(3), number(1)], DropReason::InvalidIndexLength),
        (&[7, 1, 4, 10, 1, 2, 300], vec![mac(1), number(3), number(1)], DropReason::InvalidIndexOctet),
    ];
    for (index, row, reason) in cases {
        let polled = resolved(table(&[(index, row)]), ReadTable::default());
        assert_eq!(polled.rows, []);
        assert_eq!(polled.dropped, [DroppedRow::new(PHYSICAL_TABLE, index, reason)]);
    }
}

#[test]
fn a_mapping_without_type_or_known_interface_is_still_a_fact() {
    let polled = resolved(table(&[(V4, vec![mac(9), None, None])]), ReadTable::default());
    assert_eq!((polled.rows[0].kind, polled.rows[0].interface.as_deref()), (None, None));
}

proptest! {
    #[test]
    fn every_row_is_told_or_dropped(
        physical in prop::collection::vec((prop::collection::vec(0u32..260, 0..24), any::<[u8; 6]>(), 0i64..9, 0i64..9), 0..20),
        media in prop::collection::vec((prop::collection::vec(0u32..260, 3..7), prop::collection::vec(any::<u8>(), 0..9), 0i64..9), 0..20),
    ) {
        let physical_rows: Vec<_> = physical
            .iter()
            .map(|(index, mac, kind, state)| (index.as_slice(), vec![Some(Value::Octets((*mac).into())), number(*kind), number(*state)]))
            .collect();
        let media_rows: Vec<_> = media
            .iter()
            .map(|(index, mac, kind)| (index.as_slice(), vec![Some(Value::Octets(mac.clone().into())), number(*kind)]))
            .collect();
        let (physical, media) = (table(&physical_rows), table(&media_rows));
        let count = physical.len() + media.len();
        let polled = resolved(physical, media);
        prop_assert_eq!(polled.rows.len() + polled.dropped.len(), count);
        prop_assert!(polled.rows.iter().all(|row| row.mac.is_unicast()));
    }
}
