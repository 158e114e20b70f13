//! What `./tests/bench capture` measures of the detectors: frames through pipeline and detectors, as an agent runs them.
//!
//! `watch FILE` reads a capture file; `--without` leaves the detectors out. `watch --forged ROUNDS` takes no file: in each round a hundred
//! thousand stations and senders that nobody has claim addresses, open connections and ask for names. Prints one line of JSON: packets,
//! findings, and the kilobytes that were resident after each tenth of it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]

use std::{fs, process::ExitCode};

use anyhow::{Context, Result, bail};
use onenet_agent::detecting::Detecting;
use onenet_capture::{
    FrameMeta, FrameTime, LinkType, Listener, Pipeline, PipelineOptions, flow::FlowOptions, offline::CaptureFile,
    replay::Watch as _,
};
use onenet_detection::{Detection, Settings};
use onenet_topology::Timestamp;

/// How often what is new is handed on, in nanoseconds of the frames' time, and findings told at once: as the agent has it.
const REPORT_NS: i64 = 500_000_000;
const TOLD_AT_ONCE: usize = 32;
/// Who forges in a round, and how far apart the frames are: some 60,000 a second.
const FORGED: u32 = 100_000;
const FORGED_NS: i64 = 16_000;
/// 2026-11-30T00:00:00Z.
const BEGAN_NS: i64 = 1_796_000_000_000_000_000;

/// The pipeline, and the detectors where they look on.
struct Run {
    pipeline: Pipeline,
    detecting: Option<Detecting>,
    packets: u64,
    told: usize,
    now: i64,
    reported: i64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("watch: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut resident = Vec::new();
    let run = match words.as_slice() {
        ["--forged", rounds] => {
            let mut run = Run::new(true)?;
            for round in 0..rounds.parse().context("ROUNDS is no number")? {
                run.forge(round);
                resident.push(resident_kb()?);
            }
            run
        }
        [file, rest @ ..] if matches!(rest, [] | ["--without"]) => {
            let mut run = Run::new(rest.is_empty())?;
            let mut capture = CaptureFile::open(file.as_ref())?;
            while capture.hand_over(&mut run)? != 0 {}
            run.report();
            resident.push(resident_kb()?);
            run
        }
        _ => bail!("usage: watch FILE [--without] | --forged ROUNDS"),
    };
    let findings = run.detecting.as_ref().map_or(0, |it| it.detection().findings().count());
    println!(
        "{{\"packets\": {}, \"findings\": {findings}, \"told\": {}, \"resident_kb\": {resident:?}}}",
        run.packets, run.told
    );
    Ok(())
}

impl Run {
    fn new(with_detectors: bool) -> Result<Self> {
        let local = vec!["10.0.0.0/8".parse()?];
        let flows = FlowOptions { capacity: 131_072, ..FlowOptions::default() };
        let options = PipelineOptions { flows, local, sightings: with_detectors, ..PipelineOptions::default() };
        let detecting = with_detectors.then(|| Detecting::new(Detection::new(Settings::new())));
        Ok(Self { pipeline: Pipeline::new(options), detecting, packets: 0, told: 0, now: 0, reported: 0 })
    }

    /// Hands on what is new, as an agent does twice a second.
    fn report(&mut self) {
        self.reported = self.now;
        let now = Timestamp::from(FrameTime::from_unix_ns(self.now));
        let changes = self.pipeline.take_changes(now);
        let Some(detecting) = &mut self.detecting else {
            self.pipeline.take_flows().for_each(drop);
            return;
        };
        self.pipeline.take_sightings().for_each(|sighting| detecting.sighted(sighting));
        self.pipeline.take_flows().for_each(|flow| detecting.flow(&flow));
        changes.endpoints.iter().for_each(|endpoint| detecting.terminal(endpoint, true));
        self.told += detecting.due(now, TOLD_AT_ONCE).len();
    }

    /// Takes the frames of a round: each station, sender and name is another one.
    fn forge(&mut self, round: u32) {
        for number in round * FORGED..(round + 1) * FORGED {
            for frame in [claim(number), opening(number), question(number)] {
                self.now = self.now.max(BEGAN_NS) + FORGED_NS;
                let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
                let time = FrameTime::from_unix_ns(self.now);
                self.frame(time, LinkType::Ethernet, FrameMeta::whole(length), &frame);
            }
        }
    }
}

impl Listener for Run {
    #[inline]
    fn foresee(&mut self, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        self.pipeline.foresee(link_type, meta, bytes);
    }

    #[inline]
    fn prepare(&mut self) {
        self.pipeline.prepare();
    }

    #[inline]
    fn frame(&mut self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        self.packets += 1;
        self.now = self.now.max(time.unix_ns());
        self.pipeline.frame(time, link_type, meta, bytes);
        if self.now - self.reported >= REPORT_NS {
            self.report();
        }
    }
}

/// A station that nobody has claims an address (RFC 826).
fn claim(number: u32) -> Vec<u8> {
    let mac = [&[0x00, 0x1b][..], &number.to_be_bytes()].concat();
    let ip = [10, 77, number.to_be_bytes()[2], number.to_be_bytes()[3]];
    let head = [0, 1, 8, 0, 6, 4, 0, 2];
    [&[0xff; 6][..], &mac, &[8, 6], &head, &mac, &ip, &[0; 6], &[10, 77, 0, 1], &[0; 18]].concat()
}

/// A connection is opened from an address that nobody has.
fn opening(number: u32) -> Vec<u8> {
    let [_, _, high, low] = number.to_be_bytes();
    let tcp = [&[high, low, 0, 80][..], &number.to_be_bytes(), &[0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0]].concat();
    ip(6, 0x0b00_0000 + number, [10, 77, 0, 10], &tcp)
}

/// A name that nobody has is asked for.
fn question(number: u32) -> Vec<u8> {
    let label = format!("{:032x}", u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    let mut dns = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 32];
    dns.extend(label.as_bytes());
    dns.extend([&[4][..], &number.to_be_bytes().map(|byte| b'a' + byte % 26), &[2], b"cn", &[0, 0, 16, 0, 1]].concat());
    let length = u16::try_from(8 + dns.len()).unwrap_or(u16::MAX).to_be_bytes();
    let udp = [&[0x9c, 0x40, 0, 53][..], &length, &[0, 0], &dns].concat();
    ip(17, 0x0c00_0000 + number, [10, 77, 0, 53], &udp)
}

fn ip(protocol: u8, from: u32, to: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    let macs = [0x00, 0x25, 0x9e, 0, 0, 0xfe, 0x00, 0x25, 0x9e, 0, 0, 1];
    let head = [0x45, 0, length[0], length[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
    [&macs[..], &[8, 0], &head, &from.to_be_bytes(), &to, payload].concat()
}

/// Returns the kilobytes that are resident now.
fn resident_kb() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
