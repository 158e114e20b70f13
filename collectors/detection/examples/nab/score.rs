//! The scoring of the Numenta Anomaly Benchmark, standard profile, written from its published definition (Lavin and Ahmad,
//! "Evaluating Real-time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark", 2015).
//!
//! - A series' first 15 % of rows, 750 at most, are probation: what is detected there counts for nothing.
//! - Of the detections in a labelled window the earliest counts: `A_TP · σ(y) / σ(−1)`, where y is −1 at the window's first row and
//!   reaches 0 after its last, and `σ(y) = 2 / (1 + e^(5 y)) − 1`.
//! - A window without one counts `A_FN`.
//! - Each detection outside counts `A_FP`, less just after a window: times `−σ(y)`, y being the distance to that window in its lengths.
//! - One threshold holds for all series, the one that gives the most. 0 is a detector that never detects, 100 one that
//!   detects the first row of each window and nothing else.
//!
//! Invariant: a pure function; a series without rows or windows is fine. It does not know what made the scores.

use std::ops::Range;

const TRUE_POSITIVE: f64 = 1.0;
const FALSE_POSITIVE: f64 = 0.11;
const FALSE_NEGATIVE: f64 = 1.0;

/// One series: what a detector gave each row, and which rows the labels say are anomalous.
#[derive(Debug, Clone)]
pub(crate) struct Scored {
    /// A score a row; higher is more anomalous.
    pub scores: Vec<f64>,
    /// The windows, in order, without overlap.
    pub windows: Vec<Range<usize>>,
}

/// The outcome over some series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    /// The lowest score that is a detection.
    pub threshold: f64,
    /// The sum of all weights, before it is normalised.
    pub raw: f64,
    /// 0 for a detector that never detects, 100 for a perfect one.
    pub normalised: f64,
    /// How many windows have a detection.
    pub found: usize,
    /// How many windows there are.
    pub windows: usize,
    /// How many rows outside of windows are detections.
    pub false_rows: usize,
}

/// What detecting a row is worth.
enum Worth {
    Window(usize, f64),
    Outside(f64),
}

fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn sigmoid(y: f64) -> f64 {
    2.0 / (1.0 + (5.0 * y).exp()) - 1.0
}

/// Returns how many rows of a series are probation.
pub(crate) fn probation(rows: usize) -> usize {
    (rows * 15 / 100).min(750)
}

fn worth(series: &Scored, row: usize) -> Worth {
    if let Some(at) = series.windows.iter().position(|window| window.contains(&row)) {
        let window = &series.windows[at];
        let y = -float(window.end - row) / float(window.len());
        return Worth::Window(at, TRUE_POSITIVE * sigmoid(y) / sigmoid(-1.0));
    }
    let Some(before) = series.windows.iter().rfind(|window| window.end <= row) else {
        return Worth::Outside(-FALSE_POSITIVE);
    };
    let y = float(row + 1 - before.end) / float(before.len().saturating_sub(1).max(1));
    Worth::Outside(FALSE_POSITIVE * sigmoid(y))
}

/// The sums while the threshold goes down.
struct Sums {
    outside: f64,
    best: Vec<Option<f64>>,
    false_rows: usize,
}

impl Sums {
    fn of(windows: usize) -> Self {
        Self { outside: 0.0, best: vec![None; windows], false_rows: 0 }
    }

    fn take(&mut self, first: usize, worth: &Worth) {
        match *worth {
            Worth::Window(at, worth) => {
                if let Some(best) = self.best.get_mut(first + at) {
                    *best = Some(best.map_or(worth, |best| best.max(worth)));
                }
            }
            Worth::Outside(worth) => {
                self.outside += worth;
                self.false_rows += 1;
            }
        }
    }

    fn outcome(&self, threshold: f64) -> Outcome {
        let inside: f64 = self.best.iter().map(|best| best.unwrap_or(-FALSE_NEGATIVE)).sum();
        let raw = self.outside + inside;
        let windows = self.best.len();
        let (null, perfect) = (-FALSE_NEGATIVE * float(windows), TRUE_POSITIVE * float(windows));
        // Without a window there is nothing to normalise by: what is left is the cost of false alarms.
        let normalised = if windows == 0 { 100.0 * raw } else { 100.0 * (raw - null) / (perfect - null) };
        let found = self.best.iter().flatten().count();
        Outcome { threshold, raw, normalised, found, windows, false_rows: self.false_rows }
    }
}

/// Returns the outcome at one threshold.
pub(crate) fn at(series: &[&Scored], threshold: f64) -> Outcome {
    let mut sums = Sums::of(series.iter().map(|series| series.windows.len()).sum());
    let mut first = 0;
    for series in series {
        for (row, score) in series.scores.iter().enumerate().skip(probation(series.scores.len())) {
            if *score >= threshold {
                sums.take(first, &worth(series, row));
            }
        }
        first += series.windows.len();
    }
    sums.outcome(threshold)
}

/// Returns the outcome at the threshold that gives the most.
pub(crate) fn best(series: &[&Scored]) -> Outcome {
    let mut rows = Vec::new();
    let mut first = 0;
    for series in series {
        let after = probation(series.scores.len());
        rows.extend(
            series.scores.iter().enumerate().skip(after).map(|(row, score)| (*score, first, worth(series, row))),
        );
        first += series.windows.len();
    }
    rows.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
    let mut sums = Sums::of(first);
    let mut best = sums.outcome(f64::INFINITY);
    for (n, (score, first, worth)) in rows.iter().enumerate() {
        sums.take(*first, worth);
        // Rows of one score are detected together.
        if rows.get(n + 1).is_some_and(|(next, ..)| next.total_cmp(score).is_eq()) {
            continue;
        }
        let outcome = sums.outcome(*score);
        if outcome.raw > best.raw {
            best = outcome;
        }
    }
    best
}
