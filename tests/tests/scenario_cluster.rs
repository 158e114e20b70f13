//! Two centres that share a log on three servers: which of the five is killed, and when, makes no difference to what is known.
//!
//! `./tests/bench cluster` runs the same for ten minutes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        cluster::{Cluster, DAEMONS, READY_WITHIN, SERVERS, Sites},
        netns::Lab,
    },
    report,
};

/// A city with its counties, and what is above them.
const WITHIN: &str = "130100";
/// Some of their sites.
const ASKED: [&str; 3] = ["130100", "130102", "130104"];
/// How long processes are killed unless `ONENET_CLUSTER_S` says otherwise.
const KILLED_S: u64 = 30;
/// Minutes of a past for each second of kills: batches are under way whenever a process is killed.
const PAST_PER_S: u64 = 3;
/// The most that the simulator tells of.
const PAST_MAX: u64 = 1_440;
/// How soon somebody who asks has an answer again.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// How soon somebody who commands has one: the servers take some seconds to agree on a leader, with a command under way.
const COMMANDED_WITHIN: Duration = Duration::from_secs(30);
const KNOWN_WITHIN: Duration = Duration::from_secs(180);

/// Asks for something that the simulator counts until it is as many as there are sites.
fn all(sites: &mut Sites, of: &str) -> Result<()> {
    let what = format!("all sites are {of}");
    let status = || sites.ask("status");
    clock::until(&what, KNOWN_WITHIN, status, |status| status[of] == status["sites"]).map(drop)
}

/// Drills, and notes what was answered: a drill that nobody answered may have been taken in all the same.
fn drill(cluster: &Cluster, number: &mut usize, accepted: &mut BTreeSet<String>) -> Result<()> {
    clock::until(
        "a command is answered",
        COMMANDED_WITHIN,
        || {
            *number += 1;
            let status = cluster.drill(*number)?;
            if status == 200 || status == 201 {
                accepted.insert(format!("drill {number}"));
            }
            Ok(status)
        },
        |status| matches!(status, 200 | 201),
    )
    .map(drop)
}

/// Asks agents for flows, each over both centres: it is connected to one of them. What is simulated answers that it has none.
fn ask_for_flows(cluster: &Cluster) -> Result<()> {
    for site in ASKED {
        for (at, api) in cluster.apis.iter().enumerate() {
            let what = format!("the agent of {site} is asked over centre-{at}");
            let path = format!("/api/v1/sites/{site}/flows?reason=cluster+test");
            clock::until(
                &what,
                COMMANDED_WITHIN,
                || api.get(&path).map(|answer| answer.body),
                |body| body.contains("this agent is simulated"),
            )?;
        }
    }
    Ok(())
}

/// Returns for how long processes are killed, in seconds.
fn killed_s() -> u64 {
    std::env::var("ONENET_CLUSTER_S").ok().and_then(|it| it.parse().ok()).unwrap_or(KILLED_S)
}

/// Kills one process after the other until the time is over; each comes back before the next one goes.
fn kill_in_turn(cluster: &mut Cluster, accepted: &mut BTreeSet<String>) -> Result<usize> {
    let seconds = killed_s();
    let (began, mut kills, mut drills, mut worst) = (clock::now(), 0, 0, Duration::ZERO);
    while kills < SERVERS + DAEMONS || began.elapsed() < Duration::from_secs(seconds) {
        let victim = (kills * 2) % (SERVERS + DAEMONS);
        let (is_server, at) = (victim < SERVERS, victim % SERVERS);
        if is_server {
            cluster.kill_server(at)?;
        } else {
            cluster.kill_daemon(at)?;
        }
        let killed = clock::now();
        let answered = || cluster.api.get("/api/v1/sites?limit=1").map(|answer| answer.status);
        clock::until("whoever asks has an answer", ANSWERED_WITHIN, answered, |status| *status == 200)?;
        worst = worst.max(killed.elapsed());
        drill(cluster, &mut drills, accepted)?;
        if is_server {
            cluster.start_server(at)?;
        } else {
            cluster.start_daemon(at)?;
        }
        cluster.servers_agree()?;
        kills += 1;
    }
    report::note(format_args!(
        "{kills} kills in {} s, {} drills taken in of {drills}; whoever asked waited {:.1} s at most",
        began.elapsed().as_secs(),
        accepted.len(),
        worst.as_secs_f64()
    ));
    Ok(kills)
}

