//! What changed at sites, in words: of what the store keeps, and of what things themselves know of their past.
//!
//! Invariant: pure reading. When an endpoint or a device was first seen is its own; who a site is, where it stands and when it
//! ended is the tree's: both are told here beside what the store kept, and nothing is told twice.

use std::cmp::Reverse;

use onenet_topology::{
    SiteId, Timestamp,
    dated::History,
    inference::Where,
    picture::{Alteration, Face, Thing},
    site::Site,
};

use crate::{
    access::View,
    console::{Language, words},
    estate::SiteState,
};

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// It was seen for the first time.
    Appeared,
    /// It was gone and is back.
    Returned,
    /// It is not there any more.
    Gone,
    /// It is at another place.
    Moved,
    /// It goes by another name.
    Renamed,
    /// It says that it is of another make, or has other software.
    Upgraded,
    /// It has other serial numbers.
    Replaced,
    /// Two ends are joined.
    Joined,
    /// Two ends are joined no more.
    Parted,
    /// The site came to be.
    SiteAdded,
    /// The site has another name.
    SiteRenamed,
    /// The site has another code.
    SiteRecoded,
    /// The site is below others.
    SiteMoved,
    /// The site is no more.
    SiteEnded,
}

/// A change in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) time: Timestamp,
    pub(crate) site: SiteId,
    pub(crate) what: What,
    /// What changed; `None` for the site itself.
    pub(crate) thing: Option<Thing>,
    /// The name of what changed.
    pub(crate) name: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl What {
    /// Returns the name used in the API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Returned => "returned",
            Self::Gone => "gone",
            Self::Moved => "moved",
            Self::Renamed => "renamed",
            Self::Upgraded => "upgraded",
            Self::Replaced => "replaced",
            Self::Joined => "joined",
            Self::Parted => "parted",
            Self::SiteAdded => "site_added",
            Self::SiteRenamed => "site_renamed",
            Self::SiteRecoded => "site_recoded",
            Self::SiteMoved => "site_moved",
            Self::SiteEnded => "site_ended",
        }
    }

    /// Returns what an alteration is.
    fn of(alteration: &Alteration) -> Self {
        match (&alteration.before, &alteration.after) {
            (None, Some(Face::Link)) => Self::Joined,
            (Some(Face::Link), None) => Self::Parted,
            (None, _) => Self::Returned,
            (_, None) => Self::Gone,
            (Some(Face::Device { serials, .. }), Some(Face::Device { serials: new, .. })) if serials != new => {
                Self::Replaced
            }
            (Some(Face::Device { description, .. }), Some(Face::Device { description: new, .. }))
                if description != new =>
            {
                Self::Upgraded
            }
            (Some(Face::Device { .. }), _) => Self::Renamed,
            _ => Self::Moved,
        }
    }
}

/// Tells what changed at a site within a period, the latest first. `kept` is what the store has of that time.
pub(crate) fn tell(
    view: &View,
    language: Language,
    site: &Site,
    kept: &[Alteration],
    period: [Timestamp; 2],
) -> Vec<Told> {
    let [from, until] = period;
    let within = |time: Timestamp| from <= time && time < until;
    let mut told = of_site(view, language, site, within);
    if let Some(state) = view.inventory(site.id) {
        let teller = Teller { state, language };
        told.extend(kept.iter().filter(|it| within(it.time)).map(|it| teller.alteration(it)));
        told.extend(teller.appeared(within));
    }
    told.sort_by_key(|it| Reverse(it.time));
    told
}

struct Teller<'s> {
    state: &'s SiteState,
    language: Language,
}

