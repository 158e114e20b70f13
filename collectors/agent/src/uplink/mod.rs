//! The agent's line to the centre: it dials out, resumes where the centre is, and comes back when the line fails.
//!
//! Invariants: the agent listens on nothing. What is sent is on disk first. The state lane goes before the history lane, and
//! back-fill keeps its rate, so that after an outage the picture is right at once. Reconnecting backs off with jitter, so
//! that 3,000 agents do not come back in one second.
//!
//! Tasks, all owned by [`Uplink::run`], which ends them when it ends: the sealing of the spool, once a second (cancelling it
//! between two rounds loses nothing); the running instructions, at most `work::MAX_INSTRUCTIONS` (cancelled with their connection:
//! the centre asks again). Pages of flows wait until no report is due, and at most `work::MAX_FLOW_QUESTIONS` are under way, so that
//! what the centre asks for does not hold up what it watches. Blocking work on the spool runs on tokio's blocking threads, one piece at a time.
//!
//! The lanes' logic is in `lanes.rs`, the connection without its socket in `link.rs`: both are pure of I/O and clocks.

mod bucket;
mod connect;
mod lanes;
mod link;
mod sent;
#[cfg(test)]
mod tests;
mod work;

use std::{future::Future, sync::Arc, time::Duration};

use onenet_topology::{Timestamp, flow::FlowPage};
use onenet_wire::{
    AgentMessage, CentreMessage, Done, DrillOrder, FlowsQuery, Hello, Instruction, InstructionBody, InstructionResult,
    Invalid, Query, Welcome, limits, pieces::Pieces, tls, v1,
};
use serde::Serialize;
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

pub use connect::ConnectError;
pub(crate) use connect::connect;
pub use sent::Sent;

use crate::{
    clock::Clock,
    enrol::Credentials,
    spool::{Spool, SpoolError},
};
use link::{Link, Received};
use work::{Carried, Work, understood};

/// Messages between the link and the socket. When it is full the link waits: what is due stays on disk.
const OUTBOUND_DEPTH: usize = 2;
/// How often the link looks whether something is due.
const TICK: Duration = Duration::from_millis(200);
/// How long what changed waits until the link looks at it: while many devices are polled something changes all the time, state waits
/// for more anyway, and each look wakes a thread.
const LOOK: Duration = Duration::from_millis(100);
/// How often what was recorded is put on disk.
const SEAL: Duration = Duration::from_secs(1);
/// How long a connection must have lasted for the back-off to begin anew.
const STABLE_MS: i64 = 60_000;

/// How the line is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UplinkConfig {
    /// The centre's agent listener, HOST:PORT.
    pub address: String,
    /// Version of this program.
    pub version: String,
    /// Bytes per second that back-fill may take. Live history is not limited.
    pub backfill_bytes_per_s: u64,
    /// Milliseconds between signs of life.
    pub heartbeat_ms: u64,
    /// Milliseconds between digests.
    pub digest_ms: u64,
    /// Milliseconds that a connection may take to open.
    pub connect_timeout_ms: u64,
    /// The first pause after a failure, in milliseconds; it doubles each time, with jitter.
    pub least_pause_ms: u64,
    /// The longest pause, in milliseconds.
    pub most_pause_ms: u64,
}

impl UplinkConfig {
    /// Returns the usual use of the line to `address`.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            backfill_bytes_per_s: 32 << 10,
            heartbeat_ms: 30_000,
            digest_ms: 600_000,
            connect_timeout_ms: 15_000,
            least_pause_ms: 1_000,
            most_pause_ms: 60_000,
        }
    }
}

/// Who carries out what the centre asks. Called concurrently.
pub trait Handler: Send + Sync + 'static {
    /// Returns the revision of the configuration in force; 0 is the agent's own file.
    fn revision(&self) -> u64;

    /// Puts a configuration into force. Returns the revision now in force, or in words why not.
    fn configure(&self, revision: u64, toml: String) -> impl Future<Output = Result<u64, String>> + Send;

    /// Answers a question with JSON, or in words why not.
    fn query(&self, query: Query) -> impl Future<Output = Result<Vec<u8>, String>> + Send;

    /// Tells of an anomaly that is a drill, or in words why not.
    fn drill(&self, order: DrillOrder) -> impl Future<Output = Result<(), String>> + Send;

    /// Returns a page of flows that keeps the wire's limits, or in words why not.
    fn flows(&self, asked: FlowsQuery) -> impl Future<Output = Result<FlowPage, String>> + Send;
}

