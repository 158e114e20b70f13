//! A way whose last line carries 1,400 bytes: found exactly, and a black hole is named when nobody says that packets are too large.

use std::time::Duration;

use anyhow::{Context, Result};
use onenet_tests::{
    clock,
    lab::{
        line::Line,
        netns::Lab,
        product::{Agent, COUNTY, Centre},
        site::CENTRE_IP,
    },
    report,
};

const FAR_IP: &str = "10.9.2.2";
const MTU: u32 = 1_400;
/// A window, a look at the way, and the way to the centre.
const MEASURED_WITHIN: Duration = Duration::from_secs(120);
/// The same after a way that came up, which is looked at again no sooner than a minute after the last time; what vanishes is asked
/// for three times a size.
const KNOWN_WITHIN: Duration = Duration::from_secs(180);

#[test]
#[ignore = "needs root"]
fn the_largest_packet_of_a_way_is_found_and_a_black_hole_is_named() -> Result<()> {
    let lab = Lab::new()?;
    let (centre_node, near, router, far) =
        (lab.node("centre")?, lab.node("near")?, lab.node("router")?, lab.node("far")?);
    Line::lay(&lab, "wan0", (&near, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    Line::lay(&lab, "wan1", (&near, "10.9.1.2/30"), (&router, "10.9.1.1/30"))?;
    let narrow = Line::lay(&lab, "wan2", (&far, &format!("{FAR_IP}/30")), (&router, "10.9.2.1/30"))?;
    for node in [&far, &router] {
        node.ip(["link", "set", "wan2", "mtu", &MTU.to_string()])?;
    }
    router.write_sysctl("net/ipv4/ip_forward", "1")?;
    near.ip(["route", "add", "10.9.2.0/30", "via", "10.9.1.1"])?;
    far.ip(["route", "add", "default", "via", "10.9.2.1"])?;

    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let text = format!(
        "[probing]\ngateway = false\n[[probes]]\nname = \"far\"\ntarget = \"{FAR_IP}\"\ninterval_ms = 500\ntimeout_ms = 1000\n"
    );
    let mut agent = Agent::configure(&near, CENTRE_IP, &text)?;
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;
    let probe = || {
        let probes = centre.list(&format!("/api/v1/sites/{COUNTY}/probes"))?;
        probes.into_iter().find(|probe| probe["name"] == "far").context("no probe far")
    };
    let told = || {
        let probe = probe()?;
        let detail = probe["detail"].as_str().unwrap_or("").to_owned();
        Ok((probe["state"].as_str().unwrap_or("").to_owned(), detail, probe["measured"]["path_mtu"].as_u64()))
    };
    let plain = |(state, detail, mtu): &(String, String, Option<u64>)| {
        state == "up" && detail.is_empty() && *mtu == Some(u64::from(MTU))
    };
    clock::until("the way carries 1,400 bytes, and its router says so", MEASURED_WITHIN, told, plain)?;

    let silence = ["OUTPUT", "-p", "icmp", "--icmp-type", "fragmentation-needed", "-j", "DROP"];
    router.run("iptables", ["-w", "-I"].into_iter().chain(silence))?;
    narrow.cut()?;
    clock::until("the way is cut", KNOWN_WITHIN, told, |(state, ..)| state == "down")?;
    narrow.mend()?;
    let began = clock::now();
    let wanted = format!("packets over {MTU} bytes vanish on the way, and nothing says so");
    let named = |(state, detail, _): &(String, String, Option<u64>)| state == "degraded" && *detail == wanted;
    clock::until("larger packets vanish", KNOWN_WITHIN, told, named)?;
    report::note(format_args!("black hole named after {} ms", began.elapsed().as_millis()));

    router.run("iptables", ["-w", "-D"].into_iter().chain(silence))?;
    narrow.cut()?;
    clock::until("the way is cut again", KNOWN_WITHIN, told, |(state, ..)| state == "down")?;
    narrow.mend()?;
    clock::until("the router says it again", KNOWN_WITHIN, told, plain).map(drop)
}
