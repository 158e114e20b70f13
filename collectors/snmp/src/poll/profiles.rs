//! What a device is asked for because of a profile: what identifies it, its sensors, its wireless stations.
//!
//! Invariant: a table that a device turned out not to have costs nothing until [`SensorMemory`] looks again; what the
//! vendor's profile gives is not asked of the standard MIBs too. Nothing here spawns.

use std::collections::BTreeSet;

use onenet_topology::SensorKind;

use crate::{
    dropped::{TableError, TableProblem},
    mib::{self, Polled, ReadTable, TableSize, addresses::AddressRow, entity::Entity, system::System},
    profile::{
        Identification, Pace, PartNames, Profile, Profiles, SensorReading, Station, Wanted,
        addresses::IpVersion,
        table::{Read, Scalar, TableSpec},
    },
    session::Session,
    value::Value,
};

/// What names the group of single objects of profiles in errors.
const OBJECTS: &str = "profile";

/// After how many polls at most it is asked again for what a device did not have: every four hours at the usual pace. At
/// first sooner, since some agents have a value only when they have measured for a while: net-snmp's hrProcessorLoad takes a
/// minute. Whoever knows that the device started anew makes a new memory.
const LOOK_AGAIN_POLLS_MAX: u32 = 48;

/// What a device does not have. Keep it between polls of one device.
#[derive(Debug, Clone, Default)]
pub struct SensorMemory {
    absent: BTreeSet<&'static str>,
    polls: u32,
    /// After how many polls it is asked again; 0 is before the first.
    pause: u32,
}

impl SensorMemory {
    /// Takes note of a poll that begins; forgets what was absent when it is time to look again, each time later.
    fn begin(&mut self) {
        if self.polls >= self.pause {
            let pause = (self.pause * 2).clamp(1, LOOK_AGAIN_POLLS_MAX);
            *self = Self { pause, ..Self::default() };
        }
        self.polls += 1;
    }
}

/// Finds out what a device is. One or two questions; `entities` are those of the last [`super::poll_entities`]. Ask when
/// the device started anew, and when its system group says something else.
pub async fn poll_identification(
    session: &mut Session,
    profiles: &Profiles,
    system: &System,
    entities: &[Entity],
) -> Polled<Identification> {
    let mut polled = Polled::default();
    let mut profile = profiles.of_system(system).cloned();
    if profile.is_none() {
        let probes = profiles.probes();
        let objects: Vec<&Scalar> = probes.iter().map(|(_, scalar)| *scalar).collect();
        let found = ask(session, &objects, &mut polled.errors).await;
        let known = probes.iter().zip(&found).find(|(_, (_, value))| value.is_some());
        profile = known.map(|((profile, _), _)| (*profile).clone());
    }
    let standard = profiles.standard();
    let wanted = [profile.as_ref(), standard].map(|profile| profile.map(|it| it.identifying()).unwrap_or_default());
    let all: Vec<&Scalar> = wanted.iter().flatten().filter(|scalar| scalar.1).map(|scalar| scalar.0).collect();
    let mut found = ask(session, &all, &mut polled.errors).await.into_iter();
    let objects = wanted.each_ref().map(|wanted| {
        let value = |(scalar, asked): &(&Scalar, bool)| {
            (scalar.name, if *asked { found.next().and_then(|it| it.1) } else { None })
        };
        wanted.iter().map(value).collect::<Vec<_>>()
    });
    let [of_vendor, of_standard] = &objects;
    polled.rows.push(profiles.conclude(system, entities, profile.as_deref(), [of_vendor, of_standard]));
    polled
}

/// Reads the sensors of a device: those of its profile, and of the standard MIBs the kinds that the profile did not give; of one
/// pace, or, without, all. `profile` is [`Identification::profile`].
pub async fn poll_sensors(
    session: &mut Session,
    profiles: &Profiles,
    profile: Option<&str>,
    names: &PartNames<'_>,
    memory: &mut SensorMemory,
    pace: Option<Pace>,
) -> Polled<SensorReading> {
    memory.begin();
    let mut polled = Polled::default();
    let profile = profile.and_then(|name| profiles.get(name));
    if let Some(profile) = profile {
        let wanted = Wanted { pace, ..Wanted::default() };
        sensors_of(session, profile, &wanted, names, memory, &mut polled).await;
    }
    if let Some(standard) = profiles.standard() {
        let mut not: BTreeSet<SensorKind> = polled.rows.iter().map(|reading: &SensorReading| reading.kind).collect();
        let seldom = profile.map(|profile| profile.seldom_kinds()).unwrap_or_default();
        // What the vendor has in seldom tables alone is looked for elsewhere at the same pace.
        let only = (pace == Some(Pace::Seldom)).then(|| seldom.clone());
        not.extend(seldom.into_iter().filter(|_| pace == Some(Pace::Usual)));
        let wanted = Wanted { pace: None, only, not };
        sensors_of(session, standard, &wanted, names, memory, &mut polled).await;
    }
    crate::profile::sensors::tell_apart(&mut polled.rows);
    polled
}

/// Reads the wireless stations of a controller or access point. Dear where there are thousands; nothing is asked where the
/// profile has none. `profile` is [`Identification::profile`].
pub async fn poll_stations(
    session: &mut Session,
    profiles: &Profiles,
    profile: Option<&str>,
    names: &PartNames<'_>,
) -> Polled<Station> {
    let mut polled = Polled::default();
    for profile in profile.and_then(|name| profiles.get(name)).into_iter().chain(profiles.standard()) {
        if !profile.has_stations() {
            continue;
        }
        let read = read(session, profile, &profile.station_tables(), &[], None, &mut polled).await;
        let (stations, dropped) = profile.stations(&read, names);
        polled.rows.extend(stations);
        polled.dropped.extend(dropped);
    }
    polled
}

