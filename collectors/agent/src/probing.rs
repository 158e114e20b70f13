//! Probing: what is measured of the ways that lead away becomes facts, samples and part of the status.
//!
//! Invariants: every configured probe has a fact from the start, `unknown` until it is judged; a state that goes on keeps the time
//! since which it holds, also when the prober begins anew; what is not configured any more is taken back.
//!
//! Tasks: while something is probed, a [`Prober`], the one that tells what it says, and one a way with a media test by schedule.
//! [`Probing::stop`] ends all, and waits.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_probe::{EchoSockets, Plan, Prober, Said};
use onenet_topology::{
    Probe, ProbeKind, ProbeRole, ProbeSample, ProbeState, ProbeTest, Timestamp,
    fact::{Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, Method, Scope},
};
use onenet_wire::tls;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, config::ProbeConfig, measuring::Measuring, observations::Observations};

/// What a prober says and nobody has taken yet: it waits when it is full, for moments.
const SAID_MAX: usize = 256;

/// Why a probe is not asked.
pub(crate) const NO_KEY: &str =
    "the agent has no key for signed test packets: give [reflector] key_file in its own file";

/// How a probe does, as the status tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeStatus {
    /// Its name.
    pub name: String,
    /// Whom it asks.
    pub target: String,
    /// What it asks.
    pub kind: ProbeKind,
    /// Where it leads.
    pub role: ProbeRole,
    /// The code of the site that it leads to.
    pub site: String,
    /// What is judged.
    pub state: ProbeState,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub detail: String,
    /// What was measured last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<ProbeSample>,
    /// What the last media test told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<ProbeSample>,
    /// What the last test of throughput told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<ProbeSample>,
}

/// What is known of all probes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProbeBoard(Arc<Mutex<BTreeMap<String, ProbeStatus>>>);

/// Owns probing.
pub(crate) struct Probing {
    pub(crate) sockets: EchoSockets,
    pub(crate) measuring: Measuring,
    pub(crate) configured: Vec<Arc<ProbeConfig>>,
    pub(crate) running: Option<Running>,
}

/// What runs while something is probed.
pub(crate) struct Running {
    stop: CancellationToken,
    prober: JoinHandle<()>,
    telling: JoinHandle<()>,
    media: JoinSet<()>,
}

/// Returns the group of all probes' facts.
pub(crate) fn group() -> Group {
    Group { method: Method::Probe, scope: Scope::new("") }
}

impl ProbeBoard {
    /// Returns how all probes do, by name.
    pub(crate) fn all(&self) -> Vec<ProbeStatus> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, ProbeStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps these, and what was known of them. Returns all that is known.
    fn set(&self, plans: &[Arc<Plan>], now: Timestamp) -> Vec<ProbeStatus> {
        let mut held = self.lock();
        let known = std::mem::take(&mut *held);
        let status = |plan: &Arc<Plan>| {
            let target = plan.target.to_string();
            let before = known
                .get(&plan.name)
                .filter(|it| (&it.target, it.kind, it.role, &it.site) == (&target, plan.kind, plan.role, &plan.site));
            before.cloned().unwrap_or_else(|| ProbeStatus {
                name: plan.name.clone(),
                target,
                kind: plan.kind,
                role: plan.role,
                site: plan.site.clone(),
                state: ProbeState::Unknown,
                since: now,
                detail: String::new(),
                sample: None,
                media: None,
                throughput: None,
            })
        };
        held.extend(plans.iter().map(|plan| (plan.name.clone(), status(plan))));
        held.values().cloned().collect()
    }

    /// Takes a verdict. Returns the fact that follows, where it says something new.
    fn judged(&self, name: &str, state: ProbeState, detail: String, since: Timestamp) -> Option<Fact> {
        let mut held = self.lock();
        let known = held.get_mut(name)?;
        if (known.state, &known.detail) == (state, &detail) {
            return None;
        }
        // Later than what it replaces, so that it replaces it wherever it goes; a new reason is told at the same place.
        known.since = since.max(known.since.plus_ms(1));
        (known.state, known.detail) = (state, detail);
        Some(fact(known))
    }

    /// Takes what was measured.
    pub(crate) fn measured(&self, sample: &ProbeSample) {
        if let Some(known) = self.lock().get_mut(&sample.name) {
            let place = match sample.test {
                ProbeTest::Regular => &mut known.sample,
                ProbeTest::Media => &mut known.media,
                ProbeTest::Throughput => &mut known.throughput,
            };
            *place = Some(sample.clone());
        }
    }
}

fn fact(status: &ProbeStatus) -> Fact {
    let body = Probe {
        name: status.name.clone(),
        target: status.target.clone(),
        kind: status.kind,
        role: status.role,
        site: status.site.clone(),
        state: status.state,
        detail: status.detail.clone(),
    };
    Fact { observed: status.since, body: FactBody::Probe(Box::new(body)) }
}

