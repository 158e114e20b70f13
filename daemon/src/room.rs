//! Room on the disk: a part of it is kept free for the store itself.
//!
//! Invariant: what agents report is taken in only while more than the reserve is free, so that the store, which cannot go on
//! after a write that failed, has room for what cannot wait: signs of life, incidents, commands, the audit trail.
//!
//! It does not know what the store writes, nor who else fills the disk.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The most that is kept free, in bytes: days of what the store writes without reports.
const RESERVE_MAX: u64 = 256 << 20;
/// A small disk keeps one part in so many.
const RESERVE_PART: u64 = 20;

/// Whether there is room. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    short: AtomicBool,
}

/// A disk as it is.
#[derive(Debug, Clone, Copy)]
struct Disk {
    free: u64,
    total: u64,
}

impl Room {
    /// Returns the room on the disk of `path`, as it is now.
    pub(crate) fn new(path: &Path) -> Self {
        let room = Self(Arc::new(Inner { path: path.to_owned(), short: AtomicBool::new(false) }));
        room.look();
        room
    }

    /// Looks at the disk; says so when its state changed. A disk that does not tell is taken to have room.
    pub(crate) fn look(&self) {
        let Ok(disk) = rustix::fs::statvfs(&self.0.path) else { return };
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        let disk = Disk { free: bytes(disk.f_bavail), total: bytes(disk.f_blocks) };
        let was = self.is_short();
        let short = is_short(disk, was);
        if self.0.short.swap(short, Ordering::Relaxed) == short {
            return;
        }
        let (data, free) = (self.0.path.display(), disk.free);
        if short {
            tracing::error!(%data, free, "the disk is almost full: what agents report is not taken in until there is room, and they keep it; make room");
        } else {
            tracing::info!(%data, free, "there is room on the disk again: what agents kept is taken in");
        }
    }

    /// Returns whether there was too little room at the last look.
    pub(crate) fn is_short(&self) -> bool {
        self.0.short.load(Ordering::Relaxed)
    }
}

/// Returns whether a disk is short of room, which `was` said before: once short, it takes some more to have room again.
fn is_short(disk: Disk, was: bool) -> bool {
    let reserve = RESERVE_MAX.min(disk.total / RESERVE_PART);
    disk.free < if was { reserve.saturating_add(reserve / 4) } else { reserve }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_kept_and_given_up_only_with_a_margin() {
        let large = |free_mib: u64| Disk { free: free_mib << 20, total: 1 << 40 };
        assert!(!is_short(large(257), false));
        assert!(is_short(large(255), false));
        assert!(is_short(large(300), true), "once short it takes more");
        assert!(!is_short(large(320), true));
        let small = |free_mib: u64| Disk { free: free_mib << 20, total: 40 << 20 };
        assert!(!is_short(small(3), false));
        assert!(is_short(small(1), false));
    }

    #[test]
    fn the_disk_is_asked() {
        let data = tempfile::tempdir().unwrap();
        let room = Room::new(data.path());
        assert!(!room.is_short(), "the disk of this test is almost full");
        assert!(!Room::new(&data.path().join("missing")).is_short());
    }
}
