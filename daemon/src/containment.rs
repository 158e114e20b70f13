//! Containment proposals (主动防护): at which port the endpoint of a case is, what would isolate it there, how that is undone, and what speaks
//! against it.
//!
//! Invariant: nothing is carried out here, ever: people review a proposal and type it. What is a guess says so, and there are no commands where the
//! place is not known to a port, where the port leads to other equipment, or where the device's language is not known.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use onenet_topology::{
    MacAddr,
    case::Case,
    containment::{Measure, Steps, Syntax},
    device::Device,
    endpoint::Endpoint,
    inference::{Place, Where},
    link::LinkEnd,
};

use crate::{access::View, api::wireless_station, estate::SiteState};

/// Proposals of a case at most: an address has few endpoints, unless somebody forges them.
const PROPOSALS_MAX: usize = 8;
/// Under this confidence, in hundredths, a place is a guess.
const SURE: u8 = 50;

/// What would isolate one endpoint.
#[derive(Debug)]
pub struct Proposal<'v> {
    /// Its site.
    pub state: &'v SiteState,
    /// The endpoint.
    pub endpoint: &'v Endpoint,
    /// The device that it is at.
    pub device: Option<&'v Device>,
    /// In which language that is spoken to.
    pub syntax: Option<Syntax>,
    /// What to do, where anything can be proposed.
    pub steps: Option<Steps>,
    /// What speaks against it.
    pub cautions: Vec<Caution>,
}

/// What speaks against a proposal, or keeps it from having commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// The case is a drill.
    Drill,
    /// No table tells where the endpoint is.
    NoPlace,
    /// The device is known, and the port is not.
    NoPort,
    /// Where it is now no table tells: it was there.
    LastKnown,
    /// Where it is is a guess.
    Unsure,
    /// It is in the air: its controller keeps it away.
    Wireless,
    /// The port leads to other equipment.
    Uplink,
    /// So many others are behind the same port.
    Shared(usize),
    /// The device's commands are not known.
    NoSyntax,
}

impl Caution {
    /// Returns its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drill => "drill",
            Self::NoPlace => "no_place",
            Self::NoPort => "no_port",
            Self::LastKnown => "last_known",
            Self::Unsure => "unsure",
            Self::Wireless => "wireless",
            Self::Uplink => "uplink",
            Self::Shared(_) => "shared_port",
            Self::NoSyntax => "no_syntax",
        }
    }
}

/// Returns what would isolate the endpoints that a case is about; none where it is about no endpoint that the view shows.
pub fn proposals<'v>(view: &'v View, case: &Case) -> Vec<Proposal<'v>> {
    let Some(state) = view.inventory(case.key.site) else { return Vec::new() };
    let about = About::of(&case.key.subject);
    let endpoints = state.visible_endpoints().filter(|it| about.as_ref().is_some_and(|about| about.is(it)));
    endpoints.take(PROPOSALS_MAX).map(|endpoint| proposal(state, endpoint, case.key.drill)).collect()
}

/// Whom a case is about.
enum About {
    Address(IpAddr),
    Station(MacAddr),
}

impl About {
    fn of(subject: &str) -> Option<Self> {
        let address = || subject.parse().or_else(|_| subject.parse().map(|at: SocketAddr| at.ip())).ok();
        subject.parse().ok().map(Self::Station).or_else(|| address().map(Self::Address))
    }

    fn is(&self, endpoint: &Endpoint) -> bool {
        match self {
            Self::Station(mac) => endpoint.mac == *mac,
            Self::Address(ip) => endpoint.current_addresses().any(|it| it.ip == *ip),
        }
    }
}

fn proposal<'v>(state: &'v SiteState, endpoint: &'v Endpoint, drill: bool) -> Proposal<'v> {
    let mut cautions: Vec<Caution> = drill.then_some(Caution::Drill).into_iter().collect();
    let located = endpoint.located.as_ref().map_or(Where::Nowhere, |located| located.at);
    let deciding = state.attachment(endpoint.mac).filter(|found| found.at == located);
    let (device, port) = match state.canonical_place(located) {
        Where::Port(place) => (Some(place.device), Some(place)),
        Where::Behind { device, .. } => (Some(device), None),
        Where::Nowhere => (None, None),
    };
    let device = device.and_then(|id| state.device(id)).map(Arc::as_ref);
    cautions.extend(match (device, port, deciding) {
        (None, ..) => Some(Caution::NoPlace),
        (_, None, _) => Some(Caution::NoPort),
        (.., None) => Some(Caution::LastKnown),
        (.., Some(found)) => (found.confidence < SURE).then_some(Caution::Unsure),
    });
    let mut proposal = Proposal { state, endpoint, device, syntax: None, steps: None, cautions };
    if let (Some(device), Some(place)) = (device, port) {
        proposal.at(device, place);
    }
    proposal
}

impl Proposal<'_> {
    /// Proposes steps at a port.
    fn at(&mut self, device: &Device, place: Place) {
        let recognised = self.state.identification(device).map(|it| it.vendor);
        self.syntax = recognised.filter(|it| !it.is_empty()).and_then(|vendor| Syntax::of(&vendor));
        let Some(interface) = self.state.interface(device.id, place.interface) else { return };
        let leads = self.state.links.iter().flat_map(|link| [&link.a, &link.b]).any(|end| {
            matches!(end, LinkEnd::Interface { device: of, interface: Some(it), .. }
                if self.state.canonical(*of) == device.id && *it == place.interface)
        });
        let plugged = self.state.plugged_in(device.id);
        let others = plugged.get(&place.interface).map_or(0, |all| all.len().saturating_sub(1));
        let wireless = wireless_station(self.state, self.endpoint).is_some();
        if wireless {
            self.cautions.push(Caution::Wireless);
        }
        if leads {
            self.cautions.push(Caution::Uplink);
        }
        if others > 0 {
            self.cautions.push(Caution::Shared(others));
        }
        let Some(syntax) = self.syntax else {
            self.cautions.push(Caution::NoSyntax);
            return;
        };
        let port = Measure::ShutPort { port: &interface.said.name };
        let address = place.vlan.map(|vlan| Measure::DropAddress { mac: self.endpoint.mac, vlan });
        let measure = if others > 0 || leads { address } else { Some(port) };
        self.steps = measure.filter(|_| !wireless).and_then(|measure| syntax.steps(measure));
    }
}
