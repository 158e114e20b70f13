//! What did this terminal do? Real programs talk at a site, and the centre asks for their flows over a line of 2 Mbit/s.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use onenet_tests::{
    clock,
    lab::{
        api::{Answer, Api},
        dhcp,
        frames::Frames,
        line::Line,
        mirror,
        netns::Lab,
        product::{Agent, COUNTY, Centre, Said},
        services::{self, Services},
        site::CENTRE_IP,
        switch::Switch,
        vendor::Vendor,
    },
    report,
};
use serde_json::Value;

const SERVER_IP: &str = "10.77.0.10";
const CLIENT_NAME: &str = "desk-7";
const LINE_KBIT_PER_S: u32 = 2_000;
/// How far live reports may lag while somebody asks for flows.
const LAG_MAX: Duration = Duration::from_secs(5);
const SETTLES_WITHIN: Duration = Duration::from_secs(40);
/// Connections beside the real ones, so that an answer takes time.
const CONNECTIONS: u32 = 25_000;
/// How long they take at the least: 20,000 frames a second, which an agent without optimisation takes in on one of two cores.
const CONNECTIONS_TAKE: Duration = Duration::from_secs(10);
/// An answer of so many bytes is under way when the line is cut.
const CUT_AFTER_BYTES: u64 = 100_000;
/// Who scans, with probes of some 450 bytes: 3,000 of them are more than a file may have.
const SCANNER_IP: &str = "10.77.0.60";
/// A scan is told of, its packets are saved, and the anomaly is at the centre.
const FOUND_WITHIN: Duration = Duration::from_secs(120);
/// What a file of the scan has at the least; it takes three seconds and a half of the whole line.
const CAPTURE_BYTES_MIN: u64 = 900_000;
const REASON: &str = "case 2026-17: what did desk-7 do";

/// A site where a terminal has used everything that there is, with a long log behind it.
struct Office<'lab> {
    switch: Switch<'lab>,
    line: Line,
    centre: Centre,
    agent: Agent,
    client_ip: String,
    /// The API as security staff sees it.
    security: Api,
    // Programs that run on.
    _dhcp: (dhcp::Server, dhcp::Client),
    _services: Services,
}

fn mac(number: u16) -> onenet_topology::MacAddr {
    Vendor::Dell.mac(number)
}

