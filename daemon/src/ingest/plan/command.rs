//! Commands of principals. Whether the principal may is decided before ([`crate::access`]).
//!
//! Invariant: the log keeps a command as the changes that it came to, ids included, so that reading it back needs no rule
//! that a later version may change.

use std::sync::Arc;

use imbl::OrdMap;
use onenet_topology::{
    AgentId, AreaId, DeviceId, EndpointId, Id, SiteId, Timestamp, address,
    area::{Area, Members},
    asset,
    contact::ContactBook,
    grouping,
    incident::{Maintenance, MaintenanceScope},
    site::{self, SiteChange, SiteName, SiteTree},
};

use super::{Draft, Outcome, Refusal};
use crate::{
    access::{
        self,
        audit::{Author, Entry},
    },
    estate::{Change, Ruling},
    record::{Command, NewSite, TokenHash},
};

/// Areas that there can be, past ones included: regions, basins and seas by the hundred, yet a bound on memory.
const AREAS_MAX: usize = 10_000;
/// Assets that there can be, written off ones included: ten times the machines of the network, yet a bound on memory.
const ASSETS_MAX: usize = 2_000_000;

/// Acceptance tests that there can be, some 4 KB each: several for each site.
const ACCEPTANCES_MAX: usize = 20_000;
/// Rulings of a site's devices, and of its endpoints, that there can be: some for each that evidence misjudges.
const RULINGS_MAX: usize = 1_000;

/// Maintenances that there can be, past ones included: a dozen a day for ten years.
const MAINTENANCES_MAX: usize = 50_000;

/// What a command comes to.
struct Resolved {
    outcome: Outcome,
    /// What the log keeps; `None` when nothing changes.
    command: Option<Arc<Command>>,
}

/// Plans a command, and with it its entry of the audit trail: both are in one batch or neither is.
pub(super) fn command(draft: &mut Draft<'_>, by: &Author, asked: &Arc<Command>) -> Result<Outcome, Refusal> {
    let Resolved { outcome, command } = resolve(draft, asked)?;
    let usage = by.did(asked.action(), concerned(draft, asked, &outcome), subject(draft, asked));
    let entries = vec![Entry::once(draft.record.time, usage)];
    draft.put(Change::Audited { position: draft.record.position, entries });
    let Some(command) = command else { return Ok(outcome) };
    draft.put(Change::Commanded {
        position: draft.record.position,
        time: draft.record.time,
        by: Arc::clone(&by.name),
        command: Arc::clone(&command),
    });
    if let Command::RuleDevices { site, .. } = &*command {
        super::merging::ruled(draft, *site);
    }
    super::campaigns::carry_out(draft, &by.name, &command)?;
    let outcome = super::cases::carry_out(draft, &by.name, &command)?.unwrap_or(outcome);
    let outcome = super::drills::carry_out(draft, &by.name, &command)?.unwrap_or(outcome);
    // An agent's own row is what is read back last, so it follows every command about the agent.
    let about = match (&outcome, &*command) {
        (Outcome::Enrolled { agent, .. }, _) | (_, Command::RevokeAgent { agent, .. }) => draft.next.agent(*agent),
        _ => None,
    };
    if let Some(agent) = about.cloned() {
        draft.put(Change::Agent(agent));
    }
    Ok(outcome)
}

/// Returns the one site that a command is about, for the audit trail.
fn concerned(draft: &Draft<'_>, command: &Command, outcome: &Outcome) -> Option<SiteId> {
    match (command, outcome) {
        (_, Outcome::Enrolled { site, .. } | Outcome::SiteAdded(site)) => Some(*site),
        (Command::RevokeAgent { agent, .. }, _) => draft.next.agent(*agent).map(|agent| agent.site),
        _ => command.site(),
    }
}

