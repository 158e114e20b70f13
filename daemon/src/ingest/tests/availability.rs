//! Availability from reports, ticks, late batches, maintenances and starts of the centre.

use onenet_topology::{
    ProbeRole, ProbeSample, ProbeState,
    availability::{Figures, Spent},
    coverage::Day,
    incident::MaintenanceScope,
};

use super::{
    incidents::{CITY, Country, MINISTRY, PROVINCE},
    *,
};
use crate::{
    availability::{KEPT_DAYS, LATE_DAYS, Maintained, Span, Watched, days},
    store::Store,
};

const MINUTE: u64 = 60_000;

impl Country {
    fn watched(&self, site: &str, to: Option<&str>) -> Watched {
        Watched { site: self.sites[site], to: to.map(|code| self.sites[code]) }
    }

    fn of_days(&self, watched: Watched, from: Day, to: Day) -> BTreeMap<Day, Figures> {
        let (estate, span) = (&self.world.estate, Span { from, to });
        days(estate, watched, span, &Maintained::within(estate, span), self.world.now)
    }

    /// How today was spent so far.
    fn today(&self, site: &str, to: Option<&str>) -> Spent {
        let today = Day::of(self.world.now);
        self.of_days(self.watched(site, to), today, today).remove(&today).unwrap_or_default().spent
    }

    /// The agent of a site tells what a probe of its found in each minute that ended within the last `minutes`, `ago` minutes ago.
    fn samples(&mut self, teller: &'static str, probe: &str, minutes: std::ops::Range<i64>, sequence: u64, lost: u64) {
        let now = self.world.now;
        let item = |ago: i64| HistoryItem {
            time: now.plus_ms(-ago * 60_000),
            scope: Scope::new(""),
            body: HistoryBody::Probe(ProbeSample {
                name: probe.into(),
                interval_ms: MINUTE,
                sent: 60,
                lost,
                round_trip_median_us: (lost < 60).then_some(9_000),
                ..ProbeSample::default()
            }),
        };
        let position = Position { lane: Lane::History, epoch: 7, sequence };
        let content = Content::History(minutes.rev().map(item).collect());
        let batch = Batch { position, clocks: self.clocks(1), content };
        self.world.report(self.agents[teller], self.sites[teller], batch).unwrap();
    }

    fn heal_province(&mut self) {
        self.probe(MINISTRY, PROVINCE, ProbeRole::Child, ProbeState::Up);
        self.hello(PROVINCE, 1);
        self.hello(CITY, 1);
    }
}

#[test]
fn a_cut_counts_from_the_failure_to_the_answer_and_what_is_behind_it_is_down_as_a_site() {
    let mut country = Country::new();
    let before = country.today(PROVINCE, Some(MINISTRY));
    assert!(before.up_ms >= 118_000 && before.down_ms == 0, "{before:?}");
    let cut = country.world.now;
    country.cut_province();
    country.pass(300);
    let healed = country.world.now;
    country.heal_province();
    country.pass(60);
    let way = country.today(PROVINCE, Some(MINISTRY));
    assert_eq!(way.down_ms, healed.ms_since(cut).unsigned_abs(), "from the first lost answer to the first that came");
    assert_eq!(way.unknown_ms, before.unknown_ms, "{way:?}");
    for site in [PROVINCE, CITY] {
        let it = country.today(site, None);
        let error = it.down_ms.abs_diff(way.down_ms);
        assert!(error <= 3_000, "{site}: {it:?}");
    }
    let behind = country.today(CITY, Some(PROVINCE));
    assert_eq!(behind.down_ms, 0, "{behind:?}");
    assert!(behind.unknown_ms >= 290_000, "nobody who was heard could tell: {behind:?}");
}

