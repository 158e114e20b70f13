//! `onenetd devices …`: the managed devices, and which accounts of them are one.

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::{
    DataArgs,
    commands::{CommandError, administer, each, empty, say, text, with_json},
};
use crate::api::encode;

/// What to do with devices.
#[derive(Debug, Clone, Subcommand)]
pub enum DevicesCommand {
    /// List devices: state, name, model.
    List {
        /// Only those of this site and those below it: an id or a division code.
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show a device: each agent's entry of it, and what was ruled of that.
    Show {
        /// The device: its id.
        device: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Rule that two devices, or entries of devices, are one box, whatever evidence says.
    Same(RulingArgs),
    /// Rule that two entries of devices are not one box.
    Different(RulingArgs),
    /// Take a ruling back: evidence decides, as before.
    ByEvidence(RulingArgs),
}

/// Of which two.
#[derive(Debug, Clone, Args)]
pub struct RulingArgs {
    /// The one: its id.
    pub one: String,
    /// The other: its id.
    pub other: String,
    /// Why: kept in the log, with who said so.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Does it.
pub(super) async fn run(command: DevicesCommand) -> Result<(), CommandError> {
    match command {
        DevicesCommand::List { site, data } => {
            let site = site.map(|site| format!("&site={}", encode(&site))).unwrap_or_default();
            each(&data, &format!("/api/v1/devices?limit=1000{site}"), line).await
        }
        DevicesCommand::Show { device, data } => {
            let path = format!("/api/v1/devices/{}", encode(&device));
            show(&administer(&data, Method::GET, &path, empty()).await?)
        }
        DevicesCommand::Same(args) => rule(args, "same").await,
        DevicesCommand::Different(args) => rule(args, "different").await,
        DevicesCommand::ByEvidence(args) => rule(args, "by_evidence").await,
    }
}

async fn rule(args: RulingArgs, verdict: &str) -> Result<(), CommandError> {
    show(&args.send("devices", verdict).await?)
}

impl RulingArgs {
    /// Rules of two `things`, and returns what the one is by that.
    pub(super) async fn send(self, things: &str, verdict: &str) -> Result<Value, CommandError> {
        let path = format!("/api/v1/{things}/{}/rulings", encode(&self.one));
        let body = json!({"other": self.other, "verdict": verdict, "reason": self.reason});
        administer(&self.data, Method::POST, &path, with_json(&body)).await
    }
}

fn line(device: &Value) -> Result<(), CommandError> {
    let [id, site, state, name, model] = ["/id", "/site", "/state", "/name", "/model"].map(|key| text(device, key));
    say(&format!("{id:<18} {site:<18} {state:<9} {name:<24} {model}"))
}

fn show(device: &Value) -> Result<(), CommandError> {
    line(device)?;
    let each = |key: &str| device.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for account in each("accounts") {
        let [id, agent, name] = ["/id", "/agent", "/name"].map(|key| text(&account, key));
        say(&format!("  account {id:<18} of {agent:<18} as {name}"))?;
    }
    for ruling in each("rulings") {
        let [account, other, verdict, by, time, reason] =
            ["/account", "/other", "/verdict", "/by", "/time", "/reason"].map(|key| text(&ruling, key));
        say(&format!("  ruled by {by} {time}: {account} and {other} are {verdict} ({reason})"))?;
    }
    Ok(())
}
