use onenet_snmp::{InterfaceLabel, Reading};

use super::*;

const START: Timestamp = Timestamp::from_unix_ms(1_000_000);

fn after_s(seconds: i64) -> Timestamp {
    START.plus_ms(seconds * 1_000)
}

fn names(ports: &[(u32, &str)]) -> InterfaceIndex {
    let label = |(if_index, name): &(u32, &str)| InterfaceLabel {
        if_index: *if_index,
        name: Some((*name).to_owned()),
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
    };
    InterfaceIndex::new(ports.iter().map(label))
}

fn row(if_index: u32, oper: &'static str, octets: u64, bits: u8) -> InterfaceCounters {
    let counters = Counters {
        oper: Reading::Value(oper),
        in_octets: Reading::Value(octets),
        out_octets: Reading::Value(octets),
        octets_bits: Some(bits),
        ..Counters::default()
    };
    InterfaceCounters { if_index, counters }
}

fn kinds(changes: &PortChanges) -> Vec<(EventKind, &str)> {
    changes.events.iter().map(|event| (event.kind, event.subject.as_str())).collect()
}

#[test]
fn a_device_restarted_when_its_time_begins_again() {
    let mut memory = Memory::default();
    assert_eq!(memory.uptime(5_000, START), None);
    assert_eq!(memory.uptime(5_060, after_s(60)), None);
    let event = memory.uptime(20, after_s(120)).unwrap();
    assert_eq!(event.kind, EventKind::DeviceRestarted);
    assert_eq!(memory.uptime(80, after_s(180)), None);
}

#[test]
fn a_restart_during_a_long_silence_is_seen_though_more_time_passed_since() {
    let mut memory = Memory::default();
    memory.uptime(100, START);
    // Two hours later it has been up for one: more than before, and yet it restarted.
    assert!(memory.uptime(3_600, after_s(7_200)).is_some());
}

#[test]
fn the_wrap_of_sys_up_time_after_497_days_is_no_restart() {
    let mut memory = Memory::default();
    memory.uptime(UPTIME_WRAP_S - 10, START);
    assert_eq!(memory.uptime(50, after_s(60)), None);
}

#[test]
fn a_port_that_goes_down_and_comes_up_is_told_by_name() {
    let (mut memory, index) = (Memory::default(), names(&[(1, "Gi0/1"), (2, "Gi0/2")]));
    assert_eq!(memory.ports(&[row(1, "up", 1, 64), row(2, "down", 1, 64)], &index), PortChanges::default());
    let changes = memory.ports(&[row(1, "down", 2, 64), row(2, "up", 2, 64)], &index);
    assert_eq!(kinds(&changes), [(EventKind::LinkDown, "Gi0/1"), (EventKind::LinkUp, "Gi0/2")]);
    assert!(changes.link_up);
    let changes = memory.ports(&[row(1, "lower_layer_down", 2, 64), row(2, "unknown", 2, 64)], &index);
    assert_eq!(kinds(&changes), []);
}

#[test]
fn renumbered_ports_keep_their_own_state_and_counters() {
    let mut memory = Memory::default();
    memory.ports(&[row(1, "up", 9_000, 64), row(2, "down", 10, 64)], &names(&[(1, "Gi0/1"), (2, "Gi0/2")]));
    let swapped = names(&[(2, "Gi0/1"), (1, "Gi0/2")]);
    let changes = memory.ports(&[row(2, "up", 9_100, 64), row(1, "down", 11, 64)], &swapped);
    assert_eq!(changes, PortChanges::default());
}

#[test]
fn wide_counters_that_go_back_are_told_once_and_narrow_ones_wrap() {
    let (mut memory, index) = (Memory::default(), names(&[(1, "a"), (2, "b"), (3, "c")]));
    memory.ports(&[row(1, "up", 500, 64), row(2, "up", 500, 64), row(3, "up", 500, 32)], &index);
    let changes = memory.ports(&[row(1, "up", 5, 64), row(2, "up", 6, 64), row(3, "up", 7, 32)], &index);
    let [event] = changes.events.as_slice() else { panic!("{:?}", changes.events) };
    assert_eq!((event.kind, event.subject.as_str(), event.count), (EventKind::CountersJumpedBack, "a", 2));
}

#[test]
fn after_a_restart_nothing_is_compared_with_before() {
    let (mut memory, index) = (Memory::default(), names(&[(1, "Gi0/1")]));
    memory.uptime(5_000, START);
    memory.ports(&[row(1, "up", 9_000, 64)], &index);
    assert!(memory.uptime(3, after_s(60)).is_some());
    assert_eq!(memory.ports(&[row(1, "down", 0, 64)], &index), PortChanges::default());
}
