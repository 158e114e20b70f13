//! Test packets at an even pace, to a reflector and back: what a media test and a test of throughput have in common.
//!
//! Invariant: every packet is answered or lost. Rates are those at which packets came, between the first and the last of them, so
//! that what a full queue hands out after the end does not count twice.

use std::{io, net::SocketAddr, time::Duration};

use onenet_topology::ProbeSample;
use tokio::{
    net::UdpSocket,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    Key, Thresholds, clock,
    echo::Family,
    net::{Inbox, open_udp, watched},
    plan::micros,
    prober::reflected,
    stamp::{Answer, Question},
    track::Track,
};

/// How long after the last packet answers are waited for.
const WAIT: Duration = Duration::from_secs(2);
/// Over less than this no rate is told, in microseconds.
const SPAN_LEAST_US: u64 = 100_000;

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) struct Paced {
    /// The reflector.
    pub(crate) target: SocketAddr,
    /// Its key.
    pub(crate) key: Option<Key>,
    /// Packets.
    pub(crate) packets: u32,
    /// Between two of them.
    pub(crate) interval: Duration,
    /// Bytes of each, without the heads of UDP and IP.
    pub(crate) bytes: usize,
}

/// The first and the last of what came to one place.
#[derive(Debug, Clone, Copy, Default)]
struct Came {
    first: Option<(u64, u64)>,
    last: (u64, u64),
}

/// What became of the packets.
#[derive(Debug)]
struct Book {
    track: Track,
    sent: Came,
    out: Came,
    back: Came,
    /// When the reflector received the first packet that was answered, on its clock.
    reflector_began: Option<u64>,
    came: u64,
}

impl Came {
    /// Notes that the packet of this number came at this time.
    fn take(&mut self, number: u64, at_us: u64) {
        let first = *self.first.get_or_insert((number, at_us));
        if at_us < first.1 {
            self.first = Some((number, at_us));
        }
        if at_us >= self.last.1 {
            self.last = (number, at_us);
        }
    }

    /// Returns how many packets came in a second, times a thousand; `None` where the time is too short.
    fn per_1000_s(&self) -> Option<u64> {
        let (first, began_us) = self.first?;
        let span_us = self.last.1.saturating_sub(began_us);
        let packets = self.last.0.saturating_sub(first);
        (span_us >= SPAN_LEAST_US).then(|| packets.saturating_mul(1_000_000_000) / span_us)
    }
}

impl Paced {
    /// Sends all, and returns what is measured, its rates at the IP layer. Cancelling it is safe at any point.
    ///
    /// # Errors
    /// Nothing can be sent.
    pub(crate) async fn run(&self, name: &str) -> io::Result<ProbeSample> {
        let family = if self.target.is_ipv4() { Family::V4 } else { Family::V6 };
        let socket = watched(open_udp(family)?)?;
        let mut inbox = Inbox::new(self.target.is_ipv4());
        let began_us = clock::now().us;
        let mut book = Book::new(began_us);
        let mut tick = interval(self.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        // A number that another test from the same port before did not have.
        let session = u16::try_from(began_us % 0xffff).unwrap_or(0).saturating_add(1);
        let mut sent = 0;
        while sent < self.packets {
            tokio::select! {
                _ = tick.tick() => {
                    let now = clock::now();
                    let question = Question { sequence: book.track.ask(now.us), sent: now.ntp(), session };
                    book.sent.take(sent.into(), now.us);
                    sent += 1;
                    // What the machine has no room to send is lost like what the line loses.
                    let _ = socket.try_send_to(&question.packet(self.key.as_ref(), self.bytes), self.target);
                }
                Ok(()) = socket.readable() => self.receive(&socket, &mut inbox, &mut book),
            }
        }
        let ended_us = clock::now().us;
        let waiting = async {
            while socket.readable().await.is_ok() {
                self.receive(&socket, &mut inbox, &mut book);
            }
        };
        let _ = timeout(WAIT, waiting).await;
        let sample = book.close(name, self.bits()).ok_or_else(|| io::Error::other("nothing was sent"))?;
        Ok(ProbeSample { interval_ms: ended_us.saturating_sub(began_us) / 1_000, ..sample })
    }

    fn receive(&self, socket: &UdpSocket, inbox: &mut Inbox, book: &mut Book) {
        while inbox
            .receive(socket, |datagram| {
                let Some(answer) = Answer::read(datagram.bytes, self.key.as_ref()) else { return };
                if datagram.from.ip() == self.target.ip() && datagram.from.port() == self.target.port() {
                    let said = reflected(&answer, datagram.at);
                    book.track.answer(answer.question.sequence, datagram.at.us, Some(said), None);
                    book.arrived(&answer, datagram.at.us);
                }
            })
            .is_ok()
        {}
    }

    /// Returns the bits of a packet at the IP layer: with the heads of UDP and IP.
    fn bits(&self) -> u64 {
        let heads = if self.target.is_ipv4() { 28 } else { 48 };
        u64::try_from(self.bytes + heads).unwrap_or(0) * 8
    }
}

impl Book {
    fn new(now_us: u64) -> Self {
        // One window, however slow the machine is.
        let track = Track::new(Thresholds::default().rules(), micros(WAIT), now_us).with_window_us(u64::MAX);
        let [sent, out, back] = [Came::default(); 3];
        Self { track, sent, out, back, reflector_began: None, came: 0 }
    }

    fn arrived(&mut self, answer: &Answer, now_us: u64) {
        self.back.take(self.came, now_us);
        self.came += 1;
        // The reflector numbers what it answers, so that what is lost on the way back is counted here.
        let began = *self.reflector_began.get_or_insert(answer.received);
        let since = clock::ntp_difference_us(began, answer.received);
        // A packet that overtook the first one is before its time: a minute is more than any test.
        let at_us = u64::try_from(since.saturating_add(60_000_000)).unwrap_or(0);
        self.out.take(answer.sequence.into(), at_us);
    }

    fn close(mut self, name: &str, bits: u64) -> Option<ProbeSample> {
        self.track.expire(u64::MAX);
        let sample = self.track.close(name, u64::MAX)?.sample;
        let kbit = |came: &Came| came.per_1000_s().map(|rate| rate.saturating_mul(bits) / 1_000_000);
        Some(ProbeSample {
            rate_sent_kbit: kbit(&self.sent),
            rate_out_kbit: kbit(&self.out),
            rate_back_kbit: kbit(&self.back),
            ..sample
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_came_between_the_first_and_the_last_whatever_their_order() {
        let mut came = Came::default();
        assert_eq!(came.per_1000_s(), None);
        for (number, at_us) in [(1, 20_000), (0, 10_000), (4, 510_000), (2, 300_000)] {
            came.take(number, at_us);
        }
        assert_eq!(came.per_1000_s(), Some(8_000), "four packets after the first, in half a second");
        let mut short = Came::default();
        short.take(0, 0);
        short.take(50, 99_999);
        assert_eq!(short.per_1000_s(), None);
    }
}
