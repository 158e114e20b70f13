//! Flows for people: who spoke with whom, when, and how much; and how far back that goes.

use std::fmt::Write;

use onenet_capture::flow::protocol_name;
use onenet_topology::{
    application::Application,
    flow::{Flow, FlowEnd, FlowPage, FlowPageEnd, FlowsMissing, FlowsMissingReason},
};

use super::{Language, TextTable, bytes, seconds};

/// Returns a page of flows as text.
pub(crate) fn flows(page: &FlowPage, language: Language) -> String {
    let mut out = String::new();
    let headings = match language {
        Language::Zh => ["结束", "时长", "发起方", "应答方", "协议", "应用", "名称", "发出", "收到", "网口"],
        Language::En => {
            ["ended", "took", "originator", "responder", "protocol", "application", "name", "out", "in", "interface"]
        }
    };
    let mut table = TextTable::new(&headings);
    page.flows.iter().for_each(|flow| table.row(row(flow)));
    if table.is_empty() {
        let _ = writeln!(out, "{}", language.pick("没有符合条件的流", "no flow fits"));
    } else {
        let _ = write!(out, "{table}");
    }
    if let Some(next) = page.next.filter(|_| page.ended != FlowPageEnd::All) {
        let _ = match language {
            Language::Zh => writeln!(out, "还有更早的流：--after {next}"),
            Language::En => writeln!(out, "there are older ones: --after {next}"),
        };
    }
    for missing in &page.missing {
        let _ = writeln!(out, "{}", lacks(missing, language));
    }
    let _ = match (page.kept_from, language) {
        (None, Language::Zh) => writeln!(out, "流日志是空的"),
        (None, Language::En) => writeln!(out, "the flow log is empty"),
        (Some(from), Language::Zh) => writeln!(out, "流日志始于 {from}，共 {} 天", page.days),
        (Some(from), Language::En) => writeln!(out, "the flow log reaches back to {from}: {} days", page.days),
    };
    out
}

fn row(flow: &Flow) -> [String; 10] {
    let took_s = u64::try_from(flow.end.ms_since(flow.start) / 1_000).unwrap_or(0);
    let guessed = if flow.by_payload || flow.application.is_none() { "" } else { "?" };
    [
        flow.end.to_string(),
        seconds(took_s),
        end(&flow.originator),
        end(&flow.responder),
        protocol_name(flow.protocol).into_owned(),
        format!("{}{guessed}", flow.application.map_or("-", Application::name)),
        flow.name.clone(),
        bytes(flow.bytes_out),
        bytes(flow.bytes_in),
        flow.interface.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}

fn end(end: &FlowEnd) -> String {
    match (end.ip, end.port) {
        (ip, 0) => ip.to_string(),
        (ip, port) => std::net::SocketAddr::new(ip, port).to_string(),
    }
}

fn lacks(missing: &FlowsMissing, language: Language) -> String {
    let (from, until) = (missing.from, missing.until);
    let count = missing.flows.unwrap_or(0);
    let why = match missing.reason {
        FlowsMissingReason::BeforeTheLog => {
            return match language {
                Language::Zh => format!("{until} 之前的流没有记录"),
                Language::En => format!("nothing is kept from before {until}"),
            };
        }
        FlowsMissingReason::WriterBusy => language.pick("写入繁忙", "the writer could not keep up"),
        FlowsMissingReason::Disk => language.pick("磁盘已满或故障", "the disk was full or failed"),
        FlowsMissingReason::Damaged => language.pick("磁盘数据损坏", "what was written is damaged"),
    };
    match language {
        Language::Zh => format!("{from} 至 {until} 缺 {count} 条流：{why}"),
        Language::En => format!("{count} flows between {from} and {until} are missing: {why}"),
    }
}
