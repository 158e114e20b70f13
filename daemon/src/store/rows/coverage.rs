//! How coverage went, as the store keeps it.

use onenet_topology::coverage::{Coverage, Day, DayFigures, Terminals, Trend, Units};
use prost::Message;

use super::Problem;

#[derive(Message)]
struct TrendRow {
    #[prost(message, repeated, tag = "1")]
    days: Vec<DayRow>,
}

#[derive(Message)]
struct DayRow {
    /// Days since 1970-01-01, in China.
    #[prost(sint32, tag = "1")]
    day: i32,
    #[prost(uint32, tag = "2")]
    planned: u32,
    #[prost(uint32, tag = "3")]
    attached: u32,
    #[prost(uint32, tag = "4")]
    reachable: u32,
    #[prost(uint32, tag = "5")]
    registered: u32,
    #[prost(uint32, tag = "6")]
    seen: u32,
    #[prost(uint32, tag = "7")]
    silent: u32,
    #[prost(uint32, tag = "8")]
    never_seen: u32,
    #[prost(uint32, tag = "9")]
    strayed: u32,
    #[prost(uint32, tag = "10")]
    unregistered: u32,
    #[prost(uint32, tag = "11")]
    unregistered_unclassified: u32,
}

pub(in crate::store) fn write_trend(trend: &Trend) -> Vec<u8> {
    TrendRow { days: trend.days().iter().map(DayRow::from).collect() }.encode_to_vec()
}

pub(in crate::store) fn read_trend(value: &[u8]) -> Result<Trend, Problem> {
    let row = TrendRow::decode(value).map_err(|error| error.to_string())?;
    Ok(row.days.into_iter().map(DayFigures::from).collect())
}

impl From<&DayFigures> for DayRow {
    fn from(figures: &DayFigures) -> Self {
        let Coverage { units, terminals } = figures.coverage;
        Self {
            day: figures.day.0,
            planned: units.planned,
            attached: units.attached,
            reachable: units.reachable,
            registered: terminals.registered,
            seen: terminals.seen,
            silent: terminals.silent,
            never_seen: terminals.never_seen,
            strayed: terminals.strayed,
            unregistered: terminals.unregistered,
            unregistered_unclassified: terminals.unregistered_unclassified,
        }
    }
}

impl From<DayRow> for DayFigures {
    fn from(row: DayRow) -> Self {
        let units = Units { planned: row.planned, attached: row.attached, reachable: row.reachable };
        let terminals = Terminals {
            registered: row.registered,
            seen: row.seen,
            silent: row.silent,
            never_seen: row.never_seen,
            strayed: row.strayed,
            unregistered: row.unregistered,
            unregistered_unclassified: row.unregistered_unclassified,
        };
        Self { day: Day(row.day), coverage: Coverage { units, terminals } }
    }
}
