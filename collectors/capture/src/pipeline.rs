//! The one path that every frame takes, live or from a file: decode, facts, inventory, flows.
//!
//! Invariants: no allocation for a frame that says nothing new; bounded memory; each frame seen is counted, and each that
//! was not wholly understood is counted once, under the first reason. The time is the frames' own.

use ipnetwork::IpNetwork;
use onenet_topology::{MacAddr, Timestamp};

use crate::{
    FrameMeta, FrameTime, LinkType, Listener,
    decode::{
        Content, Packet, Reason, Undecoded,
        tunnel::{TUNNELS_MAX, Tunnelled},
    },
    facts::Fact,
    flow::{FlowCounters, FlowOptions, FlowRecord, Flows},
    inventory::{EndpointState, EndpointTraffic, Inventory, InventoryCounters, InventoryOptions, Traffic},
    neighbours::{NeighbourState, Neighbours},
    passive,
    sighting::{Sighting, Sightings},
};

/// What a pipeline is told.
#[derive(Debug, Clone, Default)]
pub struct PipelineOptions {
    /// The table of endpoints.
    pub inventory: InventoryOptions,
    /// The table of flows.
    pub flows: FlowOptions,
    /// The prefixes on the captured segment: the source of an IP packet from one of them was not routed here, so that its
    /// address is bound to its MAC. Empty: IP packets bind nothing.
    pub local: Vec<IpNetwork>,
    /// Whether what detectors look at beside flows is kept to be taken ([`Pipeline::take_sightings`]).
    pub sightings: bool,
}

/// What was counted since the pipeline began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Frames seen.
    pub frames: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Packets and frames inside others, in tunnels.
    pub tunnelled: u64,
    /// Frames that were not wholly understood, by [`Reason::index`].
    undecoded: [u64; Reason::COUNT],
    /// What the inventory counted.
    pub inventory: InventoryCounters,
    /// What the flow table counted.
    pub flows: FlowCounters,
    /// LLDP neighbours that had to leave for others.
    pub neighbours_evicted: u64,
    /// Endpoints that are kept now.
    pub endpoints: usize,
    /// Of those, the ones that are established.
    pub endpoints_established: usize,
    /// Flows that are going on now.
    pub flows_open: usize,
}

/// What is new since the last time it was asked.
#[derive(Debug, Clone)]
pub struct Changes {
    /// When it was asked.
    pub time: Timestamp,
    /// Endpoints that are new, or have a new VLAN, address, method or description: all that is known of each.
    pub endpoints: Vec<EndpointState>,
    /// Endpoints that had been reported and had to leave the table for others. They may well still be on the network, and
    /// even be back in `endpoints`: what was forgotten comes first.
    pub forgotten: Vec<MacAddr>,
    /// LLDP neighbours that are new, changed, or took themselves back (`ttl_s` 0).
    pub neighbours: Vec<NeighbourState>,
    /// What each endpoint sent and received since the last time.
    pub traffic: Vec<EndpointTraffic>,
    /// The same of endpoints that have left since, summed.
    pub traffic_of_forgotten: Traffic,
    /// What was counted since the beginning.
    pub statistics: Statistics,
}

/// Frames in; endpoints, neighbours and flows out.
#[derive(Debug)]
pub struct Pipeline {
    inventory: Inventory,
    neighbours: Neighbours,
    flows: Flows,
    local: Vec<IpNetwork>,
    sightings: Option<Box<Sightings>>,
    frames: u64,
    bytes: u64,
    tunnelled: u64,
    undecoded: [u64; Reason::COUNT],
}

impl Statistics {
    /// Returns the reasons why frames were not wholly understood, with the number of frames of each; those without are
    /// left out.
    pub fn undecoded(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.iter().zip(self.undecoded).filter(|(_, count)| *count != 0).map(|(reason, count)| (*reason, count))
    }
}

impl Pipeline {
    /// Returns a pipeline that has seen nothing.
    pub fn new(options: PipelineOptions) -> Self {
        Self {
            inventory: Inventory::new(options.inventory),
            neighbours: Neighbours::default(),
            flows: Flows::new(options.flows),
            local: options.local,
            sightings: options.sightings.then(Box::default),
            frames: 0,
            bytes: 0,
            tunnelled: 0,
            undecoded: [0; Reason::COUNT],
        }
    }

