//! Feeds that fall silent while the segment goes on.

use super::*;

/// Reports of so many stations each ten minutes for two days, after which the first `silent` of them say nothing for some hours.
fn stations(all: u32, silent: u32, hours: i64, application: Option<Application>) -> Vec<(Kind, Subject)> {
    let mut detection = Detection::new(settings());
    let end = 2 * 144 + hours * 6;
    for turn in 0..end {
        for number in 0..all {
            if turn < 2 * 144 || number >= silent {
                let report = spoken(turn * 600, ip(600 + number), ip(9), 9_002, 300);
                detection.flow(&FlowSeen { application, ..report });
            }
        }
        let (start, end) = (at(turn * 600), at(turn * 600 + 10));
        detection.air(&Air { start, end, frames: 900, broadcasts: 2, senders: 20 });
    }
    detection.findings().map(|finding| (finding.kind, finding.subject)).collect()
}

#[test]
fn a_station_that_says_nothing_any_more_is_found_and_a_short_pause_is_not() {
    let hj212 = Some(Application::Hj212);
    assert_eq!(stations(3, 1, 4, hj212), [(Kind::SilentFeed, Subject::Host(ip(600)))]);
    assert_eq!(stations(3, 1, 1, hj212), []);
    assert_eq!(stations(3, 0, 4, hj212), []);
    assert_eq!(stations(3, 1, 4, None), [], "the service is not listed");
}

#[test]
fn what_all_stations_of_a_service_have_in_common_is_told_of_the_service() {
    let service = Subject::Service { host: ip(9), port: 9_002 };
    assert_eq!(stations(3, 3, 4, Some(Application::Hj212)), [(Kind::SilentFeed, service)]);
}

#[test]
fn a_service_that_is_listed_is_a_feed_whatever_it_speaks() {
    let feeds = vec!["10.20.0.9:9002".parse().unwrap()];
    let mut detection = Detection::new(Settings { feeds, ..settings() });
    for turn in 0..300_i64 {
        detection.flow(&spoken(turn * 600, ip(600), ip(9), 9_002, 300));
    }
    let (start, end) = (at(210_000), at(210_010));
    detection.air(&Air { start, end, frames: 900, broadcasts: 2, senders: 20 });
    let [found] = detection.findings().cloned().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((found.kind, found.first), (Kind::SilentFeed, at(299 * 600 + 2)));
}

#[test]
fn a_station_that_speaks_again_can_fall_silent_again() {
    let mut detection = Detection::new(settings());
    let mut counts = Vec::new();
    for turn in 0..600_i64 {
        if !(200..230).contains(&turn) && !(400..430).contains(&turn) {
            let report = spoken(turn * 600, ip(600), ip(9), 9_002, 300);
            detection.flow(&FlowSeen { application: Some(Application::Hj212), ..report });
        }
        let (start, end) = (at(turn * 600), at(turn * 600 + 10));
        detection.air(&Air { start, end, frames: 900, broadcasts: 2, senders: 20 });
        counts.push(detection.findings().map(|finding| finding.count).sum::<u64>());
    }
    assert_eq!((counts[199], counts[300], counts[599]), (0, 1, 2));
}
