//! Who says that an address is his: spoofing, conflicts, and sweeps by address resolution.
//!
//! Invariant: cards of one machine and virtual routers are one claimant.

use std::{collections::BTreeMap, net::IpAddr};

use onenet_topology::{MacAddr, Timestamp};

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Subject},
    observation::Claim,
    settings::{Settings, covers},
    table::{Distinct, Table, Worth, hash},
    threshold::Threshold,
};

const WINDOW_MS: i64 = 600_000;
/// How long after a question an answer is one.
const ASKED_MS: i64 = 3_000;
const SWEEP_MS: i64 = 60_000;
/// The most stations that are remembered for an address.
const CLAIMANTS_MAX: usize = 4;
/// As far apart may the addresses of one machine's cards be.
const CARDS: u8 = 16;

#[derive(Debug)]
struct Claimant {
    mac: MacAddr,
    first: Timestamp,
    last: Timestamp,
    unasked: u64,
}

#[derive(Debug)]
struct Address {
    claimants: Vec<Claimant>,
    current: MacAddr,
    turns: Vec<Timestamp>,
    asked: Option<Timestamp>,
}

/// The addresses that a station said are its own in the last day: those that nobody disputes, and the others.
#[derive(Debug, Default)]
struct Owned {
    alone: BTreeMap<IpAddr, Timestamp>,
    disputed: BTreeMap<IpAddr, Timestamp>,
    /// How often it said so of one that is not of the plan.
    elsewhere: u64,
}

#[derive(Debug)]
struct Asked {
    since: Timestamp,
    addresses: Distinct,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Claims {
    addresses: Table<IpAddr, Address>,
    owned: Table<MacAddr, Owned>,
    asked: Table<MacAddr, Asked>,
}

impl Worth for Address {
    fn worth(&self) -> u64 {
        u64::try_from(self.turns.len() + self.claimants.len()).unwrap_or(1)
    }
}

impl Worth for Owned {
    fn worth(&self) -> u64 {
        1
    }
}

impl Worth for Asked {
    fn worth(&self) -> u64 {
        self.addresses.count()
    }
}

impl Claims {
    pub(crate) fn new() -> Self {
        Self {
            addresses: Table::new(4_096, 24 * 3_600_000),
            owned: Table::new(4_096, 24 * 3_600_000),
            asked: Table::new(1_024, SWEEP_MS),
        }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.addresses.evicted() + self.asked.evicted()
    }

    pub(crate) fn claim(&mut self, claim: &Claim, settings: &Settings, book: &mut Book) {
        if let Some(asked) = claim.asks {
            self.question(claim, asked, settings, book);
        }
        if claim.ip.is_unspecified() || !claim.mac.is_unicast() || claim.mac.is_virtual_router() {
            return;
        }
        self.elsewhere(claim, settings, book);
        let fresh = || Address { claimants: Vec::new(), current: claim.mac, turns: Vec::new(), asked: None };
        let Some(address) = self.addresses.touch(claim.ip, claim.time, fresh) else { return };
        let answers = address.asked.is_some_and(|asked| claim.time.ms_since(asked) <= ASKED_MS);
        let unasked = claim.reply && !answers;
        address.note(claim, unasked);
        let other = address
            .claimants
            .iter()
            .find(|other| !is_one_machine(other.mac, claim.mac) && claim.time.ms_since(other.last) <= WINDOW_MS);
        let owner = other.map(|other| other.mac);
        let unasked = address.claimants.iter().find(|own| own.mac == claim.mac).map_or(0, |own| own.unasked);
        let earliest =
            address.claimants.iter().min_by_key(|known| known.first).is_some_and(|known| known.mac == claim.mac);
        let turns = u64::try_from(address.turns.len()).unwrap_or(0);
        let is_router = settings.routers.contains(&claim.ip);
        let own = self.owned.touch(claim.mac, claim.time, Owned::default);
        let has_another = own.is_some_and(|own| own.note(claim, owner.is_some()));
        let Some(owner) = owner else { return };
        let least = settings.at(Threshold::SpoofedClaims, claim.ip);
        // An address that moves for good, as that of a cluster does, does not come back.
        // A router that is lied about defends itself.
        let liar = if is_router { !earliest } else { has_another && turns >= 3 };
        if unasked >= least && liar {
            let confidence = if has_another && turns >= 3 { 90 } else { 75 };
            let report = Report::new(Kind::ArpSpoofing, Subject::Station(claim.mac), confidence, claim.time);
            book.report(&report.counting(unasked), || {
                vec![
                    Evidence::new("address", claim.ip),
                    Evidence::new("owner", owner),
                    Evidence::new("claims", unasked),
                ]
            });
        } else if turns >= settings.at(Threshold::ConflictTurns, claim.ip)
            && book.last(Kind::ArpSpoofing, Subject::Station(owner)).is_none()
            && book.last(Kind::ArpSpoofing, Subject::Station(claim.mac)).is_none()
        {
            let report = Report::new(Kind::AddressConflict, Subject::Host(claim.ip), 85, claim.time);
            book.report(&report, || {
                vec![Evidence::new("stations", format_args!("{owner}, {}", claim.mac)), Evidence::new("turns", turns)]
            });
        }
    }

