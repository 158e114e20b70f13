//! A log in memory. When it is to be unreliable, some appends fail after a part of them, or all of them, is in the log.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use onenet_topology::Timestamp;
use tokio::sync::mpsc;

use super::super::journal::{Extent, Journal, JournalError, Read};
use crate::clock::Clock;

#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    entries: Vec<(Timestamp, Bytes)>,
    unreliable: bool,
    appends: usize,
    faults: usize,
    askers: Vec<mpsc::Sender<Bytes>>,
    asked: Vec<mpsc::Sender<(Bytes, String)>>,
}

impl Memory {
    pub(super) fn be_unreliable(&self) {
        self.0.lock().unwrap().unreliable = true;
    }

    pub(super) fn faults(&self) -> usize {
        self.0.lock().unwrap().faults
    }

    pub(super) fn entries(&self) -> Vec<Bytes> {
        self.0.lock().unwrap().entries.iter().map(|(_, bytes)| bytes.clone()).collect()
    }

    /// Loses everything from a number on, as servers may that all lost power.
    pub(super) fn lose_from(&self, sequence: u64) {
        self.0.lock().unwrap().entries.truncate(usize::try_from(sequence).unwrap() - 1);
    }
}

impl Journal for Memory {
    async fn extent(&self) -> Result<Extent, JournalError> {
        let last = u64::try_from(self.entries().len()).unwrap();
        Ok(Extent { created: Timestamp::EPOCH, first: 1, last })
    }

    async fn found(&self, bytes: Bytes) -> Result<bool, JournalError> {
        let mut state = self.0.lock().unwrap();
        let first = state.entries.is_empty();
        if first {
            state.entries.push((Clock::system().now(), bytes));
        }
        Ok(first)
    }

    async fn append(&self, entries: Vec<Bytes>) -> Result<(), JournalError> {
        let mut state = self.0.lock().unwrap();
        state.appends += 1;
        let now = Clock::system().now();
        // Every third append: all is in the log and nobody is told; every fifth: the first one got lost.
        let (repeats, loses) =
            (state.unreliable && state.appends.is_multiple_of(3), state.unreliable && state.appends.is_multiple_of(5));
        state.entries.extend(entries.into_iter().skip(usize::from(loses)).map(|bytes| (now, bytes)));
        if repeats || loses {
            state.faults += 1;
            return Err(JournalError { doing: "appending", cause: "as it was told".into() });
        }
        Ok(())
    }

    async fn read(&self, from: u64, to: mpsc::Sender<Read>) -> JournalError {
        let mut next = usize::try_from(from).unwrap() - 1;
        loop {
            let found = {
                let state = self.0.lock().unwrap();
                let behind = state.entries.len().saturating_sub(next + 1);
                state.entries.get(next).cloned().map(|entry| (entry, behind))
            };
            let Some(((time, bytes), behind)) = found else {
                if to.is_closed() {
                    return JournalError { doing: "reading", cause: "nobody reads".into() };
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
            next += 1;
            let (sequence, behind) = (u64::try_from(next).unwrap(), u64::try_from(behind).unwrap());
            if to.send(Read { sequence, time, bytes, behind }).await.is_err() {
                return JournalError { doing: "reading", cause: "nobody reads".into() };
            }
        }
    }

    async fn ask(&self, question: Bytes, answers: mpsc::Sender<Bytes>) -> JournalError {
        let (way, asked) = {
            let mut state = self.0.lock().unwrap();
            state.askers.push(answers);
            (state.askers.len() - 1, state.asked.clone())
        };
        for replica in asked {
            // One that is gone hears nothing.
            let _ = replica.send((question.clone(), way.to_string())).await;
        }
        std::future::pending().await
    }

    async fn questions(&self, to: mpsc::Sender<(Bytes, String)>) -> JournalError {
        self.0.lock().unwrap().asked.push(to);
        std::future::pending().await
    }

    async fn answer(&self, way: String, answer: Bytes) -> Result<(), JournalError> {
        let asker = self.0.lock().unwrap().askers[way.parse::<usize>().unwrap()].clone();
        // Whoever asked may not wait any more.
        let _ = asker.send(answer).await;
        Ok(())
    }
}
