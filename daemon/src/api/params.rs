//! Query parameters: each read by name, with an error that names it and says what to write.

use std::ops::RangeInclusive;

use axum::{extract::FromRequestParts, http::request::Parts};
use onenet_topology::Timestamp;

use super::Problem;

/// Entries of a page when the caller does not say.
pub(super) const LIMIT_DEFAULT: usize = 100;
/// The most entries of a page.
pub(super) const LIMIT_MAX: usize = 1000;
/// The most parameters of a request.
const PARAMETERS_MAX: usize = 32;

/// The query parameters of a request; what nobody asked for is an error of [`Params::finish`].
#[derive(Debug)]
pub struct Params {
    given: Vec<(String, String)>,
    asked: Vec<&'static str>,
}

impl Params {
    /// Takes a query string apart (URL Standard, application/x-www-form-urlencoded).
    ///
    /// # Errors
    /// There are too many parameters, or one is there twice.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut given: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name), decode(value));
            if given.iter().any(|(known, _)| *known == name) {
                return Err(Problem::parameter(&name, "is there twice: give it once"));
            }
            if given.len() == PARAMETERS_MAX {
                return Err(Problem::parameter(&name, format!("is one of more than {PARAMETERS_MAX}: give fewer")));
            }
            given.push((name, value));
        }
        Ok(Self { given, asked: Vec::new() })
    }

    /// Returns a text; an empty one counts as not given.
    pub fn text(&mut self, name: &'static str) -> Option<&str> {
        self.asked.push(name);
        let (_, value) = self.given.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// Returns a text of at most `chars_max` characters.
    ///
    /// # Errors
    /// It is longer.
    pub fn short_text(&mut self, name: &'static str, chars_max: usize) -> Result<Option<String>, Problem> {
        match self.text(name) {
            Some(text) if text.chars().count() > chars_max => {
                Err(Problem::parameter(name, format!("is longer than {chars_max} characters: shorten it")))
            }
            text => Ok(text.map(str::to_owned)),
        }
    }

    /// Returns a whole number within `range`.
    ///
    /// # Errors
    /// It is none, or out of range.
    pub fn number(&mut self, name: &'static str, range: RangeInclusive<usize>) -> Result<Option<usize>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            let detail =
                format!("{text:?} cannot be used: write a whole number from {} to {}", range.start(), range.end());
            Problem::parameter(name, detail)
        })
    }

    /// Returns the parameter `limit`, or its default.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn limit(&mut self) -> Result<usize, Problem> {
        Ok(self.number("limit", 1..=LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT))
    }

    /// Returns true or false.
    ///
    /// # Errors
    /// It is neither.
    pub fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Problem::parameter(name, format!("{other:?} cannot be used: write true or false"))),
        }
    }

    /// Returns a point in time.
    ///
    /// # Errors
    /// It is none.
    pub fn time(&mut self, name: &'static str) -> Result<Option<Timestamp>, Problem> {
        self.parsed(name)
    }

    /// Returns the moment from which something holds: a point in time, or a day.
    ///
    /// # Errors
    /// It is neither.
    pub fn day(&mut self, name: &'static str) -> Result<Option<Timestamp>, Problem> {
        let day = self.text(name).map(Timestamp::from_day_or_time).transpose();
        day.map_err(|error| Problem::parameter(name, error.to_string()))
    }

    /// Returns a value that parses from text, whose error says what to write.
    ///
    /// # Errors
    /// It does not parse.
    pub fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|error: T::Err| Problem::parameter(name, error.to_string()))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A parameter was given that nobody asked for.
    pub fn finish(self) -> Result<(), Problem> {
        match self.given.iter().find(|(name, _)| !self.asked.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let known = if self.asked.is_empty() {
                    "there are none here".to_owned()
                } else {
                    format!("known here are {}", self.asked.join(", "))
                };
                Err(Problem::parameter(name, format!("is not known: {known}")))
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

/// Undoes percent encoding and `+`; what is not UTF-8 becomes the replacement character.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.first_chunk::<2>().and_then(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Encodes a text as a value of a query or a path segment (RFC 3986, 2.3).
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_its_encoding() {
        for text in ["", "a b+c", "华为 00:1b", "%zz", "100%"] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(decode("%zz+%4"), "%zz %4");
    }

    #[test]
    fn each_error_names_the_parameter_and_what_to_write() {
        let mut params = Params::parse("limit=ten&colour=red").unwrap();
        let problem = params.limit().unwrap_err();
        assert_eq!(problem.parameter.as_deref(), Some("limit"));
        assert!(problem.detail.contains("1 to 1000"), "{}", problem.detail);
        let problem = params.finish().unwrap_err();
        assert_eq!(problem.parameter.as_deref(), Some("colour"));
        assert!(problem.detail.contains("known here are limit"), "{}", problem.detail);
        assert_eq!(Params::parse("a=1&a=2").unwrap_err().parameter.as_deref(), Some("a"));
    }
}
