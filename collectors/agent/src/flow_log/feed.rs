//! The thread that writes the log, and what others hold of it.
//!
//! Invariant: whoever hands over flows never waits. Between capture and the writer stand at most [`WAITING`] lots of flows; when
//! they are as many, the newest is dropped, whole, and counted: what is in the log stays in order, and a writer that waits for its
//! disk is told by the count.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use onenet_topology::{
    Timestamp,
    flow::{Flow, FlowCursor, FlowPage, FlowQuery},
};
use onenet_wire::limits;

use super::{DAY_MS, FlowLogConfig, FlowLogError, FlowLogStatus, Go, PageLimits, writer::Writer};
use crate::{
    cli::chain,
    clock::Clock,
    limited::Limited,
    roll_up::{RollUp, RolledUp},
};

/// Lots of flows that may wait for the writer. An interface hands over one every half second, of [`LOT_FLOWS`] at the most: the
/// disk may take half a minute at a county's pace, and some megabytes wait at a province's.
const WAITING: usize = 64;

/// Flows of one lot.
pub const LOT_FLOWS: usize = 256;

/// The most flows of an answer to the centre, and how long looking for them may take, in milliseconds.
const ANSWER_FLOWS: usize = limits::PAGE_FLOWS;
const ANSWER_MS: i64 = 5_000;

/// How often the writer does what is due.
const TICK: Duration = Duration::from_millis(500);

/// Where flows are handed over. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FlowSink {
    sender: SyncSender<Message>,
    shared: Arc<Shared>,
}

/// A log that is written.
#[derive(Debug)]
pub struct FlowLog {
    sink: FlowSink,
    folder: PathBuf,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    status: Mutex<FlowLogStatus>,
    /// What the flows handed over since the last time add up to, those among them that the writer had no time for.
    roll_up: Mutex<RollUp>,
    /// Flows dropped since the writer looked last.
    dropped: AtomicU64,
    /// How far the agent's clock is ahead of the centre's, in milliseconds; [`UNKNOWN`] where nobody said.
    ahead_ms: AtomicI64,
}

/// Stands for a clock that nobody compared.
const UNKNOWN: i64 = i64::MIN;

enum Message {
    Flows(Vec<Flow>),
    Stop,
}

/// What becomes of the log's work.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// This keeps the log from its work.
    Fails(&'a FlowLogError),
    /// Nothing does any more.
    Works,
    /// Flows that ended are not kept.
    Loses,
    /// None was lost for [`QUIET_MS`].
    Keeps,
}

