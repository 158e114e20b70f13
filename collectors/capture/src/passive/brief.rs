//! Text of at most 255 bytes, put together without an allocation.

use std::fmt;

use super::text::OCTETS_MAX;

/// A text in the making. What does not fit is left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brief {
    octets: [u8; OCTETS_MAX],
    length: usize,
}

impl Default for Brief {
    fn default() -> Self {
        Self { octets: [0; OCTETS_MAX], length: 0 }
    }
}

impl Brief {
    /// Returns the text of the parts, `separator` between them.
    pub(super) fn joined<'p>(parts: impl IntoIterator<Item = &'p [u8]>, separator: &[u8]) -> Self {
        let mut text = Self::default();
        for part in parts {
            if text.length > 0 {
                text.push(separator);
            }
            text.push(part);
        }
        text
    }

    /// Returns what `arguments` write.
    pub(super) fn written(arguments: fmt::Arguments<'_>) -> Self {
        let mut text = Self::default();
        // What does not fit is left out.
        let _ = fmt::Write::write_fmt(&mut text, arguments);
        text
    }

    pub(super) fn push(&mut self, more: &[u8]) {
        let room = self.octets.get_mut(self.length..).unwrap_or_default();
        let fits = more.get(..room.len()).unwrap_or(more);
        if let Some(room) = room.get_mut(..fits.len()) {
            room.copy_from_slice(fits);
            self.length += fits.len();
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

impl fmt::Write for Brief {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out() {
        let long = [b'x'; 300];
        assert_eq!(Brief::joined([&long[..]], b".").as_bytes().len(), OCTETS_MAX);
        assert_eq!(Brief::joined([&b"a"[..], b"b", b"c"], b".").as_bytes(), b"a.b.c");
        assert_eq!(Brief::written(format_args!("{}:{}", 1, "x")).as_bytes(), b"1:x");
    }
}
