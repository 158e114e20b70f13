//! Connect scans that somebody approved: at its hour, each port of each host is connected to once, and let go without a word.
//!
//! Invariants: no more connections are begun in a second than the scan says, whatever answers; nothing is sent over a connection; a
//! scan whose hour passed while the agent was off waits for its next. What is open goes to the detectors, which hold it against
//! the register.
//!
//! Tasks: one for each scan, each with the connections that it began. They wait for nothing but time and connections, and may be ended
//! anywhere: what was found by then was told.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use onenet_topology::{Timestamp, coverage::Day};
use tokio::{
    net::TcpStream,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    clock::Clock,
    config::ScanConfig,
    meter::{Meter, Open},
};

/// How long a connection is waited for.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Scans, as long as they are configured.
pub(crate) struct Scanning {
    clock: Clock,
    meter: Meter,
    configured: Vec<ScanConfig>,
    running: Vec<JoinHandle<()>>,
}

impl Scanning {
    /// Returns what scans nothing.
    pub(crate) const fn new(clock: Clock, meter: Meter) -> Self {
        Self { clock, meter, configured: Vec::new(), running: Vec::new() }
    }

    /// Scans as this says from now on.
    pub(crate) async fn set(&mut self, scans: &[ScanConfig]) {
        if self.configured == scans {
            return;
        }
        self.stop().await;
        self.configured = scans.to_vec();
        for scan in scans {
            let (scan, clock, meter) = (Arc::new(scan.clone()), self.clock, self.meter.clone());
            self.running.push(tokio::spawn(async move {
                loop {
                    let now = clock.timestamp();
                    let wait_ms = begins(&scan, now).ms_since(now);
                    sleep(Duration::from_millis(wait_ms.unsigned_abs())).await;
                    tracing::info!(approval = scan.approval, "a connect scan begins");
                    once(&scan, clock, &meter).await;
                }
            }));
        }
    }

    /// Ends all scans.
    pub(crate) async fn stop(&mut self) {
        for running in self.running.drain(..) {
            running.abort();
            // It was told to end.
            let _ = running.await;
        }
    }
}

/// Returns when a scan begins next: at its time of a day whose number, counted in China, its days divide.
fn begins(scan: &ScanConfig, now: Timestamp) -> Timestamp {
    let every = i32::try_from(scan.every_days.max(1)).unwrap_or(i32::MAX);
    let of = |day: i32| Day(day).start().plus_ms(i64::from(scan.begins_min) * 60_000);
    let today = Day::of(now).0;
    let last = today.saturating_sub(today.rem_euclid(every));
    let this = of(last);
    if this > now { this } else { of(last.saturating_add(every)) }
}

/// Scans once.
async fn once(scan: &ScanConfig, clock: Clock, meter: &Meter) {
    let mut pace = interval(Duration::from_secs(1) / scan.per_s.max(1));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asking = JoinSet::new();
    for (host, port) in scan.places() {
        pace.tick().await;
        asking.spawn(asked(host, port));
        while let Some(answer) = asking.try_join_next() {
            tell(answer.ok().flatten(), scan, clock, meter);
        }
    }
    while let Some(answer) = asking.join_next().await {
        tell(answer.ok().flatten(), scan, clock, meter);
    }
}

/// Connects, and returns where and from which address.
async fn asked(host: IpAddr, port: u16) -> Option<(SocketAddr, IpAddr)> {
    let to = SocketAddr::new(host, port);
    let stream = timeout(CONNECT_WITHIN, TcpStream::connect(to)).await.ok()?.ok()?;
    Some((to, stream.local_addr().ok()?.ip()))
}

fn tell(open: Option<(SocketAddr, IpAddr)>, scan: &ScanConfig, clock: Clock, meter: &Meter) {
    if let Some((at, client)) = open {
        meter.open(Open { time: clock.timestamp(), at, client, approval: scan.approval.clone() });
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, net::TcpListener};

    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn scan() -> ScanConfig {
        ScanConfig {
            targets: vec!["127.0.0.1/32".parse().unwrap()],
            ports: Vec::new(),
            approval: "2026-17".into(),
            per_s: 200,
            begins_min: 150,
            every_days: 1,
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::from_day_or_time(text).unwrap()
    }

    #[test]
    fn a_scan_begins_at_its_time_of_the_day_in_china_and_each_so_many_days() {
        let daily = scan();
        assert_eq!(begins(&daily, at("2026-11-29T02:29:59+08:00")), at("2026-11-29T02:30:00+08:00"));
        assert_eq!(begins(&daily, at("2026-11-29T02:30:00+08:00")), at("2026-11-30T02:30:00+08:00"));
        let weekly = ScanConfig { every_days: 7, ..scan() };
        let first = begins(&weekly, at("2026-11-29T12:00:00+08:00"));
        assert_eq!(begins(&weekly, first).ms_since(first), 7 * DAY_MS);
        assert!(first.ms_since(at("2026-11-29T12:00:00+08:00")) <= 7 * DAY_MS);
    }

    #[tokio::test]
    async fn what_is_open_is_told_and_what_is_closed_is_not() {
        let open: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let ports: BTreeSet<u16> = open.iter().map(|it| it.local_addr().unwrap().port()).collect();
        let all = ports.iter().copied().chain([closed]);
        let scan = ScanConfig { ports: all.map(|port| port..=port).collect(), ..scan() };
        let meter = Meter::default();
        once(&scan, Clock::start([0; 16]), &meter).await;
        let told = meter.opened();
        assert_eq!(told.iter().map(|it| it.at.port()).collect::<BTreeSet<_>>(), ports);
        assert!(told.iter().all(|it| it.approval == "2026-17" && it.client.is_loopback()), "{told:?}");
    }
}
