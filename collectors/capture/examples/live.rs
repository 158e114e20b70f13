//! Watches an interface for a while and prints what was there: `live INTERFACE SECONDS`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]
#![allow(clippy::disallowed_methods, reason = "the shell reads the clock")]

use std::{
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use onenet_capture::{
    Pipeline, PipelineOptions, interfaces,
    replay::describe,
    ring::{Ring, RingError, RingOptions},
};
use onenet_topology::Timestamp;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [interface, seconds] = arguments.as_slice() else {
        eprintln!("usage: live INTERFACE SECONDS");
        return ExitCode::from(2);
    };
    match watch(interface, Duration::from_secs(seconds.parse().unwrap_or(10))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", describe(&error));
            ExitCode::FAILURE
        }
    }
}

fn watch(interface: &str, time: Duration) -> Result<(), RingError> {
    let mut ring = Ring::open(interface, &RingOptions::default())?;
    let local = interfaces::find(interface).map(|found| found.local_prefixes()).unwrap_or_default();
    let mut pipeline = Pipeline::new(PipelineOptions { local, ..PipelineOptions::default() });
    let end = Instant::now() + time;
    while Instant::now() < end {
        ring.receive(Duration::from_millis(200), |time, link_type, meta, bytes| {
            pipeline.frame(time, link_type, meta, bytes);
        })?;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let changes = pipeline.take_changes(Timestamp::from_unix_ms(i64::try_from(now).unwrap_or(i64::MAX)));
    for endpoint in &changes.endpoints {
        println!("{}", serde_json::to_string(endpoint).unwrap_or_default());
    }
    for neighbour in &changes.neighbours {
        println!("{:?}", neighbour.neighbour);
    }
    println!("{:?} {:?}", ring.counters()?, changes.statistics);
    Ok(())
}