/// Returns both exports at one and the same position.
fn exports(cluster: &Cluster) -> Result<[String; DAEMONS]> {
    let position = |text: &str| text.lines().next().map(str::to_owned);
    let read = || {
        let read = |at| fs::read_to_string(cluster.export(at)?).context("read the export");
        anyhow::Ok([read(0)?, read(1)?])
    };
    clock::eventually("both replicas are at one position", READY_WITHIN, || {
        let both = read()?;
        let at = both.each_ref().map(|text| position(text));
        Ok(if at[0] == at[1] { clock::Look::Done(both) } else { clock::Look::NotYet(at) })
    })
}

fn first_difference(exports: &[String; DAEMONS]) -> Option<(&str, &str)> {
    exports[0].lines().zip(exports[1].lines()).find(|(one, two)| one != two)
}

#[test]
#[ignore = "makes a network namespace: needs root, python3, curl, and nats-server of tests/requirements.txt"]
fn whoever_of_two_centres_and_three_servers_is_killed_nothing_is_lost_or_doubled() -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.node("centre")?;
    let mut cluster = Cluster::start(&node, WITHIN)?;
    let mut sites = cluster.sites(WITHIN, PAST_MAX.min(killed_s() * PAST_PER_S))?;
    sites.ask("enrol")?;
    sites.ask("connect")?;
    all(&mut sites, "known")?;
    ask_for_flows(&cluster)?;

    let mut accepted = BTreeSet::new();
    kill_in_turn(&mut cluster, &mut accepted)?;

    sites.ask("freeze")?;
    all(&mut sites, "connected")?;
    all(&mut sites, "idle")?;
    ask_for_flows(&cluster)?;
    let truth = sites.ask(&format!("truth {}", node.dir().join("truth").display()))?;
    ensure!(truth["samples"]["count"].as_u64() > Some(0), "no history was told: {truth}");
    for at in 0..DAEMONS {
        let held = clock::until(
            "a replica holds the truth",
            READY_WITHIN,
            || cluster.digest(&cluster.export(at)?),
            // What it keeps of the past beside is in no truth.
            |it| ["facts", "samples"].iter().all(|what| it[*what] == truth[*what]),
        )?;
        report::note(format_args!("centre-{at} holds {held}"));
    }
    let both = exports(&cluster)?;
    ensure!(both[0] == both[1], "the replicas differ: {:?}", first_difference(&both));

    // Each case, also one of a command that nobody was answered: a message.
    let told = || {
        let mut counted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, subject) in cluster.told()? {
            counted.entry(subject).or_default().insert(id);
        }
        let cases = cluster.api.json("/api/v1/cases?drill=true&limit=1000")?;
        let cases = cases["items"].as_array().context("no cases")?.len();
        Ok((counted, cases))
    };
    let (counted, cases) =
        clock::until("whoever is to be told was told of each case", READY_WITHIN, told, |(told, cases)| {
            told.len() == *cases && accepted.iter().all(|it| told.contains_key(it))
        })?;
    let twice: Vec<_> = counted.iter().filter(|(_, ids)| ids.len() != 1).collect();
    ensure!(twice.is_empty(), "a case is one message, under one id: {twice:?}");
    let repeated = cluster.told()?.len() - counted.len();
    report::note(format_args!("{} messages, {repeated} of them sent again under their id", counted.len()));
    ensure!(cases >= accepted.len(), "{cases} cases of {} commands that were answered", accepted.len());
    Ok(())
}
