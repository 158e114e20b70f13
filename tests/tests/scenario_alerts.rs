//! Who is told of a province that is cut? By real Prometheus and Alertmanager, with the product's rules and routes: the duty
//! officer's group, in one message, and in one more that it is over; nobody of the sites behind it, though their agents are silent
//! for long.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        alerting::{Alerting, Told},
        country::{Country, MINISTRY, PROVINCE},
        netns::Lab,
        product::API_PORT,
    },
    report,
};

const TOLD_WITHIN: Duration = Duration::from_secs(60);
const OVER_WITHIN: Duration = Duration::from_secs(120);
/// Ten of the intervals in which Alertmanager would tell of anything new.
const QUIET: Duration = Duration::from_secs(20);
/// Agents behind the province, its own among them.
const BEHIND: u64 = 6;
/// How long the agents behind it are silent before Prometheus says so, and for how long longer they are, so that their alert would come
/// if nothing explained it.
const SILENT_WITHIN: Duration = Duration::from_secs(60);
const SILENT_FOR: Duration = Duration::from_secs(30);

/// Counts messages by receiver, alert and status.
fn counted(told: &[Told]) -> BTreeMap<(String, String, String), usize> {
    let mut counts = BTreeMap::new();
    for it in told {
        for alert in &it.alerts {
            *counts.entry((it.receiver.clone(), alert.clone(), it.status.clone())).or_default() += 1;
        }
    }
    counts
}

#[test]
#[ignore = "makes network namespaces: needs root, iptables, snmpd, lldpd, prometheus, prometheus-alertmanager, python3"]
fn a_cut_province_is_told_of_once_and_once_that_it_is_over() -> Result<()> {
    let lab = Lab::new()?;
    let country = Country::build(&lab)?;
    let token = country.centre.token("prometheus", "viewer", None)?;
    let node = country.centre.node().clone();
    let codes: Vec<&str> = country.agents.keys().copied().collect();
    let alerting = Alerting::start(&node, &format!("127.0.0.1:{API_PORT}"), &token, &codes)?;
    let open = || country.open();
    clock::until("nothing is wrong", OVER_WITHIN, open, BTreeSet::is_empty)?;
    // What was wrong while everything started is over, and was told of as that.
    let balanced = |told: &Vec<Told>| {
        let of = |status| told.iter().filter(|it| it.status == status).count();
        of("firing") == of("resolved")
    };
    clock::until("whoever was told of the start knows that it is over", OVER_WITHIN, || alerting.told(), balanced)?;
    let before = alerting.told()?.len();
    let since = || alerting.told().map(|told| told.into_iter().skip(before).collect::<Vec<_>>());

    let seen = cut_and_mended(&country, &alerting, since);
    if seen.is_err() {
        let incidents = country.centre.list("/api/v1/incidents?state=all&limit=1000")?;
        let whole = incidents
            .iter()
            .filter_map(|it| country.centre.api.json(&format!("/api/v1/incidents/{}", it["id"].as_str()?)).ok());
        report::note(format_args!("incidents: {:#?}", whole.collect::<Vec<_>>()));
    }
    seen?;
    // Prometheus tells again after a minute what it had to say before it knew Alertmanager.
    clock::until("the dead man's switch is heard", OVER_WITHIN, || alerting.is_alive(), |alive| *alive).map(drop)
}

/// Cuts the province and mends it; returns an error unless two messages leave: that it is cut, and that it is over.
fn cut_and_mended(country: &Country, alerting: &Alerting, since: impl Fn() -> Result<Vec<Told>>) -> Result<()> {
    let since = &since;
    let has = |status: &'static str| move |told: &Vec<Told>| told.iter().any(|it| it.status == status);
    country.way(PROVINCE, MINISTRY)?.line.cut()?;
    let began = clock::now();
    clock::until("somebody is told", TOLD_WITHIN, since, has("firing"))?;
    report::note(format_args!("told {:.1} s after the cut", began.elapsed().as_secs_f64()));
    let told = since()?.len();
    clock::until("agents are silent", SILENT_WITHIN, || alerting.silent(), |silent| *silent >= BEHIND)?;
    clock::throughout("nobody is told of anything more", SILENT_FOR, since, |now| now.len() == told)?;
    country.way(PROVINCE, MINISTRY)?.line.mend()?;
    let began = clock::now();
    clock::until("somebody is told that it is over", OVER_WITHIN, since, has("resolved"))?;
    report::note(format_args!("told that it is over {:.1} s after the mending", began.elapsed().as_secs_f64()));
    country.all_connected()?;
    let told = since()?.len();
    clock::throughout("nobody is told again", QUIET, since, |now| now.len() == told)?;

    let told = since()?;
    let counts = counted(&told);
    report::note(format_args!("{counts:?}"));
    let of = |receiver: &str, alert: &str, status: &str| {
        counts.get(&(receiver.to_owned(), alert.to_owned(), status.to_owned())).copied().unwrap_or_default()
    };
    for status in ["firing", "resolved"] {
        ensure!(of("duty", "OnenetIncidentGrave", status) == 1, "202 sites are grave; {status}: {told:#?}");
    }
    ensure!(told.len() == 2, "somebody else was told, or somebody twice: {told:#?}");
    ensure!(told.iter().all(|it| it.labels["tier"] == "province"), "{told:#?}");
    Ok(())
}
