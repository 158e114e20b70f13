//! When a device is asked for what.
//!
//! Invariants: a device is never asked twice at the same time; a table whose cycle ends after its next one was due is
//! counted as late, and what was missed is skipped, not made up for; a silent device is asked ever more seldom; what is
//! new triggers one reading of what it concerns at once, no two such readings of a table begin closer than their spacing, and
//! in the long run they take no more than a tenth of the device's time, however much a device has to tell of itself.
//!
//! Pure: `now` goes in, decisions come out. It knows no socket, task or clock, nor how long anything takes.

mod beat;
mod pace;

use std::time::Duration;

use onenet_snmp::Backoff;
use onenet_topology::Timestamp;

use self::{beat::Beat, pace::Pace};
use crate::config::Intervals;

/// Devices begin within this time of the start, so that not all are asked at the same moment.
const START_SPREAD_LEAST_MS: u64 = 3_000;

/// Where many begin at once they begin within this time for each, and within their shortest interval: they keep the distances
/// that they begin with, and what cycles need is not needed by all of them at the same time.
const START_SPREAD_EACH_MS: u64 = 6;

/// What is due within this time is asked together with what is due now: one question less whether the device is there.
const TOGETHER_MS: i64 = 2_000;

/// How far a cycle is moved at random, so that devices drift apart that something brought in step.
const JITTER_MS: u64 = 1_000;

/// When a table that could be read only in part is asked for again; twice as long after each time that it fails again, and
/// never longer than its interval.
const REREAD_FIRST_MS: i64 = 5_000;

/// Beyond this many the pause is longer than any interval.
const REREAD_DOUBLINGS_MAX: u32 = 20;

/// The part of a device's time that walks of forwarding may take in the long run, as one in this many: where new addresses
/// come all the time, a core switch that needs 8 s for its tables is not walked without end.
const WALKING_SHARE: i64 = 10;

/// How much walking a device may save up: the morning's terminals, which come one after the other, each have their walk
/// at once where a walk takes a second.
const WALKING_CREDIT_MAX_MS: i64 = 20_000;

/// The longest pause between two questions to a silent device: a switch that is back is seen within this time. Two small
/// packets in five minutes are no burden, even for a thousand dead devices.
const RETRY_MAX_MS: i64 = 300_000;

/// What is read of a device, each on its own interval. In the order in which a cycle reads them: cheap ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// What the device says of itself.
    System,
    /// Ports: states and counters.
    Interfaces,
    /// LLDP and CDP neighbours.
    Neighbours,
    /// The device's own addresses.
    OwnAddresses,
    /// Forwarding tables.
    Forwarding,
    /// Forwarding tables that a switch keeps in a context of each VLAN.
    VlanForwarding,
    /// ARP and neighbour-discovery tables.
    Addresses,
    /// VLANs and the ports that carry them.
    Vlans,
    /// Physical parts: before what is named after them.
    Entities,
    /// The stations of a wireless controller.
    Stations,
    /// What the device measures of itself.
    Sensors,
    /// What it measures that changes slowly and is dear to read.
    SeldomSensors,
}

/// A set of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tables(u16);

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Ask for these, then call [`DeviceSchedule::finished`].
    Poll(Tables),
    /// Nothing before this time, unless something is triggered.
    WaitUntil(Timestamp),
    /// A cycle is running.
    Busy,
}

/// How a cycle ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The device answered; single tables may have failed.
    Answered,
    /// The device is silent, or refuses.
    Unanswered,
}

/// The schedule of one device.
#[derive(Debug, Clone)]
pub struct DeviceSchedule {
    seed: u64,
    beat: Beat,
    slots: [Slot; Table::ALL.len()],
    running: Option<Tables>,
    backoff: Backoff,
    triggered_spacing_ms: i64,
    /// Since when a cycle runs that the device itself asked for.
    notified: Option<Timestamp>,
    walking: WalkingCredit,
    pace: Pace,
    late: u64,
    /// When a silent device is asked again.
    retry: Option<Timestamp>,
}

/// How long a device may be walked because of something new: grows by a share of the time that passes, shrinks by what
/// walks take. A walk may overdraw it, and then the next one waits.
#[derive(Debug, Clone, Copy)]
struct WalkingCredit {
    /// When `left_ms` held.
    at: Timestamp,
    left_ms: i64,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    interval_ms: i64,
    /// Without jitter, so that cycles do not drift.
    due: Timestamp,
    jitter_ms: i64,
    /// How many times in a row it was read only in part.
    failures: u32,
    /// When it is read again for that, before it is due.
    reread: Option<Timestamp>,
    /// When the reading that something new asks for may begin.
    triggered: Option<Timestamp>,
    /// Whether it was the device that asked for it.
    told: bool,
    begun: Option<Timestamp>,
}

