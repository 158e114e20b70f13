//! Values of the store, and settled days packed in memory: a byte for a day like the one before it, and some 25 for one of a way that is
//! measured, where the figures themselves take 120.
//!
//! Invariant: messages are frozen like the wire's: fields are added with new numbers, never changed or used again.

use std::sync::Arc;

use onenet_topology::{
    Timestamp,
    availability::{Figures, MeasuredDay, Minutes, Quality, Spent, Standing, Timeline, Turn},
    coverage::Day,
    differences,
};
use prost::Message;

use super::SettledDay;

/// The settled days of a month, packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed(Arc<[u8]>);

#[derive(Message)]
struct TimelineRow {
    #[prost(message, repeated, tag = "1")]
    turns: Vec<TurnRow>,
}

#[derive(Message)]
struct TurnRow {
    #[prost(sint64, tag = "1")]
    at_ms: i64,
    /// Place in [`Standing::ALL`].
    #[prost(uint32, tag = "2")]
    to: u32,
}

#[derive(Message)]
struct MeasuredRow {
    /// The minute times eight, and what was found.
    #[prost(uint32, repeated, tag = "1")]
    runs: Vec<u32>,
    #[prost(message, optional, tag = "2")]
    quality: Option<QualityRow>,
}

#[derive(Message)]
struct MonthRow {
    #[prost(message, repeated, tag = "1")]
    days: Vec<DayRow>,
}

#[derive(Message)]
struct DayRow {
    /// Days since 1970-01-01, in China.
    #[prost(sint32, tag = "1")]
    day: i32,
    #[prost(uint64, tag = "2")]
    up_ms: u64,
    #[prost(uint64, tag = "3")]
    degraded_ms: u64,
    #[prost(uint64, tag = "4")]
    down_ms: u64,
    #[prost(uint64, tag = "5")]
    unknown_ms: u64,
    #[prost(uint64, tag = "6")]
    maintenance_ms: u64,
    #[prost(message, optional, tag = "7")]
    quality: Option<QualityRow>,
}

#[derive(Message)]
struct QualityRow {
    #[prost(uint64, tag = "1")]
    sent: u64,
    #[prost(uint64, tag = "2")]
    lost: u64,
    #[prost(uint64, tag = "3")]
    loss_worst_milli: u64,
    #[prost(uint64, tag = "4")]
    timed: u64,
    #[prost(uint64, tag = "5")]
    round_trip_sum_us: u64,
    #[prost(uint64, tag = "6")]
    round_trip_worst_us: u64,
    #[prost(uint64, tag = "7")]
    jittered: u64,
    #[prost(uint64, tag = "8")]
    jitter_sum_us: u64,
    #[prost(uint64, tag = "9")]
    jitter_worst_us: u64,
}

impl Packed {
    pub(crate) fn of(days: &[SettledDay]) -> Self {
        Self(differences::pack(days.iter().map(numbers)).into())
    }

    /// Returns the days.
    pub(crate) fn days(&self) -> Vec<SettledDay> {
        differences::days(&self.0).map(of_numbers).collect()
    }
}

/// Returns a day and its figures as they are packed.
fn numbers(it: &SettledDay) -> (i32, [u64; 14]) {
    let Spent { up_ms, degraded_ms, down_ms, unknown_ms, maintenance_ms } = it.figures.spent;
    let quality = &it.figures.quality;
    let figures = [
        up_ms,
        degraded_ms,
        down_ms,
        unknown_ms,
        maintenance_ms,
        quality.sent,
        quality.lost,
        quality.loss_worst_milli,
        quality.timed,
        quality.round_trip_sum_us,
        quality.round_trip_worst_us,
        quality.jittered,
        quality.jitter_sum_us,
        quality.jitter_worst_us,
    ];
    (it.day.0, figures)
}

fn of_numbers((day, figures): (i32, [u64; 14])) -> SettledDay {
    let [up_ms, degraded_ms, down_ms, unknown_ms, maintenance_ms, quality @ ..] = figures;
    let [sent, lost, loss_worst_milli, timed, round_trip_sum_us, round_trip_worst_us, jitter @ ..] = quality;
    let [jittered, jitter_sum_us, jitter_worst_us] = jitter;
    let spent = Spent { up_ms, degraded_ms, down_ms, unknown_ms, maintenance_ms };
    let quality = Quality {
        sent,
        lost,
        loss_worst_milli,
        timed,
        round_trip_sum_us,
        round_trip_worst_us,
        jittered,
        jitter_sum_us,
        jitter_worst_us,
    };
    SettledDay { day: Day(day), figures: Figures { spent, quality } }
}

