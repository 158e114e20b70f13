//! Numbers that look like chance, for what is simulated.
//!
//! Invariant: the same text gives the same numbers at every start.

use onenet_topology::MacAddr;

/// Numbers that look like chance and follow from a seed (xorshift64*).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn of(text: &str) -> Self {
        // FNV-1a, so that near codes give distant numbers.
        let hash = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(hash | 1)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound.max(1)
    }

    pub(super) fn mac(&mut self, prefix: [u8; 3]) -> MacAddr {
        let mut octets = [0; 6];
        let (vendor, card) = octets.split_at_mut(3);
        vendor.copy_from_slice(&prefix);
        let [.., high, middle, low] = self.below(1 << 24).to_be_bytes();
        card.copy_from_slice(&[high, middle, low]);
        MacAddr(octets)
    }

    pub(super) fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(u64::try_from(bound).unwrap_or(1))).unwrap_or_default()
    }
}
