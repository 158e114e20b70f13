//! Which runs of four bytes occur in a text, so that most texts need not be looked through for a part that they have not.
//!
//! A Bloom filter of one hash: of the bits, two to four a byte of the text, less than two fifths are set, and a MAC address has nine
//! runs. It never denies what is there.

/// Bytes of a run: the shortest part of a MAC address or a name that people look for by itself.
const RUN: usize = 4;
/// Knuth's multiplicative hash: the golden ratio's part of 2^32.
const SPREAD: u32 = 0x9e37_79b1;

/// The runs of one text.
#[derive(Debug)]
pub(super) struct Grams {
    /// As many bits as a power of two.
    bits: Box<[u32]>,
}

impl Default for Grams {
    fn default() -> Self {
        Self::of(&[])
    }
}

impl Grams {
    /// Returns the runs of a text within its lines.
    pub(super) fn of(text: &[u8]) -> Self {
        let bits = (2 * text.len()).next_power_of_two().max(64);
        let mut made = Self { bits: vec![0; bits / 32].into() };
        for run in text.windows(RUN).filter(|run| !run.contains(&b'\n')) {
            let (word, bit) = made.place(run);
            if let Some(word) = made.bits.get_mut(word) {
                *word |= bit;
            }
        }
        made
    }

    /// Returns whether a part without line breaks may occur in the text; always so where it is shorter than a run.
    pub(super) fn may_hold(&self, part: &[u8]) -> bool {
        part.windows(RUN).all(|run| {
            let (word, bit) = self.place(run);
            self.bits.get(word).is_some_and(|word| word & bit != 0)
        })
    }

    /// Returns the word and the bit of a run.
    fn place(&self, run: &[u8]) -> (usize, u32) {
        let value = run.iter().fold(0, |value: u32, byte| (value << 8) | u32::from(*byte));
        // The upper bits are the ones that all of the run went into; there are at most 2^31 bits, as texts are far shorter than 1 GiB.
        let place = value.wrapping_mul(SPREAD) >> (32 - (self.bits.len() * 32).ilog2().min(31));
        ((place / 32) as usize, 1 << (place % 32))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_part_of_a_line_may_be_there(lines in "([a-f0-9.]{1,20}\n){0,200}", from in 0_usize..4_000, length in 0_usize..20) {
            let text = lines.as_bytes();
            let part = text.get(from..).unwrap_or_default();
            let part = part.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let part = part.get(..length).unwrap_or(part);
            prop_assert!(Grams::of(text).may_hold(part));
        }
    }

    #[test]
    fn of_a_thousand_addresses_that_are_not_there_few_may_be_there() {
        let text = |from: u32| (from..from + 1_000).map(|n| format!("{:012x}\n", u64::from(n) * 0x1234_5678_9ab1));
        let grams = Grams::of(text(1).collect::<String>().as_bytes());
        let may = text(100_000).filter(|mac| grams.may_hold(mac.trim_end().as_bytes())).count();
        assert!(may < 20, "{may}");
    }
}
