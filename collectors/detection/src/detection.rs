//! All detectors of a site behind one door: observations in, findings out.
//!
//! Invariants: memory is bounded whatever is told; the order of observations may be off by minutes, as flows are told when they
//! end; every detector says what it saw and when.

use onenet_topology::Timestamp;

use crate::{
    book::{Book, DetectorState},
    catalogue::{Input, Kind},
    claims::Claims,
    feeds::Feeds,
    finding::Finding,
    flood::Floods,
    guess::Guessing,
    levels::{Learnt, Levels},
    names::Names,
    observation::{Air, Claim, Disclosed, Equipment, FlowSeen, Listening, Measured, NameSeen, Serving, Terminal, Tree},
    outward::Outward,
    peers::Peers,
    scan::Scans,
    servers::{self, Servers},
    services::Services,
    settings::Settings,
    terminals::{self, Terminals},
    transfers::Transfers,
};

/// How many kinds of input there are.
const INPUTS: usize = 10;

/// The detectors of a site.
#[derive(Debug)]
pub struct Detection {
    settings: Settings,
    book: Book,
    scans: Scans,
    guessing: Guessing,
    floods: Floods,
    claims: Claims,
    servers: Servers,
    outward: Outward,
    names: Names,
    terminals: Terminals,
    peers: Peers,
    transfers: Transfers,
    feeds: Feeds,
    levels: Levels,
    services: Services,
    /// By [`Input`]: how much came, and when the last of it was.
    seen: [(u64, Option<Timestamp>); INPUTS],
}

