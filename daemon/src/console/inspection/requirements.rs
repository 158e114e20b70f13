//! The monitoring requirements, and what is known of each at some sites.

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::{Timestamp, device::Standing, site::Site};

use crate::{
    access::View,
    console::{
        Language, Reader, parts,
        text::{self, Text, fill},
        words,
    },
    estate::SiteState,
};

/// Sites that are named where something is not seen.
const NAMED_MAX: usize = 12;

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
const DEVICES_CENTRE: &[&str] = &["unregistered_terminal", "mac_at_two_sites", "device_address_used"];
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

/// A requirement, and what is known of it.
pub(super) struct Requirement {
    pub(super) name: Text,
    pub(super) asks: Text,
    /// What was seen.
    pub(super) saw: Vec<String>,
    /// Since when somebody looks.
    pub(super) since: Option<Timestamp>,
    /// What nobody sees.
    pub(super) blind: Vec<String>,
}

/// Returns what is known of each requirement at these sites.
pub(super) fn requirements(reader: &Reader, view: &View, sites: &[&Site]) -> Vec<Requirement> {
    let kinds = |kinds: &[&'static str], more: &[&'static str]| watched(reader, view, sites, kinds, more);
    let new = |name, asks, (saw, since, blind)| Requirement { name, asks, saw, since, blind };
    vec![
        new(text::REQUIRE_CENTRAL, text::REQUIRE_CENTRAL_ASKS, central(reader, view, sites)),
        new(text::REQUIRE_EQUIPMENT, text::REQUIRE_EQUIPMENT_ASKS, equipment(reader, view, sites)),
        new(text::REQUIRE_DEVICES, text::REQUIRE_DEVICES_ASKS, kinds(DEVICES, DEVICES_CENTRE)),
        new(text::REQUIRE_OUTWARD, text::REQUIRE_OUTWARD_ASKS, kinds(OUTWARD, &[])),
        new(text::REQUIRE_ATTACKS, text::REQUIRE_ATTACKS_ASKS, kinds(ATTACKS, &["worm_spread"])),
        new(text::REQUIRE_RECORDS, text::REQUIRE_RECORDS_ASKS, records(reader, view, sites)),
    ]
}

type Known = (Vec<String>, Option<Timestamp>, Vec<String>);

/// Sites: who tells of them at all.
fn central(reader: &Reader, view: &View, sites: &[&Site]) -> Known {
    let agents =
        |site: &&&Site| view.agents_of(site.id).any(|it| it.contact.last_heard.is_some() && it.revoked.is_none());
    let heard = |site: &&&Site| view.agents_of(site.id).any(crate::estate::Agent::is_heard);
    let never: Vec<&Site> = sites.iter().filter(|it| !agents(it)).copied().collect();
    let silent: Vec<&Site> = sites.iter().filter(|it| agents(it) && !heard(it)).copied().collect();
    let count = sites.len().saturating_sub(never.len()).saturating_sub(silent.len());
    let saw = vec![fill(&fill(reader.say(text::SAW_SITES), count), sites.len())];
    let mut blind = Vec::new();
    blind.extend(named(reader, view, text::BLIND_NO_AGENT, &never));
    blind.extend(named(reader, view, text::BLIND_SILENT, &silent));
    let since = sites.iter().flat_map(|it| view.agents_of(it.id)).map(|it| it.enrolled).min();
    (saw, since, blind)
}

/// Devices: network and security equipment that answers.
fn equipment(reader: &Reader, view: &View, sites: &[&Site]) -> Known {
    let (mut all, mut up, mut first, mut without) = (0_usize, 0_usize, None::<Timestamp>, Vec::new());
    for site in sites {
        let devices = view.inventory(site.id).map(|state| &state.devices);
        let devices: Vec<_> = devices.into_iter().flat_map(|it| it.values()).collect();
        if devices.is_empty() {
            without.push(*site);
        }
        for device in devices {
            all += 1;
            let standing = view.device_standing(device).0;
            up += usize::from(matches!(standing, Standing::Up | Standing::Degraded));
            first = first.into_iter().chain([device.first_seen]).min();
        }
    }
    let saw = vec![fill(&fill(reader.say(text::SAW_DEVICES), up), all)];
    let mut blind: Vec<String> =
        (all > up).then(|| fill(reader.say(text::BLIND_DEVICES), all - up)).into_iter().collect();
    blind.extend(named(reader, view, text::BLIND_NO_DEVICE, &without));
    (saw, first, blind)
}

/// What detectors of these kinds watch, and found; `more` are concluded by the centre.
fn watched(reader: &Reader, view: &View, sites: &[&Site], kinds: &[&str], more: &[&str]) -> Known {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut off: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut watching, mut since, mut first, mut without) = (0_usize, None::<Timestamp>, None::<Timestamp>, Vec::new());
    for site in sites {
        let Some(state) = view.inventory(site.id) else {
            without.push(*site);
            continue;
        };
        let on = running(view, state, kinds);
        if on.is_empty() {
            without.push(*site);
        } else {
            watching += 1;
            since = since.into_iter().chain(view.agents_of(site.id).map(|it| it.enrolled)).min();
            for kind in kinds.iter().filter(|kind| !on.contains(kind)) {
                *off.entry(kind).or_default() += 1;
            }
        }
        for anomaly in state.anomalies.values() {
            if let Some(kind) = kinds.iter().chain(more).find(|kind| **kind == anomaly.key.kind) {
                *found.entry(kind).or_default() += 1;
                first = first.into_iter().chain([anomaly.first]).min();
            }
        }
    }
    let kind = |name| words::case_kind(reader.language, name);
    let mut saw = vec![fill(&fill(reader.say(text::SAW_WATCHED), watching), sites.len())];
    saw.extend(found.iter().map(|(name, count)| format!("{}: {count}", kind(name))));
    if let Some(first) = first {
        saw.push(fill(reader.say(text::SAW_FIRST), parts::moment(first)));
    }
    let mut blind = Vec::new();
    blind.extend(named(reader, view, text::BLIND_NOT_WATCHED, &without));
    blind.extend(off.iter().map(|(name, count)| fill(&fill(reader.say(text::BLIND_OFF), kind(name)), count)));
    (saw, since, blind)
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
fn records(reader: &Reader, view: &View, sites: &[&Site]) -> Known {
    let of_sites: BTreeSet<_> = sites.iter().map(|it| it.id).collect();
    let cases: Vec<_> = view.cases().filter(|it| it.is_counted() && of_sites.contains(&it.key.site)).collect();
    let open = cases.iter().filter(|it| it.is_open()).count();
    let saw = vec![
        fill(&fill(reader.say(text::SAW_CASES), cases.len()), open),
        reader.say(text::SAW_KEPT).to_owned(),
        reader.say(text::SAW_ROLES).to_owned(),
    ];
    let blind = vec![reader.say(text::BLIND_RECORDS).to_owned()];
    (saw, cases.iter().map(|it| it.opened).min(), blind)
}

/// Returns a line that names some sites, `None` where there are none.
fn named(reader: &Reader, view: &View, said: Text, sites: &[&Site]) -> Option<String> {
    if sites.is_empty() {
        return None;
    }
    let name = |site: &&Site| parts::site_name(reader.language, site.name(view.now())).into_owned();
    let names: Vec<String> = sites.iter().take(NAMED_MAX).map(name).collect();
    let more = if sites.len() > NAMED_MAX { " …" } else { "" };
    let between = if reader.language == Language::Zh { "、" } else { ", " };
    Some(fill(&fill(reader.say(said), sites.len()), names.join(between) + more))
}
