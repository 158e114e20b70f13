//! What agents are told because of a command: each replica tells its own.
//!
//! Invariant: what is told is part of the state, so that an agent that is not connected, or does not answer, is told when it connects.

use std::sync::Arc;

use onenet_topology::SiteId;

use super::Centre;
use crate::record::Command;

impl Centre {
    /// Lets agents know of a command that is part of the state.
    pub(super) fn follow_up(&self, command: &Command) {
        match command {
            Command::RevokeAgent { agent, .. } => self.0.shared.streams.disconnect(*agent),
            Command::Configure { site, .. } => self.push_configuration(*site),
            Command::OrderDrill { site, .. } => self.push_drills(*site),
            _ => {}
        }
    }

    /// Gives the connected agents of a site its configuration; the others get it when they connect.
    fn push_configuration(&self, site: SiteId) {
        let estate = self.estate();
        let Some(wanted) = estate.configurations.get(&site) else { return };
        let connected = estate.agents_of(site).filter(|agent| self.0.shared.streams.is_connected(agent.id));
        for agent in connected {
            let (shared, intake) = (Arc::clone(&self.0.shared), self.0.intake.clone());
            let (agent, wanted, shutdown) = (agent.id, Arc::clone(wanted), self.0.shutdown.clone());
            self.0.tasks.spawn(async move {
                tokio::select! {
                    // Logged there, and tried again when the agent connects.
                    _ = shared.configure(&intake, agent, &wanted) => {}
                    () = shutdown.cancelled() => {}
                }
            });
        }
    }

    /// Asks the connected agents of a site to put in what was ordered from them; the others are asked when they connect.
    fn push_drills(&self, site: SiteId) {
        let estate = self.estate();
        for agent in estate.agents_of(site).map(|it| it.id).filter(|it| self.0.shared.streams.is_connected(*it)) {
            let (shared, intake, shutdown) =
                (Arc::clone(&self.0.shared), self.0.intake.clone(), self.0.shutdown.clone());
            self.0.tasks.spawn(async move {
                tokio::select! {
                    () = shared.drill(&intake, agent, false) => {}
                    () = shutdown.cancelled() => {}
                }
            });
        }
    }
}
