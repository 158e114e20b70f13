//! What a pipeline knows of endpoints and neighbours, as facts by method.
//!
//! Invariants: a fact that was reported and holds no longer is taken back, so that what the spool keeps of an interface is
//! never more than the pipeline does. The capturing host's own endpoint is not reported: an agent watches its site, not
//! itself. Times are moved from the frames' clock to the agent's. Pure.

use std::collections::{BTreeMap, BTreeSet};

use onenet_capture::{inventory::EndpointState, neighbours::NeighbourState};
use onenet_topology::{
    MacAddr, Timestamp,
    fact::{Fact, FactChange, Group, ItemKey, Method, Scope},
};

/// Where the frames' clock stands on the agent's timeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// On the frames' clock.
    pub(super) frames: Timestamp,
    /// The same moment on the agent's timeline.
    pub(super) agent: Timestamp,
}

/// What was reported of one interface. As large as what the pipeline holds.
#[derive(Debug)]
pub(super) struct Reported {
    scope: Scope,
    endpoints: BTreeMap<MacAddr, BTreeSet<(Method, ItemKey)>>,
    neighbours: BTreeSet<ItemKey>,
}

impl Moment {
    /// Returns what has to be added to frames' times, in milliseconds, to have the agent's.
    pub(super) fn shift_ms(self) -> i64 {
        self.agent.ms_since(self.frames)
    }

    /// Returns a frame's time on the agent's timeline. Nothing was heard in the future.
    pub(super) fn agent_time(self, frame: Timestamp) -> Timestamp {
        self.agent.plus_ms(frame.ms_since(self.frames).min(0))
    }
}

impl Reported {
    /// Returns a report of nothing yet about the interface of this name.
    pub(super) fn new(interface: &str) -> Self {
        Self { scope: Scope::new(interface), endpoints: BTreeMap::new(), neighbours: BTreeSet::new() }
    }

    /// Returns how many endpoints are reported.
    pub(super) fn len(&self) -> usize {
        self.endpoints.len()
    }

    /// Returns whether the endpoint was never reported.
    pub(super) fn is_new(&self, endpoint: &EndpointState) -> bool {
        !endpoint.own && !self.knows(endpoint.mac)
    }

    /// Returns whether a fact about an endpoint is reported and holds.
    pub(super) fn holds(&self, mac: MacAddr, method: Method, key: &ItemKey) -> bool {
        self.endpoints.get(&mac).is_some_and(|keys| keys.iter().any(|(found, held)| *found == method && held == key))
    }

    /// Returns whether the endpoint is reported.
    pub(super) fn knows(&self, mac: MacAddr) -> bool {
        self.endpoints.contains_key(&mac)
    }

    /// Returns the endpoints that are reported.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = MacAddr> {
        self.endpoints.keys().copied()
    }

    /// Takes an endpoint that is new or changed. Returns what to report.
    pub(super) fn endpoint(&mut self, endpoint: &EndpointState, at: Moment) -> Vec<(Group, FactChange)> {
        if endpoint.own {
            return Vec::new();
        }
        let facts = endpoint.facts();
        let keys: BTreeSet<(Method, ItemKey)> = facts.iter().map(|(method, fact)| (*method, fact.body.key())).collect();
        let before = self.endpoints.insert(endpoint.mac, keys.clone()).unwrap_or_default();
        let mut changes: Vec<_> = before.difference(&keys).map(|gone| self.gone(gone.clone(), at)).collect();
        changes.extend(facts.into_iter().map(|(method, fact)| self.present(method, fact, at)));
        changes
    }

    /// Takes an endpoint that was heard again. Returns what was heard after `since`, to be reported anew.
    pub(super) fn heard_again(
        &self,
        endpoint: &EndpointState,
        since: Timestamp,
        at: Moment,
    ) -> Vec<(Group, FactChange)> {
        if !self.endpoints.contains_key(&endpoint.mac) {
            return Vec::new();
        }
        let facts = endpoint.facts().into_iter().filter(|(_, fact)| fact.observed > since);
        facts.map(|(method, fact)| self.present(method, fact, at)).collect()
    }

    /// Takes an endpoint that had to leave the table. Returns what to take back.
    pub(super) fn forgotten(&mut self, mac: MacAddr, at: Moment) -> Vec<(Group, FactChange)> {
        let keys = self.endpoints.remove(&mac).unwrap_or_default();
        keys.into_iter().map(|key| self.gone(key, at)).collect()
    }

    /// Takes a neighbour that is new, changed, heard again, or took itself back. Returns what to report.
    pub(super) fn neighbour(&mut self, state: &NeighbourState, at: Moment) -> (Group, FactChange) {
        let fact = state.fact(self.scope.as_str());
        let key = fact.body.key();
        let lives_ms = i64::from(state.neighbour.ttl_s) * 1_000;
        if lives_ms == 0 || at.frames.ms_since(fact.observed) > lives_ms {
            self.neighbours.remove(&key);
            return self.gone((Method::PassiveLldp, key), at);
        }
        self.neighbours.insert(key);
        self.present(Method::PassiveLldp, fact, at)
    }

    /// Returns whether the neighbour is reported as being there.
    pub(super) fn holds_neighbour(&self, state: &NeighbourState) -> bool {
        self.neighbours.contains(&state.fact(self.scope.as_str()).body.key())
    }

    fn present(&self, method: Method, fact: Fact, at: Moment) -> (Group, FactChange) {
        let group = Group { method, scope: self.scope.clone() };
        (group, FactChange::Present(Fact { observed: at.agent_time(fact.observed), body: fact.body }))
    }

    fn gone(&self, (method, key): (Method, ItemKey), at: Moment) -> (Group, FactChange) {
        (Group { method, scope: self.scope.clone() }, FactChange::Gone { key, observed: at.agent })
    }
}

#[cfg(test)]
mod tests;
