//! `onenetd cases drills`: drills, and how long each took.

use hyper::Method;
use serde_json::Value;

use super::{
    super::commands::{CommandError, ask_as, each_as, empty, say, say_table, text},
    DrillsArgs,
};
use crate::{access::Role, api::encode};

/// The times of a drill, in their order.
const TIMES: [&str; 6] = ["ordered", "injected", "found", "opened", "acknowledged", "closed"];
/// How long it took, in seconds.
const SPANS: [(&str, &str); 3] = [
    ("/detected_after_s", "detected after"),
    ("/acknowledged_after_s", "taken up after"),
    ("/closed_after_s", "closed after"),
];

pub(super) async fn list(args: DrillsArgs) -> Result<(), CommandError> {
    let csv = if args.csv { ".csv" } else { "" };
    let given = [("site", args.site), ("state", args.state)].into_iter();
    let given = given.filter_map(|(name, value)| Some(format!("{name}={}", encode(&value?))));
    let path = format!("/api/v1/drills{csv}?{}", given.collect::<Vec<_>>().join("&"));
    if args.csv {
        return say_table(&ask_as(&args.data, Role::SecurityReviewer, Method::GET, &path, empty()).await?);
    }
    let shown = |it: &Value| if args.json { it.to_string() } else { line(it) };
    each_as(&args.data, Role::SecurityReviewer, &path, |it| say(&shown(it))).await
}

/// Says what a drill that was ordered is.
pub(super) fn show(it: &Value) -> Result<(), CommandError> {
    say(&line(it))?;
    let why = text(it, "/why");
    if !why.is_empty() {
        say(&format!("  {why}"))?;
    }
    times(it).iter().try_for_each(|line| say(line))
}

fn line(it: &Value) -> String {
    let [id, kind, grade, subject, state] = ["/id", "/kind", "/grade", "/subject", "/state"].map(|key| text(it, key));
    let [ordered, code, agent, case] = ["/ordered", "/site_code", "/agent", "/case"].map(|key| text(it, key));
    let agent = if agent.is_empty() { "centre" } else { agent };
    format!("{id:<18} {ordered}  {state:<9} {grade:<13} {kind:<18} {subject:<24} {code}  {agent}  {case}{}", spans(it))
}

fn spans(it: &Value) -> String {
    let told = SPANS.into_iter().filter_map(|(key, what)| Some((what, it.pointer(key)?.as_i64()?)));
    told.fold(String::new(), |all, (what, seconds)| all + &format!("  {what} {seconds} s"))
}

/// Returns the times of a drill, a line each.
pub(super) fn times(it: &Value) -> Vec<String> {
    let told = TIMES.into_iter().filter_map(|name| Some((name, it.get(name)?.as_str()?)));
    told.map(|(name, at)| format!("  {name:<12} {at}")).collect()
}
