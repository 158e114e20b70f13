//! `onenetd anomalies …`: what detectors found at sites, and what the detectors do.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::Value;

use super::{
    DataArgs,
    commands::{CommandError, ask_as, each, each_as, empty, found, say, say_table, silencing, text, write_new},
};
use crate::{access::Role, api::encode};

/// What to do with what detectors found.
#[derive(Debug, Clone, Subcommand)]
pub enum AnomaliesCommand {
    /// List what was found, the last seen first.
    List(Box<AnomaliesListArgs>),
    /// Fetch the packets around an anomaly from the site's agent, as a capture file (pcapng) for Wireshark.
    ///
    /// The agent has room for 64 files of together 32 MiB; what was asked for once gives way to others last. Those of open cases the centre
    /// asks for at once, fetches slowly and attaches (`onenetd cases show`): this is for what is needed now, and for what no case names.
    Capture {
        /// The site: its id or its division code.
        site: String,
        /// The file, as `list --evidence` names it (`capture`).
        file: String,
        /// Why you ask, 4 to 200 characters: it goes to the audit trail, and is shown at the site.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Where to write it; a file that is there stays as it is.
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show what detectors do: those of the centre, or of a site's agents.
    ///
    /// Without a site: what the centre looks for itself and why, by which thresholds, when it looked last, at how much, and what it found. With
    /// one: which detectors of its agents are on, and what each saw and found, as of the last sample that the agent told.
    Detectors {
        /// The site: its id or its division code; the centre without one.
        site: Option<String>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Which anomalies to list.
#[derive(Debug, Clone, Args)]
pub struct AnomaliesListArgs {
    /// Only at this site and those below it: an id or a division code.
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    /// Only at sites of this area: its id or its name.
    #[arg(long, value_name = "AREA")]
    pub area: Option<String>,
    /// Only this kind, such as `port_scan`.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Only what is at least so grave: general, considerable, major, extraordinary.
    #[arg(long, value_name = "GRADE")]
    pub grade: Option<String>,
    /// Only what was seen at this time or later, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Also from what each was concluded.
    #[arg(long)]
    pub evidence: bool,
    /// All of it as CSV (RFC 4180), with a line of names first.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// All of it as JSON, an anomaly a line.
    #[arg(long)]
    pub json: bool,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Does it.
pub(super) async fn run(command: AnomaliesCommand) -> Result<(), CommandError> {
    match command {
        AnomaliesCommand::List(args) => list(*args).await,
        AnomaliesCommand::Capture { site, file, reason, to, data } => {
            let [site, name, reason] = [&site, &file, &reason].map(|text| encode(text));
            let path = format!("/api/v1/sites/{site}/captures/{name}?reason={reason}");
            let centre = found(&data, false).await?;
            let fetched = centre.fetch(Role::SecurityReviewer, &path).await;
            centre.close().await;
            write_new(&to, &fetched?)
        }
        AnomaliesCommand::Detectors { site: None, data } => each(&data, "/api/v1/detectors?", at_centre).await,
        AnomaliesCommand::Detectors { site: Some(site), data } => {
            let path = format!("/api/v1/sites/{}/detectors?", encode(&site));
            each(&data, &path, detector).await
        }
    }
}

/// Lists them with their cases: as who reads those.
async fn list(args: AnomaliesListArgs) -> Result<(), CommandError> {
    let AnomaliesListArgs { site, area, kind, grade, from, evidence, csv, json, data } = args;
    let mut query = String::new();
    for (name, value) in [("site", site), ("area", area), ("kind", kind), ("grade", grade), ("from", from)] {
        query += &value.map(|value| format!("&{name}={}", encode(&value))).unwrap_or_default();
    }
    if csv {
        let path = format!("/api/v1/anomalies.csv?{}", query.trim_start_matches('&'));
        return say_table(&ask_as(&data, Role::SecurityReviewer, Method::GET, &path, empty()).await?);
    }
    let path = format!("/api/v1/anomalies?limit=1000{query}");
    let shown = |it: &Value| if json { say(&it.to_string()) } else { show(it, evidence) };
    each_as(&data, Role::SecurityReviewer, &path, shown).await
}

fn show(anomaly: &Value, evidence: bool) -> Result<(), CommandError> {
    let [code, name, kind, subject, grade, first, last, case] =
        ["/site_code", "/site_name", "/kind", "/subject", "/grade", "/first", "/last", "/case"]
            .map(|key| text(anomaly, key));
    let [confidence, count] = ["confidence", "count"].map(|key| anomaly.get(key).and_then(Value::as_u64).unwrap_or(0));
    let case = match text(anomaly, "/case_state") {
        "" => String::new(),
        state => format!("  {case} {state}"),
    };
    let rule = silencing(anomaly);
    let drill = if text(anomaly, "/drill").is_empty() { "" } else { "  drill" };
    say(&format!(
        "{last}  {code} {name}  {kind:<18} {subject:<24} {grade:<13} {confidence:>3} %  {count} since {first}{case}{rule}{drill}"
    ))?;
    let pieces = anomaly.get("evidence").and_then(Value::as_array).filter(|_| evidence);
    pieces.into_iter().flatten().try_for_each(|piece| {
        let [is, value] = ["/is", "/value"].map(|key| text(piece, key));
        say(&format!("    {is}: {value}"))
    })
}

fn detector(detector: &Value) -> Result<(), CommandError> {
    let [agent, kind, off, last_run, time] =
        ["/agent", "/kind", "/off", "/last_run", "/time"].map(|key| text(detector, key));
    let [inputs, found] = ["inputs", "found"].map(|key| detector.get(key).and_then(Value::as_u64).unwrap_or(0));
    let state = if off.is_empty() { "on".to_owned() } else { format!("off: {off}") };
    let last = if last_run.is_empty() { "nothing yet" } else { last_run };
    say(&format!("{agent}  {kind:<20} {inputs:>10} seen, last {last}, {found} found; {state}; as of {time}"))
}

fn at_centre(detector: &Value) -> Result<(), CommandError> {
    let [kind, what, why, from, blind, last_run] =
        ["/kind", "/what", "/why", "/from", "/blind", "/last_run"].map(|key| text(detector, key));
    let [inputs, found] = ["inputs", "found"].map(|key| detector.get(key).and_then(Value::as_u64).unwrap_or(0));
    let thresholds = detector.get("thresholds").and_then(Value::as_array).into_iter().flatten();
    let threshold =
        |it: &Value| format!(", {} = {}", text(it, "/key"), it.get("value").and_then(Value::as_u64).unwrap_or(0));
    let thresholds: String = thresholds.map(threshold).collect();
    say(&format!("{kind:<22} {inputs:>10} looked at, last {last_run}, {found} found{thresholds}"))?;
    say(&format!("    {what} {why}"))?;
    say(&format!("    from {from}; not seen: {blind}"))
}
