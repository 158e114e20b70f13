//! Messages of the protocols of discovery: each decoder, and all of them behind the frames that carry them.
//!
//! Input: a byte that selects the protocol, and the message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_capture::{
    FrameMeta, FrameTime, LinkType, Pipeline, PipelineOptions,
    decode::{cdp::Cdp, dhcpv6::Dhcpv6, elements::elements, names::Message, netbios, ssdp::Ssdp, stp},
};

/// Ports by which a datagram is read.
const PORTS: [u16; 9] = [5_353, 5_355, 137, 138, 1_900, 3_702, 37_020, 37_810, 547];

fuzz_target!(|data: &[u8]| {
    let Some((&select, message)) = data.split_first() else { return };
    let fault = match select % 8 {
        0 => Message::parse(message).and_then(|it| it.entries(|entry| {
            assert!(entry.name.labels().map(<[u8]>::len).sum::<usize>() <= 64 * 64);
            entry.strings().for_each(|text| assert!(text.len() <= message.len()));
            for offset in [0, 6] {
                entry.name_in_data(offset).into_iter().for_each(|name| name.labels().for_each(drop));
            }
        })),
        1 => netbios::announcement(message).map(drop),
        2 => Dhcpv6::parse(message).map(drop),
        3 => Cdp::parse(message).map(drop),
        4 => stp::parse(message).map(drop),
        5 => { let _ = Ssdp::parse(message); Ok(()) }
        _ => { assert!(elements(message).count() <= 256); Ok(()) }
    };
    if let Err(fault) = fault {
        assert!(fault.offset <= message.len(), "{fault}");
    }
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    for (second, frame) in (0..).zip(frames(select, message)) {
        let length = u32::try_from(frame.len()).expect("short");
        pipeline.frame(FrameTime::from_parts(second, 0), LinkType::Ethernet, FrameMeta::whole(length), &frame);
    }
    for endpoint in pipeline.endpoints() {
        assert!(endpoint.signs.len() <= 48 && endpoint.signs.iter().all(|sign| sign.value.len() <= 300));
        drop(endpoint.facts());
    }
});

/// Returns frames that carry the message: by IPv4 to everybody, and with the headers of LLC that equipment uses.
fn frames(select: u8, message: &[u8]) -> [Vec<u8>; 3] {
    const SENDER: [u8; 6] = [0, 0x1b, 0x21, 0, 0, 1];
    let port = PORTS[usize::from(select) % PORTS.len()].to_be_bytes();
    let length = |more: usize| u16::try_from(message.len() + more).unwrap_or(u16::MAX).to_be_bytes();
    let udp = [&port[..], &port, &length(8), &[0, 0], message].concat();
    let ip = [&[0x45, 0][..], &length(28), &[0, 0, 0, 0, 1, 17, 0, 0, 10, 0, 0, 10, 224, 0, 0, 251], &udp].concat();
    let ethernet = |kind: [u8; 2], payload: &[u8]| [&[0xff; 6][..], &SENDER, &kind, payload].concat();
    let llc = |head: &[u8]| ethernet(length(head.len()), &[head, message].concat());
    [ethernet([8, 0], &ip), llc(&[0x42, 0x42, 3]), llc(&[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0])]
}
