//! What broke, and what follows from it? A ministry, a province, two cities and three counties, one of them on both cities, in
//! namespaces with lines between them: lines are cut, agents killed, the daemon is cut off, and each time there is one incident
//! of the right cause, within 15 seconds, over within 30 of the mending.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock::{self, Look},
    lab::{
        line::Line,
        netns::{Lab, Node},
        product::{Agent, Centre},
    },
    report,
};
use serde_json::Value;

const RAISED_WITHIN: Duration = Duration::from_secs(15);
const HEALED_WITHIN: Duration = Duration::from_secs(30);
/// An agent is silent after a minute; then the tick that sees it.
const SILENT_WITHIN: Duration = Duration::from_secs(75);
/// How long a line that flapped may be called bad.
const CALM_WITHIN: Duration = Duration::from_secs(60);
/// How long agents may take to come back after a cut.
const BACK_WITHIN: Duration = Duration::from_secs(90);
const CENTRE_IP: &str = "10.9.0.100";

/// The sites: division code, number of its address, and the sites above it.
const SITES: [(&str, u8, &[&str]); 7] = [
    ("000000", 1, &[]),
    ("130000", 2, &["000000"]),
    ("130100", 3, &["130000"]),
    ("130200", 4, &["130000"]),
    ("130102", 5, &["130100"]),
    ("130202", 6, &["130200"]),
    ("130104", 7, &["130100", "130200"]),
];
const PROVINCE: &str = "130000";
const CITIES: [&str; 2] = ["130100", "130200"];
/// How long after its start the centre judges nobody by a stream that is missing.
const GRACE: Duration = Duration::from_secs(61);
const COUNTY: &str = "130102";
const OTHER_COUNTY: &str = "130202";
const DUAL_HOMED: &str = "130104";

/// A way between two sites.
struct Way {
    child: &'static str,
    parent: &'static str,
    /// Addresses of both ends.
    low: String,
    high: String,
    line: Line,
}

/// The country, with everything running.
struct Country {
    nodes: BTreeMap<&'static str, Node>,
    ways: Vec<Way>,
    /// Between the centre and the ministry's network.
    centre_line: Line,
    centre: Centre,
    agents: BTreeMap<&'static str, Agent>,
}

fn address(code: &str) -> String {
    let number = SITES.iter().find(|(known, ..)| *known == code).map_or(0, |(_, number, _)| *number);
    format!("10.9.0.{number}")
}

impl Country {
    fn build(lab: &Lab) -> Result<Self> {
        let mut nodes = BTreeMap::new();
        for (code, ..) in SITES {
            let node = lab.node(&format!("s{code}"))?;
            node.write_sysctl("net/ipv4/ip_forward", "1")?;
            node.add_address("lo", &format!("{}/32", address(code)))?;
            nodes.insert(code, node);
        }
        let centre_node = lab.node("centre")?;
        centre_node.add_address("lo", &format!("{CENTRE_IP}/32"))?;
        let ministry = &nodes["000000"];
        let centre_line = Line::lay(lab, "wan0", (&centre_node, "10.9.100.2/30"), (ministry, "10.9.100.1/30"))?;
        centre_node.ip(["route", "add", "default", "via", "10.9.100.1", "src", CENTRE_IP])?;
        ministry.ip(["route", "add", CENTRE_IP, "via", "10.9.100.2", "src", &address("000000")])?;
        let mut ways = Vec::new();
        for (child, _, parents) in SITES {
            for parent in parents {
                ways.push(Self::lay(lab, &nodes, child, parent, ways.len())?);
            }
        }
        let centre = Centre::start(&centre_node, CENTRE_IP)?;
        centre.ok(&["sites", "move", DUAL_HOMED, "--under", CITIES[0], "--under", CITIES[1]])?;
        let mut country = Self { nodes, ways, centre_line, centre, agents: BTreeMap::new() };
        for (child, _, parents) in SITES {
            if let Some(parent) = parents.first() {
                country.route(child, parent)?;
            }
        }
        country.start_agents()?;
        Ok(country)
    }

