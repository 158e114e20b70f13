//! Coverage: whether every unit is connected and every terminal known (全联通, 全覆盖).
//!
//! Invariant: a figure counts each machine once. An asset with several cards is one terminal, seen when any of them is, and so are
//! the cards of a machine that is on nobody's books ([`crate::terminal`]); an
//! endpoint that is on the books is no stranger, at whatever site it is seen. What was never seen is told apart from what has
//! fallen silent. Figures of an area are the sum of its sites' figures.
//!
//! It does not know where assets and endpoints are kept, nor what time it is.

mod trend;

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

pub use trend::{Day, DayFigures, InvalidMonth, MONTHS_MAX, Month, TREND_DAYS, Trend};

use crate::{
    AssetId, MacAddr, SiteId, TerminalId, Timestamp,
    asset::{Asset, AssetRegister},
    classify::DeviceClass,
};

/// An endpoint, as far as coverage asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Its address.
    pub mac: MacAddr,
    /// The IP addresses that it has now.
    pub ips: Vec<IpAddr>,
    /// What kind of machine it is taken to be.
    pub class: Option<DeviceClass>,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// The terminal of which it is a card.
    pub terminal: TerminalId,
    /// The asset as which it counts although the books do not have its card: an operator said that it is one machine with a card
    /// that they have. What a machine says of itself makes no stranger a known one.
    pub vouched: Option<AssetId>,
}

/// What is seen of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was seen within the days asked for.
    Seen,
    /// It was seen, and not within these days.
    Silent,
    /// It was never seen.
    NeverSeen,
}

/// Where and when an asset was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSight {
    /// At which site.
    pub site: SiteId,
    /// When.
    pub at: Timestamp,
}

/// Who is on whose books, in numbers: of one site, or the sum of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminals {
    /// Computers on the books.
    pub registered: u32,
    /// Of these, seen within the days asked for, at whatever site.
    pub seen: u32,
    /// Of these, seen before, and not within these days.
    pub silent: u32,
    /// Of these, never seen.
    pub never_seen: u32,
    /// Of the seen ones, those last seen at a site that does not answer for them.
    pub strayed: u32,
    /// Computers seen within these days that are on nobody's books.
    pub unregistered: u32,
    /// Machines of an unknown kind seen within these days that are on nobody's books.
    pub unregistered_unclassified: u32,
}

/// How far units are connected, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// Sites that there are to be.
    pub planned: u32,
    /// Of these, sites of which an agent was ever heard.
    pub attached: u32,
    /// Of these, sites of which an agent is heard now.
    pub reachable: u32,
}

/// How far an area is covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Its units.
    pub units: Units,
    /// Their terminals.
    pub terminals: Terminals,
}

impl Standing {
    /// Every standing, in order.
    pub const ALL: [Self; 3] = [Self::Seen, Self::Silent, Self::NeverSeen];

    /// Returns the name used in the API and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Silent => "silent",
            Self::NeverSeen => "never_seen",
        }
    }

    /// Returns how an asset stands that was last seen like this; `since` is the beginning of the days asked for.
    pub fn of(last: Option<LastSight>, since: Timestamp) -> Self {
        match last {
            None => Self::NeverSeen,
            Some(last) if last.at >= since => Self::Seen,
            Some(_) => Self::Silent,
        }
    }
}

/// Finds who is seen of what is on a site's books, and who is not on anybody's.
#[derive(Debug)]
pub struct Matcher<'a> {
    register: &'a AssetRegister,
    site: SiteId,
    at: Timestamp,
    /// The assets of the site of which only the IP address is known.
    by_ip: BTreeMap<IpAddr, &'a Asset>,
}

impl<'a> Matcher<'a> {
    /// Returns a matcher for what is seen at `site`, by the register as of `at`.
    pub fn new(register: &'a AssetRegister, site: SiteId, at: Timestamp) -> Self {
        let without_card = register.of_site(site, at).filter(|asset| asset.macs.is_empty());
        let by_ip = without_card.filter_map(|asset| Some((asset.ip?, asset))).collect();
        Self { register, site, at, by_ip }
    }

