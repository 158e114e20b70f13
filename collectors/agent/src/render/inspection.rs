//! What one device tells, as tables.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write},
};

use onenet_snmp::{Inspection, Reading};

use super::{TextTable, bits_per_second, seconds, table::plain};

mod standard;

/// How many of the rows dropped for one reason are named.
const EXAMPLES: usize = 3;

/// Returns the inspection as text.
pub(crate) fn inspection(inspection: &Inspection) -> String {
    let mut out = String::new();
    system(&mut out, inspection);
    section(&mut out, "Interfaces", &interfaces(inspection));
    section(&mut out, "Forwarding", &forwarding(inspection));
    section(&mut out, "Addresses", &addresses(inspection));
    section(&mut out, "Neighbours", &neighbours(inspection));
    section(&mut out, "VLANs", &standard::vlans(inspection));
    section(&mut out, "Aggregates", &standard::aggregates(inspection));
    section(&mut out, "Own addresses", &standard::own_addresses(inspection));
    section(&mut out, "Next hops", &standard::next_hops(inspection));
    section(&mut out, "Connected prefixes", &standard::connected_prefixes(inspection));
    section(&mut out, "Parts", &entities(inspection));
    section(&mut out, "Sensors", &sensors(inspection));
    section(&mut out, "Wireless stations", &stations(inspection));
    section(&mut out, "Quirks", &standard::quirks(inspection));
    section(&mut out, "Rows left out", &dropped(inspection));
    section(&mut out, "What could not be read, or only in part", &errors(inspection));
    cost(&mut out, inspection);
    out
}

fn system(out: &mut String, inspection: &Inspection) {
    let system = &inspection.system;
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "  {name:<12}{}", plain(value));
    };
    line("device", &format!("{} ({})", inspection.target, inspection.version));
    line("name", system.name.filled().unwrap_or("-"));
    line("description", system.description.filled().unwrap_or("-"));
    let known = &inspection.identification;
    line("vendor", &vendor(inspection));
    line("model", known.model.as_deref().unwrap_or("-"));
    line("runs", &[&known.os, &known.version].map(|it| it.as_deref().unwrap_or("-")).join(" "));
    line("serial", known.serial.as_deref().unwrap_or("-"));
    line("role", known.role.map_or("-", |role| role.name()));
    line("profile", known.profile.unwrap_or("none of a vendor; read by the standard MIBs"));
    line("object id", system.object_id.filled().unwrap_or("-"));
    line("up since", &system.uptime_s.get().map_or("-".to_owned(), |up| format!("{} ago", seconds(*up))));
    line("location", system.location.filled().unwrap_or("-"));
    line("contact", system.contact.filled().unwrap_or("-"));
    if let Some(address) = inspection.bridge.as_ref().and_then(|bridge| bridge.address.get()) {
        line("bridge", &address.to_string());
    }
    for (name, value) in
        [("chassis id", &inspection.identity.chassis_id), ("engine id", &inspection.identity.engine_id)]
    {
        if let Some(value) = value.filled() {
            line(name, value);
        }
    }
}

/// Returns whose device it is. Without a profile the number in sysObjectID may be that of the library that the agent was built
/// with; the numbers under which it has objects tell more.
fn vendor(inspection: &Inspection) -> String {
    if let Some(vendor) = &inspection.identification.vendor {
        return vendor.clone();
    }
    let told: Vec<String> = inspection
        .enterprises
        .iter()
        .map(|it| it.vendor.map_or_else(|| it.number.to_string(), |vendor| format!("{} ({vendor})", it.number)))
        .collect();
    if told.is_empty() { "-".to_owned() } else { format!("not known; has objects of {}", told.join(", ")) }
}

fn section(out: &mut String, title: &str, table: &TextTable) {
    let _ = match table.len() {
        0 => writeln!(out, "\n{title}: none"),
        rows => write!(out, "\n{title}: {rows}\n{table}"),
    };
}

fn interfaces(inspection: &Inspection) -> TextTable {
    let mut table =
        TextTable::new(&["index", "name", "alias", "mac", "speed", "duplex", "admin", "oper", "in", "out", "errors"]);
    for row in &inspection.interfaces {
        let (label, counters) = (&row.label, &row.counters);
        table.row([
            label.if_index.to_string(),
            label.name.clone().unwrap_or_else(|| "-".to_owned()),
            label.alias.filled().unwrap_or("-").to_owned(),
            or_dash(&label.mac),
            label.speed_bps.get().map_or_else(|| "-".to_owned(), |speed| bits_per_second(*speed)),
            or_dash(&label.duplex),
            or_dash(&counters.admin),
            or_dash(&counters.oper),
            octets(&counters.in_octets),
            octets(&counters.out_octets),
            format!("{}/{}", or_dash(&counters.in_errors), or_dash(&counters.out_errors)),
        ]);
    }
    table
}

fn forwarding(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["mac", "vendor", "vlan", "port", "interface", "status"]);
    for row in &inspection.forwarding {
        table.row([
            row.mac.to_string(),
            onenet_topology::vendor::of(row.mac).unwrap_or("-").to_owned(),
            row.vlan.map_or_else(|| "-".to_owned(), |vlan| vlan.to_string()),
            row.bridge_port.to_string(),
            row.interface.clone().unwrap_or_else(|| format!("ifIndex {}", row.if_index)),
            row.status.map_or("-", |status| status.as_str()).to_owned(),
        ]);
    }
    table
}

