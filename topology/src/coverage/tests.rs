use super::*;
use crate::{AssetId, asset::AssetChange};

const HERE: SiteId = SiteId::from_raw(1);
const THERE: SiteId = SiteId::from_raw(2);
const NOW: Timestamp = Timestamp::from_unix_ms(100 * 86_400_000);

fn days_ago(days: i64) -> Timestamp {
    NOW.plus_ms(-days * 86_400_000)
}

fn mac(number: u8) -> MacAddr {
    MacAddr([0, 0x1b, 0x21, 0, 0, number])
}

fn asset(id: u64, macs: &[u8]) -> Asset {
    Asset {
        id: AssetId::from_raw(id),
        site: HERE,
        number: format!("A-{id}"),
        macs: macs.iter().map(|number| mac(*number)).collect(),
        ip: None,
        class: None,
        name: String::new(),
        owner: String::new(),
        location: String::new(),
        from: Timestamp::EPOCH,
        until: None,
    }
}

fn register(assets: impl IntoIterator<Item = Asset>) -> AssetRegister {
    let mut register = AssetRegister::default();
    for asset in assets {
        register.apply(&AssetChange::Put(asset)).unwrap();
    }
    register
}

fn sight(number: u8, class: Option<DeviceClass>, days: i64) -> Sight {
    let terminal = TerminalId::from_raw(number.into());
    Sight { mac: mac(number), ips: Vec::new(), class, last_seen: days_ago(days), terminal, vouched: None }
}

/// Counts what is seen at one site, with nothing seen elsewhere but `elsewhere`.
fn count(register: &AssetRegister, seen: &[Sight], elsewhere: &[(u8, i64)]) -> Terminals {
    let last_of = |wanted: MacAddr| {
        let here = seen.iter().filter(|it| it.mac == wanted).map(|it| LastSight { site: HERE, at: it.last_seen });
        let there = elsewhere.iter().filter(|(number, _)| mac(*number) == wanted);
        here.chain(there.map(|(_, days)| LastSight { site: THERE, at: days_ago(*days) })).max_by_key(|last| last.at)
    };
    Matcher::new(register, HERE, NOW).terminals(seen, last_of, days_ago(30))
}

#[test]
fn each_machine_counts_once_and_stands_in_one_place() {
    let camera = Asset { class: Some(DeviceClass::Camera), ..asset(5, &[50]) };
    let gone = Asset { until: Some(days_ago(10)), ..asset(6, &[60]) };
    let books = register([asset(1, &[1, 2]), asset(2, &[3]), asset(3, &[4]), asset(4, &[9]), camera, gone]);
    let pc = Some(DeviceClass::Pc);
    let seen = [
        sight(1, pc, 40),
        sight(2, pc, 0),
        sight(3, pc, 31),
        sight(50, Some(DeviceClass::Camera), 0),
        sight(60, pc, 1),
        sight(70, None, 2),
        sight(71, Some(DeviceClass::Phone), 2),
        sight(72, pc, 31),
    ];
    let counted = count(&books, &seen, &[(9, 3)]);
    let expected = Terminals {
        registered: 4,
        seen: 2,
        silent: 1,
        never_seen: 1,
        strayed: 1,
        // The one that was written off is a stranger again; the silent stranger is nobody's concern any more.
        unregistered: 1,
        unregistered_unclassified: 1,
    };
    assert_eq!(counted, expected);
    assert_eq!(counted.registered, counted.seen + counted.silent + counted.never_seen);
}

#[test]
fn a_machine_that_is_on_another_sites_books_is_no_stranger() {
    let books = register([Asset { site: THERE, ..asset(1, &[1]) }]);
    assert_eq!(count(&books, &[sight(1, Some(DeviceClass::Pc), 0)], &[]), Terminals::default());
}

#[test]
fn a_machine_without_a_known_card_is_recognised_by_its_address_at_its_own_site() {
    let ip: IpAddr = "10.1.1.7".parse().unwrap();
    let books = register([Asset { ip: Some(ip), ..asset(1, &[]) }, asset(2, &[2])]);
    let at_ip = |number| Sight { ips: vec![ip], ..sight(number, Some(DeviceClass::Pc), 0) };
    let counted = count(&books, &[at_ip(8)], &[]);
    assert_eq!((counted.seen, counted.never_seen, counted.unregistered), (1, 1, 0));
    // A card that is on the books is itself, whatever address it took.
    let counted = count(&books, &[at_ip(2)], &[]);
    assert_eq!((counted.seen, counted.never_seen), (1, 1));
    assert_eq!(Matcher::new(&books, THERE, NOW).asset(mac(8), [ip]), None, "another site's range");
}

