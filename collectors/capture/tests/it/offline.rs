//! Capture files of every kind, whole and broken.

use std::io::{self, Read, Write as _};

use onenet_capture::{
    FrameTime, LinkType,
    offline::{CaptureFile, Fault, OfflineError},
    replay::{ReplayOptions, describe, replay},
};
use serde_json::{Value, json};

use crate::frames::*;

/// A pcap file of Ethernet frames, little-endian, microseconds.
pub(crate) fn pcap(frames: &[(u32, &[u8])]) -> Vec<u8> {
    pcap_of(false, 0xa1b2_c3d4, 1, frames)
}

fn pcap_of(big: bool, magic: u32, link: u32, frames: &[(u32, &[u8])]) -> Vec<u8> {
    let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let version = if big { [0, 2, 0, 4] } else { [2, 0, 4, 0] };
    let mut file = [word(magic), version, word(0), word(0), word(65_535), word(link)].concat();
    for (second, frame) in frames {
        let length = word(frame.len() as u32);
        file.extend([word(1_700_000_000 + second), word(123_456), length, length].concat());
        file.extend(*frame);
    }
    file
}

fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let length = word((12 + body.len() + padding.len()) as u32);
    [&word(kind)[..], &length, body, &padding, &length].concat()
}

fn section(big: bool) -> Vec<u8> {
    let body = if big { [0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0] } else { [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0] };
    block(big, 0x0a0d_0d0a, &[&body[..], &[0xff; 8]].concat())
}

fn interface(options: &[u8]) -> Vec<u8> {
    block(false, 1, &[&[1, 0, 0, 0, 0, 0, 4, 0][..], options].concat())
}

/// An enhanced packet of the first interface, outgoing.
fn enhanced(units: u64, frame: &[u8]) -> Vec<u8> {
    let [high, low] = [(units >> 32) as u32, units as u32];
    let length = (frame.len() as u32).to_le_bytes();
    let head = [[0; 4], high.to_le_bytes(), low.to_le_bytes(), length, length].concat();
    let padding = vec![0; frame.len().next_multiple_of(4) - frame.len()];
    let options = [2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0];
    block(false, 6, &[&head[..], frame, &padding, &options].concat())
}

/// Time, link type, whether outgoing, bytes.
type Frame = (FrameTime, LinkType, bool, Vec<u8>);

fn read(file: &[u8]) -> (Vec<Frame>, Option<OfflineError>) {
    let mut frames = Vec::new();
    let mut capture = match CaptureFile::read("a.pcap".as_ref(), file) {
        Ok(capture) => capture,
        Err(error) => return (frames, Some(error)),
    };
    loop {
        match capture.next_frame() {
            Ok(Some(frame)) => frames.push((frame.time, frame.link_type, frame.meta.outgoing, frame.bytes.to_vec())),
            Ok(None) => return (frames, None),
            Err(error) => {
                assert!(capture.next_frame().unwrap().is_none(), "there is no going on after an error");
                return (frames, Some(error));
            }
        }
    }
}

