use onenet_capture::{
    FrameMeta, FrameTime, LinkType, Pipeline, PipelineOptions, facts::Neighbour, inventory::InventoryOptions,
};
use onenet_topology::fact::FactBody;

use super::*;

const SECOND: i64 = 1_000;

fn at(ms: i64) -> Moment {
    // The kernel's clock is an hour ahead of the agent's timeline.
    Moment { frames: Timestamp::from_unix_ms(3_600_000 + ms), agent: Timestamp::from_unix_ms(ms) }
}

fn frame_time(ms: i64) -> FrameTime {
    at(ms).frames.into()
}

/// An ARP request of `mac` for itself.
fn arp(mac: [u8; 6], ip: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(mac);
    frame.extend([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1]);
    frame.extend(mac);
    frame.extend(ip);
    frame.extend([0; 6]);
    frame.extend(ip);
    frame
}

fn hear(pipeline: &mut Pipeline, ms: i64, bytes: &[u8], outgoing: bool) {
    let meta = FrameMeta { outgoing, ..FrameMeta::whole(u32::try_from(bytes.len()).unwrap()) };
    pipeline.frame(frame_time(ms), LinkType::Ethernet, meta, bytes);
}

fn present(changes: &[(Group, FactChange)]) -> Vec<(Method, ItemKey, Timestamp)> {
    let of = |(group, change): &(Group, FactChange)| match change {
        FactChange::Present(fact) => Some((group.method, fact.body.key(), fact.observed)),
        FactChange::Gone { .. } => None,
    };
    changes.iter().filter_map(of).collect()
}

fn gone(changes: &[(Group, FactChange)]) -> Vec<(Method, ItemKey)> {
    let of = |(group, change): &(Group, FactChange)| match change {
        FactChange::Gone { key, .. } => Some((group.method, key.clone())),
        FactChange::Present(_) => None,
    };
    changes.iter().filter_map(of).collect()
}

#[test]
fn an_endpoint_is_reported_by_method_at_the_time_it_was_heard_and_the_own_host_is_not() {
    let (host, own) = ([0x00, 0x1b, 0x21, 0, 0, 1], [0x00, 0x1b, 0x21, 0, 0, 2]);
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    hear(&mut pipeline, 5 * SECOND, &arp(host, [10, 0, 0, 1]), false);
    hear(&mut pipeline, 5 * SECOND, &arp(own, [10, 0, 0, 2]), true);
    let mut reported = Reported::new("eth0");
    let states = pipeline.take_changes(at(6 * SECOND).frames).endpoints;
    assert_eq!(states.iter().filter(|state| reported.is_new(state)).count(), 1);
    let changes: Vec<_> = states.iter().flat_map(|state| reported.endpoint(state, at(6 * SECOND))).collect();
    let heard = Timestamp::from_unix_ms(5 * SECOND);
    let mac = MacAddr(host);
    let expected = [
        (Method::PassiveFrames, ItemKey::Sighting { mac, vlan: None }, heard),
        (Method::PassiveArp, ItemKey::Binding { mac, ip: "10.0.0.1".parse().unwrap() }, heard),
    ];
    assert_eq!(present(&changes), expected);
    assert!(states.iter().all(|state| !reported.is_new(state)));
}

#[test]
fn only_what_was_heard_again_is_said_again() {
    let host = [0x00, 0x1b, 0x21, 0, 0, 1];
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    hear(&mut pipeline, 0, &arp(host, [10, 0, 0, 1]), false);
    let mut reported = Reported::new("eth0");
    for state in pipeline.take_changes(at(SECOND).frames).endpoints {
        reported.endpoint(&state, at(SECOND));
    }
    // A frame that binds nothing: its source alone is heard again.
    let mut silent = arp(host, [10, 0, 0, 1]);
    silent[12] = 0x88;
    silent[13] = 0xb5;
    hear(&mut pipeline, 60 * SECOND, &silent, false);
    let state = pipeline.endpoints().next().unwrap();
    let again = reported.heard_again(&state, at(SECOND).frames, at(61 * SECOND));
    assert_eq!(present(&again).iter().map(|(method, ..)| *method).collect::<Vec<_>>(), [Method::PassiveFrames]);
}

#[test]
fn what_a_full_table_gave_up_is_taken_back() {
    let inventory = InventoryOptions { capacity: 4, ..InventoryOptions::default() };
    let mut pipeline = Pipeline::new(PipelineOptions { inventory, ..PipelineOptions::default() });
    let mut reported = Reported::new("eth0");
    let (mut told, mut taken_back) = (0, 0);
    let mut take = |pipeline: &mut Pipeline, ms| {
        let changes = pipeline.take_changes(at(ms).frames);
        for mac in &changes.forgotten {
            taken_back += gone(&reported.forgotten(*mac, at(0))).len();
        }
        for state in &changes.endpoints {
            told += present(&reported.endpoint(state, at(0))).len();
        }
        assert_eq!(told - taken_back, 2 * reported.endpoints.len());
        reported.endpoints.len()
    };
    let mut kept = Vec::new();
    for number in 0..20_u8 {
        hear(&mut pipeline, i64::from(number) * SECOND, &arp([0, 0x1b, 0x21, 0, 1, number], [10, 0, 1, number]), false);
        kept.push(take(&mut pipeline, i64::from(number) * SECOND));
    }
    assert_eq!((kept[3], kept[4], kept[19]), (4, 3, 0), "who pushes others out is not told of as long as that goes on");
    assert_eq!(take(&mut pipeline, 400 * SECOND), 4);
}

#[test]
fn a_neighbour_that_outlives_its_time_is_taken_back() {
    let state = |ttl_s, heard_ms| NeighbourState {
        neighbour: Neighbour {
            protocol: onenet_topology::fact::NeighbourProtocol::Lldp,
            mac: MacAddr([0, 0x1b, 0x21, 0, 0, 9]),
            vlan: None,
            chassis_id: "00:1b:21:00:00:09".to_owned(),
            port_id: "Gi0/1".to_owned(),
            ttl_s,
            port_description: None,
            system_name: Some("access-1".to_owned()),
            system_description: None,
            capabilities_enabled: None,
            management: Vec::new(),
            port_vlan: None,
        },
        first_seen: frame_time(0),
        last_seen: frame_time(heard_ms),
    };
    let mut reported = Reported::new("eth0");
    let (_, change) = reported.neighbour(&state(120, 0), at(SECOND));
    assert!(
        matches!(change, FactChange::Present(Fact { body: FactBody::Neighbour(found), .. }) if found.local_interface == "eth0")
    );
    assert!(reported.holds_neighbour(&state(120, 0)));
    let (_, change) = reported.neighbour(&state(120, 0), at(121 * SECOND));
    assert!(matches!(change, FactChange::Gone { .. }) && !reported.holds_neighbour(&state(120, 0)));
    reported.neighbour(&state(120, 130 * SECOND), at(131 * SECOND));
    let (_, change) = reported.neighbour(&state(0, 132 * SECOND), at(133 * SECOND));
    assert!(matches!(change, FactChange::Gone { .. }));
}
