//! Tests over a way that is probed with test packets: a media test or one of throughput, when the centre asks, and media tests by
//! schedule.
//!
//! Invariants: one test at a time, so that none measures another; no more is sent than the site allows; what was measured is told
//! in the history, whoever asked.
//!
//! Tasks: one a probe with a schedule, [`Measuring::follow_schedule`]. Cancelling it is safe at any point: a test is told whole or not.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use onenet_probe::{
    Key,
    media::Media,
    throughput::{KBIT_LEAST, SECONDS, Throughput},
};
use onenet_topology::{
    ProbeKind, ProbeSample, ProbeTest,
    fact::{HistoryBody, HistoryItem, Scope},
};
use onenet_wire::{MeasureQuery, tls};
use tokio::{
    sync::Mutex,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    clock::Clock,
    config::ProbeConfig,
    observations::Observations,
    probing::{NO_KEY, ProbeBoard},
};

/// kbit/s that a test of throughput sends where nobody says.
const KBIT: u32 = 1_000;
/// How long it takes where nobody says, in seconds.
const THROUGHPUT_S: u32 = 5;
/// Scheduled tests begin within so long after the agent, so that a whole country does not measure at once.
const SPREAD: Duration = Duration::from_secs(60);

/// Carries out tests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Measuring {
    pub(crate) clock: Clock,
    pub(crate) observations: Observations,
    /// The agent's own key of test packets.
    pub(crate) key: Option<Key>,
    pub(crate) board: ProbeBoard,
    /// Held while a test goes on.
    pub(crate) one: Arc<Mutex<()>>,
}

/// A test that is to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Media,
    Throughput { kbit_per_s: u32, seconds: u32 },
}

impl Measuring {
    /// Carries out what the centre asks for, with `most_kbit` as the most that the site allows; 0: no test of throughput.
    ///
    /// # Errors
    /// It cannot be done; in words.
    pub(crate) async fn asked(
        &self,
        probe: &ProbeConfig,
        asked: &MeasureQuery,
        most_kbit: u32,
    ) -> Result<ProbeSample, String> {
        let test = test(asked, most_kbit)?;
        let busy = "another test is going on at this agent: ask again in some seconds";
        let _going_on = self.one.try_lock().map_err(|_| busy.to_owned())?;
        tracing::info!(principal = %asked.principal, probe = %probe.plan.name, ?test, "the centre asks for a test");
        self.measure(probe, test).await
    }

    /// Carries out a media test every now and then, until it is cancelled.
    pub(crate) async fn follow_schedule(self, probe: Arc<ProbeConfig>, every: Duration) {
        let random = tls::random::<8>().map_or(0, u64::from_be_bytes);
        let spread = u64::try_from(every.min(SPREAD).as_millis()).unwrap_or(u64::MAX).max(1);
        sleep(Duration::from_millis(random % spread)).await;
        let mut tick = interval(every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let _going_on = self.one.lock().await;
            if let Err(error) = self.measure(&probe, Test::Media).await {
                tracing::warn!(probe = %probe.plan.name, error, "no media test");
            }
        }
    }

    async fn measure(&self, probe: &ProbeConfig, test: Test) -> Result<ProbeSample, String> {
        let plan = &probe.plan;
        if plan.kind != ProbeKind::Stamp {
            return Err(format!(
                "{:?} asks by {}: only a way that is probed by stamp, with a reflector at its other end, can be tested",
                plan.name,
                plan.kind.name()
            ));
        }
        let key = self.key.clone().filter(|_| probe.signed);
        if probe.signed && key.is_none() {
            return Err(NO_KEY.to_owned());
        }
        let target = resolved(probe).await?;
        let told = match test {
            Test::Media => Media::call(target, key).run().await,
            Test::Throughput { kbit_per_s, seconds } => Throughput { target, key, kbit_per_s, seconds }.run().await,
        };
        let told = told.map_err(|error| format!("nothing can be sent to {target}: {error}"))?;
        let sample = ProbeSample { name: plan.name.clone(), ..told };
        self.board.measured(&sample);
        let body = HistoryBody::Probe(sample.clone());
        self.observations
            .history(vec![HistoryItem { time: self.clock.timestamp(), scope: Scope::new(""), body }])
            .await;
        Ok(sample)
    }
}

/// Returns the test that is asked for, as far as the site allows it.
fn test(asked: &MeasureQuery, most_kbit: u32) -> Result<Test, String> {
    let or = |asked: u32, default| if asked == 0 { default } else { asked };
    match asked.test {
        ProbeTest::Media => Ok(Test::Media),
        ProbeTest::Throughput if most_kbit < KBIT_LEAST => {
            Err("this site allows no test of throughput ([probing] throughput_max_kbit = 0)".to_owned())
        }
        ProbeTest::Throughput => {
            let (kbit_per_s, seconds) = (or(asked.kbit_per_s, KBIT.min(most_kbit)), or(asked.seconds, THROUGHPUT_S));
            if kbit_per_s < KBIT_LEAST || kbit_per_s > most_kbit {
                return Err(format!(
                    "{kbit_per_s} kbit/s cannot be sent: this site allows {KBIT_LEAST} to {most_kbit} ([probing] throughput_max_kbit)"
                ));
            }
            if !SECONDS.contains(&seconds) {
                return Err(format!("{seconds} seconds are not {} to {}", SECONDS.start(), SECONDS.end()));
            }
            Ok(Test::Throughput { kbit_per_s, seconds })
        }
        ProbeTest::Regular => Err("what a probe asks all the time needs no test: read its samples".to_owned()),
    }
}

/// Returns the address of a probe's target.
async fn resolved(probe: &ProbeConfig) -> Result<SocketAddr, String> {
    let Some((host, port)) = probe.plan.host_and_port() else { return Err("the gateway has no reflector".to_owned()) };
    let mut found = tokio::net::lookup_host((host, port)).await.map_err(|error| format!("{host:?}: {error}"))?;
    found.next().ok_or_else(|| format!("{host:?} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(test: ProbeTest, kbit_per_s: u32, seconds: u32) -> MeasureQuery {
        MeasureQuery { principal: "li".to_owned(), probe: "up".to_owned(), test, kbit_per_s, seconds }
    }

    #[test]
    fn no_more_is_sent_than_the_site_allows() {
        let sent = |kbit, seconds, most| test(&asked(ProbeTest::Throughput, kbit, seconds), most);
        let throughput = |kbit_per_s, seconds| Ok(Test::Throughput { kbit_per_s, seconds });
        assert_eq!(sent(0, 0, 2_000), throughput(1_000, 5));
        assert_eq!(sent(0, 0, 500), throughput(500, 5));
        assert_eq!(sent(2_000, 10, 2_000), throughput(2_000, 10));
        for (kbit, seconds, most, said) in [
            (2_001, 5, 2_000, "100 to 2000"),
            (50, 5, 2_000, "100 to 2000"),
            (0, 5, 0, "allows no"),
            (0, 11, 2_000, "1 to 10"),
        ] {
            let told = sent(kbit, seconds, most).unwrap_err();
            assert!(told.contains(said), "{told}");
        }
        assert_eq!(test(&asked(ProbeTest::Media, 0, 0), 0), Ok(Test::Media));
        assert!(test(&asked(ProbeTest::Regular, 0, 0), 0).is_err());
    }
}