/// How the line is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkState {
    /// Whether the centre has welcomed the agent on the present connection.
    pub connected: bool,
    /// Since when, on the agent's timeline.
    pub since: Timestamp,
    /// The site's name as the centre has it.
    pub site_name: Option<String>,
    /// How far the agent's clock is ahead of the centre's, in milliseconds, at the last welcome.
    pub clock_ahead_ms: Option<i64>,
    /// Why the line is down.
    pub error: Option<String>,
}

/// The line of one agent.
#[derive(Debug)]
pub struct Uplink<H> {
    spool: Arc<Spool>,
    credentials: Credentials,
    clock: Clock,
    config: UplinkConfig,
    handler: Arc<H>,
    state: watch::Sender<LinkState>,
    sent: Sent,
}

/// A connection ended. What was not acknowledged is still in the spool.
#[derive(Debug, thiserror::Error)]
pub enum UplinkError {
    /// It was not opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The own certificate cannot be used.
    #[error("the agent's certificate cannot be used")]
    Credentials(#[source] tls::TlsError),
    /// The centre does not want this agent.
    #[error("the centre refuses this agent ({}): if its site was moved or its certificate withdrawn or outdated, enrol again", .status.message())]
    Refused {
        /// What the centre says.
        status: Box<Status>,
    },
    /// The stream failed.
    #[error("the connection to the centre broke: {}", .status.message())]
    Broken {
        /// What the transport says.
        status: Box<Status>,
    },
    /// The centre closed the stream.
    #[error("the centre closed the connection")]
    Closed,
    /// The centre said something that is not of this version.
    #[error("the centre's message is not understood: bring agent and centre to the same version")]
    Invalid(#[source] Invalid),
    /// The first message was no welcome.
    #[error("the centre did not begin with a welcome: bring agent and centre to the same version")]
    NoWelcome,
    /// The centre owes answers.
    #[error("the centre does not acknowledge: check that onenetd's disk is not full")]
    Silent,
    /// The spool failed.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl<H: Handler> Uplink<H> {
    /// Returns the line, not yet opened, and where its state can be watched.
    pub fn new(
        spool: Arc<Spool>,
        credentials: Credentials,
        clock: Clock,
        config: UplinkConfig,
        handler: Arc<H>,
    ) -> (Self, watch::Receiver<LinkState>) {
        let since = clock.timestamp();
        let state = LinkState { connected: false, since, site_name: None, clock_ahead_ms: None, error: None };
        let (state, watched) = watch::channel(state);
        (Self { spool, credentials, clock, config, handler, state, sent: Sent::default() }, watched)
    }

    /// Counts in `sent` what goes over the line.
    #[must_use]
    pub fn counting(self, sent: Sent) -> Self {
        Self { sent, ..self }
    }

    /// Keeps the line until `shutdown`, then puts the spool on disk and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let stop = shutdown.child_token();
        let sealing = tokio::spawn(seal(Arc::clone(&self.spool), self.clock, stop.clone()));
        let stop = stop.drop_guard();
        let mut pause_ms = self.config.least_pause_ms;
        while !shutdown.is_cancelled() {
            let error = tokio::select! {
                () = shutdown.cancelled() => break,
                ended = self.session() => ended,
            };
            if self.went_down(&error) {
                pause_ms = self.config.least_pause_ms;
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = sleep(Duration::from_millis(jittered(pause_ms))) => {}
            }
            pause_ms = pause_ms.saturating_mul(2).min(self.config.most_pause_ms);
        }
        drop(stop);
        // The sealing task ends by the token, and its last act is to put everything on disk.
        if let Err(error) = sealing.await {
            tracing::error!(%error, "the sealing of the spool ended badly");
        }
    }

    /// Takes note that the line is down. Returns whether it had been up for a while.
    fn went_down(&self, error: &UplinkError) -> bool {
        let now = self.clock.timestamp();
        let text = chain(error);
        let mut was_stable = false;
        self.state.send_modify(|state| {
            was_stable = state.connected && now.ms_since(state.since) >= STABLE_MS;
            // The same failure again is no news.
            if state.connected || state.error.as_ref() != Some(&text) {
                tracing::warn!(address = %self.config.address, error = %text, "the line to the centre is down");
            }
            if state.connected || state.error.is_none() {
                state.since = now;
            }
            state.connected = false;
            state.error = Some(text);
        });
        was_stable
    }

    /// Opens a connection and serves it until it ends.
    async fn session(&self) -> UplinkError {
        match self.open().await {
            Ok((link, inbound, outbound)) => match self.serve(link, inbound, outbound).await {
                Ok(()) => UplinkError::Closed,
                Err(error) => error,
            },
            Err(error) => error,
        }
    }

    async fn open(&self) -> Result<(Link, Streaming<v1::CentreMessage>, mpsc::Sender<v1::AgentMessage>), UplinkError> {
        let limit = Duration::from_millis(self.config.connect_timeout_ms);
        let config = self.credentials.client_config().map_err(UplinkError::Credentials)?;
        let channel = connect(&self.config.address, config, limit).await?;
        let mut client = v1::collector_client::CollectorClient::new(Pieces(channel))
            .max_decoding_message_size(limits::MESSAGE_BYTES)
            .max_encoding_message_size(limits::MESSAGE_BYTES);
        let (outbound, messages) = mpsc::channel(OUTBOUND_DEPTH);
        let hello = AgentMessage::Hello(self.hello()).into();
        self.sent.count(&hello);
        outbound.send(hello).await.map_err(|_| UplinkError::Closed)?;
        let silent = |_| UplinkError::Silent;
        let response = timeout(limit, client.report(ReceiverStream::new(messages))).await.map_err(silent)?;
        let mut inbound = response.map_err(refused)?.into_inner();
        let first = timeout(limit, inbound.message()).await.map_err(silent)?.map_err(refused)?;
        let first = CentreMessage::try_from(first.ok_or(UplinkError::Closed)?).map_err(UplinkError::Invalid)?;
        let CentreMessage::Welcome(welcome) = first else { return Err(UplinkError::NoWelcome) };
        self.came_up(&welcome);
        let (spool, config, clock) = (Arc::clone(&self.spool), self.config.clone(), self.clock);
        let link = blocking(move || Link::open(spool, config, &welcome, &clock.now())).await?;
        Ok((link, inbound, outbound))
    }

    fn hello(&self) -> Hello {
        let view = self.spool.view();
        Hello {
            agent: self.credentials.identity.agent,
            site: self.credentials.identity.site,
            version: self.config.version.clone(),
            clocks: self.clock.now(),
            lanes: vec![view.state, view.history],
            configuration_revision: self.handler.revision(),
        }
    }

    fn came_up(&self, welcome: &Welcome) {
        let now = self.clock.timestamp();
        let ahead = now.ms_since(welcome.centre_time);
        tracing::info!(address = %self.config.address, site = %welcome.site_name, clock_ahead_ms = ahead, "the line to the centre is up");
        self.state.send_replace(LinkState {
            connected: true,
            since: now,
            site_name: Some(welcome.site_name.clone()),
            clock_ahead_ms: Some(ahead),
            error: None,
        });
    }

    /// Carries messages both ways until the stream ends.
    async fn serve(
        &self,
        mut link: Link,
        mut inbound: Streaming<v1::CentreMessage>,
        outbound: mpsc::Sender<v1::AgentMessage>,
    ) -> Result<(), UplinkError> {
        let mut work = Work::default();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            link = self.send_due(link, &outbound).await?;
            work.send_pages(&outbound, &self.sent);
            tokio::select! {
                message = inbound.message() => {
                    let Some(message) = message.map_err(refused)? else { return Ok(()) };
                    let message = match understood(message)? {
                        Ok(message) => message,
                        Err(answer) => {
                            self.answer_with(&outbound, answer).await?;
                            continue;
                        }
                    };
                    let clock = self.clock;
                    let received;
                    (link, received) = blocking(move || {
                        let received = link.receive(message, &clock.now())?;
                        Ok((link, received))
                    }).await?;
                    if let Some(answer) = self.begin(received, &mut work) {
                        self.answer_with(&outbound, answer).await?;
                    }
                }
                Some(Ok(carried)) = work.running.join_next() => {
                    if let Some(answer) = work.done(carried) {
                        self.answer_with(&outbound, answer).await?;
                    }
                }
                // The line takes more: reports first, then the page.
                Ok(_) = outbound.reserve(), if work.has_pages() => {}
                () = self.changed() => {}
                _ = tick.tick() => {
                    if link.is_dead(&self.clock.now()) {
                        return Err(UplinkError::Silent);
                    }
                }
            }
        }
    }

