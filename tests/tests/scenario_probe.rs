//! Two sites and the line between them: a cut is down at the centre within 15 seconds, told from above, and up within 30 of being
//! mended. A test over the line, asked for at the centre, tells what the line is.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        line::Line,
        netns::{Lab, Node},
        product::{Agent, CITY, COUNTY, Centre},
        site::CENTRE_IP,
    },
    report,
};
use serde_json::Value;

const UPPER_IP: &str = "10.9.0.1";
const LOWER_IP: &str = "10.9.0.2";
const KEY: &str = "a key of the lab's own";
/// From the cut to its being known at the centre.
const DOWN_WITHIN: Duration = Duration::from_secs(15);
/// From the mending to that.
const UP_WITHIN: Duration = Duration::from_secs(30);
/// Starting, enrolling, connecting, and three answers.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

struct Proving {
    centre: Centre,
    line: Line,
    /// Held: they run.
    _agents: [Agent; 2],
}

fn prove(lab: &Lab) -> Result<Proving> {
    let (centre_node, upper_node, lower_node) = (lab.node("centre")?, lab.node("upper")?, lab.node("lower")?);
    Line::lay(lab, "wan0", (&upper_node, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    let line =
        Line::lay(lab, "wan1", (&lower_node, &format!("{LOWER_IP}/30")), (&upper_node, &format!("{UPPER_IP}/30")))?;
    upper_node.write_sysctl("net/ipv4/ip_forward", "1")?;
    lower_node.ip(["route", "add", "default", "via", UPPER_IP])?;
    centre_node.ip(["route", "add", "10.9.0.0/30", "via", "10.8.0.2"])?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let down = |name: &str, kind: &str| {
        format!(
            "[[probes]]\nname = \"{name}\"\nkind = \"{kind}\"\nrole = \"child\"\nsite = \"{COUNTY}\"\ntarget = \"{LOWER_IP}\"\n"
        )
    };
    let upper = format!("[reflector]\nkey = \"{KEY}\"\n{}{}", down("county", "icmp"), down("county-agent", "stamp"));
    let lower = format!(
        "[reflector]\nlisten = \"{LOWER_IP}:862\"\nkey = \"{KEY}\"\n[[probes]]\nname = \"city\"\nrole = \"parent\"\n\
         site = \"{CITY}\"\ntarget = \"{UPPER_IP}\"\n"
    );
    let start = |node: &Node, text: &str, site: &str| -> Result<Agent> {
        let mut agent = Agent::configure(node, CENTRE_IP, text)?;
        agent.enrol_and_start(&centre.enrolment(site)?)?;
        Ok(agent)
    };
    let agents = [start(&upper_node, &upper, CITY)?, start(&lower_node, &lower, COUNTY)?];
    Ok(Proving { centre, line, _agents: agents })
}

impl Proving {
    fn probe(&self, site: &str, name: &str) -> Result<Value> {
        let probes = self.centre.list(&format!("/api/v1/sites/{site}/probes"))?;
        probes.into_iter().find(|probe| probe["name"] == name).with_context(|| format!("no probe {name} at {site}"))
    }

    /// Waits until a probe is judged so, and returns how long that took.
    fn becomes(&self, site: &str, name: &str, state: &str, within: Duration) -> Result<Duration> {
        let began = clock::now();
        let what = format!("{name} at {site} is {state}");
        let judged = || Ok(self.probe(site, name).ok().and_then(|probe| Some(probe["state"].as_str()?.to_owned())));
        clock::until(&what, within, judged, |now| now.as_deref() == Some(state))?;
        Ok(clock::now().duration_since(began))
    }
}

#[test]
#[ignore = "needs root"]
fn the_cut_of_a_line_between_two_sites_is_known_at_the_centre_in_time_and_so_is_its_mending() -> Result<()> {
    let lab = Lab::new()?;
    let proving = prove(&lab)?;
    for (site, name) in [(CITY, "county"), (CITY, "county-agent"), (COUNTY, "city"), (COUNTY, "gateway")] {
        proving.becomes(site, name, "up", SETTLED_WITHIN)?;
    }

    proving.line.cut()?;
    let down = proving.becomes(CITY, "county", "down", DOWN_WITHIN)?;
    let by_agent = proving.becomes(CITY, "county-agent", "down", DOWN_WITHIN)?;
    ensure!(down + by_agent <= DOWN_WITHIN, "{down:?} and {by_agent:?} more");
    proving.line.mend()?;
    let up = proving.becomes(CITY, "county", "up", UP_WITHIN)?;
    proving.becomes(CITY, "county-agent", "up", UP_WITHIN)?;
    report::note(format_args!("cut known at the centre after {} ms", down.as_millis()));
    report::note(format_args!("mended known at the centre after {} ms", up.as_millis()));
    tests_of_the_line(&proving)
}

/// A call sounds well; of 2 Mbit/s over a line of 1 half comes through; an agent that may not be reached is named.
fn tests_of_the_line(proving: &Proving) -> Result<()> {
    let measure = |more: &[&str]| -> Result<Value> {
        let printed = proving.centre.ok(&[&["measure", CITY, "county-agent", "--json"], more].concat())?;
        serde_json::from_str(&printed).context("what measure prints is no JSON")
    };
    let media = measure(&[])?;
    ensure!((media["sent"].as_u64(), media["lost"].as_u64()) == (Some(500), Some(0)), "{media}");
    ensure!(media["mos"].as_f64().is_some_and(|mos| mos > 4.2), "{media}");
    proving.line.shape(1_000, 100)?;
    let rates = measure(&["--throughput", "--kbit-per-s", "2000", "--seconds", "3"])?;
    let rate = |key: &str| rates[key].as_u64().with_context(|| format!("no {key}: {rates}"));
    let (sent, out, back) = (rate("rate_sent_kbit")?, rate("rate_out_kbit")?, rate("rate_back_kbit")?);
    report::note(format_args!("of {sent} kbit/s over a line of 1000, {out} came there and {back} back"));
    // The line counts the head of the Ethernet frame as well, and its bucket is full at the beginning.
    ensure!(
        (1_900..=2_000).contains(&sent) && (900..=1_100).contains(&out) && (850..=1_100).contains(&back),
        "{rates}"
    );
    // What a test told is among what the probe measured, and no minute of it.
    let told = || {
        let probe = proving.probe(CITY, "county-agent")?;
        Ok((probe["media"]["mos"].as_f64(), probe["throughput"]["rate_out_kbit"].as_u64()))
    };
    clock::until("both tests are shown", UP_WITHIN, told, |(mos, out)| mos.is_some() && out.is_some())?;
    let refused = proving.centre.cli(&["measure", CITY, "county-agent", "--throughput", "--kbit-per-s", "9000"])?;
    ensure!(refused.status != 0 && refused.err.contains("throughput_max_kbit"), "{refused:?}");
    let refused = proving.centre.cli(&["measure", COUNTY, "city"])?;
    ensure!(refused.status != 0 && refused.err.contains("asks by icmp"), "{refused:?}");
    Ok(())
}
