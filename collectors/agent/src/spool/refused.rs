//! Batches that the centre refused, kept for whoever looks into it.
//!
//! Invariant: the newest few are kept, whatever their number.

use onenet_wire::Position;

use super::{
    SpoolError, keys,
    store::{Purpose, Store, Writes},
};

/// Refused batches kept: enough to see what is wrong.
const KEPT: usize = 4;

/// Keeps a refused batch, in place of the oldest when there are enough.
pub(super) fn keep(store: &Store, position: Position, bytes: &[u8]) -> Result<(), SpoolError> {
    let mut writes = Writes::together();
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for item in store.scan(&[keys::ASIDE]) {
        let mut prefix = item?.0;
        prefix.truncate(PREFIX_BYTES);
        if kept.last() != Some(&prefix) {
            kept.push(prefix);
        }
    }
    // Sequences grow, so within a lane the oldest comes first; across lanes the order does not matter.
    for oldest in kept.iter().take(kept.len().saturating_sub(KEPT - 1)) {
        store.remove_all(oldest, &mut writes)?;
    }
    writes.put_parts(&prefix(position), bytes);
    store.apply(writes, Purpose::BookKeeping)
}

/// Bytes of the key in front of the part's number.
const PREFIX_BYTES: usize = 10;

fn prefix(position: Position) -> Vec<u8> {
    let lane = u8::try_from(i32::from(onenet_wire::v1::Lane::from(position.lane))).unwrap_or(0);
    let mut key = vec![keys::ASIDE, lane];
    key.extend_from_slice(&position.sequence.to_be_bytes());
    key
}
