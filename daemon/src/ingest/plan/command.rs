//! Commands of principals. Whether the principal may is decided before ([`crate::access`]).

use std::sync::Arc;

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    site::{ImportPlan, SiteChange, SiteRow, SiteTree, plan_import},
};

use super::{Draft, Outcome, Refusal};
use crate::{
    estate::Change,
    record::{Command, NewSite, TokenHash},
};

/// Plans a command.
pub(super) fn command(draft: &mut Draft<'_>, by: &Arc<str>, command: &Arc<Command>) -> Result<Outcome, Refusal> {
    let position = draft.record.position;
    let mut command = Arc::clone(command);
    let outcome = match &*command {
        Command::ImportSites { rows, from } => {
            let plan = import(draft, rows, *from)?;
            let outcome =
                Outcome::SitesImported { changed: plan.changes.len(), unchanged: plan.unchanged, absent: plan.absent };
            if plan.changes.is_empty() {
                return Ok(outcome);
            }
            command = Arc::new(Command::ChangeSites { changes: plan.changes });
            outcome
        }
        Command::AddSite(site) => {
            let id = draft.id()?;
            command = Arc::new(Command::ChangeSites { changes: vec![addition(id, site)] });
            check_sites(draft, &command)?;
            Outcome::SiteAdded(id)
        }
        Command::ChangeSites { .. } => {
            check_sites(draft, &command)?;
            Outcome::Accepted
        }
        Command::IssueEnrolmentToken { token, .. } => {
            check_site(draft, token.site)?;
            Outcome::Accepted
        }
        Command::EnrolAgent { token, key } => match enrolled(draft, *token, *key)? {
            Enrolment::Before(outcome) => return Ok(outcome),
            Enrolment::Now(outcome) => outcome,
        },
        Command::RevokeAgent { agent, .. } => {
            draft.next.agent(*agent).ok_or(Refusal::UnknownAgent(*agent))?;
            Outcome::Accepted
        }
        Command::Configure { site, .. } => {
            check_site(draft, *site)?;
            Outcome::Configured { revision: position }
        }
    };
    draft.put(Change::Commanded {
        position,
        time: draft.record.time,
        by: Arc::clone(by),
        command: Arc::clone(&command),
    });
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

/// Returns what an import changes. New sites get ids from the record.
fn import(draft: &mut Draft<'_>, rows: &[SiteRow], from: Timestamp) -> Result<ImportPlan, Refusal> {
    let tree = Arc::clone(&draft.next.tree);
    let mut full = false;
    let plan = plan_import(&tree, rows, from, || {
        draft.id().unwrap_or_else(|_| {
            full = true;
            SiteId::from_raw(0)
        })
    });
    if full {
        return Err(Refusal::LogFull);
    }
    plan.map_err(|errors| Refusal::Import(errors.iter().map(ToString::to_string).collect()))
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
fn check_sites(draft: &Draft<'_>, command: &Command) -> Result<(), Refusal> {
    let Command::ChangeSites { changes } = command else { return Ok(()) };
    let mut tree = SiteTree::clone(&draft.next.tree);
    changes.iter().try_for_each(|change| tree.apply(change)).map_err(Refusal::Sites)
}

fn check_site(draft: &Draft<'_>, site: SiteId) -> Result<(), Refusal> {
    let known = draft.next.tree.get(site).is_some_and(|it| it.exists(draft.record.time));
    if known { Ok(()) } else { Err(Refusal::UnknownSite(site)) }
}

enum Enrolment {
    Before(Outcome),
    Now(Outcome),
}

/// Returns what an enrolment comes to; the same token with the same key gives the same agent, so that an answer that
/// was lost on the way can be asked for again.
fn enrolled(draft: &Draft<'_>, token: TokenHash, key: TokenHash) -> Result<Enrolment, Refusal> {
    let token = draft.next.enrolment_tokens.get(&token).ok_or(Refusal::UnknownToken)?;
    if token.expires <= draft.record.time {
        return Err(Refusal::TokenExpired(token.expires));
    }
    match token.spent {
        Some((agent, used)) if used == key => Ok(Enrolment::Before(Outcome::Enrolled { agent, site: token.site })),
        Some((agent, _)) => Err(Refusal::TokenSpent(agent)),
        None => {
            let agent = AgentId::from_record(draft.record.position, 0).ok_or(Refusal::LogFull)?;
            Ok(Enrolment::Now(Outcome::Enrolled { agent, site: token.site }))
        }
    }
}
