//! Traffic past the plan, calls by the clock, data in names, and what connections give away.

use super::*;

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
fn calls_are_a_beacon_when_they_went_on_for_as_long_as_is_configured_however_short_their_period_is() {
    let first = |lasts_s, period_s: i64| {
        let mut thresholds = Thresholds::default();
        thresholds.set(Threshold::BeaconLasts, lasts_s);
        let mut detection = Detection::new(Settings { thresholds, ..settings() });
        let calls = (0..800).map(|call| call * period_s);
        calls.into_iter().find(|seconds| {
            detection.flow(&spoken(*seconds, ip(77), public(9), 443, 900));
            detection.findings().any(|finding| finding.kind == Kind::Beaconing)
        })
    };
    assert_eq!(first(3_600, 10), Some(3_600));
    assert_eq!(first(3_600, 60), Some(3_600));
    assert_eq!(first(120, 10), Some(160), "sixteen intervals");
    assert_eq!(first(3_600, 600), Some(9_600), "sixteen intervals");
    assert_eq!(
        first(3_600, 4),
        None,
        "what follows within seconds belongs together, and is more often than is told apart"
    );
}

#[test]
fn a_pause_begins_a_beacon_anew() {
    let mut detection = Detection::new(settings());
    for call in 0..170 {
        detection.flow(&spoken(call * 20, ip(77), public(9), 443, 900));
    }
    for call in 0..170 {
        // By turns a long and a short interval.
        detection.flow(&spoken(10_000 + call * 40 + call % 2 * 25, ip(77), public(9), 443, 900));
    }
    for call in 0..170 {
        detection.flow(&spoken(20_000 + call * 20, ip(77), public(9), 443, 900));
    }
    assert!(detection.findings().all(|finding| finding.kind != Kind::Beaconing));
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
