//! Chance that can be repeated: each scenario prints its seed, and `ONENET_SEED` brings the same run back.

use crate::{clock, report};

/// A small generator (xorshift64*), good enough to choose moments and addresses.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// Returns dice with the seed of `ONENET_SEED`, else a new one, and prints it.
    pub fn new() -> Self {
        let given = std::env::var("ONENET_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| clock::unix_ms().unsigned_abs());
        report::note(format_args!("seed: ONENET_SEED={seed}"));
        Self { state: seed | 1 }
    }

    /// Returns a number in `0..bound`, 0 when the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        // The low bits are the weakest of this generator.
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16).checked_rem(bound).unwrap_or(0)
    }

    /// Returns a MAC address as a privacy-minded phone makes it up: locally administered, unicast.
    pub fn random_mac(&mut self) -> onenet_topology::MacAddr {
        let number = self.below(1 << 48).to_be_bytes();
        let mut octets = [0; 6];
        octets.copy_from_slice(&number[2..]);
        octets[0] = octets[0] & 0xfc | 0x02;
        onenet_topology::MacAddr(octets)
    }
}

impl Default for Dice {
    fn default() -> Self {
        Self::new()
    }
}
