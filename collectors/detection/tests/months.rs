//! The model of levels on simulated weeks with public holidays: no shift where there is none, and those that there are.
//!
//! Each series is nine weeks of one kind at one site, 2025-09-01 to 2025-11-02 (National Day) or 2026-01-05 to 2026-03-08
//! (Spring Festival), of rows every five minutes, some missing, some twice. Days differ by up to a fifth as a whole, noise has a memory,
//! bursts come at any time, and holidays are quieter than weekends by an amount that differs from site to site.

use onenet_detection::level::{Calendar, DayKind, Level, Verdict};
use onenet_topology::Timestamp;

const FIVE_MINUTES_MS: i64 = 300_000;
const WEEKS: i64 = 9;
/// 2025-09-01 and 2026-01-05, at midnight in China.
const BEGINS: [Timestamp; 2] = [Timestamp::from_unix_ms(1_756_656_000_000), Timestamp::from_unix_ms(1_767_542_400_000)];
/// How many sites; more with `ONENET_SEEDS`.
const SEEDS: u64 = 6;
const KINDS: [Kind; 7] =
    [Kind::Bytes, Kind::Flows, Kind::Terminals, Kind::Errors, Kind::RoundTrip, Kind::Hj212, Kind::Business];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Bytes,
    Flows,
    Terminals,
    Errors,
    RoundTrip,
    /// Messages of an instrument, the same number in each interval, now and then a few less.
    Hj212,
    /// Messages of a business system, nearly none outside of working hours.
    Business,
}

/// A small generator of chance (SplitMix64), so that a seed brings a series back.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((x ^ (x >> 31)) >> 32).unwrap_or(0)) / 4_294_967_296.0
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().max(1e-12).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// Returns how busy a time of day is, from 0.06 to 1: offices from eight to six, with a rest at noon.
fn busy(minute: u16, kind: DayKind, quiet: f64) -> f64 {
    let hour = f64::from(minute) / 60.0;
    let bump = |at: f64, width: f64| (-((hour - at) / width).powi(2)).exp();
    let day = bump(10.0, 1.7) + 0.85 * bump(15.5, 1.9) + 0.25 * bump(20.0, 1.5);
    let share = match kind {
        DayKind::Work => 1.0,
        DayKind::Weekend => 0.35,
        DayKind::Holiday => 0.35 * quiet,
    };
    0.06 + 0.94 * day.min(1.0) * share
}

/// Returns the rows of a series.
fn series(kind: Kind, begin: Timestamp, seed: u64) -> Vec<(Timestamp, f64)> {
    let calendar = Calendar::china();
    let mut chance = Chance(seed);
    let scale = 10_f64.powf(chance.unit() * 4.0);
    let quiet = 0.3 + 0.7 * chance.unit();
    let (mut memory, mut today, mut day, mut burst) = (0.0, 1.0, 0, 0.0);
    let mut rows = Vec::new();
    for n in 0..WEEKS * 7 * 288 {
        let time = begin.plus_ms(n * FIVE_MINUTES_MS);
        let moment = calendar.moment(time);
        if moment.day != day {
            (day, today) = (moment.day, (0.1 * chance.normal()).clamp(-0.2, 0.2).exp());
        }
        memory = 0.8 * memory + 0.6 * chance.normal();
        burst = if chance.unit() < 0.002 { 2.0 + 20.0 * chance.unit().powi(3) } else { burst * 0.6 };
        let busy = busy(moment.minute, moment.kind, quiet);
        let value = match kind {
            Kind::Bytes => 1e6 * scale * today * (busy * (0.25 * memory).exp() + 0.05 * burst),
            Kind::Flows => (200.0 * today * busy * (0.15 * memory).exp() + 10.0 * burst).round(),
            Kind::Terminals => (20.0 + 80.0 * today * busy + memory).round().max(0.0),
            Kind::Errors => {
                (if chance.unit() < 0.03 { -3.0 * chance.unit().max(1e-9).ln() } else { 0.0 } + 5.0 * burst).floor()
            }
            Kind::RoundTrip => 8.0 + 4.0 * busy * today + 0.3 * memory.abs() + 3.0 * burst,
            Kind::Hj212 => (60.0 - if chance.unit() < 0.05 { 6.0 * chance.unit() } else { 0.0 }).round(),
            Kind::Business => (40.0 * (busy - 0.06) * today * (0.2 * memory).exp()).round(),
        };
        if chance.unit() > 0.01 {
            rows.push((time, value));
        }
        if chance.unit() < 0.005 {
            rows.push((time, value));
        }
    }
    rows
}

