//! Vendors by the enterprise number in sysObjectID (IANA, Private Enterprise Numbers).
//!
//! Invariant: the names are data (`data/vendors.csv`), sorted by number; a number that is not there has no name.

use std::sync::LazyLock;

use crate::oid::Oid;

/// iso.org.dod.internet.private.enterprises.
pub(crate) const ENTERPRISES: [u32; 6] = [1, 3, 6, 1, 4, 1];

static VENDORS: LazyLock<Vec<(u32, &'static str)>> = LazyLock::new(|| read(include_str!("../data/vendors.csv")));

/// Returns the enterprise number of an identifier, `None` when it is not below `enterprises`.
pub fn enterprise_of(object_id: &Oid) -> Option<u32> {
    object_id.below(&ENTERPRISES).and_then(|rest| rest.first().copied())
}

/// Returns the vendor of an enterprise number.
pub fn name_of(enterprise: u32) -> Option<&'static str> {
    let place = VENDORS.binary_search_by_key(&enterprise, |(number, _)| *number).ok()?;
    VENDORS.get(place).map(|(_, name)| *name)
}

fn read(table: &'static str) -> Vec<(u32, &'static str)> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(','))
        .filter_map(|(number, name)| Some((number.parse().ok()?, name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_a_name_a_line() {
        let lines = include_str!("../data/vendors.csv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(VENDORS.len(), lines);
        assert!(VENDORS.is_sorted_by(|one, next| one.0 < next.0));
    }

    #[test]
    fn vendors_of_the_domain_are_known_by_their_object_id() {
        for (object_id, name) in [("1.3.6.1.4.1.2011.2.23.276", "Huawei"), ("1.3.6.1.4.1.25506.1.921", "H3C")] {
            let enterprise = enterprise_of(&object_id.parse().unwrap());
            assert_eq!(enterprise.and_then(name_of), Some(name));
        }
        assert_eq!(enterprise_of(&"1.3.6.1.2.1.1".parse().unwrap()), None);
        assert_eq!(name_of(0), None);
    }
}
