//! From a view to a page.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    anomalies, availability, cases, devices, incidents, measured,
    names::{self, Metric},
    page::Families,
    ports, probes, subtrees,
};
use crate::{
    access::View,
    api::{App, body::Counts},
    console::words,
    demo,
    estate::Agent,
    ingest::caps,
    notify::ChannelTold,
    remote_write, replication,
};
use onenet_topology::{SiteId, Timestamp, site::Site};

/// Vendors, and versions of agents, that have a series of their own.
const NAMED_MAX: usize = 10;
/// How long, in milliseconds, an endpoint is new.
const NEW_MS: i64 = 86_400_000;

/// What a scrape asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// Everything but ports.
    Whole,
    /// What is not of one site.
    Centre,
    /// One site.
    Site(SiteId),
}

/// One scrape.
pub(super) struct Snapshot {
    app: Arc<App>,
    view: View,
    page: Page,
}

impl Snapshot {
    pub(super) const fn new(app: Arc<App>, view: View, page: Page) -> Self {
        Self { app, view, page }
    }

    /// Returns the page as it goes out.
    pub(super) fn text(&self) -> String {
        let mut families = Families::default();
        match self.page {
            Page::Whole => {
                for site in self.view.sites() {
                    site_metrics(&mut families, &self.app, &self.view, site, self.tells_measured());
                }
                // After the sites, whose terminals it adds up as they were counted last.
                self.centre(&mut families);
                agents(&mut families, &self.view, self.view.agents(), self.tells_measured());
            }
            Page::Centre => self.centre(&mut families),
            Page::Site(id) => self.site(&mut families, id),
        }
        families.text()
    }

    /// Returns whether pages have what was measured: it leaves by one path, and remote write is the better one.
    fn tells_measured(&self) -> bool {
        self.app.remote_write.is_none()
    }

    fn centre(&self, families: &mut Families) {
        process(families, &self.app, &self.view);
        let mut tiers: BTreeMap<String, u32> = BTreeMap::new();
        for site in self.view.sites() {
            *tiers.entry(site.tier.to_string()).or_default() += 1;
        }
        for (tier, count) in tiers {
            families.add(names::SITES, &[&tier], count);
        }
        incidents::incidents(families, &self.view);
        cases::cases(families, &self.view);
        kept(families, &self.app);
        certificates(families, &self.app);
        availability::today(families, &self.view);
        subtrees::subtrees(families, &self.app, &self.view);
        vendors(families, &self.view);
        applications(families, &self.view);
        versions(families, &self.view);
        classes(families, &self.view);
    }

    fn site(&self, families: &mut Families, id: SiteId) {
        let Some(site) = self.view.site(id) else { return };
        site_metrics(families, &self.app, &self.view, site, self.tells_measured());
        agents(families, &self.view, self.view.agents_of(id), self.tells_measured());
        let Some(state) = self.view.inventory(id) else { return };
        anomalies::of_site(families, &self.view, state);
        if let Err(error) = ports::of_site(families, &self.app, &self.view, state, self.tells_measured()) {
            // A page without ports says so by their absence; what else is known of the site is still told.
            tracing::error!(%error, site = %id, "the counters of ports cannot be read");
        }
    }
}