fn seeds() -> u64 {
    std::env::var("ONENET_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS)
}

/// Returns the times at which the verdict is a shift.
fn shifts(rows: &[(Timestamp, f64)]) -> Vec<Timestamp> {
    let calendar = Calendar::china();
    let mut level = Level::new();
    let read = rows.iter().map(|(time, value)| (*time, level.observe(&calendar, *time, *value)));
    read.filter(|(_, reading)| reading.is_ok_and(|reading| reading.verdict == Verdict::Shifted))
        .map(|(time, _)| time)
        .collect()
}

#[test]
fn no_season_and_no_holiday_is_a_shift() {
    let mut wrong = Vec::new();
    for begin in BEGINS {
        for kind in KINDS {
            for seed in 0..seeds() {
                let found = shifts(&series(kind, begin, seed));
                wrong
                    .extend(found.first().map(|time| format!("{kind:?} of seed {seed}: {time}, {} rows", found.len())));
            }
        }
    }
    assert!(wrong.is_empty(), "{} false shifts:\n{}", wrong.len(), wrong.join("\n"));
}

/// What happens from a moment on.
fn changed(rows: &[(Timestamp, f64)], at: Timestamp, change: impl Fn(f64) -> f64) -> Vec<(Timestamp, f64)> {
    rows.iter().map(|&(time, value)| (time, if time >= at { change(value) } else { value })).collect()
}

/// Returns how many changes there are, and which are not found within so many hours. They begin at any hour of the sixth week.
fn recall(kinds: &[Kind], hours: i64, change: impl Fn(Kind, f64) -> f64) -> (usize, Vec<String>) {
    let (mut all, mut missed) = (0, Vec::new());
    for begin in BEGINS {
        for &kind in kinds {
            for seed in 0..seeds() {
                let hour = i64::try_from(seed).unwrap_or(0) * 37 % 168;
                let at = begin.plus_ms((5 * 7 * 24 + hour) * 3_600_000);
                let rows = changed(&series(kind, begin, seed), at, |value| change(kind, value));
                let until = at.plus_ms(hours * 3_600_000);
                all += 1;
                let seen = shifts(&rows).into_iter().find(|time| *time >= at);
                if seen.is_none_or(|seen| seen > until) {
                    missed.push(format!("{kind:?} of seed {seed} from {at}: {seen:?}"));
                }
            }
        }
    }
    (all, missed)
}

#[test]
fn a_feed_that_falls_silent_is_a_shift_within_five_hours() {
    let (all, missed) = recall(&[Kind::Hj212], 5, |_, _| 0.0);
    assert!(missed.is_empty(), "{} of {all}:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn traffic_that_stops_is_a_shift_within_four_days() {
    let (all, missed) = recall(&[Kind::Bytes, Kind::Flows, Kind::Terminals], 24 * 4, |_, _| 0.0);
    assert!(missed.len() * 20 <= all, "{} of {all}:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn traffic_that_is_fourfold_and_a_way_that_is_twice_as_long_are_shifts() {
    let (all, missed) = recall(&[Kind::Bytes, Kind::Flows, Kind::RoundTrip], 24 * 4, |kind, value| match kind {
        Kind::RoundTrip => 2.0 * value,
        _ => 4.0 * value,
    });
    assert!(missed.len() * 20 <= all, "{} of {all}:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn errors_that_come_all_the_time_are_a_shift() {
    let (all, missed) = recall(&[Kind::Errors], 9, |_, value| value + 20.0);
    assert!(missed.is_empty(), "{} of {all}:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn the_generator_makes_what_it_says() {
    let rows = series(Kind::Bytes, BEGINS[0], 1);
    let mean = |from: &str, until: &str| {
        let (from, until): (Timestamp, Timestamp) = (from.parse().unwrap(), until.parse().unwrap());
        let values: Vec<f64> =
            rows.iter().filter(|(time, _)| (from..until).contains(time)).map(|(_, value)| *value).collect();
        values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap())
    };
    let work = mean("2025-09-15T00:00:00+08:00", "2025-09-20T00:00:00+08:00");
    let weekend = mean("2025-09-20T00:00:00+08:00", "2025-09-22T00:00:00+08:00");
    let holiday = mean("2025-10-01T00:00:00+08:00", "2025-10-09T00:00:00+08:00");
    assert!(work > 1.5 * weekend && weekend > 1.1 * holiday, "{work} {weekend} {holiday}");
    assert!(rows.windows(2).any(|pair| pair[0].0 == pair[1].0), "some rows come twice");
    assert!(rows.windows(2).any(|pair| pair[1].0.ms_since(pair[0].0) > FIVE_MINUTES_MS), "some are missing");
}
