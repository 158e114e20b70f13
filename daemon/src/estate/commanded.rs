//! What commands come to: the part of the estate that is read back from the commands themselves.
//!
//! Invariant: a command was checked against this very estate when it was planned, so that applying it cannot fail; ids derive from the
//! position of its record.

use std::sync::Arc;

use imbl::OrdMap;
use onenet_topology::{
    AcceptanceId, AgentId, AreaId, MaintenanceId, Timestamp,
    acceptance::{Acceptance, Signature},
    area::Area,
    dated::History,
    grouping::pair,
    incident::Maintenance,
};

use super::{Agent, Configuration, Estate, Revocation, Ruling};
use crate::{
    access,
    record::{Command, TokenHash},
};

impl Estate {
    /// Adds a command that was accepted.
    pub(super) fn apply_command(&mut self, position: u64, time: Timestamp, by: &str, command: &Command) {
        match command {
            Command::ChangeSites { changes } => {
                let tree = Arc::make_mut(&mut self.tree);
                apply_each(position, "the site tree", changes, |change| tree.apply(change));
            }
            Command::ChangePlan { changes } => {
                let plan = Arc::make_mut(&mut self.plan);
                apply_each(position, "the address plan", changes, |change| plan.apply(change));
            }
            Command::ChangeAssets { changes } => {
                let assets = Arc::make_mut(&mut self.assets);
                apply_each(position, "the asset register", changes, |change| assets.apply(change));
            }
            Command::ChangeContacts { changes } => {
                let contacts = Arc::make_mut(&mut self.contacts);
                apply_each(position, "the contacts", changes, |change| contacts.apply(change));
            }
            Command::AddArea { .. } | Command::ChangeArea { .. } | Command::RemoveArea { .. } => {
                self.change_areas(position, command);
            }
            Command::PlanMaintenance { .. } | Command::EndMaintenance { .. } => {
                self.maintain(position, time, by, command);
            }
            Command::RecordAcceptance { .. } | Command::SignAcceptance { .. } => {
                self.accept(position, time, by, command);
            }
            Command::Suppress { .. } | Command::EndSuppression { .. } => {
                self.cases.suppress(position, time, by, command);
            }
            Command::Access(change) => {
                if let Some(id) = access::TokenId::from_record(position, 0) {
                    Arc::make_mut(&mut self.register).apply(id, time, change);
                }
            }
            // Stored in the log as the changes that they come to; what became of a case or a campaign is a row of its own, read back last.
            Command::OpenCase { .. }
            | Command::Drill { .. }
            | Command::OrderDrill { .. }
            | Command::ActOnCase { .. }
            | Command::OpenCampaign { .. }
            | Command::ActOnCampaign { .. }
            | Command::CloseCampaign { .. }
            | Command::ImportSites { .. }
            | Command::AddSite(_)
            | Command::ImportPlan { .. }
            | Command::ImportAssets { .. } => {}
            Command::IssueEnrolmentToken { hash, token } => {
                self.enrolment_tokens.insert(*hash, Arc::new(token.clone()));
            }
            Command::EnrolAgent { token, key } => self.enrol(position, time, *token, *key),
            Command::RevokeAgent { agent, reason } => {
                if let Some(agent) = self.agents.get_mut(agent) {
                    Arc::make_mut(agent).revoked = Some(Revocation { time, by: by.into(), reason: reason.clone() });
                }
            }
            Command::RuleDevices { .. } | Command::RuleEndpoints { .. } => self.rule(time, by, command),
            Command::Configure { site, toml } => {
                let (toml, by) = (toml.as_str().into(), by.into());
                self.configurations.insert(*site, Arc::new(Configuration { revision: position, toml, time, by }));
            }
        }
    }

    fn enrol(&mut self, position: u64, time: Timestamp, token: TokenHash, key: TokenHash) {
        let (Some(token), Some(id)) = (self.enrolment_tokens.get_mut(&token), AgentId::from_record(position, 0)) else {
            return;
        };
        let token = Arc::make_mut(token);
        token.spent = Some((id, key));
        let agent = Agent::new(id, token.site, time);
        self.indexes.replace_agent(None, &agent);
        self.agents.insert(id, Arc::new(agent));
    }

