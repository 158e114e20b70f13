//! How many rows to ask for in one GETBULK.
//!
//! Invariant: what is asked for fits in about [`ANSWER_BYTES`], so that answers are not fragmented (fragments are
//! what firewalls and busy control planes lose first); it is at least one row, and at most [`CELLS_MAX`] cells. An
//! answer that was too big or never came halves it, answers that came let it grow again, slowly and never beyond
//! half of what failed twice. As many cells as the device has answered with before are not too many: when such an answer
//! does not come it was lost, and on a line that loses packets a poll must not end in questions for single cells.

/// What an answer may take, in bytes: an Ethernet frame without the headers of IPv6, UDP and SNMPv3.
pub(crate) const ANSWER_BYTES: usize = 1_380;

/// The most cells asked for in one question.
pub(crate) const CELLS_MAX: usize = 96;

/// The cells first asked for, before the size of this device's cells is known.
const CELLS_INITIAL: usize = 24;

/// How many full answers it takes to ask for one more row.
const GROW_AFTER: u32 = 4;

/// How many cells one question may ask a device for.
#[derive(Debug, Clone, Copy)]
pub struct Repetitions {
    cells: usize,
    ceiling: usize,
    good: u32,
    shrinks: u32,
    cell_bytes: usize,
    /// The most cells that one answer brought.
    managed: usize,
}

impl Default for Repetitions {
    fn default() -> Self {
        Self { cells: CELLS_INITIAL, ceiling: CELLS_MAX, good: 0, shrinks: 0, cell_bytes: 40, managed: 0 }
    }
}

impl Repetitions {
    /// Returns how many rows to ask for when a question names `columns` columns: at least 1.
    pub fn rows(&self, columns: usize) -> u32 {
        self.rows_of(columns, self.cell_bytes)
    }

    /// Returns how many rows to ask for when cells take so many bytes.
    pub(crate) fn rows_of(&self, columns: usize, cell_bytes: usize) -> u32 {
        let fitting = ANSWER_BYTES / cell_bytes.max(1);
        let rows = self.cells.min(fitting) / columns.max(1);
        u32::try_from(rows.max(1)).unwrap_or(1)
    }

    /// Notes an answer of `cells` cells that took `bytes` bytes.
    pub fn answered(&mut self, cells: usize, bytes: usize) {
        if cells == 0 {
            return;
        }
        self.cell_bytes = (self.cell_bytes * 3 + bytes / cells).div_ceil(4).max(8);
        self.managed = self.managed.max(cells);
        self.good += 1;
        if self.good >= GROW_AFTER {
            self.good = 0;
            self.cells = (self.cells + 4).min(self.ceiling);
        }
    }

    /// Notes that a question for `cells` cells was not answered, `again` if it was asked before. Returns whether to ask for
    /// less instead of asking the same again.
    pub fn silent(&mut self, cells: usize, again: bool) -> bool {
        if cells > self.managed {
            self.shrink();
            return true;
        }
        if again {
            self.good = 0;
            self.cells = (self.cells / 2).max(1);
        }
        again
    }

    /// Returns whether the device could not cope with as much as was asked for.
    pub fn has_shrunk(&self) -> bool {
        self.shrinks > 0
    }

    /// Notes that a question was answered with `tooBig`. Returns whether less can be asked.
    pub fn shrink(&mut self) -> bool {
        self.good = 0;
        self.shrinks += 1;
        if self.shrinks > 1 {
            self.ceiling = (self.cells / 2).max(1);
        }
        let before = self.cells;
        self.cells = (self.cells / 2).max(1);
        self.cells < before
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_cells_lower_the_number_of_rows() {
        let mut repetitions = Repetitions::default();
        assert_eq!(repetitions.rows(1), 24);
        for _ in 0..50 {
            repetitions.answered(4, 4 * 300);
        }
        assert_eq!(repetitions.rows(1), 4);
        assert_eq!(repetitions.rows(8), 1);
    }

    #[test]
    fn a_device_that_fails_twice_is_not_asked_as_much_again() {
        let mut repetitions = Repetitions::default();
        assert!(repetitions.shrink());
        assert!(repetitions.shrink());
        for _ in 0..1_000 {
            repetitions.answered(4, 4 * 20);
        }
        assert_eq!(repetitions.rows(1), 6);
    }

    #[test]
    fn what_a_device_has_managed_is_asked_again_and_only_then_less() {
        let mut repetitions = Repetitions::default();
        assert!(repetitions.silent(24, false), "too much, as far as is known");
        repetitions.answered(12, 12 * 20);
        assert!(!repetitions.silent(12, false), "lost");
        assert_eq!(repetitions.rows(1), 12);
        assert!(repetitions.silent(12, true));
        for _ in 0..1_000 {
            repetitions.answered(12, 12 * 20);
        }
        assert_eq!(repetitions.rows(1), 60, "losses leave no ceiling behind");
    }

    proptest! {
        #[test]
        fn at_least_one_row_and_never_more_cells_than_allowed(
            steps in prop::collection::vec(prop::option::of((0usize..100, 0usize..70_000)), 0..300),
            columns in 1usize..20,
        ) {
            let mut repetitions = Repetitions::default();
            for step in steps {
                match step {
                    Some((cells, bytes)) => repetitions.answered(cells, bytes),
                    None => { repetitions.shrink(); }
                }
                let rows = repetitions.rows(columns) as usize;
                prop_assert!(rows >= 1 && (rows == 1 || rows * columns <= CELLS_MAX));
            }
        }
    }
}
