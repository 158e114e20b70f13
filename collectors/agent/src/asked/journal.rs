//! Questions of one sort, in memory and in a file.
//!
//! Invariant: at most [`KEPT_MAX`], the newest first; what was changed is on disk when the change returns, unless the disk fails.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

use super::KEPT_MAX;
use crate::durable::{self, DocumentError};

/// The questions. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Journal<T> {
    file: Option<Arc<PathBuf>>,
    questions: Arc<Mutex<Vec<T>>>,
}

impl<T> Default for Journal<T> {
    fn default() -> Self {
        Self { file: None, questions: Arc::default() }
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Journal<T> {
    /// Returns what the file has.
    pub(super) fn load(file: PathBuf) -> Self {
        let questions = durable::document(&file).unwrap_or_else(|error: DocumentError| {
            tracing::warn!(%error, "what was asked for before is not known");
            None
        });
        Self { file: Some(Arc::new(file)), questions: Arc::new(Mutex::new(questions.unwrap_or_default())) }
    }

    /// Changes the questions. Waits for the disk.
    pub(super) fn change(&self, change: impl FnOnce(&mut Vec<T>)) {
        let mut questions = self.lock();
        change(&mut questions);
        questions.truncate(KEPT_MAX);
        self.keep(&questions);
    }

    pub(super) fn all(&self) -> Vec<T> {
        self.lock().clone()
    }

    fn keep(&self, questions: &[T]) {
        let Some(file) = &self.file else { return };
        let written = serde_json::to_vec_pretty(questions).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|text| durable::replace(file, &text, durable::Sync::Yes)) {
            tracing::warn!(file = %file.display(), %error, "what was asked for is not on disk");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
