//! What each command does.

use std::{
    fs::File,
    io::{self, BufReader, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use axum::body::Body;
use hyper::{Method, Request, header};
use serde_json::{Value, json};

use super::{
    Command, DataArgs, EnrolArgs, FileArgs, TokenCommand, TokenCreateArgs, acceptance, addresses, agents, anomalies,
    areas, assets, availability, baseline, cases, changes, configuration, devices, flows, incidents, inspections,
    local::{Local, LocalError},
    measure, path, serve, services, sites, terminals, topology,
};
use crate::{
    access::Role,
    api::encode,
    centre,
    clock::Clock,
    config::{Config, ConfigError},
    store::{BackupError, ExportError},
};

/// A command failed. The message is what the user sees.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The centre did not do it.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// There is no enrolment token for a site.
    #[error("no enrolment token for {site}: onenetd sites list shows every site with its code")]
    Enrol {
        /// The site, as it was asked for.
        site: String,
        /// Why.
        #[source]
        source: Box<CommandError>,
    },
    /// The daemon cannot run.
    #[error(transparent)]
    Serve(#[from] serve::RunError),
    /// A backup failed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// An import failed.
    #[error(transparent)]
    Import(#[from] ExportError),
    /// Agents did not take a configuration.
    #[error("{count} agents rejected the configuration, for the reasons above: correct the file and push it again")]
    Rejected {
        /// How many.
        count: usize,
    },
    /// Sites did not get what was pushed to all.
    #[error("{count} sites were left out, for the reasons above; the others have it")]
    LeftOut {
        /// How many.
        count: usize,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: check the path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of evidence cannot be used.
    #[error(transparent)]
    Evidence(#[from] topology::EvidenceError),
    /// A register of services cannot be used.
    #[error("{} cannot be used:\n{problems}", path.display())]
    Services {
        /// The file.
        path: PathBuf,
        /// What is wrong, a line each.
        problems: String,
    },
    /// A series cannot be judged.
    #[error(transparent)]
    Baseline(#[from] baseline::BaselineError),
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
}

/// Does what the command line says.
///
/// # Errors
/// It cannot be done; the message says why and what to do about it.
pub async fn run(command: Command) -> Result<(), CommandError> {
    match command {
        Command::Serve(args) => Ok(serve::run(Config::load(&args.config)?).await?),
        Command::CheckConfig { file, config } => {
            let file = config.unwrap_or(file);
            Config::load(&file)?;
            say(&format!("{} is in order", file.display()))
        }
        Command::Enrol(args) => enrol(args).await,
        Command::Sites(command) => sites::run(command).await,
        Command::Areas(command) => areas::run(command).await,
        Command::Addresses(command) => addresses::run(command).await,
        Command::Assets(command) => assets::run(command).await,
        Command::Coverage(args) => assets::coverage(args).await,
        Command::Availability(args) => availability::run(args).await,
        Command::Acceptance(args) => acceptance::run(*args).await,
        Command::Changes(args) => changes::run(args).await,
        Command::Path(args) => path::run(args).await,
        Command::Measure(args) => measure::run(args).await,
        Command::Picture(args) => changes::picture(args).await,
        Command::Agents(command) => agents::run(command).await,
        Command::Devices(command) => devices::run(command).await,
        Command::Terminals(command) => terminals::run(command).await,
        Command::Config(command) => configuration::run(command).await,
        Command::Topology(command) => topology::run(command).await,
        Command::Baseline(args) => baseline::run(&args),
        Command::Services(args) => services::run(&args),
        Command::Flows(args) => flows::run(args).await,
        Command::Incidents(command) => incidents::run(command).await,
        Command::Anomalies(command) => anomalies::run(command).await,
        Command::Maintenance(command) => incidents::maintain(command).await,
        Command::Cases(command) => cases::run(command).await,
        Command::Inspections(command) => inspections::run(command).await,
        Command::Token(TokenCommand::Create(args)) => create_token(args).await,
        Command::Token(TokenCommand::List { data }) => list_tokens(&data).await,
        Command::Token(TokenCommand::Revoke { token, data }) => revoke_token(&token, &data).await,
        Command::Backup(args) => write_file(args, "backup").await,
        Command::Export(args) => write_file(args, "export").await,
        Command::Restore(args) => {
            let data = args.data.directory()?;
            centre::restore(&args.file, &data)?;
            say(&format!("restored into {}: start onenetd there", data.display()))
        }
        Command::Import(args) => {
            let data = args.data.directory()?;
            let failed = |source| CommandError::Read { path: args.file.clone(), source };
            let changes = centre::import(BufReader::new(File::open(&args.file).map_err(failed)?), &data)?;
            say(&format!("{changes} changes imported into {}: enrol each agent again", data.display()))
        }
        Command::MetricsDocument => say(crate::metrics::names::document().trim_end()),
        Command::ApiDocument => say(&crate::api::document().to_pretty_json().unwrap_or_default()),
    }
}

/// Prints a line.
pub(super) fn say(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", plain(text))?;
    Ok(out.flush()?)
}

/// Prints a table (CSV) that the centre made, with the line ends of this system.
pub(super) fn say_table(table: &Value) -> Result<(), CommandError> {
    table.as_str().unwrap_or_default().lines().try_for_each(say)
}

/// Returns the text without what makes a terminal do something, or turns round what stands beside it: names come from devices and
/// from people who are not trusted with the terminal of whoever reads them.
fn plain(text: &str) -> String {
    let acts = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_bidi_control(c);
    text.chars().map(|c| if acts(c) { '·' } else { c }).collect()
}

/// Returns whether the character is one of those that direct writing to the left or right (UAX #9).
const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns the centre of a data directory, for whoever asks.
pub(super) async fn found(data: &DataArgs, make: bool) -> Result<Local, CommandError> {
    Ok(Local::find(&data.directory()?, make).await?.for_person(data.person()))
}

/// One request to the centre of a data directory.
async fn ask(
    data: &DataArgs,
    make: bool,
    role: Role,
    method: Method,
    path: &str,
    request: Request<Body>,
) -> Result<Value, CommandError> {
    let centre = found(data, make).await?;
    let answer = centre.ask(role, method, path, request).await;
    centre.close().await;
    Ok(answer?)
}

/// One request of the system administrator to the centre, which must be there.
pub(super) async fn administer(
    data: &DataArgs,
    method: Method,
    path: &str,
    request: Request<Body>,
) -> Result<Value, CommandError> {
    ask(data, false, Role::SystemAdministrator, method, path, request).await
}

/// One request in a role to the centre, which must be there.
pub(super) async fn ask_as(
    data: &DataArgs,
    role: Role,
    method: Method,
    path: &str,
    request: Request<Body>,
) -> Result<Value, CommandError> {
    ask(data, false, role, method, path, request).await
}

/// One request of the system administrator that may make the centre, as importing sites does, where somebody named its place.
pub(super) async fn import(data: &DataArgs, path: &str, request: Request<Body>) -> Result<Value, CommandError> {
    ask(data, data.is_named(), Role::SystemAdministrator, Method::POST, path, request).await
}

/// Hands each entry of a list over, page by page, and says so, beside standard output, where there is none. `path` has its
/// first parameter already.
pub(super) async fn each(
    data: &DataArgs,
    path: &str,
    entry: impl FnMut(&Value) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    each_as(data, Role::SystemAdministrator, path, entry).await
}

/// The same in another role.
pub(super) async fn each_as(
    data: &DataArgs,
    role: Role,
    path: &str,
    mut entry: impl FnMut(&Value) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let centre = found(data, false).await?;
    let mut cursor = String::new();
    let mut none = true;
    let listed = loop {
        let page = format!("{path}{cursor}");
        let answer = match centre.ask(role, Method::GET, &page, empty()).await {
            Ok(answer) => answer,
            Err(error) => break Err(error.into()),
        };
        none &= items(&answer).next().is_none();
        if let Err(error) = items(&answer).try_for_each(&mut entry) {
            break Err(error);
        }
        match answer.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={}", encode(next)),
            None => break Ok(()),
        }
    };
    centre.close().await;
    if none && listed.is_ok() {
        writeln!(io::stderr().lock(), "nothing to list")?;
    }
    listed
}

/// Returns the entries of a list.
pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.get("items").and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn empty() -> Request<Body> {
    Request::new(Body::empty())
}

pub(super) fn with_body(kind: &'static str, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::new(body.into());
    request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    request
}

pub(super) fn with_json(body: &Value) -> Request<Body> {
    with_body("application/json", body.to_string())
}

/// Returns a file that the user named.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    std::fs::read(file).map_err(|source| CommandError::Read { path: file.to_owned(), source })
}

/// Writes what was fetched to a new file for its owner alone, and says so.
pub(super) fn write_new(to: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(to)?.write_all(bytes)?;
    say(&format!("{}: {} bytes", to.display(), bytes.len()))
}

/// Returns a text of an answer.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the rule that silences what an answer is about, with who answers for it and until when; nothing where none does.
pub(super) fn silencing(value: &Value) -> String {
    match ["/silenced_rule/rule", "/silenced_rule/owner", "/silenced_rule/until"].map(|key| text(value, key)) {
        ["", ..] => String::new(),
        [rule, owner, until] => format!("  by {rule} ({owner}, until {until})"),
    }
}

/// Returns the texts of a list of an answer, with commas.
pub(super) fn texts(value: &Value, pointer: &str) -> String {
    let texts = value.pointer(pointer).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    texts.collect::<Vec<_>>().join(", ")
}

async fn enrol(args: EnrolArgs) -> Result<(), CommandError> {
    let path = format!("/api/v1/sites/{}/enrolment-tokens?hours={}", encode(&args.site), args.hours);
    let answer = ask(&args.data, false, Role::SystemAdministrator, Method::POST, &path, empty()).await;
    let answer = answer.map_err(|error| match error {
        CommandError::Local(LocalError::Refused(_) | LocalError::Absent(..)) => {
            CommandError::Enrol { site: args.site.clone(), source: Box::new(error) }
        }
        error => error,
    })?;
    // The token alone on standard output, so that it can be piped to the agent.
    say(text(&answer, "/token"))?;
    let mut notes = io::stderr().lock();
    writeln!(
        notes,
        "valid once, until {}, for {}; on the agent's machine:",
        text(&answer, "/expires"),
        text(&answer, "/site_label")
    )?;
    let centre = match text(&answer, "/centre") {
        "" => "CENTRE:7443",
        centre => centre,
    };
    writeln!(notes, "    onenet-agent enrol {centre} {}", text(&answer, "/token"))?;
    Ok(())
}

async fn create_token(args: TokenCreateArgs) -> Result<(), CommandError> {
    let grants: Vec<Value> = if args.site.is_empty() {
        args.role.iter().map(|role| json!({ "role": role })).collect()
    } else {
        let pairs = args.role.iter().flat_map(|role| args.site.iter().map(move |site| (role, site)));
        pairs.map(|(role, site)| json!({ "role": role, "site": site })).collect()
    };
    let expires = args.expires_days.map(|days| Clock::system().now().plus_ms(i64::from(days) * 86_400_000).to_string());
    let body = json!({ "name": args.name, "grants": grants, "expires": expires });
    let request = with_json(&body);
    let answer =
        ask(&args.data, args.data.is_named(), Role::SecurityAdministrator, Method::POST, "/api/v1/tokens", request)
            .await?;
    say(text(&answer, "/token"))?;
    let mut notes = io::stderr().lock();
    writeln!(notes, "{}: this secret is shown once; keep it safe", text(&answer, "/id"))?;
    Ok(())
}

async fn list_tokens(data: &DataArgs) -> Result<(), CommandError> {
    let answer = ask(data, false, Role::SecurityAdministrator, Method::GET, "/api/v1/tokens", empty()).await?;
    for token in answer.pointer("/items").and_then(Value::as_array).into_iter().flatten() {
        let grants = token.pointer("/grants").and_then(Value::as_array).into_iter().flatten();
        let grants: Vec<String> = grants
            .map(|grant| match grant.pointer("/site").and_then(Value::as_str) {
                Some(site) => format!("{} {site}", text(grant, "/role")),
                None => format!("{} everywhere", text(grant, "/role")),
            })
            .collect();
        let expired = token.pointer("/expired") == Some(&Value::Bool(true));
        let expires = match text(token, "/expires") {
            "" => "never expires".to_owned(),
            time if expired => format!("expired {time}"),
            time => format!("until {time}"),
        };
        say(&format!("{:<16} {:<24} {}; {expires}", text(token, "/id"), text(token, "/name"), grants.join(", ")))?;
    }
    Ok(())
}

async fn revoke_token(token: &str, data: &DataArgs) -> Result<(), CommandError> {
    let path = format!("/api/v1/tokens/{}", encode(token));
    let answer = ask(data, false, Role::SecurityAdministrator, Method::DELETE, &path, empty()).await?;
    say(&format!("{} ({}) revoked", text(&answer, "/id"), text(&answer, "/name")))
}

async fn write_file(args: FileArgs, what: &str) -> Result<(), CommandError> {
    // The daemon writes the file, and starts elsewhere: the path must be whole.
    let path = std::path::absolute(&args.file)?;
    let body = json!({ "path": path });
    let data = &args.data;
    let route = format!("/api/v1/{what}");
    let answer = ask(data, false, Role::SystemAdministrator, Method::POST, &route, with_json(&body)).await?;
    let size = answer.pointer("/size_bytes").and_then(Value::as_u64).unwrap_or_default();
    say(&format!("{} written: {size} bytes", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_nothing_to_the_terminal_on_which_it_is_printed() {
        assert_eq!(plain("a\x1b]0;pwn\x07\x1b[2J\0b\rc\u{9b}d\u{7f}"), "a·]0;pwn··[2J·b·c·d·");
        assert_eq!(plain("a\u{202e}b\u{2066}c\u{200f}"), "a·b·c·");
        assert_eq!(plain("机房\tname\nnext line"), "机房\tname\nnext line");
    }
}
