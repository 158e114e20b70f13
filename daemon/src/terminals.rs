//! Terminals, from the estate: which endpoints of a site are cards of one machine.
//!
//! Invariant: they follow from one snapshot; whoever asks, a page, the coverage, the API, is told alike. It does not ask who may
//! see them ([`crate::access::View`] does).

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::{
    AssetId, EndpointId, Timestamp,
    coverage::Matcher,
    endpoint::Endpoint,
    grouping::Rulings,
    inference::{Reason, Where},
    terminal::{Card, Terminal, terminals},
};

use crate::estate::{Estate, SiteState};

/// The terminals of a site.
#[derive(Debug)]
pub struct Known {
    /// They, in order of their identities.
    pub terminals: Vec<Terminal>,
    /// The assets of the cards that the books have.
    pub assets: BTreeMap<EndpointId, AssetId>,
    /// The assets of the cards that an operator took for those of a machine on the books.
    pub vouched: BTreeMap<EndpointId, AssetId>,
}

impl Known {
    /// Returns the assets of a terminal's cards.
    pub fn assets_of<'k>(&'k self, terminal: &'k Terminal) -> impl Iterator<Item = AssetId> + 'k {
        let assets: BTreeSet<AssetId> = terminal
            .endpoints
            .iter()
            .filter_map(|id| self.assets.get(id).or_else(|| self.vouched.get(id)))
            .copied()
            .collect();
        assets.into_iter()
    }
}

/// Returns the terminals of a site at `now`.
pub fn of_site(estate: &Estate, state: &SiteState, now: Timestamp) -> Known {
    let matcher = Matcher::new(&estate.assets, state.id, now);
    let cards: Vec<Card> = state.known_endpoints().map(|endpoint| card(state, &matcher, endpoint)).collect();
    let rulings: Rulings<EndpointId> =
        state.terminal_rulings.iter().map(|(pair, ruling)| (*pair, ruling.same)).collect();
    let assets: BTreeMap<_, _> = cards.iter().filter_map(|card| Some((card.id, card.asset?))).collect();
    let same = rulings.iter().filter(|(_, same)| **same).flat_map(|((one, two), _)| [(*one, *two), (*two, *one)]);
    let vouched = same.filter(|(card, _)| !assets.contains_key(card));
    let vouched = vouched.filter_map(|(card, known)| Some((card, *assets.get(&known)?))).collect();
    Known { terminals: terminals(&cards, &rulings), assets, vouched }
}

fn card(state: &SiteState, matcher: &Matcher<'_>, endpoint: &Endpoint) -> Card {
    let at = endpoint.located.as_ref().map(|located| state.canonical_place(located.at));
    Card {
        id: endpoint.id,
        mac: endpoint.mac,
        asset: matcher.asset(endpoint.mac, endpoint.current_addresses().map(|it| it.ip)).map(|asset| asset.id),
        hostname: endpoint.hostname().unwrap_or_default().to_owned(),
        client_id: endpoint.host().map(|host| host.client_id.clone()).unwrap_or_default(),
        is_computer: endpoint.conclusion().class.map(|class| class.is.is_computer()),
        is_present: endpoint.is_present(),
        is_wireless: state.attachment(endpoint.mac).is_some_and(|it| it.reason == Reason::Wireless),
        place: at.and_then(|at| match at {
            Where::Port(place) => Some(place),
            Where::Behind { .. } | Where::Nowhere => None,
        }),
    }
}
