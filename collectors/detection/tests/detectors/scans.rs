//! Scans, sweeps, dark addresses, passwords that are tried out, and worms.

use super::*;

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