    /// Returns the asset that an endpoint of the site is: by its card, at whatever site that is on the books, or else by its
    /// address.
    pub fn asset(&self, mac: MacAddr, ips: impl IntoIterator<Item = IpAddr>) -> Option<&'a Asset> {
        let by_ip = || ips.into_iter().find_map(|ip| self.by_ip.get(&ip).copied());
        self.register.by_mac(mac, self.at).or_else(by_ip)
    }

    /// Counts the terminals of the site: `seen_here` are its endpoints, `last_of` says where and when a card was last seen
    /// anywhere, `since` is the beginning of the days asked for.
    pub fn terminals(
        &self,
        seen_here: &[Sight],
        last_of: impl Fn(MacAddr) -> Option<LastSight>,
        since: Timestamp,
    ) -> Terminals {
        let mut terminals = Terminals::default();
        for asset in self.register.of_site(self.site, self.at).filter(|asset| asset.is_computer()) {
            let last = self.last_sight(asset, seen_here, &last_of);
            terminals.registered += 1;
            match Standing::of(last, since) {
                Standing::Seen => terminals.seen += 1,
                Standing::Silent => terminals.silent += 1,
                Standing::NeverSeen => terminals.never_seen += 1,
            }
            let strayed = last.is_some_and(|last| last.at >= since && last.site != self.site);
            terminals.strayed += u32::from(strayed);
        }
        for is_computer in self.strangers(seen_here, since).into_values() {
            match is_computer {
                Some(true) => terminals.unregistered += 1,
                None => terminals.unregistered_unclassified += 1,
                Some(false) => {}
            }
        }
        terminals
    }

    /// Returns the terminals that are on nobody's books, and whether they are computers, as far as any of their cards tells.
    fn strangers(&self, seen_here: &[Sight], since: Timestamp) -> BTreeMap<TerminalId, Option<bool>> {
        let mut strangers: BTreeMap<TerminalId, Option<bool>> = BTreeMap::new();
        for sight in seen_here.iter().filter(|sight| sight.last_seen >= since && sight.vouched.is_none()) {
            if self.asset(sight.mac, sight.ips.iter().copied()).is_none() {
                let known = strangers.entry(sight.terminal).or_default();
                *known = (*known).max(sight.class.map(DeviceClass::is_computer));
            }
        }
        strangers
    }

    /// Returns where and when an asset of the site was last seen; of two sites at the same moment, at its own.
    pub fn last_sight(
        &self,
        asset: &Asset,
        seen_here: &[Sight],
        last_of: impl Fn(MacAddr) -> Option<LastSight>,
    ) -> Option<LastSight> {
        let key = |last: &LastSight| (last.at, last.site == self.site);
        let vouched = seen_here.iter().filter(|sight| sight.vouched == Some(asset.id));
        let vouched = vouched.map(|sight| LastSight { site: self.site, at: sight.last_seen });
        if !asset.macs.is_empty() {
            return asset.macs.iter().filter_map(|mac| last_of(*mac)).chain(vouched).max_by_key(key);
        }
        // A stranger's card under the address of a machine whose card is not on the books is taken for that machine; one that
        // is on the books is itself.
        let here = seen_here.iter().filter(|sight| asset.ip.is_some_and(|ip| sight.ips.contains(&ip)));
        let unknown = here.filter(|sight| self.register.by_mac(sight.mac, self.at).is_none());
        unknown.map(|sight| LastSight { site: self.site, at: sight.last_seen }).chain(vouched).max_by_key(key)
    }
}

impl Terminals {
    /// Returns the sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            registered: self.registered.saturating_add(other.registered),
            seen: self.seen.saturating_add(other.seen),
            silent: self.silent.saturating_add(other.silent),
            never_seen: self.never_seen.saturating_add(other.never_seen),
            strayed: self.strayed.saturating_add(other.strayed),
            unregistered: self.unregistered.saturating_add(other.unregistered),
            unregistered_unclassified: self.unregistered_unclassified.saturating_add(other.unregistered_unclassified),
        }
    }
}

impl Coverage {
    /// Returns the sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        let (one, two) = (self.units, other.units);
        let units = Units {
            planned: one.planned.saturating_add(two.planned),
            attached: one.attached.saturating_add(two.attached),
            reachable: one.reachable.saturating_add(two.reachable),
        };
        Self { units, terminals: self.terminals.plus(other.terminals) }
    }
}

/// Returns a part of a whole, between 0 and 1; `None` of nothing: an area without assets is not covered by 100 %.
pub fn ratio(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}

#[cfg(test)]
mod tests;
