//! An outage of six hours leaves no gap: remote write tells of every value, once, at its time, whoever is killed meanwhile.
//!
//! The known truth is a sawtooth: each minute's value follows from the minute. Six hours are not waited for: while the line is cut, they are
//! laid into the agent's spool, as the agent would have put them there, and everything behind the spool is as it is.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use onenet_agent::{
    clock::Clock,
    spool::{Spool, SpoolConfig},
};
use onenet_tests::{
    clock,
    lab::{
        keeper::{Keeper, Kind, Stored},
        line::Line,
        netns::Lab,
        product::{Agent, COUNTY, Centre},
        sawtooth::{self, Running, Sawtooth},
        site::CENTRE_IP,
        switch::Switch,
        vendor::Vendor,
    },
    report,
};
use onenet_topology::{
    Timestamp,
    fact::{HistoryBody, HistoryItem, InterfaceSample, Scope},
};

const SWITCH: &str = "saw-1";
const SWITCH_IP: &str = "10.77.0.5";
/// The port that the sawtooth marks as watched.
const PORT: &str = "GigabitEthernet0/0/2";
const SERIES: &str = "onenet_interface_receive_bytes_total";
const MINUTE_MS: i64 = 60_000;
/// Minutes of the outage: six hours.
const OUTAGE_MINUTES: i64 = 360;
/// After how many minutes the counter falls back to 0.
const TEETH_MINUTES: i64 = 37;
/// Minutes that a batch of the spool has.
const MINUTES_A_BATCH: i64 = 10;
/// Batches that wait before the daemon is killed: a third.
const WAITING_BEFORE_KILL: f64 = 12.0;
/// How far a time may be off: what two clocks of one machine are found to differ by over a line.
const OFF_MAX_MS: i64 = 1_000;
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

struct Proving {
    _sawtooth: Running,
    line: Line,
    centre: Centre,
    agent: Agent,
    keeper: Keeper,
}

