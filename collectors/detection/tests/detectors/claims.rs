//! Who claims an address, serves or leads without being entitled to, and masses on the segment.

use super::*;

fn claim(seconds: i64, address: u32, station: u16, reply: bool) -> Claim {
    Claim { time: at(seconds), ip: ip(address), mac: mac(station), reply, asks: None }
}

#[test]
fn a_station_that_answers_for_a_router_without_being_asked_is_spoofing() {
    let found = found(|detection| {
        detection.claim(&claim(0, 1, 1, true));
        detection.claim(&claim(0, 66, 66, true));
        for turn in 0..20 {
            detection.claim(&claim(10 + turn * 2, 1, 66, true));
            detection.claim(&claim(11 + turn * 2, 1, 1, false));
        }
    });
    assert_eq!(found, [(Kind::ArpSpoofing, Subject::Station(mac(66)))]);
}

#[test]
fn a_router_that_defends_its_address_is_not_the_liar() {
    let found = found(|detection| {
        detection.claim(&claim(0, 1, 1, true));
        for turn in 0..20 {
            detection.claim(&claim(10 + turn * 2, 1, 66, true));
            detection.claim(&claim(10 + turn * 2, 88, 66, true));
            detection.claim(&claim(11 + turn * 2, 1, 1, true));
        }
    });
    assert_eq!(found, [(Kind::ArpSpoofing, Subject::Station(mac(66)))]);
}

#[test]
fn two_stations_with_one_address_conflict_and_a_move_or_a_virtual_router_does_not() {
    let conflict = found(|detection| {
        for turn in 0..12 {
            detection.claim(&claim(turn * 20, 50, 1 + u16::try_from(turn % 2).unwrap(), false));
        }
    });
    assert_eq!(conflict, [(Kind::AddressConflict, Subject::Host(ip(50)))]);
    let moved = found(|detection| {
        for turn in 0..6 {
            detection.claim(&claim(turn * 20, 50, 1 + u16::from(turn > 2), true));
        }
    });
    assert_eq!(moved, []);
    let virtual_router = found(|detection| {
        for turn in 0..20 {
            let mac = if turn % 2 == 0 { MacAddr([0, 0, 0x5e, 0, 1, 7]) } else { mac(9) };
            detection.claim(&Claim { mac, ..claim(turn, 50, 1, true) });
        }
    });
    assert_eq!(virtual_router, []);
}

#[test]
fn servers_that_are_not_listed_are_found_at_once_and_those_that_are_never() {
    let serving = |role, ip| Serving { time: at(0), role, ip, mac: Some(mac(3)) };
    let link = |text: &str| text.parse::<IpAddr>().unwrap();
    for (role, good, bad, kind) in [
        (Role::Dhcp, ip(2), ip(66), Kind::RogueDhcp),
        (Role::Dhcpv6, link("fe80::2"), link("fe80::66"), Kind::RogueDhcpv6),
        (Role::Router, link("fe80::1"), link("fe80::66"), Kind::RogueRa),
    ] {
        let found = found(|detection| {
            detection.serving(&serving(role, good));
            detection.serving(&serving(role, bad));
        });
        assert_eq!(found, [(kind, Subject::Host(bad))]);
    }
}

#[test]
fn without_a_list_who_comes_later_is_found_with_less_confidence() {
    let mut detection = Detection::new(Settings::new());
    let serving = |seconds, number| Serving { time: at(seconds), role: Role::Dhcp, ip: ip(number), mac: None };
    for (seconds, number) in [(0, 2), (5, 3), (3_600, 2), (3_601, 66)] {
        detection.serving(&serving(seconds, number));
    }
    let found: Vec<_> =
        detection.findings().map(|finding| (finding.kind, finding.subject, finding.confidence)).collect();
    assert_eq!(found, [(Kind::RogueDhcp, Subject::Host(ip(66)), 60)]);
}