/// Told what becomes of the log's work, when that changes.
pub type Tell = Box<dyn Fn(Told<'_>) + Send>;

/// How long no flow is lost until that is over, in milliseconds.
const QUIET_MS: i64 = 600_000;

impl FlowSink {
    /// Hands over finished flows. Never waits.
    pub fn offer(&self, mut flows: Vec<Flow>) {
        let mut roll_up = self.shared.roll_up.lock().unwrap_or_else(PoisonError::into_inner);
        for flow in &flows {
            roll_up.add(flow);
        }
        drop(roll_up);
        while !flows.is_empty() {
            let rest = if flows.len() > LOT_FLOWS { flows.split_off(LOT_FLOWS) } else { Vec::new() };
            let count = flows.len() as u64;
            if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
                self.sender.try_send(Message::Flows(flows))
            {
                self.shared.dropped.fetch_add(count, Ordering::Relaxed);
            }
            flows = rest;
        }
    }
}

impl FlowSink {
    /// Notes that flows were lost before they could be handed over.
    pub fn lose(&self, flows: u64) {
        self.shared.dropped.fetch_add(flows, Ordering::Relaxed);
    }
}

impl FlowLog {
    /// Opens the log, and writes it on a thread from now on; `new_ids` are random.
    ///
    /// # Errors
    /// The log cannot be opened, or is of another format; or there is no thread.
    pub fn start(
        config: FlowLogConfig,
        new_ids: [u64; 2],
        clock: Clock,
        tell: Tell,
    ) -> Result<Arc<Self>, FlowLogError> {
        let folder = config.folder.clone();
        let days_max = u32::try_from(config.age_max_ms / DAY_MS).unwrap_or(u32::MAX);
        let writer = Writer::open(config, new_ids, clock.timestamp())?;
        let (sender, receiver) = sync_channel(WAITING);
        let status = Mutex::new(FlowLogStatus { days_max, ..writer.status() });
        let shared = Arc::new(Shared {
            status,
            roll_up: Mutex::default(),
            dropped: AtomicU64::new(0),
            ahead_ms: AtomicI64::new(UNKNOWN),
        });
        let hand = Hand {
            writer,
            shared: Arc::clone(&shared),
            clock,
            tell,
            days_max,
            trouble: Limited::default(),
            is_told: false,
            losing: Losing::default(),
        };
        let spawned = thread::Builder::new().name("flow log".to_owned()).spawn(move || hand.run(&receiver));
        let thread = spawned.map_err(|source| FlowLogError::Open { folder: folder.clone(), source })?;
        let sink = FlowSink { sender, shared };
        Ok(Arc::new(Self { sink, folder, thread: Mutex::new(Some(thread)) }))
    }

    /// Returns where to hand over flows.
    pub fn sink(&self) -> FlowSink {
        self.sink.clone()
    }

    /// Notes how far the agent's clock is ahead of the centre's, in milliseconds.
    pub fn set_ahead(&self, ahead_ms: i64) {
        self.sink.shared.ahead_ms.store(ahead_ms, Ordering::Relaxed);
    }

    /// Returns a page of the log. Reads files: call it where blocking is allowed.
    ///
    /// # Errors
    /// The log cannot be read, or the question was given up.
    pub fn page(
        &self,
        query: &FlowQuery,
        after: Option<FlowCursor>,
        limits: &PageLimits<'_>,
    ) -> Result<FlowPage, FlowLogError> {
        super::page(&self.folder, query, after, limits)
    }

    /// Returns what the flows handed over since the last time add up to: `most` rows, and the rest.
    pub fn roll_up(&self, most: usize) -> RolledUp {
        self.sink.shared.roll_up.lock().unwrap_or_else(PoisonError::into_inner).take(most)
    }

    /// Answers a question within the limits of an answer to the centre: at most [`ANSWER_FLOWS`], within [`ANSWER_MS`]; the page says
    /// where to read on. Reads files: call it where blocking is allowed. Why there is no answer is told in words.
    ///
    /// # Errors
    /// As for [`page`](Self::page).
    pub fn answer(&self, query: &FlowQuery, after: Option<FlowCursor>, clock: Clock) -> Result<FlowPage, String> {
        let until = clock.timestamp().plus_ms(ANSWER_MS);
        let go = || if clock.timestamp() < until { Go::On } else { Go::EndPage };
        let limits = PageLimits { flows: ANSWER_FLOWS, fits: &limits::page_fits, go: &go };
        self.page(query, after, &limits).map_err(|error| chain(&error))
    }

    /// Returns how the log is doing.
    pub fn status(&self) -> FlowLogStatus {
        self.sink.shared.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes what waits, and ends the thread. Blocks until the disk has it.
    pub fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        // It may wait for a place in the channel, behind what is to be written.
        let _ = self.sink.sender.send(Message::Stop);
        if thread.join().is_err() {
            tracing::error!("the flow log's writer failed");
        }
    }
}

/// What the thread owns.
struct Hand {
    writer: Writer,
    shared: Arc<Shared>,
    clock: Clock,
    tell: Tell,
    days_max: u32,
    trouble: Limited,
    /// Whether it was told that something keeps the log from its work.
    is_told: bool,
    losing: Losing,
}

/// Follows whether flows are lost, from how many were so far.
#[derive(Debug, Default)]
struct Losing {
    lost: u64,
    /// When the last one was, while that is told.
    last: Option<Timestamp>,
}

impl Losing {
    /// Takes how many flows were lost so far. Returns what is to be told now.
    fn follow(&mut self, lost: u64, now: Timestamp) -> Option<Told<'static>> {
        if lost > self.lost {
            self.lost = lost;
            return self.last.replace(now).is_none().then_some(Told::Loses);
        }
        let is_over = self.last.is_some_and(|last| now.ms_since(last) >= QUIET_MS);
        is_over.then(|| {
            self.last = None;
            Told::Keeps
        })
    }
}

impl Hand {
    fn run(mut self, receiver: &std::sync::mpsc::Receiver<Message>) {
        loop {
            let appended = match receiver.recv_timeout(TICK) {
                Ok(Message::Flows(flows)) => self.writer.append(flows),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => Ok(()),
            };
            let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                self.writer.lose(dropped);
            }
            match self.shared.ahead_ms.load(Ordering::Relaxed) {
                UNKNOWN => {}
                ahead_ms => self.writer.set_ahead(ahead_ms),
            }
            let ticked = self.writer.tick(self.clock.timestamp());
            self.note(appended.and(ticked).err().as_ref());
        }
        let Self { writer, shared, days_max, .. } = self;
        match writer.close() {
            Ok(status) => {
                *shared.status.lock().unwrap_or_else(PoisonError::into_inner) = FlowLogStatus { days_max, ..status };
            }
            Err(error) => tracing::warn!(error = %chain(&error), "the last flows could not be logged"),
        }
    }

    fn note(&mut self, error: Option<&FlowLogError>) {
        let status = FlowLogStatus { days_max: self.days_max, ..self.writer.status() };
        match error {
            Some(error) => {
                self.trouble.warn(self.clock.timestamp(), "flows cannot be logged", error);
                // Once: how many bytes are free changes all the time.
                if !self.is_told {
                    (self.tell)(Told::Fails(error));
                }
                self.is_told = true;
            }
            None if self.is_told && !status.disk_full => {
                (self.tell)(Told::Works);
                self.is_told = false;
            }
            None => {}
        }
        let lost = status.lost_busy.saturating_add(status.lost_disk);
        if let Some(told) = self.losing.follow(lost, self.clock.timestamp()) {
            (self.tell)(told);
        }
        *self.shared.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losing_flows_is_told_once_and_that_it_is_over_after_a_while_without() {
        let mut losing = Losing::default();
        let mut told = |lost, second: i64| {
            losing.follow(lost, Timestamp::from_unix_ms(second * 1_000)).map(|told| matches!(told, Told::Loses))
        };
        assert_eq!([told(0, 0), told(3, 10), told(3, 20), told(9, 500)], [None, Some(true), None, None]);
        assert_eq!([told(9, 1_000), told(9, 1_100), told(9, 1_200)], [None, Some(false), None]);
        assert_eq!(told(10, 1_300), Some(true));
    }
}
