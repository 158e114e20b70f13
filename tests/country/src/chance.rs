//! Numbers that look like chance and follow from a seed, without a state: any of them can be asked for again.

/// Returns a number that follows from the seed and what it is asked for (splitmix64 over each word).
pub(crate) fn of(seed: u64, words: &[u64]) -> u64 {
    words.iter().fold(mix(seed), |state, word| mix(state ^ mix(*word)))
}

/// Returns a number in `0..bound`, 0 when the bound is 0.
pub(crate) fn below(bound: u64, seed: u64, words: &[u64]) -> u64 {
    of(seed, words).checked_rem(bound).unwrap_or(0)
}

/// Returns whether something happens that happens once in `times`.
pub(crate) fn once_in(times: u64, seed: u64, words: &[u64]) -> bool {
    below(times, seed, words) == 0
}

const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