fn fault(error: Option<OfflineError>) -> (u64, Fault) {
    match error {
        Some(OfflineError::Broken { offset, broken, .. }) => (offset, broken),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pcap_in_either_byte_order_and_resolution_reads_alike() {
    for (big, magic, ns) in [
        (false, 0xa1b2_c3d4, 123_456_000),
        (true, 0xa1b2_c3d4, 123_456_000),
        (false, 0xa1b2_3c4d, 123_456),
        (true, 0xa1b2_3c4d, 123_456),
    ] {
        let (frames, error) = read(&pcap_of(big, magic, 0x3000_0071, &[(0, b"one"), (1, b"")]));
        assert!(error.is_none());
        let time = |second: i64| FrameTime::from_parts(1_700_000_000 + second, ns);
        let cooked = LinkType::LinuxCooked;
        assert_eq!(frames, [(time(0), cooked, false, b"one".to_vec()), (time(1), cooked, false, vec![])]);
    }
}

#[test]
fn pcapng_times_follow_the_interface() {
    // Resolution (option 9) and offset (option 14) in seconds.
    let resolution = |value| [&[9, 0, 1, 0, value, 0, 0, 0][..], &[0, 0, 0, 0]].concat();
    let offset = [&[14, 0, 8, 0][..], &100_i64.to_le_bytes(), &[0, 0, 0, 0]].concat();
    let cases: [(&[u8], u64, i64); 5] = [
        (&[], 5_000_001, 5_000_001_000),
        (&resolution(9), 5_000_000_001, 5_000_000_001),
        (&resolution(0x8a), 5 * 1_024 + 512, 5_500_000_000),
        (&resolution(127), u64::MAX, 0),
        (&offset, 1, 100_000_001_000),
    ];
    for (options, units, ns) in cases {
        let (frames, error) = read(&[section(false), interface(options), enhanced(units, b"frame")].concat());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(frames, [(FrameTime::from_unix_ns(ns), LinkType::Ethernet, true, b"frame".to_vec())]);
    }
}

#[test]
fn pcapng_skips_other_blocks_and_sections_stand_alone() {
    let file = [
        section(false),
        interface(&[]),
        block(false, 5, &vec![7; 3_000_000]),
        enhanced(1, b"little"),
        section(true),
        block(true, 1, &[0, 101, 0, 0, 0, 0, 0, 3]),
        block(true, 3, &[&[0, 0, 0, 9][..], b"abc"].concat()),
    ]
    .concat();
    let (frames, error) = read(&file);
    assert!(error.is_none(), "{error:?}");
    let shown: Vec<_> = frames.iter().map(|frame| (frame.1, &frame.3[..])).collect();
    // The simple packet is cut to its interface's length of three bytes, and has the time of the one before.
    assert_eq!(shown, [(LinkType::Ethernet, &b"little"[..]), (LinkType::RawIp, &b"abc"[..])]);
    assert_eq!(frames[0].0, frames[1].0);
}

#[test]
fn a_cut_file_gives_its_whole_frames_and_says_where_it_ends() {
    let file = pcap(&[(0, b"first"), (1, b"second")]);
    for cut in 46..file.len() {
        let (frames, error) = read(&file[..cut]);
        assert_eq!(frames.len(), 1);
        let (offset, broken) = fault(error);
        assert_eq!(offset, if cut < 61 { 45 } else { 61 });
        assert!(matches!(broken, Fault::Truncated { .. }));
    }
    let ng = [section(false), interface(&[]), enhanced(1, b"frame")].concat();
    let whole = ng.len();
    for cut in 1..whole {
        let (frames, error) = read(&ng[..cut]);
        assert!(frames.is_empty());
        assert_eq!(error.is_none(), cut == 28 || cut == 48, "{cut}: {error:?}");
    }
}

#[test]
fn lengths_that_no_frame_has_are_refused_without_taking_memory() {
    let mut file = pcap(&[(0, b"first"), (1, b"second")]);
    file[45 + 8..45 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let (frames, error) = read(&file);
    assert_eq!((frames.len(), fault(error)), (1, (61, Fault::TooLong { stated: u32::MAX.into() })));
    for (length, what) in [(4_u32, "it is too short"), (13, "its length is not a multiple of four")] {
        let mut ng = [section(false), interface(&[])].concat();
        ng[32..36].copy_from_slice(&length.to_le_bytes());
        assert_eq!(fault(read(&ng).1), (36, Fault::Block { kind: 1, what }));
    }
    let unknown = [section(false), [0x99, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff].to_vec()].concat();
    assert!(matches!(fault(read(&unknown).1), (36, Fault::Truncated { .. })));
}

#[test]
fn pcapng_packets_of_no_interface_and_ends_that_differ_are_refused() {
    let (frames, error) = read(&[section(false), enhanced(1, b"frame")].concat());
    assert!(frames.is_empty() && matches!(fault(error).1, Fault::Block { kind: 6, .. }));
    let mut file = [section(false), interface(&[])].concat();
    let end = file.len() - 4;
    file[end] += 4;
    assert!(matches!(fault(read(&file).1).1, Fault::Block { kind: 1, what: "the lengths at its two ends differ" }));
}

#[test]
fn what_is_no_capture_is_told_apart_with_its_remedy() {
    let cases: [(&[u8], &str); 4] = [
        (b"hello world", "not a pcap or pcapng file"),
        (b"", "not a pcap or pcapng file"),
        (&[0x1f, 0x8b, 8, 0], "unpack it with gunzip first"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "unpack it with unzstd first"),
    ];
    for (bytes, expected) in cases {
        let text = read(bytes).1.unwrap().to_string();
        assert!(text.starts_with("a.pcap: ") && text.contains(expected), "{text}");
    }
}

#[test]
fn a_source_that_fails_is_an_error_with_its_place() {
    struct Failing(Vec<u8>);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("the disk is gone"));
            }
            let length = self.0.len().min(buffer.len()).min(7);
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0.drain(..length);
            Ok(length)
        }
    }
    let mut capture = CaptureFile::read("a.pcap".as_ref(), Failing(pcap(&[(0, b"first")]))).unwrap();
    assert_eq!(capture.next_frame().unwrap().unwrap().bytes, b"first");
    let text = describe(&capture.next_frame().unwrap_err());
    assert!(text.contains("byte 45, after 1 frames") && text.ends_with("the disk is gone"), "{text}");
}

