//! Discovery: from what configured devices tell of their neighbours, and from sweeps, to devices that are polled too.
//!
//! Invariants: without an allow-list nothing is looked for; an address outside it is asked for nothing; what is found
//! survives a restart under the same name. Whoever polls is told of a change and takes the whole list.
//!
//! Tasks: one, [`Finder::run`], which asks and has sweeps run in a blocking thread of their own, one at a time. Cancelling it
//! is safe: what was not written yet is asked again; a sweep ends within moments of `stop`.

mod ask;
mod book;
mod listing;
mod patrol;
mod probe;
mod space;
mod sweep;

use std::{
    collections::HashMap,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use onenet_snmp::{Identity, Sockets, System};
use onenet_topology::{
    Timestamp,
    fact::{Event, EventKind, HistoryBody, HistoryItem, Scope},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::probe::{ProbeSockets, Segment, announce, segments};
pub use self::{
    book::{Candidate, Source, Verdict},
    listing::{Listing, ListingError},
    patrol::SweepReport,
};

use self::book::{Added, Answer, Book, DeviceIdentity, Known, Rules};
use crate::{
    clock::Clock,
    config::{DeviceConfig, DiscoveryConfig, SiteConfig, covers},
    observations::Observations,
};

/// How many addresses are asked at a time: each waits seconds where nobody answers.
const AT_A_TIME: usize = 32;

/// How many addresses are asked before the list is looked at again, so that what is found is polled soon.
const AT_ONCE: usize = 256;

/// The longest sleep between two looks at what is due.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The port of SNMP agents (RFC 3417).
const PORT: u16 = 161;

/// A running sweep.
type Sweeping = JoinHandle<(SweepReport, Vec<IpAddr>)>;

/// Finds devices. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Finder {
    shared: Arc<Shared>,
}

struct Shared {
    data: PathBuf,
    clock: Clock,
    observations: Observations,
    sockets: Sockets,
    probes: ProbeSockets,
    state: Mutex<State>,
    /// Something new may be due.
    wake: Notify,
    /// The list of devices changed.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    config: Option<DiscoveryConfig>,
    /// Names of the credentials, in their order.
    names: Vec<String>,
    configured: Vec<Known>,
    book: Book,
    sweep: Option<SweepReport>,
    added: Vec<Added>,
    /// Grows whenever there is something to write.
    version: u64,
    written: u64,
}

impl State {
    /// Does something with the rules in force; `None` when nothing is looked for.
    fn ruled<T>(&mut self, work: impl FnOnce(&mut Book, Rules<'_>, &[Known]) -> T) -> Option<T> {
        let config = self.config.as_ref()?;
        let allowed = |address: IpAddr| covers(&config.allow, address);
        let every_ms = i64::try_from(config.every.as_millis()).unwrap_or(i64::MAX);
        let rules = Rules { allowed: &allowed, credentials: &self.names, devices_max: config.devices_max, every_ms };
        Some(work(&mut self.book, rules, &self.configured))
    }

    /// Judges everything anew. Returns what is due to be asked.
    fn review(&mut self, now: Timestamp) -> Vec<(IpAddr, Option<String>)> {
        self.ruled(|book, rules, known| book.review(rules, known, now)).unwrap_or_default()
    }

    /// Takes the list of devices from the book. Returns whether it changed.
    fn renew(&mut self) -> bool {
        let added = self.ruled(|book, rules, _| book.added(rules)).unwrap_or_default();
        let changed = added != self.added;
        self.added = added;
        changed
    }

    fn devices(&self) -> Vec<Arc<DeviceConfig>> {
        let Some(config) = &self.config else { return Vec::new() };
        let device = |added: &Added| {
            let (_, credentials) = config.credentials.iter().find(|(name, _)| *name == added.credentials)?;
            Some(Arc::new(DeviceConfig {
                name: added.name.clone(),
                target: (added.address, PORT).into(),
                credentials: credentials.clone(),
                intervals: config.intervals,
                requests_max: config.requests_max,
            }))
        };
        self.added.iter().filter_map(device).collect()
    }
}

impl Finder {
    /// Returns a finder that knows what earlier runs found.
    pub(crate) fn new(
        data: PathBuf,
        clock: Clock,
        observations: Observations,
        sockets: Sockets,
        probes: ProbeSockets,
    ) -> Self {
        let kept = match Listing::read(&data) {
            Ok(kept) => Some(kept),
            Err(ListingError::Missing { .. }) => None,
            Err(error) => {
                tracing::warn!(error = %crate::cli::chain(&error), "what was discovered before is not known any more");
                None
            }
        };
        let (book, sweep) = kept.map(|kept| (kept.book, kept.sweep)).unwrap_or_default();
        let state = Mutex::new(State { book, sweep, ..State::default() });
        let changed = watch::Sender::new(0);
        let wake = Notify::new();
        Self { shared: Arc::new(Shared { data, clock, observations, sockets, probes, state, wake, changed }) }
    }

    /// Looks as the site's part of the configuration says from now on. Returns the devices that are known already.
    pub(crate) fn configure(&self, site: &SiteConfig) -> Vec<Arc<DeviceConfig>> {
        let now = self.shared.clock.timestamp();
        let mut state = self.state();
        let identities: HashMap<String, DeviceIdentity> =
            state.configured.drain(..).map(|known| (known.name, known.identity)).collect();
        let known = |device: &Arc<DeviceConfig>| Known {
            name: device.name.clone(),
            address: device.target.ip().to_canonical(),
            identity: identities.get(&device.name).cloned().unwrap_or_default(),
        };
        state.configured = site.devices.iter().map(known).collect();
        state.config.clone_from(&site.discovery);
        state.names =
            site.discovery.iter().flat_map(|config| &config.credentials).map(|(name, _)| name.clone()).collect();
        if let Some(config) = &site.discovery {
            let rules = format!("{:?} {:?} {:?}", config.allow, config.management, state.names);
            state.book.ruled_by(rules, now);
        }
        state.review(now);
        state.renew();
        state.version += 1;
        let devices = state.devices();
        drop(state);
        self.shared.wake.notify_one();
        devices
    }

    /// Returns the devices that were found.
    pub(crate) fn devices(&self) -> Vec<Arc<DeviceConfig>> {
        self.state().devices()
    }

    /// Returns what changes whenever the list of devices does.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Returns whether devices are looked for.
    pub(crate) fn is_looking(&self) -> bool {
        self.state().config.is_some()
    }

    /// Takes note of addresses that a device told of.
    pub(crate) fn told(&self, device: &str, source: Source, addresses: impl IntoIterator<Item = IpAddr>) {
        let now = self.shared.clock.timestamp();
        let mut state = self.state();
        if state.config.is_none() {
            return;
        }
        let mut any = false;
        let before = state.book.candidates().count();
        for address in
            addresses.into_iter().map(|address| address.to_canonical()).filter(|address| is_a_place(*address))
        {
            state.book.seen(address, source, device, now);
            any = true;
        }
        if state.book.candidates().count() != before {
            state.version += 1;
        }
        drop(state);
        if any {
            self.shared.wake.notify_one();
        }
    }

    /// Takes note of what a polled device says it is.
    pub(crate) fn identified(&self, device: &str, system: &System, identity: &Identity) {
        let mut state = self.state();
        let identity = ask::identity_of(system, identity);
        let Some(known) = state.configured.iter_mut().find(|known| known.name == device) else { return };
        if known.identity == identity {
            return;
        }
        known.identity = identity;
        drop(state);
        self.shared.wake.notify_one();
    }

    /// Looks until told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut sweeping: Option<Sweeping> = None;
        loop {
            if sweeping.is_none() {
                sweeping = self.begin_sweep(&stop);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.ask_due() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.shared.wake.notified() => {}
                () = sleep(LOOK_EVERY) => {}
                swept = ended(&mut sweeping) => {
                    sweeping = None;
                    self.swept(swept).await;
                }
            }
        }
    }

    /// Begins a sweep when one is due.
    fn begin_sweep(&self, stop: &CancellationToken) -> Option<Sweeping> {
        let now = self.shared.clock.timestamp();
        let state = self.state();
        let config = state.config.as_ref().filter(|config| !config.sweep.is_empty())?;
        let every_ms = i64::try_from(config.every.as_millis()).unwrap_or(i64::MAX);
        // A clock that was set back while the agent was off does not put sweeps off.
        let waits = |last: &SweepReport| (0..every_ms).contains(&now.ms_since(last.begun));
        if state.sweep.as_ref().is_some_and(waits) {
            return None;
        }
        let (prefixes, packets_per_s) = (config.sweep.clone(), config.packets_per_s);
        let (sockets, clock, stop) = (self.shared.probes.clone(), self.shared.clock, stop.clone());
        Some(tokio::task::spawn_blocking(move || patrol::sweep(&sockets, &prefixes, packets_per_s, clock, &stop)))
    }

    async fn swept(&self, swept: Option<(SweepReport, Vec<IpAddr>)>) {
        let Some((report, found)) = swept else { return };
        let (asked, answered) = (report.asked_arp + report.asked_icmp, report.answered);
        tracing::info!(asked, answered, took_ms = report.took_ms, errors = ?report.errors, "swept the site's prefixes");
        let now = self.shared.clock.timestamp();
        {
            let mut state = self.state();
            state.book.swept(found, now);
            state.sweep = Some(report);
            state.version += 1;
        }
        self.shared.wake.notify_one();
        self.write().await;
    }

    /// Asks everything that is due.
    async fn ask_due(&self) {
        loop {
            let now = self.shared.clock.timestamp();
            let (due, config) = {
                let mut state = self.state();
                let due = state.review(now);
                (due, state.config.clone())
            };
            self.publish();
            let Some(config) = config.filter(|_| !due.is_empty()) else { break };
            let config = Arc::new(config);
            let mut asking = Vec::new();
            for (address, remembered) in due.into_iter().take(AT_ONCE) {
                let (finder, config) = (self.clone(), Arc::clone(&config));
                asking.push(async move {
                    let answer = ask::ask(&finder.shared.sockets, &config, address, remembered.as_deref()).await;
                    finder.answered(address, answer).await;
                });
            }
            stream::iter(asking).buffer_unordered(AT_A_TIME).collect::<Vec<()>>().await;
            self.write().await;
        }
        self.write().await;
    }

    async fn answered(&self, address: IpAddr, answer: Answer) {
        let now = self.shared.clock.timestamp();
        let (before, after) = {
            let mut state = self.state();
            state.version += 1;
            let judged = state.ruled(|book, rules, known| {
                let before = book.added_at(address, rules);
                book.answered(address, answer, rules, known, now);
                (before, book.added_at(address, rules))
            });
            judged.unwrap_or_default()
        };
        if before == after {
            return;
        }
        self.publish();
        let Some(Added { name, address, credentials }) = after else { return };
        tracing::info!(device = %name, %address, credentials, "discovery added a device");
        let detail = format!("{address} answers with the credentials {credentials}");
        let event = Event { kind: EventKind::DeviceDiscovered, subject: String::new(), detail, count: 0 };
        let item = HistoryItem { time: now, scope: Scope::new(&name), body: HistoryBody::Event(event) };
        self.shared.observations.history(vec![item]).await;
    }

    /// Tells whoever polls when the list of devices changed.
    fn publish(&self) {
        let changed = self.state().renew();
        if changed {
            self.shared.changed.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    async fn write(&self) {
        let listing = {
            let mut state = self.state();
            let begun = state.config.is_some() || state.sweep.is_some();
            if state.written == state.version || !begun {
                return;
            }
            state.written = state.version;
            let now = self.shared.clock.timestamp();
            Listing::new(state.book.clone(), state.sweep.clone(), state.config.is_some(), now)
        };
        let data = self.shared.data.clone();
        match tokio::task::spawn_blocking(move || listing.write(&data)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what was discovered cannot be written to the data folder"),
            Err(error) => tracing::error!(%error, "writing what was discovered failed"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a sweep to end; for ever when none runs.
async fn ended(sweeping: &mut Option<Sweeping>) -> Option<(SweepReport, Vec<IpAddr>)> {
    match sweeping {
        Some(running) => match running.await {
            Ok(swept) => Some(swept),
            Err(error) => {
                tracing::error!(%error, "a sweep failed");
                None
            }
        },
        None => std::future::pending().await,
    }
}

/// Returns whether a device can be at an address: it is nobody's, everybody's, or means another place elsewhere.
fn is_a_place(address: IpAddr) -> bool {
    let elsewhere = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !address.is_unspecified() && !address.is_loopback() && !address.is_multicast() && !elsewhere
}
