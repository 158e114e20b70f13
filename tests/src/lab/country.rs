//! A small country of all four levels: a ministry, a province, two cities and three counties, one of them on both cities. Each site has
//! a router, with snmpd and lldpd, and behind it an agent that polls it and measures the ways up and down.
//!
//! ```text
//!   centre ── r000000 ── r130000 ── r130100 ── r130102 ── r130102-1 ── r130102-2
//!                            └───── r130200 ── r130202
//!                        r130100 ── r130104 ── r130200
//! ```
//!
//! Invariant: routes are set by whoever cuts a line ([`Country::route`]), as a routing protocol would.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    line::Line,
    netns::Lab,
    product::{Agent, Centre},
    router::Router,
    snmpd::COMMUNITY,
};
use crate::clock;

/// The ministry.
pub const MINISTRY: &str = "000000";
/// The province.
pub const PROVINCE: &str = "130000";
/// Its cities.
pub const CITIES: [&str; 2] = ["130100", "130200"];
/// The county of the first city, with two more routers behind its own.
pub const COUNTY: &str = "130102";
/// The county of the second city.
pub const OTHER_COUNTY: &str = "130202";
/// The county of both.
pub const DUAL_HOMED: &str = "130104";
/// The routers behind the county's own, one behind the other.
pub const INNER: [&str; 2] = ["r130102-1", "r130102-2"];
/// How long agents may take to come back.
pub const BACK_WITHIN: Duration = Duration::from_secs(90);

/// The sites: division code, number of its addresses, and the sites above it.
const SITES: [(&str, u8, &[&str]); 7] = [
    (MINISTRY, 1, &[]),
    (PROVINCE, 2, &[MINISTRY]),
    (CITIES[0], 3, &[PROVINCE]),
    (CITIES[1], 4, &[PROVINCE]),
    (COUNTY, 5, &[CITIES[0]]),
    (OTHER_COUNTY, 6, &[CITIES[1]]),
    (DUAL_HOMED, 7, &CITIES),
];
const CENTRE_IP: &str = "10.9.0.100";
/// The addresses of the routers behind the county's own, and their lines up.
const INNER_WAYS: [(&str, &str); 2] = [("10.11.1.2", "10.11.1.1"), ("10.11.2.2", "10.11.2.1")];

/// An incident as tests compare it: kind, code of the site, code of the upper site; empty where there is none.
pub type Named = (String, String, String);

/// A way between two sites.
#[derive(Debug)]
pub struct Way {
    child: &'static str,
    parent: &'static str,
    /// Addresses of both ends.
    low: String,
    high: String,
    /// The cable.
    pub line: Line,
}

/// The country, with everything running.
#[derive(Debug)]
pub struct Country {
    /// The routers, by name: `r` and the code of the site.
    pub routers: BTreeMap<String, Router>,
    ways: Vec<Way>,
    /// Between the centre and the ministry's network.
    pub centre_line: Line,
    /// The daemon.
    pub centre: Centre,
    /// The agents, by code of the site.
    pub agents: BTreeMap<&'static str, Agent>,
}

fn number(code: &str) -> u8 {
    SITES.iter().find(|(known, ..)| *known == code).map_or(0, |(_, number, _)| *number)
}

/// Returns the address of a site's agent.
fn address(code: &str) -> String {
    format!("10.9.0.{}", number(code))
}

/// Returns the name of a site's router.
pub fn router(code: &str) -> String {
    format!("r{code}")
}

impl Country {
    /// Builds all of it, and waits until everything is measured and answers.
    ///
    /// # Errors
    ///
    /// Something is not installed or does not start.
    pub fn build(lab: &Lab) -> Result<Self> {
        let mut routers = BTreeMap::new();
        for name in SITES.iter().map(|(code, ..)| router(code)).chain(INNER.map(str::to_owned)) {
            routers.insert(name.clone(), Router::new(lab, &name)?);
        }
        let centre_node = lab.node("centre")?;
        centre_node.add_address("lo", &format!("{CENTRE_IP}/32"))?;
        let ministry = routers[&router(MINISTRY)].node();
        let centre_line = Line::lay(lab, "wan0", (&centre_node, "10.9.100.2/30"), (ministry, "10.9.100.1/30"))?;
        centre_node.ip(["route", "add", "default", "via", "10.9.100.1", "src", CENTRE_IP])?;
        ministry.ip(["route", "add", CENTRE_IP, "via", "10.9.100.2"])?;
        let mut ways = Vec::new();
        for (child, _, parents) in SITES {
            for parent in parents {
                ways.push(lay(lab, &routers, child, parent, ways.len())?);
            }
        }
        let centre = Centre::start(&centre_node, CENTRE_IP)?;
        centre.ok(&["sites", "move", DUAL_HOMED, "--under", CITIES[0], "--under", CITIES[1]])?;
        let mut country = Self { routers, ways, centre_line, centre, agents: BTreeMap::new() };
        country.lay_inner(lab)?;
        country.settle(lab)?;
        Ok(country)
    }

