//! Rows of numbers, each told by how it differs from the one before: for what is kept day by day of thousands of sites, most of which have
//! days like the days before.
//!
//! Invariant: what was packed is taken back as it was; bytes that are nothing of the kind give no more rows.

use crate::varint;

/// Packs rows of up to 64 numbers: a byte or two for one that is like the one before it, whatever stands in it.
pub fn pack<const N: usize>(rows: impl IntoIterator<Item = [u64; N]>) -> Vec<u8> {
    const { assert!(N <= 64, "which numbers differ is told by the bits of one") };
    let (mut bytes, mut before) = (Vec::new(), [0; N]);
    for row in rows {
        let differing = || row.iter().zip(&before).enumerate().filter(|(_, (new, old))| new != old);
        varint::put(&mut bytes, differing().fold(0, |bits, (place, _)| bits | 1 << place));
        for (_, (new, old)) in differing() {
            varint::put(&mut bytes, varint::zigzag(new.wrapping_sub(*old).cast_signed()));
        }
        before = row;
    }
    bytes
}

/// Takes rows back that were packed with as many numbers each.
pub fn rows<const N: usize>(mut bytes: &[u8]) -> impl Iterator<Item = [u64; N]> {
    let mut row = [0_u64; N];
    std::iter::from_fn(move || {
        let bits = varint::take(&mut bytes)?;
        for (_, number) in row.iter_mut().enumerate().filter(|(place, _)| bits >> place & 1 == 1) {
            *number = number.wrapping_add(varint::unzigzag(varint::take(&mut bytes)?).cast_unsigned());
        }
        Some(row)
    })
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn a_row_like_the_one_before_takes_a_byte() {
        let same = [7, u64::MAX, 0];
        assert_eq!(pack(vec![same; 31]).len(), pack([same]).len() + 30);
        assert_eq!(rows::<3>(&pack(vec![same; 31])).collect::<Vec<_>>(), [same; 31]);
    }

    #[test]
    fn what_breaks_off_gives_the_rows_before_it() {
        let bytes = pack([[1, 2], [1, 300]]);
        assert_eq!(rows::<2>(&bytes[..bytes.len() - 1]).collect::<Vec<_>>(), [[1, 2]]);
    }

    proptest! {
        #[test]
        fn rows_are_taken_back(packed in vec(any::<[u64; 5]>(), 0..20), bytes in vec(any::<u8>(), 0..99)) {
            prop_assert_eq!(rows::<5>(&pack(packed.clone())).collect::<Vec<_>>(), packed);
            prop_assert!(rows::<5>(&bytes).count() <= bytes.len());
        }
    }
}
