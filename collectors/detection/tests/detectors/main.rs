//! What detectors find, and what they leave alone, told by what goes in and what comes out.

#![allow(missing_docs, clippy::unwrap_used)]

mod claims;
mod feeds;
mod floods;
mod levels;
mod outward;
mod scans;
mod sends;
mod services;

use std::net::{IpAddr, Ipv4Addr};

use onenet_detection::{
    Detection, Finding, Grade, Kind, Settings, Subject,
    observation::{
        Air, Claim, Disclosed, Disclosure, Equipment, FlowSeen, Measured, NameSeen, Role, SYN, Series, Serving,
        Terminal, Tree,
    },
    threshold::{Threshold, Thresholds},
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
    let found: Vec<Finding> = detection.findings().cloned().collect();
    found.iter().flat_map(|it| &it.evidence).for_each(|it| assert!(is_data(&it.value), "{it:?}"));
    found
}

/// Returns whether a value of evidence is what it has to be to be shown in any language: no two words in a row, as sentences have.
fn is_data(value: &str) -> bool {
    let is_word = |text: &&str| text.len() > 1 && text.bytes().all(|octet| octet.is_ascii_lowercase());
    let words: Vec<&str> = value.split(' ').collect();
    !words.windows(2).any(|pair| pair.iter().all(is_word))
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
