use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::division;

fn day(day: i64) -> Timestamp {
    Timestamp::from_unix_ms(day * 86_400_000)
}

fn id(raw: u64) -> SiteId {
    SiteId::from_raw(raw)
}

fn add(raw: u64, tier: Tier, parents: &[u64], from: i64) -> SiteChange {
    let kind = if raw >= 100 { SiteKind::Affiliated } else { SiteKind::Division };
    SiteChange::Add {
        id: id(raw),
        tier,
        kind,
        code: format!("c{raw}"),
        name: SiteName::new(format!("站{raw}"), format!("Site {raw}")),
        parents: parents.iter().map(|parent| Uplink::to(id(*parent))).collect(),
        from: day(from),
    }
}

fn moved(site: u64, parents: &[u64], from: i64) -> SiteChange {
    let parents = parents.iter().map(|parent| Uplink::to(id(*parent))).collect();
    SiteChange::Move { site: id(site), parents, from: day(from) }
}

/// Ministry 1; provinces 2, 3; cities 4 (of 2), 5 (of 3); counties 6, 7 (of 4), 8 (of 3 directly); units 100, 101.
fn tree() -> SiteTree {
    let mut tree = SiteTree::default();
    for change in [
        add(1, Tier::Ministry, &[], 0),
        add(2, Tier::Province, &[1], 0),
        add(3, Tier::Province, &[1], 0),
        add(4, Tier::City, &[2], 0),
        add(5, Tier::City, &[3], 0),
        add(6, Tier::County, &[4], 0),
        add(7, Tier::County, &[4], 0),
        add(8, Tier::County, &[3], 0),
        add(100, Tier::Ministry, &[1], 0),
        add(101, Tier::Ministry, &[100], 0),
    ] {
        tree.apply(&change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
    }
    tree
}

fn ids(sites: Vec<&Site>) -> Vec<u64> {
    sites.into_iter().map(|site| site.id.raw()).collect()
}

#[test]
fn a_tree_answers_as_of_a_date() {
    let mut tree = tree();
    tree.apply(&moved(6, &[5], 10)).unwrap();
    assert_eq!(ids(tree.children(id(4), day(9))), [6, 7]);
    assert_eq!(ids(tree.children(id(4), day(10))), [7]);
    assert!(tree.is_within(id(6), id(2), day(9)) && !tree.is_within(id(6), id(2), day(10)));
    assert_eq!(ids(tree.subtree(id(3), day(10))), [3, 5, 6, 8]);
    assert_eq!(ids(tree.ancestors(id(6), day(10))), [5, 3, 1]);
    assert_eq!(tree.display_path(id(6), day(10)), "站1 / 站3 / 站5 / 站6");
    assert_eq!(ids(tree.roots(day(10))), [1]);
    assert!(tree.subtree(id(1), day(-1)).is_empty());
}

#[test]
fn a_second_uplink_makes_a_site_part_of_both_subtrees() {
    let mut tree = tree();
    let uplink = Uplink::to(id(5));
    tree.apply(&SiteChange::AddUplink { site: id(6), uplink, from: day(5) }).unwrap();
    for root in [2, 3, 4, 5] {
        assert!(tree.is_within(id(6), id(root), day(5)), "{root}");
    }
    assert_eq!(tree.subtree(id(1), day(5)).len(), 10, "but it is one site");
    tree.apply(&SiteChange::RemoveUplink { site: id(6), parent: id(4), from: day(6) }).unwrap();
    assert_eq!(tree.get(id(6)).unwrap().uplinks(day(6)), [uplink]);
    assert!(tree.is_within(id(6), id(2), day(5)), "and the past stays");
}

#[test]
fn a_site_keeps_its_history_when_it_is_renamed_and_recoded() {
    let mut tree = tree();
    let name = SiteName::new("新名", "Xinming");
    tree.apply(&SiteChange::Rename { site: id(6), name: name.clone(), from: day(3) }).unwrap();
    tree.apply(&SiteChange::Recode { site: id(6), code: "130102".into(), from: day(4) }).unwrap();
    let site = tree.get(id(6)).unwrap();
    assert_eq!((site.name(day(2)).zh.as_str(), site.name(day(3))), ("站6", &name));
    assert_eq!(tree.by_code("c6", day(3)).map(|site| site.id), Some(id(6)));
    assert_eq!(tree.by_code("c6", day(4)), None);
    assert_eq!(tree.by_code("130102", day(4)).map(|site| site.id), Some(id(6)));
    let mut freed = tree.clone();
    freed.apply(&SiteChange::Recode { site: id(7), code: "c6".into(), from: day(4) }).unwrap();
    let early = tree.check(&SiteChange::Recode { site: id(7), code: "c6".into(), from: day(3) }).unwrap_err();
    assert!(matches!(early, SiteError::DuplicateCode { .. }), "{early}");
}

#[test]
fn a_merger_takes_over_the_sites_below_and_can_be_taken_back() {
    let mut tree = tree();
    tree.apply(&SiteChange::Merge { site: id(4), into: id(5), from: day(7) }).unwrap();
    assert_eq!(ids(tree.children(id(5), day(7))), [6, 7]);
    assert_eq!(ids(tree.children(id(4), day(6))), [6, 7]);
    assert!(tree.by_code("c4", day(7)).is_none());
    assert!(tree.is_within(id(4), id(3), day(8)), "who took it in may read its past");
    assert!(tree.is_within(id(4), id(2), day(8)), "and who had it still can");
    let late = tree.check(&SiteChange::Close { site: id(4), from: day(9) }).unwrap_err();
    assert!(matches!(late, SiteError::Ended { .. }), "{late}");
    tree.apply(&SiteChange::Reopen { site: id(4) }).unwrap();
    assert!(tree.get(id(4)).unwrap().exists(day(9)));
    assert_eq!(tree.get(id(4)).unwrap().revoked.len(), 1);
}

#[test]
fn a_site_is_split_into_parts_that_were_added_before() {
    let mut tree = tree();
    let split = SiteChange::Split { site: id(6), into: vec![id(9), id(10)], from: day(7) };
    assert_eq!(tree.check(&split), Err(SiteError::Unknown(id(9))));
    tree.apply(&add(9, Tier::County, &[4], 7)).unwrap();
    tree.apply(&add(10, Tier::County, &[4], 7)).unwrap();
    tree.apply(&split).unwrap();
    assert_eq!(ids(tree.children(id(4), day(7))), [10, 7, 9], "by code");
    assert_eq!(tree.get(id(6)).unwrap().ended.as_ref().unwrap().how.successors(), [id(9), id(10)]);
}

#[test]
fn every_refusal_names_the_site_and_the_remedy() {
    let mut tree = tree();
    tree.apply(&SiteChange::Close { site: id(8), from: day(5) }).unwrap();
    let from = day(6);
    for (change, remedy) in [
        (add(6, Tier::County, &[4], 6), "站6 (c6, site-6) exists already"),
        (add(20, Tier::County, &[], 6), "name the site above"),
        (add(20, Tier::Ministry, &[1], 6), "affiliated unit"),
        (add(20, Tier::County, &[6], 6), "parent of a higher tier"),
        (add(20, Tier::County, &[99], 6), "no site site-63"),
        (add(20, Tier::City, &[8], 6), "parent of a higher tier"),
        (add(120, Tier::County, &[8], 6), "choose another parent or date"),
        (add(20, Tier::County, &[4, 4], 6), "name it once"),
        (add(20, Tier::County, &[4], -6), "does not exist from"),
        (moved(100, &[101], 6), "above itself"),
        (moved(8, &[4], 6), "reopen the site"),
        (moved(6, &[5], -1), "then or later"),
        (SiteChange::Close { site: id(4), from }, "has 2 sites under it, such as 站6"),
        (SiteChange::Merge { site: id(2), into: id(6), from }, "within it"),
        (SiteChange::Merge { site: id(2), into: id(2), from }, "within it"),
        (SiteChange::Merge { site: id(3), into: id(7), from }, "higher tier"),
        (SiteChange::Split { site: id(6), into: vec![id(7)], from }, "fewer than two"),
        (SiteChange::Reopen { site: id(6) }, "has not ended"),
        (SiteChange::RemoveUplink { site: id(6), parent: id(4), from }, "has no parent"),
        (SiteChange::RemoveUplink { site: id(6), parent: id(5), from }, "no way up"),
        (SiteChange::Recode { site: id(6), code: "c7".into(), from }, "站7 (c7, site-7)"),
        (SiteChange::Recode { site: id(6), code: "长安".into(), from }, "130102"),
        (SiteChange::Rename { site: id(6), name: SiteName::new(" ", ""), from }, "cannot be a name"),
    ] {
        let before = tree.clone();
        let error = tree.apply(&change).expect_err(remedy);
        assert!(error.to_string().contains(remedy), "{error} (expected {remedy})");
        assert_eq!(tree, before);
    }
}

#[test]
fn a_change_survives_its_own_text() {
    let change = SiteChange::Merge { site: id(4), into: id(5), from: day(7) };
    let json = serde_json::to_string(&change).unwrap();
    assert_eq!(serde_json::from_str::<SiteChange>(&json).unwrap(), change);
    let json = serde_json::to_string(&tree()).unwrap();
    assert_eq!(serde_json::from_str::<SiteTree>(&json).unwrap(), tree());
}

fn import(tree: &SiteTree, text: &str) -> Result<ImportPlan, Vec<crate::csv::ImportError<SiteImportProblem>>> {
    let mut next = 1000;
    plan_import(tree, &parse_sites_csv(text)?, day(20), || {
        next += 1;
        id(next)
    })
}

fn applied(mut tree: SiteTree, plan: &ImportPlan) -> SiteTree {
    for change in &plan.changes {
        tree.apply(change).expect("a plan can be applied");
    }
    tree
}

#[test]
fn the_division_table_imports_as_it_is_and_only_once() {
    let plan = import(&SiteTree::default(), division::csv()).unwrap();
    assert_eq!((plan.changes.len(), plan.unchanged), (3340, 0));
    let tree = applied(SiteTree::default(), &plan);
    let county = tree.by_code("130102", day(20)).unwrap().id;
    assert_eq!(tree.display_path(county, day(20)), "生态环境部 / 河北省 / 石家庄市 / 长安区");
    let root = tree.roots(day(20))[0].id;
    assert_eq!(tree.subtree(root, day(20)).len(), 3340);
    let again = import(&tree, division::csv()).unwrap();
    assert_eq!((again.changes.len(), again.unchanged, again.absent.len()), (0, 3340, 0));
}

#[test]
fn an_import_adds_renames_and_moves_and_leaves_the_rest_alone() {
    let text = "code,name,tier,parent,second_parent,kind\n\
                c6,站6,县,c5,,\nc7,改名,county,c4,c5,\nnew,新站,county,late,,\nlate,后来,city,c2,,\n\
                c100,站100,部,c1,,部属单位\nc1,站1,ministry,,,\n";
    let plan = import(&tree(), text).unwrap();
    assert_eq!((plan.changes.len(), plan.unchanged), (5, 2), "{:?}", plan.changes);
    assert_eq!(plan.absent, [2, 3, 4, 5, 8, 101].map(id));
    let tree = applied(tree(), &plan);
    let at = day(20);
    assert_eq!(tree.display_path(id(6), at), "站1 / 站3 / 站5 / 站6");
    assert_eq!(tree.get(id(7)).unwrap().name(at), &SiteName::new("改名", "Site 7"), "no column, no change");
    assert_eq!(tree.get(id(7)).unwrap().uplinks(at).len(), 2);
    assert_eq!(tree.display_path(tree.by_code("new", at).unwrap().id, at), "站1 / 站2 / 后来 / 新站");
    let without = import(&tree, "code,name,tier,parent\nc7,改名,county,c4\n").unwrap();
    assert_eq!(without.unchanged, 1, "a file without the column leaves the second uplink");
}

#[test]
fn an_import_names_the_line_of_everything_that_is_wrong() {
    for (rows, expected) in [
        ("x,,county,c4,", "line 2, column name: the field is empty"),
        ("x,站,town,c4,", "line 2, column tier: \"town\""),
        ("x,站,county,c4,hut", "line 2, column kind: \"hut\""),
        ("x,站,county,c4,\nx,站,county,c4,", "line 3, column code: line 2 has the code x too"),
        ("x,站,county,nowhere,", "line 2, column parent: no site in the file or in the tree has the code nowhere"),
        ("c6,站6,city,c2,", "line 2, column tier: c6 is a county (division) in the tree"),
        ("x,站,county,c6,", "line 2: 站 (x, site-3e9) (county) cannot be under 站6"),
        ("x,站,ministry,y,affiliated\ny,站,ministry,x,affiliated", "line 2, column parent: the parents of x lead back"),
    ] {
        let errors = import(&tree(), &format!("code,name,tier,parent,kind\n{rows}\n")).unwrap_err();
        assert!(errors[0].to_string().contains(expected), "{} (expected {expected})", errors[0]);
    }
    let cascade = import(&tree(), "code,name,tier,parent\na,甲,city,nowhere\nb,乙,county,a\n").unwrap_err();
    assert_eq!(cascade.len(), 1, "one cause, one error: {cascade:?}");
}

fn any_change() -> impl Strategy<Value = SiteChange> {
    let site = || prop_oneof![1_u64..12, 100_u64..104];
    let tier = prop::sample::select(Tier::ALL.to_vec());
    let when = 0_i64..12;
    (0_u8..10, site(), site(), site(), tier, when).prop_map(|(what, one, two, three, tier, when)| {
        let (site, from) = (id(one), day(when));
        match what {
            0 | 1 => add(one, tier, if tier == Tier::Ministry && one < 100 { &[] } else { &[2] }, when),
            2 => moved(one, &[two, three], when),
            3 | 4 => moved(one, &[two], when),
            5 => SiteChange::AddUplink { site, uplink: Uplink::to(id(two)), from },
            6 => SiteChange::Recode { site, code: format!("c{two}"), from },
            7 => SiteChange::Merge { site, into: id(two), from },
            8 => SiteChange::Close { site, from },
            _ => SiteChange::Reopen { site },
        }
    })
}

/// Says what of the promises of [`SiteTree`] does not hold at `at`.
fn broken(tree: &SiteTree, at: Timestamp) -> Option<String> {
    let mut codes = BTreeSet::new();
    for site in tree.existing(at) {
        if !codes.insert(site.code(at)) {
            return Some(format!("code {} twice", site.code(at)));
        }
        if tree.ancestors(site.id, at).iter().any(|above| above.uplinks(at).iter().any(|up| up.parent == site.id)) {
            return Some(format!("{} is above itself", site.id));
        }
        if site.uplinks(at).is_empty() && (site.tier, site.kind) != (Tier::Ministry, SiteKind::Division) {
            return Some(format!("{} has no parent", site.id));
        }
        for parent in tree.parents(site.id, at) {
            let fits = parent.tier.is_above(site.tier) || site.kind == SiteKind::Affiliated && parent.tier == site.tier;
            if !parent.exists(at) || !fits {
                return Some(format!("{} under {}", site.id, parent.id));
            }
        }
    }
    for root in tree.existing(at) {
        let below: BTreeSet<_> = tree.subtree(root.id, at).into_iter().map(|site| site.id).collect();
        let within = tree.existing(at).filter(|site| tree.is_within(site.id, root.id, at)).map(|site| site.id);
        if below != within.collect() {
            return Some(format!("subtree of {} and is_within differ", root.id));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_series_of_changes_breaks_the_tree_at_any_time(changes in prop::collection::vec(any_change(), 1..40)) {
        let mut tree = tree();
        for change in &changes {
            let before = tree.clone();
            if tree.apply(change).is_err() {
                prop_assert_eq!(&tree, &before);
                continue;
            }
            for at in -1..14 {
                let broken = broken(&tree, day(at));
                prop_assert!(broken.is_none(), "{change:?} at day {at}: {broken:?}");
            }
            prop_assert!(before.iter().all(|site| tree.get(site.id).is_some()), "nothing is ever deleted");
        }
    }
}
