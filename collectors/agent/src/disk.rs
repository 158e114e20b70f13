//! Room on disks, for everything that keeps much on one: the spool, the flow log.

use std::path::Path;

/// Returns what is free on a folder's disk, in bytes. A file system that cannot tell is trusted: the write itself will.
pub(crate) fn free_bytes(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Returns what a folder takes on disk, in bytes. What vanishes while it is counted does not count.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
        Ok(meta) => meta.blocks().saturating_mul(512),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
