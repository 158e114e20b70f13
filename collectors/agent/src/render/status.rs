//! The status in plain words, for whoever stands beside the box and does not know Linux: what works, what does not, and
//! what to do about it.

use std::fmt::Write;

use onenet_topology::{
    ProbeState, Timestamp,
    fact::{ConditionKind, ReachState},
};

use super::{Language, TextTable, bytes, table::plain};
use crate::status::{ConditionStatus, DeviceStatus, InterfaceStatus, Liveness, Status};

/// How many reasons why frames could not be decoded are shown of an interface.
const REASONS_SHOWN: usize = 5;
/// How many names of devices or probes stand in one line of what is to be fixed.
const NAMES_SHOWN: usize = 5;
/// From how much on a wrong clock is told of, in seconds.
const CLOCK_TOLD_S: i64 = 60;

/// Returns the status as text.
pub(crate) fn status(status: &Status, liveness: &Liveness, language: Language) -> String {
    let mut out = String::new();
    headline(&mut out, status, liveness, language);
    centre(&mut out, status, language);
    spool(&mut out, status, language);
    flow_log(&mut out, status, language);
    interfaces(&mut out, status, language);
    devices(&mut out, status, language);
    super::probes::probes(&mut out, status, language);
    traps(&mut out, status, language);
    super::asked::asked(&mut out, &status.flows_asked, language);
    super::asked::captures(&mut out, &status.captures_asked, language);
    troubles(&mut out, status, language);
    out
}

/// Returns in words why the agent does not run.
pub(crate) fn not_running(liveness: &Liveness, language: Language) -> String {
    match (liveness, language) {
        (Liveness::Running, _) => String::new(),
        (Liveness::Stopped, Language::Zh) => "采集器已停止。启动：systemctl start onenet-agent".to_owned(),
        (Liveness::Stopped, Language::En) => "the agent was stopped; start it: systemctl start onenet-agent".to_owned(),
        (Liveness::Stale { age_s }, Language::Zh) => format!(
            "采集器没有运行：状态已有 {} 未更新。请启动：systemctl start onenet-agent；再看日志：journalctl -u onenet-agent",
            span(*age_s, language)
        ),
        (Liveness::Stale { age_s }, Language::En) => format!(
            "the agent does not run: its status is {} old; start it (systemctl start onenet-agent), and look why it stopped \
             (journalctl -u onenet-agent)",
            span(*age_s, language)
        ),
    }
}

fn headline(out: &mut String, status: &Status, liveness: &Liveness, language: Language) {
    let site = plain(status.site_name.as_deref().unwrap_or(&status.site));
    let version = &status.version;
    let state = match liveness {
        Liveness::Running => {
            let up = since(status.started, status.written, language);
            language.pick("运行中，已运行 ", "running, for ").to_owned() + &up
        }
        other => not_running(other, language),
    };
    let _ = match language {
        Language::Zh => writeln!(out, "采集器 {version}，站点：{site}\n  状态    {state}"),
        Language::En => writeln!(out, "Agent {version} of site {site}\n  state       {state}"),
    };
}

fn traps(out: &mut String, status: &Status, language: Language) {
    let Some(traps) = &status.traps else { return };
    let (listen, counts) = (traps.listen, &traps.counts);
    let refused: u64 = counts.refused.values().sum();
    let _ = match language {
        Language::Zh => writeln!(
            out,
            "  告警报文 {listen}：已接收 {}，已应答 {}，拒绝 {refused}，限速 {}",
            counts.taken, counts.answered, counts.held_back
        ),
        Language::En => writeln!(
            out,
            "  traps       on {listen}: {} taken, {} answered, {refused} refused, {} held back",
            counts.taken, counts.answered, counts.held_back
        ),
    };
    for (reason, count) in &counts.refused {
        let _ = writeln!(out, "{}{reason} {count}", language.pick("          ", "              "));
    }
}