impl Probing {
    /// Probes as this says from now on.
    pub(crate) async fn set(&mut self, probes: &[Arc<ProbeConfig>]) {
        let same = |(one, other): (&Arc<ProbeConfig>, &Arc<ProbeConfig>)| Arc::ptr_eq(one, other);
        let unchanged = self.configured.len() == probes.len() && self.configured.iter().zip(probes).all(same);
        if unchanged {
            return;
        }
        self.stop().await;
        self.configured = probes.to_vec();
        let mut plans: Vec<Arc<Plan>> = probes.iter().map(|probe| self.plan(probe)).collect();
        let Measuring { clock, observations, board, key, .. } = self.measuring.clone();
        let mut known = board.set(&plans, clock.timestamp());
        if plans.is_empty() {
            // Taken back by whoever takes back what is not watched.
            return;
        }
        if key.is_none() {
            // The agent's own file is checked for this; the centre does not know which keys there are.
            let signed = |name: &str| probes.iter().any(|probe| probe.signed && probe.plan.name == name);
            plans.retain(|plan| !signed(&plan.name));
            for status in known.iter_mut().filter(|status| signed(&status.name)) {
                NO_KEY.clone_into(&mut status.detail);
            }
        }
        observations.complete(group(), known.iter().map(fact).collect::<Vec<_>>().into()).await;
        let token = match tls::random::<8>() {
            Ok(token) => token,
            Err(error) => return tracing::error!(%error, "nothing is probed"),
        };
        let (said, saying) = mpsc::channel(SAID_MAX);
        let stop = CancellationToken::new();
        let prober = tokio::spawn(Prober::new(plans, self.sockets.clone(), token).run(said, stop.clone()));
        let telling = tokio::spawn(tell(saying, board, clock, observations));
        let mut media = JoinSet::new();
        for (probe, every) in probes.iter().filter_map(|probe| Some((probe, probe.media?))) {
            media.spawn(self.measuring.clone().follow_schedule(Arc::clone(probe), every));
        }
        self.running = Some(Running { stop, prober, telling, media });
    }

    /// Ends probing, and waits for it.
    pub(crate) async fn stop(&mut self) {
        let Some(Running { stop, prober, telling, mut media }) = self.running.take() else { return };
        stop.cancel();
        media.shutdown().await;
        for ended in [prober.await, telling.await] {
            if let Err(error) = ended {
                tracing::error!(%error, "probing failed");
            }
        }
    }

    fn plan(&self, probe: &ProbeConfig) -> Arc<Plan> {
        let key = self.measuring.key.clone().filter(|_| probe.signed);
        Arc::new(Plan { key, ..probe.plan.clone() })
    }
}

/// Tells what the prober says until it ends.
async fn tell(mut saying: mpsc::Receiver<Said>, board: ProbeBoard, clock: Clock, observations: Observations) {
    while let Some(said) = saying.recv().await {
        let at = |age_ms: u64| clock.timestamp().plus_ms(-i64::try_from(age_ms).unwrap_or(0));
        match said {
            Said::State { plan, state, detail, age_ms } => {
                tracing::debug!(probe = plan.name, state = state.name(), detail, "a probe is judged");
                if let Some(fact) = board.judged(&plan.name, state, detail, at(age_ms)) {
                    observations.changes(vec![(group(), FactChange::Present(fact))]).await;
                }
            }
            Said::Sample { sample, age_ms, .. } => {
                board.measured(&sample);
                let body = HistoryBody::Probe(*sample);
                let item = HistoryItem { time: at(age_ms), scope: Scope::new(""), body };
                observations.history(vec![item]).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str, target: &str) -> Arc<Plan> {
        let text = format!("[probing]\ngateway = false\n[[probes]]\nname = \"{name}\"\ntarget = \"{target}\"\n");
        let config =
            crate::config::Config::parse(&text, "agent.toml", &crate::config::ProcessEnvironment).expect("good");
        Arc::new(config.site.probes[0].plan.clone())
    }

    #[test]
    fn a_state_is_told_when_it_changes_and_keeps_since_when_it_holds_over_a_new_beginning() {
        let (board, at) = (ProbeBoard::default(), Timestamp::from_unix_ms);
        let facts = board.set(&[plan("up", "10.0.0.1")], at(1_000));
        assert_eq!((facts[0].state, facts[0].since), (ProbeState::Unknown, at(1_000)));
        let judged = |state, ms| board.judged("up", state, String::new(), at(ms)).map(|fact| fact.observed);
        assert_eq!(judged(ProbeState::Up, 900), Some(at(1_001)), "never from before what it replaces");
        assert_eq!(judged(ProbeState::Up, 2_000), None);
        assert_eq!(judged(ProbeState::Down, 5_000), Some(at(5_000)));
        let again = board.set(&[plan("up", "10.0.0.1")], at(9_000));
        assert_eq!((again[0].state, again[0].since), (ProbeState::Down, at(5_000)));
        assert_eq!(judged(ProbeState::Down, 9_500), None);
        let elsewhere = board.set(&[plan("up", "10.0.0.2")], at(10_000));
        assert_eq!(elsewhere[0].state, ProbeState::Unknown);
        assert_eq!(board.judged("other", ProbeState::Up, String::new(), at(0)), None);
    }
}
