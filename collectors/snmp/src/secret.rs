//! A secret: a community or a pass phrase.
//!
//! Invariant: it cannot be printed, compared, hashed or serialised; the checks below prove it. It does not protect memory: whoever can read the process can read the secret.

use std::fmt;

/// A secret text that is shown as `[redacted]`.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Returns the secret, for the engine that has to use it.
    pub(crate) fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// Returns the secret with `text` after it.
    pub(crate) fn with_suffix(&self, text: &str) -> Self {
        Self([&self.0, text.as_bytes()].concat().into())
    }

    /// Returns the length in bytes, which configuration checks need.
    pub fn length(&self) -> usize {
        self.0.len()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Proves at compile time that `$type` does not implement `$trait`: if it did, the call below would be ambiguous.
#[cfg(test)]
macro_rules! assert_not_implemented {
    ($type:ty: $($trait:path),+) => {$({
        trait AmbiguousIfImplemented<Marker> { fn probe() {} }
        impl<T: ?Sized> AmbiguousIfImplemented<()> for T {}
        struct Implemented;
        impl<T: ?Sized + $trait> AmbiguousIfImplemented<Implemented> for T {}
        let _ = <$type as AmbiguousIfImplemented<_>>::probe;
    })+};
}
#[cfg(test)]
pub(crate) use assert_not_implemented;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_cannot_be_printed_compared_hashed_or_serialised() {
        assert_not_implemented!(Secret: std::fmt::Display, PartialEq, PartialOrd, std::hash::Hash, serde::Serialize);
        assert_eq!(format!("{:?}", Secret::from("kept apart")), "[redacted]");
    }
}