impl Table {
    /// Every table, in the order of reading.
    pub const ALL: [Self; 12] = [
        Self::System,
        Self::Interfaces,
        Self::Neighbours,
        Self::OwnAddresses,
        Self::Forwarding,
        Self::VlanForwarding,
        Self::Addresses,
        Self::Vlans,
        Self::Entities,
        Self::Stations,
        Self::Sensors,
        Self::SeldomSensors,
    ];

    /// Returns the name used in messages and in the status document; it is also the key of the interval.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Interfaces => "interfaces",
            Self::Neighbours => "neighbours",
            Self::Forwarding => "forwarding",
            Self::VlanForwarding => "vlan_forwarding",
            Self::Addresses => "addresses",
            Self::OwnAddresses => "own_addresses",
            Self::Vlans => "vlans",
            Self::Stations => "stations",
            Self::Sensors => "sensors",
            Self::SeldomSensors => "seldom_sensors",
            Self::Entities => "entities",
        }
    }
}

impl Tables {
    /// Every table.
    pub const ALL: Self = Self((1 << Table::ALL.len()) - 1);

    /// Returns whether `table` is in the set.
    pub const fn contains(self, table: Table) -> bool {
        self.0 & 1 << table as u8 != 0
    }

    /// Returns whether the set has no table.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the set with `table` in it.
    #[must_use]
    pub const fn with(self, table: Table) -> Self {
        Self(self.0 | 1 << table as u8)
    }

    /// Returns the tables, in the order of reading.
    pub fn iter(self) -> impl Iterator<Item = Table> {
        Table::ALL.into_iter().filter(move |table| self.contains(*table))
    }
}

impl FromIterator<Table> for Tables {
    fn from_iter<I: IntoIterator<Item = Table>>(tables: I) -> Self {
        tables.into_iter().fold(Self::default(), Self::with)
    }
}

impl DeviceSchedule {
    /// Returns the schedule of a device that was never asked, one of so many `beginning` now: everything is due within moments
    /// of `now`, or within the shortest interval where there are thousands. `seed` tells devices apart, say a hash of the name.
    pub fn new(intervals: &Intervals, seed: u64, now: Timestamp, beginning: usize) -> Self {
        let begin = now.plus_ms(signed(seed % start_spread_ms(intervals, beginning)));
        let slot = |table: Table| Slot {
            interval_ms: interval_ms(intervals, table),
            due: begin,
            jitter_ms: 0,
            failures: 0,
            reread: None,
            triggered: None,
            told: false,
            begun: None,
        };
        Self {
            seed,
            beat: Beat::default(),
            slots: Table::ALL.map(slot),
            running: None,
            backoff: Backoff::default(),
            triggered_spacing_ms: i64::try_from(intervals.triggered_spacing.as_millis()).unwrap_or(i64::MAX),
            notified: None,
            walking: WalkingCredit { at: now, left_ms: WALKING_CREDIT_MAX_MS },
            pace: Pace::default(),
            late: 0,
            retry: None,
        }
    }

    /// Has what is due fall due at moments that so many devices have in common. What something new asks for waits for none.
    #[must_use]
    pub fn in_step_with(self, devices: usize) -> Self {
        let shortest = Table::ALL.into_iter().map(|table| self.interval_ms(table)).min();
        Self { beat: Beat::of(devices, shortest.unwrap_or(1)), ..self }
    }

    /// Decides what to do at `now`. What it says to poll counts as begun.
    pub fn decide(&mut self, now: Timestamp) -> Decision {
        if self.running.is_some() {
            return Decision::Busy;
        }
        let next = self.next_due();
        if now < next {
            return Decision::WaitUntil(next);
        }
        let is_due = |slot: Slot, due: Timestamp| {
            due <= now.plus_ms(TOGETHER_MS) || slot.triggered.is_some_and(|triggered| triggered <= now)
        };
        let tables: Tables =
            Table::ALL.into_iter().filter(|table| is_due(self.slot(*table), self.slot_due(*table))).collect();
        for table in tables.iter() {
            let slot = self.slot_mut(table);
            let told = slot.told;
            (slot.begun, slot.triggered, slot.told) = (Some(now), None, false);
            if told {
                self.notified = Some(now);
            }
        }
        self.running = Some(tables);
        Decision::Poll(tables)
    }

