//! The one-time token with which an agent enrols.
//!
//! Format: `onenet1-SECRET-AUTHORITY-CHECK`, all hexadecimal: 16 bytes of secret, the SHA-256 fingerprint of the centre's
//! certificate authority, and the first 4 bytes of the SHA-256 of what stands before, so that a mistyped or cut token is
//! told from a wrong one.
//!
//! Invariant: the secret cannot be printed by accident; the centre keeps only its hash.

use std::{fmt, str::FromStr};

use crate::tls::{self, Fingerprint, NoRandomness};

/// What every token of this format begins with.
const PREFIX: &str = "onenet1";

/// A one-time token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: [u8; 16],
    authority: Fingerprint,
}

/// The text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It does not begin as a token does.
    #[error("this is not an enrolment token: it must begin with {PREFIX}-; print a new one with `onenetd enrol SITE`")]
    NotAToken,
    /// Its parts are not what they must be.
    #[error("the enrolment token is incomplete or mistyped: copy it again as `onenetd enrol SITE` printed it")]
    Mistyped,
}

impl Token {
    /// Returns a new token for the centre of this authority.
    ///
    /// # Errors
    /// The system's random source does not answer.
    pub fn generate(authority: Fingerprint) -> Result<Self, NoRandomness> {
        Ok(Self { secret: tls::random()?, authority })
    }

    /// Returns the authority that the centre must present.
    pub const fn authority(&self) -> Fingerprint {
        self.authority
    }

    /// Returns the hash of the secret: what the centre stores, and finds the token by.
    pub fn secret_hash(&self) -> [u8; 32] {
        tls::sha256(&self.secret)
    }

    /// Returns the text, to be shown once to whoever asked for it.
    pub fn reveal(&self) -> String {
        let body = format!("{PREFIX}-{}-{}", hex(&self.secret), self.authority);
        let check = check(&body);
        format!("{body}-{check}")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_lowercase();
        if !text.starts_with(PREFIX) {
            return Err(InvalidToken::NotAToken);
        }
        let (body, sum) = text.rsplit_once('-').ok_or(InvalidToken::Mistyped)?;
        if sum != check(body) {
            return Err(InvalidToken::Mistyped);
        }
        let mut parts = body.split('-').skip(1);
        let secret = parts.next().and_then(from_hex).ok_or(InvalidToken::Mistyped)?;
        let authority = parts.next().and_then(from_hex).map(Fingerprint).ok_or(InvalidToken::Mistyped)?;
        if parts.next().is_some() { Err(InvalidToken::Mistyped) } else { Ok(Self { secret, authority }) }
    }
}

fn check(body: &str) -> String {
    let [a, b, c, d, ..] = tls::sha256(body.as_bytes());
    hex(&[a, b, c, d])
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// Returns the `N` bytes that `2 * N` hexadecimal digits stand for.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token { secret: [7; 16], authority: Fingerprint([9; 32]) }
    }

    #[test]
    fn a_token_survives_its_text_in_either_case_and_with_blanks_around() {
        let text = token().reveal();
        assert_eq!(text.parse(), Ok(token()));
        assert_eq!(format!("  {}\n", text.to_uppercase()).parse(), Ok(token()));
    }

    #[test]
    fn a_changed_or_cut_token_is_called_mistyped() {
        let text = token().reveal();
        for cut in 8..text.len() {
            assert_eq!(text[..cut].parse::<Token>(), Err(InvalidToken::Mistyped), "cut at {cut}");
        }
        let changed = text.replacen('7', "8", 1);
        assert_eq!(changed.parse::<Token>(), Err(InvalidToken::Mistyped));
    }

    #[test]
    fn another_text_is_called_no_token_and_the_remedy_is_named() {
        let error = "hunter2".parse::<Token>().unwrap_err();
        assert!(error.to_string().contains("onenetd enrol"), "{error}");
    }

    #[test]
    fn a_token_printed_for_debugging_does_not_show_its_secret() {
        let secret = hex(&token().secret);
        assert!(!format!("{:?}", token()).contains(&secret));
        assert!(token().reveal().contains(&secret));
    }
}
