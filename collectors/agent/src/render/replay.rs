//! What is in capture files, as tables.

use std::fmt::Write;

use onenet_capture::{
    flow::{FlowRecord, protocol_name},
    replay::Replay,
};
use onenet_detection::{DetectorState, Finding};

use super::{TextTable, bytes};

/// How many flows are shown, the largest first; the JSON has all.
const FLOWS_SHOWN: usize = 20;

/// Returns the result of a replay as text.
pub(crate) fn replay(replay: &Replay) -> String {
    let mut out = format!("Frames: {}\n", replay.frames.seen);
    let mut undecoded = TextTable::new(&["not wholly understood because", "frames"]);
    for (reason, count) in &replay.frames.undecoded {
        undecoded.row([reason.replace('_', " "), count.to_string()]);
    }
    if !undecoded.is_empty() {
        let _ = write!(out, "{undecoded}");
    }
    let mut endpoints = TextTable::new(&["mac", "vendor", "hostname", "class", "system", "addresses", "heard by"]);
    for endpoint in &replay.endpoints {
        let ips: Vec<String> = endpoint.ips.iter().map(ToString::to_string).collect();
        let methods: Vec<&str> = endpoint.evidence.iter().map(|evidence| evidence.method.name()).collect();
        endpoints.row([
            endpoint.mac.to_string(),
            endpoint.vendor.unwrap_or("-").to_owned(),
            endpoint.hostname.clone().unwrap_or_else(|| "-".to_owned()),
            endpoint.class.map_or_else(|| "-".to_owned(), |class| format!("{} {}%", class.is, class.score)),
            endpoint.os.map_or_else(|| "-".to_owned(), |os| format!("{} {}%", os.is, os.score)),
            ips.join(" "),
            methods.join(" "),
        ]);
    }
    let _ = write!(out, "\nEndpoints: {}\n{endpoints}", endpoints.len());
    let _ = write!(out, "\nFlows: {}{}", replay.flows.len(), flows(&replay.flows));
    if replay.flows_omitted > 0 {
        let _ = writeln!(out, "and {} more that found no room", replay.flows_omitted);
    }
    out
}

fn flows(flows: &[FlowRecord]) -> String {
    let mut largest: Vec<&FlowRecord> = flows.iter().collect();
    largest.sort_by_key(|flow| std::cmp::Reverse(flow.bytes_out.saturating_add(flow.bytes_in)));
    let mut table = TextTable::new(&["protocol", "originator", "responder", "packets", "bytes", "start"]);
    for flow in largest.iter().take(FLOWS_SHOWN) {
        table.row([
            protocol_name(flow.protocol).into_owned(),
            end(&flow.originator),
            end(&flow.responder),
            format!("{}/{}", flow.packets_out, flow.packets_in),
            format!("{}/{}", bytes(flow.bytes_out), bytes(flow.bytes_in)),
            flow.start.to_string(),
        ]);
    }
    let rest = flows.len().saturating_sub(FLOWS_SHOWN);
    let title = if rest > 0 { format!(", the largest {FLOWS_SHOWN} (all with --json)") } else { String::new() };
    format!("{title}\n{table}")
}

fn end(end: &onenet_capture::flow::End) -> String {
    match (end.port, end.ip) {
        (0, ip) => ip.to_string(),
        (port, ip) => std::net::SocketAddr::new(ip, port).to_string(),
    }
}

/// Returns findings as tables for people: each with what it was concluded from, and the detectors that are off.
pub(crate) fn anomalies<'a>(findings: impl Iterator<Item = &'a Finding>, detectors: &[DetectorState]) -> String {
    let mut table = TextTable::new(&["kind", "grade", "sure", "subject", "first", "last", "count"]);
    let mut grounds = String::new();
    let mut count = 0;
    for finding in findings {
        count += 1;
        table.row([
            finding.kind.to_string(),
            finding.grade.name().to_owned(),
            format!("{}%", finding.confidence),
            finding.subject.to_string(),
            finding.first.to_string(),
            finding.last.to_string(),
            finding.count.to_string(),
        ]);
        let _ = writeln!(grounds, "{} of {}, because of", finding.kind, finding.subject);
        for evidence in &finding.evidence {
            let _ = writeln!(grounds, "  {}: {}", evidence.is.replace('_', " "), evidence.value);
        }
    }
    let mut out = format!("\nAnomalies: {count}\n");
    if count > 0 {
        let _ = write!(out, "{table}{grounds}");
    }
    for (detector, why) in detectors.iter().filter_map(|detector| Some((detector.kind, detector.off?))) {
        let _ = writeln!(out, "{detector} is off: {why}");
    }
    out
}