#[test]
fn an_area_without_assets_is_not_covered_by_all_of_them() {
    assert_eq!((ratio(0, 0), ratio(0, 4), ratio(3, 4)), (None, Some(0.0), Some(0.75)));
}

fn of(registered: u32) -> Coverage {
    Coverage { terminals: Terminals { registered, ..Terminals::default() }, ..Coverage::default() }
}

#[test]
fn a_trend_keeps_two_months_of_days_and_the_last_day_of_each_month_before() {
    let mut trend = Trend::default();
    let first = Day::of("2020-01-01T00:00:00+08:00".parse().unwrap());
    for day in 0..4_000 {
        trend.add(DayFigures { day: Day(first.0 + day), coverage: of(day.cast_unsigned()) });
    }
    let last = Day(first.0 + 3_999);
    assert_eq!((first.to_string(), last.to_string()), ("2020-01-01".into(), "2030-12-13".into()));
    assert!(trend.days().windows(2).all(|pair| pair[0].day < pair[1].day));
    let recent = trend.days().iter().filter(|it| it.day.0 > last.0 - TREND_DAYS).count();
    assert_eq!(recent, 62);
    assert_eq!(trend.days().len(), 62 + MONTHS_MAX);
    for it in trend.days().iter().take(MONTHS_MAX) {
        assert_ne!(it.day.month(), Day(it.day.0 + 1).month(), "{}", it.day);
    }
    assert_eq!(trend.of_month("2030-12".parse().unwrap()), Some(of(3_999)));
    let end_of_may = Day::of("2030-05-31T12:00:00+08:00".parse().unwrap());
    assert_eq!(trend.of_month("2030-05".parse().unwrap()), Some(of((end_of_may.0 - first.0).cast_unsigned())));
    assert_eq!(trend.of_month("2020-01".parse().unwrap()), None, "too long ago");
}

#[test]
fn a_day_is_counted_once_and_never_rewritten_by_an_earlier_clock() {
    let mut trend = Trend::default();
    for (day, registered) in [(10, 1), (10, 2), (9, 3)] {
        trend.add(DayFigures { day: Day(day), coverage: of(registered) });
    }
    assert_eq!(trend.days(), [DayFigures { day: Day(10), coverage: of(2) }]);
    assert_eq!(trend.last_day(), Some(Day(10)));
}

#[test]
fn months_follow_each_other_over_the_turn_of_the_year() {
    let december: Month = "2026-12".parse().unwrap();
    assert_eq!(december.after().to_string(), "2027-01");
    assert_eq!(december.after().before(), december);
    assert_eq!(Month::of("2026-12-31T16:00:00Z".parse().unwrap()).to_string(), "2027-01", "midnight in China");
    for wrong in ["2026", "2026-13", "2026-1", "2026-01-01", "soon"] {
        let said = wrong.parse::<Month>().unwrap_err().to_string();
        assert!(said.contains("2026-01"), "{said}");
    }
}

#[test]
fn the_cards_of_a_stranger_are_one_terminal_and_one_that_somebody_vouched_for_is_none() {
    let books = register([asset(1, &[1])]);
    let of = |terminal: u64, sight: Sight| Sight { terminal: TerminalId::from_raw(terminal), ..sight };
    let pc = Some(DeviceClass::Pc);
    let two = [of(7, sight(70, None, 0)), of(7, sight(71, pc, 0)), of(8, sight(80, None, 0))];
    let counted = count(&books, &two, &[]);
    assert_eq!((counted.unregistered, counted.unregistered_unclassified), (1, 1));
    // The machine says that it is the one on the books; that is not enough.
    let known = [of(1, sight(1, pc, 50)), of(1, sight(90, pc, 0))];
    let counted = count(&books, &known, &[]);
    assert_eq!((counted.unregistered, counted.seen, counted.silent), (1, 0, 1));
    let vouched = known.map(|it| Sight { vouched: (it.mac == mac(90)).then_some(AssetId::from_raw(1)), ..it });
    let counted = count(&books, &vouched, &[]);
    assert_eq!((counted.unregistered, counted.seen, counted.silent), (0, 1, 0));
}
