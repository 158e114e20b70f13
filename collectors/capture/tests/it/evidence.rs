//! Evidence: what is saved of recent packets, read back by two readers.

use std::{io::Cursor, path::Path};

use onenet_capture::{
    FrameMeta, LinkType, VlanTag,
    evidence::{Memory, SNAP_LENGTH_DEFAULT, Wanted, save},
    offline::CaptureFile,
};
use pcap_file::pcapng::{Block, PcapNgReader, blocks::enhanced_packet::EnhancedPacketOption};

use crate::frames::*;

const TAG: VlanTag = VlanTag { protocol: 0x8100, control: 0x6007 };

fn keep(evidence: &Memory, seconds: i64, frame: &[u8], vlan: Option<VlanTag>) {
    // The kernel counts the tag that it took off.
    let more = if vlan.is_some() { 4 } else { 0 };
    let meta = FrameMeta { vlan, ..FrameMeta::whole(u32::try_from(frame.len()).unwrap() + more) };
    evidence.keeper().keep(at(seconds), LinkType::Ethernet, meta, frame);
}

/// What two interfaces heard in ten seconds: Anna asks Bert, Bert asks the router by ARP, and long before that somebody else spoke.
fn heard() -> [Memory; 2] {
    let [left, right] = ["eth1", "eth2"].map(|name| Memory::new(name, 1 << 20, SNAP_LENGTH_DEFAULT));
    keep(&left, 1, &ethernet(ROUTER, BERT, IPV4, &ipv4([10, 9, 9, 9].into(), BERT_IP, 17, &udp(53, 999, b"x"))), None);
    for second in 2..10 {
        let evidence = if second % 2 == 0 { &left } else { &right };
        keep(evidence, second, &segment(second % 3 == 0, 7, ACK, 900), Some(TAG));
    }
    keep(&right, 10, &ethernet(BERT, ROUTER, ARP, &arp(1, BERT, BERT_IP, [10, 0, 0, 1].into())), None);
    [left, right]
}

fn saved(sources: &[Memory], wanted: &Wanted) -> (onenet_capture::evidence::Saved, Vec<u8>) {
    let mut bytes = Vec::new();
    let notes = [(at(5), "the packet that gave it away".to_owned())];
    let saved = save(sources, wanted, ("onenet", "case 7: beaconing"), &notes, &mut bytes).unwrap();
    (saved, bytes)
}

/// Returns the seconds of the packets in a file, as our own reader sees them.
fn seconds(bytes: Vec<u8>) -> Vec<i64> {
    let mut file = CaptureFile::read(Path::new("saved"), Cursor::new(bytes)).unwrap();
    let mut seconds = Vec::new();
    while let Some(frame) = file.next_frame().unwrap() {
        seconds.push(frame.time.ns_since(at(0)) / 1_000_000_000);
    }
    seconds
}

#[test]
fn a_file_has_the_wanted_packets_of_all_interfaces_in_order_with_names_tags_and_notes() {
    let wanted = Wanted { addresses: vec![ANNA_IP.into()], from: at(4), ..Wanted::default() };
    let (saved, bytes) = saved(&heard(), &wanted);
    assert_eq!((saved.packets, saved.omitted, saved.memory_from), (6, 0, Some(at(3))));
    assert_eq!(seconds(bytes.clone()), [4, 5, 6, 7, 8, 9]);

    // A reader of somebody else's.
    let mut reader = PcapNgReader::new(Cursor::new(bytes)).unwrap();
    assert!(format!("{:?}", reader.section()).contains("case 7: beaconing"));
    let (mut packets, mut names, mut noted) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(block) = reader.next_block() {
        match block.unwrap() {
            Block::InterfaceDescription(interface) => names.push(format!("{:?}", interface.options)),
            Block::EnhancedPacket(packet) => {
                let has_note = packet.options.iter().any(|option| matches!(option, EnhancedPacketOption::Comment(_)));
                noted.push(has_note);
                packets.push((packet.interface_id, packet.original_len, packet.data.into_owned()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(names[0].contains("eth1") && names[1].contains("eth2") && names.len() == 2, "{names:?}");
    assert_eq!(noted, [false, true, false, false, false, false]);
    for (second, (interface, original, data)) in (4..10).zip(&packets) {
        let whole = segment(second % 3 == 0, 7, ACK, 900);
        let tagged = ethernet_tagged(&whole);
        assert_eq!(*interface, u32::from(second % 2 != 0));
        assert_eq!((*original as usize, &data[..]), (tagged.len(), &tagged[..SNAP_LENGTH_DEFAULT + 4]));
    }
}

/// The frame as it was on the wire.
fn ethernet_tagged(frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &TAG.protocol.to_be_bytes(), &TAG.control.to_be_bytes(), &frame[12..]].concat()
}

#[test]
fn who_is_wanted_is_found_by_address_mac_and_port_and_nobody_else() {
    let sources = heard();
    let found = |wanted: Wanted| seconds(saved(&sources, &wanted).1);
    let all: Vec<i64> = (1..=10).collect();
    assert_eq!(found(Wanted::default()), all);
    assert_eq!(found(Wanted { macs: vec![BERT], ..Wanted::default() }), all);
    assert_eq!(found(Wanted { macs: vec![ANNA], ..Wanted::default() }), all[1..9]);
    // Who an ARP packet asks for counts too.
    assert_eq!(found(Wanted { addresses: vec!["10.0.0.1".parse().unwrap()], ..Wanted::default() }), [10]);
    assert_eq!(found(Wanted { ports: vec![53], ..Wanted::default() }), [1]);
    assert_eq!(found(Wanted { ports: vec![80], addresses: vec![BERT_IP.into()], ..Wanted::default() }), all[1..9]);
    assert_eq!(found(Wanted { to: at(3), ..Wanted::default() }), [1, 2, 3]);
    // Of too many, the last.
    let few = Wanted { packets_max: 3, ..Wanted::default() };
    assert_eq!(saved(&sources, &few).0.omitted, 7);
    assert_eq!(found(few), [8, 9, 10]);
    let all = saved(&sources, &Wanted::default()).1.len();
    let small = Wanted { bytes_max: all / 2, ..Wanted::default() };
    let (told, file) = saved(&sources, &small);
    assert!(file.len() < all && told.packets > 0 && told.omitted > 0, "{told:?}");
    assert!(seconds(file).ends_with(&[9, 10]));
}

#[test]
fn memory_that_is_full_keeps_the_newest_and_says_from_when_on() {
    let evidence = Memory::new("eth1", 64 << 10, SNAP_LENGTH_DEFAULT);
    for second in 0..10_000 {
        keep(&evidence, second, &segment(true, 7, ACK, 900), None);
    }
    let (saved, bytes) = saved(&[evidence], &Wanted::default());
    let kept = seconds(bytes);
    assert_eq!(kept.last(), Some(&9_999));
    assert!((100..130).contains(&kept.len()), "{} packets of 544 bytes in 64 KiB", kept.len());
    assert_eq!(saved.memory_from, Some(at(kept[0])));
    // Nothing kept: an empty file, which is no error.
    let (none, bytes) = self::saved(&[Memory::new("eth2", 0, 64)], &Wanted::default());
    assert_eq!((none.packets, none.memory_from, seconds(bytes)), (0, None, Vec::new()));
}