fn addresses(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["ip", "mac", "vendor", "interface", "type"]);
    for row in &inspection.addresses {
        table.row([
            row.ip.to_string(),
            row.mac.to_string(),
            onenet_topology::vendor::of(row.mac).unwrap_or("-").to_owned(),
            row.interface.clone().unwrap_or_else(|| format!("ifIndex {}", row.if_index)),
            row.kind.map_or("-", |kind| kind.as_str()).to_owned(),
        ]);
    }
    table
}

fn neighbours(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["here", "by", "system", "chassis", "port", "addresses"]);
    for row in &inspection.neighbours {
        let addresses: Vec<String> = row.management_addresses.iter().map(ToString::to_string).collect();
        table.row([
            row.local_port.clone().unwrap_or_else(|| format!("port {}", row.local_port_number)),
            row.protocol.to_owned(),
            row.system_name.filled().unwrap_or("-").to_owned(),
            row.chassis_id.clone(),
            row.port_id.filled().unwrap_or("-").to_owned(),
            addresses.join(" "),
        ]);
    }
    table
}

/// Only what identifies: a switch lists each of its fans and ports as a part.
fn entities(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["index", "class", "name", "model", "serial", "software"]);
    for row in &inspection.entities {
        if row.serial.filled().is_none() && row.model.filled().is_none() {
            continue;
        }
        table.row([
            row.index.to_string(),
            or_dash(&row.class),
            row.name.filled().unwrap_or("-").to_owned(),
            row.model.filled().unwrap_or("-").to_owned(),
            row.serial.filled().unwrap_or("-").to_owned(),
            row.software_revision.filled().unwrap_or("-").to_owned(),
        ]);
    }
    table
}

fn sensors(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["kind", "name", "value", "state", "object"]);
    for row in &inspection.sensors {
        table.row([
            row.kind.name().replace('_', " "),
            row.name.clone(),
            row.value_milli.map_or_else(|| "-".to_owned(), |milli| thousandths(milli, row.kind.unit())),
            row.state.map_or("-", |state| state.name()).to_owned(),
            format!("{}.{}", row.source, row.index),
        ]);
    }
    table
}

/// Returns thousandths of a unit as a decimal number.
fn thousandths(milli: i64, unit: &str) -> String {
    let (sign, size) = (if milli < 0 { "-" } else { "" }, milli.unsigned_abs());
    let number = format!("{sign}{}.{:03}", size / 1000, size % 1000);
    format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.')).trim_end().to_owned()
}

fn stations(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["mac", "vendor", "ip", "access point", "ssid", "vlan", "radio", "signal"]);
    for row in &inspection.stations {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        table.row([
            row.mac.to_string(),
            onenet_topology::vendor::of(row.mac).unwrap_or("-").to_owned(),
            row.ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string()),
            row.access_point
                .clone()
                .or(row.access_point_mac.map(|mac| mac.to_string()))
                .unwrap_or_else(|| "-".to_owned()),
            text(&row.ssid),
            row.vlan.map_or_else(|| "-".to_owned(), |vlan| vlan.to_string()),
            text(&row.radio),
            row.signal_dbm.map_or_else(|| "-".to_owned(), |dbm| format!("{dbm} dBm")),
        ]);
    }
    table
}

fn dropped(inspection: &Inspection) -> TextTable {
    let mut by_reason: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in &inspection.dropped {
        by_reason.entry((row.table, row.reason.as_str())).or_default().push(&row.row);
    }
    let mut table = TextTable::new(&["table", "reason", "rows", "such as"]);
    for ((of, reason), rows) in by_reason {
        let examples: Vec<&str> = rows.iter().copied().take(EXAMPLES).collect();
        table.row([of.to_owned(), reason.replace('_', " "), rows.len().to_string(), examples.join(", ")]);
    }
    table
}

fn errors(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["table", "column", "problem", "rows", "detail"]);
    for error in &inspection.errors {
        table.row([
            error.table.to_owned(),
            error.column.unwrap_or("-").to_owned(),
            error.error.as_str().replace('_', " "),
            error.rows.map_or_else(|| "-".to_owned(), |rows| rows.to_string()),
            error.detail.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn cost(out: &mut String, inspection: &Inspection) {
    let cost = &inspection.cost;
    let round_trip =
        cost.round_trip_us.map_or_else(|| "-".to_owned(), |us| format!("{}.{} ms", us / 1000, us / 100 % 10));
    let _ = writeln!(
        out,
        "\n{} questions, {} unanswered, {} values, {} ms of waiting, round trip {round_trip}",
        cost.requests, cost.timeouts, cost.values, cost.waited_ms
    );
}

fn octets(reading: &Reading<u64>) -> String {
    reading.get().map_or_else(|| "-".to_owned(), |octets| super::bytes(*octets))
}

fn or_dash<T: Display>(reading: &Reading<T>) -> String {
    reading.get().map_or_else(|| "-".to_owned(), ToString::to_string)
}
