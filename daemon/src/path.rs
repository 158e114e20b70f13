//! Paths, from what is known of sites on the way: which devices lie between two places of the network.
//!
//! Invariant: pure reading of one view. Of sites that may not be seen nothing is told, not even that the way leads through
//! them; a hop says why it is believed and how the thing stands. The way between sites is the tree's, through first uplinks;
//! where routers tell addresses in one subnet, it leads over them.

use std::net::IpAddr;

use onenet_topology::{
    DeviceId, EndpointId, SiteId,
    address::NATIONAL,
    device::Device,
    endpoint::Endpoint,
    fact::OwnAddress,
    incident::State,
    inference::{Place, Where},
    link::LinkEnd,
    path::{Foot, Ground, Map, Step, Stretch},
};

use crate::{access::View, api::body::told, estate::SiteState, joined::joined};

/// Bits of a prefix from which it is taken for a transfer net between two sites, whatever the plan says of it.
const TRANSFER_BITS_V4: u8 = 29;

/// One end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathEnd {
    /// A site.
    Site(SiteId),
    /// A device.
    Device(DeviceId),
    /// An endpoint.
    Endpoint(EndpointId),
}

/// What a hop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HopThing {
    /// An endpoint.
    Endpoint(EndpointId),
    /// A device.
    Device(DeviceId),
    /// A site of which no device on the way is known.
    Site,
    /// Nobody knows what is here.
    Gap,
}

/// Why a hop is believed to be on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is the end.
    End,
    /// The endpoint is attached to it, so sure in percent.
    Attachment(Option<u8>),
    /// A link leads to it, or both have an address of a subnet.
    Step(Ground),
    /// The tree of sites.
    Tree,
}

/// A place on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) thing: HopThing,
    pub(crate) site: SiteId,
    /// Its name.
    pub(crate) name: String,
    /// The port by which the way comes in.
    pub(crate) into: Option<String>,
    /// The port by which it goes out.
    pub(crate) out: Option<String>,
    pub(crate) known: Known,
    /// How it stands: `up`, `degraded`, `down`, `flapping` or `unknown`; `None` where nothing is said of it.
    pub(crate) state: Option<&'static str>,
}

/// Endpoints of one address that are told: every county may have the same private one.
const SEVERAL_MAX: usize = 100;

/// Why an end cannot be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoEnd {
    /// There is no such thing.
    Unknown,
    /// Several endpoints are meant, of which these are the first.
    Several(Vec<EndpointId>),
}

impl PathEnd {
    /// Returns what a text means: a site by id or code, a device or an endpoint by id, an endpoint by MAC or present IP address.
    pub(crate) fn find(view: &View, text: &str) -> Result<Self, NoEnd> {
        if let Some(site) = view.find_site(text) {
            return Ok(Self::Site(site.id));
        }
        if let Some((_, device)) = text.parse().ok().and_then(|id| view.device(id)) {
            return Ok(Self::Device(device.id));
        }
        if let Some((_, endpoint)) = text.parse().ok().and_then(|id| view.endpoint(id)) {
            return Ok(Self::Endpoint(endpoint.id));
        }
        let (mac, ip) = (text.parse().ok(), text.parse::<IpAddr>().ok());
        let has =
            |endpoint: &Endpoint| Some(endpoint.mac) == mac || endpoint.current_addresses().any(|it| Some(it.ip) == ip);
        if mac.is_none() && ip.is_none() {
            return Err(NoEnd::Unknown);
        }
        let all = view.inventories(SiteId::from_raw(0)).flat_map(SiteState::visible_endpoints);
        let found: Vec<EndpointId> = all.filter(|it| has(it)).map(|it| it.id).take(SEVERAL_MAX).collect();
        match found.as_slice() {
            [] => Err(NoEnd::Unknown),
            [one] => Ok(Self::Endpoint(*one)),
            _ => Err(NoEnd::Several(found)),
        }
    }

    fn site(self, view: &View) -> Option<SiteId> {
        match self {
            Self::Site(site) => Some(site),
            Self::Device(id) => view.device(id).map(|(state, _)| state.id),
            Self::Endpoint(id) => view.endpoint(id).map(|(state, _)| state.id),
        }
    }
}

/// Returns the way from one end to the other, both of them included.
pub(crate) fn path(view: &View, from: PathEnd, to: PathEnd) -> Vec<Hop> {
    let Some((first, last)) = from.site(view).zip(to.site(view)) else { return Vec::new() };
    let sites = between(view, first, last);
    let map = map(view, &sites);
    let mut walk = Walk { view, map: &map, sites: &sites, hops: Vec::new() };
    let (begin, end) = (walk.footing(from, first), walk.footing(to, last));
    let direct = first == last && (begin.gateway == end.gateway || begin.gateway.is_none() || end.gateway.is_none());
    let (over, up, down) = if direct { (false, None, None) } else { (true, begin.gateway, end.gateway) };
    let stops = [(begin.access, false), (up, over), (down, false), (end.access, false)];
    let stops: Vec<(DeviceId, bool)> = stops.into_iter().filter_map(|(device, over)| Some((device?, over))).collect();
    walk.open(from, first, &begin);
    // Between two stops the walk passes what lies between; where an end has none, nothing leads from it or to it but the tree.
    if first != last && begin.is_blank() {
        walk.tree();
    }
    walk.walk(&stops);
    if first != last && end.is_blank() && !begin.is_blank() {
        walk.tree();
    }
    walk.close(to, last, &end);
    walk.hops
}

