//! Bytes of a hostile agent, or centre, through every decoder of the wire: an error names its field, and what is accepted
//! says the same when it is said again.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use onenet_topology::fact::FactChange;
use onenet_wire::{
    AgentMessage, Batch, CentreMessage, Content, EnrolRequest, EnrolResponse, Invalid, codec, fact_hash, key_hash,
    limits, token::Token, v1,
};
use prost::Message;

fuzz_target!(|data: &[u8]| {
    again::<v1::AgentMessage, AgentMessage>(data, |one, two| match (one, two) {
        (AgentMessage::Batch(one), AgentMessage::Batch(two)) => same_batch(one, two),
        (one, two) => assert_eq!(one, two),
    });
    again::<v1::CentreMessage, CentreMessage>(data, |one, two| assert_eq!(one, two));
    again::<v1::EnrolRequest, EnrolRequest>(data, |one, two| assert_eq!(format!("{one:?}"), format!("{two:?}")));
    again::<v1::EnrolResponse, EnrolResponse>(data, |one, two| assert_eq!(format!("{one:?}"), format!("{two:?}")));
    stored(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = text.parse::<Token>();
    }
});

/// Decodes, checks, says again and checks again.
fn again<W, D>(data: &[u8], same: impl Fn(&D, &D))
where
    W: Message + Default + From<D>,
    D: TryFrom<W, Error = Invalid> + Clone,
{
    let Ok(wire) = W::decode(data) else { return };
    let domain = match D::try_from(wire) {
        Ok(domain) => domain,
        Err(invalid) => return assert!(!invalid.field.is_empty() && !invalid.to_string().is_empty()),
    };
    let bytes = W::from(domain.clone()).encode_to_vec();
    let wire = W::decode(bytes.as_slice()).expect("what was encoded can be decoded");
    same(&domain, &D::try_from(wire).expect("what was accepted is accepted again"));
}

fn same_batch(one: &Batch, two: &Batch) {
    assert_eq!((one.position, one.clocks), (two.position, two.clocks));
    match (&one.content, &two.content) {
        (Content::State(one), Content::State(two)) => {
            assert_eq!(one, two);
            for change in one.iter().flat_map(|group| &group.changes) {
                key_hash(&change.key());
                if let FactChange::Present(fact) = change {
                    let mut fitted = fact.body.clone();
                    limits::fit_fact(&mut fitted);
                    assert_eq!(fitted, fact.body, "what was accepted keeps the limits");
                }
            }
            for group in one {
                for change in &group.changes {
                    if let FactChange::Present(fact) = change {
                        fact_hash(&group.group, &fact.body);
                    }
                }
            }
        }
        // Items of one scope and time may be put together anew, and then change their order.
        (Content::History(one), Content::History(two)) => assert_eq!(sorted(one), sorted(two)),
        (one, two) => panic!("{one:?} became {two:?}"),
    }
}

fn sorted(items: &[impl Debug]) -> Vec<String> {
    let mut items: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
    items.sort_unstable();
    items
}

/// What spool and store keep.
fn stored(data: &[u8]) {
    if let Ok(fact) = codec::decode_fact(data) {
        assert_eq!(codec::decode_fact(&codec::encode_fact(&fact)).as_ref(), Ok(&fact));
    }
    if let Ok((key, observed)) = codec::decode_gone(data) {
        assert_eq!(codec::decode_gone(&codec::encode_gone(&key, observed)), Ok((key, observed)));
    }
    if let Ok(item) = codec::decode_history(data) {
        assert_eq!(codec::decode_history(&codec::encode_history(&item)).as_ref(), Ok(&item));
    }
}
