//! `onenetd measure SITE PROBE …`: a test over a site's line, carried out now.

use clap::Args;
use hyper::Method;
use serde_json::{Value, json};

use super::{
    DataArgs,
    commands::{CommandError, administer, say, text, with_json},
};
use crate::api::encode;

/// What to measure.
#[derive(Debug, Clone, Args)]
pub struct MeasureArgs {
    /// The site whose agent measures: its id or its division code.
    pub site: String,
    /// The agent's name of the probe whose way is tested; one of kind stamp.
    pub probe: String,
    /// How much comes through, instead of how speech and video would sound.
    #[arg(long)]
    pub throughput: bool,
    /// Of throughput: what is sent at most, in kbit/s; the site may allow less.
    #[arg(long, value_name = "KBIT", requires = "throughput")]
    pub kbit_per_s: Option<u32>,
    /// Of throughput: for how long, 1 to 10.
    #[arg(long, requires = "throughput")]
    pub seconds: Option<u32>,
    /// The agent, where several of the site have a probe of this name.
    #[arg(long)]
    pub agent: Option<String>,
    /// Print the answer as JSON, as the API has it.
    #[arg(long)]
    pub json: bool,
    /// Where the centre is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Has it measured, and tells what came of it.
pub(super) async fn run(args: MeasureArgs) -> Result<(), CommandError> {
    let path = format!("/api/v1/sites/{}/measurements", encode(&args.site));
    let wanted = json!({
        "probe": args.probe,
        "test": if args.throughput { "throughput" } else { "media" },
        "agent": args.agent,
        "kbit_per_s": args.kbit_per_s,
        "seconds": args.seconds,
    });
    let told = administer(&args.data, Method::POST, &path, with_json(&wanted)).await?;
    if args.json { say(&told.to_string()) } else { say(&lines(&told)) }
}

/// Returns what was measured, for a person.
fn lines(told: &Value) -> String {
    let number = |key: &str| told.get(key).and_then(Value::as_u64);
    let ms = |key: &str| number(key).map_or("-".to_owned(), |us| format!("{}.{:03} ms", us / 1_000, us % 1_000));
    let kbit = |key: &str| number(key).map_or("-".to_owned(), |kbit| format!("{kbit} kbit/s"));
    let mut lines = vec![format!(
        "{} test by {} over {}: {} packets, {} lost ({} out, {} back)",
        text(told, "/test"),
        text(told, "/agent"),
        text(told, "/probe"),
        number("sent").unwrap_or_default(),
        number("lost").unwrap_or_default(),
        number("lost_out").map_or("?".to_owned(), |lost| lost.to_string()),
        number("lost_back").map_or("?".to_owned(), |lost| lost.to_string()),
    )];
    lines.push(format!(
        "round trip {} (95 % under {}), jitter {} out, {} back",
        ms("round_trip_median_us"),
        ms("round_trip_p95_us"),
        ms("jitter_out_us"),
        ms("jitter_back_us")
    ));
    if let Some(mos) = told.get("mos").and_then(Value::as_f64) {
        lines.push(format!("mean opinion score {mos:.2} of 4.5"));
    }
    if text(told, "/test") == "throughput" {
        let [sent, out, back] = ["rate_sent_kbit", "rate_out_kbit", "rate_back_kbit"].map(kbit);
        lines.push(format!("{sent} sent, {out} came there, {back} came back"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_told_in_a_few_lines_and_what_is_not_known_is_no_zero() {
        let told = json!({
            "test": "throughput", "agent": "a-1", "probe": "parent", "sent": 407, "lost": 3, "lost_out": 3, "lost_back": null,
            "round_trip_median_us": 12_034, "round_trip_p95_us": null, "rate_sent_kbit": 1_998, "rate_out_kbit": 1_800,
            "rate_back_kbit": null, "mos": null,
        });
        assert_eq!(
            lines(&told),
            "throughput test by a-1 over parent: 407 packets, 3 lost (3 out, ? back)\n\
             round trip 12.034 ms (95 % under -), jitter - out, - back\n\
             1998 kbit/s sent, 1800 kbit/s came there, - came back"
        );
    }
}
