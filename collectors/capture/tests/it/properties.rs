//! Whatever the bytes: no panic, no reading elsewhere, bounded tables, and every frame counted.

use onenet_capture::{
    FrameMeta, LinkType, Pipeline, PipelineOptions, VlanTag,
    decode::{
        Packet, cdp::Cdp, dhcp::Dhcp, dhcpv6::Dhcpv6, icmp::Icmp, lldp::Lldp, names::Message, nd::Nd, netbios, stp,
    },
    offline::CaptureFile,
    replay::{ReplayOptions, Replayer},
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::frames::*;

/// Frames that reach deep into the decoders, to be damaged.
fn seeds() -> Vec<Vec<u8>> {
    let anna6 = "fe80::a".parse().unwrap();
    let lldp = [lldp_element(1, b"\x07c"), lldp_element(2, b"\x07p"), lldp_element(3, &[0, 9]), lldp_element(5, b"sw")];
    let nd = [&[135, 0, 0, 0, 0, 0, 0, 0][..], &[0xfe; 16], &[1, 1], &ANNA.0].concat();
    let options = [&[53, 1, 3, 52, 1, 3, 12, 2][..], b"pc", &[50, 4, 10, 0, 0, 10]].concat();
    let request = dhcp(1, ANNA, [0; 4].into(), [0; 4].into(), &options);
    vec![
        segment(true, 1, SYN, 10),
        ethernet(ANNA, BERT, ARP, &arp(2, ANNA, ANNA_IP, BERT_IP)),
        ethernet(ANNA, BERT, 0x8100, &tagged(5, IPV4, &ipv4(ANNA_IP, BERT_IP, 17, &udp(68, 67, &request)))),
        ethernet(ANNA, BERT, LLDP, &lldp.concat()),
        ethernet(ANNA, BERT, IPV6, &ipv6(anna6, anna6, 58, 255, &nd)),
        ethernet(ANNA, BERT, IPV6, &ipv6(anna6, anna6, 0, 64, &[&[44, 0, 1, 4, 0, 0, 0, 0][..], &[17; 30]].concat())),
        ethernet(ANNA, BERT, IPV4, &ipv4_part(ANNA_IP, BERT_IP, 17, (7, 0x2000), &udp(1, 2, &[0; 16]))),
        ethernet(ANNA, BERT, IPV4, &ipv4_part(ANNA_IP, BERT_IP, 17, (7, 3), &[0; 16])),
        ethernet(ANNA, BERT, 20, &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0, 0x45, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0]),
    ]
}

fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    (select(seeds()), vec(change, 0..6), any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(mut bytes, changes, end, cut)| {
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if cut {
                bytes.truncate(end.index(bytes.len() + 1));
            }
            bytes
        },
    )
}

fn link_type() -> impl Strategy<Value = LinkType> {
    select(vec![1_u32, 113, 276, 101, 0, 147]).prop_map(LinkType::from_code)
}

fn frame() -> impl Strategy<Value = (LinkType, FrameMeta, Vec<u8>)> {
    let bytes = prop_oneof![3 => damaged(), 1 => vec(any::<u8>(), 0..200)];
    let tag = prop::option::of((any::<u16>(), any::<u16>()));
    (prop_oneof![4 => Just(LinkType::Ethernet), 1 => link_type()], bytes, tag, 0..100_u32, any::<bool>()).prop_map(
        |(link_type, bytes, tag, more, outgoing)| {
            let vlan = tag.map(|(protocol, control)| VlanTag { protocol, control });
            let meta = FrameMeta { vlan, outgoing, ..FrameMeta::whole(bytes.len() as u32 + more) };
            (link_type, meta, bytes)
        },
    )
}

