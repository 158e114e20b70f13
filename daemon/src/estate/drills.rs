//! Drills, as the estate holds them: apart from what is real.
//!
//! Invariant: which drill a case or an incident is of, and which are not settled yet, follows from the drills alone.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use onenet_topology::{AgentId, CaseId, DrillId, IncidentId, drill::Drill};

/// Drills.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drills {
    /// Every drill, by id.
    pub all: OrdMap<DrillId, Arc<Drill>>,
    /// Those that something still becomes of by itself.
    pub unsettled: OrdSet<DrillId>,
    cases: OrdMap<CaseId, DrillId>,
    incidents: OrdMap<IncidentId, DrillId>,
}

impl Drills {
    /// Returns the drill that a case is of.
    pub fn of_case(&self, case: CaseId) -> Option<&Arc<Drill>> {
        self.all.get(self.cases.get(&case)?)
    }

    /// Returns the drill that an incident is of.
    pub fn of_incident(&self, incident: IncidentId) -> Option<&Arc<Drill>> {
        self.all.get(self.incidents.get(&incident)?)
    }

    /// Returns the drills that something still becomes of by itself, the oldest first.
    pub fn unsettled(&self) -> impl Iterator<Item = &Arc<Drill>> {
        self.unsettled.iter().filter_map(|id| self.all.get(id))
    }

    /// Returns what an agent has still to put in, the oldest first.
    pub fn awaiting(&self, agent: AgentId) -> impl Iterator<Item = &Arc<Drill>> {
        self.unsettled().filter(move |it| it.awaits(agent))
    }

    pub(super) fn put(&mut self, drill: &Arc<Drill>) {
        if drill.is_settled() {
            self.unsettled.remove(&drill.id);
        } else {
            self.unsettled.insert(drill.id);
        }
        if let Some(case) = drill.case {
            self.cases.insert(case, drill.id);
        }
        if let Some(incident) = &drill.incident {
            self.incidents.insert(incident.id, drill.id);
        }
        self.all.insert(drill.id, Arc::clone(drill));
    }

    pub(super) fn forget(&mut self, id: DrillId) {
        self.unsettled.remove(&id);
        let Some(drill) = self.all.remove(&id) else { return };
        drill.case.map(|case| self.cases.remove(&case));
        drill.incident.as_ref().map(|incident| self.incidents.remove(&incident.id));
    }
}
