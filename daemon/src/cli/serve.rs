//! Running the centre: wiring of store, collectors, API and local socket, and their orderly end.
//!
//! # Tasks
//!
//! [`start`] runs up to five tasks, owned by the [`Running`]: agents' streams, the API's listener, the local socket, the
//! writer of the audit trail, and remote write where it is configured. [`Running::stop`] cancels them, waits for requests under way, writes the rest of the audit
//! trail, and closes the store last.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use onenet_topology::Timestamp;

use crate::{
    api::{self, App, Listening, ServeError},
    centre::{Centre, OpenError, Options},
    clock::Clock,
    config::{Config, Transport},
    http_client::HttpError,
    ingest::{Lifetimes, Policy, SourceError},
    listening,
    notify::{self, Channel, Notifier},
    packets, pki,
    remote_write::{self, Client, Told, Writer},
};

/// How often the audit trail is written.
const AUDIT_WRITE: Duration = Duration::from_secs(1);
/// How long samples and signs of life may wait for others that share their flush: nobody notices, and a quiet country's forty batches
/// a second come to ten flushes.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long agents' sessions may take to end.
const SESSIONS_WITHIN: Duration = Duration::from_secs(10);
/// How long stopping may take in all, whatever hangs: less than the service manager waits.
const STOP_WITHIN: Duration = Duration::from_secs(40);
/// How long the daemon goes on after its store failed, so that agents and people are told.
const FAILED_GRACE: Duration = Duration::from_secs(2);
/// How often it looks whether there is room again after its store failed.
const ROOM_LOOK: Duration = Duration::from_secs(5);