    /// Looks whether a station is at home in another network.
    fn elsewhere(&mut self, claim: &Claim, settings: &Settings, book: &mut Book) {
        let known = settings.plan.is_empty() || settings.routers.contains(&claim.ip);
        if known || !claim.ip.is_ipv4() || !settings.is_outside(claim.ip) {
            return;
        }
        let Some(own) = self.owned.touch(claim.mac, claim.time, Owned::default) else { return };
        // A router asks in the name of any of its addresses.
        if own.alone.keys().chain(own.disputed.keys()).any(|ip| settings.routers.contains(ip)) {
            return;
        }
        own.elsewhere += 1;
        if own.elsewhere < settings.at(Threshold::OtherNetworkClaims, claim.ip) {
            return;
        }
        let report = Report::new(Kind::OtherNetwork, Subject::Station(claim.mac), 70, claim.time);
        book.report(&report, || {
            let asks = claim.asks.filter(|asked| *asked != claim.ip).map(|asked| Evidence::new("target", asked));
            [Evidence::new("address", claim.ip)].into_iter().chain(asks).collect()
        });
    }

    /// Takes a question: it makes an answer one, and many of them make a sweep.
    fn question(&mut self, claim: &Claim, asked: IpAddr, settings: &Settings, book: &mut Book) {
        let fresh =
            || Address { claimants: Vec::new(), current: claim.mac, turns: Vec::new(), asked: Some(claim.time) };
        // Only of who is known it matters that he was asked for.
        if self.addresses.get(&asked, claim.time).is_some()
            && let Some(address) = self.addresses.touch(asked, claim.time, fresh)
        {
            address.asked = Some(claim.time);
        }
        let exempt = settings.routers.contains(&claim.ip) || covers(&settings.scanners, claim.ip);
        if exempt || claim.mac.is_virtual_router() || asked == claim.ip {
            return;
        }
        let fresh = || Asked { since: claim.time, addresses: Distinct::default() };
        let Some(sweep) = self.asked.touch(claim.mac, claim.time, fresh) else { return };
        if claim.time.ms_since(sweep.since) > SWEEP_MS {
            *sweep = fresh();
        }
        sweep.addresses.add(hash(asked));
        let count = sweep.addresses.count();
        if count < settings.at(Threshold::SweepArp, claim.ip) {
            return;
        }
        let subject = if claim.ip.is_unspecified() { Subject::Station(claim.mac) } else { Subject::Host(claim.ip) };
        book.report(&Report::new(Kind::Sweep, subject, 80, claim.time).since(sweep.since), || {
            vec![
                Evidence::new("addresses", format_args!("≈ {count}: {asked}")),
                Evidence::new("protocol", "ARP"),
                Evidence::new("station", claim.mac),
            ]
        });
    }
}

impl Address {
    fn note(&mut self, claim: &Claim, unasked: bool) {
        self.turns.retain(|turn| claim.time.ms_since(*turn) <= WINDOW_MS);
        if !is_one_machine(self.current, claim.mac) {
            if self.turns.len() < 32 {
                self.turns.push(claim.time);
            }
            self.current = claim.mac;
        }
        if let Some(known) = self.claimants.iter_mut().find(|known| known.mac == claim.mac) {
            if claim.time.ms_since(known.last) > WINDOW_MS {
                known.unasked = 0;
            }
            known.last = known.last.max(claim.time);
            known.unasked += u64::from(unasked);
            return;
        }
        if self.claimants.len() >= CLAIMANTS_MAX {
            let oldest = self.claimants.iter().enumerate().min_by_key(|(_, known)| known.last).map(|(at, _)| at);
            oldest.map(|at| self.claimants.swap_remove(at));
        }
        self.claimants.push(Claimant {
            mac: claim.mac,
            first: claim.time,
            last: claim.time,
            unasked: u64::from(unasked),
        });
    }
}

impl Owned {
    /// Notes an address of the station. Returns whether it has another one than that, or disputes more than that.
    fn note(&mut self, claim: &Claim, disputed: bool) -> bool {
        for of in [&mut self.alone, &mut self.disputed] {
            of.retain(|_, last| claim.time.ms_since(*last) <= 24 * 3_600_000);
        }
        let of = if disputed { &mut self.disputed } else { &mut self.alone };
        if of.len() < CLAIMANTS_MAX {
            of.insert(claim.ip, claim.time);
        }
        let another = |own: &IpAddr| *own != claim.ip && own.is_ipv4() == claim.ip.is_ipv4();
        self.alone.keys().chain(self.disputed.keys()).any(another)
    }
}

/// Returns whether two link addresses are those of one machine's cards, as far as their numbers say.
fn is_one_machine(one: MacAddr, other: MacAddr) -> bool {
    let (MacAddr([a @ .., x]), MacAddr([b @ .., y])) = (one, other);
    one.is_virtual_router() || other.is_virtual_router() || a == b && x.abs_diff(y) < CARDS
}