fn small() -> PipelineOptions {
    let mut options = PipelineOptions::default();
    options.inventory.capacity = 8;
    options.flows.capacity = 4;
    options.flows.finished_capacity = 4;
    options.local = vec!["10.0.0.0/8".parse().unwrap(), "fe80::/10".parse().unwrap()];
    options
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_a_decoder_panic_and_faults_lie_in_the_bytes((link_type, meta, bytes) in frame()) {
        match Packet::parse(link_type, meta, &bytes) {
            Ok(packet) => {
                if let Some(fault) = packet.fault {
                    prop_assert!(fault.offset <= bytes.len(), "{fault}");
                }
            }
            Err(fault) => prop_assert!(fault.offset <= bytes.len(), "{fault}"),
        }
        let names = Message::parse(&bytes).and_then(|message| message.entries(|entry| {
            entry.name.labels().for_each(drop);
            entry.strings().for_each(drop);
            entry.name_in_data(0).into_iter().for_each(|name| name.labels().for_each(drop));
        }));
        let faults = [
            Dhcp::parse(&bytes).err(),
            Lldp::parse(&bytes).err(),
            Cdp::parse(&bytes).err(),
            Dhcpv6::parse(&bytes).err(),
            netbios::announcement(&bytes).err(),
            stp::parse(&bytes).err(),
            names.err(),
        ];
        for fault in faults.into_iter().flatten() {
            prop_assert!(fault.offset <= bytes.len(), "{fault}");
        }
        if let Ok(icmp) = Icmp::parse_v6(&bytes) {
            let _ = Nd::parse(&icmp);
        }
    }

    #[test]
    fn no_bytes_make_a_capture_file_panic_or_hang(
        magic in select(vec![[0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d], [0x0a, 0x0d, 0x0d, 0x0a], [0, 1, 2, 3]]),
        rest in vec(prop_oneof![2 => 0_u8..12, 1 => any::<u8>()], 0..300),
    ) {
        let bytes = [&magic[..], &rest].concat();
        if let Ok(mut capture) = CaptureFile::read("made up".as_ref(), &bytes[..]) {
            // A record is no shorter than 12 bytes in either format.
            let mut records = 0;
            while let Ok(Some(_)) = capture.next_frame() {
                records += 1;
            }
            prop_assert!(records <= bytes.len() / 12);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn tables_stay_within_their_capacity_and_every_frame_is_counted(
        frames in vec((frame(), -100_000_i64..100_000), 0..200),
    ) {
        let mut pipeline = Pipeline::new(small());
        let (mut flow_packets, mut flows_taken) = (0, 0);
        for (number, ((link_type, meta, bytes), seconds)) in frames.iter().enumerate() {
            pipeline.frame(at(*seconds), *link_type, *meta, bytes);
            let now = pipeline.statistics();
            prop_assert!(now.endpoints <= 8 && now.flows_open <= 4 && pipeline.finished_flows() <= 4);
            prop_assert_eq!(now.frames, number as u64 + 1);
            for flow in pipeline.take_flows() {
                flow_packets += flow.packets_out + flow.packets_in;
                flows_taken += 1;
                prop_assert!(flow.start <= flow.end);
            }
        }
        pipeline.finish();
        for flow in pipeline.take_flows() {
            flow_packets += flow.packets_out + flow.packets_in;
            flows_taken += 1;
        }
        let end = pipeline.statistics();
        prop_assert_eq!(end.flows.flows_untaken, 0);
        prop_assert_eq!(end.flows.flows_finished, flows_taken);
        prop_assert_eq!(end.flows.flows_opened, flows_taken);
        prop_assert!(flow_packets + end.flows.fragments_unmatched + end.flows.packets_unread <= end.frames + end.tunnelled);
    }

    #[test]
    fn the_same_frames_give_the_same_replay(frames in vec((damaged(), 0_u32..1_000), 0..60)) {
        let file = crate::offline::pcap(&frames.iter().map(|(bytes, s)| (*s, &bytes[..])).collect::<Vec<_>>());
        let run = || {
            let mut replayer = Replayer::new(&ReplayOptions { pipeline: small(), flows_max: 1_000 });
            replayer.capture(CaptureFile::read("made up".as_ref(), &file[..]).unwrap()).unwrap();
            serde_json::to_string(&replayer.finish()).unwrap()
        };
        prop_assert_eq!(run(), run());
    }
}
