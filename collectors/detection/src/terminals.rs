//! What changes about terminals, where they are, and what connections give away.
//!
//! Invariant: what is concluded counts once it is sure, and a change only where both sides were.

use onenet_topology::{
    MacAddr,
    classify::{DeviceClass, OsFamily},
};

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Subject},
    observation::{Disclosed, Disclosure, Terminal},
    settings::Settings,
    table::{Table, Worth},
    threshold::Threshold,
};

/// How sure a conclusion has to be to be compared.
const SURE: u8 = 70;
const KEPT_MS: i64 = 400 * 24 * 3_600_000;

#[derive(Debug, Default)]
struct Known {
    class: Option<DeviceClass>,
    os: Option<OsFamily>,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Terminals {
    known: Table<MacAddr, Known>,
}

impl Worth for Known {
    fn worth(&self) -> u64 {
        1 + u64::from(self.class.is_some()) + u64::from(self.os.is_some())
    }
}

impl Terminals {
    pub(crate) fn new() -> Self {
        Self { known: Table::new(8_192, KEPT_MS) }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.known.evicted()
    }

    pub(crate) fn terminal(&mut self, terminal: &Terminal, settings: &Settings, book: &mut Book) {
        let subject = Subject::Station(terminal.mac);
        let with_ip = |mut evidence: Vec<Evidence>| {
            evidence.extend(terminal.ip.map(|ip| Evidence::new("ip", ip)));
            evidence
        };
        if let Some(vlan) = terminal.vlan.filter(|vlan| settings.forbidden_vlans.contains(vlan)) {
            let report = Report::new(Kind::ForbiddenVlan, subject, 95, terminal.time);
            book.report(&report, || with_ip(vec![Evidence::new("vlan", vlan)]));
        }
        let least = settings.thresholds.get(Threshold::NatConfidence);
        let is_router = terminal.ip.is_some_and(|ip| settings.routers.contains(&ip));
        if let Some(shared) = terminal.shared.filter(|shared| u64::from(*shared) >= least && !is_router) {
            let report = Report::new(Kind::Nat, subject, shared, terminal.time);
            book.report(&report, || with_ip(vec![Evidence::new("sure", format_args!("{shared} %"))]));
        }
        // An address that is made up anew each time tells nothing of before.
        if terminal.mac.is_local() {
            return;
        }
        let Some(known) = self.known.touch(terminal.mac, terminal.time, Known::default) else { return };
        if let Some((class, score)) = terminal.class.filter(|(_, score)| *score >= SURE)
            && let Some(before) = known.class.replace(class).filter(|before| *before != class)
        {
            let report = Report::new(Kind::ChangedClass, subject, score, terminal.time);
            book.report(&report, || {
                with_ip(vec![Evidence::new("before", before.name()), Evidence::new("after", class.name())])
            });
        }
        if let Some((os, score)) = terminal.os.filter(|(_, score)| *score >= SURE)
            && let Some(before) = known.os.replace(os).filter(|before| *before != os)
        {
            let report = Report::new(Kind::ChangedOs, subject, score, terminal.time);
            book.report(&report, || {
                with_ip(vec![Evidence::new("before", before.name()), Evidence::new("after", os.name())])
            });
        }
    }
}

/// Takes what a connection gave away.
pub(crate) fn disclosed(disclosed: &Disclosed<'_>, book: &mut Book) {
    let service = Subject::Service { host: disclosed.server, port: disclosed.port };
    let (kind, confidence, is, value) = match disclosed.what {
        Disclosure::Login(protocol) => (Kind::CleartextLogin, 95, "protocol", protocol.to_owned()),
        Disclosure::Tls(version) if is_outdated(version) => (Kind::OutdatedTls, 95, "version", version.to_owned()),
        Disclosure::CertificateEnds(end) if end < disclosed.time => {
            (Kind::ExpiredCertificate, 95, "ended", end.to_string())
        }
        Disclosure::Tls(_) | Disclosure::CertificateEnds(_) => return,
    };
    book.report(&Report::new(kind, service, confidence, disclosed.time), || {
        vec![Evidence::new(is, &value), Evidence::new("client", disclosed.client)]
    });
}

fn is_outdated(version: &str) -> bool {
    matches!(version, "SSLv2" | "SSLv3" | "TLSv1.0" | "TLSv1.1" | "DTLSv1.0")
}
