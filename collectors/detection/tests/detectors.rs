//! What detectors find, and what they leave alone, told by what goes in and what comes out.

#![allow(missing_docs, clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr};

use onenet_detection::{
    Detection, Finding, Grade, Kind, Settings, Subject,
    observation::{Air, Claim, Disclosed, Disclosure, FlowSeen, NameSeen, Role, SYN, Serving, Terminal, Tree},
};
use onenet_topology::{
    MacAddr, Timestamp,
    application::Application,
    classify::{DeviceClass, OsFamily},
    flow::TcpState,
};
use proptest::prelude::*;

const BEGIN: i64 = 1_800_000_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(BEGIN + seconds * 1_000)
}

fn ip(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a14_0000 + number).into()
}

fn public(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x2d00_0000 + number).into()
}

fn mac(number: u16) -> MacAddr {
    let [high, low] = number.to_be_bytes();
    // Far apart, so that no two look like cards of one machine.
    MacAddr([0x00, 0x1b, 0x21, high, low, 0x0a])
}

/// A TCP connection that nobody answered.
fn unanswered(seconds: i64, from: IpAddr, to: IpAddr, port: u16) -> FlowSeen<'static> {
    FlowSeen {
        protocol: 6,
        from,
        from_port: 40_000,
        to,
        to_port: port,
        packets_out: 1,
        packets_in: 0,
        bytes_out: 60,
        bytes_in: 0,
        flags_out: SYN,
        state: Some(TcpState::Attempted),
        data: false,
        start: at(seconds),
        end: at(seconds),
        application: None,
        by_payload: false,
        name: None,
    }
}

/// A short TCP connection in which both sides spoke.
fn spoken(seconds: i64, from: IpAddr, to: IpAddr, port: u16, octets: u64) -> FlowSeen<'static> {
    FlowSeen {
        packets_out: 9,
        packets_in: 9,
        bytes_out: 1_500,
        bytes_in: octets,
        flags_out: 0x1b,
        state: Some(TcpState::Finished),
        data: true,
        end: at(seconds + 2),
        ..unanswered(seconds, from, to, port)
    }
}

fn datagrams(seconds: i64, from: (IpAddr, u16), to: (IpAddr, u16), out: u64, back: u64) -> FlowSeen<'static> {
    FlowSeen {
        protocol: 17,
        from_port: from.1,
        packets_out: out,
        packets_in: back,
        bytes_out: out * 100,
        bytes_in: back * 100,
        flags_out: 0,
        state: None,
        ..unanswered(seconds, from.0, to.0, to.1)
    }
}

fn echo(seconds: i64, from: IpAddr, to: IpAddr, out: u64, back: u64) -> FlowSeen<'static> {
    FlowSeen {
        protocol: 1,
        to_port: 8 << 8,
        packets_out: out,
        packets_in: back,
        state: None,
        ..unanswered(seconds, from, to, 0)
    }
}

fn settings() -> Settings {
    Settings {
        plan: vec!["10.20.0.0/16".parse().unwrap()],
        dark: vec!["10.20.200.0/24".parse().unwrap()],
        scanners: vec!["10.20.0.5/32".parse().unwrap()],
        dhcp_servers: vec![ip(2), "fe80::2".parse().unwrap()],
        routers: vec![ip(1), "fe80::1".parse().unwrap()],
        forbidden_vlans: vec![999],
        ..Settings::new()
    }
}

/// Returns the kinds and subjects of what is found.
fn found(feed: impl FnOnce(&mut Detection)) -> Vec<(Kind, Subject)> {
    findings(feed).iter().map(|finding| (finding.kind, finding.subject)).collect()
}

fn findings(feed: impl FnOnce(&mut Detection)) -> Vec<Finding> {
    let mut detection = Detection::new(settings());
    feed(&mut detection);
    detection.findings().cloned().collect()
}

#[test]
fn a_scan_of_ports_is_one_finding_about_its_source_with_evidence() {
    let found = findings(|detection| {
        for port in 1..=200 {
            detection.flow(&unanswered(i64::from(port) / 4, ip(77), ip(9), port));
        }
    });
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((finding.kind, finding.subject), (Kind::PortScan, Subject::Host(ip(77))));
    assert_eq!(finding.grade, Grade::Considerable);
    assert!(finding.count.abs_diff(200) < 40 && finding.confidence >= 90, "{finding:?}");
    assert_eq!((finding.first, finding.last), (at(0), at(50)));
    assert!(finding.evidence.iter().any(|evidence| evidence.is == "target" && evidence.value == "10.20.0.9"));
    assert!(finding.evidence.iter().filter(|evidence| evidence.is == "flow").count() > 1);
}

