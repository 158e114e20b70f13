//! The task of one device: waits for what its schedule says, asks, and hands on what it was told.
//!
//! Invariant: what was not read is no evidence that it is gone: a table that could be read in part only adds and renews, it
//! takes nothing back. Counters are handed on only when the device did not restart while they were read, so that a
//! renumbered ifIndex cannot mix two ports.

mod network;

use std::{sync::Arc, time::Duration};

use onenet_snmp::{
    Budget, DropReason, Identity, InterfaceIndex, Pace, Polled, Profiles, Reading, RequestError, Session, Sockets,
    System, TableError, TableProblem, poll_aggregation, poll_bridge, poll_counters_and_uptime, poll_entities,
    poll_identity, poll_interface_tables, poll_last_changes, poll_neighbours, poll_own_addresses, poll_routes,
    poll_system, poll_uptime,
};
use onenet_topology::{
    MacAddr, Timestamp,
    fact::{ConditionKind, Event, FactBody, Group, HistoryBody, Method, Reach, Scope},
};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::{
    facts,
    handed::Handed,
    holding::{Holding, changes},
    memory::{Memory, PortChanges},
    names,
    notices::{Notice, Notices, Told},
    quirks::{Quirks, Shown},
    recognition::Recognition,
};
use crate::{
    board::Board,
    clock::Clock,
    conditions::Conditions,
    config::DeviceConfig,
    discovery::{Finder, Source},
    observations::Observations,
    schedule::{Decision, DeviceSchedule, Outcome, Table, Tables, seed_of},
};

/// The longest sleep: the schedule's clock goes on while the machine is suspended, a timer's does not.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// What the tasks of all devices share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) observations: Observations,
    pub(crate) conditions: Conditions,
    pub(crate) board: Board,
    pub(crate) sockets: Sockets,
    pub(crate) profiles: Arc<Profiles>,
    /// How many devices are asked at a time.
    pub(crate) gate: Arc<Semaphore>,
    /// Who takes note of what devices tell of others.
    pub(crate) finder: Finder,
}

/// A device that is polled.
pub(super) struct Device {
    config: Arc<DeviceConfig>,
    shared: Shared,
    scope: Scope,
    target: String,
    session: Option<Session>,
    schedule: DeviceSchedule,
    memory: Memory,
    handed: Handed,
    /// Whether the names may be those of before a restart.
    outdated: bool,
    names: InterfaceIndex,
    /// What stands for the tables that the names were read from whole.
    labels_as: Option<u64>,
    bridge_mac: Option<MacAddr>,
    identity: Identity,
    /// What stands for what the device said of itself when it was last identified.
    said: Option<u64>,
    recognition: Recognition,
    quirks: Quirks,
    /// Who hears what devices say of their own accord: he is told under which addresses this one may.
    told: Told,
    /// Whether the forwarding table tells of VLANs.
    tells_vlans: bool,
}

impl Device {
    /// Returns one of so many devices that are `beginning` to be polled at once, and of `all` that are polled.
    pub(super) fn new(
        config: Arc<DeviceConfig>,
        shared: Shared,
        told: Told,
        (beginning, all): (usize, usize),
    ) -> Box<Self> {
        let now = shared.clock.timestamp();
        let schedule = DeviceSchedule::new(&config.intervals, seed_of(&config.name), now, beginning);
        Box::new(Self {
            scope: Scope::new(&config.name),
            target: config.target.to_string(),
            session: None,
            schedule: schedule.in_step_with(all),
            memory: Memory::default(),
            handed: Handed::default(),
            outdated: false,
            names: InterfaceIndex::default(),
            labels_as: None,
            bridge_mac: None,
            identity: Identity::default(),
            said: None,
            recognition: Recognition::default(),
            quirks: Quirks::default(),
            told,
            tells_vlans: false,
            config,
            shared,
        })
    }