/// What a machine calls itself.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The centre cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The centre cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// A port cannot be listened on.
    #[error("cannot listen on {address} ({key}): choose another port, or end what listens there")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The key of the configuration.
        key: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A certificate or key cannot be used.
    #[error("{} cannot be used as {what}: give a PEM file that the daemon may read", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it was to be.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Certificate and key do not serve.
    #[error("the certificate and key of the API do not serve together: check that they belong to each other")]
    Tls(#[source] rustls::Error),
    /// What sending to a receiver needs cannot be had.
    #[error(transparent)]
    Receiver(HttpError),
    /// The local socket cannot be made.
    #[error(transparent)]
    Local(ServeError),
    /// Agents cannot be served any more.
    #[error(transparent)]
    Collectors(SourceError),
    /// The store failed while running; opened again it has everything that was acknowledged.
    #[error("onenetd ends, to be started again: {0}")]
    Store(Arc<str>),
    /// A task panicked.
    #[error("onenetd ends, to be started again: what serves agents panicked; its log says where")]
    Panicked,
    /// Signals cannot be waited for.
    #[error("the operating system does not deliver signals")]
    Signal(#[source] io::Error),
}

/// A running centre.
pub struct Running {
    /// What requests share.
    pub app: Arc<App>,
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where agents connect.
    pub collectors: SocketAddr,
    shutdown: CancellationToken,
    collectors_task: JoinHandle<Result<(), SourceError>>,
    tasks: Vec<JoinHandle<()>>,
}

/// Runs the centre until it is told to stop.
pub(super) async fn run(config: Config) -> Result<(), RunError> {
    crate::logging::start(&config.log);
    let mut stop = StopSignal::new().map_err(RunError::Signal)?;
    let mut running = start(&config).await?;
    tracing::info!(api = %running.api, collectors = %running.collectors, data = %config.data_dir.display(), "onenetd is running");
    let ended = tokio::select! {
        () = stop.wait() => Ok(()),
        error = running.failed() => Err(error),
    };
    tracing::info!("stopping");
    end_within(STOP_WITHIN);
    running.stop().await;
    ended
}

/// Ends the process when it has not ended by itself by then. What was acknowledged is on disk in any case.
fn end_within(limit: Duration) {
    let end = move || {
        std::thread::sleep(limit);
        tracing::error!("stopping did not end in time, and is cut short");
        std::process::exit(1);
    };
    // Without a thread there is no limit, and the service manager has one of its own.
    let _ = std::thread::Builder::new().name("stopping".into()).spawn(end);
}

/// Returns the limits that planning follows.
fn policy(config: &Config) -> Policy {
    let inventory = &config.inventory;
    let lifetimes = Lifetimes {
        silent_ms: milliseconds(inventory.silent_after),
        retire_ms: milliseconds(inventory.retire_after),
        retire_passing_ms: milliseconds(inventory.retire_passing_after),
        forget_ms: milliseconds(inventory.forget_after),
        agent_lapse_ms: milliseconds(inventory.agent_lapses_after),
    };
    Policy {
        endpoints_per_site_max: inventory.endpoints_per_site,
        lifetimes,
        deadlines: config.cases,
        concluding: config.detection,
        ..Policy::default()
    }
}

/// Starts the centre.
///
/// # Errors
/// Something it needs cannot be had.
pub async fn start(config: &Config) -> Result<Running, RunError> {
    start_with(config, |options| options).await
}

/// Starts the centre with options other than the configuration's: for programs that tell it what time it is.
///
/// # Errors
/// Something it needs cannot be had.
pub async fn start_with(config: &Config, change: impl FnOnce(Options) -> Options) -> Result<Running, RunError> {
    let listen = |address, key| listening::listen(address).map_err(|source| RunError::Listen { address, key, source });
    // Ports first: a second daemon is told so before anything is opened.
    let collectors = listen(config.collectors.listen, "collectors.listen")?;
    let listener = listen(config.api.listen, "api.listen")?;
    // What the operator gave is looked at next: nothing is opened for a certificate that cannot be used.
    let given = given_certificate(config)?;
    let receiver = config.remote_write.as_ref().map(Client::new).transpose().map_err(RunError::Receiver)?;
    let channels = config.notify.iter().map(Channel::new).collect::<Result<Vec<_>, _>>().map_err(RunError::Receiver)?;
    let options = Options {
        policy: policy(config),
        sample_retention_ms: milliseconds(config.store.samples),
        audit_retention_ms: milliseconds(config.store.audit),
        cache_bytes: config.store.cache_bytes,
        queue: config.remote_write.is_some(),
        outbox: !channels.is_empty(),
        certificate_names: names(config),
        replication: config.replication.clone(),
        clock: Clock::system(),
        patience: PATIENCE,
        ticks: true,
    };
    let options = change(options);
    let clock = options.clock.clone();
    let centre = Centre::open(&config.data_dir, options).await.map_err(RunError::Open)?;
    let tls = match &config.api.transport {
        Transport::OwnAuthority => Some(Shown::new(own_certificate(config, &centre)?)?),
        Transport::Plain | Transport::Files { .. } => given,
    };
    let socket = api::local_socket(&config.data_dir).map_err(RunError::Local)?;
    let bound = |listener: &TcpListener, otherwise| listener.local_addr().unwrap_or(otherwise);
    let (api_address, collectors_address) =
        (bound(&listener, config.api.listen), bound(&collectors, config.collectors.listen));
    let mut app = App::new(centre.clone(), clock, config.api.body_max_bytes, tls.is_some());
    app.console_ends = tls.as_ref().and_then(|shown| shown.ends);
    app.acceptance = config.acceptance.clone();
    app.collectors = Some(advertised(config, collectors_address));
    app.remote_write = centre.queue().map(|queue| Told { queue, counters: Arc::default() });
    app.replication = centre.replication().cloned();
    let writer = writer(config, &app, receiver);
    let notifier = Notifier::new(centre.clone(), channels);
    app.notify = notifier.as_ref().map(Notifier::told).unwrap_or_default();
    let app = Arc::new(app);
    let router = api::router(Arc::clone(&app), config.api.timeout);
    // A backup or an import of the nation may take longer than a request from the network.
    let local_router = api::router(Arc::clone(&app), LOCAL_TIMEOUT);
    let shutdown = CancellationToken::new();
    let collectors_task = tokio::spawn({
        let (centre, shutdown) = (centre.clone(), shutdown.clone());
        async move { centre.serve_collectors(collectors, shutdown).await }
    });
    let listening = Listening { listener, tls: tls.map(|shown| shown.acceptor) };
    let mut tasks = vec![
        tokio::spawn(api::serve(listening, router, Arc::clone(&app), shutdown.clone())),
        tokio::spawn(api::serve_local(socket, local_router, shutdown.clone())),
        tokio::spawn(write_audit(Arc::clone(&app), shutdown.clone())),
        tokio::spawn(packets::run(centre.clone(), config.data_dir.clone(), shutdown.clone())),
    ];
    tasks.extend(writer.map(|writer| tokio::spawn(remote_write::run(writer, shutdown.clone()))));
    tasks.extend(notifier.map(|notifier| tokio::spawn(notify::run(notifier, shutdown.clone()))));
    Ok(Running { app, api: api_address, collectors: collectors_address, shutdown, collectors_task, tasks })
}

fn writer(config: &Config, app: &App, client: Option<Client>) -> Option<Writer> {
    let (told, client) = (app.remote_write.clone()?, client?);
    let queue_batches = config.remote_write.as_ref()?.queue_batches;
    Some(Writer { centre: app.centre.clone(), told, client, queue_batches })
}

/// How long a request over the local socket may take.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(600);

impl Running {
    /// Waits until the daemon cannot go on as it is, and says why. When its store failed for want of room it goes on to be
    /// read until there is room: started before that it would only fail again, and nobody could look at it.
    pub async fn failed(&mut self) -> RunError {
        let centre = self.app.centre.clone();
        tokio::select! {
            ended = &mut self.collectors_task => match ended {
                Ok(Ok(())) | Err(_) => RunError::Panicked,
                Ok(Err(error)) => RunError::Collectors(error),
            },
            failure = centre.failed() => {
                while centre.is_short_of_room() {
                    tokio::time::sleep(ROOM_LOOK).await;
                }
                tokio::time::sleep(FAILED_GRACE).await;
                RunError::Store(failure)
            }
        }
    }

    /// Stops everything in order.
    pub async fn stop(self) {
        self.shutdown.cancel();
        for task in self.tasks {
            let _ = task.await;
        }
        if !self.collectors_task.is_finished() {
            // Whoever does not let go of his connection is dropped with the process.
            let _ = tokio::time::timeout(SESSIONS_WITHIN, self.collectors_task).await;
        }
        self.app.write_audit(true).await;
        self.app.centre.stop().await;
    }
}

async fn write_audit(app: Arc<App>, shutdown: CancellationToken) {
    let mut tick = tokio::time::interval(AUDIT_WRITE);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => app.write_audit(false).await,
            () = shutdown.cancelled() => return,
        }
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Returns where agents connect, under the first name that they know the centre by.
fn advertised(config: &Config, address: SocketAddr) -> String {
    let names = names(config);
    let named =
        config.collectors.names.first().or_else(|| names.iter().find(|name| !LOOPBACK_NAMES.contains(&name.as_str())));
    match named.map(|name| name.parse::<IpAddr>().map_err(|_| name)) {
        Some(Ok(ip)) => SocketAddr::new(ip, address.port()).to_string(),
        Some(Err(name)) => format!("{name}:{}", address.port()),
        None => address.to_string(),
    }
}

/// Returns the names for the centre's certificate: as configured, else this machine's.
fn names(config: &Config) -> Vec<String> {
    if !config.collectors.names.is_empty() {
        return config.collectors.names.clone();
    }
    let mut names = LOOPBACK_NAMES.map(str::to_owned).to_vec();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    if crate::config::is_name(host) && !names.iter().any(|name| name == host) {
        names.push(host.to_owned());
    }
    for address in [config.collectors.listen, config.api.listen] {
        let ip = address.ip();
        if !ip.is_unspecified() && !ip.is_loopback() {
            names.push(ip.to_string());
        }
    }
    names.dedup();
    names
}

type ChainAndKey = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// What people and programs are shown, and when its leaf ends.
struct Shown {
    acceptor: TlsAcceptor,
    ends: Option<Timestamp>,
}

fn given_certificate(config: &Config) -> Result<Option<Shown>, RunError> {
    match &config.api.transport {
        Transport::Files { certificate, key } => Shown::new((read_chain(certificate)?, read_key(key)?)).map(Some),
        Transport::Plain | Transport::OwnAuthority => Ok(None),
    }
}

impl Shown {
    fn new((chain, key): ChainAndKey) -> Result<Self, RunError> {
        let ends = chain.first().and_then(|leaf| pki::ends(leaf));
        let builder = rustls::ServerConfig::builder().with_no_client_auth();
        let mut tls = builder.with_single_cert(chain, key).map_err(RunError::Tls)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(tls)), ends })
    }
}

fn own_certificate(config: &Config, centre: &Centre) -> Result<ChainAndKey, RunError> {
    let failed = |source: rustls::pki_types::pem::Error| RunError::Pem {
        path: config.data_dir.join("pki"),
        what: "the centre's own certificate",
        source: source.into(),
    };
    let (chain, key) = centre.chain_and_key();
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    Ok((chain.map_err(failed)?, PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(failed)?))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, RunError> {
    let failed = |source: rustls::pki_types::pem::Error| RunError::Pem {
        path: path.to_owned(),
        what: "a certificate chain",
        source: source.into(),
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(failed)?.collect();
    let chain = chain.map_err(failed)?;
    if chain.is_empty() { Err(failed(rustls::pki_types::pem::Error::NoItemsFound)) } else { Ok(chain) }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, RunError> {
    PrivateKeyDer::from_pem_file(path).map_err(|source| RunError::Pem {
        path: path.to_owned(),
        what: "a private key",
        source: source.into(),
    })
}

/// SIGINT and SIGTERM.
pub struct StopSignal {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl StopSignal {
    /// Begins to listen for both.
    ///
    /// # Errors
    /// The system does not deliver signals.
    pub fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for either. Cancel safe.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