/// Returns a number as metrics carry it: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "a metric is a float; counts stay far below 2^53")]
pub(super) const fn float(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 stay below 2^53 for 280,000 years")]
const fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn time(at: Timestamp) -> f64 {
    seconds(at.unix_ms())
}

fn process(families: &mut Families, app: &App, view: &View) {
    families.add(names::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1);
    families.add(names::START_TIME, &[], time(view.centre_started()));
    let (position, at) = view.as_of();
    families.add(names::LOG_POSITION, &[], float(position));
    families.add(names::LOG_TIME, &[], time(at));
    for (class, counter) in ["2xx", "3xx", "4xx", "5xx"].iter().zip(&app.counters.requests) {
        families.add(names::API_REQUESTS, &[class], float(counter.load(Ordering::Relaxed)));
    }
    let counters = &app.counters;
    families.add(names::API_CONNECTIONS, &[], float(counters.connections.load(Ordering::Relaxed)));
    for (reason, counter) in [("handshake", &counters.handshakes_failed), ("accept", &counters.accepts_failed)] {
        families.add(names::API_CONNECTIONS_FAILED, &[reason], float(counter.load(Ordering::Relaxed)));
    }
    families.add(names::SESSIONS, &[], float(u64::try_from(app.sessions.len()).unwrap_or(u64::MAX)));
    families.add(names::AUDIT_WRITTEN, &[], float(counters.audit_written.load(Ordering::Relaxed)));
    families.add(names::AUDIT_WAITING, &[], float(u64::try_from(app.audit_waiting()).unwrap_or(u64::MAX)));
    let ingest = app.centre.counters();
    for (outcome, counter) in
        [("committed", &ingest.committed), ("duplicate", &ingest.duplicates), ("refused", &ingest.refused)]
    {
        families.add(names::INGEST_RECORDS, &[outcome], float(counter.load(Ordering::Relaxed)));
    }
    families.add(names::INGEST_FLUSHES, &[], float(ingest.groups.load(Ordering::Relaxed)));
    families.add(names::STORE_FAILED, &[], u8::from(app.centre.health().store_failure.is_some()));
    if let Ok(bytes) = app.centre.size_on_disk() {
        families.add(names::STORE_SIZE, &[], float(bytes));
    }
    if let Some(told) = &app.remote_write {
        remote_write(families, told, view.now());
    }
    for channel in &app.notify {
        notify(families, channel, view.now());
    }
    if let Some(told) = &app.replication {
        replication(families, told);
    }
}

fn replication(families: &mut Families, told: &replication::Told) {
    let count = |counter: &AtomicU64| float(counter.load(Ordering::Relaxed));
    families.add(names::REPLICATION_SEQUENCE, &[], float(told.sequence()));
    families.add(names::REPLICATION_BEHIND, &[], float(told.entries_behind()));
    families.add(names::REPLICATION_LEASE, &[], u8::from(told.has_lease()));
    families.add(names::REPLICATION_SHORT, &[], u8::from(told.is_short()));
    for (doing, counter) in [("append", &told.append_failures), ("read", &told.read_failures)] {
        families.add(names::REPLICATION_FAILURES, &[doing], count(counter));
    }
    for (reason, counter) in [("repeated", &told.repeated), ("unsealed", &told.unsealed)] {
        families.add(names::REPLICATION_PASSED_OVER, &[reason], count(counter));
    }
}

fn notify(families: &mut Families, told: &ChannelTold, now: Timestamp) {
    let (name, count) = (told.name.as_str(), |counter: &AtomicU64| float(counter.load(Ordering::Relaxed)));
    families.add(names::NOTIFY_WAITING, &[name], count(&told.waiting));
    let oldest_ms = told.oldest_ms.load(Ordering::Relaxed);
    let lag_ms = if oldest_ms == 0 { 0 } else { now.ms_since(Timestamp::from_unix_ms(oldest_ms)).max(0) };
    families.add(names::NOTIFY_LAG, &[name], seconds(lag_ms));
    for (outcome, counter) in [("taken", &told.taken), ("refused", &told.refused), ("dropped", &told.dropped)] {
        families.add(names::NOTIFY_MESSAGES, &[name, outcome], count(counter));
    }
    families.add(names::NOTIFY_FAILURES, &[name], count(&told.failed));
}

fn remote_write(families: &mut Families, told: &remote_write::Told, now: Timestamp) {
    families.add(names::REMOTE_WRITE_WAITING, &[], float(told.queue.waiting()));
    match told.queue.oldest() {
        Ok(oldest) => {
            let lag_ms = oldest.map_or(0, |oldest| now.ms_since(oldest).max(0));
            families.add(names::REMOTE_WRITE_LAG, &[], seconds(lag_ms));
        }
        Err(error) => tracing::error!(%error, "the queue of remote write cannot be read"),
    }
    let counters = &told.counters;
    let count = |counter: &AtomicU64| float(counter.load(Ordering::Relaxed));
    for (outcome, counter) in [("sent", &counters.sent), ("rejected", &counters.rejected), ("future", &counters.future)]
    {
        families.add(names::REMOTE_WRITE_SAMPLES, &[outcome], count(counter));
    }
    for (reason, counter) in [("full", &counters.dropped_full), ("expired", &counters.dropped_expired)] {
        families.add(names::REMOTE_WRITE_DROPPED, &[reason], count(counter));
    }
    for (outcome, counter) in [("taken", &counters.taken), ("refused", &counters.refused), ("failed", &counters.failed)]
    {
        families.add(names::REMOTE_WRITE_REQUESTS, &[outcome], count(counter));
    }
}

fn site_metrics(families: &mut Families, app: &App, view: &View, site: &Site, measured: bool) {
    let id = site.id.to_string();
    let (code, name) = (site.code(view.now()), site.name(view.now()));
    let parent = view.parents(site.id).first().map(|parent| parent.id.to_string()).unwrap_or_default();
    let demo = if demo::is_demo(code) { "true" } else { "false" };
    families.add(names::SITE_INFO, &[&id, code, &name.zh, &site.tier.to_string(), &parent, demo], 1);
    let Some(counts) = Counts::of(view, site.id) else { return };
    for (state, count) in counts.agents_by_state() {
        families.add(names::SITE_AGENTS, &[&id, state], count);
    }
    let terminals = view.terminals_counted(site.id, &app.counted).map(subtrees::by_standing);
    for (state, count) in terminals.into_iter().flatten().filter(|(_, count)| *count > 0) {
        families.add(names::SITE_TERMINALS, &[&id, state], count);
    }
    let Some(state) = view.inventory(site.id) else { return };
    for (state, count) in counts.endpoints_by_state() {
        families.add(names::SITE_ENDPOINTS, &[&id, state], count);
    }
    for (state, count) in counts.devices_by_state() {
        families.add(names::SITE_DEVICES, &[&id, state], count);
    }
    let new = state.tally().new_since(view.now().plus_ms(-NEW_MS));
    families.add(names::SITE_NEW_ENDPOINTS, &[&id], float(u64::try_from(new).unwrap_or(u64::MAX)));
    devices::devices(families, view, state);
    probes::of_site(families, view, state, measured);
    let mut conditions: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, _, condition) in state.conditions() {
        *conditions.entry(words::condition(condition.kind).id).or_default() += 1;
    }
    for (kind, count) in conditions {
        families.add(names::SITE_CONDITIONS, &[&id, kind], count);
    }
    let mut findings: BTreeMap<&str, u32> = BTreeMap::new();
    for key in state.findings.keys() {
        *findings.entry(key.kind.name()).or_default() += 1;
    }
    for (kind, count) in findings {
        families.add(names::SITE_FINDINGS, &[&id, kind], count);
    }
}

