//! How a host opens TCP connections: what its system chose without being asked.

use std::fmt;

/// The most options of an opening that are kept.
pub const OPTIONS_MAX: usize = 16;

/// The traits of an opening segment (SYN without ACK).
///
/// As text: initial time to live, window, largest segment, window scale (`-` where there is none) and the letters of the
/// options in order, joined by colons: `64:64240:1460:7:mstnw`. The letters: `m` largest segment, `s` selective
/// acknowledgement, `t` timestamps, `n` no operation, `w` window scale, `e` end, `?` another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TcpTraits {
    /// The time to live that the packet began with: 32, 64, 128 or 255.
    pub initial_ttl: u8,
    /// Receive window, unscaled.
    pub window: u16,
    /// Largest segment that it takes (RFC 9293), where it says.
    pub segment_max: Option<u16>,
    /// Window scale (RFC 7323), where it says.
    pub scale: Option<u8>,
    /// The options in order, each as its letter; filled up with zeros.
    pub options: [u8; OPTIONS_MAX],
}

impl TcpTraits {
    /// Returns the time to live that a packet probably began with, and how many routers it passed since.
    ///
    /// Systems begin with one of four values; routes are rarely longer than thirty hops.
    pub const fn initial_ttl(ttl: u8) -> (u8, u8) {
        let initial = match ttl {
            0..=32 => 32,
            33..=64 => 64,
            65..=128 => 128,
            129..=255 => 255,
        };
        (initial, initial - ttl)
    }

    /// Returns the letters of the options.
    pub fn letters(&self) -> &str {
        let end = self.options.iter().position(|letter| *letter == 0).unwrap_or(OPTIONS_MAX);
        self.options.get(..end).and_then(|letters| std::str::from_utf8(letters).ok()).unwrap_or_default()
    }

    /// Returns the traits that the text says; `None` when it is none.
    pub fn of(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut next = || parts.next();
        let (ttl, window, segment, scale, letters) = (next()?, next()?, next()?, next()?, next()?);
        let mut options = [0; OPTIONS_MAX];
        options.get_mut(..letters.len())?.copy_from_slice(letters.as_bytes());
        let traits = Self {
            initial_ttl: ttl.parse().ok()?,
            window: window.parse().ok()?,
            segment_max: optional(segment)?,
            scale: optional(scale)?,
            options,
        };
        next().is_none().then_some(traits)
    }
}

/// Reads a number that may be missing; `None` when it is neither.
#[expect(clippy::option_option, reason = "a text that is no number is not a number that is missing")]
fn optional<T: std::str::FromStr>(text: &str) -> Option<Option<T>> {
    if text == "-" { Some(None) } else { text.parse().ok().map(Some) }
}

impl fmt::Display for TcpTraits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.initial_ttl, self.window)?;
        match self.segment_max {
            Some(segment) => write!(f, "{segment}:")?,
            None => f.write_str("-:")?,
        }
        match self.scale {
            Some(scale) => write!(f, "{scale}:")?,
            None => f.write_str("-:")?,
        }
        f.write_str(self.letters())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_initial_time_to_live_is_the_next_that_systems_begin_with() {
        for (ttl, initial) in
            [(64, (64, 0)), (63, (64, 1)), (128, (128, 0)), (120, (128, 8)), (255, (255, 0)), (1, (32, 31))]
        {
            assert_eq!(TcpTraits::initial_ttl(ttl), initial);
        }
    }

    #[test]
    fn what_is_no_opening_is_refused() {
        for text in ["", "64", "64:1:2:3", "64:1:2:3:m:n", "x:1:2:3:m", "64:1:2:3:mmmmmmmmmmmmmmmmm", "300:1:2:3:m"] {
            assert_eq!(TcpTraits::of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn traits_are_read_back_as_they_were_written(
            ttl in any::<u8>(), window in any::<u16>(), segment in any::<Option<u16>>(), scale in any::<Option<u8>>(),
            letters in "[mstnwe?]{0,16}",
        ) {
            let mut options = [0; OPTIONS_MAX];
            options[..letters.len()].copy_from_slice(letters.as_bytes());
            let traits = TcpTraits { initial_ttl: ttl, window, segment_max: segment, scale, options };
            prop_assert_eq!(TcpTraits::of(&traits.to_string()), Some(traits));
            prop_assert_eq!(traits.letters(), letters);
        }
    }
}