    /// Tells of a frame that will come some frames later, so that what it needs is at hand then. It need not come.
    #[inline]
    pub fn foresee(&mut self, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        // Each frame has its place, also where nothing can be said of it.
        let header = bytes.first_chunk::<12>().filter(|_| link_type == LinkType::Ethernet);
        let [d0, d1, d2, d3, d4, d5, source @ ..] = header.copied().unwrap_or_default();
        self.inventory.foresee(MacAddr(source), MacAddr([d0, d1, d2, d3, d4, d5]));
        self.flows.foresee(link_type, meta, bytes);
    }

    /// Fetches what the frames that it was told of will need.
    #[inline]
    pub fn prepare(&mut self) {
        self.inventory.prepare();
        self.flows.prepare();
    }

    /// Takes one frame.
    #[inline]
    pub fn frame(&mut self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        let octets = meta.octets();
        self.frames += 1;
        self.bytes += u64::from(octets);
        self.inventory.begin();
        self.flows.begin();
        // Borrowed, not moved: it has some 250 bytes.
        let parsed = Packet::parse(link_type, meta, bytes);
        let packet = match &parsed {
            Ok(packet) => packet,
            Err(fault) => return self.count_undecoded(fault.reason),
        };
        let outer = self.packet(time, packet, octets);
        let inner = match packet.inside() {
            Ok(None) => None,
            inside => self.tunnelled(time, inside),
        };
        if let Some(reason) = outer.or(inner) {
            self.count_undecoded(reason);
        }
    }

    /// Takes what a frame, or a frame or packet inside it, says. Returns why it was not wholly understood.
    #[inline]
    fn packet(&mut self, time: FrameTime, packet: &Packet<'_>, octets: u32) -> Option<Reason> {
        if let Some(mac) = packet.source {
            self.inventory.sent(time, mac, packet.vlan, octets, packet.outgoing);
        }
        if let Some(mac) = packet.destination {
            self.inventory.received(mac, octets);
        }
        let observed = if packet.foreign {
            Ok(())
        } else {
            let (inventory, neighbours) = (&mut self.inventory, &mut self.neighbours);
            passive::observe(packet, &self.local, |fact| note(time, fact, inventory, neighbours))
        };
        if let Some(sightings) = &mut self.sightings {
            sightings.packet(time, packet);
        }
        if let Content::Ip(_) = packet.content {
            self.flows.packet(time, packet, octets);
            self.introduce();
        }
        packet.fault.or(observed.err().map(|fault| fault.blamed(packet.cut))).map(|fault| fault.reason)
    }

    /// Takes what tunnels carry, one inside the other. Returns the first reason why something was not wholly understood.
    #[cold]
    fn tunnelled(&mut self, time: FrameTime, first: Result<Option<Tunnelled<'_>>, Undecoded>) -> Option<Reason> {
        let mut inside = first;
        let mut reason = None;
        for _ in 0..TUNNELS_MAX {
            let parsed = match inside {
                Ok(None) => return reason,
                Ok(Some(tunnelled)) => tunnelled.parse().map(|packet| (packet, tunnelled.length)),
                Err(fault) => Err(fault),
            };
            let (packet, octets) = match parsed {
                Ok(parsed) => parsed,
                Err(fault) => return reason.or(Some(fault.reason)),
            };
            self.tunnelled += 1;
            let found = self.packet(time, &packet, octets);
            reason = reason.or(found);
            inside = packet.inside();
        }
        reason.or(inside.is_ok_and(|inside| inside.is_some()).then_some(Reason::TunnelDepth))
    }

    /// Closes flows that have been silent for too long at `now`. To be called now and then when no frames come.
    pub fn advance(&mut self, now: Timestamp) {
        self.flows.advance(now.into());
        self.introduce();
    }

    /// Closes every flow: the capture ended.
    pub fn finish(&mut self) {
        self.flows.finish();
        self.introduce();
        if let Some(sightings) = &mut self.sightings {
            sightings.finish();
        }
    }

