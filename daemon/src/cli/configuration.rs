//! `onenetd config …`: the configuration of a site's agents.

use std::{path::PathBuf, time::Duration};

use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

use super::{
    DataArgs,
    commands::{CommandError, administer, empty, read, say, text, with_body},
    local::LocalError,
};
use crate::{api::encode, clock::Clock};

/// How often it is asked whether the agents have answered.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// What to do with the configuration of a site's agents.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Push a configuration to the agents of a site, and wait for what they say.
    ///
    /// The file holds the sections anchor, capture, intervals, groups, devices, discovery, probing, probes, detection and scans of an agent's
    /// file, and replaces all that was set before; push-sections changes some of them alone. Credentials are named, and stay in
    /// the agent's own file. Each agent checks it, applies it, and goes back to the one before when it loses the centre by
    /// it. Agents that are not connected get it when they are.
    Push {
        /// The site: its id or its division code.
        site: String,
        /// The TOML file.
        file: PathBuf,
        /// How many seconds to wait for the agents that are connected.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(0..=600))]
        wait: u16,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Push some sections, such as detection, to all sites of an area; all else that was set for each stays.
    ///
    /// The file holds any of the sections that push takes: a section is replaced as a whole, and what the file does not hold stays. That is how
    /// thresholds of detectors (`[detection]`) and approved scans (`[[scans]]`) are set for an area. A site for which no configuration was set is left out
    /// and said: its agents' own files are in force, which the centre does not know. Agents that are not connected get it when they are.
    PushSections {
        /// The TOML file.
        file: PathBuf,
        /// All sites of this area: its id or its name.
        #[arg(long, value_name = "AREA", required_unless_present = "site", conflicts_with = "site")]
        area: Option<String>,
        /// One site: its id or its division code.
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show the configuration that a site's agents are to have, and how far each is with it.
    Show {
        /// The site: its id or its division code.
        site: String,
        /// Only the text.
        #[arg(long)]
        text: bool,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Does it.
pub(super) async fn run(command: ConfigCommand) -> Result<(), CommandError> {
    let path = |site: &str| format!("/api/v1/sites/{}/configuration", encode(site));
    match command {
        ConfigCommand::Push { site, file, wait, data } => {
            let path = path(&site);
            let body = with_body("application/toml", read(&file)?);
            let mut answer = administer(&data, Method::PUT, &path, body).await?;
            let clock = Clock::system();
            let until = clock.now().plus_ms(i64::from(wait) * 1_000);
            while rollouts(&answer).any(|agent| text(agent, "/state") == "pushed") && clock.now() < until {
                tokio::time::sleep(ASK_EVERY).await;
                answer = administer(&data, Method::GET, &path, empty()).await?;
            }
            show(&answer)?;
            match rollouts(&answer).filter(|agent| text(agent, "/state") == "rejected").count() {
                0 => Ok(()),
                count => Err(CommandError::Rejected { count }),
            }
        }
        ConfigCommand::PushSections { file, area, site, data } => {
            let sections = read(&file)?;
            let mut sites = Vec::from_iter(site);
            if let Some(area) = area {
                let area = administer(&data, Method::GET, &format!("/api/v1/areas/{}", encode(&area)), empty()).await?;
                let members = area.get("sites").and_then(Value::as_array).into_iter().flatten();
                sites.extend(members.filter_map(Value::as_str).map(str::to_owned));
            }
            let mut left_out = 0;
            for site in sites {
                let body = with_body("application/toml", sections.clone());
                match administer(&data, Method::PATCH, &path(&site), body).await {
                    Ok(answer) => show(&answer)?,
                    Err(CommandError::Local(LocalError::Refused(why))) => {
                        left_out += 1;
                        say(&format!("{site}: left out: {why}"))?;
                    }
                    Err(error) => return Err(error),
                }
            }
            match left_out {
                0 => Ok(()),
                count => Err(CommandError::LeftOut { count }),
            }
        }
        ConfigCommand::Show { site, text: only_text, data } => {
            let answer = administer(&data, Method::GET, &path(&site), empty()).await?;
            if only_text { say(text(&answer, "/toml").trim_end()) } else { show(&answer) }
        }
    }
}

fn rollouts(configuration: &Value) -> impl Iterator<Item = &Value> {
    configuration.get("agents").and_then(Value::as_array).into_iter().flatten()
}

fn show(configuration: &Value) -> Result<(), CommandError> {
    let site = text(configuration, "/site");
    match configuration.get("revision").and_then(Value::as_u64) {
        None => say(&format!("{site}: none was set; the agents' own files are in force"))?,
        Some(revision) => {
            let [time, by] = ["/time", "/by"].map(|key| text(configuration, key));
            say(&format!("{site}: revision {revision}, set {time} by {by}"))?;
        }
    }
    if rollouts(configuration).next().is_none() {
        say("  no agent is enrolled there: it gets the configuration when it connects")?;
    }
    for agent in rollouts(configuration) {
        let in_force = match agent.get("in_force").and_then(Value::as_u64) {
            Some(0) | None => "its own file".to_owned(),
            Some(revision) => format!("revision {revision}"),
        };
        let state = match text(agent, "/state") {
            "" => "none set",
            "waiting" => "waiting: not connected, gets it when it is",
            "pushed" => "pushed: no answer yet",
            other => other,
        };
        let reason = match text(agent, "/reason") {
            "" => String::new(),
            reason => format!(" {}: {reason}", text(agent, "/rejected")),
        };
        say(&format!("  {:<18} {state}{reason}; in force is {in_force}", text(agent, "/agent")))?;
    }
    Ok(())
}