#[test]
fn samples_that_come_after_the_cut_change_the_past_day_and_in_any_order_alike() {
    let late = |first: u64| {
        let mut country = Country::new();
        // To ten minutes before midnight.
        country.world.now = Day(Day::of(country.world.now).0 + 1).start().plus_ms(-600_000);
        country.pass(30);
        country.cut_province();
        country.pass(1_200);
        country.heal_province();
        country.pass(30);
        let yesterday = Day(Day::of(country.world.now).0 - 1);
        let way = country.watched(CITY, Some(PROVINCE));
        let of = |country: &Country| country.of_days(way, yesterday, yesterday).remove(&yesterday).unwrap();
        let before = of(&country).spent;
        assert!(before.unknown_ms >= 8 * MINUTE, "{before:?}");
        // What the province's agent measured towards the city while nobody heard it: good, and two minutes of nothing.
        let batches = [(0..14, 0), (14..16, 60), (16..22, 0)];
        for sequence in 1..=3 {
            let (minutes, lost) = batches[usize::try_from((sequence + first) % 3).unwrap()].clone();
            country.samples(PROVINCE, CITY, minutes, sequence, lost);
        }
        let after = of(&country);
        assert!(after.spent.unknown_ms < MINUTE + before.unknown_ms - 8 * MINUTE, "{before:?} {after:?}");
        assert_eq!(after.spent.down_ms, 2 * MINUTE, "{after:?}");
        assert!(after.spent.up_ms > before.up_ms + 5 * MINUTE, "{after:?}");
        assert_eq!(after.spent.counted_ms(), before.counted_ms(), "no time is won or lost");
        assert!(after.quality.sent >= 600 && after.quality.lost == 120, "{after:?}");
        assert_eq!(after.quality.round_trip_us(), Some(9_000));
        after
    };
    assert_eq!(late(0), late(1));
    assert_eq!(late(1), late(2));
}

#[test]
fn the_own_days_of_a_site_that_nobody_measures_are_up_while_it_is_heard_and_unknown_from_when_it_was_heard_last() {
    let mut country = Country::new();
    let before = country.today(CITY, None);
    country.lose(CITY);
    country.probe(PROVINCE, CITY, ProbeRole::Child, ProbeState::Unknown);
    let lost = country.world.now;
    country.pass(600);
    let site = country.today(CITY, None);
    let silent = country.world.now.ms_since(lost).unsigned_abs();
    assert!(site.unknown_ms >= before.unknown_ms + silent, "{before:?} {site:?}");
    assert!(site.up_ms <= before.up_ms, "nothing after the last sign of life is up: {before:?} {site:?}");
    assert_eq!(site.down_ms, 0);
}

#[test]
fn a_maintenance_is_left_out_also_when_it_is_planned_afterwards_and_only_of_what_it_covers() {
    let mut country = Country::new();
    let cut = country.world.now;
    country.cut_province();
    country.pass(300);
    country.heal_province();
    country.pass(60);
    let before = country.today(PROVINCE, Some(MINISTRY));
    let scope = MaintenanceScope::Link { child: country.sites[PROVINCE], parent: country.sites[MINISTRY] };
    let (begin, end) = (cut.plus_ms(-1_000), cut.plus_ms(400_000));
    country.world.command(Command::PlanMaintenance { scope, begin, end, reason: "new line".into() }).unwrap();
    let after = country.today(PROVINCE, Some(MINISTRY));
    assert_eq!((after.down_ms, after.availability()), (0, Some(1.0)), "{after:?}");
    assert_eq!(after.counted_ms() + after.maintenance_ms, before.counted_ms());
    assert!(after.maintenance_ms >= before.down_ms);
    assert_eq!(country.today(PROVINCE, None).down_ms, 0, "its only way was planned to be out of order");
    assert!(country.today(CITY, None).down_ms > 0, "the city's people had no maintenance");
}

