//! Who sends much, at night, or to somebody new.

use super::*;

const DAY_S: i64 = 86_400;
/// 2027-01-18, a Monday, at noon in China.
const NOON_S: i64 = 244_800;

fn sent(seconds: i64, from: IpAddr, to: IpAddr, megabytes: u64) -> FlowSeen<'static> {
    FlowSeen { bytes_out: megabytes * 1_000_000, ..spoken(seconds, from, to, 443, 9_000) }
}

#[test]
fn a_server_that_had_the_same_peers_for_a_week_and_has_another_is_found_and_one_that_has_ever_new_ones_is_not() {
    let after = |days: i64, peers: u32| {
        found(|detection| {
            for day in 0..days {
                for client in 0..6 {
                    detection.flow(&spoken(day * DAY_S, ip(100 + client), ip(9), 443, 900));
                }
                detection.flow(&spoken(day * DAY_S + 60, ip(9), ip(1_000), 5_432, 900));
                // A relay has another peer each day.
                for client in 0..6 {
                    detection.flow(&spoken(day * DAY_S, ip(100 + client), ip(10), 25, 900));
                }
                detection.flow(&spoken(day * DAY_S + 60, ip(10), ip(2_000 + u32::try_from(day).unwrap()), 25, 900));
            }
            for peer in 0..peers {
                detection.flow(&spoken(days * DAY_S, ip(9), ip(3_000 + peer), 22, 900));
            }
        })
    };
    assert_eq!(after(9, 0), []);
    assert_eq!(after(9, 1), [(Kind::NewPeer, Subject::Host(ip(9)))]);
    assert_eq!(after(4, 1), []);
}

#[test]
fn what_is_no_server_may_talk_to_whom_it_likes() {
    let found = found(|detection| {
        for day in 0..20 {
            detection.flow(&spoken(day * DAY_S, ip(100), ip(9), 443, 900));
            detection.flow(&spoken(day * DAY_S + 60, ip(9), ip(1_000), 5_432, 900));
        }
        detection.flow(&spoken(20 * DAY_S, ip(9), ip(3_000), 22, 900));
    });
    assert_eq!(found, []);
}

#[test]
fn much_that_is_sent_to_somebody_new_is_found_and_a_backup_that_comes_each_week_is_not() {
    let host = Subject::Host(ip(7));
    let after = |learning_days: i64, flows: &[FlowSeen<'static>]| {
        found(|detection| {
            for day in 0..=learning_days {
                detection.flow(&sent(NOON_S + day * DAY_S - 3_600, ip(5), ip(6), 5_000));
            }
            for flow in flows {
                detection.flow(flow);
            }
        })
    };
    let parts = |day: i64, of: u64| -> Vec<_> {
        (0..10).map(|part| sent(NOON_S + day * DAY_S + part * 60, ip(7), ip(8), of)).collect()
    };
    assert_eq!(after(8, &parts(8, 400)), [(Kind::LongTransfer, host)]);
    assert_eq!(after(8, &parts(8, 100)), []);
    assert_eq!(after(2, &parts(2, 400)), [], "the first week is for learning");
    let fetched = FlowSeen { bytes_out: 4_000_000_000, bytes_in: 4_000_000_000, ..parts(8, 1)[0] };
    assert_eq!(after(8, &[fetched]), []);
    let film = FlowSeen { application: Some(Application::Rtp), ..sent(NOON_S + 8 * DAY_S, ip(7), ip(8), 9_000) };
    assert_eq!(after(8, &[film]), []);
    let weekly = [parts(0, 400), parts(7, 400), parts(14, 400)].concat();
    assert_eq!(after(0, &weekly), []);
}

#[test]
fn much_that_is_sent_at_night_is_found_and_what_is_sent_each_night_is_not() {
    let late = NOON_S + 11 * 3_600 + 1_800;
    let of = |begin: i64, learnt: bool| {
        found(|detection| {
            for day in 0..9 {
                detection.flow(&sent(late + day * DAY_S, ip(5), ip(6), 500));
                if learnt {
                    detection.flow(&sent(begin + day * DAY_S, ip(7), ip(8), 500));
                }
            }
            for part in 0..5 {
                detection.flow(&sent(begin + 9 * DAY_S + part * 60, ip(7), ip(8), 80));
            }
        })
    };
    let host = Subject::Host(ip(7));
    assert_eq!(of(late, false), [(Kind::NightTransfer, host)]);
    assert_eq!(of(late + 4 * 3_600, false), [(Kind::NightTransfer, host)], "half past three");
    assert_eq!(of(NOON_S, false), []);
    assert_eq!(of(late, true), []);
}