    /// Puts two more routers behind the county's.
    fn lay_inner(&self, lab: &Lab) -> Result<()> {
        let county = router(COUNTY);
        let chain = [county.as_str(), INNER[0], INNER[1]];
        for (at, (low, high)) in INNER_WAYS.iter().enumerate() {
            let (upper, lower) = (self.routers[chain[at]].node(), self.routers[chain[at + 1]].node());
            let (near, far) = (format!("{low}/30"), format!("{high}/30"));
            Line::lay(lab, &format!("in{at}"), (lower, &near), (upper, &far))?;
            lower.ip(["route", "add", "default", "via", high])?;
        }
        self.routers[&county].node().ip(["route", "add", "10.11.2.0/30", "via", INNER_WAYS[0].0])
    }

    /// Puts the agents behind their routers, and starts everything.
    fn settle(&mut self, lab: &Lab) -> Result<()> {
        for (code, number, _) in SITES {
            let (node, upper) = (lab.node(&format!("a{code}"))?, self.routers[&router(code)].node());
            node.add_address("lo", &format!("{}/32", address(code)))?;
            let (near, far) = (format!("10.10.{number}.2/30"), format!("10.10.{number}.1/30"));
            Line::lay(lab, "lan0", (&node, &near), (upper, &far))?;
            let own = address(code);
            node.ip(["route", "add", "default", "via", &format!("10.10.{number}.1"), "src", &own])?;
            upper.ip(["route", "add", &own, "via", &format!("10.10.{number}.2")])?;
            self.agents.insert(code, Agent::configure(&node, CENTRE_IP, &self.watched(code))?);
        }
        for (child, _, parents) in SITES {
            if let Some(parent) = parents.first() {
                self.route(child, parent)?;
            }
        }
        self.routers.values_mut().try_for_each(Router::start)?;
        let codes = SITES.map(|(code, ..)| code);
        for code in codes {
            let token = self.centre.enrolment(code)?;
            self.agents.get_mut(code).context("no agent")?.enrol_and_start(&token)?;
        }
        self.all_connected()?;
        for agent in self.agents.values() {
            clock::until("all probes and routers answer", BACK_WITHIN, || agent.status(), all_well)?;
        }
        Ok(())
    }

    /// Returns what a site's agent watches: its routers, and the ways up and down.
    fn watched(&self, code: &str) -> String {
        let mut text = String::from(
            "[capture]\ninterfaces = [\"lan0\"]\n[intervals]\ninterfaces_s = 5\nneighbours_s = 10\n[probing]\ngateway = false\n",
        );
        let own = (router(code), format!("10.10.{}.1", number(code)));
        let inner = INNER.iter().zip(INNER_WAYS).filter(|_| code == COUNTY);
        let inner = inner.map(|(name, (low, _))| ((*name).to_owned(), low.to_owned()));
        for (name, ip) in std::iter::once(own).chain(inner) {
            let _ = write!(text, "[[devices]]\nname = \"{name}\"\naddress = \"{ip}\"\ncommunity = \"{COMMUNITY}\"\n");
        }
        for way in &self.ways {
            let (role, to, target) = match (way.child == code, way.parent == code) {
                (true, _) => ("parent", way.parent, &way.high),
                (_, true) => ("child", way.child, &way.low),
                _ => continue,
            };
            let _ = write!(
                text,
                "[[probes]]\nname = \"{role}-{to}\"\ntarget = \"{target}\"\nkind = \"icmp\"\nrole = \"{role}\"\nsite = \"{to}\"\n"
            );
        }
        text
    }

