//! Chance that can be repeated, for judges: also for that of the centre (`daemon/examples/judge_centre`).

/// Chance that can be repeated (xorshift64*).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.number() % u64::from(bound.max(1))).unwrap_or(0)
    }

    pub fn port(&mut self) -> u16 {
        u16::try_from(32_768 + self.below(28_000)).unwrap_or(40_000)
    }

    /// Returns whether something of so many in a thousand happens.
    pub fn permille(&mut self, chance: u32) -> bool {
        self.below(1_000) < chance
    }
}
