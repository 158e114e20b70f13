//! Asks all targets, and says what is judged and measured.
//!
//! Tasks: [`Prober::run`] is one, for everything that is asked by packets; it spawns one a service, one that looks how large packets may
//! be, and short ones that look names up, all of which end with it. Cancelling it is safe at any point: what waits for an answer is forgotten. Neither bad input nor
//! an error of a socket ends it.
//!
//! What is due within the same hundredth of a second is sent at once, so that hundreds of targets wake the machine a hundred times a
//! second at most. Each probe begins at a moment of its own within its interval.

mod asker;
mod lines;
mod sizer;

use std::{sync::Arc, time::Duration};

use onenet_topology::{ProbeKind, ProbeSample, ProbeState};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

pub(crate) use self::asker::said as reflected;
pub(crate) use self::lines::family;
use self::{
    asker::Asker,
    lines::Lines,
    sizer::{Sizer, WAITING_MAX},
};
use crate::{
    EchoSockets, Plan, clock,
    echo::Token,
    judge::Verdict,
    plan::micros,
    service::{self, Found},
    track::{Closed, Track},
};

/// Names that were looked up and wait to be taken.
pub(crate) const LOOKED_UP_MAX: usize = 64;

/// Questions of the shortest window of a service, which are seldom.
const SERVICE_WINDOW_QUESTIONS: u32 = 10;

/// What a prober says of a probe.
#[derive(Debug, Clone)]
pub enum Said {
    /// It is judged otherwise, or for the first time.
    State {
        /// Which.
        plan: Arc<Plan>,
        /// What is judged.
        state: ProbeState,
        /// Why.
        detail: String,
        /// For how many milliseconds this holds already.
        age_ms: u64,
    },
    /// What was measured over a window.
    Sample {
        /// Which.
        plan: Arc<Plan>,
        /// What.
        sample: Box<ProbeSample>,
        /// How many milliseconds ago the window ended.
        age_ms: u64,
    },
}

/// Asks all targets.
#[derive(Debug)]
pub struct Prober {
    plans: Vec<Arc<Plan>>,
    sockets: EchoSockets,
    token: Token,
}

impl Prober {
    /// Returns what follows these plans; `token` is random, one a process.
    pub const fn new(plans: Vec<Arc<Plan>>, sockets: EchoSockets, token: Token) -> Self {
        Self { plans, sockets, token }
    }

    /// Asks until told to stop. Whoever takes what is said must not be slow: asking waits for it.
    pub async fn run(self, said: mpsc::Sender<Said>, stop: CancellationToken) {
        let (services, packets): (Vec<_>, Vec<_>) = self.plans.into_iter().partition(|plan| plan.kind.is_service());
        let mut tasks = JoinSet::new();
        for (number, plan) in services.into_iter().enumerate() {
            let wait = start_after(self.token, number, plan.interval);
            tasks.spawn(follow(plan, wait, said.clone()));
        }
        if !packets.is_empty() {
            let wants = |kind| packets.iter().any(|plan| plan.kind == kind);
            let lines = Lines::open(&self.sockets, self.token, wants(ProbeKind::Icmp), wants(ProbeKind::Stamp));
            let (want, wanted) = mpsc::channel(WAITING_MAX);
            let (found, sized) = mpsc::channel(WAITING_MAX);
            tasks.spawn(Sizer::new(self.sockets, self.token, wanted, found).run());
            let asker = Asker::new(packets, self.token, said, want, sized);
            tasks.spawn(async move { asker.run(lines).await });
        }
        stop.cancelled().await;
        tasks.shutdown().await;
    }
}

/// Follows a service.
async fn follow(plan: Arc<Plan>, wait: Duration, said: mpsc::Sender<Said>) {
    sleep(wait).await;
    let window = plan.interval.saturating_mul(SERVICE_WINDOW_QUESTIONS).max(plan.window);
    let (timeout_us, now_us) = (micros(plan.timeout), clock::now().us);
    let mut track = Track::new(plan.thresholds.rules(), timeout_us, now_us).with_window_us(micros(window));
    let mut certificate = None;
    loop {
        let sent_us = clock::now().us;
        let sequence = track.ask(sent_us);
        let found = service::ask(&plan).await;
        let came_us = clock::now().us;
        let mut changed = match found {
            Ok(Found { problem, certificate_ends_ms }) => {
                certificate = certificate_ends_ms;
                track.answer(sequence, came_us, None, problem.as_deref())
            }
            Err(why) => track.fail(sequence, &why),
        };
        changed |= track.expire(came_us);
        if let Some(Closed { mut sample, ended_us, changed: reviewed }) = track.close(&plan.name, came_us) {
            changed |= reviewed;
            sample.certificate_ends_ms = certificate;
            let age_ms = came_us.saturating_sub(ended_us) / 1_000;
            if said.send(Said::Sample { plan: Arc::clone(&plan), sample: Box::new(sample), age_ms }).await.is_err() {
                return;
            }
        }
        if changed && said.send(state(&plan, track.verdict(), came_us)).await.is_err() {
            return;
        }
        let took = Duration::from_micros(clock::now().us.saturating_sub(sent_us));
        sleep(plan.interval.saturating_sub(took)).await;
    }
}

/// Returns what is said of a verdict.
fn state(plan: &Arc<Plan>, verdict: &Verdict, now_us: u64) -> Said {
    Said::State {
        plan: Arc::clone(plan),
        state: verdict.state,
        detail: verdict.detail.clone(),
        age_ms: now_us.saturating_sub(verdict.since_us) / 1_000,
    }
}

/// Returns after how long a probe begins, so that those of one agent, and those of many, do not ask at the same moment.
fn start_after(token: Token, number: usize, interval: Duration) -> Duration {
    let mut mixed = u64::from_be_bytes(token) ^ u64::try_from(number).unwrap_or(0).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^= mixed >> 29;
    mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^= mixed >> 32;
    Duration::from_micros(mixed % micros(interval).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_begin_at_moments_spread_over_their_interval() {
        let interval = Duration::from_secs(1);
        let mut tenths = [0_u32; 10];
        for number in 0..1_000 {
            let after = start_after(*b"a token!", number, interval);
            tenths[usize::try_from(after.as_micros() / 100_000).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (50..200).contains(count)), "{tenths:?}");
    }
}