/// Returns the sites on the way through the tree, both ends included, as far as they may be seen.
fn between(view: &View, first: SiteId, last: SiteId) -> Vec<SiteId> {
    let ids = |site| view.path(site).into_iter().map(|it| it.id).collect::<Vec<_>>();
    let (up, down) = (ids(first), ids(last));
    let common = up.iter().zip(&down).take_while(|(one, other)| one == other).count();
    let top = common.saturating_sub(1);
    let climbing = up.iter().skip(top).rev();
    climbing.chain(down.iter().skip(common.max(top + 1))).copied().collect()
}

/// What is known of the devices of these sites, and of what joins them.
fn map(view: &View, sites: &[SiteId]) -> Map {
    let mut map = Map::default();
    let mut feet: Vec<Foot> = Vec::new();
    for state in sites.iter().filter_map(|site| view.inventory(*site)) {
        links(state, &mut map);
        for device in state.devices.values() {
            feet.extend(told::own_addresses(state, device).into_iter().filter_map(|it| foot(state, device, it)));
        }
    }
    let own = feet.clone();
    map.feet(feet, |one, other| is_shared(view, sites, one, other));
    for state in sites.iter().filter_map(|site| view.inventory(*site)) {
        for device in state.devices.values() {
            next_hops(state, device, &own, &mut map, |one, other| is_shared(view, sites, one, other));
        }
    }
    map
}

/// Adds whereto a device sends packets on: to a device of its own site, or to one in a subnet that means the same at both.
fn next_hops(
    state: &SiteState,
    device: &Device,
    feet: &[Foot],
    map: &mut Map,
    is_shared: impl Fn(&Foot, &Foot) -> bool,
) {
    for hop in told::next_hops(state, device) {
        let near = |foot: &Foot| {
            let mut own = feet.iter().filter(|own| own.device == device.id && own.address.contains(hop.ip));
            foot.site == state.id || own.any(|own| is_shared(own, foot))
        };
        let port = Some(hop.interface.as_str()).filter(|name| !name.is_empty());
        map.next_hop((device.id, port), hop.ip, hop.default_route, near);
    }
}

fn links(state: &SiteState, map: &mut Map) {
    for link in joined(state) {
        if let (
            LinkEnd::Interface { device: one, name: out, .. },
            LinkEnd::Interface { device: other, name: into, .. },
        ) = (&link.a, &link.b)
        {
            let port = |name| Some(name).filter(|name: &&str| !name.is_empty());
            map.link((*one, port(out)), (*other, port(into)), link.confidence);
        }
    }
}

fn foot(state: &SiteState, device: &Device, own: OwnAddress) -> Option<Foot> {
    let address = ipnetwork::IpNetwork::new(own.ip, own.prefix_bits?).ok()?;
    Some(Foot { device: device.id, site: state.id, interface: own.interface, address })
}

/// Returns whether a prefix means one thing at two sites of the way: they are next to each other, and it is a transfer net, of
/// IPv6, or in the national plan at both.
fn is_shared(view: &View, sites: &[SiteId], one: &Foot, other: &Foot) -> bool {
    let next = sites.windows(2).any(|pair| pair == [one.site, other.site] || pair == [other.site, one.site]);
    let national = |foot: &Foot| view.longest_match(NATIONAL, foot.address.ip(), view.now()).is_some();
    let transfer = one.address.is_ipv6() || one.address.prefix() >= TRANSFER_BITS_V4;
    next && one.address.ip() != other.address.ip() && (transfer || (national(one) && national(other)))
}

/// Where an end stands: the device that it is attached to, and the one that takes it out of its subnet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Footing {
    access: Option<DeviceId>,
    port: Option<String>,
    confidence: Option<u8>,
    gateway: Option<DeviceId>,
}

impl Footing {
    /// Returns whether no device is known where it stands.
    const fn is_blank(&self) -> bool {
        self.access.is_none() && self.gateway.is_none()
    }
}

struct Walk<'v> {
    view: &'v View,
    map: &'v Map,
    sites: &'v [SiteId],
    hops: Vec<Hop>,
}

