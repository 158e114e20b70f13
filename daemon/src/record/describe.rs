//! Commands as the audit trail names them: which right they take, where, and what they do in one line.
//!
//! Invariant: the words come from the command that is committed and from nowhere else, and hold no secret.

use onenet_topology::{SiteId, acceptance::Verdict, contact::ContactChange, site::SiteChange};

use super::Command;
use crate::access::Action;

impl Command {
    /// Returns the right that the command takes.
    pub const fn action(&self) -> Action {
        match self {
            Self::ImportSites { .. } | Self::AddSite(_) | Self::ChangeSites { .. } => Action::ManageSites,
            Self::AddArea { .. } | Self::ChangeArea { .. } | Self::RemoveArea { .. } => Action::ManageAreas,
            Self::ImportPlan { .. } | Self::ChangePlan { .. } => Action::ManageAddressPlan,
            Self::ImportAssets { .. } | Self::ChangeAssets { .. } | Self::RuleEndpoints { .. } => Action::ManageAssets,
            Self::ChangeContacts { .. } => Action::ManageContacts,
            Self::PlanMaintenance { .. } | Self::EndMaintenance { .. } => Action::PlanMaintenance,
            Self::RecordAcceptance { .. } | Self::SignAcceptance { .. } => Action::AcceptSites,
            Self::Access(_) => Action::ManageAccess,
            Self::IssueEnrolmentToken { .. } | Self::EnrolAgent { .. } => Action::EnrolAgent,
            Self::RevokeAgent { .. } => Action::RevokeAgent,
            Self::Configure { .. } | Self::RuleDevices { .. } => Action::ConfigureAgents,
            Self::ActOnCase { action, .. } if action.is_of_unit() => Action::AnswerCases,
            Self::ActOnCampaign { action, .. } if action.is_of_unit() => Action::AnswerCases,
            Self::OpenCampaign { .. }
            | Self::ActOnCampaign { .. }
            | Self::CloseCampaign { .. }
            | Self::OpenCase { .. }
            | Self::Drill { .. }
            | Self::OrderDrill { .. }
            | Self::ActOnCase { .. }
            | Self::Suppress { .. }
            | Self::EndSuppression { .. } => Action::ReviewCases,
        }
    }

    /// Returns the one site that the command names, where it is one.
    pub fn site(&self) -> Option<SiteId> {
        match self {
            Self::ChangeSites { changes } => match changes.as_slice() {
                [change] => Some(change.site()),
                _ => None,
            },
            Self::ChangeContacts { changes } => match changes.as_slice() {
                [change] => Some(change.site()),
                _ => None,
            },
            Self::IssueEnrolmentToken { token, .. } => Some(token.site),
            Self::Configure { site, .. }
            | Self::SignAcceptance { site, .. }
            | Self::RuleDevices { site, .. }
            | Self::RuleEndpoints { site, .. }
            | Self::OpenCase { site, .. }
            | Self::Drill { site, .. }
            | Self::OrderDrill { site, .. }
            | Self::ActOnCase { site, .. }
            | Self::ActOnCampaign { site, .. }
            | Self::CloseCampaign { site, .. } => Some(*site),
            Self::OpenCampaign { plan } => Some(plan.site),
            Self::Suppress { scope, .. } => scope.site,
            Self::PlanMaintenance { scope, .. } => Some(scope.site()),
            Self::RecordAcceptance { tested } => Some(tested.site),
            _ => None,
        }
    }

