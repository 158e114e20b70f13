use proptest::prelude::*;

use super::*;
use crate::{engine::library::oracle, value::VarBind};

/// GET of sysUpTime.0 with community `public` and number 42, as RFC 3416 and RFC 3417 have it.
const GET_UPTIME: &[u8] = &[
    0x30, 0x26, 0x02, 0x01, 0x01, 0x04, 0x06, b'p', b'u', b'b', b'l', b'i', b'c', 0xa0, 0x19, 0x02, 0x01, 0x2a, 0x02,
    0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x0e, 0x30, 0x0c, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x02, 0x01, 0x01, 0x03, 0x00,
    0x05, 0x00,
];

fn uptime() -> Oid {
    "1.3.6.1.2.1.1.3.0".parse().unwrap()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut writer = Backwards::default();
    writer.octets(content);
    let mut element = writer.finish();
    element[0] = tag;
    element
}

/// Returns a response whose list holds these bytes.
fn response_of(list: &[u8]) -> Vec<u8> {
    let pdu = [tlv(2, &[42]), tlv(2, &[0]), tlv(2, &[0]), tlv(0x30, list)].concat();
    tlv(0x30, &[tlv(2, &[1]), tlv(4, b"public"), tlv(RESPONSE, &pdu)].concat())
}

fn pair(value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(6, &[0x2b, 6, 1]), value.to_vec()].concat())
}

fn read(message: &[u8]) -> Response {
    Opened::read(message).unwrap().response(10)
}

fn values(message: &[u8]) -> Vec<Value> {
    read(message).varbinds.into_vec().into_iter().map(|varbind| varbind.value).collect()
}

