//! What `./tests/bench capture` measures: a capture file through the pipeline as an agent runs it, `--repeat` times over.
//!
//! `measure FILE [--repeat N] [--flows-alone]` prints one line of JSON: packets, flows, and memory when each round ended.
//! Without anything else than flows: `--flows-alone`. Each round's frames follow the last round's in time.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]

use std::{fs, process::ExitCode};

use onenet_capture::{
    FrameTime, Pipeline, PipelineOptions,
    decode::Packet,
    flow::{FlowOptions, Flows},
    offline::{CaptureFile, OfflineError},
    replay::describe,
};

/// How often changes are taken, as an agent does, in nanoseconds of the frames' time.
const REPORT_NS: i64 = 10_000_000_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut file, mut repeat, mut flows_alone) = (None, 1, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--repeat" => repeat = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1),
            "--flows-alone" => flows_alone = true,
            _ => file = Some(argument),
        }
    }
    let Some(file) = file else {
        eprintln!("usage: measure FILE [--repeat N] [--flows-alone]");
        return ExitCode::from(2);
    };
    let done = if flows_alone { alone(&file, repeat) } else { whole(&file, repeat) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", describe(&error));
            ExitCode::FAILURE
        }
    }
}

fn options() -> FlowOptions {
    FlowOptions { capacity: 131_072, ..FlowOptions::default() }
}

/// Reads the file `repeat` times, and hands each frame on with a time that goes on.
fn frames(
    file: &str,
    repeat: u32,
    mut each: impl FnMut(FrameTime, &onenet_capture::offline::OfflineFrame<'_>),
    mut round: impl FnMut(),
) -> Result<(), OfflineError> {
    let (mut shift, mut last) = (0, 0);
    for _ in 0..repeat {
        let mut capture = CaptureFile::open(file.as_ref())?;
        let mut first = None;
        while let Some(frame) = capture.next_frame()? {
            let time = frame.time.unix_ns();
            let first = *first.get_or_insert(time);
            if last != 0 && time + shift < last && time == first {
                shift = last - time + 1_000_000;
            }
            last = last.max(time + shift);
            each(FrameTime::from_unix_ns(time + shift), &frame);
        }
        round();
    }
    Ok(())
}

fn whole(file: &str, repeat: u32) -> Result<(), OfflineError> {
    let local = vec!["10.0.0.0/8".parse().unwrap_or_else(|_| unreachable!("a prefix"))];
    let mut pipeline = Pipeline::new(PipelineOptions { flows: options(), local, ..PipelineOptions::default() });
    let (mut reported, mut taken, mut resident) = (0, 0_u64, Vec::new());
    let mut recognised = 0_u64;
    frames(
        file,
        repeat,
        |time, frame| {
            pipeline.frame(time, frame.link_type, frame.meta, frame.bytes);
            if pipeline.finished_flows() >= 1_024 || time.unix_ns() - reported >= REPORT_NS {
                reported = reported.max(time.unix_ns());
                for flow in pipeline.take_flows() {
                    taken += 1;
                    recognised += u64::from(flow.by_payload);
                }
                if reported == time.unix_ns() {
                    drop(pipeline.take_changes(time.into()));
                }
            }
        },
        || resident.push(resident_kb()),
    )?;
    let statistics = pipeline.statistics();
    pipeline.finish();
    for flow in pipeline.take_flows() {
        taken += 1;
        recognised += u64::from(flow.by_payload);
    }
    let (frames, open, endpoints) = (statistics.frames, statistics.flows_open, statistics.endpoints);
    let undecoded: u64 = statistics.undecoded().map(|(_, count)| count).sum();
    let untaken = statistics.flows.flows_untaken;
    println!(
        "{{\"packets\": {frames}, \"flows\": {taken}, \"recognised\": {recognised}, \"open\": {open}, \"endpoints\": \
         {endpoints}, \"undecoded\": {undecoded}, \"untaken\": {untaken}, \"resident_kb\": {resident:?}}}"
    );
    Ok(())
}

fn alone(file: &str, repeat: u32) -> Result<(), OfflineError> {
    let mut flows = Flows::new(options());
    let (mut packets, mut taken, mut resident) = (0_u64, 0, Vec::new());
    frames(
        file,
        repeat,
        |time, frame| {
            packets += 1;
            if let Ok(packet) = Packet::parse(frame.link_type, frame.meta, frame.bytes) {
                flows.packet(time, &packet, frame.meta.wire_length);
            }
            while flows.take_introduction().is_some() {}
            if flows.finished_len() >= 1_024 {
                taken += flows.take_finished().count();
            }
        },
        || resident.push(resident_kb()),
    )?;
    let open = flows.len();
    flows.finish();
    taken += flows.take_finished().count();
    println!("{{\"packets\": {packets}, \"flows\": {taken}, \"open\": {open}, \"resident_kb\": {resident:?}}}");
    Ok(())
}

/// Returns the kilobytes that are resident now.
fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}
