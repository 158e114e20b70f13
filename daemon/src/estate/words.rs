//! The words by which the endpoints of a site are found, as texts: a search looks through those of 3,340 sites and, where its own words
//! occur, at the endpoints that are called so, instead of at every endpoint of the nation.
//!
//! Invariant: whatever a search can match of an endpoint stands in a text of its site, in lower case, behind its MAC address. A text says
//! whom to look at, not what is found. Retired endpoints have a text of their own, since few look for them.

use std::{collections::BTreeSet, fmt::Write as _, net::IpAddr, sync::Arc};

use memchr::{memmem::Finder, memrchr};
use onenet_topology::{MacAddr, endpoint::Endpoint};

use super::Made;
use grams::Grams;

mod grams;

/// What begins the words of one endpoint, with its MAC address: the record separator, which stands in no query.
const BEGIN: char = '\u{1e}';

/// The texts of one site, each made when somebody searches, and kept until what it says changes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Words {
    live: Made<Text>,
    retired: Made<Text>,
}

/// Words of endpoints, one after the other, and behind them those of their vendors, each once.
#[derive(Debug, Default)]
pub struct Text {
    words: String,
    /// Where the vendors begin.
    vendors: usize,
    /// What runs of letters and digits occur in all of it.
    grams: Grams,
}

/// Who may be meant by a part of a word.
#[derive(Debug, PartialEq, Eq)]
pub enum Called {
    /// The endpoints of these MAC addresses.
    These(BTreeSet<MacAddr>),
    /// Any of them, since a vendor is called so.
    Any,
}

impl Words {
    /// Returns the text of the retired endpoints, or of the others, which are asked for only where it is not made yet.
    pub fn of<'s, I: Iterator<Item = &'s Arc<Endpoint>>>(
        &'s self,
        retired: bool,
        endpoints: impl FnOnce() -> I,
    ) -> &'s Text {
        if retired { &self.retired } else { &self.live }.of(|| text(endpoints()))
    }

    /// Lets the texts go.
    pub(super) fn forget(&mut self) {
        self.live.forget();
        self.retired.forget();
    }
}

