//! The words by which the endpoints of a site are found, as one text: a search looks through 3,340 texts and, where its own
//! words occur, at the endpoints themselves, instead of at every endpoint of the nation.
//!
//! Invariant: whatever a search can match of an endpoint stands in the text of its site, in lower case. It may hold more: a text
//! says where to look, not what is found.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use onenet_topology::endpoint::Endpoint;

use super::Made;

/// The text of one site, made when somebody searches, and kept until what it says changes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Words(Made<String>);

impl Words {
    /// Returns the text, which is that of these endpoints; they are asked for only where it is not made yet.
    pub fn of<'s, I: Iterator<Item = &'s Arc<Endpoint>>>(&'s self, endpoints: impl FnOnce() -> I) -> &'s str {
        self.0.of(|| text(endpoints()))
    }

    /// Lets the text go.
    pub(super) fn forget(&mut self) {
        self.0.forget();
    }
}

/// Returns one line for each thing that an endpoint is called: address, IP addresses, host name; and for each vendor once.
fn text<'s>(endpoints: impl Iterator<Item = &'s Arc<Endpoint>>) -> String {
    let mut text = String::new();
    let mut vendors = BTreeSet::new();
    for endpoint in endpoints {
        for byte in endpoint.mac.0 {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
        for address in &endpoint.addresses {
            let _ = writeln!(text, "{}", address.ip);
        }
        if let Some(name) = endpoint.hostname() {
            text.push_str(&name.to_lowercase());
            text.push('\n');
        }
        vendors.extend(endpoint.vendor());
    }
    for vendor in vendors {
        text.push_str(&vendor.to_lowercase());
        text.push('\n');
    }
    text.shrink_to_fit();
    text
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use onenet_topology::{EndpointId, MacAddr, SiteId, SpaceId, endpoint::BoundAddress};

    use super::*;
    use crate::estate::{Change, Estate};

    const SITE: SiteId = SiteId::from_raw(1);

    fn told(estate: &mut Estate, id: u64, last: u8) {
        let mut endpoint = Endpoint::new(EndpointId::from_raw(id), MacAddr([2, 0, 0, 0, 0, 1]));
        endpoint.addresses.push(BoundAddress {
            space: SpaceId::from_raw(1),
            ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)),
            witnesses: Vec::new(),
        });
        estate.apply(&Change::Endpoint { site: SITE, endpoint: Arc::new(endpoint) });
    }

    fn words(estate: &Estate) -> &str {
        estate.site(SITE).map(|state| state.words()).unwrap_or_default()
    }

    #[test]
    fn the_text_follows_the_endpoints_and_an_older_snapshot_keeps_its_own() {
        let mut estate = Estate::default();
        told(&mut estate, 1, 7);
        let before = estate.clone();
        assert_eq!(words(&before), "020000000001\n10.0.0.7\n");
        told(&mut estate, 1, 8);
        assert_eq!(words(&estate), "020000000001\n10.0.0.8\n");
        assert_eq!(words(&before), "020000000001\n10.0.0.7\n");
        estate.apply(&Change::EndpointForgotten { site: SITE, id: EndpointId::from_raw(1) });
        assert_eq!(words(&estate), "");
    }

    #[test]
    fn an_older_snapshot_that_is_searched_first_fills_no_newer_text() {
        let mut estate = Estate::default();
        told(&mut estate, 1, 7);
        let before = estate.clone();
        told(&mut estate, 1, 8);
        assert_eq!(words(&before), "020000000001\n10.0.0.7\n");
        assert_eq!(words(&estate), "020000000001\n10.0.0.8\n");
    }
}