#[test]
fn connections_that_are_opened_and_left_count_as_a_scan_and_those_that_carry_something_do_not() {
    let scan = |data: bool| {
        found(|detection| {
            for port in 1..=60 {
                let flow = spoken(i64::from(port), ip(77), ip(9), 1_000 + port, 2_000);
                detection.flow(&FlowSeen { data, ..flow });
            }
        })
    };
    assert_eq!(scan(false), [(Kind::PortScan, Subject::Host(ip(77)))]);
    assert_eq!(scan(true), []);
}

#[test]
fn a_sweep_is_found_by_tcp_udp_and_echo() {
    for flow in [
        unanswered(0, ip(77), ip(9), 445),
        datagrams(0, (ip(77), 50_000), (ip(9), 161), 1, 0),
        echo(0, ip(77), ip(9), 1, 0),
    ] {
        let found = found(|detection| {
            for host in 0..60 {
                detection.flow(&FlowSeen {
                    to: ip(1_000 + host),
                    start: at(i64::from(host)),
                    end: at(i64::from(host)),
                    ..flow
                });
            }
        });
        assert_eq!(found, [(Kind::Sweep, Subject::Host(ip(77)))], "{flow:?}");
    }
}

#[test]
fn a_sweep_by_address_resolution_is_found_and_a_router_asking_is_none() {
    let sweep = |from: u32| {
        found(|detection| {
            for host in 0..250 {
                let claim = Claim {
                    time: at(i64::from(host) / 10),
                    ip: ip(from),
                    mac: mac(7),
                    reply: false,
                    asks: Some(ip(500 + host)),
                };
                detection.claim(&claim);
            }
        })
    };
    assert_eq!(sweep(77), [(Kind::Sweep, Subject::Host(ip(77)))]);
    assert_eq!(sweep(1), []);
}

#[test]
fn a_poller_that_is_listed_or_that_asks_the_same_absent_devices_again_sweeps_nothing() {
    // Fifteen of fifty are absent: below the threshold in each round, and the same in all.
    let poll = |detection: &mut Detection, from: u32, absent: u32| {
        for round in 0..288 {
            for host in 0..50 {
                let back = u64::from(host >= absent);
                detection.flow(&datagrams(
                    round * 300 + i64::from(host),
                    (ip(from), 50_000),
                    (ip(1_000 + host), 161),
                    1,
                    back,
                ));
            }
        }
    };
    assert_eq!(found(|detection| poll(detection, 8, 15)), []);
    assert_eq!(found(|detection| poll(detection, 5, 50)), []);
}

#[test]
fn a_scan_over_hours_is_found_and_a_host_that_meets_an_absent_one_now_and_then_is_none() {
    let scan = |every_s: i64| {
        found(|detection| {
            for attempt in 0..200 {
                detection.flow(&unanswered(i64::from(attempt) * every_s, ip(77), ip(1_000 + attempt), 3_389));
            }
        })
    };
    assert_eq!(scan(200), [(Kind::SlowScan, Subject::Host(ip(77)))]);
    assert_eq!(scan(3_600), []);
}

#[test]
fn three_dark_addresses_are_a_finding_and_one_again_and_again_is_none() {
    let dark = |addresses: u32| {
        found(|detection| {
            for attempt in 0..30 {
                detection.flow(&unanswered(i64::from(attempt) * 600, ip(77), ip(0xc800 + attempt % addresses), 80));
            }
        })
    };
    assert_eq!(dark(3), [(Kind::DarkAddress, Subject::Host(ip(77)))]);
    assert_eq!(dark(1), []);
}

