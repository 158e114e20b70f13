use clap::Parser;
use serde_json::Value;

use super::*;

#[derive(Debug, Parser)]
struct CommandLine {
    #[command(flatten)]
    args: BaselineArgs,
}

fn args(given: &[&str]) -> BaselineArgs {
    CommandLine::try_parse_from(["baseline", "series.csv"].iter().chain(given)).unwrap().args
}

fn refused(text: &str) -> String {
    parse("series.csv", text, Zone { minutes: 480 }).unwrap_err().to_string()
}

fn printed(text: &str, given: &[&str]) -> String {
    let args = args(given);
    let rows = parse("series.csv", text, args.zone).unwrap();
    let mut out = Vec::new();
    print(&mut out, &rows, &calendar(&args).unwrap(), &args).unwrap();
    String::from_utf8(out).unwrap()
}

/// Five weeks of a feed that sends 60 messages every hour and falls silent at nine in the morning of 2026-11-09.
fn silent_feed() -> String {
    let begin: Timestamp = "2026-10-12T00:00:00+08:00".parse().unwrap();
    let row = |hour: i64| {
        let time = begin.plus_ms(hour * 3_600_000).unix_ms() / 1000;
        format!("{time},{}\n", if hour >= 28 * 24 + 9 { 0 } else { 60 - hour % 3 })
    };
    (0..29 * 24).map(row).collect()
}

#[test]
fn a_feed_that_falls_silent_is_unusual_at_once_and_shifted_within_five_hours() {
    let told: Value = serde_json::from_str(&printed(&silent_feed(), &["--json"])).unwrap();
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 29 * 24);
    let silence = &rows[28 * 24 + 9];
    assert_eq!((&silence["time"], &silence["value"]), (&Value::from("2026-11-09T01:00:00.000Z"), &Value::from(0.0)));
    assert_eq!(silence["verdict"], "unusual");
    assert!(silence["score"].as_f64().unwrap() >= 0.75 && silence["since"].is_null() && silence["reason"].is_null());
    let shifted = rows.iter().position(|row| row["verdict"] == "shifted").unwrap();
    assert!((28 * 24 + 12..=28 * 24 + 14).contains(&shifted), "{shifted}");
    assert_eq!(rows[shifted]["since"], "2026-11-09T01:00:00.000Z");
    assert_eq!(rows[0]["verdict"], "learning");
    let summary = &told["summary"];
    let counts = ["learning", "usual", "unusual", "shifted", "skipped"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts.iter().sum::<u64>(), summary["rows"].as_u64().unwrap());
    assert_eq!((&told["zone"], &summary["unusual"]), (&Value::from("+08:00"), &Value::from(1)));
}

#[test]
fn the_table_has_local_times_and_a_last_line_that_counts() {
    let told = printed(&silent_feed(), &[]);
    assert!(told.lines().any(|line| line.starts_with("2026-11-09 09:00:00") && line.ends_with("unusual")), "{told}");
    assert!(told.contains("shifted since 2026-11-09 09:00:00"), "{told}");
    assert!(told.lines().last().unwrap().starts_with("# 696 rows: "), "{told}");
    let told = printed("2026-11-09T09:00:00+08:00,1\n", &["--zone", "UTC"]);
    assert!(told.contains("\n2026-11-09 01:00:00 "), "{told}");
}

#[test]
fn every_form_of_a_time_is_the_same_moment_and_a_header_may_be_there_or_not() {
    for text in [
        "2026-11-23T08:00:00+08:00,1",
        "timestamp,value\n2026-11-23 08:00:00,1.0",
        "\u{feff}\"时间\",\"值\"\r\n\"2026-11-23 08:00:00\", 1 \r\n",
        "# from the archive\n\n1795392000,1e0\n",
        "1795392000000,1",
        "2026-11-23T00:00:00.000Z,1",
    ] {
        let rows = parse("series.csv", text, Zone { minutes: 480 }).unwrap();
        let time = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(rows, [Row { time, value: Some(1.0) }], "{text}");
    }
}

#[test]
fn a_bad_line_is_named_with_its_number_and_remedy() {
    let said = refused("time,value\n2026-11-23 08:00:00,1\n2026-11-23 08:05:00,1 MB\n2026-13-01 00:00:00,1\n");
    assert!(said.starts_with("series.csv: line 3: \"1 MB\" is not a number: write it with a point"), "{said}");
    assert!(
        said.contains("\nline 4: \"2026-13-01 00:00:00\" is not a time: write 2026-11-23T08:00:00+08:00"),
        "{said}"
    );
    assert!(refused("1,2,3\n").starts_with("series.csv: line 1: it has 3 columns: write a time and a value"));
    assert!(refused("time,value\ntime,value\n").contains("line 2: \"time\" is not a time"));
    assert!(refused("time,value\n").contains("series.csv has no rows"));
    assert!(refused("nan,1\n").contains("line 1"));
    let many = refused(&"x;1\n".repeat(50));
    assert_eq!(many.lines().count(), 11, "{many}");
    assert!(
        many.ends_with(
            "line 10: it has 1 columns: write a time and a value with a comma between them, such as \
        2026-11-23 08:00:00,42.5\nreading ended there"
        ),
        "{many}"
    );
}

#[test]
fn rows_that_cannot_be_judged_are_shown_with_the_reason() {
    let text = "2026-11-23 08:00:00,1\n2026-11-23 08:00:00,2\n2026-11-23 07:00:00,3\n2026-11-23 09:00:00,\n2026-11-23 10:00:00,NaN\n";
    let told: Value = serde_json::from_str(&printed(text, &["--json"])).unwrap();
    let reasons: Vec<&str> =
        told["rows"].as_array().unwrap()[1..].iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(
        reasons,
        [
            "its time is that of the row before",
            "it is earlier than the row before",
            "it has no value",
            "its value is not a finite number"
        ]
    );
    assert_eq!(told["summary"]["skipped"], 4);
    assert!(told["rows"][4]["value"].is_null() && told["rows"][4]["score"].is_null());
}

#[test]
fn a_zone_is_hours_and_minutes_or_one_of_two_names() {
    for (text, shown) in [("+08:00", "+08:00"), ("Asia/Shanghai", "+08:00"), ("UTC", "+00:00"), ("-05:30", "-05:30")] {
        assert_eq!(text.parse::<Zone>().unwrap().to_string(), shown);
    }
    for text in ["", "8", "+8", "+15:00", "+08:60", "Europe/Berlin", "+-8:00", "时区"] {
        assert!(text.parse::<Zone>().unwrap_err().contains("+08:00"), "{text}");
    }
    assert_eq!(args(&["--zone", "-05:00"]).zone.minutes, -300);
}

#[test]
fn holidays_of_a_file_are_added_and_its_mistakes_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("2028.csv");
    std::fs::write(&path, "first,last,kind,name\n2028-01-03,2028-01-03,off,元旦\n").unwrap();
    let given = args(&["--holidays", path.to_str().unwrap()]);
    let kind = calendar(&given).unwrap().moment("2028-01-03T08:00:00+08:00".parse().unwrap()).kind;
    assert_eq!(kind, onenet_detection::level::DayKind::Holiday);
    std::fs::write(&path, "2028-01-03,off\n").unwrap();
    let said = calendar(&given).unwrap_err().to_string();
    assert!(said.contains("2028.csv: line 1: ") && said.contains("off or work"), "{said}");
}