    /// Notes that the running cycle ended. Returns the tables of it that were late.
    pub fn finished(&mut self, outcome: Outcome, now: Timestamp) -> Tables {
        let Some(polled) = self.running.take() else { return Tables::default() };
        if let Some(begun) = self.notified.take() {
            self.walking.spend(now.ms_since(begun).max(0), now);
        }
        let answered = outcome == Outcome::Answered;
        let was_silent = self.backoff.silence().is_some();
        let mut late = Tables::default();
        for table in polled.iter() {
            let skipped = self.advance(table, now);
            self.slot_mut(table).plan_reread(now);
            if skipped > 0 && answered && !was_silent {
                self.late = self.late.saturating_add(skipped);
                late = late.with(table);
            }
        }
        if answered {
            self.backoff.answered();
            self.retry = None;
            if was_silent {
                // It may be another device by now, or the same with everything renumbered: look at all of it again.
                self.expire_except(polled, now);
            }
        } else {
            let [spread, ..] = self.seed.to_le_bytes();
            self.backoff.unanswered(now, spread);
            self.retry = self.backoff.silence().map(|silence| silence.due.min(now.plus_ms(RETRY_MAX_MS)));
        }
        late
    }

    /// Notes that something new was seen at `now`: forwarding is walked as soon as the spacing allows.
    pub fn trigger(&mut self, now: Timestamp) {
        self.trigger_table(Table::Forwarding, now);
    }

    /// Notes that the device itself said at `now` that something is new in `tables`: they are read as soon as the spacing
    /// allows, and a device that was silent is asked again.
    pub fn notified(&mut self, tables: Tables, now: Timestamp) {
        for table in tables.iter() {
            let earliest = self.trigger_table(table, now);
            self.slot_mut(table).told = true;
            self.retry = self.retry.map(|retry| retry.min(earliest));
        }
    }

    /// Returns when the table is read.
    fn trigger_table(&mut self, table: Table, now: Timestamp) -> Timestamp {
        let covered = self.walking.covered_from();
        let spacing_ms = self.triggered_spacing_ms.saturating_mul(i64::from(self.stretch(table)));
        let slot = self.slot_mut(table);
        let spaced = slot.begun.map_or(now, |begun| begun.plus_ms(spacing_ms));
        *slot.triggered.get_or_insert(spaced.max(covered).max(now))
    }

    /// Notes that the walk of forwarding in the running cycle took from `begun` until `now`.
    pub fn walked_forwarding(&mut self, begun: Timestamp, now: Timestamp) {
        self.walking.spend(now.ms_since(begun).max(0), now);
    }

    /// Notes of the running cycle whether `table` was read, or something kept the device from telling all of it: a new port
    /// in the middle of a walk, a lost answer. Then it is read again soon.
    pub fn read(&mut self, table: Table, whole: bool) {
        let slot = self.slot_mut(table);
        slot.failures = if whole { 0 } else { slot.failures.saturating_add(1) };
    }

    /// Makes `table` due at `now`: something showed that what is known of it no longer holds.
    pub fn expire(&mut self, table: Table, now: Timestamp) {
        let slot = self.slot_mut(table);
        slot.due = slot.due.min(now);
        slot.jitter_ms = 0;
    }

    /// Notes how quickly the device answered in the running cycle: one that slows is asked more seldom for what is dear.
    pub fn answered_in(&mut self, round_trip: Duration) {
        self.pace.measured(round_trip);
    }

    /// Returns how many times as long the intervals of dear tables are as configured, since the device answers slowly.
    pub fn slowed(&self) -> u32 {
        self.pace.stretch()
    }

    /// Returns how many times as long the interval of a table is. States and counters are cheap, and most wanted of a device in
    /// trouble.
    fn stretch(&self, table: Table) -> u32 {
        if matches!(table, Table::System | Table::Interfaces) { 1 } else { self.pace.stretch() }
    }

    /// Returns how many cycles were skipped, since those before took too long.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Returns since when the device is silent, and how many cycles stayed unanswered.
    pub fn silence(&self) -> Option<onenet_snmp::BackoffSilence> {
        self.backoff.silence()
    }

    /// Returns the interval of a table, in milliseconds.
    pub fn interval_ms(&self, table: Table) -> i64 {
        self.slot(table).interval_ms
    }

    fn next_due(&self) -> Timestamp {
        let due = |table: Table| {
            let due = self.slot_due(table);
            self.slot(table).triggered.map_or(due, |triggered| triggered.min(due))
        };
        let next = Table::ALL.into_iter().map(due).min().unwrap_or_default();
        self.retry.map_or(next, |retry| retry.max(next))
    }

    fn slot(&self, table: Table) -> Slot {
        #[rustfmt::skip]
        let [
            system, interfaces, neighbours, own_addresses, forwarding, vlan_forwarding, addresses, vlans, entities, stations,
            sensors, seldom_sensors,
        ] = self.slots;
        match table {
            Table::System => system,
            Table::Interfaces => interfaces,
            Table::Neighbours => neighbours,
            Table::Forwarding => forwarding,
            Table::OwnAddresses => own_addresses,
            Table::VlanForwarding => vlan_forwarding,
            Table::Addresses => addresses,
            Table::Vlans => vlans,
            Table::Stations => stations,
            Table::Sensors => sensors,
            Table::SeldomSensors => seldom_sensors,
            Table::Entities => entities,
        }
    }

