//! A media test: packets as a telephone sends them (G.711, 20 ms, RTP's size), to a reflector and back, for some seconds.
//!
//! Invariant: every packet is answered or lost. Delay from mouth to ear is half the median round trip, the packet's own 20 ms, and a
//! buffer of twice the jitter of the worse way. Loss is that of the worse way where the reflector's numbers tell the ways apart,
//! and that of both together where they do not.

use std::{io, net::SocketAddr, time::Duration};

use onenet_topology::{ProbeSample, ProbeTest};

use crate::{Key, emodel, paced::Paced};

/// What is sent.
#[derive(Debug, Clone)]
pub struct Media {
    /// The reflector.
    pub target: SocketAddr,
    /// Its key.
    pub key: Option<Key>,
    /// Packets.
    pub packets: u32,
    /// Between two of them.
    pub interval: Duration,
    /// Bytes of each: 160 of speech, 12 of RTP.
    pub bytes: usize,
}

impl Media {
    /// Returns a call of ten seconds.
    pub const fn call(target: SocketAddr, key: Option<Key>) -> Self {
        Self { target, key, packets: 500, interval: Duration::from_millis(20), bytes: 172 }
    }

    /// Runs the test. Cancelling it is safe at any point.
    ///
    /// # Errors
    /// Nothing can be sent.
    pub async fn run(&self) -> io::Result<ProbeSample> {
        let Self { target, key, packets, interval, bytes } = self.clone();
        let sample = Paced { target, key, packets, interval, bytes }.run("media").await?;
        Ok(with_score(ProbeSample { test: ProbeTest::Media, ..sample }))
    }
}

/// Returns the sample with its score, where anything was answered.
fn with_score(sample: ProbeSample) -> ProbeSample {
    let Some(round_trip_us) = sample.round_trip_median_us else { return sample };
    let jitter_us = sample.jitter_out_us.max(sample.jitter_back_us).unwrap_or(0);
    let delay_us = (round_trip_us / 2).saturating_add(20_000).saturating_add(jitter_us.saturating_mul(2));
    let lost = sample.lost_out.zip(sample.lost_back).map_or(sample.lost, |(out, back)| out.max(back));
    let share = |part: u64, whole: u64| {
        f64::from(u32::try_from(part).unwrap_or(u32::MAX)) / f64::from(u32::try_from(whole).unwrap_or(u32::MAX).max(1))
    };
    let mos_centi = Some(emodel::mos_centi(delay_us, share(lost, sample.sent)));
    ProbeSample { mos_centi, ..sample }
}
