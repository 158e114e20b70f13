//! Rows of samples as they lie in files: a key, a value, and the length of each in front.

/// Bytes in front of a row: `key:2 value:4`.
pub(super) const HEAD_BYTES: usize = 6;

/// The lengths of a row's key and value.
pub(super) fn lengths(head: [u8; HEAD_BYTES]) -> (usize, usize) {
    let [k0, k1, v0, v1, v2, v3] = head;
    let value = usize::try_from(u32::from_be_bytes([v0, v1, v2, v3])).unwrap_or(usize::MAX);
    (usize::from(u16::from_be_bytes([k0, k1])), value)
}

/// Adds a row. One that no file could hold is left out, and `false` returned: keys are far shorter than 64 KiB, and values than 4 GiB.
pub(super) fn put(bytes: &mut Vec<u8>, key: &[u8], value: &[u8]) -> bool {
    let (Ok(key_len), Ok(value_len)) = (u16::try_from(key.len()), u32::try_from(value.len())) else { return false };
    bytes.extend_from_slice(&key_len.to_be_bytes());
    bytes.extend_from_slice(&value_len.to_be_bytes());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(value);
    true
}

/// A row, where it began, and what is behind it.
pub(super) struct Split<'r> {
    pub(super) key: &'r [u8],
    pub(super) value: &'r [u8],
    pub(super) rest: &'r [u8],
}

/// Returns the first row of `bytes`; `None` where there is no whole one.
pub(super) fn split(bytes: &[u8]) -> Option<Split<'_>> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let (key, value) = lengths(*head);
    let (key, rest) = rest.split_at_checked(key)?;
    let (value, rest) = rest.split_at_checked(value)?;
    Some(Split { key, value, rest })
}

/// Returns the rows of `bytes`, as far as they are whole.
pub(super) fn all(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let Split { key, value, rest } = split(bytes)?;
        bytes = rest;
        Some((key, value))
    })
}
