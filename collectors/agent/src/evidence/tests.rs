use onenet_capture::{FrameMeta, LinkType, evidence::SNAP_LENGTH_DEFAULT, offline::CaptureFile};
use onenet_detection::Grade;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
const SUSPECT: [u8; 4] = [10, 20, 0, 66];

/// A probe of a host for a port.
fn syn(from: [u8; 4], port: u16) -> Vec<u8> {
    let tcp =
        [&[0xb0, 0x00][..], &port.to_be_bytes(), &[0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 4, 0, 0, 0, 0, 0]].concat();
    let ip = [&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0][..], &from, &[10, 20, 0, 9], &tcp].concat();
    [&[0, 0x1b, 0x21, 9, 9, 9, 0, 0x1b, 0x21, 7, 0, 1, 8, 0][..], &ip].concat()
}

fn hear(memory: &Memory, at_ms: i64, frame: &[u8]) {
    let length = u32::try_from(frame.len()).unwrap();
    let meta = FrameMeta::whole(length);
    memory.keeper().keep(NOW.plus_ms(at_ms).into(), LinkType::Ethernet, meta, frame);
}

fn finding(kind: Kind, subject: Subject) -> Finding {
    Finding {
        kind,
        grade: Grade::General,
        confidence: 80,
        subject,
        first: NOW,
        last: NOW,
        count: 20,
        evidence: Vec::new(),
    }
}

fn scan(host: u8) -> Finding {
    finding(Kind::PortScan, Subject::Host([10, 20, 0, host].into()))
}

/// What is told at so many milliseconds.
fn told(evidence: &Evidence, finding: &Finding, at_ms: i64) -> (String, String) {
    let piece = evidence.of(finding, Around { first: NOW.into(), now: NOW.plus_ms(at_ms) }).unwrap();
    (piece.is, piece.value)
}

fn with_memory(folder: &Path) -> (Evidence, Memory) {
    let (evidence, memory) = (Evidence::within(folder), Memory::new("eth1", 64 << 10, SNAP_LENGTH_DEFAULT));
    evidence.remember(memory.clone());
    (evidence, memory)
}

fn packets(evidence: &Evidence, name: &str) -> usize {
    let bytes = evidence.part(name, 0, usize::MAX).unwrap();
    let mut file = CaptureFile::read(Path::new(name), std::io::Cursor::new(bytes)).unwrap();
    let mut count = 0;
    while file.next_frame().unwrap().is_some() {
        count += 1;
    }
    count
}

#[test]
fn a_finding_has_a_file_of_its_own_packets_to_which_what_follows_is_added_once() {
    let data = tempfile::tempdir().unwrap();
    let (evidence, memory) = with_memory(data.path());
    (1..=20).for_each(|port| hear(&memory, i64::from(port), &syn(SUSPECT, port)));
    hear(&memory, 10, &syn([10, 20, 0, 5], 80));
    let (is, name) = told(&evidence, &scan(66), 100);
    assert_eq!((is.as_str(), name.as_str()), (CAPTURE, "20270115T080000100Z-port_scan-10.20.0.66.pcapng"));
    assert_eq!(packets(&evidence, &name), 20);
    (21..=40).for_each(|port| hear(&memory, i64::from(port) + 1_000, &syn(SUSPECT, port)));
    evidence.complete(NOW.plus_ms(2_000));
    assert_eq!(packets(&evidence, &name), 20, "it is not due");
    evidence.complete(NOW.plus_ms(5_200));
    assert_eq!(packets(&evidence, &name), 40);
    assert_eq!(told(&evidence, &scan(66), 60_000).1, name, "one file stands for ten minutes");
    assert_ne!(told(&evidence, &scan(66), 700_000).1, name);
}

