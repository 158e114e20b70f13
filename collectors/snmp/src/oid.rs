//! Object identifiers (RFC 2578, section 3.5), as this crate passes them.
//!
//! Invariant: an [`Oid`] holds at most [`ARCS_MAX`] arcs. It does not know any MIB.
//!
//! Names of instances come by the thousand with each poll, so that those of the usual length are held in place.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

/// The most arcs an object identifier may have (RFC 2578, section 3.5).
pub const ARCS_MAX: usize = 128;

/// The most arcs held in place: enough for a row of dot1qTpFdbTable, which has 20.
const INLINE_ARCS: usize = 22;

/// An object identifier. Ordered as SNMP orders: arc by arc, a prefix before what it begins.
#[derive(Clone)]
pub struct Oid(Arcs);

#[derive(Clone)]
enum Arcs {
    Inline { count: u8, arcs: [u32; INLINE_ARCS] },
    Boxed(Box<[u32]>),
}

/// The text is not an object identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an object identifier: write at most 128 numbers joined by dots, such as 1.3.6.1.2.1.1.1.0")]
pub struct InvalidOid(pub String);

impl Oid {
    /// Returns the identifier made of `arcs`; what is beyond [`ARCS_MAX`] is left out.
    pub fn from_arcs(arcs: &[u32]) -> Self {
        let arcs = arcs.get(..ARCS_MAX).unwrap_or(arcs);
        let mut inline = [0; INLINE_ARCS];
        match (inline.get_mut(..arcs.len()), u8::try_from(arcs.len())) {
            (Some(places), Ok(count)) => {
                places.copy_from_slice(arcs);
                Self(Arcs::Inline { count, arcs: inline })
            }
            _ => Self(Arcs::Boxed(arcs.into())),
        }
    }

    /// Returns the identifier `prefix` followed by `suffix`; what is beyond [`ARCS_MAX`] is left out.
    pub fn joined(prefix: &[u32], suffix: &[u32]) -> Self {
        Self::from_arcs(&[prefix, suffix].concat())
    }

    /// Returns the arcs.
    pub fn arcs(&self) -> &[u32] {
        match &self.0 {
            Arcs::Inline { count, arcs } => arcs.get(..usize::from(*count)).unwrap_or(arcs),
            Arcs::Boxed(arcs) => arcs,
        }
    }

    /// Returns the arcs after `prefix`, `None` when the identifier is not below it.
    pub fn below(&self, prefix: &[u32]) -> Option<&[u32]> {
        self.arcs().strip_prefix(prefix)
    }
}

impl Default for Oid {
    /// Returns the identifier without arcs.
    fn default() -> Self {
        Self(Arcs::Inline { count: 0, arcs: [0; INLINE_ARCS] })
    }
}

impl PartialEq for Oid {
    fn eq(&self, other: &Self) -> bool {
        self.arcs() == other.arcs()
    }
}

impl Eq for Oid {}

impl PartialOrd for Oid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Oid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.arcs().cmp(other.arcs())
    }
}

impl Hash for Oid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.arcs().hash(state);
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dotted(self.arcs()))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Oid {
    type Err = InvalidOid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || InvalidOid(text.to_owned());
        let digits = text.strip_prefix('.').unwrap_or(text);
        let arcs: Vec<u32> = digits.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| refused())?;
        if arcs.len() > ARCS_MAX { Err(refused()) } else { Ok(Self::from_arcs(&arcs)) }
    }
}

/// Returns `arcs` joined by dots: how the index of a row is written.
pub(crate) fn dotted(arcs: &[u32]) -> String {
    let mut text = String::with_capacity(arcs.len() * 4);
    for (place, arc) in arcs.iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        text.push_str(&arc.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back_with_or_without_a_leading_dot() {
        let oid: Oid = "1.3.6.1.2.1.1.1.0".parse().unwrap();
        assert_eq!(oid, ".1.3.6.1.2.1.1.1.0".parse().unwrap());
        assert_eq!(oid.to_string(), "1.3.6.1.2.1.1.1.0");
        assert_eq!(oid.below(&[1, 3, 6, 1, 2, 1, 1]), Some(&[1, 0][..]));
        assert_eq!(oid.below(&[1, 3, 6, 2]), None);
    }

    #[test]
    fn what_is_not_an_identifier_is_refused() {
        for text in ["", "1..3", "1.x", "1.4294967296", "-1.3"] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
        assert!(vec!["1"; ARCS_MAX + 1].join(".").parse::<Oid>().is_err());
    }

    #[test]
    fn long_and_short_identifiers_read_back_and_compare_alike() {
        for count in [0, 1, INLINE_ARCS - 1, INLINE_ARCS, INLINE_ARCS + 1, ARCS_MAX] {
            let arcs: Vec<u32> = (0..u32::try_from(count).unwrap()).collect();
            let oid = Oid::from_arcs(&arcs);
            assert_eq!(oid.arcs(), arcs);
            assert_eq!(oid, Oid::joined(arcs.get(..count / 2).unwrap(), arcs.get(count / 2..).unwrap()));
            assert!(count == 0 || Oid::from_arcs(arcs.get(..count - 1).unwrap()) < oid);
        }
        assert_eq!(Oid::from_arcs(&[7; ARCS_MAX + 1]).arcs().len(), ARCS_MAX);
    }

    #[test]
    fn a_prefix_sorts_before_what_it_begins() {
        let oids = ["1.3.6", "1.3.6.0", "1.3.6.1", "1.3.7"].map(|text| text.parse::<Oid>().unwrap());
        assert!(oids.is_sorted());
    }
}
