//! Judges the inference on generated networks whose truth is known; `./tests/bench topology` runs it.
//!
//! Beside it, on the same input, are two rules that other systems go by: the row that was read last counts, on ports at which
//! no neighbour is heard ("last poll wins"); and an endpoint is at a port that has learned nobody else ("one address").

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, clippy::cast_precision_loss, clippy::too_many_lines)]

#[path = "../tests/generated/mod.rs"]
pub mod generated;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use generated::{Dice, Lldp, Network, Own, Plan, plans};
use onenet_topology::{
    MacAddr,
    inference::{Attachment, SiteEvidence, SiteInference, Walks, Where, infer},
};

/// Rows that a bad walk loses, in a hundred.
const LOST: u64 = 30;
/// Confidence in hundredths: right answers should be over, wrong ones under.
const SURE: u8 = 80;
const GUESS: u8 = 50;

/// What became of the endpoints.
#[derive(Debug, Default)]
struct Score {
    endpoints: usize,
    right: usize,
    wrong: usize,
    /// Right answers that say so.
    sure_right: usize,
    /// Wrong answers that do not say that they are guesses.
    bold_wrong: usize,
}

impl Score {
    fn add(&mut self, network: &Network, mac: MacAddr, found: Option<&Attachment>) {
        self.endpoints += 1;
        let Some(found) = found else { return };
        let Where::Port(at) = found.at else { return };
        if network.truth[&mac].contains(&(at.device, at.interface)) {
            self.right += 1;
            self.sure_right += usize::from(found.confidence > SURE);
        } else {
            self.wrong += 1;
            self.bold_wrong += usize::from(found.confidence >= GUESS);
        }
    }

    fn add_rule(&mut self, network: &Network, found: &BTreeMap<MacAddr, generated::At>) {
        for (mac, places) in &network.truth {
            self.endpoints += 1;
            match found.get(mac) {
                Some(at) if places.contains(at) => self.right += 1,
                Some(_) => self.wrong += 1,
                None => {}
            }
        }
    }

    fn share(part: usize, of: usize) -> f64 {
        if of == 0 { 100.0 } else { 100.0 * part as f64 / of as f64 }
    }

    fn print(&self, what: &str, rule: bool) {
        let unresolved = self.endpoints - self.right - self.wrong;
        let [right, none, wrong] = [self.right, unresolved, self.wrong].map(|part| Self::share(part, self.endpoints));
        print!("{what:<34} {:>9} {right:>9.3} {none:>11.3} {wrong:>9.3}", self.endpoints);
        if rule {
            println!(" {:>11} {:>11}", "-", "-");
        } else {
            println!(" {:>11.3} {:>11}", Self::share(self.sure_right, self.right), self.bold_wrong);
        }
    }
}

/// Bounds that were missed.
#[derive(Debug, Default)]
struct Missed(Vec<String>);

impl Missed {
    fn least(&mut self, what: &str, measured: f64, bound: f64) {
        println!("  {what:<62} {measured:>10.3}  at least {bound}");
        if measured < bound {
            self.0.push(format!("{what}: {measured:.3}, at least {bound}"));
        }
    }

    fn none(&mut self, what: &str, measured: usize) {
        println!("  {what:<62} {measured:>10}  none");
        if measured > 0 {
            self.0.push(format!("{what}: {measured}"));
        }
    }
}

/// One way of reading the networks, judged by each rule.
#[derive(Debug, Default)]
struct Reading {
    ours: Score,
    last: Score,
    single: Score,
}

impl Reading {
    fn add(&mut self, network: &Network, walks: &[SiteEvidence], ours: &SiteInference) {
        for mac in network.truth.keys() {
            self.ours.add(network, *mac, ours.attachments.get(mac));
        }
        self.last.add_rule(network, &last_poll_wins(walks));
        self.single.add_rule(network, &port_with_one_address(walks));
    }

    fn print(&self, what: &str) {
        self.ours.print(&format!("{what}: onenet"), false);
        self.last.print(&format!("{what}: last poll wins"), true);
        self.single.print(&format!("{what}: one address"), true);
    }
}