/// Returns what a command does, for the audit trail. A token that is revoked is named by its principal too, who is not
/// known afterwards.
fn subject(draft: &Draft<'_>, command: &Command) -> String {
    let revoked = match command {
        Command::Access(access::Change::TokenRevoked { id }) => draft.next.register.get(*id),
        _ => None,
    };
    let name = revoked.map(|token| format!(" ({})", token.principal.name)).unwrap_or_default();
    command.describe() + &name
}

/// Checks a command and returns what it comes to.
fn resolve(draft: &mut Draft<'_>, command: &Arc<Command>) -> Result<Resolved, Refusal> {
    let position = draft.record.position;
    let outcome = match &**command {
        Command::ImportSites { rows, from } => return import_sites(draft, rows, *from),
        Command::ImportPlan { rows, from } => return import_plan(draft, rows, *from),
        Command::ImportAssets { rows, from, complete } => return import_assets(draft, rows, *from, *complete),
        Command::EnrolAgent { token, key } => return enrol(draft, command, *token, *key),
        Command::AddSite(site) => {
            let id = draft.id()?;
            let changes = vec![addition(id, site)];
            check_sites(draft, &changes)?;
            let command = Some(Arc::new(Command::ChangeSites { changes }));
            return Ok(Resolved { outcome: Outcome::SiteAdded(id), command });
        }
        Command::ChangeSites { changes } => {
            check_sites(draft, changes)?;
            Outcome::Accepted
        }
        Command::ChangePlan { .. } | Command::ChangeAssets { .. } | Command::ChangeContacts { .. } => {
            check_registers(draft, command)?
        }
        Command::AddArea { name, members, from, .. } => {
            check_area(draft, Some(name), Some(members), *from)?;
            if draft.next.areas.len() >= AREAS_MAX {
                return Err(Refusal::TooManyAreas);
            }
            Outcome::AreaAdded(AreaId::from_record(position, 0).ok_or(Refusal::LogFull)?)
        }
        Command::ChangeArea { area, name, members, from } => {
            known_area(draft, *area)?.check_at(*from).map_err(Refusal::Area)?;
            check_area(draft, name.as_ref(), members.as_ref(), *from)?;
            Outcome::Accepted
        }
        Command::RemoveArea { area, from } => {
            known_area(draft, *area)?.check_at(*from).map_err(Refusal::Area)?;
            Outcome::Accepted
        }
        Command::PlanMaintenance { .. } | Command::EndMaintenance { .. } => maintenance(draft, command)?,
        Command::RecordAcceptance { .. } | Command::SignAcceptance { .. } => acceptance(draft, command)?,
        Command::Access(change) => access(draft, change)?,
        Command::IssueEnrolmentToken { token, .. } => {
            check_site(draft, token.site)?;
            Outcome::Accepted
        }
        Command::RevokeAgent { agent, .. } => {
            super::contact::member(draft, *agent)?;
            Outcome::Accepted
        }
        Command::RuleDevices { site, one, two, verdict, .. } => {
            check_ruling(draft, *site, [*one, *two], verdict.same().is_some())?;
            Outcome::Accepted
        }
        Command::RuleEndpoints { site, one, two, verdict, .. } => {
            check_endpoints(draft, *site, [*one, *two], verdict.same().is_some())?;
            Outcome::Accepted
        }
        Command::OpenCase { .. }
        | Command::Drill { .. }
        | Command::ActOnCase { .. }
        | Command::Suppress { .. }
        | Command::EndSuppression { .. } => super::cases::check(draft, command)?,
        Command::OrderDrill { .. } => super::drills::check(draft, command)?,
        Command::OpenCampaign { .. } | Command::ActOnCampaign { .. } | Command::CloseCampaign { .. } => {
            super::campaigns::check(draft, command)?
        }
        Command::Configure { site, .. } => {
            check_site(draft, *site)?;
            Outcome::Configured { revision: position }
        }
    };
    Ok(Resolved { outcome, command: Some(Arc::clone(command)) })
}

