//! One LLDP unit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_capture::decode::lldp::Lldp;

fuzz_target!(|data: &[u8]| {
    if let Err(fault) = Lldp::parse(data) {
        assert!(fault.offset <= data.len(), "{fault}");
    }
});