impl Text {
    /// Returns who may be called by one of these parts, which are in lower case.
    pub fn called(&self, parts: &[Finder<'_>]) -> Called {
        let bytes = self.words.as_bytes();
        let mut macs = BTreeSet::new();
        let parts = parts.iter().filter(|part| self.grams.may_hold(part.needle()));
        for at in parts.flat_map(|part| part.find_iter(bytes)) {
            if at >= self.vendors {
                return Called::Any;
            }
            let begin = bytes.get(..=at).and_then(|before| memrchr(BEGIN as u8, before));
            macs.extend(begin.and_then(|begin| mac_at(self.words.get(begin + 1..)?)));
        }
        Called::These(macs)
    }
}

fn mac_at(text: &str) -> Option<MacAddr> {
    MacAddr::from_u64(u64::from_str_radix(text.get(..12)?, 16).ok()?)
}

/// Returns whether an endpoint is to be found by other addresses or another name than before, or among others.
pub(super) fn is_found_otherwise(old: &Endpoint, new: &Endpoint) -> bool {
    old.mac != new.mac
        || old.retired_since.is_some() != new.retired_since.is_some()
        || old.hostname() != new.hostname()
        || !addresses(old).eq(addresses(new))
}

fn addresses(endpoint: &Endpoint) -> impl Iterator<Item = IpAddr> {
    endpoint.evidence.bindings().map(|bound| bound.ip)
}

/// Returns one line for each thing that an endpoint is called: address, IP addresses, host name; and for each vendor once.
fn text<'s>(endpoints: impl Iterator<Item = &'s Arc<Endpoint>>) -> Text {
    let (mut words, mut vendors) = (String::new(), BTreeSet::new());
    for endpoint in endpoints {
        words.push(BEGIN);
        for byte in endpoint.mac.0 {
            let _ = write!(words, "{byte:02x}");
        }
        words.push('\n');
        for ip in addresses(endpoint) {
            let _ = writeln!(words, "{ip}");
        }
        if let Some(name) = endpoint.hostname() {
            // A name that holds the separator would begin an endpoint that is none.
            words.extend(name.to_lowercase().chars().filter(|char| *char != BEGIN));
            words.push('\n');
        }
        vendors.extend(endpoint.vendor());
    }
    let behind = words.len();
    for vendor in vendors {
        words.push_str(&vendor.to_lowercase());
        words.push('\n');
    }
    words.shrink_to_fit();
    Text { grams: Grams::of(words.as_bytes()), words, vendors: behind }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use onenet_topology::{
        AgentId, EndpointId, SiteId, SpaceId, Timestamp,
        endpoint::{BoundAddress, Evidence, HostStatement, Origin, Source, Witness},
        fact::{Group, Host, Method, Scope},
    };

    use super::*;
    use crate::estate::{Change, Estate};

    const SITE: SiteId = SiteId::from_raw(1);

    fn told(estate: &mut Estate, id: u64, last: u8) {
        let mut endpoint = Endpoint::new(EndpointId::from_raw(id), MacAddr([2, 0, 0, 0, 0, u8::try_from(id).unwrap()]));
        let ip = IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
        let addresses = vec![BoundAddress { space: SpaceId::from_raw(1), ip, witnesses: Vec::new() }];
        endpoint.evidence = Evidence { addresses, ..Evidence::default() }.into();
        estate.apply(&Change::Endpoint { site: SITE, endpoint: Arc::new(endpoint) });
    }

    /// Returns the ids of those that may be called so.
    fn called(estate: &Estate, part: &str, retired: bool) -> Vec<u64> {
        let found = estate.site(SITE).map(|state| state.may_be_called(&[Finder::new(part)], retired));
        found.into_iter().flatten().map(|it| it.id.raw()).collect()
    }

    #[test]
    fn the_text_follows_the_endpoints_and_an_older_snapshot_keeps_its_own() {
        let mut estate = Estate::default();
        told(&mut estate, 1, 7);
        told(&mut estate, 2, 70);
        let before = estate.clone();
        assert_eq!(called(&before, "0.0.7", false), [1, 2]);
        assert_eq!(called(&before, "0.0.70", false), [2]);
        assert_eq!(called(&before, "020000000002", false), [2]);
        told(&mut estate, 1, 8);
        assert_eq!(called(&estate, "0.0.7", false), [2]);
        assert_eq!(called(&estate, "0.0.8", false), [1]);
        assert_eq!(called(&before, "0.0.7", false), [1, 2]);
        estate.apply(&Change::EndpointForgotten { site: SITE, id: EndpointId::from_raw(1) });
        assert_eq!(called(&estate, "0", false), [2]);
    }

    #[test]
    fn an_older_snapshot_that_is_searched_first_fills_no_newer_text() {
        let mut estate = Estate::default();
        told(&mut estate, 1, 7);
        let before = estate.clone();
        told(&mut estate, 1, 8);
        assert_eq!(called(&before, "0.0.7", false), [1]);
        assert_eq!(called(&estate, "0.0.7", false), [0; 0]);
    }

    #[test]
    fn retired_ones_are_found_where_they_are_asked_for() {
        let mut estate = Estate::default();
        told(&mut estate, 1, 7);
        told(&mut estate, 2, 8);
        assert_eq!(called(&estate, "10.0", true), [1, 2]);
        let it = estate.site(SITE).and_then(|state| state.endpoints.get(&EndpointId::from_raw(2))).unwrap();
        let retired = Endpoint { retired_since: Some(Timestamp::EPOCH), ..Endpoint::clone(it) };
        estate.apply(&Change::Endpoint { site: SITE, endpoint: Arc::new(retired) });
        assert_eq!((called(&estate, "10.0", false), called(&estate, "10.0", true)), (vec![1], vec![1, 2]));
    }

    #[test]
    fn a_vendor_may_be_any_of_them_and_a_name_begins_no_endpoint() {
        let (intel, local) = (MacAddr([0x00, 0x1b, 0x21, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2]));
        let mut named = Endpoint::new(EndpointId::from_raw(1), intel);
        let origin = Origin {
            agent: AgentId::from_raw(1),
            group: Group { method: Method::PassiveDhcp, scope: Scope::new("eth0") },
        };
        let witness = Witness {
            source: Source { origin: Arc::new(origin), fact: 1 },
            first_seen: Timestamp::EPOCH,
            last_seen: Timestamp::EPOCH,
            current: true,
            vlan: None,
            interface: None,
        };
        let hostname = "PC\u{1e}020000000002".to_owned();
        let host =
            Host { mac: intel, hostname, vendor_class: String::new(), parameter_list: vec![], client_id: vec![] };
        named.evidence = Evidence { statements: vec![HostStatement { witness, host }], ..Evidence::default() }.into();
        let all = [Arc::new(named), Arc::new(Endpoint::new(EndpointId::from_raw(2), local))];
        let text = text(all.iter());
        let called = |part: &str| text.called(&[Finder::new(part)]);
        assert_eq!(called("intel"), Called::Any);
        assert_eq!(called("pc02"), Called::These([intel].into()));
        assert_eq!(called("0000000002"), Called::These([intel, local].into()));
    }
}
