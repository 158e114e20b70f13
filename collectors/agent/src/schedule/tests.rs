use std::time::Duration;

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_unix_ms(1_000_000);

fn intervals() -> Intervals {
    Intervals { triggered_spacing: Duration::from_secs(10), ..Intervals::default() }
}

/// Returns a schedule whose first cycle ended well, and when that was.
fn settled() -> (DeviceSchedule, Timestamp) {
    let mut schedule = DeviceSchedule::new(&intervals(), 0, START, 1);
    assert_eq!(schedule.decide(START), Decision::Poll(Tables::ALL));
    let end = START.plus_ms(500);
    assert_eq!(schedule.finished(Outcome::Answered, end), Tables::default());
    (schedule, end)
}

#[test]
fn a_new_device_is_asked_for_everything_within_moments() {
    for name in ["a", "b", "core", "access-17"] {
        let mut schedule = DeviceSchedule::new(&intervals(), seed_of(name), START, 1);
        let begin = match schedule.decide(START) {
            Decision::WaitUntil(begin) => begin,
            other => panic!("{other:?}"),
        };
        assert!(begin.ms_since(START) < 3_000, "{begin:?}");
        assert_eq!(schedule.decide(begin), Decision::Poll(Tables::ALL));
        assert_eq!(schedule.decide(begin.plus_ms(1_000_000)), Decision::Busy);
    }
}

#[test]
fn thousands_that_begin_at_once_begin_over_their_interval_and_keep_apart() {
    let interval = Duration::from_secs(60);
    let intervals = Intervals { interfaces: interval, ..intervals() };
    let mut begun = [0; 60];
    for device in 0..10_000 {
        let mut schedule = DeviceSchedule::new(&intervals, seed_of(&format!("switch-{device}")), START, 10_000);
        let begin = schedule.next_due();
        assert_eq!(schedule.decide(begin), Decision::Poll(Tables::ALL));
        schedule.finished(Outcome::Answered, begin.plus_ms(500));
        let next = schedule.next_due().ms_since(begin);
        assert!((60_000..61_000).contains(&next), "{next} ms later");
        begun[usize::try_from(begin.ms_since(START) / 1_000).unwrap()] += 1;
    }
    assert!(begun.iter().all(|devices| (100..240).contains(devices)), "{begun:?}");
}

#[test]
fn devices_in_step_are_due_at_the_same_moments_and_what_is_new_waits_for_none() {
    let intervals = Intervals { interfaces: Duration::from_secs(60), ..intervals() };
    let mut moments = std::collections::BTreeSet::new();
    for device in 0..300 {
        let seed = seed_of(&format!("switch-{device}"));
        let alone = DeviceSchedule::new(&intervals, seed, START, 300);
        let mut schedule = alone.clone().in_step_with(300);
        let begin = schedule.next_due();
        assert!((0..2_000).contains(&begin.ms_since(alone.next_due())), "moved by less than the longest beat");
        assert!(matches!(schedule.decide(begin.plus_ms(-1)), Decision::WaitUntil(due) if due == begin));
        assert_eq!(schedule.decide(begin), Decision::Poll(Tables::ALL));
        assert_eq!(schedule.finished(Outcome::Answered, begin.plus_ms(500)), Tables::default());
        moments.extend([begin, schedule.next_due()].map(|due| due.unix_ms() % 2_000));
        let new = begin.plus_ms(20_001);
        schedule.trigger(new);
        assert!(matches!(schedule.decide(new), Decision::Poll(_)));
    }
    assert_eq!(moments.into_iter().collect::<Vec<_>>(), [0]);
}

#[test]
fn something_new_has_forwarding_walked_at_once_and_a_burst_only_once_a_spacing() {
    let (mut schedule, end) = settled();
    let first = end.plus_ms(20_000);
    schedule.trigger(first);
    assert_eq!(schedule.decide(first), Decision::Poll(Tables::default().with(Table::Forwarding)));
    for ms in 1..100 {
        schedule.trigger(first.plus_ms(ms));
    }
    schedule.finished(Outcome::Answered, first.plus_ms(200));
    let second = first.plus_ms(10_000);
    assert_eq!(schedule.decide(second.plus_ms(-1)), Decision::WaitUntil(second));
    assert_eq!(schedule.decide(second), Decision::Poll(Tables::default().with(Table::Forwarding)));
    schedule.finished(Outcome::Answered, second.plus_ms(200));
    assert!(matches!(schedule.decide(second.plus_ms(300)), Decision::WaitUntil(due) if due > second.plus_ms(10_000)));
}

