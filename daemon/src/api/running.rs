//! Since when a device runs, as it says itself: what times of its own are told by.
//!
//! Invariant: sysUpTime begins anew after 2^32 hundredths of a second; what was told before the device started anew is of no
//! time that is known.

use onenet_topology::{
    SiteId, Timestamp,
    device::{Device, Interface},
    fact::{HistoryBody, Scope},
};

use super::{App, Problem};
use crate::{
    centre::Centre,
    estate::{FRESH_MS, SiteState},
    store::{SampleKind, SampleQuery, StoreError},
};

/// sysUpTime begins anew after so many seconds.
const WRAP_S: u64 = 42_949_672;
/// By how much two readings of one moment may differ, in seconds.
const TOLERANCE_S: u64 = 60;

/// How long a device had been running when it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Running {
    at: Timestamp,
    up_s: u64,
}

/// Returns since when a device runs; `None` where it did not say so of late.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn running(
    app: &App,
    state: &SiteState,
    device: &Device,
    now: Timestamp,
) -> Result<Option<Running>, Problem> {
    if device.interfaces.iter().all(|it| it.said.last_change_s.is_none()) {
        return Ok(None);
    }
    let scopes: Vec<Scope> = device.handles.iter().map(|handle| handle.scope.clone()).collect();
    let (centre, site) = (app.centre.clone(), state.id);
    let read = tokio::task::spawn_blocking(move || latest(&centre, site, &scopes, now));
    read.await.map_err(|_| Problem::internal())?.map_err(|error| Problem::unavailable(error.to_string()))
}

fn latest(centre: &Centre, site: SiteId, scopes: &[Scope], now: Timestamp) -> Result<Option<Running>, StoreError> {
    let mut latest: Option<Running> = None;
    for scope in scopes {
        let query = SampleQuery {
            site,
            agent: None,
            scope: scope.clone(),
            kind: SampleKind::Device,
            item: None,
            from: now.plus_ms(-FRESH_MS),
            until: now.plus_ms(1),
            limit: 1,
        };
        for sample in centre.latest_samples(&query)? {
            let HistoryBody::Device(told) = sample.item.body else { continue };
            let Some(up_ms) = told.uptime_ms else { continue };
            let running = Running { at: sample.item.time, up_s: up_ms / 1_000 };
            latest = latest.into_iter().chain([running]).max_by_key(|running| running.at);
        }
    }
    Ok(latest)
}

impl Running {
    /// Returns when the state of an interface last changed; `None` where the device does not tell.
    pub(crate) fn last_change(self, interface: &Interface) -> Option<Timestamp> {
        let changed_s = u64::from(interface.said.last_change_s?);
        let ago_s = match self.up_s.checked_sub(changed_s) {
            Some(ago_s) => ago_s,
            None if changed_s <= self.up_s + TOLERANCE_S => 0,
            None => (self.up_s + WRAP_S).checked_sub(changed_s)?,
        };
        let before = |seconds: u64| self.at.plus_ms(-i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX));
        // What was told before the device started anew counts from another start.
        (before(self.up_s) <= interface.observed.plus_ms(i64::try_from(TOLERANCE_S * 1_000).unwrap_or(0)))
            .then(|| before(ago_s))
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::{Id, fact};

    use super::*;

    fn interface(observed_s: i64, last_change_s: Option<u32>) -> Interface {
        let said = fact::Interface {
            name: "ge1".into(),
            if_index: 1,
            alias: String::new(),
            if_type: 6,
            mac: None,
            speed_bps: None,
            full_duplex: None,
            admin: fact::InterfaceStatus::Up,
            oper: fact::InterfaceStatus::Up,
            last_change_s,
        };
        Interface { id: Id::from_raw(1), observed: at(observed_s), current: true, said }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1_000)
    }

    #[test]
    fn the_time_of_a_change_follows_from_how_long_the_device_runs() {
        let running = Running { at: at(1_000_000), up_s: 5_000 };
        assert_eq!(running.last_change(&interface(999_990, Some(2_000))), Some(at(997_000)));
        assert_eq!(running.last_change(&interface(999_990, None)), None);
        assert_eq!(running.last_change(&interface(999_990, Some(5_030))), Some(at(1_000_000)), "read a moment later");
    }

    #[test]
    fn a_change_before_the_device_s_clock_began_anew_keeps_its_time() {
        let running = Running { at: at(100_000_000), up_s: 100 };
        assert_eq!(running.last_change(&interface(99_999_990, Some(42_949_072))), Some(at(100_000_000 - 700)));
    }

    #[test]
    fn what_was_told_before_a_restart_is_of_no_known_time() {
        let running = Running { at: at(1_000_000), up_s: 5_000 };
        assert_eq!(running.last_change(&interface(990_000, Some(2_000))), None);
    }
}
