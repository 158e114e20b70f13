use proptest::prelude::*;

use super::*;
use crate::mib::interfaces::InterfaceLabel;

fn interfaces() -> InterfaceIndex {
    InterfaceIndex::new([InterfaceLabel { if_index: 10, name: Some("Gi0/10".into()), ..InterfaceLabel::default() }])
}

fn row(device: &[u8], address: (u64, &[u8]), capabilities: &[u8]) -> Vec<Option<Value>> {
    let octets = |octets: &[u8]| Some(Value::Octets(octets.into()));
    let mut row = vec![None; CACHE.len()];
    row[ADDRESS_TYPE] = Some(Value::Gauge32(address.0));
    row[ADDRESS] = octets(address.1);
    row[DEVICE_ID] = octets(device);
    row[DEVICE_PORT] = octets(b"Ethernet1/25");
    row[PLATFORM] = octets(b"UCS-FI-6248UP");
    row[CAPABILITIES] = octets(capabilities);
    row
}

#[test]
fn a_neighbour_is_read_with_its_port_and_address() {
    let read = ReadTable::of_rows([
        (&[10, 7][..], row(b"core-1(SSI18220)", (1, &[10, 40, 1, 2]), &[0, 0, 0, 0x29])),
        (&[11, 8][..], row(&[0xe8, 0x39, 0x35, 0x1a, 0x3c, 0x65], (65_535, &[]), &[0x30])),
        (&[10, 9][..], row(b"", (1, &[0, 0, 0, 0]), &[])),
    ]);
    let polled = neighbours(&read, &interfaces());
    let [first, second] = polled.rows.as_slice() else { panic!("{polled:?}") };
    assert_eq!((first.protocol, first.if_index, first.local_port.as_deref()), ("cdp", Some(10), Some("Gi0/10")));
    assert_eq!((first.chassis_id.as_str(), first.port_id.filled()), ("core-1(SSI18220)", Some("Ethernet1/25")));
    assert_eq!(first.management_addresses, ["10.40.1.2".parse::<IpAddr>().unwrap()]);
    assert_eq!(first.capabilities, Reading::Value(vec!["router", "bridge"]));
    assert_eq!((second.chassis_id.as_str(), second.if_index), ("e8:39:35:1a:3c:65", None));
    assert_eq!(second.capabilities, Reading::Value(vec!["station_only"]), "the other bit has no word");
    assert_eq!(polled.dropped, [DroppedRow::new(CACHE_TABLE, &[10, 9], DropReason::ChassisIdMissing)]);
}

proptest! {
    #[test]
    fn no_row_makes_it_panic(
        index in prop::collection::vec(any::<u32>(), 0..4),
        device in prop::collection::vec(any::<u8>(), 0..20),
        address in prop::collection::vec(any::<u8>(), 0..20),
        family in any::<u64>(),
        capabilities in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let read = ReadTable::of_rows([(index.as_slice(), row(&device, (family, &address), &capabilities))]);
        let polled = neighbours(&read, &interfaces());
        prop_assert_eq!(polled.rows.len() + polled.dropped.len(), 1);
    }
}