fn agents<'v>(families: &mut Families, view: &View, agents: impl Iterator<Item = &'v Agent>, measured: bool) {
    for agent in agents.filter(|agent| agent.revoked.is_none()) {
        let (site, id) = (agent.site.to_string(), agent.id.to_string());
        let labels = [site.as_str(), id.as_str()];
        if let Some(heard) = agent.contact.last_heard {
            families.add(names::AGENT_LAST_HEARD, &labels, time(heard));
        }
        if let Some(offset) = agent.clock.offset_ms {
            families.add(names::AGENT_CLOCK_OFFSET, &labels, seconds(offset));
        }
        families.add(names::AGENT_HISTORY_WAITING, &labels, float(agent.history_waiting));
        if measured {
            capture(families, view, agent);
        }
    }
}

/// How capture goes on the interfaces on which an agent listens.
fn capture(families: &mut Families, view: &View, agent: &Agent) {
    let Some(state) = view.inventory(agent.site) else { return };
    let (site, id) = (agent.site.to_string(), agent.id.to_string());
    for it in state.captures.get().of(agent.id, view.now()) {
        let labels = [site.as_str(), &id, it.interface.as_str()];
        let put = &mut |metric, labels: &[&str], value| families.add_at(metric, labels, value, it.time);
        measured::capture(labels, &it.sample, put);
    }
}

fn applications(families: &mut Families, view: &View) {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for state in view.inventories(SiteId::from_raw(0)) {
        for (application, bytes) in state.crossed.get().by_application() {
            let sum = sums.entry(application.map_or("unknown", |it| it.name())).or_default();
            *sum = sum.saturating_add(bytes);
        }
    }
    for (application, bytes) in sums {
        families.add(names::APPLICATION_BYTES, &[application], float(bytes));
    }
}

fn classes(families: &mut Families, view: &View) {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for state in view.inventories(SiteId::from_raw(0)) {
        for (class, count) in &state.tally().classes {
            *counts.entry(class.map_or("unknown", |class| class.name())).or_default() += count;
        }
    }
    for (class, count) in counts {
        families.add(names::CLASS_ENDPOINTS, &[class], count);
    }
}

fn vendors(families: &mut Families, view: &View) {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut unknown = 0;
    for state in view.inventories(SiteId::from_raw(0)) {
        for (vendor, count) in &state.tally().vendors {
            match vendor {
                Some(vendor) => *counts.entry(vendor).or_default() += count,
                None => unknown += count,
            }
        }
    }
    most_frequent(families, names::VENDOR_ENDPOINTS, counts, unknown);
}

fn certificates(families: &mut Families, app: &App) {
    let console = app.console_ends.map(|ends| ("console", ends));
    for (name, ends) in app.centre.certificates_end().into_iter().chain(console) {
        families.add(names::CERTIFICATE_ENDS, &[name], time(ends));
    }
}

/// How full is what has to be kept.
#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn kept(families: &mut Families, app: &App) {
    let estate = app.centre.estate();
    for cap in caps(&estate) {
        families.add(names::KEPT_RATIO, &[cap.what], cap.held as f64 / cap.max as f64);
    }
    let findings = estate.sites.values().flat_map(|state| state.findings.values());
    let left_out = findings.map(|it| it.evidence.left_out()).fold(0, u64::saturating_add);
    families.add(names::ANOMALIES_LEFT_OUT, &[], float(left_out));
}

fn versions(families: &mut Families, view: &View) {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for agent in view.agents().filter(|agent| agent.revoked.is_none()) {
        *counts.entry(&agent.version).or_default() += 1;
    }
    let unknown = counts.remove("").unwrap_or_default();
    most_frequent(families, names::AGENTS, counts, unknown);
}

/// Tells the [`NAMED_MAX`] most frequent ones by name, all others as `other`.
fn most_frequent(families: &mut Families, metric: Metric, counts: BTreeMap<&str, u32>, unknown: u32) {
    let mut known: Vec<_> = counts.into_iter().collect();
    known.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let other: u32 = known.iter().skip(NAMED_MAX).map(|(_, count)| count).sum();
    known.truncate(NAMED_MAX);
    for (name, count) in known.into_iter().chain([("other", other), ("unknown", unknown)]) {
        families.add(metric, &[name], count);
    }
}
