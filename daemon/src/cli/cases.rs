//! `onenetd cases …`: what deserves a person's time, what people do with it, and what is silenced.

mod containment;
mod drills;
mod files;
mod notice;
mod statistics;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::{
    DataArgs, PlaceArgs,
    commands::{CommandError, ask_as, each_as, empty, say, say_table, silencing, text, with_json},
};
use crate::{access::Role, api::encode};

/// What to do with cases.
#[derive(Debug, Clone, Subcommand)]
pub enum CasesCommand {
    /// List cases, the newest first.
    List(ListArgs),
    /// Count cases, how long people took, and what became of notices; drills are left out.
    Statistics(StatisticsArgs),
    /// Show a case, its evidence and its whole story.
    Show(CaseArgs),
    /// Show what would isolate the endpoint that a case is about, and what undoes that; nothing is sent to a device.
    Containment(CaseArgs),
    /// Attach files to a case, or a text.
    ///
    /// Files of at most 8 MiB each: a photo, a document, a log, a capture. They are kept as long as the case, at least 190 days after it was
    /// closed, and nobody can change or remove them.
    Attach(AttachArgs),
    /// Fetch a file of a case.
    File {
        /// The case.
        case: String,
        /// SHA-256 of the file, as `show` says it.
        sha256: String,
        /// Where to write it; a file that is there stays as it is.
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Open a case about an incident.
    Open {
        /// The incident.
        incident: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Do something with a case.
    #[command(flatten)]
    Act(ActCommand),
    /// Drill: put something in at a site where it would be found, marked as a drill.
    ///
    /// What detectors of a site find is told of by the site's agent, and its case is opened once the centre has heard of it; an agent that is
    /// not connected is asked when it is back, within a day. What the centre concludes is put in there, and so is all of a site that has no
    /// agent. `drills` shows how long it took.
    Drill(Box<DrillArgs>),
    /// List drills with their times: ordered, put in, found, and how long it took to detect, to take up and to close each.
    Drills(DrillsArgs),
    /// List rules that silence cases, with how many each silences.
    Rules {
        /// List those that are over.
        #[arg(long)]
        over: bool,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Make a rule that silences cases.
    Silence(Box<SilenceArgs>),
    /// End such a rule.
    EndRule {
        /// The rule.
        rule: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// What to do with one case.
#[derive(Debug, Clone, Subcommand)]
pub enum ActCommand {
    /// Take a case up.
    Acknowledge(CaseArgs),
    /// Begin to find out what it is.
    Review(CaseArgs),
    /// Say who sees to a case.
    Assign {
        /// The person.
        #[arg(long, value_name = "NAME")]
        to: String,
        /// Which case.
        #[command(flatten)]
        case: CaseArgs,
    },
    /// Confirm how grave it is, and what sort of event.
    Grade {
        /// general, considerable, major or extraordinary.
        #[arg(long, value_name = "GRADE")]
        grade: String,
        /// After GB/T 20986-2023: `malicious_program`, `network_attack`, `data_security`, `content_security`, `equipment_failure`,
        /// `violation_of_rules`, `hidden_danger`, `abnormal_behaviour`, `force_majeure` or `other`.
        #[arg(long, value_name = "CATEGORY")]
        category: String,
        /// Which case.
        #[command(flatten)]
        case: CaseArgs,
    },
    /// Say by when the next step is due.
    Due {
        /// By when: a time after RFC 3339, or a day.
        #[arg(long, value_name = "TIME")]
        due: String,
        /// Which case.
        #[command(flatten)]
        case: CaseArgs,
    },
    /// Say something about a case.
    Comment(SaidArgs),
    /// Say that another case has to do with it.
    Relate {
        /// The other case.
        #[arg(long, value_name = "CASE")]
        other: String,
        /// Which case.
        #[command(flatten)]
        case: CaseArgs,
    },
    /// Notify the responsible site, as a numbered document.
    Notify {
        /// The site: by default the one of the case.
        #[arg(long, value_name = "SITE")]
        to: Option<String>,
        /// By when it is to answer: by the grade where nobody says.
        #[arg(long, value_name = "TIME")]
        due: Option<String>,
        /// The person who issues it: you by default.
        #[arg(long, value_name = "NAME")]
        issuer: Option<String>,
        /// The number to ask at: by default that of the issuing unit's contact of that name, or of its first.
        #[arg(long, value_name = "NUMBER")]
        telephone: Option<String>,
        /// What it is told.
        #[command(flatten)]
        said: SaidArgs,
    },
    /// Say for the site that it has the notice.
    Receive {
        /// Which notice, where several are open.
        #[arg(long, value_name = "NUMBER")]
        notice: Option<String>,
        /// Which case.
        #[command(flatten)]
        case: CaseArgs,
    },
    /// Answer for the site.
    Answer {
        /// What was wrong is mended.
        #[arg(long)]
        rectified: bool,
        /// Which notice, where several are open.
        #[arg(long, value_name = "NUMBER")]
        notice: Option<String>,
        /// The answer.
        #[command(flatten)]
        said: SaidArgs,
    },
    /// Give the site its answer back: it is not enough.
    Return {
        /// By when another is due.
        #[arg(long, value_name = "TIME")]
        due: Option<String>,
        /// Which notice, where the case has several: by default the last one that was answered.
        #[arg(long, value_name = "NUMBER")]
        notice: Option<String>,
        /// Why.
        #[command(flatten)]
        said: SaidArgs,
    },
    /// Close a case.
    Close {
        /// What it was found to be: true, benign, false or drill.
        #[arg(long, value_name = "VERDICT")]
        verdict: String,
        /// Why.
        #[command(flatten)]
        said: SaidArgs,
    },
    /// Open a case again.
    Reopen(SaidArgs),
}

/// Which cases to list.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// open, all, silenced, new, acknowledged, `under_review`, notified, rectified or closed.
    #[arg(long, value_name = "STATE", default_value = "open")]
    pub state: String,
    /// Only those of this site and those below it: an id or a division code.
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    /// Only this kind, such as `port_scan`.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Only those of which something is overdue.
    #[arg(long)]
    pub overdue: bool,
    /// Only those that this rule silences.
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// All of it as CSV (RFC 4180), with a line of names first.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// All of it as JSON, a case a line.
    #[arg(long)]
    pub json: bool,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// What to count.
#[derive(Debug, Clone, Args)]
pub struct StatisticsArgs {
    /// grade, kind, month, site (the parts directly below the asked one), area, unit (each site by itself) or `unit_month`.
    #[arg(long, value_name = "WORD", default_value = "grade")]
    pub by: String,
    /// Only this site and those below it: an id or a division code.
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    /// Only sites of this area: its id.
    #[arg(long, value_name = "AREA")]
    pub area: Option<String>,
    /// Only those opened at this time or later: RFC 3339, or a day.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only those opened before this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// As CSV (RFC 4180), with a line of names first.
    #[arg(long)]
    pub csv: bool,
    /// Where the centre is.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Which case.
#[derive(Debug, Clone, Args)]
pub struct CaseArgs {
    /// The case.
    pub case: String,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// What to attach to which case.
#[derive(Debug, Clone, Args)]
pub struct AttachArgs {
    /// The case.
    pub case: String,
    /// The files.
    #[arg(value_name = "FILE", required_unless_present = "text")]
    pub files: Vec<PathBuf>,
    /// A text, such as where something lies that is no file.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// The notice that the files belong to: attached for its unit, which reads its own files alone.
    #[arg(long, value_name = "NUMBER", conflicts_with = "text")]
    pub notice: Option<String>,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// What to say of which case.
#[derive(Debug, Clone, Args)]
pub struct SaidArgs {
    /// What there is to say.
    #[arg(long, value_name = "TEXT")]
    pub text: String,
    /// Which case.
    #[command(flatten)]
    pub case: CaseArgs,
}

/// What to drill.
#[derive(Debug, Clone, Args)]
pub struct DrillArgs {
    /// The site: its id or its division code.
    pub site: String,
    /// What would have been found, such as `port_scan`; a word that is none lists them.
    #[arg(long, value_name = "KIND")]
    pub kind: String,
    /// About whom or what; the source where nothing is given. Of an incident: the upper site of a link, an agent, a device, a port, a service.
    #[arg(long, value_name = "SUBJECT", default_value = "")]
    pub subject: String,
    /// Whose traffic it would be.
    #[arg(long, value_name = "ADDRESS")]
    pub source: Option<String>,
    /// Where to.
    #[arg(long, value_name = "ADDRESS")]
    pub destination: Option<String>,
    /// To which port.
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// How grave it would be.
    #[arg(long, value_name = "GRADE", default_value = "general")]
    pub grade: String,
    /// Since when it would have been going on; from the moment at which it is put in by default.
    #[arg(long, value_name = "TIME")]
    pub began: Option<String>,
    /// How long an incident lasts, unless its case is closed before: 30 minutes by default.
    #[arg(long, value_name = "MINUTES")]
    pub minutes: Option<u32>,
    /// Put it in at the centre although the site has an agent.
    #[arg(long)]
    pub at_centre: bool,
    /// What is drilled.
    #[arg(long, value_name = "TEXT")]
    pub text: String,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Which drills to list.
#[derive(Debug, Clone, Args)]
pub struct DrillsArgs {
    /// Only those of this site and those below it: an id or a division code.
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    /// Only those that are so far: waiting, injected, found, over or failed.
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,
    /// All of it as CSV (RFC 4180), with a line of names first.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// All of it as JSON, a drill a line.
    #[arg(long)]
    pub json: bool,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// What to silence: whatever all of it is true of.
#[derive(Debug, Clone, Args)]
pub struct SilenceArgs {
    /// The kind, such as `port_scan`.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// The subject, word for word.
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,
    /// The site, with everything below it; everywhere without it.
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    /// The area, such as a river basin, with all who belong to it: its id or its name.
    #[arg(long, value_name = "AREA")]
    pub area: Option<String>,
    /// Whose traffic: an address or a prefix.
    #[arg(long, value_name = "PREFIX")]
    pub source: Option<String>,
    /// Where to: an address or a prefix.
    #[arg(long, value_name = "PREFIX")]
    pub destination: Option<String>,
    /// To which port.
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Between which hours of the day in China, such as 22:00-06:00.
    #[arg(long, value_name = "HOURS")]
    pub hours: Option<String>,
    /// The person who answers for it.
    #[arg(long, value_name = "NAME")]
    pub owner: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Until when, within a year.
    #[arg(long, value_name = "TIME")]
    pub until: String,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Does it.
pub(super) async fn run(command: CasesCommand) -> Result<(), CommandError> {
    match command {
        CasesCommand::List(args) => list(args).await,
        CasesCommand::Statistics(args) => statistics::run(args).await,
        CasesCommand::Show(CaseArgs { case, data }) => {
            show(&ask_as(&data, Role::SecurityReviewer, Method::GET, &path(&case), empty()).await?)
        }
        CasesCommand::Attach(args) => files::attach(args).await,
        CasesCommand::File { case, sha256, to, data } => files::fetch((&case, &sha256), &to, &data).await,
        CasesCommand::Containment(CaseArgs { case, data }) => containment::run(&case, &data).await,
        CasesCommand::Open { incident, data } => post(&data, "/api/v1/cases", &json!({ "incident": incident })).await,
        CasesCommand::Drill(args) => {
            let body = json!({
                "site": args.site, "kind": args.kind, "subject": args.subject, "grade": args.grade,
                "began": args.began, "source": args.source, "destination": args.destination, "port": args.port,
                "text": args.text, "minutes": args.minutes, "at_centre": args.at_centre,
            });
            let path = "/api/v1/drills";
            drills::show(&ask_as(&args.data, Role::SecurityReviewer, Method::POST, path, with_json(&body)).await?)
        }
        CasesCommand::Drills(args) => drills::list(args).await,
        CasesCommand::Rules { over, data } => {
            let path = format!("/api/v1/suppressions?on={}", !over);
            each_as(&data, Role::SecurityReviewer, &path, |it| say(&rule(it))).await
        }
        CasesCommand::Silence(args) => silence(*args).await,
        CasesCommand::EndRule { rule: id, data } => {
            let path = format!("/api/v1/suppressions/{}", encode(&id));
            say(&rule(&ask_as(&data, Role::SecurityReviewer, Method::DELETE, &path, empty()).await?))
        }
        CasesCommand::Act(action) => {
            let (CaseArgs { case, data }, role, body) = acting(action);
            let path = format!("{}/actions", path(&case));
            show(&ask_as(&data, role, Method::POST, &path, with_json(&body)).await?)
        }
    }
}

/// Returns about which case an action is, in which role it is done, and what is asked.
fn acting(command: ActCommand) -> (CaseArgs, Role, Value) {
    use Role::{Operator as Unit, SecurityReviewer as Reviewer};
    let said = |action: &str, said: SaidArgs| (said.case, Reviewer, json!({ "action": action, "text": said.text }));
    match command {
        ActCommand::Acknowledge(case) => (case, Reviewer, json!({ "action": "acknowledge" })),
        ActCommand::Review(case) => (case, Reviewer, json!({ "action": "review" })),
        ActCommand::Receive { notice, case } => (case, Unit, json!({ "action": "receive", "notice": notice })),
        ActCommand::Assign { to, case } => (case, Reviewer, json!({ "action": "assign", "to": to })),
        ActCommand::Grade { grade, category, case } => {
            (case, Reviewer, json!({ "action": "grade", "grade": grade, "category": category }))
        }
        ActCommand::Due { due, case } => (case, Reviewer, json!({ "action": "set_due", "due": due })),
        ActCommand::Comment(args) => said("comment", args),
        ActCommand::Reopen(args) => said("reopen", args),
        ActCommand::Relate { other, case } => (case, Reviewer, json!({ "action": "relate", "other": other })),
        ActCommand::Notify { to, due, issuer, telephone, said: SaidArgs { text, case } } => {
            let body = json!({
                "action": "notify", "to": to, "due": due, "issuer": issuer, "telephone": telephone, "text": text,
            });
            (case, Reviewer, body)
        }
        ActCommand::Answer { rectified, notice, said: SaidArgs { text, case } } => {
            (case, Unit, json!({ "action": "answer", "notice": notice, "rectified": rectified, "text": text }))
        }
        ActCommand::Return { due, notice, said: SaidArgs { text, case } } => {
            (case, Reviewer, json!({ "action": "return", "notice": notice, "due": due, "text": text }))
        }
        ActCommand::Close { verdict, said: SaidArgs { text, case } } => {
            (case, Reviewer, json!({ "action": "close", "verdict": verdict, "text": text }))
        }
    }
}

fn path(case: &str) -> String {
    format!("/api/v1/cases/{}", encode(case))
}

async fn list(args: ListArgs) -> Result<(), CommandError> {
    let csv = if args.csv { ".csv" } else { "" };
    let mut path = format!("/api/v1/cases{csv}?state={}", encode(&args.state));
    for (name, value) in [("site", args.site), ("kind", args.kind), ("rule", args.rule)] {
        path += &value.map(|value| format!("&{name}={}", encode(&value))).unwrap_or_default();
    }
    if args.overdue {
        path += "&overdue=true";
    }
    if args.csv {
        let table = ask_as(&args.data, Role::SecurityReviewer, Method::GET, &path, empty()).await?;
        return say_table(&table);
    }
    let shown = |it: &Value| if args.json { it.to_string() } else { line(it) };
    each_as(&args.data, Role::SecurityReviewer, &path, |it| say(&shown(it))).await
}

async fn post(data: &DataArgs, path: &str, body: &Value) -> Result<(), CommandError> {
    show(&ask_as(data, Role::SecurityReviewer, Method::POST, path, with_json(body)).await?)
}

async fn silence(args: SilenceArgs) -> Result<(), CommandError> {
    let body = json!({
        "kind": args.kind, "subject": args.subject, "site": args.site, "area": args.area,
        "source": args.source, "destination": args.destination, "port": args.port, "hours": args.hours,
        "owner": args.owner, "reason": args.reason, "until": args.until,
    });
    let path = "/api/v1/suppressions";
    say(&rule(&ask_as(&args.data, Role::SecurityReviewer, Method::POST, path, with_json(&body)).await?))
}

fn rule(it: &Value) -> String {
    let keys = ["/kind", "/subject", "/site", "/area", "/source", "/destination", "/hours"];
    let what: Vec<&str> = keys.iter().map(|key| text(it, key)).filter(|part| !part.is_empty()).collect();
    let port = it.pointer("/port").and_then(Value::as_u64).map(|port| format!(" port {port}")).unwrap_or_default();
    let silenced = it.pointer("/silenced").and_then(Value::as_u64).unwrap_or_default();
    let [id, owner, reason, until] = ["/id", "/owner", "/reason", "/until"].map(|key| text(it, key));
    format!("{id:<24} {silenced:>5} silenced  until {until}  {}{port}  {reason} ({owner})", what.join(" "))
}

fn line(it: &Value) -> String {
    let [id, kind, grade, subject] = ["/id", "/kind", "/grade", "/subject"].map(|key| text(it, key));
    let [state, site, due, assignee] = ["/state", "/site", "/due", "/assignee"].map(|key| text(it, key));
    let is = |key: &str| it.pointer(key) == Some(&Value::Bool(true));
    let overdue = if is("/overdue") { " overdue" } else { "" };
    let drill = if is("/drill") { "  drill" } else { "" };
    let due = if due.is_empty() { String::new() } else { format!("  due {due}{overdue}") };
    format!("{id:<18} {state:<12} {grade:<13} {kind:<18} {subject:<24} {site}{due}  {assignee}{drill}{}", silencing(it))
}

fn show(it: &Value) -> Result<(), CommandError> {
    say(&line(it))?;
    let about = [
        ("category", "/category"),
        ("graded by", "/graded_by"),
        ("verdict", "/verdict"),
        ("silenced", "/silenced_by"),
        ("incident", "/incident"),
        ("first", "/first"),
        ("last", "/last"),
    ];
    for (what, key) in about.into_iter().filter(|(_, key)| !text(it, key).is_empty()) {
        say(&format!("  {what:<9} {}", text(it, key)))?;
    }
    for evidence in it.pointer("/evidence").and_then(Value::as_array).into_iter().flatten() {
        say(&format!("  evidence  {}: {}", text(evidence, "/is"), text(evidence, "/value")))?;
    }
    let list = |key: &str| it.pointer(key).and_then(Value::as_array).into_iter().flatten();
    list("/files").map(files::line).try_for_each(|line| say(&line))?;
    list("/lost_captures")
        .try_for_each(|it| say(&format!("  lost      {}: {}", text(it, "/name"), text(it, "/why"))))?;
    list("/notices").flat_map(notice::lines).try_for_each(|line| say(&line))?;
    if let Some(drill) = it.pointer("/drilled").filter(|it| !it.is_null()) {
        drills::times(drill).iter().try_for_each(|line| say(line))?;
    }
    for step in it.pointer("/steps").and_then(Value::as_array).into_iter().flatten() {
        let [time, by, did, said] = ["/time", "/by", "/did", "/text"].map(|key| text(step, key));
        let by = if by.is_empty() { "centre" } else { by };
        say(&format!("  {time}  {by:<20} {did:<12} {said}"))?;
    }
    Ok(())
}
