//! The systems heard through LLDP and CDP.
//!
//! Invariant: at most [`CAPACITY`]; one that is full gives up whoever was silent longest. It does not expire what has
//! outlived its time to live: silence is judged by whoever knows how well it was listened.

use crate::{FrameTime, facts::Neighbour};

/// The most neighbours kept. At one port there is one; more leak through switches that do not speak LLDP, and a mirror
/// port shows those of every mirrored port.
pub const CAPACITY: usize = 256;

/// A neighbour as last heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeighbourState {
    /// What it announced.
    pub neighbour: Neighbour,
    /// When it was first heard.
    pub first_seen: FrameTime,
    /// When it was last heard.
    pub last_seen: FrameTime,
}

/// The table of neighbours.
#[derive(Debug, Default)]
pub struct Neighbours {
    rows: Vec<Row>,
    /// Neighbours that took their announcement back (time to live 0) since the last report.
    gone: Vec<NeighbourState>,
    /// Neighbours that had to leave for others.
    pub evicted: u64,
}

#[derive(Debug)]
struct Row {
    state: NeighbourState,
    changed: bool,
}

impl Neighbours {
    /// Notes an announcement.
    pub fn hear(&mut self, time: FrameTime, heard: Neighbour) {
        let same = |row: &Row| {
            let known = &row.state.neighbour;
            known.protocol == heard.protocol
                && known.chassis_id == heard.chassis_id
                && known.port_id == heard.port_id
                && known.mac == heard.mac
        };
        let place = self.rows.iter().position(same);
        if heard.ttl_s == 0 {
            if let Some(mut row) = place.map(|at| self.rows.swap_remove(at)).filter(|_| self.gone.len() < CAPACITY) {
                row.state.neighbour.ttl_s = 0;
                row.state.last_seen = time;
                self.gone.push(row.state);
            }
            return;
        }
        if let Some(row) = place.and_then(|at| self.rows.get_mut(at)) {
            row.state.last_seen = row.state.last_seen.max(time);
            if row.state.neighbour != heard {
                row.state.neighbour = heard;
                row.changed = true;
            }
            return;
        }
        if self.rows.len() >= CAPACITY {
            let oldest = self.rows.iter().enumerate().min_by_key(|(_, row)| row.state.last_seen).map(|(at, _)| at);
            oldest.map(|at| self.rows.swap_remove(at));
            self.evicted += 1;
        }
        let state = NeighbourState { neighbour: heard, first_seen: time, last_seen: time };
        self.rows.push(Row { state, changed: true });
    }

    /// Returns the neighbours that are new, changed or gone (time to live 0) since the last call.
    pub fn take_changed(&mut self) -> Vec<NeighbourState> {
        let mut changed = std::mem::take(&mut self.gone);
        for row in self.rows.iter_mut().filter(|row| row.changed) {
            row.changed = false;
            changed.push(row.state.clone());
        }
        changed
    }

    /// Returns every neighbour as last heard.
    pub fn iter(&self) -> impl Iterator<Item = &NeighbourState> {
        self.rows.iter().map(|row| &row.state)
    }
}
