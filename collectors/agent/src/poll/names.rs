//! The names by which a device's ports are known: what makes ifName an identity.
//!
//! Invariant: within a device each port has one name and each name one port. Where a device gives a name twice, each of its
//! ports is called `name#ifIndex`; a port without a name is `#ifIndex`. Everything else that points at an ifIndex is
//! resolved through the same names.

use std::collections::BTreeMap;

use onenet_snmp::InterfaceLabel;

/// Returns the labels with a name each that no other port of the device has.
pub(super) fn distinct(mut labels: Vec<InterfaceLabel>) -> Vec<InterfaceLabel> {
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for label in &labels {
        *given.entry(label.name.clone().unwrap_or_default()).or_default() += 1;
    }
    for label in &mut labels {
        let name = label.name.take().unwrap_or_default();
        let shared = name.is_empty() || given.get(&name).is_some_and(|ports| *ports > 1);
        // A device may call one port what another becomes; the ifIndex in it keeps even that apart.
        let imitates = name.rsplit_once('#').is_some_and(|(before, _)| given.contains_key(before));
        label.name = Some(if shared || imitates { format!("{name}#{}", label.if_index) } else { name });
    }
    labels
}

#[cfg(test)]
mod tests;
