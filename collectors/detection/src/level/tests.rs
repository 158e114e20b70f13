//! What holds of the model whatever comes in.

use proptest::prelude::*;

use super::*;

const HOUR_MS: i64 = 3_600_000;
const BEGIN_MS: i64 = 1_767_542_400_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(BEGIN_MS + ms)
}

/// Reads rows, and returns what was said of each.
fn read(rows: impl IntoIterator<Item = (i64, f64)>) -> Vec<Result<Reading, Refused>> {
    let calendar = Calendar::china();
    let mut level = Level::new();
    rows.into_iter().map(|(ms, value)| level.observe(&calendar, at(ms), value)).collect()
}

/// Returns values with a day, some noise and some spikes, without chance.
fn daily(n: i64) -> f64 {
    let hour = f64::from(u8::try_from(n % 24).unwrap());
    let noise = f64::from(u8::try_from(n * 7919 % 101).unwrap()) / 101.0;
    (100.0 + 50.0 * (hour / 24.0 * std::f64::consts::TAU).sin() + 5.0 * noise) * if n % 97 == 0 { 3.0 } else { 1.0 }
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -100.0..100.0,
        2 => Just(0.0),
        1 => Just(5e-324),
        1 => -1e308..1e308,
        1 => prop::num::f64::ANY,
    ]
}

proptest! {
    #[test]
    fn a_score_is_between_0_and_1_and_no_number_is_nan_whatever_comes_in(
        rows in prop::collection::vec((prop_oneof![0_i64..7_200_000, Just(0), -10_000_000_i64..i64::MAX], any_value()), 0..400),
    ) {
        let calendar = Calendar::china();
        let mut level = Level::new();
        let mut now = 0_i64;
        for (step, value) in rows {
            now = now.saturating_add(step);
            match level.observe(&calendar, Timestamp::from_unix_ms(now), value) {
                Ok(reading) => {
                    prop_assert!((0.0..=1.0).contains(&reading.score), "{reading:?}");
                    prop_assert!(reading.expected.is_finite(), "{reading:?}");
                    prop_assert!(reading.since.is_none_or(|since| since.unix_ms() <= now));
                }
                Err(Refused::NotFinite) => prop_assert!(!value.is_finite()),
                Err(Refused::SameTime | Refused::Earlier) => {}
            }
        }
        let stored = serde_json::to_string(&level).unwrap();
        prop_assert!(!stored.contains("null,\"spread\""), "what is stored has no NaN: {stored}");
    }

    #[test]
    fn a_row_that_is_not_later_changes_nothing(
        values in prop::collection::vec(-100.0..100.0, 3..60),
        late in prop::collection::vec((0_usize..60, 0_i64..10 * HOUR_MS, any_value()), 0..30),
    ) {
        let calendar = Calendar::china();
        let (mut with, mut without) = (Level::new(), Level::new());
        for (n, value) in values.iter().enumerate() {
            let time = at(i64::try_from(n).unwrap() * HOUR_MS);
            prop_assert_eq!(with.observe(&calendar, time, *value), without.observe(&calendar, time, *value));
            for (_, back, value) in late.iter().filter(|(when, ..)| *when == n) {
                let error = with.observe(&calendar, time.plus_ms(-back), *value).unwrap_err();
                let expected = if *back == 0 { Refused::SameTime } else { Refused::Earlier };
                prop_assert!(error == expected || error == Refused::NotFinite);
            }
        }
        prop_assert_eq!(with, without);
    }

    #[test]
    fn units_do_not_matter_nor_which_way_is_up(
        values in prop::collection::vec(prop_oneof![3 => -100.0..100.0, 1 => Just(0.0)], 50..300),
        power in -30_i32..60,
        mirrored: bool,
    ) {
        let factor = 2_f64.powi(power) * if mirrored { -1.0 } else { 1.0 };
        let rows = |factor: f64| read(values.iter().enumerate().map(|(n, value)| (i64::try_from(n).unwrap() * HOUR_MS, value * factor)));
        for (plain, scaled) in rows(1.0).into_iter().zip(rows(factor)) {
            let (plain, scaled) = (plain.unwrap(), scaled.unwrap());
            prop_assert_eq!((plain.score, plain.verdict, plain.since), (scaled.score, scaled.verdict, scaled.since));
        }
    }
}

#[test]
fn a_model_that_was_stored_goes_on_as_if_it_had_not_been() {
    let calendar = Calendar::china();
    let mut level = Level::new();
    for n in 0..500 {
        level.observe(&calendar, at(n * HOUR_MS), daily(n)).unwrap();
    }
    let stored = serde_json::to_string(&level).unwrap();
    let mut back: Level = serde_json::from_str(&stored).unwrap();
    for n in 500..800 {
        let time = at(n * HOUR_MS);
        let (one, other) =
            (level.observe(&calendar, time, daily(n)).unwrap(), back.observe(&calendar, time, daily(n)).unwrap());
        assert!((one.score - other.score).abs() < 1e-9, "{one:?} {other:?}");
        assert_eq!((one.verdict, one.since), (other.verdict, other.since));
    }
}

