//! What a simulated unit has on its books: most of its computers, a few that are gone, and not all that are there.
//!
//! Invariant: pure, as the network is. Nothing here says what is seen: that is for the centre to find out.

use onenet_topology::asset::AssetRow;

use super::{chance::Chance, machine::Machine, province::SimulatedSite};

/// One computer in so many was never put on the books.
const FORGOTTEN: u64 = 15;
/// One computer in so many has another beside it on the books that is not there any more.
const GONE: u64 = 25;
const DEPARTMENTS: [&str; 4] = ["办公室", "监测科", "执法队", "财务科"];

/// Returns the asset register of a simulated site.
pub(super) fn of(site: &SimulatedSite, machines: &[Machine]) -> Vec<AssetRow> {
    let mut chance = Chance::of(&format!("books of {}", site.code));
    let mut rows = Vec::new();
    for machine in machines.iter().filter(|machine| machine.is_computer() && !machine.is_dock()) {
        let owner = DEPARTMENTS.get(chance.index(DEPARTMENTS.len())).copied().unwrap_or_default();
        if chance.below(FORGOTTEN) > 0 {
            rows.push(row(site, rows.len(), machine.mac, machine.name(), owner));
        }
        if chance.below(GONE) == 0 {
            let [first, second, third, ..] = machine.mac.0;
            rows.push(row(site, rows.len(), chance.mac([first, second, third]), "", owner));
        }
    }
    rows
}

fn row(site: &SimulatedSite, at: usize, mac: onenet_topology::MacAddr, name: &str, owner: &str) -> AssetRow {
    AssetRow {
        line: at + 2,
        number: format!("ZC-{:04}", at + 1),
        site: site.code.clone(),
        macs: vec![mac],
        ip: None,
        class: None,
        name: name.to_owned(),
        owner: owner.to_owned(),
        location: String::new(),
        from: None,
        until: None,
    }
}