    fn maintain(&mut self, position: u64, time: Timestamp, by: &str, command: &Command) {
        match command {
            Command::PlanMaintenance { scope, begin, end, reason } => {
                if let Some(id) = MaintenanceId::from_record(position, 0) {
                    let (scope, begin, end, reason) = (*scope, *begin, *end, reason.clone());
                    let planned = Maintenance { id, scope, begin, end, reason, by: by.into(), ended_by: None };
                    self.maintenances.insert(id, Arc::new(planned));
                }
            }
            Command::EndMaintenance { maintenance } => {
                if let Some(known) = self.maintenances.get_mut(maintenance) {
                    let known = Arc::make_mut(known);
                    // Called off before it began, it never was.
                    known.end = time.max(known.begin).min(known.end);
                    known.ended_by = Some(by.into());
                }
            }
            _ => {}
        }
    }

    fn accept(&mut self, position: u64, time: Timestamp, by: &str, command: &Command) {
        match command {
            Command::RecordAcceptance { tested } => {
                if let Some(id) = AcceptanceId::from_record(position, 0) {
                    let (by, tested) = (by.into(), tested.as_ref().clone());
                    self.acceptances.insert(id, Arc::new(Acceptance { id, time, by, tested, signed: None }));
                }
            }
            Command::SignAcceptance { acceptance, person, note, .. } => {
                if let Some(known) = self.acceptances.get_mut(acceptance) {
                    let (person, note) = (person.clone(), note.clone());
                    Arc::make_mut(known).signed = Some(Signature { time, by: by.into(), person, note });
                }
            }
            _ => {}
        }
    }

    /// Keeps what was ruled, or takes it back.
    fn rule(&mut self, time: Timestamp, by: &str, command: &Command) {
        match command {
            Command::RuleDevices { site, one, two, verdict, reason } => {
                let rulings = &mut self.site_mut(*site).rulings;
                rule(rulings, pair(*one, *two), Ruling::of(*verdict, (time, by), reason));
            }
            Command::RuleEndpoints { site, one, two, verdict, reason } => {
                let rulings = &mut self.site_mut(*site).terminal_rulings;
                rule(rulings, pair(*one, *two), Ruling::of(*verdict, (time, by), reason));
            }
            _ => {}
        }
    }

    fn change_areas(&mut self, position: u64, command: &Command) {
        match command {
            Command::AddArea { kind, name, members, from } => {
                if let Some(id) = AreaId::from_record(position, 0) {
                    let (names, members) = (History::new(*from, name.clone()), History::new(*from, members.clone()));
                    self.areas.insert(id, Arc::new(Area { id, kind: *kind, names, members, ended: None }));
                }
            }
            Command::ChangeArea { area, name, members, from } => {
                if let Some(area) = self.areas.get_mut(area) {
                    let area = Arc::make_mut(area);
                    if let Some(name) = name {
                        area.names.set(*from, name.clone());
                    }
                    if let Some(members) = members {
                        area.members.set(*from, members.clone());
                    }
                }
            }
            Command::RemoveArea { area, from } => {
                if let Some(area) = self.areas.get_mut(area) {
                    Arc::make_mut(area).ended = Some(*from);
                }
            }
            _ => {}
        }
    }
}

/// Keeps what was ruled of two things, or takes it back.
fn rule<I: Ord + Copy>(rulings: &mut OrdMap<(I, I), Arc<Ruling>>, things: (I, I), ruling: Option<Ruling>) {
    match ruling {
        Some(ruling) => rulings.insert(things, Arc::new(ruling)),
        None => rulings.remove(&things),
    };
}

/// Applies the changes of a command, which planning checked against this very estate.
fn apply_each<C, E: std::fmt::Display>(
    position: u64,
    what: &str,
    changes: &[C],
    mut apply: impl FnMut(&C) -> Result<(), E>,
) {
    for change in changes {
        if let Err(error) = apply(change) {
            tracing::error!(position, %error, "a change of {what} in the log cannot be applied");
        }
    }
}
