//! Coverage, from the estate: which units are connected, and which of their terminals are seen.
//!
//! Invariant: the figures of a site follow from one snapshot, the register and a number of days; whoever counts, a page, a
//! metric or the daily record, counts alike. It does not ask who may see them ([`crate::access::View`] does).

mod kept;
mod report;

use std::collections::BTreeMap;

use onenet_topology::{
    EndpointId, MacAddr, SiteId, TerminalId, Timestamp,
    asset::Asset,
    coverage::{Coverage, LastSight, Matcher, Sight, Standing, Terminals, Units},
    endpoint::Endpoint,
    terminal::Terminal,
};

pub use kept::KeptCounts;
pub use report::{Part, Report};

use crate::{
    estate::{Estate, SiteState},
    terminals,
};

/// Days within which a terminal is to be seen, where nobody asks for others: a holiday and a business trip are no loss.
pub const DAYS_DEFAULT: u16 = 30;
/// The most days that can be asked for: endpoints that are silent longer are forgotten.
pub const DAYS_MAX: u16 = 400;

const DAY_MS: i64 = 86_400_000;

/// An asset and what is seen of it.
#[derive(Debug, Clone, Copy)]
pub struct Held<'e> {
    /// The asset.
    pub asset: &'e Asset,
    /// Where and when it was last seen.
    pub last: Option<LastSight>,
    /// How it stands by that.
    pub standing: Standing,
}

/// Returns the beginning of the last `days` days before `now`.
pub fn since(now: Timestamp, days: u16) -> Timestamp {
    now.plus_ms(-i64::from(days) * DAY_MS)
}

/// Returns how far a site is covered at `now`, by what was seen within the last `days` days.
pub fn of_site(estate: &Estate, site: SiteId, now: Timestamp, days: u16) -> Coverage {
    Coverage { units: units(estate, site), terminals: terminals(estate, site, now, since(now, days)) }
}

fn units(estate: &Estate, site: SiteId) -> Units {
    let mut units = Units { planned: 1, ..Units::default() };
    for agent in estate.agents_of(site).filter(|agent| agent.revoked.is_none()) {
        units.attached |= u32::from(agent.contact.last_heard.is_some());
        units.reachable |= u32::from(agent.is_heard() && agent.contact.connected_since.is_some());
    }
    units
}

fn terminals(estate: &Estate, site: SiteId, now: Timestamp, since: Timestamp) -> Terminals {
    let sights = estate.site(site).map(|state| sights(estate, state, now)).unwrap_or_default();
    Matcher::new(&estate.assets, site, now).terminals(&sights, |mac| last_sight(estate, mac, now), since)
}

/// Returns the assets on the books of a site, each with what is seen of it.
pub fn held(estate: &Estate, site: SiteId, now: Timestamp, days: u16) -> Vec<Held<'_>> {
    let sights = estate.site(site).map(|state| sights(estate, state, now)).unwrap_or_default();
    let matcher = Matcher::new(&estate.assets, site, now);
    let held = |asset| {
        let last = matcher.last_sight(asset, &sights, |mac| last_sight(estate, mac, now));
        Held { asset, last, standing: Standing::of(last, since(now, days)) }
    };
    estate.assets.of_site(site, now).map(held).collect()
}

/// Returns the asset that an endpoint of a site is, by the register as of `now`.
pub fn asset_of<'e>(estate: &'e Estate, site: SiteId, endpoint: &Endpoint, now: Timestamp) -> Option<&'e Asset> {
    // Whose card is known needs no look at the other assets of the site.
    let by_mac = estate.assets.by_mac(endpoint.mac, now);
    let ips = || endpoint.current_addresses().map(|it| it.ip);
    by_mac.or_else(|| Matcher::new(&estate.assets, site, now).asset(endpoint.mac, ips()))
}

fn sights(estate: &Estate, state: &SiteState, now: Timestamp) -> Vec<Sight> {
    let known = terminals::of_site(estate, state, now);
    let of = |terminal: &Terminal| terminal.endpoints.iter().map(|id| (*id, terminal.id)).collect::<Vec<_>>();
    let terminal_of: BTreeMap<EndpointId, TerminalId> = known.terminals.iter().flat_map(of).collect();
    let sight = |endpoint: &Endpoint| {
        Some(Sight {
            mac: endpoint.mac,
            ips: endpoint.current_addresses().map(|address| address.ip).collect(),
            class: known.cards.get(&endpoint.id)?.class,
            last_seen: last_seen(estate, endpoint, now)?,
            terminal: *terminal_of.get(&endpoint.id)?,
            vouched: known.vouched.get(&endpoint.id).copied(),
        })
    };
    state.known_endpoints().filter_map(|endpoint| sight(endpoint)).collect()
}

/// Returns where and when a card was last seen, at whatever site.
fn last_sight(estate: &Estate, mac: MacAddr, now: Timestamp) -> Option<LastSight> {
    let endpoints = estate.indexes.by_mac(mac).filter_map(|id| estate.endpoint(id));
    let sights =
        endpoints.filter_map(|(site, endpoint)| Some(LastSight { site, at: last_seen(estate, endpoint, now)? }));
    sights.max_by_key(|last| (last.at, last.site))
}

/// Returns when an endpoint was last seen. An agent says what changes: whom one that is heard holds for present is seen now.
fn last_seen(estate: &Estate, endpoint: &Endpoint, now: Timestamp) -> Option<Timestamp> {
    let heard = || endpoint.holders().any(|agent| estate.is_heard(agent));
    if endpoint.is_present() && heard() { Some(now) } else { endpoint.last_seen() }
}
