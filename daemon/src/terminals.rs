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
    /// Their cards: one for each endpoint.
    pub cards: BTreeMap<EndpointId, Card>,
    /// The assets of the cards that an operator took for those of a machine on the books.
    pub vouched: BTreeMap<EndpointId, AssetId>,
}

impl Known {
    /// Returns the asset as which a card counts: by the books, or by an operator's word.
    pub fn asset(&self, card: EndpointId) -> Option<AssetId> {
        self.cards.get(&card).and_then(|card| card.asset).or_else(|| self.vouched.get(&card).copied())
    }

    /// Returns the assets of a terminal's cards.
    pub fn assets_of(&self, terminal: &Terminal) -> BTreeSet<AssetId> {
        terminal.endpoints.iter().filter_map(|id| self.asset(*id)).collect()
    }
}

/// Returns the terminals of a site at `now`.
pub fn of_site(estate: &Estate, state: &SiteState, now: Timestamp) -> Known {
    let matcher = Matcher::new(&estate.assets, state.id, now);
    let cards: Vec<Card> = state.known_endpoints().map(|endpoint| card(state, &matcher, endpoint)).collect();
    let rulings: Rulings<EndpointId> =
        state.terminal_rulings.iter().map(|(pair, ruling)| (*pair, ruling.same)).collect();
    let terminals = terminals(&cards, &rulings);
    let cards: BTreeMap<EndpointId, Card> = cards.into_iter().map(|card| (card.id, card)).collect();
    let asset = |id: EndpointId| cards.get(&id).and_then(|card| card.asset);
    let same = rulings.iter().filter(|(_, same)| **same).flat_map(|((one, two), _)| [(*one, *two), (*two, *one)]);
    let vouched = same.filter(|(card, _)| asset(*card).is_none());
    let vouched = vouched.filter_map(|(card, known)| Some((card, asset(known)?))).collect();
    Known { terminals, cards, vouched }
}

fn card(state: &SiteState, matcher: &Matcher<'_>, endpoint: &Endpoint) -> Card {
    let at = endpoint.located.as_ref().map(|located| state.canonical_place(located.at));
    Card {
        id: endpoint.id,
        mac: endpoint.mac,
        asset: matcher.asset(endpoint.mac, endpoint.current_addresses().map(|it| it.ip)).map(|asset| asset.id),
        hostname: endpoint.hostname().unwrap_or_default().to_owned(),
        client_id: endpoint.host().map(|host| host.client_id).unwrap_or_default(),
        class: endpoint.conclusion().class.map(|class| class.is),
        is_present: endpoint.is_present(),
        is_wireless: state.attachment(endpoint.mac).is_some_and(|it| it.reason == Reason::Wireless),
        place: at.and_then(|at| match at {
            Where::Port(place) => Some(place),
            Where::Behind { .. } | Where::Nowhere => None,
        }),
    }
}
