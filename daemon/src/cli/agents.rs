//! `onenetd agents …`: the agents at the sites.

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use super::{
    DataArgs,
    commands::{CommandError, administer, each, say, text, with_json},
};
use crate::api::encode;

/// What to do with agents.
#[derive(Debug, Clone, Subcommand)]
pub enum AgentsCommand {
    /// List agents: state, version, when last heard, when the certificate ends.
    List {
        /// Only the agents of this site and those below it: an id or a division code.
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Accept an agent's certificate no more and cut its stream. It cannot be taken back; an agent that was revoked by
    /// mistake enrols again (onenetd enrol SITE).
    Revoke {
        /// The agent: its id, as the list shows it.
        agent: String,
        /// Why: whoever stands at the agent reads it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Does it.
pub(super) async fn run(command: AgentsCommand) -> Result<(), CommandError> {
    match command {
        AgentsCommand::List { site, data } => {
            let site = site.map(|site| format!("&site={}", encode(&site))).unwrap_or_default();
            each(&data, &format!("/api/v1/agents?limit=1000{site}"), line).await
        }
        AgentsCommand::Revoke { agent, reason, data } => {
            let path = format!("/api/v1/agents/{}/revoke", encode(&agent));
            let answer = administer(&data, Method::POST, &path, with_json(&json!({"reason": reason}))).await?;
            say(&format!(
                "{} of {} is revoked: its certificate is accepted no more",
                text(&answer, "/id"),
                text(&answer, "/site")
            ))
        }
    }
}

fn line(agent: &Value) -> Result<(), CommandError> {
    let [id, site, state, version] = ["/id", "/site", "/state", "/version"].map(|key| text(agent, key));
    let heard = match text(agent, "/last_heard") {
        "" => "never heard".to_owned(),
        time => format!("heard {time}"),
    };
    let certificate = match text(agent, "/certificate/expires") {
        "" => "certificate not seen yet".to_owned(),
        time => format!("certificate until {time}"),
    };
    let configuration = match text(agent, "/configuration_state") {
        "" => String::new(),
        state => format!("; configuration {state}"),
    };
    let revoked = match text(agent, "/revoked/reason") {
        "" => String::new(),
        reason => format!("; revoked by {} {} ({reason})", text(agent, "/revoked/by"), text(agent, "/revoked/time")),
    };
    say(&format!("{id:<18} {site:<18} {state:<11} {version:<10} {heard}; {certificate}{configuration}{revoked}"))
}
