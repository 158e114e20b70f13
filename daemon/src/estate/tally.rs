//! How many endpoints of what kinds a site has: what metrics add up to the nation, without looking at 110,000 endpoints each
//! time.
//!
//! Invariant: it counts what [`SiteState::visible_endpoints`](super::SiteState::visible_endpoints) shows. Whoever changes what is
//! counted of an endpoint lets the tally go ([`counts_otherwise`]).

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{Timestamp, classify::DeviceClass, endpoint::Endpoint};

/// How many endpoints of what kinds a site has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many are there now.
    pub present: u32,
    /// How many were there before.
    pub past: u32,
    /// Those that are there by what they are taken to be; `None` where nothing tells.
    pub classes: BTreeMap<Option<DeviceClass>, u32>,
    /// Those that are there by the vendor of their card; `None` where that is unknown.
    pub vendors: BTreeMap<Option<&'static str>, u32>,
    /// When each of them all was seen for the first time, the first one first.
    pub first_seen: Vec<Timestamp>,
}

impl Tally {
    /// Counts endpoints.
    pub fn of<'e>(endpoints: impl Iterator<Item = &'e Arc<Endpoint>>) -> Self {
        let mut tally = Self::default();
        for endpoint in endpoints {
            tally.first_seen.extend(endpoint.first_seen());
            if !endpoint.is_present() {
                tally.past += 1;
                continue;
            }
            tally.present += 1;
            *tally.classes.entry(class(endpoint)).or_default() += 1;
            *tally.vendors.entry(endpoint.vendor()).or_default() += 1;
        }
        tally.first_seen.sort_unstable();
        tally
    }

    /// Returns how many were seen for the first time at `since` or later.
    pub fn new_since(&self, since: Timestamp) -> usize {
        self.first_seen.len() - self.first_seen.partition_point(|first| *first < since)
    }
}

/// Returns whether an endpoint that was like `old` and is like `new` is counted otherwise than before.
pub(super) fn counts_otherwise(old: &Endpoint, new: &Endpoint) -> bool {
    let counted = |it: &Endpoint| (it.mac, it.retired_since.is_some(), it.is_present(), class(it), it.first_seen());
    counted(old) != counted(new)
}

fn class(endpoint: &Endpoint) -> Option<DeviceClass> {
    endpoint.conclusion().class.map(|class| class.is)
}

#[cfg(test)]
mod tests {
    use onenet_topology::{EndpointId, MacAddr, SiteId, Timestamp};

    use super::*;
    use crate::estate::{Change, Estate};

    const SITE: SiteId = SiteId::from_raw(1);
    /// An address that Intel gives out.
    const INTEL: MacAddr = MacAddr([0x00, 0x1b, 0x21, 0, 0, 1]);

    fn tally(estate: &Estate) -> Tally {
        estate.site(SITE).map(|state| state.tally().clone()).unwrap_or_default()
    }

    fn tell(estate: &mut Estate, endpoint: &Endpoint) {
        estate.apply(&Change::Endpoint { site: SITE, endpoint: Arc::new(endpoint.clone()) });
    }

    #[test]
    fn the_tally_follows_what_is_told_and_forgotten_and_an_older_snapshot_keeps_its_own() {
        let mut estate = Estate::default();
        let mut endpoint = Endpoint::new(EndpointId::from_raw(1), INTEL);
        tell(&mut estate, &endpoint);
        let before = estate.clone();
        assert_eq!(tally(&before).past + tally(&before).present, 1);
        endpoint.retired_since = Some(Timestamp::from_unix_ms(1));
        tell(&mut estate, &endpoint);
        assert_eq!(tally(&estate), Tally::default());
        endpoint.retired_since = None;
        tell(&mut estate, &endpoint);
        assert_eq!(tally(&estate), tally(&before));
        estate.apply(&Change::EndpointForgotten { site: SITE, id: endpoint.id });
        assert_eq!(tally(&estate), Tally::default());
        assert_eq!(tally(&before).past + tally(&before).present, 1);
    }
}