#[test]
fn passwords_tried_out_are_found_at_each_service_and_sessions_of_all_sizes_are_none() {
    for port in [22, 23, 3_389, 445, 1_433, 3_306] {
        let tried = |spread: u64| {
            found(|detection| {
                for attempt in 0..150 {
                    let octets = 2_400 + u64::try_from(attempt).unwrap() * 7_919 % 18_000 * spread / 10;
                    detection.flow(&spoken(attempt, ip(77), ip(9), port, octets));
                }
            })
        };
        assert_eq!(tried(0), [(Kind::BruteForce, Subject::Host(ip(77)))], "{port}");
        assert_eq!(tried(10), [], "{port}");
    }
}

#[test]
fn a_program_that_opens_a_database_for_each_question_is_none_where_it_did_so_a_day_ago() {
    let found = found(|detection| {
        detection.flow(&spoken(-2 * 86_400, ip(77), ip(9), 3_306, 4_000));
        for question in 0..2_000 {
            detection.flow(&spoken(question / 4 - 86_000, ip(77), ip(9), 3_306, 1_800));
        }
    });
    assert_eq!(found, []);
}

#[test]
fn floods_are_found_at_the_victim_whether_sources_are_forged_or_one() {
    let victim = Subject::Host(ip(9));
    let forged = |number: i64| public(u32::try_from(number).unwrap() * 7_919);
    let syn = |one: bool| {
        found(|detection| {
            for packet in 0..4_000 {
                let from = if one { public(1) } else { forged(packet) };
                let flow = unanswered(packet / 400, from, ip(9), 80);
                detection.flow(&FlowSeen { from_port: u16::try_from(packet).unwrap(), ..flow });
            }
        })
    };
    assert_eq!(syn(false), [(Kind::SynFlood, victim)]);
    assert_eq!(syn(true), [(Kind::SynFlood, victim)]);
    let one = |flow: FlowSeen<'static>| found(|detection| detection.flow(&flow));
    assert_eq!(one(datagrams(0, (ip(77), 4_000), (ip(9), 5_000), 60_000, 0)), [(Kind::UdpFlood, victim)]);
    assert_eq!(one(echo(0, ip(77), ip(9), 6_000, 6_000)), [(Kind::IcmpFlood, victim)]);
    assert_eq!(one(datagrams(0, (ip(77), 4_000), (ip(9), 53), 9_000, 9_000)), [(Kind::DnsFlood, victim)]);
}

#[test]
fn a_camera_and_a_call_and_a_slow_long_flow_are_no_flood() {
    let found = found(|detection| {
        let camera = datagrams(0, (ip(77), 4_000), (ip(9), 5_000), 60_000, 0);
        detection.flow(&FlowSeen { application: Some(Application::Rtp), by_payload: true, ..camera });
        detection.flow(&datagrams(0, (ip(78), 16_384), (ip(79), 16_386), 90_000, 90_000));
        detection.flow(&FlowSeen { end: at(3_600), ..datagrams(0, (ip(80), 4_000), (ip(9), 5_000), 500_000, 0) });
    });
    assert_eq!(found, []);
}