    /// Closes up to `most` flows, for who takes their records in between: together they take as much memory as the table. Returns
    /// whether there were any.
    pub fn finish_some(&mut self, most: usize) -> bool {
        let any = self.flows.finish_some(most);
        self.introduce();
        any
    }

    /// Returns what is new since the last call.
    pub fn take_changes(&mut self, now: Timestamp) -> Changes {
        self.advance(now);
        let (traffic, traffic_of_forgotten) = self.inventory.take_traffic();
        Changes {
            time: now,
            endpoints: self.inventory.take_changed(now),
            forgotten: self.inventory.take_forgotten(),
            neighbours: self.neighbours.take_changed(),
            traffic,
            traffic_of_forgotten,
            statistics: self.statistics(),
        }
    }

    /// Returns every endpoint as it is known now, in no particular order.
    pub fn endpoints(&self) -> impl Iterator<Item = EndpointState> {
        self.inventory.endpoints()
    }

    /// Returns every LLDP neighbour as last heard.
    pub fn neighbours(&self) -> impl Iterator<Item = &NeighbourState> {
        self.neighbours.iter()
    }

    /// Returns the number of finished flow records that wait to be taken.
    pub fn finished_flows(&self) -> usize {
        self.flows.finished_len()
    }

    /// Returns and removes the finished flow records, oldest first.
    pub fn take_flows(&mut self) -> impl Iterator<Item = FlowRecord> {
        self.flows.take_finished()
    }

    /// Returns and removes what detectors look at beside flows, oldest first.
    pub fn take_sightings(&mut self) -> impl Iterator<Item = Sighting> {
        self.sightings.iter_mut().flat_map(|sightings| sightings.take())
    }

    /// Returns how many sightings found no room because nobody took those before.
    pub fn sightings_dropped(&self) -> u64 {
        self.sightings.as_ref().map_or(0, |sightings| sightings.dropped())
    }

    /// Returns what was counted since the beginning.
    pub fn statistics(&self) -> Statistics {
        let (endpoints, endpoints_established) = self.inventory.len();
        Statistics {
            frames: self.frames,
            bytes: self.bytes,
            tunnelled: self.tunnelled,
            undecoded: self.undecoded,
            inventory: self.inventory.counters(),
            flows: self.flows.counters(),
            neighbours_evicted: self.neighbours.evicted,
            endpoints,
            endpoints_established,
            flows_open: self.flows.len(),
        }
    }

    /// Takes what payload told of the ends of flows.
    #[inline]
    fn introduce(&mut self) {
        while let Some(introduction) = self.flows.take_introduction() {
            let time = introduction.time;
            if let Some(sightings) = &mut self.sightings {
                sightings.introduced(&introduction);
            }
            let (inventory, neighbours) = (&mut self.inventory, &mut self.neighbours);
            passive::introduction::facts(&introduction, |fact| note(time, fact, inventory, neighbours));
        }
    }

    #[cold]
    fn count_undecoded(&mut self, reason: Reason) {
        if let Some(count) = self.undecoded.get_mut(reason.index()) {
            *count += 1;
        }
    }
}

impl Listener for Pipeline {
    #[inline]
    fn foresee(&mut self, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        Self::foresee(self, link_type, meta, bytes);
    }

    #[inline]
    fn prepare(&mut self) {
        Self::prepare(self);
    }

    #[inline]
    fn frame(&mut self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        Self::frame(self, time, link_type, meta, bytes);
    }
}

fn note(time: FrameTime, fact: Fact<'_>, inventory: &mut Inventory, neighbours: &mut Neighbours) {
    match fact {
        Fact::Binding(binding) => {
            inventory.bind(time, &binding);
        }
        Fact::Said(said) => inventory.hear(time, &said),
        Fact::Opening(opening) => inventory.open(time, &opening),
        Fact::Refused(mac) => inventory.refuse(mac),
        Fact::Neighbour(neighbour) => {
            inventory.witness(time, neighbour.mac, neighbour.method());
            neighbours.hear(time, *neighbour);
        }
    }
}
