//! Profiles: what is known of vendors' devices, as data. `profiles/README.md` tells how to write one.
//!
//! Invariant: profiles are read once, checked as a whole, and never change; what they conclude is drawn from values alone. A
//! device that no profile knows is read by the standard MIBs (`standard.toml`). This module does not ask devices:
//! [`crate::poll`] does.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use onenet_config::ConfigError;
use onenet_topology::SensorKind;

pub(crate) mod addresses;
mod expression;
mod format;
mod identify;
mod intern;
mod measure;
mod notifications;
pub(crate) mod sensors;
pub(crate) mod stations;
pub(crate) mod table;
mod template;

pub use identify::Identification;
pub use notifications::Concern;
pub use sensors::{Limits, SensorReading};
pub use stations::Station;
pub use table::PartNames;

use addresses::{AddressSource, IpVersion};
use identify::{Rule, Said};
use notifications::NotificationRule;
use sensors::Sensor;
use stations::StationSource;
use table::{Read, Scalar, TableSpec};

use crate::{
    dropped::DroppedRow,
    mib::{addresses::AddressRow, entity::Entity, system::System},
    value::Value,
    vendor,
};

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("../../profiles/", $name, ".toml")))),+] };
}

/// The profiles that the program has built in, by name: every file of `profiles/`.
#[rustfmt::skip]
const BUILT_IN: &[(&str, &str)] = built_in![
    "apc", "arista", "aruba", "bdcom", "brocade", "cisco", "clavister", "cts", "digital-china", "dlink", "dptech",
    "eastpower", "eaton", "emerson", "fortinet", "geist", "h3c", "hikvision", "hpe", "huawei", "ibm", "infosec",
    "isilon", "juniper", "legend", "maipu", "megatec", "meru", "metel", "netapp", "netentsec", "nsfocus",
    "paloalto", "phoenixtec", "ruckus", "ruijie", "samsung", "sangfor", "semac", "standard", "topsec",
    "tripplite", "ubiquiti", "venustech", "vss", "wrd", "zte",
];

/// The profile of the standard MIBs, which every device is read by for what its vendor's profile does not give.
const STANDARD: &str = "standard";

/// The most profiles: IANA lists tens of thousands of enterprises, a network has machines of some dozen.
const PROFILES_MAX: usize = 256;

/// What is known of one vendor's devices.
#[derive(Debug)]
pub struct Profile {
    name: &'static str,
    vendor: String,
    enterprises: Vec<u32>,
    recognise: Vec<Rule>,
    identify: Vec<Rule>,
    /// Whether it is none of those that the program has built in.
    added: bool,
    pub(crate) scalars: Vec<Scalar>,
    pub(crate) tables: Vec<TableSpec>,
    sensors: Vec<Sensor>,
    stations: Vec<StationSource>,
    addresses: Vec<AddressSource>,
    notifications: Vec<NotificationRule>,
}

/// How often sensors are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As often as the device is asked for sensors at all.
    Usual,
    /// Seldom: those of tables that the profile calls so.
    Seldom,
}

/// Which sensors of a profile are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Those of one pace; all without.
    pub(crate) pace: Option<Pace>,
    /// Those of these kinds; all without.
    pub(crate) only: Option<BTreeSet<SensorKind>>,
    /// None of these kinds.
    pub(crate) not: BTreeSet<SensorKind>,
}

/// Every profile, by name.
#[derive(Debug, Clone)]
pub struct Profiles {
    by_name: BTreeMap<&'static str, Arc<Profile>>,
}

/// Profiles that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// The directory could not be read.
    #[error("cannot read the profiles in {}: create the directory, readable for the agent's user", path.display())]
    Directory {
        /// Which directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read the profile {}: make it readable for the agent's user, in UTF-8", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There are too many.
    #[error("{} has more than {PROFILES_MAX} profiles: keep those of the vendors that the site has", path.display())]
    TooMany {
        /// Which directory.
        path: PathBuf,
    },
    /// Texts are wrong.
    #[error("{}", listed(.0))]
    Wrong(Vec<ConfigError>),
}