impl<'lab> Office<'lab> {
    fn open(lab: &'lab Lab) -> Result<Self> {
        let switch = Switch::new(lab, "access", Vendor::H3c.mac(0x0401))?;
        let (centre_node, collector) = (lab.node("centre")?, lab.node("collector")?);
        mirror::mirror(lab, &switch, &collector, "cap0")?;
        let line = Line::lay(lab, "wan0", (&collector, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
        line.shape(LINE_KBIT_PER_S, 400)?;
        let centre = Centre::start(&centre_node, CENTRE_IP)?;
        let watches = "[capture]\ninterfaces = [\"cap0\"]\nring_mib = 64\nlocal_prefixes = [\"10.77.0.0/24\"]\nevidence_mib = 4\n\
                       [flow_log]\nroll_up_s = 10\n";
        let mut agent = Agent::configure(&collector, CENTRE_IP, watches)?;
        agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;
        let listens = |status: &Value| status["interfaces"][0]["listening"] == true;
        clock::until("the agent listens", SETTLES_WITHIN, || agent.status(), listens)?;

        let busy = switch.plug_in_mirrored("ge2", "busy", mac(2))?;
        let began = clock::now();
        let frames = Frames::Connections.send(&busy, 0, CONNECTIONS, CONNECTIONS_TAKE)?;
        report::note(format_args!("{frames} frames of {CONNECTIONS} connections in {:?}", began.elapsed()));
        let server = switch.plug_in_mirrored("ge3", "server", mac(3))?;
        server.add_address("eth0", &format!("{SERVER_IP}/24"))?;
        let plan = dhcp::Plan { pool: ("10.77.0.100", "10.77.0.120"), ipv6_prefix: None };
        let leases = dhcp::Server::start(&server, "eth0", plan)?;
        let services = Services::start(&server, SERVER_IP.parse()?)?;
        let client = switch.plug_in_mirrored("ge4", CLIENT_NAME, mac(4))?;
        let lease = dhcp::Client::start(&client, CLIENT_NAME)?;
        services.use_all(&client)?;

        let token = centre.token("security", "security-reviewer", Some(COUNTY))?;
        let security = centre.api.with_token(&token);
        let client_ip = lease.ip.clone();
        let (dhcp, services) = ((leases, lease), services);
        let mut office = Self { switch, line, centre, agent, client_ip, security, _dhcp: dhcp, _services: services };
        // Frames are taken in order: who speaks now is known when all before was taken in.
        office.newcomer(50)?;
        // What goes on when an agent ends is recorded: nobody has to wait until a flow of UDP is taken for over.
        office.agent.stop()?;
        office.agent.restart()?;
        let connected = |status: &Value| status["centre"]["connected"] == true && status["stopped"].is_null();
        clock::until("the agent is back", SETTLES_WITHIN, || office.agent.status(), connected)?;
        Ok(office)
    }

    /// Has a new host speak, and returns how long it takes until the centre knows it.
    fn newcomer(&self, number: u16) -> Result<Duration> {
        let host = self.switch.plug_in_mirrored(&format!("ge{number}"), &format!("new{number}"), mac(number))?;
        host.add_address("eth0", &format!("10.77.0.{number}/24"))?;
        let spoke = clock::now();
        host.run("ping", ["-c1", "-W5", SERVER_IP])?;
        self.centre.endpoint_becomes(mac(number), "is known", SETTLES_WITHIN, |_| true)?;
        Ok(spoke.elapsed())
    }

    /// Asks by the API for what the terminal did.
    fn asks(&self, filter: &str) -> Result<Answer> {
        let reason = REASON.replace(' ', "+");
        self.security.get(&format!("/api/v1/sites/{COUNTY}/flows?reason={reason}{filter}"))
    }

    fn asks_well(&self, filter: &str) -> Result<Vec<Value>> {
        let answer = self.asks(filter)?;
        ensure!(answer.status == 200, "{filter}: {answer:?}");
        let page: Value = serde_json::from_str(&answer.body)?;
        ensure!(page["agents"][0]["state"] == "answered", "{page}");
        page["items"].as_array().cloned().context("no items")
    }

    /// Returns the name of the capture file that the scan's anomaly names.
    fn capture_of_the_scan(&self) -> Result<Option<String>> {
        let found = self.centre.list("/api/v1/anomalies?kind=port_scan")?;
        let scan = found.iter().find(|it| it["subject"] == SCANNER_IP);
        let mut evidence = scan.and_then(|it| it["evidence"].as_array()).into_iter().flatten();
        let named = evidence.find(|piece| piece["is"] == "capture");
        Ok(named.and_then(|piece| piece["value"].as_str()).map(str::to_owned))
    }

    /// Fetches a capture file. Returns how many bytes it has.
    fn fetches(&self, file: &str) -> Result<u64> {
        let to = self.centre.node().dir().join("scan.pcapng");
        let to_text = to.to_str().context("the lab's directory is not UTF-8")?;
        self.centre.ok(&["anomalies", "capture", COUNTY, file, "--reason", REASON, "--to", to_text])?;
        let bytes = std::fs::metadata(&to)?.len();
        // The next one is another file: nothing is overwritten.
        std::fs::remove_file(&to)?;
        Ok(bytes)
    }

    /// Asks by `onenetd flows` for everything.
    fn asks_for_all(&self) -> Result<Said> {
        self.centre.cli(&["flows", COUNTY, "--reason", REASON, "--limit", "1000000", "--json"])
    }
}

/// What a flow has to be named, and how much has to be in it.
struct Expected<'e> {
    application: &'e str,
    originator: &'e str,
    responder: (&'e str, u16),
    protocol: u8,
    bytes_in_min: u64,
}

impl Expected<'_> {
    fn fits(&self, flow: &Value) -> bool {
        let (ip, port) = self.responder;
        flow["application"] == self.application
            && flow["application_by"] == "payload"
            && flow["originator"]["ip"] == self.originator
            && flow["responder"]["ip"] == ip
            && flow["responder"]["port"] == port
            && flow["protocol"] == self.protocol
    }

    /// Whether the counts of packets and bytes can be true of it.
    fn is_plausible(&self, flow: &Value) -> bool {
        let number = |field: &str| flow[field].as_u64().unwrap_or_default();
        let (packets, bytes) = (number("packets_in"), number("bytes_in"));
        // Offloading hands on segments of up to 64 KiB, so there may be few packets; headers are at most an eighth on top.
        packets > 0
            && bytes >= self.bytes_in_min.max(42 * packets)
            && bytes < 2 * self.bytes_in_min.max(20_000)
            && number("packets_out") > 0
            && number("bytes_out") >= 42 * number("packets_out")
    }
}

/// Checks that everything the terminal did is there, rightly named.
fn everything_is_named_rightly(office: &Office<'_>) -> Result<()> {
    let flows = office.asks_well(&format!("&endpoint={}&limit=1000", mac(4)))?;
    let (client, server) = (office.client_ip.as_str(), SERVER_IP);
    let tcp = |application, port, bytes_in_min| Expected {
        application,
        originator: client,
        responder: (server, port),
        protocol: 6,
        bytes_in_min,
    };
    let udp = |application, port| Expected { protocol: 17, ..tcp(application, port, 60) };
    let expected = [
        udp("dns", services::DNS_PORT),
        tcp("http", services::HTTP_PORT, services::DOCUMENT_BYTES),
        tcp("tls", services::TLS_PORT, 1_000),
        tcp("ssh", services::SSH_PORT, services::SHELL_BYTES),
        udp("sip", services::SIP_PORT),
    ];
    for it in &expected {
        let found: Vec<_> = flows.iter().filter(|flow| it.fits(flow)).collect();
        let shown = serde_json::to_string_pretty(&flows)?;
        ensure!(!found.is_empty(), "no {} of the terminal among {shown}", it.application);
        ensure!(found.iter().all(|flow| it.is_plausible(flow)), "{}: {found:?}", it.application);
    }
    let asked = flows.iter().find(|flow| flow["application"] == "dhcp").context("no DHCP")?;
    ensure!(asked["responder"]["port"] == 67 && asked["packets_out"].as_u64() >= Some(2), "{asked}");
    let name =
        |application: &str| flows.iter().any(|it| it["application"] == application && it["name"] == services::PORTAL);
    ensure!(name("dns") && name("http") && name("tls"), "{} is not named: {flows:?}", services::PORTAL);
    let finished = flows.iter().filter(|flow| flow["protocol"] == 6);
    ensure!(finished.clone().all(|flow| flow["tcp"]["handshake_us"].is_u64()), "{:?}", finished.collect::<Vec<_>>());
    Ok(())
}

/// Checks that the same is told by both command lines.
fn both_command_lines_tell_it(office: &Office<'_>) -> Result<()> {
    let filter = ["--endpoint", &office.client_ip, "--application", "ssh"];
    let by_centre: Vec<&str> = ["flows", COUNTY, "--reason", REASON].into_iter().chain(filter).collect();
    let at_centre = office.centre.ok(&by_centre)?;
    let at_site: Vec<&str> =
        ["flows"].into_iter().chain(filter).chain(["--config", office.agent.config_text()?]).collect();
    let at_site = office.agent.cli(&at_site)?;
    ensure!(at_site.status == 0, "{at_site:?}");
    for told in [&at_centre, &at_site.out] {
        ensure!(told.lines().any(|line| line.contains("ssh") && line.contains(&format!("{SERVER_IP}:22"))), "{told}");
    }
    Ok(())
}

/// Checks that whoever may not read flows is told that there is nothing, and that a question needs a reason.
fn others_see_nothing(office: &Office<'_>) -> Result<()> {
    let viewer = office.centre.api.with_token(&office.centre.token("viewer", "viewer", Some(COUNTY))?);
    let elsewhere = office.centre.token("elsewhere", "security-reviewer", Some("320000"))?;
    let path = format!("/api/v1/sites/{COUNTY}/flows?reason=because");
    for api in [&viewer, &office.centre.api, &office.centre.api.with_token(&elsewhere)] {
        let answer = api.get(&path)?;
        ensure!(answer.status == 404, "{answer:?}");
    }
    let without = office.security.get(&format!("/api/v1/sites/{COUNTY}/flows"))?;
    ensure!(without.status == 400 && without.body.contains("reason"), "{without:?}");
    Ok(())
}

/// Checks that county and site can read who asked what, and why.
fn the_county_reads_who_asked(office: &Office<'_>) -> Result<()> {
    let auditor = office.centre.token("county-auditor", "audit-administrator", Some(COUNTY))?;
    let trail = office.centre.api.with_token(&auditor).json("/api/v1/audit?limit=1000")?;
    let of_terminal = format!("of {}", mac(4));
    let entry = trail["items"].as_array().into_iter().flatten().find(|entry| {
        entry["action"] == "read_flows"
            && entry["reason"] == REASON
            && entry["outcome"] == "done"
            && entry["subject"].as_str().is_some_and(|text| text.contains(&of_terminal))
    });
    ensure!(entry.is_some_and(|entry| entry["principal"] == "security"), "{trail}");
    let is_told = |status: &Value| {
        let mut asked = status["flows_asked"].as_array().into_iter().flatten();
        asked.any(|it| it["principal"] == "security" && it["reason"] == REASON)
    };
    clock::until("the site's status tells who asked", SETTLES_WITHIN, || office.agent.status(), is_told).map(drop)
}

/// Checks that what the terminal did adds up at the centre, unasked.
fn roll_ups_arrive(office: &Office<'_>) -> Result<()> {
    let path = format!("/api/v1/sites/{COUNTY}/applications");
    let bytes = |page: &Value, name: &str| {
        let row = page["items"].as_array().into_iter().flatten().find(|row| row["application"] == name);
        row.and_then(|row| row["bytes"].as_u64()).unwrap_or_default()
    };
    let all = |page: &Value| {
        bytes(page, "http") >= services::DOCUMENT_BYTES
            && bytes(page, "ssh") >= services::SHELL_BYTES
            && ["dns", "tls", "sip", "dhcp"].iter().all(|name| bytes(page, name) > 0)
    };
    clock::until("roll-ups are there", SETTLES_WITHIN, || office.security.json(&path), all).map(drop)
}

#[test]
#[ignore = "needs root, dnsmasq, dhclient, openssl, openssh, sipp and nmap"]
fn the_centre_asks_over_a_thin_line_what_a_terminal_did_and_the_county_reads_who_asked() -> Result<()> {
    let lab = Lab::new()?;
    let office = Office::open(&lab)?;
    everything_is_named_rightly(&office)?;
    both_command_lines_tell_it(&office)?;
    others_see_nothing(&office)?;
    the_county_reads_who_asked(&office)?;
    roll_ups_arrive(&office)?;
    live_reports_are_not_held_up(&office)?;
    a_capture_is_fetched_beside_live_reports(&office)?;
    a_cut_line_is_a_clear_error(&office)
}

/// Asks for everything, again and again, while new hosts speak: the centre knows each soon.
fn live_reports_are_not_held_up(office: &Office<'_>) -> Result<()> {
    let (enough, rounds, flows) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (began, crossed): (Instant, _) = (clock::now(), office.line.crossed()?);
    let lags = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            while !enough.load(Ordering::Relaxed) {
                let said = office.asks_for_all()?;
                ensure!(said.status == 0, "status {}: {}", said.status, said.err);
                flows.store(said.out.lines().count() as u64, Ordering::Relaxed);
                rounds.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        let lags = (51..56).map(|number| office.newcomer(number)).collect::<Result<Vec<_>>>();
        enough.store(true, Ordering::Relaxed);
        asking.join().map_err(|_| anyhow!("asking failed"))??;
        lags
    })?;
    let bits = (office.line.crossed()?.sent - crossed.sent) * 8;
    let used_kbit_per_s = bits / u64::try_from(began.elapsed().as_millis())?.max(1);
    let (rounds, flows) = (rounds.into_inner(), flows.into_inner());
    report::note(format_args!(
        "{flows} flows told, {rounds} times in {:?}, {used_kbit_per_s} kbit/s of {LINE_KBIT_PER_S}; live reports took {lags:?}",
        began.elapsed()
    ));
    ensure!(flows > u64::from(CONNECTIONS), "only {flows} flows were told");
    ensure!(used_kbit_per_s > u64::from(LINE_KBIT_PER_S) / 8, "the line was not busy: {used_kbit_per_s} kbit/s");
    ensure!(lags.iter().all(|lag| *lag < LAG_MAX), "live reports lagged: {lags:?}");
    Ok(())
}

