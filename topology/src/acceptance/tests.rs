//! The test at its outside: what is found in, a report out.

use super::*;
use crate::{ProbeSample, ProbeState, availability::Quality};

fn good() -> Found {
    let mut quality = Quality::default();
    let sample =
        ProbeSample { sent: 60, round_trip_median_us: Some(20_000), jitter_us: Some(1_000), ..ProbeSample::default() };
    quality.take(&sample);
    let up = || Some((ProbeState::Up, String::new()));
    Found {
        agents: vec![AgentFound {
            name: "agent-1".into(),
            connected: true,
            version: "1.2.3".into(),
            clock_offset_ms: Some(-20),
            history_waiting: 1,
            heard_ms_ago: Some(3_000),
            configured: Configured::Applied,
            captured: Some((1_000, 0)),
        }],
        ways: vec![WayFound { parent: "130100".into(), below: up(), above: up(), quality, windows: 15 }],
        media: vec![MediaFound { name: "up".into(), mos_centi: 420 }],
        media_missing: String::new(),
        name_services: vec![ServiceFound { name: "dns".into(), state: ProbeState::Up, detail: String::new() }],
        prefixes: 2,
        terminals: 20,
        terminals_in_plan: 20,
        devices: 2,
        devices_answering: 2,
        version: "1.2.9".into(),
    }
}

fn tested(found: &Found) -> Tested {
    let thresholds = Thresholds::default();
    let checks = evaluate(found, &thresholds);
    Tested { site: SiteId::from_raw(1), thresholds, checks }
}

#[test]
fn a_site_of_which_everything_is_measured_and_good_passes() {
    let tested = tested(&good());
    assert_eq!(tested.verdict(), Verdict::Passed, "{:#?}", tested.checks);
    assert_eq!(tested.checks.len(), 17, "one check of each kind");
}

#[test]
fn of_a_site_of_which_nothing_is_known_nothing_passes() {
    let tested = tested(&Found::default());
    assert_eq!((tested.verdict(), tested.count(Verdict::Passed)), (Verdict::Failed, 0), "{:#?}", tested.checks);
    let unmeasured = tested.checks.iter().filter(|check| check.verdict == Verdict::NotMeasured);
    assert!(unmeasured.clone().count() >= 5 && unmeasured.clone().all(|check| check.reason.is_some()));
}

#[test]
fn each_thing_that_is_missing_makes_the_test_incomplete_and_each_that_is_bad_makes_it_fail() {
    type Change = fn(&mut Found);
    let missing: [(CheckKind, Reason, Change); 11] = [
        (CheckKind::WayFromBelow, Reason::NoProbe, |it| it.ways[0].below = None),
        (CheckKind::WayFromAbove, Reason::NotJudged, |it| {
            it.ways[0].above = Some((ProbeState::Unknown, String::new()));
        }),
        (CheckKind::Loss, Reason::TooFewWindows, |it| it.ways[0].windows = 4),
        (CheckKind::Jitter, Reason::TooFewWindows, |it| it.ways[0].quality.jittered = 0),
        (CheckKind::MediaScore, Reason::NoMediaTest, |it| it.media.clear()),
        (CheckKind::NameService, Reason::NoNameProbe, |it| it.name_services.clear()),
        (CheckKind::TerminalsInPlan, Reason::NoTerminals, |it| it.terminals = 0),
        (CheckKind::ClockOffset, Reason::NoClock, |it| it.agents[0].clock_offset_ms = None),
        (CheckKind::Configuration, Reason::NoConfiguration, |it| it.agents[0].configured = Configured::NotSet),
        (CheckKind::CaptureLoss, Reason::NoCapture, |it| it.agents[0].captured = None),
        (CheckKind::DevicesAnswer, Reason::NoDevices, |it| it.devices = 0),
    ];
    for (kind, reason, change) in missing {
        let mut found = good();
        change(&mut found);
        let tested = tested(&found);
        assert_eq!(tested.verdict(), Verdict::NotMeasured, "{kind:?}");
        let check = tested.checks.iter().find(|it| it.kind == kind).unwrap();
        assert_eq!((check.verdict, check.reason), (Verdict::NotMeasured, Some(reason)), "{kind:?}");
    }
    let bad: [(CheckKind, Change); 14] = [
        (CheckKind::AgentConnected, |it| it.agents[0].connected = false),
        (CheckKind::WayFromBelow, |it| it.ways[0].below = Some((ProbeState::Degraded, "late".into()))),
        (CheckKind::WayFromAbove, |it| it.ways[0].above = Some((ProbeState::Down, "silent".into()))),
        (CheckKind::Loss, |it| it.ways[0].quality.lost = 2),
        (CheckKind::RoundTrip, |it| it.ways[0].quality.round_trip_sum_us *= 6),
        (CheckKind::Jitter, |it| it.ways[0].quality.jitter_sum_us *= 31),
        (CheckKind::MediaScore, |it| it.media[0].mos_centi = 359),
        (CheckKind::NameService, |it| it.name_services[0].state = ProbeState::Down),
        (CheckKind::Prefixes, |it| it.prefixes = 0),
        (CheckKind::TerminalsInPlan, |it| it.terminals_in_plan = 18),
        (CheckKind::AgentVersion, |it| it.agents[0].version = "1.1.9".into()),
        (CheckKind::HistoryWaiting, |it| it.agents[0].history_waiting = 21),
        (CheckKind::Configuration, |it| it.agents[0].configured = Configured::Rejected("no such key".into())),
        (CheckKind::DevicesAnswer, |it| it.devices_answering = 1),
    ];
    for (kind, change) in bad {
        let mut found = good();
        change(&mut found);
        let tested = tested(&found);
        assert_eq!(tested.verdict(), Verdict::Failed, "{kind:?}");
        let check = tested.checks.iter().find(|it| it.kind == kind).unwrap();
        assert_eq!(check.verdict, Verdict::Failed, "{kind:?}: {check:?}");
    }
}

#[test]
fn a_number_is_told_beside_what_it_was_held_against_also_where_it_was_not_measured() {
    let mut found = good();
    found.ways[0].windows = 0;
    let tested = tested(&found);
    for check in tested.checks.iter().filter(|check| check.kind.unit() != Unit::None) {
        assert!(check.threshold.is_some(), "{check:?}");
        assert_eq!(check.value.is_some(), check.verdict != Verdict::NotMeasured, "{check:?}");
    }
}

#[test]
fn a_test_is_signed_off_once_by_a_named_person_who_says_something_and_never_when_it_failed() {
    let acceptance = |found: &Found| Acceptance {
        id: AcceptanceId::from_raw(1),
        time: Timestamp::EPOCH,
        by: "li".into(),
        tested: tested(found),
        signed: None,
    };
    let mut passed = acceptance(&good());
    for (person, note) in [("", "fine"), ("王五", " "), (&"x".repeat(101), "fine"), ("王五", &"x".repeat(1_001))] {
        assert_eq!(passed.check_signature(person, note), Err(SignError::Words));
    }
    assert_eq!(passed.check_signature("王五", "fine"), Ok(()));
    let (by, person, note) = ("li".into(), "王五".into(), "fine".into());
    passed.signed = Some(Signature { time: Timestamp::EPOCH, by, person, note });
    assert_eq!(passed.check_signature("王五", "fine"), Err(SignError::Twice));
    assert_eq!(acceptance(&Found::default()).check_signature("王五", "fine"), Err(SignError::Failed));
}