#[test]
fn a_question_is_written_as_the_rfc_has_it() {
    let request = Request::Get(vec![uptime()]);
    assert_eq!(question(&request, b"public", 42).unwrap(), GET_UPTIME);
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_reason() {
    let begins_with_three = Oid::from_arcs(&[3, 1]);
    let refused = question(&Request::Get(vec![begins_with_three]), b"public", 1).unwrap_err();
    assert!(refused.to_string().contains("must begin with"), "{refused}");
    let refused = question(&Request::Get(vec![uptime(); 10_000]), b"public", 1).unwrap_err();
    assert!(refused.to_string().contains("fewer names"), "{refused}");
}

#[test]
fn numbers_are_read_in_every_form_that_has_one_meaning() {
    let list = [
        pair(&tlv(0x02, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 7])),
        pair(&tlv(0x02, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe])),
        pair(&tlv(0x41, &[0xff, 0xff, 0xff, 0xfe])),
        pair(&tlv(0x46, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        pair(&tlv(0x46, &[])),
        pair(&[0x02, 0x84, 0, 0, 0, 1, 9]),
    ];
    let expected = [
        Value::Integer(7),
        Value::Integer(-2),
        Value::Counter32(0xffff_fffe),
        Value::Counter64(u64::MAX),
        Value::Counter64(0),
        Value::Integer(9),
    ];
    assert_eq!(values(&response_of(&list.concat())), expected);
}

#[test]
fn what_has_no_meaning_is_malformed_and_its_neighbours_are_not() {
    for wrong in [
        tlv(0x02, &[]),
        tlv(0x02, &[1; 9]),
        tlv(0x41, &[1; 9]),
        tlv(0x40, &[10, 0, 0]),
        tlv(0x06, &[0x2b, 0x86]),
        tlv(0x06, &[0x2b, 0x9f, 0xff, 0xff, 0xff, 0x7f]),
        tlv(0x77, &[1]),
        vec![0x02, 0x05, 1],
        vec![0x24, 0x80, 0x04, 0x01, b'x', 0, 0],
        vec![],
    ] {
        let list = [pair(&tlv(2, &[1])), pair(&wrong), pair(&tlv(2, &[3]))].concat();
        let read = values(&response_of(&list));
        assert_eq!(read, [Value::Integer(1), Value::Malformed, Value::Integer(3)], "{wrong:02x?}");
    }
}

#[test]
fn a_string_that_claims_to_be_longer_than_its_pair_is_the_rest_of_the_pair() {
    let list = [pair(&[0x04, 0x20, b'a', b'b']), pair(&tlv(2, &[3]))].concat();
    assert_eq!(values(&response_of(&list)), [Value::Octets(b"ab".as_slice().into()), Value::Integer(3)]);
}

#[test]
fn the_indefinite_form_is_read_where_its_end_is_marked() {
    let indefinite_pair = [&[0x30, 0x80][..], &tlv(6, &[0x2b, 6, 1]), &tlv(2, &[5]), &[0, 0]].concat();
    let list = [indefinite_pair, pair(&tlv(2, &[6]))].concat();
    assert_eq!(values(&response_of(&list)), [Value::Integer(5), Value::Integer(6)]);
    let head = [tlv(2, &[42]), tlv(2, &[0]), tlv(2, &[0])].concat();
    let message =
        [&[0x30, 0x80][..], &tlv(2, &[1]), &tlv(4, b"public"), &[RESPONSE, 0x80], &head, &[0x30, 0x80], &list, &[0; 6]]
            .concat();
    let answer = read(&message);
    assert_eq!((answer.varbinds.len(), answer.cut), (2, false));
}

#[test]
fn wrong_lengths_around_the_list_cost_nothing() {
    let good = response_of(&[pair(&tlv(2, &[1])), pair(&tlv(2, &[2]))].concat());
    for (place, length) in [(1, 3), (1, 0x7f), (14, 2), (14, 0x7f), (25, 0x7f)] {
        let mut wrong = good.clone();
        assert!(wrong[place] < 0x80 && matches!(wrong[place - 1], 0x30 | RESPONSE), "the place of a length");
        wrong[place] = length;
        assert_eq!(values(&wrong), [Value::Integer(1), Value::Integer(2)], "length {length} at {place}");
    }
    let trailing = [good, b"trailing".to_vec()].concat();
    assert_eq!(values(&trailing).len(), 2);
}

#[test]
fn a_message_that_is_cut_keeps_what_is_whole() {
    let good = response_of(&[pair(&tlv(2, &[1])), pair(&tlv(4, b"a longer text"))].concat());
    for length in 0..good.len() {
        let Ok(opened) = Opened::read(&good[..length]) else { continue };
        let answer = opened.response(10);
        let varbinds = answer.varbinds.clone().into_vec();
        match varbinds.as_slice() {
            [] => assert!(answer.is_useless() || !answer.cut),
            [first] if first.value == Value::Malformed => assert!(answer.is_useless()),
            [first, ..] => assert_eq!(first.value, Value::Integer(1)),
        }
        assert!(varbinds.iter().skip(1).all(|cut| cut.value == Value::Malformed), "at {length}");
    }
}

#[test]
fn what_is_no_answer_is_refused_with_the_place() {
    assert_eq!(Opened::read(b"").unwrap_err().offset, 0);
    let echoed = Opened::read(GET_UPTIME).unwrap_err();
    assert_eq!(echoed.to_string(), "byte 13 of the datagram is not the beginning of a response");
    let mut v3 = response_of(&[]);
    v3[4] = 3;
    assert!(Opened::read(&v3).unwrap_err().expected.contains("version"));
    let mut wide_id = response_of(&[]);
    wide_id.splice(15..18, [0x02, 0x05, 1, 0, 0, 0, 0]);
    assert!(Opened::read(&wide_id).unwrap_err().expected.contains("request id"));
}

#[test]
fn an_error_status_is_read_with_the_name_it_points_at() {
    let pdu = [tlv(2, &[42]), tlv(2, &[5]), tlv(2, &[1]), tlv(0x30, &pair(&tlv(5, &[])))].concat();
    let message = tlv(0x30, &[tlv(2, &[1]), tlv(4, b"public"), tlv(RESPONSE, &pdu)].concat());
    let answer = read(&message);
    assert_eq!((answer.error_status, answer.error_index, answer.varbinds.len()), (5, 1, 1));
}

/// What fuzzing found worth keeping, one datagram a file: `tests/fuzz/run` begins with them.
#[test]
fn what_fuzzing_found_is_read_as_the_invariant_has_it() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/snmp_message");
    let datagrams: Vec<Vec<u8>> =
        std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(datagrams.len() > 100);
    let mut answers = 0;
    for datagram in &datagrams {
        if let Ok(opened) = Opened::read(datagram) {
            answers += 1;
            assert!(opened.response(usize::MAX).varbinds.len() <= datagram.len() / 2);
        }
    }
    assert!(answers > 50, "{answers} of {} are answers", datagrams.len());
}