fn centre(out: &mut String, status: &Status, language: Language) {
    let centre = &status.centre;
    let lasted = since(centre.since, status.written, language);
    let state = match (centre.connected, language) {
        (true, Language::Zh) => format!("已连接 {}，持续 {lasted}", centre.address),
        (true, Language::En) => format!("connected to {} for {lasted}", centre.address),
        (false, Language::Zh) => format!("未连接 {}，已 {lasted}。数据保存在本机，恢复后自动补传", centre.address),
        (false, Language::En) => {
            format!("not connected to {} for {lasted}; what is seen is kept here and sent later", centre.address)
        }
    };
    let _ = writeln!(out, "{}{state}", language.pick("  中心    ", "  centre      "));
    if let Some(error) = centre.error.as_ref().filter(|_| !centre.connected) {
        let _ = writeln!(out, "{}{}", language.pick("          原因：", "              reason: "), plain(error));
        let advice = language.pick(
            "          请检查：本机网线与网关；防火墙是否放行到中心的端口；中心是否在维护",
            "              check: this box's cable and gateway, whether a firewall blocks the centre's port, whether the centre is \
             being worked on",
        );
        let _ = writeln!(out, "{advice}");
    }
    if let Some(ahead_s) = centre.clock_ahead_ms.map(|ms| ms / 1_000).filter(|seconds| seconds.abs() >= CLOCK_TOLD_S) {
        let off = span(ahead_s.unsigned_abs(), language);
        let _ = match (language, ahead_s > 0) {
            (Language::Zh, true) => writeln!(out, "  时钟    比中心快 {off}：请校准本机时间"),
            (Language::Zh, false) => writeln!(out, "  时钟    比中心慢 {off}：请校准本机时间"),
            (Language::En, true) => writeln!(out, "  clock       {off} ahead of the centre: set this box's clock"),
            (Language::En, false) => writeln!(out, "  clock       {off} behind the centre: set this box's clock"),
        };
    }
    let configuration = &status.configuration;
    let trial = if configuration.on_trial { language.pick("（试用中）", ", on trial") } else { "" };
    let _ = match (configuration.revision, language) {
        (0, Language::Zh) => writeln!(out, "  配置    本机文件"),
        (0, Language::En) => writeln!(out, "  watching    as the agent's own file says"),
        (revision, Language::Zh) => writeln!(out, "  配置    中心下发，第 {revision} 版{trial}"),
        (revision, Language::En) => writeln!(out, "  watching    as revision {revision} of the centre says{trial}"),
    };
}

fn spool(out: &mut String, status: &Status, language: Language) {
    let spool = &status.spool;
    let waiting = match language {
        Language::Zh => format!(
            "{} 条状态、{} 批历史（{}）待发送；占用磁盘 {}",
            spool.state_waiting,
            spool.history_batches,
            bytes(spool.history_bytes),
            bytes(spool.disk_bytes)
        ),
        Language::En => format!(
            "{} facts and {} batches of history ({}) wait to be sent; {} on disk",
            spool.state_waiting,
            spool.history_batches,
            bytes(spool.history_bytes),
            bytes(spool.disk_bytes)
        ),
    };
    let _ = writeln!(out, "{}{waiting}", language.pick("  缓存    ", "  spool       "));
    if spool.lost_items > 0 {
        let _ = match language {
            Language::Zh => writeln!(
                out,
                "          超出上限，已丢弃 {} 条历史：请尽快恢复线路，或调大 [spool] 上限",
                spool.lost_items
            ),
            Language::En => writeln!(
                out,
                "              its caps cost {} samples and events: repair the line, or raise the caps in [spool]",
                spool.lost_items
            ),
        };
    }
    if spool.refused_batches > 0 {
        let _ = match language {
            Language::Zh => writeln!(out, "          中心拒收 {} 批数据：请告知中心运维人员", spool.refused_batches),
            Language::En => writeln!(
                out,
                "              the centre refused {} batches: tell whoever runs the centre",
                spool.refused_batches
            ),
        };
    }
    if spool.disk_full {
        let _ = writeln!(
            out,
            "{}",
            language.pick("          磁盘已满：请清理磁盘", "              the disk is full: make room")
        );
    }
}

fn flow_log(out: &mut String, status: &Status, language: Language) {
    let Some(log) = &status.flow_log else { return };
    let (flows, size, days, days_max) = (log.flows, bytes(log.bytes), log.days, log.days_max);
    let _ = match language {
        Language::Zh => writeln!(out, "  流日志  {flows} 条流，已存 {days} 天（上限 {days_max} 天），占用磁盘 {size}"),
        Language::En => writeln!(out, "  flows       {flows} of {days} days (at most {days_max}); {size} on disk"),
    };
    if log.shortened {
        let _ = writeln!(
            out,
            "{}",
            language.pick(
                "          空间不足，较早的流已提前删除：请清理磁盘，或调大 [flow_log] size_max_mib",
                "              older flows had to leave for want of room: make some on the disk, or raise size_max_mib in [flow_log]",
            )
        );
    }
    let lost = log.lost_busy.saturating_add(log.lost_disk);
    if lost > 0 {
        let _ = match language {
            Language::Zh => {
                writeln!(out, "          未能记录 {lost} 条流（繁忙 {}，磁盘 {}）", log.lost_busy, log.lost_disk)
            }
            Language::En => writeln!(
                out,
                "              {lost} flows were not kept ({} since the writer was busy, {} since the disk took none)",
                log.lost_busy, log.lost_disk
            ),
        };
    }
}

