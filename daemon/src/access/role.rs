//! Roles, actions, and which role may do which: the table that `decide` reads.
//!
//! Invariant: the three administrators (system, security, audit; 三员) share no action that changes or reveals what
//! another of them guards. Only the audit administrator reads the audit trail, and he can do nothing else. Who talked to
//! whom is for security staff alone: whoever runs the system does not read it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a principal may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads the inventory.
    Viewer,
    /// Reads the inventory, looks after agents (enrols, configures and revokes them), keeps the asset register and the contacts,
    /// and answers for its sites what they are notified of.
    Operator,
    /// Reads the inventory, what is suspicious in it, and who talked to whom; reviews cases.
    SecurityReviewer,
    /// Runs the system: sites, areas, address plan, asset register, contacts, agents, backups (系统管理员).
    SystemAdministrator,
    /// Grants and revokes access (安全管理员).
    SecurityAdministrator,
    /// Reads who did what (审计管理员).
    AuditAdministrator,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See that a site exists, its name and place in the tree.
    ReadSites,
    /// Read devices, interfaces, endpoints, links, agents, findings and samples.
    ReadInventory,
    /// Read the metrics.
    ReadMetrics,
    /// Ask a site's agents for flows, who talked to whom, and for captures of packets. Each question names its reason.
    ReadFlows,
    /// Create sites and change their attributes.
    ManageSites,
    /// Create areas, change and delete them.
    ManageAreas,
    /// Change the address plan.
    ManageAddressPlan,
    /// Change the asset register.
    ManageAssets,
    /// Change whom to reach at a site.
    ManageContacts,
    /// Issue a token with which an agent enrols.
    EnrolAgent,
    /// Have a test carried out over a site's line: it shares the line with the business.
    MeasureLines,
    /// Accept an agent's certificate no more.
    RevokeAgent,
    /// Set the configuration of a site's agents, and read its text.
    ConfigureAgents,
    /// Create, list and revoke access tokens.
    ManageAccess,
    /// Plan a maintenance and end it.
    PlanMaintenance,
    /// Run the acceptance test of a site, and sign it off.
    AcceptSites,
    /// Read cases, and the rules that silence some.
    ReadCases,
    /// Take cases up, grade, notify and close them; make and end rules that silence some; drill.
    ReviewCases,
    /// Answer for a site what it was notified of.
    AnswerCases,
    /// Read the audit trail.
    ReadAudit,
    /// Copy the whole store out.
    Backup,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Self; 6] = [
        Self::Viewer,
        Self::Operator,
        Self::SecurityReviewer,
        Self::SystemAdministrator,
        Self::SecurityAdministrator,
        Self::AuditAdministrator,
    ];

    /// Returns the name used on the command line, in the API and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::SecurityReviewer => "security-reviewer",
            Self::SystemAdministrator => "system-administrator",
            Self::SecurityAdministrator => "security-administrator",
            Self::AuditAdministrator => "audit-administrator",
        }
    }

    /// Returns whether this role allows `action` within its subtree.
    pub const fn allows(self, action: Action) -> bool {
        use Action::{
            AcceptSites, AnswerCases, Backup, ConfigureAgents, EnrolAgent, ManageAccess, ManageAddressPlan,
            ManageAreas, ManageAssets, ManageContacts, ManageSites, MeasureLines, PlanMaintenance, ReadAudit,
            ReadCases, ReadFlows, ReadInventory, ReadMetrics, ReadSites, ReviewCases, RevokeAgent,
        };
        match self {
            Self::Viewer => matches!(action, ReadSites | ReadInventory | ReadMetrics),
            Self::SecurityReviewer => {
                matches!(action, ReadSites | ReadInventory | ReadMetrics | ReadFlows | ReadCases | ReviewCases)
            }
            Self::Operator => {
                matches!(
                    action,
                    ReadSites
                        | ReadInventory
                        | ReadMetrics
                        | ManageAssets
                        | ManageContacts
                        | EnrolAgent
                        | RevokeAgent
                        | ConfigureAgents
                        | MeasureLines
                        | PlanMaintenance
                        | AcceptSites
                        | AnswerCases
                )
            }
            Self::SystemAdministrator => matches!(
                action,
                ReadSites
                    | ReadInventory
                    | ReadMetrics
                    | ManageSites
                    | ManageAreas
                    | ManageAddressPlan
                    | ManageAssets
                    | ManageContacts
                    | EnrolAgent
                    | RevokeAgent
                    | ConfigureAgents
                    | MeasureLines
                    | PlanMaintenance
                    | AcceptSites
                    | Backup
            ),
            Self::SecurityAdministrator => matches!(action, ReadSites | ManageAccess),
            Self::AuditAdministrator => matches!(action, ReadSites | ReadAudit),
        }
    }

    /// Returns whether this is one of the three administrators that exclude each other.
    pub const fn is_administrator(self) -> bool {
        matches!(self, Self::SystemAdministrator | Self::SecurityAdministrator | Self::AuditAdministrator)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a role: write one of viewer, operator, security-reviewer, system-administrator, security-administrator, audit-administrator"
)]
pub struct InvalidRole(pub String);

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| InvalidRole(text.to_owned()))
    }
}

impl Action {
    /// Every action, in order.
    pub const ALL: [Self; 21] = [
        Self::ReadSites,
        Self::ReadInventory,
        Self::ReadMetrics,
        Self::ReadFlows,
        Self::ManageSites,
        Self::ManageAreas,
        Self::ManageAddressPlan,
        Self::ManageAssets,
        Self::ManageContacts,
        Self::EnrolAgent,
        Self::MeasureLines,
        Self::RevokeAgent,
        Self::ConfigureAgents,
        Self::ManageAccess,
        Self::PlanMaintenance,
        Self::AcceptSites,
        Self::ReadCases,
        Self::ReviewCases,
        Self::AnswerCases,
        Self::ReadAudit,
        Self::Backup,
    ];

    /// Returns the name used in the audit trail.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadSites => "read_sites",
            Self::ReadInventory => "read_inventory",
            Self::ReadMetrics => "read_metrics",
            Self::ReadFlows => "read_flows",
            Self::ManageSites => "manage_sites",
            Self::ManageAreas => "manage_areas",
            Self::ManageAddressPlan => "manage_address_plan",
            Self::ManageAssets => "manage_assets",
            Self::ManageContacts => "manage_contacts",
            Self::EnrolAgent => "enrol_agent",
            Self::MeasureLines => "measure_lines",
            Self::RevokeAgent => "revoke_agent",
            Self::ConfigureAgents => "configure_agents",
            Self::ManageAccess => "manage_access",
            Self::PlanMaintenance => "plan_maintenance",
            Self::AcceptSites => "accept_sites",
            Self::ReadCases => "read_cases",
            Self::ReviewCases => "review_cases",
            Self::AnswerCases => "answer_cases",
            Self::ReadAudit => "read_audit",
            Self::Backup => "backup",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
