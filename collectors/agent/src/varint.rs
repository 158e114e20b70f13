//! Whole numbers in as few bytes as they need (LEB128), as the agent's files hold them.
//!
//! Invariant: what was put is taken back as it was; bytes that are no number give none.

/// Appends a number.
pub(crate) fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while let high @ 1.. = number >> 7 {
        bytes.push(0x80 | u8::try_from(number & 0x7f).unwrap_or_default());
        number = high;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

/// Takes a number from the front.
#[inline]
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    if first & 0x80 == 0 { Some(u64::from(*first)) } else { take_more(u64::from(first & 0x7f), bytes) }
}

fn take_more(mut number: u64, bytes: &mut &[u8]) -> Option<u64> {
    for shift in (7..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Returns a number with a sign as one without, small where its distance from zero is.
pub(crate) const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

/// Returns the number that [`zigzag`] was given.
pub(crate) const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_breaks_off_or_does_not_end_is_no_number() {
        assert_eq!(take(&mut &[][..]), None);
        assert_eq!(take(&mut &[0x80][..]), None);
        assert_eq!(take(&mut &[0xff; 11][..]), None);
    }

    proptest! {
        #[test]
        fn numbers_are_taken_back_as_they_were(numbers in proptest::collection::vec(any::<u64>(), 0..9), signed: i64) {
            let mut bytes = Vec::new();
            for number in &numbers {
                put(&mut bytes, *number);
            }
            let mut rest = &bytes[..];
            let taken: Vec<_> = std::iter::from_fn(|| take(&mut rest)).collect();
            prop_assert_eq!(taken, numbers);
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }
    }
}
