//! Real servers of each kind, asked by the agents of two sites: well, then broken in a telling way each, and what the centre says of it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        checks::{Break, Hall, NAME},
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
const HALL_IP: &str = "10.9.1.2";
/// Servers and agents start, and each probe is judged.
const SETTLED_WITHIN: Duration = Duration::from_secs(90);
/// From a failure to its being known at the centre: two questions, the time that an answer may take, and a hold-down.
const KNOWN_WITHIN: Duration = Duration::from_secs(45);

struct Proving {
    centre: Centre,
    upper: Node,
    line: Line,
    hall: Hall,
    /// Held: they run.
    _agents: [Agent; 2],
}

/// What each probe is, beyond its name: kind, and keys of its own.
fn probes(hall: &Hall) -> String {
    let ca = format!("server_name = \"{NAME}\"\nca_file = \"{}\"", hall.authority().display());
    let named = format!("server_name = \"{NAME}\"");
    let lookup = format!("lookup = \"{NAME}\"");
    let all = [
        ("web", "http", named.as_str()),
        ("secure-web", "https", &ca),
        ("names", "dns", &lookup),
        ("mail", "smtp", &ca),
        ("mailboxes", "imap", &ca),
        ("directory", "ldap", ""),
        ("time", "ntp", ""),
        ("switchboard", "sip", "user = \"desk\""),
    ];
    let probe = |(name, kind, keys): &(&str, &str, &str)| {
        format!(
            "[[probes]]\nname = \"{name}\"\nkind = \"{kind}\"\nsite = \"{CITY}\"\ntarget = \"{HALL_IP}\"\n\
             interval_ms = 1000\ntimeout_ms = 2000\ndown_after = 2\n{keys}\n"
        )
    };
    all.iter().map(probe).collect()
}

