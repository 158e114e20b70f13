//! Rows of time and value out of a text.
//!
//! Invariant: all lines are read or none; at most [`BAD_MAX`] bad lines are listed. It does not know what the values mean.

use jiff::{civil::DateTime, tz::Offset};
use onenet_topology::Timestamp;

/// How many bad lines are told at once: more would hide the first ones.
const BAD_MAX: usize = 10;
/// From here on a number is milliseconds: as seconds it would be the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;
/// Beyond this the year cannot be written.
const MILLISECONDS_MAX: f64 = 2.5e14;

/// A row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub(super) time: Timestamp,
    /// None where the line has none.
    pub(super) value: Option<f64>,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong, and what to do about it.
    pub problem: String,
}

/// Reads all rows; times that name no zone are so many minutes ahead of UTC.
pub(super) fn read(text: &str, zone_minutes: i16) -> Result<Vec<Row>, Vec<BadLine>> {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    let mut first = true;
    // Some editors begin a file with a mark of its encoding.
    for (n, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match row(line, zone_minutes) {
            Ok(row) => rows.push(row),
            Err(_) if std::mem::take(&mut first) && names_columns(line) => {}
            Err(problem) => bad.push(BadLine { line: n + 1, problem }),
        }
        first = false;
        if bad.len() == BAD_MAX {
            break;
        }
    }
    if bad.is_empty() { Ok(rows) } else { Err(bad) }
}

/// Returns what is wrong with some lines, as one text.
pub(super) fn listed(lines: &[BadLine]) -> String {
    let mut said: Vec<String> = lines.iter().map(|bad| format!("line {}: {}", bad.line, bad.problem)).collect();
    if lines.len() == BAD_MAX {
        said.push("reading ended there".to_owned());
    }
    said.join("\n")
}

/// Returns a time as clocks of the zone show it.
pub(super) fn local(time: Timestamp, zone_minutes: i16) -> String {
    let shown = jiff::Timestamp::from_millisecond(time.unix_ms()).ok().zip(offset(zone_minutes));
    match shown {
        Some((time, offset)) => {
            let shown = offset.to_datetime(time);
            if shown.subsec_nanosecond() == 0 { format!("{shown:.0}") } else { format!("{shown:.3}") }.replace('T', " ")
        }
        None => time.to_string(),
    }
}

/// Returns a number in at most 14 characters or so.
pub(super) fn number(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-3..1e12).contains(&size) {
        return format!("{number:.6e}");
    }
    let said = format!("{number:.3}");
    said.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn row(line: &str, zone_minutes: i16) -> Result<Row, String> {
    let mut fields = line.split(',').map(|field| field.trim().trim_matches('"').trim());
    let (Some(time), Some(value), None) = (fields.next(), fields.next(), fields.next()) else {
        let found = line.split(',').count();
        return Err(format!(
            "it has {found} columns: write a time and a value with a comma between them, such as 2026-11-23 08:00:00,42.5"
        ));
    };
    let time = moment(time, zone_minutes)?;
    if value.is_empty() {
        return Ok(Row { time, value: None });
    }
    let read = value.parse().map_err(|_| {
        format!(
            "{value:?} is not a number: write it with a point and without a unit, or leave it empty where there is none"
        )
    })?;
    Ok(Row { time, value: Some(read) })
}

/// Returns whether a line looks like the names of columns: two words without a digit at their beginning.
fn names_columns(line: &str) -> bool {
    let word = |field: &str| {
        let field = field.trim().trim_matches('"').trim();
        field.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_') && field.parse::<f64>().is_err()
    };
    line.split(',').count() == 2 && line.split(',').all(word)
}

fn moment(text: &str, zone_minutes: i16) -> Result<Timestamp, String> {
    let wrong = || {
        format!(
            "{text:?} is not a time: write 2026-11-23T08:00:00+08:00, or 2026-11-23 08:00:00, or seconds since 1970"
        )
    };
    if let Ok(number) = text.parse::<f64>() {
        let ms = if number.abs() < MILLISECONDS_FROM { number * 1000.0 } else { number };
        if ms.is_nan() || ms.abs() > MILLISECONDS_MAX {
            return Err(wrong());
        }
        // Whole and far within the range of both, which was just checked.
        let ms = format!("{ms:.0}").parse().map_err(|_| wrong())?;
        return Ok(Timestamp::from_unix_ms(ms));
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_unix_ms(time.as_millisecond()));
    }
    // Whoever reads a date with a zone as one without would be off by hours.
    let named = text.ends_with(['Z', 'z']) || text.contains('[') || text.contains('+');
    let local = (!named).then(|| text.parse::<DateTime>().ok()).flatten();
    let local = local.zip(offset(zone_minutes)).ok_or_else(wrong)?;
    let time = local.1.to_timestamp(local.0).map_err(|_| wrong())?;
    Ok(Timestamp::from_unix_ms(time.as_millisecond()))
}

fn offset(zone_minutes: i16) -> Option<Offset> {
    Offset::from_seconds(i32::from(zone_minutes) * 60).ok()
}
