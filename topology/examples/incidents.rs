//! Judges the evaluation of a whole country with a province cut; `./tests/bench incidents` runs it.
//!
//! The country has the numbers of the real one: 1 ministry, 31 provinces, 333 cities, 2,975 counties (each tenth on two
//! cities), an agent at each, every way measured from both ends, three devices at each site. Ten times as many of
//! everything below the provinces is printed beside it: the work has to grow with the size, and no faster.

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, clippy::cast_precision_loss)]

use std::process::ExitCode;

use onenet_topology::{
    AgentId, DeviceId, IncidentId, SiteId, Timestamp,
    division::Tier,
    incident::{
        AgentFact, Answer, Contact, Damper, DeviceFact, DeviceJoint, Evidence, Incident, IncidentKind, Joint,
        ProbeFact, ProbeState, ProbeTarget, Side, SiteFact, Subject, evaluate, follow,
    },
};

const PROVINCES: u64 = 31;
const CITIES: u64 = 333;
const COUNTIES: u64 = 2_975;
const MINISTRY: u64 = 1;
/// The province whose way up is cut.
const CUT: u64 = 5;
const NOW: i64 = 100_000_000;
/// CPU time that the evaluation of the country may take.
const MOST_MS: f64 = 100.0;
/// Ten times the country may take this many times as long: ten, and room for memory that no cache holds any more.
const MOST_GROWTH: f64 = 30.0;

/// What one size came to.
struct Outcome {
    sites: usize,
    affected: usize,
    cpu_ms: f64,
    same: bool,
    incidents: usize,
}

fn main() -> ExitCode {
    let (one, ten) = (measure(1), measure(10));
    println!("a province cut; gather what flaps, evaluate everything, follow the incidents; median of 5");
    println!("  {:>8} {:>14} {:>10} {:>12} {:>14}", "sites", "out of reach", "incidents", "CPU ms", "shuffled");
    for it in [&one, &ten] {
        let same = if it.same { "the same" } else { "DIFFERENT" };
        println!("  {:>8} {:>14} {:>10} {:>12.1} {:>14}", it.sites, it.affected, it.incidents, it.cpu_ms, same);
    }
    let mut missed = Vec::new();
    if one.cpu_ms >= MOST_MS {
        missed.push(format!("{:.1} ms of CPU, under {MOST_MS}", one.cpu_ms));
    }
    if ten.cpu_ms > one.cpu_ms * MOST_GROWTH {
        missed.push(format!("ten times the country takes {:.1} times as long", ten.cpu_ms / one.cpu_ms));
    }
    for it in [&one, &ten] {
        if !it.same {
            missed.push("shuffled evidence gives another result".into());
        }
        if it.incidents != 1 {
            missed.push(format!("{} incidents, not one", it.incidents));
        }
    }
    if missed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nmissed: {}", missed.join("; "));
    ExitCode::FAILURE
}

fn measure(scale: u64) -> Outcome {
    let evidence = country(scale);
    let mut times = Vec::new();
    let mut incidents: Vec<Incident> = Vec::new();
    let mut damper = Damper::default();
    for _ in 0..5 {
        let mut seen = evidence.clone();
        let before = cpu_ns();
        seen.flapping = damper.observe(&seen);
        let verdicts = evaluate(&seen);
        let mut next = 0;
        let identity = || {
            next += 1;
            Some(IncidentId::from_raw(next))
        };
        let changed = follow(&incidents, &verdicts, identity, |_| None);
        times.push(cpu_ns() - before);
        for it in changed {
            incidents.retain(|known| known.id != it.id);
            incidents.push(it);
        }
    }
    times.sort_unstable();
    let subject = Subject::Link { child: SiteId::from_raw(CUT), parent: SiteId::from_raw(MINISTRY) };
    let right = incidents.iter().filter(|it| it.kind == IncidentKind::LinkDown && it.subject == subject);
    let affected = right.map(|it| it.affected.sites.len()).sum();
    let same = evaluate(&evidence) == evaluate(&shuffled(&evidence));
    Outcome { sites: evidence.sites.len(), affected, cpu_ms: times[2] as f64 / 1e6, same, incidents: incidents.len() }
}

