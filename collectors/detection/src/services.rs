//! The register of approved services held against the services that are used: what is not in it, is past its time, is used from beyond its
//! scope, or is in it and gone.
//!
//! Invariant: only hosts of the published prefixes are judged, and only what answered with data: an attempt opens nothing.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use ipnetwork::IpNetwork;
use onenet_topology::Timestamp;

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Subject},
    observation::{Attempt, FlowSeen, Listening},
    settings::{Settings, covers},
    table::{Table, Worth},
    threshold::Threshold,
};

const TCP: u8 = 6;
const DAY_MS: i64 = 24 * 3_600_000;
/// How long what is used once is remembered.
const KEPT_MS: i64 = 90 * DAY_MS;
/// How often it is looked for what is gone.
const LOOK_MS: i64 = 600_000;

/// A service that was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Where it is.
    pub host: IpAddr,
    /// IP protocol number: 6 or 17.
    pub protocol: u8,
    /// Its port.
    pub port: u16,
    /// What it is.
    pub application: String,
    /// The number of its approval.
    pub approval: String,
    /// Who answers for it.
    pub owner: String,
    /// Who may use it; empty: whoever is of the address plan.
    pub scope: Vec<IpNetwork>,
    /// When its approval ends.
    pub expires: Option<Timestamp>,
}

/// That a service is there.
#[derive(Debug, Clone, Copy)]
struct Seen {
    protocol: u8,
    at: SocketAddr,
    client: IpAddr,
    /// When it was seen, and when what it was seen by began.
    time: Timestamp,
    began: Timestamp,
    /// Since when it is there, as far as is known.
    since: Timestamp,
}

/// How a service was used.
#[derive(Debug)]
struct Used {
    since: Timestamp,
    flows: u64,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Services {
    used: Table<(u8, SocketAddr), Used>,
    /// Since when each service of the register has been in it, as far as was looked.
    registered: BTreeMap<(u8, SocketAddr), Timestamp>,
    looked: Timestamp,
}

impl Worth for Used {
    fn worth(&self) -> u64 {
        self.flows
    }
}

impl Services {
    pub(crate) fn new() -> Self {
        Self { used: Table::new(2_048, KEPT_MS), registered: BTreeMap::new(), looked: Timestamp::EPOCH }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.used.evicted()
    }

    pub(crate) fn flow(&mut self, flow: &FlowSeen<'_>, settings: &Settings, book: &mut Book) {
        let serves = flow.attempt() == Some(Attempt::Answered) && (flow.protocol == 6 || flow.packets_in > 1);
        if !serves || !covers(&settings.published, flow.to) || settings.is_scanner(flow.from) {
            return;
        }
        let at = SocketAddr::new(flow.to, flow.to_port);
        let fresh = || Used { since: flow.start, flows: 0 };
        let Some(used) = self.used.touch((flow.protocol, at), flow.end, fresh) else { return };
        if flow.start.ms_since(used.since) > DAY_MS {
            *used = fresh();
        }
        used.flows += 1;
        let is_used = used.flows >= settings.at(Threshold::ServiceFlows, flow.to);
        let seen = Seen {
            protocol: flow.protocol,
            at,
            client: flow.from,
            time: flow.end,
            began: flow.start,
            since: used.since,
        };
        judge(&seen, is_used, settings, book, || with_flow(flow));
    }

    /// Takes a port that an approved scan found open: that it is open is certain, whoever uses it.
    pub(crate) fn listening(&mut self, listening: &Listening<'_>, settings: &Settings, book: &mut Book) {
        let Listening { time, at, client, approval } = *listening;
        if !covers(&settings.published, at.ip()) {
            return;
        }
        let fresh = || Used { since: time, flows: 0 };
        if self.used.touch((TCP, at), time, fresh).is_none() {
            return;
        }
        let seen = Seen { protocol: TCP, at, client, time, began: time, since: time };
        judge(&seen, true, settings, book, || vec![Evidence::new("scan", approval), Evidence::new("client", client)]);
    }

    /// Looks for what is gone, now that the segment was heard.
    pub(crate) fn look(&mut self, now: Timestamp, settings: &Settings, book: &mut Book) {
        if now.ms_since(self.looked) < LOOK_MS || settings.published.is_empty() {
            return;
        }
        self.looked = now;
        let place = |it: &Service| (it.protocol, SocketAddr::new(it.host, it.port));
        self.registered.retain(|at, _| settings.services.iter().any(|it| place(it) == *at));
        for service in &settings.services {
            // What was registered a moment ago is not gone, however long nobody used it before.
            let since = *self.registered.entry(place(service)).or_insert(now);
            let days = i64::try_from(settings.at(Threshold::ServiceGone, service.host)).unwrap_or(i64::MAX);
            let last = self.used.last(&place(service)).map_or(since, |last| last.max(since));
            let expired = service.expires.is_some_and(|expires| now >= expires);
            if expired || now.ms_since(last) < days.saturating_mul(DAY_MS) {
                continue;
            }
            let subject = Subject::Service { host: service.host, port: service.port };
            // It is told once, and not each time that somebody looks.
            if book.last(Kind::GoneService, subject).is_some_and(|told| told > last) {
                continue;
            }
            book.report(&Report::new(Kind::GoneService, subject, 75, now).since(last), || {
                let mut evidence = service.evidence();
                evidence.push(Evidence::new("last_used", last));
                evidence
            });
        }
    }
}

impl Service {
    /// Returns whether somebody may use it.
    fn is_for(&self, client: IpAddr, settings: &Settings) -> bool {
        if self.scope.is_empty() { settings.is_inside(client) } else { covers(&self.scope, client) }
    }

    /// Returns what the register says of it.
    fn evidence(&self) -> Vec<Evidence> {
        let said = [("application", &self.application), ("approval", &self.approval), ("owner", &self.owner)];
        let said = said.into_iter().filter(|(_, value)| !value.is_empty());
        let mut evidence: Vec<Evidence> = said.map(|(is, value)| Evidence::new(is, value)).collect();
        evidence.extend(self.expires.map(|expires| Evidence::new("expires", expires)));
        evidence
    }
}

/// Holds a service that was seen against the register. `is_used` says whether there is enough of it to be none by mistake; `evidence` is how
/// it was seen.
fn judge(seen: &Seen, is_used: bool, settings: &Settings, book: &mut Book, evidence: impl Fn() -> Vec<Evidence>) {
    let subject = Subject::Service { host: seen.at.ip(), port: seen.at.port() };
    let Some(service) = settings.service(seen.protocol, seen.at) else {
        if is_used {
            let report = Report::new(Kind::UnregisteredService, subject, 85, seen.time).since(seen.since);
            book.report(&report, &evidence);
        }
        return;
    };
    let registered = |more: Option<Evidence>| {
        let mut all = service.evidence();
        all.extend(more);
        for it in evidence() {
            if !all.contains(&it) {
                all.push(it);
            }
        }
        all
    };
    // The moment that counts is when it was used first: an end may fall within a long connection.
    if service.expires.is_some_and(|expires| seen.began >= expires) {
        book.report(&Report::new(Kind::ExpiredService, subject, 95, seen.time), || registered(None));
    }
    if !service.is_for(seen.client, settings) {
        let client = Evidence::new("client", seen.client);
        book.report(&Report::new(Kind::ExposedService, subject, 90, seen.time), || registered(Some(client)));
    }
}

fn with_flow(flow: &FlowSeen<'_>) -> Vec<Evidence> {
    let speaks = flow.application.map(|application| Evidence::new("speaks", application.name()));
    speaks.into_iter().chain([Evidence::new("flow", flow.in_words())]).collect()
}
