//! Terminals: machines, each of one or several endpoints (two cards, a dock, random addresses).
//!
//! What speaks for two cards being of one machine, from 0 to 100:
//!
//! | evidence | score |
//! |---|---|
//! | both are on the books as one asset | 100 |
//! | one gives as its DHCP client identifier (RFC 2132 option 61) the address of the other, plain or in a DUID (RFC 8415, 11.2, 11.4) | 80 |
//! | both give the same DUID (RFC 4361), or the same client identifier that is no address | 70 |
//! | both have the same host name | 40 |
//! | beside it: one is on the air and the other is not; or both are at one port; or they are not there at one time; or one has a random address | 20 each |
//!
//! From 50 on two cards are one terminal. Images are cloned with their names and identifiers: so a name alone is not enough, and
//! what more than [`CLAIMS_MAX`] cards of a site say tells nothing. Two assets, two names, a computer and a machine that is none
//! are two terminals, whatever they share.
//!
//! Invariant: the terminals follow from the set of cards and the rulings; neither order nor repetition shows. A terminal has the
//! identity of its oldest endpoint, and endpoints keep theirs, so that everything can be taken back.
//!
//! It does not know the books, nor what is counted: what a machine says of itself makes no stranger a known one
//! ([`crate::coverage`]).

mod identifier;

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use crate::{
    AssetId, EndpointId, MacAddr, TerminalId,
    classify::DeviceClass,
    grouping::{self, Rulings},
    inference::Place,
};

pub use identifier::ClientIdentifier;

/// Cards of a site that may share a name or an identifier: a laptop has a cable, an aerial and two docks.
pub const CLAIMS_MAX: usize = 4;
/// Cards that one terminal can have.
pub const CARDS_MAX: usize = 16;
/// Score from which two cards are of one terminal.
const SAME_MIN: u8 = 50;

/// What machines are called before anybody names them.
const NO_NAMES: [&str; 14] = [
    "android",
    "debian",
    "desktop",
    "host",
    "iphone",
    "ipad",
    "kylin",
    "laptop",
    "localhost",
    "pc",
    "ubuntu",
    "unknown",
    "uos",
    "windows",
];

/// An endpoint, as it is compared with others of its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its identity.
    pub id: EndpointId,
    /// Its address.
    pub mac: MacAddr,
    /// The asset that it is on the books as.
    pub asset: Option<AssetId>,
    /// Its host name; empty where none is known.
    pub hostname: String,
    /// Its DHCP client identifier; empty where none is known.
    pub client_id: Vec<u8>,
    /// What kind of machine it is taken to be.
    pub class: Option<DeviceClass>,
    /// Whether it is there now.
    pub is_present: bool,
    /// Whether it is on the air.
    pub is_wireless: bool,
    /// At which port it is.
    pub place: Option<Place>,
}

/// Why two cards are taken for one machine's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Bond {
    /// An operator said so.
    Ruled,
    /// Both are on the books as this asset.
    Asset {
        /// Which.
        asset: AssetId,
    },
    /// The one gives the other's address as its DHCP client identifier.
    NamesCard,
    /// Both give this DHCP client identifier.
    ClientIdentifier {
        /// It, in hexadecimal digits.
        value: String,
    },
    /// Both have this host name.
    Hostname {
        /// It.
        value: String,
    },
    /// One is on the air, the other is not.
    CableAndAir,
    /// Both are at one port.
    SamePort,
    /// They are not there at one time.
    InTurn,
    /// One of the addresses is random.
    RandomAddress,
}

/// Two endpoints of a terminal, and why they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joint {
    /// The one, the lower id.
    pub one: EndpointId,
    /// The other.
    pub other: EndpointId,
    /// How surely, 50 to 100.
    pub score: u8,
    /// Why.
    pub bonds: Vec<Bond>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Its identity: that of its oldest endpoint.
    pub id: TerminalId,
    /// Its endpoints, in order.
    pub endpoints: Vec<EndpointId>,
    /// Why they are one, pair by pair.
    pub joints: Vec<Joint>,
}

/// A card with what is compared, in one spelling; what is meaningless is left out.
#[derive(Debug)]
struct Compared<'c> {
    card: &'c Card,
    hostname: Option<String>,
    client: ClientIdentifier,
}

/// Returns the terminals of the cards of one site, in order of their identities.
pub fn terminals(cards: &[Card], rulings: &Rulings<EndpointId>) -> Vec<Terminal> {
    let mut compared: Vec<Compared<'_>> = cards.iter().map(Compared::new).collect();
    compared.sort_by_key(|it| it.card.id);
    compared.dedup_by_key(|it| it.card.id);
    let ids: Vec<EndpointId> = compared.iter().map(|it| it.card.id).collect();
    let joints = joints(&compared);
    let matches = joints.iter().map(|((one, two), joint)| (joint.score, *one, *two));
    let contradicts = |one: usize, two: usize| match (compared.get(one), compared.get(two)) {
        (Some(one), Some(two)) => one.contradicts(two),
        _ => false,
    };
    let groups = grouping::groups(&ids, matches, contradicts, rulings, CARDS_MAX);
    let mut by_pair: BTreeMap<_, _> = joints.into_values().map(|joint| ((joint.one, joint.other), joint)).collect();
    for ((one, other), _) in rulings.iter().filter(|(_, same)| **same) {
        let ruled = Joint { one: *one, other: *other, score: 100, bonds: vec![Bond::Ruled] };
        by_pair.insert((*one, *other), ruled);
    }
    let terminal = |endpoints: Vec<EndpointId>| {
        let id = TerminalId::from_raw(endpoints.first()?.raw());
        let pairs = endpoints.iter().enumerate().flat_map(|(place, one)| {
            let others = endpoints.iter().skip(place + 1);
            others.filter_map(|other| by_pair.get(&(*one, *other)).cloned())
        });
        Some(Terminal { id, joints: pairs.collect(), endpoints })
    };
    groups.into_iter().filter_map(terminal).collect()
}

