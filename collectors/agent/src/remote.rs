//! What the centre may ask of the agent: a new site's part of the configuration, the status, an inspection of a configured
//! device, finished flows, a capture file that is evidence, a test over a way that is probed, a finding that is marked as a drill. Nothing
//! else.
//!
//! Invariant: a text of the centre is checked by the checker of the agent's own file, applied only when all of it is good,
//! and never touches identity, centre address, data folder or credentials (see `config.rs`). Who asks for flows or a capture is noted for
//! the site before he is answered, and a page is never larger than the wire lets through.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use onenet_snmp::{Budget, Profiles, Sockets, Target, inspect};
use onenet_topology::{
    fact::{ConditionKind, HistoryBody, HistoryItem, Scope},
    flow::{FlowCursor, FlowPage, FlowQuery},
};
use onenet_wire::{CaptureQuery, DrillOrder, FlowsQuery, MeasureQuery, Query, limits};
use tokio::sync::{mpsc, oneshot};

use crate::{
    asked::Asked,
    cli::chain,
    clock::Clock,
    conditions::Conditions,
    config::{DeviceConfig, Interfaces, NamedCredentials, ProbeConfig, SiteConfig},
    evidence::Evidence,
    measuring::Measuring,
    observations::Observations,
    status::Status,
    trial::SiteText,
    uplink::Handler,
};

/// Subject of the condition that a configuration was refused.
pub(crate) const CONFIGURATION: &str = "site";

/// A checked text on its way into force, and who waits for it.
pub(crate) struct Change {
    pub(crate) text: SiteText,
    pub(crate) site: SiteConfig,
    pub(crate) done: oneshot::Sender<Result<u64, String>>,
}

/// What is in force, as the handler has to know it.
#[derive(Debug, Clone, Default)]
pub(crate) struct InForce {
    revision: Arc<AtomicU64>,
    site: Arc<Mutex<SiteConfig>>,
}

/// Looks through the flow log: a page of what is asked for, or in words why there is none. Blocks on the disk.
pub(crate) type FlowSource = Arc<dyn Fn(&FlowQuery, Option<FlowCursor>) -> Result<FlowPage, String> + Send + Sync>;

/// Carries out what the centre asks.
pub(crate) struct Remote {
    pub(crate) clock: Clock,
    pub(crate) conditions: Conditions,
    pub(crate) observations: Observations,
    pub(crate) credentials: NamedCredentials,
    pub(crate) in_force: InForce,
    pub(crate) sockets: Sockets,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) changes: mpsc::Sender<Change>,
    pub(crate) status: Box<dyn Fn() -> Status + Send + Sync>,
    pub(crate) flows: FlowSource,
    pub(crate) asked: Asked,
    pub(crate) evidence: Evidence,
    pub(crate) measuring: Measuring,
}

impl InForce {
    /// Returns whether it is to be listened on every interface that is up.
    pub(crate) fn listens_on_all(&self) -> bool {
        self.site.lock().unwrap_or_else(PoisonError::into_inner).capture.interfaces == Interfaces::Auto
    }

    /// Notes what is in force.
    pub(crate) fn set(&self, revision: u64, site: &SiteConfig) {
        self.revision.store(revision, Ordering::Relaxed);
        self.site.lock().unwrap_or_else(PoisonError::into_inner).clone_from(site);
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    fn device(&self, name: &str) -> Option<Arc<DeviceConfig>> {
        let site = self.site.lock().unwrap_or_else(PoisonError::into_inner);
        site.devices.iter().find(|device| device.name == name).cloned()
    }

    /// Returns a probe, and how many kbit/s a test of throughput may send.
    fn probe(&self, name: &str) -> Option<(Arc<ProbeConfig>, u32)> {
        let site = self.site.lock().unwrap_or_else(PoisonError::into_inner);
        let probe = site.probes.iter().find(|probe| probe.plan.name == name).cloned()?;
        Some((probe, site.throughput_max_kbit))
    }
}

impl Remote {
    async fn refused(&self, revision: u64, why: String) -> String {
        let now = self.clock.timestamp();
        let detail = format!("revision {revision} of the centre was not applied: {why}");
        let change = self.conditions.raise(ConditionKind::ConfigurationRefused, CONFIGURATION, &detail, now);
        self.observations.changes(change.into_iter().collect()).await;
        why
    }

