//! `onenetd cases statistics`: figures of cases as a table, or as CSV for a spreadsheet.

use hyper::Method;
use serde_json::Value;

use super::{
    super::commands::{CommandError, ask_as, empty, say, text},
    StatisticsArgs,
};
use crate::{access::Role, api::encode};

/// The figures, in the order of their columns.
const FIGURES: [&str; 17] = [
    "opened",
    "open",
    "overdue",
    "escalated",
    "notified",
    "closed_true",
    "closed_benign",
    "closed_false",
    "acknowledged_median_s",
    "acknowledged_p90_s",
    "closed_median_s",
    "closed_p90_s",
    "notices_sent",
    "notices_in_time",
    "notices_late",
    "notices_unanswered",
    "notices_overdue",
];

pub(super) async fn run(args: StatisticsArgs) -> Result<(), CommandError> {
    let mut path = format!("/api/v1/cases/statistics?by={}", encode(&args.by));
    for (name, value) in [("site", args.site), ("area", args.area), ("from", args.from), ("to", args.to)] {
        path += &value.map(|value| format!("&{name}={}", encode(&value))).unwrap_or_default();
    }
    let told = ask_as(&args.place.into(), Role::SecurityReviewer, Method::GET, &path, empty()).await?;
    let lines = if args.csv { csv(&told) } else { table(&told) };
    lines.iter().try_for_each(|line| say(line))
}

fn rows(told: &Value) -> impl Iterator<Item = &Value> {
    told.pointer("/rows").and_then(Value::as_array).into_iter().flatten()
}

/// Returns a figure as it is written; blank where it is not known.
fn figure(row: &Value, name: &str) -> String {
    row.get(name).and_then(Value::as_i64).map(|number| number.to_string()).unwrap_or_default()
}

fn csv(told: &Value) -> Vec<String> {
    let by = text(told, "/by");
    let line = |row: &Value| {
        let names = [text(row, "/key"), text(row, "/name")].map(field);
        names.into_iter().chain(FIGURES.map(|name| figure(row, name))).collect::<Vec<_>>().join(",")
    };
    let head = [by, "name"].into_iter().chain(FIGURES).collect::<Vec<_>>().join(",");
    std::iter::once(head).chain(rows(told).map(line)).collect()
}

/// Returns a field of CSV. What a spreadsheet would take for a formula is given a mark, so that a name cannot do anything.
fn field(value: &str) -> String {
    let marked =
        if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{value}") } else { value.to_owned() };
    if marked.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", marked.replace('"', "\"\"")) } else { marked }
}

fn table(told: &Value) -> Vec<String> {
    let head = format!(
        "{:<24} {:>7} {:>6} {:>8} {:>6} {:>6} {:>6} {:>12} {:>12} {:>8} {:>8} {:>6} {:>10}",
        text(told, "/by"),
        "opened",
        "open",
        "overdue",
        "true",
        "benign",
        "false",
        "taken up",
        "closed",
        "notices",
        "in time",
        "late",
        "unanswered"
    );
    let line = |name: &str, row: &Value| {
        let of = |name| figure(row, name);
        let within = |name| row.get(name).and_then(Value::as_i64).map_or_else(|| "-".to_owned(), duration);
        format!(
            "{name:<24} {:>7} {:>6} {:>8} {:>6} {:>6} {:>6} {:>12} {:>12} {:>8} {:>8} {:>6} {:>10}",
            of("opened"),
            of("open"),
            of("overdue"),
            of("closed_true"),
            of("closed_benign"),
            of("closed_false"),
            within("acknowledged_median_s"),
            within("closed_median_s"),
            of("notices_sent"),
            of("notices_in_time"),
            of("notices_late"),
            of("notices_unanswered"),
        )
    };
    let rows = rows(told).map(|row| line(text(row, "/name"), row));
    let total = told.pointer("/total").map(|row| line("all", row));
    std::iter::once(head).chain(rows).chain(total).collect()
}

/// Returns a time in the two largest units of it.
fn duration(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_for_a_spreadsheet_has_a_line_of_names_and_no_formula() {
        let row = json!({ "key": "=1+1", "name": "a \"b\", c", "opened": 3, "open": 1, "closed_median_s": null });
        let lines = csv(&json!({ "by": "kind", "rows": [row] }));
        assert!(lines[0].starts_with("kind,name,opened,open,overdue,"), "{}", lines[0]);
        assert_eq!(lines[1], "'=1+1,\"a \"\"b\"\", c\",3,1,,,,,,,,,,,,,,,");
        assert_eq!(lines[0].split(',').count(), 19);
    }

    #[test]
    fn times_are_read_at_a_glance() {
        assert_eq!([59, 3_600, 100_000].map(duration), ["0 min", "1 h 0 min", "1 d 3 h"]);
    }
}
