//! The state lane's side.

use super::*;

#[test]
fn many_changes_of_one_fact_before_it_is_sent_leave_one() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    for name in ["a", "b", "c"] {
        hands.pass(10);
        spool.observe(&[present("lan", host(1, name, hands.time()))], &hands.0).unwrap();
    }
    let sent = drain_state(&spool, &hands.0);
    assert_eq!(changes(&sent), [FactChange::Present(host(1, "c", hands.time()))]);
    assert_eq!(take_state(&spool, &hands.0), None);
}

#[test]
fn a_fact_that_came_and_went_before_it_was_sent_is_said_to_be_gone() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let fact = host(1, "a", hands.time());
    spool.observe(&[present("lan", fact.clone())], &hands.0).unwrap();
    hands.pass(10);
    let (_, change) = gone("lan", fact.body.key(), hands.time());
    spool.observe(&[(group("lan"), change.clone())], &hands.0).unwrap();
    assert_eq!(changes(&drain_state(&spool, &hands.0)), [change]);
    assert_eq!(spool.status().facts, 0);
    assert!(spool.digest().unwrap().groups.is_empty());
}

#[test]
fn within_one_call_the_later_observation_wins_whatever_its_place() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let early = hands.time();
    hands.pass(10);
    let late = host(1, "late", hands.time());
    spool.observe(&[present("lan", late.clone()), present("lan", host(1, "early", early))], &hands.0).unwrap();
    assert_eq!(changes(&drain_state(&spool, &hands.0)), [FactChange::Present(late)]);
}

#[test]
fn an_older_observation_changes_nothing() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let early = hands.time();
    hands.pass(10);
    spool.observe(&[present("lan", host(1, "late", hands.time()))], &hands.0).unwrap();
    drain_state(&spool, &hands.0);
    let older = host(1, "early", early);
    spool.observe(&[present("lan", older.clone()), gone("lan", older.body.key(), early)], &hands.0).unwrap();
    assert_eq!(take_state(&spool, &hands.0), None);
    assert_eq!(spool.status().facts, 1);
}

#[test]
fn a_fact_that_stays_the_same_is_sent_again_once_a_refresh_interval_with_its_newest_time() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let mut sent = 0;
    for _ in 0..=60 {
        spool.observe(&[present("lan", host(1, "a", hands.time()))], &hands.0).unwrap();
        if let [FactChange::Present(fact)] = &changes(&drain_state(&spool, &hands.0))[..] {
            assert_eq!(fact.observed, hands.time());
            sent += 1;
        }
        hands.pass(30_000);
    }
    // Once at the beginning, and then in 30 minutes three times.
    assert_eq!(sent, 4);
}

#[test]
fn renewing_a_group_does_what_taking_in_the_same_facts_does() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut hands = Hands::new();
    let (replaced, renewed) = (open(&one, &hands.0), open(&other, &hands.0));
    let facts = |hands: &Hands| (0..5).map(|number| binding(number, 1, hands.time())).collect::<Vec<_>>();
    for spool in [&replaced, &renewed] {
        spool.replace_group(&group("lan"), facts(&hands), &hands.0).unwrap();
    }
    let mut sent = 0;
    for _ in 0..=60 {
        hands.pass(30_000);
        replaced.replace_group(&group("lan"), facts(&hands), &hands.0).unwrap();
        renewed.renew(&[group("lan")], hands.time(), renewed.lineage().number(), &hands.0).unwrap();
        // A batch that something else is sent with says the newer time too.
        let both = [&replaced, &renewed].map(|spool| changes(&drain_state(spool, &hands.0)));
        assert_eq!(both[0], both[1]);
        sent += both[0].len();
        assert_eq!(replaced.digest().unwrap().groups, renewed.digest().unwrap().groups);
    }
    assert_eq!(sent, 5 * 4);
    let last = hands.time();
    hands.pass(1_000);
    for spool in [&replaced, &renewed] {
        spool.resync(&[group("lan")], &hands.0).unwrap();
        let again = changes(&drain_state(spool, &hands.0));
        assert!(again.iter().all(|change| change.observed() == last), "{again:?}");
        spool.replace_group(&group("lan"), Vec::new(), &hands.0).unwrap();
        assert_eq!(changes(&drain_state(spool, &hands.0)).len(), 5);
    }
}

#[test]
fn what_comes_with_an_older_time_stays_older_among_what_was_renewed() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let old = hands.time();
    spool.replace_group(&group("lan"), vec![host(1, "a", old)], &hands.0).unwrap();
    hands.pass(1_000);
    spool.renew(&[group("lan")], hands.time(), spool.lineage().number(), &hands.0).unwrap();
    spool.observe(&[present("lan", host(2, "b", old)), present("lan", host(1, "late", old))], &hands.0).unwrap();
    let sent = changes(&drain_state(&spool, &hands.0));
    let times: Vec<_> = sent.iter().map(|change| (change.key(), change.observed())).collect();
    assert_eq!(times.len(), 2);
    assert!(times.contains(&(host(1, "", old).body.key(), hands.time())), "{times:?}");
    assert!(times.contains(&(host(2, "", old).body.key(), old)), "{times:?}");
    assert!(!format!("{sent:?}").contains("late"));
}