fn interfaces(out: &mut String, status: &Status, language: Language) {
    let title = language.pick("监听的网口", "Listening on");
    if status.interfaces.is_empty() {
        let none = if status.interfaces_auto {
            language.pick(
                "没有启用的网口（interfaces = \"auto\"）：请检查网线和网口是否启用",
                "no interface is up (interfaces = \"auto\"): check cables, and that interfaces are switched on",
            )
        } else {
            language.pick("无（在 [capture] interfaces 中设置）", "nothing (set [capture] interfaces to listen)")
        };
        let _ = writeln!(out, "\n{title}: {none}");
        return;
    }
    let mut table = TextTable::new(&language.pick(
        ["网口", "状态", "终端", "帧", "丢帧", "未解码", "缺失"],
        ["interface", "state", "endpoints", "frames", "dropped", "undecoded", "missed"],
    ));
    for interface in &status.interfaces {
        table.row(interface_row(interface, language));
    }
    let _ = write!(out, "\n{title}:\n{table}");
    for interface in &status.interfaces {
        if let Some(error) = &interface.error {
            let _ = writeln!(out, "  {}: {}", interface.name, plain(error));
        }
        undecoded(out, interface, language);
    }
}

fn interface_row(interface: &InterfaceStatus, language: Language) -> [String; 7] {
    let state = if interface.listening {
        language.pick("监听中", "listening")
    } else {
        language.pick("未监听", "NOT listening")
    };
    [
        interface.name.clone(),
        state.to_owned(),
        interface.endpoints.to_string(),
        interface.frames.to_string(),
        interface.frames_dropped.to_string(),
        interface.undecoded.values().sum::<u64>().to_string(),
        missed(interface),
    ]
}

/// Returns which part of the payload that TCP connections carried never came here; a dash where there was none.
fn missed(interface: &InterfaceStatus) -> String {
    let carried = interface.tcp_octets.saturating_add(interface.tcp_octets_missed);
    let in_ten_thousand = interface.tcp_octets_missed.saturating_mul(10_000).checked_div(carried);
    in_ten_thousand.map_or_else(|| "-".to_owned(), |part| format!("{}.{:02} %", part / 100, part % 100))
}

/// Tells why frames could not be decoded, the most frequent reasons first.
fn undecoded(out: &mut String, interface: &InterfaceStatus, language: Language) {
    if interface.undecoded.is_empty() {
        return;
    }
    let mut reasons: Vec<_> = interface.undecoded.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), *reason));
    let told: Vec<_> =
        reasons.iter().take(REASONS_SHOWN).map(|(reason, count)| format!("{} {count}", plain(reason))).collect();
    let title = language.pick("未解码的帧", "undecoded");
    let _ = writeln!(out, "  {}: {title}: {}", interface.name, told.join(", "));
}

fn devices(out: &mut String, status: &Status, language: Language) {
    let title = language.pick("轮询的设备", "Polling");
    if status.devices.is_empty() {
        let none = language.pick("无（在 [[devices]] 中添加）", "nothing (add [[devices]] to poll)");
        let _ = writeln!(out, "\n{title}: {none}");
        return;
    }
    let mut table = TextTable::new(&language.pick(
        ["设备", "地址", "状态", "最近一次", "用时", "读到"],
        ["device", "address", "state", "last poll", "took", "rows read"],
    ));
    for device in &status.devices {
        table.row(device_row(device, status.written, language));
    }
    let _ = write!(out, "\n{title}: {}\n{table}", status.devices_total);
    for device in
        status.devices.iter().filter(|device| device.reach.is_some_and(|reach| reach != ReachState::Answering))
    {
        let _ = writeln!(out, "  {}: {}\n    {}", plain(&device.name), advice(device, language), plain(&device.detail));
    }
    slowed(out, status, language);
}

fn slowed(out: &mut String, status: &Status, language: Language) {
    for device in status.devices.iter().filter(|device| device.slowed > 1) {
        let (name, times) = (plain(&device.name), device.slowed);
        let _ = match language {
            Language::Zh => writeln!(out, "  {name}：应答比平时慢，大表的读取间隔延长为 {times} 倍"),
            Language::En => writeln!(
                out,
                "  {name}: answers more slowly than it used to; its large tables are read {times} times as seldom"
            ),
        };
    }
}