/// Checks a change of who may do what.
fn access(draft: &Draft<'_>, change: &access::Change) -> Result<Outcome, Refusal> {
    draft.next.register.check(change, draft.record.time).map_err(Refusal::Access)?;
    match change {
        access::Change::TokenCreated { .. } => {
            Ok(Outcome::TokenCreated(Id::from_record(draft.record.position, 0).ok_or(Refusal::LogFull)?))
        }
        access::Change::TokenRevoked { .. } => Ok(Outcome::Accepted),
    }
}

/// Checks changes of the address plan, of the asset register or of the contacts against a copy of it.
fn check_registers(draft: &Draft<'_>, command: &Command) -> Result<Outcome, Refusal> {
    match command {
        Command::ChangePlan { changes } => {
            let mut plan = address::AddressPlan::clone(&draft.next.plan);
            changes.iter().try_for_each(|change| plan.apply(change)).map_err(Refusal::Plan)?;
        }
        Command::ChangeAssets { changes } => {
            let mut assets = asset::AssetRegister::clone(&draft.next.assets);
            changes.iter().try_for_each(|change| assets.apply(change)).map_err(Refusal::Assets)?;
        }
        Command::ChangeContacts { changes } => {
            let mut contacts = ContactBook::clone(&draft.next.contacts);
            for change in changes {
                check_site(draft, change.site())?;
                contacts.apply(change).map_err(Refusal::Contacts)?;
            }
        }
        _ => {}
    }
    Ok(Outcome::Accepted)
}

/// Checks that a ruling names two accounts of a site, and that there is room for it.
fn check_ruling(draft: &Draft<'_>, site: SiteId, accounts: [DeviceId; 2], is_kept: bool) -> Result<(), Refusal> {
    let state = draft.next.site(site).ok_or(Refusal::NoSuchAccounts)?;
    if !accounts.iter().all(|id| state.accounts.contains_key(id)) {
        return Err(Refusal::NoSuchAccounts);
    }
    check_pair(&state.rulings, accounts, is_kept, Refusal::NoSuchAccounts)
}

/// Checks that a ruling names two endpoints of a site, and that there is room for it. One that is forgotten by now may still be
/// named to take a ruling back.
fn check_endpoints(draft: &Draft<'_>, site: SiteId, pair: [EndpointId; 2], is_kept: bool) -> Result<(), Refusal> {
    let state = draft.next.site(site).ok_or(Refusal::NoSuchEndpoints)?;
    let [one, two] = pair;
    let is_ruled = state.terminal_rulings.contains_key(&grouping::pair(one, two));
    if !is_ruled && !pair.iter().all(|id| state.endpoints.contains_key(id)) {
        return Err(Refusal::NoSuchEndpoints);
    }
    check_pair(&state.terminal_rulings, pair, is_kept, Refusal::NoSuchEndpoints)
}

/// Checks that a ruling is of two things, and that there is room for it.
fn check_pair<I: Ord + Copy>(
    rulings: &OrdMap<(I, I), Arc<Ruling>>,
    [one, two]: [I; 2],
    is_kept: bool,
    one_thing: Refusal,
) -> Result<(), Refusal> {
    if one == two {
        return Err(one_thing);
    }
    if is_kept && rulings.len() >= RULINGS_MAX && !rulings.contains_key(&grouping::pair(one, two)) {
        return Err(Refusal::TooManyRulings);
    }
    Ok(())
}

fn import_sites(draft: &mut Draft<'_>, rows: &[site::SiteRow], from: Timestamp) -> Result<Resolved, Refusal> {
    let tree = Arc::clone(&draft.next.tree);
    let plan =
        with_ids(draft, |allocate| site::plan_import(&tree, rows, from, allocate).map_err(|errors| texts(&errors)))?;
    let outcome =
        Outcome::SitesImported { changed: plan.changes.len(), unchanged: plan.unchanged, absent: plan.absent };
    let changes = plan.changes;
    let command = (!changes.is_empty()).then(|| Arc::new(Command::ChangeSites { changes }));
    Ok(Resolved { outcome, command })
}

