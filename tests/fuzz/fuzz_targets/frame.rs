//! Frames through the whole pipeline with tables so small that everything has to leave all the time.
//!
//! Input: for each frame a byte that selects link type and flags, a byte of seconds, two of length, and the bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_capture::{FrameMeta, FrameTime, LinkType, Pipeline, PipelineOptions, VlanTag};

const LINK_TYPES: [u32; 8] = [1, 1, 1, 113, 276, 101, 0, 147];

fuzz_target!(|data: &[u8]| {
    let mut options = PipelineOptions::default();
    options.inventory.capacity = 4;
    options.flows.capacity = 4;
    options.flows.finished_capacity = 2;
    options.sightings = true;
    options.local = vec!["10.0.0.0/8".parse().expect("a prefix"), "fe80::/10".parse().expect("a prefix")];
    let mut pipeline = Pipeline::new(options);
    let (mut rest, mut now, mut frames) = (data, 0_i64, 0);
    while let Some((&[select, seconds, l0, l1], after)) = rest.split_first_chunk() {
        let (frame, next) = after.split_at(usize::from(u16::from_be_bytes([l0, l1])).min(after.len()));
        now += i64::from(seconds.cast_signed());
        let length = u32::try_from(frame.len()).expect("short");
        let meta = FrameMeta {
            vlan: (select & 0x20 != 0).then_some(VlanTag { protocol: 0x8100, control: u16::from(seconds) }),
            outgoing: select & 0x40 != 0,
            ..FrameMeta::whole(if select & 0x10 == 0 { length } else { length + 100 })
        };
        let link_type = LinkType::from_code(LINK_TYPES[usize::from(select & 7)]);
        // Frames that were foreseen, and some that were not, in any order: what stood ready is then another's.
        pipeline.foresee(link_type, meta, frame);
        if select & 0x08 != 0 {
            pipeline.prepare();
        }
        pipeline.frame(FrameTime::from_parts(now, 0), link_type, meta, frame);
        frames += 1;
        if select & 0x80 != 0 {
            let changes = pipeline.take_changes(FrameTime::from_parts(now, 0).into());
            changes.endpoints.iter().for_each(|endpoint| drop(endpoint.facts()));
            pipeline.take_sightings().for_each(drop);
        }
        rest = next;
    }
    let statistics = pipeline.statistics();
    assert_eq!(statistics.frames, frames);
    assert!(statistics.endpoints <= 4 && statistics.flows_open <= 4);
});
