//! What one principal sees of the estate.
//!
//! Invariant: nothing of a site leaves a view unless [`decide()`] allowed it for that very site, so lists, counts and
//! searches agree with single look-ups. A view is one snapshot: whatever is read from it belongs together.
//!
//! A search walks the sites that the principal sees; that is a person's question, never a report's path (invariant 1).

mod drills;

use std::{net::IpAddr, sync::Arc};

use onenet_topology::{
    AcceptanceId, AgentId, AreaId, CampaignId, CaseId, DeviceId, EndpointId, IncidentId, InterfaceId, MaintenanceId,
    SiteId, SpaceId, SuppressionId, Timestamp,
    acceptance::Acceptance,
    address::{AddressSpace, Assignment, PlanEntry, SpaceExtent},
    anomaly::AnomalyKey,
    area::Area,
    asset::Asset,
    availability::Layer,
    campaign::{Campaign, Sheet},
    case::{Case, CaseFile, CaseKey, NoticeNumber, Suppression},
    contact::Contact,
    coverage::{Coverage, Terminals, Trend},
    device::{Device, Interface},
    endpoint::Endpoint,
    incident::{Incident, Maintenance, State},
    picture::Picture,
    site::{Site, SiteName, SiteTree},
};

use super::{Action, Decision, Principal, Reach, Subtrees, Token, audit::Entry, decide};
use crate::{
    availability::{self, Maintained, SiteFigures, Span, Watched, WayFigures},
    coverage, demo,
    estate::{Agent, Configuration, Estate, SiteState},
    terminals,
};

/// What one principal sees of one snapshot.
#[derive(Clone)]
pub struct View {
    estate: Arc<Estate>,
    principal: Arc<Principal>,
    now: Timestamp,
}

struct TreeAt<'a> {
    tree: &'a SiteTree,
    now: Timestamp,
}

impl Subtrees for TreeAt<'_> {
    fn is_within(&self, site: SiteId, root: SiteId) -> bool {
        self.tree.is_within(site, root, self.now)
    }
}

impl View {
    pub(super) fn new(estate: Arc<Estate>, principal: Arc<Principal>, now: Timestamp) -> Self {
        Self { estate, principal, now }
    }

    /// Decides about `action` at `site` for this view's principal.
    pub fn decide(&self, action: Action, site: Option<SiteId>) -> Decision {
        decide(&self.principal, action, site, &TreeAt { tree: &self.estate.tree, now: self.now }, self.now)
    }

    /// Returns whether the principal may do `action` at `site`.
    pub fn may(&self, action: Action, site: SiteId) -> bool {
        self.decide(action, Some(site)) == Decision::Allowed
    }

    /// Returns the moment of the view.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns who sees it.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Returns the site of this id or of this division code.
    pub fn find_site(&self, id_or_code: &str) -> Option<&Site> {
        let tree = &self.estate.tree;
        let by_id = id_or_code.parse().ok().and_then(|id| tree.get(id));
        let site = by_id.or_else(|| tree.by_code(id_or_code, self.now))?;
        self.may(Action::ReadSites, site.id).then_some(site)
    }

    /// Returns a site.
    pub fn site(&self, id: SiteId) -> Option<&Site> {
        self.estate.tree.get(id).filter(|site| self.may(Action::ReadSites, site.id))
    }

    /// Returns the sites that exist, by id.
    pub fn sites(&self) -> impl Iterator<Item = &Site> {
        self.estate.tree.existing(self.now).filter(|site| self.may(Action::ReadSites, site.id))
    }

    /// Returns the sites that have no visible site above them, by code: where the principal's picture begins.
    pub fn roots(&self) -> Vec<&Site> {
        let mut roots: Vec<_> = self.sites().filter(|site| self.parents(site.id).is_empty()).collect();
        roots.sort_by_key(|site| site.code(self.now));
        roots
    }

    /// Returns the visible sites directly above a site.
    pub fn parents(&self, id: SiteId) -> Vec<&Site> {
        self.estate.tree.parents(id, self.now).filter(|site| self.may(Action::ReadSites, site.id)).collect()
    }

    /// Returns the visible sites directly below a site, by code.
    pub fn children(&self, id: SiteId) -> Vec<&Site> {
        let mut children = self.estate.tree.children(id, self.now);
        children.retain(|site| self.may(Action::ReadSites, site.id));
        children
    }

