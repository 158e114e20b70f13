//! `onenet-agent check-config`.

use std::{fmt::Write, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use super::output;
use crate::{
    config::{Config, DeviceConfig},
    render::{TextTable, bytes, seconds},
};

pub(super) fn execute(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let mut text = summary(file, &config);
    if is_open_to_all(file) && (!config.site.devices.is_empty() || !config.credentials.is_empty()) {
        let _ = writeln!(text, "Every user of this box can read the secrets in it: chmod o-r {}", file.display());
    }
    output::text(&text)?;
    Ok(())
}

fn is_open_to_all(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}

/// Returns what is probed, each by name and target.
fn probes(config: &Config) -> String {
    let each =
        config.site.probes.iter().map(|it| format!("{} ({} {})", it.plan.name, it.plan.kind.name(), it.plan.target));
    each.collect::<Vec<_>>().join(", ")
}

/// Returns what an agent with this configuration would do.
fn summary(file: &Path, config: &Config) -> String {
    let mut out = format!("{} is good. The agent would\n", file.display());
    let mut line = |text: String| {
        let _ = writeln!(out, "  {text}");
    };
    match &config.centre.address {
        Some(address) => line(format!("report to {address}")),
        None => line("report to the centre that it enrolled with".to_owned()),
    }
    line(format!("keep its data in {}", config.data_dir.display()));
    line(format!(
        "keep measurements for {} or {} while the centre cannot be reached",
        seconds(config.spool.history_age_max.as_secs()),
        bytes(config.spool.size_max_bytes)
    ));
    let flows = config.flow_log;
    if flows.enabled {
        let (age, size) = (seconds(flows.age_max.as_secs()), bytes(flows.size_max_bytes));
        line(format!("keep finished flows for {age} or {size}"));
    }
    let own: Vec<String> = config
        .profiles
        .added()
        .map(|(name, vendor)| if name == vendor { name.to_owned() } else { format!("{name} ({vendor})") })
        .collect();
    if !own.is_empty() {
        line(format!("know devices by profiles of its own: {}", own.join(", ")));
    }
    let capture = &config.site.capture;
    line(format!("listen on interfaces: {}, with {} of memory each", capture.interfaces, bytes(capture.ring_bytes)));
    if let Some(listen) = config.reflector.listen {
        let whose = if config.reflector.config.key.is_some() { "signed with its key" } else { "of anybody" };
        line(format!("answer test packets {whose} on {listen}"));
    }
    match config.site.probes.len() {
        0 => line("probe nothing".to_owned()),
        _ => line(format!("probe {}", probes(config))),
    }
    match config.site.devices.len() {
        0 => line("poll no device".to_owned()),
        count => line(format!("poll {count} devices:")),
    }
    if !config.site.devices.is_empty() {
        let _ = write!(out, "{}", devices(&config.site.devices));
    }
    out
}

fn devices(devices: &[Arc<DeviceConfig>]) -> TextTable {
    let head = ["name", "address", "with", "interfaces", "forwarding", "addresses", "neighbours", "sensors", "parts"];
    let mut table = TextTable::new(&head);
    for device in devices {
        let every = device.intervals;
        let intervals =
            [every.interfaces, every.forwarding, every.addresses, every.neighbours, every.sensors, every.entities];
        let head = [device.name.clone(), device.target.to_string(), device.credentials.version().to_owned()];
        table.row(head.into_iter().chain(intervals.map(|interval| format!("{} s", interval.as_secs()))));
    }
    table
}
