//! What is watched: the one owner of polling, listening, and the site's part of the configuration.
//!
//! Tasks: one, [`Supervisor::run`]. It ends when the agent stops, and ends polling and listening before that. It is not
//! cancelled but told: what it was doing to the configuration on disk it finishes.

use std::{collections::BTreeSet, io, time::Duration};

use onenet_topology::{
    Timestamp,
    fact::{ConditionKind, Event, EventKind, HistoryBody, HistoryItem, Scope},
};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::chain,
    clock::Clock,
    conditions::Conditions,
    config::{Interfaces, NamedCredentials, SiteConfig},
    listen::{self, Listener},
    observations::Observations,
    poll::{self, Poller},
    remote::{CONFIGURATION, Change, InForce},
    trial::{SiteStore, SiteText, Verdict, Watch},
    uplink::LinkState,
};

/// How often the interfaces and a trial are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Owns what is watched.
pub(crate) struct Supervisor {
    pub(crate) clock: Clock,
    pub(crate) observations: Observations,
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
    pub(crate) site: SiteConfig,
    pub(crate) watch: Option<Watch>,
}

impl Supervisor {
    /// Watches until told to stop.
    pub(crate) async fn run(mut self, mut changes: mpsc::Receiver<Change>, stop: CancellationToken) {
        self.start().await;
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(change) = changes.recv() => self.change(change).await,
                _ = look.tick() => {
                    self.listening(Listener::look).await;
                    let connected = self.link.borrow().connected;
                    self.judge(connected).await;
                }
            }
        }
        self.poller.stop().await;
        self.listening(Listener::stop).await;
    }

    /// Puts into force what earlier runs left.
    async fn start(&mut self) {
        let now = self.clock.timestamp();
        // What an earlier run complained of is looked at anew.
        self.observations.complete(Conditions::group(), Vec::new()).await;
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
    async fn apply(&mut self, site: SiteConfig) {
        let revision = self.store.in_force().revision;
        tracing::info!(revision, devices = site.devices.len(), interfaces = %site.capture.interfaces, "watching");
        self.poller.set_devices(&site.devices).await;
        let capture = site.capture.clone();
        self.listening(move |listener| listener.set_config(&capture)).await;
        self.retract(&site).await;
        self.in_force.set(revision, &site);
        self.trial.send_replace(self.store.is_on_trial());
        self.site = site;
    }

    /// Takes back what was said of devices and interfaces that are not watched any more.
    async fn retract(&self, site: &SiteConfig) {
        let names: BTreeSet<&str> = site.devices.iter().map(|device| device.name.as_str()).collect();
        let mut gone = Vec::new();
        for device in self.site.devices.iter().filter(|device| !names.contains(device.name.as_str())) {
            gone.extend(poll::groups_of(&device.name));
            let of_device = |_, subject: &str| subject.split_once(' ').is_some_and(|(name, _)| name == device.name);
            let cleared = self.conditions.clear_where(of_device, self.clock.timestamp());
            self.observations.changes(cleared).await;
        }
        if let (Interfaces::Named(before), now) = (&self.site.capture.interfaces, &site.capture.interfaces) {
            let kept = |name: &String| match now {
                Interfaces::Named(names) => names.contains(name),
                Interfaces::Auto => true,
                Interfaces::None => false,
            };
            gone.extend(before.iter().filter(|name| !kept(name)).flat_map(|name| listen::groups_of(name)));
        }
        for group in gone {
            self.observations.complete(group, Vec::new()).await;
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
