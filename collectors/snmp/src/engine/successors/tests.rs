use proptest::prelude::*;

use super::*;
use crate::{
    engine::{library::oracle, message::Opened},
    exchange::Values,
    value::VarBind,
    walk::{Caps, Cells, Column, Walk},
};

const COLUMNS: [Column; 3] = [
    Column { name: "name", oid: &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1] },
    Column { name: "port", oid: &[1, 3, 6, 1, 2, 1, 17, 4, 3, 1, 2] },
    Column { name: "temperature", oid: &[1, 3, 6, 1, 4, 1, 2011, 5, 25, 31, 1, 1, 1, 1, 11] },
];

/// Returns what is unread of a datagram, after it was held against what is read of it.
fn unread(datagram: &[u8]) -> Option<Successors> {
    let opened = Opened::read(datagram).ok()?;
    let successors = opened.successors()?;
    let read = opened.response(usize::MAX);
    assert!(!read.cut && read.error_status == 0);
    let bytes: usize = read.varbinds.iter().map(|pair| pair.wire_bytes).sum();
    assert_eq!((successors.len(), successors.wire_bytes()), (read.varbinds.len(), bytes));
    assert!(read.varbinds.iter().all(|pair| !pair.name.is_empty()));
    assert_eq!(Values::Unread(successors.clone()).into_vec(), read.varbinds.into_vec());
    Some(successors)
}

fn message(pairs: &[VarBind]) -> Vec<u8> {
    oracle::write_response(b"public", 1, pairs)
}

fn pair(arcs: &[u32], number: u64) -> VarBind {
    VarBind { oid: Oid::from_arcs(arcs), value: Value::Counter64(number) }
}

fn table(cells: &Cells) -> Vec<(Vec<u32>, Vec<Option<Value>>)> {
    cells.rows().map(|(index, row)| (index.to_vec(), row.to_vec())).collect()
}

#[test]
fn an_arc_of_32_bits_is_plain_and_a_longer_one_or_a_cut_one_is_not() {
    for (name, plain) in [
        (&[0x2b, 0x06][..], true),
        (&[0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f], true),
        (&[0x2b, 0x90, 0x80, 0x80, 0x80, 0x00], false),
        (&[0x2b, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], false),
        (&[0x2b, 0x86], false),
        (&[], false),
    ] {
        assert_eq!(is_plain(name), plain, "{name:02x?}");
        let mut arcs = Vec::new();
        assert!(!plain || ber::push_object_id(name, &mut arcs));
    }
    assert!(!is_plain(&[1; ARCS_MAX]));
}

#[test]
fn an_index_follows_the_columns_name_however_that_is_written() {
    let column = ColumnName::new(&[1, 3, 6, 1, 4, 1, 2011]);
    let mut index = vec![9];
    let mut read = |name: &[u8]| {
        let one = Successor { name, value: &[], bytes: 0 };
        one.index(&column, &mut index).then(|| index.clone())
    };
    assert_eq!(read(&[0x2b, 6, 1, 4, 1, 0x8f, 0x5b, 0x81, 0x00, 7]), Some(vec![128, 7]));
    assert_eq!(read(&[0x2b, 6, 1, 4, 1, 0x80, 0x8f, 0x5b, 5]), Some(vec![5]), "an arc with a zero before it");
    assert_eq!(read(&[0x2b, 6, 1, 4, 1, 0x8f, 0x5b]), Some(vec![]));
    assert_eq!(read(&[0x2b, 6, 1, 4, 1, 0x8f, 0x5c, 5]), None);
    assert_eq!(column.instance(&[5]), Oid::from_arcs(&[1, 3, 6, 1, 4, 1, 2011, 5]));
}

#[test]
fn what_fuzzing_found_is_the_same_read_and_unread() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/snmp_message");
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    assert!(files.filter(|datagram| unread(datagram).is_some()).count() > 0);
}

#[test]
fn names_are_encoded_as_those_of_questions_are() {
    for arcs in [&[1, 3, 6, 1][..], &[0, 39], &[2, 999, 127, 128, 16_383, 16_384, u32::MAX, 0], COLUMNS[2].oid] {
        let encoded = ber::encoded(arcs).unwrap();
        let mut read = Vec::new();
        assert!(ber::push_object_id(&encoded, &mut read));
        assert_eq!(read, arcs);
        let mut written = ber::Backwards::default();
        assert!(written.object_id(&Oid::from_arcs(arcs)));
        assert!(written.finish().ends_with(&encoded));
    }
    assert!([&[3, 1][..], &[1, 40], &[1]].into_iter().all(|arcs| ber::encoded(arcs).is_none()));
}

fn answers() -> impl Strategy<Value = Vec<Vec<VarBind>>> {
    let arc = prop_oneof![6 => 0u32..6, 2 => 120u32..400, 1 => any::<u32>()];
    let index = prop::collection::vec(arc, 0..8);
    let name = (0..4_usize, index).prop_map(|(column, index)| {
        let prefix = COLUMNS.get(column).map_or(&[1, 3, 6, 2][..], |column| column.oid);
        [prefix, &index].concat()
    });
    let value = prop_oneof![8 => any::<u64>().prop_map(Value::Counter64), 1 => Just(Value::EndOfMibView)];
    let one = (name, value).prop_map(|(arcs, value)| VarBind { oid: Oid::from_arcs(&arcs), value });
    prop::collection::vec(prop::collection::vec(one, 0..30), 0..8)
}

proptest! {
    #[test]
    fn a_walk_reads_the_same_from_what_was_read_and_what_was_not(answers in answers(), in_order: bool) {
        let (mut read, mut direct) = (Walk::new(&COLUMNS, Caps::default()), Walk::new(&COLUMNS, Caps::default()));
        for mut pairs in answers {
            if in_order {
                pairs.sort_by(|one, other| one.oid.cmp(&other.oid));
            }
            let places = read.pending(3);
            prop_assert_eq!(&places, &direct.pending(3));
            prop_assert_eq!(read.names(&places), direct.names(&places));
            if places.is_empty() {
                break;
            }
            let datagram = message(&pairs);
            let successors = unread(&datagram).expect("the library writes plainly");
            let varbinds = Opened::read(&datagram).unwrap().response(0).varbinds;
            let silent = read.take(&places, Values::Read(varbinds));
            prop_assert_eq!(silent, direct.take(&places, Values::Unread(successors)));
        }
        let (read, direct) = (read.finish(), direct.finish());
        prop_assert_eq!(table(&read), table(&direct));
        prop_assert_eq!(read.ends, direct.ends);
        prop_assert_eq!(read.disordered, direct.disordered);
    }

    #[test]
    fn a_damaged_answer_is_the_same_read_and_unread(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3), cut in any::<prop::sample::Index>(), whole: bool,
    ) {
        let pairs: Vec<_> = (1..9).map(|index| pair(&[COLUMNS[2].oid, &[index, 300]].concat(), index.into())).collect();
        let mut datagram = message(&pairs);
        for (place, byte) in damage {
            let place = place.index(datagram.len());
            datagram[place] = byte;
        }
        datagram.truncate(if whole { datagram.len() } else { cut.index(datagram.len()) });
        let _ = unread(&datagram);
    }
}
