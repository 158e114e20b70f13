use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::value::VarBind;

const NAME: Column = Column { name: "name", oid: &[1, 3, 1] };
const SPEED: Column = Column { name: "speed", oid: &[1, 3, 2] };

/// An agent that holds sorted instances and answers GETBULK as RFC 3416 says, cut to `varbinds_max`.
fn answer(instances: &BTreeMap<Oid, Value>, after: &[Oid], rows: u32, varbinds_max: usize) -> Vec<VarBind> {
    let mut cursors = after.to_vec();
    let mut answer = Vec::new();
    for _ in 0..rows {
        for cursor in &mut cursors {
            let next = instances.range((std::ops::Bound::Excluded(cursor.clone()), std::ops::Bound::Unbounded)).next();
            let varbind = match next {
                Some((oid, value)) => VarBind { oid: oid.clone(), value: value.clone() },
                None => VarBind { oid: cursor.clone(), value: Value::EndOfMibView },
            };
            *cursor = varbind.oid.clone();
            answer.push(varbind);
        }
    }
    answer.truncate(varbinds_max.max(1));
    answer
}

fn walk_all(instances: &BTreeMap<Oid, Value>, caps: Caps, rows: u32, varbinds_max: usize) -> Cells {
    let mut walk = Walk::new(&[NAME, SPEED], caps);
    for _ in 0..10_000 {
        let places = walk.pending(8);
        if places.is_empty() {
            return walk.finish();
        }
        let names = walk.names(&places);
        walk.accept(&places, answer(instances, &names, rows, varbinds_max).into_iter().collect());
    }
    panic!("the walk did not end");
}

fn instances(pairs: &[(&[u32], i64)]) -> BTreeMap<Oid, Value> {
    pairs.iter().map(|(arcs, number)| (Oid::from_arcs(arcs), Value::Integer(*number))).collect()
}

#[test]
fn columns_of_different_length_are_read_to_their_own_ends() {
    let agent =
        instances(&[(&[1, 3, 1, 1], 10), (&[1, 3, 1, 2], 20), (&[1, 3, 1, 7], 70), (&[1, 3, 2, 2], 200), (&[1, 4], 0)]);
    let cells = walk_all(&agent, Caps::default(), 2, 100);
    assert_eq!(cells.ends, [(NAME, ColumnEnd::Complete), (SPEED, ColumnEnd::Complete)]);
    let row = |index: u32| Some(cells.row(&[index]).to_vec());
    assert_eq!(row(1), Some(vec![Some(Value::Integer(10)), None]));
    assert_eq!(row(2), Some(vec![Some(Value::Integer(20)), Some(Value::Integer(200))]));
    assert_eq!(row(7), Some(vec![Some(Value::Integer(70)), None]));
    assert_eq!(cells.len(), 3);
}

#[test]
fn a_table_that_is_not_sorted_is_read_whole_and_noted() {
    let mut walk = Walk::new(&[NAME], Caps::default());
    for index in [5u32, 9, 2, 7] {
        let oid = Oid::joined(NAME.oid, &[index]);
        walk.accept(&[0], VarBinds::from_iter([VarBind { oid, value: Value::Integer(index.into()) }]));
    }
    walk.accept(&[0], VarBinds::from_iter([VarBind { oid: Oid::from_arcs(SPEED.oid), value: Value::Integer(0) }]));
    let cells = walk.finish();
    assert_eq!(cells.ends, [(NAME, ColumnEnd::Complete)]);
    assert_eq!(cells.disordered, [(NAME, 2)]);
    assert_eq!(cells.len(), 4);
}

#[test]
fn a_row_that_is_named_twice_does_not_hide_those_behind_it() {
    let mut walk = Walk::new(&[NAME], Caps::default());
    let varbind = |index: u32, number| VarBind { oid: Oid::joined(NAME.oid, &[index]), value: Value::Integer(number) };
    walk.accept(&[0], VarBinds::from_iter([varbind(3, 193), varbind(3, 2401), varbind(1, 2212)]));
    walk.accept(&[0], VarBinds::from_iter([VarBind { oid: Oid::from_arcs(SPEED.oid), value: Value::Integer(0) }]));
    let cells = walk.finish();
    assert_eq!(cells.ends, [(NAME, ColumnEnd::Complete)]);
    assert_eq!(cells.disordered, [(NAME, 2)]);
    assert_eq!(cells.row(&[3]), [Some(Value::Integer(193))]);
    assert_eq!(cells.len(), 2);
}

#[test]
fn an_agent_that_goes_round_in_a_circle_is_left() {
    let mut walk = Walk::new(&[NAME], Caps::default());
    let mut questions = 0;
    while !walk.pending(1).is_empty() {
        let oid = Oid::joined(NAME.oid, &[questions % 3 + 1]);
        walk.accept(&[0], VarBinds::from_iter([VarBind { oid, value: Value::Integer(1) }]));
        questions += 1;
        assert!(questions < 100);
    }
    let cells = walk.finish();
    assert_eq!(cells.ends, [(NAME, ColumnEnd::Loop)]);
    assert_eq!(cells.len(), 3);
}

#[test]
fn rows_and_bytes_are_capped() {
    let agent: BTreeMap<Oid, Value> =
        (0..1_000).map(|index| (Oid::joined(NAME.oid, &[index]), Value::Integer(1))).collect();
    let few_rows = walk_all(&agent, Caps { rows: 10, bytes: usize::MAX }, 4, 100);
    assert_eq!((few_rows.len(), few_rows.ends.first().map(|end| end.1)), (10, Some(ColumnEnd::TooManyRows)));
    let few_bytes = walk_all(&agent, Caps { rows: usize::MAX, bytes: 1_000 }, 4, 100);
    assert_eq!(few_bytes.ends.first().map(|end| end.1), Some(ColumnEnd::TooManyBytes));
    assert!(few_bytes.len() < 100);
}

proptest! {
    #[test]
    fn every_cell_is_read_once_whatever_the_size_of_answers(
        indexes in prop::collection::btree_set((1u32..3, prop::collection::vec(0u32..5, 1..4)), 0..60),
        rows in 1u32..20,
        varbinds_max in 1usize..50,
    ) {
        let agent: BTreeMap<Oid, Value> = indexes
            .iter()
            .map(|(column, index)| (Oid::joined(&[1, 3, *column], index), Value::Integer(i64::from(*column))))
            .collect();
        let cells = walk_all(&agent, Caps::default(), rows, varbinds_max);
        let read: usize = cells.rows().map(|(_, row)| row.iter().flatten().count()).sum();
        prop_assert_eq!(read, agent.len());
        prop_assert!(cells.ends.iter().all(|(_, end)| *end == ColumnEnd::Complete));
    }

    #[test]
    fn a_walk_ends_on_any_answers(
        answers in prop::collection::vec(prop::collection::vec((prop::collection::vec(0u32..4, 0..5), any::<bool>()), 0..6), 0..80),
    ) {
        let mut walk = Walk::new(&[NAME, SPEED], Caps { rows: 50, bytes: 4_000 });
        for answer in answers {
            let places = walk.pending(2);
            let varbinds = answer.into_iter().map(|(arcs, end)| VarBind {
                oid: Oid::joined(&[1, 3], &arcs),
                value: if end { Value::EndOfMibView } else { Value::Integer(0) },
            });
            walk.accept(&places, varbinds.collect());
        }
        let cells = walk.finish();
        prop_assert!(cells.len() <= 100);
    }
}
