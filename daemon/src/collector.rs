//! The gRPC services for agents: their one stream, and enrolment.
//!
//! Invariant: an agent is who its certificate says, may report for its own site only, and is asked for by name in the
//! registry at each connection, so that a revoked one is out at once. Nothing is acknowledged that the intake has not
//! answered. Whoever is no agent cannot take an agent's place ([`door`]).
//!
//! # Tasks
//!
//! One task a connection, owned by the server; one task a stream ([`session`]), which ends when the stream does, when a
//! newer stream of the same agent takes its place, or at shutdown. A session can be cancelled at any point: what the
//! intake was given is committed all the same, and the agent asks at its next hello how far it got.

mod apart;
mod door;
mod enrolment;
mod session;
mod streams;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use onenet_topology::{AgentId, SiteId};
use onenet_wire::{
    Asker, DrillOrder, InstructionBody,
    limits::{self, MESSAGE_BYTES},
    v1::{collector_server::CollectorServer, enrolment_server::EnrolmentServer},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tower::util::MapRequestLayer;

pub(crate) use door::Limits;
pub(crate) use streams::ANSWER_TIMEOUT;
pub use streams::{InstructError, Streams};

use crate::{
    clock::Clock,
    estate::Configuration,
    ingest::{Intake, Published, ReportSource, SourceError},
    pki::Pki,
    record::Body,
    room::Room,
};

/// HTTP/2 pings find an agent that hangs, in about this long and [`PING_TIMEOUT`]; one that is gone without a word is found sooner, by
/// the kernel ([`alive`](onenet_wire::alive)).
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Streams that one connection may open: an agent needs one, and one more while it replaces it.
const STREAMS_PER_CONNECTION: u32 = 4;

/// The gRPC services for agents.
#[derive(Debug)]
pub struct CollectorSource {
    /// Where they are served.
    pub listener: TcpListener,
    /// How many may be connected.
    pub(crate) limits: Limits,
    /// What they share.
    pub shared: Arc<Shared>,
}

/// What the services share.
#[derive(Debug)]
pub struct Shared {
    /// The estate, to be read.
    pub published: Published,
    /// The certificate authority.
    pub pki: Arc<Pki>,
    /// The agents' open streams.
    pub streams: Streams,
    /// Whether there is room on the disk for what agents report.
    pub(crate) room: Room,
    /// The clock.
    pub clock: Clock,
}

impl Shared {
    /// Returns the name of a site, for people.
    pub fn site_name(&self, site: SiteId) -> String {
        let estate = self.published.estate.load();
        let now = self.clock.now();
        estate.tree.get(site).map(|site| site.name(now).zh.clone()).unwrap_or_default()
    }

    /// Gives an agent its configuration and records what came of it.
    ///
    /// # Errors
    /// The agent is not connected, is lost meanwhile, or refuses the configuration.
    pub async fn configure(
        &self,
        intake: &Intake,
        agent: AgentId,
        wanted: &Configuration,
    ) -> Result<(), InstructError> {
        let body = InstructionBody::Configure { revision: wanted.revision, toml: wanted.toml.to_string() };
        let done = match self.streams.instruct(agent, body).await {
            Ok(done) => done,
            Err(error) => {
                tracing::warn!(%agent, revision = wanted.revision, %error, "a configuration is not in force");
                if let InstructError::Failed { reason, .. } = &error {
                    let (revision, reason) = (wanted.revision, reason.clone());
                    // When the record is not taken in, the agent refuses again at its next hello.
                    let _ = intake.submit(Body::ConfigurationRefused { agent, revision, reason }).await;
                }
                return Err(error);
            }
        };
        tracing::info!(%agent, revision = done.configuration_revision, "a configuration is in force");
        // When the record is not taken in, the agent tells the revision at its next hello.
        let _ = intake.submit(Body::Configured { agent, revision: done.configuration_revision }).await;
        Ok(())
    }
}

/// Words of a drill that its site is told.
const REASON_BYTES: usize = 400;

impl Shared {
    /// Asks an agent to put in the drills that were ordered from it: those that it did not take yet, or (`all`) those that nobody found
    /// yet, since what it took and had not on its disk may be gone. What it is asked twice counts once.
    ///
    /// Where it does not answer it is asked when it connects again.
    pub async fn drill(&self, intake: &Intake, agent: AgentId, all: bool) {
        let estate = self.published.estate.load_full();
        for drill in estate.drills.awaiting(agent).filter(|it| all || it.injected.is_none()) {
            let (mut principal, mut reason) = (drill.by.clone(), drill.plan.text.clone());
            limits::cut(&mut principal, limits::NAME_BYTES);
            limits::cut(&mut reason, REASON_BYTES);
            let order = DrillOrder { asker: Asker { principal, reason }, report: drill.report(self.clock.now()) };
            let refused = match self.streams.instruct(agent, InstructionBody::Drill(Box::new(order))).await {
                Ok(_) => None,
                Err(error @ InstructError::Failed { .. }) => Some(error.to_string()),
                Err(error) => {
                    tracing::warn!(%agent, drill = %drill.id, %error, "a drill waits until the agent connects again");
                    return;
                }
            };
            // When the record is not taken in, the agent is asked again at its next hello.
            let _ = intake.submit(Body::Drilled { agent, drill: drill.id, refused }).await;
        }
    }
}

impl ReportSource for CollectorSource {
    fn name(&self) -> &'static str {
        "collector"
    }

    async fn run(self, intake: Intake, shutdown: CancellationToken) -> Result<(), SourceError> {
        let failed = |source: tonic::transport::Error| SourceError {
            source_name: "collector",
            remedy: "check the certificates in the pki directory and the address it listens on".into(),
            source: source.into(),
        };
        let Self { listener, limits, shared } = self;
        let collector =
            session::Service { shared: Arc::clone(&shared), intake: intake.clone(), shutdown: shutdown.clone() };
        let enrolment = enrolment::Service { shared: Arc::clone(&shared), intake };
        let collector = CollectorServer::new(collector)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        let enrolment = EnrolmentServer::new(enrolment).max_decoding_message_size(MESSAGE_BYTES);
        Server::builder()
            .tls_config(shared.pki.server())
            .map_err(failed)?
            .http2_keepalive_interval(Some(PING_INTERVAL))
            .http2_keepalive_timeout(Some(PING_TIMEOUT))
            .max_concurrent_streams(STREAMS_PER_CONNECTION)
            .layer(MapRequestLayer::new(apart::messages))
            .add_service(collector)
            .add_service(enrolment)
            .serve_with_incoming_shutdown(door::lines(listener, limits, shutdown.clone()), shutdown.cancelled_owned())
            .await
            .map_err(failed)
    }
}
