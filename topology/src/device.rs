//! Devices: managed equipment polled over SNMP, and their interfaces.
//!
//! Invariant: a device's identity is its own; the name under which an agent polls it, serials and chassis ids are
//! evidence for it (invariant 7). An interface is device + ifName; ifIndex is only a cache.
//!
//! It does not know how a device is polled, nor whether the agent that polls it is still heard.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, DeviceId, InterfaceId, MacAddr, Timestamp,
    fact::{self, Scope},
};

/// Who polls a device, and under which name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Handle {
    /// The agent.
    pub agent: AgentId,
    /// The agent's name of the device.
    pub scope: Scope,
}

/// What one agent says about whether the device answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answering {
    /// Who asks.
    pub agent: AgentId,
    /// Since when it has been so.
    pub since: Timestamp,
    /// When it was last found so.
    pub observed: Timestamp,
    /// What the agent found.
    pub reach: fact::Reach,
}

/// A port of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its identity.
    pub id: InterfaceId,
    /// When it was last observed.
    pub observed: Timestamp,
    /// Whether the device still has it.
    pub current: bool,
    /// What the device says of it.
    #[serde(flatten)]
    pub said: fact::Interface,
}

/// Managed equipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its identity.
    pub id: DeviceId,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// Who polls it under which name, in order.
    pub handles: Vec<Handle>,
    /// Whether it answers, agent by agent.
    pub answering: Vec<Answering>,
    /// What it last said it is.
    pub system: Option<fact::System>,
    /// When it said so.
    pub system_observed: Timestamp,
    /// Its parts, ordered by index.
    pub entities: Vec<fact::Entity>,
    /// Its interfaces, ordered by ifName.
    pub interfaces: Vec<Arc<Interface>>,
}

/// Verdict on a device, an agent or a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was found working.
    Up,
    /// It works, and something about it does not.
    Degraded,
    /// It was found not working.
    Down,
    /// Nobody who is heard can tell: absence is not failure (invariant 5).
    Unknown,
}

impl Standing {
    /// Returns the name used in the API, in metrics and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

impl Device {
    /// Returns the name to show: sysName, else the name under which an agent polls it.
    pub fn name(&self) -> &str {
        let system_name = self.system.as_ref().map(|system| system.name.as_str()).filter(|name| !name.is_empty());
        system_name.or_else(|| self.handles.first().map(|handle| handle.scope.as_str())).unwrap_or_default()
    }

    /// Returns the interface of this ifName.
    pub fn interface(&self, name: &str) -> Option<&Arc<Interface>> {
        let index = self.interfaces.binary_search_by(|interface| interface.said.name.as_str().cmp(name)).ok()?;
        self.interfaces.get(index)
    }

    /// Returns every MAC address that is the device's own.
    pub fn own_macs(&self) -> impl Iterator<Item = MacAddr> {
        let bridge = self.system.iter().filter_map(|system| system.bridge_mac);
        bridge.chain(self.interfaces.iter().filter_map(|interface| interface.said.mac)).filter(|mac| mac.is_unicast())
    }

    /// Returns whether the device works and since when, as those agents say that `heard` returns true for.
    ///
    /// One agent that gets answers outweighs another that does not: the way there may be cut. When no agent is heard the
    /// standing is unknown.
    pub fn standing(&self, heard: impl Fn(AgentId) -> bool) -> (Standing, Option<Timestamp>) {
        let weight = |answering: &Answering| match answering.reach.state {
            fact::ReachState::Answering => Standing::Up,
            fact::ReachState::Refusing => Standing::Degraded,
            fact::ReachState::Silent => Standing::Down,
        };
        let best = self.answering.iter().filter(|it| heard(it.agent)).min_by_key(|it| (weight(it), it.since));
        best.map_or((Standing::Unknown, None), |it| (weight(it), Some(it.since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answering(agent: u64, state: fact::ReachState) -> Answering {
        Answering {
            agent: AgentId::from_raw(agent),
            since: Timestamp::from_unix_ms(1),
            observed: Timestamp::from_unix_ms(2),
            reach: fact::Reach { state, detail: String::new(), target: String::new() },
        }
    }

    fn device(answering: Vec<Answering>) -> Device {
        Device {
            id: DeviceId::from_raw(1),
            first_seen: Timestamp::EPOCH,
            handles: vec![Handle { agent: AgentId::from_raw(1), scope: Scope::new("core") }],
            answering,
            system: None,
            system_observed: Timestamp::EPOCH,
            entities: Vec::new(),
            interfaces: Vec::new(),
        }
    }

    #[test]
    fn a_device_whose_agents_are_silent_is_unknown_and_not_down() {
        let it = device(vec![answering(1, fact::ReachState::Silent)]);
        assert_eq!(it.standing(|_| true).0, Standing::Down);
        assert_eq!(it.standing(|_| false), (Standing::Unknown, None));
    }

    #[test]
    fn one_agent_that_gets_answers_outweighs_another_that_does_not() {
        let it = device(vec![answering(1, fact::ReachState::Silent), answering(2, fact::ReachState::Answering)]);
        assert_eq!(it.standing(|_| true).0, Standing::Up);
    }

    #[test]
    fn a_device_without_a_system_name_is_shown_under_the_name_of_its_agent() {
        assert_eq!(device(Vec::new()).name(), "core");
    }
}
