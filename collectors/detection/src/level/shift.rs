//! When a series has left what is usual for good.
//!
//! Rows are gathered into blocks of an hour (a row each where they are further apart). A block lies outside when four fifths of its
//! rows lie beyond the usual on one side. Where all values have one sign, which is so of whatever is counted, it lies outside also when
//! there is far too little of it: with B the mean of its rows, E that of what is expected and c a twentieth of the whole's mean,
//! `ln((B + c) / (E + c))` is under −0.7 and under −4 times what it usually differs from 0 by. That is how silence is told where
//! noise is a third of the traffic. Each block outside adds its weight to the evidence of that side, 1 to 2 by the middle distance in units
//! of what is usual; each that does not takes 2 away. From an evidence of 8 on the series is shifted, until it is under 3.
//!
//! Invariant: fixed size. One row, and one burst of less than four hours, is never a shift. It does not know what is usual.

use onenet_topology::Timestamp;
use serde::{Deserialize, Serialize};

use super::season::{Centre, Usual};

const BLOCK_MS: i64 = 3_600_000;
/// Of the rows of a block.
const OUTSIDE_SHARE: f64 = 0.8;
/// At this distance from the usual, in units, a block weighs most.
const FAR_UNITS: f64 = 4.0;
const INSIDE_COSTS: f64 = 2.0;
const SHIFTED_FROM: f64 = 8.0;
const SHIFTED_UNTIL: f64 = 3.0;
const EVIDENCE_MAX: f64 = 12.0;

/// Less than this is too little, as a logarithm: half.
const TOO_LITTLE: f64 = -0.7;
/// How many times what is usual is too little.
const TOO_LITTLE_SPREADS: f64 = 4.0;
/// What is added to both sides of a ratio, of the whole's mean.
const RATIO_FLOOR: f64 = 0.05;
/// Within how many blocks the usual distance of a ratio is followed.
const RATIO_BLOCKS: f64 = 200.0;

/// The rows of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Block {
    number: i64,
    begin: Timestamp,
    rows: f64,
    below: f64,
    above: f64,
    distance: f64,
    /// The sums of values, of what was least expected, and what else goes into the ratio.
    values: f64,
    least: f64,
    whole: f64,
    few: f64,
}

/// The evidence of one side.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Side {
    evidence: f64,
    since: Option<Timestamp>,
    shifted: bool,
}

/// Whether the series is shifted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Shift {
    block: Block,
    /// The logarithms of blocks' ratios to what was expected.
    ratio: Centre,
    /// Whether there were values under 0, and over it.
    negative: bool,
    positive: bool,
    below: Side,
    above: Side,
}

impl Shift {
    pub(super) fn take(&mut self, time: Timestamp, value: f64, usual: &Usual) {
        let number = time.unix_ms().div_euclid(BLOCK_MS);
        if self.block.rows > 0.0 && self.block.number != number {
            let block = std::mem::take(&mut self.block);
            let too_little = self.too_little(&block);
            let outside = |rows| rows >= OUTSIDE_SHARE * block.rows;
            let distance = block.distance / block.rows;
            let (down, up) = if self.negative { (false, too_little) } else { (too_little, false) };
            self.below.take(block.begin, (down || outside(block.below)).then_some(if down { 1.0 } else { distance }));
            self.above.take(block.begin, (up || outside(block.above)).then_some(if up { 1.0 } else { distance }));
        }
        if self.block.rows == 0.0 {
            self.block = Block { number, begin: time, ..Block::default() };
        }
        self.negative |= value < 0.0;
        self.positive |= value > 0.0;
        self.block.values += value;
        self.block.least += usual.least;
        (self.block.whole, self.block.few) = (usual.whole, usual.few);
        let outside = (usual.low - value).max(value - usual.high);
        self.block.rows += 1.0;
        self.block.below += f64::from(u8::from(value < usual.low));
        self.block.above += f64::from(u8::from(value > usual.high));
        if outside > 0.0 {
            self.block.distance += (outside / usual.unit.max(f64::MIN_POSITIVE)).min(FAR_UNITS) / FAR_UNITS;
        }
    }

    /// Returns whether there is far too little in a block, and learns what ratios are usual.
    fn too_little(&mut self, block: &Block) -> bool {
        let floor = RATIO_FLOOR * block.whole;
        if self.negative == self.positive || floor == 0.0 {
            return false;
        }
        // The signs are the same, and cancel out.
        let ratio = (block.values / block.rows + floor) / (block.least / block.rows + floor);
        if !(ratio.is_finite() && ratio > 0.0) {
            return false;
        }
        let ratio = ratio.ln();
        let limit = TOO_LITTLE.min(-TOO_LITTLE_SPREADS * self.ratio.spread * block.few);
        let known = self.ratio.weight() >= RATIO_BLOCKS / 4.0;
        self.ratio.learn(ratio.clamp(-8.0, 8.0), 1.0 / RATIO_BLOCKS);
        known && ratio < limit
    }

    /// Returns since when the series is shifted, where it is.
    pub(super) fn since(&self) -> Option<Timestamp> {
        [self.below, self.above].iter().find(|side| side.shifted).and_then(|side| side.since)
    }
}

impl Side {
    /// Takes a block in: how far outside it lies, from 0 to 1, where it does.
    fn take(&mut self, begin: Timestamp, outside: Option<f64>) {
        match outside {
            Some(distance) => {
                self.since = self.since.or(Some(begin));
                self.evidence = (self.evidence + 1.0 + distance).min(EVIDENCE_MAX);
            }
            None => self.evidence = (self.evidence - INSIDE_COSTS).max(0.0),
        }
        self.shifted = self.evidence >= if self.shifted { SHIFTED_UNTIL } else { SHIFTED_FROM };
        if self.evidence <= 0.0 {
            self.since = None;
        }
    }
}