fn device_row(device: &DeviceStatus, now: Timestamp, language: Language) -> [String; 6] {
    let state = match device.reach {
        None => language.pick("等待首次轮询", "not polled yet"),
        Some(ReachState::Answering) => language.pick("正常", "answers"),
        Some(ReachState::Silent) => language.pick("无应答", "SILENT"),
        Some(ReachState::Refusing) => language.pick("拒绝", "REFUSES"),
    };
    let lasted = device.since.filter(|_| device.reach != Some(ReachState::Answering));
    let lasted = lasted.map(|begun| format!(" {}", since(begun, now, language))).unwrap_or_default();
    let ago = language.pick("前", " ago");
    let rows: Vec<String> = device.tables.iter().map(|table| format!("{} {}", table.table, table.rows)).collect();
    [
        device.name.clone(),
        device.target.clone(),
        format!("{state}{lasted}"),
        device.last_cycle.map_or_else(|| "-".to_owned(), |begun| format!("{}{ago}", since(begun, now, language))),
        device.last_cycle_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms")),
        rows.join(", "),
    ]
}

fn advice(device: &DeviceStatus, language: Language) -> &'static str {
    match device.reach {
        Some(ReachState::Refusing) => language.pick(
            "设备有应答，但不接受所配的团体字或 SNMPv3 用户：请核对配置与设备上的 SNMP 设置",
            "it is there but does not take the community or user: compare the configuration with the device's SNMP settings",
        ),
        _ => language.pick(
            "没有应答：请检查电源、网线、地址，以及设备是否开启 SNMP 并允许本机访问",
            "no answer: check its power, cable and address, that SNMP is on, and that its access list names this box",
        ),
    }
}

/// Writes what is to be done: in a line each what stands above with its reason, and whatever else keeps the agent from its work.
fn troubles(out: &mut String, status: &Status, language: Language) {
    let above = told_above(status, language);
    if status.conditions.is_empty() && above.is_empty() {
        let _ = writeln!(out, "\n{}", language.pick("没有发现问题。", "Nothing keeps the agent from its work."));
        return;
    }
    let _ = writeln!(out, "\n{}:", language.pick("需要处理", "To be fixed"));
    for line in above {
        let _ = writeln!(out, "  {line}{}", language.pick("（原因见上）", " (see above)"));
    }
    for condition in &status.conditions {
        let (what, remedy) = trouble(condition, language);
        let lasted = since(condition.since, status.written, language);
        let _ = match language {
            Language::Zh => writeln!(out, "  {what}（{}，已 {lasted}）：{remedy}", plain(&condition.subject)),
            Language::En => writeln!(out, "  {what} ({}, for {lasted}): {remedy}", plain(&condition.subject)),
        };
        let _ = writeln!(out, "    {}", plain(&condition.detail));
    }
}

fn told_above(status: &Status, language: Language) -> Vec<String> {
    let named = |names: Vec<&str>| {
        let more = names.len().saturating_sub(NAMES_SHOWN);
        let shown: Vec<_> = names.iter().take(NAMES_SHOWN).map(|name| plain(name)).collect();
        let shown = shown.join(", ");
        if more == 0 { shown } else { format!("{shown} +{more}") }
    };
    let centre =
        (!status.centre.connected).then(|| language.pick("与中心未连接", "not connected to the centre").to_owned());
    let is_off = status.centre.clock_ahead_ms.is_some_and(|ms| (ms / 1_000).abs() >= CLOCK_TOLD_S);
    let clock = is_off.then(|| language.pick("本机时间不准", "this box's clock is wrong").to_owned());
    let deaf = (status.interfaces.is_empty() && status.interfaces_auto)
        .then(|| language.pick("没有可监听的网口", "no interface to listen on").to_owned());
    let mute = status.devices.iter().filter(|it| it.reach.is_some_and(|reach| reach != ReachState::Answering));
    let mute: Vec<&str> = mute.map(|device| device.name.as_str()).collect();
    let mute = (!mute.is_empty())
        .then(|| format!("{}{}", language.pick("设备无应答或拒绝：", "devices do not answer: "), named(mute)));
    let down: Vec<&str> =
        status.probes.iter().filter(|it| it.state == ProbeState::Down).map(|probe| probe.name.as_str()).collect();
    let down =
        (!down.is_empty()).then(|| format!("{}{}", language.pick("探测中断：", "probes are down: "), named(down)));
    [centre, clock, deaf, mute, down].into_iter().flatten().collect()
}

