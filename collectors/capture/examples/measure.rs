//! What `./tests/bench capture` and `./tests/bench capture-live` measure: frames through the pipeline as an agent runs it.
//!
//! `measure FILE [--repeat N]` reads a capture file, N times over, each round's frames behind the last round's in time.
//! `measure --interface NAME [--ring BYTES]` takes frames live, from the first one until none has come for two seconds.
//! `--flows-alone`: nothing else than flows. `--held`: each flow stays open to the end, as if all had been open at once.
//! Either prints one line of JSON: packets, flows, and memory when each round ended; live what the kernel dropped as well.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]
#![allow(clippy::disallowed_methods, reason = "the shell reads the clock")]

use std::{
    error::Error,
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use onenet_capture::{
    FrameMeta, FrameTime, LinkType, Listener, Pipeline, PipelineOptions,
    decode::Packet,
    flow::{FlowOptions, Flows},
    offline::CaptureFile,
    replay::describe,
    ring::{RING_BYTES_DEFAULT, Ring, RingOptions},
};

/// How often changes are taken, as an agent does, in nanoseconds of the frames' time.
const REPORT_NS: i64 = 10_000_000_000;
/// The most finished flows that wait.
const TAKE_AT: usize = 1_024;
/// How long live capture waits for another frame.
const SILENCE: Duration = Duration::from_secs(2);
/// How long it waits for the first.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Arguments {
    file: Option<String>,
    interface: Option<String>,
    ring: RingOptions,
    repeat: u32,
    flows_alone: bool,
    held: bool,
}

/// What takes the frames: everything, or flows alone.
enum Measured {
    Whole(Box<Pipeline>),
    Alone(Box<Flows>),
}

