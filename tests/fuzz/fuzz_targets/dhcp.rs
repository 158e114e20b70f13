//! One DHCP message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_capture::decode::dhcp::Dhcp;

fuzz_target!(|data: &[u8]| {
    if let Err(fault) = Dhcp::parse(data) {
        assert!(fault.offset <= data.len(), "{fault}");
    }
});
