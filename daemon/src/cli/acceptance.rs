//! `onenetd acceptance …`: whether a new or transferred unit is connected as it should be, and who accepts it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Map, Value, json};

use super::{
    DataArgs,
    commands::{CommandError, administer, each, empty, say, text, with_json},
};
use crate::api::encode;

/// Runs the test of a site, or does something with tests that were run.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct AcceptanceArgs {
    /// The site: its id or its division code.
    #[arg(required = true)]
    pub site: Option<String>,
    /// Minutes before the test whose measurements count.
    #[arg(long, value_name = "MINUTES")]
    pub minutes: Option<u16>,
    /// The most that may be lost over a way up.
    #[arg(long, value_name = "PERCENT")]
    pub loss_percent: Option<f64>,
    /// The longest mean round trip.
    #[arg(long, value_name = "MS")]
    pub round_trip_ms: Option<f64>,
    /// The greatest mean jitter.
    #[arg(long, value_name = "MS")]
    pub jitter_ms: Option<f64>,
    /// The least score of a call, 1 to 4.5.
    #[arg(long, value_name = "SCORE")]
    pub media_score: Option<f64>,
    /// Print the answer as JSON, as the API has it.
    #[arg(long)]
    pub json: bool,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
    /// What to do with a test that was run.
    #[command(subcommand)]
    pub command: Option<AcceptanceCommand>,
}

/// What to do with tests that were run.
#[derive(Debug, Clone, Subcommand)]
pub enum AcceptanceCommand {
    /// List the tests of a site, the newest first.
    List {
        /// The site: its id or its division code.
        site: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show a test with all of its checks.
    Show {
        /// The site: its id or its division code.
        site: String,
        /// The test.
        acceptance: String,
        /// Print it as JSON, as the API has it.
        #[arg(long)]
        json: bool,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Sign a test off. A test that failed is not signed off, and none twice.
    Sign {
        /// The site: its id or its division code.
        site: String,
        /// The test.
        acceptance: String,
        /// The name of the person who signs.
        #[arg(long, value_name = "NAME")]
        person: String,
        /// What the person adds.
        #[arg(long, value_name = "TEXT")]
        note: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Write a test as a page to print and sign (HTML).
    Print {
        /// The site: its id or its division code.
        site: String,
        /// The test.
        acceptance: String,
        /// The file to write.
        file: PathBuf,
        /// zh or en.
        #[arg(long, value_name = "LANGUAGE", default_value = "zh")]
        lang: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Does it.
pub(super) async fn run(args: AcceptanceArgs) -> Result<(), CommandError> {
    let of = |site: &str| format!("/api/v1/sites/{}/acceptances", encode(site));
    let one = |site: &str, id: &str| format!("{}/{}", of(site), encode(id));
    match args.command {
        None => test(args, of).await,
        Some(AcceptanceCommand::List { site, data }) => each(&data, &format!("{}?limit=1000", of(&site)), line).await,
        Some(AcceptanceCommand::Show { site, acceptance, json, data }) => {
            let told = administer(&data, Method::GET, &one(&site, &acceptance), empty()).await?;
            if json { say(&told.to_string()) } else { show(&told) }
        }
        Some(AcceptanceCommand::Sign { site, acceptance, person, note, data }) => {
            let body = with_json(&json!({"person": person, "note": note}));
            let path = format!("{}/signature", one(&site, &acceptance));
            line(&administer(&data, Method::POST, &path, body).await?)
        }
        Some(AcceptanceCommand::Print { site, acceptance, file, lang, data }) => {
            let path = format!("{}/report?lang={}", one(&site, &acceptance), encode(&lang));
            let page = administer(&data, Method::GET, &path, empty()).await?;
            Ok(std::fs::write(file, page.as_str().unwrap_or_default())?)
        }
    }
}

async fn test(args: AcceptanceArgs, of: impl Fn(&str) -> String) -> Result<(), CommandError> {
    let mut thresholds = Map::new();
    for (name, value) in [
        ("minutes", args.minutes.map(Value::from)),
        ("loss_percent", args.loss_percent.map(Value::from)),
        ("round_trip_ms", args.round_trip_ms.map(Value::from)),
        ("jitter_ms", args.jitter_ms.map(Value::from)),
        ("media_score", args.media_score.map(Value::from)),
    ] {
        thresholds.extend(value.map(|value| (name.to_owned(), value)));
    }
    let path = of(&args.site.unwrap_or_default());
    let told = administer(&args.data, Method::POST, &path, with_json(&Value::Object(thresholds))).await?;
    if args.json { say(&told.to_string()) } else { show(&told) }
}

fn line(acceptance: &Value) -> Result<(), CommandError> {
    let [id, time, verdict, by] = ["/id", "/time", "/verdict", "/by"].map(|key| text(acceptance, key));
    let count = |key: &str| acceptance.get(key).and_then(Value::as_u64).unwrap_or_default();
    let signed = match text(acceptance, "/signed/person") {
        "" => "not signed".to_owned(),
        person => {
            format!("signed by {person} at {}: {}", text(acceptance, "/signed/time"), text(acceptance, "/signed/note"))
        }
    };
    say(&format!(
        "{id:<20} {time} {verdict:<12} {} passed, {} failed, {} not measured; run by {by}; {signed}",
        count("passed"),
        count("failed"),
        count("not_measured"),
    ))
}

fn show(acceptance: &Value) -> Result<(), CommandError> {
    for check in items_of(acceptance) {
        let [verdict, kind, subject] = ["/verdict", "/check", "/subject"].map(|key| text(check, key));
        let number = |key: &str| check.get(key).and_then(Value::as_f64);
        let bound = if check.get("at_least").and_then(Value::as_bool) == Some(true) { "at least" } else { "at most" };
        let told = match (number("value"), number("threshold")) {
            (Some(value), Some(threshold)) => format!("{value:.2}, {bound} {threshold:.2} {}", text(check, "/unit")),
            (None, Some(threshold)) => format!("{bound} {threshold:.2} {}", text(check, "/unit")),
            _ => String::new(),
        };
        let words: Vec<&str> = ["/reason", "/detail"].map(|key| text(check, key)).to_vec();
        let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(": ");
        say(format!("{verdict:<12} {kind:<18} {subject:<20} {told:<38} {words}").trim_end())?;
    }
    line(acceptance)
}

fn items_of(acceptance: &Value) -> impl Iterator<Item = &Value> {
    acceptance.get("checks").and_then(Value::as_array).into_iter().flatten()
}