impl Detection {
    /// Returns detectors that have seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            book: Book::new(&settings),
            settings,
            scans: Scans::new(),
            guessing: Guessing::new(),
            floods: Floods::new(),
            claims: Claims::new(),
            servers: Servers::default(),
            outward: Outward::new(),
            names: Names::new(),
            terminals: Terminals::new(),
            peers: Peers::new(),
            transfers: Transfers::new(),
            feeds: Feeds::new(),
            levels: Levels::new(),
            services: Services::new(),
            seen: [(0, None); INPUTS],
        }
    }

    /// Takes a flow that ended.
    pub fn flow(&mut self, flow: &FlowSeen<'_>) {
        self.saw(Input::Flows, flow.start);
        let new = self.scans.flow(flow, &self.settings, &mut self.book);
        self.floods.flow(flow, new, &self.settings, &mut self.book);
        self.guessing.flow(flow, &self.settings, &mut self.book);
        self.outward.flow(flow, &self.settings, &mut self.book);
        self.peers.flow(flow, &self.settings, &mut self.book);
        self.transfers.flow(flow, &self.settings, &mut self.book);
        self.services.flow(flow, &self.settings, &mut self.book);
        self.feeds.flow(flow, &self.settings);
        self.levels.flow(flow, &self.settings);
    }

    /// Takes a claim of an address.
    pub fn claim(&mut self, claim: &Claim) {
        self.saw(Input::Claims, claim.time);
        self.claims.claim(claim, &self.settings, &mut self.book);
    }

    /// Takes what a server of addresses or routes says.
    pub fn serving(&mut self, serving: &Serving) {
        self.saw(Input::Servers, serving.time);
        self.servers.serving(serving, &self.settings, &mut self.book);
    }

    /// Takes what a bridge says of a spanning tree.
    pub fn tree(&mut self, tree: &Tree) {
        self.saw(Input::Trees, tree.time);
        self.servers.tree(tree, &self.settings, &mut self.book);
    }

    /// Takes what passed in about ten seconds.
    pub fn air(&mut self, air: &Air) {
        self.saw(Input::Air, air.end);
        servers::air(air, &self.settings, &mut self.book);
        self.feeds.look(air.end, &self.settings, &mut self.book);
        self.services.look(air.end, &self.settings, &mut self.book);
        self.levels.air(air, &mut self.book);
    }

    /// Takes what equipment announces of itself.
    pub fn equipment(&mut self, said: &Equipment<'_>) {
        self.saw(Input::Equipment, said.time);
        self.servers.equipment(said, &self.settings, &mut self.book);
    }

    /// Takes a number that was measured.
    pub fn measured(&mut self, measured: &Measured<'_>) {
        self.saw(Input::Measurements, measured.time);
        self.levels.measured(measured, &self.settings, &mut self.book);
    }

    /// Takes a port that an approved scan found open.
    pub fn listening(&mut self, listening: &Listening<'_>) {
        self.saw(Input::Flows, listening.time);
        self.services.listening(listening, &self.settings, &mut self.book);
    }

    /// Returns what was learnt of levels: to be kept while the program does not run.
    pub fn learnt(&self) -> &Learnt {
        self.levels.learnt()
    }

    /// Takes back what was learnt of levels by an earlier run.
    pub fn recall(&mut self, learnt: Learnt) {
        self.levels.recall(learnt);
    }

    /// Takes a name that was asked for, or an answer.
    pub fn name(&mut self, name: &NameSeen<'_>) {
        self.saw(Input::Names, name.time);
        self.names.name(name, &self.settings, &mut self.book);
    }

    /// Takes what a connection gave away.
    pub fn disclosed(&mut self, disclosed: &Disclosed<'_>) {
        self.saw(Input::Disclosures, disclosed.time);
        terminals::disclosed(disclosed, &mut self.book);
    }

    /// Takes what is concluded of a terminal.
    pub fn terminal(&mut self, terminal: &Terminal) {
        self.saw(Input::Terminals, terminal.time);
        self.terminals.terminal(terminal, &self.settings, &mut self.book);
    }

    /// Returns every finding, by kind and subject.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.book.findings()
    }

    /// Looks for what this says from now on. What is known stays.
    pub fn configure(&mut self, settings: Settings) {
        self.book.configure(&settings);
        self.settings = settings;
    }

    /// Returns at most `most` findings that are to be told at `now`: that are new, graver, surer or twice as many as when they were told
    /// last, or go on since then for ten minutes.
    pub fn take_due(&mut self, now: Timestamp, most: usize) -> Vec<Finding> {
        self.book.take_due(now, most)
    }

    /// Returns the findings that are new or say more than the last time it was asked.
    pub fn take_changed(&mut self) -> Vec<Finding> {
        self.book.take_changed()
    }

    /// Returns how many findings had to leave for others.
    pub const fn findings_evicted(&self) -> u64 {
        self.book.evicted()
    }

    /// Returns what every detector did.
    pub fn detectors(&self) -> Vec<DetectorState> {
        let state = |kind: &Kind| {
            let (inputs, last_run) = self.seen.get(place(kind.input())).copied().unwrap_or_default();
            DetectorState {
                kind: *kind,
                off: self.book.is_off(*kind),
                last_run,
                inputs,
                findings: self.book.made(*kind),
                evicted: self.evicted(*kind),
            }
        };
        Kind::ALL.iter().map(state).collect()
    }

    const fn evicted(&self, kind: Kind) -> u64 {
        match kind {
            Kind::PortScan | Kind::Sweep | Kind::SlowScan | Kind::DarkAddress | Kind::Worm => self.scans.evicted(),
            Kind::BruteForce => self.guessing.evicted(),
            Kind::SynFlood | Kind::UdpFlood | Kind::IcmpFlood | Kind::DnsFlood | Kind::Reflection => {
                self.floods.evicted()
            }
            Kind::ArpSpoofing | Kind::AddressConflict | Kind::OtherNetwork => self.claims.evicted(),
            Kind::Outreach | Kind::Beaconing => self.outward.evicted(),
            Kind::DnsTunnel | Kind::Dga => self.names.evicted(),
            Kind::NewPeer => self.peers.evicted(),
            Kind::LongTransfer | Kind::NightTransfer => self.transfers.evicted(),
            Kind::UnregisteredService | Kind::ExpiredService | Kind::ExposedService | Kind::GoneService => {
                self.services.evicted()
            }
            Kind::SilentFeed => self.feeds.evicted(),
            Kind::ErrorShift | Kind::RoundTripShift | Kind::UplinkShift => self.levels.evicted(),
            Kind::Nat | Kind::ChangedClass | Kind::ChangedOs | Kind::ForbiddenVlan => self.terminals.evicted(),
            _ => 0,
        }
    }

    fn saw(&mut self, input: Input, at: Timestamp) {
        if let Some((count, last)) = self.seen.get_mut(place(input)) {
            *count += 1;
            *last = (*last).max(Some(at));
        }
    }
}

/// Returns an input's place.
const fn place(input: Input) -> usize {
    match input {
        Input::Flows => 0,
        Input::Claims => 1,
        Input::Servers => 2,
        Input::Trees => 3,
        Input::Air => 4,
        Input::Names => 5,
        Input::Disclosures => 6,
        Input::Terminals => 7,
        Input::Equipment => 8,
        Input::Measurements => 9,
    }
}
