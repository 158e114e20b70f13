//! Sites, the tree, areas, and the counts that tell how a site stands.

use onenet_topology::{
    SiteId,
    device::Standing,
    site::{Site, SiteKind, SiteName},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::{access::View, demo};

/// The name of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SiteNameBody {
    /// In Chinese.
    #[schema(example = "石家庄市生态环境局")]
    pub zh: String,
    /// In Latin letters; empty where there is none.
    pub latin: String,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SiteBody {
    /// Its permanent identity.
    #[schema(example = "site-2a00001")]
    pub id: String,
    /// Its division code, or the code that the ministry gave it.
    #[schema(example = "130100")]
    pub code: String,
    /// Its name.
    pub name: SiteNameBody,
    /// `ministry`, `province`, `city` or `county`.
    pub tier: String,
    /// `division` or `affiliated`.
    pub kind: &'static str,
    /// The sites directly above it, the first uplink first, as far as they may be seen.
    pub parents: Vec<String>,
    /// Whether the site is simulated.
    pub demo: bool,
    /// When it came to be.
    pub founded: String,
    /// How it stands; `null` where its inventory may not be read.
    pub counts: Option<Counts>,
}

/// How a site stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Agents whose stream is open.
    pub agents_connected: u32,
    /// Agents that were heard and are silent now: what they watch is unknown.
    pub agents_silent: u32,
    /// Agents that were enrolled and never heard.
    pub agents_never_heard: u32,
    /// Devices that answer.
    pub devices_up: u32,
    /// Devices that answer, but not to the credentials.
    pub devices_degraded: u32,
    /// Devices that do not answer.
    pub devices_down: u32,
    /// Devices that nobody who is heard watches.
    pub devices_unknown: u32,
    /// Endpoints that an agent sees now.
    pub endpoints_present: u32,
    /// Endpoints that were seen before.
    pub endpoints_past: u32,
    /// What keeps agents from their work.
    pub conditions: u32,
    /// What the centre finds wrong.
    pub findings: u32,
}

/// A site and the sites below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TreeBody {
    /// The site.
    #[serde(flatten)]
    pub site: SiteBody,
    /// The sum of its counts and those of the sites below it.
    pub counts_below: Counts,
    /// The sites directly below it.
    #[schema(no_recursion)]
    pub children: Vec<TreeBody>,
}

impl SiteNameBody {
    pub(super) fn of(name: &SiteName) -> Self {
        Self { zh: name.zh.clone(), latin: name.latin.clone() }
    }
}

/// Returns a site's name and code, where it may be seen.
pub fn named(view: &View, site: SiteId) -> Option<String> {
    let site = view.site(site)?;
    Some(format!("{} ({})", site.name(view.now()).zh, site.code(view.now())))
}

impl SiteBody {
    /// Returns a site as the view shows it.
    pub fn of(view: &View, site: &Site) -> Self {
        let now = view.now();
        Self {
            id: site.id.to_string(),
            code: site.code(now).to_owned(),
            name: SiteNameBody::of(site.name(now)),
            tier: site.tier.to_string(),
            kind: match site.kind {
                SiteKind::Division => "division",
                SiteKind::Affiliated => "affiliated",
            },
            parents: view.parents(site.id).iter().map(|parent| parent.id.to_string()).collect(),
            demo: demo::is_demo(site.code(now)),
            founded: time(site.founded()),
            counts: Counts::of(view, site.id),
        }
    }
}

impl Counts {
    /// Counts what the view shows of a site; `None` where its inventory may not be read.
    pub fn of(view: &View, site: SiteId) -> Option<Self> {
        if !view.may(crate::access::Action::ReadInventory, site) {
            return None;
        }
        let mut counts = Self::default();
        for agent in view.agents_of(site).filter(|agent| agent.revoked.is_none()) {
            let contact = agent.contact;
            let counter = if contact.connected_since.is_some() && contact.silent_since.is_none() {
                &mut counts.agents_connected
            } else if contact.last_heard.is_some() {
                &mut counts.agents_silent
            } else {
                &mut counts.agents_never_heard
            };
            *counter += 1;
        }
        let Some(state) = view.inventory(site) else { return Some(counts) };
        for device in state.devices.values() {
            *match view.device_standing(device).0 {
                Standing::Up => &mut counts.devices_up,
                Standing::Degraded => &mut counts.devices_degraded,
                Standing::Down => &mut counts.devices_down,
                Standing::Unknown => &mut counts.devices_unknown,
            } += 1;
        }
        let tally = state.tally();
        (counts.endpoints_present, counts.endpoints_past) = (tally.present, tally.past);
        counts.conditions = u32::try_from(state.conditions().count()).unwrap_or(u32::MAX);
        counts.findings = u32::try_from(state.findings.len()).unwrap_or(u32::MAX);
        Some(counts)
    }

    /// Returns the sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            agents_connected: self.agents_connected.saturating_add(other.agents_connected),
            agents_silent: self.agents_silent.saturating_add(other.agents_silent),
            agents_never_heard: self.agents_never_heard.saturating_add(other.agents_never_heard),
            devices_up: self.devices_up.saturating_add(other.devices_up),
            devices_degraded: self.devices_degraded.saturating_add(other.devices_degraded),
            devices_down: self.devices_down.saturating_add(other.devices_down),
            devices_unknown: self.devices_unknown.saturating_add(other.devices_unknown),
            endpoints_present: self.endpoints_present.saturating_add(other.endpoints_present),
            endpoints_past: self.endpoints_past.saturating_add(other.endpoints_past),
            conditions: self.conditions.saturating_add(other.conditions),
            findings: self.findings.saturating_add(other.findings),
        }
    }

    /// Returns its agents by state, as metrics name them.
    pub const fn agents_by_state(&self) -> [(&'static str, u32); 3] {
        [("connected", self.agents_connected), ("silent", self.agents_silent), ("never", self.agents_never_heard)]
    }

    /// Returns its devices by state, as metrics name them.
    pub const fn devices_by_state(&self) -> [(&'static str, u32); 4] {
        [
            ("up", self.devices_up),
            ("degraded", self.devices_degraded),
            ("down", self.devices_down),
            ("unknown", self.devices_unknown),
        ]
    }

    /// Returns its endpoints by state, as metrics name them.
    pub const fn endpoints_by_state(&self) -> [(&'static str, u32); 2] {
        [("present", self.endpoints_present), ("past", self.endpoints_past)]
    }

    /// Returns the number of devices.
    pub const fn devices(&self) -> u32 {
        self.devices_up
            .saturating_add(self.devices_degraded)
            .saturating_add(self.devices_down)
            .saturating_add(self.devices_unknown)
    }

    /// Returns the number of agents that are not revoked.
    pub const fn agents(&self) -> u32 {
        self.agents_connected.saturating_add(self.agents_silent).saturating_add(self.agents_never_heard)
    }
}

impl TreeBody {
    /// Returns a site with everything below it that the view shows, by first uplinks: each site stands once.
    pub fn of(view: &View, site: &Site) -> Self {
        let below = view.children(site.id).into_iter();
        // A site with two parents is listed below the first one that may be seen.
        let mine = |child: &&Site| view.parents(child.id).first().is_some_and(|parent| parent.id == site.id);
        let children: Vec<Self> = below.filter(mine).map(|child| Self::of(view, child)).collect();
        let site = SiteBody::of(view, site);
        let own = site.counts.unwrap_or_default();
        let counts_below = children.iter().fold(own, |sum, child| sum.plus(child.counts_below));
        Self { site, counts_below, children }
    }
}
