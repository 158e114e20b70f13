//! `onenetd inspections …`: campaigns with a checklist that units answer, what was found, and whether it was mended.

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::{
    DataArgs,
    commands::{CommandError, ask_as, each_as, empty, say, say_table, text, with_json},
};
use crate::{access::Role, api::encode};

/// What to do with inspections.
#[derive(Debug, Clone, Subcommand)]
pub enum InspectionsCommand {
    /// List inspections, the newest first.
    List {
        /// List those that are closed.
        #[arg(long)]
        closed: bool,
        /// Only those that this site or one below it inspects, or is asked in: an id or a division code.
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// Only those that a site of this area inspects, or is asked in: an id.
        #[arg(long, value_name = "AREA", conflicts_with = "site")]
        area: Option<String>,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Open an inspection: each unit is asked every item of the checklist.
    Open(Box<OpenArgs>),
    /// Show an inspection and how far its units are; or what one unit answered, and what is known of it.
    Show {
        /// The inspection.
        inspection: String,
        /// The unit: its id or its division code.
        site: Option<String>,
        /// The answers of all units as CSV (RFC 4180), with a line of names first.
        #[arg(long, conflicts_with = "site")]
        csv: bool,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Answer an item for a unit; what is known of its requirement goes with the answer.
    Answer {
        /// The item, from 1.
        #[arg(long, value_name = "NUMBER")]
        item: u16,
        /// fulfilled, partly, `not_fulfilled` or `not_applicable`.
        #[arg(long, value_name = "VERDICT")]
        verdict: String,
        /// In words; may be left out where a requirement is asked, so that what is known speaks for itself.
        #[arg(long, value_name = "TEXT", default_value = "")]
        text: String,
        /// What the unit shows for it, such as the name of a document. Can be given several times.
        #[arg(long, value_name = "TEXT")]
        evidence: Vec<String>,
        /// Of which unit.
        #[command(flatten)]
        unit: UnitArgs,
    },
    /// Note what was found at a unit.
    Find {
        /// The item, from 1.
        #[arg(long, value_name = "NUMBER")]
        item: u16,
        /// What.
        #[arg(long, value_name = "TEXT")]
        text: String,
        /// By when it is to be mended: a time after RFC 3339, or a day.
        #[arg(long, value_name = "TIME")]
        due: String,
        /// Of which unit.
        #[command(flatten)]
        unit: UnitArgs,
    },
    /// Say for a unit that a finding is mended.
    Mend {
        /// The finding, from 1.
        #[arg(long, value_name = "NUMBER")]
        finding: u16,
        /// How.
        #[arg(long, value_name = "TEXT")]
        text: String,
        /// Of which unit.
        #[command(flatten)]
        unit: UnitArgs,
    },
    /// Check a finding again.
    Recheck {
        /// The finding, from 1.
        #[arg(long, value_name = "NUMBER")]
        finding: u16,
        /// It is in order; without this it stays open.
        #[arg(long)]
        passed: bool,
        /// What was seen.
        #[arg(long, value_name = "TEXT")]
        text: String,
        /// By when it is to be mended, if that changes.
        #[arg(long, value_name = "TIME", conflicts_with = "passed")]
        due: Option<String>,
        /// Of which unit.
        #[command(flatten)]
        unit: UnitArgs,
    },
    /// Close an inspection of which no finding is open.
    Close {
        /// The inspection.
        inspection: String,
        /// What there is to say of it.
        #[arg(long, value_name = "TEXT")]
        text: String,
        /// Where the centre is.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Which inspection to open.
#[derive(Debug, Clone, Args)]
pub struct OpenArgs {
    /// The site that inspects: its id or its division code.
    pub site: String,
    /// What it is called.
    #[arg(long, value_name = "TEXT")]
    pub title: String,
    /// By when units are to answer: a time after RFC 3339, or a day.
    #[arg(long, value_name = "TIME")]
    pub due: String,
    /// A unit that is asked; can be given several times. By default the site and all below it.
    #[arg(long = "unit", value_name = "SITE", conflicts_with = "area")]
    pub units: Vec<String>,
    /// The units of this area: its id.
    #[arg(long, value_name = "AREA")]
    pub area: Option<String>,
    /// A requirement that is asked: links, equipment, devices, outward, attacks or records. Can be given several times; all six where
    /// neither requirements nor items are given.
    #[arg(long = "requirement", value_name = "NAME")]
    pub requirements: Vec<String>,
    /// An item in words, behind the requirements. Can be given several times.
    #[arg(long = "item", value_name = "TEXT")]
    pub items: Vec<String>,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Which unit of which inspection.
#[derive(Debug, Clone, Args)]
pub struct UnitArgs {
    /// The inspection.
    pub inspection: String,
    /// The unit: its id or its division code.
    pub site: String,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Does it.
pub(super) async fn run(command: InspectionsCommand) -> Result<(), CommandError> {
    use Role::{Operator as Unit, SecurityReviewer as Inspector};
    match command {
        InspectionsCommand::List { closed, site, area, data } => {
            let given = |name: &str, value: Option<String>| value.map(|it| format!("&{name}={}", encode(&it)));
            let path = format!("/api/v1/inspections?open={}", !closed);
            let path = [given("site", site), given("area", area)].into_iter().flatten().fold(path, |all, it| all + &it);
            each_as(&data, Inspector, &path, |it| say(&line(it))).await
        }
        InspectionsCommand::Open(args) => open(*args).await,
        InspectionsCommand::Show { inspection, site, csv, data } => {
            let end = match (&site, csv) {
                (Some(site), _) => format!("/units/{}", encode(site)),
                (None, true) => "/answers.csv".to_owned(),
                (None, false) => String::new(),
            };
            let told = ask_as(&data, Inspector, Method::GET, &(path(&inspection) + &end), empty()).await?;
            match site {
                Some(_) => sheet(&told),
                None if csv => say_table(&told),
                None => show(&told),
            }
        }
        InspectionsCommand::Answer { item, verdict, text, evidence, unit } => {
            let body = json!({ "item": item, "verdict": verdict, "text": text, "evidence": evidence });
            act(&unit, Unit, "answer", body).await
        }
        InspectionsCommand::Find { item, text, due, unit } => {
            act(&unit, Inspector, "find", json!({ "item": item, "text": text, "due": due })).await
        }
        InspectionsCommand::Mend { finding, text, unit } => {
            act(&unit, Unit, "mend", json!({ "finding": finding, "text": text })).await
        }
        InspectionsCommand::Recheck { finding, passed, text, due, unit } => {
            let body = json!({ "finding": finding, "passed": passed, "text": text, "due": due });
            act(&unit, Inspector, "recheck", body).await
        }
        InspectionsCommand::Close { inspection, text, data } => {
            let path = path(&inspection) + "/close";
            show(&ask_as(&data, Inspector, Method::POST, &path, with_json(&json!({ "text": text }))).await?)
        }
    }
}

fn path(inspection: &str) -> String {
    format!("/api/v1/inspections/{}", encode(inspection))
}

async fn open(args: OpenArgs) -> Result<(), CommandError> {
    let requirements = args.requirements.iter().map(|it| json!({ "requirement": it }));
    let checklist: Vec<Value> = requirements.chain(args.items.iter().map(|it| json!({ "text": it }))).collect();
    let body = json!({
        "site": args.site, "title": args.title, "due": args.due, "units": args.units, "area": args.area,
        "checklist": checklist,
    });
    let asked = ask_as(&args.data, Role::SecurityReviewer, Method::POST, "/api/v1/inspections", with_json(&body));
    show(&asked.await?)
}

async fn act(unit: &UnitArgs, role: Role, action: &str, mut body: Value) -> Result<(), CommandError> {
    let path = format!("{}/units/{}/actions", path(&unit.inspection), encode(&unit.site));
    body["action"] = json!(action);
    sheet(&ask_as(&unit.data, role, Method::POST, &path, with_json(&body)).await?)
}

fn number(it: &Value, pointer: &str) -> u64 {
    it.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn each<'v>(it: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    it.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn line(it: &Value) -> String {
    let [id, title, due, closed] = ["/id", "/title", "/due", "/closed/time"].map(|key| text(it, key));
    let [units, answered, open, overdue] =
        ["/units", "/answered", "/findings_open", "/overdue"].map(|key| number(it, key));
    let until = if closed.is_empty() { format!("due {due}") } else { format!("closed {closed}") };
    format!("{id:<20} {answered}/{units} answered  {open} findings open  {overdue} overdue  {until}  {title}")
}

fn show(it: &Value) -> Result<(), CommandError> {
    say(&line(it))?;
    for item in each(it, "/checklist") {
        say(&format!("  {:>3}  {}", number(item, "/number"), asked(item)))?;
    }
    for unit in each(it, "/asked") {
        let overdue = if unit.pointer("/overdue") == Some(&Value::Bool(true)) { "  overdue" } else { "" };
        let [answered, open] = ["/answered", "/findings_open"].map(|key| number(unit, key));
        let (site, code, items) = (text(unit, "/site"), text(unit, "/code"), number(it, "/items"));
        say(&format!("  {site:<16} {code:<8} {answered}/{items} answered  {open} findings open{overdue}"))?;
    }
    Ok(())
}

fn asked(item: &Value) -> String {
    let parts = [text(item, "/requirement"), text(item, "/text")];
    parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("  ")
}

fn sheet(it: &Value) -> Result<(), CommandError> {
    say(&format!("{} of {}", text(it, "/site"), text(it, "/inspection")))?;
    for item in each(it, "/items") {
        let answer = item.pointer("/answer").filter(|answer| answer.is_object());
        let verdict = answer.map_or("-", |answer| text(answer, "/verdict"));
        say(&format!("  {:>3}  {verdict:<14} {}", number(item, "/number"), asked(item)))?;
        if let Some(answer) = answer {
            let [said, time, by] = ["/text", "/time", "/by"].map(|key| text(answer, key));
            say(&format!("       {said} ({by}, {time})"))?;
            for evidence in each(answer, "/evidence").filter_map(Value::as_str) {
                say(&format!("       shows: {evidence}"))?;
            }
        }
        for known in each(item, "/observed") {
            say(&format!("       known: {}", observed(known)))?;
        }
    }
    for finding in each(it, "/findings") {
        let [state, due, said] = ["/state", "/due", "/text"].map(|key| text(finding, key));
        let [number, item] = ["/number", "/item"].map(|key| number(finding, key));
        say(&format!("  finding {number} (item {item}) {state}, due {due}: {said}"))?;
    }
    for step in each(it, "/steps") {
        let [time, by, did, said] = ["/time", "/by", "/did", "/text"].map(|key| text(step, key));
        say(&format!("  {time}  {by:<20} {did:<8} {said}"))?;
    }
    Ok(())
}

fn observed(it: &Value) -> String {
    let [is, kind, time] = ["/is", "/kind", "/time"].map(|key| text(it, key).to_owned());
    let count = it.pointer("/count").and_then(Value::as_u64).map(|it| it.to_string()).unwrap_or_default();
    let of = it.pointer("/of").and_then(Value::as_u64).map(|it| format!("of {it}")).unwrap_or_default();
    [is, kind, count, of, time].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}
