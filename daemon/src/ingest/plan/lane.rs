//! Whether a batch is the next on its lane (invariant 3).

use onenet_wire::Position;

use super::{Outcome, Refusal};
use crate::estate::{LaneMark, RETIRED_EPOCHS_MAX};

/// What to do with a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the next.
    Next,
    /// It was committed: acknowledge without effect.
    Committed(Outcome),
}

/// Returns the place of a batch at `position` of a lane that is at `mark`.
///
/// # Errors
/// Refuses a gap and an epoch that was replaced.
pub(super) fn place(mark: &LaneMark, position: Position) -> Result<Place, Refusal> {
    if position.sequence == 0 {
        return Err(Refusal::Invalid("batch.position.sequence: 0 stands before the first batch: count from 1".into()));
    }
    let committed = if mark.epoch == Some(position.epoch) {
        mark.sequence
    } else if mark.retired.contains(&position.epoch) {
        return Err(Refusal::EpochRetired { epoch: position.epoch });
    } else {
        0
    };
    let committed = Position { sequence: committed, ..position };
    if position.sequence <= committed.sequence {
        return Ok(Place::Committed(Outcome::Committed(committed)));
    }
    if position.sequence != committed.sequence + 1 {
        return Err(Refusal::Gap { committed, got: position.sequence });
    }
    Ok(Place::Next)
}

/// Moves a lane to a batch that was found to be the next.
pub(super) fn advance(mark: &mut LaneMark, position: Position) {
    if mark.epoch != Some(position.epoch) {
        mark.retired.extend(mark.epoch);
        if mark.retired.len() > RETIRED_EPOCHS_MAX {
            mark.retired.remove(0);
        }
        mark.epoch = Some(position.epoch);
    }
    mark.sequence = position.sequence;
}

#[cfg(test)]
mod tests {
    use onenet_wire::Lane;

    use super::*;

    fn at(epoch: u64, sequence: u64) -> Position {
        Position { lane: Lane::State, epoch, sequence }
    }

    #[test]
    fn a_batch_is_taken_once_and_in_order() {
        let mut mark = LaneMark::default();
        assert_eq!(place(&mark, at(7, 1)), Ok(Place::Next));
        advance(&mut mark, at(7, 1));
        assert_eq!(place(&mark, at(7, 1)), Ok(Place::Committed(Outcome::Committed(at(7, 1)))));
        assert_eq!(place(&mark, at(7, 3)), Err(Refusal::Gap { committed: at(7, 1), got: 3 }));
        assert_eq!(place(&mark, at(7, 2)), Ok(Place::Next));
    }

    #[test]
    fn a_new_epoch_begins_at_one_and_retires_the_old_one() {
        let mut mark = LaneMark { epoch: Some(7), sequence: 9, ..LaneMark::default() };
        assert_eq!(place(&mark, at(8, 5)), Err(Refusal::Gap { committed: at(8, 0), got: 5 }));
        assert_eq!(place(&mark, at(8, 1)), Ok(Place::Next));
        advance(&mut mark, at(8, 1));
        assert_eq!(place(&mark, at(7, 10)), Err(Refusal::EpochRetired { epoch: 7 }));
    }

    #[test]
    fn sequence_zero_is_invalid() {
        assert!(matches!(place(&LaneMark::default(), at(1, 0)), Err(Refusal::Invalid(_))));
    }
}
