use proptest::prelude::*;

use super::*;
use crate::{
    AgentId, InterfaceId,
    endpoint::{Hearing, Located, Origin, Source, Testimony, Witness},
    fact::{Entity, Group, Method, Scope, System},
    inference::Place,
    link::LinkEvidence,
};

const START: Timestamp = Timestamp::from_unix_ms(1_000_000);

fn after(seconds: i64) -> Timestamp {
    START.plus_ms(seconds * 1_000)
}

fn place(port: u64) -> Where {
    Where::Port(Place { device: DeviceId::from_raw(1), interface: InterfaceId::from_raw(port), vlan: None })
}

/// An endpoint that was first seen at `first`, and is at a port since then.
fn endpoint(id: u64, first: Timestamp, port: Option<u64>) -> Endpoint {
    let mut endpoint = Hearing::new(EndpointId::from_raw(id), MacAddr([0, 0x1b, 0x21, 0, 0, 1]));
    let group = Group { method: Method::PassiveFrames, scope: Scope::new("eth0") };
    let origin = Arc::new(Origin { agent: AgentId::from_raw(1), group });
    let source = Source { origin, fact: id };
    let witness = Witness { source, first_seen: first, last_seen: first, current: true, vlan: None, interface: None };
    endpoint.hear(Testimony::Presence, witness);
    let located = port.map(|port| Located { at: place(port), since: first, contender: None });
    Endpoint { located, ..endpoint.close() }
}

fn moved(endpoint: &Endpoint, port: u64, since: Timestamp) -> Endpoint {
    Endpoint { located: Some(Located { at: place(port), since, contender: None }), ..endpoint.clone() }
}

fn device(name: &str, description: &str, serials: &[&str]) -> Device {
    let serial = |(index, serial): (u32, &&str)| Entity {
        index,
        class: CHASSIS,
        name: String::new(),
        description: String::new(),
        serial: (*serial).to_owned(),
        model: String::new(),
        software_revision: String::new(),
    };
    let system = System {
        name: name.to_owned(),
        description: description.to_owned(),
        object_id: String::new(),
        contact: String::new(),
        location: String::new(),
        bridge_mac: None,
        engine_id: Vec::new(),
        chassis_id: String::new(),
    };
    Device {
        id: DeviceId::from_raw(1),
        first_seen: START,
        handles: Vec::new(),
        answering: Vec::new(),
        system: Some(system),
        system_observed: START,
        entities: (1..).zip(serials).map(serial).collect(),
        interfaces: Vec::new(),
    }
}

fn link(port: &str) -> Link {
    let end = |device, name: &str| LinkEnd::Interface {
        device: DeviceId::from_raw(device),
        interface: None,
        name: name.to_owned(),
    };
    let evidence =
        LinkEvidence { agent: AgentId::from_raw(1), method: Method::SnmpNeighbours, heard_by: None, observed: START };
    Link::new(end(1, port), end(2, "uplink"), evidence)
}

fn picture(endpoints: &[Endpoint]) -> Picture {
    let endpoints: Vec<Arc<Endpoint>> = endpoints.iter().cloned().map(Arc::new).collect();
    Picture::of([], &endpoints, &[])
}

/// The endpoints of a picture, each with the place where it is.
fn places(picture: &Picture) -> Vec<(u64, Option<Where>)> {
    let of = |(thing, face): (&Thing, &Face)| match (thing, face) {
        (Thing::Endpoint(id), Face::Endpoint { at, .. }) => (id.raw(), *at),
        other => panic!("{other:?}"),
    };
    picture.things().map(of).collect()
}

#[test]
fn a_past_picture_shows_where_things_were_and_not_what_came_later() {
    let first = endpoint(1, START, Some(1));
    let second = moved(&first, 2, after(10));
    let third = moved(&second, 3, after(20));
    let late = endpoint(2, after(15), Some(9));
    let log = [
        Alteration::of_endpoint(after(12), &first, Some(&second)).unwrap(),
        Alteration::of_endpoint(after(21), &second, Some(&third)).unwrap(),
    ];
    assert_eq!((log[0].time, log[1].time), (after(10), after(20)), "when it was left, not when that was learned");
    let now = picture(&[third, late]);
    for (at, port) in [(0, 1), (9, 1), (10, 2), (19, 2), (20, 3)] {
        let mut expected = vec![(1, Some(place(port)))];
        expected.extend((at >= 15).then(|| (2, Some(place(9)))));
        assert_eq!(places(&now.clone().as_of(after(at), &log)), expected, "at {at} s");
    }
    assert_eq!(places(&now.as_of(after(-1), &log)), [], "before it was first seen");
}

