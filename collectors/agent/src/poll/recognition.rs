//! What a device was recognised as, and what is read because of it: its sensors and wireless stations.
//!
//! Invariant: what could not be asked this time is no other than before. It does not know when to ask.

use onenet_snmp::{
    AddressRow, Entity, Identification, InterfaceIndex, Pace, PartNames, Polled, Profiles, SensorMemory, SensorReading,
    Session, Station, System, poll_identification, poll_more_addresses, poll_sensors, poll_stations,
};

/// What is known of one device by its profile.
#[derive(Debug, Default)]
pub(super) struct Recognition {
    found: Identification,
    /// The device's parts as they were last read: they name sensors, and tell model and serial number.
    parts: Vec<Entity>,
    absent: SensorMemory,
    absent_seldom: SensorMemory,
    absent_addresses: SensorMemory,
}

impl Recognition {
    /// Returns what the device was last recognised as.
    pub(super) fn found(&self) -> &Identification {
        &self.found
    }

    /// Takes note of the device's parts.
    pub(super) fn note_parts(&mut self, polled: &Polled<Entity>) {
        if !polled.is_partial() {
            self.parts.clone_from(&polled.rows);
        }
    }

    /// Takes note that the device started anew: it may have now what it did not have before.
    pub(super) fn restarted(&mut self) {
        (self.absent, self.absent_seldom, self.absent_addresses) = Default::default();
    }

    /// Finds out what the device is. Returns whether it could be asked.
    pub(super) async fn identify(&mut self, session: &mut Session, profiles: &Profiles, system: &System) -> bool {
        let polled = poll_identification(session, profiles, system, &self.parts).await;
        let found = polled.rows.first().filter(|_| !polled.is_partial());
        if let Some(found) = found {
            self.found.clone_from(found);
        }
        found.is_some()
    }

    /// Reads the sensors of a pace.
    pub(super) async fn sensors(
        &mut self,
        session: &mut Session,
        profiles: &Profiles,
        interfaces: &InterfaceIndex,
        pace: Pace,
    ) -> Polled<SensorReading> {
        let names = PartNames { interfaces, entities: &self.parts };
        let memory = match pace {
            Pace::Usual => &mut self.absent,
            Pace::Seldom => &mut self.absent_seldom,
        };
        poll_sensors(session, profiles, self.found.profile, &names, memory, Some(pace)).await
    }

    /// Reads addresses from tables beside the standard ones, where those, `standard`, have none.
    pub(super) async fn more_addresses(
        &mut self,
        session: &mut Session,
        profiles: &Profiles,
        interfaces: &InterfaceIndex,
        standard: &Polled<AddressRow<&str>>,
    ) -> Polled<AddressRow> {
        let names = PartNames { interfaces, entities: &self.parts };
        let memory = &mut self.absent_addresses;
        poll_more_addresses(session, profiles, self.found.profile, &names, memory, standard).await
    }

    /// Reads the wireless stations.
    pub(super) async fn stations(
        &self,
        session: &mut Session,
        profiles: &Profiles,
        interfaces: &InterfaceIndex,
    ) -> Polled<Station> {
        let names = PartNames { interfaces, entities: &self.parts };
        poll_stations(session, profiles, self.found.profile, &names).await
    }
}
