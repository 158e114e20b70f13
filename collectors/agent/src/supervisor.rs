//! What is watched: the one owner of polling, listening, and the site's part of the configuration.
//!
//! Tasks: one, [`Supervisor::run`]. It ends when the agent stops, and ends polling and listening before that. It is not
//! cancelled but told: what it was doing to the configuration on disk it finishes.

use std::{collections::BTreeSet, io, sync::Arc, time::Duration};

use onenet_topology::{
    Timestamp,
    fact::{ConditionKind, Event, EventKind, Group, HistoryBody, HistoryItem, Method, Scope},
};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    anchor::Anchoring,
    cli::chain,
    clock::Clock,
    conditions::Conditions,
    config::{Interfaces, NamedCredentials, SiteConfig},
    discovery::Finder,
    listen::{self, Listener},
    observations::Observations,
    poll::{self, Poller},
    probing::Probing,
    remote::{CONFIGURATION, Change, InForce},
    scanning::Scanning,
    spool::{SortedFacts, Spool},
    trial::{SiteStore, SiteText, Verdict, Watch},
    uplink::LinkState,
};

/// How often the interfaces and a trial are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often what was heard long ago is taken back.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// How long what was heard is kept without being heard again, in milliseconds: a terminal that is off for the holidays
/// comes back within it, and a week of visitors fits the spool.
const HEARD_KEPT_MS: i64 = 14 * 86_400_000;

/// Owns what is watched.
pub(crate) struct Supervisor {
    pub(crate) clock: Clock,
    pub(crate) observations: Observations,
    pub(crate) spool: Arc<Spool>,
    pub(crate) conditions: Conditions,
    pub(crate) poller: Poller,
    /// Taken out while it does what blocks.
    pub(crate) listener: Option<Listener>,
    pub(crate) store: SiteStore,
    pub(crate) in_force: InForce,
    pub(crate) trial: watch::Sender<bool>,
    pub(crate) link: watch::Receiver<LinkState>,
    pub(crate) own: SiteConfig,
    pub(crate) credentials: NamedCredentials,
    pub(crate) rollback_after: Duration,
    pub(crate) finder: Finder,
    /// What is configured, without what was found.
    pub(crate) configured: SiteConfig,
    /// What is watched.
    pub(crate) site: SiteConfig,
    pub(crate) watch: Option<Watch>,
    pub(crate) probing: Probing,
    pub(crate) anchoring: Anchoring,
    pub(crate) scanning: Scanning,
    /// Why the process has rights that it was to give up.
    pub(crate) rights_kept: Option<String>,
}

