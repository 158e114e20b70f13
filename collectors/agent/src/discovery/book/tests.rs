use proptest::prelude::*;

use super::*;

const HOUR_MS: i64 = 3_600_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_000_000 + ms)
}

fn ip(last: u8) -> IpAddr {
    [10, 0, 0, last].into()
}

fn identity(name: &str, engine: &str, chassis: &str) -> DeviceIdentity {
    let (system_name, engine_id, chassis_id) = (name.to_owned(), engine.to_owned(), chassis.to_owned());
    DeviceIdentity { system_name, engine_id, chassis_id }
}

fn core() -> Known {
    Known { name: "core".to_owned(), address: ip(1), identity: identity("core-1", "8000", "00:00:5e:00:53:01") }
}

/// Has the book ruled by an allow-list of 10.0.0.0/24, two credentials and a limit.
fn ruled<T>(devices_max: usize, work: impl FnOnce(Rules<'_>) -> T) -> T {
    let allowed = |address: IpAddr| matches!(address, IpAddr::V4(v4) if v4.octets()[..3] == [10, 0, 0]);
    let credentials = ["core".to_owned(), "switches".to_owned()];
    work(Rules { allowed: &allowed, credentials: &credentials, devices_max, every_ms: HOUR_MS })
}

fn device(name: &str, engine: &str, chassis: &str) -> Answer {
    Answer::Device { credentials: "switches".to_owned(), identity: identity(name, engine, chassis) }
}

fn verdict(book: &Book, address: IpAddr) -> (Verdict, String) {
    let candidate = book.candidates().find(|candidate| candidate.address == address).unwrap();
    (candidate.verdict, candidate.detail.clone())
}

#[test]
fn a_stranger_outside_the_allow_list_is_listed_and_never_due() {
    let mut book = Book::default();
    let stranger: IpAddr = [192, 0, 2, 9].into();
    book.seen(stranger, Source::Neighbour, "core", at(0));
    book.seen(ip(2), Source::Neighbour, "core", at(0));
    let due = ruled(10, |rules| book.review(rules, &[core()], at(0)));
    assert_eq!(due, [(ip(2), None)]);
    assert_eq!(verdict(&book, stranger).0, Verdict::NotAllowed);
    ruled(10, |rules| book.answered(stranger, device("x", "", ""), rules, &[core()], at(1)));
    assert!(ruled(10, |rules| book.added(rules)).is_empty(), "even were it asked, it would not be polled");
}

#[test]
fn a_device_is_polled_once_under_one_name_whatever_address_it_is_found_at() {
    let mut book = Book::default();
    for last in 1..=5 {
        book.seen(ip(last), Source::Sweep, "", at(0));
    }
    ruled(10, |rules| {
        book.review(rules, &[core()], at(0));
        // Another address of the configured one, a new one, another address of that, and one with a cloned engine id.
        book.answered(ip(2), device("core-1", "8000", "00:00:5e:00:53:01"), rules, &[core()], at(1));
        book.answered(ip(3), device("access-1", "8001", "00:00:5e:00:53:03"), rules, &[core()], at(1));
        book.answered(ip(4), device("access-1", "8001", "00:00:5e:00:53:03"), rules, &[core()], at(1));
        book.answered(ip(5), device("access-1", "8001", "00:00:5e:00:53:05"), rules, &[core()], at(1));
        let named = |name: &str, address| Added { name: name.to_owned(), address, credentials: "switches".to_owned() };
        assert_eq!(book.added(rules), [named("access-1", ip(3)), named("10.0.0.5", ip(5))]);
    });
    assert_eq!(verdict(&book, ip(1)), (Verdict::AlreadyConfigured, "core".to_owned()));
    assert_eq!(verdict(&book, ip(2)), (Verdict::SameDevice, "core".to_owned()));
    assert_eq!(verdict(&book, ip(4)), (Verdict::SameDevice, "access-1".to_owned()));
    let kept: Book = serde_json::from_str(&serde_json::to_string(&book).unwrap()).unwrap();
    assert_eq!(kept, book, "a restart changes nothing");
}

#[test]
fn a_found_device_that_is_configured_later_gives_way() {
    let mut book = Book::default();
    book.seen(ip(1), Source::Sweep, "", at(0));
    book.seen(ip(9), Source::Sweep, "", at(0));
    ruled(10, |rules| {
        book.answered(ip(1), device("core-1", "8000", "00:00:5e:00:53:01"), rules, &[], at(1));
        assert_eq!(book.added(rules).len(), 1);
        book.review(rules, &[Known { address: ip(7), ..core() }], at(2));
        assert!(book.added(rules).is_empty());
        assert_eq!(verdict(&book, ip(1)), (Verdict::SameDevice, "core".to_owned()));
    });
}

#[test]
fn what_refuses_is_asked_ever_more_seldom_and_at_once_when_the_rules_change() {
    let mut book = Book::default();
    book.seen(ip(2), Source::Sweep, "", at(0));
    let (mut now, mut pauses) = (0, Vec::new());
    for _ in 0..9 {
        ruled(10, |rules| {
            assert_eq!(book.review(rules, &[], at(now)).len(), 1);
            let refused = Answer::Nothing(Verdict::RefusedCredentials, String::new());
            book.answered(ip(2), refused, rules, &[], at(now));
            let next = book.candidates().next().unwrap().next;
            pauses.push(next.ms_since(at(now)) / HOUR_MS);
            assert!(book.review(rules, &[], next.plus_ms(-1)).is_empty());
            now = next.ms_since(at(0));
        });
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    book.ruled_by("others".to_owned(), at(now - HOUR_MS));
    ruled(10, |rules| assert_eq!(book.review(rules, &[], at(now - HOUR_MS)).len(), 1));
}

#[test]
fn as_many_are_added_as_may_be_and_the_rest_is_told() {
    let mut book = Book::default();
    for last in 1..=3 {
        book.seen(ip(last), Source::Sweep, "", at(0));
        ruled(2, |rules| book.answered(ip(last), device(&format!("d{last}"), "", ""), rules, &[], at(1)));
    }
    assert_eq!(ruled(2, |rules| book.added(rules)).len(), 2);
    assert_eq!(verdict(&book, ip(3)), (Verdict::LimitReached, "2".to_owned()));
}

#[test]
fn a_full_book_lets_silent_addresses_go_and_keeps_devices() {
    let mut book = Book::default();
    book.seen(ip(1), Source::Sweep, "", at(0));
    ruled(10, |rules| book.answered(ip(1), device("kept", "", ""), rules, &[], at(0)));
    for number in 0..u32::try_from(CANDIDATES_MAX).unwrap() + 100 {
        let address: IpAddr = std::net::Ipv4Addr::from(0x0a01_0000 + number).into();
        book.seen(address, Source::Sweep, "", at(i64::from(number)));
        let silent = Answer::Nothing(Verdict::NoAnswer, String::new());
        ruled(10, |rules| book.answered(address, silent, rules, &[], at(0)));
    }
    assert_eq!((book.candidates().count(), book.evicted), (CANDIDATES_MAX, 101));
    assert_eq!(ruled(10, |rules| book.added(rules)).len(), 1);
}

proptest! {
    #[test]
    fn a_device_is_known_again_among_many_as_it_is_one_by_one(
        devices in prop::collection::vec(("[ab]?", "[12]?", "[xy]?"), 0..6), asked in ("[ab]?", "[12]?", "[xy]?"),
    ) {
        let of = |(name, engine, chassis): &(String, String, String)| identity(name, engine, chassis);
        let known: Vec<Known> =
            devices.iter().map(|device| Known { name: device.0.clone(), address: ip(1), identity: of(device) }).collect();
        let found = KnownBy::new(&known).same(&of(&asked));
        prop_assert_eq!(found.is_some(), known.iter().any(|device| device.identity.is_same(&of(&asked))));
        prop_assert!(found.is_none_or(|device| device.identity.is_same(&of(&asked))));
    }

    #[test]
    fn no_two_added_devices_share_a_name_or_an_identity_and_none_is_outside(
        steps in prop::collection::vec((1u8..12, 0u8..4, 0u8..4, any::<bool>()), 1..60),
    ) {
        let mut book = Book::default();
        for (time, (last, name, chassis, answers)) in steps.into_iter().enumerate() {
            let now = at(i64::try_from(time).unwrap() * HOUR_MS);
            book.seen(ip(last), Source::Sweep, "", now);
            let chassis = if chassis == 0 { String::new() } else { format!("c{chassis}") };
            let answer = if answers { device(&format!("n{name}"), "80", &chassis) } else {
                Answer::Nothing(Verdict::NoAnswer, String::new())
            };
            ruled(5, |rules| {
                book.review(rules, &[core()], now);
                if last > 1 {
                    book.answered(ip(last), answer, rules, &[core()], now);
                }
                let added = book.added(rules);
                let names: BTreeSet<&str> = added.iter().map(|device| device.name.as_str()).collect();
                prop_assert_eq!(names.len(), added.len());
                prop_assert!(added.len() <= 5 && added.iter().all(|device| device.address != ip(1)));
                Ok(())
            })?;
        }
    }
}
