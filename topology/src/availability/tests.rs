//! Availability at its outside: evidence in, figures out.

use proptest::prelude::*;

use super::*;
use crate::{ProbeSample, Timestamp, coverage::Day};

const DAY: Day = Day(20_500);
const HOUR_MS: i64 = 3_600_000;
const HOUR: u64 = 3_600_000;

fn hour(hours: i64) -> Timestamp {
    DAY.start().plus_ms(hours * HOUR_MS)
}

fn sample(sent: u64, lost: u64) -> ProbeSample {
    ProbeSample { interval_ms: 60_000, sent, lost, ..ProbeSample::default() }
}

fn timeline(turns: &[(i64, Standing)]) -> Timeline {
    Timeline::of(turns.iter().map(|(at, to)| Turn { at: hour(*at), to: *to }))
}

/// What was measured in the minutes between two hours of the day.
fn minutes(spans: &[(i64, i64, u64)]) -> Minutes {
    let mut minutes = Minutes::default();
    for (from, until, lost) in spans {
        for minute in from * 60..until * 60 {
            for (day, first, until) in windows(DAY.start().plus_ms((minute + 1) * 60_000), 60_000) {
                assert_eq!(day, DAY);
                minutes.mark(first, until, &sample(60, *lost));
            }
        }
    }
    minutes
}

fn spent(concluded: &Timeline, measured: &[&Minutes], maintained: &[(Timestamp, Timestamp)]) -> Spent {
    let (measured, now) = (measured.to_vec(), hour(100));
    DayEvidence { day: DAY, concluded, measured, is_site: false, maintained, now }.spent()
}

#[test]
fn every_millisecond_of_a_day_is_spent_in_one_way() {
    let concluded = timeline(&[
        (-5, Standing::Up),
        (6, Standing::Down),
        (8, Standing::Degraded),
        (9, Standing::Unknown),
        (12, Standing::Up),
    ]);
    let spent = spent(&concluded, &[], &[(hour(7), hour(8)), (hour(23), hour(30))]);
    let all = (spent.up_ms, spent.degraded_ms, spent.down_ms, spent.unknown_ms, spent.maintenance_ms);
    assert_eq!(all, (17 * HOUR, HOUR, HOUR, 3 * HOUR, 2 * HOUR));
    assert_eq!(spent.counted_ms() + spent.maintenance_ms, 24 * HOUR);
    assert_eq!(spent.availability(), Some(18.0 / 19.0), "of the known time");
    assert_eq!(spent.unknown(), Some(3.0 / 22.0), "of all time but maintenance");
}

#[test]
fn what_was_not_watched_yet_is_no_time_and_what_is_unknown_is_never_up() {
    let begun = timeline(&[(20, Standing::Unknown)]);
    let day = spent(&begun, &[], &[]);
    assert_eq!(day, Spent { unknown_ms: 4 * HOUR, ..Spent::default() });
    assert_eq!((day.availability(), day.unknown()), (None, Some(1.0)));
    assert_eq!(spent(&Timeline::default(), &[], &[]), Spent::default());
    let before = spent(&Timeline::default(), &[&minutes(&[(3, 5, 0), (5, 6, 60)])], &[]);
    let measured = Spent { up_ms: 2 * HOUR, down_ms: HOUR, ..Spent::default() };
    assert_eq!(before, measured, "who measured before anybody concluded anything has watched");
    assert_eq!(Spent::default().unknown(), None);
}

#[test]
fn what_was_measured_decides_what_was_unknown_and_nothing_else() {
    let concluded = timeline(&[(0, Standing::Up), (10, Standing::Unknown), (14, Standing::Up)]);
    let measured = minutes(&[(9, 11, 60), (11, 12, 0), (12, 13, 30)]);
    let day = spent(&concluded, &[&measured], &[]);
    assert_eq!(day.up_ms, (10 + 10 + 1) * HOUR, "nine to ten was concluded to be up");
    assert_eq!((day.down_ms, day.degraded_ms, day.unknown_ms), (HOUR, HOUR, HOUR));
}

#[test]
fn a_way_that_one_end_measured_as_good_was_not_down_and_a_site_behind_it_may_have_been() {
    let concluded = timeline(&[(0, Standing::Down)]);
    let measured = minutes(&[(0, 2, 0), (2, 4, 6), (4, 6, 60)]);
    assert_eq!(spent(&concluded, &[&measured], &[]).degraded_ms, 2 * HOUR);
    let maintained = [];
    let (measured, now) = (vec![&measured], hour(24));
    let site = DayEvidence { day: DAY, concluded: &concluded, measured, is_site: true, maintained: &maintained, now };
    assert_eq!(site.spent().down_ms, 24 * HOUR);
    let unknown = timeline(&[(0, Standing::Unknown)]);
    let site = DayEvidence { concluded: &unknown, ..site };
    assert_eq!((site.spent().up_ms, site.spent().down_ms, site.spent().unknown_ms), (2 * HOUR, 2 * HOUR, 18 * HOUR));
}

#[test]
fn two_ends_of_which_one_has_answers_and_the_other_none_are_a_way_that_is_bad() {
    let mut both = minutes(&[(0, 1, 0)]);
    both.mark(0, 30, &sample(60, 60));
    let day = spent(&timeline(&[(0, Standing::Unknown)]), &[&both], &[]);
    assert_eq!((day.degraded_ms, day.up_ms, day.unknown_ms), (HOUR / 2, HOUR / 2, 23 * HOUR));
    let mut nothing = Minutes::default();
    nothing.mark(0, 60, &sample(0, 0));
    assert_eq!(nothing, Minutes::default(), "who asked nothing found nothing");
}

