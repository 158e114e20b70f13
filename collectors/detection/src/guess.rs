//! Who tries out passwords: many short, alike connections to one login service.
//!
//! Invariant: a connection counts only if both sides spoke; alike means that answers hardly differ in size, as refusals do.

use std::net::IpAddr;

use onenet_topology::{Timestamp, application::Application};

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Subject},
    observation::{Attempt, FlowSeen},
    settings::Settings,
    table::{Recollection, Table, Worth, hash, real},
    threshold::Threshold,
};

const WINDOW_MS: i64 = 300_000;
/// The longest that an attempt takes, and the most bytes.
const ATTEMPT_MS: i64 = 60_000;
const ATTEMPT_BYTES: u64 = 24_000;

#[derive(Debug)]
struct Guesses {
    since: Timestamp,
    count: u64,
    sum: f64,
    squares: f64,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Guessing {
    tried: Table<(IpAddr, IpAddr, u16), Guesses>,
    known: Recollection,
}

/// What a port is the login service of, and whether clients rightly come many times a minute.
const fn service(port: u16, application: Option<Application>) -> Option<(&'static str, bool)> {
    Some(match (application, port) {
        (Some(Application::Ssh), _) | (_, 22) => ("SSH", false),
        (Some(Application::Telnet), _) | (_, 23) => ("Telnet", false),
        (_, 21) => ("FTP", false),
        (Some(Application::Rdp), _) | (_, 3389) => ("RDP", false),
        (Some(Application::Vnc), _) | (_, 5900..=5909) => ("VNC", false),
        (Some(Application::Smb), _) | (_, 445 | 139) => ("SMB", true),
        (Some(Application::Mssql), _) | (_, 1433) => ("SQL Server", true),
        (_, 1521) => ("Oracle", true),
        (Some(Application::Mysql), _) | (_, 3306) => ("MySQL", true),
        (Some(Application::Postgresql), _) | (_, 5432) => ("PostgreSQL", true),
        _ => return None,
    })
}

impl Worth for Guesses {
    fn worth(&self) -> u64 {
        self.count
    }
}

impl Guesses {
    const fn new(since: Timestamp) -> Self {
        Self { since, count: 0, sum: 0.0, squares: 0.0 }
    }

    /// Returns how much sizes differ: their standard deviation as a share of their mean.
    fn spread(&self) -> f64 {
        let count = real(self.count);
        let mean = self.sum / count;
        (self.squares / count - mean * mean).max(0.0).sqrt() / mean.max(1.0)
    }
}

impl Guessing {
    pub(crate) fn new() -> Self {
        Self { tried: Table::new(2_048, WINDOW_MS), known: Recollection::new(1 << 17) }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.tried.evicted() + self.known.hurried()
    }

    pub(crate) fn flow(&mut self, flow: &FlowSeen<'_>, settings: &Settings, book: &mut Book) {
        if flow.protocol != 6 || flow.attempt() != Some(Attempt::Answered) {
            return;
        }
        let Some((name, busy)) = service(flow.to_port, flow.application.filter(|_| flow.by_payload)) else { return };
        let key = (flow.from, flow.to, flow.to_port);
        let (_, yesterday) = self.known.note(hash(key), flow.start);
        let short = flow.lasted_ms() <= ATTEMPT_MS && flow.bytes_out.saturating_add(flow.bytes_in) <= ATTEMPT_BYTES;
        if !short || busy && yesterday || settings.is_scanner(flow.from) {
            return;
        }
        let Some(guesses) = self.tried.touch(key, flow.start, || Guesses::new(flow.start)) else { return };
        if flow.start.ms_since(guesses.since) > WINDOW_MS {
            *guesses = Guesses::new(flow.start);
        }
        let octets = real(flow.bytes_in);
        guesses.count += 1;
        guesses.sum += octets;
        guesses.squares += octets * octets;
        let least = settings.at(Threshold::BruteForceLogins, flow.from).saturating_mul(if busy { 3 } else { 1 });
        let alike = if busy { 0.1 } else { 0.25 };
        if guesses.count < least || guesses.spread() > alike {
            return;
        }
        let subject = Subject::Host(flow.from);
        let known = book.last(Kind::BruteForce, subject).is_some();
        let confidence = if guesses.count >= 2 * least { 90 } else { 75 };
        let report = Report::new(Kind::BruteForce, subject, confidence, flow.start).since(guesses.since);
        book.report(&report.counting(if known { 1 } else { guesses.count }), || {
            vec![
                Evidence::new(
                    "service",
                    format_args!("{name} {}", Subject::Service { host: flow.to, port: flow.to_port }),
                ),
                Evidence::new("connections", guesses.count),
                Evidence::new("flow", flow.in_words()),
            ]
        });
    }
}
