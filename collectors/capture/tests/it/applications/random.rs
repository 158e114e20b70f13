//! Bytes that mean nothing are nobody's, and nothing that is sent makes a recogniser panic, grow or go on for ever.

use onenet_capture::application::{Assemblies, DETAIL_OCTETS_MAX, Details, PAYLOADS_MAX, Recogniser};
use proptest::{collection::vec, prelude::*};

use super::*;

fn payloads() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
    vec((any::<bool>(), vec(any::<u8>(), 0..200)), 0..40)
}

proptest! {
    #[test]
    fn what_is_sent_takes_bounded_memory_and_ends(
        tcp in any::<bool>(), ports in any::<[u16; 2]>(), payloads in payloads(), gap in 0..40_usize,
    ) {
        let mut assemblies = Assemblies::default();
        let mut recogniser = Recogniser::new(if tcp { TCP } else { UDP }, ports[0], ports[1]);
        let mut given = 0;
        for (at, (from_originator, payload)) in payloads.iter().enumerate() {
            if at == gap {
                recogniser.gap(&mut assemblies);
            }
            if recogniser.is_done() {
                break;
            }
            given += usize::from(payload.len() >= 2);
            recogniser.payload(&mut assemblies, *from_originator, payload);
        }
        prop_assert!(given <= usize::from(PAYLOADS_MAX));
        let kept: usize = recogniser.details().into_iter().flat_map(Details::iter).map(|(_, text)| text.len()).sum();
        prop_assert!(kept <= DETAIL_OCTETS_MAX);
    }

    #[test]
    fn a_conclusion_from_payload_does_not_change_to_a_guess(payloads in payloads(), ports in any::<[u16; 2]>()) {
        let mut assemblies = Assemblies::default();
        let mut recogniser = Recogniser::new(UDP, ports[0], ports[1]);
        let mut by_payload = false;
        for (from_originator, payload) in &payloads {
            recogniser.payload(&mut assemblies, *from_originator, payload);
            prop_assert!(recogniser.conclusion().by_payload >= by_payload);
            by_payload = recogniser.conclusion().by_payload;
        }
    }
}

/// A generator of numbers that needs no seed from outside: the test is the same each time (xorshift, after Marsaglia).
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

#[test]
fn random_bytes_on_ports_that_suggest_nothing_are_named_hardly_ever() {
    let mut next = numbers(0x9e37_79b9_7f4a_7c15);
    let mut names = Vec::new();
    for flow in 0..20_000 {
        let protocol = if flow % 2 == 0 { TCP } else { UDP };
        let talk: Vec<_> = (0..6)
            .map(|at| {
                let length = usize::try_from(next() % 120).unwrap() + 2;
                (at % 2 == 0, (0..length).map(|_| next().to_be_bytes()[3]).collect())
            })
            .collect();
        names.extend(named(&recognise(protocol, ANY, &talk)));
    }
    // 120,000 payloads: what is found here is chance, and each must be one in tens of thousands.
    assert!(names.len() <= 2, "{names:?}");
}

/// Reads what the fuzz target `application` takes: flags, the responder's port; side, length and bytes of each payload.
fn replay(data: &[u8], assemblies: &mut Assemblies) -> Option<Recogniser> {
    let (&[flags, p0, p1], mut rest) = data.split_first_chunk()?;
    let protocol = if flags & 1 == 0 { TCP } else { UDP };
    let mut recogniser = Recogniser::new(protocol, ANY[0], u16::from_be_bytes([p0, p1]));
    while let Some((&[select, l0, l1], after)) = rest.split_first_chunk() {
        let (payload, next) = after.split_at(usize::from(u16::from_be_bytes([l0, l1])).min(after.len()));
        rest = next;
        if select & 2 != 0 {
            recogniser.gap(assemblies);
        }
        if !recogniser.is_done() {
            recogniser.payload(assemblies, select & 1 == 0, payload);
        }
    }
    Some(recogniser)
}

/// How many times each seed is changed.
const MUTATIONS: usize = 500;

#[test]
fn seeds_of_the_fuzz_target_are_named_and_stand_being_changed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/application");
    let mut seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    seeds.sort();
    let mut next = numbers(0x2545_f491_4f6c_dd1d);
    let mut below = |bound: usize| usize::try_from(next() % u64::try_from(bound.max(1)).unwrap()).unwrap();
    let mut assemblies = Assemblies::default();
    let mut nameless = Vec::new();
    for file in &seeds {
        let seed = std::fs::read(file).unwrap();
        let told = replay(&seed, &mut assemblies).unwrap();
        nameless.extend(named(&told).is_none().then_some(file));
        for _ in 0..MUTATIONS {
            let mut changed = seed.clone();
            for _ in 0..=below(4) {
                let at = below(changed.len());
                match below(5) {
                    0 => changed[at] = [0, 1, 0x7f, 0x80, 0xff][below(5)],
                    1 => changed[at] ^= 1 << below(8),
                    2 => changed.truncate(at + 1),
                    3 => changed.insert(at, u8::try_from(below(256)).unwrap()),
                    _ => drop(changed.splice(at.., seed[below(seed.len())..].iter().copied())),
                }
            }
            let told = replay(&changed, &mut assemblies);
            let kept = told.as_ref().and_then(Recogniser::details).map_or(0, |details| details.iter().count());
            assert!(kept < 32, "{}", file.display());
            assert!(
                assemblies.octets() == 0 || told.is_none_or(|told| !told.is_done()),
                "{}: a slot is kept",
                file.display()
            );
            assemblies = Assemblies::default();
        }
    }
    assert!(nameless.is_empty(), "{nameless:?}");
}
