//! Every capture of the shared corpus: no panic, hang or growth, and the frames that another reader (pcap-file) finds.
//!
//! The corpus is no part of this repository: whatever needs it stands in a module of this name, is ignored where nobody asks
//! for it, and fails where it is asked for and the corpus is not there. `tests/run` leaves it out by that name, and says so.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use onenet_capture::{
    offline::CaptureFile,
    replay::{Replay, ReplayOptions, replay},
};
use pcap_file::{
    pcap::PcapReader,
    pcapng::{Block, PcapNgReader},
};

/// Set in the process that measures its memory.
const ALONE: &str = "ONENET_CAPTURE_ALONE";
const DEADLINE: Duration = Duration::from_secs(20);

/// Returns the shared corpus.
pub(crate) fn corpus() -> PathBuf {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    assert!(corpus.join("zeek").is_dir(), "no captures in {}", corpus.display());
    corpus
}

/// Returns the corpus's captures.
fn captures() -> Vec<PathBuf> {
    let folders = ["zeek", "tcpdump"].map(|name| corpus().join(name));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut captures: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    captures.sort();
    captures
}

fn within_deadline(file: &Path) -> Replay {
    let (sender, receiver) = mpsc::sync_channel(1);
    let path = file.to_owned();
    thread::spawn(move || {
        // Nobody waits any more when the deadline has passed.
        let _ = sender.send(Box::new(replay(&[path], &ReplayOptions::default())));
    });
    *receiver.recv_timeout(DEADLINE).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Runs the test called `name` in a process of its own, so that no other test's memory is measured. Returns whether this
/// is that process.
fn alone(name: &str) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let test = env::current_exe().unwrap();
    let status = Command::new(test)
        .args(["--exact", name, "--nocapture", "--include-ignored"])
        .env(ALONE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{name} failed in its process");
    false
}

#[test]
#[ignore = "needs ../shared/corpus"]
fn every_capture_replays_without_panic_hang_or_growth() {
    if !alone("corpus::every_capture_replays_without_panic_hang_or_growth") {
        return;
    }
    let captures = captures();
    let before = resident_kib();
    let mut frames = 0;
    for file in &captures {
        let replay = within_deadline(file);
        let undecoded: u64 = replay.frames.undecoded.values().sum();
        assert!(undecoded <= replay.frames.seen, "{}", file.display());
        let in_flows: u64 = replay.flows.iter().map(|flow| flow.packets_out + flow.packets_in).sum();
        assert!(in_flows <= replay.frames.seen + replay.statistics.tunnelled, "{}", file.display());
        serde_json::to_string(&replay).unwrap();
        frames += replay.frames.seen;
    }
    let grown = resident_kib().saturating_sub(before);
    println!("{} captures, {frames} frames, grown by {grown} KiB", captures.len());
    assert_ne!(frames, 0);
    assert!(grown < 64 << 10, "memory grew by {grown} KiB over {} captures", captures.len());
}

/// Returns time (in nanoseconds) and bytes of each frame as pcap-file reads them, up to where it gives up, and whether it
/// read the whole file.
fn read_by_pcap_file(path: &Path) -> (Vec<(i128, Vec<u8>)>, bool) {
    let mut frames = Vec::new();
    if let Ok(mut reader) = PcapReader::new(File::open(path).unwrap()) {
        while let Some(packet) = reader.next_packet() {
            let Ok(packet) = packet else { return (frames, false) };
            frames.push((packet.timestamp.as_nanos().cast_signed(), packet.data.into_owned()));
        }
        return (frames, true);
    }
    let Ok(mut reader) = PcapNgReader::new(File::open(path).unwrap()) else { return (frames, false) };
    while let Some(block) = reader.next_block() {
        match block {
            Ok(Block::EnhancedPacket(packet)) => frames.push((-1, packet.data.into_owned())),
            Ok(Block::SimplePacket(packet)) => frames.push((-1, packet.data.into_owned())),
            Ok(_) => {}
            Err(_) => return (frames, false),
        }
    }
    (frames, true)
}

#[test]
#[ignore = "needs ../shared/corpus"]
fn frames_are_those_that_another_reader_finds() {
    let mut compared = 0;
    for file in captures() {
        let (theirs, whole) = read_by_pcap_file(&file);
        let mut capture = CaptureFile::open(&file).unwrap_or_else(|error| panic!("{error}"));
        let mut ours = Vec::new();
        while let Ok(Some(frame)) = capture.next_frame() {
            ours.push((i128::from(frame.time.unix_ns()), frame.bytes.to_vec()));
        }
        assert!(ours.len() >= theirs.len(), "{}: they read more", file.display());
        assert!(!whole || ours.len() == theirs.len(), "{}: we read more", file.display());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours.1, theirs.1, "{}", file.display());
            assert!(theirs.0 == -1 || theirs.0 == ours.0, "{}: {} and {}", file.display(), ours.0, theirs.0);
            compared += 1;
        }
    }
    println!("{compared} frames compared");
    assert_ne!(compared, 0);
}