/// The row that was read last counts, except on ports at which a neighbour that is a device is heard.
fn last_poll_wins(walks: &[SiteEvidence]) -> BTreeMap<MacAddr, generated::At> {
    let mut found = BTreeMap::new();
    for walk in walks {
        let own: BTreeSet<String> =
            walk.devices.iter().flat_map(|device| &device.own_macs).map(ToString::to_string).collect();
        for device in &walk.devices {
            let known = device.neighbours.iter().filter(|it| own.contains(&it.chassis_id));
            let uplinks: BTreeSet<_> = known.map(|it| it.interface).collect();
            for row in &device.forwarding {
                let Some(at) = row.interface.map(|at| whole(device, at)) else { continue };
                if !uplinks.contains(&at) {
                    found.insert(row.mac, (device.id, at));
                }
            }
        }
    }
    found
}

/// An endpoint is at a port that has learned nobody else.
fn port_with_one_address(walks: &[SiteEvidence]) -> BTreeMap<MacAddr, generated::At> {
    let mut found = BTreeMap::new();
    for walk in walks {
        for device in &walk.devices {
            let mut ports: BTreeMap<_, BTreeSet<MacAddr>> = BTreeMap::new();
            for row in &device.forwarding {
                if let Some(at) = row.interface.map(|at| whole(device, at)) {
                    ports.entry(at).or_default().insert(row.mac);
                }
            }
            for (at, macs) in ports {
                if let (1, Some(mac)) = (macs.len(), macs.first()) {
                    found.insert(*mac, (device.id, at));
                }
            }
        }
    }
    found
}

/// Returns the aggregate of a port, or the port.
fn whole(
    device: &onenet_topology::inference::DeviceEvidence,
    at: onenet_topology::InterfaceId,
) -> onenet_topology::InterfaceId {
    device.interfaces.iter().find(|it| it.id == at).and_then(|it| it.aggregate).unwrap_or(at)
}

fn main() -> ExitCode {
    let verbose = std::env::args().any(|argument| argument == "--verbose");
    let seed = std::env::args().skip_while(|argument| argument != "--seed").nth(1);
    let Ok(seed) = seed.unwrap_or_else(|| "0".to_owned()).parse::<u64>() else {
        println!("attach: --seed takes a number, such as --seed 7");
        return ExitCode::FAILURE;
    };
    let networks: Vec<(Plan, Network)> =
        plans(48, 60, 3000, seed).into_iter().map(|plan| (plan, Network::new(&plan))).collect();
    let (mut complete, mut five, mut one) = (Reading::default(), Reading::default(), Reading::default());
    let mut absent = Score::default();
    for (plan, network) in &networks {
        let walk = std::slice::from_ref(&network.complete);
        let found = infer(&network.complete);
        if verbose {
            tell(plan, network, &found, "complete");
        }
        complete.add(network, walk, &found);
        let mut dice = Dice::new(plan.seed);
        let walks: Vec<SiteEvidence> = (0..5).map(|_| network.walk(&mut dice, LOST)).collect();
        let mut believed = Walks::default();
        let found = walks.iter().map(|walk| believed.take(walk.clone())).last().unwrap_or_default();
        if verbose {
            tell(plan, network, &found, "five");
        }
        five.add(network, &walks, &found);
        let found = infer(&walks[0]);
        if verbose {
            tell(plan, network, &found, "one");
        }
        one.add(network, &walks[..1], &found);
        for mac in network.truth.keys().filter(|mac| !network.has_access_row(&walks[0], **mac)) {
            absent.add(network, *mac, found.attachments.get(mac));
            if verbose && found.attachments.get(mac).is_some_and(|found| matches!(found.at, Where::Port(_))) {
                println!("absent in {plan:?}: {mac} is at {:?}: {:?}", network.truth[mac], found.attachments.get(mac));
            }
        }
    }
    println!(
        "{} networks of {} switches and {} hosts",
        networks.len(),
        sum(&networks, |plan| plan.switches),
        sum(&networks, |plan| plan.hosts)
    );
    println!(
        "{:<34} {:>9} {:>9} {:>11} {:>9} {:>11} {:>11}",
        "", "endpoints", "right %", "unresolved %", "wrong %", "sure %", "bold wrong"
    );
    complete.print("complete");
    five.print("5 walks, each loses 30 %");
    one.print("1 such walk");
    absent.print("1 such walk, access row absent", false);
    let (moves, walks) = moves(verbose, seed);
    let (rows, cpu_ms) = cpu();
    let mut missed = Missed::default();
    println!();
    missed.least("complete tables: % right", Score::share(complete.ours.right, complete.ours.endpoints), 99.0);
    missed.least("5 walks: % right", Score::share(five.ours.right, five.ours.endpoints), 97.0);
    missed.none("1 walk, access row absent: answered at a port", absent.right + absent.wrong);
    for (what, reading) in [("complete tables", &complete), ("5 walks", &five), ("1 walk", &one)] {
        missed.none(&format!("{what}: wrong answers of 0.5 and more"), reading.ours.bold_wrong);
        missed.least(
            &format!("{what}: % of right answers over 0.8"),
            Score::share(reading.ours.sure_right, reading.ours.right),
            95.0,
        );
    }
    missed.none(&format!("moves in stable networks over {walks} walks that lose 30 %"), moves);
    println!("  {:<62} {cpu_ms:>10.1}  under 50", format!("CPU ms for 60 switches with {rows} rows, median of 5"));
    if cpu_ms >= 50.0 {
        missed.0.push(format!("CPU: {cpu_ms:.1} ms, under 50"));
    }
    if missed.0.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nmissed: {}", missed.0.join("; "));
    ExitCode::FAILURE
}

