//! What was found, and why it was added or not: the one memory of discovery, kept on disk. Pure.
//!
//! Invariants: an address outside the allow-list is never due to be asked; what refuses or is silent is asked ever more
//! seldom; a device is added once, under one address and one name, and keeps the name; a configured device wins over a found
//! one. The book holds at most [`CANDIDATES_MAX`] addresses, of which silent ones give way first. No secret is in it:
//! credentials are kept by their names.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use onenet_topology::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many addresses are remembered: every host of a large site answers a sweep.
pub(crate) const CANDIDATES_MAX: usize = 16_384;

/// The longest pause before an address is asked again, as a multiple of the interval.
const PAUSE_DOUBLINGS_MAX: u32 = 6;

/// The longest name, in bytes, as in the configuration.
const NAME_MAX: usize = 64;

/// How an address became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A device told of its neighbour (LLDP, CDP).
    Neighbour,
    /// A device's route leads there.
    NextHop,
    /// It answered a sweep.
    Sweep,
}

/// What became of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is polled.
    Added,
    /// It was not asked yet.
    Waiting,
    /// It is outside the allow-list, and was asked for nothing.
    NotAllowed,
    /// No SNMP agent answers there.
    NoAnswer,
    /// An agent is there, and none of the credentials fits.
    RefusedCredentials,
    /// It is the address of a configured device.
    AlreadyConfigured,
    /// It is another address of a device that is polled.
    SameDevice,
    /// There are as many found devices as there may be.
    LimitReached,
}

/// An address and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The address.
    pub address: IpAddr,
    /// How it became known first.
    pub source: Source,
    /// The device that told of it; empty for a sweep.
    pub via: String,
    /// What became of it.
    pub verdict: Verdict,
    /// In words, where there is more to say.
    pub detail: String,
    /// The name under which it is polled.
    pub name: Option<String>,
    /// The credentials that fit, by their name.
    pub credentials: Option<String>,
    /// What the device says it is.
    #[serde(flatten)]
    pub identity: DeviceIdentity,
    /// When it became known.
    pub first_seen: Timestamp,
    /// When it was last heard of.
    pub last_seen: Timestamp,
    /// When it was last asked.
    pub asked: Option<Timestamp>,
    /// How many times in a row asking brought nothing.
    pub failures: u32,
    /// Not asked before this time.
    pub next: Timestamp,
}

/// By what a device is known again at another address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceIdentity {
    /// sysName.
    pub system_name: String,
    /// snmpEngineID in hexadecimal digits.
    pub engine_id: String,
    /// lldpLocChassisId.
    pub chassis_id: String,
}

/// A device that is configured, and its identity as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    pub(crate) identity: DeviceIdentity,
}

/// Configured devices by what they are known again by: there are thousands, and as many addresses to be judged.
struct KnownBy<'a> {
    address: HashMap<IpAddr, &'a Known>,
    chassis: HashMap<&'a str, &'a Known>,
    engine: HashMap<(&'a str, &'a str), Vec<&'a Known>>,
}

/// What the rules say, by name.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) allowed: &'a dyn Fn(IpAddr) -> bool,
    /// Names of the credentials, in their order.
    pub(crate) credentials: &'a [String],
    pub(crate) devices_max: usize,
    pub(crate) every_ms: i64,
}

/// What asking an address brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was asked, and nothing of use came; with words.
    Nothing(Verdict, String),
    /// These credentials fit, and this is what answers.
    Device { credentials: String, identity: DeviceIdentity },
}

/// A device to poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    pub(crate) credentials: String,
}

/// The book.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Book {
    #[serde(rename = "addresses", serialize_with = "as_list", deserialize_with = "of_list")]
    candidates: BTreeMap<IpAddr, Candidate>,
    /// Addresses that gave way since the book was begun.
    pub(crate) evicted: u64,
    /// The rules that the pauses were reckoned by.
    rules: String,
}

impl DeviceIdentity {
    /// Returns whether both are of one device. A chassis id decides; an engine id alone does not, since devices come with
    /// cloned ones: the name has to be the same too.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        if !self.chassis_id.is_empty() && !other.chassis_id.is_empty() {
            return self.chassis_id == other.chassis_id;
        }
        let engine = !self.engine_id.is_empty() && self.engine_id == other.engine_id;
        engine && self.system_name == other.system_name
    }
}

impl<'a> KnownBy<'a> {
    fn new(known: &'a [Known]) -> Self {
        let mut by = Self { address: HashMap::new(), chassis: HashMap::new(), engine: HashMap::new() };
        for device in known {
            by.address.entry(device.address).or_insert(device);
            let DeviceIdentity { system_name, engine_id, chassis_id } = &device.identity;
            if !chassis_id.is_empty() {
                by.chassis.entry(chassis_id).or_insert(device);
            }
            if !engine_id.is_empty() {
                by.engine.entry((engine_id, system_name)).or_default().push(device);
            }
        }
        by
    }

