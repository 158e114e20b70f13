//! Attachments: where the endpoints of a site are, from the tables of its devices.
//!
//! Invariant: the inference sees one site's evidence at a time, seldom and never on a report's path; an endpoint that was
//! somewhere is believed to have moved only when the evidence for the new place is plain, or has stayed for a while. Rows
//! that age out of tables leave the endpoint where it was last: absence is no move.

use std::sync::Arc;

use onenet_topology::{
    SiteId, Timestamp,
    device::Handle,
    endpoint::{Endpoint, Located},
    fact::{InterfaceStatus, Method},
    inference::{Attachment, Place, Reason, RejectReason, Where, infer},
};

use super::{Draft, evidence::evidence, links, merging};
use crate::estate::{Change, SiteState};

/// Sites that one tick settles, so that a country that reports at once does not hold up the log.
const SITES_PER_TICK: usize = 8;
/// Confidence from which an edge port convinces at once.
const PLAIN: u8 = 50;

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
        let waiting = settle_site(draft, site);
        // Whoever is on the move is looked at again.
        draft.put(Change::Unsettled { site, since: waiting.then_some(now) });
    }
}

/// Returns whether some endpoint's move is not believed yet.
fn settle_site(draft: &mut Draft<'_>, site: SiteId) -> bool {
    if merging::settle(draft, site) {
        links::derive(draft, site);
    }
    let Some(state) = draft.next.site(site).cloned() else { return false };
    let inference = Arc::new(infer(&evidence(&state)));
    if *inference != **state.inference.get() {
        draft.put(Change::Inferred { site, inference: Arc::clone(&inference) });
    }
    let (now, hold_ms) = (draft.record.time, draft.policy.move_hold_ms);
    let mut waiting = false;
    for (mac, attachment) in &inference.attachments {
        let Some(endpoint) = state.endpoint_by_mac(*mac) else { continue };
        let Some(located) = locate(&state, endpoint, attachment, now, hold_ms) else { continue };
        waiting |= located.contender.is_some();
        if endpoint.located.as_ref() != Some(&located) {
            let endpoint = Arc::new(Endpoint { located: Some(located), ..Endpoint::clone(endpoint) });
            draft.put(Change::Endpoint { site, endpoint });
        }
    }
    waiting
}

/// Returns where the endpoint is now believed to be; `None` when nothing was ever known.
fn locate(state: &SiteState, endpoint: &Endpoint, found: &Attachment, now: Timestamp, hold_ms: i64) -> Option<Located> {
    let at = found.at;
    let here = |since| Some(Located { at, since, contender: None });
    let Some(known) = &endpoint.located else {
        return if at == Where::Nowhere { None } else { here(now) };
    };
    // Devices may have been merged since, which is no move either.
    let known = Located { at: state.canonical_place(known.at), ..known.clone() };
    if at == Where::Nowhere || is_same_place(at, known.at) {
        // A VLAN may become known, or change, without a move.
        let at = if at == Where::Nowhere { known.at } else { at };
        return Some(Located { at, since: known.since, contender: None });
    }
    let since = match known.contender {
        Some((contender, since)) if is_same_place(state.canonical_place(contender), at) => since,
        _ => now,
    };
    if is_plain(state, endpoint, known.at, found) || now.ms_since(since) >= hold_ms {
        return here(since);
    }
    Some(Located { at: known.at, since: known.since, contender: Some((at, since)) })
}

fn is_same_place(one: Where, other: Where) -> bool {
    match (one, other) {
        (Where::Port(one), Where::Port(other)) => (one.device, one.interface) == (other.device, other.interface),
        (Where::Behind { device: one, .. }, Where::Behind { device: other, .. }) => one == other,
        (one, other) => one == other,
    }
}

/// Returns whether a move is beyond doubt: to the only edge port, while the old port is down, has the address no more, or
/// turned out to be on the way there.
fn is_plain(state: &SiteState, endpoint: &Endpoint, old: Where, found: &Attachment) -> bool {
    let edge = matches!(found.reason, Reason::EdgePort { .. }) && found.confidence >= PLAIN;
    let Where::Port(old) = old else { return edge };
    if is_on_the_way(old, found) {
        return edge;
    }
    let Some(interface) = state.interface(old.device, old.interface) else { return edge };
    let down = interface.said.oper == InterfaceStatus::Down || !interface.current;
    let handles = state.device(old.device).map_or(&[][..], |device| &device.handles);
    let still_there = endpoint.witnesses.iter().any(|witness| {
        let of_device =
            |handle: &Handle| handle.agent == witness.source.agent && handle.scope == witness.source.group.scope;
        witness.current
            && Method::FORWARDING.contains(&witness.source.group.method)
            && witness.interface.as_deref() == Some(interface.said.name.as_str())
            && handles.iter().any(of_device)
    });
    edge && (down || !still_there)
}

/// Returns whether a port leads to where the endpoint was found. The core's table may come before the access switch's, and
/// then the endpoint is at the uplink first: what follows says where it was all the time. A forged frame at another switch
/// cannot do this, since a terminal's own port leads nowhere.
fn is_on_the_way(old: Place, found: &Attachment) -> bool {
    found.rejected.iter().any(|rejected| {
        (rejected.device, rejected.interface) == (old.device, Some(old.interface))
            && matches!(rejected.reason, RejectReason::LeadsTo { .. } | RejectReason::BetweenSwitches { .. })
    })
}