pub(crate) fn write_timeline(timeline: &Timeline) -> Vec<u8> {
    let number = |to: Standing| Standing::ALL.iter().position(|it| *it == to).unwrap_or_default();
    let row =
        |turn: &Turn| TurnRow { at_ms: turn.at.unix_ms(), to: u32::try_from(number(turn.to)).unwrap_or_default() };
    TimelineRow { turns: timeline.turns().iter().map(row).collect() }.encode_to_vec()
}

pub(crate) fn read_timeline(value: &[u8]) -> Result<Timeline, String> {
    let row = TimelineRow::decode(value).map_err(|error| error.to_string())?;
    let turn = |row: TurnRow| {
        let to = usize::try_from(row.to).ok().and_then(|to| Standing::ALL.get(to)).copied();
        let to = to.ok_or_else(|| format!("{} is no standing", row.to))?;
        Ok(Turn { at: Timestamp::from_unix_ms(row.at_ms), to })
    };
    Ok(Timeline::of(row.turns.into_iter().map(turn).collect::<Result<Vec<_>, String>>()?))
}

pub(crate) fn write_measured(day: &MeasuredDay) -> Vec<u8> {
    let runs = day.minutes.runs().iter().map(|(minute, found)| u32::from(*minute) << 3 | u32::from(*found)).collect();
    MeasuredRow { runs, quality: quality_row(&day.quality) }.encode_to_vec()
}

pub(crate) fn read_measured(value: &[u8]) -> Result<MeasuredDay, String> {
    let row = MeasuredRow::decode(value).map_err(|error| error.to_string())?;
    let run = |run: u32| (u16::try_from(run >> 3).unwrap_or(u16::MAX), u8::try_from(run & 7).unwrap_or_default());
    let quality = row.quality.map(Quality::from).unwrap_or_default();
    Ok(MeasuredDay { minutes: Minutes::of(row.runs.into_iter().map(run)), quality })
}

pub(crate) fn write_settled(days: &[SettledDay]) -> Vec<u8> {
    let row = |it: &SettledDay| {
        let Spent { up_ms, degraded_ms, down_ms, unknown_ms, maintenance_ms } = it.figures.spent;
        let quality = quality_row(&it.figures.quality);
        DayRow { day: it.day.0, up_ms, degraded_ms, down_ms, unknown_ms, maintenance_ms, quality }
    };
    MonthRow { days: days.iter().map(row).collect() }.encode_to_vec()
}

pub(crate) fn read_settled(value: &[u8]) -> Result<Vec<SettledDay>, String> {
    let row = MonthRow::decode(value).map_err(|error| error.to_string())?;
    let day = |row: DayRow| {
        let DayRow { day, up_ms, degraded_ms, down_ms, unknown_ms, maintenance_ms, quality } = row;
        let spent = Spent { up_ms, degraded_ms, down_ms, unknown_ms, maintenance_ms };
        let quality = quality.map(Quality::from).unwrap_or_default();
        SettledDay { day: Day(day), figures: Figures { spent, quality } }
    };
    Ok(row.days.into_iter().map(day).collect())
}

fn quality_row(it: &Quality) -> Option<QualityRow> {
    (*it != Quality::default()).then_some(QualityRow {
        sent: it.sent,
        lost: it.lost,
        loss_worst_milli: it.loss_worst_milli,
        timed: it.timed,
        round_trip_sum_us: it.round_trip_sum_us,
        round_trip_worst_us: it.round_trip_worst_us,
        jittered: it.jittered,
        jitter_sum_us: it.jitter_sum_us,
        jitter_worst_us: it.jitter_worst_us,
    })
}

impl From<QualityRow> for Quality {
    fn from(row: QualityRow) -> Self {
        Self {
            sent: row.sent,
            lost: row.lost,
            loss_worst_milli: row.loss_worst_milli,
            timed: row.timed,
            round_trip_sum_us: row.round_trip_sum_us,
            round_trip_worst_us: row.round_trip_worst_us,
            jittered: row.jittered,
            jitter_sum_us: row.jitter_sum_us,
            jitter_worst_us: row.jitter_worst_us,
        }
    }
}
