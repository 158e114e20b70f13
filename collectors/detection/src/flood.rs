//! Who is flooded, and with what: half-open connections, datagrams, echo, name queries, answers that nobody asked for.
//!
//! Invariant: what is counted is packets in stretches of ten seconds by the flows' own times; a long flow counts with its rate.

use std::net::IpAddr;

use onenet_topology::{Timestamp, application::Application};

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Grade, Subject},
    observation::{ACK, Attempt, FlowSeen, SYN, is_one_host},
    settings::Settings,
    table::{Distinct, Table, Worth, hash, real, whole},
    threshold::Threshold,
};

const STRETCH_MS: i64 = 10_000;
const STRETCH_S: u64 = 10;
/// How long a count outlives its stretch, for flows that are told late.
const TTL_MS: i64 = 120_000;
/// How long a host is believed to answer name queries of others.
const RESOLVER_MS: i64 = 7 * 24 * 3_600_000;
/// By how much a reflector multiplies what it is asked.
const AMPLIFIED: u64 = 5;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Lane {
    kind: Kind,
    to: IpAddr,
    port: u16,
    /// The one source that is counted; `None`: all of them.
    from: Option<IpAddr>,
}

#[derive(Debug)]
struct Rate {
    stretch: i64,
    packets: f64,
    sources: Distinct,
}

#[derive(Debug, Default)]
struct Clients(Distinct);

/// The detector.
#[derive(Debug)]
pub(crate) struct Floods {
    rates: Table<Lane, Rate>,
    resolvers: Table<IpAddr, Clients>,
}

impl Worth for Rate {
    fn worth(&self) -> u64 {
        whole(self.packets)
    }
}

impl Worth for Clients {
    fn worth(&self) -> u64 {
        self.0.count()
    }
}

impl Floods {
    pub(crate) fn new() -> Self {
        Self { rates: Table::new(4_096, TTL_MS), resolvers: Table::new(64, RESOLVER_MS) }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.rates.evicted() + self.resolvers.evicted()
    }

    /// Takes a flow; `new` tells that its source was never seen there.
    pub(crate) fn flow(&mut self, flow: &FlowSeen<'_>, new: bool, settings: &Settings, book: &mut Book) {
        match flow.protocol {
            6 => self.connection(flow, new, settings, book),
            17 if is_one_host(flow.to) => self.datagrams(flow, new, settings, book),
            1 | 58 if is_one_host(flow.to) && !matches!(flow.to_port >> 8, 133..=137) => {
                let lane = Lane { kind: Kind::IcmpFlood, to: flow.to, port: 0, from: None };
                self.count(lane, flow, flow.packets_out, Threshold::IcmpFloodPerS, settings, book);
            }
            _ => {}
        }
    }

    fn connection(&mut self, flow: &FlowSeen<'_>, new: bool, settings: &Settings, book: &mut Book) {
        // A server that answers waits for an acknowledgement that never comes, or for a reset by whoever did not ask.
        let half_open = flow.flags_out & (SYN | ACK) == SYN && !flow.data;
        if !half_open && flow.attempt() != Some(Attempt::Failed) {
            return;
        }
        let kind = Kind::SynFlood;
        let (packets, to, port) = (flow.packets_out, flow.to, flow.to_port);
        if new {
            let lane = Lane { kind, to, port, from: None };
            self.count(lane, flow, packets, Threshold::SynFloodPerS, settings, book);
        }
        let lane = Lane { kind, to, port, from: Some(flow.from) };
        self.count(lane, flow, packets, Threshold::SynFloodPerS, settings, book);
    }