#[test]
fn a_file_is_read_part_by_part_and_no_name_leads_out_of_the_folder() {
    let data = tempfile::tempdir().unwrap();
    let (evidence, memory) = with_memory(data.path());
    hear(&memory, 1, &syn(SUSPECT, 22));
    let (_, name) = told(&evidence, &scan(66), 100);
    let whole = evidence.part(&name, 0, 1 << 20).unwrap();
    let [first, rest, none] = [(0, 50), (50, 1 << 20), (whole.len() as u64, 10)]
        .map(|(offset, most)| evidence.part(&name, offset, most).unwrap());
    assert_eq!((first.len(), [first, rest].concat(), none), (50, whole, Vec::new()));
    std::fs::write(data.path().join("secret.pcapng"), "key").unwrap();
    for wrong in ["../secret.pcapng", "..", "", "/etc/passwd", "a.pcapng"] {
        assert!(evidence.part(wrong, 0, 10).unwrap_err().contains("no capture"), "{wrong}");
    }
}

#[test]
fn a_flood_of_one_kind_is_held_back_and_leaves_the_files_of_others() {
    let data = tempfile::tempdir().unwrap();
    let (evidence, memory) = with_memory(data.path());
    hear(&memory, 1, &syn(SUSPECT, 22));
    (0..200).for_each(|host| hear(&memory, 2, &syn([10, 20, 0, host], 22)));
    let (_, rogue) = told(&evidence, &finding(Kind::RogueDhcp, Subject::Host(SUSPECT.into())), 100);
    let at_once: Vec<_> = (0..20).map(|host| told(&evidence, &scan(host), 100).0).collect();
    assert_eq!(at_once.iter().filter(|is| *is == CAPTURE).count(), 7);
    assert_eq!(at_once.last().map(String::as_str), Some("no_capture"));
    for host in 0..200 {
        told(&evidence, &scan(host), 10_000 + 1_000 * i64::from(host));
    }
    let files = std::fs::read_dir(data.path().join("evidence")).unwrap().count();
    assert_eq!(files, FILES_MAX);
    assert_eq!(packets(&evidence, &rogue), 2);
}

#[test]
fn what_somebody_asked_for_gives_way_after_all_else_of_its_kind_and_of_others() {
    let data = tempfile::tempdir().unwrap();
    let (evidence, memory) = with_memory(data.path());
    (0..200).for_each(|host| hear(&memory, 2, &syn([10, 20, 0, host], 22)));
    let first: Vec<_> = (0..5).map(|host| told(&evidence, &scan(host), 100).1).collect();
    let (asked, left) = (&first[1], &first[0]);
    evidence.part(asked, 0, 10).unwrap();
    // It is asked for before an agent that starts again knows of it.
    drop(evidence);
    let (evidence, memory) = with_memory(data.path());
    (0..200).for_each(|host| hear(&memory, 2, &syn([10, 20, 0, host], 22)));
    for host in 10..150 {
        told(&evidence, &scan(host), 10_000 + 1_000 * i64::from(host));
    }
    assert!(evidence.part(asked, 0, 10).is_ok());
    assert!(evidence.part(left, 0, 10).is_err());
    let names = std::fs::read_dir(data.path().join("evidence")).unwrap().flatten().map(|it| it.file_name());
    let (captures, marks): (Vec<_>, Vec<_>) = names.partition(|it| it.to_string_lossy().ends_with(".pcapng"));
    assert_eq!((captures.len(), marks.len()), (FILES_MAX, 1));
}

#[test]
fn what_cannot_be_saved_is_told_with_the_reason() {
    let data = tempfile::tempdir().unwrap();
    let evidence = Evidence::within(data.path());
    assert_eq!(told(&evidence, &scan(66), 100).1, "no_memory");
    let memory = Memory::new("eth1", 64 << 10, SNAP_LENGTH_DEFAULT);
    evidence.remember(memory.clone());
    hear(&memory, 1, &syn([10, 20, 0, 5], 80));
    let (is, why) = told(&evidence, &scan(66), 2_000);
    assert_eq!((is.as_str(), why.as_str()), ("no_capture", "forgotten, 2027-01-15T08:00:00.001Z"));
    evidence.forget("eth1");
    assert_eq!(told(&evidence, &scan(66), 4_000).1, "no_memory");
}
