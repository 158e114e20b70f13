use proptest::prelude::*;

use super::*;

#[expect(clippy::unnecessary_wraps, reason = "a cell of a row is an option")]
fn number(number: u64) -> Option<Value> {
    Some(Value::Gauge32(number))
}

type Told = (Vec<(String, Option<u32>, usize, bool)>, Vec<(String, Option<u32>)>);

fn told(polled: &Polled<Routes>) -> Told {
    let [routes] = polled.rows.as_slice() else { panic!("{polled:?}") };
    let hop = |hop: &NextHop| (hop.ip.to_string(), hop.if_index, hop.routes, hop.default_route);
    let prefix = |row: &ConnectedPrefix| (row.prefix.to_string(), row.if_index);
    (routes.next_hops.iter().map(hop).collect(), routes.connected_prefixes.iter().map(prefix).collect())
}

#[test]
fn routes_are_counted_into_next_hops_and_local_ones_are_prefixes() {
    let rows: [(&[u32], u64); 5] = [
        (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1], REMOTE),
        (&[10, 8, 0, 0, 255, 255, 0, 0, 0, 10, 0, 0, 1], REMOTE),
        (&[10, 0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0], LOCAL),
        (&[10, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 0, 0], LOCAL),
        (&[10, 9, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0], 2),
    ];
    let read = ReadTable::of_rows(rows.map(|(index, kind)| (index, vec![number(3), number(kind)])));
    let polled = routes(CIDR_TABLE, &read, &[], &InterfaceIndex::default());
    assert_eq!(
        told(&polled),
        (vec![("10.0.0.1".to_owned(), Some(3), 2, true)], vec![("10.0.0.0/24".to_owned(), Some(3))])
    );
}

#[test]
fn a_route_of_either_family_is_read_with_and_without_a_next_hop() {
    let v6 = [0x20, 0x01, 0x0d, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let remote: Vec<u32> = [&[2, 16][..], &v6, &[64, 2, 0, 0, 2, 16], &v6].concat();
    let local = [1, 4, 172, 16, 5, 0, 24, 3, 0, 0, 1, 0, 0];
    let cut = [1, 4, 172, 16, 5];
    let read = ReadTable::of_rows([
        (local.as_slice(), vec![number(0), number(LOCAL)]),
        (remote.as_slice(), vec![number(9), number(REMOTE)]),
        (cut.as_slice(), vec![number(9), number(REMOTE)]),
    ]);
    let polled = routes(INET_TABLE, &read, &[], &InterfaceIndex::default());
    assert_eq!(
        told(&polled),
        (vec![("2001:da8::1".to_owned(), Some(9), 1, false)], vec![("172.16.5.0/24".to_owned(), None)])
    );
    assert_eq!(polled.dropped, [DroppedRow::new(INET_TABLE, &cut, DropReason::InvalidIndexLength)]);
}

#[test]
fn own_addresses_tell_prefixes_that_a_cut_table_does_not() {
    let own = |ip: &str, prefix_bits| OwnAddress {
        ip: ip.parse().unwrap(),
        zone: None,
        prefix_bits,
        if_index: 4,
        interface: None,
        source: "ipAddrTable",
    };
    let own = [own("10.3.2.1", Some(16)), own("127.0.0.1", Some(8)), own("10.9.9.9", Some(32)), own("10.7.7.7", None)];
    let polled = routes(OLD_TABLE, &ReadTable::default(), &own, &InterfaceIndex::default());
    assert_eq!(told(&polled).1, [("10.3.0.0/16".to_owned(), Some(4))]);
}

proptest! {
    #[test]
    fn no_index_makes_a_decoder_panic(index in prop::collection::vec(0u32..300, 0..60), kind in 0u64..6) {
        let row = || vec![number(1), number(kind), number(kind), number(1)];
        for table in [INET_TABLE, CIDR_TABLE, OLD_TABLE] {
            let read = ReadTable::of_rows([(index.as_slice(), row())]);
            let _ = routes(table, &read, &[], &InterfaceIndex::default());
        }
    }
}
