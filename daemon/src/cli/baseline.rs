//! `onenetd baseline FILE.csv`: what is usual in a series of numbers, and a score and verdict for each row.
//!
//! Invariant: a file of at most [`FILE_MAX`] bytes is taken whole or refused, with the number of each line that cannot be read and
//! what to do about it; it needs no centre.

mod rows;

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;
use onenet_detection::level::{Calendar, InvalidCalendar, Level, Reading, Verdict};
use onenet_topology::Timestamp;
use serde::Serialize;

use super::{
    commands::CommandError,
    given::{self, named},
};
use rows::{BadLine, Row};

/// The most bytes of a file: two million rows or so.
const FILE_MAX: u64 = 64 << 20;

/// What the help says of the format.
const FORMAT: &str = "\
The file is CSV of two columns, time and value, a row a line in the order of time; the first line may name the columns, blank lines \
and lines that begin with # are passed over. A time is RFC 3339, or YYYY-MM-DD HH:MM:SS in the time zone of --zone, or seconds \
since 1970 (milliseconds, from 100,000,000,000 on). An empty value is a row without one. Any sampling interval will do; rows may be missing. \
It takes two days of a kind (working days, days off) until times of day are judged.

Verdicts: learning (too little history of this time of day), usual, unusual (rare in this series, and not said within a day or so), \
shifted (for hours now, the series is not where it belongs), skipped (not read: no value, or not later than the row before). The score is from 0 \
to 1, 0 for the first two dozen rows; from 0.75 on a row is unusual. What was said is not said again: a row scores as much as it is news.

With --json: {\"zone\", \"rows\": [{time, value, expected, score, verdict, since, reason}], \"summary\": {rows, learning, usual, unusual, \
shifted, skipped}}. \"since\" is when a shift began, \"reason\" why a row was skipped; both are null elsewhere.

Public holidays and the weekend days worked for them are known for China, 2024 to 2026, with the days that the law names for 2027. --holidays adds a \
CSV file of first,last,off or work,name, such as 2027-02-05,2027-02-11,off,春节; its lines go before ours.";

/// Which series.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = FORMAT)]
pub struct BaselineArgs {
    /// The file; - is standard input.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The time zone of the calendar, and of times that name none: hours and minutes ahead of UTC, or UTC, or Asia/Shanghai.
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai", allow_hyphen_values = true)]
    zone: Zone,
    /// More public holidays and worked weekend days.
    #[arg(long, value_name = "FILE")]
    holidays: Option<PathBuf>,
}

/// How far ahead of UTC clocks are, all year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Zone {
    minutes: i16,
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It cannot be read.
    #[error("{file} cannot be read: check the path")]
    Read {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is too large.
    #[error("{file} is larger than {} MiB: cut it into parts of some months each", FILE_MAX >> 20)]
    TooLarge {
        /// The file.
        file: String,
    },
    /// It is not text.
    #[error("{file} is not UTF-8: convert it, such as with iconv -f GB18030 -t UTF-8")]
    NotText {
        /// The file.
        file: String,
    },
    /// There is nothing in it.
    #[error("{file} has no rows: each line is a time and a value, such as 2026-11-23 08:00:00,42.5")]
    Empty {
        /// The file.
        file: String,
    },
    /// Some lines cannot be read.
    #[error("{file}: {}", rows::listed(.lines))]
    Lines {
        /// The file.
        file: String,
        /// Which, and why.
        lines: Vec<BadLine>,
    },
    /// The holidays cannot be used.
    #[error("{file}: {source}")]
    Holidays {
        /// The file.
        file: String,
        /// Why.
        source: InvalidCalendar,
    },
}

/// What is printed of a row.
#[derive(Debug, Serialize)]
struct Said {
    time: Timestamp,
    value: Option<f64>,
    expected: Option<f64>,
    score: Option<f64>,
    verdict: &'static str,
    since: Option<Timestamp>,
    reason: Option<String>,
}

/// How many rows have which verdict.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
struct Summary {
    rows: u64,
    learning: u64,
    usual: u64,
    unusual: u64,
    shifted: u64,
    skipped: u64,
}

/// Does it.
pub(super) fn run(args: &BaselineArgs) -> Result<(), CommandError> {
    let calendar = calendar(args)?;
    let file = named(&args.file);
    let text = read(&args.file)?;
    let rows = parse(&file, &text, args.zone)?;
    let mut out = BufWriter::new(io::stdout().lock());
    print(&mut out, &rows, &calendar, args)?;
    Ok(out.flush()?)
}

/// Reads a file's text: all rows, or what is wrong with it.
fn parse(file: &str, text: &str, zone: Zone) -> Result<Vec<Row>, BaselineError> {
    let rows = rows::read(text, zone.minutes).map_err(|lines| BaselineError::Lines { file: file.to_owned(), lines })?;
    if rows.is_empty() { Err(BaselineError::Empty { file: file.to_owned() }) } else { Ok(rows) }
}

fn calendar(args: &BaselineArgs) -> Result<Calendar, BaselineError> {
    let mut calendar = Calendar::china().with_offset_minutes(args.zone.minutes);
    if let Some(path) = &args.holidays {
        let text = read(path)?;
        calendar.add(&text).map_err(|source| BaselineError::Holidays { file: named(path), source })?;
    }
    Ok(calendar)
}

fn read(file: &Path) -> Result<String, BaselineError> {
    let bytes = given::read(file, FILE_MAX).map_err(|source| BaselineError::Read { file: named(file), source })?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_MAX {
        return Err(BaselineError::TooLarge { file: named(file) });
    }
    String::from_utf8(bytes).map_err(|_| BaselineError::NotText { file: named(file) })
}

/// Prints what the model says of each row, as it says it.
fn print(out: &mut impl Write, rows: &[Row], calendar: &Calendar, args: &BaselineArgs) -> io::Result<()> {
    let mut level = Level::new();
    let mut summary = Summary::default();
    if args.json {
        write!(out, "{{\"zone\":\"{}\",\"rows\":[", args.zone)?;
    } else {
        writeln!(out, "{:<25}  {:>14}  {:>14}  {:>6}  verdict", "time", "value", "expected", "score")?;
    }
    for (n, row) in rows.iter().enumerate() {
        let said = said(row, &mut level, calendar);
        summary.count(said.verdict);
        if args.json {
            out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, &said)?;
        } else {
            line(out, &said, args.zone)?;
        }
    }
    if args.json {
        write!(out, "\n],\"summary\":")?;
        serde_json::to_writer(&mut *out, &summary)?;
        return writeln!(out, "}}");
    }
    let Summary { rows, learning, usual, unusual, shifted, skipped } = summary;
    writeln!(
        out,
        "# {rows} rows: {learning} learning, {usual} usual, {unusual} unusual, {shifted} shifted, {skipped} skipped"
    )
}