    /// Returns when there may be something new to send, [`LOOK`] after this was asked at the soonest.
    async fn changed(&self) {
        sleep(LOOK).await;
        self.spool.changed().await;
    }

    /// Sends what is due, as far as the socket takes it.
    async fn send_due(&self, mut link: Link, outbound: &mpsc::Sender<v1::AgentMessage>) -> Result<Link, UplinkError> {
        while let Ok(permit) = outbound.try_reserve() {
            let clock = self.clock;
            let message;
            (link, message) = blocking(move || {
                let message = link.next(&clock.now())?;
                Ok((link, message))
            })
            .await?;
            let Some(message) = message else { break };
            self.sent.count(&message);
            permit.send(message);
        }
        Ok(link)
    }

    async fn answer_with(
        &self,
        outbound: &mpsc::Sender<v1::AgentMessage>,
        answer: InstructionResult,
    ) -> Result<(), UplinkError> {
        let message = AgentMessage::Result(answer).into();
        self.sent.count(&message);
        outbound.send(message).await.map_err(|_| UplinkError::Closed)
    }

    /// Begins what was asked. Returns the answer where there is one at once.
    fn begin(&self, received: Received, work: &mut Work) -> Option<InstructionResult> {
        let Instruction { id, body } = match received {
            Received::Nothing => return None,
            Received::Answer(answer) => return Some(answer),
            Received::Instruction(instruction) => instruction,
        };
        let asks_flows = match work.admit(&body) {
            Ok(asks_flows) => asks_flows,
            Err(full) => return Some(InstructionResult { id, outcome: Err(full) }),
        };
        let handler = Arc::clone(&self.handler);
        work.running.spawn(async move {
            let result = InstructionResult { id, outcome: carry_out(&*handler, body).await };
            Carried { asks_flows, result }
        });
        None
    }
}