fn prove(lab: &Lab) -> Result<Proving> {
    let node = |name: &str| lab.node(name);
    let (centre_node, upper, lower, hall_node) = (node("centre")?, node("upper")?, node("lower")?, node("hall")?);
    Line::lay(lab, "wan0", (&upper, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    let line = Line::lay(lab, "wan1", (&lower, &format!("{LOWER_IP}/30")), (&upper, &format!("{UPPER_IP}/30")))?;
    Line::lay(lab, "lan0", (&hall_node, &format!("{HALL_IP}/30")), (&upper, "10.9.1.1/30"))?;
    upper.write_sysctl("net/ipv4/ip_forward", "1")?;
    lower.ip(["route", "add", "default", "via", UPPER_IP])?;
    hall_node.ip(["route", "add", "default", "via", "10.9.1.1"])?;
    centre_node.ip(["route", "add", "10.9.0.0/30", "via", "10.8.0.2"])?;
    let hall = Hall::open(&hall_node, HALL_IP)?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let way = |name: &str, role: &str, site: &str, target: &str| {
        format!("[[probes]]\nname = \"{name}\"\nrole = \"{role}\"\nsite = \"{site}\"\ntarget = \"{target}\"\n")
    };
    let start = |node: &Node, text: &str, site: &str| -> Result<Agent> {
        let mut agent = Agent::configure(node, CENTRE_IP, text)?;
        agent.enrol_and_start(&centre.enrolment(site)?)?;
        Ok(agent)
    };
    let services = probes(&hall);
    let agents = [
        start(&upper, &(way("county", "child", COUNTY, LOWER_IP) + &services), CITY)?,
        start(&lower, &(way("city", "parent", CITY, UPPER_IP) + &services), COUNTY)?,
    ];
    Ok(Proving { centre, upper, line, hall, _agents: agents })
}

impl Proving {
    fn probe(&self, site: &str, name: &str) -> Result<Value> {
        let probes = self.centre.list(&format!("/api/v1/sites/{site}/probes"))?;
        probes.into_iter().find(|probe| probe["name"] == name).with_context(|| format!("no probe {name} at {site}"))
    }

    /// Waits until both sites judge a service so, and the reason has these words.
    fn becomes(&self, name: &str, state: &str, words: &str) -> Result<()> {
        for site in [CITY, COUNTY] {
            let what = format!("{name} is {state} at {site}: {words}");
            let told = || {
                let probe = self.probe(site, name)?;
                Ok((
                    probe["state"].as_str().unwrap_or("").to_owned(),
                    probe["detail"].as_str().unwrap_or("").to_owned(),
                ))
            };
            clock::until(&what, SETTLED_WITHIN, told, |(now, why)| now == state && why.contains(words))?;
        }
        Ok(())
    }

    /// Returns the open incidents: kind, what of, and what may be behind it.
    fn incidents(&self) -> Result<Vec<(String, String, Value)>> {
        let open = self.centre.list("/api/v1/incidents?limit=1000")?;
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let told = |it: &Value| (text(&it["kind"]), text(&it["subject"]["id"]), it["possible"].clone());
        let mut told: Vec<_> = open.iter().map(told).collect();
        told.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
        Ok(told)
    }

    /// Waits until exactly these incidents are open: kind and service.
    fn incidents_become(&self, wanted: &[(&str, &str)]) -> Result<Vec<Value>> {
        let same = |all: &Vec<(String, String, Value)>| {
            all.len() == wanted.len() && all.iter().zip(wanted).all(|(is, to)| (is.0.as_str(), is.1.as_str()) == *to)
        };
        let all = clock::until(&format!("incidents {wanted:?}"), KNOWN_WITHIN, || self.incidents(), same)?;
        Ok(all.into_iter().map(|(_, _, possible)| possible).collect())
    }
}

/// Each service, how it is broken, and what is said of it then.
const BROKEN: [(&str, Break, &str, &str); 8] = [
    ("web", Break::Stopped, "down", "the connection is refused"),
    ("secure-web", Break::Expired, "degraded", "its certificate ended"),
    ("names", Break::Unknown, "degraded", "NXDOMAIN"),
    ("mail", Break::Expired, "degraded", "its certificate ended"),
    ("mailboxes", Break::Stopped, "down", "the connection is refused"),
    ("directory", Break::Hung, "down", "no answer to the search within 2 s"),
    ("time", Break::Unset, "degraded", "its clock is not synchronised"),
    ("switchboard", Break::Unavailable, "degraded", "it answers 503 Service Unavailable"),
];

#[test]
#[ignore = "needs root"]
fn each_kind_of_service_is_up_then_broken_in_its_own_way_and_the_centre_says_what_and_for_whom() -> Result<()> {
    let lab = Lab::new()?;
    let mut proving = prove(&lab)?;
    for (name, ..) in BROKEN {
        proving.becomes(name, "up", "")?;
    }
    proving.incidents_become(&[])?;

    let began = clock::now();
    for (name, how, ..) in BROKEN {
        proving.hall.break_down(name, how)?;
    }
    for (name, _, state, words) in BROKEN {
        proving.becomes(name, state, words)?;
    }
    report::note(format_args!("eight broken services known at the centre after {} ms", began.elapsed().as_millis()));
    let mut wanted: Vec<_> = BROKEN.map(|(name, _, state, _)| (incident(state), name)).to_vec();
    wanted.sort_unstable();
    let possible = proving.incidents_become(&wanted)?;
    ensure!(possible.iter().all(|it| *it == serde_json::json!(["itself"])), "both sites see it: {possible:?}");

    for (name, ..) in BROKEN {
        proving.hall.mend(name)?;
    }
    for (name, ..) in BROKEN {
        proving.becomes(name, "up", "")?;
    }
    proving.incidents_become(&[])?;

    // One site alone is kept from the web server: the way there, since the other can use it.
    let rule = ["FORWARD", "-s", LOWER_IP, "-p", "tcp", "--dport", "80", "-j", "DROP"];
    proving.upper.run("iptables", ["-w", "-I"].into_iter().chain(rule))?;
    let possible = proving.incidents_become(&[("service_down", "web")])?;
    ensure!(possible == [serde_json::json!(["way_to_service"])], "{possible:?}");
    proving.upper.run("iptables", ["-w", "-D"].into_iter().chain(rule))?;
    proving.incidents_become(&[])?;

    // The county's line is cut: its services are the line's consequence, and no incidents.
    proving.line.cut()?;
    let cut =
        |all: &Vec<(String, String, Value)>| all.iter().any(|(kind, ..)| kind == "site_cut" || kind == "link_down");
    clock::until("the line's incident", KNOWN_WITHIN, || proving.incidents(), cut)?;
    let only = |all: &Vec<(String, String, Value)>| all.len() == 1;
    clock::throughout("it is the only one", Duration::from_secs(30), || proving.incidents(), only)?;
    proving.line.mend()
}

fn incident(state: &str) -> &'static str {
    if state == "down" { "service_down" } else { "service_degraded" }
}
