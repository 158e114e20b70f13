//! The anchor: an agent that says nothing else is in the table of every switch of its VLAN.

use std::time::Duration;

use anyhow::{Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        line::Line,
        netns::Lab,
        product::{Agent, COUNTY, Centre},
        site::CENTRE_IP,
        switch::{BRIDGE, Switch},
    },
};
use onenet_topology::MacAddr;

/// Starting, enrolling and the first announcement.
const LEARNED_WITHIN: Duration = Duration::from_secs(30);

/// Returns the ports at which a switch has learned an address.
fn learned(switch: &Switch<'_>, mac: MacAddr) -> Result<Vec<String>> {
    let rows = switch.node().run("bridge", ["fdb", "show", "br", BRIDGE])?;
    let mac = mac.to_string();
    let of_mac = rows.lines().filter(|row| row.starts_with(&mac) && !row.contains("permanent"));
    Ok(of_mac.filter_map(|row| row.split_whitespace().nth(2)).map(str::to_owned).collect())
}

#[test]
#[ignore = "needs root"]
fn every_switch_learns_the_agent_at_the_port_that_leads_to_it_and_the_centre_knows_the_anchor() -> Result<()> {
    let lab = Lab::new()?;
    let mac = |last: u8| MacAddr([0x00, 0x1b, 0x21, 0x00, 0x05, last]);
    let (near, far) = (Switch::new(&lab, "near", mac(1))?, Switch::new(&lab, "far", mac(2))?);
    near.uplink("up1", &far, "down1")?;
    let agent_node = near.plug_in("p1", "agent", mac(3))?;
    agent_node.add_address("eth0", "10.20.0.5/24")?;
    let centre_node = lab.node("centre")?;
    Line::lay(&lab, "wan0", (&agent_node, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let mut agent =
        Agent::configure(&agent_node, CENTRE_IP, "[anchor]\ninterval_s = 30\n[capture]\ninterfaces = []\n")?;
    ensure!(learned(&far, mac(3))?.is_empty(), "nothing was said yet");
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;
    for (switch, port) in [(&near, "p1"), (&far, "down1")] {
        let at = || learned(switch, mac(3));
        clock::until("the anchor is learned", LEARNED_WITHIN, at, |ports| ports == &[port.to_owned()])?;
    }
    let written = || -> Result<String> { centre.ok(&["topology", "export", COUNTY]) };
    let told = |text: &String| text.contains(&mac(3).to_string());
    clock::until("the anchor is in the export", LEARNED_WITHIN, written, told)?;
    Ok(())
}
