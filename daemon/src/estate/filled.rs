//! Maps that take no more room than they need.

use std::sync::Arc;

use imbl::OrdMap;

use super::Estate;

impl Estate {
    /// Lets the largest maps take as little room as they can, after a start put them together key by key: a country's take half of it.
    pub(crate) fn fill_nodes(&mut self) {
        let indexes = &mut self.indexes;
        fill(&mut indexes.endpoint_sites);
        fill(&mut indexes.interface_devices);
        fill(&mut indexes.macs);
        fill(&mut indexes.addresses);
        let sites: Vec<_> = self.sites.keys().copied().collect();
        for site in sites {
            let Some(site) = self.sites.get_mut(&site) else { continue };
            let site = Arc::make_mut(site);
            fill(&mut site.endpoints);
            fill(&mut site.macs);
        }
    }
}

/// Makes the nodes of a map full. A node that is full is divided when a key comes into it: where keys come in order, as ids and what is read from
/// the store do, nothing is ever added to the first half again. Every other key first, then those between them, fills what was divided.
fn fill<K: Ord + Clone, V: Clone>(map: &mut OrdMap<K, V>) {
    let every_other = |from: usize| map.iter().skip(from).step_by(2).map(|(key, value)| (key.clone(), value.clone()));
    *map = every_other(0).chain(every_other(1)).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_map_is_the_same_map() {
        for len in [0_u32, 1, 2, 17, 1_000] {
            let map: OrdMap<u32, u32> = (0..len).map(|key| (key, key * 3)).collect();
            let mut filled = map.clone();
            fill(&mut filled);
            assert_eq!(filled, map);
        }
    }
}
