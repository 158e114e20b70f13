//! Why several agents' accounts are taken for one device.

use std::sync::Arc;

use onenet_topology::{
    alias::{AliasKind, MatchReason},
    device::Device,
    merge,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::given;
use crate::estate::SiteState;

/// What one agent tells of a device under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountBody {
    /// Its identity, which the device has again when the account turns out to be of another one.
    pub id: String,
    /// The agent.
    pub agent: String,
    /// The agent's name of the device.
    pub name: String,
    /// The address asked, with its port.
    pub target: Option<String>,
    /// What it has in common with another account of the device; empty where there is only one.
    pub same: Vec<SameBody>,
}

/// A name that two accounts share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SameBody {
    /// `serial`, `chassis_id`, `bridge_mac`, `mac`, `engine_id`, `management_address` or `sys_name`.
    pub kind: &'static str,
    /// The name.
    pub value: String,
    /// How much it says, alone, for both being one device: 1 to 100.
    pub score: u8,
}

impl AccountBody {
    /// Returns the accounts of a device.
    pub(super) fn all(state: &SiteState, device: &Device) -> Vec<Self> {
        let ids = device.handles.iter().filter_map(|handle| state.handles.get(handle));
        let accounts: Vec<&Arc<Device>> = ids.filter_map(|id| state.accounts.get(id)).collect();
        accounts.iter().map(|account| Self::of(state, account, &accounts)).collect()
    }

    fn of(state: &SiteState, account: &Device, all: &[&Arc<Device>]) -> Self {
        let space = crate::ingest::device_space(state.id);
        let others = all.iter().filter(|other| other.id != account.id);
        let reasons = others.map(|other| merge::names(account, space).match_score(&merge::names(other, space)));
        let best = reasons.max_by_key(|(score, _)| *score).map(|(_, reasons)| reasons).unwrap_or_default();
        let handle = account.handles.first();
        Self {
            id: account.id.to_string(),
            agent: handle.map(|handle| handle.agent.to_string()).unwrap_or_default(),
            name: handle.map(|handle| handle.scope.to_string()).unwrap_or_default(),
            target: account.answering.first().and_then(|it| given(&it.reach.target)),
            same: best.into_iter().filter_map(SameBody::of).collect(),
        }
    }
}

impl SameBody {
    fn of(reason: MatchReason) -> Option<Self> {
        let MatchReason::Agrees { kind, value, score } = reason else { return None };
        let kind = match kind {
            AliasKind::Serial => "serial",
            AliasKind::ChassisId => "chassis_id",
            AliasKind::BridgeMac => "bridge_mac",
            AliasKind::Mac => "mac",
            AliasKind::EngineId => "engine_id",
            AliasKind::ManagementAddress => "management_address",
            AliasKind::SysName => "sys_name",
        };
        // An address stands behind its space, which is the site's.
        let value =
            value.rsplit('/').next().filter(|_| kind == "management_address").map(str::to_owned).unwrap_or(value);
        Some(Self { kind, value, score })
    }
}
