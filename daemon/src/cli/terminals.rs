//! `onenetd terminals`: which endpoints are cards of one machine, and the rulings of that.

use clap::Subcommand;
use serde_json::Value;

use super::{
    DataArgs,
    commands::{CommandError, each, say, text},
    devices::RulingArgs,
};
use crate::api::encode;

/// What to do about terminals.
#[derive(Debug, Clone, Subcommand)]
pub enum TerminalsCommand {
    /// List the terminals of a site that have several cards, and why these are one.
    List {
        /// The site: an id or a division code.
        site: String,
        /// Also those of one card.
        #[arg(long)]
        all: bool,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Rule that two endpoints are cards of one terminal, whatever evidence says.
    Same(RulingArgs),
    /// Rule that two endpoints are of two terminals.
    Different(RulingArgs),
    /// Take a ruling back: evidence decides, as before.
    ByEvidence(RulingArgs),
}

/// Does it.
pub(super) async fn run(command: TerminalsCommand) -> Result<(), CommandError> {
    match command {
        TerminalsCommand::List { site, all, data } => {
            let several = if all { "" } else { "&several=true" };
            each(&data, &format!("/api/v1/sites/{}/terminals?limit=1000{several}", encode(&site)), show).await
        }
        TerminalsCommand::Same(args) => show(&args.send("endpoints", "same").await?),
        TerminalsCommand::Different(args) => show(&args.send("endpoints", "different").await?),
        TerminalsCommand::ByEvidence(args) => show(&args.send("endpoints", "by_evidence").await?),
    }
}

fn show(terminal: &Value) -> Result<(), CommandError> {
    let each = |key: &str| terminal.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let assets: Vec<String> = each("assets").iter().filter_map(|it| it.as_str().map(str::to_owned)).collect();
    say(&format!("{} {}", text(terminal, "/id"), assets.join(" ")))?;
    for card in each("endpoints") {
        let [id, mac, hostname, present] = ["/id", "/mac", "/hostname", "/present"].map(|key| text(&card, key));
        let present = if present == "true" { "present" } else { "not seen" };
        say(&format!("  card {id:<18} {mac} {present:<9} {hostname}"))?;
    }
    for joint in each("joints") {
        let [one, other, confidence] = ["/one", "/other", "/confidence"].map(|key| text(&joint, key));
        let reasons = joint.get("reasons").and_then(Value::as_array).cloned().unwrap_or_default();
        let reasons: Vec<String> = reasons.iter().map(reason).collect();
        say(&format!("  {one} and {other} are one, {confidence} %: {}", reasons.join(", ")))?;
    }
    for ruling in each("rulings") {
        let [one, other, verdict, by, time, reason] =
            ["/one", "/other", "/verdict", "/by", "/time", "/reason"].map(|key| text(&ruling, key));
        say(&format!("  ruled by {by} {time}: {one} and {other} are {verdict} ({reason})"))?;
    }
    Ok(())
}

/// A reason in words: its kind, and what both share.
fn reason(reason: &Value) -> String {
    let shared = reason.get("value").or_else(|| reason.get("asset")).and_then(Value::as_str);
    let kind = text(reason, "/kind").replace('_', " ");
    shared.map_or_else(|| kind.clone(), |shared| format!("{kind} {shared}"))
}