#[test]
fn what_a_device_says_itself_is_read_at_once_and_a_flood_of_it_only_once_a_spacing() {
    let (mut schedule, end) = settled();
    let ports = Tables::default().with(Table::Interfaces);
    let first = end.plus_ms(20_000);
    schedule.notified(ports, first);
    assert_eq!(schedule.decide(first), Decision::Poll(ports));
    (1..1_000).for_each(|ms| schedule.notified(ports, first.plus_ms(ms)));
    schedule.finished(Outcome::Answered, first.plus_ms(1_000));
    let second = first.plus_ms(10_000);
    assert_eq!(schedule.decide(second.plus_ms(-1)), Decision::WaitUntil(second));
    assert_eq!(schedule.decide(second), Decision::Poll(ports));
    schedule.finished(Outcome::Answered, second.plus_ms(1_000));
    // Nothing to read is asked for by what is only told.
    schedule.notified(Tables::default(), second.plus_ms(2_000));
    assert!(matches!(schedule.decide(second.plus_ms(2_000)), Decision::WaitUntil(_)));
}

#[test]
fn a_flood_of_notices_takes_a_tenth_of_a_slow_device_s_time() {
    let (mut schedule, end) = settled();
    let (mut now, mut reading_ms) = (end, 0);
    while now.ms_since(end) < 3_600_000 {
        schedule.notified(Tables::ALL, now);
        match schedule.decide(now) {
            Decision::WaitUntil(due) => now = due.max(now.plus_ms(1)),
            Decision::Poll(_) => {
                reading_ms += 8_000;
                now = now.plus_ms(8_000);
                schedule.finished(Outcome::Answered, now);
            }
            Decision::Busy => unreachable!(),
        }
    }
    // Beside the tables' own times: a tenth, and what was saved up.
    let own_ms = 8_000 * (3_600 / 60 + 12 * 4);
    assert!(reading_ms <= own_ms + 360_000 + 40_000, "{reading_ms}");
}

#[test]
fn a_silent_device_that_says_something_is_asked_again() {
    let (mut schedule, end) = settled();
    let mut now = end;
    for _ in 0..12 {
        if let Decision::WaitUntil(due) = schedule.decide(now) {
            now = due;
            assert!(matches!(schedule.decide(now), Decision::Poll(_)));
        }
        now = now.plus_ms(100);
        schedule.finished(Outcome::Unanswered, now);
    }
    assert!(matches!(schedule.decide(now), Decision::WaitUntil(due) if due.ms_since(now) > 100_000));
    let back = now.plus_ms(30_000);
    schedule.notified(Tables::ALL, back);
    assert!(matches!(schedule.decide(back), Decision::Poll(_)));
}

#[test]
fn a_device_that_slows_is_spared_its_dear_tables_and_not_its_ports() {
    let (mut schedule, end) = settled();
    schedule.answered_in(Duration::from_millis(5));
    let mut now = end;
    let (mut forwarding, mut ports) = (0, 0);
    while now.ms_since(end) < 4 * 3_600_000 {
        match schedule.decide(now) {
            Decision::WaitUntil(due) => now = due,
            Decision::Poll(tables) => {
                forwarding += i64::from(tables.contains(Table::Forwarding));
                ports += i64::from(tables.contains(Table::Interfaces));
                now = now.plus_ms(200);
                schedule.answered_in(Duration::from_millis(500));
                schedule.finished(Outcome::Answered, now);
            }
            Decision::Busy => unreachable!(),
        }
    }
    assert_eq!(schedule.slowed(), 8);
    assert!((238..=241).contains(&ports), "{ports}");
    assert!((5..=8).contains(&forwarding), "instead of 48: {forwarding}");
    assert_eq!(schedule.late(), 0, "what is put off is not late");
}

