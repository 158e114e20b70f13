//! What is observed of the monitoring requirements of the third grade at some sites: for the inspection report, and beside the answers of units
//! in an inspection campaign.
//!
//! Invariant: what nobody tells of is blind, and never fulfilled: a site counts for a requirement only while an agent that is heard tells that
//! what watches for it ran. It does not judge whether a unit passes: that is the inspector's.

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::{
    Timestamp,
    campaign::{Observation, Observed, Requirement},
    device::Standing,
    site::Site,
};

use crate::{
    access::View,
    estate::{Agent, SiteState},
};

/// What watches for devices that nobody authorised.
const DEVICES: &[&str] = &[
    "rogue_dhcp",
    "rogue_dhcpv6",
    "rogue_ra",
    "rogue_root",
    "rogue_lldp",
    "nat",
    "forbidden_vlan",
    "changed_class",
    "changed_os",
];
/// What the centre concludes of them itself.
const DEVICES_CENTRE: &[&str] =
    &["unregistered_terminal", "mac_at_two_sites", "device_address_used", "device_replaced", "hub_behind_port"];
/// What watches for ways out.
const OUTWARD: &[&str] = &["outreach", "other_network", "beaconing"];
/// What watches for attacks.
const ATTACKS: &[&str] = &[
    "port_scan",
    "sweep",
    "slow_scan",
    "dark_address",
    "brute_force",
    "syn_flood",
    "udp_flood",
    "icmp_flood",
    "dns_flood",
    "reflection",
    "arp_spoofing",
    "mac_flood",
    "dns_tunnel",
    "dga",
    "worm",
];

/// An observation, with the sites that it is of where these are to be named.
pub(crate) struct Seen<'v> {
    pub(crate) observation: Observation,
    pub(crate) sites: Vec<&'v Site>,
}

/// Returns what is observed of a requirement at these sites: what is seen first, then what is not.
pub(crate) fn observed<'v>(view: &'v View, requirement: Requirement, sites: &[&'v Site]) -> Vec<Seen<'v>> {
    let heard = Heard::of(view, sites);
    let mut seen = match requirement {
        Requirement::Links => links(view, &heard),
        Requirement::Equipment => equipment(view, &heard),
        Requirement::Devices => watched(view, &heard, DEVICES, DEVICES_CENTRE),
        Requirement::Outward => watched(view, &heard, OUTWARD, &[]),
        Requirement::Attacks => watched(view, &heard, ATTACKS, &["worm_spread"]),
        Requirement::Records => records(view, sites),
    };
    seen.sort_by_key(|it| it.observation.is.is_blind());
    seen
}

/// Sites by who tells of them.
struct Heard<'v> {
    all: usize,
    reporting: Vec<&'v Site>,
    silent: Vec<&'v Site>,
    never: Vec<&'v Site>,
}

impl<'v> Heard<'v> {
    fn of(view: &View, sites: &[&'v Site]) -> Self {
        let mut it = Self { all: sites.len(), reporting: Vec::new(), silent: Vec::new(), never: Vec::new() };
        for site in sites.iter().copied() {
            let told = |agent: &Agent| agent.contact.last_heard.is_some() && agent.revoked.is_none();
            if view.agents_of(site.id).any(Agent::is_heard) {
                it.reporting.push(site);
            } else if view.agents_of(site.id).any(told) {
                it.silent.push(site);
            } else {
                it.never.push(site);
            }
        }
        it
    }

    /// The sites that somebody tells of, or told of, and whether he is heard.
    fn told(&self) -> impl Iterator<Item = (&'v Site, bool)> {
        let silent = self.silent.iter().map(|site| (*site, false));
        self.reporting.iter().map(|site| (*site, true)).chain(silent)
    }

    /// Since when agents are there.
    fn since(&self, view: &View) -> Option<Timestamp> {
        self.told().flat_map(|(site, _)| view.agents_of(site.id)).map(|agent| agent.enrolled).min()
    }

    /// How many sites nobody tells of, where there are any: they are named under the first requirement.
    fn unheard(&self) -> Option<Seen<'v>> {
        let count = self.silent.len().saturating_add(self.never.len());
        (count > 0).then(|| plain(Observation::count(Observed::NotHeard, count)))
    }
}

const fn plain<'v>(observation: Observation) -> Seen<'v> {
    Seen { observation, sites: Vec::new() }
}

/// Returns an observation of some sites, `None` where there are none.
fn of_sites<'v>(is: Observed, sites: &[&'v Site]) -> Option<Seen<'v>> {
    let of = || Seen { observation: Observation::count(is, sites.len()), sites: sites.to_vec() };
    (!sites.is_empty()).then(of)
}

fn since<'v>(time: Option<Timestamp>) -> Option<Seen<'v>> {
    time.map(|time| plain(Observation::at(Observed::Since, time)))
}

