//! `onenetd sites …`: the tree of sites.

mod contacts;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::{
    DataArgs,
    commands::{CommandError, administer, each, empty, import, read, say, text, texts, with_body, with_json},
};
use crate::api::encode;

use contacts::ContactsCommand;

/// What to do with sites. A site is named by its id or its division code; an ended one by its id alone.
#[derive(Debug, Clone, Subcommand)]
pub enum SitesCommand {
    /// Bring the tree of sites in line with a CSV file (code,name,tier,parent and more), or with the embedded table.
    Import(SitesImportArgs),
    /// List sites.
    List {
        /// Only sites whose name or code contains this.
        wanted: Option<String>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show a site's names, codes and parents, from when until when.
    Show {
        /// The site.
        site: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Give a site another name.
    Rename {
        /// The site.
        site: String,
        /// The new name, in Chinese.
        name: String,
        /// The new name in Latin letters.
        #[arg(long, value_name = "NAME", default_value = "")]
        latin: String,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// Give a site another code.
    Recode {
        /// The site.
        site: String,
        /// The new code.
        code: String,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// Put a site under other sites (转隶): they take the place of those above it.
    Move {
        /// The site.
        site: String,
        /// The site above; can be given several times, the first uplink first.
        #[arg(long = "under", required = true, value_name = "SITE")]
        parents: Vec<String>,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// Make a site part of another, which takes over the sites below it.
    Merge {
        /// The site that ends.
        site: String,
        /// The site that takes it in.
        #[arg(long, value_name = "SITE")]
        into: String,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// Divide a site into others, which were added before.
    Split {
        /// The site that ends.
        site: String,
        /// A site that comes of it; two or more.
        #[arg(long, required = true, value_name = "SITE")]
        into: Vec<String>,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// End a site that has no sites below it.
    Close {
        /// The site.
        site: String,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// Keep whom to reach at sites: notices and what is overdue are mailed to them.
    #[command(subcommand)]
    Contacts(ContactsCommand),
    /// Take the recorded end of a site back.
    Reopen {
        /// The site: its id.
        site: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Since when a change holds, and where the centre is.
#[derive(Debug, Clone, Args)]
pub struct Effective {
    /// Since when it holds: a day such as 2026-01-31 (from its midnight in China on), or a time after RFC 3339; past and
    /// future ones too. Now by default.
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// What to import.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["file", "divisions"]))]
pub struct SitesImportArgs {
    /// The CSV file.
    pub file: Option<PathBuf>,
    /// The embedded table of the country's divisions: 3,340 sites.
    #[arg(long)]
    pub divisions: bool,
    /// Since when, and where.
    #[command(flatten)]
    pub when: Effective,
}

/// Does it.
pub(super) async fn run(command: SitesCommand) -> Result<(), CommandError> {
    match command {
        SitesCommand::Import(args) => import_sites(args).await,
        SitesCommand::List { wanted, data } => list(wanted.as_deref(), &data).await,
        SitesCommand::Show { site, data } => {
            let path = format!("/api/v1/sites/{}/history", encode(&site));
            show(&administer(&data, Method::GET, &path, empty()).await?)
        }
        SitesCommand::Rename { site, name, latin, when } => {
            change(&site, json!({"change": "rename", "name": {"zh": name, "latin": latin}}), &when).await
        }
        SitesCommand::Recode { site, code, when } => {
            change(&site, json!({"change": "recode", "code": code}), &when).await
        }
        SitesCommand::Move { site, parents, when } => {
            change(&site, json!({"change": "move", "parents": parents}), &when).await
        }
        SitesCommand::Merge { site, into, when } => {
            change(&site, json!({"change": "merge", "into": into}), &when).await
        }
        SitesCommand::Split { site, into, when } => {
            change(&site, json!({"change": "split", "into": into}), &when).await
        }
        SitesCommand::Close { site, when } => change(&site, json!({"change": "close"}), &when).await,
        SitesCommand::Contacts(command) => contacts::run(command).await,
        SitesCommand::Reopen { site, data } => {
            change(&site, json!({"change": "reopen"}), &Effective { from: None, data }).await
        }
    }
}

async fn import_sites(args: SitesImportArgs) -> Result<(), CommandError> {
    let (divisions, request) = match args.file {
        Some(file) => ("", with_body("text/csv", read(&file)?)),
        None => ("divisions=true", empty()),
    };
    let from = args.when.from.map(|from| format!("&from={}", encode(&from))).unwrap_or_default();
    let path = format!("/api/v1/sites/import?{divisions}{from}");
    let answer = import(&args.when.data, &path, request).await?;
    let number = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or_default();
    say(&format!("{} sites, {} of them new", number("sites"), number("added")))
}

async fn list(wanted: Option<&str>, data: &DataArgs) -> Result<(), CommandError> {
    let query = wanted.map(|wanted| format!("&q={}", encode(wanted))).unwrap_or_default();
    let line = |site: &Value| {
        let [code, id, tier] = ["/code", "/id", "/tier"].map(|key| text(site, key));
        say(&format!("{code:<12} {id:<18} {tier:<9} {}", text(site, "/name/zh")))
    };
    each(data, &format!("/api/v1/sites?limit=1000{query}"), line).await
}

async fn change(site: &str, mut body: Value, when: &Effective) -> Result<(), CommandError> {
    if let (Some(from), Some(body)) = (&when.from, body.as_object_mut()) {
        body.insert("from".to_owned(), json!(from));
    }
    let path = format!("/api/v1/sites/{}/changes", encode(site));
    show(&administer(&when.data, Method::POST, &path, with_json(&body)).await?)
}

/// Prints a site's history.
fn show(site: &Value) -> Result<(), CommandError> {
    say(&format!("{}, since {}", text(site, "/id"), text(site, "/founded")))?;
    let dated = |key: &str| site.get(key).and_then(Value::as_array).into_iter().flatten();
    let line = |what: &str, it: &Value, value: &str| {
        let until = match text(it, "/until") {
            "" => "open".to_owned(),
            until => until.to_owned(),
        };
        say(&format!("  {what:<6} {:<24} to {until:<24} {value}", text(it, "/from")))
    };
    for it in dated("codes") {
        line("code", it, text(it, "/code"))?;
    }
    for it in dated("names") {
        line("name", it, format!("{} {}", text(it, "/name/zh"), text(it, "/name/latin")).trim())?;
    }
    for it in dated("parents") {
        line("under", it, &texts(it, "/parents"))?;
    }
    match text(site, "/ended/how") {
        "" => Ok(()),
        how => say(&format!("  {how} {} {}", text(site, "/ended/at"), texts(site, "/ended/into"))),
    }
}
