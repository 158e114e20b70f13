//! `onenetd sites contacts …`: whom to reach at sites.

use std::path::PathBuf;

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use super::super::{
    DataArgs,
    commands::{CommandError, administer, each, empty, import, read, say, say_table, text, with_body, with_json},
};
use crate::api::encode;

/// What to do with contacts.
#[derive(Debug, Clone, Subcommand)]
pub enum ContactsCommand {
    /// Bring the contacts of sites in line with a CSV file; sites that it does not name are left alone.
    ///
    /// The columns are site,name and, if wanted, role, telephone and email; each row needs a number or an address of mail. The file names
    /// all contacts of each site in it, in their order. All of a file is taken, or none.
    Import {
        /// The CSV file, UTF-8.
        file: PathBuf,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// List contacts, by site.
    List {
        /// Only those of this site and those below it: an id or a division code.
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// As CSV (RFC 4180) that can be imported again.
        #[arg(long, conflicts_with = "json")]
        csv: bool,
        /// As JSON, a contact a line.
        #[arg(long)]
        json: bool,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Put a contact of a site, in the place of the one of that name.
    Put {
        /// The site: its id or its division code.
        site: String,
        /// The person.
        name: String,
        /// What he is there.
        #[arg(long, value_name = "TEXT", default_value = "")]
        role: String,
        /// His number; it or --email is needed.
        #[arg(long, value_name = "NUMBER", default_value = "")]
        telephone: String,
        /// His address of mail.
        #[arg(long, value_name = "ADDRESS", default_value = "")]
        email: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Remove a contact of a site.
    Remove {
        /// The site: its id or its division code.
        site: String,
        /// The person.
        name: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Does it.
pub(super) async fn run(command: ContactsCommand) -> Result<(), CommandError> {
    match command {
        ContactsCommand::Import { file, data } => {
            let answer = import(&data, "/api/v1/contacts/import", with_body("text/csv", read(&file)?)).await?;
            let [contacts, changed, unchanged] =
                ["contacts", "changed", "unchanged"].map(|key| answer.get(key).and_then(Value::as_u64).unwrap_or(0));
            say(&format!("{contacts} contacts: {changed} sites changed, {unchanged} as before"))
        }
        ContactsCommand::List { site, csv, json, data } => list(site, (csv, json), &data).await,
        ContactsCommand::Put { site, name, role, telephone, email, data } => {
            let body = json!({ "name": name, "role": role, "telephone": telephone, "email": email });
            let path = format!("/api/v1/sites/{}/contacts", encode(&site));
            show(&administer(&data, Method::POST, &path, with_json(&body)).await?)
        }
        ContactsCommand::Remove { site, name, data } => {
            let path = format!("/api/v1/sites/{}/contacts/{}", encode(&site), encode(&name));
            show(&administer(&data, Method::DELETE, &path, empty()).await?)
        }
    }
}

async fn list(site: Option<String>, (csv, json): (bool, bool), data: &DataArgs) -> Result<(), CommandError> {
    let site = site.map(|site| format!("&site={}", encode(&site))).unwrap_or_default();
    if csv {
        let path = format!("/api/v1/contacts.csv?{}", site.trim_start_matches('&'));
        return say_table(&administer(data, Method::GET, &path, empty()).await?);
    }
    let shown = |it: &Value| if json { it.to_string() } else { line(it) };
    each(data, &format!("/api/v1/contacts?limit=1000{site}"), |it| say(&shown(it))).await
}

fn show(contacts: &Value) -> Result<(), CommandError> {
    let contacts = contacts.as_array().map(Vec::as_slice).unwrap_or_default();
    if contacts.is_empty() {
        return say("the site has no contacts now");
    }
    contacts.iter().try_for_each(|it| say(&line(it)))
}

fn line(it: &Value) -> String {
    let [code, site, name, role] = ["/site_code", "/site_name", "/name", "/role"].map(|key| text(it, key));
    let [telephone, email] = ["/telephone", "/email"].map(|key| text(it, key));
    format!("{code:<12} {site}  {name}  {role}  {telephone}  {email}")
}
