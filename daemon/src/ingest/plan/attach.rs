//! Attachments: where the endpoints of a site are, from the tables of its devices.
//!
//! Invariant: the inference sees one site's evidence at a time, seldom and never on a report's path. An endpoint that was
//! somewhere is believed to have moved when two walks over the tables say so, or when its old port is down or turned out to
//! lead there. Rows that a walk missed or that age out of tables leave the endpoint where it was last: absence is no move.
//! What waits for its second walk is a part of the endpoint, and survives a start.

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{
    DeviceId, SiteId, Timestamp,
    device::Handle,
    endpoint::{Endpoint, Located, Origin},
    fact::{InterfaceStatus, Method},
    inference::{Attachment, Place, Where, infer},
};

use super::{Draft, evidence::evidence, links, merging};
use crate::estate::{Change, SiteState};

/// Sites that one tick settles, so that a country that reports at once does not hold up the log.
const SITES_PER_TICK: usize = 8;
/// What is told of tables this much later, in milliseconds, is of another walk: times that an agent told on two streams may
/// differ by a little.
const WALK_MIN_MS: i64 = 1_000;

/// Settles sites whose tables changed.
pub(super) fn settle(draft: &mut Draft<'_>) {
    let now = draft.record.time;
    let due: Vec<SiteId> = draft
        .next
        .unsettled
        .get()
        .iter()
        .filter(|(_, since)| now.ms_since(**since) >= draft.policy.settle_after_ms)
        .map(|(site, _)| *site)
        .take(SITES_PER_TICK)
        .collect();
    for site in due {
        settle_site(draft, site);
        draft.put(Change::Unsettled { site, since: None });
    }
}

fn settle_site(draft: &mut Draft<'_>, site: SiteId) {
    if merging::settle(draft, site) {
        links::derive(draft, site);
    }
    let Some(state) = draft.next.site(site).cloned() else { return };
    let mut inference = infer(&evidence(&state));
    // It is kept until the tables change: without the room that lists have to grow.
    for attachment in inference.attachments.values_mut() {
        attachment.also.shrink_to_fit();
        attachment.rejected.shrink_to_fit();
    }
    let inference = Arc::new(inference);
    if *inference != **state.inference.get() {
        draft.put(Change::Inferred { site, inference: Arc::clone(&inference) });
    }
    let mut walks = Walked { state: &state, newest: BTreeMap::new() };
    for (mac, attachment) in &inference.attachments {
        let Some(endpoint) = state.endpoint_by_mac(*mac) else { continue };
        let Some(located) = locate(&mut walks, endpoint, attachment, draft.record.time) else { continue };
        if endpoint.located.as_ref() != Some(&located) {
            let endpoint = Arc::new(Endpoint { located: Some(located), ..Endpoint::clone(endpoint) });
            draft.put(Change::Endpoint { site, endpoint });
        }
    }
}

/// Returns where the endpoint is now believed to be; `None` when nothing was ever known.
fn locate(walks: &mut Walked<'_>, endpoint: &Endpoint, found: &Attachment, now: Timestamp) -> Option<Located> {
    let at = found.at;
    let here = |since| Some(Located { at, since, contender: None });
    let Some(known) = &endpoint.located else {
        return if at == Where::Nowhere { None } else { here(now) };
    };
    // Devices may have been merged since, which is no move either.
    let known = Located { at: walks.state.canonical_place(known.at), contender: None, since: known.since };
    if is_same_place(at, known.at) {
        // A VLAN may become known, or change, without a move.
        return here(known.since);
    }
    let is_still =
        matches!(known.at, Where::Port(old) if found.lacks(old) || found.also.iter().any(|it| is_port(*it, old)));
    if at == Where::Nowhere || is_still {
        return Some(known);
    }
    if is_plain(walks.state, known.at, found) {
        return here(now);
    }
    let contender = endpoint.located.as_ref().and_then(|located| located.contender.as_deref().copied());
    let contender = contender.filter(|(contender, _)| is_same_place(walks.state.canonical_place(*contender), at));
    let Some(walk) = walks.of(endpoint, at) else {
        return Some(Located { contender: Some(Box::new(contender.unwrap_or((at, now)))), ..known });
    };
    let first = contender.map_or(walk, |(_, first)| first.min(walk));
    let again = |walk: Timestamp| walk.ms_since(first) >= WALK_MIN_MS;
    // Whoever still has it at the old port has to be read again too.
    let old = if walks.is_still_at(endpoint, known.at) { walks.of(endpoint, known.at) } else { None };
    if again(walk) && old.is_none_or(again) {
        // It was believed to be at the old place then, so it moved later.
        here(first.max(known.since.plus_ms(1)))
    } else {
        Some(Located { contender: Some(Box::new((at, first))), ..known })
    }
}

