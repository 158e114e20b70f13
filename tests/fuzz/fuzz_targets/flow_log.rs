//! A block of the flow log, as a damaged disk or a stranger's file may hold it.
//!
//! Input: two bytes with the length of the summary, the summary, then the payload as it is before compression: checksums and
//! compression are put around them, since no change would come through those.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_agent::flow_log::{read_frame, read_parts};

fuzz_target!(|data: &[u8]| {
    assert_eq!(read_frame(data), None, "a checksum was guessed");
    let Some((length, rest)) = data.split_first_chunk() else { return };
    let (summary, payload) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
    if let Some(flows) = read_parts(summary, payload) {
        // A flow takes a byte in each of twelve columns, at the least.
        assert!(flows as usize <= payload.len() / 12, "{flows} flows of {} bytes", payload.len());
    }
});
