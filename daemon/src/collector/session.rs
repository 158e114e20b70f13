//! The stream of one agent, from its hello to its end.
//!
//! Invariant: batches are handed over in the order in which they came, and answered in that order after the commit; an
//! agent has few in flight, and what else it says often is let through seldom, so that no agent crowds out the others.
//! Whatever a stream hands over names the stream: once a newer one said hello it has no effect.
//!
//! # Tasks
//!
//! One task, [`Session::run`], owned by the runtime until the stream ends, is replaced, or shutdown. It owns a few helper
//! tasks (pushing a configuration, asking for a resync), which it aborts when it ends: what they asked is asked again
//! after the next hello or digest.

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt as _, stream::FuturesOrdered};
use onenet_topology::{Timestamp, fact::Group};
use onenet_wire::{
    Acknowledgement, AgentMessage, Batch, CentreMessage, Digest, GroupDigest, Hello, InstructionBody, Position,
    Rejection, RejectionReason, Welcome, limits,
    tls::{self, Fingerprint, Identity},
    v1,
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming, transport::server::TlsConnectInfo};

use super::{Shared, door::Standing, streams::Entered};
use crate::{
    estate::{Certificate, Estate},
    findings::{FindingKey, FindingKind, Subject},
    ingest::{Intake, IntakeError, Outcome, Refusal},
    record::{Body, Greeting, Report},
};

/// How long an agent may take to say hello after the handshake.
const HELLO_TIMEOUT: Duration = Duration::from_secs(15);
/// Batches of one agent that wait for the commit. When reached, nothing more is read from its stream: the agent waits.
const IN_FLIGHT_MAX: usize = 16;
/// Digests that an agent may send at once, and milliseconds until it may send one more: it sends one in ten minutes.
const DIGESTS_AT_ONCE: i64 = 8;
const DIGEST_EVERY_MS: i64 = 10_000;
/// Milliseconds between two signs of life that are recorded: an agent sends one in half a minute.
const HEARD_EVERY_MS: i64 = 1_000;
/// How long an agent may leave unread what it is sent.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a stream that ends waits to say why.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);
/// Messages that wait to be sent to one agent; when full the session waits, and with it the agent.
const OUTBOX_MESSAGES: usize = 32;

/// What waits to be sent to an agent.
pub(super) type Outbox = mpsc::Sender<Outgoing>;
/// A message, or why the stream ends; in a box, since room for a channel's worth of them is held for each agent.
pub(super) type Outgoing = Box<Result<CentreMessage, Status>>;

/// Serves agents' streams.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) shared: Arc<Shared>,
    pub(super) intake: Intake,
    pub(super) shutdown: CancellationToken,
}

/// A stream in the making or open.
struct Session {
    shared: Arc<Shared>,
    intake: Intake,
    identity: Identity,
    certificate: Option<Certificate>,
    standing: Arc<Standing>,
    outbox: Outbox,
    helpers: JoinSet<()>,
    /// When the last sign of life was recorded.
    heard: Option<Timestamp>,
    /// From when on the agent would have all its digests to send again.
    digests_from: Timestamp,
}

#[tonic::async_trait]
impl v1::collector_server::Collector for Service {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<v1::CentreMessage, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (identity, certificate, standing) = identify(&request)?;
        admit(&self.shared.published.estate.load(), identity)?;
        let (outbox, outgoing) = mpsc::channel(OUTBOX_MESSAGES);
        let session = Session {
            shared: Arc::clone(&self.shared),
            intake: self.intake.clone(),
            identity,
            certificate,
            standing,
            outbox,
            helpers: JoinSet::new(),
            heard: None,
            digests_from: Timestamp::EPOCH,
        };
        let (inbound, shutdown) = (request.into_inner(), self.shutdown.clone());
        tokio::spawn(session.run(inbound, shutdown));
        let outgoing = ReceiverStream::new(outgoing).map(|message| (*message).map(|it| v1::CentreMessage::from(&it)));
        Ok(Response::new(Box::pin(outgoing)))
    }
}