#[test]
fn reflection_is_found_at_the_victim_and_at_the_server_that_is_used() {
    let victim = found(|detection| {
        for server in 0..300 {
            detection.flow(&datagrams(0, (public(server), 53), (ip(9), 33_000), 20, 0));
        }
    });
    assert_eq!(victim, [(Kind::Reflection, Subject::Host(ip(9)))]);
    let used = findings(|detection| {
        let flow = datagrams(0, (public(1), 40_000), (ip(9), 123), 5_000, 5_000);
        detection.flow(&FlowSeen { bytes_in: 5_000_000, ..flow });
    });
    assert!(used.iter().any(|finding| (finding.kind, finding.subject) == (Kind::Reflection, Subject::Host(ip(9)))));
}

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
fn a_flood_that_the_server_answers_is_one_too_and_connections_that_are_opened_and_left_are_not() {
    let flood = |flags_out| {
        found(|detection| {
            for packet in 0..4_000 {
                let flow = unanswered(packet / 400, public(u32::try_from(packet).unwrap() * 7_919), ip(9), 80);
                detection.flow(&FlowSeen { flags_out, packets_in: 1, state: Some(TcpState::Established), ..flow });
            }
        })
    };
    assert_eq!(flood(SYN), [(Kind::SynFlood, Subject::Host(ip(9)))]);
    assert_eq!(flood(0x12), []);
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
fn traffic_past_the_plan_is_found_and_what_is_allowed_or_only_knocks_is_not() {
    let outside = Subject::Host(ip(77));
    assert_eq!(
        found(|detection| detection.flow(&spoken(0, ip(77), public(9), 443, 9_000))),
        [(Kind::Outreach, outside)]
    );
    let attempts = |number| {
        found(|detection| {
            for attempt in 0..number {
                detection.flow(&unanswered(attempt * 60, ip(77), public(9), 443));
            }
        })
    };
    assert_eq!(attempts(2), []);
    assert_eq!(attempts(6), [(Kind::Outreach, outside)]);
    let mut detection = Detection::new(Settings { allowed: vec!["45.0.0.0/8".parse().unwrap()], ..settings() });
    detection.flow(&spoken(0, ip(77), public(9), 443, 9_000));
    detection.flow(&unanswered(0, "9.9.9.9".parse().unwrap(), ip(77), 443));
    assert_eq!(detection.findings().count(), 0);
}

#[test]
fn calls_by_the_clock_are_found_and_calls_as_people_make_them_are_not() {
    let calls = |jitter_percent: i64| {
        let mut seconds = 0;
        let mut state = 7_u64;
        let found = found(|detection| {
            for _ in 0..60 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let turn = i64::try_from(state >> 40).unwrap() % 201 - 100;
                seconds += 300 + 300 * jitter_percent * turn / 10_000;
                detection.flow(&spoken(seconds, ip(77), public(9), 443, 900));
            }
        });
        found.into_iter().any(|(kind, _)| kind == Kind::Beaconing)
    };
    assert!(calls(0) && calls(20));
    assert!(!calls(95));
}

#[test]
fn data_in_names_and_made_up_domains_are_found_and_reverse_lookups_are_not() {
    let asked = |name: &dyn Fn(u32) -> String, missing| {
        found(|detection| {
            for number in 0..150 {
                let name = name(number);
                let time = at(i64::from(number) * 2);
                detection.name(&NameSeen { time, client: ip(77), server: ip(3), name: &name, missing });
            }
        })
    };
    let chance = |number: u32| u64::from(number + 3).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let client = Subject::Host(ip(77));
    let tunnel = |number| format!("{:016x}{:016x}.t.example.com", chance(number), chance(number + 1_000));
    assert_eq!(asked(&tunnel, None), [(Kind::DnsTunnel, client)]);
    let made_up = |number| {
        let letters: String = (0..12)
            .map(|at| char::from(b"bcdfghjklmnpqrst"[usize::try_from(chance(number) >> (at * 5) & 15).unwrap()]))
            .collect();
        format!("{letters}.com")
    };
    assert_eq!(asked(&made_up, Some(true)), [(Kind::Dga, client)]);
    let reverse = |number| format!("{number}.0.20.10.in-addr.arpa");
    assert_eq!(asked(&reverse, None), []);
    assert_eq!(asked(&reverse, Some(true)), []);
    let hosts = |number| format!("pc{number}.mee.gov.cn");
    assert_eq!(asked(&hosts, None), []);
}

#[test]
fn what_connections_give_away_is_found_once_a_service() {
    let told = |what| {
        found(|detection| {
            for client in 0..5 {
                let disclosed = Disclosed { time: at(0), client: ip(100 + client), server: ip(9), port: 8_443, what };
                detection.disclosed(&disclosed);
            }
        })
    };
    let service = Subject::Service { host: ip(9), port: 8_443 };
    assert_eq!(told(Disclosure::Login("ftp")), [(Kind::CleartextLogin, service)]);
    assert_eq!(told(Disclosure::Tls("TLSv1.0")), [(Kind::OutdatedTls, service)]);
    assert_eq!(told(Disclosure::Tls("TLSv1.3")), []);
    assert_eq!(told(Disclosure::CertificateEnds(at(-1))), [(Kind::ExpiredCertificate, service)]);
    assert_eq!(told(Disclosure::CertificateEnds(at(1))), []);
}

