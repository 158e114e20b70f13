//! Killed in the middle of everything, the line cut for long: every sample is there once, at the right time.
//!
//! The known truth is a switch whose counters are milliseconds: each sample's value says when it was taken. The clock
//! is shortened: polls every 5 s instead of every 60 s, a cut of tens of seconds instead of hours.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Result, ensure};
use onenet_tests::{
    clock,
    dice::Dice,
    lab::{
        line::Line,
        mirror,
        netns::Lab,
        product::{Agent, COUNTY, Centre},
        sawtooth::{self, Running, Sawtooth},
        site::CENTRE_IP,
        switch::Switch,
        vendor::Vendor,
    },
    report,
};
use onenet_topology::Timestamp;
use serde_json::Value;

const SWITCH: &str = "saw-1";
const SWITCH_IP: &str = "10.77.0.5";
/// The shortest interval that a configuration may ask for.
const POLL_MS: u64 = 5_000;
const POLL: Duration = Duration::from_millis(POLL_MS);
/// How far a sample's time may be from when its value was true: a round trip, a busy machine, a measured clock.
const RIGHT_TIME_MS: u64 = 1000;
/// How soon after the agent is back the centre's picture is right.
const AT_ONCE: Duration = Duration::from_secs(5);
/// How long an agent may pause before it tries again, at most, after a long outage.
const BACK_WITHIN: Duration = Duration::from_secs(90);
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// One sample as the centre has it.
#[derive(Debug, Clone, Copy)]
struct Sample {
    time_ms: i64,
    octets: u64,
}

struct Proving<'lab> {
    switch: Switch<'lab>,
    sawtooth: Running,
    line: Line,
    centre: Centre,
    agent: Agent,
}

fn prove(lab: &Lab) -> Result<Proving<'_>> {
    let switch = Switch::new(lab, "access", Vendor::H3c.mac(0x0401))?;
    let (centre_node, collector) = (lab.node("centre")?, lab.node("collector")?);
    switch.plug("ge1", &collector, "eth0", Vendor::Intel.mac(0x0201))?;
    collector.add_address("eth0", "10.77.0.2/24")?;
    let saw_node = switch.plug_in("ge2", "sawtooth", Vendor::Huawei.mac(0x0500))?;
    saw_node.add_address("eth0", &format!("{SWITCH_IP}/24"))?;
    mirror::mirror(lab, &switch, &collector, "cap0")?;
    let sawtooth = Sawtooth {
        address: SWITCH_IP.to_owned(),
        name: SWITCH.to_owned(),
        mac: Vendor::Huawei.mac(0x0500),
        ports: 4,
        forwarding: Vec::new(),
        period_ms: 17_000,
    };
    let sawtooth = sawtooth.start(&saw_node)?;
    let line = Line::lay(lab, "wan0", (&collector, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let watches = format!(
        "[capture]\ninterfaces = [\"cap0\"]\n[intervals]\ninterfaces_s = {}\n\
         [[devices]]\nname = \"{SWITCH}\"\naddress = \"{SWITCH_IP}\"\ncommunity = \"{}\"\n",
        POLL.as_secs(),
        sawtooth::COMMUNITY
    );
    let mut agent = Agent::configure(&collector, CENTRE_IP, &watches)?;
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;
    Ok(Proving { switch, sawtooth, line, centre, agent })
}

impl Proving<'_> {
    /// Returns what the centre holds for one port, oldest first.
    fn samples(&self, port: u16) -> Result<Vec<Sample>> {
        let all = self.centre.octets(SWITCH, &format!("GigabitEthernet0/0/{port}"))?;
        Ok(all.into_iter().map(|(time_ms, octets)| Sample { time_ms, octets }).collect())
    }

    fn waits_for_samples(&self, count: usize, within: Duration) -> Result<Vec<Sample>> {
        let what = format!("{count} samples are there");
        clock::until(&what, within, || self.samples(2), |samples| samples.len() >= count)
    }

    /// Waits until the centre holds a sample that was taken after `taken_ms`; returns all.
    fn waits_until_history_has_passed(&self, taken_ms: i64, within: Duration) -> Result<Vec<Sample>> {
        let newest = |samples: &Vec<Sample>| samples.last().is_some_and(|sample| sample.time_ms > taken_ms);
        clock::until("history has caught up", within, || self.samples(2), newest)
    }

    /// Returns since when the agent's stream is open.
    fn connected_since_ms(&self) -> Result<Option<i64>> {
        let agents = self.centre.list(&format!("/api/v1/agents?site={COUNTY}"))?;
        let since = agents.first().and_then(|agent| agent["connected_since"].as_str());
        since.map(|text| Ok(text.parse::<Timestamp>()?.unix_ms())).transpose()
    }

    /// Checks that each sample is there once and at the time at which its value was true.
    fn each_once_at_the_right_time(&self, samples: &[Sample]) -> Result<()> {
        let distinct: BTreeSet<u64> = samples.iter().map(|sample| sample.octets).collect();
        ensure!(distinct.len() == samples.len(), "a sample is there twice: {samples:?}");
        for sample in samples {
            let off_ms = sample.time_ms - self.sawtooth.taken_at_ms(sample.octets)?;
            ensure!(off_ms.unsigned_abs() <= RIGHT_TIME_MS, "{sample:?} is {off_ms} ms off");
        }
        Ok(())
    }
}