/// Has `walks` walks triggered, one as soon as the one before allows, each taking `took_ms`. Returns when each began.
fn triggered_walks(walks: usize, took_ms: i64) -> Vec<Timestamp> {
    let (mut schedule, end) = settled();
    let mut now = end.plus_ms(12_000);
    let mut begun = Vec::new();
    while begun.len() < walks {
        schedule.trigger(now);
        match schedule.decide(now) {
            Decision::WaitUntil(due) => now = due,
            Decision::Poll(tables) => {
                if tables.contains(Table::Forwarding) {
                    begun.push(now);
                    schedule.walked_forwarding(now, now.plus_ms(took_ms));
                }
                now = now.plus_ms(took_ms);
                schedule.finished(Outcome::Answered, now);
            }
            Decision::Busy => panic!("busy without a cycle"),
        }
    }
    begun
}

#[test]
fn a_few_slow_walks_are_triggered_one_after_the_other() {
    let begun = triggered_walks(5, 3_000);
    let pauses: Vec<_> = begun.iter().zip(begun.iter().skip(1)).map(|(one, next)| next.ms_since(*one)).collect();
    assert_eq!(pauses, [10_000; 4], "the spacing, and nothing more");
}

#[test]
fn slow_walks_are_not_triggered_without_end() {
    let begun = triggered_walks(1_000, 3_000);
    let all_ms = begun[999].ms_since(begun[0]);
    let least_ms = (999 * 3_000 - WALKING_CREDIT_MAX_MS) * WALKING_SHARE - 60_000;
    assert!(all_ms >= least_ms, "1000 walks of 3 s in {all_ms} ms: more than a tenth of the time");
}

#[test]
fn a_table_read_in_part_is_read_again_soon_and_ever_more_seldom() {
    let (mut schedule, mut now) = settled();
    let mut rereads = Vec::new();
    schedule.trigger(now);
    while rereads.len() < 12 {
        match schedule.decide(now) {
            Decision::WaitUntil(due) => now = due,
            Decision::Poll(tables) => {
                if tables.contains(Table::Forwarding) {
                    rereads.push(now);
                    schedule.read(Table::Forwarding, false);
                }
                schedule.finished(Outcome::Answered, now);
            }
            Decision::Busy => panic!("busy without a cycle"),
        }
    }
    let pauses: Vec<_> = rereads.iter().zip(&rereads[1..]).map(|(one, next)| next.ms_since(*one)).collect();
    assert!(pauses[0] <= REREAD_FIRST_MS && pauses[1] <= 2 * REREAD_FIRST_MS, "{pauses:?}");
    let interval_ms = schedule.interval_ms(Table::Forwarding);
    assert!(pauses[8..].iter().all(|pause| *pause > interval_ms / 2), "{pauses:?}");
}

#[test]
fn a_table_that_was_read_whole_is_not_read_again_before_it_is_due() {
    let (mut schedule, now) = settled();
    schedule.trigger(now);
    let Decision::WaitUntil(begun) = schedule.decide(now) else { panic!("the spacing has not passed") };
    assert!(matches!(schedule.decide(begun), Decision::Poll(_)));
    schedule.read(Table::Forwarding, false);
    schedule.read(Table::Forwarding, true);
    schedule.finished(Outcome::Answered, begun);
    assert!(matches!(schedule.decide(begun), Decision::WaitUntil(due) if due.ms_since(begun) > 2 * REREAD_FIRST_MS));
}

