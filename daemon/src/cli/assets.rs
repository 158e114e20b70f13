//! `onenetd assets …` and `onenetd coverage`: the asset register, and how far what is on it is seen.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::Value;

use super::{
    DataArgs,
    commands::{CommandError, administer, each, empty, import, read, say, text, texts, with_body},
    sites::Effective,
};
use crate::api::encode;

/// What to do with the asset register.
#[derive(Debug, Clone, Subcommand)]
pub enum AssetsCommand {
    /// Bring the asset register in line with a CSV file; assets that it does not name are left alone.
    ///
    /// The columns are number,site and, if wanted, mac (several with blanks or semicolons between them), ip, class, name, owner,
    /// location, from and until (days, or times). A row is the asset with its number at its site, or else the one with its MAC
    /// address, which may come from another site. An asset is written off by the day in until. All of a file is taken, or none.
    Import {
        /// The CSV file, UTF-8.
        file: PathBuf,
        /// The file names every asset of each site in it: write off what it does not name.
        #[arg(long)]
        complete: bool,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// List the assets on the books, and what is seen of each.
    List {
        /// Only those of this site and the sites below it: an id or a division code.
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// Only those that are seen, silent or never_seen.
        #[arg(long, value_name = "STANDING")]
        standing: Option<String>,
        /// Days within which an asset is to be seen.
        #[arg(long, value_name = "DAYS")]
        days: Option<u16>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Of what coverage is asked for.
#[derive(Debug, Clone, Args)]
pub struct CoverageArgs {
    /// A site, with those below it: an id or a division code; everything by default.
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    /// An area by its id, instead of a site.
    #[arg(long, value_name = "AREA", conflicts_with = "site")]
    pub area: Option<String>,
    /// Days within which a terminal is to be seen.
    #[arg(long, value_name = "DAYS")]
    pub days: Option<u16>,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

fn query(name: &str, value: Option<impl ToString>) -> String {
    value.map(|value| format!("&{name}={}", encode(&value.to_string()))).unwrap_or_default()
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

/// Does it.
pub(super) async fn run(command: AssetsCommand) -> Result<(), CommandError> {
    match command {
        AssetsCommand::Import { file, complete, when } => {
            let path = format!("/api/v1/assets/import?complete={complete}{}", query("from", when.from));
            let answer = import(&when.data, &path, with_body("text/csv", read(&file)?)).await?;
            let [added, changed, unchanged, gone, absent] =
                ["added", "changed", "unchanged", "written_off", "absent"].map(|key| number(&answer, key));
            let absent = if absent > 0 {
                format!("; {absent} on the books of these sites are not in the file and were left alone (--complete)")
            } else {
                String::new()
            };
            say(&format!("{added} assets added, {changed} changed, {unchanged} as before, {gone} written off{absent}"))
        }
        AssetsCommand::List { site, standing, days, data } => {
            let (site, standing, days) = (query("site", site), query("standing", standing), query("days", days));
            each(&data, &format!("/api/v1/assets?limit=1000{site}{standing}{days}"), asset).await
        }
    }
}

fn asset(asset: &Value) -> Result<(), CommandError> {
    let [number, site, standing, seen] = ["/number", "/site", "/standing", "/last_seen"].map(|key| text(asset, key));
    let known = match texts(asset, "/macs") {
        macs if macs.is_empty() => text(asset, "/ip").to_owned(),
        macs => macs,
    };
    let words: Vec<&str> = ["/name", "/owner", "/location"].map(|key| text(asset, key)).to_vec();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
    let seen = if seen.is_empty() { "-" } else { seen };
    say(&format!("{number:<16} {site:<18} {standing:<11} {seen:<24} {known}  {words}"))
}

/// Prints how far an area is covered, part by part.
pub(super) async fn coverage(args: CoverageArgs) -> Result<(), CommandError> {
    let (site, area, days) = (query("site", args.site), query("area", args.area), query("days", args.days));
    let path = format!("/api/v1/coverage?{}", format!("{site}{area}{days}").trim_start_matches('&'));
    let answer = administer(&args.data, Method::GET, &path, empty()).await?;
    say(&format!(
        "{:<12} {:>13} {:>13} {:>10} {:>8} {:>7} {:>7} {:>7} {:>12}  ",
        "code", "attached", "reachable", "registered", "seen", "silent", "never", "strayed", "unregistered"
    ))?;
    for part in answer.get("own").into_iter().filter(|own| !own.is_null()).chain(items_of(&answer)) {
        covered(text(part, "/code"), part, text(part, "/name"))?;
    }
    covered("all", answer.get("whole").unwrap_or(&Value::Null), "")
}

fn items_of(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.get("parts").and_then(Value::as_array).into_iter().flatten()
}

fn covered(code: &str, figures: &Value, name: &str) -> Result<(), CommandError> {
    let terminals = |key: &str| number(figures, &format!("terminals_{key}"));
    let of_planned = |key: &str| format!("{}/{}", number(figures, key), number(figures, "sites_planned"));
    let share = figures.get("seen_ratio").and_then(Value::as_f64);
    say(&format!(
        "{code:<12} {:>13} {:>13} {:>10} {:>8} {:>7} {:>7} {:>7} {:>12}  {name}",
        of_planned("sites_attached"),
        of_planned("sites_reachable"),
        terminals("registered"),
        share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0)),
        terminals("silent"),
        terminals("never_seen"),
        terminals("strayed"),
        terminals("unregistered"),
    ))
}
