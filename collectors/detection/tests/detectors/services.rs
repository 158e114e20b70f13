//! The register of services held against what is used.

use std::net::{IpAddr, SocketAddr};

use onenet_detection::{Service, observation::Listening};

use super::*;

const DAY_S: i64 = 86_400;

fn register(services: Vec<Service>) -> Detection {
    Detection::new(Settings { published: vec!["10.20.0.0/28".parse().unwrap()], services, ..settings() })
}

fn service(host: u32, port: u16) -> Service {
    Service {
        host: ip(host),
        protocol: 6,
        port,
        application: "reports".into(),
        approval: "2026-17".into(),
        owner: "li.wei".into(),
        scope: Vec::new(),
        expires: None,
    }
}

fn kinds(detection: &Detection) -> Vec<(Kind, Subject)> {
    detection.findings().map(|finding| (finding.kind, finding.subject)).collect()
}

fn of(host: u32, port: u16) -> Subject {
    Subject::Service { host: ip(host), port }
}

#[test]
fn what_answers_and_is_not_registered_is_found_and_attempts_and_other_hosts_are_not() {
    let mut detection = register(vec![service(9, 443)]);
    for seconds in 0..5 {
        detection.flow(&spoken(seconds, ip(100), ip(9), 443, 900));
        detection.flow(&spoken(seconds, ip(100), ip(9), 8_080, 900));
        detection.flow(&unanswered(seconds, ip(100), ip(9), 22));
        detection.flow(&spoken(seconds, ip(100), ip(50), 8_080, 900));
    }
    assert_eq!(kinds(&detection), [(Kind::UnregisteredService, of(9, 8_080))]);
}

#[test]
fn an_approval_that_is_over_and_a_client_beyond_its_scope_are_found_with_what_the_register_says() {
    let narrow = Service { scope: vec!["10.20.0.0/24".parse().unwrap()], ..service(8, 443) };
    let over = Service { expires: Some(at(100)), ..service(9, 443) };
    let mut detection = register(vec![narrow, over]);
    detection.flow(&spoken(0, ip(100), ip(8), 443, 900));
    detection.flow(&spoken(0, ip(100), ip(9), 443, 900));
    assert_eq!(kinds(&detection), []);
    detection.flow(&spoken(200, ip(300), ip(8), 443, 900));
    detection.flow(&spoken(200, ip(100), ip(9), 443, 900));
    assert_eq!(kinds(&detection), [(Kind::ExpiredService, of(9, 443)), (Kind::ExposedService, of(8, 443))]);
    let found = detection.findings().next().unwrap();
    for is in ["application", "approval", "owner", "expires", "flow"] {
        assert!(found.evidence.iter().any(|it| it.is == is), "{is}: {:?}", found.evidence);
    }
}

#[test]
fn without_a_scope_a_service_is_for_the_plan_alone() {
    let mut detection = register(vec![service(9, 443)]);
    detection.flow(&spoken(0, public(9), ip(9), 443, 900));
    assert!(kinds(&detection).contains(&(Kind::ExposedService, of(9, 443))));
}

#[test]
fn what_is_registered_and_not_used_for_a_month_is_told_once_and_again_when_it_was_used_in_between() {
    let mut detection = register(vec![service(8, 443), service(9, 443)]);
    let mut counts = Vec::new();
    for day in 0..120_i64 {
        detection.flow(&spoken(day * DAY_S, ip(100), ip(8), 443, 900));
        if day == 50 {
            detection.flow(&spoken(day * DAY_S, ip(100), ip(9), 443, 900));
        }
        let (start, end) = (at(day * DAY_S), at(day * DAY_S + 10));
        detection.air(&Air { start, end, frames: 900, broadcasts: 2, senders: 20 });
        counts.push(detection.findings().map(|finding| finding.count).sum::<u64>());
    }
    assert_eq!(kinds(&detection), [(Kind::GoneService, of(9, 443))]);
    assert_eq!((counts[29], counts[31], counts[79], counts[119]), (0, 1, 1, 2));
}

#[test]
fn what_was_registered_lately_is_not_gone() {
    let mut detection = register(vec![]);
    for day in 0..80_i64 {
        if day == 60 {
            let services = vec![service(9, 443)];
            let published = vec!["10.20.0.0/28".parse().unwrap()];
            detection.configure(Settings { published, services, ..settings() });
        }
        let (start, end) = (at(day * DAY_S), at(day * DAY_S + 10));
        detection.air(&Air { start, end, frames: 900, broadcasts: 2, senders: 20 });
    }
    assert_eq!(kinds(&detection), []);
}

#[test]
fn the_register_is_off_until_it_is_said_for_whom_it_speaks() {
    let mut detection = Detection::new(Settings { services: vec![service(9, 443)], ..settings() });
    for seconds in 0..5 {
        detection.flow(&spoken(seconds, ip(100), ip(9), 8_080, 900));
    }
    assert_eq!(kinds(&detection), []);
    let states = detection.detectors();
    let state = states.iter().find(|state| state.kind == Kind::UnregisteredService).unwrap();
    assert!(state.off.is_some_and(|why| why.contains("published")));
}

fn open(seconds: i64, host: u32, port: u16, client: IpAddr) -> Listening<'static> {
    Listening { time: at(seconds), at: SocketAddr::new(ip(host), port), client, approval: "2026-17" }
}

#[test]
fn what_an_approved_scan_finds_open_is_held_against_the_register_though_nobody_uses_it() {
    let over = Service { expires: Some(at(100)), ..service(8, 443) };
    let mut detection = register(vec![service(9, 443), over]);
    for (host, port) in [(9, 443), (8, 443), (9, 8_080), (50, 8_080)] {
        detection.listening(&open(200, host, port, ip(5)));
    }
    assert_eq!(kinds(&detection), [(Kind::UnregisteredService, of(9, 8_080)), (Kind::ExpiredService, of(8, 443))]);
    let found = detection.findings().next().unwrap();
    assert!(found.evidence.iter().any(|it| (it.is, it.value.as_str()) == ("scan", "2026-17")), "{:?}", found.evidence);
    // From outside the boundary it is exposed as well.
    detection.listening(&open(300, 9, 443, public(7)));
    assert!(kinds(&detection).contains(&(Kind::ExposedService, of(9, 443))));
}