    fn datagrams(&mut self, flow: &FlowSeen<'_>, new: bool, settings: &Settings, book: &mut Book) {
        let unanswered = flow.packets_in.saturating_mul(10) < flow.packets_out;
        if is_reflector(flow.from_port) && flow.from_port != flow.to_port && flow.packets_in == 0 {
            let lane = Lane { kind: Kind::Reflection, to: flow.to, port: flow.from_port, from: None };
            return self.count(lane, flow, flow.packets_out, Threshold::ReflectionPerS, settings, book);
        }
        let amplified = flow.bytes_in > flow.bytes_out.saturating_mul(AMPLIFIED) && is_reflector(flow.to_port);
        if amplified && settings.is_inside(flow.to) && settings.is_outside(flow.from) {
            let lane = Lane { kind: Kind::Reflection, to: flow.to, port: flow.to_port, from: None };
            return self.count(lane, flow, flow.packets_in, Threshold::ReflectionPerS, settings, book);
        }
        if flow.to_port == 53 {
            return self.queries(flow, new, settings, book);
        }
        let known = flow.by_payload && flow.application.is_some_and(|application| application != Application::Dns);
        if unanswered && !known && !is_telemetry(flow.to_port) {
            let lane = Lane { kind: Kind::UdpFlood, to: flow.to, port: 0, from: None };
            self.count(lane, flow, flow.packets_out, Threshold::UdpFloodPerS, settings, book);
        }
    }

    fn queries(&mut self, flow: &FlowSeen<'_>, new: bool, settings: &Settings, book: &mut Book) {
        if flow.packets_in != 0
            && let Some(clients) = self.resolvers.touch(flow.to, flow.start, Clients::default)
        {
            clients.0.add(hash(flow.from));
        }
        let kind = Kind::DnsFlood;
        if new {
            let lane = Lane { kind, to: flow.to, port: 53, from: None };
            self.count(lane, flow, flow.packets_out, Threshold::DnsFloodPerS, settings, book);
        }
        if self.resolvers.get(&flow.from, flow.start).is_none_or(|clients| clients.worth() < 2) {
            let lane = Lane { kind, to: flow.to, port: 53, from: Some(flow.from) };
            self.count(lane, flow, flow.packets_out, Threshold::DnsFloodPerS, settings, book);
        }
    }

    fn count(
        &mut self,
        lane: Lane,
        flow: &FlowSeen<'_>,
        packets: u64,
        threshold: Threshold,
        settings: &Settings,
        book: &mut Book,
    ) {
        let stretch = flow.start.unix_ms().div_euclid(STRETCH_MS);
        let fresh = || Rate { stretch, packets: 0.0, sources: Distinct::default() };
        let Some(rate) = self.rates.touch(lane, flow.start, fresh) else { return };
        if stretch > rate.stretch {
            *rate = fresh();
        }
        let lasted_ms = u64::try_from(flow.lasted_ms()).unwrap_or(0);
        let stretch_ms = STRETCH_S.saturating_mul(1_000);
        rate.packets +=
            if lasted_ms > stretch_ms { real(packets) * real(stretch_ms) / real(lasted_ms) } else { real(packets) };
        rate.sources.add(hash(flow.from));
        let least = settings.at(threshold, lane.to);
        let per_s = whole(rate.packets) / STRETCH_S;
        if per_s < least {
            return;
        }
        let sources = rate.sources.count();
        let subject = Subject::Host(lane.to);
        let grade =
            if per_s >= least.saturating_mul(50) { Grade::Major.max(lane.kind.grade()) } else { lane.kind.grade() };
        let known = book.last(lane.kind, subject).is_some();
        let report = Report::new(lane.kind, subject, if per_s >= 2 * least { 90 } else { 75 }, flow.end).graded(grade);
        let since = Timestamp::from_unix_ms(stretch.saturating_mul(STRETCH_MS)).max(flow.start.min(flow.end));
        let count = if known { packets } else { whole(rate.packets) };
        book.report(&report.since(since).counting(count), || {
            let mut evidence = vec![
                Evidence::new("packets_per_s", per_s),
                Evidence::new("sources", format_args!("≈ {sources}: {}", flow.from)),
                Evidence::new("flow", flow.in_words()),
            ];
            if lane.port != 0 {
                evidence.push(Evidence::new("port", lane.port));
            }
            evidence
        });
    }
}

/// Returns whether what answers from this port answers with more than it was asked.
const fn is_reflector(port: u16) -> bool {
    matches!(port, 17 | 19 | 53 | 69 | 111 | 123 | 137 | 161 | 389 | 1_900 | 3_702 | 5_353 | 11_211)
}

/// Returns whether what goes to this port is not answered by design: logs, traps, flow records, tunnels.
const fn is_telemetry(port: u16) -> bool {
    matches!(port, 162 | 514 | 2_055 | 4_739 | 4_789 | 6_343 | 6_081 | 8_472 | 9_995 | 9_996)
}
