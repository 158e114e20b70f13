//! The asset register in the log, and coverage counted day by day.

use onenet_topology::{
    asset::parse_assets_csv,
    coverage::{Coverage, Day},
};

use super::*;

const DAY_MS: i64 = 86_400_000;

impl World {
    /// Lets every site have its turn, beginning at `now`.
    fn turn(&mut self) {
        for _ in 0..600 {
            self.submit(Body::Tick).unwrap();
            self.now = self.now.plus_ms(1_000);
        }
    }

    fn import_assets(&mut self, csv: &str) -> Result<Outcome, Refusal> {
        let rows = parse_assets_csv(csv).unwrap();
        self.command(Command::ImportAssets { rows, from: self.now, complete: false })
    }

    fn counted(&self, site: SiteId) -> Vec<(Day, Coverage)> {
        let trend = self.estate.coverage.get(&site).cloned().unwrap_or_default();
        trend.days().iter().map(|it| (it.day, it.coverage)).collect()
    }
}

#[test]
fn each_site_is_counted_once_a_day_after_noon_and_at_once_when_it_is_new() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.import_assets(&format!("number,site,mac\n1,000000,{}\n2,000000,{}\n", mac(1), mac(9))).unwrap();
    world.report(agent, site, state(1, 1_000_000, vec![present(1_000_000, binding(1, 1))])).unwrap();
    let midnight = Day(Day::of(world.now).0 + 1).start();
    world.now = midnight.plus_ms(3_600_000);
    world.turn();
    let first = world.counted(site);
    let [(day, coverage)] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!((day.start(), coverage.units.attached), (midnight, 1));
    assert_eq!((coverage.terminals.registered, coverage.terminals.seen, coverage.terminals.never_seen), (2, 1, 1));
    world.now = midnight.plus_ms(DAY_MS + 11 * 3_600_000);
    world.turn();
    assert_eq!(world.counted(site).len(), 1, "before noon nobody is counted again");
    world.now = midnight.plus_ms(DAY_MS + 12 * 3_600_000);
    world.turn();
    world.turn();
    let counted = world.counted(site);
    assert_eq!(counted.len(), 2, "once a day");
    assert_eq!(counted[1].1.units.reachable, 0, "the agent was not heard for a day");
    let stored = world.changes.iter().filter(|change| matches!(change, Change::Covered { .. })).count();
    assert_eq!(stored, 2);
}

#[test]
fn an_import_of_assets_is_in_the_log_as_what_it_came_to() {
    let (mut world, ..) = World::with_agent(1_000_000);
    let outcome = world.import_assets(&format!("number,site,mac\n1,000000,{}\n", mac(1))).unwrap();
    assert_eq!(outcome, Outcome::AssetsImported { added: 1, changed: 0, unchanged: 0, written_off: 0, absent: 0 });
    let mut replayed = Estate::default();
    world.changes.iter().for_each(|change| replayed.apply(change));
    assert_eq!(replayed.assets, world.estate.assets);
    assert!(world.estate.assets.by_mac(mac(1), world.now).is_some());
    let before = world.estate.clone();
    let refused = world.import_assets("number,site,mac\n1,999999,00:1b:21:00:00:01\n");
    assert!(matches!(&refused, Err(Refusal::Import(lines)) if lines[0].contains("line 2, column site")), "{refused:?}");
    assert_eq!(world.estate, before);
}