    /// Returns a device that is the same.
    fn same(&self, identity: &DeviceIdentity) -> Option<&'a Known> {
        let by_chassis = self.chassis.get(identity.chassis_id.as_str()).copied();
        let cloned = self.engine.get(&(identity.engine_id.as_str(), identity.system_name.as_str()));
        by_chassis.or_else(|| cloned?.iter().copied().find(|device| device.identity.is_same(identity)))
    }
}

impl Book {
    /// Returns everything, by address.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.values()
    }

    /// Notes that an address is there.
    pub(crate) fn seen(&mut self, address: IpAddr, source: Source, via: &str, now: Timestamp) {
        if let Some(known) = self.candidates.get_mut(&address) {
            known.last_seen = now;
            return;
        }
        let mut silent = if self.is_full() { self.silent() } else { Vec::new() };
        if self.has_room(&mut silent, now) {
            self.admit(address, source, via, now);
        }
    }

    /// Notes the addresses that answered a sweep: one look at the book, however many they are.
    pub(crate) fn swept(&mut self, found: Vec<IpAddr>, now: Timestamp) {
        let mut silent = self.silent();
        for address in found {
            if let Some(known) = self.candidates.get_mut(&address) {
                known.last_seen = now;
            } else if self.has_room(&mut silent, now) {
                self.admit(address, Source::Sweep, "", now);
            }
        }
    }

    fn admit(&mut self, address: IpAddr, source: Source, via: &str, now: Timestamp) {
        self.candidates.insert(
            address,
            Candidate {
                address,
                source,
                via: via.to_owned(),
                verdict: Verdict::Waiting,
                detail: String::new(),
                name: None,
                credentials: None,
                identity: DeviceIdentity::default(),
                first_seen: now,
                last_seen: now,
                asked: None,
                failures: 0,
                next: now,
            },
        );
    }

    fn is_full(&self) -> bool {
        self.candidates.len() >= CANDIDATES_MAX
    }

    /// Returns the silent addresses, that which was heard of longest ago at the end.
    fn silent(&self) -> Vec<(Timestamp, IpAddr)> {
        let silent = |it: &&Candidate| matches!(it.verdict, Verdict::NoAnswer | Verdict::NotAllowed);
        let mut found: Vec<_> = self.candidates.values().filter(silent).map(|it| (it.last_seen, it.address)).collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found
    }

    /// Returns whether another address has room; where there is none, a silent one gives way that was not heard of at `now`.
    /// Whatever gives way, the newcomer if need be, is counted.
    fn has_room(&mut self, silent: &mut Vec<(Timestamp, IpAddr)>, now: Timestamp) -> bool {
        if !self.is_full() {
            return true;
        }
        self.evicted = self.evicted.saturating_add(1);
        while let Some((_, address)) = silent.pop() {
            if self.candidates.get(&address).is_some_and(|it| it.last_seen < now) {
                self.candidates.remove(&address);
                return true;
            }
        }
        false
    }

    /// Judges everything anew that needs no asking, after rules or known devices changed. Returns the addresses that are due
    /// to be asked at `now`, those longest known first, with the credentials that fitted before.
    pub(crate) fn review(
        &mut self,
        rules: Rules<'_>,
        known: &[Known],
        now: Timestamp,
    ) -> Vec<(IpAddr, Option<String>)> {
        let by = KnownBy::new(known);
        for candidate in self.candidates.values_mut() {
            let configured = by.address.get(&candidate.address);
            let same = by.same(&candidate.identity);
            let judged = match (configured, same) {
                (Some(device), _) => Some((Verdict::AlreadyConfigured, device.name.clone())),
                (None, _) if !(rules.allowed)(candidate.address) => Some((Verdict::NotAllowed, String::new())),
                (None, Some(device)) => Some((Verdict::SameDevice, device.name.clone())),
                (None, None) => None,
            };
            let gone = candidate.credentials.as_ref().is_some_and(|name| !rules.credentials.contains(name));
            match judged {
                Some((verdict, detail)) => (candidate.verdict, candidate.detail) = (verdict, detail),
                None if matches!(candidate.verdict, Verdict::AlreadyConfigured | Verdict::NotAllowed) || gone => {
                    candidate.reset(now);
                }
                None => {}
            }
        }
        let due = |candidate: &&Candidate| {
            let open = matches!(
                candidate.verdict,
                Verdict::Waiting
                    | Verdict::NoAnswer
                    | Verdict::RefusedCredentials
                    | Verdict::LimitReached
                    | Verdict::SameDevice
            );
            // Another address of a device that is known is asked again only when that device is gone.
            let same = candidate.verdict == Verdict::SameDevice && self.is_polled(&candidate.detail, known);
            open && !same && candidate.next <= now && (rules.allowed)(candidate.address)
        };
        let mut due: Vec<&Candidate> = self.candidates.values().filter(due).collect();
        due.sort_by_key(|candidate| (candidate.first_seen, candidate.address));
        due.into_iter().map(|candidate| (candidate.address, candidate.credentials.clone())).collect()
    }

    fn is_polled(&self, name: &str, known: &[Known]) -> bool {
        known.iter().any(|device| device.name == name)
            || self
                .candidates
                .values()
                .any(|candidate| candidate.verdict == Verdict::Added && candidate.name.as_deref() == Some(name))
    }

    /// Has everything asked again that pauses, when the rules are others than before.
    pub(crate) fn ruled_by(&mut self, rules: String, now: Timestamp) {
        if self.rules == rules {
            return;
        }
        self.rules = rules;
        for candidate in self.candidates.values_mut().filter(|candidate| candidate.verdict != Verdict::Added) {
            candidate.next = now;
            candidate.failures = 0;
        }
    }

    /// Notes what asking an address brought at `now`.
    pub(crate) fn answered(
        &mut self,
        address: IpAddr,
        answer: Answer,
        rules: Rules<'_>,
        known: &[Known],
        now: Timestamp,
    ) {
        let (verdict, detail, name) = match &answer {
            Answer::Nothing(verdict, detail) => (*verdict, detail.clone(), None),
            Answer::Device { identity, .. } => self.judged(address, identity, rules, known),
        };
        let Some(candidate) = self.candidates.get_mut(&address) else { return };
        (candidate.verdict, candidate.detail, candidate.asked) = (verdict, detail, Some(now));
        match answer {
            Answer::Device { credentials, identity } => {
                candidate.credentials = Some(credentials);
                candidate.identity = identity;
                candidate.failures = 0;
                candidate.name = name.or_else(|| candidate.name.take());
            }
            Answer::Nothing(..) => candidate.failures = candidate.failures.saturating_add(1),
        }
        let doublings = candidate.failures.saturating_sub(1).min(PAUSE_DOUBLINGS_MAX);
        candidate.next = now.plus_ms(rules.every_ms.saturating_mul(1 << doublings));
    }

    /// Decides on a device that answers.
    fn judged(
        &self,
        address: IpAddr,
        identity: &DeviceIdentity,
        rules: Rules<'_>,
        known: &[Known],
    ) -> (Verdict, String, Option<String>) {
        if let Some(device) = known.iter().find(|device| device.identity.is_same(identity)) {
            return (Verdict::SameDevice, device.name.clone(), None);
        }
        let added = |candidate: &&Candidate| candidate.verdict == Verdict::Added && candidate.address != address;
        let mut others = self.candidates.values().filter(added);
        if let Some(other) = others.find(|other| other.identity.is_same(identity)) {
            return (Verdict::SameDevice, other.name.clone().unwrap_or_default(), None);
        }
        if self.candidates.values().filter(added).count() >= rules.devices_max {
            return (Verdict::LimitReached, rules.devices_max.to_string(), None);
        }
        let kept = self.candidates.get(&address).and_then(|candidate| candidate.name.clone());
        let name = kept.unwrap_or_else(|| self.name_for(address, identity, known));
        (Verdict::Added, String::new(), Some(name))
    }

    /// Returns a name that nothing else has: what the device calls itself, else its address.
    fn name_for(&self, address: IpAddr, identity: &DeviceIdentity, known: &[Known]) -> String {
        let taken: BTreeSet<&str> = self
            .candidates
            .values()
            .filter_map(|candidate| candidate.name.as_deref())
            .chain(known.iter().map(|device| device.name.as_str()))
            .collect();
        let wanted = identity.system_name.trim();
        let usable = !wanted.is_empty() && wanted.len() <= NAME_MAX && !wanted.contains(char::is_control);
        if usable && !taken.contains(wanted) { wanted.to_owned() } else { address.to_string() }
    }

    /// Returns the devices to poll, by address.
    pub(crate) fn added(&self, rules: Rules<'_>) -> Vec<Added> {
        self.candidates.values().filter_map(|candidate| candidate.added(rules)).take(rules.devices_max).collect()
    }

    /// Returns the device to poll at an address.
    pub(crate) fn added_at(&self, address: IpAddr, rules: Rules<'_>) -> Option<Added> {
        self.candidates.get(&address)?.added(rules)
    }
}

impl Candidate {
    fn added(&self, rules: Rules<'_>) -> Option<Added> {
        if self.verdict != Verdict::Added || !(rules.allowed)(self.address) {
            return None;
        }
        let credentials = self.credentials.clone().filter(|name| rules.credentials.contains(name))?;
        Some(Added { name: self.name.clone()?, address: self.address, credentials })
    }

    /// Has it asked as if for the first time; its name stays.
    fn reset(&mut self, now: Timestamp) {
        (self.verdict, self.failures, self.next) = (Verdict::Waiting, 0, now);
        self.detail.clear();
    }
}

fn as_list<S: Serializer>(candidates: &BTreeMap<IpAddr, Candidate>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(candidates.values())
}

fn of_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<IpAddr, Candidate>, D::Error> {
    let list = Vec::<Candidate>::deserialize(deserializer)?;
    Ok(list.into_iter().take(CANDIDATES_MAX).map(|candidate| (candidate.address, candidate)).collect())
}

#[cfg(test)]
mod tests;