/// Returns who asks, the certificate that says so, and how he stands at the door.
fn identify(
    request: &Request<Streaming<v1::AgentMessage>>,
) -> Result<(Identity, Option<Certificate>, Arc<Standing>), Status> {
    let connection = request.extensions().get::<TlsConnectInfo<Arc<Standing>>>();
    let connection = connection.ok_or_else(|| Status::internal("the connection is not one of the agents' port"))?;
    let certificates = connection.peer_certs();
    let leaf = certificates.as_deref().and_then(|chain| chain.first());
    let certificate = leaf.and_then(|leaf| {
        let expires = Timestamp::from_unix_ms(tls::expires_ms(leaf).ok()?);
        Some(Certificate { fingerprint: Fingerprint::of(leaf), expires })
    });
    match Identity::of_peer(certificates.as_deref().map(Vec::as_slice)) {
        Ok(Some(identity)) => Ok((identity, certificate, Arc::clone(connection.get_ref()))),
        Ok(None) => Err(Status::unauthenticated(
            "a certificate is needed to report: enrol first (onenetd enrol SITE, then onenet-agent enrol)",
        )),
        Err(error) => Err(Status::unauthenticated(error.to_string())),
    }
}

/// Asks the registry for the agent.
fn admit(estate: &Estate, identity: Identity) -> Result<(), Status> {
    let Identity { agent, site } = identity;
    let known = estate.agent(agent).ok_or(Refusal::UnknownAgent(agent));
    let refusal = match known {
        Err(refusal) => refusal,
        Ok(known) => match &known.revoked {
            Some(it) => Refusal::Revoked { agent, by: it.by.clone(), time: it.time, reason: it.reason.clone() },
            None if known.site != site => Refusal::OtherSite { agent, own: known.site, asked: site },
            None => return Ok(()),
        },
    };
    tracing::warn!(%agent, %site, error = %refusal, "an agent was turned away");
    Err(Status::permission_denied(refusal.to_string()))
}

impl Session {
    async fn run(mut self, mut inbound: Streaming<v1::AgentMessage>, shutdown: CancellationToken) {
        let agent = self.identity.agent;
        let entered = match self.open(&mut inbound).await {
            Ok(entered) => entered,
            Err(status) => {
                tracing::warn!(%agent, error = status.message(), "a stream was not opened");
                self.leave(status).await;
                return;
            }
        };
        tracing::info!(%agent, site = %self.identity.site, "an agent is connected");
        // From here on the connection has an agent's place.
        let _open = Arc::clone(&self.standing).open();
        let stream = entered.number;
        // Whatever it waits for, an agent that reads nothing say, it can be ended.
        let ended = tokio::select! {
            ended = self.serve(&mut inbound, stream) => ended,
            () = entered.replaced.cancelled() => {
                let revoked = admit(&self.shared.published.estate.load(), self.identity);
                revoked.and(Err(Status::aborted("the stream was ended: a newer one of the same agent took its place")))
            }
            () = shutdown.cancelled() => Err(Status::unavailable("the centre is stopping")),
        };
        if let Err(status) = ended {
            tracing::info!(%agent, reason = status.message(), "a stream was ended");
            self.leave(status).await;
        }
        if self.shared.streams.leave(agent, stream) {
            tracing::info!(%agent, "an agent is disconnected");
            // When the intake is gone so is the centre, and at its next start every stream counts as closed.
            let _ = self.intake.submit(self.said(stream, Body::Disconnected { agent })).await;
        }
    }

