//! A test of throughput: as much as was allowed, for some seconds, to a reflector and back.
//!
//! Invariant: no more is sent than was allowed, heads of IP and UDP included. What came through is counted where it came, at the
//! reflector and here, so that a line with less room than was sent shows how much it has, each way.

use std::{io, net::SocketAddr, time::Duration};

use onenet_topology::{ProbeSample, ProbeTest};

use crate::{Key, paced::Paced};

/// Bytes of a test packet: with its heads it passes any line that carries IPv6 (RFC 8200, section 5).
const BYTES: usize = 1_200;
/// The least rate, in kbit/s: ten packets a second.
pub const KBIT_LEAST: u32 = 100;
/// The greatest: what one task sends evenly.
pub const KBIT_MOST: u32 = 20_000;
/// How long a test may take, in seconds.
pub const SECONDS: std::ops::RangeInclusive<u32> = 1..=10;

/// What is sent.
#[derive(Debug, Clone)]
pub struct Throughput {
    /// The reflector.
    pub target: SocketAddr,
    /// Its key.
    pub key: Option<Key>,
    /// At most, in kbit/s at the IP layer; from [`KBIT_LEAST`] to [`KBIT_MOST`].
    pub kbit_per_s: u32,
    /// For how long; within [`SECONDS`].
    pub seconds: u32,
}

impl Throughput {
    /// Runs the test. Cancelling it is safe at any point.
    ///
    /// # Errors
    /// Nothing can be sent.
    pub async fn run(&self) -> io::Result<ProbeSample> {
        let rate = u64::from(self.kbit_per_s.clamp(KBIT_LEAST, KBIT_MOST));
        let seconds = u64::from(self.seconds.clamp(*SECONDS.start(), *SECONDS.end()));
        let heads = if self.target.is_ipv4() { 28 } else { 48 };
        let bits = (u64::try_from(BYTES).unwrap_or(0) + heads) * 8;
        // Rounded up, so that the rate is kept under.
        let interval = Duration::from_micros((bits * 1_000).div_ceil(rate));
        let packets = u32::try_from(seconds * 1_000 * rate / bits).unwrap_or(u32::MAX);
        let paced = Paced { target: self.target, key: self.key.clone(), packets, interval, bytes: BYTES };
        Ok(ProbeSample { test: ProbeTest::Throughput, ..paced.run("throughput").await? })
    }
}