fn arcs() -> impl Strategy<Value = Oid> {
    let first = prop_oneof![(0u32..2, 0u32..40), (Just(2), 0u32..1_000)];
    let arc = prop_oneof![4 => 0u32..300, 1 => any::<u32>()];
    (first, prop::collection::vec(arc, 0..30)).prop_map(|((a, b), rest)| Oid::from_arcs(&[&[a, b][..], &rest].concat()))
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(|number| Value::Integer(number.into())),
        any::<u32>().prop_map(|number| Value::Counter32(number.into())),
        any::<u32>().prop_map(|number| Value::Gauge32(number.into())),
        any::<u32>().prop_map(|number| Value::TimeTicks(number.into())),
        any::<u64>().prop_map(Value::Counter64),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|octets| Value::Octets(octets.into())),
        arcs().prop_map(|oid| Value::ObjectId(Box::new(oid))),
        any::<[u8; 4]>().prop_map(|octets| Value::IpAddress(octets.into())),
        Just(Value::NoSuchObject),
        Just(Value::NoSuchInstance),
        Just(Value::EndOfMibView),
    ]
}

fn varbinds() -> impl Strategy<Value = Vec<VarBind>> {
    prop::collection::vec((arcs(), any_value()).prop_map(|(oid, value)| VarBind { oid, value }), 0..40)
}

proptest! {
    #[test]
    fn the_library_reads_the_question_that_we_write(
        names in prop::collection::vec(arcs(), 1..20),
        rows in prop::option::of(0u32..0x7fff_ffff),
        community in prop::collection::vec(any::<u8>(), 1..64),
        id in any::<i32>(),
    ) {
        let request = match rows {
            Some(rows) => Request::GetBulk { after: names, rows },
            None => Request::Get(names),
        };
        let written = question(&request, &community, id).unwrap();
        prop_assert_eq!(oracle::question(written), Some((community, id, request)));
    }

    #[test]
    fn both_read_the_response_that_the_library_writes(
        varbinds in varbinds(),
        community in prop::collection::vec(any::<u8>(), 1..64),
        id in any::<i32>(),
    ) {
        let message = oracle::write_response(&community, id, &varbinds);
        let opened = Opened::read(&message).unwrap();
        prop_assert_eq!((opened.request_id, opened.community), (id, &community[..]));
        let ours = opened.response(varbinds.len());
        prop_assert!(!ours.cut && ours.error_status == 0);
        prop_assert_eq!(&ours.varbinds.into_vec(), &varbinds);
        prop_assert_eq!(oracle::read_response(message), Some((id, varbinds)));
    }

    #[test]
    fn what_the_library_reads_of_a_damaged_response_we_read_too(
        varbinds in varbinds(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut message = oracle::write_response(b"public", 7, &varbinds);
        for (place, byte) in damage {
            *place.get_mut(&mut message) = byte;
        }
        if let Some((id, theirs)) = oracle::read_response(message.clone()) {
            let opened = Opened::read(&message);
            prop_assert!(opened.is_ok(), "{:?}", opened);
            let opened = opened.unwrap();
            prop_assert_eq!(opened.request_id, id);
            prop_assert_eq!(opened.response(0).varbinds.len(), theirs.len());
        }
    }

    #[test]
    fn garbage_never_panics_and_memory_follows_the_datagram(garbage in prop::collection::vec(any::<u8>(), 0..600)) {
        for message in [garbage.clone(), response_of(&garbage)] {
            if let Ok(opened) = Opened::read(&message) {
                let answer = opened.response(usize::MAX);
                prop_assert!(answer.varbinds.len() <= message.len() / 2);
                prop_assert!(answer.varbinds.room_bytes() <= VarBinds::room_limit(message.len()));
            }
        }
    }
}