    /// Polls until cancelled. `news` changes when something new was seen at the site; `notices` are what the device says of
    /// its own accord.
    pub(super) async fn run(
        mut self: Box<Self>,
        cancel: CancellationToken,
        mut news: watch::Receiver<u64>,
        mut notices: Notices,
    ) {
        news.mark_unchanged();
        loop {
            let now = self.shared.clock.timestamp();
            match self.schedule.decide(now) {
                Decision::WaitUntil(due) => {
                    let pause = Duration::from_millis(u64::try_from(due.ms_since(now)).unwrap_or(0)).min(SLEEP_MAX);
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = tokio::time::sleep(pause) => {}
                        Ok(()) = news.changed() => self.schedule.trigger(self.shared.clock.timestamp()),
                        notice = notices.next() => Box::pin(self.noticed(notice)).await,
                    }
                }
                Decision::Poll(tables) => {
                    // What a cycle needs is not kept for each of the thousands of devices that are not asked just now.
                    let finished = tokio::select! {
                        () = cancel.cancelled() => return,
                        finished = Box::pin(self.cycle(tables)) => finished,
                    };
                    Box::pin(self.end(tables, finished)).await;
                }
                // Cannot be: this task alone runs cycles, and ends each.
                Decision::Busy => {
                    tracing::error!(device = %self.scope, "a cycle never ended");
                    self.schedule.finished(Outcome::Unanswered, now);
                }
            }
        }
    }

    /// Tells what the device said of its own accord, and has read what that names.
    async fn noticed(&mut self, notice: Notice) {
        let Notice { at, kind, tables, if_index, words } = notice;
        let name = |if_index| self.names.name(if_index).map_or_else(|| format!("#{if_index}"), ToOwned::to_owned);
        let subject = if_index.map(name).unwrap_or_default();
        self.event(Event { kind, subject, detail: words, count: 0 }, at).await;
        self.schedule.notified(tables, self.shared.clock.timestamp());
    }

    /// Asks for `tables`. Returns when that began and how it ended.
    async fn cycle(&mut self, tables: Tables) -> (Timestamp, Outcome) {
        let gate = Arc::clone(&self.shared.gate);
        // The gate is never closed; if it were, asking would still be right.
        let _permit = gate.acquire().await.ok();
        let begun = self.shared.clock.timestamp();
        let Some(mut session) = self.session().await else { return (begun, Outcome::Unanswered) };
        session.begin_round(Budget { requests: self.config.requests_max, ..Budget::default() });
        let outcome = match poll_system(&mut session).await {
            Ok(system) => {
                self.answered(&mut session, system, tables).await;
                Outcome::Answered
            }
            Err(error) => {
                self.unanswered(&error).await;
                Outcome::Unanswered
            }
        };
        self.renew().await;
        self.sample(&session, outcome).await;
        self.session = Some(session);
        (begun, outcome)
    }

    async fn session(&mut self) -> Option<Session> {
        if let Some(session) = self.session.take() {
            return Some(session);
        }
        match Session::open(&self.shared.sockets, self.config.target, &self.config.credentials).await {
            Ok(session) => Some(session),
            Err(error) => {
                self.unanswered(&error).await;
                None
            }
        }
    }

    async fn unanswered(&mut self, error: &RequestError) {
        self.reach(facts::not_answering(&self.target, error)).await;
    }

    async fn answered(&mut self, session: &mut Session, system: System, tables: Tables) {
        self.reach(facts::answering(&self.target, self.config.credentials.version())).await;
        let restarted = self.note_uptime(&system.uptime_s).await;
        if restarted || self.outdated || self.names.is_empty() || tables.contains(Table::System) {
            self.read_labels(session).await;
        }
        if restarted || tables.contains(Table::System) {
            let bridge = poll_bridge(session, &self.names).await;
            self.note_quirks(Shown::Bridge, &bridge);
            self.bridge_mac = bridge.rows.first().and_then(|bridge| bridge.address.get()).copied().or(self.bridge_mac);
            if !bridge.is_partial() {
                let bodies = bridge.rows.first().map(facts::spanning_tree).unwrap_or_default();
                self.complete(Method::SnmpSpanningTree, bodies).await;
            }
        }
        if restarted {
            self.recognition.restarted();
        }
        if restarted || tables.contains(Table::System) {
            self.read_aggregation(session).await;
        }
        // What a device is stays so until it starts anew, or says something else of itself; with its parts it is looked at again.
        let said = self.handed.stands_for(&[&system.name, &system.description, &system.object_id].map(Reading::get));
        if restarted || tables.contains(Table::Entities) || self.said != Some(said) {
            let mut whole = self.read_identity(session, &system).await;
            if !tables.contains(Table::Entities) {
                whole &= self.recognition.identify(session, &self.shared.profiles, &system).await;
            }
            self.said = Some(said).filter(|_| whole);
        }
        self.say_system(&system).await;
        for table in tables.iter() {
            match table {
                Table::System => {}
                Table::Interfaces => self.read_interfaces(session).await,
                Table::Neighbours => {
                    let polled = poll_neighbours(session, &self.names).await;
                    let addresses = polled.rows.iter().flat_map(|row| row.management_addresses.iter().copied());
                    self.shared.finder.told(&self.config.name, Source::Neighbour, addresses);
                    self.hand_on(Method::SnmpNeighbours, table, polled, facts::neighbours).await;
                }
                Table::Forwarding => self.read_forwarding(session, tables.contains(Table::Addresses)).await,
                Table::OwnAddresses => self.read_own_addresses(session).await,
                Table::VlanForwarding => self.read_vlan_forwarding(session).await,
                Table::Vlans => self.read_vlans(session).await,
                // They came with the forwarding tables.
                Table::Addresses if tables.contains(Table::Forwarding) => {}
                Table::Addresses => self.read_addresses(session).await,
                Table::Entities => {
                    let polled = poll_entities(session).await;
                    self.recognition.note_parts(&polled);
                    self.hand_on(Method::SnmpEntities, table, polled, facts::entities).await;
                    self.recognition.identify(session, &self.shared.profiles, &system).await;
                    self.say_system(&system).await;
                    self.look_along_routes(session).await;
                }
                Table::Stations => {
                    let polled = self.recognition.stations(session, &self.shared.profiles, &self.names).await;
                    self.hand_on(Method::SnmpStations, table, polled, facts::stations).await;
                }
                Table::Sensors => self.read_sensors(session, Pace::Usual).await,
                Table::SeldomSensors => self.read_sensors(session, Pace::Seldom).await,
            }
        }
        if restarted || tables.contains(Table::System) {
            self.say_quirks(session, &system).await;
        }
    }

    /// Reads what tells the device from another. Returns whether it could be asked.
    async fn read_identity(&mut self, session: &mut Session, system: &System) -> bool {
        let identity = poll_identity(session).await;
        // What could not be asked this time is no other than before.
        let whole = !identity.is_partial();
        if whole {
            self.identity = identity.rows.into_iter().next().unwrap_or_default();
            self.shared.finder.identified(&self.config.name, system, &self.identity);
        }
        whole
    }

    /// Reads whereto the device's routes lead, seldom: what is read in part is told as far as it goes, since a default route
    /// comes first. A switch that passes nothing on has no routes worth a question, unless somebody looks for devices.
    async fn look_along_routes(&mut self, session: &mut Session) {
        let own = poll_own_addresses(session, &self.names).await;
        if own.rows.len() < 2 && !self.shared.finder.is_looking() {
            return;
        }
        let routes = poll_routes(session, &own.rows, &self.names).await;
        let hops = routes.rows.iter().flat_map(|routes| routes.next_hops.iter().map(|hop| hop.ip));
        self.shared.finder.told(&self.config.name, Source::NextHop, hops);
        let cut = |error: &TableError| error.error != TableProblem::RoutesCut;
        if !routes.errors.iter().any(cut) {
            let bodies = facts::next_hops(routes.rows);
            let hops =
                bodies.iter().filter_map(|body| if let FactBody::NextHop(hop) = body { Some(hop) } else { None });
            self.shared.observations.meter().routed(&self.scope, hops);
            self.complete(Method::SnmpRoutes, bodies).await;
        }
    }

    /// Says what the device is: by its own words, and by what it was recognised as.
    async fn say_system(&mut self, system: &System) {
        let said = facts::system(system, self.bridge_mac, &self.identity);
        let recognised = facts::identification(self.recognition.found()).map(Box::new).map(FactBody::Identification);
        let bodies: Vec<FactBody> = [FactBody::System(Box::new(said))].into_iter().chain(recognised).collect();
        self.complete(Method::SnmpSystem, bodies).await;
    }

    async fn read_aggregation(&mut self, session: &mut Session) {
        let polled = poll_aggregation(session, &self.names).await;
        self.note_quirks(Shown::Aggregation, &polled);
        if !polled.is_partial() {
            self.complete(Method::SnmpAggregation, facts::aggregation(polled.rows)).await;
        }
    }

    async fn read_sensors(&mut self, session: &mut Session, pace: Pace) {
        let (method, table) = match pace {
            Pace::Usual => (Method::SnmpSensors, Table::Sensors),
            Pace::Seldom => (Method::SnmpSeldomSensors, Table::SeldomSensors),
        };
        let polled = self.recognition.sensors(session, &self.shared.profiles, &self.names, pace).await;
        let now = self.shared.clock.timestamp();
        let samples = polled.rows.iter().filter_map(facts::sensor_sample).map(HistoryBody::Sensor);
        let items = samples.map(|body| facts::item(now, &self.scope, body)).collect();
        self.shared.observations.history(items).await;
        self.hand_on(method, table, polled, facts::sensors).await;
    }

    async fn read_labels(&mut self, session: &mut Session) {
        let tables = poll_interface_tables(session).await;
        let fingerprint = self.handed.fingerprint(&tables);
        if !self.outdated && self.labels_as == Some(fingerprint) {
            return;
        }
        let mut polled = tables.labels();
        let partial = polled.is_partial();
        if partial && !self.outdated && !self.names.is_empty() {
            return;
        }
        self.outdated = false;
        self.labels_as = Some(fingerprint).filter(|_| !partial);
        let names = InterfaceIndex::new(names::distinct(std::mem::take(&mut polled.rows)));
        let renumbered = names.renumbered_since(&self.names);
        polled.errors.extend(renumbered.clone());
        self.note_quirks(Shown::Labels, &polled);
        if let Some(note) = renumbered {
            let interfaces = note.rows.unwrap_or_default();
            tracing::info!(device = %self.scope, quirk = %note.error, interfaces, "interfaces have other numbers than before");
        }
        self.names = names;
    }

    /// Reads the names of the ports again, since rows were dropped because they point at a port that has come since the last
    /// time: a stack's new member, a card plugged in. The state of new ports is read at once too.
    async fn learn_ports(&mut self, session: &mut Session) {
        let known: Vec<u32> = self.names.labels().map(|label| label.if_index).collect();
        self.read_labels(session).await;
        if self.names.labels().any(|label| !known.contains(&label.if_index)) {
            self.schedule.expire(Table::Interfaces, self.shared.clock.timestamp());
        }
    }

    async fn read_interfaces(&mut self, session: &mut Session) {
        let (mut polled, mut uptime) = poll_counters_and_uptime(session).await;
        if polled.rows.iter().any(|row| self.names.get(row.if_index).is_none()) {
            self.read_labels(session).await;
            uptime = None;
        }
        let uptime = match uptime {
            Some(uptime_s) => Ok(uptime_s),
            None => poll_uptime(session).await,
        };
        // Whatever restarted in between may have numbered its ports anew: what was read may be anybody's.
        match uptime {
            Ok(uptime_s) if !self.note_uptime(&uptime_s).await => {}
            _ => {
                self.schedule.expire(Table::Interfaces, self.shared.clock.timestamp());
                self.outdated = true;
                return;
            }
        }
        let now = self.shared.clock.timestamp();
        let PortChanges { events, changed, link_up } = self.memory.ports(&polled.rows, &self.names);
        // What is read of names is of before.
        self.names.set_last_changes(&poll_last_changes(session, &changed).await);
        let counted = polled.rows.iter().filter_map(|row| {
            let name = self.names.name(row.if_index)?;
            facts::interface_sample(name, &row.counters).map(HistoryBody::Interface)
        });
        let bodies = counted.chain(events.into_iter().map(HistoryBody::Event));
        let items = bodies.map(|body| facts::item(now, &self.scope, body)).collect();
        self.shared.observations.history(items).await;
        if link_up {
            self.schedule.trigger(now);
        }
        let rows = std::mem::take(&mut polled.rows);
        let names = std::mem::take(&mut self.names);
        let bodies = Polled { rows, ..polled };
        self.hand_on(Method::SnmpInterfaces, Table::Interfaces, bodies, |rows| {
            facts::interfaces(names.labels(), &rows)
        })
        .await;
        self.names = names;
    }

    /// Takes note of the time since the device's start. Returns whether it restarted.
    async fn note_uptime(&mut self, uptime_s: &Reading<u64>) -> bool {
        let now = self.shared.clock.timestamp();
        let Some(uptime_s) = uptime_s.get() else { return false };
        let Some(event) = self.memory.uptime(*uptime_s, now) else { return false };
        self.event(event, now).await;
        for table in Table::ALL.into_iter().filter(|table| *table != Table::Interfaces) {
            self.schedule.expire(table, now);
        }
        true
    }

    /// Hands on what was read of a table.
    async fn hand_on<T, H: Holding>(
        &mut self,
        method: Method,
        table: Table,
        polled: Polled<T>,
        holding: impl FnOnce(Vec<T>) -> H,
    ) {
        let now = self.shared.clock.timestamp();
        let partial = polled.is_partial();
        // A port that the device points at and does not tell of yet: its tables are of different moments.
        self.schedule.read(table, !partial && !points_at_unknown_ports(&polled));
        self.note_quirks(Shown::Table(table), &polled);
        let trouble = partial.then(|| trouble(&polled.errors)).flatten();
        let holding = holding(polled.rows);
        let rows = if partial {
            self.handed.part(method);
            let group = self.group(method);
            let changes: Vec<_> = changes(holding, now).map(|change| (group.clone(), change)).collect();
            let rows = changes.len();
            self.shared.observations.changes(changes).await;
            rows
        } else {
            self.complete(method, holding).await
        };
        let dropped = polled.dropped.len();
        tracing::debug!(device = %self.scope, table = table.name(), rows, dropped, partial, "read a table");
        self.shared.board.table_read(&self.config.name, table, rows, dropped, now);
        self.unreadable(table, trouble, now).await;
    }

    /// Hands on everything that holds now of a method. Returns how many facts it is.
    async fn complete(&mut self, method: Method, holding: impl Holding) -> usize {
        let (lineage, hash) = (self.shared.observations.lineage(), self.handed.stands_for(&holding));
        if let Some(facts) = self.handed.same(method, hash, lineage) {
            return facts;
        }
        let facts = holding.observed(self.shared.clock.timestamp());
        self.handed.whole(method, hash, facts.len());
        let count = facts.len();
        self.shared.observations.complete(self.group(method), facts).await;
        count
    }

    /// Hands on that what was the same as the last time holds still.
    async fn renew(&mut self) {
        let (methods, since) = self.handed.take_again();
        let groups = methods.into_iter().map(|method| self.group(method)).collect();
        self.shared.observations.renewed(groups, self.shared.clock.timestamp(), since).await;
    }

    fn note_quirks<T>(&mut self, by: Shown, polled: &Polled<T>) {
        self.quirks.note(by, &polled.errors, &polled.dropped, polled.is_partial());
    }

    /// Hands on what is peculiar about the device: with the system group, which is read now and then.
    async fn say_quirks(&mut self, session: &Session, system: &System) {
        let gbk = system.text_encoding.map(|_| TableError::of_device(TableProblem::GbkText));
        let noted: Vec<TableError> = session.quirks().into_iter().chain(gbk).collect();
        self.quirks.note(Shown::Device, &noted, &[], false);
        let bodies = self.quirks.facts();
        self.complete(Method::SnmpQuirks, bodies).await;
    }

    async fn reach(&mut self, reach: Reach) {
        self.shared.board.reach(&self.config.name, &reach, self.shared.clock.timestamp());
        self.complete(Method::SnmpReach, vec![FactBody::Reach(reach)]).await;
    }

    async fn sample(&self, session: &Session, outcome: Outcome) {
        let now = self.shared.clock.timestamp();
        let uptime_s = self.memory.uptime_s().filter(|_| outcome == Outcome::Answered);
        let sample = facts::device_sample(uptime_s, session.spent(), session.round_trip());
        self.shared.observations.history(vec![facts::item(now, &self.scope, HistoryBody::Device(sample))]).await;
    }

    async fn event(&self, event: Event, now: Timestamp) {
        self.shared.observations.history(vec![facts::item(now, &self.scope, HistoryBody::Event(event))]).await;
    }

    /// Ends a cycle that began at a time with an outcome.
    async fn end(&mut self, tables: Tables, (begun, outcome): (Timestamp, Outcome)) {
        let now = self.shared.clock.timestamp();
        let round_trip = self.session.as_ref().and_then(Session::round_trip);
        if let Some(round_trip) = round_trip.filter(|_| outcome == Outcome::Answered) {
            self.schedule.answered_in(round_trip);
        }
        let late = self.schedule.finished(outcome, now);
        self.shared.board.cycle(&self.config.name, begun, now, &self.schedule);
        let mut changes = Vec::new();
        for table in tables.iter() {
            let subject = self.subject(table);
            changes.extend(if late.contains(table) {
                let interval_s = self.schedule.interval_ms(table) / 1_000;
                let detail = format!(
                    "reading {} of {} ended after it was due again, {interval_s} s later: raise intervals.{}_s of the device, \
                     or find out why it answers slowly",
                    table.name(), self.config.name, table.name()
                );
                self.shared.conditions.raise(ConditionKind::CycleLate, &subject, &detail, now)
            } else {
                self.shared.conditions.clear(ConditionKind::CycleLate, &subject, now)
            });
        }
        self.shared.observations.changes(changes).await;
    }

    async fn unreadable(&self, table: Table, trouble: Option<String>, now: Timestamp) {
        let subject = self.subject(table);
        let change = match trouble {
            Some(detail) => self.shared.conditions.raise(ConditionKind::TableUnreadable, &subject, &detail, now),
            None => self.shared.conditions.clear(ConditionKind::TableUnreadable, &subject, now),
        };
        self.shared.observations.changes(change.into_iter().collect()).await;
    }

    fn subject(&self, table: Table) -> String {
        format!("{} {}", self.config.name, table.name())
    }

    fn group(&self, method: Method) -> Group {
        Group { method, scope: self.scope.clone() }
    }
}

fn points_at_unknown_ports<T>(polled: &Polled<T>) -> bool {
    polled.dropped.iter().any(|row| row.reason == DropReason::InterfaceUnknown)
}

/// Returns in words why a table was not read whole.
fn trouble(errors: &[TableError]) -> Option<String> {
    let error = errors
        .iter()
        .find(|error| Polled::<()> { errors: vec![(*error).clone()], ..Polled::default() }.is_partial())?;
    let what = error.error.as_str().replace('_', " ");
    let column = error.column.map(|column| format!(", column {column}")).unwrap_or_default();
    let detail = error.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    Some(format!("{}{column}: {what}{detail}", error.table))
}
