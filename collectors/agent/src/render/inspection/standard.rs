//! What the standard tables beside interfaces and forwarding tell, as tables: VLANs, aggregates, addresses, routes, quirks.

use std::collections::BTreeMap;

use onenet_snmp::Inspection;

use super::{super::TextTable, or_dash};

/// How many interfaces are named of those that carry a VLAN.
const NAMED_MAX: usize = 6;

pub(super) fn vlans(inspection: &Inspection) -> TextTable {
    let names: BTreeMap<u32, &str> = inspection
        .interfaces
        .iter()
        .filter_map(|row| row.label.name.as_deref().map(|name| (row.label.if_index, name)))
        .collect();
    let listed = |if_indexes: &[u32]| {
        let named = if_indexes.iter().take(NAMED_MAX);
        let mut names: Vec<String> =
            named.map(|number| names.get(number).map_or_else(|| format!("#{number}"), ToString::to_string)).collect();
        if let Some(more) = if_indexes.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
            names.push(format!("and {more} more"));
        }
        if names.is_empty() { "-".to_owned() } else { names.join(" ") }
    };
    let mut table = TextTable::new(&["vlan", "name", "tagged", "untagged"]);
    for row in &inspection.vlans {
        let untagged = &row.untagged_if_indexes;
        let tagged: Vec<u32> = row.egress_if_indexes.iter().filter(|port| !untagged.contains(port)).copied().collect();
        let name = row.name.filled().unwrap_or("-").to_owned();
        table.row([row.vlan.to_string(), name, listed(&tagged), listed(untagged)]);
    }
    table
}

pub(super) fn aggregates(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["aggregate", "member", "attached", "partner", "partner's port"]);
    for row in &inspection.lag_members {
        table.row([
            named(row.aggregate.as_deref(), row.aggregate_if_index),
            named(row.interface.as_deref(), row.if_index),
            row.attached.map_or("-", |attached| if attached { "yes" } else { "no" }).to_owned(),
            or_dash(&row.partner_system),
            or_dash(&row.partner_port),
        ]);
    }
    table
}

pub(super) fn own_addresses(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["ip", "interface"]);
    for row in &inspection.own_addresses {
        let bits = row.prefix_bits.map(|bits| format!("/{bits}")).unwrap_or_default();
        table.row([format!("{}{bits}", row.ip), named(row.interface.as_deref(), row.if_index)]);
    }
    table
}

pub(super) fn next_hops(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["next hop", "interface", "routes", "default"]);
    for row in &inspection.next_hops {
        let interface = row.if_index.map_or_else(|| "-".to_owned(), |number| named(row.interface.as_deref(), number));
        let default = if row.default_route { "yes" } else { "-" };
        table.row([row.ip.to_string(), interface, row.routes.to_string(), default.to_owned()]);
    }
    table
}

pub(super) fn connected_prefixes(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["prefix", "interface"]);
    for row in &inspection.connected_prefixes {
        let interface = row.if_index.map_or_else(|| "-".to_owned(), |number| named(row.interface.as_deref(), number));
        table.row([row.prefix.to_string(), interface]);
    }
    table
}

pub(super) fn quirks(inspection: &Inspection) -> TextTable {
    let mut table = TextTable::new(&["quirk", "where", "how many"]);
    for row in &inspection.quirks {
        let count = row.count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        table.row([row.quirk.replace('_', " "), row.table.to_owned(), count]);
    }
    table
}

fn named(name: Option<&str>, if_index: u32) -> String {
    name.map_or_else(|| format!("ifIndex {if_index}"), ToOwned::to_owned)
}
