//! A capture file, pcap or pcapng, through a replay.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use onenet_capture::{
    offline::CaptureFile,
    replay::{ReplayOptions, Replayer},
};

fuzz_target!(|data: &[u8]| {
    let mut options = ReplayOptions::default();
    options.pipeline.flows.capacity = 16;
    options.pipeline.inventory.capacity = 16;
    let mut replayer = Replayer::new(&options);
    if let Ok(capture) = CaptureFile::read(Path::new("fuzzed"), data) {
        // That it is broken somewhere is what is tried here.
        let _ = replayer.capture(capture);
    }
    let replay = replayer.finish();
    // A record takes 12 bytes in either format, at the least.
    assert!(replay.frames.seen <= data.len() as u64 / 12);
});
