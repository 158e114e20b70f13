use super::*;
use crate::{
    mib::{Reading, interfaces::InterfaceLabel},
    value::Value,
};

fn row(chassis: &[u8]) -> Vec<Option<Value>> {
    let octets = |octets: &[u8]| Some(Value::Octets(octets.into()));
    let mut row = vec![None; REMOTE.len()];
    row[_CHASSIS_SUBTYPE] = Some(Value::Integer(4));
    row[_CHASSIS_ID] = octets(chassis);
    row[_PORT_SUBTYPE] = Some(Value::Integer(5));
    row[_PORT_ID] = octets(b"ge-0/0/1");
    row[_PORT_DESC] = octets(b"to the firewall");
    row[_SYS_NAME] = octets(b"core-1");
    row[_SYS_DESC] = octets(b"a switch");
    row[_CAPABILITIES] = octets(&[0x28]);
    row
}

#[test]
fn a_neighbour_is_read_as_one_of_the_older_mib_and_its_port_is_an_interface() {
    let remote = ReadTable::of_rows([
        (&[0, 18, 1, 4][..], row(&[0, 27, 33, 60, 77, 1])),
        (&[0, 19, 1, 5][..], row(b"")),
        (&[0, 19, 6][..], row(b"x")),
    ]);
    let address = [0, 18, 1, 4, 1, 4, 10, 1, 2, 3];
    let nobodys = [0, 18, 1, 9, 1, 4, 10, 1, 2, 3];
    let addresses = ReadTable::of_rows([(&address[..], vec![None]), (&nobodys[..], vec![None])]);
    let label = InterfaceLabel { if_index: 18, name: Some("ethernet1/13".into()), ..InterfaceLabel::default() };
    let polled = neighbours(&remote, &addresses, &InterfaceIndex::new([label]));
    let [found] = polled.rows.as_slice() else { panic!("{polled:?}") };
    assert_eq!(
        (found.local_port.as_deref(), found.if_index, found.local_port_number),
        (Some("ethernet1/13"), Some(18), 18)
    );
    assert_eq!((found.chassis_id.as_str(), found.port_id.filled()), ("00:1b:21:3c:4d:01", Some("ge-0/0/1")));
    assert_eq!(
        (found.port_description.filled(), found.system_name.filled()),
        (Some("to the firewall"), Some("core-1"))
    );
    assert_eq!(found.system_description.filled(), Some("a switch"));
    assert_eq!(found.capabilities, Reading::Value(vec!["bridge", "router"]));
    assert_eq!(found.management_addresses, ["10.1.2.3".parse::<IpAddr>().unwrap()]);
    let reasons: Vec<_> = polled.dropped.iter().map(|row| row.reason).collect();
    assert_eq!(reasons, [DropReason::ChassisIdMissing, DropReason::InvalidIndexLength, DropReason::NeighbourUnknown]);
}
