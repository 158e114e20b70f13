//! A media test: packets as a telephone sends them (G.711, 20 ms, RTP's size), to a reflector and back, for some seconds.
//!
//! Invariant: every packet is answered or lost. Delay from mouth to ear is half the median round trip, the packet's own 20 ms, and a
//! buffer of twice the jitter of the worse way. Loss is that of the worse way where the reflector's numbers tell the ways apart,
//! and that of both together where they do not.

use std::{io, net::SocketAddr, time::Duration};

use onenet_topology::ProbeSample;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    Key, Thresholds, clock,
    echo::Family,
    emodel,
    net::{Inbox, open_udp, watched},
    plan::micros,
    prober::reflected,
    stamp::{Answer, Question},
    track::Track,
};

/// How long after the last packet answers are waited for.
const WAIT: Duration = Duration::from_secs(2);

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
        let family = if self.target.is_ipv4() { Family::V4 } else { Family::V6 };
        let socket = watched(open_udp(family)?)?;
        let mut inbox = Inbox::new(self.target.is_ipv4());
        // One window, however slow the machine is.
        let began_us = clock::now().us;
        let mut track = Track::new(Thresholds::default().rules(), micros(WAIT), began_us).with_window_us(u64::MAX);
        let mut tick = interval(self.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut sent, mut session) = (0, None);
        while sent < self.packets {
            tokio::select! {
                _ = tick.tick() => {
                    let now = clock::now();
                    // A number that another test from the same port before did not have.
                    let session = *session.get_or_insert(u16::try_from(now.us % 0xffff).unwrap_or(0).saturating_add(1));
                    let question = Question { sequence: track.ask(now.us), sent: now.ntp(), session };
                    sent += 1;
                    // What the machine has no room to send is lost like what the line loses.
                    let _ = socket.try_send_to(&question.packet(self.key.as_ref(), self.bytes), self.target);
                }
                Ok(()) = socket.readable() => self.receive(&socket, &mut inbox, &mut track),
            }
        }
        let waiting = async {
            loop {
                if socket.readable().await.is_err() {
                    return;
                }
                self.receive(&socket, &mut inbox, &mut track);
            }
        };
        let ended_us = clock::now().us;
        let _ = timeout(WAIT, waiting).await;
        track.expire(u64::MAX);
        let closed = track.close("media", u64::MAX).map(|closed| closed.sample);
        let interval_ms = ended_us.saturating_sub(began_us) / 1_000;
        let sample = closed.map(|sample| with_score(ProbeSample { interval_ms, ..sample }));
        sample.ok_or_else(|| io::Error::other("nothing was sent"))
    }

    fn receive(&self, socket: &tokio::net::UdpSocket, inbox: &mut Inbox, track: &mut Track) {
        while inbox
            .receive(socket, |datagram| {
                let Some(answer) = Answer::read(datagram.bytes, self.key.as_ref()) else { return };
                if datagram.from.ip() == self.target.ip() && datagram.from.port() == self.target.port() {
                    let said = reflected(&answer, datagram.at);
                    track.answer(answer.question.sequence, datagram.at.us, Some(said), None);
                }
            })
            .is_ok()
        {}
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