#[test]
fn changes_of_a_terminal_are_found_where_both_sides_were_sure() {
    let seen = |seconds, class, os| Terminal {
        time: at(seconds),
        mac: mac(5),
        ip: Some(ip(50)),
        vlan: Some(10),
        class: Some(class),
        os: Some(os),
        shared: None,
    };
    let station = Subject::Station(mac(5));
    let changed = |score| {
        found(|detection| {
            detection.terminal(&seen(0, (DeviceClass::Printer, 90), (OsFamily::Linux, score)));
            detection.terminal(&seen(60, (DeviceClass::Pc, score), (OsFamily::Windows, 90)));
        })
    };
    assert_eq!(changed(90), [(Kind::ChangedClass, station), (Kind::ChangedOs, station)]);
    assert_eq!(changed(40), []);
    let placed = found(|detection| {
        let terminal = seen(0, (DeviceClass::Pc, 90), (OsFamily::Windows, 90));
        detection.terminal(&Terminal { vlan: Some(999), shared: Some(90), ..terminal });
    });
    assert_eq!(placed, [(Kind::Nat, station), (Kind::ForbiddenVlan, station)]);
}

#[test]
fn three_hosts_that_sweep_one_port_are_a_worm() {
    let found = found(|detection| {
        for source in 0..3 {
            for host in 0..40 {
                detection.flow(&unanswered(
                    i64::from(source * 3_600 + host),
                    ip(77 + source),
                    ip(2_000 + source * 100 + host),
                    445,
                ));
            }
        }
    });
    assert!(found.contains(&(Kind::Worm, Subject::Port { protocol: 6, port: 445 })), "{found:?}");
}

#[test]
fn a_detector_without_what_it_needs_says_why_it_is_off_and_every_other_says_when_it_ran() {
    let mut detection = Detection::new(Settings::new());
    detection.flow(&spoken(0, ip(77), public(9), 443, 9_000));
    let states = detection.detectors();
    assert_eq!(states.len(), Kind::ALL.len());
    let state = |kind| states.iter().find(|state| state.kind == kind).unwrap();
    assert!(state(Kind::Outreach).off.is_some_and(|why| why.contains("plan")));
    assert!(state(Kind::PortScan).off.is_none());
    assert_eq!((state(Kind::PortScan).inputs, state(Kind::PortScan).last_run), (1, Some(at(0))));
    assert_eq!((state(Kind::RogueDhcp).inputs, state(Kind::RogueDhcp).last_run), (0, None));
    assert_eq!(detection.findings().count(), 0);
}

#[test]
fn a_scan_is_still_found_under_a_flood_of_forged_sources_and_what_was_forgotten_is_told() {
    let mut detection = Detection::new(settings());
    for round in 0..200_u32 {
        for forged in 0..500 {
            let from = public(round * 500 + forged);
            detection.flow(&unanswered(i64::from(round), from, ip(30_000 + forged), 80));
        }
        detection.flow(&unanswered(i64::from(round), ip(77), ip(9), u16::try_from(round).unwrap() + 1));
    }
    assert!(detection.findings().any(|finding| finding.subject == Subject::Host(ip(77))));
    assert!(detection.detectors().iter().any(|state| state.kind == Kind::PortScan && state.evicted > 0));
    assert!(detection.findings().count() <= onenet_detection::FINDINGS_MAX);
}

#[test]
fn what_changed_is_told_once() {
    let mut detection = Detection::new(settings());
    detection.flow(&spoken(0, ip(77), public(9), 443, 9_000));
    assert_eq!(detection.take_changed().len(), 1);
    assert_eq!(detection.take_changed().len(), 0);
    detection.flow(&spoken(60, ip(77), public(9), 443, 9_000));
    let [again] = detection.take_changed().try_into().unwrap();
    assert_eq!((again.count, again.first, again.last), (2, at(0), at(60)));
}

proptest! {
    #[test]
    fn the_same_flows_give_the_same_findings_and_none_twice(
        flows in prop::collection::vec((0_i64..3_600, 0_u32..6, 0_u32..60, 0_u16..80), 0..600)
    ) {
        let run = || {
            findings(|detection| {
                for (seconds, from, to, port) in &flows {
                    detection.flow(&unanswered(*seconds, ip(*from), ip(100 + *to), *port));
                }
            })
        };
        let first = run();
        prop_assert_eq!(&first, &run());
        let mut subjects: Vec<_> = first.iter().map(|finding| (finding.kind, finding.subject)).collect();
        subjects.dedup();
        prop_assert_eq!(subjects.len(), first.len());
        prop_assert!(first.iter().all(|finding| finding.first <= finding.last && finding.confidence <= 100 && !finding.evidence.is_empty()));
    }
}