    /// Says why the stream ends, to whoever reads it.
    async fn leave(&self, status: Status) {
        // The stream ends all the same when nobody does.
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, self.outbox.send(Box::new(Err(status)))).await;
    }

    /// Returns what was said on a stream, as a record.
    fn said(&self, stream: u64, body: Body) -> Body {
        Body::OfStream { stream, agent: self.identity.agent, body: Box::new(body) }
    }

    /// Waits for the hello, records it, and answers it.
    async fn open(&mut self, inbound: &mut Streaming<v1::AgentMessage>) -> Result<Entered, Status> {
        let first = tokio::time::timeout(HELLO_TIMEOUT, inbound.message()).await;
        let first = first.map_err(|_| Status::deadline_exceeded("no hello came: is this an onenet-agent?"))??;
        let first = first.ok_or_else(|| Status::invalid_argument("the stream ended before its hello"))?;
        let hello = match AgentMessage::try_from(first) {
            Ok(AgentMessage::Hello(hello)) => hello,
            Ok(_) => return Err(Status::failed_precondition("the first message must be a hello")),
            Err(error) => return Err(Status::invalid_argument(error.to_string())),
        };
        self.check_identity(&hello)?;
        let greeting = Greeting {
            agent: hello.agent,
            version: hello.version,
            clocks: hello.clocks,
            received: self.shared.clock.now(),
            configuration_revision: hello.configuration_revision,
            certificate: self.certificate,
        };
        let outcome = self.intake.submit(Body::Hello(greeting)).await.map_err(ending)?;
        let Outcome::Greeted { stream } = outcome else {
            return Err(Status::internal("the hello came to something else; see the centre's log"));
        };
        let estate = self.shared.published.estate.load_full();
        let committed = estate.agent(hello.agent).map(|agent| agent.committed()).unwrap_or_default();
        let welcome =
            Welcome { centre_time: self.shared.clock.now(), committed, site_name: self.shared.site_name(hello.site) };
        // Entered first: whatever is asked from now on follows the welcome, since the outbox keeps the order.
        self.say(CentreMessage::Welcome(welcome)).await?;
        let entered = self.shared.streams.enter(hello.agent, stream, self.outbox.clone());
        // Who was revoked before this moment was not yet found among the streams, so he is looked for once more.
        if let Err(status) = admit(&self.shared.published.estate.load(), self.identity) {
            self.shared.streams.leave(hello.agent, entered.number);
            return Err(status);
        }
        self.instruct(hello.configuration_revision);
        Ok(entered)
    }

    fn check_identity(&self, hello: &Hello) -> Result<(), Status> {
        let Identity { agent, site } = self.identity;
        if (hello.agent, hello.site) == (agent, site) {
            return Ok(());
        }
        Err(Status::permission_denied(format!(
            "the certificate is that of {agent} at {site}, the hello says {} at {}: enrol again, or restore the agent's \
             own data directory",
            hello.agent, hello.site
        )))
    }

    /// Pushes the site's configuration when the agent has another, and the drills that it has to put in.
    fn instruct(&mut self, in_force: u64) {
        // As it is now that the stream is entered: whoever orders something from here on finds the stream.
        let estate = self.shared.published.estate.load_full();
        let agent = self.identity.agent;
        let wanted = estate.configurations.get(&self.identity.site).filter(|it| it.revision != in_force).cloned();
        if wanted.is_none() && estate.drills.awaiting(agent).next().is_none() {
            return;
        }
        let (shared, intake) = (Arc::clone(&self.shared), self.intake.clone());
        self.helpers.spawn(async move {
            if let Some(wanted) = wanted {
                // A failure is logged there, and tried again at the next hello.
                let _ = shared.configure(&intake, agent, &wanted).await;
            }
            shared.drill(&intake, agent, true).await;
        });
    }

    async fn serve(&mut self, inbound: &mut Streaming<v1::AgentMessage>, stream: u64) -> Result<(), Status> {
        let mut in_flight = FuturesOrdered::new();
        loop {
            tokio::select! {
                Some(answer) = in_flight.next(), if !in_flight.is_empty() => self.answer(answer).await?,
                message = inbound.message(), if in_flight.len() < IN_FLIGHT_MAX => {
                    let Some(message) = message.map_err(unreadable)? else { return Ok(()) };
                    if let Some((position, handed)) = self.receive(message, stream).await? {
                        let agent = self.identity.agent;
                        let (body, invalid) = match handed {
                            Handed::Batch(batch) => (Body::Report(Report { agent, site: self.identity.site, batch }), None),
                            Handed::Unacceptable(detail) => (Body::Unacceptable { agent, position }, Some(detail)),
                        };
                        let pending = self.intake.enqueue(self.said(stream, body)).await.map_err(ending)?;
                        in_flight.push_back(async move { (position, invalid, pending.answer().await) });
                    }
                }
            }
        }
    }

    /// Takes a message in. Returns what is to be committed.
    async fn receive(&mut self, message: v1::AgentMessage, stream: u64) -> Result<Option<(Position, Handed)>, Status> {
        // The position is read apart, so that a batch that is not acceptable can be named and passed over.
        let position = match &message.body {
            Some(v1::agent_message::Body::Batch(batch)) => {
                batch.position.and_then(|position| Position::try_from(position).ok())
            }
            _ => None,
        };
        let agent = self.identity.agent;
        match (AgentMessage::try_from(message), position) {
            // Passed over without an answer: the agent keeps it and sends it again. What else it says is taken in, so that
            // a full disk at the centre does not look like a dead nation.
            (Ok(AgentMessage::Batch(_)), _) if self.shared.room.is_short() => Ok(None),
            (Ok(AgentMessage::Batch(batch)), _) => Ok(Some((batch.position, Handed::Batch(Arc::new(batch))))),
            (Ok(AgentMessage::Heartbeat(heartbeat)), _) => {
                let received = self.shared.clock.now();
                if self.heard.is_none_or(|last| received.ms_since(last) >= HEARD_EVERY_MS) {
                    self.heard = Some(received);
                    let history_waiting = heartbeat.history_waiting;
                    let body = Body::Heard { agent, clocks: heartbeat.clocks, received, history_waiting };
                    // Nobody waits for this answer; a store that failed is told by the batches.
                    self.intake.enqueue(self.said(stream, body)).await.map_err(ending)?;
                }
                Ok(None)
            }
            (Ok(AgentMessage::Digest(digest)), _) => {
                if self.may_compare() {
                    self.compare(&digest);
                }
                Ok(None)
            }
            (Ok(AgentMessage::Result(result)), _) => {
                self.shared.streams.answer(agent, result);
                Ok(None)
            }
            (Ok(AgentMessage::Hello(_)), _) => Err(Status::failed_precondition("a second hello on one stream")),
            (Err(error), Some(position)) => {
                tracing::warn!(%agent, %error, "a batch is not acceptable");
                Ok(Some((position, Handed::Unacceptable(error.to_string()))))
            }
            (Err(error), None) => Err(Status::invalid_argument(error.to_string())),
        }
    }

    /// Answers a batch.
    async fn answer(&self, answered: Answered) -> Result<(), Status> {
        let (position, invalid, result) = answered;
        let rejection = |position, reason, detail| CentreMessage::Rejection(Rejection { position, reason, detail });
        let message = match (result, invalid) {
            (Ok(_), Some(detail)) => rejection(position, RejectionReason::Invalid, detail),
            (Ok(Outcome::Committed(position)), None) => CentreMessage::Acknowledgement(Acknowledgement { position }),
            (Ok(_), None) => return Ok(()),
            (Err(IntakeError::Refused(refusal)), _) => {
                let detail = refusal.to_string();
                match refusal {
                    Refusal::Gap { committed, .. } => rejection(committed, RejectionReason::Gap, detail),
                    Refusal::EpochRetired { .. } => rejection(position, RejectionReason::EpochRetired, detail),
                    Refusal::Invalid(_) => rejection(position, RejectionReason::Invalid, detail),
                    other => return Err(ending(other.into())),
                }
            }
            (Err(error), _) => return Err(ending(error)),
        };
        self.say(message).await
    }

    async fn say(&self, message: CentreMessage) -> Result<(), Status> {
        let sent = tokio::time::timeout(READ_TIMEOUT, self.outbox.send(Box::new(Ok(message)))).await;
        let unread = |_| Status::deadline_exceeded("the agent does not read what it is sent: restart it");
        sent.map_err(unread)?.map_err(|_| Status::cancelled("the agent went away"))
    }

    /// Returns whether the agent may have one more digest compared; what is too much is passed over, the next one counts.
    fn may_compare(&mut self) -> bool {
        let now = self.shared.clock.now();
        let from = self.digests_from.max(now.plus_ms(-DIGESTS_AT_ONCE * DIGEST_EVERY_MS)).plus_ms(DIGEST_EVERY_MS);
        let may = from <= now;
        if may {
            self.digests_from = from;
        }
        may
    }

    /// Compares what the agent holds with what the centre holds of it, and asks for the groups that differ.
    fn compare(&mut self, digest: &Digest) {
        while self.helpers.try_join_next().is_some() {}
        let agent = self.identity.agent;
        let estate = self.shared.published.estate.load_full();
        let groups = differing(&estate, self.identity, digest);
        // One helper is the configuration, another the resync before; a third would ask the same again.
        if groups.is_empty() || self.helpers.len() > 1 {
            return;
        }
        tracing::warn!(%agent, groups = groups.len(), "what the agent holds differs from what the centre holds");
        let shared = Arc::clone(&self.shared);
        self.helpers.spawn(async move {
            if let Err(error) = shared.streams.instruct(agent, InstructionBody::Resync(groups)).await {
                tracing::warn!(%agent, %error, "a resync was not done; the next digest asks again");
            }
        });
    }
}

