//! What one batch takes from the table of facts.
//!
//! Invariant: it stays within the wire's limits and within what it was told; a change that does not fit is left out, and what
//! is said to be complete names the range that it is complete in. It does not know the table.

use onenet_topology::fact::{FactChange, Group};
use onenet_wire::{GroupChanges, KeyRange, limits};

use super::group::Edit;

/// Bytes that a change needs in a batch beside its stored message: tag, length, age.
const CHANGE_OVERHEAD: usize = 25;
/// Bytes that a group needs in a batch beside its scope: tag, length, method, key range.
const GROUP_OVERHEAD: usize = 40;

/// What one batch takes from the table.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) groups: Vec<GroupChanges>,
    pub(super) bytes: usize,
    pub(super) changes: usize,
    /// Facts that are dirty no more.
    pub(super) sent: Vec<(Group, u64)>,
    /// Groups whose resending went on to this key hash, or is done.
    pub(super) resync: Vec<(Group, Option<u64>)>,
    /// Where it ended among what changed.
    pub(super) cursor: Option<(Group, u64)>,
    /// What follows in memory once it is in a batch on disk.
    pub(super) edits: Vec<Edit>,
}

impl Cut {
    /// Returns whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Adds a change, whose message takes so many bytes, to the last group where it is the same, else to a new one. Returns
    /// whether it fitted.
    pub(super) fn push_change(
        &mut self,
        group: &Group,
        (change, message): (FactChange, usize),
        bytes: usize,
        changes: usize,
    ) -> bool {
        let same = self.groups.last().is_some_and(|last| last.group == *group);
        let size = CHANGE_OVERHEAD + message + if same { 0 } else { group_size(group) };
        if self.bytes + size > bytes || self.changes >= changes || (!same && self.groups.len() >= limits::BATCH_GROUPS)
        {
            return false;
        }
        if !same {
            self.groups.push(GroupChanges { group: group.clone(), changes: Vec::new(), complete: None });
        }
        self.add(change, size);
        true
    }

    /// Opens a group that is complete from `first` on. Returns whether it fitted.
    pub(super) fn open_range(&mut self, group: &Group, first: u64) -> bool {
        let size = group_size(group);
        if self.bytes + size > limits::BATCH_BYTES || self.groups.len() >= limits::BATCH_GROUPS {
            return false;
        }
        self.bytes += size;
        let complete = Some(KeyRange { first, last: u64::MAX });
        self.groups.push(GroupChanges { group: group.clone(), changes: Vec::new(), complete });
        true
    }

    pub(super) fn push_change_to_last(&mut self, (change, message): (FactChange, usize)) -> bool {
        let size = CHANGE_OVERHEAD + message;
        if self.bytes + size > limits::BATCH_BYTES || self.changes >= limits::BATCH_CHANGES {
            return false;
        }
        self.add(change, size);
        true
    }

    pub(super) fn add(&mut self, change: FactChange, size: usize) {
        self.bytes += size;
        self.changes += 1;
        if let Some(group) = self.groups.last_mut() {
            group.changes.push(change);
        }
    }

    /// Ends the open range at `last`; without one nothing fitted, and the group is taken back.
    pub(super) fn close_range(&mut self, group: &Group, first: u64, last: Option<u64>) {
        let Some(last) = last else {
            self.groups.pop();
            return;
        };
        if let Some(open) = self.groups.last_mut() {
            open.complete = Some(KeyRange { first, last });
        }
        self.resync.push((group.clone(), last.checked_add(1)));
    }
}

fn group_size(group: &Group) -> usize {
    GROUP_OVERHEAD + group.scope.as_str().len()
}