struct Run {
    measured: Measured,
    packets: u64,
    taken: u64,
    recognised: u64,
    reported: i64,
    /// What is added to a frame's time, and the latest time so far.
    shift: i64,
    last: i64,
    resident: Vec<u64>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments { repeat: 1, ..Arguments::default() };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--repeat" => arguments.repeat = given.next().and_then(|count| count.parse().ok()).unwrap_or(1),
            "--interface" => arguments.interface = given.next(),
            "--ring" => {
                arguments.ring.bytes = given.next().and_then(|bytes| bytes.parse().ok()).unwrap_or(RING_BYTES_DEFAULT);
            }
            "--flows-alone" => arguments.flows_alone = true,
            "--held" => arguments.held = true,
            _ => arguments.file = Some(argument),
        }
    }
    let mut run = Run::new(&arguments);
    let done = match (&arguments.file, &arguments.interface) {
        (Some(file), None) => run.file(file, arguments.repeat).map(|()| String::new()),
        (None, Some(interface)) => run.live(interface, &arguments.ring),
        _ => {
            eprintln!("usage: measure FILE [--repeat N] | --interface NAME [--ring BYTES] [--flows-alone] [--held]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(more) => {
            run.print(&more);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", describe(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn options(held: bool) -> FlowOptions {
    let options = FlowOptions { capacity: 131_072, ..FlowOptions::default() };
    if !held {
        return options;
    }
    let long = Duration::from_secs(1_000_000);
    FlowOptions { idle_tcp: long, idle_other: long, linger: long, active: None, ..options }
}

impl Run {
    fn new(arguments: &Arguments) -> Self {
        let flows = options(arguments.held);
        let local = vec!["10.0.0.0/8".parse().unwrap_or_else(|_| unreachable!("a prefix"))];
        let measured = if arguments.flows_alone {
            Measured::Alone(Box::new(Flows::new(flows)))
        } else {
            Measured::Whole(Box::new(Pipeline::new(PipelineOptions { flows, local, ..PipelineOptions::default() })))
        };
        Self { measured, packets: 0, taken: 0, recognised: 0, reported: 0, shift: 0, last: 0, resident: Vec::new() }
    }

    fn file(&mut self, file: &str, repeat: u32) -> Result<(), Box<dyn Error>> {
        for _ in 0..repeat {
            let mut capture = CaptureFile::open(file.as_ref())?;
            let first = CaptureFile::open(file.as_ref())?.next_frame()?.map_or(0, |frame| frame.time.unix_ns());
            if self.last != 0 {
                self.shift = self.last - first + 1_000_000;
            }
            while capture.hand_over(self)? != 0 {
                self.take();
            }
            self.resident.push(resident_kb());
        }
        Ok(())
    }

    /// Returns what the ring counted.
    fn live(&mut self, interface: &str, options: &RingOptions) -> Result<String, Box<dyn Error>> {
        let mut ring = Ring::open(interface, options)?;
        eprintln!("listening");
        let mut heard = Instant::now();
        while heard.elapsed() < if self.packets == 0 { PATIENCE } else { SILENCE } {
            if ring.hand_over(Duration::from_millis(200), self)? != 0 {
                heard = Instant::now();
                self.take();
            }
        }
        self.resident.push(resident_kb());
        let counted = ring.counters()?;
        Ok(format!(", \"kernel_frames\": {}, \"kernel_dropped\": {}", counted.frames, counted.dropped))
    }

    /// Takes what is new, as an agent does.
    fn take(&mut self) {
        let (waiting, due) = match &self.measured {
            Measured::Whole(pipeline) => (pipeline.finished_flows(), self.last - self.reported >= REPORT_NS),
            Measured::Alone(flows) => (flows.finished_len(), false),
        };
        if waiting >= TAKE_AT || due {
            self.take_flows();
        }
        if let (Measured::Whole(pipeline), true) = (&mut self.measured, due) {
            self.reported = self.last;
            drop(pipeline.take_changes(FrameTime::from_unix_ns(self.last).into()));
        }
    }

    fn take_flows(&mut self) {
        let (taken, recognised) = (&mut self.taken, &mut self.recognised);
        let mut count = |by_payload: bool| {
            *taken += 1;
            *recognised += u64::from(by_payload);
        };
        match &mut self.measured {
            Measured::Whole(pipeline) => pipeline.take_flows().for_each(|flow| count(flow.by_payload)),
            Measured::Alone(flows) => flows.take_finished().for_each(|flow| count(flow.by_payload)),
        }
    }

    fn print(&mut self, more: &str) {
        let (open, endpoints, undecoded, untaken) = match &mut self.measured {
            Measured::Whole(pipeline) => {
                let statistics = pipeline.statistics();
                let undecoded = statistics.undecoded().map(|(_, count)| count).sum::<u64>();
                (statistics.flows_open, statistics.endpoints, undecoded, statistics.flows.flows_untaken)
            }
            Measured::Alone(flows) => (flows.len(), 0, 0, flows.counters().flows_untaken),
        };
        while self.finish_some() {
            self.take_flows();
        }
        self.take_flows();
        println!(
            "{{\"packets\": {}, \"flows\": {}, \"recognised\": {}, \"open\": {open}, \"endpoints\": {endpoints}, \"undecoded\": \
             {undecoded}, \"untaken\": {untaken}, \"resident_kb\": {:?}{more}}}",
            self.packets, self.taken, self.recognised, self.resident
        );
    }

    /// Closes a few of the flows that are open. Returns whether there were any.
    fn finish_some(&mut self) -> bool {
        match &mut self.measured {
            Measured::Whole(pipeline) => pipeline.finish_some(TAKE_AT),
            Measured::Alone(flows) => flows.finish_some(TAKE_AT),
        }
    }
}

impl Listener for Run {
    #[inline]
    fn foresee(&mut self, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        match &mut self.measured {
            Measured::Whole(pipeline) => pipeline.foresee(link_type, meta, bytes),
            Measured::Alone(flows) => flows.foresee(link_type, meta, bytes),
        }
    }

    #[inline]
    fn prepare(&mut self) {
        match &mut self.measured {
            Measured::Whole(pipeline) => pipeline.prepare(),
            Measured::Alone(flows) => flows.prepare(),
        }
    }

    #[inline]
    fn frame(&mut self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        self.packets += 1;
        let time = time.unix_ns() + self.shift;
        self.last = self.last.max(time);
        let time = FrameTime::from_unix_ns(time);
        match &mut self.measured {
            Measured::Whole(pipeline) => pipeline.frame(time, link_type, meta, bytes),
            Measured::Alone(flows) => {
                flows.begin();
                if let Ok(packet) = &Packet::parse(link_type, meta, bytes) {
                    flows.packet(time, packet, meta.octets());
                }
                while flows.take_introduction().is_some() {}
            }
        }
    }
}

/// Returns the kilobytes that are resident now.
fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}
