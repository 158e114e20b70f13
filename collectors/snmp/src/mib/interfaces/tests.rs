use super::*;

fn table(rows: &[(u32, &[(usize, Value)])], width: usize) -> ReadTable {
    let row = |values: &[(usize, Value)]| {
        let mut row = vec![None; width];
        for (place, value) in values {
            row[*place] = Some(value.clone());
        }
        row
    };
    ReadTable::of_rows(rows.iter().map(|(if_index, values)| (std::slice::from_ref(if_index), row(values))))
}

fn text(text: &str) -> Value {
    Value::Octets(text.as_bytes().into())
}

#[test]
fn a_missing_value_is_missing_and_never_zero() {
    let base = table(&[(7, &[(OPER, Value::Integer(1)), (IN_ERRORS, Value::Counter32(0))])], IF_COUNTERS.len());
    let polled = counters(&base, &ReadTable::default(), &ReadTable::default());
    let row = &polled.rows[0].counters;
    assert_eq!(row.oper, Reading::Value("up"));
    assert_eq!(row.in_errors, Reading::Value(0));
    assert_eq!(row.in_octets, Reading::Missing);
    assert_eq!(row.octets_bits, None);
    let json = serde_json::to_value(&polled.rows[0]).unwrap();
    assert_eq!(json["in_errors"], 0);
    assert_eq!(json["in_octets"], serde_json::Value::Null);
}

#[test]
fn a_64_bit_counter_is_exact_and_goes_before_the_32_bit_one() {
    let count = u64::MAX - 1;
    let base =
        table(&[(1, &[(IN_OCTETS, Value::Counter32(5))]), (2, &[(IN_OCTETS, Value::Counter32(5))])], IF_COUNTERS.len());
    let extended = table(&[(1, &[(HC_IN_OCTETS, Value::Counter64(count))])], IF_X_COUNTERS.len());
    let polled = counters(&base, &extended, &ReadTable::default());
    assert_eq!(
        (&polled.rows[0].counters.in_octets, polled.rows[0].counters.octets_bits),
        (&Reading::Value(count), Some(64))
    );
    assert_eq!(
        (&polled.rows[1].counters.in_octets, polled.rows[1].counters.octets_bits),
        (&Reading::Value(5), Some(32))
    );
    assert_eq!(serde_json::to_value(&polled.rows[0]).unwrap()["in_octets"].as_u64(), Some(count));
}

#[test]
fn a_device_without_if_name_is_named_by_its_description_and_says_so() {
    let base = table(&[(1, &[(DESCR, text("Port 1"))]), (2, &[(DESCR, text("Port 2"))])], IF_NAMES.len());
    let extended = table(&[(2, &[(NAME, text("ge-0/0/2"))])], IF_X_NAMES.len());
    let polled = labels(&base, &extended, &ReadTable::default());
    let named: Vec<_> = polled.rows.iter().map(|label| (label.name.as_deref(), label.name_source)).collect();
    assert_eq!(named, [(Some("Port 1"), Some("ifDescr")), (Some("ge-0/0/2"), Some("ifName"))]);
    assert!(polled.errors.iter().any(|error| error.error == TableProblem::NamedByDescription && error.rows == Some(1)));
}

#[test]
fn wrong_types_and_odd_indexes_are_told_apart_from_absence() {
    let mut odd = vec![None; IF_NAMES.len()];
    odd[TYPE] = Some(text("ethernet"));
    odd[PHYS_ADDRESS] = Some(Value::Octets([].into()));
    let base = ReadTable::of_rows([(&[1][..], odd), (&[1, 2], vec![None; IF_NAMES.len()])]);
    let polled = labels(&base, &ReadTable::default(), &ReadTable::default());
    assert_eq!(polled.rows.len(), 1);
    assert_eq!(polled.rows[0].kind, Reading::Malformed);
    assert_eq!(polled.rows[0].mac, Reading::Missing);
    assert_eq!(polled.dropped, [DroppedRow::new(IF_TABLE, &[1, 2], DropReason::InvalidIndexLength)]);
}

#[test]
fn speed_comes_from_the_object_that_can_hold_it() {
    let read = |low: Option<u64>, high: Option<u64>| {
        let reading = |number: Option<u64>| number.map_or(Reading::Missing, Reading::Value);
        speed(reading(low), &reading(high)).get().copied()
    };
    assert_eq!(read(Some(100_000_000), Some(100)), Some(100_000_000));
    assert_eq!(read(Some(u32::MAX.into()), Some(10_000)), Some(10_000_000_000));
    assert_eq!(read(Some(1_410_065_408), Some(10_000)), Some(10_000_000_000), "an ifSpeed that wrapped");
    assert_eq!(read(Some(1_544_000), Some(2)), Some(1_544_000));
    assert_eq!(read(Some(0), Some(1_000)), Some(1_000_000_000));
    assert_eq!(read(Some(0), Some(0)), Some(0));
    assert_eq!(read(None, None), None);
}

#[test]
fn interfaces_that_moved_are_counted_and_new_ones_and_shared_names_are_not() {
    let index = |rows: &[(u32, &str)]| {
        InterfaceIndex::new(rows.iter().map(|(if_index, name)| InterfaceLabel {
            if_index: *if_index,
            name: Some((*name).to_owned()),
            ..InterfaceLabel::default()
        }))
    };
    let before = index(&[(1, "Gi0/1"), (2, "Gi0/2"), (3, "mgmt"), (4, "mgmt")]);
    let same = index(&[(1, "Gi0/1"), (2, "Gi0/2"), (3, "mgmt"), (5, "Gi0/3")]);
    assert_eq!(same.renumbered_since(&before), None);
    assert_eq!(before.renumbered_since(&InterfaceIndex::default()), None);
    let moved = index(&[(2, "Gi0/1"), (3, "Gi0/2"), (4, "mgmt")]);
    let note = moved.renumbered_since(&before).unwrap();
    assert_eq!((note.error, note.rows), (TableProblem::Renumbered, Some(2)));
}
