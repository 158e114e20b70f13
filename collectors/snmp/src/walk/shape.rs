//! What the columns of a device were like when they were last read: how many rows, how large.
//!
//! Invariant: it only decides what is asked for together, never what is read: a column that has grown is read on, one that
//! was absent is asked for each time. It takes 12 bytes a column, 4 one that is absent, since a session of each device keeps it.

use super::Column;

/// For how many more columns room is made at once.
const GROWTH: usize = 8;

/// The columns of a device, as they were.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapes {
    known: Vec<(u32, Shape)>,
    /// Those without a row, which most are of what is asked for.
    absent: Vec<u32>,
}

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
        let known = self.known.iter().find(|(known, _)| *known == hash).map(|(_, shape)| *shape);
        known.or_else(|| self.absent.contains(&hash).then_some(Shape::ABSENT))
    }

    /// Notes what a column is like.
    pub(crate) fn set(&mut self, column: &Column, shape: Option<Shape>) {
        let hash = hash_of(column);
        let known = self.known.iter_mut().find(|(known, _)| *known == hash);
        if let (Some(known), Some(shape)) = (known, shape.filter(|shape| *shape != Shape::ABSENT)) {
            known.1 = shape;
            return;
        }
        if shape == Some(Shape::ABSENT) && self.absent.contains(&hash) {
            return;
        }
        self.known.retain(|(known, _)| *known != hash);
        self.absent.retain(|known| *known != hash);
        match shape {
            Some(Shape::ABSENT) => push(&mut self.absent, hash),
            Some(shape) => push(&mut self.known, (hash, shape)),
            None => {}
        }
    }
}

impl Shape {
    /// That of a column without a row.
    const ABSENT: Self = Self { rows: 0, cell_bytes: 0 };
}

/// Adds one, and room by a few at a time: thousands of devices keep theirs.
fn push<T>(to: &mut Vec<T>, one: T) {
    if to.len() == to.capacity() {
        to.reserve_exact(GROWTH);
    }
    to.push(one);
}

/// Returns a number for a column. Should two have the same, less fitting questions are asked for them, and answered.
fn hash_of(column: &Column) -> u32 {
    column.oid.iter().fold(0x811c_9dc5, |hash: u32, arc| (hash ^ arc).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] = [Column { name: "one", oid: &[1, 3, 1] }, Column { name: "other", oid: &[1, 3, 2] }];

    #[test]
    fn a_column_is_as_it_was_noted_last() {
        let mut shapes = Shapes::default();
        let [one, other] = &COLUMNS;
        let some = Shape { rows: 3, cell_bytes: 20 };
        shapes.set(other, Some(some));
        for shape in [None, Some(Shape::ABSENT), Some(some), Some(Shape { rows: 4, ..some }), Some(Shape::ABSENT), None]
        {
            for _ in 0..2 {
                shapes.set(one, shape);
                assert_eq!((shapes.get(one), shapes.get(other)), (shape, Some(some)));
            }
        }
        assert_eq!((shapes.known.len(), shapes.absent.len()), (1, 0));
    }
}
