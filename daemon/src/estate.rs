//! The estate: everything the centre knows, as one immutable snapshot that is replaced as a whole.
//!
//! Invariant: a snapshot is the sum of the [`Change`]s that led to it, and [`Estate::apply`] is the only thing that adds
//! one, so that what is read back from the store equals what was there before. A site is the unit: state is one
//! `Arc<SiteState>` a site and small national indexes; a change replaces what it touches and shares the rest
//! (invariant 1). Cloning a snapshot costs a few pointers.
//!
//! It does not know where changes come from ([`crate::ingest`]) nor where they are kept ([`crate::store`]).

mod agent;
mod campaigns;
mod captures;
mod cases;
mod change;
mod commanded;
mod crossed;
mod derived;
mod detectors;
mod drills;
mod filled;
mod flaps;
mod held;
mod index;
mod judging;
mod log;
mod made;
mod measured;
mod readings;
mod samples;
mod site;
mod tally;
mod words;

use std::{net::IpAddr, sync::Arc};

use imbl::{OrdMap, OrdSet};
use onenet_topology::{
    AcceptanceId, AgentId, AreaId, DeviceId, EndpointId, IncidentId, InterfaceId, MaintenanceId, SiteId, SpaceId,
    Timestamp,
    acceptance::Acceptance,
    address::AddressPlan,
    area::Area,
    asset::AssetRegister,
    contact::ContactBook,
    coverage::{Day, Trend},
    device::{Device, Standing},
    endpoint::Endpoint,
    incident::{Incident, Maintenance},
    site::SiteTree,
};

pub use agent::{
    Agent, AgentClock, BOOTS_MAX, Boot, Certificate, Contact, LaneMark, RETIRED_EPOCHS_MAX, Refused, Revocation,
};
pub use campaigns::Campaigns;
pub use captures::{Captured, Captures};
pub use cases::Cases;
pub use change::{Change, SampleBlock};
pub use crossed::Crossed;
pub use derived::Derived;
pub use detectors::{Detectors, Running};
pub use drills::Drills;
pub use flaps::{Changing, Flaps, PortChange, RESTS_MS};
pub use held::{Held, HeldGroup, HeldRow};
pub use index::Indexes;
use index::is_indexed_otherwise;
pub use judging::Judging;
pub use log::{LEASE_MS, Lease, LogState, WRITERS_MAX, WriterMark};
pub use made::Made;
pub use measured::{Measured, Taken};
pub(crate) use readings::FRESH_MS;
pub use readings::{Reading, Readings};
pub use site::{Ruling, SiteState};
pub use tally::Tally;
use tally::counts_otherwise;
use words::is_found_otherwise;
pub use words::{Called, Words};

use crate::{
    access,
    availability::{Kept, Watched},
    record::{EnrolmentToken, TokenHash},
};

/// Everything the centre knows, at one position of the log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estate {
    /// Position of the last record that is part of it; 0 before the first.
    pub position: u64,
    /// Commit time of that record.
    pub time: Timestamp,
    /// The tree of sites.
    pub tree: Arc<SiteTree>,
    /// The areas.
    pub areas: OrdMap<AreaId, Arc<Area>>,
    /// The address plan.
    pub plan: Arc<AddressPlan>,
    /// The asset register.
    pub assets: Arc<AssetRegister>,
    /// Whom to reach at sites.
    pub contacts: Arc<ContactBook>,
    /// How the coverage of each site went.
    pub coverage: OrdMap<SiteId, Arc<Trend>>,
    /// How far ways and sites were available.
    pub availability: OrdMap<Watched, Kept>,
    /// Who may do what.
    pub register: Arc<access::Register>,
    /// The state of each site that anything was reported for.
    pub sites: OrdMap<SiteId, Arc<SiteState>>,
    /// Every agent ever enrolled.
    pub agents: OrdMap<AgentId, Arc<Agent>>,
    /// Enrolment tokens, by the hash of their secret.
    pub enrolment_tokens: OrdMap<TokenHash, Arc<EnrolmentToken>>,
    /// The configuration that each site's agents are to have.
    pub configurations: OrdMap<SiteId, Arc<Configuration>>,
    /// Ways to find an endpoint without knowing its site.
    pub indexes: Indexes,
    /// Sites whose attachments are to be inferred again, and since when. Not stored.
    pub unsettled: Derived<OrdMap<SiteId, Timestamp>>,
    /// Incidents, open and closed.
    pub incidents: OrdMap<IncidentId, Arc<Incident>>,
    /// Which of them are open.
    pub open: OrdSet<IncidentId>,
    /// Planned maintenances, past ones too.
    pub maintenances: OrdMap<MaintenanceId, Arc<Maintenance>>,
    /// Cases, and the rules that silence some.
    pub cases: Cases,
    /// Drills: what was found of them is in nothing else here but cases that are marked.
    pub drills: Drills,
    /// Inspection campaigns, and what units answered.
    pub campaigns: Campaigns,
    /// Acceptance tests that were run.
    pub acceptances: OrdMap<AcceptanceId, Arc<Acceptance>>,
    /// What was concluded of the country last. Not stored.
    pub judging: Derived<Judging>,
    /// How many alterations of each site were kept on its last day with any. Not stored.
    pub altered: Derived<OrdMap<SiteId, (Day, usize)>>,
    /// How many bytes crossed the segments of a site above the counties and of those below it, since the centre started. Not stored.
    pub crossed_below: Derived<OrdMap<SiteId, u64>>,
    /// How far the log is that replicas share; `None` where there is none.
    pub log: Option<Arc<LogState>>,
    /// When the centre started: before that it could hear nobody. Not stored.
    pub started: Timestamp,
}