/// Puts what was recorded on disk once a second, and everything when it ends.
async fn seal(spool: Arc<Spool>, clock: Clock, shutdown: CancellationToken) {
    let mut tick = interval(SEAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_error = None;
    loop {
        let ending = tokio::select! {
            () = shutdown.cancelled() => true,
            _ = tick.tick() => false,
        };
        let spool = Arc::clone(&spool);
        let sealed = blocking(move || if ending { spool.flush(&clock.now()) } else { spool.seal(&clock.now()) }).await;
        let error = sealed.err().map(|error| chain(&error));
        if error != last_error {
            if let Some(error) = &error {
                tracing::error!(%error, "what was observed cannot be kept");
            } else {
                tracing::info!("the spool takes observations again");
            }
            last_error = error;
        }
        if ending {
            return;
        }
    }
}

async fn carry_out<H: Handler>(handler: &H, body: InstructionBody) -> Result<Done, String> {
    match body {
        InstructionBody::Configure { revision, toml } => {
            let configuration_revision = handler.configure(revision, toml).await?;
            Ok(Done { configuration_revision, ..Done::default() })
        }
        InstructionBody::Query(Query::Flows(asked)) => {
            let flows = Some(handler.flows(asked).await?);
            Ok(Done { flows, configuration_revision: handler.revision(), ..Done::default() })
        }
        InstructionBody::Query(query) => {
            let body = handler.query(query).await?;
            if body.len() > limits::RESULT_BYTES {
                return Err(format!(
                    "the answer has {} bytes, at most {} go through",
                    body.len(),
                    limits::RESULT_BYTES
                ));
            }
            Ok(Done { body, configuration_revision: handler.revision(), flows: None })
        }
        InstructionBody::Drill(order) => {
            handler.drill(*order).await?;
            Ok(Done { configuration_revision: handler.revision(), ..Done::default() })
        }
        InstructionBody::Resync(_) => Err("resync is the link's own".to_owned()),
    }
}

/// Runs work that waits for the disk where waiting is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down: nothing was done.
            Err(_) => Err(SpoolError::Closed),
        },
    }
}

fn refused(status: Status) -> UplinkError {
    use tonic::Code;
    let status = Box::new(status);
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => UplinkError::Refused { status },
        _ => UplinkError::Broken { status },
    }
}

/// Returns a pause between half and all of `pause_ms`.
fn jittered(pause_ms: u64) -> u64 {
    let random = tls::random::<8>().map_or(0, u64::from_be_bytes);
    pause_ms / 2 + random % (pause_ms / 2 + 1)
}

/// Returns an error with everything that caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
