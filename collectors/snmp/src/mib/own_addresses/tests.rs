use proptest::prelude::*;

use super::*;
use crate::oid::Oid;

#[expect(clippy::unnecessary_wraps, reason = "a cell of a row is an option")]
fn number(number: i64) -> Option<Value> {
    Some(Value::Integer(number))
}

#[test]
fn the_old_table_completes_the_new_one() {
    let pointer = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 4, 32, 1, 5, 23, 1, 4, 10, 1, 30, 0, 24]);
    let new = ReadTable::of_rows([
        (&[1, 4, 10, 1, 30, 180][..], vec![number(23), number(1), Some(Value::ObjectId(Box::new(pointer)))]),
        (
            &[1, 4, 10, 1, 180, 1][..],
            vec![number(24), number(1), Some(Value::ObjectId(Box::new(Oid::from_arcs(&[0, 0]))))],
        ),
        (&[1, 4, 10, 1, 180, 255][..], vec![number(24), number(3), None]),
        (&[1, 4, 10, 1, 180, 9][..], vec![None, number(1), None]),
    ]);
    let mask = |mask: [u8; 4]| Some(Value::IpAddress(mask.into()));
    let old = ReadTable::of_rows([
        (&[10, 1, 180, 1][..], vec![number(24), mask([255, 255, 252, 0])]),
        (&[192, 168, 0, 1][..], vec![number(25), mask([255, 0, 255, 0])]),
    ]);
    let polled = own_addresses(&new, &old, &InterfaceIndex::default());
    let told: Vec<_> =
        polled.rows.iter().map(|row| (row.ip.to_string(), row.prefix_bits, row.if_index, row.source)).collect();
    assert_eq!(
        told,
        [
            ("10.1.30.180".to_owned(), Some(24), 23, ADDRESS_TABLE),
            ("10.1.180.1".to_owned(), Some(22), 24, ADDRESS_TABLE),
            ("192.168.0.1".to_owned(), None, 25, OLD_TABLE),
        ]
    );
    assert_eq!(polled.rows[1].prefix().map(|prefix| prefix.to_string()).as_deref(), Some("10.1.180.0/22"));
    let reasons: Vec<_> = polled.dropped.iter().map(|row| row.reason).collect();
    assert_eq!(reasons, [DropReason::PortMissing, DropReason::NotUnicast]);
}

proptest! {
    #[test]
    fn a_mask_gives_its_bits_and_nothing_else_does(bits in 1u32..=32, other in any::<u32>()) {
        prop_assert_eq!(mask_bits(u32::MAX << (32 - bits)), u8::try_from(bits).ok());
        let whole = other != 0 && other.leading_ones() == other.count_ones();
        prop_assert_eq!(mask_bits(other).is_some(), whole);
    }

    #[test]
    fn no_index_makes_it_panic(index in prop::collection::vec(0u32..300, 0..30), bits in any::<u32>()) {
        let pointer = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 4, 32, 1, 5, bits]);
        let row = vec![number(1), number(1), Some(Value::ObjectId(Box::new(pointer)))];
        let new = ReadTable::of_rows([(index.as_slice(), row)]);
        let polled = own_addresses(&new, &ReadTable::default(), &InterfaceIndex::default());
        prop_assert_eq!(polled.rows.len() + polled.dropped.len(), 1);
        let _ = polled.rows.iter().map(OwnAddress::prefix).count();
    }
}