/// Packs bytes with gzip in two members, as concatenated files are, and with zstd.
fn packed(bytes: &[u8]) -> [(&'static str, Vec<u8>); 2] {
    let gzip = |part: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap()
    };
    let (one, other) = bytes.split_at(bytes.len() / 2);
    [("gzip", [gzip(one), gzip(other)].concat()), ("zstd", zstd::encode_all(bytes, 3).unwrap())]
}

#[test]
fn compressed_files_are_read_like_the_files_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let frames: Vec<_> = (0..2_000).map(|second| (second, segment(second % 2 == 0, second, ACK, 700))).collect();
    let timed: Vec<_> = frames.iter().map(|(second, frame)| (*second, &frame[..])).collect();
    let plain = folder.path().join("plain.pcap");
    std::fs::write(&plain, pcap(&timed)).unwrap();
    let expected = serde_json::to_value(replay(&[&plain], &ReplayOptions::default())).unwrap();
    assert_eq!(expected["frames"]["seen"], 2_000);
    for (with, bytes) in packed(&pcap(&timed)) {
        let file = folder.path().join(with);
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(serde_json::to_value(replay(&[&file], &ReplayOptions::default())).unwrap(), expected, "{with}");
    }
}

#[test]
fn a_compressed_file_that_is_cut_or_damaged_counts_up_to_there_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let noise = |second: u32| {
        (0..200_u32).map(|at| u8::try_from((second * 7 + at * at * 31) % 251).unwrap()).collect::<Vec<_>>()
    };
    let frames: Vec<_> = (0..3_000).map(|second| (second, noise(second))).collect();
    let timed: Vec<_> = frames.iter().map(|(second, frame)| (*second, &frame[..])).collect();
    for (with, mut bytes) in packed(&pcap(&timed)) {
        let file = folder.path().join(with);
        bytes.truncate(bytes.len() / 4);
        std::fs::write(&file, &bytes).unwrap();
        let result = replay(&[&file], &ReplayOptions::default());
        assert!(result.frames.seen < 3_000, "{with}");
        assert!(result.errors[0].contains(&format!("{with} cannot unpack it")), "{:?}", result.errors);
        assert!(result.errors[0].contains("copy the file again"), "{:?}", result.errors);
    }
}

