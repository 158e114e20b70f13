//! The key by which STAMP packets are believed (RFC 8762, section 4.4).
//!
//! Invariant: it cannot be printed, compared or serialised. Codes are compared in constant time.

use std::fmt;

use ring::hmac;

/// The fewest bytes of a key: fewer can be guessed.
const KEY_BYTES_MIN: usize = 16;

/// Bytes of a code: HMAC-SHA-256 truncated to 128 bits.
pub(crate) const CODE_BYTES: usize = 16;

/// A shared key.
#[derive(Clone)]
pub struct Key(hmac::Key);

/// The text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("has {0} bytes: a key has at least {KEY_BYTES_MIN}")]
pub struct KeyError(pub usize);

impl Key {
    /// Returns the key of these bytes.
    ///
    /// # Errors
    /// There are too few.
    pub fn new(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < KEY_BYTES_MIN {
            return Err(KeyError(secret.len()));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// Returns the code of what was said.
    pub(crate) fn code(&self, said: &[u8]) -> [u8; CODE_BYTES] {
        let mut code = [0; CODE_BYTES];
        for (to, from) in code.iter_mut().zip(hmac::sign(&self.0, said).as_ref()) {
            *to = *from;
        }
        code
    }

    /// Returns whether this is the code of what was said.
    pub(crate) fn verifies(&self, said: &[u8], code: &[u8]) -> bool {
        let differences = self.code(said).iter().zip(code).fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
        code.len() == CODE_BYTES && differences == 0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_first_half_of_hmac_sha_256() {
        // RFC 4231, test case 6: a key longer than a block.
        let key = Key::new(&[0xaa; 131]).unwrap();
        let said = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let code = [0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f, 0x0d, 0x8a, 0x26, 0xaa, 0xcb, 0xf5, 0xb7, 0x7f];
        assert_eq!(key.code(said), code);
        assert!(key.verifies(said, &code) && !key.verifies(b"something else", &code));
        assert!(!key.verifies(said, &code[..15]) && !key.verifies(said, b""));
    }

    #[test]
    fn a_key_is_never_shown_and_never_short() {
        assert_eq!(format!("{:?}", Key::new(b"0123456789abcdef").unwrap()), "[redacted]");
        assert_eq!(Key::new(b"short").unwrap_err(), KeyError(5));
    }
}