/// Sites: who tells of them at all.
fn links<'v>(view: &View, heard: &Heard<'v>) -> Vec<Seen<'v>> {
    let mut seen = vec![plain(Observation::part(Observed::Sites, heard.reporting.len(), heard.all))];
    seen.extend(since(heard.since(view)));
    seen.extend(of_sites(Observed::NoAgent, &heard.never));
    seen.extend(of_sites(Observed::Silent, &heard.silent));
    seen
}

/// Devices: network and security equipment that answers.
fn equipment<'v>(view: &View, heard: &Heard<'v>) -> Vec<Seen<'v>> {
    let (mut all, mut up, mut first, mut without) = (0_usize, 0_usize, None::<Timestamp>, Vec::new());
    for (site, is_heard) in heard.told() {
        let devices = view.inventory(site.id).map(|state| &state.devices);
        let devices: Vec<_> = devices.into_iter().flat_map(|it| it.values()).collect();
        if devices.is_empty() && is_heard {
            without.push(site);
        }
        for device in devices {
            all += 1;
            up += usize::from(matches!(view.device_standing(device).0, Standing::Up | Standing::Degraded));
            first = first.into_iter().chain([device.first_seen]).min();
        }
    }
    let mut seen = vec![plain(Observation::part(Observed::DevicesUp, up, all))];
    seen.extend(since(first));
    seen.extend((all > up).then(|| plain(Observation::count(Observed::DevicesDark, all - up))));
    seen.extend(of_sites(Observed::NoDevice, &without));
    seen.extend(heard.unheard());
    seen
}

/// What detectors of these kinds watch, and found; `more` are concluded by the centre.
fn watched<'v>(view: &View, heard: &Heard<'v>, kinds: &[&str], more: &[&str]) -> Vec<Seen<'v>> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut off: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut begun, mut first, mut watching, mut without) = (None::<Timestamp>, None::<Timestamp>, 0, Vec::new());
    for (site, is_heard) in heard.told() {
        let Some(state) = view.inventory(site.id) else { continue };
        let on = if is_heard { running(view, state, kinds) } else { Vec::new() };
        if !on.is_empty() {
            watching += 1;
            begun = begun.into_iter().chain(view.agents_of(site.id).map(|it| it.enrolled)).min();
            for kind in kinds.iter().filter(|kind| !on.contains(kind)) {
                *off.entry(kind).or_default() += 1;
            }
        } else if is_heard {
            without.push(site);
        }
        for anomaly in state.anomalies.values() {
            if let Some(kind) = kinds.iter().chain(more).find(|kind| **kind == anomaly.key.kind) {
                *found.entry(kind).or_default() += 1;
                first = first.into_iter().chain([anomaly.first]).min();
            }
        }
    }
    let of_kind = |is, (kind, count): (&&str, &usize)| plain(Observation::of_kind(is, kind, *count));
    let mut seen = vec![plain(Observation::part(Observed::Watched, watching, heard.all))];
    seen.extend(found.iter().map(|it| of_kind(Observed::Found, it)));
    seen.extend(first.map(|first| plain(Observation::at(Observed::First, first))));
    seen.extend(since(begun));
    seen.extend(of_sites(Observed::NotWatched, &without));
    seen.extend(off.iter().map(|it| of_kind(Observed::Off, it)));
    seen.extend(heard.unheard());
    seen
}

/// Returns which of these kinds a site's agents watch for: on, and fed with something.
fn running<'k>(view: &View, state: &SiteState, kinds: &[&'k str]) -> Vec<&'k str> {
    let samples: Vec<_> = state.detectors.get().running(view.now()).collect();
    let is_on = |kind: &str| {
        let mut all = samples.iter().flat_map(|(_, running)| &running.sample.detectors);
        all.any(|it| it.kind == kind && it.off.is_empty() && it.last_run_age_ms.is_some())
    };
    kinds.iter().filter(|kind| is_on(kind)).copied().collect()
}

/// Records: cases and what is kept of them.
fn records<'v>(view: &View, sites: &[&Site]) -> Vec<Seen<'v>> {
    let of_sites: BTreeSet<_> = sites.iter().map(|it| it.id).collect();
    let cases: Vec<_> = view.cases().filter(|it| it.is_counted() && of_sites.contains(&it.key.site)).collect();
    let open = cases.iter().filter(|it| it.is_open()).count();
    let mut seen = vec![
        plain(Observation::part(Observed::Cases, cases.len(), open)),
        plain(Observation::new(Observed::Kept)),
        plain(Observation::new(Observed::Roles)),
        plain(Observation::new(Observed::OtherSystems)),
    ];
    seen.extend(since(cases.iter().map(|it| it.opened).min()));
    seen
}
