//! Figures day by day, each day told by how it differs from the one before: for what is kept of thousands of sites, most of which have days like
//! the days before.
//!
//! Invariant: what was packed is taken back as it was; bytes that are nothing of the kind give no more days.

use crate::varint;

/// The lowest bit in front of a day says that it does not follow the one before, the others which figures differ.
const SKIPS: u64 = 1;

/// Packs up to 63 figures of each day, days as numbers: a byte or two for one that follows the day before and is like it.
pub fn pack<const N: usize>(days: impl IntoIterator<Item = (i32, [u64; N])>) -> Vec<u8> {
    const { assert!(N <= 63, "which figures differ is told by the bits of one number") };
    let (mut bytes, mut next, mut before) = (Vec::new(), 0, [0; N]);
    for (day, figures) in days {
        let skipped = i64::from(day) - next;
        let differing = || figures.iter().zip(&before).enumerate().filter(|(_, (new, old))| new != old);
        let skips = if skipped == 0 { 0 } else { SKIPS };
        varint::put(&mut bytes, differing().fold(skips, |bits, (place, _)| bits | SKIPS << (place + 1)));
        if skipped != 0 {
            varint::put(&mut bytes, varint::zigzag(skipped));
        }
        for (_, (new, old)) in differing() {
            varint::put(&mut bytes, varint::zigzag(new.wrapping_sub(*old).cast_signed()));
        }
        (next, before) = (i64::from(day) + 1, figures);
    }
    bytes
}

/// Takes back days that were packed with as many figures each.
pub fn days<const N: usize>(mut bytes: &[u8]) -> impl Iterator<Item = (i32, [u64; N])> {
    let (mut next, mut figures) = (0_i64, [0_u64; N]);
    std::iter::from_fn(move || {
        let bits = varint::take(&mut bytes)?;
        if bits & SKIPS != 0 {
            next = next.checked_add(varint::unzigzag(varint::take(&mut bytes)?))?;
        }
        for (_, figure) in figures.iter_mut().enumerate().filter(|(place, _)| bits >> (place + 1) & 1 == 1) {
            *figure = figure.wrapping_add(varint::unzigzag(varint::take(&mut bytes)?).cast_unsigned());
        }
        let day = i32::try_from(next).ok()?;
        next += 1;
        Some((day, figures))
    })
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn a_day_like_the_one_before_takes_a_byte() {
        let month: Vec<_> = (20_000..20_031).map(|day| (day, [7, u64::MAX, 0])).collect();
        let packed = pack(month.clone());
        assert_eq!(packed.len(), pack([month[0]]).len() + 30);
        assert_eq!(days::<3>(&packed).collect::<Vec<_>>(), month);
    }

    #[test]
    fn what_breaks_off_gives_the_days_before_it() {
        let bytes = pack([(5, [1, 2]), (9, [1, 300])]);
        assert_eq!(days::<2>(&bytes[..bytes.len() - 1]).collect::<Vec<_>>(), [(5, [1, 2])]);
    }

    proptest! {
        #[test]
        fn days_are_taken_back(packed in vec(any::<(i32, [u64; 5])>(), 0..20), bytes in vec(any::<u8>(), 0..99)) {
            prop_assert_eq!(days::<5>(&pack(packed.clone())).collect::<Vec<_>>(), packed);
            prop_assert!(days::<5>(&bytes).count() <= bytes.len());
        }
    }
}
