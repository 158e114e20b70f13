//! Taking part in the log that replicas share, as the centre does.
//!
//! Invariant: what a command asks of agents is asked by each replica of its own, once the command is part of its state; what a person asks
//! of an agent is asked by the replica that the agent is connected to.

use std::{
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use onenet_topology::AgentId;
use onenet_wire::{Done, InstructionBody};

use super::{Centre, Inner};
use crate::{
    clock::Clock,
    collector::{ANSWER_TIMEOUT, InstructError},
    estate::Estate,
    ingest::{IntakeError, Policy},
    outbox::MessageId,
    pki::Pki,
    record::Body,
    replication::{self, Elsewhere, Own, ReplicationConfig, StartError, Told},
    store::Ended,
};

/// How often it is looked whether this replica may act on the outside.
pub(crate) const LEASE_LOOK: Duration = Duration::from_millis(500);

/// The centre's part in the shared log.
pub(super) struct Replica {
    pub(super) told: Arc<Told>,
    pub(super) elsewhere: Elsewhere,
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("told", &self.told).finish_non_exhaustive()
    }
}

/// Joins the shared log.
pub(super) async fn joined(
    config: &ReplicationConfig,
    policy: &Policy,
    estate: &Estate,
    pki: &Pki,
    clock: &Clock,
) -> Result<replication::OnNats, StartError> {
    let authority_key = pki.authority_key();
    let parts = replication::Parts {
        name: &config.name,
        stream: &config.nats.stream,
        authority_key: &authority_key,
        estate,
        policy,
        clock: clock.clone(),
    };
    replication::connect(config, parts).await
}

/// Returns what a replica does with the agents that are connected to it.
pub(super) fn own(whole: &Arc<OnceLock<Weak<Inner>>>) -> Own {
    let centre = |whole: &OnceLock<Weak<Inner>>| whole.get().and_then(Weak::upgrade).map(Centre);
    let (to_follow, to_ask) = (Arc::clone(whole), Arc::clone(whole));
    Own {
        after: Arc::new(move |command| {
            if let Some(centre) = centre(&to_follow) {
                centre.follow_up(command);
            }
        }),
        here: Arc::new(move |agent, body, within| {
            let centre = centre(&to_ask).filter(|it| it.streams().is_connected(agent))?;
            Some(Box::pin(async move { centre.streams().instruct_within(agent, body, within).await }))
        }),
    }
}

impl Centre {
    /// Returns what is told of the log that replicas share; `None` where this centre is the only one.
    pub fn replication(&self) -> Option<&Arc<Told>> {
        self.0.replica.as_ref().map(|replica| &replica.told)
    }

    /// Returns whether this process may act on the outside now: always, where it is the only one.
    pub fn may_act_outside(&self) -> bool {
        self.replication().is_none_or(|told| told.has_lease())
    }

    /// Notes for all replicas how a channel ended with a message.
    pub(crate) async fn passed(&self, channel: &str, message: MessageId, ended: Ended) -> Result<(), IntakeError> {
        self.0.intake.submit(Body::Passed { channel: channel.into(), message, ended }).await.map(drop)
    }

    /// Notes for all replicas through which position whoever keeps series has what was measured.
    pub(crate) async fn relayed(&self, through: u64) -> Result<(), IntakeError> {
        self.0.intake.submit(Body::Relayed { through }).await.map(drop)
    }

    /// Waits until another replica may act on the outside; for ever where this centre is the only one. Cancel safe.
    pub(crate) async fn loses_lease(&self) {
        let Some(told) = self.replication() else { return std::future::pending().await };
        while told.has_lease() {
            tokio::time::sleep(LEASE_LOOK).await;
        }
    }

    /// Asks an agent for something over its stream and waits for the answer.
    ///
    /// # Errors
    /// The agent is not connected, is lost meanwhile, takes too long, or cannot do it.
    pub async fn instruct(&self, agent: AgentId, instruction: InstructionBody) -> Result<Done, InstructError> {
        self.instruct_within(agent, instruction, ANSWER_TIMEOUT).await
    }

    /// Asks an agent for something, wherever its stream is, and waits so long for the answer.
    ///
    /// # Errors
    /// The agent is not connected to any replica, is lost meanwhile, takes longer, or cannot do it.
    pub async fn instruct_within(
        &self,
        agent: AgentId,
        body: InstructionBody,
        within: Duration,
    ) -> Result<Done, InstructError> {
        let is_open = || self.estate().agent(agent).is_some_and(|agent| agent.contact.connected_since.is_some());
        match &self.0.replica {
            Some(replica) if !self.streams().is_connected(agent) && is_open() => {
                (replica.elsewhere)(agent, body, within).await
            }
            _ => self.streams().instruct_within(agent, body, within).await,
        }
    }
}
