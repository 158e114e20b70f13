//! `onenetd addresses …`: address spaces and the address plan.

use std::path::PathBuf;

use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

use super::{
    DataArgs,
    commands::{CommandError, administer, each, empty, import, read, say, text, with_body},
    sites::Effective,
};
use crate::api::encode;

/// What to do with the address plan.
#[derive(Debug, Clone, Subcommand)]
pub enum AddressesCommand {
    /// Bring the address plan in line with a file; prefixes that it does not name are left alone.
    ///
    /// A CSV file has the columns prefix,site and, if wanted, space (national or site), vlan, purpose, dark (yes or no), from
    /// and until (days, or times). A file whose name ends with .toml has an array of tables, prefixes, with these keys. A prefix is withdrawn by the day in until. All of a file is taken, or none.
    Import {
        /// The CSV or TOML file.
        file: PathBuf,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// List the prefixes of the plan.
    List {
        /// Only those of this site and the sites below it: an id or a division code.
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// As of this day or time; now by default.
        #[arg(long, value_name = "DAY")]
        at: Option<String>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Look an address up: the longest prefix that covers it.
    Lookup {
        /// The address.
        ip: String,
        /// Where it was seen: an id or a division code. That site's own range comes first; without it, the national space.
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// As of this day or time; now by default.
        #[arg(long, value_name = "DAY")]
        at: Option<String>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the address spaces.
    Spaces {
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Does it.
pub(super) async fn run(command: AddressesCommand) -> Result<(), CommandError> {
    let query = |name: &str, value: Option<String>| {
        value.map(|value| format!("&{name}={}", encode(&value))).unwrap_or_default()
    };
    match command {
        AddressesCommand::Import { file, when } => {
            let toml = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
            let kind = if toml { "application/toml" } else { "text/csv" };
            let path = format!("/api/v1/address-plan/import?{}", query("from", when.from));
            let answer = import(&when.data, &path, with_body(kind, read(&file)?)).await?;
            let number = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or_default();
            say(&format!("{} changes; {} prefixes were in the plan already", number("changes"), number("unchanged")))
        }
        AddressesCommand::List { site, at, data } => {
            let path = format!("/api/v1/address-plan?limit=1000{}{}", query("site", site), query("at", at));
            each(&data, &path, planned).await
        }
        AddressesCommand::Lookup { ip, site, at, data } => {
            let (site, at) = (query("site", site), query("at", at));
            let path = format!("/api/v1/address-plan/lookup?ip={}{site}{at}", encode(&ip));
            let answer = administer(&data, Method::GET, &path, empty()).await?;
            match answer.get("planned").filter(|found| !found.is_null()) {
                Some(found) => planned(found),
                None => say(&format!("{ip} is outside the plan of {}", text(&answer, "/space"))),
            }
        }
        AddressesCommand::Spaces { data } => {
            let line = |space: &Value| {
                let [id, kind, site, name] = ["/id", "/kind", "/site", "/name"].map(|key| text(space, key));
                say(&format!("{id:<18} {kind:<9} {site:<18} {name}"))
            };
            each(&data, "/api/v1/address-spaces", line).await
        }
    }
}

fn planned(entry: &Value) -> Result<(), CommandError> {
    let [space, prefix, site, purpose] = ["/space", "/prefix", "/site", "/purpose"].map(|key| text(entry, key));
    let vlan = entry.get("vlan").and_then(Value::as_u64).map_or_else(String::new, |vlan| format!("VLAN {vlan}"));
    let dark = if entry.get("dark") == Some(&Value::Bool(true)) { "dark " } else { "" };
    let until = match text(entry, "/until") {
        "" => String::new(),
        until => format!(" to {until}"),
    };
    say(&format!(
        "{space:<18} {prefix:<20} {site:<18} {vlan:<10} {dark}{purpose} (from {}{until})",
        text(entry, "/from")
    ))
}
