//! Inspection campaigns: opened, answered, told of where somebody is late, closed, and let go.
//!
//! Invariant: a campaign and its sheets change in the same batch as the command that changed them, and so does what is told of it. A closed one is kept 190 days at least,
//! whatever their number; an open one is never let go.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use onenet_topology::{
    CampaignId, Id, SiteId,
    campaign::{Acted, Campaign, Sheet, SheetAction},
};

use super::{
    Draft, Outcome, Refusal,
    caps::{CAMPAIGNS_MAX, KEPT_MS},
    command::check_site,
    tick::is_turn,
};
use crate::{estate::Change, outbox::Message, record::Command};

/// Campaigns that can be open at a time.
const OPEN_MAX: usize = 200;

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
            let (opened, by) = (time, by.to_owned());
            let campaign = Campaign { id, plan: (**plan).clone(), opened, by, closed: None, late_told: None };
            let message = Message::of_inspection(&campaign, draft.message_id());
            draft.put(Change::Campaign { id, campaign: Some(Arc::new(campaign)) });
            draft.tell([message]);
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

/// Tells who is late, and lets one that was closed long ago go, where there are too many.
pub(super) fn follow(draft: &mut Draft<'_>) {
    let open: Vec<Arc<Campaign>> = draft.next.campaigns.all.values().filter(|it| it.is_open()).cloned().collect();
    let now = draft.record.time;
    let due: Vec<SiteId> = if open.is_empty() {
        Vec::new()
    } else {
        draft.next.tree.iter().map(|it| it.id).filter(|site| is_turn(*site, now)).collect()
    };
    for campaign in open {
        late_units(draft, &campaign);
        for site in &due {
            late_findings(draft, &campaign, *site);
        }
    }
    let_go(draft);
}

/// Tells the sites above which of their units did not answer in time, once.
fn late_units(draft: &mut Draft<'_>, campaign: &Arc<Campaign>) {
    let now = draft.record.time;
    let Some(late) = campaign.late(now, |site| draft.next.campaigns.sheet(campaign.id, site)) else { return };
    let tree = Arc::clone(&draft.next.tree);
    let mut above: BTreeMap<SiteId, Vec<(SiteId, String)>> = BTreeMap::new();
    for site in late {
        let known = draft.next.campaigns.sheet(campaign.id, site).cloned();
        let sheet = known.unwrap_or_else(|| Sheet::blank(campaign.id, site)).told_late(now, &BTreeSet::new());
        draft.put(Change::Sheet { campaign: campaign.id, site, sheet: Some(Arc::new(sheet)) });
        // Who has nobody above is told of where it is.
        let parent = tree.parents(site, now).next().map_or(site, |it| it.id);
        let name = tree.get(site).map_or_else(|| site.to_string(), |it| it.name(now).zh.clone());
        above.entry(parent).or_default().push((site, name));
    }
    let told = Some(Arc::new(campaign.told_late(now)));
    draft.put(Change::Campaign { id: campaign.id, campaign: told });
    for (parent, units) in above {
        let message = Message::of_late_units(campaign, (parent, now), units, draft.message_id());
        draft.tell([message]);
    }
}

/// Tells what was found at a unit whose turn it is and not mended in time, each once.
fn late_findings(draft: &mut Draft<'_>, campaign: &Campaign, site: SiteId) {
    let now = draft.record.time;
    let Some(sheet) = draft.next.campaigns.sheet(campaign.id, site).cloned() else { return };
    let numbers = sheet.late(now);
    if numbers.is_empty() {
        return;
    }
    let next = Some(Arc::new(sheet.told_late(now, &numbers)));
    draft.put(Change::Sheet { campaign: campaign.id, site, sheet: next });
    let parent = draft.next.tree.parents(site, now).next().map(|it| it.id);
    let found = numbers.iter().filter_map(|number| sheet.findings.get(usize::from(*number).checked_sub(1)?));
    for finding in found {
        let message = Message::of_late_finding(campaign, (site, parent, now), finding, draft.message_id());
        draft.tell([message]);
    }
}

fn let_go(draft: &mut Draft<'_>) {
    let (campaigns, now) = (&draft.next.campaigns, draft.record.time);
    if campaigns.all.len() <= CAMPAIGNS_MAX {
        return;
    }
    let is_old = |it: &Campaign| it.closed.as_ref().is_some_and(|end| now.ms_since(end.time) > KEPT_MS);
    let Some(id) = campaigns.all.values().find(|it| is_old(it)).map(|it| it.id) else { return };
    let sheets: Vec<_> = campaigns.sheets_of(id).map(|it| it.site).collect();
    for site in sheets {
        draft.put(Change::Sheet { campaign: id, site, sheet: None });
    }
    draft.put(Change::Campaign { id, campaign: None });
}
