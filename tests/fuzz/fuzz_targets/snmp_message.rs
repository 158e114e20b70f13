//! One datagram that says it is an SNMPv2c answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_snmp::{VarBinds, engine::message::Opened};

fuzz_target!(|data: &[u8]| match Opened::read(data) {
    Err(refused) => assert!(refused.offset <= data.len(), "{refused}"),
    Ok(opened) => {
        let response = opened.response(usize::MAX);
        // A pair takes two bytes at the least, and memory follows the datagram.
        assert!(response.varbinds.len() <= data.len() / 2);
        assert!(response.varbinds.room_bytes() <= VarBinds::room_limit(data.len()));
        let octets: usize = response.varbinds.iter().filter_map(|pair| pair.value.octets()).map(<[u8]>::len).sum();
        let arcs: usize = response.varbinds.iter().map(|pair| pair.name.len()).sum();
        assert!(octets <= data.len() && arcs <= data.len() * 2);
    }
});
