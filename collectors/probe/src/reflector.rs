//! The other side of STAMP: answers test packets (RFC 8762, section 4.3), in the stateful mode.
//!
//! Invariants: an answer is never longer than its question, so that nobody is attacked through it; with a key, nothing is answered
//! whose code is not right; each address may ask so much at a time, all together so much, and no more; tables are bounded, and
//! full ones cost others their numbering and nothing else.
//!
//! Tasks: one, [`Reflector::run`]. Cancelling it is safe at any point.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use socket2::Socket;

use crate::{
    Key, clock,
    net::{Datagram, Inbox, watched},
    stamp::{Answer, Question},
};

/// Sessions that are numbered, and addresses that have a share of their own.
const SESSIONS_MAX: usize = 4_096;

/// After how long without a question a session is over (RFC 8762 leaves it open).
const IDLE_US: u64 = 120_000_000;

/// How often full tables are looked through.
const SWEEP_US: u64 = 1_000_000;

const SECOND_US: u64 = 1_000_000;

/// What a reflector answers.
#[derive(Debug, Clone)]
pub struct ReflectorConfig {
    /// What questions are signed with; `None`: anybody is answered.
    pub key: Option<Key>,
    /// Questions a second that one address may ask.
    pub packets_per_s: u32,
    /// Questions a second that all may ask.
    pub packets_per_s_total: u32,
}

/// What it did since it started. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ReflectorCounts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    answered: AtomicU64,
    held_back: AtomicU64,
    refused: AtomicU64,
}

/// A part of the rate, filled by time.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// In packets times a second's microseconds.
    level: u64,
    filled_us: u64,
}

/// What a reflector remembers.
#[derive(Debug)]
struct Memory {
    config: ReflectorConfig,
    total: Bucket,
    /// Of all addresses that have no bucket of their own.
    others: Bucket,
    buckets: HashMap<IpAddr, Bucket>,
    sessions: HashMap<(SocketAddr, u16), (u32, u64)>,
    swept_us: u64,
}

/// Answers test packets.
#[derive(Debug)]
pub struct Reflector {
    socket: Socket,
    is_v4: bool,
    memory: Memory,
    counts: ReflectorCounts,
}

impl Default for ReflectorConfig {
    fn default() -> Self {
        // A media test sends 50 a second, a probe one, a test of throughput 204 for 2 Mbit/s.
        Self { key: None, packets_per_s: 1_000, packets_per_s_total: 5_000 }
    }
}

impl ReflectorCounts {
    /// Returns how many questions were answered, held back for their rate, and refused.
    pub fn get(&self) -> [u64; 3] {
        [&self.0.answered, &self.0.held_back, &self.0.refused].map(|count| count.load(Ordering::Relaxed))
    }
}

impl Bucket {
    const fn full(rate: u32, now_us: u64) -> Self {
        Self { level: (rate as u64).saturating_mul(SECOND_US), filled_us: now_us }
    }

    /// Takes one packet out where there is one.
    fn take(&mut self, rate: u32, now_us: u64) -> bool {
        let rate = u64::from(rate);
        let since = now_us.saturating_sub(self.filled_us).min(SECOND_US);
        self.level = self.level.saturating_add(since.saturating_mul(rate)).min(rate.saturating_mul(SECOND_US));
        self.filled_us = now_us;
        let left = self.level.checked_sub(SECOND_US);
        self.level = left.unwrap_or(self.level);
        left.is_some()
    }
}

impl Memory {
    fn new(config: ReflectorConfig, now_us: u64) -> Self {
        Self {
            total: Bucket::full(config.packets_per_s_total, now_us),
            others: Bucket::full(config.packets_per_s, now_us),
            config,
            buckets: HashMap::new(),
            sessions: HashMap::new(),
            swept_us: 0,
        }
    }

    fn admits(&mut self, from: IpAddr, now_us: u64) -> bool {
        let (rate, total) = (self.config.packets_per_s, self.config.packets_per_s_total);
        self.sweep(now_us);
        let room = self.buckets.len() < SESSIONS_MAX;
        let own = match self.buckets.get_mut(&from) {
            Some(bucket) => bucket.take(rate, now_us),
            None if room => self.buckets.entry(from).or_insert(Bucket::full(rate, now_us)).take(rate, now_us),
            None => self.others.take(rate, now_us),
        };
        own && self.total.take(total, now_us)
    }

    /// Returns the number of the next answer of a session; the question's own where there is no room to count.
    fn number(&mut self, from: SocketAddr, question: &Question, now_us: u64) -> u32 {
        let key = (from, question.session);
        if self.sessions.len() >= SESSIONS_MAX && !self.sessions.contains_key(&key) {
            return question.sequence;
        }
        let (next, last_us) = self.sessions.entry(key).or_insert((0, now_us));
        *last_us = now_us;
        let number = *next;
        *next = next.wrapping_add(1);
        number
    }

    /// Forgets who is silent.
    fn sweep(&mut self, now_us: u64) {
        let full = self.sessions.len() >= SESSIONS_MAX || self.buckets.len() >= SESSIONS_MAX;
        let due = now_us.saturating_sub(self.swept_us);
        if due < SWEEP_US || (!full && due < IDLE_US) {
            return;
        }
        self.swept_us = now_us;
        self.sessions.retain(|_, (_, last_us)| now_us.saturating_sub(*last_us) < IDLE_US);
        self.buckets.retain(|_, bucket| now_us.saturating_sub(bucket.filled_us) < SECOND_US * 2);
    }
}