fn prove(lab: &Lab, kind: Kind) -> Result<Proving> {
    let switch = Switch::new(lab, "access", Vendor::H3c.mac(0x0401))?;
    let (centre_node, collector) = (lab.node("centre")?, lab.node("collector")?);
    switch.plug("ge1", &collector, "eth0", Vendor::Intel.mac(0x0201))?;
    collector.add_address("eth0", "10.77.0.2/24")?;
    let saw_node = switch.plug_in("ge2", "sawtooth", Vendor::Huawei.mac(0x0500))?;
    saw_node.add_address("eth0", &format!("{SWITCH_IP}/24"))?;
    let sawtooth = Sawtooth {
        address: SWITCH_IP.to_owned(),
        name: SWITCH.to_owned(),
        mac: Vendor::Huawei.mac(0x0500),
        ports: 4,
        forwarding: Vec::new(),
        period_ms: 17_000,
    };
    let sawtooth = sawtooth.start(&saw_node)?;
    let line = Line::lay(lab, "wan0", (&collector, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    let keeper = Keeper::start(&centre_node, kind)?;
    let remote_write = format!("[remote_write]\nurl = \"{}\"\n", kind.url());
    let centre = Centre::start_with(&centre_node, CENTRE_IP, &remote_write)?;
    let watches = format!(
        "[intervals]\ninterfaces_s = 5\n[[devices]]\nname = \"{SWITCH}\"\naddress = \"{SWITCH_IP}\"\ncommunity = \"{}\"\n",
        sawtooth::COMMUNITY
    );
    let mut agent = Agent::configure(&collector, CENTRE_IP, &watches)?;
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;
    Ok(Proving { _sawtooth: sawtooth, line, centre, agent, keeper })
}

impl Proving {
    /// Returns the one series of the port's received bytes; `None` while there is none.
    fn stored(&self) -> Result<Option<Stored>> {
        let mut series = self.keeper.stored(&format!("{SERIES}{{interface=\"{PORT}\"}}"), 8)?;
        ensure!(series.len() <= 1, "one port has several series: {series:?}");
        Ok(series.pop())
    }

    /// Returns a number that the centre tells of itself.
    fn told(&self, metric: &str) -> Result<f64> {
        let page = self.centre.api.get("/metrics?sites=false")?.body;
        let line = page.lines().find(|line| line.split([' ', '{']).next() == Some(metric));
        let value = line.and_then(|line| line.rsplit(' ').next()).with_context(|| format!("no {metric}: {page}"))?;
        Ok(value.parse()?)
    }

    fn restart_killed(&mut self) -> Result<()> {
        self.centre.kill_9()?;
        self.centre.restart()
    }
}

/// Lays what an agent measures in six hours, a value a minute, into its spool. Returns the truth: each value by its time.
fn lay(agent: &Agent, until_ms: i64) -> Result<BTreeMap<i64, u64>> {
    let clock = Clock::start([7; 16]);
    let spool = Spool::open(&agent.data().join("spool"), SpoolConfig::default(), &clock.now())?;
    let mut truth = BTreeMap::new();
    for minute in 0..OUTAGE_MINUTES {
        let time_ms = until_ms - (OUTAGE_MINUTES - minute) * MINUTE_MS;
        let octets = u64::try_from(minute % TEETH_MINUTES * 1_000 + minute)?;
        let sample = InterfaceSample { name: PORT.to_owned(), in_octets: Some(octets), ..InterfaceSample::default() };
        let (time, scope) = (Timestamp::from_unix_ms(time_ms), Scope::new(SWITCH));
        spool.record([HistoryItem { time, scope, body: HistoryBody::Interface(sample) }], &clock.now())?;
        if minute % MINUTES_A_BATCH == MINUTES_A_BATCH - 1 {
            spool.flush(&clock.now())?;
        }
        truth.insert(time_ms, octets);
    }
    spool.flush(&clock.now())?;
    Ok(truth)
}

/// Checks that of an outage every value is there, once, at its time, and nothing else.
fn each_once_at_its_time(stored: &Stored, truth: &BTreeMap<i64, u64>) -> Result<()> {
    let (first, last) = (truth.keys().next().context("no truth")?, truth.keys().next_back().context("no truth")?);
    let of_outage: Vec<_> =
        stored.values.iter().filter(|(ms, _)| (first - OFF_MAX_MS..=last + OFF_MAX_MS).contains(ms)).collect();
    ensure!(of_outage.len() == truth.len(), "{} values instead of {}: {of_outage:?}", of_outage.len(), truth.len());
    let mut off_most_ms = 0;
    for ((ms, value), (true_ms, octets)) in of_outage.into_iter().zip(truth) {
        let off_ms = (ms - true_ms).abs();
        off_most_ms = off_most_ms.max(off_ms);
        ensure!(off_ms <= OFF_MAX_MS, "the value of {true_ms} stands at {ms}");
        ensure!(value.to_string() == octets.to_string(), "at {ms} stands {value} instead of {octets}");
    }
    report::note(format_args!("{} values, once each, at most {off_most_ms} ms from their time", truth.len()));
    Ok(())
}

fn outage_leaves_no_gap(kind: Kind) -> Result<()> {
    let lab = Lab::new()?;
    let mut proving = prove(&lab, kind)?;
    let alive = |stored: &Option<Stored>| stored.as_ref().is_some_and(|it| it.values.len() >= 2);
    clock::until("live values arrive", SETTLED_WITHIN, || proving.stored(), alive)?;

    proving.line.cut()?;
    proving.agent.stop()?;
    // A minute ago, so that nothing live is among them.
    let truth = lay(&proving.agent, clock::unix_ms() - MINUTE_MS)?;
    proving.keeper.stop()?;
    proving.line.mend()?;
    proving.agent.restart()?;
    let waiting = || proving.told("onenet_remote_write_waiting_batches");
    clock::until("a part of the outage waits", SETTLED_WITHIN, waiting, |it| *it >= WAITING_BEFORE_KILL)?;
    proving.restart_killed()?;

    proving.keeper.restart()?;
    let last = *truth.keys().next_back().context("no truth")?;
    let of_outage = |stored: &Option<Stored>| {
        let values = stored.iter().flat_map(|it| &it.values);
        values.filter(|(ms, _)| *ms <= last + OFF_MAX_MS).count()
    };
    clock::until("the outage begins to be told", SETTLED_WITHIN, || proving.stored(), |it| of_outage(it) > 0)?;
    // What it sent and had not yet taken out of its queue, it sends again.
    proving.restart_killed()?;
    clock::until("the outage is told", SETTLED_WITHIN, || proving.stored(), |it| of_outage(it) >= truth.len())?;
    let waiting = || proving.told("onenet_remote_write_lag_seconds");
    clock::until("nothing waits long", SETTLED_WITHIN, waiting, |lag| *lag < 10.0)?;
    each_once_at_its_time(&proving.stored()?.context("no series")?, &truth)?;
    for reason in ["rejected", "dropped"] {
        let page = proving.centre.api.get("/metrics?sites=false")?.body;
        let lost = page.lines().filter(|line| line.starts_with("onenet_remote_write") && line.contains(reason));
        let lost: Vec<_> = lost.filter(|line| !line.ends_with(" 0")).collect();
        ensure!(lost.is_empty(), "{lost:?}");
    }
    let page = proving.centre.api.get(&format!("/metrics/site/{COUNTY}"))?;
    ensure!(page.status == 200 && !page.body.contains(SERIES), "two paths: {}", page.body);
    Ok(())
}

#[test]
#[ignore = "needs root, python3 and prometheus"]
fn six_hours_without_a_line_leave_no_gap_in_prometheus() -> Result<()> {
    outage_leaves_no_gap(Kind::Prometheus)
}

#[test]
#[ignore = "needs root, python3 and victoria-metrics"]
fn six_hours_without_a_line_leave_no_gap_in_victoria_metrics() -> Result<()> {
    outage_leaves_no_gap(Kind::VictoriaMetrics)
}