#[test]
fn nothing_is_renewed_of_a_spool_that_lost_something_since() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let config = SpoolConfig { max_facts: 2, ..SpoolConfig::default() };
    let spool = Spool::open(folder.path(), config, &hands.0).unwrap();
    let since = spool.lineage().number();
    let then = hands.time();
    let facts = (0..3).map(|number| binding(number, 1, then)).collect::<Vec<_>>();
    assert!(spool.replace_group(&group("lan"), facts, &hands.0).is_err(), "one too many");
    assert_ne!(spool.lineage().number(), since);
    hands.pass(1_000);
    spool.renew(&[group("lan")], hands.time(), since, &hands.0).unwrap();
    let of_lan = |change: &FactChange| matches!(change.key(), ItemKey::Binding { .. });
    let sent = changes(&drain_state(&spool, &hands.0));
    assert!(sent.iter().filter(|change| of_lan(change)).all(|change| change.observed() == then), "{sent:?}");
}

#[test]
fn replacing_a_group_sends_only_the_differences() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let facts = |range: std::ops::Range<u32>, hands: &Hands| {
        range.map(|number| binding(number, 1, hands.time())).collect::<Vec<_>>()
    };
    spool.observe(&[present("other", binding(99, 9, hands.time()))], &hands.0).unwrap();
    spool.replace_group(&group("lan"), facts(0..10, &hands), &hands.0).unwrap();
    drain_state(&spool, &hands.0);
    hands.pass(1_000);
    spool.replace_group(&group("lan"), facts(2..11, &hands), &hands.0).unwrap();
    let mut sent = changes(&drain_state(&spool, &hands.0));
    sent.sort_by_key(FactChange::key);
    let gone = |number| FactChange::Gone { key: binding(number, 1, hands.time()).body.key(), observed: hands.time() };
    assert_eq!(sent, [gone(0), gone(1), FactChange::Present(binding(10, 1, hands.time()))]);
    assert_eq!(spool.status().facts, 10);
}

#[test]
fn a_batch_that_waits_for_its_acknowledgement_is_the_same_bytes_after_opening_again() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let facts: Vec<_> = (0..200).map(|number| present("lan", binding(number, 1, hands.time()))).collect();
    spool.observe(&facts, &hands.0).unwrap();
    assert!(spool.cut_state(&hands.0).unwrap());
    let before = spool.outstanding(&hands.0).unwrap().unwrap();
    spool.observe(&[present("lan", host(7, "later", hands.time()))], &hands.0).unwrap();
    drop(spool);
    let spool = open(&folder, &hands.pass(60_000));
    assert_eq!(spool.outstanding(&hands.0).unwrap().unwrap(), before);
    // It is not made anew, and what came later waits behind it.
    assert!(spool.cut_state(&hands.0).unwrap());
    assert_eq!(spool.outstanding(&hands.0).unwrap().unwrap(), before);
    assert!(spool.digest().is_none());
    spool.acknowledge(spool.view().state, &hands.0).unwrap();
    let (position, groups) = take_state(&spool, &hands.0).unwrap();
    assert_eq!((position.sequence, groups.len()), (2, 1));
}

#[test]
fn a_table_too_large_for_one_batch_goes_in_several_that_fit() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let name = "x".repeat(120);
    let facts: Vec<_> = (0..6_000).map(|number| present("lan", host(number, &name, hands.time()))).collect();
    spool.observe(&facts, &hands.0).unwrap();
    let mut sent = 0;
    let mut batches = 0;
    while let Some((position, groups)) = take_state(&spool, &hands.0) {
        sent += changes(&groups).len();
        batches += 1;
        spool.acknowledge(position, &hands.0).unwrap();
    }
    assert_eq!(sent, 6_000);
    assert!((4..8).contains(&batches), "{batches} batches");
}

#[test]
fn a_resent_group_is_complete_over_all_key_hashes_in_ranges_that_touch() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let name = "x".repeat(200);
    let facts: Vec<_> = (0..4_000).map(|number| present("lan", host(number, &name, hands.time()))).collect();
    spool.observe(&facts, &hands.0).unwrap();
    drain_state(&spool, &hands.0);
    let unknown = group("never heard of");
    spool.resync(&[group("lan"), unknown.clone()], &hands.0).unwrap();
    let sent = drain_state(&spool, &hands.0);
    let (lan, empty): (Vec<_>, Vec<_>) = sent.into_iter().partition(|part| part.group == group("lan"));
    assert!(lan.len() > 2, "{} parts", lan.len());
    let mut next = Some(0);
    for part in &lan {
        let range = part.complete.expect("each part is complete");
        assert_eq!(Some(range.first), next);
        assert!(part.changes.iter().all(|change| range.contains(onenet_wire::key_hash(&change.key()))));
        next = range.last.checked_add(1);
    }
    assert_eq!(next, None);
    assert_eq!(changes(&lan).len(), 4_000);
    // A group that the agent does not have is complete and empty: the centre forgets it.
    assert_eq!(empty, [GroupChanges { group: unknown, changes: vec![], complete: Some(onenet_wire::KeyRange::ALL) }]);
}

