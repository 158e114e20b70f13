//! `onenetd flows SITE …`: who talked to whom, asked of a site's agents.

use std::io::{self, Write as _};

use clap::Args;
use hyper::Method;
use serde_json::Value;

use super::{
    DataArgs,
    commands::{CommandError, empty, found, items, say, text},
    local::Local,
};
use crate::{access::Role, api::encode};

/// The most flows of a page.
const PAGE_MAX: u32 = 1_000;
/// Pages without a flow that are read on at most: an agent looks through its log for some seconds a page.
const EMPTY_PAGES_MAX: u32 = 100;

/// Which flows to ask for. All that is given must hold.
#[derive(Debug, Clone, Args)]
pub struct FlowsArgs {
    /// The site: its id or its division code.
    pub site: String,
    /// Why you ask, 4 to 200 characters: it goes to the audit trail, and is shown at the site.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Flows with this end: a MAC address, an IP address, a prefix, or the id of an endpoint.
    #[arg(long, value_name = "END")]
    pub endpoint: Option<String>,
    /// And with this at the other end.
    #[arg(long, value_name = "END")]
    pub peer: Option<String>,
    /// With this port at either end.
    #[arg(long)]
    pub port: Option<u16>,
    /// With this IP protocol: tcp, udp, icmp or another, or its number.
    #[arg(long)]
    pub protocol: Option<String>,
    /// Of this application, such as dns, tls or smb.
    #[arg(long)]
    pub application: Option<String>,
    /// Flows that were going on at this time or later: RFC 3339, or a day such as 2026-11-24; by default an hour before
    /// --until.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Flows that began before this; now by default.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// How many flows at most, the latest first.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub limit: u32,
    /// Print each flow as JSON on a line, as the API has it.
    #[arg(long)]
    pub json: bool,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Asks, page by page.
pub(super) async fn run(args: FlowsArgs) -> Result<(), CommandError> {
    let centre = found(&args.data, false).await?;
    let told = tell(&centre, &args).await;
    centre.close().await;
    told
}

async fn tell(centre: &Local, args: &FlowsArgs) -> Result<(), CommandError> {
    let question = question(args);
    let (mut cursor, mut left, mut empty_pages) = (String::new(), args.limit, 0);
    loop {
        let page = format!("{question}&limit={}{cursor}", left.min(PAGE_MAX));
        let answer = centre.ask(Role::SecurityReviewer, Method::GET, &page, empty()).await?;
        if cursor.is_empty() {
            agents(&answer)?;
        }
        let mut told = 0;
        for flow in items(&answer) {
            told += 1;
            if args.json { say(&flow.to_string())? } else { say(&line(flow))? }
        }
        left = left.saturating_sub(told);
        empty_pages = if told == 0 { empty_pages + 1 } else { 0 };
        match answer.get("next").and_then(Value::as_str) {
            None => return Ok(()),
            Some(_) if left == 0 => return note("there are more: raise --limit, or ask for less time"),
            Some(_) if empty_pages == EMPTY_PAGES_MAX => return note("nothing found for long: ask for less time"),
            Some(next) => cursor = format!("&cursor={}", encode(next)),
        }
    }
}

/// Returns the path of the question, without its page.
fn question(args: &FlowsArgs) -> String {
    let port = args.port.map(|port| port.to_string());
    let given = [
        ("endpoint", &args.endpoint),
        ("peer", &args.peer),
        ("port", &port),
        ("protocol", &args.protocol),
        ("application", &args.application),
        ("from", &args.from),
        ("until", &args.until),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", encode(value.as_deref()?))));
    let given: String = given.collect();
    format!("/api/v1/sites/{}/flows?reason={}{given}", encode(&args.site), encode(&args.reason))
}

/// Says on standard error who was asked: what is missing must not be taken for peace.
fn agents(answer: &Value) -> Result<(), CommandError> {
    let agents = answer.get("agents").and_then(Value::as_array).into_iter().flatten();
    for agent in agents {
        let id = text(agent, "/agent");
        match text(agent, "/reason") {
            "" => match text(agent, "/kept_from") {
                "" => note(&format!("{id} keeps no flows yet"))?,
                from => {
                    let days = agent.get("days").and_then(Value::as_u64).unwrap_or_default();
                    note(&format!("{id} keeps flows since {from}: {days} days"))?;
                }
            },
            reason => note(&format!("NOT ANSWERED: {reason}"))?,
        }
        for missing in agent.get("missing").and_then(Value::as_array).into_iter().flatten() {
            let [reason, from, until] = ["/reason", "/from", "/until"].map(|key| text(missing, key));
            note(&format!("{id} lacks flows from {from} until {until}: {reason}"))?;
        }
    }
    Ok(())
}

fn note(text: &str) -> Result<(), CommandError> {
    Ok(writeln!(io::stderr().lock(), "{text}")?)
}

fn line(flow: &Value) -> String {
    let number = |key: &str| flow.pointer(key).and_then(Value::as_u64).unwrap_or_default();
    let end = |side: &str| {
        let (ip, port) = (text(flow, &format!("/{side}/ip")), number(&format!("/{side}/port")));
        if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
    };
    let application = match (text(flow, "/application"), text(flow, "/application_by")) {
        ("", _) => "-".to_owned(),
        // What only a port says is a guess.
        (application, "port") => format!("{application}?"),
        (application, _) => application.to_owned(),
    };
    let protocol = crate::api::flows::protocol_name(u8::try_from(number("/protocol")).unwrap_or_default());
    let parts = [
        text(flow, "/start").to_owned(),
        text(flow, "/end").to_owned(),
        protocol,
        end("originator"),
        "->".to_owned(),
        end("responder"),
        application,
        format!("{} B out, {} B in", number("/bytes_out"), number("/bytes_in")),
        text(flow, "/tcp/state").to_owned(),
        text(flow, "/name").to_owned(),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flow_is_a_line_that_says_what_is_a_guess() {
        let flow = json!({
            "start": "2026-11-24T02:00:00.000Z", "end": "2026-11-24T02:00:01.500Z", "protocol": 6,
            "originator": {"ip": "10.13.1.44", "port": 50_123}, "responder": {"ip": "fd00::1", "port": 443},
            "application": "tls", "application_by": "port", "name": null, "bytes_out": 1_800, "bytes_in": 9_000,
            "tcp": {"state": "finished"},
        });
        assert_eq!(
            line(&flow),
            "2026-11-24T02:00:00.000Z  2026-11-24T02:00:01.500Z  tcp  10.13.1.44:50123  ->  [fd00::1]:443  tls?  \
             1800 B out, 9000 B in  finished"
        );
    }
}
