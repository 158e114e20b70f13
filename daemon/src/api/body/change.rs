//! What changed at sites, and what was there at a time.

use onenet_topology::{
    Timestamp,
    picture::{Face, Picture, Thing},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{LinkEndBody, PlaceBody, given, time};
use crate::{estate::SiteState, past::Told};

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChangeBody {
    /// When, as far as the evidence tells.
    pub time: String,
    /// The site.
    pub site: String,
    /// What: `appeared`, `returned`, `gone`, `moved`, `renamed`, `upgraded`, `replaced`, `joined`, `parted`, `site_added`,
    /// `site_renamed`, `site_recoded`, `site_moved` or `site_ended`.
    pub what: &'static str,
    /// What changed: `device`, `endpoint`, `link` or `site`.
    pub kind: &'static str,
    /// Its identity; `null` for a link.
    pub id: Option<String>,
    /// Its name: an endpoint's MAC address, the two ends of a link.
    pub name: String,
    /// What it was before, in words.
    pub before: Option<String>,
    /// What it is since, in words.
    pub after: Option<String>,
}

/// What was at a site at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PictureBody {
    /// The site.
    pub site: String,
    /// When.
    pub at: String,
    /// Its devices.
    pub devices: Vec<PictureDeviceBody>,
    /// Its links.
    pub links: Vec<PictureLinkBody>,
    /// Its endpoints.
    pub endpoints: Vec<PictureEndpointBody>,
}

/// A device as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PictureDeviceBody {
    /// Its identity.
    pub id: String,
    /// Its name.
    pub name: String,
    /// sysDescr.
    pub description: Option<String>,
    /// Serial numbers of its chassis.
    pub serials: Vec<String>,
    /// When it was first heard of.
    pub first_seen: String,
}

/// A link as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PictureLinkBody {
    /// One end.
    pub a: LinkEndBody,
    /// The other end.
    pub b: LinkEndBody,
}

/// An endpoint as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PictureEndpointBody {
    /// Its identity.
    pub id: String,
    /// Its MAC address.
    pub mac: String,
    /// Where it was plugged in; `null` where that was not known.
    pub place: Option<PlaceBody>,
    /// When it was first seen.
    pub first_seen: String,
}

impl From<Told> for ChangeBody {
    fn from(told: Told) -> Self {
        let (kind, id) = match &told.thing {
            None => ("site", Some(told.site.to_string())),
            Some(Thing::Device(id)) => ("device", Some(id.to_string())),
            Some(Thing::Endpoint(id)) => ("endpoint", Some(id.to_string())),
            Some(Thing::Link { .. }) => ("link", None),
        };
        Self {
            time: time(told.time),
            site: told.site.to_string(),
            what: told.what.name(),
            kind,
            id,
            name: told.name,
            before: told.before,
            after: told.after,
        }
    }
}

impl PictureBody {
    /// Returns a picture of a site.
    pub fn of(state: &SiteState, picture: &Picture, at: Timestamp) -> Self {
        let mut body = Self {
            site: state.id.to_string(),
            at: time(at),
            devices: Vec::new(),
            links: Vec::new(),
            endpoints: Vec::new(),
        };
        for (thing, face) in picture.things() {
            match (thing, face) {
                (Thing::Device(id), Face::Device { first_seen, name, description, serials }) => {
                    body.devices.push(PictureDeviceBody {
                        id: id.to_string(),
                        name: name.clone(),
                        description: given(description),
                        serials: serials.clone(),
                        first_seen: time(*first_seen),
                    });
                }
                (Thing::Endpoint(id), Face::Endpoint { first_seen, mac, at }) => {
                    body.endpoints.push(PictureEndpointBody {
                        id: id.to_string(),
                        mac: mac.to_string(),
                        place: at.and_then(|at| PlaceBody::of(state, at)),
                        first_seen: time(*first_seen),
                    });
                }
                (Thing::Link { a, b }, _) => {
                    let [a, b] = [a, b].map(|end| LinkEndBody::of(state, end));
                    body.links.push(PictureLinkBody { a, b });
                }
                _ => {}
            }
        }
        body
    }
}
