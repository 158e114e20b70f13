//! What the columns of a device were like when they were last read: how many rows, how large.
//!
//! Invariant: it only decides what is asked for together, never what is read: a column that has grown is read on, one that
//! was absent is asked for each time. It takes 12 bytes a column, since a session of each device keeps it.

use super::Column;

/// For how many more columns room is made at once.
const GROWTH: usize = 8;

/// The columns of a device, as they were.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapes(Vec<(u32, Shape)>);

/// What a column was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How many rows it had.
    pub(crate) rows: u32,
    /// How many bytes a cell took in a message, with its name.
    pub(crate) cell_bytes: u16,
}

impl Shapes {
    /// Returns what a column was like; `None` when it was not read whole the last time.
    pub(crate) fn get(&self, column: &Column) -> Option<Shape> {
        let hash = hash_of(column);
        self.0.iter().find(|(known, _)| *known == hash).map(|(_, shape)| *shape)
    }

    /// Notes what a column is like.
    pub(crate) fn set(&mut self, column: &Column, shape: Option<Shape>) {
        let hash = hash_of(column);
        match (self.0.iter().position(|(known, _)| *known == hash), shape) {
            (Some(place), Some(shape)) => {
                if let Some(known) = self.0.get_mut(place) {
                    known.1 = shape;
                }
            }
            (Some(place), None) => _ = self.0.swap_remove(place),
            (None, Some(shape)) => {
                // By a few at a time: thousands of devices keep theirs.
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(GROWTH);
                }
                self.0.push((hash, shape));
            }
            (None, None) => {}
        }
    }
}

/// Returns a number for a column. Should two have the same, less fitting questions are asked for them, and answered.
fn hash_of(column: &Column) -> u32 {
    column.oid.iter().fold(0x811c_9dc5, |hash: u32, arc| (hash ^ arc).wrapping_mul(0x0100_0193))
}