#[test]
fn the_replay_of_a_conversation_is_this_json() {
    let folder = tempfile::tempdir().unwrap();
    let frames = [
        ethernet(ANNA, BERT, ARP, &arp(1, ANNA, ANNA_IP, BERT_IP)),
        segment(true, 1, SYN, 0),
        segment(false, 1, SYN | ACK, 0),
        ethernet(BERT, ANNA, 0x86dd, &[]),
    ];
    let timed: Vec<_> = frames.iter().zip(0_u32..).map(|(frame, second)| (second, &frame[..])).collect();
    let good = folder.path().join("good.pcap");
    std::fs::write(&good, pcap(&timed)).unwrap();
    let mut result = serde_json::to_value(replay(&[&good], &ReplayOptions::default())).unwrap();
    let vendors: Vec<_> = result["endpoints"].as_array_mut().unwrap().iter_mut().map(|e| e["vendor"].take()).collect();
    assert_eq!(vendors, [json!("Intel"), json!("Intel")]);
    let time = |second: u32| format!("2023-11-14T22:13:{}.123456Z", 20 + second);
    let heard = |method, first, last, count| json!({"method": method, "first": time(first), "last": time(last), "count": count});
    let hint = |claim, points| json!({"kind": "vendor", "value": "Intel", "claim": {"class": claim}, "points": points});
    let concluded = |mut endpoint: serde_json::Value, signs| {
        for field in ["class", "os", "os_version", "model", "shared"] {
            endpoint[field] = serde_json::Value::Null;
        }
        endpoint["names"] = json!([]);
        endpoint["grounds"] = json!([hint("pc", 12)]);
        endpoint["signs"] = signs;
        endpoint
    };
    let opened =
        json!([{"kind": "tcp_opening", "value": "64:8192:-:-:", "first": time(1), "last": time(1), "count": 1}]);
    let expected = json!({
        "frames": {"seen": 4, "undecoded": {"ipv6_short": 1}},
        "endpoints": [
            concluded(json!({"mac": "00:1b:21:00:00:0a", "ips": ["10.0.0.10"], "hostname": null, "vendor": null,
             "evidence": [heard("frame", 0, 1, 2), heard("arp", 0, 0, 1)]}), opened),
            concluded(json!({"mac": "00:1b:21:00:00:0b", "ips": [], "hostname": null, "vendor": null,
             "evidence": [heard("frame", 2, 3, 2)]}), json!([])),
        ],
        "flows": [{
            "protocol": "tcp",
            "originator": {"ip": "10.0.0.10", "port": 40000, "mac": "00:1b:21:00:00:0a"},
            "responder": {"ip": "10.0.0.11", "port": 80, "mac": "00:1b:21:00:00:0b"},
            "community_id": "1:3zECDy6K8Y5KYRnxuHCk3wTzgHQ=",
            "packets_out": 1, "packets_in": 1, "bytes_out": 54, "bytes_in": 54, "start": time(1), "end": time(2),
            "application": "http", "by_payload": false,
            "tcp": {"state": "established", "history": "Sh", "retransmissions_out": 0, "retransmissions_in": 0, "handshake_us": null},
        }],
    });
    assert_eq!(result, expected);
}

#[test]
fn a_broken_file_is_named_and_the_others_still_count() {
    let folder = tempfile::tempdir().unwrap();
    let frame = segment(true, 1, SYN, 0);
    let (cut, good, none) =
        (folder.path().join("cut.pcap"), folder.path().join("good.pcap"), folder.path().join("none.pcap"));
    std::fs::write(&cut, &pcap(&[(0, &frame), (1, &frame)])[..120]).unwrap();
    std::fs::write(&good, pcap(&[(2, &frame)])).unwrap();
    let options = ReplayOptions { flows_max: 0, ..ReplayOptions::default() };
    let result = replay(&[&cut, &none, &good], &options);
    assert_eq!((result.frames.seen, result.flows_omitted, result.errors.len()), (2, 1, 2));
    assert!(
        result.errors[0].contains("cut.pcap") && result.errors[0].contains("after 1 frames"),
        "{:?}",
        result.errors
    );
    assert!(result.errors[1].contains("none.pcap"), "{:?}", result.errors);
    let json: Value = serde_json::to_value(&result).unwrap();
    assert_eq!((json["flows_omitted"].as_u64(), json["errors"].as_array().map(Vec::len)), (Some(1), Some(2)));
}
