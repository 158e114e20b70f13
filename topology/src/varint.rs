//! Whole numbers in as few bytes as they need (LEB128), and bytes and texts behind their length, for what is kept in great numbers, in
//! files and in memory.
//!
//! Invariant: what was put is taken back as it was; bytes that are nothing of the kind give none.

/// Appends a number.
pub fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while let high @ 1.. = number >> 7 {
        bytes.push(0x80 | u8::try_from(number & 0x7f).unwrap_or_default());
        number = high;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

/// Takes a number from the front.
#[inline]
pub fn take(bytes: &mut &[u8]) -> Option<u64> {
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

/// Appends bytes with their length before them.
pub fn put_bytes(bytes: &mut Vec<u8>, it: &[u8]) {
    put(bytes, it.len() as u64);
    bytes.extend_from_slice(it);
}

/// Takes bytes with their length before them from the front.
#[inline]
pub fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take(bytes)?).ok()?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// Takes a text with its length before it from the front.
#[inline]
pub fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(take_bytes(bytes)?).ok()
}

/// Returns a number with a sign as one without, small where its distance from zero is.
pub const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

/// Returns the number that [`zigzag`] was given.
pub const fn unzigzag(number: u64) -> i64 {
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
        fn numbers_and_texts_are_taken_back_as_they_were(numbers in proptest::collection::vec(any::<u64>(), 0..9), signed: i64, text in ".{0,200}") {
            let mut bytes = Vec::new();
            for number in &numbers {
                put(&mut bytes, *number);
            }
            let mut rest = &bytes[..];
            let mut told = Vec::new();
            put_bytes(&mut told, text.as_bytes());
            prop_assert_eq!(take_text(&mut &told[..told.len() - 1]), None);
            prop_assert_eq!(take_text(&mut &told[..]), Some(text.as_str()));
            let taken: Vec<_> = std::iter::from_fn(|| take(&mut rest)).collect();
            prop_assert_eq!(taken, numbers);
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }
    }
}
