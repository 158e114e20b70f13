//! Payloads through the recogniser of one flow, with a pool that other flows take from all the time.
//!
//! Input: a byte of flags, two of the responder's port; then for each payload a byte that selects its side, two of its length, and the bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_capture::application::{Assemblies, DETAIL_OCTETS_MAX, PAYLOADS_MAX, Recogniser};

fuzz_target!(|data: &[u8]| {
    let Some((&[flags, p0, p1], mut rest)) = data.split_first_chunk() else { return };
    let mut assemblies = Assemblies::default();
    let mut recogniser = Recogniser::new(if flags & 1 == 0 { 6 } else { 17 }, 50_000, u16::from_be_bytes([p0, p1]));
    let mut given = 0;
    while let Some((&[select, l0, l1], after)) = rest.split_first_chunk() {
        let (payload, next) = after.split_at(usize::from(u16::from_be_bytes([l0, l1])).min(after.len()));
        rest = next;
        if select & 2 != 0 {
            recogniser.gap(&mut assemblies);
        }
        if recogniser.is_done() {
            break;
        }
        given += usize::from(payload.len() >= 2);
        recogniser.payload(&mut assemblies, select & 1 == 0, payload);
    }
    assert!(given <= usize::from(PAYLOADS_MAX));
    let kept = recogniser.details().map_or(0, |details| details.iter().map(|(_, text)| text.len()).sum::<usize>());
    assert!(kept <= DETAIL_OCTETS_MAX);
    // What is over gives back its slot.
    assert!(!recogniser.is_done() || assemblies.octets() == 0);
});