    fn slot_mut(&mut self, table: Table) -> &mut Slot {
        #[rustfmt::skip]
        let [
            system, interfaces, neighbours, own_addresses, forwarding, vlan_forwarding, addresses, vlans, entities, stations,
            sensors, seldom_sensors,
        ] = &mut self.slots;
        match table {
            Table::System => system,
            Table::Interfaces => interfaces,
            Table::Neighbours => neighbours,
            Table::Forwarding => forwarding,
            Table::OwnAddresses => own_addresses,
            Table::VlanForwarding => vlan_forwarding,
            Table::Addresses => addresses,
            Table::Vlans => vlans,
            Table::Stations => stations,
            Table::Sensors => sensors,
            Table::SeldomSensors => seldom_sensors,
            Table::Entities => entities,
        }
    }

    fn slot_due(&self, table: Table) -> Timestamp {
        let slot = self.slot(table);
        let due = slot.due.plus_ms(slot.jitter_ms);
        self.beat.from(slot.reread.map_or(due, |reread| reread.min(due)))
    }

    /// Moves the table's due time behind `now`. Returns how many due times were skipped.
    fn advance(&mut self, table: Table, now: Timestamp) -> u64 {
        let (seed, stretch) = (self.seed, i64::from(self.stretch(table)));
        let slot = self.slot_mut(table);
        slot.reread = None;
        if slot.due.plus_ms(slot.jitter_ms) > now.plus_ms(TOGETHER_MS) {
            // Something new asked for it between its own times, which stay.
            return 0;
        }
        let interval_ms = slot.interval_ms.saturating_mul(stretch);
        let first = slot.due.plus_ms(interval_ms);
        let behind = now.ms_since(first).max(-1);
        let skipped = if behind < 0 { 0 } else { behind / interval_ms + 1 };
        slot.due = first.plus_ms(skipped.saturating_mul(interval_ms));
        let jitter_max = JITTER_MS.min(interval_ms.unsigned_abs() / 10).max(1);
        slot.jitter_ms = signed(mixed(seed ^ slot.due.unix_ms().unsigned_abs()) % jitter_max);
        u64::try_from(skipped).unwrap_or(0)
    }

    fn expire_except(&mut self, fresh: Tables, now: Timestamp) {
        for table in Table::ALL.into_iter().filter(|table| !fresh.contains(*table)) {
            self.expire(table, now);
        }
    }
}

impl Slot {
    fn plan_reread(&mut self, now: Timestamp) {
        let doublings = self.failures.saturating_sub(1).min(REREAD_DOUBLINGS_MAX);
        let pause_ms = REREAD_FIRST_MS.saturating_mul(1 << doublings).min(self.interval_ms);
        self.reread = (self.failures > 0).then(|| now.plus_ms(pause_ms));
    }
}

impl WalkingCredit {
    fn spend(&mut self, took_ms: i64, now: Timestamp) {
        let earned_ms = now.ms_since(self.at).max(0) / WALKING_SHARE;
        let left_ms = self.left_ms.saturating_add(earned_ms).min(WALKING_CREDIT_MAX_MS).saturating_sub(took_ms);
        *self = Self { at: now, left_ms };
    }

    /// Returns from when on the credit is not overdrawn.
    fn covered_from(&self) -> Timestamp {
        self.at.plus_ms((-self.left_ms).max(0).saturating_mul(WALKING_SHARE))
    }
}

/// Returns a number that tells devices apart: FNV-1a of the name.
pub fn seed_of(name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    mixed(hash)
}

/// Spreads the bits of a number over all of it (the finaliser of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

fn start_spread_ms(intervals: &Intervals, beginning: usize) -> u64 {
    let shortest = Table::ALL.into_iter().map(|table| interval_ms(intervals, table).unsigned_abs()).min();
    let wanted = u64::try_from(beginning).unwrap_or(u64::MAX).saturating_mul(START_SPREAD_EACH_MS);
    wanted.min(shortest.unwrap_or(0)).max(START_SPREAD_LEAST_MS)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn interval_ms(intervals: &Intervals, table: Table) -> i64 {
    let interval = match table {
        Table::System => intervals.system,
        Table::Interfaces => intervals.interfaces,
        Table::Neighbours => intervals.neighbours,
        Table::Forwarding => intervals.forwarding,
        Table::VlanForwarding => intervals.vlan_forwarding,
        Table::Addresses => intervals.addresses,
        Table::OwnAddresses => intervals.own_addresses,
        Table::Vlans => intervals.vlans,
        Table::Stations => intervals.stations,
        Table::Sensors => intervals.sensors,
        Table::SeldomSensors => intervals.seldom_sensors,
        Table::Entities => intervals.entities,
    };
    i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests;
