//! What is kept of a change for pictures of the past.
//!
//! Invariant: whatever changes devices, endpoints or links goes through [`super::Draft::put`], and so through here, before the
//! estate has it: what it looked like before is never lost. A site keeps at most [`ALTERATIONS_A_DAY`], so that a flood of
//! forged addresses, or a link that comes and goes, does not fill the disk.

use onenet_topology::{SiteId, Timestamp, coverage::Day, picture::Alteration};

use super::Draft;
use crate::estate::Change;

/// Alterations of a site that are kept of one day: more than a ministry's terminals move.
const ALTERATIONS_A_DAY: usize = 20_000;

/// Returns what is to be seen of `change`, which the draft is about to make.
pub(super) fn of(draft: &Draft<'_>, change: &Change) -> Option<Change> {
    let now = draft.record.time;
    let (site, alterations) = alterations(draft, change, now)?;
    let day = Day::of(alterations.last()?.time);
    let room = ALTERATIONS_A_DAY.saturating_sub(draft.next.altered_on(site, day));
    if room == 0 {
        return None;
    }
    if room <= alterations.len() {
        tracing::warn!(%site, "more changes on one day than are kept: pictures of that day will not show all of them");
    }
    let alterations: Vec<Alteration> = alterations.into_iter().take(room).collect();
    Some(Change::Altered { position: draft.record.position, ordinal: draft.altered, site, alterations })
}

/// Returns how many alterations a change holds.
pub(super) fn len(change: &Change) -> usize {
    if let Change::Altered { alterations, .. } = change { alterations.len() } else { 0 }
}

fn alterations(draft: &Draft<'_>, change: &Change, now: Timestamp) -> Option<(SiteId, Vec<Alteration>)> {
    let state = |site| draft.next.site(site);
    Some(match change {
        Change::Endpoint { site, endpoint } => {
            let before = state(*site)?.endpoints.get(&endpoint.id)?;
            (*site, Alteration::of_endpoint(now, before, Some(endpoint)).into_iter().collect())
        }
        Change::EndpointForgotten { site, id } => {
            let before = state(*site)?.endpoints.get(id)?;
            (*site, Alteration::of_endpoint(now, before, None).into_iter().collect())
        }
        Change::Merged { site, id, device } => {
            let before = state(*site).and_then(|state| state.devices.get(id)).map(AsRef::as_ref);
            (*site, Alteration::of_device(*id, now, before, device.as_deref()).into_iter().collect())
        }
        Change::Links { site, links } => (*site, Alteration::of_links(now, &state(*site)?.links, links)),
        _ => return None,
    })
}
