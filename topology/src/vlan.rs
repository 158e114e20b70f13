//! Sets of VLANs, written as engineers write them: `1,10-20,4000`.
//!
//! Invariant: ranges rise, do not touch, and are within 1 to 4094 (IEEE 802.1Q), so that two sets that hold the same are
//! written the same. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first and the last VLAN (IEEE 802.1Q: 0 and 4095 are none).
pub const FIRST: u16 = 1;
/// The last VLAN.
pub const LAST: u16 = 4094;

/// A set of VLANs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VlanSet(Vec<(u16, u16)>);

impl VlanSet {
    /// Returns the ranges, each with its first and last VLAN, in their order.
    pub fn ranges(&self) -> &[(u16, u16)] {
        &self.0
    }

    /// Returns whether the set has no VLAN.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the set has a VLAN.
    pub fn contains(&self, vlan: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&vlan))
    }

    /// Returns the set of these ranges; `None` where they do not rise, touch each other or leave 1 to 4094.
    pub fn of_ranges(ranges: Vec<(u16, u16)>) -> Option<Self> {
        let each = ranges.iter().all(|(first, last)| FIRST <= *first && first <= last && *last <= LAST);
        let apart = ranges.iter().zip(ranges.iter().skip(1)).all(|(one, next)| u32::from(one.1) + 1 < next.0.into());
        (each && apart).then_some(Self(ranges))
    }
}

impl FromIterator<u16> for VlanSet {
    /// Collects VLANs in any order; what is none is left out.
    fn from_iter<I: IntoIterator<Item = u16>>(vlans: I) -> Self {
        let mut vlans: Vec<u16> = vlans.into_iter().filter(|vlan| (FIRST..=LAST).contains(vlan)).collect();
        vlans.sort_unstable();
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for vlan in vlans {
            match ranges.last_mut() {
                Some((_, last)) if vlan <= last.saturating_add(1) => *last = vlan,
                _ => ranges.push((vlan, vlan)),
            }
        }
        Self(ranges)
    }
}

impl fmt::Display for VlanSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{first}")?;
            if first != last {
                write!(f, "-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_set_is_written_as_engineers_write_it() {
        let set: VlanSet = [20, 1, 10, 11, 12, 4094, 11, 0, 4095].into_iter().collect();
        assert_eq!(set.to_string(), "1,10-12,20,4094");
        assert_eq!(VlanSet::default().to_string(), "");
    }

    #[test]
    fn ranges_that_are_no_set_are_refused() {
        for ranges in [vec![(0, 1)], vec![(1, 4095)], vec![(5, 4)], vec![(1, 2), (3, 4)], vec![(5, 6), (1, 2)]] {
            assert_eq!(VlanSet::of_ranges(ranges.clone()), None, "{ranges:?}");
        }
    }

    proptest! {
        #[test]
        fn a_set_has_what_was_put_in_and_reads_back(vlans in prop::collection::vec(0u16..=u16::MAX, 0..200)) {
            let set: VlanSet = vlans.iter().copied().collect();
            let wanted: BTreeSet<u16> = vlans.into_iter().filter(|vlan| (1..=4094).contains(vlan)).collect();
            let has: BTreeSet<u16> = (0..=u16::MAX).filter(|vlan| set.contains(*vlan)).collect();
            prop_assert_eq!(has, wanted);
            prop_assert_eq!(VlanSet::of_ranges(set.ranges().to_vec()), Some(set));
        }
    }
}
