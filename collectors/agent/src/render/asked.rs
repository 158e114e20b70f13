//! What the centre asked this site's flows for, in plain words: whoever stands beside the box may know.

use std::fmt::Write;

use onenet_topology::{
    Timestamp,
    flow::{FlowParty, FlowQuery},
    time::CHINA_AHEAD_MS,
};

use super::{Language, table::plain};
use crate::status::{AskedCapture, AskedFlows};

/// Questions that the text lists; the document has more.
const LISTED_MAX: usize = 5;

/// Writes the last questions, the newest first.
pub(super) fn asked(out: &mut String, questions: &[AskedFlows], language: Language) {
    if questions.is_empty() {
        return;
    }
    let title = language.pick("中心查询过本站点的流量记录", "The centre asked for flows of this site");
    let _ = writeln!(out, "\n{title}: {}", questions.len());
    for question in questions.iter().take(LISTED_MAX) {
        let (when, who, why) = (moment(question.time), plain(&question.principal), plain(&question.reason));
        let what = what(&question.query, language);
        let told = match (&question.error, language) {
            (Some(error), Language::Zh) => format!("未答复：{}", plain(error)),
            (Some(error), Language::En) => format!("not answered: {}", plain(error)),
            (None, Language::Zh) => format!("已答复 {} 条", question.flows),
            (None, Language::En) => format!("{} flows told", question.flows),
        };
        let _ = match language {
            Language::Zh => writeln!(out, "  {when}  {who}，事由：{why}\n    {what}；{told}"),
            Language::En => writeln!(out, "  {when}  {who}, because: {why}\n    {what}; {told}"),
        };
    }
}

/// Writes the last questions for capture files, the newest first.
pub(super) fn captures(out: &mut String, questions: &[AskedCapture], language: Language) {
    if questions.is_empty() {
        return;
    }
    let title = language.pick("中心调取过本站点的抓包文件", "The centre asked for captures of this site");
    let _ = writeln!(out, "\n{title}: {}", questions.len());
    for question in questions.iter().take(LISTED_MAX) {
        let (when, who, why) = (moment(question.time), plain(&question.principal), plain(&question.reason));
        let file = plain(&question.file);
        let told = match (&question.error, language) {
            (Some(error), Language::Zh) => format!("未答复：{}", plain(error)),
            (Some(error), Language::En) => format!("not answered: {}", plain(error)),
            (None, Language::Zh) => format!("已传出 {} 字节", question.bytes),
            (None, Language::En) => format!("{} bytes told", question.bytes),
        };
        let _ = match language {
            Language::Zh => writeln!(out, "  {when}  {who}，事由：{why}\n    {file}；{told}"),
            Language::En => writeln!(out, "  {when}  {who}, because: {why}\n    {file}; {told}"),
        };
    }
}

fn what(query: &FlowQuery, language: Language) -> String {
    let party = |party: &FlowParty| match party {
        FlowParty::Mac(mac) => mac.to_string(),
        FlowParty::Ip(prefix) => prefix.to_string(),
    };
    let parts = [
        query.endpoint.as_ref().map(|it| format!("{} {}", language.pick("终端", "of"), party(it))),
        query.peer.as_ref().map(|it| format!("{} {}", language.pick("对端", "with"), party(it))),
        query.port.map(|port| format!("{} {port}", language.pick("端口", "port"))),
        query.protocol.map(|protocol| format!("{} {protocol}", language.pick("协议号", "protocol"))),
        query.application.map(|it| format!("{} {it}", language.pick("应用", "application"))),
        Some(format!(
            "{} {} {} {}",
            language.pick("时间", "from"),
            moment(query.from),
            language.pick("至", "until"),
            moment(query.until)
        )),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(language.pick("，", ", "))
}

/// Returns a time to the minute by the one clock of the country.
fn moment(time: Timestamp) -> String {
    let text = time.plus_ms(CHINA_AHEAD_MS).to_string();
    text.get(..16).unwrap_or(&text).replacen('T', " ", 1)
}