    fn lay(
        lab: &Lab,
        nodes: &BTreeMap<&'static str, Node>,
        child: &'static str,
        parent: &'static str,
        number: usize,
    ) -> Result<Way> {
        let subnet = format!("10.9.{}", number + 1);
        let (low, high) = (format!("{subnet}.2"), format!("{subnet}.1"));
        let (near, far) = (format!("{low}/30"), format!("{high}/30"));
        let line = Line::lay(lab, &format!("up{number}"), (&nodes[child], &near), (&nodes[parent], &far))?;
        Ok(Way { child, parent, low, high, line })
    }

    fn way(&self, child: &str, parent: &str) -> Result<&Way> {
        let found = self.ways.iter().find(|way| way.child == child && way.parent == parent);
        found.with_context(|| format!("no way from {child} to {parent}"))
    }

    /// Sends what a site has to say by this way, and what is for it back, all the way to the centre: what a routing protocol
    /// does between real routers.
    fn route(&self, child: &str, parent: &str) -> Result<()> {
        let way = self.way(child, parent)?;
        let own = address(child);
        self.nodes[child].ip(["route", "replace", "default", "via", &way.high, "src", &own])?;
        self.nodes[parent].ip(["route", "replace", &own, "via", &way.low])?;
        let mut below = parent;
        while let Some(above) = SITES.iter().find(|(code, ..)| *code == below).and_then(|(.., above)| above.first()) {
            let way = self.way(below, above)?;
            self.nodes[above].ip(["route", "replace", &own, "via", &way.low])?;
            below = above;
        }
        Ok(())
    }

    /// Starts an agent at each site, which measures each way up and down from there.
    fn start_agents(&mut self) -> Result<()> {
        for (code, ..) in SITES {
            let mut probes = String::from("[probing]\ngateway = false\n");
            for way in &self.ways {
                let (role, to, target) = match (way.child == code, way.parent == code) {
                    (true, _) => ("parent", way.parent, &way.high),
                    (_, true) => ("child", way.child, &way.low),
                    _ => continue,
                };
                let _ = write!(
                    probes,
                    "[[probes]]\nname = \"{role}-{to}\"\ntarget = \"{target}\"\nkind = \"icmp\"\nrole = \"{role}\"\n\
                     site = \"{to}\"\n"
                );
            }
            let mut agent = Agent::configure(&self.nodes[code], CENTRE_IP, &probes)?;
            agent.enrol_and_start(&self.centre.enrolment(code)?)?;
            self.agents.insert(code, agent);
        }
        self.all_connected()?;
        for agent in self.agents.values() {
            let up = |status: &Value| {
                let probes = status["probes"].as_array();
                probes.is_some_and(|all| !all.is_empty() && all.iter().all(|probe| probe["state"] == "up"))
            };
            clock::until("all probes are answered", BACK_WITHIN, || agent.status(), up)?;
        }
        Ok(())
    }

    /// Waits until each agent's stream is open.
    fn all_connected(&self) -> Result<()> {
        let connected = || {
            let agents = self.centre.list("/api/v1/agents")?;
            Ok(agents.iter().filter(|agent| agent["state"] == "connected").count())
        };
        clock::until("all agents are connected", BACK_WITHIN, connected, |count| *count == SITES.len()).map(drop)
    }

    /// Returns the open incidents: kind, code of the lower site, code of the upper one.
    fn open(&self) -> Result<BTreeSet<(String, String, String)>> {
        let incidents = self.centre.list("/api/v1/incidents?limit=1000")?;
        incidents.iter().map(|incident| self.named(incident)).collect()
    }

    fn named(&self, incident: &Value) -> Result<(String, String, String)> {
        let code = |key: &str| -> Result<String> {
            let Some(id) = incident["subject"][key].as_str() else { return Ok(String::new()) };
            let site = self.centre.api.json(&format!("/api/v1/sites/{id}"))?;
            Ok(site["code"].as_str().context("a site without code")?.to_owned())
        };
        let kind = incident["kind"].as_str().context("an incident without kind")?;
        Ok((kind.to_owned(), code("site")?, code("parent")?))
    }