#[test]
fn who_is_retired_is_gone_from_then_on_and_may_come_back() {
    let here = endpoint(1, START, Some(1));
    let retired = Endpoint { retired_since: Some(after(10)), ..here.clone() };
    let log = [
        Alteration::of_endpoint(after(10), &here, Some(&retired)).unwrap(),
        Alteration::of_endpoint(after(20), &retired, Some(&here)).unwrap(),
    ];
    let shown = |at| !places(&picture(std::slice::from_ref(&here)).as_of(after(at), &log)).is_empty();
    assert_eq!([5, 10, 15, 20, 25].map(shown), [true, false, false, true, true]);
    let forgotten = Alteration::of_endpoint(after(30), &retired, None);
    assert_eq!(forgotten, None, "nothing more is to be seen of it");
}

#[test]
fn to_learn_more_of_a_thing_is_no_change_of_it() {
    let (unknown, known) = (endpoint(1, START, None), endpoint(1, START, Some(1)));
    assert_eq!(Alteration::of_endpoint(after(5), &unknown, Some(&known)), None);
    let id = DeviceId::from_raw(1);
    let of = |before: &Device, after_it: &Device| Alteration::of_device(id, after(5), Some(before), Some(after_it));
    let new = Device { system: None, ..device("", "", &[]) };
    let read = device("SW1", "S5720 5.170", &["A"]);
    assert_eq!(of(&new, &read), None);
    assert_eq!(Alteration::of_device(id, after(5), None, Some(&read)), None);
    for changed in [
        device("SW2", "S5720 5.170", &["A"]),
        device("SW1", "S5720 5.180", &["A"]),
        device("SW1", "S5720 5.170", &["B"]),
    ] {
        let told = of(&read, &changed).unwrap();
        assert_eq!((told.before, told.after), (Some(Face::of_device(&read)), Some(Face::of_device(&changed))));
    }
    assert_eq!(of(&read, &read.clone()), None);
}

#[test]
fn links_join_and_part() {
    let told = Alteration::of_links(after(5), &[link("1"), link("2")], &[link("2"), link("3")]);
    let seen: Vec<_> = told.iter().map(|it| (it.before.is_some(), it.after.is_some())).collect();
    assert_eq!(seen, [(true, false), (false, true)]);
    let now = Picture::of([], [], &[link("2"), link("3")]);
    let past = now.clone().as_of(after(4), &told);
    assert_eq!(past, Picture::of([], [], &[link("1"), link("2")]));
    assert_eq!(past.difference(&now, after(5)), told);
}

proptest! {
    /// Whatever an endpoint went through, each moment shows what it looked like then, in whatever order changes are read.
    #[test]
    fn every_moment_shows_what_was_there_then(
        steps in prop::collection::vec((1_i64..50, 0_u64..6), 1..20),
        rotation in 0_usize..20,
    ) {
        let mut states = vec![(START, endpoint(1, START, Some(0)))];
        let mut log = Vec::new();
        for (pause, port) in steps {
            let (time, last) = states.last().cloned().unwrap();
            let time = time.plus_ms(pause * 1_000);
            let next = match port {
                0 if last.retired_since.is_none() => Endpoint { retired_since: Some(time), ..last.clone() },
                port => Endpoint { retired_since: None, ..moved(&last, port, time) },
            };
            log.extend(Alteration::of_endpoint(time, &last, Some(&next)));
            states.push((time, next));
        }
        let (_, last) = states.last().cloned().unwrap();
        let now = picture(&[last]);
        if !log.is_empty() {
            let by = rotation % log.len();
            log.rotate_left(by);
        }
        for (time, state) in states {
            prop_assert_eq!(now.clone().as_of(time, &log), picture(&[state]));
        }
    }
}