#[test]
fn a_better_root_is_found_and_a_worse_one_that_takes_over_is_not() {
    let tree = |seconds, priority, root| Tree { time: at(seconds), priority, root: mac(root), bridge: mac(9) };
    let roots = |later: u16| {
        found(|detection| {
            detection.tree(&tree(0, 0x6001, 1));
            detection.tree(&tree(3_600, later, 66));
            detection.tree(&tree(3_602, 0x6001, 1));
        })
    };
    assert_eq!(roots(0x1001), [(Kind::RogueRoot, Subject::Station(mac(66)))]);
    assert_eq!(roots(0x8001), []);
}

#[test]
fn masses_of_stations_and_of_broadcasts_are_found() {
    let air = |senders, broadcasts| {
        found(|detection| {
            detection.air(&Air { start: at(0), end: at(10), frames: 90_000, broadcasts, senders });
        })
    };
    assert_eq!(air(60_000, 0), [(Kind::MacFlood, Subject::Segment)]);
    assert_eq!(air(200, 80_000), [(Kind::BroadcastStorm, Subject::Segment)]);
    assert_eq!(air(400, 2_000), []);
}

#[test]
fn equipment_that_is_not_listed_is_found_and_telephones_and_computers_are_not() {
    let said = |seconds, station, capabilities| Equipment {
        time: at(seconds),
        mac: mac(station),
        chassis: None,
        capabilities,
        name: Some("AP-1"),
    };
    let listed = |equipment: &[u16], said: &[Equipment<'static>]| {
        let equipment = equipment.iter().map(|number| mac(*number)).collect();
        let mut detection = Detection::new(Settings { equipment, ..settings() });
        for said in said {
            detection.equipment(said);
        }
        detection.findings().map(|finding| (finding.kind, finding.subject, finding.confidence)).collect::<Vec<_>>()
    };
    let rogue = |confidence| vec![(Kind::RogueLldp, Subject::Station(mac(9)), confidence)];
    assert_eq!(listed(&[1], &[said(0, 1, 0x14), said(0, 9, 0x0c)]), rogue(90));
    assert_eq!(
        listed(&[1], &[said(0, 9, 0x24), said(0, 9, 0x80), said(0, 9, 0)]),
        [],
        "a telephone, a computer, nothing"
    );
    assert_eq!(listed(&[], &[said(0, 1, 0x14), said(0, 9, 0x0c)]), [], "who was there from the beginning is believed");
    assert_eq!(listed(&[], &[said(0, 1, 0x14), said(700, 9, 0x0c), said(730, 1, 0x14)]), rogue(60));
    let by_chassis = Equipment { chassis: Some(mac(1)), ..said(0, 8, 0x04) };
    assert_eq!(listed(&[1], &[by_chassis]), []);
}

#[test]
fn a_station_with_an_address_of_another_network_is_found_and_who_asks_for_an_address_is_not() {
    let other = IpAddr::from([192, 168, 43, 7]);
    let found = found(|detection| {
        for turn in 0..4 {
            // RFC 4436: a machine that was attached anew asks for the router of the network that it was in.
            let asks = Some(IpAddr::from([192, 168, 43, 1]));
            detection.claim(&Claim { ip: other, asks, ..claim(turn, 0, 9, false) });
            // RFC 3927 and RFC 5227: an address of the link alone, and a probe that claims nothing.
            detection.claim(&Claim { ip: [169, 254, 9, 9].into(), ..claim(turn, 0, 10, false) });
            detection.claim(&Claim { ip: [0, 0, 0, 0].into(), asks: Some(other), ..claim(turn, 0, 11, false) });
            detection.claim(&claim(turn, 50, 12, false));
        }
        detection.claim(&Claim { ip: other, ..claim(0, 0, 13, false) });
        // The listed router, which asks in the name of an address of its other side.
        for turn in 0..4 {
            detection.claim(&claim(turn, 1, 1, true));
            detection.claim(&Claim { ip: [198, 51, 100, 7].into(), ..claim(turn, 0, 1, false) });
        }
    });
    assert_eq!(found, [(Kind::OtherNetwork, Subject::Station(mac(9)))]);
}
