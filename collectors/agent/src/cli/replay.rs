//! `onenet-agent replay`.

use std::{
    fs::File,
    io::BufWriter,
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use ipnetwork::IpNetwork;
use onenet_capture::{
    FrameTime,
    evidence::{Saved, Wanted, extract},
    replay::{Replay, ReplayOptions, replay_watched},
};
use onenet_detection::{Detection, DetectorState, Finding, Settings};
use onenet_topology::{MacAddr, Timestamp};

use super::output;
use crate::{config::Config, detecting::Detecting, render};

/// What is printed as JSON: the object of `onenet_capture::replay`, and with it
/// - `anomalies`: `kind`, `grade` (general, considerable, major, extraordinary; proposed), `confidence` (of a hundred), `subject`, `first`,
///   `last`, `count`, `evidence` (`is`, `value`); by kind and subject. What each kind is: `DETECTORS.md` of `onenet-detection`;
/// - `detectors`: `kind`, `off` (why; null where it is on), `last_run`, `inputs`, `findings`, `evicted`.
#[derive(serde::Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    replay: &'a Replay,
    anomalies: Vec<&'a Finding>,
    detectors: Vec<DetectorState>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Capture files, pcap or pcapng, one after the other through one pipeline.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The agent's configuration, or a file that has its `[detection]` alone: what is a finding, and prefixes on the segment.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A prefix on the captured segment: sources of IP packets from it are bound to their MAC. May be repeated.
    #[arg(long, value_name = "PREFIX")]
    local: Vec<IpNetwork>,
    /// Save the packets around something as a capture file: those that the following options choose.
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// An IP or MAC address whose packets are saved. May be repeated; without it, everybody's.
    #[arg(long, value_name = "ADDRESS", requires = "evidence")]
    around: Vec<String>,
    /// A port whose packets are saved. May be repeated.
    #[arg(long, value_name = "PORT", requires = "evidence")]
    port: Vec<u16>,
    /// Save no packet before this, such as 2026-11-23T08:00:00Z.
    #[arg(long, value_name = "TIME", requires = "evidence")]
    from: Option<Timestamp>,
    /// Save no packet after this.
    #[arg(long, value_name = "TIME", requires = "evidence")]
    to: Option<Timestamp>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    // Before anything is read: what is asked for wrongly costs nobody time.
    let wanted = wanted(arguments)?;
    let mut options = ReplayOptions::default();
    options.pipeline.local.clone_from(&arguments.local);
    options.pipeline.sightings = true;
    let mut settings = Settings::new();
    if let Some(path) = &arguments.config {
        let site = Config::load(path)?.site;
        options.pipeline.local.extend(site.capture.local_prefixes);
        settings = site.detection;
    }
    let mut detecting = Detecting::new(Detection::new(settings));
    let result = replay_watched(&arguments.files, &options, &mut detecting);
    result.flows.iter().for_each(|flow| detecting.flow(flow));
    let detection = detecting.detection;
    // What was read is shown also when a file breaks off; the exit status tells.
    let nothing_read = result.frames.seen == 0 && result.errors.len() == arguments.files.len();
    if !nothing_read && arguments.json {
        let anomalies = detection.findings().collect();
        output::json(&Printed { replay: &result, anomalies, detectors: detection.detectors() })?;
    } else if !nothing_read {
        output::text(&render::replay(&result))?;
        output::text(&render::anomalies(detection.findings(), &detection.detectors()))?;
    }
    if let Some(path) = &arguments.evidence {
        let saved = save(arguments, path, &wanted)?;
        // Standard output is the replay's.
        let more = if saved.omitted > 0 { format!(", and left out {} more", saved.omitted) } else { String::new() };
        output::note(&format!("saved {} packets in {}{more}", saved.packets, path.display()));
    }
    anyhow::ensure!(result.errors.is_empty(), "{}", result.errors.join("\n"));
    Ok(())
}

fn wanted(arguments: &Arguments) -> anyhow::Result<Wanted> {
    let mut wanted = Wanted { ports: arguments.port.clone(), packets_max: usize::MAX, ..Wanted::default() };
    for text in &arguments.around {
        match (text.parse::<IpAddr>(), text.parse::<MacAddr>()) {
            (Ok(address), _) => wanted.addresses.push(address),
            (_, Ok(mac)) => wanted.macs.push(mac),
            _ => anyhow::bail!(
                "{text:?} is neither an IP nor a MAC address: write --around 10.20.30.40 or --around 00:1b:21:00:00:0a"
            ),
        }
    }
    let time = |time: Option<Timestamp>, otherwise| time.map_or(otherwise, FrameTime::from);
    (wanted.from, wanted.to) = (time(arguments.from, wanted.from), time(arguments.to, wanted.to));
    Ok(wanted)
}

fn save(arguments: &Arguments, path: &Path, wanted: &Wanted) -> anyhow::Result<Saved> {
    let failed =
        || format!("the evidence cannot be written to {}: choose another file with --evidence", path.display());
    let same =
        |file: &PathBuf| file.canonicalize().ok().is_some_and(|file| path.canonicalize().is_ok_and(|it| it == file));
    anyhow::ensure!(!arguments.files.iter().any(same), "{} is what is replayed: it is not overwritten", path.display());
    let about = format!("packets around {} of a replay", arguments.around.join(", "));
    let program = concat!("onenet-agent ", env!("CARGO_PKG_VERSION"));
    let file = File::create(path).with_context(failed)?;
    extract(&arguments.files, wanted, (program, &about), BufWriter::new(file)).with_context(failed)
}