impl Teller<'_> {
    fn alteration(&self, alteration: &Alteration) -> Told {
        let what = What::of(alteration);
        let face = |face: &Option<Face>| self.face(what, face.as_ref()?);
        Told {
            time: alteration.time,
            site: self.state.id,
            what,
            name: self.name(&alteration.thing, alteration.after.as_ref().or(alteration.before.as_ref())),
            thing: Some(alteration.thing.clone()),
            before: face(&alteration.before),
            after: face(&alteration.after),
        }
    }

    fn appeared(&self, within: impl Fn(Timestamp) -> bool) -> Vec<Told> {
        let devices = self.state.devices.values().map(|it| (Thing::Device(it.id), Some(Face::of_device(it))));
        let endpoints = self.state.known_endpoints().map(|it| (Thing::Endpoint(it.id), Face::of_endpoint(it)));
        let new = devices.chain(endpoints).filter_map(|(thing, face)| {
            let face = face?;
            let (Face::Device { first_seen, .. } | Face::Endpoint { first_seen, .. }) = face else { return None };
            within(first_seen).then(|| {
                let name = self.name(&thing, Some(&face));
                let (site, what, after) = (self.state.id, What::Appeared, self.face(What::Appeared, &face));
                Told { time: first_seen, site, what, thing: Some(thing), name, before: None, after }
            })
        });
        new.collect()
    }

    fn name(&self, thing: &Thing, face: Option<&Face>) -> String {
        match (thing, face) {
            (Thing::Link { a, b }, _) => {
                let end = |end| crate::api::body::link_end_name(self.state, end);
                format!("{} – {}", end(a), end(b))
            }
            (_, Some(Face::Device { name, .. })) => name.clone(),
            (_, Some(Face::Endpoint { mac, .. })) => mac.to_string(),
            (Thing::Device(id), _) => id.to_string(),
            (Thing::Endpoint(id), _) => id.to_string(),
        }
    }

    /// What of a face is worth saying beside a change of some kind.
    fn face(&self, what: What, face: &Face) -> Option<String> {
        match face {
            Face::Device { serials, .. } if what == What::Replaced => Some(serials.join(", ")),
            Face::Device { name, .. } if what == What::Renamed => Some(name.clone()),
            Face::Device { description, .. } => Some(description.clone()).filter(|text| !text.is_empty()),
            Face::Endpoint { at, .. } => place(self.language, self.state, (*at)?),
            Face::Link => None,
        }
    }
}

/// Returns a place in words, also one at a device that was merged since.
pub(crate) fn place(language: Language, state: &SiteState, at: Where) -> Option<String> {
    words::place(language, state, state.canonical_place(at))
}

/// Tells how the site itself changed, by the tree.
fn of_site(view: &View, language: Language, site: &Site, within: impl Fn(Timestamp) -> bool) -> Vec<Told> {
    let name = |name: &onenet_topology::site::SiteName| match language {
        Language::Zh => name.zh.clone(),
        Language::En => name.latin_or_zh().to_owned(),
    };
    let parents = |uplinks: &Vec<onenet_topology::site::Uplink>| {
        let known = uplinks.iter().filter_map(|uplink| view.site(uplink.parent));
        known.map(|parent| name(parent.name(view.now()))).collect::<Vec<_>>().join(", ")
    };
    let told = |time, what, before, after| Told {
        time,
        site: site.id,
        what,
        thing: None,
        name: name(site.name(view.now())),
        before,
        after,
    };
    let mut all = Vec::new();
    if within(site.founded()) {
        all.push(told(site.founded(), What::SiteAdded, None, Some(site.code(site.founded()).to_owned())));
    }
    let turns = |all: &mut Vec<Told>, what, turns: Vec<(Timestamp, String, String)>| {
        let within = turns.into_iter().filter(|(time, ..)| within(*time));
        all.extend(within.map(|(time, before, after)| told(time, what, Some(before), Some(after))));
    };
    turns(&mut all, What::SiteRenamed, turned(&site.names, name));
    turns(&mut all, What::SiteRecoded, turned(&site.codes, Clone::clone));
    turns(&mut all, What::SiteMoved, turned(&site.parents, parents));
    if let Some(ended) = site.ended.as_ref().filter(|ended| within(ended.at)) {
        all.push(told(ended.at, What::SiteEnded, None, None));
    }
    all
}

/// Returns each moment at which a history took another value, with what it was and what it is.
fn turned<T>(history: &History<T>, text: impl Fn(&T) -> String) -> Vec<(Timestamp, String, String)> {
    let values: Vec<_> = history.iter().map(|dated| (dated.from, text(dated.value))).collect();
    let pairs = values.windows(2).filter_map(|pair| match pair {
        [(_, before), (time, after)] if before != after => Some((*time, before.clone(), after.clone())),
        _ => None,
    });
    pairs.collect()
}
