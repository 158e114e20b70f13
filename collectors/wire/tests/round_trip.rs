//! What one side says, the other understands; what is not said well is refused and never crashes.

mod support;

use onenet_topology::Timestamp;
use onenet_wire::{
    AgentMessage, Batch, CentreMessage, GroupDigest, codec, fact_hash, key_hash, key_hash_of, limits, v1,
};
use proptest::{collection::vec, prelude::*};
use prost::Message as _;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_an_agent_says_arrives_as_it_was_said(message in support::agent_message()) {
        let bytes = v1::AgentMessage::from(&message).encode_to_vec();
        let arrived = AgentMessage::try_from(v1::AgentMessage::decode(&bytes[..]).unwrap()).unwrap();
        prop_assert_eq!(arrived, message);
    }

    #[test]
    fn what_the_centre_says_arrives_as_it_was_said(message in support::centre_message()) {
        let bytes = v1::CentreMessage::from(&message).encode_to_vec();
        let arrived = CentreMessage::try_from(v1::CentreMessage::decode(&bytes[..]).unwrap()).unwrap();
        prop_assert_eq!(arrived, message);
    }

    #[test]
    fn a_stored_fact_is_read_back_as_it_was(fact in support::fact()) {
        prop_assert_eq!(codec::decode_fact(&codec::encode_fact(&fact)).unwrap(), fact.clone());
        let gone = codec::encode_gone(&fact.body.key(), fact.observed);
        prop_assert_eq!(codec::decode_gone(&gone).unwrap(), (fact.body.key(), fact.observed));
    }

    #[test]
    fn what_is_written_directly_is_what_the_generated_code_writes(fact in support::fact()) {
        let of = |gone, body: v1::fact_change::Body| v1::FactChange { age_ms: 0, gone, body: Some(body) }.encode_to_vec();
        let mut message = vec![7];
        codec::write_fact_message(&fact.body, &mut message);
        prop_assert_eq!(&message[1..], of(false, (&fact.body).into()));
        let mut key = vec![7];
        codec::write_gone_message_of(&fact.body, &mut key);
        prop_assert_eq!(&key[1..], of(true, (&fact.body.key()).into()));
        prop_assert_eq!(key_hash_of(&fact.body, &mut key), key_hash(&fact.body.key()));
    }

    #[test]
    fn a_stored_history_item_is_read_back_as_it_was(item in support::history_item()) {
        let bytes = codec::encode_history(&item);
        prop_assert!(codec::history_size(&item) >= bytes.len());
        prop_assert_eq!(codec::decode_history(&bytes).unwrap(), item);
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_understood_but_never_crash(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(message) = v1::AgentMessage::decode(&bytes[..]) {
            let _ = AgentMessage::try_from(message);
        }
        if let Ok(message) = v1::CentreMessage::decode(&bytes[..]) {
            let _ = CentreMessage::try_from(message);
        }
        let _ = (codec::decode_fact(&bytes), codec::decode_gone(&bytes), codec::decode_history(&bytes));
    }

    #[test]
    fn a_good_message_with_a_flipped_bit_never_crashes(
        message in support::agent_message(), at in any::<prop::sample::Index>(), bit in 0..8,
    ) {
        let mut bytes = v1::AgentMessage::from(&message).encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        if let Ok(message) = v1::AgentMessage::decode(&bytes[..]) {
            let _ = AgentMessage::try_from(message);
        }
    }

    #[test]
    fn shifting_moves_every_time_and_nothing_else(batch in support::batch(), ms in -1_000_000_000_i64..1_000_000_000) {
        let mut moved = batch.clone();
        moved.shift_ms(ms);
        prop_assert_eq!(moved.closed(), batch.closed().plus_ms(ms));
        // Ages are the same, so is everything else on the wire.
        let (mut before, mut after) = (v1::Batch::from(&batch), v1::Batch::from(&moved));
        (before.clocks, after.clocks) = (None, None);
        prop_assert_eq!(before, after);
    }

    #[test]
    fn a_digest_kept_by_adding_and_taking_away_is_that_of_what_is_left(
        group in support::group(),
        kept in vec(support::fact_body(), 0..8),
        removed in vec(support::fact_body(), 0..8),
    ) {
        let mut digest = GroupDigest::empty(group.clone());
        for body in removed.iter().chain(&kept) {
            digest.add(body);
        }
        for body in &removed {
            digest.remove(body);
        }
        let sum = kept.iter().fold(0_u64, |sum, body| sum.wrapping_add(fact_hash(&group, body)));
        prop_assert_eq!(digest, GroupDigest { group, count: kept.len() as u64, sum });
    }

    #[test]
    fn hashes_are_the_same_on_both_ends_of_the_wire(group in support::group(), fact in support::fact()) {
        let arrived = codec::decode_fact(&codec::encode_fact(&fact)).unwrap();
        prop_assert_eq!(fact_hash(&group, &arrived.body), fact_hash(&group, &fact.body));
        prop_assert_eq!(key_hash(&arrived.body.key()), key_hash(&fact.body.key()));
    }

    #[test]
    fn what_was_made_to_fit_is_accepted(mut fact in support::fact(), long in "\\PC{300,600}", item in support::history_item()) {
        use onenet_topology::fact::FactBody;
        match &mut fact.body {
            FactBody::Reach(it) => it.detail = long.repeat(3),
            FactBody::System(it) => it.name = long,
            FactBody::Interface(it) => it.alias = long,
            FactBody::Forwarding(it) => { it.interface = Some(String::new()); it.vlan = Some(0); }
            FactBody::Address(it) => it.interface = long,
            FactBody::Neighbour(it) => { it.chassis_id = long; it.management_addresses = vec![[0; 4].into(); 40]; }
            FactBody::Entity(it) => it.serial = long,
            FactBody::Sighting(it) => it.vlan = Some(0),
            FactBody::Binding(_) => {}
            FactBody::Host(it) => it.parameter_list = vec![7; 1_000],
            FactBody::Condition(it) => it.subject = long,
            FactBody::Identification(it) => it.model = long,
            FactBody::Sensor(it) => it.name = long,
            FactBody::Station(it) => { it.ssid = long; it.vlan = Some(0); }
            FactBody::Aggregation(it) => it.member = long,
            FactBody::Vlan(it) => it.name = long,
            FactBody::PortVlans(it) => { it.interface = long; it.native = Some(0); }
            FactBody::OwnAddress(it) => it.interface = long,
            FactBody::Quirk(it) => it.table = long,
            FactBody::Classification(it) => std::sync::Arc::make_mut(&mut it.conclusion).model = long,
            FactBody::Probe(it) => it.name = long,
            FactBody::SpanningTree(it) => it.root_port = long,
            FactBody::SpanningTreePort(it) => it.interface = long,
            FactBody::NextHop(it) => it.interface = long,
            FactBody::Anchor(it) => { it.interface = long; it.vlan = Some(0); }
        }
        let mut key = fact.body.key();
        limits::fit_fact(&mut fact.body);
        limits::fit_key(&mut key);
        prop_assert_eq!(codec::decode_fact(&codec::encode_fact(&fact)).unwrap(), fact.clone());
        prop_assert_eq!(key, fact.body.key());
        let mut fitted = item.clone();
        limits::fit_item(&mut fitted);
        prop_assert_eq!(fitted, item);
    }
}

#[test]
fn text_is_cut_at_a_character_and_never_inside_one() {
    let mut text = "设备".to_owned();
    limits::cut(&mut text, 5);
    assert_eq!(text, "设");
}

#[test]
fn an_observation_from_after_the_batch_was_closed_counts_as_made_when_it_was_closed() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut batch: Batch = support::batch().new_tree(&mut runner).unwrap().current();
    let closed = batch.closed();
    let item = support::history_item().new_tree(&mut runner).unwrap().current();
    batch.position.lane = onenet_wire::Lane::History;
    let late = onenet_topology::fact::HistoryItem { time: Timestamp::from_unix_ms(closed.unix_ms() + 5_000), ..item };
    batch.content = onenet_wire::Content::History(vec![late]);
    let arrived = Batch::try_from(v1::Batch::from(&batch)).unwrap();
    let onenet_wire::Content::History(items) = arrived.content else { panic!("another lane") };
    assert_eq!(items[0].time, closed);
}

use proptest::strategy::ValueTree as _;
