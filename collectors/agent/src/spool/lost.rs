//! What caps cost: how many batches and items were dropped, and of when they were. Pure.

use onenet_topology::Timestamp;
use onenet_wire::v1;

/// What caps cost since it was last reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) batches: u64,
    pub(super) items: u64,
    first_ms: i64,
    last_ms: i64,
}

impl Lost {
    pub(super) fn of(batch: &v1::Batch) -> Self {
        let closed = batch.clocks.as_ref().map_or(0, |clocks| clocks.wall_ms);
        let time = |group: &v1::HistoryGroup| closed - i64::try_from(group.age_ms).unwrap_or(0);
        let items = |group: &v1::HistoryGroup| {
            group.interfaces.len()
                + group.devices.len()
                + group.traffic.len()
                + group.captures.len()
                + group.events.len()
        };
        Self {
            batches: 1,
            items: batch.history.iter().map(items).sum::<usize>() as u64,
            first_ms: batch.history.iter().map(time).min().unwrap_or(closed),
            last_ms: batch.history.iter().map(time).max().unwrap_or(closed),
        }
    }

    /// Returns what an item counts as that memory had no room for.
    pub(super) const fn of_item(time: Timestamp) -> Self {
        Self { batches: 0, items: 1, first_ms: time.unix_ms(), last_ms: time.unix_ms() }
    }

    /// Returns what an unreadable batch counts as.
    pub(super) const fn unreadable() -> Self {
        Self { batches: 1, items: 0, first_ms: i64::MAX, last_ms: 0 }
    }

    pub(super) fn add(&mut self, more: Self) {
        let nothing_yet = self.batches == 0 && self.items == 0;
        self.batches += more.batches;
        self.items += more.items;
        self.first_ms = if nothing_yet { more.first_ms } else { self.first_ms.min(more.first_ms) };
        self.last_ms = self.last_ms.max(more.last_ms);
    }

    /// Says in words what was lost.
    pub(super) fn describe(&self) -> String {
        let (first, last) = (Timestamp::from_unix_ms(self.first_ms), Timestamp::from_unix_ms(self.last_ms));
        format!(
            "{} samples and events of {first} to {last} were dropped by the spool's age or byte cap: restore the line to the \
             centre sooner, or raise the cap",
            self.items
        )
    }

    /// Returns what stands for it on disk.
    pub(super) const fn numbers(self) -> [u64; 4] {
        [self.batches, self.items, self.first_ms.cast_unsigned(), self.last_ms.cast_unsigned()]
    }

    /// Returns what such numbers stand for.
    pub(super) const fn of_numbers([batches, items, first, last]: [u64; 4]) -> Self {
        Self { batches, items, first_ms: first.cast_signed(), last_ms: last.cast_signed() }
    }
}