#[expect(clippy::too_many_lines, reason = "a table of texts, one for each kind")]
fn trouble(condition: &ConditionStatus, language: Language) -> (&'static str, &'static str) {
    let (zh, en) = match condition.kind {
        ConditionKind::CaptureFailed => (
            ("无法监听网口", "请检查网口是否启用、名称是否正确、程序是否有抓包权限"),
            ("cannot listen", "check that the interface is up and named rightly, and that the agent may capture"),
        ),
        ConditionKind::CaptureLoss => (
            ("抓包丢帧", "请调大 [capture] ring_mib，或减少镜像流量"),
            ("frames are lost", "raise ring_mib in [capture], or mirror less"),
        ),
        ConditionKind::SpoolLoss => (
            ("缓存超限，历史数据已丢弃", "请尽快恢复到中心的线路，或调大 [spool] 上限"),
            ("the spool's caps cost history", "repair the line to the centre, or raise the caps in [spool]"),
        ),
        ConditionKind::DiskFull => {
            (("磁盘写不进", "请清理磁盘或更换磁盘"), ("the disk takes no more", "make room on it, or replace it"))
        }
        ConditionKind::ConfigurationRefused => (
            ("中心下发的配置未生效", "请中心按下列原因改正后以新版本下发"),
            ("a configuration of the centre is not in force", "the centre has to correct it and send a new revision"),
        ),
        ConditionKind::CycleLate => (
            ("轮询超时", "请调大该设备的轮询间隔，或检查设备为何应答缓慢"),
            ("polling is late", "raise the device's intervals, or find out why it answers slowly"),
        ),
        ConditionKind::TableFull => (
            ("终端表已满", "请调大 [capture] endpoints_max，或排查伪造地址"),
            ("a table is full", "raise endpoints_max in [capture], or look for forged addresses"),
        ),
        ConditionKind::TableUnreadable => (
            ("设备的表读不全", "用 onenet-agent inspect 查看原因，常见为设备 SNMP 视图限制"),
            (
                "a device's table cannot be read whole",
                "see onenet-agent inspect; often the device's SNMP view is too narrow",
            ),
        ),
        ConditionKind::BatchRejected => (
            ("中心拒收了一批数据", "请告知中心运维人员"),
            ("the centre refused a batch", "tell whoever runs the centre"),
        ),
        ConditionKind::DeviceSlow => (
            ("设备应答变慢，已降低轮询频度", "请查看设备 CPU 负载和到设备的线路"),
            ("a device answers slowly and is asked less often", "look at its CPU load and the line to it"),
        ),
        ConditionKind::TrapsFailed => (
            ("无法接收 Trap", "请检查 [traps] listen 的端口是否被占用、是否有权使用"),
            ("traps cannot be received", "check that the port in [traps] listen is free and the agent may use it"),
        ),
        ConditionKind::DiscoveryFailed => (
            ("无法进行设备发现", "请检查 [discovery] 配置和程序权限"),
            ("devices cannot be discovered", "check [discovery] and that the agent may send raw frames"),
        ),
        ConditionKind::RightsKept => (
            ("程序仍持有启动时的权限", "请在 systemd 单元中允许 capset 系统调用，然后重启"),
            (
                "the agent has kept the rights of its start",
                "allow it the system call capset in its unit, and restart it",
            ),
        ),
        ConditionKind::CaptureDiffers => (
            ("抓包流量与被镜像端口的计数不符", "请检查镜像是否含收发两个方向、镜像口速率是否足够"),
            (
                "what is captured is not what the mirrored ports counted",
                "check that both directions are mirrored, and the mirror's speed",
            ),
        ),
        ConditionKind::CaptureGaps => (
            ("抓包有缺失", "请检查镜像口是否超负荷或只镜像了单方向"),
            ("packets are missing from capture", "check whether the mirror is overloaded or has one direction only"),
        ),
        ConditionKind::FlowsLost => (
            ("已结束的流未能保存", "请检查磁盘速度与空间，排查扫描或伪造地址，必要时调大 [capture] flows_max"),
            (
                "flows that ended were not kept",
                "check the disk, look for scans or forged addresses, or raise flows_max in [capture]",
            ),
        ),
    };
    language.pick(zh, en)
}

fn since(begun: Timestamp, now: Timestamp, language: Language) -> String {
    span(u64::try_from(now.ms_since(begun)).unwrap_or(0) / 1_000, language)
}

fn span(seconds: u64, language: Language) -> String {
    let text = super::seconds(seconds);
    match language {
        Language::En => text,
        Language::Zh => text.replace(" min", " 分").replace(" s", " 秒").replace(" h", " 小时").replace(" d", " 天"),
    }
}

#[cfg(test)]
mod tests;
