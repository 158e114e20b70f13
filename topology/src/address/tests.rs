use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::*;
use crate::{
    division::Tier,
    site::{SiteChange, SiteKind, SiteName, SiteTree, Uplink},
};

fn day(day: i64) -> Timestamp {
    Timestamp::from_unix_ms(day * 86_400_000)
}

fn site(raw: u64) -> SiteId {
    SiteId::from_raw(raw)
}

fn owned(owner: u64) -> Assignment {
    Assignment { site: site(owner), vlan: None, purpose: String::new(), dark: false }
}

fn assign(space: SpaceId, prefix: &str, owner: u64, from: i64) -> PlanChange {
    PlanChange::Assign { space, prefix: prefix.parse().unwrap(), assignment: owned(owner), from: day(from) }
}

fn own_space(raw: u64, owner: u64) -> AddressSpace {
    AddressSpace { id: SpaceId::from_raw(raw), name: "own".into(), kind: SpaceExtent::Site(site(owner)) }
}

fn plan(changes: impl IntoIterator<Item = PlanChange>) -> AddressPlan {
    let mut plan = AddressPlan::new();
    for change in changes {
        plan.apply(&change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
    }
    plan
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn the_longest_prefix_assigned_at_that_time_decides() {
    let prefix = "10.13.1.0/24".parse().unwrap();
    let mut plan = plan([
        assign(NATIONAL, "10.0.0.0/8", 1, 0),
        assign(NATIONAL, "10.13.0.0/16", 2, 0),
        assign(NATIONAL, "10.13.1.0/24", 3, 5),
        assign(NATIONAL, "2001:db8::/32", 1, 0),
    ]);
    plan.apply(&PlanChange::Withdraw { space: NATIONAL, prefix, from: day(9) }).unwrap();
    let owner = |address, at| {
        let entry = plan.longest_match(NATIONAL, ip(address), day(at))?;
        Some(entry.assignment(day(at))?.site.raw())
    };
    let over_time: Vec<_> = [-1, 0, 4, 5, 8, 9].into_iter().map(|at| owner("10.13.1.7", at)).collect();
    assert_eq!(over_time, [None, Some(2), Some(2), Some(3), Some(3), Some(2)]);
    assert_eq!((owner("10.14.0.1", 5), owner("11.0.0.1", 5)), (Some(1), None));
    assert_eq!((owner("2001:db8::1", 5), owner("2001:db9::1", 5)), (Some(1), None));
    assert_eq!(plan.entry(NATIONAL, prefix).unwrap().assignments.iter().count(), 2, "what was withdrawn is kept");
}

#[test]
fn a_private_address_has_its_meaning_in_the_space_of_its_site() {
    let (one, two) = (own_space(8, 8), own_space(9, 9));
    let plan = plan([
        PlanChange::AddSpace(one.clone()),
        PlanChange::AddSpace(two.clone()),
        assign(one.id, "192.168.1.0/24", 8, 0),
        assign(two.id, "192.168.1.0/24", 9, 0),
        assign(NATIONAL, "10.13.0.0/16", 8, 0),
    ]);
    assert_eq!(plan.space_of(site(8), ip("192.168.1.9"), day(1)), one.id);
    assert_eq!(plan.space_of(site(9), ip("192.168.1.9"), day(1)), two.id);
    assert_eq!(plan.space_of(site(8), ip("192.168.2.9"), day(1)), NATIONAL);
    assert_eq!(plan.space_of(site(8), ip("10.13.0.9"), day(1)), NATIONAL);
    assert_eq!(plan.space_of(site(7), ip("192.168.1.9"), day(1)), NATIONAL, "a site without a space of its own");
    assert_eq!(plan.match_at_site(site(9), ip("192.168.1.9"), day(1)).unwrap().space, two.id);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<AddressPlan>(&json).unwrap(), plan);
}

#[test]
fn every_refusal_names_the_remedy_and_leaves_the_plan() {
    let own = own_space(8, 8);
    let mut plan = plan([PlanChange::AddSpace(own.clone()), assign(NATIONAL, "10.13.0.0/16", 2, 0)]);
    let vlan = Assignment { vlan: Some(4095), ..owned(2) };
    let purpose = Assignment { purpose: "x".repeat(101), ..owned(2) };
    let with = |assignment| {
        let prefix = "10.99.0.0/16".parse().unwrap();
        PlanChange::Assign { space: NATIONAL, prefix, assignment, from: day(0) }
    };
    for (change, remedy) in [
        (assign(SpaceId::from_raw(77), "10.0.0.0/8", 2, 0), "add it first"),
        (assign(NATIONAL, "10.13.0.1/16", 2, 0), "write 10.13.0.0/16"),
        (assign(NATIONAL, "0.0.0.0/0", 2, 0), "name the prefixes in use"),
        (assign(NATIONAL, "10.13.0.0/16", 3, 0), "belongs to site-2 in that time"),
        (assign(own.id, "192.168.0.0/24", 3, 0), "assign the prefix to that site"),
        (with(vlan), "1 to 4094"),
        (with(purpose), "shorten it"),
        (PlanChange::AddSpace(own_space(8, 9)), "exists already"),
        (PlanChange::AddSpace(own_space(9, 8)), "has the address space space-8 already"),
        (PlanChange::AddSpace(AddressSpace { kind: SpaceExtent::National, ..own.clone() }), "from the beginning"),
        (
            PlanChange::Withdraw { space: NATIONAL, prefix: "10.13.0.0/16".parse().unwrap(), from: day(-1) },
            "nothing to withdraw",
        ),
    ] {
        let before = plan.clone();
        let error = plan.apply(&change).expect_err(remedy);
        assert!(error.to_string().contains(remedy), "{error} (expected {remedy})");
        assert_eq!(plan, before);
    }
}

/// A ministry `000000` and two counties `a` and `b` under it.
fn tree() -> SiteTree {
    let mut tree = SiteTree::default();
    for (raw, code, tier) in [(1, "000000", Tier::Ministry), (2, "a", Tier::County), (3, "b", Tier::County)] {
        tree.apply(&SiteChange::Add {
            id: site(raw),
            tier,
            kind: SiteKind::Division,
            code: code.into(),
            name: SiteName::new(code, code),
            parents: if raw == 1 { vec![] } else { vec![Uplink::to(site(1))] },
            from: Timestamp::EPOCH,
        })
        .unwrap();
    }
    tree
}

fn import(plan: &AddressPlan, text: &str) -> Result<PlanImport, Vec<crate::csv::ImportError<PlanImportProblem>>> {
    let mut next = 100;
    plan_import(plan, &tree(), &parse_plan_csv(text)?, "2026-01-01T00:00:00Z".parse().unwrap(), || {
        next += 1;
        SpaceId::from_raw(next)
    })
}

const FILE: &str = "prefix,site,space,vlan,purpose,dark,from,until\n\
                    10.13.0.0/16,a,,,county,,,\n\
                    10.13.9.0/24,a,national,900,\"unused, watched\",yes,2025-06-01,2026-06-01\n\
                    192.168.1.0/24,a,site,1,office,,,\n\
                    192.168.1.0/24,b,site,1,office,,,\n\
                    10.13.9.0/24,b,,,handed over,,2026-06-01,\n";

#[test]
fn a_plan_is_imported_with_its_dates_and_only_once() {
    let import_1 = import(&AddressPlan::new(), FILE).unwrap();
    let imported = plan(import_1.changes);
    let at = |time: &str| time.parse().unwrap();
    let dark = |time: &str| {
        let entry = imported.longest_match(NATIONAL, ip("10.13.9.1"), at(time)).unwrap();
        entry.assignment(at(time)).map(|assignment| (assignment.site.raw(), assignment.vlan, assignment.dark))
    };
    assert_eq!(imported.longest_match(NATIONAL, ip("10.13.9.1"), at("2025-05-31T15:59:59Z")), None);
    assert_eq!(dark("2025-05-31T16:00:00Z"), Some((2, Some(900), true)), "midnight in China");
    assert_eq!(dark("2026-06-01T00:00:00Z"), Some((3, None, false)));
    let spaces = [2, 3].map(|owner| imported.space_of(site(owner), ip("192.168.1.1"), at("2026-02-01T00:00:00Z")));
    assert_eq!(spaces.map(SpaceId::raw), [101, 102]);
    let again = import(&imported, FILE).unwrap();
    assert_eq!((again.changes, again.unchanged, again.absent), (vec![], 5, vec![]));
    let part = import(&imported, "prefix,site,purpose\n10.13.0.0/16,a,renumbered\n").unwrap();
    assert_eq!((part.changes.len(), part.absent.len()), (1, 3));
}

#[test]
fn a_prefix_whose_end_the_file_takes_back_belongs_to_its_site_again() {
    let until = "prefix,site,until\n10.13.0.0/16,a,2027-01-01\n";
    let mut plan = plan(import(&AddressPlan::new(), until).unwrap().changes);
    let later = "2028-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(plan.longest_match(NATIONAL, ip("10.13.0.1"), later), None);
    for change in import(&plan, "prefix,site,until\n10.13.0.0/16,a,\n").unwrap().changes {
        plan.apply(&change).unwrap();
    }
    assert!(plan.longest_match(NATIONAL, ip("10.13.0.1"), later).is_some());
}

#[test]
fn an_import_names_the_line_of_everything_that_is_wrong() {
    for (rows, expected) in [
        ("10.13.0.0,a,,,,,,", "line 2, column prefix: \"10.13.0.0\" is not a prefix"),
        ("10.13.0.1/16,a,,,,,,", "line 2, column prefix: 10.13.0.1/16 has host bits: write 10.13.0.0/16"),
        ("10.13.0.0/16,,,,,,,", "line 2, column site: the field is empty"),
        ("10.13.0.0/16,c,,,,,,", "line 2, column site: no site has the code c"),
        ("10.13.0.0/16,a,mine,,,,,", "line 2, column space: \"mine\""),
        ("10.13.0.0/16,a,,0,,,,", "line 2, column vlan: \"0\""),
        ("10.13.0.0/16,a,,,,maybe,,", "line 2, column dark: \"maybe\""),
        ("10.13.0.0/16,a,,,,,1.2.2026,", "line 2, column from: \"1.2.2026\""),
        ("10.13.0.0/16,a,,,,,2026-02-01,2026-01-01", "line 2, column until: the prefix ends"),
        ("10.13.0.0/16,a,,,,,,\n10.13.0.0/16,b,,,,,,", "line 3, column prefix: line 2 has 10.13.0.0/16"),
    ] {
        let text = format!("prefix,site,space,vlan,purpose,dark,from,until\n{rows}\n");
        let errors = import(&AddressPlan::new(), &text).unwrap_err();
        assert!(errors[0].to_string().contains(expected), "{} (expected {expected})", errors[0]);
    }
    let other = plan([assign(NATIONAL, "10.13.0.0/16", 3, 0)]);
    let errors = import(&other, "prefix,site\n10.13.0.0/16,a\n").unwrap_err();
    assert!(errors[0].to_string().contains("belongs to site-3 in that time: withdraw it"), "{}", errors[0]);
}

/// Few distinct bits, so that prefixes nest and addresses hit them.
fn prefix() -> impl Strategy<Value = IpNetwork> {
    (any::<u8>(), any::<u8>(), 1_u8..=32).prop_map(|(high, low, length)| {
        let ip = Ipv4Addr::new(10, high & 3, 0, low & 7);
        let network = IpNetwork::new(ip.into(), length).unwrap();
        IpNetwork::new(network.network(), length).unwrap()
    })
}

proptest! {
    #[test]
    fn the_longest_match_is_that_of_a_scan_over_all_prefixes(
        steps in prop::collection::vec((prefix(), 1_u64..4, 0_i64..6, any::<bool>()), 0..40),
        address in (any::<u8>(), any::<u8>()),
        at in 0_i64..7,
    ) {
        let mut plan = AddressPlan::new();
        for (prefix, owner, from, withdraw) in steps {
            let from = day(from);
            // What is refused is refused; the rest is what both ways look at.
            let _ = if withdraw {
                plan.apply(&PlanChange::Withdraw { space: NATIONAL, prefix, from })
            } else {
                plan.apply(&PlanChange::Assign { space: NATIONAL, prefix, assignment: owned(owner), from })
            };
        }
        let ip = IpAddr::V4(Ipv4Addr::new(10, address.0 & 3, 0, address.1 & 7));
        let naive = plan
            .entries()
            .filter(|entry| entry.prefix.contains(ip) && entry.assignment(day(at)).is_some())
            .max_by_key(|entry| entry.prefix.prefix());
        prop_assert_eq!(plan.longest_match(NATIONAL, ip, day(at)), naive);
    }
}