fn sum(networks: &[(Plan, Network)], of: impl Fn(&Plan) -> usize) -> usize {
    networks.iter().map(|(plan, _)| of(plan)).sum()
}

/// Walks stable networks a hundred times. Returns how often an endpoint was said to be elsewhere, and how many walks.
fn moves(verbose: bool, seed: u64) -> (usize, usize) {
    let (mut moves, mut walks) = (0, 0);
    for plan in plans(12, 12, 200, seed) {
        let network = Network::new(&plan);
        let (mut dice, mut believed) = (Dice::new(plan.seed), Walks::default());
        let mut known: BTreeMap<MacAddr, Where> = BTreeMap::new();
        for _ in 0..100 {
            walks += 1;
            for (mac, found) in believed.take(network.walk(&mut dice, LOST)).attachments {
                if let Some(Where::Port(was)) = known.insert(mac, found.at) {
                    let stays =
                        matches!(found.at, Where::Port(is) if (is.device, is.interface) == (was.device, was.interface));
                    // What was wrong before may be put right.
                    let was_right = network.truth[&mac].contains(&(was.device, was.interface));
                    moves += usize::from(!stays && was_right);
                    if !stays && was_right && verbose {
                        println!("moved in {plan:?}: {mac} of {:?} is now {:?}", network.truth[&mac], found.at);
                    }
                }
            }
        }
    }
    (moves, walks)
}

/// Returns the rows of a network of 60 switches, and the CPU time of its inference.
fn cpu() -> (usize, f64) {
    let plan = Plan {
        switches: 60,
        hosts: 330,
        lldp: Lldp::Half,
        own: Own::OnTheWay,
        pairs: true,
        hubs: true,
        vlans: 4,
        seed: 60,
    };
    let network = Network::new(&plan);
    let mut times: Vec<u64> = Vec::new();
    for _ in 0..5 {
        let before = cpu_ns();
        let found = infer(&network.complete);
        times.push(cpu_ns() - before);
        assert!(found.attachments.len() > 300, "the inference was done");
    }
    times.sort_unstable();
    (network.rows(), times[2] as f64 / 1e6)
}

/// Returns the CPU time of this thread, as Linux counts it.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the CPU time of a thread");
    text.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number of nanoseconds")
}

/// Prints the figures of a network whose answers are not as good as they should be, and its first wrong ones.
fn tell(plan: &Plan, network: &Network, found: &SiteInference, what: &str) {
    let mut score = Score::default();
    let mut wrong: Vec<String> = Vec::new();
    for mac in network.truth.keys() {
        let before = score.bold_wrong;
        score.add(network, *mac, found.attachments.get(mac));
        if score.bold_wrong > before {
            wrong.push(format!("    {mac} is at {:?}: {:?}", network.truth[mac], found.attachments.get(mac)));
        }
    }
    if score.bold_wrong > 0 || score.sure_right * 100 < score.right * 95 {
        println!("{what}: {plan:?}");
        score.print("    ", false);
        wrong.iter().take(3).for_each(|line| println!("{line}"));
    }
}
