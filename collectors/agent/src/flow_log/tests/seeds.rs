//! The seeds of the fuzz target `flow_log`, changed a little: whatever a block holds, reading it ends.

use std::path::PathBuf;

use onenet_topology::fact::Scope;

use super::*;
use crate::flow_log::{
    block, read_parts,
    summary::{self, Findable, Lost},
};

/// How many times each seed is changed.
const MUTATIONS: usize = 2_000;

/// A flow takes a byte in each of twelve columns, at the least.
const FLOW_BYTES: usize = 12;

/// Returns lists of flows that differ in what a block has tables and columns for.
fn lists() -> [(&'static str, Vec<Flow>); 5] {
    let with = |change: fn(usize, &mut Flow)| {
        let mut flows = flows(0..12);
        flows.iter_mut().enumerate().for_each(|(at, flow)| change(at, flow));
        flows
    };
    [
        ("one", flows(1..2)),
        ("many", flows(0..60)),
        (
            "v6",
            with(|at, flow| {
                flow.originator.ip = [0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::try_from(at % 5).unwrap()].into();
                flow.responder.ip = [0x2001, 0xdb8, 0, 1, 0, 0, 0, 1].into();
                flow.interface = Some(Scope::new("eth2"));
            }),
        ),
        (
            "odd",
            with(|at, flow| {
                flow.start = Timestamp::from_unix_ms([i64::MIN, i64::MAX - 1, 0][at % 3]);
                flow.end = Timestamp::from_unix_ms([i64::MAX, 0, i64::MIN, -1][at % 4]);
                (flow.packets_out, flow.bytes_out, flow.vlan) = (u64::MAX, u64::MAX, Some(u16::MAX));
            }),
        ),
        (
            "plain",
            with(|_, flow| {
                (flow.tcp, flow.application, flow.interface) = (None, None, None);
                flow.name.clear();
            }),
        ),
    ]
}

fn seed_of(flows: &[Flow]) -> Vec<u8> {
    let payload = block::encode(flows);
    let summary = summary::encode(1, flows, Lost::default(), payload.len(), Findable::Yes);
    [&u16::try_from(summary.len()).unwrap().to_be_bytes()[..], &summary, &payload].concat()
}

/// Reads what the target takes: length of the summary, summary, payload.
fn replay(data: &[u8]) -> Option<u32> {
    let (length, rest) = data.split_first_chunk()?;
    let (summary, payload) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
    let flows = read_parts(summary, payload)?;
    assert!(usize::try_from(flows).unwrap() <= payload.len() / FLOW_BYTES, "{flows} flows of {}", payload.len());
    Some(flows)
}

#[test]
fn seeds_of_the_fuzz_target_are_blocks_and_stand_being_changed() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/flow_log"));
    if std::env::var_os("ONENET_BLESS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, flows) in lists() {
            std::fs::write(folder.join(name), seed_of(&flows)).unwrap();
        }
    }
    // A few numbers that look random, the same each time (xorshift).
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(bound.max(1)).unwrap()).unwrap()
    };
    let mut read = 0;
    for (name, flows) in lists() {
        let seed = std::fs::read(folder.join(name)).unwrap();
        assert_eq!(replay(&seed), Some(u32::try_from(flows.len()).unwrap()), "{name}");
        for _ in 0..MUTATIONS {
            let mut changed = seed.clone();
            for _ in 0..=below(3) {
                let at = below(changed.len());
                match below(5) {
                    0 => changed[at] = [0, 1, 0x7f, 0x80, 0xff][below(5)],
                    1 => changed[at] ^= 1 << below(8),
                    2 => changed.truncate(at + 1),
                    3 => changed.insert(at, u8::try_from(below(256)).unwrap()),
                    _ => drop(changed.splice(at.., seed[below(seed.len())..].iter().copied())),
                }
            }
            read += usize::from(replay(&changed).is_some());
        }
    }
    // Changes that leave it a block: that many reach each column.
    assert!(read > MUTATIONS / 2, "{read}");
}
