//! The agent, put together.
//!
//! Tasks, all owned by [`run`]: the keeper of observations, the uplink, the supervisor of polling and listening, the
//! listener for traps where one is configured, the finder of devices, the writer of the status file. To stop, the supervisor is told first, so that the last observations reach the keeper, which flushes
//! when nobody observes any more; then the uplink. All of that within [`STOP_WITHIN`]; what takes longer is abandoned, and
//! is on disk as far as it had been acknowledged to whoever observed it.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use onenet_snmp::{SocketError, Sockets};
use onenet_topology::fact::{ConditionKind, Event, EventKind, HistoryBody, HistoryItem, Scope};
use onenet_wire::tls;
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    anchor::Anchoring,
    asked::Asked,
    board::Board,
    cli::chain,
    clock::Clock,
    conditions::Conditions,
    config::{CONFIG_FILE_DEFAULT, Config, SiteConfig},
    discovery::{Finder, ProbeSockets},
    durable,
    enrol::{Credentials, CredentialsError},
    evidence::Evidence,
    flow_log::{self, FlowLog, FlowLogConfig, Told},
    limited::Limited,
    listen::Listener,
    measuring::Measuring,
    observations::{Observations, Waiting, keep, observations},
    poll::{self, News, Poller, Shared},
    probing::{ProbeBoard, Probing},
    reflecting,
    remote::{Change, FlowSource, InForce, Remote},
    rights::Opened,
    scanning::Scanning,
    spool::{Spool, SpoolConfig, SpoolError},
    status::{CentreStatus, ConditionStatus, ConfigurationStatus, FORMAT, SpoolSummary, Status, TrapStatus},
    supervisor::Supervisor,
    traps::{Counts, Traps},
    trial::SiteStore,
    uplink::{LinkState, Sent, Uplink, UplinkConfig},
    usage,
};

/// How long stopping may take.
pub const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Configurations that wait to be applied: one is enough, the centre sends the next after the answer.
const CHANGES_WAITING: usize = 1;

/// Subject of the condition that flows cannot be kept.
const FLOW_LOG: &str = "flow log";

/// Where the address of the centre is kept that the agent enrolled with.
const CENTRE_FILE: &str = "centre.txt";
/// Where the detectors keep what they learnt of levels.
const LEVELS_FILE: &str = "levels.json";

/// The agent cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The data folder cannot be made.
    #[error("the data folder {} cannot be used: make it, and give it to the agent's user", folder.display())]
    Data {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no usable identity.
    #[error(transparent)]
    Identity(#[from] CredentialsError),
    /// Nobody said where the centre is.
    #[error(
        "the centre's address is not known: write it into [centre] address of {CONFIG_FILE_DEFAULT}, or enrol again"
    )]
    NoCentre,
    /// The spool cannot be opened.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// There are no sockets to poll with.
    #[error(transparent)]
    Sockets(#[from] SocketError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Randomness(#[source] tls::NoRandomness),
}

/// What the status document is assembled from.
struct Sources {
    started: onenet_topology::Timestamp,
    clock: Clock,
    every: Duration,
    address: String,
    agent: String,
    site: String,
    site_name: String,
    board: Board,
    conditions: Conditions,
    asked: Asked,
    in_force: InForce,
    trial: watch::Receiver<bool>,
    probes: ProbeBoard,
    reflector: Option<reflecting::Reflecting>,
    spool: Arc<Spool>,
    traps: Option<(std::net::SocketAddr, Counts)>,
    flow_log: Option<Arc<FlowLog>>,
    /// Known once the uplink is made, which needs the status itself.
    link: OnceLock<watch::Receiver<LinkState>>,
    sent: Sent,
}

/// Runs an agent until `shutdown`. The agent must be enrolled in the configuration's data folder.
///
/// # Errors
///
/// The agent cannot start; nothing is running then.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), RunError> {
    run_with(config, Opened::on_demand(), shutdown).await
}