/// The configuration that a site's agents are to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The position of the record that set it.
    pub revision: u64,
    /// Its text.
    pub toml: Arc<str>,
    /// When it was set.
    pub time: Timestamp,
    /// By whom.
    pub by: Arc<str>,
}

/// How far an agent is with the configuration that its site is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// The agent is not connected; it gets it when it is.
    Waiting,
    /// It was sent; the agent has not said yet what came of it.
    Pushed,
    /// It is in force there.
    Applied,
    /// The agent did not take it, or took it back since it lost the centre by it; [`Agent::refused`] says why.
    Rejected,
}

impl Configuration {
    /// Returns how far `agent` is with it.
    pub fn rollout(&self, agent: &Agent) -> Rollout {
        if agent.configuration_revision == self.revision {
            Rollout::Applied
        } else if agent.refused.as_ref().is_some_and(|refused| refused.revision == self.revision) {
            Rollout::Rejected
        } else if agent.contact.connected_since.is_some() {
            Rollout::Pushed
        } else {
            Rollout::Waiting
        }
    }
}

impl Rollout {
    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pushed => "pushed",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
        }
    }
}

impl Estate {
    /// Returns the state of a site.
    pub fn site(&self, id: SiteId) -> Option<&Arc<SiteState>> {
        self.sites.get(&id)
    }

    /// Returns an agent.
    pub fn agent(&self, id: AgentId) -> Option<&Arc<Agent>> {
        self.agents.get(&id)
    }

    /// Returns the agents of a site, in order.
    pub fn agents_of(&self, site: SiteId) -> impl Iterator<Item = &Arc<Agent>> {
        self.indexes.agents_of(site).filter_map(|id| self.agents.get(&id))
    }

    /// Returns whether what an agent says counts as the present.
    pub fn is_heard(&self, agent: AgentId) -> bool {
        self.agents.get(&agent).is_some_and(|agent| agent.is_heard())
    }

    /// Returns whether a device works and since when; unknown when no agent that polls it is heard.
    pub fn device_standing(&self, device: &Device) -> (Standing, Option<Timestamp>) {
        device.standing(|agent| self.is_heard(agent))
    }