#[test]
fn a_cycle_that_takes_longer_than_its_interval_is_late_and_not_made_up_for() {
    let (mut schedule, _) = settled();
    let due = match schedule.decide(START.plus_ms(600)) {
        Decision::WaitUntil(due) => due,
        other => panic!("{other:?}"),
    };
    assert!(matches!(schedule.decide(due), Decision::Poll(tables) if tables.contains(Table::Interfaces)));
    let late = schedule.finished(Outcome::Answered, due.plus_ms(150_000));
    assert!(late.contains(Table::Interfaces) && !late.contains(Table::System));
    assert_eq!(schedule.late(), 2);
    match schedule.decide(due.plus_ms(150_000)) {
        Decision::WaitUntil(next) => assert!((28_000..=32_000).contains(&next.ms_since(due.plus_ms(150_000)))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_that_comes_back_is_asked_for_everything() {
    let (mut schedule, _) = settled();
    let mut now = START.plus_ms(61_500);
    for _ in 0..20 {
        match schedule.decide(now) {
            Decision::Poll(_) => {
                now = now.plus_ms(2_000);
                schedule.finished(Outcome::Unanswered, now);
            }
            Decision::WaitUntil(due) => {
                assert!(due.ms_since(now) <= RETRY_MAX_MS + 60_000, "{}", due.ms_since(now));
                now = due;
            }
            Decision::Busy => panic!("no cycle is running"),
        }
    }
    assert!(schedule.silence().is_some_and(|silence| silence.rounds >= 8));
    if let Decision::WaitUntil(due) = schedule.clone().decide(now) {
        now = due;
    }
    let Decision::Poll(mut asked) = schedule.decide(now) else { panic!("not asked when due") };
    schedule.finished(Outcome::Answered, now.plus_ms(100));
    assert_eq!((schedule.silence(), schedule.late()), (None, 0));
    for _ in 0..3 {
        if let Decision::Poll(tables) = schedule.decide(now.plus_ms(200)) {
            asked = tables.iter().fold(asked, Tables::with);
            schedule.finished(Outcome::Answered, now.plus_ms(300));
        }
    }
    assert_eq!(asked, Tables::ALL);
}

#[derive(Debug, Clone)]
enum Step {
    Trigger,
    Expire(Table),
    Wait(i64),
    Finish { took_ms: i64, answered: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Trigger),
        1 => prop::sample::select(Table::ALL.to_vec()).prop_map(Step::Expire),
        4 => (0i64..90_000).prop_map(Step::Wait),
        4 => (0i64..200_000, prop::bool::weighted(0.8)).prop_map(|(took_ms, answered)| Step::Finish { took_ms, answered }),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    /// Whatever happens: one cycle at a time, triggered walks apart from each other, a due time always ahead, and every
    /// table asked for within two of its intervals of an answering device.
    #[test]
    fn the_schedule_keeps_its_promises(seed in any::<u64>(), steps in steps()) {
        let intervals = intervals();
        let mut schedule = DeviceSchedule::new(&intervals, seed, START, 1);
        let mut now = START;
        let mut running = false;
        for step in steps {
            match step {
                Step::Trigger => schedule.trigger(now),
                Step::Expire(table) => schedule.expire(table, now),
                Step::Wait(ms) => now = now.plus_ms(ms),
                Step::Finish { took_ms, answered } if running => {
                    now = now.plus_ms(took_ms);
                    let outcome = if answered { Outcome::Answered } else { Outcome::Unanswered };
                    let late = schedule.finished(outcome, now);
                    prop_assert!(answered || late.is_empty());
                    running = false;
                }
                Step::Finish { .. } => {}
            }
            // The shell sleeps until the decision's time: wake it here.
            match schedule.decide(now) {
                Decision::Busy => prop_assert!(running),
                Decision::WaitUntil(due) => prop_assert!(!running && due > now),
                Decision::Poll(tables) => {
                    prop_assert!(!running && !tables.is_empty());
                    running = true;
                }
            }
        }
        // Undisturbed from here on, every table is asked within its interval, jitter and the longest pause apart.
        if running { schedule.finished(Outcome::Answered, now); }
        let quiet = now;
        let mut last = [None; Table::ALL.len()];
        while now.ms_since(quiet) < 3 * 3_600_000 {
            match schedule.decide(now) {
                Decision::WaitUntil(due) => now = due,
                Decision::Poll(tables) => {
                    for table in tables.iter() {
                        if let Some(before) = last[table as usize].replace(now) {
                            prop_assert!(now.ms_since(before) <= schedule.interval_ms(table) + 5_000);
                        }
                    }
                    now = now.plus_ms(100);
                    schedule.finished(Outcome::Answered, now);
                }
                Decision::Busy => prop_assert!(false, "busy without a cycle"),
            }
        }
        prop_assert!(last.iter().all(Option::is_some));
    }

    #[test]
    fn walks_that_something_new_asks_for_begin_no_closer_than_their_spacing(gaps in prop::collection::vec(0i64..30_000, 1..100)) {
        let (mut schedule, end) = settled();
        let mut now = end;
        let mut walked = START;
        for gap in gaps {
            now = now.plus_ms(gap);
            schedule.trigger(now);
            if let Decision::Poll(tables) = schedule.decide(now) {
                if tables == Tables::default().with(Table::Forwarding) {
                    prop_assert!(now.ms_since(walked) >= 10_000);
                }
                if tables.contains(Table::Forwarding) { walked = now; }
                schedule.finished(Outcome::Answered, now);
            }
        }
    }
}
