//! Taking part in the log that replicas share, as the centre does.
//!
//! Invariant: what a command asks of agents is asked by each replica of its own, once the command is part of its state.

use std::sync::{Arc, OnceLock, Weak};

use super::{Centre, Inner};
use crate::{
    clock::Clock,
    estate::Estate,
    pki::Pki,
    replication::{self, ReplicationConfig, StartError},
};

/// Joins the shared log.
pub(super) async fn joined(
    config: &ReplicationConfig,
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
        clock: clock.clone(),
    };
    replication::connect(config, parts).await
}

/// Returns what a replica does once a command is part of its state.
pub(super) fn after(whole: Arc<OnceLock<Weak<Inner>>>) -> replication::After {
    Arc::new(move |command| {
        if let Some(inner) = whole.get().and_then(Weak::upgrade) {
            Centre(inner).follow_up(command);
        }
    })
}