fn listed(errors: &[ConfigError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Default for Profiles {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Profiles {
    /// Returns the profiles that the program has built in. A test reads each of them.
    pub fn built_in() -> Self {
        let read = |(name, text): &(&str, &str)| format::read(text, name, &format!("the built-in profile {name}")).ok();
        let by_name = BUILT_IN.iter().filter_map(read).map(|profile| (profile.name, Arc::new(profile))).collect();
        Self { by_name }
    }

    /// Returns the built-in profiles and those of the files `*.toml` in a directory; a file replaces the built-in profile of
    /// its name, and a profile whose vendor a built-in one has, that one.
    ///
    /// # Errors
    ///
    /// The directory or a file cannot be read, or a text is wrong; the error lists everything.
    pub fn load(directory: &Path) -> Result<Self, ProfilesError> {
        let failed = |source| ProfilesError::Directory { path: directory.to_owned(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
            if files.len() > PROFILES_MAX {
                return Err(ProfilesError::TooMany { path: directory.to_owned() });
            }
        }
        files.sort();
        let mut profiles = Self::built_in();
        let mut wrong = Vec::new();
        for path in files {
            let text = std::fs::read_to_string(&path);
            let text = text.map_err(|source| ProfilesError::File { path: path.clone(), source })?;
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            match format::read(&text, &name, &path.display().to_string()) {
                Ok(profile) => profiles.add(profile),
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() { Ok(profiles) } else { Err(ProfilesError::Wrong(wrong)) }
    }

    fn add(&mut self, mut profile: Profile) {
        profile.added = true;
        self.by_name.retain(|_, known| known.vendor != profile.vendor);
        self.by_name.insert(profile.name, Arc::new(profile));
    }

    /// Returns the profile of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<Profile>> {
        self.by_name.get(name)
    }

    /// Returns the names and vendors of all profiles.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.by_name.values().map(|profile| (profile.name, profile.vendor.as_str()))
    }

    /// Returns the names and vendors of the profiles that were added to those built in.
    pub fn added(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.by_name.values().filter(|it| it.added).map(|profile| (profile.name, profile.vendor.as_str()))
    }

    /// Returns the profile of the standard MIBs.
    pub(crate) fn standard(&self) -> Option<&Arc<Profile>> {
        self.get(STANDARD)
    }

    /// Returns the profile that knows the device by what its system group says.
    pub(crate) fn of_system(&self, system: &System) -> Option<&Arc<Profile>> {
        let said = Said { system, entities: &[], objects: &[] };
        let vendors = || self.vendors();
        let recognised = || vendors().find(|profile| profile.recognise.iter().any(|rule| rule.holds(&said).is_some()));
        // What a text says is more than whose library the agent was built with, and less than a vendor's own number.
        let by_number =
            || vendors().find(|profile| system.enterprise.is_some_and(|it| profile.enterprises.contains(&it)));
        by_number().or_else(recognised)
    }

    /// Returns the objects to ask a device for that no profile knows by its system group, each with its profile.
    pub(crate) fn probes(&self) -> Vec<(&Arc<Profile>, &Scalar)> {
        let rules = self.vendors().flat_map(|profile| profile.recognise.iter().map(move |rule| (profile, rule)));
        rules.filter_map(|(profile, rule)| Some((profile, profile.scalars.get(rule.answers?)?))).collect()
    }

    fn vendors(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.by_name.values().filter(|profile| profile.name != STANDARD)
    }

    /// Concludes what a device is. `vendor` and `standard` are the objects that were read for the profile of its vendor and
    /// for the standard one.
    pub(crate) fn conclude(
        &self,
        system: &System,
        entities: &[Entity],
        profile: Option<&Profile>,
        objects: [&[(&'static str, Option<Value>)]; 2],
    ) -> Identification {
        let mut found = Identification { profile: profile.map(|profile| profile.name), ..Identification::default() };
        let [of_vendor, of_standard] = objects;
        if let Some(profile) = profile {
            let said = Said { system, entities, objects: of_vendor };
            profile.identify.iter().for_each(|rule| rule.apply(&said, &mut found));
            if found.vendor.is_none() {
                found.evidence.push(format!("vendor: {}", profile.evidence_of_vendor(system)));
                found.vendor = Some(profile.vendor.clone());
            }
        }
        let said = Said { system, entities, objects: of_standard };
        let standard = self.standard();
        for rule in standard.iter().flat_map(|standard| &standard.identify) {
            rule.apply(&said, &mut found);
        }
        // The number of a library that agents are built with names no vendor.
        let of_no_vendor = |number: &u32| standard.is_some_and(|standard| standard.enterprises.contains(number));
        if let (None, Some(number)) = (&found.vendor, system.enterprise.filter(|number| !of_no_vendor(number)))
            && let Some(name) = vendor::name_of(number)
        {
            found.vendor = Some(name.to_owned());
            found.evidence.push(format!("vendor: enterprise {number}"));
        }
        found
    }
}

impl Profile {
    /// Returns the profile's name: that of its file.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns whether the profile reads wireless stations.
    pub fn has_stations(&self) -> bool {
        !self.stations.is_empty()
    }

    /// Returns the profile's scalars, and which of them identify the device.
    pub(crate) fn identifying(&self) -> Vec<(&Scalar, bool)> {
        let asked: BTreeSet<usize> = self.identify.iter().flat_map(Rule::objects).collect();
        self.scalars.iter().enumerate().map(|(place, scalar)| (scalar, asked.contains(&place))).collect()
    }

    /// Returns the kinds of which all sensors are read seldom.
    pub(crate) fn seldom_kinds(&self) -> BTreeSet<SensorKind> {
        let kinds = |seldom| self.sensors.iter().filter(move |it| self.is_seldom(it) == seldom).map(|it| it.kind);
        let usual: BTreeSet<SensorKind> = kinds(false).collect();
        kinds(true).filter(|kind| !usual.contains(kind)).collect()
    }

    fn is_seldom(&self, sensor: &Sensor) -> bool {
        sensor.table.and_then(|place| self.tables.get(place)).is_some_and(|table| table.seldom)
    }

    /// Returns the places of the tables and scalars that the wanted sensors need.
    pub(crate) fn sensor_needs(&self, wanted: &Wanted) -> (BTreeSet<usize>, Vec<usize>) {
        let wanted: Vec<&Sensor> = self.wanted(wanted).collect();
        let tables = self.with_joined(wanted.iter().filter_map(|sensor| sensor.table));
        let scalars: BTreeSet<usize> = wanted.iter().flat_map(|sensor| sensor.scalars()).collect();
        (tables, scalars.into_iter().collect())
    }

    /// Returns the places of the tables that stations are read from.
    pub(crate) fn station_tables(&self) -> BTreeSet<usize> {
        self.with_joined(self.stations.iter().map(|source| source.table))
    }

    /// Returns the places of the tables that addresses of these versions are read from.
    pub(crate) fn address_tables(&self, wanted: &BTreeSet<IpVersion>) -> BTreeSet<usize> {
        let sources = self.addresses.iter().filter(|source| wanted.contains(&source.version));
        self.with_joined(sources.map(|source| source.table))
    }

    /// Takes the addresses of these versions from what was read.
    pub(crate) fn addresses(
        &self,
        read: &Read,
        wanted: &BTreeSet<IpVersion>,
        names: &PartNames<'_>,
    ) -> Taken<AddressRow> {
        let mut all = Taken::default();
        for source in self.addresses.iter().filter(|source| wanted.contains(&source.version)) {
            let (rows, dropped) = addresses::addresses(source, &self.tables, read, names);
            all.0.extend(rows);
            all.1.extend(dropped);
        }
        all
    }

    fn with_joined(&self, tables: impl Iterator<Item = usize>) -> BTreeSet<usize> {
        let joined =
            |table: usize| self.tables.get(table).into_iter().flat_map(|spec| &spec.joins).map(|join| join.table);
        tables.flat_map(|table| std::iter::once(table).chain(joined(table))).collect()
    }

    fn wanted<'p, 'w: 'p>(&'p self, wanted: &'w Wanted) -> impl Iterator<Item = &'p Sensor> {
        self.sensors.iter().filter(|sensor| {
            let by_pace = match wanted.pace {
                None => true,
                Some(pace) => self.is_seldom(sensor) == (pace == Pace::Seldom),
            };
            by_pace
                && !wanted.not.contains(&sensor.kind)
                && wanted.only.as_ref().is_none_or(|it| it.contains(&sensor.kind))
        })
    }

    /// Takes the readings of the wanted sensors from what was read.
    pub(crate) fn readings(&self, read: &Read, wanted: &Wanted, names: &PartNames<'_>) -> Taken<SensorReading> {
        sensors::readings(self.wanted(wanted), &self.tables, read, names)
    }

    /// Takes the stations from what was read.
    pub(crate) fn stations(&self, read: &Read, names: &PartNames<'_>) -> Taken<Station> {
        let mut all = Taken::default();
        for source in &self.stations {
            let (stations, dropped) = stations::stations(source, &self.tables, read, names);
            all.0.extend(stations);
            all.1.extend(dropped);
        }
        all
    }

    fn evidence_of_vendor(&self, system: &System) -> String {
        match system.enterprise.filter(|number| self.enterprises.contains(number)) {
            Some(number) => format!("enterprise {number}"),
            None => "what the profile recognises".to_owned(),
        }
    }
}

/// Rows that were taken from what was read, and those that could not be used.
pub(crate) type Taken<T> = (Vec<T>, Vec<DroppedRow>);

#[cfg(test)]
mod tests;
