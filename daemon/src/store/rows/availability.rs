//! How far ways and sites were available, as the store keeps it: [`crate::availability`] has the rows.

use onenet_topology::coverage::Day;

use super::Problem;
use crate::{
    availability::{
        Piece, Watched, read_measured, read_settled, read_timeline, write_measured, write_settled, write_timeline,
    },
    store::keys,
};

const CONCLUDED: u8 = 1;
const MEASURED: u8 = 2;
const SETTLED: u8 = 3;

/// Returns the row of a piece: written, or removed where there is nothing left of it.
pub(in crate::store) fn write_piece(watched: Watched, piece: &Piece) -> (Vec<u8>, Option<Vec<u8>>) {
    match piece {
        Piece::Concluded(timeline) => (keys::available(watched, CONCLUDED, Day(0)), Some(write_timeline(timeline))),
        Piece::Measured { day, measured } => {
            let row = measured.as_ref().map(|measured| write_measured(measured));
            (keys::available(watched, MEASURED, *day), row)
        }
        Piece::Settled { month, days } => {
            let row = (!days.is_empty()).then(|| write_settled(days));
            (keys::available(watched, SETTLED, *month), row)
        }
    }
}

pub(in crate::store) fn read_piece(piece: u8, day: Day, value: &[u8]) -> Result<Piece, Problem> {
    Ok(match piece {
        CONCLUDED => Piece::Concluded(read_timeline(value)?.into()),
        MEASURED => Piece::Measured { day, measured: Some(read_measured(value)?.into()) },
        SETTLED => Piece::Settled { month: day, days: read_settled(value)? },
        other => return Err(format!("{other} is no piece of availability")),
    })
}
