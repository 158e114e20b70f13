//! Time: recording that it passed, and letting go of what is kept long enough.
//!
//! Invariant: a tick says only that time passed; how much follows from the time of its record.
//!
//! One task, [`tick`], owned by the centre's tracker.

use std::{sync::Arc, time::Duration};

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    case_files::Files,
    collector::Shared,
    ingest::{Intake, IntakeError},
    record::Body,
    store::Store,
};

/// How often time is recorded as having passed.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two removals of old samples.
const TICKS_PER_EXPIRY: u64 = 300;

/// How long it is kept what changed at sites, in milliseconds: as long as endpoints are remembered.
const ALTERED_RETENTION_MS: i64 = 400 * 86_400_000;

/// What the task needs.
pub(super) struct Ticker {
    pub(super) store: Store,
    pub(super) files: Files,
    pub(super) shared: Arc<Shared>,
    /// Where it is recorded that time passed; `None` where a shared log is ticked.
    pub(super) intake: Option<Intake>,
    pub(super) shutdown: CancellationToken,
    pub(super) retention_ms: i64,
    pub(super) audit_retention_ms: i64,
}

/// Ticks until `shutdown`.
pub(super) async fn tick(ticker: Ticker) {
    let mut interval = tokio::time::interval(TICK);
    // After a pause of the machine one tick is enough: each looks at the time of its record.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks = 0_u64;
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = ticker.shutdown.cancelled() => return,
        }
        ticker.shared.room.look();
        if let Some(intake) = &ticker.intake
            && matches!(intake.submit(Body::Tick).await, Err(IntakeError::Stopped))
        {
            return;
        }
        ticks += 1;
        if ticks.is_multiple_of(TICKS_PER_EXPIRY) {
            ticker.expire().await;
        }
    }
}

impl Ticker {
    async fn expire(&self) {
        let before = self.shared.clock.now().plus_ms(self.retention_ms.saturating_neg());
        let audit_before = self.shared.clock.now().plus_ms(self.audit_retention_ms.saturating_neg());
        let altered_before = self.shared.clock.now().plus_ms(ALTERED_RETENTION_MS.saturating_neg());
        let (store, estate) = (self.store.clone(), self.shared.published.estate.load_full());
        let (files, shared) = (self.files.clone(), Arc::clone(&self.shared));
        let expired = tokio::task::spawn_blocking(move || {
            // Tried again in some minutes.
            if let Err(error) = files.sweep(|| shared.published.estate.load_full()) {
                tracing::warn!(%error, "files that no case names any more were not removed; tried again in some minutes");
            }
            store.expire_audit(audit_before)?;
            store.expire_alterations(estate.sites.keys().copied(), altered_before)?;
            store.expire_samples(before)
        })
        .await;
        match expired {
            Ok(Ok(files)) if files > 0 => tracing::debug!(files, "old samples were removed"),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "old samples were not removed; tried again in some minutes"),
            Err(error) => tracing::warn!(%error, "the removal of old samples panicked"),
        }
    }
}
