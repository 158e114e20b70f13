//! The model of levels on the labelled series of the Numenta Anomaly Benchmark, beside a plain moving z-score.
//!
//! Usage: `nab FOLDER`. The folder has CSV files of `timestamp,value` and `windows.json`: file → list of [first, last].

mod score;

use std::{collections::BTreeMap, env, error::Error, fs, path::Path};

use onenet_detection::level::{Calendar, Level};
use onenet_topology::Timestamp;
use score::{Outcome, Scored, at, best};

/// The windows, in rows, of the z-score; the best of them is shown in detail.
const Z_ROWS: [usize; 6] = [50, 150, 500, 1500, 3000, 6400];
/// What must be reached: 5 less than was measured when this was written, and this much more than the best z-score.
const OURS_LEAST: f64 = 57.0;
const BETTER_BY_LEAST: f64 = 10.0;

/// A series of the benchmark.
struct Series {
    name: String,
    times: Vec<Timestamp>,
    values: Vec<f64>,
    windows: Vec<std::ops::Range<usize>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("usage: nab FOLDER")?;
    let series = read(Path::new(&folder))?;
    let ours: Vec<Scored> = series.iter().map(|series| series.scored(levels(series))).collect();
    let z = |rows: usize| -> Vec<Scored> {
        series.iter().map(|series| series.scored(moving_z(&series.values, rows))).collect()
    };
    let zs: Vec<(usize, Vec<Scored>)> = Z_ROWS.iter().map(|rows| (*rows, z(*rows))).collect();
    let total = |scored: &[Scored]| best(&scored.iter().collect::<Vec<_>>());
    let (rows, plain) =
        zs.iter().max_by(|(_, a), (_, b)| total(a).raw.total_cmp(&total(b).raw)).ok_or("there is no z-score")?;
    let (mine, theirs) = (total(&ours), total(plain));
    table(&series, (&ours, &mine), (plain, &theirs), *rows);
    for (rows, scored) in &zs {
        say(&format!("z-score over {rows} rows: {:.1}", total(scored).normalised));
    }
    halves("ours", &ours);
    halves("z-score", plain);
    say("\nThese are half of the benchmark's series (32 of 58): no number here can be compared with published scores.");
    if mine.normalised < OURS_LEAST || mine.normalised < theirs.normalised + BETTER_BY_LEAST {
        let bound = format!("at least {OURS_LEAST}, and {BETTER_BY_LEAST} more than the z-score");
        return Err(format!("{:.1} misses the bound: {bound}", mine.normalised).into());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its table")]
fn say(line: &str) {
    println!("{line}");
}

/// Prints a line a series: the score at the one threshold of all series, windows found, false rows.
fn table(series: &[Series], ours: (&[Scored], &Outcome), plain: (&[Scored], &Outcome), rows: usize) {
    let shown = |outcome: &Outcome| {
        let score = if outcome.windows == 0 { "-".to_owned() } else { format!("{:.1}", outcome.normalised) };
        format!("{score:>7} {:>3}/{:<2} {:>5}", outcome.found, outcome.windows, outcome.false_rows)
    };
    say(&format!("{:<54} {:>18}   {:>18}", "", "onenet", format!("z over {rows} rows")));
    say(&format!(
        "{:<54} {:>7} {:>5} {:>5}   {:>7} {:>5} {:>5}",
        "series", "score", "found", "false", "score", "found", "false"
    ));
    for ((series, mine), theirs) in series.iter().zip(ours.0).zip(plain.0) {
        let (mine, theirs) = (at(&[mine], ours.1.threshold), at(&[theirs], plain.1.threshold));
        say(&format!("{:<54} {}   {}", series.name, shown(&mine), shown(&theirs)));
    }
    say(&format!("{:<54} {}   {}", "all, standard profile, 0 to 100", shown(ours.1), shown(plain.1)));
    say(&format!("{:<54} {:>7.3} {:>20.3}", "threshold", ours.1.threshold, plain.1.threshold));
}

/// Shows that the threshold is not fitted to its own series: each half at the threshold that is best for the other half.
fn halves(name: &str, scored: &[Scored]) {
    let half = |odd: usize| -> Vec<&Scored> { scored.iter().skip(odd).step_by(2).collect() };
    let (even, odd) = (half(0), half(1));
    let crossed = (at(&even, best(&odd).threshold), at(&odd, best(&even).threshold));
    let (one, other) = (best(&even).normalised, best(&odd).normalised);
    say(&format!(
        "{name}, halves: {one:.1} and {other:.1} at their own threshold, {:.1} and {:.1} at the other half's",
        crossed.0.normalised, crossed.1.normalised
    ));
}

impl Series {
    fn scored(&self, scores: Vec<f64>) -> Scored {
        Scored { scores, windows: self.windows.clone() }
    }
}

/// Returns our score of each row; a row that is not read (its time came before) has none.
fn levels(series: &Series) -> Vec<f64> {
    // The series are from elsewhere: weeks, and no holidays of ours.
    let calendar = Calendar::weeks(0);
    let mut level = Level::new();
    let rows = series.times.iter().zip(&series.values);
    rows.map(|(time, value)| level.observe(&calendar, *time, *value).map_or(0.0, |reading| reading.score)).collect()
}

/// Returns the distance of each row from the mean of the rows before it, in their standard deviations.
fn moving_z(values: &[f64], window: usize) -> Vec<f64> {
    let z = |at: usize| {
        let before = &values[at.saturating_sub(window)..at];
        let n = f64::from(u32::try_from(before.len()).unwrap_or(u32::MAX));
        if before.len() < 2 {
            return 0.0;
        }
        let mean = before.iter().sum::<f64>() / n;
        let variance = before.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        (values[at] - mean).abs() / (variance.sqrt() + 1e-9 * mean.abs() + 1e-12)
    };
    (0..values.len()).map(z).collect()
}

fn read(folder: &Path) -> Result<Vec<Series>, Box<dyn Error>> {
    let labels = fs::read_to_string(folder.join("windows.json"))?;
    let labels: BTreeMap<String, Vec<[String; 2]>> = serde_json::from_str(&labels)?;
    labels.into_iter().map(|(name, windows)| series(folder, name, &windows)).collect()
}

fn series(folder: &Path, name: String, windows: &[[String; 2]]) -> Result<Series, Box<dyn Error>> {
    let text = fs::read_to_string(folder.join(&name))?;
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let (time, value) = line.split_once(',').ok_or("a row has two columns")?;
        times.push(moment(time)?);
        values.push(value.parse()?);
    }
    let mut rows = Vec::new();
    for [first, last] in windows {
        let (first, last) = (moment(first)?, moment(last)?);
        rows.push(times.partition_point(|time| *time < first)..times.partition_point(|time| *time <= last));
    }
    Ok(Series { name, times, values, windows: rows })
}

/// Reads a time without a zone; the same zone everywhere will do.
fn moment(text: &str) -> Result<Timestamp, Box<dyn Error>> {
    Ok(format!("{}Z", text.replace(' ', "T")).parse()?)
}
