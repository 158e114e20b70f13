//! `onenetd availability`: how much of the time sites and ways were there, and how good the ways were.

use clap::Args;
use hyper::Method;
use serde_json::Value;

use super::{
    DataArgs, PlaceArgs,
    commands::{CommandError, administer, empty, say, text},
};
use crate::api::encode;

/// Of what availability is asked for.
#[derive(Debug, Clone, Args)]
pub struct AvailabilityArgs {
    /// A site, day by day with its ways up: its id or its division code. Without it, everything by layer and part.
    pub site: Option<String>,
    /// A site with those below it, by layer and part.
    #[arg(long, value_name = "SITE", conflicts_with = "site")]
    pub below: Option<String>,
    /// An area by its id, by layer and part.
    #[arg(long, value_name = "AREA", conflicts_with_all = ["site", "below"])]
    pub area: Option<String>,
    /// The first day, such as 2026-01-31; the first of the month by default.
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// The last day; today by default.
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    /// day or month.
    #[arg(long, value_name = "PERIOD", default_value = "day")]
    pub by: String,
    /// As a table (CSV), a row for each site and each of its ways up in each period; of a site, with those below it.
    #[arg(long)]
    pub csv: bool,
    /// Where the centre is.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Does it.
pub(super) async fn run(args: AvailabilityArgs) -> Result<(), CommandError> {
    let data = DataArgs::from(args.place);
    let mut query = format!("by={}", encode(&args.by));
    for (name, value) in [("site", args.below), ("area", args.area), ("from", args.from), ("to", args.to)] {
        query += &value.map(|value| format!("&{name}={}", encode(&value))).unwrap_or_default();
    }
    if args.csv {
        let site = args.site.map(|site| format!("&site={}", encode(&site))).unwrap_or_default();
        let path = format!("/api/v1/availability.csv?{query}{site}");
        let table = administer(&data, Method::GET, &path, empty()).await?;
        return say(table.as_str().unwrap_or_default().trim_end());
    }
    let path = match args.site {
        Some(site) => format!("/api/v1/sites/{}/availability?{query}", encode(&site)),
        None => format!("/api/v1/availability?{query}"),
    };
    let answer = administer(&data, Method::GET, &path, empty()).await?;
    say(&format!(
        "{:<28} {:>10} {:>9} {:>10} {:>10} {:>8} {:>9} {:>9}  ",
        "", "available", "unknown", "down", "planned", "loss", "rtt", "jitter"
    ))?;
    if answer.get("layers").is_some() { whole(&answer) } else { site(&answer) }
}

fn whole(answer: &Value) -> Result<(), CommandError> {
    let null = Value::Null;
    line("sites", answer.get("sites").unwrap_or(&null), "")?;
    for layer in list(answer, "layers") {
        line(text(layer, "/layer"), layer, "")?;
    }
    for part in list(answer, "parts") {
        line(text(part, "/code"), part.get("sites").unwrap_or(&null), text(part, "/name"))?;
    }
    for period in list(answer, "periods") {
        line(text(period, "/period"), period.get("sites").unwrap_or(&null), "")?;
    }
    let bad = |site: &&Value| site.get("availability_ratio").and_then(Value::as_f64).is_some_and(|it| it < 1.0);
    for site in list(answer, "worst").filter(bad) {
        line(text(site, "/code"), site, &format!("{} (among the worst)", text(site, "/name")))?;
    }
    Ok(())
}

fn site(answer: &Value) -> Result<(), CommandError> {
    line(text(answer, "/code"), answer, text(answer, "/name"))?;
    for period in list(answer, "periods") {
        line(text(period, "/period"), period, "")?;
    }
    for way in list(answer, "ways") {
        line(&format!("way up {}", text(way, "/parent")), way, text(way, "/layer"))?;
        for period in list(way, "periods") {
            line(text(period, "/period"), period, "")?;
        }
    }
    Ok(())
}

fn list<'v>(answer: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    answer.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn line(of: &str, figures: &Value, note: &str) -> Result<(), CommandError> {
    let number = |key: &str| figures.get(key).and_then(Value::as_f64);
    let told = |value: Option<f64>, unit: &str, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}{unit}"))
    };
    let percent = |key: &str| number(key).map(|ratio| ratio * 100.0);
    say(&format!(
        "{of:<28} {:>10} {:>9} {:>10} {:>10} {:>8} {:>9} {:>9}  {note}",
        told(percent("availability_ratio"), " %", 3),
        told(percent("unknown_ratio"), " %", 2),
        told(number("down_seconds"), " s", 0),
        told(number("maintenance_seconds"), " s", 0),
        told(percent("loss_ratio"), " %", 2),
        told(number("round_trip_ms"), " ms", 1),
        told(number("jitter_ms"), " ms", 1),
    ))
}
