//! What one principal sees of drills.

use std::sync::Arc;

use onenet_topology::{CaseId, DrillId, IncidentId, SiteId, anomaly::Anomaly, drill::Drill, incident::Incident};

use super::View;
use crate::access::Action;

impl View {
    /// Returns the drills of sites whose cases may be read, the newest first.
    pub fn drills(&self) -> impl Iterator<Item = &Drill> {
        let all = self.estate.drills.all.values().rev().map(Arc::as_ref);
        all.filter(|it| self.may(Action::ReadCases, it.site))
    }

    /// Returns a drill, if the cases of its site may be read.
    pub fn drill(&self, id: DrillId) -> Option<&Drill> {
        self.estate.drills.all.get(&id).map(Arc::as_ref).filter(|it| self.may(Action::ReadCases, it.site))
    }

    /// Returns the drill that a case is of; whoever may read the case may know how its drill went.
    pub fn drill_of_case(&self, case: CaseId) -> Option<&Drill> {
        self.case(case).and_then(|it| self.estate.drills.of_case(it.id)).map(Arc::as_ref)
    }

    /// Returns the drill that an incident is of.
    pub fn drill_of_incident(&self, incident: IncidentId) -> Option<DrillId> {
        self.estate.drills.of_incident(incident).map(|it| it.id)
    }

    /// Returns what was found of drills at a site whose inventory may be read.
    pub fn drilled_anomalies(&self, site: SiteId) -> impl Iterator<Item = (&Drill, &Anomaly)> {
        let may = self.may(Action::ReadInventory, site);
        let of_site = self.estate.drills.all.values().filter(move |it| may && it.site == site);
        of_site.filter_map(|it| Some((it.as_ref(), it.anomaly.as_ref()?)))
    }

    /// Returns the incidents that are drills and concern a site whose inventory may be read, the newest first.
    pub fn drilled_incidents(&self) -> impl Iterator<Item = &Incident> {
        let drilled = self.estate.drills.all.values().rev().filter_map(|it| it.incident.as_ref());
        drilled.filter(|it| self.shows_incident(it))
    }
}
