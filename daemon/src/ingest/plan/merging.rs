//! Which accounts of devices are of one device, put into the estate.
//!
//! Invariant: what the estate shows follows from the accounts and operators' rulings alone, so that it is computed again when it is read back and
//! is not stored. Accounts are compared within their site: an agent reports for one site, and says nothing of another's
//! devices (invariants 1, 7). A report costs no more than a comparison of [`AT_ONCE_MAX`] accounts; a site that has more is
//! grouped when it is settled, by a tick.

use std::{collections::BTreeSet, sync::Arc};

use onenet_topology::{
    DeviceId, SiteId, SpaceId,
    device::Device,
    merge::{self, Rulings, groups, merged},
};

use super::Draft;
use crate::estate::{Change, SiteState};

/// Accounts of one site that are compared while a report is planned: a ministry has some 150 devices.
const AT_ONCE_MAX: usize = 256;

/// What a batch changed in one account.
pub(super) struct Told {
    /// The account.
    pub(super) id: DeviceId,
    /// Whether its names changed, or it is new: it may be of another device than before.
    pub(super) renamed: bool,
}

/// Brings the site's devices in line with the accounts that changed.
pub(super) fn follow(draft: &mut Draft<'_>, site: SiteId, told: &[Told]) {
    let Some(state) = draft.next.site(site).cloned() else { return };
    let renamed = told.iter().any(|it| it.renamed);
    let changes = if renamed && state.accounts.len() <= AT_ONCE_MAX {
        regrouped(&state)
    } else {
        let touched: BTreeSet<DeviceId> = told.iter().map(|it| state.canonical(it.id)).collect();
        touched.into_iter().filter_map(|device| again(&state, device)).collect()
    };
    for change in changes {
        draft.put(change);
    }
}

/// Groups the accounts of a site that has too many to do so on a report's path. Returns whether anything changed.
pub(super) fn settle(draft: &mut Draft<'_>, site: SiteId) -> bool {
    let Some(state) = draft.next.site(site).filter(|state| state.accounts.len() > AT_ONCE_MAX).cloned() else {
        return false;
    };
    let changes = regrouped(&state);
    let any = !changes.is_empty();
    for change in changes {
        draft.put(change);
    }
    any
}

/// Groups the accounts of a site anew, after somebody ruled of two of them.
pub(super) fn ruled(draft: &mut Draft<'_>, site: SiteId) {
    let Some(state) = draft.next.site(site).cloned() else { return };
    for change in regrouped(&state) {
        draft.put(change);
    }
    super::links::derive(draft, site);
    draft.put(Change::Unsettled { site, since: Some(draft.record.time) });
}

/// Returns whether two states of an account have other names.
pub(super) fn is_renamed(site: SiteId, old: &Device, new: &Device) -> bool {
    // Most changes are of what a device does, not of what it is.
    let same = old.system == new.system
        && old.entities == new.entities
        && old.answering.iter().map(|it| &it.reach.target).eq(new.answering.iter().map(|it| &it.reach.target))
        && ports(old).eq(ports(new));
    !same && merge::names(old, space(site)) != merge::names(new, space(site))
}

fn ports(account: &Device) -> impl Iterator<Item = Option<onenet_topology::MacAddr>> {
    account.interfaces.iter().filter(|it| it.current).map(|it| it.said.mac)
}

/// Returns the changes that bring the devices of a site in line with its accounts.
pub(crate) fn regrouped(state: &SiteState) -> Vec<Change> {
    let site = state.id;
    let rulings: Rulings = state.rulings.iter().map(|(pair, ruling)| (*pair, ruling.same)).collect();
    let groups = groups(state.accounts.values().map(AsRef::as_ref), space(site), &rulings);
    let devices: BTreeSet<DeviceId> = groups.iter().filter_map(|group| group.first().copied()).collect();
    let gone = state.devices.keys().filter(|id| !devices.contains(id));
    let mut changes: Vec<Change> = gone.map(|id| Change::Merged { site, id: *id, device: None }).collect();
    changes.extend(groups.iter().filter_map(|group| of_accounts(state, group)));
    changes
}

/// Returns the change that takes over what the accounts of one device say; `None` when it says nothing new.
fn again(state: &SiteState, device: DeviceId) -> Option<Change> {
    let accounts: Vec<DeviceId> = match state.devices.get(&device) {
        Some(known) => known.handles.iter().filter_map(|handle| state.handles.get(handle).copied()).collect(),
        None => vec![device],
    };
    of_accounts(state, &accounts)
}

fn of_accounts(state: &SiteState, accounts: &[DeviceId]) -> Option<Change> {
    let accounts: Vec<&Arc<Device>> = accounts.iter().filter_map(|id| state.accounts.get(id)).collect();
    let device = merged(&accounts)?;
    let known = state.devices.get(&device.id);
    let same = known.is_some_and(|known| Arc::ptr_eq(known, &device) || *known == device);
    (!same).then(|| Change::Merged { site: state.id, id: device.id, device: Some(device) })
}

/// Returns the space of the addresses at which a site's agents manage devices: within a site they mean one thing.
pub(crate) const fn space(site: SiteId) -> SpaceId {
    SpaceId::from_raw(site.raw())
}
