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

/// When the line fails.
const CUT_S: i64 = 3_600;

/// Seven hosts use what is at the centre for an hour, until the line fails for two; then they ask for that, and for what they never asked for.
fn cut(detection: &mut Detection, answers: impl Fn(i64) -> bool) {
    for second in 0..3 * CUT_S {
        let number = u32::try_from(second).unwrap();
        let from = ip(1_000 + number % 7);
        let seldom = second >= CUT_S && number % 8 == 0;
        let (to, port) = if seldom { (centre(300 + number), 80) } else { (centre(number % 9), 443) };
        let flow = if answers(second) { spoken } else { |at, from, to, port, _| unanswered(at, from, to, port) };
        detection.flow(&flow(second, from, to, port, 900));
        // What is at the site itself goes on.
        detection.flow(&spoken(second, from, ip(10), 445, 900));
    }
}

/// Returns what is found where the centre is of the plan, and where a line has failed once `hosts` lost what they had.
fn found_beyond(hosts: u64, feed: impl FnOnce(&mut Detection)) -> Vec<(Kind, Subject)> {
    let mut thresholds = Thresholds::default();
    thresholds.set(Threshold::OutageHosts, hosts);
    let plan = vec!["10.0.0.0/8".parse().unwrap()];
    let mut detection = Detection::new(Settings { thresholds, plan, ..settings() });
    feed(&mut detection);
    detection.findings().map(|it| (it.kind, it.subject)).collect()
}

fn centre(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a01_0000 + number).into()
}

#[test]
fn what_all_try_in_vain_while_a_line_is_cut_is_no_scan() {
    let with = |hosts: u64| {
        let found = found_beyond(hosts, |detection| cut(detection, |second| second < CUT_S));
        found.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>()
    };
    assert_eq!(with(3), []);
    // So many hosts are not there: that is what it would look like.
    assert_eq!(with(100), [Kind::SlowScan; 7]);
}

#[test]
fn who_scans_the_site_while_its_line_is_cut_is_found() {
    let found = found_beyond(3, |detection| {
        cut(detection, |second| second < CUT_S);
        for host in 0..60 {
            detection.flow(&unanswered(3 * CUT_S + i64::from(host), ip(77), ip(2_000 + host), 445));
        }
    });
    assert_eq!(found, [(Kind::Sweep, Subject::Host(ip(77)))]);
}

#[test]
fn who_sweeps_beyond_the_line_is_found_before_and_after_it_was_cut() {
    for begins_s in [60, 3 * CUT_S - 60] {
        let found = found_beyond(3, |detection| {
            cut(detection, |second| !(CUT_S..3 * CUT_S - 100).contains(&second));
            for host in 0..60 {
                detection.flow(&unanswered(begins_s + i64::from(host), ip(77), centre(20_000 + host), 445));
            }
        });
        assert_eq!(found, [(Kind::Sweep, Subject::Host(ip(77)))], "{begins_s}");
    }
}

#[test]
fn nobody_makes_a_network_look_cut_off_by_asking_it_in_vain_in_many_names() {
    let found = found(|detection| {
        for second in 0..600 {
            detection.flow(&spoken(second, ip(1_000), ip(10), 443, 900));
        }
        // Half-open connections in the names of strangers to what answers, and in the middle of the night, when nobody else is there.
        for forged in 0..60 {
            detection.flow(&unanswered(3_600 + i64::from(forged), public(forged), ip(10), 443));
        }
        for host in 0..60 {
            detection.flow(&unanswered(3_700 + i64::from(host), ip(77), ip(2_000 + host), 445));
        }
    });
    assert!(found.contains(&(Kind::Sweep, Subject::Host(ip(77)))), "{found:?}");
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
