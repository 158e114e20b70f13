//! Chance that can be repeated.

/// A small generator (xorshift64*), good enough to choose ports and rows.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// Returns dice with a seed.
    pub fn new(seed: u64) -> Self {
        // Seeds are small numbers that differ in few bits.
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// Returns a number in `0..bound`, 0 when the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        // The low bits are the weakest of this generator.
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16).checked_rem(bound).unwrap_or(0)
    }

    /// Returns whether something happens that happens `percent` times in a hundred.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Returns a place in a list of this length.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// Puts a list in any order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.place(last + 1);
            list.swap(last, other);
        }
    }
}
