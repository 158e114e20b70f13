//! Tells the centre what flows add up to: each interval, by endpoint and application, the greatest sums apart and the rest as one.
//!
//! Task: [`tell`] runs until it is told to stop, and tells then what was left; cancelling it loses the interval that it is in.

use std::{sync::Arc, time::Duration};

use onenet_topology::{
    Timestamp,
    fact::{ApplicationSample, HistoryBody, HistoryItem, Scope},
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, flow_log::FlowLog, observations::Observations, roll_up::RolledUp};

/// Sums that are told apart. A county's twenty terminals have a hundred; of more, those that moved most: 17 KB an interval.
const TOLD_APART: usize = 512;

/// Tells what flows added up to, each `every`, until `stop`.
pub(crate) async fn tell(
    log: Arc<FlowLog>,
    every: Duration,
    clock: Clock,
    observations: Observations,
    stop: CancellationToken,
) {
    let mut tick = interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first is at once, when there is nothing to tell.
    tick.tick().await;
    let mut since = clock.timestamp();
    loop {
        let stopped = tokio::select! {
            () = stop.cancelled() => true,
            _ = tick.tick() => false,
        };
        let now = clock.timestamp();
        let items = samples(log.roll_up(TOLD_APART), since, now);
        since = now;
        if !items.is_empty() {
            observations.history(items).await;
        }
        if stopped {
            return;
        }
    }
}

/// Returns the samples of an interval.
fn samples(rolled: RolledUp, since: Timestamp, now: Timestamp) -> Vec<HistoryItem> {
    let interval_ms = u64::try_from(now.ms_since(since)).unwrap_or(0);
    let apart = rolled.rows.into_iter().map(|(mac, application, totals)| (Some(mac), application, totals));
    let rest = rolled.rest.into_iter().map(|(application, totals)| (None, application, totals));
    let item = |(mac, application, totals)| HistoryItem {
        time: now,
        // What all interfaces heard: the flow log knows a flow once.
        scope: Scope::new(""),
        body: HistoryBody::Application(ApplicationSample { mac, application, interval_ms, totals }),
    };
    apart.chain(rest).map(item).collect()
}

#[cfg(test)]
mod tests {
    use onenet_topology::{MacAddr, application::Application, fact::FlowTotals};

    use super::*;

    #[test]
    fn an_interval_is_told_with_the_rest_behind_what_is_told_apart() {
        let sent = |bytes_out| FlowTotals { bytes_out, ..FlowTotals::default() };
        let mac = MacAddr([0, 27, 33, 0, 0, 1]);
        let rolled = RolledUp { rows: vec![(mac, Some(Application::Tls), sent(9))], rest: vec![(None, sent(2))] };
        let now = Timestamp::from_unix_ms(1_800_000_000_000);
        let items = samples(rolled, now.plus_ms(-900_000), now);
        let told: Vec<_> = items
            .iter()
            .map(|item| match &item.body {
                HistoryBody::Application(it) => (item.time, it.mac, it.interval_ms, it.totals.bytes_out),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [(now, Some(mac), 900_000, 9), (now, None, 900_000, 2)]);
    }
}
