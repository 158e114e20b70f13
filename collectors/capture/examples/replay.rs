//! Prints what is in capture files: `replay FILE… [--json]`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]

use std::{path::PathBuf, process::ExitCode};

use onenet_capture::{
    flow::protocol_name,
    replay::{Replay, ReplayOptions, replay},
};

fn main() -> ExitCode {
    let (options, files): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument == "--json");
    if files.is_empty() {
        eprintln!("usage: replay FILE... [--json]");
        return ExitCode::from(2);
    }
    let files: Vec<PathBuf> = files.into_iter().map(PathBuf::from).collect();
    let result = replay(&files, &ReplayOptions::default());
    for error in &result.errors {
        eprintln!("{error}");
    }
    if options.is_empty() {
        print(&result);
    } else {
        match serde_json::to_string_pretty(&result) {
            Ok(json) => println!("{json}"),
            Err(error) => eprintln!("cannot write JSON: {error}"),
        }
    }
    if result.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(result: &Replay) {
    println!("{} frames", result.frames.seen);
    for (reason, count) in &result.frames.undecoded {
        println!("  {count} not wholly understood: {reason}");
    }
    for endpoint in &result.endpoints {
        let name = endpoint.hostname.as_deref().unwrap_or("-");
        println!("{} {name} {:?}", endpoint.mac, endpoint.ips);
    }
    for flow in &result.flows {
        println!(
            "{} {}:{} > {}:{} packets {}/{} bytes {}/{} {} {}",
            protocol_name(flow.protocol),
            flow.originator.ip,
            flow.originator.port,
            flow.responder.ip,
            flow.responder.port,
            flow.packets_out,
            flow.packets_in,
            flow.bytes_out,
            flow.bytes_in,
            flow.start,
            flow.end,
        );
    }
}