#[test]
fn turns_are_dated_back_to_the_evidence_and_never_to_be_good_where_it_was_unknown() {
    let mut it = Timeline::default();
    assert!(!it.conclude(Standing::Absent, None, hour(0)));
    assert!(it.conclude(Standing::Up, Some(hour(-50)), hour(1)), "nobody watched before");
    assert!(!it.conclude(Standing::Up, Some(hour(0)), hour(2)));
    it.conclude(Standing::Down, Some(hour(3)), hour(4));
    it.conclude(Standing::Up, Some(hour(0)), hour(5));
    assert_eq!(it.at(hour(4)), Standing::Down, "answers since before it failed say nothing of when it was mended");
    it.conclude(Standing::Unknown, Some(hour(6)), hour(7));
    it.conclude(Standing::Up, Some(hour(1)), hour(9));
    let turns: Vec<_> = it.turns().iter().map(|turn| (turn.at, turn.to)).collect();
    let (up, down, unknown) = (Standing::Up, Standing::Down, Standing::Unknown);
    assert_eq!(turns, [(hour(1), up), (hour(3), down), (hour(5), up), (hour(6), unknown), (hour(9), up)]);
    it.conclude(Standing::Unknown, None, hour(10));
    it.conclude(Standing::Down, Some(hour(8)), hour(12));
    assert_eq!(it.at(hour(10)), Standing::Down, "a failure that began while nobody could tell");
    assert_eq!(it.at(hour(9)), Standing::Up);
    it.forget(hour(11));
    assert_eq!(it.turns(), [Turn { at: hour(11), to: Standing::Down }]);
}

#[test]
fn what_comes_and_goes_without_end_takes_a_bounded_room_and_the_oldest_becomes_unknown() {
    let mut it = Timeline::default();
    for second in 0..10_000 {
        let to = if second % 2 == 0 { Standing::Up } else { Standing::Down };
        it.conclude(to, None, DAY.start().plus_ms(second * 1_000));
    }
    assert_eq!(it.turns().len(), TURNS_MAX);
    assert_eq!(it.at(DAY.start()), Standing::Unknown);
    assert_eq!(it.last().map(|turn| turn.to), Some(Standing::Down));
}

#[test]
fn windows_fall_on_both_sides_of_midnight_and_each_minute_into_one_of_windows_that_meet() {
    let midnight = Day(DAY.0 + 1).start();
    let both: Vec<_> = windows(midnight.plus_ms(600_000), 1_200_000).collect();
    assert_eq!(both, [(DAY, 1_430, 1_440), (Day(DAY.0 + 1), 0, 10)]);
    let mut found = vec![0; 1_440];
    for end in (0..=1_440).map(|minute| DAY.start().plus_ms(minute * 60_000 + 17_345)) {
        for (_, first, until) in windows(end, 60_000).filter(|(day, ..)| *day == DAY) {
            (first..until).for_each(|minute| found[usize::from(minute)] += 1);
        }
    }
    assert!(found.iter().all(|times| *times == 1));
    assert_eq!(windows(midnight, 0).count(), 0);
}

#[test]
fn means_are_weighted_by_answers_and_the_worst_window_stays_visible() {
    let mut quality = Quality::default();
    let measured = |sent, lost, median, p95, jitter| ProbeSample {
        round_trip_median_us: median,
        round_trip_p95_us: p95,
        jitter_us: jitter,
        ..sample(sent, lost)
    };
    quality.take(&measured(100, 10, Some(1_000), Some(2_000), Some(50)));
    quality.take(&measured(10, 0, Some(11_000), Some(90_000), Some(500)));
    quality.take(&measured(60, 60, None, None, None));
    assert_eq!((quality.round_trip_us(), quality.round_trip_worst_us), (Some(2_000), 90_000));
    assert_eq!((quality.jitter_us(), quality.jitter_worst_us), (Some(95), 500));
    assert_eq!((quality.loss(), quality.loss_worst_milli), (Some(70.0 / 170.0), 1_000));
    assert_eq!((Quality::default().loss(), Quality::default().round_trip_us()), (None, None));
}

proptest! {
    #[test]
    fn measurements_give_the_same_figures_in_any_order_and_minutes_also_when_repeated(
        windows_of in prop::collection::vec((0_i64..86_400_000, 1_u64..3_600_000, 0_u64..5), 1..60),
        seed in any::<u64>(),
    ) {
        let take = |order: &[(i64, u64, u64)], twice: bool| {
            let mut day = MeasuredDay::default();
            for (end, interval, lost) in order {
                let sample = ProbeSample { interval_ms: *interval, ..sample(4, *lost) };
                for _ in 0..=u8::from(twice) {
                    for (on, first, until) in windows(DAY.start().plus_ms(*end), *interval) {
                        if on == DAY { day.minutes.mark(first, until, &sample) }
                    }
                }
                day.quality.take(&sample);
            }
            day
        };
        let mut shuffled = windows_of.clone();
        // Fisher and Yates, by a number that proptest can shrink.
        let mut state = seed | 1;
        for last in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(last, usize::try_from(state >> 33).unwrap_or(0) % (last + 1));
        }
        let (one, other) = (take(&windows_of, false), take(&shuffled, true));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(&Minutes::of(one.minutes.runs().iter().copied()), &one.minutes, "what was kept reads back");
        let concluded = timeline(&[(0, Standing::Unknown)]);
        let day = spent(&concluded, &[&one.minutes], &[]);
        prop_assert_eq!(day.counted_ms(), 24 * HOUR);
        prop_assert_eq!(spent(&concluded, &[&other.minutes], &[]), day);
    }
}
