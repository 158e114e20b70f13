//! The evidence, ordered and indexed: sites from the top down, what is told of each way up, who is heard where.
//!
//! Invariant: everything here is in an order of its own, by identity, so that no order of the evidence shows through.

use std::collections::{BTreeMap, HashMap};

use super::{Answer, Clue, Contact, Evidence, ProbeFact, ProbeTarget, Side, evidence::AgentFact, evidence::DeviceFact};
use crate::{AgentId, SiteId, Timestamp, division::Tier};

/// A site, by its place in [`Country::places`].
pub(super) type At = usize;

/// A site and what is around it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) id: SiteId,
    pub(super) tier: Tier,
    /// Its ways up, by place in [`Country::ways`].
    pub(super) ways: Vec<usize>,
    pub(super) children: Vec<At>,
    /// Its agents, by place in [`Country::agents`].
    pub(super) agents: Vec<usize>,
    /// Its devices, by place in [`Country::devices`].
    pub(super) devices: Vec<usize>,
    /// Something that shows that the site is reached.
    pub(super) shown: Option<Clue>,
    /// The same of the site or of one that hangs on it alone.
    pub(super) shown_below: Option<Clue>,
    /// Since when one of its agents, or of those of sites that hang on it alone, is heard: of those that are, the first.
    pub(super) heard_below: Option<Timestamp>,
}

/// A way up, and what is told of it by agents that are heard.
#[derive(Debug)]
pub(super) struct Way<'e> {
    pub(super) child: At,
    pub(super) parent: At,
    pub(super) told: Vec<&'e ProbeFact>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Country<'e> {
    pub(super) evidence: &'e Evidence,
    pub(super) now: Timestamp,
    /// Each site after those above it.
    pub(super) places: Vec<Place>,
    pub(super) ways: Vec<Way<'e>>,
    pub(super) agents: Vec<&'e AgentFact>,
    pub(super) devices: Vec<&'e DeviceFact>,
    index: HashMap<SiteId, At>,
    agent_index: HashMap<AgentId, usize>,
}

impl<'e> Country<'e> {
    /// Indexes the evidence.
    pub(super) fn of(evidence: &'e Evidence) -> Self {
        let (places, index, pairs) = ordered_sites(evidence);
        let mut agents: Vec<&AgentFact> = evidence.agents.iter().filter(|it| index.contains_key(&it.site)).collect();
        agents.sort();
        agents.dedup_by_key(|it| it.id);
        let mut devices: Vec<&DeviceFact> = evidence.devices.iter().filter(|it| index.contains_key(&it.site)).collect();
        devices.sort();
        devices.dedup_by_key(|it| it.id);
        let agent_index = agents.iter().enumerate().map(|(at, agent)| (agent.id, at)).collect();
        let ways =
            pairs.iter().map(|(child, parent)| Way { child: *child, parent: *parent, told: Vec::new() }).collect();
        let mut country = Self { evidence, now: evidence.now, places, ways, agents, devices, index, agent_index };
        country.hang();
        country.take_probes();
        country.show();
        country
    }

    /// Returns a site's place.
    pub(super) fn at(&self, site: SiteId) -> Option<At> {
        self.index.get(&site).copied()
    }

    /// Returns a site's level; that of a county where it is not known.
    pub(super) fn tier(&self, site: SiteId) -> Tier {
        self.at(site).map_or(Tier::County, |at| self.places[at].tier)
    }