/// Has a host scan with large probes, and fetches the capture of that, again and again, while new hosts speak.
fn a_capture_is_fetched_beside_live_reports(office: &Office<'_>) -> Result<()> {
    let scanner = office.switch.plug_in_mirrored("ge60", "scanner", mac(60))?;
    scanner.add_address("eth0", &format!("{SCANNER_IP}/24"))?;
    let probes = ["-n", "-Pn", "-sS", "--data-length", "400", "--max-retries", "0", "-p", "1-3000", SERVER_IP];
    scanner.run("nmap", probes)?;
    let file =
        clock::until("a capture of the scan is named", FOUND_WITHIN, || office.capture_of_the_scan(), Option::is_some)?;
    let file = file.context("no capture")?;
    let fetched = || office.fetches(&file);
    let large = |bytes: &u64| *bytes > CAPTURE_BYTES_MIN;
    clock::until("the capture has what came after the first packets", SETTLES_WITHIN, fetched, large)?;

    let (enough, rounds, bytes) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (began, crossed): (Instant, _) = (clock::now(), office.line.crossed()?);
    let lags = thread::scope(|scope| {
        let fetching = scope.spawn(|| {
            while !enough.load(Ordering::Relaxed) {
                bytes.fetch_add(office.fetches(&file)?, Ordering::Relaxed);
                rounds.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
        let lags = (61..66).map(|number| office.newcomer(number)).collect::<Result<Vec<_>>>();
        enough.store(true, Ordering::Relaxed);
        fetching.join().map_err(|_| anyhow!("fetching failed"))??;
        lags
    })?;
    let bits = (office.line.crossed()?.sent - crossed.sent) * 8;
    let used_kbit_per_s = bits / u64::try_from(began.elapsed().as_millis())?.max(1);
    report::note(format_args!(
        "a capture fetched {} times, {} bytes in all, in {:?}, {used_kbit_per_s} kbit/s; live reports took {lags:?}",
        rounds.into_inner(),
        bytes.into_inner(),
        began.elapsed()
    ));
    ensure!(used_kbit_per_s > u64::from(LINE_KBIT_PER_S) / 8, "the line was not busy: {used_kbit_per_s} kbit/s");
    ensure!(lags.iter().all(|lag| *lag < LAG_MAX), "live reports lagged: {lags:?}");
    Ok(())
}

/// Cuts the line while an answer is under way.
fn a_cut_line_is_a_clear_error(office: &Office<'_>) -> Result<()> {
    let before = office.line.crossed()?.sent;
    let said = thread::scope(|scope| {
        let asking = scope.spawn(|| office.asks_for_all());
        let sent = || Ok(office.line.crossed()?.sent - before);
        clock::until("an answer is under way", SETTLES_WITHIN, sent, |sent| *sent > CUT_AFTER_BYTES)?;
        office.line.cut()?;
        asking.join().map_err(|_| anyhow!("asking failed"))?
    })?;
    report::note(format_args!("the command line, cut while asking: {:?}", said.err.lines().last()));
    ensure!(said.status != 0, "nothing failed: {}", said.err);
    is_clear(office, &said.err)?;
    let answer = office.asks("&port=22")?;
    report::note(format_args!("the API, of a line that is cut: {answer:?}"));
    ensure!([502, 503, 504].contains(&answer.status), "{answer:?}");
    is_clear(office, &answer.body)?;
    office.line.mend()?;
    let mended = || Ok(office.asks("&port=22")?.status);
    clock::until("the question is answered again", Duration::from_secs(90), mended, |status| *status == 200).map(drop)
}

/// Checks that a message names the site, and says what to do.
fn is_clear(office: &Office<'_>, message: &str) -> Result<()> {
    let sites = office.centre.api.json(&format!("/api/v1/sites/{COUNTY}"))?;
    let name = sites["name"]["zh"].as_str().context("a site without a name")?;
    ensure!(message.contains(name) || message.contains(COUNTY), "{message:?} does not name {name} ({COUNTY})");
    ensure!(message.contains("ask again"), "{message:?} does not say what to do");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_flow_log_that_cannot_be_opened_is_known_at_the_centre() -> Result<()> {
    let lab = Lab::new()?;
    let (centre_node, collector, field) = (lab.node("centre")?, lab.node("collector")?, lab.node("field")?);
    let _line = Line::lay(&lab, "wan0", (&collector, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    lab.cable(&collector, "cap0", &field, "eth0")?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let data = lab.dir().join("data");
    let watches = "[capture]\ninterfaces = [\"cap0\"]\n";
    let mut agent = Agent::configure_with_data(&collector, CENTRE_IP, &data, watches)?;
    let said = agent.enrol(&centre.enrolment(COUNTY)?)?;
    ensure!(said.status == 0, "{said:?}");
    // A file stands where the log's folder has to be.
    std::fs::write(data.join("flows"), "in the way")?;
    agent.restart()?;
    let conditions = || centre.list(&format!("/api/v1/conditions?site={COUNTY}"));
    let is_told = |all: &Vec<Value>| all.iter().any(|it| it["kind"] == "flows_lost" && it["subject"] == "flow log");
    let told = clock::until("the centre knows", SETTLES_WITHIN, conditions, is_told)?;
    ensure!(told[0]["detail"].as_str().is_some_and(|text| text.contains("restart the agent")), "{told:?}");
    let security = centre.api.with_token(&centre.token("security", "security-reviewer", Some(COUNTY))?);
    let answer = security.get(&format!("/api/v1/sites/{COUNTY}/flows?reason=because"))?;
    ensure!(answer.status == 502 && answer.body.contains("cannot be opened"), "{answer:?}");

    agent.stop()?;
    std::fs::remove_file(data.join("flows"))?;
    agent.restart()?;
    clock::until("the centre knows that it is mended", SETTLES_WITHIN, conditions, Vec::is_empty).map(drop)
}
