//! What was discovered, for people: each address, what became of it and why.

use std::fmt::Write;

use onenet_topology::Timestamp;

use super::{Language, TextTable, seconds};
use crate::discovery::{Candidate, Listing, Source, Verdict};

/// The most addresses that are shown; `--json` has all.
const SHOWN_MAX: usize = 500;

/// Returns the listing as text.
pub(crate) fn discovered(listing: &Listing, language: Language) -> String {
    let mut out = String::new();
    if !listing.enabled {
        let off = language.pick(
            "自动发现未启用：请在配置的 [discovery] 中写 allow 和 credentials。以下为以前的结果",
            "discovery is off: write allow and credentials into [discovery] of the configuration; this is what was found before",
        );
        let _ = writeln!(out, "{off}");
    }
    sweep(&mut out, listing, language);
    let candidates = listing.candidates();
    let headings = match language {
        Language::Zh => ["地址", "结果", "名称", "来源", "凭据", "最近发现", "说明"],
        Language::En => ["address", "result", "name", "found by", "credentials", "last seen", "why"],
    };
    let mut table = TextTable::new(&headings);
    for candidate in candidates.iter().take(SHOWN_MAX) {
        table.row(row(candidate, listing.written, language));
    }
    if table.is_empty() {
        let _ = writeln!(out, "{}", language.pick("尚未发现任何地址", "no address was found yet"));
    } else {
        let _ = write!(out, "{table}");
    }
    let hidden = candidates.len().saturating_sub(SHOWN_MAX);
    if hidden > 0 {
        let _ = match language {
            Language::Zh => writeln!(out, "另有 {hidden} 个地址，见 --json"),
            Language::En => writeln!(out, "and {hidden} more addresses: --json has all"),
        };
    }
    out
}

fn sweep(out: &mut String, listing: &Listing, language: Language) {
    let Some(sweep) = &listing.sweep else { return };
    let ago = seconds(u64::try_from(listing.written.ms_since(sweep.begun).max(0) / 1_000).unwrap_or(0));
    let asked = sweep.asked_arp + sweep.asked_icmp;
    let (answered, took) = (sweep.answered, seconds(sweep.took_ms / 1_000));
    let _ = match language {
        Language::Zh => writeln!(out, "最近扫描：{ago} 前，询问 {asked} 个地址，{answered} 个应答，用时 {took}"),
        Language::En => writeln!(out, "last sweep: {ago} ago, {asked} addresses asked, {answered} answered, in {took}"),
    };
    for error in &sweep.errors {
        let _ = writeln!(out, "  {error}");
    }
}

fn row(candidate: &Candidate, now: Timestamp, language: Language) -> [String; 7] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let ago = seconds(u64::try_from(now.ms_since(candidate.last_seen).max(0) / 1_000).unwrap_or(0));
    [
        candidate.address.to_string(),
        verdict(candidate.verdict, language).to_owned(),
        text(&candidate.name).or(&candidate.identity.system_name),
        source(candidate, language),
        text(&candidate.credentials),
        ago,
        why(candidate, language),
    ]
}

/// Says something else where there is nothing.
trait Or {
    fn or(self, other: &str) -> String;
}

impl Or for String {
    fn or(self, other: &str) -> String {
        if self.is_empty() { other.to_owned() } else { self }
    }
}

fn source(candidate: &Candidate, language: Language) -> String {
    let word = match (candidate.source, language) {
        (Source::Neighbour, Language::Zh) => "邻居",
        (Source::Neighbour, Language::En) => "neighbour of",
        (Source::NextHop, Language::Zh) => "路由下一跳",
        (Source::NextHop, Language::En) => "next hop of",
        (Source::Sweep, Language::Zh) => "扫描",
        (Source::Sweep, Language::En) => "sweep",
    };
    format!("{word} {}", candidate.via).trim_end().to_owned()
}

fn verdict(verdict: Verdict, language: Language) -> &'static str {
    match (verdict, language) {
        (Verdict::Added, Language::Zh) => "已加入",
        (Verdict::Added, Language::En) => "added",
        (Verdict::Waiting, Language::Zh) => "等待询问",
        (Verdict::Waiting, Language::En) => "waiting",
        (Verdict::NotAllowed, Language::Zh) => "不在允许范围",
        (Verdict::NotAllowed, Language::En) => "not allowed",
        (Verdict::NoAnswer, Language::Zh) => "无应答",
        (Verdict::NoAnswer, Language::En) => "no answer",
        (Verdict::RefusedCredentials, Language::Zh) => "凭据被拒",
        (Verdict::RefusedCredentials, Language::En) => "refused credentials",
        (Verdict::AlreadyConfigured, Language::Zh) => "已配置",
        (Verdict::AlreadyConfigured, Language::En) => "already configured",
        (Verdict::SameDevice, Language::Zh) => "同一设备",
        (Verdict::SameDevice, Language::En) => "same device",
        (Verdict::LimitReached, Language::Zh) => "数量已满",
        (Verdict::LimitReached, Language::En) => "limit reached",
    }
}

fn why(candidate: &Candidate, language: Language) -> String {
    let detail = &candidate.detail;
    match (candidate.verdict, language) {
        (Verdict::NotAllowed, Language::Zh) => "未询问；如属本站点，请加入 [discovery] allow".to_owned(),
        (Verdict::NotAllowed, Language::En) => {
            "asked for nothing; if it is the site's, add it to [discovery] allow".to_owned()
        }
        (Verdict::AlreadyConfigured | Verdict::SameDevice, Language::Zh) => format!("即 {detail}"),
        (Verdict::AlreadyConfigured | Verdict::SameDevice, Language::En) => format!("it is {detail}"),
        (Verdict::LimitReached, Language::Zh) => format!("已发现 {detail} 台：可调大 [discovery] devices_max"),
        (Verdict::LimitReached, Language::En) => format!("{detail} were found: raise [discovery] devices_max"),
        _ => detail.clone(),
    }
}
