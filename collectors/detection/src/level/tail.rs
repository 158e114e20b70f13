//! How rare a magnitude is in the series' own past.
//!
//! A histogram of magnitudes, four bins an octave. Let t be the least edge that at most 5 % of the past lie beyond. Under t the rarity
//! is counted; beyond it the tail is taken for a power law, `p(z) = p(t) · (t / z)^α`, with Hill's estimate of α from what lies
//! beyond t, drawn to 4 as if four more values had been seen. A heavy tail so makes large values common in its own series, and a
//! value beyond all that was seen has a rarity too.
//!
//! Invariant: fixed size; p lies in (0, 1] and never grows with z. Old values fade: all counts are halved when they reach a limit.
//! It does not know what the magnitudes are of.

use serde::{Deserialize, Serialize};

const BINS: usize = 56;
/// The lower edge of the second bin: 2^LOWEST. What is smaller is in the first.
const LOWEST: f64 = -4.0;
const PER_OCTAVE: f64 = 4.0;
const BEYOND: f64 = 0.05;
const PRIOR_WEIGHT: f64 = 4.0;
const PRIOR_ALPHA: f64 = 4.0;
const ALPHA: std::ops::RangeInclusive<f64> = 1.0..=12.0;
/// At so many values all counts are halved.
const FADE_AT: f64 = 20_000.0;

/// The magnitudes seen so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tail {
    counts: Vec<f32>,
    total: f64,
}

impl Default for Tail {
    fn default() -> Self {
        Self { counts: vec![0.0; BINS], total: 0.0 }
    }
}

impl Tail {
    pub(super) fn learn(&mut self, magnitude: f64) {
        if let Some(count) = self.counts.get_mut(bin(magnitude)) {
            *count += 1.0;
            self.total += 1.0;
        }
        if self.total >= FADE_AT {
            self.counts.iter_mut().for_each(|count| *count *= 0.5);
            self.total *= 0.5;
        }
    }

    /// Returns the share of the past that is at least so large, as −log10.
    pub(super) fn rarity(&self, magnitude: f64) -> f64 {
        let at = bin(magnitude);
        let mut beyond = 0.0;
        let mut logs = 0.0;
        let mut edge = BINS;
        // From the top down to t, at least one bin.
        while edge > 1 {
            let count = f64::from(self.counts.get(edge - 1).copied().unwrap_or(0.0));
            if (beyond + count) > BEYOND * self.total && edge < BINS {
                break;
            }
            edge -= 1;
            beyond += count;
        }
        for (n, count) in self.counts.iter().enumerate().skip(edge) {
            logs += f64::from(*count) * (middle(n) - lower(edge)) * std::f64::consts::LN_2;
        }
        let p_edge = (beyond + 1.0) / (self.total + 2.0);
        if at >= edge {
            let alpha = (beyond + PRIOR_WEIGHT) / (logs + PRIOR_WEIGHT / PRIOR_ALPHA);
            let alpha = alpha.clamp(*ALPHA.start(), *ALPHA.end());
            let octaves = (log2(magnitude) - lower(edge)).max(0.0);
            return alpha * octaves * std::f64::consts::LOG10_2 - p_edge.log10();
        }
        let above: f64 = self.counts.iter().skip(at + 1).map(|count| f64::from(*count)).sum();
        let here = f64::from(self.counts.get(at).copied().unwrap_or(0.0));
        let share = if at == 0 { 0.0 } else { (log2(magnitude) - lower(at)) * PER_OCTAVE };
        let p = (above + here * (1.0 - share.clamp(0.0, 1.0)) + 1.0) / (self.total + 2.0);
        -p.max(p_edge).min(1.0).log10()
    }
}

/// Returns log2, held within what can be counted.
fn log2(magnitude: f64) -> f64 {
    magnitude.max(0.0).log2().clamp(LOWEST - 1.0, 60.0)
}

/// Returns the lower edge of a bin, as log2.
fn lower(bin: usize) -> f64 {
    LOWEST + (small(bin) - 1.0) / PER_OCTAVE
}

fn middle(bin: usize) -> f64 {
    lower(bin) + 0.5 / PER_OCTAVE
}

fn small(n: usize) -> f64 {
    f64::from(u16::try_from(n).unwrap_or(u16::MAX))
}

fn bin(magnitude: f64) -> usize {
    let position = (log2(magnitude) - LOWEST) * PER_OCTAVE;
    (1..BINS).rev().find(|n| position >= small(n - 1)).unwrap_or(0)
}