impl Reflector {
    /// Returns what answers at a socket that [`open_reflector`](crate::open_reflector) opened.
    ///
    /// # Errors
    /// The socket has no address.
    pub fn new(socket: Socket, config: ReflectorConfig) -> io::Result<Self> {
        let is_v4 = socket.local_addr()?.is_ipv4();
        let memory = Memory::new(config, clock::now().us);
        Ok(Self { socket, is_v4, memory, counts: ReflectorCounts::default() })
    }

    /// Returns what is counted.
    pub fn counts(&self) -> ReflectorCounts {
        self.counts.clone()
    }

    /// Answers for ever.
    ///
    /// # Errors
    /// The socket cannot be waited for.
    pub async fn run(self) -> io::Result<()> {
        let Self { socket, is_v4, mut memory, counts } = self;
        let socket = watched(socket)?;
        let mut inbox = Inbox::new(is_v4);
        loop {
            socket.readable().await?;
            while let Ok(count) = inbox.receive(&socket, |datagram| {
                let answer = reflect(&mut memory, &counts, &datagram);
                if let Some(answer) = answer {
                    // Without room to send, the answer is one that was lost.
                    let _ = socket.try_send_to(&answer, datagram.from);
                }
            }) {
                // Others of this machine are let on while a flood lasts.
                if count > 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

/// Returns the answer to a datagram, where it gets one.
fn reflect(memory: &mut Memory, counts: &ReflectorCounts, datagram: &Datagram<'_>) -> Option<Vec<u8>> {
    let add = |count: &AtomicU64| count.fetch_add(1, Ordering::Relaxed);
    if !memory.admits(datagram.from.ip(), datagram.at.us) {
        add(&counts.0.held_back);
        return None;
    }
    let Some(question) = Question::read(datagram.bytes, memory.config.key.as_ref()) else {
        add(&counts.0.refused);
        return None;
    };
    add(&counts.0.answered);
    let sequence = memory.number(datagram.from, &question, datagram.at.us);
    let sent = clock::now().ntp();
    let answer = Answer { sequence, sent, received: datagram.at.ntp(), question, hops_left: datagram.hops_left };
    Some(answer.packet(datagram.bytes, memory.config.key.as_ref()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Now;

    fn from(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 5_000))
    }

    fn question(sequence: u32) -> Question {
        Question { sequence, sent: 1, session: 7 }
    }

    fn ask(memory: &mut Memory, counts: &ReflectorCounts, bytes: &[u8], from: SocketAddr, us: u64) -> Option<Vec<u8>> {
        let at = Now { us, wall: Duration::from_secs(1) };
        reflect(memory, counts, &Datagram { bytes, from, at, hops_left: 60 })
    }

    #[test]
    fn answers_are_numbered_by_session_and_as_long_as_their_questions() {
        let (mut memory, counts) = (Memory::new(ReflectorConfig::default(), 0), ReflectorCounts::default());
        for (asked, numbered) in [(0, 0), (3, 1), (4, 2)] {
            let packet = question(asked).packet(None, 300);
            let answer = ask(&mut memory, &counts, &packet, from(1), 0).unwrap();
            let read = Answer::read(&answer, None).unwrap();
            assert_eq!((read.sequence, read.question, read.hops_left), (numbered, question(asked), 60));
            assert_eq!(answer.len(), packet.len());
        }
        let answer = ask(&mut memory, &counts, &question(9).packet(None, 0), from(2), 0).unwrap();
        assert_eq!(Answer::read(&answer, None).unwrap().sequence, 0);
        assert_eq!(counts.get(), [4, 0, 0]);
    }

    #[test]
    fn with_a_key_nobody_else_is_answered() {
        let key = Key::new(b"a key for the tests").unwrap();
        let config = ReflectorConfig { key: Some(key.clone()), ..ReflectorConfig::default() };
        let (mut memory, counts) = (Memory::new(config, 0), ReflectorCounts::default());
        assert!(ask(&mut memory, &counts, &question(0).packet(None, 200), from(1), 0).is_none());
        assert!(ask(&mut memory, &counts, b"short", from(1), 0).is_none());
        assert!(ask(&mut memory, &counts, &question(0).packet(Some(&key), 0), from(1), 0).is_some());
        assert_eq!(counts.get(), [1, 0, 2]);
    }

    #[test]
    fn whoever_asks_too_much_is_held_back_and_others_are_not() {
        let config = ReflectorConfig { packets_per_s: 200, ..ReflectorConfig::default() };
        let (mut memory, counts) = (Memory::new(config, 0), ReflectorCounts::default());
        let packet = question(0).packet(None, 0);
        let answered = (0..1_000).filter(|_| ask(&mut memory, &counts, &packet, from(1), 0).is_some()).count();
        assert_eq!(answered, 200);
        assert!(ask(&mut memory, &counts, &packet, from(2), 0).is_some());
        let later = (0..1_000).filter(|_| ask(&mut memory, &counts, &packet, from(1), SECOND_US / 2).is_some()).count();
        assert_eq!(later, 100);
        assert_eq!(counts.get(), [301, 1_700, 0]);
    }

    #[test]
    fn a_flood_of_forged_addresses_fills_no_memory_and_does_not_stop_whoever_is_known() {
        let (mut memory, counts) = (Memory::new(ReflectorConfig::default(), 0), ReflectorCounts::default());
        let packet = question(0).packet(None, 0);
        assert!(ask(&mut memory, &counts, &packet, from(1), 0).is_some());
        for number in 0..20_000_u32 {
            let forged = SocketAddr::from((number.to_be_bytes(), 1));
            ask(&mut memory, &counts, &packet, forged, 10_000 + u64::from(number) * 100);
        }
        assert!(memory.sessions.len() <= SESSIONS_MAX && memory.buckets.len() <= SESSIONS_MAX);
        assert!(ask(&mut memory, &counts, &packet, from(1), 3 * SECOND_US).is_some());
    }
}