fn is_port(one: Place, other: Place) -> bool {
    (one.device, one.interface) == (other.device, other.interface)
}

fn is_same_place(one: Where, other: Where) -> bool {
    match (one, other) {
        (Where::Port(one), Where::Port(other)) => is_port(one, other),
        (Where::Behind { device: one, .. }, Where::Behind { device: other, .. }) => one == other,
        (one, other) => one == other,
    }
}

const fn device_of(at: Where) -> Option<DeviceId> {
    match at {
        Where::Port(Place { device, .. }) | Where::Behind { device, .. } => Some(device),
        Where::Nowhere => None,
    }
}

/// Returns whether one walk is enough: the endpoint is plainly at a port, and the old one is down, or turned out to lead there.
/// The core's table may come before the access switch's, and then the endpoint is at the uplink first: what follows says where it
/// was all the time. A forged frame at another switch cannot do this, since a terminal's own port leads nowhere.
fn is_plain(state: &SiteState, old: Where, found: &Attachment) -> bool {
    let Where::Port(old) = old else { return found.is_sure() };
    let is_down = |state: &SiteState| match state.interface(old.device, old.interface) {
        Some(interface) => interface.said.oper == InterfaceStatus::Down || !interface.current,
        None => true,
    };
    found.is_sure() && (found.overturns(old) || is_down(state))
}

/// When the tables of a site were last read, as far as they tell of it: agents tell what changed, and each ten minutes what
/// stayed.
struct Walked<'s> {
    state: &'s SiteState,
    newest: BTreeMap<Arc<Origin>, Option<Timestamp>>,
}

impl Walked<'_> {
    /// Returns when the tables that have an endpoint were last read: those of the device where it is, else any.
    fn of(&mut self, endpoint: &Endpoint, at: Where) -> Option<Timestamp> {
        let tables = endpoint.evidence.own_sights().filter(|it| it.current && is_table(it.origin)).map(|it| it.origin);
        let tables: Vec<&Arc<Origin>> = tables.collect();
        let device = device_of(at);
        let is_there = |table: &&Arc<Origin>| device.is_some_and(|device| self.is_of(device, table));
        let of_device: Vec<_> = tables.iter().copied().filter(is_there).collect();
        let which = if of_device.is_empty() { tables } else { of_device };
        which.into_iter().filter_map(|table| self.newest(table)).max()
    }

    /// Returns whether a table still has an endpoint at a port.
    fn is_still_at(&self, endpoint: &Endpoint, at: Where) -> bool {
        let Where::Port(old) = at else { return false };
        let Some(port) = self.state.interface(old.device, old.interface) else { return false };
        endpoint.evidence.own_sights().any(|it| {
            it.current
                && is_table(it.origin)
                && it.interface == Some(port.said.name.as_str())
                && self.is_of(old.device, it.origin)
        })
    }

    fn is_of(&self, device: DeviceId, table: &Origin) -> bool {
        let handles = self.state.device(device).map_or(&[][..], |device| &device.handles);
        handles.iter().any(|handle: &Handle| handle.agent == table.agent && handle.scope == table.group.scope)
    }

    fn newest(&mut self, table: &Arc<Origin>) -> Option<Timestamp> {
        let state = self.state;
        *self.newest.entry(Arc::clone(table)).or_insert_with(|| {
            let held = state.group(table.agent, &table.group)?;
            held.rows().map(|row| row.observed).max()
        })
    }
}

fn is_table(origin: &Origin) -> bool {
    let method = origin.group.method;
    Method::FORWARDING.contains(&method) || method == Method::SnmpStations
}