/// Returns the holes between samples: from when to when nothing was taken, where that is more than one poll left out.
fn holes(samples: &[Sample]) -> Vec<(i64, i64)> {
    let longest = i64::try_from(POLL.as_millis()).unwrap_or(i64::MAX) * 3 / 2;
    let pairs = samples.iter().zip(samples.iter().skip(1)).map(|(one, next)| (one.time_ms, next.time_ms));
    pairs.filter(|(from, to)| to - from > longest).collect()
}

#[test]
#[ignore = "needs root and python3"]
fn a_cut_line_loses_no_sample_and_the_state_is_right_at_once_when_it_is_back() -> Result<()> {
    let lab = Lab::new()?;
    let proving = prove(&lab)?;
    proving.waits_for_samples(3, SETTLED_WITHIN)?;

    proving.line.cut()?;
    let host = proving.switch.plug_in_mirrored("ge7", "newcomer", Vendor::Dell.mac(7))?;
    host.add_address("eth0", "10.77.0.17/24")?;
    let _ = host.run("ping", ["-c1", "-W1", "10.77.0.2"]);
    let cut_at = clock::unix_ms();
    // The outage itself is the thing to wait for: twelve polls that cannot be told.
    let outage = POLL * 12;
    clock::until(
        "the outage is over",
        outage * 2,
        || Ok(clock::unix_ms()),
        |now| now - cut_at > i64::try_from(outage.as_millis()).unwrap_or(i64::MAX),
    )?;
    ensure!(proving.centre.endpoint(Vendor::Dell.mac(7))?.is_none(), "the line was cut: the centre cannot know");
    let mended_at = clock::unix_ms();
    proving.line.mend()?;

    let connected = || proving.connected_since_ms();
    let is_back = |since: &Option<i64>| since.is_some_and(|since_ms| since_ms >= mended_at);
    clock::until("the agent is back", BACK_WITHIN, connected, is_back)?;
    report::note(format_args!("back {} ms after the line was mended", clock::unix_ms() - mended_at));
    let has_ip = |found: &Value| found["ips"].as_array().is_some_and(|ips| ips.iter().any(|ip| *ip == "10.77.0.17"));
    proving.centre.endpoint_becomes(Vendor::Dell.mac(7), "is known at once", AT_ONCE, has_ip)?;
    let samples = proving.waits_until_history_has_passed(mended_at, SETTLED_WITHIN)?;
    proving.each_once_at_the_right_time(&samples)?;
    ensure!(holes(&samples).is_empty(), "samples of the outage are missing: {:?} in {samples:?}", holes(&samples));
    Ok(())
}

#[test]
#[ignore = "needs root and python3"]
fn agent_and_daemon_killed_at_random_moments_lose_no_acknowledged_sample_and_double_none() -> Result<()> {
    const ROUNDS: usize = 4;
    let lab = Lab::new()?;
    let mut proving = prove(&lab)?;
    let mut dice = Dice::new();
    let mut held: BTreeSet<u64> = proving.waits_for_samples(2, SETTLED_WITHIN)?.iter().map(|one| one.octets).collect();
    let mut agent_kills = Vec::new();
    for round in 0..ROUNDS {
        let moment = Duration::from_millis(dice.below(POLL_MS * 2));
        let began = clock::now();
        clock::until("the moment of death", POLL * 4, || Ok(began.elapsed()), |past| *past >= moment)?;
        if round % 2 == 0 {
            proving.agent.kill_9()?;
            agent_kills.push(clock::unix_ms());
            proving.agent.restart()?;
        } else {
            proving.centre.kill_9()?;
            proving.centre.restart()?;
        }
        let samples = proving.waits_until_history_has_passed(clock::unix_ms(), SETTLED_WITHIN)?;
        proving.each_once_at_the_right_time(&samples)?;
        let now: BTreeSet<u64> = samples.iter().map(|one| one.octets).collect();
        ensure!(now.is_superset(&held), "round {round}: lost {:?}", held.difference(&now).collect::<Vec<_>>());
        held = now;
    }
    let samples = proving.samples(2)?;
    for (from, to) in holes(&samples) {
        // Only a poll that was under way when the agent was killed may be missing; a killed daemon costs nothing.
        let explained = agent_kills.iter().any(|kill| (from..=to).contains(kill)) && to - from < 4 * 5_000;
        ensure!(explained, "nothing from {from} to {to}, agent killed at {agent_kills:?}: {samples:?}");
    }
    Ok(())
}

#[test]
#[ignore = "needs root and python3"]
fn a_counter_that_falls_back_is_kept_as_it_was_and_never_as_traffic() -> Result<()> {
    let lab = Lab::new()?;
    let proving = prove(&lab)?;
    let fell = |samples: &Vec<Sample>| samples.iter().zip(samples.iter().skip(1)).any(|(a, b)| b.octets < a.octets);
    let samples = clock::until("port 1's counter fell back", SETTLED_WITHIN, || proving.samples(1), fell)?;
    for sample in samples {
        let right_ms = i64::try_from(RIGHT_TIME_MS)?;
        let near = (sample.time_ms - right_ms..=sample.time_ms + right_ms)
            .any(|time| u64::try_from(proving.sawtooth.port_1_at(time)).is_ok_and(|value| value == sample.octets));
        ensure!(near, "{sample:?} was never true");
    }
    Ok(())
}