    async fn inspect(&self, device: &str) -> Result<Vec<u8>, String> {
        let device = self.in_force.device(device).ok_or_else(|| {
            format!("this agent polls no device named {device:?}: only devices of its configuration can be inspected")
        })?;
        let target = Target(device.target);
        let found = inspect(&self.sockets, target, &device.credentials, Budget::default(), &self.profiles).await;
        let found = found.map_err(|error| chain(&error))?;
        serde_json::to_vec(&found).map_err(|error| chain(&error))
    }
}

impl Remote {
    async fn measure(&self, asked: &MeasureQuery) -> Result<Vec<u8>, String> {
        let (probe, most_kbit) = self.in_force.probe(&asked.probe).ok_or_else(|| {
            format!("this agent has no probe named {:?}: `onenet-agent status` lists those that it has", asked.probe)
        })?;
        let sample = self.measuring.asked(&probe, asked, most_kbit).await?;
        serde_json::to_vec(&sample).map_err(|error| chain(&error))
    }
}

impl Remote {
    async fn capture(&self, asked: CaptureQuery) -> Result<Vec<u8>, String> {
        let (clock, journal, evidence) = (self.clock, self.asked.clone(), self.evidence.clone());
        let answered = tokio::task::spawn_blocking(move || {
            tracing::info!(
                principal = %asked.asker.principal, reason = %asked.asker.reason, file = %asked.file, offset = asked.offset,
                "the centre asks for a capture"
            );
            journal.ask_capture(&asked, clock.timestamp());
            let most = match usize::try_from(asked.bytes_max) {
                Ok(most @ 1..limits::CAPTURE_PART_BYTES) => most,
                _ => limits::CAPTURE_PART_BYTES,
            };
            let outcome = evidence.part(&asked.file, asked.offset, most);
            journal.answered_capture(&asked, &outcome);
            outcome
        });
        answered.await.map_err(|_| "reading the capture file failed: see the agent's log".to_owned())?
    }
}

impl Handler for Remote {
    fn revision(&self) -> u64 {
        self.in_force.revision()
    }

    async fn configure(&self, revision: u64, toml: String) -> Result<u64, String> {
        let origin = format!("revision {revision} of the centre");
        let site = match SiteConfig::parse(&toml, &origin, &self.credentials) {
            Ok(site) => site,
            Err(error) => return Err(self.refused(revision, chain(&error)).await),
        };
        let (done, answer) = oneshot::channel();
        let stopping = || "the agent is stopping: send it again".to_owned();
        let change = Change { text: SiteText { revision, toml }, site, done };
        self.changes.send(change).await.map_err(|_| stopping())?;
        match answer.await.map_err(|_| stopping())? {
            Ok(revision) => {
                let now = self.clock.timestamp();
                let change = self.conditions.clear(ConditionKind::ConfigurationRefused, CONFIGURATION, now);
                self.observations.changes(change.into_iter().collect()).await;
                Ok(revision)
            }
            Err(why) => Err(self.refused(revision, why).await),
        }
    }

    async fn query(&self, query: Query) -> Result<Vec<u8>, String> {
        match query {
            Query::Status => serde_json::to_vec(&(self.status)()).map_err(|error| chain(&error)),
            Query::Inspect { device } => self.inspect(&device).await,
            Query::Measure(asked) => self.measure(&asked).await,
            Query::Capture(asked) => self.capture(asked).await,
            Query::Flows(_) => Err("flows are answered page by page".to_owned()),
        }
    }

    async fn drill(&self, order: DrillOrder) -> Result<(), String> {
        let DrillOrder { asker, report } = order;
        if !onenet_detection::Kind::ALL.iter().any(|kind| kind.name() == report.key.kind) {
            return Err(format!("this agent has no detector of {:?}: bring it up to date", report.key.kind));
        }
        tracing::info!(
            principal = %asker.principal, reason = %asker.reason, kind = %report.key.kind, subject = %report.key.subject,
            "the centre drills"
        );
        let (time, body) = (self.clock.timestamp(), HistoryBody::Anomaly(report));
        self.observations.history(vec![HistoryItem { time, scope: Scope::new(""), body }]).await;
        Ok(())
    }

    async fn flows(&self, asked: FlowsQuery) -> Result<FlowPage, String> {
        let (clock, journal, source) = (self.clock, self.asked.clone(), Arc::clone(&self.flows));
        let answered = tokio::task::spawn_blocking(move || {
            tracing::info!(
                principal = %asked.asker.principal, reason = %asked.asker.reason, reads_on = asked.after.is_some(),
                "the centre asks for flows"
            );
            journal.ask(&asked, clock.timestamp());
            let outcome = page(&source, &asked);
            journal.answered(&asked, &outcome);
            outcome
        });
        answered.await.map_err(|_| "looking through the flow log failed: see the agent's log".to_owned())?
    }
}

/// Returns a page that the wire lets through: of flows that say much there are fewer.
fn page(source: &FlowSource, asked: &FlowsQuery) -> Result<FlowPage, String> {
    let mut query = asked.query.clone();
    loop {
        let mut page = source(&query, asked.after)?;
        page.flows.iter_mut().for_each(limits::fit_flow);
        page.missing.truncate(limits::PAGE_MISSING);
        if limits::page_fits(&page) {
            return Ok(page);
        }
        // A flow that says all it may takes less than a hundredth of a page, so this ends.
        query.limit = (query.limit / 2).max(1);
    }
}

#[cfg(test)]
mod tests;
