//! What is kept of one way or site.
//!
//! Invariant: a piece is replaced as a whole. A day is either open, with its minutes, or settled. Cloning costs a few pointers.

use std::sync::Arc;

use imbl::OrdMap;
use onenet_topology::{
    SiteId,
    availability::{Figures, MeasuredDay, Timeline},
    coverage::Day,
};
use serde::{Deserialize, Serialize};

use super::Packed;

/// What figures are kept of: a site, or one of its ways up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Watched {
    /// The site.
    pub site: SiteId,
    /// The upper site of the way; `None` for the site itself.
    pub to: Option<SiteId>,
}

/// What is kept of a way or a site.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    /// What was concluded since the oldest open day began.
    pub concluded: Arc<Timeline>,
    /// What was measured on open days.
    pub measured: OrdMap<Day, Arc<MeasuredDay>>,
    /// Settled days, by the last day of their month.
    pub(crate) settled: OrdMap<Day, Packed>,
}

/// A settled day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledDay {
    /// Which day.
    pub day: Day,
    /// Its figures.
    pub figures: Figures,
}

/// One piece of what is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// What was concluded is now this.
    Concluded(Arc<Timeline>),
    /// What was measured on a day is now this (`Some`), or is settled.
    Measured {
        /// The day.
        day: Day,
        /// All of it.
        measured: Option<Arc<MeasuredDay>>,
    },
    /// The settled days of a month are now these; none any more where it is too long ago.
    Settled {
        /// The last day of the month.
        month: Day,
        /// All of them, in order.
        days: Vec<SettledDay>,
    },
}

impl Kept {
    /// Puts a piece in.
    pub(crate) fn put(&mut self, piece: &Piece) {
        match piece {
            Piece::Concluded(timeline) => self.concluded = Arc::clone(timeline),
            Piece::Measured { day, measured: Some(measured) } => {
                self.measured.insert(*day, Arc::clone(measured));
            }
            Piece::Measured { day, measured: None } => {
                self.measured.remove(day);
            }
            Piece::Settled { month, days } if days.is_empty() => {
                self.settled.remove(month);
            }
            Piece::Settled { month, days } => {
                self.settled.insert(*month, Packed::of(days));
            }
        }
    }

    /// Returns the pieces that it is made of.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let concluded = (!self.concluded.turns().is_empty()).then(|| Piece::Concluded(Arc::clone(&self.concluded)));
        let measured = self.measured.iter();
        let measured = measured.map(|(day, it)| Piece::Measured { day: *day, measured: Some(Arc::clone(it)) });
        let settled = self.settled.iter().map(|(month, packed)| Piece::Settled { month: *month, days: packed.days() });
        concluded.into_iter().chain(measured).chain(settled)
    }

    /// Returns the oldest day that is not settled, where anything is known of one.
    pub(crate) fn first_open(&self) -> Option<Day> {
        let turned = self.concluded.turns().first().map(|turn| Day::of(turn.at));
        let measured = self.measured.get_min().map(|(day, _)| *day);
        turned.into_iter().chain(measured).min()
    }
}
