//! Secrets and their hashes.
//!
//! Invariant: a [`Secret`] cannot be printed, compared, copied or serialised; it is shown once, by [`Secret::expose`],
//! when it is made. Only its SHA-256 is kept. A secret has 256 random bits, so that a plain hash needs neither salt nor
//! stretching, and looking a hash up tells nothing of use through its timing.

use std::fmt;

pub use onenet_wire::tls::NoRandomness;
use onenet_wire::tls::{random, sha256};
use serde::{Deserialize, Serialize};

/// Bytes of a secret.
const SECRET_BYTES: usize = 32;
/// In front of each secret, so that scanners for leaked credentials can recognise one.
const PREFIX: &str = "onenet_";

/// Something that lets whoever shows it in.
pub struct Secret(String);

/// The SHA-256 of a [`Secret`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SecretHash([u8; 32]);

impl Secret {
    /// Returns the secret that somebody presents.
    pub fn presented(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Returns the text, to be shown or sent once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the hash under which it is known.
    pub fn hash(&self) -> SecretHash {
        SecretHash(sha256(self.0.as_bytes()))
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// Returns a new secret of 256 random bits.
///
/// # Errors
/// Fails when the operating system gives no random bytes.
pub fn random_secret() -> Result<Secret, NoRandomness> {
    use fmt::Write as _;
    let bytes = random::<SECRET_BYTES>()?;
    let mut text = String::with_capacity(PREFIX.len() + 2 * SECRET_BYTES);
    text.push_str(PREFIX);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(Secret(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_carry_256_bits() {
        let (one, other) = (random_secret().unwrap(), random_secret().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), "onenet_".len() + 64);
        assert_eq!(one.hash(), Secret::presented(&format!(" {}\n", one.expose())).hash());
        assert_ne!(one.hash(), other.hash());
    }

    #[test]
    fn the_hash_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        let expected = [
            0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03,
            0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
        ];
        assert_eq!(Secret::presented("abc").hash(), SecretHash(expected));
    }

    /// Fails to compile, by ambiguity, as soon as `Secret` implements one of these.
    #[test]
    fn a_secret_cannot_be_printed_compared_copied_or_serialised() {
        trait Ambiguous<A> {
            fn proof() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        macro_rules! never {
            ($($bound:path),*) => {$({
                struct Marker;
                impl<T: ?Sized + $bound> Ambiguous<Marker> for T {}
                let _ = <Secret as Ambiguous<_>>::proof;
            })*};
        }
        never!(fmt::Debug, fmt::Display, Clone, PartialEq, serde::Serialize);
    }
}
