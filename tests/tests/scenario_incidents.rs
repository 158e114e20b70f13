//! What broke, and what follows from it? A ministry, a province, two cities and three counties, one of them on both cities, each with a
//! router (snmpd, lldpd) and an agent, in namespaces with lines between them: lines are cut, routers lose their power, agents are
//! killed, the daemon is cut off, and each time there is one incident of the right cause, within 15 seconds, over within 30 of the
//! mending.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use onenet_tests::{
    clock::{self, Look},
    lab::{
        country::{
            BACK_WITHIN, CITIES, COUNTY, Country, DUAL_HOMED, INNER, MINISTRY, Named, OTHER_COUNTY, PROVINCE, router,
        },
        line::Line,
        netns::Lab,
    },
    report,
};
use serde_json::{Value, json};

const RAISED_WITHIN: Duration = Duration::from_secs(15);
const HEALED_WITHIN: Duration = Duration::from_secs(30);
/// How long after its start the centre judges nobody by a stream that is missing.
const GRACE: Duration = Duration::from_secs(61);

/// Waits until exactly these incidents are open: kind, code of the site, code of the upper site.
fn becomes(country: &Country, what: &str, within: Duration, wanted: &[(&str, &str, &str)]) -> Result<()> {
    let wanted: BTreeSet<Named> =
        wanted.iter().map(|(kind, child, parent)| (kind.to_string(), child.to_string(), parent.to_string())).collect();
    let began = clock::now();
    clock::eventually(what, within, || {
        let open = country.open()?;
        Ok(if open == wanted { Look::Done(()) } else { Look::NotYet(open) })
    })?;
    report::note(format_args!("{what}: after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

/// Does something that breaks, waits for its incidents, mends it, waits until they are over; no other incident may have been there,
/// also when all agents are back. Returns the incidents.
fn breaks(
    country: &mut Country,
    what: &str,
    wanted: &[(&str, &str, &str)],
    break_it: impl FnOnce(&mut Country) -> Result<()>,
    mend: impl FnOnce(&mut Country) -> Result<()>,
) -> Result<Vec<Value>> {
    let before = country.ids()?;
    break_it(country)?;
    becomes(country, &format!("{what} is told of"), RAISED_WITHIN, wanted)?;
    mend(country)?;
    becomes(country, &format!("{what} is over"), HEALED_WITHIN, &[])?;
    country.all_connected()?;
    let new: Vec<String> = country.ids()?.difference(&before).cloned().collect();
    let new = new.iter().map(|id| country.centre.api.json(&format!("/api/v1/incidents/{id}")));
    let new: Vec<Value> = new.collect::<Result<_>>()?;
    ensure!(new.len() == wanted.len(), "{what}: {new:#?} where {wanted:?} were expected");
    Ok(new)
}

/// Returns how many sites, agents and devices an incident keeps from working.
fn affected(incident: &Value) -> [Option<u64>; 3] {
    ["sites_affected", "agents_affected", "devices_affected"].map(|key| incident[key].as_u64())
}

#[test]
#[ignore = "makes network namespaces: needs root, iptables, snmpd, lldpd"]
fn each_failure_is_one_incident_of_the_right_cause() -> Result<()> {
    let lab = Lab::new()?;
    let mut country = Country::build(&lab)?;
    let began = clock::now();
    becomes(&country, "nothing is wrong", BACK_WITHIN, &[])?;

    // The province is cut: one incident, with all six sites behind it.
    let cut = [("link_down", PROVINCE, MINISTRY)];
    let line = |country: &Country| country.way(PROVINCE, MINISTRY).map(|way| way.line.cut());
    let mend = |country: &mut Country| country.way(PROVINCE, MINISTRY)?.line.mend();
    let incidents = breaks(&mut country, "the province's line", &cut, |it| line(it)?, mend)?;
    // The table of divisions has 201 sites below it, most of them without an agent here.
    ensure!(affected(&incidents[0]) == [Some(202), Some(6), Some(8)], "{}", incidents[0]);
    let path = format!("/api/v1/incidents/{}", incidents[0]["id"].as_str().context("no id")?);
    let possible = || Ok(country.centre.api.json(&path)?["possible"].clone());
    clock::until("no machine started again, so it was the line", HEALED_WITHIN, possible, |it| {
        *it == json!(["uplink_cut"])
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
    breaks(&mut country, "two lines at once", &two, both, mend)?;

    // A centre that just started waits for agents to come back, and does not take itself for cut off.
    clock::until("the centre has run for a minute", 2 * GRACE, || Ok(began.elapsed()), |passed| *passed >= GRACE)?;
    // The daemon is cut off: nobody else is to blame.
    let isolated = [("centre_isolated", "", "")];
    breaks(&mut country, "the centre", &isolated, |it| it.centre_line.cut(), |it| it.centre_line.mend())?;

    // An agent stops, a city's, which measures two counties and should be measured by all around it.
    let silent = [("agent_silent", CITIES[0], "")];
    let kill = |country: &mut Country| country.agent(CITIES[0])?.kill_9();
    let start = |country: &mut Country| country.agent(CITIES[0])?.restart();
    let incidents = breaks(&mut country, "a city's agent", &silent, kill, start)?;
    ensure!(incidents[0]["possible"] == json!(["agent_stopped"]), "{}", incidents[0]);
    Ok(())
}

#[test]
#[ignore = "makes network namespaces: needs root, iptables, snmpd, lldpd"]
fn a_router_that_loses_its_power_is_one_incident_wherever_it_stands() -> Result<()> {
    let lab = Lab::new()?;
    let mut country = Country::build(&lab)?;
    becomes(&country, "nothing is wrong", BACK_WITHIN, &[])?;

    // A city's router: everything behind it is out of reach; the county on both cities goes by the other one.
    let city = [("link_down", CITIES[0], PROVINCE)];
    let off = |country: &mut Country| {
        country.router(&router(CITIES[0]))?.power_off()?;
        country.route(DUAL_HOMED, CITIES[1])
    };
    let on = |country: &mut Country| {
        country.router(&router(CITIES[0]))?.power_on()?;
        country.route(DUAL_HOMED, CITIES[0])
    };
    let incidents = breaks(&mut country, "a city's router", &city, off, on)?;
    // The city and its 22 counties but the one with another way; agents of city and county, their routers.
    let [_, agents, devices] = affected(&incidents[0]);
    ensure!((agents, devices) == (Some(2), Some(4)), "{}", incidents[0]);

    // A router within a county: the one behind it is no failure of its own.
    let inner = [("device_down", COUNTY, "")];
    let off = |country: &mut Country| country.router(INNER[0])?.power_off();
    let on = |country: &mut Country| {
        let devices = || {
            let open = country.centre.list("/api/v1/incidents")?;
            Ok(open.first().and_then(|incident| incident["devices_affected"].as_u64()))
        };
        clock::until("the router behind it is found silent too", RAISED_WITHIN, devices, |count| *count == Some(2))?;
        country.router(INNER[0])?.power_on()
    };
    let incidents = breaks(&mut country, "a router within a county", &inner, off, on)?;
    let [sites, agents, devices] = affected(&incidents[0]);
    ensure!((sites, agents, devices) == (Some(0), Some(0), Some(2)), "{}", incidents[0]);
    let device = incidents[0]["subject"]["id"].as_str().context("no device")?;
    let device = country.centre.api.json(&format!("/api/v1/devices/{device}"))?;
    ensure!(device["name"] == INNER[0], "{device}");
    let site = country.centre.api.json(&format!("/api/v1/sites/{COUNTY}"))?;
    ensure!(incidents[0]["site"] == site["id"], "{}", incidents[0]);
    Ok(())
}

/// Cuts a line and mends it again, a second each, for half a minute.
fn flap(line: &Line, began: Instant) -> Result<()> {
    for turn in 1..=30 {
        let change = if turn % 2 == 1 { line.cut() } else { line.mend() };
        change?;
        let due = Duration::from_secs(turn);
        clock::until("the second is over", Duration::from_secs(2), || Ok(began.elapsed()), |passed| *passed >= due)?;
    }
    Ok(())
}

#[test]
#[ignore = "makes network namespaces: needs root, iptables, snmpd, lldpd"]
fn a_county_on_two_cities_is_cut_when_both_ways_are_and_a_flapping_line_is_one_incident() -> Result<()> {
    let lab = Lab::new()?;
    let country = Country::build(&lab)?;
    becomes(&country, "nothing is wrong", BACK_WITHIN, &[])?;
    let before = country.ids()?;

    // One way of two: the county is still there.
    let first = |country: &Country| country.way(DUAL_HOMED, CITIES[0]).map(|way| way.line.cut());
    first(&country)??;
    country.route(DUAL_HOMED, CITIES[1])?;
    becomes(&country, "one way of two", RAISED_WITHIN, &[("link_down", DUAL_HOMED, CITIES[0])])?;
    // The other as well: now it is cut, and that is the same incident.
    country.way(DUAL_HOMED, CITIES[1])?.line.cut()?;
    becomes(&country, "both ways of two", RAISED_WITHIN, &[("site_cut", DUAL_HOMED, "")])?;
    country.way(DUAL_HOMED, CITIES[0])?.line.mend()?;
    country.way(DUAL_HOMED, CITIES[1])?.line.mend()?;
    country.route(DUAL_HOMED, CITIES[0])?;
    becomes(&country, "both ways of two are over", HEALED_WITHIN, &[])?;
    country.all_connected()?;
    let new = country.ids()?.difference(&before).count();
    ensure!(new == 1, "{new} incidents, not one that became worse");

    // A line that comes and goes each second.
    let before = country.ids()?;
    let way = country.way(COUNTY, CITIES[0])?;
    let began = clock::now();
    let told = thread::scope(|scope| {
        let flapping = scope.spawn(|| flap(&way.line, began));
        let told = clock::eventually("the flapping line is told of", RAISED_WITHIN, || {
            let new = country.ids()?.difference(&before).count();
            Ok(if new > 0 { Look::Done(began.elapsed()) } else { Look::NotYet(new) })
        });
        flapping.join().map_err(|_| anyhow!("the line's thread panicked"))??;
        told
    })?;
    report::note(format_args!("a line that flaps is told of after {:.1} s", told.as_secs_f64()));
    becomes(&country, "the flapping line is over", HEALED_WITHIN, &[])?;
    country.all_connected()?;
    let new: Vec<String> = country.ids()?.difference(&before).cloned().collect();
    ensure!(new.len() == 1, "{new:?}: one line, one incident");
    let incident = country.centre.api.json(&format!("/api/v1/incidents/{}", new[0]))?;
    ensure!(incident["subject"]["kind"] == "link", "{incident}");
    report::note(format_args!("a line that flapped was {} for {} s", incident["kind"], incident["duration_s"]));
    Ok(())
}