#[test]
fn a_model_does_not_grow() {
    let calendar = Calendar::china();
    let mut level = Level::new();
    let mut sizes = Vec::new();
    for n in 0..20_000 {
        level.observe(&calendar, at(n * HOUR_MS / 12), daily(n)).unwrap();
        if n % 5000 == 4999 {
            sizes.push(serde_json::to_value(&level).map(|value| leaves(&value)).unwrap());
        }
    }
    assert!(sizes.iter().all(|size| *size == sizes[0] && *size < 1000), "{sizes:?}");
}

fn leaves(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(values) => values.iter().map(leaves).sum(),
        serde_json::Value::Object(values) => values.values().map(leaves).sum(),
        _ => 1,
    }
}

#[test]
fn it_learns_then_judges_and_one_spike_is_unusual_and_said_once() {
    let spike = 15 * 24 + 2;
    let value = |n: i64| if (spike..spike + 3).contains(&n) { 100_000.0 } else { daily(n * 3) };
    let readings: Vec<Reading> =
        read((0..20 * 24).map(|n| (n * HOUR_MS, value(n)))).into_iter().map(Result::unwrap).collect();
    assert!(readings[..47].iter().all(|reading| reading.verdict == Verdict::Learning));
    let spike = usize::try_from(spike).unwrap();
    assert_eq!(readings[spike].verdict, Verdict::Unusual, "{:?}", readings[spike]);
    assert_eq!(readings[spike + 1].verdict, Verdict::Usual, "{:?}", readings[spike + 1]);
    assert!(readings.iter().all(|reading| reading.verdict != Verdict::Shifted));
}

#[test]
fn a_level_that_stays_is_shifted_and_then_the_new_usual() {
    let value = |n: i64| if n >= 24 * 24 { 40.0 + daily(n) * 0.1 } else { 400.0 + daily(n) };
    let readings: Vec<Reading> =
        read((0..60 * 24).map(|n| (n * HOUR_MS, value(n)))).into_iter().map(Result::unwrap).collect();
    let first = readings.iter().position(|reading| reading.verdict == Verdict::Shifted).unwrap();
    assert!((24 * 24 + 3..24 * 24 + 9).contains(&first), "{first}");
    assert_eq!(readings[first].since, Some(at(24 * 24 * HOUR_MS)));
    let last = readings.iter().rposition(|reading| reading.verdict == Verdict::Shifted).unwrap();
    assert!((27 * 24..45 * 24).contains(&last), "usual again after {} days", (last - 24 * 24) / 24);
}

#[test]
fn a_feed_without_rows_is_silent_after_five_steps_and_an_irregular_one_after_its_longest() {
    let calendar = Calendar::china();
    let mut level = Level::new();
    assert_eq!(level.silence(at(0)), None, "nothing was ever heard");
    for n in 0..200 {
        level.observe(&calendar, at(n * 60_000), 1.0).unwrap();
    }
    let last = at(199 * 60_000);
    assert_eq!(level.silence(last.plus_ms(5 * 60_000)), None);
    assert_eq!(level.silence(last.plus_ms(6 * 60_000)), Some(last));
    assert_eq!(level.silence(last.plus_ms(-60_000)), None);
    level.observe(&calendar, last.plus_ms(4 * 60_000), 1.0).unwrap();
    let last = last.plus_ms(4 * 60_000);
    assert_eq!(level.silence(last.plus_ms(7 * 60_000)), None, "such a step was usual a moment ago");
    assert_eq!(level.silence(last.plus_ms(9 * 60_000)), Some(last));
}

#[test]
fn what_is_not_a_number_is_refused_by_name() {
    let mut level = Level::new();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = level.observe(&Calendar::china(), at(0), value).unwrap_err();
        assert_eq!(error.to_string(), "its value is not a finite number");
    }
    assert_eq!(level, Level::new());
}

#[test]
fn the_first_few_rows_surprise_nobody_and_a_later_one_does() {
    let few = read((0..24).map(|n| (n * HOUR_MS, if n == 5 { 1e6 } else { 1.0 })));
    assert!(few.iter().all(|reading| reading.unwrap().score == 0.0));
    let many = read((0..60).map(|n| (n * HOUR_MS, if n == 55 { 1e6 } else { daily(n) })));
    assert!(many[55].unwrap().score > 0.75, "{:?}", many[55]);
}