/// Returns the country with one province cut twelve seconds ago.
fn country(scale: u64) -> Evidence {
    let now = Timestamp::from_unix_ms(NOW);
    let mut evidence = Evidence { now, ..Evidence::default() };
    let (first_city, first_county) = (2 + PROVINCES, 2 + PROVINCES + CITIES * scale);
    let end = first_county + COUNTIES * scale;
    let province_of = |city: u64| 2 + (city - first_city) % PROVINCES;
    let city_of = |county: u64| first_city + (county - first_county) % (CITIES * scale);
    for id in 1..end {
        let (tier, parents) = match id {
            MINISTRY => (Tier::Ministry, vec![]),
            id if id < first_city => (Tier::Province, vec![MINISTRY]),
            id if id < first_county => (Tier::City, vec![province_of(id)]),
            id => {
                let city = city_of(id);
                // The next city of the same province.
                let second = (city + PROVINCES < first_county).then_some(city + PROVINCES).filter(|_| id % 10 == 0);
                (Tier::County, std::iter::once(city).chain(second).collect())
            }
        };
        let province = match tier {
            Tier::Ministry => 0,
            Tier::Province => id,
            Tier::City => province_of(id),
            Tier::County => province_of(city_of(id)),
        };
        add(&mut evidence, id, tier, &parents, province == CUT);
    }
    evidence
}

fn add(evidence: &mut Evidence, id: u64, tier: Tier, parents: &[u64], cut: bool) {
    let (site, agent) = (SiteId::from_raw(id), AgentId::from_raw(id));
    let (long_ago, lost) = (Timestamp::from_unix_ms(1_000), Timestamp::from_unix_ms(NOW - 4_000));
    let contact = if cut { Contact::Lost(lost) } else { Contact::Heard(long_ago) };
    evidence.agents.push(AgentFact { id: agent, site, contact, booted: Some(long_ago) });
    let ids = parents.iter().map(|parent| SiteId::from_raw(*parent)).collect();
    evidence.sites.push(SiteFact { id: site, tier, parents: ids });
    for parent in parents {
        for (teller, side) in [(*parent, Side::Above), (id, Side::Below)] {
            let failed = id == CUT && side == Side::Above;
            let (state, since) = if failed {
                (ProbeState::Down, Timestamp::from_unix_ms(NOW - 12_000))
            } else {
                (ProbeState::Up, long_ago)
            };
            let target = ProbeTarget::Way { child: site, parent: SiteId::from_raw(*parent), side };
            evidence.probes.push(ProbeFact {
                teller: AgentId::from_raw(teller),
                target,
                state,
                since,
                by_agent: false,
            });
        }
    }
    let mut before = Joint::Agent(agent);
    for number in 0..3 {
        let device = DeviceId::from_raw(id * 4 + number);
        evidence.devices.push(DeviceFact { id: device, site, answers: vec![(agent, Answer::Answering, long_ago)] });
        evidence.joints.push(DeviceJoint { site, a: before, b: Joint::Device(device) });
        before = Joint::Device(device);
    }
}

/// Returns the same evidence in another order.
fn shuffled(evidence: &Evidence) -> Evidence {
    let mut other = evidence.clone();
    let mut state = 7_u64;
    shuffle(&mut other.sites, &mut state);
    shuffle(&mut other.agents, &mut state);
    shuffle(&mut other.probes, &mut state);
    shuffle(&mut other.devices, &mut state);
    shuffle(&mut other.joints, &mut state);
    other
}

fn shuffle<T>(items: &mut [T], state: &mut u64) {
    for place in (1..items.len()).rev() {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(*state >> 33).expect("31 bits") % (place + 1);
        items.swap(place, other);
    }
}

/// Returns the CPU time of this thread, as Linux counts it.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the CPU time of a thread");
    text.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number of nanoseconds")
}