    /// Returns the visible part of the way from the root down to a site, the site included.
    pub fn path(&self, id: SiteId) -> Vec<&Site> {
        let mut path = self.estate.tree.path(id, self.now);
        path.retain(|site| self.may(Action::ReadSites, site.id));
        path
    }

    /// Returns a site and everything below it, or without `root` all sites, as far as they may be read.
    pub fn subtree(&self, root: Option<SiteId>) -> Vec<&Site> {
        let mut sites = match root {
            Some(root) => self.estate.tree.subtree(root, self.now),
            None => self.estate.tree.existing(self.now).collect(),
        };
        sites.retain(|site| self.may(Action::ReadSites, site.id));
        sites
    }

    /// Returns the areas of which at least one site may be seen.
    pub fn areas(&self) -> impl Iterator<Item = &Area> {
        let existing = self.estate.areas.values().map(Arc::as_ref).filter(|area| area.exists(self.now));
        existing.filter(|area| !self.sites_of_area(area).is_empty())
    }

    /// Returns the area of this id, also one that is over or still to come, if its rules name a site that may be seen.
    pub fn area(&self, id: AreaId) -> Option<&Area> {
        let area = self.estate.areas.get(&id)?;
        let shown = area.members.iter().any(|dated| dated.value.named().any(|site| self.site(site).is_some()));
        shown.then_some(area.as_ref())
    }

    /// Returns the sites of an area that may be seen.
    pub fn sites_of_area(&self, area: &Area) -> Vec<&Site> {
        let mut sites = area.sites(&self.estate.tree, self.now);
        sites.retain(|site| self.may(Action::ReadSites, site.id));
        sites
    }

    /// Returns what is known of a site, `None` where nothing is known yet or may be read.
    pub fn inventory(&self, id: SiteId) -> Option<&SiteState> {
        self.estate.site(id).filter(|_| self.may(Action::ReadInventory, id)).map(Arc::as_ref)
    }

    /// Returns the sites whose inventory may be read and of which something is known, from the id `from` on.
    pub fn inventories(&self, from: SiteId) -> impl Iterator<Item = &SiteState> {
        let states = self.estate.sites.range(from..).map(|(_, state)| state.as_ref());
        states.filter(|state| self.may(Action::ReadInventory, state.id))
    }

    /// Returns how far a site is covered, by what was seen within the last `days` days; `None` where its inventory may not be
    /// read.
    pub fn coverage(&self, site: SiteId, days: u16) -> Option<Coverage> {
        self.may(Action::ReadInventory, site).then(|| coverage::of_site(&self.estate, site, self.now, days))
    }

    /// Returns how many terminals a site has of what standing, as they were counted within the last minutes; `None` where its
    /// inventory may not be read.
    pub fn terminals_counted(&self, site: SiteId, kept: &coverage::KeptCounts) -> Option<Terminals> {
        self.may(Action::ReadInventory, site).then(|| kept.terminals(&self.estate, site, self.now))
    }

    /// Returns how many they were when they were counted last; `None` where they never were, or may not be read.
    pub fn terminals_counted_last(&self, site: SiteId, kept: &coverage::KeptCounts) -> Option<Terminals> {
        self.may(Action::ReadInventory, site).then(|| kept.last(&self.estate, site))?
    }

    /// Returns how the coverage of a site went; `None` where nothing was counted yet, or its inventory may not be read.
    pub fn trend(&self, site: SiteId) -> Option<&Trend> {
        self.estate.coverage.get(&site).map(Arc::as_ref).filter(|_| self.may(Action::ReadInventory, site))
    }