/// Runs an agent until `shutdown`, with what was opened for it before.
///
/// # Errors
///
/// The agent cannot start; nothing is running then.
pub async fn run_with(config: Config, opened: Opened, shutdown: CancellationToken) -> Result<(), RunError> {
    make_data_folder(&config.data_dir)?;
    let credentials = Credentials::load(&config.data_dir)?;
    let address =
        config.centre.address.clone().or_else(|| enrolled_with(&config.data_dir)).ok_or(RunError::NoCentre)?;
    let clock = Clock::start(tls::random().map_err(RunError::Randomness)?);
    let spool = Spool::open(&config.data_dir.join("spool"), spool_config(&config), &clock.now())?;
    let epoch_s = u32::try_from(clock.timestamp().unix_ms() / 1_000).unwrap_or(0);
    let sockets = Sockets::open(epoch_s).await?;
    let agent = Agent::assemble(config, credentials, address, clock, spool, (sockets, opened));
    agent.run(shutdown).await;
    Ok(())
}

/// The parts of an agent, ready to run.
struct Agent {
    data: PathBuf,
    clock: Clock,
    spool: Arc<Spool>,
    observations: Observations,
    waiting: Waiting,
    uplink: Uplink<Remote>,
    supervisor: Supervisor,
    changes: mpsc::Receiver<Change>,
    traps: Option<Traps>,
    finder: Finder,
    roll_up: Duration,
    sources: Arc<Sources>,
}

impl Agent {
    #[expect(clippy::too_many_lines, reason = "one list of what an agent is made of, without a decision in it")]
    fn assemble(
        config: Config,
        credentials: Credentials,
        address: String,
        clock: Clock,
        spool: Arc<Spool>,
        (sockets, opened): (Sockets, Opened),
    ) -> Self {
        let (observations, waiting) = observations(clock, spool.lineage());
        let (conditions, board, news) = (Conditions::default(), Board::default(), News::new());
        let (in_force, (trial, watched_trial)) = (InForce::default(), watch::channel(false));
        let ((to_change, changes), line) = (mpsc::channel(CHANGES_WAITING), UplinkConfig::new(&address));
        let flow_log = start_flow_log(&config, clock, &conditions, &observations);
        let (finder, poller, traps) = watching(
            &config,
            (clock, &observations, &conditions),
            &board,
            (sockets.clone(), opened.probes.clone()),
            &news,
            opened.traps,
        );
        let (probes, reflector) = (ProbeBoard::default(), reflecting::start(&config.reflector, opened.reflector));
        let (asked, sent) = (Asked::load(&config.data_dir), Sent::default());
        let evidence = Evidence::within(&config.data_dir);
        let sources = Arc::new(Sources {
            started: clock.timestamp(),
            clock,
            every: config.status.every,
            address,
            agent: credentials.identity.agent.to_string(),
            site: credentials.identity.site.to_string(),
            site_name: credentials.site_name.trim().to_owned(),
            board: board.clone(),
            conditions: conditions.clone(),
            asked: asked.clone(),
            in_force: in_force.clone(),
            trial: watched_trial,
            probes: probes.clone(),
            reflector,
            spool: Arc::clone(&spool),
            traps: traps.as_ref().map(|traps| (traps.config.listen, traps.counts.clone())),
            flow_log: flow_log.as_ref().ok().cloned(),
            link: OnceLock::new(),
            sent: sent.clone(),
        });
        let measuring = Measuring {
            clock,
            observations: observations.clone(),
            key: config.reflector.config.key.clone(),
            board: probes,
            one: Arc::default(),
        };
        let remote = Remote {
            clock,
            conditions: conditions.clone(),
            observations: observations.clone(),
            credentials: config.credentials.clone(),
            profiles: Arc::clone(&config.profiles),
            in_force: in_force.clone(),
            sockets,
            changes: to_change,
            status: status_of(&sources),
            flows: flow_source(flow_log.clone(), clock),
            asked,
            evidence: evidence.clone(),
            measuring: measuring.clone(),
        };
        let (uplink, link) = Uplink::new(Arc::clone(&spool), credentials, clock, line, Arc::new(remote));
        let uplink = uplink.counting(sent);
        let link = sources.link.get_or_init(|| link).clone();
        let supervisor = Supervisor {
            clock,
            observations: observations.clone(),
            spool: Arc::clone(&spool),
            conditions: conditions.clone(),
            poller,
            scanning: Scanning::new(clock, observations.meter().clone()),
            anchoring: Anchoring {
                sockets: opened.probes,
                clock,
                observations: observations.clone(),
                every: None,
                running: None,
            },
            probing: Probing { sockets: opened.echo, measuring, configured: Vec::new(), running: None },
            listener: Some(Listener::new(
                opened.packet,
                clock,
                observations.clone(),
                conditions,
                board,
                news,
                (flow_log.ok().map(|log| log.sink()), evidence, &config.data_dir.join(LEVELS_FILE)),
            )),
            rights_kept: opened.kept,
            store: SiteStore::load(&config.data_dir),
            in_force,
            trial,
            link,
            own: config.site,
            credentials: config.credentials,
            rollback_after: config.centre.rollback_after,
            finder: finder.clone(),
            configured: SiteConfig::default(),
            site: SiteConfig::default(),
            watch: None,
        };
        Self {
            data: config.data_dir,
            clock,
            spool,
            observations,
            waiting,
            uplink,
            supervisor,
            changes,
            traps,
            finder,
            roll_up: config.flow_log.roll_up,
            sources,
        }
    }