impl Supervisor {
    /// Watches until told to stop.
    pub(crate) async fn run(mut self, mut changes: mpsc::Receiver<Change>, stop: CancellationToken) {
        self.start().await;
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut forget = interval(FORGET_EVERY);
        forget.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut found = self.finder.changes();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(change) = changes.recv() => self.change(change).await,
                _ = forget.tick() => self.forget().await,
                Ok(()) = found.changed() => self.found().await,
                _ = look.tick() => {
                    self.listening(Listener::look).await;
                    self.poller.revive();
                    let connected = self.link.borrow().connected;
                    self.judge(connected).await;
                }
            }
        }
        self.anchoring.stop().await;
        self.scanning.stop().await;
        self.probing.stop().await;
        self.poller.stop().await;
        self.listening(Listener::stop).await;
    }

    /// Puts into force what earlier runs left.
    async fn start(&mut self) {
        let now = self.clock.timestamp();
        // What an earlier run complained of is looked at anew; what this one could not begin holds already.
        self.observations.complete(Conditions::group(), self.conditions.facts(now).into()).await;
        if let Some(detail) = self.rights_kept.take() {
            let change = self.conditions.raise(ConditionKind::RightsKept, "rights", &detail, now);
            self.observations.changes(change.into_iter().collect()).await;
        }
        match self.store.started() {
            Ok(None) => {}
            Ok(Some(revision)) => self.rolled_back(revision, "the agent did not survive it", now).await,
            Err(error) => self.not_written(&error, now).await,
        }
        let site = self.site_of(&self.store.in_force().clone()).await;
        if self.store.is_on_trial() {
            self.watch = Some(Watch::new(self.rollback_after, now));
        }
        self.apply(site).await;
    }

    /// Returns the site's part that a text means. One that is not good any more, say since a credential's name is gone,
    /// leaves the agent's own.
    async fn site_of(&mut self, text: &SiteText) -> SiteConfig {
        if text.revision == 0 {
            return self.own.clone();
        }
        let origin = format!("revision {} of the centre, kept on disk,", text.revision);
        match SiteConfig::parse(&text.toml, &origin, &self.credentials) {
            Ok(site) => site,
            Err(error) => {
                let now = self.clock.timestamp();
                let detail = format!("{}; the agent's own file is in force", chain(&error));
                let change = self.conditions.raise(ConditionKind::ConfigurationRefused, CONFIGURATION, &detail, now);
                self.observations.changes(change.into_iter().collect()).await;
                self.own.clone()
            }
        }
    }

    async fn change(&mut self, change: Change) {
        let Change { text, site, done } = change;
        let revision = text.revision;
        let result = self.take(text, site).await;
        let _ = done.send(result.map(|()| revision));
    }

    async fn take(&mut self, text: SiteText, site: SiteConfig) -> Result<(), String> {
        let revision = text.revision;
        if self.store.was_refused(revision) {
            return Err(format!(
                "revision {revision} was taken back before, since the centre was lost by it: correct it and \
                                send it under a new revision"
            ));
        }
        if *self.store.in_force() == text {
            return Ok(());
        }
        self.store.begin(text).map_err(|error| format!("it cannot be kept on disk: {error}"))?;
        let now = self.clock.timestamp();
        self.watch = Some(Watch::new(self.rollback_after, now));
        self.apply(site).await;
        self.event(EventKind::ConfigurationApplied, revision, String::new(), now).await;
        Ok(())
    }

    /// Decides on a trial.
    async fn judge(&mut self, connected: bool) {
        let now = self.clock.timestamp();
        let verdict = self.watch.as_mut().map_or(Verdict::Undecided, |watch| watch.see(connected, now));
        match verdict {
            Verdict::Undecided => {}
            Verdict::Proven => {
                self.watch = None;
                if let Err(error) = self.store.prove() {
                    self.not_written(&error, now).await;
                }
                tracing::info!(revision = self.store.in_force().revision, "the configuration is proven");
                self.trial.send_replace(self.store.is_on_trial());
            }
            Verdict::RollBack => {
                self.watch = None;
                match self.store.roll_back() {
                    Ok(Some(revision)) => self.rolled_back(revision, "the centre was lost by it", now).await,
                    Ok(None) => {}
                    Err(error) => self.not_written(&error, now).await,
                }
                let site = self.site_of(&self.store.in_force().clone()).await;
                self.apply(site).await;
            }
        }
    }

    /// Watches what this says from now on.
    async fn apply(&mut self, mut site: SiteConfig) {
        let revision = self.store.in_force().revision;
        let found = self.finder.configure(&site);
        self.configured = site.clone();
        site.devices.extend(found);
        tracing::info!(revision, devices = site.devices.len(), interfaces = %site.capture.interfaces, "watching");
        // Before any table is walked.
        self.anchoring.set(site.anchor).await;
        self.poller.set_devices(&site.devices).await;
        let capture = site.capture.clone();
        let detection = site.detection.clone();
        self.listening(move |listener| {
            listener.set_detection(&detection);
            listener.set_config(&capture);
        })
        .await;
        self.probing.set(&site.probes).await;
        self.scanning.set(&site.scans).await;
        self.retract(&site).await;
        self.in_force.set(revision, &site);
        self.trial.send_replace(self.store.is_on_trial());
        self.site = site;
    }

    /// Polls what was found by now, beside what is configured.
    async fn found(&mut self) {
        let mut site = self.configured.clone();
        site.devices.extend(self.finder.devices());
        tracing::info!(devices = site.devices.len(), "the devices that are found changed");
        self.poller.update(&site.devices);
        self.retract(&site).await;
        self.in_force.set(self.store.in_force().revision, &site);
        self.site = site;
    }

    /// Takes back what was said of devices and interfaces that are not watched any more, by this run or an earlier one.
    async fn retract(&self, site: &SiteConfig) {
        let mut known: BTreeSet<Group> = self.spool.groups().into_iter().collect();
        // What was handed on a moment ago may not be in the spool yet.
        known.extend(self.site.devices.iter().flat_map(|device| poll::groups_of(&device.name)));
        for group in known.into_iter().filter(|group| !watches(site, group)) {
            self.observations.complete(group, SortedFacts::default()).await;
        }
        let of_device = |kind, subject: &str| match kind {
            ConditionKind::CycleLate | ConditionKind::TableUnreadable => !site
                .devices
                .iter()
                .any(|device| subject.strip_prefix(&device.name).is_some_and(|it| it.starts_with(' '))),
            _ => false,
        };
        let cleared = self.conditions.clear_where(of_device, self.clock.timestamp());
        self.observations.changes(cleared).await;
    }

    /// Takes back what was heard so long ago that nothing is concluded from it any more, so that what hosts of the past
    /// left does not fill the spool.
    async fn forget(&self) {
        let (spool, clock) = (Arc::clone(&self.spool), self.clock);
        let forgetting = tokio::task::spawn_blocking(move || {
            let now = clock.now();
            let before = clock.timestamp().plus_ms(-HEARD_KEPT_MS);
            let heard = spool.groups().into_iter().filter(|group| listen::METHODS.contains(&group.method));
            heard.map(|group| spool.forget(&group, before, &now)).find_map(Result::err)
        });
        match forgetting.await {
            Ok(None) => {}
            Ok(Some(error)) => tracing::warn!(error = %chain(&error), "what is outdated stays in the spool"),
            Err(error) => tracing::error!(%error, "the spool failed"),
        }
    }

    async fn rolled_back(&self, revision: u64, why: &str, now: Timestamp) {
        let detail = format!("revision {revision} was taken back: {why}; the configuration before it is in force");
        tracing::warn!(revision, why, "the configuration was taken back");
        let change = self.conditions.raise(ConditionKind::ConfigurationRefused, CONFIGURATION, &detail, now);
        self.observations.changes(change.into_iter().collect()).await;
        self.event(EventKind::ConfigurationRolledBack, revision, detail, now).await;
    }

    async fn event(&self, kind: EventKind, revision: u64, detail: String, now: Timestamp) {
        let event = Event { kind, subject: format!("revision {revision}"), detail, count: 0 };
        let item = HistoryItem { time: now, scope: Scope::new(""), body: HistoryBody::Event(event) };
        self.observations.history(vec![item]).await;
    }

    async fn not_written(&self, error: &io::Error, now: Timestamp) {
        let detail =
            format!("the site's configuration cannot be kept on disk ({error}): check the data folder and its disk");
        let change = self.conditions.raise(ConditionKind::DiskFull, CONFIGURATION, &detail, now);
        self.observations.changes(change.into_iter().collect()).await;
    }

    /// Has the listener do something that blocks.
    async fn listening(&mut self, work: impl FnOnce(&mut Listener) + Send + 'static) {
        let Some(mut listener) = self.listener.take() else { return };
        let done = tokio::task::spawn_blocking(move || {
            work(&mut listener);
            listener
        });
        match done.await {
            Ok(listener) => self.listener = Some(listener),
            Err(error) => tracing::error!(%error, "listening ended badly; restart the agent"),
        }
    }
}