    /// Returns the open incidents, by id.
    pub fn open_incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.open.iter().filter_map(|id| self.incidents.get(id))
    }

    /// Returns what is kept of the ways up of a site, those included that are no more.
    pub fn ways_of(&self, site: SiteId) -> impl Iterator<Item = (SiteId, &Kept)> {
        let all = self.availability.range(Watched { site, to: None }..);
        let own = all.take_while(move |(watched, _)| watched.site == site);
        own.filter_map(|(watched, kept)| Some((watched.to?, kept)))
    }

    /// Returns an endpoint and its site.
    pub fn endpoint(&self, id: EndpointId) -> Option<(SiteId, &Arc<Endpoint>)> {
        let site = *self.indexes.endpoint_sites.get(&id)?;
        Some((site, self.sites.get(&site)?.endpoints.get(&id)?))
    }

    /// Returns the changes that make this estate from an empty one to which its commands were applied.
    pub fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        let agents = self.agents.values().map(|agent| Change::Agent(Arc::clone(agent)));
        let position = Change::Position { position: self.position, time: self.time };
        let covered =
            self.coverage.iter().map(|(site, trend)| Change::Covered { site: *site, trend: Arc::clone(trend) });
        let incidents = self.incidents.values().map(|incident| Change::Incident(Arc::clone(incident)));
        let available = self
            .availability
            .iter()
            .flat_map(|(watched, kept)| kept.pieces().map(|piece| Change::Available { watched: *watched, piece }));
        let of_sites = self.sites.values().flat_map(|site| site.changes());
        let cases = self.cases.all.values().map(|case| Change::Case(Arc::clone(case)));
        let drills = self.drills.all.values().map(|drill| Change::Drill(Arc::clone(drill)));
        let campaigns = self.campaigns.all.iter();
        let campaigns = campaigns.map(|(id, it)| Change::Campaign { id: *id, campaign: Some(Arc::clone(it)) });
        let sheets = self.campaigns.sheets.iter();
        let sheets = sheets.map(|((campaign, site), it)| Change::Sheet {
            campaign: *campaign,
            site: *site,
            sheet: Some(Arc::clone(it)),
        });
        let judged = incidents.chain(cases).chain(drills).chain(campaigns).chain(sheets);
        let log = self.log.iter().map(|log| Change::Log(Some(Arc::clone(log))));
        agents.chain(of_sites).chain(covered).chain(available).chain(judged).chain(log).chain([position])
    }

    /// Returns the space in which an address that was seen at a site means one thing: the site's own where its plan has
    /// the prefix, the national one where the national plan has it, and else one that no two sites share, since county
    /// networks were numbered without a common plan.
    pub fn space_of(&self, site: SiteId, ip: IpAddr, at: Timestamp) -> SpaceId {
        let planned = self.plan.match_at_site(site, ip, at).map(|entry| entry.space);
        let own = || self.plan.site_space(site).unwrap_or(SpaceId::from_raw(site.raw()));
        planned.unwrap_or_else(own)
    }

    /// Returns the site of a device.
    pub fn device_site(&self, id: DeviceId) -> Option<SiteId> {
        self.indexes.device_sites.get(&id).copied()
    }

    /// Returns the site and the device of an interface.
    pub fn interface_owner(&self, id: InterfaceId) -> Option<(SiteId, DeviceId)> {
        let device = *self.indexes.interface_devices.get(&id)?;
        Some((self.device_site(device)?, device))
    }

    /// Adds one change.
    pub fn apply(&mut self, change: &Change) {
        self.judging.get_mut().note(change);
        match change {
            Change::Fact { site, agent, group, key_hash, held } => {
                self.site_mut(*site).set_fact((*agent, group.clone()), *key_hash, held.as_deref());
            }
            Change::Endpoint { site, endpoint } => self.apply_endpoint(*site, endpoint),
            Change::EndpointForgotten { site, id } => self.forget_endpoint(*site, *id),
            Change::Device { site, device } => self.apply_device(*site, device),
            Change::Merged { site, id, device } => merge(self.site_mut(*site), *id, device.as_ref()),
            Change::Links { site, links } => self.site_mut(*site).links = Arc::clone(links),
            Change::Finding { site, key, finding } => {
                let findings = &mut self.site_mut(*site).findings;
                match finding {
                    Some(finding) => findings.insert(*key, Arc::clone(finding)),
                    None => findings.remove(key),
                };
            }
            Change::Anomaly { site, key, anomaly } => {
                let anomalies = &mut self.site_mut(*site).anomalies;
                match anomaly {
                    Some(anomaly) => anomalies.insert(key.clone(), Arc::clone(anomaly)),
                    None => anomalies.remove(key),
                };
            }
            Change::Covered { site, trend } => {
                self.coverage.insert(*site, Arc::clone(trend));
            }
            Change::Available { watched, piece } => self.availability.entry(*watched).or_default().put(piece),
            Change::Agent(agent) => {
                let old = self.agents.get(&agent.id).map(Arc::as_ref);
                self.judging.get_mut().note_agent(old, agent);
                self.indexes.replace_agent(old.map(|old| old.site), agent);
                self.agents.insert(agent.id, Arc::clone(agent));
            }
            Change::Incident(incident) => self.apply_incident(incident),
            Change::IncidentForgotten(id) => {
                self.open.remove(id);
                self.incidents.remove(id);
            }
            Change::Case(case) => self.cases.put(case),
            Change::CaseForgotten(id) => self.cases.forget(*id),
            Change::Drill(drill) => self.drills.put(drill),
            Change::DrillForgotten(id) => self.drills.forget(*id),
            Change::Campaign { .. } | Change::Sheet { .. } => self.campaigns.apply(change),
            Change::Judged(judging) => self.judging.set(Judging::clone(judging)),
            Change::Commanded { position, time, by, command } => self.apply_command(*position, *time, by, command),
            Change::Inferred { site, inference } => self.site_mut(*site).inference.set(Arc::clone(inference)),
            Change::Unsettled { site, since } => {
                match since {
                    Some(since) => self.unsettled.get_mut().insert(*site, *since),
                    None => self.unsettled.get_mut().remove(site),
                };
            }
            Change::Relearned { site, mac, device, change } => {
                self.site_mut(*site).flaps.get_mut().take(*mac, device, change.clone());
            }
            Change::Started(time) => self.start(*time),
            Change::Samples(block) => self.take_samples(block),
            Change::Altered { site, alterations, .. } => self.count_altered(*site, alterations),
            // The audit trail lives in the store alone.
            Change::Audited { .. } | Change::Told(_) | Change::Passed { .. } => {}
            Change::Log(state) => self.log.clone_from(state),
            Change::Position { position, time } => {
                self.position = *position;
                self.time = *time;
            }
        }
    }

    /// Returns a site's state, to be changed; an unknown site begins empty.
    fn site_mut(&mut self, id: SiteId) -> &mut SiteState {
        Arc::make_mut(self.sites.entry(id).or_insert_with(|| Arc::new(SiteState::new(id))))
    }

    /// Takes every stream for closed and every agent for heard now: silence counts from here.
    fn start(&mut self, time: Timestamp) {
        self.started = time;
        let connected: Vec<_> =
            self.agents.values().filter(|it| it.contact.connected_since.is_some()).cloned().collect();
        for mut agent in connected {
            Arc::make_mut(&mut agent).contact.connected_since = None;
            self.agents.insert(agent.id, agent);
        }
    }

    fn apply_incident(&mut self, incident: &Arc<Incident>) {
        if incident.is_open() {
            self.open.insert(incident.id);
        } else {
            self.open.remove(&incident.id);
        }
        self.incidents.insert(incident.id, Arc::clone(incident));
    }

    fn apply_device(&mut self, site: SiteId, account: &Arc<Device>) {
        let state = self.site_mut(site);
        for handle in &account.handles {
            state.handles.insert(handle.clone(), account.id);
        }
        let old = state.accounts.insert(account.id, Arc::clone(account));
        self.indexes.replace_device(site, old.as_deref(), account);
    }

    fn apply_endpoint(&mut self, site: SiteId, endpoint: &Arc<Endpoint>) {
        let state = self.site_mut(site);
        state.macs.insert(endpoint.mac, endpoint.id);
        let old = state.endpoints.insert(endpoint.id, Arc::clone(endpoint));
        state.count_endpoint(old.as_deref(), Some(endpoint));
        if old.as_deref().is_none_or(|old| counts_otherwise(old, endpoint)) {
            state.tally.get_mut().forget();
        }
        // Most of what is told of an endpoint is that it is still there: by what it is found does not change.
        if old.as_deref().is_none_or(|old| is_found_otherwise(old, endpoint)) {
            state.words.get_mut().forget();
        }
        if old.as_deref().is_none_or(|old| is_indexed_otherwise(old, endpoint)) {
            self.indexes.replace(site, old.as_deref(), Some(endpoint));
        }
    }

    fn forget_endpoint(&mut self, site: SiteId, id: EndpointId) {
        let state = self.site_mut(site);
        if let Some(old) = state.endpoints.remove(&id) {
            state.macs.remove(&old.mac);
            state.count_endpoint(Some(&old), None);
            state.words.get_mut().forget();
            state.tally.get_mut().forget();
            self.indexes.replace(site, Some(&old), None);
        }
    }
}

/// Replaces a device of a site, or takes it away.
fn merge(state: &mut SiteState, id: DeviceId, device: Option<&Arc<Device>>) {
    let old = match device {
        Some(device) => state.devices.insert(id, Arc::clone(device)),
        None => state.devices.remove(&id),
    };
    // A device's own address is no endpoint's.
    if !old.iter().flat_map(|it| it.own_macs()).eq(device.iter().flat_map(|it| it.own_macs())) {
        state.tally.get_mut().forget();
    }
    for mac in old.iter().flat_map(|old| old.own_macs()) {
        state.own_macs.remove(&(mac, id));
    }
    let Some(device) = device else { return };
    for mac in device.own_macs() {
        state.own_macs.insert((mac, id), ());
    }
    for account in device.handles.iter().filter_map(|handle| state.handles.get(handle)) {
        if *account == id {
            state.absorbed.remove(account);
        } else {
            state.absorbed.insert(*account, id);
        }
    }
}