    /// Runs until told to stop, and stops.
    async fn run(self, shutdown: CancellationToken) {
        let Self {
            data,
            clock,
            spool,
            observations,
            waiting,
            uplink,
            supervisor,
            changes,
            traps,
            finder,
            roll_up,
            sources,
        } = self;
        let (stop_watching, stop_line, stop_status) =
            (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let stop_telling = CancellationToken::new();
        let keeping = tokio::spawn(keep(waiting, spool, clock));
        let line = tokio::spawn(uplink.run(stop_line.clone()));
        let watching = tokio::spawn(supervisor.run(changes, stop_watching.clone()));
        let finding = tokio::spawn(finder.run(stop_watching.clone()));
        let hearing = traps.map(|traps| tokio::spawn(traps.run(stop_watching.clone())));
        let telling = sources
            .flow_log
            .clone()
            .map(|log| tokio::spawn(usage::tell(log, roll_up, clock, observations.clone(), stop_telling.clone())));
        let writing = tokio::spawn(write_status(Arc::clone(&sources), data, stop_status.clone()));
        observations.history(vec![started(&sources)]).await;
        tracing::info!(agent = %sources.agent, site = %sources.site, centre = %sources.address, "the agent runs");

        shutdown.cancelled().await;
        tracing::info!("stopping");
        let stopping = async {
            stop_watching.cancel();
            report_end("watching", watching.await);
            report_end("finding devices", finding.await);
            if let Some(log) = sources.flow_log.clone() {
                // It waits for the disk.
                report_end("the flow log", tokio::task::spawn_blocking(move || log.stop()).await);
            }
            stop_telling.cancel();
            if let Some(telling) = telling {
                report_end("telling of traffic", telling.await);
            }
            if let Some(hearing) = hearing {
                report_end("hearing traps", hearing.await);
            }
            stop_line.cancel();
            report_end("the line", line.await);
            drop(observations);
            report_end("keeping", keeping.await);
            stop_status.cancel();
            report_end("the status", writing.await);
        };
        if timeout(STOP_WITHIN, stopping).await.is_err() {
            tracing::warn!(within_s = STOP_WITHIN.as_secs(), "not everything stopped in time and was left");
        }
    }
}

impl Sources {
    fn status(&self, stopped: bool) -> Status {
        let now = self.clock.timestamp();
        let (devices_total, devices) = self.board.devices();
        let link = self.link.get().map(|link| link.borrow().clone());
        let ahead_ms = link.as_ref().and_then(|link| link.clock_ahead_ms);
        if let (Some(log), Some(ahead_ms)) = (&self.flow_log, ahead_ms) {
            log.set_ahead(ahead_ms);
        }
        let site_name = link.as_ref().and_then(|link| link.site_name.clone());
        let conditions = self.conditions.all().into_iter();
        Status {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            written: now,
            every_s: self.every.as_secs(),
            started: self.started,
            stopped: stopped.then_some(now),
            pid: std::process::id(),
            agent: self.agent.clone(),
            site: self.site.clone(),
            site_name: site_name.or_else(|| Some(self.site_name.clone()).filter(|name| !name.is_empty())),
            centre: CentreStatus {
                address: self.address.clone(),
                connected: !stopped && link.as_ref().is_some_and(|link| link.connected),
                since: link.as_ref().map_or(self.started, |link| link.since),
                error: link.as_ref().and_then(|link| link.error.clone()),
                clock_ahead_ms: link.as_ref().and_then(|link| link.clock_ahead_ms),
                sent_bytes: self.sent.bytes(),
            },
            configuration: ConfigurationStatus { revision: self.in_force.revision(), on_trial: *self.trial.borrow() },
            spool: summary(&self.spool),
            devices_total,
            devices,
            interfaces: self.board.interfaces(),
            interfaces_auto: self.in_force.listens_on_all(),
            flows_asked: self.asked.all(),
            captures_asked: self.asked.captures(),
            probes: self.probes.all(),
            reflector: self.reflector.as_ref().map(reflecting::Reflecting::status),
            traps: self.traps.as_ref().map(|(listen, counts)| TrapStatus { listen: *listen, counts: counts.get() }),
            flow_log: self.flow_log.as_ref().map(|log| log.status()),
            conditions: conditions
                .map(|(kind, subject, held)| ConditionStatus { kind, subject, detail: held.detail, since: held.since })
                .collect(),
        }
    }
}

/// Returns what looks through the flow log, where there is one.
fn flow_source(log: Result<Arc<FlowLog>, String>, clock: Clock) -> FlowSource {
    match log {
        Ok(log) => Arc::new(move |query, after| log.answer(query, after, clock)),
        Err(why) => Arc::new(move |_, _| Err(why.clone())),
    }
}

/// Returns what watches devices: who finds them, who polls them, who hears what they say.
fn watching(
    config: &Config,
    (clock, observations, conditions): (Clock, &Observations, &Conditions),
    board: &Board,
    (sockets, probes): (Sockets, ProbeSockets),
    news: &News,
    bound: Option<std::net::UdpSocket>,
) -> (Finder, Poller, Option<Traps>) {
    let (observations, conditions, data) = (observations.clone(), conditions.clone(), config.data_dir.clone());
    let finder = Finder::new(data.clone(), clock, observations.clone(), sockets.clone(), probes);
    let shared = Shared {
        clock,
        observations: observations.clone(),
        conditions: conditions.clone(),
        board: board.clone(),
        sockets,
        profiles: Arc::clone(&config.profiles),
        gate: poll::gate(),
        finder: finder.clone(),
    };
    let poller = Poller::new(shared, news.clone());
    let told = poller.told();
    let profiles = Arc::clone(&config.profiles);
    let traps = config.traps.clone().map(|config| Traps {
        config,
        profiles,
        data,
        clock,
        conditions,
        observations,
        bound,
        told,
        counts: Counts::default(),
    });
    (finder, poller, traps)
}

/// What is said while flows are lost; how many, is in the status.
const FLOWS_LOST: &str =
    "flows that ended were not kept: more of them ended than could be handed on, or the disk was too slow or full";

/// Opens the flow log, or says why there is none. An agent without one still watches; what keeps it from logging is a condition.
fn start_flow_log(
    config: &Config,
    clock: Clock,
    conditions: &Conditions,
    observations: &Observations,
) -> Result<Arc<FlowLog>, String> {
    if !config.flow_log.enabled {
        return Err("this agent keeps no flows: see [flow_log] of its configuration".to_owned());
    }
    let held = conditions.clone();
    let failed = |why: String| {
        tracing::error!(error = %why, "flows are not kept");
        let detail = format!("{why}; restart the agent when that is mended");
        // The supervisor tells what holds when it begins.
        let _ = held.raise(ConditionKind::FlowsLost, FLOW_LOG, &detail, clock.timestamp());
        detail
    };
    let (conditions, observations) = (conditions.clone(), observations.clone());
    let tell = move |told: Told<'_>| {
        let now = clock.timestamp();
        let change = match told {
            Told::Fails(error) => conditions.raise(ConditionKind::DiskFull, FLOW_LOG, &chain(error), now),
            Told::Works => conditions.clear(ConditionKind::DiskFull, FLOW_LOG, now),
            Told::Loses => conditions.raise(ConditionKind::FlowsLost, FLOW_LOG, FLOWS_LOST, now),
            Told::Keeps => conditions.clear(ConditionKind::FlowsLost, FLOW_LOG, now),
        };
        if change.is_some() {
            observations.changes_blocking(change.into_iter().collect());
        }
    };
    let log = FlowLogConfig {
        folder: config.data_dir.join(flow_log::FOLDER),
        bytes_max: config.flow_log.size_max_bytes,
        age_max_ms: i64::try_from(config.flow_log.age_max.as_millis()).unwrap_or(i64::MAX),
        spool: Some((config.data_dir.join("spool"), config.spool.size_max_bytes)),
    };
    let ids = tls::random::<16>().map_err(|error| failed(chain(&error)))?;
    let (log_id, run) = ids.split_at(8);
    let id = |bytes: &[u8]| bytes.iter().fold(0, |id: u64, byte| id << 8 | u64::from(*byte)).max(1);
    FlowLog::start(log, [id(log_id), id(run)], clock, Box::new(tell)).map_err(|error| failed(chain(&error)))
}

