//! `onenetd areas …`: named sets of sites.

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::{
    DataArgs,
    commands::{CommandError, administer, each, empty, say, text, texts, with_json},
    sites::Effective,
};
use crate::api::encode;

/// What to do with areas. An area is named by its id or its name, a site by its id or its division code.
#[derive(Debug, Clone, Subcommand)]
pub enum AreasCommand {
    /// List areas.
    List {
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show an area and its sites.
    Show {
        /// The area.
        area: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Create an area.
    Create {
        /// Its name, in Chinese.
        name: String,
        /// Its name in Latin letters.
        #[arg(long, value_name = "NAME", default_value = "")]
        latin: String,
        /// division, region, river-basin, sea-area or other.
        #[arg(long, value_name = "KIND", default_value = "region")]
        kind: String,
        /// Who belongs to it.
        #[command(flatten)]
        members: MembersArgs,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// Change an area's name, or who belongs to it; rules that are given take the place of all rules before.
    Change {
        /// The area.
        area: String,
        /// Its new name, in Chinese.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Its new name in Latin letters.
        #[arg(long, value_name = "NAME", requires = "name", default_value = "")]
        latin: String,
        /// Who belongs to it.
        #[command(flatten)]
        members: MembersArgs,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
    /// Delete an area; what it was stays known for the time before.
    Delete {
        /// The area.
        area: String,
        /// Since when, and where.
        #[command(flatten)]
        when: Effective,
    },
}

/// The rules that say who belongs to an area. Each can be given several times.
#[derive(Debug, Clone, Args)]
pub struct MembersArgs {
    /// A site that belongs to it with everything below it.
    #[arg(long = "subtree", value_name = "SITE")]
    pub subtrees: Vec<String>,
    /// A site that does not belong to it, with everything below it.
    #[arg(long, value_name = "SITE")]
    pub except: Vec<String>,
    /// A single site that belongs to it in any case.
    #[arg(long = "site", value_name = "SITE")]
    pub sites: Vec<String>,
}

impl MembersArgs {
    fn is_empty(&self) -> bool {
        self.subtrees.is_empty() && self.except.is_empty() && self.sites.is_empty()
    }

    fn json(&self) -> Value {
        json!({"subtrees": self.subtrees, "except": self.except, "sites": self.sites})
    }
}

/// Does it.
pub(super) async fn run(command: AreasCommand) -> Result<(), CommandError> {
    let path = |area: &str| format!("/api/v1/areas/{}", encode(area));
    match command {
        AreasCommand::List { data } => {
            let line = |area: &Value| {
                let [id, kind, name] = ["/id", "/kind", "/name/zh"].map(|key| text(area, key));
                let sites = area.get("sites").and_then(Value::as_array).map_or(0, Vec::len);
                say(&format!("{id:<18} {kind:<12} {sites:>5} sites  {name} {}", text(area, "/name/latin")))
            };
            each(&data, "/api/v1/areas", line).await
        }
        AreasCommand::Show { area, data } => show(&administer(&data, Method::GET, &path(&area), empty()).await?),
        AreasCommand::Create { name, latin, kind, members, when } => {
            let name = json!({"zh": name, "latin": latin});
            let body = json!({"kind": kind, "name": name, "members": members.json(), "from": when.from});
            show(&administer(&when.data, Method::POST, "/api/v1/areas", with_json(&body)).await?)
        }
        AreasCommand::Change { area, name, latin, members, when } => {
            let name = name.map(|name| json!({"zh": name, "latin": latin}));
            let members = (!members.is_empty()).then(|| members.json());
            let body = json!({"name": name, "members": members, "from": when.from});
            show(&administer(&when.data, Method::PATCH, &path(&area), with_json(&body)).await?)
        }
        AreasCommand::Delete { area, when } => {
            let from = when.from.map(|from| format!("?from={}", encode(&from))).unwrap_or_default();
            let answer = administer(&when.data, Method::DELETE, &(path(&area) + &from), empty()).await?;
            say(&format!("{} ({}) deleted", text(&answer, "/id"), text(&answer, "/name/zh")))
        }
    }
}

fn show(area: &Value) -> Result<(), CommandError> {
    let [id, kind, zh, latin] = ["/id", "/kind", "/name/zh", "/name/latin"].map(|key| text(area, key));
    say(&format!("{id}  {kind}  {zh} {latin}, since {}", text(area, "/since")))?;
    for (what, key) in [("subtree", "subtrees"), ("except", "except"), ("site", "sites")] {
        let named = texts(area, &format!("/members/{key}"));
        if !named.is_empty() {
            say(&format!("  {what:<8} {named}"))?;
        }
    }
    let sites = area.get("sites").and_then(Value::as_array).map_or(0, Vec::len);
    say(&format!("  {sites} sites now: {}", texts(area, "/sites")))
}