    /// Returns the planned maintenances that fall into a span, those of all sites: who sees a figure sees what it leaves out.
    pub fn maintained(&self, span: Span) -> Maintained<'_> {
        Maintained::within(&self.estate, span)
    }

    /// Returns how far a site and its ways up were available on each day of a span; `None` where its inventory may not be read.
    pub fn availability(&self, site: SiteId, span: Span, maintained: &Maintained<'_>) -> Option<SiteFigures> {
        if !self.may(Action::ReadInventory, site) {
            return None;
        }
        let days = |to| availability::days(&self.estate, Watched { site, to }, span, maintained, self.now);
        let way = |(parent, _)| {
            let tier = self.estate.tree.get(parent)?.tier;
            let (shown, days) = (self.site(parent).map(|site| site.id), days(Some(parent)));
            Some(WayFigures { parent: shown, layer: Layer::below(tier), days })
        };
        Some(SiteFigures { site, days: days(None), ways: self.estate.ways_of(site).filter_map(way).collect() })
    }

    /// Returns whom to reach at a site whose inventory may be read.
    pub fn contacts(&self, site: SiteId) -> &[Contact] {
        if self.may(Action::ReadInventory, site) { self.estate.contacts.of(site) } else { &[] }
    }

    /// Returns the site in whose name the principal reviews cases of `site`: the first on the way down to it where he may.
    pub fn issuing_unit(&self, site: SiteId) -> Option<SiteId> {
        let path = self.estate.tree.path(site, self.now);
        path.iter().find(|it| self.may(Action::ReviewCases, it.id)).map(|it| it.id)
    }

    /// Returns what the unit is called that issued a notice: whoever reads the notice is to know, whatever else he may see.
    pub fn issuer_name(&self, unit: SiteId) -> Option<&SiteName> {
        self.estate.tree.get(unit).map(|site| site.name(self.now))
    }

    /// Returns whether a site that may be seen has an asset register.
    pub fn has_register(&self, site: SiteId) -> bool {
        self.estate.assets.of_site(site, self.now).next().is_some()
    }

    /// Returns the assets on the books of a site, each with what was seen of it within the last `days` days.
    pub fn assets(&self, site: SiteId, days: u16) -> Vec<coverage::Held<'_>> {
        if !self.may(Action::ReadInventory, site) {
            return Vec::new();
        }
        coverage::held(&self.estate, site, self.now, days)
    }

    /// Returns the assets that are on the books of sites whose inventory may be read, by id.
    pub fn books(&self) -> impl Iterator<Item = &Asset> {
        let registered = self.estate.assets.iter().filter(|asset| asset.is_registered(self.now));
        registered.filter(|asset| self.may(Action::ReadInventory, asset.site))
    }

    /// Returns the asset that an endpoint is. One on the books of a site whose inventory may not be read is told all the
    /// same: that it is registered, and as what, says nothing of that site.
    pub fn asset_of(&self, site: SiteId, endpoint: &Endpoint) -> Option<&Asset> {
        self.may(Action::ReadInventory, site).then(|| coverage::asset_of(&self.estate, site, endpoint, self.now))?
    }

    /// Returns the terminals of a site.
    pub fn terminals(&self, state: &SiteState) -> terminals::Known {
        terminals::of_site(&self.estate, state, self.now)
    }

    /// Returns what is to be seen at a site now; `None` where nothing is known yet or may be read.
    pub fn picture(&self, site: SiteId) -> Option<Picture> {
        let state = self.inventory(site)?;
        Some(Picture::of(state.devices.values(), state.known_endpoints(), &state.links))
    }

    /// Returns an endpoint and its site.
    pub fn endpoint(&self, id: EndpointId) -> Option<(&SiteState, &Endpoint)> {
        let (site, _) = self.estate.endpoint(id)?;
        let state = self.inventory(site)?;
        let endpoint = state.endpoints.get(&id).filter(|endpoint| !state.is_device_mac(endpoint.mac))?;
        Some((state, endpoint))
    }

    /// Returns a device and its site.
    pub fn device(&self, id: DeviceId) -> Option<(&SiteState, &Device)> {
        let site = self.estate.device_site(id)?;
        let state = self.inventory(site)?;
        Some((state, state.device(id)?))
    }

    /// Returns an interface, its device and its site.
    pub fn interface(&self, id: InterfaceId) -> Option<(&SiteState, &Device, &Interface)> {
        let (site, device) = self.estate.interface_owner(id)?;
        let state = self.inventory(site)?;
        Some((state, state.device(device)?, state.interface(device, id)?))
    }

    /// Returns an agent.
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        let agent = self.estate.agent(id)?;
        self.may(Action::ReadInventory, agent.site).then_some(agent)
    }

    /// Returns the agents that may be seen, by id.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.estate.agents.values().map(Arc::as_ref).filter(|agent| self.may(Action::ReadInventory, agent.site))
    }

    /// Returns the agents of a site.
    pub fn agents_of(&self, site: SiteId) -> impl Iterator<Item = &Agent> {
        let may = self.may(Action::ReadInventory, site);
        self.estate.agents_of(site).map(Arc::as_ref).filter(move |_| may)
    }

    /// Returns the configuration that the agents of a site are to have. Its text may hold communities: show it to whom
    /// [`Action::ConfigureAgents`] is allowed there, and to nobody else.
    pub fn configuration(&self, site: SiteId) -> Option<&Configuration> {
        self.estate.configurations.get(&site).map(Arc::as_ref).filter(|_| self.may(Action::ReadInventory, site))
    }

    /// Returns the incidents that concern a site whose inventory may be read, the newest first.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.estate.incidents.values().rev().map(Arc::as_ref).filter(|it| self.shows_incident(it))
    }

    /// Returns the open ones of them, the newest first.
    pub fn open_incidents(&self) -> impl Iterator<Item = &Incident> {
        let open = self.estate.open.iter().rev().filter_map(|id| self.estate.incidents.get(id));
        open.map(Arc::as_ref).filter(|it| self.shows_incident(it))
    }

    /// Returns an incident, a drill too, if it concerns a site whose inventory may be read.
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        let drilled = || self.estate.drills.of_incident(id).and_then(|it| it.incident.as_ref());
        self.estate.incidents.get(&id).map(Arc::as_ref).or_else(drilled).filter(|it| self.shows_incident(it))
    }

    fn shows_incident(&self, incident: &Incident) -> bool {
        let may = |site: SiteId| self.may(Action::ReadInventory, site);
        may(incident.site) || incident.affected.sites.iter().any(|site| may(*site))
    }

    /// Returns whether an incident concerns a site or one below it.
    pub fn concerns(&self, incident: &Incident, root: SiteId) -> bool {
        self.is_within(incident.site, root)
            || incident.concerns_site(root)
            || incident.affected.sites.iter().any(|site| self.is_within(*site, root))
    }

    /// Returns the cases that may be read, the newest first: those of sites whose cases the principal reads, and what sites were
    /// notified of that he answers for.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.estate.cases.all.values().rev().map(Arc::as_ref).filter(|it| self.shows_case(it))
    }

    /// Returns the open ones of them, the newest first.
    pub fn open_cases(&self) -> impl Iterator<Item = &Case> {
        let open = self.estate.cases.open.iter().rev().filter_map(|id| self.estate.cases.all.get(id));
        open.map(Arc::as_ref).filter(|it| self.shows_case(it))
    }

    /// Returns a case, if it may be read.
    pub fn case(&self, id: CaseId) -> Option<&Case> {
        self.estate.cases.all.get(&id).map(Arc::as_ref).filter(|it| self.shows_case(it))
    }

    /// Returns the newest case of an anomaly, if it may be read.
    pub fn case_of(&self, site: SiteId, anomaly: &AnomalyKey) -> Option<&Case> {
        let AnomalyKey { kind, subject } = anomaly.clone();
        let key = CaseKey { site, kind, subject, drill: false };
        self.estate.cases.of_key(&key).map(Arc::as_ref).filter(|it| self.shows_case(it))
    }

    /// Returns the cases of sites whose metrics may be read, to be counted and nothing else.
    pub fn cases_counted(&self) -> impl Iterator<Item = &Case> {
        let all = self.estate.cases.all.values().map(Arc::as_ref);
        all.filter(|it| self.may(Action::ReadMetrics, it.key.site))
    }

    fn shows_case(&self, case: &Case) -> bool {
        let is_told = |site: SiteId| self.may(Action::AnswerCases, site);
        self.may(Action::ReadCases, case.key.site)
            || case.notices.iter().any(|it| is_told(it.to))
            || case.escalations.iter().any(|it| is_told(it.to))
    }

    /// Returns the files of a case that may be read: all to whoever reads the case at its site, but packets only to who reads flows there; to
    /// a unit what it attached itself.
    pub fn files<'c>(&self, case: &'c Case) -> impl Iterator<Item = &'c CaseFile> {
        case.files.iter().filter(|it| self.shows_files(case, it.notice, it.file.fetched))
    }

    /// Returns whether files of a case may be read that came with this notice, or with none.
    pub fn shows_files(&self, case: &Case, notice: Option<NoticeNumber>, fetched: bool) -> bool {
        let own =
            || notice.and_then(|number| case.numbered(number)).is_some_and(|it| self.may(Action::AnswerCases, it.to));
        let reads = self.may(Action::ReadCases, case.key.site);
        if fetched { reads && self.may(Action::ReadFlows, case.key.site) } else { reads || own() }
    }

    /// Returns the rules that silence cases, the newest first, each with how many it silences: those of sites whose cases may be
    /// read, and those for everywhere.
    pub fn suppressions(&self) -> impl Iterator<Item = (&Suppression, usize)> {
        let cases = &self.estate.cases;
        let shown = move |rule: &&Suppression| rule.scope.site.is_none_or(|site| self.may(Action::ReadCases, site));
        let all = cases.suppressions.values().rev().map(Arc::as_ref).filter(shown);
        all.map(move |rule| (rule, cases.silenced_by(rule.id)))
    }

    /// Returns a rule that silences cases, if it may be read, without counting these.
    pub fn rule(&self, id: SuppressionId) -> Option<&Suppression> {
        let rule = self.estate.cases.suppressions.get(&id)?;
        rule.scope.site.is_none_or(|site| self.may(Action::ReadCases, site)).then_some(rule)
    }

    /// Returns a rule that silences cases, if it may be read.
    pub fn suppression(&self, id: SuppressionId) -> Option<(&Suppression, usize)> {
        self.rule(id).map(|rule| (rule, self.estate.cases.silenced_by(id)))
    }

    /// Returns the inspection campaigns that may be read, the newest first: those of sites whose cases the principal reads, and those in
    /// which a unit is asked whose sheet he may read.
    pub fn campaigns(&self) -> impl Iterator<Item = &Campaign> {
        self.estate.campaigns.all.values().rev().map(Arc::as_ref).filter(|it| self.shows_campaign(it))
    }

    /// Returns an inspection campaign, if it may be read.
    pub fn campaign(&self, id: CampaignId) -> Option<&Campaign> {
        self.estate.campaigns.all.get(&id).map(Arc::as_ref).filter(|it| self.shows_campaign(it))
    }

    /// Returns the units of a campaign whose sheets may be read, each with its sheet where it has one.
    pub fn units_of<'v>(&'v self, campaign: &'v Campaign) -> impl Iterator<Item = (SiteId, Option<&'v Sheet>)> {
        let units = campaign.plan.units.iter().copied().filter(|site| self.shows_sheet(*site));
        units.map(|site| (site, self.estate.campaigns.sheet(campaign.id, site)))
    }

    fn shows_campaign(&self, campaign: &Campaign) -> bool {
        self.may(Action::ReadCases, campaign.plan.site)
            || campaign.plan.units.iter().any(|site| self.shows_sheet(*site))
    }

    fn shows_sheet(&self, unit: SiteId) -> bool {
        self.may(Action::ReadCases, unit) || self.may(Action::AnswerCases, unit)
    }

    /// Returns the acceptance tests of a site whose inventory may be read, the newest first.
    pub fn acceptances(&self, site: SiteId) -> impl Iterator<Item = &Acceptance> {
        let may = self.may(Action::ReadInventory, site);
        let all = self.estate.acceptances.values().rev().map(Arc::as_ref);
        all.filter(move |it| may && it.tested.site == site)
    }

    /// Returns an acceptance test of a site whose inventory may be read.
    pub fn acceptance(&self, site: SiteId, id: AcceptanceId) -> Option<&Acceptance> {
        let found = self.estate.acceptances.get(&id).map(Arc::as_ref).filter(|it| it.tested.site == site);
        found.filter(|_| self.may(Action::ReadInventory, site))
    }

    /// Returns the planned maintenances of sites whose inventory may be read, the newest first.
    pub fn maintenances(&self) -> impl Iterator<Item = &Maintenance> {
        let all = self.estate.maintenances.values().rev().map(Arc::as_ref);
        all.filter(|it| self.may(Action::ReadInventory, it.scope.site()))
    }

    /// Returns a planned maintenance, if the inventory of its site may be read.
    pub fn maintenance(&self, id: MaintenanceId) -> Option<&Maintenance> {
        let found = self.estate.maintenances.get(&id).map(Arc::as_ref);
        found.filter(|it| self.may(Action::ReadInventory, it.scope.site()))
    }

    /// Returns the site directly above `site` that has this id or code, also where it may not be seen: who may change the
    /// way up knows where it leads.
    pub fn uplinks_named(&self, site: SiteId, id_or_code: &str) -> Option<SiteId> {
        let mut above = self.estate.tree.parents(site, self.now);
        above.find(|it| it.id.to_string() == id_or_code || it.code(self.now) == id_or_code).map(|it| it.id)
    }

    /// Returns the state that was concluded of a site, `None` where none was or it may not be read.
    pub fn site_state(&self, site: SiteId) -> Option<State> {
        let verdicts = self.estate.judging.get().verdicts.as_ref()?;
        verdicts.sites.get(&site).copied().filter(|_| self.may(Action::ReadInventory, site))
    }

    /// Returns how many bytes crossed the segments of a site above the counties and of those below it since the centre started; `None`
    /// where nobody told of any, or its inventory may not be read. Who reads it reads what is below it.
    pub fn crossed_below(&self, site: SiteId) -> Option<u64> {
        let crossed = self.estate.crossed_below.get().get(&site).copied();
        crossed.filter(|_| self.may(Action::ReadInventory, site))
    }

    /// Returns the address spaces: the national one, and those of sites whose inventory may be read.
    pub fn spaces(&self) -> impl Iterator<Item = &AddressSpace> {
        self.estate.plan.spaces().filter(|space| match space.kind {
            SpaceExtent::National => true,
            SpaceExtent::Site(site) => self.may(Action::ReadInventory, site),
        })
    }

    /// Returns the prefixes assigned at `at` to sites whose inventory may be read: by space, then by address.
    pub fn planned(&self, at: Timestamp) -> impl Iterator<Item = (&PlanEntry, &Assignment)> {
        self.estate.plan.entries().filter_map(move |entry| Some((entry, self.assignment(entry, at)?)))
    }

    /// Returns the space in which an address seen at `site` at `at` has its meaning by the plan.
    pub fn space_of(&self, site: SiteId, ip: IpAddr, at: Timestamp) -> SpaceId {
        self.estate.plan.space_of(site, ip, at)
    }

    /// Returns the longest prefix that covers `ip` in `space` at `at`, among those of sites whose inventory may be read.
    pub fn longest_match(&self, space: SpaceId, ip: IpAddr, at: Timestamp) -> Option<(&PlanEntry, &Assignment)> {
        let mut matches = self.estate.plan.matches(space, ip, at);
        matches.find_map(|entry| Some((entry, self.assignment(entry, at)?)))
    }

    fn assignment<'e>(&self, entry: &'e PlanEntry, at: Timestamp) -> Option<&'e Assignment> {
        entry.assignment(at).filter(|assignment| self.may(Action::ReadInventory, assignment.site))
    }

    /// Returns whether a device works, and since when.
    pub fn device_standing(&self, device: &Device) -> (onenet_topology::device::Standing, Option<Timestamp>) {
        self.estate.device_standing(device)
    }

    /// Returns whether a site is another, or below it.
    pub fn is_within(&self, site: SiteId, root: SiteId) -> bool {
        self.estate.tree.is_within(site, root, self.now)
    }

    /// Returns whether a site is simulated.
    pub fn is_demo(&self, site: SiteId) -> bool {
        self.estate.tree.get(site).is_some_and(|site| demo::is_demo(site.code(self.now)))
    }

    /// Returns whether any visible site is simulated.
    pub fn has_demo(&self) -> bool {
        self.sites().any(|site| demo::is_demo(site.code(self.now)))
    }

    /// Returns the tokens that reach no further than the principal may manage.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.estate.register.tokens().filter(|token| {
            token.principal.grants.iter().all(|grant| {
                let site = match grant.reach {
                    Reach::Everywhere => None,
                    Reach::Below(site) => Some(site),
                };
                self.decide(Action::ManageAccess, site) == Decision::Allowed
            })
        })
    }

    /// Returns whether an entry of the audit trail may be read: one about a site by whoever reads there.
    pub fn shows_audit(&self, entry: &Entry) -> bool {
        self.decide(Action::ReadAudit, entry.usage.site) == Decision::Allowed
    }

    /// Returns position and time of the record up to which the view is.
    pub fn as_of(&self) -> (u64, Timestamp) {
        (self.estate.position, self.estate.time)
    }

    /// Returns when the centre started.
    pub fn centre_started(&self) -> Timestamp {
        self.estate.started
    }
}