fn status_of(sources: &Arc<Sources>) -> Box<dyn Fn() -> Status + Send + Sync> {
    let sources = Arc::clone(sources);
    Box::new(move || sources.status(false))
}

fn summary(spool: &Spool) -> SpoolSummary {
    let status = spool.status();
    SpoolSummary {
        facts: status.facts as u64,
        state_waiting: status.state_waiting as u64,
        history_batches: status.history_batches,
        history_bytes: status.history_bytes,
        lost_items: status.lost_items,
        refused_batches: status.refused_batches,
        disk_bytes: status.disk_bytes,
        disk_full: status.disk_full,
    }
}

/// Writes the status file until told to stop, and once more then.
async fn write_status(sources: Arc<Sources>, data: PathBuf, stop: CancellationToken) {
    let mut tick = interval(sources.every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut trouble = Limited::default();
    loop {
        let stopped = tokio::select! {
            () = stop.cancelled() => true,
            _ = tick.tick() => false,
        };
        // Both the spool's lock and the file may wait for the disk.
        let (from, to) = (Arc::clone(&sources), data.clone());
        match tokio::task::spawn_blocking(move || from.status(stopped).write(&to)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => trouble.warn(sources.clock.timestamp(), "the status cannot be written", &error),
            Err(error) => tracing::error!(%error, "the status failed"),
        }
        if stopped {
            return;
        }
    }
}

fn started(sources: &Sources) -> HistoryItem {
    let detail = format!("version {}", env!("CARGO_PKG_VERSION"));
    let event = Event { kind: EventKind::AgentStarted, subject: String::new(), detail, count: 0 };
    HistoryItem { time: sources.started, scope: Scope::new(""), body: HistoryBody::Event(event) }
}

fn report_end(what: &str, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(what, %error, "a part of the agent failed");
    }
}

fn make_data_folder(folder: &Path) -> Result<(), RunError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o750).create(folder);
    made.map_err(|source| RunError::Data { folder: folder.to_owned(), source })
}

fn spool_config(config: &Config) -> SpoolConfig {
    SpoolConfig {
        age_cap_ms: u64::try_from(config.spool.history_age_max.as_millis()).unwrap_or(u64::MAX),
        byte_cap: config.spool.size_max_bytes,
        max_facts: config.spool.facts_max,
        ..SpoolConfig::default()
    }
}

/// Returns the address of the centre that the agent enrolled with, if that is known.
fn enrolled_with(data: &Path) -> Option<String> {
    let text = fs::read_to_string(data.join(CENTRE_FILE)).ok()?;
    Some(text.trim().to_owned()).filter(|address| !address.is_empty())
}

/// Keeps the address of the centre that the agent enrolled with.
pub(crate) fn remember_centre(data: &Path, address: &str) -> io::Result<()> {
    durable::replace(&data.join(CENTRE_FILE), format!("{address}\n").as_bytes(), durable::Sync::Yes)
}