    /// Returns the way between two sites.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn way(&self, child: &str, parent: &str) -> Result<&Way> {
        let found = self.ways.iter().find(|way| way.child == child && way.parent == parent);
        found.with_context(|| format!("no way from {child} to {parent}"))
    }

    /// Sends what a site has to say by this way, and what is for it back, all the way to the centre.
    ///
    /// # Errors
    ///
    /// There is no such way.
    pub fn route(&self, child: &str, parent: &str) -> Result<()> {
        let (way, own) = (self.way(child, parent)?, address(child));
        let node = |code: &str| self.routers[&router(code)].node();
        node(child).ip(["route", "replace", "default", "via", &way.high])?;
        node(parent).ip(["route", "replace", &own, "via", &way.low])?;
        let mut below = parent;
        while let Some(above) = SITES.iter().find(|(code, ..)| *code == below).and_then(|(.., above)| above.first()) {
            let way = self.way(below, above)?;
            node(above).ip(["route", "replace", &own, "via", &way.low])?;
            below = above;
        }
        Ok(())
    }

    /// Returns a router.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn router(&mut self, name: &str) -> Result<&mut Router> {
        self.routers.get_mut(name).with_context(|| format!("no router {name}"))
    }

    /// Returns the agent of a site.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn agent(&mut self, code: &str) -> Result<&mut Agent> {
        self.agents.get_mut(code).with_context(|| format!("no agent at {code}"))
    }

    /// Waits until each agent's stream is open.
    ///
    /// # Errors
    ///
    /// It takes longer than [`BACK_WITHIN`].
    pub fn all_connected(&self) -> Result<()> {
        let connected = || {
            let agents = self.centre.list("/api/v1/agents")?;
            Ok(agents.iter().filter(|agent| agent["state"] == "connected").count())
        };
        clock::until("all agents are connected", BACK_WITHIN, connected, |count| *count == SITES.len()).map(drop)
    }

    /// Returns the open incidents.
    ///
    /// # Errors
    ///
    /// The API does not answer.
    pub fn open(&self) -> Result<BTreeSet<Named>> {
        let incidents = self.centre.list("/api/v1/incidents?limit=1000")?;
        incidents.iter().map(|incident| self.named(incident)).collect()
    }

    fn named(&self, incident: &Value) -> Result<Named> {
        let code = |key: &str| -> Result<String> {
            let Some(id) = incident["subject"][key].as_str() else { return Ok(String::new()) };
            let site = self.centre.api.json(&format!("/api/v1/sites/{id}"))?;
            Ok(site["code"].as_str().context("a site without code")?.to_owned())
        };
        let kind = incident["kind"].as_str().context("an incident without kind")?;
        Ok((kind.to_owned(), code("site")?, code("parent")?))
    }

    /// Returns the ids of all incidents there ever were.
    ///
    /// # Errors
    ///
    /// The API does not answer.
    pub fn ids(&self) -> Result<BTreeSet<String>> {
        let incidents = self.centre.list("/api/v1/incidents?state=all&limit=1000")?;
        incidents.iter().map(|it| Ok(it["id"].as_str().context("an incident without id")?.to_owned())).collect()
    }
}

/// Lays the cable between the routers of two sites.
fn lay(
    lab: &Lab,
    routers: &BTreeMap<String, Router>,
    child: &'static str,
    parent: &'static str,
    number: usize,
) -> Result<Way> {
    let (low, high) = (format!("10.9.{}.2", number + 1), format!("10.9.{}.1", number + 1));
    let (near, far) = (format!("{low}/30"), format!("{high}/30"));
    let [lower, upper] = [child, parent].map(|code| routers[&router(code)].node());
    let line = Line::lay(lab, &format!("up{number}"), (lower, &near), (upper, &far))?;
    Ok(Way { child, parent, low, high, line })
}

/// Returns whether all that an agent probes and polls answers.
fn all_well(status: &Value) -> bool {
    let all = |list: &str, key: &str, good: &str| {
        status[list].as_array().is_some_and(|all| !all.is_empty() && all.iter().all(|one| one[key] == good))
    };
    all("probes", "state", "up") && all("devices", "reach", "answering")
}