impl Card {
    /// Returns whether it is a computer, where that is known.
    fn is_computer(&self) -> Option<bool> {
        self.class.map(DeviceClass::is_computer)
    }
}

impl<'c> Compared<'c> {
    fn new(card: &'c Card) -> Self {
        Self { card, hostname: hostname(&card.hostname), client: ClientIdentifier::of(&card.client_id, card.mac) }
    }

    /// Returns whether two cards are of two machines, whatever they share.
    fn contradicts(&self, other: &Self) -> bool {
        let differ = |one: Option<bool>, two: Option<bool>| matches!((one, two), (Some(one), Some(two)) if one != two);
        match (self.card.asset, other.card.asset) {
            (Some(one), Some(two)) => one != two,
            _ => {
                differ(self.card.is_computer(), other.card.is_computer())
                    || matches!((&self.hostname, &other.hostname), (Some(one), Some(two)) if one != two)
            }
        }
    }
}

/// Returns the pairs of cards that evidence takes for one machine's, by their places.
fn joints(cards: &[Compared<'_>]) -> BTreeMap<(usize, usize), Joint> {
    let mut scored: BTreeMap<(usize, usize), Vec<(u8, Bond)>> = BTreeMap::new();
    let mut tell = |places: &[usize], score: u8, bond: Bond| {
        for (nth, one) in places.iter().enumerate() {
            for two in places.iter().skip(nth + 1) {
                scored.entry((*one, *two)).or_default().push((score, bond.clone()));
            }
        }
    };
    for (asset, places) in sharing(cards, 2..=CARDS_MAX, |it| it.card.asset) {
        tell(&places, 100, Bond::Asset { asset });
    }
    for (value, places) in sharing(cards, 2..=CLAIMS_MAX, |it| it.client.shared()) {
        tell(&places, 70, Bond::ClientIdentifier { value });
    }
    let by_mac: BTreeMap<MacAddr, usize> = cards.iter().enumerate().map(|(place, it)| (it.card.mac, place)).collect();
    for (named, mut places) in sharing(cards, 1..=CLAIMS_MAX, |it| it.client.card) {
        let Some(named) = by_mac.get(&named) else { continue };
        places.retain(|place| place != named);
        for place in places {
            let (one, two) = grouping::pair(place, *named);
            tell(&[one, two], 80, Bond::NamesCard);
        }
    }
    for (value, places) in sharing(cards, 2..=CLAIMS_MAX, |it| it.hostname.clone()) {
        tell(&places, 40, Bond::Hostname { value });
    }
    let joint = |((one, two), mut told): ((usize, usize), Vec<(u8, Bond)>)| {
        let (a, b) = (cards.get(one)?, cards.get(two)?);
        told.extend(beside(a.card, b.card).map(|bond| (20, bond)));
        told.sort_by(|one, two| one.1.cmp(&two.1));
        told.dedup();
        let score = told.iter().fold(0_u8, |sum, (score, _)| sum.saturating_add(*score)).min(100);
        let bonds = told.into_iter().map(|(_, bond)| bond).collect();
        let joint = Joint { one: a.card.id, other: b.card.id, score, bonds };
        (score >= SAME_MIN && !a.contradicts(b)).then_some(((one, two), joint))
    };
    scored.into_iter().filter_map(joint).collect()
}

/// Returns which cards say one thing, where so many do.
fn sharing<K: Ord>(
    cards: &[Compared<'_>],
    many: RangeInclusive<usize>,
    key: impl Fn(&Compared<'_>) -> Option<K>,
) -> Vec<(K, Vec<usize>)> {
    let mut by_key: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (place, card) in cards.iter().enumerate() {
        if let Some(key) = key(card) {
            by_key.entry(key).or_default().push(place);
        }
    }
    by_key.into_iter().filter(|(_, places)| many.contains(&places.len())).collect()
}

/// Returns what speaks for two cards beside what they say.
fn beside(one: &Card, two: &Card) -> impl Iterator<Item = Bond> {
    let air = (one.is_wireless != two.is_wireless).then_some(Bond::CableAndAir);
    let port = |card: &Card| card.place.filter(|_| !card.is_wireless).map(|place| (place.device, place.interface));
    let port = port(one).is_some_and(|place| port(two) == Some(place)).then_some(Bond::SamePort);
    let turn = (!(one.is_present && two.is_present)).then_some(Bond::InTurn);
    let random = (one.mac.is_local() || two.mac.is_local()).then_some(Bond::RandomAddress);
    [air, port, turn, random].into_iter().flatten()
}

/// Returns a host name in one spelling: its first label, in small letters; `None` where it tells nothing.
fn hostname(name: &str) -> Option<String> {
    let name = name.split('.').next().unwrap_or_default().trim().to_lowercase();
    (name.chars().count() > 1 && !NO_NAMES.contains(&name.as_str())).then_some(name)
}

#[cfg(test)]
mod tests;
