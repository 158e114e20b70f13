//! Inspection campaigns and the sheets of their units, as the estate holds them.
//!
//! Invariant: there is no sheet without its campaign; a unit without a sheet has not answered.

use std::sync::Arc;

use imbl::OrdMap;
use onenet_topology::{
    CampaignId, SiteId,
    campaign::{Campaign, Sheet},
};

use super::Change;

/// Inspection campaigns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Campaigns {
    /// Every campaign, by id.
    pub all: OrdMap<CampaignId, Arc<Campaign>>,
    /// What units answered, and what was found there.
    pub sheets: OrdMap<(CampaignId, SiteId), Arc<Sheet>>,
}

impl Campaigns {
    /// Returns the sheet of a unit, where it has one.
    pub fn sheet(&self, campaign: CampaignId, site: SiteId) -> Option<&Sheet> {
        self.sheets.get(&(campaign, site)).map(Arc::as_ref)
    }

    /// Returns the sheets of a campaign.
    pub fn sheets_of(&self, campaign: CampaignId) -> impl Iterator<Item = &Arc<Sheet>> {
        let all = self.sheets.range((campaign, SiteId::from_raw(0))..);
        all.take_while(move |((of, _), _)| *of == campaign).map(|(_, sheet)| sheet)
    }

    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Campaign { id, campaign: Some(campaign) } => {
                self.all.insert(*id, Arc::clone(campaign));
            }
            Change::Campaign { id, campaign: None } => {
                self.all.remove(id);
            }
            Change::Sheet { campaign, site, sheet: Some(sheet) } => {
                self.sheets.insert((*campaign, *site), Arc::clone(sheet));
            }
            Change::Sheet { campaign, site, sheet: None } => {
                self.sheets.remove(&(*campaign, *site));
            }
            _ => {}
        }
    }
}
