//! The scorer of the benchmark, held to what its definition says of known cases.

#[path = "../examples/nab/score.rs"]
mod score;

use score::{Scored, at, best, probation};

fn scored(rows: usize, windows: &[(usize, usize)], detected: &[usize]) -> Scored {
    let scores = (0..rows).map(|row| f64::from(u8::from(detected.contains(&row)))).collect();
    Scored { scores, windows: windows.iter().map(|(first, end)| *first..*end).collect() }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn the_first_row_of_each_window_and_nothing_else_is_100() {
    let series = [
        scored(1000, &[(300, 400), (700, 800)], &[300, 700]),
        scored(500, &[(200, 250)], &[200]),
        scored(200, &[], &[]),
    ];
    let outcome = best(&series.iter().collect::<Vec<_>>());
    assert!(near(outcome.normalised, 100.0), "{outcome:?}");
    assert_eq!((outcome.found, outcome.windows, outcome.false_rows), (3, 3, 0));
}

#[test]
fn nothing_detected_is_0_and_so_is_what_is_detected_in_probation() {
    for detected in [&[][..], &[0, 10, 149][..]] {
        let outcome = at(&[&scored(1000, &[(300, 400)], detected)], 0.5);
        assert!(near(outcome.normalised, 0.0), "{outcome:?}");
    }
    assert_eq!((probation(1000), probation(4032), probation(5000), probation(20_000)), (150, 604, 750, 750));
}

#[test]
fn a_detector_that_says_the_same_of_all_rows_is_0_at_best() {
    let outcome = best(&[&scored(4000, &[(3000, 3400)], &[])]);
    assert!(near(outcome.normalised, 0.0) && outcome.threshold.is_infinite(), "{outcome:?}");
}

#[test]
fn a_false_row_costs_a_ninth_and_less_just_after_a_window() {
    let before = at(&[&scored(1000, &[(500, 600)], &[200, 500])], 0.5);
    assert!(near(before.raw, 1.0 - 0.11), "{before:?}");
    let after = at(&[&scored(1000, &[(500, 600)], &[500, 600])], 0.5);
    let sigma = 2.0 / (1.0 + (5.0_f64 / 99.0).exp()) - 1.0;
    assert!(near(after.raw, 1.0 + 0.11 * sigma) && after.raw > 0.98, "{after:?}");
    let long_after = at(&[&scored(1000, &[(500, 600)], &[500, 999])], 0.5);
    assert!((long_after.raw - 0.89).abs() < 1e-6, "{long_after:?}");
}

#[test]
fn a_later_detection_is_worth_less_and_only_the_earliest_counts() {
    let raw = |detected: &[usize]| at(&[&scored(1000, &[(500, 600)], detected)], 0.5).raw;
    assert!(raw(&[500]) > raw(&[550]) && raw(&[550]) > raw(&[599]) && raw(&[599]) > 0.0);
    assert!(near(raw(&[550]), raw(&[550, 560, 599])));
    assert!(near(raw(&[]), -1.0));
}

#[test]
fn one_threshold_is_chosen_for_all_series() {
    let mut quiet = scored(1000, &[(500, 600)], &[500]);
    quiet.scores[200] = 0.5;
    let mut loud = scored(1000, &[(500, 600)], &[]);
    (300..400).for_each(|row| loud.scores[row] = 2.0);
    loud.scores[500] = 0.5;
    // To find the second window costs a hundred false rows and one: more than it is worth.
    let outcome = best(&[&quiet, &loud]);
    assert!(near(outcome.normalised, 0.0), "{outcome:?}");
    let alone = best(&[&quiet]);
    assert!(near(alone.normalised, 100.0) && near(alone.threshold, 1.0), "{alone:?}");
}