fn import_plan(draft: &mut Draft<'_>, rows: &[address::PlanRow], from: Timestamp) -> Result<Resolved, Refusal> {
    let (tree, plan) = (Arc::clone(&draft.next.tree), Arc::clone(&draft.next.plan));
    let import = with_ids(draft, |allocate| {
        address::plan_import(&plan, &tree, rows, from, allocate).map_err(|errors| texts(&errors))
    })?;
    let outcome = Outcome::PlanImported { changed: import.changes.len(), unchanged: import.unchanged };
    let changes = import.changes;
    let command = (!changes.is_empty()).then(|| Arc::new(Command::ChangePlan { changes }));
    Ok(Resolved { outcome, command })
}

fn import_assets(
    draft: &mut Draft<'_>,
    rows: &[asset::AssetRow],
    from: Timestamp,
    complete: bool,
) -> Result<Resolved, Refusal> {
    let (tree, assets) = (Arc::clone(&draft.next.tree), Arc::clone(&draft.next.assets));
    if assets.len().saturating_add(rows.len()) > ASSETS_MAX {
        return Err(Refusal::TooManyAssets(assets.len()));
    }
    let import = with_ids(draft, |allocate| {
        asset::plan_import(&assets, &tree, rows, from, complete, allocate).map_err(|errors| texts(&errors))
    })?;
    let asset::AssetImport { changes, added, changed, unchanged, written_off, absent } = import;
    let command = (!changes.is_empty()).then(|| Arc::new(Command::ChangeAssets { changes }));
    Ok(Resolved { outcome: Outcome::AssetsImported { added, changed, unchanged, written_off, absent }, command })
}

/// Runs an import that takes ids from the record as it needs them.
fn with_ids<K, T>(
    draft: &mut Draft<'_>,
    import: impl FnOnce(&mut dyn FnMut() -> Id<K>) -> Result<T, Vec<String>>,
) -> Result<T, Refusal> {
    let mut full = false;
    let imported = import(&mut || {
        draft.id().unwrap_or_else(|_| {
            full = true;
            Id::from_raw(0)
        })
    });
    if full {
        return Err(Refusal::LogFull);
    }
    imported.map_err(Refusal::Import)
}