/// Reads addresses from the tables of the device's profile, and of the standard one, of the versions of IP that `standard`, the
/// answer of [`super::poll_addresses`], has no row of. What the device does not have is asked for seldom. `profile` is
/// [`Identification::profile`].
pub async fn poll_more_addresses<Name: Sync>(
    session: &mut Session,
    profiles: &Profiles,
    profile: Option<&str>,
    names: &PartNames<'_>,
    memory: &mut SensorMemory,
    standard: &Polled<AddressRow<Name>>,
) -> Polled<AddressRow> {
    let mut polled = Polled::default();
    let mut given: BTreeSet<IpVersion> = standard.rows.iter().map(IpVersion::of).collect();
    memory.begin();
    for profile in profile.and_then(|name| profiles.get(name)).into_iter().chain(profiles.standard()) {
        let wanted = [IpVersion::V4, IpVersion::V6].into_iter().filter(|version| !given.contains(version)).collect();
        let tables = profile.address_tables(&wanted);
        if tables.is_empty() {
            continue;
        }
        let read = read(session, profile, &tables, &[], Some(memory), &mut polled).await;
        let (rows, dropped) = profile.addresses(&read, &wanted, names);
        given.extend(rows.iter().map(IpVersion::of));
        polled.rows.extend(rows);
        polled.dropped.extend(dropped);
    }
    polled
}

async fn sensors_of(
    session: &mut Session,
    profile: &Profile,
    wanted: &Wanted,
    names: &PartNames<'_>,
    memory: &mut SensorMemory,
    polled: &mut Polled<SensorReading>,
) {
    let (tables, scalars) = profile.sensor_needs(wanted);
    let read = read(session, profile, &tables, &scalars, Some(memory), polled).await;
    let (readings, dropped) = profile.readings(&read, wanted, names);
    polled.rows.extend(readings);
    polled.dropped.extend(dropped);
}

/// Reads tables and scalars of a profile by their places; what `memory` knows to be absent is not asked for.
async fn read<T>(
    session: &mut Session,
    profile: &Profile,
    tables: &BTreeSet<usize>,
    scalars: &[usize],
    mut memory: Option<&mut SensorMemory>,
    polled: &mut Polled<T>,
) -> Read {
    let mut read = Read::default();
    let absent = |memory: &Option<&mut SensorMemory>, name| memory.as_ref().is_some_and(|it| it.absent.contains(name));
    let wanted = |place: &usize| profile.scalars.get(*place).filter(|scalar| !absent(&memory, scalar.name));
    let objects: Vec<&Scalar> = scalars.iter().filter_map(wanted).collect();
    let errors_before = polled.errors.len();
    let values = ask(session, &objects, &mut polled.errors).await;
    read.scalars = profile
        .scalars
        .iter()
        .map(|scalar| values.iter().find(|(name, _)| *name == scalar.name).and_then(|(_, value)| value.clone()))
        .collect();
    if let (Some(memory), true) = (&mut memory, polled.errors.len() == errors_before) {
        memory.absent.extend(values.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name));
    }
    let is_asked = |(place, spec): (usize, &TableSpec)| tables.contains(&place) && !absent(&memory, spec.name);
    let asked: Vec<bool> = profile.tables.iter().enumerate().map(is_asked).collect();
    for (spec, table) in profile.tables.iter().zip(read_tables(session, profile, &asked).await) {
        let Some(table) = table else {
            read.tables.push(ReadTable::default());
            continue;
        };
        let mut whole = true;
        for error in &table.errors {
            // Sensors come and go, and models have them or not: a column with gaps is as it should be.
            if error.error != TableProblem::Missing {
                whole = false;
                polled.errors.push(error.clone());
            }
        }
        if let (Some(memory), true, true) = (&mut memory, whole, table.is_empty()) {
            memory.absent.insert(spec.name);
        }
        polled.tables.push(TableSize { table: spec.name, rows: table.len() });
        read.tables.push(table);
    }
    read
}

/// Reads those tables of a profile that are asked for, together: most devices have few of them.
async fn read_tables(session: &mut Session, profile: &Profile, asked: &[bool]) -> Vec<Option<ReadTable>> {
    let specs = profile.tables.iter().zip(asked).filter(|(_, asked)| **asked);
    let wanted: Vec<_> = specs.map(|(spec, _)| (spec.name, &spec.columns[..])).collect();
    let mut read = mib::read_some(session, &wanted).await.into_iter();
    asked.iter().map(|asked| if *asked { read.next() } else { None }).collect()
}

/// Asks for single objects. Returns each with its value, none where the device has none.
async fn ask(
    session: &mut Session,
    objects: &[&Scalar],
    errors: &mut Vec<TableError>,
) -> Vec<(&'static str, Option<Value>)> {
    if objects.is_empty() {
        return Vec::new();
    }
    let names: Vec<_> = objects.iter().map(|scalar| scalar.oid.clone()).collect();
    let values = session.get(&names).await.unwrap_or_else(|error| {
        errors.push(mib::unread(OBJECTS, &error));
        Vec::new()
    });
    let mut values = values.into_iter().map(|varbind| varbind.value);
    let value =
        |scalar: &&Scalar| (scalar.name, values.next().filter(|value| !value.is_exception() && *value != Value::Null));
    objects.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_did_not_have_is_looked_for_soon_at_first_and_seldom_later() {
        let mut memory = SensorMemory::default();
        let mut looked = Vec::new();
        for poll in 0..200 {
            memory.begin();
            if memory.absent.insert("hrProcessorTable") {
                looked.push(poll);
            }
        }
        assert_eq!(looked, [0, 1, 3, 7, 15, 31, 63, 111, 159]);
    }
}
