//! A centre that is killed -9 while it is commanded: no change without its entry of the audit trail, no entry without its
//! change.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

#[path = "support/kill.rs"]
mod kill;

use std::{collections::BTreeSet, env, path::Path, time::Duration};

use futures_util::{StreamExt as _, stream};
use onenet_topology::{
    AreaId, SiteId, Timestamp,
    area::{AreaKind, Members},
    division::Tier,
    site::{SiteKind, SiteName},
};
use onenetd::{
    access::{Action, audit},
    centre::{Centre, Options},
    ingest::Outcome,
    record::{Command, NewSite},
    store::AuditQuery,
};

const CHILD: &str = "ONENET_TEST_AUDIT_KILL_NINE_DATA";
/// Commands under way at once: several share a flush.
const IN_FLIGHT: usize = 24;
const ROUNDS: usize = 40;

#[test]
fn a_change_and_its_entry_of_the_audit_trail_survive_kill_nine_together_or_not_at_all() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(data) = env::var(CHILD) {
        runtime.block_on(command_for_ever(Path::new(&data)));
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        // A little later in each round, so that the kills fall on every stage of a commit.
        let moment = (1 + round % 7 * 9, Duration::from_micros(u64::try_from(round).unwrap() * 170));
        let test = "a_change_and_its_entry_of_the_audit_trail_survive_kill_nine_together_or_not_at_all";
        kill::after(test, (CHILD, data.path()), moment, |said| {
            acknowledged.insert(said.parse::<AreaId>().unwrap());
        });
        let (changed, audited) = runtime.block_on(found_in(data.path()));
        assert_eq!(changed, audited, "positions of the changes, and of the entries");
        let missing: Vec<_> = acknowledged.iter().filter(|area| !changed.contains(&position(**area))).collect();
        assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    }
}

fn position(area: AreaId) -> u64 {
    area.raw() >> 20
}

/// The child: adds areas, and asks between them for what is refused.
async fn command_for_ever(data: &Path) {
    let centre = Centre::open(data, Options::default()).await.unwrap();
    let root = root_of(&centre).await;
    let commands = stream::iter(0_u64..).map(|n| {
        let centre = centre.clone();
        async move {
            let (name, from) = (SiteName::new(format!("流域 {n}"), ""), Timestamp::EPOCH);
            let unknown =
                Command::ChangeArea { area: AreaId::from_raw(1), name: Some(name.clone()), members: None, from };
            centre.submit(unknown, "wang").await.unwrap_err();
            let add = Command::AddArea { kind: AreaKind::RiverBasin, name, members: Members::subtree(root), from };
            match centre.submit(add, "wang").await.unwrap() {
                Outcome::AreaAdded(id) => kill::acknowledge(format_args!("{id}")),
                other => panic!("{other:?}"),
            }
        }
    });
    commands.buffer_unordered(IN_FLIGHT).collect::<Vec<()>>().await;
}

async fn root_of(centre: &Centre) -> SiteId {
    if let Some(site) = centre.estate().tree.iter().next() {
        return site.id;
    }
    let site = NewSite {
        tier: Tier::Ministry,
        kind: SiteKind::Division,
        code: "000000".into(),
        name: SiteName::new("部", "Ministry"),
        parents: Vec::new(),
        from: Timestamp::EPOCH,
    };
    let Outcome::SiteAdded(id) = centre.submit(Command::AddSite(site), "wang").await.unwrap() else { panic!() };
    id
}

/// Returns the positions of the records that added areas, and those of the entries that say so.
async fn found_in(data: &Path) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let centre = Centre::open(data, Options::default()).await.unwrap();
    let changed = centre.estate().areas.keys().map(|area| position(*area)).collect();
    let (from, until) = (Timestamp::EPOCH, Timestamp::from_unix_ms(i64::MAX));
    let query = AuditQuery { from, until, after: None, limit: usize::MAX };
    let entries = centre.audit_entries(query).await.unwrap();
    let of_areas = entries.into_iter().filter(|(_, entry)| entry.usage.action == Action::ManageAreas);
    let mut audited = BTreeSet::new();
    for ((_, position, _), entry) in of_areas {
        assert_eq!((entry.usage.principal.as_str(), entry.usage.outcome), ("wang", audit::Outcome::Done));
        assert!(audited.insert(position), "two entries of one change");
    }
    centre.stop().await;
    (changed, audited)
}
