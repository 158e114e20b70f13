//! Levels of what a segment carries, and of what is measured.

use onenet_detection::Label;

use super::*;

/// Feeds ten days, a row each five minutes; from the ninth day's ninth hour on everything is as many times as much.
fn days(times: u64, hours: i64) -> Vec<Finding> {
    days_with(&settings(), times, hours)
}

fn days_with(settings: &Settings, times: u64, hours: i64) -> Vec<Finding> {
    let mut detection = Detection::new(settings.clone());
    let mut noise = 7_u64;
    for row in 0..10 * 288_i64 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let time = row * 300;
        let upset = (8 * 288 + 108..8 * 288 + 108 + hours * 12).contains(&row);
        let times = if upset { times } else { 1 };
        let busy = if (96..216).contains(&(row % 288)) { 4 } else { 1 };
        let frames = (10_000 + noise % 1_000) * busy * times;
        for flow in 0..(20 + noise % 4) * busy * times {
            let from = ip(100 + u32::try_from(flow % 30).unwrap());
            detection.flow(&spoken(time, from, ip(9), 443, 900));
        }
        let (start, end) = (at(time), at(time + 10));
        detection.air(&Air { start, end, frames, broadcasts: 2, senders: 20 });
        let value =
            (8.0 + f64::from(u32::try_from(noise % 100).unwrap()) / 100.0) * f64::from(u32::try_from(times).unwrap());
        let uplink = "r1 WAN";
        for (series, of) in [
            (Series::RoundTrip, "parent"),
            (Series::Errors, "sw-1"),
            (Series::Received, uplink),
            (Series::Sent, uplink),
        ] {
            detection.measured(&Measured { time: at(time), series, of, value });
        }
    }
    detection.findings().filter(|finding| finding.kind.name().ends_with("_shift")).cloned().collect()
}

#[test]
fn levels_that_left_what_is_usual_for_hours_are_found_with_what_was_expected() {
    let found = days(5, 12);
    let kinds: Vec<_> = found.iter().map(|finding| (finding.kind, finding.subject)).collect();
    let expected = [
        (Kind::TrafficShift, Subject::Segment),
        (Kind::FlowShift, Subject::Segment),
        (Kind::ErrorShift, Subject::Named(Label::new("sw-1"))),
        (Kind::RoundTripShift, Subject::Named(Label::new("parent"))),
        (Kind::UplinkShift, Subject::Named(Label::new("r1 WAN"))),
    ];
    assert!(expected.iter().all(|it| kinds.contains(it)), "{kinds:?}");
    let evidence = &found[0].evidence;
    assert!(evidence.iter().any(|it| it.is == "direction" && it.value == "above"), "{evidence:?}");
}

#[test]
fn an_uplink_that_left_what_is_usual_is_one_finding_with_both_directions() {
    let found = |settings: &Settings, hours| {
        let mut found = days_with(settings, 5, hours);
        found.retain(|it| it.kind == Kind::UplinkShift);
        found
    };
    let of_both = found(&settings(), 12);
    let [finding] = of_both.as_slice() else { panic!("{of_both:?}") };
    let value = |is: &str| finding.evidence.iter().find(|it| it.is == is).map(|it| it.value.as_str());
    let number = |is: &str| value(is).and_then(|it| it.parse::<f64>().ok()).unwrap();
    assert_eq!(value("unit"), Some("mbit_per_s"));
    for (is, expected) in [("received", "received_expected"), ("sent", "sent_expected")] {
        assert!(number(is) > 4.0 * 8.0 && number(expected) < 12.0, "{:?}", finding.evidence);
    }
    // Both numbers that decide may be tuned.
    for (threshold, value) in [(Threshold::UplinkShift, 600), (Threshold::UplinkHours, 24)] {
        let mut thresholds = Thresholds::default();
        thresholds.set(threshold, value);
        assert_eq!(found(&Settings { thresholds, ..settings() }, 12), [], "{threshold:?}");
    }
}

#[test]
fn levels_as_ever_and_a_burst_of_an_hour_are_none() {
    assert_eq!(days(1, 0), []);
    assert_eq!(days(5, 1), []);
}

#[test]
fn what_was_learnt_outlives_the_program() {
    let mut detection = Detection::new(settings());
    for row in 0..100 {
        let (start, end) = (at(row * 300), at(row * 300 + 10));
        detection.air(&Air { start, end, frames: 900, broadcasts: 2, senders: 20 });
        let of = "parent";
        detection.measured(&Measured { time: at(row * 300), series: Series::RoundTrip, of, value: 8.0 });
    }
    let kept = detection.learnt().clone();
    let mut next = Detection::new(settings());
    assert_ne!(next.learnt(), &kept);
    next.recall(kept.clone());
    assert_eq!(next.learnt(), &kept);
}

#[test]
fn the_number_of_things_that_are_measured_is_bounded() {
    let mut detection = Detection::new(settings());
    for number in 0..1_000 {
        detection.measured(&Measured { time: at(0), series: Series::Errors, of: &number.to_string(), value: 1.0 });
    }
    let states = detection.detectors();
    let state = states.iter().find(|state| state.kind == Kind::ErrorShift).unwrap();
    assert_eq!((state.inputs, state.evicted), (1_000, 872));
}
