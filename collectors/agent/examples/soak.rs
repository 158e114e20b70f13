//! What `./tests/bench soak` watches: a day of capture through pipeline, evidence and flow log, sized as a county's agent.
//!
//! `soak FILE FOLDER LOG_MIB` reads a capture (a pipe will do), logs its flows in FOLDER with that cap, and prints a line for each hour
//! of the capture: packets, flows, kilobytes resident, bytes on disk. The clock is that of the frames.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use onenet_agent::flow_log::{FlowLogConfig, Writer};
use onenet_capture::{
    Pipeline, PipelineOptions,
    evidence::{Memory, SNAP_LENGTH_DEFAULT},
    offline::CaptureFile,
};
use onenet_topology::{Timestamp, flow::Flow};

/// What a county's agent has (`[capture]` of its configuration): endpoints, flows, bytes of evidence.
const ENDPOINTS: usize = 4_096;
const FLOWS: usize = 4_096;
const EVIDENCE: usize = 1 << 20;
/// Finished flows that may wait, how long a record covers, and how often what is new is handed on: as the agent has it.
const FINISHED: usize = 8_192;
const RECORD_COVERS_S: u64 = 300;
const REPORT_MS: i64 = 500;
const HOUR_MS: i64 = 3_600_000;
const AGE_MAX_MS: i64 = 190 * 24 * HOUR_MS;

/// A day under way.
struct Day {
    pipeline: Pipeline,
    memory: Memory,
    writer: Writer,
    folder: PathBuf,
    logged: u64,
    told: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let [file, folder, mib] = arguments else { bail!("usage: soak FILE FOLDER LOG_MIB") };
    // Not opened as replay does, which looks into a file twice: a pipe gives its bytes once.
    let source = fs::File::open(file).with_context(|| format!("{file} cannot be opened"))?;
    let mut capture = CaptureFile::read(file.as_ref(), source)?;
    let mut day: Option<Day> = None;
    let (mut reported, mut hour) = (i64::MIN, i64::MIN);
    while let Some(frame) = capture.next_frame()? {
        let now = Timestamp::from(frame.time);
        let day = if let Some(day) = &mut day {
            day
        } else {
            hour = now.unix_ms();
            day.insert(Day::begin(folder.as_ref(), mib.parse::<u64>().context("LOG_MIB is no number")? << 20, now)?)
        };
        day.memory.keeper().keep(frame.time, frame.link_type, frame.meta, frame.bytes);
        day.pipeline.frame(frame.time, frame.link_type, frame.meta, frame.bytes);
        if now.unix_ms() >= reported.saturating_add(REPORT_MS) {
            reported = now.unix_ms();
            day.report(now)?;
        }
        if now.unix_ms() >= hour + HOUR_MS {
            hour += HOUR_MS;
            day.tell()?;
        }
    }
    let Some(mut day) = day else { bail!("{file} holds no frame") };
    day.pipeline.finish();
    day.hand_on()?;
    day.tell()?;
    let status = day.writer.close()?;
    println!("end kept {} of {} lost {}", status.flows, day.logged, status.lost_busy + status.lost_disk);
    Ok(())
}

impl Day {
    fn begin(folder: &Path, bytes_max: u64, now: Timestamp) -> Result<Self> {
        let mut options = PipelineOptions { local: vec!["10.0.0.0/8".parse()?], ..PipelineOptions::default() };
        options.inventory.capacity = ENDPOINTS;
        options.flows.capacity = FLOWS;
        options.flows.finished_capacity = FINISHED;
        options.flows.active = Some(std::time::Duration::from_secs(RECORD_COVERS_S));
        let config = FlowLogConfig { folder: folder.to_owned(), bytes_max, age_max_ms: AGE_MAX_MS, spool: None };
        Ok(Self {
            pipeline: Pipeline::new(options),
            memory: Memory::new("replay", EVIDENCE, SNAP_LENGTH_DEFAULT),
            writer: Writer::open(config, [1, 2], now)?,
            folder: folder.to_owned(),
            logged: 0,
            told: 0,
        })
    }

    /// Does what an agent does twice a second.
    fn report(&mut self, now: Timestamp) -> Result<()> {
        drop(self.pipeline.take_changes(now));
        self.hand_on()?;
        Ok(self.writer.tick(now)?)
    }

    fn hand_on(&mut self) -> Result<()> {
        let flows: Vec<Flow> = self.pipeline.take_flows().map(Flow::from).collect();
        self.logged += flows.len() as u64;
        if flows.is_empty() { Ok(()) } else { Ok(self.writer.append(flows)?) }
    }

    /// Prints how it stands.
    fn tell(&mut self) -> Result<()> {
        let statistics = self.pipeline.statistics();
        println!(
            "hour {} packets {} flows {} endpoints {} resident_kb {} disk_bytes {}",
            self.told,
            statistics.frames,
            self.logged,
            statistics.endpoints,
            resident_kb()?,
            disk_bytes(&self.folder)?
        );
        self.told += 1;
        Ok(())
    }
}

/// Returns the kilobytes that are resident now.
fn resident_kb() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Returns the bytes of all files of a folder.
fn disk_bytes(folder: &Path) -> Result<u64> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}
