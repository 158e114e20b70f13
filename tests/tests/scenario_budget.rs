//! What an agent costs: 20 endpoints and 2 devices of 28 ports, polled every 60 s.
//!
//! `./tests/bench budget` runs the same for longer, on the agent as it ships.

use std::time::Duration;

use anyhow::{Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        line::Line,
        mirror,
        netns::{Lab, Node},
        product::{Agent, COUNTY, Centre},
        sawtooth::{self, Sawtooth},
        site::CENTRE_IP,
        switch::Switch,
        vendor::Vendor,
    },
    report::Table,
};

const ENDPOINTS: u16 = 20;
const PORTS: u16 = 28;
const RESIDENT_BOUND_KIB: f64 = 40.0 * 1024.0;
/// The program as it ships (`./tests/bench size`). A development build is twice as large, and how much of it is resident is the kernel's
/// matter: there the rest is judged, which is what the agent keeps.
const PROGRAM_KIB: f64 = 15_000_000.0 / 1024.0;
const SENT_BOUND_BIT_PER_S: f64 = 2000.0;
/// How long is measured unless `ONENET_BUDGET_S` says otherwise: several polls.
const MEASURED_S: u64 = 150;
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

fn host_ip(number: u16) -> String {
    format!("10.77.0.{}", 100 + number)
}

/// Plugs in the hosts; each has an address and says something now and then, as terminals do.
fn hosts(switch: &Switch<'_>) -> Result<Vec<Node>> {
    let plug = |number: u16| {
        let node = switch.plug_in_mirrored(&format!("ge{}", 10 + number), &format!("host{number}"), mac(number))?;
        node.add_address("eth0", &format!("{}/24", host_ip(number)))?;
        Ok(node)
    };
    (0..ENDPOINTS).map(plug).collect()
}

fn mac(number: u16) -> onenet_topology::MacAddr {
    Vendor::Dell.mac(number)
}

fn start_device(switch: &Switch<'_>, number: u16) -> Result<sawtooth::Running> {
    let name = format!("saw-{number}");
    let node = switch.plug_in(&format!("up{number}"), &name, Vendor::Huawei.mac(0x100 * number))?;
    let address = format!("10.77.0.{}", 4 + number);
    node.add_address("eth0", &format!("{address}/24"))?;
    let forwarding = (0..ENDPOINTS).map(|host| (mac(host), 1 + host % PORTS)).collect();
    let sawtooth = Sawtooth {
        address,
        name,
        mac: Vendor::Huawei.mac(0x100 * number),
        ports: PORTS,
        forwarding,
        period_ms: 60_000,
    };
    sawtooth.start(&node)
}

#[test]
#[ignore = "needs root and python3"]
fn twenty_endpoints_and_two_devices_cost_under_40_mb_and_2_kbit_per_second() -> Result<()> {
    let lab = Lab::new()?;
    let switch = Switch::new(&lab, "access", Vendor::H3c.mac(0x0401))?;
    let (centre_node, collector) = (lab.node("centre")?, lab.node("collector")?);
    switch.plug("ge1", &collector, "eth0", Vendor::Intel.mac(0x0201))?;
    collector.add_address("eth0", "10.77.0.2/24")?;
    mirror::mirror(&lab, &switch, &collector, "cap0")?;
    let _devices = [start_device(&switch, 1)?, start_device(&switch, 2)?];
    let hosts = hosts(&switch)?;
    let line = Line::lay(&lab, "wan0", (&collector, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    // The default intervals: ports every 60 s.
    let device = |number: u16| {
        let address = 4 + number;
        format!(
            "[[devices]]\nname = \"saw-{number}\"\naddress = \"10.77.0.{address}\"\ncommunity = \"{}\"\n",
            sawtooth::COMMUNITY
        )
    };
    let watches = format!("[capture]\ninterfaces = [\"cap0\"]\n{}{}", device(1), device(2));
    let mut agent = Agent::configure(&collector, CENTRE_IP, &watches)?;
    let token = centre.enrolment(COUNTY)?;
    agent.enrol_and_start(&token)?;
    let began = (clock::now(), line.crossed()?);

    let talk = || hosts.iter().for_each(|host| drop(host.run("ping", ["-c1", "-W1", "10.77.0.2"])));
    talk();
    let known = || centre.list("/api/v1/endpoints").map(|all| all.len());
    clock::until("all endpoints are known", SETTLED_WITHIN, known, |count| *count >= usize::from(ENDPOINTS))?;
    let settled = (clock::now(), line.crossed()?);

    let asked = std::env::var("ONENET_BUDGET_S").ok().and_then(|text| text.parse().ok());
    let measured = Duration::from_secs(asked.unwrap_or(MEASURED_S));
    let mut talked = clock::now();
    clock::until(
        "the measured time is over",
        measured * 2,
        || {
            if talked.elapsed() > Duration::from_secs(20) {
                talk();
                talked = clock::now();
            }
            Ok(settled.0.elapsed())
        },
        |past| *past >= measured,
    )?;

    let crossed = line.crossed()?;
    let rate = |since: (std::time::Instant, onenet_tests::lab::line::Crossed)| {
        let bytes = u32::try_from(crossed.sent - since.1.sent).map_or(f64::INFINITY, f64::from);
        bytes * 8.0 / since.0.elapsed().as_secs_f64()
    };
    let (steady, whole) = (rate(settled), rate(began));
    let process = agent.process()?;
    let (resident, cpu_ms) = (process.resident_kib()?, process.cpu_ms()?);
    ensure!(agent.process()?.exited()?.is_none(), "the agent ended");
    let mut table = Table::default();
    let own = number(resident.highest.saturating_sub(resident.files));
    table.below("resident, without its program (KiB)", own, RESIDENT_BOUND_KIB - PROGRAM_KIB);
    if std::env::var_os("ONENET_AGENT_BINARY").is_some() {
        table.below("resident, highest (KiB)", number(resident.highest), RESIDENT_BOUND_KIB);
    } else {
        table.shown("resident, highest, a development build (KiB)", number(resident.highest));
    }
    table.below("sent, steady (bit/s)", steady, SENT_BOUND_BIT_PER_S);
    table.shown("sent, with the start (bit/s)", whole);
    table.shown("CPU time of the agent (ms)", number(cpu_ms));
    table.judge()
}

fn number(value: u64) -> f64 {
    u32::try_from(value).map_or(f64::INFINITY, f64::from)
}
