//! `onenetd incidents …` and `onenetd maintenance …`: what is broken, and what is out of order on purpose.

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::{
    DataArgs,
    commands::{CommandError, administer, each, empty, say, text, texts, with_json},
};
use crate::api::encode;

/// What to do with incidents.
#[derive(Debug, Clone, Subcommand)]
pub enum IncidentsCommand {
    /// List incidents, the newest first.
    List {
        /// Only those of this site and those below it: an id or a division code.
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// open, closed or all.
        #[arg(long, value_name = "STATE", default_value = "open")]
        state: String,
        /// Only this kind, such as link_down.
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show an incident, what follows from it, and why it is believed.
    Show {
        /// The incident.
        incident: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show what happened at a site, the newest first.
    Timeline {
        /// The site: its id or its division code.
        site: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// What to do with planned maintenances.
#[derive(Debug, Clone, Subcommand)]
pub enum MaintenanceCommand {
    /// List maintenances that are planned or on.
    List {
        /// List those that are over.
        #[arg(long)]
        over: bool,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Plan a maintenance: what breaks meanwhile is marked as planned.
    Plan(PlanArgs),
    /// End a maintenance now, or call it off.
    End {
        /// The maintenance.
        maintenance: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Which maintenance to plan.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// The site: its id or its division code.
    pub site: String,
    /// Everything below the site too.
    #[arg(long, conflicts_with_all = ["parent", "device"])]
    pub subtree: bool,
    /// Only the way up to this site.
    #[arg(long, value_name = "SITE", conflicts_with = "device")]
    pub parent: Option<String>,
    /// Only this device.
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// From when: a time after RFC 3339, or a day; now by default.
    #[arg(long, value_name = "TIME")]
    pub begin: Option<String>,
    /// Until when, 31 days later at most.
    #[arg(long, value_name = "TIME")]
    pub end: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Does it.
pub(super) async fn run(command: IncidentsCommand) -> Result<(), CommandError> {
    match command {
        IncidentsCommand::List { site, state, kind, data } => {
            let mut path = format!("/api/v1/incidents?state={}", encode(&state));
            for (name, value) in [("site", site), ("kind", kind)] {
                path += &value.map(|value| format!("&{name}={}", encode(&value))).unwrap_or_default();
            }
            each(&data, &path, line).await
        }
        IncidentsCommand::Show { incident, data } => {
            let path = format!("/api/v1/incidents/{}", encode(&incident));
            show(&administer(&data, Method::GET, &path, empty()).await?)
        }
        IncidentsCommand::Timeline { site, data } => {
            let path = format!("/api/v1/sites/{}/timeline", encode(&site));
            let answer = administer(&data, Method::GET, &path, empty()).await?;
            super::commands::items(&answer).try_for_each(|moment| {
                let [time, what, kind] = ["/time", "/what", "/kind"].map(|key| text(moment, key));
                let about = ["/incident", "/agent", "/subject", "/detail"].map(|key| text(moment, key));
                let about: Vec<&str> = about.into_iter().filter(|it| !it.is_empty()).collect();
                say(&format!("{time}  {what:<16} {kind:<20} {}", about.join("  ")))
            })
        }
    }
}

/// Does it.
pub(super) async fn maintain(command: MaintenanceCommand) -> Result<(), CommandError> {
    let path = "/api/v1/maintenances";
    match command {
        MaintenanceCommand::List { over, data } => {
            each(&data, &format!("{path}?over={over}"), |it| say(&maintenance(it))).await
        }
        MaintenanceCommand::Plan(args) => {
            let body = json!({
                "site": args.site, "subtree": args.subtree, "parent": args.parent, "device": args.device,
                "begin": args.begin, "end": args.end, "reason": args.reason,
            });
            say(&maintenance(&administer(&args.data, Method::POST, path, with_json(&body)).await?))
        }
        MaintenanceCommand::End { maintenance: id, data } => {
            let path = format!("{path}/{}", encode(&id));
            say(&maintenance(&administer(&data, Method::DELETE, &path, empty()).await?))
        }
    }
}

fn maintenance(it: &Value) -> String {
    let [id, scope, site, state] = ["/id", "/scope", "/site", "/state"].map(|key| text(it, key));
    let [begin, end, reason, by] = ["/begin", "/end", "/reason", "/by"].map(|key| text(it, key));
    format!("{id:<22} {state:<8} {scope:<8} {site:<16} {begin} - {end}  {reason} ({by})")
}

fn line(it: &Value) -> Result<(), CommandError> {
    let [id, kind, severity, since] = ["/id", "/kind", "/severity", "/since"].map(|key| text(it, key));
    let [state, about, planned] = ["/state", "/subject/label", "/maintenance"].map(|key| text(it, key));
    let sites = it.pointer("/sites_affected").and_then(Value::as_u64).unwrap_or_default();
    let planned = if planned.is_empty() { "" } else { "  planned" };
    let cut_off = if sites == 0 { String::new() } else { format!("  {sites} sites cut off") };
    let drill = if text(it, "/drill").is_empty() { "" } else { "  drill" };
    say(&format!("{id:<20} {state:<7} {kind:<16} {severity:<14} since {since}  {about}{cut_off}{planned}{drill}"))
}

fn show(it: &Value) -> Result<(), CommandError> {
    line(it)?;
    say(&format!("  possible  {}", texts(it, "/possible")))?;
    for (what, key) in [("sites", "/sites"), ("agents", "/agents"), ("devices", "/devices")] {
        let named = texts(it, key);
        if !named.is_empty() {
            say(&format!("  {what:<8}  {named}"))?;
        }
    }
    for (what, key) in [("for", "/evidence_for"), ("against", "/evidence_against")] {
        for clue in it.pointer(key).and_then(Value::as_array).into_iter().flatten() {
            let parts = ["/clue", "/agent", "/device", "/interface", "/since"].map(|key| text(clue, key));
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            say(&format!("  {what:<8}  {}", parts.join("  ")))?;
        }
    }
    for version in it.pointer("/versions").and_then(Value::as_array).into_iter().flatten() {
        let [time, kind, severity] = ["/time", "/kind", "/severity"].map(|key| text(version, key));
        say(&format!("  version   {time}  {kind}  {severity}  {}", texts(version, "/possible")))?;
    }
    Ok(())
}