/// What is handed to the intake.
enum Handed {
    Batch(Arc<Batch>),
    Unacceptable(String),
}

type Answered = (Position, Option<String>, Result<Outcome, IntakeError>);

/// Returns the groups that agent and centre do not hold alike; none while they are not at the same batch.
fn differing(estate: &Estate, identity: Identity, digest: &Digest) -> Vec<Group> {
    let at = estate.agent(identity.agent).map(|agent| (agent.state.epoch, agent.state.sequence));
    if at != Some((Some(digest.state.epoch), digest.state.sequence)) {
        return Vec::new();
    }
    // What there is no room for would differ for ever: a finding says so.
    let full = FindingKey { kind: FindingKind::CapacityReached, subject: Subject::Agent(identity.agent) };
    if estate.site(identity.site).is_some_and(|site| site.findings.contains_key(&full)) {
        return Vec::new();
    }
    let mut held: BTreeMap<&Group, &GroupDigest> = BTreeMap::new();
    if let Some(site) = estate.site(identity.site) {
        held.extend(site.groups_of(identity.agent).map(|(group, held)| (group, held.digest())));
    }
    let mut differing: Vec<Group> = Vec::new();
    for theirs in &digest.groups {
        let same = match held.remove(&theirs.group) {
            Some(ours) => (ours.count, ours.sum) == (theirs.count, theirs.sum),
            None => theirs.count == 0,
        };
        if !same {
            differing.push(theirs.group.clone());
        }
    }
    differing.extend(held.into_keys().cloned());
    differing.truncate(limits::DIGEST_GROUPS);
    differing
}

/// Returns the status with which a stream ends whose next message cannot be read.
fn unreadable(status: Status) -> Status {
    match status.code() {
        // What the transport says of messages over the limit, and of bytes that are no message.
        Code::OutOfRange => Status::out_of_range(format!(
            "a message is over {} bytes, the most that one may have: bring agent and centre to the same version",
            limits::MESSAGE_BYTES
        )),
        Code::Internal => Status::invalid_argument(format!(
            "a message is not of version 1 of the protocol ({}): bring agent and centre to the same version",
            status.message()
        )),
        _ => status,
    }
}

/// Returns the status with which a stream ends when the intake does not take something in.
fn ending(error: IntakeError) -> Status {
    match error {
        IntakeError::Refused(refusal @ Refusal::StreamReplaced(_)) => Status::aborted(refusal.to_string()),
        IntakeError::Refused(refusal) => Status::permission_denied(refusal.to_string()),
        IntakeError::Store(_) => Status::unavailable("the centre cannot write to its disk: see its log and console"),
        IntakeError::Stopped => Status::unavailable("the centre is stopping"),
    }
}