    /// Returns an agent.
    pub(super) fn agent(&self, id: AgentId) -> Option<&'e AgentFact> {
        self.agent_index.get(&id).map(|at| self.agents[*at])
    }

    /// Returns whether what an agent says counts as the present.
    pub(super) fn is_heard(&self, id: AgentId) -> bool {
        self.agent(id).is_some_and(|agent| matches!(agent.contact, Contact::Heard(_)))
    }

    /// Returns from when on it is news what an agent tells: at once where it began while the agent was heard, else once the agent
    /// had time, so many milliseconds since it is heard again, to tell what became of it.
    pub(super) fn news_from(&self, teller: AgentId, began: Timestamp, time_ms: i64) -> Timestamp {
        match self.agent(teller).map(|agent| agent.contact) {
            Some(Contact::Heard(heard)) if began <= heard => heard.plus_ms(time_ms),
            _ => began,
        }
    }

    /// Returns the agent of a site that is heard for the longest time, and since when: how long the site is reached.
    pub(super) fn heard_first(&self, at: At) -> Option<(Timestamp, AgentId)> {
        let heard = self.agents_at(at).filter_map(|agent| match agent.contact {
            Contact::Heard(since) => Some((since, agent.id)),
            _ => None,
        });
        heard.min()
    }

    /// Returns the agents of a site.
    pub(super) fn agents_at(&self, at: At) -> impl Iterator<Item = &'e AgentFact> + '_ {
        self.places[at].agents.iter().map(|agent| self.agents[*agent])
    }

    /// Returns the devices of a site.
    pub(super) fn devices_at(&self, at: At) -> impl Iterator<Item = &'e DeviceFact> + '_ {
        self.places[at].devices.iter().map(|device| self.devices[*device])
    }

    /// Hangs agents, devices, ways and children on their sites.
    fn hang(&mut self) {
        for (number, way) in self.ways.iter().enumerate() {
            self.places[way.child].ways.push(number);
            self.places[way.parent].children.push(way.child);
        }
        for (number, agent) in self.agents.iter().enumerate() {
            if let Some(at) = self.index.get(&agent.site) {
                self.places[*at].agents.push(number);
            }
        }
        for (number, device) in self.devices.iter().enumerate() {
            if let Some(at) = self.index.get(&device.site) {
                self.places[*at].devices.push(number);
            }
        }
    }

    /// Takes what is told of the ways up by whoever is heard. What is told of a way that the tree does not have is nothing:
    /// the site was moved since.
    fn take_probes(&mut self) {
        let by_ends: HashMap<(At, At), usize> =
            self.ways.iter().enumerate().map(|(number, way)| ((way.child, way.parent), number)).collect();
        for probe in &self.evidence.probes {
            let ProbeTarget::Way { child, parent, side } = &probe.target else { continue };
            let (Some(child), Some(parent)) = (self.at(*child), self.at(*parent)) else { continue };
            let Some(way) = by_ends.get(&(child, parent)) else { continue };
            let from = if *side == Side::Above { parent } else { child };
            let own = self.agent(probe.teller).is_some_and(|teller| self.at(teller.site) == Some(from));
            if own && self.is_heard(probe.teller) {
                self.ways[*way].told.push(probe);
            }
        }
        for way in &mut self.ways {
            way.told.sort();
            way.told.dedup();
        }
    }

    /// Finds what shows that sites are reached, and since when: their own agents, or their devices where agents of other sites ask
    /// them.
    fn show(&mut self) {
        for at in 0..self.places.len() {
            let heard = self.agents_at(at).find_map(|agent| match agent.contact {
                Contact::Heard(since) => Some(Clue::AgentHeard { agent: agent.id, since }),
                _ => None,
            });
            let shown = heard.or_else(|| self.devices_at(at).find_map(|device| self.answers_elsewhere(device)));
            self.places[at].shown = shown;
        }
        for at in (0..self.places.len()).rev() {
            let place = &self.places[at];
            let hanging: Vec<&Place> =
                place.children.iter().map(|child| &self.places[*child]).filter(|child| child.ways.len() == 1).collect();
            let below = hanging.iter().filter_map(|child| child.shown_below.clone()).min();
            let heard_below = hanging.iter().filter_map(|child| child.heard_below);
            let heard_below = heard_below.chain(self.heard_first(at).map(|(since, _)| since)).min();
            let shown_below = place.shown.clone().or(below);
            (self.places[at].shown_below, self.places[at].heard_below) = (shown_below, heard_below);
        }
    }

    fn answers_elsewhere(&self, device: &DeviceFact) -> Option<Clue> {
        let mut answers = device.answers.iter().filter(|(_, answer, _)| *answer != Answer::Silent).map(|(it, ..)| *it);
        let elsewhere = |agent: AgentId| self.agent(agent).is_some_and(|it| it.site != device.site);
        let agent = answers.find(|agent| self.is_heard(*agent) && elsewhere(*agent))?;
        Some(Clue::DeviceAnswers { device: device.id, agent })
    }
}

/// Sites from the top down, where each is, and the ways up by their ends.
type Ordered = (Vec<Place>, HashMap<SiteId, At>, Vec<(At, At)>);

/// Returns the sites from the top down, where each is, and the ways up by their ends.
fn ordered_sites(evidence: &Evidence) -> Ordered {
    let by_id: BTreeMap<SiteId, _> = evidence.sites.iter().map(|site| (site.id, site)).collect();
    let ids: Vec<SiteId> = by_id.keys().copied().collect();
    let number: HashMap<SiteId, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let mut waiting: Vec<usize> = vec![0; ids.len()];
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); ids.len()];
    for (at, id) in ids.iter().enumerate() {
        for parent in by_id[id].parents.iter().filter_map(|parent| number.get(parent)) {
            waiting[at] += 1;
            below[*parent].push(at);
        }
    }
    let mut order: Vec<usize> = (0..ids.len()).filter(|at| waiting[*at] == 0).collect();
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        next += 1;
        for child in &below[at] {
            waiting[*child] -= 1;
            if waiting[*child] == 0 {
                order.push(*child);
            }
        }
    }
    // The tree has no cycle; what were in one is left out rather than gone round.
    let index: HashMap<SiteId, At> = order.iter().enumerate().map(|(at, number)| (ids[*number], at)).collect();
    let mut pairs = Vec::new();
    let places = order.iter().enumerate().map(|(at, number)| {
        let site = by_id[&ids[*number]];
        let mut parents: Vec<At> = site.parents.iter().filter_map(|parent| index.get(parent).copied()).collect();
        parents.sort_unstable();
        parents.dedup();
        pairs.extend(parents.into_iter().map(|parent| (at, parent)));
        Place {
            id: site.id,
            tier: site.tier,
            ways: Vec::new(),
            children: Vec::new(),
            agents: Vec::new(),
            devices: Vec::new(),
            shown: None,
            shown_below: None,
            heard_below: None,
        }
    });
    let places = places.collect();
    (places, index, pairs)
}
