//! Endpoints: the network presences with a MAC address, and every reason to believe in them.
//!
//! Invariant: an endpoint is the sum of its witnesses. Each fact of each agent is one witness, so that what one agent
//! takes back never removes what another sees (invariant 8). Folding facts in is commutative: the order in which agents'
//! reports arrive does not show in the result. What is remembered of the past is bounded: established and current
//! evidence gives way last.
//!
//! It does not know how facts arrive, where they are kept, nor how an attachment is inferred.

mod evidence;
mod packed;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::packed::Told;
pub use self::{
    evidence::{
        BoundAddress, Classified, Evidence, Hearing, HostStatement, PAST_ADDRESSES_MAX, PAST_CONCLUSIONS_MAX,
        PAST_WITNESSES_MAX, Testimony, Witness,
    },
    packed::{Bound, Packed, Sight},
};
use crate::{
    AgentId, EndpointId, MacAddr, Timestamp,
    classify::{self, Conclusion, DeviceClass, OsFamily},
    fact::{Group, Host, Method},
    inference::Where,
};

/// Who saw something, how, and on what: what a group's facts have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Who.
    pub agent: AgentId,
    /// How, and on what.
    #[serde(flatten)]
    pub group: Group,
}

/// Names one fact of one agent: who saw it, how, on what, and which row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Source {
    /// Of which group of whom. Shared: a country has a million witnesses, and a thousandth of that in origins.
    #[serde(flatten)]
    pub origin: Arc<Origin>,
    /// The hash of the fact's key, which names it within the group.
    pub fact: u64,
}

/// Class and operating system, and since when they were taken to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Recognition {
    /// Since when.
    pub since: Timestamp,
    /// What kind of machine it is.
    pub class: Option<DeviceClass>,
    /// Its operating system.
    pub os: Option<OsFamily>,
}

/// A network presence with a MAC address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its identity.
    pub id: EndpointId,
    /// Its MAC address.
    pub mac: MacAddr,
    /// What is told of it.
    #[serde(flatten)]
    pub evidence: Packed,
    /// Where it is believed to be; `None` when that was never known.
    pub located: Option<Located>,
    /// When it was last seen, once nobody who would see it does any more; `None` while somebody may.
    pub silent_since: Option<Timestamp>,
    /// Since when it is kept for its history only; `None` otherwise. Only silent ones are retired.
    pub retired_since: Option<Timestamp>,
}

/// Where an endpoint is believed to be, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// Where.
    pub at: Where,
    /// Since when.
    pub since: Timestamp,
    /// Another place that a walk over the tables found, and when: not believed before another one says so too. In a box, since few have one.
    pub contender: Option<Box<(Where, Timestamp)>>,
}

impl Endpoint {
    /// Returns an endpoint that nobody has seen yet.
    pub fn new(id: EndpointId, mac: MacAddr) -> Self {
        let evidence = Packed::default();
        Self { id, mac, evidence, located: None, silent_since: None, retired_since: None }
    }

    /// Returns when anybody first saw it.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.evidence.sights().map(|sight| sight.first_seen).min()
    }

    /// Returns the agent that first saw it; `None` when nobody has.
    pub fn discoverer(&self) -> Option<AgentId> {
        self.evidence.sights().map(|sight| (sight.first_seen, sight.origin.agent)).min().map(|(_, agent)| agent)
    }

    /// Returns when anybody last saw it.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.evidence.sights().map(|sight| sight.last_seen).max()
    }

    /// Returns whether some agent still holds a fact about it.
    pub fn is_current(&self) -> bool {
        self.holders().next().is_some()
    }

    /// Returns the agents that still hold facts about it, one for each fact.
    pub fn holders(&self) -> impl Iterator<Item = AgentId> {
        self.evidence.sights().filter(|sight| sight.current).map(|sight| sight.origin.agent)
    }

    /// Returns whether it is there, as far as anybody can tell: some agent holds a fact about it, and it is not silent.
    pub fn is_present(&self) -> bool {
        self.silent_since.is_none() && self.is_current()
    }

    /// Returns the addresses that some agent still holds.
    pub fn current_addresses(&self) -> impl Iterator<Item = Bound> {
        self.evidence.bindings().filter(|address| address.current)
    }

    /// Returns what it last said of itself.
    pub fn host(&self) -> Option<Host> {
        let statements = self.evidence.unpack().statements.into_iter();
        statements.max_by_key(|it| (it.witness.current, it.witness.last_seen)).map(|statement| statement.host)
    }

    /// Returns what it is, as far as those who hear it now can tell, or those who did; by its maker alone where nobody does.
    pub fn conclusion(&self) -> Conclusion {
        match *self.telling() {
            [] => classify::conclude(self.mac, &[]),
            [ref one] => classify::unpack(one.conclusion),
            ref several => {
                let several: Vec<_> = several.iter().map(|it| classify::unpack(it.conclusion)).collect();
                classify::merge(&several.iter().collect::<Vec<_>>())
            }
        }
    }

    /// Returns what it was taken to be, by whom it is heard now or was, in order of time: the last is what it is now.
    pub fn recognitions(&self) -> Vec<Recognition> {
        let telling = self.telling();
        let mut all: Vec<Recognition> =
            telling.iter().flat_map(|it| it.past.iter().chain([&it.since])).copied().collect();
        all.sort_unstable();
        all.dedup_by_key(|it| (it.class, it.os));
        all
    }

    fn telling(&self) -> Vec<Told<'_>> {
        let mut told = self.evidence.told();
        let current = told.iter().any(|it| it.sight.current);
        told.retain(|it| it.sight.current == current);
        told
    }

    /// Returns its host name, where it told one.
    pub fn hostname(&self) -> Option<&str> {
        let telling = self.telling();
        let names = telling.iter().filter_map(|it| classify::name(it.conclusion));
        // Of equals the first: sources are in order.
        let surest = names.reduce(|best, name| if name.1 > best.1 { name } else { best });
        surest.map(|(name, _)| name).or_else(|| self.evidence.told_name())
    }

    /// Returns the vendor that the address was assigned to, `None` for local addresses and unknown prefixes.
    pub fn vendor(&self) -> Option<&'static str> {
        crate::vendor::of(self.mac)
    }

    /// Returns the methods by which it is seen now, or was when nobody sees it any more.
    pub fn methods(&self) -> Vec<Method> {
        let current = self.is_current();
        let sights = self.evidence.sights().filter(|sight| sight.current == current);
        let mut methods: Vec<Method> = sights.map(|sight| sight.origin.group.method).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}

#[cfg(test)]
mod tests;
