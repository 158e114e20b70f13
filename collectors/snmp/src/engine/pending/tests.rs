use proptest::prelude::*;

use super::*;
use crate::{
    clock,
    engine::library::oracle,
    value::{Value, VarBind},
};

fn device(port: u16) -> Arc<Device> {
    Arc::new(Device { address: ([127, 0, 0, 1], port).into(), community: Secret::from("public") })
}

fn answer(community: &str, number: i32) -> Vec<u8> {
    let varbinds = [VarBind { oid: "1.3.6.1".parse().unwrap(), value: Value::Integer(number.into()) }];
    oracle::write_response(community.as_bytes(), number, &varbinds)
}

#[test]
fn an_answer_is_taken_once_and_only_with_its_number_and_community() {
    let (mut pending, device) = (Pending::default(), device(161));
    let now = clock::monotonic_now();
    let (number, mut coming) = pending.add(&device, 1, clock::monotonic_now()).unwrap();
    for wrong in [answer("private", number), answer("public", number.wrapping_add(1)), b"garbage".to_vec()] {
        pending.take(&wrong, device.address, now);
        assert!(coming.try_recv().is_err());
    }
    pending.take(&answer("public", number), device.address, now);
    assert_eq!(coming.try_recv().unwrap().unwrap().response.varbinds.len(), 1);
    pending.take(&answer("public", number), device.address, now);
    let expected = DatagramCounts { answers: 1, unasked: 3, unreadable: 1, ..DatagramCounts::default() };
    assert_eq!((pending.counts, pending.len()), (expected, 0));
}

#[test]
fn an_answer_from_elsewhere_is_taken_and_counted() {
    let (mut pending, device) = (Pending::default(), device(161));
    let (number, mut coming) = pending.add(&device, 1, clock::monotonic_now()).unwrap();
    pending.take(&answer("public", number), ([10, 0, 0, 9], 161).into(), clock::monotonic_now());
    assert!(coming.try_recv().is_ok());
    assert_eq!((pending.counts.answers, pending.counts.from_elsewhere), (1, 1));
}

#[test]
fn an_answer_without_one_whole_value_leaves_the_question_waiting() {
    let (mut pending, device) = (Pending::default(), device(161));
    let (number, mut coming) = pending.add(&device, 1, clock::monotonic_now()).unwrap();
    let whole = answer("public", number);
    pending.take(&whole[..whole.len() - 1], device.address, clock::monotonic_now());
    assert!(coming.try_recv().is_err());
    assert_eq!((pending.counts.unreadable, pending.len()), (1, 1));
    pending.take(&whole, device.address, clock::monotonic_now());
    assert!(coming.try_recv().is_ok());
}

#[test]
fn no_more_questions_wait_than_there_is_room_for() {
    let (mut pending, device) = (Pending::default(), device(161));
    let waiting: Vec<_> =
        (0..QUESTIONS_MAX).map(|_| pending.add(&device, 1, clock::monotonic_now()).unwrap()).collect();
    assert!(pending.add(&device, 1, clock::monotonic_now()).is_none());
    pending.forget(waiting[0].0);
    assert!(pending.add(&device, 1, clock::monotonic_now()).is_some());
}

#[test]
fn numbers_are_positive_and_follow_from_nothing_sent() {
    let numbers = |mut pending: Pending| -> Vec<i32> { (0..1_000).map(|_| pending.number()).collect() };
    let (first, second) = (numbers(Pending::default()), numbers(Pending::default()));
    assert!(first.iter().all(|number| *number >= 0));
    assert_ne!(first, second, "two runs do not use the same numbers");
    let steps: std::collections::BTreeSet<i32> = first.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    assert!(steps.len() > 990, "the next number does not follow from the last");
}

proptest! {
    /// Against a model: answers of any order, repeated, lost, forged; each question is answered by its own answer, once.
    #[test]
    fn each_question_gets_its_own_answer_or_none(events in prop::collection::vec((0usize..20, 0u8..4), 0..200)) {
        let mut pending = Pending::default();
        let now = clock::monotonic_now();
        let mut questions: Vec<_> =
            (0..20).map(|port| { let device = device(port); pending.add(&device, 1, clock::monotonic_now()).map(|added| (device, added)).unwrap() }).collect();
        let mut open = [true; 20];
        for (place, kind) in events {
            let (device, (number, coming)) = &mut questions[place];
            match kind {
                0 => { pending.forget(*number); open[place] = false; }
                1 => pending.take(&answer("forged", *number), device.address, now),
                _ => {
                    pending.take(&answer("public", *number), device.address, now);
                    let received = coming.try_recv().ok().map(|received| received.unwrap().response.varbinds.into_vec()[0].value.clone());
                    prop_assert_eq!(received, open[place].then_some(Value::Integer((*number).into())));
                    open[place] = false;
                }
            }
            prop_assert_eq!(pending.len(), open.iter().filter(|open| **open).count());
        }
    }
}
