//! `onenetd changes` and `onenetd picture`: what changed, and what was there at a time.

use clap::Args;
use hyper::Method;
use serde_json::Value;

use super::{
    DataArgs,
    commands::{CommandError, administer, empty, items, say, text, texts},
};
use crate::api::encode;

/// Which changes.
#[derive(Debug, Clone, Args)]
pub struct ChangesArgs {
    /// At this site and those below it: an id or a division code; everywhere by default.
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    /// In this area, by its id.
    #[arg(long, value_name = "AREA", conflicts_with = "site")]
    pub area: Option<String>,
    /// From this day or time on; a day before --until by default.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until before this day or time; now by default.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// How many at most, the latest first.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub limit: u16,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Of which site, and when.
#[derive(Debug, Clone, Args)]
pub struct PictureArgs {
    /// The site: its id or its division code.
    pub site: String,
    /// As of this day or time; now by default.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Lists changes.
pub(super) async fn run(args: ChangesArgs) -> Result<(), CommandError> {
    let given = [("site", args.site), ("area", args.area), ("from", args.from), ("until", args.until)];
    let query = given.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", encode(&value?))));
    let path = format!("/api/v1/changes?limit={}{}", args.limit, query.collect::<String>());
    let answer = administer(&args.data, Method::GET, &path, empty()).await?;
    for change in items(&answer) {
        let [time, site, what, kind, name] = ["/time", "/site", "/what", "/kind", "/name"].map(|key| text(change, key));
        let told = match [text(change, "/before"), text(change, "/after")] {
            ["", ""] => String::new(),
            ["", after] => after.to_owned(),
            [before, after] => format!("{before} -> {after}"),
        };
        say(&format!("{time} {site:<18} {what:<13} {kind:<9} {name}  {told}"))?;
    }
    match answer.get("next").and_then(Value::as_str) {
        Some(next) => say(&format!("there is more: go on with --until {next}")),
        None => Ok(()),
    }
}

/// Shows what was at a site.
pub(super) async fn picture(args: PictureArgs) -> Result<(), CommandError> {
    let at = args.at.map(|at| format!("?at={}", encode(&at))).unwrap_or_default();
    let path = format!("/api/v1/sites/{}/picture{at}", encode(&args.site));
    let picture = administer(&args.data, Method::GET, &path, empty()).await?;
    say(&format!("{} as of {}", text(&picture, "/site"), text(&picture, "/at")))?;
    let list = |key: &str| picture.get(key).and_then(Value::as_array).into_iter().flatten().collect::<Vec<_>>();
    for device in list("devices") {
        let [id, name, description] = ["/id", "/name", "/description"].map(|key| text(device, key));
        say(&format!("device    {id:<18} {name:<20} {}  {description}", texts(device, "/serials")))?;
    }
    for link in list("links") {
        let [a, a_port] = ["/a/system", "/a/port"].map(|key| text(link, key));
        let [b, b_port] = ["/b/system", "/b/port"].map(|key| text(link, key));
        say(&format!("link      {a} {a_port} - {b} {b_port}"))?;
    }
    for endpoint in list("endpoints") {
        let [id, mac] = ["/id", "/mac"].map(|key| text(endpoint, key));
        let place = ["/place/device_name", "/place/interface_name"].map(|key| text(endpoint, key));
        say(&format!("endpoint  {id:<18} {mac}  {}", place.join(" ").trim_end()))?;
    }
    Ok(())
}