    /// Returns the ids of all incidents there ever were.
    fn ids(&self) -> Result<BTreeSet<String>> {
        let incidents = self.centre.list("/api/v1/incidents?state=all&limit=1000")?;
        incidents.iter().map(|it| Ok(it["id"].as_str().context("an incident without id")?.to_owned())).collect()
    }

    /// Waits until exactly these incidents are open.
    fn becomes(&self, what: &str, within: Duration, wanted: &[(&str, &str, &str)]) -> Result<()> {
        let wanted: BTreeSet<_> = wanted
            .iter()
            .map(|(kind, child, parent)| (kind.to_string(), child.to_string(), parent.to_string()))
            .collect();
        let began = clock::now();
        clock::eventually(what, within, || {
            let open = self.open()?;
            Ok(if open == wanted { Look::Done(()) } else { Look::NotYet(open) })
        })?;
        report::note(format_args!("{what}: after {:.1} s", began.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Does something that breaks, waits for its incidents, mends it, waits until they are over; no other incident may have
    /// been there, also when all agents are back.
    fn breaks(
        &mut self,
        what: &str,
        (within, wanted): (Duration, &[(&str, &str, &str)]),
        break_it: impl Fn(&mut Self) -> Result<()>,
        mend: impl Fn(&mut Self) -> Result<()>,
    ) -> Result<Vec<Value>> {
        let before = self.ids()?;
        break_it(self)?;
        self.becomes(&format!("{what} is told of"), within, wanted)?;
        mend(self)?;
        self.becomes(&format!("{what} is over"), HEALED_WITHIN, &[])?;
        self.all_connected()?;
        let new: Vec<String> = self.ids()?.difference(&before).cloned().collect();
        ensure!(new.len() == wanted.len(), "{what}: {new:?} where {wanted:?} were expected");
        new.iter().map(|id| self.centre.api.json(&format!("/api/v1/incidents/{id}"))).collect()
    }
}

#[test]
#[ignore = "makes network namespaces: needs root, iptables"]
fn each_failure_is_one_incident_of_the_right_cause() -> Result<()> {
    let lab = Lab::new()?;
    let mut country = Country::build(&lab)?;
    let began = clock::now();
    country.becomes("nothing is wrong", BACK_WITHIN, &[])?;

    // The province is cut: one incident, with all six sites behind it.
    let cut = (RAISED_WITHIN, &[("link_down", PROVINCE, "000000")][..]);
    let mend = |country: &mut Country| country.way(PROVINCE, "000000")?.line.mend();
    let incidents = country.breaks("the province's line", cut, |it| it.way(PROVINCE, "000000")?.line.cut(), mend)?;
    // The table of divisions has 201 sites below it, most of them without an agent here.
    let affected = ["sites_affected", "agents_affected"].map(|key| incidents[0][key].as_u64());
    ensure!(affected == [Some(202), Some(6)], "{}", incidents[0]);
    let path = format!("/api/v1/incidents/{}", incidents[0]["id"].as_str().context("no id")?);
    let possible = || Ok(country.centre.api.json(&path)?["possible"].clone());
    clock::until("no machine started again, so it was the line", HEALED_WITHIN, possible, |it| {
        *it == serde_json::json!(["uplink_cut"])
    })?;

    // Two lines at once are two incidents. The county on both cities is reached by the other.
    let two = [("link_down", CITIES[0], PROVINCE), ("link_down", OTHER_COUNTY, CITIES[1])];
    let both = |country: &mut Country| {
        country.way(CITIES[0], PROVINCE)?.line.cut()?;
        country.way(OTHER_COUNTY, CITIES[1])?.line.cut()?;
        country.route(DUAL_HOMED, CITIES[1])
    };
    let mend = |country: &mut Country| {
        country.way(CITIES[0], PROVINCE)?.line.mend()?;
        country.way(OTHER_COUNTY, CITIES[1])?.line.mend()?;
        country.route(DUAL_HOMED, CITIES[0])
    };
    country.breaks("two lines at once", (RAISED_WITHIN, &two), both, mend)?;

    // A centre that just started waits for agents to come back, and does not take itself for cut off.
    clock::until("the centre has run for a minute", 2 * GRACE, || Ok(began.elapsed()), |passed| *passed >= GRACE)?;
    // The daemon is cut off: nobody else is to blame.
    let isolated = (RAISED_WITHIN, &[("centre_isolated", "", "")][..]);
    country.breaks("the centre", isolated, |it| it.centre_line.cut(), |it| it.centre_line.mend())?;

    // An agent stops, a city's, which measures two counties and should be measured by all around it.
    let silent = (SILENT_WITHIN, &[("agent_silent", CITIES[0], "")][..]);
    let kill = |country: &mut Country| country.agents.get_mut(CITIES[0]).context("no agent")?.kill_9();
    let start = |country: &mut Country| country.agents.get_mut(CITIES[0]).context("no agent")?.restart();
    let incidents = country.breaks("a city's agent", silent, kill, start)?;
    ensure!(incidents[0]["possible"] == serde_json::json!(["agent_stopped"]), "{}", incidents[0]);
    Ok(())
}

#[test]
#[ignore = "makes network namespaces: needs root, iptables"]
fn a_county_on_two_cities_is_cut_when_both_ways_are_and_a_flapping_line_is_one_incident() -> Result<()> {
    let lab = Lab::new()?;
    let country = Country::build(&lab)?;
    country.becomes("nothing is wrong", BACK_WITHIN, &[])?;
    let before = country.ids()?;

    // One way of two: the county is still there.
    let first = |country: &Country| country.way(DUAL_HOMED, CITIES[0]).map(|way| way.line.cut());
    first(&country)??;
    country.route(DUAL_HOMED, CITIES[1])?;
    country.becomes("one way of two", RAISED_WITHIN, &[("link_down", DUAL_HOMED, CITIES[0])])?;
    // The other as well: now it is cut, and that is the same incident.
    country.way(DUAL_HOMED, CITIES[1])?.line.cut()?;
    country.becomes("both ways of two", RAISED_WITHIN, &[("site_cut", DUAL_HOMED, "")])?;
    country.way(DUAL_HOMED, CITIES[0])?.line.mend()?;
    country.way(DUAL_HOMED, CITIES[1])?.line.mend()?;
    country.route(DUAL_HOMED, CITIES[0])?;
    country.becomes("both ways of two are over", HEALED_WITHIN, &[])?;
    country.all_connected()?;
    let new = country.ids()?.difference(&before).count();
    ensure!(new == 1, "{new} incidents, not one that became worse");

    // A line that comes and goes each second, forty times.
    let before = country.ids()?;
    let way = country.way(COUNTY, CITIES[0])?;
    let began = clock::now();
    for turn in 1..=40 {
        let change = if turn % 2 == 1 { way.line.cut() } else { way.line.mend() };
        change?;
        let due = Duration::from_secs(turn);
        clock::until("the second is over", Duration::from_secs(2), || Ok(began.elapsed()), |passed| *passed >= due)?;
    }
    // Agents judge loss by the minute, and believe in two good ones: until then the line is a bad one.
    country.becomes("the flapping line is over", CALM_WITHIN, &[])?;
    country.all_connected()?;
    let new: Vec<String> = country.ids()?.difference(&before).cloned().collect();
    ensure!(new.len() == 1, "{new:?}: one line, one incident");
    let incident = country.centre.api.json(&format!("/api/v1/incidents/{}", new[0]))?;
    ensure!(incident["subject"]["kind"] == "link", "{incident}");
    report::note(format_args!("a line that flapped was {} for {} s", incident["kind"], incident["duration_s"]));
    Ok(())
}
