//! An agent whose clock is wrong still ends up with the right times, and the centre says that its clock is wrong.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        line::Line,
        netns::Lab,
        product::{Agent, COUNTY, Centre},
        sawtooth::{self, Sawtooth},
        site::CENTRE_IP,
        vendor::Vendor,
    },
};

const SETTLED_WITHIN: Duration = Duration::from_secs(60);
const RIGHT_TIME_MS: u64 = 1000;
const HOUR_MS: i64 = 3_600_000;

/// Runs an agent whose clock is off by `offset` and checks times and finding; `off_ms` is the offset in milliseconds.
fn ends_up_right(offset: &str, is_offset: impl Fn(i64) -> bool) -> Result<()> {
    let lab = Lab::new()?;
    let (centre_node, collector) = (lab.node("centre")?, lab.node("collector")?);
    let saw_node = lab.node("sawtooth")?;
    lab.cable(&collector, "eth0", &saw_node, "eth0")?;
    collector.add_address("eth0", "10.77.0.2/24")?;
    saw_node.add_address("eth0", "10.77.0.5/24")?;
    let sawtooth = Sawtooth {
        address: "10.77.0.5".to_owned(),
        name: "saw-1".to_owned(),
        mac: Vendor::Huawei.mac(0x0500),
        ports: 2,
        forwarding: Vec::new(),
        period_ms: 60_000,
    };
    let sawtooth = sawtooth.start(&saw_node)?;
    let _line = Line::lay(&lab, "wan0", (&collector, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let watches = format!(
        "[intervals]\ninterfaces_s = 5\n[[devices]]\nname = \"saw-1\"\naddress = \"10.77.0.5\"\ncommunity = \"{}\"\n",
        sawtooth::COMMUNITY
    );
    let mut agent = Agent::configure(&collector, CENTRE_IP, &watches)?;
    agent.set_clock_off(offset)?;
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;

    let samples = || centre.octets("saw-1", "GigabitEthernet0/0/2");
    let samples = clock::until("three samples are there", SETTLED_WITHIN, samples, |all| all.len() >= 3)?;
    for (time_ms, octets) in samples {
        let off_ms = time_ms - sawtooth.taken_at_ms(octets)?;
        ensure!(off_ms.unsigned_abs() <= RIGHT_TIME_MS, "the sample of {time_ms} is {off_ms} ms off");
    }

    let path = format!("/api/v1/findings?site={COUNTY}");
    let findings = clock::until("a finding", SETTLED_WITHIN, || centre.list(&path), |all| !all.is_empty())?;
    let about_clocks = findings.iter().filter(|one| one["kind"].as_str().is_some_and(|kind| kind.contains("clock")));
    ensure!(about_clocks.count() == 1, "{findings:?}");
    let agents = centre.list(&format!("/api/v1/agents?site={COUNTY}"))?;
    let measured = agents.first().and_then(|agent| agent["clock_offset_ms"].as_i64()).context("no offset measured")?;
    ensure!(is_offset(measured), "measured {measured} ms");
    Ok(())
}

#[test]
#[ignore = "needs root, python3 and libfaketime"]
fn an_agent_three_hours_ahead_ends_up_with_the_right_times_and_a_finding() -> Result<()> {
    ends_up_right("+3h", |ms| (ms - 3 * HOUR_MS).abs() < 5_000)
}

#[test]
#[ignore = "needs root, python3 and libfaketime"]
fn an_agent_whose_battery_is_dead_is_not_locked_out() -> Result<()> {
    // Ten years behind: before the centre's certificate began.
    ends_up_right("-3650d", |ms| ms < -3600 * 24 * HOUR_MS)
}
