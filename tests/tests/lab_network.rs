//! The lab itself, proved against the kernel: namespaces go away, mirrors show everything once, lines cut and mend.

use std::{panic, process::Command, time::Duration};

use anyhow::Result;
use onenet_tests::{
    clock,
    lab::{
        line::Line,
        mirror,
        netns::{Lab, Node},
        process::Process,
        switch::Switch,
        vendor::Vendor,
    },
};

const SOON: Duration = Duration::from_secs(10);

fn namespaces() -> Result<String> {
    Ok(String::from_utf8(Command::new("ip").args(["netns", "list"]).output()?.stdout)?)
}

fn ping(node: &Node, target: &str) -> bool {
    node.run("ping", ["-c1", "-W1", target]).is_ok()
}

fn reaches(node: &Node, target: &str) -> Result<()> {
    clock::until(&format!("{target} answers"), SOON, || Ok(ping(node, target)), |answers| *answers).map(drop)
}

#[test]
#[ignore = "needs root"]
fn a_lab_and_its_processes_are_gone_after_a_panic() {
    let (name_of, pid_of) = (std::sync::Mutex::new(String::new()), std::sync::Mutex::new(0));
    let result = panic::catch_unwind(|| {
        let lab = Lab::new().unwrap();
        let node = lab.node("doomed").unwrap();
        let sleeper = Process::start(&node, "sleeper", node.command("sleep").tap("600")).unwrap();
        *name_of.lock().unwrap() = node.netns().to_owned();
        *pid_of.lock().unwrap() = sleeper.id();
        assert!(namespaces().unwrap().contains(node.netns()));
        // The handle is lost, as by a bug in a test; the lab must still end the process.
        std::mem::forget(sleeper);
        panic!("on purpose");
    });
    assert!(result.is_err());
    assert!(!namespaces().unwrap().contains(name_of.lock().unwrap().as_str()));
    let stat = format!("/proc/{}/stat", pid_of.lock().unwrap());
    let state = || Ok(std::fs::read_to_string(&stat).unwrap_or_default());
    // Gone, or dead and waiting for this very process to reap what it forgot.
    clock::until("the sleeper is dead", SOON, state, |text| text.is_empty() || text.contains(") Z ")).unwrap();
}

#[test]
#[ignore = "needs root"]
fn two_labs_with_the_same_names_live_side_by_side() -> Result<()> {
    let (one, two) = (Lab::new()?, Lab::new()?);
    for lab in [&one, &two] {
        let switch = Switch::new(lab, "switch", Vendor::H3c.mac(1))?;
        switch.manage_at("10.9.0.3/24")?;
        let host = switch.plug_in("port1", "host", Vendor::Dell.mac(1))?;
        host.add_address("eth0", "10.9.0.10/24")?;
        reaches(&host, "10.9.0.3")?;
        assert_eq!(host.mac("eth0")?, Vendor::Dell.mac(1));
    }
    Ok(())
}

#[test]
#[ignore = "needs root and tshark"]
fn a_mirror_shows_each_frame_between_two_hosts_exactly_once() -> Result<()> {
    let lab = Lab::new()?;
    let switch = Switch::new(&lab, "switch", Vendor::H3c.mac(1))?;
    let one = switch.plug_in("port1", "one", Vendor::Dell.mac(1))?;
    let two = switch.plug_in("port2", "two", Vendor::Hp.mac(2))?;
    one.add_address("eth0", "10.9.0.1/24")?;
    two.add_address("eth0", "10.9.0.2/24")?;
    let collector = lab.node("collector")?;
    mirror::mirror(&lab, &switch, &collector, "cap0")?;
    let mut command = collector.command("tshark");
    command.args(["-l", "-n", "-i", "cap0", "-f", "icmp", "-T", "fields", "-e", "ip.src", "-e", "icmp.seq"]);
    let mut capture = Process::start(&collector, "tshark", command)?;
    capture.says("Capture started", SOON)?;
    one.run("ping", ["-c3", "-i0.2", "-W1", "10.9.0.2"])?;
    let seen = || {
        let log = capture.log();
        let frames = log.lines().filter(|line| line.starts_with("10.9.0."));
        Ok(frames.map(str::to_owned).collect::<Vec<_>>())
    };
    let frames = clock::until("three questions and three answers", SOON, seen, |frames| frames.len() >= 6)?;
    let wanted = (1..=3).flat_map(|n| [format!("10.9.0.1\t{n}"), format!("10.9.0.2\t{n}")]).collect::<Vec<_>>();
    assert_eq!(frames, wanted);
    let sent = collector.run("cat", ["/sys/class/net/cap0/statistics/tx_packets"])?;
    assert_eq!(sent.trim(), "0", "a capture port is silent");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_cut_line_passes_nothing_and_a_mended_one_everything() -> Result<()> {
    let lab = Lab::new()?;
    let (site, centre) = (lab.node("site")?, lab.node("centre")?);
    let line = Line::lay(&lab, "wan0", (&site, "10.8.0.2/30"), (&centre, "10.8.0.1/30"))?;
    reaches(&site, "10.8.0.1")?;
    line.cut()?;
    assert!(!ping(&site, "10.8.0.1") && !ping(&centre, "10.8.0.2"));
    line.mend()?;
    reaches(&site, "10.8.0.1")?;
    line.set_carrier(false)?;
    assert!(!ping(&site, "10.8.0.1"));
    line.set_carrier(true)?;
    reaches(&site, "10.8.0.1")
}

#[test]
#[ignore = "needs root"]
fn the_line_counts_headers_and_payload_of_what_crosses() -> Result<()> {
    let lab = Lab::new()?;
    let (site, centre) = (lab.node("site")?, lab.node("centre")?);
    let line = Line::lay(&lab, "wan0", (&site, "10.8.0.2/30"), (&centre, "10.8.0.1/30"))?;
    reaches(&site, "10.8.0.1")?;
    let before = line.crossed()?;
    site.run("ping", ["-c2", "-i0.2", "-s1000", "10.8.0.1"])?;
    let after = line.crossed()?;
    // Ethernet 14 + IPv4 20 + ICMP 8 + 1000, twice; an ARP exchange (42 bytes) may fall into the same moment.
    for (sent, name) in [(after.sent - before.sent, "sent"), (after.received - before.received, "received")] {
        assert!((2084..2084 + 3 * 42).contains(&sent), "{name} {sent}");
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_small_disk_is_full_when_it_is_full() -> Result<()> {
    let lab = Lab::new()?;
    let disk = lab.small_disk("disk", 64)?;
    assert!(std::fs::write(disk.join("fits"), vec![0; 10_000]).is_ok());
    let error = std::fs::write(disk.join("too-big"), vec![0; 100_000]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    Ok(())
}

/// Adds one argument to a command in passing.
trait Tap {
    fn tap(self, argument: &str) -> Self;
}

impl Tap for Command {
    fn tap(mut self, argument: &str) -> Self {
        self.arg(argument);
        self
    }
}
