//! What is probed, in plain words.

use std::fmt::Write;

use onenet_topology::{ProbeSample, ProbeState};

use super::{Language, TextTable, table::plain};
use crate::status::{ProbeStatus, Status};

/// Writes the probes and the reflector.
pub(super) fn probes(out: &mut String, status: &Status, language: Language) {
    if !status.probes.is_empty() {
        let mut table = TextTable::new(&language.pick(
            ["探测", "目标", "状态", "丢包", "时延", "抖动"],
            ["probe", "target", "state", "lost", "round trip", "jitter"],
        ));
        for probe in &status.probes {
            table.row(row(probe, language));
        }
        let title = language.pick("探测的线路与服务", "Probing");
        let _ = write!(out, "\n{title}: {}\n{table}", status.probes.len());
        for probe in &status.probes {
            tests(out, probe, language);
        }
        for probe in status.probes.iter().filter(|probe| !probe.detail.is_empty()) {
            let _ = writeln!(out, "  {}: {}", plain(&probe.name), plain(&probe.detail));
        }
    }
    let Some(reflector) = &status.reflector else { return };
    let (listen, answered, held_back, refused) =
        (reflector.listen, reflector.answered, reflector.held_back, reflector.refused);
    let _ = match (&reflector.error, language) {
        (Some(error), Language::Zh) => writeln!(out, "  测量应答 {listen}：未启动：{}", plain(error)),
        (Some(error), Language::En) => writeln!(out, "  reflector   on {listen}: does NOT answer: {}", plain(error)),
        (None, Language::Zh) => {
            writeln!(out, "  测量应答 {listen}：已应答 {answered}，限速 {held_back}，拒绝 {refused}")
        }
        (None, Language::En) => {
            writeln!(out, "  reflector   on {listen}: {answered} answered, {held_back} held back, {refused} refused")
        }
    };
}

/// Writes what the last tests over a way told.
fn tests(out: &mut String, probe: &ProbeStatus, language: Language) {
    let name = plain(&probe.name);
    if let Some(centi) = probe.media.as_ref().and_then(|sample| sample.mos_centi) {
        let said = language.pick("音视频质量 MOS", "speech and video, MOS");
        let _ = writeln!(out, "  {name}: {said} {}.{:02}", centi / 100, centi % 100);
    }
    if let Some(sample) = &probe.throughput {
        let kbit = |rate: Option<u64>| rate.map_or_else(|| "-".to_owned(), |kbit| kbit.to_string());
        let [sent, to, from] = [sample.rate_sent_kbit, sample.rate_out_kbit, sample.rate_back_kbit].map(kbit);
        let _ = match language {
            Language::Zh => writeln!(out, "  {name}: 吞吐测试：发送 {sent} kbit/s，去程 {to}，回程 {from}"),
            Language::En => writeln!(out, "  {name}: throughput: {sent} kbit/s sent, {to} came there, {from} back"),
        };
    }
}

fn row(probe: &ProbeStatus, language: Language) -> [String; 6] {
    let state = match probe.state {
        ProbeState::Up => language.pick("正常", "up"),
        ProbeState::Degraded => language.pick("质量下降", "DEGRADED"),
        ProbeState::Down => language.pick("中断", "DOWN"),
        ProbeState::Unknown => language.pick("未知", "unknown"),
    };
    let ms =
        |us: Option<u64>| us.map_or_else(|| "-".to_owned(), |us| format!("{}.{} ms", us / 1_000, us % 1_000 / 100));
    let sample = probe.sample.as_ref();
    let lost = sample.and_then(ProbeSample::loss_milli);
    [
        plain(&probe.name),
        plain(&probe.target),
        state.to_owned(),
        lost.map_or_else(|| "-".to_owned(), |milli| format!("{}.{} %", milli / 10, milli % 10)),
        ms(sample.and_then(|sample| sample.round_trip_median_us)),
        ms(sample.and_then(|sample| sample.jitter_us)),
    ]
}
