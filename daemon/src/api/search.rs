//! What a search for endpoints means: any part of a MAC address in any notation, an IP address, a host name, a vendor.
//!
//! Invariant: pure; whether an endpoint may be found at all is decided before it gets here.

use memchr::memmem::Finder;
use onenet_topology::endpoint::Endpoint;

/// Longest query in characters.
pub(crate) const QUERY_CHARS_MAX: usize = 100;

/// A query, taken apart once and compared with many endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    text: String,
    mac: Option<MacPart>,
}

/// Part of a MAC address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MacPart {
    /// Hexadecimal digits in lower case.
    digits: String,
    /// Whether the first digit begins a byte, as it does behind and in front of separators.
    aligned: bool,
}

impl Query {
    /// Takes a query apart. Blanks around it do not count; an empty query matches everything.
    pub(crate) fn new(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        Self { mac: MacPart::of(&text), text }
    }

    /// Returns whether it matches everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the parts of which each endpoint that it matches is called by one ([`crate::estate::Words`]).
    pub(crate) fn parts(&self) -> Vec<Finder<'static>> {
        let digits = self.mac.as_ref().map(|part| part.digits.as_str()).filter(|digits| *digits != self.text);
        [Some(self.text.as_str()), digits].into_iter().flatten().map(|part| Finder::new(part).into_owned()).collect()
    }

    /// Returns whether it matches the endpoint.
    pub(crate) fn matches(&self, endpoint: &Endpoint) -> bool {
        self.is_empty()
            || self.mac.as_ref().is_some_and(|part| part.is_in(endpoint.mac.0))
            || endpoint.hostname().is_some_and(|name| contains(name, &self.text))
            || endpoint.vendor().is_some_and(|vendor| contains(vendor, &self.text))
            || endpoint.evidence.bindings().any(|address| address.ip.to_string().contains(&self.text))
    }
}

fn contains(text: &str, lower: &str) -> bool {
    text.to_lowercase().contains(lower)
}

impl MacPart {
    /// Returns the part that a text can mean: bare digits, pairs joined by `:` or `-`, or Cisco's and Huawei's groups of
    /// four joined by `.` or `-`. `None` for what can be no part of a MAC address, such as `10.20.30.40`.
    fn of(text: &str) -> Option<Self> {
        let groups: Vec<&str> = text.split([':', '-', '.']).collect();
        if !groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return None;
        }
        let digits: String = groups.concat();
        if digits.is_empty() || digits.len() > 12 {
            return None;
        }
        if let [_] = groups.as_slice() {
            return Some(Self { digits, aligned: false });
        }
        // The first and the last group may be cut; those between are whole.
        let whole = if groups.iter().any(|group| group.len() > 2) { 4 } else { 2 };
        let inner = groups.get(1..groups.len() - 1).unwrap_or_default();
        let ends = [groups.first(), groups.last()];
        let well_formed = inner.iter().all(|group| group.len() == whole)
            && ends.into_iter().flatten().all(|group| group.len() <= whole)
            && (!text.contains('.') || whole == 4);
        let cut = groups.first().is_some_and(|group| group.len() % 2 == 1);
        well_formed.then_some(Self { digits, aligned: !cut })
    }

    fn is_in(&self, mac: [u8; 6]) -> bool {
        use std::fmt::Write as _;
        let mut hex = String::with_capacity(12);
        for byte in mac {
            let _ = write!(hex, "{byte:02x}");
        }
        if !self.aligned {
            return hex.contains(&self.digits);
        }
        (0..hex.len()).step_by(2).any(|at| hex.get(at..).is_some_and(|rest| rest.starts_with(&self.digits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onenet_topology::{EndpointId, MacAddr};

    fn endpoint() -> Endpoint {
        Endpoint::new(EndpointId::from_raw(1), MacAddr([0x00, 0x1b, 0x21, 0x3c, 0x4d, 0x5e]))
    }

    #[test]
    fn any_part_of_a_mac_is_found_in_any_notation() {
        for found in [
            "00:1b:21:3c:4d:5e",
            "00-1B-21-3C-4D-5E",
            "001b.213c.4d5e",
            "001b-213c-4d5e",
            "001b213c4d5e",
            "1b:21",
            "3C-4D",
            "4d5e",
            "213c.4d",
            "1b.213c",
            " 21:3c ",
            "b213",
            ":1b:",
            "1b:2",
        ] {
            assert!(Query::new(found).matches(&endpoint()), "{found}");
        }
    }

    #[test]
    fn what_is_not_part_of_it_is_not_found() {
        for lost in ["b2:13", "10.20.30.40", "00:1b:22", "zz", "001b213c4d5e00", "5e:00", "b:21:3c4"] {
            assert!(!Query::new(lost).matches(&endpoint()), "{lost}");
        }
    }

    #[test]
    fn an_empty_query_finds_everything() {
        assert!(Query::new("  ").matches(&endpoint()));
    }
}