#[test]
fn while_the_centre_does_not_run_nothing_is_known_and_what_was_is_read_back() {
    let mut country = Country::new();
    country.samples(MINISTRY, PROVINCE, 0..2, 1, 0);
    let directory = tempfile::tempdir().unwrap();
    {
        let store = Store::open(directory.path()).unwrap();
        store.commit(&country.world.changes).unwrap();
    }
    let read = Store::open(directory.path()).unwrap().load().unwrap();
    assert_eq!(read.availability, country.world.estate.availability);
    let replayed = country.world.estate.changes().filter(|change| matches!(change, Change::Available { .. }));
    let mut estate = Estate::default();
    replayed.for_each(|change| estate.apply(&change));
    assert_eq!(estate.availability, country.world.estate.availability, "an export has all of it");
    let before = country.today(PROVINCE, Some(MINISTRY));
    let stopped = country.world.now;
    country.world.estate = read;
    country.world.now = stopped.plus_ms(3_600_000);
    country.world.submit(Body::Started).unwrap();
    for code in [MINISTRY, PROVINCE, CITY] {
        country.hello(code, 1);
    }
    country.pass(120);
    let after = country.today(PROVINCE, Some(MINISTRY));
    assert!(after.unknown_ms >= before.unknown_ms + 3_600_000, "{after:?}");
    assert!(after.up_ms < before.up_ms + 125_000, "{after:?}");
    // The ministry's agent measured on while the centre was away.
    country.samples(MINISTRY, PROVINCE, 3..62, 2, 0);
    let measured = country.today(PROVINCE, Some(MINISTRY));
    assert!(measured.unknown_ms + 58 * MINUTE <= after.unknown_ms, "{after:?} {measured:?}");
    assert_eq!(measured.down_ms, 0);
}

#[test]
fn days_are_settled_as_they_stood_when_nothing_late_is_waited_for_and_forgotten_in_the_end() {
    let mut country = Country::new();
    country.samples(MINISTRY, PROVINCE, 0..2, 1, 6);
    let first = Day::of(country.world.now);
    let way = country.watched(PROVINCE, Some(MINISTRY));
    let site = country.watched(PROVINCE, None);
    country.world.now = Day(first.0 + LATE_DAYS).start().plus_ms(3_600_000);
    let before = [way, site].map(|it| country.of_days(it, first, first));
    assert_eq!(before[0][&first].quality.lost, 12);
    let later = |country: &mut Country, day: i32| {
        country.world.now = Day(day).start().plus_ms(3_600_000);
        country.pass(601);
    };
    later(&mut country, first.0 + LATE_DAYS + 1);
    let settled = [way, site].map(|it| country.of_days(it, first, first));
    assert_eq!(settled, before);
    let kept = &country.world.estate.availability[&way];
    assert_eq!((kept.measured.len(), kept.settled.len()), (0, 1));
    country.samples(MINISTRY, PROVINCE, 15_000..15_002, 2, 60);
    assert_eq!([way, site].map(|it| country.of_days(it, first, first)), before, "what is settled stays");
    later(&mut country, first.0 + LATE_DAYS + KEPT_DAYS + 40);
    assert_eq!(country.of_days(way, first, first), BTreeMap::new());
    let kept = &country.world.estate.availability[&way];
    assert!(kept.settled.len() <= 9, "{}", kept.settled.len());
    let month = Span { from: Day(first.0 + 60), to: Day(first.0 + 89) };
    assert_eq!(country.of_days(way, month.from, month.to).len(), 30, "days in between are there");
}

#[test]
fn a_way_that_is_no_more_takes_no_more_time() {
    let mut country = Country::new();
    country.add_under("120000", MINISTRY);
    country.pass(10);
    let moved = country.world.now;
    let change = onenet_topology::site::SiteChange::Move {
        site: country.sites[CITY],
        parents: vec![onenet_topology::site::Uplink::to(country.sites["120000"])],
        from: moved,
    };
    country.world.command(Command::ChangeSites { changes: vec![change] }).unwrap();
    country.pass(100);
    let old = country.today(CITY, Some(PROVINCE));
    let new = country.today(CITY, Some("120000"));
    assert!(old.counted_ms() <= moved.ms_since(NOW).unsigned_abs() + 1_000, "{old:?}");
    assert!(new.counted_ms() >= 98_000 && new.counted_ms() <= 100_000, "{new:?}");
}