impl Walk<'_> {
    fn footing(&self, end: PathEnd, site: SiteId) -> Footing {
        match end {
            PathEnd::Site(_) => {
                let router = self.map.busiest(site);
                Footing { access: router, gateway: router, ..Footing::default() }
            }
            PathEnd::Device(id) => Footing { access: Some(id), gateway: self.map.busiest(site), ..Footing::default() },
            PathEnd::Endpoint(id) => {
                self.view.endpoint(id).map(|(state, it)| self.attached(state, it)).unwrap_or_default()
            }
        }
    }

    fn attached(&self, state: &SiteState, endpoint: &Endpoint) -> Footing {
        let at = endpoint.located.as_ref().map(|located| state.canonical_place(located.at));
        let (access, port) = match at {
            Some(Where::Port(Place { device, interface, .. })) => {
                (Some(device), state.interface(device, interface).map(|it| it.said.name.clone()))
            }
            Some(Where::Behind { device, .. }) => (Some(device), None),
            _ => (None, None),
        };
        let found = state.attachment(endpoint.mac).filter(|found| Some(state.canonical_place(found.at)) == at);
        let gateways = endpoint.current_addresses().filter_map(|it| self.map.gateway(state.id, it.ip));
        let gateway = gateways.map(|foot| foot.device).next().or_else(|| self.map.busiest(state.id));
        Footing { access, port, confidence: found.map(|found| found.confidence), gateway }
    }

    /// Begins at an end.
    fn open(&mut self, end: PathEnd, site: SiteId, footing: &Footing) {
        if let PathEnd::Endpoint(id) = end {
            self.hops.extend(self.endpoint_hop(id, Known::End));
            self.attach(site, footing);
            if let Some(last) = self.hops.last_mut().filter(|_| footing.access.is_some()) {
                last.into.clone_from(&footing.port);
            }
        } else if footing.access.is_none() {
            self.hops.push(self.site_hop(site, Known::End));
        }
    }

    /// Ends at an end.
    fn close(&mut self, end: PathEnd, site: SiteId, footing: &Footing) {
        if let PathEnd::Endpoint(id) = end {
            self.attach(site, footing);
            if let Some(last) = self.hops.last_mut().filter(|_| footing.access.is_some()) {
                last.out.clone_from(&footing.port);
            }
            self.hops.extend(self.endpoint_hop(id, Known::Attachment(footing.confidence)));
        } else if footing.access.is_none() && self.hops.last().is_none_or(|last| last.site != site) {
            self.hops.push(self.site_hop(site, Known::End));
        }
    }

    /// Stands at the device that an endpoint is attached to, or says that nobody knows it.
    fn attach(&mut self, site: SiteId, footing: &Footing) {
        match footing.access {
            Some(device) if self.is_at(device) => {}
            Some(device) => self.hops.push(self.device_hop(device, Known::Attachment(footing.confidence))),
            None => self.hops.push(self.gap(site)),
        }
    }

    fn is_at(&self, device: DeviceId) -> bool {
        self.hops.last().is_some_and(|last| last.thing == HopThing::Device(device))
    }

    fn walk(&mut self, stops: &[(DeviceId, bool)]) {
        if let Some((first, _)) = stops.first().filter(|(first, _)| !self.is_at(*first)) {
            self.hops.push(self.device_hop(*first, Known::End));
        }
        for stretch in self.map.along(stops) {
            match stretch {
                Stretch::Steps { steps, .. } => steps.into_iter().for_each(|step| self.step(step)),
                Stretch::Gap { from, to } => {
                    let site = |device| self.view.device(device).map(|(state, _)| state.id);
                    match site(from) {
                        Some(here) if Some(here) == site(to) => self.hops.push(self.gap(here)),
                        _ => self.tree(),
                    }
                    self.hops.push(self.device_hop(to, Known::Tree));
                }
            }
        }
    }

    fn step(&mut self, step: Step) {
        if let Some(last) = self.hops.last_mut() {
            last.out = step.out;
        }
        let hop = self.device_hop(step.to, Known::Step(step.ground));
        self.hops.push(Hop { into: step.into, ..hop });
    }

    /// Passes the sites between the two ends, of which no device on the way is known.
    fn tree(&mut self) {
        let inner = self.sites.get(1..self.sites.len().saturating_sub(1)).unwrap_or_default();
        let hops: Vec<Hop> = inner.iter().map(|site| self.site_hop(*site, Known::Tree)).collect();
        self.hops.extend(hops);
    }

    fn endpoint_hop(&self, id: EndpointId, known: Known) -> Option<Hop> {
        let (state, endpoint) = self.view.endpoint(id)?;
        let name = endpoint.hostname().map_or_else(|| endpoint.mac.to_string(), String::from);
        Some(Hop { thing: HopThing::Endpoint(id), site: state.id, name, into: None, out: None, known, state: None })
    }

    fn site_hop(&self, site: SiteId, known: Known) -> Hop {
        let name = self.view.site(site).map(|it| it.name(self.view.now()).zh.clone()).unwrap_or_default();
        let state = self.view.site_state(site).map(State::name);
        Hop { thing: HopThing::Site, site, name, into: None, out: None, known, state }
    }

    fn device_hop(&self, id: DeviceId, known: Known) -> Hop {
        let found = self.view.device(id);
        let site = found.map_or(SiteId::from_raw(0), |(state, _)| state.id);
        let name = found.map(|(_, device)| device.name().to_owned()).unwrap_or_default();
        let state = found.map(|(_, device)| self.view.device_standing(device).0.name());
        Hop { thing: HopThing::Device(id), site, name, into: None, out: None, known, state }
    }

    fn gap(&self, site: SiteId) -> Hop {
        Hop { thing: HopThing::Gap, ..self.site_hop(site, Known::Tree) }
    }
}