fn texts(errors: &[impl ToString]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

fn addition(id: SiteId, site: &NewSite) -> SiteChange {
    SiteChange::Add {
        id,
        tier: site.tier,
        kind: site.kind,
        code: site.code.clone(),
        name: site.name.clone(),
        parents: site.parents.clone(),
        from: site.from,
    }
}

/// Checks changes of the tree one after the other: each may build on those before it.
fn check_sites(draft: &Draft<'_>, changes: &[SiteChange]) -> Result<(), Refusal> {
    let mut tree = SiteTree::clone(&draft.next.tree);
    changes.iter().try_for_each(|change| tree.apply(change)).map_err(Refusal::Sites)
}

/// Returns an area that there is.
pub(super) fn known_area<'d>(draft: &'d Draft<'_>, area: AreaId) -> Result<&'d Arc<Area>, Refusal> {
    draft.next.areas.get(&area).ok_or(Refusal::UnknownArea(area))
}

fn check_area(
    draft: &Draft<'_>,
    name: Option<&SiteName>,
    members: Option<&Members>,
    from: Timestamp,
) -> Result<(), Refusal> {
    name.map_or(Ok(()), Area::check_name).map_err(Refusal::Area)?;
    // Sites are looked up as of now where the area begins earlier: a rule may well be older than a site that it names.
    let at = from.max(draft.record.time);
    members.map_or(Ok(()), |members| members.check(&draft.next.tree, at)).map_err(Refusal::Area)
}

/// Checks a maintenance that is to be planned or ended.
fn maintenance(draft: &Draft<'_>, command: &Command) -> Result<Outcome, Refusal> {
    match command {
        Command::PlanMaintenance { scope, begin, end, reason } => {
            check_maintained(draft, scope)?;
            Maintenance::check(*begin, *end, reason).map_err(Refusal::Maintenance)?;
            if draft.next.maintenances.len() >= MAINTENANCES_MAX {
                return Err(Refusal::TooManyMaintenances);
            }
            let id = Id::from_record(draft.record.position, 0).ok_or(Refusal::LogFull)?;
            Ok(Outcome::MaintenancePlanned(id))
        }
        Command::EndMaintenance { maintenance } => {
            let known = draft.next.maintenances.get(maintenance).ok_or(Refusal::UnknownMaintenance(*maintenance))?;
            let over = known.end <= draft.record.time;
            if over { Err(Refusal::MaintenanceOver(*maintenance)) } else { Ok(Outcome::Accepted) }
        }
        _ => Ok(Outcome::Accepted),
    }
}

/// Checks an acceptance test that is to be kept, or signed off.
fn acceptance(draft: &Draft<'_>, command: &Command) -> Result<Outcome, Refusal> {
    match command {
        Command::RecordAcceptance { tested } => {
            check_site(draft, tested.site)?;
            if draft.next.acceptances.len() >= ACCEPTANCES_MAX {
                return Err(Refusal::TooManyAcceptances);
            }
            Ok(Outcome::AcceptanceRecorded(Id::from_record(draft.record.position, 0).ok_or(Refusal::LogFull)?))
        }
        Command::SignAcceptance { site, acceptance, person, note } => {
            let known = draft.next.acceptances.get(acceptance).filter(|it| it.tested.site == *site);
            let known = known.ok_or(Refusal::UnknownAcceptance(*acceptance))?;
            known.check_signature(person, note).map_err(Refusal::Signature)?;
            Ok(Outcome::Accepted)
        }
        _ => Ok(Outcome::Accepted),
    }
}

/// Checks that what is to be maintained exists.
fn check_maintained(draft: &Draft<'_>, scope: &MaintenanceScope) -> Result<(), Refusal> {
    let site = scope.site();
    check_site(draft, site)?;
    let exists = match scope {
        MaintenanceScope::Subtree(_) | MaintenanceScope::Site(_) => true,
        MaintenanceScope::Link { parent, .. } => {
            draft.next.tree.parents(site, draft.record.time).any(|above| above.id == *parent)
        }
        MaintenanceScope::Device { device, .. } => {
            draft.next.site(site).is_some_and(|state| state.devices.contains_key(device))
        }
    };
    if exists { Ok(()) } else { Err(Refusal::NothingToMaintain(site)) }
}

pub(super) fn check_site(draft: &Draft<'_>, site: SiteId) -> Result<(), Refusal> {
    let known = draft.next.tree.get(site).is_some_and(|it| it.exists(draft.record.time));
    if known { Ok(()) } else { Err(Refusal::UnknownSite(site)) }
}

/// Spends a token; the same token with the same key gives the same agent, so that an answer that was lost on the way can
/// be asked for again.
fn enrol(draft: &Draft<'_>, command: &Arc<Command>, token: TokenHash, key: TokenHash) -> Result<Resolved, Refusal> {
    let token = draft.next.enrolment_tokens.get(&token).ok_or(Refusal::UnknownToken)?;
    if token.expires <= draft.record.time {
        return Err(Refusal::TokenExpired(token.expires));
    }
    let site = token.site;
    match token.spent {
        Some((agent, used)) if used == key => {
            Ok(Resolved { outcome: Outcome::Enrolled { agent, site }, command: None })
        }
        Some((agent, _)) => Err(Refusal::TokenSpent(agent)),
        None => {
            let agent = AgentId::from_record(draft.record.position, 0).ok_or(Refusal::LogFull)?;
            Ok(Resolved { outcome: Outcome::Enrolled { agent, site }, command: Some(Arc::clone(command)) })
        }
    }
}
