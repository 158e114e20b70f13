//! A cursor over borrowed bytes, for formats that are read once from front to back.
//!
//! Invariant: it never reads outside what it was given; what is not there is `None`.

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes `count` bytes.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Takes `count` bytes, or as many as there are.
    pub(super) fn take_most(&mut self, count: usize) -> &'a [u8] {
        self.take(count.min(self.0.len())).unwrap_or_default()
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn be16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn be24(&mut self) -> Option<usize> {
        let [a, b, c] = self.array()?;
        usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()
    }

    pub(super) fn be32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn le16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn le32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Takes what a byte before it gives the length of.
    pub(super) fn counted8(&mut self) -> Option<Reader<'a>> {
        let mut after = *self;
        let length = after.u8()?;
        let taken = after.take(length.into())?;
        *self = after;
        Some(Self(taken))
    }

    /// Takes what two bytes before it give the length of.
    pub(super) fn counted16(&mut self) -> Option<Reader<'a>> {
        let mut after = *self;
        let length = after.be16()?;
        let taken = after.take(length.into())?;
        *self = after;
        Some(Self(taken))
    }
}

/// Returns the first line without its end, and what follows; all of it when no line ends.
pub(super) fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|&byte| byte == b'\n') {
        Some(at) => {
            let (line, rest) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
            (line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default())
        }
        None => (bytes, &[]),
    }
}

/// Returns the decimal number that all of the bytes are.
pub(super) fn decimal(digits: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(digits).ok()?;
    text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Returns what lies before `mark`, and what after.
pub(super) fn split_once(bytes: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == mark)?;
    let (before, after) = bytes.split_at_checked(at)?;
    Some((before, after.get(1..)?))
}

/// Returns whether `bytes` begin with `word`, whatever the case of its letters.
pub(super) fn begins(bytes: &[u8], word: &[u8]) -> bool {
    bytes.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

/// Returns where `needle` begins in `bytes`.
pub(super) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len().max(1)).position(|window| window == needle)
}

/// Returns whether `needle` is in `bytes`.
pub(super) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    find(bytes, needle).is_some()
}

/// Returns what follows `before`, up to `after`.
pub(super) fn between<'a>(bytes: &'a [u8], before: &[u8], after: &[u8]) -> Option<&'a [u8]> {
    let start = find(bytes, before)?.checked_add(before.len())?;
    let rest = bytes.get(start..)?;
    rest.get(..find(rest, after)?)
}

/// Returns text that is in little-endian UTF-16, of a length that a detail can hold.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok()).map(u16::from_le_bytes);
    char::decode_utf16(units.take(255)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Returns whether a text is letters, digits and punctuation, with white space between.
pub(super) fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte >= 0x20 && byte != 0x7f || matches!(byte, b'\t' | b'\r' | b'\n'))
}
