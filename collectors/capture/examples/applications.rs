//! Prints what the flows of capture files carry: `applications FILE…`, a line of JSON each flow.
//!
//! `applications --time N FILE…` reads the files first, recognises all of it N times and prints nanoseconds a payload.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a command's output, and its own stopwatch"
)]

use std::{hint::black_box, path::Path, process::ExitCode, time::Instant};

use onenet_capture::application::{Assemblies, Details, Recogniser};

#[path = "../tests/it/applications/streams.rs"]
mod streams;

use streams::{Stream, streams};

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args().skip(1).collect();
    let mut rounds = 0;
    if arguments.first().is_some_and(|first| first == "--time") {
        rounds = arguments.get(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
        arguments.drain(..arguments.len().min(2));
    }
    if arguments.is_empty() {
        eprintln!("usage: applications [--time N] FILE...");
        return ExitCode::from(2);
    }
    let all: Vec<_> = arguments.iter().map(|file| (file, streams(Path::new(file)))).collect();
    if rounds > 0 {
        time(rounds, &all.iter().flat_map(|(_, streams)| streams));
        return ExitCode::SUCCESS;
    }
    for (file, streams) in &all {
        for stream in streams {
            println!("{}", told(file, stream));
        }
    }
    ExitCode::SUCCESS
}

fn told(file: &str, stream: &Stream) -> serde_json::Value {
    let recogniser = stream.recognise(&mut Assemblies::default());
    let conclusion = recogniser.conclusion();
    let details = recogniser.details().into_iter().flat_map(Details::iter);
    serde_json::json!({
        "file": Path::new(file).file_name().map(|name| name.to_string_lossy()),
        "protocol": stream.protocol,
        "originator": stream.ends[0].to_string(),
        "responder": stream.ends[1].to_string(),
        "payloads": stream.payloads.len(),
        "application": conclusion.application,
        "by_payload": conclusion.by_payload,
        "details": details.map(|(kind, text)| (kind.name().to_owned(), text.into())).collect::<serde_json::Map<_, _>>(),
    })
}

fn time<'a>(rounds: u32, streams: &(impl Iterator<Item = &'a Stream> + Clone)) {
    let given: usize = streams.clone().map(|stream| stream.payloads.len()).sum();
    let flows = streams.clone().count();
    let mut assemblies = Assemblies::default();
    let (mut looked_at, mut named) = (0_u64, 0_usize);
    let start = Instant::now();
    for _ in 0..rounds {
        for stream in streams.clone() {
            let [originator, responder] = stream.ends.map(|end| end.port());
            let mut recogniser = Recogniser::new(stream.protocol, originator, responder);
            for (from_originator, payload) in stream.payloads.iter().filter_map(|payload| payload.as_ref()) {
                if recogniser.is_done() {
                    continue;
                }
                looked_at += 1;
                recogniser.payload(&mut assemblies, *from_originator, payload);
            }
            named += usize::from(black_box(recogniser.conclusion()).by_payload);
        }
    }
    let nanoseconds = start.elapsed().as_nanos() as f64;
    let rounds = f64::from(rounds);
    println!(
        "{flows} flows, {given} payloads, {:.0} looked at; {:.0} flows named by payload",
        looked_at as f64 / rounds,
        named as f64 / rounds
    );
    println!(
        "{:.0} ns a payload looked at, {:.0} ns a payload, {:.0} ns a flow",
        nanoseconds / looked_at as f64,
        nanoseconds / rounds / given as f64,
        nanoseconds / rounds / flows as f64
    );
}