/// Returns whether facts of this group come from what the site's part says.
fn watches(site: &SiteConfig, group: &Group) -> bool {
    let scope = group.scope.as_str();
    if poll::METHODS.contains(&group.method) {
        return site.devices.iter().any(|device| device.name == scope);
    }
    match group.method {
        Method::Probe => return !site.probes.is_empty(),
        Method::Anchor => return site.anchor.is_some(),
        _ => {}
    }
    if !listen::METHODS.contains(&group.method) {
        return true;
    }
    match &site.capture.interfaces {
        Interfaces::None => false,
        // Which interfaces there are changes: what was heard on one that is gone grows old.
        Interfaces::Auto => true,
        Interfaces::Named(names) => names.iter().any(|name| name == scope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_configured_any_more_is_not_watched() {
        let mut site = SiteConfig::default();
        let group = |method, scope| Group { method, scope: Scope::new(scope) };
        assert!(!watches(&site, &group(Method::SnmpReach, "core")));
        assert!(!watches(&site, &group(Method::PassiveArp, "eth0")));
        assert!(watches(&site, &group(Method::Agent, "spool")));
        site.capture.interfaces = Interfaces::Named(vec!["eth0".to_owned()]);
        assert!(
            watches(&site, &group(Method::PassiveArp, "eth0")) && !watches(&site, &group(Method::PassiveArp, "eth1"))
        );
        site.capture.interfaces = Interfaces::Auto;
        assert!(watches(&site, &group(Method::PassiveArp, "eth1")));
    }
}