#[test]
fn resending_goes_on_where_it_was_after_opening_again() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let name = "x".repeat(200);
    let facts: Vec<_> = (0..4_000).map(|number| present("lan", host(number, &name, hands.time()))).collect();
    spool.observe(&facts, &hands.0).unwrap();
    drain_state(&spool, &hands.0);
    spool.resync(&[group("lan")], &hands.0).unwrap();
    let (position, first) = take_state(&spool, &hands.0).unwrap();
    spool.acknowledge(position, &hands.0).unwrap();
    drop(spool);
    let spool = open(&folder, &hands.0);
    let rest = drain_state(&spool, &hands.0);
    let before = first.last().unwrap().complete.unwrap().last;
    assert_eq!(rest[0].complete.unwrap().first, before + 1);
    assert_eq!(changes(&first).len() + changes(&rest).len(), 4_000);
}

#[test]
fn a_new_epoch_of_the_state_lane_sends_everything_again() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let facts: Vec<_> = (0..30).map(|number| present("lan", binding(number, 1, hands.time()))).collect();
    spool.observe(&facts, &hands.0).unwrap();
    let before = take_state(&spool, &hands.0).unwrap().0;
    spool.renew_epoch(Lane::State, &hands.0).unwrap();
    assert!(!spool.view().outstanding);
    let (position, groups) = take_state(&spool, &hands.0).unwrap();
    assert_ne!(position.epoch, before.epoch);
    assert_eq!((position.sequence, changes(&groups).len()), (1, 30));
    assert_eq!(groups[0].complete, Some(onenet_wire::KeyRange::ALL));
}

#[test]
fn a_full_table_takes_what_it_knows_and_says_that_it_refused_the_rest() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let config = SpoolConfig { max_facts: 10, ..SpoolConfig::default() };
    let spool = Spool::open(folder.path(), config, &hands.0).unwrap();
    let facts: Vec<_> = (0..15).map(|number| present("lan", binding(number, 1, hands.time()))).collect();
    let error = spool.observe(&facts, &hands.0).unwrap_err();
    assert!(error.to_string().contains("refused 5"), "{error}");
    assert_eq!(spool.status().refused_facts, 5);
    let sent = drain_state(&spool, &hands.0);
    assert_eq!(changes(&sent).len(), 11, "ten facts and the condition");
    assert!(format!("{sent:?}").contains("TableFull"));
}

#[test]
fn times_move_with_the_timeline_when_the_agent_starts_again_within_one_boot() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    spool.observe(&[present("lan", host(1, "a", hands.time()))], &hands.0).unwrap();
    drop(spool);
    // Meanwhile the wall clock was put right by three hours.
    let mut right = hands;
    right.0.wall_ms += 3 * 3_600_000;
    let expected = right.time();
    let spool = open(&folder, &right.pass(5_000));
    assert_eq!(changes(&drain_state(&spool, &right.0)), [FactChange::Present(host(1, "a", expected))]);
}

#[test]
fn after_a_boot_with_a_clock_gone_back_nothing_was_observed_in_the_future() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    spool.observe(&[present("lan", host(1, "a", hands.time()))], &hands.0).unwrap();
    drain_state(&spool, &hands.0);
    drop(spool);
    let mut dead = Hands(Clocks { boot_id: [2; 16], boot_ms: 60_000, wall_ms: 60_000 });
    let spool = open(&folder, &dead.0);
    // Otherwise no observation would be new enough to change anything, for years.
    dead.pass(1_000);
    spool.observe(&[present("lan", host(1, "b", dead.time()))], &dead.0).unwrap();
    assert_eq!(changes(&drain_state(&spool, &dead.0)), [FactChange::Present(host(1, "b", dead.time()))]);
}

#[test]
fn a_busy_group_does_not_keep_the_others_waiting() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let name = "x".repeat(250);
    let busy = |hands: &Hands, round: u32| -> Vec<_> {
        (0..2_000).map(|number| present("a", host(number, &format!("{round}{name}"), hands.time()))).collect()
    };
    spool.observe(&busy(&hands, 0), &hands.0).unwrap();
    spool.observe(&[present("z", host(1, "quiet", hands.time()))], &hands.0).unwrap();
    for round in 1..6 {
        let (position, groups) = take_state(&spool, &hands.0).unwrap();
        spool.acknowledge(position, &hands.0).unwrap();
        if groups.iter().any(|part| part.group == group("z")) {
            return;
        }
        hands.pass(1_000);
        spool.observe(&busy(&hands, round), &hands.0).unwrap();
    }
    panic!("the quiet group was never sent");
}

#[test]
fn a_sighting_without_vlan_and_one_of_vlan_zero_are_one_fact() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let facts = [present("lan", sighting(1, None, hands.time())), present("lan", sighting(1, Some(0), hands.time()))];
    spool.observe(&facts, &hands.0).unwrap();
    assert_eq!(spool.status().facts, 1);
}