fn said(row: &Row, level: &mut Level, calendar: &Calendar) -> Said {
    let skipped = |reason: String| Said {
        time: row.time,
        value: row.value.filter(|value| value.is_finite()),
        expected: None,
        score: None,
        verdict: "skipped",
        since: None,
        reason: Some(reason),
    };
    let Some(value) = row.value else { return skipped("it has no value".to_owned()) };
    match level.observe(calendar, row.time, value) {
        Ok(Reading { score, verdict, expected, since }) => Said {
            time: row.time,
            value: Some(value),
            expected: Some(expected),
            // More digits would look as if they meant something.
            score: Some((score * 10_000.0).round() / 10_000.0),
            verdict: verdict.as_str(),
            since,
            reason: None,
        },
        Err(refused) => skipped(refused.to_string()),
    }
}

fn line(out: &mut impl Write, said: &Said, zone: Zone) -> io::Result<()> {
    let time = rows::local(said.time, zone.minutes);
    let number = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), rows::number);
    let score = said.score.map_or_else(|| "-".to_owned(), |score| format!("{score:.4}"));
    write!(out, "{time:<25}  {:>14}  {:>14}  {score:>6}  {}", number(said.value), number(said.expected), said.verdict)?;
    if let Some(since) = said.since {
        write!(out, " since {}", rows::local(since, zone.minutes))?;
    }
    if let Some(reason) = &said.reason {
        write!(out, ": {reason}")?;
    }
    writeln!(out)
}

impl Summary {
    fn count(&mut self, verdict: &str) {
        self.rows += 1;
        let all = [Verdict::Learning, Verdict::Usual, Verdict::Unusual, Verdict::Shifted];
        let count = match all.into_iter().find(|one| one.as_str() == verdict) {
            Some(Verdict::Learning) => &mut self.learning,
            Some(Verdict::Usual) => &mut self.usual,
            Some(Verdict::Unusual) => &mut self.unusual,
            Some(Verdict::Shifted) => &mut self.shifted,
            None => &mut self.skipped,
        };
        *count += 1;
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no time zone: write +08:00, UTC or Asia/Shanghai");
        let minutes = match text {
            "UTC" | "Z" => 0,
            "Asia/Shanghai" => onenet_topology::time::CHINA_AHEAD_MIN,
            other => {
                let (sign, rest) = match other.split_at_checked(1) {
                    Some(("+", rest)) => (1, rest),
                    Some(("-", rest)) => (-1, rest),
                    _ => return Err(wrong()),
                };
                let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
                let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
                if !digits(hours) || !digits(minutes) {
                    return Err(wrong());
                }
                let (hours, minutes) = (hours.parse::<i16>(), minutes.parse::<i16>());
                match (hours, minutes) {
                    (Ok(hours @ 0..=14), Ok(minutes @ 0..=59)) => sign * (hours * 60 + minutes),
                    _ => return Err(wrong()),
                }
            }
        };
        Ok(Self { minutes })
    }
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let minutes = self.minutes.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests;
