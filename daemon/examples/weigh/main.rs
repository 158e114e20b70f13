//! Weighs what the centre keeps in memory, part by part: `cargo run --release --example weigh -- FOLDER`, with a data directory such as
//! `./tests/bench country --alone --keep FOLDER` leaves behind (`FOLDER/data`). It opens the centre there, waits until all sites are
//! inferred, and then lets go of one part after the other.
//!
//! Bytes are those that were asked for, without what a heap rounds up; `resident` is what the process takes of them. What agents' connections
//! cost, and what only measurements fill, is not in it.

#![allow(missing_docs, clippy::print_stdout, clippy::cast_precision_loss)]

use std::{alloc::System, fs, path::Path, sync::Arc, time::Duration};

use imbl::OrdMap;
use onenet_topology::{
    device::{Device, Interface},
    endpoint::Endpoint,
    fact::{FactBody, Method},
    inference::{Attachment, Rejected},
};
use onenetd::{
    centre::{Centre, Options},
    estate::{Derived, Estate, Held, HeldGroup, Indexes, SiteState},
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Heap and blocks of it at one moment.
#[derive(Clone, Copy)]
struct Weight {
    bytes: usize,
    blocks: usize,
}

fn weight() -> Weight {
    let stats = HEAP.stats();
    let bytes = stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated);
    Weight { bytes, blocks: stats.allocations.wrapping_sub(stats.deallocations) }
}

fn resident_mb() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4_096.0 / 1e6
}

/// Prints what became free since `before` as the weight of so many pieces.
fn say(part: &str, before: Weight, pieces: usize) {
    let after = weight();
    let (bytes, blocks) = (before.bytes.saturating_sub(after.bytes), before.blocks.saturating_sub(after.blocks));
    let each = bytes as f64 / pieces.max(1) as f64;
    println!("{part:<34}{pieces:>10}{:>10.1} MB{each:>10.0} B each{blocks:>10} blocks", bytes as f64 / 1e6);
}

/// Lets go of a part of every site.
fn of_sites(estate: &mut Estate, part: &str, mut lets_go: impl FnMut(&mut SiteState) -> usize) {
    let before = weight();
    let ids: Vec<_> = estate.sites.keys().copied().collect();
    let mut pieces = 0;
    for id in &ids {
        if let Some(site) = estate.sites.get_mut(id) {
            pieces += lets_go(Arc::make_mut(site));
        }
    }
    drop(ids);
    say(part, before, pieces);
}

/// Lets go of a part of every endpoint.
fn of_endpoints(estate: &mut Estate, part: &str, mut lets_go: impl FnMut(&mut Endpoint) -> usize) {
    of_sites(estate, part, |site| {
        let ids: Vec<_> = site.endpoints.keys().copied().collect();
        ids.iter().filter_map(|id| site.endpoints.get_mut(id).map(|it| lets_go(Arc::make_mut(it)))).sum()
    });
}

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "data".to_owned());
    sizes();
    let Some(mut estate) = opened(Path::new(&folder)) else {
        println!("the centre in {folder} cannot be opened, or somebody else still holds its state");
        return;
    };
    println!(
        "{:<34}{:>10}{:>10.1} MB, resident {:.0} MB",
        "the estate alone",
        "",
        weight().bytes as f64 / 1e6,
        resident_mb()
    );
    derived(&mut estate);
    facts(&mut estate);
    endpoints(&mut estate);
    devices(&mut estate);
    national(&mut estate);
    println!("{:<34}{:>10}{:>10.1} MB", "the rest of the process", "", weight().bytes as f64 / 1e6);
}

fn sizes() {
    macro_rules! size {
        ($($type:ty),*) => { $(println!("{:<34}{:>10} B", stringify!($type), size_of::<$type>());)* };
    }
    size!(FactBody, Held, HeldGroup, SiteState, Endpoint, Device, Interface, Attachment, Rejected);
}

/// Opens the centre until it has inferred all sites, and returns its estate; `None` where something fails.
fn opened(folder: &Path) -> Option<Estate> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().ok()?;
    let estate = runtime.block_on(async {
        let centre = Centre::open(folder, Options::default()).await.ok()?;
        while !centre.estate().unsettled.get().is_empty() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        println!(
            "{:<34}{:>10}{:>10.1} MB, resident {:.0} MB",
            "the open centre",
            "",
            weight().bytes as f64 / 1e6,
            resident_mb()
        );
        let before = weight();
        centre.stop().await;
        let estate = centre.estate();
        drop(centre);
        Some((estate, before))
    });
    drop(runtime);
    let (estate, before) = estate?;
    let estate = Arc::try_unwrap(estate).ok()?;
    say("store, keys and threads", before, 1);
    Some(estate)
}

fn derived(estate: &mut Estate) {
    of_sites(estate, "inference", |site| {
        let pieces = site.inference.get().attachments.len();
        site.inference = Derived::default();
        pieces
    });
    for site in estate.sites.values() {
        let _ = (site.may_be_called(&[], true), site.tally());
    }
    of_sites(estate, "words, once searched", |site| {
        site.words = Derived::default();
        1
    });
    of_sites(estate, "tallies, once scraped", |site| {
        site.tally = Derived::default();
        1
    });
}

fn facts(estate: &mut Estate) {
    for method in Method::ALL {
        of_sites(estate, &format!("facts by {method}"), |site| {
            let keys: Vec<_> = site.facts.keys().filter(|(_, group)| group.method == method).cloned().collect();
            keys.iter().filter_map(|key| site.facts.remove(key)).map(|group| group.len()).sum()
        });
    }
}

fn endpoints(estate: &mut Estate) {
    of_endpoints(estate, "endpoints: evidence", |it| std::mem::take(&mut it.evidence).sights().count());
    of_sites(estate, "endpoints: the rest", |site| std::mem::take(&mut site.endpoints).len());
    of_sites(estate, "endpoints by MAC address", |site| std::mem::take(&mut site.macs).len());
}

fn devices(estate: &mut Estate) {
    of_sites(estate, "devices, without accounts", |site| std::mem::take(&mut site.devices).len());
    of_sites(estate, "accounts of devices", |site| std::mem::take(&mut site.accounts).len());
    of_sites(estate, "links", |site| std::mem::replace(&mut site.links, Arc::new([])).len());
    of_sites(estate, "own addresses, names of devices", |site| {
        drop((std::mem::take(&mut site.handles), std::mem::take(&mut site.absorbed)));
        std::mem::take(&mut site.own_macs).len()
    });
}

fn national(estate: &mut Estate) {
    let before = weight();
    let sites = std::mem::take(&mut estate.sites).len();
    say("sites, the rest", before, sites);
    macro_rules! national {
        ($($name:literal: $field:ident),*) => { $(
            let before = weight();
            let pieces = estate.indexes.$field.len();
            estate.indexes.$field = OrdMap::new();
            say($name, before, pieces);
        )* };
    }
    national!("index: sites of endpoints": endpoint_sites, "index: MAC addresses": macs, "index: addresses": addresses);
    national!("index: devices": device_sites, "index: interfaces": interface_devices);
    let before = weight();
    estate.indexes = Indexes::default();
    let agents = std::mem::take(&mut estate.agents).len();
    say("agents", before, agents);
    let before = weight();
    let kept = std::mem::take(&mut estate.availability).len();
    say("availability", before, kept);
    let before = weight();
    let sites = std::mem::take(&mut estate.tree).iter().count();
    say("tree of sites", before, sites);
    let before = weight();
    *estate = Estate::default();
    say("what else the estate has", before, 1);
}