    /// Returns what the command does, in one line.
    pub fn describe(&self) -> String {
        match self {
            Self::ImportSites { rows, from } => format!("sites imported: {} rows, from {from}", rows.len()),
            Self::AddSite(site) => format!("site {} ({}) added, from {}", site.code, site.name.zh, site.from),
            Self::ChangeSites { changes } => changes.iter().map(site_change).collect::<Vec<_>>().join("; "),
            Self::ImportPlan { rows, from } => format!("address plan imported: {} rows, from {from}", rows.len()),
            Self::ChangePlan { changes } => format!("address plan changed: {} changes", changes.len()),
            Self::ImportAssets { rows, from, complete } => {
                let complete = if *complete { ", complete for their sites" } else { "" };
                format!("asset register imported: {} rows{complete}, from {from}", rows.len())
            }
            Self::ChangeAssets { changes } => format!("asset register changed: {} changes", changes.len()),
            Self::ChangeContacts { changes } => changes.iter().map(contact_change).collect::<Vec<_>>().join("; "),
            Self::AddArea { name, from, .. } => format!("area {} added, from {from}", name.zh),
            Self::ChangeArea { area, name, members, from } => {
                let renamed = name.as_ref().map(|name| format!(", renamed {}", name.zh)).unwrap_or_default();
                let members = if members.is_some() { ", other members" } else { "" };
                format!("{area} changed{renamed}{members}, from {from}")
            }
            Self::RemoveArea { area, from } => format!("{area} deleted, from {from}"),
            Self::PlanMaintenance { scope, begin, end, reason } => {
                format!("maintenance of {} {} from {begin} until {end}: {reason}", scope.name(), scope.site())
            }
            Self::EndMaintenance { maintenance } => format!("{maintenance} ended"),
            Self::RecordAcceptance { tested } => {
                let [passed, unmeasured, failed] = Verdict::ALL.map(|verdict| tested.count(verdict));
                format!("acceptance test run: {passed} passed, {failed} failed, {unmeasured} not measured")
            }
            Self::SignAcceptance { acceptance, person, note, .. } => {
                format!("{acceptance} signed off by {person}: {note}")
            }
            Self::Access(change) => change.describe(),
            Self::IssueEnrolmentToken { token, .. } => format!("enrolment token issued, until {}", token.expires),
            Self::EnrolAgent { .. } => "an agent enrolled with its token".to_owned(),
            Self::RevokeAgent { agent, reason } => format!("{agent} revoked: {reason}"),
            Self::RuleDevices { one, two, verdict, reason, .. } => {
                format!("{one} and {two} ruled {}: {reason}", verdict.name())
            }
            Self::RuleEndpoints { one, two, verdict, reason, .. } => {
                format!("{one} and {two} ruled {}: {reason}", verdict.name())
            }
            Self::OpenCase { incident, .. } => format!("case opened about {incident}"),
            Self::Drill { kind, subject, grade, text, .. } => {
                format!("drill of {kind} of {subject}, {}: {text}", grade.name())
            }
            Self::OrderDrill { plan, .. } => {
                let (kind, subject, grade) = (&plan.kind, &plan.subject, plan.grade.name());
                format!("drill of {kind} of {subject} ordered, {grade}: {}", plan.text)
            }
            Self::ActOnCase { case, action, .. } => match action.text() {
                text if text.is_empty() => format!("{case} {}", action.name()),
                text => format!("{case} {}: {text}", action.name()),
            },
            Self::OpenCampaign { plan } => {
                format!("inspection {} of {} units opened, due {}", plan.title, plan.units.len(), plan.due)
            }
            Self::ActOnCampaign { campaign, action, .. } => {
                format!("{campaign} {}: {}", action.name(), action.said())
            }
            Self::CloseCampaign { campaign, text, .. } => format!("{campaign} close: {text}"),
            Self::Suppress { scope, owner, reason, until } => {
                let kind = scope.kind.as_deref().unwrap_or("findings");
                format!("{kind} silenced until {until}, {owner} answers for it: {reason}")
            }
            Self::EndSuppression { suppression } => format!("{suppression} ended"),
            // Not the text: it may hold communities.
            Self::Configure { toml, .. } => format!("configuration of the site's agents set: {} bytes", toml.len()),
        }
    }
}

/// The names alone: whoever reads the trail has no use for numbers.
fn contact_change(change: &ContactChange) -> String {
    match change {
        ContactChange::Set { site, contacts } => {
            let names: Vec<&str> = contacts.iter().map(|it| it.name.as_str()).collect();
            format!(
                "contacts of {site} are now {}",
                if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
            )
        }
        ContactChange::Put { site, contact } => format!("contact {} of {site} put", contact.name),
        ContactChange::Remove { site, name } => format!("contact {name} of {site} removed"),
    }
}

fn site_change(change: &SiteChange) -> String {
    let site = change.site();
    match change {
        SiteChange::Add { code, name, from, .. } => format!("{site} added as {} ({code}), from {from}", name.zh),
        SiteChange::Rename { name, from, .. } => format!("{site} renamed {}, from {from}", name.zh),
        SiteChange::Recode { code, from, .. } => format!("{site} got the code {code}, from {from}"),
        SiteChange::Move { parents, from, .. } => {
            let parents: Vec<String> = parents.iter().map(|uplink| uplink.parent.to_string()).collect();
            format!("{site} moved under {}, from {from}", parents.join(", "))
        }
        SiteChange::AddUplink { uplink, from, .. } => format!("{site} also under {}, from {from}", uplink.parent),
        SiteChange::RemoveUplink { parent, from, .. } => format!("{site} no more under {parent}, from {from}"),
        SiteChange::Merge { into, from, .. } => format!("{site} merged into {into}, from {from}"),
        SiteChange::Split { into, from, .. } => format!("{site} split into {} sites, from {from}", into.len()),
        SiteChange::Close { from, .. } => format!("{site} closed, from {from}"),
        SiteChange::Reopen { .. } => format!("{site} reopened"),
    }
}
