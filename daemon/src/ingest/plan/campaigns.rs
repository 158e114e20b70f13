//! Inspection campaigns: opened, answered, closed, and let go.
//!
//! Invariant: a campaign and its sheets change in the same batch as the command that changed them. A closed one is kept 190 days at least,
//! whatever their number; an open one is never let go.

use std::sync::Arc;

use onenet_topology::{
    CampaignId, Id, SiteId,
    campaign::{Acted, Campaign, Sheet, SheetAction},
};

use super::{Draft, Outcome, Refusal, command::check_site};
use crate::{estate::Change, record::Command};

/// Campaigns that are kept whatever their age; beyond that, closed ones that are old enough give way.
const CAMPAIGNS_MAX: usize = 1_000;
/// Campaigns that can be open at a time.
const OPEN_MAX: usize = 200;
/// How long closed ones are kept at least, in milliseconds: as long as the audit trail.
const CLOSED_KEPT_MS: i64 = 190 * 86_400_000;

/// Checks a command about campaigns.
pub(super) fn check(draft: &Draft<'_>, command: &Command) -> Result<Outcome, Refusal> {
    match command {
        Command::OpenCampaign { plan } => {
            plan.check(draft.record.time).map_err(Refusal::Campaign)?;
            plan.units.iter().chain([&plan.site]).try_for_each(|site| check_site(draft, *site))?;
            if draft.next.campaigns.all.values().filter(|it| it.is_open()).count() >= OPEN_MAX {
                return Err(Refusal::TooManyCampaigns);
            }
            Ok(Outcome::CampaignOpened(Id::from_record(draft.record.position, 0).ok_or(Refusal::LogFull)?))
        }
        Command::ActOnCampaign { site, campaign, action } => {
            acted(draft, "", *site, *campaign, action).map(|_| Outcome::Accepted)
        }
        Command::CloseCampaign { campaign, text, .. } => closed(draft, "", *campaign, text).map(|_| Outcome::Accepted),
        _ => Ok(Outcome::Accepted),
    }
}

/// Carries a command about campaigns out, which was checked and is in the log.
pub(super) fn carry_out(draft: &mut Draft<'_>, by: &str, command: &Command) -> Result<(), Refusal> {
    let time = draft.record.time;
    match command {
        Command::OpenCampaign { plan } => {
            let id = Id::from_record(draft.record.position, 0).ok_or(Refusal::LogFull)?;
            let campaign = Campaign { id, plan: (**plan).clone(), opened: time, by: by.to_owned(), closed: None };
            draft.put(Change::Campaign { id, campaign: Some(Arc::new(campaign)) });
        }
        Command::ActOnCampaign { site, campaign, action } => {
            let sheet = Some(Arc::new(acted(draft, by, *site, *campaign, action)?));
            draft.put(Change::Sheet { campaign: *campaign, site: *site, sheet });
        }
        Command::CloseCampaign { campaign: id, text, .. } => {
            let campaign = Some(Arc::new(closed(draft, by, *id, text)?));
            draft.put(Change::Campaign { id: *id, campaign });
        }
        _ => {}
    }
    Ok(())
}

fn known<'d>(draft: &'d Draft<'_>, id: CampaignId) -> Result<&'d Arc<Campaign>, Refusal> {
    draft.next.campaigns.all.get(&id).ok_or(Refusal::UnknownCampaign(id))
}

/// Returns the sheet once `by` has done this with it.
fn acted(
    draft: &Draft<'_>,
    by: &str,
    site: SiteId,
    campaign: CampaignId,
    action: &SheetAction,
) -> Result<Sheet, Refusal> {
    let sheet = draft.next.campaigns.sheet(campaign, site);
    let acted = Acted { time: draft.record.time, by };
    known(draft, campaign)?.act(site, sheet, action, acted).map_err(Refusal::Sheet)
}

/// Returns the campaign once `by` has closed it.
fn closed(draft: &Draft<'_>, by: &str, campaign: CampaignId, text: &str) -> Result<Campaign, Refusal> {
    let findings = draft.next.campaigns.sheets_of(campaign).flat_map(|it| &it.findings);
    let open = findings.filter(|it| it.is_open()).count();
    known(draft, campaign)?.close(draft.record.time, by, text, open).map_err(Refusal::Campaign)
}

/// Lets one that was closed long ago go, where there are too many.
pub(super) fn follow(draft: &mut Draft<'_>) {
    let (campaigns, now) = (&draft.next.campaigns, draft.record.time);
    if campaigns.all.len() <= CAMPAIGNS_MAX {
        return;
    }
    let is_old = |it: &Campaign| it.closed.as_ref().is_some_and(|end| now.ms_since(end.time) > CLOSED_KEPT_MS);
    let Some(id) = campaigns.all.values().find(|it| is_old(it)).map(|it| it.id) else { return };
    let sheets: Vec<_> = campaigns.sheets_of(id).map(|it| it.site).collect();
    for site in sheets {
        draft.put(Change::Sheet { campaign: id, site, sheet: None });
    }
    draft.put(Change::Campaign { id, campaign: None });
}
